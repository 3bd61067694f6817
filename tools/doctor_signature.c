// SPDX-License-Identifier: GPL-2.0
/* Check of the module's signature: does this kernel take it, and if not, what to enrol. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doctor.h"
#include "procfs.h"

/* A signed module ends with this, uncompressed. */
#define MAGIC		"~Module signature appended~\n"
#define MOK		"/var/lib/dkms/mok.pub"
#define SECURE_BOOT	"/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"

enum secure_boot { NO_UEFI, BOOT_UNKNOWN, BOOT_OFF, BOOT_ON };

/* Four bytes of attributes, then the value. */
static enum secure_boot secure_boot(const struct doctor *d)
{
	FILE *file = procfs_open(d->root, SECURE_BOOT);
	unsigned char bytes[5];
	size_t n;

	if (!file) {
		file = procfs_open(d->root, "/sys/firmware/efi/fw_platform_size");
		if (!file)
			return NO_UEFI;
		fclose(file);
		return BOOT_UNKNOWN;
	}
	n = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	if (n != sizeof(bytes))
		return BOOT_UNKNOWN;
	return bytes[4] ? BOOT_ON : BOOT_OFF;
}

/* Why the kernel takes signed modules only; NULL when it takes any. */
static const char *enforcing(const struct doctor *d)
{
	char value[128];

	if (!procfs_value(d->root, NULL, value, sizeof(value), "/sys/kernel/security/lockdown") &&
	    !strstr(value, "[none]"))
		return "the kernel is locked down";
	if (!procfs_value(d->root, NULL, value, sizeof(value),
			  "/sys/module/module/parameters/sig_enforce") && !strcmp(value, "Y"))
		return "module.sig_enforce is set";
	return NULL;
}

static const char *boot_words(enum secure_boot boot)
{
	switch (boot) {
	case NO_UEFI:
		return "no UEFI";
	case BOOT_OFF:
		return "Secure Boot is off";
	case BOOT_ON:
		return "Secure Boot is on";
	case BOOT_UNKNOWN:
		break;
	}
	return "whether Secure Boot is on cannot be read";
}

/* Whether the file ends with a signature; compressed ones are not looked into. */
static int is_signed(const struct doctor *d, const char *path)
{
	size_t len = strlen(path);
	char end[sizeof(MAGIC)] = "";
	FILE *file;
	int r;

	if (len < 3 || strcmp(path + len - 3, ".ko"))
		return -ENOTSUP;
	file = procfs_open(d->root, "%s", path);
	if (!file)
		return -errno;
	r = 0;
	if (!fseek(file, -(long)strlen(MAGIC), SEEK_END) &&
	    fread(end, 1, strlen(MAGIC), file) == strlen(MAGIC))
		r = !strcmp(end, MAGIC);
	fclose(file);
	return r;
}

static void fix_enrol(const struct doctor *d, struct finding *f)
{
	FILE *key = procfs_open(d->root, MOK);

	if (!key) {
		found_fix(f, "build the module with dkms, which makes a key and signs with it; then `mokutil --import "
			  MOK "`, reboot and choose \"Enroll MOK\"");
		return;
	}
	fclose(key);
	found_fix(f, "`dkms install --force migd/" MIGCTL_VERSION "` signs it anew; enrol the key of dkms with `mokutil --import "
		  MOK "`, reboot and choose \"Enroll MOK\" with the password given there");
}

static void check_loaded(const struct doctor *d, struct finding *f, enum secure_boot boot,
			 const char *why)
{
	char taint[32] = "";

	procfs_value(d->root, NULL, taint, sizeof(taint), "/sys/module/migd/taint");
	if (!strchr(taint, 'E')) {
		found(f, "the module is signed with a key that the kernel knows; %s",
		      boot_words(boot));
	} else if (why || boot == BOOT_ON) {
		/* It came in before the door was shut: not the next time. */
		found_bad(f, DOCTOR_WARN, "the module is unsigned but loaded; %s%s%s",
			  boot_words(boot), why ? ", and " : "", why ? why : "");
		fix_enrol(d, f);
	} else {
		found(f, "the module is unsigned, and the kernel takes it; %s",
		      boot_words(boot));
	}
}

void doctor_signature(const struct doctor *d, struct finding *f)
{
	enum secure_boot boot = secure_boot(d);
	const char *why = enforcing(d);
	char path[1024];
	int r;

	if (doctor_module_loaded(d)) {
		check_loaded(d, f, boot, why);
		return;
	}
	if (doctor_module_file(d, path, sizeof(path)) < 0) {
		found(f, "%s, and %s", boot_words(boot),
		      why ? why : "the kernel takes unsigned modules");
		if (!why)
			return;
		found_bad(f, DOCTOR_WARN, "%s, and %s: a module of one's own must be signed",
			  boot_words(boot), why);
		fix_enrol(d, f);
		return;
	}
	if (!why) {
		found(f, "%s, and the kernel takes unsigned modules", boot_words(boot));
		return;
	}
	r = is_signed(d, path);
	if (!r) {
		found_bad(f, DOCTOR_FAIL, "%s is unsigned; %s, and %s", path, boot_words(boot),
			  why);
		fix_enrol(d, f);
	} else if (r < 0) {
		found_bad(f, DOCTOR_WARN, "%s cannot be looked into for a signature; %s, and %s",
			  path, boot_words(boot), why);
		found_fix(f, "see `modinfo -F signer migd`; if it says nothing, or `modprobe migd` says \"Key was rejected by service\": `mokutil --import "
			  MOK "`, reboot and choose \"Enroll MOK\"");
	} else {
		found_bad(f, DOCTOR_WARN, "the module is signed; whether with an enrolled key, its loading will tell; %s, and %s",
			  boot_words(boot), why);
		found_fix(f, "when `modprobe migd` says \"Key was rejected by service\": `mokutil --import "
			  MOK "`, reboot and choose \"Enroll MOK\"; `mokutil --test-key " MOK
			  "` says whether it is enrolled");
	}
}
