// SPDX-License-Identifier: GPL-2.0
/* What top shows of two samples: rates where they are known, 80 columns at most. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "top.h"

static char said[8192];
static size_t widest;
static int failed;

#define CHECK(x)	check(x, #x, __LINE__)

static void check(bool ok, const char *what, int line)
{
	if (ok)
		return;
	failed = 1;
	fprintf(stderr, "test-top.c:%d: not true: %s; said:\n%s", line, what, said);
}

static void take(void *arg, const char *line, bool title)
{
	size_t len = strlen(line);

	widest = len > widest ? len : widest;
	snprintf(said + strlen(said), sizeof(said) - strlen(said), "%s%s\n", title ? "#" : "",
		 line);
}

static void look(const struct top *top)
{
	said[0] = '\0';
	widest = 0;
	top_tell(top, take, NULL);
}

/* A machine whose counters are as large as they get. */
/* With as many bytes, memory is short in the cgroup of the process. */
#define SHORT	7

static json_t *sample(json_int_t bytes)
{
	json_t *stats, *engine, *node, *ended, *job;

	stats = json_pack("{s:i, s:I, s:i, s:i, s:i, s:{s:i, s:i, s:i, s:i, s:i, s:i}}",
			  "jobs_active", 1, "moved", (json_int_t)123456789012,
			  "locked_pages", 4096, "quarantined_pages", 4096, "late", 7, "blackout",
			  "count", 3, "p50_ns", 210000, "p90_ns", 300000, "p99_ns", 480000,
			  "p999_ns", 990000, "max_ns", 1200000);
	engine = json_pack("{s:s, s:s, s:i, s:I, s:i, s:i, s:i, s:{s:i, s:i}}",
			   "name", "dma12chan10-and-a-long-name", "state", "disabled",
			   "copies", 123456789, "bytes", bytes, "in_flight", 65536,
			   "errors", 65536, "quarantined", 65536,
			   "copy", "count", 1, "p99_ns", 480000000);
	node = json_pack("{s:i, s:I, s:I}", "id", 12, "total", (json_int_t)1 << 43,
			 "free", (json_int_t)1 << 42);
	ended = json_pack("{s:i, s:i, s:s, s:i, s:i, s:s, s:s, s:i, s:i}", "id", 6, "pid", 1,
			  "comm", "old", "from", 0, "to", 1, "state", "done",
			  "outcome", "server-lost", "total", 10, "moved", 5);
	job = json_pack("{s:i, s:i, s:s, s:i, s:i, s:s, s:I, s:I, s:I, s:{s:I}, s:{s:i, s:i}}",
			"id", 7, "pid", 4194303, "comm", "r\033[2J\303\251dis-server-x",
			"from", -1, "to", 12, "state", "running", "total", (json_int_t)4000000000,
			"moved", (json_int_t)1000000000, "bytes", bytes,
			"left", "file", (json_int_t)1000000000,
			"blackout", "count", 1, "max_ns", 480000000);
	json_object_set_new(job, "backed_off", json_string(bytes == SHORT ? "cgroup" : ""));
	return json_pack("{s:s, s:s, s:b, s:o, s:[o], s:[o], s:[o, o]}", "version", "0.1.0",
			 "module_version", "0.1.0", "ready", 1, "stats", stats, "engines", engine,
			 "nodes", node, "jobs", ended, job);
}

int main(void)
{
	struct top top = { };

	/* Nothing is known yet. */
	look(&top);
	CHECK(widest <= 80);

	top_take(&top, sample(1000000), 1000000);
	look(&top);
	CHECK(strstr(said, "migd 0.1.0 serves module 0.1.0, 1 jobs run"));
	CHECK(strstr(said, "copied -;") && !strstr(said, "MB/s"));
	CHECK(strstr(said, "blackout p50 210 us, p99 480 us, p99.9 990 us, longest 1.2 ms"));
	CHECK(strstr(said, " 50%") && widest <= 80);
	CHECK(strstr(said, "server-l") && strstr(said, "#  JOB") < strstr(said, "#ENDED"));

	/* 900 GB in two seconds. */
	top_take(&top, sample(900000000000 + 1000000), 3000000);
	look(&top);
	CHECK(strstr(said, "copied 450.0 GB/s;"));
	CHECK(widest <= 80);
	CHECK(!strchr(said, '\033') && strstr(said, "r?[2J??dis "));

	/* The module was loaded anew. */
	top_take(&top, sample(5), 4000000);
	look(&top);
	CHECK(!strstr(said, "B/s"));

	snprintf(top.why, sizeof(top.why), "migd does not answer");
	look(&top);
	CHECK(!strncmp(said, "migd does not answer\n", 21) && strstr(said, "old"));
	top_take(&top, sample(6), 5000000);
	look(&top);
	CHECK(!strncmp(said, "migd 0.1.0 serves", 17));
	CHECK(strstr(said, " running ") && !strstr(said, "backoff"));
	top_take(&top, sample(SHORT), 5500000);
	look(&top);
	CHECK(strstr(said, " backoff ") && !strstr(said, " running "));

	/* An answer that has nothing of it. */
	top_take(&top, json_object(), 6000000);
	look(&top);
	CHECK(strstr(said, "does not serve"));
	top_done(&top);
	return failed;
}
