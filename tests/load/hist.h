/* SPDX-License-Identifier: GPL-2.0 */
/* A log-linear histogram of nanoseconds, buckets at most 3.2% wide. */
#ifndef LOAD_HIST_H
#define LOAD_HIST_H

#include <stdint.h>

#define HIST_SUB_BITS	5
#define HIST_BUCKETS	((64 - HIST_SUB_BITS + 1) << HIST_SUB_BITS)

struct hist {
	uint64_t count;
	uint64_t max;
	uint64_t bucket[HIST_BUCKETS];
};

void hist_add(struct hist *hist, uint64_t ns);
void hist_merge(struct hist *to, const struct hist *from);

/* Upper edge of the bucket below which `permille` of the values lie. */
uint64_t hist_quantile(const struct hist *hist, unsigned int permille);

#endif
