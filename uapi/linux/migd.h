/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The device ABI of migd: how one daemon serves copy batches through io_uring.
 *
 * The module locks a batch of pages, unmaps them and hands the batch to a slot
 * on which the daemon has parked a FETCH. The daemon decides who copies what,
 * issues COPY commands and commits. It never sees an address, a PFN or a byte
 * of a page. The module ends every batch by itself at its deadline.
 *
 * See uapi/PROTOCOL.md for states, ownership and what each side may assume
 * when the other one dies.
 */
#ifndef _UAPI_LINUX_MIGD_H
#define _UAPI_LINUX_MIGD_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* Changes whenever a daemon of the old ABI could misread the new one. */
#define MIGD_ABI_VERSION	1

#define MIGD_DEVICE_NAME	"migd"
#define MIGD_VERSION_LEN	32

/* Limits of one server; MIGD_IOC_SETUP refuses more with -EINVAL. */
#define MIGD_MAX_QUEUES		64
#define MIGD_MAX_DEPTH		64
#define MIGD_MAX_BATCH_PAGES	4096

/* Feature bits, offered by the daemon and answered with what both sides know. */
#define MIGD_FEAT_DMA		(1ULL << 0)	/* COPY on a claimed dmaengine channel */
#define MIGD_FEAT_STATE_FIRST	(1ULL << 1)	/* jobs of order state-first */

/*
 * struct migd_setup - argument of MIGD_IOC_SETUP, once per open
 *
 * @abi_version:	in: MIGD_ABI_VERSION; out: the module's
 * @flags:		must be 0
 * @features:		in: MIGD_FEAT_* the daemon can serve; out: those both know
 * @nr_queues:		queues, 1 to MIGD_MAX_QUEUES
 * @depth:		slots per queue, 1 to MIGD_MAX_DEPTH
 * @max_batch_pages:	largest batch a slot takes, 1 to MIGD_MAX_BATCH_PAGES
 * @map_bytes:		out: size of the read-only descriptor mapping at offset 0
 * @reserved0:		must be 0
 * @version:		out: the module's version, NUL-terminated; must be 0 on input
 * @reserved:		must be 0
 *
 * Errors: -EPROTO (abi_version differs; @abi_version and @version are filled
 * in so that the daemon can say which is which), -EINVAL (flags, sizes or
 * reserved fields), -EALREADY (second call), -ENOMEM.
 */
struct migd_setup {
	__u32 abi_version;
	__u32 flags;
	__u64 features;
	__u16 nr_queues;
	__u16 depth;
	__u32 max_batch_pages;
	__u32 map_bytes;
	__u32 reserved0;
	__u8 version[MIGD_VERSION_LEN];
	__u64 reserved[2];
};

#define MIGD_IOC_SETUP		_IOWR('m', 0x40, struct migd_setup)

/* Order of the copy and the state of a batch (struct migd_desc.order). */
#define MIGD_DESC_COPY_FIRST	0
#define MIGD_DESC_STATE_FIRST	1

/*
 * struct migd_desc - what the daemon may know of a batch
 *
 * The array of nr_queues * depth descriptors is mapped read-only at offset 0
 * of the device; slot s of queue q is entry q * depth + s. Written by the
 * module before it completes the FETCH, stable until the batch has ended.
 *
 * @job:		id of the job the batch belongs to
 * @deadline_ns:	CLOCK_MONOTONIC time at which the module ends the batch
 * @lock_ns:		CLOCK_MONOTONIC time at which the module began to lock it
 * @seq:		sequence number; COPY and COMMIT must repeat it
 * @pages:		pages to copy; COPY counts them from 0
 * @src_node:		node of most of the sources
 * @dst_node:		node of the destinations
 * @order:		MIGD_DESC_*
 * @page_shift:		log2 of the bytes of one page
 */
struct migd_desc {
	__u64 job;
	__u64 deadline_ns;
	__u64 lock_ns;
	__u32 seq;
	__u32 pages;
	__s32 src_node;
	__s32 dst_node;
	__u8 order;
	__u8 page_shift;
	__u8 reserved[22];
};

/*
 * The three commands, IORING_OP_URING_CMD with cmd_op MIGD_IO_* and the
 * struct in sqe->cmd. All are cancelable. A field that is reserved must be 0.
 *
 * Errors common to all: -EOPNOTSUPP (unknown command), -EINVAL (unknown flag,
 * reserved field set, no such queue or slot), -ENOTCONN (no MIGD_IOC_SETUP
 * yet), -ECANCELED (cancelled, or the ring's owner is exiting).
 */

/*
 * struct migd_fetch - park a slot until a batch is pending
 * Completes with the number of pages of the batch. -EBUSY: the slot already
 * has a FETCH parked or a batch in hand.
 */
struct migd_fetch {
	__u16 queue;
	__u16 slot;
	__u32 flags;
	__u64 reserved;
};

/* The engine that is not a channel: the CPU, on an io-wq worker. */
#define MIGD_ENGINE_CPU		0xffff

/*
 * struct migd_copy - copy pages [first, first + count) of the slot's batch
 *
 * @engine is a channel id of the netlink family, or MIGD_ENGINE_CPU.
 * Several per batch may be in flight; their ranges may not overlap. Completes
 * with @count, or with an error after which no page of the range counts as
 * copied: -ESTALE (the batch has ended or @seq is not its), -ERANGE (range),
 * -EALREADY (a page of it is copied or being copied), -EOPNOTSUPP (a channel,
 * but the server has not MIGD_FEAT_DMA), -ENODEV (no such channel is claimed,
 * or its driver is being unbound), -EBUSY (the channel is quarantined, has
 * refused a descriptor or can't reach the pages), -ENOMEM, -EIO (an engine has
 * reported an error on a page of the range, in this COPY or in one before: such
 * a page is put back with its batch, no engine may copy it any more),
 * -EHWPOISON (a source page is poisoned), -ETIME (the deadline ended the batch).
 */
struct migd_copy {
	__u16 queue;
	__u16 slot;
	__u16 engine;
	__u16 flags;
	__u16 first;
	__u16 count;
	__u32 seq;
};

/*
 * struct migd_commit - commit the slot's batch, then park the slot
 *
 * Pages that no COPY has copied are copied by the module on the CPU. Completes
 * like a FETCH, with the next batch. Errors, with nothing parked: -ESTALE (the
 * batch has ended already: FETCH again), -EBUSY (a COPY is in flight; the
 * batch is still the daemon's), -EALREADY (committed, but another FETCH has
 * taken the slot meanwhile).
 */
struct migd_commit {
	__u16 queue;
	__u16 slot;
	__u32 flags;
	__u32 seq;
	__u32 reserved;
};

#define MIGD_IO_FETCH			_IOWR('m', 0x01, struct migd_fetch)
#define MIGD_IO_COPY			_IOWR('m', 0x02, struct migd_copy)
#define MIGD_IO_COMMIT_AND_FETCH	_IOWR('m', 0x03, struct migd_commit)

#endif /* _UAPI_LINUX_MIGD_H */
