// SPDX-License-Identifier: GPL-2.0
/*
 * Registers and SCRIPTS instructions of the LSI 53C895A.
 *
 * A script is built in one coherent buffer: a delay routine at its head, then
 * per run the wanted delays, one Memory Move per 16 MiB of each descriptor,
 * and an interrupt instruction.
 *
 * QEMU executes about a hundred instructions inside the register write that
 * starts a script; it goes on from a timer, half a millisecond later, and so
 * on. The delay routine is one such portion: calling it makes the run
 * asynchronous, and each call costs at least LSI_TICK_US of guest time while
 * the guest's CPUs run on.
 */
#include <linux/dma-mapping.h>
#include <linux/io.h>
#include <linux/math.h>
#include <linux/sizes.h>

#include "lsi.h"

#define LSI_REG_DSTAT		0x0c	/* reading it clears the interrupt */
#define LSI_REG_ISTAT0		0x14
#define LSI_REG_DSP		0x2c	/* writing it starts the script */
#define LSI_REG_DIEN		0x39
#define LSI_REG_SIST0		0x42
#define LSI_REG_SIST1		0x43

#define LSI_ISTAT0_DIP		BIT(0)
#define LSI_ISTAT0_SIP		BIT(1)
#define LSI_ISTAT0_SRST		BIT(6)

#define LSI_DSTAT_IID		BIT(0)
#define LSI_DSTAT_SIR		BIT(2)
#define LSI_DSTAT_ABRT		BIT(4)
#define LSI_DSTAT_BF		BIT(5)

#define LSI_OP_NOP		0x80000000
#define LSI_OP_CALL		0x88080000
#define LSI_OP_RETURN		0x90080000
#define LSI_OP_INT		0x98080000
#define LSI_OP_ILLEGAL		0xa0080000
#define LSI_OP_MOVE		0xc0000000	/* | count, 24 bits */

#define LSI_SCRIPT_BYTES	SZ_128K
#define LSI_DELAY_NOPS		98		/* + CALL + RETURN = 100 */
#define LSI_BODY		SZ_1K		/* the run starts here */
#define LSI_WRONG_BYTES		8		/* what corrupt writes */
#define LSI_WRONG		(LSI_BODY - LSI_WRONG_BYTES)
#define LSI_TICK_US		500

/* The largest move the count field takes that keeps page alignment. */
#define LSI_MOVE_MAX		(SZ_16M - SZ_4K)

#define LSI_INSN_BYTES		8
#define LSI_MOVE_BYTES		12

static u32 lsi_put(struct lsi_dev *lsi, u32 at, u32 word)
{
	lsi->script[at / sizeof(__le32)] = cpu_to_le32(word);
	return at + sizeof(__le32);
}

static u32 lsi_put_insn(struct lsi_dev *lsi, u32 at, u32 op, u32 arg)
{
	at = lsi_put(lsi, at, op);
	return lsi_put(lsi, at, arg);
}

static u32 lsi_put_delay(struct lsi_dev *lsi, u32 at, u32 ticks)
{
	while (ticks--)
		at = lsi_put_insn(lsi, at, LSI_OP_CALL, lsi->script_dma);
	return at;
}

static u32 lsi_put_moves(struct lsi_dev *lsi, u32 at,
			 const struct lsi_desc *d, u32 gap)
{
	size_t off, n;

	for (off = 0; off < d->len; off += n) {
		n = min_t(size_t, d->len - off, LSI_MOVE_MAX);
		if (off)
			at = lsi_put_delay(lsi, at, gap);
		at = lsi_put_insn(lsi, at, LSI_OP_MOVE | n, d->src + off);
		at = lsi_put(lsi, at, d->dst + off);
	}
	if (d->corrupt) {
		at = lsi_put_insn(lsi, at, LSI_OP_MOVE | LSI_WRONG_BYTES,
				  lsi->script_dma + LSI_WRONG);
		at = lsi_put(lsi, at, d->dst + d->len / 2);
	}
	return at;
}

/* Upper bound of the bytes that a descriptor adds to a script. */
static size_t lsi_desc_bytes(const struct lsi_desc *d, u32 gap)
{
	size_t moves = DIV_ROUND_UP(d->len, LSI_MOVE_MAX);

	return moves * (LSI_MOVE_BYTES + gap * LSI_INSN_BYTES) +
		(d->corrupt ? LSI_MOVE_BYTES : 0);
}

