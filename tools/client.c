// SPDX-License-Identifier: GPL-2.0
/* The D-Bus service org.migd1 as its client sees it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent.h"
#include "client.h"
#include "json.h"
#include "migctl.h"
#include "text.h"

/*
 * struct known_error - an error of the bus and what it means for a person
 *
 * @name:	D-Bus error name, or its beginning when it ends in a dot
 * @code:	exit code
 * @sentence:	what to say, NULL to pass on the service's own sentence
 */
struct known_error {
	const char *name;
	int code;
	const char *sentence;
};

#define NO_SUCH_JOB	"org.migd1.Error.NoSuchJob"
#define NO_SUCH_GROUP	"org.migd1.Error.NoSuchGroup"
#define NOT_RUNNING	"migd is not running and the bus cannot start it: " \
			"install it, or run `systemctl start migd`"
#define NO_ANSWER	"migd does not answer: see `systemctl status migd` and `journalctl -u migd`"
#define NOT_STARTED	"migd could not be started: see `systemctl status migd` and " \
			"`journalctl -u migd`"
#define OTHER_VERSION	"migd is of another version than this migctl (" MIGCTL_VERSION "): " \
			"install both from one package and run `systemctl restart migd`"

/* Longer than migd lets polkit ask for a password. */
#define PASSWORD_USEC	330000000ULL

/* See client_set_host(). */
static const char *host;

static const struct known_error known_errors[] = {
	{ "org.migd1.Error.NotAllowed", MIGCTL_DENIED, NULL },
	{ "org.migd1.Error.ModuleMissing", MIGCTL_ABSENT, NULL },
	{ "org.migd1.Error.VersionMismatch", MIGCTL_ABSENT, NULL },
	{ "org.migd1.Error.InvalidOption", MIGCTL_USAGE, NULL },
	{ "org.migd1.Error.InvalidArgument", MIGCTL_USAGE, NULL },
	{ "org.migd1.Error.", MIGCTL_FAILED, NULL },
	{ SD_BUS_ERROR_ACCESS_DENIED, MIGCTL_DENIED,
	  "the bus does not let you ask this of migd: run migctl as root" },
	{ SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED, MIGCTL_DENIED,
	  "migd wants an authorization that cannot be asked for here: run migctl as root" },
	{ SD_BUS_ERROR_AUTH_FAILED, MIGCTL_DENIED,
	  "the bus does not know you: run migctl as root" },
	{ SD_BUS_ERROR_SERVICE_UNKNOWN, MIGCTL_ABSENT, NOT_RUNNING },
	{ SD_BUS_ERROR_NAME_HAS_NO_OWNER, MIGCTL_ABSENT, NOT_RUNNING },
	{ SD_BUS_ERROR_NO_REPLY, MIGCTL_ABSENT, NO_ANSWER },
	{ SD_BUS_ERROR_TIMEOUT, MIGCTL_ABSENT, NO_ANSWER },
	{ "org.freedesktop.DBus.Error.TimedOut", MIGCTL_ABSENT, NOT_STARTED },
	{ "org.freedesktop.DBus.Error.Spawn.", MIGCTL_ABSENT, NOT_STARTED },
	{ "org.freedesktop.systemd1.", MIGCTL_ABSENT, NOT_STARTED },
	{ SD_BUS_ERROR_DISCONNECTED, MIGCTL_ABSENT,
	  "the system bus is gone: see `systemctl status dbus`" },
	{ SD_BUS_ERROR_UNKNOWN_METHOD, MIGCTL_ABSENT, OTHER_VERSION },
	{ SD_BUS_ERROR_UNKNOWN_OBJECT, MIGCTL_ABSENT, OTHER_VERSION },
	{ SD_BUS_ERROR_UNKNOWN_INTERFACE, MIGCTL_ABSENT, OTHER_VERSION },
	{ SD_BUS_ERROR_UNKNOWN_PROPERTY, MIGCTL_ABSENT, OTHER_VERSION },
	{ SD_BUS_ERROR_INVALID_SIGNATURE, MIGCTL_ABSENT, OTHER_VERSION },
};

const struct kind kind_job = { "job", "jobs", BUS_JOBS, IFACE_JOB };
const struct kind kind_group = { "group", "groups", BUS_GROUPS, IFACE_GROUP };

static const struct known_error *find_error(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(known_errors); i++) {
		const char *known = known_errors[i].name;
		size_t len = strlen(known);

		if (known[len - 1] == '.' ? !strncmp(name, known, len) : !strcmp(name, known))
			return &known_errors[i];
	}
	return NULL;
}

