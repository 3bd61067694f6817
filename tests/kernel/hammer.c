// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>
#include "check.h"
#include "hammer.h"

#define WORDS	(PAGE / sizeof(uint64_t))
/* After each round: there are two CPUs, and others beside it. */
#define REST_US	5000

/* In the target, beside the memory that is moved: the round of each page. */
static volatile uint64_t *memory;
static uint64_t *written, nr_pages;

static uint64_t value(size_t page, size_t i, uint64_t round)
{
	return (page * WORDS + i + 1) * 0x9e3779b97f4a7c15ULL ^ round << 20;
}

int64_t hammer_new(uint64_t pages, uint64_t node, uint64_t unused)
{
	size_t page, i;

	(void)unused;
	memory = (volatile uint64_t *)(uintptr_t)mem_new(pages * PAGE, node, 0);
	written = calloc(pages, sizeof(*written));
	check(written, "no memory");
	nr_pages = pages;
	for (page = 0; page < pages; page++)
		for (i = 0; i < WORDS; i++)
			memory[page * WORDS + i] = value(page, i, 0);
	return (int64_t)(uintptr_t)memory;
}

/* Each round writes another word of each page and looks at those around it. */
static int64_t hammer(uint64_t arg, uint64_t b, uint64_t c)
{
	struct hammer *h = (void *)(uintptr_t)arg;
	volatile uint64_t *at;
	size_t page, i;

	(void)b;
	(void)c;
	/* Who tests comes first: there are two CPUs. */
	must(setpriority(PRIO_PROCESS, 0, 10));
	while (!h->stop) {
		for (page = 0; page < nr_pages && !h->stop; page++) {
			at = memory + page * WORDS;
			i = written[page] % 8;
			if (at[i] != value(page, i, written[page]))
				h->wrong++;
			written[page]++;
			i = written[page] % 8;
			at[i] = value(page, i, written[page]);
			i = 8 + written[page] % (WORDS - 8);
			if (at[i] != value(page, i, 0))
				h->wrong++;
		}
		h->rounds++;
		usleep(REST_US);
	}
	return 0;
}

/* Every word: the first eight are of the rounds that wrote them last. */
static int64_t wrong_words(uint64_t a, uint64_t b, uint64_t c)
{
	uint64_t round, wrong = 0;
	size_t page, i;

	(void)a;
	(void)b;
	(void)c;
	for (page = 0; page < nr_pages; page++) {
		for (i = 0; i < WORDS; i++) {
			round = written[page] < i || i >= 8 ? 0 :
				written[page] - (written[page] - i) % 8;
			wrong += memory[page * WORDS + i] != value(page, i, round);
		}
	}
	return (int64_t)wrong;
}

void hammer_begin(struct target *t, struct hammer *h)
{
	h->stop = 0;
	target_begin(t, hammer, (uintptr_t)h, 0, 0);
}

void hammer_end(struct target *t, struct hammer *h)
{
	h->stop = 1;
	target_end(t);
	check_eq(h->wrong, 0);
	check_eq(target_call(t, wrong_words, 0, 0, 0), 0);
}
