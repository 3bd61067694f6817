// SPDX-License-Identifier: GPL-2.0
/*
 * Binding a unit to a node: AllowedMemoryNodes=, set through systemd.
 *
 * systemd writes cpuset.mems, and with cgroup v2 the kernel then moves by itself what
 * the processes have elsewhere: so it comes after the move, and only if that went well.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bind.h"
#include "client.h"
#include "migctl.h"
#include "procfs.h"
#include "target.h"
#include "text.h"

#define SYSTEMD		"org.freedesktop.systemd1"
#define PROPERTY	"AllowedMemoryNodes"

/* systemd does not answer while the kernel moves what was left; see bind_unit(). */
#define PATIENCE_USEC	(600 * 1000000ULL)

static bool has(const struct nodeset *set, unsigned int node)
{
	return node / 8 < set->bytes && set->bits[node / 8] & 1 << node % 8;
}

static struct nodeset only(unsigned int node)
{
	struct nodeset set = { .bytes = node / 8 + 1 };

	set.bits[node / 8] = 1 << node % 8;
	return set;
}

static bool is_only(const struct nodeset *set, unsigned int node)
{
	for (unsigned int i = 0; i < set->bytes * 8; i++)
		if (i != node && has(set, i))
			return false;
	return has(set, node);
}

void nodeset_text(const struct nodeset *set, char *text, size_t size)
{
	unsigned int first, last;
	size_t used = 0;

	text[0] = '\0';
	for (first = 0; first < set->bytes * 8 && used < size; first = last + 1) {
		last = first;
		if (!has(set, first))
			continue;
		while (has(set, last + 1))
			last++;
		used += snprintf(text + used, size - used, "%s%u", used ? "," : "", first);
		if (last > first && used < size)
			used += snprintf(text + used, size - used, "-%u", last);
	}
}

bool bind_is_possible(const char *root)
{
	char controllers[512], *word, *rest = controllers;

	/* Without cgroup v2 the daemon refuses the move of a unit. */
	if (procfs_value(root, NULL, controllers, sizeof(controllers),
			 "/sys/fs/cgroup/cgroup.controllers") < 0)
		return true;
	while ((word = strsep(&rest, " ")))
		if (!strcmp(word, "cpuset"))
			return true;
	say_err("the kernel has no cpuset controller for units, so none can be bound to a node (cpuset is not in /sys/fs/cgroup/cgroup.controllers): boot without cgroup_disable=cpuset, or leave out --bind");
	return false;
}

/*
 * What gives a unit its nodes back. When no nodes are set, systemd leaves cpuset.mems
 * as it was: a unit that had none is given all.
 */
static void put_undo(const struct bind *b, char *command, size_t size)
{
	char nodes[1024];

	nodeset_text(&b->before, nodes, sizeof(nodes));
	if (!nodes[0] && procfs_value("", NULL, nodes, sizeof(nodes),
				      "/sys/devices/system/node/has_memory") < 0)
		snprintf(nodes, sizeof(nodes), "0-%d", b->node);
	snprintf(command, size, "systemctl set-property --runtime '%s' " PROPERTY "=%s", b->unit,
		 nodes);
}

/* Its path is to be freed. */
static int find(const struct bind *b, char **ret_path, const char **ret_iface)
{
	*ret_iface = target_unit_iface(b->unit);
	if (!*ret_iface)
		return -EINVAL;
	return sd_bus_path_encode("/org/freedesktop/systemd1/unit", b->unit, ret_path);
}

static int get_nodes(const struct bind *b, struct client *c, const char *property,
		     struct nodeset *ret, sd_bus_error *error)
{
	sd_bus_message *reply = NULL;
	const char *iface;
	const void *bits;
	char *path = NULL;
	int r;

	r = find(b, &path, &iface);
	if (r >= 0)
		r = sd_bus_get_property(c->bus, SYSTEMD, path, iface, property, error, &reply, "ay");
	if (r >= 0)
		r = sd_bus_message_read_array(reply, 'y', &bits, &ret->bytes);
	if (r >= 0 && ret->bytes > sizeof(ret->bits))
		r = -E2BIG;
	if (r >= 0)
		memcpy(ret->bits, bits, ret->bytes);
	sd_bus_message_unref(reply);
	free(path);
	return r;
}

