// SPDX-License-Identifier: GPL-2.0
/* migctl doctor: is this machine fit for migd, and if not, what to do. */
#include <stdio.h>

#include "client.h"
#include "doctor.h"
#include "json.h"
#include "migctl.h"
#include "text.h"

static const char help[] =
	"Usage: migctl doctor [OPTION...]\n\n"
	"Look at the machine, the module and the daemon, and say of each check whether it\n"
	"is ok, or a warning or a failure and what to do about it. Nothing is changed, and\n"
	"it works without daemon and module too.\n\n"
	"      --start     let the bus start the daemon when it does not run\n"
	"      --json      print JSON\n"
	"      --no-start  leave a daemon that does not run alone: the default\n"
	"  -h, --help      this text\n\n"
	"Exits with 1 when a check fails; warnings are no failure.\n";

enum {
	OPT_START = OPT_OWN,
};

static const char *const levels[] = {
	[DOCTOR_OK] = "ok",
	[DOCTOR_WARN] = "warn",
	[DOCTOR_FAIL] = "fail",
};

static void print_finding(const struct doctor_check *check, const struct finding *f)
{
	printf("%-5s %-11s %s\n", levels[f->level], check->name, f->text);
	if (f->fix[0])
		printf("%17s fix: %s\n", "", f->fix);
}

static void add_finding(json_t *checks, const struct doctor_check *check, const struct finding *f)
{
	json_t *o;

	o = json_pack("{ss ss ss}", "check", check->name, "level", levels[f->level],
		      "text", f->text);
	if (o && f->fix[0])
		json_object_set_new(o, "fix", json_string(f->fix));
	json_array_append_new(checks, o);
}

static int examine(const struct doctor *d, const struct opts *opts)
{
	unsigned int count[ARRAY_SIZE(levels)] = { };
	json_t *checks = json_array(), *all;

	for (const struct doctor_check *check = doctor_checks; check->name; check++) {
		struct finding f = { };

		check->run(d, &f);
		count[f.level]++;
		if (opts->json)
			add_finding(checks, check, &f);
		else
			print_finding(check, &f);
	}
	all = json_pack("{so si si si}", "checks", checks, "ok", count[DOCTOR_OK],
			"warn", count[DOCTOR_WARN], "fail", count[DOCTOR_FAIL]);
	if (opts->json)
		json_print(all);
	else
		printf("%u ok, %u warnings, %u failed\n", count[DOCTOR_OK], count[DOCTOR_WARN],
		       count[DOCTOR_FAIL]);
	json_decref(all);
	return count[DOCTOR_FAIL] ? MIGCTL_FAILED : MIGCTL_OK;
}

int verb_doctor(int argc, char **argv)
{
	static const struct option options[] = {
		{ "start", no_argument, NULL, OPT_START },
		OPTS_HELP, OPTS_JSON, OPTS_NO_START, OPTS_END,
	};
	struct opts opts = { .verb = "doctor", .help = help };
	struct doctor d = { .root = "" };
	bool start = false;
	int c, code;

	optind = 0;
	while ((c = getopt_long(argc, argv, ":h", options, NULL)) >= 0) {
		if (c == OPT_START) {
			start = true;
			continue;
		}
		code = opts_common(&opts, c, argv);
		if (code != OPTS_GO_ON)
			return code;
	}
	code = opts_no_more(&opts, argc, argv);
	if (code != OPTS_GO_ON)
		return code;
	if (start && opts.no_start) {
		say_err("--start and --no-start contradict each other: give one of them");
		return MIGCTL_USAGE;
	}
	if (client_host()) {
		say_err("doctor looks at the machine it runs on: run `ssh %s migctl doctor`",
			client_host());
		return MIGCTL_USAGE;
	}
	doctor_ask(&d, start);
	code = examine(&d, &opts);
	doctor_forget(&d);
	return code;
}
