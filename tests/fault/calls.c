// SPDX-License-Identifier: GPL-2.0
/*
 * The system calls of a process on its own memory.
 *
 *   exit    no answer
 *   exec    the same program again: "ready ..." as at the start
 */
#include <fcntl.h>
#include <linux/mempolicy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "victim.h"

#define CHILDREN	4

/* Each child sees what was there at its fork, and writes on its own. */
static void child(char *area, uint64_t lap)
{
	uint64_t bad = count_not(area, AREA, lap);

	fill(area, AREA / 2, lap + 1);
	bad += count_not(area, AREA / 2, lap + 1);
	_exit(bad ? 1 : 0);
}

static void fork_storm(char *area, uint64_t lap)
{
	int status;

	fill(area, AREA, lap);
	for (int i = 0; i < CHILDREN; i++)
		if (!must(fork()))
			child(area, lap);
	fill(area + AREA / 2, AREA / 2, lap + 2);
	for (int i = 0; i < CHILDREN; i++) {
		must(wait(&status));
		atomic_fetch_add(&wrong, status != 0);
	}
	verify(area, AREA / 2, lap);
	verify(area + AREA / 2, AREA / 2, lap + 2);
}

static void map_unmap(char *area, uint64_t lap)
{
	char *more = map_small(AREA);

	fill(area, AREA, lap);
	fill(more, AREA, lap + 1);
	must(munmap(more + AREA / 2, AREA / 2));
	verify(more, AREA / 2, lap + 1);
	must(munmap(more, AREA / 2));
	verify(area, AREA, lap);
}

static void remap(char *area, uint64_t lap)
{
	char *there = map_small(2 * AREA);
	char *back;

	fill(area, AREA, lap);
	/* The page tables go to another place, and the area grows. */
	must(mremap(area, AREA, 2 * AREA, MREMAP_MAYMOVE | MREMAP_FIXED, there));
	verify(there, AREA, lap);
	must(munmap(there + AREA, AREA));
	back = mremap(there, AREA, AREA, MREMAP_MAYMOVE | MREMAP_FIXED, area);
	if (back != area)
		die("mremap");
	verify(area, AREA, lap);
}

static void protect(char *area, uint64_t lap)
{
	fill(area, AREA, lap);
	must(mprotect(area, AREA, PROT_READ));
	verify(area, AREA, lap);
	must(mprotect(area, AREA, PROT_NONE));
	must(mprotect(area, AREA, PROT_READ | PROT_WRITE));
	verify(area, AREA, lap);
}

static void fill_halves(char *area, uint64_t lap)
{
	fill(area, AREA / 2, lap);
	fill(area + AREA / 2, AREA / 2, lap);
}

static void dontneed(char *area, uint64_t lap)
{
	fill_halves(area, lap);
	must(madvise(area, AREA / 2, MADV_DONTNEED));
	for (size_t i = 0; i < AREA / 2; i += sizeof(uint64_t))
		atomic_fetch_add(&wrong, *(volatile uint64_t *)(area + i) != 0);
	verify(area + AREA / 2, AREA / 2, lap);
}

/* A page that was given up is as it was, or empty; never anything else. */
static void lazy_free(char *area, uint64_t lap)
{
	fill_halves(area, lap);
	must(madvise(area, AREA / 2, MADV_FREE));
	for (size_t i = 0; i < AREA / 2; i += sizeof(uint64_t)) {
		uint64_t word = *(volatile uint64_t *)(area + i);

		if (word)
			atomic_fetch_add(&wrong, word != word_of(lap, i / sizeof(uint64_t)));
	}
	verify(area + AREA / 2, AREA / 2, lap);
	/* Written again, it is a page like any other. */
	fill(area, AREA / 2, lap + 1);
	must(madvise(area + AREA / 2, AREA / 2, MADV_NORMAL));
	verify(area, AREA / 2, lap + 1);
}

static void lock_unlock(char *area, uint64_t lap)
{
	fill(area, AREA, lap);
	must(mlock(area, AREA));
	verify(area, AREA, lap);
	must(munlock(area, AREA));
	verify(area, AREA, lap);
}

/*
 * Whoever looks for written pages (CRIU does) must find each. That an unwritten
 * one is found, too, is the kernel's right. Not every architecture has the bit.
 */
static void soft_dirty(char *area, uint64_t lap)
{
	static int fd = -1;
	static bool there;

	if (fd < 0) {
		fd = (int)must(open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC));
		*(volatile char *)area = 1;
		there = pagemap_of(area) >> 55 & 1;
	}
	fill_halves(area, lap);
	must(write(fd, "4", 1));
	fill(area, AREA / 2, lap + 1);
	for (size_t i = 0; there && i < AREA / 2; i += PAGE)
		atomic_fetch_add(&wrong, !(pagemap_of(area + i) >> 55 & 1));
	verify(area, AREA / 2, lap + 1);
	verify(area + AREA / 2, AREA / 2, lap);
}

/* The process moves its pages itself, by its memory policy. */
static void bind_and_move(char *area, uint64_t lap)
{
	unsigned long mask = 1UL << lap % 2;

	fill(area, AREA, lap);
	must(syscall(SYS_mbind, area, AREA, MPOL_BIND, &mask, 64UL, MPOL_MF_MOVE));
	verify(area, AREA, lap);
	must(syscall(SYS_mbind, area, AREA, MPOL_DEFAULT, NULL, 0UL, 0));
}

const struct churn call_churns[] = {
	{ "fork", fork_storm },
	{ "munmap", map_unmap },
	{ "mremap", remap },
	{ "mprotect", protect },
	{ "dontneed", dontneed },
	{ "free", lazy_free },
	{ "mlock", lock_unlock },
	{ "soft-dirty", soft_dirty },
	{ "mbind", bind_and_move },
	{ }
};

static void leave(char *args)
{
	(void)args;
	_exit(0);
}

static void exec_again(char *args)
{
	(void)args;
	execl("/proc/self/exe", "victim", "2", "0", NULL);
	die("exec");
}

const struct verb call_verbs[] = {
	{ "exit", leave },
	{ "exec", exec_again },
	{ }
};
