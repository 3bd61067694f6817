// SPDX-License-Identifier: GPL-2.0
/*
 * The destination node fills up in the middle of a job: what has gone has gone,
 * the rest stays for want of memory, and goes when there is room again. The
 * target writes and checks all the while.
 */
#include <stdio.h>
#include "filler.h"
#include "fixture.h"
#include "hammer.h"

#define PAGES	4096UL
#define BYTES	(PAGES * PAGE)
#define BATCH	256
#define RANGE	64UL

static struct ctl ctl;
static struct server server;
static struct target target;
static struct filler filler;
static uint64_t addr;

/* Some may still find a page, and have moved with the @there that are on node 1. */
static void check_rest(const struct job_info *job, long there)
{
	check_sum(job);
	printf("        %llu moved, %llu without memory\n",
	       (unsigned long long)job->moved,
	       (unsigned long long)job->left[MIGD_REASON_NO_MEMORY]);
	check_eq(job->outcome, job->moved ? MIGD_OUTCOME_PARTLY : MIGD_OUTCOME_FAILED);
	check(job->left[MIGD_REASON_NO_MEMORY], "all pages found room");
	check_eq(job->moved + there, pages_on(target.pid, addr, BYTES, 1));
	check_clean(&ctl);
}

/* All of it or none, where single pages may still be found. */
static void atomic_range(void)
{
	uint64_t at = addr + BYTES - RANGE * PAGE;
	long there = pages_on(target.pid, at, RANGE * PAGE, 1), wanted;
	struct job_req req = job_for(&target, at, RANGE * PAGE, 0, 1, MIGD_ORDER_COPY_FIRST);
	struct job_info job;

	req.flags = MIGD_JOB_FLAG_ATOMIC;
	wanted = (long)RANGE - there;
	server_move(&server, &ctl, &req, &job);
	check_sum(&job);
	if (job.moved) {
		check_eq(job.moved, wanted);
	} else {
		check_eq(job.left[MIGD_REASON_NO_MEMORY], wanted);
		check_eq(pages_on(target.pid, at, RANGE * PAGE, 1), there);
	}
}

static void fills_up(void)
{
	struct job_req req = job_for(&target, addr, BYTES, 0, 1, MIGD_ORDER_COPY_FIRST);
	unsigned int slot, locked;
	struct job_info job;
	uint64_t id;

	step("the destination fills up under a batch");
	req.batch_pages = BATCH;
	id = server_job(&server, &ctl, &req);
	slot = server_wait_batch(&server);
	locked = server.slot[slot].pages;
	server_commit(&server, slot);
	slot = server_wait_batch(&server);
	locked += server.slot[slot].pages;
	node_fill(&filler);
	server_run(&server, &ctl, id);
	must(ctl_job(&ctl, id, &job));
	check(job.moved >= locked, "%llu pages moved, %u were locked before",
	      (unsigned long long)job.moved, locked);
	check_rest(&job, 0);
}

static void state_first(bool room)
{
	struct job_req req = job_for(&target, addr, BYTES, 0, 1, MIGD_ORDER_STATE_FIRST);
	long there = pages_on(target.pid, addr, BYTES, 1);
	struct job_info job;

	req.batch_pages = BATCH;
	server_move(&server, &ctl, &req, &job);
	if (!room) {
		check_rest(&job, there);
		return;
	}
	check_sum(&job);
	check_eq(job.outcome, MIGD_OUTCOME_MOVED);
	check_eq(pages_on(target.pid, addr, BYTES, 1), PAGES);
	check_clean(&ctl);
}

int main(void)
{
	struct hammer *hammer = shared_page();

	must(ctl_open(&ctl, true));
	target_start(&target);
	filler_start(&filler);
	addr = (uint64_t)target_call(&target, hammer_new, PAGES, 0, 0);
	server_open(&server, 1, BATCH);
	hammer_begin(&target, hammer);
	fills_up();
	step("an atomic range on the full node");
	atomic_range();
	step("state-first on the full node");
	state_first(false);
	step("there is room again");
	node_empty(&filler);
	state_first(true);
	hammer_end(&target, hammer);
	check(hammer->rounds, "the target has not written");
	filler_stop(&filler);
	target_stop(&target);
	server_close(&server);
	wait_idle(&ctl);
	check_clean(&ctl);
	return 0;
}
