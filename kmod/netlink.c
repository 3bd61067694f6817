// SPDX-License-Identifier: GPL-2.0
/*
 * Control plane: the operations of the generic netlink family. Events are in
 * event.c, the policies and the table in genl.c, which is generated.
 *
 * Permission is checked in the operations themselves: genl's admin-perm is
 * CAP_NET_ADMIN, which has nothing to do with moving pages. netlink_capable()
 * asks for the initial user namespace, of the sender and of the socket's opener.
 */
#include <linux/capability.h>
#include <linux/ktime.h>
#include <linux/netlink.h>
#include <linux/numa.h>
#include <linux/slab.h>
#include <net/genetlink.h>
#include <net/sock.h>
#include "copy.h"
#include "genl.h"
#include "internal.h"
#include "netlink.h"

/* Most ranges of one job. */
#define MAX_RANGES	1024

int migd_nl_pre_query(const struct genl_split_ops *ops, struct sk_buff *skb,
		      struct genl_info *info)
{
	if (netlink_capable(skb, CAP_SYS_NICE))
		return 0;
	NL_SET_ERR_MSG(info->extack, "asking migd needs CAP_SYS_NICE");
	return -EPERM;
}

int migd_nl_pre_admin(const struct genl_split_ops *ops, struct sk_buff *skb,
		      struct genl_info *info)
{
	if (netlink_capable(skb, CAP_SYS_NICE) &&
	    netlink_capable(skb, CAP_SYS_PTRACE))
		return 0;
	NL_SET_ERR_MSG(info->extack,
		       "moving another process's memory needs CAP_SYS_NICE and CAP_SYS_PTRACE");
	return -EPERM;
}

int migd_nl_dump_start(struct netlink_callback *cb)
{
	if (netlink_capable(cb->skb, CAP_SYS_NICE))
		return 0;
	NL_SET_ERR_MSG(cb->extack, "asking migd needs CAP_SYS_NICE");
	return -EPERM;
}

/* A reply is one message: fill it and send it. */
struct reply {
	struct sk_buff *skb;
	void *hdr;
};

static int reply_begin(struct reply *reply, struct genl_info *info)
{
	reply->skb = genlmsg_new(NLMSG_GOODSIZE, GFP_KERNEL);
	if (!reply->skb)
		return -ENOMEM;
	reply->hdr = genlmsg_iput(reply->skb, info);
	if (!reply->hdr) {
		nlmsg_free(reply->skb);
		return -EMSGSIZE;
	}
	return 0;
}

static int reply_send(struct reply *reply, struct genl_info *info, int err)
{
	if (err) {
		nlmsg_free(reply->skb);
		return err;
	}
	genlmsg_end(reply->skb, reply->hdr);
	return genlmsg_reply(reply->skb, info);
}

static int put_u64(struct sk_buff *skb, int attr, u64 value)
{
	return nla_put_u64_64bit(skb, attr, value, 0);
}

static int put_hist(struct sk_buff *skb, int attr,
		    const struct migd_hist_sum *sum)
{
	struct nlattr *nest = nla_nest_start(skb, attr);

	if (!nest || put_u64(skb, MIGD_A_HIST_COUNT, sum->count) ||
	    put_u64(skb, MIGD_A_HIST_SUM, sum->sum) ||
	    put_u64(skb, MIGD_A_HIST_P50, sum->p50) ||
	    put_u64(skb, MIGD_A_HIST_P90, sum->p90) ||
	    put_u64(skb, MIGD_A_HIST_P99, sum->p99) ||
	    put_u64(skb, MIGD_A_HIST_LARGEST, sum->max))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_left(struct sk_buff *skb, int attr, const atomic64_t *left)
{
	struct nlattr *nest;
	unsigned int r;
	u64 pages;

	for (r = 0; r < MIGD_REASONS; r++) {
		pages = atomic64_read(&left[r]);
		if (!pages)
			continue;
		nest = nla_nest_start(skb, attr);
		if (!nest || nla_put_u32(skb, MIGD_A_LEFT_REASON, r) ||
		    put_u64(skb, MIGD_A_LEFT_PAGES, pages))
			return -EMSGSIZE;
		nla_nest_end(skb, nest);
	}
	return 0;
}

int migd_nl_features_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct migd_server *server = migd_server_get();
	struct reply reply;
	int err;

	err = reply_begin(&reply, info);
	if (err)
		goto out;
	if (nla_put_string(reply.skb, MIGD_A_FEATURES_VERSION, MIGD_VERSION) ||
	    nla_put_u32(reply.skb, MIGD_A_FEATURES_ABI_VERSION, MIGD_ABI_VERSION) ||
	    put_u64(reply.skb, MIGD_A_FEATURES_FEATURES, MIGD_FEATURES) ||
	    nla_put_u32(reply.skb, MIGD_A_FEATURES_MAX_BATCH_PAGES,
			MIGD_MAX_BATCH_PAGES) ||
	    nla_put_u32(reply.skb, MIGD_A_FEATURES_GRACE_MS, MIGD_GRACE_MS) ||
	    (server && nla_put_u32(reply.skb, MIGD_A_FEATURES_SERVER_PID,
				   server->pid)))
		err = -EMSGSIZE;
	err = reply_send(&reply, info, err);
out:
	if (server)
		migd_server_put(server);
	return err;
}

