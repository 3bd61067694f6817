// SPDX-License-Identifier: GPL-2.0
/*
 * Wrong input at the device: each gets its own errno and changes nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "fixture.h"

#define PAGES	64U
#define SEED	11

static struct ctl ctl;
static struct server server;

static int setup(int fd, struct migd_setup want, struct migd_setup *ret)
{
	*ret = want;
	return ioctl(fd, MIGD_IOC_SETUP, ret) ? -errno : 0;
}

static void setup_refused(int fd, const char *what, int want_err,
			  struct migd_setup arg)
{
	struct migd_setup got;

	step("SETUP: %s", what);
	check_eq(setup(fd, arg, &got), want_err);
}

static const struct migd_setup good = {
	.abi_version = MIGD_ABI_VERSION,
	.nr_queues = 2,
	.depth = 3,
	.max_batch_pages = PAGES,
};

#define SETUP(member, value)						\
	({								\
		struct migd_setup arg_ = good;				\
									\
		arg_.member = (value);					\
		arg_;							\
	})

static void before_setup(int fd)
{
	struct migd_setup got;
	void *at;

	step("mmap before SETUP");
	at = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	check(at == MAP_FAILED && errno == ENOTCONN, "mmap: %s", strerror(errno));

	step("SETUP: another ABI version");
	check_eq(setup(fd, SETUP(abi_version, MIGD_ABI_VERSION + 1), &got), -EPROTO);
	check_eq(got.abi_version, MIGD_ABI_VERSION);
	check(got.version[0], "the module does not say its version");

	setup_refused(fd, "flags", -EINVAL, SETUP(flags, 1));
	setup_refused(fd, "reserved0", -EINVAL, SETUP(reserved0, 1));
	setup_refused(fd, "reserved[0]", -EINVAL, SETUP(reserved[0], 1));
	setup_refused(fd, "reserved[1]", -EINVAL, SETUP(reserved[1], 1ULL << 63));
	setup_refused(fd, "version not 0", -EINVAL, SETUP(version[31], 1));
	setup_refused(fd, "map_bytes not 0", -EINVAL, SETUP(map_bytes, PAGE));
	setup_refused(fd, "no queue", -EINVAL, SETUP(nr_queues, 0));
	setup_refused(fd, "too many queues", -EINVAL,
		      SETUP(nr_queues, MIGD_MAX_QUEUES + 1));
	setup_refused(fd, "no slot", -EINVAL, SETUP(depth, 0));
	setup_refused(fd, "too many slots", -EINVAL, SETUP(depth, MIGD_MAX_DEPTH + 1));
	setup_refused(fd, "no page", -EINVAL, SETUP(max_batch_pages, 0));
	setup_refused(fd, "too many pages", -EINVAL,
		      SETUP(max_batch_pages, MIGD_MAX_BATCH_PAGES + 1));

	step("SETUP: no such address");
	check(ioctl(fd, MIGD_IOC_SETUP, (void *)8) && errno == EFAULT,
	      "SETUP at 8: %s", strerror(errno));
	step("unknown ioctl");
	check(ioctl(fd, _IO('m', 0x41)) && errno == ENOTTY, "_IO: %s",
	      strerror(errno));
	check(ioctl(fd, MIGD_IO_FETCH, &got) && errno == ENOTTY, "FETCH: %s",
	      strerror(errno));
}

static void commands_before_setup(int fd)
{
	struct server s = { .fd = fd };

	step("commands before SETUP");
	must(io_uring_queue_init(8, &s.ring, 0));
	check_eq(server_raw(&s, MIGD_IO_FETCH, &(struct migd_fetch){}), -ENOTCONN);
	check_eq(server_raw(&s, MIGD_IO_COPY, &(struct migd_copy){}), -ENOTCONN);
	check_eq(server_raw(&s, MIGD_IO_COMMIT_AND_FETCH, &(struct migd_commit){}),
		 -ENOTCONN);
	io_uring_queue_exit(&s.ring);
}

static void first_open(void)
{
	struct features_info features;
	struct migd_setup got;
	int fd, second;

	fd = (int)must(open("/dev/migd", O_RDWR | O_CLOEXEC));
	before_setup(fd);
	commands_before_setup(fd);
	must(ctl_features(&ctl, &features));
	check_eq(features.server_pid, 0);

	step("second open");
	second = open("/dev/migd", O_RDWR | O_CLOEXEC);
	check(second < 0 && errno == EBUSY, "second open: %s", strerror(errno));
	check_module_busy("the device open");

	step("SETUP twice");
	check_eq(setup(fd, SETUP(features, ~0ULL), &got), 0);
	check_eq(got.features, MIGD_FEAT_DMA | MIGD_FEAT_STATE_FIRST);
	check(got.map_bytes >= 6 * sizeof(struct migd_desc), "map_bytes is %u",
	      got.map_bytes);
	check_eq(setup(fd, good, &got), -EALREADY);
	close(fd);
}

static void mappings(void)
{
	size_t bytes = server.setup.map_bytes;
	void *at;

	step("descriptors mapped writable");
	at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, server.fd, 0);
	check(at == MAP_FAILED && errno == EPERM, "mmap: %s", strerror(errno));
	step("descriptors made writable");
	check(mprotect((void *)server.desc, bytes, PROT_READ | PROT_WRITE) &&
	      errno == EACCES, "mprotect: %s", strerror(errno));
	step("descriptors at another offset");
	at = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, server.fd, PAGE);
	check(at == MAP_FAILED && errno == EINVAL, "mmap: %s", strerror(errno));
	step("more than the descriptors");
	at = mmap(NULL, bytes + PAGE, PROT_READ, MAP_SHARED, server.fd, 0);
	check(at == MAP_FAILED && errno == EINVAL, "mmap: %s", strerror(errno));
}

#define FETCH(...)	server_raw(&server, MIGD_IO_FETCH, \
				   &(struct migd_fetch){ __VA_ARGS__ })
#define COPY(...)	server_raw(&server, MIGD_IO_COPY, \
				   &(struct migd_copy){ __VA_ARGS__ })
#define COMMIT(...)	server_raw(&server, MIGD_IO_COMMIT_AND_FETCH, \
				   &(struct migd_commit){ __VA_ARGS__ })

static void idle_slot(void)
{
	step("unknown command");
	check_eq(server_raw(&server, _IOWR('m', 0x04, struct migd_fetch),
			    &(struct migd_fetch){}), -EOPNOTSUPP);
	check_eq(server_raw(&server, 1, &(struct migd_fetch){}), -EOPNOTSUPP);
	step("FETCH: queue, slot, flags, reserved");
	check_eq(FETCH(.queue = 1), -EINVAL);
	check_eq(FETCH(.slot = 2), -EINVAL);
	check_eq(FETCH(.slot = 0xffff, .queue = 0xffff), -EINVAL);
	check_eq(FETCH(.flags = 1), -EINVAL);
	check_eq(FETCH(.reserved = 1ULL << 40), -EINVAL);
	step("COPY and COMMIT of a slot without a batch");
	check_eq(COPY(.count = 1, .engine = MIGD_ENGINE_CPU), -ESTALE);
	check_eq(COPY(.slot = 2, .engine = MIGD_ENGINE_CPU), -EINVAL);
	check_eq(COPY(.queue = 9), -EINVAL);
	check_eq(COPY(.flags = 1), -EINVAL);
	check_eq(COMMIT(.slot = 1), -ESTALE);
	check_eq(COMMIT(.slot = 7), -EINVAL);
	check_eq(COMMIT(.queue = 7), -EINVAL);
	check_eq(COMMIT(.flags = 1), -EINVAL);
	check_eq(COMMIT(.reserved = 1), -EINVAL);
	step("FETCH of a parked slot");
	server_fetch(&server, 0);
	server_submit(&server);
	check_eq(FETCH(.slot = 0), -EBUSY);
	check_eq(COMMIT(.slot = 0), -ESTALE);
	check_eq(COPY(.slot = 0, .count = 1), -ESTALE);
}

static void slot_with_batch(struct target *t, uint64_t addr)
{
	struct job_req req = job_for(t, addr, PAGES * PAGE, 0, 1,
				     MIGD_ORDER_COPY_FIRST);
	struct stats_info stats;
	unsigned int slot, cpu = MIGD_ENGINE_CPU;
	struct job_info job;
	uint64_t id;
	uint32_t seq;

	req.deadline_us = 50000000;
	must(-!!(ctl_submit(&ctl, &req, &id)));
	slot = server_wait_batch(&server);
	check_eq(slot, 0);
	seq = server.slot[0].seq;
	step("FETCH of a slot with a batch");
	check_eq(FETCH(.slot = 0), -EBUSY);
	step("COMMIT of another batch, of a slot not owned");
	check_eq(COMMIT(.slot = 0, .seq = seq + 1), -ESTALE);
	check_eq(COMMIT(.slot = 1, .seq = seq), -ESTALE);
	check_eq(COMMIT(.slot = 0, .seq = seq, .flags = 2), -EINVAL);
	check_eq(COMMIT(.slot = 0, .seq = seq, .reserved = 2), -EINVAL);
	step("COPY: range, engine, flags, sequence");
	check_eq(COPY(.seq = seq, .count = 0, .engine = cpu), -ERANGE);
	check_eq(COPY(.seq = seq, .count = PAGES + 1, .engine = cpu), -ERANGE);
	check_eq(COPY(.seq = seq, .first = PAGES, .count = 1, .engine = cpu), -ERANGE);
	check_eq(COPY(.seq = seq, .first = 0xffff, .count = 0xffff, .engine = cpu),
		 -ERANGE);
	check_eq(COPY(.seq = seq, .first = PAGES - 1, .count = 2, .engine = cpu),
		 -ERANGE);
	check_eq(COPY(.seq = seq, .count = 1, .engine = 1234), -ENODEV);
	check_eq(COPY(.seq = seq, .count = 1, .engine = cpu, .flags = 1), -EINVAL);
	check_eq(COPY(.seq = seq - 1, .count = 1, .engine = cpu), -ESTALE);
	must(ctl_stats(&ctl, &stats));
	check_eq(stats.locked_pages, PAGES);

	step("COPY of copied pages");
	check_eq(COPY(.seq = seq, .first = 8, .count = 8, .engine = cpu), 8);
	check_eq(COPY(.seq = seq, .first = 8, .count = 8, .engine = cpu), -EALREADY);
	check_eq(COPY(.seq = seq, .first = 0, .count = 9, .engine = cpu), -EALREADY);
	check_eq(COPY(.seq = seq, .first = 15, .count = 9, .engine = cpu), -EALREADY);
	check_eq(COPY(.seq = seq, .first = 0, .count = 8, .engine = cpu), 8);

	server_commit(&server, 0);
	server_submit(&server);
	wait_job(&ctl, id, &job);
	check_moved(&ctl, t, &job, addr, PAGES * PAGE, SEED);
	step("COMMIT of a committed batch");
	check_eq(COMMIT(.slot = 0, .seq = seq), -ESTALE);
}

/* A server that can't deal with channels is given none. */
static void without_dma(struct target *t, uint64_t addr)
{
	struct job_req req = job_for(t, addr, PAGES * PAGE, 1, 0,
				     MIGD_ORDER_COPY_FIRST);
	struct channels channels;
	struct job_info job;
	unsigned int slot;
	uint64_t id;

	step("COPY on a channel without MIGD_FEAT_DMA");
	server.without = MIGD_FEAT_DMA;
	server_open(&server, 1, PAGES);
	check_eq(server.setup.features, MIGD_FEAT_STATE_FIRST);
	channels_claim(&ctl, &channels);
	id = server_job(&server, &ctl, &req);
	slot = server_wait_batch(&server);
	check_eq(COPY(.seq = server.slot[slot].seq, .count = 1,
		      .engine = channels.id[0]), -EOPNOTSUPP);
	plan_cpu(&server, 0);
	server_start_batch(&server, slot);
	server_run(&server, &ctl, id);
	must(ctl_job(&ctl, id, &job));
	check_moved(&ctl, t, &job, addr, PAGES * PAGE, SEED);
	server_close(&server);
}

int main(void)
{
	struct target target;
	uint64_t addr;

	must(ctl_open(&ctl, true));
	first_open();
	target_start(&target);
	addr = (uint64_t)target_call(&target, mem_new, PAGES * PAGE, 0, SEED);
	server_open(&server, 2, PAGES);
	mappings();
	idle_slot();
	slot_with_batch(&target, addr);
	server_close(&server);
	without_dma(&target, addr);
	target_stop(&target);
	wait_idle(&ctl);
	check_clean(&ctl);
	return 0;
}
