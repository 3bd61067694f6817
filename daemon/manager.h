/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The manager owns everything the daemon has: the event loop, the bus, the
 * device, the control socket, the workers and the jobs. One instance, made by
 * main() and passed on; there are no globals.
 */
#ifndef MIGD_MANAGER_H
#define MIGD_MANAGER_H

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "conf.h"
#include "device.h"
#include "errors.h"
#include "events.h"
#include "jobtab.h"
#include "netlink.h"
#include "policy.h"
#include "roster.h"
#include "worker.h"

struct auth_query;
struct group;
struct job;
struct json_t;
struct route;

struct manager {
	const char *conf_path;
	bool conf_must;			/* it was named on the command line */
	const char *state_dir;		/* of policy.conf */
	const char *run_dir;		/* of the groups */
	struct conf conf;
	struct policy policy;

	sd_event *event;
	sd_bus *bus;
	bool announced;			/* the bus name is ours, READY=1 is sent */
	sd_event_source *settle;	/* bounds the wait for a device that is about to be ours */
	sd_event_source *dev_watch;	/* inotify on /dev */
	sd_event_source *retry;		/* serve again after this round */
	sd_event_source *watchdog;
	uint64_t watchdog_usec;
	bool stuck;			/* said that a worker does not answer */

	/* What serving needs; all there while @ready. */
	bool ready;
	struct fault why_not;		/* while not ready */
	bool why_told;			/* it was logged */
	struct device device;
	struct nl_ctl *nl;
	struct events *events;		/* from the first try on */
	struct nl_features features;
	struct worker *workers;
	unsigned int nr_workers;
	int notes_fd;
	sd_event_source *notes_source;
	struct jobtab jobtab;
	struct roster roster;
	sd_event_source *renewal;	/* when to look after channels that leave */

	/* The engines as last dumped; the CPU is among them. */
	struct nl_channel engines[ROSTER_MAX + 1];
	unsigned int nr_engines;
	uint64_t engines_ns;		/* when; 0: never */

	struct job *jobs;		/* by id, the newest last */
	unsigned int nr_active, nr_finished;
	uint64_t last_job;		/* the largest id seen */
	struct route *routes;		/* of jobs whose large folios move */
	struct json_t *rates;		/* share.c: what jobs asked for, as kept */
	bool rates_told;		/* that it cannot be kept */
	struct json_t *owners;		/* owner.c: whose jobs are, as kept */
	sd_event_source *system_pressure; /* the trigger, while jobs run */
	sd_event_source *listen;	/* when the next job is listened for */
	uint64_t pressure_usec;		/* its threshold */
	bool pressure_told;		/* that there is none */
	sd_event_source *status;	/* when it is told */
	sd_event_source *quiet;		/* the next job that backs off has had its quiet time */

	struct {
		struct auth_query *queries;	/* calls that wait for polkit */
		struct auth_query *current;	/* the one it has allowed */
		uint64_t last;
		uint64_t usec;			/* to wait; 0: as long as it may take */
	} auth;

	struct group *groups;		/* by id, the newest last */
	uint64_t last_group;
	sd_event_source *group_step;	/* take the groups one step further */
};

/* Everything but serving. 0 or a negative errno, which has been logged. */
int manager_new(struct manager **ret, const char *conf_path, bool conf_must);
void manager_free(struct manager *m);

/* Serve until a signal ends it; the exit status. */
int manager_run(struct manager *m);

/* Something may have made serving possible: try on the next round. */
void manager_retry(struct manager *m);

/* STATUS= of systemctl status: now, or once for all that changes in a moment. */
void manager_status(struct manager *m);
void manager_status_soon(struct manager *m);

/* serve.c: open the module and start the workers; @m->why_not on failure. */
int serve_start(struct manager *m);
/* Log why it is not served, once per reason. */
void serve_tell(struct manager *m);
void serve_stop(struct manager *m);
/* Try again if it is not served; 0 when it is, else @f says why not. */
int serve_ensure(struct manager *m, struct fault *f);

/* claim.c: the channels. */
int claim_channels(struct manager *m);
void claim_release(struct manager *m);
/* Claim @name, whatever migd.conf says of it. */
int claim_channel(struct manager *m, const char *name, struct fault *f);
/* Read the engines again if they are older than @max_age_ns. */
int engines_refresh(struct manager *m, uint64_t max_age_ns);
const struct nl_channel *engine_find(const struct manager *m, const char *name);
/* enum choice of an engine's name, or CHOICE_AUTO and -ENODEV. */
int engine_choice(const struct manager *m, const char *name, uint32_t *ret);
/* The policy's engine, or auto while that is not there. */
const char *engine_default(const struct manager *m, uint32_t *ret_choice);
/* Tell the workers of a policy that may be new. */
void engine_default_changed(struct manager *m);

/*
 * renew.c: give channel @name back; @msg is answered when that is done. On an
 * error @f says why not.
 */
int renew_release(struct manager *m, const char *name, sd_bus_message *msg, struct fault *f);
/* Claim @c anew if too much is held for it. */
void renew_spoiled(struct manager *m, const struct nl_channel *c);
void renew_stop(struct manager *m);

/* watchdog.c */
int watchdog_start(struct manager *m);

uint64_t now_ns(void);

#endif /* MIGD_MANAGER_H */
