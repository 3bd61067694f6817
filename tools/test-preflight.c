// SPDX-License-Identifier: GPL-2.0
/* Tests of preflight.c and numa_maps.c, on trees of files that look like /proc and /sys. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "numa_maps.h"
#include "preflight.h"
#include "procfs.h"
#include "test-tree.h"
#include "text.h"

static char said[4096];
static unsigned int sentences;

#define CHECK(x)	tree_check(x, #x, __LINE__, said)

static void take(const char *sentence)
{
	sentences++;
	snprintf(said + strlen(said), sizeof(said) - strlen(said), "%s\n", sentence);
}

static int look(int from, int to, bool verbose)
{
	struct preflight p = {
		.root = tree_root, .pid = 42, .from = from, .to = to, .verbose = verbose,
		.on_warn = take, .on_err = take,
	};

	said[0] = '\0';
	sentences = 0;
	return preflight_run(&p);
}

static void machine(void)
{
	put("/sys/devices/system/node/has_memory", "0-2\n");
	put("/sys/devices/system/node/node0/cpulist", "0-1\n");
	put("/sys/devices/system/node/node1/cpulist", "2-3\n");
	put("/sys/devices/system/node/node2/cpulist", "\n");
	put("/proc/sys/kernel/numa_balancing", "0\n");
	put("/proc/42/status", "Name:\tx\nCpus_allowed_list:\t0-3\nMems_allowed_list:\t0-1\n");
	put("/proc/42/task/42/status", "Name:\tx\nCpus_allowed_list:\t0-3\n");
	put("/proc/42/task/43/status", "Name:\tx\nCpus_allowed_list:\t2-3\n");
	put("/proc/42/cgroup", "0::/system.slice/redis.service\n");
	put("/proc/42/numa_maps", "7f0000000000 default anon=1 N0=1 kernelpagesize_kB=4\n");
}

static void test_cpuset(void)
{
	CHECK(look(0, 1, false) == 0 && !sentences);
	CHECK(look(0, 2, false) == -EXDEV && sentences == 1);
	CHECK(strstr(said, "/sys/fs/cgroup/system.slice/redis.service/cpuset.mems"));
	CHECK(strstr(said, "node 0-1, not of node 2"));
	/* A node that is not there is the service's to refuse. */
	CHECK(look(0, 9, false) == 0 && !sentences);
}

static void test_balancing(void)
{
	static const char *const modes[] = { "1\n", "2\n" };

	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		put("/proc/sys/kernel/numa_balancing", modes[i]);
		CHECK(look(0, 1, false) == 0 && sentences == 1);
		CHECK(strstr(said, "1 threads of process 42"));
		CHECK(strstr(said, "sysctl kernel.numa_balancing=0"));
		CHECK(strstr(said, "taskset -apc 2-3 42"));
		CHECK(look(1, 0, false) == 0 && strstr(said, "2 threads of process 42"));
		CHECK(look(-1, 0, false) == 0 && strstr(said, "CPUs 2-3"));
		/* No CPU of the source is allowed to any thread. */
		put("/proc/42/task/42/status", "Cpus_allowed_list:\t2\n");
		CHECK(look(0, 1, false) == 0 && !sentences);
		put("/proc/42/task/42/status", "Cpus_allowed_list:\t0-3\n");
	}
	put("/proc/sys/kernel/numa_balancing", "0\n");
}

