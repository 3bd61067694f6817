// SPDX-License-Identifier: GPL-2.0
/* Tests of what of bind.c needs no bus. */
#include <string.h>

#include "bind.h"
#include "test-tree.h"

#define CHECK(x)	tree_check(x, #x, __LINE__, text)

static char text[64];

static void test_text(void)
{
	nodeset_text(&(struct nodeset) { .bytes = 0 }, text, sizeof(text));
	CHECK(!strcmp(text, ""));
	nodeset_text(&(struct nodeset) { .bits = { 0x0d, 0x80 }, .bytes = 2 }, text, sizeof(text));
	CHECK(!strcmp(text, "0,2-3,15"));
	/* Bits that systemd has not sent do not count. */
	nodeset_text(&(struct nodeset) { .bits = { 0xff, 0xff }, .bytes = 1 }, text, sizeof(text));
	CHECK(!strcmp(text, "0-7"));
}

static void test_possible(void)
{
	text[0] = '\0';
	CHECK(bind_is_possible(tree_root));
	put("/sys/fs/cgroup/cgroup.controllers", "cpu io cpusets memory\n");
	CHECK(!bind_is_possible(tree_root));
	put("/sys/fs/cgroup/cgroup.controllers", "cpu io memory cpuset\n");
	CHECK(bind_is_possible(tree_root));
}

int main(void)
{
	tree_new();
	test_text();
	test_possible();
	return tree_end();
}
