// SPDX-License-Identifier: GPL-2.0
/*
 * Channels: memcpy channels of the kernel's dmaengine, claimed by name. The
 * claim lasts until it is given back, the device is closed or the channel's
 * driver is unbound.
 */
#include <linux/device.h>
#include <linux/dmaengine.h>
#include <linux/netlink.h>
#include <linux/slab.h>
#include <linux/xarray.h>
#include "copy.h"
#include "internal.h"

/* Claims and releases, and whoever walks the registry. */
DEFINE_MUTEX(migd_chan_mutex);
static DEFINE_XARRAY_ALLOC(chans);

/* Time an unbinding driver waits for descriptors that are out. */
#define UNBIND_WAIT	(5 * HZ)

static void chan_event_work(struct work_struct *work);

struct migd_chan migd_cpu = {
	.ref = KREF_INIT(1),
	.id = MIGD_ENGINE_CPU,
	.name = "cpu",
	.node = NUMA_NO_NODE,
	.event = __WORK_INITIALIZER(migd_cpu.event, chan_event_work),
	.idle = COMPLETION_INITIALIZER(migd_cpu.idle),
};

static void chan_free(struct kref *ref)
{
	struct migd_chan *chan = container_of(ref, struct migd_chan, ref);

	migd_verify_drop(chan);
	kfree(chan->driver_name);
	kfree(chan->device_name);
	kfree(chan->name);
	kfree(chan);
}

/* Context: any. */
void migd_chan_put(struct migd_chan *chan)
{
	kref_put(&chan->ref, chan_free);
}

/**
 * migd_chan_get() - the channel of an id
 * @id: as given by migd_chan_claim(), or MIGD_ENGINE_CPU
 *
 * Context: process.
 * Return: the channel with a reference, or NULL.
 */
struct migd_chan *migd_chan_get(u32 id)
{
	struct migd_chan *chan;

	if (id == MIGD_ENGINE_CPU) {
		kref_get(&migd_cpu.ref);
		return &migd_cpu;
	}
	xa_lock(&chans);
	chan = xa_load(&chans, id);
	if (chan)
		kref_get(&chan->ref);
	xa_unlock(&chans);
	return chan;
}

struct migd_chan *migd_chan_next(unsigned long *id)
{
	lockdep_assert_held(&migd_chan_mutex);
	return xa_find(&chans, id, ULONG_MAX, XA_PRESENT);
}

/* No COPY begins on it after this; false when one is at work. */
static bool chan_close(struct migd_chan *chan, bool even_if_busy)
{
	bool closed;

	mutex_lock(&chan->lock);
	closed = even_if_busy || !atomic_read(&chan->in_flight);
	if (closed)
		chan->leaving = true;
	mutex_unlock(&chan->lock);
	return closed;
}

/*
 * Gives the closed and idle channel back to its provider, if that still knows
 * it. Whoever takes it out of the registry does it; false when that was
 * somebody else.
 */
static bool chan_give_back(struct migd_chan *chan)
{
	if (xa_cmpxchg(&chans, chan->id, chan, NULL, 0) != chan)
		return false;
	cancel_delayed_work_sync(&chan->poll);
	/* Of one that is gone without device_release nothing is left. */
	if (!chan->gone || chan->outlives) {
		/* Callbacks that still run have nothing left to do for us. */
		dmaengine_synchronize(chan->chan);
		dma_release_channel(chan->chan);
	}
	/* Without a client the provider stops its hardware, or is gone. */
	migd_quarantine_quiet(chan, U64_MAX);
	complete_all(&chan->released);
	return true;
}

/* Given back: drops what the claim took. Once. */
static void chan_forget(struct migd_chan *chan)
{
	lockdep_assert_held(&migd_chan_mutex);
	if (chan->forgotten)
		return;
	chan->forgotten = true;
	if (chan->part_bus)
		bus_unregister_notifier(chan->part_bus, &chan->part_nb);
	if (chan->bus)
		bus_unregister_notifier(chan->bus, &chan->nb);
	put_device(chan->dma_dev);
	put_device(chan->dev);
	migd_chan_put(chan);
}

static void chan_forget_work(struct work_struct *work)
{
	struct migd_chan *chan = container_of(work, struct migd_chan, forget);

	/* A claim that is not through yet may still be registering notifiers. */
	mutex_lock(&migd_chan_mutex);
	if (chan->gone)
		chan_give_back(chan);
	chan_forget(chan);
	mutex_unlock(&migd_chan_mutex);
	migd_chan_put(chan);
}

static void chan_forget_later(struct migd_chan *chan)
{
	kref_get(&chan->ref);
	if (!queue_work(migd_event_wq, &chan->forget))
		migd_chan_put(chan);
}

/**
 * migd_chan_idle() - no COPY is in flight on the channel any more
 * @chan: the channel; the caller has a reference
 *
 * Context: any.
 */
void migd_chan_idle(struct migd_chan *chan)
{
	complete(&chan->idle);
	/* Pairs with the barrier in chan_unbind(): one of us forgets it. */
	if (READ_ONCE(chan->gone))
		chan_forget_later(chan);
}

