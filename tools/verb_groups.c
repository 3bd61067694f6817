// SPDX-License-Identifier: GPL-2.0
/* migctl groups: the groups, one of them, or the end of one. */
#include <stdio.h>
#include <string.h>

#include "client.h"
#include "job.h"
#include "json.h"
#include "migctl.h"
#include "table.h"

static const char help[] =
	"Usage: migctl groups [ID | cancel ID] [OPTION...]\n\n"
	"List the groups, which are the moves of several processes as one, or show group\n"
	"ID with the reasons for which pages and processes were left; cancel it.\n\n"
	"      --json       print JSON\n"
	"      --no-legend  leave out the first line of the table\n"
	"      --no-start   fail when the daemon does not run\n"
	"  -h, --help       this text\n";

static void add_group(struct table *t, const struct job *group)
{
	table_add(t, "%llu", group->id);
	table_add(t, "%s", group->target);
	table_add(t, "%s", text_node(group->from).s);
	table_add(t, "%d", group->to);
	table_add(t, "%s", group->state);
	table_add(t, "%s", group->outcome);
	table_add(t, "%u/%u", group->visited, group->processes);
	table_add(t, "%llu", group->moved);
	table_add(t, "%llu", job_left(group));
	table_add(t, "%s", text_ns(group->elapsed_usec * 1000).s);
}

static int print_table(const json_t *groups, bool legend)
{
	static const char *const titles[] = {
		">ID", "TARGET", ">FROM", ">TO", "STATE", "OUTCOME", ">VISITED", ">MOVED",
		">LEFT", ">TIME",
	};
	struct table t = TABLE(titles);
	const json_t *object;
	size_t i;

	json_array_foreach(groups, i, object) {
		struct job group = { .kind = &kind_group };

		job_read_json(&group, object);
		add_group(&t, &group);
	}
	return table_print(&t, legend);
}

static int show_all(struct client *c, const struct opts *opts)
{
	json_t *all, *groups;
	int code;

	code = client_manager_json(c, "Describe", &all);
	if (code != MIGCTL_OK)
		return code;
	groups = json_object_get(all, "groups");
	if (opts->json) {
		json_print(groups);
	} else if (print_table(groups, !opts->no_legend) < 0) {
		say_err("no memory for the table: try again");
		code = MIGCTL_FAILED;
	}
	json_decref(all);
	return code;
}

static int show_one(struct client *c, const struct opts *opts, __u64 id)
{
	struct job group = { .kind = &kind_group };
	json_t *object;
	int code;

	code = client_job_json(c, &kind_group, id, &object);
	if (code != MIGCTL_OK)
		return code;
	if (opts->json) {
		json_print(object);
	} else {
		job_read_json(&group, object);
		job_print_detail(&group);
	}
	json_decref(object);
	return code;
}

static int cancel(struct client *c, const struct opts *opts, __u64 id)
{
	int code = client_cancel(c, &kind_group, id);

	if (code != MIGCTL_OK)
		return code;
	if (opts->json)
		return show_one(c, opts, id);
	printf("group %llu is being cancelled\n", id);
	return code;
}

int verb_groups(int argc, char **argv)
{
	int (*act)(struct client *c, const struct opts *opts, __u64 id) = NULL;
	struct opts opts = { .verb = "groups", .help = help };
	struct client client = { };
	__u64 id = 0;
	int code;

	code = opts_parse_table(&opts, argc, argv);
	if (code != OPTS_GO_ON)
		return code;
	if (optind < argc && !strcmp(argv[optind], "cancel")) {
		act = cancel;
		if (++optind == argc) {
			say_err("which group? Give the id that `migctl groups` shows");
			return MIGCTL_USAGE;
		}
	} else if (optind < argc) {
		act = show_one;
	}
	if (act) {
		code = client_parse_job(argv[optind++], &kind_group, &id);
		if (code != MIGCTL_OK)
			return code;
	}
	code = client_open_args(&client, &opts, argc, argv);
	if (code != MIGCTL_OK)
		return code;
	code = act ? act(&client, &opts, id) : show_all(&client, &opts);
	client_close(&client);
	return code;
}
