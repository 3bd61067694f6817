// SPDX-License-Identifier: GPL-2.0
/* Interface org.migd1.Engine, one object for each engine. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth.h"
#include "bus.h"
#include "json.h"
#include "names.h"

/* One GetAll asks for a dozen properties: they come from one dump. */
#define MAX_AGE_NS	50000000ULL

void bus_engine_path(const char *name, char *path)
{
	char *encoded = NULL;

	/* Only without memory does it fail; then nobody finds the object. */
	if (sd_bus_path_encode(BUS_ENGINES, name, &encoded) < 0)
		snprintf(path, BUS_PATH_LEN, BUS_ENGINES "/unknown");
	else
		snprintf(path, BUS_PATH_LEN, "%s", encoded);
	free(encoded);
}

static int find_engine(sd_bus *bus, const char *path, const char *iface, void *arg, void **ret,
		       sd_bus_error *error)
{
	struct manager *m = arg;
	char *name = NULL;

	if (sd_bus_path_decode(path, BUS_ENGINES, &name) <= 0)
		return 0;
	engines_refresh(m, MAX_AGE_NS);
	*ret = (void *)engine_find(m, name);
	free(name);
	return *ret ? 1 : 0;
}

static int list_paths(sd_bus *bus, const char *prefix, void *arg, char ***ret,
		      sd_bus_error *error)
{
	struct manager *m = arg;
	char path[BUS_PATH_LEN], **paths;

	paths = calloc(m->nr_engines + 1, sizeof(*paths));
	if (!paths)
		return -ENOMEM;
	for (unsigned int i = 0; i < m->nr_engines; i++) {
		bus_engine_path(m->engines[i].name, path);
		paths[i] = strdup(path);
	}
	return bus_reply_paths(paths, m->nr_engines, ret);
}

static int get_text(sd_bus *bus, const char *path, const char *iface, const char *property,
		    sd_bus_message *reply, void *arg, sd_bus_error *error)
{
	const struct nl_channel *c = arg;
	const char *text = name_channel_state(c->state);

	if (!strcmp(property, "Name"))
		text = c->name;
	else if (!strcmp(property, "Device"))
		text = c->device;
	else if (!strcmp(property, "Driver"))
		text = c->driver;
	return sd_bus_message_append(reply, "s", text);
}

static int describe(sd_bus_message *msg, void *arg, sd_bus_error *error)
{
	return bus_reply_json(msg, json_channel(arg));
}

static int release(sd_bus_message *msg, void *arg, sd_bus_error *error)
{
	const struct nl_channel *c = arg;
	struct fault f = { .id = FAULT_NONE };
	struct manager *m = bus_manager_of(msg);
	char name[NL_NAME_LEN];
	int r;

	/* The list it is in is about to be read again. */
	snprintf(name, sizeof(name), "%s", c->name);
	r = auth_ask(m, msg, AUTH_MANAGE_POLICY, "give engines back", error);
	if (r)
		return r;
	r = serve_ensure(m, &f);
	if (r >= 0)
		r = renew_release(m, name, msg, &f);
	/* It is answered when the channel has gone. */
	return r < 0 ? bus_fault(error, &f) : 1;
}

#define CONST	SD_BUS_VTABLE_PROPERTY_CONST
#define AT(f)	offsetof(struct nl_channel, f)

static const sd_bus_vtable engine_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_PROPERTY("Name", "s", get_text, 0, CONST),
	SD_BUS_PROPERTY("Device", "s", get_text, 0, CONST),
	SD_BUS_PROPERTY("Driver", "s", get_text, 0, CONST),
	SD_BUS_PROPERTY("Node", "i", NULL, AT(node), CONST),
	SD_BUS_PROPERTY("State", "s", get_text, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("Copies", "t", NULL, AT(copies), 0),
	SD_BUS_PROPERTY("Pages", "t", NULL, AT(pages), 0),
	SD_BUS_PROPERTY("Bytes", "t", NULL, AT(bytes), 0),
	SD_BUS_PROPERTY("Errors", "t", NULL, AT(errors), 0),
	SD_BUS_PROPERTY("InFlight", "u", NULL, AT(in_flight), 0),
	SD_BUS_PROPERTY("Quarantined", "t", NULL, AT(quarantined), 0),
	SD_BUS_METHOD_WITH_ARGS("Release", SD_BUS_NO_ARGS, SD_BUS_NO_ARGS, release,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Describe", SD_BUS_NO_ARGS, SD_BUS_ARGS("s", json), describe,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_VTABLE_END
};

int bus_add_engines(struct manager *m)
{
	int r;

	r = sd_bus_add_fallback_vtable(m->bus, NULL, BUS_ENGINES, BUS_ENGINE_IFACE, engine_vtable,
				       find_engine, m);
	if (r < 0)
		return r;
	return sd_bus_add_node_enumerator(m->bus, NULL, BUS_ENGINES, list_paths, m);
}

void bus_engine_new(struct manager *m, const char *name)
{
	char path[BUS_PATH_LEN];

	bus_engine_path(name, path);
	sd_bus_emit_interfaces_added(m->bus, path, BUS_ENGINE_IFACE, NULL);
}

void bus_engine_gone(struct manager *m, const char *name)
{
	char path[BUS_PATH_LEN];

	bus_engine_path(name, path);
	sd_bus_emit_interfaces_removed(m->bus, path, BUS_ENGINE_IFACE, NULL);
}

void bus_engine_changed(struct manager *m, const char *name)
{
	char path[BUS_PATH_LEN];

	bus_engine_path(name, path);
	sd_bus_emit_properties_changed(m->bus, path, BUS_ENGINE_IFACE, "State", NULL);
}
