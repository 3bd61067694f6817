/* SPDX-License-Identifier: GPL-2.0 */
/* What the parts of victim share: verbs, churns, and memory of known values. */
#ifndef MIGD_TEST_VICTIM_H
#define MIGD_TEST_VICTIM_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "../bus/region.h"

#define AREA_PAGES	64UL
#define AREA		(AREA_PAGES * PAGE)

/* A line of stdin and who answers it, with one line; @args is what follows. */
struct verb {
	const char *name;
	void (*run)(char *args);
};

/* Tables end with an empty entry. */
extern const struct verb call_verbs[], map_verbs[], pin_verbs[], poison_verbs[];

/*
 * What the process does to its own memory, over and over, while a job runs.
 * @area belongs to the churn, which leaves it mapped, readable and writable, and
 * takes or gives back at most CHURN_PAGES besides what a fork copies.
 */
#define CHURN_PAGES	(2 * AREA_PAGES)

struct churn {
	const char *name;
	void (*round)(char *area, uint64_t lap);
};

extern const struct churn call_churns[], uffd_churns[], pin_churns[];

/* Words that were not what they should be. */
extern atomic_ulong wrong;

/* Exits with a sentence when a call says -1. */
#define must(call)				\
	({					\
		long must_ = (long)(call);	\
						\
		if (must_ == -1)		\
			die(#call);		\
		must_;				\
	})

/* Memory of small pages only. */
char *map_small(size_t bytes);
/* Word @i of memory that was filled with @seed. */
uint64_t word_of(uint64_t seed, size_t i);
void fill(void *at, size_t bytes, uint64_t seed);
/* Number of words that are not of this seed. */
uint64_t count_not(const void *at, size_t bytes, uint64_t seed);
/* Adds them to wrong. */
void verify(const void *at, size_t bytes, uint64_t seed);
/* Memory on the main thread's stack. */
#define STACK_BYTES	MIB
extern char *stack_memory;
/* The mappings that "map" made first and last. */
char *first_map(size_t *ret_pages, uint64_t *ret_seed);
char *last_map(size_t *ret_pages, uint64_t *ret_seed);
/* The page frame number of a page of the process, 0 when it is not there. */
uint64_t pfn_of(const void *at);
/* The entry of /proc/self/pagemap. */
uint64_t pagemap_of(const void *at);

/* Number of pages that the kernel has on @node. */
size_t pages_on(const void *at, size_t nr, int node);

#endif
