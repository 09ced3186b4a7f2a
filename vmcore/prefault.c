// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Prefault: while a page is mapped, map its neighbours as well.
 *
 * Neighbours come from the cluster of prefault_pages aligned pages around the
 * fault, so that a sequential reader takes one fault a cluster and finds no
 * neighbour mapped already.
 *
 *   resident: pages found without asking a pager, without waiting and without
 *             creating anything are mapped (PF-11); those in the first object
 *             with the fault's protection, those behind it read-only (PF-13).
 *   ahead:    a writer that just filled a page with zeroes, and had written the
 *             page before it, gets the following holes filled as well (PF-6).
 *
 * Every page is mapped under its folio lock, taken by trying, after a second
 * look at what its address resolves to; the map stays locked throughout.
 */

#include "internal.h"
#include "vmcore.h"
#include "object.h"
#include "page.h"
#include "fault.h"
#include "stats.h"

#define PREFAULT_MAX	64

/**
 * struct prefault_batch - adjacent pages to be mapped in one go
 * @first: page of the map that pages[0] belongs to
 * @n:     number of pages
 * @pages: each referenced and locked
 */
struct prefault_batch {
	bsdvm_pindex_t first;
	unsigned int n;
	struct folio *pages[PREFAULT_MAX];
};

static bsdvm_pindex_t prefault_cluster(void)
{
	return clamp_t(unsigned int, READ_ONCE(bsdvm_tunables.prefault_pages),
		       1, PREFAULT_MAX);
}

/* PF-3: last page of the cluster that lies in entry, object and map. */
static bsdvm_pindex_t prefault_last(const struct fault_state *fs)
{
	bsdvm_pindex_t pindex = fs->request->pindex;
	bsdvm_pindex_t last = pindex | (prefault_cluster() - 1);
	bsdvm_pindex_t in_object = fs->lookup.object->size - fs->lookup.index;

	last = min(last, fs->lookup.entry->last);
	last = min(last, fs->lookup.map->size - 1);
	return min(last, pindex + in_object - 1);
}

static bsdvm_pindex_t prefault_first(const struct fault_state *fs)
{
	bsdvm_pindex_t first = fs->request->pindex & ~(prefault_cluster() - 1);

	return max(first, fs->lookup.entry->start);
}

static struct bsdvm_cursor prefault_cursor(const struct fault_state *fs,
					   bsdvm_pindex_t pindex)
{
	return (struct bsdvm_cursor){
		.object = fs->lookup.object,
		.pindex = bsdvm_entry_index(fs->lookup.entry, pindex),
	};
}

/* Locked now; does the address still resolve to it? */
static bool prefault_is_current(const struct fault_state *fs,
				bsdvm_pindex_t pindex, struct folio *page)
{
	struct bsdvm_cursor cursor = prefault_cursor(fs, pindex);

	return bsdvm_resolve(&cursor) == BSDVM_FOUND_PAGE &&
	       cursor.slot == page;
}

/* PF-10, PF-12: what changes about a page by being mapped. */
static void prefault_mark(const struct fault_state *fs, struct folio *page)
{
	if (bsdvm_page_queue(page) == BSDVM_QUEUE_CACHE)
		bsdvm_page_requeue(page, BSDVM_QUEUE_INACTIVE);
	if (fs->request->prot & BSDVM_PROT_WRITE)
		fault_mark_nosync(fs, page);
}

/*
 * PF-5, PF-11: the resident page at an address, referenced and locked. NULL if
 * there is none, if it is in use, or if it may not be mapped like the rest of
 * the batch: with the fault's protection if that allows writing, which only
 * pages of the first object may be. RCU read side.
 */
static struct folio *prefault_resident(const struct fault_state *fs,
				       bsdvm_pindex_t pindex)
{
	struct bsdvm_cursor cursor = prefault_cursor(fs, pindex);
	struct folio *page;

	if (bsdvm_resolve(&cursor) != BSDVM_FOUND_PAGE)
		return NULL;
	if (cursor.depth && (fs->request->prot & BSDVM_PROT_WRITE))
		return NULL;
	page = bsdvm_resolve_hold(&cursor);
	if (!page)
		return NULL;
	if (folio_trylock(page)) {
		if (prefault_is_current(fs, pindex, page)) {
			prefault_mark(fs, page);
			return page;
		}
		folio_unlock(page);
	}
	folio_put(page);
	return NULL;
}

/* PF-8: neighbours behind the fault, upwards, until one is not to be had. */
static void prefault_collect_up(const struct fault_state *fs,
				struct prefault_batch *batch)
{
	bsdvm_pindex_t pindex = fs->request->pindex + 1;
	bsdvm_pindex_t last = prefault_last(fs);
	struct folio *page;

	rcu_read_lock();
	for (; pindex <= last; pindex++) {
		page = prefault_resident(fs, pindex);
		if (!page)
			break;
		batch->pages[batch->n++] = page;
	}
	rcu_read_unlock();
}

/*
 * Neighbours before the fault, downwards. The nearest one being mapped
 * somewhere already is taken for a sign that all of them are.
 */
