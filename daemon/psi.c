// SPDX-License-Identifier: GPL-2.0
/* What the kernel's files of pressure say, and when that is too much. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "psi.h"

int psi_total(const char *text, uint64_t *ret)
{
	const char *some = strstr(text, "some ");
	const char *total = some ? strstr(some, "total=") : NULL;

	return total && sscanf(total, "total=%" SCNu64, ret) == 1 ? 0 : -EINVAL;
}

bool psi_too_much(struct psi_window *w, uint64_t now_usec, uint64_t total, uint64_t threshold)
{
	uint64_t age = now_usec - w->start_usec;
	bool over = age >= PSI_WINDOW_USEC;
	bool much = total - w->total >= (over ? threshold * age / PSI_WINDOW_USEC : threshold);

	if (over || much)
		*w = (struct psi_window) { .start_usec = now_usec, .total = total };
	return much;
}
