// SPDX-License-Identifier: GPL-2.0
/* The jobs: submitted, followed, kept for a while when they have ended. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bus.h"
#include "group.h"
#include "job.h"
#include "log.h"
#include "memlimit.h"
#include "names.h"
#include "own.h"
#include "owner.h"
#include "pressure.h"
#include "route.h"
#include "share.h"
#include "target.h"

/* A job that runs is not read again sooner than this. */
#define REFRESH_NS	100000000ULL

static int64_t clock_diff_ns(clockid_t a, clockid_t b)
{
	struct timespec ta, tb;

	clock_gettime(a, &ta);
	clock_gettime(b, &tb);
	return (ta.tv_sec - tb.tv_sec) * 1000000000LL + ta.tv_nsec - tb.tv_nsec;
}

struct job *job_find(struct manager *m, uint64_t id)
{
	for (struct job *job = m->jobs; job; job = job->next)
		if (job->nl.id == id)
			return job;
	return NULL;
}

uint64_t job_left(const struct job *job)
{
	uint64_t pages = 0;

	for (unsigned int i = 0; i < NL_REASONS; i++)
		pages += job->nl.left[i];
	return pages;
}

static void take(struct job *job, const struct nl_job *nl)
{
	job->nl = *nl;
	job->bytes = nl->moved * sysconf(_SC_PAGESIZE);
	job->elapsed_usec = nl->elapsed_ns / 1000;
	/* Once: the clocks drift, and the time of a submission does not. */
	if (!job->submitted_usec)
		job->submitted_usec = (nl->submitted_ns +
				       clock_diff_ns(CLOCK_REALTIME, CLOCK_BOOTTIME)) / 1000;
	job->seen_ns = now_ns();
}

static struct job *job_add(struct manager *m, const struct nl_job *nl, const char *engine)
{
	struct job **at = &m->jobs, *job;

	job = calloc(1, sizeof(*job));
	if (!job)
		return NULL;
	take(job, nl);
	job->done = nl->state == MIGD_JOB_STATE_DONE;
	job->asked_rate = share_asked(m, nl->id, nl->max_rate);
	job->user = owner_of(m, nl);
	snprintf(job->engine, sizeof(job->engine), "%s", engine);
	while (*at && (*at)->nl.id < nl->id)
		at = &(*at)->next;
	job->next = *at;
	*at = job;
	if (nl->id > m->last_job)
		m->last_job = nl->id;
	if (job->done)
		m->nr_finished++;
	else
		m->nr_active++;
	return job;
}

/* The oldest ones that have ended make room. */
static void prune(struct manager *m)
{
	struct job **at = &m->jobs, *job;

	while (m->nr_finished > m->conf.keep_finished && *at) {
		job = *at;
		if (!job->done) {
			at = &job->next;
			continue;
		}
		*at = job->next;
		m->nr_finished--;
		bus_job_gone(m, job);
		pressure_forget(job);
		free(job);
	}
}

static void log_started(const struct job *job)
{
	struct log_fields fields = {
		.message_id = MSG_JOB_STARTED,
		.job = job->nl.id,
		.pid = job->nl.pid,
		.engine = job->engine,
	};

	log_event(LOG_INFO, &fields, "job %llu: %s (pid %u) goes to node %d, %s, engine %s",
		  (unsigned long long)job->nl.id, job->nl.comm, job->nl.pid, job->nl.to,
		  name_order(job->nl.order), job->engine);
}

static void log_done(const struct job *job)
{
	const char *outcome = name_outcome(job->nl.outcome);
	struct log_fields fields = {
		.message_id = MSG_JOB_DONE,
		.job = job->nl.id,
		.pid = job->nl.pid,
		.engine = job->engine,
		.outcome = outcome,
	};

	log_event(LOG_INFO, &fields,
		  "job %llu: %s (pid %u) to node %d %s: %llu pages moved, %llu left, %llu ms",
		  (unsigned long long)job->nl.id, job->nl.comm, job->nl.pid, job->nl.to, outcome,
		  (unsigned long long)job->nl.moved, (unsigned long long)job_left(job),
		  (unsigned long long)job->elapsed_usec / 1000);
}

