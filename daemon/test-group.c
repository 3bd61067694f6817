// SPDX-License-Identifier: GPL-2.0
/* Groups: who is in one, and what a daemon that takes over reads of it. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "group.h"
#include "log.h"

static char dir[64];
static int start_pipe[2];

/* A child that says that it is there, forks another when told to, and waits. */
static pid_t child(int *ret_tell)
{
	int tell[2];
	pid_t pid;
	char c;

	check(!pipe(tell));
	pid = fork();
	check(pid >= 0);
	if (pid) {
		close(tell[0]);
		*ret_tell = tell[1];
		check(read(start_pipe[0], &c, 1) == 1);
		return pid;
	}
	close(tell[1]);
	check(write(start_pipe[1], "x", 1) == 1);
	while (read(tell[0], &c, 1) == 1) {
		if (!fork()) {
			check(write(start_pipe[1], "y", 1) == 1);
			while (read(tell[0], &c, 1) == 1)
				;
			_exit(0);
		}
	}
	_exit(0);
}

static void test_list(void)
{
	struct group g = { .kind = GROUP_PROCESSES, .req = { .from = -1, .to = 0 } };
	struct fault f = { .id = FAULT_NONE };
	uint32_t pids[3], self = getpid();
	int tell[2];
	char c;

	check(!pipe(start_pipe));
	pids[0] = child(&tell[0]);
	pids[1] = child(&tell[1]);
	pids[2] = pids[0];
	check(group_name(&g, &self, 1, &f) < 0 && strstr(f.text, "the daemon itself") && !g.nr);
	check(!group_name(&g, pids, 3, &f) && g.nr == 2);
	check(g.members[0].pid < g.members[1].pid && g.members[0].start_time);
	check(group_count(&g, MEMBER_PENDING) == 2);
	check(group_lookup(&g, pids[0], g.members[0].start_time) ||
	      group_lookup(&g, pids[0], g.members[1].start_time));
	check(!group_lookup(&g, pids[0], 1));

	/* what they fork from now on is in it, what is there is found once */
	g.submitted_ns = group_clock_ns(CLOCK_BOOTTIME);
	check(group_gather(&g, &f) == 0 && g.nr == 2);
	check(write(tell[1], "f", 1) == 1 && read(start_pipe[0], &c, 1) == 1 && c == 'y');
	check(group_gather(&g, &f) == 1 && g.nr == 3);
	check(group_gather(&g, &f) == 0 && g.nr == 3);
	for (size_t i = 1; i < g.nr; i++)
		check(g.members[i - 1].pid < g.members[i].pid);

	close(tell[0]);
	close(tell[1]);
	check(waitpid(pids[0], NULL, 0) > 0 && waitpid(pids[1], NULL, 0) > 0);
	check(group_name(&g, pids, 1, &f) < 0 && f.id == FAULT_NO_SUCH_PROCESS && g.nr == 3);
	free(g.members);
}

/* One that is for own processes only has a limit that others have not. */
static void test_limit(void)
{
	struct group g = { .kind = GROUP_PROCESSES, .req = { .from = -1, .to = 0 } };
	struct fault f = { .id = FAULT_NONE };
	uint32_t pid;
	int tell;

	check(!pipe(start_pipe));
	pid = child(&tell);
	g.members = calloc(GROUP_OWN_MAX, sizeof(*g.members));
	check(g.members);
	for (g.nr = 0; g.nr < GROUP_OWN_MAX; g.nr++)
		g.members[g.nr].start_time = g.nr + 1;
	g.req.own_only = true;
	check(group_name(&g, &pid, 1, &f) == -EPERM && !f.id && g.nr == GROUP_OWN_MAX);
	/* The same when it is read again, as what it had has forked. */
	g.members[GROUP_OWN_MAX - 1].pid = getpid();
	check(group_gather(&g, &f) == -E2BIG && g.nr == GROUP_OWN_MAX);
	g.req.own_only = false;
	check(!group_name(&g, &pid, 1, &f) && g.nr == GROUP_OWN_MAX + 1);
	close(tell);
	check(waitpid(pid, NULL, 0) > 0);
	free(g.members);
}

static struct group *loaded;

static int take(struct group *g, void *arg)
{
	check(!loaded);
	loaded = g;
	return 0;
}

static struct group *load(void)
{
	loaded = NULL;
	check(!group_load_all(dir, take, NULL));
	return loaded;
}

