// SPDX-License-Identifier: GPL-2.0
/* migd by its D-Bus interface, on a connection that is open already. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "bench.h"

#define NAME		"org.migd1"
#define ROOT		"/org/migd1"
#define MANAGER		"org.migd1.Manager"
#define JOB		"org.migd1.Job"
#define TIMEOUT_USEC	(600 * 1000000ULL)

struct bus {
	sd_bus *bus;
	char *job;		/* object path of the last job */
	char done[128];		/* path whose Done signal came last */
};

static int complain(int r, const char *what, const sd_bus_error *error)
{
	fprintf(stderr, "migd-bench: %s: %s\n", what,
		error && error->message ? error->message : strerror(-r));
	return r;
}

static int on_done(sd_bus_message *message, void *data, sd_bus_error *ret_error)
{
	struct bus *bus = data;

	(void)ret_error;
	snprintf(bus->done, sizeof(bus->done), "%s", sd_bus_message_get_path(message));
	return 0;
}

int bus_open(struct bus **ret_bus)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	struct bus *bus = calloc(1, sizeof(*bus));
	int r;

	if (!bus)
		return -ENOMEM;
	r = sd_bus_open_system(&bus->bus);
	if (r < 0) {
		complain(r, "cannot reach the system bus", NULL);
		goto fail;
	}
	r = sd_bus_match_signal(bus->bus, NULL, NAME, NULL, JOB, "Done", on_done, bus);
	if (r < 0) {
		complain(r, "cannot watch for the end of jobs", NULL);
		goto fail;
	}
	/* activates the daemon */
	r = sd_bus_call_method(bus->bus, NAME, ROOT, "org.freedesktop.DBus.Peer", "Ping", &error,
			       NULL, "");
	if (r < 0) {
		complain(r, "migd does not answer", &error);
		goto fail;
	}
	*ret_bus = bus;
	return 0;
fail:
	sd_bus_error_free(&error);
	bus_close(bus);
	return r;
}

void bus_close(struct bus *bus)
{
	if (!bus)
		return;
	sd_bus_flush_close_unref(bus->bus);
	free(bus->job);
	free(bus);
}

static int append_options(sd_bus_message *call, const struct method *method)
{
	int r = sd_bus_message_open_container(call, 'a', "{sv}");

	if (r >= 0)
		r = sd_bus_message_append(call, "{sv}", "order", "s", method->order);
	if (r >= 0)
		r = sd_bus_message_append(call, "{sv}", "engine", "s", method->engine);
	if (r >= 0)
		r = sd_bus_message_close_container(call);
	return r;
}

static int submit(struct bus *bus, const struct target *target, const struct method *method,
		  int from, int to)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;
	sd_bus_message *call = NULL;
	const char *path;
	int r;

	r = sd_bus_message_new_method_call(bus->bus, &call, NAME, ROOT, MANAGER, "MigrateProcess");
	if (r >= 0)
		r = sd_bus_message_append(call, "uii", (uint32_t)target->pid, from, to);
	if (r >= 0)
		r = append_options(call, method);
	if (r >= 0)
		r = sd_bus_call(bus->bus, call, TIMEOUT_USEC, &error, &reply);
	if (r >= 0)
		r = sd_bus_message_read(reply, "o", &path);
	if (r < 0) {
		complain(r, "migd refused the job", &error);
	} else {
		free(bus->job);
		bus->job = strdup(path);
		r = bus->job ? 0 : -ENOMEM;
	}
	sd_bus_message_unref(reply);
	sd_bus_message_unref(call);
	sd_bus_error_free(&error);
	return r;
}

int bus_migrate(struct bus *bus, const struct target *target, const struct method *method,
		int from, int to)
{
	int r;

	bus->done[0] = 0;
	r = submit(bus, target, method, from, to);
	while (r >= 0 && strcmp(bus->done, bus->job)) {
		r = sd_bus_process(bus->bus, NULL);
		if (!r)
			r = sd_bus_wait(bus->bus, TIMEOUT_USEC);
	}
	return r < 0 ? r : 0;
}

char *bus_last_job(struct bus *bus)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;
	const char *json;
	char *copy = NULL;
	int r;

	r = sd_bus_call_method(bus->bus, NAME, bus->job, JOB, "Describe", &error, &reply, "");
	if (r >= 0)
		r = sd_bus_message_read(reply, "s", &json);
	if (r < 0)
		complain(r, "cannot describe the job", &error);
	else
		copy = strdup(json);
	sd_bus_message_unref(reply);
	sd_bus_error_free(&error);
	return copy;
}
