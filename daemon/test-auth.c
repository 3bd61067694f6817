// SPDX-License-Identifier: GPL-2.0
/*
 * Who may do what, with a polkit that says what the test wants, on a bus of the test's
 * own. The callers are processes of a user that is not root; they call by busctl(1).
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "auth.h"
#include "bus.h"
#include "check.h"
#include "log.h"
#include "test-module.h"

#define POLKIT	"org.freedesktop.PolicyKit1"

static char dir[64], address[128];
static pid_t dbus;
static uint32_t user, group;
static struct manager *m;

/* What polkit says next, and what it was asked last. */
enum says { SAYS_NO, SAYS_YES, SAYS_ASK, SAYS_DISMISSED, SAYS_ERROR, SAYS_NOTHING };

static struct {
	sd_bus *bus;
	enum says says;
	unsigned int asked, taken_back;
	char action[64], subject[64];
	uint32_t flags;
	void (*meanwhile)(void);	/* what happens before it answers */
} polkit;

static int on_check(sd_bus_message *call, void *arg, sd_bus_error *error)
{
	const char *kind, *key, *name, *action, *id;

	check(sd_bus_message_enter_container(call, 'r', "sa{sv}") > 0);
	check(sd_bus_message_read(call, "sa{sv}", &kind, 1, &key, "s", &name) > 0);
	check(!strcmp(kind, "system-bus-name") && !strcmp(key, "name"));
	check(sd_bus_message_exit_container(call) >= 0);
	check(sd_bus_message_read(call, "sa{ss}us", &action, 0, &polkit.flags, &id) > 0);
	check(*id);
	snprintf(polkit.action, sizeof(polkit.action), "%s", action);
	snprintf(polkit.subject, sizeof(polkit.subject), "%s", name);
	polkit.asked++;
	if (polkit.meanwhile)
		polkit.meanwhile();
	switch (polkit.says) {
	case SAYS_NOTHING:
		return 1;
	case SAYS_ERROR:
		return sd_bus_error_set(error, POLKIT ".Error.Failed", "no such action");
	case SAYS_DISMISSED:
		return sd_bus_reply_method_return(call, "(bba{ss})", false, true, 1,
						  "polkit.dismissed", "true");
	default:
		return sd_bus_reply_method_return(call, "(bba{ss})", polkit.says == SAYS_YES,
						  polkit.says == SAYS_ASK, 0);
	}
}

static int on_take_back(sd_bus_message *call, void *arg, sd_bus_error *error)
{
	polkit.taken_back++;
	return sd_bus_reply_method_return(call, NULL);
}

static const sd_bus_vtable polkit_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("CheckAuthorization", "(sa{sv})sa{ss}us", "(bba{ss})", on_check,
		      SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("CancelCheckAuthorization", "s", "", on_take_back,
		      SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_VTABLE_END
};

static void start_bus(void)
{
	char path[128], line[256];
	int out[2];
	FILE *f;

	/* Others have to reach the socket. */
	check(!chmod(dir, 0755));
	snprintf(path, sizeof(path), "%s/bus.conf", dir);
	snprintf(address, sizeof(address), "unix:path=%s/bus", dir);
	f = fopen(path, "w");
	check(f);
	fprintf(f, "<busconfig><listen>%s</listen><auth>EXTERNAL</auth>\n", address);
	fputs("<policy context=\"default\"><allow user=\"*\"/><allow own=\"*\"/>\n", f);
	fputs("<allow send_destination=\"*\"/><allow receive_sender=\"*\"/>\n", f);
	fputs("</policy></busconfig>\n", f);
	check(!fclose(f) && !pipe(out));
	dbus = fork();
	check(dbus >= 0);
	if (!dbus) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(out[1], STDOUT_FILENO);
		snprintf(line, sizeof(line), "--config-file=%s", path);
		execlp("dbus-daemon", "dbus-daemon", line, "--nofork", "--nopidfile",
		       "--print-address=1", NULL);
		_exit(127);
	}
	close(out[1]);
	check(read(out[0], line, sizeof(line)) > 0);
	close(out[0]);
	check(!setenv("DBUS_SYSTEM_BUS_ADDRESS", address, 1));
}

