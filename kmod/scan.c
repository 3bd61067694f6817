// SPDX-License-Identifier: GPL-2.0
/*
 * A look at the page tables before anything is locked: which pages of the
 * target are worth locking, and why the others are not.
 *
 * walk_page_range() is not exported. Reading the tables with the inline
 * helpers, under the PTE lock and with the PMD checked again, is what
 * pte_offset_map_lock() does and so just as exact. What is not mapped by a PTE
 * table is never given to migrate_vma_setup(), which would split it: with the
 * mmap read lock held no PTE table of an anonymous mapping turns into a huge
 * PMD (khugepaged takes the lock for writing), and a PMD that is empty now may
 * become one, so empty ones are left out too. In a mapping of shared memory a
 * table can still be retracted and a huge page faulted in, between the look and
 * the setup: it would be split, as reclaim splits it, and nothing else is lost.
 */
#include <linux/fs.h>
#include <linux/hugetlb.h>
#include <linux/memremap.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/rbtree.h>
#include <linux/rcupdate.h>
#include <linux/shmem_fs.h>
#include <linux/swapops.h>
#include "internal.h"
#include "route.h"
#include "scan.h"

/* Holes up to this many pages do not end a run: each run costs a TLB flush. */
#define MAX_HOLE	8

/* Page tables looked at in one hold of the mmap lock: 1 GiB of small pages. */
#define SCAN_BUDGET	512

/* What a PTE or a leaf says. */
enum verdict {
	V_EMPTY,	/* nothing there, nothing to do */
	V_ELSEWHERE,	/* not on a source node, or not a page */
	V_LEFT,		/* a page to leave, with a reason */
	V_MOVING,	/* on a source node, but somebody else is moving it */
	V_MOVE,
};

/*
 * Memory of tmpfs, memfd, SysV or a shared anonymous mapping. A driver may map
 * pages of shmem, too, through a file of its own: those are its.
 */
static bool is_shmem(const struct vm_area_struct *vma, struct folio *folio)
{
	return folio_test_swapbacked(folio) && vma->vm_file &&
		shmem_mapping(vma->vm_file->f_mapping);
}

/*
 * What the daemon maps, too (a library on tmpfs, say), it would wait for to the
 * deadline, as it would for its own pages. vma_interval_tree_iter_first() is not
 * exported, and most files have few mappings.
 */
static bool mapped_by(struct address_space *mapping, const struct mm_struct *mm)
{
	struct rb_node *node;
	bool found = false;

	i_mmap_lock_read(mapping);
	for (node = rb_first_cached(&mapping->i_mmap); node && !found;
	     node = rb_next(node))
		found = rb_entry(node, struct vm_area_struct,
				 shared.rb)->vm_mm == mm;
	i_mmap_unlock_read(mapping);
	return found;
}

static bool shmem_stays(const struct migd_scan *scan,
			const struct vm_area_struct *vma)
{
	if (!vma->vm_file || !shmem_mapping(vma->vm_file->f_mapping))
		return false;
	return migd_job_undoes(scan->job) ||
		mapped_by(vma->vm_file->f_mapping, scan->server_mm);
}

/* The page is mapped under the PTE lock, so it and its folio are stable. */
static enum verdict look_at_page(struct migd_scan *scan,
				 const struct vm_area_struct *vma,
				 struct page *page, enum migd_reason *ret_reason)
{
	struct folio *folio;

	if (!migd_node_wanted(scan->job, page_to_nid(page)))
		return V_ELSEWHERE;
	if (likely(scan->plain_vma && migd_page_plain(page, BIT(PG_lru), 0) &&
		   !migd_page_tagged(page)))
		return V_MOVE;

	folio = page_folio(page);
	if (is_vm_hugetlb_page((struct vm_area_struct *)vma))
		*ret_reason = MIGD_REASON_HUGETLB;
	else if ((vma->vm_flags & VM_SPECIAL) || folio_is_zone_device(folio))
		*ret_reason = MIGD_REASON_SPECIAL;
	else if (!folio_test_anon(folio) && !is_shmem(vma, folio))
		*ret_reason = folio_test_swapbacked(folio) ?
			MIGD_REASON_SHMEM : MIGD_REASON_FILE;
	else if (folio_test_ksm(folio))
		*ret_reason = MIGD_REASON_KSM;
	else if (folio_test_large(folio))
		*ret_reason = MIGD_REASON_LARGE;
	else if (migd_page_tagged(page))
		*ret_reason = MIGD_REASON_TAGGED;
	else if (PageHWPoison(page))
		*ret_reason = MIGD_REASON_POISONED;
	else if (!folio_test_anon(folio) && scan->shmem_stays)
		*ret_reason = MIGD_REASON_SHMEM;
	else
		goto move;
	return V_LEFT;

move:
	if (folio_test_lru(folio))
		return V_MOVE;
	/* Setup would drain the per-CPU lists with pages locked, see walk.c. */
	scan->off_lru++;
	if (scan->insist || migd_job_atomic(scan->job))
		return V_MOVE;
	*ret_reason = MIGD_REASON_BUSY;
	return V_LEFT;
}

