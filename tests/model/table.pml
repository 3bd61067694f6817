/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The states of a batch, in the order of enum migd_batch_state, and the edges
 * that legal[] in kmod/batch.c allows. tests/static/model.sh compares this
 * block with the code, and with the edges that the search has really taken.
 */
#define FREE		0
#define LOCKED		1
#define FETCHED		2
#define COPYING		3
#define COPIED		4
#define COMMITTED	5
#define PUT_BACK	6

#define BIT(n)		(1 << (n))

#define LEGAL_FREE	BIT(LOCKED)
#define LEGAL_LOCKED	BIT(FETCHED) | BIT(PUT_BACK)
#define LEGAL_FETCHED	BIT(COPYING) | BIT(COMMITTED) | BIT(PUT_BACK)
#define LEGAL_COPYING	BIT(COPIED) | BIT(PUT_BACK)
#define LEGAL_COPIED	BIT(COPYING) | BIT(COMMITTED) | BIT(PUT_BACK)
#define LEGAL_COMMITTED	BIT(FREE)
#define LEGAL_PUT_BACK	BIT(FREE)

#define LEGAL(from) \
	((from) == FREE		-> (LEGAL_FREE) : \
	((from) == LOCKED	-> (LEGAL_LOCKED) : \
	((from) == FETCHED	-> (LEGAL_FETCHED) : \
	((from) == COPYING	-> (LEGAL_COPYING) : \
	((from) == COPIED	-> (LEGAL_COPIED) : \
	((from) == COMMITTED	-> (LEGAL_COMMITTED) : (LEGAL_PUT_BACK)))))))
