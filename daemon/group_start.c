// SPDX-License-Identifier: GPL-2.0
/* A group begins: everything is checked first; or it is taken over. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bus.h"
#include "group.h"
#include "log.h"
#include "owner.h"
#include "target.h"

/* By id, the newest last. */
static void insert(struct manager *m, struct group *g)
{
	struct group **at = &m->groups;

	while (*at && (*at)->id < g->id)
		at = &(*at)->next;
	g->next = *at;
	*at = g;
	if (g->id > m->last_group)
		m->last_group = g->id;
}

/* Nobody can be moved: say so by the one that says most. */
static int fault_empty(const struct group *g, const struct fault *forbidden, struct fault *f)
{
	if (group_first(g, MEMBER_FORBIDDEN))
		return fault_set(f, FAULT_NODE_FORBIDDEN, "no process of %.128s can be moved: %s",
				 g->target, forbidden->text);
	if (group_first(g, MEMBER_DAEMON))
		return fault_set(f, FAULT_INVALID_ARGUMENT,
				 "%.128s is the daemon itself, which would wait for its own pages: choose another",
				 g->target);
	if (g->kind == GROUP_UNIT)
		return fault_set(f, FAULT_NO_SUCH_PROCESS,
				 "unit %.128s has no process: see systemctl status '%.128s', and systemd-cgls for units that have",
				 g->target, g->target);
	return fault_set(f, FAULT_NO_SUCH_PROCESS,
			 "cgroup %.128s has no process: see systemd-cgls for those that have",
			 g->cgroup);
}

int group_list(struct group *g, const uint32_t *pids, size_t nr, struct fault *f)
{
	struct fault forbidden = { .id = FAULT_NONE };
	int r;

	/* Before it: what is forked from now on is new. */
	g->submitted_usec = group_clock_ns(CLOCK_REALTIME) / 1000;
	g->submitted_ns = group_clock_ns(CLOCK_BOOTTIME);
	if (g->kind == GROUP_PROCESSES)
		return group_name(g, pids, nr, f);
	r = cgroup_mounted(CGROUP_ROOT);
	if (r < 0)
		return fault_set(f, FAULT_FAILED,
				 "there is no unified cgroup hierarchy at " CGROUP_ROOT ": name the processes, or boot with systemd.unified_cgroup_hierarchy=1");
	r = group_gather(g, &forbidden);
	if (r > 0) {
		group_note_why(g, forbidden.text);
		return 0;
	}
	switch (r) {
	case 0:
		return fault_empty(g, &forbidden, f);
	case -EPERM:
		return r;
	case -ENOENT:
	case -ENODEV:
		if (g->kind == GROUP_UNIT)
			return fault_empty(g, &forbidden, f);
		return fault_set(f, FAULT_NO_SUCH_CGROUP,
				 "there is no cgroup %.128s: see systemd-cgls for those there are",
				 g->cgroup);
	case -EOPNOTSUPP:
		return fault_set(f, FAULT_INVALID_ARGUMENT,
				 "cgroup %.128s is threaded and has threads, not processes: name the one above it",
				 g->cgroup);
	case -E2BIG:
		return fault_set(f, FAULT_INVALID_ARGUMENT,
				 "%.128s has more than %d processes: move its parts one by one",
				 g->target, GROUP_MAX);
	default:
		return fault_set(f, FAULT_FAILED, "the processes of %.128s cannot be listed (%s)",
				 g->target, strerror(-r));
	}
}

int group_check(struct manager *m, const struct group *g, struct fault *f)
{
	unsigned int active = 0, own = 0;
	int r;

	for (struct group *other = m->groups; other; other = other->next) {
		active += other->state != GROUP_DONE;
		own += other->state != GROUP_DONE && other->req.user == g->req.user;
	}
	r = nodes_check(g->req.from, g->req.to, f);
	if (!r)
		r = job_check(m, &g->req, f);
	if (!r && active >= m->conf.max_jobs)
		r = fault_set(f, FAULT_TOO_MANY_JOBS,
			      "%u groups run already, which is MaxJobs= of migd.conf: wait for one to end or cancel one",
			      active);
	return r < 0 ? r : owner_check(m, g->req.user, own, "groups", f);
}

void group_begin(struct manager *m, struct group *g)
{
	struct log_fields fields = { .message_id = MSG_GROUP_STARTED };

	g->id = m->last_group + 1;
	insert(m, g);
	group_save(m, g);
	fields.group = g->id;
	log_event(LOG_INFO, &fields, "group %llu: %s goes to node %d, %zu processes",
		  (unsigned long long)g->id, g->target, g->req.to, g->nr);
	bus_group_new(m, g);
	groups_kick(m);
}

static int take_loaded(struct group *g, void *arg)
{
	insert(arg, g);
	return 0;
}

void groups_load(struct manager *m)
{
	int r = group_load_all(m->run_dir, take_loaded, m);

	if (r < 0)
		log_warn("%s cannot be read (%s): groups of the daemon before are lost", m->run_dir,
			 strerror(-r));
	for (struct group *g = m->groups; g; g = g->next) {
		if (g->state != GROUP_DONE)
			g->state = GROUP_WAITING;
		group_refresh(m, g);
	}
}

void groups_free(struct manager *m)
{
	struct group *next;

	for (struct group *g = m->groups; g; g = next) {
		next = g->next;
		group_free(g);
	}
	m->groups = NULL;
	m->group_step = sd_event_source_disable_unref(m->group_step);
}
