// SPDX-License-Identifier: GPL-2.0
/*
 * Engines that do not come back by the deadline. The pages are put back, their
 * copies quarantined, and what the engine writes later is never seen.
 */
#include <errno.h>
#include "fixture.h"

/* One chunk: locked as a whole, however slow the machine is. */
#define PAGES	64UL
#define BYTES	(PAGES * PAGE)
#define DEADLINE_MS	1000

static struct ctl ctl;
static struct server server;
static struct target target;
static struct channels channels;
static uint64_t addr, seed = 1;

/* The process goes on with its memory: new values at the source. */
static int64_t rewrite(uint64_t at, uint64_t bytes, uint64_t value)
{
	mem_fill((void *)(uintptr_t)at, bytes, value);
	return 0;
}

static void check_quarantined(uint64_t pages)
{
	struct channel_info info;
	struct stats_info stats;

	must(ctl_stats(&ctl, &stats));
	check_eq(stats.quarantined_pages, pages);
	check_eq(stats.locked_pages, 0);
	channel_info(&ctl, channels.id[0], &info);
	check_eq(info.quarantined, pages);
	check_eq(info.in_flight, pages ? 1 : 0);
}

/* A COPY whose descriptors do not come back, up to its end as -ETIME. */
static uint64_t stuck_copy(uint32_t order)
{
	struct job_req req = job_for(&target, addr, BYTES, 0, 1, order);
	unsigned int slot, pos = ctl.nr_events;
	struct stats_info before, after;
	const struct event *event;
	uint64_t id;

	req.deadline_us = DEADLINE_MS * 1000;
	must(ctl_stats(&ctl, &before));
	id = server_job(&server, &ctl, &req);
	slot = server_wait_batch(&server);
	check_eq(server.slot[slot].pages, PAGES);
	server_copy(&server, slot, channels.id[0], 0, PAGES);
	server_submit(&server);
	server_commit(&server, slot);
	check_eq(server_raw(&server, MIGD_IO_FETCH,
			    &(struct migd_fetch){ .slot = (uint16_t)slot }), -EBUSY);
	/* The answers: the commit was too early, then the deadline. */
	check_eq(server.slot[slot].state, SLOT_BATCH);
	check_eq(server_wait_copy(&server), -ETIME);
	server.slot[slot].state = SLOT_IDLE;

	event = ctl_wait_event(&ctl, MIGD_CMD_BATCH_RESCUED_NTF, id, &pos);
	check_eq(event->cause, MIGD_RESCUE_CAUSE_DEADLINE);
	check_eq(event->moved, 0);
	check_eq(event->put_back, PAGES);
	must(ctl_stats(&ctl, &after));
	check_eq(after.rescued_deadline, before.rescued_deadline + 1);
	check_eq(after.quarantined_total, before.quarantined_total + PAGES);
	check_eq(after.undone - before.undone,
		 order == MIGD_ORDER_STATE_FIRST ? PAGES : 0);
	return id;
}

static void late(uint32_t order, const char *name, long value)
{
	struct migd_copy busy = { .count = 1 };
	unsigned int slot, pos = ctl.nr_events;
	const struct event *event;
	struct channel_info info;
	struct job_info job;
	uint64_t id;

	step("%s, %s", order_name(order), name);
	fault_set(&channels, 0, name, value);
	id = stuck_copy(order);
	event = ctl_wait_event(&ctl, MIGD_CMD_QUARANTINE_NTF, channels.id[0], &pos);
	check_eq(event->quarantined, PAGES);
	check_quarantined(PAGES);
	channel_info(&ctl, channels.id[0], &info);
	check_eq(info.state, MIGD_CHANNEL_STATE_QUARANTINED);
	check_eq(ctl_release(&ctl, channels.id[0]), -EBUSY);
	check_memory(&target, addr, BYTES, 0, seed);

	/* The job comes back to the pages; the channel takes nothing now. */
	server_fetch_all(&server);
	slot = server_wait_batch(&server);
	busy.slot = (uint16_t)slot;
	busy.engine = channels.id[0];
	busy.seq = server.slot[slot].seq;
	check_eq(server_raw(&server, MIGD_IO_COPY, &busy), -EBUSY);
	plan_cpu(&server, 0);
	server_start_batch(&server, slot);
	server_run(&server, &ctl, id);
	must(ctl_job(&ctl, id, &job));
	check_eq(job.rescued, 1);
	check(job.passes > 1, "the job did not come back");
	check_eq(job.outcome, MIGD_OUTCOME_MOVED);
	check_memory(&target, addr, BYTES, 1, seed);

	seed++;
	target_call(&target, rewrite, addr, BYTES, seed);
	check_quarantined(PAGES);
	fault_set(&channels, 0, name, 0);
	event = ctl_wait_event(&ctl, MIGD_CMD_QUARANTINE_NTF, channels.id[0], &pos);
	check_eq(event->quarantined, 0);
	check_quarantined(0);
	channel_info(&ctl, channels.id[0], &info);
	check_eq(info.state, MIGD_CHANNEL_STATE_READY);
	check_memory(&target, addr, BYTES, 1, seed);
	move_by_kernel(target.pid, addr, BYTES, 0);
	check_memory(&target, addr, BYTES, 0, seed);
}

