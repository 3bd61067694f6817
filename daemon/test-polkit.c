// SPDX-License-Identifier: GPL-2.0
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
#include "test-polkit.h"

#define POLKIT	"org.freedesktop.PolicyKit1"

struct test_polkit polkit;
struct test_call call;
uint32_t user, group;
struct manager *m;
pid_t own;

static char dir[64], address[128];
static pid_t dbus;

static int on_check(sd_bus_message *call, void *arg, sd_bus_error *error)
{
	const char *kind, *key, *name, *action, *id;
	enum says says;

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
	says = !polkit.only || !strcmp(polkit.only, action) ? polkit.says : SAYS_NO;
	switch (says) {
	case SAYS_NOTHING:
		return 1;
	case SAYS_ERROR:
		return sd_bus_error_set(error, POLKIT ".Error.Failed", "no such action");
	case SAYS_DISMISSED:
		return sd_bus_reply_method_return(call, "(bba{ss})", false, true, 1,
						  "polkit.dismissed", "true");
	default:
		return sd_bus_reply_method_return(call, "(bba{ss})", says == SAYS_YES,
						  says == SAYS_ASK, 0);
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

void start_polkit(void)
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

static void on_close(int sig)
{
	prctl(PR_SET_DUMPABLE, 0);
	raise(SIGSTOP);
}

pid_t target_of(uint32_t uid)
{
	int ready[2];
	pid_t pid;
	char c;

	check(!pipe2(ready, O_CLOEXEC));
	pid = fork();
	check(pid >= 0);
	if (!pid) {
		become(uid);
		signal(SIGUSR1, on_close);
		check(!prctl(PR_SET_DUMPABLE, 1) && write(ready[1], "r", 1) == 1);
		for (;;)
			pause();
	}
	close(ready[1]);
	check(read(ready[0], &c, 1) == 1);
	close(ready[0]);
	return pid;
}

void end_target(pid_t pid)
{
	check(!kill(pid, SIGKILL) && waitpid(pid, NULL, 0) == pid);
}

void close_target(pid_t pid)
{
	check(!kill(pid, SIGUSR1));
	check(waitpid(pid, NULL, WUNTRACED) == pid);
}

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

int do_call(uint32_t uid, const char *words)
{
	begin_call(uid, words);
	return end_call();
}

const char *migrate(pid_t pid)
{
	static char words[256];

	snprintf(words, sizeof(words),
		 "call -- org.migd1 /org/migd1 org.migd1.Manager MigrateProcess uiia{sv} %d -1 0 0",
		 pid);
	return words;
}

void check_refused(const char *words, const char *sentence, unsigned int asked)
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

void check_allowed(const char *words, const char *action)
{
	unsigned int before = polkit.asked;

	if (!do_call(user, words) && polkit.asked == before + 1 && !strcmp(polkit.action, action))
		return;
	fprintf(stderr, "%s: not allowed for %s: %s\n", words, polkit.action, call.text);
	exit(EXIT_FAILURE);
}

void end_job(void)
{
	module.job[module.last].state = MIGD_JOB_STATE_DONE;
	module.job[module.last].outcome = MIGD_OUTCOME_MOVED;
	job_events.job_done(&module.job[module.last], m);
}

void polkit_test_begin(void)
{
	log_set_level(LOG_ERR);
	user = geteuid() ? geteuid() : 65534;
	group = geteuid() ? getegid() : 65534;
	check(!sigprocmask(SIG_BLOCK, &(sigset_t) { { 1UL << (SIGCHLD - 1) } }, NULL));
	snprintf(dir, sizeof(dir), "/tmp/migd-auth-XXXXXX");
	check(mkdtemp(dir));
	start_bus();
	start_daemon();
	own = target_of(user);
}

int polkit_test_end(void)
{
	char path[128];

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
