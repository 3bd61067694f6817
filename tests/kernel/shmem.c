// SPDX-License-Identifier: GPL-2.0
/*
 * Shared memory: moved copy-first for all who have it, by mapping and by file.
 * Who finds a page in the page cache while it is between two places waits, and
 * the page is busy: read(2), write(2), truncation, a hole, a new mapping.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <unistd.h>
#include "fixture.h"

#define PAGES	256UL
#define BYTES	(PAGES * PAGE)
#define SEED	23

enum kind { MEMFD, ANONYMOUS, TMPFS, SYSV, KINDS };

static const char * const kind_names[] = {
	"memfd", "shared anonymous memory", "a file of tmpfs", "SysV shared memory",
};

static struct ctl ctl;
static struct server server;
static struct target target, other;

/* In shared_page(), for the writer: how often it has written the whole file. */
struct writing {
	atomic_int stop;
	atomic_ulong laps;
};

static struct writing *writing;

/* The rest is each target's own. */
static int file = -1;

static int sysv_id(void)
{
	return (int)must(shmget(0x6d696764, BYTES, 0600 | IPC_CREAT));
}

static void *map_file(int fd, int flags)
{
	void *at = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, flags, fd, 0);

	check(at != MAP_FAILED, "mmap: %s", strerror(errno));
	return at;
}

static int64_t shared_new(uint64_t kind, uint64_t node, uint64_t c)
{
	void *at = NULL;
	int fd = -1;

	(void)c;
	switch (kind) {
	case MEMFD:
		fd = (int)must(memfd_create("shmem", MFD_CLOEXEC));
		break;
	case TMPFS:
		fd = (int)must(open("/dev/shm", O_TMPFILE | O_RDWR, 0600));
		break;
	case ANONYMOUS:
		at = map_file(-1, MAP_SHARED | MAP_ANONYMOUS);
		break;
	case SYSV:
		at = shmat(sysv_id(), NULL, 0);
		check(at != (void *)-1, "shmat: %s", strerror(errno));
		break;
	}
	if (fd >= 0) {
		must(ftruncate(fd, BYTES));
		at = map_file(fd, MAP_SHARED);
		close(fd);
	}
	alloc_on((int)node);
	mem_fill(at, BYTES, SEED);
	alloc_on(-1);
	return (int64_t)(uintptr_t)at;
}

static int64_t shared_free(uint64_t addr, uint64_t kind, uint64_t c)
{
	(void)c;
	if (file >= 0)
		close(file);
	file = -1;
	if (kind != SYSV)
		return munmap((void *)(uintptr_t)addr, BYTES);
	shmctl(sysv_id(), IPC_RMID, NULL);
	return shmdt((void *)(uintptr_t)addr);
}

/* Opens what @pid has mapped at @addr. */
static int64_t file_open(uint64_t pid, uint64_t addr, uint64_t c)
{
	char path[128];

	(void)c;
	snprintf(path, sizeof(path), "/proc/%d/map_files/%lx-%lx", (int)pid,
		 (unsigned long)addr, (unsigned long)(addr + BYTES));
	file = (int)must(open(path, O_RDWR | O_CLOEXEC));
	return 0;
}

/* A second mapping, of the open file or the SysV segment. */
static int64_t shared_join(uint64_t kind, uint64_t b, uint64_t c)
{
	void *at;

	(void)b;
	(void)c;
	if (kind != SYSV)
		return (int64_t)(uintptr_t)map_file(file, MAP_SHARED);
	at = shmat(sysv_id(), NULL, 0);
	check(at != (void *)-1, "shmat: %s", strerror(errno));
	return (int64_t)(uintptr_t)at;
}

/* By read(2): words that are not what they should be. */
static int64_t file_wrong(uint64_t seed, uint64_t b, uint64_t c)
{
	char *copy = malloc(BYTES);
	int64_t wrong;

	(void)b;
	(void)c;
	check(copy, "no memory");
	check_eq(pread(file, copy, BYTES, 0), BYTES);
	wrong = mem_wrong((uintptr_t)copy, BYTES, seed);
	free(copy);
	return wrong;
}

