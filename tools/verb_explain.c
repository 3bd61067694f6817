// SPDX-License-Identifier: GPL-2.0
/* migctl explain: what would move, which way, and what not and why. */
#include <string.h>

#include "client.h"
#include "explain.h"
#include "migctl.h"
#include "target.h"
#include "text.h"

static const char help[] =
	"Usage: migctl explain PID [START-END...] [OPTION...]\n"
	"       migctl explain PID... [OPTION...]\n"
	"       migctl explain --unit UNIT | --cgroup PATH [OPTION...]\n\n"
	"Say of each mapping what a job would do with its pages, by class and by way:\n"
	"an engine, move_pages(2) by the daemon, or left, with the reason. No page is\n"
	"touched, and the daemon need not be there. Needs root.\n\n"
	"  -u, --unit UNIT          a service, scope or slice and all below it\n"
	"      --cgroup PATH        a cgroup below /sys/fs/cgroup and all below it\n"
	"      --from NODE          leave only this node; default: every node but --to\n"
	"      --to NODE            where the memory would go; default: any node\n"
	"      --order ORDER        copy-first (default) or state-first\n"
	"      --leave-large        as for migctl migrate\n"
	"      --range START-END    the same as without the option's name\n"
	"      --json               print it as JSON\n"
	"      --no-legend          tables without their first line\n"
	"      --no-start           changes nothing: the daemon is not asked\n"
	"  -h, --help               this text\n\n"
	"Exits with 0 when it was told, 1 failed, 2 usage, 4 denied.\n";

enum {
	OPT_CGROUP = OPT_OWN,
	OPT_FROM,
	OPT_TO,
	OPT_ORDER,
	OPT_RANGE,
	OPT_LEAVE_LARGE,
};

struct request {
	struct opts opts;
	struct target target;
	struct plan plan;
};

static int parse_option(struct request *q, int c, char **argv)
{
	switch (c) {
	case 'u':
		return target_take_unit(&q->target, optarg);
	case OPT_CGROUP:
		return target_take_cgroup(&q->target, optarg);
	case OPT_FROM:
		return opts_node("--from", optarg, &q->plan.from);
	case OPT_TO:
		return opts_node("--to", optarg, &q->plan.to);
	case OPT_ORDER:
		q->plan.state_first = !strcmp(optarg, "state-first");
		if (!q->plan.state_first && strcmp(optarg, "copy-first"))
			return opts_bad_value("--order", optarg, "copy-first or state-first");
		return OPTS_GO_ON;
	case OPT_RANGE:
		return target_take_range(&q->target, optarg);
	case OPT_LEAVE_LARGE:
		q->plan.leave_large = true;
		return OPTS_GO_ON;
	default:
		return opts_common(&q->opts, c, argv);
	}
}

/* A job refuses them, too: pages would be counted twice. */
static int check_ranges(const struct target *t)
{
	for (size_t i = 0; i < t->nr_ranges; i++)
		for (size_t k = 0; k < i; k++)
			if (t->ranges[i].start < t->ranges[k].end &&
			    t->ranges[k].start < t->ranges[i].end) {
				say_err("the ranges %llx-%llx and %llx-%llx overlap: give each page once",
					t->ranges[k].start, t->ranges[k].end, t->ranges[i].start,
					t->ranges[i].end);
				return MIGCTL_USAGE;
			}
	return OPTS_GO_ON;
}

static int parse(struct request *q, int argc, char **argv)
{
	static const struct option options[] = {
		OPTS_HELP,
		OPTS_JSON,
		OPTS_NO_START,
		OPTS_NO_LEGEND,
		{ "unit", required_argument, NULL, 'u' },
		{ "cgroup", required_argument, NULL, OPT_CGROUP },
		{ "from", required_argument, NULL, OPT_FROM },
		{ "to", required_argument, NULL, OPT_TO },
		{ "order", required_argument, NULL, OPT_ORDER },
		{ "range", required_argument, NULL, OPT_RANGE },
		{ "leave-large", no_argument, NULL, OPT_LEAVE_LARGE },
		OPTS_END,
	};
	int c, r = OPTS_GO_ON;

	optind = 0;
	while (r == OPTS_GO_ON && (c = getopt_long(argc, argv, ":hu:", options, NULL)) >= 0)
		r = parse_option(q, c, argv);
	for (; r == OPTS_GO_ON && optind < argc; optind++)
		r = strchr(argv[optind], '-') ? target_take_range(&q->target, argv[optind]) :
						target_take_pid(&q->target, argv[optind]);
	if (r == OPTS_GO_ON)
		r = target_check(&q->target, "explain");
	if (r == OPTS_GO_ON)
		r = check_ranges(&q->target);
	if (r != OPTS_GO_ON)
		return r;
	if (q->plan.from >= 0 && q->plan.from == q->plan.to) {
		say_err("--from and --to name the same node %d: give two different ones",
			q->plan.to);
		return MIGCTL_USAGE;
	}
	if (client_host()) {
		say_err("explain looks at the machine it runs on: run it on %s", client_host());
		return MIGCTL_USAGE;
	}
	return OPTS_GO_ON;
}

int verb_explain(int argc, char **argv)
{
	struct request q = {
		.opts = { .verb = "explain", .help = help }, .plan = { .from = -1, .to = -1 },
	};
	struct client client = { };
	int code;

	code = parse(&q, argc, argv);
	if (code == OPTS_GO_ON)
		code = client_open(&client, &q.opts);
	else
		goto out;
	if (code == MIGCTL_OK) {
		code = explain(&q.target, &client, &q.plan, q.opts.json, !q.opts.no_legend);
		client_close(&client);
	}
out:
	target_done(&q.target);
	return code;
}
