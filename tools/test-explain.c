// SPDX-License-Identifier: GPL-2.0
/* Tests of mappings.c, page_class.c, pages.c and explain.c on files like those of /proc. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <linux/kernel-page-flags.h>

#include "explain.h"
#include "procfs.h"
#include "target.h"
#include "test-tree.h"
#include "text.h"

#define CHECK(x)	tree_check(x, #x, __LINE__, "")

#define BIT(n)		(1ULL << (n))
#define TAGGED		BIT(41)
#define ANON		(BIT(KPF_ANON) | BIT(KPF_SWAPBACKED))
#define HUGE		(BIT(KPF_THP) | BIT(KPF_COMPOUND_TAIL))
#define PAGES		64

static __u64 page_size;
/* The process's only addresses: page i is at i * page_size, and is page frame i. */
static __u64 entry[PAGES], flags[PAGES];
static int nodes[PAGES];
static __u64 leaf_from, leaf_to;

static const struct mapping anon, shared = { .name = "/SYSV00000000 (deleted)" },
	driver = { .name = "/dev/dri/card0", .inode = 8 },
	special = { .name = "[vdso]", .flags = MAPPING_SPECIAL },
	hugetlb = { .flags = MAPPING_HUGETLB };

static const struct plan plain = { .from = 0, .to = 1 };
static const struct plan state_first = { .from = 0, .to = 1, .state_first = true };
static const struct plan leave_large = { .from = 0, .to = 1, .leave_large = true };
static const struct plan anywhere = { .from = -1, .to = -1 };
static const struct plan from_all = { .from = -1, .to = 2 };

