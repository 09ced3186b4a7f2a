// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Random decisions, repeatable: one stream for each thread. */

#include "torture.h"

/* SplitMix64. */
uint64_t random_next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

unsigned int random_below(struct thread *t, unsigned int limit)
{
	return random_next(&t->random) % limit;
}

/* A stretch of pages, short ones more often than long ones. */
void random_range(struct thread *t, unsigned int npages, unsigned int *first,
		  unsigned int *last)
{
	unsigned int length = 1 + random_below(t, 1 + random_below(t, npages));

	*first = random_below(t, npages - length + 1);
	*last = *first + length - 1;
}
