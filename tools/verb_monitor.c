// SPDX-License-Identifier: GPL-2.0
/* migctl monitor: print what happens, as it happens. */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-event.h>
#include <time.h>

#include "client.h"
#include "job.h"
#include "json.h"
#include "migctl.h"
#include "text.h"

static const char help[] =
	"Usage: migctl monitor [OPTION...]\n\n"
	"Print a line for each job that starts, makes progress or ends, each group that\n"
	"starts or ends, each engine that fails, each batch that the kernel ended, and pages\n"
	"that go to or leave quarantine, until interrupted.\n\n"
	"      --json      one JSON object per line\n"
	"      --no-start  fail when the daemon does not run\n"
	"  -h, --help      this text\n";

/*
 * struct monitor - the context of the verb
 *
 * @event:	the loop
 * @json:	one JSON object per line
 */
struct monitor {
	sd_event *event;
	bool json;
};

static void now_text(char *text, size_t size)
{
	struct timespec ts;
	struct tm tm;
	size_t n;

	clock_gettime(CLOCK_REALTIME, &ts);
	localtime_r(&ts.tv_sec, &tm);
	n = strftime(text, size, "%H:%M:%S", &tm);
	snprintf(text + n, size - n, ".%03ld", ts.tv_nsec / 1000000);
}

__printf(1, 2) static void print_line(const char *format, ...)
{
	char line[512], time[32], safe[512];
	va_list ap;

	va_start(ap, format);
	vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	text_copy(safe, sizeof(safe), line);
	now_text(time, sizeof(time));
	printf("%s %s\n", time, safe);
	fflush(stdout);
}

/* Print and drop an object made with json_pack(), with the time put in. */
static void print_object(json_t *object)
{
	struct timespec ts;

	if (!object) {
		say_err("no memory for an event: it is left out");
		return;
	}
	clock_gettime(CLOCK_REALTIME, &ts);
	json_object_set_new(object, "time_usec",
			    json_integer(ts.tv_sec * 1000000LL + ts.tv_nsec / 1000));
	json_print_line(object);
	json_decref(object);
}

static int on_job_new(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct monitor *monitor = userdata;
	const char *path;
	__u64 id;

	if (sd_bus_message_read(m, "to", &id, &path) < 0)
		return 0;
	if (monitor->json)
		print_object(json_pack("{s:s, s:I}", "event", "job-new", "job", (json_int_t)id));
	else
		print_line("job %llu: new", id);
	return 0;
}

static int on_group_new(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct monitor *monitor = userdata;
	const char *path;
	__u64 id;

	if (sd_bus_message_read(m, "to", &id, &path) < 0)
		return 0;
	if (monitor->json)
		print_object(json_pack("{s:s, s:I}", "event", "group-new", "group",
				       (json_int_t)id));
	else
		print_line("group %llu: new", id);
	return 0;
}

static int on_changed(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct job job = { .kind = &kind_job };
	struct monitor *monitor = userdata;
	const char *iface;
	__u64 id;

	if (client_job_id(sd_bus_message_get_path(m), &kind_job, &id) < 0 ||
	    sd_bus_message_read(m, "s", &iface) < 0 || strcmp(iface, IFACE_JOB) ||
	    job_read_properties(&job, m) < 0)
		return 0;
	if (monitor->json)
		print_object(json_pack("{s:s, s:I, s:s, s:I, s:I, s:I}", "event", "job-progress",
				       "job", (json_int_t)id, "state", job.state,
				       "moved", (json_int_t)job.moved,
				       "total", (json_int_t)job.total,
				       "bytes", (json_int_t)job.bytes));
	else
		print_line("job %llu: %s%s%llu pages moved, %s", id, job.state,
			   job.state[0] ? ", " : "", job.moved, text_bytes(job.bytes).s);
	return 0;
}

/* Of a job or a group, as its path tells. */
static const struct kind *kind_of(sd_bus_message *m, __u64 *ret_id)
{
	const char *path = sd_bus_message_get_path(m);

	if (!client_job_id(path, &kind_job, ret_id))
		return &kind_job;
	return client_job_id(path, &kind_group, ret_id) < 0 ? NULL : &kind_group;
}

static int on_done(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct monitor *monitor = userdata;
	const struct kind *kind;
	const char *outcome;
	__u64 id, moved, left;
	char event[32];

	kind = kind_of(m, &id);
	if (!kind || sd_bus_message_read(m, "stt", &outcome, &moved, &left) < 0)
		return 0;
	snprintf(event, sizeof(event), "%s-done", kind->word);
	if (monitor->json)
		print_object(json_pack("{s:s, s:I, s:s, s:I, s:I}", "event", event,
				       kind->word, (json_int_t)id, "outcome", outcome,
				       "moved", (json_int_t)moved, "left", (json_int_t)left));
	else
		print_line("%s %llu: done, outcome %s, %llu pages moved, %llu left", kind->word, id,
			   outcome, moved, left);
	return 0;
}

