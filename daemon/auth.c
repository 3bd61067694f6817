// SPDX-License-Identifier: GPL-2.0
/* Who may do what: root, and whom polkit allows it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auth.h"
#include "bus.h"
#include "log.h"
#include "own.h"

#define POLKIT		"org.freedesktop.PolicyKit1"
#define POLKIT_PATH	"/org/freedesktop/PolicyKit1/Authority"
#define POLKIT_IFACE	"org.freedesktop.PolicyKit1.Authority"
#define ALLOW_INTERACTION	1U

/* Nobody needs more, and each holds a message. */
#define QUERIES_MAX	64
#define QUERIES_USER	8
/* Polkit answers at once, or when somebody has typed a password. */
#define ANSWER_USEC	25000000ULL
#define PASSWORD_USEC	300000000ULL

#define MOVE_OR_SET	"move memory or set the policy"

/* A call that polkit is being asked about, or that it has allowed. */
struct auth_query {
	struct auth_query *next;
	struct manager *m;
	sd_bus_message *call;
	sd_bus_slot *slot;		/* until polkit has answered */
	sd_bus_track *sender;
	enum auth_action action;
	uint32_t user;
	int pidfd;
	char id[32];			/* to take the question back by */
	char what[64];
	bool tells;			/* its answer is what polkit says of each action */
	bool whole;			/* see struct caller */
	const char *says[AUTH_ACTIONS];
};

static const char * const actions[AUTH_ACTIONS] = {
	[AUTH_MIGRATE_OWN]	= "org.migd1.migrate-own",
	[AUTH_MIGRATE_OTHERS]	= "org.migd1.migrate-others",
	[AUTH_MANAGE_POLICY]	= "org.migd1.manage-policy",
};

static void query_free(struct auth_query *q)
{
	if (!q)
		return;
	sd_bus_slot_unref(q->slot);
	sd_bus_track_unref(q->sender);
	sd_bus_message_unref(q->call);
	if (q->pidfd >= 0)
		close(q->pidfd);
	free(q);
}

/* Off the list. */
static struct auth_query *take(struct auth_query *q)
{
	struct auth_query **at = &q->m->auth.queries;

	while (*at && *at != q)
		at = &(*at)->next;
	if (*at)
		*at = q->next;
	q->next = NULL;
	return q;
}

static void drop(struct auth_query *q)
{
	query_free(take(q));
}

static int refuse(struct auth_query *q, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* The call is answered; 1, as the bus has nothing more to do. */
static int refuse(struct auth_query *q, const char *fmt, ...)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	char text[FAULT_TEXT_LEN];
	struct fault f;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fault_set(&f, FAULT_NOT_ALLOWED, "user %u may not %s%s", q->user, q->what, text);
	bus_fault(&error, &f);
	sd_bus_reply_method_error(q->call, &error);
	sd_bus_error_free(&error);
	drop(q);
	return 1;
}

static void take_back(struct auth_query *q)
{
	int r;

	r = sd_bus_call_method_async(q->m->bus, NULL, POLKIT, POLKIT_PATH, POLKIT_IFACE,
				     "CancelCheckAuthorization", NULL, NULL, "s", q->id);
	if (r < 0)
		log_debug("polkit was not told to forget %s: %s", q->id, strerror(-r));
}

static int on_error(struct auth_query *q, const sd_bus_error *e)
{
	if (sd_bus_error_has_name(e, SD_BUS_ERROR_SERVICE_UNKNOWN) ||
	    sd_bus_error_has_name(e, SD_BUS_ERROR_NAME_HAS_NO_OWNER) ||
	    strstr(e->name, ".Spawn.") || !strncmp(e->name, "org.freedesktop.systemd1.", 25))
		return refuse(q, ", as polkit, which could allow it, is not there: run it as root, or install polkitd");
	if (sd_bus_error_has_name(e, SD_BUS_ERROR_NO_REPLY) ||
	    sd_bus_error_has_name(e, SD_BUS_ERROR_TIMEOUT)) {
		take_back(q);
		return refuse(q, ", as polkit has not answered in time: try again, run it as root, or see systemctl status polkit");
	}
	return refuse(q, ", as polkit does not tell whether %s is allowed (%.100s): run it as root, or see journalctl -u polkit",
		      actions[q->action], e->message ? e->message : e->name);
}

