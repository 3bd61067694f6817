// SPDX-License-Identifier: GPL-2.0
/*
 * The spinner reads the clock without a pause. Two readings close together
 * mean that nobody else ran in between: their distance is idle time. A wider
 * gap is an interrupt or another task, and counts as work.
 *
 * SCHED_IDLE ranks a task within its control group only: the spinner has one
 * of its own, which is idle as a whole, so that anybody else preempts it.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

#define CGROUP		"/sys/fs/cgroup/"
#define GROUP		CGROUP "migd-bench-idle"
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

static int put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int r = 0;

	if (fd < 0 || write(fd, text, strlen(text)) < 0) {
		r = -errno;
		fprintf(stderr, "migd-bench: cannot write '%s' to %s: %s\n", text, path,
			strerror(-r));
	}
	if (fd >= 0)
		close(fd);
	return r;
}

static int make_group(void)
{
	int r = put(CGROUP "cgroup.subtree_control", "+cpu");

	if (r)
		return r;
	if (mkdir(GROUP, 0755) && errno != EEXIST)
		return -errno;
	return put(GROUP "/cpu.idle", "1");
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
	int r = make_group();

	if (r)
		return r;
	idle = mmap(NULL, sizeof(*idle), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (idle == MAP_FAILED)
		return -errno;
	spinner = fork();
	if (spinner < 0)
		return -errno;
	if (!spinner) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (put(GROUP "/cgroup.procs", "0") || sched_setscheduler(0, SCHED_IDLE, &param))
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
