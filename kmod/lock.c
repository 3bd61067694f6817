// SPDX-License-Identifier: GPL-2.0
/*
 * Locking a batch: destination pages first, then migrate_vma_setup() over the
 * runs that the scan has found, then a second look at every page, now exact.
 */
#include <linux/gfp.h>
#include <linux/ktime.h>
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include "internal.h"

#define DST_GFP		(GFP_HIGHUSER_MOVABLE | __GFP_THISNODE | __GFP_NOWARN)

/* Adds free pages of the destination node to the job's pool, up to @want. */
static void pool_fill(struct migd_job *job, unsigned int want)
{
	unsigned int order, i;
	struct page *page;
	gfp_t gfp;

	/*
	 * One large block split into pages makes long destination segments for
	 * an engine, and one zeroing instead of many. Only the last resort, a
	 * single page, is worth reclaim.
	 */
	while (job->nr_pool < want) {
		order = min(ilog2(want - job->nr_pool), MAX_PAGE_ORDER);
		for (;; order--) {
			gfp = order ? DST_GFP & ~__GFP_DIRECT_RECLAIM :
				      DST_GFP | __GFP_NORETRY;
			page = alloc_pages_node(job->to, gfp, order);
			if (page || !order)
				break;
		}
		if (!page)
			return;
		if (order)
			split_page(page, order);
		/* Kept in address order: consecutive pages make one segment. */
		for (i = 0; i < 1U << order; i++)
			list_add_tail(&page[i].lru, &job->pool);
		job->nr_pool += 1U << order;
	}
}

static struct page *pool_take(struct migd_job *job)
{
	struct page *page;

	for (;;) {
		page = list_first_entry_or_null(&job->pool, struct page, lru);
		if (!page)
			return NULL;
		list_del_init(&page->lru);
		job->nr_pool--;
		/*
		 * Nobody else knows the page but walkers by PFN. One of them
		 * may hold the lock, or have found the page poisoned.
		 */
		if (!PageHWPoison(page) && trylock_page(page))
			return page;
		put_page(page);
	}
}

/**
 * migd_pool_free() - give the job's unused destination pages back
 * @job: the job
 *
 * Context: process.
 */
void migd_pool_free(struct migd_job *job)
{
	struct page *page, *tmp;

	list_for_each_entry_safe(page, tmp, &job->pool, lru) {
		list_del_init(&page->lru);
		put_page(page);
	}
	job->nr_pool = 0;
}

/* A page that stays: remap and unlock it now, not at the end of the batch. */
static void give_back(unsigned long src)
{
	unsigned long none = 0;

	src &= ~MIGRATE_PFN_MIGRATE;
	migrate_device_finalize(&src, &none, 1);
}

static void leave(struct migd_batch *batch, unsigned long src,
		  enum migd_reason reason)
{
	give_back(src);
	migd_job_left(batch->job, reason, 1);
	batch->spoilt = true;
}

/* One page of an atomic batch stays, so all do. */
static void leave_all(struct migd_batch *batch)
{
	unsigned int i;

	for (i = 0; i < batch->nr; i++) {
		leave(batch, batch->src[i], MIGD_REASON_ATOMIC);
		unlock_page(batch->dpage[i]);
		put_page(batch->dpage[i]);
	}
	batch->nr = 0;
}

static void fill_poison(struct page *page)
{
	void *p = kmap_local_page(page);

	memset(p, 0xa5, PAGE_SIZE);
	kunmap_local(p);
}

/*
 * Keeps what can be moved of @src[0..n) at batch->src[batch->nr...]. @at is the
 * scan's position of the first. What lies in a hole of the run has come since
 * the scan: it is moved when it can be, but nobody misses it when it can't.
 */
static void sort_out(struct migd_job *job, struct migd_batch *batch,
		     const struct migd_scan *scan, unsigned int at,
		     const unsigned long *src, unsigned int n)
{
	struct page *page, *dst;
	enum migd_reason reason;
	unsigned int i, to;

	for (i = 0; i < n; i++) {
		unsigned long mpfn = src[i];

		page = migrate_pfn_to_page(mpfn);
		if (!page) {
			if (!mpfn && test_bit(at + i, scan->candidate)) {
				migd_job_left(job, MIGD_REASON_REFUSED, 1);
				batch->spoilt = true;
			}
			continue;
		}
		/* It has moved, or what is there now is another page. */
		if (!migd_node_wanted(job, page_to_nid(page))) {
			give_back(mpfn);
			continue;
		}
		reason = migd_page_check(job, page);
		if (reason != MIGD_REASON_NONE) {
			leave(batch, mpfn, reason);
			continue;
		}
		dst = pool_take(job);
		if (!dst) {
			leave(batch, mpfn, MIGD_REASON_NO_MEMORY);
			continue;
		}
		if (READ_ONCE(migd_poison))
			fill_poison(dst);
		to = batch->nr++;
		batch->src[to] = mpfn;
		batch->dst[to] = migrate_pfn(page_to_pfn(dst));
		batch->spage[to] = page;
		batch->dpage[to] = dst;
	}
}

static unsigned int candidates_of(const struct migd_scan *scan,
				  unsigned int at, unsigned int n)
{
	unsigned int i, sum = 0;

	for (i = at; i < at + n; i++)
		sum += test_bit(i, scan->candidate);
	return sum;
}

/**
 * migd_lock_batch() - lock, isolate and unmap the pages of a scan
 * @job: the job
 * @batch: empty; its mm is read-locked by the caller
 * @scan: what to lock
 *
 * On return the batch holds batch->nr locked and unmapped pages, each with a
 * locked destination page; everything else is as it was and counted by reason.
 * migrate_vma_setup() may run lru_add_drain_all() with pages already locked
 * when one is not on the LRU yet; this happens before the deadline begins.
 *
 * Context: process; may sleep.
 * Return: number of pages, or -ENOMEM when no destination page could be had.
 */
int migd_lock_batch(struct migd_job *job, struct migd_batch *batch,
		    struct migd_scan *scan)
{
	struct migrate_vma args = {};
	unsigned int r, at = 0;
	struct migd_run *run;
	int err;

	pool_fill(job, scan->candidates);
	if (!job->nr_pool ||
	    (migd_job_atomic(job) && job->nr_pool < scan->candidates)) {
		migd_job_left(job, MIGD_REASON_NO_MEMORY, scan->candidates);
		return -ENOMEM;
	}

	batch->t_lock = ktime_get_ns();
	for (r = 0; r < scan->nr_runs; r++) {
		run = &scan->runs[r];
		/* Sorting out compacts in place, always behind what it reads. */
		args = (struct migrate_vma) {
			.vma = run->vma,
			.src = batch->src + batch->nr,
			.dst = batch->dst + batch->nr,
			.start = run->start,
			.end = run->start + ((unsigned long)run->npages << PAGE_SHIFT),
			.flags = MIGRATE_VMA_SELECT_SYSTEM,
		};
		err = migrate_vma_setup(&args);
		if (err) {
			migd_job_left(job, MIGD_REASON_SPECIAL,
				      candidates_of(scan, at, run->npages));
			batch->spoilt = true;
		} else {
			sort_out(job, batch, scan, at, args.src, args.npages);
		}
		at += run->npages;
	}
	if (migd_job_atomic(job) && batch->spoilt)
		leave_all(batch);
	if (batch->nr && batch->order == MIGD_ORDER_STATE_FIRST)
		migd_state_move(batch);
	batch->t_locked = ktime_get_ns();
	return batch->nr;
}
