// SPDX-License-Identifier: GPL-2.0
/* Whether the daemon serves, as it says itself. */
#include <string.h>

#include "ready.h"
#include "text.h"

static int read_text(sd_bus_message *m, char *dst, size_t size)
{
	const char *text;
	int r;

	r = sd_bus_message_read(m, "v", "s", &text);
	if (r >= 0)
		text_copy(dst, size, text);
	return r;
}

int ready_read(sd_bus_message *m, const char *name, void *userdata)
{
	struct ready *ready = userdata;

	if (!strcmp(name, "Version"))
		return read_text(m, ready->version, sizeof(ready->version));
	if (!strcmp(name, "ModuleVersion"))
		return read_text(m, ready->module_version, sizeof(ready->module_version));
	if (!strcmp(name, "ModuleError"))
		return read_text(m, ready->error, sizeof(ready->error));
	if (!strcmp(name, "Ready"))
		return sd_bus_message_read(m, "v", "b", &ready->ready);
	return sd_bus_message_skip(m, "v");
}
