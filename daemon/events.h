/* SPDX-License-Identifier: GPL-2.0 */
/* The module's events, from its multicast group, on the event loop. */
#ifndef MIGD_EVENTS_H
#define MIGD_EVENTS_H

#include <systemd/sd-event.h>

#include "netlink.h"

/* Who takes the events; every hook is required and called on the event loop. */
struct events_ops {
	/* Progress: id, state, total, moved and passes are set. */
	void (*job_progress)(const struct nl_job *job, void *arg);
	/* The job has ended; everything is set. */
	void (*job_done)(const struct nl_job *job, void *arg);
	/* A COPY failed: id, name and error are set. */
	void (*engine_fault)(const struct nl_channel *channel, void *arg);
	/* The module ended a batch: id and the three rescue fields are set. */
	void (*batch_rescued)(const struct nl_job *job, void *arg);
	/* Quarantine of a channel changed: id, name and quarantined are set. */
	void (*quarantine)(const struct nl_channel *channel, void *arg);
	/* A server has gone: its pid. */
	void (*server_lost)(uint32_t pid, void *arg);
	/* Events were lost; read everything again. */
	void (*overrun)(void *arg);
};

struct events;

int events_open(struct events **ret, sd_event *event, const struct events_ops *ops, void *arg);
void events_close(struct events *ev);

#endif /* MIGD_EVENTS_H */
