/* SPDX-License-Identifier: GPL-2.0 */
/* What the verbs of redis-check share. */
#ifndef LOAD_LOAD_H
#define LOAD_LOAD_H

#include <hiredis/hiredis.h>
#include <stdint.h>

struct load_options {
	const char *socket;
	uint32_t live;		/* keys that `run` reads and writes */
	uint32_t frozen;	/* keys that nobody writes after `fill` */
	unsigned int threads;
	unsigned int rate;	/* operations per second of each thread */
};

/* A connection, or NULL with a sentence on stderr. */
redisContext *load_connect(const char *socket);

/* The verbs; 0 or a negative errno, after a sentence on stderr. */
int load_fill(const struct load_options *options);
int load_dump(const struct load_options *options);
int load_run(const struct load_options *options);

#endif
