/* SPDX-License-Identifier: GPL-2.0 */
/* For unit tests: say what failed and where, and end. */
#ifndef MIGD_CHECK_H
#define MIGD_CHECK_H

#include <stdio.h>
#include <stdlib.h>

#define check(cond) \
	do { \
		if (!(cond)) { \
			fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #cond); \
			exit(EXIT_FAILURE); \
		} \
	} while (0)

#endif /* MIGD_CHECK_H */
