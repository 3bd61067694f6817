// SPDX-License-Identifier: GPL-2.0
/* The mappings of a process, from /proc/PID/smaps or /proc/PID/maps. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mappings.h"
#include "text.h"

/* The kernel's page of vsyscall is listed, but is none of the process's. */
#define MAPPINGS_END	(1ULL << 63)

static const struct {
	const char *word;
	unsigned int flag;
} vm_flags[] = {
	{ "io", MAPPING_DEVICE }, { "pf", MAPPING_DEVICE }, { "de", MAPPING_SPECIAL },
	{ "mm", MAPPING_SPECIAL }, { "ht", MAPPING_HUGETLB }, { "lo", MAPPING_LOCKED },
	{ "mg", MAPPING_MERGEABLE }, { "mt", MAPPING_TAGGED }, { "um", MAPPING_UFFD },
	{ "uw", MAPPING_UFFD }, { "ui", MAPPING_UFFD },
};

static unsigned int read_flags(char *words)
{
	unsigned int flags = 0;
	char *save;

	for (char *word = strtok_r(words, "\n ", &save); word; word = strtok_r(NULL, "\n ", &save))
		for (size_t i = 0; i < ARRAY_SIZE(vm_flags); i++)
			if (!strcmp(word, vm_flags[i].word))
				flags |= vm_flags[i].flag;
	return flags;
}

/* "START-END PERMS OFFSET DEVICE INODE   NAME"; false for any other line. */
static bool read_first_line(char *line, struct mapping *m)
{
	int at = 0;

	*m = (struct mapping) { .ksm_kb = ~0ULL };
	if (sscanf(line, "%llx-%llx %*4s %*x %23s %llu %n", &m->start, &m->end, m->device,
		   &m->inode, &at) < 4 || !at || m->start >= m->end)
		return false;
	line[strcspn(line, "\n")] = '\0';
	text_copy(m->name, sizeof(m->name), line + at);
	return true;
}

static struct mapping *add(struct mappings *list, const struct mapping *m)
{
	struct mapping *grown = list->m;

	/* At each power of two. */
	if (!(list->nr & (list->nr - 1)))
		grown = reallocarray(list->m, list->nr ? list->nr * 2 : 1, sizeof(*grown));
	if (!grown)
		return NULL;
	list->m = grown;
	list->m[list->nr] = *m;
	return &list->m[list->nr++];
}

int mappings_read(FILE *file, struct mappings *ret)
{
	static const char key[] = "VmFlags:", ksm[] = "KSM:";
	struct mapping m, *last = NULL;
	char *line = NULL;
	size_t alloc = 0;
	int r = 0;

	*ret = (struct mappings) { .nr = 0 };
	while (errno = 0, !r && getline(&line, &alloc, file) > 0) {
		if (last && !strncmp(line, key, sizeof(key) - 1))
			last->flags = read_flags(line + sizeof(key) - 1);
		if (last && !strncmp(line, ksm, sizeof(ksm) - 1))
			last->ksm_kb = strtoull(line + sizeof(ksm) - 1, NULL, 10);
		if (!read_first_line(line, &m))
			continue;
		last = NULL;
		if (m.start >= MAPPINGS_END)
			continue;
		last = add(ret, &m);
		if (!last)
			r = -ENOMEM;
	}
	if (!r && ferror(file))
		r = -errno;
	free(line);
	return r;
}

void mappings_free(struct mappings *list)
{
	free(list->m);
	*list = (struct mappings) { .nr = 0 };
}

bool mappings_have_file(const struct mappings *list, const struct mapping *m)
{
	/* A SysV segment may have inode 0. */
	if (!m->inode && m->name[0] != '/')
		return false;
	for (size_t i = 0; i < list->nr; i++)
		if (list->m[i].inode == m->inode && !strcmp(list->m[i].device, m->device))
			return true;
	return false;
}

void mapping_words(const struct mapping *m, char *words, size_t size)
{
	static const struct {
		unsigned int flag;
		const char *word;
	} table[] = {
		{ MAPPING_LOCKED, "locked" }, { MAPPING_MERGEABLE, "mergeable" },
		{ MAPPING_TAGGED, "mte" }, { MAPPING_UFFD, "userfaultfd" },
	};
	size_t used = 0;

	words[0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(table) && used < size; i++)
		if (m->flags & table[i].flag)
			used += snprintf(words + used, size - used, "%s%s", used ? "," : "",
					 table[i].word);
}
