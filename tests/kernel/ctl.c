// SPDX-License-Identifier: GPL-2.0
/* Requests of the family and their answers; events are in ctl_event.c. */
#include <errno.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>
#include <stdlib.h>
#include <string.h>
#include "check.h"
#include "ctl_parse.h"

typedef void answer_fn(struct nlattr *attrs, int len, void *arg);

int ctl_open(struct ctl *c, bool events)
{
	int err;

	memset(c, 0, sizeof(*c));
	c->req = nl_socket_alloc();
	c->ev = nl_socket_alloc();
	check(c->req && c->ev, "no memory");
	must(-!!genl_connect(c->req));
	must(-!!genl_connect(c->ev));
	must(-!!nl_socket_set_nonblocking(c->ev));
	must(-!!nl_socket_set_buffer_size(c->ev, 4 << 20, 0));
	nl_socket_enable_msg_peek(c->req);
	c->family = genl_ctrl_resolve(c->req, MIGD_FAMILY_NAME);
	check(c->family > 0, "no netlink family migd: %s", nl_geterror(c->family));
	c->group = genl_ctrl_resolve_grp(c->req, MIGD_FAMILY_NAME,
					 MIGD_MCGRP_EVENTS);
	check(c->group > 0, "no group events: %s", nl_geterror(c->group));
	must(setsockopt(nl_socket_get_fd(c->req), SOL_NETLINK, NETLINK_EXT_ACK,
			&(int){ 1 }, sizeof(int)));
	if (!events)
		return 0;
	err = setsockopt(nl_socket_get_fd(c->ev), SOL_NETLINK,
			 NETLINK_ADD_MEMBERSHIP, &c->group, sizeof(c->group));
	return err ? -errno : 0;
}

void ctl_close(struct ctl *c)
{
	nl_socket_free(c->req);
	nl_socket_free(c->ev);
}

static struct nl_msg *request(struct ctl *c, uint8_t cmd, int flags)
{
	struct nl_msg *msg = nlmsg_alloc();

	check(msg && genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, c->family, 0,
				 flags, cmd, MIGD_FAMILY_VERSION), "no memory");
	return msg;
}

/* The kernel's sentence, behind the request that it echoes. */
static int take_ack(struct ctl *c, struct nlmsghdr *nlh)
{
	struct nlmsgerr *err = nlmsg_data(nlh);
	struct nlattr *tb[NLMSGERR_ATTR_MAX + 1];
	size_t skip = sizeof(*err);

	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return err->error;
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		skip += NLMSG_ALIGN(err->msg.nlmsg_len) - sizeof(err->msg);
	if (!nla_parse(tb, NLMSGERR_ATTR_MAX,
		       (struct nlattr *)((char *)err + skip),
		       (int)(nlmsg_datalen(nlh) - (int)skip), NULL) &&
	    tb[NLMSGERR_ATTR_MSG])
		nla_strlcpy(c->ack, tb[NLMSGERR_ATTR_MSG], sizeof(c->ack));
	return err->error;
}

/* Sends @msg, feeds the answers to @fn, returns the error that ends them. */
static int transact(struct ctl *c, struct nl_msg *msg, answer_fn *fn, void *arg)
{
	struct sockaddr_nl from;
	struct nlmsghdr *nlh;
	unsigned char *buf;
	bool more = true;
	int n, err = 0;

	c->ack[0] = 0;
	n = nl_send_auto(c->req, msg);
	check(n >= 0, "cannot send: %s", nl_geterror(n));
	nlmsg_free(msg);
	while (more) {
		n = nl_recv(c->req, &from, &buf, NULL);
		check(n > 0, "cannot receive: %s", nl_geterror(n));
		for (nlh = (void *)buf; nlmsg_ok(nlh, n); nlh = nlmsg_next(nlh, &n)) {
			if (nlh->nlmsg_type == NLMSG_ERROR) {
				err = take_ack(c, nlh);
				more = false;
			} else if (nlh->nlmsg_type == NLMSG_DONE) {
				err = *(int *)nlmsg_data(nlh);
				more = false;
			} else if (fn) {
				fn(genlmsg_attrdata(nlmsg_data(nlh), 0),
				   genlmsg_attrlen(nlmsg_data(nlh), 0), arg);
			}
		}
		free(buf);
	}
	return err;
}