static int put_channel(struct sk_buff *skb, struct migd_chan *chan)
{
	struct migd_hist_sum *sum;
	u32 state = MIGD_CHANNEL_STATE_READY;
	int err = 0;

	if (READ_ONCE(chan->leaving))
		state = MIGD_CHANNEL_STATE_LEAVING;
	else if (READ_ONCE(chan->disabled))
		state = MIGD_CHANNEL_STATE_DISABLED;
	else if (migd_chan_quarantined(chan))
		state = MIGD_CHANNEL_STATE_QUARANTINED;
	else if (READ_ONCE(chan->faulted))
		state = MIGD_CHANNEL_STATE_FAULTED;

	if (nla_put_u32(skb, MIGD_A_CHANNEL_ID, chan->id) ||
	    nla_put_string(skb, MIGD_A_CHANNEL_NAME, chan->name) ||
	    nla_put_u32(skb, MIGD_A_CHANNEL_STATE, state) ||
	    put_u64(skb, MIGD_A_CHANNEL_COPIES, atomic64_read(&chan->copies)) ||
	    put_u64(skb, MIGD_A_CHANNEL_PAGES, atomic64_read(&chan->pages)) ||
	    put_u64(skb, MIGD_A_CHANNEL_BYTES, atomic64_read(&chan->bytes)) ||
	    put_u64(skb, MIGD_A_CHANNEL_ERRORS, atomic64_read(&chan->errors)) ||
	    nla_put_u32(skb, MIGD_A_CHANNEL_IN_FLIGHT,
			atomic_read(&chan->in_flight)) ||
	    put_u64(skb, MIGD_A_CHANNEL_QUARANTINED,
		    atomic_long_read(&chan->quarantined)))
		return -EMSGSIZE;
	if (chan->device_name &&
	    (nla_put_string(skb, MIGD_A_CHANNEL_DEVICE, chan->device_name) ||
	     nla_put_string(skb, MIGD_A_CHANNEL_DRIVER, chan->driver_name)))
		return -EMSGSIZE;
	if (chan->node != NUMA_NO_NODE &&
	    nla_put_u32(skb, MIGD_A_CHANNEL_NODE, chan->node))
		return -EMSGSIZE;

	sum = kmalloc(sizeof(*sum), GFP_KERNEL);
	if (!sum)
		return -ENOMEM;
	migd_hist_sum(&chan->copy, sum);
	err = put_hist(skb, MIGD_A_CHANNEL_COPY, sum);
	kfree(sum);
	return err;
}

int migd_nl_channel_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	const struct genl_info *info = genl_info_dump(cb);
	unsigned long id = cb->args[0];
	struct migd_chan *chan;
	void *hdr;
	int err = 0;

	/* args[1]: the CPU, which comes first, is out. */
	mutex_lock(&migd_chan_mutex);
	for (;;) {
		chan = cb->args[1] ? migd_chan_next(&id) : &migd_cpu;
		if (!chan)
			break;
		hdr = genlmsg_iput(skb, info);
		err = hdr ? put_channel(skb, chan) : -EMSGSIZE;
		if (err) {
			if (hdr)
				genlmsg_cancel(skb, hdr);
			break;
		}
		genlmsg_end(skb, hdr);
		if (cb->args[1])
			id++;
		cb->args[1] = 1;
		cb->args[0] = id;
	}
	mutex_unlock(&migd_chan_mutex);
	return err == -EMSGSIZE && skb->len ? skb->len : err ?: skb->len;
}

int migd_nl_channel_claim_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct migd_chan *chan;
	struct reply reply;
	int err;

	if (GENL_REQ_ATTR_CHECK(info, MIGD_A_CHANNEL_NAME))
		return -EINVAL;
	err = reply_begin(&reply, info);
	if (err)
		return err;

	mutex_lock(&migd_chan_mutex);
	chan = migd_chan_claim(nla_data(info->attrs[MIGD_A_CHANNEL_NAME]),
			       info->extack);
	if (IS_ERR(chan))
		err = PTR_ERR(chan);
	else if (nla_put_u32(reply.skb, MIGD_A_CHANNEL_ID, chan->id) ||
		 nla_put_string(reply.skb, MIGD_A_CHANNEL_NAME, chan->name))
		err = -EMSGSIZE;
	mutex_unlock(&migd_chan_mutex);
	return reply_send(&reply, info, err);
}

