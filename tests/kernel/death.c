// SPDX-License-Identifier: GPL-2.0
/*
 * Servers that are killed, stopped or leave with batches in their hands. The
 * job goes on with the next server, or ends as server-lost with every page
 * accounted for; nobody waits longer than deadline and grace.
 */
#include <errno.h>
#include <signal.h>
#include <unistd.h>
#include "fixture.h"

#define PAGES	1024UL
#define BATCH	128U
#define BYTES	(PAGES * PAGE)
#define SEED	9
#define DEADLINE_MS	800

/* The server of a process of its own, a target that is never moved. */
static struct server theirs;

static int64_t serve_open(uint64_t depth, uint64_t b, uint64_t c)
{
	(void)b;
	(void)c;
	theirs.to_the_end = true;
	server_open(&theirs, (unsigned int)depth, BATCH);
	server_fetch_all(&theirs);
	return 0;
}

/* Waits until all slots have a batch and begins COPYs of all when asked to. */
static int64_t serve_take(uint64_t copy, uint64_t engine, uint64_t c)
{
	struct answer answer;
	unsigned int taken = 0;

	(void)c;
	while (taken < theirs.nr_slots) {
		server_wait(&theirs, &answer);
		/* A COPY may be late on a slow machine; there are others. */
		if (answer.op == MIGD_IO_COPY)
			continue;
		check(answer.res > 0, "command %#x: %d", answer.op, answer.res);
		if (copy)
			server_copy(&theirs, answer.slot, (uint16_t)engine, 0,
				    theirs.slot[answer.slot].pages);
		taken++;
	}
	server_submit(&theirs);
	return theirs.nr_slots;
}

/*
 * Waits for a batch on the only slot, by its descriptor: its FETCH stays
 * unreaped. The job may have locked less than a whole batch.
 */
static bool handed(void *desc)
{
	return ((const volatile struct migd_desc *)desc)->seq;
}

static int64_t serve_handed(uint64_t a, uint64_t b, uint64_t c)
{
	(void)a;
	(void)b;
	(void)c;
	wait_until(handed, (void *)theirs.desc, "a batch is handed over");
	return 0;
}

/* After a stop: each commit finds its batch ended, and fetches again. */
static int64_t serve_stale(uint64_t a, uint64_t b, uint64_t c)
{
	struct answer answer;
	unsigned int i;

	(void)a;
	(void)b;
	(void)c;
	for (i = 0; i < theirs.nr_slots; i++)
		server_commit(&theirs, i);
	for (i = 0; i < theirs.nr_slots; i++) {
		server_wait(&theirs, &answer);
		check_eq(answer.res, -ESTALE);
	}
	server_fetch_all(&theirs);
	return 0;
}

static struct ctl ctl;
static struct target target, keeper;
static struct channels channels;
static struct features_info features;
static uint64_t addr;
static int node;

/* What the server has in its hands when it goes. */
enum hands { UNREAPED, FETCHED, COPYING_CPU, COPYING_DMA, HANDS };

static const char * const hands_names[] = {
	"a completion unreaped", "batches fetched", "a COPY on the CPU", "COPYs on channels",
};

static uint64_t begin(uint32_t order, enum hands hands, bool stuck)
{
	struct job_req req;
	uint64_t id;
	unsigned int i;

	target_start(&keeper);
	target_call(&keeper, serve_open, hands == UNREAPED ? 1 : 4, 0, 0);
	channels_claim(&ctl, &channels);
	for (i = 0; stuck && i < channels.nr; i++)
		fault_set(&channels, i, "late_write", 1);
	node = 1 - node;
	req = job_for(&target, addr, BYTES, 1 - node, node, order);
	req.deadline_us = DEADLINE_MS * 1000;
	touch_begin(&target, addr, BYTES);
	id = server_job(NULL, &ctl, &req);
	if (hands == UNREAPED)
		target_call(&keeper, serve_handed, 0, 0, 0);
	else
		target_call(&keeper, serve_take, hands >= COPYING_CPU,
			    hands == COPYING_DMA ? channels.id[0] :
						   MIGD_ENGINE_CPU, 0);
	return id;
}

static void next_server(uint64_t id, struct job_info *job)
{
	static struct server ours;

	server_open(&ours, 2, BATCH);
	server_run(&ours, &ctl, id);
	must(ctl_job(&ctl, id, job));
	check_sum(job);
	server_close(&ours);
}

