/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's memory tiers, and demotion from one to the next. */
#ifndef MIGCTL_TIERS_H
#define MIGCTL_TIERS_H

#include <stdbool.h>

#define TIERS_MAX	16

struct tier {
	char name[32];		/* memory_tier4 */
	char nodes[256];	/* "0-1" */
};

/* The tiers that have nodes, the fastest first; returns how many there are. */
unsigned int tiers_list(const char *root, struct tier tiers[static TIERS_MAX]);

/* The place of a node's tier in the list, or -1. */
int tiers_of(const struct tier *tiers, unsigned int nr, int node);

/* Does reclaim move pages to a slower tier? */
bool tiers_demote(const char *root);

#endif /* MIGCTL_TIERS_H */
