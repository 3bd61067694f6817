// SPDX-License-Identifier: GPL-2.0
/*
 * present PID: the address of each anonymous page that the process has in memory,
 * one a line, in hexadecimal and in order.
 */
#include <stdio.h>

#include "pagemap.h"

static void print(const char *name, uint64_t addr, uint64_t entry)
{
	(void)name;
	if (!(entry & OF_A_FILE))
		printf("%012llx\n", (unsigned long long)addr);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fputs("Usage: present PID\n", stderr);
		return 2;
	}
	if (!pagemap_each(argv[1], print))
		return 1;
	return fflush(stdout) ? 1 : 0;
}
