// SPDX-License-Identifier: GPL-2.0
/*
 * A process that handles its own page faults, while its pages are moved: a mark
 * that the move loses shows in the number of faults.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "victim.h"

struct handler {
	int fd;
	char *area;		/* what is handled */
	char *other;		/* where its content comes from */
	atomic_ulong faults;
};

/* The address space is being changed by another thread: ask again. */
static void ask(int fd, unsigned long request, void *arg, __s64 *done)
{
	for (;;) {
		*done = 0;
		if (!ioctl(fd, request, arg))
			return;
		if (errno != EAGAIN)
			die("userfaultfd");
	}
}

static void handle(struct handler *h, const struct uffd_msg *msg)
{
	unsigned long at = msg->arg.pagefault.address & ~(PAGE - 1);
	size_t offset = at - (unsigned long)h->area;

	atomic_fetch_add(&h->faults, 1);
	if (msg->arg.pagefault.flags & UFFD_PAGEFAULT_FLAG_WP) {
		struct uffdio_writeprotect wp = { .range = { at, PAGE } };
		__s64 done;

		ask(h->fd, UFFDIO_WRITEPROTECT, &wp, &done);
	} else if (msg->arg.pagefault.flags & UFFD_PAGEFAULT_FLAG_MINOR) {
		struct uffdio_continue go = { .range = { at, PAGE } };

		ask(h->fd, UFFDIO_CONTINUE, &go, &go.mapped);
	} else {
		struct uffdio_copy copy = {
			.dst = at, .src = (unsigned long)h->other + offset, .len = PAGE,
		};

		ask(h->fd, UFFDIO_COPY, &copy, &copy.copy);
	}
}

static void *handler_thread(void *arg)
{
	struct handler *h = arg;
	struct uffd_msg msg;

	while (read(h->fd, &msg, sizeof(msg)) == sizeof(msg))
		if (msg.event == UFFD_EVENT_PAGEFAULT)
			handle(h, &msg);
	die("userfaultfd");
}

static void handler_start(struct handler *h, uint64_t features, uint64_t mode)
{
	struct uffdio_api api = { .api = UFFD_API, .features = features };
	struct uffdio_register reg = { .mode = mode };
	pthread_t thread;

	h->fd = (int)must(syscall(SYS_userfaultfd, O_CLOEXEC));
	must(ioctl(h->fd, UFFDIO_API, &api));
	reg.range.start = (unsigned long)h->area;
	reg.range.len = AREA;
	must(ioctl(h->fd, UFFDIO_REGISTER, &reg));
	if (pthread_create(&thread, NULL, handler_thread, h))
		die("pthread_create");
	pthread_detach(thread);
}

/* One fault for each page, no more and no less. */
static void check_faults(struct handler *h)
{
	atomic_fetch_add(&wrong, atomic_exchange(&h->faults, 0) != AREA_PAGES);
}

static void missing(char *area, uint64_t lap)
{
	static struct handler h;

	(void)area;
	if (!h.area) {
		h.area = map_small(AREA);
		h.other = map_small(AREA);
		handler_start(&h, 0, UFFDIO_REGISTER_MODE_MISSING);
	}
	fill(h.other, AREA, lap);
	must(madvise(h.area, AREA, MADV_DONTNEED));
	verify(h.area, AREA, lap);
	check_faults(&h);
}

/* The mark has to survive the move: a write that goes unseen breaks snapshots. */
static void write_protect(char *area, uint64_t lap)
{
	static struct handler h;
	struct uffdio_writeprotect wp = { .mode = UFFDIO_WRITEPROTECT_MODE_WP };

	(void)area;
	if (!h.area) {
		h.area = map_small(AREA);
		fill(h.area, AREA, lap);
		handler_start(&h, 0, UFFDIO_REGISTER_MODE_WP);
	}
	fill(h.area, AREA, lap);
	atomic_store(&h.faults, 0);
	wp.range.start = (unsigned long)h.area;
	wp.range.len = AREA;
	must(ioctl(h.fd, UFFDIO_WRITEPROTECT, &wp));
	verify(h.area, AREA, lap);
	fill(h.area, AREA, lap + 1);
	verify(h.area, AREA, lap + 1);
	check_faults(&h);
}

/* Pages of a file in memory that are there, but not in this mapping yet. */
static void minor(char *area, uint64_t lap)
{
	static struct handler h;
	int fd;

	(void)area;
	if (!h.area) {
		fd = (int)must(memfd_create("minor", MFD_CLOEXEC));
		must(ftruncate(fd, AREA));
		h.area = mmap(NULL, AREA, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		h.other = mmap(NULL, AREA, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (h.area == MAP_FAILED || h.other == MAP_FAILED)
			die("mmap");
		handler_start(&h, UFFD_FEATURE_MINOR_SHMEM, UFFDIO_REGISTER_MODE_MINOR);
	}
	fill(h.other, AREA, lap);
	must(madvise(h.area, AREA, MADV_DONTNEED));
	verify(h.area, AREA, lap);
	check_faults(&h);
}

const struct churn uffd_churns[] = {
	{ "uffd-missing", missing },
	{ "uffd-wp", write_protect },
	{ "uffd-minor", minor },
	{ }
};
