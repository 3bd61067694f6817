/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	uapi/specs/migd.yaml */
/* YNL-GEN uapi header */

#ifndef _UAPI_LINUX_MIGD_NETLINK_H
#define _UAPI_LINUX_MIGD_NETLINK_H

#define MIGD_FAMILY_NAME	"migd"
#define MIGD_FAMILY_VERSION	1

/**
 * enum migd_order - Order of the copy and the state of a page.
 */
enum migd_order {
	MIGD_ORDER_COPY_FIRST,
	MIGD_ORDER_STATE_FIRST,
};

/**
 * enum migd_job_state
 * @MIGD_JOB_STATE_WAITING: The daemon is gone; the job goes on when one comes
 *   back in time.
 * @MIGD_JOB_STATE_ROUTING: The module's part is done; the daemon moves large
 *   folios and pages with tags, see job-routed.
 * @MIGD_JOB_STATE_PAUSED: Told to wait by job-set; no page is locked once its
 *   batches have ended.
 */
enum migd_job_state {
	MIGD_JOB_STATE_QUEUED,
	MIGD_JOB_STATE_RUNNING,
	MIGD_JOB_STATE_WAITING,
	MIGD_JOB_STATE_DONE,
	MIGD_JOB_STATE_ROUTING,
	MIGD_JOB_STATE_PAUSED,
};

/**
 * enum migd_job_flag
 * @MIGD_JOB_FLAG_ROUTE: Before its end, the job waits for the daemon to move
 *   what it has left in large folios, whole, and what has MTE tags, with
 *   move_pages(2).
 * @MIGD_JOB_FLAG_VERIFY: Each page is compared with its copy before its state
 *   is final.
 * @MIGD_JOB_FLAG_ATOMIC: All pages of a range move or none; copy-first, small
 *   anonymous pages, a range of one batch at most.
 */
enum migd_job_flag {
	MIGD_JOB_FLAG_ROUTE = 1,
	MIGD_JOB_FLAG_VERIFY = 2,
	MIGD_JOB_FLAG_ATOMIC = 4,
};

/**
 * enum migd_outcome - How a job ended.
 * @MIGD_OUTCOME_MOVED: No movable page is left on the source nodes.
 * @MIGD_OUTCOME_PARTLY: Some pages were left, each with a reason.
 * @MIGD_OUTCOME_FAILED: Nothing was moved though there was something to move.
 * @MIGD_OUTCOME_TARGET_GONE: The target exited or replaced its memory.
 * @MIGD_OUTCOME_SERVER_LOST: The daemon died and none came back in time.
 */
enum migd_outcome {
	MIGD_OUTCOME_NONE,
	MIGD_OUTCOME_MOVED,
	MIGD_OUTCOME_PARTLY,
	MIGD_OUTCOME_FAILED,
	MIGD_OUTCOME_CANCELLED,
	MIGD_OUTCOME_TARGET_GONE,
	MIGD_OUTCOME_SERVER_LOST,
};

/**
 * enum migd_reason - Why a page was left where it was.
 * @MIGD_REASON_FILE: Page cache of a file.
 * @MIGD_REASON_SHMEM: Shared memory, memfd or tmpfs: with state-first or
 *   atomic, which are not safe, or because the daemon maps it, too.
 * @MIGD_REASON_HUGE: Transparent huge page mapped by a PMD.
 * @MIGD_REASON_LARGE: Large folio mapped by PTEs.
 * @MIGD_REASON_SPECIAL: Device memory or a mapping without ordinary pages.
 * @MIGD_REASON_TAGGED: Memory with arm64 MTE tags.
 * @MIGD_REASON_SWAP_CACHE: In the swap cache, where state-first and atomic are
 *   not safe.
 * @MIGD_REASON_REFUSED: The kernel could not lock, isolate or unmap it;
 *   pinned, in use or under migration by somebody else.
 * @MIGD_REASON_WRITEBACK: Being written to swap.
 * @MIGD_REASON_POISONED: The hardware reported an error in the page.
 * @MIGD_REASON_NO_MEMORY: The destination node had no free page, or the kernel
 *   no memory for the batch, and the job ended.
 * @MIGD_REASON_BUSY: Somebody took a reference while it was being moved, or it
 *   was in a CPU's list of pages yet to be put on the LRU.
 * @MIGD_REASON_COPY_FAILED: No engine could copy it.
 * @MIGD_REASON_PUT_BACK: The deadline passed while an engine could still write
 *   the copy; or a range of an atomic job could not be locked in the time for
 *   it.
 * @MIGD_REASON_UNREACHED: The job ended before it came to the page.
 * @MIGD_REASON_VERIFY_FAILED: Its copy, which an engine had called complete,
 *   was not equal.
 * @MIGD_REASON_ATOMIC: Another page of its range could not be moved, flag
 *   atomic.
 */