/* Of the details only this one matters. */
static int read_answer(sd_bus_message *reply, int *allowed, int *challenge, bool *dismissed)
{
	const char *key, *value;
	int r;

	r = sd_bus_message_enter_container(reply, 'r', "bba{ss}");
	if (r >= 0)
		r = sd_bus_message_read(reply, "bb", allowed, challenge);
	if (r >= 0)
		r = sd_bus_message_enter_container(reply, 'a', "{ss}");
	while (r >= 0 && (r = sd_bus_message_read(reply, "{ss}", &key, &value)) > 0)
		*dismissed = *dismissed || (!strcmp(key, "polkit.dismissed") && *value);
	return r;
}

static int reply_says(sd_bus_message *call, const char * const *says)
{
	sd_bus_message *reply = NULL;
	int r;

	r = sd_bus_message_new_method_return(call, &reply);
	if (r >= 0)
		r = sd_bus_message_open_container(reply, 'a', "{ss}");
	for (unsigned int i = AUTH_NONE + 1; r >= 0 && i < AUTH_ACTIONS; i++)
		r = sd_bus_message_append(reply, "{ss}", actions[i], says[i]);
	if (r >= 0)
		r = sd_bus_message_close_container(reply);
	if (r >= 0)
		r = sd_bus_send(NULL, reply, NULL);
	sd_bus_message_unref(reply);
	return r;
}

static int ask(struct auth_query *q);

/* One action after the other. */
static int on_says(struct auth_query *q, const char *word)
{
	int r = 0;

	q->slot = sd_bus_slot_unref(q->slot);
	q->says[q->action] = word;
	if (++q->action < AUTH_ACTIONS) {
		r = ask(q);
		return r < 0 ? refuse(q, ", as polkit cannot be asked (%s): run it as root",
				      strerror(-r)) : 1;
	}
	/* Nothing is the own of such a caller. */
	if (!q->whole)
		q->says[AUTH_MIGRATE_OWN] = q->says[AUTH_MIGRATE_OTHERS];
	r = reply_says(q->call, q->says);
	if (r < 0)
		log_debug("what user %u may was not told: %s", q->user, strerror(-r));
	drop(q);
	return 1;
}

static int on_answer(sd_bus_message *reply, void *arg, sd_bus_error *error)
{
	struct auth_query *q = arg;
	int allowed = 0, challenge = 0, r;
	bool dismissed = false;

	if (sd_bus_message_is_method_error(reply, NULL))
		return on_error(q, sd_bus_message_get_error(reply));
	r = read_answer(reply, &allowed, &challenge, &dismissed);
	if (r < 0)
		return refuse(q, ", as the answer of polkit is not understood (%s): run it as root",
			      strerror(-r));
	if (q->tells)
		return on_says(q, allowed ? "yes" : challenge ? "password" : "no");
	if (!allowed && dismissed)
		return refuse(q, ", as no administrator has agreed: run it as root");
	if (!allowed && challenge)
		return refuse(q, " unless an administrator agrees, who cannot be asked from here: run it as root, or with migctl on a terminal");
	if (!allowed)
		return refuse(q, ": run it as root, or have a rule of polkit allow %s, see migd(8)",
			      actions[q->action]);
	q->slot = sd_bus_slot_unref(q->slot);
	r = sd_bus_enqueue_for_read(q->m->bus, q->call);
	if (r < 0)
		return refuse(q, ", as the daemon cannot take it up again (%s): try again",
			      strerror(-r));
	return 1;
}

/* Nobody waits for an answer any more. */
static int on_sender_gone(sd_bus_track *track, void *arg)
{
	struct auth_query *q = arg;

	log_info("user %u has gone without %s: polkit was still being asked", q->user,
		 actions[q->action]);
	if (q->slot)
		take_back(q);
	drop(q);
	return 1;
}

