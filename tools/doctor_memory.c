// SPDX-License-Identifier: GPL-2.0
/* Checks of what the kernel does with memory and nodes, beside us and against us. */
#include <stdio.h>
#include <string.h>

#include "doctor.h"
#include "preflight.h"
#include "procfs.h"
#include "rangelist.h"
#include "tiers.h"

static int nodes_with_memory(const struct doctor *d, char *nodes, size_t size)
{
	return procfs_value(d->root, NULL, nodes, size, "/sys/devices/system/node/has_memory");
}

static unsigned int count(const char *list)
{
	unsigned int n = 0;

	for (int i = 0; i < RANGELIST_MAX; i++)
		n += rangelist_has(list, i);
	return n;
}

void doctor_nodes(const struct doctor *d, struct finding *f)
{
	char nodes[1024] = "";
	unsigned int nr;

	nodes_with_memory(d, nodes, sizeof(nodes));
	nr = count(nodes);
	if (nr > 1) {
		found(f, "%u nodes with memory: %s", nr, nodes);
		return;
	}
	found_bad(f, DOCTOR_FAIL, "there is only one node with memory: nothing can be moved");
	found_fix(f, "bring memory of another node online (CXL: `daxctl reconfigure-device --mode=system-ram`), enable NUMA in the firmware, or boot with numa=fake=2 for a trial");
}

void doctor_cpuset(const struct doctor *d, struct finding *f)
{
	char nodes[1024] = "", allowed[1024] = "", file[2304];
	bool closed = false;

	nodes_with_memory(d, nodes, sizeof(nodes));
	if (procfs_value(d->root, "Mems_allowed_list:", allowed, sizeof(allowed),
			 "/proc/self/status") < 0) {
		found(f, "the kernel has no cpusets");
		return;
	}
	for (int i = 0; i < RANGELIST_MAX; i++)
		closed |= rangelist_has(nodes, i) && !rangelist_has(allowed, i);
	if (!closed) {
		found(f, "a process that is started here may use all nodes");
		return;
	}
	preflight_cpuset_file(d->root, "self", file, sizeof(file));
	found_bad(f, DOCTOR_WARN, "a process that is started here may only use node %s, and cannot be moved to others",
		  allowed);
	found_fix(f, "add the nodes to %s, or start it in another cgroup", file);
}

void doctor_balancing(const struct doctor *d, struct finding *f)
{
	char mode[32];

	if (!preflight_balancing(d->root, mode, sizeof(mode))) {
		found(f, "NUMA balancing is off");
		return;
	}
	found_bad(f, DOCTOR_WARN, "NUMA balancing is on (mode %s): the kernel moves pages back to where threads use them",
		  mode);
	found_fix(f, "run `sysctl kernel.numa_balancing=0`, or move the threads with the memory (`taskset -apc`)");
}

void doctor_tiers(const struct doctor *d, struct finding *f)
{
	struct tier tiers[TIERS_MAX];
	unsigned int nr = tiers_list(d->root, tiers);
	char text[512] = "";
	size_t used = 0;

	for (unsigned int i = 0; i < nr && used < sizeof(text); i++)
		used += snprintf(text + used, sizeof(text) - used, "%s%s has node %s",
				 i ? ", " : "", tiers[i].name, tiers[i].nodes);
	if (nr < 2) {
		found(f, "%s: nothing is demoted", nr ? "all memory is in one tier" :
		      "the kernel has no memory tiers");
	} else if (!tiers_demote(d->root)) {
		found(f, "%s; demotion is off", text);
	} else {
		found_bad(f, DOCTOR_WARN, "demotion is on: reclaim moves cold pages to a slower tier, those that were moved up too (%s)",
			  text);
		found_fix(f, "run `echo false >/sys/kernel/mm/numa/demotion_enabled`, unless that is what is wanted");
	}
}

void doctor_pressure(const struct doctor *d, struct finding *f)
{
	char line[128];

	if (!procfs_value(d->root, NULL, line, sizeof(line), "/proc/pressure/memory")) {
		found(f, "the kernel tells of memory pressure, and jobs back off (`migctl policy`)");
		return;
	}
	found_bad(f, DOCTOR_WARN, "the kernel does not tell of memory pressure, so jobs do not back off when memory is short");
	found_fix(f, "boot with psi=1, and with a kernel that has CONFIG_PSI, or bound the jobs by `--max-rate`");
}

void doctor_thp(const struct doctor *d, struct finding *f)
{
	char modes[128], *mode;

	if (procfs_value(d->root, NULL, modes, sizeof(modes),
			 "/sys/kernel/mm/transparent_hugepage/enabled") < 0) {
		found(f, "the kernel has no transparent huge pages");
		return;
	}
	/* "always [madvise] never": the one that holds is in brackets. */
	mode = strchr(modes, '[');
	mode = mode ? mode + 1 : modes;
	mode[strcspn(mode, "]")] = '\0';
	if (!strcmp(mode, "never"))
		found(f, "no transparent huge pages are made");
	else
		found(f, "%s; huge pages are moved whole, by the CPU and not by DMA (`--leave-large` leaves them)",
		      mode);
}
