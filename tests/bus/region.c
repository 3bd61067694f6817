// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <linux/mempolicy.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "region.h"

uint64_t *memory;
size_t pages;
static uint64_t *rounds;	/* how often each page was written */

static atomic_uint_least64_t longest_ns, wrong_words;
atomic_bool resting;
static pthread_t writer;

void die(const char *what)
{
	fprintf(stderr, "target: %s: %s\n", what, strerror(errno));
	exit(1);
}

uint64_t now_ns(void)
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

void *map_apart(size_t bytes)
{
	char *at = mmap(NULL, bytes + 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED || mprotect(at + PAGE, bytes, PROT_READ | PROT_WRITE) < 0)
		die("mmap");
	return at + PAGE;
}

void alloc_on(int mode, int node)
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

/* Where fault/gdb stops it. */
static __attribute__((noinline)) void write_page(size_t page)
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
static void *write_on(void *unused)
{
	uint64_t before, now;

	while (!atomic_load(&resting)) {
		before = now_ns();
		for (size_t page = 0; page < pages; page++) {
			write_page(page);
			now = now_ns();
			if (now - before > atomic_load(&longest_ns))
				atomic_store(&longest_ns, now - before);
			before = now;
		}
		usleep(REST_US);
	}
	return unused;
}

void writer_begin(void *run(void *unused))
{
	atomic_store(&resting, false);
	if (pthread_create(&writer, NULL, run, NULL))
		die("pthread_create");
	printf("writing\n");
}

void writer_end(void)
{
	atomic_store(&resting, true);
	pthread_join(writer, NULL);
}

bool region_answer(const char *line)
{
	if (!strcmp(line, "check\n")) {
		printf("wrong %llu\n", (unsigned long long)count_wrong());
	} else if (!strcmp(line, "write\n")) {
		writer_begin(write_on);
	} else if (!strcmp(line, "rest\n")) {
		writer_end();
		printf("resting\n");
	} else if (!strcmp(line, "stall\n")) {
		printf("stall %llu wrong %llu rounds %llu\n",
		       (unsigned long long)atomic_exchange(&longest_ns, 0) / 1000,
		       (unsigned long long)atomic_load(&wrong_words),
		       (unsigned long long)*(volatile uint64_t *)&rounds[0]);
	} else {
		return false;
	}
	return true;
}

void region_new(void *map(size_t bytes), size_t mib, int node, int policy)
{
	pages = mib * MIB / PAGE;
	memory = map(pages * PAGE);
	alloc_on(MPOL_BIND, node);
	rounds = map_apart((pages * sizeof(*rounds) + PAGE - 1) & ~(PAGE - 1));
	for (size_t i = 0; i < pages * WORDS; i++)
		memory[i] = expected(i, rounds[i / WORDS]);
	alloc_on(policy, policy == MPOL_DEFAULT ? -1 : node);
}
