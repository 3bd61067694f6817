// SPDX-License-Identifier: GPL-2.0
/* migctl migrate: move the memory of a process, or of several. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "dry_run.h"
#include "follow.h"
#include "json.h"
#include "migctl.h"
#include "preflight.h"
#include "target.h"
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
	"      --max-rate RATE      most bytes per second: 500M, 2G, 256Mi, none\n"
	"      --range START-END    only this part of the address space, in hex as in\n"
	"                           /proc/PID/maps; may be given several times\n"
	"      --leave-large        leave large pages and those with tags where they are\n"
	"      --verify             compare each page with its copy before it is used\n"
	"      --atomic             move all pages of each --range or none\n"
	"      --dry-run            only look: the processes, their pages, what is in the way\n"
	"      --no-block           start it, print its id and leave\n"
	"      --daemon-timeout TIME  how long to wait for a daemon that went away\n"
	"                           while the job runs; default 30s\n"
	"  -q, --quiet              print nothing but errors and warnings\n"
	"  -v, --verbose            tell also what could not be looked at beforehand\n"
	"      --json               print what became of it as JSON\n"
	"      --no-start           fail when the daemon does not run\n"
	"  -h, --help               this text\n\n"
	"Exits with 0 when all was moved, 1 failed, 2 usage, 3 moved a part, 4 denied,\n"
	"5 daemon or module not there, 130 cancelled.\n";

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
	OPT_RANGE,
	OPT_LEAVE_LARGE,
	OPT_VERIFY,
	OPT_ATOMIC,
	OPT_NO_BLOCK,
	OPT_DAEMON_TIMEOUT,
};

#define NODE_UNSET	INT_MIN

struct range {
	__u64 start, end;
};

/* What the command line asks for. */
struct request {
	struct opts opts;
	const struct kind *kind;	/* what it will be */
	struct target target;
	int from, to;
	const char *order, *engine;
	__u32 batch_pages;		/* 0: not given */
	__u64 deadline_usec;		/* 0: not given */
	__u64 max_rate;
	bool has_max_rate;
	struct range *ranges;
	size_t nr_ranges;
	bool leave_large, verify, atomic, no_block, dry_run, quiet, verbose;
	__u64 away_usec;
};

static int bad_value(const char *option, const char *value, const char *wanted)
{
	say_err("'%s' is no value for %s: give %s", value, option, wanted);
	return MIGCTL_USAGE;
}

static int parse_node(const char *option, const char *value, int *ret)
{
	__u32 node;

	if (parse_u32(value, &node) < 0 || node > INT_MAX)
		return bad_value(option, value, "the number of a node, such as 0");
	*ret = node;
	return OPTS_GO_ON;
}

static int add_range(struct request *q, const char *value)
{
	__u64 page = sysconf(_SC_PAGESIZE);
	struct range range, *ranges;

	if (parse_range(value, &range.start, &range.end) < 0 || range.start % page ||
	    range.end % page)
		return bad_value("--range", value,
				 "START-END in hex and whole pages, as in /proc/PID/maps");
	ranges = reallocarray(q->ranges, q->nr_ranges + 1, sizeof(*ranges));
	if (!ranges) {
		say_err("no memory for %zu ranges: give fewer", q->nr_ranges + 1);
		return MIGCTL_FAILED;
	}
	ranges[q->nr_ranges++] = range;
	q->ranges = ranges;
	return OPTS_GO_ON;
}

