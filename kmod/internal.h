/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the rooms of the corridor share: the server with its slots, the job,
 * the batch and the channel.
 *
 * Lock order: job_mutex > chan_mutex > chan->lock > server->lock > batch->lock;
 * chan->failed_lock is taken with none of the spinlocks held, and none under it.
 * The target's mmap read lock is outside all of them and is never taken while
 * one is held.
 */
#ifndef _MIGD_INTERNAL_H
#define _MIGD_INTERNAL_H

#include <linux/atomic.h>
#include <linux/io_uring/cmd.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#ifdef CONFIG_ARM64_MTE
#include <asm/mte.h>
#endif
#include <uapi/linux/migd.h>
#include <uapi/linux/migd_netlink.h>

#define MIGD_VERSION		"0.1.0"

/* A batch ends at most this long after its deadline. */
#define MIGD_GRACE_MS		1000
#define MIGD_DEADLINE_US_DEF	500000
#define MIGD_DEADLINE_US_MIN	1000
#define MIGD_DEADLINE_US_MAX	(60 * USEC_PER_SEC)

#define MIGD_FEATURES		(MIGD_FEAT_DMA | MIGD_FEAT_STATE_FIRST)
#define MIGD_REASONS		(MIGD_REASON_MAX + 1)

/* stats.c: log-linear histogram, 32 buckets per power of two (3.2% wide) */
#define MIGD_HIST_SUB_BITS	5
#define MIGD_HIST_MAX_BITS	40
#define MIGD_HIST_BUCKETS \
	((MIGD_HIST_MAX_BITS - MIGD_HIST_SUB_BITS + 1) << MIGD_HIST_SUB_BITS)

struct migd_chan;
struct netlink_ext_ack;

struct migd_hist {
	atomic64_t sum;
	atomic64_t max;
	atomic_t bucket[MIGD_HIST_BUCKETS];
};

struct migd_hist_sum {
	u64 count, sum, p50, p90, p99, p999, max;
};

enum migd_phase {
	MIGD_PHASE_LOCK,
	MIGD_PHASE_COPY,
	MIGD_PHASE_COMMIT,
	MIGD_PHASE_BLACKOUT,
	MIGD_PHASES
};

struct migd_hists {
	struct migd_hist phase[MIGD_PHASES];
};

struct migd_stats {
	atomic64_t jobs;
	atomic_t jobs_active;
	atomic64_t batches;
	atomic64_t moved;
	atomic64_t left[MIGD_REASONS];
	atomic64_t rescued[2];		/* by enum migd_rescue_cause */
	atomic64_t late;
	atomic64_t undone;
	atomic64_t verify_failed;
	atomic_long_t locked_pages;
	atomic_long_t quarantined_pages;
	atomic64_t quarantined_total;
	struct migd_hists hists;
};

extern struct migd_stats migd_stats;
extern unsigned int migd_max_locked_pages;
extern unsigned int migd_server_wait_ms;
/* What any job has for nice at least. */
extern u32 migd_nice;
extern bool migd_poison;

/* Woken when a slot is parked, a batch ends, a server comes or goes. */
extern wait_queue_head_t migd_wait;
/* Ends batches; sleeps, but allocates nothing. */
extern struct workqueue_struct *migd_end_wq;
/* Goes on with DMA submissions, and looks at channels. */
extern struct workqueue_struct *migd_push_wq;
/* Tells of events and forgets channels; may allocate. */
extern struct workqueue_struct *migd_event_wq;
/* Runs jobs, each on a worker of its own. */
extern struct workqueue_struct *migd_job_wq;

void migd_hist_add(struct migd_hist *hist, u64 ns);
void migd_hist_sum(const struct migd_hist *hist, struct migd_hist_sum *ret_sum);

/* One open of the device; lives until its last batch has ended. */
struct migd_server {
	struct kref ref;
	spinlock_t lock;		/* slots' cmd, state and the parked list */
	struct list_head parked;
	bool ready;			/* MIGD_IOC_SETUP done */
	u64 features;
	pid_t pid;
	u16 nr_queues, depth;
	u32 max_batch_pages;
	struct migd_desc *desc;		/* vmalloc_user, mapped read-only */
	size_t desc_bytes;
	struct migd_slot *slots;
	struct mm_struct *mm;		/* the opener's, mmgrab()ed: never a target */
};

enum migd_slot_state {
	MIGD_SLOT_IDLE,			/* the daemon's: no FETCH parked */
	MIGD_SLOT_PARKED,		/* on server->parked */
	MIGD_SLOT_CLAIMED,		/* a job is locking a batch for it */
	MIGD_SLOT_BUSY,			/* has a batch */
};

