/* SPDX-License-Identifier: GPL-2.0 */
/* What the verbs of migctl share: exit codes and the common options. */
#ifndef MIGCTL_H
#define MIGCTL_H

#include <getopt.h>
#include <stdbool.h>

enum migctl_exit {
	MIGCTL_OK = 0,		/* all moved, or nothing to move */
	MIGCTL_FAILED = 1,
	MIGCTL_USAGE = 2,
	MIGCTL_PARTLY = 3,	/* some pages moved, some left */
	MIGCTL_DENIED = 4,
	MIGCTL_ABSENT = 5,	/* daemon or module not there */
	MIGCTL_CANCELLED = 130,
};

/*
 * struct opts - the options that every verb knows
 *
 * @verb:	name of the verb, for the sentences about its options
 * @help:	what --help prints
 * @json:	print the service's JSON rather than text for people
 * @no_legend:	tables without their first line
 * @no_start:	never let the bus start the daemon
 */
struct opts {
	const char *verb;
	const char *help;
	bool json;
	bool no_legend;
	bool no_start;
};

enum {
	OPT_JSON = 0x100,
	OPT_NO_LEGEND,
	OPT_NO_START,
	OPT_OWN,		/* first value free for a verb */
};

/* Entries of a verb's option table. */
#define OPTS_HELP	{ "help", no_argument, NULL, 'h' }
#define OPTS_JSON	{ "json", no_argument, NULL, OPT_JSON }
#define OPTS_NO_START	{ "no-start", no_argument, NULL, OPT_NO_START }
#define OPTS_NO_LEGEND	{ "no-legend", no_argument, NULL, OPT_NO_LEGEND }
#define OPTS_END	{ NULL, 0, NULL, 0 }

/* What opts_common() answers when the verb should go on parsing. */
#define OPTS_GO_ON	(-1)

/*
 * opts_common - handle one answer of getopt_long() that the verb has no use for
 * Returns OPTS_GO_ON, or the exit code with which the verb must return.
 */
int opts_common(struct opts *opts, int c, char **argv);

/* For verbs without options of their own; returns as opts_common(). */
int opts_parse(struct opts *opts, int argc, char **argv);

/* As opts_parse(), for verbs that print a table. */
int opts_parse_table(struct opts *opts, int argc, char **argv);

/* Refuse an argument too many; returns the exit code or OPTS_GO_ON. */
int opts_no_more(const struct opts *opts, int argc, char **argv);

/* Refuse the value of an option; returns the exit code. */
int opts_bad_value(const char *option, const char *value, const char *wanted);

/* Take the number of a node; returns as opts_common(). */
int opts_node(const char *option, const char *value, int *ret);

int verb_status(int argc, char **argv);
int verb_doctor(int argc, char **argv);
int verb_migrate(int argc, char **argv);
int verb_explain(int argc, char **argv);
int verb_jobs(int argc, char **argv);
int verb_cancel(int argc, char **argv);
int verb_set(int argc, char **argv);
int verb_pause(int argc, char **argv);
int verb_resume(int argc, char **argv);
int verb_groups(int argc, char **argv);
int verb_engines(int argc, char **argv);
int verb_stats(int argc, char **argv);
int verb_policy(int argc, char **argv);
int verb_monitor(int argc, char **argv);
int verb_top(int argc, char **argv);

#endif /* MIGCTL_H */
