// SPDX-License-Identifier: GPL-2.0
/*
 * COPY: a range of a batch, an engine, a command. The command's life is apart
 * from the descriptors': cancel or the end of the batch completes the command,
 * the descriptors come back when they come back.
 */
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/slab.h>
#include "copy.h"
#include "internal.h"
#include "trace.h"

static void op_free(struct kref *ref)
{
	struct migd_copy_op *op = container_of(ref, struct migd_copy_op, ref);

	if (op->chan)
		migd_chan_put(op->chan);
	kfree(op);
}

/* Context: any. */
void migd_copy_put(struct migd_copy_op *op)
{
	kref_put(&op->ref, op_free);
}

static void complete_in_task(struct io_uring_cmd *cmd, unsigned int issue_flags)
{
	struct migd_pdu *pdu = io_uring_cmd_to_pdu(cmd, struct migd_pdu);
	struct migd_copy_op *op = pdu->ptr;
	int res = pdu->res;

	/* Until here a cancel may look at the op through the command. */
	io_uring_cmd_done(cmd, res, 0, issue_flags);
	migd_copy_put(op);
}

/**
 * migd_copy_complete() - complete the command of a COPY
 * @op: the COPY
 * @res: result of the command
 *
 * The first caller decides the result; later ones do nothing. Only the
 * completion event waits for the daemon's task.
 *
 * Context: any, dmaengine callbacks included.
 */
void migd_copy_complete(struct migd_copy_op *op, int res)
{
	if (test_and_set_bit(MIGD_COPY_CMD_DONE, &op->flags))
		return;
	io_uring_cmd_to_pdu(op->cmd, struct migd_pdu)->res = res;
	io_uring_cmd_complete_in_task(op->cmd, complete_in_task);
}

/**
 * migd_copy_cancel() - io_uring wants the command back
 * @op: the COPY
 * @cmd: its command
 * @issue_flags: as given to ->uring_cmd()
 *
 * Context: the daemon's task, or its exit work.
 */
void migd_copy_cancel(struct migd_copy_op *op, struct io_uring_cmd *cmd,
		      unsigned int issue_flags)
{
	if (test_and_set_bit(MIGD_COPY_CMD_DONE, &op->flags))
		return;
	io_uring_cmd_done(cmd, -ECANCELED, 0, issue_flags);
	migd_copy_put(op);
}

/**
 * migd_copy_begin() - claim the range of a COPY
 * @op: the COPY; on success its batch's list holds a reference to it, and it
 *	one to its batch, until migd_copy_finish(), or, when its engine reports an
 *	error, until migd_copy_let_go()
 *
 * Context: process.
 * Return: 0, -ESTALE when the batch is ending, -ERANGE, -EALREADY, or -EIO for a
 * page on which an engine has reported an error.
 */
int migd_copy_begin(struct migd_copy_op *op)
{
	struct migd_batch *batch = op->batch;
	unsigned int end = op->first + op->count;
	int err = 0;

	spin_lock_irq(&batch->lock);
	if (batch->closed)
		err = -ESTALE;
	else if (!op->count || end > batch->nr)
		err = -ERANGE;
	else if (find_next_bit(batch->claimed, end, op->first) < end ||
		 find_next_bit(batch->copied, end, op->first) < end)
		err = -EALREADY;
	else if (find_next_bit(batch->spoiled, end, op->first) < end)
		err = -EIO;
	if (!err) {
		bitmap_set(batch->claimed, op->first, op->count);
		migd_verify_note(op);
		if (batch->state != MIGD_BATCH_COPYING)
			migd_batch_state(batch, MIGD_BATCH_COPYING);
		list_add_tail(&op->node, &batch->copies);
		batch->nr_out++;
		kref_get(&op->ref);
		migd_batch_get(batch);
		/* Until migd_copy_finish() has returned, whatever else ends. */
		__module_get(THIS_MODULE);
		if (op->chan == &migd_cpu)
			batch->nr_cpu++;
		atomic_inc(&op->chan->in_flight);
	}
	spin_unlock_irq(&batch->lock);
	if (!err)
		trace_migd_copy(batch->job->id, batch->seq, op->chan->name,
				op->first, op->count, "begin", 0);
	return err;
}

