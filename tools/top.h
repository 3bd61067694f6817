/* SPDX-License-Identifier: GPL-2.0 */
/* What `migctl top` shows: two descriptions of everything, and what changed in between. */
#ifndef MIGCTL_TOP_H
#define MIGCTL_TOP_H

#include <stdbool.h>
#include <jansson.h>
#include <linux/types.h>

/*
 * struct top_sample - Describe() of the manager, and when it came
 *
 * @all:	owned; NULL before there is one
 * @usec:	monotonic
 */
struct top_sample {
	json_t *all;
	__u64 usec;
};

/*
 * struct top - what is shown
 *
 * @now:	the last sample
 * @before:	the one before
 * @why:	why there is no newer one, empty when there is
 */
struct top {
	struct top_sample now, before;
	char why[256];
};

/* Take a new sample; the oldest is dropped. Takes @all over. */
void top_take(struct top *top, json_t *all, __u64 usec);
void top_done(struct top *top);

/* Who gets the lines. @title: the first of a table. */
typedef void (*top_line_fn)(void *arg, const char *line, bool title);

/* Tell each line, without a newline, in order of weight. */
void top_tell(const struct top *top, top_line_fn tell, void *arg);

#endif /* MIGCTL_TOP_H */
