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

/* A walk of so many objects is long enough for a pause before the next one. */
#define PREFAULT_DEEP	64

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
	bsdvm_pindex_t in_object;

	if (fs->lookup.index >= fs->lookup.object->size)
		return pindex;
	in_object = fs->lookup.object->size - fs->lookup.index;
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
static void prefault_mark(const struct fault_state *fs, struct folio *page,
			  bsdvm_pindex_t pindex)
{
	if (bsdvm_page_queue(page) == BSDVM_QUEUE_CACHE)
		bsdvm_page_requeue(page, BSDVM_QUEUE_INACTIVE);
	if (fs->request->prot & BSDVM_PROT_WRITE)
		fault_mark_writable(fs, page, pindex);
}

/*
 * PF-5, PF-11: the resident page at an address, referenced and locked. NULL if
 * there is none, if it is in use or broken, or may not be mapped like the rest
 * of the batch: with the fault's protection if that allows writing, which only
 * pages of the first object may be. @depth is how far the walk went. RCU read
 * side.
 */
static struct folio *prefault_resident(const struct fault_state *fs,
				       bsdvm_pindex_t pindex,
				       unsigned int *depth)
{
	struct bsdvm_cursor cursor = prefault_cursor(fs, pindex);
	enum bsdvm_found found = bsdvm_resolve(&cursor);
	struct folio *page;

	*depth = cursor.depth;
	if (found != BSDVM_FOUND_PAGE)
		return NULL;
	if (cursor.depth && (fs->request->prot & BSDVM_PROT_WRITE))
		return NULL;
	page = bsdvm_resolve_hold(&cursor);
	if (!page)
		return NULL;
	if (folio_trylock(page)) {
		if (prefault_is_current(fs, pindex, page) &&
		    !bsdvm_page_is_broken(page)) {
			prefault_mark(fs, page, pindex);
			return page;
		}
		folio_unlock(page);
	}
	folio_put(page);
	return NULL;
}

/* Referenced and locked, if it can be done at once and is still in its slot. */
static bool prefault_take(struct xa_state *xas, struct folio *page)
{
	if (!folio_try_get(page))
		return false;
	if (folio_trylock(page)) {
		if (xas_reload(xas) == page && !bsdvm_page_is_broken(page))
			return true;
		folio_unlock(page);
	}
	folio_put(page);
	return false;
}

static void prefault_give_back(struct prefault_batch *batch, unsigned int from)
{
	for (; from < batch->n; from++) {
		folio_unlock(batch->pages[from]);
		folio_put(batch->pages[from]);
	}
}

/*
 * A page was not to be had: it ends the batch if it lies behind the fault; if
 * it lies before it, the batch begins anew. True: go on.
 */
static bool prefault_gap(struct prefault_batch *batch, bool before)
{
	if (!before)
		return false;
	prefault_give_back(batch, 0);
	batch->n = 0;
	return true;
}

/*
 * Pages of the first object, slot by slot: nothing is in front of them, so
 * being in the slot is enough. PF-8.
 */
static void prefault_collect_own(const struct fault_state *fs,
				 struct prefault_batch *batch,
				 bsdvm_pindex_t first, bsdvm_pindex_t end)
{
	XA_STATE(xas, &fs->lookup.object->slots,
		 bsdvm_entry_index(fs->lookup.entry, first));
	bool before = first < fs->request->pindex;
	struct folio *page;

	rcu_read_lock();
	for (page = xas_load(&xas); first < end;
	     first++, page = xas_next(&xas)) {
		if (bsdvm_slot_is_page(page) && !xas_retry(&xas, page) &&
		    prefault_take(&xas, page)) {
			prefault_mark(fs, page, first);
			batch->pages[batch->n++] = page;
			continue;
		}
		if (!prefault_gap(batch, before))
			break;
		/* After a retry the next one would be this one again. */
		xas_set(&xas, bsdvm_entry_index(fs->lookup.entry, first + 1));
	}
	rcu_read_unlock();
}

/* Leave the read side for a moment, if the walk was long. */
static void prefault_pause(unsigned int depth)
	__must_hold(RCU)
{
	if (likely(depth < PREFAULT_DEEP))
		return;
	rcu_read_unlock();
	cond_resched();
	rcu_read_lock();
}

/* The same where the page in hand lies behind the first object. */
static void prefault_collect_behind(const struct fault_state *fs,
				    struct prefault_batch *batch,
				    bsdvm_pindex_t first, bsdvm_pindex_t end)
{
	bool before = first < fs->request->pindex;
	unsigned int depth;
	struct folio *page;

	rcu_read_lock();
	for (; first < end; first++) {
		page = prefault_resident(fs, first, &depth);
		prefault_pause(depth);
		if (page)
			batch->pages[batch->n++] = page;
		else if (!prefault_gap(batch, before))
			break;
	}
	rcu_read_unlock();
}

static void prefault_collect(const struct fault_state *fs,
			     struct prefault_batch *batch,
			     bsdvm_pindex_t first, bsdvm_pindex_t end)
{
	if (fs->cursor.depth)
		prefault_collect_behind(fs, batch, first, end);
	else
		prefault_collect_own(fs, batch, first, end);
}

/*
 * Where to begin. The page before the fault being mapped somewhere is taken
 * for a sign that all before it are mapped here; writers go forward only.
 */
static bsdvm_pindex_t prefault_begin(const struct fault_state *fs)
{
	bsdvm_pindex_t first = prefault_first(fs);
	void *slot = NULL;
	bool mapped;

	if (fault_is_write(fs) || first == fs->request->pindex)
		return fs->request->pindex;
	rcu_read_lock();
	if (!fs->cursor.depth)
		slot = xa_load(&fs->lookup.object->slots, fs->lookup.index - 1);
	mapped = bsdvm_slot_is_page(slot) && folio_mapped(slot);
	rcu_read_unlock();
	return mapped ? fs->request->pindex : first;
}

