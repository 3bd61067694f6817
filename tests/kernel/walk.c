// SPDX-License-Identifier: GPL-2.0
/*
 * The walk: pages that are not there are not counted, pages that somebody else
 * holds are; nothing waits for ever behind a writer of the mmap lock or a daemon
 * that is deaf; and only a daemon that knows how serves a job.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "fixture.h"

#define PAGES	256UL
#define BYTES	(PAGES * PAGE)
#define SEED	19
/* Locked as a whole, however slow the machine is. */
#define CHUNK	64
/* Far from what these waits take, near to what they would take if they hung. */
#define PROMPT_NS	15000000000ULL

static struct ctl ctl;
static struct server server;
static struct target target;

/* A private mapping of a file, with every third page the process's own. */
static int64_t map_sparse(uint64_t a, uint64_t b, uint64_t c)
{
	int fd = (int)must(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
	uint64_t i;
	char *at;

	(void)a;
	(void)b;
	(void)c;
	/* Beyond the file's end nothing may be touched. */
	at = mmap(NULL, 6 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	check(at != MAP_FAILED, "mmap: %s", strerror(errno));
	must(madvise(at, 6 * PAGE, MADV_RANDOM));
	alloc_on(0);
	for (i = 0; i < 6; i += 3)
		at[i * PAGE] = 1;
	alloc_on(-1);
	close(fd);
	return (int64_t)(uintptr_t)at;
}

static void holes(uint32_t order)
{
	uint64_t at = (uint64_t)target_call(&target, map_sparse, 0, 0, 0);
	struct job_req req = job_for(&target, at, 6 * PAGE, -1, 1, order);
	struct job_info job;
	uint64_t files;

	step("%s, holes of a private file mapping", order_name(order));
	server_move(&server, &ctl, &req, &job);
	check_sum(&job);
	files = job.left[MIGD_REASON_FILE];
	check_eq(job.left[MIGD_REASON_REFUSED], 0);
	check_eq(job.total, 2 + files);
	check_eq(job.moved, 2);
	check_eq(job.passes, 1);
	check_eq(job.outcome, MIGD_OUTCOME_MOVED);
	target_call(&target, mem_free, at, 6 * PAGE, 0);
}

/* What another job has locked is neither moved nor forgotten. */
static void held_by_another(uint32_t order)
{
	uint64_t at = (uint64_t)target_call(&target, mem_new, BYTES, 0, SEED);
	struct job_req req = job_for(&target, at, BYTES, 0, 1, order);
	struct job_info job;
	unsigned int slot;
	uint64_t one, two;

	step("%s, pages of another job's batch", order_name(order));
	one = server_job(&server, &ctl, &req);
	slot = server_wait_batch(&server);
	check_eq(server.slot[slot].pages, PAGES);
	must(-!!ctl_submit(&ctl, &req, &two));
	wait_job(&ctl, two, &job);
	check_eq(job.total, PAGES);
	check_eq(job.moved, 0);
	check_eq(job.left[MIGD_REASON_REFUSED], PAGES);
	check_eq(job.outcome, MIGD_OUTCOME_FAILED);
	check_eq(job.passes, 3);
	server_run(&server, &ctl, one);
	must(ctl_job(&ctl, one, &job));
	check_moved(&ctl, &target, &job, at, BYTES, SEED);
	target_call(&target, mem_free, at, BYTES, 0);
}

/* In shared_page(). */
struct mapping {
	atomic_int tid;
};

static struct mapping *mapping;

static int64_t map_something(uint64_t arg, uint64_t b, uint64_t c)
{
	struct mapping *m = (void *)(uintptr_t)arg;
	void *at;

	(void)b;
	(void)c;
	m->tid = (int)syscall(SYS_gettid);
	at = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	check(at != MAP_FAILED, "mmap: %s", strerror(errno));
	return munmap(at, PAGE);
}

static bool sleeps_in_mmap(void *arg)
{
	char path[64];
	const char *line;

	(void)arg;
	if (!mapping->tid)
		return false;
	snprintf(path, sizeof(path), "/proc/%d/syscall", target.pid);
	line = read_line(path);
	return line && strtol(line, NULL, 10) == SYS_mmap;
}

/* Parks the slot through a ring of its own, which can be given up alone. */
static void part_open(struct io_uring *ring, unsigned int slot)
{
	struct migd_fetch fetch = { .slot = (uint16_t)slot };
	struct io_uring_sqe *sqe;

	must(io_uring_queue_init(4, ring, 0));
	sqe = io_uring_get_sqe(ring);
	check(sqe, "the submission queue is full");
	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = IORING_OP_URING_CMD;
	sqe->fd = server.fd;
	sqe->cmd_op = MIGD_IO_FETCH;
	memcpy(sqe->cmd, &fetch, sizeof(fetch));
	must(io_uring_submit(ring));
}

/*
 * Parks the slot, once the FETCH of the other ring has been taken back: its
 * exit is no event that could be waited for. A FETCH is refused at once.
 */
static void take_slot(unsigned int slot)
{
	uint64_t end = now_ns() + PROMPT_NS;
	struct answer answer;

	for (;;) {
		server_fetch(&server, slot);
		server_submit(&server);
		if (!server_reap(&server, &answer))
			return;
		check_eq(answer.slot, slot);
		check_eq(answer.res, -EBUSY);
		check(now_ns() < end, "a FETCH can't be taken back");
		usleep(2000);
	}
}

/*
 * A batch holds the mmap lock for reading, a writer of the target waits behind
 * it: another job on the same target can't go on before that batch's end. It
 * must not keep a slot meanwhile, and a cancel must reach it.
 */
static void behind_a_writer(uint32_t order)
{
	uint64_t at = (uint64_t)target_call(&target, mem_new, 2 * BYTES, 0, SEED);
	struct job_req req = job_for(&target, at, BYTES, 0, 1, order);
	unsigned int pos = ctl.nr_events;
	uint64_t one, two, three, at2;
	struct target other;
	struct job_info job;
	struct io_uring part;

	step("%s, behind a writer of the mmap lock", order_name(order));
	target_start(&other);
	at2 = (uint64_t)target_call(&other, mem_new, BYTES, 0, SEED);
	server_fetch(&server, 0);
	server_submit(&server);
	req.deadline_us = 60000000;
	must(-!!ctl_submit(&ctl, &req, &one));
	check_eq(server_wait_batch(&server), 0);

	/* The second job gets as far as its second batch. */
	server_fetch(&server, 1);
	server_submit(&server);
	req = job_for(&target, at + BYTES, BYTES, 0, 1, order);
	req.batch_pages = CHUNK;
	req.deadline_us = 300000;
	must(-!!ctl_submit(&ctl, &req, &two));
	check_eq(server_wait_batch(&server), 1);
	mapping->tid = 0;
	target_begin(&target, map_something, (uintptr_t)mapping, 0, 0);
	wait_until(sleeps_in_mmap, NULL, "the target waits in mmap");
	part_open(&part, 2);
	ctl_wait_event(&ctl, MIGD_CMD_BATCH_RESCUED_NTF, two, &pos);

	/* It can be given up, and serve another target meanwhile. */
	io_uring_queue_exit(&part);
	server.slot[1].state = SLOT_IDLE;
	take_slot(2);
	req = job_for(&other, at2, BYTES, 0, 1, order);
	must(-!!ctl_submit(&ctl, &req, &three));
	check_eq(server_wait_batch(&server), 2);
	check_eq(server.desc[2].job, three);
	server_commit(&server, 2);
	server_submit(&server);
	wait_job(&ctl, three, &job);
	check_eq(job.moved, PAGES);
	check_memory(&other, at2, BYTES, 1, SEED);

	must(ctl_cancel(&ctl, two));
	wait_job(&ctl, two, &job);
	check_eq(job.outcome, MIGD_OUTCOME_CANCELLED);
	check_eq(job.moved, CHUNK);
	check_eq(job.left[MIGD_REASON_UNREACHED], PAGES - CHUNK);
	check_eq(server.desc[0].job, one);
	check_eq(server.slot[0].state, SLOT_BATCH);

	server_run(&server, &ctl, one);
	must(ctl_job(&ctl, one, &job));
	check_eq(job.rescued, 0);
	check_eq(target_end(&target), 0);
	check_moved(&ctl, &target, &job, at, BYTES, SEED);
	target_call(&target, mem_free, at, 2 * BYTES, 0);
	target_stop(&other);
}

/* A job waits for a slot that nobody parks; its target dies. */
static void deaf(void)
{
	struct job_req req;
	struct target victim;
	struct job_info job;
	uint64_t at, id, begin;

	step("the target dies, the daemon is deaf");
	server_open(&server, 2, PAGES);
	target_start(&victim);
	at = (uint64_t)target_call(&victim, mem_new, BYTES, 0, SEED);
	req = job_for(&victim, at, BYTES, 0, 1, MIGD_ORDER_COPY_FIRST);
	must(-!!ctl_submit(&ctl, &req, &id));
	target_stop(&victim);
	begin = now_ns();
	wait_job(&ctl, id, &job);
	check_eq(job.outcome, MIGD_OUTCOME_TARGET_GONE);
	check_eq(job.moved, 0);
	check(now_ns() - begin < PROMPT_NS, "it took %llu ms",
	      (unsigned long long)(now_ns() - begin) / 1000000);
	wait_idle(&ctl);
}

static void slow_and_gone(void)
{
	struct job_req req;
	struct target victim;
	struct job_info job;
	uint64_t at, id, begin;
	unsigned int slot;

	step("the target dies in a job that keeps to its rate");
	target_start(&victim);
	at = (uint64_t)target_call(&victim, mem_new, BYTES, 0, SEED);
	req = job_for(&victim, at, BYTES, 0, 1, MIGD_ORDER_COPY_FIRST);
	/* A page at a time, which takes a minute to be paid for. */
	req.max_rate = PAGE / 64;
	id = server_job(&server, &ctl, &req);
	slot = server_wait_batch(&server);
	server_commit(&server, slot);
	server_submit(&server);
	target_stop(&victim);
	begin = now_ns();
	wait_job(&ctl, id, &job);
	check_eq(job.outcome, MIGD_OUTCOME_TARGET_GONE);
	check_eq(job.moved, 1);
	check(now_ns() - begin < PROMPT_NS, "it took %llu ms",
	      (unsigned long long)(now_ns() - begin) / 1000000);
}

/* A daemon that knows less than the module is not asked for more. */
static void features(void)
{
	uint64_t at = (uint64_t)target_call(&target, mem_new, BYTES, 0, SEED), id;
	struct job_req req = job_for(&target, at, BYTES, 0, 1,
				     MIGD_ORDER_STATE_FIRST);
	struct job_info job;

	step("a daemon without state-first");
	/* A job that was submitted to a better one, which had parked nothing. */
	server_close(&server);
	server_open(&server, 2, PAGES);
	must(-!!ctl_submit(&ctl, &req, &id));
	server_close(&server);
	server.without = MIGD_FEAT_STATE_FIRST;
	server_open(&server, 2, PAGES);
	check_eq(server.setup.features, MIGD_FEAT_DMA);
	server_fetch_all(&server);
	wait_job(&ctl, id, &job);
	check_eq(job.outcome, MIGD_OUTCOME_SERVER_LOST);
	check_eq(job.moved, 0);
	check_eq(ctl_submit(&ctl, &req, &id), -EOPNOTSUPP);
	check(strlen(ctl.ack) > 15, "no sentence");
	printf("        %s\n", ctl.ack);

	req.order = MIGD_ORDER_COPY_FIRST;
	server_move(&server, &ctl, &req, &job);
	check_moved(&ctl, &target, &job, at, BYTES, SEED);
}

int main(void)
{
	uint32_t order;

	must(ctl_open(&ctl, true));
	mapping = shared_page();
	target_start(&target);
	for (order = MIGD_ORDER_COPY_FIRST; order <= MIGD_ORDER_STATE_FIRST; order++) {
		server_open(&server, 3, PAGES);
		behind_a_writer(order);
		server_close(&server);
		server_open(&server, 2, PAGES);
		holes(order);
		held_by_another(order);
		server_close(&server);
		check_clean(&ctl);
	}
	deaf();
	slow_and_gone();
	features();

	target_stop(&target);
	server_close(&server);
	wait_idle(&ctl);
	check_clean(&ctl);
	return 0;
}
