/* SPDX-License-Identifier: GPL-2.0 */
/* Who calls the module: the job, the timer, the daemon, rmmod. */

/* kmod/walk.c: a batch is locked only against a parked slot. */
active proctype Job()
{
	byte b, s, i, c;

end_submit:
	current_server != NONE;
	do
	:: b == BATCHES || b > 0 -> break		/* done, or cancelled */
	:: b < BATCHES ->
end_slot:
		atomic {
			if
			/* With a second life the second batch is for that. */
			:: current_server != NONE && slot_state[current_server] == PARKED &&
			   (SERVERS == 1 || b == current_server) ->
				s = current_server;
				migd_slot_claim(s)
			:: current_server == NONE -> break	/* server-wait-ms */
			fi
		};
		/* Setup and lock: bounded, though not by the deadline. */
		if
		:: atomic { migd_slot_unclaim(s) }	/* nothing to lock, or cancelled */
		:: atomic {
				do
				:: i < PAGES -> frame_ref[FRAME(b, i)] = 1; i++
				:: else -> i = 0; break
				od;
				batch_ref[b] = 1;
				inflight++;
				locked++;
				migd_batch_state(b, LOCKED);
				migd_batch_state(b, FETCHED);
				migd_slot_hand(s, b, c)
			};
			atomic {
				fetch_complete(c);
#ifdef BROKEN_ARM_LATE
				migd_batch_arm(b);
#endif
				migd_batch_put(b, i);
				c = 0;
				s = 0;
				b++
			}
		fi
	od;
	inflight == 0;
	job_done = true
}

/*
 * kmod/batch.c: batch_deadline() and batch_commit(). Only one of them ever has
 * more to do than to drop its reference, so here they are one worker.
 */
proctype Worker(byte b)
{
	byte i, o, why, to;
	bool won;

end:	atomic {
		if
		:: deadline[b] == ARMED || deadline[b] == QUEUED ->
			deadline[b] = RUNNING;
			to = PUT_BACK;
#ifndef BROKEN_END_BIT
			migd_batch_claim_end(b, won)
#else				/* tested here, set there */
			won = !ending[b]
#endif
		:: committing[b] ->
			committing[b] = false;
			to = COMMITTED;
			won = true
		fi
	};
#ifdef BROKEN_END_BIT
	ending[b] = true;
#endif
	if
	:: won -> migd_batch_end(b, to)
	:: else
	fi;
	atomic {
		migd_batch_put(b, i);
		if
		:: to == PUT_BACK -> deadline[b] = OFF
		:: else
		fi;
		won = false;
		to = 0;
		goto end
	}
}

/* A thread of the daemon: FETCH and COMMIT as it likes, or never again. */
proctype Thread(byte c)
{
	byte b, s, i;
	bool ok;

again:
end_idle:
	atomic {
		if
		:: job_done -> goto done	/* nothing of interest follows */
		:: daemon == UP ->		/* do_fetch() */
			s = life;
			park_begin(s, c, ok);
			if
			:: ok -> in_kernel++; goto parking
			:: else -> s = 0; goto again
			fi
		:: daemon == UP && slot_state[life] == BUSY ->
			s = life;
			in_kernel++;
			b = slot_batch[s];
			migd_batch_get(b)
		:: goto done
		fi
	};

	/* do_commit() */
	atomic {
#ifdef BROKEN_COMMIT		/* with descriptors out */
		ok = true;
#else
		ok = (nr_out[b] == 0);
#endif
		if
		:: ok ->
			closed[b] = true;
			migd_batch_claim_end(b, ok)
		:: else
		fi;
		if
		:: !ok ->
			migd_batch_put(b, i);
			in_kernel--;
			b = 0;
			s = 0;
			goto again
		:: else ->	/* migd_batch_commit(): its reference is the work's */
			committing[b] = true;
			b = 0
		fi
	};
	/* Parks behind the end, wherever that is by now. */
	atomic {
		park_begin(s, c, ok);
		if
		:: !ok -> in_kernel--; s = 0; goto again
		:: else
		fi
	};

parking:
	io_uring_cmd_mark_cancelable(c);
	atomic {
		park_end(s, c);
		in_kernel--;
		ok = false;
		s = 0
	};
end_parked:
	cmd[c] == GONE;
	goto again;

done:
	skip
}