enum migd_reason {
	MIGD_REASON_FILE,
	MIGD_REASON_SHMEM,
	MIGD_REASON_HUGETLB,
	MIGD_REASON_HUGE,
	MIGD_REASON_LARGE,
	MIGD_REASON_KSM,
	MIGD_REASON_SPECIAL,
	MIGD_REASON_TAGGED,
	MIGD_REASON_SWAP_CACHE,
	MIGD_REASON_REFUSED,
	MIGD_REASON_WRITEBACK,
	MIGD_REASON_POISONED,
	MIGD_REASON_NO_MEMORY,
	MIGD_REASON_BUSY,
	MIGD_REASON_COPY_FAILED,
	MIGD_REASON_PUT_BACK,
	MIGD_REASON_UNREACHED,
	MIGD_REASON_VERIFY_FAILED,
	MIGD_REASON_ATOMIC,

	/* private: */
	__MIGD_REASON_MAX,
	MIGD_REASON_MAX = (__MIGD_REASON_MAX - 1)
};

/**
 * enum migd_channel_state
 * @MIGD_CHANNEL_STATE_FAULTED: The last COPY failed; the next success clears
 *   it.
 * @MIGD_CHANNEL_STATE_QUARANTINED: Descriptors are out past a deadline; no
 *   COPY is taken.
 * @MIGD_CHANNEL_STATE_LEAVING: Its driver is being unbound.
 * @MIGD_CHANNEL_STATE_DISABLED: A copy it had called complete was not;
 *   released and claimed, it serves again.
 */
enum migd_channel_state {
	MIGD_CHANNEL_STATE_READY,
	MIGD_CHANNEL_STATE_FAULTED,
	MIGD_CHANNEL_STATE_QUARANTINED,
	MIGD_CHANNEL_STATE_LEAVING,
	MIGD_CHANNEL_STATE_DISABLED,
};

enum migd_rescue_cause {
	MIGD_RESCUE_CAUSE_DEADLINE,
	MIGD_RESCUE_CAUSE_SERVER_LOST,
	MIGD_RESCUE_CAUSE_CANCELLED,
};

enum {
	MIGD_A_FEATURES_VERSION = 1,
	MIGD_A_FEATURES_ABI_VERSION,
	MIGD_A_FEATURES_FEATURES,
	MIGD_A_FEATURES_SERVER_PID,
	MIGD_A_FEATURES_MAX_BATCH_PAGES,
	MIGD_A_FEATURES_GRACE_MS,

	__MIGD_A_FEATURES_MAX,
	MIGD_A_FEATURES_MAX = (__MIGD_A_FEATURES_MAX - 1)
};

enum {
	MIGD_A_HIST_COUNT = 1,
	MIGD_A_HIST_SUM,
	MIGD_A_HIST_P50,
	MIGD_A_HIST_P90,
	MIGD_A_HIST_P99,
	MIGD_A_HIST_LARGEST,
	MIGD_A_HIST_P999,

	__MIGD_A_HIST_MAX,
	MIGD_A_HIST_MAX = (__MIGD_A_HIST_MAX - 1)
};

enum {
	MIGD_A_RANGE_START = 1,
	MIGD_A_RANGE_END,

	__MIGD_A_RANGE_MAX,
	MIGD_A_RANGE_MAX = (__MIGD_A_RANGE_MAX - 1)
};

enum {
	MIGD_A_LARGE_START = 1,
	MIGD_A_LARGE_END,
	MIGD_A_LARGE_STEP,
	MIGD_A_LARGE_REASON,

	__MIGD_A_LARGE_MAX,
	MIGD_A_LARGE_MAX = (__MIGD_A_LARGE_MAX - 1)
};

enum {
	MIGD_A_LEFT_REASON = 1,
	MIGD_A_LEFT_PAGES,

	__MIGD_A_LEFT_MAX,
	MIGD_A_LEFT_MAX = (__MIGD_A_LEFT_MAX - 1)
};

