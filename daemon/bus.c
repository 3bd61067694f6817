// SPDX-License-Identifier: GPL-2.0
/* The connection to the bus, and who may do what. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "auth.h"
#include "bus.h"
#include "log.h"

int bus_fault(sd_bus_error *error, const struct fault *f)
{
	return sd_bus_error_set(error, fault_name(f->id), f->text);
}

int bus_reply_json(sd_bus_message *msg, json_t *o)
{
	char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
	int r;

	json_decref(o);
	if (!text)
		return -ENOMEM;
	r = sd_bus_reply_method_return(msg, "s", text);
	free(text);
	return r;
}

int bus_reply_paths(char **paths, size_t n, char ***ret)
{
	bool whole = true;

	for (size_t i = 0; i < n; i++)
		whole = whole && paths[i];
	if (whole) {
		*ret = paths;
		return 0;
	}
	for (size_t i = 0; i < n; i++)
		free(paths[i]);
	free(paths);
	return -ENOMEM;
}

struct manager *bus_manager_of(sd_bus_message *msg)
{
	return sd_bus_slot_get_userdata(sd_bus_get_current_slot(sd_bus_message_get_bus(msg)));
}

static int on_disconnected(sd_bus_message *msg, void *arg, sd_bus_error *error)
{
	struct manager *m = arg;

	log_err("the system bus is gone");
	return sd_event_exit(m->event, EXIT_FAILURE);
}

int bus_add_objects(struct manager *m)
{
	int r;

	r = auth_init(m);
	if (r >= 0)
		r = sd_bus_add_object_manager(m->bus, NULL, BUS_ROOT);
	if (r >= 0)
		r = bus_add_manager(m);
	if (r >= 0)
		r = bus_add_policy(m);
	if (r >= 0)
		r = bus_add_engines(m);
	if (r >= 0)
		r = bus_add_jobs(m);
	if (r >= 0)
		r = bus_add_groups(m);
	return r;
}

int bus_open(struct manager *m)
{
	int r;

	r = sd_bus_open_system(&m->bus);
	if (r < 0) {
		log_err("there is no system bus (%s): start dbus", strerror(-r));
		return r;
	}
	sd_bus_set_exit_on_disconnect(m->bus, 0);
	r = sd_bus_attach_event(m->bus, m->event, 0);
	if (r >= 0)
		r = sd_bus_match_signal(m->bus, NULL, "org.freedesktop.DBus.Local",
					"/org/freedesktop/DBus/Local",
					"org.freedesktop.DBus.Local", "Disconnected",
					on_disconnected, m);
	if (r >= 0)
		r = bus_add_objects(m);
	if (r < 0)
		log_err("the objects cannot be put on the bus: %s", strerror(-r));
	return r;
}

int bus_announce(struct manager *m)
{
	int r = sd_bus_request_name(m->bus, BUS_NAME, 0);

	if (r == -EEXIST)
		log_err(BUS_NAME " is owned by another daemon: stop that one first");
	else if (r < 0)
		log_err(BUS_NAME " cannot be owned (%s): install org.migd1.conf of migd",
			strerror(-r));
	return r;
}
