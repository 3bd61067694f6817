/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Copy engines. An engine turns a range of a batch into COPY commands; it
 * never sees a page. Everything here runs on a worker thread, must not block,
 * and must not touch a target's memory or /proc.
 */
#ifndef MIGD_ENGINE_H
#define MIGD_ENGINE_H

#include <stdint.h>

#include "roster.h"

struct worker;
struct slot;
struct copy;

/* What a hook answers; any other failure is a negative errno. */
enum engine_result {
	ENGINE_COMPLETED,	/* done; nothing of the range is under way */
	ENGINE_QUEUED,		/* COPYs are under way; complete() will be called */
	ENGINE_BUSY,		/* cannot take the range now; nothing is under way */
};

/*
 * struct engine_ops - one kind of engine
 *
 * @name: required. As policies and jobs name it.
 *
 * @start: required. Called once for each range: the whole batch when it comes
 *	in, or what another engine failed to copy. Queues COPYs by slot_copy();
 *	they are submitted together when the worker next enters the kernel.
 *	Answers QUEUED if at least one COPY was queued (pages of the range that
 *	none covers are left to the COMMIT), BUSY if none was: then the worker
 *	tries @fallback.
 *
 * @complete: required. Called once for each COPY of this engine when its
 *	command completes, with the command's result. Answers COMPLETED when
 *	the range is copied, QUEUED when it has queued the range again, or why
 *	the range is not copied: -ESTALE and -ETIME when the batch has ended,
 *	-EHWPOISON and -EIO when no engine can or may, else the worker tries
 *	@fallback.
 *
 * @fallback: optional. Who copies what this engine could not. Without one, the
 *	pages are left to the COMMIT, where the module copies them itself.
 */
struct engine_ops {
	const char *name;
	int (*start)(struct worker *w, struct slot *s, unsigned int first, unsigned int count,
		     uint32_t choice);
	int (*complete)(struct worker *w, struct slot *s, struct copy *c, int res);
	const struct engine_ops *fallback;
};

extern const struct engine_ops engine_cpu;
extern const struct engine_ops engine_dma;

/* engine.c: the engine for a batch whose job asked for @choice. */
const struct engine_ops *engine_choose(const struct roster *r, uint32_t choice, uint64_t now);

#endif /* MIGD_ENGINE_H */
