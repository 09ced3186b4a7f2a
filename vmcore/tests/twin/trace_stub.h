/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Tracepoints. With a test hook: a trace call evaluates nothing, but counts
 * itself in twin_trace_counts[] (TWIN_TRACE_name).
 *
 * To add trace_bsdvm_NAME(): add NAME to the enum, and the two lines for it
 * below. The arguments are checked to be expressions; their types are not.
 */
#ifndef TWIN_TRACE_STUB_H
#define TWIN_TRACE_STUB_H

enum twin_trace {
	TWIN_TRACE_fault,
	TWIN_TRACE_cow,
	TWIN_TRACE_shadow,
	TWIN_TRACE_snapshot,
	TWIN_TRACE_collapse,
	TWIN_TRACE_bypass,
	TWIN_TRACE_wire,
	TWIN_TRACE_readahead,
	TWIN_TRACE_N
};

extern unsigned long twin_trace_counts[TWIN_TRACE_N];	/* atomic */

static inline void twin_trace_arguments(int dummy, ...)
{
	(void)dummy;
}

#define TWIN_TRACE(name, ...)						\
	do {								\
		if (0)							\
			twin_trace_arguments(0, ##__VA_ARGS__);		\
		__atomic_fetch_add(&twin_trace_counts[TWIN_TRACE_##name],\
				   1, __ATOMIC_RELAXED);		\
	} while (0)

#define trace_bsdvm_fault(...)		TWIN_TRACE(fault, ##__VA_ARGS__)
#define trace_bsdvm_cow(...)		TWIN_TRACE(cow, ##__VA_ARGS__)
#define trace_bsdvm_shadow(...)		TWIN_TRACE(shadow, ##__VA_ARGS__)
#define trace_bsdvm_snapshot(...)	TWIN_TRACE(snapshot, ##__VA_ARGS__)
#define trace_bsdvm_collapse(...)	TWIN_TRACE(collapse, ##__VA_ARGS__)
#define trace_bsdvm_bypass(...)		TWIN_TRACE(bypass, ##__VA_ARGS__)
#define trace_bsdvm_wire(...)		TWIN_TRACE(wire, ##__VA_ARGS__)
#define trace_bsdvm_readahead(...)	TWIN_TRACE(readahead, ##__VA_ARGS__)

#define trace_bsdvm_fault_enabled()	true
#define trace_bsdvm_cow_enabled()	true
#define trace_bsdvm_shadow_enabled()	true
#define trace_bsdvm_snapshot_enabled()	true
#define trace_bsdvm_collapse_enabled()	true
#define trace_bsdvm_bypass_enabled()	true
#define trace_bsdvm_wire_enabled()	true
#define trace_bsdvm_readahead_enabled()	true

#endif /* TWIN_TRACE_STUB_H */