int lsi_script_setup(struct lsi_dev *lsi)
{
	u32 at = 0;
	int i;

	lsi->script = dmam_alloc_coherent(&lsi->pdev->dev, LSI_SCRIPT_BYTES,
					  &lsi->script_dma, GFP_KERNEL);
	if (!lsi->script)
		return -ENOMEM;
	for (i = 0; i < LSI_DELAY_NOPS; i++)
		at = lsi_put_insn(lsi, at, LSI_OP_NOP, 0);
	at = lsi_put_insn(lsi, at, LSI_OP_RETURN, 0);
	lsi_put_insn(lsi, LSI_WRONG, 0x0badc0de, 0x0badc0de);
	return at <= LSI_WRONG ? 0 : -ENOSPC;
}

/*
 * Take as many issued descriptors as one script can hold and start it. The
 * limits of latency_us and gap_us in lsi_fault.c are such that one descriptor
 * of any length (4 GiB of bus addresses) always fits.
 */
void lsi_script_start(struct lsi_dev *lsi)
{
	u32 gap = DIV_ROUND_UP(lsi->fault[LSI_GAP_US], LSI_TICK_US);
	u32 at = LSI_BODY;
	struct lsi_desc *d, *n;

	at = lsi_put_delay(lsi, at, DIV_ROUND_UP(lsi->fault[LSI_LATENCY_US],
						 LSI_TICK_US));
	list_for_each_entry_safe(d, n, &lsi->list[LSI_ISSUED], node) {
		if (at + lsi_desc_bytes(d, gap) + LSI_INSN_BYTES >
		    LSI_SCRIPT_BYTES)
			break;
		if (!list_empty(&lsi->list[LSI_RUNNING]))
			at = lsi_put_delay(lsi, at, gap);
		if (d->fail)
			at = lsi_put_insn(lsi, at, LSI_OP_ILLEGAL, 0);
		else
			at = lsi_put_moves(lsi, at, d, gap);
		d->end = at;
		list_move_tail(&d->node, &lsi->list[LSI_RUNNING]);
	}
	lsi_put_insn(lsi, at, LSI_OP_INT, 0);

	lsi->running = true;
	lsi->ended = false;
	lsi->count[LSI_RUNS]++;
	writel(lsi->script_dma + LSI_BODY, lsi->regs + LSI_REG_DSP);
}

/*
 * How far the script has come: descriptors whose end lies before the offset
 * are copied. While the delay routine executes this is an offset below every
 * end, so the answer errs to the safe side.
 */
u32 lsi_script_offset(struct lsi_dev *lsi)
{
	return readl(lsi->regs + LSI_REG_DSP) - (u32)lsi->script_dma;
}

bool lsi_script_ok(u8 dstat)
{
	return dstat & LSI_DSTAT_SIR;
}

/* Stops a script for good: what it has not written yet is never written. */
void lsi_hw_reset(struct lsi_dev *lsi)
{
	writeb(LSI_ISTAT0_SRST, lsi->regs + LSI_REG_ISTAT0);
	writeb(0, lsi->regs + LSI_REG_ISTAT0);
	writeb(LSI_DSTAT_IID | LSI_DSTAT_SIR | LSI_DSTAT_ABRT | LSI_DSTAT_BF,
	       lsi->regs + LSI_REG_DIEN);
	lsi->running = false;
	lsi->ended = false;
}

/* Acknowledges our interrupt; false when the line is asserted by another. */
bool lsi_hw_irq(struct lsi_dev *lsi, u8 *dstat_ret)
{
	u8 istat = readb(lsi->regs + LSI_REG_ISTAT0);

	if (istat == 0xff || !(istat & (LSI_ISTAT0_DIP | LSI_ISTAT0_SIP)))
		return false;
	if (istat & LSI_ISTAT0_SIP) {
		readb(lsi->regs + LSI_REG_SIST0);
		readb(lsi->regs + LSI_REG_SIST1);
	}
	*dstat_ret = readb(lsi->regs + LSI_REG_DSTAT);
	return true;
}