static void got_features(struct nlattr *attrs, int len, void *arg)
{
	struct features_info *f = arg;
	struct nlattr *tb[MIGD_A_FEATURES_MAX + 1];

	must(-!!nla_parse(tb, MIGD_A_FEATURES_MAX, attrs, len, NULL));
	memset(f, 0, sizeof(*f));
	if (tb[MIGD_A_FEATURES_VERSION])
		nla_strlcpy(f->version, tb[MIGD_A_FEATURES_VERSION],
			    sizeof(f->version));
	f->abi_version = attr_u32(tb[MIGD_A_FEATURES_ABI_VERSION]);
	f->features = attr_u64(tb[MIGD_A_FEATURES_FEATURES]);
	f->server_pid = attr_u32(tb[MIGD_A_FEATURES_SERVER_PID]);
	f->max_batch_pages = attr_u32(tb[MIGD_A_FEATURES_MAX_BATCH_PAGES]);
	f->grace_ms = attr_u32(tb[MIGD_A_FEATURES_GRACE_MS]);
}

int ctl_features(struct ctl *c, struct features_info *ret)
{
	return transact(c, request(c, MIGD_CMD_FEATURES_GET, 0), got_features, ret);
}

static void got_id(struct nlattr *attrs, int len, void *arg)
{
	struct nlattr *tb[MIGD_A_JOB_MAX + 1];

	must(-!!nla_parse(tb, MIGD_A_JOB_MAX, attrs, len, NULL));
	*(uint64_t *)arg = attr_u64(tb[MIGD_A_JOB_ID]);
}

int ctl_submit(struct ctl *c, const struct job_req *req, uint64_t *ret_id)
{
	struct nl_msg *msg = request(c, MIGD_CMD_JOB_SUBMIT, 0);
	struct nlattr *nest;
	unsigned int i;

	nla_put_u32(msg, MIGD_A_JOB_PID, (uint32_t)req->pid);
	nla_put_u64(msg, MIGD_A_JOB_START_TIME, req->start_time);
	if (req->from >= 0)
		nla_put_u32(msg, MIGD_A_JOB_FROM, (uint32_t)req->from);
	nla_put_u32(msg, MIGD_A_JOB_TO, (uint32_t)req->to);
	nla_put_u32(msg, MIGD_A_JOB_ORDER, req->order);
	if (req->batch_pages)
		nla_put_u32(msg, MIGD_A_JOB_BATCH_PAGES, req->batch_pages);
	if (req->deadline_us)
		nla_put_u32(msg, MIGD_A_JOB_DEADLINE_US, req->deadline_us);
	if (req->flags)
		nla_put_u32(msg, MIGD_A_JOB_FLAGS, req->flags);
	if (req->max_rate)
		nla_put_u64(msg, MIGD_A_JOB_MAX_RATE, req->max_rate);
	if (req->nice)
		nla_put_u32(msg, MIGD_A_JOB_NICE, req->nice);
	for (i = 0; i < req->nr_ranges; i++) {
		nest = nla_nest_start(msg, MIGD_A_JOB_RANGE);
		nla_put_u64(msg, MIGD_A_RANGE_START, req->range[i].start);
		nla_put_u64(msg, MIGD_A_RANGE_END, req->range[i].end);
		nla_nest_end(msg, nest);
	}
	*ret_id = 0;
	return transact(c, msg, got_id, ret_id);
}

int ctl_cancel(struct ctl *c, uint64_t id)
{
	return ctl_raw(c, MIGD_CMD_JOB_CANCEL, 0, MIGD_A_JOB_ID, &id, sizeof(id));
}

int ctl_set(struct ctl *c, uint64_t id, struct job_change change)
{
	struct nl_msg *msg = request(c, MIGD_CMD_JOB_SET, 0);

	nla_put_u64(msg, MIGD_A_JOB_ID, id);
	if (change.deadline_us >= 0)
		nla_put_u32(msg, MIGD_A_JOB_DEADLINE_US, (uint32_t)change.deadline_us);
	if (change.max_rate >= 0)
		nla_put_u64(msg, MIGD_A_JOB_MAX_RATE, (uint64_t)change.max_rate);
	if (change.paused >= 0)
		nla_put_u32(msg, MIGD_A_JOB_PAUSED, (uint32_t)change.paused);
	if (change.nice >= 0)
		nla_put_u32(msg, MIGD_A_JOB_NICE, (uint32_t)change.nice);
	return transact(c, msg, NULL, NULL);
}

int ctl_routed(struct ctl *c, uint64_t id, uint64_t moved, enum migd_reason reason, bool all)
{
	struct nl_msg *msg = request(c, MIGD_CMD_JOB_ROUTED, 0);

	nla_put_u64(msg, MIGD_A_JOB_ID, id);
	nla_put_u64(msg, MIGD_A_JOB_ROUTED, moved);
	nla_put_u32(msg, MIGD_A_JOB_ROUTED_REASON, reason);
	if (all)
		nla_put_flag(msg, MIGD_A_JOB_ROUTED_ALL);
	return transact(c, msg, NULL, NULL);
}

