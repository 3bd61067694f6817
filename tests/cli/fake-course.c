// SPDX-License-Identifier: GPL-2.0
/* The scripts of fake-migd, and the steps its job takes by them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fake-migd.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

const struct face face_job = { JOB_PATH, JOB, "JobNew", "JobRemoved", JOB_ID };
const struct face face_group = { GROUP_PATH, GROUP, "GroupNew", "GroupRemoved", GROUP_ID };

static const struct script scripts[] = {
	{ "moved", RUN, "moved", .total = 1000, .moved = 1000 },
	{ "nothing", RUN, "moved", .total = 0, .moved = 0 },
	{ "partly", RUN, "partly", .total = 1000, .moved = 900 },
	{ "shrunk", RUN, "moved", .total = 1000, .moved = 990, .gone = 10 },
	{ "unknown", RUN, "unknown", .total = 1000, .moved = 500 },
	{ "failed", RUN, "failed", .total = 1000, .moved = 0 },
	{ "target-gone", RUN, "target-gone", .total = 1000, .moved = 500 },
	{ "server-lost", RUN, "server-lost", .total = 1000, .moved = 0 },
	{ "server-lost-partly", RUN, "server-lost", .total = 1000, .moved = 500 },
	{ "cancelled", RUN, "cancelled", .total = 1000, .moved = 300 },
	{ "hold", HOLD, "cancelled", .total = 1000, .moved = 1000 },
	{ "deaf", DEAF, "cancelled", .total = 1000, .moved = 1000 },
	{ "vanish", VANISH, "moved", .total = 1000, .moved = 1000 },
	{ "events", EVENTS, "moved", .total = 1000, .moved = 1000 },
	{ "restart", RESTART, "", .total = 1000, .moved = 1000, .next = "back" },
	{ "restart-late", RESTART, "", .total = 1000, .moved = 1000, .next = "back-late" },
	{ "restart-unheard", RESTART, "", .total = 1000, .moved = 1000, .next = "back-unheard" },
	{ "restart-lost", RESTART, "", .total = 1000, .moved = 1000, .next = "back-lost" },
	{ "restart-held", RESTART, "", .total = 1000, .moved = 1000, .next = "back-held" },
	{ "restart-never", RESTART, "", .total = 1000, .moved = 1000 },
	{ "restart-forgot", RESTART, "", .total = 1000, .moved = 1000, .next = "moved" },
	{ "back", RUN, "moved", .total = 1000, .moved = 1000, .resumed = true },
	{ "back-late", RUN, "moved", .total = 1000, .moved = 1000, .resumed = true, .late = true },
	{ "back-unheard", RUN, "moved", .total = 1000, .moved = 1000, .resumed = true,
	  .late = true, .unheard = true },
	{ "back-lost", RUN, "server-lost", .total = 1000, .moved = 500, .resumed = true },
	{ "back-held", HOLD, "cancelled", .total = 1000, .moved = 1000,
	  .resumed = true, .held = true },
	{ "denied", RUN, "", .refusal = "org.migd1.Error.NotAllowed" },
	{ "module-missing", RUN, "", .refusal = "org.migd1.Error.ModuleMissing", .unready = true },
	{ "version-mismatch", RUN, "", .refusal = "org.migd1.Error.VersionMismatch" },
	{ "no-process", RUN, "", .refusal = "org.migd1.Error.NoSuchProcess" },
	{ "bad-option", RUN, "", .refusal = "org.migd1.Error.InvalidOption" },
};

/* What is never moved is left on the way; the rest is left when the job ends early. */
__u64 fake_left(const struct fake *fake)
{
	const struct script *script = fake->script;
	__u64 pages = script->total - script->gone;

	if (!strcmp(fake->state, "done"))
		return pages - fake->moved;
	return (pages - script->moved) * fake->step / STEPS;
}

static int emit_progress(struct fake *fake)
{
	return sd_bus_emit_properties_changed(fake->bus, fake->face->path, fake->face->iface, "State",
					      "Outcome", "Total", "Moved", "Bytes", "Left",
					      fake->face == &face_group ? "Visited" : NULL,
					      "Progress", NULL);
}

