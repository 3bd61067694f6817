// SPDX-License-Identifier: GPL-2.0
/* Jobs, engines, nodes and the policy as JSON. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "names.h"

#define I(v)	((json_int_t)(v))

json_t *json_hist(const struct nl_hist *h)
{
	return json_pack("{sI sI sI sI sI sI sI}", "count", I(h->count), "sum_ns", I(h->sum),
			 "p50_ns", I(h->p50), "p90_ns", I(h->p90), "p99_ns", I(h->p99),
			 "p999_ns", I(h->p999), "max_ns", I(h->max));
}

json_t *json_left(const uint64_t *left)
{
	json_t *o = json_object();

	for (unsigned int i = 0; i < NL_REASONS; i++)
		if (left[i])
			json_object_set_new(o, name_reason(i), json_integer(I(left[i])));
	return o;
}

json_t *json_job(const struct job *job)
{
	const struct nl_job *j = &job->nl;
	json_t *o;

	o = json_pack("{sI si sI ss* si si ss ss ss ss}", "id", I(j->id), "pid", (int)j->pid,
		      "user", I(job->user), "comm", j->comm, "from", j->from, "to", j->to,
		      "order", name_order(j->order), "engine", job->engine,
		      "state", name_state(j->state), "outcome", name_outcome(j->outcome));
	if (!o)
		return NULL;
	json_object_update_new(o, json_pack("{sI sI sI sI so sI sI sI sI sI}", "total", I(j->total),
					    "moved", I(j->moved), "routed", I(j->routed),
					    "bytes", I(job->bytes),
					    "left", json_left(j->left), "passes", I(j->passes),
					    "batches", I(j->batches), "rescued", I(j->rescued),
					    "submitted_usec", I(job->submitted_usec),
					    "elapsed_usec", I(job->elapsed_usec)));
	json_object_update_new(o, json_pack("{sI sI sI sI si sI sb ss sb sb}",
					    "batch_pages", I(j->batch_pages),
					    "deadline_usec", I(j->deadline_us),
					    "max_rate", I(job->asked_rate),
					    "share", I(j->max_rate),
					    "nice", (int)j->nice,
					    "work_ns", I(j->work_ns),
					    "paused", j->paused,
					    "backed_off", name_pressure(job->backoff.why),
					    "verify", !!(j->flags & MIGD_JOB_FLAG_VERIFY),
					    "atomic", !!(j->flags & MIGD_JOB_FLAG_ATOMIC)));
	json_object_update_new(o, json_pack("{so so so so}", "lock", json_hist(&j->lock),
					    "copy", json_hist(&j->copy),
					    "commit", json_hist(&j->commit),
					    "blackout", json_hist(&j->blackout)));
	return o;
}

static json_t *json_left_out(const struct group *g)
{
	json_t *o = json_object();
	const char *name;
	size_t n;

	for (unsigned int state = 0; state < MEMBER_STATES; state++) {
		n = group_left_out(g, state, &name);
		if (n)
			json_object_set_new(o, name, json_integer(I(n)));
	}
	return o;
}

static json_t *json_members(const struct group *g)
{
	json_t *all = json_array();

	for (size_t i = 0; i < g->nr; i++)
		json_array_append_new(all, json_pack("{si ss sI}", "pid", (int)g->members[i].pid,
						     "state", name_member(g->members[i].state),
						     "job", I(g->members[i].job)));
	return all;
}

json_t *json_group(const struct group *g)
{
	const struct group_sum *sum = &g->sum;
	json_t *o;

	o = json_pack("{sI sI ss ss ss si si ss ss ss ss}", "id", I(g->id),
		      "user", I(g->req.user), "kind", name_group_kind(g->kind),
		      "target", g->target, "cgroup", g->cgroup,
		      "from", g->req.from, "to", g->req.to, "order", name_order(g->req.order),
		      "engine", g->engine, "state", name_group_state(g->state),
		      "outcome", name_outcome(g->outcome));
	if (!o)
		return NULL;
	json_object_update_new(o, json_pack("{sI sI sI sI so sI sI sI sI}", "total", I(sum->total),
					    "moved", I(sum->moved), "routed", I(sum->routed),
					    "bytes", I(sum->bytes), "left", json_left(sum->left),
					    "passes", I(sum->passes), "batches", I(sum->batches),
					    "rescued", I(sum->rescued),
					    "blackout_max_ns", I(sum->blackout_max_ns)));
	json_object_update_new(o, json_pack("{si si si so ss so sI sI}",
					    "processes", (int)g->processes,
					    "visited", (int)g->visited,
					    "progress", (int)g->progress,
					    "left_out", json_left_out(g), "why", g->why,
					    "members", json_members(g),
					    "submitted_usec", I(g->submitted_usec),
					    "elapsed_usec", I(g->elapsed_usec)));
	return o;
}

json_t *json_channel(const struct nl_channel *c)
{
	return json_pack("{ss* ss* ss* si ss sI sI sI sI sI sI so}", "name", c->name,
			 "device", c->device, "driver", c->driver, "node", c->node,
			 "state", name_channel_state(c->state), "copies", I(c->copies),
			 "pages", I(c->pages), "bytes", I(c->bytes), "errors", I(c->errors),
			 "in_flight", I(c->in_flight), "quarantined", I(c->quarantined),
			 "copy", json_hist(&c->copy));
}

json_t *json_policy(const struct policy *p)
{
	return json_pack("{ss sI sI sI sI si si sI}", "default_engine", p->default_engine,
			 "deadline_usec", I(p->deadline_usec), "batch_pages", I(p->batch_pages),
			 "max_rate", I(p->max_rate), "total_rate", I(p->total_rate),
			 "nice", (int)p->nice,
			 "jobs_per_user", (int)p->jobs_per_user,
			 "pressure_usec", I(p->pressure_usec));
}

/* "Node 0 MemTotal:  123 kB" of one node, in bytes. */
static void add_meminfo(json_t *node, int id)
{
	static const char * const keys[][2] = {
		{ " MemTotal:", "total" }, { " MemFree:", "free" },
	};
	char path[64], line[256];
	const char *at;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/devices/system/node/node%d/meminfo", id);
	f = fopen(path, "re");
	if (!f)
		return;
	while (fgets(line, sizeof(line), f)) {
		for (size_t i = 0; i < 2; i++) {
			at = strstr(line, keys[i][0]);
			if (!at)
				continue;
			at += strlen(keys[i][0]);
			json_object_set_new(node, keys[i][1],
					    json_integer(strtoll(at, NULL, 10) * 1024));
		}
	}
	fclose(f);
}

static int is_node(const struct dirent *e)
{
	return !strncmp(e->d_name, "node", 4) && e->d_name[4] >= '0' && e->d_name[4] <= '9';
}

json_t *json_nodes(void)
{
	json_t *nodes = json_array(), *node;
	struct dirent **names;
	int n, id;

	n = scandir("/sys/devices/system/node", &names, is_node, versionsort);
	for (int i = 0; i < n; i++) {
		id = atoi(names[i]->d_name + 4);
		node = json_pack("{si}", "id", id);
		add_meminfo(node, id);
		json_array_append_new(nodes, node);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	return nodes;
}
