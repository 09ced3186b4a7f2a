// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Pins for a long time and for writing: io_uring's fixed buffers, the packet
 * memory of AF_XDP. Linux decides by kind of memory who may have them; it came
 * to refuse shared mappings whose file wants to know of writes. What comes of
 * that for a map is what comes of it for a disk, which is such a file, too.
 *
 * Loads a RAM disk from /work/brd.ko. Without one, either outcome will do: the
 * memory must be right in both.
 */

#define _GNU_SOURCE
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include <linux/if_xdp.h>
#include <linux/io_uring.h>

#include "bsdvm_util.h"
#include "disk_util.h"
#include "kselftest_harness.h"

#ifndef SOL_XDP
#define SOL_XDP	283
#endif

#define SIZE	(8 * PAGE)
#define ABSENT	1

/* Both return 0, minus errno, or ABSENT without that part of Linux. */
typedef int (*pin_t)(void *p);

static int pin_for_packets(void *p)
{
	struct xdp_umem_reg reg = {
		.addr = (uintptr_t)p,
		.len = SIZE,
		.chunk_size = PAGE,
	};
	int fd = socket(AF_XDP, SOCK_RAW, 0), error;

	if (fd < 0)
		return ABSENT;
	error = setsockopt(fd, SOL_XDP, XDP_UMEM_REG, &reg, sizeof(reg)) ?
		-errno : 0;
	close(fd);
	return error;
}

static int pin_for_io_uring(void *p)
{
	struct io_uring_params params = { };
	struct iovec buffer = { p, SIZE };
	int fd = syscall(SYS_io_uring_setup, 1, &params), error;

	if (fd < 0)
		return ABSENT;
	error = syscall(SYS_io_uring_register, fd, IORING_REGISTER_BUFFERS,
			&buffer, 1) ? -errno : 0;
	close(fd);
	return error;
}

/* What @pin makes of @fd's memory, which is as good as before. */
static int pin_mapping(struct __test_metadata *_metadata, pin_t pin, int fd,
		       int flags)
{
	unsigned char *p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, flags, fd,
				0), c;
	int result;

	ASSERT_NE(p, MAP_FAILED);
	p[0] = 1;
	result = pin(p);
	p[0]++;
	p[SIZE - 1] = 3;
	EXPECT_EQ(p[0], 2);
	ASSERT_EQ(pread(fd, &c, 1, 0), 1);
	EXPECT_EQ(c, flags == MAP_SHARED ? 2 : 0);
	munmap(p, SIZE);
	return result;
}

/* Of Linux's own memory; ABSENT if it is not because of the memory. */
static int pin_memfd(struct __test_metadata *_metadata, pin_t pin)
{
	int fd = memfd_create("pin", 0), result;

	ASSERT_EQ(ftruncate(fd, SIZE), 0);
	result = pin_mapping(_metadata, pin, fd, MAP_SHARED);
	close(fd);
	return result;
}

/* Of a disk; ABSENT without one. */
static int pin_disk(struct __test_metadata *_metadata, pin_t pin)
{
	int fd = disk_open(0), result;

	if (fd < 0)
		return ABSENT;
	result = pin_mapping(_metadata, pin, fd, MAP_SHARED);
	disk_close(fd);
	return result;
}

/* Of a map. */
static int pin_map(struct __test_metadata *_metadata, pin_t pin, int flags)
{
	int fd = bsdvm_create(SIZE), result;

	ASSERT_GE(fd, 0);
	result = pin_mapping(_metadata, pin, fd, flags);
	EXPECT_EQ(bsdvm_check(fd), 0);
	close(fd);
	return result;
}

/* A map is pinned, or refused with @refusal, as a disk is. */
static void as_a_disk(struct __test_metadata *_metadata, pin_t pin, int refusal)
{
	int disk = pin_disk(_metadata, pin);
	int map = pin_map(_metadata, pin, MAP_SHARED);

	if (disk != ABSENT)
		EXPECT_EQ(map, disk);
	EXPECT_TRUE(!map || map == -EFAULT || map == refusal)
		TH_LOG("%d", map);
}

/* By pages alone: as long as Linux lets it, it works. */
TEST(packets)
{
	int memfd = pin_memfd(_metadata, pin_for_packets);

	if (memfd == ABSENT)
		SKIP(return, "no AF_XDP");
	ASSERT_EQ(memfd, 0);
	as_a_disk(_metadata, pin_for_packets, -EFAULT);
	/* A copy of Linux's own is memory like any other. */
	EXPECT_EQ(pin_map(_metadata, pin_for_packets, MAP_PRIVATE), 0);
}

/* Before, io_uring itself looked whose file it is. */
TEST(io_uring)
{
	int memfd = pin_memfd(_metadata, pin_for_io_uring);

	if (memfd == ABSENT)
		SKIP(return, "no io_uring");
	ASSERT_EQ(memfd, 0);
	as_a_disk(_metadata, pin_for_io_uring, -EOPNOTSUPP);
}

TEST_HARNESS_MAIN
