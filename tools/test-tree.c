// SPDX-License-Identifier: GPL-2.0
/* A tree of files that looks like /proc and /sys. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test-tree.h"

char tree_root[64];
static unsigned int failures;

static void give_up(const char *path)
{
	perror(path);
	exit(1);
}

void tree_new(void)
{
	snprintf(tree_root, sizeof(tree_root), "/tmp/migctl-tree-XXXXXX");
	if (!mkdtemp(tree_root))
		give_up(tree_root);
}

static void make_path(char *path, size_t size, const char *name)
{
	snprintf(path, size, "%s%s", tree_root, name);
	for (char *at = strchr(path + 1, '/'); at; at = strchr(at + 1, '/')) {
		*at = '\0';
		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			give_up(path);
		*at = '/';
	}
}

void put_bytes(const char *name, const void *bytes, size_t size)
{
	char path[512];
	FILE *file;

	make_path(path, sizeof(path), name);
	file = fopen(path, "we");
	if (!file || fwrite(bytes, 1, size, file) != size || fclose(file))
		give_up(path);
}

void put(const char *name, const char *text)
{
	put_bytes(name, text, strlen(text));
}

void put_link(const char *name, const char *target)
{
	char path[512];

	make_path(path, sizeof(path), name);
	if (symlink(target, path) < 0)
		give_up(path);
}

void put_away(const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), "%s%s", tree_root, name);
	if (remove(path) < 0)
		give_up(path);
}

void tree_check(bool ok, const char *what, int line, const char *said)
{
	if (ok)
		return;
	failures++;
	fprintf(stderr, "line %d: not %s, said: %s\n", line, what, said);
}

int tree_end(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -r %s", tree_root);
	if (system(command))
		failures++;
	return failures ? 1 : 0;
}
