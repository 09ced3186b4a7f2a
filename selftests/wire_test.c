// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Wiring: wired pages are there, are the map's own, and stay. The user's
 * wiring is limited and counts once; the system's is counted.
 */

#define _GNU_SOURCE
#include <pthread.h>
#include <sys/resource.h>

#include "process_util.h"
#include "kselftest_harness.h"

#define NPAGES	16UL
#define SIZE	(NPAGES * PAGE)
#define FIRST	0x60

FIXTURE(wire) {
	int fd;
	unsigned char *p;
	long live_wired;
};

FIXTURE_SETUP(wire)
{
	self->fd = bsdvm_create(SIZE);
	ASSERT_GE(self->fd, 0);
	self->p = bsdvm_mmap(self->fd, SIZE);
	ASSERT_NE(self->p, MAP_FAILED);
	self->live_wired = bsdvm_stat("live_wired");
}

FIXTURE_TEARDOWN(wire)
{
	EXPECT_EQ(bsdvm_check(self->fd), 0);
	munmap(self->p, SIZE);
	close(self->fd);
	EXPECT_EQ(bsdvm_stat("live_wired"), self->live_wired);
}

static long wired_pages(int fd)
{
	struct bsdvm_map_info info;

	return bsdvm_map_info(fd, &info) ? -1 : (long)info.wired;
}

static unsigned int entries(int fd)
{
	struct bsdvm_map_info info;

	return bsdvm_map_info(fd, &info) ? 0 : info.entries;
}

static struct bsdvm_entry_info entry_at(int fd, uint64_t offset)
{
	struct bsdvm_entry_info info = {
		.size = sizeof(info),
		.offset = offset,
	};

	if (ioctl(fd, BSDVM_IOC_ENTRY_INFO, &info))
		memset(&info, 0xff, sizeof(info));
	return info;
}

/* The user's wiring: resident at once, counted once, undone at once. */
TEST_F(wire, user)
{
	struct bsdvm_entry_info info;
	long pages = bsdvm_stat("live_pages");

	ASSERT_EQ(bsdvm_wire(self->fd, 0, SIZE, 0), 0);
	EXPECT_EQ(wired_pages(self->fd), NPAGES);
	EXPECT_EQ(bsdvm_stat("live_pages"), pages + (long)NPAGES);
	EXPECT_EQ(bsdvm_stat("live_wired"), self->live_wired + (long)NPAGES);
	ASSERT_EQ(bsdvm_wire(self->fd, 0, SIZE, 0), 0);
	info = entry_at(self->fd, 0);
	EXPECT_EQ(info.wired_count, 1);
	EXPECT_EQ(info.entry_flags & BSDVM_ENTRY_INFO_USER_WIRED,
		  BSDVM_ENTRY_INFO_USER_WIRED);
	ASSERT_EQ(bsdvm_unwire(self->fd, 0, SIZE, 0), 0);
	EXPECT_EQ(wired_pages(self->fd), 0);
	EXPECT_EQ(bsdvm_unwire(self->fd, 0, SIZE, 0), -1);
	EXPECT_EQ(errno, EINVAL);
}

/* The system's is undone as often as it was done. */
TEST_F(wire, system)
{
	const uint32_t flags = BSDVM_WIRE_SYSTEM;

	ASSERT_EQ(bsdvm_wire(self->fd, 0, SIZE, flags), 0);
	ASSERT_EQ(bsdvm_wire(self->fd, 0, SIZE, flags), 0);
	EXPECT_EQ(entry_at(self->fd, 0).wired_count, 2);
	ASSERT_EQ(bsdvm_unwire(self->fd, 0, SIZE, flags), 0);
	EXPECT_EQ(wired_pages(self->fd), NPAGES);
	ASSERT_EQ(bsdvm_unwire(self->fd, 0, SIZE, flags), 0);
	EXPECT_EQ(wired_pages(self->fd), 0);
	EXPECT_EQ(bsdvm_unwire(self->fd, 0, SIZE, flags), -1);
	EXPECT_EQ(errno, EINVAL);
}

