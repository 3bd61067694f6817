// SPDX-License-Identifier: GPL-2.0
/*
 * Control plane: the operations on jobs.
 */
#include <linux/ktime.h>
#include <linux/netlink.h>
#include <linux/numa.h>
#include <linux/slab.h>
#include <net/genetlink.h>
#include "genl.h"
#include "internal.h"
#include "netlink.h"

/* Most ranges of one job. */
#define MAX_RANGES	1024

/* The range attributes of a job-submit; the array is the caller's to free. */
static int get_ranges(struct genl_info *info, struct migd_job_params *p)
{
	struct nlattr *tb[MIGD_A_RANGE_MAX + 1];
	struct nlattr *attr;
	unsigned int n = 0;
	int rem, err;

	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rem)
		n += nla_type(attr) == MIGD_A_JOB_RANGE;
	if (!n)
		return 0;
	if (n > MAX_RANGES) {
		NL_SET_ERR_MSG_FMT(info->extack, "a job has at most %d ranges",
				   MAX_RANGES);
		return -E2BIG;
	}
	p->ranges = kcalloc(n, sizeof(*p->ranges), GFP_KERNEL);
	if (!p->ranges)
		return -ENOMEM;

	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rem) {
		if (nla_type(attr) != MIGD_A_JOB_RANGE)
			continue;
		err = nla_parse_nested(tb, MIGD_A_RANGE_MAX, attr,
				       migd_range_nl_policy, info->extack);
		if (err)
			return err;
		if (!tb[MIGD_A_RANGE_START] || !tb[MIGD_A_RANGE_END]) {
			NL_SET_ERR_MSG(info->extack, "a range needs start and end");
			return -EINVAL;
		}
		p->ranges[p->nr_ranges].start = nla_get_u64(tb[MIGD_A_RANGE_START]);
		p->ranges[p->nr_ranges++].end = nla_get_u64(tb[MIGD_A_RANGE_END]);
	}
	return 0;
}

int migd_nl_job_submit_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct migd_job_params p = {};
	struct migd_nl_reply reply;
	u64 id;
	int err;

	if (GENL_REQ_ATTR_CHECK(info, MIGD_A_JOB_PID) ||
	    GENL_REQ_ATTR_CHECK(info, MIGD_A_JOB_START_TIME) ||
	    GENL_REQ_ATTR_CHECK(info, MIGD_A_JOB_TO))
		return -EINVAL;
	p.pid = nla_get_u32(info->attrs[MIGD_A_JOB_PID]);
	p.start_time = nla_get_u64(info->attrs[MIGD_A_JOB_START_TIME]);
	p.to = nla_get_u32(info->attrs[MIGD_A_JOB_TO]);
	p.from = NUMA_NO_NODE;
	if (info->attrs[MIGD_A_JOB_FROM]) {
		p.from = nla_get_u32(info->attrs[MIGD_A_JOB_FROM]);
		if (p.from < 0) {
			NL_SET_ERR_MSG(info->extack, "there is no such source node");
			return -ENODEV;
		}
	}
	p.order = get_u32(info, MIGD_A_JOB_ORDER, MIGD_ORDER_COPY_FIRST);
	p.batch_pages = get_u32(info, MIGD_A_JOB_BATCH_PAGES, 0);
	p.deadline_us = get_u32(info, MIGD_A_JOB_DEADLINE_US, 0) ?:
		MIGD_DEADLINE_US_DEF;
	if (info->attrs[MIGD_A_JOB_MAX_RATE])
		p.max_rate = nla_get_u64(info->attrs[MIGD_A_JOB_MAX_RATE]);
	p.nice = get_u32(info, MIGD_A_JOB_NICE, 0);
	p.want = get_u32(info, MIGD_A_JOB_FLAGS, 0);

	err = get_ranges(info, &p);
	if (err)
		goto out;
	err = migd_nl_reply_begin(&reply, info);
	if (err)
		goto out;
	err = migd_job_submit(&p, &id, info->extack);
	if (!err)
		err = put_u64(reply.skb, MIGD_A_JOB_ID, id);
	err = migd_nl_reply_send(&reply, info, err);
out:
	kfree(p.ranges);
	return err;
}

static int say_no_job(struct genl_info *info, int err)
{
	if (err == -ENOENT)
		NL_SET_ERR_MSG(info->extack, "there is no job of this id");
	else if (err == -EALREADY)
		NL_SET_ERR_MSG(info->extack, "the job has ended already");
	return err;
}

int migd_nl_job_cancel_doit(struct sk_buff *skb, struct genl_info *info)
{
	if (GENL_REQ_ATTR_CHECK(info, MIGD_A_JOB_ID))
		return -EINVAL;
	return say_no_job(info, migd_job_cancel(nla_get_u64(info->attrs[MIGD_A_JOB_ID])));
}

int migd_nl_job_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *deadline = info->attrs[MIGD_A_JOB_DEADLINE_US];
	struct nlattr *rate = info->attrs[MIGD_A_JOB_MAX_RATE];
	struct nlattr *paused = info->attrs[MIGD_A_JOB_PAUSED];
	struct nlattr *nice = info->attrs[MIGD_A_JOB_NICE];
	struct migd_job_change change = {
		.has_deadline = deadline,
		.has_rate = rate,
		.has_paused = paused,
		.has_nice = nice,
	};

	if (GENL_REQ_ATTR_CHECK(info, MIGD_A_JOB_ID))
		return -EINVAL;
	if (deadline) {
		change.deadline_us = nla_get_u32(deadline);
		if (migd_check_deadline(change.deadline_us, info->extack))
			return -EINVAL;
	}
	if (rate)
		change.max_rate = nla_get_u64(rate);
	if (paused)
		change.paused = nla_get_u32(paused);
	if (nice)
		change.nice = nla_get_u32(nice);
	return say_no_job(info, migd_job_set(nla_get_u64(info->attrs[MIGD_A_JOB_ID]), &change));
}

