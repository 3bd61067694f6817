// SPDX-License-Identifier: GPL-2.0
/* What a migration would find, without moving anything. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "dry_run.h"
#include "json.h"
#include "migctl.h"
#include "numa_maps.h"
#include "preflight.h"
#include "procfs.h"
#include "rangelist.h"
#include "table.h"
#include "target.h"
#include "text.h"

/* Processes of a group that are warned of one by one. */
#define MAX_WARNED	3

#define MOVES		"moves"
#define NOTHING		"has nothing there"

/* What is found of one process. */
struct look {
	__u32 pid;
	char comm[64];
	struct numa_pages pages;
	const char *verdict;
};

static unsigned int warnings;

static void on_warn(const char *sentence)
{
	warnings++;
	say_warn("%s", sentence);
}

/* That its cpuset forbids it is told by the verdict, or by the daemon. */
static void on_known(const char *sentence)
{
	(void)sentence;
}

static bool is_daemons(__u32 pid, const char *cgroup)
{
	char own[2048];

	return *cgroup && !procfs_value("", "0::", own, sizeof(own), "/proc/%u/cgroup", pid) &&
	       !strcmp(own, cgroup);
}

const char *dry_run_verdict(__u32 pid, const char *daemon, int from, int to, char *comm,
			    size_t size)
{
	struct preflight p = {
		.root = "", .pid = pid, .from = from, .to = to,
		.on_warn = on_warn, .on_err = on_known,
	};

	if (procfs_value("", NULL, comm, size, "/proc/%u/comm", pid) < 0)
		return "has exited";
	if (!target_has_memory("", pid))
		return "has no memory of its own";
	if (is_daemons(pid, daemon))
		return "is migd's own";
	/* Without a destination nothing can be in its way. */
	if (to >= 0 && preflight_run(&p) < 0)
		return DRY_RUN_FORBIDDEN;
	return NULL;
}

static void look_at(struct look *l, const char *daemon, int from, int to)
{
	FILE *file;

	l->verdict = dry_run_verdict(l->pid, daemon, from, to, l->comm, sizeof(l->comm));
	if (!l->verdict)
		l->verdict = MOVES;
	else if (strcmp(l->verdict, DRY_RUN_FORBIDDEN))
		return;
	file = procfs_open("", "/proc/%u/numa_maps", l->pid);
	if (!file || numa_maps_pages(file, from, to, &l->pages) < 0)
		l->verdict = "cannot be looked at: run migctl as root";
	else if (!strcmp(l->verdict, MOVES) && !l->pages.own && !l->pages.shared &&
		 !l->pages.huge && !l->pages.files)
		l->verdict = NOTHING;
	if (file)
		fclose(file);
}

/* No reason for a complaint. */
static bool is_fine(const struct look *l)
{
	return !strcmp(l->verdict, MOVES) || !strcmp(l->verdict, NOTHING);
}

int dry_run_check_node(int node)
{
	char nodes[1024];

	if (node < 0 || procfs_value("", NULL, nodes, sizeof(nodes),
				     "/sys/devices/system/node/has_memory") < 0 ||
	    rangelist_has(nodes, node))
		return MIGCTL_OK;
	say_err("node %d has no memory or is not there: see /sys/devices/system/node/has_memory for those that have",
		node);
	return MIGCTL_FAILED;
}

static void add_row(struct table *t, const struct look *l)
{
	table_add(t, "%u", l->pid);
	table_add(t, "%s", l->comm);
	table_add(t, "%llu", l->pages.own);
	table_add(t, "%llu", l->pages.shared);
	table_add(t, "%llu", l->pages.huge);
	table_add(t, "%llu", l->pages.files);
	table_add(t, "%s", l->verdict);
}

static void print_table(const struct look *looks, size_t nr, const char *node)
{
	static const char *const titles[] = {
		">PID", "COMM", ">OWN", ">SHARED", ">HUGETLB", ">FILES", "IT",
	};
	struct table t = TABLE(titles);

	for (size_t i = 0; i < nr; i++)
		add_row(&t, &looks[i]);
	if (table_print(&t, true) < 0) {
		say_err("no memory for the table: try again");
		return;
	}
	printf("Pages on %s, by /proc/PID/numa_maps. What is shared moves once, and is here for each\n"
	       "process that has it; of files, only what a process has changed moves. Nothing was moved.\n",
	       node);
}

static void print_json(const struct look *looks, size_t nr)
{
	json_t *all = json_array();

	for (size_t i = 0; i < nr; i++) {
		const struct numa_pages *p = &looks[i].pages;
		char comm[64];

		text_copy(comm, sizeof(comm), looks[i].comm);
		json_array_append_new(all, json_pack("{s:i, s:s*, s:I, s:I, s:I, s:I, s:s, s:b}",
						     "pid", (int)looks[i].pid, "comm", comm,
						     "own", (json_int_t)p->own,
						     "shared", (json_int_t)p->shared,
						     "hugetlb", (json_int_t)p->huge,
						     "files", (json_int_t)p->files,
						     "verdict", looks[i].verdict,
						     "moves", !strcmp(looks[i].verdict, MOVES)));
	}
	json_print(all);
	json_decref(all);
}

int dry_run(const struct target *t, struct client *c, int from, int to, bool json)
{
	char node[64] = "every other node", daemon[2048];
	bool any = false;
	struct look *looks;
	__u32 *pids;
	size_t nr;
	int code;

	code = dry_run_check_node(to);
	if (code == MIGCTL_OK)
		code = dry_run_check_node(from);
	if (code == MIGCTL_OK)
		code = target_list(t, c, true, &pids, &nr);
	if (code != MIGCTL_OK)
		return code;
	looks = calloc(nr + 1, sizeof(*looks));
	if (!looks) {
		free(pids);
		say_err("no memory for %zu processes: name fewer", nr);
		return MIGCTL_FAILED;
	}
	target_daemon_cgroup(target_daemon(c), daemon, sizeof(daemon));
	for (size_t i = 0; i < nr; i++) {
		looks[i].pid = pids[i];
		look_at(&looks[i], daemon, from, to);
		any = any || is_fine(&looks[i]);
	}
	if (from >= 0)
		snprintf(node, sizeof(node), "node %d", from);
	if (json)
		print_json(looks, nr);
	else if (nr)
		print_table(looks, nr, node);
	if (!nr)
		say_err("it has no process: see systemd-cgls for units and cgroups that have");
	else if (!any)
		say_err("none of %zu processes can be moved: the table says why", nr);
	free(looks);
	free(pids);
	return any ? MIGCTL_OK : MIGCTL_FAILED;
}

void dry_run_warn(const struct target *t, struct client *c, int from, int to, bool verbose)
{
	struct preflight p = {
		.root = "", .from = from, .to = to, .verbose = verbose,
		.on_warn = on_warn, .on_err = on_known,
	};
	unsigned int warned = 0, before;
	__u32 *pids;
	size_t nr;

	/* If it cannot be listed, the daemon says why. */
	if (target_list(t, c, false, &pids, &nr) != MIGCTL_OK)
		return;
	for (size_t i = 0; i < nr && warned < MAX_WARNED; i++) {
		if (!target_has_memory("", pids[i]))
			continue;
		before = warnings;
		p.pid = pids[i];
		preflight_run(&p);
		warned += warnings > before;
	}
	if (warned == MAX_WARNED)
		say_warn("other processes of it may have more to be warned of: see migctl migrate --dry-run");
	free(pids);
}
