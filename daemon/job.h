/* SPDX-License-Identifier: GPL-2.0 */
/* The jobs the daemon knows: those that run and the last ones that ended. */
#ifndef MIGD_JOB_H
#define MIGD_JOB_H

#include "backoff.h"
#include "events.h"
#include "manager.h"

struct job_watch;

struct job {
	struct job *next;
	struct nl_job nl;		/* as last heard of */
	char engine[INI_TEXT_LEN];	/* as asked for */
	uint64_t asked_rate;		/* nl.max_rate is its share of this */
	uint32_t user;			/* who asked for it */
	struct backoff backoff;		/* from it, under memory pressure */
	uint64_t listen_usec;		/* from when on pressure.c listens for it */
	struct job_watch *watch;	/* since then, while it runs */
	uint64_t bytes;			/* moved */
	uint64_t submitted_usec;	/* CLOCK_REALTIME */
	uint64_t elapsed_usec;
	uint64_t seen_ns;		/* when nl was read in full */
	bool done;
};

/* Pages left, whatever the reason. */
uint64_t job_left(const struct job *job);

/* What a caller wants moved. */
struct job_request {
	uint32_t pid;
	uint64_t start_time;		/* of the process; 0: whatever it is */
	uint32_t user, group;		/* who asks */
	bool own_only;			/* for an own process, which it has to be */
	int from, to;
	uint32_t order;
	char engine[INI_TEXT_LEN];	/* "": the policy's */
	uint32_t batch_pages;		/* 0: the policy's */
	uint32_t deadline_us;		/* 0: the policy's */
	uint64_t max_rate;
	bool has_rate;			/* else the policy's */
	uint32_t nice;			/* the policy's, where that is more */
	bool paused;			/* it waits from its start on */
	bool leave_large;		/* else they go by move_pages(2) */
	uint32_t flags;			/* MIGD_JOB_FLAG_* */
	struct nl_range *ranges;
	size_t nr_ranges;
};

/* Check what does not depend on the process: is it served, are the options right? */
int job_check(struct manager *m, const struct job_request *req, struct fault *f);
/* Check everything, then submit; on an error @f says why, and nothing changed. */
int job_submit(struct manager *m, const struct job_request *req, struct job **ret,
	       struct fault *f);
int job_cancel(struct manager *m, struct job *job, struct fault *f);
/* Change the limits of a job that runs, or let it wait or go on. */
int job_set(struct manager *m, struct job *job, const struct nl_change *change, struct fault *f);

struct job *job_find(struct manager *m, uint64_t id);
/* Read a job that runs again if it was last read over 100 ms ago. */
void job_refresh(struct manager *m, struct job *job);

/* What the module says of a job, known or not; and the little that an event of progress says. */
void job_heard(struct manager *m, const struct nl_job *nl);
void job_progressed(struct manager *m, const struct nl_job *nl);

/* Take over the module's list: after a start, or when events were lost. */
int jobs_import(struct manager *m);
void jobs_free(struct manager *m);

extern const struct events_ops job_events;

#endif /* MIGD_JOB_H */
