/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MIGD_PACE_H
#define _MIGD_PACE_H

#include "internal.h"

unsigned int migd_pace_batch(const struct migd_job *job, unsigned int max);
bool migd_pace_room(const struct migd_job *job, unsigned int max);
void migd_pace_pay(struct migd_job *job, unsigned int pages);
void migd_pace_work(struct migd_job *job);
unsigned long migd_pace_due(struct migd_job *job);
bool migd_pace_changed(const struct migd_job *job);

#endif /* _MIGD_PACE_H */
