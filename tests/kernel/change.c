// SPDX-License-Identifier: GPL-2.0
/*
 * Jobs that are changed while they run: another rate, another deadline, another
 * share of the CPU, told to wait and to go on. What the change is not for stays as it was.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "fixture.h"

#define PAGES	1024UL
#define BYTES	(PAGES * PAGE)
#define BATCH	128U
#define SEED	17
#define NOTHING	{ -1, -1, -1, -1 }

/* At this rate a batch is a page, which takes a minute to be paid for. */
#define SLOW	(PAGE / 64)

static struct ctl ctl;
static struct server server;
static struct target target;
static uint64_t addr;

static void put_back(void)
{
	move_by_kernel(target.pid, addr, BYTES, 0);
	check_memory(&target, addr, BYTES, 0, SEED);
}

/* A job of @t with its first batch in our hands, in the only slot. */
static uint64_t begin(struct target *t, uint64_t at, uint32_t order, uint64_t rate)
{
	struct job_req req = job_for(t, at, BYTES, 0, 1, order);
	uint64_t id;

	req.batch_pages = BATCH;
	req.max_rate = rate;
	id = server_job(&server, &ctl, &req);
	check_eq(server_wait_batch(&server), 0);
	check_eq(server.slot[0].pages, rate ? 1 : BATCH);
	return id;
}

static void commit(void)
{
	server_commit(&server, 0);
	server_submit(&server);
}

static void change(uint64_t id, struct job_change to)
{
	int err = ctl_set(&ctl, id, to);

	check(!err, "job-set: %s: %s", strerror(-err), ctl.ack);
}

static bool is_paused(void *id)
{
	struct stats_info stats;
	struct job_info job;

	must(ctl_job(&ctl, *(uint64_t *)id, &job));
	must(ctl_stats(&ctl, &stats));
	return job.state == MIGD_JOB_STATE_PAUSED && !stats.locked_pages;
}

/* Told to wait with a batch out: that one ends, and no page is held. */
static void let_wait(uint64_t id)
{
	struct job_change to = NOTHING;
	struct answer answer;
	struct job_info job;

	to.paused = 1;
	change(id, to);
	commit();
	wait_until(is_paused, &id, "the job is paused and holds no page");
	check(!server_reap(&server, &answer), "a batch of a job that waits");
	must(ctl_job(&ctl, id, &job));
	check_eq(job.paused, 1);
	check_eq(job.moved, job.max_rate ? 1 : BATCH);
}

static void pauses(uint32_t order)
{
	struct job_change to = NOTHING;
	struct job_info job;
	uint64_t id;

	step("%s, waits and goes on", order_name(order));
	id = begin(&target, addr, order, 0);
	let_wait(id);
	to.paused = 0;
	change(id, to);
	server_run(&server, &ctl, id);
	must(ctl_job(&ctl, id, &job));
	check_moved(&ctl, &target, &job, addr, BYTES, SEED);
	check_eq(job.paused, 0);
	put_back();
}

static void cancelled(void)
{
	struct job_info job;
	uint64_t id;

	step("cancelled while it waits");
	id = begin(&target, addr, MIGD_ORDER_COPY_FIRST, 0);
	let_wait(id);
	must(ctl_cancel(&ctl, id));
	wait_job(&ctl, id, &job);
	check_eq(job.outcome, MIGD_OUTCOME_CANCELLED);
	check_eq(job.moved, BATCH);
	check_eq(job.left[MIGD_REASON_UNREACHED], PAGES - BATCH);
	put_back();
}

static void gone(void)
{
	struct target victim;
	struct job_info job;
	uint64_t at, id;

	step("the target dies while its job waits");
	target_start(&victim);
	at = (uint64_t)target_call(&victim, mem_new, BYTES, 0, SEED);
	id = begin(&victim, at, MIGD_ORDER_COPY_FIRST, 0);
	let_wait(id);
	target_stop(&victim);
	wait_job(&ctl, id, &job);
	check_eq(job.outcome, MIGD_OUTCOME_TARGET_GONE);
}

