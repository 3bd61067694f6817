/* SPDX-License-Identifier: GPL-2.0 */
/* The D-Bus service org.migd1 as its client sees it. */
#ifndef MIGCTL_CLIENT_H
#define MIGCTL_CLIENT_H

#include <jansson.h>
#include <stdbool.h>
#include <systemd/sd-bus.h>
#include <linux/types.h>

#define BUS_NAME	"org.migd1"
#define BUS_ROOT	"/org/migd1"
#define BUS_JOBS	"/org/migd1/job"
#define BUS_GROUPS	"/org/migd1/group"
#define BUS_ENGINES	"/org/migd1/engine"
#define IFACE_MANAGER	"org.migd1.Manager"
#define IFACE_JOB	"org.migd1.Job"
#define IFACE_GROUP	"org.migd1.Group"
#define IFACE_ENGINE	"org.migd1.Engine"
#define IFACE_POLICY	"org.migd1.Policy"
#define IFACE_PROPS	"org.freedesktop.DBus.Properties"
#define IFACE_OBJECTS	"org.freedesktop.DBus.ObjectManager"

/* The match rule for a signal of the service; @where is "path='...'" or alike. */
#define BUS_RULE(where, iface, member)					\
	"type='signal',sender='" BUS_NAME "'," where ",interface='" iface \
	"',member='" member "'"

#define JOBS_RULE(iface, member)	\
	BUS_RULE("path_namespace='" BUS_JOBS "'", iface, member)
#define GROUPS_RULE(iface, member)	\
	BUS_RULE("path_namespace='" BUS_GROUPS "'", iface, member)
#define MANAGER_RULE(member)		\
	BUS_RULE("path='" BUS_ROOT "'", IFACE_MANAGER, member)

/* Whether the daemon serves. */
#define READY_RULE	\
	BUS_RULE("path='" BUS_ROOT "'", IFACE_PROPS, "PropertiesChanged") \
	",arg0='" IFACE_MANAGER "'"

/* The bus's own signals: the daemon comes or goes; the bus is gone. */
#define OWNER_RULE	"type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged'" \
			OWNER_RULE_ARG
#define OWNER_RULE_ARG	",path='/org/freedesktop/DBus',arg0='" BUS_NAME "'"
#define DISCONNECTED_RULE \
	"type='signal',interface='org.freedesktop.DBus.Local',member='Disconnected'"

struct opts;

/*
 * struct kind - of what runs: a job, or a group of them
 *
 * @word:	what it is called
 * @verb:	the verb that lists them
 * @dir:	where their objects are
 * @iface:	the interface of those
 */
struct kind {
	const char *word, *verb, *dir, *iface;
};

extern const struct kind kind_job, kind_group;

/*
 * struct client - the connection
 *
 * @bus:	the system bus
 * @no_start:	calls must not make the bus start the daemon
 */
struct client {
	sd_bus *bus;
	bool no_start;
};

/*
 * Functions that return an exit code have said what went wrong when it is not
 * MIGCTL_OK; the others return 0 or a negative errno and say nothing.
 */

/* [USER@]HOST whose bus the connections are to reach, by ssh; NULL is this machine. */
void client_set_host(const char *host);
const char *client_host(void);

/* Returns an exit code. */
int client_open(struct client *c, const struct opts *opts);
/* The same for a verb that has no more arguments; refuses one too many. */
int client_open_args(struct client *c, const struct opts *opts, int argc, char **argv);
void client_close(struct client *c);

/* What an error of the bus or the service means, in a sentence; returns its exit code. */
int client_explain(const sd_bus_error *error, int r, char *sentence, size_t size);

/* Say what an error of the bus or the service means; returns its exit code. */
int client_fail(const sd_bus_error *error, int r);

/* As client_fail(), for a call on the object of a job or group, which may not exist. */
int client_fail_job(const sd_bus_error *error, int r, const struct kind *kind, __u64 id);

/* Whether the error says that the object called is not there. */
bool client_no_object(const sd_bus_error *error);

/* How long to wait for the answer to a call that changes something; 0: as for any. */
__u64 client_change_usec(void);

/*
 * Send such a call and wait for the answer; whoever is at the terminal may be asked for
 * a password meanwhile. Returns 0 or a negative errno, with @error for the caller to free.
 */
int client_change(struct client *c, sd_bus_message *m, sd_bus_error *error);

/* A method call on the service. */
int client_new_call(struct client *c, const char *path, const char *iface, const char *member,
		    sd_bus_message **ret);

/* Send the call @m, the making of which answered @r, and drop it; returns an exit code. */
int client_send(struct client *c, sd_bus_message *m, int r);
/* The same for a call on job or group @id. */
int client_send_job(struct client *c, sd_bus_message *m, int r, const struct kind *kind, __u64 id);

/* Who takes a signal. */
struct client_match {
	const char *rule;
	sd_bus_message_handler_t handler;
};

/* Take the signals of @matches, which ends with a NULL rule. */
int client_add_matches(struct client *c, const struct client_match *matches, void *userdata);

/* Describe() of the manager, GetStats(): what they answer. Returns an exit code. */
int client_manager_json(struct client *c, const char *member, json_t **ret);

/* Describe() of a job or group. Returns an exit code. */
int client_job_json(struct client *c, const struct kind *kind, __u64 id, json_t **ret);
/* Its Cancel(). */
int client_cancel(struct client *c, const struct kind *kind, __u64 id);

/* GetAll() of an interface of the manager. Returns an exit code. */
int client_manager_properties(struct client *c, const char *iface, sd_bus_message **ret);

/* Read an a{sv}: @take reads or skips the variant of each property. 0 or -errno. */
int client_each_property(sd_bus_message *m,
			 int (*take)(sd_bus_message *m, const char *name, void *userdata),
			 void *userdata);

/* /org/migd1/job/ID, to and from. */
#define JOB_PATH_SIZE	64
void client_job_path(char path[static JOB_PATH_SIZE], const struct kind *kind, __u64 id);
int client_job_id(const char *path, const struct kind *kind, __u64 *ret);

/* Parse the id of a job or group that a person typed. Returns an exit code. */
int client_parse_job(const char *word, const struct kind *kind, __u64 *ret);

#endif /* MIGCTL_CLIENT_H */
