/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a scan finds, and what locks it.
 */
#ifndef _MIGD_SCAN_H
#define _MIGD_SCAN_H

#include <linux/bitmap.h>
#include "internal.h"

/* Pages that a scan leaves where they are: neighbours of one kind are one. */
struct migd_left {
	unsigned long start, end;
	unsigned long step;		/* bytes from folio to folio */
	unsigned long pages;
	enum migd_reason reason;
};

/* Pages to lock together. */
struct migd_run {
	struct vm_area_struct *vma;
	unsigned long start;
	unsigned int npages;
};

#define MIGD_MAX_RUNS		64
#define MIGD_MAX_NOTES		64

struct migd_scan {
	struct migd_job *job;
	const struct mm_struct *server_mm; /* its shared memory stays */
	struct migd_run runs[MIGD_MAX_RUNS];
	unsigned int nr_runs;
	unsigned int positions;		/* array entries used by the runs */
	unsigned int candidates;	/* pages to move among them */
	DECLARE_BITMAP(candidate, MIGD_MAX_BATCH_PAGES); /* by position */
	unsigned int max;		/* most positions */
	struct migd_left left[MIGD_MAX_NOTES];	/* by address, not yet counted */
	unsigned int nr_left;
	bool count_only;		/* only count pages on the source nodes */
	u64 counted;
	u64 moving;			/* source pages that somebody else moves */
	unsigned int off_lru;		/* pages in per-CPU lists yet */
	bool drained;			/* these have been drained meanwhile */
	bool pass_drained;		/* or at least once in this pass */
	bool insist;			/* not the first pass: off the LRU or not */
	bool starved;			/* no memory for a batch: the job ends */
	bool shmem_stays;		/* in this mapping */
	bool plain_vma;			/* not special, hugetlb or tagged */
	bool adjacent;			/* only holes since the last candidate */
	unsigned long next;		/* the address behind that */
	bool full;
	int budget;			/* page tables yet to look at */
};

/* Empties it; max, and what outlives a batch, stays. */
void migd_scan_reset(struct migd_scan *scan);

/*
 * Walks from @addr to @end and fills @scan until it is full. The caller holds
 * the mmap read lock. Returns where to go on.
 */
unsigned long migd_scan_range(struct migd_scan *scan, struct mm_struct *mm,
			      unsigned long addr, unsigned long end);

/* lock.c */
unsigned int migd_batch_max(const struct migd_job *job,
			    const struct migd_server *server);
int migd_lock_batch(struct migd_job *job, struct migd_batch *batch,
		    const struct migd_scan *scan, unsigned long *addr);
void migd_pool_free(struct migd_job *job);
void migd_lru_drain(void);

#endif /* _MIGD_SCAN_H */
