/* SPDX-License-Identifier: GPL-2.0 */
/*
 * kmod/slot.c: who has the slot, and the FETCH that is parked on it. All of
 * these are called in an atomic section.
 */

/* No command completes twice, or before io_uring knows how to cancel it. */
inline fetch_complete(c) {
	assert(cmd[c] == CANCELABLE);
	cmd[c] = GONE
}

inline migd_server_put(s) {
	assert(server_ref[s] > 0);
	server_ref[s]--
}

/* A slot that the job works with is nobody else's. */
inline park_slot(s) {
	assert(!jobs[s] && slot_cmd[s] != NONE && slot_state[s] != PARKED);
	slot_state[s] = PARKED
}

inline migd_slot_claim(s) {
	assert(!jobs[s] && server_ref[s] > 0);
	slot_state[s] = CLAIMED;
	jobs[s] = true;
	server_ref[s]++
}

inline migd_slot_unclaim(s) {
	assert(jobs[s] && server_ref[s] > 0);
	jobs[s] = false;
	if
	:: slot_cancel[s] ->
		slot_cancel[s] = false;
		fetch_complete(slot_cmd[s]);
		slot_cmd[s] = NONE;
		slot_state[s] = IDLE
	:: else ->
		park_slot(s)
	fi;
	migd_server_put(s)
}

/* But for the completion of @c, which the caller does a moment later. */
inline migd_slot_hand(s, b, c) {
	assert(jobs[s] && server_ref[s] > 0 && slot_state[s] == CLAIMED);
	assert(slot_batch[s] == NONE && slot_cmd[s] != NONE);
	jobs[s] = false;
#ifndef BROKEN_ARM_LATE		/* the daemon can end what has no deadline yet */
	migd_batch_arm(b);
#endif
	slot_cancel[s] = false;
	slot_state[s] = BUSY;
	slot_batch[s] = b;
	batch_slot[b] = s;
	migd_batch_get(b);
	c = slot_cmd[s];
	slot_cmd[s] = NONE
}

inline migd_slot_ended(s, b) {
	assert(server_ref[s] > 0 && slot_batch[s] == b);
	slot_batch[s] = NONE;
	if
	:: slot_cmd[s] == NONE -> slot_state[s] = IDLE
	:: slot_cmd[s] != NONE && slot_parking[s] -> slot_state[s] = CLAIMED
	:: else -> park_slot(s)
	fi;
	migd_batch_put(b, i)
}

/* The first half of migd_slot_park(); @ok is false for -EBUSY. */
inline park_begin(s, c, ok) {
	if
	:: slot_state[s] == IDLE ->
		slot_state[s] = CLAIMED;
		ok = true
	:: slot_state[s] == BUSY && slot_cmd[s] == NONE ->
		ok = ending[slot_batch[s]]
	:: else ->
		ok = false
	fi;
	if
	:: ok ->
		slot_parking[s] = true;
		slot_cancel[s] = false;
		slot_cmd[s] = c;
		cmd[c] = OUT
	:: else
	fi
}

/* Between the halves; a cancel, or the end of a batch, may come after it. */
inline io_uring_cmd_mark_cancelable(c) {
	assert(cmd[c] == OUT);
	cmd[c] = CANCELABLE
}

inline park_end(s, c) {
	if
#ifdef BROKEN_PARK_ANY		/* whatever command is there by now */
	:: true ->
#else
	:: slot_cmd[s] == c ->
#endif
		slot_parking[s] = false;
		if
		:: slot_state[s] == CLAIMED -> park_slot(s)
		:: else
		fi
#ifndef BROKEN_PARK_ANY
	:: else
#endif
	fi
}

/* io_uring repeats it for as long as the command is there. */
inline migd_slot_cancel(s, c) {
	if
	:: slot_cmd[s] == c && slot_state[s] == PARKED ->
		slot_cmd[s] = NONE;
		slot_state[s] = IDLE;
		fetch_complete(c)
	:: slot_cmd[s] == c && slot_state[s] == BUSY ->
		slot_cmd[s] = NONE;
		fetch_complete(c)
	:: slot_cmd[s] == c && slot_state[s] == CLAIMED ->
		slot_cancel[s] = true
	:: else
	fi
}
