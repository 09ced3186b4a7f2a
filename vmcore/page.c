// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Pages: birth, content, state and end; and the page budget.
 *
 * Pages come from the kernel's allocator, charged to the memory cgroup of who
 * needs them, never movable, and go back to it by the last put; there is no
 * list of free pages of our own.
 */

#include "internal.h"
#include "vmcore.h"
#include "page.h"
#include "pager.h"
#include "stats.h"

struct bsdvm_budget bsdvm_budget;

static atomic_long_t *page_word(struct folio *page)
{
	BUILD_BUG_ON(sizeof(page->private) != sizeof(atomic_long_t));
	return (atomic_long_t *)&page->private;
}

/**
 * bsdvm_page_alloc - a new page, seen by nobody yet
 * @object: for which object
 * @zeroed: with its bytes cleared; otherwise they are undefined and the caller
 *          fills them all
 *
 * May sleep. P-1 without the insertion: the slot is busy meanwhile.
 *
 * Return: the page with one reference, locked, or NULL.
 */
struct folio *bsdvm_page_alloc(struct bsdvm_object *object, bool zeroed)
{
	gfp_t gfp = GFP_HIGHUSER | __GFP_ACCOUNT;
	struct folio *page;

	page = folio_alloc(zeroed ? gfp | __GFP_ZERO : gfp, 0);
	if (!page)
		return NULL;
	folio_lock(page);
	page->mapping = object->family->anchor;
	bsdvm_count(live_pages);
	return page;
}

/**
 * bsdvm_page_bind - give a new page its identity
 * @page:  locked, not mapped
 * @index: the map's index base plus the page's index there
 * @state: BSDVM_PAGE_* and queue
 *
 * The mapping, which it has since bsdvm_page_alloc(), and the index are what
 * shared futexes know a page by, and lockless page pinning asks for the
 * mapping. It is that of the family's anchor, as a page may outlive the map
 * that made it, and no other family's page must be taken for this one.
 */
void bsdvm_page_bind(struct folio *page, unsigned long index,
		     unsigned long state)
{
	page->index = index;
	page->private = (void *)state;
}

/* The page is locked, unmapped or about to be, and out of its slot. */
static void page_unbind(struct folio *page)
{
	unsigned long state = bsdvm_page_state(page);

	bsdvm_count_add(live_wired, -(u64)(state >> BSDVM_PAGE_WIRE_SHIFT));
	page->mapping = NULL;
	/* Who found it before it left its slot may be looking at its state. */
	WRITE_ONCE(page->private, NULL);
	bsdvm_count(v_tfree);
	bsdvm_uncount(live_pages);
}

/**
 * bsdvm_page_free - give back a page that is out of its slot and unmapped
 * @page: not locked by the caller, who owns the slot's reference
 *
 * Waits for the folio lock, hence for faults about to map the page to see
 * that it no longer resolves (P-11). Holders keep the bytes (P-12).
 */
void bsdvm_page_free(struct folio *page)
{
	folio_lock(page);
	page_unbind(page);
	folio_unlock(page);
	folio_put(page);
}

/**
 * bsdvm_page_in_hands - does anybody hold the page, other than by mapping it?
 * @page: in a slot; locked, or else in a map locked exclusively
 * @ours: references of the caller's
 *
 * A frozen page may be in the hands of who found it in a map that has left it
 * since. He keeps the bytes (P-12), so the page must not be written again.
 *
 * Mappings come and go at any time: a fork copies those of private mappings
 * without any lock that we know of. A mapping has its reference before it is
 * counted and until it no longer is, so who holds the page shows in any
 * number of references beside the number of mappings of the same moment. Hence
 * mappings are counted on both sides. (One that goes and one that comes between
 * the first and the last of three loads, in this order, look like none.)
 *
 * Return: true if there are more references than these and mappings explain, or
 * if mappings came or went just now.
 */
bool bsdvm_page_in_hands(const struct folio *page, unsigned int ours)
{
	int mapped = bsdvm_folio_mapcount(page);
	int references;

	/* Pair with the atomic operations by which mappings come and go. */
	smp_rmb();
	references = folio_ref_count(page);
	/* As before. */
	smp_rmb();
	return references > 1 + ours + mapped ||
	       bsdvm_folio_mapcount(page) != mapped;
}

/**
 * bsdvm_page_discard - give back a page that nobody ever saw
 * @page: from bsdvm_page_alloc(), still locked
 */
void bsdvm_page_discard(struct folio *page)
{
	page_unbind(page);
	folio_unlock(page);
	folio_put(page);
}

/**
 * bsdvm_page_copy - copy all bytes of a page
 * @to:   locked, seen by nobody
 * @from: referenced, not broken
 */
void bsdvm_page_copy(struct folio *to, struct folio *from)
{
	copy_highpage(folio_page(to, 0), folio_page(from, 0));
}

/**
 * bsdvm_page_clear - clear part of a page
 * @page: locked
 * @from: first byte
 * @to:   end, exclusive
 */
void bsdvm_page_clear(struct folio *page, unsigned int from, unsigned int to)
{
	char *kaddr = kmap_local_folio(page, 0);

	memset(kaddr + from, 0, to - from);
	kunmap_local(kaddr);
}

