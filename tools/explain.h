/* SPDX-License-Identifier: GPL-2.0 */
/* What a job would do with each page of a process, found without touching any. */
#ifndef MIGCTL_EXPLAIN_H
#define MIGCTL_EXPLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <linux/types.h>

#include "mappings.h"
#include "page_class.h"
#include "pages.h"

struct client;
struct target;
struct range;

/*
 * struct explained - one process
 *
 * @why:	why it does not move at all, NULL if it does
 * @list:	its mappings, those in the ranges only
 * @counts:	of each of them
 * @sum:	of all
 */
struct explained {
	__u32 pid;
	char comm[64];
	const char *why;
	struct mappings list;
	struct page_counts *counts, sum;
};

/*
 * struct explain - the job that is not run
 *
 * @plan:	what is known of it
 * @ranges, @nr_ranges:	parts of the address space, none for all of it
 * @daemon:	what the daemon has mapped, which it would wait for
 */
struct explain {
	struct plan plan;
	const struct range *ranges;
	size_t nr_ranges;
	struct mappings daemon;
};

/* Count the pages. Returns 0 or a negative errno; explained_free() in either case. */
int explain_pages(struct explained *e, const struct explain *x, FILE *smaps,
		  struct page_source *source);
void explained_free(struct explained *e);

/* The whole of it; returns an exit code. */
int explain(const struct target *t, struct client *c, const struct plan *plan, bool json,
	    bool legend);

void explain_print(const struct explained *e, size_t nr, const struct plan *plan, bool legend);
void explain_print_json(const struct explained *e, size_t nr, const struct plan *plan);

#endif /* MIGCTL_EXPLAIN_H */
