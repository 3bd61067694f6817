/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MIGD_ROUTE_H
#define _MIGD_ROUTE_H

#include "internal.h"

void migd_route_begin(struct migd_job *job);
void migd_route_note(struct migd_job *job, const struct migd_scan *scan);
enum migd_outcome migd_route_wait(struct migd_job *job);
void migd_route_relabel(struct migd_job *job);
void migd_route_free(struct migd_job *job);

#endif /* _MIGD_ROUTE_H */
