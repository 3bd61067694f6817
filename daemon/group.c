// SPDX-License-Identifier: GPL-2.0
/* The course of a group: one process after the other, then those that are new. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bus.h"
#include "group.h"
#include "log.h"
#include "names.h"
#include "target.h"

/* Progress is signalled this often at most. */
#define TELL_NS		100000000ULL
/* So many processes are left out without a look at the event loop. */
#define STEP		256

uint64_t group_clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

struct group *group_find(struct manager *m, uint64_t id)
{
	for (struct group *g = m->groups; g; g = g->next)
		if (g->id == id)
			return g;
	return NULL;
}

void group_free(struct group *g)
{
	if (!g)
		return;
	free(g->members);
	free(g);
}

uint64_t group_left(const struct group_sum *sum)
{
	uint64_t pages = 0;

	for (unsigned int i = 0; i < NL_REASONS; i++)
		pages += sum->left[i];
	return pages;
}

/* What a job has moved, and with @all what it found and left. */
static void sum_up(struct group_sum *sum, const struct job *job, bool all)
{
	const struct nl_job *nl = &job->nl;

	sum->total += all ? nl->total : nl->moved;
	sum->moved += nl->moved;
	sum->routed += nl->routed;
	sum->bytes += job->bytes;
	sum->batches += nl->batches;
	sum->rescued += nl->rescued;
	sum->passes += nl->passes;
	if (nl->blackout.max > sum->blackout_max_ns)
		sum->blackout_max_ns = nl->blackout.max;
	for (unsigned int i = 0; all && i < NL_REASONS; i++)
		sum->left[i] += nl->left[i];
}

static void update_progress(struct group *g, const struct job *job)
{
	uint64_t now = g->visited * 1000ULL;

	if (!g->nr)
		return;
	if (job && job->nl.total)
		now += job->nl.moved < job->nl.total ? job->nl.moved * 1000 / job->nl.total : 1000;
	now /= g->nr;
	/* The list may have become longer, or be about to. */
	if (now > 999)
		now = 999;
	if (now > g->progress)
		g->progress = now;
}

void group_refresh(struct manager *m, struct group *g)
{
	struct job *job = g->job ? job_find(m, g->job) : NULL;

	g->sum = g->ended;
	g->engine = *g->req.engine ? g->req.engine : m->policy.default_engine;
	g->processes = g->nr;
	g->visited = g->nr - group_count(g, MEMBER_PENDING) - group_count(g, MEMBER_RUNNING);
	if (job) {
		job_refresh(m, job);
		sum_up(&g->sum, job, true);
	}
	if (g->state == GROUP_DONE)
		return;
	g->elapsed_usec = (group_clock_ns(CLOCK_BOOTTIME) - g->submitted_ns) / 1000;
	update_progress(g, job);
}

size_t group_left_out(const struct group *g, enum member_state state, const char **ret_name)
{
	*ret_name = name_member(state);
	/* Until it has ended it is yet to visit those. */
	if (state == MEMBER_PENDING && g->state != GROUP_DONE)
		return 0;
	if (state == MEMBER_RUNNING || state == MEMBER_DONE)
		return 0;
	return group_count(g, state);
}

static void set_state(struct manager *m, struct group *g, enum group_state state)
{
	if (g->state == state)
		return;
	g->state = state;
	bus_group_progress(m, g);
}

/* The oldest ones that have ended make room. */
static void prune(struct manager *m)
{
	struct group **at = &m->groups, *g;
	unsigned int ended = 0;

	for (g = m->groups; g; g = g->next)
		ended += g->state == GROUP_DONE;
	while (ended > m->conf.keep_finished && *at) {
		g = *at;
		if (g->state != GROUP_DONE) {
			at = &g->next;
			continue;
		}
		*at = g->next;
		ended--;
		group_forget(m, g);
		bus_group_gone(m, g);
		group_free(g);
	}
}

static uint32_t outcome_of(const struct group *g)
{
	if (g->cancelled)
		return MIGD_OUTCOME_CANCELLED;
	if (g->partly || group_first(g, MEMBER_PENDING) || group_first(g, MEMBER_FORBIDDEN) ||
	    group_first(g, MEMBER_REFUSED) || group_first(g, MEMBER_CANCELLED) ||
	    group_first(g, MEMBER_FOREIGN))
		return g->ended.moved || g->well ? MIGD_OUTCOME_PARTLY : MIGD_OUTCOME_FAILED;
	return g->well ? MIGD_OUTCOME_MOVED : MIGD_OUTCOME_TARGET_GONE;
}