static void test_policies(void)
{
	put("/proc/42/numa_maps",
	    "10000 bind:0 anon=3 dirty=3 N0=3 kernelpagesize_kB=4\n"
	    "20000 bind:0 anon=4 dirty=4 N0=3 N1=1 kernelpagesize_kB=4\n"
	    "30000 bind:0 anon=9 N1=9\n"
	    "40000 interleave:0-1 anon=2 N0=1 N1=1\n"
	    "50000 prefer (many):0 anon=1 N0=1\n"
	    "60000 prefer=static:0 file=/x/bind:9 N0=7\n"
	    "70000 weighted interleave:0,2 N0=5\n"
	    "80000 local N0=5\n"
	    "90000 default N0=5\n");
	CHECK(look(0, 1, false) == 0 && sentences == 4);
	CHECK(strstr(said, "2 mappings of process 42 (the first at 10000, 6 pages in all)"));
	CHECK(strstr(said, "policy bind:0, which does not name node 1"));
	CHECK(strstr(said, "policy prefer (many):0,"));
	CHECK(strstr(said, "policy prefer=static:0,"));
	CHECK(strstr(said, "policy weighted interleave:0,2,"));
	CHECK(look(1, 0, false) == 0 && !sentences);
}

static void test_demotion(void)
{
	put("/proc/42/numa_maps", "10000 default anon=1 N0=1 kernelpagesize_kB=4\n");
	put("/sys/devices/virtual/memory_tiering/memory_tier4/nodelist", "0-1\n");
	put("/sys/devices/virtual/memory_tiering/memory_tier22/nodelist", "2\n");
	put("/sys/kernel/mm/numa/demotion_enabled", "false\n");
	CHECK(look(2, 0, false) == 0 && !sentences);
	put("/sys/kernel/mm/numa/demotion_enabled", "true\n");
	CHECK(look(2, 0, false) == 0 && sentences == 1);
	CHECK(strstr(said, "a slower tier (node 2) than that of node 0"));
	CHECK(strstr(said, "`echo false >/sys/kernel/mm/numa/demotion_enabled`"));
	CHECK(look(-1, 1, false) == 0 && sentences == 1);
	/* Within a tier, and down: what is down there stays. */
	CHECK(look(0, 1, false) == 0 && !sentences);
	put("/proc/42/status", "Mems_allowed_list:\t0-2\n");
	CHECK(look(0, 2, false) == 0 && !sentences);
	put("/sys/kernel/mm/numa/demotion_enabled", "false\n");
}

static void count(int from, int to, struct numa_pages *pages)
{
	FILE *file = procfs_open(tree_root, "/proc/42/numa_maps");

	CHECK(file && !numa_maps_pages(file, from, to, pages));
	if (file)
		fclose(file);
}

static void test_pages(void)
{
	struct numa_pages pages;

	put("/proc/42/numa_maps",
	    "10000 default heap anon=3 dirty=3 N0=2 N1=1 kernelpagesize_kB=4\n"
	    "20000 bind:0 anon=4 N0=4 kernelpagesize_kB=4\n"
	    "30000 default file=/usr/lib/libc.so.6 anon=2 mapped=9 N0=9 kernelpagesize_kB=4\n"
	    "40000 default file=/memfd:x\\040(deleted) dirty=7 N0=7 kernelpagesize_kB=4\n"
	    "50000 default file=/dev/zero\\040(deleted) N0=5 kernelpagesize_kB=4\n"
	    "60000 default file=/anon_hugepage\\040(deleted) huge anon=1 N0=1 kernelpagesize_kB=2048\n"
	    "70000 default\n"
	    "junk\n");
	count(0, 1, &pages);
	CHECK(pages.own == 6 && pages.files == 9 && pages.shared == 12);
	CHECK(pages.huge == 2048 * 1024 / (unsigned long)sysconf(_SC_PAGESIZE));
	count(1, 0, &pages);
	CHECK(pages.own == 1 && !pages.files && !pages.shared && !pages.huge);
	count(-1, 0, &pages);
	CHECK(pages.own == 1);
}

static void test_unreadable(void)
{
	put_away("/proc/42/numa_maps");
	CHECK(look(0, 1, false) == 0 && !sentences);
	CHECK(look(0, 1, true) == 0 && sentences == 1 && strstr(said, "as root"));
}

int main(void)
{
	tree_new();
	machine();
	test_cpuset();
	test_balancing();
	test_policies();
	test_demotion();
	test_pages();
	test_unreadable();
	return tree_end();
}
