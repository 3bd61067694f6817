// SPDX-License-Identifier: GPL-2.0
/* Every number of the netlink family has a word, every fault a name. */
#include <errno.h>
#include <string.h>
#include <linux/migd_netlink.h>

#include "check.h"
#include "errors.h"
#include "group.h"
#include "names.h"

static void check_all(const char *(*name)(uint32_t), uint32_t last)
{
	for (uint32_t i = 0; i <= last; i++) {
		check(name(i) && strcmp(name(i), "unknown"));
		for (uint32_t j = 0; j < i; j++)
			check(strcmp(name(i), name(j)));
	}
	check(!strcmp(name(last + 1), "unknown"));
}

int main(void)
{
	struct fault f;

	check_all(name_order, MIGD_ORDER_STATE_FIRST);
	check_all(name_state, MIGD_JOB_STATE_PAUSED);
	check_all(name_outcome, MIGD_OUTCOME_SERVER_LOST);
	check_all(name_reason, MIGD_REASON_MAX);
	check_all(name_channel_state, MIGD_CHANNEL_STATE_DISABLED);
	check_all(name_rescue, MIGD_RESCUE_CAUSE_CANCELLED);
	check_all(name_group_kind, GROUP_KINDS - 1);
	check_all(name_group_state, GROUP_DONE);
	check_all(name_member, MEMBER_STATES - 1);
	check(order_of("state-first") == MIGD_ORDER_STATE_FIRST && order_of("") == -EINVAL);

	for (int id = FAULT_NONE + 1; id < FAULT_MAX_; id++) {
		check(!strncmp(fault_name(id), "org.migd1.Error.", 16) && fault_name(id)[16]);
		check(fault_set(&f, id, "%d", id) < 0 && f.id == (enum fault_id)id);
		for (int other = 1; other < id; other++)
			check(strcmp(fault_name(id), fault_name(other)));
	}
	check(fault_of_submit(-ESRCH) == FAULT_NO_SUCH_PROCESS);
	check(fault_of_submit(-EXDEV) == FAULT_NODE_FORBIDDEN);
	check(fault_of_submit(-EOPNOTSUPP) == FAULT_INVALID_ARGUMENT);
	check(fault_of_submit(-EPIPE) == FAULT_FAILED);
	return 0;
}
