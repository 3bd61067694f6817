/* SPDX-License-Identifier: GPL-2.0 */
/* The counters and times as text for Prometheus. */
#ifndef MIGCTL_OPENMETRICS_H
#define MIGCTL_OPENMETRICS_H

#include <jansson.h>

/*
 * openmetrics_print - print what GetStats() and Describe() answered, on stdout
 * What they do not have is left out: no metric has a value that nobody reported.
 */
void openmetrics_print(const json_t *stats, const json_t *all);

#endif /* MIGCTL_OPENMETRICS_H */
