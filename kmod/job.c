// SPDX-License-Identifier: GPL-2.0
/*
 * Jobs: the registry of those that run and the last ones that ended.
 */
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/netlink.h>
#include <linux/nodemask.h>
#include <linux/sched/mm.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include "internal.h"
#include "route.h"
#include "scan.h"
#include "trace.h"
#include "walk.h"

#define MAX_ACTIVE	64
#define MAX_DONE	64

static DEFINE_MUTEX(job_mutex);
static LIST_HEAD(jobs);			/* by id, oldest first */
static u64 last_id;
static unsigned int nr_active, nr_done;

static void job_free(struct kref *ref)
{
	struct migd_job *job = container_of(ref, struct migd_job, ref);

	kvfree(job->hists);
	kfree(job->ranges);
	kfree(job->scan);
	kfree(job);
}

/* Context: any. What may sleep is given up when the job ends. */
void migd_job_put(struct migd_job *job)
{
	kref_put(&job->ref, job_free);
}

void migd_job_left(struct migd_job *job, enum migd_reason reason, u64 pages)
{
	atomic64_add(pages, &job->left[reason]);
}

/**
 * migd_job_hist() - one histogram of a job, summed up
 * @job: running or done
 * @phase: which
 * @ret_sum: filled in
 *
 * Context: process.
 */
void migd_job_hist(struct migd_job *job, enum migd_phase phase,
		   struct migd_hist_sum *ret_sum)
{
	mutex_lock(&job_mutex);
	if (job->hists)
		migd_hist_sum(&job->hists->phase[phase], ret_sum);
	else
		*ret_sum = job->sum[phase];
	mutex_unlock(&job_mutex);
}

/* Drops the oldest done job beyond the cap. The caller holds job_mutex. */
static void trim_done(void)
{
	struct migd_job *job;

	if (nr_done <= MAX_DONE)
		return;
	list_for_each_entry(job, &jobs, node) {
		if (job->state != MIGD_JOB_STATE_DONE)
			continue;
		list_del(&job->node);
		nr_done--;
		migd_job_put(job);
		return;
	}
}

static void job_done(struct migd_job *job, enum migd_outcome outcome)
{
	struct migd_hists *hists;
	enum migd_phase p;
	unsigned int r;

	migd_pool_free(job);
	migd_route_free(job);
	kfree(job->scan);
	job->scan = NULL;
	for (r = 0; r < MIGD_REASONS; r++)
		atomic64_add(atomic64_read(&job->left[r]), &migd_stats.left[r]);
	for (p = 0; p < MIGD_PHASES; p++)
		migd_hist_sum(&job->hists->phase[p], &job->sum[p]);

	mutex_lock(&job_mutex);
	hists = job->hists;
	job->hists = NULL;
	job->t_end = ktime_get_boottime_ns();
	job->outcome = outcome;
	/* Pairs with migd_nl_put_job(): who sees it done sees how it ended. */
	smp_store_release(&job->state, MIGD_JOB_STATE_DONE);
	nr_active--;
	nr_done++;
	trim_done();
	mutex_unlock(&job_mutex);

	kvfree(hists);
	mmdrop(job->mm);
	put_task_struct(job->task);
	atomic_dec(&migd_stats.jobs_active);
	trace_migd_job(job->id, job->pid, "done", outcome);
	migd_ntf_job_done(job);
}

static void job_work(struct work_struct *work)
{
	struct migd_job *job = container_of(work, struct migd_job, work);

	job_done(job, migd_walk(job));
	migd_job_put(job);
	/* The exit of the module waits for this function in any case. */
	module_put(THIS_MODULE);
}

/**
 * migd_job_alloc() - a job without a target yet
 * @p: what to move; checked by the caller
 *
 * Context: process.
 * Return: the job, or NULL.
 */
struct migd_job *migd_job_alloc(const struct migd_job_params *p)
{
	struct migd_job *job = kzalloc(sizeof(*job), GFP_KERNEL);

	if (!job)
		return NULL;
	job->hists = kvzalloc(sizeof(*job->hists), GFP_KERNEL);
	job->nr_ranges = p->nr_ranges ?: 1;
	job->ranges = kcalloc(job->nr_ranges, sizeof(*job->ranges), GFP_KERNEL);
	job->scan = kzalloc(sizeof(*job->scan), GFP_KERNEL);
	kref_init(&job->ref);
	if (!job->hists || !job->ranges || !job->scan) {
		migd_job_put(job);
		return NULL;
	}
	if (p->nr_ranges)
		memcpy(job->ranges, p->ranges,
		       p->nr_ranges * sizeof(*job->ranges));
	else
		job->ranges[0].end = TASK_SIZE_MAX;
	job->pid = p->pid;
	job->start_time = p->start_time;
	job->from = p->from;
	job->to = p->to;
	job->order = p->order;
	job->batch_pages = p->batch_pages;
	job->deadline_us = p->deadline_us;
	job->max_rate = p->max_rate;
	job->nice = p->nice;
	job->want = p->want;
	job->t_submit = ktime_get_boottime_ns();
	job->scan->job = job;
	INIT_LIST_HEAD(&job->pool);
	INIT_WORK(&job->work, job_work);
	return job;
}