/**
 * bsdvm_page_test_clear - clear a flag, if it is set
 * @page: kept by a reference, the caller's or that of its slot
 * @flag: one of BSDVM_PAGE_DIRTY to BSDVM_PAGE_NOSYNC
 *
 * Atomic: of several who clear a flag one is told so. Does not sleep.
 *
 * Return: true if this call cleared it.
 */
bool bsdvm_page_test_clear(struct folio *page, unsigned long flag)
{
	if (!(bsdvm_page_state(page) & flag))
		return false;
	return atomic_long_fetch_andnot(flag, page_word(page)) & flag;
}

/**
 * bsdvm_page_set - set flags
 * @page:  kept by a reference, the caller's or that of its slot
 * @flags: of BSDVM_PAGE_DIRTY to BSDVM_PAGE_NOSYNC, any number
 *
 * Atomic. Writes nothing if all are set. Does not sleep.
 */
void bsdvm_page_set(struct folio *page, unsigned long flags)
{
	if ((bsdvm_page_state(page) & flags) != flags)
		atomic_long_or(flags, page_word(page));
}

/**
 * bsdvm_page_requeue - move a page to another queue
 * @page:  referenced
 * @queue: BSDVM_QUEUE_*; a wired page stays in none (P-14)
 *
 * P-22, P-23: leaving CACHE for ACTIVE or INACTIVE counts as a reactivation.
 * Does not sleep.
 */
void bsdvm_page_requeue(struct folio *page, unsigned long queue)
{
	long old = atomic_long_read(page_word(page)), new;

	do {
		if (old >> BSDVM_PAGE_WIRE_SHIFT)
			queue = BSDVM_QUEUE_NONE;
		new = (old & ~BSDVM_PAGE_QUEUE) | queue;
		if (new == old)
			return;
	} while (!atomic_long_try_cmpxchg(page_word(page), &old, new));
	if ((old & BSDVM_PAGE_QUEUE) == BSDVM_QUEUE_CACHE)
		bsdvm_count(v_reactivated);
}

/**
 * bsdvm_page_activate - a page was asked for
 * @page: referenced
 *
 * FP-8, F-20, F-24: referenced and, unless it is wired, ACTIVE. Writes nothing
 * if it is both. Does not sleep.
 */
void bsdvm_page_activate(struct folio *page)
{
	bsdvm_page_set(page, BSDVM_PAGE_REFERENCED);
	if (bsdvm_page_queue(page) != BSDVM_QUEUE_ACTIVE)
		bsdvm_page_requeue(page, BSDVM_QUEUE_ACTIVE);
}

/**
 * bsdvm_page_dirty - the page is, or may be, newer than the pager's copy
 * @object: the page's object
 * @pindex: its place there
 * @page:   referenced
 *
 * F-90, P-17: dirty and no longer swapped.
 * Does not sleep.
 */
void bsdvm_page_dirty(struct bsdvm_object *object, bsdvm_pindex_t pindex,
		      struct folio *page)
{
	bsdvm_page_set(page, BSDVM_PAGE_DIRTY);
	if (bsdvm_page_test_clear(page, BSDVM_PAGE_SWAPPED))
		bsdvm_pager_forget(object, pindex);
}

/**
 * bsdvm_page_wire - wire a page once more
 * @page: referenced
 *
 * P-14: a wired page leaves its queue. Does not sleep.
 */
void bsdvm_page_wire(struct folio *page)
{
	atomic_long_add(BSDVM_PAGE_WIRE_ONE, page_word(page));
	bsdvm_count(live_wired);
	bsdvm_page_requeue(page, BSDVM_QUEUE_NONE);
}

/**
 * bsdvm_page_unwire - take one wiring back
 * @page: referenced, wired; if it is not, a warning is all that happens
 *
 * P-14: the last one makes the page ACTIVE. Does not sleep.
 */
void bsdvm_page_unwire(struct folio *page)
{
	if (WARN_ON_ONCE(!bsdvm_page_wire_count(page)))
		return;
	atomic_long_sub(BSDVM_PAGE_WIRE_ONE, page_word(page));
	bsdvm_uncount(live_wired);
	bsdvm_page_requeue(page, BSDVM_QUEUE_ACTIVE);
}

static unsigned long budget_free(void)
{
	struct bsdvm_stats sum;

	bsdvm_stats_sum(&sum);
	return sum.live_pages < bsdvm_budget.limit ?
	       bsdvm_budget.limit - sum.live_pages : 0;
}

/**
 * bsdvm_budget_is_severe - too few pages left to make one for a fault?
 *
 * F-49. Adds up the counters of all CPUs if there is a limit. Does not sleep.
 *
 * Return: true if so; always false without a limit.
 */
bool bsdvm_budget_is_severe(void)
{
	unsigned long free;

	if (likely(!bsdvm_budget.limit))
		return false;
	free = budget_free();
	return bsdvm_budget.severe > free || bsdvm_budget.reserved > free;
}

/**
 * bsdvm_budget_wait - wait a while for memory (P-20)
 *
 * Called with nothing held.
 *
 * Return: 0 to try again, -EINTR after a fatal signal.
 */
int bsdvm_budget_wait(void)
{
	if (bsdvm_budget.limit && budget_free() < bsdvm_budget.target)
		schedule_timeout_killable(HZ / 10);
	return fatal_signal_pending(current) ? -EINTR : 0;
}
