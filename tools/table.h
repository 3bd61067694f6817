/* SPDX-License-Identifier: GPL-2.0 */
/* A table of text, columns as wide as they need to be. */
#ifndef MIGCTL_TABLE_H
#define MIGCTL_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "text.h"

struct table {
	const char *const *titles;
	size_t columns;
	char **cells;
	size_t used, size;
	int error;		/* first failure, told by table_print() */
};

/* In a title a leading '>' makes the column flush right. */
#define TABLE(t)	{ .titles = (t), .columns = sizeof(t) / sizeof((t)[0]) }

/* Add the next cell; an empty one is printed as "-". */
__printf(2, 3) void table_add(struct table *t, const char *format, ...);

/* Returns 0 or -ENOMEM; the table is empty afterwards. */
int table_print(struct table *t, bool legend);

#endif /* MIGCTL_TABLE_H */
