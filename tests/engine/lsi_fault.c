// SPDX-License-Identifier: GPL-2.0
/*
 * Fault switches and counters in /sys/kernel/debug/migd_lsi/<pci name>/.
 *
 * Switches, read and write, decimal; a value out of range is refused with
 * EINVAL and changes nothing. They belong to the device, not to its client,
 * and take effect at the point named:
 *
 * latency_us	 0..2000000. Every run started from now on computes for at least
 *		 this long before its first move, while the guest's CPUs go on.
 *		 Rounded up to 500 us; the real figure is 10 to 25% above.
 * gap_us	 0..20000. The same between two moves of a run: a stop in the
 *		 middle finds the first destinations written, the last ones not.
 * fail_after	 -1 off. n: n descriptors submitted from now on are sound, the
 *		 one after them gets an illegal instruction instead of its move.
 *		 The hardware stops there; that descriptor's destination is not
 *		 touched and it reports DMA_TRANS_WRITE_FAILED. The driver resets
 *		 the hardware and runs those behind it.
 * fail_count	 1. How many descriptors in a row fail once fail_after is due; -1
 *		 all of them. Both go back to their default when used up.
 * lose_irq	 0. n: the completion interrupts of the next n runs are lost: the
 *		 data is there, no callback comes, the channel goes on. -1: all.
 *		 Writing 0 delivers what was lost, late and out of order.
 * hold		 1: runs that end from now on keep their data written, but the
 *		 callbacks wait until 0 is written.
 * late_write	 1: no run is started until 0 is written: an engine that writes
 *		 after the client's deadline. A run under way is not affected.
 * no_terminate	 0: terminate_all resets the hardware: what is not written yet is
 *		 never written. 1: it returns -EINVAL and does nothing, as if the
 *		 driver had none. 2: it returns 0 and drops the descriptors, but
 *		 the run under way goes on and writes, as zynqmp_dma does.
 * prep_null	 0. n: the next n preps that would succeed return NULL. -1: all.
 * submit_fail	 0. n: the next n tx_submit return -EIO. -1: all.
 * submit_after	 0. n: while submit_fail is on, n more tx_submit succeed first.
 * prep_room	 0 off. n: prep returns NULL while n descriptors are in flight.
 * intr_only	 1: a descriptor without DMA_PREP_INTERRUPT is told of only together
 *		 with one behind it that has the flag or has failed, or when
 *		 tx_status is called, as with IOAT. Writing 0 tells of the rest.
 * reorder	 1: the callbacks of a run come in reverse order.
 * map_bits	 32. n: the device claims to reach addresses of n bits only, so that
 *		 mapping a page for it fails. Behind an IOMMU only; without one the
 *		 kernel WARNs at such a mapping.
 * corrupt	 0. n: the next n descriptors submitted get their data, then 8 bytes
 *		 in its middle are overwritten, and they report success. -1: all.
 *
 * Counters, read only, since the device was bound:
 *
 * completed, bytes	descriptors reported as copied, and their bytes
 * errors		descriptors reported as failed or aborted
 * terminated		descriptors dropped by terminate_all or by release
 * irqs, runs		interrupts that were ours, scripts started
 * in_flight		submitted, and the callback has not returned
 * queued, running, held, lost, silent	those of in_flight that wait for the
 *			hardware, are in its script, are withheld by hold, by
 *			lose_irq or by intr_only
 */
#include <linux/debugfs.h>
#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/slab.h>

#include "lsi.h"

struct lsi_knob_def {
	const char *name;
	long min;
	long max;
	long initial;
};

