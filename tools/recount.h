/* SPDX-License-Identifier: GPL-2.0 */
/* What came back after a move: its pages counted twice, by /proc/PID/numa_maps. */
#ifndef MIGCTL_RECOUNT_H
#define MIGCTL_RECOUNT_H

#include <stddef.h>
#include <linux/types.h>

#include "target.h"

/* Processes whose pages came back that are remembered. */
#define RECOUNT_CULPRITS	3

struct recount_process {
	__u32 pid;
	__u64 start_time;
};

struct recount_mapping;

/*
 * struct recount - the processes of a move, and their mappings as first counted
 *
 * @root:	directory in which proc is found, "" but for tests
 * @from:	source node, -1 for every node but @to
 * @to:		destination node
 * @ranges:	mappings that meet none of these are not counted; none: all are
 * @processes:	those that had memory
 */
struct recount {
	const char *root;
	int from, to;
	const struct range *ranges;
	size_t nr_ranges;
	struct recount_process *processes;
	size_t nr_processes;
	struct recount_mapping *mappings;
	size_t nr_mappings;
};

/*
 * struct recount_result - what the second look found
 *
 * @back:	pages that the source gained and the destination lost, by mapping
 * @fresh:	pages that the source gained beyond those
 * @gone:	processes that have exited, or become another program
 * @culprits:	the first of those with pages back
 */
struct recount_result {
	__u64 back, fresh;
	size_t gone;
	__u32 culprits[RECOUNT_CULPRITS];
	size_t nr_culprits;
};

/*
 * Count for the first time. Processes that have exited are passed over. Returns 0
 * or a negative errno, then of @ret_pid.
 */
int recount_begin(struct recount *r, const __u32 *pids, size_t nr_pids, __u32 *ret_pid);

/* Count again; as recount_begin(). */
int recount_end(const struct recount *r, struct recount_result *ret, __u32 *ret_pid);

void recount_done(struct recount *r);

#endif /* MIGCTL_RECOUNT_H */
