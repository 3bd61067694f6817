// SPDX-License-Identifier: GPL-2.0
/* What the memory cgroups of a process let it have. */
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cgroup.h"
#include "memlimit.h"

/* A batch leaves all but one part of so many to reclaim. */
#define PARTS	16

/* "max" is no number. */
static bool read_limit(const char *root, const char *group, uint64_t *ret)
{
	char path[PATH_MAX];
	bool found;
	FILE *f;

	snprintf(path, sizeof(path), "%s" CGROUP_ROOT "%s/memory.max", root, group);
	f = fopen(path, "re");
	if (!f)
		return false;
	found = fscanf(f, "%" SCNu64, ret) == 1;
	fclose(f);
	return found;
}

uint64_t memlimit_of(const char *root, pid_t pid)
{
	uint64_t limit = UINT64_MAX, max;
	char group[CGROUP_PATH_LEN], *slash;

	cgroup_of(root, pid, group);
	/* The root has no limit, hence no file. */
	while ((slash = strrchr(group, '/')) && slash[1]) {
		if (read_limit(root, group, &max) && max < limit)
			limit = max;
		*slash = '\0';
	}
	return limit;
}

uint32_t memlimit_batch(uint64_t limit, uint32_t pages)
{
	uint64_t most = limit / sysconf(_SC_PAGESIZE) / PARTS;

	if (most >= pages)
		return pages;
	return most ? most : 1;
}
