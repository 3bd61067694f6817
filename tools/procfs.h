/* SPDX-License-Identifier: GPL-2.0 */
/* Files of /proc and /sys, below a root directory: "" but for tests. */
#ifndef MIGCTL_PROCFS_H
#define MIGCTL_PROCFS_H

#include <stdio.h>

#include "text.h"

/* Longest path that is put together here. */
#define PROCFS_PATH	4096

/* Open a file below the root; NULL with errno set. */
__printf(2, 3) FILE *procfs_open(const char *root, const char *format, ...);

/*
 * procfs_value - the rest of the line "KEY<blank>VALUE" of a file, or its first
 *		  line when @key is NULL
 * Returns 0, -ENOENT without such a line, or another negative errno.
 */
__printf(5, 6) int procfs_value(const char *root, const char *key, char *value, size_t size,
				const char *format, ...);

/* The last part of what a link below the root points to; 0 or a negative errno. */
__printf(4, 5) int procfs_link(const char *root, char *name, size_t size,
			       const char *format, ...);

#endif /* MIGCTL_PROCFS_H */
