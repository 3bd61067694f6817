/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MIGD_NETLINK_H
#define _MIGD_NETLINK_H

#include <linux/skbuff.h>
#include <net/genetlink.h>
#include "internal.h"

/* A reply is one message: fill it and send it. */
struct migd_nl_reply {
	struct sk_buff *skb;
	void *hdr;
};

int migd_nl_reply_begin(struct migd_nl_reply *reply, struct genl_info *info);
/* Sends it, or drops it for @err. */
int migd_nl_reply_send(struct migd_nl_reply *reply, struct genl_info *info,
		       int err);

static inline int put_u64(struct sk_buff *skb, int attr, u64 value)
{
	return nla_put_u64_64bit(skb, attr, value, 0);
}

static inline u32 get_u32(struct genl_info *info, int attr, u32 otherwise)
{
	return info->attrs[attr] ? nla_get_u32(info->attrs[attr]) : otherwise;
}

int migd_nl_put_hist(struct sk_buff *skb, int attr,
		     const struct migd_hist_sum *sum);
int migd_nl_put_left(struct sk_buff *skb, int attr, const atomic64_t *left);
/* All attributes of a job, for a reply, a dump or the done event. */
int migd_nl_put_job(struct sk_buff *skb, struct migd_job *job);

#endif /* _MIGD_NETLINK_H */