/* The daemon's process: cancels as it likes, dies, comes back. */
active proctype Daemon()
{
	byte c, o, b, i;
	bool now;

open:
	atomic {
		if
		:: unloaded -> goto silent
		:: else
		fi;
		server_ref[life] = 1;
		device_open = true;
		current_server = life;
		daemon = UP
	};
	do
#ifdef RINGS	/* a ring of its own for each command, which may go before the rest */
	:: atomic { cmd[0] == CANCELABLE -> migd_slot_cancel(life, 0) }
	:: atomic { cmd[THREADS - 1] == CANCELABLE ->
			migd_slot_cancel(life, THREADS - 1) }
	:: atomic { copy_cmd[0] == CANCELABLE -> migd_copy_complete(0) }
	:: atomic { copy_cmd[COPIES - 1] == CANCELABLE ->
			migd_copy_complete(COPIES - 1) }
#endif
#ifdef MORTAL
	:: break		/* killed */
#endif
	:: goto silent		/* stopped, deaf */
	od;

	/* do_exit() cancels until nothing is left. */
	daemon = DYING;
	do
	:: atomic {
			now = (in_kernel == 0);
			do
			:: c < THREADS ->
				now = now && cmd[c] == GONE;
				if
				:: cmd[c] == CANCELABLE -> migd_slot_cancel(life, c)
				:: else
				fi;
				c++
			:: else -> c = 0; break
			od;
			do
			:: o < COPIES ->
				now = now && copy_cmd[o] == GONE;
				if
				:: copy_cmd[o] == CANCELABLE -> migd_copy_complete(o)
				:: else
				fi;
				o++
			:: else -> o = 0; break
			od;
			if
			:: now -> now = false; break
			:: else
			fi
		}
	od;

	/* migd_server_close(), with migd_batch_orphan() */
	atomic {
		current_server = NONE;
		b = slot_batch[life];
		if
		:: b != NONE ->
			migd_batch_get(b);
			orphan[b] = true;
			now = (nr_out[b] == 0 && !ending[b])
		:: else
		fi
	};
	if
	:: now -> end_soon(b)
	:: else
	fi;
	atomic {
		if
		:: b != NONE -> migd_batch_put(b, i)
		:: else
		fi;
		b = 0;
		now = false;
		migd_server_put(life);
		device_open = false;
		daemon = DOWN;
		if
		:: life < SERVERS - 1 -> life++; goto open
		:: else
		fi
	};

silent:
	skip
}

/* kmod/main.c: nothing of the module is in use any more, so it may go. */
active proctype Rmmod()
{
	byte i;

end:	atomic {
		job_done && !device_open && module_ref == 0;
		unloaded = true;
		/* No timer is left that would go off in a module that is gone. */
		do
		:: i < BATCHES -> assert(deadline[i] != ARMED); i++
		:: else -> i = 0; break
		od;
		/* A channel with something in flight would not be waited for. */
		assert(in_flight == 0)
	};
	/*
	 * Work is drained and callbacks synchronized with; then nothing is left
	 * behind: a reference that does not go is a wait for ever.
	 */
	atomic {
		do
		:: i < BATCHES -> batch_ref[i] == 0; i++
		:: else -> i = 0; break
		od;
		do
		:: i < COPIES -> op_ref[i] == 0; i++
		:: else -> i = 0; break
		od;
		do
		:: i < SERVERS -> server_ref[i] == 0; i++
		:: else -> break
		od
	}
}

init {
	byte i;

	atomic {
		do
		:: i < BATCHES -> run Worker(i); i++
		:: else -> i = 0; break
		od;
		do
		:: i < THREADS -> run Thread(i); i++
		:: else -> i = 0; break
		od;
		do
		:: i < COPIES && !NO_COPY -> run Copy(i); i++
		:: else -> break
		od
	}
}
