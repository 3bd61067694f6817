// SPDX-License-Identifier: GPL-2.0
/* The kernel's own ways to move the pages of another process. */
#include <errno.h>
#include <linux/mempolicy.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench.h"

static void **addresses;
static int *nodes;
static int *status;

int move_by_migrate_pages(const struct target *target, int from, int to)
{
	unsigned long old_nodes = 1UL << from;
	unsigned long new_nodes = 1UL << to;
	long r = syscall(SYS_migrate_pages, target->pid, 8 * sizeof(old_nodes), &old_nodes,
			 &new_nodes);

	return r < 0 ? -errno : 0;
}

/* The lists are made and touched once, outside of what is measured. */
int move_pages_prepare(const struct target *target)
{
	addresses = calloc(target->pages, sizeof(*addresses));
	nodes = calloc(target->pages, sizeof(*nodes));
	status = calloc(target->pages, sizeof(*status));
	if (!addresses || !nodes || !status)
		return -ENOMEM;
	for (size_t i = 0; i < target->pages; i++) {
		addresses[i] = target->start + i * target->page_size;
		status[i] = -1;
	}
	return 0;
}

int move_by_move_pages(const struct target *target, int to)
{
	for (size_t i = 0; i < target->pages; i++)
		nodes[i] = to;
	if (syscall(SYS_move_pages, target->pid, target->pages, addresses, nodes, status,
		    MPOL_MF_MOVE) < 0)
		return -errno;
	return 0;
}
