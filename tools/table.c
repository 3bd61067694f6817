// SPDX-License-Identifier: GPL-2.0
/* A table of text, columns as wide as they need to be. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "table.h"

void table_add(struct table *t, const char *format, ...)
{
	va_list ap;
	char *cell;
	int n;

	if (t->error)
		return;
	if (t->used == t->size) {
		size_t size = t->size ? t->size * 2 : 64;
		char **cells = reallocarray(t->cells, size, sizeof(*cells));

		if (!cells) {
			t->error = -ENOMEM;
			return;
		}
		t->cells = cells;
		t->size = size;
	}
	va_start(ap, format);
	n = vasprintf(&cell, format, ap);
	va_end(ap);
	if (n < 0) {
		t->error = -ENOMEM;
		return;
	}
	if (!*cell) {
		free(cell);
		cell = strdup("-");
		if (!cell) {
			t->error = -ENOMEM;
			return;
		}
	}
	t->cells[t->used++] = cell;
}

static void print_cell(const char *cell, int width, bool right, bool last)
{
	if (right)
		printf("%*s", width, cell);
	else if (last)
		printf("%s", cell);
	else
		printf("%-*s", width, cell);
	fputs(last ? "\n" : "  ", stdout);
}

static int column_width(const struct table *t, size_t column, bool legend)
{
	size_t width = legend ? strlen(t->titles[column]) - (t->titles[column][0] == '>') : 0;

	for (size_t i = column; i < t->used; i += t->columns)
		if (strlen(t->cells[i]) > width)
			width = strlen(t->cells[i]);
	return width;
}

int table_print(struct table *t, bool legend)
{
	int widths[t->columns];
	int r = t->error;

	for (size_t c = 0; c < t->columns; c++)
		widths[c] = column_width(t, c, legend);
	for (size_t c = 0; !r && legend && c < t->columns; c++) {
		bool right = t->titles[c][0] == '>';

		print_cell(t->titles[c] + right, widths[c], right, c + 1 == t->columns);
	}
	for (size_t i = 0; i < t->used; i++) {
		size_t c = i % t->columns;

		if (!r)
			print_cell(t->cells[i], widths[c], t->titles[c][0] == '>',
				   c + 1 == t->columns);
		free(t->cells[i]);
	}
	free(t->cells);
	t->cells = NULL;
	t->used = 0;
	t->size = 0;
	return r;
}
