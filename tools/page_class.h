/* SPDX-License-Identifier: GPL-2.0 */
/* What a job would do with a page: its class, and the way it goes. */
#ifndef MIGCTL_PAGE_CLASS_H
#define MIGCTL_PAGE_CLASS_H

#include <stdbool.h>
#include <linux/types.h>

struct mapping;

/* But for the last two, each is also the name of the reason for which it is left. */
enum page_class {
	PAGE_SMALL,		/* anonymous, and a page of its own */
	PAGE_SWAP_CACHE,
	PAGE_SHMEM,
	PAGE_HUGE,		/* mapped whole by the table above the PTEs */
	PAGE_LARGE,		/* of a large folio that is mapped by PTEs */
	PAGE_HUGETLB,
	PAGE_TAGGED,
	PAGE_FILE,
	PAGE_KSM,
	PAGE_POISONED,
	PAGE_SPECIAL,
	PAGE_ZERO,		/* the zero page, also the huge one */
	PAGE_SWAPPED,
	PAGE_CLASSES
};

enum page_way {
	WAY_ENGINE,
	WAY_MOVE_PAGES,
	WAY_LEFT,
	WAY_ELSEWHERE,		/* on a node that is not to be left */
	WAY_NOWHERE,		/* on no node: no page of the process's own */
	PAGE_WAYS
};

/*
 * struct page - what can be known of one without touching it
 *
 * @entry:	of /proc/PID/pagemap
 * @flags:	of /proc/kpageflags, 0 when it is not present
 * @node:	where it is, -1 for none
 * @leaf:	mapped by the table above the PTEs
 */
struct page {
	__u64 entry, flags;
	int node;
	bool leaf;
};

/*
 * struct plan - the job
 *
 * @from, @to:		nodes, -1 for any
 * @state_first:	its order
 * @leave_large:	the daemon moves nothing by move_pages(2)
 */
struct plan {
	int from, to;
	bool state_first, leave_large;
};

struct page_counts {
	__u64 pages[PAGE_CLASSES][PAGE_WAYS];
};

/* As the module decides, see kmod/scan.c; @daemons: the daemon maps the file, too. */
enum page_class page_classify(const struct mapping *m, const struct page *page,
			      const struct plan *plan, bool daemons, enum page_way *ret_way);

const char *page_class_name(enum page_class class);
const char *page_way_name(enum page_way way);

void page_counts_add(struct page_counts *to, const struct page_counts *from);
/* Of all classes. */
__u64 page_counts_sum(const struct page_counts *counts, enum page_way way);

#endif /* MIGCTL_PAGE_CLASS_H */
