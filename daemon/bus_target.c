// SPDX-License-Identifier: GPL-2.0
/*
 * Targets that are several processes: a list, a unit, a cgroup. Which cgroup a
 * unit has is systemd's to say; it is asked without waiting, as it may be
 * waiting for us.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth.h"
#include "bus.h"
#include "target.h"

#define SYSTEMD		"org.freedesktop.systemd1"

/* A caller whose unit systemd is being asked for. */
struct ask {
	unsigned int refs;
	struct manager *m;
	sd_bus_message *call;		/* to be answered */
	struct caller caller;		/* who sent it */
	struct group *group;
	const char *iface;		/* of the unit's kind */
};

/* Read "iia{sv}" into a new group. */
static int new_group(sd_bus_message *msg, enum group_kind kind, struct group **ret,
		     struct fault *f)
{
	struct group *g = calloc(1, sizeof(*g));
	int r;

	if (!g)
		return -ENOMEM;
	g->kind = kind;
	g->req.order = MIGD_ORDER_COPY_FIRST;
	r = sd_bus_message_read(msg, "ii", &g->req.from, &g->req.to);
	if (r >= 0)
		r = bus_read_options(msg, &g->req, f);
	if (r >= 0 && g->req.nr_ranges)
		r = fault_set(f, FAULT_INVALID_OPTION,
			      "ranges are addresses of one process: move that one by itself, or leave them out");
	if (r >= 0 && g->req.flags & MIGD_JOB_FLAG_ATOMIC)
		r = fault_set(f, FAULT_INVALID_OPTION,
			      "atomic is for ranges of one process: move that one by itself, or leave it out");
	free(g->req.ranges);
	g->req.ranges = NULL;
	if (r < 0)
		group_free(g);
	else
		*ret = g;
	return r;
}

static int reply_group(sd_bus_message *msg, const struct group *g)
{
	char path[BUS_PATH_LEN];

	bus_group_path(g->id, path);
	return sd_bus_reply_method_return(msg, "o", path);
}

/*
 * Are all of its processes the caller's own? Then @g is for own ones only from now on, and
 * whoever joins it later and is not own is left out: each is looked at again as it is
 * visited, by job_submit(). So this decides no more than what polkit is asked for.
 */
static int try_own(struct group *g, const struct caller *c, const uint32_t *pids, size_t nr,
		   struct fault *f)
{
	int r;

	if (!c->user || !c->whole || c->given == AUTH_MIGRATE_OTHERS || nr > GROUP_OWN_MAX)
		return 0;
	g->req.own_only = true;
	r = group_list(g, pids, nr, f);
	if (r >= 0 || f->id)
		return r;
	g->req.own_only = false;
	free(g->members);
	g->members = NULL;
	g->nr = 0;
	return r == -EPERM ? 0 : r;
}

/* Takes @g. 0: @msg is answered; above 0: polkit is being asked. */
static int start(struct manager *m, sd_bus_message *msg, const struct caller *c, struct group *g,
		 const uint32_t *pids, size_t nr, sd_bus_error *error)
{
	struct fault f = { .id = FAULT_NONE };
	int r;

	g->req.user = c->user;
	g->req.group = c->group;
	r = nodes_check(g->req.from, g->req.to, &f);
	if (r >= 0)
		r = try_own(g, c, pids, nr, &f);
	if (r >= 0)
		r = group_check(m, g, &f);
	if (r >= 0)
		r = g->req.own_only ? auth_check(m, msg, c, AUTH_MIGRATE_OWN, MOVE_OWN, -1, error) :
		    auth_check(m, msg, c, AUTH_MIGRATE_OTHERS, MOVE_SEVERAL, -1, error);
	/* Of processes that are not own only who may move them is told anything. */
	if (!r && !g->req.own_only)
		r = group_list(g, pids, nr, &f);
	if (!r) {
		group_begin(m, g);
		return reply_group(msg, g);
	}
	group_free(g);
	return f.id ? bus_fault(error, &f) : r;
}

