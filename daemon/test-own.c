// SPDX-License-Identifier: GPL-2.0
/*
 * Which processes are a user's own: real ones, which differ in one thing each. As root
 * there are more of them; any other user has those that such a one can make.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <linux/capability.h>
#include <unistd.h>

#include "check.h"
#include "own.h"

static uint32_t user, group;

/* What a process is to be. */
struct kind {
	const char *name;
	uint32_t uid[3], gid[3];
	bool undumpable, capable, elsewhere;
	bool own, speaks;
};

/* unshare(2) would do, but the thread that ThreadSanitizer has of its own forbids it. */
static void go_elsewhere(void)
{
	pid_t pid = syscall(SYS_clone, CLONE_NEWUSER | CLONE_PARENT | SIGCHLD, NULL, NULL, NULL,
			    NULL);

	check(pid >= 0);
	if (pid)
		_exit(0);
}

static void take_ids(const struct kind *k)
{
	if (!geteuid()) {
		check(!prctl(PR_SET_KEEPCAPS, 1));
		check(!setresgid(k->gid[0], k->gid[1], k->gid[2]));
		check(!setresuid(k->uid[0], k->uid[1], k->uid[2]));
	}
	if (k->elsewhere)
		go_elsewhere();
}

/* One capability, permitted and no more, or none. */
static void take_capability(bool one)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { };

	if (one)
		data[0].permitted = 1U << CAP_NET_RAW;
	check(!syscall(SYS_capset, &head, data));
}

static pid_t start(const struct kind *k)
{
	pid_t pid, first;
	int ready[2];

	check(!pipe2(ready, O_CLOEXEC));
	first = fork();
	check(first >= 0);
	if (!first) {
		take_ids(k);
		take_capability(k->capable);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		/* Whoever changes its ids is not, until it calls execve(2). */
		check(!prctl(PR_SET_DUMPABLE, !k->undumpable));
		pid = getpid();
		check(write(ready[1], &pid, sizeof(pid)) == sizeof(pid));
		for (;;)
			pause();
	}
	close(ready[1]);
	check(read(ready[0], &pid, sizeof(pid)) == sizeof(pid));
	close(ready[0]);
	check(pid == first || waitpid(first, NULL, 0) == first);
	return pid;
}

static void look(const struct kind *k)
{
	struct fault f = { .id = FAULT_NONE };
	pid_t pid = start(k);
	uint32_t theirs = 0;
	struct target t;
	bool own, speaks;

	check(!target_open(&t, pid, &f));
	own = own_target(&t, user, group);
	speaks = !own_caller(pid, user, &theirs);
	if (own != k->own || speaks != k->speaks || (speaks && theirs != k->gid[0])) {
		fprintf(stderr, "%s: own %d, speaks for its user %d\n", k->name, own, speaks);
		exit(EXIT_FAILURE);
	}
	check(!own_target(&t, user + 2, group) && !own_target(&t, user, group + 2));
	check(!own_target(&t, 0, 0) && own_caller(pid, 0, &theirs) < 0);
	check(own_caller(pid, user + 2, &theirs) < 0);
	check(!kill(pid, SIGKILL) && waitpid(pid, NULL, 0) == pid);
	check(!own_target(&t, user, group));
	target_close(&t);
}

static void test_processes(void)
{
	const uint32_t u = user, g = group, o = user + 1;
	const struct kind any[] = {
		{ "a plain one", { u, u, u }, { g, g, g }, .own = true, .speaks = true },
		/* Without the daemon's capability there is no look at its namespace. */
		{ "not dumpable", { u, u, u }, { g, g, g }, .undumpable = true,
		  .speaks = !geteuid() },
		{ "in a namespace of its own", { u, u, u }, { g, g, g }, .elsewhere = true },
	};
	const struct kind as_root[] = {
		{ "another real uid", { o, u, u }, { g, g, g } },
		{ "another effective uid", { u, o, u }, { g, g, g } },
		{ "another saved uid", { u, u, o }, { g, g, g } },
		{ "root underneath", { u, u, 0 }, { g, g, g } },
		{ "another real gid", { u, u, u }, { o, g, g } },
		{ "another effective gid", { u, u, u }, { g, o, g } },
		{ "another saved gid", { u, u, u }, { g, g, o } },
		{ "in another group", { u, u, u }, { o, o, o }, .speaks = true },
		{ "capable", { u, u, u }, { g, g, g }, .capable = true, .speaks = true },
	};

	for (size_t i = 0; i < sizeof(any) / sizeof(any[0]); i++)
		look(&any[i]);
	for (size_t i = 0; !geteuid() && i < sizeof(as_root) / sizeof(as_root[0]); i++)
		look(&as_root[i]);
}

static void test_parse(void)
{
	static const char good[] =
		"Name:\tUid:\\n\nTgid:\t5\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t4294967295\n"
		"CapInh:\t0000000000000000\nCapPrm:\t000001ffffffffff\n";
	struct own_ids ids;

	check(!own_parse(good, &ids));
	check(ids.uid[0] == 1 && ids.uid[3] == 4 && ids.gid[3] == UINT32_MAX);
	check(ids.capabilities == 0x1ffffffffffULL);
	check(own_parse("", &ids) < 0 && own_parse("Uid:\t1\t2\t3\t4\n", &ids) < 0);
	check(own_parse("\nUid:\t1\t2\n\nGid:\t5\t6\t7\t8\nCapPrm:\t0\n", &ids) < 0);
	check(own_parse("\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\n", &ids) < 0);
}

int main(void)
{
	user = geteuid() ? geteuid() : 65534;
	group = geteuid() ? getegid() : 65534;
	test_parse();
	test_processes();
	return 0;
}