static void test_classes(void)
{
	static const struct {
		const struct mapping *m;
		const struct plan *plan;
		__u64 flags;
		bool leaf, daemons;
		enum page_class class;
		enum page_way way;
	} table[] = {
		{ &anon, &plain, ANON, .class = PAGE_SMALL, .way = WAY_ENGINE },
		{ &anon, &anywhere, ANON, .class = PAGE_SMALL, .way = WAY_ENGINE },
		{ &anon, &from_all, ANON, .class = PAGE_SMALL, .way = WAY_ENGINE },
		{ &anon, &state_first, ANON, .class = PAGE_SMALL, .way = WAY_ENGINE },
		{ &anon, &plain, ANON | BIT(KPF_SWAPCACHE), .class = PAGE_SWAP_CACHE,
		  .way = WAY_ENGINE },
		{ &anon, &state_first, ANON | BIT(KPF_SWAPCACHE), .class = PAGE_SWAP_CACHE,
		  .way = WAY_LEFT },
		{ &shared, &plain, BIT(KPF_SWAPBACKED), .class = PAGE_SHMEM, .way = WAY_ENGINE },
		{ &shared, &state_first, BIT(KPF_SWAPBACKED), .class = PAGE_SHMEM,
		  .way = WAY_LEFT },
		{ &shared, &plain, BIT(KPF_SWAPBACKED), .daemons = true, .class = PAGE_SHMEM,
		  .way = WAY_LEFT },
		{ &driver, &plain, BIT(KPF_SWAPBACKED), .class = PAGE_SHMEM, .way = WAY_LEFT },
		{ &shared, &plain, 0, .class = PAGE_FILE, .way = WAY_LEFT },
		/* A private mapping's own page. */
		{ &shared, &state_first, ANON, .class = PAGE_SMALL, .way = WAY_ENGINE },
		{ &anon, &plain, ANON | HUGE, .leaf = true, .class = PAGE_HUGE,
		  .way = WAY_MOVE_PAGES },
		{ &shared, &plain, BIT(KPF_SWAPBACKED) | HUGE, .leaf = true, .class = PAGE_HUGE,
		  .way = WAY_MOVE_PAGES },
		{ &shared, &plain, HUGE, .leaf = true, .class = PAGE_FILE, .way = WAY_LEFT },
		{ &anon, &leave_large, ANON | HUGE, .leaf = true, .class = PAGE_HUGE,
		  .way = WAY_LEFT },
		{ &anon, &plain, ANON | HUGE, .class = PAGE_LARGE, .way = WAY_MOVE_PAGES },
		{ &anon, &plain, ANON | HUGE | TAGGED, .class = PAGE_LARGE,
		  .way = WAY_MOVE_PAGES },
		{ &anon, &leave_large, ANON | HUGE, .class = PAGE_LARGE, .way = WAY_LEFT },
		{ &hugetlb, &plain, BIT(KPF_HUGE), .leaf = true, .class = PAGE_HUGETLB,
		  .way = WAY_MOVE_PAGES },
		{ &hugetlb, &plain, BIT(KPF_HUGE), .class = PAGE_HUGETLB,
		  .way = WAY_MOVE_PAGES },
		{ &anon, &plain, ANON | TAGGED, .class = PAGE_TAGGED, .way = WAY_MOVE_PAGES },
		{ &anon, &leave_large, ANON | TAGGED, .class = PAGE_TAGGED, .way = WAY_LEFT },
		{ &anon, &plain, ANON | BIT(KPF_KSM), .class = PAGE_KSM, .way = WAY_LEFT },
		{ &anon, &plain, ANON | BIT(KPF_HWPOISON), .class = PAGE_POISONED,
		  .way = WAY_LEFT },
		{ &special, &plain, BIT(32), .class = PAGE_SPECIAL, .way = WAY_LEFT },
		{ &special, &plain, BIT(32), .leaf = true, .class = PAGE_SPECIAL,
		  .way = WAY_NOWHERE },
		{ &special, &plain, 0, .leaf = true, .class = PAGE_SPECIAL, .way = WAY_LEFT },
		{ &anon, &plain, BIT(KPF_ZERO_PAGE), .class = PAGE_ZERO, .way = WAY_NOWHERE },
		{ &anon, &plain, BIT(KPF_ZERO_PAGE) | HUGE, .leaf = true, .class = PAGE_ZERO,
		  .way = WAY_NOWHERE },
	};
	enum page_class class;
	enum page_way way;

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct page page = {
			.entry = PAGEMAP_PRESENT | 1, .flags = table[i].flags,
			.leaf = table[i].leaf,
		};
		char what[64];

		snprintf(what, sizeof(what), "row %zu of the classes", i);
		class = page_classify(table[i].m, &page, table[i].plan, table[i].daemons, &way);
		tree_check(class == table[i].class && way == table[i].way, what, __LINE__,
			   page_way_name(way));
		if (way == WAY_NOWHERE)
			continue;
		page.node = 3;
		page_classify(table[i].m, &page, &plain, false, &way);
		CHECK(way == WAY_ELSEWHERE);
		page.node = 1;
		page_classify(table[i].m, &page, &plain, false, &way);
		CHECK(way == WAY_ELSEWHERE);
		page.node = -1;
		CHECK(page_classify(table[i].m, &page, &plain, false, &way) == PAGE_SPECIAL);
		CHECK(way == WAY_NOWHERE);
	}
}

/* As the kernel answers: pieces of one kind that have pages. */
static int find_ranges(const struct page_source *s, __u64 *at, __u64 end,
		       struct page_range *range, size_t max)
{
	size_t n = 0;
	bool leaf;
	__u64 i;

	for (i = *at / page_size; i < end / page_size && i < PAGES; i++) {
		if (!(entry[i] & (PAGEMAP_PRESENT | PAGEMAP_SWAPPED)))
			continue;
		leaf = i >= leaf_from && i < leaf_to;
		if (n && range[n - 1].end == i * page_size && range[n - 1].leaf == leaf) {
			range[n - 1].end += page_size;
			continue;
		}
		if (n == max)
			break;
		range[n] = (struct page_range) { .start = i * page_size, .leaf = leaf };
		range[n].end = range[n].start + page_size;
		n++;
	}
	*at = i < PAGES && i < end / page_size ? i * page_size : end;
	return n;
}

