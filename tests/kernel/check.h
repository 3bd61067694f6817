/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every test program ends at the first thing that is not as it should be, with
 * a sentence that says which.
 */
#ifndef MIGD_TEST_CHECK_H
#define MIGD_TEST_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE 4096UL

/*
 * Longest wait for anything that must happen, on the slowest machine. Less than
 * any test has in all: it is to say what it waited for.
 */
#define PATIENCE_MS 50000

void fail_at(const char *file, int line, const char *fmt, ...)
	__attribute__((noreturn, format(printf, 3, 4)));

#define fail(...) fail_at(__FILE__, __LINE__, __VA_ARGS__)

#define check(cond, ...)			\
	do {					\
		if (!(cond))			\
			fail(__VA_ARGS__);	\
	} while (0)

/* What was expected, and got, as numbers. */
#define check_eq(got, want)						\
	do {								\
		long long got_ = (got), want_ = (want);			\
									\
		if (got_ != want_)					\
			fail("%s is %lld, not %lld", #got, got_, want_);	\
	} while (0)

/* The value of a call that may not fail: -1 with errno, or a negative errno. */
#define must(call)							\
	({								\
		long must_ = (long)(call);				\
									\
		if (must_ < 0)						\
			must_failed(__FILE__, __LINE__, #call, must_);	\
		must_;							\
	})

void must_failed(const char *file, int line, const char *call, long value)
	__attribute__((noreturn));

/* Says what is tested now; a failure names it. */
void step(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

uint64_t now_ns(void);
/* For what has no event: looks every few ms until @done or patience ends. */
void wait_until(bool (*done)(void *arg), void *arg, const char *what);

int write_file(const char *path, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* First line of a file without its end, or NULL. Static buffer. */
const char *read_line(const char *path);
/* Number behind "key" in a file of "key ... number" lines, or -1. */
long long read_key(const char *path, const char *key);

/* "amd64", "arm64", ... of the machine the test runs on. */
bool on_machine(const char *prefix);

#endif