/* Did this fault just make its page, and the one before it exist already? */
static bool prefault_may_fill(const struct fault_state *fs)
{
	bsdvm_pindex_t index = fs->lookup.index;

	return READ_ONCE(bsdvm_tunables.fast_fault) &&
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

/* How many slots behind the fault are free, up to the end of the cluster. */
static unsigned int prefault_count_free(const struct fault_state *fs)
{
	unsigned int n = prefault_last(fs) - fs->request->pindex, i;
	XA_STATE(xas, &fs->lookup.object->slots, fs->lookup.index);

	rcu_read_lock();
	xas_load(&xas);
	for (i = 0; i < n && !xas_next(&xas); i++)
		;
	rcu_read_unlock();
	return i;
}

/*
 * PF-7, PF-10: zeroed pages for the holes that follow; INACTIVE, neither
 * referenced nor dirty. Fewer if memory is short or a page is no hole.
 */
static void prefault_make(const struct fault_state *fs,
			  struct prefault_batch *batch)
{
	struct bsdvm_object *object = fs->lookup.object;
	bsdvm_pindex_t pindex = fs->request->pindex;
	unsigned int n = prefault_count_free(fs);
	struct folio *page;

	while (n--) {
		if (bsdvm_budget_is_severe() || !prefault_is_hole(fs, ++pindex))
			break;
		page = bsdvm_page_alloc(object, true);
		if (!page)
			break;
		bsdvm_page_bind(page, fault_page_index(fs, pindex),
				BSDVM_QUEUE_INACTIVE);
		folio_get(page);
		batch->pages[batch->n++] = page;
	}
}

/* Put pages 1 and up of the batch into free slots. Return: how many went. */
static unsigned int prefault_store(const struct fault_state *fs,
				   struct prefault_batch *batch)
{
	XA_STATE(xas, &fs->lookup.object->slots, fs->lookup.index);
	unsigned int i = 1;

	do {
		xas_lock(&xas);
		xas_set(&xas, fs->lookup.index + i - 1);
		xas_load(&xas);
		for (; i < batch->n && !xas_next(&xas); i++) {
			xas_store(&xas, batch->pages[i]);
			if (xas_error(&xas))
				break;
		}
		xas_unlock(&xas);
	} while (xas_nomem(&xas, GFP_KERNEL_ACCOUNT));
	return i - 1;
}

static void prefault_fill_ahead(const struct fault_state *fs,
				struct prefault_batch *batch)
{
	unsigned int i, stored;

	prefault_make(fs, batch);
	stored = prefault_store(fs, batch);
	atomic_long_add(stored, &fs->lookup.object->resident);
	bsdvm_count_add(v_zfod, stored);
	for (i = 1; i <= stored; i++)
		prefault_mark(fs, batch->pages[i], fs->request->pindex + i);
	for (; i < batch->n; i++) {
		folio_put(batch->pages[i]);
		bsdvm_page_discard(batch->pages[i]);
	}
	batch->n = stored + 1;
}

/* Map pages @from and up of the batch. Return: how many were. */
static unsigned int prefault_enter(const struct fault_state *fs,
				   struct prefault_batch *batch,
				   unsigned int from)
{
	return bsdvm_pmap->enter(fs->request->pmap, batch->first + from,
				 &batch->pages[from], batch->n - from,
				 fs->request->prot);
}

/* The page in hand is the fault's own: it keeps lock and reference. */
static void prefault_finish(struct prefault_batch *batch, unsigned int in_hand,
			    unsigned int neighbours)
{
	unsigned int n = batch->n;

	if (neighbours)
		bsdvm_count_add(prefaults, neighbours);
	prefault_give_back(batch, in_hand + 1);
	batch->n = in_hand;
	prefault_give_back(batch, 0);
	batch->n = n;
}

/* PF-6: the page in hand was made just now, and so may the next ones be. */
static bool prefault_ahead(struct fault_state *fs)
{
	struct prefault_batch batch;
	unsigned int entered;

	batch.first = fs->request->pindex;
	batch.pages[0] = fs->page;
	batch.n = 1;
	prefault_fill_ahead(fs, &batch);
	entered = prefault_enter(fs, &batch, 0);
	prefault_finish(&batch, 0, entered ? entered - 1 : 0);
	return entered > 0;
}

/* PF-11: the page in hand was there already, and so may its neighbours be. */
static bool prefault_around(struct fault_state *fs)
{
	bsdvm_pindex_t pindex = fs->request->pindex;
	struct prefault_batch batch;
	unsigned int in_hand, entered, behind;
	bool in_hand_too;

	batch.n = 0;
	prefault_collect(fs, &batch, prefault_begin(fs), pindex);
	in_hand = batch.n;
	batch.first = pindex - in_hand;
	batch.pages[batch.n++] = fs->page;
	prefault_collect(fs, &batch, pindex + 1, prefault_last(fs) + 1);
	entered = prefault_enter(fs, &batch, 0);
	in_hand_too = entered > in_hand;
	/* One before was not to be had: at least those from the fault on. */
	if (!in_hand_too) {
		behind = prefault_enter(fs, &batch, in_hand);
		in_hand_too = behind > 0;
		entered += behind;
	}
	prefault_finish(&batch, in_hand, entered - in_hand_too);
	return in_hand_too;
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
	if (!fs->zero_filled && !fs->copied)
		return prefault_around(fs);
	if (fs->zero_filled && prefault_may_fill(fs))
		return prefault_ahead(fs);
	return bsdvm_pmap->enter(fs->request->pmap, fs->request->pindex,
				 &fs->page, 1, fs->request->prot) == 1;
}
