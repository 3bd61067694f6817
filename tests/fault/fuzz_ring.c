// SPDX-License-Identifier: GPL-2.0
/*
 * A server that does everything with the device that a process can: commands
 * that are wrong, late, doubled, cancelled and rewritten while they are read,
 * from several threads, rings and processes.
 */
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "fuzz.h"

#define THREADS		3
#define ENTRIES		256
#define ANSWERS		4096
/* user_data: this, and what the command was */
#define CALLED		0xc0ffee00ULL

struct worker {
	struct rnd rnd;
	struct io_uring ring;
	bool defer;	/* closed by nobody but the process's exit */
	char *map;
	size_t map_bytes;
};

static int fd;
static struct migd_setup setup;
static const volatile struct migd_desc *desc;
static struct worker workers[THREADS];

static void ring_open(struct worker *w, bool defer)
{
	struct io_uring_params params = {
		.flags = IORING_SETUP_CQSIZE |
			 (defer ? IORING_SETUP_SINGLE_ISSUER |
				  IORING_SETUP_DEFER_TASKRUN : 0),
		.cq_entries = ANSWERS,
	};

	w->defer = defer;
	must(io_uring_queue_init_params(ENTRIES, &w->ring, &params));
	must(io_uring_register_files(&w->ring, &fd, 1));
}

static void check_answer(enum kind kind, int res)
{
	if (res >= 0) {
		/* Rewritten while it was read, a command is another one. */
		check(res <= MIGD_MAX_BATCH_PAGES, "command %d answers %d", kind, res);
		return;
	}
	switch (-res) {
	case EOPNOTSUPP: case EINVAL: case ENOTCONN: case ECANCELED:
	case EBUSY: case ESTALE: case ERANGE: case EALREADY: case ENODEV:
	case EIO: case EHWPOISON: case ETIME: case ENOMEM:
	/* io_uring's own */
	case ENOENT: case EBADF: case EINTR: case EAGAIN:
		return;
	}
	fail("command %d answers %d (%s)", kind, res, strerror(-res));
}

static void reap(struct worker *w)
{
	struct io_uring_cqe *cqe;

	if (w->defer)
		io_uring_get_events(&w->ring);
	while (!io_uring_peek_cqe(&w->ring, &cqe)) {
		if ((cqe->user_data & ~0xffULL) == CALLED) {
			if ((cqe->user_data & 0xff) < K_OTHER)
				check_answer(cqe->user_data & 0xff, cqe->res);
			count_answer(common->answer[cqe->user_data & 0xff], cqe->res);
			common->completed++;
		}
		io_uring_cqe_seen(&w->ring, cqe);
	}
}

static struct io_uring_sqe *get_sqe(struct worker *w, enum kind kind)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&w->ring);

	while (!sqe) {
		/* EBUSY, EAGAIN: the ring is full of answers, and so on. */
		io_uring_submit(&w->ring);
		reap(w);
		sqe = io_uring_get_sqe(&w->ring);
	}
	memset(sqe, 0, sizeof(*sqe));
	sqe->user_data = CALLED | kind;
	common->commands++;
	return sqe;
}

/* Flags of io_uring that change who runs a command, and when. */
static void odd_flags(struct worker *w, struct io_uring_sqe *sqe)
{
	struct rnd *r = &w->rnd;

	/* A worker of io-wq for each is dear. */
	if (rnd_one_in(r, 16))
		sqe->flags |= IOSQE_ASYNC;
	if (rnd_one_in(r, 16))
		sqe->flags |= IOSQE_IO_LINK;
	if (rnd_one_in(r, 16))
		sqe->flags |= IOSQE_IO_HARDLINK;
	if (rnd_one_in(r, 32))
		sqe->flags |= IOSQE_IO_DRAIN;
	if (rnd_one_in(r, 16))
		sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
	if (rnd_one_in(r, 8)) {
		sqe->flags |= IOSQE_FIXED_FILE;
		sqe->fd = 0;
	}
	/* io_uring's own refusals then */
	if (rnd_one_in(r, 64)) {
		sqe->uring_cmd_flags = (uint32_t)rnd_odd(r);
		sqe->user_data = CALLED | K_OTHER;
	}
	if (rnd_one_in(r, 64))
		sqe->buf_index = (uint16_t)rnd(r);
}