static int64_t file_read_page(uint64_t page, uint64_t b, uint64_t c)
{
	uint64_t word = 0;

	(void)b;
	(void)c;
	check_eq(pread(file, &word, sizeof(word), (off_t)(page * PAGE)), 8);
	return (int64_t)word;
}

static int64_t file_write_page(uint64_t page, uint64_t word, uint64_t c)
{
	(void)c;
	return pwrite(file, &word, sizeof(word), (off_t)(page * PAGE));
}

static int64_t file_punch(uint64_t page, uint64_t pages, uint64_t c)
{
	(void)c;
	return fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			 (off_t)(page * PAGE), (off_t)(pages * PAGE));
}

static int64_t file_truncate(uint64_t pages, uint64_t b, uint64_t c)
{
	(void)b;
	(void)c;
	return ftruncate(file, (off_t)(pages * PAGE));
}

/* Maps the file anew and reads one word through it. */
static int64_t map_and_read(uint64_t page, uint64_t b, uint64_t c)
{
	uint64_t *at = map_file(file, MAP_SHARED);
	int64_t word = (int64_t)at[page * PAGE / 8];

	(void)b;
	(void)c;
	must(munmap(at, BYTES));
	return word;
}

static uint64_t lap_word(uint64_t lap, uint64_t page)
{
	return lap << 16 | page;
}

/* Writes the whole file over and over by write(2); returns the laps. */
static int64_t write_laps(uint64_t arg, uint64_t b, uint64_t c)
{
	struct writing *w = (void *)(uintptr_t)arg;
	uint64_t buf[PAGE / 8], lap = 0, i, k;

	(void)b;
	(void)c;
	while (!w->stop) {
		lap++;
		for (i = 0; i < PAGES; i++) {
			for (k = 0; k < PAGE / 8; k++)
				buf[k] = lap_word(lap, i);
			check_eq(pwrite(file, buf, PAGE, (off_t)(i * PAGE)), PAGE);
		}
		w->laps = lap;
	}
	return (int64_t)lap;
}

static int64_t laps_wrong(uint64_t addr, uint64_t lap, uint64_t c)
{
	const uint64_t *at = (const void *)(uintptr_t)addr;
	int64_t wrong = 0;
	uint64_t i;

	(void)c;
	for (i = 0; i < BYTES / 8; i++)
		wrong += at[i] != lap_word(lap, i * 8 / PAGE);
	return wrong;
}

static struct job_req request(uint64_t addr, int to, uint32_t order)
{
	return job_for(&target, addr, BYTES, 1 - to, to, order);
}

static void move(uint64_t addr, int to, uint32_t order, struct job_info *job)
{
	struct job_req req = request(addr, to, order);

	server_move(&server, &ctl, &req, job);
	check_sum(job);
}

static uint64_t begin(enum kind kind, uint64_t *ret_second)
{
	uint64_t addr = (uint64_t)target_call(&target, shared_new, kind, 0, 0);

	if (kind != SYSV)
		target_call(&other, file_open, (uint64_t)target.pid, addr, 0);
	*ret_second = (uint64_t)target_call(&other, shared_join, kind, 0, 0);
	check_eq(target_call(&other, mem_wrong, *ret_second, BYTES, SEED), 0);
	return addr;
}

static void end(enum kind kind, uint64_t addr, uint64_t second)
{
	check_eq(target_call(&other, shared_free, second, kind, 0), 0);
	check_eq(target_call(&target, shared_free, addr, kind, 0), 0);
}

static void check_all(enum kind kind, uint64_t addr, uint64_t second, int node)
{
	check_memory(&target, addr, BYTES, node, SEED);
	check_eq(target_call(&other, mem_wrong, second, BYTES, SEED), 0);
	check_memory(&other, second, BYTES, node, SEED);
	if (kind != SYSV)
		check_eq(target_call(&other, file_wrong, SEED, 0, 0), 0);
}

