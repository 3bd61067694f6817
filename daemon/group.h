/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Groups: the processes of a unit, of a cgroup or of a list, moved as one. A
 * group is a row of jobs, one after the other, so that what processes share
 * moves once: the next one's job finds it on the destination already. When the
 * list is through it is read again, for what has appeared meanwhile.
 *
 * A group belongs to the daemon, unlike a job. It is kept in the runtime
 * directory as it goes, and a daemon that systemd restarts goes on with it.
 */
#ifndef MIGD_GROUP_H
#define MIGD_GROUP_H

#include <time.h>

#include "cgroup.h"
#include "job.h"

/* Most processes of one group, and most readings of its list. */
#define GROUP_MAX	32768
/*
 * Most of one for own processes only, and most cgroups: whose they are is looked at before
 * anyone has agreed to anything, and others wait meanwhile.
 */
#define GROUP_OWN_MAX	1024
#define GROUP_ROUNDS	16
/* So often a process is visited whose job was lost, or that called execve(2). */
#define GROUP_TRIES	4

enum group_kind {
	GROUP_PROCESSES,
	GROUP_UNIT,
	GROUP_CGROUP,
	GROUP_KINDS,
};

/* What became of a process; those from MEMBER_EXITED on are left out for it. */
enum member_state {
	MEMBER_PENDING,
	MEMBER_RUNNING,		/* it has the group's job, or is about to */
	MEMBER_DONE,
	MEMBER_EXITED,
	MEMBER_KERNEL,		/* a kernel thread */
	MEMBER_DAEMON,		/* it is in the daemon's own cgroup */
	MEMBER_FORBIDDEN,	/* by its cpuset */
	MEMBER_REFUSED,
	MEMBER_CANCELLED,	/* its job, by somebody */
	MEMBER_FOREIGN,		/* not own, in a group that is for own ones only */
	MEMBER_STATES,
};

struct member {
	pid_t pid;
	uint32_t tries;
	uint64_t start_time;
	uint64_t job;			/* its last; 0: none */
	enum member_state state;
};

enum group_state {
	GROUP_QUEUED,			/* no process visited yet */
	GROUP_RUNNING,
	GROUP_WAITING,			/* for the module, or for a job of others to end */
	GROUP_DONE,
};

/* What the jobs of a group have done. */
struct group_sum {
	uint64_t total, moved, routed, bytes, batches, rescued, passes;
	uint64_t left[NL_REASONS];
	uint64_t blackout_max_ns;
};

struct group {
	struct group *next;
	uint64_t id;
	enum group_kind kind;
	char target[CGROUP_PATH_LEN];	/* as asked for */
	char cgroup[CGROUP_PATH_LEN];	/* "": of a list of processes */
	struct job_request req;		/* of each job, but for the process */

	struct member *members;		/* by pid and start time */
	size_t nr;
	unsigned int rounds;		/* readings of the list after the first */

	uint64_t job;			/* the one that runs; 0: none */
	uint64_t after;			/* ids up to this are of jobs before it */
	struct group_sum ended;		/* of jobs that have */

	/* See group_refresh(). */
	struct group_sum sum;		/* and of the one that runs */
	const char *engine;
	uint32_t processes, visited;

	enum group_state state;
	uint32_t outcome;		/* enum migd_outcome */
	bool partly;			/* a job has left something that could move */
	bool well;			/* one has left nothing */
	bool cancelled;
	bool save_told;			/* that it cannot be kept */
	char why[FAULT_TEXT_LEN];	/* the first sentence about a process left out */
	uint64_t submitted_usec;	/* CLOCK_REALTIME */
	uint64_t submitted_ns;		/* CLOCK_BOOTTIME */
	uint64_t elapsed_usec;
	uint32_t progress;		/* in thousandths; never less than before */
	uint64_t told_ns;		/* when progress was last signalled */
};

/*
 * A group begins in three steps, with @g that has its kind, target, cgroup and request.
 * First: could it run, whoever is in it? Then who is: where it is for own processes only,
 * it takes the looking to the first that is not, which is -EPERM without a fault. Last,
 * it takes @g.
 */
int group_check(struct manager *m, const struct group *g, struct fault *f);
int group_list(struct group *g, const uint32_t *pids, size_t nr, struct fault *f);
void group_begin(struct manager *m, struct group *g);
int group_cancel(struct manager *m, struct group *g, struct fault *f);
void group_free(struct group *g);

struct group *group_find(struct manager *m, uint64_t id);
/* Bring what is told of it up to date. */
void group_refresh(struct manager *m, struct group *g);
uint64_t group_left(const struct group_sum *sum);
/* How many were left out as @state, which has a name; 0 when that is no reason. */
size_t group_left_out(const struct group *g, enum member_state state, const char **ret_name);
/* Processes in one of the states. */
size_t group_count(const struct group *g, enum member_state state);

/* Groups that were kept by the daemon before; then those whose job it has lost go on. */
void groups_load(struct manager *m);
void groups_served(struct manager *m);
void groups_free(struct manager *m);
int groups_init(struct manager *m);

/* Of a job: it is known (anew), it has made progress, it has ended. */
void group_job_known(struct manager *m, const struct job *job);
void group_job_progress(struct manager *m, const struct job *job);
void group_job_ended(struct manager *m, const struct job *job);
/* What its job is changed to, those after it are, too. */
void group_job_set(struct manager *m, const struct job *job, const struct nl_change *change);
/* Something a waiting group may wait for has happened. */
void groups_kick(struct manager *m);
/* Keep the first sentence about a process that was left out. */
void group_note_why(struct group *g, const char *sentence);
uint64_t group_clock_ns(clockid_t clock);

/* group_list.c: who is in it. */
struct member *group_lookup(const struct group *g, pid_t pid, uint64_t start_time);
struct member *group_first(const struct group *g, enum member_state state);
/* The processes asked for; on an error @f says which cannot be, or see group_list(). */
int group_name(struct group *g, const uint32_t *pids, size_t nr, struct fault *f);
/*
 * Those of its cgroup, or those that its processes have forked since: how many
 * are new. -ENOENT: there is no such cgroup (any more); or see group_list().
 */
int group_gather(struct group *g, struct fault *f);

/* group_keep.c: the runtime directory. */
int group_save(struct manager *m, struct group *g);
void group_forget(struct manager *m, const struct group *g);
int group_load_all(const char *dir, int (*take)(struct group *g, void *arg), void *arg);

#endif /* MIGD_GROUP_H */
