// SPDX-License-Identifier: GPL-2.0
/*
 * The process whose pages move: it touches them once, then sleeps. Linked
 * statically, because migrate_pages(2) as root moves the pages of shared
 * libraries too, at many times the price of a page that one process maps.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <signal.h>
#include <unistd.h>

/* migd-bench-target MIB FD: tells the address on FD when all is touched */
int main(int argc, char **argv)
{
	size_t page_size = sysconf(_SC_PAGESIZE);
	size_t size;
	char *start;

	if (argc != 3)
		return 2;
	size = strtoul(argv[1], NULL, 10) << 20;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0))
		return 1;
	start = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (start == MAP_FAILED)
		return 1;
	for (size_t at = 0; at < size; at += page_size)
		memset(start + at, (at / page_size) % 255 + 1, page_size);
	if (write(atoi(argv[2]), &start, sizeof(start)) != sizeof(start))
		return 1;
	for (;;)
		pause();
}