/*
 * A driver is unbound under us: its channel must be given back first. Waits for
 * descriptors that are out. When they do not come in time, the provider goes
 * with them; most tell of them as it does. Then the channel is not touched any
 * more, and forgotten when the last one has come. Until then it stays in the
 * registry with its pages in quarantine, which is all that is left to do.
 */
static void chan_unbind(struct migd_chan *chan)
{
	unsigned long end = jiffies + UNBIND_WAIT;

	/* The parts of a provider leave one after the other, and with it. */
	if (READ_ONCE(chan->gone))
		return;
	chan_close(chan, true);
	while (atomic_read(&chan->in_flight) && time_before(jiffies, end))
		wait_for_completion_timeout(&chan->idle, end - jiffies);
	if (atomic_read(&chan->in_flight)) {
		mutex_lock(&chan->lock);
		WRITE_ONCE(chan->gone, true);
		mutex_unlock(&chan->lock);
		pr_warn("migd: %s: driver unbound with descriptors out; their pages stay in quarantine until they come\n",
			chan->name);
		/* Pairs with the last COPY's count in migd_copy_finish(). */
		smp_mb();
		if (!atomic_read(&chan->in_flight))
			chan_forget_later(chan);
		return;
	}

	/* The chain's lock is held: unregister from it a little later. */
	if (chan_give_back(chan))
		chan_forget_later(chan);
	else
		wait_for_completion(&chan->released);
}

static int chan_notify(struct notifier_block *nb, unsigned long action,
		       void *data)
{
	struct migd_chan *chan = container_of(nb, struct migd_chan, nb);

	if (action != BUS_NOTIFY_UNBIND_DRIVER || data != chan->dev)
		return NOTIFY_DONE;
	chan_unbind(chan);
	return NOTIFY_OK;
}

/*
 * A part of the provider that is a device of its own, as the work queues of
 * IDXD are. Which one the channel belongs to can't be seen: any of them counts.
 */
static int chan_notify_part(struct notifier_block *nb, unsigned long action,
			    void *data)
{
	struct migd_chan *chan = container_of(nb, struct migd_chan, part_nb);
	struct device *dev;

	if (action != BUS_NOTIFY_UNBIND_DRIVER)
		return NOTIFY_DONE;
	for (dev = data; dev; dev = dev->parent) {
		if (dev == chan->dev) {
			chan_unbind(chan);
			return NOTIFY_OK;
		}
	}
	return NOTIFY_DONE;
}

/* Finds the bus that the parts of the provider are on, one at most. */
static int find_part_bus(struct device *dev, void *data)
{
	struct migd_chan *chan = data;

	if (dev->bus && dev->bus != chan->bus) {
		if (chan->part_bus && chan->part_bus != dev->bus)
			return -EOPNOTSUPP;
		chan->part_bus = dev->bus;
	}
	return device_for_each_child(dev, chan, find_part_bus);
}

/* Hears of every unbinding from here on. */
static int chan_watch(struct migd_chan *chan, struct netlink_ext_ack *ack)
{
	int err;

	err = device_for_each_child(chan->dev, chan, find_part_bus);
	if (err) {
		NL_SET_ERR_MSG(ack, "the channel's device has parts on several buses, and an unbinding there would go unnoticed: choose another");
		return err;
	}
	if (chan->bus) {
		err = bus_register_notifier(chan->bus, &chan->nb);
		if (err)
			return err;
	}
	if (chan->part_bus) {
		err = bus_register_notifier(chan->part_bus, &chan->part_nb);
		if (err && chan->bus)
			bus_unregister_notifier(chan->bus, &chan->nb);
	}
	return err;
}

/* An unbinding that began before we could hear of it is waited for. */
static bool chan_is_bound(struct migd_chan *chan)
{
	bool bound;

	device_lock(chan->dev);
	bound = chan->dev->driver;
	device_unlock(chan->dev);
	return bound;
}

static void chan_event_work(struct work_struct *work)
{
	struct migd_chan *chan = container_of(work, struct migd_chan, event);
	int error = atomic_xchg(&chan->fault, 0);
	long quarantined = atomic_long_read(&chan->quarantined);

	if (error)
		migd_ntf_engine_fault(chan, error);
	if (quarantined != chan->told) {
		chan->told = quarantined;
		migd_ntf_quarantine(chan);
	}
	migd_chan_put(chan);
}

void migd_chan_event(struct migd_chan *chan, int error)
{
	if (error)
		atomic_set(&chan->fault, error);
	kref_get(&chan->ref);
	if (!queue_work(migd_event_wq, &chan->event))
		migd_chan_put(chan);
}

static bool chan_filter(struct dma_chan *dma, void *name)
{
	return !strcmp(dma_chan_name(dma), name);
}

static struct migd_chan *chan_new(const char *name)
{
	struct migd_chan *chan = kzalloc(sizeof(*chan), GFP_KERNEL);

