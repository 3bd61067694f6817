// SPDX-License-Identifier: GPL-2.0
/* migctl status: what migd is, and whether it is ready. */
#include <stdio.h>
#include <string.h>

#include "client.h"
#include "json.h"
#include "migctl.h"
#include "ready.h"
#include "text.h"

static const char help[] =
	"Usage: migctl status [OPTION...]\n\n"
	"Show the versions of the daemon and the module, whether they are ready and if\n"
	"not why, the engines, how many jobs and groups there are, and the nodes with\n"
	"memory.\n\n"
	"      --json      print everything the daemon knows as JSON\n"
	"      --no-start  fail when the daemon does not run\n"
	"  -h, --help      this text\n\n"
	"Exits with 5 when the daemon or the module is not there or not ready.\n";

#define INDENT		10	/* of what follows the first word of a line */
#define COLUMNS		80

static void print_engines(const json_t *engines)
{
	size_t nr = json_array_size(engines), i;
	int column = INDENT, width;
	const json_t *engine;
	char word[128];

	printf("%-*s", INDENT, "engines");
	if (!nr)
		printf("none");
	json_array_foreach(engines, i, engine) {
		width = snprintf(word, sizeof(word), "%s (%s)%s", json_str(engine, "name"),
				 json_str(engine, "state"), i + 1 < nr ? "," : "");
		if (i && column + 1 + width > COLUMNS) {
			printf("\n%*s", INDENT, "");
			column = INDENT;
		} else if (i) {
			putchar(' ');
			column++;
		}
		fputs(word, stdout);
		column += width;
	}
	putchar('\n');
}

/* How many jobs, or groups, there are; none of a kind that is not there. */
static void print_count(const char *kind, const json_t *jobs, bool always)
{
	unsigned int active = 0;
	const json_t *job;
	size_t i;

	json_array_foreach(jobs, i, job)
		active += !!strcmp(json_str(job, "state"), "done");
	if (always || i)
		printf("%-*s%u active, %zu ended\n", INDENT, kind, active,
		       json_array_size(jobs) - active);
}

static void print_nodes(const json_t *nodes)
{
	const json_t *node;
	bool first = true;
	size_t i;

	json_array_foreach(nodes, i, node) {
		__u64 total = json_u64(node, "total");

		if (!total)
			continue;
		printf("%-10s%lld: %s free of %s\n", first ? "nodes" : "",
		       json_s64(node, "id", -1), text_bytes(json_u64(node, "free")).s,
		       text_bytes(total).s);
		first = false;
	}
}

static void print_status(const struct ready *ready, const json_t *all)
{
	printf("daemon    %s\n", ready->version);
	printf("module    %s\n", ready->module_version[0] ? ready->module_version : "not there");
	printf("ready     %s\n", ready->ready ? "yes" : "no");
	print_engines(json_object_get(all, "engines"));
	print_count("jobs", json_object_get(all, "jobs"), true);
	print_count("groups", json_object_get(all, "groups"), false);
	print_nodes(json_object_get(all, "nodes"));
}

int verb_status(int argc, char **argv)
{
	struct opts opts = { .verb = "status", .help = help };
	sd_bus_message *properties = NULL;
	struct client client = { };
	struct ready ready = { };
	json_t *all = NULL;
	int r, code;

	code = opts_parse(&opts, argc, argv);
	if (code != OPTS_GO_ON)
		return code;
	code = client_open_args(&client, &opts, argc, argv);
	if (code != MIGCTL_OK)
		return code;
	code = client_manager_properties(&client, IFACE_MANAGER, &properties);
	if (code != MIGCTL_OK)
		goto out;
	r = client_each_property(properties, ready_read, &ready);
	if (r < 0) {
		code = client_fail(NULL, r);
		goto out;
	}
	code = client_manager_json(&client, "Describe", &all);
	if (code != MIGCTL_OK)
		goto out;
	if (opts.json)
		json_print(all);
	else
		print_status(&ready, all);
	if (!ready.ready) {
		fflush(stdout);
		say_err("%s", ready.error[0] ? ready.error :
			  "migd is not ready and does not say why: see `journalctl -u migd`");
		code = MIGCTL_ABSENT;
	}
out:
	json_decref(all);
	sd_bus_message_unref(properties);
	client_close(&client);
	return code;
}
