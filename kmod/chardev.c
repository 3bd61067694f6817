// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/migd: one server at a time, three io_uring commands, a read-only
 * mapping of the descriptors.
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/nospec.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include "copy.h"
#include "internal.h"
#include "slot.h"

static unsigned long device_open;
static DEFINE_MUTEX(setup_mutex);

static int migd_open(struct inode *inode, struct file *file)
{
	struct migd_server *server;

	if (test_and_set_bit(0, &device_open))
		return -EBUSY;
	server = migd_server_alloc();
	if (!server) {
		clear_bit(0, &device_open);
		return -ENOMEM;
	}
	file->private_data = server;
	return 0;
}

static int migd_release(struct inode *inode, struct file *file)
{
	migd_server_close(file->private_data);
	migd_chan_release_all();
	clear_bit(0, &device_open);
	return 0;
}

static int setup(struct migd_server *server, void __user *argp)
{
	struct migd_setup arg;
	int err;

	if (copy_from_user(&arg, argp, sizeof(arg)))
		return -EFAULT;

	if (arg.abi_version != MIGD_ABI_VERSION) {
		/* Tell the daemon what it would have to be. */
		arg = (struct migd_setup) { .abi_version = MIGD_ABI_VERSION };
		strscpy(arg.version, MIGD_VERSION, sizeof(arg.version));
		return copy_to_user(argp, &arg, sizeof(arg)) ? -EFAULT : -EPROTO;
	}
	if (arg.flags || arg.reserved0 || arg.map_bytes || arg.reserved[0] ||
	    arg.reserved[1] || memchr_inv(arg.version, 0, sizeof(arg.version)))
		return -EINVAL;
	if (!arg.nr_queues || arg.nr_queues > MIGD_MAX_QUEUES || !arg.depth ||
	    arg.depth > MIGD_MAX_DEPTH || !arg.max_batch_pages ||
	    arg.max_batch_pages > MIGD_MAX_BATCH_PAGES)
		return -EINVAL;

	arg.features &= MIGD_FEATURES;
	mutex_lock(&setup_mutex);
	err = server->ready ? -EALREADY :
		migd_server_setup(server, arg.nr_queues, arg.depth,
				  arg.max_batch_pages, arg.features);
	mutex_unlock(&setup_mutex);
	if (err)
		return err;

	arg.map_bytes = server->desc_bytes;
	strscpy(arg.version, MIGD_VERSION, sizeof(arg.version));
	return copy_to_user(argp, &arg, sizeof(arg)) ? -EFAULT : 0;
}

static long migd_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	if (cmd != MIGD_IOC_SETUP)
		return -ENOTTY;
	return setup(file->private_data, (void __user *)arg);
}

static int migd_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct migd_server *server = file->private_data;

	/* Pairs with the release in migd_server_setup(). */
	if (!smp_load_acquire(&server->ready))
		return -ENOTCONN;
	if (vma->vm_flags & VM_WRITE)
		return -EPERM;
	if (vma->vm_pgoff || vma->vm_end - vma->vm_start > server->desc_bytes)
		return -EINVAL;
	/* Nor may mprotect() make it writable later. */
	vm_flags_clear(vma, VM_MAYWRITE);
	return remap_vmalloc_range(vma, server->desc, 0);
}

static struct migd_slot *find_slot(struct migd_server *server, u16 queue,
				   u16 slot)
{
	if (queue >= server->nr_queues || slot >= server->depth)
		return NULL;
	queue = array_index_nospec(queue, server->nr_queues);
	slot = array_index_nospec(slot, server->depth);
	return &server->slots[queue * server->depth + slot];
}

static int do_fetch(struct migd_server *server, struct io_uring_cmd *cmd,
		    const struct migd_fetch *arg, unsigned int issue_flags)
{
	struct migd_slot *slot = find_slot(server, arg->queue, arg->slot);

	if (!slot || arg->flags || arg->reserved)
		return -EINVAL;
	return migd_slot_park(slot, cmd, issue_flags);
}

