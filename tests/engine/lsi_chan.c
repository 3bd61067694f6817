// SPDX-License-Identifier: GPL-2.0
/*
 * The dmaengine side of migd_lsi: descriptors, cookies, callbacks.
 */
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>

#include "lsi.h"

static uint descs = 64;
module_param(descs, uint, 0444);
MODULE_PARM_DESC(descs, "descriptors per channel; prep answers NULL to the next one (default 64)");

static struct lsi_desc *lsi_from_tx(struct dma_async_tx_descriptor *tx)
{
	return container_of(tx, struct lsi_desc, tx);
}

static void lsi_set_result(struct lsi_desc *d, enum dmaengine_tx_result result)
{
	d->result.result = result;
	d->result.residue = result == DMA_TRANS_NOERROR ? 0 :
			    min_t(size_t, d->len, U32_MAX);
}

/* Remembers a cookie that ended badly, so that tx_status can tell. */
static void lsi_mark_bad(struct lsi_dev *lsi, dma_cookie_t cookie)
{
	lsi->bad[lsi->bad_next++ % LSI_BAD_COOKIES] = cookie;
}

static bool lsi_is_bad(struct lsi_dev *lsi, dma_cookie_t cookie)
{
	int i;

	for (i = 0; i < LSI_BAD_COOKIES; i++)
		if (lsi->bad[i] == cookie)
			return true;
	return false;
}

/* Starts the next run unless the hardware is busy or told to wait. */
static void lsi_start(struct lsi_dev *lsi)
{
	lockdep_assert_held(&lsi->lock);
	if (lsi->dead || lsi->running || lsi->fault[LSI_LATE_WRITE] ||
	    list_empty(&lsi->list[LSI_ISSUED]))
		return;
	lsi_script_start(lsi);
}

/*
 * The list for a descriptor that has ended. Some hardware tells of one only
 * when it was asked to interrupt or has failed, and then of those before it.
 */
static struct list_head *lsi_told(struct lsi_dev *lsi, const struct lsi_desc *d,
				  bool bad)
{
	if (lsi->fault[LSI_INTR_ONLY] && !bad &&
	    !(d->tx.flags & DMA_PREP_INTERRUPT))
		return &lsi->list[LSI_SILENT];
	list_splice_tail_init(&lsi->list[LSI_SILENT], &lsi->list[LSI_DONE]);
	return &lsi->list[LSI_DONE];
}

/* Descriptors that are with the client or on their way to it. */
static bool lsi_is_full(struct lsi_dev *lsi)
{
	return lsi->fault[LSI_PREP_ROOM] &&
		lsi->count[LSI_IN_FLIGHT] >= lsi->fault[LSI_PREP_ROOM];
}

/*
 * Sorts the descriptors of a run that has raised its interrupt: copied ones
 * are done, one that the hardware refused has failed, and those behind it
 * have not been touched and run again, first in line.
 */
static void lsi_end_run(struct lsi_dev *lsi)
{
	struct list_head *run = &lsi->list[LSI_RUNNING];
	bool ok = lsi_script_ok(lsi->dstat);
	enum lsi_list to = LSI_DONE;
	struct lsi_desc *d, *n;
	u32 at = U32_MAX;

	lockdep_assert_held(&lsi->lock);
	if (!ok) {
		at = lsi_script_offset(lsi);
		lsi_hw_reset(lsi);
	}
	lsi->running = false;
	lsi->ended = false;

	if (lsi_fault_take(lsi, LSI_LOSE_IRQ))
		to = LSI_LOST;
	else if (lsi->fault[LSI_HOLD])
		to = LSI_HELD;

	list_for_each_entry_safe(d, n, run, node) {
		bool bad = d->end >= at;
		struct list_head *list = &lsi->list[d->orphan ? LSI_DONE : to];

		lsi_set_result(d, bad ? DMA_TRANS_WRITE_FAILED :
				  DMA_TRANS_NOERROR);
		if (!d->orphan && to == LSI_DONE)
			list = lsi_told(lsi, d, bad);
		if (lsi->fault[LSI_REORDER])
			list_move(&d->node, list);
		else
			list_move_tail(&d->node, list);
		if (bad)
			break;
	}
	list_splice_init(run, &lsi->list[LSI_ISSUED]);
}

