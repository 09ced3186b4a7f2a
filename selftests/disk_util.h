/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * A disk of 1 MiB in memory, for what needs a file of Linux's own that is not
 * memory alone: O_DIRECT, writes that are noted.
 */
#ifndef DISK_UTIL_H
#define DISK_UTIL_H

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Its descriptor, open for reading and writing; -1 without /work/brd.ko. */
static inline int disk_open(int flags)
{
	int module = open("/work/brd.ko", O_RDONLY), disk = -1, i;

	if (module >= 0)
		syscall(SYS_finit_module, module, "rd_nr=1 rd_size=1024", 0);
	close(module);
	for (i = 0; i < 100 && disk < 0; i++) {
		disk = open("/dev/ram0", O_RDWR | flags);
		usleep(10000);
	}
	return disk;
}

/* The disk goes, when nothing of it is mapped or in use. */
static inline void disk_close(int disk)
{
	int i;

	close(disk);
	for (i = 0; i < 100; i++) {
		if (!syscall(SYS_delete_module, "brd", O_NONBLOCK))
			break;
		usleep(10000);
	}
}

#endif /* DISK_UTIL_H */
