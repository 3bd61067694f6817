/* SPDX-License-Identifier: GPL-2.0 */
/* The state of fake-migd and the course of its job. */
#ifndef FAKE_MIGD_H
#define FAKE_MIGD_H

#include <stdbool.h>
#include <jansson.h>
#include <linux/types.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#define ROOT		"/org/migd1"
#define JOB_PATH	"/org/migd1/job/7"
#define JOB_ID		7ULL
#define GROUP_PATH	"/org/migd1/group/3"
#define GROUP_ID	3ULL
#define MANAGER		"org.migd1.Manager"
#define JOB		"org.migd1.Job"
#define GROUP		"org.migd1.Group"

/* How the one thing that the fake has is told of on the bus. */
struct face {
	const char *path, *iface, *added, *removed;
	__u64 id;
};

extern const struct face face_job, face_group;

/* Steps of a whole job. */
#define STEPS		10

/* A name that a terminal should never see as it is. */
#define FAKE_COMM	"redis\033[2J"

/* What happens when the job has been asked for the first time. */
enum course {
	RUN,		/* all steps, then the outcome */
	HOLD,		/* half of the steps, then until cancelled */
	DEAF,		/* as HOLD, and a cancel changes nothing */
	RESTART,	/* half of the steps, then go and be @next */
	VANISH,		/* half of the steps, then JobRemoved without Done */
	EVENTS,		/* as RUN, and every signal of the manager */
};

/*
 * struct script - what the service does
 *
 * @name:	argument of fake-migd
 * @course:	of the job
 * @outcome:	of the job
 * @total:	pages
 * @moved:	pages moved in the end
 * @gone:	pages that the target has given back by then
 * @refusal:	error of everything that needs permission
 * @next:	the script to go on with after a restart
 * @resumed:	the job is there from the start, half moved
 * @late:	the job appears only when it has been asked for in vain
 * @unheard:	and had ended, so that nothing but readiness is told of it
 * @held:	the name is asked for only at SIGUSR1
 * @unready:	there is no module
 */
struct script {
	const char *name;
	enum course course;
	const char *outcome;
	__u64 total, moved, gone;
	const char *refusal;
	const char *next;
	bool resumed, late, unheard, held, unready;
};

/*
 * struct fake - the service
 *
 * @face:	a job, or a group
 * @stepper:	the source that takes the job one step further
 * @exists:	the job is there
 * @asked:	the job was asked for in vain
 * @step:	steps done
 */
struct fake {
	const struct script *script;
	const struct face *face;
	sd_bus *bus;
	sd_event *event;
	sd_event_source *stepper;
	bool exists, asked;
	unsigned int step;
	char state[16], outcome[16];
	__u64 moved, bytes;
	char engine[32];
	__u64 deadline, rate, total_rate, pages, jobs, pressure, nice;
};

/* fake-migd.c: what the face of a group needs, too. */
int fake_print_options(sd_bus_message *m);
int fake_refuse(struct fake *fake, sd_bus_error *error);
int fake_reply_json(sd_bus_message *m, json_t *object);
int fake_cancel(sd_bus_message *m, void *userdata, sd_bus_error *error);
int fake_get_any(sd_bus *bus, const char *path, const char *iface, const char *property,
		 sd_bus_message *reply, void *userdata, sd_bus_error *error);
int fake_get_id(sd_bus *bus, const char *path, const char *iface, const char *property,
		sd_bus_message *reply, void *userdata, sd_bus_error *error);
json_t *fake_json(const struct fake *fake);

/* fake-group.c */
extern const sd_bus_vtable fake_group_vtable[];
int fake_migrate_processes(sd_bus_message *m, void *userdata, sd_bus_error *error);
int fake_migrate_named(sd_bus_message *m, void *userdata, sd_bus_error *error);
json_t *fake_group_json(const struct fake *fake);

/* fake-systemd.c: systemd, too, is on the bus. */
int fake_systemd(sd_bus *bus);

/* NULL when there is no such script. */
const struct script *fake_find_script(const char *name);

/* Prepare the job's steps; a job that is resumed is there at once. */
int fake_course_setup(struct fake *fake);

/* The job has been submitted. */
void fake_begin(struct fake *fake);

/* It ends now; also says so. */
int fake_end(struct fake *fake, const char *outcome);

/* Pages left. */
__u64 fake_left(const struct fake *fake);

/* Event handler: the job is there, also when it is late. */
int fake_appear(sd_event_source *source, void *userdata);

#endif /* FAKE_MIGD_H */
