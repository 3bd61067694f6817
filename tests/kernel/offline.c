// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of the source node and of the destination is taken offline in the
 * middle of a job. While a batch is held its pages stay where they are; in
 * between the kernel may move what it likes to. The target writes and checks.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "filler.h"
#include "fixture.h"
#include "hammer.h"

#define SIZE_FILE	"/sys/devices/system/memory/block_size_bytes"

#define PAGES		8192UL
#define BYTES		(PAGES * PAGE)
#define BATCH		256
#define MAX_BLOCKS	64
/* Of a batch that is held until it ends by itself; in it, time for an attempt. */
#define DEADLINE_US	1200000
#define AT_ONCE_MS	300
#define AT_RANDOM_MS	3000

static struct ctl ctl;
static struct server server;
static struct target target;
static struct filler filler;
static uint64_t addr;

/* Blocks of node 1 that hold nothing of the kernel's own. */
static int good[MAX_BLOCKS];
static unsigned int nr_good;
static uint64_t block_bytes;

static int set_block(int block, const char *state)
{
	char path[80];

	snprintf(path, sizeof(path), "/sys/devices/system/memory/memory%d/state", block);
	return write_file(path, "%s", state);
}

/* With no page of the kernel's own, and before any other for a page of a process. */
static void online(int block)
{
	must(set_block(block, "online_movable"));
}

/*
 * What is in the way may be there for a moment only, and no event tells when it
 * has gone.
 */
static void offline(int block)
{
	uint64_t end = now_ns() + PATIENCE_MS * 1000000ULL;
	int err;

	while ((err = set_block(block, "offline")) == -EBUSY || err == -EAGAIN) {
		check(now_ns() < end, "memory block %d stays busy", block);
		usleep(20000);
	}
	must(err);
}

static int by_number(const struct dirent **a, const struct dirent **b)
{
	return versionsort(a, b);
}

static int is_block(const struct dirent *entry)
{
	int n;

	return sscanf(entry->d_name, "memory%d", &n) == 1;
}

/*
 * All that can go goes, and what then is free is taken: new memory of the node is
 * in the two blocks that come back.
 */
static void find_blocks(void)
{
	struct dirent **list;
	int n, i, block;

	block_bytes = strtoull(read_line(SIZE_FILE) ?: "", NULL, 16);
	check(block_bytes, "no " SIZE_FILE);
	n = (int)must(scandir("/sys/devices/system/node/node1", &list, is_block, by_number));
	for (i = 0; i < n; i++) {
		block = atoi(list[i]->d_name + strlen("memory"));
		free(list[i]);
		if (nr_good < MAX_BLOCKS && !set_block(block, "offline"))
			good[nr_good++] = block;
	}
	free(list);
	printf("        %u of %d blocks of node 1, %llu MiB each, can go\n", nr_good, n,
	       (unsigned long long)block_bytes >> 20);
	check(nr_good >= 2, "too few blocks of node 1 can be taken offline");
	node_fill(&filler);
	for (i = 0; i < 2; i++)
		online(good[i]);
}

static void all_online(void)
{
	unsigned int i;
	int err;

	for (i = 0; i < nr_good; i++) {
		err = set_block(good[i], "online_movable");
		/* EINVAL: it is */
		check(!err || err == -EINVAL, "block %d: %s", good[i], strerror(-err));
	}
	node_empty(&filler);
}

/* For the kernel's own pages, too, as it was. */
static void all_back(void)
{
	unsigned int i;

	for (i = 0; i < nr_good; i++)
		offline(good[i]);
	for (i = 0; i < nr_good; i++)
		must(set_block(good[i], "online_kernel"));
}

