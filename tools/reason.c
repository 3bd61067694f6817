// SPDX-License-Identifier: GPL-2.0
/* Why pages were left, in words, and what to do about it. */
#include <string.h>

#include "job.h"
#include "text.h"

struct reason {
	const char *name;
	const char *meaning;
	const char *advice;
};

static const struct reason reasons[] = {
	{ "file", "page cache of files", "migratepages(8) moves what no other process maps" },
	{ "shmem", "shared memory that the daemon maps, too, or with state-first",
	  "migrate again with --order copy-first; migratepages(8) moves the rest" },
	{ "hugetlb", "hugetlb pages",
	  "free memory on the destination node, then migrate again" },
	{ "huge", "transparent huge pages", "migrate again without --leave-large" },
	{ "large", "large folios", "migrate again without --leave-large" },
	{ "ksm", "merged by KSM with pages of others",
	  "unmerge them with `echo 2 > /sys/kernel/mm/ksm/run`, then migrate again" },
	{ "special", "device memory or mappings without ordinary pages",
	  "it belongs to a driver and cannot be moved" },
	{ "tagged", "memory with MTE tags",
	  "migrate again, without --leave-large; pinned pages stay until they are unpinned" },
	{ "swap-cache", "in the swap cache, where state-first and atomic are not safe",
	  "migrate again with --order copy-first, without --atomic" },
	{ "refused", "pinned, or in use by the kernel",
	  "migrate again; pages pinned for I/O stay until they are unpinned" },
	{ "writeback", "being written to swap", "migrate again in a moment" },
	{ "poisoned", "the hardware reported a memory error",
	  "they cannot be moved; see `journalctl -k`" },
	{ "no-memory", "the destination node had no free page, or the kernel no memory for a batch",
	  "free memory there or choose another node, then migrate again" },
	{ "busy", "somebody used them while they were moved", "migrate again" },
	{ "copy-failed", "no engine could copy them",
	  "see `migctl engines`, then migrate again with --engine cpu" },
	{ "put-back", "the deadline passed while an engine could still write the copy",
	  "migrate again with a longer --deadline or fewer --batch-pages" },
	{ "unreached", "the job ended before it came to them", "migrate again" },
	{ "verify-failed", "an engine called a copy complete that was wrong",
	  "see `migctl engines` for the disabled one, then migrate again without it" },
	{ "atomic", "another page of their range could not be moved",
	  "see the other reasons, then migrate again" },
};

static const struct reason *find_in(const struct reason *table, size_t nr, const char *name)
{
	for (size_t i = 0; i < nr; i++)
		if (!strcmp(name, table[i].name))
			return &table[i];
	return NULL;
}

static const struct reason *find(const char *name)
{
	return find_in(reasons, ARRAY_SIZE(reasons), name);
}

/* Why processes were left out of a group. */
static const struct reason left_out[] = {
	{ "exited", "they exited before it was their turn", "nothing: they have no memory left" },
	{ "kernel", "kernel threads, which have no memory of their own", "nothing" },
	{ "daemon", "migd's own, which would wait for itself", "nothing" },
	{ "forbidden", "their cpuset does not allow the destination",
	  "add the node to cpuset.mems (AllowedMemoryNodes= of the unit), then migrate again" },
	{ "refused", "they could not be moved", "see the sentence below" },
	{ "cancelled", "their jobs were cancelled", "migrate again" },
	{ "foreign", "they are not your own, which are all that you may move",
	  "see PERMISSIONS in migd(8)" },
	{ "unvisited", "it ended before their turn", "migrate again" },
};

const char *reason_meaning(const char *name)
{
	const struct reason *reason = find(name);

	return reason ? reason->meaning : "a reason that this migctl does not know";
}

const char *reason_advice(const char *name)
{
	const struct reason *reason = find(name);

	return reason ? reason->advice : "see migctl(1) of the migd that runs";
}

const char *left_out_meaning(const char *name)
{
	const struct reason *reason = find_in(left_out, ARRAY_SIZE(left_out), name);

	return reason ? reason->meaning : "a reason that this migctl does not know";
}

const char *left_out_advice(const char *name)
{
	const struct reason *reason = find_in(left_out, ARRAY_SIZE(left_out), name);

	return reason ? reason->advice : "see migctl(1) of the migd that runs";
}
