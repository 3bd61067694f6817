// SPDX-License-Identifier: GPL-2.0
/*
 * Each allocation on behalf of a job, whoever makes it, fails once, one after the
 * other, until a whole job has none left to fail: it ends with its account, and
 * nothing is left behind. The target writes and checks all the while.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include "fixture.h"
#include "hammer.h"
#include "inject.h"

#define PAGES		64UL
#define BYTES		(PAGES * PAGE)
#define BATCH		32
/* Of an engine, beyond the deadline of its batch. */
#define LATE_US		60000
#define DEADLINE_US	20000
/* Of jobs in which many fail. */
#define ROUNDS		10
#define PERCENT		10

static struct ctl ctl;
static struct server server;
static struct target target;
static struct channels channels;
static struct hammer *hammer;
static uint64_t addr, huge;
static long refs;

/* What came of the jobs of one kind. */
static struct {
	unsigned int refused, partly, lost_events;
	uint64_t left[REASONS];
} sum;

/* Everything that is counted is where it was. */
static void nothing_left(void)
{
	wait_put(&ctl, refs);
	check_clean(&ctl);
	check(!hammer->wrong, "%lu words of the target are wrong", hammer->wrong);
}

/* A job of one kind, whose allocations fail in turn. */
struct kind {
	const char *name;
	uint32_t order, flags, deadline_us;
	bool late;		/* an engine comes after the deadline, another fails */
	bool routed;		/* of huge pages, which the daemon is asked to move */
};

/* Asks for the huge pages, and tells that none could be moved. */
static int route(uint64_t id)
{
	int err;

	err = ctl_raw(&ctl, MIGD_CMD_JOB_LARGE_GET, 0, MIGD_A_JOB_ID, &id, sizeof(id));
	if (err)
		return err;
	return ctl_routed(&ctl, id, 0, MIGD_REASON_HUGE, true);
}

/* What an engine or the CPU could not copy is copied by the module. */
static void handle(const struct answer *a)
{
	struct slot *at = &server.slot[a->slot];
	unsigned int third = at->pages / 3;

	if (a->op == MIGD_IO_COPY) {
		check(a->res >= 0 || a->res == -ENOMEM || a->res == -ESTALE || a->res == -ETIME ||
		      a->res == -EBUSY || a->res == -EIO, "COPY: %s", strerror(-a->res));
		if (!at->out && at->state == SLOT_BATCH)
			server_commit(&server, a->slot);
		return;
	}
	if (a->res <= 0) {
		check(a->res == -ESTALE, "command %#x: %s", a->op, strerror(-a->res));
		return;
	}
	if (!third) {
		server_commit(&server, a->slot);
		return;
	}
	server_copy(&server, a->slot, channels.id[0], 0, third);
	server_copy(&server, a->slot, channels.id[1], third, third);
	server_copy(&server, a->slot, MIGD_ENGINE_CPU, 2 * third, at->pages - 2 * third);
}

static bool job_is(uint64_t id, uint32_t state)
{
	struct job_info job;
	/* The asking may be what fails. */
	int err = ctl_job(&ctl, id, &job);

	check(!err || err == -ENOMEM, "job-get: %s", strerror(-err));
	return !err && job.state == state;
}

/*
 * Serves a job to its end, which an event tells of; or that one has been lost.
 * Returns whether one was.
 */
static bool serve(uint64_t id, const struct kind *kind)
{
	struct pollfd pfd[] = {
		{ .fd = server.ring.ring_fd, .events = POLLIN },
		{ .fd = ctl_event_fd(&ctl), .events = POLLIN },
	};
	bool lost = false, routed = !kind->routed;
	struct answer answer;
	unsigned int pos = 0;

	while (!ctl_event(&ctl, MIGD_CMD_JOB_DONE_NTF, id, &pos) &&
	       !(lost && job_is(id, MIGD_JOB_STATE_DONE))) {
		while (server_reap(&server, &answer))
			handle(&answer);
		server_fetch_all(&server);
		if (!routed && job_is(id, MIGD_JOB_STATE_ROUTING))
			routed = !route(id);
		/* After a lost event, and for the routing, there may be no other. */
		check(must(poll(pfd, 2, lost || !routed ? 10 : PATIENCE_MS)) || lost || !routed,
		      "job %llu: nothing happens", (unsigned long long)id);
		lost |= ctl_try_events(&ctl) == -ENOBUFS;
	}
	return lost;
}

