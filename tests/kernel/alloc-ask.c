// SPDX-License-Identifier: GPL-2.0
/*
 * Each allocation in the caller's part of a request, and each copy from or to user
 * space, fails once, one after the other: the caller gets a clean error, and
 * nothing is left behind. With the path of the module and N: N of loading it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "fixture.h"
#include "inject.h"

#define BATCH	32
/* More allocations than loading the module takes. */
#define MANY	100000
#define BYTES	(BATCH * PAGE)

static struct ctl ctl;
static struct server server;
static struct target target;
static struct channels channels;
static uint64_t addr;
static long refs;

/* Everything that is counted is where it was. */
static void nothing_left(void)
{
	wait_put(&ctl, refs);
	check_clean(&ctl);
}

/* A request, 0 or a negative errno, and what takes back one that was granted. */
struct request {
	const char *name;
	int (*ask)(void);
	void (*undo)(void);
};

/* Each allocation in this thread's part of a request. */
static void each_of(const struct request *request)
{
	unsigned int nth, failed = 0, refused = 0;
	bool unused;
	int err;

	for (nth = 1;; nth++) {
		inject_nth(nth);
		err = request->ask();
		unused = inject_nth_unused();
		if (!err && request->undo)
			request->undo();
		if (unused)
			break;
		failed++;
		refused += !!err;
		check(!err || err == -ENOMEM || err == -EFAULT || err == -ENODEV,
		      "%s, allocation %u: %s", request->name, nth, strerror(-err));
	}
	check(!err, "%s without a failure: %s", request->name, strerror(-err));
	check(failed, "%s has allocated nothing", request->name);
	printf("        %s: %u failed, %u refusals\n", request->name, failed, refused);
}

static int open_device(void)
{
	int fd = open("/dev/migd", O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : close(fd);
}

static int set_up(void)
{
	struct migd_setup setup = {
		.abi_version = MIGD_ABI_VERSION,
		.features = MIGD_FEAT_DMA,
		.nr_queues = 4,
		.depth = 32,
		.max_batch_pages = BATCH,
	};
	int fd = open("/dev/migd", O_RDWR | O_CLOEXEC), err;

	if (fd < 0)
		return -errno;
	err = ioctl(fd, MIGD_IOC_SETUP, &setup) ? -errno : 0;
	close(fd);
	return err;
}

/* Where nothing else is: it takes page tables of all levels, each time anew. */
#define LONELY	((void *)(3UL << 44))

static int map(void)
{
	return mmap(LONELY, server.setup.map_bytes, PROT_READ, MAP_SHARED | MAP_FIXED_NOREPLACE,
		    server.fd, 0) == MAP_FAILED ? -errno : 0;
}

static void unmap(void)
{
	must(munmap(LONELY, server.setup.map_bytes));
}

static uint32_t claimed;

static int claim(void)
{
	return ctl_claim(&ctl, channels.name[0], &claimed);
}

static void release(void)
{
	must(ctl_release(&ctl, claimed));
}

static uint64_t last_job;

static int submit(uint32_t flags)
{
	struct job_req req = job_for(&target, addr, BYTES, -1, 1, MIGD_ORDER_COPY_FIRST);

	req.flags = flags;
	return ctl_submit(&ctl, &req, &last_job);
}

static int submit_plain(void)
{
	return submit(0);
}

static int submit_atomic(void)
{
	return submit(MIGD_JOB_FLAG_ATOMIC);
}

static void cancel(void)
{
	/* No FETCH is parked, so it waits. */
	must(ctl_cancel(&ctl, last_job));
	wait_idle(&ctl);
}

static int ask_features(void)
{
	struct features_info features;

	return ctl_features(&ctl, &features);
}

static int ask_stats(void)
{
	struct stats_info stats;

	return ctl_stats(&ctl, &stats);
}

static int ask_config(void)
{
	uint32_t locked, wait;

	return ctl_config_get(&ctl, &locked, &wait);
}

static int ask_channels(void)
{
	struct channel_info all[MAX_ENGINES + 1];
	int n = ctl_channels(&ctl, all, MAX_ENGINES + 1);

	return n < 0 ? n : 0;
}

static int ask_job(void)
{
	struct job_info job;

	return ctl_job(&ctl, last_job, &job);
}

static void requests_without_server(void)
{
	static const struct request requests[] = {
		{ "open", open_device },
		{ "MIGD_IOC_SETUP", set_up },
	};
	unsigned int i;

	step("requests: the device");
	for (i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		each_of(&requests[i]);
}

static void requests(void)
{
	static const struct request requests[] = {
		{ "mmap", map, unmap },
		{ "channel-claim", claim, release },
		{ "job-submit", submit_plain, cancel },
		{ "job-submit, atomic", submit_atomic, cancel },
		{ "features-get", ask_features },
		{ "stats-get", ask_stats },
		{ "config-get", ask_config },
		{ "channel-get", ask_channels },
		{ "job-get", ask_job },
	};
	unsigned int i;

	step("requests");
	for (i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		each_of(&requests[i]);
		nothing_left();
	}
}

/* Loads the module with the @nth allocation failing; the result, and if it did. */
static int load(const char *path, unsigned int nth, unsigned int *ret_unused)
{
	int file = (int)must(open(path, O_RDONLY | O_CLOEXEC)), err;

	inject_nth(nth);
	err = syscall(SYS_finit_module, file, "", 0) ? -errno : 0;
	*ret_unused = inject_nth_unused();
	close(file);
	if (!err)
		must(syscall(SYS_delete_module, "migd", O_NONBLOCK));
	return err;
}

/* @loads of them, evenly spread, first and last: it takes seconds on the debug kernel. */
static void loading(const char *path, unsigned int loads)
{
	unsigned int i, nth, all, unused, failed = 0, refused = 0;
	int err;

	step("loading the module");
	inject_for_function("do_one_initcall");
	must(load(path, MANY, &unused));
	check(unused && unused < MANY, "loading the module allocates nothing");
	all = MANY - unused;
	loads = loads < all ? loads : all;
	check(loads > 1, "the first and the last are to fail");
	for (i = 0; i < loads; i++) {
		nth = 1 + i * (all - 1) / (loads - 1);
		err = load(path, nth, &unused);
		check(!err || err == -ENOMEM, "allocation %u of %u: %s", nth, all, strerror(-err));
		/* How many pages the slabs ask for is not always the same. */
		failed += !unused;
		refused += !!err;
	}
	must(load(path, MANY, &unused));
	printf("        %u of %u failed, %u times it was not loaded\n", failed, all, refused);
	check(refused, "it is loaded whatever fails");
}

int main(int argc, char **argv)
{
	if (argc == 3) {
		loading(argv[1], (unsigned int)strtoul(argv[2], NULL, 10));
		return 0;
	}
	must(ctl_open(&ctl, true));
	inject_for_module();
	target_start(&target);
	addr = (uint64_t)target_call(&target, mem_new, BYTES, 0, 1);
	refs = module_refs();
	requests_without_server();
	nothing_left();
	server_open(&server, 1, BATCH);
	channels_claim(&ctl, &channels);
	claimed = channels.id[0];
	release();
	refs = module_refs();
	requests();
	check_memory(&target, addr, BYTES, 0, 1);
	target_stop(&target);
	server_close(&server);
	wait_idle(&ctl);
	check_clean(&ctl);
	return 0;
}
