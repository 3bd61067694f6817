// SPDX-License-Identifier: GPL-2.0
/* migd: serves the copy batches of the kernel module migd. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "conf.h"
#include "manager.h"

static const char usage[] =
	"Usage: migd [OPTION]...\n"
	"Move the memory of processes between NUMA nodes; started by systemd as migd.service.\n"
	"\n"
	"  -c, --config=FILE  read FILE instead of " MIGD_CONF "\n"
	"      --check        only check the configuration\n"
	"      --version      print the version\n"
	"  -h, --help         print this\n"
	"\n"
	"See migd(8), migd.conf(5) and org.migd1(5).\n";

static int check(const char *path, bool must)
{
	struct conf conf;
	char err[512];

	if (!conf_load(&conf, path, must, err, sizeof(err)))
		return EXIT_SUCCESS;
	fprintf(stderr, "migd: %s\n", err);
	return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "check", no_argument, NULL, 'C' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 }
	};
	const char *path = MIGD_CONF;
	bool must = false, only_check = false;
	struct manager *m;
	int opt, status;

	while ((opt = getopt_long(argc, argv, "c:h", options, NULL)) >= 0) {
		switch (opt) {
		case 'c':
			path = optarg;
			must = true;
			break;
		case 'C':
			only_check = true;
			break;
		case 'V':
			puts("migd " MIGD_VERSION);
			return EXIT_SUCCESS;
		case 'h':
			fputs(usage, stdout);
			return EXIT_SUCCESS;
		default:
			fputs("migd: see migd --help\n", stderr);
			return 2;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "migd: '%s' is not an option: see migd --help\n", argv[optind]);
		return 2;
	}
	if (only_check)
		return check(path, must);

	if (manager_new(&m, path, must) < 0)
		return EXIT_FAILURE;
	status = manager_run(m);
	manager_free(m);
	return status;
}
