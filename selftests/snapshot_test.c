// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Snapshots: what each map and each snapshot shows, whatever is written. */

#include <pthread.h>
#include <sys/stat.h>

#include "bsdvm_util.h"
#include "kselftest_harness.h"

#define NPAGES	64UL

FIXTURE(map) {
	int fd;
	unsigned char *p;
};

FIXTURE_SETUP(map)
{
	size_t i;

	self->fd = bsdvm_create(NPAGES * PAGE);
	ASSERT_GE(self->fd, 0);
	self->p = bsdvm_mmap(self->fd, NPAGES * PAGE);
	ASSERT_NE(self->p, MAP_FAILED);
	for (i = 0; i < NPAGES; i++)
		self->p[i * PAGE] = i + 1;
}

FIXTURE_TEARDOWN(map)
{
	EXPECT_EQ(bsdvm_check(self->fd), 0);
	munmap(self->p, NPAGES * PAGE);
	close(self->fd);
}

TEST_F(map, keeps_what_was_there)
{
	uint32_t id = bsdvm_snapshot(self->fd);
	unsigned char *q;
	size_t i;
	int fd;

	ASSERT_NE(id, 0);
	for (i = 0; i < NPAGES; i += 2)
		self->p[i * PAGE] = 0xee;
	fd = bsdvm_open(self->fd, id);
	ASSERT_GE(fd, 0);
	q = bsdvm_mmap(fd, NPAGES * PAGE);
	ASSERT_NE(q, MAP_FAILED);
	for (i = 0; i < NPAGES; i++) {
		EXPECT_EQ(q[i * PAGE], i + 1);
		EXPECT_EQ(self->p[i * PAGE], i % 2 ? i + 1 : 0xee);
	}
	EXPECT_EQ(bsdvm_check(fd), 0);
	munmap(q, NPAGES * PAGE);
	close(fd);
}

TEST_F(map, branches_do_not_see_each_other)
{
	uint32_t id = bsdvm_snapshot(self->fd);
	int a = bsdvm_open(self->fd, id), b = bsdvm_open(self->fd, id);
	char c;

	ASSERT_GE(a, 0);
	ASSERT_GE(b, 0);
	ASSERT_EQ(pwrite(a, "a", 1, 0), 1);
	ASSERT_EQ(pwrite(b, "b", 1, 0), 1);
	ASSERT_EQ(pread(a, &c, 1, 0), 1);
	EXPECT_EQ(c, 'a');
	ASSERT_EQ(pread(b, &c, 1, 0), 1);
	EXPECT_EQ(c, 'b');
	EXPECT_EQ(self->p[0], 1);
	close(a);
	close(b);
}

/* Who has a shadow of a page has all snapshots of the family. */
TEST_F(map, shadow_is_a_right_to_all_snapshots)
{
	uint32_t before = bsdvm_snapshot(self->fd), after;
	int fd = bsdvm_shadow(self->fd, 5 * PAGE, PAGE), opened;
	char c;

	ASSERT_GE(fd, 0);
	self->p[9 * PAGE] = 0x77;
	/* Not what the map holds now. */
	EXPECT_EQ(pread(fd, &c, 1, 4 * PAGE), 0);
	after = bsdvm_snapshot(self->fd);
	opened = bsdvm_open(fd, before);
	ASSERT_GE(opened, 0);
	ASSERT_EQ(pread(opened, &c, 1, 9 * PAGE), 1);
	EXPECT_EQ(c, 10);
	close(opened);
	opened = bsdvm_open(fd, after);
	ASSERT_GE(opened, 0);
	ASSERT_EQ(pread(opened, &c, 1, 9 * PAGE), 1);
	EXPECT_EQ(c, 0x77);
	close(opened);
	EXPECT_EQ(bsdvm_drop(fd, before), 0);
	EXPECT_EQ(bsdvm_drop(self->fd, before), -1);
	EXPECT_EQ(errno, ENOENT);
	close(fd);
}

TEST_F(map, middle_of_a_chain_collapses)
{
	struct bsdvm_map_info info;
	uint32_t id[4];
	size_t i;

	for (i = 0; i < 4; i++) {
		id[i] = bsdvm_snapshot(self->fd);
		ASSERT_NE(id[i], 0);
		self->p[i * PAGE] = 100 + i;
	}
	ASSERT_EQ(bsdvm_map_info(self->fd, &info), 0);
	EXPECT_EQ(info.depth, 5);
	EXPECT_EQ(bsdvm_drop(self->fd, id[1]), 0);
	EXPECT_EQ(bsdvm_drop(self->fd, id[2]), 0);
	ASSERT_EQ(bsdvm_map_info(self->fd, &info), 0);
	EXPECT_EQ(info.depth, 3);
	for (i = 0; i < NPAGES; i++)
		EXPECT_EQ(self->p[i * PAGE], i < 4 ? 100 + i : i + 1);
}

/* Where the last entry of a map ends. */
static uint64_t end_of_entries(int fd)
{
	struct bsdvm_entry_info info = { .size = sizeof(info) };
	uint64_t end = 0;

	for (; !ioctl(fd, BSDVM_IOC_ENTRY_INFO, &info); info.offset = end)
		end = info.offset + info.length;
	return end;
}

static bool resizing;

static void *resize(void *context)
{
	int fd = *(int *)context;

	while (__atomic_load_n(&resizing, __ATOMIC_RELAXED)) {
		ftruncate(fd, PAGE);
		ftruncate(fd, NPAGES * PAGE);
	}
	return NULL;
}

/* Size and memory are of the same moment. */
TEST_F_TIMEOUT(map, taken_while_resized, 120)
{
	unsigned int rounds = bsdvm_repeat(3000), i, torn = 0;
	pthread_t thread;
	struct stat st;
	uint32_t id;
	int fd;

	resizing = true;
	ASSERT_EQ(pthread_create(&thread, NULL, resize, &self->fd), 0);
	for (i = 0; i < rounds; i++) {
		id = bsdvm_snapshot(self->fd);
		fd = bsdvm_open(self->fd, id);
		if (fd < 0 || fstat(fd, &st))
			break;
		torn += end_of_entries(fd) != (uint64_t)st.st_size;
		close(fd);
		bsdvm_drop(self->fd, id);
	}
	__atomic_store_n(&resizing, false, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	EXPECT_EQ(i, rounds);
	EXPECT_EQ(torn, 0);
	ASSERT_EQ(ftruncate(self->fd, NPAGES * PAGE), 0);
}

/* More entries than fit into one piece of contiguous memory. */
#define NWIRED	66000UL

TEST_F_TIMEOUT(map, many_entries, 120)
{
	int fd = bsdvm_create(2 * NWIRED * PAGE);
	struct bsdvm_map_info info;
	uint64_t at;

	if (sizeof(long) < 8)
		SKIP(return, "nothing that 32-bit callers do otherwise");
	if (bsdvm_slowdown() > 2)
		SKIP(return, "66000 wirings take minutes on a slow kernel");
	ASSERT_GE(fd, 0);
	for (at = 0; at < 2 * NWIRED; at += 2)
		ASSERT_EQ(bsdvm_wire(fd, at * PAGE, PAGE, 0), 0);
	ASSERT_EQ(bsdvm_map_info(fd, &info), 0);
	EXPECT_EQ(info.entries, 2 * NWIRED);
	EXPECT_NE(bsdvm_snapshot(fd), 0);
	close(fd);
}

TEST_HARNESS_MAIN
