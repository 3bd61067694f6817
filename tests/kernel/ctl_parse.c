// SPDX-License-Identifier: GPL-2.0
#include <string.h>
#include "check.h"
#include "ctl_parse.h"

static void parse_hist(struct nlattr *attr, struct hist *ret)
{
	struct nlattr *tb[MIGD_A_HIST_MAX + 1];

	check(attr, "a histogram is missing");
	must(-!!nla_parse_nested(tb, MIGD_A_HIST_MAX, attr, NULL));
	ret->count = attr_u64(tb[MIGD_A_HIST_COUNT]);
	ret->sum = attr_u64(tb[MIGD_A_HIST_SUM]);
	ret->p50 = attr_u64(tb[MIGD_A_HIST_P50]);
	ret->p90 = attr_u64(tb[MIGD_A_HIST_P90]);
	ret->p99 = attr_u64(tb[MIGD_A_HIST_P99]);
	ret->p999 = attr_u64(tb[MIGD_A_HIST_P999]);
	ret->largest = attr_u64(tb[MIGD_A_HIST_LARGEST]);
	check(ret->p50 <= ret->p90 && ret->p90 <= ret->p99 &&
	      ret->p99 <= ret->p999 && ret->p999 <= ret->largest &&
	      ret->largest <= ret->sum,
	      "a histogram contradicts itself");
}

/* One attribute for each reason that has pages, so not a matter of nla_parse. */
static void parse_left(struct nlattr *attrs, int len, int type, uint64_t *ret)
{
	struct nlattr *tb[MIGD_A_LEFT_MAX + 1];
	struct nlattr *attr;
	uint32_t reason;
	int rem;

	nla_for_each_attr(attr, attrs, len, rem) {
		if (nla_type(attr) != type)
			continue;
		must(-!!nla_parse_nested(tb, MIGD_A_LEFT_MAX, attr, NULL));
		reason = attr_u32(tb[MIGD_A_LEFT_REASON]);
		check(reason < REASONS, "unknown reason %u", reason);
		ret[reason] = attr_u64(tb[MIGD_A_LEFT_PAGES]);
		check(ret[reason], "reason %u with no page", reason);
	}
}

void parse_job(struct nlattr *attrs, int len, struct job_info *ret)
{
	struct nlattr *tb[MIGD_A_JOB_MAX + 1];

	must(-!!nla_parse(tb, MIGD_A_JOB_MAX, attrs, len, NULL));
	memset(ret, 0, sizeof(*ret));
	ret->id = attr_u64(tb[MIGD_A_JOB_ID]);
	ret->pid = attr_u32(tb[MIGD_A_JOB_PID]);
	ret->start_time = attr_u64(tb[MIGD_A_JOB_START_TIME]);
	ret->from = attr_u32(tb[MIGD_A_JOB_FROM]);
	ret->to = attr_u32(tb[MIGD_A_JOB_TO]);
	ret->order = attr_u32(tb[MIGD_A_JOB_ORDER]);
	ret->batch_pages = attr_u32(tb[MIGD_A_JOB_BATCH_PAGES]);
	ret->deadline_us = attr_u32(tb[MIGD_A_JOB_DEADLINE_US]);
	ret->paused = attr_u32(tb[MIGD_A_JOB_PAUSED]);
	ret->nice = attr_u32(tb[MIGD_A_JOB_NICE]);
	ret->max_rate = attr_u64(tb[MIGD_A_JOB_MAX_RATE]);
	ret->flags = attr_u32(tb[MIGD_A_JOB_FLAGS]);
	ret->state = attr_u32(tb[MIGD_A_JOB_STATE]);
	ret->outcome = attr_u32(tb[MIGD_A_JOB_OUTCOME]);
	if (tb[MIGD_A_JOB_COMM])
		nla_strlcpy(ret->comm, tb[MIGD_A_JOB_COMM], sizeof(ret->comm));
	ret->total = attr_u64(tb[MIGD_A_JOB_TOTAL]);
	ret->moved = attr_u64(tb[MIGD_A_JOB_MOVED]);
	parse_left(attrs, len, MIGD_A_JOB_LEFT, ret->left);
	ret->batches = attr_u64(tb[MIGD_A_JOB_BATCHES]);
	ret->rescued = attr_u64(tb[MIGD_A_JOB_RESCUED]);
	ret->passes = attr_u32(tb[MIGD_A_JOB_PASSES]);
	ret->submitted_ns = attr_u64(tb[MIGD_A_JOB_SUBMITTED_NS]);
	ret->elapsed_ns = attr_u64(tb[MIGD_A_JOB_ELAPSED_NS]);
	ret->work_ns = attr_u64(tb[MIGD_A_JOB_WORK_NS]);
	parse_hist(tb[MIGD_A_JOB_LOCK], &ret->lock);
	parse_hist(tb[MIGD_A_JOB_COPY], &ret->copy);
	parse_hist(tb[MIGD_A_JOB_COMMIT], &ret->commit);
	parse_hist(tb[MIGD_A_JOB_BLACKOUT], &ret->blackout);
}

