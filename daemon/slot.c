// SPDX-License-Identifier: GPL-2.0
/* What happens to a slot: fetch, copy, commit. */
#include <errno.h>

#include "jobtab.h"
#include "notes.h"
#include "slot.h"
#include "sqe.h"
#include "worker.h"

/* How long until a slot asks again whether the module is through with it. */
#define RETRY_NS	2000000

static void slot_die(struct worker *w, struct slot *s, int err)
{
	struct note note = { NOTE_SLOT_DEAD, .err = err, .queue = w->queue, .slot = s->index };

	s->state = SLOT_DEAD;
	if (!w->stopping)
		notes_put(&w->notes, &note);
}

void slot_fetch(struct worker *w, struct slot *s)
{
	struct io_uring_sqe *sqe;

	if (w->stopping) {
		s->state = SLOT_DEAD;
		return;
	}
	sqe = worker_sqe(w);
	if (!sqe) {
		slot_die(w, s, -EAGAIN);
		return;
	}
	sqe_fetch(sqe, w->queue, s->index, ud_pack(UD_PARK, s->index, 0));
	s->state = SLOT_PARKED;
}

static void slot_commit(struct worker *w, struct slot *s)
{
	struct io_uring_sqe *sqe = worker_sqe(w);

	atomic_store_explicit(&s->deadline_ns, 0, memory_order_relaxed);
	if (!sqe) {
		slot_die(w, s, -EAGAIN);
		return;
	}
	sqe_commit(sqe, w->queue, s->index, s->batch.seq, ud_pack(UD_PARK, s->index, 0));
	s->state = SLOT_PARKED;
}

static void slot_retry(struct worker *w, struct slot *s, enum slot_state state)
{
	struct io_uring_sqe *sqe = worker_sqe(w);

	if (!sqe) {
		slot_die(w, s, -EAGAIN);
		return;
	}
	s->delay = (struct __kernel_timespec) { .tv_nsec = RETRY_NS };
	io_uring_prep_timeout(sqe, &s->delay, 0, 0);
	sqe->user_data = ud_pack(UD_RETRY, s->index, 0);
	s->state = state;
}

void slot_on_retry(struct worker *w, struct slot *s)
{
	if (s->state == SLOT_RETRY_COMMIT)
		slot_commit(w, s);
	else if (s->state == SLOT_RETRY_FETCH)
		slot_fetch(w, s);
}

/* The batch is through if no COPY is out: the module allows no COMMIT before. */
static void slot_next(struct worker *w, struct slot *s)
{
	if (s->inflight)
		return;
	if (s->ended) {
		atomic_store_explicit(&s->deadline_ns, 0, memory_order_relaxed);
		slot_fetch(w, s);
	} else {
		slot_commit(w, s);
	}
}

int slot_copy(struct worker *w, struct slot *s, const struct engine_ops *ops,
	      struct channel *channel, unsigned int first, unsigned int count)
{
	struct migd_copy cmd = {
		.queue = w->queue,
		.slot = s->index,
		.engine = channel ? atomic_load(&channel->id) : MIGD_ENGINE_CPU,
		.first = first,
		.count = count,
		.seq = s->batch.seq,
	};
	struct io_uring_sqe *sqe;
	unsigned int i;

	for (i = 0; i < SLOT_COPIES; i++)
		if (!s->copy[i].ops)
			break;
	if (i == SLOT_COPIES)
		return -EAGAIN;
	sqe = worker_sqe(w);
	if (!sqe)
		return -EAGAIN;
	s->copy[i] = (struct copy) { ops, channel, first, count };
	s->inflight++;
	sqe_copy(sqe, &cmd, ud_pack(UD_COPY, s->index, i));
	return 0;
}

/* Start @ops on a range, and what it falls back to if it cannot take it. */
static void slot_start(struct worker *w, struct slot *s, const struct engine_ops *ops,
		       unsigned int first, unsigned int count)
{
	while (ops && ops->start(w, s, first, count, s->choice) != ENGINE_QUEUED)
		ops = ops->fallback;
}

static void slot_batch(struct worker *w, struct slot *s, int pages)
{
	s->batch = *s->desc;
	if (s->batch.pages != (unsigned int)pages) {
		slot_die(w, s, -EPROTO);
		return;
	}
	s->state = SLOT_COPYING;
	s->ended = false;
	s->choice = jobtab_choice(w->jobtab, s->batch.job);
	atomic_store_explicit(&s->deadline_ns, s->batch.deadline_ns, memory_order_relaxed);
	atomic_fetch_add_explicit(&w->batches, 1, memory_order_relaxed);
	slot_start(w, s, engine_choose(w->roster, s->choice, w->now), 0, pages);
	slot_next(w, s);
}

void slot_on_park(struct worker *w, struct slot *s, int res)
{
	if (res >= 0) {
		slot_batch(w, s, res);
		return;
	}
	switch (res) {
	case -ESTALE:
	case -ETIME:
		/* The module ended the batch before the COMMIT. */
		slot_fetch(w, s);
		break;
	case -EBUSY:
		/* A FETCH: the end of the old batch is under way. A COMMIT: a COPY's. */
		slot_retry(w, s, s->batch.seq && !s->ended ? SLOT_RETRY_COMMIT :
				 SLOT_RETRY_FETCH);
		break;
	default:
		slot_die(w, s, res);
	}
}

static void note_fallback(struct worker *w, struct slot *s, const struct copy *c, int err)
{
	struct note note = {
		.kind = NOTE_FALLBACK,
		.err = err,
		.job = s->batch.job,
		.channel = c->channel ? c->channel - w->roster->channel : 0,
		.queue = w->queue,
		.slot = s->index,
		.pages = c->count,
	};

	atomic_fetch_add_explicit(&w->fallbacks, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&w->fallback_pages, c->count, memory_order_relaxed);
	notes_put(&w->notes, &note);
}

void slot_on_copy(struct worker *w, struct slot *s, unsigned int copy, int res)
{
	struct copy c = s->copy[copy];

	s->copy[copy].ops = NULL;
	s->inflight--;
	res = c.ops->complete(w, s, &c, res);
	switch (res) {
	case ENGINE_COMPLETED:
	case ENGINE_QUEUED:
		break;
	case -ESTALE:
	case -ETIME:
		s->ended = true;
		break;
	case -EHWPOISON:
	case -EIO:
	case -ECANCELED:
		/*
		 * No engine can copy a poisoned page, and none may copy to where
		 * another may still write; the COMMIT sorts it out.
		 */
		break;
	default:
		if (s->ended || !c.ops->fallback)
			break;
		note_fallback(w, s, &c, res);
		slot_start(w, s, c.ops->fallback, c.first, c.count);
	}
	slot_next(w, s);
}
