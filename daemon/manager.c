// SPDX-License-Identifier: GPL-2.0
/* The manager: made, run, unmade. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include "auth.h"
#include "bus.h"
#include "group.h"
#include "job.h"
#include "log.h"
#include "manager.h"
#include "nice.h"
#include "pressure.h"
#include "share.h"

/* After a modprobe, udev needs a moment to give us the device: nothing to complain about. */
#define SETTLE_USEC	3000000
/* Short jobs change the status faster than anybody reads it. */
#define STATUS_USEC	250000

uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

void manager_status(struct manager *m)
{
	if (m->ready)
		sd_notifyf(0, "STATUS=Serving kernel module %s with %u engines; %u jobs run, %u have ended.",
			   m->features.version, m->nr_engines, m->nr_active, m->nr_finished);
	else
		sd_notifyf(0, "STATUS=Not serving: %s", m->why_not.text);
}

static int on_status(sd_event_source *source, uint64_t usec, void *arg)
{
	struct manager *m = arg;

	m->status = sd_event_source_disable_unref(m->status);
	manager_status(m);
	return 0;
}

void manager_status_soon(struct manager *m)
{
	if (m->status)
		return;
	if (!m->event || sd_event_add_time_relative(m->event, &m->status, CLOCK_MONOTONIC,
						    STATUS_USEC, 0, on_status, m) < 0)
		manager_status(m);
}

static void load_policy(struct manager *m)
{
	struct log_fields fields = { .message_id = MSG_CONFIG };
	char err[512];

	m->policy = m->conf.policy;
	if (policy_load(&m->policy, m->state_dir, err, sizeof(err)) < 0)
		log_event(LOG_ERR, &fields, "%s; the policy of migd.conf is used instead", err);
}

static int load_conf(struct manager *m)
{
	struct log_fields fields = { .message_id = MSG_CONFIG };
	char err[512];
	int r;

	r = conf_load(&m->conf, m->conf_path, m->conf_must, err, sizeof(err));
	if (r < 0) {
		log_event(LOG_ERR, &fields, "%s", err);
		return r;
	}
	log_set_level(conf_log_level(&m->conf));
	return 0;
}

static void reload(struct manager *m)
{
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu", (unsigned long long)now_ns() / 1000);
	if (!load_conf(m)) {
		load_policy(m);
		for (unsigned int i = 0; i < m->nr_workers; i++)
			atomic_store(&m->workers[i].stripe_pages, m->conf.stripe_pages);
		if (!m->ready && serve_start(m) < 0)
			serve_tell(m);
		else if (m->ready && claim_channels(m) < 0)
			log_warn("the engines cannot be listed: see dmesg");
		engine_default_changed(m);
		shares_settle(m);
		nice_settle(m);
		pressure_settle(m);
		bus_policy_changed(m);
		log_info("reloaded %s", m->conf_path);
	}
	sd_notify(0, "READY=1");
	manager_status(m);
}

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *si, void *arg)
{
	struct manager *m = arg;

	if (si->ssi_signo == SIGHUP) {
		reload(m);
		return 0;
	}
	return sd_event_exit(m->event, EXIT_SUCCESS);
}

static int announce(struct manager *m)
{
	int r;

	m->settle = sd_event_source_disable_unref(m->settle);
	if (m->announced)
		return 0;
	r = bus_announce(m);
	if (r < 0)
		return r;
	m->announced = true;
	sd_notify(0, "READY=1");
	manager_status(m);
	return 0;
}

/* Is a failure one that an event we wait for will cure? */
static bool will_pass(struct manager *m, int err)
{
	switch (err) {
	case -EACCES:
		/* The node is there and will be ours as soon as udev has seen it. */
		return true;
	case -ENOENT:
		/* The module is there and its node is about to be. */
		return m->features.abi_version;
	case -EBUSY:
		/* The last daemon is dead; its ring still holds the device. */
		return m->features.server_pid && kill(m->features.server_pid, 0) < 0 &&
		       errno == ESRCH;
	}
	return false;
}

/* Try to serve; callers are let in when that is decided one way or the other. */
static int settle(struct manager *m)
{
	int r = serve_start(m);

	if (m->settle && will_pass(m, r))
		return 0;
	/* systemd resolves DeviceAllow= when it starts us: let it do so again. */
	if (r == -EPERM && m->announced) {
		log_info("the kernel module came after the daemon: restarting, to be let at it");
		return r;
	}
	serve_tell(m);
	/* Two daemons are one too many. */
	if (r == -EBUSY && !m->announced)
		return r;
	return announce(m);
}

static int on_settled(sd_event_source *source, uint64_t usec, void *arg)
{
	struct manager *m = arg;

	serve_tell(m);
	return announce(m) < 0 ? sd_event_exit(m->event, EXIT_FAILURE) : 0;
}

