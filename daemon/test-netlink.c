// SPDX-License-Identifier: GPL-2.0
/*
 * A module that answers late or has forgotten something: a thread of ours, at
 * the other end of a netlink socket between processes.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>

#include "check.h"
#include "job.h"
#include "log.h"
#include "names.h"

#define FAMILY	42

static int module_fd;
static uint32_t module_port;
static struct nl_sock *last;	/* the daemon's, opened last */
static int nr_opened;

/* In place of libnl's: the socket leads to the thread instead of the kernel. */
int genl_connect(struct nl_sock *sock)
{
	int r = nl_connect(sock, NETLINK_USERSOCK);

	nl_socket_set_peer_port(sock, module_port);
	last = sock;
	nr_opened++;
	return r;
}

int genl_ctrl_resolve(struct nl_sock *sock, const char *name)
{
	check(!strcmp(name, MIGD_FAMILY_NAME));
	return FAMILY;
}

struct request {
	struct nlmsghdr nlh;
	struct genlmsghdr genl;
	char attrs[4096];
};

static struct sockaddr_nl receive(struct request *req)
{
	struct sockaddr_nl from;
	socklen_t len = sizeof(from);

	check(recvfrom(module_fd, req, sizeof(*req), 0, (struct sockaddr *)&from, &len) > 0);
	check(req->nlh.nlmsg_type == FAMILY);
	return from;
}

/* The answer may come when nobody has the socket any more. */
static void put(const struct sockaddr_nl *to, struct nl_msg *msg)
{
	struct nlmsghdr *nlh = nlmsg_hdr(msg);

	check(sendto(module_fd, nlh, nlh->nlmsg_len, 0, (struct sockaddr *)to, sizeof(*to)) > 0 ||
	      errno == ECONNREFUSED);
	nlmsg_free(msg);
}

/* The last message of an answer: 0, or a negative errno. */
static void end(const struct sockaddr_nl *to, const struct request *req, int err)
{
	struct nl_msg *msg = nlmsg_alloc();
	struct nlmsgerr e = { .error = err, .msg = req->nlh };
	bool dump = (req->nlh.nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;

	check(msg);
	check(nlmsg_put(msg, module_port, req->nlh.nlmsg_seq, dump ? NLMSG_DONE : NLMSG_ERROR, 0,
			dump ? NLM_F_MULTI : 0));
	check(!nlmsg_append(msg, &e, dump ? sizeof(int) : sizeof(e), NLMSG_ALIGNTO));
	put(to, msg);
}

static struct nl_msg *reply(const struct request *req)
{
	bool dump = (req->nlh.nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
	struct nl_msg *msg = nlmsg_alloc();

	check(msg && genlmsg_put(msg, module_port, req->nlh.nlmsg_seq, FAMILY, 0,
				 dump ? NLM_F_MULTI : 0, req->genl.cmd, 1));
	return msg;
}

static void reply_version(const struct sockaddr_nl *to, const struct request *req,
			  const char *version)
{
	struct nl_msg *msg = reply(req);

	check(!nla_put_string(msg, MIGD_A_FEATURES_VERSION, version));
	put(to, msg);
	end(to, req, 0);
}

static void reply_job(const struct sockaddr_nl *to, const struct request *req, uint64_t id,
		      uint32_t state)
{
	struct nl_msg *msg = reply(req);

	check(!nla_put_u64(msg, MIGD_A_JOB_ID, id) && !nla_put_u32(msg, MIGD_A_JOB_PID, 1) &&
	      !nla_put_u32(msg, MIGD_A_JOB_STATE, state));
	if (state == MIGD_JOB_STATE_DONE)
		check(!nla_put_u32(msg, MIGD_A_JOB_OUTCOME, MIGD_OUTCOME_MOVED));
	put(to, msg);
}

/* Answers the first request when the second has come. */
static void *answer_late(void *arg)
{
	struct sockaddr_nl first_from, second_from;
	struct request first, second;

	first_from = receive(&first);
	second_from = receive(&second);
	reply_version(&first_from, &first, "late");
	reply_version(&second_from, &second, "second");
	return NULL;
}

static void expect_cmd(const struct request *req, int cmd, bool dump)
{
	check(req->genl.cmd == cmd);
	check(((req->nlh.nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP) == dump);
}

/* Three jobs run. Then one still does, one has just ended, one is forgotten. */
static void *answer_jobs(void *arg)
{
	struct sockaddr_nl from;
	struct request req;

	from = receive(&req);
	expect_cmd(&req, MIGD_CMD_JOB_GET, true);
	for (uint64_t id = 1; id <= 3; id++)
		reply_job(&from, &req, id, MIGD_JOB_STATE_RUNNING);
	end(&from, &req, 0);

	from = receive(&req);
	expect_cmd(&req, MIGD_CMD_JOB_GET, true);
	reply_job(&from, &req, 2, MIGD_JOB_STATE_RUNNING);
	end(&from, &req, 0);
	from = receive(&req);
	expect_cmd(&req, MIGD_CMD_JOB_GET, false);
	end(&from, &req, -ENOENT);
	from = receive(&req);
	expect_cmd(&req, MIGD_CMD_JOB_GET, false);
	reply_job(&from, &req, 3, MIGD_JOB_STATE_DONE);
	end(&from, &req, 0);
	return NULL;
}

static pthread_t module(void *(*fn)(void *arg))
{
	pthread_t thread;

	check(!pthread_create(&thread, NULL, fn, NULL));
	return thread;
}

static void test_late(void)
{
	struct timeval soon = { .tv_usec = 50000 };
	pthread_t thread = module(answer_late);
	struct nl_features features;
	struct nl_ctl *ctl;

	check(!nl_ctl_open(&ctl) && nr_opened == 1);
	check(!setsockopt(nl_socket_get_fd(last), SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof(soon)));
	check(nl_get_features(ctl, &features) == -ETIMEDOUT);
	check(!nl_get_features(ctl, &features) && nr_opened == 2);
	check(!strcmp(features.version, "second"));
	pthread_join(thread, NULL);
	nl_ctl_close(ctl);
}

static void test_forgotten(void)
{
	struct manager m = { .state_dir = "", .run_dir = "/nonexistent" };
	pthread_t thread;

	conf_default(&m.conf);
	jobtab_init(&m.jobtab);
	log_set_level(LOG_ERR);
	check(!nl_ctl_open(&m.nl));
	thread = module(answer_jobs);

	check(!jobs_import(&m));
	check(m.nr_active == 3 && m.nr_finished == 0);
	check(!jobs_import(&m));
	pthread_join(thread, NULL);
	check(m.nr_active == 1 && m.nr_finished == 2);
	check(job_find(&m, 1)->done && !job_find(&m, 2)->done && job_find(&m, 3)->done);
	check(!strcmp(name_outcome(job_find(&m, 1)->nl.outcome), "unknown"));
	check(!strcmp(name_outcome(job_find(&m, 3)->nl.outcome), "moved"));

	jobs_free(&m);
	nl_ctl_close(m.nl);
	jobtab_destroy(&m.jobtab);
}

int main(void)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK };
	socklen_t len = sizeof(addr);

	module_fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_USERSOCK);
	check(module_fd >= 0 && !bind(module_fd, (struct sockaddr *)&addr, sizeof(addr)));
	check(!getsockname(module_fd, (struct sockaddr *)&addr, &len));
	module_port = addr.nl_pid;
	test_late();
	test_forgotten();
	close(module_fd);
	return 0;
}
