// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <linux/mempolicy.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "check.h"
#include "target.h"

#define ROLE		"MIGD_TEST_TARGET"
#define CALL_FD		3
#define SHARED_FD	4
/* Free in every program of ours, on each architecture. */
#define SHARED_ADDR	((void *)(1UL << 40))

/* The addresses mean the same in both: the programs are not relocatable. */
struct call {
	target_fn *fn;
	uint64_t a, b, c;
};

static int shared_fd = -1;

static int64_t nothing(uint64_t a, uint64_t b, uint64_t c)
{
	(void)a;
	(void)b;
	(void)c;
	return 0;
}

void *shared_page(void)
{
	void *page;

	if (shared_fd < 0) {
		shared_fd = (int)must(memfd_create("shared", MFD_CLOEXEC));
		must(ftruncate(shared_fd, PAGE));
	}
	page = mmap(SHARED_ADDR, PAGE, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_FIXED, shared_fd, 0);
	check(page == SHARED_ADDR, "mmap: %s", strerror(errno));
	return page;
}

/* The program's other role, before main(): it never comes to main() then. */
static void __attribute__((constructor)) maybe_target(void)
{
	struct call call;
	int64_t value;

	if (!getenv(ROLE))
		return;
	unsetenv(ROLE);
	if (fcntl(SHARED_FD, F_GETFD) >= 0) {
		shared_fd = SHARED_FD;
		shared_page();
	}
	while (read(CALL_FD, &call, sizeof(call)) == sizeof(call)) {
		value = call.fn(call.a, call.b, call.c);
		must(write(CALL_FD, &value, sizeof(value)));
	}
	_exit(0);
}

void target_start(struct target *t)
{
	pid_t parent = getpid();
	int pair[2];

	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
	fflush(stdout);
	t->pid = (pid_t)must(fork());
	if (!t->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
		setenv(ROLE, "1", 1);
		if (shared_fd >= 0)
			must(dup2(shared_fd, 99));
		must(dup2(pair[1], 98));
		/* Neither the device nor the ring may live on in the target. */
		must(syscall(SYS_close_range, 3, 97, 0));
		must(syscall(SYS_close_range, 100, ~0U, 0));
		must(dup2(98, CALL_FD));
		if (shared_fd >= 0)
			must(dup2(99, SHARED_FD));
		must(syscall(SYS_close_range, 98, 99, 0));
		execl("/proc/self/exe", "target", NULL);
		_exit(1);
	}
	close(pair[1]);
	t->sock = pair[0];
	/* Its program is the right one once it has answered. */
	target_call(t, nothing, 0, 0, 0);
	t->start_time = process_start_time(t->pid);
	check(t->start_time, "no start time of process %d", t->pid);
}

void target_stop(struct target *t)
{
	kill(t->pid, SIGKILL);
	must(waitpid(t->pid, NULL, 0));
	close(t->sock);
	t->pid = 0;
}

void target_begin(struct target *t, target_fn *fn, uint64_t a, uint64_t b,
		  uint64_t c)
{
	struct call call = { fn, a, b, c };

	must(write(t->sock, &call, sizeof(call)));
}

int64_t target_end(struct target *t)
{
	int64_t value;
	ssize_t n = read(t->sock, &value, sizeof(value));

	check(n == sizeof(value), "target %d died", t->pid);
	return value;
}

int64_t target_call(struct target *t, target_fn *fn, uint64_t a, uint64_t b,
		    uint64_t c)
{
	target_begin(t, fn, a, b, c);
	return target_end(t);
}