struct migd_slot {
	struct migd_server *server;
	struct list_head node;		/* server->parked */
	enum migd_slot_state state;
	bool cancel;			/* cancelled while claimed */
	bool parking;			/* cmd is not cancelable yet */
	struct io_uring_cmd *cmd;	/* the parked FETCH; BUSY: for the end */
	struct migd_batch *batch;	/* while BUSY, with a reference */
	struct migd_desc *desc;
	u32 seq;
};

/* Returns the current server with a reference, or NULL. */
struct migd_server *migd_server_get(void);
void migd_server_put(struct migd_server *server);
/* A server is there and set up; may be outdated at once. */
bool migd_server_present(void);
/* jiffies at which the last server went away. */
unsigned long migd_server_lost_at(void);

/* A parked slot of the current server, claimed, or NULL. Holds a server ref. */
struct migd_slot *migd_slot_claim(void);
/* Gives a claimed slot back unused. */
void migd_slot_unclaim(struct migd_slot *slot);
/* Hands @batch to its claimed slot and completes the FETCH. */
void migd_slot_hand(struct migd_slot *slot, struct migd_batch *batch);
/* The batch of the slot with a reference, or ERR_PTR(-ESTALE). */
struct migd_batch *migd_slot_batch(struct migd_slot *slot, u32 seq);
/* The batch has ended: the slot is the daemon's again. */
void migd_slot_ended(struct migd_slot *slot, struct migd_batch *batch);
int migd_slot_park(struct migd_slot *slot, struct io_uring_cmd *cmd,
		   unsigned int issue_flags);
void migd_slot_cancel(struct migd_slot *slot, struct io_uring_cmd *cmd,
		      unsigned int issue_flags);

struct migd_range {
	unsigned long start, end;
};

struct migd_route {
	struct migd_left *large;	/* of the last pass, by address */
	unsigned int nr, max;
	unsigned long done_below;	/* address: the daemon has tried it */
	bool open;			/* the daemon may ask and report */
	bool all;			/* it has tried every range */
	atomic64_t moved;		/* pages, by move_pages(2) */
	u64 left[MIGD_REASONS];		/* pages, by why it could not */
};

/* Its own worker's. */
struct migd_pace {
	u64 paid_ns;			/* when what was handed over is paid for, */
	u64 rate;			/* at this rate */
	u64 rested_ns;			/* when what it has worked is rested for, */
	u32 nice;			/* at this nice */
	u64 work_seen;			/* so much of the job's work_ns is */
	u64 cpu_ns;			/* the worker's CPU time when it last looked */
};

struct migd_job {
	struct kref ref;
	struct list_head node;		/* all jobs, under the job mutex */
	struct work_struct work;
	u64 id;
	pid_t pid;			/* as the submitter named it */
	u64 start_time;			/* clock ticks */
	char comm[TASK_COMM_LEN];
	struct task_struct *task;	/* main thread, for mems_allowed */
	struct mm_struct *mm;		/* mmgrab()ed */
	int from;			/* NUMA_NO_NODE: every node but @to */
	int to;
	u32 order;
	u32 batch_pages;
	u32 deadline_us;		/* these may change while it runs */
	u64 max_rate;			/* bytes per second, 0: none */
	u32 nice;			/* as it was asked for: see migd_nice */
	bool paused;
	unsigned int nr_ranges;
	struct migd_range *ranges;
	u32 want;			/* MIGD_JOB_FLAG_* */

	unsigned long flags;
#define MIGD_JOB_CANCEL		0
	atomic_t inflight;		/* batches handed out */
	enum migd_job_state state;
	enum migd_outcome outcome;
	u64 t_submit, t_end;		/* CLOCK_BOOTTIME ns */
	u64 total;
	atomic64_t moved;
	atomic64_t left[MIGD_REASONS];	/* of the current pass */
	atomic64_t batches;
	atomic64_t rescued;
	atomic64_t work_ns;		/* of CPUs, for this job */
	u32 passes;
	unsigned long next_ntf;		/* jiffies of the next progress event */
	struct migd_route route;
	struct migd_pace pace;
	struct migd_scan *scan;		/* until the job is done */
	struct list_head pool;		/* blocks of free destination pages */
	struct page *pool_next;		/* first of the pages of the block in use */
	unsigned int pool_rest;		/* how many they are */
	unsigned int nr_pool;		/* pages in the pool, these and the blocks' */
	struct migd_hists *hists;	/* NULL once summed up */
	struct migd_hist_sum sum[MIGD_PHASES];
};

