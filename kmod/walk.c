// SPDX-License-Identifier: GPL-2.0
/*
 * A job's walk over the target's address space: claim a slot, lock a batch,
 * hand it over, go on; and again while pages are left that may move next time.
 */
#include <linux/mmap_lock.h>
#include <linux/sched/mm.h>
#include "internal.h"
#include "pace.h"
#include "route.h"
#include "scan.h"
#include "survey.h"
#include "walk.h"

/* As often as migrate_pages(2) tries a page. */
#define MAX_ATTEMPTS	10

/* Reasons that may be gone in the next pass. */
#define TRANSIENT	(BIT(MIGD_REASON_REFUSED) | BIT(MIGD_REASON_WRITEBACK) | \
			 BIT(MIGD_REASON_SWAP_CACHE) | BIT(MIGD_REASON_BUSY) | \
			 BIT(MIGD_REASON_COPY_FAILED) | BIT(MIGD_REASON_PUT_BACK))

/* Not the process's own memory: leaving it is no failure of the job. */
#define FOREIGN		(BIT(MIGD_REASON_FILE) | BIT(MIGD_REASON_SPECIAL))

/* Longest sleep of a job that does not look whether its target lives. */
#define LOOK_AGAIN	HZ

/* Time that others get to end a batch before a pass counts as an attempt. */
#define OTHERS_WAIT	(HZ / 10)

/* Time that who holds a page gets before the next pass; doubled each time. */
#define PASS_WAIT	(HZ / 50)

/* Attempts at the memory for one batch, two seconds in all. */
#define MEMORY_TRIES	10
#define MEMORY_WAIT	(HZ / 4)

/* Nobody tells of an exit; a batch of ours would keep the users above 0. */
static bool target_gone(const struct migd_job *job)
{
	return !atomic_read(&job->mm->mm_users);
}

static u64 left_of(const struct migd_job *job, unsigned long reasons)
{
	unsigned int r;
	u64 sum = 0;

	for (r = 0; r < MIGD_REASONS; r++)
		if (reasons & BIT(r))
			sum += atomic64_read(&job->left[r]);
	return sum;
}

/* Who lets a job wait or go on is told when it does, and not by the next batch. */
static void show_state(struct migd_job *job, enum migd_job_state state)
{
	enum migd_job_state old = job->state;

	if (state == old)
		return;
	WRITE_ONCE(job->state, state);
	if (state == MIGD_JOB_STATE_PAUSED || old == MIGD_JOB_STATE_PAUSED) {
		WRITE_ONCE(job->next_ntf, jiffies);
		migd_ntf_job_progress(job);
	}
}

static struct migd_slot *claim_slot(const struct migd_job *job)
{
	return migd_pace_room(job, job->scan->max) ? migd_slot_claim() : NULL;
}

/*
 * Waits for a parked slot, until what was handed over before is paid for, and
 * until what was worked is rested for; NULL when the job is to end, with its outcome.
 */
static struct migd_slot *wait_for_slot(struct migd_job *job,
				       enum migd_outcome *ret_outcome)
{
	struct migd_slot *slot = NULL;
	unsigned long wait, until, due;
	bool served, paused;

	for (;;) {
		served = migd_server_present();
		paused = READ_ONCE(job->paused);
		due = migd_pace_due(job);
		wait = LOOK_AGAIN;
		if (due) {
			migd_pool_free(job);
			wait = min(wait, due);
		}
		if (!served) {
			/* Jobs survive their daemon for a while. */
			until = migd_server_lost_at() +
				msecs_to_jiffies(READ_ONCE(migd_server_wait_ms));
			if (time_after_eq(jiffies, until)) {
				*ret_outcome = MIGD_OUTCOME_SERVER_LOST;
				return NULL;
			}
			wait = min_t(unsigned long, wait, until - jiffies);
		}
		show_state(job, !served ? MIGD_JOB_STATE_WAITING :
				paused ? MIGD_JOB_STATE_PAUSED :
					 MIGD_JOB_STATE_RUNNING);
		wait = wait_event_idle_timeout(migd_wait,
					       migd_job_cancelled(job) ||
					       READ_ONCE(job->paused) != paused ||
					       migd_pace_changed(job) ||
					       (!paused && !due &&
						(slot = claim_slot(job))) ||
					       migd_server_present() != served,
					       wait);
		/* It would be in the way of memory that is to go offline. */
		if (!wait)
			migd_pool_free(job);
		if (migd_job_cancelled(job))
			*ret_outcome = MIGD_OUTCOME_CANCELLED;
		else if (slot && !migd_job_served_by(job, slot->server))
			*ret_outcome = MIGD_OUTCOME_SERVER_LOST;
		else if (slot)
			return slot;
		else if (target_gone(job))
			*ret_outcome = MIGD_OUTCOME_TARGET_GONE;
		if (slot)
			migd_slot_unclaim(slot);
		if (*ret_outcome != MIGD_OUTCOME_NONE)
			return NULL;
	}
}

