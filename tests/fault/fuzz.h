/* SPDX-License-Identifier: GPL-2.0 */
/* A random server, random netlink messages, and what they share. */
#ifndef MIGD_TEST_FUZZ_H
#define MIGD_TEST_FUZZ_H

#include <linux/migd.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include "../kernel/fixture.h"

enum kind { K_FETCH, K_COPY, K_COMMIT, K_OTHER, KINDS };

/* Of all processes: counts, and what it takes to be nearly right. */
struct common {
	atomic_ulong commands, completed, netlink;
	atomic_ulong answer[KINDS][256];	/* by errno; 0 is success */
	atomic_ulong netlink_answer[256];
	atomic_int serving;			/* SETUP is done */
	atomic_int channel[MAX_ENGINES];	/* ids, -1: none */
	atomic_int server_pid;
	atomic_ulong server_start;
	char name[MAX_ENGINES][32];		/* channels there are */
	unsigned int nr_names;
	struct target *target;			/* in the memory before the forks */
	uint64_t addr, bytes;
};

extern struct common *common;

/* A sequence of its own for each user: the same seed, the same numbers. */
struct rnd {
	uint64_t state;
};

uint64_t rnd(struct rnd *r);
/* Below @n. */
uint64_t rnd_below(struct rnd *r, uint64_t n);
/* Once in @n. */
bool rnd_one_in(struct rnd *r, unsigned int n);
/* A number that programs get wrong. */
uint64_t rnd_odd(struct rnd *r);
void rnd_bytes(struct rnd *r, void *at, size_t n);

/* Threads with rings on the device, until the process is ended. */
void fuzz_serve(uint64_t seed) __attribute__((noreturn));

/* Messages to the family, until the process is ended. */
void fuzz_netlink(uint64_t seed, int family) __attribute__((noreturn));

void count_answer(atomic_ulong *of, int res);

#endif