void parse_stats(struct nlattr *attrs, int len, struct stats_info *ret)
{
	struct nlattr *tb[MIGD_A_STATS_MAX + 1];

	must(-!!nla_parse(tb, MIGD_A_STATS_MAX, attrs, len, NULL));
	memset(ret, 0, sizeof(*ret));
	ret->jobs = attr_u64(tb[MIGD_A_STATS_JOBS]);
	ret->jobs_active = attr_u32(tb[MIGD_A_STATS_JOBS_ACTIVE]);
	ret->batches = attr_u64(tb[MIGD_A_STATS_BATCHES]);
	ret->moved = attr_u64(tb[MIGD_A_STATS_MOVED]);
	parse_left(attrs, len, MIGD_A_STATS_LEFT, ret->left);
	ret->rescued_deadline = attr_u64(tb[MIGD_A_STATS_RESCUED_DEADLINE]);
	ret->rescued_server = attr_u64(tb[MIGD_A_STATS_RESCUED_SERVER]);
	ret->late = attr_u64(tb[MIGD_A_STATS_LATE]);
	ret->undone = attr_u64(tb[MIGD_A_STATS_UNDONE]);
	ret->verify_failed = attr_u64(tb[MIGD_A_STATS_VERIFY_FAILED]);
	ret->locked_pages = attr_u64(tb[MIGD_A_STATS_LOCKED_PAGES]);
	ret->quarantined_pages = attr_u64(tb[MIGD_A_STATS_QUARANTINED_PAGES]);
	ret->quarantined_total = attr_u64(tb[MIGD_A_STATS_QUARANTINED_TOTAL]);
	parse_hist(tb[MIGD_A_STATS_LOCK], &ret->lock);
	parse_hist(tb[MIGD_A_STATS_COPY], &ret->copy);
	parse_hist(tb[MIGD_A_STATS_COMMIT], &ret->commit);
	parse_hist(tb[MIGD_A_STATS_BLACKOUT], &ret->blackout);
}

void parse_channel(struct nlattr *attrs, int len, struct channel_info *ret)
{
	struct nlattr *tb[MIGD_A_CHANNEL_MAX + 1];

	must(-!!nla_parse(tb, MIGD_A_CHANNEL_MAX, attrs, len, NULL));
	memset(ret, 0, sizeof(*ret));
	ret->id = attr_u32(tb[MIGD_A_CHANNEL_ID]);
	ret->node = attr_u32(tb[MIGD_A_CHANNEL_NODE]);
	ret->state = attr_u32(tb[MIGD_A_CHANNEL_STATE]);
	ret->in_flight = attr_u32(tb[MIGD_A_CHANNEL_IN_FLIGHT]);
	ret->error = attr_u32(tb[MIGD_A_CHANNEL_ERROR]);
	if (tb[MIGD_A_CHANNEL_NAME])
		nla_strlcpy(ret->name, tb[MIGD_A_CHANNEL_NAME], sizeof(ret->name));
	if (tb[MIGD_A_CHANNEL_DEVICE])
		nla_strlcpy(ret->device, tb[MIGD_A_CHANNEL_DEVICE],
			    sizeof(ret->device));
	if (tb[MIGD_A_CHANNEL_DRIVER])
		nla_strlcpy(ret->driver, tb[MIGD_A_CHANNEL_DRIVER],
			    sizeof(ret->driver));
	ret->copies = attr_u64(tb[MIGD_A_CHANNEL_COPIES]);
	ret->pages = attr_u64(tb[MIGD_A_CHANNEL_PAGES]);
	ret->bytes = attr_u64(tb[MIGD_A_CHANNEL_BYTES]);
	ret->errors = attr_u64(tb[MIGD_A_CHANNEL_ERRORS]);
	ret->quarantined = attr_u64(tb[MIGD_A_CHANNEL_QUARANTINED]);
	if (tb[MIGD_A_CHANNEL_COPY])
		parse_hist(tb[MIGD_A_CHANNEL_COPY], &ret->copy);
}
