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

enum type { TYPE_U64, TYPE_U32, TYPE_INT, TYPE_TEXT };

/* Where a property, and the JSON member of the same meaning, goes. */
struct field {
	const char *property;
	const char *member;
	enum type type;
	size_t offset, size;
};

#define FIELD(p, m, t, f) \
	{ p, m, t, offsetof(struct job, f), sizeof(((struct job *)NULL)->f) }

static const struct field fields[] = {
	FIELD("Id", "id", TYPE_U64, id),
	FIELD("Pid", "pid", TYPE_U32, pid),
	FIELD("Comm", "comm", TYPE_TEXT, comm),
	FIELD("From", "from", TYPE_INT, from),
	FIELD("To", "to", TYPE_INT, to),
	FIELD("Order", "order", TYPE_TEXT, order),
	FIELD("Engine", "engine", TYPE_TEXT, engine),
	FIELD("State", "state", TYPE_TEXT, state),
	FIELD("Outcome", "outcome", TYPE_TEXT, outcome),
	FIELD("BackedOff", "backed_off", TYPE_TEXT, backed_off),
	FIELD("Total", "total", TYPE_U64, total),
	FIELD("Moved", "moved", TYPE_U64, moved),
	FIELD("Routed", "routed", TYPE_U64, routed),
	FIELD("Bytes", "bytes", TYPE_U64, bytes),
	FIELD("Passes", "passes", TYPE_U32, passes),
	FIELD("Batches", "batches", TYPE_U64, batches),
	FIELD("Rescued", "rescued", TYPE_U64, rescued),
	FIELD("ElapsedUSec", "elapsed_usec", TYPE_U64, elapsed_usec),
	FIELD("Nice", "nice", TYPE_U64, nice),
	FIELD("Kind", "kind", TYPE_TEXT, target_kind),
	FIELD("Target", "target", TYPE_TEXT, target),
	FIELD("Processes", "processes", TYPE_U32, processes),
	FIELD("Visited", "visited", TYPE_U32, visited),
	FIELD("Progress", "progress", TYPE_U32, progress),
	FIELD("Why", "why", TYPE_TEXT, why),
};

static void *field_at(struct job *job, const struct field *f)
{
	return (char *)job + f->offset;
}

static int read_field(struct job *job, const struct field *f, sd_bus_message *m)
{
	static const char types[] = { [TYPE_U64] = 't', [TYPE_U32] = 'u',
				      [TYPE_INT] = 'i', [TYPE_TEXT] = 's' };
	const char type[] = { types[f->type], '\0' };
	const char *text;
	int r;

	r = sd_bus_message_enter_container(m, 'v', type);
	if (r < 0)
		return r;
	if (f->type == TYPE_TEXT) {
		r = sd_bus_message_read_basic(m, 's', &text);
		if (r < 0)
			return r;
		text_copy(field_at(job, f), f->size, text);
	} else {
		r = sd_bus_message_read_basic(m, type[0], field_at(job, f));
		if (r < 0)
			return r;
	}
	return sd_bus_message_exit_container(m);
}

static void add_left(struct left *left, unsigned int *nr, const char *reason, __u64 count)
{
	if (!count || *nr == JOB_MAX_LEFT)
		return;
	text_copy(left[*nr].reason, sizeof(left->reason), reason);
	left[(*nr)++].pages = count;
}

/* Read a{st} or a{su}. */
static int read_left(struct left *left, unsigned int *nr, sd_bus_message *m, char type)
{
	const char contents[] = { '{', 's', type, '}', '\0' };
	const char array[] = { 'a', '{', 's', type, '}', '\0' };
	const char *reason;
	__u64 pages = 0;
	__u32 small;
	int r;

	r = sd_bus_message_enter_container(m, 'v', array);
	if (r < 0)
		return r;
	r = sd_bus_message_enter_container(m, 'a', contents);
	if (r < 0)
		return r;
	*nr = 0;
	while ((r = type == 't' ? sd_bus_message_read(m, contents, &reason, &pages) :
				  sd_bus_message_read(m, contents, &reason, &small)) > 0)
		add_left(left, nr, reason, type == 't' ? pages : small);
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
		return read_left(job->left, &job->nr_left, m, 't');
	if (!strcmp(name, "LeftOut"))
		return read_left(job->left_out, &job->nr_left_out, m, 'u');
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
	hist->p999 = json_u64(h, "p999_ns");
	hist->max = json_u64(h, "max_ns");
}

void job_read_json(struct job *job, const json_t *object)
{
	const char *reason;
	json_t *pages;

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		const struct field *f = &fields[i];

		if (f->type == TYPE_TEXT)
			text_copy(field_at(job, f), f->size, json_str(object, f->member));
		else if (f->type == TYPE_U64)
			*(__u64 *)field_at(job, f) = json_u64(object, f->member);
		else if (f->type == TYPE_U32)
			*(__u32 *)field_at(job, f) = json_u64(object, f->member);
		else
			*(int *)field_at(job, f) = json_s64(object, f->member, -1);
	}
	job->nr_left = 0;
	json_object_foreach(json_object_get(object, "left"), reason, pages)
		add_left(job->left, &job->nr_left, reason, json_integer_value(pages));
	job->nr_left_out = 0;
	json_object_foreach(json_object_get(object, "left_out"), reason, pages)
		add_left(job->left_out, &job->nr_left_out, reason, json_integer_value(pages));
	job->work_ns = json_u64(object, "work_ns");
	job->blackout_max = json_u64(object, "blackout_max_ns");
	hist_read_json(&job->lock, object, "lock");
	hist_read_json(&job->copy, object, "copy");
	hist_read_json(&job->commit, object, "commit");
	hist_read_json(&job->blackout, object, "blackout");
}

bool job_is_group(const struct job *job)
{
	return job->kind == &kind_group;
}

const char *job_state(const struct job *job)
{
	return job->backed_off[0] && !strcmp(job->state, "running") ? "backoff" : job->state;
}

bool job_is_known(const struct job *job)
{
	return job_is_group(job) ? job->processes : job->pid;
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
