// SPDX-License-Identifier: GPL-2.0
/* A Redis client that checks every acknowledged write. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"
#include "value.h"

static const char usage[] =
	"Usage: redis-check VERB --socket PATH [options]\n"
	"  fill    put the first version of every key, printing \"DONE ALL\" as it goes\n"
	"  dump    write the values of the keys that nobody writes, for a digest\n"
	"  run     once after fill: read and write all the time and check every answer\n"
	"          until \"quit\" on standard input (\"phase NAME\" begins a phase), then\n"
	"          print counts, wrong answers and latencies as JSON\n"
	"Options:\n"
	"  --mib N      data of all keys together (default 128)\n"
	"  --threads N  connections of run, one thread each (default 2)\n"
	"  --rate N     operations a second of each thread (default 200)\n";

static unsigned long parse_number(const char *text, unsigned long max)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*text >= '0' && *text <= '9' && !*end && value && value <= max)
		return value;
	fprintf(stderr, "redis-check: '%s' is not a number from 1 to %lu\n", text, max);
	exit(2);
}

/* A quarter of the keys is frozen; the sizes average half-way. */
static void split_keys(struct load_options *options, unsigned long mib)
{
	uint32_t keys = (mib << 20) / ((VALUE_MIN + VALUE_MAX) / 2);

	/* the average holds within a percent: leave room, never less than asked */
	keys += keys / 64;
	options->frozen = keys / 4;
	options->live = keys - options->frozen;
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "socket", required_argument, NULL, 's' },
		{ "mib", required_argument, NULL, 'm' },
		{ "threads", required_argument, NULL, 't' },
		{ "rate", required_argument, NULL, 'r' },
		{ "help", no_argument, NULL, 'h' },
		{ }
	};
	static const struct {
		const char *name;
		int (*run)(const struct load_options *options);
	} verbs[] = {
		{ "fill", load_fill },
		{ "dump", load_dump },
		{ "run", load_run },
	};
	struct load_options options = { .threads = 2, .rate = 200 };
	unsigned long mib = 128;
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 's':
			options.socket = optarg;
			break;
		case 'm':
			mib = parse_number(optarg, 4096);
			break;
		case 't':
			options.threads = parse_number(optarg, 64);
			break;
		case 'r':
			options.rate = parse_number(optarg, 1000000);
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	if (optind + 1 != argc || !options.socket) {
		fputs(usage, stderr);
		return 2;
	}
	split_keys(&options, mib);
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (!strcmp(argv[optind], verbs[i].name))
			return verbs[i].run(&options) ? 1 : 0;
	fprintf(stderr, "redis-check: unknown verb '%s'\n%s", argv[optind], usage);
	return 2;
}
