// SPDX-License-Identifier: GPL-2.0
/* Interface org.migd1.Job, one object for each job. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth.h"
#include "bus.h"
#include "json.h"
#include "names.h"

void bus_job_path(uint64_t id, char *path)
{
	snprintf(path, BUS_PATH_LEN, BUS_JOBS "/%llu", (unsigned long long)id);
}

static int find_job(sd_bus *bus, const char *path, const char *iface, void *arg, void **ret,
		    sd_bus_error *error)
{
	struct manager *m = arg;
	struct job *job;
	uint64_t id;

	if (strncmp(path, BUS_JOBS "/", strlen(BUS_JOBS "/")) ||
	    ini_parse_u64(path + strlen(BUS_JOBS "/"), &id) < 0)
		return 0;
	job = job_find(m, id);
	if (!job)
		return 0;
	job_refresh(m, job);
	*ret = job;
	return 1;
}

static int list_paths(sd_bus *bus, const char *prefix, void *arg, char ***ret,
		      sd_bus_error *error)
{
	struct manager *m = arg;
	char path[BUS_PATH_LEN], **paths;
	size_t n = 0;

	paths = calloc(m->nr_active + m->nr_finished + 1, sizeof(*paths));
	if (!paths)
		return -ENOMEM;
	for (struct job *job = m->jobs; job; job = job->next) {
		bus_job_path(job->nl.id, path);
		paths[n++] = strdup(path);
	}
	return bus_reply_paths(paths, n, ret);
}

static int get_text(sd_bus *bus, const char *path, const char *iface, const char *property,
		    sd_bus_message *reply, void *arg, sd_bus_error *error)
{
	const struct job *job = arg;
	const char *text = "";

	if (!strcmp(property, "Comm"))
		text = job->nl.comm;
	else if (!strcmp(property, "Order"))
		text = name_order(job->nl.order);
	else if (!strcmp(property, "Engine"))
		text = job->engine;
	else if (!strcmp(property, "State"))
		text = name_state(job->nl.state);
	else if (!strcmp(property, "Outcome"))
		text = name_outcome(job->nl.outcome);
	else if (!strcmp(property, "BackedOff"))
		text = name_pressure(job->backoff.why);
	return sd_bus_message_append(reply, "s", text);
}

static int get_left(sd_bus *bus, const char *path, const char *iface, const char *property,
		    sd_bus_message *reply, void *arg, sd_bus_error *error)
{
	const struct job *job = arg;
	int r;

	r = sd_bus_message_open_container(reply, 'a', "{st}");
	for (unsigned int i = 0; i < NL_REASONS && r >= 0; i++)
		if (job->nl.left[i])
			r = sd_bus_message_append(reply, "{st}", name_reason(i), job->nl.left[i]);
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int cancel(sd_bus_message *msg, void *arg, sd_bus_error *error)
{
	struct fault f = { .id = FAULT_NONE };
	struct job *job = arg;
	int r;

	/* One that has ended cannot be cancelled, whoever asks. */
	r = job->done ? 0 : auth_change(bus_manager_of(msg), msg, job->user,
					"cancel jobs of others", error);
	if (r)
		return r;
	r = job_cancel(bus_manager_of(msg), job, &f);
	if (r < 0)
		return bus_fault(error, &f);
	return sd_bus_reply_method_return(msg, NULL);
}

static int change(sd_bus_message *msg, struct job *job, const struct nl_change *to,
		  sd_bus_error *error)
{
	struct fault f = { .id = FAULT_NONE };
	int r;

	r = job_set(bus_manager_of(msg), job, to, &f);
	return r < 0 ? bus_fault(error, &f) : 0;
}

static int let_wait(sd_bus_message *msg, struct job *job, bool paused, sd_bus_error *error)
{
	const struct nl_change to = { .has_paused = true, .paused = paused };
	int r;

	r = job->done ? 0 : auth_change(bus_manager_of(msg), msg, job->user,
					"pause or resume jobs of others", error);
	if (!r)
		r = change(msg, job, &to, error);
	return r ? r : sd_bus_reply_method_return(msg, NULL);
}

static int pause_job(sd_bus_message *msg, void *arg, sd_bus_error *error)
{
	return let_wait(msg, arg, true, error);
}

static int resume_job(sd_bus_message *msg, void *arg, sd_bus_error *error)
{
	return let_wait(msg, arg, false, error);
}

