/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the module knows, by the names it has in kmod/internal.h; bitmaps are
 * bytes. And what only we know, the ghosts, by which the properties are said.
 */

/* struct migd_batch; each is used once, so its number is its seq. */
byte state[BATCHES];
bool ending[BATCHES];		/* the one bit */
bool orphan[BATCHES];
bool closed[BATCHES];
bool sealed[BATCHES];
bool settled[BATCHES];
byte claimed[BATCHES];
byte copied[BATCHES];
byte spoiled[BATCHES];		/* an engine has reported an error */
byte held[BATCHES];
bool committing[BATCHES];	/* batch->commit is queued */
byte nr_out[BATCHES];		/* COPYs that are not back */
byte batch_ref[BATCHES];

/* its delayed work */
#define OFF		0
#define ARMED		1	/* a timer runs */
#define QUEUED		2	/* on the workqueue, which drains when the module goes */
#define RUNNING		3
byte deadline[BATCHES];

/* struct migd_slot, one of each server */
#define IDLE		0
#define PARKED		1	/* and on server->parked */
#define CLAIMED		2
#define BUSY		3
byte slot_state[SERVERS];
bool slot_cancel[SERVERS];
bool slot_parking[SERVERS];
byte slot_cmd[SERVERS] = NONE;
byte slot_batch[SERVERS] = NONE;
byte server_ref[SERVERS];
byte batch_slot[BATCHES];
byte current_server = NONE;

/* struct migd_copy_op; used once */
byte op_batch[COPIES];
byte op_pages[COPIES];		/* bitmap, for first and count */
bool op_dma[COPIES];		/* op->chan, a channel or the CPU */
byte op_ref[COPIES];
bool op_listed[COPIES];		/* on batch->copies */
bool op_finished[COPIES];
bool op_cmd_done[COPIES];	/* MIGD_COPY_CMD_DONE */
bool op_pdu[COPIES];		/* pdu->ptr is the op */
byte in_flight;			/* on the channel */
byte module_ref;		/* of COPYs; the job and the open device have theirs */
byte inflight;			/* batches that the job has handed out */

/*
 * A command in io_uring. That its completion waits for the daemon's task holds
 * up nothing in the module, so here it is gone at once.
 */
#define GONE		0	/* completed, or not there yet */
#define OUT		1
#define CANCELABLE	2
byte cmd[THREADS];
byte copy_cmd[COPIES];

/* The daemon. */
#define DOWN		0
#define UP		1
#define DYING		2	/* in do_exit(), until all its commands are completed */
byte daemon;
byte life;			/* which server it is */
byte in_kernel;			/* threads of it that issue a command */
bool device_open;

bool job_done;
bool unloaded;

/* What becomes of a page. */
#define MOVED		0
#define LEFT		1
#define POISONED	2

/* ---- ghosts ---- */

/* Engines and CPU copies that may still write the destination. */
byte writers[FRAMES];
/* References to the destination; freed without one. */
byte frame_ref[FRAMES];
/* Destinations that the process has. */
byte given[BATCHES];
/* Destinations with all of the page's data. */
byte good[BATCHES];
/* Pages counted as left, with a reason. */
byte left[BATCHES];
/* How often it was ended. */
byte ends[BATCHES];
/* Batches whose pages are locked. */
byte locked;
/* The job works with the slot. */
bool jobs[SERVERS];
/* COPYs are alike: they start in the order of their numbers. */
byte copies_started;

/* ---- properties that hold in time; the others are assertions ---- */

/* No page is left locked: whatever the daemon and the engines do, or don't. */
ltl unlocked { <> [] (locked == 0) }

/* A daemon that dies gets out, whatever the engines do. */
ltl exits { [] ((daemon == DYING) -> <> (daemon == DOWN)) }
