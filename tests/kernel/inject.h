/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The fault injection of the debug kernel, confined to what has a piece of code
 * on its stack: all allocations on behalf of the module, in whatever context,
 * and of what it calls.
 */
#ifndef MIGD_TEST_INJECT_H
#define MIGD_TEST_INJECT_H

#include <stdbool.h>

enum inject {
	INJECT_SLAB,
	INJECT_PAGE,
};

/* Only what the module migd has called; or the function @name of the kernel. */
void inject_for_module(void);
void inject_for_function(const char *name);

/* The @nth allocation, or copy from or to user space, of this thread fails. */
void inject_nth(unsigned int nth);
/* No more of that: how many were yet to come, 0 when it has failed. */
unsigned int inject_nth_unused(void);

/* The @nth of all tasks fails, once. */
void inject_arm(enum inject kind, unsigned int nth);
/* No more of that: true when it has not come to its turn. */
bool inject_arm_unused(enum inject kind);
/* Makes what @op allocates fail until the kernel's count is known again. */
void inject_sync(enum inject kind, void (*op)(void));

/* Of 100 of each kind so many fail; 0 ends that. */
void inject_random(unsigned int percent);

#endif
