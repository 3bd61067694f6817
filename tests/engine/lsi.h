/* SPDX-License-Identifier: GPL-2.0 */
/*
 * migd_lsi: a test-only dmaengine MEMCPY provider on QEMU's LSI 53C895A.
 *
 * One PCI device is one dma_device with one channel. The hardware runs one
 * script at a time ("a run"); everything else waits in first-in-first-out
 * order. lsi_main.c binds the PCI device, lsi_chan.c is the dmaengine side,
 * lsi_part.c a device that belongs to it,
 * lsi_script.c the only file that knows registers and instructions, and
 * lsi_fault.c the switches in debugfs (described there and in README).
 */
#ifndef MIGD_LSI_H
#define MIGD_LSI_H

#include <linux/dmaengine.h>
#include <linux/interrupt.h>
#include <linux/list.h>
#include <linux/pci.h>
#include <linux/spinlock.h>
#include <linux/types.h>

/* Fault switches, in the order of the table in lsi_fault.c. */
enum lsi_fault {
	LSI_LATENCY_US,
	LSI_GAP_US,
	LSI_FAIL_AFTER,
	LSI_FAIL_COUNT,
	LSI_LOSE_IRQ,
	LSI_HOLD,
	LSI_LATE_WRITE,
	LSI_NO_TERMINATE,
	LSI_PREP_NULL,
	LSI_SUBMIT_FAIL,
	LSI_SUBMIT_AFTER,
	LSI_PREP_ROOM,
	LSI_INTR_ONLY,
	LSI_REORDER,
	LSI_MAP_BITS,
	LSI_CORRUPT,
	LSI_NR_FAULTS,
};

/* Values of LSI_NO_TERMINATE. */
enum lsi_terminate {
	LSI_TERMINATE_RESET,	/* stop the hardware, drop everything */
	LSI_TERMINATE_REFUSED,	/* -EINVAL and nothing happens, as IOAT */
	LSI_TERMINATE_FORGET,	/* drop, but the run goes on, as zynqmp_dma */
};

enum lsi_counter {
	LSI_COMPLETED,		/* descriptors reported as copied */
	LSI_BYTES,		/* bytes of those */
	LSI_ERRORS,		/* descriptors reported as failed or aborted */
	LSI_TERMINATED,		/* descriptors dropped by terminate_all */
	LSI_IRQS,		/* interrupts that were ours */
	LSI_RUNS,		/* scripts started */
	LSI_IN_FLIGHT,		/* submitted, callback not yet run */
	LSI_NR_COUNTERS,
};

/*
 * A descriptor is on exactly one list, or in the hands of the tasklet that
 * runs its callback:
 *
 *   free -> prepared -> submitted -> issued -> running -> done -> free
 *
 * with a detour over held, lost or silent when a fault switch says so.
 */
enum lsi_list {
	LSI_FREE,
	LSI_PREPARED,		/* prep called, tx_submit not yet */
	LSI_SUBMITTED,		/* has a cookie, issue_pending not yet */
	LSI_ISSUED,		/* waits for the hardware */
	LSI_RUNNING,		/* in the script that the hardware executes */
	LSI_HELD,		/* copied, completion withheld (hold) */
	LSI_LOST,		/* copied, completion swallowed (lose_irq) */
	LSI_SILENT,		/* copied, no interrupt asked for (intr_only) */
	LSI_DONE,		/* waits for the tasklet */
	LSI_NR_LISTS,
};

struct lsi_desc {
	struct dma_async_tx_descriptor tx;
	struct list_head node;
	dma_addr_t dst;
	dma_addr_t src;
	size_t len;
	u32 end;		/* script offset behind its last instruction */
	bool fail;		/* gets an illegal instruction, not a move */
	bool corrupt;		/* something wrong is moved behind its data */
	bool orphan;		/* forgotten by terminate: no callback */
	struct dmaengine_result result;
};

/* Cookies that ended badly and can still be asked for. */
#define LSI_BAD_COOKIES 64

struct lsi_knob;

struct lsi_dev {
	struct dma_device dma;
	struct dma_chan chan;
	struct pci_dev *pdev;
	void __iomem *regs;	/* gone once dead is set */
	__le32 *script;
	dma_addr_t script_dma;
	struct tasklet_struct tasklet;
	struct lsi_desc *pool;	/* allocated while a client has the channel */

	spinlock_t lock;	/* everything below, and the registers */
	struct list_head list[LSI_NR_LISTS];
	dma_cookie_t bad[LSI_BAD_COOKIES];
	unsigned int bad_next;
	bool dead;		/* unbound; a client may still hold on */
	bool running;
	bool ended;		/* the run has raised its interrupt */
	u8 dstat;		/* why, valid with ended */
	long fault[LSI_NR_FAULTS];
	u64 count[LSI_NR_COUNTERS];

	struct device *part;
	struct dentry *debugfs;
	struct lsi_knob *knobs;
	struct list_head grave;
};

static inline struct lsi_dev *lsi_from_chan(struct dma_chan *chan)
{
	return container_of(chan, struct lsi_dev, chan);
}

/* lsi_script.c; all but setup are called with lsi->lock held */
int lsi_script_setup(struct lsi_dev *lsi);
void lsi_script_start(struct lsi_dev *lsi);
u32 lsi_script_offset(struct lsi_dev *lsi);
bool lsi_script_ok(u8 dstat);
void lsi_hw_reset(struct lsi_dev *lsi);
bool lsi_hw_irq(struct lsi_dev *lsi, u8 *dstat_ret);

/* lsi_chan.c */
void lsi_chan_init(struct lsi_dev *lsi);
void lsi_chan_kick(struct lsi_dev *lsi);
void lsi_chan_release(struct lsi_dev *lsi, enum lsi_list from);
void lsi_chan_kill(struct lsi_dev *lsi);

/* lsi_part.c */
int lsi_part_init(void);
void lsi_part_exit(void);
int lsi_part_add(struct lsi_dev *lsi);
void lsi_part_remove(struct lsi_dev *lsi);

/* lsi_fault.c */
void lsi_fault_init(void);
void lsi_fault_exit(void);
void lsi_fault_defaults(struct lsi_dev *lsi);
int lsi_fault_add(struct lsi_dev *lsi);
void lsi_fault_remove(struct lsi_dev *lsi);
bool lsi_fault_take(struct lsi_dev *lsi, enum lsi_fault fault);
bool lsi_fault_fails(struct lsi_dev *lsi);

#endif
