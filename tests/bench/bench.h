/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a moved page costs, in instructions of the whole guest.
 *
 * Runs on one CPU under QEMU's -icount shift=0: a nanosecond of guest time is
 * one instruction. A spinner of class SCHED_IDLE soaks up the idle time and
 * counts it; what is left is what kernel, daemon, bus and caller executed.
 */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct target {
	pid_t pid;
	char *start;		/* of the measured pages, in the target */
	size_t pages;
	size_t page_size;
};

struct bus;

enum how { HOW_MIGRATE_PAGES, HOW_MOVE_PAGES, HOW_MIGD };

struct method {
	const char *name;
	enum how how;
	const char *engine;	/* migd: "cpu", "dma" */
	const char *order;	/* migd: "copy-first", "state-first" */
};

/* Nanoseconds of CLOCK_MONOTONIC. */
uint64_t now_ns(void);

/* idle.c: the spinner; idle_ns() is the idle time so far. */
int idle_start(void);
void idle_stop(void);
uint64_t idle_ns(void);

/* process.c: runs the program target.c, with its touched pages on node 0. */
int target_start(struct target *target, const char *program, size_t mib);
void target_stop(struct target *target);
/* Measured pages on the node, or a negative errno. */
long target_pages_on(const struct target *target, int node);
/* All pages of the process on the node, by its numa_maps. */
long target_all_pages_on(const struct target *target, int node);

/* syscalls.c */
int move_by_migrate_pages(const struct target *target, int from, int to);
int move_by_move_pages(const struct target *target, int to);
int move_pages_prepare(const struct target *target);

/* bus.c: one job of migd, to its Done signal. */
int bus_open(struct bus **ret_bus);
void bus_close(struct bus *bus);
int bus_migrate(struct bus *bus, const struct target *target, const struct method *method,
		int from, int to);
/* The finished job as JSON, for the report; the caller frees it. */
char *bus_last_job(struct bus *bus);

/* share.c: time inside a driver's functions, by the function graph tracer. */
struct share {
	uint64_t ns;		/* inside the driver, its caller's callbacks left out */
	uint64_t calls;
	uint64_t overhead_ns;	/* of one traced call, already taken off */
};

int share_start(const char *driver);
int share_stop(const char *driver, struct share *ret_share);

#endif
