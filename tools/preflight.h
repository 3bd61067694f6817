/* SPDX-License-Identifier: GPL-2.0 */
/* What will undo or forbid a migration, found before it starts. */
#ifndef MIGCTL_PREFLIGHT_H
#define MIGCTL_PREFLIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

/*
 * struct preflight - the migration to be looked at
 *
 * @root:	directory in which proc and sys are found, "" but for tests
 * @pid:	the process
 * @from:	source node, -1 for every node but @to
 * @to:		destination node
 * @verbose:	tell also what could not be looked at
 * @on_warn:	takes each warning, one sentence with its fix
 * @on_err:	takes the reason why it makes no sense to start
 */
struct preflight {
	const char *root;
	__u32 pid;
	int from, to;
	bool verbose;
	void (*on_warn)(const char *sentence);
	void (*on_err)(const char *sentence);
};

/* Returns 0 to go on, -EXDEV when the destination is forbidden to the process. */
int preflight_run(const struct preflight *p);

/* The part of it that undoes a move: what may have taken pages back. */
void preflight_causes(const struct preflight *p);

/* Whether NUMA balancing is on, and its mode. */
bool preflight_balancing(const char *root, char *mode, size_t size);

/* The file that confines a process ("self" or a number) to nodes, for a sentence. */
void preflight_cpuset_file(const char *root, const char *pid, char *path, size_t size);

#endif /* MIGCTL_PREFLIGHT_H */
