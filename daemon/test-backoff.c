// SPDX-License-Identifier: GPL-2.0
/* Jobs under memory pressure: slower to a floor, never stopped, and fast again. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/wait.h>

#include "check.h"
#include "job.h"
#include "log.h"
#include "share.h"
#include "test-module.h"

#define MIB	(1ULL << 20)
#define HOUR	3600000000000ULL	/* in ns */

static char dir[64];
static struct manager *m;
static pid_t target;			/* nothing of it is moved */

static void test_steps(void)
{
	struct backoff b = { .why = PRESSURE_CGROUP, .most = 16 * MIB, .before = 100 * MIB };

	check(backoff_half(100 * MIB) == 50 * MIB && backoff_half(20 * MIB) == BACKOFF_FLOOR);
	check(backoff_half(0) == BACKOFF_FLOOR && backoff_half(UINT64_MAX) == UINT64_MAX / 2);
	check(backoff_rate(&b, 0) == 16 * MIB && backoff_rate(&b, 17 * MIB) == 16 * MIB);
	check(backoff_rate(&b, 15 * MIB) == 15 * MIB);
	/* One that asks for all there is ends at what it had. */
	check(backoff_double(&b, 0) && b.most == 32 * MIB && backoff_double(&b, 0));
	check(!backoff_double(&b, 0) && !b.why && !backoff_rate(&b, 0));
	b = (struct backoff) { .why = PRESSURE_SYSTEM, .most = 16 * MIB };
	check(!backoff_double(&b, 20 * MIB) && backoff_rate(&b, 20 * MIB) == 20 * MIB);
}

static void start_daemon(uint64_t total)
{
	m = module_daemon(dir);
	m->policy.total_rate = total;
	check(!jobs_import(m));
}

static struct job *begin(uint64_t asked)
{
	struct job_request req = {
		.pid = target, .from = -1, .max_rate = asked, .has_rate = true,
	};
	struct fault f = { .id = FAULT_NONE };
	struct job *job;

	check(!job_submit(m, &req, &job, &f));
	return job;
}

static void change(struct job *job, struct nl_change to)
{
	struct fault f = { .id = FAULT_NONE };

	check(!job_set(m, job, &to, &f));
}

static uint64_t rate_of(const struct job *job)
{
	check(module.job[job->nl.id].max_rate == job->nl.max_rate);
	return job->nl.max_rate;
}

/* What the module says that it has moved, in a second. */
static void moved(struct job *job, uint64_t bytes)
{
	module.job[job->nl.id].moved = bytes / sysconf(_SC_PAGESIZE);
	module.job[job->nl.id].elapsed_ns = 1000000000;
	job->seen_ns = 0;
}

/* Another window of pressure. */
static void press(struct job *job)
{
	job->backoff.cut_ns = 0;
	backoff_begin(m, job, PRESSURE_CGROUP);
}

/* A quiet time passes for all. */
static void rest(void)
{
	for (struct job *job = m->jobs; job; job = job->next)
		job->backoff.heard_ns = 0;
	backoff_quiet(m);
}

static void test_one(void)
{
	const struct nl_change pause = { .has_paused = true, .paused = true };
	const struct nl_change resume = { .has_paused = true };
	const struct nl_change faster = { .has_rate = true, .max_rate = 200 * MIB };
	struct job *job, *slow;

	start_daemon(0);
	job = begin(100 * MIB);
	backoff_begin(m, job, PRESSURE_SYSTEM);
	check(rate_of(job) == 50 * MIB && job->asked_rate == 100 * MIB);
	check(job->backoff.why == PRESSURE_SYSTEM);
	/* Whoever else tells of the same window, however long this test takes for it. */
	job->backoff.cut_ns += HOUR;
	backoff_begin(m, job, PRESSURE_CGROUP);
	check(rate_of(job) == 50 * MIB);
	press(job);
	check(rate_of(job) == 25 * MIB);
	/* Not before a quiet time has passed. */
	job->backoff.heard_ns += HOUR;
	backoff_quiet(m);
	check(rate_of(job) == 25 * MIB);
	for (int i = 0; i < 10; i++)
		press(job);
	check(rate_of(job) == BACKOFF_FLOOR);
	/* What is asked for meanwhile counts later. */
	change(job, faster);
	check(rate_of(job) == BACKOFF_FLOOR && job->asked_rate == 200 * MIB);
	change(job, pause);
	press(job);
	change(job, resume);
	check(rate_of(job) == BACKOFF_FLOOR);
	rest();
	rest();
	rest();
	check(rate_of(job) == 128 * MIB && job->backoff.why);
	rest();
	check(rate_of(job) == 200 * MIB && !job->backoff.why);
	/* One that is slower than the floor as it is, and one without a limit. */
	slow = begin(MIB);
	press(slow);
	check(rate_of(slow) == MIB && !slow->backoff.why);
	slow = begin(0);
	moved(slow, 80 * MIB);
	press(slow);
	check(rate_of(slow) == 40 * MIB);
	rest();
	check(!rate_of(slow) && !slow->backoff.why);
	press(job);
	press(slow);
	backoff_end_all(m);
	check(rate_of(job) == 200 * MIB && !rate_of(slow) && !job->backoff.why);
	module_daemon_stop(m);
}

static void test_total(void)
{
	struct job *a, *b;
	uint64_t id;

	memset(&module, 0, sizeof(module));
	module.total = 200 * MIB;
	start_daemon(200 * MIB);
	a = begin(0);
	b = begin(0);
	check(rate_of(a) == 100 * MIB && rate_of(b) == 100 * MIB);
	/* The other one has what it leaves. */
	press(a);
	check(rate_of(a) == 50 * MIB && rate_of(b) == 150 * MIB);
	rest();
	check(rate_of(a) == 100 * MIB && rate_of(b) == 100 * MIB);
	/* Another daemon knows what was asked for, and hears anew of what is short. */
	module_daemon_stop(m);
	module.total = 0;
	start_daemon(0);
	a = m->jobs;
	id = a->nl.id;
	moved(a, 80 * MIB);
	press(a);
	check(rate_of(a) == 40 * MIB);
	module_daemon_stop(m);
	start_daemon(0);
	check(!rate_of(job_find(m, id)));
	module_daemon_stop(m);
}

int main(void)
{
	log_set_level(LOG_ERR);
	test_steps();
	snprintf(dir, sizeof(dir), "/tmp/migd-backoff-XXXXXX");
	check(mkdtemp(dir));
	target = module_target();
	test_one();
	test_total();
	check(!kill(target, SIGKILL) && waitpid(target, NULL, 0) == target);
	check(!rmdir(dir));
	return 0;
}