/* Neither undoes the other. */
TEST_F(wire, both)
{
	const uint32_t flags = BSDVM_WIRE_SYSTEM;

	ASSERT_EQ(bsdvm_wire(self->fd, 0, SIZE, 0), 0);
	EXPECT_EQ(bsdvm_unwire(self->fd, 0, SIZE, flags), -1);
	EXPECT_EQ(errno, EINVAL);
	ASSERT_EQ(bsdvm_wire(self->fd, 0, SIZE, flags), 0);
	EXPECT_EQ(entry_at(self->fd, 0).wired_count, 2);
	EXPECT_EQ(bsdvm_stat("live_wired"), self->live_wired + (long)NPAGES);
	ASSERT_EQ(bsdvm_unwire(self->fd, 0, SIZE, 0), 0);
	EXPECT_EQ(wired_pages(self->fd), NPAGES);
	EXPECT_EQ(bsdvm_unwire(self->fd, 0, SIZE, 0), -1);
	EXPECT_EQ(errno, EINVAL);
	ASSERT_EQ(bsdvm_unwire(self->fd, 0, SIZE, flags), 0);
	EXPECT_EQ(wired_pages(self->fd), 0);
}

/* Ranges split entries, and entries that are alike again become one. */
TEST_F(wire, parts)
{
	ASSERT_EQ(bsdvm_wire(self->fd, 0, SIZE, 0), 0);
	ASSERT_EQ(bsdvm_unwire(self->fd, 0, SIZE, 0), 0);
	EXPECT_EQ(entries(self->fd), 1);
	ASSERT_EQ(bsdvm_wire(self->fd, 4 * PAGE, 4 * PAGE, 0), 0);
	EXPECT_EQ(entries(self->fd), 3);
	EXPECT_EQ(entry_at(self->fd, 4 * PAGE).offset, 4 * PAGE);
	EXPECT_EQ(entry_at(self->fd, 5 * PAGE).length, 4 * PAGE);
	ASSERT_EQ(bsdvm_wire(self->fd, 6 * PAGE, 4 * PAGE, 0), 0);
	EXPECT_EQ(wired_pages(self->fd), 6);
	EXPECT_EQ(bsdvm_unwire(self->fd, 6 * PAGE, 5 * PAGE, 0), -1);
	EXPECT_EQ(errno, EINVAL);
	EXPECT_EQ(wired_pages(self->fd), 6);
	ASSERT_EQ(bsdvm_unwire(self->fd, 4 * PAGE, 6 * PAGE, 0), 0);
	EXPECT_EQ(wired_pages(self->fd), 0);
	EXPECT_EQ(entries(self->fd), 1);
}

/* Beyond the map there is nothing to wire, and nothing is wired then. */
TEST_F(wire, beyond)
{
	EXPECT_EQ(bsdvm_wire(self->fd, 0, SIZE + PAGE, 0), -1);
	EXPECT_EQ(errno, ERANGE);
	EXPECT_EQ(bsdvm_wire(self->fd, 0, SIZE + PAGE, BSDVM_WIRE_SYSTEM), -1);
	EXPECT_EQ(errno, ERANGE);
	EXPECT_EQ(wired_pages(self->fd), 0);
}

/* A punch does not take wired pages away: they are cleared. */
TEST_F(wire, survives_a_punch)
{
	long pages;

	fill_pages(self->p, NPAGES, FIRST);
	ASSERT_EQ(bsdvm_wire(self->fd, 0, SIZE / 2, 0), 0);
	pages = bsdvm_stat("live_pages");
	ASSERT_EQ(punch(self->fd, 0, SIZE), 0);
	EXPECT_EQ(bsdvm_stat("live_pages"), pages - (long)NPAGES / 2);
	EXPECT_TRUE(all_bytes(self->p, SIZE / 2, 0));
	fill_pages(self->p, NPAGES / 2, FIRST);
	EXPECT_EQ(bsdvm_stat("live_pages"), pages - (long)NPAGES / 2);
	EXPECT_EQ(wired_pages(self->fd), NPAGES / 2);
	ASSERT_EQ(bsdvm_unwire(self->fd, 0, SIZE / 2, 0), 0);
}

