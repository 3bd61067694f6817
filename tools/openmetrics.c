// SPDX-License-Identifier: GPL-2.0
/*
 * The counters and times as text for Prometheus.
 *
 * The textfile collector of node_exporter reads the text format 0.0.4 only, in
 * which a counter's TYPE names it with its _total. OpenMetrics wants that line
 * without, and the collector would then take the counter for untyped. So the
 * lines are those of 0.0.4, which Prometheus also takes as OpenMetrics; there
 * "# EOF" has to end the text, and in 0.0.4 it is a comment.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "json.h"
#include "openmetrics.h"
#include "text.h"

#define COUNTER	"counter"
#define GAUGE	"gauge"
#define SUMMARY	"summary"

#define NS_PER_S	1000000000ULL

struct metric {
	const char *name, *type;
	const char *member;	/* of the JSON */
	const char *help;
};

static const struct metric module_metrics[] = {
	{ "jobs_total", COUNTER, "jobs", "Jobs submitted." },
	{ "jobs_active", GAUGE, "jobs_active", "Jobs that run." },
	{ "batches_total", COUNTER, "batches",
	  "Batches of pages that were locked and have ended." },
	{ "batches_late_total", COUNTER, "late",
	  "Batches that ended later than their deadline and grace." },
	{ "pages_moved_total", COUNTER, "moved", "Pages moved." },
	{ "pages_undone_total", COUNTER, "undone",
	  "Pages whose state was moved back because their copy failed." },
	{ "pages_verify_failed_total", COUNTER, "verify_failed",
	  "Pages whose copy was found wrong." },
	{ "pages_quarantined_total", COUNTER, "quarantined_total",
	  "Pages that were put in quarantine." },
	{ "quarantine_pages", GAUGE, "quarantined_pages", "Pages in quarantine." },
	{ "locked_pages", GAUGE, "locked_pages", "Pages that are locked." },
};

static const struct metric daemon_metrics[] = {
	{ "daemon_batches_total", COUNTER, "batches",
	  "Batches that the daemon had copied, since it started." },
	{ "daemon_fallbacks_total", COUNTER, "fallbacks",
	  "Copies that failed on an engine and went to the CPU, since the daemon started." },
	{ "daemon_fallback_pages_total", COUNTER, "fallback_pages",
	  "Pages of these copies, since the daemon started." },
};

static const struct metric engine_metrics[] = {
	{ "engine_copies_total", COUNTER, "copies", "Copies made by the engine." },
	{ "engine_copied_pages_total", COUNTER, "pages", "Pages copied by the engine." },
	{ "engine_copied_bytes_total", COUNTER, "bytes", "Bytes copied by the engine." },
	{ "engine_errors_total", COUNTER, "errors", "Copies that failed on the engine." },
	{ "engine_in_flight_copies", GAUGE, "in_flight", "Copies that the engine has in hand." },
	{ "engine_quarantine_pages", GAUGE, "quarantined",
	  "Pages in quarantine because the engine might still write them." },
};

static const struct metric engine_copy = {
	"engine_copy_seconds", SUMMARY, "copy",
	"Time of one copy on the engine; quantile 1 is the longest."
};

static const struct metric times[] = {
	{ "lock_seconds", SUMMARY, "lock", "Time to lock a batch; quantile 1 is the longest." },
	{ "copy_seconds", SUMMARY, "copy", "Time to copy a batch; quantile 1 is the longest." },
	{ "commit_seconds", SUMMARY, "commit",
	  "Time to commit a batch; quantile 1 is the longest." },
	{ "blackout_seconds", SUMMARY, "blackout",
	  "Time from unmapping a batch to its unlock; quantile 1 is the longest." },
};

static void print_head(const char *name, const char *type, const char *help)
{
	printf("# HELP migd_%s %s\n# TYPE migd_%s %s\n", name, help, name, type);
}

static void print_label(const char *name, const char *value)
{
	printf("%s=\"", name);
	for (; *value; value++) {
		if (*value == '\n') {
			fputs("\\n", stdout);
			continue;
		}
		if (*value == '"' || *value == '\\')
			putchar('\\');
		putchar(*value);
	}
	putchar('"');
}

/* A sample of @engine, or of all when it is NULL; the value is still to come. */
static void print_name(const char *name, const char *suffix, const json_t *engine)
{
	printf("migd_%s%s", name, suffix);
	if (engine) {
		putchar('{');
		print_label("engine", json_str(engine, "name"));
		putchar('}');
	}
}

static void print_seconds(__u64 ns)
{
	/* No double between: it would round what was counted. */
	printf(" %llu.%09llu\n", ns / NS_PER_S, ns % NS_PER_S);
}

static bool has(const json_t *object, const char *member)
{
	return json_is_integer(json_object_get(object, member));
}

