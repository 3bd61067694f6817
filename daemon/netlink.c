// SPDX-License-Identifier: GPL-2.0
/* Requests to the module over generic netlink. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <linux/netlink.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>

#include "netlink.h"

/* A request the module has not answered by then counts as failed. */
#define ANSWER_SECONDS	10

/* Room for a request; 256 ranges of a job, 28 bytes each, are the largest. */
#define REQUEST_BYTES	16384

struct nl_ctl {
	struct nl_sock *sock;		/* NULL: to be opened by the next request */
	int family;
	char message[256];		/* NLMSGERR_ATTR_MSG of the last error */
};

/* One request in flight: where its answers go and how it ended. */
struct request {
	struct nl_ctl *ctl;
	void (*fn)(struct nlattr *attrs, int len, void *arg);
	void *arg;
	bool done;
	int err;
};

static int on_valid(struct nl_msg *msg, void *arg)
{
	struct genlmsghdr *gh = genlmsg_hdr(nlmsg_hdr(msg));
	struct request *req = arg;

	if (req->fn)
		req->fn(genlmsg_attrdata(gh, 0), genlmsg_attrlen(gh, 0), req->arg);
	return NL_OK;
}

/* The end of a dump; its payload is the dump's own error, or 0. */
static int on_finish(struct nl_msg *msg, void *arg)
{
	struct nlmsghdr *nlh = nlmsg_hdr(msg);
	struct request *req = arg;

	if (nlmsg_datalen(nlh) >= (int)sizeof(int))
		memcpy(&req->err, nlmsg_data(nlh), sizeof(int));
	req->done = true;
	return NL_STOP;
}

static int on_ack(struct nl_msg *msg, void *arg)
{
	struct request *req = arg;

	req->done = true;
	return NL_STOP;
}

static void keep_message(struct nl_ctl *ctl, struct nlmsgerr *e)
{
	struct nlmsghdr *nlh = (struct nlmsghdr *)((char *)e - NLMSG_HDRLEN);
	int skip = sizeof(*e), rem;
	struct nlattr *a;

	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	/* Without NLM_F_CAPPED the request is repeated before the attributes. */
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		skip += NLMSG_ALIGN(e->msg.nlmsg_len) - NLMSG_HDRLEN;
	nla_for_each_attr(a, (struct nlattr *)((char *)e + skip), nlmsg_datalen(nlh) - skip, rem)
		if (nla_type(a) == NLMSGERR_ATTR_MSG)
			snprintf(ctl->message, sizeof(ctl->message), "%.*s", nla_len(a),
				 (char *)nla_data(a));
}

static int on_error(struct sockaddr_nl *from, struct nlmsgerr *e, void *arg)
{
	struct request *req = arg;

	req->err = e->error;
	req->done = true;
	keep_message(req->ctl, e);
	return NL_STOP;
}

static int open_socket(struct nl_ctl *ctl)
{
	const struct timeval tv = { .tv_sec = ANSWER_SECONDS };
	int one = 1, fd;

	ctl->sock = nl_socket_alloc();
	if (!ctl->sock)
		return -ENOMEM;
	if (genl_connect(ctl->sock) < 0) {
		nl_socket_free(ctl->sock);
		ctl->sock = NULL;
		return -EIO;
	}
	/* Without these an error comes without the module's sentence. */
	fd = nl_socket_get_fd(ctl->sock);
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one));
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	return 0;
}

/* Sends @msg and takes answers until the last. */
static int exchange(struct nl_ctl *ctl, struct nl_msg *msg, struct request *req)
{
	struct nl_cb *cb = nl_cb_alloc(NL_CB_DEFAULT);
	int r;

	if (!cb)
		return -ENOMEM;
	nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, on_valid, req);
	nl_cb_set(cb, NL_CB_FINISH, NL_CB_CUSTOM, on_finish, req);
	nl_cb_set(cb, NL_CB_ACK, NL_CB_CUSTOM, on_ack, req);
	nl_cb_err(cb, NL_CB_CUSTOM, on_error, req);

	r = nl_send_auto(ctl->sock, msg);
	while (r >= 0 && !req->done)
		r = nl_recvmsgs(ctl->sock, cb);
	nl_cb_put(cb);
	if (req->done)
		return req->err;
	/* What is still to come on this socket would be taken for the next answer. */
	nl_socket_free(ctl->sock);
	ctl->sock = NULL;
	return r == -NLE_AGAIN ? -ETIMEDOUT : -EIO;
}

