// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "pagemap.h"

static bool complain(const char *pid, const char *file)
{
	fprintf(stderr, "/proc/%s/%s: %s\n", pid, file, strerror(errno));
	return false;
}

static bool each_in(int pagemap, const char *name, uint64_t start, uint64_t end,
		    void page(const char *name, uint64_t addr, uint64_t entry))
{
	uint64_t size = (uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t entry[512];
	ssize_t bytes, i;

	while (start < end) {
		uint64_t pages = (end - start) / size;

		if (pages > sizeof(entry) / sizeof(entry[0]))
			pages = sizeof(entry) / sizeof(entry[0]);
		bytes = pread(pagemap, entry, pages * sizeof(entry[0]),
			      (off_t)(start / size * sizeof(entry[0])));
		if (bytes < 0)
			return false;
		/* a mapping of the kernel's own, which pagemap knows nothing of */
		if (bytes < (ssize_t)sizeof(entry[0]))
			return true;
		for (i = 0; i < bytes / (ssize_t)sizeof(entry[0]); i++, start += size)
			if (entry[i] & PRESENT)
				page(name, start, entry[i]);
	}
	return true;
}

bool pagemap_each(const char *pid, void page(const char *name, uint64_t addr, uint64_t entry))
{
	unsigned long long start, end;
	char path[64], line[512];
	bool fine = true;
	int pagemap;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%s/pagemap", pid);
	pagemap = open(path, O_RDONLY | O_CLOEXEC);
	if (pagemap < 0)
		return complain(pid, "pagemap");
	snprintf(path, sizeof(path), "/proc/%s/maps", pid);
	maps = fopen(path, "re");
	if (!maps) {
		fine = complain(pid, "maps");
		goto out;
	}
	while (fine && fgets(line, sizeof(line), maps)) {
		int name = 0;

		/* The name is the sixth word, and may be empty. */
		if (sscanf(line, "%llx-%llx %*s %*s %*s %*s %n", &start, &end, &name) < 2)
			continue;
		line[strcspn(line, "\n")] = '\0';
		if (!each_in(pagemap, line + name, start, end, page))
			fine = complain(pid, "pagemap");
	}
	fclose(maps);
out:
	close(pagemap);
	return fine;
}
