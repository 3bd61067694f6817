// SPDX-License-Identifier: GPL-2.0
/* Text that others chose. */
#include <stddef.h>
#include <stdint.h>

#include "text.h"

/* Bytes of the character that begins at @s, 0 if none does. */
static size_t utf8_len(const unsigned char *s)
{
	uint32_t c, least;
	size_t len;

	if (*s < 0x80)
		return 1;
	if (*s >= 0xc2 && *s < 0xe0) {
		len = 2;
		c = *s & 0x1f;
		least = 0x80;
	} else if (*s >= 0xe0 && *s < 0xf0) {
		len = 3;
		c = *s & 0x0f;
		least = 0x800;
	} else if (*s >= 0xf0 && *s < 0xf5) {
		len = 4;
		c = *s & 0x07;
		least = 0x10000;
	} else {
		return 0;
	}
	for (size_t i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < least || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 0;
	return len;
}

void text_clean(char *s)
{
	size_t len;

	while (*s) {
		len = utf8_len((unsigned char *)s);
		if (!len) {
			*s = '?';
			len = 1;
		}
		s += len;
	}
}
