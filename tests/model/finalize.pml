/* SPDX-License-Identifier: GPL-2.0 */
/*
 * kmod/finalize.c and quarantine.c: the end of a batch, whoever brings it. The
 * inlines are called in an atomic section, but for migd_batch_end().
 */

/*
 * Decides page @p, and puts it back when it has to stay. memory_failure() comes
 * any time before, so it need not be seen before: any page may be poisoned.
 */
inline settle_page(b, p) {
	if
	:: why = POISONED
	:: copied[b] & BIT(p)
#ifndef BROKEN_RESCUE		/* the CPU copies what a descriptor may still write */
	:: !(copied[b] & BIT(p)) && ((claimed[b] | spoiled[b]) & BIT(p)) -> why = LEFT
	:: !((copied[b] | claimed[b] | spoiled[b]) & BIT(p)) ->
#else
	:: !(copied[b] & BIT(p)) ->
#endif
		/* The CPU copies only where no descriptor can write any more. */
		assert(writers[FRAME(b, p)] == 0);
		good[b] = good[b] | BIT(p)
	fi;
	if
	:: why != MOVED ->	/* put_back() */
		if
#ifdef BROKEN_POISON_FIRST	/* the reason decides, not who may write */
		:: why == LEFT ->
#else
		:: (claimed[b] | spoiled[b]) & BIT(p) ->
#endif
#ifndef BROKEN_HOLD
			frame_ref[FRAME(b, p)]++;
#endif
			held[b] = held[b] | BIT(p)
		:: else
		fi;
		put_page(b, p);
		left[b] = left[b] | BIT(p);
		why = MOVED
	:: else
	fi
}

/* For @o, whose pages are held now. */
inline migd_quarantine_enter(o, b) {
	/* Every page of a COPY that may write is held for it. */
#ifndef BROKEN_POISON_FIRST
	assert((held[b] & op_pages[o]) == op_pages[o])
#else
	skip
#endif
}

/* What has come back since the seal is dropped. */
inline quarantine_copies(b) {
	settled[b] = true;
	o = 0;
	do
	:: o < COPIES ->
		if
		:: op_listed[o] && op_batch[o] == b && !op_finished[o] ->
			migd_quarantine_enter(o, b)
		:: op_listed[o] && op_batch[o] == b && op_finished[o] ->
			op_listed[o] = false;
			migd_quarantine_drop(o, b);
			migd_copy_put(o);
			migd_batch_put(b, i)
		:: else
		fi;
		o++
	:: else -> o = 0; break
	od
}

/* The process gets its pages, the new ones or the old. */
inline migrate_and_finalize(b) {
	i = 0;
	do
	:: i < PAGES && (left[b] & BIT(i)) -> i++
	:: i < PAGES && !(left[b] & BIT(i)) ->
		/* No engine writes what the process has, and the data is there. */
		assert(writers[FRAME(b, i)] == 0);
		assert(good[b] & BIT(i));
		given[b] = given[b] | BIT(i);
		i++
	:: i < PAGES && !(left[b] & BIT(i)) ->	/* its state is busy */
		left[b] = left[b] | BIT(i);
		put_page(b, i);
		i++
	:: i == PAGES -> i = 0; break
	od;
	/* Every page is accounted for exactly once. */
	assert((given[b] | left[b]) == ALL && (given[b] & left[b]) == 0);
	left[b] = 0;
	assert(locked > 0);
	locked--
}

/* The commands of COPYs that outlive the batch have nothing to wait for. */
inline complete_copies(b) {
	o = 0;
	do
	:: o < COPIES ->
		if
		:: op_listed[o] && op_batch[o] == b -> migd_copy_complete(o)
		:: else
		fi;
		o++
	:: else -> o = 0; break
	od
}

inline migd_batch_end(b, to) {
	atomic {
		/* A batch ends exactly once. */
		assert(ends[b] == 0);
		ends[b]++;
		/* cancel_delayed_work(): the timer's reference is ours. */
		if
		:: deadline[b] == ARMED || deadline[b] == QUEUED ->
			deadline[b] = OFF;
			migd_batch_put(b, i)
		:: else
		fi;
		closed[b] = true
	};
	/*
	 * close_batch() waits for CPU copies to leave, but not for long. After
	 * the seal a COPY that comes back leaves the bitmaps alone, so that all
	 * pages are settled as if at once.
	 */
	atomic {
		sealed[b] = true;
		do
		:: i < PAGES -> settle_page(b, i); i++
		:: else -> i = 0; break
		od
	};
	atomic { quarantine_copies(b) };
	atomic {
		migd_batch_state(b, to);
		migrate_and_finalize(b)
	};
	atomic {
		complete_copies(b);
		migd_batch_state(b, FREE);
		inflight--;
		o = batch_slot[b];
		migd_slot_ended(o, b);
		migd_server_put(o);
		o = 0
	}
}
