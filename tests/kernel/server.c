// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "check.h"
#include "server.h"

#define RAW_TAG		0xff

void server_open(struct server *s, unsigned int depth, unsigned int max_batch)
{
	struct io_uring_params params = {
		.flags = IORING_SETUP_CQSIZE |
			 (s->to_the_end ? IORING_SETUP_SINGLE_ISSUER |
					  IORING_SETUP_DEFER_TASKRUN : 0),
		.cq_entries = 4096,
	};
	uint64_t end;

	check(depth <= MAX_SLOTS, "at most %d slots", MAX_SLOTS);
	*s = (struct server){ .to_the_end = s->to_the_end, .without = s->without };
	/* The ring of a server that died gives the device up a moment later. */
	end = now_ns() + PATIENCE_MS * 1000000ULL;
	do
		s->fd = open("/dev/migd", O_RDWR | O_CLOEXEC);
	while (s->fd < 0 && errno == EBUSY && now_ns() < end && !usleep(2000));
	must(s->fd);
	s->setup = (struct migd_setup){
		.abi_version = MIGD_ABI_VERSION,
		.features = (MIGD_FEAT_DMA | MIGD_FEAT_STATE_FIRST) & ~s->without,
		.nr_queues = 1,
		.depth = (uint16_t)depth,
		.max_batch_pages = max_batch,
	};
	must(ioctl(s->fd, MIGD_IOC_SETUP, &s->setup));
	s->desc = mmap(NULL, s->setup.map_bytes, PROT_READ, MAP_SHARED, s->fd, 0);
	check(s->desc != MAP_FAILED, "mmap of the descriptors: %s",
	      strerror(errno));
	s->nr_slots = depth;
	must(io_uring_queue_init_params(1024, &s->ring, &params));
	s->plan.engine[0] = MIGD_ENGINE_CPU;
	s->plan.nr_engines = 1;
}

void server_close(struct server *s)
{
	check(!s->to_the_end, "this ring lives as long as its process");
	io_uring_queue_exit(&s->ring);
	munmap((void *)s->desc, s->setup.map_bytes);
	close(s->fd);
}

static struct io_uring_sqe *command(struct server *s, uint32_t op,
				    const void *bytes)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&s->ring);

	check(sqe, "the submission queue is full");
	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = IORING_OP_URING_CMD;
	sqe->fd = s->fd;
	sqe->cmd_op = op;
	memcpy(sqe->cmd, bytes, 16);
	return sqe;
}

static uint64_t tag(uint32_t op, unsigned int slot, unsigned int copy)
{
	return (uint64_t)op << 32 | slot << 16 | copy;
}

void server_fetch(struct server *s, unsigned int slot)
{
	struct migd_fetch arg = { .slot = (uint16_t)slot };

	command(s, MIGD_IO_FETCH, &arg)->user_data = tag(MIGD_IO_FETCH, slot, 0);
	s->slot[slot].state = SLOT_FETCH;
}

void server_fetch_all(struct server *s)
{
	unsigned int i;

	for (i = 0; i < s->nr_slots; i++)
		if (s->slot[i].state == SLOT_IDLE)
			server_fetch(s, i);
	server_submit(s);
}

static void copy_again(struct server *s, unsigned int slot, unsigned int i)
{
	struct slot *at = &s->slot[slot];
	struct migd_copy arg = {
		.slot = (uint16_t)slot,
		.engine = at->copy[i].engine,
		.first = at->copy[i].first,
		.count = at->copy[i].count,
		.seq = at->seq,
	};
	struct io_uring_sqe *sqe;

	sqe = command(s, MIGD_IO_COPY, &arg);
	sqe->user_data = tag(MIGD_IO_COPY, slot, i);
	if (s->async)
		io_uring_sqe_set_flags(sqe, IOSQE_ASYNC);
	at->copy[i].out = true;
	at->out++;
}

