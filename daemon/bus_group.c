// SPDX-License-Identifier: GPL-2.0
/* Interface org.migd1.Group, one object for each group. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth.h"
#include "bus.h"
#include "json.h"
#include "names.h"

void bus_group_path(uint64_t id, char *path)
{
	snprintf(path, BUS_PATH_LEN, BUS_GROUPS "/%llu", (unsigned long long)id);
}

static int find_group(sd_bus *bus, const char *path, const char *iface, void *arg, void **ret,
		      sd_bus_error *error)
{
	struct manager *m = arg;
	struct group *g;
	uint64_t id;

	if (strncmp(path, BUS_GROUPS "/", strlen(BUS_GROUPS "/")) ||
	    ini_parse_u64(path + strlen(BUS_GROUPS "/"), &id) < 0)
		return 0;
	g = group_find(m, id);
	if (!g)
		return 0;
	group_refresh(m, g);
	*ret = g;
	return 1;
}

static int list_paths(sd_bus *bus, const char *prefix, void *arg, char ***ret,
		      sd_bus_error *error)
{
	struct manager *m = arg;
	char path[BUS_PATH_LEN], **paths;
	size_t n = 0;

	for (struct group *g = m->groups; g; g = g->next)
		n++;
	paths = calloc(n + 1, sizeof(*paths));
	if (!paths)
		return -ENOMEM;
	n = 0;
	for (struct group *g = m->groups; g; g = g->next) {
		bus_group_path(g->id, path);
		paths[n++] = strdup(path);
	}
	return bus_reply_paths(paths, n, ret);
}

static int get_text(sd_bus *bus, const char *path, const char *iface, const char *property,
		    sd_bus_message *reply, void *arg, sd_bus_error *error)
{
	const struct group *g = arg;
	const char *text = "";

	if (!strcmp(property, "Kind"))
		text = name_group_kind(g->kind);
	else if (!strcmp(property, "Target"))
		text = g->target;
	else if (!strcmp(property, "Cgroup"))
		text = g->cgroup;
	else if (!strcmp(property, "Order"))
		text = name_order(g->req.order);
	else if (!strcmp(property, "Engine"))
		text = g->engine;
	else if (!strcmp(property, "State"))
		text = name_group_state(g->state);
	else if (!strcmp(property, "Outcome"))
		text = name_outcome(g->outcome);
	else if (!strcmp(property, "Why"))
		text = g->why;
	return sd_bus_message_append(reply, "s", text);
}

static int get_left(sd_bus *bus, const char *path, const char *iface, const char *property,
		    sd_bus_message *reply, void *arg, sd_bus_error *error)
{
	const struct group *g = arg;
	int r;

	r = sd_bus_message_open_container(reply, 'a', "{st}");
	for (unsigned int i = 0; i < NL_REASONS && r >= 0; i++)
		if (g->sum.left[i])
			r = sd_bus_message_append(reply, "{st}", name_reason(i), g->sum.left[i]);
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int get_left_out(sd_bus *bus, const char *path, const char *iface, const char *property,
			sd_bus_message *reply, void *arg, sd_bus_error *error)
{
	const struct group *g = arg;
	const char *name;
	size_t n;
	int r;

	r = sd_bus_message_open_container(reply, 'a', "{su}");
	for (unsigned int state = 0; state < MEMBER_STATES && r >= 0; state++) {
		n = group_left_out(g, state, &name);
		if (n)
			r = sd_bus_message_append(reply, "{su}", name, (uint32_t)n);
	}
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

/* The last job of each process that has had one. */
static int get_jobs(sd_bus *bus, const char *path, const char *iface, const char *property,
		    sd_bus_message *reply, void *arg, sd_bus_error *error)
{
	const struct group *g = arg;
	int r;

	r = sd_bus_message_open_container(reply, 'a', "(ut)");
	for (size_t i = 0; i < g->nr && r >= 0; i++)
		if (g->members[i].job)
			r = sd_bus_message_append(reply, "(ut)", (uint32_t)g->members[i].pid,
						  g->members[i].job);
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int cancel(sd_bus_message *msg, void *arg, sd_bus_error *error)
{
	struct fault f = { .id = FAULT_NONE };
	struct group *g = arg;
	int r;

	/* One that has ended cannot be cancelled, whoever asks. */
	r = g->state == GROUP_DONE ? 0 : auth_change(bus_manager_of(msg), msg, g->req.user,
						     "cancel groups of others", error);
	if (r)
		return r;
	r = group_cancel(bus_manager_of(msg), g, &f);
	if (r < 0)
		return bus_fault(error, &f);
	return sd_bus_reply_method_return(msg, NULL);
}

static int describe(sd_bus_message *msg, void *arg, sd_bus_error *error)
{
	return bus_reply_json(msg, json_group(arg));
}

#define CONST	SD_BUS_VTABLE_PROPERTY_CONST
#define CHANGES	SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE
#define ASK	SD_BUS_VTABLE_PROPERTY_EXPLICIT
#define AT(f)	offsetof(struct group, f)

static const sd_bus_vtable group_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_PROPERTY("Id", "t", NULL, AT(id), CONST),
	SD_BUS_PROPERTY("User", "u", NULL, AT(req.user), CONST),
	SD_BUS_PROPERTY("Kind", "s", get_text, 0, CONST),
	SD_BUS_PROPERTY("Target", "s", get_text, 0, CONST),
	SD_BUS_PROPERTY("Cgroup", "s", get_text, 0, CONST),
	SD_BUS_PROPERTY("From", "i", NULL, AT(req.from), CONST),
	SD_BUS_PROPERTY("To", "i", NULL, AT(req.to), CONST),
	SD_BUS_PROPERTY("Order", "s", get_text, 0, CONST),
	SD_BUS_PROPERTY("Engine", "s", get_text, 0, CONST),
	SD_BUS_PROPERTY("State", "s", get_text, 0, CHANGES),
	SD_BUS_PROPERTY("Outcome", "s", get_text, 0, CHANGES),
	SD_BUS_PROPERTY("Processes", "u", NULL, AT(processes), CHANGES),
	SD_BUS_PROPERTY("Visited", "u", NULL, AT(visited), CHANGES),
	SD_BUS_PROPERTY("Progress", "u", NULL, AT(progress), CHANGES),
	SD_BUS_PROPERTY("LeftOut", "a{su}", get_left_out, 0, CHANGES),
	SD_BUS_PROPERTY("Why", "s", get_text, 0, CHANGES),
	SD_BUS_PROPERTY("Jobs", "a(ut)", get_jobs, 0, ASK),
	SD_BUS_PROPERTY("Total", "t", NULL, AT(sum.total), CHANGES),
	SD_BUS_PROPERTY("Moved", "t", NULL, AT(sum.moved), CHANGES),
	SD_BUS_PROPERTY("Routed", "t", NULL, AT(sum.routed), CHANGES),
	SD_BUS_PROPERTY("Bytes", "t", NULL, AT(sum.bytes), CHANGES),
	SD_BUS_PROPERTY("Left", "a{st}", get_left, 0, CHANGES),
	SD_BUS_PROPERTY("Batches", "t", NULL, AT(sum.batches), CHANGES),
	SD_BUS_PROPERTY("Rescued", "t", NULL, AT(sum.rescued), CHANGES),
	SD_BUS_PROPERTY("SubmittedUSec", "t", NULL, AT(submitted_usec), CONST),
	SD_BUS_PROPERTY("ElapsedUSec", "t", NULL, AT(elapsed_usec), CHANGES),
	SD_BUS_METHOD_WITH_ARGS("Cancel", SD_BUS_NO_ARGS, SD_BUS_NO_ARGS, cancel,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Describe", SD_BUS_NO_ARGS, SD_BUS_ARGS("s", json), describe,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_SIGNAL_WITH_ARGS("Done", SD_BUS_ARGS("s", outcome, "t", moved, "t", left), 0),
	SD_BUS_VTABLE_END
};

int bus_add_groups(struct manager *m)
{
	int r;

	r = sd_bus_add_fallback_vtable(m->bus, NULL, BUS_GROUPS, BUS_GROUP_IFACE, group_vtable,
				       find_group, m);
	if (r < 0)
		return r;
	return sd_bus_add_node_enumerator(m->bus, NULL, BUS_GROUPS, list_paths, m);
}

void bus_group_new(struct manager *m, const struct group *g)
{
	char path[BUS_PATH_LEN];

	bus_group_path(g->id, path);
	sd_bus_emit_object_added(m->bus, path);
	sd_bus_emit_signal(m->bus, BUS_ROOT, BUS_MANAGER_IFACE, "GroupNew", "to", g->id, path);
}

void bus_group_progress(struct manager *m, struct group *g)
{
	char path[BUS_PATH_LEN];

	bus_group_path(g->id, path);
	sd_bus_emit_properties_changed(m->bus, path, BUS_GROUP_IFACE, "State", "Processes",
				       "Visited", "Progress", "LeftOut", "Total", "Moved", "Bytes",
				       "Left", NULL);
}

void bus_group_done(struct manager *m, const struct group *g)
{
	const char *outcome = name_outcome(g->outcome);
	char path[BUS_PATH_LEN];

	bus_group_path(g->id, path);
	sd_bus_emit_properties_changed(m->bus, path, BUS_GROUP_IFACE, "State", "Outcome",
				       "Processes", "Visited", "Progress", "LeftOut", "Why",
				       "Total", "Moved", "Routed", "Bytes", "Left", "Batches",
				       "Rescued", "ElapsedUSec", NULL);
	sd_bus_emit_signal(m->bus, path, BUS_GROUP_IFACE, "Done", "stt", outcome, g->sum.moved,
			   group_left(&g->sum));
	sd_bus_emit_signal(m->bus, BUS_ROOT, BUS_MANAGER_IFACE, "GroupRemoved", "tos", g->id, path,
			   outcome);
}

void bus_group_gone(struct manager *m, const struct group *g)
{
	char path[BUS_PATH_LEN];

	bus_group_path(g->id, path);
	sd_bus_emit_interfaces_removed(m->bus, path, BUS_GROUP_IFACE, NULL);
}
