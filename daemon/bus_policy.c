// SPDX-License-Identifier: GPL-2.0
/* Interface org.migd1.Policy: read by anyone, set by the privileged, kept. */
#include <stdio.h>
#include <string.h>

#include "auth.h"
#include "bus.h"
#include "log.h"
#include "nice.h"
#include "pressure.h"
#include "share.h"

static int get_value(sd_bus *bus, const char *path, const char *iface, const char *property,
		     sd_bus_message *reply, void *arg, sd_bus_error *error)
{
	struct manager *m = arg;
	uint64_t value = m->policy.max_rate;

	if (!strcmp(property, "DefaultEngine"))
		return sd_bus_message_append(reply, "s", m->policy.default_engine);
	if (!strcmp(property, "DeadlineUSec"))
		value = m->policy.deadline_usec;
	else if (!strcmp(property, "BatchPages"))
		value = m->policy.batch_pages;
	else if (!strcmp(property, "TotalRate"))
		value = m->policy.total_rate;
	else if (!strcmp(property, "Nice"))
		value = m->policy.nice;
	else if (!strcmp(property, "JobsPerUser"))
		value = m->policy.jobs_per_user;
	else if (!strcmp(property, "PressureUSec"))
		value = m->policy.pressure_usec;
	return sd_bus_message_append(reply, "t", value);
}

static int check_number(const char *property, uint64_t value, uint64_t min, uint64_t max,
			struct fault *f)
{
	if (value >= min && value <= max)
		return 0;
	return fault_set(f, FAULT_INVALID_ARGUMENT, "%s is %llu to %llu, not %llu", property,
			 (unsigned long long)min, (unsigned long long)max,
			 (unsigned long long)value);
}

static int read_value(struct manager *m, const char *property, sd_bus_message *value,
		      struct policy *p, struct fault *f)
{
	const char *engine;
	uint64_t number;
	uint32_t choice;
	int r;

	if (!strcmp(property, "DefaultEngine")) {
		r = sd_bus_message_read(value, "s", &engine);
		if (r < 0)
			return r;
		if (policy_check_engine(engine) < 0 ||
		    (engine_choice(m, engine, &choice) < 0 && m->ready))
			return fault_set(f, FAULT_NO_SUCH_ENGINE,
					 "there is no engine '%.64s': migctl engines lists those there are",
					 engine);
		snprintf(p->default_engine, sizeof(p->default_engine), "%s", engine);
		return 0;
	}

	r = sd_bus_message_read(value, "t", &number);
	if (r < 0)
		return r;
	if (!strcmp(property, "DeadlineUSec")) {
		p->deadline_usec = number;
		return check_number(property, number, POLICY_DEADLINE_MIN, POLICY_DEADLINE_MAX, f);
	}
	if (!strcmp(property, "BatchPages")) {
		p->batch_pages = number;
		return check_number(property, number, 1, m->conf.batch_pages, f);
	}
	if (!strcmp(property, "Nice")) {
		p->nice = number;
		return check_number(property, number, 0, POLICY_NICE_MAX, f);
	}
	if (!strcmp(property, "JobsPerUser")) {
		p->jobs_per_user = number;
		return check_number(property, number, 1, POLICY_USER_JOBS_MAX, f);
	}
	if (!strcmp(property, "PressureUSec")) {
		p->pressure_usec = number;
		return check_number(property, number, 0, POLICY_PRESSURE_MAX, f);
	}
	if (!strcmp(property, "TotalRate"))
		p->total_rate = number;
	else
		p->max_rate = number;
	return 0;
}

