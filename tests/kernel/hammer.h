/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The checking writer: a target that goes over its memory again and again,
 * checks what it wrote last and writes anew, whatever is done to the memory.
 */
#ifndef MIGD_TEST_HAMMER_H
#define MIGD_TEST_HAMMER_H

#include <stdatomic.h>
#include <stdint.h>
#include "target.h"

/* In shared_page(), which comes before target_start(). */
struct hammer {
	atomic_int stop;
	atomic_ulong rounds, wrong;
};

/* Maps a pages on node b, in the target, which has one such memory: its address. */
int64_t hammer_new(uint64_t pages, uint64_t node, uint64_t unused);
/* The target writes until hammer_end(), which checks every word, too. */
void hammer_begin(struct target *t, struct hammer *h);
void hammer_end(struct target *t, struct hammer *h);

#endif
