// SPDX-License-Identifier: GPL-2.0
/*
 * Jobs: who may be moved where, and the registry of those that run and the
 * last ones that ended.
 */
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/netlink.h>
#include <linux/nodemask.h>
#include <linux/pid.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include "internal.h"
#include "route.h"
#include "survey.h"
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
	for (r = 0; r < MIGD_REASONS; r++)
		atomic64_add(atomic64_read(&job->left[r]), &migd_stats.left[r]);
	for (p = 0; p < MIGD_PHASES; p++)
		migd_hist_sum(&job->hists->phase[p], &job->sum[p]);

	mutex_lock(&job_mutex);
	hists = job->hists;
	job->hists = NULL;
	job->t_end = ktime_get_boottime_ns();
	job->outcome = outcome;
	job->state = MIGD_JOB_STATE_DONE;
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

static int check_node(int node, const char *which, struct netlink_ext_ack *ack)
{
	if (node < 0 || node >= MAX_NUMNODES || !node_online(node)) {
		NL_SET_ERR_MSG_FMT(ack,
				   "no %s node %d: see /sys/devices/system/node/online",
				   which, node);
		return -ENODEV;
	}
	return 0;
}

/* Finds the process and takes what the job needs of it. */
static int job_target(struct migd_job *job, struct netlink_ext_ack *ack)
{
	struct task_struct *task;
	struct mm_struct *mm;
	struct pid *pid;
	u64 ticks;

	pid = find_get_pid(job->pid);
	task = get_pid_task(pid, PIDTYPE_TGID);
	put_pid(pid);
	if (!task) {
		NL_SET_ERR_MSG_FMT(ack,
				   "there is no process %d", job->pid);
		return -ESRCH;
	}

	ticks = div_u64(task->start_boottime, NSEC_PER_SEC / USER_HZ);
	if (ticks != job->start_time) {
		NL_SET_ERR_MSG_FMT(ack,
				   "pid %d has changed hands since it was asked for",
				   job->pid);
		put_task_struct(task);
		return -ESRCH;
	}
	if (task->flags & PF_KTHREAD) {
		NL_SET_ERR_MSG_FMT(ack,
				   "process %d is a kernel thread, without memory of its own",
				   job->pid);
		put_task_struct(task);
		return -EINVAL;
	}
	mm = get_task_mm(task);
	if (!mm) {
		NL_SET_ERR_MSG_FMT(ack,
				   "process %d is exiting", job->pid);
		put_task_struct(task);
		return -ESRCH;
	}
	get_task_comm(job->comm, task);
	job->task = task;
	job->mm = mm;
	mmgrab(mm);
	mmput_async(mm);
	return 0;
}

static int check_params(const struct migd_job_params *p,
			struct netlink_ext_ack *ack)
{
	unsigned int r;
	int err;

	err = check_node(p->to, "destination", ack);
	if (!err && p->from != NUMA_NO_NODE)
		err = check_node(p->from, "source", ack);
	if (err)
		return err;
	if (p->from == p->to) {
		NL_SET_ERR_MSG(ack, "source and destination are the same node");
		return -EINVAL;
	}
	if (!node_state(p->to, N_MEMORY)) {
		NL_SET_ERR_MSG_FMT(ack,
				   "node %d has no memory: see /sys/devices/system/node/has_memory",
				   p->to);
		return -ENXIO;
	}
	if (p->want & MIGD_JOB_FLAG_ATOMIC && !p->nr_ranges) {
		NL_SET_ERR_MSG(ack, "atomic needs ranges: give those that are to move whole");
		return -EINVAL;
	}
	if (p->want & MIGD_JOB_FLAG_ATOMIC && p->order != MIGD_ORDER_COPY_FIRST) {
		NL_SET_ERR_MSG(ack, "atomic needs the order copy-first: state-first moves each page by itself");
		return -EINVAL;
	}
	if (p->batch_pages > MIGD_MAX_BATCH_PAGES) {
		NL_SET_ERR_MSG_FMT(ack,
				   "a batch has at most %d pages",
				   MIGD_MAX_BATCH_PAGES);
		return -EINVAL;
	}
	if (p->deadline_us < MIGD_DEADLINE_US_MIN ||
	    p->deadline_us > MIGD_DEADLINE_US_MAX) {
		NL_SET_ERR_MSG_FMT(ack,
				   "the deadline must be between %d us and %ld us",
				   MIGD_DEADLINE_US_MIN, MIGD_DEADLINE_US_MAX);
		return -EINVAL;
	}
	for (r = 0; r < p->nr_ranges; r++) {
		if (!PAGE_ALIGNED(p->ranges[r].start) ||
		    !PAGE_ALIGNED(p->ranges[r].end) ||
		    p->ranges[r].start >= p->ranges[r].end ||
		    p->ranges[r].end > TASK_SIZE_MAX) {
			NL_SET_ERR_MSG(ack, "a range must be page aligned, not empty and in user space");
			return -EINVAL;
		}
	}
	return 0;
}

static struct migd_job *job_alloc(const struct migd_job_params *p)
{
	struct migd_job *job = kzalloc(sizeof(*job), GFP_KERNEL);

