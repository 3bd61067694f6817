// SPDX-License-Identifier: GPL-2.0
/*
 * The source pages of a batch go back to the page allocator. One at a time that
 * costs as much as a copy, because the allocator puts neighbours together again
 * pair by pair; and where a job has moved memory before, all are neighbours.
 */
#include <linux/memcontrol.h>
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/page-flags.h>
#include <linux/page_ref.h>
#include <linux/pageblock-flags.h>
#include <linux/pagevec.h>
#include "internal.h"

/* What the allocator puts right in the first page of a block only. */
static bool needs_care(struct page *page)
{
	return page->flags & (PAGE_FLAGS_CHECK_AT_FREE | __PG_HWPOISON |
			      BIT(PG_head)) ||
		PageTail(page) || folio_memcg_charged((struct folio *)page);
}

/* How many pages from @pfns[0] on, a power of two, could be one free block. */
static unsigned int block_at(const unsigned long *pfns, unsigned int n)
{
	unsigned long first = pfns[0];
	unsigned int i;

	n = min(n, 1U << min_t(unsigned int, pageblock_order,
			       first ? __ffs(first) : 0));
	for (i = 0; i < n; i++)
		if (pfns[i] != first + i || needs_care(pfn_to_page(pfns[i])))
			break;
	n = i ? rounddown_pow_of_two(i) : 1;
	return page_zone(pfn_to_page(first)) ==
		page_zone(pfn_to_page(first + n - 1)) ? n : 1;
}

/*
 * Frees @n pages as if they had been allocated as one block. False when somebody
 * who has found one of them by its PFN holds a reference to it.
 */
static bool free_block(struct page *page, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		if (!page_ref_freeze(page + i, 1))
			break;
	if (i < n) {
		while (i--)
			page_ref_unfreeze(page + i, 1);
		return false;
	}
	/* Nobody can get at them any more. */
	for (i = 0; i < n; i++) {
		page[i].mapping = NULL;
		set_page_private(page + i, 0);
	}
	page_ref_unfreeze(page, 1);
	__free_pages(page, ilog2(n));
	return true;
}

/**
 * migd_free_sources() - drop the last reference to the sources that have moved
 * @batch: unlocked, after migd_state_leave(); batch->src is used up
 *
 * Context: process.
 */
void migd_free_sources(struct migd_batch *batch)
{
	unsigned long *pfns = batch->src;
	unsigned int i, j, block, n = 0;
	struct folio_batch folios;

	for (i = 0; i < batch->nr; i++)
		if (batch->src[i] & MIGRATE_PFN_MIGRATE)
			pfns[n++] = batch->src[i] >> MIGRATE_PFN_SHIFT;

	folio_batch_init(&folios);
	for (i = 0; i < n; i += block) {
		block = block_at(pfns + i, n - i);
		if (block > 1 && free_block(pfn_to_page(pfns[i]), block))
			continue;
		for (j = i; j < i + block; j++)
			if (!folio_batch_add(&folios, pfn_folio(pfns[j])))
				folios_put(&folios);
	}
	folios_put(&folios);
}
