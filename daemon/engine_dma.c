// SPDX-License-Identifier: GPL-2.0
/* Claimed DMA channels as an engine: one batch striped over several. */
#include <errno.h>
#include <stdbool.h>

#include "engine.h"
#include "jobtab.h"
#include "slot.h"
#include "stripe.h"
#include "worker.h"

/* The ready channels that @choice allows; @index says which each lane is. */
static unsigned int gather(const struct roster *r, uint32_t choice, uint64_t now,
			   struct stripe_lane *lanes, unsigned int *index)
{
	unsigned int nr = atomic_load_explicit(&r->nr, memory_order_acquire), n = 0;

	for (unsigned int i = 0; i < nr; i++) {
		const struct channel *c = &r->channel[i];

		if (choice >= CHOICE_CHANNEL && choice - CHOICE_CHANNEL != i)
			continue;
		if (!channel_ready(c, now))
			continue;
		lanes[n].node = atomic_load_explicit(&c->node, memory_order_relaxed);
		lanes[n].load = atomic_load_explicit(&c->load, memory_order_relaxed);
		index[n++] = i;
	}
	return n;
}

static int dma_start(struct worker *w, struct slot *s, unsigned int first, unsigned int count,
		     uint32_t choice)
{
	struct stripe_want want = {
		.src_node = s->batch.src_node,
		.dst_node = s->batch.dst_node,
		.first = first,
		.count = count,
		.min = w->stripe_pages,
		.rotate = w->rotate++,
	};
	struct stripe_share shares[STRIPE_MAX];
	struct stripe_lane lanes[ROSTER_MAX];
	unsigned int index[ROSTER_MAX], nr;

	nr = gather(w->roster, choice, w->now, lanes, index);
	nr = stripe_cut(&want, lanes, nr, shares);
	if (!nr)
		return ENGINE_BUSY;
	for (unsigned int i = 0; i < nr; i++) {
		struct channel *c = &w->roster->channel[index[shares[i].lane]];

		/* What cannot be queued is left to the COMMIT. */
		if (slot_copy(w, s, &engine_dma, c, shares[i].first, shares[i].count) < 0)
			return i ? ENGINE_QUEUED : ENGINE_BUSY;
		atomic_fetch_add_explicit(&c->load, shares[i].count, memory_order_relaxed);
	}
	return ENGINE_QUEUED;
}

/* Does @err say something about the channel, rather than the batch? */
static bool blames_channel(int err)
{
	switch (err) {
	case -EIO:
	case -EBUSY:
	case -ENODEV:
	case -ETIME:
		return true;
	}
	return false;
}

static int dma_complete(struct worker *w, struct slot *s, struct copy *c, int res)
{
	atomic_fetch_sub_explicit(&c->channel->load, c->count, memory_order_relaxed);
	if (res == c->count) {
		channel_good(c->channel);
		return ENGINE_COMPLETED;
	}
	if (res >= 0)
		res = -EIO;
	if (blames_channel(res))
		channel_fault(w->roster, c->channel, w->now);
	return res;
}

const struct engine_ops engine_dma = {
	.name = "dma",
	.start = dma_start,
	.complete = dma_complete,
	.fallback = &engine_cpu,
};
