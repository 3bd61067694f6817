/* SPDX-License-Identifier: GPL-2.0 */
/* The memory policies in /proc/PID/numa_maps. */
#ifndef MIGCTL_NUMA_MAPS_H
#define MIGCTL_NUMA_MAPS_H

#include <stdio.h>
#include <linux/types.h>

/*
 * struct policy_use - one policy and the mappings that have it
 *
 * @policy:	as the kernel writes it, such as "bind:0"
 * @mappings:	mappings with pages on the source
 * @pages:	their pages on the source
 * @first:	address of the first
 */
struct policy_use {
	char policy[128];
	__u64 mappings, pages, first;
};

/*
 * Tell each policy that names nodes but not @to, of mappings with pages on
 * @from (-1: on any node but @to). Returns 0 or -errno of the file.
 */
int numa_maps_policies(FILE *file, int from, int to,
		       void (*tell)(const struct policy_use *use, void *userdata),
		       void *userdata);

#endif /* MIGCTL_NUMA_MAPS_H */