static int get_limit(sd_bus *bus, const char *path, const char *iface, const char *property,
		     sd_bus_message *reply, void *arg, sd_bus_error *error)
{
	const struct job *job = arg;
	uint64_t value = job->asked_rate;

	if (!strcmp(property, "DeadlineUSec"))
		value = job->nl.deadline_us;
	else if (!strcmp(property, "Nice"))
		value = job->nl.nice;
	return sd_bus_message_append(reply, "t", value);
}

static int set_limit(sd_bus *bus, const char *path, const char *iface, const char *property,
		     sd_bus_message *value, void *arg, sd_bus_error *error)
{
	struct manager *m = bus_manager_of(value);
	struct nl_change to = { .has_rate = true };
	struct fault f = { .id = FAULT_NONE };
	struct job *job = arg;
	struct caller c;
	uint64_t number;
	int r;

	r = auth_caller(m, value, &c, error);
	if (r < 0)
		return r;
	if (c.user && (!c.whole || c.user != job->user)) {
		fault_set(&f, FAULT_NOT_ALLOWED,
			  "user %u may not change jobs of others: run it as root",
			  c.user);
		return bus_fault(error, &f);
	}
	r = sd_bus_message_read(value, "t", &number);
	if (r < 0)
		return r;
	to.max_rate = number;
	if (!strcmp(property, "DeadlineUSec")) {
		if (number < POLICY_DEADLINE_MIN || number > POLICY_DEADLINE_MAX) {
			fault_set(&f, FAULT_INVALID_ARGUMENT,
				  "DeadlineUSec is between %llu and %llu, not %llu",
				  POLICY_DEADLINE_MIN, POLICY_DEADLINE_MAX,
				  (unsigned long long)number);
			return bus_fault(error, &f);
		}
		if (c.user && number > m->policy.deadline_usec) {
			fault_set(&f, FAULT_NOT_ALLOWED,
				  "user %u may not set a deadline above the %llu us of the policy: ask for less, or run it as root",
				  c.user, (unsigned long long)m->policy.deadline_usec);
			return bus_fault(error, &f);
		}
		to = (struct nl_change) { .has_deadline = true, .deadline_us = number };
	}
	if (!strcmp(property, "Nice")) {
		if (number > POLICY_NICE_MAX) {
			fault_set(&f, FAULT_INVALID_ARGUMENT, "Nice is 0 to %d, not %llu",
				  POLICY_NICE_MAX, (unsigned long long)number);
			return bus_fault(error, &f);
		}
		to = (struct nl_change) { .has_nice = true, .nice = number };
	}
	return change(value, job, &to, error);
}

static int get_paused(sd_bus *bus, const char *path, const char *iface, const char *property,
		      sd_bus_message *reply, void *arg, sd_bus_error *error)
{
	const struct job *job = arg;

	return sd_bus_message_append(reply, "b", job->nl.paused);
}

static int describe(sd_bus_message *msg, void *arg, sd_bus_error *error)
{
	return bus_reply_json(msg, json_job(arg));
}

#define CONST	SD_BUS_VTABLE_PROPERTY_CONST
#define CHANGES	SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE
#define LIMIT	(CHANGES | SD_BUS_VTABLE_UNPRIVILEGED)
#define AT(f)	offsetof(struct job, f)

