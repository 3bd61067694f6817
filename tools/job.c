// SPDX-License-Identifier: GPL-2.0
/* A job as the service tells of it. */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "client.h"
#include "job.h"
#include "json.h"
#include "migctl.h"
#include "text.h"

enum kind { KIND_U64, KIND_U32, KIND_INT, KIND_TEXT };

/* Where a property, and the JSON member of the same meaning, goes. */
struct field {
	const char *property;
	const char *member;
	enum kind kind;
	size_t offset;
};

#define FIELD(p, m, k, f)	{ p, m, k, offsetof(struct job, f) }

static const struct field fields[] = {
	FIELD("Id", "id", KIND_U64, id),
	FIELD("Pid", "pid", KIND_U32, pid),
	FIELD("Comm", "comm", KIND_TEXT, comm),
	FIELD("From", "from", KIND_INT, from),
	FIELD("To", "to", KIND_INT, to),
	FIELD("Order", "order", KIND_TEXT, order),
	FIELD("Engine", "engine", KIND_TEXT, engine),
	FIELD("State", "state", KIND_TEXT, state),
	FIELD("Outcome", "outcome", KIND_TEXT, outcome),
	FIELD("Total", "total", KIND_U64, total),
	FIELD("Moved", "moved", KIND_U64, moved),
	FIELD("Routed", "routed", KIND_U64, routed),
	FIELD("Bytes", "bytes", KIND_U64, bytes),
	FIELD("Passes", "passes", KIND_U32, passes),
	FIELD("Batches", "batches", KIND_U64, batches),
	FIELD("Rescued", "rescued", KIND_U64, rescued),
	FIELD("ElapsedUSec", "elapsed_usec", KIND_U64, elapsed_usec),
};

static void *field_at(struct job *job, const struct field *f)
{
	return (char *)job + f->offset;
}

static int read_field(struct job *job, const struct field *f, sd_bus_message *m)
{
	static const char types[] = { [KIND_U64] = 't', [KIND_U32] = 'u',
				      [KIND_INT] = 'i', [KIND_TEXT] = 's' };
	const char type[] = { types[f->kind], '\0' };
	const char *text;
	int r;

	r = sd_bus_message_enter_container(m, 'v', type);
	if (r < 0)
		return r;
	if (f->kind == KIND_TEXT) {
		r = sd_bus_message_read_basic(m, 's', &text);
		if (r < 0)
			return r;
		text_copy(field_at(job, f), JOB_TEXT, text);
	} else {
		r = sd_bus_message_read_basic(m, type[0], field_at(job, f));
		if (r < 0)
			return r;
	}
	return sd_bus_message_exit_container(m);
}

static void add_left(struct job *job, const char *reason, __u64 pages)
{
	if (!pages || job->nr_left == JOB_MAX_LEFT)
		return;
	text_copy(job->left[job->nr_left].reason, sizeof(job->left[0].reason), reason);
	job->left[job->nr_left++].pages = pages;
}

static int read_left(struct job *job, sd_bus_message *m)
{
	const char *reason;
	__u64 pages;
	int r;

	r = sd_bus_message_enter_container(m, 'v', "a{st}");
	if (r < 0)
		return r;
	r = sd_bus_message_enter_container(m, 'a', "{st}");
	if (r < 0)
		return r;
	job->nr_left = 0;
	while ((r = sd_bus_message_read(m, "{st}", &reason, &pages)) > 0)
		add_left(job, reason, pages);
	if (r < 0)
		return r;
	r = sd_bus_message_exit_container(m);
	if (r < 0)
		return r;
	return sd_bus_message_exit_container(m);
}

static int read_property(sd_bus_message *m, const char *name, void *userdata)
{
	struct job *job = userdata;

	if (!strcmp(name, "Left"))
		return read_left(job, m);
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (!strcmp(name, fields[i].property))
			return read_field(job, &fields[i], m);
	return sd_bus_message_skip(m, "v");
}

int job_read_properties(struct job *job, sd_bus_message *m)
{
	return client_each_property(m, read_property, job);
}

void hist_read_json(struct hist *hist, const json_t *object, const char *key)
{
	const json_t *h = json_object_get(object, key);

	hist->count = json_u64(h, "count");
	hist->p50 = json_u64(h, "p50_ns");
	hist->p90 = json_u64(h, "p90_ns");
	hist->p99 = json_u64(h, "p99_ns");
	hist->max = json_u64(h, "max_ns");
}

void job_read_json(struct job *job, const json_t *object)
{
	const char *reason;
	json_t *pages;

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		const struct field *f = &fields[i];

		if (f->kind == KIND_TEXT)
			text_copy(field_at(job, f), JOB_TEXT, json_str(object, f->member));
		else if (f->kind == KIND_U64)
			*(__u64 *)field_at(job, f) = json_u64(object, f->member);
		else if (f->kind == KIND_U32)
			*(__u32 *)field_at(job, f) = json_u64(object, f->member);
		else
			*(int *)field_at(job, f) = json_s64(object, f->member, -1);
	}
	job->nr_left = 0;
	json_object_foreach(json_object_get(object, "left"), reason, pages)
		add_left(job, reason, json_integer_value(pages));
	hist_read_json(&job->lock, object, "lock");
	hist_read_json(&job->copy, object, "copy");
	hist_read_json(&job->commit, object, "commit");
	hist_read_json(&job->blackout, object, "blackout");
}

bool job_is_done(const struct job *job)
{
	return !strcmp(job->state, "done");
}

__u64 job_left(const struct job *job)
{
	__u64 pages = 0;

	for (unsigned int i = 0; i < job->nr_left; i++)
		pages += job->left[i].pages;
	return pages;
}

/* Of a job that runs, what the daemon has yet to try. */
static bool to_be_routed(const struct job *job, const char *reason)
{
	return !job_is_done(job) && (!strcmp(reason, "huge") || !strcmp(reason, "large") ||
				     !strcmp(reason, "hugetlb") || !strcmp(reason, "tagged"));
}

__u64 job_handled(const struct job *job)
{
	__u64 pages = job->moved;

	for (unsigned int i = 0; i < job->nr_left; i++)
		if (strcmp(job->left[i].reason, "unreached") &&
		    !to_be_routed(job, job->left[i].reason))
			pages += job->left[i].pages;
	return pages;
}

int job_exit_code(const struct job *job)
{
	if (!strcmp(job->outcome, "moved"))
		return MIGCTL_OK;
	if (!strcmp(job->outcome, "partly"))
		return MIGCTL_PARTLY;
	if (!strcmp(job->outcome, "cancelled"))
		return MIGCTL_CANCELLED;
	if (!strcmp(job->outcome, "server-lost") && job->moved)
		return MIGCTL_PARTLY;
	return MIGCTL_FAILED;
}
