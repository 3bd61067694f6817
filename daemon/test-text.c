// SPDX-License-Identifier: GPL-2.0
/* What is no UTF-8 is replaced, what is stays. */
#include <string.h>

#include "check.h"
#include "text.h"

int main(void)
{
	static const char * const cases[][2] = {
		{ "", "" },
		{ "caf\xc3\xa9 \xe2\x82\xac", "caf\xc3\xa9 \xe2\x82\xac" },
		{ "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80" },
		{ "\xff\xfeg", "??g" },
		{ "cut\xe2\x82", "cut??" },
		{ "\xc0\x80", "??" },			/* overlong */
		{ "\xe0\x80\x80", "???" },
		{ "\xed\xa0\x80", "???" },		/* a surrogate */
		{ "\xf4\x90\x80\x80", "????" },		/* beyond the last one */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char s[64];

		strcpy(s, cases[i][0]);
		text_clean(s);
		check(!strcmp(s, cases[i][1]));
	}
	return 0;
}
