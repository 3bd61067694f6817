// SPDX-License-Identifier: GPL-2.0
/* Messages to the family migd that nobody would write by hand. */
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "fuzz.h"

#define ROOM		65536
#define DEPTH		4
/* Of one message, without its ranges. */
#define LONGEST		8192
/* Answers taken at once, and what of each is looked at. */
#define ANSWERS		64
#define ANSWER_ROOM	4096

struct text {
	unsigned int len;
	unsigned char at[ROOM] __attribute__((aligned(8)));
};

static uint64_t some_number(struct rnd *r)
{
	const struct target *t = common->target;

	switch (rnd_below(r, 16)) {
	case 0: case 1:
		return (uint64_t)t->pid;
	case 2: case 3:
		return t->start_time;
	case 4: case 5:
		return rnd_below(r, 4);
	case 6:
		return common->addr + PAGE * rnd_below(r, common->bytes / PAGE);
	case 7:
		return common->addr + common->bytes;
	case 8:
		return rnd_below(r, 2000);
	case 9:
		return (uint64_t)common->channel[rnd_below(r, MAX_ENGINES)];
	}
	return rnd_odd(r);
}

/* The header now, the length when the payload is there. */
static struct nlattr *begin(struct text *m, uint16_t type)
{
	struct nlattr *a = (void *)(m->at + m->len);

	a->nla_type = type;
	m->len += NLA_HDRLEN;
	return a;
}

static void end(struct text *m, struct nlattr *a)
{
	a->nla_len = (uint16_t)(m->at + m->len - (unsigned char *)a);
	while (m->len & 3)
		m->at[m->len++] = 0;
}

static void put(struct text *m, const void *data, size_t n)
{
	memcpy(m->at + m->len, data, n);
	m->len += (unsigned int)n;
}

static void attribute(struct text *m, struct rnd *r, unsigned int depth);

static void payload(struct text *m, struct rnd *r, unsigned int depth)
{
	unsigned int n;
	uint64_t v;
	char name[32];

	switch (rnd_below(r, 8)) {
	case 0: case 1: case 2:
		v = some_number(r);
		put(m, &v, rnd_one_in(r, 2) ? 4 : 8);
		break;
	case 3:
		for (n = (unsigned int)rnd_below(r, 4); n-- && depth < DEPTH;)
			attribute(m, r, depth + 1);
		break;
	case 4:
		memcpy(name, common->name[rnd_below(r, common->nr_names)], sizeof(name));
		put(m, name, rnd_one_in(r, 8) ? sizeof(name) : strlen(name) + 1);
		break;
	case 5:
		break;
	default:
		n = (unsigned int)rnd_below(r, rnd_one_in(r, 16) ? 600 : 20);
		rnd_bytes(r, m->at + m->len, n);
		m->len += n;
	}
}

static void attribute(struct text *m, struct rnd *r, unsigned int depth)
{
	uint16_t type = (uint16_t)rnd_below(r, rnd_one_in(r, 16) ? 0x4000 : 32);
	struct nlattr *a;

	if (m->len + LONGEST / 2 > ROOM)
		return;
	if (rnd_one_in(r, 4))
		type |= NLA_F_NESTED;
	a = begin(m, type);
	payload(m, r, depth);
	end(m, a);
	if (rnd_one_in(r, 32))
		a->nla_len = (uint16_t)rnd_odd(r);
}

static void put_number(struct text *m, uint16_t type, uint64_t value, size_t size)
{
	struct nlattr *a = begin(m, type);

	put(m, &value, size);
	end(m, a);
}

static void put_range(struct text *m, uint64_t start, uint64_t stop)
{
	struct nlattr *a;

	if (m->len + 64 > ROOM)
		return;
	a = begin(m, MIGD_A_JOB_RANGE | NLA_F_NESTED);
	put_number(m, MIGD_A_RANGE_START, start, 8);
	put_number(m, MIGD_A_RANGE_END, stop, 8);
	end(m, a);
}

/* A job that could be somebody's, but for one thing or another. */
static void submission(struct text *m, struct rnd *r)
{
	const struct target *t = common->target;
	unsigned int n;
	uint64_t at;

	/* Once in a while the server itself: it waits for its own pages. */
	if (rnd_one_in(r, 32)) {
		put_number(m, MIGD_A_JOB_PID, (uint64_t)common->server_pid, 4);
		put_number(m, MIGD_A_JOB_START_TIME, common->server_start, 8);
	} else {
		put_number(m, MIGD_A_JOB_PID, (uint64_t)t->pid, 4);
		put_number(m, MIGD_A_JOB_START_TIME, t->start_time, 8);
	}
	put_number(m, MIGD_A_JOB_TO, rnd_below(r, rnd_one_in(r, 8) ? 4 : 2), 4);
	if (rnd_one_in(r, 2))
		put_number(m, MIGD_A_JOB_FROM, rnd_below(r, rnd_one_in(r, 8) ? 4 : 2), 4);
	put_number(m, MIGD_A_JOB_ORDER, rnd_below(r, rnd_one_in(r, 8) ? 3 : 2), 4);
	/* Short: no locked page shall wait for this server. */
	put_number(m, MIGD_A_JOB_DEADLINE_US, 1000 + rnd_below(r, 50000), 4);
	if (rnd_one_in(r, 2))
		put_number(m, MIGD_A_JOB_BATCH_PAGES, some_number(r), 4);
	if (rnd_one_in(r, 8))
		put_number(m, MIGD_A_JOB_MAX_RATE, some_number(r), 8);
	if (rnd_one_in(r, 8))
		put_number(m, MIGD_A_JOB_NICE, rnd_below(r, 21), 4);
	if (rnd_one_in(r, 4))
		put_number(m, MIGD_A_JOB_FLAGS, rnd_below(r, 9), 4);
	n = (unsigned int)rnd_below(r, rnd_one_in(r, 32) ? 2000 : 4);
	while (n--) {
		at = common->addr + PAGE * rnd_below(r, common->bytes / PAGE);
		put_range(m, at, rnd_one_in(r, 8) ? some_number(r) :
			  at + PAGE * (1 + rnd_below(r, 64)));
	}
}