/**
 * migd_job_start() - let a job run
 * @job: new, with its target; the reference of its maker becomes its work's
 * @ret_id: id of the job
 * @ack: receives a sentence when it fails
 *
 * Context: process.
 * Return: 0, -ENOSPC (too many jobs) or -ENOTCONN (the module is going).
 */
int migd_job_start(struct migd_job *job, u64 *ret_id,
		   struct netlink_ext_ack *ack)
{
	/* The job's own; the caller's ends with the request. */
	if (!try_module_get(THIS_MODULE)) {
		NL_SET_ERR_MSG(ack, "the module is being removed: load it again");
		return -ENOTCONN;
	}

	mutex_lock(&job_mutex);
	if (nr_active >= MAX_ACTIVE) {
		mutex_unlock(&job_mutex);
		NL_SET_ERR_MSG_FMT(ack,
				   "%d jobs run already: wait for one, or cancel it",
				   MAX_ACTIVE);
		module_put(THIS_MODULE);
		return -ENOSPC;
	}
	nr_active++;
	job->id = ++last_id;
	*ret_id = job->id;
	list_add_tail(&job->node, &jobs);
	kref_get(&job->ref);		/* the list's */
	mutex_unlock(&job_mutex);

	atomic64_inc(&migd_stats.jobs);
	atomic_inc(&migd_stats.jobs_active);
	trace_migd_job(job->id, job->pid, "submit", job->to);
	queue_work(migd_job_wq, &job->work);
	return 0;
}

/**
 * migd_job_node_allowed() - may the target have memory on the destination?
 * @job: with its target
 *
 * Its cpuset may change under way; our worker's says nothing of it.
 *
 * Context: process.
 */
bool migd_job_node_allowed(struct migd_job *job)
{
	bool allowed;

	task_lock(job->task);
	allowed = node_isset(job->to, job->task->mems_allowed);
	task_unlock(job->task);
	return allowed;
}

/* The daemon may know less than the module, and can't move itself. */
bool migd_job_served_by(const struct migd_job *job,
			const struct migd_server *server)
{
	if (job->mm == server->mm)
		return false;
	return job->order != MIGD_ORDER_STATE_FIRST ||
		server->features & MIGD_FEAT_STATE_FIRST;
}

/**
 * migd_job_find() - the job of an id
 * @id: the id
 *
 * Context: process.
 * Return: the job with a reference, or NULL.
 */
struct migd_job *migd_job_find(u64 id)
{
	struct migd_job *job = migd_job_next(id - 1);

	if (job && job->id != id) {
		migd_job_put(job);
		job = NULL;
	}
	return job;
}

struct migd_job *migd_job_next(u64 id)
{
	struct migd_job *job, *found = NULL;

	mutex_lock(&job_mutex);
	list_for_each_entry(job, &jobs, node) {
		if (job->id > id) {
			found = job;
			kref_get(&job->ref);
			break;
		}
	}
	mutex_unlock(&job_mutex);
	return found;
}

/**
 * migd_job_cancel() - stop a job
 * @id: its id
 *
 * Batches that are out end in the usual way first; the job is done when its
 * done event has come.
 *
 * Context: process.
 * Return: 0, -ENOENT, or -EALREADY when it is done.
 */
int migd_job_cancel(u64 id)
{
	struct migd_job *job = migd_job_find(id);
	int err = 0;

	if (!job)
		return -ENOENT;
	if (READ_ONCE(job->state) == MIGD_JOB_STATE_DONE)
		err = -EALREADY;
	set_bit(MIGD_JOB_CANCEL, &job->flags);
	trace_migd_job(job->id, job->pid, "cancel", err);
	wake_up_all(&migd_wait);
	migd_job_put(job);
	return err;
}

/**
 * migd_job_set() - change the limits of a job, or let it wait or go on
 * @id: its id
 * @change: what to change; checked by the caller
 *
 * Batches that are out keep the deadline that they have. A job that is to wait
 * locks no further page; large folios are the daemon's to stop.
 *
 * Context: process.
 * Return: 0, -ENOENT, or -EALREADY when it is done.
 */
int migd_job_set(u64 id, const struct migd_job_change *change)
{
	struct migd_job *job = migd_job_find(id);
	int err = 0;

	if (!job)
		return -ENOENT;
	if (READ_ONCE(job->state) == MIGD_JOB_STATE_DONE) {
		err = -EALREADY;
	} else {
		if (change->has_deadline)
			WRITE_ONCE(job->deadline_us, change->deadline_us);
		if (change->has_rate)
			WRITE_ONCE(job->max_rate, change->max_rate);
		if (change->has_paused)
			WRITE_ONCE(job->paused, change->paused);
		if (change->has_nice)
			WRITE_ONCE(job->nice, change->nice);
	}
	trace_migd_job(job->id, job->pid, "set", err);
	wake_up_all(&migd_wait);
	migd_job_put(job);
	return err;
}

/* No job runs any more: each had a reference to the module. */
void migd_jobs_exit(void)
{
	struct migd_job *job, *tmp;

	list_for_each_entry_safe(job, tmp, &jobs, node) {
		list_del(&job->node);
		migd_job_put(job);
	}
}