static void finish(struct manager *m, struct group *g)
{
	struct log_fields fields = { .message_id = MSG_GROUP_DONE, .group = g->id };

	g->outcome = outcome_of(g);
	fields.outcome = name_outcome(g->outcome);
	if (!group_first(g, MEMBER_PENDING))
		g->progress = 1000;
	group_refresh(m, g);
	g->state = GROUP_DONE;
	group_save(m, g);
	log_event(LOG_INFO, &fields,
		  "group %llu: %s to node %d %s: %u of %u processes visited, %llu pages moved, %llu left, %llu ms",
		  (unsigned long long)g->id, g->target, g->req.to, fields.outcome, g->visited,
		  g->processes,
		  (unsigned long long)g->sum.moved, (unsigned long long)group_left(&g->sum),
		  (unsigned long long)g->elapsed_usec / 1000);
	bus_group_done(m, g);
}

void group_note_why(struct group *g, const char *sentence)
{
	if (!*g->why)
		snprintf(g->why, sizeof(g->why), "%s", sentence);
}

/* The list is through: has it become longer? */
static bool read_again(struct group *g)
{
	struct fault f = { .id = FAULT_NONE };
	char why[FAULT_TEXT_LEN];
	int r;

	r = group_gather(g, &f);
	/* Its cgroup goes with its last process. */
	if (r == -ENOENT)
		return false;
	if (r < 0) {
		g->partly = true;
		snprintf(why, sizeof(why), "the processes of %.128s cannot be listed again (%s): migrate again",
			 g->target, strerror(-r));
		group_note_why(g, why);
	}
	return r > 0 && ++g->rounds <= GROUP_ROUNDS;
}

enum visit { VISIT_BEGUN, VISIT_OVER, VISIT_LATER };

static enum visit visit_failed(struct group *g, struct member *p, const struct fault *f)
{
	switch (f->id) {
	case FAULT_TOO_MANY_JOBS:
	case FAULT_MODULE_MISSING:
	case FAULT_VERSION_MISMATCH:
		p->state = MEMBER_PENDING;
		return VISIT_LATER;
	case FAULT_NO_SUCH_PROCESS:
		p->state = MEMBER_EXITED;
		return VISIT_OVER;
	case FAULT_KERNEL_THREAD:
		p->state = MEMBER_KERNEL;
		return VISIT_OVER;
	case FAULT_NODE_FORBIDDEN:
		p->state = MEMBER_FORBIDDEN;
		break;
	case FAULT_NOT_ALLOWED:
		p->state = MEMBER_FOREIGN;
		break;
	default:
		p->state = MEMBER_REFUSED;
		break;
	}
	group_note_why(g, f->text);
	return VISIT_OVER;
}

static enum visit visit(struct manager *m, struct group *g, struct member *p)
{
	struct job_request req = g->req;
	struct fault f = { .id = FAULT_NONE };
	struct target t;
	struct job *job;

	if (!m->ready)
		return VISIT_LATER;
	/* The most frequent of all failures is not worth the file below. */
	if (target_look(&t, p->pid) < 0 || target_has_exited(&t) ||
	    t.start_time != p->start_time) {
		p->state = MEMBER_EXITED;
		return VISIT_OVER;
	}
	/* Kept before it is submitted: who takes over knows the job by its process. */
	p->state = MEMBER_RUNNING;
	g->after = m->last_job;
	group_save(m, g);
	req.pid = p->pid;
	req.start_time = p->start_time;
	/* Root may have given it a longer one, or the policy a shorter one since. */
	if (req.own_only && req.deadline_us > m->policy.deadline_usec)
		req.deadline_us = 0;
	if (job_submit(m, &req, &job, &f) < 0)
		return visit_failed(g, p, &f);
	p->job = job->nl.id;
	g->job = job->nl.id;
	return VISIT_BEGUN;
}

static void advance(struct manager *m, struct group *g)
{
	unsigned int left_out = 0;
	struct member *p;

	while (g->state != GROUP_DONE && !group_first(g, MEMBER_RUNNING)) {
		p = g->cancelled ? NULL : group_first(g, MEMBER_PENDING);
		if (!p) {
			if (g->cancelled || !read_again(g))
				finish(m, g);
			continue;
		}
		switch (visit(m, g, p)) {
		case VISIT_BEGUN:
			set_state(m, g, GROUP_RUNNING);
			break;
		case VISIT_LATER:
			set_state(m, g, g->state == GROUP_QUEUED ? GROUP_QUEUED : GROUP_WAITING);
			return;
		case VISIT_OVER:
			/* Others have something to say, too. */
			if (++left_out == STEP) {
				groups_kick(m);
				return;
			}
			break;
		}
	}
}

static int on_kick(sd_event_source *source, void *arg)
{
	struct manager *m = arg;

	for (struct group *g = m->groups; g; g = g->next)
		advance(m, g);
	prune(m);
	return 0;
}

void groups_kick(struct manager *m)
{
	/* Not from here: the caller is in the middle of telling of a job. */
	if (m->groups)
		sd_event_source_set_enabled(m->group_step, SD_EVENT_ONESHOT);
}

static struct group *group_of_job(struct manager *m, uint64_t id)
{
	for (struct group *g = m->groups; g; g = g->next)
		if (g->job == id)
			return g;
	return NULL;
}

