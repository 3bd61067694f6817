/* SPDX-License-Identifier: GPL-2.0 */
/* The progress of one job: a bar on a terminal, plain lines elsewhere. */
#ifndef MIGCTL_PROGRESS_H
#define MIGCTL_PROGRESS_H

#include <stdbool.h>
#include <linux/types.h>

#include "text.h"

struct job;

enum progress_style {
	PROGRESS_NONE,
	PROGRESS_LINES,
	PROGRESS_BAR,
};

struct progress {
	enum progress_style style;
	bool started;
	bool drawn;		/* a bar is on the terminal's last line */
	unsigned int told;	/* LINES: last tenth told */
	__u64 handled;		/* most pages dealt with; each pass counts those left anew */
	__u64 first_usec, first_bytes;	/* at progress_start() */
	__u64 last_usec;	/* time and bytes of the last sample of the rate */
	__u64 last_bytes;
	double rate;		/* bytes/s, smoothed */
	char line[256];		/* BAR: what is drawn, to draw nothing twice */
};

/* A bar when stdout is a terminal that can draw one. */
enum progress_style progress_style_for_stdout(void);

void progress_start(struct progress *p, const struct job *job);
void progress_update(struct progress *p, const struct job *job);

/* A sentence on stderr that leaves the bar whole. */
__printf(3, 4) void progress_info(struct progress *p, const struct job *job,
				  const char *format, ...);

/* No more drawing; what is drawn stays. */
void progress_end(struct progress *p);

#endif /* MIGCTL_PROGRESS_H */
