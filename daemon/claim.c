// SPDX-License-Identifier: GPL-2.0
/* The DMA channels: claimed, listed, given back. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bus.h"
#include "log.h"
#include "manager.h"
#include "names.h"

#define DMA_CLASS	"/sys/class/dma"

const struct nl_channel *engine_find(const struct manager *m, const char *name)
{
	for (unsigned int i = 0; i < m->nr_engines; i++)
		if (!strcmp(m->engines[i].name, name))
			return &m->engines[i];
	return NULL;
}

int engine_choice(const struct manager *m, const char *name, uint32_t *ret)
{
	unsigned int nr = atomic_load(&m->roster.nr);

	*ret = CHOICE_AUTO;
	if (!strcmp(name, "auto"))
		return 0;
	*ret = CHOICE_CPU;
	if (!strcmp(name, "cpu"))
		return 0;
	*ret = CHOICE_DMA;
	if (!strcmp(name, "dma"))
		return 0;
	for (unsigned int i = 0; i < nr; i++) {
		if (!strcmp(m->roster.channel[i].name, name) && engine_find(m, name)) {
			*ret = CHOICE_CHANNEL + i;
			return 0;
		}
	}
	*ret = CHOICE_AUTO;
	return -ENODEV;
}

const char *engine_default(const struct manager *m, uint32_t *ret_choice)
{
	const char *name = m->policy.default_engine;

	return engine_choice(m, name, ret_choice) < 0 ? "auto" : name;
}

void engine_default_changed(struct manager *m)
{
	uint32_t choice;

	if (strcmp(engine_default(m, &choice), m->policy.default_engine) && m->nl)
		log_warn("DefaultEngine=%s is not there: jobs use auto", m->policy.default_engine);
	jobtab_set_default(&m->jobtab, choice);
}

struct dump {
	struct nl_channel engines[ROSTER_MAX + 1];
	unsigned int nr;
};

static void dump_one(const struct nl_channel *channel, void *arg)
{
	struct dump *d = arg;

	if (d->nr < ROSTER_MAX + 1)
		d->engines[d->nr++] = *channel;
}

static bool is_cpu(const struct nl_channel *c)
{
	return c->id == MIGD_ENGINE_CPU;
}

/* What workers are told of a channel. */
static void update_roster(struct manager *m, const struct nl_channel *c)
{
	struct channel *entry;
	bool usable;

	if (is_cpu(c))
		return;
	entry = roster_find(&m->roster, c->name, true);
	if (!entry)
		return;
	atomic_store(&entry->id, c->id);
	atomic_store(&entry->node, c->node);
	/* A faulted one is tried again when it has rested. */
	usable = c->state == MIGD_CHANNEL_STATE_READY || c->state == MIGD_CHANNEL_STATE_FAULTED;
	atomic_store(&entry->usable, usable && !entry->leaving);
	renew_spoiled(m, c);
}

static const struct nl_channel *in_dump(const struct dump *d, const char *name)
{
	for (unsigned int i = 0; i < d->nr; i++)
		if (!strcmp(d->engines[i].name, name))
			return &d->engines[i];
	return NULL;
}

/* Tell the bus of what came, went and changed since @old. */
static void tell_changes(struct manager *m, const struct dump *old)
{
	const struct nl_channel *before;

	for (unsigned int i = 0; i < old->nr; i++)
		if (!engine_find(m, old->engines[i].name))
			bus_engine_gone(m, old->engines[i].name);
	for (unsigned int i = 0; i < m->nr_engines; i++) {
		before = in_dump(old, m->engines[i].name);
		if (!before)
			bus_engine_new(m, m->engines[i].name);
		else if (before->state != m->engines[i].state)
			bus_engine_changed(m, m->engines[i].name);
	}
}

