// SPDX-License-Identifier: GPL-2.0
/*
 * A stand-in for migd's D-Bus face, for the tests of migctl only: one job whose
 * course is a script, and no memory is ever moved.
 *
 *	fake-migd SCRIPT
 *
 * It prints "ready" when it owns the name and "call ..." for each call that a
 * test may want to see. It advances only when it is asked something or told
 * to by SIGUSR1: nothing here waits for time to pass.
 */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <jansson.h>

#include "fake-migd.h"

int fake_refuse(struct fake *fake, sd_bus_error *error)
{
	return sd_bus_error_set(error, fake->script->refusal,
				"the fake refuses this: run another script");
}

static int print_value(sd_bus_message *m, const char *name, char type)
{
	__u64 number, end;
	const char *text;
	__u32 small;
	int r, set;

	switch (type) {
	case 's':
		r = sd_bus_message_read(m, "s", &text);
		if (r >= 0)
			printf(" %s=%s", name, text);
		return r;
	case 'b':
		r = sd_bus_message_read(m, "b", &set);
		if (r >= 0)
			printf(" %s=%d", name, set);
		return r;
	case 'u':
		r = sd_bus_message_read(m, "u", &small);
		if (r >= 0)
			printf(" %s=%u", name, small);
		return r;
	case 't':
		r = sd_bus_message_read(m, "t", &number);
		if (r >= 0)
			printf(" %s=%llu", name, number);
		return r;
	}
	r = sd_bus_message_enter_container(m, 'a', "(tt)");
	if (r < 0)
		return r;
	while ((r = sd_bus_message_read(m, "(tt)", &number, &end)) > 0)
		printf(" %s=%llx-%llx", name, number, end);
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

/* Print the options of MigrateProcess as they came. */
int fake_print_options(sd_bus_message *m)
{
	const char *name, *type;
	int r;

	r = sd_bus_message_enter_container(m, 'a', "{sv}");
	while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
		r = sd_bus_message_read(m, "s", &name);
		if (r >= 0)
			r = sd_bus_message_peek_type(m, NULL, &type);
		if (r >= 0)
			r = sd_bus_message_enter_container(m, 'v', type);
		if (r < 0)
			return r;
		r = print_value(m, name, type[0]);
		if (r < 0)
			return r;
		r = sd_bus_message_exit_container(m);
		if (r >= 0)
			r = sd_bus_message_exit_container(m);
	}
	return r;
}

static int method_migrate(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct fake *fake = userdata;
	int r, from, to;
	__u32 pid;

	r = sd_bus_message_read(m, "uii", &pid, &from, &to);
	if (r < 0)
		return r;
	printf("call MigrateProcess from=%d to=%d", from, to);
	r = fake_print_options(m);
	putchar('\n');
	if (r < 0)
		return r;
	if (fake->script->refusal)
		return fake_refuse(fake, error);
	fake->face = &face_job;
	fake_begin(fake);
	r = sd_bus_emit_signal(fake->bus, ROOT, MANAGER, "JobNew", "to", JOB_ID, JOB_PATH);
	if (r < 0)
		return r;
	return sd_bus_reply_method_return(m, "o", JOB_PATH);
}

static int method_permissions(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct fake *fake = userdata;

	if (fake->script->refusal)
		return fake_refuse(fake, error);
	return sd_bus_reply_method_return(m, "a{ss}", 3, "org.migd1.migrate-own", "yes",
					  "org.migd1.migrate-others", "password",
					  "org.migd1.manage-policy", "no");
}

static json_t *hist(void)
{
	return json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:I}", "count", 9, "p50_ns", 210000,
			 "p90_ns", 300000, "p99_ns", 480000, "p999_ns", 990000, "max_ns", 1200000,
			 "sum_ns", (json_int_t)12000000034);
}

