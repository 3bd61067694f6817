// SPDX-License-Identifier: GPL-2.0
/*
 * A process whose memory is moved by the tests, and one that fills a node.
 *
 *   target move MIB NODE    maps MIB on NODE, each word its own value
 *   target bind MIB NODE    the same, and its memory policy stays bound to NODE
 *   target fill NODE        takes memory until NODE has none left
 *
 * It says "ready PID START PAGES" and then does what stdin says, one answer to
 * each line, until stdin ends:
 *
 *   check    every word is read: "wrong N"
 *   write    a thread begins to write and check all pages, over and over: "writing"
 *   stall    "stall USEC wrong N rounds N": its longest stop since the last stall
 */
#include <errno.h>
#include <linux/mempolicy.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define PAGE	4096UL
#define WORDS	(PAGE / sizeof(uint64_t))
#define MIB	(1UL << 20)

static uint64_t *memory;
static uint64_t *rounds;	/* how often each page was written */
static size_t pages;

static atomic_uint_least64_t longest_ns, wrong_words;

static void die(const char *what)
{
	fprintf(stderr, "target: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/* What word @i must be when its page was written @round times, a word each time. */
static uint64_t expected(size_t i, uint64_t round)
{
	uint64_t word = i % WORDS;
	uint64_t last = round < word ? 0 : round - (round - word) % WORDS;

	return (i + 1) * 0x9e3779b97f4a7c15ULL ^ last << 20;
}

/* A mapping of its own line in numa_maps: nothing next to it can be merged. */
static void *map_apart(size_t bytes)
{
	char *at = mmap(NULL, bytes + 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED || mprotect(at + PAGE, bytes, PROT_READ | PROT_WRITE) < 0)
		die("mmap");
	return at + PAGE;
}

/* New pages come from @node, or with -1 from anywhere again. */
static void alloc_on(int mode, int node)
{
	unsigned long mask = node < 0 ? 0 : 1UL << node;

	if (syscall(SYS_set_mempolicy, mode, node < 0 ? NULL : &mask, node < 0 ? 0 : 64UL) < 0)
		die("set_mempolicy");
}

static uint64_t count_wrong(void)
{
	uint64_t wrong = 0;

	for (size_t i = 0; i < pages * WORDS; i++)
		wrong += *(volatile uint64_t *)&memory[i] != expected(i, rounds[i / WORDS]);
	return wrong;
}

static void write_page(size_t page)
{
	volatile uint64_t *at = memory + page * WORDS;
	uint64_t round = rounds[page];
	size_t last = round % WORDS, next = (round + 1) % WORDS;

	if (at[last] != expected(page * WORDS + last, round) ||
	    at[next] != expected(page * WORDS + next, round))
		atomic_fetch_add(&wrong_words, 1);
	rounds[page] = round + 1;
	at[next] = expected(page * WORDS + next, round + 1);
}

/* The time from one page to the next holds every wait of the thread. */
static void *write_for_ever(void *unused)
{
	uint64_t before = now_ns(), now;

	for (;;) {
		for (size_t page = 0; page < pages; page++) {
			write_page(page);
			now = now_ns();
			if (now - before > atomic_load(&longest_ns))
				atomic_store(&longest_ns, now - before);
			before = now;
		}
	}
	return unused;
}

static void answer(const char *line)
{
	pthread_t thread;

	if (!strcmp(line, "check\n")) {
		printf("wrong %llu\n", (unsigned long long)count_wrong());
	} else if (!strcmp(line, "write\n")) {
		if (pthread_create(&thread, NULL, write_for_ever, NULL))
			die("pthread_create");
		printf("writing\n");
	} else if (!strcmp(line, "stall\n")) {
		printf("stall %llu wrong %llu rounds %llu\n",
		       (unsigned long long)atomic_exchange(&longest_ns, 0) / 1000,
		       (unsigned long long)atomic_load(&wrong_words),
		       (unsigned long long)*(volatile uint64_t *)&rounds[0]);
	} else {
		printf("what is that?\n");
	}
	fflush(stdout);
}

static void take_memory(size_t mib, int node, int policy)
{
	pages = mib * MIB / PAGE;
	memory = map_apart(pages * PAGE);
	alloc_on(MPOL_BIND, node);
	rounds = map_apart((pages * sizeof(*rounds) + PAGE - 1) & ~(PAGE - 1));
	for (size_t i = 0; i < pages * WORDS; i++)
		memory[i] = expected(i, rounds[i / WORDS]);
	alloc_on(policy, policy == MPOL_DEFAULT ? -1 : node);
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

	/* Huge pages are not moved: there shall be none. */
	if (prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) < 0)
		die("PR_SET_THP_DISABLE");
	own_program();
	if (argc == 4 && !strcmp(argv[1], "move"))
		take_memory(strtoul(argv[2], NULL, 10), atoi(argv[3]), MPOL_DEFAULT);
	else if (argc == 4 && !strcmp(argv[1], "bind"))
		take_memory(strtoul(argv[2], NULL, 10), atoi(argv[3]), MPOL_BIND);
	else if (argc == 3 && !strcmp(argv[1], "fill"))
		fill_node(atoi(argv[2]));
	else
		return 2;
	printf("ready %d %lx %zu\n", getpid(), (unsigned long)memory, pages);
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin))
		answer(line);
	return 0;
}
