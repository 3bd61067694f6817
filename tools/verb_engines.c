// SPDX-License-Identifier: GPL-2.0
/* migctl engines: what can copy, and how well it does. */

#include "client.h"
#include "job.h"
#include "json.h"
#include "migctl.h"
#include "table.h"

static const char help[] =
	"Usage: migctl engines [OPTION...]\n\n"
	"List the engines that copy pages, with what they have copied and how long one\n"
	"copy took.\n\n"
	"      --json       print JSON\n"
	"      --no-legend  leave out the first line of the table\n"
	"      --no-start   fail when the daemon does not run\n"
	"  -h, --help       this text\n";

static void add_engine(struct table *t, const json_t *engine)
{
	struct hist copy;
	int node = json_s64(engine, "node", -1);

	hist_read_json(&copy, engine, "copy");
	table_add(t, "%s", json_str(engine, "name"));
	table_add(t, "%s", json_str(engine, "device"));
	table_add(t, "%s", json_str(engine, "driver"));
	table_add(t, "%s", node < 0 ? "" : text_node(node).s);
	table_add(t, "%s", json_str(engine, "state"));
	table_add(t, "%llu", json_u64(engine, "copies"));
	table_add(t, "%llu", json_u64(engine, "pages"));
	table_add(t, "%s", text_bytes(json_u64(engine, "bytes")).s);
	table_add(t, "%llu", json_u64(engine, "errors"));
	table_add(t, "%llu", json_u64(engine, "in_flight"));
	table_add(t, "%llu", json_u64(engine, "quarantined"));
	table_add(t, "%s", copy.count ? text_ns(copy.p50).s : "");
	table_add(t, "%s", copy.count ? text_ns(copy.p99).s : "");
}

static int print_table(const json_t *engines, bool legend)
{
	static const char *const titles[] = {
		"NAME", "DEVICE", "DRIVER", ">NODE", "STATE", ">COPIES", ">PAGES", ">BYTES",
		">ERRORS", ">IN FLIGHT", ">QUARANTINED", ">COPY P50", ">P99",
	};
	struct table t = TABLE(titles);
	const json_t *engine;
	size_t i;

	json_array_foreach(engines, i, engine)
		add_engine(&t, engine);
	return table_print(&t, legend);
}

int verb_engines(int argc, char **argv)
{
	struct opts opts = { .verb = "engines", .help = help };
	json_t *all = NULL, *engines;
	struct client client = { };
	int code;

	code = opts_parse_table(&opts, argc, argv);
	if (code != OPTS_GO_ON)
		return code;
	code = client_open_args(&client, &opts, argc, argv);
	if (code != MIGCTL_OK)
		return code;
	code = client_manager_json(&client, "Describe", &all);
	if (code != MIGCTL_OK)
		goto out;
	engines = json_object_get(all, "engines");
	if (opts.json) {
		json_print(engines);
	} else if (print_table(engines, !opts.no_legend) < 0) {
		say_err("no memory for the table: try again");
		code = MIGCTL_FAILED;
	}
out:
	json_decref(all);
	client_close(&client);
	return code;
}