static void killed(uint32_t order, enum hands hands, bool stuck, bool next)
{
	struct stats_info before, after;
	unsigned int pos = ctl.nr_events, i;
	const struct event *event;
	struct job_info job;
	uint64_t id, seen = 0;

	step("%s, killed with %s%s, %s", order_name(order), hands_names[hands],
	     stuck ? " that do not end" : "",
	     next ? "the next one comes" : "none comes");
	must(ctl_config_set(&ctl, 0, next ? 60000 : 500));
	must(ctl_stats(&ctl, &before));
	id = begin(order, hands, stuck);
	target_stop(&keeper);
	event = ctl_wait_event(&ctl, MIGD_CMD_SERVER_LOST_NTF, 0, &pos);
	check(event->server_pid, "server-lost without a pid");
	if (next) {
		next_server(id, &job);
		check_eq(job.outcome, MIGD_OUTCOME_MOVED);
		check_eq(job.moved, PAGES);
	} else {
		wait_job(&ctl, id, &job);
		check_eq(job.outcome, MIGD_OUTCOME_SERVER_LOST);
		check_eq(job.total, PAGES);
		check_eq(job.moved, pages_on(target.pid, addr, BYTES, node));
		check(job.left[MIGD_REASON_UNREACHED] >= PAGES - 4 * BATCH,
		      "%llu pages unreached",
		      (unsigned long long)job.left[MIGD_REASON_UNREACHED]);
	}
	touch_end(&target, DEADLINE_MS + features.grace_ms, &job);
	must(ctl_stats(&ctl, &after));
	check_eq(after.locked_pages, 0);
	seen = after.rescued_server - before.rescued_server +
		after.rescued_deadline - before.rescued_deadline;
	check_eq(seen, job.rescued);
	/* The next one may be late with a batch of its own. */
	check(job.rescued == (hands == UNREAPED ? 1 : 4) ||
	      (next && job.rescued > 1), "%llu batches rescued",
	      (unsigned long long)job.rescued);
	check_eq(target_call(&target, mem_wrong, addr, BYTES, SEED), 0);
	if (stuck) {
		/* A COPY that got no descriptor of the full channel leaves none. */
		check(after.quarantined_pages && after.quarantined_pages <= 4 * BATCH,
		      "%llu pages in quarantine",
		      (unsigned long long)after.quarantined_pages);
		if (!next)
			check_module_busy("descriptors out");
		for (i = 0; i < channels.nr; i++)
			fault_set(&channels, i, "late_write", 0);
		do
			event = ctl_wait_event(&ctl, MIGD_CMD_QUARANTINE_NTF, 0, &pos);
		while (event->quarantined);
		wait_idle(&ctl);
		check_eq(target_call(&target, mem_wrong, addr, BYTES, SEED), 0);
	}
	check_clean(&ctl);
	move_by_kernel(target.pid, addr, BYTES, node);
}

/* Stopped beyond the deadline, then it goes on. */
static void stopped(uint32_t order, enum hands hands)
{
	unsigned int pos = ctl.nr_events;
	const struct event *event;
	struct job_info job;
	unsigned int i;
	uint64_t id, pages;

	step("%s, stopped with %s", order_name(order), hands_names[hands]);
	id = begin(order, hands, false);
	must(kill(keeper.pid, SIGSTOP));
	for (i = 0; i < 4; i++) {
		event = ctl_wait_event(&ctl, MIGD_CMD_BATCH_RESCUED_NTF, id, &pos);
		check_eq(event->cause, MIGD_RESCUE_CAUSE_DEADLINE);
		/* Less when locking has used up its part of the deadline. */
		pages = event->moved + event->put_back;
		check(pages && pages <= BATCH, "a batch of %llu pages",
		      (unsigned long long)pages);
	}
	must(kill(keeper.pid, SIGCONT));
	if (hands == FETCHED) {
		target_call(&keeper, serve_stale, 0, 0, 0);
		target_call(&keeper, serve_take, 0, 0, 0);
	}
	must(ctl_config_set(&ctl, 0, 60000));
	target_stop(&keeper);
	next_server(id, &job);
	check_eq(job.outcome, MIGD_OUTCOME_MOVED);
	check_eq(job.moved, PAGES);
	touch_end(&target, DEADLINE_MS + features.grace_ms, &job);
	wait_idle(&ctl);
	check_clean(&ctl);
	check_memory(&target, addr, BYTES, node, SEED);
}

int main(void)
{
	enum hands hands;
	uint32_t order;

	must(ctl_open(&ctl, true));
	must(ctl_features(&ctl, &features));
	touch_setup();
	target_start(&target);
	addr = (uint64_t)target_call(&target, mem_new, BYTES, 0, SEED);

	for (order = MIGD_ORDER_COPY_FIRST; order <= MIGD_ORDER_STATE_FIRST; order++) {
		for (hands = UNREAPED; hands < HANDS; hands++) {
			killed(order, hands, false, true);
			killed(order, hands, false, false);
		}
		stopped(order, FETCHED);
		stopped(order, COPYING_CPU);
		/* Only the engine with switches can be made not to end. */
		if (on_machine("amd64")) {
			killed(order, COPYING_DMA, true, true);
			killed(order, COPYING_DMA, true, false);
		}
	}
	target_stop(&target);
	wait_idle(&ctl);
	check_clean(&ctl);
	return 0;
}
