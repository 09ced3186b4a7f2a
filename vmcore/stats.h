/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Counters, one set for each CPU; a value is the sum over all CPUs.
 *
 * Events never decrease. Live counts are what exists at the moment; all of
 * them are zero when no map is left, and the module says so if they are not.
 */
#ifndef BSDVM_VMCORE_STATS_H
#define BSDVM_VMCORE_STATS_H

/* Events, named as section 16 of the behaviours names them. */
#define BSDVM_EVENTS(X)							\
	X(v_vm_faults)		/* C-1: faults begun */			\
	X(v_cow_faults)		/* C-2: pages copied or renamed */	\
	X(v_cow_optim)		/* C-2: of these, renamed */		\
	X(v_zfod)		/* C-3: pages filled with zeroes */	\
	X(v_intrans)		/* C-4: waits for a busy page */	\
	X(v_intrans_coll)	/* C-5: met an entry in transition */	\
	X(v_intrans_wait)	/* C-5: of these, waits */		\
	X(v_reactivated)	/* C-6: pages taken back from CACHE */	\
	X(v_pfree)		/* C-8: freed with their object */	\
	X(v_tfree)		/* C-8: pages freed */			\
	X(object_collapses)	/* C-9 */				\
	X(object_bypasses)	/* C-9 */				\
	X(prefaults)		/* mapped beside the faulting page */	\
	X(shadows)		/* objects pushed in front of another */ \
	X(snapshots)		/* snapshots taken */			\
	X(snapshot_copies)	/* pinned or wired pages copied */	\
	X(restarts)		/* faults started again */

/* What exists now. */
#define BSDVM_LIVE(X)							\
	X(live_families)						\
	X(live_maps)							\
	X(live_entries)							\
	X(live_objects)							\
	X(live_snapshots)						\
	X(live_pages)							\
	X(live_wired)		/* page wirings */

#define BSDVM_STATS_FIELD(name) u64 name;
struct bsdvm_stats {
	BSDVM_EVENTS(BSDVM_STATS_FIELD)
	BSDVM_LIVE(BSDVM_STATS_FIELD)
};

DECLARE_PER_CPU(struct bsdvm_stats, bsdvm_stats);

#define bsdvm_count(name)	this_cpu_inc(bsdvm_stats.name)
#define bsdvm_uncount(name)	this_cpu_dec(bsdvm_stats.name)
#define bsdvm_count_add(name, n) this_cpu_add(bsdvm_stats.name, (n))

void bsdvm_stats_sum(struct bsdvm_stats *sum);
bool bsdvm_stats_live(const struct bsdvm_stats *sum);

#endif /* BSDVM_VMCORE_STATS_H */
