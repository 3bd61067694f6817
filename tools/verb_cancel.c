// SPDX-License-Identifier: GPL-2.0
/* migctl cancel: cancel a job. */
#include <stdio.h>

#include "client.h"
#include "json.h"
#include "migctl.h"
#include "text.h"

static const char help[] =
	"Usage: migctl cancel ID [OPTION...]\n\n"
	"Cancel job ID. What it has moved stays moved.\n\n"
	"      --json      print the job as JSON\n"
	"      --no-start  fail when the daemon does not run\n"
	"  -h, --help      this text\n";

int verb_cancel(int argc, char **argv)
{
	struct opts opts = { .verb = "cancel", .help = help };
	struct client client = { };
	json_t *job;
	__u64 id;
	int code;

	code = opts_parse(&opts, argc, argv);
	if (code != OPTS_GO_ON)
		return code;
	if (optind >= argc) {
		say_err("which job? Give the id that `migctl jobs` shows");
		return MIGCTL_USAGE;
	}
	code = client_parse_job(argv[optind++], &kind_job, &id);
	if (code != MIGCTL_OK)
		return code;
	code = client_open_args(&client, &opts, argc, argv);
	if (code != MIGCTL_OK)
		return code;
	code = client_cancel(&client, &kind_job, id);
	if (code == MIGCTL_OK && opts.json) {
		code = client_job_json(&client, &kind_job, id, &job);
		if (code == MIGCTL_OK) {
			json_print(job);
			json_decref(job);
		}
	} else if (code == MIGCTL_OK) {
		printf("job %llu is being cancelled\n", id);
	}
	client_close(&client);
	return code;
}
