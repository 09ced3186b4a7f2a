// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Is a snapshot O(1)? Its cost for a map of 65,536 resident pages, none or one
 * of them written since the last snapshot, beside that for a map of 16.
 *
 * usage: order_bench [--icount]
 *
 * With --icount, where the clock counts instructions, a ratio above 1.1 of the
 * first is a failure.
 */

#define _GNU_SOURCE
#include <stdbool.h>
#include <time.h>

#include "bsdvm_util.h"

#define SMALL	16UL
#define LARGE	65536UL
#define ROUNDS	51

static const double bar = 1.1;

static long now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_RAW, &ts);
	return ts.tv_sec * 1000000000L + ts.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	const long x = *(const long *)a, y = *(const long *)b;

	return (x > y) - (x < y);
}

static long median(long *values, size_t n)
{
	qsort(values, n, sizeof(*values), compare);
	return values[n / 2];
}

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

struct map {
	int fd;
	unsigned char *p;
	long cost[ROUNDS];
};

/* A map of resident pages that somebody wrote, before its first snapshot. */
static void make(struct map *map, size_t npages)
{
	size_t i;

	map->fd = bsdvm_create(npages * PAGE);
	if (map->fd < 0)
		fail("create");
	map->p = bsdvm_mmap(map->fd, npages * PAGE);
	if (map->p == MAP_FAILED)
		fail("mmap");
	for (i = 0; i < npages; i++)
		map->p[i * PAGE] = 1;
	if (!bsdvm_snapshot(map->fd))
		fail("snapshot");
}

static long measure(struct map *map, bool write)
{
	uint32_t id;
	long start;

	if (write)
		map->p[0]++;
	start = now();
	id = bsdvm_snapshot(map->fd);
	start = now() - start;
	if (!id || bsdvm_drop(map->fd, id))
		fail("snapshot");
	return start;
}

/* In turns, so that what changes over time changes for both. */
static double ratio(struct map *small, struct map *large, bool write)
{
	long a, b;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		small->cost[i] = measure(small, write);
		large->cost[i] = measure(large, write);
	}
	a = median(small->cost, ROUNDS);
	b = median(large->cost, ROUNDS);
	printf("snapshot, %s written: ", write ? "1 page" : "nothing");
	printf("%lu pages %ld, %lu pages %ld, ratio %.3f\n", SMALL, a, LARGE, b,
	       (double)b / a);
	return (double)b / a;
}

int main(int argc, char **argv)
{
	const bool icount = argc > 1 && !strcmp(argv[1], "--icount");
	struct map small, large;
	bool good;

	make(&small, SMALL);
	make(&large, LARGE);
	good = ratio(&small, &large, false) <= bar;
	good &= ratio(&small, &large, true) <= bar;
	if (!good)
		printf("more than %.1f\n", bar);
	return icount && !good;
}
