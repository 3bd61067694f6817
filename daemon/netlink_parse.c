// SPDX-License-Identifier: GPL-2.0
/* From netlink attributes to the structs of netlink.h. */
#include <stdio.h>
#include <string.h>
#include <netlink/attr.h>

#include "netlink.h"
#include "text.h"

static uint64_t get_uint(const struct nlattr *a)
{
	switch (nla_len(a)) {
	case sizeof(uint64_t):
		return nla_get_u64(a);
	case sizeof(uint32_t):
		return nla_get_u32(a);
	}
	return 0;
}

static void get_text(struct nlattr *a, char *to, size_t size)
{
	snprintf(to, size, "%.*s", nla_len(a), (char *)nla_data(a));
	text_clean(to);
}

static void get_hist(struct nlattr *nest, struct nl_hist *h)
{
	struct nlattr *a;
	int rem;

	nla_for_each_nested(a, nest, rem) {
		switch (nla_type(a)) {
		case MIGD_A_HIST_COUNT:
			h->count = get_uint(a);
			break;
		case MIGD_A_HIST_SUM:
			h->sum = get_uint(a);
			break;
		case MIGD_A_HIST_P50:
			h->p50 = get_uint(a);
			break;
		case MIGD_A_HIST_P90:
			h->p90 = get_uint(a);
			break;
		case MIGD_A_HIST_P99:
			h->p99 = get_uint(a);
			break;
		case MIGD_A_HIST_P999:
			h->p999 = get_uint(a);
			break;
		case MIGD_A_HIST_LARGEST:
			h->max = get_uint(a);
			break;
		}
	}
}

static void get_left(struct nlattr *nest, uint64_t *left)
{
	uint64_t reason = NL_REASONS, pages = 0;
	struct nlattr *a;
	int rem;

	nla_for_each_nested(a, nest, rem) {
		if (nla_type(a) == MIGD_A_LEFT_REASON)
			reason = get_uint(a);
		else if (nla_type(a) == MIGD_A_LEFT_PAGES)
			pages = get_uint(a);
	}
	if (reason < NL_REASONS)
		left[reason] = pages;
}

void nl_parse_features(struct nlattr *attrs, int len, struct nl_features *f)
{
	struct nlattr *a;
	int rem;

	memset(f, 0, sizeof(*f));
	nla_for_each_attr(a, attrs, len, rem) {
		switch (nla_type(a)) {
		case MIGD_A_FEATURES_VERSION:
			get_text(a, f->version, sizeof(f->version));
			break;
		case MIGD_A_FEATURES_ABI_VERSION:
			f->abi_version = get_uint(a);
			break;
		case MIGD_A_FEATURES_FEATURES:
			f->features = get_uint(a);
			break;
		case MIGD_A_FEATURES_SERVER_PID:
			f->server_pid = get_uint(a);
			break;
		case MIGD_A_FEATURES_MAX_BATCH_PAGES:
			f->max_batch_pages = get_uint(a);
			break;
		case MIGD_A_FEATURES_GRACE_MS:
			f->grace_ms = get_uint(a);
			break;
		}
	}
}

void nl_parse_channel(struct nlattr *attrs, int len, struct nl_channel *c)
{
	struct nlattr *a;
	int rem;

	memset(c, 0, sizeof(*c));
	c->node = -1;
	nla_for_each_attr(a, attrs, len, rem) {
		switch (nla_type(a)) {
		case MIGD_A_CHANNEL_ID:
			c->id = get_uint(a);
			break;
		case MIGD_A_CHANNEL_NAME:
			get_text(a, c->name, sizeof(c->name));
			break;
		case MIGD_A_CHANNEL_DEVICE:
			get_text(a, c->device, sizeof(c->device));
			break;
		case MIGD_A_CHANNEL_DRIVER:
			get_text(a, c->driver, sizeof(c->driver));
			break;
		case MIGD_A_CHANNEL_NODE:
			c->node = get_uint(a);
			break;
		case MIGD_A_CHANNEL_STATE:
			c->state = get_uint(a);
			break;
		case MIGD_A_CHANNEL_COPIES:
			c->copies = get_uint(a);
			break;
		case MIGD_A_CHANNEL_PAGES:
			c->pages = get_uint(a);
			break;
		case MIGD_A_CHANNEL_BYTES:
			c->bytes = get_uint(a);
			break;
		case MIGD_A_CHANNEL_ERRORS:
			c->errors = get_uint(a);
			break;
		case MIGD_A_CHANNEL_IN_FLIGHT:
			c->in_flight = get_uint(a);
			break;
		case MIGD_A_CHANNEL_QUARANTINED:
			c->quarantined = get_uint(a);
			break;
		case MIGD_A_CHANNEL_COPY:
			get_hist(a, &c->copy);
			break;
		case MIGD_A_CHANNEL_ERROR:
			c->error = get_uint(a);
			break;
		}
	}
}

