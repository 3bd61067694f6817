// SPDX-License-Identifier: GPL-2.0
/* migd.conf: whatever the file holds, all of it is taken or none. */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "conf.h"
#include "fuzz.h"

static int file;
static char path[32];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	file = memfd_create("migd.conf", MFD_CLOEXEC);
	insist(file >= 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	return 0;
}

static void check_limits(const struct conf *c)
{
	insist(c->queues <= 64 && c->depth >= 1 && c->depth <= 64);
	insist(c->batch_pages >= 1 && c->batch_pages <= 4096);
	insist(c->max_jobs >= 1 && c->max_jobs <= 64 && c->keep_finished <= 1024);
	insist(c->stripe_pages >= 1 && c->stripe_pages <= 4096 && c->cpu_copies <= 16);
	insist(c->fault_rest_ms >= 1 && c->fault_rest_max_ms <= 3600000);
	insist(conf_log_level(c) >= 0);
	insist(strlen(c->channels) < sizeof(c->channels));
	insist(!policy_check_engine(c->policy.default_engine));
	insist(c->policy.deadline_usec >= POLICY_DEADLINE_MIN &&
	       c->policy.deadline_usec <= POLICY_DEADLINE_MAX);
	insist(c->policy.batch_pages >= 1 && c->policy.batch_pages <= 4096);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conf c, before;
	char err[512] = "";
	int r;

	insist(!ftruncate(file, 0) && pwrite(file, data, size, 0) == (ssize_t)size);
	/* also what no field covers: it is compared as bytes */
	memset(&c, 0, sizeof(c));
	conf_default(&c);
	memcpy(&before, &c, sizeof(c));
	r = conf_load(&c, path, true, err, sizeof(err));
	if (r < 0) {
		insist(err[0] && strlen(err) < sizeof(err));
		insist(!memcmp(&c, &before, sizeof(c)));
		return 0;
	}
	insist(!err[0]);
	check_limits(&c);
	conf_wants_channel(&c, "dma0chan0");
	return 0;
}
