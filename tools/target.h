/* SPDX-License-Identifier: GPL-2.0 */
/* Whose memory is to be moved, as people name it. */
#ifndef MIGCTL_TARGET_H
#define MIGCTL_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <linux/types.h>

struct client;

/* A part of an address space. */
struct range {
	__u64 start, end;
};

/*
 * struct target - one of these three ways
 *
 * @pids, @nr_pids:	processes
 * @unit:	a unit of systemd, with its suffix
 * @cgroup:	a cgroup's path
 * @ranges, @nr_ranges:	only these parts of the address space of one process
 */
struct target {
	__u32 *pids;
	size_t nr_pids;
	char *unit;
	const char *cgroup;
	struct range *ranges;
	size_t nr_ranges;
};

/* Words of the command line. All return an exit code, or OPTS_GO_ON. */
int target_take_unit(struct target *t, const char *word);
int target_take_cgroup(struct target *t, const char *word);
int target_take_pid(struct target *t, const char *word);
int target_take_range(struct target *t, const char *word);
/* Is there one, and only one way? @verb has the --help to see. */
int target_check(const struct target *t, const char *verb);
void target_done(struct target *t);

/* The interface of a unit that has a cgroup, NULL: units of its kind have none. */
const char *target_unit_iface(const char *unit);

/* Not one process only: it makes a group. */
bool target_is_group(const struct target *t);

/*
 * Its processes now, the pids of which are to be freed. Only for what is looked at
 * beforehand: who is moved is the daemon's to find. Returns an exit code; the
 * reason of a failure is told only if @say.
 */
int target_list(const struct target *t, struct client *c, bool say, __u32 **ret_pids,
		size_t *ret_nr);

/* Has the process memory of its own: is it no kernel thread, and lives? */
bool target_has_memory(const char *root, __u32 pid);

/* The pid of the daemon that runs, 0 when there is none. */
pid_t target_daemon(struct client *c);
/* Its cgroup, "" when there is none. */
void target_daemon_cgroup(pid_t daemon, char *path, size_t size);

#endif /* MIGCTL_TARGET_H */
