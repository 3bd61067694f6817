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
#include <linux/pagemap.h>
#include <linux/shmem_fs.h>
#include "internal.h"
#include "trace.h"

/*
 * Shared memory, and anonymous memory in the swap cache, can be found in an
 * xarray while it is between two places: by read(2) and write(2), truncation,
 * hole punching, swap-in or the fault of another process. Each takes a
 * reference and then the folio lock, which the batch holds to its end. Who
 * comes before the state makes migrate_device_pages() refuse the page (busy);
 * who comes after has found the destination, and so its data has to be there
 * first. The undo of state-first could wait for ever for such a reference.
 *
 * migrate_device_pages() carries the xarray's entry, dirty and the counters. What
 * it does not do is clear the source's mapping, without which the page allocator
 * would not have a page back: migd_state_leave() does. A page that is mapped by
 * several processes is moved for all of them, as migrate_pages(2) does for who
 * has CAP_SYS_NICE.
 */
static enum migd_reason check_shmem(const struct migd_job *job,
				    struct folio *folio)
{
	struct address_space *mapping = folio_mapping(folio);

	/* Truncated after it was found, before it was locked. */
	if (!mapping)
		return MIGD_REASON_REFUSED;
	if (!shmem_mapping(mapping) || folio_test_private(folio))
		return folio_test_swapbacked(folio) ?
			MIGD_REASON_SHMEM : MIGD_REASON_FILE;
	if (migd_job_undoes(job))
		return MIGD_REASON_SHMEM;
	return folio_test_uptodate(folio) ? MIGD_REASON_NONE :
		MIGD_REASON_REFUSED;
}

/**
 * migd_page_look_closer() - may this locked and unmapped page be moved?
 * @job: the job
 * @page: one for which migd_page_check() has no answer at once
 *
 * Context: any.
 * Return: MIGD_REASON_NONE, or why it has to stay.
 */
enum migd_reason migd_page_look_closer(struct migd_job *job, struct page *page)
{
	struct folio *folio = page_folio(page);

	if (folio_test_large(folio))
		return MIGD_REASON_LARGE;
	if (folio_is_zone_device(folio))
		return MIGD_REASON_SPECIAL;
	if (folio_test_ksm(folio))
		return MIGD_REASON_KSM;
	if (migd_page_tagged(page))
		return MIGD_REASON_TAGGED;
	if (PageHWPoison(page))
		return MIGD_REASON_POISONED;
	/* __migrate_device_pages() would BUG. */
	if (folio_test_writeback(folio))
		return MIGD_REASON_WRITEBACK;
	if (!folio_test_anon(folio))
		return check_shmem(job, folio);
	/* Found in the swap cache before its data would be there. */
	if (migd_job_undoes(job) && folio_test_swapcache(folio))
		return MIGD_REASON_SWAP_CACHE;
	return MIGD_REASON_NONE;
}

/**
 * migd_state_leave() - the state of the pages has been moved for good
 * @batch: still locked; what has moved is marked so
 *
 * The sources get a reference more, for migd_free_sources(): without it the
 * remap would free them.
 *
 * Context: process.
 * Return: how many have moved.
 */
unsigned int migd_state_leave(struct migd_batch *batch)
{
	unsigned int i, moved = 0, busy = 0;
	struct page *src;

	for (i = 0; i < batch->nr; i++) {
		if (!(batch->src[i] & MIGRATE_PFN_MIGRATE)) {
			busy += batch->dst[i] != 0;
			continue;
		}
		src = batch->spage[i];
		/* Anonymous ones are looked at until they are freed. */
		if (!((unsigned long)src->mapping & PAGE_MAPPING_FLAGS))
			src->mapping = NULL;
		page_ref_inc(src);
		moved++;
	}
	if (busy)
		migd_job_left(batch->job, MIGD_REASON_BUSY, busy);
	return moved;
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
 * @batch: a batch that is ending, of order state-first or an atomic one
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