void server_copy(struct server *s, unsigned int slot, uint16_t engine,
		 unsigned int first, unsigned int count)
{
	struct slot *at = &s->slot[slot];

	check(at->nr_copies < MAX_COPIES, "too many COPYs of one batch");
	at->copy[at->nr_copies] = (struct copy){
		.engine = engine,
		.first = (uint16_t)first,
		.count = (uint16_t)count,
	};
	copy_again(s, slot, at->nr_copies++);
}

void server_commit(struct server *s, unsigned int slot)
{
	struct migd_commit arg = { .slot = (uint16_t)slot,
				   .seq = s->slot[slot].seq };

	command(s, MIGD_IO_COMMIT_AND_FETCH, &arg)->user_data =
		tag(MIGD_IO_COMMIT_AND_FETCH, slot, 0);
	s->slot[slot].state = SLOT_COMMIT;
}

void server_submit(struct server *s)
{
	must(io_uring_submit(&s->ring));
}

/* Takes over the batch that a FETCH or a COMMIT has brought. */
static void new_batch(struct server *s, unsigned int slot, int pages)
{
	const struct migd_desc *desc = &s->desc[slot];
	struct slot *at = &s->slot[slot];

	check_eq(desc->pages, pages);
	check(desc->pages <= s->setup.max_batch_pages, "a batch of %u pages",
	      desc->pages);
	check(desc->deadline_ns > desc->lock_ns, "deadline %llu, locked at %llu",
	      (unsigned long long)desc->deadline_ns,
	      (unsigned long long)desc->lock_ns);
	at->state = SLOT_BATCH;
	at->seq = desc->seq;
	at->pages = desc->pages;
	at->nr_copies = 0;
	check_eq(at->out, 0);
	s->batches++;
	s->pages += at->pages;
}

static void decode(struct server *s, struct io_uring_cqe *cqe,
		   struct answer *ret)
{
	struct slot *at;

	*ret = (struct answer){
		.op = (uint32_t)(cqe->user_data >> 32),
		.slot = (unsigned int)(cqe->user_data >> 16) & 0xffff,
		.copy = (unsigned int)cqe->user_data & 0xffff,
		.res = cqe->res,
	};
	io_uring_cqe_seen(&s->ring, cqe);
	if (!ret->op)
		return;
	at = &s->slot[ret->slot];
	if (ret->op == MIGD_IO_COPY) {
		check(at->copy[ret->copy].out, "a COPY has completed twice");
		at->copy[ret->copy].out = false;
		at->copy[ret->copy].res = ret->res;
		at->out--;
	} else if (ret->res > 0) {
		new_batch(s, ret->slot, ret->res);
	} else if (ret->op == MIGD_IO_COMMIT_AND_FETCH && ret->res == -EBUSY) {
		at->state = SLOT_BATCH;
	} else {
		at->state = SLOT_IDLE;
	}
}

bool server_reap(struct server *s, struct answer *ret)
{
	struct io_uring_cqe *cqe;

	io_uring_get_events(&s->ring);
	if (io_uring_peek_cqe(&s->ring, &cqe))
		return false;
	decode(s, cqe, ret);
	return true;
}

void server_wait(struct server *s, struct answer *ret)
{
	struct __kernel_timespec ts = { .tv_sec = PATIENCE_MS / 1000 };
	struct io_uring_cqe *cqe;

	must(io_uring_submit(&s->ring));
	must(io_uring_wait_cqe_timeout(&s->ring, &cqe, &ts));
	decode(s, cqe, ret);
}

void server_start_batch(struct server *s, unsigned int slot)
{
	struct slot *at = &s->slot[slot];
	unsigned int n = s->plan.copies ?: s->plan.nr_engines;
	unsigned int i, from, to;

	if (n > at->pages)
		n = at->pages;
	if (!s->plan.nr_engines) {
		server_commit(s, slot);
		return;
	}
	for (i = 0; i < n; i++) {
		from = at->pages * i / n;
		to = at->pages * (i + 1) / n;
		server_copy(s, slot, s->plan.engine[i % s->plan.nr_engines],
			    from, to - from);
	}
}

