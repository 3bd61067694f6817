/* SPDX-License-Identifier: GPL-2.0 */
/* The data of the checking client: every byte follows from key and version. */
#ifndef LOAD_VALUE_H
#define LOAD_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VALUE_MIN	2048
#define VALUE_MAX	6144
#define KEY_LEN		16	/* "frozen:00001234" with its NUL */

enum key_class { KEY_LIVE, KEY_FROZEN };

size_t key_name(char name[KEY_LEN], enum key_class class, uint32_t index);

/* The length depends on the key alone, so that a rewrite fits where it was. */
size_t value_size(enum key_class class, uint32_t index);
void value_fill(uint8_t *to, enum key_class class, uint32_t index, uint64_t version);
bool value_is(const void *data, size_t len, enum key_class class, uint32_t index,
	      uint64_t version);

#endif
