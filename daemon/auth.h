/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who may do what. Root may do everything; whether somebody else may is polkit's
 * to say, which knows what the administrator allows and may have a password asked
 * for. That takes time: the call is put aside, and comes in again as if it was new
 * when polkit has allowed it. So everything is looked at once more, and nothing
 * that may have gone is held meanwhile, but for the process that it names.
 */
#ifndef MIGD_AUTH_H
#define MIGD_AUTH_H

#include <systemd/sd-bus.h>

#include "errors.h"
#include "manager.h"

/* The action of systemd/org.migd1.policy that is needed. */
enum auth_action {
	AUTH_NONE,
	AUTH_MIGRATE_OWN,
	AUTH_MIGRATE_OTHERS,
	AUTH_MANAGE_POLICY,
	AUTH_ACTIONS,
};

/* What a user may, or may not. */
#define MOVE_OWN	"move the memory of its own processes"
#define MOVE_OTHERS	"move the memory of processes that are not its own"
#define MOVE_SEVERAL	"move several processes at once that are not all its own"

/* The sender of a call. */
struct caller {
	uint32_t user;			/* as the bus knows it */
	uint32_t group;			/* of one that is @whole */
	bool whole;			/* one like any other of @user's, see own.h */
	enum auth_action given;		/* what polkit has allowed for this call */
	int pidfd;			/* of the process it named before; or -1 */
};

/* Who has sent @msg? */
int auth_caller(struct manager *m, sd_bus_message *msg, struct caller *ret, sd_bus_error *error);

/*
 * May @c do this? 0: yes. Above 0: polkit is being asked, and @msg comes again or is
 * answered. A negative errno: no, and @error is our sentence; @what completes "may
 * not ...". @pidfd, or -1, is a process to be held meanwhile; it stays the caller's.
 */
int auth_check(struct manager *m, sd_bus_message *msg, const struct caller *c,
	       enum auth_action action, const char *what, int pidfd, sd_bus_error *error);

/* Both at once, for what takes no more. */
int auth_ask(struct manager *m, sd_bus_message *msg, enum auth_action action, const char *what,
	     sd_bus_error *error);

/* May the sender change what @user has begun? As auth_check(). */
int auth_change(struct manager *m, sd_bus_message *msg, uint32_t user, const char *what,
		sd_bus_error *error);

/*
 * What may the sender do? Above 0: it is answered, when polkit has been asked for each
 * action, and nobody for a password.
 */
int auth_tell(struct manager *m, sd_bus_message *msg, sd_bus_error *error);

/* The same as a boolean, for what cannot wait. */
bool auth_has(const struct caller *c, enum auth_action action);

int auth_init(struct manager *m);
void auth_free(struct manager *m);

#endif /* MIGD_AUTH_H */
