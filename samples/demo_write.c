// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Writes at random places, of random lengths: the same for the same seed. */

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "demo.h"

static uint64_t next(uint64_t *state)
{
	uint64_t x = *state;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	*state = x;
	return x;
}

/* Most writes are short; some cross one page boundary or two. */
static void write_once(char *p, size_t size, uint64_t *state)
{
	size_t longest = next(state) % 4 ? 64 : DEMO_LONGEST;
	size_t length = 1 + next(state) % longest;
	size_t offset = next(state) % (size - length), i;
	uint64_t pattern = next(state);

	for (i = 0; i < length; i++)
		p[offset + i] = (char)(pattern >> (i % 8 * 8)) + i / 8;
}

void demo_write(char *p, size_t size, uint64_t seed)
{
	uint64_t state = seed * 0x9e3779b97f4a7c15 + 1;
	int i;

	for (i = 0; i < DEMO_WRITES; i++)
		write_once(p, size, &state);
}

/* Maps for itself, says so, waits for the others, writes. */
static _Noreturn void writer(int fd, size_t size, uint64_t seed, int ready,
			     int go)
{
	char *p = demo_map(fd, size), byte;

	if (write(ready, "", 1) != 1 || read(go, &byte, 1) != 0)
		err(1, "writer");
	demo_write(p, size, seed);
	munmap(p, size);
	_exit(0);
}

static void await_all(int n)
{
	int status;

	while (n--)
		if (wait(&status) < 0 || status)
			errx(1, "a writer failed");
}

/* A process for each map, all at the same time; the seeds count up. */
void demo_write_together(const struct demo_state *states, int n, size_t size,
			 uint64_t seed)
{
	int ready[2], go[2], i;
	char byte;

	if (pipe(ready) || pipe(go))
		err(1, "pipe");
	fflush(stdout);
	for (i = 0; i < n; i++) {
		pid_t pid = fork();

		if (pid < 0)
			err(1, "fork");
		if (!pid) {
			close(go[1]);
			writer(states[i].fd, size, seed + i, ready[1], go[0]);
		}
	}
	for (i = 0; i < n; i++)
		if (read(ready[0], &byte, 1) != 1)
			err(1, "pipe");
	/* The end of file on the pipe is the starting shot. */
	close(go[1]);
	await_all(n);
	close(go[0]);
	close(ready[0]);
	close(ready[1]);
}
