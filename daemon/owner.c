// SPDX-License-Identifier: GPL-2.0
/* Whose jobs are, and how many a user may have. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "owner.h"

#define I(v)	((json_int_t)(v))

static void file_name(const struct manager *m, char *path, const char *suffix)
{
	snprintf(path, PATH_MAX, "%s/owners.json%s", m->run_dir, suffix);
}

uint32_t owner_of(struct manager *m, const struct nl_job *nl)
{
	json_int_t user, pid, start;
	char path[PATH_MAX], id[24];

	if (!m->owners) {
		file_name(m, path, "");
		m->owners = json_load_file(path, 0, NULL);
	}
	snprintf(id, sizeof(id), "%" PRIu64, nl->id);
	/* A module that was loaded anew begins with the same ids again. */
	if (json_unpack(json_object_get(m->owners, id), "[I, I, I]", &user, &pid, &start) < 0 ||
	    pid != I(nl->pid) || start != I(nl->start_time) || user < 0 || user > UINT32_MAX)
		return 0;
	return user;
}

/* As with rates, no fsync(): jobs do not outlive a crash of the machine. */
void owners_keep(struct manager *m)
{
	char path[PATH_MAX], new[PATH_MAX], id[24];
	json_t *all = json_object();

	for (struct job *job = m->jobs; job; job = job->next) {
		if (!job->user)
			continue;
		snprintf(id, sizeof(id), "%" PRIu64, job->nl.id);
		json_object_set_new(all, id, json_pack("[I, I, I]", I(job->user), I(job->nl.pid),
						       I(job->nl.start_time)));
	}
	file_name(m, path, "");
	file_name(m, new, ".new");
	if (!json_object_size(all) && json_object_size(m->owners))
		unlink(path);
	if (json_object_size(all) && !json_equal(all, m->owners) &&
	    (json_dump_file(all, new, JSON_COMPACT) < 0 || rename(new, path) < 0))
		log_warn("%s cannot be written (%s): after a restart only root may change the jobs of users",
			 path, strerror(errno));
	json_decref(m->owners);
	m->owners = all;
}

void owners_free(struct manager *m)
{
	json_decref(m->owners);
	m->owners = NULL;
}

int owner_check(const struct manager *m, uint32_t user, unsigned int nr, const char *what,
		struct fault *f)
{
	if (!user || nr < m->policy.jobs_per_user)
		return 0;
	return fault_set(f, FAULT_TOO_MANY_JOBS,
			 "user %u has %u %s that run already, which is JobsPerUser= of the policy: wait for one to end or cancel one, or have root raise it by migctl policy set jobs-per-user=%u",
			 user, nr, what, nr < POLICY_USER_JOBS_MAX ? nr + 1 : nr);
}
