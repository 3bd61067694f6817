// SPDX-License-Identifier: GPL-2.0
/*
 * What root does in the test of those who may nothing:
 *
 *   insider hold MIB TEXT     its memory is full of TEXT; looks at it when stdin ends
 *   insider listen N          hears N events of the family, to show that there are some
 *   insider lent              sockets that a user and root lend to each other
 *   insider reuse             a job for a pid that has changed hands is refused
 *   insider netlink FILE      all that the family answers, as it comes
 *   insider scan TEXT FILE... no kernel address and no TEXT in these bytes
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <linux/sched.h>
#include <unistd.h>
#include "../kernel/fixture.h"

#define NOBODY	65534

static struct ctl ctl;

static void hold(size_t bytes, const char *text)
{
	size_t len = strlen(text), i;
	char *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	check(at != MAP_FAILED, "mmap: %s", strerror(errno));
	must(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0));
	alloc_on(0);
	for (i = 0; i < bytes; i++)
		at[i] = text[i % len];
	alloc_on(-1);
	printf("ready %d %lx-%lx\n", getpid(), (unsigned long)at, (unsigned long)(at + bytes));
	fflush(stdout);
	while (getchar() != EOF)
		;
	for (i = 0; i < bytes; i++)
		check(at[i] == text[i % len], "byte %zu has changed", i);
}

static void listen_to(unsigned int n)
{
	struct pollfd pfd;

	must(ctl_open(&ctl, true));
	pfd = (struct pollfd){ .fd = ctl_event_fd(&ctl), .events = POLLIN };
	while (ctl.nr_events < n) {
		check(must(poll(&pfd, 1, PATIENCE_MS)) == 1, "only %u events", ctl.nr_events);
		ctl_read_events(&ctl);
	}
	ctl_close(&ctl);
}

/* A request without attributes on any socket: 0 or the errno of the answer. */
static int ask(int sock, uint8_t cmd, int flags)
{
	static char buf[65536] __attribute__((aligned(8)));
	struct {
		struct nlmsghdr nlh;
		struct genlmsghdr gh;
	} req = {
		.nlh = {
			.nlmsg_len = sizeof(req),
			.nlmsg_type = (uint16_t)ctl.family,
			.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags),
		},
		.gh = { .cmd = cmd, .version = MIGD_FAMILY_VERSION },
	};
	struct nlmsghdr *nlh = (void *)buf;

	must(send(sock, &req, sizeof(req), 0));
	for (;;) {
		must(recv(sock, buf, sizeof(buf), 0));
		if (nlh->nlmsg_type == NLMSG_ERROR)
			return -((struct nlmsgerr *)NLMSG_DATA(nlh))->error;
		if (nlh->nlmsg_type == NLMSG_DONE)
			return 0;
	}
}

static int open_socket(int group)
{
	struct sockaddr_nl any = { .nl_family = AF_NETLINK };
	int sock = (int)must(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC));

	must(bind(sock, (void *)&any, sizeof(any)));
	if (group && setsockopt(sock, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group,
				sizeof(group)))
		printf("joining is refused: %s\n", strerror(errno));
	return sock;
}

/* As somebody who may nothing: no capability of the initial namespace is left. */
static void become_nobody(void)
{
	must(syscall(SYS_setresgid, NOBODY, NOBODY, NOBODY));
	must(syscall(SYS_setresuid, NOBODY, NOBODY, NOBODY));
}

static void expect_eperm(int sock, const char *who)
{
	check(ask(sock, MIGD_CMD_FEATURES_GET, 0) == EPERM, "%s: features-get", who);
	check(ask(sock, MIGD_CMD_CONFIG_SET, 0) == EPERM, "%s: config-set", who);
	check(ask(sock, MIGD_CMD_JOB_GET, NLM_F_DUMP) == EPERM, "%s: job-get dump", who);
	check(ask(sock, MIGD_CMD_CHANNEL_GET, NLM_F_DUMP) == EPERM, "%s: channel-get dump", who);
}

