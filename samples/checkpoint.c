// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Time travel: keep the last checkpoints of a running computation in a ring,
 * then go back through them. Each costs what was written since the one before.
 */

#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/bsdvm.h>

#define SIZE	(4UL << 20)
#define STEPS	100
#define RING	16

/* The computation: a sum, and cells that change as it goes on. */
struct state {
	unsigned long step;
	unsigned long sum;
	unsigned long cell[SIZE / sizeof(long) - 2];
};

static void advance(struct state *state)
{
	size_t i = ++state->step * 7919 % (sizeof(state->cell) / sizeof(long));

	state->cell[i] = state->step * state->step;
	state->sum += state->cell[i];
}

static unsigned int checkpoint(int fd)
{
	struct bsdvm_snapshot_take take = { .size = sizeof(take) };

	if (ioctl(fd, BSDVM_IOC_SNAPSHOT, &take))
		err(1, "snapshot");
	return take.id;
}

static void forget(int fd, unsigned int id)
{
	struct bsdvm_snapshot_ref ref = { .size = sizeof(ref), .id = id };

	if (id && ioctl(fd, BSDVM_IOC_DROP, &ref))
		err(1, "drop");
}

/* Was the sum at that step what it must have been? */
static void look_back(int fd, unsigned int id, unsigned long step)
{
	struct bsdvm_snapshot_ref ref = { .size = sizeof(ref), .id = id };
	int map = ioctl(fd, BSDVM_IOC_OPEN, &ref);
	unsigned long was[2];

	if (map < 0 || pread(map, was, sizeof(was), 0) != sizeof(was))
		err(1, "open checkpoint");
	if (was[0] != step || was[1] != step * (step + 1) * (2 * step + 1) / 6)
		errx(1, "step %lu: found step %lu, sum %lu", step, was[0],
		     was[1]);
	close(map);
}

int main(void)
{
	int dev = open("/dev/bsdvm", O_RDWR | O_CLOEXEC);
	unsigned int ring[RING] = { 0 };
	struct state *state;
	unsigned long step;

	if (dev < 0)
		err(1, "/dev/bsdvm");
	state = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, dev, 0);
	if (state == MAP_FAILED)
		err(1, "mmap");
	for (step = 1; step <= STEPS; step++) {
		advance(state);
		forget(dev, ring[step % RING]);
		ring[step % RING] = checkpoint(dev);
	}
	for (step = STEPS; step > STEPS - RING; step--)
		look_back(dev, ring[step % RING], step);
	printf("%d steps, then back through the last %d checkpoints\n", STEPS,
	       RING);
	return 0;
}
