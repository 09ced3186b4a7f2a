// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A fuzzer's loop: bring memory into a state once, then run a target from that
 * state again and again. A reset is to open the snapshot anew: it costs what
 * the target writes, not what the memory holds.
 *
 * usage: reset_loop [RUNS]
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

/* 1000 runs, or as many as the program was asked for. */
static unsigned int runs_wanted(int argc, char **argv)
{
	char *end;
	unsigned long runs;

	if (argc < 2)
		return RUNS;
	runs = strtoul(argv[1], &end, 10);
	if (argc > 2 || *end || end == argv[1] || runs > 1000000)
		errx(2, "usage: reset_loop [RUNS]");
	return runs;
}

int main(int argc, char **argv)
{
	unsigned int input, runs = runs_wanted(argc, argv);
	struct bsdvm_snapshot_take take = { .size = sizeof(take) };
	int dev = open("/dev/bsdvm", O_RDWR | O_CLOEXEC);
	void *memory;

	if (dev < 0)
		err(1, "/dev/bsdvm");
	memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, dev, 0);
	if (memory == MAP_FAILED)
		err(1, "mmap");
	prepare(memory);
	if (ioctl(dev, BSDVM_IOC_SNAPSHOT, &take))
		err(1, "snapshot");
	for (input = 0; input < runs; input++)
		if (run_once(dev, take.id, input))
			errx(1, "run %u did not find the prepared state",
			     input);
	printf("%u runs, each from the same %lu MiB\n", runs, SIZE >> 20);
	return 0;
}
