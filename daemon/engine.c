// SPDX-License-Identifier: GPL-2.0
/* The choice of an engine for a batch. */
#include "engine.h"
#include "jobtab.h"

const struct engine_ops *engine_choose(const struct roster *r, uint32_t choice, uint64_t now)
{
	unsigned int nr = atomic_load_explicit(&r->nr, memory_order_acquire);

	if (choice == CHOICE_CPU)
		return &engine_cpu;
	if (choice != CHOICE_AUTO)
		return &engine_dma;
	for (unsigned int i = 0; i < nr; i++)
		if (channel_ready(&r->channel[i], now))
			return &engine_dma;
	return &engine_cpu;
}
