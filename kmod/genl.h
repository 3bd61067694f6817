/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	uapi/specs/migd.yaml */
/* YNL-GEN kernel header */

#ifndef _LINUX_MIGD_GEN_H
#define _LINUX_MIGD_GEN_H

#include <net/netlink.h>
#include <net/genetlink.h>

#include <uapi/linux/migd_netlink.h>

/* Common nested types */
extern const struct nla_policy migd_left_nl_policy[MIGD_A_LEFT_PAGES + 1];
extern const struct nla_policy migd_range_nl_policy[MIGD_A_RANGE_END + 1];

int migd_nl_pre_query(const struct genl_split_ops *ops, struct sk_buff *skb,
		      struct genl_info *info);
int migd_nl_pre_admin(const struct genl_split_ops *ops, struct sk_buff *skb,
		      struct genl_info *info);
int migd_nl_dump_start(struct netlink_callback *cb);

int migd_nl_features_get_doit(struct sk_buff *skb, struct genl_info *info);
int migd_nl_channel_get_dumpit(struct sk_buff *skb,
			       struct netlink_callback *cb);
int migd_nl_channel_claim_doit(struct sk_buff *skb, struct genl_info *info);
int migd_nl_channel_release_doit(struct sk_buff *skb, struct genl_info *info);
int migd_nl_job_submit_doit(struct sk_buff *skb, struct genl_info *info);
int migd_nl_job_cancel_doit(struct sk_buff *skb, struct genl_info *info);
int migd_nl_job_get_doit(struct sk_buff *skb, struct genl_info *info);
int migd_nl_job_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int migd_nl_stats_get_doit(struct sk_buff *skb, struct genl_info *info);
int migd_nl_config_get_doit(struct sk_buff *skb, struct genl_info *info);
int migd_nl_config_set_doit(struct sk_buff *skb, struct genl_info *info);
int migd_nl_job_large_get_doit(struct sk_buff *skb, struct genl_info *info);
int migd_nl_job_routed_doit(struct sk_buff *skb, struct genl_info *info);
int migd_nl_job_set_doit(struct sk_buff *skb, struct genl_info *info);

enum {
	MIGD_NLGRP_EVENTS,
};

extern struct genl_family migd_nl_family;

#endif /* _LINUX_MIGD_GEN_H */
