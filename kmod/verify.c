// SPDX-License-Identifier: GPL-2.0
/*
 * The flag verify of a job: no page becomes final before its copy has been
 * compared with it. Both are locked and unmapped, so what differs is the copy.
 *
 * An engine that called such a copy complete may do anything else, too: it may
 * write again. The destination is held, and the channel takes no COPY, until it
 * has been released.
 */
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "copy.h"
#include "internal.h"
#include "trace.h"

/**
 * migd_verify_alloc() - what a batch needs to be verified
 * @batch: new, with its job and max
 *
 * Context: process; may sleep.
 * Return: 0 or -ENOMEM.
 */
int migd_verify_alloc(struct migd_batch *batch)
{
	if (!(batch->job->want & MIGD_JOB_FLAG_VERIFY))
		return 0;
	batch->bounce = kmalloc(PAGE_SIZE, GFP_KERNEL);
	batch->engine = kvcalloc(batch->max, sizeof(*batch->engine), GFP_KERNEL);
	return batch->bounce && batch->engine ? 0 : -ENOMEM;
}

/* Context: process. */
void migd_verify_free(struct migd_batch *batch)
{
	unsigned int i;

	for (i = 0; batch->engine && i < batch->max; i++)
		if (batch->engine[i])
			migd_chan_put(batch->engine[i]);
	kvfree(batch->engine);
	kfree(batch->bounce);
}

/**
 * migd_verify_note() - remember who copies the range of a COPY
 * @op: has just begun; its batch's lock is held
 *
 * With references: the channel may be released before the batch ends, and its
 * id be another's then.
 *
 * Context: process.
 */
void migd_verify_note(struct migd_copy_op *op)
{
	struct migd_batch *batch = op->batch;
	unsigned int i;

	if (!batch->engine)
		return;
	for (i = op->first; i < op->first + op->count; i++) {
		if (batch->engine[i])
			migd_chan_put(batch->engine[i]);
		kref_get(&op->chan->ref);
		batch->engine[i] = op->chan;
	}
}

/* The source may be poisoned, and is read so that this does not kill. */
static int compare(struct migd_batch *batch, unsigned int i)
{
	const void *src = kmap_local_page(batch->spage[i]);
	const void *dst = kmap_local_page(batch->dpage[i]);
	int err = 0;

	if (copy_mc_to_kernel(batch->bounce, src, PAGE_SIZE))
		err = -EHWPOISON;
	else if (memcmp(batch->bounce, dst, PAGE_SIZE))
		err = -EILSEQ;
	kunmap_local(dst);
	kunmap_local(src);
	return err;
}

/**
 * migd_verify_page() - is the copy of a page good?
 * @batch: a batch that is ending
 * @i: a page that is copied
 *
 * Context: process.
 * Return: MIGD_REASON_NONE when it is, or when nobody wants to know.
 */
enum migd_reason migd_verify_page(struct migd_batch *batch, unsigned int i)
{
	struct migd_chan *chan;
	int err;

	if (!batch->engine)
		return MIGD_REASON_NONE;
	err = compare(batch, i);
	if (!err)
		return MIGD_REASON_NONE;
	if (err == -EHWPOISON)
		return MIGD_REASON_POISONED;

	chan = batch->engine[i] ?: &migd_cpu;
	/* Memory that is wrong under a CPU's copy is no engine's fault. */
	if (chan != &migd_cpu)
		WRITE_ONCE(chan->disabled, true);
	atomic64_inc(&chan->errors);
	atomic64_inc(&migd_stats.verify_failed);
	migd_chan_event(chan, err);
	trace_migd_error(batch->job->id, batch->seq, "verify", err);
	return MIGD_REASON_VERIFY_FAILED;
}

/**
 * migd_verify_hold() - keep the destination of a page whose copy was wrong
 * @batch: a batch that is ending
 * @i: the page; it has been put back
 *
 * Context: process.
 */
void migd_verify_hold(struct migd_batch *batch, unsigned int i)
{
	struct migd_chan *chan = batch->engine[i];
	struct page *page = batch->dpage[i];

	if (!chan || chan == &migd_cpu)
		return;
	get_page(page);
	spin_lock_irq(&chan->suspect_lock);
	list_add_tail(&page->lru, &chan->suspect);
	spin_unlock_irq(&chan->suspect_lock);
	atomic_long_inc(&migd_stats.quarantined_pages);
	atomic64_inc(&migd_stats.quarantined_total);
	trace_migd_quarantine(chan->name, 1,
			      atomic_long_read(&migd_stats.quarantined_pages));
}

/**
 * migd_verify_drop() - the channel has been released
 * @chan: nobody else has a reference
 *
 * Context: any.
 */
void migd_verify_drop(struct migd_chan *chan)
{
	struct page *page, *tmp;
	int n = 0;

	list_for_each_entry_safe(page, tmp, &chan->suspect, lru) {
		list_del_init(&page->lru);
		put_page(page);
		n++;
	}
	if (!n)
		return;
	atomic_long_sub(n, &migd_stats.quarantined_pages);
	trace_migd_quarantine(chan->name, -n,
			      atomic_long_read(&migd_stats.quarantined_pages));
}
