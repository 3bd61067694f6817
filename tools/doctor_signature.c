// SPDX-License-Identifier: GPL-2.0
/* Check of the module's signature: does this kernel take it, and if not, what to enrol. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doctor.h"
#include "procfs.h"

/* A signed module ends with this, uncompressed. */
#define MAGIC		"~Module signature appended~\n"
#define MOK		"/var/lib/dkms/mok.pub"
#define ENROL		"run `mokutil --import " MOK "`, reboot, and choose \"Enroll MOK\" with the password given there"
/* The name in the key that dkms makes. */
#define DKMS_NAME	"DKMS module signing key"
/* A signature and what names its signer are within this from the end. */
#define TAIL		4096
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

enum signer { SIGNER_UNKNOWN, SIGNER_NONE, SIGNER_DKMS, SIGNER_OTHER };

/* Who signed the file; compressed ones are not looked into. */
static enum signer signer(const struct doctor *d, const char *path)
{
	size_t len = strlen(path), mark = strlen(MAGIC), n;
	char tail[TAIL];
	FILE *file;

	if (len < 3 || strcmp(path + len - 3, ".ko"))
		return SIGNER_UNKNOWN;
	file = procfs_open(d->root, "%s", path);
	if (!file)
		return SIGNER_UNKNOWN;
	/* A file that is shorter is read whole. */
	if (fseek(file, -TAIL, SEEK_END))
		rewind(file);
	n = fread(tail, 1, sizeof(tail), file);
	fclose(file);
	if (n < mark || memcmp(tail + n - mark, MAGIC, mark))
		return SIGNER_NONE;
	return memmem(tail, n, DKMS_NAME, strlen(DKMS_NAME)) ? SIGNER_DKMS : SIGNER_OTHER;
}

enum known { KEY_UNSEEN, KEY_ABSENT, KEY_KNOWN };

/* Whether the kernel has a key of dkms; root sees its keys, others not. */
static enum known dkms_key(const struct doctor *d)
{
	enum known known = KEY_UNSEEN;
	char *line = NULL;
	size_t size = 0;
	FILE *file;

	file = d->uid ? NULL : procfs_open(d->root, "/proc/keys");
	if (!file)
		return known;
	while (known != KEY_KNOWN && getline(&line, &size, file) > 0) {
		if (!strstr(line, " asymmetri"))
			continue;
		known = strstr(line, " " DKMS_NAME ": ") ? KEY_KNOWN : KEY_ABSENT;
	}
	free(line);
	fclose(file);
	return known;
}

static void fix_enrol(const struct doctor *d, struct finding *f)
{
	FILE *key = procfs_open(d->root, MOK);

	if (!key) {
		found_fix(f, "build the module with dkms, which makes a key and signs with it; then "
			  ENROL);
		return;
	}
	fclose(key);
	found_fix(f, "`dkms install --force migd/" MIGCTL_VERSION "` signs it anew; to enrol its key, "
		  ENROL);
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

/* Signed by dkms: false when it cannot be seen whether the kernel knows its key. */
static bool check_dkms(const struct doctor *d, struct finding *f, enum secure_boot boot,
		       const char *why)
{
	switch (dkms_key(d)) {
	case KEY_KNOWN:
		found(f, "the module is signed with the key of dkms, and the kernel has it; %s, and %s",
		      boot_words(boot), why);
		return true;
	case KEY_ABSENT:
		found_bad(f, DOCTOR_FAIL, "the module is signed with the key of dkms, which is not among the kernel's; %s, and %s",
			  boot_words(boot), why);
		found_fix(f, ENROL);
		return true;
	case KEY_UNSEEN:
		break;
	}
	return false;
}

void doctor_signature(const struct doctor *d, struct finding *f)
{
	enum secure_boot boot = secure_boot(d);
	const char *why = enforcing(d);
	char path[1024];

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
	switch (signer(d, path)) {
	case SIGNER_NONE:
		found_bad(f, DOCTOR_FAIL, "%s is unsigned; %s, and %s", path, boot_words(boot),
			  why);
		fix_enrol(d, f);
		return;
	case SIGNER_DKMS:
		if (check_dkms(d, f, boot, why))
			return;
		break;
	default:
		break;
	}
	found_bad(f, DOCTOR_WARN, "whether the kernel has the key of %s will show when it is loaded; %s, and %s",
		  path, boot_words(boot), why);
	found_fix(f, "if `modprobe migd` says \"Key was rejected by service\": " ENROL
		  "; `modinfo -F signer migd` names the key");
}
