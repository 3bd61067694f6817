// SPDX-License-Identifier: GPL-2.0
/* What the module is asked of a job that runs: to end, to wait, other limits. */
#include <errno.h>
#include <string.h>

#include "bus.h"
#include "group.h"
#include "job.h"
#include "names.h"
#include "route.h"
#include "share.h"

/* Can the module be asked to change anything of it? @what: "cancel". */
static int check_runs(struct manager *m, const struct job *job, const char *what, struct fault *f)
{
	if (job->done)
		return fault_set(f, FAULT_NO_SUCH_JOB,
				 "job %llu has ended already (%s): there is nothing to %s",
				 (unsigned long long)job->nl.id, name_outcome(job->nl.outcome),
				 what);
	if (!m->nl)
		return fault_set(f, m->why_not.id, "%s", m->why_not.text);
	return 0;
}

/* What came of asking. @done: "cancelled". */
static int check_answer(struct manager *m, const struct job *job, int r, const char *done,
			struct fault *f)
{
	unsigned long long id = job->nl.id;

	/* It ended just now; its event tells how. */
	if (!r || r == -EALREADY)
		return 0;
	if (*nl_ctl_message(m->nl))
		return fault_set(f, r == -ENOENT ? FAULT_NO_SUCH_JOB : FAULT_FAILED,
				 "job %llu cannot be %s: %s", id, done, nl_ctl_message(m->nl));
	return fault_set(f, FAULT_FAILED, "job %llu cannot be %s (%s): see dmesg", id, done,
			 strerror(-r));
}

int job_cancel(struct manager *m, struct job *job, struct fault *f)
{
	int r = check_runs(m, job, "cancel", f);

	if (r >= 0)
		r = check_answer(m, job, nl_cancel(m->nl, job->nl.id), "cancelled", f);
	if (r >= 0)
		route_cancel(m, job);
	return r;
}

int job_set(struct manager *m, struct job *job, const struct nl_change *change, struct fault *f)
{
	struct nl_change to = *change;
	uint64_t asked = job->asked_rate;
	bool paused = job->nl.paused;
	int r = check_runs(m, job, "change", f);

	if (r < 0)
		return r;
	if (change->has_rate)
		job->asked_rate = change->max_rate;
	if (change->has_paused)
		job->nl.paused = change->paused;
	to.max_rate = share_give_way(m, job);
	/* One that is asked for is set, also if it seems to be: others may set it, too. */
	to.has_rate = change->has_rate || to.max_rate != job->nl.max_rate;
	r = check_answer(m, job, nl_set_job(m->nl, job->nl.id, &to), "changed", f);
	if (r < 0) {
		job->asked_rate = asked;
		job->nl.paused = paused;
		shares_settle(m);
		return r;
	}
	job->nl.max_rate = to.max_rate;
	if (change->has_deadline)
		job->nl.deadline_us = change->deadline_us;
	if (change->has_nice)
		job->nl.nice = change->nice;
	shares_settle(m);
	route_change(m, job);
	group_job_set(m, job, change);
	bus_job_changed(m, job);
	return 0;
}
