// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The pager part of a fault: a page is absent, but its object has a pager.
 *
 * The slot is claimed at the pager's own level, the map is unlocked, the pager
 * may take its time. A page that arrives goes into the slot and the fault
 * starts again (N-7): nothing learnt before is relied upon. Only "not there"
 * goes on with the walk, if the map can be locked again at the same generation.
 */

#include "internal.h"
#include "vmcore.h"
#include "object.h"
#include "page.h"
#include "pager.h"
#include "fault.h"
#include "stats.h"

/* F-55: the window behind the fault, in the first object. */
#define BEHIND_PAGES	16UL

/* F-53. */
static int pager_hint(const struct fault_state *fs, bool behind)
{
	const struct bsdvm_entry *entry = fs->lookup.entry;

	if (behind)
		return 1;
	return entry && (entry->flags & BSDVM_ENTRY_RANDOM) ? 0 : -1;
}

/* F-54: told so by the entry. */
static bool pager_is_sequential(const struct fault_state *fs)
{
	return fs->lookup.entry &&
	       (fs->lookup.entry->flags & BSDVM_ENTRY_SEQUENTIAL);
}

/* Remove the mappings that this map has of a page behind the fault. */
static void behind_unmap(struct fault_state *fs, bsdvm_pindex_t index)
{
	const struct bsdvm_entry *entry = fs->lookup.entry;

	if (entry && index >= entry->offset)
		bsdvm_pmap->remove(fs->lookup.map,
				   index - entry->offset + entry->start, 1);
}

/*
 * F-57: unmapped; then INACTIVE if it is dirty, CACHE if it is clean. A page
 * that others map as well cannot be on CACHE (I-4).
 */
static void behind_retire(struct fault_state *fs, struct folio *page,
			  bsdvm_pindex_t index)
{
	bool keep;

	if (folio_mapped(page))
		behind_unmap(fs, index);
	keep = (bsdvm_page_state(page) & BSDVM_PAGE_DIRTY) ||
	       folio_test_dirty(page) || folio_mapped(page);
	bsdvm_page_requeue(page, keep ? BSDVM_QUEUE_INACTIVE :
					BSDVM_QUEUE_CACHE);
}

/* False: stop here (F-56). */
static bool behind_visit(struct fault_state *fs, bsdvm_pindex_t index)
{
	struct bsdvm_cursor cursor = {
		.object = fs->lookup.object,
		.pindex = index,
	};
	struct folio *page = NULL;

	rcu_read_lock();
	cursor.slot = xa_load(&cursor.object->slots, index);
	if (bsdvm_slot_is_page(cursor.slot))
		page = bsdvm_resolve_hold(&cursor);
	rcu_read_unlock();
	if (!page)
		return bsdvm_slot_is_busy(cursor.slot);
	if (!bsdvm_page_wire_count(page) && folio_trylock(page)) {
		behind_retire(fs, page, index);
		folio_unlock(page);
	}
	folio_put(page);
	return true;
}

/**
 * fault_deactivate_behind - a sequential reader is done with what lies behind
 * @fs: the map is locked shared
 *
 * F-54 to F-57: downwards from 16 pages behind; page 0 is never visited. Not
 * for an entry said to be read at random.
 */
void fault_deactivate_behind(struct fault_state *fs)
{
	bsdvm_pindex_t index = fs->lookup.index, n;

	if (index < BEHIND_PAGES ||
	    (fs->lookup.entry &&
	     (fs->lookup.entry->flags & BSDVM_ENTRY_RANDOM)))
		return;
	index -= BEHIND_PAGES;
	for (n = min(BEHIND_PAGES, index); n; n--, index--)
		if (!behind_visit(fs, index))
			return;
}

static void pager_unlock_map(struct fault_state *fs)
{
	if (!fs->map_locked)
		return;
	bsdvm_map_unlock_shared(fs->lookup.map);
	fs->map_locked = false;
}

/* The page has arrived: into the slot with it. */
static void pager_insert(struct bsdvm_pager_request *req, unsigned long index)
{
	unsigned long state = BSDVM_PAGE_FRESH;

	if (bsdvm_object_is_anonymous(req->object))
		state |= BSDVM_PAGE_SWAPPED;
	bsdvm_page_bind(req->page, index, state);
	atomic_long_inc(&req->object->resident);
	folio_unlock(req->page);
	bsdvm_busy_release(req->object, req->pindex, req->page);
}

