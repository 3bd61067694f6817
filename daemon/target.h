/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The process that a job moves: held by a pidfd from the first look on, so
 * that a pid that changes hands is noticed. All checks are made before the job
 * is submitted; none touches the target's memory.
 */
#ifndef MIGD_TARGET_H
#define MIGD_TARGET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "errors.h"

struct target {
	pid_t pid, ppid;
	int pidfd;		/* -1: none */
	uint64_t start_time;	/* clock ticks since boot */
	unsigned long flags;	/* PF_* of its main thread */
	char state;		/* as in /proc/PID/stat */
	char comm[64];
};

/* Take hold of @pid. On an error nothing is held and @f says why. */
int target_open(struct target *t, uint32_t pid, struct fault *f);
void target_close(struct target *t);

/* What /proc says of @pid, without taking hold of it. -ESRCH: there is none. */
int target_look(struct target *t, pid_t pid);
bool target_has_exited(const struct target *t);
bool target_is_kernel(const struct target *t);

/* Can pages go from node @from (-1: any) to @to at all? */
int nodes_check(int from, int to, struct fault *f);
/* May the process have memory on node @to? */
int target_check_cpuset(const struct target *t, int to, struct fault *f);
/* Both. */
int target_check_nodes(const struct target *t, int from, int to, struct fault *f);

/* Is it still the process that was opened? */
int target_check_alive(const struct target *t, struct fault *f);

/* One line of /proc/PID/stat. -EBADMSG if it is none. */
int target_parse_stat(const char *line, struct target *t);

/* Does a list such as "0-2,5" hold @node? */
bool nodelist_has(const char *list, int node);

/* The same for a file of /sys/devices/system/node, such as has_memory. */
bool node_in(const char *file, int node);

#endif /* MIGD_TARGET_H */
