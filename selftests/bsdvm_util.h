/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* One wrapper for each request, and helpers that all selftests share. */
#ifndef BSDVM_UTIL_H
#define BSDVM_UTIL_H

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/bsdvm.h>

#define PAGE	4096UL

/*
 * How many times slower than on Debian's own kernels things are expected to be,
 * by SLOWDOWN in the environment. Time limits are as many times longer; what is
 * repeated only for the sake of chance is repeated as many times less.
 */
static inline int bsdvm_slowdown(void)
{
	const char *value = getenv("SLOWDOWN");
	int slowdown = value ? atoi(value) : 1;

	return slowdown > 0 ? slowdown : 1;
}

/*
 * Is there time for as much as is wanted, by LONG in the environment? Races run
 * for a minute then, instead of seconds.
 */
static inline int bsdvm_long(void)
{
	const char *value = getenv("LONG");

	return value && atoi(value);
}

/* How often to do what is done @often only for the sake of chance. */
static inline int bsdvm_repeat(int often)
{
	return often / bsdvm_slowdown();
}

/* The time limits of the harness. */
#define alarm(seconds)	alarm((seconds) * bsdvm_slowdown())

/* The file of a descriptor, opened once more. */
static inline int bsdvm_reopen(int fd, int flags)
{
	char path[32];

	sprintf(path, "/proc/self/fd/%d", fd);
	return open(path, flags);
}

static inline int bsdvm_dev(void)
{
	return open("/dev/bsdvm", O_RDWR | O_CLOEXEC);
}

/* A new map; returns its descriptor. */
static inline int bsdvm_create(uint64_t size)
{
	struct bsdvm_create arg = { .size = sizeof(arg), .map_size = size };
	int dev = bsdvm_dev(), fd;

	if (dev < 0)
		return -1;
	fd = ioctl(dev, BSDVM_IOC_CREATE, &arg);
	close(dev);
	return fd;
}

/* A descriptor of the map that is mapped at @p, by any one of the device's. */
static inline int bsdvm_fd_at(int fd, const void *p)
{
	struct bsdvm_map_fd arg = {
		.size = sizeof(arg),
		.flags = BSDVM_MAP_FD_ADDRESS,
		.addr = (uintptr_t)p,
	};

	return ioctl(fd, BSDVM_IOC_MAP_FD, &arg);
}

/* Returns the snapshot's id, or 0. */
static inline uint32_t bsdvm_snapshot(int fd)
{
	struct bsdvm_snapshot_take arg = { .size = sizeof(arg) };

	return ioctl(fd, BSDVM_IOC_SNAPSHOT, &arg) ? 0 : arg.id;
}

static inline int bsdvm_open(int fd, uint32_t id)
{
	struct bsdvm_snapshot_ref arg = { .size = sizeof(arg), .id = id };

	return ioctl(fd, BSDVM_IOC_OPEN, &arg);
}

static inline int bsdvm_drop(int fd, uint32_t id)
{
	struct bsdvm_snapshot_ref arg = { .size = sizeof(arg), .id = id };

	return ioctl(fd, BSDVM_IOC_DROP, &arg);
}

static inline int bsdvm_shadow(int fd, uint64_t offset, uint64_t length)
{
	struct bsdvm_shadow arg = {
		.size = sizeof(arg),
		.offset = offset,
		.length = length,
	};

	return ioctl(fd, BSDVM_IOC_SHADOW, &arg);
}

static inline int bsdvm_wire(int fd, uint64_t offset, uint64_t length,
			     uint32_t flags)
{
	struct bsdvm_wire arg = {
		.size = sizeof(arg),
		.flags = flags,
		.offset = offset,
		.length = length,
	};

	return ioctl(fd, BSDVM_IOC_WIRE, &arg);
}

static inline int bsdvm_unwire(int fd, uint64_t offset, uint64_t length,
			       uint32_t flags)
{
	struct bsdvm_wire arg = {
		.size = sizeof(arg),
		.flags = flags,
		.offset = offset,
		.length = length,
	};

	return ioctl(fd, BSDVM_IOC_UNWIRE, &arg);
}

static inline int bsdvm_map_info(int fd, struct bsdvm_map_info *info)
{
	memset(info, 0, sizeof(*info));
	info->size = sizeof(*info);
	return ioctl(fd, BSDVM_IOC_MAP_INFO, info);
}

static inline int bsdvm_object_info(int fd, uint64_t offset, uint32_t depth,
				    struct bsdvm_object_info *info)
{
	memset(info, 0, sizeof(*info));
	info->size = sizeof(*info);
	info->offset = offset;
	info->depth = depth;
	return ioctl(fd, BSDVM_IOC_OBJECT_INFO, info);
}

/* The invariant violated, 0 if all hold, -1 if the request failed. */
static inline int bsdvm_check(int fd)
{
	struct bsdvm_check arg = { .size = sizeof(arg) };

	return ioctl(fd, BSDVM_IOC_CHECK, &arg) ? -1 : (int)arg.violated;
}

static inline void *bsdvm_mmap(int fd, size_t length)
{
	return mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
}

/* The value of a line of /sys/kernel/debug/bsdvm/stats; -1 without it. */
static inline long bsdvm_stat(const char *name)
{
	char line[128], key[64];
	long value, found = -1;
	FILE *f = fopen("/sys/kernel/debug/bsdvm/stats", "r");

	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "%63s %ld", key, &value) == 2 &&
		    !strcmp(key, name))
			found = value;
	fclose(f);
	return found;
}

#endif /* BSDVM_UTIL_H */
