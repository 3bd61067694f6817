// SPDX-License-Identifier: GPL-2.0
/* Notes arrive in order, none twice; a full ring counts what it drops. */
#include <pthread.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "check.h"
#include "notes.h"

#define MANY	200000

static struct notes notes;

static void *writer(void *arg)
{
	for (uint32_t i = 1; i <= MANY; i++) {
		struct note note = { NOTE_FALLBACK, .job = i, .pages = i };

		notes_put(&notes, &note);
	}
	return NULL;
}

int main(void)
{
	uint32_t got = 0, last = 0;
	pthread_t thread;
	struct note n;

	notes.wake_fd = eventfd(0, EFD_NONBLOCK);
	check(notes.wake_fd >= 0 && !notes_get(&notes, &n));
	check(!pthread_create(&thread, NULL, writer, NULL));
	while (got + atomic_load(&notes.dropped) < MANY) {
		if (!notes_get(&notes, &n)) {
			sched_yield();
			continue;
		}
		check(n.job > last && n.job == n.pages);
		last = n.job;
		got++;
	}
	pthread_join(thread, NULL);
	check(!notes_get(&notes, &n));
	close(notes.wake_fd);
	return 0;
}
