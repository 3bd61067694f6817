/* SPDX-License-Identifier: GPL-2.0 */
/* A job as the service tells of it, and telling it to people. */
#ifndef MIGCTL_JOB_H
#define MIGCTL_JOB_H

#include <stdbool.h>
#include <jansson.h>
#include <systemd/sd-bus.h>
#include <linux/types.h>

#define JOB_TEXT	64
#define JOB_MAX_LEFT	32	/* reasons; there are 17 */

struct kind;

struct hist {
	__u64 count, p50, p90, p99, p999, max;	/* times in ns */
};

struct left {
	char reason[24];
	__u64 pages;
};

/* A job; or a group, which is told of in much the same way. */
struct job {
	const struct kind *kind;
	__u64 id;
	__u32 pid;
	char comm[JOB_TEXT];
	int from, to;		/* from: -1 for every node but `to` */
	char order[JOB_TEXT], engine[JOB_TEXT], state[JOB_TEXT], outcome[JOB_TEXT];
	char backed_off[JOB_TEXT];	/* from whose memory pressure: system, cgroup; or "" */
	__u64 total, moved, bytes;	/* pages, pages, bytes moved */
	__u64 routed;		/* of moved, by move_pages(2) */
	struct left left[JOB_MAX_LEFT];
	unsigned int nr_left;
	__u32 passes;
	__u64 batches, rescued, elapsed_usec;
	__u64 nice;
	__u64 work_ns;		/* of CPUs in the module; from JSON only */
	struct hist lock, copy, commit, blackout;	/* from JSON only */

	/* Of groups only. */
	char target_kind[JOB_TEXT];	/* unit, cgroup or processes */
	char target[256];
	__u32 processes, visited;
	__u32 progress;			/* in thousandths */
	struct left left_out[JOB_MAX_LEFT];	/* processes, by reason */
	unsigned int nr_left_out;
	char why[384];			/* a sentence on one of them */
	__u64 blackout_max;		/* ns; from JSON only */
};

/* Take what an a{sv} says of the job; what it does not name stays. 0 or -errno. */
int job_read_properties(struct job *job, sd_bus_message *m);

void job_read_json(struct job *job, const json_t *object);
void hist_read_json(struct hist *hist, const json_t *object, const char *key);

bool job_is_group(const struct job *job);
bool job_is_done(const struct job *job);
/* The word for tables: one that runs may be slowed by memory pressure. */
const char *job_state(const struct job *job);
/* Has enough been told of it to tell a person? */
bool job_is_known(const struct job *job);
__u64 job_left(const struct job *job);

/* Pages dealt with: moved, or left for a reason. */
__u64 job_handled(const struct job *job);

/* The exit code that the outcome asks for. */
int job_exit_code(const struct job *job);

/* One line of text: "process 1234 (redis-server) from node 0 to node 1". */
void job_subject(const struct job *job, char *line, size_t size);

/* At the end of a job, on stdout. */
void job_print_summary(const struct job *job);

/* Everything, on stdout. */
void job_print_detail(const struct job *job);

/* What a reason means and what to do about it; see reason.c. */
const char *reason_meaning(const char *reason);
const char *reason_advice(const char *reason);
/* The same for processes that were left out of a group. */
const char *left_out_meaning(const char *reason);
const char *left_out_advice(const char *reason);

#endif /* MIGCTL_JOB_H */
