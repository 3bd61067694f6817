// SPDX-License-Identifier: GPL-2.0
/* Who hears of memory pressure: the jobs that run. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "backoff.h"
#include "cgroup.h"
#include "job.h"
#include "log.h"
#include "pressure.h"
#include "psi.h"

#define SYSTEM_FILE	"/proc/pressure/memory"

/*
 * The kernel looks once in a window whether to tell, and to listen takes files, a
 * trigger and the path of a cgroup: not worth it for a job that ends sooner.
 */
#define LISTEN_AFTER_USEC	(PSI_WINDOW_USEC / 8)

/* The memory.events of one cgroup. */
struct level {
	struct level *next;
	sd_event_source *source;
};

/*
 * struct job_watch - of one job
 *
 * @fd:		memory.pressure of the cgroup of the process
 * @levels:	of that cgroup and those above it
 */
struct job_watch {
	struct manager *m;
	struct job *job;
	int fd;
	struct psi_window window;
	struct level *levels;
};

static int on_system(sd_event_source *source, int fd, uint32_t events, void *arg)
{
	struct manager *m = arg;

	if (events & EPOLLERR) {
		log_warn(SYSTEM_FILE " tells no more: jobs do not back off for the system's pressure");
		sd_event_source_set_enabled(source, SD_EVENT_OFF);
		return 0;
	}
	for (struct job *job = m->jobs; job; job = job->next)
		backoff_begin(m, job, PRESSURE_SYSTEM);
	return 0;
}

static int open_trigger(uint64_t threshold)
{
	char text[64];
	int fd, r;

	fd = open(SYSTEM_FILE, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	snprintf(text, sizeof(text), "some %llu %llu", (unsigned long long)threshold,
		 PSI_WINDOW_USEC);
	if (write(fd, text, strlen(text) + 1) >= 0)
		return fd;
	r = -errno;
	close(fd);
	return r;
}

static void watch_system(struct manager *m)
{
	int fd, r;

	if (m->system_pressure && m->pressure_usec == m->policy.pressure_usec)
		return;
	m->system_pressure = sd_event_source_disable_unref(m->system_pressure);
	fd = open_trigger(m->policy.pressure_usec);
	r = fd < 0 ? fd : sd_event_add_io(m->event, &m->system_pressure, fd, EPOLLPRI, on_system,
					  m);
	if (r < 0) {
		if (fd >= 0)
			close(fd);
		if (!m->pressure_told)
			log_info("jobs do not back off for the system's memory pressure: %s gives no trigger (%s)",
				 SYSTEM_FILE, strerror(-r));
		m->pressure_told = true;
		return;
	}
	sd_event_source_set_io_fd_own(m->system_pressure, true);
	m->pressure_usec = m->policy.pressure_usec;
}

static int read_total(int fd, uint64_t *ret)
{
	char text[256];
	ssize_t n;

	n = pread(fd, text, sizeof(text) - 1, 0);
	if (n < 0)
		return -errno;
	text[n] = '\0';
	return psi_total(text, ret);
}

static int on_limit(sd_event_source *source, const struct inotify_event *event, void *arg)
{
	struct job_watch *w = arg;
	uint64_t total;

	/* It fails when the cgroup has gone, and then there is nothing to do. */
	if (read_total(w->fd, &total) < 0)
		return 0;
	if (psi_too_much(&w->window, now_ns() / 1000, total, w->m->policy.pressure_usec))
		backoff_begin(w->m, w->job, PRESSURE_CGROUP);
	return 0;
}

static void add_level(struct job_watch *w, const char *group)
{
	struct level *level = calloc(1, sizeof(*level));
	char path[PATH_MAX];

	snprintf(path, sizeof(path), CGROUP_ROOT "%s/memory.events", group);
	/* Where the memory controller is off there is no such file. */
	if (!level || sd_event_add_inotify(w->m->event, &level->source, path, IN_MODIFY, on_limit,
					   w) < 0) {
		free(level);
		return;
	}
	level->next = w->levels;
	w->levels = level;
}

void pressure_forget(struct job *job)
{
	struct job_watch *w = job->watch;
	struct level *next;

	job->watch = NULL;
	if (!w)
		return;
	for (struct level *level = w->levels; level; level = next) {
		next = level->next;
		sd_event_source_disable_unref(level->source);
		free(level);
	}
	if (w->fd >= 0)
		close(w->fd);
	free(w);
}

/* A job whose process is in no cgroup, or has gone, gets a watch that hears nothing. */
static void watch_job(struct manager *m, struct job *job)
{
	char group[CGROUP_PATH_LEN], path[PATH_MAX], *slash;
	struct job_watch *w;

	w = calloc(1, sizeof(*w));
	if (!w)
		return;
	w->m = m;
	w->job = job;
	job->watch = w;
	cgroup_of("", job->nl.pid, group);
	snprintf(path, sizeof(path), CGROUP_ROOT "%s/memory.pressure", group);
	w->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (w->fd < 0 || read_total(w->fd, &w->window.total) < 0)
		return;
	w->window.start_usec = now_ns() / 1000;
	while ((slash = strrchr(group, '/')) && slash[1]) {
		add_level(w, group);
		*slash = '\0';
	}
}

static int on_listen(sd_event_source *source, uint64_t usec, void *arg)
{
	pressure_settle(arg);
	return 0;
}

static void listen_at(struct manager *m, uint64_t usec)
{
	m->listen = sd_event_source_disable_unref(m->listen);
	if (usec != UINT64_MAX &&
	    sd_event_add_time(m->event, &m->listen, CLOCK_MONOTONIC, usec, 1, on_listen, m) < 0)
		log_warn("the daemon cannot wait to listen for memory pressure: the job that has just begun does not back off");
}

void pressure_settle(struct manager *m)
{
	uint64_t now = now_ns() / 1000, first = UINT64_MAX;
	bool on = m->policy.pressure_usec, any = false;

	if (!m->event)
		return;
	for (struct job *job = m->jobs; job; job = job->next) {
		if (!on || job->done) {
			pressure_forget(job);
			continue;
		}
		if (!job->listen_usec)
			job->listen_usec = now + LISTEN_AFTER_USEC;
		if (!job->watch && job->listen_usec <= now) {
			/* Tried again where there is no memory for it. */
			job->listen_usec = now + LISTEN_AFTER_USEC;
			watch_job(m, job);
		}
		if (job->watch)
			any = true;
		else if (job->listen_usec < first)
			first = job->listen_usec;
	}
	listen_at(m, first);
	if (any)
		watch_system(m);
	else
		m->system_pressure = sd_event_source_disable_unref(m->system_pressure);
	if (!on)
		backoff_end_all(m);
}

void pressure_free(struct manager *m)
{
	for (struct job *job = m->jobs; job; job = job->next)
		pressure_forget(job);
	m->system_pressure = sd_event_source_disable_unref(m->system_pressure);
	listen_at(m, UINT64_MAX);
	backoff_free(m);
}
