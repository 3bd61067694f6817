// SPDX-License-Identifier: GPL-2.0
/* Who is in a group. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "group.h"
#include "own.h"
#include "target.h"

static int compare(const void *a, const void *b)
{
	const struct member *x = a, *y = b;

	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return x->start_time < y->start_time ? -1 : x->start_time > y->start_time;
}

struct member *group_lookup(const struct group *g, pid_t pid, uint64_t start_time)
{
	struct member key = { .pid = pid, .start_time = start_time };

	if (!g->nr)
		return NULL;
	return bsearch(&key, g->members, g->nr, sizeof(key), compare);
}

struct member *group_first(const struct group *g, enum member_state state)
{
	for (size_t i = 0; i < g->nr; i++)
		if (g->members[i].state == state)
			return &g->members[i];
	return NULL;
}

size_t group_count(const struct group *g, enum member_state state)
{
	size_t n = 0;

	for (size_t i = 0; i < g->nr; i++)
		n += g->members[i].state == state;
	return n;
}

static size_t most(const struct group *g)
{
	return g->req.own_only ? GROUP_OWN_MAX : GROUP_MAX;
}

/* May it be in a group that begins? Who is left out of one that runs, its visit tells. */
static bool may_begin_with(const struct group *g, const struct target *t)
{
	return !g->req.own_only ||
	       (g->nr < GROUP_OWN_MAX && own_target(t, g->req.user, g->req.group));
}

/* Keep the order: it is what the lookups go by. */
static int add(struct group *g, const struct target *t, enum member_state state)
{
	struct member new = { .pid = t->pid, .start_time = t->start_time, .state = state };
	struct member *grown;
	size_t at = g->nr;

	if (g->nr >= most(g))
		return -E2BIG;
	grown = reallocarray(g->members, g->nr + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	g->members = grown;
	while (at && compare(&grown[at - 1], &new) > 0)
		at--;
	memmove(&grown[at + 1], &grown[at], (g->nr - at) * sizeof(*grown));
	grown[at] = new;
	g->nr++;
	return 0;
}

static int name_one(struct group *g, uint32_t pid, struct fault *f)
{
	struct target t;
	int r;

	r = target_open(&t, pid, f);
	/* That there is no such process is not for everyone to know. */
	if (r < 0 && g->req.own_only)
		f->id = FAULT_NONE;
	if (r < 0)
		return g->req.own_only ? -EPERM : r;
	if (!may_begin_with(g, &t)) {
		target_close(&t);
		return -EPERM;
	}
	r = target_check_cpuset(&t, g->req.to, f);
	if (!r && !group_lookup(g, t.pid, t.start_time)) {
		r = add(g, &t, MEMBER_PENDING);
		if (r < 0)
			r = fault_set(f, FAULT_FAILED, "a group has %d processes at most: name fewer",
				      GROUP_MAX);
	}
	target_close(&t);
	return r;
}

int group_name(struct group *g, const uint32_t *pids, size_t nr, struct fault *f)
{
	int r = 0;

	for (size_t i = 0; i < nr && !r; i++)
		r = name_one(g, pids[i], f);
	return r;
}

struct gather {
	struct group *g;
	char own[CGROUP_PATH_LEN];	/* the daemon's cgroup */
	bool first;
	int found;
	struct fault *f;
};

static bool is_at_or_below(const char *path, const char *top)
{
	size_t len = strlen(top);

	return len && !strncmp(path, top, len) && (!path[len] || path[len] == '/');
}

static enum member_state first_state(struct gather *at, const struct target *t, const char *in)
{
	if (target_is_kernel(t))
		return MEMBER_KERNEL;
	if (t->pid == getpid() || is_at_or_below(in, at->own))
		return MEMBER_DAEMON;
	/* Later ones are looked at when it is their turn. */
	if (at->first && target_check_cpuset(t, at->g->req.to, at->f) < 0)
		return at->f->id == FAULT_NODE_FORBIDDEN ? MEMBER_FORBIDDEN : MEMBER_EXITED;
	return MEMBER_PENDING;
}

static int take(pid_t pid, const char *in, void *arg)
{
	struct gather *at = arg;
	enum member_state state;
	struct target t;
	int r;

	if (target_look(&t, pid) < 0 || target_has_exited(&t) ||
	    group_lookup(at->g, pid, t.start_time))
		return 0;
	if (at->first && !may_begin_with(at->g, &t))
		return -EPERM;
	state = first_state(at, &t, in);
	r = add(at->g, &t, state);
	if (r < 0)
		return r;
	at->found += state == MEMBER_PENDING;
	return 0;
}

/* Start times are in ticks, rounded down. */
static uint64_t submitted_ticks(const struct group *g)
{
	return g->submitted_ns / (1000000000ULL / sysconf(_SC_CLK_TCK));
}

static bool has_process(const struct group *g, pid_t pid)
{
	for (size_t i = 0; i < g->nr; i++)
		if (g->members[i].pid == pid)
			return true;
	return false;
}

/* What the processes of a list have forked while they were being moved. */
static int gather_forks(struct gather *at)
{
	uint64_t since = submitted_ticks(at->g);
	struct dirent *entry;
	struct target t;
	DIR *proc;
	int r = 0;

	proc = opendir("/proc");
	if (!proc)
		return -errno;
	while (!r && (entry = readdir(proc))) {
		pid_t pid = atoi(entry->d_name);

		if (pid > 0 && !target_look(&t, pid) && t.start_time >= since &&
		    has_process(at->g, t.ppid))
			r = take(pid, "", at);
	}
	closedir(proc);
	return r;
}

int group_gather(struct group *g, struct fault *f)
{
	struct gather at = { .g = g, .first = !g->nr, .f = f };
	int r;

	cgroup_of("", getpid(), at.own);
	if (g->kind == GROUP_PROCESSES)
		r = gather_forks(&at);
	else
		r = cgroup_walk(CGROUP_ROOT, g->cgroup, g->req.own_only ? GROUP_OWN_MAX : 0, take,
				&at);
	if (r == -E2BIG && at.first && g->req.own_only)
		return -EPERM;
	return r < 0 ? r : at.found;
}
