// SPDX-License-Identifier: GPL-2.0
/*
 * Every kind of mapping a process may have, with known values.
 *
 *   map KIND KIB NODE    "mapped START PAGES": a new one, its pages on NODE
 *   verify               all that were made are read: "wrong N"
 *   cd PATH              where files are made: "there"
 */
#include <fcntl.h>
#include <linux/mempolicy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

#include "victim.h"

#define MAX_MAPS	32
#define HUGE		(2UL << 20)
#define SPARSE		16

struct map {
	char *at;
	size_t bytes;
	uint64_t seed;
	bool same;	/* all pages have the values of the first one */
	bool zero;	/* never written */
	bool sparse;	/* of SPARSE pages only the first one is written */
};

char *stack_memory;
static struct map maps[MAX_MAPS];
static size_t nr_maps;

static void fill_map(const struct map *m)
{
	volatile char *at = m->at;

	for (size_t i = 0; m->zero && i < m->bytes; i += PAGE)
		atomic_fetch_add(&wrong, at[i] != 0);
	for (size_t i = 0; m->same && i < m->bytes; i += PAGE)
		fill(m->at + i, PAGE, m->seed);
	for (size_t i = 0; m->sparse && i < m->bytes; i += SPARSE * PAGE)
		fill(m->at + i, PAGE, m->seed);
	if (!m->same && !m->zero && !m->sparse)
		fill(m->at, m->bytes, m->seed);
}

static uint64_t count_not_zero(const char *at, size_t bytes)
{
	uint64_t n = 0;

	for (size_t i = 0; i < bytes; i++)
		n += at[i] != 0;
	return n;
}

static uint64_t wrong_of(const struct map *m)
{
	uint64_t n = 0;

	if (m->zero)
		n = count_not_zero(m->at, m->bytes);
	for (size_t i = 0; m->same && i < m->bytes; i += PAGE)
		n += count_not(m->at + i, PAGE, m->seed);
	for (size_t i = 0; m->sparse && i < m->bytes; i += SPARSE * PAGE)
		n += count_not(m->at + i, PAGE, m->seed) +
			count_not_zero(m->at + i + PAGE, (SPARSE - 1) * PAGE);
	if (!m->same && !m->zero && !m->sparse)
		n = count_not(m->at, m->bytes, m->seed);
	return n;
}

static void *map_fd(int fd, size_t bytes, int flags)
{
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, fd, 0);

	if (at == MAP_FAILED)
		die("mmap");
	if (fd >= 0)
		close(fd);
	return at;
}

static void anon(struct map *m)
{
	m->at = map_small(m->bytes);
}

static void ksm(struct map *m)
{
	m->at = map_small(m->bytes);
	m->same = true;
	must(madvise(m->at, m->bytes, MADV_MERGEABLE));
}

static void zero_page(struct map *m)
{
	m->at = map_small(m->bytes);
	m->zero = true;
}

static void heap(struct map *m)
{
	m->at = sbrk((intptr_t)(m->bytes + PAGE));
	if (m->at == (char *)-1)
		die("sbrk");
	m->at += -(uintptr_t)m->at % PAGE;
}

static void stack(struct map *m)
{
	if (m->bytes + PAGE > STACK_BYTES) {
		m->bytes = 0;
		return;
	}
	m->at = stack_memory + -(uintptr_t)stack_memory % PAGE;
}