static int on_fault(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct monitor *monitor = userdata;
	const char *engine, *message;
	int err;

	if (sd_bus_message_read(m, "sis", &engine, &err, &message) < 0)
		return 0;
	if (monitor->json)
		print_object(json_pack("{s:s, s:s, s:i, s:s}", "event", "engine-fault",
				       "engine", engine, "errno", err, "message", message));
	else
		print_line("engine %s: fault, %s", engine, message[0] ? message : strerror(err));
	return 0;
}

static int on_rescued(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct monitor *monitor = userdata;
	__u64 id, moved, put_back;
	const char *cause;

	if (sd_bus_message_read(m, "tstt", &id, &cause, &moved, &put_back) < 0)
		return 0;
	if (monitor->json)
		print_object(json_pack("{s:s, s:I, s:s, s:I, s:I}", "event", "batch-rescued",
				       "job", (json_int_t)id, "cause", cause,
				       "moved", (json_int_t)moved,
				       "put_back", (json_int_t)put_back));
	else
		print_line("job %llu: a batch was rescued (%s), %llu pages moved, %llu put back",
			   id, cause, moved, put_back);
	return 0;
}

static int on_quarantine(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct monitor *monitor = userdata;
	const char *engine;
	__u64 pages;

	if (sd_bus_message_read(m, "st", &engine, &pages) < 0)
		return 0;
	if (monitor->json)
		print_object(json_pack("{s:s, s:s, s:I}", "event", "quarantine", "engine", engine,
				       "pages", (json_int_t)pages));
	else
		print_line("engine %s: %llu pages in quarantine", engine, pages);
	return 0;
}

static int on_owner(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	const char *name, *before, *after;
	struct monitor *monitor = userdata;

	if (sd_bus_message_read(m, "sss", &name, &before, &after) < 0)
		return 0;
	if (monitor->json)
		print_object(json_pack("{s:s}", "event", after[0] ? "daemon-here" : "daemon-gone"));
	else
		print_line("the daemon %s", after[0] ? "is here" : "has gone");
	return 0;
}

static int on_disconnected(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct monitor *monitor = userdata;

	sd_event_exit(monitor->event, client_fail(NULL, -ECONNRESET));
	return 0;
}

static int add_matches(struct monitor *monitor, struct client *c)
{
	static const struct client_match matches[] = {
		{ JOBS_RULE(IFACE_PROPS, "PropertiesChanged"), on_changed },
		{ JOBS_RULE(IFACE_JOB, "Done"), on_done },
		{ MANAGER_RULE("JobNew"), on_job_new },
		{ GROUPS_RULE(IFACE_GROUP, "Done"), on_done },
		{ MANAGER_RULE("GroupNew"), on_group_new },
		{ MANAGER_RULE("EngineFault"), on_fault },
		{ MANAGER_RULE("BatchRescued"), on_rescued },
		{ MANAGER_RULE("Quarantine"), on_quarantine },
		{ OWNER_RULE, on_owner },
		{ DISCONNECTED_RULE, on_disconnected },
		{ NULL, NULL }
	};

	return client_add_matches(c, matches, monitor);
}

/* Being interrupted is how a monitor ends: exit 0. */
static int add_signals(struct monitor *monitor)
{
	sigset_t set;
	int r;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	r = sd_event_add_signal(monitor->event, NULL, SIGINT, NULL, NULL);
	if (r < 0)
		return r;
	return sd_event_add_signal(monitor->event, NULL, SIGTERM, NULL, NULL);
}

/* The call makes the bus start the daemon, and tells when it cannot. */
static int wake(struct client *c)
{
	sd_bus_message *properties = NULL;
	int code;

	code = client_manager_properties(c, IFACE_MANAGER, &properties);
	sd_bus_message_unref(properties);
	return code;
}

int verb_monitor(int argc, char **argv)
{
	struct opts opts = { .verb = "monitor", .help = help };
	struct monitor monitor = { };
	struct client client = { };
	int r, code;

	code = opts_parse(&opts, argc, argv);
	if (code != OPTS_GO_ON)
		return code;
	monitor.json = opts.json;
	code = client_open_args(&client, &opts, argc, argv);
	if (code != MIGCTL_OK)
		return code;
	r = sd_event_new(&monitor.event);
	if (r >= 0)
		r = add_signals(&monitor);
	if (r >= 0)
		r = add_matches(&monitor, &client);
	if (r < 0) {
		code = client_fail(NULL, r);
		goto out;
	}
	code = wake(&client);
	if (code != MIGCTL_OK)
		goto out;
	if (monitor.json)
		print_object(json_pack("{s:s}", "event", "listening"));
	else
		print_line("listening to migd");
	r = sd_bus_attach_event(client.bus, monitor.event, SD_EVENT_PRIORITY_NORMAL);
	if (r >= 0)
		r = sd_event_loop(monitor.event);
	code = r < 0 ? client_fail(NULL, r) : r;
	sd_bus_detach_event(client.bus);
out:
	sd_event_unref(monitor.event);
	client_close(&client);
	return code;
}
