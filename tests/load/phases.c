// SPDX-License-Identifier: GPL-2.0
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "phases.h"

#define MAX_CHANGES	128
#define DISTURBED	"during"

static char phase_name[MAX_PHASES][PHASE_LEN] = { "start" };
unsigned int phases = 1;
/* Written by one thread only; an entry is complete before it is counted. */
static struct {
	uint64_t at;
	unsigned int phase;
} change[MAX_CHANGES];
static atomic_uint changes;

bool phase_begin(const char *name, uint64_t at)
{
	unsigned int i;

	for (i = 0; i < phases; i++)
		if (!strcmp(phase_name[i], name))
			break;
	if (i == MAX_PHASES || changes == MAX_CHANGES)
		return false;
	if (i == phases) {
		snprintf(phase_name[i], PHASE_LEN, "%s", name);
		phases++;
	}
	change[changes].at = at;
	change[changes].phase = i;
	changes++;
	return true;
}

unsigned int phase_of(uint64_t start, uint64_t end)
{
	unsigned int at_start = 0;

	for (unsigned int i = 0; i < changes && change[i].at < end; i++) {
		bool over = i + 1 < changes && change[i + 1].at <= start;

		if (!over && !strncmp(phase_name[change[i].phase], DISTURBED, strlen(DISTURBED)))
			return change[i].phase;
		if (change[i].at <= start)
			at_start = change[i].phase;
	}
	return at_start;
}

void phases_print(const struct hist hist[])
{
	putchar('{');
	for (unsigned int p = 0; p < phases; p++)
		printf("%s\"%s\":{\"ops\":%llu,\"p50_ns\":%llu,\"p99_ns\":%llu,\"max_ns\":%llu}",
		       p ? "," : "", phase_name[p], (unsigned long long)hist[p].count,
		       (unsigned long long)hist_quantile(&hist[p], 500),
		       (unsigned long long)hist_quantile(&hist[p], 990),
		       (unsigned long long)hist[p].max);
	putchar('}');
}