/* An ordinary page; what device mappings have is special or not looked at. */
static inline struct page *page_of(pte_t pte)
{
	unsigned long pfn = pte_pfn(pte);

	if (!pte_present(pte) || pte_special(pte) || pte_devmap(pte) ||
	    is_zero_pfn(pfn))
		return NULL;
	return pfn_to_page(pfn);
}

/* Somebody else is moving it, or another job: it may well come back. */
static bool moves_from_here(const struct migd_job *job, pte_t pte)
{
	swp_entry_t entry;

	if (!is_swap_pte(pte))
		return false;
	entry = pte_to_swp_entry(pte);
	return is_migration_entry(entry) &&
		migd_node_wanted(job, pfn_to_nid(swp_offset_pfn(entry)));
}

static enum verdict look_at_pte(struct migd_scan *scan,
				const struct vm_area_struct *vma, pte_t pte,
				enum migd_reason *ret_reason)
{
	struct page *page;

	if (pte_none(pte))
		return V_EMPTY;
	page = page_of(pte);
	if (page)
		return look_at_page(scan, vma, page, ret_reason);
	/* What is swapped out is on no node at all. */
	return moves_from_here(scan->job, pte) ? V_MOVING : V_ELSEWHERE;
}

/*
 * Adds a page to move at @addr; false when the scan is full. A run may span
 * holes but nothing else: whatever lies in it gets locked. With atomic it also
 * spans what is elsewhere, as the whole range has to fit.
 */
static bool add_candidate(struct migd_scan *scan, struct vm_area_struct *vma,
			  unsigned long addr)
{
	struct migd_run *run = NULL;
	unsigned long grow = 1;

	/* Most follow the one before. */
	if (likely(scan->adjacent && addr == scan->next &&
		   scan->positions < scan->max)) {
		scan->runs[scan->nr_runs - 1].npages++;
		scan->next = addr + PAGE_SIZE;
		__set_bit(scan->positions++, scan->candidate);
		scan->candidates++;
		return true;
	}
	if (scan->adjacent) {
		run = &scan->runs[scan->nr_runs - 1];
		grow = ((addr - run->start) >> PAGE_SHIFT) - run->npages + 1;
		if (grow > MAX_HOLE && !migd_job_atomic(scan->job))
			run = NULL;
	}
	if (!run)
		grow = 1;
	if (scan->positions + grow > scan->max)
		return false;
	if (!run) {
		if (scan->nr_runs == MIGD_MAX_RUNS)
			return false;
		run = &scan->runs[scan->nr_runs++];
		run->vma = vma;
		run->start = addr;
		run->npages = 0;
	}
	run->npages += grow;
	scan->next = addr + PAGE_SIZE;
	scan->positions += grow;
	__set_bit(scan->positions - 1, scan->candidate);
	scan->candidates++;
	scan->adjacent = true;
	return true;
}

/*
 * What the daemon may move whole is noted as it lies; of anything else it is
 * enough between which runs it does.
 */
static bool joins(const struct migd_scan *scan, const struct migd_left *last,
		  unsigned long addr, unsigned long bytes,
		  enum migd_reason reason)
{
	if (last->reason != reason)
		return false;
	if (migd_job_routes(scan->job, reason))
		return last->end == addr && last->step == bytes;
	return !scan->nr_runs ||
		scan->runs[scan->nr_runs - 1].start < last->start;
}

/*
 * Notes a folio, or a page of one, that stays; false when there is no room.
 * It is counted when the batch is locked and known how far that has come.
 */
static bool note_left(struct migd_scan *scan, unsigned long addr,
		      unsigned long bytes, unsigned long pages,
		      enum migd_reason reason)
{
	struct migd_left *last = NULL;

