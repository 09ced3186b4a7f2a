// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A fuzzer's loop: bring memory into a state once, then run a target from that
 * state again and again. A reset is to open the snapshot anew: it costs what
 * the target writes, not what the memory holds.
 */

#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/bsdvm.h>

#define SIZE	(16UL << 20)
#define RUNS	1000
#define WRITES	16

/* Slow to make: what a fuzzer does not want to do for each input. */
static void prepare(unsigned int *memory)
{
	size_t i;

	for (i = 0; i < SIZE / sizeof(*memory); i++)
		memory[i] = i;
}

/* The code under test. It finds the prepared state, and spoils it. */
static int target(unsigned int *memory, unsigned int input)
{
	int i;

	for (i = 0; i < WRITES; i++) {
		size_t at = (input * 2654435761U + i * 40503U * 1024) %
			    (SIZE / sizeof(*memory));

		if (memory[at] != at)
			return -1;
		memory[at] = ~input;
	}
	return 0;
}

static int run_once(int fd, unsigned int id, unsigned int input)
{
	struct bsdvm_snapshot_ref ref = { .size = sizeof(ref), .id = id };
	int map = ioctl(fd, BSDVM_IOC_OPEN, &ref), result;
	void *memory;

	if (map < 0)
		err(1, "open snapshot");
	memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, map, 0);
	if (memory == MAP_FAILED)
		err(1, "mmap");
	result = target(memory, input);
	munmap(memory, SIZE);
	close(map);
	return result;
}

int main(void)
{
	struct bsdvm_snapshot_take take = { .size = sizeof(take) };
	int dev = open("/dev/bsdvm", O_RDWR | O_CLOEXEC);
	unsigned int input;
	void *memory;

	if (dev < 0)
		err(1, "/dev/bsdvm");
	memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, dev, 0);
	if (memory == MAP_FAILED)
		err(1, "mmap");
	prepare(memory);
	if (ioctl(dev, BSDVM_IOC_SNAPSHOT, &take))
		err(1, "snapshot");
	for (input = 0; input < RUNS; input++)
		if (run_once(dev, take.id, input))
			errx(1, "run %u did not find the prepared state",
			     input);
	printf("%d runs, each from the same %lu MiB\n", RUNS, SIZE >> 20);
	return 0;
}
