// SPDX-License-Identifier: GPL-2.0
/* Checks of the DMA channels: whose they are, how they do, and what is before them. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doctor.h"
#include "json.h"
#include "procfs.h"

#define DMA_CLASS	"/sys/class/dma"
#define LIST_LEN	256

static const json_t *find_engine(const struct doctor *d, const char *name)
{
	const json_t *engines = json_object_get(d->all, "engines"), *engine;
	size_t i;

	json_array_foreach(engines, i, engine)
		if (!strcmp(json_str(engine, "name"), name))
			return engine;
	return NULL;
}

/* Append "NAME" or "NAME (WORDS)" to a list; one that is full ends in "...". */
static void add(char list[static LIST_LEN], const char *name, const char *words)
{
	size_t used = strlen(list);
	int n;

	if (used >= 4 && !strcmp(list + used - 4, " ..."))
		return;
	n = snprintf(list + used, LIST_LEN - used, words && *words ? "%s%s (%s)" : "%s%s",
		     used ? ", " : "", name, words);
	if (n >= (int)(LIST_LEN - used - sizeof(" ...")))
		snprintf(list + used, LIST_LEN - used, " ...");
}

/* Call @take for each channel of the kernel, in order; returns how many there are. */
static unsigned int each_channel(const struct doctor *d,
				 void (*take)(const struct doctor *d, const char *name, void *arg),
				 void *arg)
{
	char path[PROCFS_PATH];
	struct dirent **names;
	unsigned int nr = 0;
	int n;

	snprintf(path, sizeof(path), "%s" DMA_CLASS, d->root);
	n = scandir(path, &names, NULL, versionsort);
	for (int i = 0; i < n; i++) {
		if (names[i]->d_name[0] != '.') {
			take(d, names[i]->d_name, arg);
			nr++;
		}
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	return nr;
}

struct channels {
	unsigned int ours, held, free;
	char claimed[LIST_LEN], others[LIST_LEN], left[LIST_LEN];
};

/* Who holds a channel, as the kernel tells root; else its driver. */
static void holder(const struct doctor *d, const char *name, char *words, size_t size)
{
	char key[64], client[64];

	snprintf(key, sizeof(key), " %-13s|", name);
	if (!procfs_value(d->root, key, client, sizeof(client),
			  "/sys/kernel/debug/dmaengine/summary") && strcmp(client, "in-use"))
		snprintf(words, size, "%s", client);
}

static void take_channel(const struct doctor *d, const char *name, void *arg)
{
	char driver[64] = "", users[16] = "0";
	struct channels *c = arg;

	procfs_link(d->root, driver, sizeof(driver), DMA_CLASS "/%s/device/driver", name);
	procfs_value(d->root, NULL, users, sizeof(users), DMA_CLASS "/%s/in_use", name);
	if (find_engine(d, name)) {
		c->ours++;
		add(c->claimed, name, driver);
	} else if (strcmp(users, "0")) {
		c->held++;
		holder(d, name, driver, sizeof(driver));
		add(c->others, name, driver);
	} else {
		c->free++;
		add(c->left, name, driver);
	}
}

void doctor_channels(const struct doctor *d, struct finding *f)
{
	static const char why_free[] =
		", as they cannot copy memory, Channels= leaves them out or they were released";
	struct channels c = { };
	unsigned int nr = each_channel(d, take_channel, &c);
	char rest[2 * LIST_LEN + 128] = "";
	size_t used = 0;

	if (!nr) {
		found_bad(f, DOCTOR_WARN, "the kernel has no DMA channel: the CPU copies");
		found_fix(f, "load the driver of the machine's DMA engine, if it has one (ioatdma and idxd on Intel, ptdma on AMD)");
		return;
	}
	if (c.held)
		used = snprintf(rest, sizeof(rest), "; held by others: %s", c.others);
	if (c.free)
		snprintf(rest + used, sizeof(rest) - used, "; free%s: %s",
			 d->says.ready ? why_free : "", c.left);
	if (!d->all) {
		/* Without the daemon none can be ours. */
		found(f, "%u found%s; the daemon claims those that can copy memory when it runs",
		      nr, rest);
	} else if (c.ours) {
		found(f, "%u of %u claimed by migd: %s%s", c.ours, nr, c.claimed, rest);
	} else if (!d->says.ready) {
		found_bad(f, DOCTOR_WARN, "%u found, none claimed, as the daemon does not serve%s",
			  nr, rest);
		found_fix(f, "see the check of the daemon");
	} else {
		found_bad(f, DOCTOR_WARN, "none of %u is claimed by migd: the CPU copies%s", nr,
			  rest);
		found_fix(f, "see Channels= in /etc/migd/migd.conf, and try `migctl engines claim NAME`; channels that serve devices only (slave) cannot be had");
	}
}

void doctor_engines(const struct doctor *d, struct finding *f)
{
	const json_t *engines = json_object_get(d->all, "engines"), *engine;
	char sick[LIST_LEN] = "";
	unsigned int ready = 0;
	const char *state;
	__u64 held = 0;
	size_t i;

	if (!json_array_size(engines)) {
		found(f, "none: the daemon does not serve");
		return;
	}
	json_array_foreach(engines, i, engine) {
		state = json_str(engine, "state");
		if (!strcmp(state, "ready"))
			ready++;
		else
			add(sick, json_str(engine, "name"), state);
		held += json_u64(engine, "quarantined");
	}
	if (!sick[0] && !held) {
		found(f, "%u ready", ready);
		return;
	}
	found_bad(f, DOCTOR_WARN, "%u ready, not ready: %s; %llu pages in quarantine", ready,
		  sick[0] ? sick : "none", held);
	found_fix(f, "see `migctl engines` and `journalctl -u migd.service`; `migctl engines release NAME`, then `claim NAME`, takes one anew");
}

struct domains {
	unsigned int strict, lazy, identity, other, none;
	char names[LIST_LEN];
};

static void take_domain(const struct doctor *d, const char *name, void *arg)
{
	struct domains *t = arg;
	char type[32];

	if (procfs_value(d->root, NULL, type, sizeof(type),
			 DMA_CLASS "/%s/device/iommu_group/type", name) < 0) {
		t->none++;
		return;
	}
	if (!strcmp(type, "DMA"))
		t->strict++;
	else if (!strcmp(type, "DMA-FQ"))
		t->lazy++;
	else if (!strcmp(type, "identity"))
		t->identity++;
	else
		t->other++;
	add(t->names, name, type);
}

void doctor_iommu(const struct doctor *d, struct finding *f)
{
	struct domains t = { };
	unsigned int nr = each_channel(d, take_domain, &t);

	if (!nr) {
		found(f, "no DMA channel that it could be in the way of");
	} else if (t.none == nr) {
		found(f, "none before the channels: nothing is mapped for a copy");
	} else if (t.other) {
		found_bad(f, DOCTOR_WARN, "a group is of a type that the kernel's drivers do not use: %s",
			  t.names);
		found_fix(f, "see /sys/kernel/iommu_groups/*/type, and who took the device (vfio?)");
	} else if (t.strict) {
		found_bad(f, DOCTOR_WARN, "strict before %u of %u channels: the pages of each batch are mapped for it, and the IOMMU's cache is flushed at each unmapping",
			  t.strict, nr);
		found_fix(f, "boot with iommu.strict=0 (lazy) or iommu.passthrough=1 (none) if that protection is not wanted");
	} else if (t.lazy) {
		found(f, "lazy (DMA-FQ) before %u of %u channels: the pages of each batch are mapped for it; the IOMMU's cache is flushed for many at a time",
		      t.lazy, nr);
	} else {
		found(f, "identity before %u of %u channels: nothing is mapped for a copy",
		      t.identity, nr);
	}
}
