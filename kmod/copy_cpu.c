// SPDX-License-Identifier: GPL-2.0
/*
 * The CPU as an engine: machine-check safe where the architecture is, and with
 * MTE tags on arm64, as folio_mc_copy() is.
 */
#include <linux/mm.h>
#include <linux/sched.h>
#include "copy.h"
#include "internal.h"

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
	int err = folio_mc_copy(page_folio(batch->dpage[i]),
				page_folio(batch->spage[i]));

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
		cond_resched();
	}
	res = op->error ? op->error : (int)op->count;
	migd_copy_finish(op);
	migd_copy_put(op);
	return res;
}
