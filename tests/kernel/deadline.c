// SPDX-License-Identifier: GPL-2.0
/*
 * A batch that nobody commits is ended by the module at its deadline: the CPU
 * copies what is not copied, and nobody waits longer than deadline and grace.
 */
#include <errno.h>
#include "fixture.h"

#define PAGES	512UL
#define BYTES	(PAGES * PAGE)
#define SEED	5
/* Beyond what a busy machine stalls for. */
#define DEADLINE_MS	1500

static struct ctl ctl;
static struct server server;
static struct target target;
static struct features_info features;
static uint64_t addr;
static int node;

/* How far the server comes before it forgets the batch. */
enum progress { NOTHING, HALF_COPIED, ALL_COPIED, PROGRESSES };

static void forgotten(uint32_t order, enum progress progress)
{
	static const char * const names[] = { "nothing", "half", "all" };
	struct stats_info before, after;
	const struct event *event;
	unsigned int slot, pages, pos = ctl.nr_events;
	uint64_t id, longest;
	struct migd_copy stale;
	struct job_info job;
	struct job_req req;

	step("%s, %s copied, no commit", order_name(order), names[progress]);
	node = 1 - node;
	req = job_for(&target, addr, BYTES, 1 - node, node, order);
	req.deadline_us = DEADLINE_MS * 1000;
	must(ctl_stats(&ctl, &before));
	touch_begin(&target, addr, BYTES);
	id = server_job(&server, &ctl, &req);
	slot = server_wait_batch(&server);
	/* All of them, or what a busy machine could lock in time. */
	pages = server.slot[slot].pages;
	check_eq(server.desc[slot].job, id);
	check_eq(server.desc[slot].order, order);
	check_eq(server.desc[slot].src_node, 1 - node);
	check_eq(server.desc[slot].dst_node, node);
	must(ctl_stats(&ctl, &after));
	check_eq(after.locked_pages, pages);
	if (progress != NOTHING) {
		server_copy(&server, slot, MIGD_ENGINE_CPU, 0,
			    progress == ALL_COPIED ? pages : pages / 2);
		check(server_wait_copy(&server) > 0, "COPY fails");
	}

	event = ctl_wait_event(&ctl, MIGD_CMD_BATCH_RESCUED_NTF, id, &pos);
	check_eq(event->cause, MIGD_RESCUE_CAUSE_DEADLINE);
	check_eq(event->moved, pages);
	check_eq(event->put_back, 0);

	/* The server finds out, and can fetch again. */
	stale = (struct migd_copy){ .slot = (uint16_t)slot, .count = 1,
				    .engine = MIGD_ENGINE_CPU,
				    .seq = server.slot[slot].seq };
	check_eq(server_raw(&server, MIGD_IO_COPY, &stale), -ESTALE);
	server_commit(&server, slot);
	do {
		struct answer answer;

		server_wait(&server, &answer);
		check_eq(answer.res, -ESTALE);
	} while (server.slot[slot].state != SLOT_IDLE);

	server_run(&server, &ctl, id);
	wait_job(&ctl, id, &job);
	longest = touch_end(&target, DEADLINE_MS + features.grace_ms, &job);
	check_moved(&ctl, &target, &job, addr, BYTES, SEED);
	check(job.rescued, "nothing was rescued");
	must(ctl_stats(&ctl, &after));
	check_eq(after.rescued_deadline, before.rescued_deadline + job.rescued);
	check_eq(after.rescued_server, before.rescued_server);

	check(job.blackout.largest >= DEADLINE_MS * 1000000ULL,
	      "the blackout was only %llu ns",
	      (unsigned long long)job.blackout.largest);
	check(longest >= DEADLINE_MS * 1000000ULL / 2,
	      "no write met the locked pages: the longest took %llu ns",
	      (unsigned long long)longest);
}

int main(void)
{
	enum progress progress;
	uint32_t order;

	must(ctl_open(&ctl, true));
	touch_setup();
	target_start(&target);
	addr = (uint64_t)target_call(&target, mem_new, BYTES, 0, SEED);
	server_open(&server, 1, PAGES);
	must(ctl_features(&ctl, &features));

	for (order = MIGD_ORDER_COPY_FIRST; order <= MIGD_ORDER_STATE_FIRST; order++)
		for (progress = NOTHING; progress < PROGRESSES; progress++)
			forgotten(order, progress);

	check_clean(&ctl);
	target_stop(&target);
	server_close(&server);
	wait_idle(&ctl);
	check_clean(&ctl);
	return 0;
}
