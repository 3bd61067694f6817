// SPDX-License-Identifier: GPL-2.0
/*
 * Large folios and pages with tags. Whatever migrate_vma_setup() would split or
 * skip, or would lose its tags in a copy of ours, a job leaves where it is and
 * remembers by address; at its end the daemon moves those ranges with
 * move_pages(2), which keeps folios whole and carries tags, and reports. The
 * job waits for that, so that its account is one.
 */
#include <linux/jiffies.h>
#include <linux/mutex.h>
#include <linux/netlink.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <net/genetlink.h>
#include "genl.h"
#include "internal.h"
#include "route.h"

/* A cancelled job waits as long for the daemon's last word. */
#define LAST_WORD_MS	5000

/* Memory for the ranges of one job; what is beyond them stays. */
#define MAX_LARGE	65536

/* Protects the list and the account of all jobs against the daemon's asking. */
static DEFINE_MUTEX(route_mutex);

/**
 * migd_route_begin() - forget the ranges of the last pass
 * @job: the job
 *
 * Context: process, from the job's own worker.
 */
void migd_route_begin(struct migd_job *job)
{
	job->route.nr = 0;
	job->route.done_below = 0;
}

static bool joins(const struct migd_left *last, const struct migd_left *next)
{
	return last->end == next->start && last->step == next->step &&
		last->reason == next->reason;
}

/**
 * migd_route_note() - remember what a scan has left
 * @job: the job
 * @large: a range for which migd_job_routes()
 *
 * Context: process, from the job's own worker; may sleep.
 */
void migd_route_note(struct migd_job *job, const struct migd_left *large)
{
	struct migd_route *route = &job->route;
	struct migd_left *grown;
	unsigned int max;

	if (route->nr && joins(&route->large[route->nr - 1], large)) {
		route->large[route->nr - 1].end = large->end;
		return;
	}
	if (route->nr == route->max) {
		max = min(max(route->max * 2, 64U), MAX_LARGE);
		grown = max == route->max ? NULL :
			kvmalloc_array(max, sizeof(*grown), GFP_KERNEL);
		/* The pages stay counted as left. */
		if (!grown)
			return;
		if (route->nr)
			memcpy(grown, route->large, route->nr * sizeof(*grown));
		kvfree(route->large);
		route->large = grown;
		route->max = max;
	}
	route->large[route->nr++] = *large;
}

/* Context: process; may sleep. The job is done or was never begun. */
void migd_route_free(struct migd_job *job)
{
	mutex_lock(&route_mutex);
	kvfree(job->route.large);
	job->route.large = NULL;
	job->route.nr = 0;
	job->route.open = false;
	mutex_unlock(&route_mutex);
}

