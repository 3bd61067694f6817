// SPDX-License-Identifier: GPL-2.0
/*
 * Counters and log-linear histograms.
 */
#include <linux/log2.h>
#include <linux/math64.h>
#include "internal.h"

struct migd_stats migd_stats;

/* Buckets per power of two. */
#define SUB		((unsigned int)BIT(MIGD_HIST_SUB_BITS))

static unsigned int bucket_of(u64 ns)
{
	unsigned int e;

	if (ns < SUB)
		return ns;
	e = ilog2(ns);
	if (e >= MIGD_HIST_MAX_BITS)
		return MIGD_HIST_BUCKETS - 1;
	return ((e - MIGD_HIST_SUB_BITS + 1) << MIGD_HIST_SUB_BITS) +
	       ((ns >> (e - MIGD_HIST_SUB_BITS)) & (SUB - 1));
}

/* The largest value that falls into the bucket. */
static u64 bucket_top(unsigned int b)
{
	unsigned int row = b >> MIGD_HIST_SUB_BITS;

	if (!row)
		return b;
	return ((u64)(SUB + (b & (SUB - 1)) + 1) << (row - 1)) - 1;
}

/**
 * migd_hist_add() - count one duration
 * @hist: the histogram
 * @ns: nanoseconds
 *
 * Context: any.
 */
void migd_hist_add(struct migd_hist *hist, u64 ns)
{
	s64 max = atomic64_read(&hist->max);

	atomic_inc(&hist->bucket[bucket_of(ns)]);
	atomic64_add(ns, &hist->sum);
	while ((s64)ns > max) {
		if (atomic64_try_cmpxchg(&hist->max, &max, ns))
			break;
	}
}

/**
 * migd_hist_sum() - count, sum, percentiles and maximum
 * @hist: the histogram; may be added to meanwhile
 * @ret_sum: filled in; percentiles are the upper edge of their bucket, at most max
 *
 * Context: any.
 */
void migd_hist_sum(const struct migd_hist *hist, struct migd_hist_sum *ret_sum)
{
	static const unsigned int permille[] = { 500, 900, 990, 999 };
	u64 *out[] = { &ret_sum->p50, &ret_sum->p90, &ret_sum->p99,
		       &ret_sum->p999 };
	u64 seen = 0, count = 0;
	unsigned int b, n, top, p = 0;

	memset(ret_sum, 0, sizeof(*ret_sum));
	ret_sum->max = atomic64_read(&hist->max);
	top = bucket_of(ret_sum->max);
	for (b = 0; b <= top; b++)
		count += (unsigned int)atomic_read(&hist->bucket[b]);
	ret_sum->count = count;
	ret_sum->sum = atomic64_read(&hist->sum);

	for (b = 0; b <= top && p < ARRAY_SIZE(permille); b++) {
		n = atomic_read(&hist->bucket[b]);
		/* As most are. */
		if (!n)
			continue;
		seen += n;
		while (p < ARRAY_SIZE(permille) &&
		       seen * 1000 >= count * permille[p])
			*out[p++] = min(bucket_top(b), ret_sum->max);
	}
}