enum {
	MIGD_A_JOB_ID = 1,
	MIGD_A_JOB_PID,
	MIGD_A_JOB_START_TIME,
	MIGD_A_JOB_FROM,
	MIGD_A_JOB_TO,
	MIGD_A_JOB_ORDER,
	MIGD_A_JOB_BATCH_PAGES,
	MIGD_A_JOB_DEADLINE_US,
	MIGD_A_JOB_MAX_RATE,
	MIGD_A_JOB_RANGE,
	MIGD_A_JOB_STATE,
	MIGD_A_JOB_OUTCOME,
	MIGD_A_JOB_COMM,
	MIGD_A_JOB_TOTAL,
	MIGD_A_JOB_MOVED,
	MIGD_A_JOB_LEFT,
	MIGD_A_JOB_BATCHES,
	MIGD_A_JOB_RESCUED,
	MIGD_A_JOB_PASSES,
	MIGD_A_JOB_SUBMITTED_NS,
	MIGD_A_JOB_ELAPSED_NS,
	MIGD_A_JOB_LOCK,
	MIGD_A_JOB_COPY,
	MIGD_A_JOB_COMMIT,
	MIGD_A_JOB_BLACKOUT,
	MIGD_A_JOB_RESCUE_CAUSE,
	MIGD_A_JOB_RESCUED_MOVED,
	MIGD_A_JOB_RESCUED_PUT_BACK,
	MIGD_A_JOB_FLAGS,
	MIGD_A_JOB_LARGE,
	MIGD_A_JOB_LARGE_FROM,
	MIGD_A_JOB_ROUTED,
	MIGD_A_JOB_ROUTED_REASON,
	MIGD_A_JOB_ROUTED_ALL,
	MIGD_A_JOB_PAUSED,
	MIGD_A_JOB_NICE,
	MIGD_A_JOB_WORK_NS,

	__MIGD_A_JOB_MAX,
	MIGD_A_JOB_MAX = (__MIGD_A_JOB_MAX - 1)
};

enum {
	MIGD_A_CHANNEL_ID = 1,
	MIGD_A_CHANNEL_NAME,
	MIGD_A_CHANNEL_DEVICE,
	MIGD_A_CHANNEL_DRIVER,
	MIGD_A_CHANNEL_NODE,
	MIGD_A_CHANNEL_STATE,
	MIGD_A_CHANNEL_COPIES,
	MIGD_A_CHANNEL_PAGES,
	MIGD_A_CHANNEL_BYTES,
	MIGD_A_CHANNEL_ERRORS,
	MIGD_A_CHANNEL_IN_FLIGHT,
	MIGD_A_CHANNEL_QUARANTINED,
	MIGD_A_CHANNEL_COPY,
	MIGD_A_CHANNEL_ERROR,

	__MIGD_A_CHANNEL_MAX,
	MIGD_A_CHANNEL_MAX = (__MIGD_A_CHANNEL_MAX - 1)
};

enum {
	MIGD_A_STATS_JOBS = 1,
	MIGD_A_STATS_JOBS_ACTIVE,
	MIGD_A_STATS_BATCHES,
	MIGD_A_STATS_MOVED,
	MIGD_A_STATS_LEFT,
	MIGD_A_STATS_RESCUED_DEADLINE,
	MIGD_A_STATS_RESCUED_SERVER,
	MIGD_A_STATS_LATE,
	MIGD_A_STATS_UNDONE,
	MIGD_A_STATS_LOCKED_PAGES,
	MIGD_A_STATS_QUARANTINED_PAGES,
	MIGD_A_STATS_QUARANTINED_TOTAL,
	MIGD_A_STATS_LOCK,
	MIGD_A_STATS_COPY,
	MIGD_A_STATS_COMMIT,
	MIGD_A_STATS_BLACKOUT,
	MIGD_A_STATS_VERIFY_FAILED,

	__MIGD_A_STATS_MAX,
	MIGD_A_STATS_MAX = (__MIGD_A_STATS_MAX - 1)
};

enum {
	MIGD_A_CONFIG_MAX_LOCKED_PAGES = 1,
	MIGD_A_CONFIG_SERVER_WAIT_MS,
	MIGD_A_CONFIG_NICE,

	__MIGD_A_CONFIG_MAX,
	MIGD_A_CONFIG_MAX = (__MIGD_A_CONFIG_MAX - 1)
};

enum {
	MIGD_CMD_FEATURES_GET = 1,
	MIGD_CMD_CHANNEL_GET,
	MIGD_CMD_CHANNEL_CLAIM,
	MIGD_CMD_CHANNEL_RELEASE,
	MIGD_CMD_JOB_SUBMIT,
	MIGD_CMD_JOB_CANCEL,
	MIGD_CMD_JOB_GET,
	MIGD_CMD_STATS_GET,
	MIGD_CMD_CONFIG_GET,
	MIGD_CMD_CONFIG_SET,
	MIGD_CMD_JOB_LARGE_GET,
	MIGD_CMD_JOB_ROUTED,
	MIGD_CMD_JOB_PROGRESS_NTF,
	MIGD_CMD_JOB_DONE_NTF,
	MIGD_CMD_ENGINE_FAULT_NTF,
	MIGD_CMD_BATCH_RESCUED_NTF,
	MIGD_CMD_QUARANTINE_NTF,
	MIGD_CMD_SERVER_LOST_NTF,
	MIGD_CMD_JOB_SET,

	__MIGD_CMD_MAX,
	MIGD_CMD_MAX = (__MIGD_CMD_MAX - 1)
};

#define MIGD_MCGRP_EVENTS	"events"

#endif /* _UAPI_LINUX_MIGD_NETLINK_H */
