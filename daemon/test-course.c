// SPDX-License-Identifier: GPL-2.0
/*
 * The course of a group, on a module that does what the test says: whom it visits,
 * what it makes of each outcome, and what a daemon that takes over does. The
 * processes are real; nothing of theirs is moved.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "group.h"
#include "log.h"
#include "test-module.h"

static char dir[64];
static struct manager *m;

static void start_daemon(void)
{
	m = module_daemon(dir);
	check(sd_event_new(&m->event) >= 0 && groups_init(m) >= 0);
	groups_load(m);
	/* As when it begins to serve. */
	check(!jobs_import(m));
	groups_served(m);
}

/* Until there is nothing to do but wait. */
static void settle(void)
{
	while (sd_event_run(m->event, 0) > 0)
		;
}

/* The job that runs ends so. */
static void end_job(uint32_t outcome, uint64_t total, uint64_t moved)
{
	struct nl_job *job = &module.job[module.last];

	check(module.last && job->state == MIGD_JOB_STATE_RUNNING);
	job->state = MIGD_JOB_STATE_DONE;
	job->outcome = outcome;
	job->total = total;
	job->moved = moved;
	job->left[MIGD_REASON_FILE] = total - moved;
	job->blackout.max = moved;
}

static void end(uint32_t outcome, uint64_t total, uint64_t moved)
{
	end_job(outcome, total, moved);
	job_events.job_done(&module.job[module.last], m);
	settle();
}

static pid_t process(void)
{
	pid_t parent = getpid(), pid = fork();

	check(pid >= 0);
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* It may be dead already. */
	if (getppid() != parent)
		_exit(0);
	for (;;)
		pause();
}

static int ask[2], answer[2];

/* A process that forks another when it is asked to. */
static pid_t forker(void)
{
	pid_t parent = getpid(), pid = fork();
	char c;

	check(pid >= 0);
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* It may be dead already. */
	if (getppid() != parent)
		_exit(0);
	while (read(ask[0], &c, 1) == 1) {
		pid = process();
		check(write(answer[1], &pid, sizeof(pid)) == sizeof(pid));
	}
	_exit(0);
}

static pid_t have_one_forked(void)
{
	pid_t pid;

	check(write(ask[1], "f", 1) == 1 && read(answer[0], &pid, sizeof(pid)) == sizeof(pid));
	return pid;
}

static void kill_process(pid_t pid)
{
	check(!kill(pid, SIGKILL) && waitpid(pid, NULL, 0) == pid);
}

#define PROCESSES	3

static uint32_t pids[PROCESSES];

static struct group *begin_with(pid_t (*make)(void))
{
	struct group *g = calloc(1, sizeof(*g));
	struct fault f = { .id = FAULT_NONE };

	check(g);
	g->kind = GROUP_PROCESSES;
	strcpy(g->target, "the test's");
	g->req.from = -1;
	for (int i = 0; i < PROCESSES; i++)
		pids[i] = i ? process() : make();
	check(!group_check(m, g, &f) && !group_list(g, pids, PROCESSES, &f));
	group_begin(m, g);
	settle();
	return g;
}

static struct group *begin(void)
{
	return begin_with(process);
}

static void over(struct group *g, uint32_t outcome)
{
	check(g->state == GROUP_DONE && g->outcome == outcome);
	for (int i = 0; i < PROCESSES; i++)
		if (!waitpid(pids[i], NULL, WNOHANG))
			kill_process(pids[i]);
}

/* It is at the @i-th process, in the order of their pids. */
static bool is_at(const struct group *g, int i)
{
	const struct nl_job *job = &module.job[module.last];

	return job->state == MIGD_JOB_STATE_RUNNING && job->id == g->job &&
	       (pid_t)job->pid == g->members[i].pid && g->members[i].state == MEMBER_RUNNING;
}

static void test_moved(void)
{
	struct group *g = begin();

	for (int i = 0; i < PROCESSES; i++) {
		check(is_at(g, i) && g->state == GROUP_RUNNING);
		end(MIGD_OUTCOME_MOVED, 12, 10);
	}
	over(g, MIGD_OUTCOME_MOVED);
	check(g->sum.total == 36 && g->sum.moved == 30 && group_left(&g->sum) == 6);
	check(g->progress == 1000 && g->visited == PROCESSES && g->sum.blackout_max_ns == 10);
	check(!*g->why && group_find(m, g->id) == g);
}