static void finish(struct manager *m, struct job *job)
{
	job->done = true;
	job->backoff.why = PRESSURE_NONE;
	m->nr_active--;
	m->nr_finished++;
	jobtab_forget(&m->jobtab, job->nl.id);
	route_end(m, job->nl.id);
	shares_settle(m);
	pressure_settle(m);
	log_done(job);
	bus_job_done(m, job);
	group_job_ended(m, job);
	prune(m);
	manager_status_soon(m);
}

/* The module waits for us to move what a job in this state has left. */
static void route(struct manager *m, const struct job *job)
{
	if (job->nl.state == MIGD_JOB_STATE_ROUTING)
		route_begin(m, job);
}

static void tell_progress(struct manager *m, const struct job *job)
{
	bus_job_progress(m, job);
	group_job_progress(m, job);
}

void job_heard(struct manager *m, const struct nl_job *nl)
{
	struct job *job = job_find(m, nl->id);

	if (!job) {
		job = job_add(m, nl, m->policy.default_engine);
		if (job) {
			bus_job_new(m, job, !job->done);
			group_job_known(m, job);
			route(m, job);
		}
		prune(m);
		return;
	}
	if (job->done)
		return;
	take(job, nl);
	route(m, job);
	if (nl->state == MIGD_JOB_STATE_DONE)
		finish(m, job);
	else
		tell_progress(m, job);
}

void job_refresh(struct manager *m, struct job *job)
{
	struct nl_job nl;

	if (job->done || !m->nl || now_ns() - job->seen_ns < REFRESH_NS)
		return;
	/* Its end is told by its event, so that nobody misses the signal. */
	if (!nl_get_job(m->nl, job->nl.id, &nl) && nl.state != MIGD_JOB_STATE_DONE)
		take(job, &nl);
}

struct import {
	struct nl_job *jobs;
	size_t nr;
	bool no_memory;
};

static void import_one(const struct nl_job *nl, void *arg)
{
	struct import *import = arg;
	struct nl_job *grown;

	grown = reallocarray(import->jobs, import->nr + 1, sizeof(*grown));
	if (!grown) {
		import->no_memory = true;
		return;
	}
	import->jobs = grown;
	import->jobs[import->nr++] = *nl;
}

static bool is_imported(const struct import *import, uint64_t id)
{
	for (size_t i = 0; i < import->nr; i++)
		if (import->jobs[i].id == id)
			return true;
	return false;
}

/* The first job above @id that runs, as far as we know, and that the module did not list. */
static struct job *next_missing(struct manager *m, const struct import *import, uint64_t id)
{
	for (struct job *job = m->jobs; job; job = job->next)
		if (job->nl.id > id && !job->done && !is_imported(import, job->nl.id))
			return job;
	return NULL;
}

/*
 * The module keeps the last jobs that have ended. One that has ended unheard and
 * is not among them any more has an outcome that nobody knows.
 */
static void end_forgotten(struct manager *m, const struct import *import)
{
	struct nl_job nl;
	struct job *job;
	uint64_t id = 0;
	int r;

	/* Found again by its id each time: whoever ends may make an older one go. */
	while ((job = next_missing(m, import, id))) {
		id = job->nl.id;
		r = nl_get_job(m->nl, id, &nl);
		if (!r)
			job_heard(m, &nl);
		if (r != -ENOENT)
			continue;
		job->nl.state = MIGD_JOB_STATE_DONE;
		job->nl.outcome = OUTCOME_UNKNOWN;
		finish(m, job);
	}
}

int jobs_import(struct manager *m)
{
	struct import import = { .jobs = NULL };
	int r;

	/* Heard of when all are here: telling the bus may ask the module again. */
	r = nl_dump_jobs(m->nl, import_one, &import);
	if (!r && import.no_memory)
		r = -ENOMEM;
	for (size_t i = 0; !r && i < import.nr; i++)
		job_heard(m, &import.jobs[i]);
	if (!r)
		end_forgotten(m, &import);
	shares_settle(m);
	pressure_settle(m);
	free(import.jobs);
	manager_status(m);
	return r;
}

void jobs_free(struct manager *m)
{
	struct job *next;

	pressure_free(m);
	shares_free(m);
	owners_free(m);
	for (struct job *job = m->jobs; job; job = next) {
		next = job->next;
		free(job);
	}
	m->jobs = NULL;
}