/* A COPY is back. An error that is the batch's end is none of the engine. */
static void copied(struct server *s, const struct answer *a)
{
	struct slot *at = &s->slot[a->slot];
	struct copy *copy = &at->copy[a->copy];

	if (a->res < 0 && a->res != -ESTALE && a->res != -ETIME) {
		s->copy_errors++;
		check(s->plan.retry, "COPY of %u pages on engine %u: %s",
		      copy->count, copy->engine, strerror(-a->res));
		/* The engine may still write them: no other may copy them. */
		if (a->res == -EIO)
			goto out;
		check(copy->engine != MIGD_ENGINE_CPU, "COPY on the CPU: %s",
		      strerror(-a->res));
		copy->engine = MIGD_ENGINE_CPU;
		copy_again(s, a->slot, a->copy);
		return;
	}
	if (a->res >= 0)
		check_eq(a->res, copy->count);
out:
	if (!at->out)
		server_commit(s, a->slot);
}

void server_handle(struct server *s, const struct answer *a)
{
	if (a->op == MIGD_IO_COPY) {
		copied(s, a);
	} else if (a->res > 0) {
		server_start_batch(s, a->slot);
	} else {
		/* Nothing but a batch that has ended is an excuse here. */
		check(a->op == MIGD_IO_COMMIT_AND_FETCH && a->res == -ESTALE,
		      "command %#x: %s", a->op, strerror(-a->res));
		s->stale++;
		server_fetch(s, a->slot);
	}
}

void server_run(struct server *s, struct ctl *c, uint64_t job)
{
	struct pollfd pfd[] = {
		{ .fd = s->ring.ring_fd, .events = POLLIN },
		{ .fd = ctl_event_fd(c), .events = POLLIN },
	};
	struct answer answer;
	unsigned int pos = 0, i;

	ctl_read_events(c);
	for (i = 0; i < s->nr_slots; i++)
		if (s->slot[i].state == SLOT_BATCH && !s->slot[i].nr_copies)
			server_start_batch(s, i);
	server_fetch_all(s);
	while (!ctl_event(c, MIGD_CMD_JOB_DONE_NTF, job, &pos)) {
		while (server_reap(s, &answer))
			server_handle(s, &answer);
		server_submit(s);
		check(must(poll(pfd, 2, PATIENCE_MS)) > 0,
		      "job %llu: nothing happens", (unsigned long long)job);
		ctl_read_events(c);
	}
}

uint64_t server_job(struct server *s, struct ctl *c, const struct job_req *req)
{
	uint64_t job;
	int err;

	if (s)
		server_fetch_all(s);
	err = ctl_submit(c, req, &job);
	check(!err, "job-submit: %s: %s", strerror(-err), c->ack);
	return job;
}

void server_move(struct server *s, struct ctl *c, const struct job_req *req,
		 struct job_info *ret)
{
	uint64_t job = server_job(s, c, req);

	server_run(s, c, job);
	must(ctl_job(c, job, ret));
	check_eq(ret->state, MIGD_JOB_STATE_DONE);
}

unsigned int server_wait_batch(struct server *s)
{
	struct answer answer;

	do {
		server_wait(s, &answer);
		check(answer.op != MIGD_IO_COPY, "a COPY where a batch was to come");
	} while (answer.res <= 0);
	return answer.slot;
}

int server_wait_copy(struct server *s)
{
	struct answer answer;

	do {
		server_wait(s, &answer);
		check(answer.op == MIGD_IO_COPY || answer.res > 0,
		      "command %#x: %d", answer.op, answer.res);
	} while (answer.op != MIGD_IO_COPY);
	return answer.res;
}

int server_raw(struct server *s, uint32_t op, const void *bytes)
{
	struct answer answer;

	command(s, op, bytes)->user_data = RAW_TAG;
	do
		server_wait(s, &answer);
	while (answer.op || answer.copy != RAW_TAG);
	return answer.res;
}
