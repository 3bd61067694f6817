/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MIGD_WALK_H
#define _MIGD_WALK_H

#include "internal.h"

enum migd_outcome migd_walk(struct migd_job *job);

#endif /* _MIGD_WALK_H */
