// SPDX-License-Identifier: GPL-2.0
/*
 * Wrong input at the netlink family: each gets its errno and a sentence, starts
 * no job and changes nothing. Who may not ask gets no answer and no event.
 */
#include <errno.h>
#include <netlink/netlink.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "fixture.h"

#define BYTES	(1UL << 20)
#define SEED	12
#define CGROUP	"/sys/fs/cgroup/migd-test"
#define POOL	"/sys/devices/system/node/node1/hugepages/hugepages-2048kB/nr_hugepages"

static struct ctl ctl;
static struct server server;
static struct target target;
static uint64_t addr;

static struct job_req good(void)
{
	return job_for(&target, addr, BYTES, 0, 1, MIGD_ORDER_COPY_FIRST);
}

static void sentence(const char *what)
{
	check(strlen(ctl.ack) > 10 && strchr(ctl.ack, ' '), "%s: no sentence: '%s'",
	      what, ctl.ack);
	printf("        %s\n", ctl.ack);
}

static void refused(const char *what, int want_err, struct job_req req)
{
	struct stats_info before, after;
	uint64_t id;

	step("%s", what);
	must(ctl_stats(&ctl, &before));
	check_eq(ctl_submit(&ctl, &req, &id), want_err);
	sentence(what);
	check_eq(id, 0);
	must(ctl_stats(&ctl, &after));
	check_eq(after.jobs, before.jobs);
	check_eq(after.batches, before.batches);
	check_eq(after.jobs_active, 0);
}

#define REQ(member, value)						\
	({								\
		struct job_req req_ = good();				\
									\
		req_.member = (value);					\
		req_;							\
	})

static struct job_req of_process(pid_t pid)
{
	struct job_req req = good();

	req.pid = pid;
	req.start_time = process_start_time(pid);
	return req;
}

static pid_t find_kthreadd(void)
{
	check(!strcmp(read_line("/proc/2/comm"), "kthreadd"), "pid 2 is not kthreadd");
	return 2;
}

static void processes(void)
{
	refused("no such process", -ESRCH, REQ(pid, 4194303));
	refused("pid 0", -ESRCH, REQ(pid, 0));
	refused("a pid below 0", -ESRCH, REQ(pid, -5));
	refused("another start time", -ESRCH,
		REQ(start_time, target.start_time + 1));
	refused("a kernel thread", -EINVAL, of_process(find_kthreadd()));
	refused("the caller itself", -EDEADLK, of_process(getpid()));
}

static void nodes(void)
{
	refused("no such destination", -ENODEV, REQ(to, 77));
	refused("a destination beyond all nodes", -ENODEV, REQ(to, 1 << 20));
	refused("a destination below 0", -ENODEV, REQ(to, -1));
	refused("no such source", -ENODEV, REQ(from, 77));
	refused("a node without memory", -ENXIO, REQ(to, 2));
	refused("the same node", -EINVAL, REQ(from, 1));
}

static void limits(void)
{
	struct job_req req;

	refused("a batch too large", -EINVAL,
		REQ(batch_pages, MIGD_MAX_BATCH_PAGES + 1));
	refused("a deadline too short", -EINVAL, REQ(deadline_us, 1));
	refused("a deadline too long", -EINVAL, REQ(deadline_us, 60000001));
	refused("a range that begins within a page", -EINVAL,
		REQ(range[0].start, addr + 1));
	refused("a range that ends within a page", -EINVAL,
		REQ(range[0].end, addr + BYTES - 512));
	refused("an empty range", -EINVAL, REQ(range[0].end, addr));
	refused("a range backwards", -EINVAL, REQ(range[0].end, addr - PAGE));
	req = good();
	req.nr_ranges = 2;
	req.range[1] = req.range[0];
	req.range[1].start += BYTES - PAGE;
	req.range[1].end += BYTES;
	refused("ranges that overlap", -EINVAL, req);
	refused("a range of the kernel", -EINVAL, REQ(range[0].end, ~0UL & ~(PAGE - 1)));
}

