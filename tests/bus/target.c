// SPDX-License-Identifier: GPL-2.0
/*
 * A process whose memory is moved by the tests, and one that fills a node.
 *
 *   target move MIB NODE    maps MIB on NODE, each word its own value
 *   target bind MIB NODE    the same, and its memory policy stays bound to NODE
 *   target large MIB NODE   the same in large folios, as the system has them
 *   target hugetlb MIB NODE the same in hugetlb pages
 *   target fill NODE        takes memory until NODE has none left
 *
 * It says "ready PID START PAGES" and then does what stdin says, one answer to
 * each line, until stdin ends:
 *
 *   check    every word is read: "wrong N"
 *   write    a thread begins to write and check all pages, over and over: "writing"
 *   rest     it stops: "resting"
 *   close    from now on no other of its user may look into it: "closed"
 *   open     they may again: "open"
 *   stall    "stall USEC wrong N rounds N": its longest stop since the last stall
 */
#include <linux/mempolicy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "region.h"

#define HUGE	(2 * MIB)

/* What may be mapped by huge PMDs. */
static void *map_aligned(size_t bytes)
{
	char *at = mmap(NULL, bytes + 2 * HUGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		die("mmap");
	at = (char *)(((unsigned long)at / HUGE + 1) * HUGE);
	if (mprotect(at, bytes, PROT_READ | PROT_WRITE) < 0 ||
	    madvise(at, bytes, MADV_HUGEPAGE) < 0)
		die("mprotect");
	return at;
}

static void *map_hugetlb(size_t bytes)
{
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);

	if (at == MAP_FAILED)
		die("mmap of hugetlb pages");
	return at;
}

/*
 * The guest's root is a tmpfs, so the pages of this program are shared memory,
 * which is left alone: writing makes them the process's own.
 */
static void own_program(void)
{
	unsigned long start, end, at;
	char line[512], page[PAGE];
	FILE *maps, *mem;

	maps = fopen("/proc/self/maps", "re");
	mem = fopen("/proc/self/mem", "r+e");
	if (!maps || !mem)
		die("/proc/self");
	setvbuf(mem, NULL, _IONBF, 0);
	while (fgets(line, sizeof(line), maps)) {
		if (!strstr(line, "/bus/target") || sscanf(line, "%lx-%lx", &start, &end) != 2)
			continue;
		for (at = start; at < end; at += PAGE)
			if (pread(fileno(mem), page, PAGE, at) != PAGE ||
			    pwrite(fileno(mem), page, PAGE, at) != PAGE)
				die("/proc/self/mem");
	}
	fclose(mem);
	fclose(maps);
}

static size_t nr_on(const char *at, size_t bytes, int node)
{
	static int status[MIB / PAGE];
	static void *where[MIB / PAGE];
	size_t n = bytes / PAGE, found = 0;

	for (size_t i = 0; i < n; i++)
		where[i] = (void *)(at + i * PAGE);
	if (syscall(SYS_move_pages, 0, n, where, NULL, status, 0) < 0)
		die("move_pages");
	for (size_t i = 0; i < n; i++)
		found += status[i] == node;
	return found;
}

/* By preference, not by bind: the node gets full and nobody is killed for it. */
static void fill_node(int node)
{
	unsigned int elsewhere = 0;

	alloc_on(MPOL_PREFERRED, node);
	while (elsewhere < 4) {
		void *at = mmap(NULL, MIB, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

		if (at == MAP_FAILED)
			die("mmap");
		pages += MIB / PAGE;
		if (!nr_on(at, MIB, node))
			elsewhere++;
	}
	memory = NULL;
}

int main(int argc, char **argv)
{
	char line[64];

	/* Huge pages go another way: there shall be none but where they are tested. */
	if ((argc < 2 || strcmp(argv[1], "large")) &&
	    prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) < 0)
		die("PR_SET_THP_DISABLE");
	own_program();
	if (argc == 4 && !strcmp(argv[1], "move"))
		region_new(map_apart, strtoul(argv[2], NULL, 10), atoi(argv[3]), MPOL_DEFAULT);
	else if (argc == 4 && !strcmp(argv[1], "large"))
		region_new(map_aligned, strtoul(argv[2], NULL, 10), atoi(argv[3]), MPOL_DEFAULT);
	else if (argc == 4 && !strcmp(argv[1], "hugetlb"))
		region_new(map_hugetlb, strtoul(argv[2], NULL, 10), atoi(argv[3]), MPOL_DEFAULT);
	else if (argc == 4 && !strcmp(argv[1], "bind"))
		region_new(map_apart, strtoul(argv[2], NULL, 10), atoi(argv[3]), MPOL_BIND);
	else if (argc == 3 && !strcmp(argv[1], "fill"))
		fill_node(atoi(argv[2]));
	else
		return 2;
	printf("ready %d %lx %zu\n", getpid(), (unsigned long)memory, pages);
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		if (!strcmp(line, "close\n") && !prctl(PR_SET_DUMPABLE, 0))
			printf("closed\n");
		else if (!strcmp(line, "open\n") && !prctl(PR_SET_DUMPABLE, 1))
			printf("open\n");
		else if (!region_answer(line))
			printf("what is that?\n");
		fflush(stdout);
	}
	return 0;
}
