// SPDX-License-Identifier: GPL-2.0
/*
 * Read and write all the time and check every answer.
 *
 * Each key has one owner thread, which knows the last version the server has
 * acknowledged: a read that returns anything else is a wrong answer. Operations
 * start on a fixed schedule and their latency counts from the scheduled time,
 * so that a stalled server cannot hide the operations it kept from starting.
 *
 * Standard input takes one command a line: "phase NAME" names the phase that
 * begins now; "quit" or its end stops the run and prints the result as JSON. The
 * start of an operation is the scheduled one; phases.h says which phase it is of.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "hist.h"
#include "load.h"
#include "phases.h"
#include "value.h"

#define SHOWN_WRONG	5	/* wrong answers told in words */
#define RETRY_NS	100000000
#define UNSURE		(1ULL << 63)	/* a write whose answer never came */

struct checker {
	const struct load_options *options;
	pthread_t thread;
	unsigned int nr;
	redisContext *redis;
	uint64_t *version;	/* of the keys nr, nr + threads, ... */
	uint64_t random;
	uint64_t reads, writes, frozen_reads, wrong, errors, reconnects;
	struct hist phase[MAX_PHASES];
};

static atomic_bool stopping;

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

static void sleep_until(uint64_t ns)
{
	struct timespec at = { ns / 1000000000, ns % 1000000000 };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
		;
}

static uint32_t random_below(struct checker *c, uint32_t limit)
{
	c->random = c->random * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)((c->random >> 33) * limit >> 31);
}

static void drop_connection(struct checker *c)
{
	if (c->redis)
		redisFree(c->redis);
	c->redis = NULL;
	c->errors++;
}

static void reconnect(struct checker *c)
{
	while (!c->redis && !stopping) {
		c->redis = load_connect(c->options->socket);
		if (c->redis)
			c->reconnects++;
		else
			sleep_until(now_ns() + RETRY_NS);
	}
}

static void tell_wrong(struct checker *c, const char *key, uint64_t version,
		       const redisReply *reply)
{
	if (c->wrong++ < SHOWN_WRONG)
		fprintf(stderr, "redis-check: wrong answer: %s is not version %llu but %s, %zu B\n",
			key, (unsigned long long)version,
			reply->type == REDIS_REPLY_STRING ? "another value" : "no value",
			(size_t)reply->len);
}

/* An unanswered write may have happened or not: the next read settles it. */
static bool settle(uint64_t *version, const redisReply *reply, enum key_class class,
		   uint32_t index)
{
	uint64_t written = *version & ~UNSURE;

	if (value_is(reply->str, reply->len, class, index, written))
		*version = written;
	else if (value_is(reply->str, reply->len, class, index, written - 1))
		*version = written - 1;
	else
		return false;
	return true;
}

static void do_read(struct checker *c, enum key_class class, uint32_t index, uint64_t *version)
{
	char key[KEY_LEN];
	size_t len = key_name(key, class, index);
	redisReply *reply = redisCommand(c->redis, "GET %b", key, len);
	bool right;

	if (!reply) {
		drop_connection(c);
		return;
	}
	if (reply->type != REDIS_REPLY_STRING)
		right = false;
	else if (*version & UNSURE)
		right = settle(version, reply, class, index);
	else
		right = value_is(reply->str, reply->len, class, index, *version);
	if (!right)
		tell_wrong(c, key, *version & ~UNSURE, reply);
	freeReplyObject(reply);
	c->reads++;
}

static void do_write(struct checker *c, uint32_t index, uint64_t *version)
{
	uint8_t value[VALUE_MAX];
	char key[KEY_LEN];
	size_t len = key_name(key, KEY_LIVE, index);
	redisReply *reply;

	value_fill(value, KEY_LIVE, index, *version + 1);
	reply = redisCommand(c->redis, "SET %b %b", key, len, value,
			     value_size(KEY_LIVE, index));
	if (!reply) {
		*version = (*version + 1) | UNSURE;
		drop_connection(c);
		return;
	}
	if (reply->type == REDIS_REPLY_STATUS)
		(*version)++;
	else
		c->errors++;
	freeReplyObject(reply);
	c->writes++;
}