int client_explain(const sd_bus_error *error, int r, char *sentence, size_t size)
{
	const struct known_error *known;

	/* An errno of sd-bus itself is no sentence. */
	if (error && error->name && !strncmp(error->name, "System.Error.", 13)) {
		r = -sd_bus_error_get_errno(error);
		error = NULL;
	}
	if (!error || !error->name) {
		switch (-r) {
		case ETIMEDOUT:
		case ECONNRESET:
		case ENOTCONN:
		case EPIPE:
		case ESHUTDOWN:
			if (host) {
				snprintf(sentence, size, "the connection to migd on %s failed or broke: does `ssh %s systemd-stdio-bridge` connect?",
					 host, host);
				return MIGCTL_ABSENT;
			}
			snprintf(sentence, size, "the connection to the system bus broke: see `systemctl status dbus`");
			return MIGCTL_ABSENT;
		case EBADMSG:
		case ENXIO:
			snprintf(sentence, size, "%s", OTHER_VERSION);
			return MIGCTL_ABSENT;
		}
		snprintf(sentence, size, "talking to migd failed (%s): try again", strerror(-r));
		return MIGCTL_FAILED;
	}
	known = find_error(error->name);
	if (known && known->sentence)
		snprintf(sentence, size, "%s", known->sentence);
	else if (error->message)
		text_copy(sentence, size, error->message);
	else
		snprintf(sentence, size, "migd answered %s: see `journalctl -u migd`",
			 error->name);
	return known ? known->code : MIGCTL_FAILED;
}

int client_fail(const sd_bus_error *error, int r)
{
	char sentence[1024];
	int code = client_explain(error, r, sentence, sizeof(sentence));

	say_err("%s", sentence);
	return code;
}

bool client_no_object(const sd_bus_error *error)
{
	return sd_bus_error_has_name(error, NO_SUCH_JOB) ||
	       sd_bus_error_has_name(error, NO_SUCH_GROUP) ||
	       sd_bus_error_has_name(error, SD_BUS_ERROR_UNKNOWN_OBJECT) ||
	       sd_bus_error_has_name(error, SD_BUS_ERROR_UNKNOWN_METHOD) ||
	       sd_bus_error_has_name(error, SD_BUS_ERROR_UNKNOWN_INTERFACE);
}

int client_fail_job(const sd_bus_error *error, int r, const struct kind *kind, __u64 id)
{
	/* The service's own sentence says more: it may have ended. */
	if (!client_no_object(error) || sd_bus_error_has_name(error, NO_SUCH_JOB) ||
	    sd_bus_error_has_name(error, NO_SUCH_GROUP))
		return client_fail(error, r);
	say_err("there is no %s %llu: `migctl %s` lists those there are", kind->word, id,
		kind->verb);
	return MIGCTL_FAILED;
}

__u64 client_change_usec(void)
{
	/* Root is asked for no password. */
	return geteuid() ? PASSWORD_USEC : 0;
}

void client_set_host(const char *new_host)
{
	host = new_host;
}

const char *client_host(void)
{
	return host;
}

int client_open(struct client *c, const struct opts *opts)
{
	int r;

	c->no_start = opts->no_start;
	if (host) {
		/* Whether ssh gets there is found out by the first call. */
		r = sd_bus_open_system_remote(&c->bus, host);
		if (r >= 0)
			return MIGCTL_OK;
		c->bus = NULL;
		say_err("ssh to '%s' could not be started (%s): give [USER@]HOST, as ssh(1) takes it",
			host, strerror(-r));
		return MIGCTL_ABSENT;
	}
	r = sd_bus_open_system(&c->bus);
	if (r >= 0) {
		sd_bus_set_allow_interactive_authorization(c->bus, true);
		return MIGCTL_OK;
	}
	c->bus = NULL;
	if (r == -EACCES || r == -EPERM) {
		say_err("the system bus does not let you connect: run migctl as root");
		return MIGCTL_DENIED;
	}
	say_err("there is no system bus to reach migd on (%s): is dbus running?",
		strerror(-r));
	return MIGCTL_ABSENT;
}

int client_open_args(struct client *c, const struct opts *opts, int argc, char **argv)
{
	int code;

	code = opts_no_more(opts, argc, argv);
	return code == OPTS_GO_ON ? client_open(c, opts) : code;
}

void client_close(struct client *c)
{
	c->bus = sd_bus_flush_close_unref(c->bus);
}

int client_new_call(struct client *c, const char *path, const char *iface, const char *member,
		    sd_bus_message **ret)
{
	sd_bus_message *m = NULL;
	int r;

	r = sd_bus_message_new_method_call(c->bus, &m, BUS_NAME, path, iface, member);
	if (r < 0)
		return r;
	if (c->no_start) {
		r = sd_bus_message_set_auto_start(m, false);
		if (r < 0) {
			sd_bus_message_unref(m);
			return r;
		}
	}
	*ret = m;
	return 0;
}