/* What the policy refuses: its sentence is netlink's. */
static void attributes(void)
{
	struct job_req req = good();
	uint32_t u32 = 7;
	uint64_t id, u64 = 7;

	step("an order that is none");
	req.order = 2;
	check_eq(ctl_submit(&ctl, &req, &id), -ERANGE);
	sentence("order");
	step("a flag that is none");
	req = good();
	req.flags = 1 << 7;
	check_eq(ctl_submit(&ctl, &req, &id), -EINVAL);
	sentence("flags");
	step("attributes missing, or unknown");
	check_eq(ctl_raw(&ctl, MIGD_CMD_JOB_SUBMIT, 0, MIGD_A_JOB_PID, &u32, 4), -EINVAL);
	check_eq(ctl_raw(&ctl, MIGD_CMD_JOB_SUBMIT, 0, 200, &u32, 4), -EINVAL);
	check_eq(ctl_raw(&ctl, MIGD_CMD_JOB_CANCEL, 0, 0, NULL, 0), -EINVAL);
	check_eq(ctl_raw(&ctl, MIGD_CMD_JOB_GET, 0, 0, NULL, 0), -EINVAL);
	check_eq(ctl_raw(&ctl, 200, 0, 0, NULL, 0), -EOPNOTSUPP);
	step("no such job, no such channel");
	check_eq(ctl_cancel(&ctl, 123456), -ENOENT);
	sentence("cancel");
	check_eq(ctl_raw(&ctl, MIGD_CMD_JOB_GET, 0, MIGD_A_JOB_ID, &u64, 8), -ENOENT);
	sentence("get");
	check_eq(ctl_cancel(&ctl, 0), -ENOENT);
	check_eq(ctl_release(&ctl, 42), -ENODEV);
	sentence("release");
	check_eq(ctl_claim(&ctl, "dma77chan0", &u32), -ENODEV);
	sentence("claim");
	step("a cap of 0");
	u32 = 0;
	check_eq(ctl_raw(&ctl, MIGD_CMD_CONFIG_SET, 0, MIGD_A_CONFIG_MAX_LOCKED_PAGES,
			 &u32, 4), -EINVAL);
	sentence("config");
}

static void cpuset(void)
{
	step("cpuset.mems without the destination");
	must(write_file("/sys/fs/cgroup/cgroup.subtree_control", "+cpuset"));
	must(mkdir(CGROUP, 0755));
	must(write_file(CGROUP "/cpuset.mems", "0"));
	must(write_file(CGROUP "/cgroup.procs", "%d", target.pid));
	refused("a node outside the target's cpuset", -EXDEV, good());
	must(write_file("/sys/fs/cgroup/cgroup.procs", "%d", target.pid));
	must(rmdir(CGROUP));
}

static void full_node(void)
{
	size_t bytes = 16UL << 20;
	uint64_t big = (uint64_t)target_call(&target, mem_new, bytes, 0, SEED);
	struct job_req req = job_for(&target, big, bytes, 0, 1,
				     MIGD_ORDER_COPY_FIRST);
	struct job_info job;

	step("a full destination");
	must(write_file(POOL, "600"));
	server_move(&server, &ctl, &req, &job);
	must(write_file(POOL, "0"));
	check_sum(&job);
	printf("        %llu moved, %llu without memory\n",
	       (unsigned long long)job.moved,
	       (unsigned long long)job.left[MIGD_REASON_NO_MEMORY]);
	check(job.left[MIGD_REASON_NO_MEMORY] > 0, "all pages found room");
	check_eq(job.outcome, job.moved ? MIGD_OUTCOME_PARTLY : MIGD_OUTCOME_FAILED);
	check_eq(job.moved, pages_on(target.pid, big, bytes, 1));
	check_eq(target_call(&target, mem_wrong, big, bytes, SEED), 0);
	target_call(&target, mem_free, big, bytes, 0);
}

