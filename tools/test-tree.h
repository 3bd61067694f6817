/* SPDX-License-Identifier: GPL-2.0 */
/* A tree of files that looks like /proc and /sys, for the tests of what reads them. */
#ifndef MIGCTL_TEST_TREE_H
#define MIGCTL_TEST_TREE_H

#include <stdbool.h>
#include <stddef.h>

extern char tree_root[64];

void tree_new(void);

/* Write a file below the root, with the directories on the way. */
void put(const char *name, const char *text);
void put_bytes(const char *name, const void *bytes, size_t size);
void put_link(const char *name, const char *target);
void put_away(const char *name);

/* Tell of what is not as it should be, and of what was said. */
void tree_check(bool ok, const char *what, int line, const char *said);

/* Removes the tree; returns the exit code. */
int tree_end(void);

#endif /* MIGCTL_TEST_TREE_H */