static void account(uint64_t id)
{
	struct job_info job;
	int r;

	must(ctl_job(&ctl, id, &job));
	check_sum(&job);
	check(job.outcome == MIGD_OUTCOME_MOVED || job.total > job.moved,
	      "outcome %u with %llu of %llu moved", job.outcome,
	      (unsigned long long)job.moved, (unsigned long long)job.total);
	sum.partly += job.outcome != MIGD_OUTCOME_MOVED;
	for (r = 0; r < REASONS; r++)
		sum.left[r] += job.left[r];
}

static void faults_of(const struct kind *kind, bool on)
{
	if (!kind->late)
		return;
	fault_set(&channels, 0, "latency_us", on ? LATE_US : 0);
	fault_set(&channels, 1, "fail_after", on ? 1 : -1);
}

static bool engines_idle(void *arg)
{
	(void)arg;
	return !fault_get(&channels, 0, "in_flight") && !fault_get(&channels, 1, "in_flight");
}

static int turn;

/* To where most of the pages are not; a huge page stays on node 0. */
static struct job_req next_job(const struct kind *kind)
{
	uint64_t at = kind->routed ? huge : addr;
	size_t bytes = kind->routed ? HUGE : kind->flags & MIGD_JOB_FLAG_ATOMIC ?
		       BATCH * PAGE : BYTES;
	struct job_req req;

	turn = 2 * pages_on(target.pid, at, bytes, 1) < (long)(bytes / PAGE);
	req = job_for(&target, at, bytes, -1, turn, kind->order);
	req.flags = kind->flags;
	req.batch_pages = BATCH;
	if (kind->deadline_us)
		req.deadline_us = kind->deadline_us;
	return req;
}

/*
 * From its submission to its end, and to the engines': its id, or 0. The @nth
 * allocation fails of @what, when that is not 0; of the submission only when it
 * is part of the @whole.
 */
static uint64_t one_job(const struct kind *kind, enum inject what, unsigned int nth, bool whole)
{
	struct job_req req = next_job(kind);
	uint64_t id;
	int err;

	ctl.nr_events = 0;
	if (nth && whole)
		inject_arm(what, nth);
	err = ctl_submit(&ctl, &req, &id);
	if (nth && !whole)
		inject_arm(what, nth);
	if (err) {
		check_eq(err, -ENOMEM);
		sum.refused++;
		return 0;
	}
	sum.lost_events += serve(id, kind);
	wait_until(engines_idle, NULL, "the engines' end");
	return id;
}

/* Without a failure everything moves; engines that have failed are quiet then. */
static void honest_job(void)
{
	static const struct kind honest = { "honest" };
	struct job_info job;

	must(ctl_job(&ctl, one_job(&honest, 0, 0, false), &job));
	check_eq(job.outcome, MIGD_OUTCOME_MOVED);
	check_eq(pages_on(target.pid, addr, BYTES, turn), PAGES);
}

static void print_sum(const char *name, const char *what, unsigned int failed)
{
	int r;

	printf("        %s: %u %s failed, %u jobs refused, %u left pages, %u events were lost; left:",
	       name, failed, what, sum.refused, sum.partly, sum.lost_events);
	for (r = 0; r < REASONS; r++)
		if (sum.left[r])
			printf(" %d: %llu", r, (unsigned long long)sum.left[r]);
	printf("\n");
	memset(&sum, 0, sizeof(sum));
}

/* The job before anything can fail in it but memory. */
static void allocate(void)
{
	struct job_req req = job_for(&target, addr, BYTES, -1, 1, MIGD_ORDER_COPY_FIRST);
	uint64_t id;

	req.start_time++;
	if (ctl_submit(&ctl, &req, &id) != -ENOMEM)
		check(strstr(ctl.ack, "changed hands"), "refused with '%s'", ctl.ack);
}

static const struct kind kinds[] = {
	{ "copy-first, verified", MIGD_ORDER_COPY_FIRST, MIGD_JOB_FLAG_VERIFY },
	{ "state-first", MIGD_ORDER_STATE_FIRST },
	{ "atomic", MIGD_ORDER_COPY_FIRST, MIGD_JOB_FLAG_ATOMIC },
	{ "routed", MIGD_ORDER_COPY_FIRST, MIGD_JOB_FLAG_ROUTE, .routed = true },
	{ "late and failing engines", MIGD_ORDER_COPY_FIRST, .deadline_us = DEADLINE_US,
	  .late = true },
};

#define KINDS	(sizeof(kinds) / sizeof(kinds[0]))

