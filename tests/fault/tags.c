// SPDX-License-Identifier: GPL-2.0
/*
 * A process of arm64 whose memory has values, and a tag for each granule of 16
 * bytes. Tag checks are synchronous: a granule without its tag ends the process.
 *
 *   tags KIB NODE        a region of small pages on NODE
 *
 * It says "ready PID START PAGES" of the region and answers each line of stdin
 * with one line, until stdin ends:
 *
 *   map thp KIB NODE     "mapped START PAGES": one more region, in huge pages
 *   map memfd KIB NODE   the same of a memfd, which is mapped twice: START is that
 *                        of a mapping that knows nothing of the tags
 *   check                all is read, and its tags: "wrong N tags N"
 *   write                a thread begins to check all and to give it new tags and
 *                        values, over and over: "writing"
 *   rest                 it stops: "resting rounds N wrong N"
 */
#include <linux/mempolicy.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "victim.h"

#ifndef PROT_MTE
#define PROT_MTE	0x20
#endif

#define GRANULE		16UL
#define GRANULES	(PAGE / GRANULE)
#define HUGE		(2 * MIB)
#define TAG_SHIFT	56
#define MAX_REGIONS	4

struct region {
	char *at;		/* mapped with PROT_MTE */
	char *plain;		/* mapped without, or NULL */
	size_t bytes;
	uint64_t round;
};

static struct region regions[MAX_REGIONS];
static size_t nr_regions;
static uint64_t wrong_words, wrong_tags;

/*
 * The tags of neighbours differ, and so do those of pages, and of a granule in
 * turn. In a page there are only two: QEMU 7.2 forgets where in its page a granule
 * lies, and keeps the byte of two tags that its page begins with for all of it.
 */
static unsigned int tag_of(size_t granule, uint64_t round)
{
	return (granule / GRANULES + granule % 2 * 7 + round) % 15 + 1;
}

static void *tagged(const char *at, unsigned int tag)
{
	return (void *)((uintptr_t)at | (uintptr_t)tag << TAG_SHIFT);
}

static void set_tag(void *to)
{
	asm volatile(".arch armv8.5-a+memtag\n\tstg %0, [%0]" : : "r"(to) : "memory");
}

static unsigned int get_tag(const char *at)
{
	asm volatile(".arch armv8.5-a+memtag\n\tldg %0, [%0]" : "+r"(at) : : "memory");
	return (uintptr_t)at >> TAG_SHIFT & 15;
}

static void check_granule(const struct region *r, size_t i)
{
	const char *at = r->at + i * GRANULE;
	const volatile uint64_t *word = tagged(at, tag_of(i, r->round));

	wrong_tags += get_tag(at) != tag_of(i, r->round);
	wrong_words += word[0] != word_of(r->round, 2 * i);
	wrong_words += word[1] != word_of(r->round, 2 * i + 1);
}

static void write_granule(const struct region *r, size_t i, uint64_t round)
{
	volatile uint64_t *word = tagged(r->at + i * GRANULE, tag_of(i, round));

	set_tag((void *)word);
	word[0] = word_of(round, 2 * i);
	word[1] = word_of(round, 2 * i + 1);
}

static void renew_page(const struct region *r, size_t first)
{
	for (size_t i = first; i < first + GRANULES; i++)
		check_granule(r, i);
	for (size_t i = first; i < first + GRANULES; i++)
		write_granule(r, i, r->round + 1);
}

static void *write_on(void *unused)
{
	do {
		for (struct region *r = regions; r < regions + nr_regions; r++) {
			for (size_t i = 0; i < r->bytes / GRANULE; i += GRANULES)
				renew_page(r, i);
			r->round++;
		}
		usleep(REST_US);
	} while (!atomic_load(&resting));
	return unused;
}

static void check_all(void)
{
	for (struct region *r = regions; r < regions + nr_regions; r++)
		for (size_t i = 0; i < r->bytes / GRANULE; i++)
			check_granule(r, i);
}

