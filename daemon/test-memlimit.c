// SPDX-License-Identifier: GPL-2.0
/* The smallest limit on the way up counts, and a batch is a small part of it. */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "memlimit.h"

static char root[32];

static const char *const dirs[] = {
	"", "/proc", "/proc/42", "/sys", "/sys/fs", "/sys/fs/cgroup", "/sys/fs/cgroup/a.slice",
	"/sys/fs/cgroup/a.slice/b.service",
};

static const char *const files[] = {
	"/proc/42/cgroup", "/sys/fs/cgroup/a.slice/memory.max",
	"/sys/fs/cgroup/a.slice/b.service/memory.max",
};

static void put(int file, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s%s", root, files[file]);
	f = fopen(path, "w");
	check(f);
	fputs(text, f);
	fclose(f);
}

int main(void)
{
	long page = sysconf(_SC_PAGESIZE);
	char path[256];

	strcpy(root, "/tmp/test-memlimit.XXXXXX");
	check(mkdtemp(root));
	for (size_t i = 1; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", root, dirs[i]);
		check(!mkdir(path, 0700));
	}
	check(memlimit_of(root, 42) == UINT64_MAX);
	put(0, "1:name=systemd:/x\n0::/a.slice/b.service\n");
	check(memlimit_of(root, 42) == UINT64_MAX);
	put(1, "max\n");
	put(2, "max\n");
	check(memlimit_of(root, 42) == UINT64_MAX);
	put(2, "2097152\n");
	check(memlimit_of(root, 42) == 2097152);
	put(1, "1048576\n");
	check(memlimit_of(root, 42) == 1048576);
	put(2, "max\n");
	check(memlimit_of(root, 42) == 1048576);
	check(memlimit_of(root, 43) == UINT64_MAX);
	put(0, "0::/\n");
	check(memlimit_of(root, 42) == UINT64_MAX);

	check(memlimit_batch(UINT64_MAX, 512) == 512);
	check(memlimit_batch(512 * 16 * page, 512) == 512);
	check(memlimit_batch(511 * 16 * page, 512) == 511);
	check(memlimit_batch(0, 512) == 1 && memlimit_batch(15 * page, 512) == 1);

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", root, files[i]);
		check(!unlink(path));
	}
	for (size_t i = sizeof(dirs) / sizeof(dirs[0]); i--;) {
		snprintf(path, sizeof(path), "%s%s", root, dirs[i]);
		check(!rmdir(path));
	}
	return 0;
}
