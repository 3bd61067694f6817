// SPDX-License-Identifier: GPL-2.0
/*
 * What an engine has reported an error on is spoiled: nobody copies to it any
 * more, it is put back with its batch, and its destination stays in quarantine
 * until the channel is known to be quiet.
 */
#include <errno.h>
#include "fixture.h"

#define PAGES	512UL
#define PART	(PAGES / 2)
#define BYTES	(PAGES * PAGE)
/* The most pages of failed COPYs that a channel may hold. */
#define MOST	4096UL

static struct ctl ctl;
static struct server server;
static struct target target;
static struct channels channels;
static uint64_t addr, seed = 1;

static uint64_t quarantined(void)
{
	struct stats_info stats;
	struct channel_info info;

	must(ctl_stats(&ctl, &stats));
	channel_info(&ctl, channels.id[0], &info);
	check_eq(info.quarantined, stats.quarantined_pages);
	return stats.quarantined_pages;
}

static void check_state(unsigned int state)
{
	struct channel_info info;

	channel_info(&ctl, channels.id[0], &info);
	check_eq(info.state, state);
	check_eq(info.in_flight, 0);
}

/* A batch, the first part of which gets an error on the channel. */
static uint64_t spoil(uint32_t order, unsigned int *ret_slot)
{
	struct job_req req = job_for(&target, addr, BYTES, 0, 1, order);
	uint64_t id = server_job(&server, &ctl, &req);

	*ret_slot = server_wait_batch(&server);
	check_eq(server.slot[*ret_slot].pages, PAGES);
	fault_set(&channels, 0, "fail_after", 0);
	server_copy(&server, *ret_slot, channels.id[0], 0, PART);
	check_eq(server_wait_copy(&server), -EIO);
	check_state(MIGD_CHANNEL_STATE_FAULTED);
	check_eq(quarantined(), 0);
	/* Not the CPU, not another channel, not the same. */
	server_copy(&server, *ret_slot, MIGD_ENGINE_CPU, 0, PART);
	check_eq(server_wait_copy(&server), -EIO);
	server_copy(&server, *ret_slot, channels.id[1], PART - 1, 1);
	check_eq(server_wait_copy(&server), -EIO);
	server_copy(&server, *ret_slot, MIGD_ENGINE_CPU, PART, PART);
	check_eq(server_wait_copy(&server), PART);
	return id;
}

/* Serves the rest on the CPU: the spoiled pages come again, with others. */
static void finish_job(uint64_t id)
{
	struct job_info job;

	plan_cpu(&server, 0);
	server_run(&server, &ctl, id);
	must(ctl_job(&ctl, id, &job));
	check(job.passes > 1 && job.batches > 1, "they did not come again");
	check_eq(job.rescued, 0);
	check_moved(&ctl, &target, &job, addr, BYTES, seed);
}

static void back_to_source(void)
{
	move_by_kernel(target.pid, addr, BYTES, 0);
	check_memory(&target, addr, BYTES, 0, seed);
}

/* A later COPY succeeds: the engine is through with what was before. */
static void until_success(uint32_t order)
{
	struct job_req req = job_for(&target, addr, BYTES, 0, 1, order);
	struct stats_info before, after;
	const struct event *event;
	struct job_info job;
	unsigned int slot, pos = ctl.nr_events;
	uint64_t id;

	step("%s, until a COPY succeeds", order_name(order));
	must(ctl_stats(&ctl, &before));
	id = spoil(order, &slot);
	server_commit(&server, slot);
	finish_job(id);
	/* Earlier quarantines may be told of first. */
	do
		event = ctl_wait_event(&ctl, MIGD_CMD_QUARANTINE_NTF,
				       channels.id[0], &pos);
	while (event->quarantined != PART);
	check_eq(quarantined(), PART);
	check_state(MIGD_CHANNEL_STATE_FAULTED);
	must(ctl_stats(&ctl, &after));
	check_eq(after.quarantined_total, before.quarantined_total + PART);
	check_eq(after.undone - before.undone,
		 order == MIGD_ORDER_STATE_FIRST ? PART : 0);
	back_to_source();

	plan_dma(&server, &channels, 1, 1);
	server_move(&server, &ctl, &req, &job);
	check_moved(&ctl, &target, &job, addr, BYTES, seed);
	event = ctl_wait_event(&ctl, MIGD_CMD_QUARANTINE_NTF, channels.id[0], &pos);
	check_eq(event->quarantined, 0);
	check_eq(quarantined(), 0);
	check_state(MIGD_CHANNEL_STATE_READY);
	back_to_source();
}

/* It succeeds before the batch has ended: there is nothing to keep. */
static void within_batch(uint32_t order)
{
	struct stats_info before, after;
	struct job_req req = job_for(&target, addr, BYTES, 0, 1, order);
	unsigned int slot;
	uint64_t id;

	step("%s, until a COPY of the same batch succeeds", order_name(order));
	must(ctl_stats(&ctl, &before));
	id = server_job(&server, &ctl, &req);
	slot = server_wait_batch(&server);
	fault_set(&channels, 0, "fail_after", 0);
	server_copy(&server, slot, channels.id[0], 0, PART);
	check_eq(server_wait_copy(&server), -EIO);
	server_copy(&server, slot, channels.id[0], PART, PART);
	check_eq(server_wait_copy(&server), PART);
	server_commit(&server, slot);
	finish_job(id);
	must(ctl_stats(&ctl, &after));
	check_eq(after.quarantined_total, before.quarantined_total);
	check_eq(quarantined(), 0);
	back_to_source();
}

