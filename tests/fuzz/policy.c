// SPDX-License-Identifier: GPL-2.0
/* policy.conf: what was read can be written, and reads the same again. */
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"
#include "policy.h"

/* A file system without a disk: each policy_save() syncs. */
static char dir[32], path[PATH_MAX];

static void clean(void)
{
	unlink(path);
	rmdir(dir);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	snprintf(dir, sizeof(dir), "/dev/shm/migd-fuzz.XXXXXX");
	insist(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/policy.conf", dir);
	return atexit(clean);
}

static int load(struct policy *p)
{
	char err[512] = "";
	int r;

	memset(p, 0, sizeof(*p));
	policy_default(p);
	r = policy_load(p, dir, err, sizeof(err));
	insist(r < 0 ? *err : !*err);
	return r;
}

static void check_same(const struct policy *a, const struct policy *b)
{
	insist(!strcmp(a->default_engine, b->default_engine));
	insist(a->deadline_usec == b->deadline_usec);
	insist(a->batch_pages == b->batch_pages && a->max_rate == b->max_rate &&
	       a->total_rate == b->total_rate && a->nice == b->nice &&
	       a->jobs_per_user == b->jobs_per_user && a->pressure_usec == b->pressure_usec);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct policy p, again, defaults;
	int fd;

	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	insist(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	close(fd);
	policy_default(&defaults);
	if (load(&p) < 0) {
		check_same(&p, &defaults);
		return 0;
	}
	insist(!policy_save(&p, dir));
	insist(!load(&again));
	check_same(&p, &again);
	return 0;
}
