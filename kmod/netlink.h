/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MIGD_NETLINK_H
#define _MIGD_NETLINK_H

#include <linux/skbuff.h>
#include "internal.h"

/* All attributes of a job, for a reply, a dump or the done event. */
int migd_nl_put_job(struct sk_buff *skb, struct migd_job *job);

#endif /* _MIGD_NETLINK_H */
