// SPDX-License-Identifier: GPL-2.0
/* /dev/migd. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "device.h"

static int open_node(struct device *d, struct fault *f)
{
	int err;

	d->fd = open(DEVICE_PATH, O_RDWR | O_CLOEXEC);
	if (d->fd >= 0)
		return 0;
	err = errno;
	switch (err) {
	case ENOENT:
	case ENXIO:
	case ENODEV:
		fault_set(f, FAULT_MODULE_MISSING,
			  "the kernel module migd is not loaded: modprobe migd");
		break;
	case EBUSY:
		fault_set(f, FAULT_BUSY,
			  "%s is in use by another daemon: stop that one first (fuser -v %s names it)",
			  DEVICE_PATH, DEVICE_PATH);
		break;
	case EACCES:
		fault_set(f, FAULT_MODULE_MISSING,
			  "%s may not be opened by the user of the daemon (%s): install the udev rule of migd, then systemctl restart migd",
			  DEVICE_PATH, strerror(err));
		break;
	case EPERM:
		fault_set(f, FAULT_MODULE_MISSING,
			  "%s is not among the devices that systemd lets the daemon open: systemctl restart migd",
			  DEVICE_PATH);
		break;
	default:
		fault_set(f, FAULT_FAILED, "%s cannot be opened (%s): see dmesg", DEVICE_PATH,
			  strerror(err));
	}
	return -err;
}

static int set_up(struct device *d, struct fault *f)
{
	int err;

	if (!ioctl(d->fd, MIGD_IOC_SETUP, &d->setup))
		return 0;
	err = errno;
	if (err == EPROTO)
		fault_set(f, FAULT_VERSION_MISMATCH,
			  "daemon " MIGD_VERSION " speaks device ABI %u but the kernel module %.*s speaks %u: install both from one version, then modprobe -r migd; systemctl restart migd",
			  MIGD_ABI_VERSION, MIGD_VERSION_LEN, d->setup.version,
			  d->setup.abi_version);
	else
		fault_set(f, FAULT_FAILED,
			  "the kernel module refuses to be set up (%s): see dmesg",
			  strerror(err));
	return -err;
}

int device_open(struct device *d, unsigned int queues, unsigned int depth,
		unsigned int batch_pages, struct fault *f)
{
	void *map;
	int r;

	*d = (struct device) {
		.fd = -1,
		.setup = {
			.abi_version = MIGD_ABI_VERSION,
			.features = MIGD_FEAT_DMA | MIGD_FEAT_STATE_FIRST,
			.nr_queues = queues,
			.depth = depth,
			.max_batch_pages = batch_pages,
		},
	};
	r = open_node(d, f);
	if (r < 0)
		return r;
	r = set_up(d, f);
	if (r < 0)
		goto err;

	d->map_bytes = d->setup.map_bytes;
	if (d->map_bytes < (size_t)d->setup.nr_queues * d->setup.depth * sizeof(*d->desc)) {
		r = fault_set(f, FAULT_FAILED,
			      "the kernel module offers too small a descriptor mapping: reinstall it");
		goto err;
	}
	map = mmap(NULL, d->map_bytes, PROT_READ, MAP_SHARED, d->fd, 0);
	if (map == MAP_FAILED) {
		r = -errno;
		fault_set(f, FAULT_FAILED, "the descriptors of %s cannot be mapped (%s): see dmesg",
			  DEVICE_PATH, strerror(-r));
		goto err;
	}
	d->desc = map;
	return 0;

err:
	close(d->fd);
	d->fd = -1;
	return r;
}

void device_close(struct device *d)
{
	if (d->fd < 0)
		return;
	if (d->desc)
		munmap((void *)d->desc, d->map_bytes);
	d->desc = NULL;
	close(d->fd);
	d->fd = -1;
}
