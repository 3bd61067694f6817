// SPDX-License-Identifier: GPL-2.0
/*
 * A batch: its states, its references and its deadline.
 */
#include <linux/ktime.h>
#include <linux/slab.h>
#include "copy.h"
#include "internal.h"
#include "trace.h"

static const char * const state_names[] = {
	[MIGD_BATCH_FREE] = "FREE",
	[MIGD_BATCH_LOCKED] = "LOCKED",
	[MIGD_BATCH_FETCHED] = "FETCHED",
	[MIGD_BATCH_COPYING] = "COPYING",
	[MIGD_BATCH_COPIED] = "COPIED",
	[MIGD_BATCH_COMMITTED] = "COMMITTED",
	[MIGD_BATCH_PUT_BACK] = "PUT_BACK",
};

/*
 * PUT_BACK: ended without the daemon. COPYING to COPYING is another COPY,
 * COPIED to COPYING the retry of one that failed.
 */
static const u8 legal[MIGD_BATCH_STATES] = {
	[MIGD_BATCH_FREE] = BIT(MIGD_BATCH_LOCKED),
	[MIGD_BATCH_LOCKED] = BIT(MIGD_BATCH_FETCHED) | BIT(MIGD_BATCH_PUT_BACK),
	[MIGD_BATCH_FETCHED] = BIT(MIGD_BATCH_COPYING) |
		BIT(MIGD_BATCH_COMMITTED) | BIT(MIGD_BATCH_PUT_BACK),
	[MIGD_BATCH_COPYING] = BIT(MIGD_BATCH_COPIED) | BIT(MIGD_BATCH_PUT_BACK),
	[MIGD_BATCH_COPIED] = BIT(MIGD_BATCH_COPYING) |
		BIT(MIGD_BATCH_COMMITTED) | BIT(MIGD_BATCH_PUT_BACK),
	[MIGD_BATCH_COMMITTED] = BIT(MIGD_BATCH_FREE),
	[MIGD_BATCH_PUT_BACK] = BIT(MIGD_BATCH_FREE),
};

/**
 * migd_batch_state() - make a transition
 * @batch: the batch
 * @to: the new state
 *
 * Context: any; the caller holds batch->lock, or is alone with the batch.
 */
void migd_batch_state(struct migd_batch *batch, enum migd_batch_state to)
{
	enum migd_batch_state from = batch->state;

	WARN_ONCE(!(legal[from] & BIT(to)), "migd: illegal batch state %s -> %s\n",
		  state_names[from], state_names[to]);
	trace_migd_batch(batch->job->id, batch->seq, state_names[from],
			 state_names[to], batch->nr);
	batch->state = to;
}

static void batch_deadline(struct work_struct *work)
{
	struct migd_batch *batch = container_of(to_delayed_work(work),
						struct migd_batch, deadline);

	if (migd_batch_claim_end(batch))
		migd_batch_end(batch, test_bit(MIGD_BATCH_ORPHAN, &batch->flags) ?
			       MIGD_RESCUE_CAUSE_SERVER_LOST :
			       MIGD_RESCUE_CAUSE_DEADLINE);
	migd_batch_put(batch);
}

static void batch_commit(struct work_struct *work)
{
	struct migd_batch *batch = container_of(work, struct migd_batch, commit);

	migd_batch_end(batch, MIGD_END_COMMIT);
	migd_batch_put(batch);
}

/**
 * migd_batch_alloc() - a batch in state FREE
 * @job: its job; a reference is taken
 * @max: room for this many pages
 *
 * Context: process; may sleep.
 * Return: the batch, or NULL.
 */
struct migd_batch *migd_batch_alloc(struct migd_job *job, unsigned int max)
{
	size_t words = BITS_TO_LONGS(max);
	struct migd_batch *batch;
	unsigned long *mem;

