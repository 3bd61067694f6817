/* SPDX-License-Identifier: GPL-2.0 */
/* The words for the numbers of linux/migd_netlink.h. */
#ifndef MIGD_NAMES_H
#define MIGD_NAMES_H

#include <stdint.h>

/* Of a job that has ended while nobody listened; its name is "unknown". */
#define OUTCOME_UNKNOWN	UINT32_MAX

const char *name_order(uint32_t order);
const char *name_state(uint32_t state);
const char *name_outcome(uint32_t outcome);		/* "" while there is none */
const char *name_reason(uint32_t reason);
const char *name_channel_state(uint32_t state);
const char *name_rescue(uint32_t cause);
const char *name_pressure(uint32_t why);		/* enum pressure; "" while there is none */

/* Of a group: enum group_kind, group_state, member_state. */
const char *name_group_kind(uint32_t kind);
const char *name_group_state(uint32_t state);
const char *name_member(uint32_t state);

/* enum migd_order of its word, or -EINVAL. */
int order_of(const char *name);

#endif /* MIGD_NAMES_H */