static void got_job(struct nlattr *attrs, int len, void *arg)
{
	parse_job(attrs, len, arg);
}

int ctl_job(struct ctl *c, uint64_t id, struct job_info *ret)
{
	struct nl_msg *msg = request(c, MIGD_CMD_JOB_GET, 0);

	nla_put_u64(msg, MIGD_A_JOB_ID, id);
	return transact(c, msg, got_job, ret);
}

/* An array that is filled by the answers of a dump. */
struct list {
	void *at;
	int n, max;
};

static void got_list_job(struct nlattr *attrs, int len, void *arg)
{
	struct list *list = arg;

	if (list->n < list->max)
		parse_job(attrs, len, (struct job_info *)list->at + list->n);
	list->n++;
}

int ctl_jobs(struct ctl *c, struct job_info *ret, int max)
{
	struct list list = { ret, 0, max };
	int err = transact(c, request(c, MIGD_CMD_JOB_GET, NLM_F_DUMP),
			   got_list_job, &list);

	return err ?: list.n;
}

static void got_stats(struct nlattr *attrs, int len, void *arg)
{
	parse_stats(attrs, len, arg);
}

int ctl_stats(struct ctl *c, struct stats_info *ret)
{
	return transact(c, request(c, MIGD_CMD_STATS_GET, 0), got_stats, ret);
}

static void got_channel_id(struct nlattr *attrs, int len, void *arg)
{
	struct channel_info channel;

	parse_channel(attrs, len, &channel);
	*(uint32_t *)arg = channel.id;
}

int ctl_claim(struct ctl *c, const char *name, uint32_t *ret_id)
{
	struct nl_msg *msg = request(c, MIGD_CMD_CHANNEL_CLAIM, 0);

	nla_put_string(msg, MIGD_A_CHANNEL_NAME, name);
	return transact(c, msg, got_channel_id, ret_id);
}

int ctl_release(struct ctl *c, uint32_t id)
{
	return ctl_raw(c, MIGD_CMD_CHANNEL_RELEASE, 0, MIGD_A_CHANNEL_ID, &id,
		       sizeof(id));
}

static void got_list_channel(struct nlattr *attrs, int len, void *arg)
{
	struct list *list = arg;

	if (list->n < list->max)
		parse_channel(attrs, len,
			      (struct channel_info *)list->at + list->n);
	list->n++;
}

int ctl_channels(struct ctl *c, struct channel_info *ret, int max)
{
	struct list list = { ret, 0, max };
	int err = transact(c, request(c, MIGD_CMD_CHANNEL_GET, NLM_F_DUMP),
			   got_list_channel, &list);

	return err ?: list.n;
}

static void got_config(struct nlattr *attrs, int len, void *arg)
{
	struct nlattr *tb[MIGD_A_CONFIG_MAX + 1];
	uint32_t *values = arg;

	must(-!!nla_parse(tb, MIGD_A_CONFIG_MAX, attrs, len, NULL));
	values[0] = attr_u32(tb[MIGD_A_CONFIG_MAX_LOCKED_PAGES]);
	values[1] = attr_u32(tb[MIGD_A_CONFIG_SERVER_WAIT_MS]);
}

int ctl_config_get(struct ctl *c, uint32_t *ret_locked, uint32_t *ret_wait)
{
	uint32_t values[2] = {};
	int err = transact(c, request(c, MIGD_CMD_CONFIG_GET, 0), got_config,
			   values);

	*ret_locked = values[0];
	*ret_wait = values[1];
	return err;
}

int ctl_config_set(struct ctl *c, uint32_t locked, uint32_t wait)
{
	struct nl_msg *msg = request(c, MIGD_CMD_CONFIG_SET, 0);

	if (locked)
		nla_put_u32(msg, MIGD_A_CONFIG_MAX_LOCKED_PAGES, locked);
	if (wait)
		nla_put_u32(msg, MIGD_A_CONFIG_SERVER_WAIT_MS, wait);
	return transact(c, msg, NULL, NULL);
}

int ctl_config_nice(struct ctl *c, uint32_t nice)
{
	return ctl_raw(c, MIGD_CMD_CONFIG_SET, 0, MIGD_A_CONFIG_NICE, &nice, sizeof(nice));
}

int ctl_raw(struct ctl *c, uint8_t cmd, int flags, int type, const void *data,
	    int len)
{
	struct nl_msg *msg = request(c, cmd, flags);

	if (type)
		nla_put(msg, type, len, data);
	return transact(c, msg, NULL, NULL);
}
