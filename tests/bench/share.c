// SPDX-License-Identifier: GPL-2.0
/*
 * What the DMA driver itself executes: the function graph tracer times each of
 * its functions, what they call included, and migd's callback in them left
 * out. Only in a pass of its own, since tracing costs instructions as well;
 * that cost is measured on a trivial system call and taken off.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench.h"

#define TRACING		"/sys/kernel/tracing/"
#define CALLBACK	"migd_dma_callback\n"
#define GETPPIDS	1000
#define MAX_DEPTH	64

#define TRIVIAL		"sys_getppid"	/* behind the architecture's prefix */

static uint64_t inside_ns;	/* of one traced call, in its own duration */
static uint64_t whole_ns;	/* of one traced call, as its caller sees it */

static int put(const char *file, const char *text, int flags)
{
	char path[128];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), TRACING "%s", file);
	fd = open(path, O_WRONLY | O_CLOEXEC | flags);
	n = fd < 0 ? -1 : write(fd, text, strlen(text));
	if (n < 0) {
		int r = -errno;

		fprintf(stderr, "migd-bench: cannot write '%s' to %s: %s\n", text, path,
			strerror(-r));
		if (fd >= 0)
			close(fd);
		return r;
	}
	close(fd);
	return 0;
}

/*
 * Trace these functions; a module's are written as ":mod:name". Without its end
 * of line, an unknown one would only fail at the close.
 */
static int trace(const char *first, const char *second)
{
	static const char *const options[] = {
		"nofuncgraph-cpu", "nofuncgraph-proc", "nofuncgraph-overhead", "nofuncgraph-tail",
		"nofuncgraph-abstime", "funcgraph-duration", "funcgraph-irqs",
	};
	int r = put("current_tracer", "nop", 0);

	if (!r)
		r = put("set_ftrace_filter", first, O_TRUNC);
	if (!r && second)
		r = put("set_ftrace_filter", second, O_APPEND);
	if (!r)
		r = put("buffer_size_kb", "65536", 0);
	if (!r)
		r = put("current_tracer", "function_graph", 0);
	for (size_t i = 0; !r && i < sizeof(options) / sizeof(options[0]); i++)
		r = put("trace_options", options[i], 0);
	if (!r)
		r = put("trace", "", O_TRUNC);
	return r ? r : put("tracing_on", "1", 0);
}

static void trace_end(void)
{
	put("current_tracer", "nop", 0);
	put("set_ftrace_filter", "\n", O_TRUNC);
}

/* Every event of the pass must be there. */
static int check_complete(void)
{
	char line[128];
	unsigned long lost = 0;
	FILE *stats = fopen(TRACING "per_cpu/cpu0/stats", "re");

	if (!stats)
		return -errno;
	while (fgets(line, sizeof(line), stats))
		if (sscanf(line, "overrun: %lu", &lost) == 1)
			break;
	fclose(stats);
	if (!lost)
		return 0;
	fprintf(stderr, "migd-bench: the trace lost %lu events; use less --mib\n", lost);
	return -ENOBUFS;
}

struct frames {
	bool driver[MAX_DEPTH];
	unsigned int depth;
	uint64_t outer, nested, callbacks;
	int64_t ns;
};

static void count(struct frames *frames, bool driver, uint64_t ns)
{
	bool in_driver = frames->depth && frames->driver[frames->depth - 1];

	if (driver && !in_driver) {
		frames->outer++;
		frames->ns += ns;
	} else if (driver) {
		frames->nested++;
	} else if (in_driver) {
		frames->callbacks++;
		frames->ns -= ns;
	}
}

/* "  1.234 us    |    name [module]();", or "name() {" and later "}" */
static void parse(struct frames *frames, const char *line, const char *driver)
{
	const char *bar = strrchr(line, '|');
	unsigned long us, ns;
	bool timed;

	if (!bar)
		return;
	timed = sscanf(line, " %lu.%lu us", &us, &ns) == 2;
	if (strstr(bar, "() {")) {
		if (frames->depth < MAX_DEPTH)
			frames->driver[frames->depth++] = strstr(bar, driver);
	} else if (strchr(bar, '}')) {
		if (!frames->depth || !timed)
			return;
		frames->depth--;
		count(frames, frames->driver[frames->depth], us * 1000 + ns);
	} else if (strstr(bar, "();") && timed) {
		count(frames, strstr(bar, driver), us * 1000 + ns);
	}
}

static int read_trace(struct frames *frames, const char *driver)
{
	char line[512];
	FILE *text;
	int r = put("tracing_on", "0", 0);

	if (!r)
		r = check_complete();
	if (r)
		return r;
	text = fopen(TRACING "trace", "re");
	if (!text)
		return -errno;
	while (fgets(line, sizeof(line), text))
		parse(frames, line, driver);
	fclose(text);
	return 0;
}

static uint64_t time_getppid(void)
{
	uint64_t start = now_ns();

	for (unsigned int i = 0; i < GETPPIDS; i++)
		syscall(SYS_getppid);
	return now_ns() - start;
}

static int calibrate(void)
{
	struct frames frames = { 0 };
	uint64_t plain, traced;
	int r;

	time_getppid();
	plain = time_getppid();
	r = trace("*" TRIVIAL "\n", NULL);
	if (r)
		return r;
	traced = time_getppid();
	r = read_trace(&frames, TRIVIAL);
	trace_end();
	if (r)
		return r;
	if (frames.outer < GETPPIDS) {
		fprintf(stderr, "migd-bench: only %llu of %u calls were traced\n",
			(unsigned long long)frames.outer, GETPPIDS);
		return -ENODATA;
	}
	inside_ns = frames.ns / frames.outer;
	whole_ns = (traced - plain) / GETPPIDS;
	return 0;
}

int share_start(const char *driver)
{
	char filter[80];
	int r = whole_ns ? 0 : calibrate();

	if (r)
		return r;
	snprintf(filter, sizeof(filter), ":mod:%s\n", driver);
	return trace(filter, CALLBACK);
}

int share_stop(const char *driver, struct share *ret_share)
{
	struct frames frames = { 0 };
	char module[80];
	uint64_t overhead;
	int r;

	snprintf(module, sizeof(module), "[%s]", driver);
	r = read_trace(&frames, module);
	trace_end();
	if (r)
		return r;
	overhead = frames.outer * inside_ns + frames.nested * whole_ns +
		   frames.callbacks * (whole_ns - inside_ns);
	*ret_share = (struct share) {
		.ns = frames.ns > (int64_t)overhead ? frames.ns - overhead : 0,
		.calls = frames.outer + frames.nested,
		.overhead_ns = whole_ns,
	};
	return 0;
}
