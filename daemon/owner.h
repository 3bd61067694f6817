/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Whose jobs are. The module knows of no user: to it they are all the daemon's.
 * So the daemon keeps it in the runtime directory, for the one that takes over.
 */
#ifndef MIGD_OWNER_H
#define MIGD_OWNER_H

#include "job.h"

/* The user whose job it was before a restart; root, when nobody knows. */
uint32_t owner_of(struct manager *m, const struct nl_job *nl);
/* Keep those of the jobs that are listed. */
void owners_keep(struct manager *m);
void owners_free(struct manager *m);

/* May @user, who has @nr of @what ("jobs") that run, have one more? */
int owner_check(const struct manager *m, uint32_t user, unsigned int nr, const char *what,
		struct fault *f);

#endif /* MIGD_OWNER_H */
