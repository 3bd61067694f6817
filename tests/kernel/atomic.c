// SPDX-License-Identifier: GPL-2.0
/*
 * Atomic jobs: all pages of a range move, or none. What could never go whole is
 * refused before anything is locked; what goes wrong in the middle leaves every
 * page where it was.
 */
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "fixture.h"

#define PAGES	512UL
#define BYTES	(PAGES * PAGE)
#define SEED	31

static struct ctl ctl;
static struct server server;
static struct target target;
static struct channels channels;
static uint64_t addr;

static struct job_req request(uint64_t at, size_t bytes, int to)
{
	struct job_req req = job_for(&target, at, bytes, 1 - to, to,
				     MIGD_ORDER_COPY_FIRST);

	req.flags = MIGD_JOB_FLAG_ATOMIC;
	return req;
}

static void all(const char *how, int to)
{
	struct job_req req = request(addr, BYTES, to);
	struct job_info job;

	step("%s, to node %d", how, to);
	server_move(&server, &ctl, &req, &job);
	check_eq(job.flags, MIGD_JOB_FLAG_ATOMIC);
	check_moved(&ctl, &target, &job, addr, BYTES, SEED);
	check_eq(job.batches, 1);
	check_clean(&ctl);
}

/* Every page is where it was; @reason is what kept @pages of them. */
static void check_none(const struct job_info *job, enum migd_reason reason,
		       unsigned int pages)
{
	printf("        %llu kept the others\n",
	       (unsigned long long)job->left[reason]);
	check_sum(job);
	check_eq(job->moved, 0);
	check_eq(job->outcome, MIGD_OUTCOME_FAILED);
	check_eq(job->left[reason], pages);
	check_eq(job->left[MIGD_REASON_ATOMIC], PAGES - pages);
	check_memory(&target, addr, BYTES, 0, SEED);
	check_clean(&ctl);
}

/* Gaps, pages that are there already, and two ranges at once. */
static void sparse(void)
{
	struct job_req req = request(addr, BYTES / 2, 1);
	struct job_info job;

	step("pages elsewhere in between, two ranges");
	move_by_kernel(target.pid, addr + 5 * PAGE, PAGE, 1);
	move_by_kernel(target.pid, addr + 90 * PAGE, 3 * PAGE, 1);
	req.nr_ranges = 2;
	req.range[1] = (struct range){ addr + BYTES / 2, addr + BYTES };
	server_move(&server, &ctl, &req, &job);
	check_sum(&job);
	check_eq(job.moved, PAGES - 4);
	check_eq(job.batches, 2);
	check_eq(job.outcome, MIGD_OUTCOME_MOVED);
	check_memory(&target, addr, BYTES, 1, SEED);
	all("back", 0);
}

static void refused(const char *what, int err, const char *word,
		    struct job_req req)
{
	struct stats_info before, after;
	uint64_t id;

	step("refused: %s", what);
	must(ctl_stats(&ctl, &before));
	check_eq(ctl_submit(&ctl, &req, &id), err);
	printf("        %s\n", ctl.ack);
	check(strstr(ctl.ack, word), "no '%s' in the sentence", word);
	must(ctl_stats(&ctl, &after));
	check_eq(after.jobs, before.jobs);
}

static int64_t map_thp(uint64_t split, uint64_t b, uint64_t c)
{
	char *at = (char *)(uintptr_t)mem_new_huge(0, b, c);

	if (split)
		must(mprotect(at + PAGE, PAGE, PROT_READ));
	return (int64_t)(uintptr_t)at;
}

static int64_t map_shared(uint64_t hugetlb, uint64_t b, uint64_t c)
{
	int flags = hugetlb ? MAP_PRIVATE | MAP_HUGETLB : MAP_SHARED;
	char *at = mmap(NULL, HUGE, PROT_READ | PROT_WRITE,
			flags | MAP_ANONYMOUS, -1, 0);

	(void)b;
	(void)c;
	check(at != MAP_FAILED, "mmap: %s", strerror(errno));
	alloc_on(0);
	memset(at, 1, HUGE);
	alloc_on(-1);
	return (int64_t)(uintptr_t)at;
}

