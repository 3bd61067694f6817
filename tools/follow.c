// SPDX-License-Identifier: GPL-2.0
/*
 * Starting a job, or a group of them, and waiting for its outcome.
 *
 * The job lives in the kernel module and survives the daemon; so does the wait.
 * A group is the daemon's, which finds it again when systemd has restarted it.
 * Everything here is an answer or a signal of the bus, a signal of the process
 * or the one timer that ends the wait for a daemon that does not come back.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "agent.h"
#include "client.h"
#include "follow.h"
#include "migctl.h"
#include "text.h"

#define TICK_USEC	1000000

static void finish(struct follow *f, int code)
{
	if (f->ended)
		return;
	f->ended = true;
	f->code = code;
}

static void finish_lost(struct follow *f, int code)
{
	f->lost = true;
	progress_end(&f->progress);
	finish(f, code);
}

/* Act on what is now known of the job. */
static void look(struct follow *f)
{
	if (!f->progress.started && job_is_known(&f->job))
		progress_start(&f->progress, &f->job);
	else
		progress_update(&f->progress, &f->job);
	if (job_is_done(&f->job) && f->job.outcome[0])
		finish(f, f->interrupts ? MIGCTL_CANCELLED : job_exit_code(&f->job));
}

static int on_cancelled(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	const sd_bus_error *e = sd_bus_message_get_error(m);
	struct follow *f = userdata;

	if (!e)
		return 0;
	/* It ended by itself meanwhile, or the daemon went: both are told otherwise. */
	if (client_no_object(e) || f->away) {
		f->cancel_sent = false;
		return 0;
	}
	progress_info(&f->progress, &f->job,
		      "%s %llu was not cancelled (%s): still waiting for it",
		      f->job.kind->word, f->job.id, e->message ? e->message : e->name);
	return 0;
}

static void send_cancel(struct follow *f)
{
	char path[JOB_PATH_SIZE];
	sd_bus_message *m = NULL;
	int r;

	client_job_path(path, f->job.kind, f->job.id);
	r = client_new_call(f->client, path, f->job.kind->iface, "Cancel", &m);
	if (r >= 0)
		r = sd_bus_call_async(f->client->bus, NULL, m, on_cancelled, f,
				      client_change_usec());
	sd_bus_message_unref(m);
	if (r < 0)
		progress_info(&f->progress, &f->job,
			      "%s %llu cannot be cancelled (%s): still waiting for it",
			      f->job.kind->word, f->job.id, strerror(-r));
	else
		f->cancel_sent = true;
}

static void lost_group(struct follow *f)
{
	progress_info(&f->progress, &f->job,
		      "the daemon that is back does not know group %llu, as it was stopped and not restarted: what has moved stays moved; `migctl jobs` shows the job of the moment, migrate again for the others",
		      f->job.id);
	finish_lost(f, f->job.moved ? MIGCTL_PARTLY : MIGCTL_FAILED);
}

static int on_properties(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	const sd_bus_error *e = sd_bus_message_get_error(m);
	struct follow *f = userdata;
	int r;

	/* A daemon that is back has had its groups from the start. */
	if (e && client_no_object(e) && job_is_group(&f->job) && f->away) {
		lost_group(f);
		return 0;
	}
	if (e && client_no_object(e)) {
		/* Not there yet: JobNew will tell when it is; or gone: JobRemoved has told. */
		return 0;
	}
	if (e) {
		/* The daemon went while it was asked: its return is watched for. */
		if (f->away || sd_bus_error_has_name(e, SD_BUS_ERROR_NO_REPLY))
			return 0;
		progress_end(&f->progress);
		finish_lost(f, client_fail(e, 0));
		return 0;
	}
	r = job_read_properties(&f->job, m);
	if (r < 0) {
		progress_end(&f->progress);
		finish_lost(f, client_fail(NULL, r));
		return 0;
	}
	f->away = sd_event_source_disable_unref(f->away);
	if (f->interrupts && !f->cancel_sent && !job_is_done(&f->job))
		send_cancel(f);
	look(f);
	return 0;
}

/* Ask for everything that is known of the job. */
static int ask_properties(struct follow *f)
{
	char path[JOB_PATH_SIZE];
	sd_bus_message *m = NULL;
	int r;

	client_job_path(path, f->job.kind, f->job.id);
	r = client_new_call(f->client, path, IFACE_PROPS, "GetAll", &m);
	if (r >= 0)
		r = sd_bus_message_append(m, "s", f->job.kind->iface);
	if (r >= 0)
		r = sd_bus_call_async(f->client->bus, NULL, m, on_properties, f, 0);
	sd_bus_message_unref(m);
	return r;
}

