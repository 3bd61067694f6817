/* SPDX-License-Identifier: GPL-2.0 */
/* What a migration would find, without moving anything. */
#ifndef MIGCTL_DRY_RUN_H
#define MIGCTL_DRY_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

struct client;
struct target;

/* Print it, and warn of what will undo it. Returns an exit code. */
int dry_run(const struct target *t, struct client *c, int from, int to, bool json);

/* Has a node memory? -1 is any. Says so if not; returns an exit code. */
int dry_run_check_node(int node);

/*
 * Why a process is not moved, or NULL; its name is in @comm. Warns of what will
 * undo the move. @daemon is the daemon's cgroup, @to may be -1.
 */
#define DRY_RUN_FORBIDDEN	"is forbidden by its cpuset"
const char *dry_run_verdict(__u32 pid, const char *daemon, int from, int to, char *comm,
			    size_t size);

/*
 * Warn of what will undo the move of a group, by the first of its processes that
 * have something to be warned of.
 */
void dry_run_warn(const struct target *t, struct client *c, int from, int to, bool verbose);

#endif /* MIGCTL_DRY_RUN_H */
