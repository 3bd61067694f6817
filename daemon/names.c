// SPDX-License-Identifier: GPL-2.0
/* The words for the numbers of linux/migd_netlink.h. */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <linux/migd_netlink.h>

#include "group.h"
#include "names.h"

static const char * const orders[] = {
	[MIGD_ORDER_COPY_FIRST]		= "copy-first",
	[MIGD_ORDER_STATE_FIRST]	= "state-first",
};

static const char * const states[] = {
	[MIGD_JOB_STATE_QUEUED]		= "queued",
	[MIGD_JOB_STATE_RUNNING]	= "running",
	[MIGD_JOB_STATE_WAITING]	= "waiting",
	[MIGD_JOB_STATE_DONE]		= "done",
	[MIGD_JOB_STATE_ROUTING]	= "routing",
	[MIGD_JOB_STATE_PAUSED]		= "paused",
};

static const char * const outcomes[] = {
	[MIGD_OUTCOME_NONE]		= "",
	[MIGD_OUTCOME_MOVED]		= "moved",
	[MIGD_OUTCOME_PARTLY]		= "partly",
	[MIGD_OUTCOME_FAILED]		= "failed",
	[MIGD_OUTCOME_CANCELLED]	= "cancelled",
	[MIGD_OUTCOME_TARGET_GONE]	= "target-gone",
	[MIGD_OUTCOME_SERVER_LOST]	= "server-lost",
};

static const char * const reasons[] = {
	[MIGD_REASON_FILE]		= "file",
	[MIGD_REASON_SHMEM]		= "shmem",
	[MIGD_REASON_HUGETLB]		= "hugetlb",
	[MIGD_REASON_HUGE]		= "huge",
	[MIGD_REASON_LARGE]		= "large",
	[MIGD_REASON_KSM]		= "ksm",
	[MIGD_REASON_SPECIAL]		= "special",
	[MIGD_REASON_TAGGED]		= "tagged",
	[MIGD_REASON_SWAP_CACHE]	= "swap-cache",
	[MIGD_REASON_REFUSED]		= "refused",
	[MIGD_REASON_WRITEBACK]		= "writeback",
	[MIGD_REASON_POISONED]		= "poisoned",
	[MIGD_REASON_NO_MEMORY]		= "no-memory",
	[MIGD_REASON_BUSY]		= "busy",
	[MIGD_REASON_COPY_FAILED]	= "copy-failed",
	[MIGD_REASON_PUT_BACK]		= "put-back",
	[MIGD_REASON_UNREACHED]		= "unreached",
	[MIGD_REASON_VERIFY_FAILED]	= "verify-failed",
	[MIGD_REASON_ATOMIC]		= "atomic",
};

static const char * const channel_states[] = {
	[MIGD_CHANNEL_STATE_READY]	= "ready",
	[MIGD_CHANNEL_STATE_FAULTED]	= "faulted",
	[MIGD_CHANNEL_STATE_QUARANTINED] = "quarantined",
	[MIGD_CHANNEL_STATE_LEAVING]	= "leaving",
	[MIGD_CHANNEL_STATE_DISABLED]	= "disabled",
};

static const char * const rescues[] = {
	[MIGD_RESCUE_CAUSE_DEADLINE]	= "deadline",
	[MIGD_RESCUE_CAUSE_SERVER_LOST]	= "server-lost",
	[MIGD_RESCUE_CAUSE_CANCELLED]	= "cancelled",
};

static const char * const group_kinds[] = {
	[GROUP_PROCESSES]		= "processes",
	[GROUP_UNIT]			= "unit",
	[GROUP_CGROUP]			= "cgroup",
};

static const char * const group_states[] = {
	[GROUP_QUEUED]			= "queued",
	[GROUP_RUNNING]			= "running",
	[GROUP_WAITING]			= "waiting",
	[GROUP_DONE]			= "done",
};

static const char * const members[] = {
	[MEMBER_PENDING]		= "unvisited",
	[MEMBER_RUNNING]		= "running",
	[MEMBER_DONE]			= "done",
	[MEMBER_EXITED]			= "exited",
	[MEMBER_KERNEL]			= "kernel",
	[MEMBER_DAEMON]			= "daemon",
	[MEMBER_FORBIDDEN]		= "forbidden",
	[MEMBER_REFUSED]		= "refused",
	[MEMBER_CANCELLED]		= "cancelled",
	[MEMBER_FOREIGN]		= "foreign",
};

static const char * const pressures[] = {
	[PRESSURE_NONE]			= "",
	[PRESSURE_SYSTEM]		= "system",
	[PRESSURE_CGROUP]		= "cgroup",
};

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

/* A newer module of the same ABI may know a word more. */
static const char *name_of(const char * const *names, size_t nr, uint32_t value)
{
	return value < nr ? names[value] : "unknown";
}

const char *name_order(uint32_t order)
{
	return name_of(orders, COUNT(orders), order);
}

const char *name_state(uint32_t state)
{
	return name_of(states, COUNT(states), state);
}

const char *name_outcome(uint32_t outcome)
{
	return name_of(outcomes, COUNT(outcomes), outcome);
}

const char *name_reason(uint32_t reason)
{
	return name_of(reasons, COUNT(reasons), reason);
}

const char *name_channel_state(uint32_t state)
{
	return name_of(channel_states, COUNT(channel_states), state);
}

const char *name_rescue(uint32_t cause)
{
	return name_of(rescues, COUNT(rescues), cause);
}

const char *name_pressure(uint32_t why)
{
	return name_of(pressures, COUNT(pressures), why);
}

const char *name_group_kind(uint32_t kind)
{
	return name_of(group_kinds, COUNT(group_kinds), kind);
}

const char *name_group_state(uint32_t state)
{
	return name_of(group_states, COUNT(group_states), state);
}

const char *name_member(uint32_t state)
{
	return name_of(members, COUNT(members), state);
}

int order_of(const char *name)
{
	for (size_t i = 0; i < COUNT(orders); i++)
		if (!strcmp(orders[i], name))
			return i;
	return -EINVAL;
}
