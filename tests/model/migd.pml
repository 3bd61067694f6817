/* SPDX-License-Identifier: GPL-2.0 */
/*
 * migd's protocol for spin: see README. What stands between two semicolons
 * outside of atomic and d_step interleaves with everything else; a section
 * under a lock of the module is one atomic step here.
 */
#ifndef BATCHES
#define BATCHES	1	/* of one job, one after the other or at once */
#endif
#ifndef PAGES
#define PAGES	2	/* of each */
#endif
#ifndef COPIES
#define COPIES	2	/* COPY commands that get as far as an engine */
#endif
#ifndef NO_COPY
#define NO_COPY	0
#endif
#ifndef THREADS
#define THREADS	1	/* of the daemon, each with a FETCH or COMMIT at a time */
#endif
#ifndef SERVERS
#define SERVERS	1	/* lives of the daemon; each has one slot */
#endif
#ifndef DMA_COPIES
#define DMA_COPIES COPIES	/* of these on a channel; the others by the CPU */
#endif

#define NONE		255
#define FRAMES		(BATCHES * PAGES)
#define ALL		((1 << PAGES) - 1)
#define FRAME(b, i)	((b) * PAGES + (i))

#include "table.pml"
#include "state.pml"
#include "batch.pml"
#include "slot.pml"
#include "copy.pml"
#include "finalize.pml"
#include "world.pml"