/* The client hears of a descriptor here, and nowhere else. */
static void lsi_report(struct lsi_dev *lsi, struct lsi_desc *d)
{
	struct dmaengine_result result = d->result;
	struct dma_async_tx_descriptor *tx = &d->tx;
	dma_cookie_t cookie = tx->cookie;
	unsigned long flags;

	spin_lock_irqsave(&lsi->lock, flags);
	if (!d->orphan) {
		if (result.result == DMA_TRANS_NOERROR) {
			lsi->count[LSI_COMPLETED]++;
			lsi->count[LSI_BYTES] += d->len;
		} else {
			lsi->count[LSI_ERRORS]++;
			lsi_mark_bad(lsi, cookie);
		}
		/* a lost completion may come after a younger one */
		if (cookie > lsi->chan.completed_cookie)
			lsi->chan.completed_cookie = cookie;
	}
	spin_unlock_irqrestore(&lsi->lock, flags);

	dma_descriptor_unmap(tx);
	if (d->orphan)
		return;
	if (tx->callback_result)
		tx->callback_result(tx->callback_param, &result);
	else if (tx->callback)
		tx->callback(tx->callback_param);
}

static void lsi_tasklet(struct tasklet_struct *t)
{
	struct lsi_dev *lsi = from_tasklet(lsi, t, tasklet);
	struct lsi_desc *d;
	unsigned long flags;

	spin_lock_irqsave(&lsi->lock, flags);
	if (lsi->ended)
		lsi_end_run(lsi);
	lsi_start(lsi);
	for (;;) {
		d = list_first_entry_or_null(&lsi->list[LSI_DONE],
					     struct lsi_desc, node);
		if (!d)
			break;
		list_del_init(&d->node);
		spin_unlock_irqrestore(&lsi->lock, flags);
		lsi_report(lsi, d);
		spin_lock_irqsave(&lsi->lock, flags);
		if (!d->orphan)
			lsi->count[LSI_IN_FLIGHT]--;
		list_add_tail(&d->node, &lsi->list[LSI_FREE]);
	}
	spin_unlock_irqrestore(&lsi->lock, flags);
}

/* After a switch has let go: start what waits, report what is done. */
void lsi_chan_kick(struct lsi_dev *lsi)
{
	lockdep_assert_held(&lsi->lock);
	lsi_start(lsi);
	tasklet_schedule(&lsi->tasklet);
}

/* Completions that a switch kept back go to the client now. */
void lsi_chan_release(struct lsi_dev *lsi, enum lsi_list from)
{
	lockdep_assert_held(&lsi->lock);
	list_splice_tail_init(&lsi->list[from], &lsi->list[LSI_DONE]);
	lsi_chan_kick(lsi);
}

static struct dma_async_tx_descriptor *
lsi_prep_memcpy(struct dma_chan *chan, dma_addr_t dst, dma_addr_t src,
		size_t len, unsigned long flags)
{
	struct lsi_dev *lsi = lsi_from_chan(chan);
	struct dma_async_tx_descriptor *tx = NULL;
	struct lsi_desc *d;
	unsigned long irqflags;

	if (!len)
		return NULL;
	spin_lock_irqsave(&lsi->lock, irqflags);
	if (lsi->dead || list_empty(&lsi->list[LSI_FREE]) || lsi_is_full(lsi) ||
	    lsi_fault_take(lsi, LSI_PREP_NULL))
		goto out;
	d = list_first_entry(&lsi->list[LSI_FREE], struct lsi_desc, node);
	list_move_tail(&d->node, &lsi->list[LSI_PREPARED]);
	d->dst = dst;
	d->src = src;
	d->len = len;
	d->fail = false;
	d->orphan = false;
	tx = &d->tx;
	tx->flags = flags;
	tx->cookie = -EBUSY;
	tx->callback = NULL;
	tx->callback_result = NULL;
	tx->callback_param = NULL;
	tx->unmap = NULL;
out:
	spin_unlock_irqrestore(&lsi->lock, irqflags);
	return tx;
}

static dma_cookie_t lsi_tx_submit(struct dma_async_tx_descriptor *tx)
{
	struct lsi_dev *lsi = lsi_from_chan(tx->chan);
	struct lsi_desc *d = lsi_from_tx(tx);
	dma_cookie_t cookie;
	unsigned long flags;

	spin_lock_irqsave(&lsi->lock, flags);
	if (lsi->dead || (lsi->fault[LSI_SUBMIT_FAIL] &&
			  !lsi_fault_take(lsi, LSI_SUBMIT_AFTER) &&
			  lsi_fault_take(lsi, LSI_SUBMIT_FAIL))) {
		cookie = lsi->dead ? -ENODEV : -EIO;
		list_del_init(&d->node);
		spin_unlock_irqrestore(&lsi->lock, flags);
		dma_descriptor_unmap(tx);
		spin_lock_irqsave(&lsi->lock, flags);
		list_add_tail(&d->node, &lsi->list[LSI_FREE]);
		goto out;
	}
	cookie = tx->chan->cookie + 1;
	if (cookie < DMA_MIN_COOKIE)
		cookie = DMA_MIN_COOKIE;
	tx->cookie = cookie;
	tx->chan->cookie = cookie;
	d->fail = lsi_fault_fails(lsi);
	d->corrupt = lsi_fault_take(lsi, LSI_CORRUPT);
	lsi->count[LSI_IN_FLIGHT]++;
	list_move_tail(&d->node, &lsi->list[LSI_SUBMITTED]);
out:
	spin_unlock_irqrestore(&lsi->lock, flags);
	return cookie;
}

