// SPDX-License-Identifier: GPL-2.0
/* What follows a move: its pages are counted again, later. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "after.h"
#include "client.h"
#include "job.h"
#include "json.h"
#include "migrate_request.h"
#include "preflight.h"
#include "text.h"

#define SEC_USEC	1000000ULL

/* What may have taken the pages back, in sentences. */
static json_t *causes;

static int fail(int code)
{
	return code == MIGCTL_OK ? MIGCTL_FAILED : code;
}

static int fail_count(int code, __u32 pid, int r)
{
	if (r == -ENOMEM)
		say_err("no memory to count the pages of process %u: name fewer processes", pid);
	else
		say_err("the pages of process %u cannot be counted (%s): run migctl as root", pid,
			strerror(-r));
	return fail(code);
}

static int fail_gone(int code)
{
	say_err("the processes exited before their pages were counted: nothing is known of them");
	return fail(code);
}

/* The processes of a group that have had a job, which are to be freed. */
static size_t members(const json_t *object, __u32 **ret)
{
	const json_t *all = json_object_get(object, "members"), *member;
	size_t nr = 0, i;

	*ret = calloc(json_array_size(all) + 1, sizeof(**ret));
	json_array_foreach(all, i, member)
		if (*ret && json_u64(member, "job"))
			(*ret)[nr++] = json_u64(member, "pid");
	return nr;
}

int after_begin(struct after *a, const struct request *q, const struct job *job,
		const json_t *object, int code)
{
	const __u32 *pids = q->target.pids;
	__u32 *of_group = NULL, pid = 0;
	size_t nr = q->target.nr_pids;
	int r;

	a->moved = job->moved;
	if (!q->recount_usec || !job->moved)
		return code;
	if (job_is_group(job)) {
		nr = members(object, &of_group);
		pids = of_group;
	}
	a->recount = (struct recount) {
		.root = "", .from = q->from, .to = q->to, .ranges = q->target.ranges,
		.nr_ranges = q->target.nr_ranges,
	};
	r = recount_begin(&a->recount, pids, nr, &pid);
	free(of_group);
	if (r < 0)
		return fail_count(code, pid, r);
	if (!a->recount.nr_processes)
		return fail_gone(code);
	a->waits = true;
	return code;
}

static __u64 now_usec(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * SEC_USEC + t.tv_nsec / 1000;
}

/* Returns whether it was interrupted; the next interrupt ends migctl. */
static bool wait_for(__u64 usec, __u64 *ret_waited)
{
	__u64 start = now_usec(), left;
	struct timespec timeout;
	sigset_t set;
	int signo;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	do {
		*ret_waited = now_usec() - start;
		left = *ret_waited < usec ? usec - *ret_waited : 0;
		timeout = (struct timespec) {
			.tv_sec = left / SEC_USEC, .tv_nsec = left % SEC_USEC * 1000,
		};
		signo = sigtimedwait(&set, NULL, &timeout);
		/* Stopped and continued: there may be time left. */
	} while (signo < 0 && errno == EINTR);
	*ret_waited = now_usec() - start;
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	return signo > 0;
}

static void on_cause(const char *sentence)
{
	say_warn("%s", sentence);
	json_array_append_new(causes, json_string(sentence));
}

static void find_causes(const struct recount *recount, const struct recount_result *result)
{
	struct preflight p = {
		.root = "", .from = recount->from, .to = recount->to, .on_warn = on_cause,
	};

	for (size_t i = 0; i < result->nr_culprits; i++) {
		p.pid = result->culprits[i];
		preflight_causes(&p);
	}
	if (!json_array_size(causes))
		on_cause("neither NUMA balancing nor a memory policy nor demotion explains what came back: find out who calls migrate_pages(2), as numad and migratepages(8) do");
}

static void print(const struct after *a, const struct recount_result *result, __u64 waited)
{
	char where[32] = "other nodes";

	if (a->recount.from >= 0)
		snprintf(where, sizeof(where), "node %d", a->recount.from);
	printf("  recount  after %s: %llu of %llu moved pages %s back on %s",
	       text_ns(waited * 1000).s, result->back, a->moved,
	       result->back == 1 ? "is" : "are", where);
	if (result->fresh)
		printf(", %llu %s new there", result->fresh, result->fresh == 1 ? "is" : "are");
	if (result->gone)
		printf("; %zu of %zu processes have exited", result->gone,
		       a->recount.nr_processes);
	putchar('\n');
	fflush(stdout);
}

static void add_json(json_t *object, const struct recount_result *result, __u64 waited,
		     bool interrupted)
{
	json_object_set_new(object, "recount",
			    json_pack("{s:I, s:b, s:I, s:I, s:I, s:O}",
				      "after_usec", (json_int_t)waited, "interrupted", interrupted,
				      "back", (json_int_t)result->back,
				      "new", (json_int_t)result->fresh,
				      "exited", (json_int_t)result->gone, "causes", causes));
}

int after_end(struct after *a, const struct request *q, json_t *object, int code)
{
	bool text = !q->quiet && !q->opts.json, interrupted;
	struct recount_result result;
	__u32 pid = 0;
	__u64 waited;
	int r;

	if (!a->waits)
		return code;
	if (text)
		printf("  recount  in %s; interrupt to count at once\n",
		       text_ns(q->recount_usec * 1000).s);
	fflush(stdout);
	interrupted = wait_for(q->recount_usec, &waited);
	r = recount_end(&a->recount, &result, &pid);
	if (r < 0)
		return fail_count(code, pid, r);
	if (result.gone == a->recount.nr_processes)
		return fail_gone(code);
	/* By chance the program itself may have freed there and taken here. */
	if (result.back > a->moved) {
		result.fresh += result.back - a->moved;
		result.back = a->moved;
	}
	if (text)
		print(a, &result, waited);
	causes = json_array();
	if (result.back)
		find_causes(&a->recount, &result);
	if (object)
		add_json(object, &result, waited, interrupted);
	json_decref(causes);
	return result.back && code == MIGCTL_OK ? MIGCTL_PARTLY : code;
}

void after_done(struct after *a)
{
	recount_done(&a->recount);
}
