// SPDX-License-Identifier: GPL-2.0
/* Files of /proc and /sys, below a root directory. */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "procfs.h"

static void put_path(char path[static PROCFS_PATH], const char *root, const char *format,
		     va_list ap)
{
	int n = snprintf(path, PROCFS_PATH, "%s", root);

	if (n < PROCFS_PATH)
		vsnprintf(path + n, PROCFS_PATH - n, format, ap);
}

static FILE *open_file(const char *root, const char *format, va_list ap)
{
	char path[PROCFS_PATH];

	put_path(path, root, format, ap);
	return fopen(path, "re");
}

FILE *procfs_open(const char *root, const char *format, ...)
{
	FILE *file;
	va_list ap;

	va_start(ap, format);
	file = open_file(root, format, ap);
	va_end(ap);
	return file;
}

static int read_value(FILE *file, const char *key, char *value, size_t size)
{
	size_t len = key ? strlen(key) : 0, alloc = 0;
	char *line = NULL, *at;
	int r = -ENOENT;

	while (r < 0 && getline(&line, &alloc, file) > 0) {
		if (key && strncmp(line, key, len))
			continue;
		for (at = line + len; isspace((unsigned char)*at); at++)
			;
		at[strcspn(at, "\n")] = '\0';
		r = snprintf(value, size, "%s", at) < (int)size ? 0 : -E2BIG;
	}
	free(line);
	return r;
}

int procfs_value(const char *root, const char *key, char *value, size_t size,
		 const char *format, ...)
{
	FILE *file;
	va_list ap;
	int r;

	va_start(ap, format);
	file = open_file(root, format, ap);
	va_end(ap);
	if (!file)
		return -errno;
	r = read_value(file, key, value, size);
	fclose(file);
	return r;
}

int procfs_link(const char *root, char *name, size_t size, const char *format, ...)
{
	char path[PROCFS_PATH], target[PROCFS_PATH];
	const char *base;
	va_list ap;
	ssize_t n;

	va_start(ap, format);
	put_path(path, root, format, ap);
	va_end(ap);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return -errno;
	target[n] = '\0';
	base = strrchr(target, '/');
	return snprintf(name, size, "%s", base ? base + 1 : target) < (int)size ? 0 : -E2BIG;
}