static void start_daemon(void)
{
	m = module_daemon(dir);
	m->state_dir = dir;
	check(sd_event_new(&m->event) >= 0 && groups_init(m) >= 0);
	check(sd_bus_open_system(&m->bus) >= 0 && sd_bus_attach_event(m->bus, m->event, 0) >= 0);
	check(bus_add_objects(m) >= 0 && bus_announce(m) >= 0);
}

static void start_polkit(void)
{
	check(sd_bus_open_system(&polkit.bus) >= 0);
	check(sd_bus_attach_event(polkit.bus, m->event, 0) >= 0);
	check(sd_bus_add_object_vtable(polkit.bus, NULL, "/org/freedesktop/PolicyKit1/Authority",
				       POLKIT ".Authority", polkit_vtable, NULL) >= 0);
	check(sd_bus_request_name(polkit.bus, POLKIT, 0) >= 0);
}

static void stop_polkit(void)
{
	sd_bus_detach_event(polkit.bus);
	polkit.bus = sd_bus_flush_close_unref(polkit.bus);
}

static void become(uint32_t uid)
{
	if (!geteuid() && uid)
		check(!setresgid(group, group, group) && !setresuid(uid, uid, uid));
	/* Last: it is forgotten with the ids. */
	check(!prctl(PR_SET_PDEATHSIG, SIGKILL));
}

static pid_t target_of(uint32_t uid)
{
	int ready[2];
	pid_t pid;
	char c;

	check(!pipe2(ready, O_CLOEXEC));
	pid = fork();
	check(pid >= 0);
	if (!pid) {
		become(uid);
		check(!prctl(PR_SET_DUMPABLE, 1) && write(ready[1], "r", 1) == 1);
		for (;;)
			pause();
	}
	close(ready[1]);
	check(read(ready[0], &c, 1) == 1);
	close(ready[0]);
	return pid;
}

static void end_target(pid_t pid)
{
	check(!kill(pid, SIGKILL) && waitpid(pid, NULL, 0) == pid);
}

/* A call that is under way, and what has come of it. */
static struct {
	pid_t pid;
	int out;
	char text[4096];
} call;

static void begin_call(uint32_t uid, const char *words)
{
	char line[512], *argv[32] = { "busctl", NULL }, *save = NULL;
	int out[2], argc = 1;

	check(!pipe2(out, O_CLOEXEC));
	snprintf(line, sizeof(line), "%s", words);
	for (char *w = strtok_r(line, " ", &save); w && argc < 31; w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	call.pid = fork();
	check(call.pid >= 0);
	if (!call.pid) {
		become(uid);
		dup2(out[1], STDOUT_FILENO);
		dup2(out[1], STDERR_FILENO);
		execvp("busctl", argv);
		_exit(127);
	}
	close(out[1]);
	call.out = out[0];
}

static int on_exit_of_call(sd_event_source *s, const siginfo_t *si, void *arg)
{
	*(int *)arg = si->si_status;
	return 0;
}

/* Its exit status; the daemon and polkit answer meanwhile. */
static int end_call(void)
{
	int status = -1, n;

	check(sd_event_add_child(m->event, NULL, call.pid, WEXITED, on_exit_of_call, &status) >= 0);
	while (status < 0)
		check(sd_event_run(m->event, UINT64_MAX) >= 0);
	n = read(call.out, call.text, sizeof(call.text) - 1);
	check(n >= 0);
	call.text[n] = '\0';
	close(call.out);
	return status;
}

static int do_call(uint32_t uid, const char *words)
{
	begin_call(uid, words);
	return end_call();
}

static const char *migrate(pid_t pid)
{
	static char words[256];

	snprintf(words, sizeof(words),
		 "call -- org.migd1 /org/migd1 org.migd1.Manager MigrateProcess uiia{sv} %d -1 0 0",
		 pid);
	return words;
}

/* It is refused with these words, after polkit was asked so often. */
static void check_refused(const char *words, const char *sentence, unsigned int asked)
{
	unsigned int before = polkit.asked;
	uint64_t jobs = module.last;
	bool refused = do_call(user, words);

	if (refused && strstr(call.text, sentence) && polkit.asked == before + asked &&
	    module.last == jobs)
		return;
	fprintf(stderr, "%s: not refused by '%s' but: %s (polkit was asked %u times)\n", words,
		sentence, call.text, polkit.asked - before);
	exit(EXIT_FAILURE);
}

static void check_allowed(const char *words, const char *action)
{
	unsigned int before = polkit.asked;

	if (!do_call(user, words) && polkit.asked == before + 1 && !strcmp(polkit.action, action))
		return;
	fprintf(stderr, "%s: not allowed for %s: %s\n", words, polkit.action, call.text);
	exit(EXIT_FAILURE);
}

static void end_job(void)
{
	module.job[module.last].state = MIGD_JOB_STATE_DONE;
	job_events.job_done(&module.job[module.last], m);
}

#define OWN	"org.migd1.migrate-own"
#define OTHERS	"org.migd1.migrate-others"

/* One of the user's, and one of root's, or of whoever has process 1. */
static pid_t own;

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
	/* It becomes one that is not its user's any more, as one that calls a setuid program. */
	check(!kill(victim, SIGUSR1));
	check(waitpid(victim, NULL, WUNTRACED) == victim);
}

