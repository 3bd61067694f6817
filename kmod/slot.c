// SPDX-License-Identifier: GPL-2.0
/*
 * The server (one open of the device) and its slots. A slot is the daemon's
 * until it parks a FETCH on it; a job claims a parked one before it locks a
 * single page, so no page waits locked for a daemon that is not ready.
 */
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include "internal.h"
#include "slot.h"

static DEFINE_SPINLOCK(current_lock);
static struct migd_server *current_server;
static unsigned long lost_at;

static void server_free(struct kref *ref)
{
	struct migd_server *server = container_of(ref, struct migd_server, ref);

	mmdrop(server->mm);
	kvfree(server->slots);
	vfree(server->desc);
	kfree(server);
}

/* Context: process; vfree() may sleep. */
void migd_server_put(struct migd_server *server)
{
	kref_put(&server->ref, server_free);
}

struct migd_server *migd_server_alloc(void)
{
	struct migd_server *server = kzalloc(sizeof(*server), GFP_KERNEL);

	if (!server)
		return NULL;
	kref_init(&server->ref);
	spin_lock_init(&server->lock);
	INIT_LIST_HEAD(&server->parked);
	server->pid = task_tgid_nr(current);
	server->mm = current->mm;
	mmgrab(server->mm);
	return server;
}

/**
 * migd_server_setup() - slots and descriptors, and open for jobs
 * @server: not set up yet
 * @nr_queues: queues
 * @depth: slots of each
 * @max_batch_pages: largest batch
 * @features: what both sides know
 *
 * Context: process; the caller excludes a second call.
 * Return: 0 or -ENOMEM.
 */
int migd_server_setup(struct migd_server *server, u16 nr_queues, u16 depth,
		      u32 max_batch_pages, u64 features)
{
	unsigned int n = nr_queues * depth, i;
	struct migd_slot *slots;
	struct migd_desc *desc;
	size_t bytes;

	bytes = PAGE_ALIGN(n * sizeof(*desc));
	desc = vmalloc_user(bytes);
	slots = kvcalloc(n, sizeof(*slots), GFP_KERNEL);
	if (!desc || !slots) {
		vfree(desc);
		kvfree(slots);
		return -ENOMEM;
	}
	for (i = 0; i < n; i++) {
		slots[i].server = server;
		slots[i].desc = &desc[i];
		INIT_LIST_HEAD(&slots[i].node);
	}

	spin_lock(&server->lock);
	server->nr_queues = nr_queues;
	server->depth = depth;
	server->max_batch_pages = max_batch_pages;
	server->features = features;
	server->desc = desc;
	server->desc_bytes = bytes;
	server->slots = slots;
	/* Whoever sees it set sees the slots, without the lock. */
	smp_store_release(&server->ready, true);
	spin_unlock(&server->lock);

	spin_lock(&current_lock);
	current_server = server;
	spin_unlock(&current_lock);
	wake_up_all(&migd_wait);
	return 0;
}

struct migd_server *migd_server_get(void)
{
	struct migd_server *server;

	spin_lock(&current_lock);
	server = current_server;
	if (server)
		kref_get(&server->ref);
	spin_unlock(&current_lock);
	return server;
}

bool migd_server_present(void)
{
	/* Pairs with migd_server_close(): who sees none sees when it went. */
	return smp_load_acquire(&current_server);
}

unsigned long migd_server_lost_at(void)
{
	return READ_ONCE(lost_at);
}

/**
 * migd_server_close() - the device is closed
 * @server: no command of it is left
 *
 * Its batches end as soon as no descriptor is out, at their deadline at the
 * latest; the server goes with the last of them.
 *
 * Context: process.
 */
