// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "fixture.h"

static int is_channel(const struct dirent *entry)
{
	return !strncmp(entry->d_name, "dma", 3) &&
		strstr(entry->d_name, "chan");
}

void channels_claim(struct ctl *c, struct channels *ret)
{
	struct channel_info info;
	struct dirent **list;
	uint32_t id;
	int n, i, err;

	memset(ret, 0, sizeof(*ret));
	n = (int)must(scandir("/sys/class/dma", &list, is_channel, versionsort));
	check(n > 0 && n <= MAX_ENGINES, "%d DMA channels in /sys/class/dma", n);
	for (i = 0; i < n; i++) {
		err = ctl_claim(c, list[i]->d_name, &id);
		check(!err, "claim of %s: %s: %s", list[i]->d_name,
		      strerror(-err), c->ack);
		channel_info(c, id, &info);
		check(!strcmp(info.name, list[i]->d_name),
		      "channel %u is called %s, not %s", id, info.name,
		      list[i]->d_name);
		check_eq(info.state, MIGD_CHANNEL_STATE_READY);
		ret->id[i] = (uint16_t)id;
		memcpy(ret->name[i], info.name, sizeof(info.name));
		memcpy(ret->device[i], info.device, sizeof(info.device));
		free(list[i]);
	}
	free(list);
	ret->nr = (unsigned int)n;
}

void plan_dma(struct server *s, const struct channels *ch, unsigned int nr,
	      unsigned int copies)
{
	unsigned int i;

	s->plan.nr_engines = nr;
	s->plan.copies = copies;
	for (i = 0; i < nr; i++)
		s->plan.engine[i] = ch->id[i];
}

void plan_cpu(struct server *s, unsigned int copies)
{
	s->plan.nr_engines = 1;
	s->plan.copies = copies;
	s->plan.engine[0] = MIGD_ENGINE_CPU;
}

void channel_info(struct ctl *c, uint32_t id, struct channel_info *ret)
{
	struct channel_info all[MAX_ENGINES + 1];
	int n = (int)must(ctl_channels(c, all, MAX_ENGINES + 1)), i;

	check(n <= MAX_ENGINES + 1, "%d channels", n);
	check(all[0].id == MIGD_ENGINE_CPU, "the CPU does not come first");
	for (i = 0; i < n; i++) {
		if (all[i].id == id) {
			*ret = all[i];
			return;
		}
	}
	fail("channel %u is not in the dump", id);
}

static void fault_path(const struct channels *ch, unsigned int i,
		       const char *name, char *ret, size_t size)
{
	snprintf(ret, size, "/sys/kernel/debug/migd_lsi/%s/%s", ch->device[i],
		 name);
}

void fault_set(const struct channels *ch, unsigned int i, const char *name,
	       long value)
{
	char path[128];
	int err;

	fault_path(ch, i, name, path, sizeof(path));
	err = write_file(path, "%ld", value);
	check(!err, "%s: %s", path, strerror(-err));
}

long fault_get(const struct channels *ch, unsigned int i, const char *name)
{
	const char *line;
	char path[128];

	fault_path(ch, i, name, path, sizeof(path));
	line = read_line(path);
	check(line, "cannot read %s", path);
	return strtol(line, NULL, 10);
}

void fault_all(const struct channels *ch, const char *name, long value)
{
	unsigned int i;

	for (i = 0; i < ch->nr; i++)
		fault_set(ch, i, name, value);
}

struct job_req job_for(const struct target *t, uint64_t addr, size_t bytes,
		       int from, int to, uint32_t order)
{
	struct job_req req = {
		.pid = t->pid,
		.start_time = t->start_time,
		.from = from,
		.to = to,
		.order = order,
		/* Only tests of the deadline itself come near it. */
		.deadline_us = 20000000,
		.nr_ranges = bytes ? 1 : 0,
		.range = { { addr, addr + bytes } },
	};

	return req;
}

const char *order_name(uint32_t order)
{
	return order == MIGD_ORDER_STATE_FIRST ? "state-first" : "copy-first";
}

void check_sum(const struct job_info *job)
{
	uint64_t left = 0;
	int r;

	for (r = 0; r < REASONS; r++)
		left += job->left[r];
	check(job->total == job->moved + left,
	      "job %llu: total %llu, but moved %llu and left %llu",
	      (unsigned long long)job->id, (unsigned long long)job->total,
	      (unsigned long long)job->moved, (unsigned long long)left);
}

void check_memory(struct target *t, uint64_t addr, size_t bytes, int node,
		  uint64_t seed)
{
	check_eq(pages_on(t->pid, addr, bytes, node), (long)(bytes / PAGE));
	check_eq(target_call(t, mem_wrong, addr, bytes, seed), 0);
}

void check_moved(struct ctl *c, struct target *t, const struct job_info *job,
		 uint64_t addr, size_t bytes, uint64_t seed)
{
	int r;

	(void)c;
	for (r = 0; r < REASONS; r++)
		check(!job->left[r], "%llu pages left for reason %d",
		      (unsigned long long)job->left[r], r);
	check_eq(job->outcome, MIGD_OUTCOME_MOVED);
	check_eq(job->total, bytes / PAGE);
	check_eq(job->moved, bytes / PAGE);
	check_eq(job->blackout.count, job->batches);
	check_eq(job->lock.count, job->batches);
	check_memory(t, addr, bytes, (int)job->to, seed);
}