static void each_of_job(const struct kind *kind, enum inject what)
{
	static const char * const names[] = { "small allocations", "allocations of pages" };
	unsigned int nth;
	bool unused;
	uint64_t id;

	for (nth = 1;; nth++) {
		faults_of(kind, true);
		/* That of the others is the same. */
		id = one_job(kind, what, nth, kind == kinds);
		unused = inject_arm_unused(what);
		faults_of(kind, false);
		if (id)
			account(id);
		if (kind->late)
			honest_job();
		nothing_left();
		if (unused)
			break;
	}
	inject_sync(what, allocate);
	print_sum(kind->name, names[what], nth - 1);
	check(nth > 1 || what == INJECT_PAGE, "%s has allocated nothing", kind->name);
	honest_job();
	nothing_left();
}

static bool job_put(void *arg)
{
	(void)arg;
	return module_refs() == refs;
}

/*
 * Every allocation fails from the time on that a job has its first batch; or,
 * before it has @begun, while it waits for the slot, which another job has.
 */
static void starve(bool begun, bool cancel)
{
	struct job_req req = next_job(&kinds[0]), first = req;
	uint64_t total = begun ? PAGES : PAGES - BATCH, done = begun ? BATCH : 0, id;
	struct job_info job;

	step("no memory %s the first batch%s", begun ? "after" : "before",
	     cancel ? ", cancelled" : "");
	if (!begun) {
		first.range[0].end = addr + BATCH * PAGE;
		req.range[0].start = addr + BATCH * PAGE;
	}
	id = server_job(&server, &ctl, &first);
	check_eq(server_wait_batch(&server), 0);
	if (!begun)
		must(ctl_submit(&ctl, &req, &id));
	inject_random(100);
	server_commit(&server, 0);
	server_submit(&server);
	if (cancel)
		must(ctl_cancel(&ctl, id));
	/* Nobody can be asked, nor told. */
	wait_until(job_put, NULL, "the job ends");
	inject_random(0);
	check_eq(ctl_try_events(&ctl), -ENOBUFS);
	must(ctl_job(&ctl, id, &job));
	check_sum(&job);
	check_eq(job.outcome, cancel ? MIGD_OUTCOME_CANCELLED :
			      begun ? MIGD_OUTCOME_PARTLY : MIGD_OUTCOME_FAILED);
	check_eq(job.total, total);
	check_eq(job.moved, done);
	check_eq(job.left[cancel ? MIGD_REASON_UNREACHED : MIGD_REASON_NO_MEMORY], total - done);
	/* The slot has been given back: it serves the next job. */
	honest_job();
	nothing_left();
}

/* More than one at a time, everywhere. */
static void at_random(void)
{
	unsigned int i;
	uint64_t id;

	for (i = 0; i < ROUNDS; i++) {
		faults_of(&kinds[i % KINDS], true);
		inject_random(PERCENT);
		id = one_job(&kinds[i % KINDS], 0, 0, false);
		inject_random(0);
		faults_of(&kinds[i % KINDS], false);
		if (id)
			account(id);
		if (kinds[i % KINDS].late)
			honest_job();
		nothing_left();
	}
	print_sum("all kinds in turn", "of a hundred allocations", PERCENT);
	honest_job();
	nothing_left();
}

int main(void)
{
	unsigned int i;

	hammer = shared_page();
	must(ctl_open(&ctl, true));
	inject_for_module();
	target_start(&target);
	addr = (uint64_t)target_call(&target, hammer_new, PAGES, 0, 0);
	/* Setup would split it. */
	huge = (uint64_t)target_call(&target, mem_new_huge, 0, 0, 0);
	hammer_begin(&target, hammer);
	server_open(&server, 1, BATCH);
	channels_claim(&ctl, &channels);
	refs = module_refs();
	inject_sync(INJECT_SLAB, allocate);
	inject_sync(INJECT_PAGE, allocate);
	for (i = 0; i < KINDS; i++) {
		step("%s", kinds[i].name);
		each_of_job(&kinds[i], INJECT_SLAB);
		each_of_job(&kinds[i], INJECT_PAGE);
	}
	starve(false, false);
	starve(false, true);
	starve(true, false);
	step("at random");
	at_random();
	hammer_end(&target, hammer);
	check(hammer->rounds, "the target has not written");
	target_stop(&target);
	server_close(&server);
	wait_idle(&ctl);
	check_clean(&ctl);
	return 0;
}