void migd_server_close(struct migd_server *server)
{
	struct migd_batch *batch;
	unsigned int i;

	spin_lock(&current_lock);
	if (current_server == server) {
		WRITE_ONCE(lost_at, jiffies);
		/* Pairs with migd_server_present(). */
		smp_store_release(&current_server, NULL);
	}
	spin_unlock(&current_lock);

	for (i = 0; i < server->nr_queues * server->depth; i++) {
		spin_lock(&server->lock);
		batch = server->slots[i].batch;
		if (batch)
			migd_batch_get(batch);
		spin_unlock(&server->lock);
		if (batch) {
			migd_batch_orphan(batch);
			migd_batch_put(batch);
		}
	}
	if (server->ready)
		migd_ntf_server_lost(server->pid);
	wake_up_all(&migd_wait);
	migd_server_put(server);
}

struct migd_slot *migd_slot_claim(void)
{
	struct migd_server *server = migd_server_get();
	struct migd_slot *slot;

	if (!server)
		return NULL;
	spin_lock(&server->lock);
	slot = list_first_entry_or_null(&server->parked, struct migd_slot, node);
	if (slot) {
		list_del_init(&slot->node);
		slot->state = MIGD_SLOT_CLAIMED;
	}
	spin_unlock(&server->lock);
	if (!slot)
		migd_server_put(server);
	return slot;
}

static void fetch_done(struct io_uring_cmd *cmd, unsigned int issue_flags)
{
	struct migd_pdu *pdu = io_uring_cmd_to_pdu(cmd, struct migd_pdu);

	io_uring_cmd_done(cmd, pdu->res, 0, issue_flags);
}

/* The command has been taken off its slot, so it is completed once. */
static void fetch_complete(struct io_uring_cmd *cmd, int res)
{
	io_uring_cmd_to_pdu(cmd, struct migd_pdu)->res = res;
	io_uring_cmd_complete_in_task(cmd, fetch_done);
}

void migd_slot_unclaim(struct migd_slot *slot)
{
	struct migd_server *server = slot->server;
	struct io_uring_cmd *cmd = NULL;

	spin_lock(&server->lock);
	if (slot->cancel) {
		slot->cancel = false;
		cmd = slot->cmd;
		slot->cmd = NULL;
		slot->state = MIGD_SLOT_IDLE;
	} else {
		slot->state = MIGD_SLOT_PARKED;
		list_add(&slot->node, &server->parked);
	}
	spin_unlock(&server->lock);
	if (cmd)
		fetch_complete(cmd, -ECANCELED);
	wake_up_all(&migd_wait);
	migd_server_put(server);
}

void migd_slot_hand(struct migd_slot *slot, struct migd_batch *batch)
{
	struct migd_server *server = slot->server;
	struct io_uring_cmd *cmd;

	/* The claim's reference to the server becomes the batch's. */
	batch->slot = slot;
	batch->server = server;
	batch->seq = slot->seq + 1;
	*slot->desc = (struct migd_desc) {
		.job = batch->job->id,
		.deadline_ns = batch->deadline_ns,
		.lock_ns = batch->t_lock,
		.seq = batch->seq,
		.pages = batch->nr,
		.src_node = page_to_nid(batch->spage[0]),
		.dst_node = batch->job->to,
		.order = batch->order == MIGD_ORDER_STATE_FIRST ?
			MIGD_DESC_STATE_FIRST : MIGD_DESC_COPY_FIRST,
		.page_shift = PAGE_SHIFT,
	};

	migd_batch_state(batch, MIGD_BATCH_LOCKED);
	migd_batch_state(batch, MIGD_BATCH_FETCHED);

	spin_lock(&server->lock);
	slot->seq = batch->seq;
	slot->cancel = false;
	slot->state = MIGD_SLOT_BUSY;
	slot->batch = migd_batch_get(batch);
	cmd = slot->cmd;
	slot->cmd = NULL;
	/*
	 * From here the deadline may end the batch. Under the lock, because a
	 * daemon that guesses the number may commit as soon as it is released,
	 * and the end of a batch cancels the timer that it finds.
	 */
	migd_batch_arm(batch);
	spin_unlock(&server->lock);
	fetch_complete(cmd, batch->nr);
}

