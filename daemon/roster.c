// SPDX-License-Identifier: GPL-2.0
/* The DMA channels as workers see them. */
#include <stdio.h>
#include <string.h>

#include "roster.h"

struct channel *roster_find(struct roster *r, const char *name, bool add)
{
	unsigned int nr = atomic_load(&r->nr);
	struct channel *c;

	for (unsigned int i = 0; i < nr; i++)
		if (!strcmp(r->channel[i].name, name))
			return &r->channel[i];
	if (!add || nr == ROSTER_MAX)
		return NULL;
	c = &r->channel[nr];
	snprintf(c->name, sizeof(c->name), "%s", name);
	atomic_store(&c->node, -1);
	atomic_store(&r->nr, nr + 1);
	return c;
}

bool channel_ready(const struct channel *c, uint64_t now)
{
	return atomic_load_explicit(&c->usable, memory_order_relaxed) &&
	       atomic_load_explicit(&c->rest_until, memory_order_relaxed) <= now;
}

void channel_fault(struct roster *r, struct channel *c, uint64_t now)
{
	uint64_t rest = atomic_load(&r->rest_ns), most = atomic_load(&r->rest_max_ns);
	uint32_t faults;

	if (atomic_load(&c->rest_until) > now)
		return;
	faults = atomic_fetch_add(&c->faults, 1);
	while (faults-- && rest < most)
		rest *= 2;
	if (rest > most)
		rest = most;
	atomic_store(&c->rest_until, now + rest);
}

void channel_good(struct channel *c)
{
	if (atomic_load_explicit(&c->faults, memory_order_relaxed))
		atomic_store(&c->faults, 0);
}