static void on_close(int sig)
{
	prctl(PR_SET_DUMPABLE, 0);
	raise(SIGSTOP);
}

/* What happens while polkit is being asked. */
static void test_meanwhile(void)
{
	uint64_t jobs = module.last;

	polkit.says = SAYS_YES;
	victim = target_of(user);
	polkit.meanwhile = kill_victim;
	check_refused(migrate(victim), "exited while it was being looked at", 1);

	signal(SIGUSR1, on_close);
	victim = target_of(user);
	signal(SIGUSR1, SIG_DFL);
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
}

static void test_groups(void)
{
	unsigned int before;
	char list[256];

	snprintf(list, sizeof(list),
		 "call -- org.migd1 /org/migd1 org.migd1.Manager MigrateProcesses auiia{sv} 1 %d -1 0 0",
		 own);
	polkit.says = SAYS_NO;
	check_refused(list, "may not move several processes at once", 1);
	check_refused("call -- org.migd1 /org/migd1 org.migd1.Manager MigrateCgroup siia{sv} / -1 0 0",
		      "may not move several processes at once", 1);
	check_refused("call -- org.migd1 /org/migd1 org.migd1.Manager MigrateUnit siia{sv} a.service -1 0 0",
		      "may not move several processes at once", 1);
	check(!m->groups);
	polkit.says = SAYS_YES;
	check_allowed(list, OTHERS);
	check(m->groups && m->groups->req.user == user);
	before = polkit.asked;
	check(!do_call(user, "call org.migd1 /org/migd1/group/1 org.migd1.Group Cancel"));
	check(polkit.asked == before && m->groups->cancelled);
	end_job();
	polkit.says = SAYS_NO;
	m->groups->req.user = 0;
	check_refused("call org.migd1 /org/migd1/group/1 org.migd1.Group Cancel",
		      "may not cancel groups of others", 1);
}

#define POLICY	"org.migd1.manage-policy"
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
		      "BatchPages is 1 to 512, not 0", 1);
	check_refused("call org.migd1 /org/migd1 org.migd1.Manager ClaimEngine s dma0chan0",
		      "'dma0chan0' cannot be claimed", 1);
}

static void test_root(void)
{
	unsigned int before = polkit.asked;

	if (geteuid())
		return;
	polkit.says = SAYS_NO;
	check(!do_call(0, migrate(own)) && !do_call(0, migrate(1)));
	check(polkit.asked == before && !job_find(m, module.last)->user);
}

static void test_absent(void)
{
	check_refused(migrate(own), "polkit, which could allow it, is not there", 0);
}

int main(void)
{
	char path[128];

	log_set_level(LOG_ERR);
	user = geteuid() ? geteuid() : 65534;
	group = geteuid() ? getegid() : 65534;
	check(!sigprocmask(SIG_BLOCK, &(sigset_t) { { 1UL << (SIGCHLD - 1) } }, NULL));
	snprintf(dir, sizeof(dir), "/tmp/migd-auth-XXXXXX");
	check(mkdtemp(dir));
	start_bus();
	start_daemon();
	own = target_of(user);
	test_absent();
	start_polkit();
	test_answers();
	test_interaction();
	test_validation();
	test_meanwhile();
	test_jobs();
	test_groups();
	test_policy();
	test_root();
	stop_polkit();
	end_target(own);
	end_target(dbus);
	sd_bus_detach_event(m->bus);
	auth_free(m);
	m->bus = sd_bus_flush_close_unref(m->bus);
	module_daemon_stop(m);
	snprintf(path, sizeof(path), "rm -r %s", dir);
	return system(path);
}