static int socket_of_nobody(int group)
{
	int sock, status, pidfd, theirs, ends[2];
	pid_t pid;

	must(pipe(ends));
	pid = (pid_t)must(fork());
	if (!pid) {
		become_nobody();
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		sock = open_socket(group);
		must(write(ends[1], &sock, sizeof(sock)));
		for (;;)
			pause();
	}
	close(ends[1]);
	check(read(ends[0], &theirs, sizeof(theirs)) == sizeof(theirs), "no socket of nobody");
	close(ends[0]);
	pidfd = (int)must(syscall(SYS_pidfd_open, pid, 0));
	sock = (int)must(syscall(SYS_pidfd_getfd, pidfd, theirs, 0));
	must(kill(pid, SIGKILL));
	must(waitpid(pid, &status, 0));
	close(pidfd);
	return sock;
}

/*
 * Both who asks and who opened the socket must be allowed to: else a user could
 * have a privileged program speak on a socket of theirs, or the other way round.
 */
static void lent(void)
{
	struct pollfd pfd;
	char buf[4096];
	int sock, status;
	pid_t pid;

	must(ctl_open(&ctl, true));
	step("root speaks on the socket of nobody");
	sock = socket_of_nobody(ctl.group);
	pfd = (struct pollfd){ .fd = ctl_event_fd(&ctl), .events = POLLIN };
	while (ctl.nr_events < 3) {
		check(must(poll(&pfd, 1, PATIENCE_MS)) == 1, "no events for root");
		ctl_read_events(&ctl);
	}
	check(recv(sock, buf, sizeof(buf), MSG_DONTWAIT) < 0 && errno == EAGAIN,
	      "nobody's socket hears an event");
	close(sock);
	sock = socket_of_nobody(0);
	expect_eperm(sock, "on nobody's socket");
	close(sock);

	step("nobody speaks on the socket of root");
	sock = open_socket(0);
	check_eq(ask(sock, MIGD_CMD_FEATURES_GET, 0), 0);
	pid = (pid_t)must(fork());
	if (!pid) {
		become_nobody();
		expect_eperm(sock, "nobody");
		_exit(0);
	}
	must(waitpid(pid, &status, 0));
	check(WIFEXITED(status) && !WEXITSTATUS(status), "status %#x", status);
	ctl_close(&ctl);
}

/* A process with this pid, or any when it is 0. */
static pid_t sleeper(pid_t want)
{
	struct clone_args args = {
		.exit_signal = SIGCHLD,
		.set_tid = want ? (uint64_t)(uintptr_t)&want : 0,
		.set_tid_size = !!want,
	};
	pid_t pid = (pid_t)must(syscall(SYS_clone3, &args, sizeof(args)));

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		pause();
}

static void end_sleeper(pid_t pid)
{
	must(kill(pid, SIGKILL));
	must(waitpid(pid, NULL, 0));
}

static bool job_done(void *arg)
{
	struct job_info job;

	must(ctl_job(&ctl, *(uint64_t *)arg, &job));
	return job.state == MIGD_JOB_STATE_DONE;
}

static void reuse(void)
{
	struct job_req req = { .from = 0, .to = 1 };
	uint64_t before, now, id;
	pid_t pid;

	must(ctl_open(&ctl, false));
	pid = sleeper(0);
	before = process_start_time(pid);
	do {
		end_sleeper(pid);
		check_eq(sleeper(pid), pid);
		now = process_start_time(pid);
	} while (now == before);
	step("pid %d, started at %llu and at %llu", pid, (unsigned long long)before,
	     (unsigned long long)now);
	req.pid = pid;
	req.start_time = before;
	check_eq(ctl_submit(&ctl, &req, &id), -ESRCH);
	check(strstr(ctl.ack, "changed hands"), "it is refused with '%s'", ctl.ack);
	req.start_time = now;
	must(ctl_submit(&ctl, &req, &id));
	wait_until(job_done, &id, "the end of the job");
	end_sleeper(pid);
	check_eq(ctl_submit(&ctl, &req, &id), -ESRCH);
	ctl_close(&ctl);
}

