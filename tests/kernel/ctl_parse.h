/* SPDX-License-Identifier: GPL-2.0 */
/* From attributes to the structs of ctl.h; what is absent is 0. */
#ifndef MIGD_TEST_CTL_PARSE_H
#define MIGD_TEST_CTL_PARSE_H

#include <netlink/attr.h>
#include "ctl.h"

static inline uint32_t attr_u32(const struct nlattr *attr)
{
	return attr ? nla_get_u32(attr) : 0;
}

static inline uint64_t attr_u64(const struct nlattr *attr)
{
	return attr ? nla_get_u64(attr) : 0;
}

void parse_job(struct nlattr *attrs, int len, struct job_info *ret);
void parse_stats(struct nlattr *attrs, int len, struct stats_info *ret);
void parse_channel(struct nlattr *attrs, int len, struct channel_info *ret);

#endif
