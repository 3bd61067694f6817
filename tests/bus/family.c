// SPDX-License-Identifier: GPL-2.0
/*
 * Processes that share memory and have some of their own, as a database's have.
 *
 *   family SHARED PRIVATE CHILDREN NODE    MiB, MiB, how many, where
 *
 * It says "ready PID START PAGES", the address and the pages of what is shared, and
 * then does what stdin says, one answer to each line, until stdin ends:
 *
 *   check     all processes read every word of theirs: "wrong N of M", M processes
 *   fork N    N children more, a moment from one to the next: "forked N"
 *   kill      the youngest child dies: "killed PID"
 *   more N    the first process takes N MiB, wherever the kernel gives it: "took ADDRESS"
 */
#include <linux/mempolicy.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "region.h"

#define CHILDREN	64
/* Between forks, so that they do not all come at once. */
#define PAUSE_NS	20000000L

static uint64_t *shared;
static size_t shared_words, private_words;
static int node;

static struct child {
	pid_t pid;
	int ask, answer;
} children[CHILDREN];
static size_t nr_children;

static uint64_t word(uint64_t seed, size_t i)
{
	return (seed << 40) + i * 0x9e3779b97f4a7c15ULL;
}

static uint64_t *filled(uint64_t *at, size_t words, uint64_t seed)
{
	for (size_t i = 0; i < words; i++)
		at[i] = word(seed, i);
	return at;
}

static uint64_t wrong(const uint64_t *at, size_t words, uint64_t seed)
{
	uint64_t n = 0;

	for (size_t i = 0; i < words; i++)
		n += ((volatile const uint64_t *)at)[i] != word(seed, i);
	return n;
}

static void be_child(int ask, int answer)
{
	uint64_t *own, n;
	char c;

	alloc_on(MPOL_BIND, node);
	own = filled(map_apart(private_words * sizeof(*own)), private_words, getpid());
	alloc_on(MPOL_DEFAULT, -1);
	/* What it has not looked at it does not have, though it is mapped. */
	n = wrong(shared, shared_words, 0);
	do {
		if (write(answer, &n, sizeof(n)) != sizeof(n))
			break;
		if (read(ask, &c, 1) != 1)
			break;
		n = wrong(own, private_words, getpid()) + wrong(shared, shared_words, 0);
	} while (true);
	_exit(0);
}

static void new_child(void)
{
	struct child *c = &children[nr_children];
	int ask[2], answer[2];
	uint64_t ready;

	if (nr_children == CHILDREN)
		return;
	if (pipe(ask) || pipe(answer))
		die("pipe");
	c->pid = fork();
	if (c->pid < 0)
		die("fork");
	if (!c->pid) {
		/* Each ends with its pipe: no other holds it open. */
		for (size_t i = 0; i < nr_children; i++)
			close(children[i].ask);
		close(ask[1]);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		be_child(ask[0], answer[1]);
	}
	close(ask[0]);
	close(answer[1]);
	c->ask = ask[1];
	c->answer = answer[0];
	if (read(c->answer, &ready, sizeof(ready)) != sizeof(ready))
		die("child");
	nr_children++;
}

static void check_all(void)
{
	uint64_t n, total = wrong(shared, shared_words, 0);
	size_t processes = 1;

	for (size_t i = 0; i < nr_children; i++) {
		if (write(children[i].ask, "c", 1) != 1 ||
		    read(children[i].answer, &n, sizeof(n)) != sizeof(n))
			continue;
		total += n;
		processes++;
	}
	printf("wrong %llu of %zu\n", (unsigned long long)total, processes);
}

static void fork_some(unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		nanosleep(&(struct timespec) { .tv_nsec = PAUSE_NS }, NULL);
		new_child();
	}
	printf("forked %u\n", n);
}

static void kill_one(void)
{
	struct child *c = &children[--nr_children];

	kill(c->pid, SIGKILL);
	waitpid(c->pid, NULL, 0);
	close(c->ask);
	close(c->answer);
	printf("killed %d\n", c->pid);
}

static void take_more(size_t bytes)
{
	char *at = map_apart(bytes);

	memset(at, 1, bytes);
	printf("took %lx\n", (unsigned long)at);
}

int main(int argc, char **argv)
{
	char line[64];
	int fd;

	if (argc != 5)
		return 2;
	/* Huge pages go another way. */
	if (prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) < 0)
		die("PR_SET_THP_DISABLE");
	signal(SIGPIPE, SIG_IGN);
	shared_words = strtoul(argv[1], NULL, 10) * MIB / sizeof(*shared);
	private_words = strtoul(argv[2], NULL, 10) * MIB / sizeof(*shared);
	node = atoi(argv[4]);
	fd = memfd_create("family", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, shared_words * sizeof(*shared)) < 0)
		die("memfd");
	shared = mmap(NULL, shared_words * sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED,
		      fd, 0);
	if (shared == MAP_FAILED)
		die("mmap");
	alloc_on(MPOL_BIND, node);
	filled(shared, shared_words, 0);
	alloc_on(MPOL_DEFAULT, -1);
	for (int i = atoi(argv[3]); i > 0; i--)
		new_child();
	printf("ready %d %lx %zu\n", getpid(), (unsigned long)shared,
	       shared_words * sizeof(*shared) / PAGE);
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		if (!strcmp(line, "check\n"))
			check_all();
		else if (!strncmp(line, "fork ", 5))
			fork_some(strtoul(line + 5, NULL, 10));
		else if (!strncmp(line, "more ", 5))
			take_more(strtoul(line + 5, NULL, 10) * MIB);
		else if (!strcmp(line, "kill\n") && nr_children)
			kill_one();
		else
			printf("what is that?\n");
		fflush(stdout);
	}
	return 0;
}
