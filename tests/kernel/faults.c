// SPDX-License-Identifier: GPL-2.0
/*
 * Engines that fail: half-way, at submission, without descriptors. What never was
 * in an engine's hands the CPU copies; what an engine has reported an error on is
 * put back and moves with another destination, in both orders.
 */
#include <errno.h>
#include <unistd.h>
#include "fixture.h"

#define BYTES	(8UL << 20)
#define SEED	3

static struct ctl ctl;
static struct server server;
static struct target target;
static struct channels channels;
static uint64_t addr;

/* New memory each time, with one descriptor for each page. */
static struct job_req next_job(uint32_t order)
{
	if (addr)
		target_call(&target, mem_free, addr, BYTES, 0);
	addr = (uint64_t)target_call(&target, mem_new_scattered, BYTES, 0, SEED);
	return job_for(&target, addr, BYTES, 0, 1, order);
}

/* Behind an IOMMU the pages of a COPY are one segment. */
static long half_of_a_copy(void)
{
	return on_machine("amd64-iommu") ? 0 : 20;
}

/* fail_after: the descriptor in the middle of a COPY gets a real error. */
static void half_way(uint32_t order, unsigned int copies)
{
	struct channel_info before, after;
	struct job_req req = next_job(order);
	const struct event *event;
	struct job_info job;
	unsigned int pos = ctl.nr_events;

	step("%s, %u COPYs, one fails half-way", order_name(order), copies);
	plan_dma(&server, &channels, channels.nr, copies);
	server.plan.retry = true;
	server.copy_errors = 0;
	channel_info(&ctl, channels.id[1], &before);
	fault_set(&channels, 1, "fail_after", half_of_a_copy());
	server_move(&server, &ctl, &req, &job);
	/* The pages of the COPY were put back, and came again. */
	check_moved(&ctl, &target, &job, addr, BYTES, SEED);
	check(job.passes > 1, "they did not come again");
	check_eq(server.copy_errors, 1);
	check_eq(fault_get(&channels, 1, "fail_after"), -1);
	channel_info(&ctl, channels.id[1], &after);
	check_eq(after.errors, before.errors + 1);
	check_eq(after.state, MIGD_CHANNEL_STATE_READY);
	event = ctl_event(&ctl, MIGD_CMD_ENGINE_FAULT_NTF, 0, &pos);
	check(event, "no engine-fault event");
	check_eq(event->id, channels.id[1]);
	check_eq(event->error, EIO);
}

/* The server commits in spite of the error: the pages come again. */
static void not_retried(uint32_t order)
{
	struct job_req req = next_job(order);
	struct channel_info info;
	unsigned int slot, half;
	struct job_info job;
	uint64_t id;

	step("%s, a failed COPY is committed", order_name(order));
	fault_set(&channels, 0, "fail_after", half_of_a_copy());
	id = server_job(&server, &ctl, &req);
	slot = server_wait_batch(&server);
	half = server.slot[slot].pages / 2;
	server_copy(&server, slot, channels.id[0], 0, half);
	check_eq(server_wait_copy(&server), -EIO);
	channel_info(&ctl, channels.id[0], &info);
	check_eq(info.state, MIGD_CHANNEL_STATE_FAULTED);
	server_copy(&server, slot, channels.id[0], half, half);
	check_eq(server_wait_copy(&server), half);
	channel_info(&ctl, channels.id[0], &info);
	check_eq(info.state, MIGD_CHANNEL_STATE_READY);
	server_commit(&server, slot);
	plan_cpu(&server, 0);
	server_run(&server, &ctl, id);
	must(ctl_job(&ctl, id, &job));
	check_moved(&ctl, &target, &job, addr, BYTES, SEED);
}

static void switch_on(uint32_t order, const char *name, long value,
		      unsigned int errors)
{
	struct job_req req = next_job(order);
	struct job_info job;

	step("%s, %s=%ld on every channel", order_name(order), name, value);
	plan_dma(&server, &channels, channels.nr, 2 * channels.nr);
	server.plan.retry = true;
	server.copy_errors = 0;
	fault_all(&channels, name, value);
	server_move(&server, &ctl, &req, &job);
	check_moved(&ctl, &target, &job, addr, BYTES, SEED);
	check(errors ? server.copy_errors >= errors : !server.copy_errors,
	      "%llu COPYs failed", (unsigned long long)server.copy_errors);
	fault_all(&channels, name, 0);
}

