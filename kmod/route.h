/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MIGD_ROUTE_H
#define _MIGD_ROUTE_H

#include "scan.h"

/* Will the daemon be asked to move whole what is left for @reason? */
static inline bool migd_job_routes(const struct migd_job *job,
				   enum migd_reason reason)
{
	return job->want & MIGD_JOB_FLAG_ROUTE && !migd_job_atomic(job) &&
		(reason == MIGD_REASON_HUGE || reason == MIGD_REASON_LARGE ||
		 reason == MIGD_REASON_HUGETLB || reason == MIGD_REASON_TAGGED);
}

void migd_route_begin(struct migd_job *job);
void migd_route_note(struct migd_job *job, const struct migd_left *large);
enum migd_outcome migd_route_wait(struct migd_job *job);
void migd_route_relabel(struct migd_job *job);
void migd_route_free(struct migd_job *job);

#endif /* _MIGD_ROUTE_H */
