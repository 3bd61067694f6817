// SPDX-License-Identifier: GPL-2.0
/*
 * A driver that is unbound through sysfs while its channel is idle, copies, or
 * does not come back. No page is lost or stuck, the channel is gone from the
 * dump, and bound again it can be claimed and copies.
 */
#include <errno.h>
#include <string.h>
#include "fixture.h"

/* One descriptor each at the most: the channel has them all. */
#define PAGES	48UL
#define BYTES	(PAGES * PAGE)
/* Longer and shorter than the module waits for descriptors at an unbind. */
#define LONG_MS		20000
#define SHORT_MS	1000

static struct ctl ctl;
static struct server server;
static struct target target, helper;
static struct channels channels;
static uint64_t addr, seed = 1;

/* In the helper: the write returns when the driver has left. */
static int64_t bind_or_unbind(uint64_t bind, uint64_t name, uint64_t more)
{
	uint64_t device[] = { name, more, 0 };

	return write_file(bind ? "/sys/bus/pci/drivers/migd_lsi/bind" :
				 "/sys/bus/pci/drivers/migd_lsi/unbind",
			  "%s", (const char *)device);
}

/* The same for the part of the device that is on another bus. */
static int64_t bind_or_unbind_part(uint64_t bind, uint64_t name, uint64_t more)
{
	uint64_t device[] = { name, more, 0 };

	return write_file(bind ? "/sys/bus/migd_lsi/drivers/part/bind" :
				 "/sys/bus/migd_lsi/drivers/part/unbind",
			  "part-%s", (const char *)device);
}

/* The helper has no memory of ours: the PCI name goes by value. */
static void begin(target_fn *fn, bool bind)
{
	uint64_t device[2] = { 0 };

	memcpy(device, channels.device[0], strnlen(channels.device[0], 16));
	target_begin(&helper, fn, bind, device[0], device[1]);
}

static void unbind(void)
{
	begin(bind_or_unbind, false);
	check_eq(target_end(&helper), 0);
}

static int64_t rewrite(uint64_t at, uint64_t bytes, uint64_t value)
{
	mem_fill((void *)(uintptr_t)at, bytes, value);
	return 0;
}

/* State of the first channel, or -1 when it is not in the dump. */
static long first_state(void)
{
	struct channel_info all[MAX_ENGINES + 1];
	int n = (int)must(ctl_channels(&ctl, all, MAX_ENGINES + 1)), i;

	for (i = 0; i < n; i++)
		if (all[i].id == channels.id[0])
			return all[i].state;
	return -1;
}

static bool is_leaving(void *arg)
{
	(void)arg;
	return first_state() == MIGD_CHANNEL_STATE_LEAVING;
}

static bool is_gone(void *arg)
{
	(void)arg;
	return first_state() < 0;
}

static bool not_quarantined(void *arg)
{
	struct stats_info stats;

	(void)arg;
	must(ctl_stats(&ctl, &stats));
	return !stats.quarantined_pages;
}

/* All channels again, the first under the name and maybe the id it had. */
static void rebind(target_fn *fn)
{
	struct job_info job;
	struct job_req req = job_for(&target, addr, BYTES, 0, 1,
				     MIGD_ORDER_COPY_FIRST);
	struct channel_info info;

	begin(fn, true);
	check_eq(target_end(&helper), 0);
	channels_claim(&ctl, &channels);
	check_eq(channels.nr, 4);
	plan_dma(&server, &channels, 1, 1);
	server_move(&server, &ctl, &req, &job);
	check_moved(&ctl, &target, &job, addr, BYTES, seed);
	channel_info(&ctl, channels.id[0], &info);
	check_eq(info.copies, 1);
	check_eq(info.pages, PAGES);
	move_by_kernel(target.pid, addr, BYTES, 0);
	check_memory(&target, addr, BYTES, 0, seed);
	check_clean(&ctl);
}

static void idle(void)
{
	step("no COPY");
	unbind();
	check_eq(first_state(), -1);
	check_eq(ctl_release(&ctl, channels.id[0]), -ENODEV);
	rebind(bind_or_unbind);
}

/* Starts a job with its one COPY on the first channel, kept there by @name. */
static uint64_t start_copy(uint32_t order, const char *name, unsigned int ms,
			   unsigned int *ret_slot)
{
	struct job_req req = job_for(&target, addr, BYTES, 0, 1, order);
	uint64_t id;

	req.deadline_us = ms * 1000;
	fault_set(&channels, 0, name, 1);
	id = server_job(&server, &ctl, &req);
	*ret_slot = server_wait_batch(&server);
	check_eq(server.slot[*ret_slot].pages, PAGES);
	server_copy(&server, *ret_slot, channels.id[0], 0, PAGES);
	server_submit(&server);
	return id;
}

