// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Do not edit directly, auto-generated from: */
/*	uapi/specs/migd.yaml */
/* YNL-GEN kernel source */

#include <net/netlink.h>
#include <net/genetlink.h>

#include "genl.h"

#include <uapi/linux/migd_netlink.h>

/* Common nested types */
const struct nla_policy migd_left_nl_policy[MIGD_A_LEFT_PAGES + 1] = {
	[MIGD_A_LEFT_REASON] = NLA_POLICY_MAX(NLA_U32, 18),
	[MIGD_A_LEFT_PAGES] = { .type = NLA_U64, },
};

const struct nla_policy migd_range_nl_policy[MIGD_A_RANGE_END + 1] = {
	[MIGD_A_RANGE_START] = { .type = NLA_U64, },
	[MIGD_A_RANGE_END] = { .type = NLA_U64, },
};

/* MIGD_CMD_CHANNEL_CLAIM - do */
static const struct nla_policy migd_channel_claim_nl_policy[MIGD_A_CHANNEL_NAME + 1] = {
	[MIGD_A_CHANNEL_NAME] = { .type = NLA_NUL_STRING, },
};

/* MIGD_CMD_CHANNEL_RELEASE - do */
static const struct nla_policy migd_channel_release_nl_policy[MIGD_A_CHANNEL_ID + 1] = {
	[MIGD_A_CHANNEL_ID] = { .type = NLA_U32, },
};

/* MIGD_CMD_JOB_SUBMIT - do */
static const struct nla_policy migd_job_submit_nl_policy[MIGD_A_JOB_NICE + 1] = {
	[MIGD_A_JOB_PID] = { .type = NLA_U32, },
	[MIGD_A_JOB_START_TIME] = { .type = NLA_U64, },
	[MIGD_A_JOB_FROM] = { .type = NLA_U32, },
	[MIGD_A_JOB_TO] = { .type = NLA_U32, },
	[MIGD_A_JOB_ORDER] = NLA_POLICY_MAX(NLA_U32, 1),
	[MIGD_A_JOB_BATCH_PAGES] = { .type = NLA_U32, },
	[MIGD_A_JOB_DEADLINE_US] = { .type = NLA_U32, },
	[MIGD_A_JOB_MAX_RATE] = { .type = NLA_U64, },
	[MIGD_A_JOB_RANGE] = NLA_POLICY_NESTED(migd_range_nl_policy),
	[MIGD_A_JOB_FLAGS] = NLA_POLICY_MASK(NLA_U32, 0x7),
	[MIGD_A_JOB_NICE] = NLA_POLICY_MAX(NLA_U32, 19),
};

/* MIGD_CMD_JOB_CANCEL - do */
static const struct nla_policy migd_job_cancel_nl_policy[MIGD_A_JOB_ID + 1] = {
	[MIGD_A_JOB_ID] = { .type = NLA_U64, },
};

/* MIGD_CMD_JOB_GET - do */
static const struct nla_policy migd_job_get_nl_policy[MIGD_A_JOB_ID + 1] = {
	[MIGD_A_JOB_ID] = { .type = NLA_U64, },
};

/* MIGD_CMD_CONFIG_SET - do */
static const struct nla_policy migd_config_set_nl_policy[MIGD_A_CONFIG_NICE + 1] = {
	[MIGD_A_CONFIG_MAX_LOCKED_PAGES] = { .type = NLA_U32, },
	[MIGD_A_CONFIG_SERVER_WAIT_MS] = { .type = NLA_U32, },
	[MIGD_A_CONFIG_NICE] = NLA_POLICY_MAX(NLA_U32, 19),
};

/* MIGD_CMD_JOB_LARGE_GET - do */
static const struct nla_policy migd_job_large_get_nl_policy[MIGD_A_JOB_LARGE_FROM + 1] = {
	[MIGD_A_JOB_ID] = { .type = NLA_U64, },
	[MIGD_A_JOB_LARGE_FROM] = { .type = NLA_U64, },
};

/* MIGD_CMD_JOB_ROUTED - do */
static const struct nla_policy migd_job_routed_nl_policy[MIGD_A_JOB_ROUTED_ALL + 1] = {
	[MIGD_A_JOB_ID] = { .type = NLA_U64, },
	[MIGD_A_JOB_LARGE_FROM] = { .type = NLA_U64, },
	[MIGD_A_JOB_ROUTED] = { .type = NLA_U64, },
	[MIGD_A_JOB_ROUTED_REASON] = NLA_POLICY_MAX(NLA_U32, 18),
	[MIGD_A_JOB_LEFT] = NLA_POLICY_NESTED(migd_left_nl_policy),
	[MIGD_A_JOB_ROUTED_ALL] = { .type = NLA_FLAG, },
};

