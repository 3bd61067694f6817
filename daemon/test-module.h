/* SPDX-License-Identifier: GPL-2.0 */
/* The module of a test: the daemon asks it, and the test says what becomes of the jobs. */
#ifndef MIGD_TEST_MODULE_H
#define MIGD_TEST_MODULE_H

#include "manager.h"
#include "netlink.h"

#define TEST_JOBS	64

/* Jobs by id, from 1; one that it forgets has no state. */
struct test_module {
	struct nl_job job[TEST_JOBS];
	bool known[TEST_JOBS];
	uint64_t last;
	int refusal;			/* of the next submission */
	unsigned int cancels;
	uint64_t total;			/* bytes per second of all jobs, never more; 0: any */
};

extern struct test_module module;

/* A daemon that serves this module, with its files in @dir; stop it with the other. */
struct manager *module_daemon(const char *dir);
void module_daemon_stop(struct manager *m);

/* A process to name, of which nothing is moved; the test ends it. */
pid_t module_target(void);

#endif /* MIGD_TEST_MODULE_H */
