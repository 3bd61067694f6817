// SPDX-License-Identifier: GPL-2.0
/*
 * Attributes of the module's answers and events. The first byte says which; a
 * text that comes out is one that D-Bus and JSON take.
 */
#include "fuzz.h"
#include "netlink.h"
#include "text.h"

static void check_text(const char *s, size_t size)
{
	char clean[NL_NAME_LEN];

	insist(memchr(s, '\0', size) && size <= sizeof(clean));
	memcpy(clean, s, size);
	text_clean(clean);
	insist(!strcmp(clean, s));
}

#define CHECK_TEXT(member)	check_text(member, sizeof(member))

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct nl_features features;
	struct nl_channel channel;
	struct nl_stats stats;
	struct nlattr *attrs;
	struct nl_job job;
	int len;

	if (!size)
		return 0;
	/* no byte more than there is, and aligned as a message is */
	len = size - 1;
	attrs = malloc(len);
	insist(attrs || !len);
	if (len)
		memcpy(attrs, data + 1, len);
	switch (data[0] % 4) {
	case 0:
		nl_parse_features(attrs, len, &features);
		CHECK_TEXT(features.version);
		break;
	case 1:
		nl_parse_channel(attrs, len, &channel);
		CHECK_TEXT(channel.name);
		CHECK_TEXT(channel.device);
		CHECK_TEXT(channel.driver);
		break;
	case 2:
		nl_parse_job(attrs, len, &job);
		CHECK_TEXT(job.comm);
		break;
	default:
		nl_parse_stats(attrs, len, &stats);
	}
	free(attrs);
	return 0;
}
