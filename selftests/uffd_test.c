// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * userfaultfd on a map. Where Linux allows asynchronous write protection on
 * any memory, it works, and tells what was written since it was armed; the
 * other modes are open to Linux's own memory only. Linux 6.1 has none of it.
 */

#define _GNU_SOURCE
#include <sys/syscall.h>

#include <linux/userfaultfd.h>

#include "process_util.h"
#include "kselftest_harness.h"

/* Newer than the headers this is built with. */
#ifndef UFFD_FEATURE_WP_UNPOPULATED
#define UFFD_FEATURE_WP_UNPOPULATED	(1 << 13)
#endif
#ifndef UFFD_FEATURE_WP_ASYNC
#define UFFD_FEATURE_WP_ASYNC		(1 << 15)
#endif

struct scan_region {
	uint64_t start, end, categories;
};

struct scan {
	uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
	uint64_t category_inverted, category_mask, category_anyof_mask;
	uint64_t return_mask;
};

#define SCAN		_IOWR('f', 16, struct scan)
#define SCAN_WRITTEN	(1 << 1)
#define SCAN_PROTECT	(1 << 0)	/* what matches, anew */

#define NPAGES	32UL
#define SIZE	(NPAGES * PAGE)
#define FIRST	0x10

FIXTURE(uffd) {
	int fd;
	int uffd;
	int pagemap;
	unsigned char *p;
};

/* A descriptor with these features, or -1. */
static int uffd_open(uint64_t features)
{
	struct uffdio_api api = { .api = UFFD_API, .features = features };
	int uffd = syscall(SYS_userfaultfd, O_CLOEXEC);

	if (uffd >= 0 && ioctl(uffd, UFFDIO_API, &api)) {
		close(uffd);
		uffd = -1;
	}
	return uffd;
}

/* 0 or minus errno. */
static int uffd_register(int uffd, void *p, uint64_t mode)
{
	struct uffdio_register arg = {
		.range = { .start = (uintptr_t)p, .len = SIZE },
		.mode = mode,
	};

	return ioctl(uffd, UFFDIO_REGISTER, &arg) ? -errno : 0;
}

static int uffd_protect(int uffd, void *p)
{
	struct uffdio_writeprotect arg = {
		.range = { .start = (uintptr_t)p, .len = SIZE },
		.mode = UFFDIO_WRITEPROTECT_MODE_WP,
	};

	return ioctl(uffd, UFFDIO_WRITEPROTECT, &arg) ? -errno : 0;
}

/* The pages written, a bit for each; all bits set if it cannot be known. */
static uint64_t uffd_written(int pagemap, unsigned char *p, uint64_t flags)
{
	struct scan_region region[NPAGES];
	struct scan scan = {
		.size = sizeof(scan),
		.flags = flags,
		.start = (uintptr_t)p,
		.end = (uintptr_t)p + SIZE,
		.vec = (uintptr_t)region,
		.vec_len = NPAGES,
		.category_mask = SCAN_WRITTEN,
		.return_mask = SCAN_WRITTEN,
	};
	int n = ioctl(pagemap, SCAN, &scan), i;
	uint64_t written = 0, at;

	if (n < 0)
		return -1;
	for (i = 0; i < n; i++)
		for (at = region[i].start; at < region[i].end; at += PAGE)
			written |= 1ULL << ((at - (uintptr_t)p) / PAGE);
	return written;
}

#define BIT(n)	(1ULL << (n))

FIXTURE_SETUP(uffd)
{
	self->fd = bsdvm_create(SIZE);
	ASSERT_GE(self->fd, 0);
	self->p = bsdvm_mmap(self->fd, SIZE);
	ASSERT_NE(self->p, MAP_FAILED);
	self->pagemap = open("/proc/self/pagemap", O_RDONLY);
	ASSERT_GE(self->pagemap, 0);
	self->uffd = uffd_open(UFFD_FEATURE_WP_ASYNC |
			       UFFD_FEATURE_WP_UNPOPULATED);
}

FIXTURE_TEARDOWN(uffd)
{
	EXPECT_EQ(bsdvm_check(self->fd), 0);
	munmap(self->p, SIZE);
	close(self->pagemap);
	close(self->uffd);
	close(self->fd);
}