static int on_submitted(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	const sd_bus_error *e = sd_bus_message_get_error(m);
	struct follow *f = userdata;
	const char *path;
	int r;

	agent_end();
	if (e) {
		finish_lost(f, client_fail(e, 0));
		return 0;
	}
	r = sd_bus_message_read(m, "o", &path);
	if (r >= 0)
		r = client_job_id(path, f->job.kind, &f->job.id);
	if (r >= 0 && f->no_block) {
		finish(f, MIGCTL_OK);
		return 0;
	}
	if (r >= 0)
		r = ask_properties(f);
	if (r < 0)
		finish_lost(f, client_fail(NULL, r));
	return 0;
}

/* Whether a signal of a job's object is about ours. */
static bool is_ours(const struct follow *f, sd_bus_message *m)
{
	__u64 id;

	return f->job.id && !client_job_id(sd_bus_message_get_path(m), f->job.kind, &id) &&
	       id == f->job.id;
}

static int on_changed(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct follow *f = userdata;
	const char *iface;
	int r;

	if (!is_ours(f, m))
		return 0;
	r = sd_bus_message_read(m, "s", &iface);
	if (r < 0 || strcmp(iface, f->job.kind->iface))
		return 0;
	r = job_read_properties(&f->job, m);
	if (r < 0)
		return 0;
	look(f);
	return 0;
}

static void end_with(struct follow *f, const char *outcome)
{
	text_copy(f->job.state, sizeof(f->job.state), "done");
	text_copy(f->job.outcome, sizeof(f->job.outcome), outcome);
	look(f);
}

static int on_done(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct follow *f = userdata;
	const char *outcome;
	__u64 moved, left;

	if (!is_ours(f, m) || sd_bus_message_read(m, "stt", &outcome, &moved, &left) < 0)
		return 0;
	f->job.moved = moved;
	end_with(f, outcome);
	return 0;
}

static int on_job_new(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct follow *f = userdata;
	const char *path;
	__u64 id;

	if (sd_bus_message_read(m, "to", &id, &path) < 0 || !f->job.id || id != f->job.id)
		return 0;
	return ask_properties(f);
}

/* A daemon that serves at last knows the jobs, also those that ended without it. */
static int on_ready(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct follow *f = userdata;

	return f->job.id && f->away ? ask_properties(f) : 0;
}

static int on_job_removed(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	const char *path, *outcome;
	struct follow *f = userdata;
	__u64 id;

	if (sd_bus_message_read(m, "tos", &id, &path, &outcome) < 0 || !f->job.id ||
	    id != f->job.id || job_is_done(&f->job))
		return 0;
	end_with(f, outcome);
	return 0;
}

static int on_away_too_long(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct follow *f = userdata;

	progress_info(&f->progress, &f->job,
		      "the daemon has not come back with %s %llu, %s: see `systemctl status migd` and `journalctl -u migd`",
		      f->job.kind->word, f->job.id, job_is_group(&f->job) ?
		      "whose job of the moment the kernel ends by itself" :
		      "which the kernel ends by itself");
	finish_lost(f, f->interrupts ? MIGCTL_CANCELLED : MIGCTL_ABSENT);
	return 0;
}

static int on_owner(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	const char *name, *before, *after;
	struct follow *f = userdata;
	int r;

	if (sd_bus_message_read(m, "sss", &name, &before, &after) < 0 || !f->job.id)
		return 0;
	if (!after[0] || (before[0] && !f->away)) {
		progress_info(&f->progress, &f->job,
			      "the daemon has gone, %s %llu goes on %s: waiting for the daemon to come back",
			      f->job.kind->word, f->job.id, job_is_group(&f->job) ?
			      "with the next one" : "in the kernel");
		f->cancel_sent = false;
		f->away = sd_event_source_disable_unref(f->away);
		r = sd_event_add_time_relative(f->event, &f->away, CLOCK_MONOTONIC, f->away_usec,
					       0, on_away_too_long, f);
		if (r < 0)
			return r;
	}
	return after[0] ? ask_properties(f) : 0;
}

static int on_disconnected(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct follow *f = userdata;

	if (f->job.id)
		progress_info(&f->progress, &f->job,
			      "the system bus is gone, %s %llu goes on: when the bus is back, see `migctl %s %llu`",
			      f->job.kind->word, f->job.id, f->job.kind->verb, f->job.id);
	else
		client_fail(NULL, -ECONNRESET);
	finish_lost(f, f->interrupts ? MIGCTL_CANCELLED : MIGCTL_ABSENT);
	return 0;
}

