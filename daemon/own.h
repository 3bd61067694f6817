/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which processes are a user's own. Not all that have its uid: a setuid program is
 * not, nor one that has shut others out. The measure is what the kernel asks of
 * migrate_pages(2) and ptrace(2) (PTRACE_MODE_READ_REALCREDS), as far as it can be
 * seen from outside, and where it cannot be, less:
 *
 *  - real, effective and saved uid and gid of the process are those of the user;
 *  - it may be dumped: the kernel gives the files of one that may not to root;
 *  - it has no capability. The kernel would allow those that the caller has, too;
 *  - it is in the daemon's user namespace, the first one.
 *
 * For the caller the same holds but for the dumping, so that a program in a user
 * namespace of its own, or one that runs as somebody else in part, speaks for nobody.
 * Yama and other security modules are not asked: what they forbid beyond this is to
 * attach to a process, or to read what it holds, and a move does neither.
 */
#ifndef MIGD_OWN_H
#define MIGD_OWN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "target.h"

/* Is @pid one that may speak for @user? Then this is its group. */
int own_caller(pid_t pid, uint32_t user, uint32_t *ret_group);

/* Is the process the own one of @user and @group? It is held by its pidfd. */
bool own_target(const struct target *t, uint32_t user, uint32_t group);

/* What /proc/PID/status says of it. -EBADMSG if it is none. */
struct own_ids {
	uint32_t uid[4], gid[4];	/* real, effective, saved, of the file system */
	uint64_t capabilities;		/* permitted */
};

int own_parse(const char *status, struct own_ids *ret);

#endif /* MIGD_OWN_H */
