// SPDX-License-Identifier: GPL-2.0
/* Log lines to the journal or to stderr. */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
/* Our lines name no source line: without this each would carry log.c's. */
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#include "log.h"

#define LINE_LEN	1024
#define FIELD_LEN	128

static int log_level = LOG_INFO;

void log_set_level(int level)
{
	log_level = level;
}

/* systemd names the journal's stream in the environment by device and inode. */
static bool stderr_is_journal(void)
{
	const char *env = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;
	char *end;

	if (!env || fstat(STDERR_FILENO, &st) < 0)
		return false;
	dev = strtoull(env, &end, 10);
	if (*end != ':')
		return false;
	ino = strtoull(end + 1, NULL, 10);
	return dev == st.st_dev && ino == st.st_ino;
}

struct record {
	char text[7][FIELD_LEN];
	struct iovec iov[8];
	int n;
};

static void add_field(struct record *r, const char *fmt, ...)
{
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(r->text[r->n - 1], FIELD_LEN, fmt, ap);
	va_end(ap);
	if (len >= FIELD_LEN)
		len = FIELD_LEN - 1;
	r->iov[r->n].iov_base = r->text[r->n - 1];
	r->iov[r->n].iov_len = len;
	r->n++;
}

static int send_to_journal(int level, const struct log_fields *f, char *message)
{
	struct record r = { .n = 1 };

	r.iov[0].iov_base = message;
	r.iov[0].iov_len = strlen(message);
	add_field(&r, "PRIORITY=%d", level);
	if (f && f->message_id)
		add_field(&r, "MESSAGE_ID=%s", f->message_id);
	if (f && f->job)
		add_field(&r, "MIGD_JOB=%llu", (unsigned long long)f->job);
	if (f && f->group)
		add_field(&r, "MIGD_GROUP=%llu", (unsigned long long)f->group);
	if (f && f->pid)
		add_field(&r, "OBJECT_PID=%d", f->pid);
	if (f && f->engine)
		add_field(&r, "MIGD_ENGINE=%s", f->engine);
	if (f && f->outcome)
		add_field(&r, "MIGD_OUTCOME=%s", f->outcome);
	return sd_journal_sendv(r.iov, r.n);
}

void log_event(int level, const struct log_fields *fields, const char *fmt, ...)
{
	static const char prefix[] = "MESSAGE=";
	char line[LINE_LEN];
	va_list ap;

	if (level > log_level)
		return;

	memcpy(line, prefix, sizeof(prefix));
	va_start(ap, fmt);
	vsnprintf(line + sizeof(prefix) - 1, sizeof(line) - sizeof(prefix) + 1, fmt, ap);
	va_end(ap);

	if (stderr_is_journal() && send_to_journal(level, fields, line) >= 0)
		return;
	fprintf(stderr, "migd: %s\n", line + sizeof(prefix) - 1);
}
