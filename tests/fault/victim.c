// SPDX-License-Identifier: GPL-2.0
/*
 * A process that is moved while it does to its memory whatever a process may.
 *
 *   victim MIB NODE [thp]    a region of MIB on NODE, see bus/region.h; with thp
 *                            what it maps later may have huge pages
 *
 * It says "ready PID START PAGES" of the region and answers each line of stdin
 * with one line, until stdin ends. Besides those of the region, of calls.c,
 * maps.c, pins.c and poison.c:
 *
 *   begin CHURN    a thread does it over and over; answered after the first round
 *   end CHURN      "ended rounds N wrong N" since then
 */
#include <linux/mempolicy.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "victim.h"

/* Between two rounds: without it nobody else gets the mmap lock. */
#define PAUSE_US	5000
#define MAX_RUNNING	8

struct running {
	const struct churn *churn;
	pthread_t thread;
	sem_t begun;
	atomic_bool stop;
	unsigned long rounds;
};

static struct running running[MAX_RUNNING];

static void *run_churn(void *arg)
{
	struct running *r = arg;
	char *area = map_small(AREA);

	while (!atomic_load(&r->stop)) {
		r->churn->round(area, r->rounds);
		if (!r->rounds++)
			sem_post(&r->begun);
		usleep(PAUSE_US);
	}
	munmap(area, AREA);
	return NULL;
}

static const struct churn *find_churn(const char *name)
{
	static const struct churn *const tables[] = { call_churns, uffd_churns, pin_churns };

	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++)
		for (const struct churn *c = tables[i]; c->name; c++)
			if (!strcmp(c->name, name))
				return c;
	return NULL;
}

static void begin(char *name)
{
	struct running *r = running;

	while (r < running + MAX_RUNNING && r->churn)
		r++;
	if (r == running + MAX_RUNNING || !find_churn(name)) {
		printf("no churn '%s', or too many\n", name);
		return;
	}
	r->churn = find_churn(name);
	r->rounds = 0;
	atomic_store(&r->stop, false);
	sem_init(&r->begun, 0, 0);
	if (pthread_create(&r->thread, NULL, run_churn, r))
		die("pthread_create");
	sem_wait(&r->begun);
	printf("begun\n");
}

static void end(char *name)
{
	struct running *r = running;

	while (r < running + MAX_RUNNING && !(r->churn && !strcmp(r->churn->name, name)))
		r++;
	if (r == running + MAX_RUNNING) {
		printf("'%s' does not run\n", name);
		return;
	}
	atomic_store(&r->stop, true);
	pthread_join(r->thread, NULL);
	r->churn = NULL;
	/* The first round was over when begin() answered. */
	printf("ended rounds %lu wrong %lu\n", r->rounds - 1, atomic_load(&wrong));
}

static const struct verb verbs[] = {
	{ "begin", begin },
	{ "end", end },
	{ }
};

static void answer(char *line)
{
	static const struct verb *const tables[] = {
		verbs, call_verbs, map_verbs, pin_verbs, poison_verbs,
	};
	char *args;

	if (region_answer(line))
		return;
	line[strcspn(line, "\n")] = 0;
	args = line + strcspn(line, " ");
	if (*args)
		*args++ = 0;
	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
		for (const struct verb *v = tables[i]; v->name; v++) {
			if (!strcmp(v->name, line)) {
				v->run(args);
				return;
			}
		}
	}
	printf("no verb '%s'\n", line);
}

int main(int argc, char **argv)
{
	char line[256], stack[STACK_BYTES];

	if (argc < 3)
		return 2;
	must(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0));
	stack_memory = stack;
	region_new(map_apart, strtoul(argv[1], NULL, 10), atoi(argv[2]), MPOL_DEFAULT);
	must(madvise(memory, pages * PAGE, MADV_NOHUGEPAGE));
	if (argc > 3)
		must(prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0));
	printf("ready %d %lx %zu\n", getpid(), (unsigned long)memory, pages);
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		answer(line);
		fflush(stdout);
	}
	return 0;
}
