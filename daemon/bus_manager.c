// SPDX-License-Identifier: GPL-2.0
/* Interface org.migd1.Manager. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "auth.h"
#include "bus.h"
#include "json.h"
#include "log.h"
#include "names.h"
#include "own.h"
#include "target.h"

/*
 * An own process is looked at before polkit is asked, so that nobody types a
 * password in vain. Of others, and of pids that have no process, the caller
 * hears nothing before it is allowed to.
 */
static int may_migrate(struct manager *m, sd_bus_message *msg, const struct caller *c,
		       struct job_request *req, struct fault *f, sd_bus_error *error)
{
	struct fault ignored;
	struct target t;
	int r;

	req->user = c->user;
	req->group = c->group;
	if (!c->user)
		return 0;
	t.pidfd = c->pidfd;
	t.pid = req->pid;
	if (c->given && c->pidfd >= 0 && target_check_alive(&t, f) < 0)
		return -ESRCH;
	/* What is wrong whoever it is for needs nobody's permission. */
	r = nodes_check(req->from, req->to, f);
	if (r >= 0)
		r = job_check(m, req, f);
	if (r < 0)
		return r;
	if (target_open(&t, req->pid, &ignored) < 0)
		return auth_check(m, msg, c, AUTH_MIGRATE_OTHERS, MOVE_OTHERS, -1, error);
	req->start_time = t.start_time;
	req->own_only = c->whole && own_target(&t, c->user, c->group);
	if (req->own_only) {
		r = target_check_cpuset(&t, req->to, f);
		/* Others wait for what is shared: its deadline has a limit. */
		if (r >= 0)
			r = job_check(m, req, f);
		if (r >= 0)
			r = auth_check(m, msg, c, AUTH_MIGRATE_OWN, MOVE_OWN, t.pidfd, error);
	} else {
		r = auth_check(m, msg, c, AUTH_MIGRATE_OTHERS, MOVE_OTHERS, t.pidfd, error);
	}
	target_close(&t);
	return r;
}

static int migrate_process(sd_bus_message *msg, void *arg, sd_bus_error *error)
{
	struct job_request req = { .order = MIGD_ORDER_COPY_FIRST };
	struct fault f = { .id = FAULT_NONE };
	struct manager *m = arg;
	char path[BUS_PATH_LEN];
	struct caller caller;
	struct job *job;
	int r;

	r = auth_caller(m, msg, &caller, error);
	if (r < 0)
		return r;
	r = sd_bus_message_read(msg, "uii", &req.pid, &req.from, &req.to);
	if (r >= 0)
		r = bus_read_options(msg, &req, &f);
	if (r >= 0)
		r = may_migrate(m, msg, &caller, &req, &f, error);
	if (!r)
		r = job_submit(m, &req, &job, &f);
	free(req.ranges);
	/* Polkit is being asked. */
	if (r > 0)
		return r;
	if (r < 0)
		return f.id ? bus_fault(error, &f) : r;
	bus_job_path(job->nl.id, path);
	return sd_bus_reply_method_return(msg, "o", path);
}

/* Answer an array of @type, which @append fills. */
static int reply_array(sd_bus_message *msg, const char *type, struct manager *m,
		       int (*append)(struct manager *m, sd_bus_message *reply))
{
	sd_bus_message *reply;
	int r;

	r = sd_bus_message_new_method_return(msg, &reply);
	if (r < 0)
		return r;
	r = sd_bus_message_open_container(reply, 'a', type);
	if (r >= 0)
		r = append(m, reply);
	if (r >= 0)
		r = sd_bus_message_close_container(reply);
	if (r >= 0)
		r = sd_bus_send(NULL, reply, NULL);
	sd_bus_message_unref(reply);
	return r;
}

static int append_jobs(struct manager *m, sd_bus_message *reply)
{
	char path[BUS_PATH_LEN];
	int r = 0;

	for (struct job *job = m->jobs; job && r >= 0; job = job->next) {
		bus_job_path(job->nl.id, path);
		r = sd_bus_message_append(reply, "(to)", job->nl.id, path);
	}
	return r;
}

