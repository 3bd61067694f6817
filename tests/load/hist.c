// SPDX-License-Identifier: GPL-2.0
#include "hist.h"

#define SUB	(1U << HIST_SUB_BITS)

static unsigned int bucket_of(uint64_t ns)
{
	unsigned int shift;

	if (ns < SUB)
		return ns;
	shift = 63 - __builtin_clzll(ns) - HIST_SUB_BITS;
	return ((shift + 1) << HIST_SUB_BITS) + (unsigned int)((ns >> shift) - SUB);
}

static uint64_t upper_edge(unsigned int bucket)
{
	unsigned int shift;

	if (bucket < SUB)
		return bucket;
	shift = (bucket >> HIST_SUB_BITS) - 1;
	return ((uint64_t)(bucket % SUB + SUB + 1) << shift) - 1;
}

void hist_add(struct hist *hist, uint64_t ns)
{
	hist->bucket[bucket_of(ns)]++;
	hist->count++;
	if (ns > hist->max)
		hist->max = ns;
}

void hist_merge(struct hist *to, const struct hist *from)
{
	for (unsigned int i = 0; i < HIST_BUCKETS; i++)
		to->bucket[i] += from->bucket[i];
	to->count += from->count;
	if (from->max > to->max)
		to->max = from->max;
}

uint64_t hist_quantile(const struct hist *hist, unsigned int permille)
{
	uint64_t wanted = (hist->count * permille + 999) / 1000;
	uint64_t seen = 0;

	for (unsigned int i = 0; i < HIST_BUCKETS; i++) {
		seen += hist->bucket[i];
		if (seen >= wanted && seen)
			return upper_edge(i) < hist->max ? upper_edge(i) : hist->max;
	}
	return 0;
}
