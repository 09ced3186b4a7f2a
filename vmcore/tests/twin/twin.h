/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The twin's hooks for tests. Not for the core.
 */
#ifndef TWIN_H
#define TWIN_H

/* ---- warnings ---------------------------------------------------------------- */

extern unsigned long twin_warnings;	/* WARNs so far; atomic */
extern bool twin_warn_abort;		/* a WARN aborts; true by default */

/* ---- allocations --------------------------------------------------------------- */

/*
 * The @n-th allocation of this thread from now on (page, slab object, xarray
 * node; the next one is the first) fails, once. 0: none does.
 */
void twin_fail_nth(unsigned long n);
/* The same for @n and all that follow, until twin_fail_nth(0). */
void twin_fail_from(unsigned long n);
/* Has the failure asked for by the last twin_fail_nth() happened? */
bool twin_fail_allocs_done(void);
/* Allocations this thread has attempted. */
unsigned long twin_allocs(void);

/* Called before each allocation of a page; false makes it fail. */
extern bool (*twin_page_alloc_hook)(gfp_t gfp);

/* Called before each attempt to get a page that may have gone. */
extern void (*twin_try_get_hook)(const struct folio *folio);

/* Called before each count of a page's mappings by the core. */
extern void (*twin_mapcount_hook)(const struct folio *folio);

/* Called before each xas_load(). */
extern void (*twin_load_hook)(const struct xa_state *xas);

/*
 * twin_barrier_hook, called after each smp_mb__after_atomic(), is in atomic.h,
 * which comes before this file.
 */

/* Slab objects, xarray nodes included, and pages that are not freed yet. */
long twin_live_allocs(void);
long twin_live_pages(void);

/* ---- locks ---------------------------------------------------------------------- */

/* What this thread has taken so far; may be cleared with memset. */
struct twin_lock_counts *twin_lock_counts(void);

/* How often one lock was taken, by anybody. */
unsigned long twin_mutex_taken(const struct mutex *lock);
unsigned long twin_rwsem_read_taken(const struct rw_semaphore *sem);
unsigned long twin_rwsem_write_taken(const struct rw_semaphore *sem);

/*
 * Called before any lock is taken with what is about to be taken: the place to
 * check an order or to let something else happen first. Not called for locks
 * taken by the hook itself.
 */
extern void (*twin_lock_hook)(const void *lock, enum twin_lock_mode mode);

/* Waiting for a folio's lock while holding another one's is a WARN (default). */
extern bool twin_folio_wait_rule;

/* This thread holds no lock, no local mapping and is in no read section. */
void twin_assert_idle(void);

/* ---- tasks ----------------------------------------------------------------------- */

/* A fatal signal: ends killable waits; stays pending until twin_unkill(). */
void twin_kill(struct task_struct *task);
void twin_unkill(struct task_struct *task);
/* A signal that is not fatal. */
void twin_signal(struct task_struct *task, bool pending);
/*
 * How many entries of arrays did this thread look at, at most, without offering
 * the processor to others (cond_resched()), since it was asked last?
 */
unsigned long twin_steps(void);
/* Is the task asleep in schedule()? */
bool twin_sleeping(struct task_struct *task);

/* ---- pages ----------------------------------------------------------------------- */

/* Stand-ins for a page-table entry: mapping count and a reference. */
void twin_folio_map(struct folio *folio);
void twin_folio_unmap(struct folio *folio);

/* ---- between tests --------------------------------------------------------------- */

/* Runs deferred frees; forgets failures, kills, hooks and counters. */
void twin_reset(void);

#endif /* TWIN_H */
