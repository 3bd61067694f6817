// SPDX-License-Identifier: GPL-2.0
/* Jobs go slower under memory pressure, and faster again. */
#include <errno.h>
#include <stdlib.h>

#include "backoff.h"
#include "bus.h"
#include "log.h"
#include "names.h"
#include "psi.h"
#include "share.h"

uint64_t backoff_half(uint64_t rate)
{
	return rate / 2 > BACKOFF_FLOOR ? rate / 2 : BACKOFF_FLOOR;
}

uint64_t backoff_rate(const struct backoff *b, uint64_t asked)
{
	return b->why && (!asked || asked > b->most) ? b->most : asked;
}

bool backoff_double(struct backoff *b, uint64_t asked)
{
	b->most *= 2;
	if (b->most < (asked ? asked : b->before))
		return true;
	b->why = PRESSURE_NONE;
	return false;
}

static void tell(const struct job *job)
{
	struct log_fields fields = {
		.message_id = MSG_PRESSURE, .job = job->nl.id, .pid = job->nl.pid,
	};
	unsigned long long id = job->nl.id;

	if (job->backoff.why)
		log_event(LOG_NOTICE, &fields,
			  "job %llu backs off: memory pressure of the %s; it goes on with %llu bytes per second at most",
			  id, name_pressure(job->backoff.why),
			  (unsigned long long)job->backoff.most);
	else
		log_event(LOG_INFO, &fields,
			  "job %llu goes on as before: the memory pressure is over", id);
}

static int on_quiet(sd_event_source *source, uint64_t usec, void *arg)
{
	backoff_quiet(arg);
	return 0;
}

/* When the first job that backs off has had its quiet time. */
static void arm(struct manager *m)
{
	uint64_t first = UINT64_MAX, due;
	int r;

	for (struct job *job = m->jobs; job; job = job->next) {
		due = job->backoff.heard_ns / 1000 + BACKOFF_QUIET_USEC;
		if (!job->done && job->backoff.why && due < first)
			first = due;
	}
	m->quiet = sd_event_source_disable_unref(m->quiet);
	if (first == UINT64_MAX || !m->event)
		return;
	r = sd_event_add_time(m->event, &m->quiet, CLOCK_MONOTONIC, first, 0, on_quiet, m);
	if (r >= 0)
		return;
	/* Rather too fast than slow for ever. */
	log_warn("the daemon cannot wait for memory pressure to end (%d): jobs go on as before", r);
	for (struct job *job = m->jobs; job; job = job->next)
		job->backoff.why = PRESSURE_NONE;
}

void backoff_quiet(struct manager *m)
{
	uint64_t now = now_ns();

	for (struct job *job = m->jobs; job; job = job->next) {
		struct backoff *b = &job->backoff;

		if (job->done || !b->why || now < b->heard_ns + BACKOFF_QUIET_USEC * 1000)
			continue;
		b->heard_ns = now;
		if (!backoff_double(b, job->asked_rate)) {
			tell(job);
			bus_job_changed(m, job);
		}
	}
	arm(m);
	shares_settle(m);
}

/* Bytes per second that it has, or has had on the average when it has no limit. */
static uint64_t rate_of(const struct job *job)
{
	if (job->nl.max_rate)
		return job->nl.max_rate;
	return job->elapsed_usec ? (double)job->bytes * 1e6 / job->elapsed_usec : 0;
}

void backoff_begin(struct manager *m, struct job *job, enum pressure why)
{
	struct backoff *b = &job->backoff;
	uint64_t now = now_ns(), rate, most;
	bool first = !b->why;

	if (job->done || job->nl.paused)
		return;
	b->heard_ns = now;
	/* Each window once, however many tell of it. */
	if (!first && now < b->cut_ns + PSI_WINDOW_USEC * 1000)
		goto out;
	job_refresh(m, job);
	rate = rate_of(job);
	most = backoff_half(rate);
	/* It is as slow already. */
	if (job->nl.max_rate && most >= job->nl.max_rate)
		goto out;
	b->cut_ns = now;
	b->why = why;
	b->most = most;
	if (first) {
		b->before = rate;
		tell(job);
	}
	shares_settle(m);
	bus_job_changed(m, job);
out:
	arm(m);
}

void backoff_end_all(struct manager *m)
{
	bool any = false;

	for (struct job *job = m->jobs; job; job = job->next) {
		if (job->done || !job->backoff.why)
			continue;
		job->backoff.why = PRESSURE_NONE;
		bus_job_changed(m, job);
		any = true;
	}
	arm(m);
	if (any)
		shares_settle(m);
}

void backoff_free(struct manager *m)
{
	m->quiet = sd_event_source_disable_unref(m->quiet);
}