static void put(const char *text)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/group-7.json", dir);
	file = fopen(path, "we");
	check(file && fputs(text, file) >= 0 && !fclose(file));
}

/* The file, with its first @from made @to. */
static void put_changed(const char *whole, const char *from, const char *to)
{
	char text[4096];
	const char *at = strstr(whole, from);

	check(at);
	snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - whole), whole, to, at + strlen(from));
	put(text);
}

static void test_keep(void)
{
	struct member members[] = {
		{ .pid = 10, .start_time = 5, .state = MEMBER_DONE, .job = 3 },
		{ .pid = 10, .start_time = 9, .state = MEMBER_RUNNING, .tries = 2 },
		{ .pid = 12, .start_time = 1ULL << 40, .state = MEMBER_FORBIDDEN },
	};
	struct group g = {
		.id = 7, .kind = GROUP_UNIT, .target = "a.service", .cgroup = "/s.slice/a.service",
		.req = { .user = 1000, .group = 100, .own_only = true,
			 .from = -1, .to = 1, .order = MIGD_ORDER_STATE_FIRST, .engine = "dma",
			 .deadline_us = 60000000, .max_rate = UINT64_MAX, .has_rate = true,
			 .leave_large = true, .flags = MIGD_JOB_FLAG_VERIFY },
		.members = members, .nr = 3, .rounds = 4, .after = 1ULL << 50,
		.ended = { .total = 30, .moved = 20, .left = { [MIGD_REASON_ATOMIC] = 10 } },
		.state = GROUP_RUNNING, .partly = true, .cancelled = true, .why = "\"because\"",
		.submitted_usec = 99, .submitted_ns = 98, .progress = 333,
	};
	struct manager m = { .run_dir = dir };
	char path[128], whole[4096];
	struct group *l;
	FILE *file;
	size_t n;

	check(!load());
	check(!group_save(&m, &g));
	l = load();
	check(l && l->id == 7 && l->kind == GROUP_UNIT && l->nr == 3 && l->rounds == 4);
	check(!strcmp(l->target, "a.service") && !strcmp(l->cgroup, "/s.slice/a.service"));
	check(!memcmp(l->members, members, sizeof(members)));
	check(!memcmp(&l->ended, &g.ended, sizeof(g.ended)));
	check(l->req.user == 1000 && l->req.group == 100 && l->req.own_only);
	check(l->req.from == -1 && l->req.to == 1 && l->req.order == MIGD_ORDER_STATE_FIRST);
	check(!strcmp(l->req.engine, "dma") && l->req.deadline_us == 60000000);
	check(l->req.max_rate == UINT64_MAX && l->req.has_rate && l->req.leave_large);
	check(l->req.flags == MIGD_JOB_FLAG_VERIFY && l->after == 1ULL << 50);
	check(l->state == GROUP_RUNNING && l->partly && !l->well && l->cancelled);
	check(!strcmp(l->why, "\"because\"") && l->submitted_usec == 99 && l->progress == 333);
	group_free(l);

	/* Whatever else stands there is refused whole. */
	snprintf(path, sizeof(path), "%s/group-7.json", dir);
	file = fopen(path, "re");
	check(file);
	n = fread(whole, 1, sizeof(whole) - 1, file);
	whole[n] = '\0';
	fclose(file);
	for (size_t cut = 0; cut < n; cut += 7) {
		char text[4096];

		snprintf(text, sizeof(text), "%.*s", (int)cut, whole);
		put(text);
		check(!load());
	}
	put_changed(whole, "\"layout\":1", "\"layout\":2");
	check(!load());
	put_changed(whole, "/s.slice/a.service", "/../etc");
	check(!load());
	put_changed(whole, "[10,5,", "[11,5,");
	check(!load());
	put_changed(whole, "[10,5,", "[-1,5,");
	check(!load());
	put_changed(whole, "\"state\":1", "\"state\":9");
	check(!load());
	put(whole);
	l = load();
	check(l);
	group_free(l);

	group_forget(&m, &g);
	check(!load());
	m.run_dir = "/nonexistent";
	check(group_save(&m, &g) == -ENOENT && g.save_told);
}

int main(void)
{
	log_set_level(LOG_ERR);
	snprintf(dir, sizeof(dir), "/tmp/migd-group-XXXXXX");
	check(mkdtemp(dir));
	test_list();
	test_limit();
	test_keep();
	check(!rmdir(dir));
	return 0;
}
