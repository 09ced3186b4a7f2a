// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Time: nanoseconds, or under QEMU's -icount instructions, one each. */

#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "bsdvm_util.h"

#define SPIN_LOOPS	1000000UL
#define SPIN_INSTRUCTIONS	(2 * SPIN_LOOPS)
#define IDLE_SPINS	20
#define IDLE_TRIES	60

uint64_t bench_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_RAW, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/* What reading the clock costs by itself, at best. */
static double clock_overhead(void)
{
	uint64_t start, took, best = UINT64_MAX;
	int i;

	for (i = 0; i < 100; i++) {
		start = bench_now();
		took = bench_now() - start;
		if (took < best)
			best = took;
	}
	return best;
}

double bench_since(uint64_t start)
{
	uint64_t end = bench_now();
	static double overhead = -1;

	if (overhead < 0)
		overhead = clock_overhead();
	return end - start - overhead;
}

/* Write one byte of each page; returns the time per page. */
double bench_write(char *p, const unsigned int *order)
{
	uint64_t start = bench_now();
	size_t i;

	for (i = 0; i < BENCH_PAGES; i++)
		*(volatile char *)(p + order[i] * PAGE) = 1;
	return bench_since(start) / BENCH_PAGES;
}

double bench_read(const char *p, const unsigned int *order)
{
	uint64_t start = bench_now();
	size_t i;

	for (i = 0; i < BENCH_PAGES; i++)
		(void)*(volatile const char *)(p + order[i] * PAGE);
	return bench_since(start) / BENCH_PAGES;
}

static double spin(void)
{
	unsigned long n = SPIN_LOOPS;
	uint64_t start = bench_now();

	__asm__ volatile("1: dec %0\n\tjnz 1b" : "+r"(n) : : "cc");
	return bench_since(start);
}

/* A loop of two instructions tells, but for what interrupts it. */
bool bench_clock_counts_instructions(void)
{
	double best = spin();
	int i;

	for (i = 0; i < 10; i++) {
		double took = spin();

		if (took < best)
			best = took;
	}
	return best > 0.999 * SPIN_INSTRUCTIONS &&
	       best < 1.01 * SPIN_INSTRUCTIONS;
}

/* Does somebody else run, in the time of some loops? */
static bool idle_now(void)
{
	double sum = 0, best = 0;
	int i;

	for (i = 0; i < IDLE_SPINS; i++) {
		double took = spin();

		sum += took;
		if (!best || took < best)
			best = took;
	}
	return sum < 1.02 * best * IDLE_SPINS;
}

/* A newer kernel is busy with itself in its first seconds. */
void bench_wait_idle(void)
{
	int quiet = 0, i;

	sleep(2);
	for (i = 0; i < IDLE_TRIES && quiet < 3; i++) {
		quiet = idle_now() ? quiet + 1 : 0;
		usleep(100000);
	}
	if (quiet < 3)
		fprintf(stderr, "bench: the machine is not idle\n");
}
