// SPDX-License-Identifier: GPL-2.0
/*
 * Locking is part of the deadline: it may use a quarter of that, looked at after
 * each chunk of pages. The shortest deadline leaves 250 us, which no machine
 * locks a batch of the largest size in: it is handed over in part, and nothing
 * of the rest is lost or counted twice.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include "fixture.h"

#define SEGMENTS	4UL
#define BYTES		(MIGD_MAX_BATCH_PAGES * PAGE)
#define SEED		43
#define SHORT_US	1000
#define LONG_US		60000000
/* Of uapi/PROTOCOL.md. */
#define CHUNK		64

static struct ctl ctl;
static struct server server;
static struct target target;
static struct features_info features;

/* Small pages and large folios that are mapped by PTEs, in turn, 2 MiB of each. */
static int64_t map_mixed(uint64_t a, uint64_t b, uint64_t c)
{
	char *at = mmap(NULL, (2 * SEGMENTS + 1) * HUGE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *large;
	size_t i;

	(void)a;
	(void)b;
	(void)c;
	check(at != MAP_FAILED, "mmap: %s", strerror(errno));
	at = (char *)(((uintptr_t)at + HUGE - 1) & ~(HUGE - 1));
	alloc_on(0);
	for (i = 0; i < SEGMENTS; i++) {
		large = at + (2 * i + 1) * HUGE;
		must(madvise(large - HUGE, HUGE, MADV_NOHUGEPAGE));
		mem_fill(large - HUGE, HUGE, SEED);
		must(madvise(large, HUGE, MADV_HUGEPAGE));
		memset(large, 1, HUGE);
		must(mprotect(large + PAGE, PAGE, PROT_READ));
	}
	alloc_on(-1);
	return (int64_t)(uintptr_t)at;
}

static void check_small(uint64_t at, int node)
{
	size_t i;

	for (i = 0; i < SEGMENTS; i++)
		check_memory(&target, at + 2 * i * HUGE, HUGE, node, SEED);
}

/* The large folios lie between the runs, beyond and before each cut. */
static void cut(uint32_t order)
{
	uint64_t at = (uint64_t)target_call(&target, map_mixed, 0, 0, 0);
	struct job_req req = job_for(&target, at, 2 * SEGMENTS * HUGE, 0, 1,
				     order);
	struct job_info job;

	step("%s, no time for all of a batch", order_name(order));
	req.deadline_us = SHORT_US;
	/* A running thread makes each flush of a TLB an interrupt. */
	touch_begin(&target, at, HUGE);
	server_move(&server, &ctl, &req, &job);
	touch_end(&target, SHORT_US / 1000 + features.grace_ms, &job);
	printf("        %llu pages in %llu batches, %u passes\n",
	       (unsigned long long)job.moved, (unsigned long long)job.batches,
	       job.passes);
	check_sum(&job);
	check_eq(job.total, 2 * SEGMENTS * HUGE / PAGE);
	check_eq(job.moved, SEGMENTS * HUGE / PAGE);
	check_eq(job.left[MIGD_REASON_LARGE], SEGMENTS * HUGE / PAGE);
	check(job.batches > 1, "there was time for all");
	check(job.passes < job.batches, "a cut ends the pass");
	check_eq(job.lock.count, job.batches);
	check_small(at, 1);

	step("%s, time enough", order_name(order));
	req = job_for(&target, at, 2 * SEGMENTS * HUGE, 1, 0, order);
	req.deadline_us = LONG_US;
	server_move(&server, &ctl, &req, &job);
	check_eq(job.moved, SEGMENTS * HUGE / PAGE);
	check_small(at, 0);
	target_call(&target, mem_free, at, 2 * SEGMENTS * HUGE, 0);
	check_clean(&ctl);
}

/* What the daemon sees of it. */
static void from_the_first(uint32_t order)
{
	uint64_t at = (uint64_t)target_call(&target, mem_new, BYTES, 0, SEED), id;
	struct job_req req = job_for(&target, at, BYTES, 0, 1, order);
	const struct migd_desc *desc;
	struct job_info job;
	unsigned int slot;

	step("%s, the deadline counts from the first page", order_name(order));
	req.deadline_us = LONG_US;
	id = server_job(&server, &ctl, &req);
	slot = server_wait_batch(&server);
	desc = &server.desc[slot];
	check_eq(desc->deadline_ns - desc->lock_ns, LONG_US * 1000ULL);
	check(desc->pages >= CHUNK, "a batch of %u pages", desc->pages);
	server_run(&server, &ctl, id);
	must(ctl_job(&ctl, id, &job));
	check_moved(&ctl, &target, &job, at, BYTES, SEED);
	target_call(&target, mem_free, at, BYTES, 0);
}

static void atomic_range(void)
{
	uint64_t at = (uint64_t)target_call(&target, mem_new, BYTES, 0, SEED);
	struct job_req req = job_for(&target, at, BYTES, 0, 1,
				     MIGD_ORDER_COPY_FIRST);
	struct job_info job;

	step("atomic, no time for all of the range");
	req.flags = MIGD_JOB_FLAG_ATOMIC;
	req.deadline_us = SHORT_US;
	server_move(&server, &ctl, &req, &job);
	check_sum(&job);
	check_eq(job.outcome, MIGD_OUTCOME_FAILED);
	check_eq(job.moved, 0);
	check_eq(job.batches, 0);
	check_eq(job.left[MIGD_REASON_PUT_BACK], BYTES / PAGE);
	/* As often as other pages that may well go the next time. */
	check_eq(job.passes, 3);
	check_memory(&target, at, BYTES, 0, SEED);
	check_clean(&ctl);

	step("atomic, time enough");
	req.deadline_us = LONG_US;
	req.range[0].end = at + BYTES / 4;
	server_move(&server, &ctl, &req, &job);
	check_moved(&ctl, &target, &job, at, BYTES / 4, SEED);
	check_eq(job.batches, 1);
	target_call(&target, mem_free, at, BYTES, 0);
}

int main(void)
{
	uint32_t order;

	must(ctl_open(&ctl, true));
	must(ctl_features(&ctl, &features));
	touch_setup();
	target_start(&target);
	server_open(&server, 2, MIGD_MAX_BATCH_PAGES);
	for (order = MIGD_ORDER_COPY_FIRST; order <= MIGD_ORDER_STATE_FIRST; order++) {
		cut(order);
		from_the_first(order);
		check_clean(&ctl);
	}
	atomic_range();
	target_stop(&target);
	server_close(&server);
	wait_idle(&ctl);
	check_clean(&ctl);
	return 0;
}