/* The block that holds the page at @at of the target, or -1 for another node's. */
static int block_of(uint64_t at)
{
	uint64_t entry = 0;
	char path[40];
	unsigned int i;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/pagemap", target.pid);
	fd = (int)must(open(path, O_RDONLY | O_CLOEXEC));
	check(pread(fd, &entry, sizeof(entry), (off_t)(at / PAGE * sizeof(entry))) ==
	      sizeof(entry), "cannot read %s", path);
	close(fd);
	check(entry >> 63, "the page at %#llx is not there", (unsigned long long)at);
	entry = (entry & ((1ULL << 55) - 1)) * PAGE / block_bytes;
	for (i = 0; i < nr_good; i++)
		if ((uint64_t)good[i] == entry)
			return good[i];
	return -1;
}

struct attempt {
	pthread_t thread;
	int block, err;
	atomic_int done;
};

static void *try_offline(void *arg)
{
	struct attempt *a = arg;

	a->err = set_block(a->block, "offline");
	a->done = 1;
	return NULL;
}

static void attempt_begin(struct attempt *a, int block)
{
	*a = (struct attempt){ .block = block };
	must(-pthread_create(&a->thread, NULL, try_offline, a));
}

/* In vain, for now: refused, or still waiting. True when it was done at once. */
static bool attempt_at_once(struct attempt *a)
{
	uint64_t end = now_ns() + AT_ONCE_MS * 1000000ULL;

	while (!a->done && now_ns() < end)
		usleep(1000);
	return a->done && !a->err;
}

static void attempt_end(struct attempt *a)
{
	must(-pthread_join(a->thread, NULL));
	if (a->err)
		offline(a->block);
}

static bool held(void)
{
	struct stats_info stats;

	must(ctl_stats(&ctl, &stats));
	return stats.locked_pages;
}

static bool none_held(void *arg)
{
	(void)arg;
	return !held();
}

/* Two batches go, the third is held: its slot. */
static unsigned int third_batch(uint64_t *ret_id, uint32_t order, int from)
{
	struct job_req req = job_for(&target, addr, BYTES, from, !from, order);
	unsigned int slot, i;

	req.batch_pages = BATCH;
	req.deadline_us = DEADLINE_US;
	*ret_id = server_job(&server, &ctl, &req);
	slot = server_wait_batch(&server);
	for (i = 0; i < 2; i++) {
		server_commit(&server, slot);
		slot = server_wait_batch(&server);
	}
	return slot;
}

/* The batch ends by itself; without a FETCH the job is in its middle and holds none. */
static void let_go(unsigned int slot)
{
	struct answer answer;

	wait_until(none_held, NULL, "the end of the batch");
	server_commit(&server, slot);
	server_wait(&server, &answer);
	check_eq(answer.res, -ESTALE);
}

static void go_on(uint64_t id, struct job_info *ret)
{
	must(ctl_job(&ctl, id, ret));
	check(ret->state != MIGD_JOB_STATE_DONE, "the job has ended in its middle");
	server_run(&server, &ctl, id);
	must(ctl_job(&ctl, id, ret));
	printf("        %llu of %llu moved, %llu without memory\n",
	       (unsigned long long)ret->moved, (unsigned long long)ret->total,
	       (unsigned long long)ret->left[MIGD_REASON_NO_MEMORY]);
}

/* The blocks of the target's pages go; the kernel moves these before we do. */
static void source(uint32_t order)
{
	struct attempt attempt;
	struct job_info job;
	unsigned int slot, i;
	uint64_t id, at;
	int block = -1;

	step("%s, memory of the source goes offline", order_name(order));
	/* The third batch is the third of these pages. */
	for (at = addr + 2 * BATCH * PAGE; at < addr + 3 * BATCH * PAGE && block < 0; at += PAGE)
		block = block_of(at);
	check(block >= 0, "the target has no memory in a block that can go");
	slot = third_batch(&id, order, 1);
	attempt_begin(&attempt, block);
	check(!attempt_at_once(&attempt) || !held(), "block %d is offline under a batch", block);
	let_go(slot);
	attempt_end(&attempt);
	for (i = 0; i < 2; i++)
		if (good[i] != block)
			offline(good[i]);
	go_on(id, &job);
	/* Who moves a page is as it happens; there is nothing left of them. */
	check_eq(pages_on(target.pid, addr, BYTES, 0), PAGES);
	check_clean(&ctl);
	for (i = 0; i < 2; i++)
		online(good[i]);
}