static void print_values(const struct metric *metrics, size_t nr, const json_t *object)
{
	for (size_t i = 0; i < nr; i++) {
		if (!has(object, metrics[i].member))
			continue;
		print_head(metrics[i].name, metrics[i].type, metrics[i].help);
		print_name(metrics[i].name, "", NULL);
		printf(" %llu\n", json_u64(object, metrics[i].member));
	}
}

/* The percentiles mean nothing before there was one. */
static void print_summary(const struct metric *m, const json_t *object, const json_t *engine)
{
	static const char *const quantiles[][2] = {
		{ "0.5", "p50_ns" }, { "0.9", "p90_ns" }, { "0.99", "p99_ns" },
		{ "0.999", "p999_ns" }, { "1", "max_ns" },
	};
	const json_t *hist = json_object_get(object, m->member);

	for (size_t i = 0; i < ARRAY_SIZE(quantiles); i++) {
		if (!json_u64(hist, "count") || !has(hist, quantiles[i][1]))
			continue;
		printf("migd_%s{", m->name);
		if (engine) {
			print_label("engine", json_str(engine, "name"));
			putchar(',');
		}
		print_label("quantile", quantiles[i][0]);
		putchar('}');
		print_seconds(json_u64(hist, quantiles[i][1]));
	}
	if (has(hist, "sum_ns")) {
		print_name(m->name, "_sum", engine);
		print_seconds(json_u64(hist, "sum_ns"));
	}
	print_name(m->name, "_count", engine);
	printf(" %llu\n", json_u64(hist, "count"));
}

static void print_times(const json_t *stats)
{
	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		if (!json_object_get(stats, times[i].member))
			continue;
		print_head(times[i].name, SUMMARY, times[i].help);
		print_summary(&times[i], stats, NULL);
	}
}

static void print_left(json_t *left)
{
	const char *reason;
	json_t *pages;

	if (!json_object_size(left))
		return;
	print_head("pages_left_total", COUNTER, "Pages left where they were, by reason.");
	json_object_foreach(left, reason, pages) {
		fputs("migd_pages_left_total{", stdout);
		print_label("reason", reason);
		printf("} %lld\n", json_integer_value(pages));
	}
}

static void print_rescued(const json_t *stats)
{
	static const char *const causes[][2] = {
		{ "deadline", "rescued_deadline" }, { "server-lost", "rescued_server" },
	};
	bool first = true;

	for (size_t i = 0; i < ARRAY_SIZE(causes); i++) {
		if (!has(stats, causes[i][1]))
			continue;
		if (first)
			print_head("batches_rescued_total", COUNTER,
				   "Batches that the kernel ended by itself, by cause.");
		first = false;
		fputs("migd_batches_rescued_total{", stdout);
		print_label("cause", causes[i][0]);
		printf("} %llu\n", json_u64(stats, causes[i][1]));
	}
}

static void print_engine_info(const json_t *engines)
{
	static const char *const labels[] = { "device", "driver", "state" };
	const json_t *engine;
	size_t i;

	print_head("engine_info", GAUGE, "What the engine is, and its state.");
	json_array_foreach(engines, i, engine) {
		fputs("migd_engine_info{", stdout);
		print_label("engine", json_str(engine, "name"));
		for (size_t l = 0; l < ARRAY_SIZE(labels); l++) {
			putchar(',');
			print_label(labels[l], json_str(engine, labels[l]));
		}
		/* The CPU and some devices are on no node. */
		if (json_s64(engine, "node", -1) >= 0)
			printf(",node=\"%lld\"", json_s64(engine, "node", -1));
		puts("} 1");
	}
}

static void print_engine_metric(const struct metric *m, const json_t *engines)
{
	const json_t *engine;
	bool first = true;
	size_t i;

	/* All samples of a metric have to be together. */
	json_array_foreach(engines, i, engine) {
		if (!json_object_get(engine, m->member))
			continue;
		if (first)
			print_head(m->name, m->type, m->help);
		first = false;
		if (!strcmp(m->type, SUMMARY)) {
			print_summary(m, engine, engine);
			continue;
		}
		print_name(m->name, "", engine);
		printf(" %llu\n", json_u64(engine, m->member));
	}
}

#define VALUES(metrics, object)	print_values(metrics, ARRAY_SIZE(metrics), object)

void openmetrics_print(const json_t *stats, const json_t *all)
{
	const json_t *engines = json_object_get(all, "engines");

	VALUES(module_metrics, stats);
	print_rescued(stats);
	print_left(json_object_get(stats, "left"));
	print_times(stats);
	VALUES(daemon_metrics, json_object_get(stats, "daemon"));
	if (json_array_size(engines)) {
		print_engine_info(engines);
		for (size_t i = 0; i < ARRAY_SIZE(engine_metrics); i++)
			print_engine_metric(&engine_metrics[i], engines);
		print_engine_metric(&engine_copy, engines);
	}
	puts("# EOF");
}
