// SPDX-License-Identifier: GPL-2.0
/* The choice of an engine, rests of channels, and which job wants what. */
#include <string.h>

#include "check.h"
#include "engine.h"
#include "jobtab.h"
#include "roster.h"

#define SEC	1000000000ULL

static void test_roster(void)
{
	static struct roster r = { .rest_ns = SEC, .rest_max_ns = 5 * SEC };
	struct channel *c;
	uint64_t now = SEC;

	check(engine_choose(&r, CHOICE_AUTO, now) == &engine_cpu);
	check(!roster_find(&r, "dma0chan0", false));
	c = roster_find(&r, "dma0chan0", true);
	check(c && roster_find(&r, "dma0chan0", true) == c && r.nr == 1);
	check(!channel_ready(c, now));
	atomic_store(&c->usable, true);
	check(channel_ready(c, now) && engine_choose(&r, CHOICE_AUTO, now) == &engine_dma);
	check(engine_choose(&r, CHOICE_CPU, now) == &engine_cpu);

	/* 1 s, 2 s, 4 s, then never more than 5 s; faults of one rest count once. */
	for (unsigned int i = 0; i < 6; i++) {
		uint64_t rest = i > 2 ? 5 * SEC : SEC << i;

		channel_fault(&r, c, now);
		channel_fault(&r, c, now + 1);
		check(!channel_ready(c, now + rest - 1) && channel_ready(c, now + rest));
		check(engine_choose(&r, CHOICE_AUTO, now) == &engine_cpu);
		check(engine_choose(&r, CHOICE_DMA, now) == &engine_dma);
		now += rest;
	}
	channel_good(c);
	channel_fault(&r, c, now);
	check(channel_ready(c, now + SEC));

	for (unsigned int i = 1; i < ROSTER_MAX; i++) {
		char name[16];

		snprintf(name, sizeof(name), "x%u", i);
		check(roster_find(&r, name, true));
	}
	check(!roster_find(&r, "one too many", true));
	check(engine_cpu.start && engine_cpu.complete && !engine_cpu.fallback);
	check(engine_dma.start && engine_dma.complete && engine_dma.fallback == &engine_cpu);
}

static void test_jobtab(void)
{
	static struct jobtab t;

	jobtab_init(&t);
	check(jobtab_choice(&t, 1) == CHOICE_AUTO);
	jobtab_set_default(&t, CHOICE_CPU);
	check(jobtab_choice(&t, 1) == CHOICE_CPU);

	/* The first batch comes before the answer to the submission. */
	jobtab_expect(&t, CHOICE_DMA);
	check(jobtab_choice(&t, 7) == CHOICE_DMA);
	jobtab_learn(&t, 7, CHOICE_DMA);
	check(jobtab_choice(&t, 7) == CHOICE_DMA && jobtab_choice(&t, 8) == CHOICE_CPU);

	/* One that is refused leaves nothing; known jobs keep theirs meanwhile. */
	jobtab_expect(&t, CHOICE_CHANNEL + 3);
	check(jobtab_choice(&t, 7) == CHOICE_DMA);
	jobtab_learn(&t, 0, CHOICE_CHANNEL + 3);
	check(jobtab_choice(&t, 8) == CHOICE_CPU);

	jobtab_forget(&t, 7);
	check(jobtab_choice(&t, 7) == CHOICE_CPU);
	for (unsigned int i = 0; i < 2 * JOBTAB_MAX; i++) {
		jobtab_learn(&t, 100 + i, CHOICE_DMA);
		jobtab_forget(&t, 100 + i);
	}
	jobtab_learn(&t, 9, CHOICE_DMA);
	check(jobtab_choice(&t, 9) == CHOICE_DMA);
	jobtab_destroy(&t);
}

int main(void)
{
	test_roster();
	test_jobtab();
	return 0;
}
