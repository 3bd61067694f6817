// SPDX-License-Identifier: GPL-2.0
/* Serving the module: the device, the control socket, the workers. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "bus.h"
#include "group.h"
#include "job.h"
#include "log.h"
#include "nice.h"
#include "route.h"
#include "manager.h"

static unsigned int nr_cpus(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n > 0 ? n : 1;
}

static unsigned int nr_queues(const struct conf *c)
{
	unsigned int n = c->queues ? c->queues : nr_cpus() / 2;

	if (n < 1)
		return 1;
	return n > MIGD_MAX_QUEUES ? MIGD_MAX_QUEUES : n;
}

static unsigned int nr_cpu_copies(const struct conf *c)
{
	unsigned int n = c->cpu_copies ? c->cpu_copies : nr_cpus() / 4;

	if (n < 1)
		return 1;
	return n > 16 ? 16 : n;
}

static int open_control(struct manager *m, struct fault *f)
{
	int r;

	/* The module that was there last may be gone. */
	m->features = (struct nl_features) { .abi_version = 0 };
	r = nl_ctl_open(&m->nl);
	if (r == -ENOENT)
		return fault_set(f, FAULT_MODULE_MISSING,
				 "the kernel module migd is not loaded: modprobe migd");
	if (r < 0)
		return fault_set(f, FAULT_FAILED, "generic netlink does not answer (%s)",
				 strerror(-r));
	r = nl_get_features(m->nl, &m->features);
	if (r == -EPERM)
		return fault_set(f, FAULT_FAILED,
				 "the daemon lacks CAP_SYS_NICE: start it by systemctl start migd");
	if (r < 0)
		return fault_set(f, FAULT_FAILED, "the kernel module does not answer (%s): see dmesg",
				 strerror(-r));
	if (m->features.abi_version != MIGD_ABI_VERSION)
		return fault_set(f, FAULT_VERSION_MISMATCH,
				 "daemon " MIGD_VERSION " speaks device ABI %u but the kernel module %s speaks %u: install both from one version, then modprobe -r migd; systemctl restart migd",
				 MIGD_ABI_VERSION, m->features.version, m->features.abi_version);
	return 0;
}

static int open_device(struct manager *m, struct fault *f)
{
	uint32_t pages = m->conf.batch_pages;

	if (m->features.max_batch_pages && pages > m->features.max_batch_pages)
		pages = m->features.max_batch_pages;
	return device_open(&m->device, nr_queues(&m->conf), m->conf.depth, pages, f);
}

static void log_fallback(struct manager *m, const struct note *note)
{
	const char *name = m->roster.channel[note->channel].name;
	struct log_fields fields = {
		.message_id = MSG_COPY_FALLBACK, .job = note->job, .engine = name,
	};

	log_event(LOG_NOTICE, &fields,
		  "%u pages of job %llu went to the CPU: their COPY on %s failed (%s)",
		  note->pages, (unsigned long long)note->job, name, strerror(-note->err));
}

/* Take the notes of a worker; an error when it cannot go on. */
static int take_notes(struct manager *m, struct worker *w)
{
	struct note note;
	uint32_t dropped;

	while (notes_get(&w->notes, &note)) {
		if (note.kind == NOTE_FALLBACK) {
			log_fallback(m, &note);
			continue;
		}
		log_err("queue %u cannot go on (%s%s): restarting", note.queue,
			note.kind == NOTE_SLOT_DEAD ? "the kernel module refuses a slot, " : "",
			strerror(-note.err));
		return note.err;
	}
	dropped = atomic_exchange(&w->notes.dropped, 0);
	if (dropped)
		log_warn("%u notes of queue %u were lost: more COPYs failed than are told", dropped,
			 w->queue);
	return 0;
}

static int on_notes(sd_event_source *source, int fd, uint32_t revents, void *arg)
{
	struct manager *m = arg;
	eventfd_t value;

	eventfd_read(fd, &value);
	for (unsigned int i = 0; i < m->nr_workers; i++)
		/* Restarted, we begin anew with a fresh device. */
		if (take_notes(m, &m->workers[i]) < 0)
			return sd_event_exit(m->event, EXIT_FAILURE);
	return 0;
}

