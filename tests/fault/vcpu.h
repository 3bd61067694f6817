/* SPDX-License-Identifier: GPL-2.0 */
#ifndef MIGD_TEST_VCPU_H
#define MIGD_TEST_VCPU_H

/* The program of the virtual CPU, vcpu_guest.S. */
extern const char guest_begin[], guest_end[];

#endif
