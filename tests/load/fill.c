// SPDX-License-Identifier: GPL-2.0
/* Put the first version of every key into the server; print the frozen ones. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "load.h"
#include "value.h"

#define PIPELINE	64	/* commands sent before their answers are read */
#define TIMEOUT_SECONDS	30

redisContext *load_connect(const char *socket)
{
	struct timeval timeout = { .tv_sec = TIMEOUT_SECONDS };
	redisContext *redis = redisConnectUnixWithTimeout(socket, timeout);

	if (redis && !redis->err && redisSetTimeout(redis, timeout) == REDIS_OK)
		return redis;
	fprintf(stderr, "redis-check: cannot connect to %s: %s; is the server running?\n", socket,
		redis ? redis->errstr : "out of memory");
	if (redis)
		redisFree(redis);
	return NULL;
}

static int append_set(redisContext *redis, enum key_class class, uint32_t index)
{
	uint8_t value[VALUE_MAX];
	char key[KEY_LEN];
	const char *argv[3] = { "SET", key, (const char *)value };
	size_t len[3] = { 3, key_name(key, class, index), value_size(class, index) };

	value_fill(value, class, index, 0);
	return redisAppendCommandArgv(redis, 3, argv, len) == REDIS_OK ? 0 : -EIO;
}

static int expect_ok(redisContext *redis)
{
	redisReply *reply = NULL;
	int r = 0;

	if (redisGetReply(redis, (void **)&reply) != REDIS_OK) {
		fprintf(stderr, "redis-check: the connection broke: %s\n", redis->errstr);
		return -EIO;
	}
	if (reply->type != REDIS_REPLY_STATUS || strcmp(reply->str, "OK")) {
		fprintf(stderr, "redis-check: SET was answered with '%s'\n",
			reply->str ? reply->str : "nothing");
		r = -EPROTO;
	}
	freeReplyObject(reply);
	return r;
}

static int fill_class(redisContext *redis, const struct load_options *options,
		      enum key_class class)
{
	uint32_t keys = class == KEY_FROZEN ? options->frozen : options->live;
	uint32_t before = class == KEY_FROZEN ? options->live : 0;
	uint32_t all = options->live + options->frozen;

	for (uint32_t first = 0; first < keys; first += PIPELINE) {
		uint32_t end = first + PIPELINE < keys ? first + PIPELINE : keys;

		for (uint32_t i = first; i < end; i++)
			if (append_set(redis, class, i))
				return -EIO;
		for (uint32_t i = first; i < end; i++) {
			int r = expect_ok(redis);

			if (r)
				return r;
		}
		printf("%u %u\n", before + end, all);
		fflush(stdout);
	}
	return 0;
}

int load_fill(const struct load_options *options)
{
	redisContext *redis = load_connect(options->socket);
	int r;

	if (!redis)
		return -ECONNREFUSED;
	r = fill_class(redis, options, KEY_LIVE);
	if (!r)
		r = fill_class(redis, options, KEY_FROZEN);
	redisFree(redis);
	return r;
}

/* Length and bytes; a lost key shows as the length 0. */
static int dump_reply(redisContext *redis)
{
	redisReply *reply = NULL;
	int r = 0;

	if (redisGetReply(redis, (void **)&reply) != REDIS_OK) {
		fprintf(stderr, "redis-check: the connection broke: %s\n", redis->errstr);
		return -EIO;
	}
	if (fwrite(&reply->len, sizeof(reply->len), 1, stdout) != 1 ||
	    (reply->str && fwrite(reply->str, 1, reply->len, stdout) != reply->len))
		r = -EIO;
	freeReplyObject(reply);
	return r;
}

int load_dump(const struct load_options *options)
{
	redisContext *redis = load_connect(options->socket);
	int r = redis ? 0 : -ECONNREFUSED;

	for (uint32_t first = 0; !r && first < options->frozen; first += PIPELINE) {
		uint32_t left = options->frozen - first;
		uint32_t end = first + (left < PIPELINE ? left : PIPELINE);

		for (uint32_t i = first; !r && i < end; i++) {
			char key[KEY_LEN];
			size_t len = key_name(key, KEY_FROZEN, i);

			if (redisAppendCommand(redis, "GET %b", key, len) != REDIS_OK)
				r = -ENOMEM;
		}
		for (uint32_t i = first; !r && i < end; i++)
			r = dump_reply(redis);
	}
	if (!r && fflush(stdout))
		r = -EIO;
	if (redis)
		redisFree(redis);
	return r;
}
