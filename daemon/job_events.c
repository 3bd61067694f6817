// SPDX-License-Identifier: GPL-2.0
/* The events of the module: of jobs, of engines, of what it had to end by itself. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "bus.h"
#include "job.h"
#include "log.h"
#include "names.h"

static void on_progress(const struct nl_job *nl, void *arg)
{
	job_progressed(arg, nl);
}

static void on_done(const struct nl_job *nl, void *arg)
{
	job_heard(arg, nl);
}

static void on_engine_fault(const struct nl_channel *channel, void *arg)
{
	struct log_fields fields = { .message_id = MSG_ENGINE_FAULT, .engine = channel->name };
	struct manager *m = arg;

	if (channel->error == EILSEQ) {
		fields.message_id = MSG_DISABLED;
		log_event(LOG_ERR, &fields,
			  "%s called a copy complete that was wrong, and is disabled: find out why before migctl engines release and claim",
			  channel->name);
	} else {
		log_event(LOG_WARNING, &fields, "a COPY failed on %s: %s; the channel rests",
			  channel->name, strerror(channel->error));
	}
	bus_engine_fault(m, channel);
	engines_refresh(m, 0);
}

static void on_rescued(const struct nl_job *nl, void *arg)
{
	struct log_fields fields = { .message_id = MSG_BATCH_RESCUED, .job = nl->id };
	struct manager *m = arg;
	struct job *job = job_find(m, nl->id);

	if (job)
		fields.pid = job->nl.pid;
	log_event(LOG_WARNING, &fields,
		  "the kernel module ended a batch of job %llu (%s): %llu pages moved, %llu put back",
		  (unsigned long long)nl->id, name_rescue(nl->rescue_cause),
		  (unsigned long long)nl->rescued_moved,
		  (unsigned long long)nl->rescued_put_back);
	bus_batch_rescued(m, nl);
}

static void on_quarantine(const struct nl_channel *channel, void *arg)
{
	struct log_fields fields = { .message_id = MSG_QUARANTINE, .engine = channel->name };
	struct manager *m = arg;

	if (channel->quarantined)
		log_event(LOG_WARNING, &fields,
			  "%llu pages are in quarantine: %s may still write them",
			  (unsigned long long)channel->quarantined, channel->name);
	else
		log_event(LOG_NOTICE, &fields, "%s is quiet; its quarantine is over",
			  channel->name);
	bus_quarantine(m, channel);
	engines_refresh(m, 0);
}

static void on_server_lost(uint32_t pid, void *arg)
{
	struct manager *m = arg;

	if (pid == (uint32_t)getpid())
		return;
	log_info("the kernel module lost its former daemon, process %u", pid);
	if (!m->ready)
		manager_retry(m);
}

static void on_overrun(void *arg)
{
	struct manager *m = arg;

	/* Not served: everything is read at the start of that. */
	if (!m->nl)
		return;
	log_warn("events of the kernel module were lost; reading everything again");
	jobs_import(m);
	engines_refresh(m, 0);
}

const struct events_ops job_events = {
	.job_progress = on_progress,
	.job_done = on_done,
	.engine_fault = on_engine_fault,
	.batch_rescued = on_rescued,
	.quarantine = on_quarantine,
	.server_lost = on_server_lost,
	.overrun = on_overrun,
};
