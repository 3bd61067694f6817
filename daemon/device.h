/* SPDX-License-Identifier: GPL-2.0 */
/* /dev/migd: opened, set up, its descriptors mapped. */
#ifndef MIGD_DEVICE_H
#define MIGD_DEVICE_H

#include <stddef.h>
#include <linux/migd.h>

#include "errors.h"

#define DEVICE_PATH	"/dev/" MIGD_DEVICE_NAME

struct device {
	int fd;				/* -1: closed */
	const struct migd_desc *desc;	/* entry queue * depth + slot */
	size_t map_bytes;
	struct migd_setup setup;	/* as the module answered it */
};

/*
 * Open the device for @queues queues of @depth slots. On an error @f says what
 * to do; -EACCES means that the node is there but not ours (yet), -EPERM that
 * systemd did not know it when it started us, -EBUSY that another daemon has it.
 */
int device_open(struct device *d, unsigned int queues, unsigned int depth,
		unsigned int batch_pages, struct fault *f);
void device_close(struct device *d);

#endif /* MIGD_DEVICE_H */