/* Write to all pages, and count what was allocated or copied for it. */
static long pages_for_writing(unsigned char *p)
{
	long before = bsdvm_stat("live_pages") + bsdvm_stat("v_cow_faults");
	size_t i;

	for (i = 0; i < NPAGES; i++)
		p[i * PAGE] = 1;
	return bsdvm_stat("live_pages") + bsdvm_stat("v_cow_faults") - before;
}

/* A snapshot of wired pages copies at once; later writes need no memory. */
TEST_F(wire, snapshot_copies_at_once)
{
	long copies = bsdvm_stat("snapshot_copies");
	uint32_t id;

	fill_pages(self->p, NPAGES, FIRST);
	ASSERT_EQ(bsdvm_wire(self->fd, 0, SIZE, 0), 0);
	id = bsdvm_snapshot(self->fd);
	ASSERT_NE(id, 0);
	EXPECT_EQ(bsdvm_stat("snapshot_copies"), copies + (long)NPAGES);
	EXPECT_EQ(pages_for_writing(self->p), 0);
	EXPECT_TRUE(snapshot_holds(self->fd, id, NPAGES, FIRST));
	EXPECT_EQ(wired_pages(self->fd), NPAGES);
	ASSERT_EQ(bsdvm_drop(self->fd, id), 0);
	ASSERT_EQ(bsdvm_unwire(self->fd, 0, SIZE, 0), 0);
	EXPECT_EQ(byte_at(self->fd, 3 * PAGE), 1);
}

/* Wiring after a snapshot copies at once, too. */
TEST_F(wire, after_a_snapshot)
{
	uint32_t id;

	fill_pages(self->p, NPAGES, FIRST);
	id = bsdvm_snapshot(self->fd);
	ASSERT_NE(id, 0);
	ASSERT_EQ(bsdvm_wire(self->fd, 0, SIZE, BSDVM_WIRE_SYSTEM), 0);
	EXPECT_EQ(pages_for_writing(self->p), 0);
	EXPECT_TRUE(snapshot_holds(self->fd, id, NPAGES, FIRST));
	ASSERT_EQ(bsdvm_unwire(self->fd, 0, SIZE, BSDVM_WIRE_SYSTEM), 0);
}

/* The same for the user's wiring. */
TEST_F(wire, user_after_a_snapshot)
{
	uint32_t id;

	fill_pages(self->p, NPAGES, FIRST);
	id = bsdvm_snapshot(self->fd);
	ASSERT_NE(id, 0);
	ASSERT_EQ(bsdvm_wire(self->fd, 0, SIZE, 0), 0);
	EXPECT_EQ(pages_for_writing(self->p), 0);
	EXPECT_TRUE(snapshot_holds(self->fd, id, NPAGES, FIRST));
	ASSERT_EQ(bsdvm_unwire(self->fd, 0, SIZE, 0), 0);
}

/* Dropping the snapshot behind wired pages leaves them wired. */
TEST_F(wire, snapshots_come_and_go)
{
	uint32_t id[5];
	size_t i;

	fill_pages(self->p, NPAGES, FIRST);
	ASSERT_EQ(bsdvm_wire(self->fd, 0, SIZE / 2, 0), 0);
	for (i = 0; i < ARRAY_SIZE(id); i++) {
		id[i] = bsdvm_snapshot(self->fd);
		ASSERT_NE(id[i], 0);
		self->p[i * PAGE] = 0x20 + i;
		self->p[(i + 8) * PAGE] = 0x30 + i;
	}
	for (i = 0; i < ARRAY_SIZE(id); i++) {
		EXPECT_EQ(snapshot_byte(self->fd, id[i], i * PAGE), FIRST + i);
		EXPECT_EQ(snapshot_byte(self->fd, id[i], (i + 8) * PAGE),
			  FIRST + i + 8);
		ASSERT_EQ(bsdvm_drop(self->fd, id[i]), 0);
		EXPECT_EQ(bsdvm_check(self->fd), 0);
	}
	EXPECT_EQ(wired_pages(self->fd), NPAGES / 2);
	EXPECT_EQ(bsdvm_stat("live_wired"),
		  self->live_wired + (long)NPAGES / 2);
	ASSERT_EQ(bsdvm_unwire(self->fd, 0, SIZE / 2, 0), 0);
}