static int check_request(struct manager *m, const struct job_request *req, const char *engine,
			 uint32_t *ret_choice, struct fault *f)
{
	if (req->order == MIGD_ORDER_STATE_FIRST &&
	    !(m->device.setup.features & MIGD_FEAT_STATE_FIRST))
		return fault_set(f, FAULT_INVALID_OPTION,
				 "the kernel module does not know order state-first: use copy-first");
	if (req->batch_pages > m->device.setup.max_batch_pages)
		return fault_set(f, FAULT_INVALID_OPTION,
				 "batch-pages is %u but a slot takes %u pages at most: ask for less, or raise BatchPages= in [Daemon] of migd.conf",
				 req->batch_pages, m->device.setup.max_batch_pages);
	/* Others may share the memory, and wait for it as long. */
	if (req->own_only && req->deadline_us > m->policy.deadline_usec)
		return fault_set(f, FAULT_INVALID_OPTION,
				 "deadline-us is %u but the policy has %llu, which only root may exceed: ask for less",
				 req->deadline_us, (unsigned long long)m->policy.deadline_usec);
	if (engine_choice(m, engine, ret_choice) < 0)
		return fault_set(f, FAULT_NO_SUCH_ENGINE,
				 "there is no engine '%s': migctl engines lists those there are",
				 engine);
	return 0;
}

static int check_choice(struct manager *m, const struct job_request *req, const char **ret_engine,
			uint32_t *ret_choice, struct fault *f)
{
	int r;

	r = serve_ensure(m, f);
	if (r < 0)
		return r;
	*ret_engine = *req->engine ? req->engine : engine_default(m, ret_choice);
	return check_request(m, req, *ret_engine, ret_choice, f);
}

int job_check(struct manager *m, const struct job_request *req, struct fault *f)
{
	const char *engine;
	uint32_t choice;

	return check_choice(m, req, &engine, &choice, f);
}

/* Everything is checked: hand it to the module. */
static int submit(struct manager *m, const struct job_request *req, const struct target *t,
		  uint32_t choice, uint64_t rate, uint64_t *ret_id, struct fault *f)
{
	uint32_t max = m->device.setup.max_batch_pages;
	struct nl_submit s = {
		.pid = t->pid,
		.start_time = t->start_time,
		.from = req->from,
		.to = req->to,
		.order = req->order,
		.batch_pages = req->batch_pages ? req->batch_pages : m->policy.batch_pages,
		.deadline_us = req->deadline_us ? req->deadline_us : m->policy.deadline_usec,
		.max_rate = rate,
		.nice = req->nice,
		/* Large folios that come to an atomic range keep it where it is. */
		.flags = req->flags | (req->leave_large || req->flags & MIGD_JOB_FLAG_ATOMIC ?
				       0 : MIGD_JOB_FLAG_ROUTE),
		.ranges = req->ranges,
		.nr_ranges = req->nr_ranges,
	};
	int r;

	if (s.batch_pages > max)
		s.batch_pages = max;
	/* An atomic range is one batch, however large: that was asked for. */
	if (!(req->flags & MIGD_JOB_FLAG_ATOMIC))
		s.batch_pages = memlimit_batch(memlimit_of("", t->pid), s.batch_pages);
	jobtab_expect(&m->jobtab, choice);
	r = nl_submit(m->nl, &s, ret_id);
	jobtab_learn(&m->jobtab, r < 0 ? 0 : *ret_id, choice);
	if (!r)
		return 0;
	if (*nl_ctl_message(m->nl))
		return fault_set(f, fault_of_submit(r), "%s", nl_ctl_message(m->nl));
	return fault_set(f, fault_of_submit(r),
			 "the kernel module refuses to move process %d (%s): see dmesg", t->pid,
			 strerror(-r));
}

/* The process may have become another program meanwhile, such as a setuid one. */
static int check_own(const struct target *t, const struct job_request *req, struct fault *f)
{
	if (!req->own_only || own_target(t, req->user, req->group))
		return 0;
	return fault_set(f, FAULT_NOT_ALLOWED,
			 "process %d is not user %u's own: run it as root, or have a rule of polkit allow org.migd1.migrate-others, see migd(8)",
			 t->pid, req->user);
}

