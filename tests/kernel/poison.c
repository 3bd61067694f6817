// SPDX-License-Identifier: GPL-2.0
/*
 * memory_failure() on a source page of a batch, in the hands of an engine and
 * not. The process keeps its old page, and so its SIGBUS on a real machine; the
 * destination that an engine may still write is not freed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include "fixture.h"

#define PAGES	64UL
#define BYTES	(PAGES * PAGE)
#define BAD	37UL

static struct ctl ctl;
static struct server server;
static struct target target;
static struct channels channels;
static uint64_t addr, seed = 1;

static int64_t rewrite(uint64_t at, uint64_t bytes, uint64_t value)
{
	mem_fill((void *)(uintptr_t)at, bytes, value);
	return 0;
}

/* Frame number of a page of the target that is mapped now. */
static uint64_t pfn_of(uint64_t at)
{
	uint64_t entry;
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/pagemap", target.pid);
	fd = (int)must(open(path, O_RDONLY));
	check_eq(pread(fd, &entry, sizeof(entry), (off_t)(at / PAGE * 8)),
		 sizeof(entry));
	close(fd);
	check(entry >> 63, "the page at %#llx is not there",
	      (unsigned long long)at);
	return entry & ((1ULL << 55) - 1);
}

static bool is_poisoned(uint64_t pfn)
{
	uint64_t flags;
	int fd = (int)must(open("/proc/kpageflags", O_RDONLY));

	check_eq(pread(fd, &flags, sizeof(flags), (off_t)(pfn * 8)), sizeof(flags));
	close(fd);
	return flags & 1ULL << 19;
}

/* The page is isolated, so the kernel marks it and can do nothing else. */
static void poison(uint64_t pfn)
{
	write_file("/sys/kernel/debug/hwpoison/corrupt-pfn", "%#llx",
		   (unsigned long long)pfn);
	check(is_poisoned(pfn), "page frame %#llx is not marked",
	      (unsigned long long)pfn);
}

static bool unpoisoned(void *arg)
{
	uint64_t pfn = *(uint64_t *)arg;

	/* A list of pages that are to go to the LRU may still have it. */
	must(write_file("/proc/sys/vm/compact_memory", "1"));
	write_file("/sys/kernel/debug/hwpoison/unpoison-pfn", "%#llx",
		   (unsigned long long)pfn);
	return !is_poisoned(pfn);
}

/* New memory instead of the poisoned one, which is the kernel's again. */
static void heal(uint64_t pfn)
{
	target_call(&target, mem_free, addr, BYTES, 0);
	wait_until(unpoisoned, &pfn, "the mark is taken away");
	addr = (uint64_t)target_call(&target, mem_new, BYTES, 0, seed);
}

/* A batch that is not copied yet: the COMMIT leaves the page alone. */
static void before_copy(uint32_t order)
{
	struct job_req req = job_for(&target, addr, BYTES, 0, 1, order);
	uint64_t pfn = pfn_of(addr + BAD * PAGE), id;
	struct job_info job;

	step("%s, before the copy", order_name(order));
	plan_cpu(&server, 0);
	id = server_job(&server, &ctl, &req);
	server_wait_batch(&server);
	poison(pfn);
	/* COMMIT without a COPY: a copy in user space's name would fail. */
	server.plan.nr_engines = 0;
	server_run(&server, &ctl, id);
	must(ctl_job(&ctl, id, &job));
	check_sum(&job);
	check_eq(job.moved, PAGES - 1);
	check_eq(job.left[MIGD_REASON_POISONED], 1);
	check_eq(pfn_of(addr + BAD * PAGE), pfn);
	check_eq(target_call(&target, mem_wrong, addr, BYTES, seed), 0);
	check_eq(pages_on(target.pid, addr, BYTES, 1), PAGES - 1);
	check_clean(&ctl);
	heal(pfn);
}

/* An engine has the page at the deadline, and writes it afterwards. */
static void under_copy(uint32_t order, const char *name)
{
	struct job_req req = job_for(&target, addr, BYTES, 0, 1, order);
	uint64_t pfn = pfn_of(addr + BAD * PAGE), id;
	struct stats_info stats;
	const struct event *event;
	struct job_info job;
	unsigned int slot, pos = ctl.nr_events;

	step("%s, under a copy, %s", order_name(order), name);
	req.deadline_us = 1000000;
	fault_set(&channels, 0, name, 1);
	id = server_job(&server, &ctl, &req);
	slot = server_wait_batch(&server);
	check_eq(server.slot[slot].pages, PAGES);
	server_copy(&server, slot, channels.id[0], 0, PAGES);
	server_submit(&server);
	poison(pfn);
	check_eq(server_wait_copy(&server), -ETIME);
	server.slot[slot].state = SLOT_IDLE;
	must(ctl_cancel(&ctl, id));
	wait_job(&ctl, id, &job);
	check_eq(job.moved, 0);
	/* All of them, whatever the reason they were put back for. */
	must(ctl_stats(&ctl, &stats));
	check_eq(stats.quarantined_pages, PAGES);
	check_eq(stats.locked_pages, 0);
	check_module_busy("pages in quarantine");
	check_eq(pfn_of(addr + BAD * PAGE), pfn);

	seed++;
	target_call(&target, rewrite, addr, BYTES, seed);
	fault_set(&channels, 0, name, 0);
	do
		event = ctl_wait_event(&ctl, MIGD_CMD_QUARANTINE_NTF,
				       channels.id[0], &pos);
	while (event->quarantined);
	check_clean(&ctl);
	check_memory(&target, addr, BYTES, 0, seed);
	heal(pfn);
}

int main(void)
{
	uint32_t order;

	must(ctl_open(&ctl, true));
	target_start(&target);
	addr = (uint64_t)target_call(&target, mem_new, BYTES, 0, seed);
	server_open(&server, 1, PAGES);
	channels_claim(&ctl, &channels);

	for (order = MIGD_ORDER_COPY_FIRST; order <= MIGD_ORDER_STATE_FIRST; order++) {
		before_copy(order);
		under_copy(order, "late_write");
		under_copy(order, "hold");
	}
	target_stop(&target);
	server_close(&server);
	wait_idle(&ctl);
	check_clean(&ctl);
	return 0;
}
