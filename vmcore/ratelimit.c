// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Rate limit: while the pageout daemon cannot keep up, faults that allocate
 * are slowed down (section 7).
 */

#include "internal.h"
#include "vmcore.h"
#include "fault.h"

#define RATELIMIT_LOAD_MAX	1000

/* Allocations until the load is looked at again (RL-3). */
static atomic_t ratelimit_supply = ATOMIC_INIT(0);

/**
 * bsdvm_ratelimit_delay - how long an allocating fault should sleep first
 *
 * RL-2 to RL-4. Racing callers may take one supply twice: harmless (RL-7).
 *
 * Return: jiffies, 0 to HZ / 10.
 */
long bsdvm_ratelimit_delay(void)
{
	unsigned int load = READ_ONCE(bsdvm_tunables.vm_load);

	if (likely(!READ_ONCE(bsdvm_tunables.vm_load_enable) || !load))
		return 0;
	load = min_t(unsigned int, load, RATELIMIT_LOAD_MAX);
	if (atomic_read(&ratelimit_supply) > 0) {
		atomic_dec(&ratelimit_supply);
		return 0;
	}
	atomic_set(&ratelimit_supply, (RATELIMIT_LOAD_MAX - load) / 10);
	return (long)load * HZ / 10000;
}