static void too_many(void)
{
	struct job_req req = good();
	struct job_info info;
	uint64_t id, last;
	int i;

	step("too many jobs");
	for (i = 0; i < 64; i++)
		check_eq(ctl_submit(&ctl, &req, &id), 0);
	check_eq(ctl_submit(&ctl, &req, &last), -ENOSPC);
	sentence("too many");
	check_module_busy("jobs waiting");
	for (last = id; last > id - 64; last--)
		check_eq(ctl_cancel(&ctl, last), 0);
	wait_idle(&ctl);
	must(ctl_job(&ctl, id, &info));
	check_eq(info.outcome, MIGD_OUTCOME_CANCELLED);
	check_sum(&info);
	check_eq(ctl_cancel(&ctl, id), -EALREADY);
	sentence("cancel of a done job");
	check_memory(&target, addr, BYTES, 0, SEED);
}

/* In a process without the right: every operation, dumps and events included. */
static int powerless(void)
{
	struct job_req req = good();
	struct features_info features;
	struct channel_info channel;
	struct stats_info stats;
	struct ctl mine;
	struct job_info job;
	uint32_t a, b;
	uint64_t id;
	int joined;

	joined = ctl_open(&mine, true);
	check_eq(ctl_submit(&mine, &req, &id), -EPERM);
	check(mine.ack[0], "no sentence for who may not");
	check_eq(ctl_features(&mine, &features), -EPERM);
	check_eq(ctl_stats(&mine, &stats), -EPERM);
	check_eq(ctl_job(&mine, 1, &job), -EPERM);
	check_eq(ctl_jobs(&mine, &job, 1), -EPERM);
	check(mine.ack[0], "no sentence for a dump");
	check_eq(ctl_channels(&mine, &channel, 1), -EPERM);
	check_eq(ctl_cancel(&mine, 1), -EPERM);
	check_eq(ctl_release(&mine, 1), -EPERM);
	check_eq(ctl_claim(&mine, "dma0chan0", &a), -EPERM);
	check_eq(ctl_config_get(&mine, &a, &b), -EPERM);
	check_eq(ctl_config_set(&mine, 1, 1), -EPERM);
	/* The test now makes events; none may come here. */
	if (!joined) {
		must(raise(SIGSTOP));
		ctl_read_events(&mine);
		check_eq(mine.nr_events, 0);
	}
	return 0;
}

static void who_may_not(const char *who, void (*become)(void))
{
	struct job_req req = good();
	struct job_info job;
	int status;
	pid_t pid;

	step("%s", who);
	pid = (pid_t)must(fork());
	if (!pid) {
		become();
		_exit(powerless());
	}
	must(waitpid(pid, &status, WUNTRACED));
	if (WIFSTOPPED(status)) {
		server_move(&server, &ctl, &req, &job);
		check_eq(job.outcome, MIGD_OUTCOME_MOVED);
		must(kill(pid, SIGCONT));
		must(waitpid(pid, &status, 0));
	}
	check(WIFEXITED(status) && !WEXITSTATUS(status), "%s: status %#x", who, status);
	move_by_kernel(target.pid, addr, BYTES, 0);
}

static void become_nobody(void)
{
	must(setresgid(65534, 65534, 65534));
	must(setresuid(65534, 65534, 65534));
}

static void become_container_root(void)
{
	must(unshare(CLONE_NEWUSER));
}

int main(void)
{
	must(ctl_open(&ctl, true));
	target_start(&target);
	addr = (uint64_t)target_call(&target, mem_new, BYTES, 0, SEED);
	refused("no server", -ENOTCONN, good());
	server_open(&server, 2, 256);
	processes();
	nodes();
	limits();
	attributes();
	cpuset();
	too_many();
	who_may_not("nobody", become_nobody);
	who_may_not("root of a user namespace", become_container_root);
	full_node();
	check_memory(&target, addr, BYTES, 0, SEED);
	target_stop(&target);
	server_close(&server);
	wait_idle(&ctl);
	check_clean(&ctl);
	return 0;
}
