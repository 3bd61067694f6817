// SPDX-License-Identifier: GPL-2.0
/* A job, or a group, as JSON: migctl reads it and tells it. */
#include <ctype.h>

#include "client.h"
#include "fuzz.h"
#include "job.h"
#include "json.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	insist(freopen("/dev/null", "w", stdout));
	return 0;
}

static void check_word(const char *s, size_t size)
{
	insist(memchr(s, '\0', size));
	for (; *s; s++)
		insist(!iscntrl((unsigned char)*s));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct job job = { .kind = size % 2 ? &kind_group : &kind_job };
	json_t *value;

	/* json_read() tells its user each time what is no JSON */
	value = json_loadb((const char *)data, size, 0, NULL);
	if (!value)
		return 0;
	job_read_json(&job, value);
	check_word(job.comm, sizeof(job.comm));
	check_word(job.state, sizeof(job.state));
	check_word(job.outcome, sizeof(job.outcome));
	insist(job.nr_left <= JOB_MAX_LEFT);
	for (unsigned int i = 0; i < job.nr_left; i++)
		check_word(job.left[i].reason, sizeof(job.left[i].reason));
	insist(job.nr_left_out <= JOB_MAX_LEFT);
	for (unsigned int i = 0; i < job.nr_left_out; i++)
		check_word(job.left_out[i].reason, sizeof(job.left_out[i].reason));
	check_word(job.target, sizeof(job.target));
	check_word(job.why, sizeof(job.why));
	job_print_summary(&job);
	job_print_detail(&job);
	json_print(value);
	json_decref(value);
	return 0;
}