static void account(struct migd_copy_op *op)
{
	struct migd_chan *chan = op->chan;

	if (chan == &migd_cpu)
		migd_job_worked(op->batch->job, op->t_start);
	if (!op->error) {
		atomic64_add(op->count, &chan->pages);
		atomic64_add((u64)op->count << PAGE_SHIFT, &chan->bytes);
		chan->faulted = false;
		atomic64_inc(&chan->copies);
		migd_hist_add(&chan->copy, ktime_get_ns() - op->t_start);
	} else if (op->error != -ESTALE && op->error != -ETIME) {
		chan->faulted = true;
		atomic64_inc(&chan->errors);
		migd_chan_event(chan, op->error);
		trace_migd_error(op->batch->job->id, op->batch->seq, "copy",
				 op->error);
	}
}

/*
 * Nothing of @op writes any more. True when it leaves its batch here; else the
 * settling of the batch, which has not been, drops what it holds for it. The
 * caller holds batch->lock.
 */
static bool detach(struct migd_copy_op *op)
{
	struct migd_batch *batch = op->batch;

	if (!batch->settled && (batch->sealed || op->failed)) {
		op->finished = true;
		return false;
	}
	list_del_init(&op->node);
	return true;
}

/**
 * migd_copy_let_go() - the engine of a failed COPY is known to be quiet
 * @op: was kept by migd_quarantine_failed(); its mappings are gone
 *
 * Context: any.
 */
void migd_copy_let_go(struct migd_copy_op *op)
{
	struct migd_batch *batch = op->batch;
	bool settled, detached;
	unsigned long irq;

	spin_lock_irqsave(&batch->lock, irq);
	/* The settling may drop its reference as soon as the lock is free. */
	kref_get(&op->ref);
	settled = batch->settled;
	detached = detach(op);
	spin_unlock_irqrestore(&batch->lock, irq);

	if (settled)
		migd_quarantine_leave(op);
	if (detached) {
		migd_copy_put(op);
		migd_batch_put(batch);
	}
	migd_copy_put(op);
	module_put(THIS_MODULE);
}

/**
 * migd_copy_finish() - the engine is done with the range
 * @op: op->error is set; its mappings are gone, unless op->failed is set
 *
 * Nothing writes the destinations any more. Before the end of the batch the
 * pages become copied, or free for another COPY; after it, what was held for
 * this COPY is let go. With op->failed the engine may still write: the pages are
 * spoiled, for this batch, and held until migd_copy_let_go().
 *
 * Context: any.
 */
void migd_copy_finish(struct migd_copy_op *op)
{
	bool settled, end_now = false, failed = op->failed, detached = false;
	struct migd_batch *batch = op->batch;
	struct migd_chan *chan = op->chan;
	unsigned long irq;

	/*
	 * The end of the batch, or a channel that is quiet, may drop the list's
	 * references as soon as the lock is released, and the command may be
	 * gone already.
	 */
	kref_get(&op->ref);
	migd_batch_get(batch);
	if (failed)
		__module_get(THIS_MODULE);
	trace_migd_copy(batch->job->id, batch->seq, chan->name, op->first,
			op->count, "end", op->error);
	account(op);

	spin_lock_irqsave(&batch->lock, irq);
	settled = batch->settled;
	if (!batch->sealed) {
		bitmap_clear(batch->claimed, op->first, op->count);
		if (!op->error)
			bitmap_set(batch->copied, op->first, op->count);
		else if (failed)
			bitmap_set(batch->spoiled, op->first, op->count);
	}
	if (chan == &migd_cpu)
		WRITE_ONCE(batch->nr_cpu, batch->nr_cpu - 1);
	op->back = true;
	batch->nr_out--;
	if (!failed)
		detached = detach(op);
	if (!batch->closed && !batch->nr_out) {
		migd_batch_state(batch, MIGD_BATCH_COPIED);
		end_now = test_bit(MIGD_BATCH_ORPHAN, &batch->flags);
	}
	spin_unlock_irqrestore(&batch->lock, irq);

	if (settled) {
		atomic_dec(&chan->overdue);
		if (!failed)
			migd_quarantine_leave(op);
	}
	op->t_back = ktime_get_ns();
	if (failed)
		migd_quarantine_failed(op);
	else if (!op->error && chan->ordered)
		migd_quarantine_quiet(chan, op->t_start);
	if (atomic_dec_and_test(&chan->in_flight))
		migd_chan_idle(chan);
	migd_copy_complete(op, op->error ? op->error : (int)op->count);
	if (end_now && cancel_delayed_work(&batch->deadline))
		queue_delayed_work(migd_end_wq, &batch->deadline, 0);
	/* close_batch() waits for CPU copies to leave. */
	if (chan == &migd_cpu && wq_has_sleeper(&migd_wait))
		wake_up_all(&migd_wait);
	if (detached) {
		migd_copy_put(op);
		migd_batch_put(batch);
	}
	migd_copy_put(op);
	migd_batch_put(batch);
	/* The exit of the module synchronizes with our callback. */
	module_put(THIS_MODULE);
}