json_t *fake_json(const struct fake *fake)
{
	json_t *job;

	job = json_pack("{s:i, s:i, s:s, s:i, s:i, s:s, s:s}", "id", 7, "pid", 4242,
			"comm", FAKE_COMM, "from", 0, "to", 1, "order", "copy-first",
			"engine", fake->engine);
	if (!job)
		return NULL;
	json_object_set_new(job, "state", json_string(fake->state));
	json_object_set_new(job, "outcome", json_string(fake->outcome));
	json_object_set_new(job, "total", json_integer(fake->script->total));
	json_object_set_new(job, "moved", json_integer(fake->moved));
	json_object_set_new(job, "bytes", json_integer(fake->bytes));
	json_object_set_new(job, "left", json_pack("{s:I, s:i}", "file",
						   (json_int_t)fake_left(fake),
						   "no-memory", 0));
	json_object_set_new(job, "passes", json_integer(2));
	json_object_set_new(job, "batches", json_integer(9));
	json_object_set_new(job, "rescued", json_integer(1));
	json_object_set_new(job, "elapsed_usec", json_integer(2000000));
	json_object_set_new(job, "lock", hist());
	json_object_set_new(job, "copy", hist());
	json_object_set_new(job, "commit", hist());
	json_object_set_new(job, "blackout", hist());
	return job;
}

/* Answer with the object, and drop it. */
int fake_reply_json(sd_bus_message *m, json_t *object)
{
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
	int r = text ? sd_bus_reply_method_return(m, "s", text) : -ENOMEM;

	free(text);
	json_decref(object);
	return r;
}

static int method_describe_job(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	(void)error;
	return fake_reply_json(m, fake_json(userdata));
}

static int method_describe(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct fake *fake = userdata;
	json_t *engine, *node, *all;
	char name[16];

	(void)error;
	engine = json_pack("{s:s, s:s, s:s, s:i, s:s, s:i, s:i, s:i, s:o}", "name", "cpu",
			   "device", "", "driver", "", "node", -1, "state", "ready", "copies", 3,
			   "pages", 300, "bytes", 1228800, "copy", hist());
	node = json_pack("{s:i, s:I, s:I}", "id", 0, "total", (json_int_t)2 << 30,
			 "free", (json_int_t)1 << 30);
	all = json_pack("{s:s, s:s, s:b, s:{s:s}, s:[o], s:[o], s:[], s:[]}", "version", "0.1",
			"module_version", "0.1", "ready", !fake->script->unready, "policy",
			"default_engine", fake->engine, "engines", engine, "nodes", node, "jobs",
			"groups");
	for (int i = 0; i < 8; i++) {
		snprintf(name, sizeof(name), "dma%dchan0", i);
		json_array_append_new(json_object_get(all, "engines"),
				      json_pack("{s:s, s:s, s:i, s:i}", "name", name,
						"state", "ready", "errors", i, "quarantined", 0));
	}
	if (all && fake->exists && fake->face == &face_group)
		json_array_append_new(json_object_get(all, "groups"), fake_group_json(fake));
	else if (all && fake->exists)
		json_array_append_new(json_object_get(all, "jobs"), fake_json(fake));
	return fake_reply_json(m, all);
}

static int method_stats(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	(void)userdata;
	(void)error;
	return fake_reply_json(m, json_pack("{s:i, s:i, s:{s:i, s:i}, s:i, s:i, s:i, s:o, s:{s:i}}",
				       "jobs", 3, "moved", 1000, "left", "file", 7, "busy", 2,
				       "rescued_deadline", 1, "rescued_server", 0, "late", 0,
				       "blackout", hist(), "daemon", "fallbacks", 5));
}

static int method_claim(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct fake *fake = userdata;
	const char *name;
	int r;

	r = sd_bus_message_read(m, "s", &name);
	if (r < 0)
		return r;
	printf("call ClaimEngine %s\n", name);
	if (fake->script->refusal)
		return fake_refuse(fake, error);
	return sd_bus_reply_method_return(m, "o", "/org/migd1/engine/dma0chan0");
}

static int method_release(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct fake *fake = userdata;

	printf("call Release %s\n", sd_bus_message_get_path(m));
	if (fake->script->refusal)
		return fake_refuse(fake, error);
	return sd_bus_reply_method_return(m, NULL);
}

int fake_cancel(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct fake *fake = userdata;
	int r;

	printf("call Cancel\n");
	if (fake->script->refusal)
		return fake_refuse(fake, error);
	r = sd_bus_reply_method_return(m, NULL);
	if (r < 0 || fake->script->course != HOLD)
		return r;
	return fake_end(fake, "cancelled");
}

