// SPDX-License-Identifier: GPL-2.0
/* What the memory cgroups of a process let it have. */
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "memlimit.h"

/* A batch leaves all but one part of so many to reclaim. */
#define PARTS	16

/* The first line of a file that begins with @key, without it and the newline. */
static bool read_line(const char *path, const char *key, char *ret, size_t size)
{
	size_t len = strlen(key);
	bool found = false;
	char line[PATH_MAX];
	FILE *f;

	f = fopen(path, "re");
	if (!f)
		return false;
	while (!found && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		found = !strncmp(line, key, len) &&
			snprintf(ret, size, "%s", line + len) < (int)size;
	}
	fclose(f);
	return found;
}

uint64_t memlimit_of(const char *root, pid_t pid)
{
	char path[2 * PATH_MAX], group[PATH_MAX - 64], word[32], *slash;
	uint64_t limit = UINT64_MAX, max;

	snprintf(path, sizeof(path), "%s/proc/%d/cgroup", root, pid);
	if (!read_line(path, "0::", group, sizeof(group)))
		return UINT64_MAX;
	/* The root has no limit, hence no file. */
	while ((slash = strrchr(group, '/')) && slash[1]) {
		snprintf(path, sizeof(path), "%s/sys/fs/cgroup%s/memory.max", root, group);
		/* "max" is no number. */
		if (read_line(path, "", word, sizeof(word)) &&
		    sscanf(word, "%" SCNu64, &max) == 1 && max < limit)
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
