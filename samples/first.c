// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Write, snapshot, write, and look back. */
#include <stdio.h>
#include <string.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/bsdvm.h>

int main(void)
{
	struct bsdvm_snapshot_take take = { .size = sizeof(take) };
	struct bsdvm_snapshot_ref ref = { .size = sizeof(ref) };
	int dev = open("/dev/bsdvm", O_RDWR), old;
	char *now = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED, dev, 0);
	char was[16];

	strcpy(now, "before");
	ioctl(dev, BSDVM_IOC_SNAPSHOT, &take);
	strcpy(now, "after");
	ref.id = take.id;
	old = ioctl(dev, BSDVM_IOC_OPEN, &ref);
	pread(old, was, sizeof(was), 0);
	printf("%s, then %s\n", was, now);	/* before, then after */
}
