// SPDX-License-Identifier: GPL-2.0
/* migctl engines: what can copy, and how well it does. */
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "job.h"
#include "json.h"
#include "migctl.h"
#include "table.h"

static const char help[] =
	"Usage: migctl engines [OPTION...]\n"
	"       migctl engines release NAME [OPTION...]\n"
	"       migctl engines claim NAME [OPTION...]\n\n"
	"List the engines that copy pages, with what they have copied and how long one\n"
	"copy took; give a DMA channel back to the kernel, or claim one of\n"
	"/sys/class/dma. A channel that is disabled serves again when it has been\n"
	"released and claimed.\n\n"
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

static int list(struct client *c, const struct opts *opts)
{
	json_t *all = NULL, *engines;
	int code;

	code = client_manager_json(c, "Describe", &all);
	if (code != MIGCTL_OK)
		return code;
	engines = json_object_get(all, "engines");
	if (opts->json) {
		json_print(engines);
	} else if (print_table(engines, !opts->no_legend) < 0) {
		say_err("no memory for the table: try again");
		code = MIGCTL_FAILED;
	}
	json_decref(all);
	return code;
}

static int claim(struct client *c, const char *name)
{
	sd_bus_message *m = NULL;
	int r;

	r = client_new_call(c, BUS_ROOT, IFACE_MANAGER, "ClaimEngine", &m);
	if (r >= 0)
		r = sd_bus_message_append(m, "s", name);
	return client_send(c, m, r);
}

static int release(struct client *c, const char *name)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *m = NULL;
	int r, code = MIGCTL_OK;
	char *path = NULL;

	r = sd_bus_path_encode(BUS_ENGINES, name, &path);
	if (r >= 0)
		r = client_new_call(c, path, IFACE_ENGINE, "Release", &m);
	if (r >= 0)
		r = client_change(c, m, &error);
	if (r < 0 && client_no_object(&error)) {
		say_err("there is no engine '%s': `migctl engines` lists those there are", name);
		code = MIGCTL_FAILED;
	} else if (r < 0) {
		code = client_fail(&error, r);
	}
	free(path);
	sd_bus_message_unref(m);
	sd_bus_error_free(&error);
	return code;
}

int verb_engines(int argc, char **argv)
{
	int (*change)(struct client *c, const char *name) = NULL;
	struct opts opts = { .verb = "engines", .help = help };
	struct client client = { };
	const char *name = NULL;
	int code;

	code = opts_parse_table(&opts, argc, argv);
	if (code != OPTS_GO_ON)
		return code;
	if (optind < argc) {
		if (!strcmp(argv[optind], "claim"))
			change = claim;
		else if (!strcmp(argv[optind], "release"))
			change = release;
		if (!change) {
			say_err("'%s' is nothing to do with engines: give release or claim, or nothing to list them",
				argv[optind]);
			return MIGCTL_USAGE;
		}
		if (++optind == argc) {
			say_err("%s which engine? Give its name: `migctl engines` shows those there are",
				argv[optind - 1]);
			return MIGCTL_USAGE;
		}
		name = argv[optind++];
	}
	code = client_open_args(&client, &opts, argc, argv);
	if (code != MIGCTL_OK)
		return code;
	code = change ? change(&client, name) : MIGCTL_OK;
	/* A change is shown by the list. */
	if (code == MIGCTL_OK)
		code = list(&client, &opts);
	client_close(&client);
	return code;
}
