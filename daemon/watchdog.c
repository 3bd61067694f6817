// SPDX-License-Identifier: GPL-2.0
/*
 * The watchdog of the service manager is fed only while every worker answers
 * and none holds a batch past its deadline.
 */
#include <systemd/sd-daemon.h>

#include "log.h"
#include "manager.h"

static bool workers_well(struct manager *m)
{
	/* The module has ended a batch by its deadline and the grace. */
	uint64_t grace_ns = m->features.grace_ms * 1000000ULL;
	uint64_t now = now_ns();

	for (unsigned int i = 0; i < m->nr_workers; i++) {
		struct worker *w = &m->workers[i];
		const char *what = NULL;

		if (!worker_alive(w))
			what = "does not answer";
		else if (worker_late(w, now, grace_ns))
			what = "holds a batch past its deadline";
		if (!what)
			continue;
		if (!m->stuck)
			log_event(LOG_ERR, &(struct log_fields) { .message_id = MSG_STUCK },
				  "the worker of queue %u %s: the watchdog is not fed", i, what);
		return false;
	}
	return true;
}

static int on_round(sd_event_source *source, uint64_t usec, void *arg)
{
	struct manager *m = arg;
	bool well = workers_well(m);

	if (well)
		sd_notify(0, "WATCHDOG=1");
	m->stuck = !well;
	for (unsigned int i = 0; i < m->nr_workers; i++)
		if (worker_alive(&m->workers[i]))
			worker_ping(&m->workers[i]);
	sd_event_source_set_time_relative(source, m->watchdog_usec / 4);
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

int watchdog_start(struct manager *m)
{
	int r;

	r = sd_watchdog_enabled(0, &m->watchdog_usec);
	if (r <= 0)
		return r;
	return sd_event_add_time_relative(m->event, &m->watchdog, CLOCK_MONOTONIC,
					  m->watchdog_usec / 4, 0, on_round, m);
}
