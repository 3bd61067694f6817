// SPDX-License-Identifier: GPL-2.0
/* migctl migrate: move the memory of a process, or of several. */
#include <stdio.h>
#include <string.h>

#include "after.h"
#include "bind.h"
#include "client.h"
#include "dry_run.h"
#include "follow.h"
#include "json.h"
#include "migctl.h"
#include "migrate_request.h"
#include "preflight.h"
#include "target.h"
#include "text.h"

static int append_ranges(const struct request *q, sd_bus_message *m)
{
	int r;

	r = sd_bus_message_open_container(m, 'e', "sv");
	if (r >= 0)
		r = sd_bus_message_append(m, "s", "ranges");
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'v', "a(tt)");
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'a', "(tt)");
	for (size_t i = 0; r >= 0 && i < q->target.nr_ranges; i++)
		r = sd_bus_message_append(m, "(tt)", q->target.ranges[i].start,
					  q->target.ranges[i].end);
	for (unsigned int depth = 0; r >= 0 && depth < 3; depth++)
		r = sd_bus_message_close_container(m);
	return r;
}

/* The method for the target, and its first argument. */
static int new_call_for(const struct target *t, struct client *c, sd_bus_message **ret)
{
	int r;

	r = client_new_call(c, BUS_ROOT, IFACE_MANAGER, t->unit ? "MigrateUnit" :
			    t->cgroup ? "MigrateCgroup" :
			    target_is_group(t) ? "MigrateProcesses" : "MigrateProcess", ret);
	if (r < 0)
		return r;
	if (t->unit || t->cgroup)
		return sd_bus_message_append(*ret, "s", t->unit ? t->unit : t->cgroup);
	if (!target_is_group(t))
		return sd_bus_message_append(*ret, "u", t->pids[0]);
	return sd_bus_message_append_array(*ret, 'u', t->pids, t->nr_pids * sizeof(*t->pids));
}

/* The call with the options that were given; what was not is the policy's. */
static int new_call(const struct request *q, struct client *c, sd_bus_message **ret)
{
	sd_bus_message *m = NULL;
	int r;

	r = new_call_for(&q->target, c, &m);
	if (r >= 0)
		r = sd_bus_message_append(m, "ii", q->from, q->to);
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'a', "{sv}");
	if (r >= 0 && q->order)
		r = sd_bus_message_append(m, "{sv}", "order", "s", q->order);
	if (r >= 0 && q->engine)
		r = sd_bus_message_append(m, "{sv}", "engine", "s", q->engine);
	if (r >= 0 && q->batch_pages)
		r = sd_bus_message_append(m, "{sv}", "batch-pages", "u", q->batch_pages);
	if (r >= 0 && q->deadline_usec)
		r = sd_bus_message_append(m, "{sv}", "deadline-us", "u", (__u32)q->deadline_usec);
	if (r >= 0 && q->has_max_rate)
		r = sd_bus_message_append(m, "{sv}", "max-rate", "t", q->max_rate);
	if (r >= 0 && q->nice)
		r = sd_bus_message_append(m, "{sv}", "nice", "u", q->nice);
	if (r >= 0 && q->leave_large)
		r = sd_bus_message_append(m, "{sv}", "leave-large", "b", 1);
	if (r >= 0 && q->target.nr_ranges)
		r = append_ranges(q, m);
	if (r >= 0 && q->verify)
		r = sd_bus_message_append(m, "{sv}", "verify", "b", 1);
	if (r >= 0 && q->atomic)
		r = sd_bus_message_append(m, "{sv}", "atomic", "b", 1);
	if (r >= 0)
		r = sd_bus_message_close_container(m);
	if (r < 0)
		sd_bus_message_unref(m);
	else
		*ret = m;
	return r;
}

/* The last word on a job: its summary, or what is to be printed as JSON. */
static int report(const struct request *q, struct follow *f, json_t **ret, int code)
{
	if (q->no_block && !q->opts.json) {
		if (!q->quiet)
			printf("%llu\nwatch it with `migctl %s %llu` or `migctl monitor`\n",
			       f->job.id, f->job.kind->verb, f->job.id);
		return code;
	}
	if (q->quiet && !q->opts.json && !q->recount_usec)
		return code;
	if (client_job_json(f->client, f->job.kind, f->job.id, ret) != MIGCTL_OK) {
		*ret = NULL;
		if (q->opts.json)
			code = code ? code : MIGCTL_FAILED;
	} else {
		job_read_json(&f->job, *ret);
	}
	/* Without the details the outcome is still known. */
	if (!q->opts.json && !q->quiet)
		job_print_summary(&f->job);
	return code;
}

static void say_group_outcome(const struct job *group, int code)
{
	if (!strcmp(group->outcome, "target-gone"))
		say_err("all processes of group %llu exited: nothing is left to move", group->id);
	else if (code == MIGCTL_FAILED)
		say_err("group %llu moved no page though there were some: `migctl groups %llu` tells why for each reason",
			group->id, group->id);
}