static const struct lsi_knob_def lsi_faults[LSI_NR_FAULTS] = {
	[LSI_LATENCY_US]   = { "latency_us",	0,  2000000,		0 },
	[LSI_GAP_US]	   = { "gap_us",	0,  20000,		0 },
	[LSI_FAIL_AFTER]   = { "fail_after",	-1, INT_MAX,		-1 },
	[LSI_FAIL_COUNT]   = { "fail_count",	-1, INT_MAX,		1 },
	[LSI_LOSE_IRQ]	   = { "lose_irq",	-1, INT_MAX,		0 },
	[LSI_HOLD]	   = { "hold",		0,  1,			0 },
	[LSI_LATE_WRITE]   = { "late_write",	0,  1,			0 },
	[LSI_NO_TERMINATE] = { "no_terminate",	0,  LSI_TERMINATE_FORGET, 0 },
	[LSI_PREP_NULL]	   = { "prep_null",	-1, INT_MAX,		0 },
	[LSI_SUBMIT_FAIL]  = { "submit_fail",	-1, INT_MAX,		0 },
	[LSI_SUBMIT_AFTER] = { "submit_after",	0,  INT_MAX,		0 },
	[LSI_PREP_ROOM]	   = { "prep_room",	0,  INT_MAX,		0 },
	[LSI_INTR_ONLY]	   = { "intr_only",	0,  1,			0 },
	[LSI_REORDER]	   = { "reorder",	0,  1,			0 },
	[LSI_MAP_BITS]	   = { "map_bits",	0,  32,			32 },
	[LSI_CORRUPT]	   = { "corrupt",	-1, INT_MAX,		0 },
};

static const char * const lsi_counters[LSI_NR_COUNTERS] = {
	[LSI_COMPLETED]	 = "completed",
	[LSI_BYTES]	 = "bytes",
	[LSI_ERRORS]	 = "errors",
	[LSI_TERMINATED] = "terminated",
	[LSI_IRQS]	 = "irqs",
	[LSI_RUNS]	 = "runs",
	[LSI_IN_FLIGHT]	 = "in_flight",
};

static const struct {
	const char *name;
	enum lsi_list list;
} lsi_lengths[] = {
	{ "queued", LSI_ISSUED },
	{ "running", LSI_RUNNING },
	{ "held", LSI_HELD },
	{ "lost", LSI_LOST },
	{ "silent", LSI_SILENT },
};

/* What the private pointer of one debugfs file points to. */
struct lsi_knob {
	struct lsi_dev *lsi;
	unsigned int index;
};

static struct dentry *lsi_debugfs;

/* Uses up one of a switch that counts; -1 never ends. */
bool lsi_fault_take(struct lsi_dev *lsi, enum lsi_fault fault)
{
	lockdep_assert_held(&lsi->lock);
	if (!lsi->fault[fault])
		return false;
	if (lsi->fault[fault] > 0)
		lsi->fault[fault]--;
	return true;
}

/* Whether the descriptor being submitted is to fail. */
bool lsi_fault_fails(struct lsi_dev *lsi)
{
	long *after = &lsi->fault[LSI_FAIL_AFTER];
	long *count = &lsi->fault[LSI_FAIL_COUNT];

	lockdep_assert_held(&lsi->lock);
	if (*after < 0)
		return false;
	if (*after > 0) {
		--*after;
		return false;
	}
	if (!lsi_fault_take(lsi, LSI_FAIL_COUNT)) {
		*after = -1;
		return false;
	}
	if (!*count) {
		*after = lsi_faults[LSI_FAIL_AFTER].initial;
		*count = lsi_faults[LSI_FAIL_COUNT].initial;
	}
	return true;
}

static int lsi_fault_get(void *data, u64 *val)
{
	struct lsi_knob *knob = data;

	spin_lock_irq(&knob->lsi->lock);
	*val = knob->lsi->fault[knob->index];
	spin_unlock_irq(&knob->lsi->lock);
	return 0;
}