static inline bool migd_node_wanted(const struct migd_job *job, int nid)
{
	return nid != job->to &&
		(job->from == NUMA_NO_NODE || job->from == nid);
}

static inline bool migd_job_cancelled(const struct migd_job *job)
{
	return test_bit(MIGD_JOB_CANCEL, &job->flags);
}

static inline bool migd_job_atomic(const struct migd_job *job)
{
	return job->want & MIGD_JOB_FLAG_ATOMIC;
}

/*
 * Both may have to move the state of a page back, which waits for references:
 * for ever, when the page can be found and its finder waits for the lock.
 */
static inline bool migd_job_undoes(const struct migd_job *job)
{
	return job->order == MIGD_ORDER_STATE_FIRST || migd_job_atomic(job);
}

/* Something has worked for @job since @start, by ktime_get_ns(). */
static inline void migd_job_worked(struct migd_job *job, u64 start)
{
	atomic64_add(ktime_get_ns() - start, &job->work_ns);
}

/* Could @server serve @job, of whatever it parks? */
bool migd_job_served_by(const struct migd_job *job,
			const struct migd_server *server);
void migd_job_put(struct migd_job *job);
void migd_job_left(struct migd_job *job, enum migd_reason reason, u64 pages);

/* Where one batch stands; migd_batch_state() makes every transition. */
enum migd_batch_state {
	MIGD_BATCH_FREE,
	MIGD_BATCH_LOCKED,
	MIGD_BATCH_FETCHED,
	MIGD_BATCH_COPYING,
	MIGD_BATCH_COPIED,
	MIGD_BATCH_COMMITTED,
	MIGD_BATCH_PUT_BACK,
	MIGD_BATCH_STATES
};

struct migd_batch {
	struct kref ref;
	struct migd_job *job;
	struct migd_slot *slot;
	struct migd_server *server;
	struct mm_struct *mm;		/* mm_users held, mmap read-locked */
	enum migd_batch_state state;	/* under lock */
	unsigned long flags;
#define MIGD_BATCH_ENDING	0	/* who sets it ends the batch */
#define MIGD_BATCH_ORPHAN	1	/* the server is gone */
	spinlock_t lock;		/* state, bitmaps, copies */
	bool closed;			/* no COPY may begin */
	bool sealed;			/* claimed and copied are final */
	bool settled;			/* held pages are counted */
	unsigned int nr;		/* pages */
	unsigned int max;		/* room in the arrays */
	bool spoilt;			/* atomic: a page of it has been left */
	u32 order;
	u32 seq;
	u64 t_lock, t_locked, deadline_ns;
	struct delayed_work deadline;	/* holds a reference while pending */
	struct work_struct commit;	/* holds a reference while pending */
	struct list_head copies;	/* COPYs that may still write a destination */
	unsigned int nr_out;		/* COPYs whose descriptors are out */
	unsigned int nr_cpu;		/* CPU COPYs at work */
	unsigned long *src, *dst;	/* migrate_pfn()s */
	struct page **spage, **dpage;
	unsigned long *claimed;		/* pages of a COPY at work */
	unsigned long *copied;
	unsigned long *poisoned;	/* source page reported an error */
	unsigned long *spoiled;		/* an engine reported an error on it */
	unsigned long *held;		/* destination in quarantine */
	struct migd_chan **engine;	/* verify: who copied, or NULL */
	void *bounce;			/* verify: a page */
};

void migd_batch_state(struct migd_batch *batch, enum migd_batch_state to);
struct migd_batch *migd_batch_alloc(struct migd_job *job, unsigned int max);
static inline struct migd_batch *migd_batch_get(struct migd_batch *batch)
{
	kref_get(&batch->ref);
	return batch;
}

void migd_batch_put(struct migd_batch *batch);
/* True for the one caller that ends the batch. */
bool migd_batch_claim_end(struct migd_batch *batch);
/* Ends a batch its caller has claimed the end of. May sleep. */
void migd_batch_end(struct migd_batch *batch, int cause);
#define MIGD_END_COMMIT		(-1)
/* The same as a commit, in a context that the daemon's scheduling is none of. */
void migd_batch_commit(struct migd_batch *batch);
void migd_batch_arm(struct migd_batch *batch);
/* Counts a batch whose pages have been held past deadline and grace. */
void migd_batch_timed(const struct migd_batch *batch, u64 now);
void migd_batch_orphan(struct migd_batch *batch);

