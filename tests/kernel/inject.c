// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "check.h"
#include "inject.h"

#define DEBUGFS		"/sys/kernel/debug"
#define FAIL_NTH	"/proc/thread-self/fail-nth"

static const char * const names[] = { "failslab", "fail_page_alloc", "fail_usercopy" };

#define NAMES		(sizeof(names) / sizeof(names[0]))
/* Has no count of its own here: by fail-nth only. */
#define KINDS		(INJECT_PAGE + 1)

/*
 * The kernel's count of what could have failed, which decides together with the
 * interval. It can't be read, and begins with the boot; it counts while armed with
 * an interval above 1, and stops at the failure, at a multiple of the interval.
 */
static unsigned long count[KINDS];
#define COUNTED		"/run/migd-test-inject"

static void set(unsigned int i, const char *what, const char *value)
{
	char path[80];
	int err;

	snprintf(path, sizeof(path), DEBUGFS "/%s/%s", names[i], what);
	err = write_file(path, "%s", value);
	check(!err, "%s: %s", path, strerror(-err));
}

static void set_number(unsigned int i, const char *what, unsigned long value)
{
	char text[32];

	snprintf(text, sizeof(text), "%#lx", value);
	set(i, what, text);
}

static long get(unsigned int i, const char *what)
{
	const char *line;
	char path[80];

	snprintf(path, sizeof(path), DEBUGFS "/%s/%s", names[i], what);
	line = read_line(path);
	check(line, "cannot read %s", path);
	return strtol(line, NULL, 0);
}

/*
 * A function of the kernel, from its address to the next symbol; or, of a
 * module, all of them.
 */
struct code {
	const char *function, *module;
	unsigned long start, end;
};

/* One reading: on the debug kernel it takes seconds. By address, but for modules. */
static void find(struct code *codes, unsigned int n)
{
	char line[256], type, symbol[128], of[64];
	FILE *file = fopen("/proc/kallsyms", "re");
	struct code *code;
	unsigned long at;
	int fields;

	check(file, "no /proc/kallsyms");
	while (fgets(line, sizeof(line), file)) {
		fields = sscanf(line, "%lx %c %127s [%63[^]]", &at, &type, symbol, of);
		for (code = codes; code < codes + n; code++) {
			if (code->module) {
				if (fields < 4 || !strchr("tT", type) || strcmp(of, code->module))
					continue;
				if (!code->start || at < code->start)
					code->start = at;
				if (at > code->end)
					code->end = at;
			} else if (code->start) {
				if (!code->end && at > code->start)
					code->end = at;
			} else if (fields == 3 && !strcmp(symbol, code->function)) {
				code->start = at;
			}
		}
	}
	fclose(file);
	for (code = codes; code < codes + n; code++) {
		check(code->start && code->end, "%s is not in /proc/kallsyms",
		      code->module ?: code->function);
		/* What is behind the last function of a module is nobody's: a guard page. */
		if (code->module)
			code->end = (code->end | (PAGE - 1)) + 1 + PAGE;
	}
}

static void confine(const char *function, const char *module)
{
	struct code codes[] = {
		{ .function = function, .module = module },
		/* What allocates to watch over allocations is none of the module's. */
		{ .function = "__alloc_object" },
		{ .function = "stack_depot_save_flags" },
	};
	unsigned int i;

	find(codes, sizeof(codes) / sizeof(codes[0]));
	for (i = 0; i < NAMES; i++) {
		set(i, "probability", "0");
		set(i, "verbose", "0");
		set(i, "stacktrace-depth", "32");
		set_number(i, "require-start", codes[0].start);
		set_number(i, "require-end", codes[0].end);
	}
	set_number(INJECT_SLAB, "reject-start", codes[1].start);
	set_number(INJECT_SLAB, "reject-end", codes[1].end);
	set_number(INJECT_PAGE, "reject-start", codes[2].start);
	set_number(INJECT_PAGE, "reject-end", codes[2].end);
	set(INJECT_SLAB, "ignore-gfp-wait", "N");
	set(INJECT_PAGE, "ignore-gfp-wait", "N");
	set(INJECT_PAGE, "ignore-gfp-highmem", "N");
	set(INJECT_PAGE, "min-order", "0");
}

void inject_for_module(void)
{
	confine(NULL, "migd");
}

void inject_for_function(const char *name)
{
	confine(name, NULL);
}

void inject_nth(unsigned int nth)
{
	must(write_file(FAIL_NTH, "%u", nth));
}

unsigned int inject_nth_unused(void)
{
	const char *line = read_line(FAIL_NTH);
	unsigned int left;

	check(line, "cannot read " FAIL_NTH);
	left = (unsigned int)strtoul(line, NULL, 10);
	inject_nth(0);
	return left;
}

/* Fails when the count comes to the next multiple of the interval. */
static void arm(enum inject kind, unsigned long interval)
{
	set_number(kind, "interval", interval);
	set(kind, "times", "1");
	set(kind, "probability", "100");
}

void inject_arm(enum inject kind, unsigned int nth)
{
	count[kind] += nth;
	arm(kind, count[kind]);
}

bool inject_arm_unused(enum inject kind)
{
	set(kind, "probability", "0");
	return get(kind, "times");
}

void inject_sync(enum inject kind, void (*op)(void))
{
	char path[64];
	FILE *file;

	if (!count[kind]) {
		snprintf(path, sizeof(path), COUNTED "-%s", names[kind]);
		file = fopen(path, "wex");
		check(file, "%s: once in a boot: it is not known how far the kernel has counted",
		      path);
		fclose(file);
	}
	/* Beyond all that may have been counted: its first multiple is itself. */
	count[kind] += 2;
	arm(kind, count[kind]);
	while (get(kind, "times"))
		op();
	set(kind, "probability", "0");
}

void inject_random(unsigned int percent)
{
	unsigned int i;

	for (i = 0; i < KINDS; i++) {
		set(i, "interval", "1");
		set(i, "times", "-1");
		set_number(i, "probability", percent);
	}
}
