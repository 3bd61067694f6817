// SPDX-License-Identifier: GPL-2.0
/*
 * migd-agent: runs the host's commands in the guest.
 *
 * The two talk over a virtio port in frames: one byte of type, four bytes of
 * length (big endian), data. One command runs at a time.
 *
 *   host:   R command   run with /bin/sh -c, output in O frames
 *           T command   the same on a terminal of its own
 *           I data      input for the command on the terminal
 *           Z rows cols (decimal) size of the terminal
 *           K           say where the command's processes wait, kill its group
 *           W path      start a file (mode 0755); D frames follow
 *           D data      append to it; an empty one closes it
 *   guest:  H           ready
 *           O data      output
 *           X status    (decimal) the command, or the file, is done
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define PORT_NAME	"org.migd1.agent"
#define FRAME_MAX	(64 * 1024)

struct agent {
	int port;
	int file;	/* that D frames append to, or -1 */
	int file_error;
	pid_t pid;	/* of the command, or 0 */
	int pidfd;
	int output;	/* of the command: pipe, or master of its terminal */
};

static char data[FRAME_MAX + 1];

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void read_all(int fd, void *buffer, size_t size)
{
	while (size) {
		ssize_t n = read(fd, buffer, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			die("agent: host is gone");
		buffer = (char *)buffer + n;
		size -= n;
	}
}

static void write_all(int fd, const void *buffer, size_t size)
{
	while (size) {
		ssize_t n = write(fd, buffer, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			die("agent: write");
		buffer = (const char *)buffer + n;
		size -= n;
	}
}

static void send_frame(struct agent *agent, char type, const void *buffer, uint32_t size)
{
	uint32_t length = htobe32(size);

	write_all(agent->port, &type, sizeof(type));
	write_all(agent->port, &length, sizeof(length));
	write_all(agent->port, buffer, size);
}

static void send_status(struct agent *agent, int status)
{
	char text[16];
	int size = snprintf(text, sizeof(text), "%d", status);

	send_frame(agent, 'X', text, size);
}

/* Find the port by its name: udev may not have made the link yet. */
static int open_port(void)
{
	static const char dir[] = "/sys/class/virtio-ports";
	struct dirent *entry;
	int port = -1;
	DIR *ports;

	ports = opendir(dir);
	if (!ports)
		die(dir);
	while (port < 0 && (entry = readdir(ports))) {
		char path[300], name[64] = "";
		FILE *file;

		snprintf(path, sizeof(path), "%s/%s/name", dir, entry->d_name);
		file = fopen(path, "re");
		if (!file)
			continue;
		if (fgets(name, sizeof(name), file) && !strcmp(name, PORT_NAME "\n")) {
			snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
			port = open(path, O_RDWR | O_CLOEXEC);
			if (port < 0)
				die(path);
		}
		fclose(file);
	}
	closedir(ports);
	if (port < 0) {
		fputs("agent: no port " PORT_NAME "\n", stderr);
		exit(1);
	}
	return port;
}

static int open_terminal(void)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (master < 0 || grantpt(master) || unlockpt(master))
		die("agent: terminal");
	return master;
}

static void start(struct agent *agent, const char *command, int terminal)
{
	int ends[2] = { -1, -1 };

	if (terminal)
		agent->output = open_terminal();
	else if (pipe2(ends, O_CLOEXEC))
		die("agent: pipe");

	agent->pid = fork();
	if (agent->pid < 0)
		die("agent: fork");
	if (!agent->pid) {
		int in, out;

		setsid();
		if (terminal) {
			in = open(ptsname(agent->output), O_RDWR);
			ioctl(in, TIOCSCTTY, 0);
			out = in;
		} else {
			in = open("/dev/null", O_RDONLY);
			out = ends[1];
		}
		dup2(in, STDIN_FILENO);
		dup2(out, STDOUT_FILENO);
		dup2(out, STDERR_FILENO);
		execl("/bin/bash", "bash", "-c", command, NULL);
		_exit(127);
	}
	if (!terminal) {
		close(ends[1]);
		agent->output = ends[0];
	}
	fcntl(agent->output, F_SETFL, O_NONBLOCK);
	agent->pidfd = syscall(SYS_pidfd_open, agent->pid, 0);
	if (agent->pidfd < 0)
		die("agent: pidfd");
}

/* False at the end of the output; a background child may keep it open. */
static int forward_output(struct agent *agent)
{
	ssize_t n = read(agent->output, data, FRAME_MAX);

	if (n > 0)
		send_frame(agent, 'O', data, n);
	return n > 0;
}

static void reap(struct agent *agent)
{
	int status;

	if (waitpid(agent->pid, &status, 0) != agent->pid)
		die("agent: waitpid");
	if (agent->output >= 0) {
		while (forward_output(agent))
			;
		close(agent->output);
	}
	close(agent->pidfd);
	agent->pid = 0;
	agent->pidfd = -1;
	agent->output = -1;
	send_status(agent, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

static void file_data(struct agent *agent, size_t size)
{
	if (size) {
		if (!agent->file_error && write(agent->file, data, size) != (ssize_t)size)
			agent->file_error = errno ?: ENOSPC;
		return;
	}
	if (agent->file >= 0 && close(agent->file) && !agent->file_error)
		agent->file_error = errno;
	agent->file = -1;
	send_status(agent, agent->file_error);
}

/* The innermost functions in which task @tid of process @pid waits. */
static void print_stack(FILE *to, const char *pid, const char *tid)
{
	char path[PATH_MAX], line[256];
	const char *before = ": ";
	FILE *stack;

	snprintf(path, sizeof(path), "/proc/%s/task/%s/stack", pid, tid);
	stack = fopen(path, "re");
	if (!stack)
		return;
	for (int depth = 0; depth < 5 && fgets(line, sizeof(line), stack); depth++) {
		char name[128];

		if (sscanf(line, "[<%*[^>]>] %127[^+\n]", name) == 1) {
			fprintf(to, "%s%s", before, name);
			before = " < ";
		}
	}
	fclose(stack);
}

static void print_task(FILE *to, const char *pid, const char *tid, int session)
{
	char path[PATH_MAX], text[512], *state;
	int its_session;
	FILE *stat;

	snprintf(path, sizeof(path), "/proc/%s/task/%s/stat", pid, tid);
	stat = fopen(path, "re");
	if (!stat)
		return;
	/* the name, in brackets, may hold anything */
	state = fgets(text, sizeof(text), stat) ? strrchr(text, ')') : NULL;
	fclose(stat);
	if (!state || sscanf(state, ") %*c %*d %*d %d", &its_session) != 1 ||
	    its_session != session)
		return;
	fprintf(to, "waits: %.*s %c", (int)(state + 1 - text), text, state[2]);
	print_stack(to, pid, tid);
	fprintf(to, "\n");
}

/* What a command that has not ended is waiting for. */
static void send_waits(struct agent *agent)
{
	char *text = NULL, path[PATH_MAX];
	size_t size = 0;
	struct dirent *process, *task;
	FILE *to = open_memstream(&text, &size);
	DIR *proc = opendir("/proc"), *tasks;

	if (!to || !proc)
		die("agent: /proc");
	while ((process = readdir(proc))) {
		snprintf(path, sizeof(path), "/proc/%s/task", process->d_name);
		tasks = process->d_name[0] <= '9' ? opendir(path) : NULL;
		while (tasks && (task = readdir(tasks)))
			print_task(to, process->d_name, task->d_name, agent->pid);
		if (tasks)
			closedir(tasks);
	}
	closedir(proc);
	fclose(to);
	if (size)
		send_frame(agent, 'O', text, size < FRAME_MAX ? size : FRAME_MAX);
	free(text);
}

static void resize(struct agent *agent)
{
	struct winsize size = {};

	if (sscanf(data, "%hu %hu", &size.ws_row, &size.ws_col) == 2)
		ioctl(agent->output, TIOCSWINSZ, &size);
}

static void handle_frame(struct agent *agent)
{
	uint32_t length;
	char type;

	read_all(agent->port, &type, sizeof(type));
	read_all(agent->port, &length, sizeof(length));
	length = be32toh(length);
	if (length > FRAME_MAX) {
		fputs("agent: frame too long\n", stderr);
		exit(1);
	}
	read_all(agent->port, data, length);
	data[length] = 0;

	switch (type) {
	case 'R':
	case 'T':
		start(agent, data, type == 'T');
		break;
	case 'I':
		if (agent->output >= 0)
			write_all(agent->output, data, length);
		break;
	case 'Z':
		resize(agent);
		break;
	case 'K':
		if (agent->pid) {
			send_waits(agent);
			kill(-agent->pid, SIGKILL);
		}
		break;
	case 'W':
		agent->file = open(data, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
		agent->file_error = agent->file < 0 ? errno : 0;
		break;
	case 'D':
		file_data(agent, length);
		break;
	}
}

int main(void)
{
	struct agent agent = { .file = -1, .pidfd = -1, .output = -1 };

	agent.port = open_port();
	send_frame(&agent, 'H', "", 0);
	for (;;) {
		struct pollfd fds[] = {
			{ .fd = agent.port, .events = POLLIN },
			{ .fd = agent.output, .events = POLLIN },
			{ .fd = agent.pidfd, .events = POLLIN },
		};

		if (poll(fds, 3, -1) < 0) {
			if (errno == EINTR)
				continue;
			die("agent: poll");
		}
		if (fds[1].revents && !forward_output(&agent)) {
			/* a terminal says EIO while nobody has it open */
			close(agent.output);
			agent.output = -1;
		}
		if (fds[2].revents)
			reap(&agent);
		if (fds[0].revents & POLLIN)
			handle_frame(&agent);
		else if (fds[0].revents & POLLHUP)
			die("agent: host is gone");
	}
}