static int by_start(const void *a, const void *b)
{
	const struct migd_left *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

/* The job's ranges may come in any order, and two of them cut one folio. */
static void tidy(struct migd_route *route)
{
	unsigned long end = 0;
	unsigned int i, to = 0;

	sort(route->large, route->nr, sizeof(*route->large), by_start, NULL);
	for (i = 0; i < route->nr; i++) {
		route->large[i].start = max(route->large[i].start, end);
		if (route->large[i].start >= route->large[i].end)
			continue;
		end = route->large[i].end;
		route->large[to++] = route->large[i];
	}
	route->nr = to;
}

static bool answered(struct migd_job *job)
{
	return READ_ONCE(job->route.all) ||
		migd_job_cancelled(job);
}

static void open_route(struct migd_job *job, bool open)
{
	mutex_lock(&route_mutex);
	job->route.open = open;
	mutex_unlock(&route_mutex);
}

/* Waits for the daemon's account; how the job ends, or MIGD_OUTCOME_NONE. */
static enum migd_outcome wait_for_daemon(struct migd_job *job)
{
	unsigned long until, wait;
	bool served;

	while (!answered(job)) {
		served = migd_server_present();
		wait = MAX_SCHEDULE_TIMEOUT;
		if (!served) {
			until = migd_server_lost_at() +
				msecs_to_jiffies(READ_ONCE(migd_server_wait_ms));
			if (time_after_eq(jiffies, until))
				return MIGD_OUTCOME_SERVER_LOST;
			wait = until - jiffies;
		}
		WRITE_ONCE(job->state, served ? MIGD_JOB_STATE_ROUTING :
						MIGD_JOB_STATE_WAITING);
		/* What makes a daemon begin; it may be another one by now. */
		if (served) {
			WRITE_ONCE(job->next_ntf, jiffies);
			migd_ntf_job_progress(job);
		}
		wait_event_idle_timeout(migd_wait, answered(job) ||
					migd_server_present() != served, wait);
	}
	if (!READ_ONCE(job->route.all))
		wait_event_idle_timeout(migd_wait, READ_ONCE(job->route.all) ||
					!migd_server_present(),
					msecs_to_jiffies(LAST_WORD_MS));
	return migd_job_cancelled(job) ?
		MIGD_OUTCOME_CANCELLED : MIGD_OUTCOME_NONE;
}

/**
 * migd_route_wait() - let the daemon move what a job has left for it
 * @job: walked to its end
 *
 * Context: process; sleeps until the daemon has said that it tried them all,
 * the job is cancelled, or the daemon is gone for longer than a job waits.
 * Return: how the job ends, or MIGD_OUTCOME_NONE for one that goes on.
 */
enum migd_outcome migd_route_wait(struct migd_job *job)
{
	enum migd_outcome outcome;

	if (!(job->want & MIGD_JOB_FLAG_ROUTE) || !job->route.nr)
		return MIGD_OUTCOME_NONE;
	tidy(&job->route);
	open_route(job, true);
	outcome = wait_for_daemon(job);
	open_route(job, false);
	WRITE_ONCE(job->state, MIGD_JOB_STATE_RUNNING);
	return outcome;
}

/* Takes up to @pages from what is left for @reason; returns how many. */
static u64 take_left(struct migd_job *job, enum migd_reason reason, u64 pages)
{
	pages = min_t(u64, pages, atomic64_read(&job->left[reason]));
	atomic64_sub(pages, &job->left[reason]);
	return pages;
}

/**
 * migd_route_relabel() - say why the daemon could not move what it tried
 * @job: walked once more after the daemon's account
 *
 * The walk has counted what is still there by its class; where the daemon knows
 * more, its reason takes the place of that.
 *
 * Context: process, from the job's own worker.
 */
void migd_route_relabel(struct migd_job *job)
{
	static const enum migd_reason classes[] = {
		MIGD_REASON_HUGE, MIGD_REASON_LARGE, MIGD_REASON_HUGETLB,
		MIGD_REASON_TAGGED,
	};
	unsigned int r, c;
	u64 pages, taken;

	for (r = 0; r < MIGD_REASONS; r++) {
		pages = job->route.left[r];
		for (c = 0; c < ARRAY_SIZE(classes) && pages; c++) {
			taken = take_left(job, classes[c], pages);
			migd_job_left(job, r, taken);
			pages -= taken;
		}
	}
}

static struct migd_job *job_of(struct genl_info *info)
{
	struct migd_job *job;

	if (GENL_REQ_ATTR_CHECK(info, MIGD_A_JOB_ID))
		return ERR_PTR(-EINVAL);
	job = migd_job_find(nla_get_u64(info->attrs[MIGD_A_JOB_ID]));
	if (!job) {
		NL_SET_ERR_MSG(info->extack, "there is no job of this id");
		return ERR_PTR(-ENOENT);
	}
	mutex_lock(&route_mutex);
	if (!job->route.open) {
		mutex_unlock(&route_mutex);
		migd_job_put(job);
		NL_SET_ERR_MSG(info->extack, "the job is not in state routing");
		return ERR_PTR(-EBUSY);
	}
	return job;
}

static void job_off(struct migd_job *job)
{
	mutex_unlock(&route_mutex);
	migd_job_put(job);
}

static int put_large(struct sk_buff *skb, const struct migd_left *large,
		     unsigned long from)
{
	struct nlattr *nest = nla_nest_start(skb, MIGD_A_JOB_LARGE);

	if (!nest)
		return -EMSGSIZE;
	if (nla_put_u64_64bit(skb, MIGD_A_LARGE_START, max(large->start, from), 0) ||
	    nla_put_u64_64bit(skb, MIGD_A_LARGE_END, large->end, 0) ||
	    nla_put_u64_64bit(skb, MIGD_A_LARGE_STEP, large->step, 0) ||
	    nla_put_u32(skb, MIGD_A_LARGE_REASON, large->reason)) {
		nla_nest_cancel(skb, nest);
		return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}

int migd_nl_job_large_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *attr = info->attrs[MIGD_A_JOB_LARGE_FROM];
	unsigned long from = attr ? nla_get_u64(attr) : 0;
	struct migd_job *job;
	struct sk_buff *msg;
	unsigned int i;
	void *hdr;
	int err;

	msg = genlmsg_new(NLMSG_GOODSIZE, GFP_KERNEL);
	if (!msg)
		return -ENOMEM;
	hdr = genlmsg_iput(msg, info);
	job = hdr ? job_of(info) : ERR_PTR(-EMSGSIZE);
	if (IS_ERR(job)) {
		err = PTR_ERR(job);
		goto err_msg;
	}
	err = nla_put_u64_64bit(msg, MIGD_A_JOB_ID, job->id, 0);
	from = max(from, job->route.done_below);
	for (i = 0; i < job->route.nr && !err; i++) {
		if (job->route.large[i].end <= from)
			continue;
		/* The rest is asked for by its address. */
		if (put_large(msg, &job->route.large[i], from))
			break;
	}
	job_off(job);
	if (err)
		goto err_msg;
	genlmsg_end(msg, hdr);
	return genlmsg_reply(msg, info);

err_msg:
	nlmsg_free(msg);
	return err;
}

/* The left attributes of the daemon's last word. */
static int get_left(struct genl_info *info, u64 *left)
{
	struct nlattr *tb[MIGD_A_LEFT_MAX + 1], *attr;
	int rem, err;

	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rem) {
		if (nla_type(attr) != MIGD_A_JOB_LEFT)
			continue;
		err = nla_parse_nested(tb, MIGD_A_LEFT_MAX, attr,
				       migd_left_nl_policy, info->extack);
		if (err)
			return err;
		if (!tb[MIGD_A_LEFT_REASON] || !tb[MIGD_A_LEFT_PAGES]) {
			NL_SET_ERR_MSG(info->extack, "what is left needs reason and pages");
			return -EINVAL;
		}
		left[nla_get_u32(tb[MIGD_A_LEFT_REASON])] +=
			nla_get_u64(tb[MIGD_A_LEFT_PAGES]);
	}
	return 0;
}

