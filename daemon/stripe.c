// SPDX-License-Identifier: GPL-2.0
/* How one range of a batch is cut over the channels there are. */
#include <stdbool.h>

#include "stripe.h"

static bool is_near(const struct stripe_want *want, const struct stripe_lane *lane)
{
	return lane->node >= 0 && (lane->node == want->src_node || lane->node == want->dst_node);
}

static bool is_better(const struct stripe_want *want, const struct stripe_lane *a,
		      const struct stripe_lane *b)
{
	bool near_a = is_near(want, a), near_b = is_near(want, b);

	if (near_a != near_b)
		return near_a;
	return a->load < b->load;
}

unsigned int stripe_cut(const struct stripe_want *want, const struct stripe_lane *lanes,
			unsigned int nr_lanes, struct stripe_share *shares)
{
	unsigned int order[STRIPE_MAX], nr, first = want->first, left = want->count;

	if (!nr_lanes || !want->count)
		return 0;
	if (nr_lanes > STRIPE_MAX)
		nr_lanes = STRIPE_MAX;

	/* Insertion sort: few lanes, and stable, so that rotation decides ties. */
	for (unsigned int i = 0; i < nr_lanes; i++) {
		unsigned int lane = (i + want->rotate) % nr_lanes, at = i;

		while (at && is_better(want, &lanes[lane], &lanes[order[at - 1]])) {
			order[at] = order[at - 1];
			at--;
		}
		order[at] = lane;
	}

	nr = want->min ? want->count / want->min : nr_lanes;
	if (nr > nr_lanes)
		nr = nr_lanes;
	if (!nr)
		nr = 1;
	for (unsigned int i = 0; i < nr; i++) {
		unsigned int count = left / (nr - i);

		shares[i] = (struct stripe_share) { order[i], first, count };
		first += count;
		left -= count;
	}
	return nr;
}
