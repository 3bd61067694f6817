/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Notes from a worker to the main thread, which logs and counts: a worker
 * never writes to the journal. One writer, one reader, no lock; a full ring
 * drops the note and counts it.
 */
#ifndef MIGD_NOTES_H
#define MIGD_NOTES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define NOTES_MAX	64	/* a power of two */

enum note_kind {
	NOTE_FALLBACK,		/* pages of a failed COPY go to the CPU */
	NOTE_SLOT_DEAD,		/* the module refuses to serve a slot */
	NOTE_WORKER_DEAD,	/* the worker could not start or go on */
};

struct note {
	enum note_kind kind;
	int err;		/* negative errno */
	uint64_t job;
	uint32_t channel;	/* index in the roster */
	uint16_t queue, slot;
	uint32_t pages;
};

struct notes {
	uint32_t _Atomic head, tail;
	uint32_t _Atomic dropped;
	int wake_fd;		/* eventfd of the main thread */
	struct note note[NOTES_MAX];
};

void notes_put(struct notes *n, const struct note *note);
bool notes_get(struct notes *n, struct note *ret);

#endif /* MIGD_NOTES_H */
