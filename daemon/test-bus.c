// SPDX-License-Identifier: GPL-2.0
/* Print the introspection of a manager, a job, a group and an engine, for test-bus.py. */
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

static void print_introspection(struct ends *e, const char *path)
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
	puts(e->xml);
	free(e->xml);
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
	check(bus_add_manager(&m) >= 0 && bus_add_policy(&m) >= 0);
	check(bus_add_engines(&m) >= 0 && bus_add_jobs(&m) >= 0);
	check(bus_add_groups(&m) >= 0);
	print_introspection(&e, BUS_ROOT);
	print_introspection(&e, BUS_JOBS "/7");
	print_introspection(&e, BUS_GROUPS "/3");
	print_introspection(&e, BUS_ENGINES "/cpu");
	sd_bus_close_unref(e.client);
	sd_bus_close_unref(e.server);
	return 0;
}

