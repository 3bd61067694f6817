/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A slot: one FETCH parked, or one batch in hand. What happens to it, in order:
 *
 *	IDLE --FETCH--> PARKED --batch--> COPYING --last COPY--> COMMIT --> PARKED
 *
 * A batch that the module ended by itself leaves COPYING by a fresh FETCH. All
 * of it on the worker's thread.
 */
#ifndef MIGD_SLOT_H
#define MIGD_SLOT_H

#include <liburing.h>
#include <linux/migd.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine.h"

/* COPYs of one batch in flight: every channel there may be, and the CPU's. */
#define SLOT_COPIES	(ROSTER_MAX + 16)

enum slot_state {
	SLOT_IDLE,		/* nothing under way */
	SLOT_PARKED,		/* a FETCH or COMMIT_AND_FETCH is out */
	SLOT_COPYING,		/* a batch in hand, COPYs are out */
	SLOT_RETRY_FETCH,	/* a timeout is out, then FETCH */
	SLOT_RETRY_COMMIT,	/* a timeout is out, then COMMIT_AND_FETCH */
	SLOT_DEAD,		/* the module refuses to serve it */
};

/* One COPY in flight. */
struct copy {
	const struct engine_ops *ops;	/* NULL: free */
	struct channel *channel;	/* NULL: the CPU */
	uint16_t first, count;
};

struct slot {
	uint16_t index;			/* in its queue */
	enum slot_state state;
	const struct migd_desc *desc;	/* mapped; written by the module */
	struct migd_desc batch;		/* copied from it when the batch came */
	uint32_t choice;		/* engine of the batch's job */
	unsigned int inflight;		/* COPYs out */
	bool ended;			/* the module ended the batch */
	struct copy copy[SLOT_COPIES];
	struct __kernel_timespec delay;	/* of the timeout of SLOT_RETRY_* */
	/* The main thread's view for the watchdog: 0, or the batch's deadline. */
	uint64_t _Atomic deadline_ns;
};

/* What a completion belongs to: kind, slot and copy packed in user_data. */
enum ud_kind {
	UD_PARK = 1,		/* FETCH or COMMIT_AND_FETCH */
	UD_COPY,
	UD_RETRY,		/* timeout of a slot */
	UD_WAKE,		/* read of the worker's eventfd */
	UD_GIVE_UP,		/* timeout of a stopping worker */
};

static inline uint64_t ud_pack(enum ud_kind kind, unsigned int slot, unsigned int copy)
{
	return (uint64_t)kind | (uint64_t)slot << 8 | (uint64_t)copy << 24;
}

/* Park a FETCH on an idle slot. */
void slot_fetch(struct worker *w, struct slot *s);

/* For engines: queue one COPY. -EAGAIN when the slot or the ring is full. */
int slot_copy(struct worker *w, struct slot *s, const struct engine_ops *ops,
	      struct channel *channel, unsigned int first, unsigned int count);

/* Completions. */
void slot_on_park(struct worker *w, struct slot *s, int res);
void slot_on_copy(struct worker *w, struct slot *s, unsigned int copy, int res);
void slot_on_retry(struct worker *w, struct slot *s);

#endif /* MIGD_SLOT_H */