/* Only the quarantine is left: it alone keeps the module. */
static void alone(uint32_t order, const char *name, long value)
{
	struct job_info job;
	unsigned int pos;
	uint64_t id;

	step("%s, %s, and the server goes", order_name(order), name);
	fault_set(&channels, 0, name, value);
	id = stuck_copy(order);
	must(ctl_cancel(&ctl, id));
	wait_job(&ctl, id, &job);
	check_eq(job.outcome, MIGD_OUTCOME_CANCELLED);
	/* Cancelled in the second pass, which had not come to them. */
	check_eq(job.left[MIGD_REASON_PUT_BACK] + job.left[MIGD_REASON_UNREACHED],
		 PAGES);
	seed++;
	target_call(&target, rewrite, addr, BYTES, seed);
	pos = ctl.nr_events;
	server_close(&server);
	ctl_wait_event(&ctl, MIGD_CMD_SERVER_LOST_NTF, 0, &pos);
	wait_idle(&ctl);
	check(module_refs() > 0, "nothing keeps the module");
	check_module_busy("pages in quarantine");

	fault_set(&channels, 0, name, 0);
	ctl_wait_event(&ctl, MIGD_CMD_QUARANTINE_NTF, channels.id[0], &pos);
	check_clean(&ctl);
	check_memory(&target, addr, BYTES, 0, seed);
	server_open(&server, 1, PAGES);
	channels_claim(&ctl, &channels);
}

static bool channel_is_free(void *arg)
{
	struct stats_info stats;

	must(ctl_stats(arg, &stats));
	return !stats.quarantined_pages;
}

/* A channel that never has a descriptor: nothing is out, nothing to keep. */
static void no_descriptor(uint32_t order)
{
	struct job_info job;
	uint64_t id;
	struct job_req req = job_for(&target, addr, BYTES, 0, 1, order);
	unsigned int slot;

	step("%s, no descriptor until the deadline", order_name(order));
	fault_set(&channels, 0, "prep_null", -1);
	req.deadline_us = DEADLINE_MS * 1000;
	id = server_job(&server, &ctl, &req);
	slot = server_wait_batch(&server);
	server_copy(&server, slot, channels.id[0], 0, PAGES);
	check_eq(server_wait_copy(&server), -ETIME);
	server.slot[slot].state = SLOT_IDLE;
	fault_set(&channels, 0, "prep_null", 0);
	/* It looks for a descriptor once more before it gives up. */
	wait_until(channel_is_free, &ctl, "no page in quarantine");
	plan_dma(&server, &channels, 1, 0);
	server_run(&server, &ctl, id);
	must(ctl_job(&ctl, id, &job));
	check_eq(job.outcome, MIGD_OUTCOME_MOVED);
	check_memory(&target, addr, BYTES, 1, seed);
	move_by_kernel(target.pid, addr, BYTES, 0);
}

/*
 * The deadline cuts off a COPY behind a descriptor that does not interrupt, and
 * the channel tells of that only when it is asked.
 */
static void silent(uint32_t order)
{
	unsigned int pos = ctl.nr_events;
	const struct event *event;
	struct job_info job;
	uint64_t id;

	step("%s, cut off behind a silent descriptor", order_name(order));
	fault_set(&channels, 0, "prep_room", 10);
	fault_set(&channels, 0, "intr_only", 1);
	fault_set(&channels, 0, "late_write", 1);
	id = stuck_copy(order);
	must(ctl_cancel(&ctl, id));
	wait_job(&ctl, id, &job);
	check_quarantined(PAGES);
	fault_set(&channels, 0, "late_write", 0);
	do
		event = ctl_wait_event(&ctl, MIGD_CMD_QUARANTINE_NTF,
				       channels.id[0], &pos);
	while (event->quarantined);
	check_quarantined(0);
	check_memory(&target, addr, BYTES, 0, seed);
	fault_set(&channels, 0, "prep_room", 0);
	fault_set(&channels, 0, "intr_only", 0);
}

int main(void)
{
	uint32_t order;

	must(ctl_open(&ctl, true));
	target_start(&target);
	addr = (uint64_t)target_call(&target, mem_new_scattered, BYTES, 0, seed);
	server_open(&server, 1, PAGES);
	channels_claim(&ctl, &channels);

	for (order = MIGD_ORDER_COPY_FIRST; order <= MIGD_ORDER_STATE_FIRST; order++) {
		/* An answer that a provider without terminate gives. */
		fault_set(&channels, 0, "no_terminate", order);
		late(order, "late_write", 1);
		late(order, "hold", 1);
		late(order, "lose_irq", -1);
		alone(order, "late_write", 1);
		alone(order, "lose_irq", -1);
		silent(order);
		no_descriptor(order);
		check_clean(&ctl);
	}
	fault_set(&channels, 0, "no_terminate", 0);
	target_stop(&target);
	server_close(&server);
	wait_idle(&ctl);
	check_clean(&ctl);
	return 0;
}