/* The end of a file takes its wirings along. */
TEST_F(wire, shrunk)
{
	ASSERT_EQ(bsdvm_wire(self->fd, 0, SIZE, 0), 0);
	ASSERT_EQ(ftruncate(self->fd, SIZE / 2), 0);
	EXPECT_EQ(wired_pages(self->fd), NPAGES / 2);
	EXPECT_EQ(bsdvm_stat("live_wired"),
		  self->live_wired + (long)NPAGES / 2);
	ASSERT_EQ(ftruncate(self->fd, SIZE), 0);
	EXPECT_EQ(wired_pages(self->fd), NPAGES / 2);
	EXPECT_EQ(self->p[SIZE - 1], 0);
	ASSERT_EQ(ftruncate(self->fd, 0), 0);
	EXPECT_EQ(wired_pages(self->fd), 0);
}

/* Memory is given back, wired or not, where pieces before the end stay. */
TEST_F(wire, shrunk_in_pieces)
{
	long before;

	fill_pages(self->p, NPAGES, FIRST);
	ASSERT_EQ(bsdvm_wire(self->fd, 4 * PAGE, 4 * PAGE, 0), 0);
	before = bsdvm_stat("live_pages");
	ASSERT_EQ(ftruncate(self->fd, 6 * PAGE), 0);
	EXPECT_EQ(bsdvm_stat("live_pages"), before - 10);
	EXPECT_EQ(wired_pages(self->fd), 2);
	EXPECT_TRUE(pages_hold(self->p, 6, FIRST));
	ASSERT_EQ(ftruncate(self->fd, SIZE), 0);
	EXPECT_TRUE(all_bytes(self->p + 6 * PAGE, 10 * PAGE, 0));
}

static int leave_wired(void *context)
{
	int fd = bsdvm_create(SIZE), branch;

	if (bsdvm_wire(fd, 0, SIZE, 0) ||
	    bsdvm_wire(fd, 0, SIZE, BSDVM_WIRE_SYSTEM))
		return 1;
	branch = bsdvm_open(fd, bsdvm_snapshot(fd));
	/* And the process ends without closing anything. */
	return bsdvm_wire(branch, 0, SIZE, 0) ? 2 : 0;
}

/* What a process leaves wired is unwired with the map. */
TEST_F(wire, left_wired)
{
	EXPECT_EQ(in_child(leave_wired, NULL), 0);
	EXPECT_EQ(bsdvm_stat("live_wired"), self->live_wired);
}

/* ---- the limit --------------------------------------------------------- */

#define LIMIT	8UL

/* Become a user who may lock so many pages. */
static int limited_user(int uid)
{
	const struct rlimit limit = { LIMIT * PAGE, LIMIT * PAGE };

	return setrlimit(RLIMIT_MEMLOCK, &limit) || setgid(uid) || setuid(uid);
}

static int refused(int fd, uint64_t offset, uint64_t length, int expected)
{
	return bsdvm_wire(fd, offset, length, 0) != -1 || errno != expected;
}

