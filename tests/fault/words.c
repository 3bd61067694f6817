// SPDX-License-Identifier: GPL-2.0
/* Memory of known values, of any number of mappings. */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "victim.h"

atomic_ulong wrong;

uint64_t word_of(uint64_t seed, size_t i)
{
	return (i + 1) * 0x9e3779b97f4a7c15ULL ^ (seed + 1) << 17;
}

char *map_small(size_t bytes)
{
	char *at = map_apart(bytes);

	must(madvise(at, bytes, MADV_NOHUGEPAGE));
	return at;
}

void fill(void *at, size_t bytes, uint64_t seed)
{
	volatile uint64_t *word = at;

	for (size_t i = 0; i < bytes / sizeof(*word); i++)
		word[i] = word_of(seed, i);
}

uint64_t count_not(const void *at, size_t bytes, uint64_t seed)
{
	const volatile uint64_t *word = at;
	uint64_t n = 0;

	for (size_t i = 0; i < bytes / sizeof(*word); i++)
		n += word[i] != word_of(seed, i);
	return n;
}

void verify(const void *at, size_t bytes, uint64_t seed)
{
	atomic_fetch_add(&wrong, count_not(at, bytes, seed));
}

size_t pages_on(const void *at, size_t nr, int node)
{
	int status[AREA_PAGES];
	const void *where[AREA_PAGES];
	size_t found = 0, n;

	for (size_t done = 0; done < nr; done += n) {
		n = nr - done < AREA_PAGES ? nr - done : AREA_PAGES;
		for (size_t i = 0; i < n; i++)
			where[i] = (const char *)at + (done + i) * PAGE;
		must(syscall(SYS_move_pages, 0, n, where, NULL, status, 0));
		for (size_t i = 0; i < n; i++)
			found += status[i] == node;
	}
	return found;
}

uint64_t pagemap_of(const void *at)
{
	static int fd = -1;
	uint64_t entry;

	if (fd < 0)
		fd = (int)must(open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC));
	if (pread(fd, &entry, sizeof(entry), (off_t)((uintptr_t)at / PAGE * sizeof(entry))) !=
	    sizeof(entry))
		die("/proc/self/pagemap");
	return entry;
}

uint64_t pfn_of(const void *at)
{
	uint64_t entry = pagemap_of(at);

	return entry >> 63 ? entry & ((1ULL << 55) - 1) : 0;
}
