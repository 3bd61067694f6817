// SPDX-License-Identifier: GPL-2.0
/*
 * present PID: the address of each anonymous page that the process has in memory,
 * one a line, in hexadecimal and in order.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Bits of an entry of /proc/PID/pagemap, see the kernel's pagemap.rst. */
#define PRESENT		(1ULL << 63)
#define OF_A_FILE	(1ULL << 61)	/* or of shared memory */

static int complain(const char *pid, const char *file)
{
	fprintf(stderr, "present: /proc/%s/%s: %s\n", pid, file, strerror(errno));
	return 1;
}

static int print_range(int pagemap, uint64_t start, uint64_t end, uint64_t size)
{
	uint64_t entry[512];
	ssize_t bytes, i;

	while (start < end) {
		uint64_t pages = (end - start) / size;

		if (pages > sizeof(entry) / sizeof(entry[0]))
			pages = sizeof(entry) / sizeof(entry[0]);
		bytes = pread(pagemap, entry, pages * sizeof(entry[0]),
			      (off_t)(start / size * sizeof(entry[0])));
		if (bytes < 0)
			return -1;
		/* a mapping of the kernel's own, which pagemap knows nothing of */
		if (bytes < (ssize_t)sizeof(entry[0]))
			return 0;
		for (i = 0; i < bytes / (ssize_t)sizeof(entry[0]); i++, start += size)
			if ((entry[i] & (PRESENT | OF_A_FILE)) == PRESENT)
				printf("%012llx\n", (unsigned long long)start);
	}
	return 0;
}

int main(int argc, char **argv)
{
	uint64_t size = (uint64_t)sysconf(_SC_PAGESIZE);
	unsigned long long start, end;
	char path[64], line[512];
	int pagemap;
	FILE *maps;

	if (argc != 2) {
		fputs("Usage: present PID\n", stderr);
		return 2;
	}
	snprintf(path, sizeof(path), "/proc/%s/pagemap", argv[1]);
	pagemap = open(path, O_RDONLY | O_CLOEXEC);
	if (pagemap < 0)
		return complain(argv[1], "pagemap");
	snprintf(path, sizeof(path), "/proc/%s/maps", argv[1]);
	maps = fopen(path, "re");
	if (!maps)
		return complain(argv[1], "maps");
	while (fgets(line, sizeof(line), maps))
		if (sscanf(line, "%llx-%llx", &start, &end) == 2 &&
		    print_range(pagemap, start, end, size))
			return complain(argv[1], "pagemap");
	fclose(maps);
	close(pagemap);
	return fflush(stdout) ? 1 : 0;
}
