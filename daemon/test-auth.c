// SPDX-License-Identifier: GPL-2.0
/* Who may do what: with a polkit of the test's, see test-polkit.h. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bus.h"
#include "check.h"
#include "test-module.h"
#include "test-polkit.h"

static void test_answers(void)
{
	polkit.says = SAYS_NO;
	check_refused(migrate(own), "may not move the memory of its own processes", 1);
	check(strstr(call.text, "run it as root, or have a rule of polkit allow " OWN));
	check_refused(migrate(1), "not its own: run it as root, or have a rule", 1);
	/* Who may not does not learn which pids there are. */
	check_refused(migrate(4194303), "have a rule of polkit allow " OTHERS, 1);
	polkit.says = SAYS_DISMISSED;
	check_refused(migrate(own), "no administrator has agreed", 1);
	polkit.says = SAYS_ASK;
	check_refused(migrate(own), "who cannot be asked from here", 1);
	polkit.says = SAYS_ERROR;
	check_refused(migrate(own), "does not tell whether " OWN " is allowed (no such action)", 1);
	polkit.says = SAYS_NOTHING;
	m->auth.usec = 100000;
	check_refused(migrate(own), "polkit has not answered in time", 1);
	check(polkit.taken_back == 1);
	m->auth.usec = 0;
	polkit.says = SAYS_YES;
	check_allowed(migrate(own), OWN);
	check(m->jobs && m->jobs->user == user && m->jobs->nl.pid == (uint32_t)own);
	end_job();
	check_allowed(migrate(1), OTHERS);
	end_job();
	/* It is told now. */
	check_refused(migrate(4194303), "there is no process 4194303", 1);
}

/* A password is asked for only where the caller says that it may be. */
static void test_interaction(void)
{
	char words[300];

	polkit.says = SAYS_YES;
	check_allowed(migrate(own), OWN);
	end_job();
	check(polkit.flags == 1);
	snprintf(words, sizeof(words), "--allow-interactive-authorization=no %s", migrate(own));
	check_allowed(words, OWN);
	end_job();
	check(!polkit.flags);
}

/* Of an own process what is wrong is told before. */
static void test_validation(void)
{
	char words[300];

	polkit.says = SAYS_YES;
	snprintf(words, sizeof(words),
		 "call -- org.migd1 /org/migd1 org.migd1.Manager MigrateProcess uiia{sv} %d -1 99 0",
		 own);
	check_refused(words, "there is no node 99", 0);
	snprintf(words, sizeof(words),
		 "call -- org.migd1 /org/migd1 org.migd1.Manager MigrateProcess uiia{sv} %d -1 0 1 deadline-us u 500001",
		 own);
	check_refused(words, "which only root may exceed", 0);
	/* And of any process what has nothing to do with it. */
	check_refused("call -- org.migd1 /org/migd1 org.migd1.Manager MigrateProcess uiia{sv} 1 -1 99 0",
		      "there is no node 99", 0);
	check_refused("call -- org.migd1 /org/migd1 org.migd1.Manager MigrateProcess uiia{sv} 1 -1 0 1 engine s none",
		      "there is no engine 'none'", 0);
	module.refusal = -EBUSY;
	check_refused(migrate(own), "refuses to move process", 1);
}

static pid_t victim;

static void kill_victim(void)
{
	end_target(victim);
}

/* And until the bus has noticed. */
static void kill_caller(void)
{
	int there = 1;

	check(!kill(call.pid, SIGKILL));
	while (there) {
		sd_bus_message *reply = NULL;

		check(sd_bus_call_method(polkit.bus, "org.freedesktop.DBus",
					 "/org/freedesktop/DBus", "org.freedesktop.DBus",
					 "NameHasOwner", NULL, &reply, "s", polkit.subject) >= 0);
		check(sd_bus_message_read(reply, "b", &there) > 0);
		sd_bus_message_unref(reply);
	}
}

static void close_victim(void)
{
	close_target(victim);
}

/* What happens while polkit is being asked. */
static void test_meanwhile(void)
{
	uint64_t jobs = module.last;

	polkit.says = SAYS_YES;
	victim = target_of(user);
	polkit.meanwhile = kill_victim;
	check_refused(migrate(victim), "exited while it was being looked at", 1);

	victim = target_of(user);
	polkit.meanwhile = close_victim;
	check_refused(migrate(victim), "it was asked for " OWN ", which is not enough any more", 1);
	end_target(victim);

	/* Whatever it says then, it is told to forget the question. */
	polkit.meanwhile = kill_caller;
	polkit.taken_back = 0;
	for (unsigned int i = 1; i <= 2; i++) {
		check(do_call(user, migrate(own)) == SIGKILL);
		while (polkit.taken_back < i)
			check(sd_event_run(m->event, UINT64_MAX) >= 0);
		polkit.says = SAYS_NOTHING;
	}
	check(!m->auth.queries && module.last == jobs);
	polkit.meanwhile = NULL;
}

static const char *of_job(const char *words)
{
	static char line[256];
	const char *rest = strchr(words, '@');

	snprintf(line, sizeof(line), "%.*s/org/migd1/job/%llu%s", (int)(rest - words), words,
		 (unsigned long long)module.last, rest + 1);
	return line;
}

