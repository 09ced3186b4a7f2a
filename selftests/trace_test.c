// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Tracepoints: they are there, and each fires for what it is named after. */

#define _GNU_SOURCE
#include <sys/mount.h>
#include <sys/stat.h>

#include "process_util.h"
#include "kselftest_harness.h"

#define TRACING	"/sys/kernel/tracing/"
#define EVENTS	TRACING "events/bsdvm/"
#define SIZE	(8 * PAGE)

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC);
	bool done = fd >= 0 && write(fd, text, strlen(text)) == strlen(text);

	close(fd);
	return done;
}

FIXTURE(trace) {
	int fd;
	unsigned char *p;
};

FIXTURE_SETUP(trace)
{
	if (access(TRACING "trace", F_OK))
		mount("tracefs", TRACING, "tracefs", 0, NULL);
	if (access(TRACING "trace", F_OK))
		SKIP(return, "no tracefs");
	self->fd = bsdvm_create(SIZE);
	ASSERT_GE(self->fd, 0);
	self->p = bsdvm_mmap(self->fd, SIZE);
	ASSERT_NE(self->p, MAP_FAILED);
	/*
	 * Names of tasks are not looked for. Recording them changes the code of
	 * the scheduler while all processors run it; emulated ones have died of
	 * that (QEMU 7.2, Linux 7.3: a breakpoint that is no longer there).
	 */
	ASSERT_TRUE(write_file(TRACING "options/record-cmd", "0"));
	ASSERT_TRUE(write_file(EVENTS "enable", "1"));
	ASSERT_TRUE(write_file(TRACING "tracing_on", "1"));
	write_file(TRACING "trace", "");
}

FIXTURE_TEARDOWN(trace)
{
	write_file(EVENTS "enable", "0");
	munmap(self->p, SIZE);
	close(self->fd);
}

/* How often an event is in the trace. */
static int fired(const char *event)
{
	char line[512], what[64];
	FILE *f = fopen(TRACING "trace", "r");
	int n = 0;

	sprintf(what, " %s: ", event);
	while (fgets(line, sizeof(line), f))
		n += strstr(line, what) != NULL;
	fclose(f);
	return n;
}

/* All the events that there are to be. */
TEST_F(trace, events_exist)
{
	static const char * const events[] = {
		"bsdvm_fault", "bsdvm_cow", "bsdvm_shadow", "bsdvm_snapshot",
		"bsdvm_collapse", "bsdvm_bypass", "bsdvm_wire",
	};
	char path[128];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(events); i++) {
		sprintf(path, EVENTS "%s/format", events[i]);
		EXPECT_EQ(access(path, R_OK), 0)
			TH_LOG("%s", events[i]);
	}
}

/* A fault that fills a page with zeroes copies nothing. */
TEST_F(trace, fault)
{
	self->p[0] = 1;
	EXPECT_GE(fired("bsdvm_fault"), 1);
	EXPECT_EQ(fired("bsdvm_cow"), 0);
	EXPECT_EQ(fired("bsdvm_snapshot"), 0);
}

/* A snapshot, and the copy and the shadow that the next write makes. */
TEST_F(trace, snapshot)
{
	self->p[0] = 1;
	ASSERT_NE(bsdvm_snapshot(self->fd), 0);
	EXPECT_EQ(fired("bsdvm_snapshot"), 1);
	EXPECT_EQ(fired("bsdvm_shadow"), 0);
	self->p[0] = 2;
	EXPECT_EQ(fired("bsdvm_shadow"), 1);
	EXPECT_EQ(fired("bsdvm_cow"), 1);
}

/* The collapse that follows a drop. */
TEST_F(trace, collapse)
{
	uint32_t id;

	self->p[0] = 1;
	id = bsdvm_snapshot(self->fd);
	self->p[0] = 2;
	EXPECT_EQ(fired("bsdvm_collapse"), 0);
	ASSERT_EQ(bsdvm_drop(self->fd, id), 0);
	EXPECT_EQ(fired("bsdvm_collapse"), 1);
}

/* An object that hides all of the one behind it goes round that one. */
TEST_F(trace, bypass)
{
	uint32_t first, second;
	size_t i;
	int branch;

	for (i = 0; i < SIZE; i += PAGE)
		self->p[i] = 1;
	first = bsdvm_snapshot(self->fd);
	for (i = 0; i < SIZE; i += PAGE)
		self->p[i] = 2;
	second = bsdvm_snapshot(self->fd);
	branch = bsdvm_open(self->fd, second);
	for (i = 0; i < SIZE; i += PAGE)
		self->p[i] = 3;
	ASSERT_EQ(pwrite(branch, "x", 1, 0), 1);
	ASSERT_EQ(bsdvm_drop(self->fd, second), 0);
	/* A chance to look at the chain again. */
	ASSERT_NE(bsdvm_snapshot(self->fd), 0);
	EXPECT_GE(fired("bsdvm_bypass") + fired("bsdvm_collapse"), 1);
	EXPECT_EQ(snapshot_byte(self->fd, first, 0), 1);
	EXPECT_EQ(byte_at(branch, PAGE), 2);
	EXPECT_EQ(bsdvm_check(branch), 0);
	close(branch);
}

/* Wirings, of both kinds. */
TEST_F(trace, wire)
{
	ASSERT_EQ(bsdvm_wire(self->fd, 0, PAGE, 0), 0);
	EXPECT_EQ(fired("bsdvm_wire"), 1);
	ASSERT_EQ(bsdvm_wire(self->fd, 0, PAGE, BSDVM_WIRE_SYSTEM), 0);
	EXPECT_EQ(fired("bsdvm_wire"), 2);
}

/* Switched off, they are silent. */
TEST_F(trace, off)
{
	ASSERT_TRUE(write_file(EVENTS "enable", "0"));
	write_file(TRACING "trace", "");
	self->p[0] = 1;
	ASSERT_NE(bsdvm_snapshot(self->fd), 0);
	EXPECT_EQ(fired("bsdvm_fault"), 0);
	EXPECT_EQ(fired("bsdvm_snapshot"), 0);
}

TEST_HARNESS_MAIN