static void prefault_collect_down(const struct fault_state *fs,
				  struct prefault_batch *batch)
{
	bsdvm_pindex_t pindex = fs->request->pindex;
	bsdvm_pindex_t first = prefault_first(fs);
	struct folio *page;
	unsigned int i;

	rcu_read_lock();
	while (pindex > first) {
		page = prefault_resident(fs, pindex - 1);
		if (!page)
			break;
		if (!batch->n && folio_mapped(page)) {
			folio_unlock(page);
			folio_put(page);
			break;
		}
		batch->pages[batch->n++] = page;
		pindex--;
	}
	rcu_read_unlock();
	batch->first = pindex;
	for (i = 0; i < batch->n / 2; i++)
		swap(batch->pages[i], batch->pages[batch->n - 1 - i]);
}

/* Did this fault just make its page, and the one before it exist already? */
static bool prefault_may_fill(const struct fault_state *fs)
{
	bsdvm_pindex_t index = fs->lookup.index;

	return READ_ONCE(bsdvm_tunables.fast_fault) && fs->zero_filled &&
	       (fs->request->prot & BSDVM_PROT_WRITE) &&
	       fs->request->pindex > fs->lookup.entry->start &&
	       bsdvm_slot_is_page(xa_load(&fs->lookup.object->slots,
					  index - 1));
}

/* A hole all the way down, which a page in the first object may fill. */
static bool prefault_is_hole(const struct fault_state *fs,
			     bsdvm_pindex_t pindex)
{
	struct bsdvm_cursor cursor = prefault_cursor(fs, pindex);
	bool hole;

	if (!READ_ONCE(cursor.object->backing_object) &&
	    !READ_ONCE(cursor.object->pager))
		return true;
	rcu_read_lock();
	hole = bsdvm_resolve(&cursor) == BSDVM_FOUND_HOLE && !cursor.slot;
	rcu_read_unlock();
	return hole;
}

/*
 * PF-7, PF-10: a zeroed page for a hole; INACTIVE, neither referenced nor
 * dirty. NULL if there is no hole, somebody was faster, or memory is short.
 */
static struct folio *prefault_fill(const struct fault_state *fs,
				   bsdvm_pindex_t pindex)
{
	struct bsdvm_object *object = fs->lookup.object;
	bsdvm_pindex_t index = bsdvm_entry_index(fs->lookup.entry, pindex);
	struct folio *page;

	if (bsdvm_budget_is_severe() || xa_load(&object->slots, index) ||
	    !prefault_is_hole(fs, pindex))
		return NULL;
	page = bsdvm_page_alloc(object, true);
	if (!page)
		return NULL;
	bsdvm_page_bind(page, fault_page_index(fs, pindex),
			BSDVM_QUEUE_INACTIVE);
	folio_get(page);
	if (xa_cmpxchg(&object->slots, index, NULL, page, GFP_KERNEL)) {
		folio_put(page);
		bsdvm_page_discard(page);
		return NULL;
	}
	atomic_long_inc(&object->resident);
	prefault_mark(fs, page);
	bsdvm_count(v_zfod);
	return page;
}

static void prefault_fill_ahead(const struct fault_state *fs,
				struct prefault_batch *batch)
{
	bsdvm_pindex_t pindex = fs->request->pindex + 1;
	bsdvm_pindex_t last = prefault_last(fs);
	struct folio *page;

	for (; pindex <= last; pindex++) {
		page = prefault_fill(fs, pindex);
		if (!page)
			break;
		batch->pages[batch->n++] = page;
	}
}

/* Map the batch; give back its pages but those of the first @keep. */
static unsigned int prefault_enter(const struct fault_state *fs,
				   struct prefault_batch *batch,
				   unsigned int keep)
{
	unsigned int i, entered;

	entered = bsdvm_pmap->enter(fs->request->pmap, batch->first,
				    batch->pages, batch->n, fs->request->prot);
	for (i = keep; i < batch->n; i++) {
		folio_unlock(batch->pages[i]);
		folio_put(batch->pages[i]);
	}
	return entered;
}

/**
 * prefault - map the page in hand together with its neighbours
 * @fs: the page in hand is locked and current, the map is locked
 *
 * PF-1 to PF-16. Nothing is asked of a pager, nothing waited for, no error
 * reported (PF-14).
 *
 * Return: true if the page in hand itself was mapped; it stays in hand.
 */
bool prefault(struct fault_state *fs)
{
	struct prefault_batch batch = {
		.first = fs->request->pindex,
		.n = 1,
	};
	unsigned int entered;

	batch.pages[0] = fs->page;
	if (prefault_may_fill(fs))
		prefault_fill_ahead(fs, &batch);
	else if (!fs->zero_filled)
		prefault_collect_up(fs, &batch);
	entered = prefault_enter(fs, &batch, 1);
	if (entered > 1)
		bsdvm_count_add(prefaults, entered - 1);
	if (!fs->zero_filled && !fault_is_write(fs)) {
		batch.n = 0;
		prefault_collect_down(fs, &batch);
		if (batch.n)
			bsdvm_count_add(prefaults,
					prefault_enter(fs, &batch, 0));
	}
	return entered > 0;
}