int bus_migrate_processes(sd_bus_message *msg, void *arg, sd_bus_error *error)
{
	struct fault f = { .id = FAULT_NONE };
	const uint32_t *pids;
	struct group *g;
	size_t bytes, nr;
	struct caller c;
	int r;

	r = auth_caller(arg, msg, &c, error);
	if (r < 0)
		return r;
	r = sd_bus_message_read_array(msg, 'u', (const void **)&pids, &bytes);
	if (r < 0)
		return r;
	nr = bytes / sizeof(*pids);
	r = new_group(msg, GROUP_PROCESSES, &g, &f);
	if (r < 0)
		return f.id ? bus_fault(error, &f) : r;
	if (!nr) {
		group_free(g);
		fault_set(&f, FAULT_INVALID_ARGUMENT,
			  "no process is named: give the pids of those to move");
		return bus_fault(error, &f);
	}
	snprintf(g->target, sizeof(g->target), "%zu processes", nr);
	return start(arg, msg, &c, g, pids, nr, error);
}

int bus_migrate_cgroup(sd_bus_message *msg, void *arg, sd_bus_error *error)
{
	struct fault f = { .id = FAULT_NONE };
	const char *path;
	struct group *g;
	struct caller c;
	int r;

	r = auth_caller(arg, msg, &c, error);
	if (r < 0)
		return r;
	r = sd_bus_message_read_basic(msg, 's', &path);
	if (r < 0)
		return r;
	r = new_group(msg, GROUP_CGROUP, &g, &f);
	if (r < 0)
		return f.id ? bus_fault(error, &f) : r;
	r = cgroup_path(path, g->cgroup);
	if (r < 0) {
		group_free(g);
		fault_set(&f, FAULT_INVALID_ARGUMENT,
			  "'%.128s' is no path of a cgroup: give one below " CGROUP_ROOT ", without '..'",
			  path);
		return bus_fault(error, &f);
	}
	snprintf(g->target, sizeof(g->target), "%s", g->cgroup);
	return start(arg, msg, &c, g, NULL, 0, error);
}

static void ask_unref(void *arg)
{
	struct ask *ask = arg;

	if (--ask->refs)
		return;
	sd_bus_message_unref(ask->call);
	group_free(ask->group);
	free(ask);
}

/* Send @m; @handler gets the answer, and what it needs lives as long. */
static int ask_systemd(struct ask *ask, sd_bus_message *m, sd_bus_message_handler_t handler)
{
	sd_bus_slot *slot;
	int r;

	r = sd_bus_call_async(ask->m->bus, &slot, m, handler, ask, 0);
	if (r < 0)
		return r;
	ask->refs++;
	sd_bus_slot_set_destroy_callback(slot, ask_unref);
	sd_bus_slot_set_floating(slot, true);
	sd_bus_slot_unref(slot);
	return 0;
}

/* The caller hears it; 0, as the bus has nothing more to do. */
static int answer_fault(struct ask *ask, const struct fault *f)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;

	bus_fault(&error, f);
	sd_bus_reply_method_error(ask->call, &error);
	sd_bus_error_free(&error);
	return 0;
}

static int answer_errno(struct ask *ask, int r)
{
	struct fault f;

	fault_set(&f, FAULT_FAILED, "systemd cannot be asked for unit %.128s (%s): name its cgroup",
		  ask->group->target, strerror(-r));
	return answer_fault(ask, &f);
}

static int answer_error(struct ask *ask, const sd_bus_error *error)
{
	struct fault f;

	if (sd_bus_error_has_name(error, SYSTEMD ".NoSuchUnit"))
		fault_set(&f, FAULT_NO_SUCH_UNIT,
			  "systemd has no unit %.128s loaded: see systemctl list-units for those there are",
			  ask->group->target);
	else
		fault_set(&f, FAULT_FAILED, "systemd does not tell of unit %.128s (%.128s): name its cgroup",
			  ask->group->target, error->message ? error->message : error->name);
	return answer_fault(ask, &f);
}

/* It is the call that is to be answered, not systemd's reply, so the error is ours. */
static int start_unit(struct ask *ask)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	struct group *g = ask->group;
	int r;

	ask->group = NULL;
	r = start(ask->m, ask->call, &ask->caller, g, NULL, 0, &error);
	if (r < 0)
		sd_bus_reply_method_errno(ask->call, r, &error);
	sd_bus_error_free(&error);
	return 0;
}