int migd_nl_job_routed_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *from = info->attrs[MIGD_A_JOB_LARGE_FROM];
	enum migd_reason reason = MIGD_REASON_HUGE;
	u64 left[MIGD_REASONS] = {};
	struct migd_job *job;
	u64 moved = 0;
	int err;

	err = get_left(info, left);
	if (err)
		return err;
	if (info->attrs[MIGD_A_JOB_ROUTED])
		moved = nla_get_u64(info->attrs[MIGD_A_JOB_ROUTED]);
	if (info->attrs[MIGD_A_JOB_ROUTED_REASON])
		reason = nla_get_u32(info->attrs[MIGD_A_JOB_ROUTED_REASON]);

	job = job_of(info);
	if (IS_ERR(job))
		return PTR_ERR(job);
	if (moved && !migd_job_routes(job, reason)) {
		NL_SET_ERR_MSG(info->extack, "pages left for this reason are not the daemon's to move");
		job_off(job);
		return -EINVAL;
	}
	if (from)
		job->route.done_below = max_t(u64, job->route.done_below,
					      nla_get_u64(from));
	/* A range of the job may cut a folio, which moves whole: no more than it had. */
	moved = take_left(job, reason, moved);
	atomic64_add(moved, &job->moved);
	atomic64_add(moved, &job->route.moved);
	atomic64_add(moved, &migd_stats.moved);
	migd_ntf_job_progress(job);
	err = migd_job_cancelled(job) ? -ECANCELED : 0;
	if (nla_get_flag(info->attrs[MIGD_A_JOB_ROUTED_ALL])) {
		memcpy(job->route.left, left, sizeof(left));
		WRITE_ONCE(job->route.all, true);
		wake_up_all(&migd_wait);
		err = 0;
	}
	job_off(job);
	return err;
}
