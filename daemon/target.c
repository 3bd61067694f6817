// SPDX-License-Identifier: GPL-2.0
/* The process that a job moves. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "target.h"
#include "text.h"

/* Of the kernel's task flags, the one that tells threads of its own. */
#define PF_KTHREAD	0x00200000

/* Fields of /proc/PID/stat, counted from the state, which is field 3. */
#define STAT_PPID	(4 - 3)
#define STAT_FLAGS	(9 - 3)
#define STAT_START	(22 - 3)

static int read_file(const char *path, char *buf, size_t size)
{
	ssize_t n, got = 0;
	int fd, r;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	while ((n = read(fd, buf + got, size - 1 - got)) > 0)
		got += n;
	r = n < 0 ? -errno : 0;
	buf[got] = '\0';
	close(fd);
	return r;
}

int target_parse_stat(const char *line, struct target *t)
{
	/* The name may hold spaces and parentheses; the last one closes it. */
	const char *open = strchr(line, '('), *close = strrchr(line, ')');

	if (!open || !close || close < open || close[1] != ' ')
		return -EBADMSG;
	snprintf(t->comm, sizeof(t->comm), "%.*s", (int)(close - open - 1), open + 1);
	text_clean(t->comm);
	line = close + 2;
	t->state = *line;
	for (int field = 0; field <= STAT_START; field++) {
		if (field == STAT_PPID)
			t->ppid = strtol(line, NULL, 10);
		if (field == STAT_FLAGS)
			t->flags = strtoul(line, NULL, 10);
		if (field == STAT_START) {
			if (!isdigit((unsigned char)*line))
				return -EBADMSG;
			t->start_time = strtoull(line, NULL, 10);
			return 0;
		}
		line = strchr(line, ' ');
		if (!line)
			return -EBADMSG;
		line++;
	}
	return -EBADMSG;
}

static int fault_gone(struct fault *f, uint32_t pid)
{
	return fault_set(f, FAULT_NO_SUCH_PROCESS,
			 "there is no process %u: see ps -e for those there are", pid);
}

static int open_pidfd(struct target *t, struct fault *f)
{
	t->pidfd = syscall(SYS_pidfd_open, t->pid, 0);
	if (t->pidfd >= 0)
		return 0;
	if (errno == ESRCH)
		return fault_gone(f, t->pid);
	if (errno == EINVAL)
		return fault_set(f, FAULT_NO_SUCH_PROCESS,
				 "%d is a thread, not a process: name the process it belongs to (Tgid in /proc/%d/status)",
				 t->pid, t->pid);
	return fault_set(f, FAULT_FAILED, "process %d cannot be held (%s): try again", t->pid,
			 strerror(errno));
}

static int look(struct target *t)
{
	char path[64], line[1024];

	snprintf(path, sizeof(path), "/proc/%d/stat", t->pid);
	if (read_file(path, line, sizeof(line)) < 0 || target_parse_stat(line, t) < 0)
		return -ESRCH;
	return 0;
}

int target_look(struct target *t, pid_t pid)
{
	*t = (struct target) { .pid = pid, .pidfd = -1 };
	return look(t);
}

bool target_has_exited(const struct target *t)
{
	return t->state == 'Z' || t->state == 'X';
}

bool target_is_kernel(const struct target *t)
{
	return t->flags & PF_KTHREAD;
}

static int read_stat(struct target *t, struct fault *f)
{
	if (look(t) < 0)
		return fault_gone(f, t->pid);
	if (target_has_exited(t))
		return fault_set(f, FAULT_NO_SUCH_PROCESS,
				 "process %d has exited and has no memory left to move: choose one that runs",
				 t->pid);
	if (target_is_kernel(t))
		return fault_set(f, FAULT_KERNEL_THREAD,
				 "%d (%s) is a kernel thread and has no memory of its own: choose a process",
				 t->pid, t->comm);
	return 0;
}

int target_open(struct target *t, uint32_t pid, struct fault *f)
{
	int r;

	*t = (struct target) { .pid = pid, .pidfd = -1 };
	if (!pid || pid > INT_MAX)
		return fault_set(f, FAULT_NO_SUCH_PROCESS,
				 "%d is no process id: give the pid of a process", (int)pid);
	if (t->pid == getpid())
		return fault_set(f, FAULT_INVALID_ARGUMENT,
				 "process %d is the daemon itself, which would wait for its own pages: choose another",
				 t->pid);
	r = open_pidfd(t, f);
	if (!r)
		r = read_stat(t, f);
	if (!r)
		r = target_check_alive(t, f);
	if (r < 0)
		target_close(t);
	return r;
}

void target_close(struct target *t)
{
	if (t->pidfd >= 0)
		close(t->pidfd);
	t->pidfd = -1;
}

int target_check_alive(const struct target *t, struct fault *f)
{
	struct pollfd p = { .fd = t->pidfd, .events = POLLIN };

	if (poll(&p, 1, 0) > 0)
		return fault_set(f, FAULT_NO_SUCH_PROCESS,
				 "process %d exited while it was being looked at: nothing was moved",
				 t->pid);
	return 0;
}

bool nodelist_has(const char *list, int node)
{
	long first, last;
	char *end;

	while (isdigit((unsigned char)*list)) {
		first = strtol(list, &end, 10);
		last = first;
		if (*end == '-')
			last = strtol(end + 1, &end, 10);
		if (node >= first && node <= last)
			return true;
		if (*end != ',')
			return false;
		list = end + 1;
	}
	return false;
}

bool node_in(const char *file, int node)
{
	char path[64], list[4096];

	snprintf(path, sizeof(path), "/sys/devices/system/node/%s", file);
	return !read_file(path, list, sizeof(list)) && nodelist_has(list, node);
}

static int check_node(int node, struct fault *f)
{
	if (node < 0 || !node_in("online", node))
		return fault_set(f, FAULT_NO_SUCH_NODE,
				 "there is no node %d: see /sys/devices/system/node/online for those there are",
				 node);
	if (!node_in("has_memory", node))
		return fault_set(f, FAULT_NODE_WITHOUT_MEMORY,
				 "node %d has no memory: see /sys/devices/system/node/has_memory for those that have",
				 node);
	return 0;
}

int target_check_cpuset(const struct target *t, int to, struct fault *f)
{
	static const char key[] = "\nMems_allowed_list:\t";
	char path[64], status[8192], *list;

	snprintf(path, sizeof(path), "/proc/%d/status", t->pid);
	if (read_file(path, status, sizeof(status)) < 0)
		return fault_gone(f, t->pid);
	list = strstr(status, key);
	if (!list || nodelist_has(list + sizeof(key) - 1, to))
		return 0;
	list += sizeof(key) - 1;
	return fault_set(f, FAULT_NODE_FORBIDDEN,
			 "the cpuset of process %d allows it nodes %.*s only, not %d: add the node to cpuset.mems (AllowedMemoryNodes= of its unit)",
			 t->pid, (int)strcspn(list, "\n"), list, to);
}

int nodes_check(int from, int to, struct fault *f)
{
	int r;

	r = check_node(to, f);
	if (!r && from != -1)
		r = check_node(from, f);
	if (r < 0)
		return r;
	if (from == to)
		return fault_set(f, FAULT_INVALID_ARGUMENT,
				 "source and destination are both node %d: name two nodes", to);
	return 0;
}

int target_check_nodes(const struct target *t, int from, int to, struct fault *f)
{
	int r;

	r = nodes_check(from, to, f);
	return r < 0 ? r : target_check_cpuset(t, to, f);
}
