// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Pins for a long time and for writing: io_uring's fixed buffers, the packet
 * memory of AF_XDP. Linux decides by kind of memory who may have them; from
 * 6.5 on, nobody on a shared mapping whose file wants to know of writes. What
 * comes of that for a map is what README.md says.
 */

#define _GNU_SOURCE
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/utsname.h>

#include <linux/if_xdp.h>
#include <linux/io_uring.h>

#include "bsdvm_util.h"
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

/* From 6.5 on, memory whose writes are noted is refused. */
static bool writes_must_be_noted(void)
{
	struct utsname name;
	int major, minor;

	if (uname(&name) || sscanf(name.release, "%d.%d", &major, &minor) != 2)
		return true;
	return major > 6 || (major == 6 && minor >= 5);
}

/* What @pin makes of @fd's memory, after which it can still be used. */
static int pin_mapping(struct __test_metadata *_metadata, pin_t pin, int fd,
		       int flags)
{
	unsigned char *p;
	int result;

	ASSERT_GE(fd, 0);
	ASSERT_EQ(ftruncate(fd, SIZE), 0);
	p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, flags, fd, 0);
	ASSERT_NE(p, MAP_FAILED);
	p[0] = 1;
	result = pin(p);
	p[0]++;
	p[SIZE - 1] = 3;
	EXPECT_EQ(p[0], 2);
	munmap(p, SIZE);
	close(fd);
	return result;
}

static int pin_memfd(struct __test_metadata *_metadata, pin_t pin)
{
	return pin_mapping(_metadata, pin, memfd_create("pin", 0), MAP_SHARED);
}

static int pin_map(struct __test_metadata *_metadata, pin_t pin, int flags)
{
	return pin_mapping(_metadata, pin, bsdvm_create(SIZE), flags);
}

/* By pages alone: as long as Linux lets it, it works. */
TEST(packets)
{
	int expected = writes_must_be_noted() ? -EFAULT : 0;
	int memfd = pin_memfd(_metadata, pin_for_packets);

	if (memfd == ABSENT)
		SKIP(return, "no AF_XDP");
	ASSERT_EQ(memfd, 0);
	EXPECT_EQ(pin_map(_metadata, pin_for_packets, MAP_SHARED), expected);
	/* A copy of Linux's own is memory like any other. */
	EXPECT_EQ(pin_map(_metadata, pin_for_packets, MAP_PRIVATE), 0);
}

/* Before, io_uring itself looked whose file it is. */
TEST(io_uring)
{
	int expected = writes_must_be_noted() ? -EFAULT : -EOPNOTSUPP;
	int memfd = pin_memfd(_metadata, pin_for_io_uring);

	if (memfd == ABSENT)
		SKIP(return, "no io_uring");
	ASSERT_EQ(memfd, 0);
	EXPECT_EQ(pin_map(_metadata, pin_for_io_uring, MAP_SHARED), expected);
}

TEST_HARNESS_MAIN