static int list_jobs(sd_bus_message *msg, void *arg, sd_bus_error *error)
{
	return reply_array(msg, "(to)", arg, append_jobs);
}

static int append_groups(struct manager *m, sd_bus_message *reply)
{
	char path[BUS_PATH_LEN];
	int r = 0;

	for (struct group *g = m->groups; g && r >= 0; g = g->next) {
		bus_group_path(g->id, path);
		r = sd_bus_message_append(reply, "(to)", g->id, path);
	}
	return r;
}

static int list_groups(sd_bus_message *msg, void *arg, sd_bus_error *error)
{
	return reply_array(msg, "(to)", arg, append_groups);
}

static int append_engines(struct manager *m, sd_bus_message *reply)
{
	char path[BUS_PATH_LEN];
	int r = 0;

	for (unsigned int i = 0; i < m->nr_engines && r >= 0; i++) {
		bus_engine_path(m->engines[i].name, path);
		r = sd_bus_message_append(reply, "(so)", m->engines[i].name, path);
	}
	return r;
}

static int list_engines(sd_bus_message *msg, void *arg, sd_bus_error *error)
{
	engines_refresh(arg, 0);
	return reply_array(msg, "(so)", arg, append_engines);
}

static int claim_engine(sd_bus_message *msg, void *arg, sd_bus_error *error)
{
	struct fault f = { .id = FAULT_NONE };
	struct manager *m = arg;
	char path[BUS_PATH_LEN];
	const char *name;
	int r;

	r = sd_bus_message_read(msg, "s", &name);
	if (r < 0)
		return r;
	r = serve_ensure(m, &f);
	if (r >= 0 && policy_check_engine(name) < 0)
		r = fault_set(&f, FAULT_INVALID_ARGUMENT,
			      "'%s' is no name of a channel: see /sys/class/dma", name);
	if (r < 0)
		return bus_fault(error, &f);
	r = auth_ask(m, msg, AUTH_MANAGE_POLICY, "claim engines", error);
	if (r)
		return r;
	r = claim_channel(m, name, &f);
	if (r < 0)
		return bus_fault(error, &f);
	bus_engine_path(name, path);
	return sd_bus_reply_method_return(msg, "o", path);
}

static int get_stats(sd_bus_message *msg, void *arg, sd_bus_error *error)
{
	struct fault f = { .id = FAULT_NONE };
	struct manager *m = arg;
	struct nl_stats stats;
	int r;

	r = serve_ensure(m, &f);
	if (r < 0)
		return bus_fault(error, &f);
	r = nl_get_stats(m->nl, &stats);
	if (r < 0) {
		fault_set(&f, FAULT_FAILED, "the kernel module does not answer (%s): see dmesg",
			  strerror(-r));
		return bus_fault(error, &f);
	}
	return bus_reply_json(msg, json_stats(&stats, m));
}

static int get_permissions(sd_bus_message *msg, void *arg, sd_bus_error *error)
{
	return auth_tell(arg, msg, error);
}

static int describe(sd_bus_message *msg, void *arg, sd_bus_error *error)
{
	struct manager *m = arg;

	return bus_reply_json(msg, json_describe(m));
}

static int get_text(sd_bus *bus, const char *path, const char *iface, const char *property,
		    sd_bus_message *reply, void *arg, sd_bus_error *error)
{
	struct manager *m = arg;
	const char *text = MIGD_VERSION;

	if (!strcmp(property, "ModuleVersion"))
		text = m->features.version;
	else if (!strcmp(property, "ModuleError"))
		text = m->why_not.text;
	return sd_bus_message_append(reply, "s", text);
}

static int get_ready(sd_bus *bus, const char *path, const char *iface, const char *property,
		     sd_bus_message *reply, void *arg, sd_bus_error *error)
{
	struct manager *m = arg;

	return sd_bus_message_append(reply, "b", m->ready);
}

#define ARGS(...)	SD_BUS_ARGS(__VA_ARGS__)