/* There, back by way of nobody else's mapping, and left by state-first. */
static void moved(enum kind kind)
{
	uint64_t second, addr = begin(kind, &second);
	struct job_info job;
	int to;

	step("%s, state-first", kind_names[kind]);
	move(addr, 1, MIGD_ORDER_STATE_FIRST, &job);
	check_eq(job.left[MIGD_REASON_SHMEM], PAGES);
	check_eq(job.outcome, MIGD_OUTCOME_FAILED);
	check_all(kind, addr, second, 0);
	for (to = 1; to >= 0; to--) {
		step("%s, copy-first, to node %d", kind_names[kind], to);
		/* Mapped by both, then by one: the other only has the file. */
		move(addr, to, MIGD_ORDER_COPY_FIRST, &job);
		check_moved(&ctl, &target, &job, addr, BYTES, SEED);
		check_all(kind, addr, second, to);
		if (to && kind != SYSV)
			target_call(&other, mem_free, second, BYTES, 0);
		if (to && kind != SYSV)
			second = (uint64_t)target_call(&other, shared_join, kind, 0, 0);
	}
	end(kind, addr, second);
	check_clean(&ctl);
}

/* A writer works through write(2) while the pages go to and fro. */
static void written(void)
{
	uint64_t second, addr = begin(MEMFD, &second), lap, laps;
	struct job_info job;
	int i;

	step("write(2) while it is moved");
	writing->stop = 0;
	writing->laps = 0;
	target_begin(&other, write_laps, (uintptr_t)writing, 0, 0);
	for (i = 0, laps = 0; i < 20 || writing->laps < laps + 4; i++) {
		move(addr, 1 - i % 2, MIGD_ORDER_COPY_FIRST, &job);
		check(job.moved, "nothing was moved");
		if (i == 10)
			laps = writing->laps;
	}
	writing->stop = 1;
	lap = (uint64_t)target_end(&other);
	printf("        %d moves, %llu laps of the writer\n", i,
	       (unsigned long long)lap);
	check_eq(target_call(&target, laps_wrong, addr, lap, 0), 0);
	check_eq(target_call(&other, laps_wrong, second, lap, 0), 0);
	move(addr, i % 2, MIGD_ORDER_COPY_FIRST, &job);
	move(addr, 1 - i % 2, MIGD_ORDER_COPY_FIRST, &job);
	check_eq(job.moved, PAGES);
	check_eq(target_call(&target, laps_wrong, addr, lap, 0), 0);
	end(MEMFD, addr, second);
	check_clean(&ctl);
}

static bool sleeps(void *arg)
{
	const struct target *t = arg;
	const char *line, *state;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/stat", t->pid);
	line = read_line(path);
	state = line ? strrchr(line, ')') : NULL;
	return state && state[2] == 'D';
}

/* @fn meets the batch while it is held; returns what it answered. */
static int64_t meets(const char *what, uint64_t addr, target_fn *fn, uint64_t a,
		     uint64_t b, struct job_info *ret)
{
	struct job_req req = request(addr, 1, MIGD_ORDER_COPY_FIRST);
	unsigned int slot;
	int64_t answer;
	uint64_t id;

	step("%s meets a batch", what);
	id = server_job(&server, &ctl, &req);
	slot = server_wait_batch(&server);
	check_eq(server.slot[slot].pages, PAGES);
	/* Copied already: what is written now must not be lost. */
	server_copy(&server, slot, MIGD_ENGINE_CPU, 0, PAGES);
	check_eq(server_wait_copy(&server), PAGES);
	target_begin(&other, fn, a, b, 0);
	wait_until(sleeps, &other, "the other process waits for the page");
	server_commit(&server, slot);
	server_run(&server, &ctl, id);
	answer = target_end(&other);
	must(ctl_job(&ctl, id, ret));
	check_eq(ret->rescued, 0);
	check(ret->passes > 1, "no page was busy");
	return answer;
}

