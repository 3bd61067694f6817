// SPDX-License-Identifier: GPL-2.0
/* Cgroups: paths that people write, and the processes of a made-up tree. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroup.h"
#include "check.h"

static char root[64];
static char seen[1024];

static void test_paths(void)
{
	static const struct {
		const char *text, *path;
	} good[] = {
		{ "/", "/" },
		{ "/sys/fs/cgroup", "/" },
		{ "/sys/fs/cgroup/", "/" },
		{ "/sys/fs/cgroup/a.slice/b.service", "/a.slice/b.service" },
		{ "/a.slice//b.service/", "/a.slice/b.service" },
		{ "/a..b/...", "/a..b/..." },
		/* a cgroup of that name, below the root */
		{ "/sys/fs/cgroups", "/sys/fs/cgroups" },
	};
	static const char * const bad[] = {
		"", "a.slice", "..", "/..", "/a/../b", "/a/..", "/sys/fs/cgroup/..",
		"/sys/fs/cgroup/../../kernel", "/.", "/a/./b", "./a",
	};
	char path[CGROUP_PATH_LEN], longest[CGROUP_PATH_LEN + 8];

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		check(!cgroup_path(good[i].text, path) && !strcmp(path, good[i].path));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		check(cgroup_path(bad[i], path) == -EINVAL);
	memset(longest, 'a', sizeof(longest));
	longest[0] = '/';
	longest[CGROUP_PATH_LEN] = '\0';
	check(cgroup_path(longest, path) == -ENAMETOOLONG);
	longest[CGROUP_PATH_LEN - 1] = '\0';
	check(!cgroup_path(longest, path) && !strcmp(path, longest));
}

static void put(const char *dir, const char *procs)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s%s", root, dir);
	check(!mkdir(path, 0755));
	if (!procs)
		return;
	snprintf(path, sizeof(path), "%s%s/cgroup.procs", root, dir);
	file = fopen(path, "we");
	check(file && fputs(procs, file) >= 0 && !fclose(file));
}

static int take(pid_t pid, const char *in, void *arg)
{
	size_t used = strlen(seen);

	snprintf(seen + used, sizeof(seen) - used, "%d %s\n", pid, in);
	return pid == *(pid_t *)arg ? -ECANCELED : 0;
}

static int walk(const char *path, pid_t last)
{
	seen[0] = '\0';
	return cgroup_walk(root, path, 0, take, &last);
}

static int walk_few(unsigned int most)
{
	pid_t last = 0;

	seen[0] = '\0';
	return cgroup_walk(root, "/a.slice", most, take, &last);
}

static void test_walk(void)
{
	char path[256], link[256];

	put("/a.slice", "");
	put("/a.slice/b.service", "11\n12\n0\nx\n\n");
	put("/a.slice/b.service/inner", "13\n");
	put("/other", "99\n");
	/* one that goes while it is being read has no file any more */
	put("/a.slice/gone", NULL);
	snprintf(path, sizeof(path), "%s/other", root);
	snprintf(link, sizeof(link), "%s/a.slice/link", root);
	check(!symlink(path, link));
	snprintf(link, sizeof(link), "%s/a.slice/.hidden", root);
	check(!symlink(path, link));

	check(!walk("/a.slice", 0));
	check(!strcmp(seen, "11 /a.slice/b.service\n12 /a.slice/b.service\n"
			    "13 /a.slice/b.service/inner\n"));
	check(!walk("/a.slice/b.service/inner", 0) &&
	      !strcmp(seen, "13 /a.slice/b.service/inner\n"));
	check(walk("/a.slice", 12) == -ECANCELED && !strstr(seen, "13 "));
	check(!walk_few(4) && strstr(seen, "13 ") && walk_few(3) == -E2BIG);
	check(walk_few(1) == -E2BIG && !seen[0]);
	check(walk("/nowhere", 0) == -ENOENT && !seen[0]);
	check(walk("/a.slice/b.service/cgroup.procs", 0) == -ENOENT);
	check(walk("/a.slice/gone", 0) == -ENOENT);
	check(cgroup_mounted(root) == -EMEDIUMTYPE && cgroup_mounted("/nowhere") == -ENOENT);
}

int main(void)
{
	char command[128];

	snprintf(root, sizeof(root), "/tmp/migd-cgroup-XXXXXX");
	check(mkdtemp(root));
	test_paths();
	test_walk();
	snprintf(command, sizeof(command), "rm -r %s", root);
	check(!system(command));
	return 0;
}