static const sd_bus_vtable manager_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_PROPERTY("Version", "s", get_text, 0, SD_BUS_VTABLE_PROPERTY_CONST),
	SD_BUS_PROPERTY("ModuleVersion", "s", get_text, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("Ready", "b", get_ready, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("ModuleError", "s", get_text, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_METHOD_WITH_ARGS("MigrateProcess",
				ARGS("u", pid, "i", from, "i", to, "a{sv}", options),
				ARGS("o", job), migrate_process, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("ListJobs", SD_BUS_NO_ARGS, ARGS("a(to)", jobs), list_jobs,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("MigrateProcesses",
				ARGS("au", pids, "i", from, "i", to, "a{sv}", options),
				ARGS("o", group), bus_migrate_processes,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("MigrateUnit",
				ARGS("s", unit, "i", from, "i", to, "a{sv}", options),
				ARGS("o", group), bus_migrate_unit, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("MigrateCgroup",
				ARGS("s", path, "i", from, "i", to, "a{sv}", options),
				ARGS("o", group), bus_migrate_cgroup, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("ListGroups", SD_BUS_NO_ARGS, ARGS("a(to)", groups), list_groups,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("ListEngines", SD_BUS_NO_ARGS, ARGS("a(so)", engines),
				list_engines, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("ClaimEngine", ARGS("s", name), ARGS("o", engine), claim_engine,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("GetPermissions", SD_BUS_NO_ARGS, ARGS("a{ss}", permissions),
				get_permissions, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("GetStats", SD_BUS_NO_ARGS, ARGS("s", json), get_stats,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Describe", SD_BUS_NO_ARGS, ARGS("s", json), describe,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_SIGNAL_WITH_ARGS("JobNew", ARGS("t", id, "o", job), 0),
	SD_BUS_SIGNAL_WITH_ARGS("JobRemoved", ARGS("t", id, "o", job, "s", outcome), 0),
	SD_BUS_SIGNAL_WITH_ARGS("GroupNew", ARGS("t", id, "o", group), 0),
	SD_BUS_SIGNAL_WITH_ARGS("GroupRemoved", ARGS("t", id, "o", group, "s", outcome), 0),
	SD_BUS_SIGNAL_WITH_ARGS("EngineFault", ARGS("s", engine, "i", error, "s", message), 0),
	SD_BUS_SIGNAL_WITH_ARGS("BatchRescued",
				ARGS("t", job, "s", cause, "t", moved, "t", put_back), 0),
	SD_BUS_SIGNAL_WITH_ARGS("Quarantine", ARGS("s", engine, "t", pages), 0),
	SD_BUS_VTABLE_END
};

int bus_add_manager(struct manager *m)
{
	return sd_bus_add_object_vtable(m->bus, NULL, BUS_ROOT, BUS_MANAGER_IFACE, manager_vtable,
					m);
}

/* A signal that cannot be sent is a connection that is about to be found gone. */
static void check_sent(int r, const char *what)
{
	if (r < 0)
		log_debug("signal %s was not sent: %s", what, strerror(-r));
}

void bus_ready_changed(struct manager *m)
{
	check_sent(sd_bus_emit_properties_changed(m->bus, BUS_ROOT, BUS_MANAGER_IFACE, "Ready",
						  "ModuleError", "ModuleVersion", NULL),
		   "PropertiesChanged");
}

void bus_engine_fault(struct manager *m, const struct nl_channel *channel)
{
	const char *words = channel->error == EILSEQ ? "a copy that it called complete was wrong" :
			    strerror(channel->error);

	check_sent(sd_bus_emit_signal(m->bus, BUS_ROOT, BUS_MANAGER_IFACE, "EngineFault", "sis",
				      channel->name, (int)channel->error, words), "EngineFault");
}

void bus_batch_rescued(struct manager *m, const struct nl_job *job)
{
	check_sent(sd_bus_emit_signal(m->bus, BUS_ROOT, BUS_MANAGER_IFACE, "BatchRescued", "tstt",
				      job->id, name_rescue(job->rescue_cause),
				      job->rescued_moved, job->rescued_put_back), "BatchRescued");
}

void bus_quarantine(struct manager *m, const struct nl_channel *channel)
{
	check_sent(sd_bus_emit_signal(m->bus, BUS_ROOT, BUS_MANAGER_IFACE, "Quarantine", "st",
				      channel->name, channel->quarantined), "Quarantine");
}