/*
 * Adds a message; false when nothing can follow it, for its length is wrong.
 * Jobs and dumps cost much more than a refusal, and there are always some.
 */
static bool message(struct text *m, struct rnd *r, int family)
{
	struct nlmsghdr *nlh = (void *)(m->at + m->len);
	struct genlmsghdr *gh = (void *)(nlh + 1);
	unsigned int n, from = m->len;

	*nlh = (struct nlmsghdr){
		.nlmsg_type = (uint16_t)family,
		.nlmsg_flags = NLM_F_REQUEST,
		.nlmsg_seq = (uint32_t)rnd(r),
	};
	*gh = (struct genlmsghdr){
		.cmd = (uint8_t)rnd_below(r, MIGD_CMD_MAX + 4),
		.version = rnd_one_in(r, 16) ? (uint8_t)rnd(r) : 1,
		.reserved = rnd_one_in(r, 32) ? (uint16_t)rnd(r) : 0,
	};
	m->len += NLMSG_HDRLEN + GENL_HDRLEN;
	if (rnd_one_in(r, 2))
		nlh->nlmsg_flags |= NLM_F_ACK;
	if (rnd_one_in(r, 64))
		nlh->nlmsg_flags |= (uint16_t)rnd(r);
	if (rnd_one_in(r, 16)) {
		gh->cmd = MIGD_CMD_JOB_SUBMIT;
		submission(m, r);
	} else if (rnd_one_in(r, 64)) {
		gh->cmd = rnd_one_in(r, 2) ? MIGD_CMD_JOB_GET : MIGD_CMD_CHANNEL_GET;
		nlh->nlmsg_flags |= NLM_F_DUMP;
	}
	for (n = (unsigned int)rnd_below(r, 8); n--;)
		attribute(m, r, 0);
	nlh->nlmsg_len = m->len - from;
	if (rnd_one_in(r, 64))
		nlh->nlmsg_len = (uint32_t)rnd_odd(r);
	else if (rnd_one_in(r, 32))
		nlh->nlmsg_len -= (uint32_t)rnd_below(r, nlh->nlmsg_len - NLMSG_HDRLEN + 1);
	else
		return true;
	return false;
}

/* What comes back is counted; of a dump sometimes only the beginning is read. */
static void answers(int sock, struct rnd *r)
{
	static unsigned char buf[ANSWERS][ANSWER_ROOM] __attribute__((aligned(8)));
	static struct mmsghdr msg[ANSWERS];
	static struct iovec iov[ANSWERS];
	struct nlmsghdr *nlh;
	unsigned int len;
	int n, i;

	for (i = 0; i < ANSWERS; i++) {
		iov[i] = (struct iovec){ buf[i], sizeof(buf[i]) };
		msg[i].msg_hdr = (struct msghdr){ .msg_iov = &iov[i], .msg_iovlen = 1 };
	}
	while ((n = recvmmsg(sock, msg, ANSWERS, MSG_DONTWAIT, NULL)) > 0) {
		for (i = 0; i < n; i++) {
			len = msg[i].msg_len;
			for (nlh = (void *)buf[i]; NLMSG_OK(nlh, len);
			     nlh = NLMSG_NEXT(nlh, len))
				if (nlh->nlmsg_type == NLMSG_ERROR)
					count_answer(common->netlink_answer,
						     ((struct nlmsgerr *)NLMSG_DATA(nlh))->error);
		}
		if (rnd_one_in(r, 64))
			return;
	}
}

static int open_socket(struct rnd *r)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	int sock = (int)must(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC));
	int option;

	must(connect(sock, (void *)&kernel, sizeof(kernel)));
	for (option = NETLINK_CAP_ACK; option <= NETLINK_GET_STRICT_CHK; option++)
		setsockopt(sock, SOL_NETLINK, option, &(int){ (int)rnd_below(r, 2) },
			   sizeof(int));
	return sock;
}

void fuzz_netlink(uint64_t seed, int family)
{
	static struct text m;
	struct rnd r = { seed };
	int sock = open_socket(&r);

	for (;;) {
		m.len = 0;
		do
			common->netlink++;
		while (message(&m, &r, family) && !rnd_one_in(&r, 48) &&
		       m.len + LONGEST < ROOM);
		/* EINVAL and the like are as good as an answer */
		if (send(sock, m.at, m.len - rnd_one_in(&r, 32) * rnd_below(&r, m.len),
			 MSG_DONTWAIT) < 0 && errno == EBADF)
			fail("the socket is gone");
		answers(sock, &r);
		if (rnd_one_in(&r, 64)) {
			close(sock);
			sock = open_socket(&r);
		}
	}
}
