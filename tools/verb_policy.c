// SPDX-License-Identifier: GPL-2.0
/* migctl policy: the defaults for jobs. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "json.h"
#include "migctl.h"
#include "text.h"

static const char help[] =
	"Usage: migctl policy [OPTION...]\n"
	"       migctl policy set KEY=VALUE... [OPTION...]\n\n"
	"Show the defaults for jobs that say nothing else, or set them for good.\n\n"
	"Keys:\n"
	"  default-engine  auto, cpu, dma or a name that migctl engines shows\n"
	"  deadline        longest time pages may stay locked: 500us, 20ms, 1s\n"
	"  batch-pages     most pages locked at once\n"
	"  max-rate        most bytes per second of a job: 500M, 2G, 256Mi, none\n"
	"  total-rate      most of all jobs together, also of those that run\n"
	"  nice            the CPU time that any job leaves to others at least, 0 to 19\n"
	"  jobs-per-user   most jobs of one user, other than root, at once\n"
	"  pressure        how long of 2 s tasks may stall for memory before jobs back off: 200ms,\n"
	"                  none\n\n"
	"Options:\n"
	"      --json      print JSON\n"
	"      --no-start  fail when the daemon does not run\n"
	"  -h, --help      this text\n";

/* One KEY=VALUE; @text or @number, by @type. */
struct setting {
	const char *property;
	char type;
	const char *text;
	__u64 number;
};

static int parse_text(const char *s, struct setting *set)
{
	set->text = s;
	return *s ? 0 : -EINVAL;
}

static int parse_deadline(const char *s, struct setting *set)
{
	int r = parse_usec(s, &set->number);

	return r < 0 ? r : set->number && set->number <= UINT_MAX ? 0 : -EINVAL;
}

static int parse_count(const char *s, struct setting *set)
{
	__u32 count;
	int r;

	r = parse_u32(s, &count);
	if (r < 0)
		return r;
	set->number = count;
	return count ? 0 : -EINVAL;
}

static int parse_level(const char *s, struct setting *set)
{
	__u32 nice;
	int r;

	r = parse_nice(s, &nice);
	if (!r)
		set->number = nice;
	return r;
}

static int parse_limit(const char *s, struct setting *set)
{
	return parse_rate(s, &set->number);
}

static int parse_pressure(const char *s, struct setting *set)
{
	int r;

	set->number = 0;
	if (!strcmp(s, "none"))
		return 0;
	r = parse_usec(s, &set->number);
	return r < 0 ? r : set->number && set->number <= 2000000 ? 0 : -EINVAL;
}

static const struct key {
	const char *name, *property;
	char type;
	int (*parse)(const char *s, struct setting *set);
	const char *wanted;
} keys[] = {
	{ "default-engine", "DefaultEngine", 's', parse_text,
	  "auto, cpu, dma or an engine's name" },
	{ "deadline", "DeadlineUSec", 't', parse_deadline, "a time with its unit, such as 20ms" },
	{ "batch-pages", "BatchPages", 't', parse_count, "a number of pages, such as 512" },
	{ "max-rate", "MaxRate", 't', parse_limit, "bytes per second, such as 500M, or none" },
	{ "total-rate", "TotalRate", 't', parse_limit, "bytes per second, such as 500M, or none" },
	{ "nice", "Nice", 't', parse_level, "a number from 0 to 19" },
	{ "jobs-per-user", "JobsPerUser", 't', parse_count, "a number of jobs, such as 8" },
	{ "pressure", "PressureUSec", 't', parse_pressure,
	  "a time of 2s at most, such as 200ms, or none" },
};

static int parse_setting(const char *word, struct setting *set)
{
	const char *value = strchr(word, '=');

	for (size_t i = 0; value && i < ARRAY_SIZE(keys); i++) {
		const struct key *key = &keys[i];

		if (strlen(key->name) != (size_t)(value - word) ||
		    memcmp(key->name, word, value - word))
			continue;
		if (key->parse(value + 1, set) < 0) {
			say_err("'%s' is no value for %s: give %s", value + 1, key->name,
				key->wanted);
			return MIGCTL_USAGE;
		}
		set->property = key->property;
		set->type = key->type;
		return MIGCTL_OK;
	}
	say_err("'%s' sets nothing: give KEY=VALUE with a key of migctl policy --help", word);
	return MIGCTL_USAGE;
}

