// SPDX-License-Identifier: GPL-2.0
/* The module's events. */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>

#include "events.h"

/* Room for events while the loop is busy; more than that is an overrun. */
#define RX_BYTES	(512 * 1024)

struct events {
	struct nl_sock *sock;
	sd_event_source *source;
	const struct events_ops *ops;
	void *arg;
};

static int on_event(struct nl_msg *msg, void *arg)
{
	struct genlmsghdr *gh = genlmsg_hdr(nlmsg_hdr(msg));
	struct nlattr *attrs = genlmsg_attrdata(gh, 0);
	int len = genlmsg_attrlen(gh, 0);
	struct nl_features features;
	struct nl_channel channel;
	struct events *ev = arg;
	struct nl_job job;

	switch (gh->cmd) {
	case MIGD_CMD_JOB_PROGRESS_NTF:
	case MIGD_CMD_JOB_DONE_NTF:
	case MIGD_CMD_BATCH_RESCUED_NTF:
		nl_parse_job(attrs, len, &job);
		if (gh->cmd == MIGD_CMD_JOB_PROGRESS_NTF)
			ev->ops->job_progress(&job, ev->arg);
		else if (gh->cmd == MIGD_CMD_JOB_DONE_NTF)
			ev->ops->job_done(&job, ev->arg);
		else
			ev->ops->batch_rescued(&job, ev->arg);
		break;
	case MIGD_CMD_ENGINE_FAULT_NTF:
	case MIGD_CMD_QUARANTINE_NTF:
		nl_parse_channel(attrs, len, &channel);
		if (gh->cmd == MIGD_CMD_ENGINE_FAULT_NTF)
			ev->ops->engine_fault(&channel, ev->arg);
		else
			ev->ops->quarantine(&channel, ev->arg);
		break;
	case MIGD_CMD_SERVER_LOST_NTF:
		nl_parse_features(attrs, len, &features);
		ev->ops->server_lost(features.server_pid, ev->arg);
		break;
	}
	return NL_OK;
}

static int on_readable(sd_event_source *source, int fd, uint32_t revents, void *arg)
{
	struct events *ev = arg;
	int r;

	r = nl_recvmsgs_default(ev->sock);
	/* libnl answers NLE_NOMEM for ENOBUFS. */
	if (r == -NLE_NOMEM)
		ev->ops->overrun(ev->arg);
	return 0;
}

int events_open(struct events **ret, sd_event *event, const struct events_ops *ops, void *arg)
{
	struct events *ev;
	int group, r;

	ev = calloc(1, sizeof(*ev));
	if (!ev)
		return -ENOMEM;
	ev->ops = ops;
	ev->arg = arg;
	ev->sock = nl_socket_alloc();
	if (!ev->sock) {
		r = -ENOMEM;
		goto err;
	}
	/* Events carry their own sequence numbers. */
	nl_socket_disable_seq_check(ev->sock);
	nl_socket_modify_cb(ev->sock, NL_CB_VALID, NL_CB_CUSTOM, on_event, ev);
	if (genl_connect(ev->sock) < 0) {
		r = -EIO;
		goto err;
	}
	nl_socket_set_buffer_size(ev->sock, RX_BYTES, 0);
	group = genl_ctrl_resolve_grp(ev->sock, MIGD_FAMILY_NAME, MIGD_MCGRP_EVENTS);
	if (group < 0) {
		r = -ENOENT;
		goto err;
	}
	r = nl_socket_add_membership(ev->sock, group);
	if (r < 0) {
		r = r == -NLE_PERM ? -EPERM : -EIO;
		goto err;
	}
	nl_socket_set_nonblocking(ev->sock);
	r = sd_event_add_io(event, &ev->source, nl_socket_get_fd(ev->sock), EPOLLIN, on_readable,
			    ev);
	if (r < 0)
		goto err;
	*ret = ev;
	return 0;

err:
	events_close(ev);
	return r;
}

void events_close(struct events *ev)
{
	if (!ev)
		return;
	sd_event_source_disable_unref(ev->source);
	nl_socket_free(ev->sock);
	free(ev);
}
