/* SPDX-License-Identifier: GPL-2.0 */
/* What migctl doctor looks at: facts from the bus, files, and checks of both. */
#ifndef MIGCTL_DOCTOR_H
#define MIGCTL_DOCTOR_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>
#include <linux/types.h>

#include "ready.h"
#include "text.h"

/*
 * struct doctor - what is known when the checks run
 *
 * @root:	directory in which proc, sys, lib, boot and var are found, "" but for tests
 * @uid:	who asks
 * @no_bus:	why the bus cannot be asked, "" when it can
 * @running:	the daemon owns its name on the bus
 * @no_answer:	what came instead of the daemon's answer, "" when it answered
 * @says:	the manager's properties
 * @all:	what Describe() answers, or NULL
 * @may:	"yes", "password" or "no": what the caller may, as the daemon says
 * @denied:	what it says instead
 * @unit:	migd.service as systemd knows it; @unit.known when it could be asked
 */
struct doctor {
	const char *root;
	uid_t uid;
	char no_bus[256];
	bool running;
	char no_answer[512];
	struct ready says;
	json_t *all;
	struct {
		char own[16], others[16], policy[16];
	} may;
	char denied[512];
	struct {
		bool known;
		char load[32], active[32], result[32];
		__u64 memlock;
	} unit;
};

/* Ask bus, systemd and daemon; the daemon is started for it only if @start. */
void doctor_ask(struct doctor *d, bool start);
void doctor_forget(struct doctor *d);

enum doctor_level {
	DOCTOR_OK,
	DOCTOR_WARN,
	DOCTOR_FAIL,
};

/* What one check has found: one line, and what to do about it ("": nothing). */
struct finding {
	enum doctor_level level;
	char text[768];
	char fix[768];
};

__printf(2, 3) void found(struct finding *f, const char *format, ...);
__printf(3, 4) void found_bad(struct finding *f, enum doctor_level level,
			      const char *format, ...);
__printf(2, 3) void found_fix(struct finding *f, const char *format, ...);

/* A check changes nothing, asks nobody but files below d->root, and calls found*(). */
struct doctor_check {
	const char *name;
	void (*run)(const struct doctor *d, struct finding *f);
};

/* In the order in which they are told; ends with a NULL name. */
extern const struct doctor_check doctor_checks[];

/* doctor_module.c */
void doctor_kernel(const struct doctor *d, struct finding *f);
void doctor_io_uring(const struct doctor *d, struct finding *f);
void doctor_module(const struct doctor *d, struct finding *f);

/* doctor_signature.c */
void doctor_signature(const struct doctor *d, struct finding *f);

/* doctor_service.c */
void doctor_daemon(const struct doctor *d, struct finding *f);
void doctor_versions(const struct doctor *d, struct finding *f);
void doctor_permission(const struct doctor *d, struct finding *f);
void doctor_limits(const struct doctor *d, struct finding *f);

/* doctor_channels.c */
void doctor_channels(const struct doctor *d, struct finding *f);
void doctor_engines(const struct doctor *d, struct finding *f);
void doctor_iommu(const struct doctor *d, struct finding *f);

/* doctor_memory.c */
void doctor_nodes(const struct doctor *d, struct finding *f);
void doctor_balancing(const struct doctor *d, struct finding *f);
void doctor_thp(const struct doctor *d, struct finding *f);
void doctor_tiers(const struct doctor *d, struct finding *f);
void doctor_pressure(const struct doctor *d, struct finding *f);
void doctor_cpuset(const struct doctor *d, struct finding *f);

/* What several checks need to know of the module. */
bool doctor_module_loaded(const struct doctor *d);
int doctor_release(const struct doctor *d, char *release, size_t size);

/* The module's file for the running kernel, below d->root; 0 or -ENOENT. */
int doctor_module_file(const struct doctor *d, char *path, size_t size);

#endif /* MIGCTL_DOCTOR_H */
