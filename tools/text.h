/* SPDX-License-Identifier: GPL-2.0 */
/* Sentences for people, and numbers from and for them. */
#ifndef MIGCTL_TEXT_H
#define MIGCTL_TEXT_H

#include <stddef.h>
#include <linux/types.h>

#ifndef __printf
#define __printf(a, b) __attribute((format(printf, a, b)))
#endif

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/* One sentence on stderr: cause and next step. */
__printf(1, 2) void say_err(const char *format, ...);
__printf(1, 2) void say_warn(const char *format, ...);

/* A short text by value: text_ns(x).s lives to the end of the expression. */
struct text {
	char s[32];
};

struct text text_u64(__u64 v);
struct text text_node(int node);	/* -1 is "any" */
struct text text_bytes(__u64 bytes);	/* 128.0 MiB */
struct text text_ns(__u64 ns);		/* 210 us, 1.2 ms */
struct text text_rate(double bytes_per_sec);	/* 812.4 MB/s */
struct text text_limit(__u64 bytes_per_sec);	/* as text_rate(), 0 is "none" */

/* Copy a string that others wrote: cut to size, control characters become '?'. */
void text_copy(char *dst, size_t size, const char *src);

/* Edits between two words; for suggestions. */
unsigned int text_distance(const char *a, const char *b);

/* All return 0, -EINVAL or -ERANGE. */
int parse_u64(const char *s, __u64 *ret);
int parse_u32(const char *s, __u32 *ret);
int parse_nice(const char *s, __u32 *ret);		/* 0 to 19 */
int parse_usec(const char *s, __u64 *ret);		/* 500us 20ms 1s */
int parse_rate(const char *s, __u64 *ret);		/* 500M 2G 256Mi none */
int parse_range(const char *s, __u64 *ret_start, __u64 *ret_end);	/* hex-hex */

#endif /* MIGCTL_TEXT_H */
