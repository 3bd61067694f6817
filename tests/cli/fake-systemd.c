// SPDX-License-Identifier: GPL-2.0
/*
 * A stand-in for systemd's D-Bus face, as far as migctl binds units: it says what it
 * is told, and that the kernel does so, but for deaf.service. It knows redis.service,
 * deaf.service, and held.service, which it does not let anybody bind.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake-migd.h"

#define SYSTEMD		"org.freedesktop.systemd1"
#define UNITS		"/org/freedesktop/systemd1/unit"

/* A set of nodes, of which there are eight. */
static struct unit {
	const char *name;
	__u8 nodes;
} units[] = {
	{ "redis.service", 0 },
	{ "deaf.service", 3 },
	{ "held.service", 0 },
};

static struct unit *find(const char *name)
{
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (!strcmp(units[i].name, name))
			return &units[i];
	return NULL;
}

static int set_properties(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	const char *name, *property;
	int r, runtime;
	const __u8 *nodes;
	struct unit *unit;
	size_t size;

	(void)userdata;
	r = sd_bus_message_read(m, "sb", &name, &runtime);
	if (r >= 0)
		r = sd_bus_message_enter_container(m, 'a', "(sv)");
	if (r >= 0)
		r = sd_bus_message_enter_container(m, 'r', "sv");
	if (r >= 0)
		r = sd_bus_message_read(m, "s", &property);
	if (r >= 0)
		r = sd_bus_message_enter_container(m, 'v', "ay");
	if (r >= 0)
		r = sd_bus_message_read_array(m, 'y', (const void **)&nodes, &size);
	if (r < 0)
		return r;
	printf("call SetUnitProperties %s runtime=%d %s=%02x\n", name, runtime, property,
	       size ? *nodes : 0);
	unit = find(name);
	if (!unit || !strcmp(name, "held.service"))
		return sd_bus_error_set(error, SD_BUS_ERROR_ACCESS_DENIED, "Access denied");
	unit->nodes = size ? *nodes : 0;
	return sd_bus_reply_method_return(m, NULL);
}

static int get_nodes(sd_bus *bus, const char *path, const char *iface, const char *property,
		     sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	const struct unit *unit = userdata;
	__u8 nodes = unit->nodes;

	(void)bus;
	(void)path;
	(void)iface;
	(void)error;
	if (!strcmp(property, "EffectiveMemoryNodes") && !strcmp(unit->name, "deaf.service"))
		nodes = 3;
	return sd_bus_message_append_array(reply, 'y', &nodes, nodes ? 1 : 0);
}

static int find_unit(sd_bus *bus, const char *path, const char *iface, void *userdata,
		     void **ret_found, sd_bus_error *error)
{
	char *name = NULL;
	int r;

	(void)bus;
	(void)iface;
	(void)userdata;
	(void)error;
	r = sd_bus_path_decode(path, UNITS, &name);
	*ret_found = r > 0 ? find(name) : NULL;
	free(name);
	return *ret_found ? 1 : 0;
}

static const sd_bus_vtable manager_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("SetUnitProperties", "sba(sv)", "", set_properties,
		      SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_VTABLE_END
};

static const sd_bus_vtable unit_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_PROPERTY("AllowedMemoryNodes", "ay", get_nodes, 0, 0),
	SD_BUS_PROPERTY("EffectiveMemoryNodes", "ay", get_nodes, 0, 0),
	SD_BUS_VTABLE_END
};

int fake_systemd(sd_bus *bus)
{
	int r;

	r = sd_bus_add_object_vtable(bus, NULL, "/org/freedesktop/systemd1", SYSTEMD ".Manager",
				     manager_vtable, NULL);
	if (r >= 0)
		r = sd_bus_add_fallback_vtable(bus, NULL, UNITS, SYSTEMD ".Service", unit_vtable,
					       find_unit, NULL);
	return r < 0 ? r : sd_bus_request_name(bus, SYSTEMD, 0);
}
