/* SPDX-License-Identifier: GPL-2.0 */
/* The pages of a process, by what the kernel tells of them; none is touched. */
#ifndef MIGCTL_PAGES_H
#define MIGCTL_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include "page_class.h"

/* Bits of an entry of /proc/PID/pagemap. */
#define PAGEMAP_PFN	((1ULL << 55) - 1)
#define PAGEMAP_ALONE	(1ULL << 56)	/* mapped once */
#define PAGEMAP_SWAPPED	(1ULL << 62)
#define PAGEMAP_PRESENT	(1ULL << 63)

/* A piece that has pages, present or swapped out; @leaf as in struct page. */
struct page_range {
	__u64 start, end;
	bool leaf;
};

/*
 * struct page_source - where it is read; tests have functions of their own
 *
 * @pid:	the process
 * @pagemap, @kpageflags:	files
 * @ranges:	fills @range with up to @max pieces from *@at on, and moves that
 * @nodes:	as move_pages(2) without nodes: where pages are, or a negative errno
 * @at_zero:	pages that are said to be in page frame 0
 */
struct page_source {
	__u32 pid;
	int pagemap, kpageflags;
	int (*ranges)(const struct page_source *s, __u64 *at, __u64 end,
		      struct page_range *range, size_t max);
	int (*nodes)(const struct page_source *s, size_t nr, void **addr, int *node);
	unsigned int at_zero;
};

/* Open that of a process. Returns 0 or a negative errno. */
int pages_open(struct page_source *s, const char *root, __u32 pid);
void pages_close(struct page_source *s);

/*
 * pages_each - call @take for each page in [@start, @end)
 * Returns 0, -EPERM when the kernel does not tell this caller where they are, or
 * another negative errno.
 */
int pages_each(struct page_source *s, __u64 start, __u64 end,
	       void (*take)(const struct page *page, void *userdata), void *userdata);

#endif /* MIGCTL_PAGES_H */