	if (scan->nr_left)
		last = &scan->left[scan->nr_left - 1];
	if (last && joins(scan, last, addr, bytes, reason)) {
		last->end = addr + bytes;
		last->pages += pages;
		return true;
	}
	if (scan->nr_left == MIGD_MAX_NOTES)
		return false;
	scan->left[scan->nr_left++] = (struct migd_left) {
		.start = addr, .end = addr + bytes, .step = bytes,
		.pages = pages, .reason = reason,
	};
	return true;
}

/*
 * A leaf above the PTE level at @addr: whole, and never ours. False when it
 * could not be noted.
 */
static bool leaf_left(struct migd_scan *scan, struct vm_area_struct *vma,
		      unsigned long pfn, unsigned long addr, unsigned long end,
		      unsigned long size)
{
	unsigned long npages = (end - addr) >> PAGE_SHIFT;
	enum migd_reason reason = MIGD_REASON_HUGE;
	struct page *page;

	if (!pfn_valid(pfn))
		return true;
	page = pfn_to_page(pfn);
	if (PageReserved(page) ||
	    !migd_node_wanted(scan->job, page_to_nid(page)))
		return true;
	/* The huge zero page, which is_huge_zero_pmd() would need unexported. */
	if (vma_is_anonymous(vma) && !folio_test_anon(page_folio(page)))
		return true;
	if (is_vm_hugetlb_page(vma))
		reason = MIGD_REASON_HUGETLB;
	else if (vma->vm_flags & VM_SPECIAL)
		reason = MIGD_REASON_SPECIAL;
	else if (!folio_test_anon(page_folio(page)) &&
		 !is_shmem(vma, page_folio(page)))
		reason = folio_test_swapbacked(page_folio(page)) ?
			MIGD_REASON_HUGE : MIGD_REASON_FILE;
	if (scan->count_only) {
		scan->counted += npages;
		return true;
	}
	/* By folios, also where a range of the job cuts one. */
	return note_left(scan, addr & ~(size - 1), size, npages, reason);
}

/* What progress is measured by; reasons come later, when pages are visited. */
static void count_ptes(struct migd_scan *scan, pte_t *pte,
		       unsigned long addr, unsigned long end)
{
	const struct migd_job *job = scan->job;
	struct page *page;
	u64 counted = 0;
	pte_t entry;

	for (; addr < end; addr += PAGE_SIZE, pte++) {
		entry = ptep_get(pte);
		page = page_of(entry);
		counted += page ? migd_node_wanted(job, page_to_nid(page)) :
			moves_from_here(job, entry);
	}
	scan->counted += counted;
}

/* Returns the first address not looked at; less than @end when full. */
static unsigned long scan_ptes(struct migd_scan *scan,
			       struct vm_area_struct *vma, pmd_t *pmd,
			       unsigned long addr, unsigned long end)
{
	struct mm_struct *mm = vma->vm_mm;
	enum migd_reason reason = MIGD_REASON_REFUSED;
	spinlock_t *ptl;	/* of the PTE table */
	pmd_t pmdval;
	pte_t *pte;

	rcu_read_lock();
	pmdval = pmdp_get_lockless(pmd);
	if (pmd_none(pmdval) || !pmd_present(pmdval) || pmd_leaf(pmdval) ||
	    pmd_bad(pmdval)) {
		rcu_read_unlock();
		return end;	/* changed under us: nothing here to lock */
	}
	ptl = pte_lockptr(mm, &pmdval);
	spin_lock(ptl);
	if (unlikely(!pmd_same(pmdval, pmdp_get_lockless(pmd)))) {
		spin_unlock(ptl);
		rcu_read_unlock();
		return end;
	}

	pte = pte_offset_kernel(&pmdval, addr);
	if (scan->count_only) {
		count_ptes(scan, pte, addr, end);
		addr = end;
	}
	for (; addr < end; addr += PAGE_SIZE, pte++) {
		switch (look_at_pte(scan, vma, ptep_get(pte), &reason)) {
		case V_EMPTY:
			continue;
		case V_MOVE:
			if (!add_candidate(scan, vma, addr))
				goto out;
			continue;
		case V_MOVING:
			if (!note_left(scan, addr, PAGE_SIZE, 1,
				       MIGD_REASON_REFUSED))
				goto out;
			scan->moving++;
			break;
		case V_LEFT:
			if (!note_left(scan, addr, PAGE_SIZE, 1, reason))
				goto out;
			break;
		case V_ELSEWHERE:
			if (migd_job_atomic(scan->job))
				continue;
			break;
		}
		scan->adjacent = false;
	}
out:
	spin_unlock(ptl);
	rcu_read_unlock();
	return addr;
}