static bool room_for(unsigned int pages)
{
	/* The cap may have been lowered below one batch meanwhile. */
	return atomic_long_read(&migd_stats.locked_pages) + pages <=
		READ_ONCE(migd_max_locked_pages) ||
		pages > READ_ONCE(migd_max_locked_pages);
}

/* Reclaim does not see isolated pages, so there is a cap on all jobs' sum. */
static bool reserve_pages(unsigned int pages)
{
	if (atomic_long_add_return(pages, &migd_stats.locked_pages) <=
	    READ_ONCE(migd_max_locked_pages))
		return true;
	atomic_long_sub(pages, &migd_stats.locked_pages);
	return false;
}

static void unreserve_pages(unsigned int pages)
{
	atomic_long_sub(pages, &migd_stats.locked_pages);
}

/* A range of an atomic job that can't go whole: nothing of it is locked. */
static int leave_range(struct migd_job *job, const struct migd_scan *scan,
		       bool too_large)
{
	migd_job_left(job, MIGD_REASON_ATOMIC, scan->candidates);
	return too_large ? -E2BIG : 0;
}

/* What the scan leaves below @end; what lies above is scanned again. */
static void count_left(struct migd_job *job, const struct migd_scan *scan,
		       unsigned long end)
{
	const struct migd_left *left;
	unsigned int i;

	for (i = 0; i < scan->nr_left; i++) {
		left = &scan->left[i];
		if (left->start >= end)
			return;
		migd_job_left(job, left->reason, left->pages);
		if (migd_job_routes(job, left->reason))
			migd_route_note(job, left);
	}
}

/*
 * Pages that are not on the LRU yet stay for the next pass. To drain the per-CPU
 * lists waits for a worker of each CPU, which takes seconds where all are busy:
 * once is enough for what has been there before the first pass. It is worth more
 * where most of a batch, or all of an atomic range, would stay; and in the later
 * passes, which are of few pages: a target that gets new ones all the time would
 * leave some in each.
 */
static bool drain_first(const struct migd_job *job, const struct migd_scan *scan)
{
	if (!scan->off_lru || scan->drained)
		return false;
	return !scan->pass_drained || scan->insist || migd_job_atomic(job) ||
		scan->off_lru > scan->max / 2;
}

/*
 * Locks the next batch against @slot, hands it over and moves *@addr on.
 * Returns the number of pages handed over, 0 for none, -EAGAIN when the mmap
 * lock is not to be had now, -EBUSY when the LRU is to be drained before, -ESRCH
 * when the address space is gone, -E2BIG when an atomic range has outgrown a
 * batch, -ENOMEM.
 */
