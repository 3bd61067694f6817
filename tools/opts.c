// SPDX-License-Identifier: GPL-2.0
/* The options that every verb knows, and values that several take. */
#include <limits.h>
#include <stdio.h>

#include "migctl.h"
#include "text.h"

int opts_common(struct opts *opts, int c, char **argv)
{
	switch (c) {
	case 'h':
		fputs(opts->help, stdout);
		return MIGCTL_OK;
	case OPT_JSON:
		opts->json = true;
		return OPTS_GO_ON;
	case OPT_NO_LEGEND:
		opts->no_legend = true;
		return OPTS_GO_ON;
	case OPT_NO_START:
		opts->no_start = true;
		return OPTS_GO_ON;
	case ':':
		say_err("option '%s' needs a value: see migctl %s --help", argv[optind - 1],
			opts->verb);
		return MIGCTL_USAGE;
	default:
		/* A bad short option leaves optind on its word. */
		if (optopt && optopt < OPT_JSON)
			say_err("unknown option '-%c': see migctl %s --help", optopt,
				opts->verb);
		else if (optopt)
			say_err("option '%s' takes no value: see migctl %s --help",
				argv[optind - 1], opts->verb);
		else
			say_err("unknown option '%s': see migctl %s --help",
				argv[optind - 1], opts->verb);
		return MIGCTL_USAGE;
	}
}

static int parse(struct opts *opts, int argc, char **argv, const struct option *options)
{
	int c, r;

	optind = 0;
	while ((c = getopt_long(argc, argv, ":h", options, NULL)) >= 0) {
		r = opts_common(opts, c, argv);
		if (r != OPTS_GO_ON)
			return r;
	}
	return OPTS_GO_ON;
}

int opts_parse(struct opts *opts, int argc, char **argv)
{
	static const struct option options[] = {
		OPTS_HELP, OPTS_JSON, OPTS_NO_START, OPTS_END,
	};

	return parse(opts, argc, argv, options);
}

int opts_parse_table(struct opts *opts, int argc, char **argv)
{
	static const struct option options[] = {
		OPTS_HELP, OPTS_JSON, OPTS_NO_START, OPTS_NO_LEGEND, OPTS_END,
	};

	return parse(opts, argc, argv, options);
}

int opts_no_more(const struct opts *opts, int argc, char **argv)
{
	if (optind >= argc)
		return OPTS_GO_ON;
	say_err("'%s' is one argument too many: see migctl %s --help", argv[optind],
		opts->verb);
	return MIGCTL_USAGE;
}

int opts_bad_value(const char *option, const char *value, const char *wanted)
{
	say_err("'%s' is no value for %s: give %s", value, option, wanted);
	return MIGCTL_USAGE;
}

int opts_node(const char *option, const char *value, int *ret)
{
	__u32 node;

	if (parse_u32(value, &node) < 0 || node > INT_MAX)
		return opts_bad_value(option, value, "the number of a node, such as 0");
	*ret = node;
	return OPTS_GO_ON;
}
