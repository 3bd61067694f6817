// SPDX-License-Identifier: GPL-2.0
/*
 * Pages whose memory is said to be broken.
 *
 *   poison N    page N of the first "map" breaks: "poisoned PFN"
 *   pfn N       its page frame number, for the others to break: "pfn PFN"
 *   touch       all of it is read: "right N bus N wrong N" pages
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "victim.h"

static sigjmp_buf back;

static void on_bus(int signal)
{
	(void)signal;
	siglongjmp(back, 1);
}

static void catch_bus(void)
{
	struct sigaction action = { .sa_handler = on_bus };

	must(sigaction(SIGBUS, &action, NULL));
}

static char *page_of(const char *args, size_t *ret_i)
{
	uint64_t seed;
	size_t nr;
	char *at = first_map(&nr, &seed);

	*ret_i = strtoul(args, NULL, 10) % nr;
	return at + *ret_i * PAGE;
}

static void pfn(char *args)
{
	size_t i;

	printf("pfn %llu\n", (unsigned long long)pfn_of(page_of(args, &i)));
}

static void poison(char *args)
{
	size_t i;
	char *at = page_of(args, &i);
	uint64_t frame = pfn_of(at);

	catch_bus();
	/* The kernel tells the one who does it at once. */
	if (!sigsetjmp(back, 1))
		must(madvise(at, PAGE, MADV_HWPOISON));
	printf("poisoned %llu\n", (unsigned long long)frame);
}

static void touch(char *args)
{
	volatile size_t i, right = 0, bus = 0, bad = 0;
	volatile uint64_t word = 0;
	uint64_t seed;
	size_t nr, n;
	char *at = first_map(&nr, &seed);
	static uint64_t page[WORDS];

	(void)args;
	catch_bus();
	for (i = 0; i < nr; i++) {
		if (sigsetjmp(back, 1)) {
			bus++;
			continue;
		}
		word += *(volatile uint64_t *)(at + i * PAGE);
		memcpy(page, at + i * PAGE, PAGE);
		for (n = 0; n < WORDS && page[n] == word_of(seed, i * WORDS + n); n++)
			;
		if (n == WORDS)
			right++;
		else
			bad++;
	}
	printf("right %zu bus %zu wrong %zu\n", right, bus, bad);
}

const struct verb poison_verbs[] = {
	{ "poison", poison },
	{ "pfn", pfn },
	{ "touch", touch },
	{ }
};