/* The call that comes again is the one at hand, until the next comes in. */
static int on_message(sd_bus_message *msg, void *arg, sd_bus_error *error)
{
	struct manager *m = arg;

	query_free(m->auth.current);
	m->auth.current = NULL;
	for (struct auth_query *q = m->auth.queries; q; q = q->next) {
		if (q->call != msg)
			continue;
		m->auth.current = take(q);
		/* It is ours now, whatever becomes of the sender. */
		q->sender = sd_bus_track_unref(q->sender);
		break;
	}
	if (sd_bus_message_is_method_call(msg, "org.freedesktop.DBus.Properties", "Set") > 0)
		return bus_before_set(m, msg, error);
	return 0;
}

static struct auth_query *current(struct manager *m, sd_bus_message *msg)
{
	struct auth_query *q = m->auth.current;

	return q && q->call == msg ? q : NULL;
}

int auth_caller(struct manager *m, sd_bus_message *msg, struct caller *ret, sd_bus_error *error)
{
	const struct auth_query *q = current(m, msg);
	sd_bus_creds *creds = NULL;
	struct fault f;
	pid_t pid;
	int r;

	*ret = (struct caller) { .user = -1, .pidfd = -1 };
	/*
	 * Not its capabilities: the bus does not tell them, and /proc is no
	 * proof, as the sender may have become another program by now.
	 */
	r = sd_bus_query_sender_creds(msg, SD_BUS_CREDS_EUID, &creds);
	if (r >= 0)
		r = sd_bus_creds_get_euid(creds, &ret->user);
	sd_bus_creds_unref(creds);
	/* Root, who asks most often, is asked for no more than that. */
	creds = NULL;
	if (r >= 0 && ret->user &&
	    sd_bus_query_sender_creds(msg, SD_BUS_CREDS_PID, &creds) >= 0 &&
	    sd_bus_creds_get_pid(creds, &pid) >= 0)
		ret->whole = !own_caller(pid, ret->user, &ret->group);
	sd_bus_creds_unref(creds);
	if (r < 0) {
		fault_set(&f, FAULT_NOT_ALLOWED,
			  "the bus does not tell who asks for this (%s): run it as root",
			  strerror(-r));
		return bus_fault(error, &f);
	}
	if (q) {
		ret->given = q->action;
		ret->pidfd = q->pidfd;
	}
	return 0;
}

bool auth_has(const struct caller *c, enum auth_action action)
{
	/* Who may do it to all may do it to its own. */
	if (action == AUTH_MIGRATE_OWN && c->given == AUTH_MIGRATE_OTHERS)
		return true;
	return !c->user || (action != AUTH_NONE && c->given == action);
}

static int ask(struct auth_query *q)
{
	int interactive = !q->tells &&
		sd_bus_message_get_allow_interactive_authorization(q->call) > 0;
	uint64_t usec = interactive ? PASSWORD_USEC : ANSWER_USEC;
	sd_bus_message *m = NULL;
	int r;

	r = sd_bus_message_new_method_call(q->m->bus, &m, POLKIT, POLKIT_PATH, POLKIT_IFACE,
					   "CheckAuthorization");
	if (r >= 0)
		r = sd_bus_message_append(m, "(sa{sv})sa{ss}us", "system-bus-name", 1, "name", "s",
					  sd_bus_message_get_sender(q->call), actions[q->action],
					  0, interactive ? ALLOW_INTERACTION : 0, q->id);
	if (r >= 0)
		r = sd_bus_call_async(q->m->bus, &q->slot, m, on_answer, q,
				      q->m->auth.usec ? q->m->auth.usec : usec);
	sd_bus_message_unref(m);
	return r;
}

static int count(struct manager *m, uint32_t user, struct fault *f)
{
	unsigned int all = 0, own = 0;

	for (struct auth_query *q = m->auth.queries; q; q = q->next) {
		all++;
		own += q->user == user;
	}
	if (own < QUERIES_USER && all < QUERIES_MAX)
		return 0;
	return fault_set(f, FAULT_BUSY,
			 "polkit is still being asked about %u calls, %u of them of user %u: let it be answered first",
			 all, own, user);
}

