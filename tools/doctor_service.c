// SPDX-License-Identifier: GPL-2.0
/* Checks of the daemon: does it run, does it fit, who may use it, what limits it. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "doctor.h"
#include "json.h"
#include "procfs.h"

static void check_unit(const struct doctor *d, struct finding *f)
{
	if (!d->unit.known) {
		found_bad(f, DOCTOR_WARN, "migd does not run, and systemd cannot be asked for it");
		found_fix(f, "run `systemctl start migd.service`");
	} else if (!strcmp(d->unit.load, "not-found")) {
		found_bad(f, DOCTOR_FAIL, "migd is not installed: there is no migd.service");
		found_fix(f, "install it; if it is: `systemctl daemon-reload`");
	} else if (!strcmp(d->unit.load, "masked")) {
		found_bad(f, DOCTOR_FAIL, "migd does not run, and migd.service is masked");
		found_fix(f, "run `systemctl unmask migd.service`, then `systemctl start migd.service`");
	} else if (strcmp(d->unit.load, "loaded")) {
		found_bad(f, DOCTOR_FAIL, "migd does not run, and migd.service is not usable (%s)",
			  d->unit.load);
		found_fix(f, "see `systemctl status migd.service`");
	} else if (!strcmp(d->unit.result, "start-limit-hit")) {
		found_bad(f, DOCTOR_FAIL, "migd has been started too often in too short a time");
		found_fix(f, "see `journalctl -u migd.service` for why it ended, then run `systemctl reset-failed migd.service` and `systemctl start migd.service`");
	} else if (!strcmp(d->unit.active, "failed")) {
		found_bad(f, DOCTOR_FAIL, "migd.service has failed (%s)", d->unit.result);
		found_fix(f, "see `journalctl -u migd.service`, then run `systemctl restart migd.service`");
	} else if (!strcmp(d->unit.active, "activating")) {
		found_bad(f, DOCTOR_WARN, "migd.service is starting");
		found_fix(f, "look again; if that does not end, see `journalctl -u migd.service`");
	} else {
		found_bad(f, DOCTOR_WARN, "migd does not run; the bus starts it when it is asked for something");
		found_fix(f, "run `systemctl start migd.service`");
	}
}

void doctor_daemon(const struct doctor *d, struct finding *f)
{
	if (d->no_bus[0]) {
		found_bad(f, DOCTOR_FAIL, "the system bus, on which migd is reached, cannot be asked: %s",
			  d->no_bus);
		found_fix(f, "see `systemctl status dbus`");
	} else if (!d->running && d->no_answer[0]) {
		found_bad(f, DOCTOR_FAIL, "%s", d->no_answer);
		found_fix(f, "run `systemctl start migd.service`; `journalctl -u migd.service` says why it ends");
	} else if (!d->running) {
		check_unit(d, f);
	} else if (d->no_answer[0]) {
		found_bad(f, DOCTOR_FAIL, "%s", d->no_answer);
		found_fix(f, "run `systemctl restart migd.service`");
	} else if (!d->says.ready) {
		found_bad(f, DOCTOR_FAIL, "migd %s runs, but does not serve", d->says.version);
		found_fix(f, "%s", d->says.error[0] ? d->says.error :
			  "see `journalctl -u migd.service`");
	} else {
		found(f, "migd %s runs and serves", d->says.version);
	}
}

void doctor_versions(const struct doctor *d, struct finding *f)
{
	char module[64] = "";

	procfs_value(d->root, NULL, module, sizeof(module), "/sys/module/migd/version");
	if ((!d->says.version[0] || !strcmp(d->says.version, MIGCTL_VERSION)) &&
	    (!module[0] || !strcmp(module, MIGCTL_VERSION))) {
		found(f, "migctl " MIGCTL_VERSION ", daemon %s, module %s",
		      d->says.version[0] ? d->says.version : "not asked", module[0] ? module : "not loaded");
		return;
	}
	found_bad(f, DOCTOR_WARN, "migctl " MIGCTL_VERSION ", daemon %s and module %s are not of one version",
		  d->says.version[0] ? d->says.version : "(not asked)", module[0] ? module : "(not loaded)");
	found_fix(f, "install all from one version, then `systemctl stop migd.service`, `modprobe -r migd` and `systemctl start migd.service`");
}

static const char *permission(const char *says)
{
	if (!strcmp(says, "yes"))
		return "yes";
	return strcmp(says, "password") ? "no" : "with an administrator's password";
}

static bool may(const char *says)
{
	return !strcmp(says, "yes");
}

void doctor_permission(const struct doctor *d, struct finding *f)
{
	bool asked = d->running && !d->no_answer[0];

	if (asked && d->denied[0]) {
		found_bad(f, DOCTOR_WARN, "%s", d->denied);
		found_fix(f, "run migctl as root");
	} else if (asked) {
		found(f, "user %u may move its own processes: %s; those of others: %s; set policy and engines: %s",
		      d->uid, permission(d->may.own), permission(d->may.others),
		      permission(d->may.policy));
		if (may(d->may.own) || may(d->may.others))
			return;
		f->level = DOCTOR_WARN;
		found_fix(f, "run migctl as root, or have a rule of polkit allow org.migd1.migrate-own, see migd(8)");
	} else if (d->uid) {
		found_bad(f, DOCTOR_WARN, "user %u is not root; the daemon is not there to say whether it may move memory",
			  d->uid);
		found_fix(f, "run migctl as root");
	} else {
		found(f, "root may move memory");
	}
}

void doctor_limits(const struct doctor *d, struct finding *f)
{
	__u64 batch = json_u64(json_object_get(d->all, "policy"), "batch_pages");
	char value[32];
	__u32 pages = 0;

	if (!procfs_value(d->root, NULL, value, sizeof(value),
			  "/sys/module/migd/parameters/max_locked_pages"))
		parse_u32(value, &pages);
	if (d->unit.known && !strcmp(d->unit.load, "loaded") && d->unit.memlock != (__u64)-1) {
		found_bad(f, DOCTOR_WARN, "migd.service may lock only %s of its memory, so that batches may wait for its own pages",
			  text_bytes(d->unit.memlock).s);
		found_fix(f, "set LimitMEMLOCK=infinity (`systemctl edit migd.service`) and restart it");
	} else if (pages && batch > pages) {
		found_bad(f, DOCTOR_WARN, "max_locked_pages=%u of the module is less than one batch of the policy (%llu pages)",
			  pages, batch);
		found_fix(f, "run `migctl policy set batch-pages=%u`, or load the module with a larger max_locked_pages (/etc/modprobe.d)",
			  pages);
	} else if (pages) {
		found(f, "at most %u pages (%s) are locked at once over all jobs", pages,
		      text_bytes((__u64)pages * sysconf(_SC_PAGESIZE)).s);
	} else {
		found(f, "%s; the module is not loaded, which has its own",
		      d->unit.known && !strcmp(d->unit.load, "loaded") ?
		      "the service may lock all of its memory" :
		      "systemd does not say what the service may lock");
	}
}
