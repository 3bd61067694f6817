// SPDX-License-Identifier: GPL-2.0
/* Lists of CPUs and nodes as the kernel prints them: "0-3,8". */
#include <ctype.h>
#include <stdlib.h>

#include "rangelist.h"

/* Take the next range off the list; false at its end. */
static bool next_range(const char **list, long *ret_first, long *ret_last)
{
	char *end;

	if (!isdigit((unsigned char)**list))
		return false;
	*ret_first = strtol(*list, &end, 10);
	*ret_last = *ret_first;
	if (*end == '-')
		*ret_last = strtol(end + 1, &end, 10);
	if (*end == ',')
		end++;
	*list = end;
	return true;
}

bool rangelist_has(const char *list, int number)
{
	long first, last;

	while (next_range(&list, &first, &last))
		if (first <= number && number <= last)
			return true;
	return false;
}

bool rangelist_meet(const char *a, const char *b)
{
	long a_first, a_last, b_first, b_last;

	while (next_range(&a, &a_first, &a_last)) {
		const char *rest = b;

		while (next_range(&rest, &b_first, &b_last))
			if (a_first <= b_last && b_first <= a_last)
				return true;
	}
	return false;
}