/*
 * Reads the PMD of @addr. A table of PMDs that hugetlb shares goes when another
 * process unshares it, which the mmap lock of this one does not prevent. As for
 * GUP, interrupts off do: unsharing waits for all CPUs.
 */
static pmd_t *read_pmd(pud_t *pud, unsigned long addr, pud_t *ret_pud,
		       pmd_t *ret_pmd)
{
	unsigned long flags;
	pmd_t *pmd = NULL;

	local_irq_save(flags);
	*ret_pud = READ_ONCE(*pud);
	if (!pud_none(*ret_pud) && pud_present(*ret_pud) &&
	    !pud_leaf(*ret_pud) && !pud_bad(*ret_pud)) {
		pmd = pmd_offset_lockless(pud, *ret_pud, addr);
		*ret_pmd = pmdp_get_lockless(pmd);
	}
	local_irq_restore(flags);
	return pmd;
}

/* Walks one mapping; returns the first address not looked at. */
static unsigned long scan_vma(struct migd_scan *scan,
			      struct vm_area_struct *vma, unsigned long addr,
			      unsigned long end)
{
	unsigned long next, stop;

	scan->adjacent = false;
	scan->plain_vma = !(vma->vm_flags & VM_SPECIAL) &&
		!is_vm_hugetlb_page(vma);
	if (!scan->count_only)
		scan->shmem_stays = shmem_stays(scan, vma);
	for (; addr < end; addr = next) {
		pgd_t *pgd = pgd_offset(vma->vm_mm, addr);
		p4d_t *p4d;
		pud_t *pud, pudval;
		pmd_t *pmd, pmdval;

		if (scan->budget-- == 0)
			break;

		next = pgd_addr_end(addr, end);
		if (pgd_none(*pgd) || pgd_bad(*pgd))
			continue;
		p4d = p4d_offset(pgd, addr);
		next = p4d_addr_end(addr, end);
		if (p4d_none(*p4d) || p4d_bad(*p4d))
			continue;
		pud = pud_offset(p4d, addr);
		next = pud_addr_end(addr, end);
		pmd = read_pmd(pud, addr, &pudval, &pmdval);
		if (!pmd) {
			if (pud_present(pudval) && pud_leaf(pudval) &&
			    !leaf_left(scan, vma, pud_pfn(pudval), addr, next,
				       PUD_SIZE))
				goto full;
			continue;
		}
		next = pmd_addr_end(addr, end);
		if (pmd_none(pmdval) || !pmd_present(pmdval)) {
			scan->adjacent = false;
			continue;
		}
		if (pmd_leaf(pmdval)) {
			scan->adjacent = false;
			if (!leaf_left(scan, vma, pmd_pfn(pmdval), addr, next,
				       PMD_SIZE))
				goto full;
			continue;
		}
		stop = scan_ptes(scan, vma, pmd, addr, next);
		if (stop < next) {
			addr = stop;
			goto full;
		}
	}
	return addr;

full:
	scan->full = true;
	return addr;
}

void migd_scan_reset(struct migd_scan *scan)
{
	scan->nr_runs = 0;
	scan->positions = 0;
	scan->candidates = 0;
	scan->nr_left = 0;
	scan->off_lru = 0;
	bitmap_zero(scan->candidate, scan->max);
}

/**
 * migd_scan_range() - find the pages to lock in [@addr, @end)
 * @scan: job and max are set; runs are added, and what is left between them
 * @mm: the target's address space
 * @addr: where to begin
 * @end: where to stop
 *
 * Stops when the scan is full or its budget of page tables is used up, so that
 * the lock is not held long over an empty address space.
 *
 * Context: process; the caller holds the mmap read lock.
 * Return: the first address that has not been looked at, or @end.
 */
unsigned long migd_scan_range(struct migd_scan *scan, struct mm_struct *mm,
			      unsigned long addr, unsigned long end)
{
	struct vm_area_struct *vma;

	scan->budget = SCAN_BUDGET;
	scan->full = false;
	while (addr < end && !scan->full) {
		vma = find_vma(mm, addr);
		if (!vma || vma->vm_start >= end)
			return end;
		addr = max(addr, vma->vm_start);
		/* Device memory has no pages of ours; reading it is pointless. */
		if (vma->vm_flags & (VM_IO | VM_PFNMAP)) {
			addr = vma->vm_end;
			continue;
		}
		addr = scan_vma(scan, vma, addr, min(end, vma->vm_end));
		if ((int)scan->budget <= 0)
			break;
	}
	return min(addr, end);
}
