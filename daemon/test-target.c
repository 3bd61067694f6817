// SPDX-License-Identifier: GPL-2.0
/* Targets: /proc/PID/stat, node lists, and processes that are none. */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "target.h"

static const char stat_line[] =
	"42 (a) b (c) S 1 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654 1000 10";

static void test_stat(void)
{
	struct target t = { .pid = 0 };
	char cut[sizeof(stat_line)];

	check(!target_parse_stat(stat_line, &t));
	check(!strcmp(t.comm, "a) b (c") && t.state == 'S');
	check(t.flags == 4194560 && t.start_time == 987654 && t.ppid == 1);
	for (size_t len = 0; len < strlen(stat_line) - 15; len++) {
		memcpy(cut, stat_line, len);
		cut[len] = '\0';
		check(target_parse_stat(cut, &t) == -EBADMSG || t.start_time != 987654);
	}
}

static void test_nodelist(void)
{
	check(nodelist_has("0", 0) && !nodelist_has("0", 1));
	check(nodelist_has("0-2,5\n", 2) && nodelist_has("0-2,5\n", 5));
	check(!nodelist_has("0-2,5\n", 3) && !nodelist_has("0-2,5\n", -1));
	check(!nodelist_has("", 0) && !nodelist_has("\n", 0) && nodelist_has("10-12", 11));
}

static void test_processes(void)
{
	struct target t;
	struct fault f;
	siginfo_t si;
	pid_t pid;
	int fds[2];

	check(target_open(&t, 0, &f) < 0 && f.id == FAULT_NO_SUCH_PROCESS);
	check(target_open(&t, -1, &f) < 0 && f.id == FAULT_NO_SUCH_PROCESS);
	check(target_open(&t, INT_MAX, &f) < 0 && f.id == FAULT_NO_SUCH_PROCESS);
	check(target_open(&t, getpid(), &f) < 0 && f.id == FAULT_INVALID_ARGUMENT);

	check(!pipe(fds));
	pid = fork();
	check(pid >= 0);
	if (!pid) {
		close(fds[1]);
		_exit(read(fds[0], &pid, 1) != 0);
	}
	check(!target_look(&t, pid) && t.ppid == getpid() && !target_is_kernel(&t));
	check(!target_open(&t, pid, &f) && t.start_time && t.pidfd >= 0);
	check(target_check_nodes(&t, 0, 0, &f) < 0 && f.id == FAULT_INVALID_ARGUMENT);
	check(target_check_nodes(&t, -1, 1000, &f) < 0 && f.id == FAULT_NO_SUCH_NODE);
	check(target_check_nodes(&t, -2, 0, &f) < 0 && f.id == FAULT_NO_SUCH_NODE);
	check(!target_check_nodes(&t, -1, 0, &f));
	check(!target_check_alive(&t, &f));

	/* It exits: known by the pidfd, before and after it has been waited for. */
	close(fds[1]);
	check(!waitid(P_PID, pid, &si, WEXITED | WNOWAIT));
	check(target_check_alive(&t, &f) < 0 && f.id == FAULT_NO_SUCH_PROCESS);
	target_close(&t);
	check(!target_look(&t, pid) && target_has_exited(&t));
	check(target_open(&t, pid, &f) < 0 && strstr(f.text, "has exited"));
	check(waitpid(pid, NULL, 0) == pid);
	check(target_look(&t, pid) == -ESRCH);
	check(target_open(&t, pid, &f) < 0 && strstr(f.text, "there is no process"));
}

int main(void)
{
	test_stat();
	test_nodelist();
	test_processes();
	return 0;
}
