// SPDX-License-Identifier: GPL-2.0
/*
 * descriptors DAEMON FILE: as root, nobody makes the descriptors writable: not
 * those of the daemon, of which FILE gets a copy, and, when the daemon is 0, not
 * those of one's own.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/migd.h>
#include <liburing.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../kernel/check.h"

static char before[65536], after[65536];

/* Where process @pid has its descriptors. */
static size_t find(pid_t pid, unsigned long *ret)
{
	unsigned long start, end;
	char path[64], line[512];
	size_t bytes = 0;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = fopen(path, "re");
	check(maps, "%s: %s", path, strerror(errno));
	while (fgets(line, sizeof(line), maps)) {
		if (!strstr(line, "/dev/migd"))
			continue;
		check(sscanf(line, "%lx-%lx", &start, &end) == 2, "%s", line);
		check(strstr(line, " r--s "), "the descriptors are not mapped read-only: %s", line);
		*ret = start;
		bytes = end - start;
	}
	fclose(maps);
	check(bytes && bytes <= sizeof(before), "process %d maps %zu bytes of descriptors", pid,
	      bytes);
	return bytes;
}

static void refused(const char *what, long ret)
{
	check(ret < 0, "%s works: %ld", what, ret);
	printf("        %s: %s\n", what, strerrorname_np(errno));
}

/* From outside, with every capability. */
static void from_outside(pid_t pid, const char *copy)
{
	unsigned long at = 0;
	size_t bytes = find(pid, &at);
	struct iovec local = { before, 64 }, remote;
	char path[64];
	int mem, file;

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	remote = (struct iovec){ (void *)at, 64 };
	mem = (int)must(open(path, O_RDWR | O_CLOEXEC));
	check_eq(pread(mem, before, bytes, (off_t)at), bytes);
	refused("a write to /proc/PID/mem", pwrite(mem, before, 64, (off_t)at));
	refused("process_vm_writev", process_vm_writev(pid, &local, 1, &remote, 1, 0));
	must(ptrace(PTRACE_SEIZE, pid, NULL, NULL));
	must(ptrace(PTRACE_INTERRUPT, pid, NULL, NULL));
	must(waitpid(pid, NULL, __WALL));
	refused("PTRACE_POKEDATA", ptrace(PTRACE_POKEDATA, pid, (void *)at, (void *)-1L));
	must(ptrace(PTRACE_DETACH, pid, NULL, NULL));
	close(mem);
	file = (int)must(open(copy, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
	check_eq(write(file, before, bytes), bytes);
	close(file);
}

static void *map(int fd, size_t bytes, int prot, int flags, off_t offset)
{
	return mmap(NULL, bytes, prot, flags, fd, offset);
}

static void not_mapped(const char *what, void *at)
{
	refused(what, at == MAP_FAILED ? -1 : 0);
}

/* By system calls that write where they are told to. */
static void by_others(char *at)
{
	struct iovec iov = { at, PAGE };
	struct io_uring ring;
	int zero = (int)must(open("/dev/zero", O_RDONLY | O_CLOEXEC)), pair[2], r;

	refused("read(2) into it", read(zero, at, 64));
	must(pipe(pair));
	must(write(pair[1], "x", 1));
	refused("read(2) of a pipe into it", read(pair[0], at, 1));
	must(io_uring_queue_init(4, &ring, 0));
	r = io_uring_register_buffers(&ring, &iov, 1);
	errno = -r;
	refused("a fixed buffer of io_uring", r);
	io_uring_queue_exit(&ring);
	refused("madvise(MADV_POPULATE_WRITE)", madvise(at, PAGE, MADV_POPULATE_WRITE));
	refused("madvise(MADV_REMOVE)", madvise(at, PAGE, MADV_REMOVE));
	close(zero);
	close(pair[0]);
	close(pair[1]);
}

static void own(void)
{
	struct migd_setup setup = {
		.abi_version = MIGD_ABI_VERSION,
		.nr_queues = 2,
		.depth = 64,
		.max_batch_pages = 64,
	};
	char path[64], link[64];
	int fd, mem;
	char *at;

	fd = (int)must(open("/dev/migd", O_RDWR | O_CLOEXEC));
	must(ioctl(fd, MIGD_IOC_SETUP, &setup));
	not_mapped("MAP_SHARED, writable",
		   map(fd, setup.map_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, 0));
	not_mapped("MAP_SHARED, write only", map(fd, setup.map_bytes, PROT_WRITE, MAP_SHARED, 0));
	not_mapped("MAP_SHARED_VALIDATE, writable",
		   map(fd, setup.map_bytes, PROT_READ | PROT_WRITE, MAP_SHARED_VALIDATE, 0));
	not_mapped("MAP_PRIVATE, writable",
		   map(fd, setup.map_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE, 0));
	not_mapped("more than there is",
		   map(fd, setup.map_bytes + PAGE, PROT_READ, MAP_SHARED, 0));
	not_mapped("what lies behind it",
		   map(fd, PAGE, PROT_READ, MAP_SHARED, (off_t)setup.map_bytes));
	not_mapped("with an offset", map(fd, PAGE, PROT_READ, MAP_SHARED, PAGE));

	at = map(fd, setup.map_bytes, PROT_READ, MAP_SHARED, 0);
	check(at != MAP_FAILED, "mmap: %s", strerror(errno));
	memcpy(before, at, setup.map_bytes);
	refused("mprotect(PROT_WRITE)", mprotect(at, setup.map_bytes, PROT_READ | PROT_WRITE));
	not_mapped("mremap to more", mremap(at, setup.map_bytes, 2 * setup.map_bytes,
					    MREMAP_MAYMOVE));
	mem = (int)must(open("/proc/self/mem", O_RDWR | O_CLOEXEC));
	refused("a write to /proc/self/mem", pwrite(mem, "x", 1, (off_t)(uintptr_t)at));
	close(mem);
	by_others(at);
	/* the file behind the mapping, once more */
	snprintf(path, sizeof(path), "/proc/self/map_files/%lx-%lx", (unsigned long)at,
		 (unsigned long)at + setup.map_bytes);
	must(readlink(path, link, sizeof(link)));
	refused("the mapped file", open(path, O_RDWR | O_CLOEXEC));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	refused("the open file", open(path, O_RDWR | O_CLOEXEC));
	memcpy(after, at, setup.map_bytes);
	check(!memcmp(before, after, setup.map_bytes), "the descriptors have changed");

	/* A private mapping that may only be read becomes no copy to write to. */
	at = map(fd, setup.map_bytes, PROT_READ, MAP_PRIVATE, 0);
	if (at == MAP_FAILED)
		return;
	refused("mprotect(PROT_WRITE) of a private mapping",
		mprotect(at, setup.map_bytes, PROT_READ | PROT_WRITE));
	mem = (int)must(open("/proc/self/mem", O_RDWR | O_CLOEXEC));
	refused("a write to a private mapping", pwrite(mem, "x", 1, (off_t)(uintptr_t)at));
}

int main(int argc, char **argv)
{
	check(argc == 3, "descriptors DAEMON FILE");
	if (atoi(argv[1]))
		from_outside(atoi(argv[1]), argv[2]);
	else
		own();
	return 0;
}
