// SPDX-License-Identifier: GPL-2.0
/* migctl stats: counters and times since the module was loaded. */
#include <stdio.h>

#include "client.h"
#include "job.h"
#include "json.h"
#include "migctl.h"
#include "text.h"

static const char help[] =
	"Usage: migctl stats [OPTION...]\n\n"
	"Show what was done since the module was loaded: jobs, batches, pages by outcome\n"
	"and reason, and the times of lock, copy, commit and blackout of a batch.\n\n"
	"      --json      print JSON\n"
	"      --no-start  fail when the daemon does not run\n"
	"  -h, --help      this text\n";

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
			printf(" p50 %s, p90 %s, p99 %s, max %s", text_ns(h.p50).s,
			       text_ns(h.p90).s, text_ns(h.p99).s, text_ns(h.max).s);
		putchar('\n');
	}
}

int verb_stats(int argc, char **argv)
{
	struct opts opts = { .verb = "stats", .help = help };
	struct client client = { };
	json_t *stats = NULL;
	int code;

	code = opts_parse(&opts, argc, argv);
	if (code != OPTS_GO_ON)
		return code;
	code = client_open_args(&client, &opts, argc, argv);
	if (code != MIGCTL_OK)
		return code;
	code = client_manager_json(&client, "GetStats", &stats);
	if (code != MIGCTL_OK)
		goto out;
	if (opts.json) {
		json_print(stats);
	} else {
		print_counters(stats);
		print_left(json_object_get(stats, "left"));
		print_times(stats);
	}
out:
	json_decref(stats);
	client_close(&client);
	return code;
}
