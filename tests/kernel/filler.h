/* SPDX-License-Identifier: GPL-2.0 */
/* Takes all free memory of node 1. */
#ifndef MIGD_TEST_FILLER_H
#define MIGD_TEST_FILLER_H

#include <stdint.h>
#include "target.h"

struct filler {
	struct target target;
	uint64_t addr;
};

/* Its memory is on node 0 until the node is filled. */
void filler_start(struct filler *f);
void filler_stop(struct filler *f);

void node_fill(struct filler *f);
void node_empty(struct filler *f);

#endif
