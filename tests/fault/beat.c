// SPDX-License-Identifier: GPL-2.0
/*
 * A process that only sleeps and wakes: what the machine itself stops anyone for.
 * Nobody moves it. It says "ready PID 0 0", and answers each line of stdin with
 * "stall USEC", the longest time that it was late since the last one.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "../bus/region.h"

#define SLEEP_US	10000

static atomic_uint_least64_t longest_ns;

static void *beat(void *unused)
{
	uint64_t before = now_ns(), now, late;

	for (;;) {
		usleep(SLEEP_US);
		now = now_ns();
		late = now - before - SLEEP_US * 1000;
		if (late > atomic_load(&longest_ns))
			atomic_store(&longest_ns, late);
		before = now;
	}
	return unused;
}

int main(void)
{
	pthread_t thread;
	char line[32];

	if (pthread_create(&thread, NULL, beat, NULL))
		die("pthread_create");
	printf("ready %d 0 0\n", getpid());
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		printf("stall %llu\n",
		       (unsigned long long)atomic_exchange(&longest_ns, 0) / 1000);
		fflush(stdout);
	}
	return 0;
}
