/* SPDX-License-Identifier: GPL-2.0 */
/* The manager's properties; they are there without a module too. */
#ifndef MIGCTL_READY_H
#define MIGCTL_READY_H

#include <systemd/sd-bus.h>

struct ready {
	char version[32], module_version[32], error[512];
	int ready;
};

/* For client_each_property(): takes what struct ready, @userdata, has a place for. */
int ready_read(sd_bus_message *m, const char *name, void *userdata);

#endif /* MIGCTL_READY_H */