static void lsi_issue_pending(struct dma_chan *chan)
{
	struct lsi_dev *lsi = lsi_from_chan(chan);
	unsigned long flags;

	spin_lock_irqsave(&lsi->lock, flags);
	list_splice_tail_init(&lsi->list[LSI_SUBMITTED],
			      &lsi->list[LSI_ISSUED]);
	lsi_start(lsi);
	spin_unlock_irqrestore(&lsi->lock, flags);
}

/* A descriptor that the client still waits for, or NULL. */
static struct lsi_desc *lsi_find(struct lsi_dev *lsi, dma_cookie_t cookie)
{
	struct lsi_desc *d;
	int i;

	for (i = LSI_SUBMITTED; i < LSI_NR_LISTS; i++)
		list_for_each_entry(d, &lsi->list[i], node)
			if (d->tx.cookie == cookie && !d->orphan)
				return d;
	return NULL;
}

static enum dma_status lsi_tx_status(struct dma_chan *chan,
				     dma_cookie_t cookie,
				     struct dma_tx_state *state)
{
	struct lsi_dev *lsi = lsi_from_chan(chan);
	enum dma_status status;
	struct lsi_desc *d;
	unsigned long flags;
	u32 residue = 0;

	spin_lock_irqsave(&lsi->lock, flags);
	/* Being asked is when the others are noticed. */
	if (!list_empty(&lsi->list[LSI_SILENT]) && !lsi->dead)
		lsi_chan_release(lsi, LSI_SILENT);
	d = lsi_find(lsi, cookie);
	if (d) {
		status = DMA_IN_PROGRESS;
		residue = min_t(size_t, d->len, U32_MAX);
	} else if (lsi_is_bad(lsi, cookie)) {
		status = DMA_ERROR;
	} else {
		status = dma_async_is_complete(cookie, chan->completed_cookie,
					       chan->cookie);
	}
	if (state) {
		state->last = chan->completed_cookie;
		state->used = chan->cookie;
		state->in_flight_bytes = 0;
		state->residue = residue;
	}
	spin_unlock_irqrestore(&lsi->lock, flags);
	return status;
}

/*
 * Takes everything from the hardware and the queues. Their callbacks never
 * run; one that runs already is waited for in lsi_synchronize(). With forget,
 * the script goes on and its descriptors end as orphans.
 */
static void lsi_drop_all(struct lsi_dev *lsi, bool forget)
{
	struct lsi_desc *d;
	unsigned long flags;
	LIST_HEAD(drop);
	int i;

	spin_lock_irqsave(&lsi->lock, flags);
	if (!forget && !lsi->dead)
		lsi_hw_reset(lsi);
	for (i = LSI_PREPARED; i < LSI_NR_LISTS; i++) {
		if (i != LSI_RUNNING || !forget) {
			list_splice_tail_init(&lsi->list[i], &drop);
			continue;
		}
		list_for_each_entry(d, &lsi->list[i], node) {
			if (d->orphan)
				continue;
			d->orphan = true;
			lsi_mark_bad(lsi, d->tx.cookie);
			lsi->count[LSI_TERMINATED]++;
			lsi->count[LSI_IN_FLIGHT]--;
		}
	}
	list_for_each_entry(d, &drop, node) {
		if (d->tx.cookie < DMA_MIN_COOKIE || d->orphan)
			continue;
		lsi_mark_bad(lsi, d->tx.cookie);
		lsi->count[LSI_TERMINATED]++;
		lsi->count[LSI_IN_FLIGHT]--;
	}
	spin_unlock_irqrestore(&lsi->lock, flags);

	list_for_each_entry(d, &drop, node)
		dma_descriptor_unmap(&d->tx);

	spin_lock_irqsave(&lsi->lock, flags);
	list_splice_tail(&drop, &lsi->list[LSI_FREE]);
	spin_unlock_irqrestore(&lsi->lock, flags);
}

