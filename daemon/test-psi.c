// SPDX-License-Identifier: GPL-2.0
/* What is memory pressure, by the kernel's account of it. */
#include "check.h"
#include "psi.h"

#define SEC	1000000ULL

static void test_total(void)
{
	uint64_t total;

	check(!psi_total("some avg10=1.50 avg60=0.20 avg300=0.00 total=123456\n"
			 "full avg10=0.00 avg60=0.00 avg300=0.00 total=99\n", &total));
	check(total == 123456);
	check(psi_total("", &total) < 0 && psi_total("total=5\n", &total) < 0);
	check(psi_total("some avg10=0.00 total=\n", &total) < 0);
}

static void test_window(void)
{
	struct psi_window w = { .start_usec = 10 * SEC, .total = 500 };

	/* Less than the threshold, and the window goes on. */
	check(!psi_too_much(&w, 10 * SEC + 100000, 100499, 200000) && w.total == 500);
	/* As much as the threshold, and a new one begins. */
	check(psi_too_much(&w, 11 * SEC, 200500, 200000));
	check(w.start_usec == 11 * SEC && w.total == 200500);
	check(!psi_too_much(&w, 12 * SEC, 200500, 200000));
	/* The window is over: what came later does not count with what came before. */
	check(!psi_too_much(&w, 13 * SEC, 400499, 200000) && w.total == 400499);
	check(!psi_too_much(&w, 14 * SEC, 400500, 200000));
	/* Long after: the same stall of a longer time is none to speak of ... */
	check(!psi_too_much(&w, 113 * SEC, 1400499, 200000) && w.start_usec == 113 * SEC);
	/* ... but all of it is. */
	check(psi_too_much(&w, 123 * SEC, 11400499, 200000));
	check(psi_too_much(&w, 133 * SEC, 12400499, 200000));
}

int main(void)
{
	test_total();
	test_window();
	return 0;
}
