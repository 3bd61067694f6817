/* SPDX-License-Identifier: GPL-2.0 */
/* The mappings of a process, from /proc/PID/smaps or /proc/PID/maps. */
#ifndef MIGCTL_MAPPINGS_H
#define MIGCTL_MAPPINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <linux/types.h>

/* Of the words of VmFlags, which only smaps has. */
enum {
	MAPPING_DEVICE = 1 << 0,	/* VM_IO or VM_PFNMAP: a job passes it over */
	MAPPING_SPECIAL = 1 << 1,	/* VM_DONTEXPAND or VM_MIXEDMAP */
	MAPPING_HUGETLB = 1 << 2,
	MAPPING_LOCKED = 1 << 3,
	MAPPING_MERGEABLE = 1 << 4,
	MAPPING_TAGGED = 1 << 5,	/* may have arm64 memory tags */
	MAPPING_UFFD = 1 << 6,		/* userfaultfd(2), in any mode */
};

struct mapping {
	__u64 start, end;
	char device[24];		/* with @inode: the file; inode 0 is none */
	__u64 inode;
	unsigned int flags;
	__u64 ksm_kb;			/* merged by KSM; all ones when it is not told */
	char name[128];
};

struct mappings {
	struct mapping *m;
	size_t nr;
};

/* Returns 0 or a negative errno; the list is to be freed in either case. */
int mappings_read(FILE *file, struct mappings *ret);
void mappings_free(struct mappings *list);

bool mappings_have_file(const struct mappings *list, const struct mapping *m);

/* "locked userfaultfd": what there is to know of it, "" for an ordinary one. */
void mapping_words(const struct mapping *m, char *words, size_t size);

#endif /* MIGCTL_MAPPINGS_H */