static int begin(struct manager *m, sd_bus_message *msg, const struct caller *c,
		 enum auth_action action, const char *what, int pidfd, bool tells)
{
	struct auth_query *q = calloc(1, sizeof(*q));
	int r = 0;

	if (!q)
		return -ENOMEM;
	*q = (struct auth_query) {
		.m = m, .call = sd_bus_message_ref(msg), .action = action, .user = c->user,
		.pidfd = pidfd < 0 ? -1 : fcntl(pidfd, F_DUPFD_CLOEXEC, 0),
		.tells = tells, .whole = c->whole,
	};
	m->auth.last++;
	snprintf(q->id, sizeof(q->id), "migd-%llu", (unsigned long long)m->auth.last);
	snprintf(q->what, sizeof(q->what), "%s", what);
	if (pidfd >= 0 && q->pidfd < 0)
		r = -errno;
	if (r >= 0)
		r = sd_bus_track_new(m->bus, &q->sender, on_sender_gone, q);
	if (r >= 0)
		r = sd_bus_track_add_sender(q->sender, msg);
	if (r >= 0)
		r = ask(q);
	if (r < 0) {
		query_free(q);
		return r;
	}
	q->next = m->auth.queries;
	m->auth.queries = q;
	return 1;
}

static int fail(const struct caller *c, const char *what, int r, sd_bus_error *error)
{
	struct fault f;

	fault_set(&f, FAULT_NOT_ALLOWED, "user %u may not %s, as polkit cannot be asked (%s): run it as root",
		  c->user, what, strerror(-r));
	return bus_fault(error, &f);
}

int auth_check(struct manager *m, sd_bus_message *msg, const struct caller *c,
	       enum auth_action action, const char *what, int pidfd, sd_bus_error *error)
{
	struct fault f = { .id = FAULT_NONE };
	int r;

	if (auth_has(c, action))
		return 0;
	if (c->given)
		/* What is own was not, or is no more. Asked once is enough. */
		fault_set(&f, FAULT_NOT_ALLOWED,
			  "user %u may not %s: it was asked for %s, which is not enough any more; try again",
			  c->user, what, actions[c->given]);
	else
		count(m, c->user, &f);
	if (f.id)
		return bus_fault(error, &f);
	r = begin(m, msg, c, action, what, pidfd, false);
	return r < 0 ? fail(c, what, r, error) : r;
}

int auth_tell(struct manager *m, sd_bus_message *msg, sd_bus_error *error)
{
	static const char * const all[AUTH_ACTIONS] = {
		[AUTH_MIGRATE_OWN] = "yes",
		[AUTH_MIGRATE_OTHERS] = "yes",
		[AUTH_MANAGE_POLICY] = "yes",
	};
	struct fault f = { .id = FAULT_NONE };
	struct caller c;
	int r;

	r = auth_caller(m, msg, &c, error);
	if (r < 0)
		return r;
	if (!c.user)
		return reply_says(msg, all);
	if (count(m, c.user, &f) < 0)
		return bus_fault(error, &f);
	r = begin(m, msg, &c, AUTH_NONE + 1, MOVE_OR_SET, -1, true);
	return r < 0 ? fail(&c, MOVE_OR_SET, r, error) : r;
}

int auth_ask(struct manager *m, sd_bus_message *msg, enum auth_action action, const char *what,
	     sd_bus_error *error)
{
	struct caller c;
	int r = auth_caller(m, msg, &c, error);

	return r < 0 ? r : auth_check(m, msg, &c, action, what, -1, error);
}

int auth_change(struct manager *m, sd_bus_message *msg, uint32_t user, const char *what,
		sd_bus_error *error)
{
	struct caller c;
	int r = auth_caller(m, msg, &c, error);

	if (r < 0 || (c.whole && c.user == user))
		return r;
	return auth_check(m, msg, &c, AUTH_MIGRATE_OTHERS, what, -1, error);
}

int auth_init(struct manager *m)
{
	return sd_bus_add_filter(m->bus, NULL, on_message, m);
}

void auth_free(struct manager *m)
{
	query_free(m->auth.current);
	m->auth.current = NULL;
	while (m->auth.queries)
		drop(m->auth.queries);
}
