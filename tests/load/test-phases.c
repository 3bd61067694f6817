// SPDX-License-Identifier: GPL-2.0
/* Tests of phases.c. */
#include <stdio.h>
#include <stdlib.h>

#include "phases.h"

enum { START, BEFORE, DURING, AFTER };

#define CHECK(x)	check(x, #x, __LINE__)

static void check(bool fine, const char *what, int line)
{
	if (fine)
		return;
	fprintf(stderr, "line %d: not so: %s\n", line, what);
	exit(1);
}

/* An operation is of the phase it began in, but for those that a move met. */
static void check_phase_of(void)
{
	CHECK(phase_of(10, 20) == START);
	CHECK(phase_begin("before", 100));
	CHECK(phase_begin("during-it", 200));
	CHECK(phase_begin("after", 300));
	CHECK(phase_of(50, 60) == START);
	CHECK(phase_of(50, 150) == START);
	CHECK(phase_of(100, 110) == BEFORE);
	CHECK(phase_of(150, 200) == BEFORE);
	CHECK(phase_of(150, 201) == DURING);
	CHECK(phase_of(50, 1000) == DURING);
	CHECK(phase_of(299, 300) == DURING);
	CHECK(phase_of(299, 1000) == DURING);
	CHECK(phase_of(300, 301) == AFTER);
	CHECK(phase_of(400, 500) == AFTER);
}

/* A phase that begins again is the same one. */
static void check_again(void)
{
	CHECK(phase_begin("before", 1000));
	CHECK(phases == AFTER + 1);
	CHECK(phase_of(900, 1100) == AFTER);
	CHECK(phase_of(1000, 1100) == BEFORE);
	CHECK(phase_of(250, 1100) == DURING);
}

static void check_room(void)
{
	char name[PHASE_LEN];
	unsigned int i;

	for (i = phases; i < MAX_PHASES; i++) {
		snprintf(name, sizeof(name), "phase-%u", i);
		CHECK(phase_begin(name, 2000 + i));
	}
	CHECK(!phase_begin("one-more", 3000));
	CHECK(phase_of(3000, 3001) == MAX_PHASES - 1);
	/* there is room for those that are known, but not for ever */
	for (i = 0; i < 1000 && phase_begin("after", 4000 + i); i++)
		;
	CHECK(i > 100 && i < 1000);
	CHECK(phase_of(4000, 4001) == AFTER);
}

static void check_hist(void)
{
	struct hist hist = { 0 };

	CHECK(hist_quantile(&hist, 500) == 0);
	for (unsigned int i = 1; i <= 1000; i++)
		hist_add(&hist, i * 1000);
	CHECK(hist.count == 1000 && hist.max == 1000000);
	CHECK(hist_quantile(&hist, 500) >= 500000 && hist_quantile(&hist, 500) < 520000);
	CHECK(hist_quantile(&hist, 990) >= 990000 && hist_quantile(&hist, 990) <= 1000000);
}

int main(void)
{
	check_phase_of();
	check_again();
	check_room();
	check_hist();
	return 0;
}
