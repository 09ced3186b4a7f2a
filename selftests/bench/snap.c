// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Snapshots, and what a program does today to have one. */

#include "bench.h"
#include "bsdvm_util.h"

#define CALLS	16
#define SMALL	16UL
#define LARGE	65536UL

static uint32_t snapshot(int fd)
{
	uint32_t id = bsdvm_snapshot(fd);

	if (!id)
		bench_die("snapshot");
	return id;
}

/* The second of two, as in a program that takes one after the other. */
static void run_ours_snapshot(double *figures)
{
	int fd = bench_create(BENCH_PAGES);
	char *p = bench_map(fd, BENCH_PAGES, MAP_SHARED);
	uint64_t start;

	bench_write(p, bench_in_order);
	snapshot(fd);
	bench_write(p, bench_in_order);
	start = bench_now();
	snapshot(fd);
	figures[SNAP_TAKE] = bench_since(start) / BENCH_PAGES;
	figures[SNAP_WRITE] = bench_write(p, bench_in_order);
	figures[SNAP_AGAIN] = bench_write(p, bench_in_order);
	figures[SNAP_BOTH] = figures[SNAP_TAKE] + figures[SNAP_WRITE];
	bench_unmap(p, BENCH_PAGES);
	close(fd);
}

/* What fork costs in a process that hands nothing of @p to its child. */
static double fork_fixed(char *p)
{
	struct bench_child child;

	madvise(p, BENCH_PAGES * PAGE, MADV_DONTFORK);
	child = bench_fork();
	bench_end(child);
	madvise(p, BENCH_PAGES * PAGE, MADV_DOFORK);
	return child.fork;
}

/* The first fork of a region is dearer than the next ones. */
static void run_fork_snapshot(double *figures)
{
	char *p = bench_map(-1, BENCH_PAGES, MAP_PRIVATE | MAP_ANONYMOUS);
	struct bench_child child;

	bench_write(p, bench_in_order);
	bench_end(bench_fork());
	bench_write(p, bench_in_order);
	figures[SNAP_FIXED] = fork_fixed(p);
	child = bench_fork();
	figures[SNAP_TAKE] = (child.fork - figures[SNAP_FIXED]) / BENCH_PAGES;
	figures[SNAP_WRITE] = bench_write(p, bench_in_order);
	figures[SNAP_AGAIN] = bench_write(p, bench_in_order);
	figures[SNAP_BOTH] = figures[SNAP_TAKE] + figures[SNAP_WRITE];
	bench_end(child);
	bench_unmap(p, BENCH_PAGES);
}

/* A file that is the snapshot, and a private mapping that is written. */
static void run_private_snapshot(double *figures)
{
	int fd = bench_memfd();
	char *p = bench_map(fd, BENCH_PAGES, MAP_SHARED);

	bench_write(p, bench_in_order);
	bench_unmap(p, BENCH_PAGES);
	p = bench_map(fd, BENCH_PAGES, MAP_PRIVATE);
	figures[SNAP_WRITE] = bench_write(p, bench_in_order);
	figures[SNAP_AGAIN] = bench_write(p, bench_in_order);
	bench_unmap(p, BENCH_PAGES);
	close(fd);
}

static void touch_all(char *p, size_t npages, bool write)
{
	size_t i;

	for (i = 0; i < npages; i++) {
		if (write)
			*(volatile char *)(p + i * PAGE) = 1;
		else
			(void)*(volatile char *)(p + i * PAGE);
	}
}

static double snapshot_calls(int fd)
{
	uint64_t start = bench_now();
	uint32_t first = 0, last = 0;
	double took;
	int i;

	for (i = 0; i < CALLS; i++) {
		last = snapshot(fd);
		if (!first)
			first = last;
	}
	took = bench_since(start) / CALLS;
	while (first <= last)
		if (bsdvm_drop(fd, first++))
			bench_die("drop");
	return took;
}

/* Everything mapped, to be read; nothing written since the last snapshot. */
static double snapshot_unwritten(int fd, size_t npages)
{
	char *p = bench_map(fd, npages, MAP_SHARED);
	double took;

	snapshot(fd);
	touch_all(p, npages, false);
	took = snapshot_calls(fd);
	bench_unmap(p, npages);
	return took;
}

static int map_filled(size_t npages)
{
	int fd = bench_create(npages);
	char *p = bench_map(fd, npages, MAP_SHARED);

	touch_all(p, npages, true);
	bench_unmap(p, npages);
	return fd;
}

static void run_ours_small(double *figures)
{
	static int fd = -1;

	if (fd < 0)
		fd = map_filled(SMALL);
	figures[SNAP_FIXED] = snapshot_unwritten(fd, SMALL);
}

static void run_ours_large(double *figures)
{
	static int fd = -1;

	if (fd < 0)
		fd = map_filled(LARGE);
	figures[SNAP_FIXED] = snapshot_unwritten(fd, LARGE);
}

static void run_ours_open(double *figures)
{
	int fd = map_filled(SMALL), map[CALLS], i;
	uint32_t id[CALLS];
	uint64_t start;

	for (i = 0; i < CALLS; i++)
		id[i] = snapshot(fd);
	start = bench_now();
	for (i = 0; i < CALLS; i++)
		map[i] = bsdvm_open(fd, id[i]);
	figures[OPEN_OPEN] = bench_since(start) / CALLS;
	start = bench_now();
	for (i = 0; i < CALLS; i++)
		if (close(map[i]))
			bench_die("open");
	figures[OPEN_CLOSE] = bench_since(start) / CALLS;
	start = bench_now();
	for (i = 0; i < CALLS; i++)
		if (bsdvm_drop(fd, id[i]))
			bench_die("drop");
	figures[OPEN_DROP] = bench_since(start) / CALLS;
	close(fd);
}

struct scenario ours_snapshot = { .run = run_ours_snapshot };
struct scenario fork_snapshot = { .run = run_fork_snapshot };
struct scenario private_snapshot = { .run = run_private_snapshot };
struct scenario ours_small = { .run = run_ours_small };
struct scenario ours_large = { .run = run_ours_large };
struct scenario ours_open = { .run = run_ours_open };
