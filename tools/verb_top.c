// SPDX-License-Identifier: GPL-2.0
/* migctl top: everything, as it changes, on a whole screen. */
#include <curses.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <systemd/sd-event.h>
#include <term.h>
#include <time.h>
#include <unistd.h>

#include "client.h"
#include "json.h"
#include "migctl.h"
#include "text.h"
#include "top.h"

static const char help[] =
	"Usage: migctl top [OPTION...]\n\n"
	"Show the jobs, the engines with what they copy now, the nodes and the blackout, on\n"
	"the whole terminal, until q is pressed.\n\n"
	"  -d, --delay TIME  between two looks, 1s by default, 100ms at least\n"
	"      --no-start    fail when the daemon does not run\n"
	"  -h, --help        this text\n";

#define DELAY_MIN	100000

/*
 * struct view - the context of the verb
 *
 * @asked:	an answer is on its way
 * @delay:	between two looks, in us
 */
struct view {
	struct client client;
	sd_event *event;
	sd_event_source *timer;
	struct top top;
	bool asked;
	__u64 delay;
};

/* struct page - what is drawn, and how many lines found no room */
struct page {
	int row, below;
};

static __u64 now_usec(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000ULL + ts.tv_nsec / 1000;
}

static void draw_line(void *arg, const char *line, bool title)
{
	struct page *page = arg;

	/* The last row says how to leave. */
	if (page->row >= LINES - 1) {
		page->below++;
		return;
	}
	if (title)
		attron(A_REVERSE);
	mvaddnstr(page->row++, 0, line, COLS);
	if (title) {
		/* the title goes on to the margin */
		for (int column = strlen(line); column < COLS; column++)
			addch(' ');
		attroff(A_REVERSE);
	}
}

static void draw(const struct view *v)
{
	struct page page = { };

	erase();
	top_tell(&v->top, draw_line, &page);
	if (page.below)
		mvprintw(LINES - 1, 0, "q quits; %d lines more than fit", page.below);
	else
		mvaddnstr(LINES - 1, 0, "q quits", COLS);
	refresh();
}

static int on_described(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	const sd_bus_error *e = sd_bus_message_get_error(m);
	struct view *v = userdata;
	json_t *all = NULL;
	const char *text;
	int r;

	v->asked = false;
	r = e ? 0 : sd_bus_message_read(m, "s", &text);
	if (!e && r >= 0)
		all = json_loads(text, 0, NULL);
	if (all)
		top_take(&v->top, all, now_usec());
	else
		client_explain(e, r < 0 ? r : -EBADMSG, v->top.why, sizeof(v->top.why));
	draw(v);
	return 0;
}

/* Never two questions at once: a daemon that is slow is asked less often. */
static int ask(struct view *v)
{
	sd_bus_message *m = NULL;
	int r;

	if (v->asked)
		return 0;
	r = client_new_call(&v->client, BUS_ROOT, IFACE_MANAGER, "Describe", &m);
	if (r >= 0)
		r = sd_bus_call_async(v->client.bus, NULL, m, on_described, v, 0);
	sd_bus_message_unref(m);
	v->asked = r >= 0;
	return r;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct view *v = userdata;
	int r;

	r = ask(v);
	return r < 0 ? r : sd_event_source_set_time_relative(source, v->delay);
}

static int on_key(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct view *v = userdata;
	int key;

	while ((key = getch()) != ERR)
		if (key == 'q' || key == 'Q')
			return sd_event_exit(v->event, MIGCTL_OK);
	/* The terminal is gone. */
	if (revents & (EPOLLHUP | EPOLLERR))
		return sd_event_exit(v->event, MIGCTL_OK);
	return 0;
}

static int on_resize(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
	struct winsize size;

	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_row && size.ws_col)
		resizeterm(size.ws_row, size.ws_col);
	draw(userdata);
	return 0;
}

static int on_disconnected(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct view *v = userdata;

	return sd_event_exit(v->event, -ECONNRESET);
}