static int set_value(sd_bus *bus, const char *path, const char *iface, const char *property,
		     sd_bus_message *value, void *arg, sd_bus_error *error)
{
	struct fault f = { .id = FAULT_NONE };
	struct manager *m = arg;
	struct policy p = m->policy;
	struct caller c;
	int r;

	r = auth_caller(m, value, &c, error);
	if (r < 0)
		return r;
	/* It was asked for before. */
	if (!auth_has(&c, AUTH_MANAGE_POLICY)) {
		fault_set(&f, FAULT_NOT_ALLOWED, "user %u may not set the policy: run it as root",
			  c.user);
		return bus_fault(error, &f);
	}
	r = read_value(m, property, value, &p, &f);
	if (r < 0)
		return f.id ? bus_fault(error, &f) : r;
	r = policy_save(&p, m->state_dir);
	if (r < 0) {
		fault_set(&f, FAULT_FAILED,
			  "the policy cannot be kept in %s (%s): nothing was changed", m->state_dir,
			  strerror(-r));
		return bus_fault(error, &f);
	}
	m->policy = p;
	engine_default_changed(m);
	shares_settle(m);
	nice_settle(m);
	pressure_settle(m);
	log_info("policy: %s was set", property);
	/* sd-bus leaves that to who sets it. */
	sd_bus_emit_properties_changed(bus, path, iface, property, NULL);
	return 0;
}

#define CHANGES	(SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE | SD_BUS_VTABLE_UNPRIVILEGED)

static const sd_bus_vtable policy_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_WRITABLE_PROPERTY("DefaultEngine", "s", get_value, set_value, 0, CHANGES),
	SD_BUS_WRITABLE_PROPERTY("DeadlineUSec", "t", get_value, set_value, 0, CHANGES),
	SD_BUS_WRITABLE_PROPERTY("BatchPages", "t", get_value, set_value, 0, CHANGES),
	SD_BUS_WRITABLE_PROPERTY("MaxRate", "t", get_value, set_value, 0, CHANGES),
	SD_BUS_WRITABLE_PROPERTY("TotalRate", "t", get_value, set_value, 0, CHANGES),
	SD_BUS_WRITABLE_PROPERTY("Nice", "t", get_value, set_value, 0, CHANGES),
	SD_BUS_WRITABLE_PROPERTY("JobsPerUser", "t", get_value, set_value, 0, CHANGES),
	SD_BUS_WRITABLE_PROPERTY("PressureUSec", "t", get_value, set_value, 0, CHANGES),
	SD_BUS_VTABLE_END
};

static bool is_property(const char *name, const char *type)
{
	for (const sd_bus_vtable *v = policy_vtable; v->type != _SD_BUS_VTABLE_END; v++)
		if (v->type == _SD_BUS_VTABLE_WRITABLE_PROPERTY &&
		    !strcmp(v->x.property.member, name))
			return !strcmp(v->x.property.signature, type);
	return false;
}

int bus_before_set(struct manager *m, sd_bus_message *msg, sd_bus_error *error)
{
	struct fault f = { .id = FAULT_NONE };
	const char *iface, *property, *type;
	struct policy p = m->policy;
	int r;

	if (sd_bus_message_read(msg, "s", &iface) < 0 || strcmp(iface, BUS_POLICY_IFACE) ||
	    strcmp(sd_bus_message_get_path(msg), BUS_ROOT))
		return 0;
	/* What it could not be set to is told first; what is no property of ours, by sd-bus. */
	if (sd_bus_message_read(msg, "s", &property) < 0 ||
	    sd_bus_message_peek_type(msg, NULL, &type) < 0 || !is_property(property, type))
		return 0;
	r = sd_bus_message_enter_container(msg, 'v', type);
	if (r >= 0)
		r = read_value(m, property, msg, &p, &f);
	if (r < 0)
		return f.id ? bus_fault(error, &f) : r;
	return auth_ask(m, msg, AUTH_MANAGE_POLICY, "set the policy", error);
}

void bus_policy_changed(struct manager *m)
{
	sd_bus_emit_properties_changed(m->bus, BUS_ROOT, BUS_POLICY_IFACE, "DefaultEngine",
				       "DeadlineUSec", "BatchPages", "MaxRate", "TotalRate",
				       "Nice", "JobsPerUser", "PressureUSec", NULL);
}

int bus_add_policy(struct manager *m)
{
	return sd_bus_add_object_vtable(m->bus, NULL, BUS_ROOT, BUS_POLICY_IFACE, policy_vtable,
					m);
}
