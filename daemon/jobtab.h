/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which engine each job asked for. The main thread writes, workers look up.
 *
 * A job's first batch may reach a worker before the main thread has read the
 * job's id from the answer to its submission. So the main thread says before
 * it submits what the next unknown job wants; no worker waits.
 */
#ifndef MIGD_JOBTAB_H
#define MIGD_JOBTAB_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define JOBTAB_MAX	128

/* An engine as a job names it: one of these, or CHOICE_CHANNEL + its index. */
enum choice {
	CHOICE_AUTO,
	CHOICE_CPU,
	CHOICE_DMA,
	CHOICE_CHANNEL,
};

struct jobtab {
	pthread_mutex_t lock;		/* held for a look, never over a call */
	struct {
		uint64_t job;		/* 0: free */
		uint32_t choice;
	} entry[JOBTAB_MAX];
	bool expecting;
	uint32_t expected;		/* choice of a job about to be known */
	uint32_t fallback;		/* the policy's: for jobs not known */
};

void jobtab_init(struct jobtab *t);
void jobtab_destroy(struct jobtab *t);

void jobtab_set_default(struct jobtab *t, uint32_t choice);

/* A job with @choice is about to be submitted. */
void jobtab_expect(struct jobtab *t, uint32_t choice);

/* It has the id @job, or 0 if it was refused. */
void jobtab_learn(struct jobtab *t, uint64_t job, uint32_t choice);

void jobtab_forget(struct jobtab *t, uint64_t job);

uint32_t jobtab_choice(struct jobtab *t, uint64_t job);

#endif /* MIGD_JOBTAB_H */