static void cancel_job(struct manager *m, struct group *g)
{
	struct job *job = job_find(m, g->job);
	struct fault f;

	/* One that has ended meanwhile is about to tell. */
	if (job && job_cancel(m, job, &f) < 0)
		log_debug("group %llu: %s", (unsigned long long)g->id, f.text);
}

void group_job_known(struct manager *m, const struct job *job)
{
	struct member *p;

	for (struct group *g = m->groups; g; g = g->next) {
		p = group_first(g, MEMBER_RUNNING);
		if (g->job || !p || p->pid != (pid_t)job->nl.pid ||
		    p->start_time != job->nl.start_time || job->nl.id <= g->after ||
		    job->nl.to != g->req.to || job->nl.from != g->req.from)
			continue;
		p->job = job->nl.id;
		g->job = job->nl.id;
		g->state = GROUP_RUNNING;
		if (job->done)
			group_job_ended(m, job);
		else if (g->cancelled)
			cancel_job(m, g);
		return;
	}
}

void group_job_progress(struct manager *m, const struct job *job)
{
	struct group *g = group_of_job(m, job->nl.id);
	uint64_t now = now_ns();

	if (!g || now - g->told_ns < TELL_NS)
		return;
	g->told_ns = now;
	group_refresh(m, g);
	bus_group_progress(m, g);
}

void group_job_set(struct manager *m, const struct job *job, const struct nl_change *change)
{
	struct group *g = group_of_job(m, job->nl.id);

	if (!g)
		return;
	if (change->has_deadline)
		g->req.deadline_us = change->deadline_us;
	if (change->has_rate) {
		g->req.max_rate = change->max_rate;
		g->req.has_rate = true;
	}
	if (change->has_paused)
		g->req.paused = change->paused;
	if (change->has_nice)
		g->req.nice = change->nice;
	group_save(m, g);
}

/* Its job says little of the process: it has to be visited once more. */
static enum member_state visit_again(struct group *g, struct member *p, const char *cause)
{
	char why[FAULT_TEXT_LEN];

	if (++p->tries < GROUP_TRIES)
		return MEMBER_PENDING;
	snprintf(why, sizeof(why), "process %d was given up after %d jobs: %s", p->pid, GROUP_TRIES,
		 cause);
	group_note_why(g, why);
	return MEMBER_REFUSED;
}

void group_job_ended(struct manager *m, const struct job *job)
{
	struct group *g = group_of_job(m, job->nl.id);
	struct member *p = g ? group_first(g, MEMBER_RUNNING) : NULL;
	bool all = true;

	groups_kick(m);
	if (!p)
		return;
	switch (job->nl.outcome) {
	case MIGD_OUTCOME_MOVED:
		p->state = MEMBER_DONE;
		g->well = true;
		break;
	case MIGD_OUTCOME_CANCELLED:
		p->state = MEMBER_CANCELLED;
		break;
	case MIGD_OUTCOME_TARGET_GONE:
		/* What it had is no more; if it lives on, it has called execve(2). */
		all = false;
		p->state = visit_again(g, p, "it calls execve(2) again and again");
		break;
	case MIGD_OUTCOME_PARTLY:
	case MIGD_OUTCOME_FAILED:
		p->state = MEMBER_DONE;
		g->partly = true;
		break;
	default:
		/* Lost with a daemon. What it left is found again. */
		p->state = visit_again(g, p, "the daemon died under each");
		all = p->state == MEMBER_REFUSED;
		break;
	}
	sum_up(&g->ended, job, all);
	g->job = 0;
	group_refresh(m, g);
	if (now_ns() - g->told_ns >= TELL_NS) {
		g->told_ns = now_ns();
		bus_group_progress(m, g);
	}
}

/* A job that the module does not know was never submitted, or is no more. */
static void take_back(struct group *g)
{
	struct member *p = g->job ? NULL : group_first(g, MEMBER_RUNNING);

	if (p)
		p->state = MEMBER_PENDING;
}

void groups_served(struct manager *m)
{
	for (struct group *g = m->groups; g; g = g->next)
		take_back(g);
	groups_kick(m);
}

int group_cancel(struct manager *m, struct group *g, struct fault *f)
{
	if (g->state == GROUP_DONE)
		return fault_set(f, FAULT_NO_SUCH_GROUP,
				 "group %llu has ended already (%s): there is nothing to cancel",
				 (unsigned long long)g->id, name_outcome(g->outcome));
	g->cancelled = true;
	group_save(m, g);
	if (g->job)
		cancel_job(m, g);
	/* Without the module there is no job to wait for. */
	if (!m->ready && m->why_not.id == FAULT_MODULE_MISSING)
		take_back(g);
	groups_kick(m);
	return 0;
}

int groups_init(struct manager *m)
{
	int r;

	r = sd_event_add_defer(m->event, &m->group_step, on_kick, m);
	return r < 0 ? r : sd_event_source_set_enabled(m->group_step, SD_EVENT_OFF);
}