/**
 * migd_copy_issue() - the COPY command
 * @slot: the slot it names
 * @cmd: the command
 * @arg: what it carries, read once
 * @issue_flags: as given to ->uring_cmd()
 *
 * A CPU copy goes to an io-wq worker. The non-blocking call claims nothing:
 * io-wq work that is cancelled never comes back here.
 *
 * Context: process.
 * Return: result of the command, or -EIOCBQUEUED.
 */
int migd_copy_issue(struct migd_slot *slot, struct io_uring_cmd *cmd,
		    const struct migd_copy *arg, unsigned int issue_flags)
{
	bool cpu = arg->engine == MIGD_ENGINE_CPU;
	struct migd_pdu *pdu = io_uring_cmd_to_pdu(cmd, struct migd_pdu);
	struct migd_copy_op *op;
	struct migd_batch *batch;
	u64 start;
	int err;

	if (arg->flags)
		return -EINVAL;
	if (!cpu && !(slot->server->features & MIGD_FEAT_DMA))
		return -EOPNOTSUPP;
	if (cpu && (issue_flags & IO_URING_F_NONBLOCK))
		return -EAGAIN;

	batch = migd_slot_batch(slot, arg->seq);
	if (IS_ERR(batch))
		return PTR_ERR(batch);

	op = kzalloc(sizeof(*op), GFP_KERNEL);
	if (!op) {
		err = -ENOMEM;
		goto out_batch;
	}
	kref_init(&op->ref);
	INIT_LIST_HEAD(&op->node);
	op->batch = batch;
	op->cmd = cmd;
	op->first = arg->first;
	op->count = arg->count;
	op->chan = migd_chan_get(arg->engine);
	if (!op->chan) {
		err = -ENODEV;
		goto out_op;
	}
	if (!cpu && (migd_chan_quarantined(op->chan) ||
		     READ_ONCE(op->chan->disabled))) {
		err = -EBUSY;
		goto out_op;
	}

	/*
	 * The result of a CPU copy goes back by return; nobody completes it.
	 * Nor a command that is not set up yet: from migd_copy_begin() on the
	 * end of the batch knows it, and an io-wq worker may be slow here.
	 */
	set_bit(MIGD_COPY_CMD_DONE, &op->flags);
	err = migd_copy_begin(op);
	if (err)
		goto out_op;
	op->t_start = ktime_get_ns();

	if (cpu) {
		err = migd_copy_cpu_run(op);
		goto out_batch;
	}

	/* The command's reference to the op is the one kref_init() made. */
	pdu->ptr = op;
	pdu->is_copy = true;
	/* A cancel that comes too early finds the bit set, and comes again. */
	io_uring_cmd_mark_cancelable(cmd, issue_flags);
	clear_bit(MIGD_COPY_CMD_DONE, &op->flags);
	/*
	 * Either complete_copies() sees the bit clear, or the start sees the
	 * batch closed, and then completes the command as it ends the COPY.
	 */
	smp_mb__after_atomic();
	start = ktime_get_ns();
	migd_copy_dma_start(op);
	migd_job_worked(batch->job, start);
	err = -EIOCBQUEUED;
	goto out_batch;

out_op:
	migd_copy_put(op);
out_batch:
	migd_batch_put(batch);
	return err;
}
