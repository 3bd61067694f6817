/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MIGD_WALK_H
#define _MIGD_WALK_H

#include "internal.h"

enum migd_outcome migd_walk(struct migd_job *job);
int migd_walk_check(struct migd_job *job, const struct migd_server *server,
		    unsigned int *ret_range, enum migd_reason *ret_reason);

#endif /* _MIGD_WALK_H */
