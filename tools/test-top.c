// SPDX-License-Identifier: GPL-2.0
/* What top shows of two samples: rates where they are known, 80 columns at most. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "top.h"

static char said[8192];
static size_t widest;
static int failed;

#define CHECK(x)	check(x, #x, __LINE__)

static void check(bool ok, const char *what, int line)
{
	if (ok)
		return;
	failed = 1;
	fprintf(stderr, "test-top.c:%d: not true: %s; said:\n%s", line, what, said);
}

static void take(void *arg, const char *line, bool title)
{
	size_t len = strlen(line);

	widest = len > widest ? len : widest;
	snprintf(said + strlen(said), sizeof(said) - strlen(said), "%s%s\n", title ? "#" : "",
		 line);
}

static void look(const struct top *top)
{
	said[0] = '\0';
	widest = 0;
	top_tell(top, take, NULL);
}

/* A machine whose counters are as large as they get. */
static json_t *sample(unsigned long long bytes)
{
	char text[4096];

	snprintf(text, sizeof(text),
		 "{\"version\":\"0.1.0\",\"module_version\":\"0.1.0\",\"ready\":true,"
		 "\"stats\":{\"jobs_active\":1,\"moved\":123456789012,\"locked_pages\":4096,"
		 "\"quarantined_pages\":4096,\"late\":7,\"blackout\":{\"count\":3,\"p50_ns\":210000,"
		 "\"p90_ns\":300000,\"p99_ns\":480000,\"max_ns\":1200000}},"
		 "\"engines\":[{\"name\":\"dma12chan10-and-a-long-name\",\"state\":\"disabled\","
		 "\"copies\":123456789,\"bytes\":%llu,\"in_flight\":65536,\"errors\":65536,"
		 "\"quarantined\":65536,\"copy\":{\"count\":1,\"p99_ns\":480000000}}],"
		 "\"nodes\":[{\"id\":12,\"total\":8796093022208,\"free\":4398046511104}],"
		 "\"jobs\":[{\"id\":6,\"pid\":1,\"comm\":\"old\",\"from\":0,\"to\":1,"
		 "\"state\":\"done\",\"outcome\":\"server-lost\",\"total\":10,\"moved\":5},"
		 "{\"id\":7,\"pid\":4194303,\"comm\":\"r\\u001b[2J\\u00e9dis-server-x\","
		 "\"from\":-1,\"to\":12,\"state\":\"running\",\"total\":4000000000,"
		 "\"moved\":1000000000,\"bytes\":%llu,\"left\":{\"file\":1000000000},"
		 "\"blackout\":{\"count\":1,\"max_ns\":480000000}}]}",
		 bytes, bytes);
	return json_loads(text, 0, NULL);
}

int main(void)
{
	struct top top = { };

	/* Nothing is known yet. */
	look(&top);
	CHECK(widest <= 80);

	top_take(&top, sample(1000000), 1000000);
	look(&top);
	CHECK(strstr(said, "migd 0.1.0 serves module 0.1.0, 1 jobs run"));
	CHECK(strstr(said, "copied -;") && !strstr(said, "MB/s"));
	CHECK(strstr(said, "blackout p50 210 us, p99 480 us, longest 1.2 ms"));
	CHECK(strstr(said, " 50%") && widest <= 80);
	CHECK(strstr(said, "server-l") && strstr(said, "#  JOB") < strstr(said, "#ENDED"));

	/* 900 GB in two seconds. */
	top_take(&top, sample(900000000000 + 1000000), 3000000);
	look(&top);
	CHECK(strstr(said, "copied 450.0 GB/s;"));
	CHECK(widest <= 80);
	CHECK(!strchr(said, '\033') && strstr(said, "r?[2J??dis "));

	/* The module was loaded anew. */
	top_take(&top, sample(5), 4000000);
	look(&top);
	CHECK(!strstr(said, "B/s"));

	snprintf(top.why, sizeof(top.why), "migd does not answer");
	look(&top);
	CHECK(!strncmp(said, "migd does not answer\n", 21) && strstr(said, "old"));
	top_take(&top, sample(6), 5000000);
	look(&top);
	CHECK(!strncmp(said, "migd 0.1.0 serves", 17));

	/* An answer that has nothing of it. */
	top_take(&top, json_object(), 6000000);
	look(&top);
	CHECK(strstr(said, "does not serve"));
	top_done(&top);
	return failed;
}
