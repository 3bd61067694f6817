// SPDX-License-Identifier: GPL-2.0
/* The policy survives a restart, and a broken file is refused whole. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "policy.h"

int main(void)
{
	char dir[] = "/tmp/test-policy.XXXXXX", path[64], err[512];
	struct policy p, q;
	FILE *f;

	check(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/policy.conf", dir);
	policy_default(&p);
	check(!policy_load(&p, dir, err, sizeof(err)));

	strcpy(p.default_engine, "dma0chan0");
	p.deadline_usec = 12345;
	p.max_rate = 1ULL << 40;
	check(!policy_save(&p, dir));
	policy_default(&q);
	check(!policy_load(&q, dir, err, sizeof(err)));
	check(!strcmp(q.default_engine, "dma0chan0") && q.deadline_usec == 12345);
	check(q.max_rate == 1ULL << 40 && q.batch_pages == p.batch_pages);

	f = fopen(path, "w");
	check(f);
	fputs("[Policy]\nMaxRate=5\nDeadlineUSec=0\n", f);
	fclose(f);
	check(policy_load(&q, dir, err, sizeof(err)) < 0);
	check(strstr(err, "policy.conf:3: ") && q.max_rate == 1ULL << 40);

	check(policy_check_engine("auto") == 0 && policy_check_engine("dma1chan12") == 0);
	check(policy_check_engine("") < 0 && policy_check_engine("a/b") < 0);
	check(policy_save(&p, "/nonexistent") == -ENOENT);
	unlink(path);
	rmdir(dir);
	return 0;
}
