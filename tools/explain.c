// SPDX-License-Identifier: GPL-2.0
/* What a job would do with each page of a process, found without touching any. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/kernel-page-flags.h>

#include "client.h"
#include "dry_run.h"
#include "explain.h"
#include "migctl.h"
#include "procfs.h"
#include "target.h"
#include "text.h"

/*
 * What a mapping's pages are counted with
 *
 * @ksm:	pages that KSM has merged and that were not met yet. Linux 6.12 says of
 *		each anonymous page that it was merged; but how many of a mapping are,
 *		smaps has right.
 */
struct counting {
	const struct mapping *m;
	const struct plan *plan;
	bool daemons;
	__u64 ksm;
	struct page_counts *counts;
};

static void count(const struct page *page, void *userdata)
{
	struct counting *c = userdata;
	enum page_class class;
	enum page_way way;

	class = page_classify(c->m, page, c->plan, c->daemons, &way);
	if (class == PAGE_KSM &&
	    (!c->ksm || (c->m->ksm_kb != ~0ULL && page->entry & PAGEMAP_ALONE))) {
		struct page other = *page;

		other.flags &= ~(1ULL << KPF_KSM);
		class = page_classify(c->m, &other, c->plan, c->daemons, &way);
	} else if (class == PAGE_KSM) {
		c->ksm--;
	}
	c->counts->pages[class][way]++;
}

/* One that nobody else has is not known from an ordinary page. */
static void count_single_ksm(struct counting *c)
{
	__u64 *small = &c->counts->pages[PAGE_SMALL][WAY_ENGINE];
	__u64 n = c->ksm < *small ? c->ksm : *small;

	*small -= n;
	c->counts->pages[PAGE_KSM][WAY_LEFT] += n;
}

/* The part of [@start, @end) in one range, or all of it; false for none. */
static bool clip(const struct explain *x, size_t range, __u64 *start, __u64 *end)
{
	if (!x->nr_ranges)
		return true;
	if (*start < x->ranges[range].start)
		*start = x->ranges[range].start;
	if (*end > x->ranges[range].end)
		*end = x->ranges[range].end;
	return *start < *end;
}

static int count_mapping(struct explained *e, size_t i, const struct explain *x,
			 struct page_source *source, bool *ret_any)
{
	const struct mapping *m = &e->list.m[i];
	struct counting c = {
		.m = m, .plan = &x->plan, .counts = &e->counts[i],
		.daemons = mappings_have_file(&x->daemon, m),
		.ksm = m->ksm_kb == ~0ULL ? ~0ULL : m->ksm_kb * 1024 / sysconf(_SC_PAGESIZE),
	};
	__u64 looked_at = 0;
	int r = 0;

	*ret_any = false;
	for (size_t k = 0; !r && k < (x->nr_ranges ? x->nr_ranges : 1); k++) {
		__u64 start = m->start, end = m->end;

		if (!clip(x, k, &start, &end))
			continue;
		*ret_any = true;
		looked_at += end - start;
		/* No memory of the process's: a job passes it over. */
		if (!(m->flags & MAPPING_DEVICE))
			r = pages_each(source, start, end, count, &c);
	}
	if (m->ksm_kb != ~0ULL && looked_at == m->end - m->start)
		count_single_ksm(&c);
	return r;
}

int explain_pages(struct explained *e, const struct explain *x, FILE *smaps,
		  struct page_source *source)
{
	size_t kept = 0;
	bool any;
	int r;

	r = mappings_read(smaps, &e->list);
	if (r < 0)
		return r;
	e->counts = calloc(e->list.nr + 1, sizeof(*e->counts));
	if (!e->counts)
		return -ENOMEM;
	for (size_t i = 0; i < e->list.nr; i++) {
		r = count_mapping(e, i, x, source, &any);
		if (r < 0)
			return r;
		if (!any)
			continue;
		page_counts_add(&e->sum, &e->counts[i]);
		e->list.m[kept] = e->list.m[i];
		e->counts[kept++] = e->counts[i];
	}
	e->list.nr = kept;
	return 0;
}