static int method_wait(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct fake *fake = userdata;

	printf("call %s\n", sd_bus_message_get_member(m));
	if (fake->script->refusal)
		return fake_refuse(fake, error);
	return sd_bus_reply_method_return(m, NULL);
}

static int set_limit(sd_bus *bus, const char *path, const char *iface, const char *property,
		     sd_bus_message *value, void *userdata, sd_bus_error *error)
{
	struct fake *fake = userdata;
	__u64 number;
	int r;

	(void)bus;
	(void)path;
	(void)iface;
	r = sd_bus_message_read(value, "t", &number);
	if (r < 0)
		return r;
	printf("call Set %s=%llu\n", property, number);
	return fake->script->refusal ? fake_refuse(fake, error) : 0;
}

int fake_get_id(sd_bus *bus, const char *path, const char *iface, const char *property,
		sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	struct fake *fake = userdata;
	int r;

	(void)bus;
	(void)path;
	(void)iface;
	(void)property;
	(void)error;
	/* Whoever asks for the id follows the job: let it happen. */
	r = sd_event_source_set_enabled(fake->stepper, SD_EVENT_ONESHOT);
	return r < 0 ? r : sd_bus_message_append(reply, "t", fake->face->id);
}

int fake_get_any(sd_bus *bus, const char *path, const char *iface, const char *property,
		 sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	struct fake *fake = userdata;

	(void)bus;
	(void)path;
	(void)iface;
	(void)error;
	if (!strcmp(property, "Pid"))
		return sd_bus_message_append(reply, "u", 4242);
	if (!strcmp(property, "Comm"))
		return sd_bus_message_append(reply, "s", FAKE_COMM);
	if (!strcmp(property, "Order"))
		return sd_bus_message_append(reply, "s", "copy-first");
	if (!strcmp(property, "Total"))
		return sd_bus_message_append(reply, "t", fake->script->total);
	if (!strcmp(property, "MaxRate") || !strcmp(property, "DeadlineUSec") ||
	    !strcmp(property, "Nice"))
		return sd_bus_message_append(reply, "t", (__u64)0);
	if (!strcmp(property, "Left"))
		return sd_bus_message_append(reply, "a{st}", 1, "file", fake_left(fake));
	if (!strcmp(property, "State"))
		return sd_bus_message_append(reply, "s", fake->state);
	if (!strcmp(property, "Outcome"))
		return sd_bus_message_append(reply, "s", fake->outcome);
	if (!strcmp(property, "Engine"))
		return sd_bus_message_append(reply, "s", fake->engine);
	if (!strcmp(property, "From"))
		return sd_bus_message_append(reply, "i", 0);
	if (!strcmp(property, "To"))
		return sd_bus_message_append(reply, "i", 1);
	if (!strcmp(property, "Ready"))
		return sd_bus_message_append(reply, "b", !fake->script->unready);
	if (!strcmp(property, "ModuleError"))
		return sd_bus_message_append(reply, "s", fake->script->unready ?
					     "the module is not loaded: run modprobe" : "");
	return sd_bus_message_append(reply, "s", "0.1");
}

static __u64 *policy_number(struct fake *fake, const char *property)
{
	if (!strcmp(property, "BatchPages"))
		return &fake->pages;
	if (!strcmp(property, "TotalRate"))
		return &fake->total_rate;
	if (!strcmp(property, "Nice"))
		return &fake->nice;
	if (!strcmp(property, "JobsPerUser"))
		return &fake->jobs;
	if (!strcmp(property, "PressureUSec"))
		return &fake->pressure;
	return !strcmp(property, "MaxRate") ? &fake->rate : &fake->deadline;
}

static int set_policy(sd_bus *bus, const char *path, const char *iface, const char *property,
		      sd_bus_message *value, void *userdata, sd_bus_error *error)
{
	struct fake *fake = userdata;
	const char *text;
	int r;

	(void)bus;
	(void)path;
	(void)iface;
	if (fake->script->refusal)
		return fake_refuse(fake, error);
	if (!strcmp(property, "DefaultEngine")) {
		r = sd_bus_message_read(value, "s", &text);
		if (r >= 0)
			snprintf(fake->engine, sizeof(fake->engine), "%s", text);
		return r;
	}
	return sd_bus_message_read(value, "t", policy_number(fake, property));
}