int fake_end(struct fake *fake, const char *outcome)
{
	int r;

	snprintf(fake->state, sizeof(fake->state), "done");
	snprintf(fake->outcome, sizeof(fake->outcome), "%s", outcome);
	r = emit_progress(fake);
	if (r < 0)
		return r;
	return sd_bus_emit_signal(fake->bus, fake->face->path, fake->face->iface, "Done", "stt",
				  outcome, fake->moved, fake_left(fake));
}

static int emit_events(struct fake *fake)
{
	int r;

	r = sd_bus_emit_signal(fake->bus, ROOT, MANAGER, "EngineFault", "sis", "dma0chan0", EIO,
			       "the engine answered with an error");
	if (r >= 0)
		r = sd_bus_emit_signal(fake->bus, ROOT, MANAGER, "BatchRescued", "tstt", JOB_ID,
				       "deadline", 12ULL, 4ULL);
	if (r >= 0)
		r = sd_bus_emit_signal(fake->bus, ROOT, MANAGER, "Quarantine", "st", "dma0chan0",
				       4ULL);
	return r;
}

static int restart(struct fake *fake)
{
	sd_bus_flush(fake->bus);
	if (!fake->script->next)
		return sd_event_exit(fake->event, 0);
	/* The connection is close-on-exec: the bus sees the daemon die. */
	execl("/proc/self/exe", "fake-migd", fake->script->next,
	      fake->face == &face_group ? "group" : NULL, NULL);
	return -errno;
}

static int on_step(sd_event_source *source, void *userdata)
{
	struct fake *fake = userdata;
	const struct script *script = fake->script;
	int r;

	if (fake->step == STEPS / 2 && script->course == RESTART)
		return restart(fake);
	if (fake->step == STEPS / 2 && script->course == VANISH) {
		fake->exists = false;
		return sd_bus_emit_signal(fake->bus, ROOT, MANAGER, fake->face->removed, "tos",
					  fake->face->id, fake->face->path, script->outcome);
	}
	if (fake->step == STEPS / 2 && (script->course == HOLD || script->course == DEAF))
		return 0;
	if (fake->step == STEPS) {
		r = script->course == EVENTS ? emit_events(fake) : 0;
		return r < 0 ? r : fake_end(fake, script->outcome);
	}
	fake->step++;
	fake->moved = script->moved * fake->step / STEPS;
	fake->bytes = fake->moved * 4096;
	r = emit_progress(fake);
	if (r < 0)
		return r;
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

int fake_appear(sd_event_source *source, void *userdata)
{
	struct fake *fake = userdata;

	(void)source;
	fake->exists = true;
	if (fake->script->unheard) {
		fake->moved = fake->script->moved;
		snprintf(fake->state, sizeof(fake->state), "done");
		snprintf(fake->outcome, sizeof(fake->outcome), "%s", fake->script->outcome);
		return sd_bus_emit_properties_changed(fake->bus, ROOT, MANAGER, "Ready", NULL);
	}
	return sd_bus_emit_signal(fake->bus, ROOT, MANAGER, fake->face->added, "to", fake->face->id,
				  fake->face->path);
}

void fake_begin(struct fake *fake)
{
	fake->exists = true;
	snprintf(fake->state, sizeof(fake->state), "running");
	if (!fake->script->resumed)
		return;
	fake->step = STEPS / 2;
	fake->moved = fake->script->moved / 2;
	fake->bytes = fake->moved * 4096;
}

const struct script *fake_find_script(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(scripts); i++)
		if (!strcmp(scripts[i].name, name))
			return &scripts[i];
	return NULL;
}

int fake_course_setup(struct fake *fake)
{
	int r;

	r = sd_event_add_defer(fake->event, &fake->stepper, on_step, fake);
	if (r < 0)
		return r;
	if (fake->script->resumed)
		fake_begin(fake);
	if (fake->script->late)
		fake->exists = false;
	return sd_event_source_set_enabled(fake->stepper, SD_EVENT_OFF);
}
