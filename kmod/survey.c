// SPDX-License-Identifier: GPL-2.0
/*
 * What a job asks of its target before it locks anything: how many pages there
 * are, and whether the ranges of an atomic job could go whole.
 */
#include <linux/delay.h>
#include <linux/mmap_lock.h>
#include <linux/sched/mm.h>
#include "internal.h"
#include "scan.h"
#include "survey.h"

/* Longest sleep between two attempts at the target's mmap lock. */
#define MM_WAIT_US	20000
#define CHECK_TRIES	60

/**
 * migd_wait_for_mm() - the target's mmap lock was not to be had
 * @job: the job
 * @tries: how often in a row; counted here
 *
 * A writer queues for the target's mmap lock: behind our own batches, which end,
 * or behind somebody else's reason, which may not. The lock has no sleep that a
 * cancel could end, and no event, so it is tried; nothing is held meanwhile.
 *
 * Context: process; sleeps.
 */
void migd_wait_for_mm(struct migd_job *job, unsigned int *tries)
{
	unsigned long us;

	if (atomic_read(&job->inflight)) {
		wait_event_idle(migd_wait, migd_job_cancelled(job) ||
				!atomic_read(&job->inflight));
		return;
	}
	us = min(50UL << min(*tries, 16U), MM_WAIT_US);
	(*tries)++;
	if (us < jiffies_to_usecs(1))
		usleep_range_state(us, 2 * us, TASK_IDLE);
	else
		wait_event_idle_timeout(migd_wait, migd_job_cancelled(job),
					usecs_to_jiffies(us));
}

/**
 * migd_survey_count() - pages on the source nodes, so that progress has a scale
 * @job: the job; its total is set
 * @scan: not in use
 *
 * Context: process; sleeps.
 * Return: false when the address space is gone.
 */
bool migd_survey_count(struct migd_job *job, struct migd_scan *scan)
{
	unsigned int r, tries = 0;
	unsigned long addr;

	if (!mmget_not_zero(job->mm))
		return false;
	scan->count_only = true;
	scan->counted = 0;
	for (r = 0; r < job->nr_ranges; r++) {
		addr = job->ranges[r].start;
		while (addr < job->ranges[r].end && !migd_job_cancelled(job)) {
			if (!mmap_read_trylock(job->mm)) {
				migd_wait_for_mm(job, &tries);
				continue;
			}
			tries = 0;
			addr = migd_scan_range(scan, job->mm, addr,
					       job->ranges[r].end);
			mmap_read_unlock(job->mm);
			cond_resched();
		}
	}
	scan->count_only = false;
	mmput_async(job->mm);
	job->total = scan->counted;
	return true;
}

/* Pages of one range that an atomic job can never move, by reason, or none. */
static enum migd_reason stays(const struct migd_scan *scan)
{
	const unsigned long always = BIT(MIGD_REASON_HUGE) |
		BIT(MIGD_REASON_LARGE) | BIT(MIGD_REASON_HUGETLB) |
		BIT(MIGD_REASON_SHMEM) | BIT(MIGD_REASON_FILE) |
		BIT(MIGD_REASON_KSM) | BIT(MIGD_REASON_SPECIAL) |
		BIT(MIGD_REASON_TAGGED) | BIT(MIGD_REASON_POISONED);
	unsigned int i;

	for (i = 0; i < scan->nr_left; i++)
		if (always & BIT(scan->left[i].reason))
			return scan->left[i].reason;
	return MIGD_REASON_NONE;
}

/**
 * migd_survey_atomic() - could the ranges of an atomic job go whole?
 * @job: not running yet
 * @server: who would serve it
 * @ret_range: the first range that could not
 * @ret_reason: why, when its pages are of a class that always stays
 *
 * Locks nothing and says how things are now: the walk looks again.
 *
 * Context: process; sleeps, but not long.
 * Return: 0, -E2BIG (does not fit one batch), -EOPNOTSUPP (@ret_reason), -EBUSY
 * (the mmap lock is not to be had), -ESRCH.
 */
int migd_survey_atomic(struct migd_job *job, const struct migd_server *server,
		       unsigned int *ret_range, enum migd_reason *ret_reason)
{
	struct migd_scan *scan = job->scan;
	unsigned int tries = 0;
	unsigned long addr;
	unsigned int r;
	int err = 0;

	scan->server_mm = server->mm;
	scan->max = migd_batch_max(job, server);
	if (!mmget_not_zero(job->mm))
		return -ESRCH;
	/* Doubled each time: a second in all. */
	while (!mmap_read_trylock(job->mm)) {
		if (tries > CHECK_TRIES) {
			err = -EBUSY;
			goto out;
		}
		migd_wait_for_mm(job, &tries);
	}
	for (r = 0; r < job->nr_ranges && !err; r++) {
		*ret_range = r;
		if ((job->ranges[r].end - job->ranges[r].start) >> PAGE_SHIFT >
		    scan->max) {
			err = -E2BIG;
			break;
		}
		migd_scan_reset(scan);
		addr = migd_scan_range(scan, job->mm, job->ranges[r].start,
				       job->ranges[r].end);
		*ret_reason = stays(scan);
		if (*ret_reason != MIGD_REASON_NONE)
			err = -EOPNOTSUPP;
		else if (addr < job->ranges[r].end)
			err = -E2BIG;
		cond_resched();
	}
	mmap_read_unlock(job->mm);
out:
	mmput_async(job->mm);
	return err;
}
