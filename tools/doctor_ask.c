// SPDX-License-Identifier: GPL-2.0
/* What bus, systemd and daemon say of themselves; nobody is waited for long. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "client.h"
#include "doctor.h"
#include "migctl.h"

/* Longest wait for one answer: somebody asks because something hangs. */
#define ANSWER_USEC	5000000ULL
/* As long as the bus itself waits for a service that it starts. */
#define START_USEC	25000000ULL

#define SYSTEMD		"org.freedesktop.systemd1"
#define UNIT_PATH	"/org/freedesktop/systemd1/unit/migd_2eservice"

static __u64 now_usec(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (__u64)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* sd-bus connects when it is first used, and would wait for a dead bus for minutes. */
static int wait_connected(sd_bus *bus)
{
	__u64 end = now_usec() + ANSWER_USEC, now;
	int r;

	while (!(r = sd_bus_is_ready(bus))) {
		r = sd_bus_process(bus, NULL);
		if (r < 0)
			return r;
		now = now_usec();
		if (now >= end)
			return -ETIMEDOUT;
		if (r == 0)
			r = sd_bus_wait(bus, end - now);
		if (r < 0 && r != -EINTR)
			return r;
	}
	return r < 0 ? r : 0;
}

static int connect_bus(struct doctor *d, struct client *c)
{
	int r = sd_bus_open_system(&c->bus);

	if (r >= 0)
		r = wait_connected(c->bus);
	if (r >= 0)
		r = sd_bus_set_method_call_timeout(c->bus, ANSWER_USEC);
	if (r >= 0)
		return 0;
	/* Not flushed: whoever does not read would be waited for. */
	sd_bus_close(c->bus);
	c->bus = sd_bus_unref(c->bus);
	if (r == -ETIMEDOUT)
		snprintf(d->no_bus, sizeof(d->no_bus), "it does not answer");
	else
		snprintf(d->no_bus, sizeof(d->no_bus), "%s", strerror(-r));
	return r;
}

static int ask_owner(struct client *c, bool *ret)
{
	sd_bus_message *reply = NULL;
	int r, owned = 0;

	r = sd_bus_call_method(c->bus, "org.freedesktop.DBus", "/org/freedesktop/DBus",
			       "org.freedesktop.DBus", "NameHasOwner", NULL, &reply, "s",
			       BUS_NAME);
	if (r >= 0)
		r = sd_bus_message_read(reply, "b", &owned);
	sd_bus_message_unref(reply);
	*ret = r >= 0 && owned;
	return r;
}

static int unit_text(struct client *c, const char *iface, const char *property,
		     char *dst, size_t size)
{
	sd_bus_message *reply = NULL;
	const char *text;
	int r;

	r = sd_bus_get_property(c->bus, SYSTEMD, UNIT_PATH, iface, property, NULL, &reply, "s");
	if (r >= 0)
		r = sd_bus_message_read(reply, "s", &text);
	if (r >= 0)
		text_copy(dst, size, text);
	sd_bus_message_unref(reply);
	return r;
}

static void ask_unit(struct doctor *d, struct client *c)
{
	if (unit_text(c, SYSTEMD ".Unit", "LoadState", d->unit.load, sizeof(d->unit.load)) < 0 ||
	    unit_text(c, SYSTEMD ".Unit", "ActiveState", d->unit.active,
		      sizeof(d->unit.active)) < 0 ||
	    unit_text(c, SYSTEMD ".Service", "Result", d->unit.result,
		      sizeof(d->unit.result)) < 0 ||
	    sd_bus_get_property_trivial(c->bus, SYSTEMD, UNIT_PATH, SYSTEMD ".Service",
					"LimitMEMLOCK", NULL, 't', &d->unit.memlock) < 0)
		return;
	d->unit.known = true;
}

/* Send @m, the making of which answered @r, and drop it. */
static int call(struct client *c, sd_bus_message *m, int r, sd_bus_error *error,
		sd_bus_message **ret)
{
	if (r >= 0)
		r = sd_bus_call(c->bus, m, c->no_start ? ANSWER_USEC : START_USEC, error, ret);
	sd_bus_message_unref(m);
	return r;
}

static int ask_properties(struct doctor *d, struct client *c, sd_bus_error *error)
{
	sd_bus_message *m = NULL, *reply = NULL;
	int r;

	r = client_new_call(c, BUS_ROOT, IFACE_PROPS, "GetAll", &m);
	if (r >= 0)
		r = sd_bus_message_append(m, "s", IFACE_MANAGER);
	r = call(c, m, r, error, &reply);
	if (r >= 0)
		r = client_each_property(reply, ready_read, &d->says);
	sd_bus_message_unref(reply);
	return r;
}

static int ask_all(struct doctor *d, struct client *c, sd_bus_error *error)
{
	sd_bus_message *m = NULL, *reply = NULL;
	const char *text;
	int r;

	r = client_new_call(c, BUS_ROOT, IFACE_MANAGER, "Describe", &m);
	r = call(c, m, r, error, &reply);
	if (r >= 0)
		r = sd_bus_message_read(reply, "s", &text);
	if (r >= 0) {
		d->all = json_loads(text, 0, NULL);
		r = d->all ? 0 : -EBADMSG;
	}
	sd_bus_message_unref(reply);
	return r;
}

static int read_permissions(sd_bus_message *reply, struct doctor *d)
{
	const char *action, *says;
	int r;

	r = sd_bus_message_enter_container(reply, 'a', "{ss}");
	while (r >= 0 && (r = sd_bus_message_read(reply, "{ss}", &action, &says)) > 0) {
		if (!strcmp(action, "org.migd1.migrate-own"))
			text_copy(d->may.own, sizeof(d->may.own), says);
		else if (!strcmp(action, "org.migd1.migrate-others"))
			text_copy(d->may.others, sizeof(d->may.others), says);
		else if (!strcmp(action, "org.migd1.manage-policy"))
			text_copy(d->may.policy, sizeof(d->may.policy), says);
	}
	return r;
}

/* What the caller may only the daemon knows; it may have to have polkit started. */
static void ask_permission(struct doctor *d, struct client *c)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *m = NULL, *reply = NULL;
	int r;

	r = client_new_call(c, BUS_ROOT, IFACE_MANAGER, "GetPermissions", &m);
	if (r >= 0)
		r = sd_bus_call(c->bus, m, START_USEC, &error, &reply);
	if (r >= 0)
		r = read_permissions(reply, d);
	if (r < 0)
		client_explain(&error, r, d->denied, sizeof(d->denied));
	sd_bus_message_unref(reply);
	sd_bus_message_unref(m);
	sd_bus_error_free(&error);
}

static void ask_daemon(struct doctor *d, struct client *c)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	int r;

	r = ask_properties(d, c, &error);
	if (r >= 0)
		r = ask_all(d, c, &error);
	if (r >= 0)
		ask_permission(d, c);
	else
		client_explain(&error, r, d->no_answer, sizeof(d->no_answer));
	sd_bus_error_free(&error);
}

void doctor_ask(struct doctor *d, bool start)
{
	struct client c = { .no_start = !start };
	int r;

	d->uid = geteuid();
	if (connect_bus(d, &c) < 0)
		return;
	r = ask_owner(&c, &d->running);
	if (r < 0) {
		snprintf(d->no_bus, sizeof(d->no_bus), "%s", strerror(-r));
		goto out;
	}
	if (d->running || start)
		ask_daemon(d, &c);
	if (start)
		ask_owner(&c, &d->running);
	ask_unit(d, &c);
out:
	sd_bus_close(c.bus);
	sd_bus_unref(c.bus);
}

void doctor_forget(struct doctor *d)
{
	json_decref(d->all);
	d->all = NULL;
}
