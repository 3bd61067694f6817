// SPDX-License-Identifier: GPL-2.0
/* The parser, and that the installed file shows every default. */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "check.h"
#include "conf.h"

static char err[512];

static int load(const char *text, struct conf *c)
{
	char path[] = "/tmp/test-conf.XXXXXX";
	int fd = mkstemp(path), r;

	check(fd >= 0);
	check(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
	conf_default(c);
	err[0] = '\0';
	r = conf_load(c, path, true, err, sizeof(err));
	unlink(path);
	return r;
}

static void refuses(const char *text, const char *line_and_word)
{
	struct conf c, before;

	conf_default(&before);
	check(load(text, &c) < 0);
	if (!strstr(err, line_and_word)) {
		fprintf(stderr, "'%s' is not in: %s\n", line_and_word, err);
		exit(EXIT_FAILURE);
	}
	check(!memcmp(&c, &before, sizeof(c)));
}

static void test_values(void)
{
	struct conf c;

	check(!load("# c\n[Daemon]\nQueues = 3\t\n;x\nLockMemory=no\nLogLevel=debug\n"
		    "[Engines]\nChannels=dma0chan0, dma1chan0\n"
		    "[Policy]\nDefaultEngine=dma\nMaxRate=18446744073709551615\n", &c));
	check(c.queues == 3 && c.depth == 2 && !c.lock_memory);
	check(conf_log_level(&c) == LOG_DEBUG);
	check(!strcmp(c.policy.default_engine, "dma") && c.policy.max_rate == UINT64_MAX);
	check(conf_wants_channel(&c, "dma1chan0") && !conf_wants_channel(&c, "dma2chan0"));
	check(!load("[Engines]\nChannels=none\n", &c) && !conf_wants_channel(&c, "dma0chan0"));
	check(!load("", &c) && conf_wants_channel(&c, "dma0chan0"));
}

static void test_refused(void)
{
	refuses("[Daemon]\nQueues=65\n", ":2: Queues= takes a number from 0 to 64, not '65'");
	refuses("[Daemon]\nQueues=-1\n", "not '-1'");
	refuses("[Daemon]\nDepth=4x\n", ":2: Depth=");
	refuses("[Daemon]\nDepth=\n", ":2: Depth=");
	refuses("\n[Daemon]\nColour=red\n", ":3: section [Daemon] has no key 'Colour'");
	refuses("[Nothing]\nA=1\n", ":2: there is no section [Nothing]");
	refuses("Queues=1\n", ":1: 'Queues=1' comes before the first section");
	refuses("[Daemon\n", ":1: '[Daemon' is no section");
	refuses("[Daemon]\nQueues\n", ":2: 'Queues' is neither");
	refuses("[Daemon]\nLockMemory=true\n", "takes yes or no");
	refuses("[Daemon]\nLogLevel=loud\n", "LogLevel= does not take 'loud'");
	refuses("[Engines]\nChannels=../x\n", "Channels= does not take");
	refuses("[Policy]\nDeadlineUSec=999\n", "from 1000 to 60000000");
	refuses("[Policy]\nMaxRate=18446744073709551616\n", "MaxRate=");
	refuses("[Policy]\nNice=20\n", "from 0 to 19");
}

/* migd.conf with its keys no longer commented out is the defaults. */
static void test_installed(void)
{
	char text[8192] = "", line[512];
	struct conf c, defaults;
	unsigned int keys = 0;
	FILE *f;

	f = fopen(SOURCE_DIR "/migd.conf", "r");
	check(f);
	while (fgets(line, sizeof(line), f)) {
		bool key = line[0] == '#' && line[1] != ' ';

		keys += key;
		strcat(text, key ? line + 1 : line);
	}
	fclose(f);
	check(keys == 20);
	conf_default(&defaults);
	check(!load(text, &c));
	check(!memcmp(&c, &defaults, sizeof(c)));
}

int main(void)
{
	struct conf c;

	test_values();
	test_refused();
	test_installed();
	check(conf_load(&c, "/nonexistent/migd.conf", true, err, sizeof(err)) == -ENOENT);
	check(!conf_load(&c, "/nonexistent/migd.conf", false, err, sizeof(err)));
	return 0;
}