/* MIGD_CMD_JOB_SET - do */
static const struct nla_policy migd_job_set_nl_policy[MIGD_A_JOB_NICE + 1] = {
	[MIGD_A_JOB_ID] = { .type = NLA_U64, },
	[MIGD_A_JOB_DEADLINE_US] = { .type = NLA_U32, },
	[MIGD_A_JOB_MAX_RATE] = { .type = NLA_U64, },
	[MIGD_A_JOB_PAUSED] = NLA_POLICY_MAX(NLA_U32, 1),
	[MIGD_A_JOB_NICE] = NLA_POLICY_MAX(NLA_U32, 19),
};

/* Ops table for migd */
static const struct genl_split_ops migd_nl_ops[] = {
	{
		.cmd		= MIGD_CMD_FEATURES_GET,
		.pre_doit	= migd_nl_pre_query,
		.doit		= migd_nl_features_get_doit,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd	= MIGD_CMD_CHANNEL_GET,
		.start	= migd_nl_dump_start,
		.dumpit	= migd_nl_channel_get_dumpit,
		.flags	= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= MIGD_CMD_CHANNEL_CLAIM,
		.pre_doit	= migd_nl_pre_admin,
		.doit		= migd_nl_channel_claim_doit,
		.policy		= migd_channel_claim_nl_policy,
		.maxattr	= MIGD_A_CHANNEL_NAME,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= MIGD_CMD_CHANNEL_RELEASE,
		.pre_doit	= migd_nl_pre_admin,
		.doit		= migd_nl_channel_release_doit,
		.policy		= migd_channel_release_nl_policy,
		.maxattr	= MIGD_A_CHANNEL_ID,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= MIGD_CMD_JOB_SUBMIT,
		.pre_doit	= migd_nl_pre_admin,
		.doit		= migd_nl_job_submit_doit,
		.policy		= migd_job_submit_nl_policy,
		.maxattr	= MIGD_A_JOB_NICE,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= MIGD_CMD_JOB_CANCEL,
		.pre_doit	= migd_nl_pre_admin,
		.doit		= migd_nl_job_cancel_doit,
		.policy		= migd_job_cancel_nl_policy,
		.maxattr	= MIGD_A_JOB_ID,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= MIGD_CMD_JOB_GET,
		.pre_doit	= migd_nl_pre_query,
		.doit		= migd_nl_job_get_doit,
		.policy		= migd_job_get_nl_policy,
		.maxattr	= MIGD_A_JOB_ID,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd	= MIGD_CMD_JOB_GET,
		.start	= migd_nl_dump_start,
		.dumpit	= migd_nl_job_get_dumpit,
		.flags	= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= MIGD_CMD_STATS_GET,
		.pre_doit	= migd_nl_pre_query,
		.doit		= migd_nl_stats_get_doit,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= MIGD_CMD_CONFIG_GET,
		.pre_doit	= migd_nl_pre_query,
		.doit		= migd_nl_config_get_doit,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= MIGD_CMD_CONFIG_SET,
		.pre_doit	= migd_nl_pre_admin,
		.doit		= migd_nl_config_set_doit,
		.policy		= migd_config_set_nl_policy,
		.maxattr	= MIGD_A_CONFIG_NICE,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= MIGD_CMD_JOB_LARGE_GET,
		.pre_doit	= migd_nl_pre_admin,
		.doit		= migd_nl_job_large_get_doit,
		.policy		= migd_job_large_get_nl_policy,
		.maxattr	= MIGD_A_JOB_LARGE_FROM,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= MIGD_CMD_JOB_ROUTED,
		.pre_doit	= migd_nl_pre_admin,
		.doit		= migd_nl_job_routed_doit,
		.policy		= migd_job_routed_nl_policy,
		.maxattr	= MIGD_A_JOB_ROUTED_ALL,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= MIGD_CMD_JOB_SET,
		.pre_doit	= migd_nl_pre_admin,
		.doit		= migd_nl_job_set_doit,
		.policy		= migd_job_set_nl_policy,
		.maxattr	= MIGD_A_JOB_NICE,
		.flags		= GENL_CMD_CAP_DO,
	},
};

static const struct genl_multicast_group migd_nl_mcgrps[] = {
	[MIGD_NLGRP_EVENTS] = { "events", },
};

struct genl_family migd_nl_family __ro_after_init = {
	.name		= MIGD_FAMILY_NAME,
	.version	= MIGD_FAMILY_VERSION,
	.netnsok	= true,
	.parallel_ops	= true,
	.module		= THIS_MODULE,
	.split_ops	= migd_nl_ops,
	.n_split_ops	= ARRAY_SIZE(migd_nl_ops),
	.mcgrps		= migd_nl_mcgrps,
	.n_mcgrps	= ARRAY_SIZE(migd_nl_mcgrps),
};
