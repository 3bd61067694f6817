/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The phases of a run, and what its operations took in each. Times are
 * nanoseconds of any one clock.
 */
#ifndef LOAD_PHASES_H
#define LOAD_PHASES_H

#include <stdbool.h>
#include <stdint.h>

#include "hist.h"

#define MAX_PHASES	16
#define PHASE_LEN	24	/* with its NUL */

/* What comes before the first one is of the phase "start", the first. */
extern unsigned int phases;

/* From @at on it is this phase; false when there are too many. One thread only. */
bool phase_begin(const char *name, uint64_t at);

/*
 * The phase that an operation counts for: that of its start, but one that overlaps
 * a phase "during..." counts there, as what was late then is not held against
 * others.
 */
unsigned int phase_of(uint64_t start, uint64_t end);

/* As a JSON object, by name. */
void phases_print(const struct hist hist[]);

#endif
