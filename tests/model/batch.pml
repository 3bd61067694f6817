/* SPDX-License-Identifier: GPL-2.0 */
/* kmod/batch.c: transitions, references, the race for the end, the deadline. */

/* Each edge that is taken is printed once, for tests/static/model.sh. */
c_decl { static char edge_seen[8][8]; };
hidden byte edge_from;
hidden byte edge_to;

/* Only edges of the table are taken. In an atomic section. */
inline migd_batch_state(b, to) {
	assert(LEGAL(state[b]) & BIT(to));
	edge_from = state[b];
	edge_to = to;
	c_code {
		if (!edge_seen[edge_from][edge_to]) {
			edge_seen[edge_from][edge_to] = 1;
			printf("edge %d %d\n", edge_from, edge_to);
		}
	};
	state[b] = to
}

/* Nobody uses a batch that is freed. */
inline migd_batch_get(b) {
	assert(batch_ref[b] > 0);
	batch_ref[b]++
}

/*
 * None is freed before its end, and with it goes all that was held for its
 * pages. In an atomic section; @k is clobbered.
 */
inline migd_batch_put(b, k) {
	assert(batch_ref[b] > 0);
	batch_ref[b]--;
	if
	:: batch_ref[b] == 0 ->
		assert(state[b] == FREE && ends[b] == 1);
		assert(held[b] == 0 && nr_out[b] == 0);
		k = 0;
		do
		:: k < PAGES ->
			assert(writers[FRAME(b, k)] == 0);
			assert(frame_ref[FRAME(b, k)] == ((given[b] >> k) & 1));
			frame_ref[FRAME(b, k)] = 0;
			k++
		:: else -> k = 0; break
		od;
		/* Forget what nobody asks for again: fewer states. */
		ending[b] = false;
		orphan[b] = false;
		closed[b] = false;
		sealed[b] = false;
		settled[b] = false;
		claimed[b] = 0;
		good[b] = 0;
		copied[b] = 0;
		spoiled[b] = 0;
		given[b] = 0;
		batch_slot[b] = 0
	:: else
	fi
}

/* test_and_set_bit(): true for one caller. In an atomic section. */
inline migd_batch_claim_end(b, won) {
	won = !ending[b];
	ending[b] = true
}

/* In an atomic section. */
inline migd_batch_arm(b) {
#ifdef BROKEN_NO_DEADLINE
	skip
#else
	migd_batch_get(b);
	deadline[b] = ARMED
#endif
}

/* cancel_delayed_work() && queue_delayed_work(…, 0) */
inline end_soon(b) {
	if
	:: atomic { deadline[b] == ARMED || deadline[b] == QUEUED ->
			deadline[b] = OFF };
		deadline[b] = QUEUED
	:: deadline[b] == OFF || deadline[b] == RUNNING
	fi
}

