// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <linux/mempolicy.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "check.h"
#include "filler.h"

#define POOL	"/sys/devices/system/node/node1/hugepages/hugepages-2048kB/nr_hugepages"
#define BYTES	(64UL << 20)
#define CHUNK	(4UL << 20)

void filler_start(struct filler *f)
{
	target_start(&f->target);
	f->addr = (uint64_t)target_call(&f->target, mem_new, BYTES, 0, 1);
}

void filler_stop(struct filler *f)
{
	target_stop(&f->target);
}

/* Moves a chunk of its memory as far as there is room; false when there is none. */
static bool move_chunk(struct filler *f, uint64_t at)
{
	static int nodes[CHUNK / PAGE], status[CHUNK / PAGE];
	static void *pages[CHUNK / PAGE];
	unsigned int i;
	long ret;

	for (i = 0; i < CHUNK / PAGE; i++) {
		pages[i] = (void *)(uintptr_t)(at + i * PAGE);
		nodes[i] = 1;
	}
	ret = syscall(SYS_move_pages, f->target.pid, CHUNK / PAGE, pages, nodes, status,
		      MPOL_MF_MOVE);
	check(ret >= 0 || errno == ENOMEM, "move_pages: %s", strerror(errno));
	return !ret;
}

/* Huge pages take what is in large pieces, a process's pages the rest. */
void node_fill(struct filler *f)
{
	uint64_t at;

	must(write_file(POOL, "600"));
	for (at = f->addr; at < f->addr + BYTES; at += CHUNK)
		if (!move_chunk(f, at))
			return;
	fail("node 1 still takes pages after %lu MiB of them", BYTES >> 20);
}

void node_empty(struct filler *f)
{
	must(write_file(POOL, "0"));
	move_by_kernel(f->target.pid, f->addr, BYTES, 0);
}
