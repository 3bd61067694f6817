/* SPDX-License-Identifier: GPL-2.0 */
/* What a migration would find, without moving anything. */
#ifndef MIGCTL_DRY_RUN_H
#define MIGCTL_DRY_RUN_H

#include <stdbool.h>

struct client;
struct target;

/* Print it, and warn of what will undo it. Returns an exit code. */
int dry_run(const struct target *t, struct client *c, int from, int to, bool json);

/*
 * Warn of what will undo the move of a group, by the first of its processes that
 * have something to be warned of.
 */
void dry_run_warn(const struct target *t, struct client *c, int from, int to, bool verbose);

#endif /* MIGCTL_DRY_RUN_H */