static unsigned int some_slot(struct worker *w, uint16_t *queue, uint16_t *slot)
{
	*queue = (uint16_t)rnd_below(&w->rnd, setup.nr_queues);
	*slot = (uint16_t)rnd_below(&w->rnd, setup.depth);
	return *queue * setup.depth + *slot;
}

/* The CPU costs a worker of io-wq even where there is no batch to copy. */
static uint16_t some_engine(struct worker *w, bool batch)
{
	int id;

	if (rnd_one_in(&w->rnd, 8))
		return (uint16_t)rnd_odd(&w->rnd);
	if (rnd_one_in(&w->rnd, batch ? 3 : 64))
		return MIGD_ENGINE_CPU;
	id = common->channel[rnd_below(&w->rnd, common->nr_names)];
	return id < 0 ? 0 : (uint16_t)id;
}

static enum kind fill(struct worker *w, uint32_t *op, void *at)
{
	struct migd_commit commit = {};
	struct migd_fetch fetch = {};
	struct migd_copy copy = {};
	unsigned int i;

	switch (rnd_below(&w->rnd, 8)) {
	case 0: case 1: case 2:
		some_slot(w, &fetch.queue, &fetch.slot);
		memcpy(at, &fetch, sizeof(fetch));
		*op = MIGD_IO_FETCH;
		return K_FETCH;
	case 3: case 4: case 5: case 6:
		i = some_slot(w, &copy.queue, &copy.slot);
		copy.seq = desc[i].seq;
		copy.engine = some_engine(w, desc[i].deadline_ns > now_ns());
		if (!rnd_one_in(&w->rnd, 8)) {
			copy.first = (uint16_t)rnd_below(&w->rnd, desc[i].pages + 1);
			copy.count = (uint16_t)rnd_below(&w->rnd,
							 desc[i].pages + 2 - copy.first);
		} else {
			copy.first = (uint16_t)rnd_odd(&w->rnd);
			copy.count = (uint16_t)rnd_odd(&w->rnd);
		}
		memcpy(at, &copy, sizeof(copy));
		*op = MIGD_IO_COPY;
		return K_COPY;
	}
	i = some_slot(w, &commit.queue, &commit.slot);
	commit.seq = desc[i].seq;
	memcpy(at, &commit, sizeof(commit));
	*op = MIGD_IO_COMMIT_AND_FETCH;
	return K_COMMIT;
}

static void command(struct worker *w)
{
	unsigned char bytes[16];
	struct io_uring_sqe *sqe;
	enum kind kind;
	uint32_t op;

	kind = fill(w, &op, bytes);
	if (rnd_one_in(&w->rnd, 8))
		rnd_bytes(&w->rnd, bytes + rnd_below(&w->rnd, 15), 2);
	if (rnd_one_in(&w->rnd, 32))
		rnd_bytes(&w->rnd, bytes, sizeof(bytes));
	if (rnd_one_in(&w->rnd, 64)) {
		op = (uint32_t)rnd_odd(&w->rnd);
		kind = K_OTHER;
	}
	sqe = get_sqe(w, kind);
	sqe->opcode = IORING_OP_URING_CMD;
	sqe->fd = fd;
	sqe->cmd_op = op;
	memcpy(sqe->cmd, bytes, sizeof(bytes));
	odd_flags(w, sqe);
	if (sqe->flags & IOSQE_IO_LINK && rnd_one_in(&w->rnd, 2)) {
		static struct __kernel_timespec ts = { .tv_nsec = 1000000 };

		io_uring_prep_link_timeout(get_sqe(w, K_OTHER), &ts, 0);
	}
}

/*
 * What costs little, many at once: half of it is wrong in one field, the rest
 * races with the other threads, the deadline and the jobs. No wait, no worker.
 */
