// SPDX-License-Identifier: GPL-2.0
/* The processes of a cgroup. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "cgroup.h"

int cgroup_path(const char *text, char ret[static CGROUP_PATH_LEN])
{
	size_t root = strlen(CGROUP_ROOT), used = 0, len;

	if (!strncmp(text, CGROUP_ROOT, root) && (!text[root] || text[root] == '/'))
		text += root;
	else if (*text != '/')
		return -EINVAL;
	while (*text) {
		text += strspn(text, "/");
		len = strcspn(text, "/");
		if (!len)
			break;
		if ((len == 1 && *text == '.') || (len == 2 && !strncmp(text, "..", 2)))
			return -EINVAL;
		if (used + 1 + len >= CGROUP_PATH_LEN)
			return -ENAMETOOLONG;
		ret[used++] = '/';
		memcpy(ret + used, text, len);
		used += len;
		text += len;
	}
	if (!used)
		ret[used++] = '/';
	ret[used] = '\0';
	return 0;
}

struct walk {
	char path[CGROUP_PATH_LEN];
	unsigned int nr, most;
	int (*take)(pid_t pid, const char *in, void *arg);
	void *arg;
};

static int take_processes(struct walk *w, int dirfd)
{
	char *line = NULL, *end;
	size_t alloc = 0;
	int fd, r = 0;
	FILE *file;
	long pid;

	fd = openat(dirfd, "cgroup.procs", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	file = fdopen(fd, "r");
	if (!file) {
		close(fd);
		return -ENOMEM;
	}
	while (r >= 0 && (errno = 0, getline(&line, &alloc, file)) > 0) {
		pid = strtol(line, &end, 10);
		/* 0 is a process of a pid namespace that is not ours. */
		if (end > line && *end == '\n' && pid > 0)
			r = w->take(pid, w->path, w->arg);
	}
	if (r >= 0 && ferror(file))
		r = -errno;
	free(line);
	fclose(file);
	return r < 0 ? r : 0;
}

/* Of a cgroup below: it may have gone, or its processes may be told of above. */
static bool is_passed_over(int err)
{
	return err == -ENOENT || err == -ENODEV || err == -EOPNOTSUPP;
}

static int walk_at(struct walk *w, int dirfd);

static int walk_child(struct walk *w, int dirfd, const char *name)
{
	size_t len = strlen(w->path);
	int fd, r;

	if (len + 1 + strlen(name) >= sizeof(w->path))
		return -ENAMETOOLONG;
	fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return is_passed_over(-errno) ? 0 : -errno;
	snprintf(w->path + len, sizeof(w->path) - len, "%s%s", len > 1 ? "/" : "", name);
	r = walk_at(w, fd);
	w->path[len] = '\0';
	return is_passed_over(r) ? 0 : r;
}

/* Takes @dirfd. */
static int walk_at(struct walk *w, int dirfd)
{
	struct dirent *entry;
	DIR *dir;
	int r;

	r = w->most && ++w->nr > w->most ? -E2BIG : take_processes(w, dirfd);
	dir = r < 0 ? NULL : fdopendir(dirfd);
	if (!dir) {
		close(dirfd);
		return r < 0 ? r : -ENOMEM;
	}
	while (r >= 0 && (entry = readdir(dir)))
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
			r = walk_child(w, dirfd, entry->d_name);
	closedir(dir);
	return r;
}

int cgroup_walk(const char *root, const char *path, unsigned int most,
		int (*take)(pid_t pid, const char *in, void *arg), void *arg)
{
	struct walk w = { .most = most, .take = take, .arg = arg };
	char full[2 * CGROUP_PATH_LEN];
	int fd;

	snprintf(w.path, sizeof(w.path), "%s", path);
	snprintf(full, sizeof(full), "%s%s", root, path);
	fd = open(full, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOTDIR ? -ENOENT : -errno;
	return walk_at(&w, fd);
}

void cgroup_of(const char *root, pid_t pid, char ret[static CGROUP_PATH_LEN])
{
	char path[PATH_MAX], line[CGROUP_PATH_LEN + 16];
	FILE *file;

	ret[0] = '\0';
	snprintf(path, sizeof(path), "%s/proc/%d/cgroup", root, pid);
	file = fopen(path, "re");
	if (!file)
		return;
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		if (!strncmp(line, "0::", 3))
			snprintf(ret, CGROUP_PATH_LEN, "%s", line + 3);
	}
	fclose(file);
}

int cgroup_mounted(const char *root)
{
	struct statfs fs;

	if (statfs(root, &fs) < 0)
		return -errno;
	return fs.f_type == CGROUP2_SUPER_MAGIC ? 0 : -EMEDIUMTYPE;
}