/* Armed over mapped pages, mapped holes and what was never touched. */
static void arm(struct __test_metadata *_metadata, FIXTURE_DATA(uffd) *self)
{
	fill_pages(self->p, NPAGES / 2, FIRST);
	ASSERT_EQ(uffd_register(self->uffd, self->p, UFFDIO_REGISTER_MODE_WP),
		  0);
	ASSERT_EQ(uffd_protect(self->uffd, self->p), 0);
	ASSERT_EQ(uffd_written(self->pagemap, self->p, 0), 0);
}

/* Modes that somebody has to answer are refused, on every kernel. */
TEST_F(uffd, modes_of_others)
{
	static const uint64_t modes[] = {
		UFFDIO_REGISTER_MODE_MISSING,
		UFFDIO_REGISTER_MODE_MINOR,
		UFFDIO_REGISTER_MODE_WP,
		UFFDIO_REGISTER_MODE_MISSING | UFFDIO_REGISTER_MODE_WP,
	};
	int uffd = uffd_open(0);
	size_t i;

	if (uffd < 0)
		SKIP(return, "no userfaultfd");
	for (i = 0; i < ARRAY_SIZE(modes); i++)
		EXPECT_EQ(uffd_register(uffd, self->p, modes[i]), -EINVAL);
	close(uffd);
	/* Nothing has changed. */
	self->p[0] = 1;
	EXPECT_EQ(byte_at(self->fd, 0), 1);
}

/* What is written is reported, and nothing beside it: no neighbour either. */
TEST_F(uffd, written_pages)
{
	if (self->uffd < 0)
		SKIP(return, "no asynchronous write protection");
	arm(_metadata, self);
	/* A page that is there, and a hole; and the same again for reading. */
	self->p[3 * PAGE] = 1;
	self->p[20 * PAGE] = 2;
	EXPECT_EQ(self->p[5 * PAGE], FIRST + 5);
	EXPECT_EQ(self->p[25 * PAGE], 0);
	EXPECT_EQ(uffd_written(self->pagemap, self->p, 0), BIT(3) | BIT(20));
	/* One after the other, as who fills memory does. */
	self->p[21 * PAGE] = 2;
	self->p[22 * PAGE] = 2;
	EXPECT_EQ(uffd_written(self->pagemap, self->p, SCAN_PROTECT),
		  BIT(3) | BIT(20) | BIT(21) | BIT(22));
	EXPECT_EQ(uffd_written(self->pagemap, self->p, 0), 0);
	self->p[3 * PAGE] = 4;
	EXPECT_EQ(uffd_written(self->pagemap, self->p, 0), BIT(3));
	EXPECT_EQ(byte_at(self->fd, 3 * PAGE), 4);
	EXPECT_EQ(byte_at(self->fd, 22 * PAGE), 2);
	EXPECT_EQ(byte_at(self->fd, 23 * PAGE), 0);
}

/*
 * A snapshot removes the mappings of what was written. It goes on being
 * reported, as long as nothing else is asked for with it, and what is written
 * afterwards as well.
 */
TEST_F(uffd, across_a_snapshot)
{
	uint32_t id;

	if (self->uffd < 0)
		SKIP(return, "no asynchronous write protection");
	arm(_metadata, self);
	self->p[3 * PAGE] = 1;
	id = bsdvm_snapshot(self->fd);
	ASSERT_NE(id, 0);
	EXPECT_EQ(self->p[4 * PAGE], FIRST + 4);
	EXPECT_EQ(uffd_written(self->pagemap, self->p, 0), BIT(3));
	self->p[5 * PAGE] = 2;
	self->p[17 * PAGE] = 3;
	EXPECT_EQ(uffd_written(self->pagemap, self->p, SCAN_PROTECT),
		  BIT(3) | BIT(5) | BIT(17));
	EXPECT_EQ(uffd_written(self->pagemap, self->p, 0), 0);
	self->p[3 * PAGE] = 4;
	EXPECT_EQ(uffd_written(self->pagemap, self->p, 0), BIT(3));
	EXPECT_EQ(byte_at(self->fd, 3 * PAGE), 4);
	EXPECT_EQ(byte_at(self->fd, 5 * PAGE), 2);
	EXPECT_TRUE(snapshot_holds(self->fd, id, 3, FIRST));
}

TEST_HARNESS_MAIN
