/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the daemon knows, as JSON: the one source of every Describe() and of
 * GetStats(), which migctl --json prints. Each answers a new reference.
 */
#ifndef MIGD_JSON_H
#define MIGD_JSON_H

#include <jansson.h>

#include "group.h"
#include "job.h"

json_t *json_hist(const struct nl_hist *h);
json_t *json_left(const uint64_t *left);
json_t *json_job(const struct job *job);
/* As group_refresh() has left it. */
json_t *json_group(const struct group *g);
json_t *json_channel(const struct nl_channel *c);
json_t *json_policy(const struct policy *p);
json_t *json_nodes(void);

/* stats.c: the module's counters, and those of the workers under "daemon". */
json_t *json_stats(const struct nl_stats *s, const struct manager *m);
json_t *json_describe(struct manager *m);

#endif /* MIGD_JSON_H */
