// SPDX-License-Identifier: GPL-2.0
/* Sentences for people, and numbers from and for them. */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

static void say(const char *prefix, const char *format, va_list ap)
{
	char line[1024];

	/* One write, so that a sentence is never torn between two processes. */
	vsnprintf(line, sizeof(line), format, ap);
	fprintf(stderr, "%s%s\n", prefix, line);
}

void say_err(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	say("migctl: ", format, ap);
	va_end(ap);
}

void say_warn(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	say("migctl: warning: ", format, ap);
	va_end(ap);
}

struct text text_u64(__u64 v)
{
	struct text t;

	snprintf(t.s, sizeof(t.s), "%llu", v);
	return t;
}

struct text text_node(int node)
{
	struct text t;

	if (node < 0)
		snprintf(t.s, sizeof(t.s), "any");
	else
		snprintf(t.s, sizeof(t.s), "%d", node);
	return t;
}

struct text text_bytes(__u64 bytes)
{
	struct text t;

	if (bytes >= 1ULL << 40)
		snprintf(t.s, sizeof(t.s), "%.1f GiB", (double)bytes / (1 << 30));
	else
		snprintf(t.s, sizeof(t.s), "%.1f MiB", (double)bytes / (1 << 20));
	return t;
}

struct text text_ns(__u64 ns)
{
	struct text t;

	/* Three digits: what would be rounded to a fourth is of the next unit. */
	if (ns < 1000)
		snprintf(t.s, sizeof(t.s), "%llu ns", ns);
	else if (ns < 999500)
		snprintf(t.s, sizeof(t.s), "%.3g us", (double)ns / 1e3);
	else if (ns < 999500000)
		snprintf(t.s, sizeof(t.s), "%.3g ms", (double)ns / 1e6);
	else
		snprintf(t.s, sizeof(t.s), "%.2f s", (double)ns / 1e9);
	return t;
}

struct text text_rate(double rate)
{
	struct text t;

	snprintf(t.s, sizeof(t.s), "%.1f MB/s", rate / 1e6);
	return t;
}

struct text text_limit(__u64 rate)
{
	struct text t = { "none" };

	return rate ? text_rate((double)rate) : t;
}

void text_copy(char *dst, size_t size, const char *src)
{
	size_t i;

	for (i = 0; i + 1 < size && src[i]; i++)
		dst[i] = iscntrl((unsigned char)src[i]) ? '?' : src[i];
	dst[i] = '\0';
}

unsigned int text_distance(const char *a, const char *b)
{
	unsigned int row[32], prev, cur, n = strlen(b);

	if (n >= 32 || strlen(a) >= 32)
		return UINT_MAX;
	for (unsigned int j = 0; j <= n; j++)
		row[j] = j;
	for (unsigned int i = 1; a[i - 1]; i++) {
		prev = row[0];
		row[0] = i;
		for (unsigned int j = 1; j <= n; j++) {
			cur = row[j];
			row[j] = prev + (a[i - 1] != b[j - 1]);
			if (row[j] > cur + 1)
				row[j] = cur + 1;
			if (row[j] > row[j - 1] + 1)
				row[j] = row[j - 1] + 1;
			prev = cur;
		}
	}
	return row[n];
}

/* strtoull() takes signs and blanks; nobody means them here. */
static int parse_head(const char *s, int base, __u64 *ret, const char **ret_rest)
{
	char *end;

	if (base == 16 ? !isxdigit((unsigned char)*s) : !isdigit((unsigned char)*s))
		return -EINVAL;
	errno = 0;
	*ret = strtoull(s, &end, base);
	if (errno)
		return -ERANGE;
	*ret_rest = end;
	return 0;
}

int parse_u64(const char *s, __u64 *ret)
{
	const char *rest;
	__u64 v;
	int r;

	r = parse_head(s, 10, &v, &rest);
	if (r < 0)
		return r;
	if (*rest)
		return -EINVAL;
	*ret = v;
	return 0;
}

int parse_u32(const char *s, __u32 *ret)
{
	__u64 v;
	int r;

	r = parse_u64(s, &v);
	if (r < 0)
		return r;
	if (v > UINT_MAX)
		return -ERANGE;
	*ret = v;
	return 0;
}

int parse_nice(const char *s, __u32 *ret)
{
	__u32 v;
	int r;

	r = parse_u32(s, &v);
	if (r < 0)
		return r;
	if (v > 19)
		return -ERANGE;
	*ret = v;
	return 0;
}

struct unit {
	const char *suffix;
	__u64 factor;
};

static int parse_unit(const char *s, const struct unit *units, __u64 *ret)
{
	const char *rest;
	__u64 v;
	int r;

	r = parse_head(s, 10, &v, &rest);
	if (r < 0)
		return r;
	for (; units->suffix; units++) {
		if (strcmp(rest, units->suffix))
			continue;
		if (__builtin_mul_overflow(v, units->factor, ret))
			return -ERANGE;
		return 0;
	}
	return -EINVAL;
}

int parse_usec(const char *s, __u64 *ret)
{
	static const struct unit units[] = {
		{ "us", 1 }, { "ms", 1000 }, { "s", 1000 * 1000 }, { NULL, 0 },
	};

	return parse_unit(s, units, ret);
}

int parse_rate(const char *s, __u64 *ret)
{
	static const struct unit units[] = {
		{ "", 1 }, { "K", 1000 }, { "M", 1000 * 1000 }, { "G", 1000 * 1000 * 1000 },
		{ "Ki", 1 << 10 }, { "Mi", 1 << 20 }, { "Gi", 1 << 30 }, { NULL, 0 },
	};

	if (!strcmp(s, "none")) {
		*ret = 0;
		return 0;
	}
	return parse_unit(s, units, ret);
}

int parse_range(const char *s, __u64 *ret_start, __u64 *ret_end)
{
	__u64 start, end;
	const char *rest;
	int r;

	r = parse_head(s, 16, &start, &rest);
	if (r < 0)
		return r;
	if (*rest != '-')
		return -EINVAL;
	r = parse_head(rest + 1, 16, &end, &rest);
	if (r < 0)
		return r;
	if (*rest || start >= end)
		return -EINVAL;
	*ret_start = start;
	*ret_end = end;
	return 0;
}