/* What was busy to the end moves now. */
static void rest_moves(uint64_t addr, const struct job_info *job)
{
	struct job_info rest;

	check(job->moved >= PAGES - 1, "%llu moved", (unsigned long long)job->moved);
	move(addr, 1, MIGD_ORDER_COPY_FIRST, &rest);
	check_eq(job->moved + rest.moved, PAGES);
}

/* Word 0 of @page as the target filled it. */
static uint64_t filled_word(uint64_t addr, uint64_t page)
{
	return (uint64_t)target_call(&other, file_read_page, page, addr, 0);
}

static void races(void)
{
	uint64_t second, addr, word;
	struct job_info job;

	addr = begin(MEMFD, &second);
	word = filled_word(addr, 7);
	check_eq(meets("read(2)", addr, file_read_page, 7, 0, &job), word);
	rest_moves(addr, &job);
	check_all(MEMFD, addr, second, 1);
	end(MEMFD, addr, second);

	addr = begin(MEMFD, &second);
	word = filled_word(addr, 9);
	check_eq(meets("a new mapping", addr, map_and_read, 9, 0, &job), word);
	rest_moves(addr, &job);
	check_all(MEMFD, addr, second, 1);
	end(MEMFD, addr, second);

	addr = begin(MEMFD, &second);
	check_eq(meets("write(2)", addr, file_write_page, 11, 4711, &job), 8);
	rest_moves(addr, &job);
	check_eq(target_call(&other, file_read_page, 11, 0, 0), 4711);
	check_eq(target_call(&target, mem_wrong, addr, BYTES, SEED), 1);
	check_eq(target_call(&other, mem_wrong, second, BYTES, SEED), 1);
	end(MEMFD, addr, second);

	addr = begin(MEMFD, &second);
	check_eq(meets("a hole of 16 pages", addr, file_punch, 32, 16, &job), 0);
	check(job.moved >= PAGES - 16, "%llu moved", (unsigned long long)job.moved);
	check_eq(target_call(&target, mem_wrong, addr, 32 * PAGE, SEED), 0);
	check_eq(target_call(&other, file_read_page, 32, 0, 0), 0);
	check_eq(target_call(&other, file_read_page, 47, 0, 0), 0);
	check_eq(target_call(&target, mem_wrong, addr, BYTES, SEED), 16 * PAGE / 8);
	end(MEMFD, addr, second);

	addr = begin(MEMFD, &second);
	check_eq(meets("truncation", addr, file_truncate, 8, 0, &job), 0);
	check(job.moved >= 8, "%llu moved", (unsigned long long)job.moved);
	check_eq(target_call(&target, mem_wrong, addr, 8 * PAGE, SEED), 0);
	/* It grows again, with zeroes. */
	check_eq(target_call(&other, file_truncate, PAGES, 0, 0), 0);
	check_eq(target_call(&target, mem_wrong, addr, BYTES, SEED),
		 (PAGES - 8) * PAGE / 8);
	end(MEMFD, addr, second);
	check_clean(&ctl);
}

/* The server would wait for its own batch. */
static void mapped_by_the_server(void)
{
	uint64_t addr = (uintptr_t)writing;
	struct job_req req = job_for(&target, addr, PAGE, -1, 1,
				     MIGD_ORDER_COPY_FIRST);
	struct job_info job;

	step("shared memory that the server maps");
	writing->laps = 0;
	target_call(&target, mem_wrong, addr, PAGE, 0);
	server_move(&server, &ctl, &req, &job);
	check_eq(job.total, 1);
	check_eq(job.left[MIGD_REASON_SHMEM], 1);
	check_eq(job.moved, 0);
}

int main(void)
{
	enum kind kind;

	must(ctl_open(&ctl, true));
	writing = shared_page();
	target_start(&target);
	target_start(&other);
	server_open(&server, 2, PAGES);

	mapped_by_the_server();
	for (kind = 0; kind < KINDS; kind++)
		moved(kind);
	races();
	written();

	target_stop(&target);
	target_stop(&other);
	server_close(&server);
	wait_idle(&ctl);
	check_clean(&ctl);
	return 0;
}