static void pager_give_up(struct bsdvm_pager_request *req)
{
	bsdvm_page_discard(req->page);
	bsdvm_busy_release(req->object, req->pindex, NULL);
}

/* F-64: not there. May the walk go on from here? */
static bsdvm_status_t pager_absent(struct fault_state *fs)
{
	struct bsdvm_lookup *lookup = &fs->lookup;

	if (!lookup->map)
		return BSDVM_SUCCESS;
	if (!bsdvm_map_relock_shared(lookup->map, lookup->generation))
		return fault_retry(fs, FAULT_PAUSE_SHORT);
	fs->map_locked = true;
	return BSDVM_SUCCESS;
}

/* F-59 to F-66: what the pager's answer means. The map is not locked. */
static bsdvm_status_t pager_settle(struct fault_state *fs,
				   struct bsdvm_pager_request *req,
				   enum bsdvm_pager_result result)
{
	if (result == BSDVM_PAGER_OK) {
		pager_insert(req, fault_page_index(fs, fs->request->pindex));
		if (req->waited)
			fs->request->hard = true;
		return fault_retry(fs, FAULT_PAUSE_NONE);
	}
	pager_give_up(req);
	switch (result) {
	case BSDVM_PAGER_FAIL:
		return pager_absent(fs);
	case BSDVM_PAGER_BAD:
		return BSDVM_PROTECTION_FAILURE;
	case BSDVM_PAGER_AGAIN:
	case BSDVM_PAGER_PEND:
		return fault_retry(fs, FAULT_PAUSE_SHORT);
	default:
		return BSDVM_FAILURE;
	}
}

/* Claim the slot and allocate, at the level of the pager. */
static bsdvm_status_t pager_prepare(struct fault_state *fs,
				    struct bsdvm_pager_request *req)
{
	bsdvm_status_t status;

	status = bsdvm_busy_claim(req->object, req->pindex, NULL);
	if (status == BSDVM_TRY_AGAIN)
		return fault_retry(fs, FAULT_PAUSE_NONE);
	if (status != BSDVM_SUCCESS)
		return status;
	req->page = fault_alloc(fs, false, &status);
	if (!req->page)
		bsdvm_busy_release(req->object, req->pindex, NULL);
	return status;
}

/* F-44: a fault that wires what nobody wired never reads (F-74). */
static bool pager_may_read(const struct fault_state *fs)
{
	return !fault_is_wiring(fs) || fs->lookup.wired;
}

/**
 * fault_pager - have the object in hand page in
 * @fs: paging in progress is counted on cursor.object, whose slot is empty
 *
 * F-44 to F-67.
 * The map is locked shared, if there is one, and perhaps no longer on return:
 * fs->map_locked says so. May sleep.
 *
 * Return: SUCCESS: the page is not there, look behind; the count still keeps
 * the object. Otherwise as fault_object().
 */
bsdvm_status_t fault_pager(struct fault_state *fs)
{
	struct bsdvm_pager_request req = {
		.object = fs->cursor.object,
		.pindex = fs->cursor.pindex,
	};
	bsdvm_status_t status = BSDVM_SUCCESS;
	bool behind;

	/* F-46, F-47: beyond its end a store of its own has nothing to give. */
	if (req.pindex >= req.object->size) {
		if (!bsdvm_object_is_anonymous(req.object))
			return BSDVM_PROTECTION_FAILURE;
	} else if (pager_may_read(fs)) {
		status = pager_prepare(fs, &req);
		if (status != BSDVM_SUCCESS)
			return status;
		behind = pager_is_sequential(fs);
		if (behind)
			fault_deactivate_behind(fs);
		req.sequential = pager_hint(fs, behind);
		pager_unlock_map(fs);
		status = pager_settle(fs, &req, bsdvm_pager_get_page(&req));
	}
	return status;
}

/**
 * fault_readahead - tell the pager that a read-ahead mark was met
 * @fs: everything is released but paging in progress on fs->pip
 *
 * F-41, F-67: whatever comes of it, the page itself is as good as before.
 * May sleep.
 */
void fault_readahead(struct fault_state *fs)
{
	if (bsdvm_tunables.debug_cluster)
		trace_bsdvm_readahead(fs->pip->id, fs->cursor.pindex);
	bsdvm_pager_readahead(fs->pip, fs->cursor.pindex);
	bsdvm_object_pip_done(fs->pip);
	fs->pip = NULL;
}
