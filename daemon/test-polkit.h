/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A daemon with the module of a test, on a bus of the test's own, and a polkit that says
 * what the test wants. The callers are processes of a user that is not root; they call by
 * busctl(1).
 */
#ifndef MIGD_TEST_POLKIT_H
#define MIGD_TEST_POLKIT_H

#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-bus.h>

#include "manager.h"

#define OWN	"org.migd1.migrate-own"
#define OTHERS	"org.migd1.migrate-others"
#define POLICY	"org.migd1.manage-policy"

enum says { SAYS_NO, SAYS_YES, SAYS_ASK, SAYS_DISMISSED, SAYS_ERROR, SAYS_NOTHING };

/* What it says next, and what it was asked last. */
struct test_polkit {
	sd_bus *bus;
	enum says says;
	const char *only;		/* the action it says that of, no to others; NULL: any */
	unsigned int asked, taken_back;
	char action[64], subject[64];
	uint32_t flags;
	void (*meanwhile)(void);	/* what happens before it answers */
};

extern struct test_polkit polkit;

/* The user who calls, its process to move, and the daemon. */
extern uint32_t user, group;
extern pid_t own;
extern struct manager *m;

/* Polkit is not there until it is started. */
void polkit_test_begin(void);
void start_polkit(void);
int polkit_test_end(void);

pid_t target_of(uint32_t uid);
/* It is not its user's own any more, as one that calls a setuid program. */
void close_target(pid_t pid);
void end_target(pid_t pid);

/* The call that is under way, or the last one and what came of it. */
struct test_call {
	pid_t pid;
	int out;
	char text[4096];
};

extern struct test_call call;

/* Its exit status; the daemon and polkit answer meanwhile. */
int do_call(uint32_t uid, const char *words);
/* What busctl is given to move a process. */
const char *migrate(pid_t pid);

/* It is refused with these words, after polkit was asked so often. */
void check_refused(const char *words, const char *sentence, unsigned int asked);
void check_allowed(const char *words, const char *action);

/* The last job has moved all. */
void end_job(void);

#endif /* MIGD_TEST_POLKIT_H */