static int get_policy(sd_bus *bus, const char *path, const char *iface, const char *property,
		      sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	struct fake *fake = userdata;

	(void)bus;
	(void)path;
	(void)iface;
	(void)error;
	if (!strcmp(property, "DefaultEngine"))
		return sd_bus_message_append(reply, "s", fake->engine);
	return sd_bus_message_append(reply, "t", *policy_number(fake, property));
}

static const sd_bus_vtable manager_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("MigrateProcess", "uiia{sv}", "o", method_migrate,
		      SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("MigrateProcesses", "auiia{sv}", "o", fake_migrate_processes,
		      SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("MigrateUnit", "siia{sv}", "o", fake_migrate_named,
		      SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("MigrateCgroup", "siia{sv}", "o", fake_migrate_named,
		      SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("ClaimEngine", "s", "o", method_claim, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("GetPermissions", "", "a{ss}", method_permissions,
		      SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("GetStats", "", "s", method_stats, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("Describe", "", "s", method_describe, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_PROPERTY("Version", "s", fake_get_any, 0, 0),
	SD_BUS_PROPERTY("ModuleVersion", "s", fake_get_any, 0, 0),
	SD_BUS_PROPERTY("Ready", "b", fake_get_any, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("ModuleError", "s", fake_get_any, 0, 0),
	SD_BUS_SIGNAL("JobNew", "to", 0),
	SD_BUS_SIGNAL("JobRemoved", "tos", 0),
	SD_BUS_SIGNAL("GroupNew", "to", 0),
	SD_BUS_SIGNAL("GroupRemoved", "tos", 0),
	SD_BUS_SIGNAL("EngineFault", "sis", 0),
	SD_BUS_SIGNAL("BatchRescued", "tstt", 0),
	SD_BUS_SIGNAL("Quarantine", "st", 0),
	SD_BUS_VTABLE_END
};

static const sd_bus_vtable engine_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("Release", "", "", method_release, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_VTABLE_END
};

static const sd_bus_vtable policy_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_WRITABLE_PROPERTY("DefaultEngine", "s", get_policy, set_policy, 0,
				 SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_WRITABLE_PROPERTY("DeadlineUSec", "t", get_policy, set_policy, 0,
				 SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_WRITABLE_PROPERTY("BatchPages", "t", get_policy, set_policy, 0,
				 SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_WRITABLE_PROPERTY("MaxRate", "t", get_policy, set_policy, 0,
				 SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_WRITABLE_PROPERTY("TotalRate", "t", get_policy, set_policy, 0,
				 SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_WRITABLE_PROPERTY("Nice", "t", get_policy, set_policy, 0,
				 SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_WRITABLE_PROPERTY("JobsPerUser", "t", get_policy, set_policy, 0,
				 SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_WRITABLE_PROPERTY("PressureUSec", "t", get_policy, set_policy, 0,
				 SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_VTABLE_END
};

static const sd_bus_vtable job_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("Cancel", "", "", fake_cancel, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("Pause", "", "", method_wait, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("Resume", "", "", method_wait, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("Describe", "", "s", method_describe_job, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_WRITABLE_PROPERTY("MaxRate", "t", fake_get_any, set_limit, 0,
				 SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_WRITABLE_PROPERTY("DeadlineUSec", "t", fake_get_any, set_limit, 0,
				 SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_WRITABLE_PROPERTY("Nice", "t", fake_get_any, set_limit, 0,
				 SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_PROPERTY("Id", "t", fake_get_id, 0, 0),
	SD_BUS_PROPERTY("Pid", "u", fake_get_any, 0, 0),
	SD_BUS_PROPERTY("Comm", "s", fake_get_any, 0, 0),
	SD_BUS_PROPERTY("From", "i", fake_get_any, 0, 0),
	SD_BUS_PROPERTY("To", "i", fake_get_any, 0, 0),
	SD_BUS_PROPERTY("Order", "s", fake_get_any, 0, 0),
	SD_BUS_PROPERTY("Engine", "s", fake_get_any, 0, 0),
	SD_BUS_PROPERTY("State", "s", fake_get_any, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("Outcome", "s", fake_get_any, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("Total", "t", fake_get_any, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("Moved", "t", NULL, offsetof(struct fake, moved),
			SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("Bytes", "t", NULL, offsetof(struct fake, bytes),
			SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("Left", "a{st}", fake_get_any, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_SIGNAL("Done", "stt", 0),
	SD_BUS_VTABLE_END
};

/* The job's object is there when the job is. */
static int find_job(sd_bus *bus, const char *path, const char *iface, void *userdata,
		    void **ret_found, sd_bus_error *error)
{
	struct fake *fake = userdata;

	(void)bus;
	(void)iface;
	(void)error;
	if (!strcmp(path, fake->face->path) && fake->exists) {
		*ret_found = fake;
		return 1;
	}
	if (!strcmp(path, fake->face->path) && fake->script->late && !fake->asked) {
		fake->asked = true;
		return sd_event_add_defer(fake->event, NULL, fake_appear, fake);
	}
	return 0;
}

static int serve(struct fake *fake)
{
	int r;

	r = sd_bus_request_name(fake->bus, "org.migd1", 0);
	if (r < 0)
		return r;
	printf("ready\n");
	return 0;
}

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
	struct fake *fake = userdata;

	(void)source;
	return info->ssi_signo == SIGUSR1 ? serve(fake) : sd_event_exit(fake->event, 0);
}

static int setup(struct fake *fake)
{
	sigset_t set;
	int r;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGUSR1);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	r = sd_event_new(&fake->event);
	if (r >= 0)
		r = sd_event_add_signal(fake->event, NULL, SIGTERM, on_signal, fake);
	if (r >= 0)
		r = sd_event_add_signal(fake->event, NULL, SIGUSR1, on_signal, fake);
	if (r >= 0)
		r = fake_course_setup(fake);
	if (r >= 0)
		r = sd_bus_open_system(&fake->bus);
	if (r >= 0)
		r = sd_bus_set_exit_on_disconnect(fake->bus, true);
	if (r >= 0)
		r = sd_bus_attach_event(fake->bus, fake->event, 0);
	if (r >= 0)
		r = sd_bus_add_object_vtable(fake->bus, NULL, ROOT, MANAGER, manager_vtable, fake);
	if (r >= 0)
		r = sd_bus_add_object_vtable(fake->bus, NULL, ROOT, "org.migd1.Policy",
					     policy_vtable, fake);
	if (r >= 0)
		r = sd_bus_add_object_vtable(fake->bus, NULL, "/org/migd1/engine/dma0chan0",
					     "org.migd1.Engine", engine_vtable, fake);
	if (r >= 0)
		r = sd_bus_add_fallback_vtable(fake->bus, NULL, "/org/migd1/job", JOB, job_vtable,
					       find_job, fake);
	if (r >= 0)
		r = sd_bus_add_fallback_vtable(fake->bus, NULL, "/org/migd1/group", GROUP,
					       fake_group_vtable, find_job, fake);
	if (r >= 0)
		r = fake_systemd(fake->bus);
	if (r < 0 || fake->script->held)
		return r;
	return serve(fake);
}

int main(int argc, char **argv)
{
	struct fake fake = { .face = &face_job, .engine = "auto", .deadline = 20000, .pages = 512,
			     .jobs = 8 };
	int r;

	setvbuf(stdout, NULL, _IOLBF, 0);
	fake.script = argc == 2 || argc == 3 ? fake_find_script(argv[1]) : NULL;
	/* After a restart it still has what it had. */
	if (argc == 3 && !strcmp(argv[2], "group"))
		fake.face = &face_group;
	if (!fake.script) {
		fprintf(stderr, "fake-migd: give the name of a script, see fake-course.c\n");
		return 2;
	}
	r = setup(&fake);
	if (r >= 0)
		r = sd_event_loop(fake.event);
	if (r < 0)
		fprintf(stderr, "fake-migd: %s\n", strerror(-r));
	sd_event_source_disable_unref(fake.stepper);
	sd_bus_flush_close_unref(fake.bus);
	sd_event_unref(fake.event);
	return r < 0;
}
