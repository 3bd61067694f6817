// SPDX-License-Identifier: GPL-2.0
/*
 * Jobs that are verified. Sound engines change nothing; an engine that calls a
 * wrong copy complete is found out before the process sees it, and serves no
 * more until it has been released and claimed again.
 */
#include <errno.h>
#include "fixture.h"

#define PAGES	1024UL
#define BYTES	(PAGES * PAGE)
#define SEED	29
#define MAX_LIES	3

static struct ctl ctl;
static struct server server;
static struct target target;
static struct channels channels;
static uint64_t addr;

static struct job_req request(int to, uint32_t order)
{
	struct job_req req = job_for(&target, addr, BYTES, 1 - to, to, order);

	req.flags = MIGD_JOB_FLAG_VERIFY;
	return req;
}

static void sound(uint32_t order, const char *how)
{
	struct stats_info before, after;
	struct job_info job;
	struct job_req req;
	int to;

	for (to = 1; to >= 0; to--) {
		step("%s, %s, to node %d", order_name(order), how, to);
		req = request(to, order);
		must(ctl_stats(&ctl, &before));
		server_move(&server, &ctl, &req, &job);
		check_eq(job.flags, MIGD_JOB_FLAG_VERIFY);
		check_moved(&ctl, &target, &job, addr, BYTES, SEED);
		must(ctl_stats(&ctl, &after));
		check_eq(after.verify_failed, before.verify_failed);
		check_eq(after.quarantined_total, before.quarantined_total);
	}
	check_clean(&ctl);
}

static bool out_of_quarantine(void *arg)
{
	struct stats_info stats;

	(void)arg;
	must(ctl_stats(&ctl, &stats));
	return !stats.quarantined_pages;
}

/* Behind an IOMMU a COPY is one descriptor, and the first lie is the last. */
static unsigned int lies(void)
{
	return on_machine("amd64-iommu") ? 1 : MAX_LIES;
}

/* The first descriptors of channel 0 lie; of each one page is wrong. */
static void lie(uint32_t order)
{
	struct channel_info before, info;
	struct stats_info stats, after;
	unsigned int pos = ctl.nr_events;
	const struct event *event;
	struct job_info job;
	struct job_req req;
	struct migd_copy copy;
	unsigned int slot, n = lies();
	uint64_t id;
	uint32_t again;

	step("%s, channel 0 lies", order_name(order));
	target_call(&target, mem_free, addr, BYTES, 0);
	addr = (uint64_t)target_call(&target, mem_new_scattered, BYTES, 0, SEED);
	must(ctl_stats(&ctl, &stats));
	channel_info(&ctl, channels.id[0], &before);
	fault_set(&channels, 0, "corrupt", n);
	plan_dma(&server, &channels, channels.nr, 0);
	server.plan.retry = true;
	req = request(1, order);
	server_move(&server, &ctl, &req, &job);
	check_eq(fault_get(&channels, 0, "corrupt"), 0);
	check_eq(job.left[MIGD_REASON_VERIFY_FAILED], n);
	check_eq(job.moved, PAGES - n);
	check_eq(job.outcome, MIGD_OUTCOME_PARTLY);
	check_eq(pages_on(target.pid, addr, BYTES, 1), PAGES - n);
	check_eq(pages_on(target.pid, addr, BYTES, 0), n);
	check_eq(target_call(&target, mem_wrong, addr, BYTES, SEED), 0);

	channel_info(&ctl, channels.id[0], &info);
	check_eq(info.state, MIGD_CHANNEL_STATE_DISABLED);
	check(info.errors >= before.errors + n, "%llu errors",
	      (unsigned long long)(info.errors - before.errors));
	must(ctl_stats(&ctl, &after));
	check_eq(after.verify_failed, stats.verify_failed + n);
	check_eq(after.quarantined_pages, n);
	check_eq(after.quarantined_total, stats.quarantined_total + n);
	event = ctl_event(&ctl, MIGD_CMD_ENGINE_FAULT_NTF, channels.id[0], &pos);
	check(event, "no engine-fault event");
	check_eq(event->error, EILSEQ);

	step("%s, it is not used any more", order_name(order));
	req = request(1, order);
	plan_cpu(&server, 0);
	id = server_job(&server, &ctl, &req);
	slot = server_wait_batch(&server);
	check_eq(server.slot[slot].pages, n);
	copy = (struct migd_copy){ .slot = (uint16_t)slot, .count = n,
				   .engine = channels.id[0],
				   .seq = server.slot[slot].seq };
	check_eq(server_raw(&server, MIGD_IO_COPY, &copy), -EBUSY);
	server_run(&server, &ctl, id);
	must(ctl_job(&ctl, id, &job));
	check_eq(job.moved, n);
	check_memory(&target, addr, BYTES, 1, SEED);

	step("%s, released and claimed again", order_name(order));
	check_eq(ctl_release(&ctl, channels.id[0]), 0);
	wait_until(out_of_quarantine, NULL, "the quarantine is empty");
	check_eq(ctl_claim(&ctl, channels.name[0], &again), 0);
	channels.id[0] = (uint16_t)again;
	channel_info(&ctl, again, &info);
	check_eq(info.state, MIGD_CHANNEL_STATE_READY);
	plan_dma(&server, &channels, 1, 0);
	req = request(0, order);
	server_move(&server, &ctl, &req, &job);
	check_moved(&ctl, &target, &job, addr, BYTES, SEED);
	check_clean(&ctl);
}

int main(void)
{
	uint32_t order;

	must(ctl_open(&ctl, true));
	target_start(&target);
	server_open(&server, 2, 256);
	channels_claim(&ctl, &channels);
	addr = (uint64_t)target_call(&target, mem_new, BYTES, 0, SEED);

	for (order = MIGD_ORDER_COPY_FIRST; order <= MIGD_ORDER_STATE_FIRST; order++) {
		plan_cpu(&server, 3);
		sound(order, "CPU");
		server.plan.nr_engines = 0;
		sound(order, "commit without COPY");
		plan_dma(&server, &channels, channels.nr, 0);
		sound(order, "striped");
		/* zynqmp_dma has no switch that makes it lie. */
		if (on_machine("amd64"))
			lie(order);
	}
	target_stop(&target);
	server_close(&server);
	wait_idle(&ctl);
	check_clean(&ctl);
	return 0;
}
