// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The object part of a fault: walk the chain; find, fill or wait. */

#include "internal.h"
#include "vmcore.h"
#include "object.h"
#include "page.h"
#include "pager.h"
#include "fault.h"
#include "stats.h"

/* Sleep, after everything is released, until the slot in hand is not busy. */
static void fault_await_slot(struct fault_state *fs)
{
	if (bsdvm_busy_wait_prepare(&fs->wait, fs->cursor.object,
				    fs->cursor.pindex))
		fs->pause = FAULT_PAUSE_WAIT;
}

/* F-35: the same for a collapse that is moving the page we look for. */
static void fault_await_collapse(struct fault_state *fs)
{
	struct bsdvm_object *object = fs->cursor.object;

	if (!test_bit(BSDVM_OBJECT_COLLAPSING, &object->flags))
		return;
	bsdvm_wait_prepare(&fs->wait, object);
	if (test_bit(BSDVM_OBJECT_COLLAPSING, &object->flags))
		fs->pause = FAULT_PAUSE_WAIT;
	else
		bsdvm_wait_cancel(&fs->wait);
}

/*
 * F-41: a page with a read-ahead mark. Who clears the mark visits the pager:
 * fs->pip says so.
 */
static void fault_meet_readahead(struct fault_state *fs)
{
	struct bsdvm_object *object = fs->cursor.object;

	if (likely(!(bsdvm_page_state(fs->page) & BSDVM_PAGE_RAM)) ||
	    !bsdvm_pager_of(object) || !bsdvm_object_pip_add(object))
		return;
	if (bsdvm_page_test_clear(fs->page, BSDVM_PAGE_RAM))
		fs->pip = object;
	else
		bsdvm_object_pip_done(object);
}

/*
 * Walk on, and secure what was found before the object in hand may go: the
 * page by a reference, the slot by a place among its waiters, the pager by
 * paging in progress. What kept the object in hand until now is let go of only
 * once the walk has left it.
 */
static enum bsdvm_found fault_walk(struct fault_state *fs, bool below)
{
	struct bsdvm_object *passed = fs->pip;
	struct bsdvm_family *family;
	enum bsdvm_found found;

	fs->pip = NULL;
	family = passed ? NULL : fault_keep_family(fs);
	rcu_read_lock();
	found = below ? bsdvm_resolve_below(&fs->cursor) :
			bsdvm_resolve(&fs->cursor);
	switch (found) {
	case BSDVM_FOUND_PAGE:
		fs->page = bsdvm_resolve_hold(&fs->cursor);
		if (!fs->page)
			found = BSDVM_FOUND_AGAIN;
		else
			fault_meet_readahead(fs);
		break;
	case BSDVM_FOUND_BUSY:
		fault_await_slot(fs);
		break;
	case BSDVM_FOUND_PAGER:
		if (bsdvm_object_pip_add(fs->cursor.object))
			fs->pip = fs->cursor.object;
		else
			found = BSDVM_FOUND_AGAIN;
		break;
	case BSDVM_FOUND_AGAIN:
		fault_await_collapse(fs);
		break;
	case BSDVM_FOUND_HOLE:
		break;
	}
	rcu_read_unlock();
	bsdvm_resolve_leave(family);
	if (passed)
		bsdvm_object_pip_done(passed);
	return found;
}

/* No attempt waits for the page budget more often than this. */
#define FAULT_SHORTAGES	32

/* F-49, N-16. */
static bsdvm_status_t fault_shortage(struct fault_state *fs)
{
	if (!bsdvm_budget.limit || ++fs->shortages > FAULT_SHORTAGES)
		return BSDVM_RESOURCE_SHORTAGE;
	return fault_retry(fs, FAULT_PAUSE_MEMORY);
}

/**
 * fault_alloc - allocate a page for the first object
 * @fs:     the fault
 * @zeroed: with its bytes cleared
 * @status: out: why there is none
 *
 * F-48 to F-50. Without a page budget the kernel's allocator has already waited
 * as long as makes sense.
 *
 * Return: the page, locked, seen by nobody; or NULL.
 */
struct folio *fault_alloc(struct fault_state *fs, bool zeroed,
			  bsdvm_status_t *status)
{
	struct folio *page;

	if (!fs->didlimit) {
		fs->didlimit = true;
		fs->delay = bsdvm_ratelimit_delay();
		if (fs->delay) {
			*status = fault_retry(fs, FAULT_PAUSE_DELAY);
			return NULL;
		}
	}
	page = bsdvm_budget_is_severe() ? NULL :
	       bsdvm_page_alloc(fs->lookup.object, zeroed);
	if (!page)
		*status = fault_shortage(fs);
	return page;
}

/* What xa_cmpxchg() does, with less around it. Return: as fault_publish(). */
static bsdvm_status_t fault_store(struct fault_state *fs, void *expected,
				  struct folio *page)
{
	XA_STATE(xas, &fs->lookup.object->slots, fs->lookup.index);
	void *old;

