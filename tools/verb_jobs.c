// SPDX-License-Identifier: GPL-2.0
/* migctl jobs: the jobs, or one of them. */

#include "client.h"
#include "job.h"
#include "json.h"
#include "migctl.h"
#include "table.h"

static const char help[] =
	"Usage: migctl jobs [ID] [OPTION...]\n\n"
	"List the jobs that run and the last ones that ended, or show job ID with the\n"
	"reasons for which pages were left, and its times.\n\n"
	"      --json       print JSON\n"
	"      --no-legend  leave out the first line of the table\n"
	"      --no-start   fail when the daemon does not run\n"
	"  -h, --help       this text\n";

static void add_job(struct table *t, const struct job *job)
{
	table_add(t, "%llu", job->id);
	table_add(t, "%u", job->pid);
	table_add(t, "%s", job->comm);
	table_add(t, "%s", text_node(job->from).s);
	table_add(t, "%d", job->to);
	table_add(t, "%s", job->order);
	table_add(t, "%s", job->engine);
	table_add(t, "%s", job_state(job));
	table_add(t, "%s", job->outcome);
	table_add(t, "%llu", job->total);
	table_add(t, "%llu", job->moved);
	table_add(t, "%llu", job_left(job));
	table_add(t, "%s", text_ns(job->elapsed_usec * 1000).s);
}

static int print_table(const json_t *jobs, bool legend)
{
	static const char *const titles[] = {
		">ID", ">PID", "COMM", ">FROM", ">TO", "ORDER", "ENGINE", "STATE", "OUTCOME",
		">TOTAL", ">MOVED", ">LEFT", ">TIME",
	};
	struct table t = TABLE(titles);
	const json_t *object;
	size_t i;

	json_array_foreach(jobs, i, object) {
		struct job job = { .kind = &kind_job };

		job_read_json(&job, object);
		add_job(&t, &job);
	}
	return table_print(&t, legend);
}

static int show_all(struct client *c, const struct opts *opts)
{
	json_t *all, *jobs;
	int code;

	code = client_manager_json(c, "Describe", &all);
	if (code != MIGCTL_OK)
		return code;
	jobs = json_object_get(all, "jobs");
	if (opts->json) {
		json_print(jobs);
	} else if (print_table(jobs, !opts->no_legend) < 0) {
		say_err("no memory for the table: try again");
		code = MIGCTL_FAILED;
	}
	json_decref(all);
	return code;
}

static int show_one(struct client *c, const struct opts *opts, __u64 id)
{
	struct job job = { .kind = &kind_job };
	json_t *object;
	int code;

	code = client_job_json(c, &kind_job, id, &object);
	if (code != MIGCTL_OK)
		return code;
	if (opts->json) {
		json_print(object);
	} else {
		job_read_json(&job, object);
		job_print_detail(&job);
	}
	json_decref(object);
	return code;
}

int verb_jobs(int argc, char **argv)
{
	struct opts opts = { .verb = "jobs", .help = help };
	struct client client = { };
	bool one = false;
	__u64 id = 0;
	int code;

	code = opts_parse_table(&opts, argc, argv);
	if (code != OPTS_GO_ON)
		return code;
	if (optind < argc) {
		code = client_parse_job(argv[optind++], &kind_job, &id);
		if (code != MIGCTL_OK)
			return code;
		one = true;
	}
	code = client_open_args(&client, &opts, argc, argv);
	if (code != MIGCTL_OK)
		return code;
	code = one ? show_one(&client, &opts, id) : show_all(&client, &opts);
	client_close(&client);
	return code;
}
