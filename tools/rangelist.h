/* SPDX-License-Identifier: GPL-2.0 */
/* Lists of CPUs and nodes as the kernel prints them: "0-3,8". */
#ifndef MIGCTL_RANGELIST_H
#define MIGCTL_RANGELIST_H

#include <stdbool.h>

/* No list has a number as large as this (NR_CPUS is at most 8192). */
#define RANGELIST_MAX	8192

/* A list that cannot be understood has nothing. */
bool rangelist_has(const char *list, int number);

/* Whether two lists have a number in common. */
bool rangelist_meet(const char *a, const char *b);

#endif /* MIGCTL_RANGELIST_H */
