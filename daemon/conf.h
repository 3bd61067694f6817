/* SPDX-License-Identifier: GPL-2.0 */
/* The configuration of the daemon: migd.conf(5). */
#ifndef MIGD_CONF_H
#define MIGD_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ini.h"
#include "policy.h"

struct conf {
	/* [Daemon] */
	uint32_t queues;		/* 0: one per two CPUs */
	uint32_t depth;			/* slots of a queue */
	uint32_t batch_pages;		/* largest batch a slot takes */
	uint32_t max_jobs;		/* queued and running */
	uint32_t keep_finished;		/* ended jobs that stay on the bus */
	bool lock_memory;
	char log_level[INI_TEXT_LEN];

	/* [Engines] */
	char channels[INI_TEXT_LEN];	/* auto, none, or names */
	uint32_t stripe_pages;		/* smallest share of a batch for one channel */
	uint32_t cpu_copies;		/* parallel CPU COPYs of a batch; 0: by CPUs */
	uint32_t fault_rest_ms;		/* first rest of a channel that failed */
	uint32_t fault_rest_max_ms;	/* doubled up to this */

	/* [Policy] */
	struct policy policy;
};

void conf_default(struct conf *c);

/* Read @path over the defaults. No file is an error only if @must. */
int conf_load(struct conf *c, const char *path, bool must, char *err, size_t len);

/* LOG_* of log_level. */
int conf_log_level(const struct conf *c);

/* Does Channels= want the dmaengine channel @name? */
bool conf_wants_channel(const struct conf *c, const char *name);

#endif /* MIGD_CONF_H */
