// SPDX-License-Identifier: GPL-2.0
/*
 * polkit has its agents ask, each for one session or process. On a text terminal
 * nobody starts one for the session, so who may be asked brings its own, which speaks
 * for the process that started it, as systemctl does.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <systemd/sd-login.h>
#include <unistd.h>

#include "agent.h"
#include "client.h"

#define PKTTYAGENT	"/usr/bin/pkttyagent"

static pid_t agent;

/*
 * A session may have an agent of its own, on its screen, which comes first. Without a
 * session polkit does not look at any that comes second.
 */
static const char *rank(void)
{
	char *session = NULL;
	int r = sd_pid_get_session(0, &session);

	free(session);
	return r < 0 ? NULL : "--fallback";
}

/* In the child, which becomes the agent; that closes @ready once polkit knows it. */
static void run(pid_t parent, int ready)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	sigset_t none;
	char fd[16];

	/* Those that migctl takes by sd-event are blocked. */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || getppid() != parent ||
	    fcntl(ready, F_SETFD, 0) < 0 || null < 0)
		return;
	/* It asks on /dev/tty; why it could not, the refusal says in one sentence. */
	dup2(null, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);
	snprintf(fd, sizeof(fd), "%d", ready);
	execl(PKTTYAGENT, PKTTYAGENT, "--notify-fd", fd, rank(), NULL);
}

void agent_begin(void)
{
	pid_t parent = getpid();
	struct pollfd wait;
	int ready[2];

	if (agent || !geteuid() || client_host() || !isatty(STDIN_FILENO) ||
	    pipe2(ready, O_CLOEXEC) < 0)
		return;
	agent = fork();
	if (!agent) {
		run(parent, ready[1]);
		_exit(EXIT_FAILURE);
	}
	close(ready[1]);
	wait = (struct pollfd) { .fd = ready[0] };
	while (agent > 0 && poll(&wait, 1, -1) < 0 && errno == EINTR)
		;
	close(ready[0]);
}

void agent_end(void)
{
	if (agent > 0) {
		kill(agent, SIGTERM);
		/* Ctrl-Z may have stopped it. */
		kill(agent, SIGCONT);
		while (waitpid(agent, NULL, 0) < 0 && errno == EINTR)
			;
	}
	agent = 0;
}
