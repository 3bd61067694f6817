/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the memory cgroups of a process let it have, and how much of that a
 * batch may take.
 *
 * The pages of a batch cannot be reclaimed. When a batch holds most of what a
 * cgroup may have, a fault of the process finds nothing to reclaim, and the
 * kernel kills it for its memory, though a moment later there would be plenty.
 */
#ifndef MIGD_MEMLIMIT_H
#define MIGD_MEMLIMIT_H

#include <stdint.h>
#include <sys/types.h>

/*
 * The smallest memory.max from the cgroup of @pid up to the root, in bytes;
 * UINT64_MAX when there is none or it is not known. @root: "", or a tree that
 * stands for /.
 */
uint64_t memlimit_of(const char *root, pid_t pid);

/* @pages, or fewer when that many are too much of @limit bytes; at least 1. */
uint32_t memlimit_batch(uint64_t limit, uint32_t pages);

#endif /* MIGD_MEMLIMIT_H */
