/* SPDX-License-Identifier: GPL-2.0 */
/* How one range of a batch is cut over the channels there are. */
#ifndef MIGD_STRIPE_H
#define MIGD_STRIPE_H

#include <stdint.h>

#define STRIPE_MAX	64

/* A channel that could take a share. */
struct stripe_lane {
	int node;		/* -1: none */
	uint32_t load;		/* pages it has in hand */
};

struct stripe_want {
	int src_node, dst_node;
	unsigned int first, count;	/* pages of the range */
	unsigned int min;		/* smallest share of one channel */
	unsigned int rotate;		/* where equal channels begin */
};

struct stripe_share {
	unsigned int lane;
	unsigned int first, count;
};

/*
 * Cut @want over the best of @lanes, at most STRIPE_MAX of them: those on the
 * source or destination node first, then those with the least in hand. Shares
 * are contiguous, cover the range, and differ by at most one page. Returns
 * their number, 0 when there is no lane or nothing to cut.
 */
unsigned int stripe_cut(const struct stripe_want *want, const struct stripe_lane *lanes,
			unsigned int nr_lanes, struct stripe_share *shares);

#endif /* MIGD_STRIPE_H */
