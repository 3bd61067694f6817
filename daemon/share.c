// SPDX-License-Identifier: GPL-2.0
/* The total rate, split among the jobs that run. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bus.h"
#include "log.h"
#include "route.h"
#include "share.h"

uint64_t share_level(uint64_t total, const uint64_t *asked, size_t n)
{
	uint64_t level = 0, old;

	if (!total || !n)
		return 0;
	do {
		uint64_t rest = total;
		size_t more = 0;

		old = level;
		for (size_t i = 0; i < n; i++) {
			if (asked[i] && asked[i] <= old)
				rest -= asked[i];
			else
				more++;
		}
		if (!more)
			return 0;
		level = rest / more;
	} while (level != old);
	/* 0 would be no limit. */
	return level ? level : 1;
}

static uint64_t share_of(uint64_t level, uint64_t asked)
{
	return level && (!asked || asked > level) ? level : asked;
}

static bool is_less(uint64_t a, uint64_t b)
{
	return a && (!b || a < b);
}

static bool takes_part(const struct job *job)
{
	return !job->done && !job->nl.paused;
}

/* What it asks for, less what it backs off. */
static uint64_t wants(const struct job *job)
{
	return backoff_rate(&job->backoff, job->asked_rate);
}

/* With one that is not listed yet, or NULL. */
static uint64_t level_now(struct manager *m, const uint64_t *newcomer)
{
	uint64_t *asked = calloc(m->nr_active + 1, sizeof(*asked)), level;
	size_t n = 0;

	/* Right for any, if less than there is. */
	if (!asked)
		return m->policy.total_rate ? m->policy.total_rate / (m->nr_active + 1) + 1 : 0;
	for (struct job *job = m->jobs; job; job = job->next)
		if (takes_part(job))
			asked[n++] = wants(job);
	if (newcomer)
		asked[n++] = *newcomer;
	level = share_level(m->policy.total_rate, asked, n);
	free(asked);
	return level;
}

static void file_name(const struct manager *m, char *path, const char *suffix)
{
	snprintf(path, PATH_MAX, "%s/rates.json%s", m->run_dir, suffix);
}

/* As with groups, no fsync(): jobs do not outlive a crash of the machine. */
static bool write_file(const json_t *all, const char *new, const char *path)
{
	return json_dump_file(all, new, JSON_COMPACT) >= 0 && rename(new, path) >= 0;
}

/* Before any is changed: who takes over must not take a share for what was asked. */
static void keep_asked(struct manager *m)
{
	json_t *all = json_object();
	char path[PATH_MAX], new[PATH_MAX], id[24];

	for (struct job *job = m->jobs; job; job = job->next) {
		if (job->done || (!m->policy.total_rate && !job->backoff.why &&
				  job->nl.max_rate == job->asked_rate))
			continue;
		snprintf(id, sizeof(id), "%" PRIu64, job->nl.id);
		json_object_set_new(all, id, json_integer((json_int_t)job->asked_rate));
	}
	file_name(m, path, "");
	file_name(m, new, ".new");
	if (!json_object_size(all)) {
		unlink(path);
	} else if (!json_equal(all, m->rates) && !write_file(all, new, path) && !m->rates_told) {
		log_warn("%s cannot be written (%s): after a restart jobs keep the rates that they have now",
			 path, strerror(errno));
		m->rates_told = true;
	}
	json_decref(m->rates);
	m->rates = all;
}

uint64_t share_asked(struct manager *m, uint64_t id, uint64_t rate)
{
	char path[PATH_MAX], key[24];
	json_t *kept;

	if (!m->rates) {
		file_name(m, path, "");
		m->rates = json_load_file(path, 0, NULL);
	}
	snprintf(key, sizeof(key), "%" PRIu64, id);
	kept = json_object_get(m->rates, key);
	return json_is_integer(kept) ? (uint64_t)json_integer_value(kept) : rate;
}

void shares_free(struct manager *m)
{
	json_decref(m->rates);
	m->rates = NULL;
}

static void give(struct manager *m, struct job *job, uint64_t rate)
{
	const struct nl_change to = { .has_rate = true, .max_rate = rate };
	int r;

	if (job->nl.max_rate == rate || !m->nl)
		return;
	r = nl_set_job(m->nl, job->nl.id, &to);
	/* Of one that has just ended its event tells. */
	if (r == -EALREADY || r == -ENOENT)
		return;
	if (r < 0) {
		log_warn("job %" PRIu64 " cannot be given another rate (%s): see dmesg",
			 job->nl.id, strerror(-r));
		return;
	}
	job->nl.max_rate = rate;
	route_change(m, job);
	bus_job_changed(m, job);
}

static void lower(struct manager *m, uint64_t level, const struct job *but)
{
	for (struct job *job = m->jobs; job; job = job->next) {
		uint64_t rate = share_of(level, wants(job));

		if (job != but && takes_part(job) && is_less(rate, job->nl.max_rate))
			give(m, job, rate);
	}
}

void shares_settle(struct manager *m)
{
	uint64_t level = level_now(m, NULL);

	keep_asked(m);
	lower(m, level, NULL);
	for (struct job *job = m->jobs; job; job = job->next)
		if (takes_part(job))
			give(m, job, share_of(level, wants(job)));
	/* Without a total both are one, unless it backs off. */
	if (!m->policy.total_rate)
		keep_asked(m);
}

uint64_t share_make_room(struct manager *m, uint64_t asked)
{
	uint64_t level = level_now(m, &asked);

	keep_asked(m);
	lower(m, level, NULL);
	return share_of(level, asked);
}

uint64_t share_give_way(struct manager *m, struct job *job)
{
	uint64_t level = level_now(m, NULL);

	keep_asked(m);
	lower(m, level, job);
	return takes_part(job) ? share_of(level, wants(job)) : job->asked_rate;
}
