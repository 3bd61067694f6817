// SPDX-License-Identifier: GPL-2.0
/* What `migctl top` shows, line by line; 80 columns are enough for each. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "job.h"
#include "json.h"
#include "text.h"
#include "top.h"

#define LINE	160

struct teller {
	const struct top *top;
	top_line_fn tell;
	void *arg;
};

void top_take(struct top *top, json_t *all, __u64 usec)
{
	json_decref(top->before.all);
	top->before = top->now;
	top->now = (struct top_sample) { .all = all, .usec = usec };
	top->why[0] = '\0';
}

void top_done(struct top *top)
{
	json_decref(top->before.all);
	json_decref(top->now.all);
	*top = (struct top) { };
}

__printf(3, 4) static void put(const struct teller *t, bool title, const char *format, ...)
{
	char line[LINE], safe[LINE];
	va_list ap;

	va_start(ap, format);
	vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	/* The names of processes are theirs to choose; a byte is a column. */
	text_copy(safe, sizeof(safe), line);
	for (char *c = safe; *c; c++)
		if (*c & 0x80)
			*c = '?';
	t->tell(t->arg, safe, title);
}

/* The object of an array that has the same @key as @like; NULL if there is none. */
static const json_t *same(const json_t *array, const json_t *like, const char *key)
{
	const json_t *object;
	size_t i;

	json_array_foreach(array, i, object)
		if (json_equal(json_object_get(object, key), json_object_get(like, key)))
			return object;
	return NULL;
}

/*
 * How fast member @what of @now grew, per second, in @ret. False where that is
 * not known: it was not there before, or the module was loaded anew.
 */
static bool grew(const struct top *top, const json_t *now, const json_t *before,
		 const char *what, double *ret)
{
	__u64 is = json_u64(now, what), was = json_u64(before, what);
	__u64 usec = top->now.usec - top->before.usec;

	if (!before || !usec || is < was)
		return false;
	*ret = (is - was) * 1e6 / usec;
	return true;
}

static struct text rate_text(bool known, double rate)
{
	struct text t = { "-" };

	if (!known)
		return t;
	if (rate < 1e10)
		return text_rate(rate);
	snprintf(t.s, sizeof(t.s), "%.1f GB/s", rate / 1e9);
	return t;
}

static const json_t *before_of(const struct teller *t, const char *array, const json_t *now,
			       const char *key)
{
	return same(json_object_get(t->top->before.all, array), now, key);
}

static void tell_head(const struct teller *t)
{
	const json_t *all = t->top->now.all, *stats = json_object_get(all, "stats"), *engine;
	double rate, sum = 0;
	struct hist blackout;
	bool known = false;
	size_t i;

	if (t->top->why[0]) {
		put(t, false, "%s", t->top->why);
	} else if (!json_is_true(json_object_get(all, "ready"))) {
		put(t, false, "migd %s does not serve: %s", json_str(all, "version"),
		    json_str(all, "module_error"));
	} else {
		put(t, false, "migd %s serves module %s, %llu jobs run", json_str(all, "version"),
		    json_str(all, "module_version"), json_u64(stats, "jobs_active"));
	}
	json_array_foreach(json_object_get(all, "engines"), i, engine) {
		if (!grew(t->top, engine, before_of(t, "engines", engine, "name"), "bytes", &rate))
			continue;
		known = true;
		sum += rate;
	}
	put(t, false, "copied %s; pages moved %llu, locked %llu, quarantined %llu",
	    rate_text(known, sum).s, json_u64(stats, "moved"), json_u64(stats, "locked_pages"),
	    json_u64(stats, "quarantined_pages"));
	hist_read_json(&blackout, stats, "blackout");
	if (blackout.count)
		put(t, false,
		    "blackout p50 %s, p99 %s, p99.9 %s, longest %s; ended late %llu",
		    text_ns(blackout.p50).s, text_ns(blackout.p99).s,
		    text_ns(blackout.p999).s, text_ns(blackout.max).s,
		    json_u64(stats, "late"));
	else
		put(t, false, "blackout: no batch yet");
}

