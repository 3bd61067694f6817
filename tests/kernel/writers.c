// SPDX-License-Identifier: GPL-2.0
/*
 * A process whose threads check every value they have written, migrated back and
 * forth while others fork, exit, munmap, mremap, mprotect and MADV_DONTNEED.
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "fixture.h"

#define ROUNDS	50
#define WRITERS	3
#define REGION	(1UL << 20)
/* Between two forks, mappings, ...: without it the writers hardly run. */
#define PAUSE_US	4000
/* Between two laps: else each TLB flush of a batch waits for a CPU that they keep busy. */
#define REST_US		10000
#define SMALL	(128 * PAGE)
#define CHURNS	5

/* In shared_page(): written by the target, read by the test. */
struct results {
	atomic_ulong wrong, checked, laps[WRITERS], churned[CHURNS];
	atomic_int stop;
};

static struct results *results;

static uint64_t value(uint64_t lap, size_t i)
{
	return (lap << 32 | i) * 0x9e3779b97f4a7c15ULL;
}

static void *region_new(size_t bytes)
{
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	check(at != MAP_FAILED, "no memory");
	must(madvise(at, bytes, MADV_NOHUGEPAGE));
	return at;
}

/* Every word must be what the lap before has written into it. */
static void *writer(void *arg)
{
	volatile uint64_t *at = region_new(REGION);
	size_t n = REGION / sizeof(*at), i;
	size_t me = (size_t)arg;
	uint64_t lap, wrong;

	for (i = 0; i < n; i++)
		at[i] = value(0, i);
	for (lap = 0; !results->stop; lap++) {
		wrong = 0;
		for (i = 0; i < n; i++) {
			wrong += at[i] != value(lap, i);
			at[i] = value(lap + 1, i);
		}
		results->wrong += wrong;
		results->checked += n;
		results->laps[me]++;
		usleep(REST_US);
	}
	return NULL;
}

/* Fills, or checks; a word of each cache line is enough. */
static void fill(volatile uint64_t *at, size_t bytes, uint64_t lap)
{
	size_t i;

	for (i = 0; i < bytes / sizeof(*at); i += 8)
		at[i] = value(lap, i);
}

static void verify(volatile uint64_t *at, size_t bytes, uint64_t lap)
{
	uint64_t wrong = 0;
	size_t i;

	for (i = 0; i < bytes / sizeof(*at); i += 8)
		wrong += at[i] != value(lap, i);
	results->wrong += wrong;
	results->checked += bytes / 64;
}

static void churn_fork(uint64_t *at, uint64_t lap)
{
	pid_t pid;
	int status;

	fill(at, SMALL, lap);
	pid = (pid_t)must(fork());
	if (!pid) {
		/* The child's view stays, and what it writes is its own. */
		verify(at, SMALL, lap);
		fill(at, SMALL / 2, lap + 1000000);
		verify(at, SMALL / 2, lap + 1000000);
		_exit(0);
	}
	fill(at + SMALL / 16, SMALL / 2, lap + 2000000);
	must(waitpid(pid, &status, 0));
	results->wrong += status != 0;
	verify(at, SMALL / 2, lap);
}

static void churn_map(uint64_t *at, uint64_t lap)
{
	uint64_t *more = region_new(SMALL), *moved;

	(void)at;
	fill(more, SMALL, lap);
	must(munmap((char *)more + SMALL / 2, SMALL / 2));
	moved = mremap(more, SMALL / 2, SMALL, MREMAP_MAYMOVE);
	check(moved != MAP_FAILED, "mremap fails");
	verify(moved, SMALL / 2, lap);
	must(munmap(moved, SMALL));
}

static void churn_protect(uint64_t *at, uint64_t lap)
{
	fill(at, SMALL, lap);
	must(mprotect(at, SMALL, PROT_READ));
	verify(at, SMALL, lap);
	must(mprotect(at, SMALL, PROT_READ | PROT_WRITE));
	fill(at, SMALL, lap + 1);
	verify(at, SMALL, lap + 1);
}

static void churn_drop(uint64_t *at, uint64_t lap)
{
	size_t i;

	fill(at, SMALL, lap);
	must(madvise(at, SMALL / 2, MADV_DONTNEED));
	for (i = 0; i < SMALL / 16; i += 8)
		results->wrong += at[i] != 0;
	fill(at, SMALL / 2, lap);
	verify(at, SMALL, lap);
}

static void *exits(void *arg)
{
	return arg;
}

static void churn_thread(uint64_t *at, uint64_t lap)
{
	pthread_t thread;

	fill(at, SMALL, lap);
	must(-pthread_create(&thread, NULL, exits, NULL));
	must(-pthread_join(thread, NULL));
	verify(at, SMALL, lap);
}

static void (*const churns[CHURNS])(uint64_t *at, uint64_t lap) = {
	churn_fork, churn_map, churn_protect, churn_drop, churn_thread,
};

static void *churner(void *arg)
{
	size_t me = (size_t)arg;
	uint64_t *at = region_new(SMALL), lap;

	for (lap = 0; !results->stop; lap++) {
		churns[me](at, lap);
		results->churned[me]++;
		usleep(PAUSE_US);
	}
	return NULL;
}

