/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The DMA channels as workers see them. The main thread adds channels and says
 * which are usable; workers keep loads and rests. All without a lock: an entry
 * keeps its name for ever, and a stale look costs one COPY that the module
 * refuses.
 */
#ifndef MIGD_ROSTER_H
#define MIGD_ROSTER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "netlink.h"

#define ROSTER_MAX	64

struct channel {
	/* Written once, before nr counts it. */
	char name[NL_NAME_LEN];

	uint32_t _Atomic id;		/* what a COPY names */
	int _Atomic node;		/* -1: none */
	bool _Atomic usable;		/* claimed, and may take COPYs */
	uint32_t _Atomic load;		/* pages in hand, over all workers */
	uint32_t _Atomic faults;	/* COPYs failed in a row */
	uint64_t _Atomic rest_until;	/* CLOCK_MONOTONIC ns */

	/* The main thread's own, for renew.c. */
	bool leaving;			/* to be given back: takes no COPY */
	bool again;			/* and then to be claimed anew */
	uint64_t leave_ns;		/* since then, or not before */
	uint64_t renewed_ns;		/* when it was last claimed anew; 0: never */
	struct sd_bus_message *asker;	/* who waits until it is given back */
};

struct roster {
	uint64_t _Atomic rest_ns, rest_max_ns;	/* first and longest rest after a fault */
	unsigned int _Atomic nr;
	struct channel channel[ROSTER_MAX];
};

/* Main thread: the entry of @name, added if @add. NULL: not there, or full. */
struct channel *roster_find(struct roster *r, const char *name, bool add);

/* Is @c usable at the time @now, that is, also not resting? */
bool channel_ready(const struct channel *c, uint64_t now);

/*
 * A COPY on @c failed: let it rest, twice as long after each failed attempt.
 * COPYs that fail while it rests already belong to the same fault.
 */
void channel_fault(struct roster *r, struct channel *c, uint64_t now);

/* A COPY on @c worked. */
void channel_good(struct channel *c);

#endif /* MIGD_ROSTER_H */
