// SPDX-License-Identifier: GPL-2.0
/* migctl set, pause, resume: a job that runs. */
#include <stdio.h>

#include "client.h"
#include "json.h"
#include "migctl.h"
#include "text.h"

static const char set_help[] =
	"Usage: migctl set ID [OPTION...]\n\n"
	"Change the limits of job ID while it runs, from its next batch on.\n\n"
	"      --max-rate RATE  bytes per second such as 500M, or none; also --max-bandwidth\n"
	"      --deadline TIME  longest time that a page is held, such as 20ms\n"
	"      --nice N         how much CPU time it leaves to others, 0 to 19\n"
	"      --json           print the job as JSON\n"
	"      --no-start       fail when the daemon does not run\n"
	"  -h, --help           this text\n";

static const char pause_help[] =
	"Usage: migctl pause ID [OPTION...]\n\n"
	"Let job ID wait. It holds no page and keeps what it has moved; see migctl resume.\n\n"
	"      --json      print the job as JSON\n"
	"      --no-start  fail when the daemon does not run\n"
	"  -h, --help      this text\n";

static const char resume_help[] =
	"Usage: migctl resume ID [OPTION...]\n\n"
	"Let job ID, which migctl pause lets wait, go on.\n\n"
	"      --json      print the job as JSON\n"
	"      --no-start  fail when the daemon does not run\n"
	"  -h, --help      this text\n";

struct limits {
	__u64 max_rate, deadline_usec;
	__u32 nice;
	bool has_rate, has_deadline, has_nice;
};

static int set_limit(struct client *c, __u64 id, const char *property, __u64 value)
{
	sd_bus_message *m = NULL;
	char path[JOB_PATH_SIZE];
	int r;

	client_job_path(path, &kind_job, id);
	r = client_new_call(c, path, IFACE_PROPS, "Set", &m);
	if (r >= 0)
		r = sd_bus_message_append(m, "ssv", IFACE_JOB, property, "t", value);
	return client_send_job(c, m, r, &kind_job, id);
}

static int set_limits(struct client *c, __u64 id, const struct limits *limits)
{
	int code = MIGCTL_OK;

	if (limits->has_deadline)
		code = set_limit(c, id, "DeadlineUSec", limits->deadline_usec);
	if (code == MIGCTL_OK && limits->has_rate)
		code = set_limit(c, id, "MaxRate", limits->max_rate);
	if (code == MIGCTL_OK && limits->has_nice)
		code = set_limit(c, id, "Nice", limits->nice);
	return code;
}

static int let_wait(struct client *c, __u64 id, const char *method)
{
	sd_bus_message *m = NULL;
	char path[JOB_PATH_SIZE];
	int r;

	client_job_path(path, &kind_job, id);
	r = client_new_call(c, path, IFACE_JOB, method, &m);
	return client_send_job(c, m, r, &kind_job, id);
}

static int parse_limits(struct opts *opts, struct limits *limits, int argc, char **argv)
{
	enum { OPT_RATE = OPT_OWN, OPT_DEADLINE, OPT_NICE };
	static const struct option options[] = {
		{ "max-rate", required_argument, NULL, OPT_RATE },
		{ "max-bandwidth", required_argument, NULL, OPT_RATE },
		{ "nice", required_argument, NULL, OPT_NICE },
		{ "deadline", required_argument, NULL, OPT_DEADLINE },
		OPTS_HELP, OPTS_JSON, OPTS_NO_START, OPTS_END,
	};
	int c, code;

	optind = 0;
	while ((c = getopt_long(argc, argv, ":h", options, NULL)) >= 0) {
		if (c == OPT_RATE) {
			if (parse_rate(optarg, &limits->max_rate) < 0) {
				say_err("'%s' is no value for --max-rate: give bytes per second, such as 500M, or none",
					optarg);
				return MIGCTL_USAGE;
			}
			limits->has_rate = true;
		} else if (c == OPT_DEADLINE) {
			if (parse_usec(optarg, &limits->deadline_usec) < 0) {
				say_err("'%s' is no value for --deadline: give a time with its unit, such as 20ms",
					optarg);
				return MIGCTL_USAGE;
			}
			limits->has_deadline = true;
		} else if (c == OPT_NICE) {
			if (parse_nice(optarg, &limits->nice) < 0) {
				say_err("'%s' is no value for --nice: give a number from 0 to 19",
					optarg);
				return MIGCTL_USAGE;
			}
			limits->has_nice = true;
		} else {
			code = opts_common(opts, c, argv);
			if (code != OPTS_GO_ON)
				return code;
		}
	}
	return OPTS_GO_ON;
}

/* The job as it is now, or one line that says what was done. */
static int report(struct client *c, const struct opts *opts, __u64 id, const char *words)
{
	json_t *job;
	int code;

	if (!opts->json) {
		printf("job %llu %s\n", id, words);
		return MIGCTL_OK;
	}
	code = client_job_json(c, &kind_job, id, &job);
	if (code == MIGCTL_OK) {
		json_print(job);
		json_decref(job);
	}
	return code;
}

/* What follows the options: the id of a job, and nothing else. */
static int open_job(struct client *c, const struct opts *opts, int argc, char **argv, __u64 *ret_id)
{
	int code;

	if (optind >= argc) {
		say_err("which job? Give the id that `migctl jobs` shows");
		return MIGCTL_USAGE;
	}
	code = client_parse_job(argv[optind++], &kind_job, ret_id);
	return code == MIGCTL_OK ? client_open_args(c, opts, argc, argv) : code;
}

int verb_set(int argc, char **argv)
{
	struct opts opts = { .verb = "set", .help = set_help };
	struct limits limits = { };
	struct client client = { };
	__u64 id;
	int code;

	code = parse_limits(&opts, &limits, argc, argv);
	if (code != OPTS_GO_ON)
		return code;
	if (!limits.has_rate && !limits.has_deadline && !limits.has_nice) {
		say_err("set what? Give --max-rate, --deadline or --nice: see migctl set --help");
		return MIGCTL_USAGE;
	}
	code = open_job(&client, &opts, argc, argv, &id);
	if (code != MIGCTL_OK)
		return code;
	code = set_limits(&client, id, &limits);
	if (code == MIGCTL_OK)
		code = report(&client, &opts, id, "has the new limits from its next batch on");
	client_close(&client);
	return code;
}

static int wait_or_go_on(struct opts *opts, const char *method, const char *words, int argc,
			 char **argv)
{
	struct client client = { };
	__u64 id;
	int code;

	code = opts_parse(opts, argc, argv);
	if (code != OPTS_GO_ON)
		return code;
	code = open_job(&client, opts, argc, argv, &id);
	if (code != MIGCTL_OK)
		return code;
	code = let_wait(&client, id, method);
	if (code == MIGCTL_OK)
		code = report(&client, opts, id, words);
	client_close(&client);
	return code;
}

int verb_pause(int argc, char **argv)
{
	struct opts opts = { .verb = "pause", .help = pause_help };

	return wait_or_go_on(&opts, "Pause", "waits once its batches have ended", argc, argv);
}

int verb_resume(int argc, char **argv)
{
	struct opts opts = { .verb = "resume", .help = resume_help };

	return wait_or_go_on(&opts, "Resume", "goes on", argc, argv);
}
