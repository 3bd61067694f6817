// SPDX-License-Identifier: GPL-2.0
/* The command line of migctl migrate. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "migrate_request.h"
#include "recount.h"
#include "text.h"

static const char help[] =
	"Usage: migctl migrate PID... --to NODE [OPTION...]\n"
	"       migctl migrate --unit UNIT | --cgroup PATH --to NODE [OPTION...]\n\n"
	"Move the memory of process PID to NUMA node NODE; that of several processes, a\n"
	"unit of systemd or a cgroup as one group, with what they fork meanwhile.\n\n"
	"  -u, --unit UNIT          a service, scope or slice and all below it\n"
	"      --cgroup PATH        a cgroup below /sys/fs/cgroup and all below it\n"
	"      --from NODE          leave only this node; default: every node but --to\n"
	"      --to NODE            where the memory goes\n"
	"      --order ORDER        copy-first (default) or state-first\n"
	"      --engine ENGINE      auto, cpu, dma or a name that migctl engines shows\n"
	"      --batch-pages N      most pages locked at once\n"
	"      --deadline TIME      longest time pages may stay locked: 500us, 20ms, 1s\n"
	"      --max-rate RATE      most bytes per second: 500M, 2G, 256Mi, none; also as\n"
	"                           --max-bandwidth\n"
	"      --nice N             leave CPU time to others, 0 (default) to 19: 5 has a third\n"
	"                           of a CPU, 10 a tenth, 19 a seventieth\n"
	"      --range START-END    only this part of the address space, in hex as in\n"
	"                           /proc/PID/maps; may be given several times\n"
	"      --leave-large        leave large pages and those with tags where they are\n"
	"      --verify             compare each page with its copy before it is used\n"
	"      --atomic             move all pages of each --range or none\n"
	"      --bind               when all has moved, new pages of the unit come from there\n"
	"      --recount TIME       wait as long, then count what has come back: 30s\n"
	"      --dry-run            only look: the processes, their pages, what is in the way\n"
	"      --no-block           start it, print its id and leave\n"
	"      --daemon-timeout TIME  how long to wait for a daemon that went away\n"
	"                           while the job runs; default 30s\n"
	"  -q, --quiet              print nothing but errors and warnings\n"
	"  -v, --verbose            tell also what could not be looked at beforehand\n"
	"      --json               print what became of it as JSON\n"
	"      --no-start           fail when the daemon does not run\n"
	"  -h, --help               this text\n\n"
	"Exits with 0 when all was moved, 1 failed, 2 usage, 3 moved a part or some pages\n"
	"are back, 4 denied, 5 daemon or module not there, 130 cancelled.\n";

enum {
	OPT_CGROUP = OPT_OWN,
	OPT_DRY_RUN,
	OPT_FROM,
	OPT_TO,
	OPT_ORDER,
	OPT_ENGINE,
	OPT_BATCH_PAGES,
	OPT_DEADLINE,
	OPT_MAX_RATE,
	OPT_NICE,
	OPT_RANGE,
	OPT_LEAVE_LARGE,
	OPT_VERIFY,
	OPT_ATOMIC,
	OPT_BIND,
	OPT_RECOUNT,
	OPT_NO_BLOCK,
	OPT_DAEMON_TIMEOUT,
};

#define NODE_UNSET	INT_MIN

/* Who is to be moved, and can it be with these options? */
static int parse_target(struct request *q, int argc, char **argv)
{
	int r;

	while (optind < argc) {
		r = target_take_pid(&q->target, argv[optind++]);
		if (r != OPTS_GO_ON)
			return r;
	}
	r = target_check(&q->target, "migrate");
	if (r != OPTS_GO_ON)
		return r;
	q->kind = target_is_group(&q->target) ? &kind_group : &kind_job;
	return OPTS_GO_ON;
}

static int parse_option(struct request *q, int c, char **argv)
{
	switch (c) {
	case 'u':
		return target_take_unit(&q->target, optarg);
	case OPT_CGROUP:
		return target_take_cgroup(&q->target, optarg);
	case OPT_DRY_RUN:
		q->dry_run = true;
		break;
	case OPT_FROM:
		return opts_node("--from", optarg, &q->from);
	case OPT_TO:
		return opts_node("--to", optarg, &q->to);
	case OPT_ORDER:
		if (strcmp(optarg, "copy-first") && strcmp(optarg, "state-first"))
			return opts_bad_value("--order", optarg, "copy-first or state-first");
		q->order = optarg;
		break;
	case OPT_ENGINE:
		if (!*optarg)
			return opts_bad_value("--engine", optarg,
					      "auto, cpu, dma or an engine's name");
		q->engine = optarg;
		break;
	case OPT_BATCH_PAGES:
		if (parse_u32(optarg, &q->batch_pages) < 0 || !q->batch_pages)
			return opts_bad_value("--batch-pages", optarg,
					      "a number of pages, such as 512");
		break;
	case OPT_DEADLINE:
		if (parse_usec(optarg, &q->deadline_usec) < 0 || !q->deadline_usec ||
		    q->deadline_usec > UINT_MAX)
			return opts_bad_value("--deadline", optarg,
					      "a time with its unit, such as 20ms");
		break;
	case OPT_MAX_RATE:
		if (parse_rate(optarg, &q->max_rate) < 0)
			return opts_bad_value("--max-rate", optarg,
					      "bytes per second, such as 500M, or none");
		q->has_max_rate = true;
		break;
	case OPT_NICE:
		if (parse_nice(optarg, &q->nice) < 0)
			return opts_bad_value("--nice", optarg, "a number from 0 to 19");
		break;
	case OPT_RANGE:
		return target_take_range(&q->target, optarg);
	case OPT_LEAVE_LARGE:
		q->leave_large = true;
		break;
	case OPT_VERIFY:
		q->verify = true;
		break;
	case OPT_ATOMIC:
		q->atomic = true;
		break;
	case OPT_BIND:
		q->bind = true;
		break;
	case OPT_RECOUNT:
		if (parse_usec(optarg, &q->recount_usec) < 0 || !q->recount_usec)
			return opts_bad_value("--recount", optarg,
					      "a time with its unit, such as 30s");
		break;
	case OPT_NO_BLOCK:
		q->no_block = true;
		break;
	case OPT_DAEMON_TIMEOUT:
		if (parse_usec(optarg, &q->away_usec) < 0)
			return opts_bad_value("--daemon-timeout", optarg,
					      "a time with its unit, such as 30s");
		break;
	case 'q':
		q->quiet = true;
		break;
	case 'v':
		q->verbose = true;
		break;
	default:
		return opts_common(&q->opts, c, argv);
	}
	return OPTS_GO_ON;
}