static int next_batch(struct migd_job *job, struct migd_slot *slot,
		      struct migd_scan *scan, unsigned long *addr,
		      unsigned long end)
{
	struct mm_struct *mm = job->mm;
	struct migd_batch *batch;
	unsigned long next;
	int n;

	batch = migd_batch_alloc(job, scan->max);
	if (!batch)
		return -ENOMEM;

	if (!mmget_not_zero(mm)) {
		n = -ESRCH;
		goto out_batch;
	}

	/* The slot is claimed: to sleep here would hold up others. */
	if (!mmap_read_trylock(mm)) {
		mmput_async(mm);
		n = -EAGAIN;
		goto out_batch;
	}

	scan->server_mm = slot->server->mm;
	migd_scan_reset(scan);
	next = migd_scan_range(scan, mm, *addr, end);
	if (drain_first(job, scan)) {
		mmap_read_unlock(mm);
		mmput_async(mm);
		n = -EBUSY;
		goto out_batch;
	}
	scan->drained = false;
	*addr = next;
	if (!scan->nr_runs)
		n = 0;
	else if (migd_job_atomic(job) && (scan->nr_left || *addr < end))
		n = leave_range(job, scan, *addr < end);
	else
		n = migd_lock_batch(job, batch, scan, addr);
	if (n <= 0) {
		mmap_read_unlock(mm);
		mmput_async(mm);
		count_left(job, scan, *addr);
		/* No destination page is a reason of the pages, not an error. */
		n = n == -E2BIG ? n : 0;
		goto out_batch;
	}

	/*
	 * Whoever ends the batch releases the mmap lock. Lockdep is told that
	 * this task has done it, as bpf_mmap_unlock_mm() does.
	 */
	batch->mm = mm;
	rwsem_release(&mm->mmap_lock.dep_map, _THIS_IP_);
	unreserve_pages(scan->max - n);
	atomic_inc(&job->inflight);
	migd_slot_hand(slot, batch);
	count_left(job, scan, *addr);

out_batch:
	migd_batch_put(batch);
	return n;
}

/* Whoever comes next has the rate, and the share of the CPU, for himself. */
static void wait_paid(struct migd_job *job)
{
	unsigned long due;
	bool paused;

	migd_pace_work(job);
	while (!migd_job_cancelled(job) && !target_gone(job)) {
		paused = READ_ONCE(job->paused);
		due = migd_pace_due(job);
		if (!due)
			return;
		migd_pool_free(job);
		show_state(job, paused ? MIGD_JOB_STATE_PAUSED :
					 MIGD_JOB_STATE_RUNNING);
		wait_event_idle_timeout(migd_wait, migd_job_cancelled(job) ||
					READ_ONCE(job->paused) != paused ||
					migd_pace_changed(job),
					min_t(unsigned long, due, LOOK_AGAIN));
	}
}

/* Nobody tells when there is memory again. Holds none of it meanwhile. */
static void wait_for_memory(struct migd_job *job, unsigned int tries)
{
	migd_pool_free(job);
	wait_event_idle_timeout(migd_wait, migd_job_cancelled(job),
				min(PASS_WAIT << tries, MEMORY_WAIT));
}

/* Walks one range; MIGD_OUTCOME_NONE when it came to its end. */
static enum migd_outcome walk_range(struct migd_job *job,
				    struct migd_scan *scan, unsigned long addr,
				    unsigned long end)
{
	enum migd_outcome outcome = MIGD_OUTCOME_NONE;
	struct migd_slot *slot;
	unsigned int tries = 0, starved = 0;
	int n;

	while (addr < end) {
		if (!migd_job_node_allowed(job))
			return MIGD_OUTCOME_FAILED;
		slot = wait_for_slot(job, &outcome);
		if (!slot)
			return outcome;
		scan->max = migd_batch_max(job, slot->server);
		if (!reserve_pages(scan->max)) {
			migd_slot_unclaim(slot);
			wait_event_idle(migd_wait, migd_job_cancelled(job) ||
					room_for(scan->max));
			continue;
		}
		n = next_batch(job, slot, scan, &addr, end);
		migd_pace_work(job);
		if (n <= 0) {
			unreserve_pages(scan->max);
			migd_slot_unclaim(slot);
		}
		if (n == -EAGAIN) {
			migd_wait_for_mm(job, &tries);
			continue;
		}
		if (n == -EBUSY) {
			migd_lru_drain();
			scan->drained = true;
			scan->pass_drained = true;
			continue;
		}
		if (n == -ENOMEM && starved < MEMORY_TRIES) {
			wait_for_memory(job, starved++);
			continue;
		}
		tries = 0;
		starved = 0;
		scan->starved = n == -ENOMEM;
		if (n == -ESRCH)
			return MIGD_OUTCOME_TARGET_GONE;
		if (n < 0)
			return MIGD_OUTCOME_FAILED;
		if (n)
			migd_pace_pay(job, n);
		cond_resched();
	}
	return outcome;
}

