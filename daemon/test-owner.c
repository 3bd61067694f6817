// SPDX-License-Identifier: GPL-2.0
/* Whose jobs are: over a restart too, never another's, and no more than a user may have. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "group.h"
#include "log.h"
#include "owner.h"
#include "test-module.h"

#define ANN	1000
#define BOB	1001
#define LIMIT	3

static char dir[64];
static struct manager *m;
static pid_t target;			/* nothing of it is moved */

static void start_daemon(void)
{
	m = module_daemon(dir);
	m->policy.jobs_per_user = LIMIT;
	check(sd_event_new(&m->event) >= 0 && groups_init(m) >= 0);
	groups_load(m);
	check(!jobs_import(m));
}

static int submit(uint32_t user, uint64_t *ret_id, struct fault *f)
{
	const struct job_request req = { .pid = target, .from = -1, .user = user };
	struct job *job;
	int r = job_submit(m, &req, &job, f);

	if (!r)
		*ret_id = job->nl.id;
	return r;
}

static uint64_t begin(uint32_t user)
{
	struct fault f = { .id = FAULT_NONE };
	uint64_t id;

	check(!submit(user, &id, &f));
	return id;
}

static void check_refused(uint32_t user)
{
	struct fault f = { .id = FAULT_NONE };
	uint64_t id;

	check(submit(user, &id, &f) < 0 && f.id == FAULT_TOO_MANY_JOBS);
	check(strstr(f.text, "user 1000 has 3 jobs") && strstr(f.text, "jobs-per-user=4"));
}

static void end(uint64_t id)
{
	module.job[id].state = MIGD_JOB_STATE_DONE;
	job_events.job_done(&module.job[id], m);
}

static void test_jobs(void)
{
	uint64_t first, foreign;

	start_daemon();
	first = begin(ANN);
	begin(ANN);
	begin(ANN);
	check_refused(ANN);
	/* Others are not concerned, and root never. */
	begin(BOB);
	for (int i = 0; i < 2 * LIMIT; i++)
		begin(0);
	end(first);
	check(job_find(m, first)->user == ANN);
	begin(ANN);
	check_refused(ANN);
	module_daemon_stop(m);

	/* Who takes over knows them, and one that somebody else had submitted is root's. */
	foreign = ++module.last;
	module.known[foreign] = true;
	module.job[foreign] = (struct nl_job) { .id = foreign, .pid = target };
	module.job[first].start_time++;
	start_daemon();
	check_refused(ANN);
	check(!job_find(m, foreign)->user && !job_find(m, first)->user);
	for (uint64_t id = 1; id <= module.last; id++)
		if (module.job[id].state != MIGD_JOB_STATE_DONE)
			end(id);
	begin(ANN);
	end(module.last);
	module_daemon_stop(m);
}

static int start_group(uint32_t user, struct fault *f)
{
	const uint32_t pid = target;
	struct group *g = calloc(1, sizeof(*g));
	int r;

	check(g);
	g->kind = GROUP_PROCESSES;
	g->req.from = -1;
	g->req.user = user;
	r = group_check(m, g, f);
	if (!r)
		r = group_list(g, &pid, 1, f);
	if (!r)
		group_begin(m, g);
	else
		group_free(g);
	return r;
}

static void test_groups(void)
{
	struct fault f = { .id = FAULT_NONE };

	start_daemon();
	for (int i = 0; i < LIMIT; i++)
		check(!start_group(ANN, &f));
	check(start_group(ANN, &f) < 0 && f.id == FAULT_TOO_MANY_JOBS);
	check(strstr(f.text, "user 1000 has 3 groups"));
	check(!start_group(BOB, &f));
	for (int i = 0; i < 2 * LIMIT; i++)
		check(!start_group(0, &f));
	module_daemon_stop(m);
	start_daemon();
	check(start_group(ANN, &f) < 0 && m->groups->req.user == ANN);
	while (m->groups) {
		struct group *g = m->groups;

		m->groups = g->next;
		group_forget(m, g);
		group_free(g);
	}
	module_daemon_stop(m);
}

int main(void)
{
	char path[128];

	log_set_level(LOG_ERR);
	snprintf(dir, sizeof(dir), "/tmp/migd-owner-XXXXXX");
	check(mkdtemp(dir));
	target = module_target();
	test_jobs();
	test_groups();
	check(!kill(target, SIGKILL) && waitpid(target, NULL, 0) == target);
	snprintf(path, sizeof(path), "%s/owners.json", dir);
	check(!unlink(path) && !rmdir(dir));
	return 0;
}
