/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The three commands of linux/migd.h as io_uring submissions. liburing 2.3 has
 * no helper for IORING_OP_URING_CMD, so the fields are filled here.
 */
#ifndef MIGD_SQE_H
#define MIGD_SQE_H

#include <liburing.h>
#include <linux/migd.h>
#include <string.h>

/* The device is the ring's only registered file. */
#define SQE_DEVICE	0

static inline void sqe_prep(struct io_uring_sqe *sqe, __u32 op, const void *cmd, size_t size,
			    __u64 user_data)
{
	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = IORING_OP_URING_CMD;
	sqe->flags = IOSQE_FIXED_FILE;
	sqe->fd = SQE_DEVICE;
	sqe->cmd_op = op;
	sqe->user_data = user_data;
	memcpy(sqe->cmd, cmd, size);
}

/* The 16 bytes of an SQE of normal size. */
_Static_assert(sizeof(struct migd_fetch) == 16, "FETCH fills sqe->cmd");
_Static_assert(sizeof(struct migd_copy) == 16, "COPY fills sqe->cmd");
_Static_assert(sizeof(struct migd_commit) == 16, "COMMIT_AND_FETCH fills sqe->cmd");

static inline void sqe_fetch(struct io_uring_sqe *sqe, __u16 queue, __u16 slot, __u64 user_data)
{
	struct migd_fetch cmd = { .queue = queue, .slot = slot };

	sqe_prep(sqe, MIGD_IO_FETCH, &cmd, sizeof(cmd), user_data);
}

static inline void sqe_copy(struct io_uring_sqe *sqe, const struct migd_copy *cmd,
			    __u64 user_data)
{
	sqe_prep(sqe, MIGD_IO_COPY, cmd, sizeof(*cmd), user_data);
	/* The module would only answer that io-wq has to do it. */
	if (cmd->engine == MIGD_ENGINE_CPU)
		sqe->flags |= IOSQE_ASYNC;
}

static inline void sqe_commit(struct io_uring_sqe *sqe, __u16 queue, __u16 slot, __u32 seq,
			      __u64 user_data)
{
	struct migd_commit cmd = { .queue = queue, .slot = slot, .seq = seq };

	sqe_prep(sqe, MIGD_IO_COMMIT_AND_FETCH, &cmd, sizeof(cmd), user_data);
}

#endif /* MIGD_SQE_H */