static int within_the_limit(void *context)
{
	int fd = bsdvm_create(SIZE), other = bsdvm_create(SIZE);

	if (limited_user(1000))
		return 1;
	if (refused(fd, 0, (LIMIT + 1) * PAGE, ENOMEM) || wired_pages(fd))
		return 2;
	if (bsdvm_wire(fd, 0, LIMIT * PAGE, 0))
		return 3;
	if (refused(fd, LIMIT * PAGE, PAGE, ENOMEM) ||
	    refused(other, 0, PAGE, ENOMEM))
		return 4;
	if (bsdvm_unwire(fd, 0, PAGE, 0) || bsdvm_wire(other, 0, PAGE, 0) ||
	    refused(fd, 0, PAGE, ENOMEM))
		return 5;
	close(fd);
	if (bsdvm_wire(other, 0, LIMIT * PAGE, 0))
		return 6;
	if (ftruncate(other, 2 * PAGE) || ftruncate(other, SIZE) ||
	    bsdvm_wire(other, 0, LIMIT * PAGE, 0))
		return 7;
	return bsdvm_unwire(other, 0, LIMIT * PAGE, 0) ? 8 : 0;
}

/* W-22: a user wires what RLIMIT_MEMLOCK allows, over all maps, and no more. */
TEST(limit)
{
	if (geteuid())
		SKIP(return, "to become a user one must be root");
	EXPECT_EQ(in_child(within_the_limit, NULL), 0);
}

/* What the limit lets through twice is only what was wired already. */
static int again_within_the_limit(void *context)
{
	int fd = bsdvm_create(SIZE), i;

	if (limited_user(1001))
		return 1;
	if (bsdvm_wire(fd, 0, LIMIT / 2 * PAGE, 0))
		return 2;
	for (i = 0; i < 10; i++)
		if (bsdvm_wire(fd, 0, LIMIT / 2 * PAGE, 0))
			return 3;
	if (bsdvm_wire(fd, LIMIT / 2 * PAGE, LIMIT / 2 * PAGE, 0))
		return 4;
	return wired_pages(fd) != LIMIT;
}

/* W-22: wiring again costs nothing, and gives no room for more. */
TEST(limit_counts_a_page_once)
{
	if (geteuid())
		SKIP(return, "to become a user one must be root");
	EXPECT_EQ(in_child(again_within_the_limit, NULL), 0);
}

static int nothing_for_a_failure(void *context)
{
	int fd = bsdvm_create(SIZE);

	if (limited_user(1004))
		return 1;
	/* Within the limit, but half of it lies beyond the end. */
	if (refused(fd, SIZE - LIMIT / 2 * PAGE, LIMIT * PAGE, ERANGE))
		return 2;
	return bsdvm_wire(fd, 0, LIMIT * PAGE, 0) ? 3 : 0;
}

/* What could not be wired does not count. */
TEST(limit_counts_no_failure)
{
	if (geteuid())
		SKIP(return, "to become a user one must be root");
	EXPECT_EQ(in_child(nothing_for_a_failure, NULL), 0);
}

static int nothing_for_broken_memory(void *context)
{
	int fd = *(int *)context;

	if (limited_user(1005))
		return 1;
	if (refused(fd, 0, LIMIT / 2 * PAGE, EIO) || wired_pages(fd))
		return 2;
	return bsdvm_wire(fd, LIMIT / 2 * PAGE, LIMIT * PAGE, 0) ? 3 : 0;
}

/* The same, if it is found out only while pages are wired. */
TEST(limit_counts_no_broken_memory)
{
	int fd = bsdvm_create(SIZE), error;
	unsigned char *p = bsdvm_mmap(fd, SIZE);

	if (geteuid())
		SKIP(return, "to become a user one must be root");
	p[PAGE] = 1;
	error = in_child(break_memory, p + PAGE);
	munmap(p, SIZE);
	if (error == EINVAL || error == EPERM)
		SKIP(return, "the kernel cannot mark memory as broken");
	ASSERT_EQ(error, 0);
	EXPECT_EQ(in_child(nothing_for_broken_memory, &fd), 0);
	close(fd);
}

static int other_user(void *context)
{
	int fd = *(int *)context;

	if (limited_user(1002))
		return 1;
	return refused(fd, PAGE, PAGE, EBUSY) ? 2 : 0;
}

