// SPDX-License-Identifier: GPL-2.0
/*
 * latencies PHASES TIMES...: what operations took in each phase, as JSON.
 *
 * PHASES has a line "USEC NAME" for each phase that begins, in order, and TIMES a
 * line "START END" for each operation, in microseconds of the same clock.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "phases.h"

static struct hist hist[MAX_PHASES];

static bool take_phase(const char *line)
{
	char name[PHASE_LEN];
	uint64_t at;

	return sscanf(line, "%" SCNu64 " %23[a-z0-9_-]", &at, name) == 2 &&
		phase_begin(name, at * 1000);
}

static bool take_time(const char *line)
{
	uint64_t start, end;

	if (sscanf(line, "%" SCNu64 " %" SCNu64, &start, &end) != 2 || end < start)
		return false;
	hist_add(&hist[phase_of(start * 1000, end * 1000)], (end - start) * 1000);
	return true;
}

/* Each line of a file; false after a sentence on stderr. */
static bool each_line(const char *path, bool take(const char *line))
{
	FILE *file = fopen(path, "re");
	unsigned int nr = 0;
	bool fine = true;
	char line[128];

	if (!file) {
		fprintf(stderr, "latencies: cannot open %s\n", path);
		return false;
	}
	while (fine && fgets(line, sizeof(line), file)) {
		nr++;
		fine = take(line);
	}
	if (!fine)
		fprintf(stderr, "latencies: %s:%u is not understood: %s", path, nr, line);
	fclose(file);
	return fine;
}

int main(int argc, char **argv)
{
	if (argc < 3) {
		fputs("Usage: latencies PHASES TIMES...\n", stderr);
		return 2;
	}
	if (!each_line(argv[1], take_phase))
		return 1;
	for (int i = 2; i < argc; i++)
		if (!each_line(argv[i], take_time))
			return 1;
	phases_print(hist);
	putchar('\n');
	return fflush(stdout) ? 1 : 0;
}