static void one_operation(struct checker *c)
{
	const struct load_options *o = c->options;
	uint32_t kind = random_below(c, 8);
	uint64_t unwritten = 0;
	uint32_t own;

	if (kind == 0 && o->frozen) {
		do_read(c, KEY_FROZEN, random_below(c, o->frozen), &unwritten);
		c->frozen_reads++;
		return;
	}
	own = random_below(c, o->live / o->threads);
	/* a version in doubt must be read before it is written again */
	if (kind % 2 || c->version[own] & UNSURE)
		do_read(c, KEY_LIVE, own * o->threads + c->nr, &c->version[own]);
	else
		do_write(c, own * o->threads + c->nr, &c->version[own]);
}

static void *checker_main(void *data)
{
	struct checker *c = data;
	uint64_t step = 1000000000ULL / c->options->rate;
	uint64_t at = now_ns() + step * c->nr / c->options->threads;

	while (!stopping) {
		uint64_t end;

		at += step;
		sleep_until(at);
		if (!c->redis)
			reconnect(c);
		if (c->redis)
			one_operation(c);
		end = now_ns();
		hist_add(&c->phase[phase_of(at, end)], end - at);
	}
	return NULL;
}

/* Returns at "quit" or at the end of the input. */
static void obey(void)
{
	char line[128], name[PHASE_LEN];

	while (fgets(line, sizeof(line), stdin)) {
		if (!strcmp(line, "quit\n"))
			break;
		if (sscanf(line, "phase %23[a-z0-9_-]", name) != 1)
			fprintf(stderr, "redis-check: unknown command: %s", line);
		else if (!phase_begin(name, now_ns()))
			fprintf(stderr, "redis-check: too many phases: '%s' is ignored\n", name);
	}
}

static void print_result(struct checker *all, unsigned int threads)
{
	struct checker sum = { 0 };

	for (unsigned int i = 0; i < threads; i++) {
		sum.reads += all[i].reads;
		sum.writes += all[i].writes;
		sum.frozen_reads += all[i].frozen_reads;
		sum.wrong += all[i].wrong;
		sum.errors += all[i].errors;
		sum.reconnects += all[i].reconnects;
		for (unsigned int p = 0; p < phases; p++)
			hist_merge(&sum.phase[p], &all[i].phase[p]);
	}
	printf("{\"ops\":%llu,\"reads\":%llu,\"writes\":%llu,\"frozen_reads\":%llu,",
	       (unsigned long long)(sum.reads + sum.writes), (unsigned long long)sum.reads,
	       (unsigned long long)sum.writes, (unsigned long long)sum.frozen_reads);
	printf("\"wrong\":%llu,\"errors\":%llu,\"reconnects\":%llu,\"phases\":",
	       (unsigned long long)sum.wrong, (unsigned long long)sum.errors,
	       (unsigned long long)sum.reconnects);
	phases_print(sum.phase);
	puts("}");
}

static int start(struct checker *c, const struct load_options *options, unsigned int nr)
{
	c->options = options;
	c->nr = nr;
	c->random = 0x5851f42d4c957f2dULL * (nr + 1);
	c->version = calloc(options->live / options->threads + 1, sizeof(*c->version));
	if (!c->version)
		return -ENOMEM;
	c->redis = load_connect(options->socket);
	if (!c->redis)
		return -ECONNREFUSED;
	return -pthread_create(&c->thread, NULL, checker_main, c);
}

int load_run(const struct load_options *options)
{
	struct checker *all = calloc(options->threads, sizeof(*all));
	unsigned int started = 0;
	int r = all ? 0 : -ENOMEM;

	while (!r && started < options->threads) {
		r = start(&all[started], options, started);
		if (!r)
			started++;
	}
	if (!r)
		obey();
	stopping = true;
	for (unsigned int i = 0; i < started; i++)
		pthread_join(all[i].thread, NULL);
	if (!r)
		print_result(all, started);
	for (unsigned int i = 0; all && i < options->threads; i++) {
		if (all[i].redis)
			redisFree(all[i].redis);
		free(all[i].version);
	}
	free(all);
	return r;
}
