// SPDX-License-Identifier: GPL-2.0
/* Checks of the kernel and of the module in it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doctor.h"
#include "procfs.h"

/* What the module and the daemon are built on; each can be configured away. */
static const char *const needed[] = {
	"CONFIG_NUMA", "CONFIG_MIGRATION", "CONFIG_DEVICE_MIGRATION", "CONFIG_IO_URING",
	"CONFIG_DMA_ENGINE",
};

int doctor_release(const struct doctor *d, char *release, size_t size)
{
	return procfs_value(d->root, NULL, release, size, "/proc/sys/kernel/osrelease");
}

/* The first two numbers of a release; -EINVAL when there are none. */
static int read_release(const char *release, unsigned int *major, unsigned int *minor)
{
	return sscanf(release, "%u.%u", major, minor) == 2 ? 0 : -EINVAL;
}

static bool older(const char *release, const char *than)
{
	unsigned int a, b, x, y;

	if (read_release(release, &a, &b) < 0 || read_release(than, &x, &y) < 0)
		return false;
	return a < x || (a == x && b < y);
}

static bool same_series(const char *release, const char *series)
{
	return !older(release, series) && !older(series, release);
}

/* What the kernel was built without; NULL when nothing, or when it cannot be seen. */
static const char *lacking(const struct doctor *d, const char *release)
{
	char value[8], key[48];

	for (size_t i = 0; i < ARRAY_SIZE(needed); i++) {
		snprintf(key, sizeof(key), "%s=", needed[i]);
		/* -ENOENT is that of the line too: the file is asked for itself. */
		if (procfs_value(d->root, key, value, sizeof(value), "/boot/config-%s",
				 release) != -ENOENT)
			continue;
		if (!procfs_value(d->root, "CONFIG_MODULES=", value, sizeof(value),
				  "/boot/config-%s", release))
			return needed[i];
	}
	return NULL;
}

void doctor_kernel(const struct doctor *d, struct finding *f)
{
	char release[128];
	const char *option;

	if (doctor_release(d, release, sizeof(release)) < 0) {
		found_bad(f, DOCTOR_FAIL, "/proc/sys/kernel/osrelease cannot be read");
		found_fix(f, "mount /proc");
		return;
	}
	option = lacking(d, release);
	if (older(release, KERNEL_MIN)) {
		found_bad(f, DOCTOR_FAIL, "%s is older than %s, which the module needs", release,
			  KERNEL_MIN);
		found_fix(f, "boot a newer kernel; migd is tested on %s", KERNEL_TESTED);
	} else if (option) {
		found_bad(f, DOCTOR_FAIL, "%s is built without %s, which migd needs", release,
			  option);
		found_fix(f, "boot a kernel that has it, as Debian's have");
	} else if (!same_series(release, KERNEL_TESTED)) {
		found_bad(f, DOCTOR_WARN, "%s is not of the series %s that migd is tested on",
			  release, KERNEL_TESTED);
		found_fix(f, "try it where it matters little first, or boot a kernel %s",
			  KERNEL_TESTED);
	} else {
		found(f, "%s, of the series that migd is tested on", release);
	}
}

void doctor_io_uring(const struct doctor *d, struct finding *f)
{
	char mode[32];
	int r;

	r = procfs_value(d->root, NULL, mode, sizeof(mode), "/proc/sys/kernel/io_uring_disabled");
	if (r < 0 || !strcmp(mode, "0")) {
		found(f, "not restricted");
		return;
	}
	/* 1 spares who has CAP_SYS_ADMIN or is in a group; the daemon has not. */
	if (!strcmp(mode, "1")) {
		found_bad(f, DOCTOR_WARN, "io_uring, by which the daemon talks to the module, is for CAP_SYS_ADMIN and the group kernel.io_uring_group only");
		found_fix(f, "set kernel.io_uring_group to the group of migd (`id -g migd`), or run `sysctl kernel.io_uring_disabled=0`");
		return;
	}
	found_bad(f, DOCTOR_FAIL, "io_uring, by which the daemon talks to the module, is switched off");
	found_fix(f, "run `sysctl kernel.io_uring_disabled=0`, and see /etc/sysctl.d for who switches it off");
}

bool doctor_module_loaded(const struct doctor *d)
{
	char version[64];

	return !procfs_value(d->root, NULL, version, sizeof(version), "/sys/module/migd/version");
}

int doctor_module_file(const struct doctor *d, char *path, size_t size)
{
	char release[128], *line = NULL, *end;
	size_t alloc = 0;
	int r = -ENOENT;
	FILE *file;

	if (doctor_release(d, release, sizeof(release)) < 0)
		return r;
	file = procfs_open(d->root, "/lib/modules/%s/modules.dep", release);
	if (!file)
		return r;
	while (r < 0 && getline(&line, &alloc, file) > 0) {
		const char *base;

		end = strchr(line, ':');
		if (!end)
			continue;
		*end = '\0';
		base = strrchr(line, '/');
		base = base ? base + 1 : line;
		if (strncmp(base, "migd.ko", 7) || (base[7] && base[7] != '.'))
			continue;
		if (snprintf(path, size, "/lib/modules/%s/%s", release, line) < (int)size)
			r = 0;
	}
	free(line);
	fclose(file);
	return r;
}

void doctor_module(const struct doctor *d, struct finding *f)
{
	char version[64], path[1024], release[128] = "";
	bool installed = !doctor_module_file(d, path, sizeof(path));

	doctor_release(d, release, sizeof(release));
	if (!procfs_value(d->root, NULL, version, sizeof(version), "/sys/module/migd/version")) {
		found(f, "migd %s is loaded", version);
		if (installed)
			return;
		found_bad(f, DOCTOR_WARN, "migd %s is loaded, but not installed for kernel %s",
			  version, release);
		found_fix(f, "install it, or it is gone after a reboot: `dkms autoinstall -k %s`, with the headers of that kernel installed",
			  release);
		return;
	}
	if (!installed) {
		found_bad(f, DOCTOR_FAIL, "migd is neither loaded nor installed for kernel %s",
			  release);
		found_fix(f, "install linux-headers-%s, then `dkms autoinstall -k %s`; `depmod` if the file is there already",
			  release, release);
		return;
	}
	/* The daemon's unit loads it, so without the daemon nothing is amiss. */
	found_bad(f, d->running ? DOCTOR_FAIL : DOCTOR_WARN, "%s is installed, but not loaded",
		  path);
	found_fix(f, d->running ? "run `modprobe migd`; dmesg says why if that fails" :
		  "the start of migd.service loads it; by hand: `modprobe migd`");
}
