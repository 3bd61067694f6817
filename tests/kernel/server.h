/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A server of /dev/migd in one thread with one ring: the primitives, and a loop
 * that serves jobs by a plan.
 */
#ifndef MIGD_TEST_SERVER_H
#define MIGD_TEST_SERVER_H

#include <liburing.h>
#include <linux/migd.h>
#include <stdbool.h>
#include <stdint.h>
#include "ctl.h"

#define MAX_SLOTS	16
#define MAX_ENGINES	8
#define MAX_COPIES	64

/* How the pages of a batch are copied. */
struct plan {
	uint16_t engine[MAX_ENGINES];	/* the COPYs go to them in turn */
	unsigned int nr_engines;	/* 0: COMMIT without a COPY */
	unsigned int copies;		/* COPYs of a batch; 0: one per engine */
	bool retry;			/* the CPU copies what an engine could not */
};

struct copy {
	uint16_t first, count, engine;
	int res;
	bool out;
};

struct slot {
	enum { SLOT_IDLE, SLOT_FETCH, SLOT_BATCH, SLOT_COMMIT } state;
	uint32_t seq, pages;
	unsigned int nr_copies, out;
	struct copy copy[MAX_COPIES];
};

struct server {
	/*
	 * Set before server_open(): a ring as the daemon's, with DEFER_TASKRUN.
	 * The process's exit closes it: 6.12 asserts wrongly, under PROVE_LOCKING,
	 * that nobody else takes back the parked commands of such a ring.
	 */
	bool to_the_end;
	/* Set before server_open(): features not to offer. */
	uint64_t without;
	/* Set after server_open(): each COPY is issued by an io-wq worker. */
	bool async;
	int fd;
	struct io_uring ring;
	struct migd_setup setup;
	const struct migd_desc *desc;
	struct slot slot[MAX_SLOTS];
	unsigned int nr_slots;
	struct plan plan;
	uint64_t batches, pages, copy_errors, stale;
};

/* One queue of @depth slots. The ring is made here: use it in this thread. */
void server_open(struct server *s, unsigned int depth, unsigned int max_batch);
void server_close(struct server *s);

/* Queue one command; the answer is a server_reap() away. */
void server_fetch(struct server *s, unsigned int slot);
void server_fetch_all(struct server *s);
void server_copy(struct server *s, unsigned int slot, uint16_t engine,
		 unsigned int first, unsigned int count);
void server_commit(struct server *s, unsigned int slot);
void server_submit(struct server *s);

/* What a completion was the answer to. */
struct answer {
	uint32_t op;		/* MIGD_IO_* */
	unsigned int slot, copy;
	int res;
};

/* The next completion that is there; false when there is none. */
bool server_reap(struct server *s, struct answer *ret);
/* Waits for it. */
void server_wait(struct server *s, struct answer *ret);

/* Copies a new batch by the plan, commits a copied one, fetches the next. */
void server_start_batch(struct server *s, unsigned int slot);
void server_handle(struct server *s, const struct answer *answer);

/* Serves until the job has ended; what has no COPY yet is begun. */
void server_run(struct server *s, struct ctl *c, uint64_t job);
/* The same for a job that is submitted here; its end is in *@ret. */
void server_move(struct server *s, struct ctl *c, const struct job_req *req,
		 struct job_info *ret);

/* Parks what is idle, when there is a server, and submits: the job's id. */
uint64_t server_job(struct server *s, struct ctl *c, const struct job_req *req);
/* By hand: waits for the next batch and returns its slot. */
unsigned int server_wait_batch(struct server *s);
/* Waits for the next COPY: its result. Batches may come before it. */
int server_wait_copy(struct server *s);

/* Any command with any 16 bytes, alone on the ring: its result. */
int server_raw(struct server *s, uint32_t op, const void *bytes);

#endif
