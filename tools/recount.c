// SPDX-License-Identifier: GPL-2.0
/*
 * What came back after a move.
 *
 * The kernel tells how many pages of a mapping are on a node, and not which. What a
 * mapping has more on the source and less on the destination than before has come
 * back; what it only has more on the source is new.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "numa_maps.h"
#include "procfs.h"
#include "recount.h"

/*
 * struct recount_mapping - pages of a mapping
 *
 * @pid:	the process; for shared memory, which is counted once for all that
 *		have it at the same address, the one that has most of it on the source
 * @name:	of shared memory, as numa_maps has it; 0 if it is not shared
 */
struct recount_mapping {
	__u64 name, start, source, dest;
	__u32 pid;
};

/* One look at all processes. */
struct look {
	const struct recount *r;
	struct recount_mapping *mappings;
	size_t nr, alloc;
	__u32 pid;
	/* The last mapping's end is not known before the next one's start. */
	struct numa_mapping last;
	bool has_last;
};

static bool is_counted(const struct recount *r, __u64 start, __u64 end)
{
	for (size_t i = 0; i < r->nr_ranges; i++)
		if (start < r->ranges[i].end && r->ranges[i].start < end)
			return true;
	return !r->nr_ranges;
}

static int add(struct look *l, __u64 end)
{
	const struct numa_mapping *m = &l->last;
	struct recount_mapping *mappings;

	if (!l->has_last || !is_counted(l->r, m->start, end))
		return 0;
	if (l->nr == l->alloc) {
		mappings = reallocarray(l->mappings, l->alloc * 2 + 64, sizeof(*mappings));
		if (!mappings)
			return -ENOMEM;
		l->mappings = mappings;
		l->alloc = l->alloc * 2 + 64;
	}
	l->mappings[l->nr++] = (struct recount_mapping) {
		.name = m->name, .start = m->start, .source = m->source, .dest = m->dest,
		.pid = l->pid,
	};
	return 0;
}

static int take(const struct numa_mapping *m, void *userdata)
{
	struct look *l = userdata;
	int r = add(l, m->start);

	l->last = *m;
	l->has_last = true;
	return r;
}

/* In ticks since boot; 0 when the process has gone. */
static __u64 start_time(const char *root, __u32 pid)
{
	char stat[2048];
	const char *at;

	if (procfs_value(root, NULL, stat, sizeof(stat), "/proc/%u/stat", pid) < 0)
		return 0;
	/* Field 22; the name in parentheses is the second and may have blanks. */
	at = strrchr(stat, ')');
	for (int field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	return at ? strtoull(at, NULL, 10) : 0;
}

/* Returns whether the process has memory, or a negative errno. */
static int look_at(struct look *l, __u32 pid)
{
	FILE *file = procfs_open(l->r->root, "/proc/%u/numa_maps", pid);
	int r;

	if (!file)
		return errno == ENOENT || errno == ESRCH ? 0 : -errno;
	l->pid = pid;
	l->has_last = false;
	r = numa_maps_each(file, l->r->from, l->r->to, take, l);
	fclose(file);
	if (r >= 0)
		r = add(l, ~0ULL);
	if (r == -ESRCH)
		return 0;
	return r < 0 ? r : l->has_last;
}

static int by_place(const void *a, const void *b)
{
	const struct recount_mapping *x = a, *y = b;

	if (x->name != y->name)
		return x->name < y->name ? -1 : 1;
	if (!x->name && x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return x->start == y->start ? 0 : x->start < y->start ? -1 : 1;
}

/* What is shared is there once for each process: keep one. */
static void sort(struct look *l)
{
	struct recount_mapping *m = l->mappings, *kept;
	size_t nr = 0;

	if (l->nr)
		qsort(m, l->nr, sizeof(*m), by_place);
	for (size_t i = 0; i < l->nr; i++) {
		kept = nr ? &m[nr - 1] : NULL;
		if (!kept || by_place(kept, &m[i])) {
			m[nr++] = m[i];
			continue;
		}
		if (m[i].source > kept->source)
			kept->pid = m[i].pid;
		kept->source = m[i].source > kept->source ? m[i].source : kept->source;
		kept->dest = m[i].dest > kept->dest ? m[i].dest : kept->dest;
	}
	l->nr = nr;
}

int recount_begin(struct recount *r, const __u32 *pids, size_t nr_pids, __u32 *ret_pid)
{
	struct look l = { .r = r };
	int has = 0;

	r->processes = calloc(nr_pids + 1, sizeof(*r->processes));
	if (!r->processes)
		return -ENOMEM;
	for (size_t i = 0; i < nr_pids && has >= 0; i++) {
		*ret_pid = pids[i];
		has = look_at(&l, pids[i]);
		if (has > 0)
			r->processes[r->nr_processes++] = (struct recount_process) {
				.pid = pids[i], .start_time = start_time(r->root, pids[i]),
			};
	}
	sort(&l);
	r->mappings = l.mappings;
	r->nr_mappings = l.nr;
	return has < 0 ? has : 0;
}

static void blame(struct recount_result *result, __u32 pid)
{
	for (size_t i = 0; i < result->nr_culprits; i++)
		if (result->culprits[i] == pid)
			return;
	if (result->nr_culprits < RECOUNT_CULPRITS)
		result->culprits[result->nr_culprits++] = pid;
}

static void compare(const struct recount *r, const struct look *l, struct recount_result *ret)
{
	static const struct recount_mapping nothing;

	for (size_t i = 0; i < l->nr; i++) {
		const struct recount_mapping *now = &l->mappings[i], *before = NULL;
		__u64 gained, lost;

		if (r->nr_mappings)
			before = bsearch(now, r->mappings, r->nr_mappings, sizeof(*now), by_place);
		if (!before)
			before = &nothing;
		gained = now->source > before->source ? now->source - before->source : 0;
		lost = before->dest > now->dest ? before->dest - now->dest : 0;
		if (gained && lost)
			blame(ret, now->pid);
		ret->back += gained < lost ? gained : lost;
		ret->fresh += gained > lost ? gained - lost : 0;
	}
}

int recount_end(const struct recount *r, struct recount_result *ret, __u32 *ret_pid)
{
	struct look l = { .r = r };
	int has = 0;

	*ret = (struct recount_result) { .back = 0 };
	for (size_t i = 0; i < r->nr_processes && has >= 0; i++) {
		const struct recount_process *p = &r->processes[i];

		*ret_pid = p->pid;
		has = start_time(r->root, p->pid) == p->start_time ? look_at(&l, p->pid) : 0;
		ret->gone += !has;
	}
	sort(&l);
	if (has >= 0)
		compare(r, &l, ret);
	free(l.mappings);
	return has < 0 ? has : 0;
}

void recount_done(struct recount *r)
{
	free(r->processes);
	free(r->mappings);
}
