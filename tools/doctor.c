// SPDX-License-Identifier: GPL-2.0
/* The checks of migctl doctor, and how they tell what they have found. */
#include <stdarg.h>
#include <stdio.h>

#include "doctor.h"

void found(struct finding *f, const char *format, ...)
{
	va_list ap;

	f->level = DOCTOR_OK;
	va_start(ap, format);
	vsnprintf(f->text, sizeof(f->text), format, ap);
	va_end(ap);
}

void found_bad(struct finding *f, enum doctor_level level, const char *format, ...)
{
	va_list ap;

	f->level = level;
	va_start(ap, format);
	vsnprintf(f->text, sizeof(f->text), format, ap);
	va_end(ap);
}

void found_fix(struct finding *f, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(f->fix, sizeof(f->fix), format, ap);
	va_end(ap);
}

const struct doctor_check doctor_checks[] = {
	{ "kernel", doctor_kernel },
	{ "io_uring", doctor_io_uring },
	{ "module", doctor_module },
	{ "signature", doctor_signature },
	{ "daemon", doctor_daemon },
	{ "versions", doctor_versions },
	{ "permission", doctor_permission },
	{ "limits", doctor_limits },
	{ "nodes", doctor_nodes },
	{ "cpuset", doctor_cpuset },
	{ "balancing", doctor_balancing },
	{ "tiers", doctor_tiers },
	{ "pressure", doctor_pressure },
	{ "thp", doctor_thp },
	{ "channels", doctor_channels },
	{ "engines", doctor_engines },
	{ "iommu", doctor_iommu },
	{ }
};