void explained_free(struct explained *e)
{
	mappings_free(&e->list);
	free(e->counts);
	e->counts = NULL;
}

/* Returns 0 or a negative errno. */
static int look_at(struct explained *e, const struct explain *x)
{
	struct page_source source;
	FILE *smaps;
	int r;

	smaps = procfs_open("", "/proc/%u/smaps", e->pid);
	if (!smaps)
		return -errno;
	r = pages_open(&source, "", e->pid);
	if (r >= 0) {
		r = explain_pages(e, x, smaps, &source);
		pages_close(&source);
	}
	fclose(smaps);
	return r;
}

static int fail(__u32 pid, int r)
{
	if (r == -EPERM || r == -EACCES) {
		say_err("the kernel tells only root where the pages of process %u are: run migctl as root",
			pid);
		return MIGCTL_DENIED;
	}
	if (r == -ENOTTY || r == -ENOSYS)
		say_err("this kernel does not tell where pages are: use one with NUMA and PAGEMAP_SCAN, Linux %s or later",
			KERNEL_MIN);
	else
		say_err("the pages of process %u cannot be looked at (%s): try again", pid,
			strerror(-r));
	return MIGCTL_FAILED;
}

/* Without one there is nothing that it has mapped. */
static void read_daemon(struct explain *x, pid_t daemon)
{
	FILE *maps = daemon ? procfs_open("", "/proc/%d/maps", daemon) : NULL;

	if (!maps)
		return;
	if (mappings_read(maps, &x->daemon) < 0)
		mappings_free(&x->daemon);
	fclose(maps);
}

static int explain_all(const struct explain *x, struct explained *e, size_t nr,
		       const char *cgroup, bool *ret_any)
{
	*ret_any = false;
	for (size_t i = 0; i < nr; i++) {
		int r;

		e[i].why = dry_run_verdict(e[i].pid, cgroup, x->plan.from, x->plan.to, e[i].comm,
					   sizeof(e[i].comm));
		if (e[i].why)
			continue;
		r = look_at(&e[i], x);
		if (r == -ESRCH || r == -ENOENT)
			e[i].why = "has exited";
		if (e[i].why)
			continue;
		if (r < 0)
			return fail(e[i].pid, r);
		*ret_any = true;
	}
	return MIGCTL_OK;
}

int explain(const struct target *t, struct client *c, const struct plan *plan, bool json,
	    bool legend)
{
	struct explain x = { .plan = *plan, .ranges = t->ranges, .nr_ranges = t->nr_ranges };
	struct explained *e = NULL;
	pid_t daemon = target_daemon(c);
	__u32 *pids = NULL;
	char cgroup[2048];
	bool any = false;
	size_t nr = 0;
	int code;

	code = dry_run_check_node(plan->to);
	if (code == MIGCTL_OK)
		code = dry_run_check_node(plan->from);
	if (code == MIGCTL_OK)
		code = target_list(t, c, true, &pids, &nr);
	if (code != MIGCTL_OK)
		return code;
	e = calloc(nr + 1, sizeof(*e));
	if (!e) {
		free(pids);
		say_err("no memory for %zu processes: name fewer", nr);
		return MIGCTL_FAILED;
	}
	for (size_t i = 0; i < nr; i++)
		e[i].pid = pids[i];
	target_daemon_cgroup(daemon, cgroup, sizeof(cgroup));
	read_daemon(&x, daemon);
	code = explain_all(&x, e, nr, cgroup, &any);
	if (code == MIGCTL_OK && json)
		explain_print_json(e, nr, plan);
	else if (code == MIGCTL_OK && nr)
		explain_print(e, nr, plan, legend);
	if (code == MIGCTL_OK && !any) {
		code = MIGCTL_FAILED;
		if (nr)
			say_err("none of %zu processes can be moved: what is printed says why", nr);
		else
			say_err("it has no process: see systemd-cgls for units and cgroups that have");
	}
	for (size_t i = 0; i < nr; i++)
		explained_free(&e[i]);
	mappings_free(&x.daemon);
	free(pids);
	free(e);
	return code;
}
