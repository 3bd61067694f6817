// SPDX-License-Identifier: GPL-2.0
/*
 * Jobs as the control plane sees them: cancelled in mid-flight, kept to a rate,
 * to the cap on locked pages, listed, told of in events, and what becomes of one
 * whose target goes.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include "fixture.h"

#define PAGES	2048UL
#define BYTES	(PAGES * PAGE)
#define BATCH	128U
#define SEED	13
#define KEPT	64
#define KEPT_BATCH	32	/* less than the share of a rate that one may be */

static struct ctl ctl;
static struct server server;
static struct target target;
static uint64_t addr;

static struct job_req request(uint32_t order)
{
	return job_for(&target, addr, BYTES, 0, 1, order);
}

static void put_back(void)
{
	move_by_kernel(target.pid, addr, BYTES, 0);
	check_memory(&target, addr, BYTES, 0, SEED);
}

/* Batches in flight end as usual; then the job has ended, and all add up. */
static void cancelled(uint32_t order)
{
	struct job_req req = request(order);
	struct answer answer;
	struct job_info job;
	unsigned int i, slot = 0;
	uint64_t id;

	step("%s, cancelled with batches in flight", order_name(order));
	id = server_job(&server, &ctl, &req);
	for (i = 0; i < server.nr_slots; i++)
		slot = server_wait_batch(&server);
	must(ctl_cancel(&ctl, id));
	must(ctl_job(&ctl, id, &job));
	check_eq(job.state, MIGD_JOB_STATE_RUNNING);
	/* One batch is copied, the others are committed as they are. */
	server_copy(&server, slot, MIGD_ENGINE_CPU, 0, BATCH);
	check_eq(server_wait_copy(&server), BATCH);
	for (i = 0; i < server.nr_slots; i++)
		server_commit(&server, i);
	server_submit(&server);
	wait_job(&ctl, id, &job);
	check_eq(job.outcome, MIGD_OUTCOME_CANCELLED);
	check_eq(job.moved, server.nr_slots * BATCH);
	check_eq(job.left[MIGD_REASON_UNREACHED], PAGES - job.moved);
	check_eq(pages_on(target.pid, addr, BYTES, 1), (long)job.moved);
	/* The slots are parked again; nothing may come to them. */
	check(!server_reap(&server, &answer), "a batch of a cancelled job");
	put_back();
}

static void rate(void)
{
	struct job_req req = request(MIGD_ORDER_COPY_FIRST);
	struct job_info job;
	uint64_t least;

	step("4 MiB each second");
	req.max_rate = 4 << 20;
	req.batch_pages = KEPT_BATCH;
	server_move(&server, &ctl, &req, &job);
	check_moved(&ctl, &target, &job, addr, BYTES, SEED);
	check_eq(job.max_rate, req.max_rate);
	check_eq(job.batch_pages, req.batch_pages);
	check(job.batches >= PAGES / KEPT_BATCH, "%llu batches",
	      (unsigned long long)job.batches);
	/* What is made up for after a late wakeup is no more than a batch. */
	least = (PAGES - KEPT_BATCH) * PAGE * 1000000000ULL / req.max_rate;
	check(job.elapsed_ns >= least * 9 / 10, "%llu ms, not %llu",
	      (unsigned long long)job.elapsed_ns / 1000000,
	      (unsigned long long)least / 1000000);
	put_back();
}

static void cap(void)
{
	struct job_req req = request(MIGD_ORDER_COPY_FIRST);
	struct stats_info stats;
	uint32_t locked, wait;
	struct job_info job;
	struct answer answer;
	uint64_t id;
	unsigned int pos = 0;

	must(ctl_config_get(&ctl, &locked, &wait));
	step("a cap of two batches");
	must(ctl_config_set(&ctl, 2 * BATCH, 0));
	id = server_job(&server, &ctl, &req);
	server_wait_batch(&server);
	server_wait_batch(&server);
	/* Longer than the module takes for the next, were there one. */
	server_fetch_all(&server);
	usleep(200000);
	check(!server_reap(&server, &answer), "a third batch");
	must(ctl_stats(&ctl, &stats));
	check_eq(stats.locked_pages, 2 * BATCH);
	step("a cap below one batch");
	must(ctl_config_set(&ctl, BATCH / 2, 0));
	server_run(&server, &ctl, id);
	must(ctl_job(&ctl, id, &job));
	check_moved(&ctl, &target, &job, addr, BYTES, SEED);
	check(ctl_event(&ctl, MIGD_CMD_JOB_PROGRESS_NTF, id, &pos),
	      "no progress event");
	put_back();
	must(ctl_config_set(&ctl, locked, wait));
}

