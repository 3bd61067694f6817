/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What can go wrong with a request, as the bus tells it: a D-Bus error name and
 * one sentence with the cause and the next step. One table, in errors.c, ties
 * each id to its name and to the errno that stands for it inside the daemon.
 */
#ifndef MIGD_ERRORS_H
#define MIGD_ERRORS_H

#define FAULT_TEXT_LEN	384

enum fault_id {
	FAULT_NONE,
	FAULT_NO_SUCH_PROCESS,
	FAULT_KERNEL_THREAD,
	FAULT_NOT_ALLOWED,
	FAULT_NO_SUCH_NODE,
	FAULT_NODE_WITHOUT_MEMORY,
	FAULT_NODE_FORBIDDEN,
	FAULT_NO_MEMORY,
	FAULT_MODULE_MISSING,
	FAULT_VERSION_MISMATCH,
	FAULT_NO_SUCH_JOB,
	FAULT_NO_SUCH_GROUP,
	FAULT_NO_SUCH_UNIT,
	FAULT_NO_SUCH_CGROUP,
	FAULT_NO_SUCH_ENGINE,
	FAULT_INVALID_OPTION,
	FAULT_INVALID_ARGUMENT,
	FAULT_TOO_MANY_JOBS,
	FAULT_BUSY,
	FAULT_FAILED,
	FAULT_MAX_,
};

struct fault {
	enum fault_id id;
	char text[FAULT_TEXT_LEN];
};

/* Fill in @f and return the negative errno of @id. */
int fault_set(struct fault *f, enum fault_id id, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The D-Bus name of @id, "org.migd1.Error.*". */
const char *fault_name(enum fault_id id);

/* The id that stands for what the module answered to a job-submit. */
enum fault_id fault_of_submit(int err);

#endif /* MIGD_ERRORS_H */