/* The rest of the job, on the CPU. */
static void finish_job(uint64_t id, struct job_info *ret)
{
	plan_cpu(&server, 0);
	server_run(&server, &ctl, id);
	must(ctl_job(&ctl, id, ret));
	check_eq(ret->outcome, MIGD_OUTCOME_MOVED);
	check_memory(&target, addr, BYTES, 1, seed);
	move_by_kernel(target.pid, addr, BYTES, 0);
}

/* The COPY comes back while the unbinding waits for it. */
static void in_time(uint32_t order, const char *name, target_fn *fn)
{
	struct job_info job;
	unsigned int slot;
	uint64_t id;

	step("%s, %s, back in time%s", order_name(order), name,
	     fn == bind_or_unbind_part ? ", a part is unbound" : "");
	id = start_copy(order, name, LONG_MS, &slot);
	begin(fn, false);
	wait_until(is_leaving, NULL, "the channel is leaving");
	/* It takes no other, and nobody else gets it. */
	check_eq(ctl_release(&ctl, channels.id[0]), -EBUSY);
	fault_set(&channels, 0, name, 0);
	check_eq(server_wait_copy(&server), PAGES);
	check_eq(target_end(&helper), 0);
	check_eq(first_state(), -1);
	server_commit(&server, slot);
	finish_job(id, &job);
	check_eq(job.rescued, 0);
	check_eq(job.batches, 1);
	rebind(fn);
}

/*
 * It does not: the driver leaves with the COPY, telling of what it had copied
 * (hold) and what it never will (late_write). The deadline is later.
 */
static void with_driver(uint32_t order, const char *name, int want)
{
	struct job_info job;
	unsigned int slot;
	uint64_t id;

	step("%s, %s, back with the driver", order_name(order), name);
	id = start_copy(order, name, LONG_MS, &slot);
	unbind();
	check_eq(server_wait_copy(&server), want);
	wait_until(is_gone, NULL, "the channel is gone");
	server_commit(&server, slot);
	finish_job(id, &job);
	check_eq(job.rescued, 0);
	rebind(bind_or_unbind);
}

/* Nor is the deadline: quarantine, which ends with the driver. */
static void overdue(uint32_t order, const char *name, bool server_goes)
{
	struct stats_info before, after;
	struct job_info job;
	unsigned int slot, pos;
	uint64_t id;

	step("%s, %s, after the deadline%s", order_name(order), name,
	     server_goes ? " and the server" : "");
	must(ctl_stats(&ctl, &before));
	id = start_copy(order, name, SHORT_MS, &slot);
	check_eq(server_wait_copy(&server), -ETIME);
	server.slot[slot].state = SLOT_IDLE;
	must(ctl_stats(&ctl, &after));
	check_eq(after.quarantined_pages, PAGES);
	if (server_goes) {
		must(ctl_cancel(&ctl, id));
		wait_job(&ctl, id, &job);
		pos = ctl.nr_events;
		server_close(&server);
		ctl_wait_event(&ctl, MIGD_CMD_SERVER_LOST_NTF, 0, &pos);
	}
	seed++;
	target_call(&target, rewrite, addr, BYTES, seed);
	unbind();
	wait_until(not_quarantined, NULL, "no page in quarantine");
	wait_until(is_gone, NULL, "the channel is gone");
	must(ctl_stats(&ctl, &after));
	check_eq(after.quarantined_total, before.quarantined_total + PAGES);
	check_memory(&target, addr, BYTES, 0, seed);
	if (server_goes)
		server_open(&server, 1, PAGES);
	else
		finish_job(id, &job);
	rebind(bind_or_unbind);
}

int main(void)
{
	uint32_t order;

	must(ctl_open(&ctl, true));
	target_start(&target);
	addr = (uint64_t)target_call(&target, mem_new, BYTES, 0, seed);
	server_open(&server, 1, PAGES);
	channels_claim(&ctl, &channels);
	target_start(&helper);

	idle();
	for (order = MIGD_ORDER_COPY_FIRST; order <= MIGD_ORDER_STATE_FIRST; order++) {
		in_time(order, "hold", bind_or_unbind);
		in_time(order, "late_write", bind_or_unbind);
		in_time(order, "hold", bind_or_unbind_part);
		with_driver(order, "hold", PAGES);
		with_driver(order, "late_write", -EIO);
		overdue(order, "hold", false);
		overdue(order, "late_write", true);
	}
	target_stop(&helper);
	target_stop(&target);
	server_close(&server);
	wait_idle(&ctl);
	check_clean(&ctl);
	return 0;
}