static int on_cgroup(sd_bus_message *reply, void *arg, sd_bus_error *error)
{
	struct fault f = { .id = FAULT_NONE };
	struct ask *ask = arg;
	const char *path;
	int r;

	if (sd_bus_message_is_method_error(reply, NULL))
		return answer_error(ask, sd_bus_message_get_error(reply));
	r = sd_bus_message_read(reply, "v", "s", &path);
	if (r < 0)
		return answer_errno(ask, r);
	/* A unit that runs nothing has none. */
	if (!*path || cgroup_path(path, ask->group->cgroup) < 0) {
		fault_set(&f, FAULT_NO_SUCH_PROCESS,
			  "unit %.128s has no process: see systemctl status '%.128s', and systemd-cgls for units that have",
			  ask->group->target, ask->group->target);
		return answer_fault(ask, &f);
	}
	return start_unit(ask);
}

static int on_unit(sd_bus_message *reply, void *arg, sd_bus_error *error)
{
	sd_bus_message *m = NULL;
	struct ask *ask = arg;
	const char *path;
	int r;

	if (sd_bus_message_is_method_error(reply, NULL))
		return answer_error(ask, sd_bus_message_get_error(reply));
	r = sd_bus_message_read(reply, "o", &path);
	if (r >= 0)
		r = sd_bus_message_new_method_call(ask->m->bus, &m, SYSTEMD, path,
						   "org.freedesktop.DBus.Properties", "Get");
	if (r >= 0)
		r = sd_bus_message_append(m, "ss", ask->iface, "ControlGroup");
	if (r >= 0)
		r = ask_systemd(ask, m, on_cgroup);
	sd_bus_message_unref(m);
	return r < 0 ? answer_errno(ask, r) : 0;
}

/* The interface that has the cgroup of a unit of this name; NULL: it has none. */
static const char *unit_iface(const char *unit)
{
	static const struct {
		const char *suffix, *iface;
	} kinds[] = {
		{ ".service", SYSTEMD ".Service" },
		{ ".scope", SYSTEMD ".Scope" },
		{ ".slice", SYSTEMD ".Slice" },
	};
	const char *dot = strrchr(unit, '.');

	for (size_t i = 0; dot && dot != unit && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(dot, kinds[i].suffix))
			return kinds[i].iface;
	return NULL;
}

static int ask_for_unit(struct ask *ask)
{
	sd_bus_message *m = NULL;
	int r;

	r = sd_bus_message_new_method_call(ask->m->bus, &m, SYSTEMD, "/org/freedesktop/systemd1",
					   SYSTEMD ".Manager", "GetUnit");
	if (r >= 0)
		r = sd_bus_message_append(m, "s", ask->group->target);
	if (r >= 0)
		r = ask_systemd(ask, m, on_unit);
	sd_bus_message_unref(m);
	return r;
}

int bus_migrate_unit(sd_bus_message *msg, void *arg, sd_bus_error *error)
{
	struct fault f = { .id = FAULT_NONE };
	const char *unit, *iface;
	struct group *g;
	struct ask *ask;
	struct caller c;
	int r;

	r = auth_caller(arg, msg, &c, error);
	if (r < 0)
		return r;
	r = sd_bus_message_read_basic(msg, 's', &unit);
	if (r < 0)
		return r;
	r = new_group(msg, GROUP_UNIT, &g, &f);
	if (r < 0)
		return f.id ? bus_fault(error, &f) : r;
	snprintf(g->target, sizeof(g->target), "%s", unit);
	iface = unit_iface(unit);
	if (!iface) {
		group_free(g);
		fault_set(&f, FAULT_INVALID_ARGUMENT,
			  "'%.128s' is no service, scope or slice, which are the units that have processes",
			  unit);
		return bus_fault(error, &f);
	}
	ask = calloc(1, sizeof(*ask));
	if (!ask) {
		group_free(g);
		return -ENOMEM;
	}
	*ask = (struct ask) {
		.refs = 1, .m = arg, .call = sd_bus_message_ref(msg), .caller = c, .group = g,
		.iface = iface,
	};
	/* Not ours for as long as that takes; of a group none is held. */
	ask->caller.pidfd = -1;
	r = ask_for_unit(ask);
	if (r < 0)
		answer_errno(ask, r);
	ask_unref(ask);
	/* Answered, or about to be. */
	return 1;
}
