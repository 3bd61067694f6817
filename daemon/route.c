// SPDX-License-Identifier: GPL-2.0
/*
 * Large folios and pages with tags, by move_pages(2). A chunk at a time: move, ask
 * where they are now, tell the module, keep to the job's rate. Asking counts
 * what the call itself does not tell: the pages of a folio that went with its
 * first one, and what a former daemon has moved and not lived to tell.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <linux/mempolicy.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>

#include "log.h"
#include "nice.h"
#include "route.h"
#include "target.h"

/* One call takes this much: it drains the CPUs' page lists once per call. */
#define CHUNK_BYTES	(32ULL << 20)
#define CHUNK_MAX	1024
#define STACK_BYTES	(256 * 1024)
/*
 * With a rate, a chunk is not more than that of this time, or one folio, and no
 * more time than that of one is made up for. As in kmod/pace.c.
 */
#define CHUNKS_A_SECOND	20

struct route {
	struct route *next;
	pthread_t thread;
	atomic_int ended;		/* the thread has nothing more to do */
	int wake_fd;			/* readable when one of these has changed */
	atomic_bool stop;		/* it is to end with the daemon, */
	atomic_bool cancelled;		/* or with the job */
	atomic_bool paused;
	atomic_uint_least64_t max_rate;
	atomic_uint nice;

	uint64_t id, start_time;
	pid_t pid;
	int from, to;

	struct nl_ctl *nl;
	struct nl_routed routed;
	uint64_t paid_ns;		/* when what was moved is paid for, */
	uint64_t rate;			/* at this rate */
	uint64_t rested_ns;		/* when the CPU time that it took is rested for, */
	uint32_t rests;			/* at this nice */
	void *addr[CHUNK_MAX];
	int node[CHUNK_MAX];
	int before[CHUNK_MAX], status[CHUNK_MAX], after[CHUNK_MAX];
};

static long move_pages(pid_t pid, unsigned long count, void **addr, const int *node, int *status,
		       int flags)
{
	return syscall(SYS_move_pages, pid, count, addr, node, status, flags);
}

static bool on_source(const struct route *r, int node)
{
	return node >= 0 && node != r->to && (r->from < 0 || node == r->from);
}

/* Pages between the @i-th address of a chunk and the next, or the end. */
static uint64_t pages_at(const struct nl_large *large, uint64_t addr)
{
	uint64_t end = addr - addr % large->step + large->step;

	return ((end < large->end ? end : large->end) - addr) / sysconf(_SC_PAGESIZE);
}

/* Why a page is where it was; the kernel says little of some. */
static uint32_t why(const struct nl_large *large, int status)
{
	switch (status) {
	case -ENOMEM:
		return MIGD_REASON_NO_MEMORY;
	case -EBUSY:
	case -EACCES:
		return MIGD_REASON_REFUSED;
	case -EIO:
		return MIGD_REASON_WRITEBACK;
	default:
		return large->reason;
	}
}

/* The pages moved since @begin have to be paid for before more are. */
static void pay(struct route *r, uint64_t begin, uint64_t pages)
{
	uint64_t floor = begin - 1000000000 / CHUNKS_A_SECOND;

	if (!r->rate)
		return;
	if (r->paid_ns < floor)
		r->paid_ns = floor;
	r->paid_ns += (double)pages * sysconf(_SC_PAGESIZE) * 1e9 / r->rate;
}

/* What is not paid for yet is paid for at the rate of now. */
static void pay_anew(struct route *r, uint64_t now)
{
	uint64_t rate = atomic_load(&r->max_rate);

	if (rate == r->rate)
		return;
	/* Without a rate before there is nothing to make up for. */
	if (!rate || !r->rate)
		r->paid_ns = now;
	else if (r->paid_ns > now)
		r->paid_ns = now + (double)(r->paid_ns - now) * r->rate / rate;
	r->rate = rate;
}

/* The CPU time of a chunk has to be rested for before the next, as in kmod/pace.c. */
static void rest(struct route *r, uint64_t begin, uint64_t cpu_ns)
{
	uint64_t floor = begin - 1000000000 / CHUNKS_A_SECOND;

	if (!r->rests)
		return;
	if (r->rested_ns < floor)
		r->rested_ns = floor;
	r->rested_ns += nice_worth(cpu_ns, r->rests);
}

/* What is not rested for yet is, at the nice of now. */
static void rest_anew(struct route *r, uint64_t now)
{
	uint32_t nice = atomic_load(&r->nice);

	if (nice == r->rests)
		return;
	if (!nice || !r->rests)
		r->rested_ns = now;
	else if (r->rested_ns > now)
		r->rested_ns = now + (double)(r->rested_ns - now) *
			nice_worth(1000000000, nice) / nice_worth(1000000000, r->rests);
	r->rests = nice;
}

