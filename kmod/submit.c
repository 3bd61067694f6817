// SPDX-License-Identifier: GPL-2.0
/*
 * The way into a job: who may be moved where. What can't be is refused with a
 * sentence before anything is touched.
 */
#include <linux/math64.h>
#include <linux/netlink.h>
#include <linux/nodemask.h>
#include <linux/pid.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include "internal.h"
#include "survey.h"

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

static int by_start(const void *a, const void *b)
{
	const struct migd_range *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

/* A page in two ranges would be counted twice, and moved once. */
static int check_overlap(const struct migd_job_params *p,
			 struct netlink_ext_ack *ack)
{
	struct migd_range *sorted;
	unsigned int r;
	int err = 0;

	if (p->nr_ranges < 2)
		return 0;
	sorted = kmemdup_array(p->ranges, p->nr_ranges, sizeof(*sorted),
			       GFP_KERNEL);
	if (!sorted)
		return -ENOMEM;
	sort(sorted, p->nr_ranges, sizeof(*sorted), by_start, NULL);
	for (r = 1; r < p->nr_ranges && !err; r++)
		if (sorted[r].start < sorted[r - 1].end)
			err = -EINVAL;
	if (err)
		NL_SET_ERR_MSG(ack, "two ranges overlap: name each page once");
	kfree(sorted);
	return err;
}

int migd_check_deadline(u32 us, struct netlink_ext_ack *ack)
{
	if (us >= MIGD_DEADLINE_US_MIN && us <= MIGD_DEADLINE_US_MAX)
		return 0;
	NL_SET_ERR_MSG_FMT(ack, "the deadline must be between %d us and %ld us",
			   MIGD_DEADLINE_US_MIN, MIGD_DEADLINE_US_MAX);
	return -EINVAL;
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
	if (migd_check_deadline(p->deadline_us, ack))
		return -EINVAL;
	for (r = 0; r < p->nr_ranges; r++) {
		if (!PAGE_ALIGNED(p->ranges[r].start) ||
		    !PAGE_ALIGNED(p->ranges[r].end) ||
		    p->ranges[r].start >= p->ranges[r].end ||
		    p->ranges[r].end > TASK_SIZE_MAX) {
			NL_SET_ERR_MSG(ack, "a range must be page aligned, not empty and in user space");
			return -EINVAL;
		}
	}
	return check_overlap(p, ack);
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

	job = migd_job_alloc(params);
	if (!job)
		return -ENOMEM;
	err = job_target(job, ack);
	if (err)
		goto err_job;
	err = check_server(job, ack);
	if (err)
		goto err_target;
	if (!migd_job_node_allowed(job)) {
		NL_SET_ERR_MSG_FMT(ack,
				   "node %d is not in the cpuset.mems of process %d: allow it there",
				   job->to, job->pid);
		err = -EXDEV;
		goto err_target;
	}

	err = migd_job_start(job, ret_id, ack);
	if (!err)
		return 0;

err_target:
	mmdrop(job->mm);
	put_task_struct(job->task);
err_job:
	migd_job_put(job);
	return err;
}
