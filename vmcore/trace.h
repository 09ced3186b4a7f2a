/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Tracepoints of the core.
 *
 * Ids are those that the query ioctls report; page indices are in pages.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM bsdvm

#if !defined(BSDVM_VMCORE_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define BSDVM_VMCORE_TRACE_H

#include <linux/tracepoint.h>

TRACE_EVENT(bsdvm_fault,
	TP_PROTO(u64 map, unsigned long pindex, unsigned int type,
		 unsigned int flags, unsigned int status),
	TP_ARGS(map, pindex, type, flags, status),
	TP_STRUCT__entry(
		__field(u64, map)
		__field(unsigned long, pindex)
		__field(unsigned int, type)
		__field(unsigned int, flags)
		__field(unsigned int, status)
	),
	TP_fast_assign(
		__entry->map = map;
		__entry->pindex = pindex;
		__entry->type = type;
		__entry->flags = flags;
		__entry->status = status;
	),
	TP_printk("map=%llu page=%lu type=%#x flags=%#x status=%u",
		  __entry->map, __entry->pindex, __entry->type,
		  __entry->flags, __entry->status)
);

TRACE_EVENT(bsdvm_cow,
	TP_PROTO(u64 object, unsigned long pindex, unsigned int depth,
		 bool renamed),
	TP_ARGS(object, pindex, depth, renamed),
	TP_STRUCT__entry(
		__field(u64, object)
		__field(unsigned long, pindex)
		__field(unsigned int, depth)
		__field(bool, renamed)
	),
	TP_fast_assign(
		__entry->object = object;
		__entry->pindex = pindex;
		__entry->depth = depth;
		__entry->renamed = renamed;
	),
	TP_printk("object=%llu page=%lu depth=%u %s",
		  __entry->object, __entry->pindex, __entry->depth,
		  __entry->renamed ? "rename" : "copy")
);

TRACE_EVENT(bsdvm_shadow,
	TP_PROTO(u64 shadow, u64 object, unsigned long offset,
		 unsigned long length),
	TP_ARGS(shadow, object, offset, length),
	TP_STRUCT__entry(
		__field(u64, shadow)
		__field(u64, object)
		__field(unsigned long, offset)
		__field(unsigned long, length)
	),
	TP_fast_assign(
		__entry->shadow = shadow;
		__entry->object = object;
		__entry->offset = offset;
		__entry->length = length;
	),
	TP_printk("shadow=%llu object=%llu offset=%lu length=%lu",
		  __entry->shadow, __entry->object, __entry->offset,
		  __entry->length)
);

TRACE_EVENT(bsdvm_snapshot,
	TP_PROTO(u64 map, unsigned int id, unsigned long npages),
	TP_ARGS(map, id, npages),
	TP_STRUCT__entry(
		__field(u64, map)
		__field(unsigned int, id)
		__field(unsigned long, npages)
	),
	TP_fast_assign(
		__entry->map = map;
		__entry->id = id;
		__entry->npages = npages;
	),
	TP_printk("map=%llu snapshot=%u pages=%lu", __entry->map, __entry->id,
		  __entry->npages)
);

DECLARE_EVENT_CLASS(bsdvm_chain,
	TP_PROTO(u64 front, u64 backing),
	TP_ARGS(front, backing),
	TP_STRUCT__entry(
		__field(u64, front)
		__field(u64, backing)
	),
	TP_fast_assign(
		__entry->front = front;
		__entry->backing = backing;
	),
	TP_printk("object=%llu backing=%llu", __entry->front, __entry->backing)
);

DEFINE_EVENT(bsdvm_chain, bsdvm_collapse,
	TP_PROTO(u64 front, u64 backing),
	TP_ARGS(front, backing)
);

DEFINE_EVENT(bsdvm_chain, bsdvm_bypass,
	TP_PROTO(u64 front, u64 backing),
	TP_ARGS(front, backing)
);

TRACE_EVENT(bsdvm_wire,
	TP_PROTO(u64 map, unsigned long pindex, unsigned long npages,
		 bool user),
	TP_ARGS(map, pindex, npages, user),
	TP_STRUCT__entry(
		__field(u64, map)
		__field(unsigned long, pindex)
		__field(unsigned long, npages)
		__field(bool, user)
	),
	TP_fast_assign(
		__entry->map = map;
		__entry->pindex = pindex;
		__entry->npages = npages;
		__entry->user = user;
	),
	TP_printk("map=%llu page=%lu pages=%lu %s", __entry->map,
		  __entry->pindex, __entry->npages,
		  __entry->user ? "user" : "system")
);

TRACE_EVENT(bsdvm_readahead,
	TP_PROTO(u64 object, unsigned long pindex),
	TP_ARGS(object, pindex),
	TP_STRUCT__entry(
		__field(u64, object)
		__field(unsigned long, pindex)
	),
	TP_fast_assign(
		__entry->object = object;
		__entry->pindex = pindex;
	),
	TP_printk("object=%llu page=%lu", __entry->object, __entry->pindex)
);

#endif /* BSDVM_VMCORE_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
