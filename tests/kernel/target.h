/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A process whose memory is moved. It runs the test's program, but only waits
 * for calls: the test names a function, the target runs it on its own memory and
 * answers with the result. It shares neither descriptors nor memory with the
 * test, which would wait for its own batches, but for shared_page().
 */
#ifndef MIGD_TEST_TARGET_H
#define MIGD_TEST_TARGET_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define HUGE	(2UL << 20)

struct target {
	pid_t pid;
	uint64_t start_time;	/* clock ticks, as job-submit wants it */
	int sock;
};

typedef int64_t target_fn(uint64_t a, uint64_t b, uint64_t c);

void target_start(struct target *t);
/* Kills it and waits for its end. */
void target_stop(struct target *t);
int64_t target_call(struct target *t, target_fn *fn, uint64_t a, uint64_t b,
		    uint64_t c);
/* The same in two halves: the target works while the test does something else. */
void target_begin(struct target *t, target_fn *fn, uint64_t a, uint64_t b,
		  uint64_t c);
int64_t target_end(struct target *t);

/* Memory shared by the test and the targets that it starts later. */
void *shared_page(void);

/* Start time of a process in clock ticks, 0 when there is none. */
uint64_t process_start_time(pid_t pid);

/*
 * Memory of small anonymous pages, each word its own value; for the caller or,
 * by target_call(), the target.
 */
/* Maps a bytes on node b with values of seed c; returns the address. */
int64_t mem_new(uint64_t bytes, uint64_t node, uint64_t seed);
/* The same, so that no two neighbours are physically contiguous. */
int64_t mem_new_scattered(uint64_t bytes, uint64_t node, uint64_t seed);
/* One huge page on node 0. */
int64_t mem_new_huge(uint64_t a, uint64_t b, uint64_t c);
void mem_fill(void *addr, size_t bytes, uint64_t seed);
/* Number of words that are not what seed says. */
int64_t mem_wrong(uint64_t addr, uint64_t bytes, uint64_t seed);
int64_t mem_free(uint64_t addr, uint64_t bytes, uint64_t unused);

/* New pages of this thread come from @node; -1 for anywhere. */
void alloc_on(int node);
/* Number of pages in the range that are on @node, by move_pages(2). */
long pages_on(pid_t pid, uint64_t addr, size_t bytes, int node);
/* Moves the range with move_pages(2), MPOL_MF_MOVE. */
void move_by_kernel(pid_t pid, uint64_t addr, size_t bytes, int node);

#endif
