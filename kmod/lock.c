// SPDX-License-Identifier: GPL-2.0
/*
 * Locking a batch: destination pages first, then migrate_vma_setup() over the
 * runs that the scan has found, a chunk at a time, and a second look at every
 * page, now exact.
 */
#include <linux/gfp.h>
#include <linux/ktime.h>
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/nodemask.h>
#include <linux/pagemap.h>
#include "internal.h"
#include "pace.h"
#include "scan.h"

#define DST_GFP		(GFP_HIGHUSER_MOVABLE | __GFP_THISNODE | __GFP_NOWARN)

/*
 * Pages of one migrate_vma_setup(), which nothing can interrupt: it flushes the
 * TLB of all CPUs for each page that one process alone has.
 */
#define CHUNK_PAGES	64U

/* Part of the deadline that locking a batch may use. */
#define LOCK_SHARE	4

/* Adds free pages of the destination node to the job's pool, up to @want. */
static void pool_fill(struct migd_job *job, unsigned int want)
{
	unsigned int order;
	struct page *page;
	gfp_t gfp;

	/* All of its memory may have gone offline, and the node with it. */
	if (!node_state(job->to, N_MEMORY))
		return;
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
		/* Whole, by the first page, which has their number. */
		set_page_private(page, 1UL << order);
		list_add_tail(&page->lru, &job->pool);
		job->nr_pool += 1U << order;
	}
}

static void pool_next_block(struct migd_job *job)
{
	struct page *page = list_first_entry(&job->pool, struct page, lru);

	list_del_init(&page->lru);
	job->pool_next = page;
	job->pool_rest = page_private(page);
	set_page_private(page, 0);
}

/* In address order: consecutive pages make one segment. */
static struct page *pool_take(struct migd_job *job)
{
	struct page *page;

	while (job->nr_pool) {
		if (!job->pool_rest)
			pool_next_block(job);
		page = job->pool_next++;
		job->pool_rest--;
		job->nr_pool--;
		/*
		 * Nobody else knows the page but walkers by PFN. One of them
		 * may hold the lock, or have found the page poisoned.
		 */
		if (!PageHWPoison(page) && trylock_page(page))
			return page;
		put_page(page);
	}
	return NULL;
}

/**
 * migd_pool_free() - give the job's unused destination pages back
 * @job: the job
 *
 * Context: process.
 */
