/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Nice: the share of CPU time that jobs have. The module keeps each to its own, or
 * to the policy's Nice= where that is more; what the daemon itself does with
 * move_pages(2) is kept to it in route.c.
 */
#ifndef MIGD_NICE_H
#define MIGD_NICE_H

#include "job.h"

/* The policy's Nice= holds, for the jobs that run as well. */
void nice_settle(struct manager *m);

/* That of a job which asks for @asked. */
uint32_t nice_of(const struct manager *m, uint32_t asked);

/* The time, in ns, of which @cpu_ns is the share of @nice; as in kmod/pace.c. */
uint64_t nice_worth(uint64_t cpu_ns, uint32_t nice);

#endif /* MIGD_NICE_H */