static void listed(void)
{
	static struct job_info all[2 * KEPT + 8];
	struct job_req req = request(MIGD_ORDER_COPY_FIRST);
	const struct event *event;
	unsigned int pos = ctl.nr_events;
	uint64_t id = 0;
	int n, i;

	step("%d done jobs are kept, and listed in a dump", KEPT);
	req.range[0].end = addr + PAGE;
	for (i = 0; i < KEPT + 6; i++) {
		server_fetch_all(&server);
		must(-!!ctl_submit(&ctl, &req, &id));
		server_run(&server, &ctl, id);
		event = ctl_wait_event(&ctl, MIGD_CMD_JOB_DONE_NTF, id, &pos);
		check_eq(event->state, MIGD_JOB_STATE_DONE);
		check_eq(event->outcome, MIGD_OUTCOME_MOVED);
	}
	n = (int)must(ctl_jobs(&ctl, all, 2 * KEPT + 8));
	check_eq(n, KEPT);
	check_eq(all[n - 1].id, id);
	for (i = 0; i < n; i++) {
		check_eq(all[i].id, id - KEPT + 1 + (uint64_t)i);
		check_eq(all[i].pid, target.pid);
		check_eq(all[i].start_time, target.start_time);
		check_eq(all[i].from, 0);
		check_eq(all[i].to, 1);
		check(all[i].comm[0], "a job without a name");
	}
	check_eq(ctl_job(&ctl, id - KEPT, &all[0]), -ENOENT);
	put_back();
}

/* Several jobs at once, two of them over the same memory. */
static void together(void)
{
	struct target other;
	struct job_info job;
	struct job_req req;
	uint64_t id[3], at;
	int i;

	step("three jobs at once");
	target_start(&other);
	at = (uint64_t)target_call(&other, mem_new, BYTES, 0, SEED);
	for (i = 0; i < 3; i++) {
		req = i ? request(MIGD_ORDER_COPY_FIRST) :
			job_for(&other, at, BYTES, 0, 1, MIGD_ORDER_STATE_FIRST);
		must(-!!ctl_submit(&ctl, &req, &id[i]));
	}
	for (i = 0; i < 3; i++) {
		server_run(&server, &ctl, id[i]);
		must(ctl_job(&ctl, id[i], &job));
		check_eq(job.outcome, MIGD_OUTCOME_MOVED);
	}
	check_memory(&other, at, BYTES, 1, SEED);
	check_memory(&target, addr, BYTES, 1, SEED);
	target_stop(&other);
	put_back();
}

/* The target dies with a batch locked: it is gone when the batch has ended. */
static void gone(uint32_t order)
{
	struct target victim;
	struct job_info job;
	struct job_req req;
	uint64_t at, id;

	step("%s, the target is killed", order_name(order));
	target_start(&victim);
	at = (uint64_t)target_call(&victim, mem_new, BYTES, 0, SEED);
	req = job_for(&victim, at, BYTES, 0, 1, order);
	id = server_job(&server, &ctl, &req);
	server_wait_batch(&server);
	must(kill(victim.pid, SIGKILL));
	server_run(&server, &ctl, id);
	must(ctl_job(&ctl, id, &job));
	/* It may have been faster than its death. */
	check(job.outcome == MIGD_OUTCOME_TARGET_GONE ||
	      job.outcome == MIGD_OUTCOME_MOVED, "outcome %u", job.outcome);
	target_stop(&victim);
	check_eq(ctl_submit(&ctl, &req, &id), -ESRCH);
}

int main(void)
{
	uint32_t order;

	must(ctl_open(&ctl, true));
	target_start(&target);
	addr = (uint64_t)target_call(&target, mem_new, BYTES, 0, SEED);
	server_open(&server, 4, BATCH);
	for (order = MIGD_ORDER_COPY_FIRST; order <= MIGD_ORDER_STATE_FIRST; order++) {
		cancelled(order);
		gone(order);
		check_clean(&ctl);
	}
	rate();
	cap();
	listed();
	together();
	target_stop(&target);
	server_close(&server);
	wait_idle(&ctl);
	check_clean(&ctl);
	return 0;
}
