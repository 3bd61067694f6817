// SPDX-License-Identifier: GPL-2.0
/* JSON: every key is there, numbers of 63 bits survive. */
#include <string.h>

#include "check.h"
#include "json.h"

static void check_keys(json_t *o, const char *keys)
{
	char copy[512], *save = NULL;

	check(o);
	snprintf(copy, sizeof(copy), "%s", keys);
	for (char *k = strtok_r(copy, ",", &save); k; k = strtok_r(NULL, ",", &save)) {
		if (json_object_get(o, k))
			continue;
		fprintf(stderr, "no key %s\n", k);
		exit(EXIT_FAILURE);
	}
}

static void test_job(void)
{
	struct job job = {
		.nl = { .id = 1ULL << 60, .pid = 5, .comm = "caf\xc3\xa9 \"x\"", .from = -1,
			.to = 1, .flags = MIGD_JOB_FLAG_VERIFY,
			.left = { [MIGD_REASON_REFUSED] = 3 }, .blackout = { .max = 77 } },
		.engine = "auto",
	};
	json_t *o = json_job(&job);

	check_keys(o, "id,pid,comm,from,to,order,engine,state,outcome,total,moved,bytes,left");
	check_keys(o, "passes,batches,rescued,submitted_usec,elapsed_usec");
	check_keys(o, "nice,work_ns");
	check_keys(o, "lock,copy,commit,blackout,verify,atomic,user");
	check(json_is_true(json_object_get(o, "verify")));
	check(json_is_false(json_object_get(o, "atomic")));
	check(json_integer_value(json_object_get(o, "id")) == 1LL << 60);
	check(json_integer_value(json_object_get(json_object_get(o, "left"), "refused")) == 3);
	check(json_object_size(json_object_get(o, "left")) == 1);
	check(json_integer_value(json_object_get(json_object_get(o, "blackout"), "max_ns")) == 77);
	json_decref(o);
}

static void test_group(void)
{
	struct member members[] = {
		{ .pid = 5, .state = MEMBER_DONE, .job = 1ULL << 60 },
		{ .pid = 6, .state = MEMBER_PENDING },
		{ .pid = 7, .state = MEMBER_KERNEL },
	};
	struct group g = {
		.id = 3, .kind = GROUP_UNIT, .target = "a.service", .req.from = -1, .engine = "auto",
		.members = members, .nr = 3, .processes = 3, .visited = 2, .state = GROUP_RUNNING,
		.sum = { .left = { [MIGD_REASON_REFUSED] = 3 }, .blackout_max_ns = 77 },
	};
	json_t *o = json_group(&g);

	check_keys(o, "id,kind,target,cgroup,from,to,order,engine,state,outcome,processes,visited");
	check_keys(o, "progress,left_out,why,members,total,moved,routed,bytes,left,passes,batches");
	check_keys(o, "rescued,blackout_max_ns,submitted_usec,elapsed_usec,user");
	check(json_object_size(json_object_get(o, "left_out")) == 1);
	check(json_integer_value(json_object_get(json_object_get(o, "left_out"), "kernel")) == 1);
	check(json_array_size(json_object_get(o, "members")) == 3);
	json_decref(o);

	/* What it has not visited when it has ended it has left out. */
	g.state = GROUP_DONE;
	o = json_group(&g);
	check(json_is_integer(json_object_get(json_object_get(o, "left_out"), "unvisited")));
	json_decref(o);
}

static void test_rest(void)
{
	static struct manager m;
	struct nl_channel c = { .name = "dma0chan0", .node = -1 };
	struct nl_stats s = { .moved = 9 };
	json_t *o;

	o = json_channel(&c);
	check_keys(o, "name,device,driver,node,state,copies,pages,bytes,errors,in_flight");
	check_keys(o, "quarantined,copy");
	json_decref(o);
	policy_default(&m.policy);
	o = json_policy(&m.policy);
	check_keys(o, "default_engine,deadline_usec,batch_pages,max_rate,total_rate,nice,jobs_per_user,pressure_usec");
	json_decref(o);
	o = json_stats(&s, &m);
	check_keys(o, "jobs,jobs_active,batches,moved,left,rescued_deadline,rescued_server");
	check_keys(o, "late,undone,verify_failed,locked_pages,quarantined_pages,quarantined_total");
	check_keys(o, "lock,copy,commit,blackout,daemon");
	json_decref(o);
	o = json_describe(&m);
	check_keys(o, "version,module_version,abi,ready,module_error,policy,engines,jobs,groups,nodes");
	check(json_array_size(json_object_get(o, "nodes")) >= 1);
	json_decref(o);
}

int main(void)
{
	test_job();
	test_group();
	test_rest();
	return 0;
}
