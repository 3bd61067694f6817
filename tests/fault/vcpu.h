/* SPDX-License-Identifier: GPL-2.0 */
#ifndef MIGD_TEST_VCPU_H
#define MIGD_TEST_VCPU_H

/* The machine's physical memory: code, what it tells, and what it works on. */
#define CODE	0
#define TOLD	0x1000
#define DATA	0x2000
#define LINE	64

/* It writes to this port each time it has been round so often, a power of two. */
#define PORT	0x80
#define ROUNDS	8

/* Offsets of struct told. */
#define TOLD_ROUNDS	0
#define TOLD_WRONG	4

#ifndef __ASSEMBLER__
#include <stdint.h>

struct told {
	volatile uint32_t rounds, wrong;
};

/* The program of the virtual CPU, vcpu_guest.S. */
extern const char guest_begin[], guest_end[];
#endif

#endif
