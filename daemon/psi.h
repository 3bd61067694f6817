/* SPDX-License-Identifier: GPL-2.0 */
/* Pressure stall information of the kernel: how long tasks stalled for want of memory. */
#ifndef MIGD_PSI_H
#define MIGD_PSI_H

#include <stdbool.h>
#include <stdint.h>

/* The one window whose triggers the kernel lets everybody have. */
#define PSI_WINDOW_USEC		2000000ULL

/* For how long some task stalled, in us, as a file of pressure tells. 0 or -EINVAL. */
int psi_total(const char *text, uint64_t *ret);

/* Since when it is counted, and what the total was then. */
struct psi_window {
	uint64_t start_usec;
	uint64_t total;
};

/*
 * Have tasks stalled for @threshold us of a window, or for as large a part of
 * the time since @w began, when that is longer? Then, and when the window is
 * over, a new one begins.
 */
bool psi_too_much(struct psi_window *w, uint64_t now_usec, uint64_t total, uint64_t threshold);

#endif /* MIGD_PSI_H */