	/* Only the bitmaps need to be zero; the arrays are written by setup. */
	batch = kzalloc(sizeof(*batch), GFP_KERNEL);
	if (!batch)
		return NULL;
	mem = kvmalloc_array(max * 4 + words * 5, sizeof(*mem), GFP_KERNEL);
	if (!mem) {
		kfree(batch);
		return NULL;
	}
	kref_init(&batch->ref);
	spin_lock_init(&batch->lock);
	INIT_DELAYED_WORK(&batch->deadline, batch_deadline);
	INIT_WORK(&batch->commit, batch_commit);
	INIT_LIST_HEAD(&batch->copies);
	kref_get(&job->ref);
	batch->job = job;
	batch->max = max;
	batch->order = job->order;
	batch->src = mem;
	batch->dst = mem + max;
	batch->spage = (struct page **)(mem + 2 * max);
	batch->dpage = (struct page **)(mem + 3 * max);
	batch->claimed = mem + 4 * max;
	batch->copied = batch->claimed + words;
	batch->poisoned = batch->copied + words;
	batch->spoiled = batch->poisoned + words;
	batch->held = batch->spoiled + words;
	memset(batch->claimed, 0, 5 * words * sizeof(*mem));
	if (migd_verify_alloc(batch)) {
		migd_batch_put(batch);
		return NULL;
	}
	return batch;
}

static void batch_free(struct kref *ref)
{
	struct migd_batch *batch = container_of(ref, struct migd_batch, ref);

	WARN_ON_ONCE(batch->state != MIGD_BATCH_FREE);
	migd_job_put(batch->job);
	migd_verify_free(batch);
	kvfree(batch->src);
	kfree(batch);
}

/* Context: any. */
void migd_batch_put(struct migd_batch *batch)
{
	kref_put(&batch->ref, batch_free);
}

/**
 * migd_batch_claim_end() - race for the end of a batch
 * @batch: the batch
 *
 * Commit, deadline and the death of the server race for one bit. The winner
 * must call migd_batch_end().
 *
 * Context: any.
 * Return: true for exactly one caller.
 */
bool migd_batch_claim_end(struct migd_batch *batch)
{
	return !test_and_set_bit(MIGD_BATCH_ENDING, &batch->flags);
}

/**
 * migd_batch_commit() - end a batch as its daemon wants it
 * @batch: its end is the caller's, see migd_batch_claim_end()
 *
 * Never in the daemon's own context, not even for a batch that is copied as a
 * whole: who has claimed the end is alone with it, and a daemon under a CPU
 * quota, at SCHED_IDLE or beside a busy real-time task is off the CPU for as
 * long as it takes, in the middle of a system call too, with the pages locked.
 * Nothing in the module could bound that. A wake-up per batch is the price.
 *
 * Context: any.
 */
void migd_batch_commit(struct migd_batch *batch)
{
	migd_batch_get(batch);
	queue_work(migd_end_wq, &batch->commit);
}

/**
 * migd_batch_arm() - arm the deadline of a batch
 * @batch: locked; its deadline has run since before that, and may have passed
 *
 * Context: any.
 */
void migd_batch_arm(struct migd_batch *batch)
{
	u64 now = ktime_get_ns();
	unsigned long wait = 0;

	if (now < batch->deadline_ns)
		wait = usecs_to_jiffies(DIV_ROUND_UP_ULL(batch->deadline_ns - now,
							 NSEC_PER_USEC));
	migd_batch_get(batch);
	queue_delayed_work(migd_end_wq, &batch->deadline, wait);
}

/**
 * migd_batch_timed() - the pages of a batch have been unlocked
 * @batch: the batch
 * @now: when
 *
 * Context: any.
 */
void migd_batch_timed(const struct migd_batch *batch, u64 now)
{
	if (now <= batch->deadline_ns + MIGD_GRACE_MS * (u64)NSEC_PER_MSEC)
		return;
	atomic64_inc(&migd_stats.late);
	trace_migd_error(batch->job->id, batch->seq, "late", -ETIME);
}

/**
 * migd_batch_orphan() - the server of the batch is gone
 * @batch: the batch
 *
 * Ends it as soon as no descriptor is out; copies in flight get the time that
 * the deadline leaves them.
 *
 * Context: process.
 */
void migd_batch_orphan(struct migd_batch *batch)
{
	bool now;

	spin_lock_irq(&batch->lock);
	set_bit(MIGD_BATCH_ORPHAN, &batch->flags);
	now = !batch->nr_out;
	spin_unlock_irq(&batch->lock);

	if (now && !test_bit(MIGD_BATCH_ENDING, &batch->flags) &&
	    cancel_delayed_work(&batch->deadline))
		queue_delayed_work(migd_end_wq, &batch->deadline, 0);
}