static pthread_t threads[WRITERS + CHURNS];

static int64_t threads_start(uint64_t results_at, uint64_t b, uint64_t c)
{
	size_t i;

	(void)b;
	(void)c;
	results = (void *)(uintptr_t)results_at;
	for (i = 0; i < WRITERS + CHURNS; i++)
		must(-pthread_create(&threads[i], NULL,
				     i < WRITERS ? writer : churner,
				     (void *)(i < WRITERS ? i : i - WRITERS)));
	return 0;
}

static int64_t threads_stop(uint64_t a, uint64_t b, uint64_t c)
{
	int i;

	(void)a;
	(void)b;
	(void)c;
	results->stop = 1;
	for (i = 0; i < WRITERS + CHURNS; i++)
		must(-pthread_join(threads[i], NULL));
	return (int64_t)results->wrong;
}

static struct ctl ctl;
static struct server server;
static struct target target, victim;

/* What a process does to the memory that a job of its own is moving. */
static int64_t victim_acts(uint64_t addr, uint64_t bytes, uint64_t how)
{
	uint64_t *at = (void *)(uintptr_t)addr;

	switch (how) {
	case 0:
		if (!must(fork()))
			_exit(mem_wrong(addr, bytes, 4) != 0);
		must(wait((int *)&how));
		return (int64_t)how + mem_wrong(addr, bytes, 4);
	case 1:
		must(munmap(at, bytes / 2));
		return mem_wrong(addr + bytes, 0, 4);
	case 2:
		must(mprotect(at, bytes, PROT_READ));
		return mem_wrong(addr, bytes, 4);
	default:
		_exit(0);
	}
}

static void victims(uint32_t order)
{
	static const char * const names[] = { "fork", "munmap", "mprotect", "exit" };
	struct job_info job;
	struct job_req req;
	uint64_t addr, id, how;

	for (how = 0; how < 4; how++) {
		step("%s, a process does %s under its job", order_name(order),
		     names[how]);
		target_start(&victim);
		addr = (uint64_t)target_call(&victim, mem_new, REGION, 0, 4);
		req = job_for(&victim, addr, REGION, 0, 1, order);
		id = server_job(&server, &ctl, &req);
		/* A batch is locked before, and copied after it has begun. */
		server_wait_batch(&server);
		target_begin(&victim, victim_acts, addr, REGION, how);
		server_run(&server, &ctl, id);
		must(ctl_job(&ctl, id, &job));
		check_eq(job.state, MIGD_JOB_STATE_DONE);
		check_eq(job.rescued, 0);
		if (how < 3) {
			check_eq(target_end(&victim), 0);
			check_eq(job.outcome, MIGD_OUTCOME_MOVED);
		}
		target_stop(&victim);
		wait_idle(&ctl);
		check_clean(&ctl);
	}
}

int main(void)
{
	struct channels channels;
	uint64_t laps, moved = 0;
	struct job_info job;
	struct job_req req;
	int round, i;

	must(ctl_open(&ctl, true));
	results = shared_page();
	target_start(&target);
	server_open(&server, 4, 256);
	channels_claim(&ctl, &channels);
	target_call(&target, threads_start, (uintptr_t)results, 0, 0);

	/* Only then all the memory is there. */
	for (i = 0; i < WRITERS; i++)
		while (!results->laps[i])
			usleep(1000);

	for (round = 0; round < ROUNDS; round++) {
		step("round %d: %lu values checked, %lu wrong", round,
		     results->checked, results->wrong);
		if (round % 4 < 2)
			plan_dma(&server, &channels, channels.nr, 0);
		else
			plan_cpu(&server, 2);
		req = job_for(&target, 0, 0, round % 2, 1 - round % 2,
			      round / 2 % 2 ? MIGD_ORDER_STATE_FIRST :
					      MIGD_ORDER_COPY_FIRST);
		laps = results->laps[0];
		server_move(&server, &ctl, &req, &job);
		check(job.outcome == MIGD_OUTCOME_MOVED ||
		      job.outcome == MIGD_OUTCOME_PARTLY, "outcome %u", job.outcome);
		/* What a fork made the writers copy is on their own node again. */
		check(job.moved, "no page of %llu moved",
		      (unsigned long long)job.total);
		moved += job.moved;
		check_eq(job.rescued, 0);
		check_eq(results->wrong, 0);
		/* The writers go on between two rounds: half a lap at least. */
		while (results->laps[0] < laps + 1)
			usleep(1000);
	}
	check_eq(target_call(&target, threads_stop, 0, 0, 0), 0);
	for (i = 0; i < CHURNS; i++)
		check(results->churned[i], "churn %d never ran", i);
	step("%llu pages moved, %lu values checked, %lu wrong",
	     (unsigned long long)moved, results->checked, results->wrong);
	check(moved >= ROUNDS * REGION / PAGE, "only %llu pages moved in all",
	      (unsigned long long)moved);
	check_clean(&ctl);

	server_close(&server);
	server_open(&server, 2, 256);
	victims(MIGD_ORDER_COPY_FIRST);
	victims(MIGD_ORDER_STATE_FIRST);
	target_stop(&target);
	server_close(&server);
	wait_idle(&ctl);
	check_clean(&ctl);
	return 0;
}