/* state.c: moves the state of the pages, and back */
void migd_state_move(struct migd_batch *batch);
void migd_state_undo(struct migd_batch *batch, unsigned int i);
unsigned int migd_state_leave(struct migd_batch *batch);
/*
 * What most pages are, in as few looks as can be: private memory in a small page
 * of its own, with @flags and none of @not_flags. Says no rather than to look
 * closer.
 */
static inline bool migd_page_plain(const struct page *page,
				   unsigned long flags, unsigned long not_flags)
{
	not_flags |= BIT(PG_head) | __PG_HWPOISON;
	return ((unsigned long)page->mapping & PAGE_MAPPING_FLAGS) ==
			PAGE_MAPPING_ANON &&
		(READ_ONCE(page->flags) & (flags | not_flags)) == flags &&
		!(READ_ONCE(page->compound_head) & 1) &&
		!is_zone_device_page(page);
}

enum migd_reason migd_page_look_closer(struct migd_job *job, struct page *page);
#define MIGD_REASON_NONE	((enum migd_reason)MIGD_REASONS)

/*
 * No engine knows of arm64's memory tags, and migrate_device_pages() does not
 * carry them. The page tells, not the mapping: of shared memory another one may
 * have the tags, and what has none yet has none to lose.
 */
static inline bool migd_page_tagged(struct page *page)
{
#ifdef CONFIG_ARM64_MTE
	return system_supports_mte() && page_mte_tagged(page);
#else
	return false;
#endif
}

/*
 * May this locked and unmapped page of a source node be moved? MIGD_REASON_NONE,
 * or why it has to stay. This is what counts: the page is locked, so its class
 * cannot change. Any context.
 */
static inline enum migd_reason migd_page_check(struct migd_job *job,
					       struct page *page)
{
	if (likely(migd_page_plain(page, 0,
				   BIT(PG_writeback) | BIT(PG_swapcache)) &&
		   !migd_page_tagged(page)))
		return MIGD_REASON_NONE;
	return migd_page_look_closer(job, page);
}

/* free.c */
void migd_free_sources(struct migd_batch *batch);

/* job.c */
struct migd_job_params {
	pid_t pid;
	u64 start_time;
	int from, to;
	u32 order, batch_pages, deadline_us;
	u64 max_rate;
	u32 nice;
	u32 want;
	unsigned int nr_ranges;
	struct migd_range *ranges;
};

struct migd_job *migd_job_alloc(const struct migd_job_params *p);
int migd_job_start(struct migd_job *job, u64 *ret_id,
		   struct netlink_ext_ack *ack);
bool migd_job_node_allowed(struct migd_job *job);
int migd_job_cancel(u64 id);

/* What is to change of a job that runs. */
struct migd_job_change {
	bool has_deadline, has_rate, has_paused, has_nice;
	bool paused;
	u32 deadline_us;
	u64 max_rate;
	u32 nice;
};

int migd_job_set(u64 id, const struct migd_job_change *change);
struct migd_job *migd_job_find(u64 id);
/* The job with the least id above @id, with a reference, or NULL. */
struct migd_job *migd_job_next(u64 id);
void migd_job_hist(struct migd_job *job, enum migd_phase phase,
		   struct migd_hist_sum *ret_sum);
void migd_jobs_exit(void);

/* submit.c */
int migd_job_submit(const struct migd_job_params *params, u64 *ret_id,
		    struct netlink_ext_ack *ack);

/* 0, or -EINVAL and a sentence. */
int migd_check_deadline(u32 us, struct netlink_ext_ack *ack);

/* Per-command scratch in io_uring_cmd.pdu. */
struct migd_pdu {
	void *ptr;			/* slot of a FETCH, op of a COPY */
	int res;
	bool is_copy;
};

/* What became of a batch its caller reports. */
struct migd_rescue {
	u64 job;
	u32 cause;
	unsigned int moved, put_back;
};

/* event.c; each returns at once when nobody listens. Context: process. */
void migd_ntf_job_progress(struct migd_job *job);
void migd_ntf_job_done(struct migd_job *job);
void migd_ntf_engine_fault(struct migd_chan *chan, int error);
void migd_ntf_batch_rescued(const struct migd_rescue *rescue);
void migd_ntf_quarantine(struct migd_chan *chan);
void migd_ntf_server_lost(pid_t pid);

/* netlink.c */
int migd_netlink_init(void);
void migd_netlink_exit(void);

/* chardev.c */
int migd_chardev_init(void);
void migd_chardev_exit(void);

#endif /* _MIGD_INTERNAL_H */
