// SPDX-License-Identifier: GPL-2.0
/* What will undo or forbid a migration, found before it starts. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "numa_maps.h"
#include "preflight.h"
#include "rangelist.h"
#include "text.h"

__printf(2, 3) static void tell(void (*take)(const char *sentence), const char *format, ...)
{
	char sentence[1024];
	va_list ap;

	va_start(ap, format);
	vsnprintf(sentence, sizeof(sentence), format, ap);
	va_end(ap);
	take(sentence);
}

/* Open a file below the root; NULL with errno set. */
__printf(2, 3) static FILE *open_file(const struct preflight *p, const char *format, ...)
{
	char path[4096];
	va_list ap;
	int n;

	n = snprintf(path, sizeof(path), "%s", p->root);
	va_start(ap, format);
	vsnprintf(path + n, sizeof(path) - n, format, ap);
	va_end(ap);
	return fopen(path, "re");
}

/* The rest of the line "KEY<blank>VALUE" of a status file, or the first line. */
static int read_value(FILE *file, const char *key, char *value, size_t size)
{
	size_t len = key ? strlen(key) : 0, alloc = 0;
	char *line = NULL, *at;
	int r = -ENOENT;

	while (r < 0 && getline(&line, &alloc, file) > 0) {
		if (key && strncmp(line, key, len))
			continue;
		for (at = line + len; isspace((unsigned char)*at); at++)
			;
		at[strcspn(at, "\n")] = '\0';
		r = snprintf(value, size, "%s", at) < (int)size ? 0 : -E2BIG;
	}
	free(line);
	return r;
}

static int status_value(const struct preflight *p, const char *path, const char *key,
			char *value, size_t size)
{
	FILE *file = open_file(p, "/proc/%u/%s", p->pid, path);
	int r;

	if (!file)
		return -errno;
	r = read_value(file, key, value, size);
	fclose(file);
	return r;
}

static int sys_value(const struct preflight *p, const char *path, char *value, size_t size)
{
	FILE *file = open_file(p, "%s", path);
	int r;

	if (!file)
		return -errno;
	r = read_value(file, NULL, value, size);
	fclose(file);
	return r;
}

/* The file that confines the process to nodes, for a sentence. */
static void cpuset_file(const struct preflight *p, char *path, size_t size)
{
	FILE *file = open_file(p, "/proc/%u/cgroup", p->pid);
	char group[2048];

	snprintf(path, size, "cpuset.mems of its cgroup");
	if (!file)
		return;
	if (!read_value(file, "0::", group, sizeof(group)))
		snprintf(path, size, "/sys/fs/cgroup%s/cpuset.mems",
			 strcmp(group, "/") ? group : "");
	fclose(file);
}

static int check_cpuset(const struct preflight *p)
{
	char value[1024], nodes[1024], file[2304];

	/* A node that is not there is for the service to refuse. */
	if (sys_value(p, "/sys/devices/system/node/has_memory", nodes, sizeof(nodes)) < 0 ||
	    !rangelist_has(nodes, p->to))
		return 0;
	if (status_value(p, "status", "Mems_allowed_list:", value, sizeof(value)) < 0 ||
	    rangelist_has(value, p->to))
		return 0;
	cpuset_file(p, file, sizeof(file));
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

	if (sys_value(p, "/proc/sys/kernel/numa_balancing", mode, sizeof(mode)) < 0 ||
	    !strcmp(mode, "0") || source_cpus(p, cpus, sizeof(cpus)) < 0)
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
	FILE *file = open_file(p, "/proc/%u/numa_maps", p->pid);
	int r;

	r = file ? numa_maps_policies(file, p->from, p->to, warn_policy, (void *)p) : -errno;
	if (file)
		fclose(file);
	/* Other users' maps are not ours to read: then there is nothing to tell. */
	if (r < 0 && p->verbose)
		tell(p->on_warn, "the memory policies of process %u cannot be read (%s): run migctl as root to have them looked at",
		     p->pid, strerror(-r));
}

int preflight_run(const struct preflight *p)
{
	int r;

	r = check_cpuset(p);
	if (r < 0)
		return r;
	check_balancing(p);
	check_policies(p);
	return 0;
}
