// SPDX-License-Identifier: GPL-2.0
/*
 * The monitor of a tiny virtual machine: one CPU in protected mode without
 * paging, and one slot of anonymous memory, in which it checks a value and
 * writes the next one in every line of 64 bytes, over and over, and comes out to say
 * so only now and then.
 *
 *   vcpu KIB NODE FILE    its memory, on NODE
 *
 * It says "ready PID START PAGES" of the memory and answers each line of stdin
 * with one line, until stdin ends:
 *
 *   run      "rounds N wrong N": once the virtual CPU has been round once more
 *
 * FILE has a line "BEGIN END" then for each ROUNDS rounds, in microseconds since 1970.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <linux/mempolicy.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "vcpu.h"
#include "victim.h"

static struct kvm_run *run;
static int vcpu;
static FILE *times;

static void new_machine(char *at, size_t bytes)
{
	struct kvm_userspace_memory_region slot = {
		.memory_size = bytes, .userspace_addr = (uintptr_t)at,
	};
	int kvm = (int)must(open("/dev/kvm", O_RDWR | O_CLOEXEC));
	int vm = (int)must(ioctl(kvm, KVM_CREATE_VM, 0));

	must(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &slot));
	vcpu = (int)must(ioctl(vm, KVM_CREATE_VCPU, 0));
	run = mmap(NULL, (size_t)must(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0)),
		   PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	if (run == MAP_FAILED)
		die("mmap of the virtual CPU");
}

/* Protected mode, flat segments. */
static void set_registers(size_t bytes)
{
	struct kvm_segment flat = {
		.limit = ~0U, .present = 1, .s = 1, .g = 1, .db = 1, .type = 3, .selector = 16,
	};
	struct kvm_regs regs = {
		.rip = CODE, .rsi = DATA, .rbp = bytes, .rsp = TOLD, .rflags = 2,
	};
	struct kvm_sregs sregs;

	must(ioctl(vcpu, KVM_GET_SREGS, &sregs));
	sregs.cr0 |= 1;
	sregs.ds = flat;
	sregs.es = flat;
	sregs.ss = flat;
	sregs.cs = flat;
	sregs.cs.type = 11;
	sregs.cs.selector = 8;
	must(ioctl(vcpu, KVM_SET_SREGS, &sregs));
	must(ioctl(vcpu, KVM_SET_REGS, &regs));
}

static uint64_t now_usec(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * 1000000ULL + now.tv_nsec / 1000;
}

static void *run_machine(void *unused)
{
	uint64_t before = now_usec(), now;

	(void)unused;
	for (;;) {
		if (ioctl(vcpu, KVM_RUN, 0) < 0) {
			/* A signal, of those that stop a process, too, ends the call. */
			if (errno != EINTR)
				die("KVM_RUN");
			continue;
		}
		if (run->exit_reason != KVM_EXIT_IO || run->io.port != PORT)
			break;
		now = now_usec();
		fprintf(times, "%llu %llu\n", (unsigned long long)before, (unsigned long long)now);
		before = now;
	}
	fprintf(stderr, "vcpu: the virtual CPU has stopped, reason %u, %#llx\n", run->exit_reason,
		(unsigned long long)run->hw.hardware_exit_reason);
	exit(1);
}

int main(int argc, char **argv)
{
	pthread_t thread;
	struct told *told;
	uint32_t begun;
	char line[16];
	size_t bytes;
	char *at;

	if (argc != 4)
		return 2;
	bytes = strtoul(argv[1], NULL, 10) << 10;
	times = fopen(argv[3], "we");
	if (!times)
		die(argv[3]);
	alloc_on(MPOL_BIND, atoi(argv[2]));
	at = map_small(bytes);
	memset(at, 0, DATA);
	memcpy(at + CODE, guest_begin, (size_t)(guest_end - guest_begin));
	for (size_t i = DATA; i < bytes; i += LINE)
		*(uint32_t *)(at + i) = (uint32_t)i;
	alloc_on(MPOL_DEFAULT, -1);
	told = (struct told *)(at + TOLD);
	new_machine(at, bytes);
	set_registers(bytes);
	if (pthread_create(&thread, NULL, run_machine, NULL))
		die("pthread_create");
	printf("ready %d %lx %zu\n", getpid(), (unsigned long)at, bytes / PAGE);
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		/* The round that is under way, and one more. */
		for (begun = told->rounds; told->rounds - begun < 2;)
			usleep(1000);
		fflush(times);
		printf("rounds %u wrong %u\n", told->rounds, told->wrong);
		fflush(stdout);
	}
	return 0;
}
