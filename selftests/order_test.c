// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What a snapshot costs: no page, no descriptor, and little memory. How long it
 * takes is for order_bench.
 */

#define _GNU_SOURCE
#include <dirent.h>
#include <sys/stat.h>

#include "process_util.h"
#include "kselftest_harness.h"

#define SNAPSHOTS	1000
#define GROUP		"/sys/fs/cgroup/order_test"

FIXTURE(order) {
	int fd;
	unsigned char *p;
	size_t size;
};

FIXTURE_SETUP(order)
{
	/* Very many pages: they must not matter. */
	self->size = (SNAPSHOTS + 65536 / bsdvm_slowdown()) * PAGE;
	self->fd = bsdvm_create(self->size);
	ASSERT_GE(self->fd, 0);
	self->p = bsdvm_mmap(self->fd, self->size);
	ASSERT_NE(self->p, MAP_FAILED);
	memset(self->p, 0x33, self->size);
}

FIXTURE_TEARDOWN(order)
{
	EXPECT_EQ(bsdvm_check(self->fd), 0);
	munmap(self->p, self->size);
	close(self->fd);
}

/* A snapshot allocates no page; the first write to a page afterwards one. */
TEST_F(order, no_page)
{
	long pages = bsdvm_stat("live_pages"), copies;

	copies = bsdvm_stat("snapshot_copies");
	ASSERT_NE(bsdvm_snapshot(self->fd), 0);
	EXPECT_EQ(bsdvm_stat("live_pages"), pages);
	EXPECT_EQ(bsdvm_stat("snapshot_copies"), copies);
	ASSERT_NE(bsdvm_snapshot(self->fd), 0);
	EXPECT_EQ(bsdvm_stat("live_pages"), pages);
	self->p[0] = 1;
	EXPECT_EQ(bsdvm_stat("live_pages"), pages + 1);
	self->p[1] = 1;
	EXPECT_EQ(bsdvm_stat("live_pages"), pages + 1);
	ASSERT_NE(bsdvm_snapshot(self->fd), 0);
	EXPECT_EQ(bsdvm_stat("live_pages"), pages + 1);
	EXPECT_EQ(bsdvm_stat("snapshot_copies"), copies);
}

static int count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/* Memory in slabs, whoever pays for it, in bytes. */
static long slab_memory(void)
{
	return meminfo("SUnreclaim") * 1024;
}

/* Join a cgroup of our own; false if there are none. */
static bool join_group(void)
{
	int fd;

	mkdir(GROUP, 0755);
	fd = open(GROUP "/cgroup.procs", O_WRONLY);
	if (fd < 0 || write(fd, "0", 1) != 1)
		return false;
	close(fd);
	return read_number(GROUP "/memory.current") >= 0;
}

static bool take_snapshots(int fd)
{
	int i;

	for (i = 0; i < SNAPSHOTS; i++)
		if (!bsdvm_snapshot(fd))
			return false;
	return true;
}

/* 1,000 snapshots are less than 1 MiB, and no descriptor. */
TEST_F(order, a_thousand_snapshots)
{
	long before, slab, pages = bsdvm_stat("live_pages");
	int fds = count_fds();

	if (!join_group())
		SKIP(return, "no memory cgroup");
	before = read_number(GROUP "/memory.current");
	slab = slab_memory();
	ASSERT_TRUE(take_snapshots(self->fd));
	slab = slab_memory() - slab;
	before = read_number(GROUP "/memory.current") - before;
	TH_LOG("%d snapshots: %ld bytes charged, %ld bytes of slabs",
	       SNAPSHOTS, before, slab);
	EXPECT_LT(before, 1 << 20);
	EXPECT_LT(slab, 1 << 20);
	EXPECT_EQ(count_fds(), fds);
	EXPECT_EQ(bsdvm_stat("live_pages"), pages);
}

/* With a page written between, each costs that page and little more. */
TEST_F(order, a_thousand_snapshots_written_between)
{
	long before, pages = bsdvm_stat("live_pages");
	int i;

	if (!join_group())
		SKIP(return, "no memory cgroup");
	before = read_number(GROUP "/memory.current");
	for (i = 0; i < SNAPSHOTS; i++) {
		ASSERT_NE(bsdvm_snapshot(self->fd), 0);
		self->p[i * PAGE] = 1;
	}
	before = read_number(GROUP "/memory.current") - before;
	EXPECT_EQ(bsdvm_stat("live_pages"), pages + SNAPSHOTS);
	before -= SNAPSHOTS * (long)PAGE;
	TH_LOG("%d snapshots: %ld bytes beside the pages", SNAPSHOTS, before);
	EXPECT_LT(before, 4 << 20);
	EXPECT_EQ(self->p[PAGE + 1], 0x33);
}

/* The group is empty when the tests' processes are gone. */
TEST(group_is_removed)
{
	if (!access(GROUP, F_OK))
		EXPECT_EQ(rmdir(GROUP), 0);
}

TEST_HARNESS_MAIN
