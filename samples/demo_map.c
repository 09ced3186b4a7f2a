// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Requests to /dev/bsdvm. */

#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "demo.h"

int demo_device(void)
{
	int dev = open("/dev/bsdvm", O_RDWR | O_CLOEXEC);

	if (dev < 0)
		err(1, "/dev/bsdvm");
	return dev;
}

void *demo_map(int fd, size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		err(1, "mmap");
	return p;
}

int demo_map_fd(int dev)
{
	struct bsdvm_map_fd arg = { .size = sizeof(arg) };
	int fd = ioctl(dev, BSDVM_IOC_MAP_FD, &arg);

	if (fd < 0)
		err(1, "BSDVM_IOC_MAP_FD");
	return fd;
}

uint32_t demo_snapshot(int fd)
{
	struct bsdvm_snapshot_take arg = { .size = sizeof(arg) };

	if (ioctl(fd, BSDVM_IOC_SNAPSHOT, &arg))
		err(1, "BSDVM_IOC_SNAPSHOT");
	return arg.id;
}

int demo_open(int fd, uint32_t id)
{
	struct bsdvm_snapshot_ref arg = { .size = sizeof(arg), .id = id };
	int map = ioctl(fd, BSDVM_IOC_OPEN, &arg);

	if (map < 0)
		err(1, "BSDVM_IOC_OPEN of snapshot %u", id);
	return map;
}

void demo_drop(int fd, uint32_t id)
{
	struct bsdvm_snapshot_ref arg = { .size = sizeof(arg), .id = id };

	if (ioctl(fd, BSDVM_IOC_DROP, &arg))
		err(1, "BSDVM_IOC_DROP of snapshot %u", id);
}

void demo_check(int fd)
{
	struct bsdvm_check arg = { .size = sizeof(arg) };

	if (ioctl(fd, BSDVM_IOC_CHECK, &arg))
		err(1, "BSDVM_IOC_CHECK");
	if (arg.violated)
		errx(1, "invariant %u is violated", arg.violated);
}

/* A line of the module's statistics. */
long demo_counter(const char *name)
{
	FILE *f = fopen("/sys/kernel/debug/bsdvm/stats", "r");
	char line[128], key[64];
	long value, found = -1;

	if (!f)
		err(1, "/sys/kernel/debug/bsdvm/stats");
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "%63s %ld", key, &value) == 2 &&
		    !strcmp(key, name))
			found = value;
	fclose(f);
	if (found < 0)
		errx(1, "no counter %s", name);
	return found;
}