static int apply(struct client *c, const struct setting *set)
{
	sd_bus_message *m = NULL;
	int r;

	r = client_new_call(c, BUS_ROOT, IFACE_PROPS, "Set", &m);
	if (r >= 0)
		r = sd_bus_message_append(m, "ss", IFACE_POLICY, set->property);
	if (r >= 0 && set->type == 's')
		r = sd_bus_message_append(m, "v", "s", set->text);
	else if (r >= 0)
		r = sd_bus_message_append(m, "v", "t", set->number);
	return client_send(c, m, r);
}

static void print_value(const struct key *key, const char *text, __u64 number)
{
	printf("%s=", key->name);
	if (key->type == 's')
		printf("%s\n", text);
	else if (key->parse != parse_count && key->parse != parse_level && !number)
		printf("none\n");
	else if (key->parse == parse_deadline || key->parse == parse_pressure)
		printf("%lluus\n", number);
	else
		printf("%llu\n", number);
}

/* What is printed is what `policy set` takes. */
static int print_property(sd_bus_message *m, const char *name, void *userdata)
{
	const struct key *key = NULL;
	const char *text = NULL;
	__u64 number = 0;
	char safe[128];
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (!strcmp(name, keys[i].property))
			key = &keys[i];
	if (!key)
		return sd_bus_message_skip(m, "v");
	if (key->type == 's')
		r = sd_bus_message_read(m, "v", "s", &text);
	else
		r = sd_bus_message_read(m, "v", "t", &number);
	if (r < 0)
		return r;
	text_copy(safe, sizeof(safe), text ? text : "");
	print_value(key, safe, number);
	return 0;
}

static int show_json(struct client *c)
{
	json_t *all;
	int code;

	code = client_manager_json(c, "Describe", &all);
	if (code != MIGCTL_OK)
		return code;
	json_print(json_object_get(all, "policy"));
	json_decref(all);
	return code;
}

static int show(struct client *c)
{
	sd_bus_message *m = NULL;
	int r, code;

	code = client_manager_properties(c, IFACE_POLICY, &m);
	if (code != MIGCTL_OK)
		return code;
	r = client_each_property(m, print_property, NULL);
	if (r < 0)
		code = client_fail(NULL, r);
	sd_bus_message_unref(m);
	return code;
}

int verb_policy(int argc, char **argv)
{
	struct opts opts = { .verb = "policy", .help = help };
	struct setting *settings = NULL;
	struct client client = { };
	int code, nr = 0;

	code = opts_parse(&opts, argc, argv);
	if (code != OPTS_GO_ON)
		return code;
	if (optind < argc && !strcmp(argv[optind], "set")) {
		optind++;
		nr = argc - optind;
		if (!nr) {
			say_err("set what? Give KEY=VALUE: see migctl policy --help");
			return MIGCTL_USAGE;
		}
	} else {
		code = opts_no_more(&opts, argc, argv);
		if (code != OPTS_GO_ON)
			return code;
	}
	settings = calloc(nr + 1, sizeof(*settings));
	if (!settings) {
		say_err("no memory for %d settings: give fewer", nr);
		return MIGCTL_FAILED;
	}
	/* All are understood before the first is set. */
	for (int i = 0; i < nr; i++) {
		code = parse_setting(argv[optind + i], &settings[i]);
		if (code != MIGCTL_OK)
			goto out;
	}
	code = client_open(&client, &opts);
	if (code != MIGCTL_OK)
		goto out;
	for (int i = 0; code == MIGCTL_OK && i < nr; i++)
		code = apply(&client, &settings[i]);
	if (code == MIGCTL_OK)
		code = opts.json ? show_json(&client) : show(&client);
	client_close(&client);
out:
	free(settings);
	return code;
}