/* From when on it may go on. */
static uint64_t turn_ns(const struct route *r)
{
	return r->paid_ns > r->rested_ns ? r->paid_ns : r->rested_ns;
}

static uint64_t thread_cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

/* Waits until more may be moved; 0, or why the thread is to end. */
static int wait_turn(struct route *r)
{
	struct pollfd p = { .fd = r->wake_fd, .events = POLLIN };
	eventfd_t unused;
	uint64_t now;

	while (!atomic_load(&r->stop)) {
		if (atomic_load(&r->cancelled))
			return -ECANCELED;
		now = now_ns();
		pay_anew(r, now);
		rest_anew(r, now);
		if (!atomic_load(&r->paused) && turn_ns(r) <= now)
			return 0;
		/* What is less than a millisecond is waited for as one. */
		if (poll(&p, 1, atomic_load(&r->paused) ? -1 :
			 (int)((turn_ns(r) - now) / 1000000 + 1)) > 0)
			eventfd_read(r->wake_fd, &unused);
	}
	return -EINTR;
}

static uint64_t chunk_bytes(const struct route *r)
{
	uint64_t bytes = CHUNK_BYTES, rate = atomic_load(&r->max_rate);

	if (rate && rate / CHUNKS_A_SECOND < bytes)
		bytes = rate / CHUNKS_A_SECOND;
	return bytes;
}

/* Moves @n addresses; 0, or why the target is beyond reach. */
static int move_chunk(struct route *r, unsigned int n)
{
	unsigned int k = 0;

	if (move_pages(r->pid, n, r->addr, NULL, r->before, 0) < 0)
		return -errno;
	for (unsigned int i = 0; i < n; i++) {
		if (!on_source(r, r->before[i]))
			continue;
		r->addr[k] = r->addr[i];
		r->node[k] = r->to;
		r->status[k++] = -EAGAIN;
	}
	/* A positive answer is a number of pages that stayed. */
	if (!k || move_pages(r->pid, k, r->addr, r->node, r->status, MPOL_MF_MOVE_ALL) >= 0 ||
	    errno == ENOENT)
		return 0;
	if (errno != ENOMEM)
		return -errno;
	/* The call ends at the first page without a place, and says of none which. */
	for (unsigned int i = 0; i < k; i++)
		if (r->status[i] == -EAGAIN)
			r->status[i] = -ENOMEM;
	return 0;
}

/* Tries the next chunk of @large from *@addr on; 0, or a negative errno. */
static int route_chunk(struct route *r, const struct nl_large *large, uint64_t *addr)
{
	uint64_t bytes, begin = *addr, at = begin, moved = 0, begin_ns, cpu_ns;
	unsigned int n = 0, k = 0;
	int err;

	err = wait_turn(r);
	if (err < 0)
		return err;
	bytes = chunk_bytes(r);
	begin_ns = now_ns();
	cpu_ns = thread_cpu_ns();
	do {
		r->addr[n++] = (void *)at;
		at += pages_at(large, at) * sysconf(_SC_PAGESIZE);
	} while (at < large->end && at - begin < bytes && n < CHUNK_MAX);

	err = move_chunk(r, n);
	if (err < 0)
		return err;
	*addr = at;
	/* move_chunk() has packed the addresses. */
	at = begin;
	for (unsigned int i = 0; i < n; i++) {
		r->addr[i] = (void *)at;
		at += pages_at(large, at) * sysconf(_SC_PAGESIZE);
	}
	if (move_pages(r->pid, n, r->addr, NULL, r->after, 0) < 0)
		return -errno;
	for (unsigned int i = 0; i < n; i++) {
		uint64_t pages = pages_at(large, (uint64_t)r->addr[i]);
		bool tried = on_source(r, r->before[i]);

		if (r->after[i] == r->to)
			moved += pages;
		else if (on_source(r, r->after[i]))
			r->routed.left[why(large, tried ? r->status[k] : -EAGAIN)] += pages;
		k += tried;
	}

	r->routed.moved = moved;
	r->routed.reason = large->reason;
	r->routed.done_below = *addr;
	err = nl_routed(r->nl, &r->routed);
	pay(r, begin_ns, moved);
	rest(r, begin_ns, thread_cpu_ns() - cpu_ns);
	return err < 0 ? err : 0;
}