static int find_nodes(const struct page_source *s, size_t nr, void **addr, int *node)
{
	for (size_t i = 0; i < nr; i++)
		node[i] = nodes[(unsigned long)addr[i] / page_size];
	return 0;
}

static void put_page(unsigned int i, __u64 page_flags, int node)
{
	entry[i] = PAGEMAP_PRESENT | i;
	flags[i] = page_flags;
	nodes[i] = node;
}

/* Each page of the process, and three mappings; one of a device. */
static void process(void)
{
	char smaps[1024];
	unsigned int i;

	for (i = 1; i < 5; i++)
		put_page(i, ANON, 0);
	put_page(5, ANON, 1);
	put_page(6, BIT(KPF_ZERO_PAGE), -EFAULT);
	entry[7] = PAGEMAP_SWAPPED;
	nodes[7] = -ENOENT;
	/* The table above the PTEs has the first four, PTEs the others. */
	for (i = 8; i < 16; i++)
		put_page(i, ANON | HUGE, 0);
	leaf_from = 8;
	leaf_to = 12;
	for (i = 20; i < 23; i++)
		put_page(i, BIT(KPF_SWAPBACKED), 0);
	put_page(30, ANON, 0);
	/* Two of them merged; one of those and another page are nobody else's. */
	for (i = 40; i < 45; i++)
		put_page(i, ANON | BIT(KPF_KSM), 0);
	for (i = 41; i < 45; i++)
		entry[i] |= PAGEMAP_ALONE;
	put_bytes("/proc/42/pagemap", entry, sizeof(entry));
	put_bytes("/proc/kpageflags", flags, sizeof(flags));
	snprintf(smaps, sizeof(smaps),
		 "%llx-%llx rw-p 00000000 00:00 0\n"
		 "Size:                 64 kB\nAnonHugePages:         0 kB\n"
		 "VmFlags: rd wr mr mw me lo um sd\n"
		 "%llx-%llx rw-s 00000000 00:01 77                    /memfd:a b (deleted)\n"
		 "Rss: 12 kB\nVmFlags: rd wr sh mr mw me ms\n"
		 "%llx-%llx rw-s f0000000 00:06 9   /dev/mem\n"
		 "VmFlags: rd wr sh io pf de dd\n"
		 "%llx-%llx rw-p 00000000 00:00 0\nKSM: %llu kB\nVmFlags: rd wr mg\n"
		 "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0 [vsyscall]\n"
		 "VmFlags: ex\n",
		 page_size, 17 * page_size, 20 * page_size, 24 * page_size, 30 * page_size,
		 31 * page_size, 40 * page_size, 45 * page_size, 2 * page_size / 1024);
	put("/proc/42/smaps", smaps);
	snprintf(smaps, sizeof(smaps), "%llx-%llx r--s 00000000 00:01 77 /memfd:a b (deleted)\n",
		 page_size, 2 * page_size);
	put("/proc/1/maps", smaps);
}

static int look(struct explained *e, const struct explain *x)
{
	FILE *smaps = procfs_open(tree_root, "/proc/42/smaps");
	struct page_source s;
	int r;

	*e = (struct explained) { .pid = 42 };
	r = pages_open(&s, tree_root, 42);
	CHECK(smaps && !r);
	s.ranges = find_ranges;
	s.nodes = find_nodes;
	r = explain_pages(e, x, smaps, &s);
	pages_close(&s);
	fclose(smaps);
	return r;
}

