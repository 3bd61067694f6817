// SPDX-License-Identifier: GPL-2.0
/* Telling a job to people. */
#include <stdio.h>
#include <string.h>

#include "client.h"
#include "job.h"
#include "table.h"
#include "text.h"

void job_subject(const struct job *job, char *line, size_t size)
{
	int n;

	if (!job_is_group(job))
		n = snprintf(line, size, "process %u (%s) from ", job->pid, job->comm);
	else if (!strcmp(job->target_kind, "processes"))
		n = snprintf(line, size, "%u processes from ", job->processes);
	else
		n = snprintf(line, size, "%s %s (%u process%s) from ", job->target_kind,
			     job->target, job->processes, job->processes == 1 ? "" : "es");
	if (n < 0 || (size_t)n >= size)
		return;
	if (job->from < 0)
		snprintf(line + n, size - n, "every other node to node %d", job->to);
	else
		snprintf(line + n, size - n, "node %d to node %d", job->from, job->to);
}

static const char *outcome_words(const struct job *job)
{
	static const struct {
		const char *outcome, *words;
	} table[] = {
		{ "moved", "moved" },
		{ "partly", "moved only a part" },
		{ "failed", "moved nothing" },
		{ "cancelled", "was cancelled" },
		{ "target-gone", "ended because the process exited or replaced its memory" },
		{ "server-lost", "ended because the daemon died and none came back in time" },
		{ "unknown", "ended while the daemon could not listen, so how is not known" },
	};

	if (job_is_group(job) && !strcmp(job->outcome, "target-gone"))
		return "ended because its processes exited";
	if (!strcmp(job->outcome, "moved") && !job->moved && !job_left(job))
		return "found nothing to move";
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (!strcmp(job->outcome, table[i].outcome))
			return table[i].words;
	return job->outcome;
}

static void print_left(const struct job *job)
{
	static const char *const titles[] = { ">PAGES", "REASON", "MEANING", "WHAT TO DO" };
	struct table t = TABLE(titles);

	if (!job->nr_left)
		return;
	printf("  left     %llu pages:\n", job_left(job));
	for (unsigned int i = 0; i < job->nr_left; i++) {
		table_add(&t, "%13llu", job->left[i].pages);
		table_add(&t, "%s", job->left[i].reason);
		table_add(&t, "%s", reason_meaning(job->left[i].reason));
		table_add(&t, "%s", reason_advice(job->left[i].reason));
	}
	if (table_print(&t, false) < 0)
		say_err("no memory for the table of reasons: see `migctl %s %llu`",
			job->kind->verb, job->id);
}

static void print_left_out(const struct job *job)
{
	static const char *const titles[] = { ">PROCESSES", "REASON", "MEANING", "WHAT TO DO" };
	struct table t = TABLE(titles);
	__u64 processes = 0;

	for (unsigned int i = 0; i < job->nr_left_out; i++) {
		processes += job->left_out[i].pages;
		table_add(&t, "%13llu", job->left_out[i].pages);
		table_add(&t, "%s", job->left_out[i].reason);
		table_add(&t, "%s", left_out_meaning(job->left_out[i].reason));
		table_add(&t, "%s", left_out_advice(job->left_out[i].reason));
	}
	if (job->nr_left_out)
		printf("  without  %llu processes:\n", processes);
	if (table_print(&t, false) < 0)
		say_err("no memory for the table of processes: see `migctl groups %llu`", job->id);
	if (job->why[0])
		printf("  the first: %s\n", job->why);
}

static void print_hist(const char *name, const struct hist *h)
{
	if (!h->count)
		return;
	printf("  %-8s p50 %s, p99 %s, p99.9 %s, max %s (%llu times)\n", name, text_ns(h->p50).s,
	       text_ns(h->p99).s, text_ns(h->p999).s, text_ns(h->max).s, h->count);
}

/* Those of several jobs have no common median. */
static void print_blackout(const struct job *job)
{
	print_hist("blackout", &job->blackout);
	if (job->blackout_max)
		printf("  blackout max %s\n", text_ns(job->blackout_max).s);
}

static void print_moved(const struct job *job)
{
	printf("  moved    %llu of %llu pages, %s", job->moved, job->total,
	       text_bytes(job->bytes).s);
	if (job->elapsed_usec)
		printf(" in %s, %s", text_ns(job->elapsed_usec * 1000).s,
		       text_rate((double)job->bytes * 1e6 / (double)job->elapsed_usec).s);
	putchar('\n');
	if (job->routed)
		printf("  whole    %llu of them, in large folios or with tags, by move_pages(2)\n",
		       job->routed);
	if (job->rescued)
		printf("  rescued  %llu of %llu batches (ended by the kernel, see migctl(1))\n",
		       job->rescued, job->batches);
}

static void print_work(const struct job *job)
{
	if (!job->work_ns || !job->elapsed_usec)
		return;
	printf("  work     %s of CPU time in the kernel, %.1f%% of a CPU",
	       text_ns(job->work_ns).s,
	       (double)job->work_ns / 10.0 / (double)job->elapsed_usec);
	if (job->nice)
		printf(", nice %llu", job->nice);
	putchar('\n');
}

void job_print_summary(const struct job *job)
{
	char subject[256];

	job_subject(job, subject, sizeof(subject));
	printf("%s %llu %s: %s\n", job->kind->word, job->id, outcome_words(job), subject);
	print_moved(job);
	print_left(job);
	print_left_out(job);
	print_blackout(job);
	fflush(stdout);
}

void job_print_detail(const struct job *job)
{
	char subject[256];

	job_subject(job, subject, sizeof(subject));
	printf("%s %llu: %s\n", job->kind->word, job->id, subject);
	printf("  state    %s%s%s\n", job->state, job->outcome[0] ? ", outcome " : "",
	       job->outcome);
	if (job->backed_off[0] && !job_is_done(job))
		printf("  slower   memory pressure of the %s: it backs off, see migd.conf(5)\n",
		       job->backed_off);
	printf("  order    %s\n", job->order);
	printf("  engine   %s\n", job->engine);
	print_moved(job);
	print_work(job);
	printf("  batches  %llu in %u passes\n", job->batches, job->passes);
	if (job_is_group(job))
		printf("  visited  %u of %u processes\n", job->visited, job->processes);
	print_left(job);
	print_left_out(job);
	print_hist("lock", &job->lock);
	print_hist("copy", &job->copy);
	print_hist("commit", &job->commit);
	print_blackout(job);
}
