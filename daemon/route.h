/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a job has left in large folios, which the module would split, and what
 * has memory tags, which its copies would lose: moved by move_pages(2). One
 * thread for each such job; the module keeps the account, so a new daemon goes
 * on where the last one was.
 */
#ifndef MIGD_ROUTE_H
#define MIGD_ROUTE_H

#include "job.h"

/* The job is in state routing: begin, unless a thread is at it. Main thread. */
void route_begin(struct manager *m, const struct job *job);
/* The job's limits have changed, or it is to wait or go on. */
void route_change(struct manager *m, const struct job *job);
/* The job is cancelled: what is paused or pays for what it moved ends, too. */
void route_cancel(struct manager *m, const struct job *job);
/* The job has ended. Waits for its thread, which is about to end. */
void route_end(struct manager *m, uint64_t id);
/* The daemon stops serving: end all threads; their jobs wait for the next. */
void route_stop(struct manager *m);

#endif /* MIGD_ROUTE_H */
