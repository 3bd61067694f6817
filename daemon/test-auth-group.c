// SPDX-License-Identifier: GPL-2.0
/* Who may move several processes: with a polkit of the test's, see test-polkit.h. */
#include <stdio.h>

#include "bus.h"
#include "cgroup.h"
#include "check.h"
#include "test-module.h"
#include "test-polkit.h"

static const char *migrate_all(pid_t pid, pid_t other)
{
	static char words[256];

	snprintf(words, sizeof(words),
		 "call -- org.migd1 /org/migd1 org.migd1.Manager MigrateProcesses auiia{sv} 2 %d %d -1 0 0",
		 pid, other);
	return words;
}

#define SEVERAL	"may not move several processes at once that are not all its own"
#define GROUP	"call -- org.migd1 /org/migd1 org.migd1.Manager Migrate"

/* A cgroup of which we know that not all are the user's. */
static void test_cgroup(void)
{
	if (cgroup_mounted(CGROUP_ROOT) < 0)
		check_refused(GROUP "Cgroup siia{sv} / -1 0 0", "no unified cgroup hierarchy", 0);
	else
		check_refused(GROUP "Cgroup siia{sv} / -1 0 0", SEVERAL, 1);
}

static void test_groups(void)
{
	unsigned int before;
	struct group *g;

	polkit.says = SAYS_NO;
	check_refused(migrate_all(own, own), "may not move the memory of its own processes", 1);
	check_refused(migrate_all(own, 1), SEVERAL, 1);
	/* As of one process, nobody learns which pids there are. */
	check_refused(migrate_all(own, 4194303), SEVERAL, 1);
	test_cgroup();
	check(!m->groups);

	polkit.says = SAYS_YES;
	polkit.only = OTHERS;
	check_refused(migrate_all(own, own), "may not move the memory of its own processes", 1);
	check_refused(migrate_all(own, 4194303), "there is no process 4194303", 1);
	check_allowed(migrate_all(own, 1), OTHERS);
	g = m->groups;
	check(g && g->req.user == user && !g->req.own_only && g->nr == 2);
	check(!do_call(user, "call org.migd1 /org/migd1/group/1 org.migd1.Group Cancel"));
	check(g->cancelled);
	end_job();

	polkit.only = OWN;
	check_refused(migrate_all(own, 1), SEVERAL, 1);
	check_allowed(migrate_all(own, own), OWN);
	g = m->groups->next;
	check(g && g->req.user == user && g->req.own_only && g->req.group == group && g->nr == 1);
	polkit.only = NULL;
	polkit.says = SAYS_NO;
	g->req.user = 0;
	check_refused("call org.migd1 /org/migd1/group/2 org.migd1.Group Cancel",
		      "may not cancel groups of others", 1);
	g->req.user = user;
	before = polkit.asked;
	check(!do_call(user, "call org.migd1 /org/migd1/group/2 org.migd1.Group Cancel"));
	check(polkit.asked == before && g->cancelled);
	end_job();
	check_refused("call org.migd1 /org/migd1/group/2 org.migd1.Group Cancel",
		      "has ended already", 0);
}

/* What is wrong with a group is told before, too, and what has to be asked is asked after. */
static void test_group_input(void)
{
	polkit.says = SAYS_YES;
	check_refused(GROUP "Processes auiia{sv} 0 -1 0 0", "no process is named", 0);
	check_refused(GROUP "Processes auiia{sv} 1 1 -1 99 0", "there is no node 99", 0);
	check_refused(GROUP "Processes auiia{sv} 1 1 -1 0 1 engine s none", "no engine 'none'", 0);
	check_refused(GROUP "Cgroup siia{sv} a/.. -1 0 0", "is no path of a cgroup", 0);
	check_refused(GROUP "Unit siia{sv} a.socket -1 0 0", "no service, scope or slice", 0);
	check_refused(GROUP "Unit siia{sv} a.service -1 0 0", "systemd does not tell of unit", 0);
}

static pid_t second;

static void close_second(void)
{
	close_target(second);
}

static struct group *last_group(void)
{
	struct group *g = m->groups;

	while (g->next)
		g = g->next;
	return g;
}

/* One that was own when the group began, or when polkit was asked, and is not any more. */
static void test_group_meanwhile(void)
{
	struct group *g;

	polkit.says = SAYS_YES;
	second = target_of(user);
	polkit.meanwhile = close_second;
	check_refused(migrate_all(own, second),
		      "it was asked for " OWN ", which is not enough any more", 1);
	end_target(second);
	polkit.meanwhile = NULL;

	second = target_of(user);
	/* The visits go by their order. */
	check(second > own);
	check_allowed(migrate_all(own, second), OWN);
	g = last_group();
	check(module.job[module.last].pid == (uint32_t)own);
	close_second();
	end_job();
	while (g->state != GROUP_DONE && module.job[module.last].pid == (uint32_t)own)
		check(sd_event_run(m->event, UINT64_MAX) >= 0);
	check(module.job[module.last].pid == (uint32_t)own);
	check(g->members[1].state == MEMBER_FOREIGN && strstr(g->why, "is not user"));
	check(g->outcome == MIGD_OUTCOME_PARTLY);
	end_target(second);
}

/* Root may give the job that runs a longer deadline; the ones after it still have the policy's. */
static void test_group_deadline(void)
{
	const struct nl_change longer = { .has_deadline = true, .deadline_us = 1000000 };
	uint64_t first = module.last + 1;
	struct fault f;

	polkit.says = SAYS_YES;
	second = target_of(user);
	check(second > own);
	check_allowed(migrate_all(own, second), OWN);
	check(module.last == first && !job_set(m, job_find(m, first), &longer, &f));
	check(module.job[first].deadline_us == 1000000);
	end_job();
	while (module.last == first && last_group()->state != GROUP_DONE)
		check(sd_event_run(m->event, UINT64_MAX) >= 0);
	check(module.job[module.last].pid == (uint32_t)second);
	check(module.job[module.last].deadline_us == m->policy.deadline_usec);
	end_job();
	end_target(second);
}

int main(void)
{
	polkit_test_begin();
	start_polkit();
	test_groups();
	test_group_input();
	test_group_meanwhile();
	test_group_deadline();
	return polkit_test_end();
}
