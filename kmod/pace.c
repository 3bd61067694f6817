// SPDX-License-Identifier: GPL-2.0
/*
 * The rate of a job. What is handed over is paid for before more is, and what a
 * batch, the batches that are out and the time to make up for may be worth is a
 * fixed part of a second each: so no two seconds, wherever they begin, see more
 * than a tenth beyond what the rate allows, neither locked nor moved.
 *
 * And its nice. The scheduler's would let a worker wait for a CPU with pages
 * locked; here the job rests between batches, until its work has been no more
 * than its share of the time.
 */
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/sched.h>
#include "internal.h"
#include "pace.h"

/* Three of these, and a tick, are less than a tenth of two seconds. */
#define SHARE_NS	(50 * NSEC_PER_MSEC)

static u64 share_pages(u64 rate)
{
	return mul_u64_u64_div_u64(rate, SHARE_NS, NSEC_PER_SEC) >> PAGE_SHIFT;
}

/* What is not paid for yet is paid for at the rate of now. */
static void follow_rate(struct migd_job *job, u64 now)
{
	u64 rate = READ_ONCE(job->max_rate), old = job->pace.rate;

	if (rate == old)
		return;
	/* Without a rate before there is nothing to make up for. */
	if (!rate || !old)
		job->pace.paid_ns = now;
	else if (job->pace.paid_ns > now)
		job->pace.paid_ns = now +
			mul_u64_u64_div_u64(job->pace.paid_ns - now, old, rate);
	job->pace.rate = rate;
}

/**
 * migd_pace_batch() - most pages of the next batch
 * @job: the job
 * @max: what else allows
 *
 * Context: any.
 * Return: at least one page.
 */
unsigned int migd_pace_batch(const struct migd_job *job, unsigned int max)
{
	u64 rate = READ_ONCE(job->max_rate);

	/* Its range goes whole, and is paid for afterwards. */
	if (!rate || migd_job_atomic(job))
		return max;
	return clamp_t(u64, share_pages(rate), 1, max);
}

/**
 * migd_pace_room() - may one more batch be out?
 * @job: the job
 * @max: pages of a batch
 *
 * Batches that end late, all at once, would exceed the rate where their pages
 * arrive. One is always let out.
 *
 * Context: any.
 */
bool migd_pace_room(const struct migd_job *job, unsigned int max)
{
	u64 rate = READ_ONCE(job->max_rate);
	int out = atomic_read(&job->inflight);

	return !rate || !out || (out + 1) * (u64)max <= share_pages(rate);
}

/**
 * migd_pace_pay() - count what has been handed over
 * @job: the job
 * @pages: how many
 *
 * Context: process, from the job's own worker.
 */
void migd_pace_pay(struct migd_job *job, unsigned int pages)
{
	u64 now = ktime_get_ns();

	follow_rate(job, now);
	if (!job->pace.rate)
		return;
	/* A late wakeup is made up for, a slow stretch is not. */
	job->pace.paid_ns = max(job->pace.paid_ns, now - SHARE_NS) +
		mul_u64_u64_div_u64((u64)pages << PAGE_SHIFT, NSEC_PER_SEC,
				    job->pace.rate);
}

static u32 nice_of(const struct migd_job *job)
{
	return max(READ_ONCE(job->nice), READ_ONCE(migd_nice));
}

/*
 * The time in which work of @ns is the share that @nice leaves: each level has
 * four fifths of the one before, as the scheduler's weights have it.
 */
static u64 worth(u64 ns, u32 nice)
{
	while (nice--)
		ns += ns / 4;
	return ns;
}

/* What is not rested for yet is, with the nice of now. */
static void follow_nice(struct migd_job *job, u64 now)
{
	struct migd_pace *pace = &job->pace;
	u32 nice = nice_of(job);

	if (nice == pace->nice)
		return;
	if (!nice || !pace->nice)
		pace->rested_ns = now;
	else if (pace->rested_ns > now)
		pace->rested_ns = now +
			mul_u64_u64_div_u64(pace->rested_ns - now,
					    worth(NSEC_PER_SEC, nice),
					    worth(NSEC_PER_SEC, pace->nice));
	pace->nice = nice;
}

/**
 * migd_pace_work() - count what has been worked for a job
 * @job: the job
 *
 * Its worker's own time is the scheduler's account, which does not see the last
 * tick yet; others tell by migd_job_worked().
 *
 * Context: process, from the job's own worker.
 */
void migd_pace_work(struct migd_job *job)
{
	u64 now = ktime_get_ns(), cpu = READ_ONCE(current->se.sum_exec_runtime);
	struct migd_pace *pace = &job->pace;
	u64 work;

	/* The worker has worked for others before. */
	if (pace->cpu_ns)
		atomic64_add(cpu - pace->cpu_ns, &job->work_ns);
	pace->cpu_ns = cpu;

	follow_nice(job, now);
	work = atomic64_read(&job->work_ns);
	if (pace->nice)
		pace->rested_ns = max(pace->rested_ns, now - SHARE_NS) +
			worth(work - pace->work_seen, pace->nice);
	pace->work_seen = work;
}

/**
 * migd_pace_due() - how long until all is paid and rested for
 * @job: the job
 *
 * Context: process, from the job's own worker.
 * Return: jiffies; 0 for now. What is less than one is waited for next time.
 */
unsigned long migd_pace_due(struct migd_job *job)
{
	struct migd_pace *pace = &job->pace;
	u64 now = ktime_get_ns(), due = now;

	follow_rate(job, now);
	follow_nice(job, now);
	if (pace->rate)
		due = pace->paid_ns;
	if (pace->nice)
		due = max(due, pace->rested_ns);
	return due <= now ? 0 : nsecs_to_jiffies(due - now);
}

/**
 * migd_pace_changed() - has the job another rate or nice than it waits for?
 * @job: the job
 *
 * Context: any, while its own worker waits.
 */
bool migd_pace_changed(const struct migd_job *job)
{
	return READ_ONCE(job->max_rate) != job->pace.rate ||
		nice_of(job) != job->pace.nice;
}