int engines_refresh(struct manager *m, uint64_t max_age_ns)
{
	struct dump d = { .nr = 0 }, old;
	struct channel *entry;
	int r;

	if (!m->nl)
		return -ENOTCONN;
	if (m->engines_ns && now_ns() - m->engines_ns < max_age_ns)
		return 0;
	r = nl_dump_channels(m->nl, dump_one, &d);
	if (r < 0)
		return r;

	old.nr = m->nr_engines;
	memcpy(old.engines, m->engines, old.nr * sizeof(old.engines[0]));
	memcpy(m->engines, d.engines, d.nr * sizeof(d.engines[0]));
	m->nr_engines = d.nr;
	m->engines_ns = now_ns();

	for (unsigned int i = 0; i < old.nr; i++) {
		entry = roster_find(&m->roster, old.engines[i].name, false);
		if (entry && !in_dump(&d, old.engines[i].name))
			atomic_store(&entry->usable, false);
	}
	for (unsigned int i = 0; i < d.nr; i++)
		update_roster(m, &d.engines[i]);

	/*
	 * Last: an object that is told of is asked for its properties at once,
	 * which comes back here and finds what it needs fresh enough.
	 */
	tell_changes(m, &old);
	return 0;
}

int claim_channel(struct manager *m, const char *name, struct fault *f)
{
	const struct nl_channel *c;
	uint32_t id;
	int r;

	engines_refresh(m, 0);
	c = engine_find(m, name);
	if (c && (c->state == MIGD_CHANNEL_STATE_READY || c->state == MIGD_CHANNEL_STATE_FAULTED))
		return 0;
	if (c && c->state != MIGD_CHANNEL_STATE_LEAVING)
		return fault_set(f, FAULT_BUSY, "%s is claimed already, and %s: release it first",
				 name, name_channel_state(c->state));
	r = nl_claim(m->nl, name, &id);
	if (r < 0)
		return fault_set(f, FAULT_NO_SUCH_ENGINE, "DMA channel '%s' cannot be claimed: %s",
				 name, *nl_ctl_message(m->nl) ? nl_ctl_message(m->nl) :
				 strerror(-r));
	log_info("claimed DMA channel %s", name);
	engines_refresh(m, 0);
	engine_default_changed(m);
	return 0;
}

/* Claim @name; a channel that cannot copy memory or is in use is no fault. */
static void claim_one(struct manager *m, const char *name)
{
	bool asked = strcmp(m->conf.channels, "auto");
	const char *why;
	uint32_t id;
	int r;

	r = nl_claim(m->nl, name, &id);
	if (!r) {
		log_info("claimed DMA channel %s", name);
		return;
	}
	why = nl_ctl_message(m->nl);
	log_event(asked ? LOG_WARNING : LOG_DEBUG, &(struct log_fields) { .engine = name },
		  "DMA channel %s cannot be claimed: %s", name, *why ? why : strerror(-r));
}

/* Those that migd.conf no longer wants are given back. */
static void release_unwanted(struct manager *m)
{
	for (unsigned int i = 0; i < m->nr_engines; i++) {
		const struct nl_channel *c = &m->engines[i];

		if (is_cpu(c) || conf_wants_channel(&m->conf, c->name))
			continue;
		if (nl_release(m->nl, c->id) < 0)
			log_warn("DMA channel %s cannot be given back now: %s", c->name,
				 nl_ctl_message(m->nl));
	}
}

int claim_channels(struct manager *m)
{
	struct dirent *e;
	DIR *dir;
	int r;

	atomic_store(&m->roster.rest_ns, m->conf.fault_rest_ms * 1000000ULL);
	atomic_store(&m->roster.rest_max_ns, m->conf.fault_rest_max_ms * 1000000ULL);

	/* A daemon before this one may have left its channels claimed. */
	r = engines_refresh(m, 0);
	if (r < 0)
		return r;
	release_unwanted(m);
	dir = opendir(DMA_CLASS);
	if (dir) {
		while ((e = readdir(dir)))
			if (e->d_name[0] != '.' && conf_wants_channel(&m->conf, e->d_name) &&
			    !engine_find(m, e->d_name))
				claim_one(m, e->d_name);
		closedir(dir);
	}
	return engines_refresh(m, 0);
}

void claim_release(struct manager *m)
{
	for (unsigned int i = 0; i < m->nr_engines; i++) {
		const struct nl_channel *c = &m->engines[i];

		if (!is_cpu(c) && nl_release(m->nl, c->id) < 0)
			log_info("DMA channel %s stays claimed: %s", c->name,
				 nl_ctl_message(m->nl));
	}
}