static void say_outcome(const struct job *job, int code)
{
	if (job_is_group(job))
		say_group_outcome(job, code);
	else if (!strcmp(job->outcome, "server-lost"))
		say_err("job %llu lost its daemon and moved %llu of %llu pages: see `journalctl -u migd`, then migrate again",
			job->id, job->moved, job->total);
	else if (!strcmp(job->outcome, "target-gone"))
		say_err("process %u exited or replaced its memory: nothing is left to move",
			job->pid);
	else if (!strcmp(job->outcome, "unknown"))
		say_err("job %llu ended while the daemon could not listen: /proc/%u/numa_maps shows where its pages are; migrate again if they should move",
			job->id, job->pid);
	else if (code == MIGCTL_FAILED)
		say_err("job %llu moved no page though there were some: `migctl jobs %llu` tells why for each reason",
			job->id, job->id);
}

static void on_warn(const char *sentence)
{
	say_warn("%s", sentence);
}

static void on_err(const char *sentence)
{
	say_err("%s", sentence);
}

/* What forbids the move of a unit or a cgroup is for the daemon to tell. */
static int look_ahead(const struct request *q, struct client *c)
{
	struct preflight p = {
		.root = "", .from = q->from, .to = q->to, .verbose = q->verbose,
		.on_warn = on_warn, .on_err = on_err,
	};
	int r = 0;

	/* What could be looked at is on that machine: the daemon checks. */
	if (client_host())
		return 0;
	if (!q->target.nr_pids)
		dry_run_warn(&q->target, c, q->from, q->to, q->verbose);
	for (size_t i = 0; i < q->target.nr_pids && r >= 0; i++) {
		p.pid = q->target.pids[i];
		r = preflight_run(&p);
	}
	return r;
}

/* What else is asked for when the job has ended. */
static int follow_up(const struct request *q, struct follow *f, const struct bind *bind,
		     struct after *after, json_t *object, int code)
{
	bool well = code == MIGCTL_OK, bound = false;
	int r;

	/* Before the kernel moves more by itself, as it does when a unit is bound. */
	if (!f->interrupts)
		code = after_begin(after, q, &f->job, object, code);
	if (!bind->unit)
		return code;
	if (well) {
		r = bind_unit(bind, f->client, !q->quiet && !q->opts.json);
		bound = r == MIGCTL_OK;
		code = bound ? code : r;
	} else {
		bind_say_not(bind);
	}
	if (object)
		bind_add_json(bind, object, bound);
	return code;
}

static int run(const struct request *q, struct client *c, const struct bind *bind,
	       struct after *after, json_t **ret)
{
	struct follow f = { .client = c, .job.kind = q->kind, .no_block = q->no_block,
			    .away_usec = q->away_usec };
	sd_bus_message *call = NULL;
	int r, code;

	if (!q->quiet && !q->opts.json && !q->no_block)
		f.progress.style = progress_style_for_stdout();
	r = new_call(q, c, &call);
	if (r >= 0)
		r = follow_init(&f);
	if (r < 0) {
		code = client_fail(NULL, r);
		goto out;
	}
	code = follow_run(&f, call);
	if (f.lost)
		goto out;
	code = report(q, &f, ret, code);
	if (!q->no_block && !f.interrupts)
		say_outcome(&f.job, code);
	if (!q->no_block)
		code = follow_up(q, &f, bind, after, *ret, code);
out:
	sd_bus_message_unref(call);
	follow_done(&f);
	return code;
}

static int act(const struct request *q, struct client *c, struct after *after, json_t **ret)
{
	struct bind bind = { .unit = q->bind ? q->target.unit : NULL, .node = q->to };
	int code;

	code = q->bind ? bind_check(&bind, "", c) : MIGCTL_OK;
	if (code != MIGCTL_OK)
		return code;
	if (q->dry_run)
		return dry_run(&q->target, c, q->from, q->to, q->opts.json);
	if (look_ahead(q, c) < 0)
		return MIGCTL_FAILED;
	return run(q, c, &bind, after, ret);
}

int verb_migrate(int argc, char **argv)
{
	struct request q = { .opts.verb = "migrate" };
	struct client client = { };
	struct after after = { };
	json_t *object = NULL;
	int code;

	code = migrate_request_parse(&q, argc, argv);
	if (code != OPTS_GO_ON)
		goto out;
	code = client_open(&client, &q.opts);
	if (code != MIGCTL_OK)
		goto out;
	code = act(&q, &client, &after, &object);
	client_close(&client);
	/* Without the bus, whose signals nobody reads meanwhile. */
	code = after_end(&after, &q, object, code);
	if (q.opts.json && object)
		json_print(object);
out:
	json_decref(object);
	after_done(&after);
	migrate_request_done(&q);
	return code;
}
