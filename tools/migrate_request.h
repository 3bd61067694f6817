/* SPDX-License-Identifier: GPL-2.0 */
/* What the command line of migctl migrate asks for. */
#ifndef MIGCTL_MIGRATE_REQUEST_H
#define MIGCTL_MIGRATE_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include "migctl.h"
#include "target.h"

struct kind;

/* What is not commented is an option of that name; 0, NULL or false: not given. */
struct request {
	struct opts opts;
	const struct kind *kind;	/* what it will be */
	struct target target;
	int from, to;			/* from: -1 for every node but `to` */
	const char *order, *engine;
	__u32 batch_pages;
	__u64 deadline_usec;
	__u64 max_rate;
	bool has_max_rate;
	__u32 nice;
	bool leave_large, verify, atomic, no_block, dry_run, bind, quiet, verbose;
	__u64 recount_usec;
	__u64 away_usec;		/* --daemon-timeout */
};

/* Returns OPTS_GO_ON, or the exit code with which the verb must return. */
int migrate_request_parse(struct request *q, int argc, char **argv);
void migrate_request_done(struct request *q);

#endif /* MIGCTL_MIGRATE_REQUEST_H */
