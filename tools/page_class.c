// SPDX-License-Identifier: GPL-2.0
/*
 * What a job would do with a page. The module looks at the page itself, with its
 * table locked; this is the same decision by what the kernel tells of it in /proc.
 */
#include <string.h>
#include <linux/kernel-page-flags.h>

#include "mappings.h"
#include "page_class.h"
#include "pages.h"

/* Not told to user space; they stand in include/linux/kernel-page-flags.h. */
#define KPF_RESERVED	32
#define KPF_ARCH_2	41	/* PG_mte_tagged */

#define HAS(page, flag)	((page)->flags >> (flag) & 1)

const char *page_class_name(enum page_class class)
{
	static const char *const names[] = {
		[PAGE_SMALL] = "small", [PAGE_SWAP_CACHE] = "swap-cache", [PAGE_SHMEM] = "shmem",
		[PAGE_HUGE] = "huge", [PAGE_LARGE] = "large", [PAGE_HUGETLB] = "hugetlb",
		[PAGE_TAGGED] = "tagged", [PAGE_FILE] = "file", [PAGE_KSM] = "ksm",
		[PAGE_POISONED] = "poisoned", [PAGE_SPECIAL] = "special", [PAGE_ZERO] = "zero",
		[PAGE_SWAPPED] = "swapped",
	};

	return names[class];
}

const char *page_way_name(enum page_way way)
{
	static const char *const names[] = {
		[WAY_ENGINE] = "engine", [WAY_MOVE_PAGES] = "move_pages", [WAY_LEFT] = "left",
		[WAY_ELSEWHERE] = "elsewhere", [WAY_NOWHERE] = "nowhere",
	};

	return names[way];
}

/*
 * Swap-backed pages that are not anonymous are shmem's. A driver may map some, too,
 * through a file of its own; only the name tells.
 */
static bool is_shmem(const struct mapping *m, const struct page *page)
{
	if (!HAS(page, KPF_SWAPBACKED) || !m->name[0])
		return false;
	return strncmp(m->name, "/dev/", 5) || !strncmp(m->name, "/dev/shm/", 9) ||
	       !strncmp(m->name, "/dev/zero", 9);
}

static bool is_large(const struct page *page)
{
	return HAS(page, KPF_THP) || HAS(page, KPF_COMPOUND_HEAD) || HAS(page, KPF_COMPOUND_TAIL);
}

/* leaf_left() of kmod/scan.c. */
static enum page_class classify_leaf(const struct mapping *m, const struct page *page)
{
	if (m->flags & MAPPING_HUGETLB)
		return PAGE_HUGETLB;
	if (m->flags & MAPPING_SPECIAL)
		return PAGE_SPECIAL;
	if (!HAS(page, KPF_ANON) && !HAS(page, KPF_SWAPBACKED))
		return PAGE_FILE;
	return PAGE_HUGE;
}

/* look_at_page() of kmod/scan.c. */
static enum page_class classify_small(const struct mapping *m, const struct page *page)
{
	if (m->flags & MAPPING_HUGETLB)
		return PAGE_HUGETLB;
	if (m->flags & MAPPING_SPECIAL)
		return PAGE_SPECIAL;
	if (!HAS(page, KPF_ANON) && !is_shmem(m, page))
		return HAS(page, KPF_SWAPBACKED) ? PAGE_SHMEM : PAGE_FILE;
	if (is_large(page))
		return PAGE_LARGE;
	if (HAS(page, KPF_ARCH_2))
		return PAGE_TAGGED;
	if (HAS(page, KPF_HWPOISON))
		return PAGE_POISONED;
	if (!HAS(page, KPF_ANON))
		return PAGE_SHMEM;
	/* Never large. Linux 6.12 says it of each anonymous page: see explain.c. */
	if (HAS(page, KPF_KSM))
		return PAGE_KSM;
	return HAS(page, KPF_SWAPCACHE) ? PAGE_SWAP_CACHE : PAGE_SMALL;
}

static enum page_way way_of(enum page_class class, const struct mapping *m,
			    const struct page *page, const struct plan *plan, bool daemons)
{
	switch (class) {
	case PAGE_SMALL:
		return WAY_ENGINE;
	case PAGE_SWAP_CACHE:
		return plan->state_first ? WAY_LEFT : WAY_ENGINE;
	case PAGE_SHMEM:
		return plan->state_first || daemons || !is_shmem(m, page) ? WAY_LEFT : WAY_ENGINE;
	case PAGE_HUGE:
	case PAGE_LARGE:
	case PAGE_HUGETLB:
	case PAGE_TAGGED:
		return plan->leave_large ? WAY_LEFT : WAY_MOVE_PAGES;
	default:
		return WAY_LEFT;
	}
}

enum page_class page_classify(const struct mapping *m, const struct page *page,
			      const struct plan *plan, bool daemons, enum page_way *ret_way)
{
	enum page_class class;

	*ret_way = WAY_NOWHERE;
	if (!(page->entry & PAGEMAP_PRESENT))
		return PAGE_SWAPPED;
	if (HAS(page, KPF_ZERO_PAGE))
		return PAGE_ZERO;
	/* No ordinary page, or one that belongs to the kernel. */
	if (page->node < 0 || (page->leaf && HAS(page, KPF_RESERVED)))
		return PAGE_SPECIAL;
	class = page->leaf ? classify_leaf(m, page) : classify_small(m, page);
	if (page->node == plan->to || (plan->from >= 0 && page->node != plan->from))
		*ret_way = WAY_ELSEWHERE;
	else
		*ret_way = way_of(class, m, page, plan, daemons);
	return class;
}

void page_counts_add(struct page_counts *to, const struct page_counts *from)
{
	for (unsigned int c = 0; c < PAGE_CLASSES; c++)
		for (unsigned int w = 0; w < PAGE_WAYS; w++)
			to->pages[c][w] += from->pages[c][w];
}

__u64 page_counts_sum(const struct page_counts *counts, enum page_way way)
{
	__u64 sum = 0;

	for (unsigned int c = 0; c < PAGE_CLASSES; c++)
		sum += counts->pages[c][way];
	return sum;
}
