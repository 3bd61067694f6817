/* SPDX-License-Identifier: GPL-2.0 */
/* Starting a job, or a group, and waiting for its outcome. */
#ifndef MIGCTL_FOLLOW_H
#define MIGCTL_FOLLOW_H

#include <stdbool.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "job.h"
#include "progress.h"

struct client;

/*
 * struct follow - one job or group, from its submission to its outcome
 *
 * @client:	the connection, attached to @event
 * @event:	the loop that follow_run() runs
 * @progress:	what the person sees
 * @job:	the job as last told, its kind set before; its id is 0 until the
 *		service has answered
 * @no_block:	end as soon as there is an id
 * @away_usec:	how long to wait for a daemon that has gone
 * @away:	the timer of that wait, on while the daemon is gone or without the job
 * @ticker:	redraws a bar though nothing has changed
 * @interrupts:	SIGINT and SIGTERM so far
 * @cancel_sent: the daemon that is there has been asked to cancel
 * @ended:	the loop is over, with exit code @code
 * @lost:	the loop ended without an outcome, why has been said
 */
struct follow {
	struct client *client;
	sd_event *event;
	struct progress progress;
	struct job job;
	bool no_block;
	__u64 away_usec;
	sd_event_source *away;
	sd_event_source *ticker;
	unsigned int interrupts;
	bool cancel_sent;
	bool ended;
	int code;
	bool lost;
};

/*
 * Listen; @f has its client, kind of job, progress style and wait set. 0 or -errno,
 * nothing said.
 */
int follow_init(struct follow *f);
void follow_done(struct follow *f);

/*
 * Send the call that makes the job, and run until its outcome. Returns the exit
 * code. Unless f->lost, f->job is the job as it was when the loop ended.
 */
int follow_run(struct follow *f, sd_bus_message *call);

#endif /* MIGCTL_FOLLOW_H */
