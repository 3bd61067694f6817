// SPDX-License-Identifier: GPL-2.0
/* The options of MigrateProcess. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bus.h"
#include "names.h"

#define MAX_RANGES	256

static int read_order(sd_bus_message *msg, struct job_request *req, struct fault *f)
{
	const char *text;
	int r;

	r = sd_bus_message_read_basic(msg, 's', &text);
	if (r < 0)
		return r;
	r = order_of(text);
	if (r < 0)
		return fault_set(f, FAULT_INVALID_OPTION,
				 "order is copy-first or state-first, not '%s'", text);
	req->order = r;
	return 0;
}

static int read_engine(sd_bus_message *msg, struct job_request *req, struct fault *f)
{
	const char *text;
	int r;

	r = sd_bus_message_read_basic(msg, 's', &text);
	if (r < 0)
		return r;
	if (policy_check_engine(text) < 0)
		return fault_set(f, FAULT_INVALID_OPTION,
				 "engine is auto, cpu, dma or the name of a channel, not '%.64s'",
				 text);
	snprintf(req->engine, sizeof(req->engine), "%s", text);
	return 0;
}

static int read_batch_pages(sd_bus_message *msg, struct job_request *req, struct fault *f)
{
	int r = sd_bus_message_read_basic(msg, 'u', &req->batch_pages);

	if (r >= 0 && !req->batch_pages)
		return fault_set(f, FAULT_INVALID_OPTION, "batch-pages is at least 1");
	return r;
}

static int read_deadline(sd_bus_message *msg, struct job_request *req, struct fault *f)
{
	int r = sd_bus_message_read_basic(msg, 'u', &req->deadline_us);

	if (r >= 0 && (req->deadline_us < POLICY_DEADLINE_MIN ||
		       req->deadline_us > POLICY_DEADLINE_MAX))
		return fault_set(f, FAULT_INVALID_OPTION,
				 "deadline-us is %llu to %llu microseconds, not %u",
				 POLICY_DEADLINE_MIN, POLICY_DEADLINE_MAX, req->deadline_us);
	return r;
}

static int read_rate(sd_bus_message *msg, struct job_request *req, struct fault *f)
{
	req->has_rate = true;
	return sd_bus_message_read_basic(msg, 't', &req->max_rate);
}

static int read_nice(sd_bus_message *msg, struct job_request *req, struct fault *f)
{
	int r = sd_bus_message_read_basic(msg, 'u', &req->nice);

	if (r >= 0 && req->nice > POLICY_NICE_MAX)
		return fault_set(f, FAULT_INVALID_OPTION, "nice is 0 to %d, not %u",
				 POLICY_NICE_MAX, req->nice);
	return r;
}

static int read_leave_large(sd_bus_message *msg, struct job_request *req, struct fault *f)
{
	int leave, r;

	r = sd_bus_message_read_basic(msg, 'b', &leave);
	if (r >= 0)
		req->leave_large = leave;
	return r;
}

static int add_range(struct job_request *req, uint64_t start, uint64_t end, struct fault *f)
{
	uint64_t mask = sysconf(_SC_PAGESIZE) - 1;
	struct nl_range *grown;

	if (start >= end || (start | end) & mask)
		return fault_set(f, FAULT_INVALID_OPTION,
				 "range %#llx-%#llx is empty or not aligned to pages of %llu bytes",
				 (unsigned long long)start, (unsigned long long)end,
				 (unsigned long long)mask + 1);
	if (req->nr_ranges == MAX_RANGES)
		return fault_set(f, FAULT_INVALID_OPTION,
				 "a job takes at most %d ranges: submit several jobs", MAX_RANGES);
	grown = realloc(req->ranges, (req->nr_ranges + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	req->ranges = grown;
	req->ranges[req->nr_ranges++] = (struct nl_range) { start, end };
	return 0;
}

static int read_ranges(sd_bus_message *msg, struct job_request *req, struct fault *f)
{
	uint64_t start, end;
	int r;

	r = sd_bus_message_enter_container(msg, 'a', "(tt)");
	if (r < 0)
		return r;
	while ((r = sd_bus_message_read(msg, "(tt)", &start, &end)) > 0) {
		r = add_range(req, start, end, f);
		if (r < 0)
			return r;
	}
	return r < 0 ? r : sd_bus_message_exit_container(msg);
}

static int read_flag(sd_bus_message *msg, struct job_request *req, uint32_t flag)
{
	int set, r;

	r = sd_bus_message_read_basic(msg, 'b', &set);
	if (r >= 0)
		req->flags = set ? req->flags | flag : req->flags & ~flag;
	return r;
}

static int read_verify(sd_bus_message *msg, struct job_request *req,
		       __attribute__((unused)) struct fault *f)
{
	return read_flag(msg, req, MIGD_JOB_FLAG_VERIFY);
}

static int read_atomic(sd_bus_message *msg, struct job_request *req,
		       __attribute__((unused)) struct fault *f)
{
	return read_flag(msg, req, MIGD_JOB_FLAG_ATOMIC);
}

const struct bus_option bus_options[] = {
	{ "order", "s", read_order },
	{ "engine", "s", read_engine },
	{ "batch-pages", "u", read_batch_pages },
	{ "deadline-us", "u", read_deadline },
	{ "max-rate", "t", read_rate },
	{ "nice", "u", read_nice },
	{ "leave-large", "b", read_leave_large },
	{ "ranges", "a(tt)", read_ranges },
	{ "verify", "b", read_verify },
	{ "atomic", "b", read_atomic },
	{ },
};

static int read_option(sd_bus_message *msg, struct job_request *req, struct fault *f)
{
	const struct bus_option *o = bus_options;
	const char *name, *type;
	int r;

	r = sd_bus_message_read_basic(msg, 's', &name);
	if (r < 0)
		return r;
	while (o->name && strcmp(o->name, name))
		o++;
	if (!o->name)
		return fault_set(f, FAULT_INVALID_OPTION,
				 "there is no option '%.64s': see org.migd1(5) for those there are",
				 name);
	r = sd_bus_message_peek_type(msg, NULL, &type);
	if (r < 0)
		return r;
	if (strcmp(type, o->type))
		return fault_set(f, FAULT_INVALID_OPTION,
				 "option %s has type %s, not %s: see org.migd1(5)", name,
				 o->type, type);
	r = sd_bus_message_enter_container(msg, 'v', type);
	if (r < 0)
		return r;
	r = o->read(msg, req, f);
	return r < 0 ? r : sd_bus_message_exit_container(msg);
}

int bus_read_options(sd_bus_message *msg, struct job_request *req, struct fault *f)
{
	int r;

	r = sd_bus_message_enter_container(msg, 'a', "{sv}");
	if (r < 0)
		return r;
	while ((r = sd_bus_message_enter_container(msg, 'e', "sv")) > 0) {
		r = read_option(msg, req, f);
		if (r < 0)
			return r;
		r = sd_bus_message_exit_container(msg);
		if (r < 0)
			return r;
	}
	return r < 0 ? r : sd_bus_message_exit_container(msg);
}
