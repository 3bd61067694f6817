// SPDX-License-Identifier: GPL-2.0
/*
 * Pages that somebody else holds and reads or writes behind the page tables'
 * back: fixed buffers of io_uring, and pages in a pipe.
 *
 *   pin            the mapping of the last "map" becomes a fixed buffer: "pinned"
 *   pinned-io      it is written to a file and read from one through the pin, and
 *                  compared with what the process sees: "wrong N"
 *   unpin          "unpinned"
 *   splice N       N of its pages go into a pipe: "spliced"
 *   drain          it writes other values, and finds them in the pipe: "wrong N"
 */
#include <fcntl.h>
#include <liburing.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "victim.h"

struct pin {
	struct io_uring ring;
	char *at;
	size_t bytes;
	int file;
};

static void check_err(int err, const char *what)
{
	if (err >= 0)
		return;
	fprintf(stderr, "victim: %s: %s\n", what, strerror(-err));
	exit(1);
}

static void pin_open(struct pin *p)
{
	check_err(io_uring_queue_init(4, &p->ring, 0), "io_uring_queue_init");
	p->file = (int)must(memfd_create("pinned-io", MFD_CLOEXEC));
}

static void pin_register(struct pin *p)
{
	struct iovec iov = { p->at, p->bytes };

	check_err(io_uring_register_buffers(&p->ring, &iov, 1), "io_uring_register_buffers");
}

/* Through the pin, whatever the page tables say by now. */
static void pin_io(struct pin *p, bool to_memory)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&p->ring);
	struct io_uring_cqe *cqe;

	if (to_memory)
		io_uring_prep_read_fixed(sqe, p->file, p->at, (unsigned int)p->bytes, 0, 0);
	else
		io_uring_prep_write_fixed(sqe, p->file, p->at, (unsigned int)p->bytes, 0, 0);
	check_err(io_uring_submit(&p->ring), "io_uring_submit");
	check_err(io_uring_wait_cqe(&p->ring, &cqe), "io_uring_wait_cqe");
	check_err(cqe->res == (int)p->bytes ? 0 : cqe->res < 0 ? cqe->res : -EIO, "pinned I/O");
	io_uring_cqe_seen(&p->ring, cqe);
}

static uint64_t file_wrong(struct pin *p, uint64_t seed)
{
	uint64_t bad;
	void *copy = malloc(p->bytes);

	if (!copy)
		die("malloc");
	if (pread(p->file, copy, p->bytes, 0) != (ssize_t)p->bytes)
		die("pread");
	bad = count_not(copy, p->bytes, seed);
	free(copy);
	return bad;
}

/* Values go out and come in through the pin; the process's view must be the same. */
static uint64_t pin_check(struct pin *p, uint64_t seed)
{
	uint64_t bad;

	/* Written by the process, read by the pin ... */
	fill(p->at, p->bytes, seed + 1);
	pin_io(p, false);
	bad = file_wrong(p, seed + 1);
	/* ... and the other way round. */
	fill(p->at, p->bytes, seed);
	pin_io(p, false);
	fill(p->at, p->bytes, seed + 2);
	pin_io(p, true);
	return bad + count_not(p->at, p->bytes, seed);
}

static struct pin pinned;
static uint64_t pinned_seed;
static int spliced[2];
static size_t spliced_bytes;

static void pin(char *args)
{
	size_t nr;

	(void)args;
	pinned.at = last_map(&nr, &pinned_seed);
	pinned.bytes = nr * PAGE;
	if (!pinned.file)
		pin_open(&pinned);
	pin_register(&pinned);
	printf("pinned\n");
}

static void pinned_io(char *args)
{
	(void)args;
	printf("wrong %llu\n", (unsigned long long)pin_check(&pinned, pinned_seed));
}

static void unpin(char *args)
{
	(void)args;
	check_err(io_uring_unregister_buffers(&pinned.ring), "io_uring_unregister_buffers");
	printf("unpinned\n");
}

static void into_pipe(const int *ends, void *at, size_t bytes)
{
	struct iovec iov = { at, bytes };

	while (iov.iov_len) {
		ssize_t n = must(vmsplice(ends[1], &iov, 1, 0));

		iov.iov_base = (char *)iov.iov_base + n;
		iov.iov_len -= (size_t)n;
	}
}

static uint64_t pipe_wrong(const int *ends, size_t bytes, uint64_t seed)
{
	char *copy = malloc(bytes);
	uint64_t bad;
	size_t done = 0;

	if (!copy)
		die("malloc");
	while (done < bytes)
		done += (size_t)must(read(ends[0], copy + done, bytes - done));
	bad = count_not(copy, bytes, seed);
	free(copy);
	return bad;
}

static void splice_pages(char *args)
{
	uint64_t seed;
	size_t nr;
	char *at = last_map(&nr, &seed);

	spliced_bytes = strtoul(args, NULL, 10) * PAGE;
	if (!spliced[1])
		must(pipe(spliced));
	must(fcntl(spliced[1], F_SETPIPE_SZ, (int)spliced_bytes));
	into_pipe(spliced, at, spliced_bytes);
	printf("spliced\n");
}

static void drain(char *args)
{
	uint64_t seed, bad;
	size_t nr;
	char *at = last_map(&nr, &seed);

	(void)args;
	fill(at, spliced_bytes, seed + 1);
	bad = pipe_wrong(spliced, spliced_bytes, seed + 1);
	fill(at, spliced_bytes, seed);
	printf("wrong %llu\n", (unsigned long long)bad);
}

const struct verb pin_verbs[] = {
	{ "pin", pin },
	{ "pinned-io", pinned_io },
	{ "unpin", unpin },
	{ "splice", splice_pages },
	{ "drain", drain },
	{ }
};

/* Pinned and let go of again while the job is at it. */
static void churn_io_uring(char *area, uint64_t lap)
{
	static struct pin p;

	if (!p.file)
		pin_open(&p);
	p.at = area;
	p.bytes = AREA;
	fill(area, AREA, lap);
	pin_register(&p);
	atomic_fetch_add(&wrong, pin_check(&p, lap));
	check_err(io_uring_unregister_buffers(&p.ring), "io_uring_unregister_buffers");
	verify(area, AREA, lap);
}

static void churn_vmsplice(char *area, uint64_t lap)
{
	static int ends[2];

	if (!ends[1])
		must(pipe(ends));
	fill(area, 8 * PAGE, lap);
	into_pipe(ends, area, 8 * PAGE);
	/* The same pages: what is written now is what comes out. */
	fill(area, 8 * PAGE, lap + 1);
	atomic_fetch_add(&wrong, pipe_wrong(ends, 8 * PAGE, lap + 1));
	verify(area, 8 * PAGE, lap + 1);
}

const struct churn pin_churns[] = {
	{ "io-uring", churn_io_uring },
	{ "vmsplice", churn_vmsplice },
	{ }
};