/* Without a client the provider stops its hardware. */
static void until_release(uint32_t order)
{
	unsigned int slot;
	uint64_t id;

	step("%s, until the release", order_name(order));
	id = spoil(order, &slot);
	server_commit(&server, slot);
	finish_job(id);
	check_eq(quarantined(), PART);
	must(ctl_release(&ctl, channels.id[0]));
	wait_idle(&ctl);
	check_clean(&ctl);
	channels_claim(&ctl, &channels);
	back_to_source();
}

static bool is_faulted(void *arg)
{
	struct channel_info info;

	(void)arg;
	channel_info(&ctl, channels.id[0], &info);
	return info.state == MIGD_CHANNEL_STATE_FAULTED;
}

/* The error comes after the deadline. */
static void overdue(uint32_t order)
{
	struct job_req req = job_for(&target, addr, BYTES, 0, 1, order);
	struct job_info job;
	unsigned int slot, pages;
	uint64_t id;

	step("%s, an error after the deadline", order_name(order));
	req.deadline_us = 500000;
	fault_set(&channels, 0, "late_write", 1);
	fault_set(&channels, 0, "fail_after", 0);
	id = server_job(&server, &ctl, &req);
	slot = server_wait_batch(&server);
	/* A busy machine may lock less in the time for it. */
	pages = server.slot[slot].pages;
	server_copy(&server, slot, channels.id[0], 0, pages);
	check_eq(server_wait_copy(&server), -ETIME);
	server.slot[slot].state = SLOT_IDLE;
	must(ctl_cancel(&ctl, id));
	wait_job(&ctl, id, &job);
	check_eq(quarantined(), pages);
	fault_set(&channels, 0, "late_write", 0);
	wait_until(is_faulted, NULL, "the COPY is back");
	/* But the channel is not known to be quiet. */
	check_eq(quarantined(), pages);
	check_state(MIGD_CHANNEL_STATE_FAULTED);
	check_memory(&target, addr, BYTES, 0, seed);

	req.deadline_us = 20000000;
	plan_dma(&server, &channels, 1, 1);
	server_move(&server, &ctl, &req, &job);
	check_moved(&ctl, &target, &job, addr, BYTES, seed);
	check_eq(quarantined(), 0);
	back_to_source();
}

/* A channel that only fails may not take all memory. */
static void at_most(uint32_t order)
{
	struct job_req req = job_for(&target, addr, BYTES, 0, 1, order);
	unsigned int slot, n;
	struct job_info job;
	uint64_t id;

	step("%s, a channel that only fails", order_name(order));
	fault_set(&channels, 0, "fail_count", -1);
	fault_set(&channels, 0, "fail_after", 0);
	for (n = 0; quarantined() <= MOST; n += PAGES) {
		check(n <= MOST, "%u pages, and the channel takes more", n);
		check_eq(quarantined(), n);
		id = server_job(&server, &ctl, &req);
		slot = server_wait_batch(&server);
		server_copy(&server, slot, channels.id[0], 0, PAGES);
		check_eq(server_wait_copy(&server), -EIO);
		must(ctl_cancel(&ctl, id));
		server_commit(&server, slot);
		server_submit(&server);
		wait_job(&ctl, id, &job);
		check_eq(job.moved, 0);
	}
	check_state(MIGD_CHANNEL_STATE_QUARANTINED);
	id = server_job(&server, &ctl, &req);
	slot = server_wait_batch(&server);
	server_copy(&server, slot, channels.id[0], 0, PAGES);
	check_eq(server_wait_copy(&server), -EBUSY);
	plan_cpu(&server, 0);
	server_start_batch(&server, slot);
	server_run(&server, &ctl, id);
	check_memory(&target, addr, BYTES, 1, seed);
	fault_set(&channels, 0, "fail_after", -1);
	fault_set(&channels, 0, "fail_count", 1);
	must(ctl_release(&ctl, channels.id[0]));
	wait_idle(&ctl);
	check_clean(&ctl);
	channels_claim(&ctl, &channels);
	back_to_source();
}

int main(void)
{
	uint32_t order;

	must(ctl_open(&ctl, true));
	target_start(&target);
	addr = (uint64_t)target_call(&target, mem_new, BYTES, 0, seed);
	server_open(&server, 1, PAGES);
	channels_claim(&ctl, &channels);

	for (order = MIGD_ORDER_COPY_FIRST; order <= MIGD_ORDER_STATE_FIRST; order++) {
		until_success(order);
		within_batch(order);
		until_release(order);
		overdue(order);
		at_most(order);
		check_clean(&ctl);
	}
	target_stop(&target);
	server_close(&server);
	wait_idle(&ctl);
	check_clean(&ctl);
	return 0;
}