int migd_nl_channel_release_doit(struct sk_buff *skb, struct genl_info *info)
{
	int err;

	if (GENL_REQ_ATTR_CHECK(info, MIGD_A_CHANNEL_ID))
		return -EINVAL;
	mutex_lock(&migd_chan_mutex);
	err = migd_chan_release(nla_get_u32(info->attrs[MIGD_A_CHANNEL_ID]),
				info->extack);
	mutex_unlock(&migd_chan_mutex);
	return err;
}

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

static u32 get_u32(struct genl_info *info, int attr, u32 otherwise)
{
	return info->attrs[attr] ? nla_get_u32(info->attrs[attr]) : otherwise;
}

int migd_nl_job_submit_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct migd_job_params p = {};
	struct reply reply;
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

	p.want = get_u32(info, MIGD_A_JOB_FLAGS, 0);

	err = get_ranges(info, &p);
	if (err)
		goto out;
	err = reply_begin(&reply, info);
	if (err)
		goto out;
	err = migd_job_submit(&p, &id, info->extack);
	if (!err)
		err = put_u64(reply.skb, MIGD_A_JOB_ID, id);
	err = reply_send(&reply, info, err);
out:
	kfree(p.ranges);
	return err;
}

int migd_nl_job_cancel_doit(struct sk_buff *skb, struct genl_info *info)
{
	int err;

	if (GENL_REQ_ATTR_CHECK(info, MIGD_A_JOB_ID))
		return -EINVAL;
	err = migd_job_cancel(nla_get_u64(info->attrs[MIGD_A_JOB_ID]));
	if (err == -ENOENT)
		NL_SET_ERR_MSG(info->extack, "there is no job of this id");
	else if (err == -EALREADY)
		NL_SET_ERR_MSG(info->extack, "the job has ended already");
	return err;
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
	u64 end = job->t_end ?: ktime_get_boottime_ns();

	if (put_u64(skb, MIGD_A_JOB_ID, job->id) ||
	    nla_put_u32(skb, MIGD_A_JOB_PID, job->pid) ||
	    put_u64(skb, MIGD_A_JOB_START_TIME, job->start_time) ||
	    nla_put_u32(skb, MIGD_A_JOB_TO, job->to) ||
	    nla_put_u32(skb, MIGD_A_JOB_ORDER, job->order) ||
	    nla_put_u32(skb, MIGD_A_JOB_BATCH_PAGES, job->batch_pages) ||
	    nla_put_u32(skb, MIGD_A_JOB_DEADLINE_US, job->deadline_us) ||
	    put_u64(skb, MIGD_A_JOB_MAX_RATE, job->max_rate) ||
	    nla_put_u32(skb, MIGD_A_JOB_STATE, READ_ONCE(job->state)) ||
	    nla_put_u32(skb, MIGD_A_JOB_OUTCOME, READ_ONCE(job->outcome)) ||
	    nla_put_string(skb, MIGD_A_JOB_COMM, job->comm) ||
	    put_u64(skb, MIGD_A_JOB_TOTAL, READ_ONCE(job->total)) ||
	    put_u64(skb, MIGD_A_JOB_MOVED, atomic64_read(&job->moved)) ||
	    put_left(skb, MIGD_A_JOB_LEFT, job->left) ||
	    put_u64(skb, MIGD_A_JOB_BATCHES, atomic64_read(&job->batches)) ||
	    put_u64(skb, MIGD_A_JOB_RESCUED, atomic64_read(&job->rescued)) ||
	    nla_put_u32(skb, MIGD_A_JOB_PASSES, READ_ONCE(job->passes)) ||
	    put_u64(skb, MIGD_A_JOB_SUBMITTED_NS, job->t_submit) ||
	    put_u64(skb, MIGD_A_JOB_ELAPSED_NS, end - job->t_submit) ||
	    nla_put_u32(skb, MIGD_A_JOB_FLAGS, job->want) ||
	    put_u64(skb, MIGD_A_JOB_ROUTED, atomic64_read(&job->route.moved)))
		return -EMSGSIZE;
	if (job->from != NUMA_NO_NODE &&
	    nla_put_u32(skb, MIGD_A_JOB_FROM, job->from))
		return -EMSGSIZE;
	for (phase = 0; phase < MIGD_PHASES; phase++) {
		migd_job_hist(job, phase, &sum);
		if (put_hist(skb, attrs[phase], &sum))
			return -EMSGSIZE;
	}
	return 0;
}