static int start_workers(struct manager *m, struct fault *f)
{
	unsigned int nr = m->device.setup.nr_queues;
	int r;

	m->notes_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (m->notes_fd < 0)
		return fault_set(f, FAULT_FAILED, "eventfd: %s", strerror(errno));
	r = sd_event_add_io(m->event, &m->notes_source, m->notes_fd, EPOLLIN, on_notes, m);
	if (r < 0)
		return fault_set(f, FAULT_FAILED, "sd-event: %s", strerror(-r));
	m->workers = calloc(nr, sizeof(*m->workers));
	if (!m->workers)
		return fault_set(f, FAULT_FAILED, "the daemon is out of memory");

	for (unsigned int i = 0; i < nr; i++) {
		struct worker *w = &m->workers[i];

		w->queue = i;
		w->depth = m->device.setup.depth;
		w->cpu_copies = nr_cpu_copies(&m->conf);
		w->stripe_pages = m->conf.stripe_pages;
		w->device = &m->device;
		w->roster = &m->roster;
		w->jobtab = &m->jobtab;
		w->notes.wake_fd = m->notes_fd;
		r = worker_start(w);
		if (r == -EPERM)
			return fault_set(f, FAULT_FAILED,
					 "the kernel refuses io_uring to the daemon: set kernel.io_uring_disabled to 0");
		if (r < 0)
			return fault_set(f, FAULT_FAILED, "worker %u cannot start (%s)", i,
					 strerror(-r));
		m->nr_workers++;
	}
	return 0;
}

static int try_start(struct manager *m, struct fault *f)
{
	int r;

	r = open_control(m, f);
	if (r < 0)
		return r;
	/* First, so that the event that frees the device is not missed. */
	events_close(m->events);
	m->events = NULL;
	r = events_open(&m->events, m->event, &job_events, m);
	if (r < 0)
		return fault_set(f, FAULT_FAILED, "the kernel module's events cannot be had (%s)",
				 strerror(-r));
	r = open_device(m, f);
	if (r < 0)
		return r;
	r = claim_channels(m);
	if (r < 0)
		return fault_set(f, FAULT_FAILED, "the engines cannot be listed (%s): see dmesg",
				 strerror(-r));
	engine_default_changed(m);
	nice_settle(m);
	r = jobs_import(m);
	if (r < 0)
		return fault_set(f, FAULT_FAILED, "the jobs cannot be listed (%s): see dmesg",
				 strerror(-r));
	return start_workers(m, f);
}

void serve_tell(struct manager *m)
{
	struct log_fields fields = { .message_id = NULL };

	if (m->ready || m->why_told)
		return;
	m->why_told = true;
	if (m->why_not.id == FAULT_MODULE_MISSING)
		fields.message_id = MSG_MODULE_MISSING;
	else if (m->why_not.id == FAULT_VERSION_MISMATCH)
		fields.message_id = MSG_VERSION_MISMATCH;
	log_event(LOG_ERR, &fields, "%s", m->why_not.text);
}

int serve_start(struct manager *m)
{
	struct fault f = { .id = FAULT_NONE };
	int r;

	r = try_start(m, &f);
	if (r < 0) {
		serve_stop(m);
		/* Every caller of a job has it tried again; mostly it fails as before. */
		if (strcmp(m->why_not.text, f.text)) {
			m->why_not = f;
			m->why_told = false;
			manager_status(m);
			bus_ready_changed(m);
		}
		return r;
	}
	m->why_not = (struct fault) { .id = FAULT_NONE };
	m->ready = true;
	log_event(LOG_INFO, &(struct log_fields) { .message_id = MSG_SERVING },
		  "serving kernel module %s: %u queues of %u slots, batches of %u pages, %u engines",
		  m->features.version, m->nr_workers, m->device.setup.depth,
		  m->device.setup.max_batch_pages, m->nr_engines);
	manager_status(m);
	bus_ready_changed(m);
	groups_served(m);
	return 0;
}

void serve_stop(struct manager *m)
{
	route_stop(m);
	renew_stop(m);
	for (unsigned int i = 0; i < m->nr_workers; i++)
		worker_stop(&m->workers[i]);
	m->nr_workers = 0;
	free(m->workers);
	m->workers = NULL;
	m->notes_source = sd_event_source_disable_unref(m->notes_source);
	if (m->notes_fd >= 0)
		close(m->notes_fd);
	m->notes_fd = -1;
	if (m->nl && m->ready)
		claim_release(m);
	device_close(&m->device);
	nl_ctl_close(m->nl);
	m->nl = NULL;
	m->ready = false;
}

int serve_ensure(struct manager *m, struct fault *f)
{
	int r;

	if (m->ready)
		return 0;
	r = serve_start(m);
	if (r < 0)
		*f = m->why_not;
	return r;
}
