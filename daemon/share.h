/* SPDX-License-Identifier: GPL-2.0 */
/*
 * TotalRate=: what all jobs move together. The module keeps each job to a rate;
 * this splits the total among those that run, anew whenever one begins, ends,
 * waits, goes on or asks for another rate. What a job asked for is kept in the
 * runtime directory meanwhile: the module knows its share only.
 */
#ifndef MIGD_SHARE_H
#define MIGD_SHARE_H

#include "job.h"

/*
 * The most that any of @n jobs may have, so that together they have @total at
 * most; 0: what they ask for is not too much. 0 in @asked: as much as there is.
 */
uint64_t share_level(uint64_t total, const uint64_t *asked, size_t n);

/* Room for one more that asks for @asked: what it gets. */
uint64_t share_make_room(struct manager *m, uint64_t asked);
/* Each gets what is its share now; those that lose before those that win. */
void shares_settle(struct manager *m);
/* The others give way for what @job asks now: what it gets. */
uint64_t share_give_way(struct manager *m, struct job *job);

/* What job @id asked for, by the daemon before; else @rate. */
uint64_t share_asked(struct manager *m, uint64_t id, uint64_t rate);
void shares_free(struct manager *m);

#endif /* MIGD_SHARE_H */