static void job_times(struct nlattr *a, struct nl_job *j)
{
	switch (nla_type(a)) {
	case MIGD_A_JOB_SUBMITTED_NS:
		j->submitted_ns = get_uint(a);
		break;
	case MIGD_A_JOB_ELAPSED_NS:
		j->elapsed_ns = get_uint(a);
		break;
	case MIGD_A_JOB_WORK_NS:
		j->work_ns = get_uint(a);
		break;
	case MIGD_A_JOB_LOCK:
		get_hist(a, &j->lock);
		break;
	case MIGD_A_JOB_COPY:
		get_hist(a, &j->copy);
		break;
	case MIGD_A_JOB_COMMIT:
		get_hist(a, &j->commit);
		break;
	case MIGD_A_JOB_BLACKOUT:
		get_hist(a, &j->blackout);
		break;
	}
}

static void job_progress(struct nlattr *a, struct nl_job *j)
{
	switch (nla_type(a)) {
	case MIGD_A_JOB_STATE:
		j->state = get_uint(a);
		break;
	case MIGD_A_JOB_OUTCOME:
		j->outcome = get_uint(a);
		break;
	case MIGD_A_JOB_TOTAL:
		j->total = get_uint(a);
		break;
	case MIGD_A_JOB_MOVED:
		j->moved = get_uint(a);
		break;
	case MIGD_A_JOB_LEFT:
		get_left(a, j->left);
		break;
	case MIGD_A_JOB_BATCHES:
		j->batches = get_uint(a);
		break;
	case MIGD_A_JOB_RESCUED:
		j->rescued = get_uint(a);
		break;
	case MIGD_A_JOB_ROUTED:
		j->routed = get_uint(a);
		break;
	case MIGD_A_JOB_PASSES:
		j->passes = get_uint(a);
		break;
	case MIGD_A_JOB_RESCUE_CAUSE:
		j->rescue_cause = get_uint(a);
		break;
	case MIGD_A_JOB_RESCUED_MOVED:
		j->rescued_moved = get_uint(a);
		break;
	case MIGD_A_JOB_RESCUED_PUT_BACK:
		j->rescued_put_back = get_uint(a);
		break;
	default:
		job_times(a, j);
	}
}

static void get_large(struct nlattr *nest, struct nl_large *large)
{
	struct nlattr *a;
	int rem;

	nla_for_each_nested(a, nest, rem) {
		switch (nla_type(a)) {
		case MIGD_A_LARGE_START:
			large->start = get_uint(a);
			break;
		case MIGD_A_LARGE_END:
			large->end = get_uint(a);
			break;
		case MIGD_A_LARGE_STEP:
			large->step = get_uint(a);
			break;
		case MIGD_A_LARGE_REASON:
			large->reason = get_uint(a);
			break;
		}
	}
}

void nl_parse_larges(struct nlattr *attrs, int len, struct nl_larges *ret)
{
	struct nlattr *a;
	int rem;

	nla_for_each_attr(a, attrs, len, rem) {
		/* What does not fit is asked for again by its address. */
		if (nla_type(a) != MIGD_A_JOB_LARGE || ret->nr == NL_LARGES)
			continue;
		ret->range[ret->nr] = (struct nl_large) { .start = 0 };
		get_large(a, &ret->range[ret->nr++]);
	}
}

