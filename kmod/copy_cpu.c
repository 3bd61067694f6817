// SPDX-License-Identifier: GPL-2.0
/*
 * The CPU as an engine: machine-check safe where the architecture is, and with
 * MTE tags on arm64, as copy_mc_highpage() is.
 */
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/sched.h>
#ifdef CONFIG_X86_64
#include <asm/asm.h>
#include <asm/cpufeature.h>
#endif
#include "copy.h"
#include "internal.h"

/* Pages copied between two looks whether somebody else needs the CPU. */
#define RESCHED_PAGES	16

#ifdef CONFIG_X86_64
/*
 * On a CPU without ERMS copy_mc_highpage() is memcpy(): a loop, and not even
 * machine-check safe. This is the kernel's copy_mc_enhanced_fast_string(), with
 * the string instruction that such a CPU is good at.
 */
static bool copies_words(void)
{
	return !static_cpu_has(X86_FEATURE_ERMS) &&
		static_cpu_has(X86_FEATURE_REP_GOOD);
}

static int copy_words(struct page *dst, struct page *src)
{
	void *to = page_address(dst), *from = page_address(src);
	unsigned long left = PAGE_SIZE / sizeof(u64);

	asm volatile("1: rep movsq\n"
		     "2:\n"
		     _ASM_EXTABLE_TYPE(1b, 2b, EX_TYPE_DEFAULT_MCE_SAFE)
		     : "+c" (left), "+D" (to), "+S" (from) : : "memory");
	if (!left)
		return 0;
	memory_failure_queue(page_to_pfn(src), 0);
	return -EHWPOISON;
}
#else
static bool copies_words(void)
{
	return false;
}

static int copy_words(struct page *dst, struct page *src)
{
	return -EOPNOTSUPP;
}
#endif

/**
 * migd_copy_one() - copy one page of a batch on this CPU
 * @batch: the batch; the page is locked and nobody else writes its destination
 * @i: the page
 *
 * Context: process; may sleep.
 * Return: 0, or -EHWPOISON when the source could not be read.
 */
int migd_copy_one(struct migd_batch *batch, unsigned int i)
{
	struct page *dst = batch->dpage[i], *src = batch->spage[i];
	int err;

	err = copies_words() ? copy_words(dst, src) :
		copy_mc_highpage(dst, src);
	if (err) {
		set_bit(i, batch->poisoned);
		return -EHWPOISON;
	}
	return 0;
}

/**
 * migd_copy_cpu_run() - run a COPY on this CPU
 * @op: begun, and alone its caller's
 *
 * Leaves between two pages when the batch is being ended.
 *
 * Context: process; an io-wq worker.
 * Return: result of the command.
 */
int migd_copy_cpu_run(struct migd_copy_op *op)
{
	struct migd_batch *batch = op->batch;
	unsigned int i;
	int res;

	for (i = op->first; i < op->first + op->count && !op->error; i++) {
		op->error = READ_ONCE(batch->closed) ? -ETIME :
			migd_copy_one(batch, i);
		if (i % RESCHED_PAGES == 0)
			cond_resched();
	}
	res = op->error ? op->error : (int)op->count;
	migd_copy_finish(op);
	migd_copy_put(op);
	return res;
}