struct migd_batch *migd_slot_batch(struct migd_slot *slot, u32 seq)
{
	struct migd_batch *batch = NULL;

	spin_lock(&slot->server->lock);
	if (slot->state == MIGD_SLOT_BUSY && slot->seq == seq)
		batch = migd_batch_get(slot->batch);
	spin_unlock(&slot->server->lock);
	return batch ?: ERR_PTR(-ESTALE);
}

void migd_slot_ended(struct migd_slot *slot, struct migd_batch *batch)
{
	struct migd_server *server = slot->server;

	spin_lock(&server->lock);
	WARN_ON_ONCE(slot->batch != batch);
	slot->batch = NULL;
	if (!slot->cmd) {
		slot->state = MIGD_SLOT_IDLE;
	} else if (slot->parking) {
		slot->state = MIGD_SLOT_CLAIMED;
	} else {
		slot->state = MIGD_SLOT_PARKED;
		list_add(&slot->node, &server->parked);
	}
	spin_unlock(&server->lock);
	migd_batch_put(batch);
}

/*
 * A COPY or COMMIT that lost against the deadline says so while the batch is
 * still being ended: the FETCH that follows waits for that on the slot.
 */
static bool batch_is_ending(const struct migd_slot *slot)
{
	return slot->state == MIGD_SLOT_BUSY && !slot->cmd &&
		test_bit(MIGD_BATCH_ENDING, &slot->batch->flags);
}

/**
 * migd_slot_park() - a FETCH, or what follows a commit
 * @slot: the slot
 * @cmd: the command
 * @issue_flags: as given to ->uring_cmd()
 *
 * Context: the daemon's task.
 * Return: -EIOCBQUEUED, or -EBUSY.
 */
int migd_slot_park(struct migd_slot *slot, struct io_uring_cmd *cmd,
		   unsigned int issue_flags)
{
	struct migd_pdu *pdu = io_uring_cmd_to_pdu(cmd, struct migd_pdu);
	struct migd_server *server = slot->server;

	pdu->ptr = slot;
	pdu->is_copy = false;

	spin_lock(&server->lock);
	if (slot->state == MIGD_SLOT_IDLE) {
		slot->state = MIGD_SLOT_CLAIMED;
	} else if (!batch_is_ending(slot)) {
		spin_unlock(&server->lock);
		return -EBUSY;
	}
	slot->parking = true;
	slot->cancel = false;
	slot->cmd = cmd;
	spin_unlock(&server->lock);

	/* Cancelable before a job can complete it. */
	io_uring_cmd_mark_cancelable(cmd, issue_flags);

	spin_lock(&server->lock);
	/* Unless it is cancelled by now, and the slot another command's. */
	if (slot->cmd == cmd) {
		slot->parking = false;
		if (slot->state == MIGD_SLOT_CLAIMED) {
			slot->state = MIGD_SLOT_PARKED;
			list_add(&slot->node, &server->parked);
		}
	}
	spin_unlock(&server->lock);
	wake_up_all(&migd_wait);
	return -EIOCBQUEUED;
}

void migd_slot_cancel(struct migd_slot *slot, struct io_uring_cmd *cmd,
		      unsigned int issue_flags)
{
	struct migd_server *server = slot->server;
	bool mine = false;

	spin_lock(&server->lock);
	if (slot->cmd == cmd) {
		if (slot->state == MIGD_SLOT_PARKED) {
			list_del_init(&slot->node);
			slot->cmd = NULL;
			slot->state = MIGD_SLOT_IDLE;
			mine = true;
		} else if (slot->state == MIGD_SLOT_BUSY) {
			slot->cmd = NULL;
			mine = true;
		} else if (slot->state == MIGD_SLOT_CLAIMED) {
			/* Being locked for: it completes with the batch, or without. */
			slot->cancel = true;
		}
	}
	spin_unlock(&server->lock);
	if (mine)
		io_uring_cmd_done(cmd, -ECANCELED, 0, issue_flags);
}
