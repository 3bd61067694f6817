/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Control groups, of the unified hierarchy: which processes are in one and in
 * those below it. Paths are as in /proc/PID/cgroup, "/" is the root.
 */
#ifndef MIGD_CGROUP_H
#define MIGD_CGROUP_H

#include <stddef.h>
#include <sys/types.h>

#define CGROUP_ROOT	"/sys/fs/cgroup"
#define CGROUP_PATH_LEN	2048

/*
 * A path that somebody wrote, with or without CGROUP_ROOT before it, to one of
 * ours. -EINVAL: it is none, or leads out; -ENAMETOOLONG.
 */
int cgroup_path(const char *text, char ret[static CGROUP_PATH_LEN]);

/*
 * Call @take for each process of cgroup @path below the directory @root and of
 * those below it, in the order of the kernel; @in is the cgroup of the process.
 * A negative answer of @take ends the walk. -ENOENT: there is no such cgroup;
 * -EOPNOTSUPP: it is threaded, and its processes are those of one above;
 * -E2BIG: more than @most cgroups, if that is not 0.
 */
int cgroup_walk(const char *root, const char *path, unsigned int most,
		int (*take)(pid_t pid, const char *in, void *arg), void *arg);

/*
 * The cgroup of process @pid, "" when that is not known. @root: "", or a tree
 * that stands for /.
 */
void cgroup_of(const char *root, pid_t pid, char ret[static CGROUP_PATH_LEN]);

/* Is the unified hierarchy at @root? */
int cgroup_mounted(const char *root);

#endif /* MIGD_CGROUP_H */