/* W-22: another user cannot wire where somebody has: who would pay? */
TEST(other_user_has_wired)
{
	int fd = bsdvm_create(SIZE);

	if (geteuid())
		SKIP(return, "to become a user one must be root");
	ASSERT_EQ(bsdvm_wire(fd, 0, PAGE, 0), 0);
	EXPECT_EQ(in_child(other_user, &fd), 0);
	EXPECT_EQ(wired_pages(fd), 1);
	ASSERT_EQ(bsdvm_unwire(fd, 0, PAGE, 0), 0);
	close(fd);
}

static int system_by_user(void *context)
{
	const uint32_t flags = BSDVM_WIRE_SYSTEM;
	int fd = *(int *)context;

	if (limited_user(1003))
		return 1;
	if (bsdvm_wire(fd, PAGE, PAGE, flags) != -1 || errno != EPERM)
		return 2;
	if (bsdvm_unwire(fd, 0, PAGE, flags) != -1 || errno != EPERM)
		return 3;
	return wired_pages(fd) != 1;
}

/* The system's wiring has no limit, so it is not for everybody. */
TEST(system_needs_a_capability)
{
	int fd = bsdvm_create(SIZE);

	if (geteuid())
		SKIP(return, "to become a user one must be root");
	ASSERT_EQ(bsdvm_wire(fd, 0, PAGE, BSDVM_WIRE_SYSTEM), 0);
	EXPECT_EQ(in_child(system_by_user, &fd), 0);
	EXPECT_EQ(wired_pages(fd), 1);
	ASSERT_EQ(bsdvm_unwire(fd, 0, PAGE, BSDVM_WIRE_SYSTEM), 0);
	close(fd);
}

/* ---- all at once ------------------------------------------------------- */

struct worker {
	int fd;
	unsigned char *p;
	volatile bool *stop;
	uint32_t flags;
	unsigned long rounds;
};

static void *wire_and_unwire(void *context)
{
	struct worker *worker = context;
	uint64_t offset;

	while (!*worker->stop) {
		offset = worker->rounds++ % 8 * PAGE;
		if (!bsdvm_wire(worker->fd, offset, 8 * PAGE, worker->flags))
			bsdvm_unwire(worker->fd, offset, 8 * PAGE,
				     worker->flags);
		usleep(100);
	}
	return NULL;
}

static void *write_and_punch(void *context)
{
	struct worker *worker = context;

	while (!*worker->stop) {
		worker->p[worker->rounds % NPAGES * PAGE] = worker->rounds;
		if (worker->rounds++ % 16 == 0)
			punch(worker->fd, worker->rounds % 8 * PAGE, 4 * PAGE);
		usleep(50);
	}
	return NULL;
}

/* Wirings, punches, writes and snapshots at once leave no wiring behind. */
TEST_F(wire, race)
{
	volatile bool stop = false;
	struct worker workers[3] = {
		{ .flags = 0 }, { .flags = BSDVM_WIRE_SYSTEM }, { },
	};
	pthread_t thread[3];
	uint32_t id;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(workers); i++) {
		workers[i].fd = self->fd;
		workers[i].p = self->p;
		workers[i].stop = &stop;
		pthread_create(&thread[i], NULL,
			       i < 2 ? wire_and_unwire : write_and_punch,
			       &workers[i]);
	}
	for (i = 0; i < 100; i++) {
		id = bsdvm_snapshot(self->fd);
		ASSERT_NE(id, 0);
		usleep(1000);
		ASSERT_EQ(bsdvm_drop(self->fd, id), 0);
	}
	stop = true;
	for (i = 0; i < ARRAY_SIZE(workers); i++) {
		pthread_join(thread[i], NULL);
		EXPECT_GT(workers[i].rounds, 10);
	}
	EXPECT_EQ(wired_pages(self->fd), 0);
	EXPECT_EQ(bsdvm_stat("live_wired"), self->live_wired);
}

TEST_HARNESS_MAIN