	if (!job)
		return NULL;
	job->hists = kvzalloc(sizeof(*job->hists), GFP_KERNEL);
	job->nr_ranges = p->nr_ranges ?: 1;
	job->ranges = kcalloc(job->nr_ranges, sizeof(*job->ranges), GFP_KERNEL);
	kref_init(&job->ref);
	if (!job->hists || !job->ranges) {
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
	job->want = p->want;
	job->t_submit = ktime_get_boottime_ns();
	INIT_LIST_HEAD(&job->pool);
	INIT_WORK(&job->work, job_work);
	return job;
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

/* What a class of pages is called in a refusal; the others are large folios. */
static const char *class_name(enum migd_reason reason)
{
	switch (reason) {
	case MIGD_REASON_SHMEM:
		return "shared memory";
	case MIGD_REASON_FILE:
		return "page cache";
	case MIGD_REASON_KSM:
		return "pages merged by KSM";
	case MIGD_REASON_SPECIAL:
		return "device memory";
	case MIGD_REASON_TAGGED:
		return "MTE tags";
	case MIGD_REASON_POISONED:
		return "a poisoned page";
	default:
		return "a large folio";
	}
}

/* All of a range or nothing: say so now, not when half is locked. */
static int check_atomic(struct migd_job *job, const struct migd_server *server,
			struct netlink_ext_ack *ack)
{
	enum migd_reason reason = MIGD_REASON_NONE;
	unsigned int range = 0;
	int err;

	err = migd_survey_atomic(job, server, &range, &reason);
	switch (err) {
	case -E2BIG:
		NL_SET_ERR_MSG_FMT(ack,
				   "range %u does not fit one batch: split it, or move without atomic",
				   range + 1);
		break;
	case -EOPNOTSUPP:
		NL_SET_ERR_MSG_FMT(ack,
				   "range %u holds %s: leave it out, or move without atomic",
				   range + 1, class_name(reason));
		break;
	case -EBUSY:
		NL_SET_ERR_MSG_FMT(ack,
				   "process %d is changing its mappings: try again",
				   job->pid);
		break;
	case -ESRCH:
		NL_SET_ERR_MSG_FMT(ack,
				   "process %d is exiting", job->pid);
		break;
	}
	return err;
}

static int check_server(struct migd_job *job, struct netlink_ext_ack *ack)
{
	struct migd_server *server = migd_server_get();
	int err = 0;

	if (!server) {
		NL_SET_ERR_MSG(ack, "no daemon serves the module: systemctl start migd");
		return -ENOTCONN;
	}
	if (job->mm == server->mm) {
		NL_SET_ERR_MSG(ack, "the daemon cannot move itself: it would wait for its own pages");
		err = -EDEADLK;
	} else if (!migd_job_served_by(job, server)) {
		NL_SET_ERR_MSG(ack, "the daemon does not serve the order state-first: choose copy-first");
		err = -EOPNOTSUPP;
	}
	if (!err && migd_job_atomic(job))
		err = check_atomic(job, server, ack);
	migd_server_put(server);
	return err;
}

static bool node_forbidden(struct migd_job *job)
{
	bool allowed;

	task_lock(job->task);
	allowed = node_isset(job->to, job->task->mems_allowed);
	task_unlock(job->task);
	return !allowed;
}

/**
 * migd_job_submit() - start a job
 * @params: what to move; checked here
 * @ret_id: id of the job
 * @ack: receives a sentence when it fails
 *
 * Context: process, in the pid namespace that params->pid is of. The caller has
 * checked the capabilities.
 * Return: 0, -ESRCH (no such process, or its pid has changed hands), -EINVAL,
 * -ENODEV, -ENXIO (node without memory), -EXDEV (outside the target's cpuset),
 * -ENOTCONN (no daemon), -EOPNOTSUPP (one that lacks the order), -EDEADLK (the
 * daemon itself), -ENOSPC (too many jobs), -ENOMEM. Of an atomic job also -E2BIG
 * (a range beyond one batch), -EOPNOTSUPP (pages that always stay), -EBUSY.
 */
int migd_job_submit(const struct migd_job_params *params, u64 *ret_id,
		    struct netlink_ext_ack *ack)
{
	struct migd_job *job;
	int err;

	err = check_params(params, ack);
	if (err)
		return err;
	if (!migd_server_present()) {
		NL_SET_ERR_MSG(ack, "no daemon serves the module: systemctl start migd");
		return -ENOTCONN;
	}

	job = job_alloc(params);
	if (!job)
		return -ENOMEM;
	err = job_target(job, ack);
	if (err)
		goto err_job;
	err = check_server(job, ack);
	if (err)
		goto err_target;
	if (node_forbidden(job)) {
		NL_SET_ERR_MSG_FMT(ack,
				   "node %d is not in the cpuset.mems of process %d: allow it there",
				   job->to, job->pid);
		err = -EXDEV;
		goto err_target;
	}

	/* The job's own; the caller's ends with the request. */
	if (!try_module_get(THIS_MODULE)) {
		NL_SET_ERR_MSG(ack, "the module is being removed: load it again");
		err = -ENOTCONN;
		goto err_target;
	}

	mutex_lock(&job_mutex);
	if (nr_active >= MAX_ACTIVE) {
		mutex_unlock(&job_mutex);
		NL_SET_ERR_MSG_FMT(ack,
				   "%d jobs run already: wait for one, or cancel it",
				   MAX_ACTIVE);
		err = -ENOSPC;
		goto err_module;
	}
	nr_active++;
	job->id = ++last_id;
	*ret_id = job->id;
	list_add_tail(&job->node, &jobs);
	kref_get(&job->ref);		/* the list's; kref_init()'s is the work's */
	mutex_unlock(&job_mutex);

	atomic64_inc(&migd_stats.jobs);
	atomic_inc(&migd_stats.jobs_active);
	trace_migd_job(job->id, job->pid, "submit", job->to);
	queue_work(migd_job_wq, &job->work);
	return 0;

err_module:
	module_put(THIS_MODULE);
err_target:
	mmdrop(job->mm);
	put_task_struct(job->task);
err_job:
	migd_job_put(job);
	return err;
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
	if (job->state == MIGD_JOB_STATE_DONE)
		err = -EALREADY;
	set_bit(MIGD_JOB_CANCEL, &job->flags);
	trace_migd_job(job->id, job->pid, "cancel", err);
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
