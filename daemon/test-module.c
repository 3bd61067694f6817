// SPDX-License-Identifier: GPL-2.0
/* In place of netlink.c: a module that does what the test says. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "check.h"
#include "group.h"
#include "test-module.h"

struct test_module module;

struct manager *module_daemon(const char *dir)
{
	struct manager *m = calloc(1, sizeof(*m));

	check(m);
	m->run_dir = dir;
	m->nl = (struct nl_ctl *)m;
	m->ready = true;
	m->device.setup.max_batch_pages = 512;
	jobtab_init(&m->jobtab);
	conf_default(&m->conf);
	policy_default(&m->policy);
	return m;
}

void module_daemon_stop(struct manager *m)
{
	jobs_free(m);
	groups_free(m);
	sd_event_source_disable_unref(m->status);
	sd_event_unref(m->event);
	jobtab_destroy(&m->jobtab);
	free(m);
}

pid_t module_target(void)
{
	pid_t pid = fork();

	check(pid >= 0);
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		pause();
}

static void check_total(void)
{
	uint64_t sum = 0;

	for (uint64_t id = 1; module.total && id <= module.last; id++) {
		const struct nl_job *job = &module.job[id];

		if (job->state == MIGD_JOB_STATE_DONE || job->paused)
			continue;
		check(job->max_rate);
		sum += job->max_rate;
	}
	check(sum <= module.total);
}

int nl_submit(struct nl_ctl *ctl, const struct nl_submit *s, uint64_t *ret_id)
{
	int r = module.refusal;

	module.refusal = 0;
	if (r)
		return r;
	check(module.last + 1 < TEST_JOBS);
	*ret_id = ++module.last;
	module.known[*ret_id] = true;
	module.job[*ret_id] = (struct nl_job) {
		.id = *ret_id, .pid = s->pid, .start_time = s->start_time, .from = s->from,
		.to = s->to, .state = MIGD_JOB_STATE_RUNNING,
		.deadline_us = s->deadline_us, .max_rate = s->max_rate, .nice = s->nice,
	};
	check_total();
	return 0;
}

int nl_get_job(struct nl_ctl *ctl, uint64_t id, struct nl_job *ret)
{
	if (id >= TEST_JOBS || !module.known[id])
		return -ENOENT;
	*ret = module.job[id];
	return 0;
}

int nl_cancel(struct nl_ctl *ctl, uint64_t id)
{
	check(module.known[id]);
	module.cancels++;
	return 0;
}

int nl_dump_jobs(struct nl_ctl *ctl, void (*fn)(const struct nl_job *job, void *arg), void *arg)
{
	for (uint64_t id = 1; id <= module.last; id++)
		if (module.known[id])
			fn(&module.job[id], arg);
	return 0;
}

const char *nl_ctl_message(const struct nl_ctl *ctl)
{
	return "";
}

/* What else the daemon could ask, and does not here. */
int nl_ctl_open(struct nl_ctl **ret)
{
	return -ENOENT;
}

void nl_ctl_close(struct nl_ctl *ctl)
{
}

int nl_get_features(struct nl_ctl *ctl, struct nl_features *ret)
{
	return -ENOENT;
}

int nl_get_stats(struct nl_ctl *ctl, struct nl_stats *ret)
{
	return -ENOENT;
}

int nl_claim(struct nl_ctl *ctl, const char *name, uint32_t *ret_id)
{
	return -ENOENT;
}

int nl_release(struct nl_ctl *ctl, uint32_t id)
{
	return -ENOENT;
}

int nl_set_job(struct nl_ctl *ctl, uint64_t id, const struct nl_change *change)
{
	struct nl_job *job = &module.job[id];

	if (id >= TEST_JOBS || !module.known[id])
		return -ENOENT;
	if (job->state == MIGD_JOB_STATE_DONE)
		return -EALREADY;
	if (change->has_deadline)
		job->deadline_us = change->deadline_us;
	if (change->has_rate)
		job->max_rate = change->max_rate;
	if (change->has_paused)
		job->paused = change->paused;
	if (change->has_nice)
		job->nice = change->nice;
	check_total();
	return 0;
}

int nl_set_nice(struct nl_ctl *ctl, uint32_t nice)
{
	check(nice <= POLICY_NICE_MAX);
	return 0;
}

int nl_get_large(struct nl_ctl *ctl, uint64_t id, uint64_t from, struct nl_larges *ret)
{
	return -EBUSY;
}

int nl_routed(struct nl_ctl *ctl, const struct nl_routed *routed)
{
	return -ENOENT;
}

int nl_dump_channels(struct nl_ctl *ctl, void (*fn)(const struct nl_channel *channel, void *arg),
		     void *arg)
{
	return 0;
}