/* So do those that the pages go to, and then there is no room any more. */
static void destination(uint32_t order)
{
	struct attempt attempt[2];
	unsigned int slot, i, gone = 0;
	struct job_info job;
	uint64_t id;

	step("%s, memory of the destination goes offline", order_name(order));
	slot = third_batch(&id, order, 0);
	for (i = 0; i < 2; i++)
		attempt_begin(&attempt[i], good[i]);
	for (i = 0; i < 2; i++)
		gone += attempt_at_once(&attempt[i]);
	check(gone < 2 || !held(), "both blocks are offline under a batch");
	let_go(slot);
	for (i = 0; i < 2; i++)
		attempt_end(&attempt[i]);
	go_on(id, &job);
	check(job.moved >= 3 * BATCH / 2, "only %llu pages moved", (unsigned long long)job.moved);
	check(job.left[MIGD_REASON_NO_MEMORY], "all pages found room");
	check_eq(job.outcome, MIGD_OUTCOME_PARTLY);
	check_clean(&ctl);
}

/* Blocks come and go while jobs run, each of them once at least. */
static void *come_and_go(void *arg)
{
	unsigned int *ret_gone = arg, i;
	uint64_t end = now_ns() + AT_RANDOM_MS * 1000000ULL;

	for (i = 0; now_ns() < end || i < nr_good; i++) {
		*ret_gone += !set_block(good[i % nr_good], "offline");
		usleep(10000);
		set_block(good[i % nr_good], "online_movable");
	}
	return NULL;
}

static void at_random(void)
{
	uint64_t end = now_ns() + AT_RANDOM_MS * 1000000ULL, moved = 0;
	unsigned int gone = 0, jobs;
	struct job_info job;
	struct job_req req;
	pthread_t thread;

	step("blocks come and go");
	must(-pthread_create(&thread, NULL, come_and_go, &gone));
	for (jobs = 0; now_ns() < end || jobs < 2; jobs++) {
		req = job_for(&target, addr, BYTES / 4, jobs % 2, !(jobs % 2), jobs / 2 % 2);
		req.batch_pages = BATCH;
		server_move(&server, &ctl, &req, &job);
		moved += job.moved;
	}
	must(-pthread_join(thread, NULL));
	printf("        %u blocks went offline, %u jobs moved %llu pages\n", gone, jobs,
	       (unsigned long long)moved);
	check(gone && moved, "no block went, or no page");
	check_clean(&ctl);
}

static void everything(void)
{
	struct job_req req = job_for(&target, addr, BYTES, 0, 1, MIGD_ORDER_COPY_FIRST);
	struct job_info job;

	step("all memory is back");
	move_by_kernel(target.pid, addr, BYTES, 0);
	server_move(&server, &ctl, &req, &job);
	check_eq(job.outcome, MIGD_OUTCOME_MOVED);
	check_eq(pages_on(target.pid, addr, BYTES, 1), PAGES);
}

int main(void)
{
	struct hammer *hammer = shared_page();

	must(ctl_open(&ctl, true));
	step("blocks of node 1");
	filler_start(&filler);
	find_blocks();
	target_start(&target);
	/*
	 * Bound to the full node it would want page tables from there, too, and
	 * these do not come from the two blocks: the OOM killer would.
	 */
	addr = (uint64_t)target_call(&target, hammer_new, PAGES, 0, 0);
	move_by_kernel(target.pid, addr, BYTES, 1);
	server_open(&server, 1, BATCH);
	hammer_begin(&target, hammer);
	source(MIGD_ORDER_COPY_FIRST);
	destination(MIGD_ORDER_STATE_FIRST);
	all_online();
	at_random();
	all_online();
	everything();
	hammer_end(&target, hammer);
	check(hammer->rounds, "the target has not written");
	target_stop(&target);
	filler_stop(&filler);
	all_back();
	server_close(&server);
	wait_idle(&ctl);
	check_clean(&ctl);
	return 0;
}