#define CANCEL	of_job("call org.migd1 @ org.migd1.Job Cancel")
#define PAUSE	of_job("call org.migd1 @ org.migd1.Job Pause")
#define RESUME	of_job("call org.migd1 @ org.migd1.Job Resume")
#define SLOW	of_job("set-property org.migd1 @ org.migd1.Job MaxRate t 4096")

#define LONG	of_job("set-property org.migd1 @ org.migd1.Job DeadlineUSec t 500001")

/* One's own jobs need no more; those of others do. */
static void test_jobs(void)
{
	unsigned int before;
	struct job *job;

	polkit.says = SAYS_YES;
	check_allowed(migrate(own), OWN);
	job = job_find(m, module.last);
	polkit.says = SAYS_NO;
	before = polkit.asked;
	check(!do_call(user, PAUSE) && job->nl.paused && !do_call(user, RESUME));
	check(!do_call(user, SLOW) && job->asked_rate == 4096 && !do_call(user, CANCEL));
	check(polkit.asked == before && module.cancels == 1);
	check_refused(LONG, "may not set a deadline above the 500000 us of the policy", 0);

	job->user = 0;
	job->asked_rate = 0;
	check_refused(CANCEL, "may not cancel jobs of others", 1);
	check_refused(PAUSE, "may not pause or resume jobs of others", 1);
	check_refused(SLOW, "may not change jobs of others", 0);
	check(module.cancels == 1 && !job->nl.paused && !job->asked_rate);
	polkit.says = SAYS_YES;
	check_allowed(PAUSE, OTHERS);
	check_allowed(CANCEL, OTHERS);
	check(module.cancels == 2 && job->nl.paused);
	end_job();
	/* Nobody is asked whether what has ended may be. */
	check_refused(CANCEL, "has ended already", 0);
	check_refused(PAUSE, "has ended already", 0);
}

#define TELL	"call org.migd1 /org/migd1 org.migd1.Manager GetPermissions"

static void check_told(uint32_t uid, const char *own_says, const char *others, const char *policy)
{
	char want[256];

	snprintf(want, sizeof(want), "a{ss} 3 \"" OWN "\" \"%s\" \"" OTHERS "\" \"%s\" \"" POLICY "\" \"%s\"\n",
		 own_says, others, policy);
	polkit.flags = 0;
	if (!do_call(uid, TELL) && !strcmp(call.text, want) && !polkit.flags)
		return;
	fprintf(stderr, "%u is told %s, not %s\n", uid, call.text, want);
	exit(EXIT_FAILURE);
}

#define BATCH	"set-property org.migd1 /org/migd1 org.migd1.Policy BatchPages t 64"

static void test_policy(void)
{
	polkit.says = SAYS_NO;
	check_refused(BATCH, "may not set the policy: run it as root, or have a rule", 1);
	check_refused("call org.migd1 /org/migd1 org.migd1.Manager ClaimEngine s dma0chan0",
		      "may not claim engines", 1);
	check(m->policy.batch_pages == 512);
	polkit.says = SAYS_YES;
	check_allowed(BATCH, POLICY);
	check(m->policy.batch_pages == 64);
	check_refused("set-property org.migd1 /org/migd1 org.migd1.Policy BatchPages t 0",
		      "BatchPages is 1 to 512, not 0", 0);
	check_refused("set-property org.migd1 /org/migd1 org.migd1.Policy DefaultEngine s none",
		      "there is no engine 'none'", 0);
	check_refused("set-property org.migd1 /org/migd1 org.migd1.Policy BatchPages s 64", "", 0);
	check_refused("set-property org.migd1 /org/migd1 org.migd1.Policy Pages t 64",
		      "or property Pages", 0);
	check_refused("call org.migd1 /org/migd1 org.migd1.Manager ClaimEngine s a/b",
		      "is no name of a channel", 0);
	check_refused("call org.migd1 /org/migd1 org.migd1.Manager ClaimEngine s dma0chan0",
		      "'dma0chan0' cannot be claimed", 1);
}

static void test_told(void)
{
	polkit.says = SAYS_YES;
	check_told(user, "yes", "yes", "yes");
	polkit.only = OWN;
	check_told(user, "yes", "no", "no");
	polkit.says = SAYS_ASK;
	polkit.only = POLICY;
	check_told(user, "no", "no", "password");
	polkit.only = NULL;
	polkit.says = SAYS_ERROR;
	check_refused(TELL, "may not move memory or set the policy, as polkit does not tell", 1);
	check(!m->auth.queries);
}

static void test_root(void)
{
	unsigned int before = polkit.asked;

	if (geteuid())
		return;
	polkit.says = SAYS_NO;
	check(!do_call(0, migrate(own)) && !do_call(0, migrate(1)));
	check_told(0, "yes", "yes", "yes");
	check(polkit.asked == before && !job_find(m, module.last)->user);
}

static void test_absent(void)
{
	check_refused(migrate(own), "polkit, which could allow it, is not there", 0);
	check_refused(TELL, "polkit, which could allow it, is not there", 0);
}

int main(void)
{
	polkit_test_begin();
	test_absent();
	start_polkit();
	test_answers();
	test_interaction();
	test_validation();
	test_meanwhile();
	test_jobs();
	test_policy();
	test_told();
	test_root();
	return polkit_test_end();
}
