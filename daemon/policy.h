/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The policy: what a job gets that does not say otherwise. Its first values
 * come from [Policy] of migd.conf; what is set over D-Bus is kept apart, in
 * policy.conf of the state directory, and wins.
 */
#ifndef MIGD_POLICY_H
#define MIGD_POLICY_H

#include <stddef.h>
#include <stdint.h>

#include "ini.h"

/* The module's own limits of a deadline. */
#define POLICY_DEADLINE_MIN	1000ULL
#define POLICY_DEADLINE_MAX	60000000ULL
/* As MaxJobs=. */
#define POLICY_USER_JOBS_MAX	64
/* Of the two seconds of a window. */
#define POLICY_PRESSURE_MAX	2000000ULL
/* As of the scheduler. */
#define POLICY_NICE_MAX		19

struct policy {
	char default_engine[INI_TEXT_LEN];	/* auto, cpu, dma or a channel */
	uint64_t deadline_usec;			/* of a batch, from locking it */
	uint32_t batch_pages;			/* most pages locked in one batch */
	uint32_t jobs_per_user;			/* that run, of one user who is not root */
	uint64_t max_rate;			/* bytes per second, 0 for no limit */
	uint64_t total_rate;			/* of all jobs together, 0 for no limit */
	uint32_t nice;				/* no job has less */
	uint64_t pressure_usec;			/* of stall at which jobs back off; 0: never */
};

/* Keys of a policy at @base + offset of its struct policy, for a table. */
#define POLICY_KEYS(off) \
	{ "Policy", "DefaultEngine", INI_TEXT, \
	  (off) + offsetof(struct policy, default_engine), .check = policy_check_engine }, \
	{ "Policy", "DeadlineUSec", INI_U64, (off) + offsetof(struct policy, deadline_usec), \
	  POLICY_DEADLINE_MIN, POLICY_DEADLINE_MAX }, \
	{ "Policy", "BatchPages", INI_U32, (off) + offsetof(struct policy, batch_pages), \
	  1, 4096 }, \
	{ "Policy", "MaxRate", INI_U64, (off) + offsetof(struct policy, max_rate), \
	  0, UINT64_MAX }, \
	{ "Policy", "TotalRate", INI_U64, (off) + offsetof(struct policy, total_rate), \
	  0, UINT64_MAX }, \
	{ "Policy", "Nice", INI_U32, (off) + offsetof(struct policy, nice), 0, POLICY_NICE_MAX }, \
	{ "Policy", "JobsPerUser", INI_U32, (off) + offsetof(struct policy, jobs_per_user), \
	  1, POLICY_USER_JOBS_MAX }, \
	{ "Policy", "PressureUSec", INI_U64, (off) + offsetof(struct policy, pressure_usec), \
	  0, POLICY_PRESSURE_MAX }

void policy_default(struct policy *p);

/* Is @name "auto", "cpu", "dma" or what a dmaengine channel may be called? */
int policy_check_engine(const char *name);

/* Read @dir/policy.conf over @p; no file is no error. */
int policy_load(struct policy *p, const char *dir, char *err, size_t len);

/* Write @dir/policy.conf so that a crash leaves the old one or the new one. */
int policy_save(const struct policy *p, const char *dir);

#endif /* MIGD_POLICY_H */
