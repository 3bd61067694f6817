// SPDX-License-Identifier: GPL-2.0
/*
 * frames NODE PID...: how many pages the processes have in memory on that node, of
 * anonymous and of shared memory. What several of them share counts once. A process
 * that is not there any more has none.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "pagemap.h"

#define CHUNK	512

struct found {
	uint64_t addr, frame;
};

/* Of one process; and the frames on the node, of all. */
static struct found *found;
static uint64_t *frames;
static size_t nr_found, nr_frames, room_found, room_frames;

static void *roomier(void *at, size_t *room, size_t nr, size_t size)
{
	if (nr < *room)
		return at;
	*room = *room ? 2 * *room : 4096;
	at = reallocarray(at, *room, size);
	if (!at) {
		fputs("frames: no memory\n", stderr);
		exit(1);
	}
	return at;
}

/* Of memory that has no file, as far as its user knows. */
static bool is_shared_memory(const char *name)
{
	static const char *const begins[] = { "/dev/zero (deleted)", "/SYSV", "/dev/shm/",
					      "/memfd:" };

	for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++)
		if (!strncmp(name, begins[i], strlen(begins[i])))
			return true;
	return false;
}

static void take(const char *name, uint64_t addr, uint64_t entry)
{
	if ((entry & OF_A_FILE) && !is_shared_memory(name))
		return;
	found = roomier(found, &room_found, nr_found, sizeof(*found));
	found[nr_found++] = (struct found) { addr, entry & FRAME };
}

/* Keeps the frames of those pages that are on the node; a zero page is on none. */
static bool ask_nodes(int pid, int node)
{
	void *addr[CHUNK];
	int status[CHUNK];

	for (size_t first = 0; first < nr_found; first += CHUNK) {
		size_t nr = nr_found - first < CHUNK ? nr_found - first : CHUNK;

		for (size_t i = 0; i < nr; i++)
			addr[i] = (void *)(uintptr_t)found[first + i].addr;
		if (syscall(SYS_move_pages, pid, nr, addr, NULL, status, 0) < 0)
			return false;
		for (size_t i = 0; i < nr; i++) {
			if (status[i] != node)
				continue;
			frames = roomier(frames, &room_frames, nr_frames, sizeof(*frames));
			frames[nr_frames++] = found[first + i].frame;
		}
	}
	return true;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	size_t pages = 0;
	int node;

	if (argc < 3) {
		fputs("Usage: frames NODE PID...\n", stderr);
		return 2;
	}
	node = atoi(argv[1]);
	for (int i = 2; i < argc; i++) {
		int pid = atoi(argv[i]);
		char path[32];

		nr_found = 0;
		snprintf(path, sizeof(path), "/proc/%d", pid);
		if (pagemap_each(argv[i], take) && ask_nodes(pid, node))
			continue;
		if (!access(path, F_OK)) {
			fprintf(stderr, "frames: process %d: %s\n", pid, strerror(errno));
			return 1;
		}
	}
	if (nr_frames)
		qsort(frames, nr_frames, sizeof(*frames), compare);
	for (size_t i = 0; i < nr_frames; i++)
		pages += !i || frames[i] != frames[i - 1];
	printf("%zu\n", pages);
	free(frames);
	free(found);
	return fflush(stdout) ? 1 : 0;
}
