// SPDX-License-Identifier: GPL-2.0
/*
 * Two ends of a COPY at the same time: its descriptors come back while the
 * deadline, or the exit of the server, takes its command away. KASAN and the
 * reference counts look on; the process looks at its memory.
 */
#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "fixture.h"

#define PAGES	256UL
#define BATCH	32U
#define BYTES	(PAGES * PAGE)
#define SEED	17
#define ROUNDS	12U
#define MOST_ROUNDS	(4 * ROUNDS)

static struct ctl ctl;
static struct target target, keeper;
static struct channels channels;
static struct server server;	/* ours, and in the keeper its own */
static uint64_t addr;

/* The module, and nothing of the job, counts from one round to the next. */
static void check_round(uint64_t id, struct job_info *job)
{
	must(ctl_job(&ctl, id, job));
	check_sum(job);
	check_eq(target_call(&target, mem_wrong, addr, BYTES, SEED), 0);
	check_eq(job->moved, pages_on(target.pid, addr, BYTES, 1));
	move_by_kernel(target.pid, addr, BYTES, 0);
}

static bool all_back(void *arg)
{
	struct stats_info stats;

	(void)arg;
	must(ctl_stats(&ctl, &stats));
	return !stats.quarantined_pages;
}

/*
 * COPYs issued by io-wq workers against deadlines of a few milliseconds: these
 * come before, while and after the command is set up.
 */
static void against_deadline(uint32_t order)
{
	uint64_t moved = 0, rescued = 0, id;
	struct job_info job;
	struct job_req req;
	unsigned int i, more;

	step("%s, COPYs against the deadline", order_name(order));
	server_open(&server, 4, BATCH);
	server.async = true;
	server.plan.retry = true;
	channels_claim(&ctl, &channels);
	plan_dma(&server, &channels, channels.nr, 2);
	for (i = 0; i < ROUNDS || (i < MOST_ROUNDS && !(moved && rescued)); i++) {
		req = job_for(&target, addr, BYTES, 0, 1, order);
		/*
		 * From the shortest to one that most COPYs keep. Where the machine
		 * is so fast that all do, the engines get slower; where it is so
		 * slow that none does, the deadlines longer.
		 */
		more = i / ROUNDS;
		req.deadline_us = 1000U << (i % 6 + (moved ? 0 : more));
		fault_all(&channels, "latency_us",
			  500 * (i % 4) + (rescued ? 0 : 4000 * more));
		id = server_job(&server, &ctl, &req);
		server_run(&server, &ctl, id);
		check_round(id, &job);
		moved += job.moved;
		rescued += job.rescued;
		wait_until(all_back, NULL, "no page in quarantine");
	}
	check(moved && rescued, "%llu pages moved, %llu batches rescued",
	      (unsigned long long)moved, (unsigned long long)rescued);
	fault_all(&channels, "latency_us", 0);
	server_close(&server);
	wait_idle(&ctl);
	check_clean(&ctl);
}

static int64_t serve_open(uint64_t depth, uint64_t b, uint64_t c)
{
	(void)b;
	(void)c;
	server.to_the_end = true;
	server_open(&server, (unsigned int)depth, BATCH);
	server_fetch_all(&server);
	return 0;
}

/* A batch in each slot, and a COPY of each on a channel. */
static int64_t serve_take(uint64_t engine, uint64_t nr, uint64_t c)
{
	unsigned int taken, slot;

	(void)c;
	for (taken = 0; taken < server.nr_slots; taken++) {
		slot = server_wait_batch(&server);
		server_copy(&server, slot, (uint16_t)(engine + taken % nr), 0,
			    server.slot[slot].pages);
	}
	server_submit(&server);
	return 0;
}

/* The server is killed while the engine lets go of what it has withheld. */
static void against_exit(uint32_t order, const char *name)
{
	unsigned int pos, i, depth = 4;
	struct job_info job;
	struct job_req req;
	uint64_t id;
	pid_t pid;

	step("%s, %s against the exit", order_name(order), name);
	must(ctl_config_set(&ctl, 0, 1));
	for (i = 0; i < ROUNDS; i++) {
		target_start(&keeper);
		target_call(&keeper, serve_open, depth, 0, 0);
		channels_claim(&ctl, &channels);
		check_eq(channels.id[channels.nr - 1] - channels.id[0],
			 channels.nr - 1);
		fault_all(&channels, name, 1);
		req = job_for(&target, addr, BYTES, 0, 1, order);
		pos = ctl.nr_events;
		id = server_job(NULL, &ctl, &req);
		/* One COPY of a channel each: nobody waits for descriptors. */
		target_call(&keeper, serve_take, channels.id[0], channels.nr, 0);
		pid = (pid_t)must(fork());
		if (!pid) {
			usleep(i * i * 50);
			fault_all(&channels, name, 0);
			_exit(0);
		}
		target_stop(&keeper);
		check_eq(waitpid(pid, NULL, 0), pid);
		ctl_wait_event(&ctl, MIGD_CMD_SERVER_LOST_NTF, 0, &pos);
		wait_job(&ctl, id, &job);
		check_eq(job.outcome, MIGD_OUTCOME_SERVER_LOST);
		check_round(id, &job);
		wait_until(all_back, NULL, "no page in quarantine");
		wait_idle(&ctl);
		check_clean(&ctl);
	}
	must(ctl_config_set(&ctl, 0, 30000));
}

int main(void)
{
	uint32_t order;

	must(ctl_open(&ctl, true));
	target_start(&target);
	addr = (uint64_t)target_call(&target, mem_new, BYTES, 0, SEED);

	for (order = MIGD_ORDER_COPY_FIRST; order <= MIGD_ORDER_STATE_FIRST; order++) {
		against_deadline(order);
		against_exit(order, "late_write");
		against_exit(order, "hold");
	}
	target_stop(&target);
	wait_idle(&ctl);
	check_clean(&ctl);
	return 0;
}
