// SPDX-License-Identifier: GPL-2.0
/*
 * A process that has device memory between pieces of ordinary memory, with nothing
 * in between, and somewhere pages of the kernel's:
 *
 *   anon | registers of a PCI device | anon | ROM by /dev/mem | anon   ...   io_uring
 *
 *   device KIB NODE RESOURCE BYTES   each piece of anon has KIB on NODE; RESOURCE is
 *                                    a file of sysfs, of so many bytes
 *
 * It says "ready PID START PAGES" of the first piece and answers each line of
 * stdin with one line, until stdin ends:
 *
 *   parts    "START-END PAGES ..." of everything but the anon: registers, ROM, ring
 *   all      "START-END" of the anon and what is in between
 *   check    all is read, and what is not anon is what it was: "wrong N"
 */
#include <fcntl.h>
#include <linux/mempolicy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <liburing.h>

#include "victim.h"

#define PARTS		3
#define PIECES		3
#define ROM_ADDRESS	0xf0000
#define ROM_BYTES	0x10000UL
#define RING_BYTES	(4 * PAGE)

/* Registers that no access changes: the first ones of an AHCI controller. */
#define REGISTERS	5

struct part {
	char *at;
	size_t bytes;
	uint64_t sum;
};

static char *begin;
static size_t anon_bytes, whole_bytes;
static struct part parts[PARTS];

static uint64_t sum_of(const struct part *p, size_t words)
{
	const volatile uint32_t *word = (void *)p->at;
	uint64_t sum = 0;

	for (size_t i = 0; i < words; i++)
		sum = sum * 31 + word[i];
	return sum;
}

static uint64_t part_sum(size_t i)
{
	return sum_of(&parts[i], i ? parts[i].bytes / sizeof(uint32_t) : REGISTERS);
}

static char *map_part(size_t i, char *at, size_t bytes, int fd, off_t offset, int prot)
{
	parts[i].at = mmap(at, bytes, prot, MAP_SHARED | (at ? MAP_FIXED : 0), fd, offset);
	parts[i].bytes = bytes;
	if (parts[i].at == MAP_FAILED)
		die("mmap of a device");
	return parts[i].at + bytes;
}

static char *map_anon(char *at, size_t piece)
{
	must(mprotect(at, anon_bytes, PROT_READ | PROT_WRITE));
	must(madvise(at, anon_bytes, MADV_NOHUGEPAGE));
	fill(at, anon_bytes, piece);
	return at + anon_bytes;
}

/* Pages of the kernel's, mapped one by one. */
static int new_ring(void)
{
	struct io_uring_params params = { .flags = 0 };
	int fd = io_uring_setup(RING_BYTES / sizeof(struct io_uring_sqe), &params);

	if (fd < 0)
		die("io_uring_setup");
	return fd;
}

static void map_all(const char *resource, size_t bar_bytes, int node)
{
	char *at;

	whole_bytes = PIECES * anon_bytes + bar_bytes + ROM_BYTES;
	at = map_apart(whole_bytes);
	must(mprotect(at, whole_bytes, PROT_NONE));
	begin = at;
	alloc_on(MPOL_BIND, node);
	at = map_anon(at, 0);
	at = map_part(0, at, bar_bytes, (int)must(open(resource, O_RDWR | O_CLOEXEC)), 0,
		      PROT_READ | PROT_WRITE);
	at = map_anon(at, 1);
	at = map_part(1, at, ROM_BYTES, (int)must(open("/dev/mem", O_RDONLY | O_CLOEXEC)),
		      ROM_ADDRESS, PROT_READ);
	map_anon(at, 2);
	/* the kernel says where this one is */
	map_part(2, NULL, RING_BYTES, new_ring(), IORING_OFF_SQES, PROT_READ | PROT_WRITE);
	memset(parts[2].at, 0x5a, RING_BYTES);
	alloc_on(MPOL_DEFAULT, -1);
	for (size_t i = 0; i < PARTS; i++)
		parts[i].sum = part_sum(i);
}

static uint64_t count_wrong(void)
{
	const char *at = begin;
	uint64_t n = 0;

	for (size_t i = 0; i < PIECES; i++) {
		n += count_not(at, anon_bytes, i);
		at += anon_bytes + parts[i].bytes;
	}
	for (size_t i = 0; i < PARTS; i++)
		n += part_sum(i) != parts[i].sum;
	return n;
}

int main(int argc, char **argv)
{
	char line[16];

	if (argc != 5)
		return 2;
	anon_bytes = strtoul(argv[1], NULL, 10) << 10;
	map_all(argv[3], strtoul(argv[4], NULL, 0), atoi(argv[2]));
	printf("ready %d %lx %lu\n", getpid(), (unsigned long)begin, anon_bytes / PAGE);
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		if (!strcmp(line, "parts\n")) {
			for (size_t i = 0; i < PARTS; i++)
				printf("%lx-%lx %lu ", (unsigned long)parts[i].at,
				       (unsigned long)parts[i].at + parts[i].bytes,
				       parts[i].bytes / PAGE);
			printf("\n");
		} else if (!strcmp(line, "all\n")) {
			printf("%lx-%lx\n", (unsigned long)begin,
			       (unsigned long)begin + whole_bytes);
		} else if (!strcmp(line, "check\n")) {
			printf("wrong %lu\n", count_wrong());
		} else {
			printf("what is that?\n");
		}
		fflush(stdout);
	}
	return 0;
}