static int start_settling(struct manager *m)
{
	if (m->settle)
		return 0;
	return sd_event_add_time_relative(m->event, &m->settle, CLOCK_MONOTONIC, SETTLE_USEC, 0,
					  on_settled, m);
}

static int on_retry(sd_event_source *source, void *arg)
{
	struct manager *m = arg;

	if (m->ready)
		return 0;
	return settle(m) < 0 ? sd_event_exit(m->event, EXIT_FAILURE) : 0;
}

void manager_retry(struct manager *m)
{
	/* Not from here: the caller is an event that a new start closes. */
	sd_event_source_set_enabled(m->retry, SD_EVENT_ONESHOT);
}

static int on_dev(sd_event_source *source, const struct inotify_event *e, void *arg)
{
	struct manager *m = arg;

	if (!e->len || strcmp(e->name, MIGD_DEVICE_NAME) || m->ready)
		return 0;
	manager_retry(m);
	return e->mask & IN_CREATE ? start_settling(m) : 0;
}

static void lock_memory(struct manager *m)
{
	struct log_fields fields = { .message_id = MSG_MEMLOCK };

	if (!m->conf.lock_memory || !mlockall(MCL_CURRENT | MCL_FUTURE))
		return;
	log_event(LOG_WARNING, &fields,
		  "memory cannot be locked (%s), so a batch may wait for the daemon's own pages: set LimitMEMLOCK=infinity in the unit, or LockMemory=no",
		  strerror(errno));
}

static int watch(struct manager *m)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP };
	sigset_t set;
	int r;

	/* Before the first thread, so that each inherits it. */
	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaddset(&set, signals[i]);
	sigaddset(&set, SIGPIPE);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		r = sd_event_add_signal(m->event, NULL, signals[i], on_signal, m);
		if (r < 0)
			return r;
	}
	r = sd_event_add_inotify(m->event, &m->dev_watch, "/dev",
				 IN_CREATE | IN_ATTRIB | IN_MOVED_TO, on_dev, m);
	if (r < 0)
		return r;
	r = start_settling(m);
	if (r < 0)
		return r;
	r = sd_event_add_defer(m->event, &m->retry, on_retry, m);
	if (r < 0)
		return r;
	sd_event_source_set_enabled(m->retry, SD_EVENT_OFF);
	r = groups_init(m);
	return r < 0 ? r : watchdog_start(m);
}

int manager_new(struct manager **ret, const char *conf_path, bool conf_must)
{
	struct manager *m;
	int r;

	m = calloc(1, sizeof(*m));
	if (!m)
		return -ENOMEM;
	m->conf_path = conf_path;
	m->conf_must = conf_must;
	m->state_dir = getenv("STATE_DIRECTORY");
	if (!m->state_dir)
		m->state_dir = MIGD_STATE_DIR;
	m->run_dir = getenv("RUNTIME_DIRECTORY");
	if (!m->run_dir)
		m->run_dir = MIGD_RUN_DIR;
	m->device.fd = -1;
	m->notes_fd = -1;
	jobtab_init(&m->jobtab);
	conf_default(&m->conf);

	r = load_conf(m);
	if (r < 0)
		goto err;
	load_policy(m);
	r = sd_event_new(&m->event);
	if (r >= 0)
		r = watch(m);
	if (r < 0) {
		log_err("the event loop cannot be made: %s", strerror(-r));
		goto err;
	}
	r = bus_open(m);
	if (r < 0)
		goto err;
	/* Before anybody can ask for them. */
	groups_load(m);
	lock_memory(m);
	*ret = m;
	return 0;

err:
	manager_free(m);
	return r;
}

int manager_run(struct manager *m)
{
	int r;

	r = settle(m);
	if (r < 0)
		return EXIT_FAILURE;
	r = sd_event_loop(m->event);
	if (r < 0)
		log_err("the event loop failed: %s", strerror(-r));
	sd_notify(0, "STOPPING=1");
	return r ? EXIT_FAILURE : EXIT_SUCCESS;
}

void manager_free(struct manager *m)
{
	if (!m)
		return;
	serve_stop(m);
	events_close(m->events);
	jobs_free(m);
	groups_free(m);
	sd_event_source_disable_unref(m->retry);
	sd_event_source_disable_unref(m->settle);
	sd_event_source_disable_unref(m->status);
	sd_event_source_disable_unref(m->dev_watch);
	sd_event_source_disable_unref(m->watchdog);
	auth_free(m);
	sd_bus_flush_close_unref(m->bus);
	sd_event_unref(m->event);
	jobtab_destroy(&m->jobtab);
	free(m);
}