static int route_range(struct route *r, const struct nl_large *large)
{
	uint64_t addr = large->start;
	int err = 0;

	if (!large->step)
		return -EBADMSG;
	while (addr < large->end && !err)
		err = route_chunk(r, large, &addr);
	return err;
}

static int route_all(struct route *r)
{
	struct nl_larges larges;
	uint64_t from = 0;
	int err;

	for (;;) {
		err = nl_get_large(r->nl, r->id, from, &larges);
		if (err < 0 || !larges.nr)
			return err;
		for (size_t i = 0; i < larges.nr; i++) {
			err = route_range(r, &larges.range[i]);
			if (err < 0)
				return err;
			from = larges.range[i].end;
		}
	}
}

/* The process that the job was submitted for, not its pid's next owner. */
static int check_target(struct route *r)
{
	struct fault f = { .id = FAULT_NONE };
	struct target t;
	int err;

	err = target_open(&t, r->pid, &f);
	if (err < 0)
		return -ESRCH;
	if (t.start_time != r->start_time)
		err = -ESRCH;
	target_close(&t);
	return err;
}

static void *route_main(void *arg)
{
	struct route *r = arg;
	int err;

	err = nl_ctl_open(&r->nl);
	if (!err)
		err = check_target(r);
	if (!err)
		err = route_all(r);
	/* Stopped with the daemon: the next one goes on. */
	if (err != -EINTR && r->nl) {
		if (err < 0 && err != -ECANCELED && err != -ESRCH && err != -EBUSY)
			log_warn("job %llu: large folios and pages with tags stay where they are: move_pages: %s",
				 (unsigned long long)r->id, strerror(-err));
		r->routed.moved = 0;
		r->routed.all = true;
		nl_routed(r->nl, &r->routed);
	}
	nl_ctl_close(r->nl);
	atomic_store(&r->ended, 1);
	return NULL;
}

static void route_free(struct route *r)
{
	atomic_store(&r->stop, true);
	eventfd_write(r->wake_fd, 1);
	pthread_join(r->thread, NULL);
	close(r->wake_fd);
	free(r);
}

void route_end(struct manager *m, uint64_t id)
{
	struct route **at = &m->routes, *r;

	while (*at && (*at)->id != id)
		at = &(*at)->next;
	r = *at;
	if (!r)
		return;
	*at = r->next;
	route_free(r);
}

static struct route *find_route(struct manager *m, uint64_t id)
{
	struct route *r = m->routes;

	while (r && r->id != id)
		r = r->next;
	return r;
}

void route_change(struct manager *m, const struct job *job)
{
	struct route *r = find_route(m, job->nl.id);

	if (!r)
		return;
	atomic_store(&r->max_rate, job->nl.max_rate);
	atomic_store(&r->nice, nice_of(m, job->nl.nice));
	atomic_store(&r->paused, job->nl.paused);
	eventfd_write(r->wake_fd, 1);
}

void route_cancel(struct manager *m, const struct job *job)
{
	struct route *r = find_route(m, job->nl.id);

	if (!r)
		return;
	atomic_store(&r->cancelled, true);
	eventfd_write(r->wake_fd, 1);
}

void route_stop(struct manager *m)
{
	while (m->routes)
		route_end(m, m->routes->id);
}

void route_begin(struct manager *m, const struct job *job)
{
	pthread_attr_t attr;
	struct route *r;
	int err;

	for (r = m->routes; r; r = r->next)
		if (r->id == job->nl.id && !atomic_load(&r->ended))
			return;
	/* It could not ask the module; perhaps it can now. */
	route_end(m, job->nl.id);

	r = calloc(1, sizeof(*r));
	if (!r)
		goto err_log;
	r->id = job->nl.id;
	r->pid = job->nl.pid;
	r->start_time = job->nl.start_time;
	r->from = job->nl.from;
	r->to = job->nl.to;
	atomic_init(&r->max_rate, job->nl.max_rate);
	atomic_init(&r->nice, nice_of(m, job->nl.nice));
	atomic_init(&r->paused, job->nl.paused);
	r->routed.id = job->nl.id;
	r->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (r->wake_fd < 0)
		goto err_free;
	/* Like all memory of the daemon it is locked, so it is not 8 MiB. */
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	err = pthread_create(&r->thread, &attr, route_main, r);
	pthread_attr_destroy(&attr);
	if (err) {
		close(r->wake_fd);
		goto err_free;
	}
	r->next = m->routes;
	m->routes = r;
	return;

err_free:
	free(r);
err_log:
	log_err("job %llu: no thread for its large folios and tags: they stay until the job is cancelled",
		(unsigned long long)job->nl.id);
}
