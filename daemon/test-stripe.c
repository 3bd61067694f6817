// SPDX-License-Identifier: GPL-2.0
/* Shares cover the range once, near and idle channels first. */
#include "check.h"
#include "stripe.h"

static void check_cover(const struct stripe_want *want, const struct stripe_share *shares,
			unsigned int nr)
{
	unsigned int next = want->first, least = ~0u, most = 0;

	for (unsigned int i = 0; i < nr; i++) {
		check(shares[i].first == next && shares[i].count);
		next += shares[i].count;
		if (shares[i].count < least)
			least = shares[i].count;
		if (shares[i].count > most)
			most = shares[i].count;
		for (unsigned int j = 0; j < i; j++)
			check(shares[i].lane != shares[j].lane);
	}
	check(next == want->first + want->count);
	check(most - least <= 1);
}

int main(void)
{
	struct stripe_want want = { .src_node = 0, .dst_node = 1, .first = 7, .min = 64 };
	struct stripe_lane lanes[STRIPE_MAX];
	struct stripe_share s[STRIPE_MAX];
	unsigned int nr;

	for (unsigned int i = 0; i < STRIPE_MAX; i++)
		lanes[i] = (struct stripe_lane) { -1, 0 };

	for (want.count = 1; want.count <= 4096; want.count += 13) {
		for (unsigned int n = 1; n <= STRIPE_MAX; n += 3) {
			nr = stripe_cut(&want, lanes, n, s);
			check(nr >= 1 && nr <= n);
			check(nr == 1 || want.count / nr >= want.min);
			check_cover(&want, s, nr);
		}
	}
	want.count = 512;
	check(stripe_cut(&want, lanes, 0, s) == 0);
	check(stripe_cut(&want, lanes, 8, s) == 8);

	/* Equal channels take turns. */
	want.count = 64;
	for (want.rotate = 0; want.rotate < 8; want.rotate++) {
		check(stripe_cut(&want, lanes, 8, s) == 1);
		check(s[0].lane == want.rotate);
	}

	/* The least busy one first; but one on a node of the batch before it. */
	want.rotate = 3;
	lanes[0].load = 100;
	lanes[2].load = 100;
	lanes[3].load = 100;
	check(stripe_cut(&want, lanes, 4, s) == 1 && s[0].lane == 1);
	lanes[2].node = 1;
	check(stripe_cut(&want, lanes, 4, s) == 1 && s[0].lane == 2);
	lanes[2].node = 5;
	check(stripe_cut(&want, lanes, 4, s) == 1 && s[0].lane == 1);

	want.count = 0;
	check(stripe_cut(&want, lanes, 4, s) == 0);
	return 0;
}