static int on_interrupt(sd_event_source *source, const struct signalfd_siginfo *info,
			void *userdata)
{
	struct follow *f = userdata;

	if (f->interrupts++) {
		if (!f->job.id)
			progress_info(&f->progress, &f->job,
				      "left before migd answered: `migctl %s` shows whether there is a %s",
				      f->job.kind->verb, f->job.kind->word);
		else
			progress_info(&f->progress, &f->job,
				      "left while %s %llu is being cancelled: `migctl %s %llu` shows its outcome",
				      f->job.kind->word, f->job.id, f->job.kind->verb,
				      f->job.id);
		finish_lost(f, MIGCTL_CANCELLED);
		return 0;
	}
	if (!f->job.id) {
		progress_info(&f->progress, &f->job,
			      "the %s will be cancelled when migd answers; interrupt again to leave at once",
			      f->job.kind->word);
		return 0;
	}
	progress_info(&f->progress, &f->job,
		      "cancelling %s %llu and waiting for its outcome; interrupt again to leave at once",
		      f->job.kind->word, f->job.id);
	/* Without a daemon the cancel is sent when one is back. */
	if (!f->away)
		send_cancel(f);
	return 0;
}

static int on_tick(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct follow *f = userdata;

	progress_update(&f->progress, &f->job);
	return sd_event_source_set_time_relative(source, TICK_USEC);
}

static int add_signals(struct follow *f)
{
	static const int signals[] = { SIGINT, SIGTERM };
	sigset_t set;
	int r;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaddset(&set, signals[i]);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		r = sd_event_add_signal(f->event, NULL, signals[i], on_interrupt, f);
		if (r < 0)
			return r;
	}
	return 0;
}

static int add_matches(struct follow *f)
{
	static const struct client_match of_job[] = {
		{ JOBS_RULE(IFACE_PROPS, "PropertiesChanged"), on_changed },
		{ JOBS_RULE(IFACE_JOB, "Done"), on_done },
		{ MANAGER_RULE("JobNew"), on_job_new },
		{ MANAGER_RULE("JobRemoved"), on_job_removed },
		{ NULL, NULL }
	};
	static const struct client_match of_group[] = {
		{ GROUPS_RULE(IFACE_PROPS, "PropertiesChanged"), on_changed },
		{ GROUPS_RULE(IFACE_GROUP, "Done"), on_done },
		{ MANAGER_RULE("GroupRemoved"), on_job_removed },
		{ NULL, NULL }
	};
	static const struct client_match of_daemon[] = {
		{ READY_RULE, on_ready },
		{ OWNER_RULE, on_owner },
		{ DISCONNECTED_RULE, on_disconnected },
		{ NULL, NULL }
	};
	int r;

	r = client_add_matches(f->client, job_is_group(&f->job) ? of_group : of_job, f);
	return r < 0 ? r : client_add_matches(f->client, of_daemon, f);
}

int follow_init(struct follow *f)
{
	int r;

	r = sd_event_new(&f->event);
	if (r < 0)
		return r;
	r = sd_bus_attach_event(f->client->bus, f->event, SD_EVENT_PRIORITY_NORMAL);
	if (r < 0)
		return r;
	r = add_matches(f);
	if (r < 0)
		return r;
	r = add_signals(f);
	if (r < 0 || f->progress.style != PROGRESS_BAR)
		return r;
	r = sd_event_add_time_relative(f->event, &f->ticker, CLOCK_MONOTONIC, TICK_USEC, 0,
				       on_tick, f);
	return r < 0 ? r : sd_event_source_set_enabled(f->ticker, SD_EVENT_ON);
}

void follow_done(struct follow *f)
{
	f->away = sd_event_source_disable_unref(f->away);
	f->ticker = sd_event_source_disable_unref(f->ticker);
	if (f->event)
		sd_bus_detach_event(f->client->bus);
	f->event = sd_event_unref(f->event);
}

int follow_run(struct follow *f, sd_bus_message *call)
{
	int r;

	agent_begin();
	r = sd_bus_call_async(f->client->bus, NULL, call, on_submitted, f,
			      client_change_usec());
	/* Not sd_event_loop(): its end closes the bus, which has the details to tell. */
	while (r >= 0 && !f->ended)
		r = sd_event_run(f->event, UINT64_MAX);
	agent_end();
	progress_end(&f->progress);
	if (r < 0) {
		f->lost = true;
		return client_fail(NULL, r);
	}
	return f->code;
}
