// SPDX-License-Identifier: GPL-2.0
/* Pages and memory policies in /proc/PID/numa_maps. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "numa_maps.h"
#include "rangelist.h"
#include "text.h"

/* A process has few policies, however many mappings; more are not told. */
#define MAX_POLICIES	8

/*
 * The nodes of a policy, and where its text ends. The modes that name nodes,
 * see mpol_to_str(): "bind:0", "prefer=static:0-1", "prefer (many):0",
 * "weighted interleave:0,2". NULL for those that name none.
 */
static const char *policy_nodes(const char *policy, const char **ret_end)
{
	static const char *const modes[] = {
		"bind", "prefer (many)", "prefer", "interleave", "weighted interleave",
	};
	const char *at;

	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		size_t len = strlen(modes[i]);

		if (strncmp(policy, modes[i], len))
			continue;
		at = policy + len;
		if (*at == '=')
			at += strcspn(at, ":\n ");
		if (*at != ':')
			continue;
		*ret_end = at + 1 + strcspn(at + 1, "\n ");
		return at + 1;
	}
	return NULL;
}

/* More than any node has; sums of it do not wrap. */
#define MOST_PAGES	(1ULL << 48)

/* Pages on the source, from the words "N<node>=<pages>". */
static __u64 source_pages(const char *words, int from, int to)
{
	__u64 pages = 0, n;

	for (const char *at = words; (at = strstr(at, " N")); at++) {
		char *end;
		long node = strtol(at + 2, &end, 10);

		if (end == at + 2 || *end != '=' || node == to || (from >= 0 && node != from))
			continue;
		n = strtoull(end + 1, NULL, 10);
		pages += n < MOST_PAGES ? n : MOST_PAGES;
	}
	return pages;
}

static void count_use(struct policy_use *uses, unsigned int *nr, const char *policy, size_t len,
		      __u64 address, __u64 pages)
{
	struct policy_use *use = NULL;

	if (len >= sizeof(uses->policy))
		return;
	for (unsigned int i = 0; i < *nr && !use; i++)
		if (strlen(uses[i].policy) == len && !memcmp(uses[i].policy, policy, len))
			use = &uses[i];
	if (!use) {
		if (*nr == MAX_POLICIES)
			return;
		use = &uses[(*nr)++];
		memcpy(use->policy, policy, len);
		use->policy[len] = '\0';
		use->first = address;
	}
	use->mappings++;
	use->pages += pages;
}

int numa_maps_policies(FILE *file, int from, int to,
		       void (*tell)(const struct policy_use *use, void *userdata),
		       void *userdata)
{
	struct policy_use uses[MAX_POLICIES] = { };
	const char *nodes, *end;
	unsigned int nr = 0;
	char *line = NULL;
	size_t alloc = 0;
	int r;

	while (errno = 0, getline(&line, &alloc, file) > 0) {
		char *policy;
		__u64 address = strtoull(line, &policy, 16), pages;

		if (*policy != ' ')
			continue;
		nodes = policy_nodes(++policy, &end);
		if (!nodes || rangelist_has(nodes, to))
			continue;
		pages = source_pages(end, from, to);
		if (pages)
			count_use(uses, &nr, policy, end - policy, address, pages);
	}
	r = ferror(file) ? -errno : 0;
	free(line);
	for (unsigned int i = 0; !r && i < nr; i++)
		tell(&uses[i], userdata);
	return r;
}

/* Not page cache, though it has a name. */
static bool is_shared(const char *words)
{
	static const char *const names[] = {
		" file=/memfd:", " file=/SYSV", " file=/dev/shm/", " file=/dev/zero ",
		" file=/dev/zero\\040(deleted) ",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strstr(words, names[i]))
			return true;
	return false;
}

/* Base pages of each page that the line counts. */
static __u64 base_pages(const char *words)
{
	static const char key[] = " kernelpagesize_kB=";
	const char *at = strstr(words, key);
	__u64 kb = at ? strtoull(at + sizeof(key) - 1, NULL, 10) : 0;
	long page_kb = sysconf(_SC_PAGESIZE) / 1024;

	return kb > (__u64)page_kb && kb <= 1 << 24 ? kb / page_kb : 1;
}

int numa_maps_pages(FILE *file, int from, int to, struct numa_pages *ret)
{
	char *line = NULL, *words, *end;
	size_t alloc = 0;
	__u64 pages;
	int r;

	*ret = (struct numa_pages) { .own = 0 };
	while (errno = 0, getline(&line, &alloc, file) > 0) {
		words = strchr(line, ' ');
		if (!words)
			continue;
		/* The last word is one between blanks, too. */
		end = strchr(words, '\n');
		if (end)
			*end = ' ';
		pages = source_pages(words, from, to);
		if (strstr(words, " huge "))
			ret->huge += pages * base_pages(words);
		else if (is_shared(words))
			ret->shared += pages;
		else if (strstr(words, " file="))
			ret->files += pages;
		else
			ret->own += pages;
	}
	r = ferror(file) ? -errno : 0;
	free(line);
	return r;
}

/* FNV-1a of the word "file=..."; a name has no blank as it is written there. */
static __u64 hash_name(const char *words)
{
	const char *at = strstr(words, " file=");
	__u64 hash = 0xcbf29ce484222325ULL;

	for (at = at ? at + 6 : ""; *at && *at != ' ' && *at != '\n'; at++)
		hash = (hash ^ (unsigned char)*at) * 0x100000001b3ULL;
	return hash;
}

int numa_maps_each(FILE *file, int from, int to,
		   int (*take)(const struct numa_mapping *mapping, void *userdata),
		   void *userdata)
{
	struct numa_mapping m;
	char *line = NULL, *words, *end;
	size_t alloc = 0;
	__u64 each;
	int r = 0;

	while (r >= 0 && (errno = 0, getline(&line, &alloc, file) > 0)) {
		m.start = strtoull(line, &words, 16);
		if (words == line || *words != ' ')
			continue;
		end = strchr(words, '\n');
		if (end)
			*end = ' ';
		if (strstr(words, " file=") && !strstr(words, " huge ") && !is_shared(words))
			continue;
		each = strstr(words, " huge ") ? base_pages(words) : 1;
		m.name = strstr(words, " file=") ? hash_name(words) : 0;
		m.source = each * source_pages(words, from, to);
		m.dest = each * source_pages(words, to, -1);
		r = take(&m, userdata);
	}
	if (r >= 0)
		r = ferror(file) ? -errno : 0;
	free(line);
	return r;
}
