// SPDX-License-Identifier: GPL-2.0
/* Moves the target there and back with every method and prints JSON. */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

#define WARM_UP		1	/* round trips that do not count */
#define ROUND_TRIPS	3	/* of each way the median counts: the guest has other work, too */

static const struct method methods[] = {
	{ "move_pages(2)", HOW_MOVE_PAGES, NULL, NULL },
	{ "migrate_pages(2)", HOW_MIGRATE_PAGES, NULL, NULL },
	{ "migd, CPU, copy-first", HOW_MIGD, "cpu", "copy-first" },
	{ "migd, CPU, state-first", HOW_MIGD, "cpu", "state-first" },
	{ "migd, DMA, copy-first", HOW_MIGD, "dma", "copy-first" },
	{ "migd, DMA, state-first", HOW_MIGD, "dma", "state-first" },
};

struct result {
	uint64_t instructions;	/* of the whole guest, idle left out */
	uint64_t idle;
	uint64_t pages;		/* of the whole process that changed node */
	uint64_t measured;	/* of the measured pages, how many are there now */
};

static int move(struct bus *bus, const struct target *target, const struct method *method,
		int from, int to)
{
	switch (method->how) {
	case HOW_MIGRATE_PAGES:
		return move_by_migrate_pages(target, from, to);
	case HOW_MOVE_PAGES:
		return move_by_move_pages(target, to);
	default:
		return bus_migrate(bus, target, method, from, to);
	}
}

/* One way, measured. */
static int one_way(struct bus *bus, const struct target *target, const struct method *method,
		   int from, int to, struct result *ret)
{
	long before = target_all_pages_on(target, to);
	uint64_t start, start_idle;
	long there;
	int r;

	start_idle = idle_ns();
	start = now_ns();
	r = move(bus, target, method, from, to);
	ret->instructions = now_ns() - start;
	ret->idle = idle_ns() - start_idle;
	ret->instructions -= ret->idle;
	if (r) {
		fprintf(stderr, "migd-bench: %s from node %d to %d: %s\n", method->name, from, to,
			strerror(-r));
		return r;
	}
	there = target_all_pages_on(target, to);
	if (before < 0 || there <= before) {
		fprintf(stderr, "migd-bench: %s moved nothing from node %d to %d\n", method->name,
			from, to);
		return -EIO;
	}
	ret->pages = there - before;
	ret->measured = target_pages_on(target, to);
	return 0;
}

static int round_trip(struct bus *bus, const struct target *target, const struct method *method,
		      struct result result[2])
{
	int r = one_way(bus, target, method, 0, 1, &result[0]);

	return r ? r : one_way(bus, target, method, 1, 0, &result[1]);
}

static int by_cost(const void *a, const void *b)
{
	const struct result *first = a, *second = b;

	return (first->instructions > second->instructions) -
	       (first->instructions < second->instructions);
}

/* The median of each way. */
static int measure(struct bus *bus, const struct target *target, const struct method *method,
		   struct result median[2])
{
	struct result there[ROUND_TRIPS], back[ROUND_TRIPS], trip[2];
	int r = 0;

	for (int i = -WARM_UP; !r && i < ROUND_TRIPS; i++) {
		r = round_trip(bus, target, method, trip);
		if (i >= 0) {
			there[i] = trip[0];
			back[i] = trip[1];
		}
	}
	if (r)
		return r;
	qsort(there, ROUND_TRIPS, sizeof(there[0]), by_cost);
	qsort(back, ROUND_TRIPS, sizeof(back[0]), by_cost);
	median[0] = there[ROUND_TRIPS / 2];
	median[1] = back[ROUND_TRIPS / 2];
	return 0;
}

static int driver_share(struct bus *bus, const struct target *target, const struct method *method,
			const char *driver)
{
	struct result traced[2];
	struct share share;
	int r = share_start(driver);

	if (r)
		return r;
	r = round_trip(bus, target, method, traced);
	if (r)
		return r;
	r = share_stop(driver, &share);
	if (r)
		return r;
	printf(",\"driver_instructions\":%llu,\"driver_calls\":%llu,\"driver_pages\":%llu,",
	       (unsigned long long)share.ns, (unsigned long long)share.calls,
	       (unsigned long long)(traced[0].pages + traced[1].pages));
	printf("\"trace_call_cost\":%llu",
	       (unsigned long long)share.overhead_ns);
	return 0;
}

static void print_ways(const struct result result[2])
{
	for (unsigned int i = 0; i < 2; i++) {
		const struct result *way = &result[i];

		printf(",\"%s\":{\"instructions\":%llu,\"idle\":%llu,", i ? "back" : "there",
		       (unsigned long long)way->instructions, (unsigned long long)way->idle);
		printf("\"pages\":%llu,\"measured_pages\":%llu}", (unsigned long long)way->pages,
		       (unsigned long long)way->measured);
	}
}

static int run_method(struct bus *bus, const struct target *target, const struct method *method,
		      const char *driver)
{
	struct result result[2];
	int r;

	fprintf(stderr, "%s\n", method->name);
	r = measure(bus, target, method, result);
	if (r)
		return r;
	printf("{\"method\":\"%s\"", method->name);
	if (method->how == HOW_MIGD)
		printf(",\"engine\":\"%s\",\"order\":\"%s\"", method->engine, method->order);
	print_ways(result);
	if (method->how == HOW_MIGD) {
		char *job = bus_last_job(bus);

		if (!job)
			return -EIO;
		printf(",\"job\":%s", job);
		free(job);
		if (driver && !strcmp(method->engine, "dma"))
			r = driver_share(bus, target, method, driver);
	}
	puts("}");
	fflush(stdout);
	return r;
}

static int run(const char *program, size_t mib, bool with_migd, const char *driver)
{
	struct target target = { 0 };
	struct bus *bus = NULL;
	int r = target_start(&target, program, mib);

	if (!r)
		r = move_pages_prepare(&target);
	if (!r && with_migd)
		r = bus_open(&bus);
	if (!r)
		r = idle_start();
	for (size_t i = 0; !r && i < sizeof(methods) / sizeof(methods[0]); i++)
		if (with_migd || methods[i].how != HOW_MIGD)
			r = run_method(bus, &target, &methods[i], driver);
	idle_stop();
	bus_close(bus);
	target_stop(&target);
	return r;
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "mib", required_argument, NULL, 'm' },
		{ "driver", required_argument, NULL, 'd' },
		{ "without-migd", no_argument, NULL, 'w' },
		{ }
	};
	const char *driver = NULL;
	bool with_migd = true;
	size_t mib = 64;
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 'm':
			mib = strtoul(optarg, NULL, 10);
			break;
		case 'd':
			driver = optarg;
			break;
		case 'w':
			with_migd = false;
			break;
		default:
			mib = 0;
		}
	}
	if (!mib || optind + 1 != argc) {
		fputs("Usage: migd-bench [--mib N] [--driver MODULE] [--without-migd] TARGET\n",
		      stderr);
		return 2;
	}
	return run(argv[optind], mib, with_migd, driver) ? 1 : 0;
}