static int lsi_fault_set(void *data, u64 val)
{
	struct lsi_knob *knob = data;
	struct lsi_dev *lsi = knob->lsi;
	long new = (long)val;

	if (new < lsi_faults[knob->index].min ||
	    new > lsi_faults[knob->index].max)
		return -EINVAL;

	spin_lock_irq(&lsi->lock);
	lsi->fault[knob->index] = new;
	if (knob->index == LSI_MAP_BITS)
		*lsi->pdev->dev.dma_mask = new ? DMA_BIT_MASK(new) : 0;
	if (!new) {
		switch (knob->index) {
		case LSI_LOSE_IRQ:
			lsi_chan_release(lsi, LSI_LOST);
			break;
		case LSI_HOLD:
			lsi_chan_release(lsi, LSI_HELD);
			break;
		case LSI_INTR_ONLY:
			lsi_chan_release(lsi, LSI_SILENT);
			break;
		case LSI_LATE_WRITE:
			lsi_chan_kick(lsi);
			break;
		}
	}
	spin_unlock_irq(&lsi->lock);
	return 0;
}

DEFINE_DEBUGFS_ATTRIBUTE_SIGNED(lsi_fault_fops, lsi_fault_get, lsi_fault_set,
				"%lld\n");

static int lsi_counter_get(void *data, u64 *val)
{
	struct lsi_knob *knob = data;

	spin_lock_irq(&knob->lsi->lock);
	*val = knob->lsi->count[knob->index];
	spin_unlock_irq(&knob->lsi->lock);
	return 0;
}

DEFINE_DEBUGFS_ATTRIBUTE(lsi_counter_fops, lsi_counter_get, NULL, "%llu\n");

static int lsi_length_get(void *data, u64 *val)
{
	struct lsi_knob *knob = data;

	spin_lock_irq(&knob->lsi->lock);
	*val = list_count_nodes(&knob->lsi->list[lsi_lengths[knob->index].list]);
	spin_unlock_irq(&knob->lsi->lock);
	return 0;
}

DEFINE_DEBUGFS_ATTRIBUTE(lsi_length_fops, lsi_length_get, NULL, "%llu\n");

void lsi_fault_defaults(struct lsi_dev *lsi)
{
	int i;

	for (i = 0; i < LSI_NR_FAULTS; i++)
		lsi->fault[i] = lsi_faults[i].initial;
}

int lsi_fault_add(struct lsi_dev *lsi)
{
	struct lsi_knob *knob;
	int i;

	knob = kcalloc(LSI_NR_FAULTS + LSI_NR_COUNTERS + ARRAY_SIZE(lsi_lengths),
		       sizeof(*knob), GFP_KERNEL);
	if (!knob)
		return -ENOMEM;
	lsi->knobs = knob;
	lsi->debugfs = debugfs_create_dir(pci_name(lsi->pdev), lsi_debugfs);

	for (i = 0; i < LSI_NR_FAULTS; i++, knob++) {
		*knob = (struct lsi_knob){ lsi, i };
		debugfs_create_file_unsafe(lsi_faults[i].name, 0600,
					   lsi->debugfs, knob, &lsi_fault_fops);
	}
	for (i = 0; i < LSI_NR_COUNTERS; i++, knob++) {
		*knob = (struct lsi_knob){ lsi, i };
		debugfs_create_file_unsafe(lsi_counters[i], 0400, lsi->debugfs,
					   knob, &lsi_counter_fops);
	}
	for (i = 0; i < ARRAY_SIZE(lsi_lengths); i++, knob++) {
		*knob = (struct lsi_knob){ lsi, i };
		debugfs_create_file_unsafe(lsi_lengths[i].name, 0400,
					   lsi->debugfs, knob, &lsi_length_fops);
	}
	return 0;
}

/* Waits for readers and writers inside, and refuses those who come later. */
void lsi_fault_remove(struct lsi_dev *lsi)
{
	debugfs_remove_recursive(lsi->debugfs);
	kfree(lsi->knobs);
	lsi->knobs = NULL;
}

void lsi_fault_init(void)
{
	lsi_debugfs = debugfs_create_dir(KBUILD_MODNAME, NULL);
}

void lsi_fault_exit(void)
{
	debugfs_remove_recursive(lsi_debugfs);
}
