// SPDX-License-Identifier: GPL-2.0
/*
 * Groups in the runtime directory, one file each: what a daemon that takes over
 * needs to know. systemd empties it when the daemon is stopped, and keeps it
 * over restarts, as the module keeps the jobs.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "group.h"
#include "log.h"

#define I(v)	((json_int_t)(v))
#define U(v)	((uint64_t)(v))

/* Of another layout: it is left alone. */
#define LAYOUT	1

static void file_name(char *name, size_t size, uint64_t id, const char *suffix)
{
	snprintf(name, size, "group-%llu.json%s", (unsigned long long)id, suffix);
}

static json_t *members_json(const struct group *g)
{
	json_t *all = json_array();

	for (size_t i = 0; i < g->nr; i++) {
		const struct member *p = &g->members[i];

		json_array_append_new(all, json_pack("[i, I, i, i, I]", (int)p->pid,
						     I(p->start_time), (int)p->state,
						     (int)p->tries, I(p->job)));
	}
	return all;
}

static json_t *sum_json(const struct group_sum *sum)
{
	json_t *left = json_array();

	for (unsigned int i = 0; i < NL_REASONS; i++)
		json_array_append_new(left, json_integer(I(sum->left[i])));
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "total", I(sum->total),
			 "moved", I(sum->moved), "routed", I(sum->routed), "bytes", I(sum->bytes),
			 "batches", I(sum->batches), "rescued", I(sum->rescued),
			 "passes", I(sum->passes), "blackout", I(sum->blackout_max_ns),
			 "left", left);
}

static json_t *request_json(const struct job_request *q)
{
	return json_pack("{s:I, s:I, s:b, s:i, s:i, s:i, s:s, s:i, s:i, s:I, s:b, s:b, s:b, s:i, s:i}",
			 "user", I(q->user), "gid", I(q->group), "own_only", q->own_only,
			 "from", q->from, "to", q->to,
			 "order", (int)q->order, "engine", q->engine,
			 "batch", (int)q->batch_pages, "deadline", (int)q->deadline_us,
			 "rate", I(q->max_rate), "has_rate", q->has_rate, "paused", q->paused,
			 "leave_large", q->leave_large, "flags", (int)q->flags,
			 "nice", (int)q->nice);
}

static json_t *group_json(const struct group *g)
{
	json_t *o;

	o = json_pack("{s:i, s:I, s:i, s:s, s:s, s:o, s:o, s:o}", "layout", LAYOUT, "id", I(g->id),
		      "kind", (int)g->kind, "target", g->target, "cgroup", g->cgroup,
		      "request", request_json(&g->req), "members", members_json(g),
		      "ended", sum_json(&g->ended));
	if (!o)
		return NULL;
	json_object_update_new(o, json_pack("{s:i, s:I, s:i, s:i, s:b, s:b, s:b, s:s}",
					    "rounds", (int)g->rounds, "after", I(g->after),
					    "state", (int)g->state, "outcome", (int)g->outcome,
					    "partly", g->partly, "well", g->well,
					    "cancelled", g->cancelled, "why", g->why));
	json_object_update_new(o, json_pack("{s:I, s:I, s:I, s:i}",
					    "submitted_usec", I(g->submitted_usec),
					    "submitted_ns", I(g->submitted_ns),
					    "elapsed_usec", I(g->elapsed_usec),
					    "progress", (int)g->progress));
	return o;
}

/* No fsync(): what a crash of the machine loses has no process left either. */
static int write_file(int dirfd, const char *name, const char *text)
{
	size_t len = strlen(text), done = 0;
	ssize_t n;
	int fd;

	fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	while (done < len) {
		n = write(fd, text + done, len - done);
		if (n < 0) {
			n = -errno;
			close(fd);
			return n;
		}
		done += n;
	}
	return close(fd) < 0 ? -errno : 0;
}

static int save_in(int dirfd, const struct group *g)
{
	json_t *o = group_json(g);
	char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
	char name[64], new[64];
	int r = -ENOMEM;

	json_decref(o);
	file_name(name, sizeof(name), g->id, "");
	file_name(new, sizeof(new), g->id, ".new");
	if (text)
		r = write_file(dirfd, new, text);
	free(text);
	if (!r && renameat(dirfd, new, dirfd, name) < 0)
		r = -errno;
	if (r < 0)
		unlinkat(dirfd, new, 0);
	return r;
}