/* No mapping: nothing was in the engine's hands. */
static void unmappable(uint32_t order)
{
	struct job_req req = next_job(order);
	struct stats_info before, after;
	struct job_info job;

	step("%s, the first channel reaches nothing", order_name(order));
	must(ctl_stats(&ctl, &before));
	plan_dma(&server, &channels, channels.nr, 0);
	server.plan.retry = true;
	server.copy_errors = 0;
	fault_set(&channels, 0, "map_bits", 13);
	server_move(&server, &ctl, &req, &job);
	fault_set(&channels, 0, "map_bits", 32);
	check_moved(&ctl, &target, &job, addr, BYTES, SEED);
	check_eq(server.copy_errors, job.batches);
	must(ctl_stats(&ctl, &after));
	check_eq(after.quarantined_total, before.quarantined_total);
}

/*
 * A submit fails behind descriptors that do not interrupt: the COPY ends at
 * once, not when somebody happens to look at the channel.
 */
static void refused_half_way(uint32_t order)
{
	struct job_req req = next_job(order);
	struct job_info job;

	step("%s, a submit fails half-way on a quiet channel", order_name(order));
	plan_dma(&server, &channels, 1, 2);
	server.plan.retry = true;
	server.copy_errors = 0;
	fault_set(&channels, 0, "intr_only", 1);
	fault_set(&channels, 0, "submit_after", half_of_a_copy());
	fault_set(&channels, 0, "submit_fail", 1);
	server_move(&server, &ctl, &req, &job);
	check_moved(&ctl, &target, &job, addr, BYTES, SEED);
	check_eq(job.rescued, 0);
	check_eq(server.copy_errors, 1);
	fault_set(&channels, 0, "intr_only", 0);
}

/* Two COPYs of a batch: the second comes back, then the first. */
static void out_of_order(uint32_t order)
{
	struct job_req req = next_job(order);
	unsigned int slot;
	struct job_info job;
	/* The channel has descriptors for both. */
	const unsigned int part = 20;
	uint64_t id;

	step("%s, the second COPY comes back first", order_name(order));
	fault_set(&channels, 0, "lose_irq", 1);
	id = server_job(&server, &ctl, &req);
	slot = server_wait_batch(&server);
	server_copy(&server, slot, channels.id[0], 0, part);
	server_submit(&server);
	while (!fault_get(&channels, 0, "lost"))
		usleep(1000);
	server_copy(&server, slot, channels.id[0], part, part);
	check_eq(server_wait_copy(&server), part);
	check(server.slot[slot].copy[0].out, "the first COPY is back already");
	check(!server.slot[slot].copy[1].out, "the second COPY is not back");
	fault_set(&channels, 0, "lose_irq", 0);
	check_eq(server_wait_copy(&server), part);
	server_commit(&server, slot);
	plan_cpu(&server, 0);
	server_run(&server, &ctl, id);
	must(ctl_job(&ctl, id, &job));
	check_moved(&ctl, &target, &job, addr, BYTES, SEED);
	check_eq(job.rescued, 0);
}

int main(void)
{
	uint32_t order;

	must(ctl_open(&ctl, true));
	target_start(&target);
	server_open(&server, 2, 512);
	channels_claim(&ctl, &channels);

	for (order = MIGD_ORDER_COPY_FIRST; order <= MIGD_ORDER_STATE_FIRST; order++) {
		half_way(order, channels.nr);
		half_way(order, 4 * channels.nr);
		not_retried(order);
		switch_on(order, "prep_null", 70, 0);
		switch_on(order, "submit_fail", 1, channels.nr);
		switch_on(order, "gap_us", 500, 0);
		switch_on(order, "latency_us", 2000, 0);
		switch_on(order, "prep_room", 10, 0);
		switch_on(order, "reorder", 1, 0);
		fault_all(&channels, "prep_room", 10);
		switch_on(order, "intr_only", 1, 0);
		fault_all(&channels, "prep_room", 0);
		refused_half_way(order);
		if (on_machine("amd64-iommu"))
			unmappable(order);
		out_of_order(order);
		check_clean(&ctl);
	}
	target_stop(&target);
	server_close(&server);
	wait_idle(&ctl);
	check_clean(&ctl);
	return 0;
}
