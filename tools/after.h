/* SPDX-License-Identifier: GPL-2.0 */
/* What follows a move: its pages are counted again, later. */
#ifndef MIGCTL_AFTER_H
#define MIGCTL_AFTER_H

#include <jansson.h>
#include <stdbool.h>

#include "recount.h"

struct job;
struct request;

/*
 * struct after - from the end of a job to the second count
 *
 * @recount:	the first count
 * @moved:	pages that the job moved
 * @waits:	there is something to wait for and to count again
 */
struct after {
	struct recount recount;
	__u64 moved;
	bool waits;
};

/*
 * Count what @job has moved, of which the daemon says @object, for the first time, if
 * @q asks for it. Returns the exit code, which is @code unless something is wrong.
 */
int after_begin(struct after *a, const struct request *q, const struct job *job,
		const json_t *object, int code);

/*
 * Wait, or until an interrupt, count again and tell; the JSON gets a member of it.
 * Nothing of the bus is needed for it. Returns as after_begin().
 */
int after_end(struct after *a, const struct request *q, json_t *object, int code);

void after_done(struct after *a);

#endif /* MIGCTL_AFTER_H */