static const sd_bus_vtable job_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_PROPERTY("Id", "t", NULL, AT(nl.id), CONST),
	SD_BUS_PROPERTY("Pid", "u", NULL, AT(nl.pid), CONST),
	SD_BUS_PROPERTY("User", "u", NULL, AT(user), CONST),
	SD_BUS_PROPERTY("Comm", "s", get_text, 0, CONST),
	SD_BUS_PROPERTY("From", "i", NULL, AT(nl.from), CONST),
	SD_BUS_PROPERTY("To", "i", NULL, AT(nl.to), CONST),
	SD_BUS_PROPERTY("Order", "s", get_text, 0, CONST),
	SD_BUS_PROPERTY("Engine", "s", get_text, 0, CONST),
	SD_BUS_PROPERTY("State", "s", get_text, 0, CHANGES),
	SD_BUS_PROPERTY("Outcome", "s", get_text, 0, CHANGES),
	SD_BUS_PROPERTY("Total", "t", NULL, AT(nl.total), CHANGES),
	SD_BUS_PROPERTY("Moved", "t", NULL, AT(nl.moved), CHANGES),
	SD_BUS_PROPERTY("Routed", "t", NULL, AT(nl.routed), CHANGES),
	SD_BUS_PROPERTY("Bytes", "t", NULL, AT(bytes), CHANGES),
	SD_BUS_PROPERTY("Left", "a{st}", get_left, 0, CHANGES),
	SD_BUS_PROPERTY("Passes", "u", NULL, AT(nl.passes), CHANGES),
	SD_BUS_PROPERTY("Batches", "t", NULL, AT(nl.batches), CHANGES),
	SD_BUS_PROPERTY("Rescued", "t", NULL, AT(nl.rescued), CHANGES),
	SD_BUS_PROPERTY("SubmittedUSec", "t", NULL, AT(submitted_usec), CONST),
	SD_BUS_PROPERTY("ElapsedUSec", "t", NULL, AT(elapsed_usec), CHANGES),
	SD_BUS_WRITABLE_PROPERTY("MaxRate", "t", get_limit, set_limit, 0, LIMIT),
	SD_BUS_WRITABLE_PROPERTY("DeadlineUSec", "t", get_limit, set_limit, 0, LIMIT),
	SD_BUS_WRITABLE_PROPERTY("Nice", "t", get_limit, set_limit, 0, LIMIT),
	SD_BUS_PROPERTY("Share", "t", NULL, AT(nl.max_rate), CHANGES),
	SD_BUS_PROPERTY("Paused", "b", get_paused, 0, CHANGES),
	SD_BUS_PROPERTY("BackedOff", "s", get_text, 0, CHANGES),
	SD_BUS_METHOD_WITH_ARGS("Pause", SD_BUS_NO_ARGS, SD_BUS_NO_ARGS, pause_job,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Resume", SD_BUS_NO_ARGS, SD_BUS_NO_ARGS, resume_job,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Cancel", SD_BUS_NO_ARGS, SD_BUS_NO_ARGS, cancel,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Describe", SD_BUS_NO_ARGS, SD_BUS_ARGS("s", json), describe,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_SIGNAL_WITH_ARGS("Done", SD_BUS_ARGS("s", outcome, "t", moved, "t", left), 0),
	SD_BUS_VTABLE_END
};

int bus_add_jobs(struct manager *m)
{
	int r;

	r = sd_bus_add_fallback_vtable(m->bus, NULL, BUS_JOBS, BUS_JOB_IFACE, job_vtable, find_job,
				       m);
	if (r < 0)
		return r;
	return sd_bus_add_node_enumerator(m->bus, NULL, BUS_JOBS, list_paths, m);
}

void bus_job_new(struct manager *m, const struct job *job, bool signal)
{
	char path[BUS_PATH_LEN];

	bus_job_path(job->nl.id, path);
	sd_bus_emit_object_added(m->bus, path);
	if (signal)
		sd_bus_emit_signal(m->bus, BUS_ROOT, BUS_MANAGER_IFACE, "JobNew", "to",
				   job->nl.id, path);
}

void bus_job_progress(struct manager *m, const struct job *job)
{
	char path[BUS_PATH_LEN];

	bus_job_path(job->nl.id, path);
	sd_bus_emit_properties_changed(m->bus, path, BUS_JOB_IFACE, "State", "Total", "Moved",
				       "Bytes", "Left", "Passes", NULL);
}

void bus_job_changed(struct manager *m, const struct job *job)
{
	char path[BUS_PATH_LEN];

	bus_job_path(job->nl.id, path);
	sd_bus_emit_properties_changed(m->bus, path, BUS_JOB_IFACE, "MaxRate", "DeadlineUSec",
				       "Nice", "Share", "Paused", "BackedOff", NULL);
}

void bus_job_done(struct manager *m, const struct job *job)
{
	const char *outcome = name_outcome(job->nl.outcome);
	char path[BUS_PATH_LEN];

	bus_job_path(job->nl.id, path);
	sd_bus_emit_properties_changed(m->bus, path, BUS_JOB_IFACE, "State", "Outcome", "Total",
				       "Moved", "Routed", "Bytes", "Left", "Passes", "Batches", "Rescued",
				       "ElapsedUSec", "BackedOff", NULL);
	sd_bus_emit_signal(m->bus, path, BUS_JOB_IFACE, "Done", "stt", outcome, job->nl.moved,
			   job_left(job));
	sd_bus_emit_signal(m->bus, BUS_ROOT, BUS_MANAGER_IFACE, "JobRemoved", "tos", job->nl.id,
			   path, outcome);
}

void bus_job_gone(struct manager *m, const struct job *job)
{
	char path[BUS_PATH_LEN];

	bus_job_path(job->nl.id, path);
	sd_bus_emit_interfaces_removed(m->bus, path, BUS_JOB_IFACE, NULL);
}