/* Who is to be moved, and can it be with these options? */
static int parse_target(struct request *q, int argc, char **argv)
{
	int r;

	while (optind < argc) {
		r = target_take_pid(&q->target, argv[optind++]);
		if (r != OPTS_GO_ON)
			return r;
	}
	r = target_check(&q->target);
	if (r != OPTS_GO_ON)
		return r;
	q->kind = target_is_group(&q->target) ? &kind_group : &kind_job;
	if (q->kind == &kind_group && q->nr_ranges) {
		say_err("--range is for one process: name one by its pid, or leave it out");
		return MIGCTL_USAGE;
	}
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
		return parse_node("--from", optarg, &q->from);
	case OPT_TO:
		return parse_node("--to", optarg, &q->to);
	case OPT_ORDER:
		if (strcmp(optarg, "copy-first") && strcmp(optarg, "state-first"))
			return bad_value("--order", optarg, "copy-first or state-first");
		q->order = optarg;
		break;
	case OPT_ENGINE:
		if (!*optarg)
			return bad_value("--engine", optarg,
					 "auto, cpu, dma or an engine's name");
		q->engine = optarg;
		break;
	case OPT_BATCH_PAGES:
		if (parse_u32(optarg, &q->batch_pages) < 0 || !q->batch_pages)
			return bad_value("--batch-pages", optarg, "a number of pages, such as 512");
		break;
	case OPT_DEADLINE:
		if (parse_usec(optarg, &q->deadline_usec) < 0 || !q->deadline_usec ||
		    q->deadline_usec > UINT_MAX)
			return bad_value("--deadline", optarg,
					 "a time with its unit, such as 20ms");
		break;
	case OPT_MAX_RATE:
		if (parse_rate(optarg, &q->max_rate) < 0)
			return bad_value("--max-rate", optarg,
					 "bytes per second, such as 500M, or none");
		q->has_max_rate = true;
		break;
	case OPT_RANGE:
		return add_range(q, optarg);
	case OPT_LEAVE_LARGE:
		q->leave_large = true;
		break;
	case OPT_VERIFY:
		q->verify = true;
		break;
	case OPT_ATOMIC:
		q->atomic = true;
		break;
	case OPT_NO_BLOCK:
		q->no_block = true;
		break;
	case OPT_DAEMON_TIMEOUT:
		if (parse_usec(optarg, &q->away_usec) < 0)
			return bad_value("--daemon-timeout", optarg,
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

static int parse(struct request *q, int argc, char **argv)
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
		{ "range", required_argument, NULL, OPT_RANGE },
		{ "leave-large", no_argument, NULL, OPT_LEAVE_LARGE },
		{ "verify", no_argument, NULL, OPT_VERIFY },
		{ "atomic", no_argument, NULL, OPT_ATOMIC },
		{ "dry-run", no_argument, NULL, OPT_DRY_RUN },
		{ "no-block", no_argument, NULL, OPT_NO_BLOCK },
		{ "daemon-timeout", required_argument, NULL, OPT_DAEMON_TIMEOUT },
		{ "quiet", no_argument, NULL, 'q' },
		{ "verbose", no_argument, NULL, 'v' },
		OPTS_END,
	};
	int c, r;

	optind = 0;
	while ((c = getopt_long(argc, argv, ":hqu:v", options, NULL)) >= 0) {
		r = parse_option(q, c, argv);
		if (r != OPTS_GO_ON)
			return r;
	}
	r = parse_target(q, argc, argv);
	if (r != OPTS_GO_ON)
		return r;
	if (q->to == NODE_UNSET) {
		say_err("where to? Give the destination node with --to");
		return MIGCTL_USAGE;
	}
	if (q->from == q->to) {
		say_err("--from and --to name the same node %d: give two different ones", q->to);
		return MIGCTL_USAGE;
	}
	if (q->atomic && !q->nr_ranges) {
		say_err("--atomic needs at least one --range: give those that are to move whole");
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
	if (q->from == NODE_UNSET)
		q->from = -1;
	return OPTS_GO_ON;
}

static int append_ranges(const struct request *q, sd_bus_message *m)
{
	int r;

	r = sd_bus_message_open_container(m, 'e', "sv");
	if (r >= 0)
		r = sd_bus_message_append(m, "s", "ranges");
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'v', "a(tt)");
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'a', "(tt)");
	for (size_t i = 0; r >= 0 && i < q->nr_ranges; i++)
		r = sd_bus_message_append(m, "(tt)", q->ranges[i].start, q->ranges[i].end);
	for (unsigned int depth = 0; r >= 0 && depth < 3; depth++)
		r = sd_bus_message_close_container(m);
	return r;
}

/* The method for the target, and its first argument. */
static int new_call_for(const struct target *t, struct client *c, sd_bus_message **ret)
{
	int r;

	r = client_new_call(c, BUS_ROOT, IFACE_MANAGER, t->unit ? "MigrateUnit" :
			    t->cgroup ? "MigrateCgroup" :
			    target_is_group(t) ? "MigrateProcesses" : "MigrateProcess", ret);
	if (r < 0)
		return r;
	if (t->unit || t->cgroup)
		return sd_bus_message_append(*ret, "s", t->unit ? t->unit : t->cgroup);
	if (!target_is_group(t))
		return sd_bus_message_append(*ret, "u", t->pids[0]);
	return sd_bus_message_append_array(*ret, 'u', t->pids, t->nr_pids * sizeof(*t->pids));
}

/* The call with the options that were given; what was not is the policy's. */
static int new_call(const struct request *q, struct client *c, sd_bus_message **ret)
{
	sd_bus_message *m = NULL;
	int r;

	r = new_call_for(&q->target, c, &m);
	if (r >= 0)
		r = sd_bus_message_append(m, "ii", q->from, q->to);
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'a', "{sv}");
	if (r >= 0 && q->order)
		r = sd_bus_message_append(m, "{sv}", "order", "s", q->order);
	if (r >= 0 && q->engine)
		r = sd_bus_message_append(m, "{sv}", "engine", "s", q->engine);
	if (r >= 0 && q->batch_pages)
		r = sd_bus_message_append(m, "{sv}", "batch-pages", "u", q->batch_pages);
	if (r >= 0 && q->deadline_usec)
		r = sd_bus_message_append(m, "{sv}", "deadline-us", "u", (__u32)q->deadline_usec);
	if (r >= 0 && q->has_max_rate)
		r = sd_bus_message_append(m, "{sv}", "max-rate", "t", q->max_rate);
	if (r >= 0 && q->leave_large)
		r = sd_bus_message_append(m, "{sv}", "leave-large", "b", 1);
	if (r >= 0 && q->nr_ranges)
		r = append_ranges(q, m);
	if (r >= 0 && q->verify)
		r = sd_bus_message_append(m, "{sv}", "verify", "b", 1);
	if (r >= 0 && q->atomic)
		r = sd_bus_message_append(m, "{sv}", "atomic", "b", 1);
	if (r >= 0)
		r = sd_bus_message_close_container(m);
	if (r < 0)
		sd_bus_message_unref(m);
	else
		*ret = m;
	return r;
}

