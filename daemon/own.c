// SPDX-License-Identifier: GPL-2.0
/* Which processes are a user's own. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "own.h"

static const char *line_of(const char *status, const char *key)
{
	const char *at = strstr(status, key);

	return at ? at + strlen(key) : NULL;
}

static int parse_ids(const char *line, uint32_t *ids)
{
	int n;

	if (!line)
		return -EBADMSG;
	n = sscanf(line, "%" SCNu32 " %" SCNu32 " %" SCNu32 " %" SCNu32, &ids[0], &ids[1],
		   &ids[2], &ids[3]);
	return n == 4 ? 0 : -EBADMSG;
}

int own_parse(const char *status, struct own_ids *ret)
{
	/* The name comes first, and has no newline that is not escaped. */
	const char *cap = line_of(status, "\nCapPrm:\t");

	if (parse_ids(line_of(status, "\nUid:\t"), ret->uid) < 0 ||
	    parse_ids(line_of(status, "\nGid:\t"), ret->gid) < 0)
		return -EBADMSG;
	return cap && sscanf(cap, "%" SCNx64, &ret->capabilities) == 1 ? 0 : -EBADMSG;
}

static int read_ids(pid_t pid, struct own_ids *ret, uint32_t *ret_file_owner)
{
	char path[64], text[8192];
	struct stat st;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* One read is one look at the credentials. */
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return -ESRCH;
	text[n] = '\0';
	/* By name, which has the kernel look at the process again. */
	if (stat(path, &st) < 0)
		return -errno;
	*ret_file_owner = st.st_uid;
	return own_parse(text, ret);
}

static bool in_our_namespace(pid_t pid)
{
	struct stat own, other;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
	return !stat("/proc/self/ns/user", &own) && !stat(path, &other) &&
	       own.st_dev == other.st_dev && own.st_ino == other.st_ino;
}

static bool all_are(const uint32_t *ids, uint32_t id)
{
	/* That of the file system follows the effective one, and is not asked for. */
	return ids[0] == id && ids[1] == id && ids[2] == id;
}

int own_caller(pid_t pid, uint32_t user, uint32_t *ret_group)
{
	struct own_ids ids;
	uint32_t owner;

	if (!user || read_ids(pid, &ids, &owner) < 0 || !all_are(ids.uid, user) ||
	    !all_are(ids.gid, ids.gid[0]) || !in_our_namespace(pid))
		return -EPERM;
	*ret_group = ids.gid[0];
	return 0;
}

bool own_target(const struct target *t, uint32_t user, uint32_t group)
{
	struct fault f;
	struct own_ids ids;
	uint32_t owner;

	return user && read_ids(t->pid, &ids, &owner) >= 0 && owner == user &&
	       all_are(ids.uid, user) && all_are(ids.gid, group) && !ids.capabilities &&
	       in_our_namespace(t->pid) && !target_check_alive(t, &f);
}
