// SPDX-License-Identifier: GPL-2.0
/*
 * outsider PID START JOB DAEMON: run by somebody who may nothing. Each thing that
 * could be of use is tried and must be refused; then it listens to the family's
 * events until stdin ends, and must have heard none.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include "../kernel/check.h"
#include "../kernel/ctl.h"

static struct ctl ctl;
static unsigned int refused;

/* Operations of the family, by what they take. */
static const uint8_t dos[] = {
	MIGD_CMD_FEATURES_GET, MIGD_CMD_CHANNEL_CLAIM, MIGD_CMD_CHANNEL_RELEASE,
	MIGD_CMD_JOB_SUBMIT, MIGD_CMD_JOB_CANCEL, MIGD_CMD_JOB_GET,
	MIGD_CMD_STATS_GET, MIGD_CMD_CONFIG_GET, MIGD_CMD_CONFIG_SET,
	MIGD_CMD_JOB_LARGE_GET, MIGD_CMD_JOB_ROUTED, MIGD_CMD_JOB_SET,
};

static const uint8_t dumps[] = { MIGD_CMD_CHANNEL_GET, MIGD_CMD_JOB_GET };

static void denied(const char *what, long ret, int err)
{
	check(ret < 0, "%s is allowed", what);
	check(err == EPERM || err == EACCES, "%s: %s", what, strerror(err));
	refused++;
}

/* The family's own refusal, in words. */
static void denied_in_words(const char *what, int ret)
{
	denied(what, ret, -ret);
	check(strstr(ctl.ack, "needs CAP_SYS_NICE"), "%s is refused with '%s'", what, ctl.ack);
}

static bool is_in(uint8_t cmd, const uint8_t *list, size_t n)
{
	return memchr(list, cmd, n);
}

static void every_operation(void)
{
	char what[64];
	int cmd, err;

	for (cmd = 0; cmd <= MIGD_CMD_MAX + 1; cmd++) {
		snprintf(what, sizeof(what), "operation %d", cmd);
		err = ctl_raw(&ctl, (uint8_t)cmd, 0, 0, NULL, 0);
		if (is_in((uint8_t)cmd, dos, sizeof(dos)))
			denied_in_words(what, err);
		else
			check_eq(err, -EOPNOTSUPP);
		snprintf(what, sizeof(what), "dump of operation %d", cmd);
		err = ctl_raw(&ctl, (uint8_t)cmd, NLM_F_DUMP, 0, NULL, 0);
		if (is_in((uint8_t)cmd, dumps, sizeof(dumps)))
			denied_in_words(what, err);
		else
			check_eq(err, -EOPNOTSUPP);
	}
}

/* The same with all that they take, about things there are. */
static void real_requests(char **argv)
{
	static struct channel_info channels[16];
	static struct job_info jobs[8];
	struct features_info features;
	struct stats_info stats;
	struct job_req req = {
		.pid = atoi(argv[1]),
		.start_time = strtoull(argv[2], NULL, 10),
		.from = 0,
		.to = 1,
	};
	uint64_t job = strtoull(argv[3], NULL, 10), id;
	uint32_t value;

	denied_in_words("job-submit", ctl_submit(&ctl, &req, &id));
	req.pid = getpid();
	req.start_time = 1;
	denied_in_words("job-submit for itself", ctl_submit(&ctl, &req, &id));
	denied_in_words("job-cancel", ctl_cancel(&ctl, job));
	denied_in_words("job-get", ctl_job(&ctl, job, &jobs[0]));
	denied_in_words("the dump of jobs", ctl_jobs(&ctl, jobs, 8));
	denied_in_words("the dump of channels", ctl_channels(&ctl, channels, 16));
	denied_in_words("channel-claim", ctl_claim(&ctl, "dma0chan0", &value));
	denied_in_words("channel-release", ctl_release(&ctl, 0));
	denied_in_words("stats-get", ctl_stats(&ctl, &stats));
	denied_in_words("features-get", ctl_features(&ctl, &features));
	denied_in_words("config-set", ctl_config_set(&ctl, 1, 1));
}

static void device(void)
{
	static const int flags[] = { O_RDONLY, O_WRONLY, O_RDWR };
	static const char parameter[] = "/sys/module/migd/parameters/poison";
	char path[] = "/tmp/outsider.XXXXXX";
	struct stat st;
	unsigned int i;
	int fd;

	for (i = 0; i < 3; i++) {
		fd = open("/dev/migd", flags[i] | O_CLOEXEC);
		denied("open of /dev/migd", fd, errno);
	}
	/* A node of its own would do as well. */
	must(stat("/dev/migd", &st));
	check(mkdtemp(path), "mkdtemp: %s", strerror(errno));
	must(chdir(path));
	denied("mknod", mknod("migd", S_IFCHR | 0600, st.st_rdev), errno);
	must(chdir("/"));
	must(rmdir(path));
	/* Root is the owner of the file in whatever namespace it is. */
	must(stat(parameter, &st));
	if (st.st_uid == getuid())
		return;
	fd = open(parameter, O_WRONLY | O_CLOEXEC);
	denied("open of the module's parameter", fd, errno);
}

static void daemon_process(pid_t pid)
{
	char path[64], byte;
	int pidfd, fd;

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	fd = open(path, O_RDWR | O_CLOEXEC);
	/* without a word on whether there is such a mapping */
	denied("the daemon's memory", fd < 0 ? -1 : pread(fd, &byte, 1, 0x400000),
	       fd < 0 ? errno : EPERM);
	denied("ptrace of the daemon", ptrace(PTRACE_SEIZE, pid, NULL, NULL), errno);
	pidfd = (int)must(syscall(SYS_pidfd_open, pid, 0));
	for (fd = 0; fd < 32; fd++)
		denied("a descriptor of the daemon",
		       syscall(SYS_pidfd_getfd, pidfd, fd, 0), errno);
	close(pidfd);
	denied("a signal to the daemon", kill(pid, SIGCONT), errno);
}

static void listen_in_vain(int joined)
{
	char buf[4096];
	ssize_t n;

	if (joined)
		printf("joining is refused: %s\n", strerror(-joined));
	/* Of other network namespaces as well; needs CAP_NET_BROADCAST. */
	if (!setsockopt(ctl_event_fd(&ctl), SOL_NETLINK, NETLINK_LISTEN_ALL_NSID,
			&(int){ 1 }, sizeof(int)))
		printf("listening to all network namespaces\n");
	printf("listening\n");
	fflush(stdout);
	while (read(0, buf, sizeof(buf)) > 0)
		;
	n = recv(ctl_event_fd(&ctl), buf, sizeof(buf), MSG_DONTWAIT);
	check(n < 0 && errno == EAGAIN, "an event of %zd bytes, errno %s", n,
	      strerrorname_np(errno));
}

int main(int argc, char **argv)
{
	int joined;

	check(argc == 5, "outsider PID START JOB DAEMON");
	step("uid %u", getuid());
	joined = ctl_open(&ctl, true);
	every_operation();
	real_requests(argv);
	device();
	daemon_process(atoi(argv[4]));
	printf("%u requests refused\n", refused);
	listen_in_vain(joined);
	ctl_close(&ctl);
	return 0;
}