static char *map_tagged(size_t bytes, int advice)
{
	char *at = mmap(NULL, bytes + 2 * HUGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		die("mmap");
	/* aligned for huge pages, with a gap on both sides */
	at = (char *)(((uintptr_t)at / HUGE + 1) * HUGE);
	must(mprotect(at, bytes, PROT_READ | PROT_WRITE | PROT_MTE));
	must(madvise(at, bytes, advice));
	return at;
}

static void map_memfd(struct region *r)
{
	int fd = (int)must(memfd_create("tags", MFD_CLOEXEC));

	must(ftruncate(fd, (off_t)r->bytes));
	r->at = mmap(NULL, r->bytes, PROT_READ | PROT_WRITE | PROT_MTE, MAP_SHARED, fd, 0);
	r->plain = mmap(NULL, r->bytes, PROT_READ, MAP_SHARED, fd, 0);
	if (r->at == MAP_FAILED || r->plain == MAP_FAILED)
		die("mmap of a memfd");
	close(fd);
}

/* Returns the region's address as the test is to know it. */
static char *new_region(const char *kind, size_t bytes, int node)
{
	struct region *r = &regions[nr_regions];
	volatile char *plain;

	if (nr_regions == MAX_REGIONS)
		return NULL;
	r->bytes = bytes;
	alloc_on(MPOL_BIND, node);
	if (!strcmp(kind, "small"))
		r->at = map_tagged(bytes, MADV_NOHUGEPAGE);
	else if (!strcmp(kind, "thp"))
		r->at = map_tagged(bytes, MADV_HUGEPAGE);
	else if (!strcmp(kind, "memfd"))
		map_memfd(r);
	else
		return NULL;
	for (size_t i = 0; i < bytes / GRANULE; i++)
		write_granule(r, i, r->round);
	for (plain = r->plain; plain && plain < r->plain + bytes; plain += PAGE)
		(void)*plain;
	alloc_on(MPOL_DEFAULT, -1);
	nr_regions++;
	return r->plain ? r->plain : r->at;
}

static void on_fault(int sig, siginfo_t *info, void *context)
{
	const char *at = info->si_addr;

	(void)context;
	fprintf(stderr, "tags: signal %d, code %d at %p", sig, info->si_code, info->si_addr);
	if (info->si_code == SEGV_MTESERR)
		fprintf(stderr, ", whose tag is %u", get_tag(at));
	fprintf(stderr, "\n");
	_exit(1);
}

/* Without tag checks this test could not fail. */
static void tags_are_checked(void)
{
	volatile char *other = tagged(regions[0].at, tag_of(0, 0) % 15 + 1);
	pid_t pid = (pid_t)must(fork());
	int status;

	if (!pid)
		_exit(*other & 1);
	must(waitpid(pid, &status, 0));
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSEGV)
		die("a wrong tag is no fault");
}

static void answer(char *line)
{
	unsigned long kib;
	char kind[16], *at;
	int node;

	if (sscanf(line, "map %15s %lu %d", kind, &kib, &node) == 3) {
		at = new_region(kind, kib << 10, node);
		if (!at)
			die("map");
		printf("mapped %lx %lu\n", (unsigned long)at, kib / (PAGE >> 10));
	} else if (!strcmp(line, "check\n")) {
		check_all();
		printf("wrong %lu tags %lu\n", wrong_words, wrong_tags);
	} else if (!strcmp(line, "write\n")) {
		writer_begin(write_on);
	} else if (!strcmp(line, "rest\n")) {
		writer_end();
		printf("resting rounds %lu wrong %lu\n", regions[0].round,
		       wrong_words + wrong_tags);
	} else {
		printf("what is that?\n");
	}
	fflush(stdout);
}

int main(int argc, char **argv)
{
	const struct sigaction fault = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };
	char line[64], *at;

	if (argc != 3)
		return 2;
	must(prctl(PR_SET_TAGGED_ADDR_CTRL, PR_TAGGED_ADDR_ENABLE | PR_MTE_TCF_SYNC, 0, 0, 0));
	at = new_region("small", strtoul(argv[1], NULL, 10) << 10, atoi(argv[2]));
	tags_are_checked();
	must(sigaction(SIGSEGV, &fault, NULL));
	printf("ready %d %lx %lu\n", getpid(), (unsigned long)at, regions[0].bytes / PAGE);
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin))
		answer(line);
	return 0;
}
