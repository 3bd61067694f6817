// SPDX-License-Identifier: GPL-2.0
/* The CPU as an engine: COPYs that the kernel runs on io-wq workers. */
#include <errno.h>
#include <linux/migd.h>

#include "engine.h"
#include "slot.h"
#include "worker.h"

/* A parallel COPY of fewer pages costs more than it saves. */
#define MIN_PART	64

static int cpu_start(struct worker *w, struct slot *s, unsigned int first, unsigned int count,
		     uint32_t choice)
{
	unsigned int parts = count / MIN_PART;

	if (parts > w->cpu_copies)
		parts = w->cpu_copies;
	if (!parts)
		parts = 1;
	for (unsigned int queued = 0; parts; parts--) {
		unsigned int n = count / parts;

		if (slot_copy(w, s, &engine_cpu, NULL, first, n) < 0)
			return queued ? ENGINE_QUEUED : ENGINE_BUSY;
		queued += n;
		first += n;
		count -= n;
	}
	return ENGINE_QUEUED;
}

static int cpu_complete(struct worker *w, struct slot *s, struct copy *c, int res)
{
	if (res < 0)
		return res;
	return res == c->count ? ENGINE_COMPLETED : -EIO;
}

/* What the CPU could not copy is left to the COMMIT. */
const struct engine_ops engine_cpu = {
	.name = "cpu",
	.start = cpu_start,
	.complete = cpu_complete,
};
