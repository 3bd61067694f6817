/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The control plane: the generic netlink family migd. Calls return 0 or a
 * negative errno, with the kernel's sentence in ctl->ack.
 */
#ifndef MIGD_TEST_CTL_H
#define MIGD_TEST_CTL_H

#include <linux/migd_netlink.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define REASONS		(MIGD_REASON_MAX + 1)
#define MAX_EVENTS	4096

struct nl_sock;

struct hist {
	uint64_t count, sum, p50, p90, p99, p999, largest;
};

struct job_info {
	uint64_t id, start_time, max_rate, total, moved, batches, rescued;
	uint64_t submitted_ns, elapsed_ns, work_ns;
	uint32_t pid, from, to, order, batch_pages, deadline_us, state, outcome;
	uint32_t passes, flags, paused, nice;
	char comm[16];
	uint64_t left[REASONS];
	struct hist lock, copy, commit, blackout;
};

struct stats_info {
	uint64_t jobs, batches, moved, rescued_deadline, rescued_server, late;
	uint64_t undone, verify_failed, locked_pages, quarantined_pages, quarantined_total;
	uint64_t left[REASONS];
	uint32_t jobs_active;
	struct hist lock, copy, commit, blackout;
};

struct channel_info {
	uint32_t id, node, state, in_flight, error;
	char name[32], device[32], driver[32];
	uint64_t copies, pages, bytes, errors, quarantined;
	struct hist copy;
};

struct features_info {
	char version[32];
	uint32_t abi_version, server_pid, max_batch_pages, grace_ms;
	uint64_t features;
};

struct event {
	uint8_t cmd;
	uint64_t id;		/* job or channel */
	uint64_t moved, put_back, quarantined;
	uint32_t state, outcome, cause, error, server_pid;
};

struct ctl {
	struct nl_sock *req, *ev;
	int family, group;
	char ack[256];
	struct event events[MAX_EVENTS];	/* in order of arrival */
	unsigned int nr_events;
};

/* What a job is asked for; pid and start_time are the target's. */
struct range {
	uint64_t start, end;
};

struct job_req {
	pid_t pid;
	uint64_t start_time;
	int from, to;		/* from -1: not given */
	uint32_t order, batch_pages, deadline_us;
	uint32_t flags;		/* MIGD_JOB_FLAG_* */
	uint64_t max_rate;
	uint32_t nice;
	unsigned int nr_ranges;
	struct range range[8];
};

/* With @events joined to the multicast group. Returns a negative errno. */
int ctl_open(struct ctl *c, bool events);
void ctl_close(struct ctl *c);

int ctl_features(struct ctl *c, struct features_info *ret);
int ctl_submit(struct ctl *c, const struct job_req *req, uint64_t *ret_id);
int ctl_cancel(struct ctl *c, uint64_t id);

/* What is to change of a job that runs; -1 leaves it. */
struct job_change {
	int64_t deadline_us, max_rate, paused, nice;
};

int ctl_set(struct ctl *c, uint64_t id, struct job_change change);
/* As the daemon: so many pages of this reason have been moved; with @all, to the end. */
int ctl_routed(struct ctl *c, uint64_t id, uint64_t moved, enum migd_reason reason, bool all);
int ctl_job(struct ctl *c, uint64_t id, struct job_info *ret);
/* Number of jobs, at most @max of them in @ret. */
int ctl_jobs(struct ctl *c, struct job_info *ret, int max);
int ctl_stats(struct ctl *c, struct stats_info *ret);
int ctl_claim(struct ctl *c, const char *name, uint32_t *ret_id);
int ctl_release(struct ctl *c, uint32_t id);
/* Number of channels, the CPU first. */
int ctl_channels(struct ctl *c, struct channel_info *ret, int max);
int ctl_config_get(struct ctl *c, uint32_t *ret_locked, uint32_t *ret_wait);
/* 0 leaves a value as it is. */
int ctl_config_set(struct ctl *c, uint32_t locked, uint32_t wait);

/* What any job has for nice at least. */
int ctl_config_nice(struct ctl *c, uint32_t nice);

/* For wrong input: one u32, u64 or raw attribute, or none when type is 0. */
int ctl_raw(struct ctl *c, uint8_t cmd, int flags, int type, const void *data,
	    int len);

int ctl_event_fd(struct ctl *c);
/* Reads what has come, without waiting: -ENOBUFS when some have been lost. */
int ctl_try_events(struct ctl *c);
/* The same where none may be lost. */
void ctl_read_events(struct ctl *c);
/* The first event of @cmd for @id (any when 0) at or after *@pos, or NULL. */
const struct event *ctl_event(struct ctl *c, uint8_t cmd, uint64_t id,
			      unsigned int *pos);
/* Waits for it. */
const struct event *ctl_wait_event(struct ctl *c, uint8_t cmd, uint64_t id,
				   unsigned int *pos);

#endif
