// SPDX-License-Identifier: GPL-2.0
/* The kernel's memory tiers, and demotion from one to the next. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "procfs.h"
#include "rangelist.h"
#include "tiers.h"

#define TIERING	"/sys/devices/virtual/memory_tiering"

static bool read_tier(const char *root, const char *name, struct tier *tier)
{
	if (strncmp(name, "memory_tier", 11) || strlen(name) >= sizeof(tier->name))
		return false;
	snprintf(tier->name, sizeof(tier->name), "%s", name);
	return !procfs_value(root, NULL, tier->nodes, sizeof(tier->nodes),
			     TIERING "/%s/nodelist", name) && tier->nodes[0];
}

unsigned int tiers_list(const char *root, struct tier tiers[static TIERS_MAX])
{
	char path[PROCFS_PATH];
	struct dirent **names;
	unsigned int nr = 0;
	int n;

	snprintf(path, sizeof(path), "%s" TIERING, root);
	/* Their numbers are distances: the order of speed. */
	n = scandir(path, &names, NULL, versionsort);
	for (int i = 0; i < n; i++) {
		if (nr < TIERS_MAX && read_tier(root, names[i]->d_name, &tiers[nr]))
			nr++;
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	return nr;
}

int tiers_of(const struct tier *tiers, unsigned int nr, int node)
{
	for (unsigned int i = 0; i < nr; i++)
		if (rangelist_has(tiers[i].nodes, node))
			return i;
	return -1;
}

bool tiers_demote(const char *root)
{
	char on[16];

	return !procfs_value(root, NULL, on, sizeof(on),
			     "/sys/kernel/mm/numa/demotion_enabled") && !strcmp(on, "true");
}