static void flood(struct worker *w)
{
	unsigned int n = (unsigned int)rnd_below(&w->rnd, ENTRIES / 2);
	uint64_t bits;

	while (n--) {
		unsigned char bytes[16] = {};
		struct io_uring_sqe *sqe;
		enum kind kind;
		uint32_t op;

		bits = rnd(&w->rnd);
		do
			kind = fill(w, &op, bytes);
		while (kind == K_COMMIT && bits & 3);
		if (bits & 4)
			bytes[bits >> 8 & 15] ^= 1 << (bits >> 12 & 7);
		sqe = get_sqe(w, kind);
		sqe->opcode = IORING_OP_URING_CMD;
		sqe->fd = fd;
		sqe->cmd_op = op;
		memcpy(sqe->cmd, bytes, sizeof(bytes));
	}
}

static void cancel(struct worker *w)
{
	static const unsigned int flags[] = {
		0, IORING_ASYNC_CANCEL_ALL, IORING_ASYNC_CANCEL_ANY,
		IORING_ASYNC_CANCEL_FD, IORING_ASYNC_CANCEL_FD | IORING_ASYNC_CANCEL_ALL,
		IORING_ASYNC_CANCEL_ANY | IORING_ASYNC_CANCEL_ALL,
	};
	struct io_uring_sqe *sqe = get_sqe(w, K_OTHER);

	sqe->opcode = IORING_OP_ASYNC_CANCEL;
	sqe->cancel_flags = flags[rnd_below(&w->rnd, 6)];
	if (sqe->cancel_flags & IORING_ASYNC_CANCEL_FD)
		sqe->fd = fd;
	else
		sqe->addr = CALLED | rnd_below(&w->rnd, K_OTHER);
}

/* Nothing of the descriptors may be written, now or later. */
static void mapping(struct worker *w)
{
	int prot = (int)rnd_below(&w->rnd, 8);
	size_t bytes = PAGE * (1 + rnd_below(&w->rnd, 4));

	if (w->map) {
		check(mprotect(w->map, w->map_bytes, prot | PROT_WRITE),
		      "mprotect() makes descriptors writable");
		madvise(w->map, w->map_bytes, rnd_one_in(&w->rnd, 2) ?
			MADV_DONTNEED : MADV_POPULATE_WRITE);
		must(munmap(w->map, rnd_one_in(&w->rnd, 2) ? w->map_bytes : PAGE));
		w->map = NULL;
		return;
	}
	w->map = mmap(NULL, bytes, prot, rnd_one_in(&w->rnd, 2) ? MAP_SHARED : MAP_PRIVATE,
		      fd, rnd_one_in(&w->rnd, 4) ? (off_t)(rnd(&w->rnd) & 0xffff000) : 0);
	w->map_bytes = bytes;
	if (w->map == MAP_FAILED)
		w->map = NULL;
	else
		check(!(prot & PROT_WRITE), "the descriptors are mapped writable");
}

/* Another process with the device in its hands, and its own ring on it. */
static void child(struct worker *w)
{
	struct rnd rnd_of_child = { rnd(&w->rnd) };
	struct migd_fetch fetch = { .slot = (uint16_t)rnd_below(&w->rnd, setup.depth) };
	struct io_uring ring;
	struct io_uring_sqe *sqe;
	pid_t pid;

	pid = fork();
	if (pid) {
		/* The threads end with the process: so it is nobody's to wait for. */
		return;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (io_uring_queue_init(8, &ring, 0))
		_exit(0);
	sqe = io_uring_get_sqe(&ring);
	if (!sqe)
		_exit(0);
	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = IORING_OP_URING_CMD;
	sqe->fd = fd;
	sqe->cmd_op = MIGD_IO_FETCH;
	memcpy(sqe->cmd, &fetch, sizeof(fetch));
	io_uring_submit(&ring);
	if (rnd_one_in(&rnd_of_child, 2))
		usleep((useconds_t)rnd_below(&rnd_of_child, 20000));
	if (rnd_one_in(&rnd_of_child, 2))
		close(fd);
	_exit(0);
}

static void other_calls(struct worker *w)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN | POLLOUT };
	struct migd_setup again;
	char buf[64];
	int second;

	switch (rnd_below(&w->rnd, 7)) {
	case 0:
		second = open("/dev/migd", O_RDWR | O_CLOEXEC);
		check(second < 0, "the device is open twice");
		break;
	case 1:
		rnd_bytes(&w->rnd, &again, sizeof(again));
		check(ioctl(fd, MIGD_IOC_SETUP, &again), "a second SETUP works");
		break;
	case 2:
		again = setup;
		again.map_bytes = 0;
		memset(again.version, 0, sizeof(again.version));
		check(ioctl(fd, MIGD_IOC_SETUP, &again) && errno == EALREADY,
		      "a second SETUP: %s", strerror(errno));
		break;
	case 3:
		check(ioctl(fd, (unsigned long)rnd_odd(&w->rnd) | 1, buf) < 0,
		      "an unknown ioctl works");
		break;
	case 4:
		poll(&pfd, 1, 0);
		break;
	case 5:
		check(read(fd, buf, sizeof(buf)) < 0 && write(fd, buf, sizeof(buf)) < 0,
		      "the device can be read or written");
		break;
	case 6:
		close(dup(fd));
		break;
	}
}