static int check_number(struct manager *m, uint32_t user, struct fault *f)
{
	unsigned int own = 0;

	if (m->nr_active >= m->conf.max_jobs)
		return fault_set(f, FAULT_TOO_MANY_JOBS,
				 "%u jobs run already, which is MaxJobs= of migd.conf: wait for one to end or cancel one",
				 m->nr_active);
	for (struct job *job = m->jobs; job; job = job->next)
		own += !job->done && job->user == user;
	return owner_check(m, user, own, "jobs", f);
}

int job_submit(struct manager *m, const struct job_request *req, struct job **ret,
	       struct fault *f)
{
	const struct nl_change wait = { .has_paused = true, .paused = true };
	struct nl_job nl = { .id = 0 };
	const char *engine;
	struct target t;
	uint64_t id, asked, rate;
	uint32_t choice;
	struct job *job;
	int r;

	r = target_open(&t, req->pid, f);
	if (r < 0)
		return r;
	if (req->start_time && t.start_time != req->start_time) {
		r = fault_set(f, FAULT_NO_SUCH_PROCESS,
			      "process %u has exited and its pid has another owner", req->pid);
		goto out;
	}
	r = check_own(&t, req, f);
	if (r < 0)
		goto out;
	r = target_check_nodes(&t, req->from, req->to, f);
	if (r < 0)
		goto out;
	r = check_choice(m, req, &engine, &choice, f);
	if (r < 0)
		goto out;
	r = check_number(m, req->user, f);
	if (r < 0)
		goto out;
	r = target_check_alive(&t, f);
	if (r < 0)
		goto out;
	asked = req->has_rate ? req->max_rate : m->policy.max_rate;
	rate = share_make_room(m, asked);
	r = submit(m, req, &t, choice, rate, &id, f);
	if (r < 0) {
		shares_settle(m);
		goto out;
	}
	/* Which program's memory the module has taken, only a look before and after tells. */
	r = check_own(&t, req, f);
	if (r < 0) {
		nl_cancel(m->nl, id);
		jobtab_forget(&m->jobtab, id);
		shares_settle(m);
		goto out;
	}
	r = req->paused ? nl_set_job(m->nl, id, &wait) : 0;
	if (r < 0 && r != -EALREADY)
		log_warn("job %llu does not wait, as it was to (%s): see dmesg",
			 (unsigned long long)id, strerror(-r));
	r = 0;

	/* A short job may have ended by now; its event is still to come. */
	if (nl_get_job(m->nl, id, &nl) < 0 || nl.state == MIGD_JOB_STATE_DONE) {
		nl = (struct nl_job) {
			.id = id, .pid = t.pid, .start_time = t.start_time,
			.from = req->from, .to = req->to, .order = req->order,
			.max_rate = rate,
			.nice = req->nice,
			.flags = req->flags,
			.state = MIGD_JOB_STATE_QUEUED,
			.submitted_ns = now_ns() + clock_diff_ns(CLOCK_BOOTTIME, CLOCK_MONOTONIC),
		};
		snprintf(nl.comm, sizeof(nl.comm), "%s", t.comm);
	}
	job = job_add(m, &nl, engine);
	if (!job) {
		r = fault_set(f, FAULT_FAILED, "the daemon is out of memory: see free(1)");
		nl_cancel(m->nl, id);
		goto out;
	}
	job->asked_rate = asked;
	job->user = req->user;
	owners_keep(m);
	shares_settle(m);
	pressure_settle(m);
	log_started(job);
	bus_job_new(m, job, true);
	route(m, job);
	manager_status_soon(m);
	*ret = job;
out:
	target_close(&t);
	return r;
}

void job_progressed(struct manager *m, const struct nl_job *nl)
{
	struct job *job = job_find(m, nl->id);
	struct nl_job full;

	if (!job) {
		/* Somebody else submitted it. */
		if (m->nl && !nl_get_job(m->nl, nl->id, &full))
			job_heard(m, &full);
		shares_settle(m);
		pressure_settle(m);
		return;
	}
	if (job->done)
		return;
	job->nl.state = nl->state;
	job->nl.total = nl->total;
	job->nl.moved = nl->moved;
	job->nl.passes = nl->passes;
	job->bytes = nl->moved * sysconf(_SC_PAGESIZE);
	route(m, job);
	tell_progress(m, job);
}
