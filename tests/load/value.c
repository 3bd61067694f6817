// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>

#include "value.h"

/* splitmix64's finalizer: each bit of the input flips half of the output. */
static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15ULL;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

static uint64_t seed(enum key_class class, uint32_t index, uint64_t version)
{
	return mix(mix((uint64_t)class << 32 | index) ^ version);
}

size_t key_name(char name[KEY_LEN], enum key_class class, uint32_t index)
{
	return snprintf(name, KEY_LEN, "%s:%08u", class == KEY_FROZEN ? "frozen" : "live",
			index % 100000000);
}

size_t value_size(enum key_class class, uint32_t index)
{
	uint64_t words = (VALUE_MAX - VALUE_MIN) / sizeof(uint64_t) + 1;

	return VALUE_MIN + seed(class, index, UINT64_MAX) % words * sizeof(uint64_t);
}

void value_fill(uint8_t *to, enum key_class class, uint32_t index, uint64_t version)
{
	uint64_t base = seed(class, index, version);
	size_t size = value_size(class, index);

	for (size_t at = 0; at < size; at += sizeof(uint64_t)) {
		uint64_t word = mix(base + at);

		memcpy(to + at, &word, sizeof(word));
	}
}

bool value_is(const void *data, size_t len, enum key_class class, uint32_t index,
	      uint64_t version)
{
	uint8_t expected[VALUE_MAX];

	if (len != value_size(class, index))
		return false;
	value_fill(expected, class, index, version);
	return !memcmp(data, expected, len);
}