	if (!chan)
		return NULL;
	chan->name = kstrdup(name, GFP_KERNEL);
	if (!chan->name) {
		kfree(chan);
		return NULL;
	}
	kref_init(&chan->ref);
	mutex_init(&chan->lock);
	spin_lock_init(&chan->failed_lock);
	INIT_LIST_HEAD(&chan->failed);
	spin_lock_init(&chan->suspect_lock);
	INIT_LIST_HEAD(&chan->suspect);
	init_completion(&chan->idle);
	init_completion(&chan->released);
	INIT_WORK(&chan->forget, chan_forget_work);
	INIT_WORK(&chan->event, chan_event_work);
	INIT_DELAYED_WORK(&chan->poll, migd_chan_poll_work);
	chan->nb.notifier_call = chan_notify;
	chan->part_nb.notifier_call = chan_notify_part;
	return chan;
}

/**
 * migd_chan_claim() - claim a memcpy channel by its dmaengine name
 * @name: such as dma0chan0
 * @ack: receives a sentence when it fails
 *
 * A channel that is claimed already is returned as it is.
 *
 * Context: process.
 * Return: the channel, owned by the registry, or ERR_PTR.
 */
struct migd_chan *migd_chan_claim(const char *name, struct netlink_ext_ack *ack)
{
	struct migd_chan *chan;
	dma_cap_mask_t mask;
	unsigned long i;
	int err;

	lockdep_assert_held(&migd_chan_mutex);
	/*
	 * One that outlived its daemon, in quarantine, is the next one's. Not
	 * one whose driver has left: another may have the name now.
	 */
	xa_for_each(&chans, i, chan) {
		if (!READ_ONCE(chan->leaving) && !strcmp(chan->name, name))
			return chan;
	}

	chan = chan_new(name);
	if (!chan)
		return ERR_PTR(-ENOMEM);

	dma_cap_zero(mask);
	dma_cap_set(DMA_MEMCPY, mask);
	chan->chan = __dma_request_channel(&mask, chan_filter, (void *)name, NULL);
	if (!chan->chan) {
		NL_SET_ERR_MSG(ack, "no free memcpy channel of this name: see /sys/class/dma");
		err = -ENODEV;
		goto err_chan;
	}
	/* Copies: after an unbind there is nobody left to ask. */
	chan->dev = get_device(chan->chan->device->dev);
	chan->dma_dev = get_device(dmaengine_get_dma_device(chan->chan));
	chan->outlives = chan->chan->device->device_release;
	chan->bus = chan->dev->bus;
	chan->node = dev_to_node(chan->dev);
	chan->device_name = kstrdup(dev_name(chan->dev), GFP_KERNEL);
	chan->driver_name = kstrdup(dev_driver_string(chan->dev), GFP_KERNEL);
	if (!chan->device_name || !chan->driver_name) {
		err = -ENOMEM;
		goto err_dma;
	}
	chan->ordered = !dma_has_cap(DMA_COMPLETION_NO_ORDER,
				     chan->chan->device->cap_mask);

	err = xa_alloc(&chans, &chan->id, chan,
		       XA_LIMIT(0, MIGD_ENGINE_CPU - 1), GFP_KERNEL);
	if (err)
		goto err_dma;

	err = chan_watch(chan, ack);
	if (err)
		goto err_xa;
	if (chan_is_bound(chan))
		return chan;

	NL_SET_ERR_MSG(ack, "the channel's driver has just been unbound: bind it again");
	chan_close(chan, true);
	chan->gone = true;
	chan_give_back(chan);
	chan_forget(chan);
	return ERR_PTR(-ENODEV);

err_xa:
	xa_erase(&chans, chan->id);
err_dma:
	dma_release_channel(chan->chan);
	put_device(chan->dma_dev);
	put_device(chan->dev);
err_chan:
	migd_chan_put(chan);
	return ERR_PTR(err);
}

/**
 * migd_chan_release() - give a channel back
 * @id: its id
 * @ack: receives a sentence when it fails
 *
 * Context: process.
 * Return: 0, -ENODEV or -EBUSY.
 */
int migd_chan_release(u32 id, struct netlink_ext_ack *ack)
{
	struct migd_chan *chan;

	lockdep_assert_held(&migd_chan_mutex);
	chan = xa_load(&chans, id);
	if (!chan) {
		NL_SET_ERR_MSG(ack, "no channel of this id is claimed");
		return -ENODEV;
	}
	if (!chan_close(chan, false)) {
		NL_SET_ERR_MSG(ack, "a COPY is in flight on the channel");
		return -EBUSY;
	}
	if (chan_give_back(chan))
		chan_forget(chan);
	return 0;
}

/* The daemon is gone: what is idle goes back; the rest stays, and is shown. */
void migd_chan_release_all(void)
{
	struct migd_chan *chan;
	unsigned long i;

	mutex_lock(&migd_chan_mutex);
	xa_for_each(&chans, i, chan) {
		if (chan_close(chan, false) && chan_give_back(chan))
			chan_forget(chan);
	}
	mutex_unlock(&migd_chan_mutex);
}