static int add_signals(struct view *v)
{
	static const int ends[] = { SIGINT, SIGTERM, SIGHUP };
	sigset_t set;
	int r;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
		sigaddset(&set, ends[i]);
	sigaddset(&set, SIGWINCH);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		r = sd_event_add_signal(v->event, NULL, ends[i], NULL, NULL);
		if (r < 0)
			return r;
	}
	return sd_event_add_signal(v->event, NULL, SIGWINCH, on_resize, v);
}

static int add_sources(struct view *v)
{
	static const struct client_match matches[] = {
		{ DISCONNECTED_RULE, on_disconnected },
		{ NULL, NULL }
	};
	int r;

	r = sd_event_new(&v->event);
	if (r >= 0)
		r = add_signals(v);
	if (r >= 0)
		r = client_add_matches(&v->client, matches, v);
	if (r >= 0)
		r = sd_bus_attach_event(v->client.bus, v->event, SD_EVENT_PRIORITY_NORMAL);
	if (r >= 0)
		r = sd_event_add_io(v->event, NULL, STDIN_FILENO, EPOLLIN, on_key, v);
	if (r >= 0)
		r = sd_event_add_time_relative(v->event, &v->timer, CLOCK_MONOTONIC, v->delay, 0,
					       on_timer, v);
	return r < 0 ? r : sd_event_source_set_enabled(v->timer, SD_EVENT_ON);
}

/* The screen is ours between here and endwin(): nothing else is printed. */
static int show(struct view *v)
{
	SCREEN *screen = NULL;
	int r, known;

	/* Asked first: newterm() keeps what it has when it fails. */
	if (setupterm(NULL, STDOUT_FILENO, &known) == OK) {
		del_curterm(cur_term);
		screen = newterm(NULL, stdout, stdin);
	}
	if (!screen) {
		say_err("the terminal '%s' is not one that a screen can be drawn on: set TERM, or use `migctl monitor`",
			getenv("TERM") ?: "");
		return MIGCTL_FAILED;
	}
	cbreak();
	noecho();
	nodelay(stdscr, TRUE);
	curs_set(0);
	draw(v);
	r = sd_event_loop(v->event);
	endwin();
	delscreen(screen);
	return r < 0 ? client_fail(NULL, r) : r;
}

static int parse(struct opts *opts, struct view *v, int argc, char **argv)
{
	static const struct option options[] = {
		{ "delay", required_argument, NULL, 'd' },
		OPTS_HELP, OPTS_NO_START, OPTS_END,
	};
	int c, r;

	optind = 0;
	while ((c = getopt_long(argc, argv, ":d:h", options, NULL)) >= 0) {
		if (c == 'd') {
			if (parse_usec(optarg, &v->delay) < 0 || v->delay < DELAY_MIN) {
				say_err("--delay '%s' is no time of 100ms or more: give it with its unit, such as 500ms or 2s",
					optarg);
				return MIGCTL_USAGE;
			}
			continue;
		}
		r = opts_common(opts, c, argv);
		if (r != OPTS_GO_ON)
			return r;
	}
	return OPTS_GO_ON;
}

int verb_top(int argc, char **argv)
{
	struct opts opts = { .verb = "top", .help = help };
	struct view v = { .delay = 1000000 };
	json_t *all = NULL;
	int code, r;

	code = parse(&opts, &v, argc, argv);
	if (code != OPTS_GO_ON)
		return code;
	code = opts_no_more(&opts, argc, argv);
	if (code != OPTS_GO_ON)
		return code;
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
		say_err("top draws on a terminal, and this is none: use `migctl jobs`, `engines` and `stats`, or `migctl monitor`");
		return MIGCTL_USAGE;
	}
	code = client_open(&v.client, &opts);
	if (code != MIGCTL_OK)
		return code;
	/* Before the screen is taken, so that a refusal is read. */
	code = client_manager_json(&v.client, "Describe", &all);
	if (code != MIGCTL_OK)
		goto out;
	top_take(&v.top, all, now_usec());
	/* One that is stopped from now on is not started by being looked at. */
	v.client.no_start = true;
	r = add_sources(&v);
	code = r < 0 ? client_fail(NULL, r) : show(&v);
	sd_bus_detach_event(v.client.bus);
out:
	sd_event_source_disable_unref(v.timer);
	sd_event_unref(v.event);
	top_done(&v.top);
	client_close(&v.client);
	return code;
}
