/* SPDX-License-Identifier: GPL-2.0 */
/*
 * kmod/copy.c, copy_cpu.c, copy_dma.c: a COPY from the command to its last
 * callback. The command and the descriptors end apart. The inlines are called
 * in an atomic section, but for migd_copy_finish().
 */

inline migd_copy_get(o) {
	assert(op_ref[o] > 0);
	op_ref[o]++
}

inline migd_copy_put(o) {
	assert(op_ref[o] > 0);
	op_ref[o]--;
	if
	:: op_ref[o] == 0 ->
		assert(!op_listed[o]);
		op_batch[o] = 0;
		op_pages[o] = 0;
		op_dma[o] = false;
		op_finished[o] = false;
		op_cmd_done[o] = false;
		op_pdu[o] = false
	:: else
	fi
}

/* The first caller decides; a command completes once. */
inline migd_copy_complete(o) {
	assert(op_ref[o] > 0);
	if
	:: op_cmd_done[o]
	:: else ->
		op_cmd_done[o] = true;
		/* The task finds the op through the command. */
		assert(copy_cmd[o] == CANCELABLE && op_pdu[o]);
		copy_cmd[o] = GONE;
		migd_copy_put(o)
	fi
}

/* A destination is freed only when nothing can write it. */
inline put_page(b, p) {
	assert(frame_ref[FRAME(b, p)] > 0);
	frame_ref[FRAME(b, p)]--;
	assert(frame_ref[FRAME(b, p)] > 0 || writers[FRAME(b, p)] == 0)
}

/*
 * An engine's write hits what is ours still: not freed, not the process's. The
 * first is the mapping, the last the unmapping, which may write too.
 */
inline write(b, set, by) {
	i = 0;
	do
	:: i < PAGES && ((set) & BIT(i)) ->
		assert(frame_ref[FRAME(b, i)] > 0);
		assert(!(given[b] & BIT(i)));
		writers[FRAME(b, i)] = writers[FRAME(b, i)] + by;
		i++
	:: i < PAGES && !((set) & BIT(i)) -> i++
	:: else -> i = 0; break
	od
}

/* For the pages held for @o. */
inline migd_quarantine_drop(o, b) {
	i = 0;
	do
	:: i < PAGES && (held[b] & op_pages[o] & BIT(i)) ->
		held[b] = held[b] & ~BIT(i);
		put_page(b, i);
		i++
	:: i < PAGES && !(held[b] & op_pages[o] & BIT(i)) -> i++
	:: else -> i = 0; break
	od
}

/*
 * True when @o leaves its batch here; else the settling of the batch, which has
 * not been, drops what it holds for it.
 */
inline detach(o, b, left_it) {
#ifdef BROKEN_STAY	/* forgets that the pages are being settled */
	left_it = true;
#else
	left_it = settled[b] || !(sealed[b] || failed);
#endif
	if
	:: left_it -> op_listed[o] = false
	:: else -> op_finished[o] = true
	fi
}

/* @unmap: the pages that nothing writes any more. */
inline migd_copy_finish(o, b, unmap) {
	atomic {
		write(b, unmap, -1);
		migd_batch_get(b);
#ifndef BROKEN_FINISH_REF	/* the end of the batch may drop the list's */
		migd_copy_get(o);
#endif
		module_ref = module_ref + failed;
		was_settled = settled[b];
		if
		:: !sealed[b] ->
			claimed[b] = claimed[b] & ~op_pages[o];
			if
			:: !error ->
				copied[b] = copied[b] | op_pages[o];
				good[b] = good[b] | op_pages[o]
			:: failed ->
#ifndef BROKEN_SPOILED	/* what has failed is believed to be quiet */
				spoiled[b] = spoiled[b] | op_pages[o]
#else
				skip
#endif
			:: error && !failed
			fi
		:: else
		fi;
		nr_out[b]--;
		if
		:: !failed -> detach(o, b, detached)
		:: else
		fi;
		if
		:: !closed[b] && nr_out[b] == 0 ->
			migd_batch_state(b, COPIED);
			end_now = orphan[b]
		:: else
		fi;
		error = false
	};
	atomic {
		if
		:: was_settled && !failed -> migd_quarantine_drop(o, b)
		:: else
		fi;
		assert(op_ref[o] > 0);
		in_flight = in_flight - op_dma[o];
		migd_copy_complete(o)
	};
	if
	:: end_now -> end_soon(b)
	:: else
	fi;
	atomic {
		assert(op_ref[o] > 0);	/* op->chan is looked at once more */
		if
		:: detached -> migd_copy_put(o); migd_batch_put(b, i)
		:: else
		fi;
#ifndef BROKEN_FINISH_REF
		migd_copy_put(o);
#endif
		migd_batch_put(b, i);
#ifndef BROKEN_MODULE
		module_ref--;
#endif
		end_now = false;
		was_settled = false;
		detached = false
	}
}

