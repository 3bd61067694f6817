/* SPDX-License-Identifier: GPL-2.0 */
/* Strict reader of the ini files of the daemon: a table of keys, no leniency. */
#ifndef MIGD_INI_H
#define MIGD_INI_H

#include <stddef.h>
#include <stdint.h>

/* Room for a value of type INI_TEXT. */
#define INI_TEXT_LEN	256

enum ini_type {
	INI_U32,
	INI_U64,
	INI_BOOL,
	INI_TEXT,
};

/*
 * struct ini_key - one key that a file may have
 *
 * @offset is where its value goes in the struct that ini_load() fills:
 * uint32_t, uint64_t, bool or char[INI_TEXT_LEN]. @min and @max bound numbers.
 * @check, when there is one, returns 0 or a negative errno for a text.
 */
struct ini_key {
	const char *section;
	const char *name;
	enum ini_type type;
	size_t offset;
	uint64_t min, max;
	int (*check)(const char *text);
};

/*
 * Read @path into @base by the table @keys (ends with a NULL name). On an error
 * @err says "file:line: what and what to do". -ENOENT: there is no such file.
 */
int ini_load(const char *path, const struct ini_key *keys, void *base, char *err, size_t len);

/* One "Key=value"; @err gets the reason without file and line. */
int ini_set(const struct ini_key *keys, void *base, const char *section, const char *name,
	    const char *value, char *err, size_t len);

int ini_parse_u64(const char *s, uint64_t *ret);

#endif /* MIGD_INI_H */
