// SPDX-License-Identifier: GPL-2.0
/*
 * Print what the bus interface is, for busdoc.py: the introspection of each object,
 * "option NAME TYPE" for each option of a job, "error NAME" for each error.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "bus.h"
#include "check.h"

/* Both ends of a connection without a bus between them. */
struct ends {
	sd_bus *client, *server;
	char *xml;
};

static void connect_ends(struct ends *e)
{
	sd_id128_t id;
	int fds[2];

	check(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds));
	check(sd_id128_randomize(&id) >= 0);
	check(sd_bus_new(&e->server) >= 0 && sd_bus_new(&e->client) >= 0);
	check(sd_bus_set_fd(e->server, fds[0], fds[0]) >= 0);
	check(sd_bus_set_server(e->server, 1, id) >= 0);
	check(sd_bus_set_anonymous(e->server, 1) >= 0);
	check(sd_bus_set_fd(e->client, fds[1], fds[1]) >= 0);
	check(sd_bus_start(e->server) >= 0 && sd_bus_start(e->client) >= 0);
}

static int on_xml(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	struct ends *e = arg;
	const char *xml;

	check(!sd_bus_message_is_method_error(m, NULL));
	check(sd_bus_message_read(m, "s", &xml) >= 0);
	e->xml = strdup(xml);
	check(e->xml);
	return 1;
}

static char *introspect(struct ends *e, const char *path)
{
	int r, moved;

	e->xml = NULL;
	r = sd_bus_call_method_async(e->client, NULL, NULL, path,
				     "org.freedesktop.DBus.Introspectable", "Introspect", on_xml, e,
				     "");
	check(r >= 0);
	while (!e->xml) {
		moved = sd_bus_process(e->client, NULL);
		check(moved >= 0);
		r = sd_bus_process(e->server, NULL);
		check(r >= 0);
		/* Both ends are here: if neither has work, there is an answer on its way. */
		check(moved || r || e->xml || sd_bus_wait(e->client, 1000000) > 0);
	}
	return e->xml;
}

/* The object at @path and all below it. */
static void print_objects(struct ends *e, const char *path)
{
	static const char child[] = "<node name=\"";
	char *xml = introspect(e, path), below[BUS_PATH_LEN];

	puts(xml);
	for (const char *at = xml; (at = strstr(at, child)); ) {
		at += strlen(child);
		snprintf(below, sizeof(below), "%s/%.*s", path, (int)strcspn(at, "\""), at);
		print_objects(e, below);
	}
	free(xml);
}

int main(void)
{
	struct job job = { .nl = { .id = 7 }, .done = true };
	struct group group = { .id = 3, .state = GROUP_DONE };
	struct manager m = {
		.jobs = &job, .groups = &group, .nr_finished = 1, .nr_engines = 1,
	};
	struct ends e = { };

	strcpy(m.engines[0].name, "cpu");
	connect_ends(&e);
	m.bus = e.server;
	check(bus_add_objects(&m) >= 0);
	print_objects(&e, BUS_ROOT);
	sd_bus_close_unref(e.client);
	sd_bus_close_unref(e.server);
	for (const struct bus_option *o = bus_options; o->name; o++)
		printf("option %s %s\n", o->name, o->type);
	for (int id = FAULT_NONE + 1; id < FAULT_MAX_; id++)
		printf("error %s\n", fault_name(id));
	return 0;
}
