// SPDX-License-Identifier: GPL-2.0
/* The pages of a process, by what the kernel tells of them; none is touched. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "pages.h"
#include "procfs.h"
#include "text.h"

/* Of linux/fs.h since 6.7, which is also the first kernel that migd runs on. */
struct scan_region {
	__u64 start, end, categories;
};

struct scan_arg {
	__u64 size, flags, start, end, walk_end, vec, vec_len, max_pages;
	__u64 inverted, mask, anyof, returned;
};

#define SCAN		_IOWR('f', 16, struct scan_arg)
#define SCAN_PRESENT	(1ULL << 3)
#define SCAN_SWAPPED	(1ULL << 4)
#define SCAN_HUGE	(1ULL << 6)

#define MAX_RANGES	64
/* Pages looked at at once. */
#define CHUNK		512

static int scan_ranges(const struct page_source *s, __u64 *at, __u64 end,
		       struct page_range *range, size_t max)
{
	struct scan_region regions[MAX_RANGES];
	struct scan_arg arg = {
		.size = sizeof(arg), .start = *at, .end = end, .vec = (unsigned long)regions,
		.vec_len = max < MAX_RANGES ? max : MAX_RANGES,
		.anyof = SCAN_PRESENT | SCAN_SWAPPED,
		.returned = SCAN_PRESENT | SCAN_SWAPPED | SCAN_HUGE,
	};
	int n;

	n = ioctl(s->pagemap, SCAN, &arg);
	if (n < 0)
		return -errno;
	for (int i = 0; i < n; i++)
		range[i] = (struct page_range) {
			.start = regions[i].start, .end = regions[i].end,
			.leaf = regions[i].categories & SCAN_HUGE,
		};
	*at = arg.walk_end;
	return n;
}

static int ask_nodes(const struct page_source *s, size_t nr, void **addr, int *node)
{
	return syscall(SYS_move_pages, s->pid, nr, addr, NULL, node, 0) < 0 ? -errno : 0;
}

int pages_open(struct page_source *s, const char *root, __u32 pid)
{
	char path[PROCFS_PATH];
	int r;

	*s = (struct page_source) {
		.pid = pid, .kpageflags = -1, .ranges = scan_ranges, .nodes = ask_nodes,
	};
	snprintf(path, sizeof(path), "%s/proc/%u/pagemap", root, pid);
	s->pagemap = open(path, O_RDONLY | O_CLOEXEC);
	if (s->pagemap < 0)
		return -errno;
	snprintf(path, sizeof(path), "%s/proc/kpageflags", root);
	s->kpageflags = open(path, O_RDONLY | O_CLOEXEC);
	if (s->kpageflags >= 0)
		return 0;
	r = -errno;
	pages_close(s);
	return r;
}

void pages_close(struct page_source *s)
{
	if (s->pagemap >= 0)
		close(s->pagemap);
	if (s->kpageflags >= 0)
		close(s->kpageflags);
	s->pagemap = -1;
	s->kpageflags = -1;
}

/* Both files are arrays of 64-bit words; what lies beyond their end is 0. */
static int read_words(int fd, __u64 first, __u64 *words, size_t nr)
{
	size_t done = 0, bytes = nr * sizeof(*words);
	ssize_t n;

	while (done < bytes) {
		n = pread(fd, (char *)words + done, bytes - done,
			  (off_t)(first * sizeof(*words) + done));
		if (n < 0)
			return -errno;
		if (!n)
			break;
		done += n;
	}
	for (size_t i = done / sizeof(*words); i < nr; i++)
		words[i] = 0;
	return 0;
}

/* Pages of one huge page, or of one allocation, lie one behind the other. */
static int read_flags(struct page_source *s, const __u64 *entry, __u64 *flags, size_t nr)
{
	size_t n;
	int r;

	for (size_t i = 0; i < nr; i += n) {
		__u64 pfn = entry[i] & PAGEMAP_PFN;

		n = 1;
		flags[i] = 0;
		if (!(entry[i] & PAGEMAP_PRESENT))
			continue;
		/*
		 * What it says of all pages to those who may not know. One may be there,
		 * where memory begins at address 0, as on arm64.
		 */
		if (!pfn && s->at_zero++)
			return -EPERM;
		while (i + n < nr && entry[i + n] & PAGEMAP_PRESENT &&
		       (entry[i + n] & PAGEMAP_PFN) == pfn + n)
			n++;
		r = read_words(s->kpageflags, pfn, flags + i, n);
		if (r < 0)
			return r;
	}
	return 0;
}

static int take_chunk(struct page_source *s, __u64 addr, size_t nr, bool leaf,
		      void (*take)(const struct page *page, void *userdata), void *userdata)
{
	__u64 entry[CHUNK], flags[CHUNK], page_size = sysconf(_SC_PAGESIZE);
	void *addrs[CHUNK];
	int node[CHUNK], r;

	r = read_words(s->pagemap, addr / page_size, entry, nr);
	if (!r)
		r = read_flags(s, entry, flags, nr);
	for (size_t i = 0; i < nr; i++) {
		addrs[i] = (void *)(unsigned long)(addr + i * page_size);
		node[i] = -ENOENT;
	}
	if (!r)
		r = s->nodes(s, nr, addrs, node);
	for (size_t i = 0; !r && i < nr; i++) {
		struct page page = {
			.entry = entry[i], .flags = flags[i], .leaf = leaf,
			.node = node[i] < 0 ? -1 : node[i],
		};

		if (entry[i] & (PAGEMAP_PRESENT | PAGEMAP_SWAPPED))
			take(&page, userdata);
	}
	return r;
}

int pages_each(struct page_source *s, __u64 start, __u64 end,
	       void (*take)(const struct page *page, void *userdata), void *userdata)
{
	__u64 page_size = sysconf(_SC_PAGESIZE), at = start;
	struct page_range range[MAX_RANGES];
	size_t nr;
	int n, r;

	while (at < end) {
		n = s->ranges(s, &at, end, range, ARRAY_SIZE(range));
		if (n < 0)
			return n;
		for (int i = 0; i < n; i++) {
			for (__u64 addr = range[i].start; addr < range[i].end;
			     addr += nr * page_size) {
				nr = (range[i].end - addr) / page_size;
				nr = nr < CHUNK ? nr : CHUNK;
				r = take_chunk(s, addr, nr, range[i].leaf, take, userdata);
				if (r < 0)
					return r;
			}
		}
	}
	return 0;
}