/* In the current directory, which is on a disk. */
static int new_file(size_t bytes, uint64_t seed)
{
	int fd = (int)must(open("victim-file", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
	void *at;

	must(ftruncate(fd, (off_t)bytes));
	at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		die("mmap");
	fill(at, bytes, seed);
	must(msync(at, bytes, MS_SYNC));
	munmap(at, bytes);
	unlink("victim-file");
	return fd;
}

static void shared_file(struct map *m)
{
	m->at = map_fd(new_file(m->bytes, m->seed), m->bytes, MAP_SHARED);
}

/* Written, so that the pages are the process's own. */
static void private_file(struct map *m)
{
	m->at = map_fd(new_file(m->bytes, m->seed + 1), m->bytes, MAP_PRIVATE);
}

static void shmem(struct map *m)
{
	m->at = map_fd(-1, m->bytes, MAP_SHARED | MAP_ANONYMOUS);
}

static void memfd(struct map *m)
{
	int fd = (int)must(memfd_create("victim", MFD_CLOEXEC));

	must(ftruncate(fd, (off_t)m->bytes));
	m->at = map_fd(fd, m->bytes, MAP_SHARED);
}

static void sysv(struct map *m)
{
	int id = (int)must(shmget(IPC_PRIVATE, m->bytes, IPC_CREAT | 0600));

	m->at = shmat(id, NULL, 0);
	if (m->at == (char *)-1)
		die("shmat");
	must(shmctl(id, IPC_RMID, NULL));
}

static void hugetlb(struct map *m)
{
	m->bytes = (m->bytes + HUGE - 1) & ~(HUGE - 1);
	m->at = map_fd(-1, m->bytes, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB);
}

/* Small pages that khugepaged may make huge ones of. */
static void collapsible(struct map *m)
{
	char *at = map_fd(-1, m->bytes + HUGE, MAP_PRIVATE | MAP_ANONYMOUS);

	m->at = at + -(uintptr_t)at % HUGE;
	must(madvise(m->at, m->bytes, MADV_NOHUGEPAGE));
}

/* Begins and ends in the middle of a huge page: small pages next to huge ones. */
static void thp(struct map *m)
{
	char *at = map_fd(-1, m->bytes + 2 * HUGE, MAP_PRIVATE | MAP_ANONYMOUS);

	at += -(uintptr_t)at % HUGE;
	must(munmap(at, HUGE / 2));
	m->at = at + HUGE / 2;
	must(madvise(m->at, m->bytes, MADV_HUGEPAGE));
}

/* A large folio has more pages than were touched. */
static void sparse(struct map *m)
{
	thp(m);
	m->sparse = true;
}

const struct kind {
	const char *name;
	void (*map)(struct map *m);
} kinds[] = {
	{ "anon", anon }, { "shared-by-fork", anon }, { "ksm", ksm }, { "zero", zero_page },
	{ "heap", heap }, { "stack", stack }, { "file", shared_file },
	{ "private-file", private_file }, { "shmem", shmem }, { "memfd", memfd },
	{ "sysv", sysv }, { "hugetlb", hugetlb }, { "thp", thp }, { "sparse", sparse },
	{ "collapsible", collapsible },
};

/* A child that has all the memory, too, checks it when asked and then ends. */
static int child_pipe[2], child_answer[2];

static void share_by_fork(void)
{
	uint64_t bad = 0;
	char byte;

	must(pipe(child_pipe));
	must(pipe(child_answer));
	if (must(fork())) {
		close(child_pipe[0]);
		close(child_answer[1]);
		return;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	close(child_pipe[1]);
	while (read(child_pipe[0], &byte, 1) == 1) {
		for (size_t i = 0; i < nr_maps; i++)
			bad += wrong_of(&maps[i]);
		must(write(child_answer[1], &bad, sizeof(bad)));
	}
	_exit(0);
}

static void map(char *args)
{
	struct map *m = &maps[nr_maps];
	unsigned long kib;
	char name[32];
	int node;

	if (nr_maps == MAX_MAPS || sscanf(args, "%31s %lu %d", name, &kib, &node) != 3) {
		printf("map what?\n");
		return;
	}
	m->bytes = kib << 10;
	m->seed = ++nr_maps;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (strcmp(kinds[i].name, name))
			continue;
		alloc_on(MPOL_BIND, node);
		kinds[i].map(m);
		fill_map(m);
		alloc_on(MPOL_DEFAULT, -1);
		if (kinds[i].map == collapsible)
			must(madvise(m->at, m->bytes, MADV_HUGEPAGE));
	}
	if (!m->at) {
		nr_maps--;
		printf("no kind '%s' of this size\n", name);
		return;
	}
	if (!strcmp(name, "shared-by-fork"))
		share_by_fork();
	printf("mapped %lx %lu\n", (unsigned long)m->at, m->bytes / PAGE);
}

static void verify_all(char *args)
{
	uint64_t bad = 0, of_child = 0;

	(void)args;
	for (size_t i = 0; i < nr_maps; i++)
		bad += wrong_of(&maps[i]);
	if (child_pipe[1]) {
		must(write(child_pipe[1], "", 1));
		if (read(child_answer[0], &of_child, sizeof(of_child)) != sizeof(of_child))
			die("the child");
	}
	printf("wrong %llu\n", (unsigned long long)(bad + of_child));
}

static char *map_of(const struct map *m, size_t *ret_pages, uint64_t *ret_seed)
{
	*ret_pages = m->bytes / PAGE;
	*ret_seed = m->seed;
	return m->at;
}

char *first_map(size_t *ret_pages, uint64_t *ret_seed)
{
	return map_of(&maps[0], ret_pages, ret_seed);
}

char *last_map(size_t *ret_pages, uint64_t *ret_seed)
{
	return map_of(&maps[nr_maps - 1], ret_pages, ret_seed);
}

static void change_directory(char *args)
{
	must(chdir(args));
	printf("there\n");
}

const struct verb map_verbs[] = {
	{ "cd", change_directory },
	{ "map", map },
	{ "verify", verify_all },
	{ }
};
