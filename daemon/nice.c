// SPDX-License-Identifier: GPL-2.0
/* The share of CPU time of jobs. */
#include <errno.h>
#include <string.h>

#include "log.h"
#include "nice.h"
#include "route.h"

void nice_settle(struct manager *m)
{
	int r = m->nl ? nl_set_nice(m->nl, m->policy.nice) : 0;

	/* A module from before it knew of it keeps jobs to none, which 0 is. */
	if (r < 0 && m->policy.nice)
		log_warn("the kernel module does not keep jobs to Nice=%u (%s): is it of the daemon's version? See migctl doctor",
			 m->policy.nice, strerror(-r));
	for (struct job *job = m->jobs; job; job = job->next)
		if (!job->done)
			route_change(m, job);
}

uint32_t nice_of(const struct manager *m, uint32_t asked)
{
	return asked > m->policy.nice ? asked : m->policy.nice;
}

uint64_t nice_worth(uint64_t cpu_ns, uint32_t nice)
{
	while (nice--)
		cpu_ns += cpu_ns / 4;
	return cpu_ns;
}
