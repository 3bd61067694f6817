// SPDX-License-Identifier: GPL-2.0
/* Notes from a worker to the main thread. */
#include <sys/eventfd.h>

#include "notes.h"

void notes_put(struct notes *n, const struct note *note)
{
	uint32_t head = atomic_load_explicit(&n->head, memory_order_relaxed);

	if (head - atomic_load_explicit(&n->tail, memory_order_acquire) == NOTES_MAX) {
		atomic_fetch_add(&n->dropped, 1);
		return;
	}
	n->note[head % NOTES_MAX] = *note;
	atomic_store_explicit(&n->head, head + 1, memory_order_release);
	eventfd_write(n->wake_fd, 1);
}

bool notes_get(struct notes *n, struct note *ret)
{
	uint32_t tail = atomic_load_explicit(&n->tail, memory_order_relaxed);

	if (tail == atomic_load_explicit(&n->head, memory_order_acquire))
		return false;
	*ret = n->note[tail % NOTES_MAX];
	atomic_store_explicit(&n->tail, tail + 1, memory_order_release);
	return true;
}
