// SPDX-License-Identifier: GPL-2.0
/*
 * migd: move a process's pages between nodes, with the copying left to others.
 *
 * Takes up the flow of commit 2916ecc0 ("mm/migrate: new migrate mode
 * MIGRATE_SYNC_NO_COPY") on the exported functions of mm/migrate_device.c.
 */
#include <linux/module.h>
#include <linux/moduleparam.h>
#include "copy.h"
#include "internal.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

wait_queue_head_t migd_wait;
struct workqueue_struct *migd_end_wq;
struct workqueue_struct *migd_push_wq;
struct workqueue_struct *migd_event_wq;
struct workqueue_struct *migd_job_wq;

unsigned int migd_max_locked_pages = 65536;
module_param_named(max_locked_pages, migd_max_locked_pages, uint, 0444);
MODULE_PARM_DESC(max_locked_pages, "most pages locked at once over all jobs");

u32 migd_nice;
unsigned int migd_server_wait_ms = 30000;
module_param_named(server_wait_ms, migd_server_wait_ms, uint, 0444);
MODULE_PARM_DESC(server_wait_ms, "how long a job waits for a new daemon");

bool migd_poison;
module_param_named(poison, migd_poison, bool, 0644);
MODULE_PARM_DESC(poison, "for tests: fill each destination page with 0xa5 before the copy");

static void destroy_workqueues(void)
{
	/* Whoever ends a batch or pushes may queue an event, so those go last. */
	if (migd_job_wq)
		destroy_workqueue(migd_job_wq);
	if (migd_end_wq)
		destroy_workqueue(migd_end_wq);
	if (migd_push_wq)
		destroy_workqueue(migd_push_wq);
	if (migd_event_wq)
		destroy_workqueue(migd_event_wq);
}

static int create_workqueues(void)
{
	/*
	 * Ends batches: what a locked page waits for must not wait for memory.
	 * It has a rescuer, so nothing that allocates may be queued here.
	 */
	migd_end_wq = alloc_workqueue("migd_end", WQ_UNBOUND | WQ_HIGHPRI |
				      WQ_MEM_RECLAIM, 0);
	/* A provider's prep may wait for descriptors. */
	migd_push_wq = alloc_workqueue("migd_push", WQ_UNBOUND | WQ_HIGHPRI, 0);
	migd_event_wq = alloc_workqueue("migd_event", WQ_UNBOUND, 0);
	migd_job_wq = alloc_workqueue("migd_job", WQ_UNBOUND, 0);
	if (migd_end_wq && migd_push_wq && migd_event_wq && migd_job_wq)
		return 0;
	destroy_workqueues();
	return -ENOMEM;
}

static int __init migd_init(void)
{
	int err;

	if (!migd_max_locked_pages) {
		pr_err("migd: max_locked_pages=0 would lock nothing: give at least 1\n");
		return -EINVAL;
	}
	init_waitqueue_head(&migd_wait);

	err = create_workqueues();
	if (err)
		return err;

	err = migd_chardev_init();
	if (err)
		goto err_workqueues;

	err = migd_netlink_init();
	if (err)
		goto err_chardev;

	return 0;

err_chardev:
	migd_chardev_exit();
err_workqueues:
	destroy_workqueues();
	return err;
}

static void __exit migd_exit(void)
{
	migd_netlink_exit();
	migd_chardev_exit();
	migd_chan_release_all();
	migd_jobs_exit();
	destroy_workqueues();
}

module_init(migd_init);
module_exit(migd_exit);

MODULE_DESCRIPTION("Page migration with pluggable copy engines");
MODULE_LICENSE("GPL");
MODULE_VERSION(MIGD_VERSION);
