// SPDX-License-Identifier: GPL-2.0
/* Whose memory is to be moved, as people name it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../daemon/cgroup.h"
#include "client.h"
#include "migctl.h"
#include "procfs.h"
#include "target.h"
#include "text.h"

#define SYSTEMD		"org.freedesktop.systemd1"

/* As systemctl(1): a name without a kind is that of a service. */
int target_take_unit(struct target *t, const char *word)
{
	static const char *const kinds[] = {
		".service", ".scope", ".slice", ".socket", ".mount", ".swap", ".target", ".timer",
		".path", ".device", ".automount",
	};
	const char *dot = strrchr(word, '.'), *suffix = ".service";

	if (!*word) {
		say_err("'' is no value for --unit: give the name of a unit, such as redis.service");
		return MIGCTL_USAGE;
	}
	for (size_t i = 0; dot && i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(dot, kinds[i]))
			suffix = "";
	free(t->unit);
	if (asprintf(&t->unit, "%s%s", word, suffix) >= 0)
		return OPTS_GO_ON;
	t->unit = NULL;
	say_err("no memory for the name of a unit: try again");
	return MIGCTL_FAILED;
}

int target_take_cgroup(struct target *t, const char *word)
{
	if (word[0] != '/') {
		say_err("'%s' is no value for --cgroup: give its path, such as /sys/fs/cgroup/system.slice",
			word);
		return MIGCTL_USAGE;
	}
	t->cgroup = word;
	return OPTS_GO_ON;
}

int target_take_pid(struct target *t, const char *word)
{
	__u32 pid, *pids;

	if (parse_u32(word, &pid) < 0 || !pid) {
		say_err("'%s' is no pid: give the number of a process", word);
		return MIGCTL_USAGE;
	}
	pids = reallocarray(t->pids, t->nr_pids + 1, sizeof(*pids));
	if (!pids) {
		say_err("no memory for %zu processes: name fewer", t->nr_pids + 1);
		return MIGCTL_FAILED;
	}
	pids[t->nr_pids++] = pid;
	t->pids = pids;
	return OPTS_GO_ON;
}

int target_take_range(struct target *t, const char *word)
{
	__u64 page = sysconf(_SC_PAGESIZE);
	struct range range, *ranges;

	if (parse_range(word, &range.start, &range.end) < 0 || range.start % page ||
	    range.end % page)
		return opts_bad_value("--range", word,
				      "START-END in hex and whole pages, as in /proc/PID/maps");
	ranges = reallocarray(t->ranges, t->nr_ranges + 1, sizeof(*ranges));
	if (!ranges) {
		say_err("no memory for %zu ranges: give fewer", t->nr_ranges + 1);
		return MIGCTL_FAILED;
	}
	ranges[t->nr_ranges++] = range;
	t->ranges = ranges;
	return OPTS_GO_ON;
}

int target_check(const struct target *t, const char *verb)
{
	if (!t->nr_pids && !t->unit && !t->cgroup) {
		say_err("which process? Give its pid, or a unit with -u: see migctl %s --help",
			verb);
		return MIGCTL_USAGE;
	}
	if (!!t->nr_pids + !!t->unit + !!t->cgroup > 1) {
		say_err("pids, --unit and --cgroup are three ways to name processes: choose one");
		return MIGCTL_USAGE;
	}
	if (t->nr_ranges && target_is_group(t)) {
		say_err("--range is for one process: name one by its pid, or leave it out");
		return MIGCTL_USAGE;
	}
	return OPTS_GO_ON;
}

void target_done(struct target *t)
{
	free(t->pids);
	free(t->unit);
	free(t->ranges);
}

bool target_is_group(const struct target *t)
{
	return t->nr_pids != 1;
}

const char *target_unit_iface(const char *unit)
{
	const char *dot = strrchr(unit, '.');

	if (!strcmp(dot, ".service"))
		return SYSTEMD ".Service";
	if (!strcmp(dot, ".scope"))
		return SYSTEMD ".Scope";
	return strcmp(dot, ".slice") ? NULL : SYSTEMD ".Slice";
}

