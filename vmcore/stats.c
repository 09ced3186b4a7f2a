// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Per-CPU counters: summing them, and the question whether anything lives. */

#include "internal.h"
#include "vmcore.h"
#include "stats.h"

DEFINE_PER_CPU(struct bsdvm_stats, bsdvm_stats);

static_assert(sizeof(struct bsdvm_stats) % sizeof(u64) == 0);

/**
 * bsdvm_stats_sum - add up the counters of all CPUs
 * @sum: where to put the sums
 *
 * Counters in motion are read one after the other, not at one moment.
 * Does not sleep.
 */
void bsdvm_stats_sum(struct bsdvm_stats *sum)
{
	size_t i, n = sizeof(*sum) / sizeof(u64);
	u64 *to = (u64 *)sum;
	int cpu;

	for (i = 0; i < n; i++)
		to[i] = 0;
	for_each_possible_cpu(cpu) {
		const u64 *from = (const u64 *)&per_cpu(bsdvm_stats, cpu);

		for (i = 0; i < n; i++)
			to[i] += READ_ONCE(from[i]);
	}
}

/**
 * bsdvm_stats_live - does anything exist?
 * @sum: from bsdvm_stats_sum()
 *
 * Return: true if a live count is not zero.
 */
bool bsdvm_stats_live(const struct bsdvm_stats *sum)
{
	u64 any = 0;

#define BSDVM_STATS_OR(name) any |= sum->name;
	BSDVM_LIVE(BSDVM_STATS_OR)
#undef BSDVM_STATS_OR
	return any != 0;
}
