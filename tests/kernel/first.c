// SPDX-License-Identifier: GPL-2.0
/*
 * The corridor once with each engine, in both orders, there and back: all pages
 * are moved and byte-equal. The module poisons each destination before the copy.
 */
#include <string.h>
#include <unistd.h>
#include "fixture.h"

#define BYTES	(64UL << 20)
#define SMALL	(16UL << 20)

static struct ctl ctl;
static struct server server;
static struct target target;
static struct channels channels;

static void there_and_back(uint64_t addr, size_t bytes, uint64_t seed,
			   uint32_t order, const char *how)
{
	struct stats_info before, after;
	struct job_info job;
	struct job_req req;
	int to;

	for (to = 1; to >= 0; to--) {
		step("%s, %s, to node %d", how, order_name(order), to);
		must(ctl_stats(&ctl, &before));
		req = job_for(&target, addr, bytes, 1 - to, to, order);
		server_move(&server, &ctl, &req, &job);
		check_moved(&ctl, &target, &job, addr, bytes, seed);
		check_clean(&ctl);
		must(ctl_stats(&ctl, &after));
		check_eq(after.moved - before.moved, bytes / PAGE);
		check_eq(after.batches - before.batches, job.batches);
		check_eq(after.jobs - before.jobs, 1);
		check_eq(job.rescued, 0);
	}
}

static uint64_t channel_pages(unsigned int i)
{
	struct channel_info info;

	channel_info(&ctl, channels.id[i], &info);
	check_eq(info.bytes, info.pages * PAGE);
	check_eq(info.in_flight, 0);
	check_eq(info.errors, 0);
	check_eq(info.copies, info.copy.count);
	return info.pages;
}

/* Every channel of the plan has done its part, and nobody else anything. */
static void dma(uint64_t addr, size_t bytes, uint64_t seed, uint32_t order,
		unsigned int nr, unsigned int copies, const char *how)
{
	uint64_t before[MAX_ENGINES], done, sum = 0;
	unsigned int i;

	for (i = 0; i < channels.nr; i++)
		before[i] = channel_pages(i);
	plan_dma(&server, &channels, nr, copies);
	there_and_back(addr, bytes, seed, order, how);
	for (i = 0; i < channels.nr; i++) {
		done = channel_pages(i) - before[i];
		check(!done == (i >= nr), "%s copied %llu pages",
		      channels.name[i], (unsigned long long)done);
		sum += done;
	}
	check_eq(sum, 2 * bytes / PAGE);
}

int main(void)
{
	struct features_info features;
	uint64_t addr, part;
	uint32_t order;

	must(ctl_open(&ctl, true));
	target_start(&target);
	addr = (uint64_t)target_call(&target, mem_new, BYTES, 0, 7);
	server.to_the_end = true;
	server_open(&server, 4, 512);
	must(ctl_features(&ctl, &features));
	check_eq(features.server_pid, getpid());
	check_eq(features.abi_version, MIGD_ABI_VERSION);
	check_eq(features.max_batch_pages, MIGD_MAX_BATCH_PAGES);
	check(!strcmp(features.version, (char *)server.setup.version),
	      "version %s and %s", features.version, server.setup.version);
	channels_claim(&ctl, &channels);

	there_and_back(addr, BYTES, 7, MIGD_ORDER_COPY_FIRST, "CPU");
	for (order = MIGD_ORDER_COPY_FIRST; order <= MIGD_ORDER_STATE_FIRST; order++) {
		plan_cpu(&server, 0);
		there_and_back(addr, SMALL, 7, order, "CPU, one COPY");
		plan_cpu(&server, 5);
		there_and_back(addr, SMALL, 7, order, "CPU, five COPYs");
		dma(addr, SMALL, 7, order, 1, 0, "one channel");
		dma(addr, SMALL, 7, order, channels.nr, 0, "striped");
		dma(addr, SMALL, 7, order, channels.nr, 4 * channels.nr,
		    "striped, four COPYs for each channel");
		server.plan.nr_engines = 0;
		there_and_back(addr, SMALL, 7, order, "commit without COPY");
	}

	/* More descriptors than a channel has: prep answers NULL in between. */
	part = (uint64_t)target_call(&target, mem_new_scattered, SMALL, 0, 8);
	for (order = MIGD_ORDER_COPY_FIRST; order <= MIGD_ORDER_STATE_FIRST; order++) {
		dma(part, SMALL, 8, order, 1, 0, "scattered, one channel");
		dma(part, SMALL, 8, order, channels.nr, 0, "scattered, striped");
	}

	step("the rest of the target's memory");
	check_eq(target_call(&target, mem_wrong, addr, BYTES, 7), 0);
	target_stop(&target);
	wait_idle(&ctl);
	check_clean(&ctl);
	return 0;
}