static int set_nodes(const struct bind *b, struct client *c, const struct nodeset *set,
		     sd_bus_error *error)
{
	sd_bus_message *m = NULL;
	int r;

	r = sd_bus_message_new_method_call(c->bus, &m, SYSTEMD, "/org/freedesktop/systemd1",
					   SYSTEMD ".Manager", "SetUnitProperties");
	if (r >= 0)
		r = sd_bus_message_append(m, "sb", b->unit, 1);
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'a', "(sv)");
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'r', "sv");
	if (r >= 0)
		r = sd_bus_message_append(m, "s", PROPERTY);
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'v', "ay");
	if (r >= 0)
		r = sd_bus_message_append_array(m, 'y', set->bits, set->bytes);
	for (unsigned int depth = 0; r >= 0 && depth < 3; depth++)
		r = sd_bus_message_close_container(m);
	if (r >= 0)
		r = sd_bus_call(c->bus, m, 0, error, NULL);
	sd_bus_message_unref(m);
	return r;
}

int bind_check(struct bind *b, const char *root, struct client *c)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	int r;

	if (!target_unit_iface(b->unit)) {
		say_err("'%s' is no service, scope or slice, which are the units that have processes",
			b->unit);
		return MIGCTL_USAGE;
	}
	if (b->node >= RANGELIST_MAX) {
		say_err("there is no node %d: see /sys/devices/system/node/online for those there are",
			b->node);
		return MIGCTL_FAILED;
	}
	if (!bind_is_possible(root))
		return MIGCTL_FAILED;
	r = get_nodes(b, c, PROPERTY, &b->before, &error);
	if (r < 0)
		say_err("systemd does not tell which nodes unit %s may use (%s), so it is neither moved nor bound: see systemctl list-units",
			b->unit, error.message ? error.message : strerror(-r));
	sd_bus_error_free(&error);
	return r < 0 ? MIGCTL_FAILED : MIGCTL_OK;
}

/*
 * Whether the kernel does as systemd was told. systemd writes cpuset.mems before it
 * takes the next message, which this is.
 */
static bool took_effect(const struct bind *b, struct client *c)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	struct nodeset now = { };
	int r;

	r = get_nodes(b, c, "EffectiveMemoryNodes", &now, &error);
	sd_bus_error_free(&error);
	return r >= 0 && is_only(&now, b->node);
}

int bind_unit(const struct bind *b, struct client *c, bool tell)
{
	const struct nodeset set = only(b->node);
	sd_bus_error error = SD_BUS_ERROR_NULL;
	int r, code = MIGCTL_FAILED;
	char undo[2048];

	sd_bus_set_method_call_timeout(c->bus, PATIENCE_USEC);
	r = set_nodes(b, c, &set, &error);
	if (r < 0) {
		say_err("systemd does not bind unit %s to node %d (%s), its memory has moved: run `systemctl set-property --runtime '%s' AllowedMemoryNodes=%d` as root",
			b->unit, b->node, error.message ? error.message : strerror(-r), b->unit,
			b->node);
		if (sd_bus_error_has_name(&error, SD_BUS_ERROR_ACCESS_DENIED) ||
		    sd_bus_error_has_name(&error,
					  SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED))
			code = MIGCTL_DENIED;
	} else if (!took_effect(b, c)) {
		/* A rule that does nothing now would do so at another time. */
		set_nodes(b, c, &b->before, NULL);
		say_err("unit %s cannot be bound to node %d, its memory has moved: cpuset.mems of its cgroup does not follow systemd, see whether a slice above it has DisableControllers=cpuset",
			b->unit, b->node);
	} else {
		code = MIGCTL_OK;
	}
	sd_bus_error_free(&error);
	if (code == MIGCTL_OK && tell) {
		put_undo(b, undo, sizeof(undo));
		printf("  bound    unit %s to node %d, until the next boot; to undo it: `%s`\n",
		       b->unit, b->node, undo);
		fflush(stdout);
	}
	return code;
}

void bind_say_not(const struct bind *b)
{
	say_warn("unit %s is not bound to node %d, as not all of it has moved: migrate again with --bind, or bind it all the same with `systemctl set-property --runtime '%s' AllowedMemoryNodes=%d`",
		 b->unit, b->node, b->unit, b->node);
}

void bind_add_json(const struct bind *b, json_t *object, bool bound)
{
	char undo[2048];

	put_undo(b, undo, sizeof(undo));
	json_object_set_new(object, "bound", !bound ? json_null() :
			    json_pack("{s:s, s:i, s:s}", "unit", b->unit, "node", b->node,
				      "undo", undo));
}