static void all_answers(const char *path)
{
	static const struct {
		uint8_t cmd;
		int flags;
	} asked[] = {
		{ MIGD_CMD_FEATURES_GET }, { MIGD_CMD_STATS_GET }, { MIGD_CMD_CONFIG_GET },
		{ MIGD_CMD_JOB_GET, NLM_F_DUMP }, { MIGD_CMD_CHANNEL_GET, NLM_F_DUMP },
	};
	static char buf[65536] __attribute__((aligned(8)));
	struct nlmsghdr *nlh = (void *)buf;
	struct iovec iov;
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	int file = (int)must(open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
	unsigned int i, bytes = 0;
	int sock;
	ssize_t n;

	must(ctl_open(&ctl, false));
	sock = open_socket(0);
	for (i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		struct {
			struct nlmsghdr nlh;
			struct genlmsghdr gh;
		} req = {
			.nlh = {
				.nlmsg_len = sizeof(req),
				.nlmsg_type = (uint16_t)ctl.family,
				.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK |
							  asked[i].flags),
			},
			.gh = { .cmd = asked[i].cmd, .version = MIGD_FAMILY_VERSION },
		};

		must(send(sock, &req, sizeof(req), 0));
		do {
			iov = (struct iovec){ buf, sizeof(buf) };
			n = must(recvmsg(sock, &msg, 0));
			must(write(file, buf, (size_t)n));
			bytes += (unsigned int)n;
		} while (nlh->nlmsg_type != NLMSG_DONE && nlh->nlmsg_type != NLMSG_ERROR &&
			 !(asked[i].flags == 0 && nlh->nlmsg_type == NLMSG_ERROR));
	}
	close(file);
	printf("%u bytes of answers\n", bytes);
	ctl_close(&ctl);
}

/*
 * An address of the kernel, of either architecture: its uppermost 16 bits are
 * set. A negative 32-bit number beside a small one is none.
 */
static bool is_kernel_address(uint64_t v)
{
	if (v >> 48 != 0xffff || v >= (uint64_t)-4096)
		return false;
	return v >> 32 != 0xffffffff || (v & 0x80000000);
}

static unsigned int scan(const char *text, const char *path)
{
	unsigned int found = 0;
	static char buf[1 << 20];
	size_t n, i;
	uint64_t v;
	FILE *f = fopen(path, "re");

	check(f, "%s: %s", path, strerror(errno));
	n = fread(buf, 1, sizeof(buf), f);
	check(n && n < sizeof(buf), "%s has %zu bytes", path, n);
	fclose(f);
	if (memmem(buf, n, text, strlen(text))) {
		printf("%s holds '%s'\n", path, text);
		found++;
	}
	for (i = 0; i + 8 <= n; i += 4) {
		memcpy(&v, buf + i, 8);
		if (is_kernel_address(v)) {
			printf("%s: %#llx at %zu\n", path, (unsigned long long)v, i);
			found++;
		}
	}
	return found;
}

int main(int argc, char **argv)
{
	unsigned int found = 0;
	int i;

	check(argc > 1, "what to do?");
	if (!strcmp(argv[1], "hold") && argc == 4)
		hold(strtoul(argv[2], NULL, 10) << 20, argv[3]);
	else if (!strcmp(argv[1], "listen") && argc == 3)
		listen_to((unsigned int)strtoul(argv[2], NULL, 10));
	else if (!strcmp(argv[1], "lent"))
		lent();
	else if (!strcmp(argv[1], "reuse"))
		reuse();
	else if (!strcmp(argv[1], "netlink") && argc == 3)
		all_answers(argv[2]);
	else if (!strcmp(argv[1], "scan") && argc > 3)
		for (i = 3; i < argc; i++)
			found += scan(argv[2], argv[i]);
	else
		fail("insider %s: what is that?", argv[1]);
	return !!found;
}
