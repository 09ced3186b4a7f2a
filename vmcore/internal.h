/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The only door from the core to kernel headers.
 *
 * Every vmcore source includes this file first and nothing else of the
 * kernel. The userspace build force-includes its twin,
 * vmcore/tests/twin/internal.h, which carries the same guard and supplies the
 * same names, so that the core compiles there unchanged.
 */
#ifndef BSDVM_VMCORE_INTERNAL_H
#define BSDVM_VMCORE_INTERNAL_H

#include <linux/atomic.h>
#include <linux/bug.h>
#include <linux/cache.h>
#include <linux/compiler.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/hash.h>
#include <linux/highmem.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mm_types.h>
#include <linux/mutex.h>
#include <linux/overflow.h>
#include <linux/pagemap.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/rwsem.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/seqlock.h>
#include <linux/slab.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/xarray.h>

#include "trace.h"

/**
 * bsdvm_folio_mapcount - folio_mapcount(), which not every kernel exports
 * @folio: of one page, which a reference keeps
 *
 * Return: mappings of the page at the moment.
 */
static inline int bsdvm_folio_mapcount(const struct folio *folio)
{
	return atomic_read(&folio->_mapcount) + 1;
}

#endif /* BSDVM_VMCORE_INTERNAL_H */
