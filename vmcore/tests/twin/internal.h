/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Twin of vmcore/internal.h for userspace: the same guard, the same names.
 *
 * Force-included (-include) before every source of the core and of the tests,
 * so that the real door to the kernel headers stays shut. Each header below
 * says in its head comment what kind of imitation it is. The hooks for tests
 * are in twin.h, which the core does not see.
 */
#ifndef BSDVM_VMCORE_INTERNAL_H
#define BSDVM_VMCORE_INTERNAL_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

/* The host's headers come first: names such as "current" are macros below. */
#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include "types.h"
#include "bug.h"
#include "minmax.h"
#include "atomic.h"
#include "list.h"
#include "task.h"
#include "lock.h"
#include "rcu.h"
#include "wait.h"
#include "slab.h"
#include "page.h"
#include "xarray.h"
#include "percpu.h"
#include "trace_stub.h"

#define bsdvm_folio_mapcount(folio)	twin_folio_mapcount(folio)

#endif /* BSDVM_VMCORE_INTERNAL_H */