void check_clean(struct ctl *c)
{
	struct stats_info stats;

	must(ctl_stats(c, &stats));
	check_eq(stats.jobs_active, 0);
	check_eq(stats.locked_pages, 0);
	check_eq(stats.quarantined_pages, 0);
	check_eq(stats.blackout.count, stats.batches);
	/* move_pages(2) counts up on one CPU, down on another: add them up. */
	must(write_file("/proc/sys/vm/stat_refresh", "1"));
	check_eq(read_key("/proc/vmstat", "nr_isolated_anon"), 0);
}

static bool idle(void *arg)
{
	struct stats_info stats;

	must(ctl_stats(arg, &stats));
	return !stats.jobs_active && !stats.locked_pages;
}

void wait_idle(struct ctl *c)
{
	wait_until(idle, c, "no job active, no page locked");
}

struct put {
	struct ctl *ctl;
	long refs;
};

static bool all_put(void *arg)
{
	struct stats_info stats;
	struct put *put = arg;

	must(ctl_stats(put->ctl, &stats));
	return !stats.jobs_active && !stats.locked_pages && !stats.quarantined_pages &&
		module_refs() == put->refs;
}

void wait_put(struct ctl *c, long refs)
{
	struct put put = { c, refs };

	wait_until(all_put, &put, "nothing active, locked, in quarantine or referenced");
}

void wait_job(struct ctl *c, uint64_t id, struct job_info *ret)
{
	unsigned int pos = 0;

	ctl_wait_event(c, MIGD_CMD_JOB_DONE_NTF, id, &pos);
	must(ctl_job(c, id, ret));
	check_eq(ret->state, MIGD_JOB_STATE_DONE);
	check_sum(ret);
}

/* In shared_page(). */
struct touching {
	atomic_int stop, ready;
	atomic_ulong stall;
};

static struct touching *touching;
static struct target beater;

/* A process that only sleeps and wakes: what the machine itself costs. */
static int64_t heartbeat(uint64_t arg, uint64_t b, uint64_t c)
{
	struct touching *shared = (void *)(uintptr_t)arg;
	uint64_t begin, took;

	(void)b;
	(void)c;
	shared->ready++;
	while (!shared->stop) {
		begin = now_ns();
		usleep(1000);
		took = now_ns() - begin;
		if (took > shared->stall)
			shared->stall = took;
	}
	return 0;
}

static int64_t touch(uint64_t addr, uint64_t bytes, uint64_t arg)
{
	struct touching *shared = (void *)(uintptr_t)arg;
	uint64_t begin, took, longest = 0, i;
	volatile char *at;

	shared->ready++;
	while (!shared->stop) {
		for (i = addr; i < addr + bytes && !shared->stop; i += PAGE) {
			at = (volatile char *)(uintptr_t)i;
			begin = now_ns();
			/* The value stays. */
			__atomic_fetch_or(at, 0, __ATOMIC_RELAXED);
			took = now_ns() - begin;
			if (took > longest)
				longest = took;
		}
	}
	return (int64_t)longest;
}

void touch_setup(void)
{
	touching = shared_page();
	target_start(&beater);
}

void touch_begin(struct target *t, uint64_t addr, size_t bytes)
{
	check(touching, "no touch_setup() before the target was started");
	touching->stop = 0;
	touching->stall = 0;
	touching->ready = 0;
	target_begin(&beater, heartbeat, (uintptr_t)touching, 0, 0);
	target_begin(t, touch, addr, bytes, (uintptr_t)touching);
	while (touching->ready < 2)
		usleep(1000);
}

uint64_t touch_end(struct target *t, uint64_t limit_ms, const struct job_info *job)
{
	uint64_t longest, stall, limit;

	touching->stop = 1;
	longest = (uint64_t)target_end(t);
	target_end(&beater);
	stall = touching->stall;
	limit = limit_ms * 1000000 + 2 * stall;
	printf("        ms: longest write %llu, stall of the machine %llu, lock %llu, copy %llu, commit %llu\n",
	       (unsigned long long)longest / 1000000,
	       (unsigned long long)stall / 1000000,
	       (unsigned long long)job->lock.largest / 1000000,
	       (unsigned long long)job->copy.largest / 1000000,
	       (unsigned long long)job->commit.largest / 1000000);
	check(longest <= limit, "a write took %llu ms",
	      (unsigned long long)longest / 1000000);
	check(job->blackout.largest <= limit, "a blackout of %llu ms",
	      (unsigned long long)job->blackout.largest / 1000000);
	return longest;
}

long module_refs(void)
{
	const char *line = read_line("/sys/module/migd/refcnt");

	check(line, "the module migd is not loaded");
	return strtol(line, NULL, 10);
}

void check_module_busy(const char *why)
{
	long ret = syscall(SYS_delete_module, "migd", O_NONBLOCK);

	check(ret < 0 && (errno == EBUSY || errno == EAGAIN),
	      "rmmod with %s: %s", why, ret ? strerror(errno) : "done");
}