/* The job waits for its daemon no longer than one that runs, whatever it was told. */
static void lost(void)
{
	uint32_t locked, wait;
	struct job_info job;
	uint64_t id;

	step("the daemon goes while a job waits");
	must(ctl_config_get(&ctl, &locked, &wait));
	must(ctl_config_set(&ctl, 0, 200));
	id = begin(&target, addr, MIGD_ORDER_COPY_FIRST, 0);
	let_wait(id);
	server_close(&server);
	wait_job(&ctl, id, &job);
	check_eq(job.outcome, MIGD_OUTCOME_SERVER_LOST);
	must(ctl_config_set(&ctl, 0, wait));
	server_open(&server, 1, BATCH);
	put_back();
}

static bool is_running(void *id)
{
	struct job_info job;

	must(ctl_job(&ctl, *(uint64_t *)id, &job));
	return job.state == MIGD_JOB_STATE_RUNNING;
}

/* The page would take a minute to be paid for: the job is paused long before, and told so. */
static void unpaid(void)
{
	struct job_change to = NOTHING;
	struct job_info job;
	uint64_t id;

	step("waits and goes on before its rate lets it");
	id = begin(&target, addr, MIGD_ORDER_COPY_FIRST, SLOW);
	let_wait(id);
	to.paused = 0;
	change(id, to);
	wait_until(is_running, &id, "the job runs again");
	must(ctl_job(&ctl, id, &job));
	check_eq(job.moved, 1);
	to.paused = -1;
	to.max_rate = 0;
	change(id, to);
	server_run(&server, &ctl, id);
	must(ctl_job(&ctl, id, &job));
	check_moved(&ctl, &target, &job, addr, BYTES, SEED);
	put_back();
}

/* At the old rate the first page would take a minute to be paid for. */
static void rate(void)
{
	struct job_change to = NOTHING;
	struct job_info job;
	uint64_t id;

	step("a page a minute, then a thousand each second, then no limit");
	id = begin(&target, addr, MIGD_ORDER_COPY_FIRST, SLOW);
	commit();
	to.max_rate = 1000 * PAGE;
	change(id, to);
	check_eq(server_wait_batch(&server), 0);
	must(ctl_job(&ctl, id, &job));
	check_eq(job.max_rate, 1000 * PAGE);
	check_eq(server.slot[0].pages, 50);
	to.max_rate = SLOW;
	change(id, to);
	commit();
	to.max_rate = 0;
	change(id, to);
	server_run(&server, &ctl, id);
	must(ctl_job(&ctl, id, &job));
	check_moved(&ctl, &target, &job, addr, BYTES, SEED);
	put_back();
}

/* Long before its page is paid for the job knows that its daemon is gone. */
static void lost_unpaid(void)
{
	uint32_t locked, wait;
	struct job_info job;
	uint64_t id;

	step("the daemon goes while a job waits for its rate");
	must(ctl_config_get(&ctl, &locked, &wait));
	must(ctl_config_set(&ctl, 0, 200));
	id = begin(&target, addr, MIGD_ORDER_COPY_FIRST, SLOW);
	commit();
	server_close(&server);
	wait_job(&ctl, id, &job);
	check_eq(job.outcome, MIGD_OUTCOME_SERVER_LOST);
	check(job.elapsed_ns < PAGE * 1000000000ULL / SLOW / 2, "it took %llu ms",
	      (unsigned long long)job.elapsed_ns / 1000000);
	must(ctl_config_set(&ctl, 0, wait));
	server_open(&server, 1, BATCH);
	put_back();
}

static void deadline(void)
{
	struct job_change to = NOTHING;
	struct job_info job;
	uint64_t id, had;

	step("another deadline");
	id = begin(&target, addr, MIGD_ORDER_COPY_FIRST, 0);
	had = server.desc[0].deadline_ns;
	to.deadline_us = 7654321;
	change(id, to);
	check_eq(server.desc[0].deadline_ns, had);
	commit();
	check_eq(server_wait_batch(&server), 0);
	check_eq(server.desc[0].deadline_ns - server.desc[0].lock_ns, to.deadline_us * 1000);
	server_run(&server, &ctl, id);
	must(ctl_job(&ctl, id, &job));
	check_eq(job.deadline_us, to.deadline_us);
	check_moved(&ctl, &target, &job, addr, BYTES, SEED);
	put_back();
}

/*
 * Whatever the machine's speed: so much work takes at least so long. A twentieth of
 * a second is not rested for, and a tick may be missing.
 */
