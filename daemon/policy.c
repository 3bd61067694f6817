// SPDX-License-Identifier: GPL-2.0
/* The policy and its file. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "policy.h"

static const struct ini_key policy_keys[] = {
	POLICY_KEYS(0),
	{ .name = NULL }
};

void policy_default(struct policy *p)
{
	*p = (struct policy) {
		.default_engine = "auto",
		.deadline_usec = 500000,
		.batch_pages = 512,
		.max_rate = 0,
		.jobs_per_user = 8,
		.pressure_usec = 200000,
	};
}

int policy_check_engine(const char *name)
{
	size_t len = strlen(name);

	if (!len || len > 31)
		return -EINVAL;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)name[i]) && !strchr("-_.:", name[i]))
			return -EINVAL;
	return 0;
}

int policy_load(struct policy *p, const char *dir, char *err, size_t len)
{
	struct policy loaded = *p;
	char path[PATH_MAX];
	int r;

	snprintf(path, sizeof(path), "%s/policy.conf", dir);
	r = ini_load(path, policy_keys, &loaded, err, len);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	*p = loaded;
	return 0;
}

static int write_policy(int fd, const struct policy *p)
{
	char text[1024];
	ssize_t n;
	int len;

	len = snprintf(text, sizeof(text),
		       "# Written by migd when the policy is set over D-Bus.\n"
		       "[Policy]\n"
		       "DefaultEngine=%s\n"
		       "DeadlineUSec=%llu\n"
		       "BatchPages=%u\n"
		       "MaxRate=%llu\n"
		       "TotalRate=%llu\n"
		       "Nice=%u\n"
		       "JobsPerUser=%u\n"
		       "PressureUSec=%llu\n",
		       p->default_engine, (unsigned long long)p->deadline_usec,
		       p->batch_pages, (unsigned long long)p->max_rate,
		       (unsigned long long)p->total_rate, p->nice, p->jobs_per_user,
		       (unsigned long long)p->pressure_usec);
	n = write(fd, text, len);
	if (n < 0)
		return -errno;
	if (n != len)
		return -ENOSPC;
	return fsync(fd) < 0 ? -errno : 0;
}

int policy_save(const struct policy *p, const char *dir)
{
	int dirfd, fd, r;

	dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0)
		return -errno;
	fd = openat(dirfd, "policy.conf.new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0) {
		r = -errno;
		goto out_dir;
	}
	r = write_policy(fd, p);
	if (close(fd) < 0 && !r)
		r = -errno;
	if (!r && renameat(dirfd, "policy.conf.new", dirfd, "policy.conf") < 0)
		r = -errno;
	if (r < 0)
		unlinkat(dirfd, "policy.conf.new", 0);
	else if (fsync(dirfd) < 0)
		r = -errno;
out_dir:
	close(dirfd);
	return r;
}
