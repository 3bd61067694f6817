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

int migd_nl_reply_begin(struct migd_nl_reply *reply, struct genl_info *info)
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

int migd_nl_reply_send(struct migd_nl_reply *reply, struct genl_info *info, int err)
{
	if (err) {
		nlmsg_free(reply->skb);
		return err;
	}
	genlmsg_end(reply->skb, reply->hdr);
	return genlmsg_reply(reply->skb, info);
}

int migd_nl_put_hist(struct sk_buff *skb, int attr,
		     const struct migd_hist_sum *sum)
{
	struct nlattr *nest = nla_nest_start(skb, attr);

	if (!nest || put_u64(skb, MIGD_A_HIST_COUNT, sum->count) ||
	    put_u64(skb, MIGD_A_HIST_SUM, sum->sum) ||
	    put_u64(skb, MIGD_A_HIST_P50, sum->p50) ||
	    put_u64(skb, MIGD_A_HIST_P90, sum->p90) ||
	    put_u64(skb, MIGD_A_HIST_P99, sum->p99) ||
	    put_u64(skb, MIGD_A_HIST_LARGEST, sum->max) ||
	    put_u64(skb, MIGD_A_HIST_P999, sum->p999))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

int migd_nl_put_left(struct sk_buff *skb, int attr, const atomic64_t *left)
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
	struct migd_nl_reply reply;
	int err;

	err = migd_nl_reply_begin(&reply, info);
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
	err = migd_nl_reply_send(&reply, info, err);
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
	err = migd_nl_put_hist(skb, MIGD_A_CHANNEL_COPY, sum);
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
	struct migd_nl_reply reply;
	int err;

	if (GENL_REQ_ATTR_CHECK(info, MIGD_A_CHANNEL_NAME))
		return -EINVAL;
	err = migd_nl_reply_begin(&reply, info);
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
	return migd_nl_reply_send(&reply, info, err);
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

int migd_nl_stats_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	static const int attrs[MIGD_PHASES] = {
		MIGD_A_STATS_LOCK, MIGD_A_STATS_COPY, MIGD_A_STATS_COMMIT,
		MIGD_A_STATS_BLACKOUT,
	};
	const struct migd_stats *s = &migd_stats;
	struct migd_hist_sum sum;
	enum migd_phase phase;
	struct migd_nl_reply reply;
	int err;

	err = migd_nl_reply_begin(&reply, info);
	if (err)
		return err;
	if (put_u64(reply.skb, MIGD_A_STATS_JOBS, atomic64_read(&s->jobs)) ||
	    nla_put_u32(reply.skb, MIGD_A_STATS_JOBS_ACTIVE,
			atomic_read(&s->jobs_active)) ||
	    put_u64(reply.skb, MIGD_A_STATS_BATCHES, atomic64_read(&s->batches)) ||
	    put_u64(reply.skb, MIGD_A_STATS_MOVED, atomic64_read(&s->moved)) ||
	    migd_nl_put_left(reply.skb, MIGD_A_STATS_LEFT, s->left) ||
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
		err = migd_nl_put_hist(reply.skb, attrs[phase], &sum);
	}
	return migd_nl_reply_send(&reply, info, err);
}

int migd_nl_config_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct migd_nl_reply reply;
	int err;

	err = migd_nl_reply_begin(&reply, info);
	if (err)
		return err;
	if (nla_put_u32(reply.skb, MIGD_A_CONFIG_MAX_LOCKED_PAGES,
			READ_ONCE(migd_max_locked_pages)) ||
	    nla_put_u32(reply.skb, MIGD_A_CONFIG_SERVER_WAIT_MS,
			READ_ONCE(migd_server_wait_ms)) ||
	    nla_put_u32(reply.skb, MIGD_A_CONFIG_NICE, READ_ONCE(migd_nice)))
		err = -EMSGSIZE;
	return migd_nl_reply_send(&reply, info, err);
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
	WRITE_ONCE(migd_nice, get_u32(info, MIGD_A_CONFIG_NICE, migd_nice));
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
