/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory in which each word has its own value, and a thread that writes and
 * checks all of it for as long as it is asked to.
 */
#ifndef MIGD_TEST_REGION_H
#define MIGD_TEST_REGION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE	4096UL
#define WORDS	(PAGE / sizeof(uint64_t))
#define MIB	(1UL << 20)

/*
 * What a writer rests after each pass over its memory, to leave the CPUs to the tests
 * beside it. Of 2 to 16 MiB it comes to each page every 6 to 8 ms, under emulation, as
 * the rounds of "stall" tell: still while any batch is locked for longer than that.
 */
#define REST_US	5000

/* The region of the process; there is one. */
extern uint64_t *memory;
extern size_t pages;

/* Says what failed, with errno, and ends the process. */
void die(const char *what) __attribute__((noreturn));
uint64_t now_ns(void);

/* A mapping of its own line in numa_maps: nothing next to it can be merged. */
void *map_apart(size_t bytes);
/* New pages come from @node, or with -1 from anywhere again. */
void alloc_on(int mode, int node);

/* Maps @mib MiB on @node by @map; afterwards the memory policy is @policy. */
void region_new(void *map(size_t bytes), size_t mib, int node, int policy);
/* The process's own thread that writes, while it is not resting; says "writing". */
extern atomic_bool resting;
void writer_begin(void *run(void *unused));
void writer_end(void);

/* Answers "check", "write", "rest" and "stall"; false for any other line. */
bool region_answer(const char *line);

#endif
