/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The module's generic netlink family: requests, each answered at once, and
 * what the answers say. specs/migd.yaml explains every field.
 */
#ifndef MIGD_NETLINK_H
#define MIGD_NETLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/migd_netlink.h>

#define NL_REASONS	(MIGD_REASON_MAX + 1)
#define NL_NAME_LEN	64
#define NL_LARGES	128

struct nlattr;

struct nl_hist {
	uint64_t count, sum, p50, p90, p99, p999, max;
};

struct nl_features {
	char version[32];
	uint32_t abi_version;
	uint64_t features;
	uint32_t server_pid;		/* 0: none */
	uint32_t max_batch_pages;
	uint32_t grace_ms;
};

struct nl_channel {
	uint32_t id;
	char name[NL_NAME_LEN];
	char device[NL_NAME_LEN];
	char driver[NL_NAME_LEN];
	int32_t node;			/* -1: none */
	uint32_t state;			/* enum migd_channel_state */
	uint64_t copies, pages, bytes, errors, quarantined;
	uint32_t in_flight;
	struct nl_hist copy;
	uint32_t error;			/* engine-fault-ntf: positive errno */
};

struct nl_job {
	uint64_t id;
	uint32_t pid;
	uint64_t start_time;
	int32_t from, to;		/* from -1: every node but to */
	uint32_t order, batch_pages, deadline_us;
	uint32_t flags;			/* MIGD_JOB_FLAG_* */
	uint64_t max_rate;
	uint32_t nice;
	bool paused;
	uint32_t state, outcome;
	char comm[NL_NAME_LEN];
	uint64_t total, moved;
	uint64_t left[NL_REASONS];
	uint64_t batches, rescued;
	uint32_t passes;
	uint64_t submitted_ns, elapsed_ns;
	struct nl_hist lock, copy, commit, blackout;
	uint32_t rescue_cause;		/* batch-rescued-ntf */
	uint64_t rescued_moved, rescued_put_back;
	uint64_t routed;		/* of moved, by move_pages(2) */
	uint64_t work_ns;		/* of CPUs, in the module */
};

struct nl_stats {
	uint64_t jobs, batches, moved;
	uint32_t jobs_active;
	uint64_t left[NL_REASONS];
	uint64_t rescued_deadline, rescued_server, late, undone, verify_failed;
	uint64_t locked_pages, quarantined_pages, quarantined_total;
	struct nl_hist lock, copy, commit, blackout;
};

struct nl_range {
	uint64_t start, end;
};

/* A range that a job has left for move_pages(2). */
struct nl_large {
	uint64_t start, end;
	uint64_t step;			/* bytes from one folio to the next, if known */
	uint32_t reason;
};

/* As many ranges as one answer holds. */
struct nl_larges {
	struct nl_large range[NL_LARGES];
	size_t nr;
};

/* What job-routed says. */
struct nl_routed {
	uint64_t id;
	uint64_t done_below;		/* address */
	uint64_t moved;			/* pages since the last one */
	uint32_t reason;		/* what they had been left for */
	bool all;			/* every range was tried: @left counts */
	uint64_t left[NL_REASONS];
};

/* What job-submit carries; 0 of an optional number leaves it to the module. */
struct nl_submit {
	uint32_t pid;
	uint64_t start_time;
	int32_t from, to;
	uint32_t order, batch_pages, deadline_us;
	uint32_t flags;			/* MIGD_JOB_FLAG_* */
	uint64_t max_rate;
	uint32_t nice;
	const struct nl_range *ranges;
	size_t nr_ranges;
};

/* What job-set changes of a job that runs. */
struct nl_change {
	bool has_deadline, has_rate, has_paused, has_nice;
	uint32_t deadline_us;
	uint64_t max_rate;
	uint32_t nice;
	bool paused;
};

/* The socket of requests. */
struct nl_ctl;

/* -ENOENT: the module is not loaded. */
int nl_ctl_open(struct nl_ctl **ret);
void nl_ctl_close(struct nl_ctl *ctl);

/* The module's own words for the last error, or "". */
const char *nl_ctl_message(const struct nl_ctl *ctl);

int nl_get_features(struct nl_ctl *ctl, struct nl_features *ret);
int nl_get_stats(struct nl_ctl *ctl, struct nl_stats *ret);
int nl_get_job(struct nl_ctl *ctl, uint64_t id, struct nl_job *ret);
int nl_claim(struct nl_ctl *ctl, const char *name, uint32_t *ret_id);
int nl_release(struct nl_ctl *ctl, uint32_t id);
int nl_submit(struct nl_ctl *ctl, const struct nl_submit *job, uint64_t *ret_id);
int nl_cancel(struct nl_ctl *ctl, uint64_t id);
/* Change a job that runs; -EALREADY: it has ended. */
int nl_set_job(struct nl_ctl *ctl, uint64_t id, const struct nl_change *change);
/* What any job has for nice at least, also one that runs. */
int nl_set_nice(struct nl_ctl *ctl, uint32_t nice);
/* Ranges from @from on; none when ret->nr is 0. -EBUSY: the job does not route. */
int nl_get_large(struct nl_ctl *ctl, uint64_t id, uint64_t from, struct nl_larges *ret);
/* -ECANCELED: stop, and say so with routed->all. */
int nl_routed(struct nl_ctl *ctl, const struct nl_routed *routed);

/* Dumps; @fn is called for each entry. */
int nl_dump_jobs(struct nl_ctl *ctl, void (*fn)(const struct nl_job *job, void *arg), void *arg);
int nl_dump_channels(struct nl_ctl *ctl, void (*fn)(const struct nl_channel *channel, void *arg),
		     void *arg);

/* netlink_parse.c: attributes of one message; unknown ones are skipped. */
void nl_parse_features(struct nlattr *attrs, int len, struct nl_features *ret);
void nl_parse_channel(struct nlattr *attrs, int len, struct nl_channel *ret);
void nl_parse_job(struct nlattr *attrs, int len, struct nl_job *ret);
/* Adds to what @ret has. */
void nl_parse_larges(struct nlattr *attrs, int len, struct nl_larges *ret);
void nl_parse_stats(struct nlattr *attrs, int len, struct nl_stats *ret);

#endif /* MIGD_NETLINK_H */
