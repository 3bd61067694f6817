// SPDX-License-Identifier: GPL-2.0
/*
 * The state of a page: mapping, flags, memory cgroup, but not its data.
 *
 * migrate_device_pages() moves it and copies nothing, as MIGRATE_SYNC_NO_COPY
 * did. Which pages that is safe for is decided by migd_page_check().
 */
#include <linux/delay.h>
#include <linux/memremap.h>
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/page-flags.h>
#include "internal.h"
#include "trace.h"

/**
 * migd_page_check() - may this locked and unmapped page be moved?
 * @job: the job
 * @page: a page that migrate_vma_setup() has locked and unmapped
 *
 * The authoritative check: the page is locked, so its class cannot change.
 *
 * Context: any.
 * Return: MIGD_REASON_NONE, or why it has to stay.
 */
enum migd_reason migd_page_check(struct migd_job *job, struct page *page)
{
	struct folio *folio = page_folio(page);
	int nid = folio_nid(folio);

	if (folio_test_large(folio))
		return MIGD_REASON_LARGE;
	if (folio_is_zone_device(folio))
		return MIGD_REASON_SPECIAL;
	if (!folio_test_anon(folio))
		return folio_test_swapbacked(folio) ?
			MIGD_REASON_SHMEM : MIGD_REASON_FILE;
	if (folio_test_ksm(folio))
		return MIGD_REASON_KSM;
	if (PageHWPoison(page))
		return MIGD_REASON_POISONED;
	/* __migrate_device_pages() would BUG. */
	if (folio_test_writeback(folio))
		return MIGD_REASON_WRITEBACK;
	/* Found in the swap cache before its data would be there. */
	if (job->order == MIGD_ORDER_STATE_FIRST && folio_test_swapcache(folio))
		return MIGD_REASON_SWAP_CACHE;
	if (nid == job->to || (job->from != NUMA_NO_NODE && nid != job->from))
		return MIGD_REASON_REFUSED;
	return MIGD_REASON_NONE;
}

/**
 * migd_state_move() - move the state of the batch's pages before the copy
 * @batch: locked, order state-first
 *
 * Pages whose state cannot be moved are given back to the process at once and
 * leave the batch.
 *
 * Context: process; may sleep.
 */
void migd_state_move(struct migd_batch *batch)
{
	unsigned int i, to = 0;

	migrate_device_pages(batch->src, batch->dst, batch->nr);
	for (i = 0; i < batch->nr; i++) {
		if (!(batch->src[i] & MIGRATE_PFN_MIGRATE)) {
			migrate_device_finalize(&batch->src[i], &batch->dst[i], 1);
			migd_job_left(batch->job, MIGD_REASON_BUSY, 1);
			continue;
		}
		batch->src[to] = batch->src[i];
		batch->dst[to] = batch->dst[i];
		batch->spage[to] = batch->spage[i];
		batch->dpage[to] = batch->dpage[i];
		to++;
	}
	batch->nr = to;
}

/**
 * migd_state_undo() - move the state of one page back to its source
 * @batch: a batch of order state-first that is ending
 * @i: the page
 *
 * Tried until it works: somebody who holds a reference to the destination by
 * its PFN (compaction, page_idle, memory_failure) lets go of it soon, and until
 * then neither page may be given to the process.
 *
 * Afterwards the source is as it was but for the migration entries, which
 * finalize removes, and the destination belongs to the caller alone.
 *
 * Context: process; sleeps.
 */
void migd_state_undo(struct migd_batch *batch, unsigned int i)
{
	unsigned long src, dst, us = 10;

	for (;;) {
		src = batch->dst[i] | MIGRATE_PFN_MIGRATE;
		dst = batch->src[i] & ~MIGRATE_PFN_MIGRATE;
		migrate_device_pages(&src, &dst, 1);
		if (src & MIGRATE_PFN_MIGRATE)
			break;
		trace_migd_error(batch->job->id, batch->seq, "undo", -EAGAIN);
		usleep_range(us, us + us / 2);
		us = min(us * 2, 10000UL);
	}
	/*
	 * __folio_migrate_mapping() sets flags of the source non-atomically and
	 * may lose the PG_waiters that a faulting task has just set; without it
	 * the unlock would not wake that task.
	 */
	folio_set_waiters(page_folio(batch->spage[i]));
	atomic64_inc(&migd_stats.undone);
}
