/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Jobs under memory pressure: at each window of pressure the rate of a job is
 * halved, down to a floor, and after each quiet time it is doubled, until it is
 * what it was. A job never waits for pressure to end: it may be the one that
 * relieves it, as when memory leaves a node that is full.
 */
#ifndef MIGD_BACKOFF_H
#define MIGD_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

struct job;
struct manager;

/* No job is slowed to less, in bytes per second. */
#define BACKOFF_FLOOR		(16ULL << 20)
/* Sustained pressure is told of every second window at least, so longer than that. */
#define BACKOFF_QUIET_USEC	5000000ULL

enum pressure {
	PRESSURE_NONE,
	PRESSURE_SYSTEM,
	PRESSURE_CGROUP,		/* of the process */
};

/*
 * struct backoff - of one job
 *
 * @why:	PRESSURE_NONE: it does not back off
 * @most:	bytes per second that it may have
 * @before:	what it had when it began
 * @cut_ns:	when it was halved last
 * @heard_ns:	when there was pressure last, or it was doubled
 */
struct backoff {
	enum pressure why;
	uint64_t most, before;
	uint64_t cut_ns, heard_ns;
};

/* Half of @rate, but not less than the floor. */
uint64_t backoff_half(uint64_t rate);
/* What a job that asks for @asked (0: all there is) is to have for now. */
uint64_t backoff_rate(const struct backoff *b, uint64_t asked);
/* A quiet time has passed. False: the job need not back off any more. */
bool backoff_double(struct backoff *b, uint64_t asked);

/* There is pressure: slow @job down. */
void backoff_begin(struct manager *m, struct job *job, enum pressure why);
/* Those that have had their quiet time go faster; a timer calls it. */
void backoff_quiet(struct manager *m);
/* Nobody asks for it any more: all jobs go on as they were. */
void backoff_end_all(struct manager *m);
void backoff_free(struct manager *m);

#endif /* MIGD_BACKOFF_H */
