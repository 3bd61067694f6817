// SPDX-License-Identifier: GPL-2.0
/* The total rate: never more in all, nothing left over, and what was asked for is kept. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/wait.h>

#include "check.h"
#include "log.h"
#include "share.h"
#include "test-module.h"

static void test_level(void)
{
	static const uint64_t alike[] = { 0, 0, 500 }, low[] = { 10, 0, 0 };
	static const uint64_t little[] = { 10, 20 }, steps[] = { 10, 40, 100, 0 };

	check(!share_level(0, alike, 3) && !share_level(90, alike, 0));
	check(share_level(90, alike, 3) == 30);
	check(share_level(90, low, 3) == 40);
	check(!share_level(30, little, 2) && share_level(29, little, 2) == 19);
	/* What the second one leaves shows only when the first one's rest is split. */
	check(share_level(140, steps, 4) == 45);
	/* Never no limit at all. */
	check(share_level(2, alike, 3) == 1);
	check(share_level(UINT64_MAX, alike, 2) == UINT64_MAX / 2);
}

static char dir[64];
static struct manager *m;
static pid_t target;			/* nothing of it is moved */

static void start_daemon(uint64_t total)
{
	m = module_daemon(dir);
	m->policy.total_rate = total;
	check(!jobs_import(m));
}

static uint64_t begin(uint64_t asked)
{
	struct job_request req = {
		.pid = target, .from = -1, .max_rate = asked, .has_rate = true,
	};
	struct fault f = { .id = FAULT_NONE };
	struct job *job;

	check(!job_submit(m, &req, &job, &f));
	return job->nl.id;
}

static void change(uint64_t id, struct nl_change to)
{
	struct fault f = { .id = FAULT_NONE };

	check(!job_set(m, job_find(m, id), &to, &f));
}

/* The module keeps job @id to @rate, and the daemon tells that @asked was asked for. */
static bool has(uint64_t id, uint64_t asked, uint64_t rate)
{
	const struct job *job = job_find(m, id);

	return module.job[id].max_rate == rate && job->nl.max_rate == rate &&
	       job->asked_rate == asked;
}

static void test_jobs(void)
{
	const struct nl_change pause = { .has_paused = true, .paused = true };
	const struct nl_change resume = { .has_paused = true };
	const struct nl_change none = { .has_rate = true };
	const struct job_request refused = { .pid = target, .from = -1 };
	struct fault f = { .id = FAULT_NONE };
	struct job *job;
	uint64_t a, b, c;

	start_daemon(900);
	module.total = 900;
	a = begin(0);
	check(has(a, 0, 900));
	b = begin(100);
	check(has(a, 0, 800) && has(b, 100, 100));
	c = begin(0);
	check(has(a, 0, 400) && has(b, 100, 100) && has(c, 0, 400));
	/* One that waits leaves its share, and takes it again. */
	change(a, pause);
	check(has(b, 100, 100) && has(c, 0, 800));
	change(b, none);
	check(has(b, 0, 450) && has(c, 0, 450));
	change(a, resume);
	check(has(a, 0, 300) && has(b, 0, 300) && has(c, 0, 300));
	/* One that was refused has taken nothing. */
	module.refusal = -EBUSY;
	check(job_submit(m, &refused, &job, &f) < 0);
	check(has(a, 0, 300) && has(b, 0, 300) && has(c, 0, 300));
	/* Another daemon tells a share from what was asked for, also when it has no total. */
	module_daemon_stop(m);
	module.total = 0;
	start_daemon(600);
	check(has(a, 0, 200) && has(b, 0, 200) && has(c, 0, 200));
	module.job[a].state = MIGD_JOB_STATE_DONE;
	job_events.job_done(&module.job[a], m);
	check(has(b, 0, 300) && has(c, 0, 300));
	module_daemon_stop(m);
	start_daemon(0);
	check(has(b, 0, 0) && has(c, 0, 0));
	/* Somebody else has set it, and the daemon has not heard of that yet. */
	module.job[c].max_rate = 7;
	change(c, none);
	check(has(c, 0, 0));
	module_daemon_stop(m);
}

int main(void)
{
	log_set_level(LOG_ERR);
	test_level();
	snprintf(dir, sizeof(dir), "/tmp/migd-share-XXXXXX");
	check(mkdtemp(dir));
	target = module_target();
	test_jobs();
	check(!kill(target, SIGKILL) && waitpid(target, NULL, 0) == target);
	check(!rmdir(dir));
	return 0;
}
