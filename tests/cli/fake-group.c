// SPDX-License-Identifier: GPL-2.0
/* The face of a group: the fake's job is then four processes. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fake-migd.h"

#define PROCESSES	4

static int begin(struct fake *fake, sd_bus_message *m)
{
	int r;

	fake->face = &face_group;
	fake_begin(fake);
	r = sd_bus_emit_signal(fake->bus, ROOT, MANAGER, "GroupNew", "to", GROUP_ID, GROUP_PATH);
	return r < 0 ? r : sd_bus_reply_method_return(m, "o", GROUP_PATH);
}

/* The rest of the call, which has been printed up to there. */
static int print_rest(sd_bus_message *m)
{
	int r, from, to;

	r = sd_bus_message_read(m, "ii", &from, &to);
	if (r < 0)
		return r;
	printf(" from=%d to=%d", from, to);
	r = fake_print_options(m);
	putchar('\n');
	return r;
}

int fake_migrate_processes(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct fake *fake = userdata;
	const __u32 *pids;
	size_t bytes;
	int r;

	r = sd_bus_message_read_array(m, 'u', (const void **)&pids, &bytes);
	if (r < 0)
		return r;
	printf("call MigrateProcesses");
	for (size_t i = 0; i < bytes / sizeof(*pids); i++)
		printf(" %u", pids[i]);
	r = print_rest(m);
	if (r < 0)
		return r;
	return fake->script->refusal ? fake_refuse(fake, error) : begin(fake, m);
}

int fake_migrate_named(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct fake *fake = userdata;
	const char *name;
	int r;

	r = sd_bus_message_read(m, "s", &name);
	if (r < 0)
		return r;
	printf("call %s %s", sd_bus_message_get_member(m), name);
	r = print_rest(m);
	if (r < 0)
		return r;
	return fake->script->refusal ? fake_refuse(fake, error) : begin(fake, m);
}

static unsigned int visited(const struct fake *fake)
{
	return PROCESSES * fake->step / STEPS;
}

static bool is_partly(const struct fake *fake)
{
	return !strcmp(fake->outcome, "partly");
}

#define WHY	"the cpuset of process 43 forbids it: allow it"

json_t *fake_group_json(const struct fake *fake)
{
	json_t *o = fake_json(fake);

	if (!o)
		return NULL;
	json_object_set_new(o, "id", json_integer(GROUP_ID));
	json_object_del(o, "pid");
	json_object_del(o, "comm");
	json_object_del(o, "blackout");
	json_object_set_new(o, "blackout_max_ns", json_integer(1200000));
	json_object_set_new(o, "kind", json_string("unit"));
	json_object_set_new(o, "target", json_string("red\033is.service"));
	json_object_set_new(o, "processes", json_integer(PROCESSES));
	json_object_set_new(o, "visited", json_integer(visited(fake)));
	json_object_set_new(o, "progress", json_integer(fake->step * 1000 / STEPS));
	json_object_set_new(o, "left_out", json_pack("{s:i, s:i}", "exited", 1, "forbidden",
						     is_partly(fake)));
	/* Of one of them there is memory to look at. */
	json_object_set_new(o, "members", json_pack("[{s:i, s:i}]", "pid", (int)getpid(),
						    "job", 7));
	json_object_set_new(o, "why", json_string(is_partly(fake) ? WHY : ""));
	return o;
}

static int describe(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	(void)error;
	return fake_reply_json(m, fake_group_json(userdata));
}

static int get_own(sd_bus *bus, const char *path, const char *iface, const char *property,
		   sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	struct fake *fake = userdata;

	(void)bus;
	(void)path;
	(void)iface;
	(void)error;
	if (!strcmp(property, "Kind"))
		return sd_bus_message_append(reply, "s", "unit");
	if (!strcmp(property, "Target"))
		return sd_bus_message_append(reply, "s", "red\033is.service");
	if (!strcmp(property, "Why"))
		return sd_bus_message_append(reply, "s", is_partly(fake) ? WHY : "");
	if (!strcmp(property, "Processes"))
		return sd_bus_message_append(reply, "u", PROCESSES);
	if (!strcmp(property, "Visited"))
		return sd_bus_message_append(reply, "u", visited(fake));
	if (!strcmp(property, "Progress"))
		return sd_bus_message_append(reply, "u", fake->step * 1000 / STEPS);
	return sd_bus_message_append(reply, "a{su}", 1, "exited", 1);
}

#define CHANGES	SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE

const sd_bus_vtable fake_group_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("Cancel", "", "", fake_cancel, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("Describe", "", "s", describe, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_PROPERTY("Id", "t", fake_get_id, 0, 0),
	SD_BUS_PROPERTY("Kind", "s", get_own, 0, 0),
	SD_BUS_PROPERTY("Target", "s", get_own, 0, 0),
	SD_BUS_PROPERTY("Why", "s", get_own, 0, 0),
	SD_BUS_PROPERTY("Processes", "u", get_own, 0, 0),
	SD_BUS_PROPERTY("Visited", "u", get_own, 0, CHANGES),
	SD_BUS_PROPERTY("Progress", "u", get_own, 0, CHANGES),
	SD_BUS_PROPERTY("LeftOut", "a{su}", get_own, 0, 0),
	SD_BUS_PROPERTY("From", "i", fake_get_any, 0, 0),
	SD_BUS_PROPERTY("To", "i", fake_get_any, 0, 0),
	SD_BUS_PROPERTY("Order", "s", fake_get_any, 0, 0),
	SD_BUS_PROPERTY("Engine", "s", fake_get_any, 0, 0),
	SD_BUS_PROPERTY("State", "s", fake_get_any, 0, CHANGES),
	SD_BUS_PROPERTY("Outcome", "s", fake_get_any, 0, CHANGES),
	SD_BUS_PROPERTY("Total", "t", fake_get_any, 0, CHANGES),
	SD_BUS_PROPERTY("Moved", "t", NULL, offsetof(struct fake, moved), CHANGES),
	SD_BUS_PROPERTY("Bytes", "t", NULL, offsetof(struct fake, bytes), CHANGES),
	SD_BUS_PROPERTY("Left", "a{st}", fake_get_any, 0, CHANGES),
	SD_BUS_SIGNAL("Done", "stt", 0),
	SD_BUS_VTABLE_END
};
