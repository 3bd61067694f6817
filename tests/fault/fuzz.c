// SPDX-License-Identifier: GPL-2.0
/*
 * fuzz [SEED [SECONDS]]: random servers, one after the other, random netlink
 * messages and engines that are late, lost or fail, while the memory of a process
 * that checks it is moved to and fro.
 *
 * Whatever they do, the process finds what it wrote, and in the end nothing is
 * locked, isolated, quarantined or active. The seed decides what each thread
 * does; when it does it, the scheduler.
 */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../kernel/hammer.h"
#include "fuzz.h"

#define PAGES	2048UL
#define BYTES	(PAGES * PAGE)

struct common *common;

static struct ctl ctl;
static struct target target;
static pid_t server, talker;

uint64_t rnd(struct rnd *r)
{
	uint64_t z = r->state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

uint64_t rnd_below(struct rnd *r, uint64_t n)
{
	return n ? rnd(r) % n : 0;
}

bool rnd_one_in(struct rnd *r, unsigned int n)
{
	return !rnd_below(r, n);
}

uint64_t rnd_odd(struct rnd *r)
{
	uint64_t edge = 1ULL << rnd_below(r, 64);

	switch (rnd_below(r, 4)) {
	case 0:
		return edge - 1;
	case 1:
		return edge;
	case 2:
		return -edge;
	}
	return rnd(r);
}

void rnd_bytes(struct rnd *r, void *at, size_t n)
{
	unsigned char *to = at;

	while (n--)
		*to++ = (unsigned char)rnd(r);
}

void count_answer(atomic_ulong *of, int res)
{
	of[res < 0 && res > -256 ? -res : 0]++;
}

static pid_t start(void (*fn)(uint64_t seed), uint64_t seed)
{
	pid_t parent = getpid(), pid;

	fflush(stdout);
	pid = (pid_t)must(fork());
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	fn(seed);
	_exit(1);
}

static void talk(uint64_t seed)
{
	must(setpriority(PRIO_PROCESS, 0, 5));
	fuzz_netlink(seed, ctl.family);
}

/* Ends a process of ours; it may only have been ended by that. */
static void finish(pid_t pid, const char *what)
{
	uint64_t end = now_ns() + PATIENCE_MS * 1000000ULL;
	int status;
	pid_t got;

	kill(pid, SIGKILL);
	/* It exits when its commands have come back: that is the module's to do. */
	while (!(got = waitpid(pid, &status, WNOHANG))) {
		check(now_ns() < end, "%s does not exit", what);
		usleep(1000);
	}
	must(got);
	check(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL,
	      "%s has ended by itself, status %#x", what, status);
}

static bool serving(void *arg)
{
	(void)arg;
	check(!waitpid(server, NULL, WNOHANG), "the server has ended by itself");
	return common->serving;
}

static void find_channels(void)
{
	struct dirent **list;
	int n, i;

	n = (int)must(scandir("/sys/class/dma", &list, NULL, versionsort));
	for (i = 0; i < n; i++) {
		if (strstr(list[i]->d_name, "chan") && common->nr_names < MAX_ENGINES)
			snprintf(common->name[common->nr_names++],
				 sizeof(common->name[0]), "%.31s", list[i]->d_name);
		free(list[i]);
	}
	free(list);
	check(common->nr_names, "no DMA channel in /sys/class/dma");
}

/* An engine of each round is not as it should be. */
static const struct {
	const char *name;
	long max, usual;
} faults[] = {
	{ "latency_us", 80000, 0 },
	{ "gap_us", 2000, 0 },
	{ "fail_after", 40, -1 },
	{ "lose_irq", 4, 0 },
	{ "prep_null", 40, 0 },
	{ "submit_fail", 4, 0 },
	{ "reorder", 1, 0 },
	{ "intr_only", 1, 0 },
	{ "prep_room", 10, 0 },
};

static void set_faults(struct rnd *r)
{
	const char *root = "/sys/kernel/debug/migd_lsi";
	struct dirent **list;
	char path[320];
	size_t f;
	int n, i;

	n = (int)must(scandir(root, &list, NULL, versionsort));
	for (i = 0; i < n; i++) {
		for (f = 0; list[i]->d_name[0] != '.' && f < sizeof(faults) / sizeof(faults[0]);
		     f++) {
			snprintf(path, sizeof(path), "%s/%s/%s", root, list[i]->d_name,
				 faults[f].name);
			must(write_file(path, "%ld", r && rnd_one_in(r, 16) ?
					(long)rnd_below(r, faults[f].max) + 1 :
					faults[f].usual));
		}
		free(list[i]);
	}
	free(list);
}

static void claim_channels(void)
{
	unsigned int i;
	uint32_t id;

	for (i = 0; i < MAX_ENGINES; i++)
		common->channel[i] = -1;
	/* The messages may have been faster, or have released it again. */
	for (i = 0; i < common->nr_names; i++)
		if (!ctl_claim(&ctl, common->name[i], &id))
			common->channel[i] = (int)id;
}

static void cancel_all(void)
{
	static struct job_info jobs[256];
	int n = (int)must(ctl_jobs(&ctl, jobs, 256)), i;

	for (i = 0; i < n && i < 256; i++)
		if (jobs[i].state != MIGD_JOB_STATE_DONE)
			ctl_cancel(&ctl, jobs[i].id);
}

/* A job as the daemon would have it, for as long as this server lives. */
static void one_job(struct rnd *r, uint64_t end)
{
	int from = (int)rnd_below(r, 2);
	struct job_req req = job_for(&target, common->addr, BYTES, from, !from,
				     (uint32_t)rnd_below(r, 2));
	struct job_info job;
	uint64_t id;

	req.deadline_us = (uint32_t)(2000 + rnd_below(r, 60000));
	req.batch_pages = (uint32_t)(1 + rnd_below(r, 512));
	if (rnd_one_in(r, 4))
		req.flags |= MIGD_JOB_FLAG_VERIFY;
	if (rnd_one_in(r, 4))
		req.flags |= MIGD_JOB_FLAG_ROUTE;
	if (rnd_one_in(r, 4)) {
		req.flags |= MIGD_JOB_FLAG_ATOMIC;
		req.order = MIGD_ORDER_COPY_FIRST;
		req.range[0].end = req.range[0].start + (1 + rnd_below(r, 64)) * PAGE;
	}
	/* Those of the messages may be all that there is room for. */
	if (ctl_submit(&ctl, &req, &id)) {
		cancel_all();
		usleep(5000);
		return;
	}
	do {
		usleep(20000);
		/* It is gone when many have ended after it. */
	} while (now_ns() < end && !ctl_job(&ctl, id, &job) &&
		 job.state != MIGD_JOB_STATE_DONE);
	ctl_cancel(&ctl, id);
}

static void one_round(struct rnd *r)
{
	uint64_t end;

	common->serving = 0;
	server = start(fuzz_serve, rnd(r));
	common->server_pid = server;
	common->server_start = process_start_time(server);
	wait_until(serving, NULL, "SETUP of the random server");
	/* Else a job of one message decides for all rounds. */
	must(ctl_config_set(&ctl, (uint32_t)(1 + rnd_below(r, 4096)), 2000));
	must(ctl_config_nice(&ctl, 0));
	claim_channels();
	set_faults(r);
	end = now_ns() + (100 + rnd_below(r, 3000)) * 1000000ULL;
	while (now_ns() < end) {
		one_job(r, end);
		check(!waitpid(server, NULL, WNOHANG), "the server has ended by itself");
		check(!waitpid(talker, NULL, WNOHANG), "the messages have ended by themselves");
	}
	finish(server, "the server");
}

static void print_answers(const char *what, atomic_ulong *of)
{
	int i;

	printf("        %s:", what);
	for (i = 0; i < 256; i++)
		if (of[i])
			printf(" %s %lu", i ? strerrorname_np(i) : "success", of[i]);
	printf("\n");
}

/* What was reached, beyond refusals. */
static void report(unsigned int rounds, uint64_t seconds, struct hammer *hammered)
{
	static const char * const names[KINDS] = { "FETCH", "COPY", "COMMIT", "other" };
	unsigned long sum = common->completed + common->netlink;
	struct stats_info s;
	int i;

	must(ctl_stats(&ctl, &s));
	printf("        %u servers, %lu commands, %lu answers, %lu netlink messages: %lu per second\n",
	       rounds, common->commands, common->completed, common->netlink, sum / seconds);
	printf("        %llu jobs, %llu batches, %llu rescued, %llu late, %llu undone, %llu pages moved, %llu once in quarantine, %llu with wrong copies\n",
	       (unsigned long long)s.jobs, (unsigned long long)s.batches,
	       (unsigned long long)(s.rescued_deadline + s.rescued_server),
	       (unsigned long long)s.late, (unsigned long long)s.undone,
	       (unsigned long long)s.moved, (unsigned long long)s.quarantined_total,
	       (unsigned long long)s.verify_failed);
	printf("        the target has checked its memory %lu times\n", hammered->rounds);
	for (i = 0; i < KINDS; i++)
		print_answers(names[i], common->answer[i]);
	print_answers("netlink", common->netlink_answer);
	printf("        left:");
	for (i = 0; i < REASONS; i++)
		if (s.left[i])
			printf(" reason %d %llu", i, (unsigned long long)s.left[i]);
	printf("\n");
	fflush(stdout);
	/* A test in which nothing happened is none. */
	check(common->answer[K_FETCH][0] && common->answer[K_COPY][0] &&
	      common->answer[K_COMMIT][0] && s.moved && s.rescued_deadline,
	      "no batch, no COPY, no COMMIT, no page or no rescue");
	check(common->answer[K_FETCH][EBUSY] && common->answer[K_FETCH][EINVAL] &&
	      common->answer[K_FETCH][ECANCELED] && common->answer[K_COPY][ESTALE] &&
	      common->answer[K_COPY][ERANGE] && common->answer[K_COMMIT][ESTALE] &&
	      common->answer[K_OTHER][EOPNOTSUPP], "an answer that must come did not");
	check(common->netlink_answer[EINVAL] && hammered->rounds, "no answer of the family");
}

static bool no_quarantine(void *arg)
{
	struct stats_info stats;

	must(ctl_stats(arg, &stats));
	return !stats.quarantined_pages;
}

/* After all that, a server that does it right. */
static void honest_move(void)
{
	static struct server honest;
	static struct ctl events;
	struct job_req req = job_for(&target, common->addr, BYTES, 0, 1,
				     MIGD_ORDER_COPY_FIRST);
	struct job_info job;

	move_by_kernel(target.pid, common->addr, BYTES, 0);
	must(ctl_open(&events, true));
	server_open(&honest, 4, 256);
	server_move(&honest, &events, &req, &job);
	check_eq(job.outcome, MIGD_OUTCOME_MOVED);
	check_eq(pages_on(target.pid, common->addr, BYTES, 1), PAGES);
	server_close(&honest);
	ctl_close(&events);
}

int main(int argc, char **argv)
{
	uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
	uint64_t seconds = argc > 2 ? strtoull(argv[2], NULL, 0) : 30, end;
	struct hammer *hammered = shared_page();
	struct rnd r = { seed };
	unsigned int rounds = 0;
	uint32_t locked, wait;

	common = mmap(NULL, sizeof(*common), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	check(common != MAP_FAILED, "mmap: %s", strerror(errno));
	common->target = &target;
	common->bytes = BYTES;
	must(ctl_open(&ctl, false));
	must(ctl_config_get(&ctl, &locked, &wait));
	find_channels();
	target_start(&target);
	common->addr = (uint64_t)target_call(&target, hammer_new, PAGES, 0, 0);
	hammer_begin(&target, hammered);

	step("seed %llu, %llu seconds", (unsigned long long)seed,
	     (unsigned long long)seconds);
	talker = start(talk, rnd(&r));
	for (end = now_ns() + seconds * 1000000000ULL; now_ns() < end; rounds++) {
		one_round(&r);
		check(!hammered->wrong, "%lu words of the target are wrong, round %u",
		      hammered->wrong, rounds);
	}

	step("the end of all jobs");
	finish(talker, "the sender of messages");
	set_faults(NULL);
	must(ctl_config_set(&ctl, locked, wait));
	must(ctl_config_nice(&ctl, 0));
	cancel_all();
	wait_idle(&ctl);
	wait_until(no_quarantine, &ctl, "no page in quarantine");
	report(rounds, seconds, hammered);
	step("nothing is left, nothing was changed");
	hammer_end(&target, hammered);
	check_clean(&ctl);
	step("an honest server");
	hammer_begin(&target, hammered);
	honest_move();
	hammer_end(&target, hammered);
	target_stop(&target);
	wait_idle(&ctl);
	check_clean(&ctl);
	return 0;
}
