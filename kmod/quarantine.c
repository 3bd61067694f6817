// SPDX-License-Identifier: GPL-2.0
/*
 * What a descriptor that did not come back may still write: the destination
 * pages, both DMA mappings, the channel and the module are kept until all
 * callbacks of the COPY have come. The mappings, the channel and the module
 * belong to the COPY anyway; here are the pages and the count.
 *
 * An engine that has reported an error is not done because it says so: some
 * stop on the spot, some retry, some go on with the transfers behind. What a
 * failed COPY has mapped is kept in the same way until the channel is known to
 * be quiet: it is released, or, where it completes in order, a COPY that began
 * later has succeeded.
 */
#include <linux/mm.h>
#include "copy.h"
#include "internal.h"
#include "trace.h"

/**
 * migd_quarantine_hold() - keep the destination of page @i
 * @batch: a batch that is ending
 * @i: a page that a COPY may still write
 *
 * Context: any.
 */
void migd_quarantine_hold(struct migd_batch *batch, unsigned int i)
{
	get_page(batch->dpage[i]);
	set_bit(i, batch->held);
}

/**
 * migd_quarantine_enter() - count the pages that a COPY holds
 * @op: its descriptors are out, or it has failed
 * @pages: number of pages held
 *
 * Context: any; batch->lock is held, so that @op cannot finish meanwhile.
 */
void migd_quarantine_enter(struct migd_copy_op *op, unsigned int pages)
{
	if (!op->back) {
		atomic_inc(&op->chan->overdue);
		if (op->chan != &migd_cpu)
			queue_delayed_work(migd_push_wq, &op->chan->poll, HZ);
	}
	atomic_long_add(pages, &op->chan->quarantined);
	atomic_long_add(pages, &migd_stats.quarantined_pages);
	atomic64_add(pages, &migd_stats.quarantined_total);
	trace_migd_quarantine(op->chan->name, pages,
			      atomic_long_read(&migd_stats.quarantined_pages));
	migd_chan_event(op->chan, 0);
}

/**
 * migd_quarantine_drop() - release the pages held for a COPY
 * @op: a COPY that has come back
 *
 * Context: any, after both mappings are gone.
 * Return: number of pages.
 */
unsigned int migd_quarantine_drop(struct migd_copy_op *op)
{
	struct migd_batch *batch = op->batch;
	unsigned int i, pages = 0;

	for (i = op->first; i < op->first + op->count; i++) {
		if (!test_and_clear_bit(i, batch->held))
			continue;
		put_page(batch->dpage[i]);
		pages++;
	}
	return pages;
}

/**
 * migd_quarantine_leave() - nothing of a counted COPY can write any more
 * @op: a COPY of a batch that has ended, as migd_quarantine_enter() counted it
 *
 * Context: any, after both mappings are gone.
 */
void migd_quarantine_leave(struct migd_copy_op *op)
{
	unsigned int pages = migd_quarantine_drop(op);

	atomic_long_sub(pages, &op->chan->quarantined);
	atomic_long_sub(pages, &migd_stats.quarantined_pages);
	trace_migd_quarantine(op->chan->name, -(int)pages,
			      atomic_long_read(&migd_stats.quarantined_pages));
	migd_chan_event(op->chan, 0);
}

/**
 * migd_quarantine_failed() - a COPY is back, but its engine reported an error
 * @op: still mapped; the caller's reference to its list becomes the channel's
 *
 * Context: any; before the COPY stops counting as in flight.
 */
void migd_quarantine_failed(struct migd_copy_op *op)
{
	struct migd_chan *chan = op->chan;
	unsigned long irq;

	spin_lock_irqsave(&chan->failed_lock, irq);
	list_add_tail(&op->fnode, &chan->failed);
	spin_unlock_irqrestore(&chan->failed_lock, irq);
}

/**
 * migd_quarantine_quiet() - the channel is known to be quiet
 * @chan: the channel
 * @before: let go of COPYs that failed before this time
 *
 * Context: any.
 */
void migd_quarantine_quiet(struct migd_chan *chan, u64 before)
{
	struct migd_copy_op *op, *tmp;
	unsigned long irq;
	LIST_HEAD(quiet);

	if (list_empty_careful(&chan->failed))
		return;
	spin_lock_irqsave(&chan->failed_lock, irq);
	list_for_each_entry_safe(op, tmp, &chan->failed, fnode)
		if (op->t_back < before)
			list_move_tail(&op->fnode, &quiet);
	spin_unlock_irqrestore(&chan->failed_lock, irq);

	list_for_each_entry_safe(op, tmp, &quiet, fnode) {
		list_del_init(&op->fnode);
		migd_copy_dma_unmap(op);
		migd_copy_let_go(op);
	}
}
