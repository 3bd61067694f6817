// SPDX-License-Identifier: GPL-2.0
/* Statistics, and the description of everything. */
#include "json.h"

#define I(v)	((json_int_t)(v))

/* What the workers count themselves. */
static json_t *json_daemon(const struct manager *m)
{
	uint64_t batches = 0, fallbacks = 0, pages = 0;

	for (unsigned int i = 0; i < m->nr_workers; i++) {
		batches += atomic_load(&m->workers[i].batches);
		fallbacks += atomic_load(&m->workers[i].fallbacks);
		pages += atomic_load(&m->workers[i].fallback_pages);
	}
	return json_pack("{si si sI sI sI}", "queues", (int)m->nr_workers,
			 "depth", (int)m->device.setup.depth, "batches", I(batches),
			 "fallbacks", I(fallbacks), "fallback_pages", I(pages));
}

json_t *json_stats(const struct nl_stats *s, const struct manager *m)
{
	json_t *o;

	o = json_pack("{sI sI sI sI so sI sI sI sI sI sI sI sI}", "jobs", I(s->jobs),
		      "jobs_active", I(s->jobs_active), "batches", I(s->batches),
		      "moved", I(s->moved), "left", json_left(s->left),
		      "rescued_deadline", I(s->rescued_deadline),
		      "rescued_server", I(s->rescued_server), "late", I(s->late),
		      "undone", I(s->undone), "verify_failed", I(s->verify_failed),
		      "locked_pages", I(s->locked_pages),
		      "quarantined_pages", I(s->quarantined_pages),
		      "quarantined_total", I(s->quarantined_total));
	if (!o)
		return NULL;
	json_object_update_new(o, json_pack("{so so so so so}", "lock", json_hist(&s->lock),
					    "copy", json_hist(&s->copy),
					    "commit", json_hist(&s->commit),
					    "blackout", json_hist(&s->blackout),
					    "daemon", json_daemon(m)));
	return o;
}

json_t *json_describe(struct manager *m)
{
	json_t *o, *engines = json_array(), *jobs = json_array(), *groups = json_array();
	struct nl_stats stats;

	engines_refresh(m, 0);
	for (unsigned int i = 0; i < m->nr_engines; i++)
		json_array_append_new(engines, json_channel(&m->engines[i]));
	for (struct job *job = m->jobs; job; job = job->next) {
		job_refresh(m, job);
		json_array_append_new(jobs, json_job(job));
	}
	for (struct group *g = m->groups; g; g = g->next) {
		group_refresh(m, g);
		json_array_append_new(groups, json_group(g));
	}
	o = json_pack("{ss ss* si sb ss* so so so so so}", "version", MIGD_VERSION,
		      "module_version", m->features.version, "abi", MIGD_ABI_VERSION,
		      "ready", m->ready, "module_error", m->why_not.text,
		      "policy", json_policy(&m->policy), "engines", engines, "jobs", jobs,
		      "groups", groups,
		      "nodes", json_nodes());
	if (o && m->nl && !nl_get_stats(m->nl, &stats))
		json_object_set_new(o, "stats", json_stats(&stats, m));
	return o;
}
