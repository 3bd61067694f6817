// SPDX-License-Identifier: GPL-2.0
/* The configuration file. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "conf.h"

static const char * const levels[] = {
	[LOG_ERR] = "err", [LOG_WARNING] = "warning", [LOG_NOTICE] = "notice",
	[LOG_INFO] = "info", [LOG_DEBUG] = "debug",
};

#define NR_LEVELS (sizeof(levels) / sizeof(levels[0]))

static int level_of(const char *text)
{
	for (size_t i = 0; i < NR_LEVELS; i++)
		if (levels[i] && !strcmp(levels[i], text))
			return i;
	return -EINVAL;
}

/* Calls @fn for each word of @text until it returns non-zero. */
static int each_word(const char *text, int (*fn)(const char *word, const void *arg),
		     const void *arg)
{
	char copy[INI_TEXT_LEN], *save = NULL, *word;
	int r;

	snprintf(copy, sizeof(copy), "%s", text);
	for (word = strtok_r(copy, " \t,", &save); word; word = strtok_r(NULL, " \t,", &save)) {
		r = fn(word, arg);
		if (r)
			return r;
	}
	return 0;
}

static int check_word(const char *word, const void *arg)
{
	return policy_check_engine(word);
}

static int check_channels(const char *text)
{
	return *text ? each_word(text, check_word, NULL) : -EINVAL;
}

#define KEY(sec, nm, tp, field, ...) \
	{ sec, nm, tp, offsetof(struct conf, field), __VA_ARGS__ }

static const struct ini_key conf_keys[] = {
	KEY("Daemon", "Queues", INI_U32, queues, 0, 64),
	KEY("Daemon", "Depth", INI_U32, depth, 1, 64),
	KEY("Daemon", "BatchPages", INI_U32, batch_pages, 1, 4096),
	KEY("Daemon", "MaxJobs", INI_U32, max_jobs, 1, 64),
	KEY("Daemon", "KeepFinishedJobs", INI_U32, keep_finished, 0, 1024),
	KEY("Daemon", "LockMemory", INI_BOOL, lock_memory, 0, 0),
	KEY("Daemon", "LogLevel", INI_TEXT, log_level, .check = level_of),
	KEY("Engines", "Channels", INI_TEXT, channels, .check = check_channels),
	KEY("Engines", "StripePages", INI_U32, stripe_pages, 1, 4096),
	KEY("Engines", "CpuCopies", INI_U32, cpu_copies, 0, 16),
	KEY("Engines", "FaultRestMSec", INI_U32, fault_rest_ms, 1, 3600000),
	KEY("Engines", "FaultRestMaxMSec", INI_U32, fault_rest_max_ms, 1, 3600000),
	POLICY_KEYS(offsetof(struct conf, policy)),
	{ .name = NULL }
};

void conf_default(struct conf *c)
{
	*c = (struct conf) {
		.depth = 2,
		.batch_pages = 512,
		.max_jobs = 64,
		.keep_finished = 64,
		.lock_memory = true,
		.log_level = "info",
		.channels = "auto",
		.stripe_pages = 64,
		.fault_rest_ms = 1000,
		.fault_rest_max_ms = 60000,
	};
	policy_default(&c->policy);
}

int conf_load(struct conf *c, const char *path, bool must, char *err, size_t len)
{
	struct conf loaded;
	int r;

	conf_default(&loaded);
	r = ini_load(path, conf_keys, &loaded, err, len);
	if (r == -ENOENT && !must)
		r = 0;
	if (r < 0)
		return r;
	*c = loaded;
	return 0;
}

int conf_log_level(const struct conf *c)
{
	return level_of(c->log_level);
}

static int same_word(const char *word, const void *arg)
{
	return !strcmp(word, arg);
}

bool conf_wants_channel(const struct conf *c, const char *name)
{
	if (!strcmp(c->channels, "auto"))
		return true;
	if (!strcmp(c->channels, "none"))
		return false;
	return each_word(c->channels, same_word, name);
}
