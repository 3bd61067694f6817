// SPDX-License-Identifier: GPL-2.0
/*
 * The layout of linux/migd.h, which may never change: compiled, not run, for 64
 * and for 32 bits. The structs have no hole that a compiler could fill.
 */
#include <linux/migd.h>
#include <stddef.h>

#define SIZE(type, bytes)	_Static_assert(sizeof(struct type) == (bytes), #type)

/* @member is at @at, and what follows begins where it ends. */
#define MEMBER(type, member, at, bytes)					\
	_Static_assert(offsetof(struct type, member) == (at) &&		\
		       sizeof(((struct type *)0)->member) == (bytes),	\
		       #type "." #member)

SIZE(migd_setup, 80);
MEMBER(migd_setup, abi_version, 0, 4);
MEMBER(migd_setup, flags, 4, 4);
MEMBER(migd_setup, features, 8, 8);
MEMBER(migd_setup, nr_queues, 16, 2);
MEMBER(migd_setup, depth, 18, 2);
MEMBER(migd_setup, max_batch_pages, 20, 4);
MEMBER(migd_setup, map_bytes, 24, 4);
MEMBER(migd_setup, reserved0, 28, 4);
MEMBER(migd_setup, version, 32, 32);
MEMBER(migd_setup, reserved, 64, 16);

SIZE(migd_desc, 64);
MEMBER(migd_desc, job, 0, 8);
MEMBER(migd_desc, deadline_ns, 8, 8);
MEMBER(migd_desc, lock_ns, 16, 8);
MEMBER(migd_desc, seq, 24, 4);
MEMBER(migd_desc, pages, 28, 4);
MEMBER(migd_desc, src_node, 32, 4);
MEMBER(migd_desc, dst_node, 36, 4);
MEMBER(migd_desc, order, 40, 1);
MEMBER(migd_desc, page_shift, 41, 1);
MEMBER(migd_desc, reserved, 42, 22);

/* A command has to fit into the 16 bytes of an ordinary SQE. */
SIZE(migd_fetch, 16);
MEMBER(migd_fetch, queue, 0, 2);
MEMBER(migd_fetch, slot, 2, 2);
MEMBER(migd_fetch, flags, 4, 4);
MEMBER(migd_fetch, reserved, 8, 8);

SIZE(migd_copy, 16);
MEMBER(migd_copy, queue, 0, 2);
MEMBER(migd_copy, slot, 2, 2);
MEMBER(migd_copy, engine, 4, 2);
MEMBER(migd_copy, flags, 6, 2);
MEMBER(migd_copy, first, 8, 2);
MEMBER(migd_copy, count, 10, 2);
MEMBER(migd_copy, seq, 12, 4);

SIZE(migd_commit, 16);
MEMBER(migd_commit, queue, 0, 2);
MEMBER(migd_commit, slot, 2, 2);
MEMBER(migd_commit, flags, 4, 4);
MEMBER(migd_commit, seq, 8, 4);
MEMBER(migd_commit, reserved, 12, 4);

#define NUMBER(name, value)	_Static_assert((name) == (value), #name)

NUMBER(MIGD_ABI_VERSION, 1);
NUMBER(MIGD_IOC_SETUP, 0xc0506d40);
NUMBER(MIGD_IO_FETCH, 0xc0106d01);
NUMBER(MIGD_IO_COPY, 0xc0106d02);
NUMBER(MIGD_IO_COMMIT_AND_FETCH, 0xc0106d03);
NUMBER(MIGD_FEAT_DMA, 1);
NUMBER(MIGD_FEAT_STATE_FIRST, 2);
NUMBER(MIGD_DESC_COPY_FIRST, 0);
NUMBER(MIGD_DESC_STATE_FIRST, 1);
NUMBER(MIGD_ENGINE_CPU, 0xffff);
NUMBER(MIGD_MAX_QUEUES, 64);
NUMBER(MIGD_MAX_DEPTH, 64);
NUMBER(MIGD_MAX_BATCH_PAGES, 4096);
NUMBER(MIGD_VERSION_LEN, 32);
