// SPDX-License-Identifier: GPL-2.0
/* Tests of recount.c, on a tree of files that looks like /proc. */
#include <stdio.h>

#include "recount.h"
#include "test-tree.h"
#include "text.h"

#define CHECK(x)	tree_check(x, #x, __LINE__, "nothing")

static const __u32 pids[] = { 42, 43, 44 };

static void stat_of(const char *name, unsigned int start)
{
	char text[256];

	snprintf(text, sizeof(text), "42 (a) b) S 1 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 %u 9 9\n",
		 start);
	put(name, text);
}

/* 42 and 43 share a memfd at the same address; 44 never was. */
static void processes(void)
{
	stat_of("/proc/42/stat", 100);
	stat_of("/proc/43/stat", 200);
	put("/proc/42/numa_maps",
	    "10000 default heap anon=8 dirty=8 N0=1 N1=7 kernelpagesize_kB=4\n"
	    "20000 default file=/usr/lib/libc.so.6 anon=2 mapped=9 N1=9 kernelpagesize_kB=4\n"
	    "30000 default file=/memfd:x\\040(deleted) dirty=7 N1=7 kernelpagesize_kB=4\n"
	    "40000 default\n");
	put("/proc/43/numa_maps",
	    "10000 default anon=5 N1=5 kernelpagesize_kB=4\n"
	    "30000 default file=/memfd:x\\040(deleted) dirty=6 N1=6 kernelpagesize_kB=4\n");
}

static void begin(struct recount *r)
{
	__u32 pid;

	r->root = tree_root;
	CHECK(!recount_begin(r, pids, ARRAY_SIZE(pids), &pid));
	CHECK(r->nr_processes == 2);
}

static struct recount_result end(struct recount *r)
{
	struct recount_result result;
	__u32 pid;

	CHECK(!recount_end(r, &result, &pid));
	recount_done(r);
	return result;
}

static void test_nothing(void)
{
	struct recount r = { .from = 0, .to = 1 };
	struct recount_result result;

	processes();
	begin(&r);
	result = end(&r);
	CHECK(!result.back && !result.fresh && !result.gone && !result.nr_culprits);
}

static void test_back(void)
{
	struct recount r = { .from = 0, .to = 1 };
	struct recount_result result;

	processes();
	begin(&r);
	/* 3 back and 1 new; page cache that is nobody's; 2 shared, seen twice */
	put("/proc/42/numa_maps",
	    "10000 default heap anon=9 dirty=9 N0=5 N1=4 kernelpagesize_kB=4\n"
	    "20000 default file=/usr/lib/libc.so.6 anon=2 mapped=9 N0=9 kernelpagesize_kB=4\n"
	    "30000 default file=/memfd:x\\040(deleted) dirty=7 N0=2 N1=5 kernelpagesize_kB=4\n"
	    "50000 default anon=6 N0=6 kernelpagesize_kB=4\n");
	put("/proc/43/numa_maps",
	    "10000 default anon=2 N1=2 kernelpagesize_kB=4\n"
	    "30000 default file=/memfd:x\\040(deleted) dirty=7 N0=2 N1=5 kernelpagesize_kB=4\n");
	result = end(&r);
	CHECK(result.back == 3 + 2 && result.fresh == 1 + 6 && !result.gone);
	CHECK(result.nr_culprits == 1 && result.culprits[0] == 42);
}

static void test_ranges(void)
{
	static const struct range ranges[] = { { 0x48000, 0x49000 } };
	struct recount r = { .from = -1, .to = 1, .ranges = ranges, .nr_ranges = 1 };
	struct recount_result result;

	put("/proc/42/numa_maps", "10000 default anon=5 N1=5\n40000 default anon=5 N1=5\n"
	    "50000 default anon=5 N1=5\n");
	begin(&r);
	put("/proc/42/numa_maps", "10000 default anon=5 N0=5\n40000 default anon=5 N0=1 N2=1 N1=3\n"
	    "50000 default anon=5 N0=5\n");
	result = end(&r);
	CHECK(result.back == 2 && !result.fresh);
}

static void test_huge(void)
{
	struct recount r = { .from = 0, .to = 1 };

	put("/proc/42/numa_maps",
	    "10000 default file=/anon_hugepage\\040(deleted) huge anon=2 N1=2 kernelpagesize_kB=2048\n");
	begin(&r);
	put("/proc/42/numa_maps",
	    "10000 default file=/anon_hugepage\\040(deleted) huge anon=2 N0=1 N1=1 kernelpagesize_kB=2048\n");
	CHECK(end(&r).back >= 2048 / 64);
}

static void test_gone(void)
{
	struct recount r = { .from = 0, .to = 1 };

	processes();
	begin(&r);
	/* One has exited, the other's pid is another process's now. */
	put_away("/proc/43/numa_maps");
	stat_of("/proc/42/stat", 101);
	put("/proc/42/numa_maps", "10000 default anon=8 N0=8 kernelpagesize_kB=4\n");
	CHECK(end(&r).gone == 2);
	/* No memory is left. */
	processes();
	r = (struct recount) { .from = 0, .to = 1 };
	begin(&r);
	put("/proc/43/numa_maps", "");
	CHECK(end(&r).gone == 1);
}

int main(void)
{
	tree_new();
	test_nothing();
	test_back();
	test_ranges();
	test_huge();
	test_gone();
	return tree_end();
}
