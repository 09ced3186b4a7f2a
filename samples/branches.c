// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A search: processes try what may follow from one state, each in a branch of
 * its own; the best branch is snapshotted and becomes the state to go on from.
 */

#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/bsdvm.h>

#define SIZE		(1UL << 20)
#define BRANCHES	4
#define GENERATIONS	8

/* The state: how good it is, and the choices that led to it. */
struct state {
	unsigned long score;
	unsigned long choices;
	unsigned char choice[SIZE - 2 * sizeof(long)];
};

static struct state *attach(int fd)
{
	void *p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		err(1, "mmap");
	return p;
}

/* In a process of its own: one more choice, and what it is worth. */
static _Noreturn void try_choice(int fd, unsigned int choice)
{
	struct state *state = attach(fd);

	state->choice[state->choices++] = choice;
	state->score += (choice * 7 + state->choices * 3) % 11;
	_exit(0);
}

static int start_branch(int fd, unsigned int id, unsigned int choice)
{
	struct bsdvm_snapshot_ref ref = { .size = sizeof(ref), .id = id };
	int branch = ioctl(fd, BSDVM_IOC_OPEN, &ref);

	if (branch < 0)
		err(1, "open snapshot");
	switch (fork()) {
	case -1:
		err(1, "fork");
	case 0:
		try_choice(branch, choice);
	}
	return branch;
}

static unsigned long score_of(int fd)
{
	unsigned long score;

	if (pread(fd, &score, sizeof(score), 0) != sizeof(score))
		err(1, "pread");
	return score;
}

/* Replaces @fd by the best of its branches. */
static int generation(int fd)
{
	struct bsdvm_snapshot_take take = { .size = sizeof(take) };
	int branch[BRANCHES], i, best = 0;

	if (ioctl(fd, BSDVM_IOC_SNAPSHOT, &take))
		err(1, "snapshot");
	for (i = 0; i < BRANCHES; i++)
		branch[i] = start_branch(fd, take.id, i);
	while (wait(NULL) > 0)
		;
	for (i = 1; i < BRANCHES; i++)
		if (score_of(branch[i]) > score_of(branch[best]))
			best = i;
	for (i = 0; i < BRANCHES; i++)
		if (i != best)
			close(branch[i]);
	close(fd);
	return branch[best];
}

/* The same search without branches: the best choice is known at once. */
static unsigned long expected(void)
{
	unsigned long score = 0, best, n, choice;

	for (n = 1; n <= GENERATIONS; n++) {
		for (best = 0, choice = 0; choice < BRANCHES; choice++)
			if ((choice * 7 + n * 3) % 11 > best)
				best = (choice * 7 + n * 3) % 11;
		score += best;
	}
	return score;
}

int main(void)
{
	struct bsdvm_create create = { .size = sizeof(create),
				       .map_size = SIZE };
	int dev = open("/dev/bsdvm", O_RDWR | O_CLOEXEC), fd, i;
	struct state *state;

	fd = ioctl(dev, BSDVM_IOC_CREATE, &create);
	if (fd < 0)
		err(1, "/dev/bsdvm");
	for (i = 0; i < GENERATIONS; i++)
		fd = generation(fd);
	state = attach(fd);
	if (state->choices != GENERATIONS || state->score != expected())
		errx(1, "%lu choices, score %lu instead of %lu",
		     state->choices, state->score, expected());
	printf("%d generations of %d branches, best score %lu:", GENERATIONS,
	       BRANCHES, state->score);
	for (i = 0; i < GENERATIONS; i++)
		printf(" %d", state->choice[i]);
	putchar('\n');
	return 0;
}
