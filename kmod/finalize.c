// SPDX-License-Identifier: GPL-2.0
/*
 * The end of a batch, whoever brings it: copy what is not copied, move the
 * state, remap, unlock. Or put back what an engine may still be writing.
 */
#include <linux/ktime.h>
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/pagemap.h>
#include <linux/sched/mm.h>
#include "copy.h"
#include "internal.h"
#include "trace.h"

/* A CPU copy leaves between two pages; it does not get longer than this. */
#define CPU_LEAVE_MS	(MIGD_GRACE_MS / 4)

/*
 * No COPY begins after this. CPU copies stop after the page they are at; one
 * that does not (its worker is throttled) counts as an engine that may write.
 * Then the bitmaps are sealed: a COPY that comes back later only drops what is
 * held for it.
 */
static void close_batch(struct migd_batch *batch)
{
	spin_lock_irq(&batch->lock);
	batch->closed = true;
	spin_unlock_irq(&batch->lock);

	wait_event_timeout(migd_wait, !READ_ONCE(batch->nr_cpu),
			   msecs_to_jiffies(CPU_LEAVE_MS));

	spin_lock_irq(&batch->lock);
	batch->sealed = true;
	spin_unlock_irq(&batch->lock);
}

/* Decides page @i: MIGD_REASON_NONE when its data is at the destination. */
static enum migd_reason settle_page(struct migd_batch *batch, unsigned int i)
{
	int err;

	if (PageHWPoison(batch->spage[i]) || PageHWPoison(batch->dpage[i]) ||
	    test_bit(i, batch->poisoned))
		return MIGD_REASON_POISONED;
	if (test_bit(i, batch->copied))
		return migd_verify_page(batch, i);
	if (test_bit(i, batch->claimed))
		return MIGD_REASON_PUT_BACK;
	if (test_bit(i, batch->spoiled))
		return MIGD_REASON_COPY_FAILED;
	err = migd_copy_one(batch, i);
	if (err)
		return err == -EHWPOISON ? MIGD_REASON_POISONED :
			MIGD_REASON_COPY_FAILED;
	atomic64_inc(&migd_cpu.pages);
	atomic64_add(PAGE_SIZE, &migd_cpu.bytes);
	return migd_verify_page(batch, i);
}

/* Page @i stays at its source; the destination is freed or held. */
static void put_back(struct migd_batch *batch, unsigned int i,
		     enum migd_reason reason)
{
	struct page *dst = batch->dpage[i];

	if (batch->order == MIGD_ORDER_STATE_FIRST)
		migd_state_undo(batch, i);
	/*
	 * Whatever the reason, a poisoned source included: a COPY that was out
	 * at the seal may still write, and so may an engine that has reported
	 * an error. Only after the undo, which counts references.
	 */
	if (test_bit(i, batch->claimed) || test_bit(i, batch->spoiled))
		migd_quarantine_hold(batch, i);
	batch->src[i] &= ~MIGRATE_PFN_MIGRATE;
	batch->dst[i] = 0;
	unlock_page(dst);
	if (reason == MIGD_REASON_VERIFY_FAILED)
		migd_verify_hold(batch, i);
	put_page(dst);
	migd_job_left(batch->job, reason, 1);
}

/*
 * Pages are held now for every COPY that was out at the seal or has failed.
 * Count them, or drop them where nothing can write them since.
 */
static void quarantine_copies(struct migd_batch *batch)
{
	struct migd_copy_op *op, *tmp;
	unsigned int i, n;
	LIST_HEAD(done);

	spin_lock_irq(&batch->lock);
	batch->settled = true;
	list_for_each_entry_safe(op, tmp, &batch->copies, node) {
		if (op->finished) {
			list_move(&op->node, &done);
			continue;
		}
		for (n = 0, i = op->first; i < op->first + op->count; i++)
			n += test_bit(i, batch->held);
		WARN_ON_ONCE(n != op->count);
		migd_quarantine_enter(op, n);
	}
	spin_unlock_irq(&batch->lock);

	list_for_each_entry_safe(op, tmp, &done, node) {
		list_del_init(&op->node);
		migd_quarantine_drop(op);
		migd_copy_put(op);
		migd_batch_put(batch);
	}
}

/* The commands of COPYs that outlive the batch have nothing to wait for. */
static void complete_copies(struct migd_batch *batch)
{
	struct migd_copy_op *op;

	for (;;) {
		bool found = false;

		spin_lock_irq(&batch->lock);
		list_for_each_entry(op, &batch->copies, node) {
			if (!test_bit(MIGD_COPY_CMD_DONE, &op->flags)) {
				kref_get(&op->ref);
				found = true;
				break;
			}
		}
		spin_unlock_irq(&batch->lock);
		if (!found)
			return;
		migd_copy_complete(op, -ETIME);
		migd_copy_put(op);
	}
}

