/* SPDX-License-Identifier: GPL-2.0 */
/* The pages that a process has in memory. */
#ifndef LOAD_PAGEMAP_H
#define LOAD_PAGEMAP_H

#include <stdbool.h>
#include <stdint.h>

/* Bits of an entry of /proc/PID/pagemap, see the kernel's pagemap.rst. */
#define PRESENT		(1ULL << 63)
#define OF_A_FILE	(1ULL << 61)	/* or of shared memory */
#define FRAME		((1ULL << 55) - 1)

/*
 * Calls @page with the address and the entry of each page that is present; @name is
 * what the process has mapped there, from /proc/PID/maps. False after a sentence on
 * stderr.
 */
bool pagemap_each(const char *pid, void page(const char *name, uint64_t addr, uint64_t entry));

#endif