int migd_nl_job_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct migd_job *job;
	struct reply reply;
	int err;

	if (GENL_REQ_ATTR_CHECK(info, MIGD_A_JOB_ID))
		return -EINVAL;
	job = migd_job_find(nla_get_u64(info->attrs[MIGD_A_JOB_ID]));
	if (!job) {
		NL_SET_ERR_MSG(info->extack, "there is no job of this id");
		return -ENOENT;
	}
	err = reply_begin(&reply, info);
	if (!err)
		err = reply_send(&reply, info, migd_nl_put_job(reply.skb, job));
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

int migd_nl_stats_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	static const int attrs[MIGD_PHASES] = {
		MIGD_A_STATS_LOCK, MIGD_A_STATS_COPY, MIGD_A_STATS_COMMIT,
		MIGD_A_STATS_BLACKOUT,
	};
	const struct migd_stats *s = &migd_stats;
	struct migd_hist_sum sum;
	enum migd_phase phase;
	struct reply reply;
	int err;

	err = reply_begin(&reply, info);
	if (err)
		return err;
	if (put_u64(reply.skb, MIGD_A_STATS_JOBS, atomic64_read(&s->jobs)) ||
	    nla_put_u32(reply.skb, MIGD_A_STATS_JOBS_ACTIVE,
			atomic_read(&s->jobs_active)) ||
	    put_u64(reply.skb, MIGD_A_STATS_BATCHES, atomic64_read(&s->batches)) ||
	    put_u64(reply.skb, MIGD_A_STATS_MOVED, atomic64_read(&s->moved)) ||
	    put_left(reply.skb, MIGD_A_STATS_LEFT, s->left) ||
	    put_u64(reply.skb, MIGD_A_STATS_RESCUED_DEADLINE,
		    atomic64_read(&s->rescued[MIGD_RESCUE_CAUSE_DEADLINE])) ||
	    put_u64(reply.skb, MIGD_A_STATS_RESCUED_SERVER,
		    atomic64_read(&s->rescued[MIGD_RESCUE_CAUSE_SERVER_LOST])) ||
	    put_u64(reply.skb, MIGD_A_STATS_LATE, atomic64_read(&s->late)) ||
	    put_u64(reply.skb, MIGD_A_STATS_UNDONE, atomic64_read(&s->undone)) ||
	    put_u64(reply.skb, MIGD_A_STATS_VERIFY_FAILED,
		    atomic64_read(&s->verify_failed)) ||
	    put_u64(reply.skb, MIGD_A_STATS_LOCKED_PAGES,
		    atomic_long_read(&s->locked_pages)) ||
	    put_u64(reply.skb, MIGD_A_STATS_QUARANTINED_PAGES,
		    atomic_long_read(&s->quarantined_pages)) ||
	    put_u64(reply.skb, MIGD_A_STATS_QUARANTINED_TOTAL,
		    atomic64_read(&s->quarantined_total)))
		err = -EMSGSIZE;
	for (phase = 0; phase < MIGD_PHASES && !err; phase++) {
		migd_hist_sum(&s->hists.phase[phase], &sum);
		err = put_hist(reply.skb, attrs[phase], &sum);
	}
	return reply_send(&reply, info, err);
}

int migd_nl_config_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct reply reply;
	int err;

	err = reply_begin(&reply, info);
	if (err)
		return err;
	if (nla_put_u32(reply.skb, MIGD_A_CONFIG_MAX_LOCKED_PAGES,
			READ_ONCE(migd_max_locked_pages)) ||
	    nla_put_u32(reply.skb, MIGD_A_CONFIG_SERVER_WAIT_MS,
			READ_ONCE(migd_server_wait_ms)))
		err = -EMSGSIZE;
	return reply_send(&reply, info, err);
}

int migd_nl_config_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	u32 pages = get_u32(info, MIGD_A_CONFIG_MAX_LOCKED_PAGES,
			    migd_max_locked_pages);

	if (!pages) {
		NL_SET_ERR_MSG(info->extack, "max-locked-pages must be at least 1");
		return -EINVAL;
	}
	WRITE_ONCE(migd_max_locked_pages, pages);
	WRITE_ONCE(migd_server_wait_ms,
		   get_u32(info, MIGD_A_CONFIG_SERVER_WAIT_MS,
			   migd_server_wait_ms));
	wake_up_all(&migd_wait);
	return 0;
}

int migd_netlink_init(void)
{
	return genl_register_family(&migd_nl_family);
}

void migd_netlink_exit(void)
{
	genl_unregister_family(&migd_nl_family);
}