/* One request, with @msg, which is freed. */
static int transact(struct nl_ctl *ctl, struct nl_msg *msg,
		    void (*fn)(struct nlattr *attrs, int len, void *arg), void *arg)
{
	struct request req = { .ctl = ctl, .fn = fn, .arg = arg };
	int r = 0;

	ctl->message[0] = '\0';
	if (!ctl->sock)
		r = open_socket(ctl);
	if (!r)
		r = exchange(ctl, msg, &req);
	nlmsg_free(msg);
	return r;
}

static struct nl_msg *new_msg(struct nl_ctl *ctl, int cmd, int flags)
{
	struct nl_msg *msg = nlmsg_alloc_size(REQUEST_BYTES);

	if (msg && !genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, ctl->family, 0,
				NLM_F_REQUEST | NLM_F_ACK | flags, cmd, MIGD_FAMILY_VERSION)) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

int nl_ctl_open(struct nl_ctl **ret)
{
	struct nl_ctl *ctl;
	int r;

	ctl = calloc(1, sizeof(*ctl));
	if (!ctl)
		return -ENOMEM;
	r = open_socket(ctl);
	if (r < 0)
		goto err;
	ctl->family = genl_ctrl_resolve(ctl->sock, MIGD_FAMILY_NAME);
	if (ctl->family < 0) {
		r = -ENOENT;
		goto err;
	}
	*ret = ctl;
	return 0;

err:
	nl_ctl_close(ctl);
	return r;
}

void nl_ctl_close(struct nl_ctl *ctl)
{
	if (!ctl)
		return;
	if (ctl->sock)
		nl_socket_free(ctl->sock);
	free(ctl);
}

const char *nl_ctl_message(const struct nl_ctl *ctl)
{
	return ctl->message;
}

static void take_features(struct nlattr *attrs, int len, void *arg)
{
	nl_parse_features(attrs, len, arg);
}

static void take_stats(struct nlattr *attrs, int len, void *arg)
{
	nl_parse_stats(attrs, len, arg);
}

static void take_job(struct nlattr *attrs, int len, void *arg)
{
	nl_parse_job(attrs, len, arg);
}

static void take_channel(struct nlattr *attrs, int len, void *arg)
{
	nl_parse_channel(attrs, len, arg);
}

int nl_get_features(struct nl_ctl *ctl, struct nl_features *ret)
{
	struct nl_msg *msg = new_msg(ctl, MIGD_CMD_FEATURES_GET, 0);

	return msg ? transact(ctl, msg, take_features, ret) : -ENOMEM;
}

int nl_get_stats(struct nl_ctl *ctl, struct nl_stats *ret)
{
	struct nl_msg *msg = new_msg(ctl, MIGD_CMD_STATS_GET, 0);

	return msg ? transact(ctl, msg, take_stats, ret) : -ENOMEM;
}

/* A request with one u64 attribute. */
static int ask_u64(struct nl_ctl *ctl, int cmd, int attr, uint64_t value,
		   void (*fn)(struct nlattr *attrs, int len, void *arg), void *arg)
{
	struct nl_msg *msg = new_msg(ctl, cmd, 0);

	if (!msg)
		return -ENOMEM;
	if (nla_put_u64(msg, attr, value) < 0) {
		nlmsg_free(msg);
		return -EMSGSIZE;
	}
	return transact(ctl, msg, fn, arg);
}

int nl_get_job(struct nl_ctl *ctl, uint64_t id, struct nl_job *ret)
{
	return ask_u64(ctl, MIGD_CMD_JOB_GET, MIGD_A_JOB_ID, id, take_job, ret);
}

int nl_cancel(struct nl_ctl *ctl, uint64_t id)
{
	return ask_u64(ctl, MIGD_CMD_JOB_CANCEL, MIGD_A_JOB_ID, id, NULL, NULL);
}

int nl_claim(struct nl_ctl *ctl, const char *name, uint32_t *ret_id)
{
	struct nl_msg *msg = new_msg(ctl, MIGD_CMD_CHANNEL_CLAIM, 0);
	struct nl_channel channel = { .id = 0 };
	int r;

	if (!msg)
		return -ENOMEM;
	if (nla_put_string(msg, MIGD_A_CHANNEL_NAME, name) < 0) {
		nlmsg_free(msg);
		return -EMSGSIZE;
	}
	r = transact(ctl, msg, take_channel, &channel);
	if (!r)
		*ret_id = channel.id;
	return r;
}