static void shares(const char *what, uint32_t nice, uint32_t any_nice)
{
	struct job_req req = job_for(&target, addr, BYTES, 0, 1, MIGD_ORDER_COPY_FIRST);
	struct job_info job;
	uint64_t id, worth;
	unsigned int i;

	step("%s", what);
	must(ctl_config_nice(&ctl, any_nice));
	req.batch_pages = BATCH;
	req.nice = nice;
	id = server_job(&server, &ctl, &req);
	server_run(&server, &ctl, id);
	must(ctl_job(&ctl, id, &job));
	check_moved(&ctl, &target, &job, addr, BYTES, SEED);
	check_eq(job.nice, nice);
	check(job.work_ns > 0, "no work was seen");
	worth = job.work_ns;
	for (i = 0; i < (nice > any_nice ? nice : any_nice); i++)
		worth += worth / 4;
	check(job.elapsed_ns + 60000000 >= worth, "%llu us of work in %llu us, not %llu us",
	      (unsigned long long)job.work_ns / 1000, (unsigned long long)job.elapsed_ns / 1000,
	      (unsigned long long)worth / 1000);
	must(ctl_config_nice(&ctl, 0));
	put_back();
}

static void nice_changes(void)
{
	struct job_change to = NOTHING;
	struct job_info job;
	uint64_t id;

	step("another nice, and the least of all jobs, while it runs");
	id = begin(&target, addr, MIGD_ORDER_COPY_FIRST, 0);
	to.nice = 19;
	change(id, to);
	must(ctl_job(&ctl, id, &job));
	check_eq(job.nice, 19);
	commit();
	must(ctl_config_nice(&ctl, 7));
	to.nice = 0;
	change(id, to);
	server_run(&server, &ctl, id);
	must(ctl_job(&ctl, id, &job));
	check_eq(job.nice, 0);
	check_moved(&ctl, &target, &job, addr, BYTES, SEED);
	must(ctl_config_nice(&ctl, 0));
	put_back();
}

static void refused(void)
{
	struct job_change to = NOTHING;
	struct job_info job;
	uint64_t id;

	step("refused, and nothing changes");
	id = begin(&target, addr, MIGD_ORDER_COPY_FIRST, 0);
	to.max_rate = PAGE;
	to.deadline_us = 1;
	check_eq(ctl_set(&ctl, id, to), -EINVAL);
	check(strstr(ctl.ack, "deadline"), "no word of the deadline in '%s'", ctl.ack);
	to.deadline_us = -1;
	to.paused = 2;
	check_eq(ctl_set(&ctl, id, to), -ERANGE);
	to.paused = -1;
	to.nice = 20;
	check_eq(ctl_set(&ctl, id, to), -ERANGE);
	check_eq(ctl_config_nice(&ctl, 20), -ERANGE);
	to.nice = -1;
	must(ctl_job(&ctl, id, &job));
	check_eq(job.max_rate, 0);
	check_eq(job.paused, 0);
	to.paused = 1;
	check_eq(ctl_set(&ctl, id + 1, to), -ENOENT);
	check(strstr(ctl.ack, "no job"), "no sentence in '%s'", ctl.ack);
	check_eq(ctl_raw(&ctl, MIGD_CMD_JOB_SET, 0, 0, NULL, 0), -EINVAL);
	server_run(&server, &ctl, id);
	check_eq(ctl_set(&ctl, id, to), -EALREADY);
	check(strstr(ctl.ack, "ended"), "no sentence in '%s'", ctl.ack);
	put_back();
}

int main(void)
{
	must(ctl_open(&ctl, true));
	target_start(&target);
	addr = (uint64_t)target_call(&target, mem_new, BYTES, 0, SEED);
	server_open(&server, 1, BATCH);
	pauses(MIGD_ORDER_COPY_FIRST);
	pauses(MIGD_ORDER_STATE_FIRST);
	cancelled();
	gone();
	lost();
	unpaid();
	rate();
	lost_unpaid();
	deadline();
	shares("a seventieth of a CPU", 19, 0);
	shares("a tenth, as any job has", 3, 10);
	nice_changes();
	refused();
	target_stop(&target);
	server_close(&server);
	wait_idle(&ctl);
	check_clean(&ctl);
	return 0;
}