static void tell_job(const struct teller *t, const json_t *object)
{
	struct job job = { };
	unsigned int percent;
	double rate;
	bool known;

	job_read_json(&job, object);
	known = grew(t->top, object, before_of(t, "jobs", object, "id"), "bytes", &rate);
	percent = job.total ? job_handled(&job) * 100 / job.total : 100;
	put(t, false, "%5llu %7u %-10.10s %4s %3d %-8.8s %10llu %3u%% %12s %8s", job.id, job.pid,
	    job.comm, text_node(job.from).s, job.to,
	    job_is_done(&job) ? job.outcome : job_state(&job), job.moved,
	    percent > 100 ? 100 : percent,
	    job_is_done(&job) ? "-" : rate_text(known, rate).s,
	    job.blackout.count ? text_ns(job.blackout.max).s : "-");
}

static bool is_done(const json_t *job)
{
	return !strcmp(json_str(job, "state"), "done");
}

/* Those that run, or those that have ended, the last one first. */
static void tell_jobs(const struct teller *t, bool done)
{
	const json_t *jobs = json_object_get(t->top->now.all, "jobs"), *job;
	size_t nr = json_array_size(jobs), nr_done = 0, i;

	json_array_foreach(jobs, i, job)
		nr_done += is_done(job);
	if (done && !nr_done)
		return;
	put(t, true, "%5s %7s %-10s %4s %3s %-8s %10s %4s %12s %8s", done ? "ENDED" : "JOB", "PID",
	    "COMM", "FROM", "TO", done ? "OUTCOME" : "STATE", "MOVED", "DONE", "RATE", "BLACKOUT");
	for (i = 0; i < nr; i++) {
		job = json_array_get(jobs, done ? nr - 1 - i : i);
		if (is_done(job) == done)
			tell_job(t, job);
	}
}

static void tell_engines(const struct teller *t)
{
	const json_t *engine, *before;
	struct hist copy;
	double rate;
	bool known;
	size_t i;

	put(t, true, "%-16s %-9s %12s %9s %6s %6s %6s %8s", "ENGINE", "STATE", "RATE", "COPIES",
	    "FLIGHT", "ERRORS", "QUARAN", "COPY P99");
	json_array_foreach(json_object_get(t->top->now.all, "engines"), i, engine) {
		before = before_of(t, "engines", engine, "name");
		known = grew(t->top, engine, before, "bytes", &rate);
		hist_read_json(&copy, engine, "copy");
		put(t, false, "%-16.16s %-9.9s %12s %9llu %6llu %6llu %6llu %8s",
		    json_str(engine, "name"), json_str(engine, "state"), rate_text(known, rate).s,
		    json_u64(engine, "copies"), json_u64(engine, "in_flight"),
		    json_u64(engine, "errors"), json_u64(engine, "quarantined"),
		    copy.count ? text_ns(copy.p99).s : "-");
	}
}

static void tell_nodes(const struct teller *t)
{
	const json_t *node;
	__u64 total, free;
	size_t i;

	put(t, true, "%-4s %14s %14s %5s", "NODE", "TOTAL", "FREE", "USED");
	json_array_foreach(json_object_get(t->top->now.all, "nodes"), i, node) {
		total = json_u64(node, "total");
		free = json_u64(node, "free");
		put(t, false, "%-4llu %14s %14s %4llu%%", json_u64(node, "id"), text_bytes(total).s,
		    text_bytes(free).s, total && total >= free ? (total - free) * 100 / total : 0);
	}
}

void top_tell(const struct top *top, top_line_fn tell, void *arg)
{
	const struct teller t = { .top = top, .tell = tell, .arg = arg };

	tell_head(&t);
	tell_jobs(&t, false);
	tell_engines(&t);
	tell_nodes(&t);
	tell_jobs(&t, true);
}