static void test_left_out(void)
{
	struct group *g = begin();
	struct fault f;

	/* One exits before its turn, one may not, one is moved in part. */
	kill_process(g->members[1].pid);
	end_job(MIGD_OUTCOME_PARTLY, 10, 4);
	module.refusal = -EXDEV;
	job_events.job_done(&module.job[module.last], m);
	settle();
	over(g, MIGD_OUTCOME_PARTLY);
	check(g->members[1].state == MEMBER_EXITED && g->members[2].state == MEMBER_FORBIDDEN);
	check(*g->why && g->sum.moved == 4 && g->visited == PROCESSES);
	check(group_cancel(m, g, &f) < 0 && f.id == FAULT_NO_SUCH_GROUP);

	g = begin();
	for (int i = 0; i < PROCESSES; i++)
		end(MIGD_OUTCOME_FAILED, 5, 0);
	over(g, MIGD_OUTCOME_FAILED);

	g = begin();
	for (int i = 1; i < PROCESSES; i++)
		kill_process(g->members[i].pid);
	kill_process(g->members[0].pid);
	end(MIGD_OUTCOME_TARGET_GONE, 5, 2);
	over(g, MIGD_OUTCOME_TARGET_GONE);
	check(g->sum.total == 2 && g->sum.moved == 2 && !group_left(&g->sum));
}

static void test_again(void)
{
	struct group *g = begin();

	/* A job that is lost is made once more, and its pages count once. */
	end(MIGD_OUTCOME_SERVER_LOST, 20, 5);
	check(is_at(g, 0) && module.job[module.last].id != 1);
	end(MIGD_OUTCOME_MOVED, 15, 15);
	/* So is that of a process which has called execve(2); but not for ever. */
	for (int i = 0; i < GROUP_TRIES; i++) {
		check(is_at(g, 1));
		end(MIGD_OUTCOME_TARGET_GONE, 9, 1);
	}
	check(is_at(g, 2) && g->members[1].state == MEMBER_REFUSED && strstr(g->why, "execve"));
	end(MIGD_OUTCOME_MOVED, 0, 0);
	over(g, MIGD_OUTCOME_PARTLY);
	check(g->sum.total == 20 + GROUP_TRIES && g->sum.moved == 20 + GROUP_TRIES);
}

static void test_cancel(void)
{
	struct group *g = begin();
	unsigned int cancels = module.cancels;
	struct fault f;

	/* One job by somebody: the others go on. */
	end(MIGD_OUTCOME_CANCELLED, 10, 3);
	check(is_at(g, 1) && g->members[0].state == MEMBER_CANCELLED);
	check(!group_cancel(m, g, &f) && module.cancels == cancels + 1);
	settle();
	check(g->state == GROUP_RUNNING);
	end(MIGD_OUTCOME_CANCELLED, 10, 3);
	over(g, MIGD_OUTCOME_CANCELLED);
	check(group_count(g, MEMBER_PENDING) == 1 && g->visited == 2);
}

static void test_rounds(void)
{
	struct group *g;
	pid_t new = 0;

	check(!pipe(ask) && !pipe(answer));
	g = begin_with(forker);
	for (int i = 1; i < PROCESSES; i++)
		end(MIGD_OUTCOME_MOVED, 1, 1);
	/* Each time that all have been visited there is another. */
	for (int i = 0; i <= GROUP_ROUNDS; i++) {
		check(!new || (pid_t)module.job[module.last].pid == new);
		check(g->state == GROUP_RUNNING && g->rounds == (unsigned int)i);
		new = have_one_forked();
		end(MIGD_OUTCOME_MOVED, 1, 1);
	}
	over(g, MIGD_OUTCOME_PARTLY);
	check(g->nr == PROCESSES + GROUP_ROUNDS + 1 && group_count(g, MEMBER_PENDING) == 1);
	check(g->sum.moved == PROCESSES + GROUP_ROUNDS);

	/* One that is forked at the very end is visited, too. */
	g = begin_with(forker);
	end(MIGD_OUTCOME_MOVED, 1, 1);
	end(MIGD_OUTCOME_MOVED, 1, 1);
	have_one_forked();
	end(MIGD_OUTCOME_MOVED, 1, 1);
	check(g->state == GROUP_RUNNING && g->nr == PROCESSES + 1 && g->progress < 1000);
	end(MIGD_OUTCOME_MOVED, 1, 1);
	over(g, MIGD_OUTCOME_MOVED);
	check(g->sum.moved == PROCESSES + 1);
}

static void test_waiting(void)
{
	struct nl_submit others = { .pid = 1, .start_time = 1, .from = -1 };
	struct nl_job *job = &module.job[1];
	struct group *g;
	uint64_t id;

	/* No more jobs than MaxJobs=: it waits for that of somebody else to end. */
	check(!nl_submit(m->nl, &others, &id));
	job_events.job_progress(job, m);
	m->conf.max_jobs = 1;
	g = begin();
	check(!g->job && g->state == GROUP_QUEUED && m->nr_active == 1);
	job->state = MIGD_JOB_STATE_DONE;
	job->outcome = MIGD_OUTCOME_MOVED;
	job_events.job_done(job, m);
	settle();
	/* And between two of its own. */
	check(is_at(g, 0) && g->state == GROUP_RUNNING);
	m->conf.max_jobs = 0;
	end(MIGD_OUTCOME_MOVED, 1, 1);
	check(!g->job && g->state == GROUP_WAITING && g->members[1].state == MEMBER_PENDING);
	m->conf.max_jobs = 1;
	groups_kick(m);
	settle();
	check(is_at(g, 1) && g->state == GROUP_RUNNING);
	end(MIGD_OUTCOME_MOVED, 1, 1);
	end(MIGD_OUTCOME_MOVED, 1, 1);
	over(g, MIGD_OUTCOME_MOVED);
}