static int do_commit(struct migd_server *server, struct io_uring_cmd *cmd,
		     const struct migd_commit *arg, unsigned int issue_flags)
{
	struct migd_slot *slot = find_slot(server, arg->queue, arg->slot);
	struct migd_batch *batch;
	int err = 0;

	if (!slot || arg->flags || arg->reserved)
		return -EINVAL;
	batch = migd_slot_batch(slot, arg->seq);
	if (IS_ERR(batch))
		return PTR_ERR(batch);

	spin_lock_irq(&batch->lock);
	/* Its end takes the commands away first, and waits for no engine. */
	if (batch->closed)
		err = -ESTALE;
	else if (batch->nr_out)
		err = -EBUSY;
	else
		batch->closed = true;
	spin_unlock_irq(&batch->lock);
	if (!err && !migd_batch_claim_end(batch))
		err = -ESTALE;
	if (err) {
		migd_batch_put(batch);
		return err;
	}
	migd_batch_commit(batch);
	migd_batch_put(batch);
	/* Parks behind the end, wherever that is by now. */
	err = migd_slot_park(slot, cmd, issue_flags);
	return err == -EBUSY ? -EALREADY : err;
}

static int do_copy(struct migd_server *server, struct io_uring_cmd *cmd,
		   const struct migd_copy *arg, unsigned int issue_flags)
{
	struct migd_slot *slot = find_slot(server, arg->queue, arg->slot);

	if (!slot)
		return -EINVAL;
	return migd_copy_issue(slot, cmd, arg, issue_flags);
}

static int migd_cancel(struct io_uring_cmd *cmd, unsigned int issue_flags)
{
	struct migd_pdu *pdu = io_uring_cmd_to_pdu(cmd, struct migd_pdu);

	if (pdu->is_copy)
		migd_copy_cancel(pdu->ptr, cmd, issue_flags);
	else
		migd_slot_cancel(pdu->ptr, cmd, issue_flags);
	return 0;
}

static int migd_uring_cmd(struct io_uring_cmd *cmd, unsigned int issue_flags)
{
	struct migd_server *server = cmd->file->private_data;
	const void *sqe = io_uring_sqe_cmd(cmd->sqe);
	union {
		struct migd_fetch fetch;
		struct migd_copy copy;
		struct migd_commit commit;
	} arg;

	if (unlikely(issue_flags & IO_URING_F_CANCEL))
		return migd_cancel(cmd, issue_flags);

	/* Pairs with the release in migd_server_setup(). */
	if (!smp_load_acquire(&server->ready))
		return -ENOTCONN;

	/* The SQE is shared memory: every field is read once. */
	BUILD_BUG_ON(sizeof(arg) != 16);
	memcpy(&arg, sqe, sizeof(arg));
	barrier();

	switch (cmd->cmd_op) {
	case MIGD_IO_FETCH:
		return do_fetch(server, cmd, &arg.fetch, issue_flags);
	case MIGD_IO_COPY:
		return do_copy(server, cmd, &arg.copy, issue_flags);
	case MIGD_IO_COMMIT_AND_FETCH:
		return do_commit(server, cmd, &arg.commit, issue_flags);
	default:
		return -EOPNOTSUPP;
	}
}

static const struct file_operations migd_fops = {
	.owner		= THIS_MODULE,
	.open		= migd_open,
	.release	= migd_release,
	.unlocked_ioctl	= migd_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.mmap		= migd_mmap,
	.uring_cmd	= migd_uring_cmd,
	.llseek		= noop_llseek,
};

static struct miscdevice migd_misc = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= MIGD_DEVICE_NAME,
	.fops	= &migd_fops,
	.mode	= 0600,
};

int migd_chardev_init(void)
{
	BUILD_BUG_ON(sizeof(struct migd_desc) != 64);
	return misc_register(&migd_misc);
}

void migd_chardev_exit(void)
{
	misc_deregister(&migd_misc);
}
