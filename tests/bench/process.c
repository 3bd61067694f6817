// SPDX-License-Identifier: GPL-2.0
/* The target seen from outside: its life, and where its pages are. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

int target_start(struct target *target, const char *program, size_t mib)
{
	char size[24], out[12];
	int ends[2];
	ssize_t n;

	target->page_size = sysconf(_SC_PAGESIZE);
	target->pages = (mib << 20) / target->page_size;
	if (pipe(ends))
		return -errno;
	snprintf(size, sizeof(size), "%zu", mib);
	snprintf(out, sizeof(out), "%d", ends[1]);
	target->pid = fork();
	if (target->pid < 0)
		return -errno;
	if (!target->pid) {
		execl(program, program, size, out, NULL);
		_exit(127);
	}
	close(ends[1]);
	n = read(ends[0], &target->start, sizeof(target->start));
	close(ends[0]);
	if (n != sizeof(target->start)) {
		fputs("migd-bench: the target could not map its memory or did not start\n", stderr);
		return -ENOMEM;
	}
	return 0;
}

void target_stop(struct target *target)
{
	if (target->pid <= 0)
		return;
	kill(target->pid, SIGKILL);
	waitpid(target->pid, NULL, 0);
}

long target_pages_on(const struct target *target, int node)
{
	enum { CHUNK = 1024 };
	void *address[CHUNK];
	int status[CHUNK];
	long found = 0;

	for (size_t first = 0; first < target->pages; first += CHUNK) {
		size_t count = target->pages - first < CHUNK ? target->pages - first : CHUNK;

		for (size_t i = 0; i < count; i++)
			address[i] = target->start + (first + i) * target->page_size;
		if (syscall(SYS_move_pages, target->pid, count, address, NULL, status, 0) < 0)
			return -errno;
		for (size_t i = 0; i < count; i++)
			found += status[i] == node;
	}
	return found;
}

long target_all_pages_on(const struct target *target, int node)
{
	char path[40], line[4096], field[16];
	long found = 0;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/numa_maps", target->pid);
	snprintf(field, sizeof(field), " N%d=", node);
	maps = fopen(path, "re");
	if (!maps)
		return -errno;
	while (fgets(line, sizeof(line), maps)) {
		const char *at = strstr(line, field);

		if (at)
			found += strtol(at + strlen(field), NULL, 10);
	}
	fclose(maps);
	return found;
}