/* The engine of a failed COPY is known to be quiet: it is unmapped. */
inline migd_copy_let_go(o, b) {
	atomic {
		write(b, op_pages[o], -1);
		migd_copy_get(o);
		was_settled = settled[b];
		detach(o, b, detached)
	};
	atomic {
		if
		:: was_settled -> migd_quarantine_drop(o, b)
		:: else
		fi;
		if
		:: detached -> migd_copy_put(o); migd_batch_put(b, i)
		:: else
		fi;
		migd_copy_put(o);
		module_ref--;
		was_settled = false;
		detached = false;
		failed = false
	}
}

proctype Copy(byte o)
{
	byte b, i, pages;
	bool error, failed, detached, was_settled, end_now;

issue:
	/* Those of a second life are like those of the first. */
end:	atomic {
		daemon == UP && life == 0 && slot_state[life] == BUSY && (copies_started >= o || o >= DMA_COPIES);
		if
		:: copies_started == o -> copies_started++
		:: else
		fi;
		b = slot_batch[life];
		migd_batch_get(b);
		in_kernel++
	};
	/*
	 * migd_copy_begin(), of any range. That it is refused on a channel in
	 * quarantine is left out: nothing may depend on it.
	 */
	atomic {
		if
		:: pages = ALL
		:: PAGES > 1 -> pages = BIT(0)
		:: PAGES > 1 -> pages = BIT(1)
		fi;
		if
		:: closed[b] || ((claimed[b] | copied[b] | spoiled[b]) & pages) ->
			migd_batch_put(b, i);
			in_kernel--;
			pages = 0;
			b = 0;
			goto issue
		:: else
		fi;
		claimed[b] = claimed[b] | pages;
		if
		:: state[b] != COPYING -> migd_batch_state(b, COPYING)
		:: else
		fi;
		op_batch[o] = b;
		op_pages[o] = pages;
		op_listed[o] = true;
		nr_out[b]++;
#ifndef BROKEN_MODULE		/* the module goes while a callback runs */
		module_ref++;
#endif
		copy_cmd[o] = OUT;
		migd_batch_get(b);
		/* The command's and the list's; issuing it has one of its own. */
		op_ref[o] = 3;
		op_cmd_done[o] = true;
		pages = 0;
		if
		:: o >= DMA_COPIES -> goto cpu
		:: else ->
			op_dma[o] = true;
			in_flight++
		fi;
#ifdef BROKEN_COMMAND		/* on the list before its command is set up */
		op_cmd_done[o] = false
#endif
	};

	atomic {
		assert(copy_cmd[o] == OUT);
		op_pdu[o] = true;
		copy_cmd[o] = CANCELABLE;
#ifndef BROKEN_COMMAND
		op_cmd_done[o] = false;
		if
		:: closed[b] -> migd_copy_complete(o)
		:: else
		fi;
#endif
		/* The batch may close right after push_some() has looked. */
		if
		:: error = true			/* no mapping, no descriptor */
		:: !closed[b]
		fi
	};
	if
	:: error ->
		migd_copy_finish(o, b, 0);
		atomic { migd_copy_put(o); migd_batch_put(b, i); in_kernel-- };
		goto done
	:: else
	fi;
	atomic {
		write(b, op_pages[o], 1);
		migd_copy_put(o);
		migd_batch_put(b, i);
		in_kernel--
	};

	/*
	 * The engine. It may be late, have an error, or never come back; until
	 * it does, it writes. It is under no obligation to get anywhere. After
	 * a callback without an error it writes no more: that is the provider's
	 * to keep.
	 */
	do
	:: atomic { write(b, op_pages[o], 0) }
	:: break
	:: atomic { error = true; break }		/* nothing was submitted */
	:: atomic { error = true; failed = true; break }
	od;
	migd_copy_finish(o, b, (failed -> 0 : op_pages[o]));
	do
	:: failed -> atomic { write(b, op_pages[o], 0) }
	:: failed -> break
	:: else -> goto done
	od;
	migd_copy_let_go(o, b);
	goto done;

cpu:	/* migd_copy_cpu_run(): a page at a time, until the batch is closed */
	do
	:: atomic { (op_pages[o] & ~pages) == 0 -> pages = 0; break }
	:: atomic { closed[b] && (op_pages[o] & ~pages) -> error = true; pages = 0; break }
	:: atomic { !closed[b] && (op_pages[o] & ~pages & BIT(0)) ->
			pages = BIT(0); write(b, BIT(0), 1) };
		atomic { write(b, BIT(0), -1) }
	:: atomic { !closed[b] && (op_pages[o] & ~pages) == BIT(1) ->
			pages = ALL; write(b, BIT(1), 1) };
		atomic { write(b, BIT(1), -1) }
	:: atomic { pages -> error = true; pages = 0; break }	/* poison */
	od;
	migd_copy_finish(o, b, 0);
	atomic {
		copy_cmd[o] = GONE;	/* the result goes back by return */
		migd_copy_put(o);
		migd_copy_put(o);
		migd_batch_put(b, i);
		in_kernel--
	};
done:
	b = 0
}