int nl_release(struct nl_ctl *ctl, uint32_t id)
{
	struct nl_msg *msg = new_msg(ctl, MIGD_CMD_CHANNEL_RELEASE, 0);

	if (!msg)
		return -ENOMEM;
	if (nla_put_u32(msg, MIGD_A_CHANNEL_ID, id) < 0) {
		nlmsg_free(msg);
		return -EMSGSIZE;
	}
	return transact(ctl, msg, NULL, NULL);
}

int nl_set_job(struct nl_ctl *ctl, uint64_t id, const struct nl_change *change)
{
	struct nl_msg *msg = new_msg(ctl, MIGD_CMD_JOB_SET, 0);

	if (!msg)
		return -ENOMEM;
	if (nla_put_u64(msg, MIGD_A_JOB_ID, id) < 0 ||
	    (change->has_deadline &&
	     nla_put_u32(msg, MIGD_A_JOB_DEADLINE_US, change->deadline_us) < 0) ||
	    (change->has_rate && nla_put_u64(msg, MIGD_A_JOB_MAX_RATE, change->max_rate) < 0) ||
	    (change->has_paused && nla_put_u32(msg, MIGD_A_JOB_PAUSED, change->paused) < 0) ||
	    (change->has_nice && nla_put_u32(msg, MIGD_A_JOB_NICE, change->nice) < 0)) {
		nlmsg_free(msg);
		return -EMSGSIZE;
	}
	return transact(ctl, msg, NULL, NULL);
}

int nl_set_nice(struct nl_ctl *ctl, uint32_t nice)
{
	struct nl_msg *msg = new_msg(ctl, MIGD_CMD_CONFIG_SET, 0);

	if (!msg)
		return -ENOMEM;
	if (nla_put_u32(msg, MIGD_A_CONFIG_NICE, nice) < 0) {
		nlmsg_free(msg);
		return -EMSGSIZE;
	}
	return transact(ctl, msg, NULL, NULL);
}

static int put_range(struct nl_msg *msg, const struct nl_range *range)
{
	struct nlattr *nest = nla_nest_start(msg, MIGD_A_JOB_RANGE);

	if (!nest || nla_put_u64(msg, MIGD_A_RANGE_START, range->start) < 0 ||
	    nla_put_u64(msg, MIGD_A_RANGE_END, range->end) < 0)
		return -EMSGSIZE;
	return nla_nest_end(msg, nest) < 0 ? -EMSGSIZE : 0;
}

static int put_submit(struct nl_msg *msg, const struct nl_submit *job)
{
	if (nla_put_u32(msg, MIGD_A_JOB_PID, job->pid) < 0 ||
	    nla_put_u64(msg, MIGD_A_JOB_START_TIME, job->start_time) < 0 ||
	    nla_put_u32(msg, MIGD_A_JOB_TO, job->to) < 0 ||
	    nla_put_u32(msg, MIGD_A_JOB_ORDER, job->order) < 0)
		return -EMSGSIZE;
	if (job->from >= 0 && nla_put_u32(msg, MIGD_A_JOB_FROM, job->from) < 0)
		return -EMSGSIZE;
	if (job->batch_pages && nla_put_u32(msg, MIGD_A_JOB_BATCH_PAGES, job->batch_pages) < 0)
		return -EMSGSIZE;
	if (job->deadline_us && nla_put_u32(msg, MIGD_A_JOB_DEADLINE_US, job->deadline_us) < 0)
		return -EMSGSIZE;
	if (job->max_rate && nla_put_u64(msg, MIGD_A_JOB_MAX_RATE, job->max_rate) < 0)
		return -EMSGSIZE;
	if (job->nice && nla_put_u32(msg, MIGD_A_JOB_NICE, job->nice) < 0)
		return -EMSGSIZE;
	if (job->flags && nla_put_u32(msg, MIGD_A_JOB_FLAGS, job->flags) < 0)
		return -EMSGSIZE;
	for (size_t i = 0; i < job->nr_ranges; i++)
		if (put_range(msg, &job->ranges[i]) < 0)
			return -EMSGSIZE;
	return 0;
}

