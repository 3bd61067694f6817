// SPDX-License-Identifier: GPL-2.0
/*
 * Page classes that the module leaves alone: counted with their own reason, not
 * moved, not split, their data intact. Each is mapped in the target on node 0.
 * And what is in swap, or halfway there.
 */
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "fixture.h"

#define BYTES	(4UL << 20)
#define PAGES	(BYTES / PAGE)
#define SEED	6
/* Where classes.sh has mounted a disk file system. */
#define DISK	"/run/migd-classes"

static struct ctl ctl;
static struct server server;
static struct target target;

static void *must_map(size_t bytes, int prot, int flags, int fd)
{
	void *at = mmap(NULL, bytes, prot, flags, fd, 0);

	check(at != MAP_FAILED, "mmap: %s", strerror(errno));
	return at;
}

static int64_t filled(void *at)
{
	alloc_on(0);
	mem_fill(at, BYTES, SEED);
	alloc_on(-1);
	return (int64_t)(uintptr_t)at;
}

/* A file: 0 mapped shared, 1 private. */
static int64_t map_file(uint64_t private, uint64_t b, uint64_t c)
{
	int fd = (int)must(open(DISK "/file", O_RDWR | O_CREAT | O_TRUNC,
				0600));
	uint64_t sum = 0, i;
	char *at;

	(void)b;
	(void)c;
	must(ftruncate(fd, BYTES));
	at = must_map(BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
	filled(at);
	if (private) {
		munmap(at, BYTES);
		at = must_map(BYTES, PROT_READ, MAP_PRIVATE, fd);
		for (i = 0; i < BYTES; i += PAGE)
			sum += (uint64_t)at[i];
		check(sum, "the file is empty");
	}
	close(fd);
	unlink(DISK "/file");
	return (int64_t)(uintptr_t)at;
}

static int64_t map_memfd(uint64_t a, uint64_t b, uint64_t c)
{
	int fd = (int)must(memfd_create("classes", 0));
	void *at;

	(void)a;
	(void)b;
	(void)c;
	must(ftruncate(fd, BYTES));
	at = must_map(BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
	close(fd);
	return filled(at);
}

/* Aligned to a huge page. */
static char *map_aligned(void)
{
	char *at = must_map(BYTES + HUGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1);

	return (char *)(((uintptr_t)at + HUGE - 1) & ~(HUGE - 1));
}

static int64_t map_thp(uint64_t split, uint64_t b, uint64_t c)
{
	char *at = map_aligned();

	(void)b;
	(void)c;
	must(madvise(at, BYTES, MADV_HUGEPAGE));
	filled(at);
	/* Maps the same huge folios by PTEs. */
	if (split) {
		must(mprotect(at + PAGE, PAGE, PROT_READ));
		must(mprotect(at + HUGE + PAGE, PAGE, PROT_READ));
	}
	return (int64_t)(uintptr_t)at;
}

static int64_t map_hugetlb(uint64_t a, uint64_t b, uint64_t c)
{
	(void)a;
	(void)b;
	(void)c;
	return filled(must_map(BYTES, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1));
}

static int64_t map_ksm(uint64_t a, uint64_t b, uint64_t c)
{
	char *at = map_aligned();

	(void)a;
	(void)b;
	(void)c;
	must(madvise(at, BYTES, MADV_NOHUGEPAGE));
	must(madvise(at, BYTES, MADV_MERGEABLE));
	alloc_on(0);
	memset(at, 0x5a, BYTES);
	alloc_on(-1);
	return (int64_t)(uintptr_t)at;
}

static struct io_uring pin_ring;

static int64_t map_pinned(uint64_t a, uint64_t b, uint64_t c)
{
	int64_t at = mem_new(BYTES, 0, SEED);
	struct iovec iov = { (void *)(uintptr_t)at, BYTES };

	(void)a;
	(void)b;
	(void)c;
	must(io_uring_queue_init(4, &pin_ring, 0));
	must(io_uring_register_buffers(&pin_ring, &iov, 1));
	return at;
}

static int64_t unpin(uint64_t a, uint64_t b, uint64_t c)
{
	(void)a;
	(void)b;
	(void)c;
	io_uring_queue_exit(&pin_ring);
	return 0;
}

/* The zero page, small or huge: read, never written. */
static int64_t map_zero(uint64_t huge, uint64_t b, uint64_t c)
{
	volatile char *at = map_aligned();
	int64_t sum = 0;
	uint64_t i;

	(void)b;
	(void)c;
	must(madvise((void *)at, BYTES, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE));
	/* The huge one is made by who is the first to need it. */
	alloc_on(0);
	for (i = 0; i < BYTES; i += PAGE)
		sum += at[i];
	alloc_on(-1);
	return sum ?: (int64_t)(uintptr_t)at;
}

/* A ring of io_uring: kernel pages in a mapping without ordinary pages. */
static int64_t map_ring(uint64_t a, uint64_t b, uint64_t c)
{
	static struct io_uring ring;

	(void)a;
	(void)b;
	(void)c;
	must(io_uring_queue_init(1024, &ring, 0));
	memset(ring.sq.sqes, 0, 1024 * sizeof(*ring.sq.sqes));
	return (int64_t)(uintptr_t)ring.sq.sqes;
}

static int64_t page_out(uint64_t addr, uint64_t bytes, uint64_t c)
{
	(void)c;
	return must(madvise((void *)(uintptr_t)addr, bytes, MADV_PAGEOUT));
}

static long smaps_kb(const char *key)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", target.pid);
	return read_key(path, key);
}

static void move(uint64_t addr, size_t bytes, uint32_t order,
		 struct job_info *job)
{
	struct job_req req = job_for(&target, addr, bytes, 0, 1, order);

	server_move(&server, &ctl, &req, job);
	check_sum(job);
}

/* All pages are left, for this reason alone. */
static void left(const char *name, uint64_t addr, size_t bytes,
		 enum migd_reason reason, enum migd_outcome outcome)
{
	long there = pages_on(target.pid, addr, bytes, 0);
	struct job_info job;
	uint32_t order;
	unsigned int r;

	for (order = MIGD_ORDER_COPY_FIRST; order <= MIGD_ORDER_STATE_FIRST; order++) {
		step("%s, %s", order_name(order), name);
		move(addr, bytes, order, &job);
		for (r = 0; r < REASONS; r++)
			check(r == reason || !job.left[r],
			      "%llu pages of reason %u", (unsigned long long)job.left[r], r);
		check_eq(job.moved, 0);
		check_eq(job.total, bytes / PAGE);
		check_eq(job.left[reason], bytes / PAGE);
		check_eq(job.outcome, outcome);
		check_eq(pages_on(target.pid, addr, bytes, 0), there);
	}
}

static void left_intact(const char *name, target_fn *map, uint64_t arg,
			enum migd_reason reason, enum migd_outcome outcome)
{
	uint64_t addr = (uint64_t)target_call(&target, map, arg, 0, 0);

	left(name, addr, BYTES, reason, outcome);
	check_eq(target_call(&target, mem_wrong, addr, BYTES, SEED), 0);
}

static bool is_routing(void *id)
{
	struct job_info job;

	must(ctl_job(&ctl, *(uint64_t *)id, &job));
	return job.state == MIGD_JOB_STATE_ROUTING;
}

/*
 * The daemon moves huge pages whole, of which a range of the job has but a half
 * each, and says of more pages than there were that it moved them.
 */
static void routed(void)
{
	uint64_t addr = (uint64_t)target_call(&target, map_thp, 0, 0, 0), id, at;
	struct job_req req = job_for(&target, addr, HUGE / 2, 0, 1, MIGD_ORDER_COPY_FIRST);
	struct job_info job;

	step("THP, moved by the daemon");
	req.flags = MIGD_JOB_FLAG_ROUTE;
	req.nr_ranges = 2;
	req.range[1].start = addr + HUGE;
	req.range[1].end = addr + HUGE + HUGE / 2;
	id = server_job(&server, &ctl, &req);
	wait_until(is_routing, &id, "the job waits for the daemon");
	check_eq(ctl_routed(&ctl, id, 1, MIGD_REASON_FILE, false), -EINVAL);
	check(strstr(ctl.ack, "not the daemon's"), "refused with '%s'", ctl.ack);
	for (at = addr; at < addr + BYTES; at += HUGE) {
		move_by_kernel(target.pid, at, PAGE, 1);
		check_eq(pages_on(target.pid, at, HUGE, 1), (long)(HUGE / PAGE));
		must(ctl_routed(&ctl, id, HUGE / PAGE, MIGD_REASON_HUGE, false));
	}
	must(ctl_routed(&ctl, id, ~0ULL, MIGD_REASON_HUGE, true));
	wait_job(&ctl, id, &job);
	check_sum(&job);
	check_eq(job.total, HUGE / PAGE);
	check_eq(job.moved, HUGE / PAGE);
	check_eq(job.outcome, MIGD_OUTCOME_MOVED);
	check_eq(target_call(&target, mem_wrong, addr, BYTES, SEED), 0);
}

static void huge_pages(void)
{
	long huge;

	left_intact("THP", map_thp, 0, MIGD_REASON_HUGE, MIGD_OUTCOME_FAILED);
	huge = smaps_kb("AnonHugePages:");
	check(huge >= (long)(BYTES >> 10), "AnonHugePages: %ld kB", huge);
	routed();
	left_intact("THP mapped by PTEs", map_thp, 1, MIGD_REASON_LARGE,
		    MIGD_OUTCOME_FAILED);
	must(write_file("/sys/kernel/mm/transparent_hugepage/hugepages-64kB/enabled",
			"always"));
	target_stop(&target);
	target_start(&target);
	must(write_file("/sys/kernel/mm/transparent_hugepage/hugepages-2048kB/enabled",
			"never"));
	left_intact("mTHP of 64 KiB", map_thp, 0, MIGD_REASON_LARGE,
		    MIGD_OUTCOME_FAILED);
	must(write_file("/sys/kernel/mm/transparent_hugepage/hugepages-64kB/enabled",
			"never"));
	must(write_file("/sys/kernel/mm/transparent_hugepage/hugepages-2048kB/enabled",
			"inherit"));

	must(write_file("/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "4"));
	left_intact("hugetlb", map_hugetlb, 0, MIGD_REASON_HUGETLB,
		    MIGD_OUTCOME_FAILED);
}

static bool merged(void *arg)
{
	(void)arg;
	return read_key("/sys/kernel/mm/ksm/pages_sharing", "") >= (long)PAGES - 16;
}

static void ksm(void)
{
	uint64_t addr = (uint64_t)target_call(&target, map_ksm, 0, 0, 0);
	struct job_info job;
	uint32_t order;

	must(write_file("/sys/kernel/mm/ksm/pages_to_scan", "20000"));
	must(write_file("/sys/kernel/mm/ksm/run", "1"));
	wait_until(merged, NULL, "KSM merges the pages");
	must(write_file("/sys/kernel/mm/ksm/run", "0"));
	for (order = MIGD_ORDER_COPY_FIRST; order <= MIGD_ORDER_STATE_FIRST; order++) {
		step("%s, KSM", order_name(order));
		move(addr, BYTES, order, &job);
		/* One page of each chain may not have been merged yet. */
		check(job.left[MIGD_REASON_KSM] >= PAGES - 16, "%llu of KSM",
		      (unsigned long long)job.left[MIGD_REASON_KSM]);
	}
	must(write_file("/sys/kernel/mm/ksm/run", "2"));
}

static void nothing_to_move(const char *name, uint64_t addr)
{
	struct job_info job;
	uint32_t order;

	for (order = MIGD_ORDER_COPY_FIRST; order <= MIGD_ORDER_STATE_FIRST; order++) {
		step("%s, %s", order_name(order), name);
		move(addr, BYTES, order, &job);
		check_eq(job.total, 0);
		check_eq(job.moved, 0);
		check_eq(job.outcome, MIGD_OUTCOME_MOVED);
	}
}

/* Swapped pages stay swapped; what is read back is moved, or has a reason. */
static void swap(const char *name, target_fn *map)
{
	uint64_t addr = (uint64_t)target_call(&target, map, BYTES, 0, SEED);
	struct job_info job;
	uint32_t order;
	long resident;

	for (order = MIGD_ORDER_COPY_FIRST; order <= MIGD_ORDER_STATE_FIRST; order++) {
		step("%s, %s, swapped out", order_name(order), name);
		target_call(&target, page_out, addr, BYTES, 0);
		resident = pages_on(target.pid, addr, BYTES, 0);
		check(resident < (long)PAGES / 2, "%ld pages still there", resident);
		move(addr, BYTES, order, &job);
		check_eq(target_call(&target, mem_wrong, addr, BYTES, SEED), 0);
		step("%s, %s, read back from swap", order_name(order), name);
		move(addr, BYTES, order, &job);
		check_eq(target_call(&target, mem_wrong, addr, BYTES, SEED), 0);
		move_by_kernel(target.pid, addr, BYTES, 0);
	}
}

static int to_child[2], from_child[2];

/*
 * A child has the swapped pages, too, so what is read back stays in the swap
 * cache, where the child finds it when it is asked.
 */
static int64_t share_swapped(uint64_t addr, uint64_t bytes, uint64_t c)
{
	int64_t sum = 0, wrong;
	uint64_t i;
	char byte;

	(void)c;
	must(pipe(to_child));
	must(pipe(from_child));
	if (!must(fork())) {
		close(to_child[1]);
		if (read(to_child[0], &byte, 1) == 1) {
			wrong = mem_wrong(addr, bytes, SEED);
			must(write(from_child[1], &wrong, sizeof(wrong)));
		}
		_exit(0);
	}
	for (i = addr; i < addr + bytes; i += PAGE)
		sum += *(volatile char *)(uintptr_t)i;
	return sum;
}

static int64_t ask_child(uint64_t a, uint64_t b, uint64_t c)
{
	int64_t wrong = -1;

	(void)a;
	(void)b;
	(void)c;
	must(write(to_child[1], "", 1));
	check_eq(read(from_child[0], &wrong, sizeof(wrong)), sizeof(wrong));
	must(wait(NULL));
	close(to_child[0]);
	close(to_child[1]);
	close(from_child[0]);
	close(from_child[1]);
	return wrong;
}

static void swap_cache(uint32_t order)
{
	uint64_t addr = (uint64_t)target_call(&target, mem_new, BYTES, 0, SEED);
	struct job_info job;
	long cached, there;

	step("%s, in the swap cache", order_name(order));
	target_call(&target, page_out, addr, BYTES, 0);
	there = pages_on(target.pid, addr, BYTES, 0);
	check(there < (long)PAGES / 2, "%ld pages still there", there);
	target_call(&target, share_swapped, addr, BYTES, 0);
	cached = read_key("/proc/vmstat", "nr_swapcached");
	check(cached > (long)PAGES / 2, "%ld pages in the swap cache", cached);
	there = pages_on(target.pid, addr, BYTES, 0);
	move(addr, BYTES, order, &job);
	printf("        %ld there, %llu moved, %llu left in the swap cache\n", there,
	       (unsigned long long)job.moved,
	       (unsigned long long)job.left[MIGD_REASON_SWAP_CACHE]);
	if (order == MIGD_ORDER_COPY_FIRST) {
		check_eq(job.moved, there);
		check_eq(job.outcome, MIGD_OUTCOME_MOVED);
	} else {
		check(job.left[MIGD_REASON_SWAP_CACHE] > PAGES / 2,
		      "most pages were moved");
	}
	check_eq(pages_on(target.pid, addr, BYTES, 1), (long)job.moved);
	check_eq(target_call(&target, ask_child, 0, 0, 0), 0);
	check_eq(target_call(&target, mem_wrong, addr, BYTES, SEED), 0);
	target_call(&target, mem_free, addr, BYTES, 0);
}

int main(void)
{
	struct job_info job;
	uint64_t addr;

	must(ctl_open(&ctl, true));
	target_start(&target);
	server_open(&server, 2, 256);

	left_intact("a file, shared", map_file, 0, MIGD_REASON_FILE,
		    MIGD_OUTCOME_MOVED);
	left_intact("a file, private", map_file, 1, MIGD_REASON_FILE,
		    MIGD_OUTCOME_MOVED);
	left_intact("pinned", map_pinned, 0, MIGD_REASON_REFUSED,
		    MIGD_OUTCOME_FAILED);
	target_call(&target, unpin, 0, 0, 0);
	addr = (uint64_t)target_call(&target, map_ring, 0, 0, 0);
	left("an io_uring ring", addr, 16 * PAGE, MIGD_REASON_SPECIAL,
	     MIGD_OUTCOME_MOVED);
	nothing_to_move("the zero page",
			(uint64_t)target_call(&target, map_zero, 0, 0, 0));
	nothing_to_move("the huge zero page",
			(uint64_t)target_call(&target, map_zero, 1, 0, 0));
	check(read_key("/proc/vmstat", "thp_zero_page_alloc") > 0,
	      "there was no huge zero page");
	ksm();
	huge_pages();
	swap("anonymous", mem_new);
	swap("memfd", map_memfd);
	swap_cache(MIGD_ORDER_COPY_FIRST);
	swap_cache(MIGD_ORDER_STATE_FIRST);

	step("all of it at once");
	move(0, 0, MIGD_ORDER_COPY_FIRST, &job);
	check_eq(job.rescued, 0);
	target_stop(&target);
	server_close(&server);
	wait_idle(&ctl);
	check_clean(&ctl);
	return 0;
}