/* The cgroup of a unit; its answer is to be freed. Returns an exit code. */
static int unit_cgroup(struct client *c, const char *unit, bool say, char **ret)
{
	const char *iface = target_unit_iface(unit), *path;
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;
	int r;

	if (!iface) {
		if (say)
			say_err("'%s' is no service, scope or slice, which are the units that have processes",
				unit);
		return MIGCTL_USAGE;
	}
	r = sd_bus_call_method(c->bus, SYSTEMD, "/org/freedesktop/systemd1", SYSTEMD ".Manager",
			       "GetUnit", &error, &reply, "s", unit);
	if (r >= 0)
		r = sd_bus_message_read(reply, "o", &path);
	if (r >= 0)
		r = sd_bus_get_property_string(c->bus, SYSTEMD, path, iface, "ControlGroup", &error,
					       ret);
	if (r < 0 && say)
		say_err("systemd does not tell of unit %s (%s): see systemctl list-units", unit,
			error.message ? error.message : strerror(-r));
	sd_bus_message_unref(reply);
	sd_bus_error_free(&error);
	return r < 0 ? MIGCTL_FAILED : MIGCTL_OK;
}

static int add(pid_t pid, const char *in, void *arg)
{
	struct target *found = arg;
	__u32 *pids;

	(void)in;
	pids = reallocarray(found->pids, found->nr_pids + 1, sizeof(*pids));
	if (!pids)
		return -ENOMEM;
	pids[found->nr_pids++] = pid;
	found->pids = pids;
	return 0;
}

static int list_cgroup(const char *text, bool say, __u32 **ret_pids, size_t *ret_nr)
{
	struct target found = { };
	char path[CGROUP_PATH_LEN];
	int r;

	r = cgroup_path(text, path);
	if (r < 0) {
		if (say)
			say_err("'%s' is no path of a cgroup: give one below " CGROUP_ROOT ", without '..'",
				text);
		return MIGCTL_USAGE;
	}
	r = cgroup_walk(CGROUP_ROOT, path, 0, add, &found);
	if (r < 0) {
		target_done(&found);
		if (say)
			say_err("the processes of cgroup %s cannot be listed (%s): see systemd-cgls",
				path, strerror(-r));
		return MIGCTL_FAILED;
	}
	*ret_pids = found.pids;
	*ret_nr = found.nr_pids;
	return MIGCTL_OK;
}

int target_list(const struct target *t, struct client *c, bool say, __u32 **ret_pids,
		size_t *ret_nr)
{
	char *cgroup = NULL;
	int code;

	*ret_pids = NULL;
	*ret_nr = 0;
	if (t->cgroup)
		return list_cgroup(t->cgroup, say, ret_pids, ret_nr);
	if (!t->unit) {
		*ret_pids = malloc(t->nr_pids * sizeof(**ret_pids));
		if (!*ret_pids) {
			say_err("no memory for %zu processes: name fewer", t->nr_pids);
			return MIGCTL_FAILED;
		}
		memcpy(*ret_pids, t->pids, t->nr_pids * sizeof(**ret_pids));
		*ret_nr = t->nr_pids;
		return MIGCTL_OK;
	}
	code = unit_cgroup(c, t->unit, say, &cgroup);
	/* A unit that runs nothing has none. */
	if (code == MIGCTL_OK && *cgroup)
		code = list_cgroup(cgroup, say, ret_pids, ret_nr);
	free(cgroup);
	return code;
}

bool target_has_memory(const char *root, __u32 pid)
{
	char value[64];

	return !procfs_value(root, "VmSize:", value, sizeof(value), "/proc/%u/status", pid);
}

pid_t target_daemon(struct client *c)
{
	sd_bus_creds *creds = NULL;
	pid_t pid = 0;

	if (sd_bus_get_name_creds(c->bus, BUS_NAME, SD_BUS_CREDS_PID, &creds) < 0 ||
	    sd_bus_creds_get_pid(creds, &pid) < 0)
		pid = 0;
	sd_bus_creds_unref(creds);
	return pid;
}

void target_daemon_cgroup(pid_t daemon, char *path, size_t size)
{
	if (!daemon || procfs_value("", "0::", path, size, "/proc/%d/cgroup", daemon) < 0)
		path[0] = '\0';
}
