// SPDX-License-Identifier: GPL-2.0
/* migctl stats: counters and times since the module was loaded. */
#include <stdio.h>
#include <string.h>

#include "client.h"
#include "job.h"
#include "json.h"
#include "migctl.h"
#include "openmetrics.h"
#include "text.h"

static const char help[] =
	"Usage: migctl stats [OPTION...]\n\n"
	"Show what was done since the module was loaded: jobs, batches, pages by outcome\n"
	"and reason, and the times of lock, copy, commit and blackout of a batch.\n\n"
	"      --format FORMAT  table, json, or openmetrics for Prometheus and the textfile\n"
	"                       collector of its node exporter\n"
	"      --json           print JSON\n"
	"      --no-start       fail when the daemon does not run\n"
	"  -h, --help           this text\n";

enum {
	OPT_FORMAT = OPT_OWN,
};

enum format {
	FORMAT_TABLE,
	FORMAT_JSON,
	FORMAT_OPENMETRICS,
};

static const char *const formats[] = {
	[FORMAT_TABLE]		= "table",
	[FORMAT_JSON]		= "json",
	[FORMAT_OPENMETRICS]	= "openmetrics",
};

static int parse_format(const char *word, enum format *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		if (!strcmp(word, formats[i])) {
			*ret = i;
			return OPTS_GO_ON;
		}
	}
	say_err("--format '%s' is not known: give table, json or openmetrics", word);
	return MIGCTL_USAGE;
}

static int parse(struct opts *opts, enum format *format, int argc, char **argv)
{
	static const struct option options[] = {
		{ "format", required_argument, NULL, OPT_FORMAT },
		OPTS_HELP, OPTS_JSON, OPTS_NO_START, OPTS_END,
	};
	int c, r;

	optind = 0;
	while ((c = getopt_long(argc, argv, ":h", options, NULL)) >= 0) {
		if (c == OPT_FORMAT)
			r = parse_format(optarg, format);
		else
			r = opts_common(opts, c, argv);
		if (r != OPTS_GO_ON)
			return r;
		if (c == OPT_JSON)
			*format = FORMAT_JSON;
	}
	return OPTS_GO_ON;
}

static void print_counters(const json_t *stats)
{
	static const struct {
		const char *member, *words;
	} counters[] = {
		{ "jobs", "jobs submitted" },
		{ "jobs_active", "jobs active" },
		{ "batches", "batches" },
		{ "moved", "pages moved" },
		{ "locked_pages", "pages locked now" },
		{ "undone", "pages whose state was moved back" },
		{ "verify_failed", "pages whose copy was found wrong" },
		{ "rescued_deadline", "batches ended at their deadline" },
		{ "rescued_server", "batches ended because the daemon was gone" },
		{ "late", "batches ended later than deadline and grace" },
		{ "quarantined_pages", "pages quarantined now" },
		{ "quarantined_total", "pages ever quarantined" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(counters); i++)
		printf("%14llu  %s\n", json_u64(stats, counters[i].member), counters[i].words);
}

static void print_left(json_t *left)
{
	const char *reason;
	json_t *pages;

	json_object_foreach(left, reason, pages)
		if (json_integer_value(pages))
			printf("%14lld  pages left, %s: %s\n", json_integer_value(pages), reason,
			       reason_meaning(reason));
}

static void print_times(const json_t *stats)
{
	static const char *const names[] = { "lock", "copy", "commit", "blackout" };
	struct hist h;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		hist_read_json(&h, stats, names[i]);
		printf("%14llu  times %-9s", h.count, names[i]);
		if (h.count)
			printf(" p50 %s, p90 %s, p99 %s, p99.9 %s, max %s", text_ns(h.p50).s,
			       text_ns(h.p90).s, text_ns(h.p99).s, text_ns(h.p999).s,
			       text_ns(h.max).s);
		putchar('\n');
	}
}

static void print_table(const json_t *stats)
{
	print_counters(stats);
	print_left(json_object_get(stats, "left"));
	print_times(stats);
}

int verb_stats(int argc, char **argv)
{
	struct opts opts = { .verb = "stats", .help = help };
	enum format format = FORMAT_TABLE;
	json_t *stats = NULL, *all = NULL;
	struct client client = { };
	int code;

	code = parse(&opts, &format, argc, argv);
	if (code != OPTS_GO_ON)
		return code;
	code = client_open_args(&client, &opts, argc, argv);
	if (code != MIGCTL_OK)
		return code;
	code = client_manager_json(&client, "GetStats", &stats);
	if (code == MIGCTL_OK && format == FORMAT_OPENMETRICS)
		code = client_manager_json(&client, "Describe", &all);
	if (code != MIGCTL_OK)
		goto out;
	if (format == FORMAT_JSON)
		json_print(stats);
	else if (format == FORMAT_OPENMETRICS)
		openmetrics_print(stats, all);
	else
		print_table(stats);
out:
	json_decref(all);
	json_decref(stats);
	client_close(&client);
	return code;
}