static enum migd_outcome walk_once(struct migd_job *job,
				   struct migd_scan *scan)
{
	enum migd_outcome outcome = MIGD_OUTCOME_NONE;
	unsigned int r;

	for (r = 0; r < MIGD_REASONS; r++)
		atomic64_set(&job->left[r], 0);
	migd_route_begin(job);
	job->passes++;
	scan->pass_drained = false;
	scan->insist = job->passes > 1;
	for (r = 0; r < job->nr_ranges && outcome == MIGD_OUTCOME_NONE; r++)
		outcome = walk_range(job, scan, job->ranges[r].start,
				     job->ranges[r].end);
	/* Each ends by its deadline plus the grace. */
	wait_event_idle(migd_wait, !atomic_read(&job->inflight));
	return outcome;
}

/*
 * Another job or the kernel has some of the pages under way, and they may come
 * back. Returns whether a batch has ended since there were @batches of them.
 */
static bool others_go_on(struct migd_job *job, s64 batches)
{
	return wait_event_idle_timeout(migd_wait, migd_job_cancelled(job) ||
				atomic64_read(&migd_stats.batches) != batches,
				OTHERS_WAIT);
}

/* Nobody tells when he lets go of a page. Returns whether to look again. */
static bool worth_a_pass(struct migd_job *job, unsigned int attempts, u64 moved)
{
	if (!left_of(job, TRANSIENT) || attempts >= MAX_ATTEMPTS ||
	    (!moved && attempts >= 3))
		return false;
	wait_event_idle_timeout(migd_wait, migd_job_cancelled(job),
				min(PASS_WAIT << attempts, HZ / 10));
	return true;
}

/**
 * migd_walk() - move a job's pages
 * @job: the job
 *
 * Context: process; sleeps for as long as the job takes.
 * Return: how it ended.
 */
enum migd_outcome migd_walk(struct migd_job *job)
{
	struct migd_scan *scan = job->scan;
	enum migd_outcome outcome;
	u64 moved, left;
	unsigned int attempts = 0;
	s64 batches;

	migd_pace_work(job);
	if (!migd_survey_count(job, scan))
		return MIGD_OUTCOME_TARGET_GONE;
	do {
		moved = atomic64_read(&job->moved);
		batches = atomic64_read(&migd_stats.batches);
		scan->moving = 0;
		outcome = walk_once(job, scan);
		moved = atomic64_read(&job->moved) - moved;
		/* To wait for others is no attempt, as long as they go on. */
		if (outcome != MIGD_OUTCOME_NONE || !scan->moving ||
		    !others_go_on(job, batches))
			attempts++;
	} while (outcome == MIGD_OUTCOME_NONE &&
		 worth_a_pass(job, attempts, moved));

	if (outcome == MIGD_OUTCOME_NONE)
		wait_paid(job);
	if (outcome == MIGD_OUTCOME_NONE && job->route.nr) {
		migd_pool_free(job);
		outcome = migd_route_wait(job);
		/* Counts what is left now, and moves what has been split. */
		if (outcome == MIGD_OUTCOME_NONE) {
			outcome = walk_once(job, scan);
			wait_paid(job);
		}
		migd_route_relabel(job);
	}

	moved = atomic64_read(&job->moved);
	left = left_of(job, ~0UL);
	if (outcome != MIGD_OUTCOME_NONE) {
		if (job->total > moved + left)
			migd_job_left(job, scan->starved ? MIGD_REASON_NO_MEMORY :
							   MIGD_REASON_UNREACHED,
				      job->total - moved - left);
		/* What has moved before it had to give up is not nothing. */
		return outcome == MIGD_OUTCOME_FAILED && moved ?
			MIGD_OUTCOME_PARTLY : outcome;
	}
	if (!left_of(job, ~FOREIGN))
		return MIGD_OUTCOME_MOVED;
	return moved ? MIGD_OUTCOME_PARTLY : MIGD_OUTCOME_FAILED;
}
