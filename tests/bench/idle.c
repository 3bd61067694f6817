// SPDX-License-Identifier: GPL-2.0
/*
 * The spinner reads the clock without a pause. Two readings close together
 * mean that nobody else ran in between: their distance is idle time. A wider
 * gap is an interrupt or another task, and counts as work.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

#define CALM_NS		50000000
#define CALM_WINDOWS	400
#define CALM_PERCENT	97
#define GAP_NS	500	/* more than one turn of the loop, less than any interrupt */

static _Atomic uint64_t *idle;
static pid_t spinner;

uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

static void spin(void)
{
	uint64_t total = 0;
	uint64_t last = now_ns();

	for (;;) {
		uint64_t now = now_ns();

		if (now - last < GAP_NS) {
			total += now - last;
			atomic_store_explicit(idle, total, memory_order_relaxed);
		}
		last = now;
	}
}

/* Until nothing but the spinner runs; a guest that has just booted is busy. */
static int wait_for_calm(void)
{
	uint64_t seen = 0;

	for (unsigned int i = 0; i < CALM_WINDOWS; i++) {
		struct timespec window = { .tv_nsec = CALM_NS };
		uint64_t start = now_ns(), start_idle = idle_ns();

		clock_nanosleep(CLOCK_MONOTONIC, 0, &window, NULL);
		seen = (idle_ns() - start_idle) * 100 / (now_ns() - start);
		if (seen >= CALM_PERCENT)
			return 0;
	}
	fprintf(stderr, "migd-bench: the guest is only %llu%% idle with nothing to do: ",
		(unsigned long long)seen);
	fputs("is the clock read in user space?\n", stderr);
	return -ENOTSUP;
}

int idle_start(void)
{
	struct sched_param param = { 0 };

	idle = mmap(NULL, sizeof(*idle), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (idle == MAP_FAILED)
		return -errno;
	spinner = fork();
	if (spinner < 0)
		return -errno;
	if (!spinner) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (sched_setscheduler(0, SCHED_IDLE, &param))
			_exit(1);
		spin();
	}
	return wait_for_calm();
}

void idle_stop(void)
{
	if (spinner <= 0)
		return;
	kill(spinner, SIGKILL);
	waitpid(spinner, NULL, 0);
}

uint64_t idle_ns(void)
{
	return atomic_load_explicit(idle, memory_order_relaxed);
}
