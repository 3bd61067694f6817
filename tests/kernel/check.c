// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "check.h"

static char current[160];

void fail_at(const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	fprintf(stderr, "%s:%d: [%s] ", file, line, current);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	/* Children die with us; nothing of the test may go on after this. */
	_exit(1);
}

void must_failed(const char *file, int line, const char *call, long value)
{
	int err = value == -1 ? errno : (int)-value;

	fail_at(file, line, "%s: %s", call, strerror(err));
}

void step(const char *fmt, ...)
{
	static uint64_t begin;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(current, sizeof(current), fmt, ap);
	va_end(ap);
	if (!begin)
		begin = now_ns();
	printf("%7.2f %s\n", (double)(now_ns() - begin) / 1e9, current);
	fflush(stdout);
}

uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

void wait_until(bool (*done)(void *arg), void *arg, const char *what)
{
	uint64_t end = now_ns() + PATIENCE_MS * 1000000ULL;

	while (!done(arg)) {
		if (now_ns() > end)
			fail("waited in vain: %s", what);
		usleep(2000);
	}
}

int write_file(const char *path, const char *fmt, ...)
{
	char text[256];
	va_list ap;
	ssize_t n;
	int fd, err = 0;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = write(fd, text, strlen(text));
	if (n < 0)
		err = -errno;
	close(fd);
	return err;
}

const char *read_line(const char *path)
{
	static char line[256];
	FILE *file = fopen(path, "re");
	char *got;

	if (!file)
		return NULL;
	got = fgets(line, sizeof(line), file);
	fclose(file);
	if (!got)
		return NULL;
	line[strcspn(line, "\n")] = 0;
	return line;
}

long long read_key(const char *path, const char *key)
{
	FILE *file = fopen(path, "re");
	long long value = -1;
	char line[256], *at;

	if (!file)
		return -1;
	while (value < 0 && fgets(line, sizeof(line), file)) {
		at = strstr(line, key);
		if (at)
			sscanf(at + strlen(key), " %lld", &value);
	}
	fclose(file);
	return value;
}

bool on_machine(const char *prefix)
{
	const char *machine = getenv("MIGD_MACHINE");

	check(machine, "MIGD_MACHINE is not set: run this with tests/run");
	return !strncmp(machine, prefix, strlen(prefix));
}