static void test_process(void)
{
	struct explain x = { .plan = plain };
	struct explained e;
	char words[64];

	CHECK(!look(&e, &x) && e.list.nr == 4);
	CHECK(e.list.m[0].flags == (MAPPING_LOCKED | MAPPING_UFFD) && !e.list.m[0].name[0]);
	CHECK(!strcmp(e.list.m[1].name, "/memfd:a b (deleted)") && e.list.m[1].inode == 77);
	CHECK(e.list.m[2].flags & MAPPING_DEVICE);
	mapping_words(&e.list.m[0], words, sizeof(words));
	CHECK(!strcmp(words, "locked,userfaultfd"));
	CHECK(e.counts[0].pages[PAGE_SMALL][WAY_ENGINE] == 4);
	CHECK(e.counts[0].pages[PAGE_SMALL][WAY_ELSEWHERE] == 1);
	CHECK(e.counts[0].pages[PAGE_ZERO][WAY_NOWHERE] == 1);
	CHECK(e.counts[0].pages[PAGE_SWAPPED][WAY_NOWHERE] == 1);
	CHECK(e.counts[0].pages[PAGE_HUGE][WAY_MOVE_PAGES] == 4);
	CHECK(e.counts[0].pages[PAGE_LARGE][WAY_MOVE_PAGES] == 4);
	CHECK(e.counts[1].pages[PAGE_SHMEM][WAY_ENGINE] == 3);
	CHECK(e.counts[3].pages[PAGE_KSM][WAY_LEFT] == 2);
	CHECK(e.counts[3].pages[PAGE_SMALL][WAY_ENGINE] == 3);
	CHECK(page_counts_sum(&e.sum, WAY_ENGINE) == 10);
	CHECK(page_counts_sum(&e.sum, WAY_MOVE_PAGES) == 8);
	CHECK(page_counts_sum(&e.sum, WAY_LEFT) == 2);
	explained_free(&e);
}

static void test_ranges(void)
{
	struct range ranges[] = {
		{ 2 * page_size, 4 * page_size }, { 10 * page_size, 21 * page_size },
	};
	struct explain x = { .plan = plain, .ranges = ranges, .nr_ranges = 2 };
	struct explained e;

	CHECK(!look(&e, &x) && e.list.nr == 2);
	CHECK(e.sum.pages[PAGE_SMALL][WAY_ENGINE] == 2);
	CHECK(e.sum.pages[PAGE_HUGE][WAY_MOVE_PAGES] == 2);
	CHECK(e.sum.pages[PAGE_LARGE][WAY_MOVE_PAGES] == 4);
	CHECK(e.sum.pages[PAGE_SHMEM][WAY_ENGINE] == 1);
	explained_free(&e);
}

static void test_daemon(void)
{
	FILE *maps = procfs_open(tree_root, "/proc/1/maps");
	struct explain x = { .plan = plain };
	struct explained e;

	CHECK(maps && !mappings_read(maps, &x.daemon) && x.daemon.nr == 1);
	fclose(maps);
	CHECK(!look(&e, &x) && e.sum.pages[PAGE_SHMEM][WAY_LEFT] == 3);
	CHECK(page_counts_sum(&e.sum, WAY_LEFT) == 5);
	explained_free(&e);
	mappings_free(&x.daemon);
}

/* The kernel says 0 for all page frames to those who may not know them. */
static void test_denied(void)
{
	struct explain x = { .plan = plain };
	struct explained e;

	entry[1] = PAGEMAP_PRESENT;
	flags[0] = ANON;
	put_bytes("/proc/42/pagemap", entry, sizeof(entry));
	put_bytes("/proc/kpageflags", flags, sizeof(flags));
	CHECK(!look(&e, &x) && e.counts[0].pages[PAGE_SMALL][WAY_ENGINE] == 4);
	explained_free(&e);
	entry[20] = PAGEMAP_PRESENT;
	put_bytes("/proc/42/pagemap", entry, sizeof(entry));
	CHECK(look(&e, &x) == -EPERM);
	explained_free(&e);
}

int main(void)
{
	page_size = sysconf(_SC_PAGESIZE);
	tree_new();
	test_classes();
	process();
	test_process();
	test_ranges();
	test_daemon();
	test_denied();
	return tree_end();
}