uint64_t process_start_time(pid_t pid)
{
	unsigned long long ticks = 0;
	const char *line, *at;
	char path[64];
	int field;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	line = read_line(path);
	at = line ? strrchr(line, ')') : NULL;
	if (!at)
		return 0;
	/* The name was field 2; spaces separate the rest. */
	for (field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	if (at)
		sscanf(at, " %llu", &ticks);
	return ticks;
}

void alloc_on(int node)
{
	unsigned long mask = node < 0 ? 0 : 1UL << node;

	must(syscall(SYS_set_mempolicy, node < 0 ? MPOL_DEFAULT : MPOL_BIND,
		     node < 0 ? NULL : &mask, node < 0 ? 0 : 64));
}

static uint64_t word(uint64_t seed, size_t i)
{
	return (i + 1) * 0x9e3779b97f4a7c15ULL ^ seed << 17;
}

void mem_fill(void *addr, size_t bytes, uint64_t seed)
{
	uint64_t *at = addr;
	size_t i;

	for (i = 0; i < bytes / sizeof(*at); i++)
		at[i] = word(seed, i);
}

int64_t mem_wrong(uint64_t addr, uint64_t bytes, uint64_t seed)
{
	const uint64_t *at = (const void *)(uintptr_t)addr;
	int64_t wrong = 0;
	size_t i;

	for (i = 0; i < bytes / sizeof(*at); i++)
		wrong += at[i] != word(seed, i);
	return wrong;
}

static char *map_small(uint64_t bytes)
{
	char *addr = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	check(addr != MAP_FAILED, "mmap of %llu bytes: %s",
	      (unsigned long long)bytes, strerror(errno));
	must(madvise(addr, bytes, MADV_NOHUGEPAGE));
	return addr;
}

int64_t mem_new(uint64_t bytes, uint64_t node, uint64_t seed)
{
	char *addr = map_small(bytes);

	alloc_on((int)node);
	mem_fill(addr, bytes, seed);
	alloc_on(-1);
	return (int64_t)(uintptr_t)addr;
}

int64_t mem_new_scattered(uint64_t bytes, uint64_t node, uint64_t seed)
{
	uint64_t pages = bytes / PAGE, i;
	char *addr = map_small(bytes);

	/* Every other page first, so that neighbours come from different runs. */
	alloc_on((int)node);
	for (i = 0; i < pages; i += 2)
		*(volatile char *)(addr + i * PAGE) = 1;
	for (i = pages - 1 - pages % 2; i < pages; i -= 2)
		*(volatile char *)(addr + i * PAGE) = 1;
	mem_fill(addr, bytes, seed);
	alloc_on(-1);
	return (int64_t)(uintptr_t)addr;
}

int64_t mem_new_huge(uint64_t a, uint64_t b, uint64_t c)
{
	char *at = mmap(NULL, 2 * HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)a;
	(void)b;
	(void)c;
	check(at != MAP_FAILED, "mmap: %s", strerror(errno));
	at = (char *)(((uintptr_t)at + HUGE - 1) & ~(HUGE - 1));
	must(madvise(at, HUGE, MADV_HUGEPAGE));
	alloc_on(0);
	memset(at, 1, HUGE);
	alloc_on(-1);
	return (int64_t)(uintptr_t)at;
}

int64_t mem_free(uint64_t addr, uint64_t bytes, uint64_t unused)
{
	(void)unused;
	must(munmap((void *)(uintptr_t)addr, bytes));
	return 0;
}

/* Shared by the two users of move_pages(2); @nodes NULL asks. */
static long move_pages(pid_t pid, uint64_t addr, size_t bytes, int node,
		       bool move)
{
	unsigned long pages = bytes / PAGE, i;
	void **at = calloc(pages, sizeof(*at));
	int *status = calloc(pages, sizeof(*status));
	int *nodes = calloc(pages, sizeof(*nodes));
	long there = 0;

	check(at && status && nodes, "no memory");
	for (i = 0; i < pages; i++) {
		at[i] = (void *)(uintptr_t)(addr + i * PAGE);
		nodes[i] = node;
	}
	must(syscall(SYS_move_pages, pid, pages, at, move ? nodes : NULL, status,
		     move ? MPOL_MF_MOVE : 0));
	for (i = 0; i < pages; i++)
		there += status[i] == node;
	free(at);
	free(status);
	free(nodes);
	return there;
}

long pages_on(pid_t pid, uint64_t addr, size_t bytes, int node)
{
	return move_pages(pid, addr, bytes, node, false);
}

void move_by_kernel(pid_t pid, uint64_t addr, size_t bytes, int node)
{
	move_pages(pid, addr, bytes, node, true);
}
