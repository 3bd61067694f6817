// SPDX-License-Identifier: GPL-2.0
/*
 * A dmaengine channel as an engine. Every channel counts as unstoppable:
 * nothing here terminates one.
 */
#include <linux/dma-mapping.h>
#include <linux/dmaengine.h>
#include <linux/ktime.h>
#include <linux/slab.h>
#include "copy.h"
#include "internal.h"
#include "trace.h"

/* Every so many descriptors one interrupts, so that prep finds room again. */
#define INTR_EVERY	16

/* Looking for descriptors, and for what has completed without an interrupt. */
#define POLL_MIN	msecs_to_jiffies(1)
#define POLL_MAX	HZ

/* Longer mappings miss the cache of IO virtual addresses. */
#define MAX_SEGMENT	((unsigned int)SZ_128K)

/* Context: any. */
void migd_copy_dma_unmap(struct migd_copy_op *op)
{
	struct device *dev = op->chan->dma_dev;

	/* The destination first: swiotlb writes it back here. */
	dma_unmap_sgtable(dev, &op->dst, DMA_FROM_DEVICE, 0);
	dma_unmap_sgtable(dev, &op->src, DMA_TO_DEVICE, 0);
	sg_free_table(&op->dst);
	sg_free_table(&op->src);
}

/* All callbacks have come, or nothing was submitted. Any context. */
static void dma_done(struct migd_copy_op *op)
{
	if (test_bit(MIGD_COPY_HW_ERROR, &op->flags)) {
		op->error = -EIO;
		/* A driver that has left has stopped its hardware before. */
		op->failed = !READ_ONCE(op->chan->gone);
	}
	if (!op->failed)
		migd_copy_dma_unmap(op);
	migd_copy_finish(op);
}

static void out_dec(struct migd_copy_op *op)
{
	if (atomic_dec_and_test(&op->out))
		dma_done(op);
}

/* Pending work has a reference; the stall bit says whether it has work to do. */
static void push_later(struct migd_copy_op *op, unsigned long delay)
{
	kref_get(&op->ref);
	if (mod_delayed_work(migd_push_wq, &op->push, delay))
		migd_copy_put(op);
}

static void migd_dma_callback(void *param, const struct dmaengine_result *result)
{
	struct migd_copy_op *op = param;

	if (result && result->result != DMA_TRANS_NOERROR) {
		set_bit(MIGD_COPY_HW_ERROR, &op->flags);
		cmpxchg(&op->error, 0, -EIO);
	}
	if (test_bit(MIGD_COPY_STALLED, &op->flags))
		push_later(op, 0);
	out_dec(op);
}

static size_t segment(struct migd_copy_op *op)
{
	size_t len = min(sg_dma_len(op->s_sg) - op->s_off,
			 sg_dma_len(op->d_sg) - op->d_off);

	/* An IOMMU may have merged beyond what the hardware takes. */
	return min_t(size_t, len, dma_get_max_seg_size(op->chan->dma_dev));
}

static void advance(struct migd_copy_op *op, size_t len)
{
	op->rest -= len;
	op->s_off += len;
	if (op->s_off == sg_dma_len(op->s_sg)) {
		op->s_sg = sg_next(op->s_sg);
		op->s_off = 0;
	}
	op->d_off += len;
	if (op->d_off == sg_dma_len(op->d_sg)) {
		op->d_sg = sg_next(op->d_sg);
		op->d_off = 0;
	}
}

/*
 * Submits what the channel takes. Returns false when it takes no more for now.
 * The two sides are merged differently by an IOMMU, so both are walked.
 */
static bool push_some(struct migd_copy_op *op)
{
	struct dma_chan *chan = op->chan->chan;
	struct dma_async_tx_descriptor *tx;
	unsigned long flags;
	bool room = true;
	size_t len;

	/* Prep to submit at once: a provider may hold a lock in between. */
	mutex_lock(&op->chan->lock);
	while (op->rest && !READ_ONCE(op->error)) {
		if (READ_ONCE(op->batch->closed) || op->chan->leaving) {
			cmpxchg(&op->error, 0, op->chan->leaving ? -ENODEV : -ETIME);
			break;
		}
		len = segment(op);
		flags = DMA_CTRL_ACK;
		if (len == op->rest || !op->chan->ordered ||
		    op->segs % INTR_EVERY == INTR_EVERY - 1)
			flags |= DMA_PREP_INTERRUPT;
		tx = dmaengine_prep_dma_memcpy(chan,
					       sg_dma_address(op->d_sg) + op->d_off,
					       sg_dma_address(op->s_sg) + op->s_off,
					       len, flags);
		if (!tx) {
			room = false;
			break;
		}
		tx->callback_result = migd_dma_callback;
		tx->callback_param = op;
		atomic_inc(&op->out);
		if (dma_submit_error(dmaengine_submit(tx))) {
			/* No callback follows a failed submit. */
			atomic_dec(&op->out);
			cmpxchg(&op->error, 0, -EBUSY);
			break;
		}
		op->silent = !(flags & DMA_PREP_INTERRUPT);
		op->segs++;
		advance(op, len);
	}
	if (!op->chan->gone)
		dma_async_issue_pending(chan);
	mutex_unlock(&op->chan->lock);
	return room;
}

/*
 * Descriptors that were submitted without an interrupt complete when somebody
 * looks: many providers clean up in tx_status.
 */