int group_save(struct manager *m, struct group *g)
{
	int dirfd, r;

	dirfd = open(m->run_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = dirfd < 0 ? -errno : save_in(dirfd, g);
	if (dirfd >= 0)
		close(dirfd);
	if (r < 0 && !g->save_told)
		log_warn("group %llu cannot be kept in %s (%s): it would end with this daemon",
			 (unsigned long long)g->id, m->run_dir, strerror(-r));
	g->save_told = r < 0;
	return r;
}

void group_forget(struct manager *m, const struct group *g)
{
	char name[64], path[PATH_MAX];

	file_name(name, sizeof(name), g->id, "");
	snprintf(path, sizeof(path), "%s/%s", m->run_dir, name);
	unlink(path);
}

static int load_members(struct group *g, json_t *all)
{
	size_t n = json_array_size(all);
	json_int_t start, job;
	json_t *one;
	size_t i;

	if (n > GROUP_MAX)
		return -EBADMSG;
	g->members = calloc(n + 1, sizeof(*g->members));
	if (!g->members)
		return -ENOMEM;
	json_array_foreach(all, i, one) {
		struct member *p = &g->members[i];
		int pid, state, tries;

		if (json_unpack(one, "[i, I, i, i, I]", &pid, &start, &state, &tries, &job) < 0 ||
		    pid <= 0 || state < 0 || state >= MEMBER_STATES)
			return -EBADMSG;
		*p = (struct member) { .pid = pid, .start_time = start, .state = state,
				       .tries = tries, .job = job };
		/* The lookups go by the order. */
		if (i && (pid < p[-1].pid || (pid == p[-1].pid && U(start) <= p[-1].start_time)))
			return -EBADMSG;
	}
	g->nr = n;
	return 0;
}

static int load_sum(struct group_sum *sum, json_t *o)
{
	json_int_t v[8];
	json_t *left;

	if (json_unpack(o, "{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "total", &v[0],
			"moved", &v[1], "routed", &v[2], "bytes", &v[3], "batches", &v[4],
			"rescued", &v[5], "passes", &v[6], "blackout", &v[7], "left", &left) < 0)
		return -EBADMSG;
	*sum = (struct group_sum) {
		.total = v[0], .moved = v[1], .routed = v[2], .bytes = v[3], .batches = v[4],
		.rescued = v[5], .passes = v[6], .blackout_max_ns = v[7],
	};
	for (unsigned int i = 0; i < NL_REASONS; i++)
		sum->left[i] = json_integer_value(json_array_get(left, i));
	return 0;
}

static int load_request(struct job_request *q, json_t *o)
{
	int order, batch, deadline, has_rate, leave_large, flags;
	int paused = 0, own_only = 0, nice = 0;
	json_int_t rate, user = 0, gid = 0;
	const char *engine;

	if (json_unpack(o, "{s?I, s?I, s?b, s:i, s:i, s:i, s:s, s:i, s:i, s:I, s:b, s?b, s:b, s:i, s?i}",
			"user", &user, "gid", &gid, "own_only", &own_only,
			"from", &q->from, "to", &q->to,
			"order", &order, "engine", &engine,
			"batch", &batch, "deadline", &deadline, "rate", &rate,
			"has_rate", &has_rate, "paused", &paused, "leave_large", &leave_large,
			"flags", &flags, "nice", &nice) < 0)
		return -EBADMSG;
	q->user = user;
	q->group = gid;
	q->own_only = own_only;
	q->order = order;
	q->batch_pages = batch;
	q->deadline_us = deadline;
	q->max_rate = rate;
	q->has_rate = has_rate;
	q->paused = paused;
	q->leave_large = leave_large;
	q->flags = flags;
	q->nice = nice;
	snprintf(q->engine, sizeof(q->engine), "%s", engine);
	return 0;
}

static int load_head(struct group *g, json_t *o)
{
	int kind, rounds, state, outcome, partly, well, cancelled, progress, layout;
	json_int_t id, after, usec, ns, elapsed;
	const char *target, *cgroup, *why;

	if (json_unpack(o, "{s:i, s:I, s:i, s:s, s:s, s:i, s:I, s:i, s:i, s:b, s:b, s:b, s:s}",
			"layout", &layout, "id", &id, "kind", &kind, "target", &target,
			"cgroup", &cgroup, "rounds", &rounds, "after", &after, "state", &state,
			"outcome", &outcome, "partly", &partly, "well", &well,
			"cancelled", &cancelled, "why", &why) < 0 ||
	    json_unpack(o, "{s:I, s:I, s:I, s:i}", "submitted_usec", &usec, "submitted_ns", &ns,
			"elapsed_usec", &elapsed, "progress", &progress) < 0)
		return -EBADMSG;
	if (layout != LAYOUT || id <= 0 || kind < 0 || kind >= GROUP_KINDS ||
	    state < 0 || state > GROUP_DONE)
		return -EBADMSG;
	g->id = id;
	g->kind = kind;
	g->rounds = rounds;
	g->after = after;
	g->state = state;
	g->outcome = outcome;
	g->partly = partly;
	g->well = well;
	g->cancelled = cancelled;
	g->submitted_usec = usec;
	g->submitted_ns = ns;
	g->elapsed_usec = elapsed;
	g->progress = progress;
	snprintf(g->target, sizeof(g->target), "%s", target);
	snprintf(g->cgroup, sizeof(g->cgroup), "%s", cgroup);
	snprintf(g->why, sizeof(g->why), "%s", why);
	/* Where it says what is walked, as whoever asked may have written it. */
	if (g->kind != GROUP_PROCESSES && cgroup_path(cgroup, g->cgroup) < 0)
		return -EBADMSG;
	return 0;
}

static int load_file(const char *path, struct group **ret)
{
	struct group *g = calloc(1, sizeof(*g));
	json_t *o = json_load_file(path, 0, NULL);
	int r = -EBADMSG;

	if (!g)
		r = -ENOMEM;
	else if (o)
		r = load_head(g, o);
	if (!r)
		r = load_request(&g->req, json_object_get(o, "request"));
	if (!r)
		r = load_sum(&g->ended, json_object_get(o, "ended"));
	if (!r)
		r = load_members(g, json_object_get(o, "members"));
	json_decref(o);
	if (r < 0)
		group_free(g);
	else
		*ret = g;
	return r;
}

static int is_group(const struct dirent *e)
{
	const char *dot = strrchr(e->d_name, '.');

	return !strncmp(e->d_name, "group-", 6) && dot && !strcmp(dot, ".json");
}

int group_load_all(const char *dir, int (*take)(struct group *g, void *arg), void *arg)
{
	struct dirent **names;
	char path[PATH_MAX];
	struct group *g;
	int n, r = 0;

	n = scandir(dir, &names, is_group, versionsort);
	if (n < 0)
		return errno == ENOENT ? 0 : -errno;
	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]->d_name);
		r = load_file(path, &g);
		if (r < 0)
			log_warn("%s cannot be read (%s): its group is lost, what it moved stays moved",
				 path, strerror(-r));
		else
			r = take(g, arg);
		free(names[i]);
	}
	free(names);
	return 0;
}