static void refusals(void)
{
	struct job_req req = request(addr, BYTES, 1);
	uint64_t at;

	req.order = MIGD_ORDER_STATE_FIRST;
	refused("state-first", -EINVAL, "copy-first", req);
	req = request(0, 0, 1);
	refused("no range", -EINVAL, "ranges", req);
	req = request(addr, BYTES + PAGE, 1);
	refused("a range beyond the daemon's batch", -E2BIG, "range 1", req);
	req = request(addr, BYTES, 1);
	req.batch_pages = PAGES - 1;
	refused("a range beyond the job's batch", -E2BIG, "batch", req);

	at = (uint64_t)target_call(&target, map_thp, 0, 0, 0);
	req = request(addr, BYTES, 1);
	req.nr_ranges = 2;
	req.range[1] = (struct range){ at, at + HUGE };
	refused("a huge page", -EOPNOTSUPP, "range 2 holds a large folio", req);
	at = (uint64_t)target_call(&target, map_thp, 1, 0, 0);
	refused("a large folio", -EOPNOTSUPP, "large folio", request(at, HUGE, 1));
	at = (uint64_t)target_call(&target, map_shared, 0, 0, 0);
	refused("shared memory", -EOPNOTSUPP, "shared memory", request(at, HUGE, 1));
	must(write_file("/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "2"));
	at = (uint64_t)target_call(&target, map_shared, 1, 0, 0);
	refused("hugetlb", -EOPNOTSUPP, "large folio", request(at, HUGE, 1));
	target_call(&target, mem_free, at, HUGE, 0);
}

static struct io_uring pin_ring;

static int64_t pin(uint64_t at, uint64_t bytes, uint64_t c)
{
	struct iovec iov = { (void *)(uintptr_t)at, bytes };

	(void)c;
	must(io_uring_queue_init(4, &pin_ring, 0));
	return io_uring_register_buffers(&pin_ring, &iov, 1);
}

static int64_t unpin(uint64_t a, uint64_t b, uint64_t c)
{
	(void)a;
	(void)b;
	(void)c;
	io_uring_queue_exit(&pin_ring);
	return 0;
}

static void pinned(void)
{
	struct job_req req = request(addr, BYTES, 1);
	struct job_info job;

	step("a pinned page");
	check_eq(target_call(&target, pin, addr + 77 * PAGE, PAGE, 0), 0);
	server_move(&server, &ctl, &req, &job);
	check_eq(job.batches, 0);
	check_none(&job, MIGD_REASON_REFUSED, 1);
	target_call(&target, unpin, 0, 0, 0);
}

/* A descriptor out past the deadline: its pages can't move, so none does. */
static void late(void)
{
	struct job_req req = request(addr, BYTES, 1);
	unsigned int pos = ctl.nr_events;
	const struct event *event;
	struct job_info job;
	unsigned int slot;
	uint64_t id;

	step("a COPY that does not come back in time");
	/* Long enough for the COPY to be out, on the slowest machine. */
	req.deadline_us = 3000000;
	fault_set(&channels, 0, "hold", 1);
	id = server_job(&server, &ctl, &req);
	slot = server_wait_batch(&server);
	check_eq(server.slot[slot].pages, PAGES);
	server_copy(&server, slot, channels.id[0], 10, 5);
	server_submit(&server);
	event = ctl_wait_event(&ctl, MIGD_CMD_BATCH_RESCUED_NTF, id, &pos);
	check_eq(event->moved, 0);
	check_eq(event->put_back, PAGES);
	must(ctl_cancel(&ctl, id));
	wait_job(&ctl, id, &job);
	check_eq(job.moved, 0);
	check_memory(&target, addr, BYTES, 0, SEED);
	fault_set(&channels, 0, "hold", 0);
	check_eq(server_wait_copy(&server), -ETIME);
	server.slot[slot].state = SLOT_IDLE;
}

static bool out_of_quarantine(void *arg)
{
	struct stats_info stats;

	(void)arg;
	must(ctl_stats(&ctl, &stats));
	return !stats.quarantined_pages;
}

/* One wrong copy, found by verify. */
static void lie(void)
{
	struct job_req req = request(addr, BYTES, 1);
	struct job_info job;
	uint32_t again;

	step("one descriptor lies, and verify finds out");
	req.flags |= MIGD_JOB_FLAG_VERIFY;
	plan_dma(&server, &channels, 1, 4);
	fault_set(&channels, 0, "corrupt", 1);
	server_move(&server, &ctl, &req, &job);
	check_eq(ctl_release(&ctl, channels.id[0]), 0);
	check_eq(ctl_claim(&ctl, channels.name[0], &again), 0);
	channels.id[0] = (uint16_t)again;
	wait_until(out_of_quarantine, NULL, "the quarantine is empty");
	check_none(&job, MIGD_REASON_VERIFY_FAILED, 1);
}

/* An engine's error spoils the pages of its COPY for this batch, and so all. */
static void engine_error(void)
{
	struct job_req req = request(addr, BYTES, 1);
	struct job_info job;

	step("one descriptor fails");
	plan_dma(&server, &channels, channels.nr, 0);
	server.plan.retry = true;
	fault_set(&channels, 1, "fail_count", -1);
	fault_set(&channels, 1, "fail_after", 3);
	server_move(&server, &ctl, &req, &job);
	check_sum(&job);
	check_eq(job.moved, 0);
	check_eq(job.left[MIGD_REASON_COPY_FAILED], PAGES / channels.nr);
	check_eq(job.left[MIGD_REASON_ATOMIC], PAGES - PAGES / channels.nr);
	check_memory(&target, addr, BYTES, 0, SEED);
	fault_set(&channels, 1, "fail_after", -1);
	/* The channel is sound again, and lets go of what it held. */
	server_move(&server, &ctl, &req, &job);
	check_moved(&ctl, &target, &job, addr, BYTES, SEED);
	wait_until(out_of_quarantine, NULL, "the quarantine is empty");
	server.plan.retry = false;
	all("back", 0);
}

static int64_t drop(uint64_t at, uint64_t bytes, uint64_t c)
{
	(void)c;
	return madvise((void *)(uintptr_t)at, bytes, MADV_DONTNEED);
}

static void gone(void)
{
	struct job_req req = request(addr, BYTES, 1);
	struct job_info job;

	step("nothing is there");
	check_eq(target_call(&target, drop, addr, BYTES, 0), 0);
	server_move(&server, &ctl, &req, &job);
	check_eq(job.total, 0);
	check_eq(job.moved, 0);
	check_eq(job.outcome, MIGD_OUTCOME_MOVED);
}

int main(void)
{
	must(ctl_open(&ctl, true));
	target_start(&target);
	server_open(&server, 2, PAGES);
	channels_claim(&ctl, &channels);
	addr = (uint64_t)target_call(&target, mem_new_scattered, BYTES, 0, SEED);

	plan_cpu(&server, 3);
	all("CPU", 1);
	server.plan.nr_engines = 0;
	all("commit without COPY", 0);
	plan_dma(&server, &channels, channels.nr, 0);
	all("striped", 1);
	all("striped", 0);
	sparse();
	refusals();
	pinned();
	/* zynqmp_dma has no switches. */
	if (on_machine("amd64")) {
		/* One slot, so that the job can't go on with another. */
		server_close(&server);
		server_open(&server, 1, PAGES);
		channels_claim(&ctl, &channels);
		late();
		wait_until(out_of_quarantine, NULL, "the quarantine is empty");
		lie();
		engine_error();
	}
	gone();

	target_stop(&target);
	server_close(&server);
	wait_idle(&ctl);
	check_clean(&ctl);
	return 0;
}