/* The last word on a job: its summary, or its JSON. */
static int report(const struct request *q, struct follow *f, int code)
{
	json_t *object;

	if (q->no_block && !q->opts.json) {
		if (!q->quiet)
			printf("%llu\nwatch it with `migctl %s %llu` or `migctl monitor`\n",
			       f->job.id, f->job.kind->verb, f->job.id);
		return code;
	}
	if (q->quiet && !q->opts.json)
		return code;
	if (client_job_json(f->client, f->job.kind, f->job.id, &object) == MIGCTL_OK) {
		if (q->opts.json)
			json_print(object);
		else
			job_read_json(&f->job, object);
		json_decref(object);
	} else if (q->opts.json) {
		code = code ? code : MIGCTL_FAILED;
	}
	/* Without the details the outcome is still known. */
	if (!q->opts.json)
		job_print_summary(&f->job);
	return code;
}

static void say_group_outcome(const struct job *group, int code)
{
	if (!strcmp(group->outcome, "target-gone"))
		say_err("all processes of group %llu exited: nothing is left to move", group->id);
	else if (code == MIGCTL_FAILED)
		say_err("group %llu moved no page though there were some: `migctl groups %llu` tells why for each reason",
			group->id, group->id);
}

static void say_outcome(const struct job *job, int code)
{
	if (job_is_group(job))
		say_group_outcome(job, code);
	else if (!strcmp(job->outcome, "server-lost"))
		say_err("job %llu lost its daemon and moved %llu of %llu pages: see `journalctl -u migd`, then migrate again",
			job->id, job->moved, job->total);
	else if (!strcmp(job->outcome, "target-gone"))
		say_err("process %u exited or replaced its memory: nothing is left to move",
			job->pid);
	else if (!strcmp(job->outcome, "unknown"))
		say_err("job %llu ended while the daemon could not listen: /proc/%u/numa_maps shows where its pages are; migrate again if they should move",
			job->id, job->pid);
	else if (code == MIGCTL_FAILED)
		say_err("job %llu moved no page though there were some: `migctl jobs %llu` tells why for each reason",
			job->id, job->id);
}

static void on_warn(const char *sentence)
{
	say_warn("%s", sentence);
}

static void on_err(const char *sentence)
{
	say_err("%s", sentence);
}

/* What forbids the move of a unit or a cgroup is for the daemon to tell. */
static int look_ahead(const struct request *q, struct client *c)
{
	struct preflight p = {
		.root = "", .from = q->from, .to = q->to, .verbose = q->verbose,
		.on_warn = on_warn, .on_err = on_err,
	};
	int r = 0;

	/* What could be looked at is on that machine: the daemon checks. */
	if (client_host())
		return 0;
	if (!q->target.nr_pids)
		dry_run_warn(&q->target, c, q->from, q->to, q->verbose);
	for (size_t i = 0; i < q->target.nr_pids && r >= 0; i++) {
		p.pid = q->target.pids[i];
		r = preflight_run(&p);
	}
	return r;
}

static int run(const struct request *q, struct client *c)
{
	struct follow f = { .client = c, .job.kind = q->kind, .no_block = q->no_block,
			    .away_usec = q->away_usec };
	sd_bus_message *call = NULL;
	int r, code;

	if (!q->quiet && !q->opts.json && !q->no_block)
		f.progress.style = progress_style_for_stdout();
	r = new_call(q, c, &call);
	if (r >= 0)
		r = follow_init(&f);
	if (r < 0) {
		code = client_fail(NULL, r);
		goto out;
	}
	code = follow_run(&f, call);
	if (f.lost)
		goto out;
	code = report(q, &f, code);
	if (!q->no_block && !f.interrupts)
		say_outcome(&f.job, code);
out:
	sd_bus_message_unref(call);
	follow_done(&f);
	return code;
}

int verb_migrate(int argc, char **argv)
{
	struct request q = {
		.opts = { .verb = "migrate", .help = help },
		.from = NODE_UNSET, .to = NODE_UNSET, .away_usec = 30 * 1000000ULL,
	};
	struct client client = { };
	int code;

	code = parse(&q, argc, argv);
	if (code != OPTS_GO_ON)
		goto out;
	code = client_open(&client, &q.opts);
	if (code != MIGCTL_OK)
		goto out;
	if (q.dry_run)
		code = dry_run(&q.target, &client, q.from, q.to, q.opts.json);
	else if (look_ahead(&q, &client) < 0)
		code = MIGCTL_FAILED;
	else
		code = run(&q, &client);
	client_close(&client);
out:
	free(q.ranges);
	target_done(&q.target);
	return code;
}