	do {
		xas_lock(&xas);
		old = xas_load(&xas);
		if (likely(old == expected))
			xas_store(&xas, page);
		xas_unlock(&xas);
	} while (xas_nomem(&xas, GFP_KERNEL));
	if (unlikely(xas_error(&xas)))
		return BSDVM_RESOURCE_SHORTAGE;
	return likely(old == expected) ? BSDVM_SUCCESS :
					 fault_retry(fs, FAULT_PAUSE_NONE);
}

/**
 * fault_publish - put a filled page into the first object
 * @fs:   no page in hand; the walk found nothing there but, at depth 0, perhaps
 *        a tombstone
 * @page: from fault_alloc(), bound
 *
 * It becomes the page in hand, still locked: whoever finds it waits. F-51: of
 * several who fill the same page one gets here; the others give theirs back.
 *
 * Return: SUCCESS; TRY_AGAIN if the slot was filled meanwhile, or
 * RESOURCE_SHORTAGE: @page is gone then.
 */
bsdvm_status_t fault_publish(struct fault_state *fs, struct folio *page)
{
	void *expected = fs->cursor.depth ? NULL : fs->cursor.slot;
	bsdvm_status_t status;

	folio_get(page);
	status = fault_store(fs, expected, page);
	if (unlikely(status != BSDVM_SUCCESS)) {
		folio_put(page);
		bsdvm_page_discard(page);
		return status;
	}
	atomic_long_inc(&fs->lookup.object->resident);
	fs->page = page;
	fs->page_locked = true;
	fs->owned = true;
	return BSDVM_SUCCESS;
}

/* F-71, F-72. A frozen object stays as it is: the map gets one of its own. */
static bsdvm_status_t fault_zero_fill(struct fault_state *fs)
{
	const struct bsdvm_entry *entry = fs->lookup.entry;
	unsigned long state = BSDVM_PAGE_FRESH;
	bsdvm_status_t status;
	struct folio *page;

	if (fs->lookup.index >= fs->lookup.object->size)
		return BSDVM_PROTECTION_FAILURE;
	if (fs->request->flags & BSDVM_FAULT_NOZERO)
		return BSDVM_SUCCESS;
	if (entry && bsdvm_entry_needs_copy(entry)) {
		fs->want_top = true;
		return fault_retry(fs, FAULT_PAUSE_NONE);
	}
	page = fault_alloc(fs, true, &status);
	if (!page)
		return status;
	if (fault_is_write(fs) && (fs->request->flags & BSDVM_FAULT_DIRTY))
		state |= BSDVM_PAGE_DIRTY;
	bsdvm_page_bind(page, fault_page_index(fs, fs->request->pindex),
			state);
	status = fault_publish(fs, page);
	if (status != BSDVM_SUCCESS)
		return status;
	fs->zero_filled = true;
	bsdvm_count(v_zfod);
	return BSDVM_SUCCESS;
}

/* F-75 to F-77. */
static bsdvm_status_t fault_found(struct fault_state *fs)
{
	if (unlikely(fs->pip)) {
		fault_deactivate_behind(fs);
		return fault_retry(fs, FAULT_PAUSE_READAHEAD);
	}
	if (fs->cursor.depth == 0) {
		fs->owned = !fs->lookup.entry ||
			    !bsdvm_entry_needs_copy(fs->lookup.entry);
		return BSDVM_SUCCESS;
	}
	if (!fault_is_write(fs))
		return BSDVM_SUCCESS;
	return fault_cow(fs);
}

/**
 * fault_object - find or make the page
 * @fs: looked up; the map is locked shared (no map for an object fault)
 *
 * F-31 to F-85 (seed: vm_fault_object).
 *
 * Return: SUCCESS with the page in hand, or without one for a hole under
 * NOZERO. TRY_AGAIN with a pause, or a failure: fault_release() lets go.
 */
bsdvm_status_t fault_object(struct fault_state *fs)
{
	bsdvm_status_t status;
	bool below = false;

	if (bsdvm_object_is_dead(fs->lookup.object))
		return BSDVM_PROTECTION_FAILURE;
	fs->cursor = (struct bsdvm_cursor){
		.object = fs->lookup.object,
		.pindex = fs->lookup.index,
	};
	for (;;) {
		switch (fault_walk(fs, below)) {
		case BSDVM_FOUND_PAGE:
			return fault_found(fs);
		case BSDVM_FOUND_HOLE:
			return fault_zero_fill(fs);
		case BSDVM_FOUND_PAGER:
			status = fault_pager(fs);
			if (status != BSDVM_SUCCESS)
				return status;
			below = true;
			break;
		case BSDVM_FOUND_BUSY:
		case BSDVM_FOUND_AGAIN:
			return BSDVM_TRY_AGAIN;
		}
	}
}
