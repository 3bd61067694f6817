// SPDX-License-Identifier: GPL-2.0
/*
 * A debugger of a process that is moved.
 *
 *   tracer PID START PAGES SEED
 *
 * START is memory of the process that was filled with SEED. It says "ready" and
 * its own pid, and answers each line of stdin with one line, until stdin ends:
 *
 *   look     stops the process, reads a word of each page, lets it go: "wrong N"
 *   stop     stops the process: "stopped"
 *   words    of a stopped one: reads and writes a word of each page: "wrong N"
 *   go       lets it go: "gone"
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "victim.h"

static pid_t pid;
static char *start;
static size_t nr;
static uint64_t seed;

/* Calls @request for each thread of the process. */
static void each_thread(void (*request)(pid_t tid))
{
	struct dirent *entry;
	char path[64];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	if (!dir)
		die(path);
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			request(atoi(entry->d_name));
	closedir(dir);
}

static void attach(pid_t tid)
{
	int status;

	/* A thread may just have ended. */
	if (ptrace(PTRACE_ATTACH, tid, NULL, NULL) < 0 && errno == ESRCH)
		return;
	must(waitpid(tid, &status, __WALL));
	if (!WIFSTOPPED(status))
		die("PTRACE_ATTACH");
}

static void detach(pid_t tid)
{
	if (ptrace(PTRACE_DETACH, tid, NULL, NULL) < 0 && errno != ESRCH)
		die("PTRACE_DETACH");
}

static void stop(void)
{
	each_thread(attach);
}

static void go(void)
{
	each_thread(detach);
}

static uint64_t peek(char *at)
{
	uint64_t word;

	errno = 0;
	word = (uint64_t)ptrace(PTRACE_PEEKDATA, pid, at, NULL);
	if (errno)
		die("PTRACE_PEEKDATA");
	return word;
}

/* Another word of each page each time. */
static uint64_t compare(bool write)
{
	static size_t word;
	uint64_t bad = 0;

	word = (word + 1) % WORDS;
	for (size_t i = word; i < nr * WORDS; i += WORDS) {
		char *at = start + i * sizeof(uint64_t);

		bad += peek(at) != word_of(seed, i);
		if (!write)
			continue;
		must(ptrace(PTRACE_POKEDATA, pid, at, (void *)~word_of(seed, i)));
		bad += peek(at) != ~word_of(seed, i);
		must(ptrace(PTRACE_POKEDATA, pid, at, (void *)word_of(seed, i)));
	}
	return bad;
}

int main(int argc, char **argv)
{
	char line[32];
	uint64_t bad;

	if (argc != 5)
		return 2;
	pid = atoi(argv[1]);
	start = (char *)strtoul(argv[2], NULL, 16);
	nr = strtoul(argv[3], NULL, 10);
	seed = strtoul(argv[4], NULL, 10);
	printf("ready %d 0 0\n", getpid());
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		if (!strcmp(line, "look\n")) {
			stop();
			bad = compare(false);
			go();
			printf("wrong %llu\n", (unsigned long long)bad);
		} else if (!strcmp(line, "stop\n")) {
			stop();
			printf("stopped\n");
		} else if (!strcmp(line, "words\n")) {
			printf("wrong %llu\n", (unsigned long long)compare(true));
		} else if (!strcmp(line, "go\n")) {
			go();
			printf("gone\n");
		} else {
			printf("what is that?\n");
		}
		fflush(stdout);
	}
	return 0;
}
