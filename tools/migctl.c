// SPDX-License-Identifier: GPL-2.0
/* migctl: the command-line client of migd. One verb table, nothing else. */
#include <stdio.h>
#include <string.h>

#include "client.h"
#include "migctl.h"
#include "text.h"

struct verb {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
};

static const struct verb verbs[] = {
	{ "status", verb_status, "what migd is, whether it is ready, and if not, why" },
	{ "doctor", verb_doctor, "is the machine fit for migd, and if not, what to do" },
	{ "migrate", verb_migrate, "move the memory of processes from one node to another" },
	{ "explain", verb_explain, "what would move, which way, and what not and why" },
	{ "jobs", verb_jobs, "list the jobs, or show one" },
	{ "cancel", verb_cancel, "cancel a job" },
	{ "set", verb_set, "change the limits of a job that runs" },
	{ "pause", verb_pause, "let a job wait" },
	{ "resume", verb_resume, "let a job that waits go on" },
	{ "groups", verb_groups, "list the groups, show one, or cancel one" },
	{ "engines", verb_engines, "list the copy engines" },
	{ "stats", verb_stats, "counters and times since the module was loaded" },
	{ "policy", verb_policy, "show the defaults for jobs, or set them" },
	{ "monitor", verb_monitor, "print what happens, as it happens" },
	{ "top", verb_top, "show jobs, engines and nodes as they change, on a whole screen" },
};

static int print_help(void)
{
	printf("Usage: migctl [-H [USER@]HOST] VERB [ARGUMENT...]\n\n"
	       "Move the memory of running processes between NUMA nodes with migd.\n\n"
	       "Verbs:\n");
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		printf("  %-10s%s\n", verbs[i].name, verbs[i].help);
	printf("\nOptions, before the verb:\n"
	       "  -H, --host [USER@]HOST  ask the migd of another machine, over ssh\n"
	       "  -h, --help              this text; migctl VERB --help tells about one verb\n"
	       "      --version           the version of migctl\n\n"
	       "See migctl(1) for exit codes and examples.\n");
	return MIGCTL_OK;
}

static int unknown_verb(const char *name)
{
	const char *close = NULL;
	unsigned int best = 3;

	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		unsigned int d = text_distance(name, verbs[i].name);

		if (d < best) {
			best = d;
			close = verbs[i].name;
		}
	}
	if (close)
		say_err("there is no verb '%s': did you mean '%s'?", name, close);
	else
		say_err("there is no verb '%s': migctl --help lists them", name);
	return MIGCTL_USAGE;
}

/*
 * Take -H HOST in any of its spellings; returns how many words it has, 0 when
 * there is none and -1 when the host is missing.
 */
static int take_host(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : "", *host;
	int words = 1;

	if (!strncmp(word, "--host=", 7)) {
		host = word + 7;
	} else if (!strcmp(word, "-H") || !strcmp(word, "--host")) {
		host = argc > 2 ? argv[2] : "";
		words = 2;
	} else if (!strncmp(word, "-H", 2)) {
		host = word + 2;
	} else {
		return 0;
	}
	if (!*host)
		return -1;
	client_set_host(host);
	return words;
}

static int run(int argc, char **argv)
{
	int words = take_host(argc, argv);

	if (words < 0) {
		say_err("on which machine? Give [USER@]HOST after -H, as ssh(1) takes it");
		return MIGCTL_USAGE;
	}
	argc -= words;
	argv += words;
	if (argc < 2) {
		say_err("what to do? Give a verb; migctl --help lists them");
		return MIGCTL_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help"))
		return print_help();
	if (!strcmp(argv[1], "--version")) {
		printf("migctl %s\n", MIGCTL_VERSION);
		return MIGCTL_OK;
	}
	if (argv[1][0] == '-') {
		say_err("unknown option '%s': options follow the verb; see migctl --help",
			argv[1]);
		return MIGCTL_USAGE;
	}
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (!strcmp(argv[1], verbs[i].name))
			return verbs[i].run(argc - 1, argv + 1);
	return unknown_verb(argv[1]);
}

int main(int argc, char **argv)
{
	int code = run(argc, argv);

	if (!fflush(stdout) && !ferror(stdout))
		return code;
	say_err("the output could not be written in full: is the disk it goes to full?");
	return code == MIGCTL_OK ? MIGCTL_FAILED : code;
}
