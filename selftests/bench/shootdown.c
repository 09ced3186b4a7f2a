// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * TLB shootdowns: what one CPU cannot show. Another thread of the process runs
 * meanwhile, so that each flush must interrupt its CPU.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <sys/sysinfo.h>

#include "bench.h"
#include "bsdvm_util.h"

static atomic_bool spinning, stop;

static void *spin(void *unused)
{
	atomic_store(&spinning, true);
	while (!atomic_load(&stop))
		;
	return NULL;
}

/* The TLB line of /proc/interrupts, over all CPUs. */
static long shootdowns(void)
{
	FILE *f = fopen("/proc/interrupts", "r");
	long sum = 0, value;
	char line[4096];
	char *at;
	int used;

	if (!f)
		bench_die("/proc/interrupts");
	while (fgets(line, sizeof(line), f)) {
		at = strstr(line, "TLB:");
		if (!at)
			continue;
		for (at += 4; sscanf(at, "%ld%n", &value, &used) == 1;
		     at += used)
			sum += value;
	}
	fclose(f);
	return sum;
}

struct counts {
	long take;
	long write;
};

static struct counts count_ours(void)
{
	int fd = bench_create(BENCH_PAGES);
	char *p = bench_map(fd, BENCH_PAGES, MAP_SHARED);
	struct counts counts;
	long before;

	bench_write(p, bench_in_order);
	before = shootdowns();
	if (!bsdvm_snapshot(fd))
		bench_die("snapshot");
	counts.take = shootdowns() - before;
	bench_write(p, bench_in_order);
	counts.write = shootdowns() - before - counts.take;
	bench_unmap(p, BENCH_PAGES);
	close(fd);
	return counts;
}

static struct counts count_fork(void)
{
	char *p = bench_map(-1, BENCH_PAGES, MAP_PRIVATE | MAP_ANONYMOUS);
	struct bench_child child;
	struct counts counts;
	long before;

	bench_write(p, bench_in_order);
	before = shootdowns();
	child = bench_fork();
	counts.take = shootdowns() - before;
	bench_write(p, bench_in_order);
	counts.write = shootdowns() - before - counts.take;
	bench_end(child);
	bench_unmap(p, BENCH_PAGES);
	return counts;
}

static void print_json(const char *name, struct counts counts)
{
	printf(",\"%s\":{\"snapshot\":%ld,\"first_write\":%ld}", name,
	       counts.take, counts.write);
}

static void print(bool json, struct counts ours, struct counts by_fork)
{
	if (json) {
		printf("json: {\"cpus\":%d,\"pages\":%lu", get_nprocs(),
		       BENCH_PAGES);
		print_json("bsdvm", ours);
		print_json("fork", by_fork);
		printf("}\n");
	}
	printf("TLB shootdowns, %d CPUs, %lu pages: ", get_nprocs(),
	       BENCH_PAGES);
	printf("snapshot %ld, first write to each %ld;\n", ours.take,
	       ours.write);
	printf("    fork %ld, first write to each %ld\n", by_fork.take,
	       by_fork.write);
}

int bench_shootdowns(bool json)
{
	struct counts ours, by_fork;
	pthread_t thread;

	if (get_nprocs() < 2) {
		printf("TLB shootdowns: none, there is one CPU\n");
		return 0;
	}
	if (pthread_create(&thread, NULL, spin, NULL))
		bench_die("thread");
	while (!atomic_load(&spinning))
		usleep(1000);
	ours = count_ours();
	by_fork = count_fork();
	atomic_store(&stop, true);
	pthread_join(thread, NULL);
	print(json, ours, by_fork);
	return 0;
}
