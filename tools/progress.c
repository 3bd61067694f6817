// SPDX-License-Identifier: GPL-2.0
/* The progress of one job: a bar on a terminal, plain lines elsewhere. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "client.h"
#include "job.h"
#include "progress.h"

#define MIN_BAR		8
#define CLEAR_TO_END	"\033[K"

/* Samples closer together than this say more about scheduling than about the rate. */
#define RATE_SAMPLE_USEC	50000
#define RATE_WEIGHT		0.4

static __u64 now_usec(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000ULL + ts.tv_nsec / 1000;
}

enum progress_style progress_style_for_stdout(void)
{
	const char *term = getenv("TERM");

	if (!isatty(STDOUT_FILENO) || !term || !strcmp(term, "dumb"))
		return PROGRESS_LINES;
	return PROGRESS_BAR;
}

static unsigned int terminal_columns(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || !size.ws_col)
		return 80;
	return size.ws_col;
}

/* Has the job tried every page? It may have been of less than at the beginning. */
static bool is_through(const struct job *job)
{
	return job_is_done(job) && (!strcmp(job->outcome, "moved") ||
				    !strcmp(job->outcome, "partly") ||
				    !strcmp(job->outcome, "failed"));
}

static unsigned int percent(const struct progress *p, const struct job *job)
{
	/* The target may have given pages back since they were counted, or got new ones. */
	if (is_through(job) ||
	    (!job_is_group(job) && job->total && p->handled >= job->total))
		return 100;
	/* What its later processes have is not known yet. */
	if (job_is_group(job))
		return job->progress / 10;
	if (!job->total)
		return 0;
	return p->handled * 100 / job->total;
}

static void sample_rate(struct progress *p, const struct job *job)
{
	__u64 now = now_usec(), dt = now - p->last_usec;
	double rate;

	if (dt < RATE_SAMPLE_USEC || job->bytes < p->last_bytes)
		return;
	rate = (double)(job->bytes - p->last_bytes) * 1e6 / (double)dt;
	p->rate = p->rate > 0 ? p->rate * (1 - RATE_WEIGHT) + rate * RATE_WEIGHT : rate;
	p->last_usec = now;
	p->last_bytes = job->bytes;
}

/* The smoothed rate; before there is one, the mean. */
static double shown_rate(const struct progress *p, const struct job *job)
{
	__u64 dt = now_usec() - p->first_usec;

	if (p->rate > 0 || !dt)
		return p->rate;
	return (double)(job->bytes - p->first_bytes) * 1e6 / (double)dt;
}

/* "job 3 [#####.....]  52%  16384/32768 pages  812.4 MB/s  0:03", as the width allows. */
static void compose(const struct progress *p, const struct job *job, char *line, size_t size)
{
	unsigned int columns = terminal_columns(), sec = (now_usec() - p->first_usec) / 1000000;
	char parts[4][64], head[40], bar[160];
	unsigned int shown, used, room, full;

	snprintf(head, sizeof(head), "%s %llu ", job->kind->word, job->id);
	snprintf(parts[0], sizeof(parts[0]), "%3u%%", percent(p, job));
	if (!strcmp(job->state, "waiting"))
		snprintf(parts[1], sizeof(parts[1]), job_is_group(job) ?
			 "  waiting for its turn" : "  waiting for the daemon");
	else if (job->backed_off[0])
		snprintf(parts[1], sizeof(parts[1]), "  backs off: memory pressure");
	else if (job_is_group(job))
		snprintf(parts[1], sizeof(parts[1]), "  %u/%u processes", job->visited,
			 job->processes);
	else
		snprintf(parts[1], sizeof(parts[1]), "  %llu/%llu pages", p->handled,
			 job->total);
	snprintf(parts[2], sizeof(parts[2]), "  %s", text_rate(shown_rate(p, job)).s);
	snprintf(parts[3], sizeof(parts[3]), "  %u:%02u", sec / 60, sec % 60);

	/* The last column stays free: writing it wraps on some terminals. */
	room = columns > 1 ? columns - 1 : 0;
	if (room >= size)
		room = size - 1;
	for (shown = 4; shown > 1; shown--) {
		used = strlen(head) + 3;
		for (unsigned int i = 0; i < shown; i++)
			used += strlen(parts[i]);
		if (used + MIN_BAR <= room)
			break;
	}
	used = strlen(head) + 3;
	for (unsigned int i = 0; i < shown; i++)
		used += strlen(parts[i]);
	if (used + MIN_BAR > room) {
		snprintf(line, size, "%.*s", (int)room, parts[0]);
		return;
	}
	room -= used;
	if (room >= sizeof(bar))
		room = sizeof(bar) - 1;
	full = room * percent(p, job) / 100;
	memset(bar, '#', full);
	memset(bar + full, '.', room - full);
	bar[room] = '\0';
	snprintf(line, size, "%s[%s] %s%s%s%s", head, bar, parts[0], shown > 1 ? parts[1] : "",
		 shown > 2 ? parts[2] : "", shown > 3 ? parts[3] : "");
}

static void draw(struct progress *p, const struct job *job)
{
	char line[sizeof(p->line)];

	compose(p, job, line, sizeof(line));
	if (p->drawn && !strcmp(line, p->line))
		return;
	text_copy(p->line, sizeof(p->line), line);
	/* Overwrite, then clear what is left of a longer line: nothing flickers. */
	printf("\r%s" CLEAR_TO_END, line);
	fflush(stdout);
	p->drawn = true;
}

void progress_start(struct progress *p, const struct job *job)
{
	char subject[256];

	p->started = true;
	p->first_usec = now_usec();
	p->last_usec = p->first_usec;
	p->first_bytes = job->bytes;
	p->last_bytes = job->bytes;
	if (p->style == PROGRESS_NONE)
		return;
	job_subject(job, subject, sizeof(subject));
	printf("%s %llu: moving %s, %s, engine %s\n", job->kind->word, job->id, subject, job->order,
	       job->engine);
	fflush(stdout);
	progress_update(p, job);
}

void progress_update(struct progress *p, const struct job *job)
{
	unsigned int tenth;

	if (!p->started)
		return;
	if (job_handled(job) > p->handled)
		p->handled = job_handled(job);
	sample_rate(p, job);
	if (p->style == PROGRESS_BAR)
		draw(p, job);
	tenth = percent(p, job) / 10;
	if (p->style != PROGRESS_LINES || tenth <= p->told)
		return;
	p->told = tenth;
	if (job_is_group(job))
		printf("group %llu: %u%%, %u of %u processes, %llu pages moved, %s\n", job->id,
		       percent(p, job), job->visited, job->processes, job->moved,
		       text_rate(shown_rate(p, job)).s);
	else
		printf("job %llu: %u%%, %llu of %llu pages, %s%s\n", job->id, percent(p, job),
		       p->handled, job->total, text_rate(shown_rate(p, job)).s,
		       job->backed_off[0] ? ", backs off: memory pressure" : "");
	fflush(stdout);
}

void progress_info(struct progress *p, const struct job *job, const char *format, ...)
{
	char line[512];
	va_list ap;

	va_start(ap, format);
	vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	if (p->drawn) {
		printf("\r" CLEAR_TO_END);
		fflush(stdout);
		p->drawn = false;
	}
	say_err("%s", line);
	if (p->started && p->style == PROGRESS_BAR)
		draw(p, job);
}

void progress_end(struct progress *p)
{
	if (p->drawn) {
		putchar('\n');
		fflush(stdout);
	}
	p->drawn = false;
	p->started = false;
}