/* Also the body of a done event. */
int migd_nl_put_job(struct sk_buff *skb, struct migd_job *job)
{
	static const int attrs[MIGD_PHASES] = {
		MIGD_A_JOB_LOCK, MIGD_A_JOB_COPY, MIGD_A_JOB_COMMIT,
		MIGD_A_JOB_BLACKOUT,
	};
	struct migd_hist_sum sum;
	enum migd_phase phase;
	/* Before anything that job_done() sets before it. */
	u32 state = smp_load_acquire(&job->state);
	u64 end = job->t_end ?: ktime_get_boottime_ns();

	if (put_u64(skb, MIGD_A_JOB_ID, job->id) ||
	    nla_put_u32(skb, MIGD_A_JOB_PID, job->pid) ||
	    put_u64(skb, MIGD_A_JOB_START_TIME, job->start_time) ||
	    nla_put_u32(skb, MIGD_A_JOB_TO, job->to) ||
	    nla_put_u32(skb, MIGD_A_JOB_ORDER, job->order) ||
	    nla_put_u32(skb, MIGD_A_JOB_BATCH_PAGES, job->batch_pages) ||
	    nla_put_u32(skb, MIGD_A_JOB_DEADLINE_US, READ_ONCE(job->deadline_us)) ||
	    put_u64(skb, MIGD_A_JOB_MAX_RATE, READ_ONCE(job->max_rate)) ||
	    nla_put_u32(skb, MIGD_A_JOB_PAUSED, READ_ONCE(job->paused)) ||
	    nla_put_u32(skb, MIGD_A_JOB_NICE, READ_ONCE(job->nice)) ||
	    nla_put_u32(skb, MIGD_A_JOB_STATE, state) ||
	    nla_put_u32(skb, MIGD_A_JOB_OUTCOME, READ_ONCE(job->outcome)) ||
	    nla_put_string(skb, MIGD_A_JOB_COMM, job->comm) ||
	    put_u64(skb, MIGD_A_JOB_TOTAL, READ_ONCE(job->total)) ||
	    put_u64(skb, MIGD_A_JOB_MOVED, atomic64_read(&job->moved)) ||
	    migd_nl_put_left(skb, MIGD_A_JOB_LEFT, job->left) ||
	    put_u64(skb, MIGD_A_JOB_BATCHES, atomic64_read(&job->batches)) ||
	    put_u64(skb, MIGD_A_JOB_RESCUED, atomic64_read(&job->rescued)) ||
	    nla_put_u32(skb, MIGD_A_JOB_PASSES, READ_ONCE(job->passes)) ||
	    put_u64(skb, MIGD_A_JOB_SUBMITTED_NS, job->t_submit) ||
	    put_u64(skb, MIGD_A_JOB_ELAPSED_NS, end - job->t_submit) ||
	    nla_put_u32(skb, MIGD_A_JOB_FLAGS, job->want) ||
	    put_u64(skb, MIGD_A_JOB_ROUTED, atomic64_read(&job->route.moved)) ||
	    put_u64(skb, MIGD_A_JOB_WORK_NS, atomic64_read(&job->work_ns)))
		return -EMSGSIZE;
	if (job->from != NUMA_NO_NODE &&
	    nla_put_u32(skb, MIGD_A_JOB_FROM, job->from))
		return -EMSGSIZE;
	for (phase = 0; phase < MIGD_PHASES; phase++) {
		migd_job_hist(job, phase, &sum);
		if (migd_nl_put_hist(skb, attrs[phase], &sum))
			return -EMSGSIZE;
	}
	return 0;
}

int migd_nl_job_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct migd_job *job;
	struct migd_nl_reply reply;
	int err;

	if (GENL_REQ_ATTR_CHECK(info, MIGD_A_JOB_ID))
		return -EINVAL;
	job = migd_job_find(nla_get_u64(info->attrs[MIGD_A_JOB_ID]));
	if (!job) {
		NL_SET_ERR_MSG(info->extack, "there is no job of this id");
		return -ENOENT;
	}
	err = migd_nl_reply_begin(&reply, info);
	if (!err)
		err = migd_nl_reply_send(&reply, info, migd_nl_put_job(reply.skb, job));
	migd_job_put(job);
	return err;
}

int migd_nl_job_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	const struct genl_info *info = genl_info_dump(cb);
	struct migd_job *job;
	void *hdr;
	int err;

	/* args[0]: id of the last job that fitted. */
	while ((job = migd_job_next(cb->args[0]))) {
		hdr = genlmsg_iput(skb, info);
		err = hdr ? migd_nl_put_job(skb, job) : -EMSGSIZE;
		if (err) {
			if (hdr)
				genlmsg_cancel(skb, hdr);
			migd_job_put(job);
			return skb->len ?: err;
		}
		genlmsg_end(skb, hdr);
		cb->args[0] = job->id;
		migd_job_put(job);
	}
	return skb->len;
}
