// SPDX-License-Identifier: GPL-2.0
/*
 * fuzz [SEED [SECONDS]]: random servers, one after the other, and random netlink
 * messages, while the memory of a process that checks it is moved to and fro.
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
#include "fuzz.h"

#define PAGES	2048UL
#define BYTES	(PAGES * PAGE)
#define WORDS	(PAGE / sizeof(uint64_t))
#define SEED	17

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

/* In the target, beside the memory that is moved: what was written last. */
static uint64_t written[PAGES];

struct hammer {
	atomic_int stop;
	atomic_ulong rounds, wrong;
};

static uint64_t value(size_t page, size_t i, uint64_t round)
{
	return (page * WORDS + i + 1) * 0x9e3779b97f4a7c15ULL ^ round << 20;
}

/* Each round writes another word of each page and looks at those around it. */
static int64_t hammer(uint64_t addr, uint64_t arg, uint64_t unused)
{
	struct hammer *shared = (void *)(uintptr_t)arg;
	volatile uint64_t *at;
	size_t page, i;

	(void)unused;
	/* Who throws commands comes first: there are two CPUs. */
	must(setpriority(PRIO_PROCESS, 0, 10));
	while (!shared->stop) {
		for (page = 0; page < PAGES && !shared->stop; page++) {
			at = (volatile uint64_t *)(uintptr_t)addr + page * WORDS;
			i = written[page] % 8;
			if (at[i] != value(page, i, written[page]))
				shared->wrong++;
			written[page]++;
			i = written[page] % 8;
			at[i] = value(page, i, written[page]);
			i = 8 + written[page] % (WORDS - 8);
			if (at[i] != value(page, i, 0))
				shared->wrong++;
		}
		shared->rounds++;
	}
	return 0;
}

static int64_t fill_memory(uint64_t addr, uint64_t b, uint64_t c)
{
	uint64_t *at = (void *)(uintptr_t)addr;
	size_t page, i;

	(void)b;
	(void)c;
	for (page = 0; page < PAGES; page++)
		for (i = 0; i < WORDS; i++)
			at[page * WORDS + i] = value(page, i, 0);
	return 0;
}

/* Every word: the first eight are of the rounds that wrote them last. */
static int64_t wrong_words(uint64_t addr, uint64_t b, uint64_t c)
{
	uint64_t *at = (void *)(uintptr_t)addr, round;
	int64_t wrong = 0;
	size_t page, i;

	(void)b;
	(void)c;
	for (page = 0; page < PAGES; page++) {
		for (i = 0; i < WORDS; i++) {
			round = written[page] < i || i >= 8 ? 0 :
				written[page] - (written[page] - i) % 8;
			wrong += at[page * WORDS + i] != value(page, i, round);
		}
	}
	return wrong;
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
	/* Those of the messages may be all that there is room for. */
	if (ctl_submit(&ctl, &req, &id)) {
		cancel_all();
		usleep(5000);
		return;
	}
	do {
		usleep(2000);
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
	claim_channels();
	end = now_ns() + (100 + rnd_below(r, 1500)) * 1000000ULL;
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

static void report(unsigned int rounds, struct hammer *hammered)
{
	struct stats_info s;

	must(ctl_stats(&ctl, &s));
	printf("        %u servers, %lu commands, %lu answers, %lu netlink messages\n",
	       rounds, common->commands, common->completed, common->netlink);
	printf("        %llu jobs, %llu batches, %llu rescued, %llu late, %llu undone, %llu pages moved\n",
	       (unsigned long long)s.jobs, (unsigned long long)s.batches,
	       (unsigned long long)(s.rescued_deadline + s.rescued_server),
	       (unsigned long long)s.late, (unsigned long long)s.undone,
	       (unsigned long long)s.moved);
	printf("        the target has checked its memory %lu times\n", hammered->rounds);
	print_answers("commands", common->answer);
	print_answers("netlink", common->netlink_answer);
	fflush(stdout);
	/* A test in which nothing happened is none. */
	check(common->completed && common->batches && s.moved && s.rescued_deadline,
	      "no command, no batch, no page or no rescue");
	check(common->answer[0] && common->answer[ESTALE] && common->answer[EINVAL] &&
	      common->answer[EBUSY] && common->answer[ECANCELED],
	      "an answer that must come did not");
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
	common->addr = (uint64_t)target_call(&target, mem_new, BYTES, 0, SEED);
	target_call(&target, fill_memory, common->addr, 0, 0);
	target_begin(&target, hammer, common->addr, (uintptr_t)hammered, 0);

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
	must(ctl_config_set(&ctl, locked, wait));
	cancel_all();
	wait_idle(&ctl);
	wait_until(no_quarantine, &ctl, "no page in quarantine");
	report(rounds, hammered);
	step("nothing is left, nothing was changed");
	hammered->stop = 1;
	target_end(&target);
	check_eq(hammered->wrong, 0);
	check_eq(target_call(&target, wrong_words, common->addr, 0, 0), 0);
	check_clean(&ctl);
	step("an honest server");
	honest_move();
	check_eq(target_call(&target, wrong_words, common->addr, 0, 0), 0);
	target_stop(&target);
	wait_idle(&ctl);
	check_clean(&ctl);
	return 0;
}