/* Do the options go together? */
static int check_options(const struct request *q)
{
	if (q->to == NODE_UNSET) {
		say_err("where to? Give the destination node with --to");
		return MIGCTL_USAGE;
	}
	if (q->from == q->to) {
		say_err("--from and --to name the same node %d: give two different ones", q->to);
		return MIGCTL_USAGE;
	}
	if (q->atomic && !q->target.nr_ranges) {
		say_err("--atomic needs at least one --range: give those that are to move whole");
		return MIGCTL_USAGE;
	}
	if (q->bind && !q->target.unit) {
		say_err("--bind sets AllowedMemoryNodes= of a unit: name one with -u, or leave it out");
		return MIGCTL_USAGE;
	}
	if (q->no_block && (q->bind || q->recount_usec)) {
		say_err("%s comes after the move, which --no-block does not wait for: leave one of them out",
			q->bind ? "--bind" : "--recount");
		return MIGCTL_USAGE;
	}
	if (client_host() && q->dry_run) {
		say_err("--dry-run looks at the machine it runs on: run it on %s", client_host());
		return MIGCTL_USAGE;
	}
	if (client_host() && !q->no_block) {
		/* The terminal's SIGINT ends ssh too, before a Cancel is through. */
		say_err("an interrupt could not cancel the job over ssh: give --no-block, and see `migctl -H %s monitor`",
			client_host());
		return MIGCTL_USAGE;
	}
	return OPTS_GO_ON;
}

int migrate_request_parse(struct request *q, int argc, char **argv)
{
	static const struct option options[] = {
		OPTS_HELP,
		OPTS_JSON,
		OPTS_NO_START,
		{ "unit", required_argument, NULL, 'u' },
		{ "cgroup", required_argument, NULL, OPT_CGROUP },
		{ "from", required_argument, NULL, OPT_FROM },
		{ "to", required_argument, NULL, OPT_TO },
		{ "order", required_argument, NULL, OPT_ORDER },
		{ "engine", required_argument, NULL, OPT_ENGINE },
		{ "batch-pages", required_argument, NULL, OPT_BATCH_PAGES },
		{ "deadline", required_argument, NULL, OPT_DEADLINE },
		{ "max-rate", required_argument, NULL, OPT_MAX_RATE },
		{ "max-bandwidth", required_argument, NULL, OPT_MAX_RATE },
		{ "nice", required_argument, NULL, OPT_NICE },
		{ "range", required_argument, NULL, OPT_RANGE },
		{ "leave-large", no_argument, NULL, OPT_LEAVE_LARGE },
		{ "verify", no_argument, NULL, OPT_VERIFY },
		{ "atomic", no_argument, NULL, OPT_ATOMIC },
		{ "dry-run", no_argument, NULL, OPT_DRY_RUN },
		{ "bind", no_argument, NULL, OPT_BIND },
		{ "recount", required_argument, NULL, OPT_RECOUNT },
		{ "no-block", no_argument, NULL, OPT_NO_BLOCK },
		{ "daemon-timeout", required_argument, NULL, OPT_DAEMON_TIMEOUT },
		{ "quiet", no_argument, NULL, 'q' },
		{ "verbose", no_argument, NULL, 'v' },
		OPTS_END,
	};
	int c, r;

	q->opts.help = help;
	q->from = NODE_UNSET;
	q->to = NODE_UNSET;
	q->away_usec = 30 * 1000000ULL;
	optind = 0;
	while ((c = getopt_long(argc, argv, ":hqu:v", options, NULL)) >= 0) {
		r = parse_option(q, c, argv);
		if (r != OPTS_GO_ON)
			return r;
	}
	r = parse_target(q, argc, argv);
	if (r == OPTS_GO_ON)
		r = check_options(q);
	if (q->from == NODE_UNSET)
		q->from = -1;
	return r;
}

void migrate_request_done(struct request *q)
{
	target_done(&q->target);
}
