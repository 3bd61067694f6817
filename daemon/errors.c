// SPDX-License-Identifier: GPL-2.0
/* Names and errnos of the faults of the bus. */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include "errors.h"
#include "text.h"

#define NAME(n) "org.migd1.Error." n

static const struct {
	const char *name;
	int err;
} faults[FAULT_MAX_] = {
	[FAULT_NO_SUCH_PROCESS]		= { NAME("NoSuchProcess"), ESRCH },
	[FAULT_KERNEL_THREAD]		= { NAME("KernelThread"), EINVAL },
	[FAULT_NOT_ALLOWED]		= { NAME("NotAllowed"), EPERM },
	[FAULT_NO_SUCH_NODE]		= { NAME("NoSuchNode"), ENODEV },
	[FAULT_NODE_WITHOUT_MEMORY]	= { NAME("NodeWithoutMemory"), ENODEV },
	[FAULT_NODE_FORBIDDEN]		= { NAME("NodeForbidden"), EPERM },
	[FAULT_NO_MEMORY]		= { NAME("NoMemory"), ENOMEM },
	[FAULT_MODULE_MISSING]		= { NAME("ModuleMissing"), ENOENT },
	[FAULT_VERSION_MISMATCH]	= { NAME("VersionMismatch"), EPROTO },
	[FAULT_NO_SUCH_JOB]		= { NAME("NoSuchJob"), ENOENT },
	[FAULT_NO_SUCH_GROUP]		= { NAME("NoSuchGroup"), ENOENT },
	[FAULT_NO_SUCH_UNIT]		= { NAME("NoSuchUnit"), ENOENT },
	[FAULT_NO_SUCH_CGROUP]		= { NAME("NoSuchCgroup"), ENOENT },
	[FAULT_NO_SUCH_ENGINE]		= { NAME("NoSuchEngine"), ENODEV },
	[FAULT_INVALID_OPTION]		= { NAME("InvalidOption"), EINVAL },
	[FAULT_INVALID_ARGUMENT]	= { NAME("InvalidArgument"), EINVAL },
	[FAULT_TOO_MANY_JOBS]		= { NAME("TooManyJobs"), EBUSY },
	[FAULT_BUSY]			= { NAME("Busy"), EBUSY },
	[FAULT_FAILED]			= { NAME("Failed"), EIO },
};

static const struct {
	int err;
	enum fault_id id;
} submit_faults[] = {
	{ ESRCH,	FAULT_NO_SUCH_PROCESS },
	{ EPERM,	FAULT_NOT_ALLOWED },
	{ EXDEV,	FAULT_NODE_FORBIDDEN },
	{ ENODEV,	FAULT_NO_SUCH_NODE },
	{ ENXIO,	FAULT_NODE_WITHOUT_MEMORY },
	{ ENOMEM,	FAULT_NO_MEMORY },
	{ ENOSPC,	FAULT_TOO_MANY_JOBS },
	{ EBUSY,	FAULT_BUSY },
	{ ENOTCONN,	FAULT_MODULE_MISSING },
	{ EINVAL,	FAULT_INVALID_ARGUMENT },
	{ EDEADLK,	FAULT_INVALID_ARGUMENT },
	{ E2BIG,	FAULT_INVALID_ARGUMENT },
	{ ERANGE,	FAULT_INVALID_ARGUMENT },
	{ EOPNOTSUPP,	FAULT_INVALID_ARGUMENT },
};

int fault_set(struct fault *f, enum fault_id id, const char *fmt, ...)
{
	va_list ap;

	f->id = id;
	va_start(ap, fmt);
	vsnprintf(f->text, sizeof(f->text), fmt, ap);
	va_end(ap);
	/* It may hold a cut name, or one that another process chose. */
	text_clean(f->text);
	return -faults[id].err;
}

const char *fault_name(enum fault_id id)
{
	if (id <= FAULT_NONE || id >= FAULT_MAX_)
		id = FAULT_FAILED;
	return faults[id].name;
}

enum fault_id fault_of_submit(int err)
{
	for (size_t i = 0; i < sizeof(submit_faults) / sizeof(submit_faults[0]); i++)
		if (submit_faults[i].err == -err)
			return submit_faults[i].id;
	return FAULT_FAILED;
}
