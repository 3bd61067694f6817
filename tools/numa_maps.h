/* SPDX-License-Identifier: GPL-2.0 */
/* Pages and memory policies in /proc/PID/numa_maps. */
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
 * struct numa_pages - pages on the source, in base pages
 *
 * @own:	anonymous memory
 * @shared:	memory that processes share: memfd, SysV, /dev/shm
 * @huge:	hugetlb, of either kind
 * @files:	mappings of files: page cache, and pages of it that were changed
 */
struct numa_pages {
	__u64 own, shared, huge, files;
};

/*
 * struct numa_mapping - one mapping, in base pages
 *
 * @start:	its address
 * @name:	a hash of its file's name, if it is shared memory; 0 if it is not
 * @source:	pages on the source
 * @dest:	pages on the destination
 */
struct numa_mapping {
	__u64 start, name, source, dest;
};

/*
 * Each mapping but those of files, in the order of their addresses, until @take
 * answers a negative errno. Returns 0, that errno, or that of the file.
 */
int numa_maps_each(FILE *file, int from, int to,
		   int (*take)(const struct numa_mapping *mapping, void *userdata),
		   void *userdata);

/* Count the pages on @from (-1: on any node but @to). Returns 0 or -errno. */
int numa_maps_pages(FILE *file, int from, int to, struct numa_pages *ret);

/*
 * Tell each policy that names nodes but not @to, of mappings with pages on
 * @from (-1: on any node but @to). Returns 0 or -errno of the file.
 */
int numa_maps_policies(FILE *file, int from, int to,
		       void (*tell)(const struct policy_use *use, void *userdata),
		       void *userdata);

#endif /* MIGCTL_NUMA_MAPS_H */