static void reopen(struct worker *w)
{
	if (w->defer)
		return;
	io_uring_submit(&w->ring);
	io_uring_queue_exit(&w->ring);
	ring_open(w, false);
}

static void *work(void *arg)
{
	struct worker *w = arg;

	/* A ring of a single issuer is made by its issuer. */
	ring_open(w, w != &workers[0] && rnd_one_in(&w->rnd, 2));
	for (;;) {
		switch (rnd_below(&w->rnd, 4096)) {
		case 0:
			child(w);
			break;
		case 1 ... 3:
			/* the first one's is scribbled on */
			if (w != &workers[0])
				reopen(w);
			break;
		case 4 ... 19:
			mapping(w);
			break;
		case 20 ... 51:
			other_calls(w);
			break;
		case 52 ... 115:
			cancel(w);
			break;
		case 116 ... 147:
			usleep((useconds_t)rnd_below(&w->rnd, 2000));
			break;
		case 148 ... 403:
			flood(w);
			break;
		default:
			command(w);
		}
		if (rnd_one_in(&w->rnd, 8)) {
			io_uring_submit(&w->ring);
			reap(w);
		}
	}
	return NULL;
}

/* The module's bytes of each command change while the kernel reads them. */
static void scribble(uint64_t seed)
{
	struct rnd r = { seed };
	struct io_uring_sqe *sqe;
	unsigned int i;

	while (!workers[0].ring.sq.sqes)
		usleep(1000);
	for (;;) {
		for (i = 0; i < ENTRIES / 4; i++) {
			sqe = &workers[0].ring.sq.sqes[rnd_below(&r, ENTRIES)];
			((volatile uint8_t *)sqe->cmd)[rnd_below(&r, 16)] ^= 1 << rnd_below(&r, 8);
		}
		usleep((useconds_t)rnd_below(&r, 2000));
	}
}

void fuzz_serve(uint64_t seed)
{
	struct rnd r = { seed };
	pthread_t thread;
	uint64_t end;
	int i;

	/* The zombies of child() are nobody's. */
	signal(SIGCHLD, SIG_IGN);
	end = now_ns() + PATIENCE_MS * 1000000ULL;
	do
		fd = open("/dev/migd", O_RDWR | O_CLOEXEC);
	while (fd < 0 && errno == EBUSY && now_ns() < end && !usleep(2000));
	must(fd);
	setup = (struct migd_setup){
		.abi_version = MIGD_ABI_VERSION,
		.features = rnd(&r),
		.nr_queues = (uint16_t)(1 + rnd_below(&r, 3)),
		.depth = (uint16_t)(1 + rnd_below(&r, 4)),
		.max_batch_pages = (uint32_t)(1 + rnd_below(&r, 512)),
	};
	/* Mostly one that may do everything. */
	if (!rnd_one_in(&r, 4))
		setup.features |= MIGD_FEAT_DMA | MIGD_FEAT_STATE_FIRST;
	must(ioctl(fd, MIGD_IOC_SETUP, &setup));
	desc = mmap(NULL, setup.map_bytes, PROT_READ, MAP_SHARED, fd, 0);
	check(desc != MAP_FAILED, "mmap of the descriptors: %s", strerror(errno));
	for (i = 0; i < THREADS; i++) {
		workers[i].rnd.state = rnd(&r);
		check(!pthread_create(&thread, NULL, work, &workers[i]), "no thread");
	}
	common->serving = 1;
	scribble(rnd(&r));
	_exit(1);
}
