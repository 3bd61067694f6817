/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MIGD_SURVEY_H
#define _MIGD_SURVEY_H

#include "scan.h"

bool migd_survey_count(struct migd_job *job, struct migd_scan *scan);
int migd_survey_atomic(struct migd_job *job, const struct migd_server *server,
		       unsigned int *ret_range, enum migd_reason *ret_reason);
void migd_wait_for_mm(struct migd_job *job, unsigned int *tries);

#endif /* _MIGD_SURVEY_H */