int nl_submit(struct nl_ctl *ctl, const struct nl_submit *job, uint64_t *ret_id)
{
	struct nl_msg *msg = new_msg(ctl, MIGD_CMD_JOB_SUBMIT, 0);
	struct nl_job answer = { .id = 0 };
	int r;

	if (!msg)
		return -ENOMEM;
	if (put_submit(msg, job) < 0) {
		nlmsg_free(msg);
		return -EMSGSIZE;
	}
	r = transact(ctl, msg, take_job, &answer);
	if (!r)
		*ret_id = answer.id;
	return r;
}

static void take_larges(struct nlattr *attrs, int len, void *arg)
{
	nl_parse_larges(attrs, len, arg);
}

int nl_get_large(struct nl_ctl *ctl, uint64_t id, uint64_t from, struct nl_larges *ret)
{
	struct nl_msg *msg = new_msg(ctl, MIGD_CMD_JOB_LARGE_GET, 0);

	ret->nr = 0;
	if (!msg)
		return -ENOMEM;
	if (nla_put_u64(msg, MIGD_A_JOB_ID, id) < 0 ||
	    nla_put_u64(msg, MIGD_A_JOB_LARGE_FROM, from) < 0) {
		nlmsg_free(msg);
		return -EMSGSIZE;
	}
	return transact(ctl, msg, take_larges, ret);
}

static int put_left(struct nl_msg *msg, const uint64_t *left)
{
	struct nlattr *nest;

	for (uint32_t i = 0; i < NL_REASONS; i++) {
		if (!left[i])
			continue;
		nest = nla_nest_start(msg, MIGD_A_JOB_LEFT);
		if (!nest || nla_put_u32(msg, MIGD_A_LEFT_REASON, i) < 0 ||
		    nla_put_u64(msg, MIGD_A_LEFT_PAGES, left[i]) < 0 || nla_nest_end(msg, nest) < 0)
			return -EMSGSIZE;
	}
	return nla_put_flag(msg, MIGD_A_JOB_ROUTED_ALL);
}

int nl_routed(struct nl_ctl *ctl, const struct nl_routed *routed)
{
	struct nl_msg *msg = new_msg(ctl, MIGD_CMD_JOB_ROUTED, 0);

	if (!msg)
		return -ENOMEM;
	if (nla_put_u64(msg, MIGD_A_JOB_ID, routed->id) < 0 ||
	    nla_put_u64(msg, MIGD_A_JOB_LARGE_FROM, routed->done_below) < 0 ||
	    nla_put_u64(msg, MIGD_A_JOB_ROUTED, routed->moved) < 0 ||
	    nla_put_u32(msg, MIGD_A_JOB_ROUTED_REASON, routed->reason) < 0 ||
	    (routed->all && put_left(msg, routed->left) < 0)) {
		nlmsg_free(msg);
		return -EMSGSIZE;
	}
	return transact(ctl, msg, NULL, NULL);
}

struct dump_jobs {
	void (*fn)(const struct nl_job *job, void *arg);
	void *arg;
};

static void dump_job(struct nlattr *attrs, int len, void *arg)
{
	struct dump_jobs *d = arg;
	struct nl_job job;

	nl_parse_job(attrs, len, &job);
	d->fn(&job, d->arg);
}

int nl_dump_jobs(struct nl_ctl *ctl, void (*fn)(const struct nl_job *job, void *arg), void *arg)
{
	struct nl_msg *msg = new_msg(ctl, MIGD_CMD_JOB_GET, NLM_F_DUMP);
	struct dump_jobs d = { .fn = fn, .arg = arg };

	return msg ? transact(ctl, msg, dump_job, &d) : -ENOMEM;
}

struct dump_channels {
	void (*fn)(const struct nl_channel *channel, void *arg);
	void *arg;
};

static void dump_channel(struct nlattr *attrs, int len, void *arg)
{
	struct dump_channels *d = arg;
	struct nl_channel channel;

	nl_parse_channel(attrs, len, &channel);
	d->fn(&channel, d->arg);
}

int nl_dump_channels(struct nl_ctl *ctl, void (*fn)(const struct nl_channel *channel, void *arg),
		     void *arg)
{
	struct nl_msg *msg = new_msg(ctl, MIGD_CMD_CHANNEL_GET, NLM_F_DUMP);
	struct dump_channels d = { .fn = fn, .arg = arg };

	return msg ? transact(ctl, msg, dump_channel, &d) : -ENOMEM;
}
