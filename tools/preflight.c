// SPDX-License-Identifier: GPL-2.0
/* What will undo or forbid a migration, found before it starts. */
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "numa_maps.h"
#include "preflight.h"
#include "procfs.h"
#include "rangelist.h"
#include "text.h"
#include "tiers.h"

__printf(2, 3) static void tell(void (*take)(const char *sentence), const char *format, ...)
{
	char sentence[1024];
	va_list ap;

	va_start(ap, format);
	vsnprintf(sentence, sizeof(sentence), format, ap);
	va_end(ap);
	take(sentence);
}

/* A value of the process's own. */
static int status_value(const struct preflight *p, const char *path, const char *key,
			char *value, size_t size)
{
	return procfs_value(p->root, key, value, size, "/proc/%u/%s", p->pid, path);
}

static int sys_value(const struct preflight *p, const char *path, char *value, size_t size)
{
	return procfs_value(p->root, NULL, value, size, "%s", path);
}

void preflight_cpuset_file(const char *root, const char *pid, char *path, size_t size)
{
	char group[2048];

	if (procfs_value(root, "0::", group, sizeof(group), "/proc/%s/cgroup", pid) < 0)
		snprintf(path, size, "cpuset.mems of its cgroup");
	else
		snprintf(path, size, "/sys/fs/cgroup%s/cpuset.mems",
			 strcmp(group, "/") ? group : "");
}

bool preflight_balancing(const char *root, char *mode, size_t size)
{
	return !procfs_value(root, NULL, mode, size, "/proc/sys/kernel/numa_balancing") &&
	       strcmp(mode, "0");
}

static int check_cpuset(const struct preflight *p)
{
	char value[1024], nodes[1024], file[2304], pid[16];

	/* A node that is not there is for the service to refuse. */
	if (sys_value(p, "/sys/devices/system/node/has_memory", nodes, sizeof(nodes)) < 0 ||
	    !rangelist_has(nodes, p->to))
		return 0;
	if (status_value(p, "status", "Mems_allowed_list:", value, sizeof(value)) < 0 ||
	    rangelist_has(value, p->to))
		return 0;
	snprintf(pid, sizeof(pid), "%u", p->pid);
	preflight_cpuset_file(p->root, pid, file, sizeof(file));
	tell(p->on_err, "process %u may only use memory of node %s, not of node %d: add node %d to %s and start again",
	     p->pid, value, p->to, p->to, file);
	return -EXDEV;
}

/* CPUs of the nodes that the pages leave. */
static int source_cpus(const struct preflight *p, char *cpus, size_t size)
{
	char nodes[1024], path[96], list[2048];
	size_t used = 0;
	int r;

	r = sys_value(p, "/sys/devices/system/node/has_memory", nodes, sizeof(nodes));
	if (r < 0)
		return r;
	cpus[0] = '\0';
	for (int node = 0; node < RANGELIST_MAX; node++) {
		if (node == p->to || !rangelist_has(nodes, node) ||
		    (p->from >= 0 && node != p->from))
			continue;
		snprintf(path, sizeof(path), "/sys/devices/system/node/node%d/cpulist", node);
		if (sys_value(p, path, list, sizeof(list)) < 0 || !list[0])
			continue;
		r = snprintf(cpus + used, size - used, "%s%s", used ? "," : "", list);
		if (r < 0 || (size_t)r >= size - used)
			return -E2BIG;
		used += r;
	}
	return 0;
}

/* Threads that may run on one of the CPUs; 0 when it cannot be found out. */
static unsigned int threads_on(const struct preflight *p, const char *cpus)
{
	char path[4096], value[2048];
	unsigned int threads = 0;
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/proc/%u/task", p->root, p->pid);
	dir = opendir(path);
	if (!dir)
		return 0;
	while ((entry = readdir(dir))) {
		__u32 tid;

		if (parse_u32(entry->d_name, &tid) < 0)
			continue;
		snprintf(path, sizeof(path), "task/%u/status", tid);
		if (!status_value(p, path, "Cpus_allowed_list:", value, sizeof(value)) &&
		    rangelist_meet(value, cpus))
			threads++;
	}
	closedir(dir);
	return threads;
}

static void check_balancing(const struct preflight *p)
{
	char mode[32], cpus[4096], to_cpus[1024], path[96];
	unsigned int threads;

	if (!preflight_balancing(p->root, mode, sizeof(mode)) ||
	    source_cpus(p, cpus, sizeof(cpus)) < 0)
		return;
	threads = threads_on(p, cpus);
	if (!threads)
		return;
	snprintf(path, sizeof(path), "/sys/devices/system/node/node%d/cpulist", p->to);
	if (sys_value(p, path, to_cpus, sizeof(to_cpus)) < 0)
		to_cpus[0] = '\0';
	if (to_cpus[0])
		tell(p->on_warn, "NUMA balancing is on and %u threads of process %u may run on CPUs %s of the source: the kernel will move pages back; run `sysctl kernel.numa_balancing=0`, or move the threads too with `taskset -apc %s %u`",
		     threads, p->pid, cpus, to_cpus, p->pid);
	else
		tell(p->on_warn, "NUMA balancing is on and %u threads of process %u run on CPUs %s of the source: the kernel will move pages back; run `sysctl kernel.numa_balancing=0`",
		     threads, p->pid, cpus);
}

static void warn_policy(const struct policy_use *use, void *userdata)
{
	const struct preflight *p = userdata;

	tell(p->on_warn, "%llu mappings of process %u (the first at %llx, %llu pages in all) have the memory policy %s, which does not name node %d: the kernel takes new pages elsewhere and may move these back; set another policy with mbind(2), or start the process under `numactl --membind=%d`",
	     use->mappings, p->pid, use->first, use->pages, use->policy, p->to, p->to);
}

static void check_policies(const struct preflight *p)
{
	FILE *file = procfs_open(p->root, "/proc/%u/numa_maps", p->pid);
	int r;

	r = file ? numa_maps_policies(file, p->from, p->to, warn_policy, (void *)p) : -errno;
	if (file)
		fclose(file);
	/* Other users' maps are not ours to read: then there is nothing to tell. */
	if (r < 0 && p->verbose)
		tell(p->on_warn, "the memory policies of process %u cannot be read (%s): run migctl as root to have them looked at",
		     p->pid, strerror(-r));
}

/* Reclaim takes from a faster tier to a slower one, and never the other way. */
static void check_demotion(const struct preflight *p)
{
	struct tier tiers[TIERS_MAX];
	unsigned int nr;
	int to, slower;

	if (!tiers_demote(p->root))
		return;
	nr = tiers_list(p->root, tiers);
	to = tiers_of(tiers, nr, p->to);
	slower = p->from < 0 ? (int)nr - 1 : tiers_of(tiers, nr, p->from);
	if (to >= 0 && slower > to)
		tell(p->on_warn, "demotion is on and the pages come from a slower tier (node %s) than that of node %d: when node %d gets full, the kernel moves cold pages back; run `echo false >/sys/kernel/mm/numa/demotion_enabled`",
		     tiers[slower].nodes, p->to, p->to);
}

void preflight_causes(const struct preflight *p)
{
	check_balancing(p);
	check_policies(p);
	check_demotion(p);
}

int preflight_run(const struct preflight *p)
{
	int r;

	r = check_cpuset(p);
	if (r < 0)
		return r;
	preflight_causes(p);
	return 0;
}
