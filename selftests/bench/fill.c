// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Memory touched for the first time, and memory that is there already. */

#include "bench.h"
#include "bsdvm_util.h"

#define ANONYMOUS	(MAP_PRIVATE | MAP_ANONYMOUS)

/* Write, write again, unmap; takes the descriptor over. */
static void fill(int fd, int flags, const unsigned int *order, double *figures)
{
	char *p = bench_map(fd, BENCH_PAGES, flags);
	uint64_t start;

	figures[FILL_WRITE] = bench_write(p, order);
	figures[FILL_AGAIN] = bench_write(p, order);
	if (fd >= 0)
		close(fd);
	start = bench_now();
	bench_unmap(p, BENCH_PAGES);
	figures[FILL_UNMAP] = bench_since(start) / BENCH_PAGES;
}

static void run_ours_fill(double *figures)
{
	bench_fast_fault(false);
	fill(bench_create(BENCH_PAGES), MAP_SHARED, bench_in_order, figures);
	bench_fast_fault(true);
}

static void run_anon_fill(double *figures)
{
	fill(-1, ANONYMOUS, bench_in_order, figures);
}

static void run_memfd_fill(double *figures)
{
	fill(bench_memfd(), MAP_SHARED, bench_in_order, figures);
}

static void run_ours_random(double *figures)
{
	fill(bench_create(BENCH_PAGES), MAP_SHARED, bench_random, figures);
}

static void run_anon_random(double *figures)
{
	fill(-1, ANONYMOUS, bench_random, figures);
}

static void run_memfd_random(double *figures)
{
	fill(bench_memfd(), MAP_SHARED, bench_random, figures);
}

static void run_ours_prefault(double *figures)
{
	fill(bench_create(BENCH_PAGES), MAP_SHARED, bench_in_order, figures);
}

/* A ceiling: we do not use huge pages. */
static void run_huge_fill(double *figures)
{
	char *p = bench_map(-1, BENCH_PAGES, ANONYMOUS);

	madvise(p, BENCH_PAGES * PAGE, MADV_HUGEPAGE);
	figures[FILL_WRITE] = bench_write(p, bench_in_order);
	bench_unmap(p, BENCH_PAGES);
}

static double reread(int fd, const unsigned int *order)
{
	char *p = bench_map(fd, BENCH_PAGES, MAP_SHARED);
	double took = bench_read(p, order);

	bench_unmap(p, BENCH_PAGES);
	return took;
}

static double rewrite(int fd)
{
	char *p = bench_map(fd, BENCH_PAGES, MAP_SHARED);
	double took = bench_write(p, bench_in_order);

	bench_unmap(p, BENCH_PAGES);
	return took;
}

/* Pages that are there, in mappings that are new. */
static void refault(int fd, double *figures)
{
	rewrite(fd);
	figures[READ_IN_ORDER] = reread(fd, bench_in_order);
	figures[READ_RANDOM] = reread(fd, bench_random);
	figures[READ_THEN_WRITE] = rewrite(fd);
	close(fd);
}

static void run_ours_read(double *figures)
{
	refault(bench_create(BENCH_PAGES), figures);
}

static void run_memfd_read(double *figures)
{
	refault(bench_memfd(), figures);
}

struct scenario ours_fill = { .run = run_ours_fill };
struct scenario anon_fill = { .run = run_anon_fill };
struct scenario memfd_fill = { .run = run_memfd_fill };
struct scenario ours_random = { .run = run_ours_random };
struct scenario anon_random = { .run = run_anon_random };
struct scenario memfd_random = { .run = run_memfd_random };
struct scenario ours_prefault = { .run = run_ours_prefault };
struct scenario huge_fill = { .run = run_huge_fill };
struct scenario ours_read = { .run = run_ours_read };
struct scenario memfd_read = { .run = run_memfd_read };
