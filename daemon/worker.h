/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A worker: one thread and one ring for one queue. It does nothing but fetch,
 * copy and commit, and waits for nobody but its ring.
 */
#ifndef MIGD_WORKER_H
#define MIGD_WORKER_H

#include <liburing.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "device.h"
#include "jobtab.h"
#include "notes.h"
#include "roster.h"
#include "slot.h"

struct worker {
	/* Set before the start, constant then. */
	uint16_t queue;
	uint16_t depth;
	uint32_t cpu_copies;		/* parallel CPU COPYs of one batch */
	const struct device *device;
	struct roster *roster;
	struct jobtab *jobtab;

	/* The thread's own. */
	struct io_uring ring;
	bool has_ring;
	struct slot *slots;
	uint64_t now;			/* CLOCK_MONOTONIC ns, once per round */
	unsigned int rotate;		/* where the next stripe begins */
	bool stopping, gave_up;
	uint64_t wake_value;
	struct __kernel_timespec give_up;

	/* Between the thread and the main thread. */
	pthread_t thread;
	sem_t started;
	int start_err;			/* valid after @started */
	/* An eventfd, read through the ring, makes the thread look at these. */
	int wake_fd;

	bool _Atomic stop;
	uint32_t _Atomic stripe_pages;	/* smallest share of a channel */
	uint64_t _Atomic ping, pong;	/* equal: it answered the last round */
	uint64_t _Atomic batches, fallbacks, fallback_pages;
	struct notes notes;
};

/* Start @w, whose first block and notes.wake_fd are set; 0 when it serves. */
int worker_start(struct worker *w);

/* Finish the batches in hand, end the thread, take back what is parked. */
void worker_stop(struct worker *w);

/* Ask for a sign of life; worker_alive() says whether the last ask was answered. */
void worker_ping(struct worker *w);
bool worker_alive(struct worker *w);

/* Is a batch in its hands past its deadline by more than @grace_ns? */
bool worker_late(struct worker *w, uint64_t now, uint64_t grace_ns);

/* For slots: a free submission entry, NULL only if the kernel takes none. */
struct io_uring_sqe *worker_sqe(struct worker *w);

#endif /* MIGD_WORKER_H */