void migd_pool_free(struct migd_job *job)
{
	while (job->nr_pool) {
		if (!job->pool_rest)
			pool_next_block(job);
		put_page(job->pool_next++);
		job->pool_rest--;
		job->nr_pool--;
	}
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
static void leave_all(struct migd_batch *batch, enum migd_reason reason)
{
	unsigned int i;

	for (i = 0; i < batch->nr; i++) {
		leave(batch, batch->src[i], reason);
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

static unsigned int candidates_of(const struct migd_scan *scan,
				  unsigned int at, unsigned int n)
{
	unsigned int i, sum = 0;

	for (i = at; i < at + n; i++)
		sum += test_bit(i, scan->candidate);
	return sum;
}

/*
 * Keeps what can be moved of @src[0..n) at batch->src[batch->nr...]. @at is the
 * scan's position of the first. What lies in a hole of the run has come since
 * the scan: it is moved when there is a page that no candidate needs, but nobody
 * misses it when it can't be.
 */
static void sort_out(struct migd_job *job, struct migd_batch *batch,
		     const struct migd_scan *scan, unsigned int at,
		     const unsigned long *src, unsigned int n)
{
	bool holes = scan->positions != scan->candidates;
	bool poison = READ_ONCE(migd_poison);
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
		if (holes && !test_bit(at + i, scan->candidate) &&
		    job->nr_pool <= candidates_of(scan, at + i,
						  scan->positions - at - i)) {
			give_back(mpfn);
			continue;
		}
		dst = pool_take(job);
		if (!dst) {
			leave(batch, mpfn, MIGD_REASON_NO_MEMORY);
			continue;
		}
		if (poison)
			fill_poison(dst);
		to = batch->nr++;
		batch->src[to] = mpfn;
		batch->dst[to] = migrate_pfn(page_to_pfn(dst));
		batch->spage[to] = page;
		batch->dpage[to] = dst;
	}
}

/* Most pages of a batch. */
unsigned int migd_batch_max(const struct migd_job *job,
			    const struct migd_server *server)
{
	unsigned int max = min(server->max_batch_pages,
			       READ_ONCE(migd_max_locked_pages));

	if (job->batch_pages)
		max = min(job->batch_pages, max);
	return migd_pace_batch(job, max);
}

/**
 * migd_lru_drain() - put the pages in the per-CPU lists of all CPUs on the LRU
 *
 * migrate_vma_setup() does so itself when it meets a page that is not on the LRU
 * yet; but then it has pages locked, and waits for a kernel worker of each CPU,
 * which a real-time task may keep from running. lru_add_drain_all() is not
 * exported. What it takes to get it called is a page on no list: one of our own,
 * which nobody has mapped and which migrate_device_range() then fails to isolate
 * and unlocks again.
 *
 * Context: process; sleeps.
 */
void migd_lru_drain(void)
{
	struct page *page = alloc_page(GFP_KERNEL);
	unsigned long src;

	if (!page)
		return;
	migrate_device_range(&src, page_to_pfn(page), 1);
	put_page(page);
}

/* Locks the @n pages of @vma at @start, the scan's position @at. */
static void lock_chunk(struct migd_job *job, struct migd_batch *batch,
		       const struct migd_scan *scan,
		       struct vm_area_struct *vma, unsigned long start,
		       unsigned int at, unsigned int n)
{
	/* Sorting out compacts in place, always behind what it reads. */
	struct migrate_vma args = {
		.vma = vma,
		.src = batch->src + batch->nr,
		.dst = batch->dst + batch->nr,
		.start = start,
		.end = start + ((unsigned long)n << PAGE_SHIFT),
		.flags = MIGRATE_VMA_SELECT_SYSTEM,
	};

	if (migrate_vma_setup(&args)) {
		migd_job_left(job, MIGD_REASON_SPECIAL,
			      candidates_of(scan, at, n));
		batch->spoilt = true;
		return;
	}
	sort_out(job, batch, scan, at, args.src, args.npages);
}

/*
 * Locks the runs of @scan chunk by chunk. Returns false when the time for it is
 * used up before the end: positions below *@ret_at are done, which is *@ret_addr.
 */
static bool lock_runs(struct migd_job *job, struct migd_batch *batch,
		      const struct migd_scan *scan, unsigned int *ret_at,
		      unsigned long *ret_addr)
{
	u64 until = batch->t_lock +
		(batch->deadline_ns - batch->t_lock) / LOCK_SHARE;
	const struct migd_run *run;
	unsigned int r, done, n, at = 0;
	unsigned long addr;

	for (r = 0; r < scan->nr_runs; r++) {
		run = &scan->runs[r];
		for (done = 0; done < run->npages; done += n) {
			addr = run->start + ((unsigned long)done << PAGE_SHIFT);
			if (at && ktime_get_ns() >= until) {
				*ret_at = at;
				*ret_addr = addr;
				return false;
			}
			n = min(run->npages - done, CHUNK_PAGES);
			lock_chunk(job, batch, scan, run->vma, addr, at, n);
			at += n;
		}
	}
	return true;
}

/**
 * migd_lock_batch() - lock, isolate and unmap the pages of a scan
 * @job: the job
 * @batch: empty; its mm is read-locked by the caller
 * @scan: what to lock
 * @addr: where the scan ended; where to scan on, when time was too short for all
 *
 * On return the batch holds batch->nr locked and unmapped pages, each with a
 * locked destination page. Everything else of the scan is as it was, and counted
 * by reason if it lies below *@addr.
 *
 * The deadline counts from before the first page is locked. Locking may take a
 * part of it, which is looked at between two chunks; at least one is locked. An
 * atomic batch for which it is too short goes back as a whole.
 *
 * Context: process; may sleep.
 * Return: number of pages, or -ENOMEM when no destination page could be had.
 */
int migd_lock_batch(struct migd_job *job, struct migd_batch *batch,
		    const struct migd_scan *scan, unsigned long *addr)
{
	unsigned long cut;
	unsigned int at;

	pool_fill(job, scan->candidates);
	if (!job->nr_pool ||
	    (migd_job_atomic(job) && job->nr_pool < scan->candidates)) {
		migd_job_left(job, MIGD_REASON_NO_MEMORY, scan->candidates);
		return -ENOMEM;
	}

	batch->t_lock = ktime_get_ns();
	batch->deadline_ns = batch->t_lock +
		READ_ONCE(job->deadline_us) * (u64)NSEC_PER_USEC;
	if (lock_runs(job, batch, scan, &at, &cut)) {
		if (migd_job_atomic(job) && batch->spoilt)
			leave_all(batch, MIGD_REASON_ATOMIC);
	} else if (!migd_job_atomic(job)) {
		*addr = cut;
	} else {
		leave_all(batch, MIGD_REASON_PUT_BACK);
		migd_job_left(job, MIGD_REASON_PUT_BACK,
			      candidates_of(scan, at, scan->positions - at));
	}
	if (batch->nr && batch->order == MIGD_ORDER_STATE_FIRST)
		migd_state_move(batch);
	batch->t_locked = ktime_get_ns();
	/* Nobody else will look: these have gone back already. */
	if (!batch->nr)
		migd_batch_timed(batch, batch->t_locked);
	return batch->nr;
}
