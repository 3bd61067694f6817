/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What copies: channels, COPYs, and what is held because of them.
 */
#ifndef _MIGD_COPY_H
#define _MIGD_COPY_H

#include <linux/completion.h>
#include <linux/dmaengine.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/scatterlist.h>
#include "internal.h"

/* One dmaengine channel claimed by name. */
struct migd_chan {
	struct kref ref;
	u32 id;
	struct dma_chan *chan;		/* NULL for the CPU */
	struct device *dev;		/* whose driver provides it */
	struct device *dma_dev;		/* for mappings */
	const struct bus_type *bus, *part_bus;
	const char *name, *device_name, *driver_name;
	int node;
	struct notifier_block nb;	/* for the driver's unbinding */
	struct notifier_block part_nb;	/* and that of a part of the device */
	struct work_struct forget;
	struct work_struct event;	/* holds a reference while pending */
	atomic_t fault;			/* errno that event has to tell */
	long told;			/* quarantined, as last told */
	struct completion released;
	struct mutex lock;		/* prep, submit, issue; and chan */
	bool leaving;
	bool gone;			/* the provider went with COPYs in flight */
	bool outlives;			/* but would wait for our release */
	bool forgotten;			/* under migd_chan_mutex */
	bool faulted;
	bool disabled;			/* has called a wrong copy complete */
	spinlock_t suspect_lock;
	struct list_head suspect;	/* pages of its wrong copies */
	bool ordered;			/* completes in order */
	struct completion idle;
	atomic_t in_flight;
	atomic_t overdue;		/* COPYs in flight whose batch has ended */
	struct delayed_work poll;	/* while there are some */
	spinlock_t failed_lock;
	struct list_head failed;	/* COPYs back with an error, not yet quiet */
	atomic_long_t quarantined;
	atomic64_t copies, pages, bytes, errors;
	struct migd_hist copy;
};

extern struct migd_chan migd_cpu;
extern struct mutex migd_chan_mutex;
struct migd_chan *migd_chan_get(u32 id);
void migd_chan_put(struct migd_chan *chan);
void migd_chan_idle(struct migd_chan *chan);
struct migd_chan *migd_chan_claim(const char *name, struct netlink_ext_ack *ack);
int migd_chan_release(u32 id, struct netlink_ext_ack *ack);
void migd_chan_release_all(void);
/* Tells listeners of a fault (0: none) and of the quarantine. Any context. */
void migd_chan_event(struct migd_chan *chan, int error);
/* Channels from @id upwards; the caller holds migd_chan_mutex. */
struct migd_chan *migd_chan_next(unsigned long *id);

/* One COPY: its command and its descriptors end independently. */
struct migd_copy_op {
	struct kref ref;
	struct list_head node;		/* batch->copies */
	struct migd_batch *batch;
	struct migd_chan *chan;
	struct io_uring_cmd *cmd;
	unsigned long flags;
#define MIGD_COPY_CMD_DONE	0	/* the command has been completed */
#define MIGD_COPY_STALLED	1	/* a callback or the timer goes on */
#define MIGD_COPY_HW_ERROR	2	/* the engine reported an error */
	bool back;			/* descriptors are; under batch->lock */
	bool finished;			/* writes no more; for the settling */
	bool failed;			/* is or was on chan->failed */
	struct list_head fnode;		/* chan->failed */
	unsigned int first, count;
	int error;
	u64 t_start, t_back;
	/* DMA only */
	struct sg_table src, dst;
	struct scatterlist *s_sg, *d_sg;
	unsigned int s_off, d_off, segs;
	size_t rest;			/* bytes that no descriptor has yet */
	bool silent;			/* the last descriptor does not interrupt */
	unsigned long poll;		/* jiffies until the next look at it */
	atomic_t out;			/* descriptors out, plus one while pushing */
	struct delayed_work push;
};

int migd_copy_issue(struct migd_slot *slot, struct io_uring_cmd *cmd,
		    const struct migd_copy *arg, unsigned int issue_flags);
void migd_copy_cancel(struct migd_copy_op *op, struct io_uring_cmd *cmd,
		      unsigned int issue_flags);
int migd_copy_begin(struct migd_copy_op *op);
/* Descriptors are back (or the CPU is done). Any context. */
void migd_copy_finish(struct migd_copy_op *op);
/* Nothing of a failed COPY can write any more: its mappings are gone, too. */
void migd_copy_let_go(struct migd_copy_op *op);
/* Completes the command, once, from any context. */
void migd_copy_complete(struct migd_copy_op *op, int res);
void migd_copy_put(struct migd_copy_op *op);
int migd_copy_cpu_run(struct migd_copy_op *op);
int migd_copy_one(struct migd_batch *batch, unsigned int i);
void migd_copy_dma_start(struct migd_copy_op *op);
void migd_copy_dma_unmap(struct migd_copy_op *op);
void migd_chan_poll_work(struct work_struct *work);

/* verify.c */
int migd_verify_alloc(struct migd_batch *batch);
void migd_verify_free(struct migd_batch *batch);
void migd_verify_note(struct migd_copy_op *op);
enum migd_reason migd_verify_page(struct migd_batch *batch, unsigned int i);
void migd_verify_hold(struct migd_batch *batch, unsigned int i);
void migd_verify_drop(struct migd_chan *chan);

/* quarantine.c */
void migd_quarantine_hold(struct migd_batch *batch, unsigned int i);
void migd_quarantine_enter(struct migd_copy_op *op, unsigned int pages);
void migd_quarantine_leave(struct migd_copy_op *op);
unsigned int migd_quarantine_drop(struct migd_copy_op *op);
void migd_quarantine_failed(struct migd_copy_op *op);
void migd_quarantine_quiet(struct migd_chan *chan, u64 before);
/* Takes no COPY: some are overdue, or failed ones hold too many pages. */
static inline bool migd_chan_quarantined(struct migd_chan *chan)
{
	return atomic_read(&chan->overdue) ||
		atomic_long_read(&chan->quarantined) > MIGD_MAX_BATCH_PAGES;
}

#endif /* _MIGD_COPY_H */
