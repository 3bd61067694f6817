// SPDX-License-Identifier: GPL-2.0
/*
 * Events to the multicast group of the netlink family. Nothing is built when
 * nobody listens, and a full receiver costs the event, never the batch.
 *
 * Joining the group can't be refused (6.12 ignores what a family's bind says),
 * so each receiver is looked at instead.
 */
#include <linux/capability.h>
#include <linux/file.h>
#include <linux/jiffies.h>
#include <net/genetlink.h>
#include <net/net_namespace.h>
#include <net/sock.h>
#include "copy.h"
#include "genl.h"
#include "internal.h"
#include "netlink.h"

#define PROGRESS_INTERVAL	(HZ / 10)

/* What the end of a batch tells of: the next one must not wait for memory. */
#define GFP_END		(GFP_NOWAIT | __GFP_NOWARN)

/* No memory for it: as for a receiver that is full, who then dumps again. */
static void event_lost(struct sk_buff *skb)
{
	nlmsg_free(skb);
	genl_set_err(&migd_nl_family, &init_net, 0, MIGD_NLGRP_EVENTS, -ENOBUFS);
}

static struct sk_buff *event_begin(u8 cmd, void **ret_hdr, size_t size, gfp_t gfp)
{
	struct sk_buff *skb;

	if (!genl_has_listeners(&migd_nl_family, &init_net, MIGD_NLGRP_EVENTS))
		return NULL;
	skb = genlmsg_new(size, gfp);
	*ret_hdr = skb ? genlmsg_put(skb, 0, 0, &migd_nl_family, 0, cmd) : NULL;
	if (!*ret_hdr) {
		event_lost(skb);
		return NULL;
	}
	return skb;
}

/* Drops the event for a socket whose opener may not ask either. */
static int may_not_hear(struct sock *sk, struct sk_buff *skb, void *data)
{
	bool may = false;

	read_lock_bh(&sk->sk_callback_lock);
	if (sk->sk_socket && sk->sk_socket->file)
		may = file_ns_capable(sk->sk_socket->file, &init_user_ns,
				      CAP_SYS_NICE);
	read_unlock_bh(&sk->sk_callback_lock);
	return !may;
}

/* Context: process; the receivers' locks are taken with interrupts on. */
static void event_send(struct sk_buff *skb, void *hdr, int err, gfp_t gfp)
{
	if (err) {
		event_lost(skb);
		return;
	}
	genlmsg_end(skb, hdr);
	genlmsg_multicast_netns_filtered(&migd_nl_family, &init_net, skb, 0,
					 MIGD_NLGRP_EVENTS, gfp,
					 may_not_hear, NULL);
}

void migd_ntf_job_progress(struct migd_job *job)
{
	struct sk_buff *skb;
	void *hdr;

	if (time_before(jiffies, READ_ONCE(job->next_ntf)))
		return;
	WRITE_ONCE(job->next_ntf, jiffies + PROGRESS_INTERVAL);
	skb = event_begin(MIGD_CMD_JOB_PROGRESS_NTF, &hdr, NLMSG_DEFAULT_SIZE, GFP_END);
	if (!skb)
		return;
	event_send(skb, hdr,
		   nla_put_u64_64bit(skb, MIGD_A_JOB_ID, job->id, 0) ||
		   nla_put_u32(skb, MIGD_A_JOB_STATE, READ_ONCE(job->state)) ||
		   nla_put_u64_64bit(skb, MIGD_A_JOB_TOTAL, job->total, 0) ||
		   nla_put_u64_64bit(skb, MIGD_A_JOB_MOVED,
				     atomic64_read(&job->moved), 0) ||
		   nla_put_u32(skb, MIGD_A_JOB_PASSES, job->passes), GFP_END);
}

void migd_ntf_job_done(struct migd_job *job)
{
	struct sk_buff *skb;
	void *hdr;

	skb = event_begin(MIGD_CMD_JOB_DONE_NTF, &hdr, NLMSG_GOODSIZE, GFP_KERNEL);
	if (skb)
		event_send(skb, hdr, migd_nl_put_job(skb, job), GFP_KERNEL);
}

void migd_ntf_engine_fault(struct migd_chan *chan, int error)
{
	struct sk_buff *skb;
	void *hdr;

	skb = event_begin(MIGD_CMD_ENGINE_FAULT_NTF, &hdr, NLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!skb)
		return;
	event_send(skb, hdr,
		   nla_put_u32(skb, MIGD_A_CHANNEL_ID, chan->id) ||
		   nla_put_string(skb, MIGD_A_CHANNEL_NAME, chan->name) ||
		   nla_put_u32(skb, MIGD_A_CHANNEL_ERROR, -error), GFP_KERNEL);
}

void migd_ntf_batch_rescued(const struct migd_rescue *rescue)
{
	struct sk_buff *skb;
	void *hdr;

	skb = event_begin(MIGD_CMD_BATCH_RESCUED_NTF, &hdr, NLMSG_DEFAULT_SIZE, GFP_END);
	if (!skb)
		return;
	event_send(skb, hdr,
		   nla_put_u64_64bit(skb, MIGD_A_JOB_ID, rescue->job, 0) ||
		   nla_put_u32(skb, MIGD_A_JOB_RESCUE_CAUSE, rescue->cause) ||
		   nla_put_u64_64bit(skb, MIGD_A_JOB_RESCUED_MOVED,
				     rescue->moved, 0) ||
		   nla_put_u64_64bit(skb, MIGD_A_JOB_RESCUED_PUT_BACK,
				     rescue->put_back, 0), GFP_END);
}

void migd_ntf_quarantine(struct migd_chan *chan)
{
	struct sk_buff *skb;
	void *hdr;

	skb = event_begin(MIGD_CMD_QUARANTINE_NTF, &hdr, NLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!skb)
		return;
	event_send(skb, hdr,
		   nla_put_u32(skb, MIGD_A_CHANNEL_ID, chan->id) ||
		   nla_put_string(skb, MIGD_A_CHANNEL_NAME, chan->name) ||
		   nla_put_u64_64bit(skb, MIGD_A_CHANNEL_QUARANTINED,
				     atomic_long_read(&chan->quarantined), 0), GFP_KERNEL);
}

void migd_ntf_server_lost(pid_t pid)
{
	struct sk_buff *skb;
	void *hdr;

	skb = event_begin(MIGD_CMD_SERVER_LOST_NTF, &hdr, NLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (skb)
		event_send(skb, hdr,
			   nla_put_u32(skb, MIGD_A_FEATURES_SERVER_PID, pid), GFP_KERNEL);
}
