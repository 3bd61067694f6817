// SPDX-License-Identifier: GPL-2.0
/* The thread and the ring of a queue. */
#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "sqe.h"
#include "worker.h"

/* The whole stack is locked memory; nothing here recurses. */
#define STACK_BYTES	(256 * 1024)

/* A stopping worker leaves what it has not finished by then to the module. */
#define GIVE_UP_SECONDS	2

static uint64_t clock_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

struct io_uring_sqe *worker_sqe(struct worker *w)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&w->ring);

	if (!sqe && io_uring_submit(&w->ring) >= 0)
		sqe = io_uring_get_sqe(&w->ring);
	return sqe;
}

static void arm_wake(struct worker *w)
{
	struct io_uring_sqe *sqe = worker_sqe(w);

	if (!sqe)
		return;
	io_uring_prep_read(sqe, w->wake_fd, &w->wake_value, sizeof(w->wake_value), 0);
	sqe->user_data = ud_pack(UD_WAKE, 0, 0);
}

static void begin_stop(struct worker *w)
{
	struct io_uring_sqe *sqe;

	w->stopping = true;
	sqe = worker_sqe(w);
	if (!sqe) {
		w->gave_up = true;
		return;
	}
	w->give_up = (struct __kernel_timespec) { .tv_sec = GIVE_UP_SECONDS };
	io_uring_prep_timeout(sqe, &w->give_up, 0, 0);
	sqe->user_data = ud_pack(UD_GIVE_UP, 0, 0);
}

static void on_wake(struct worker *w)
{
	atomic_store(&w->pong, atomic_load(&w->ping));
	if (atomic_load(&w->stop) && !w->stopping)
		begin_stop(w);
	if (!w->stopping)
		arm_wake(w);
}

static void on_completion(struct worker *w, uint64_t user_data, int res)
{
	struct slot *s = &w->slots[user_data >> 8 & 0xffff];

	switch ((enum ud_kind)(user_data & 0xff)) {
	case UD_PARK:
		slot_on_park(w, s, res);
		break;
	case UD_COPY:
		slot_on_copy(w, s, user_data >> 24, res);
		break;
	case UD_RETRY:
		slot_on_retry(w, s);
		break;
	case UD_WAKE:
		on_wake(w);
		break;
	case UD_GIVE_UP:
		w->gave_up = true;
		break;
	}
}

/* Has a stopping worker nothing left to finish? What is parked may stay so. */
static bool is_finished(const struct worker *w)
{
	if (w->gave_up || !w->stopping)
		return w->gave_up;
	for (unsigned int i = 0; i < w->depth; i++)
		if (w->slots[i].state == SLOT_COPYING || w->slots[i].state == SLOT_RETRY_COMMIT)
			return false;
	return true;
}

static int serve(struct worker *w)
{
	struct io_uring_cqe *cqe;
	unsigned int head, n;
	int r;

	while (!is_finished(w)) {
		r = io_uring_submit_and_wait(&w->ring, 1);
		if (r < 0 && r != -EINTR && r != -EAGAIN && r != -EBUSY)
			return r;
		w->now = clock_ns();
		n = 0;
		io_uring_for_each_cqe(&w->ring, head, cqe) {
			n++;
			on_completion(w, cqe->user_data, cqe->res);
		}
		io_uring_cq_advance(&w->ring, n);
	}
	/* The last COMMITs. */
	r = io_uring_submit(&w->ring);
	return r < 0 ? r : 0;
}

static unsigned int pow2_at_least(unsigned int n)
{
	unsigned int p = 1;

	while (p < n)
		p *= 2;
	return p;
}

static int open_ring(struct worker *w)
{
	/* Everything a slot may have out completes into a ring that holds it. */
	struct io_uring_params params = {
		.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
			 IORING_SETUP_CQSIZE,
		.cq_entries = pow2_at_least(w->depth * (SLOT_COPIES + 3) + 4),
	};
	int r;

	r = io_uring_queue_init_params(pow2_at_least(w->depth * 16 + 4), &w->ring, &params);
	if (r < 0)
		return r;
	r = io_uring_register_files(&w->ring, &w->device->fd, 1);
	if (r < 0) {
		io_uring_queue_exit(&w->ring);
		return r;
	}
	return 0;
}

/*
 * The ring belongs to the thread that submits, so it is made here. Nothing but
 * the exit of this thread cancels what is parked, as IORING_OP_ASYNC_CANCEL
 * does not know of it; so the ring is closed only when the thread is gone.
 */
static void *run(void *arg)
{
	struct note note = { .kind = NOTE_WORKER_DEAD };
	struct worker *w = arg;
	int r;

	pthread_setname_np(pthread_self(), "migd-worker");
	w->start_err = open_ring(w);
	if (w->start_err < 0) {
		sem_post(&w->started);
		return NULL;
	}
	w->has_ring = true;
	arm_wake(w);
	for (unsigned int i = 0; i < w->depth; i++)
		slot_fetch(w, &w->slots[i]);
	r = io_uring_submit(&w->ring);
	w->start_err = r < 0 ? r : 0;
	sem_post(&w->started);

	if (r >= 0)
		r = serve(w);
	if (r < 0 && !w->start_err) {
		note.err = r;
		note.queue = w->queue;
		notes_put(&w->notes, &note);
	}
	return NULL;
}

int worker_start(struct worker *w)
{
	pthread_attr_t attr;
	int r;

	w->slots = calloc(w->depth, sizeof(*w->slots));
	if (!w->slots)
		return -ENOMEM;
	for (unsigned int i = 0; i < w->depth; i++) {
		w->slots[i].index = i;
		w->slots[i].desc = &w->device->desc[w->queue * w->depth + i];
	}
	w->wake_fd = eventfd(0, EFD_CLOEXEC);
	if (w->wake_fd < 0) {
		r = -errno;
		goto err_slots;
	}
	sem_init(&w->started, 0, 0);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	r = -pthread_create(&w->thread, &attr, run, w);
	pthread_attr_destroy(&attr);
	if (r < 0)
		goto err_fd;

	while (sem_wait(&w->started) < 0)
		;
	r = w->start_err;
	if (!r)
		return 0;
	pthread_join(w->thread, NULL);
	if (w->has_ring)
		io_uring_queue_exit(&w->ring);
err_fd:
	sem_destroy(&w->started);
	close(w->wake_fd);
err_slots:
	free(w->slots);
	w->slots = NULL;
	return r;
}

void worker_stop(struct worker *w)
{
	atomic_store(&w->stop, true);
	eventfd_write(w->wake_fd, 1);
	pthread_join(w->thread, NULL);
	io_uring_queue_exit(&w->ring);
	sem_destroy(&w->started);
	close(w->wake_fd);
	free(w->slots);
	w->slots = NULL;
}

void worker_ping(struct worker *w)
{
	atomic_fetch_add(&w->ping, 1);
	eventfd_write(w->wake_fd, 1);
}

bool worker_alive(struct worker *w)
{
	return atomic_load(&w->pong) == atomic_load(&w->ping);
}

bool worker_late(struct worker *w, uint64_t now, uint64_t grace_ns)
{
	for (unsigned int i = 0; i < w->depth; i++) {
		uint64_t deadline = atomic_load_explicit(&w->slots[i].deadline_ns,
							 memory_order_relaxed);

		if (deadline && now > deadline + grace_ns)
			return true;
	}
	return false;
}