static struct group *restart(uint64_t id)
{
	module_daemon_stop(m);
	start_daemon();
	settle();
	return group_find(m, id);
}

static void test_restart(void)
{
	struct group *g = begin();
	uint64_t id = g->id, job;
	struct fault f;

	/* The job goes on meanwhile. */
	job = g->job;
	g = restart(id);
	check(g && is_at(g, 0) && g->job == job && g->state == GROUP_RUNNING);
	end(MIGD_OUTCOME_MOVED, 10, 10);
	/* It ends meanwhile. */
	check(is_at(g, 1));
	end_job(MIGD_OUTCOME_MOVED, 10, 10);
	g = restart(id);
	check(is_at(g, 2) && g->members[1].state == MEMBER_DONE && g->ended.moved == 20);
	/* It was never submitted: the daemon died before that. */
	module.known[module.last] = false;
	job = module.last;
	g = restart(id);
	check(is_at(g, 2) && g->job == job + 1);
	/* Cancelled, and the daemon dies before it could tell the module. */
	check(!group_cancel(m, g, &f));
	module.cancels = 0;
	g = restart(id);
	check(module.cancels == 1 && is_at(g, 2));
	end(MIGD_OUTCOME_CANCELLED, 10, 1);
	check(g->state == GROUP_DONE && g->ended.total == 30 && g->ended.moved == 21);
	/* One that has ended is told of by the next, too. */
	g = restart(id);
	over(g, MIGD_OUTCOME_CANCELLED);
	check(g->sum.moved == 21);
	m->conf.keep_finished = 0;
	groups_kick(m);
	settle();
	check(!group_find(m, id));
	module_daemon_stop(m);
	start_daemon();
	check(!m->groups);
}

static void change_job(const struct group *g, const struct nl_change *to)
{
	struct fault f = { .id = FAULT_NONE };

	check(!job_set(m, job_find(m, g->job), to, &f));
}

static void test_changed(void)
{
	const struct nl_change pause = { .has_paused = true, .paused = true };
	const struct nl_change resume = { .has_paused = true };
	const struct nl_change limits = {
		.has_rate = true, .max_rate = 1 << 20, .has_deadline = true, .deadline_us = 20000,
		.has_nice = true, .nice = 7,
	};
	const struct nl_change no_rate = { .has_rate = true };
	const struct nl_job *now;
	struct group *g;

	m->policy.max_rate = 7;
	g = begin();
	now = &module.job[module.last];
	check(now->max_rate == 7 && now->deadline_us == m->policy.deadline_usec);
	change_job(g, &limits);
	end(MIGD_OUTCOME_MOVED, 1, 1);
	/* The next job has them; and a pause, which may come as a job ends. */
	now = &module.job[module.last];
	check(is_at(g, 1) && now->max_rate == 1 << 20 && now->deadline_us == 20000 && !now->paused);
	check(now->nice == 7);
	change_job(g, &pause);
	end(MIGD_OUTCOME_MOVED, 1, 1);
	now = &module.job[module.last];
	check(is_at(g, 2) && now->paused && now->max_rate == 1 << 20);
	/* The daemon's end is none of theirs. */
	module.known[module.last] = false;
	g = restart(g->id);
	now = &module.job[module.last];
	check(is_at(g, 2) && now->paused && now->max_rate == 1 << 20 && now->deadline_us == 20000);
	check(now->nice == 7);
	change_job(g, &no_rate);
	change_job(g, &resume);
	module.known[module.last] = false;
	m->policy.max_rate = 7;
	g = restart(g->id);
	now = &module.job[module.last];
	check(is_at(g, 2) && !now->paused && !now->max_rate);
	end(MIGD_OUTCOME_MOVED, 1, 1);
	over(g, MIGD_OUTCOME_MOVED);
}

/* Each test has a daemon and a module of its own. */
static void run(void (*test)(void))
{
	memset(&module, 0, sizeof(module));
	start_daemon();
	test();
	m->conf.keep_finished = 0;
	groups_kick(m);
	settle();
	check(!m->groups);
	module_daemon_stop(m);
}

int main(void)
{
	log_set_level(LOG_ERR);
	snprintf(dir, sizeof(dir), "/tmp/migd-course-XXXXXX");
	check(mkdtemp(dir));
	run(test_moved);
	run(test_left_out);
	run(test_again);
	run(test_cancel);
	run(test_rounds);
	run(test_waiting);
	run(test_restart);
	run(test_changed);
	check(!rmdir(dir));
	return 0;
}
