// SPDX-License-Identifier: GPL-2.0
/* Strict reader of ini files. */
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ini.h"

int ini_parse_u64(const char *s, uint64_t *ret)
{
	unsigned long long v;
	char *end;

	if (!isdigit((unsigned char)s[0]))
		return -EINVAL;
	errno = 0;
	v = strtoull(s, &end, 10);
	if (errno)
		return -ERANGE;
	if (*end)
		return -EINVAL;
	*ret = v;
	return 0;
}

static int parse_bool(const char *s, bool *ret)
{
	if (!strcmp(s, "yes") || !strcmp(s, "no")) {
		*ret = s[0] == 'y';
		return 0;
	}
	return -EINVAL;
}

static int store(const struct ini_key *key, void *base, const char *value, char *err, size_t len)
{
	char *p = (char *)base + key->offset;
	uint64_t v;

	switch (key->type) {
	case INI_BOOL:
		if (parse_bool(value, (bool *)p) < 0) {
			snprintf(err, len, "%s= takes yes or no, not '%s'", key->name, value);
			return -EINVAL;
		}
		return 0;
	case INI_TEXT:
		if (strlen(value) >= INI_TEXT_LEN) {
			snprintf(err, len, "the value of %s= is longer than %d characters",
				 key->name, INI_TEXT_LEN - 1);
			return -EINVAL;
		}
		if (key->check && key->check(value) < 0) {
			snprintf(err, len, "%s= does not take '%s': see migd.conf(5)", key->name,
				 value);
			return -EINVAL;
		}
		memcpy(p, value, strlen(value) + 1);
		return 0;
	case INI_U32:
	case INI_U64:
		break;
	}

	if (ini_parse_u64(value, &v) < 0 || v < key->min || v > key->max) {
		snprintf(err, len, "%s= takes a number from %llu to %llu, not '%s'", key->name,
			 (unsigned long long)key->min, (unsigned long long)key->max, value);
		return -EINVAL;
	}
	if (key->type == INI_U32)
		*(uint32_t *)p = v;
	else
		*(uint64_t *)p = v;
	return 0;
}

int ini_set(const struct ini_key *keys, void *base, const char *section, const char *name,
	    const char *value, char *err, size_t len)
{
	bool known = false;

	for (const struct ini_key *key = keys; key->name; key++) {
		if (strcmp(key->section, section))
			continue;
		known = true;
		if (!strcmp(key->name, name))
			return store(key, base, value, err, len);
	}
	if (known)
		snprintf(err, len, "section [%s] has no key '%s': see migd.conf(5)", section, name);
	else
		snprintf(err, len, "there is no section [%s]: see migd.conf(5)", section);
	return -EINVAL;
}

static char *strip(char *s)
{
	char *end;

	while (isspace((unsigned char)*s))
		s++;
	end = s + strlen(s);
	while (end > s && isspace((unsigned char)end[-1]))
		end--;
	*end = '\0';
	return s;
}

/* One line; @section is what the lines before it opened. */
static int parse_line(char *line, const struct ini_key *keys, void *base, char *section,
		      char *err, size_t len)
{
	char *s = strip(line);
	char *eq, *end;

	if (!*s || *s == '#' || *s == ';')
		return 0;

	if (*s == '[') {
		end = strchr(s, ']');
		if (!end || end[1] || end == s + 1 || end - s > 32) {
			snprintf(err, len, "'%s' is no section: write [Name]", s);
			return -EINVAL;
		}
		*end = '\0';
		memcpy(section, s + 1, strlen(s + 1) + 1);
		return 0;
	}

	eq = strchr(s, '=');
	if (!eq) {
		snprintf(err, len, "'%s' is neither a section nor Key=value", s);
		return -EINVAL;
	}
	if (!*section) {
		snprintf(err, len, "'%s' comes before the first section", s);
		return -EINVAL;
	}
	*eq = '\0';
	return ini_set(keys, base, section, strip(s), strip(eq + 1), err, len);
}

int ini_load(const char *path, const struct ini_key *keys, void *base, char *err, size_t len)
{
	char section[33] = "", why[INI_TEXT_LEN * 2];
	unsigned int nr = 0;
	char *line = NULL;
	size_t room = 0;
	int r = 0;
	FILE *f;

	f = fopen(path, "re");
	if (!f) {
		r = -errno;
		snprintf(err, len, "cannot read %s: %s", path, strerror(-r));
		return r;
	}
	while (getline(&line, &room, f) >= 0) {
		nr++;
		r = parse_line(line, keys, base, section, why, sizeof(why));
		if (r < 0) {
			snprintf(err, len, "%s:%u: %s", path, nr, why);
			break;
		}
	}
	if (!r && ferror(f)) {
		r = -EIO;
		snprintf(err, len, "cannot read %s: %s", path, strerror(EIO));
	}
	free(line);
	fclose(f);
	return r;
}