static void poll_channel(struct migd_chan *chan)
{
	mutex_lock(&chan->lock);
	if (!chan->gone)
		dma_async_is_tx_complete(chan->chan, chan->chan->cookie, NULL,
					 NULL);
	mutex_unlock(&chan->lock);
}

static void push(struct migd_copy_op *op)
{
	unsigned long delay = POLL_MIN;

	if (push_some(op)) {
		if (!op->silent || atomic_read(&op->out) == 1) {
			/* Everything is submitted: drop the push's count. */
			out_dec(op);
			return;
		}
		/*
		 * Given up behind a descriptor that does not interrupt. Nobody
		 * would tell of it and those before it: look, ever less often.
		 */
		delay = op->poll;
		op->poll = min(2 * op->poll, (unsigned long)POLL_MAX);
	}

	/*
	 * Else there is no descriptor to be had. The next callback goes on; when
	 * none is out, another user of the channel has them all, or the provider
	 * takes back its descriptors only after the callbacks: look again in a
	 * moment. Once the bit is set, the next callback may bring the op to its
	 * end.
	 */
	kref_get(&op->ref);
	set_bit(MIGD_COPY_STALLED, &op->flags);
	push_later(op, delay);
	migd_copy_put(op);
}

static void push_work(struct work_struct *work)
{
	struct migd_copy_op *op = container_of(to_delayed_work(work),
					       struct migd_copy_op, push);

	/* Whoever clears the bit pushes; the op may be finished otherwise. */
	if (test_and_clear_bit(MIGD_COPY_STALLED, &op->flags)) {
		poll_channel(op->chan);
		push(op);
	}
	migd_copy_put(op);
}

/*
 * A lost interrupt is as good as a missing one. While COPYs are overdue on a
 * channel somebody looks at it, at a rate that costs nothing.
 */
void migd_chan_poll_work(struct work_struct *work)
{
	struct migd_chan *chan = container_of(to_delayed_work(work),
					      struct migd_chan, poll);

	if (atomic_read(&chan->overdue)) {
		poll_channel(chan);
		queue_delayed_work(migd_push_wq, &chan->poll, POLL_MAX);
	}
}

/* Pages from @pages on that are neighbours in memory, @max at most. */
static unsigned int neighbours(struct page **pages, unsigned int n,
			       unsigned int max)
{
	unsigned long first = page_to_pfn(pages[0]);
	unsigned int i;

	n = min(n, max);
	for (i = 1; i < n; i++)
		if (page_to_pfn(pages[i]) != first + i)
			break;
	return i;
}

static int map_side(struct device *dev, struct sg_table *sgt,
		    struct page **pages, unsigned int n,
		    enum dma_data_direction dir)
{
	unsigned int max, i, len, nents = 0;
	struct scatterlist *sg;
	int err;

	/*
	 * sg_alloc_table_from_pages() would do, at several times the cost: it
	 * knows of pages that no engine of ours is given.
	 */
	max = max(min(dma_get_max_seg_size(dev), MAX_SEGMENT) >> PAGE_SHIFT, 1U);
	for (i = 0; i < n; i += neighbours(pages + i, n - i, max))
		nents++;
	err = sg_alloc_table(sgt, nents, GFP_KERNEL);
	if (err)
		return err;
	sg = sgt->sgl;
	for (i = 0; i < n; i += len) {
		len = neighbours(pages + i, n - i, max);
		sg_set_page(sg, pages[i], len << PAGE_SHIFT, 0);
		sg = sg_next(sg);
	}
	err = dma_map_sgtable(dev, sgt, dir, 0);
	if (err)
		sg_free_table(sgt);
	/* Not EIO, which says that an engine had the pages in its hands. */
	return err && err != -ENOMEM ? -EBUSY : err;
}

/**
 * migd_copy_dma_start() - run a COPY on its channel
 * @op: begun
 *
 * One mapping for each side of the whole COPY. The end, an error included, is
 * migd_copy_finish(), which may come before this returns.
 *
 * Context: process; may sleep.
 */
void migd_copy_dma_start(struct migd_copy_op *op)
{
	struct migd_batch *batch = op->batch;
	struct device *dev;
	bool leaving;
	int err;

	INIT_DELAYED_WORK(&op->push, push_work);
	atomic_set(&op->out, 1);
	op->poll = POLL_MIN;
	op->rest = (size_t)op->count << PAGE_SHIFT;

	if (READ_ONCE(batch->closed)) {
		err = -ETIME;
		goto err;
	}

	/* In flight since migd_copy_begin(), so it stays when it is there now. */
	mutex_lock(&op->chan->lock);
	leaving = op->chan->leaving;
	mutex_unlock(&op->chan->lock);
	if (leaving) {
		err = -ENODEV;
		goto err;
	}

	dev = op->chan->dma_dev;
	err = map_side(dev, &op->src, batch->spage + op->first, op->count,
		       DMA_TO_DEVICE);
	if (err)
		goto err;
	err = map_side(dev, &op->dst, batch->dpage + op->first, op->count,
		       DMA_FROM_DEVICE);
	if (err)
		goto err_src;

	op->s_sg = op->src.sgl;
	op->d_sg = op->dst.sgl;
	push(op);
	return;

err_src:
	dma_unmap_sgtable(dev, &op->src, DMA_TO_DEVICE, 0);
	sg_free_table(&op->src);
err:
	op->error = err;
	migd_copy_finish(op);
}
