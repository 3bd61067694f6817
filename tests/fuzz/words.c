// SPDX-License-Identifier: GPL-2.0
/* What migctl reads from its command line, from /sys and from numa_maps. */
#include "../../daemon/cgroup.h"
#include "fuzz.h"
#include "numa_maps.h"
#include "rangelist.h"
#include "text.h"

static void tell(const struct policy_use *use, void *userdata)
{
	insist(use->mappings && use->pages);
	insist(memchr(use->policy, '\0', sizeof(use->policy)));
}

static int take(const struct numa_mapping *mapping, void *userdata)
{
	return *(unsigned int *)userdata += !!mapping->name;
}

static void numa_maps(const uint8_t *data, size_t size)
{
	struct numa_pages pages;
	unsigned int shared = 0;
	FILE *f;

	if (!size)
		return;
	f = fmemopen((void *)data, size, "r");
	insist(f);
	insist(!numa_maps_policies(f, (int8_t)data[0] % 3, data[0] % 4, tell, NULL));
	rewind(f);
	insist(!numa_maps_pages(f, (int8_t)data[0] % 3, data[0] % 4, &pages));
	rewind(f);
	insist(!numa_maps_each(f, (int8_t)data[0] % 3, data[0] % 4, take, &shared));
	fclose(f);
}

/* What becomes a path below the root stays there. */
static void cgroup(const char *s)
{
	char path[CGROUP_PATH_LEN], again[CGROUP_PATH_LEN];

	if (cgroup_path(s, path) < 0)
		return;
	insist(path[0] == '/' && !strstr(path, "//") && strlen(path) < sizeof(path));
	insist(!strstr(path, "/../") && !strstr(path, "/./"));
	if (strncmp(path, CGROUP_ROOT, strlen(CGROUP_ROOT)))
		insist(!cgroup_path(path, again) && !strcmp(path, again));
}

static void values(const char *s)
{
	__u64 v, start, end;
	__u32 v32;
	char copy[8];

	if (!parse_u64(s, &v)) {
		insist(!parse_u32(s, &v32) == (v <= UINT32_MAX));
		insist(s[0] >= '0' && s[0] <= '9');
	}
	if (!parse_usec(s, &v))
		insist(strchr(s, 's'));
	parse_rate(s, &v);
	if (!parse_range(s, &start, &end))
		insist(start < end && strchr(s, '-'));
	text_copy(copy, sizeof(copy), s);
	insist(strlen(copy) < sizeof(copy));
	text_distance(s, "migrate");
	text_distance("migrate", s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *s = fuzz_string(data, size);

	values(s);
	rangelist_has(s, 1);
	insist(rangelist_meet(s, "0-3,8") == rangelist_meet("0-3,8", s));
	numa_maps(data, size);
	cgroup(s);
	free(s);
	return 0;
}