int client_change(struct client *c, sd_bus_message *m, sd_bus_error *error)
{
	int r;

	agent_begin();
	r = sd_bus_call(c->bus, m, client_change_usec(), error, NULL);
	agent_end();
	return r;
}

int client_send(struct client *c, sd_bus_message *m, int r)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	int code = MIGCTL_OK;

	if (r >= 0)
		r = client_change(c, m, &error);
	if (r < 0)
		code = client_fail(&error, r);
	sd_bus_message_unref(m);
	sd_bus_error_free(&error);
	return code;
}

int client_send_job(struct client *c, sd_bus_message *m, int r, const struct kind *kind, __u64 id)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	int code = MIGCTL_OK;

	if (r >= 0)
		r = client_change(c, m, &error);
	if (r < 0)
		code = client_fail_job(&error, r, kind, id);
	sd_bus_message_unref(m);
	sd_bus_error_free(&error);
	return code;
}

int client_add_matches(struct client *c, const struct client_match *matches, void *userdata)
{
	int r = 0;

	for (; matches->rule && r >= 0; matches++)
		r = sd_bus_add_match(c->bus, NULL, matches->rule, matches->handler, userdata);
	return r;
}

/* Call a method that answers JSON, of a @kind if not NULL. Returns an exit code. */
static int call_json(struct client *c, const char *path, const char *iface, const char *member,
		     const struct kind *kind, __u64 id, json_t **ret)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *m = NULL, *reply = NULL;
	int r, code = MIGCTL_OK;
	const char *text;

	r = client_new_call(c, path, iface, member, &m);
	if (r >= 0)
		r = sd_bus_call(c->bus, m, 0, &error, &reply);
	if (r >= 0)
		r = sd_bus_message_read(reply, "s", &text);
	if (r < 0)
		code = kind ? client_fail_job(&error, r, kind, id) : client_fail(&error, r);
	else if (json_read(text, ret) < 0)
		code = MIGCTL_FAILED;
	sd_bus_error_free(&error);
	sd_bus_message_unref(reply);
	sd_bus_message_unref(m);
	return code;
}

int client_manager_json(struct client *c, const char *member, json_t **ret)
{
	return call_json(c, BUS_ROOT, IFACE_MANAGER, member, NULL, 0, ret);
}

int client_job_json(struct client *c, const struct kind *kind, __u64 id, json_t **ret)
{
	char path[JOB_PATH_SIZE];

	client_job_path(path, kind, id);
	return call_json(c, path, kind->iface, "Describe", kind, id, ret);
}

int client_cancel(struct client *c, const struct kind *kind, __u64 id)
{
	char path[JOB_PATH_SIZE];
	sd_bus_message *m = NULL;
	int r;

	client_job_path(path, kind, id);
	r = client_new_call(c, path, kind->iface, "Cancel", &m);
	return client_send_job(c, m, r, kind, id);
}

int client_manager_properties(struct client *c, const char *iface, sd_bus_message **ret)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *m = NULL;
	int r, code = MIGCTL_OK;

	r = client_new_call(c, BUS_ROOT, IFACE_PROPS, "GetAll", &m);
	if (r < 0)
		goto out;
	r = sd_bus_message_append(m, "s", iface);
	if (r < 0)
		goto out;
	r = sd_bus_call(c->bus, m, 0, &error, ret);
out:
	if (r < 0)
		code = client_fail(&error, r);
	sd_bus_message_unref(m);
	sd_bus_error_free(&error);
	return code;
}

int client_each_property(sd_bus_message *m,
			 int (*take)(sd_bus_message *m, const char *name, void *userdata),
			 void *userdata)
{
	const char *name;
	int r;

	r = sd_bus_message_enter_container(m, 'a', "{sv}");
	if (r < 0)
		return r;
	while ((r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
		r = sd_bus_message_read_basic(m, 's', &name);
		if (r >= 0)
			r = take(m, name, userdata);
		if (r >= 0)
			r = sd_bus_message_exit_container(m);
		if (r < 0)
			return r;
	}
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

void client_job_path(char path[static JOB_PATH_SIZE], const struct kind *kind, __u64 id)
{
	snprintf(path, JOB_PATH_SIZE, "%s/%llu", kind->dir, id);
}

int client_job_id(const char *path, const struct kind *kind, __u64 *ret)
{
	size_t len = strlen(kind->dir);

	if (strncmp(path, kind->dir, len) || path[len] != '/')
		return -EINVAL;
	return parse_u64(path + len + 1, ret);
}

int client_parse_job(const char *word, const struct kind *kind, __u64 *ret)
{
	if (parse_u64(word, ret) >= 0)
		return MIGCTL_OK;
	say_err("'%s' is no %s id: give the number that `migctl %s` shows", word, kind->word,
		kind->verb);
	return MIGCTL_USAGE;
}