/* Decides all pages; those that stay are put back. */
static void settle(struct migd_batch *batch)
{
	bool copied = bitmap_full(batch->copied, batch->nr) &&
		bitmap_empty(batch->poisoned, batch->nr) && !batch->engine;
	enum migd_reason reason;
	unsigned int i, stay = 0;

	for (i = 0; i < batch->nr; i++) {
		/* As most batches are: there is no more to decide. */
		if (copied && !PageHWPoison(batch->spage[i]) &&
		    !PageHWPoison(batch->dpage[i]))
			continue;
		reason = settle_page(batch, i);
		if (reason == MIGD_REASON_NONE)
			continue;
		put_back(batch, i, reason);
		stay++;
	}
	if (!stay || !migd_job_atomic(batch->job))
		return;
	for (i = 0; i < batch->nr; i++)
		if (batch->src[i] & MIGRATE_PFN_MIGRATE)
			put_back(batch, i, MIGD_REASON_ATOMIC);
}

/*
 * The commit point: moves the state of the pages that have a destination. Of an
 * atomic batch all or none: whose state has been moved is undone when another
 * page turned out to be busy. Source and destination are equal, and nobody could
 * write either, so it is still no event at all.
 */
static void commit(struct migd_batch *batch)
{
	unsigned int i, busy = 0;

	if (batch->order != MIGD_ORDER_COPY_FIRST)
		return;
	migrate_device_pages(batch->src, batch->dst, batch->nr);
	if (!migd_job_atomic(batch->job))
		return;
	for (i = 0; i < batch->nr; i++)
		busy += batch->dst[i] && !(batch->src[i] & MIGRATE_PFN_MIGRATE);
	for (i = 0; busy && i < batch->nr; i++) {
		if (!(batch->src[i] & MIGRATE_PFN_MIGRATE))
			continue;
		migd_state_undo(batch, i);
		put_back(batch, i, MIGD_REASON_ATOMIC);
	}
}

static void account(struct migd_batch *batch, int cause, unsigned int moved,
		    u64 t_begin)
{
	struct migd_job *job = batch->job;
	u64 now = ktime_get_ns();
	u64 phase[MIGD_PHASES];
	enum migd_phase p;

	phase[MIGD_PHASE_LOCK] = batch->t_locked - batch->t_lock;
	phase[MIGD_PHASE_COPY] = t_begin - batch->t_locked;
	phase[MIGD_PHASE_COMMIT] = now - t_begin;
	phase[MIGD_PHASE_BLACKOUT] = now - batch->t_lock;
	for (p = 0; p < MIGD_PHASES; p++) {
		migd_hist_add(&migd_stats.hists.phase[p], phase[p]);
		migd_hist_add(&job->hists->phase[p], phase[p]);
	}

	atomic64_inc(&migd_stats.batches);
	atomic64_inc(&job->batches);
	atomic64_add(moved, &migd_stats.moved);
	atomic64_add(moved, &job->moved);
	migd_batch_timed(batch, now);
	if (cause != MIGD_END_COMMIT) {
		struct migd_rescue rescue = {
			.job = job->id, .cause = cause, .moved = moved,
			.put_back = batch->nr - moved,
		};

		atomic64_inc(&migd_stats.rescued[cause]);
		atomic64_inc(&job->rescued);
		migd_ntf_batch_rescued(&rescue);
	}
}

/**
 * migd_batch_end() - end a batch
 * @batch: its end is the caller's, see migd_batch_claim_end()
 * @cause: MIGD_END_COMMIT or enum migd_rescue_cause
 *
 * Afterwards every page of the batch is mapped and unlocked again, at its new
 * place or its old one, and the target's mmap lock is released.
 *
 * Context: process; sleeps. Never in a dmaengine callback. The caller has a
 * reference of its own.
 */
void migd_batch_end(struct migd_batch *batch, int cause)
{
	struct migd_job *job = batch->job;
	struct mm_struct *mm = batch->mm;
	unsigned int moved;
	u64 t_begin;

	/* The timer's reference is ours when it had not fired yet. */
	if (cancel_delayed_work(&batch->deadline))
		migd_batch_put(batch);

	close_batch(batch);
	t_begin = ktime_get_ns();

	settle(batch);
	quarantine_copies(batch);

	spin_lock_irq(&batch->lock);
	migd_batch_state(batch, cause == MIGD_END_COMMIT ?
			 MIGD_BATCH_COMMITTED : MIGD_BATCH_PUT_BACK);
	spin_unlock_irq(&batch->lock);

	commit(batch);
	moved = migd_state_leave(batch);
	migrate_device_finalize(batch->src, batch->dst, batch->nr);

	mmap_read_unlock_non_owner(mm);
	account(batch, cause, moved, t_begin);
	migd_free_sources(batch);
	atomic_long_sub(batch->nr, &migd_stats.locked_pages);
	/* The last user's exit must not run in a commit or on our worker. */
	mmput_async(mm);

	complete_copies(batch);
	migd_job_worked(job, t_begin);

	spin_lock_irq(&batch->lock);
	migd_batch_state(batch, MIGD_BATCH_FREE);
	spin_unlock_irq(&batch->lock);

	migd_slot_ended(batch->slot, batch);
	migd_ntf_job_progress(job);
	atomic_dec(&job->inflight);
	wake_up_all(&migd_wait);
	migd_server_put(batch->server);
}