void nl_parse_job(struct nlattr *attrs, int len, struct nl_job *j)
{
	struct nlattr *a;
	int rem;

	memset(j, 0, sizeof(*j));
	j->from = -1;
	nla_for_each_attr(a, attrs, len, rem) {
		switch (nla_type(a)) {
		case MIGD_A_JOB_ID:
			j->id = get_uint(a);
			break;
		case MIGD_A_JOB_PID:
			j->pid = get_uint(a);
			break;
		case MIGD_A_JOB_START_TIME:
			j->start_time = get_uint(a);
			break;
		case MIGD_A_JOB_FROM:
			j->from = get_uint(a);
			break;
		case MIGD_A_JOB_TO:
			j->to = get_uint(a);
			break;
		case MIGD_A_JOB_ORDER:
			j->order = get_uint(a);
			break;
		case MIGD_A_JOB_BATCH_PAGES:
			j->batch_pages = get_uint(a);
			break;
		case MIGD_A_JOB_DEADLINE_US:
			j->deadline_us = get_uint(a);
			break;
		case MIGD_A_JOB_MAX_RATE:
			j->max_rate = get_uint(a);
			break;
		case MIGD_A_JOB_PAUSED:
			j->paused = get_uint(a);
			break;
		case MIGD_A_JOB_NICE:
			j->nice = get_uint(a);
			break;
		case MIGD_A_JOB_FLAGS:
			j->flags = get_uint(a);
			break;
		case MIGD_A_JOB_COMM:
			get_text(a, j->comm, sizeof(j->comm));
			break;
		default:
			job_progress(a, j);
		}
	}
}

static void stats_hists(struct nlattr *a, struct nl_stats *s)
{
	switch (nla_type(a)) {
	case MIGD_A_STATS_LEFT:
		get_left(a, s->left);
		break;
	case MIGD_A_STATS_LOCK:
		get_hist(a, &s->lock);
		break;
	case MIGD_A_STATS_COPY:
		get_hist(a, &s->copy);
		break;
	case MIGD_A_STATS_COMMIT:
		get_hist(a, &s->commit);
		break;
	case MIGD_A_STATS_BLACKOUT:
		get_hist(a, &s->blackout);
		break;
	}
}

void nl_parse_stats(struct nlattr *attrs, int len, struct nl_stats *s)
{
	struct nlattr *a;
	int rem;

	memset(s, 0, sizeof(*s));
	nla_for_each_attr(a, attrs, len, rem) {
		switch (nla_type(a)) {
		case MIGD_A_STATS_JOBS:
			s->jobs = get_uint(a);
			break;
		case MIGD_A_STATS_JOBS_ACTIVE:
			s->jobs_active = get_uint(a);
			break;
		case MIGD_A_STATS_BATCHES:
			s->batches = get_uint(a);
			break;
		case MIGD_A_STATS_MOVED:
			s->moved = get_uint(a);
			break;
		case MIGD_A_STATS_RESCUED_DEADLINE:
			s->rescued_deadline = get_uint(a);
			break;
		case MIGD_A_STATS_RESCUED_SERVER:
			s->rescued_server = get_uint(a);
			break;
		case MIGD_A_STATS_LATE:
			s->late = get_uint(a);
			break;
		case MIGD_A_STATS_VERIFY_FAILED:
			s->verify_failed = get_uint(a);
			break;
		case MIGD_A_STATS_UNDONE:
			s->undone = get_uint(a);
			break;
		case MIGD_A_STATS_LOCKED_PAGES:
			s->locked_pages = get_uint(a);
			break;
		case MIGD_A_STATS_QUARANTINED_PAGES:
			s->quarantined_pages = get_uint(a);
			break;
		case MIGD_A_STATS_QUARANTINED_TOTAL:
			s->quarantined_total = get_uint(a);
			break;
		default:
			stats_hists(a, s);
		}
	}
}
