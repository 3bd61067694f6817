// SPDX-License-Identifier: GPL-2.0
/* Reading the JSON that the service writes. */
#include <errno.h>
#include <stdio.h>

#include "json.h"
#include "text.h"

int json_read(const char *text, json_t **ret)
{
	json_error_t error;
	json_t *value;

	value = json_loads(text, 0, &error);
	if (!value) {
		say_err("migd answered what is no JSON (%s): is it of another version?",
			error.text);
		return -EBADMSG;
	}
	*ret = value;
	return 0;
}

__s64 json_s64(const json_t *object, const char *key, __s64 missing)
{
	const json_t *value = json_object_get(object, key);

	return json_is_integer(value) ? json_integer_value(value) : missing;
}

__u64 json_u64(const json_t *object, const char *key)
{
	__s64 v = json_s64(object, key, 0);

	return v < 0 ? 0 : v;
}

const char *json_str(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s ? s : "";
}

static void print(const json_t *value, size_t flags)
{
	json_dumpf(value, stdout, flags | JSON_ENCODE_ANY);
	putchar('\n');
	fflush(stdout);
}

void json_print(const json_t *value)
{
	print(value, JSON_INDENT(2));
}

void json_print_line(const json_t *value)
{
	print(value, JSON_COMPACT);
}
