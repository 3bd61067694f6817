/* SPDX-License-Identifier: GPL-2.0 */
/* The service org.migd1 on the system bus; org.migd1(5) describes it. */
#ifndef MIGD_BUS_H
#define MIGD_BUS_H

#include <jansson.h>
#include <systemd/sd-bus.h>

#include "errors.h"
#include "group.h"
#include "job.h"
#include "manager.h"

#define BUS_NAME		"org.migd1"
#define BUS_ROOT		"/org/migd1"
#define BUS_JOBS		"/org/migd1/job"
#define BUS_GROUPS		"/org/migd1/group"
#define BUS_ENGINES		"/org/migd1/engine"
#define BUS_MANAGER_IFACE	"org.migd1.Manager"
#define BUS_JOB_IFACE		"org.migd1.Job"
#define BUS_GROUP_IFACE		"org.migd1.Group"
#define BUS_ENGINE_IFACE	"org.migd1.Engine"
#define BUS_POLICY_IFACE	"org.migd1.Policy"

/* Connect and put the objects on the bus, without the name. */
int bus_open(struct manager *m);
/* Take the name: from now on callers come. */
int bus_announce(struct manager *m);
/* All objects, on m->bus. */
int bus_add_objects(struct manager *m);

/* Answer a call by the fault. */
int bus_fault(sd_bus_error *error, const struct fault *f);
/* Answer a call by @o as a string; takes the reference. */
int bus_reply_json(sd_bus_message *msg, json_t *o);
/* Answer an enumerator by @n paths, which are taken; a NULL among them was no memory. */
int bus_reply_paths(char **paths, size_t n, char ***ret);

/* For the methods of jobs and engines, which sd-bus passes only these. */
struct manager *bus_manager_of(sd_bus_message *msg);

/* Room for an object path. */
#define BUS_PATH_LEN	256

int bus_add_manager(struct manager *m);
int bus_add_jobs(struct manager *m);
int bus_add_groups(struct manager *m);
int bus_add_engines(struct manager *m);
int bus_add_policy(struct manager *m);

/* Of one job: its path, its coming and going, and what changed. */
void bus_job_path(uint64_t id, char *path);
void bus_job_new(struct manager *m, const struct job *job, bool signal);
void bus_job_progress(struct manager *m, const struct job *job);
/* Its limits, or whether it is to wait. */
void bus_job_changed(struct manager *m, const struct job *job);
void bus_job_done(struct manager *m, const struct job *job);
void bus_job_gone(struct manager *m, const struct job *job);

/* The same of a group. */
void bus_group_path(uint64_t id, char *path);
void bus_group_new(struct manager *m, const struct group *g);
void bus_group_progress(struct manager *m, struct group *g);
void bus_group_done(struct manager *m, const struct group *g);
void bus_group_gone(struct manager *m, const struct group *g);

void bus_engine_path(const char *name, char *path);
void bus_engine_new(struct manager *m, const char *name);
void bus_engine_gone(struct manager *m, const char *name);
void bus_engine_changed(struct manager *m, const char *name);

/* Manager: signals and properties. */
void bus_ready_changed(struct manager *m);
void bus_engine_fault(struct manager *m, const struct nl_channel *channel);
void bus_batch_rescued(struct manager *m, const struct nl_job *job);
void bus_quarantine(struct manager *m, const struct nl_channel *channel);

/* A property cannot be set later than its call returns: polkit is asked before that. */
int bus_before_set(struct manager *m, sd_bus_message *msg, sd_bus_error *error);

/* The policy was read again. */
void bus_policy_changed(struct manager *m);

/* bus_target.c: the methods of the manager that make groups. */
int bus_migrate_processes(sd_bus_message *msg, void *arg, sd_bus_error *error);
int bus_migrate_unit(sd_bus_message *msg, void *arg, sd_bus_error *error);
int bus_migrate_cgroup(sd_bus_message *msg, void *arg, sd_bus_error *error);

/* bus_options.c: the a{sv} of MigrateProcess, of these; the last has no name. */
struct bus_option {
	const char *name;
	const char *type;
	int (*read)(sd_bus_message *msg, struct job_request *req, struct fault *f);
};

extern const struct bus_option bus_options[];
int bus_read_options(sd_bus_message *msg, struct job_request *req, struct fault *f);

#endif /* MIGD_BUS_H */
