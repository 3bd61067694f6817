// SPDX-License-Identifier: GPL-2.0
/*
 * Channels given back while the daemon serves: because somebody asks for it; or,
 * to be claimed anew, because the pages of failed COPYs that are held for one
 * have become too many. It takes no more COPYs first, and goes when those in
 * flight have ended. A channel that is disabled has called a wrong copy
 * complete: whether it may serve again is for a person to say.
 */
#include <errno.h>
#include <string.h>

#include "bus.h"
#include "log.h"
#include "manager.h"
#include "names.h"

/* No event tells that the last COPY of a channel has ended. */
#define LOOK_NS		10000000ULL
/* Who asked is not left waiting for longer than that. */
#define ASKED_NS	2000000000ULL

static int on_look(sd_event_source *source, uint64_t usec, void *arg);

static void look_at(struct manager *m, uint64_t when_ns)
{
	int r;

	if (m->renewal)
		r = sd_event_source_set_time(m->renewal, when_ns / 1000);
	else
		r = sd_event_add_time(m->event, &m->renewal, CLOCK_MONOTONIC, when_ns / 1000, 1,
				      on_look, m);
	if (r >= 0)
		r = sd_event_source_set_enabled(m->renewal, SD_EVENT_ONESHOT);
	if (r < 0)
		log_warn("the event loop takes no timer: %s", strerror(-r));
}

static void answer(struct channel *e, const struct fault *f)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;

	if (!e->asker)
		return;
	if (f->id) {
		bus_fault(&error, f);
		sd_bus_reply_method_error(e->asker, &error);
		sd_bus_error_free(&error);
	} else {
		sd_bus_reply_method_return(e->asker, NULL);
	}
	e->asker = sd_bus_message_unref(e->asker);
}

static void claim_anew(struct manager *m, struct channel *e)
{
	struct log_fields fields = { .message_id = MSG_RENEWED, .engine = e->name };
	struct fault f = { .id = FAULT_NONE };

	if (claim_channel(m, e->name, &f) < 0)
		log_event(LOG_WARNING, &fields, "%s was given back, but not had again: %s",
			  e->name, f.text);
	else
		log_event(LOG_NOTICE, &fields,
			  "%s was claimed anew: too many pages of failed COPYs were held for it",
			  e->name);
	/* The rest begins when all of it is done, and told. */
	e->renewed_ns = now_ns();
}

/* What became of it is known: it goes, comes anew or serves on. */
static void settle(struct manager *m, struct channel *e, int err)
{
	struct fault f = { .id = FAULT_NONE };

	e->leaving = false;
	if (err)
		fault_set(&f, err == -EBUSY ? FAULT_BUSY : FAULT_FAILED,
			  "%s cannot be given back now (%s): wait until the engine has answered, see migctl engines",
			  e->name, *nl_ctl_message(m->nl) ? nl_ctl_message(m->nl) :
			  strerror(-err));
	else if (e->again)
		claim_anew(m, e);
	else
		log_info("gave DMA channel %s back", e->name);
	engines_refresh(m, 0);
	engine_default_changed(m);
	answer(e, &f);
}

/* Is it settled? Not while a COPY is on it. */
static bool give_back(struct manager *m, struct channel *e)
{
	const struct nl_channel *c;
	int r = 0;

	engines_refresh(m, 0);
	c = engine_find(m, e->name);
	/* An unbound driver may have been faster, or the last COPY. */
	if (c && e->again && c->state != MIGD_CHANNEL_STATE_QUARANTINED) {
		e->leaving = false;
		engines_refresh(m, 0);
		return true;
	}
	if (c)
		r = nl_release(m->nl, c->id);
	if (r == -EBUSY && (!e->asker || now_ns() < e->leave_ns + ASKED_NS))
		return false;
	settle(m, e, r == -ENODEV ? 0 : r);
	return true;
}

static void look(struct manager *m)
{
	uint64_t now = now_ns(), next = UINT64_MAX;
	unsigned int nr = atomic_load(&m->roster.nr);

	for (unsigned int i = 0; i < nr && m->nl; i++) {
		struct channel *e = &m->roster.channel[i];
		uint64_t when = now + LOOK_NS;

		if (!e->leaving)
			continue;
		if (e->leave_ns > now)
			when = e->leave_ns;
		else if (give_back(m, e))
			continue;
		if (when < next)
			next = when;
	}
	if (next != UINT64_MAX)
		look_at(m, next);
}

static int on_look(sd_event_source *source, uint64_t usec, void *arg)
{
	look(arg);
	return 0;
}

int renew_release(struct manager *m, const char *name, sd_bus_message *msg, struct fault *f)
{
	struct channel *e = roster_find(&m->roster, name, false);

	if (!strcmp(name, "cpu"))
		return fault_set(f, FAULT_INVALID_ARGUMENT,
				 "the CPU cannot be given back: name a DMA channel of migctl engines");
	if (!e || !engine_find(m, name))
		return fault_set(f, FAULT_NO_SUCH_ENGINE,
				 "there is no engine '%s': migctl engines lists those there are",
				 name);
	if (e->asker)
		return fault_set(f, FAULT_BUSY, "%s is being given back already: wait for that",
				 name);
	e->leaving = true;
	e->again = false;
	e->leave_ns = now_ns();
	e->asker = sd_bus_message_ref(msg);
	atomic_store(&e->usable, false);
	look(m);
	return 0;
}

void renew_spoiled(struct manager *m, const struct nl_channel *c)
{
	struct channel *e = roster_find(&m->roster, c->name, false);
	uint64_t now = now_ns();

	/* With a COPY out, one is overdue: nothing can be done but wait for it. */
	if (c->state != MIGD_CHANNEL_STATE_QUARANTINED || c->in_flight || !e || e->leaving)
		return;
	e->leaving = true;
	e->again = true;
	e->leave_ns = now;
	/* An engine that does nothing but fail is not worth more. */
	if (e->renewed_ns && e->renewed_ns + atomic_load(&m->roster.rest_max_ns) > now)
		e->leave_ns = e->renewed_ns + atomic_load(&m->roster.rest_max_ns);
	look_at(m, e->leave_ns);
}

void renew_stop(struct manager *m)
{
	unsigned int nr = atomic_load(&m->roster.nr);

	m->renewal = sd_event_source_disable_unref(m->renewal);
	for (unsigned int i = 0; i < nr; i++) {
		m->roster.channel[i].leaving = false;
		m->roster.channel[i].asker = sd_bus_message_unref(m->roster.channel[i].asker);
	}
}