static int lsi_terminate_all(struct dma_chan *chan)
{
	struct lsi_dev *lsi = lsi_from_chan(chan);
	long mode = READ_ONCE(lsi->fault[LSI_NO_TERMINATE]);

	if (mode == LSI_TERMINATE_REFUSED)
		return -EINVAL;
	lsi_drop_all(lsi, mode == LSI_TERMINATE_FORGET);
	return 0;
}

static void lsi_synchronize(struct dma_chan *chan)
{
	tasklet_kill(&lsi_from_chan(chan)->tasklet);
}

static int lsi_alloc_chan_resources(struct dma_chan *chan)
{
	struct lsi_dev *lsi = lsi_from_chan(chan);
	struct lsi_desc *pool;
	unsigned int i;

	pool = kvcalloc(descs, sizeof(*pool), GFP_KERNEL);
	if (!pool)
		return -ENOMEM;
	for (i = 0; i < descs; i++) {
		dma_async_tx_descriptor_init(&pool[i].tx, chan);
		pool[i].tx.tx_submit = lsi_tx_submit;
	}

	spin_lock_irq(&lsi->lock);
	if (lsi->dead) {
		spin_unlock_irq(&lsi->lock);
		kvfree(pool);
		return -ENODEV;
	}
	lsi->pool = pool;
	for (i = 0; i < descs; i++)
		list_add_tail(&pool[i].node, &lsi->list[LSI_FREE]);
	chan->cookie = DMA_MIN_COOKIE;
	chan->completed_cookie = DMA_MIN_COOKIE;
	memset(lsi->bad, 0, sizeof(lsi->bad));
	spin_unlock_irq(&lsi->lock);
	return descs;
}

/* Whatever the switches say, here the hardware is stopped. */
static void lsi_free_chan_resources(struct dma_chan *chan)
{
	struct lsi_dev *lsi = lsi_from_chan(chan);

	lsi_drop_all(lsi, false);
	tasklet_kill(&lsi->tasklet);
	INIT_LIST_HEAD(&lsi->list[LSI_FREE]);
	kvfree(lsi->pool);
	lsi->pool = NULL;
}

/*
 * Unbind: the hardware is stopped and every waiting client told. Held
 * completions keep their result, the rest is aborted.
 */
void lsi_chan_kill(struct lsi_dev *lsi)
{
	struct lsi_desc *d;
	int i;

	spin_lock_irq(&lsi->lock);
	lsi_hw_reset(lsi);
	lsi->dead = true;
	list_splice_tail_init(&lsi->list[LSI_SILENT], &lsi->list[LSI_DONE]);
	list_splice_tail_init(&lsi->list[LSI_HELD], &lsi->list[LSI_DONE]);
	for (i = LSI_SUBMITTED; i < LSI_DONE; i++) {
		list_for_each_entry(d, &lsi->list[i], node)
			lsi_set_result(d, DMA_TRANS_ABORTED);
		list_splice_tail_init(&lsi->list[i], &lsi->list[LSI_DONE]);
	}
	spin_unlock_irq(&lsi->lock);

	tasklet_schedule(&lsi->tasklet);
	tasklet_kill(&lsi->tasklet);
}

void lsi_chan_init(struct lsi_dev *lsi)
{
	struct dma_device *dma = &lsi->dma;
	int i;

	for (i = 0; i < LSI_NR_LISTS; i++)
		INIT_LIST_HEAD(&lsi->list[i]);
	tasklet_setup(&lsi->tasklet, lsi_tasklet);

	dma_cap_set(DMA_MEMCPY, dma->cap_mask);
	dma_cap_set(DMA_PRIVATE, dma->cap_mask);
	dma->copy_align = DMAENGINE_ALIGN_1_BYTE;
	dma->src_addr_widths = BIT(DMA_SLAVE_BUSWIDTH_4_BYTES);
	dma->dst_addr_widths = BIT(DMA_SLAVE_BUSWIDTH_4_BYTES);
	dma->directions = BIT(DMA_MEM_TO_MEM);
	dma->residue_granularity = DMA_RESIDUE_GRANULARITY_DESCRIPTOR;
	dma->device_alloc_chan_resources = lsi_alloc_chan_resources;
	dma->device_free_chan_resources = lsi_free_chan_resources;
	dma->device_prep_dma_memcpy = lsi_prep_memcpy;
	dma->device_issue_pending = lsi_issue_pending;
	dma->device_tx_status = lsi_tx_status;
	dma->device_terminate_all = lsi_terminate_all;
	dma->device_synchronize = lsi_synchronize;

	INIT_LIST_HEAD(&dma->channels);
	lsi->chan.device = dma;
	list_add_tail(&lsi->chan.device_node, &dma->channels);
}
