// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include "check.h"
#include "ctl_parse.h"

int ctl_event_fd(struct ctl *c)
{
	return nl_socket_get_fd(c->ev);
}

static void parse_event(struct nlmsghdr *nlh, struct event *ret)
{
	struct nlattr *tb[MIGD_A_JOB_MAX + 1];
	struct genlmsghdr *hdr = nlmsg_data(nlh);
	struct nlattr *attrs = genlmsg_attrdata(hdr, 0);
	int len = genlmsg_attrlen(hdr, 0);

	*ret = (struct event){ .cmd = hdr->cmd };
	/* The attribute sets overlap: which one it is depends on the event. */
	must(-!!nla_parse(tb, MIGD_A_JOB_MAX, attrs, len, NULL));
	switch (hdr->cmd) {
	case MIGD_CMD_JOB_PROGRESS_NTF:
	case MIGD_CMD_JOB_DONE_NTF:
		ret->id = attr_u64(tb[MIGD_A_JOB_ID]);
		ret->state = attr_u32(tb[MIGD_A_JOB_STATE]);
		ret->outcome = attr_u32(tb[MIGD_A_JOB_OUTCOME]);
		ret->moved = attr_u64(tb[MIGD_A_JOB_MOVED]);
		break;
	case MIGD_CMD_BATCH_RESCUED_NTF:
		ret->id = attr_u64(tb[MIGD_A_JOB_ID]);
		ret->cause = attr_u32(tb[MIGD_A_JOB_RESCUE_CAUSE]);
		ret->moved = attr_u64(tb[MIGD_A_JOB_RESCUED_MOVED]);
		ret->put_back = attr_u64(tb[MIGD_A_JOB_RESCUED_PUT_BACK]);
		break;
	case MIGD_CMD_ENGINE_FAULT_NTF:
	case MIGD_CMD_QUARANTINE_NTF:
		ret->id = attr_u32(tb[MIGD_A_CHANNEL_ID]);
		ret->error = attr_u32(tb[MIGD_A_CHANNEL_ERROR]);
		ret->quarantined = attr_u64(tb[MIGD_A_CHANNEL_QUARANTINED]);
		break;
	case MIGD_CMD_SERVER_LOST_NTF:
		ret->server_pid = attr_u32(tb[MIGD_A_FEATURES_SERVER_PID]);
		break;
	default:
		fail("unknown event %u", hdr->cmd);
	}
}

int ctl_try_events(struct ctl *c)
{
	static char buf[65536] __attribute__((aligned(8)));
	struct nlmsghdr *nlh;
	ssize_t got;
	int n;

	for (;;) {
		got = recv(ctl_event_fd(c), buf, sizeof(buf), MSG_DONTWAIT);
		if (got < 0 && errno == EAGAIN)
			return 0;
		if (got < 0)
			return -errno;
		n = (int)got;
		for (nlh = (void *)buf; nlmsg_ok(nlh, n); nlh = nlmsg_next(nlh, &n)) {
			check(c->nr_events < MAX_EVENTS, "too many events");
			parse_event(nlh, &c->events[c->nr_events++]);
		}
	}
}

void ctl_read_events(struct ctl *c)
{
	must(ctl_try_events(c));
}

const struct event *ctl_event(struct ctl *c, uint8_t cmd, uint64_t id,
			      unsigned int *pos)
{
	const struct event *ev;

	for (; *pos < c->nr_events; (*pos)++) {
		ev = &c->events[*pos];
		if (ev->cmd == cmd && (!id || ev->id == id)) {
			(*pos)++;
			return ev;
		}
	}
	return NULL;
}

const struct event *ctl_wait_event(struct ctl *c, uint8_t cmd, uint64_t id,
				   unsigned int *pos)
{
	struct pollfd pfd = { .fd = ctl_event_fd(c), .events = POLLIN };
	const struct event *ev;

	for (;;) {
		ctl_read_events(c);
		ev = ctl_event(c, cmd, id, pos);
		if (ev)
			return ev;
		check(must(poll(&pfd, 1, PATIENCE_MS)) == 1,
		      "no event %u of %llu", cmd, (unsigned long long)id);
	}
}
