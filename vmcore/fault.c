// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The fault: from an address and an access to a page.
 *
 *   attempt:  lookup  ->  walk the chain  ->  found in the first object
 *               |              |              found behind, read: share it
 *               |              |              found behind, write: copy, rename
 *               |              |              nowhere: zero-fill
 *               |              '- busy, paging, short of memory: release, pause
 *               v                                                     |
 *            lock the page, look again, map it or hand it over        |
 *                                                                     v
 *                                                           next attempt
 *
 * One state, one loop, one release. A step that cannot go on without sleeping
 * says so by TRY_AGAIN and a pause; fault_release() lets go of everything, the
 * pause is slept, and the next attempt begins with the lookup. Nothing learnt
 * before the sleep is used after it but what struct fault_state lists.
 *
 * The race rule. A page is mapped after we let go of it, guarded by its folio
 * lock alone. So, under that lock, with the map still locked, the walk is
 * repeated: (map, page) must still resolve to it. Who puts a page in front of
 * it takes and releases its folio lock before the new page may be written;
 * who freezes, punches or resizes holds the map exclusively and waits for the
 * folio locks of the pages concerned before removing mappings.
 */

#include "internal.h"
#include "vmcore.h"
#include "object.h"
#include "page.h"
#include "pager.h"
#include "fault.h"
#include "stats.h"

/**
 * fault_retry - end this attempt
 * @fs:    the fault
 * @pause: what to do before the next
 *
 * Does not sleep.
 *
 * Return: TRY_AGAIN, to be passed up.
 */
bsdvm_status_t fault_retry(struct fault_state *fs, enum fault_pause pause)
{
	fs->pause = pause;
	return BSDVM_TRY_AGAIN;
}

/* Let go of all that one attempt holds (I-15). Does not sleep. */
static void fault_release(struct fault_state *fs)
{
	if (fs->page) {
		if (fs->page_locked)
			folio_unlock(fs->page);
		folio_put(fs->page);
		fs->page = NULL;
		fs->page_locked = false;
	}
	if (fs->map_locked) {
		bsdvm_map_unlock_shared(fs->lookup.map);
		fs->map_locked = false;
	}
	if (fs->pip && fs->pause != FAULT_PAUSE_READAHEAD) {
		bsdvm_object_pip_done(fs->pip);
		fs->pip = NULL;
	}
}

/* Sleep as the attempt asked, with nothing held. F-30: killable. */
static bsdvm_status_t fault_pause(struct fault_state *fs)
{
	int error = 0;

	switch (fs->pause) {
	case FAULT_PAUSE_NONE:
		fs->disturbed++;
		cond_resched();
		break;
	case FAULT_PAUSE_WAIT:
		bsdvm_count(v_intrans);
		error = bsdvm_wait(&fs->wait);
		break;
	case FAULT_PAUSE_MEMORY:
		error = bsdvm_budget_wait();
		break;
	case FAULT_PAUSE_DELAY:
		schedule_timeout_killable(fs->delay);
		break;
	case FAULT_PAUSE_SHORT:
		schedule_timeout_killable(1);
		break;
	case FAULT_PAUSE_READAHEAD:
		fault_readahead(fs);
		break;
	}
	fs->pause = FAULT_PAUSE_NONE;
	bsdvm_count(restarts);
	return error || fatal_signal_pending(current) ? BSDVM_INTERRUPTED :
							BSDVM_SUCCESS;
}

/*
 * F-8, F-9: wiring a page that the entry does not let its user read is allowed
 * if max_protection does. The price: what could not be written then never will
 * be. Only reading is asked of max_protection, so that the second page of an
 * entry is treated as the first.
 */
static bsdvm_status_t fault_restrict(struct bsdvm_fault *request)
{
	struct bsdvm_entry *entry;
	bsdvm_status_t status = bsdvm_map_lock(request->map);

	if (status != BSDVM_SUCCESS)
		return status;
	entry = bsdvm_map_entry_at(request->map, request->pindex);
	if (!entry || !(entry->max_protection & BSDVM_PROT_READ))
		status = BSDVM_PROTECTION_FAILURE;
	else if (!(entry->protection & BSDVM_PROT_WRITE))
		entry->max_protection &= ~BSDVM_PROT_WRITE;
	bsdvm_map_unlock(request->map);
	return status;
}

static bool fault_may_override(const struct bsdvm_fault *request)
{
	return (request->flags & BSDVM_FAULT_WIRE_MASK) ==
	       BSDVM_FAULT_USER_WIRE;
}

/* F-3 to F-12. SUCCESS: the map is locked shared. */
static bsdvm_status_t fault_lookup(struct fault_state *fs)
{
	struct bsdvm_fault *request = fs->request;
	struct bsdvm_lookup *lookup = &fs->lookup;
	bsdvm_status_t status;

	lookup->fault_type = request->fault_type;
	lookup->want_top = fs->want_top;
	status = bsdvm_map_lookup(lookup);
	if (status == BSDVM_PROTECTION_FAILURE && fault_may_override(request)) {
		status = fault_restrict(request);
		if (status != BSDVM_SUCCESS)
			return status;
		lookup->fault_type = BSDVM_PROT_READ | BSDVM_PROT_OVERRIDE;
		status = bsdvm_map_lookup(lookup);
	}
	if (status != BSDVM_SUCCESS)
		return status;
	fs->map_locked = true;
	if (lookup->entry->flags & BSDVM_ENTRY_NOFAULT)
		return BSDVM_FAILURE;
	return BSDVM_SUCCESS;
}

/*
 * Does the page in hand still answer for this address? Pagers on the way have
 * said already that they do not have it; what one brought since lies in a slot.
 */
static bool fault_page_is_current(struct fault_state *fs)
{
	struct bsdvm_cursor cursor = {
		.object = fs->lookup.object,
		.pindex = fs->lookup.index,
	};
	bool is_current;

	rcu_read_lock();
	is_current = bsdvm_resolve_resident(&cursor) == BSDVM_FOUND_PAGE &&
		     cursor.slot == fs->page;
	rcu_read_unlock();
	return is_current;
}

/* The race rule: lock the page in hand, and look again. */
static bsdvm_status_t fault_lock_page(struct fault_state *fs)
{
	struct bsdvm_family *family;
	bool is_current;

	if (fs->page_locked)
		return BSDVM_SUCCESS;
	family = fault_keep_family(fs);
	folio_lock(fs->page);
	fs->page_locked = true;
	is_current = fault_page_is_current(fs);
	bsdvm_resolve_leave(family);
	if (unlikely(!is_current))
		return fault_retry(fs, FAULT_PAUSE_NONE);
	return BSDVM_SUCCESS;
}

/* F-89: NOSYNC follows the entry's, but never hides that a page is dirty. */
static void fault_mark_nosync(const struct fault_state *fs, struct folio *page)
{
	const struct bsdvm_entry *entry = fs->lookup.entry;

	if (entry && (entry->flags & BSDVM_ENTRY_NOSYNC)) {
		if (!(bsdvm_page_state(page) & BSDVM_PAGE_DIRTY))
			bsdvm_page_set(page, BSDVM_PAGE_NOSYNC);
	} else {
		bsdvm_page_test_clear(page, BSDVM_PAGE_NOSYNC);
	}
}

/**
 * fault_mark_writable - note that a page may be written to
 * @fs:     looked up; the map is locked shared, if there is one
 * @page:   locked, of the first object
 * @pindex: its place in the map; in the object where there is no map
 *
 * A page taken over from another map gets this map's identity when it is mapped
 * or written: who waits on a futex by a mapping that can be written to must be
 * found by who writes, whether or not either of them has a fault. F-89. Does
 * not sleep.
 */
void fault_mark_writable(const struct fault_state *fs, struct folio *page,
			 bsdvm_pindex_t pindex)
{
	unsigned long index = fault_page_index(fs, pindex);

	if (unlikely(page->index != index) && fs->lookup.map &&
	    (fs->request->pmap || fault_is_write(fs)))
		WRITE_ONCE(page->index, index);
	fault_mark_nosync(fs, page);
}

/* F-20, F-88 to F-91: state of the page, which is locked. */
static void fault_mark_page(struct fault_state *fs)
{
	struct bsdvm_object *object = fs->lookup.object;
	bsdvm_pindex_t pindex = fs->lookup.index;

	bsdvm_page_activate(fs->page);
	if (!fs->owned)
		return;
	if (fs->lookup.prot & BSDVM_PROT_WRITE)
		fault_mark_writable(fs, fs->page, fs->request->pindex);
	else if (fs->lookup.map)
		return;
	/* FP-17: an object fault may dirty a page it does not write. */
	if (fs->request->flags & BSDVM_FAULT_DIRTY)
		bsdvm_page_dirty(object, pindex, fs->page);
	if ((fs->request->flags & BSDVM_FAULT_UNSWAP) &&
	    bsdvm_page_test_clear(fs->page, BSDVM_PAGE_SWAPPED))
		bsdvm_pager_forget(object, pindex);
}

/* F-24. */
static void fault_wire_page(struct fault_state *fs)
{
	if (fs->lookup.wired)
		bsdvm_page_wire(fs->page);
	else if (bsdvm_page_wire_count(fs->page))
		bsdvm_page_unwire(fs->page);
}

/* The caller gets the reference and the folio lock. */
static void fault_hand_over(struct fault_state *fs)
{
	fs->request->page = fs->page;
	fs->page = NULL;
	fs->page_locked = false;
}

static bool fault_enter(struct fault_state *fs)
{
	struct bsdvm_fault *request = fs->request;

	if (!request->pmap || fs->page == request->present)
		return false;
	if ((request->flags & BSDVM_FAULT_BURST) && !fs->lookup.wired)
		return prefault(fs);
	return bsdvm_pmap->enter(request->pmap, request->pindex, &fs->page, 1,
				 request->prot) == 1;
}

/* F-75 to F-94: the page in hand is the answer, unless it no longer is. */
static bsdvm_status_t fault_finish(struct fault_state *fs)
{
	bsdvm_status_t status = fault_lock_page(fs);

	if (status != BSDVM_SUCCESS)
		return status;
	/* As late as can be: it is marked whoever holds the lock. */
	if (bsdvm_page_is_broken(fs->page))
		return BSDVM_MEMORY_BROKEN;
	/* I-9: what lies in a backing object is never mapped for writing. */
	if (!fs->owned)
		fs->lookup.prot &= ~BSDVM_PROT_WRITE;
	fs->request->prot = fs->lookup.prot & BSDVM_PROT_ALL;
	fault_mark_page(fs);
	if (fault_is_wiring(fs))
		fault_wire_page(fs);
	else if (!fault_enter(fs))
		fault_hand_over(fs);
	return BSDVM_SUCCESS;
}

static bsdvm_status_t fault_attempt(struct fault_state *fs)
{
	bsdvm_status_t status = BSDVM_SUCCESS;

	fs->owned = false;
	fs->zero_filled = false;
	fs->copied = false;
	if (fs->lookup.map)
		status = fault_lookup(fs);
	if (status == BSDVM_SUCCESS)
		status = fault_object(fs);
	if (status == BSDVM_SUCCESS && fs->page)
		status = fault_finish(fs);
	fault_release(fs);
	return status;
}

/* TRY_AGAIN never leaves. */
static bsdvm_status_t fault_run(struct fault_state *fs)
{
	bsdvm_status_t status, pause;

	for (;;) {
		status = fault_attempt(fs);
		if (status != BSDVM_TRY_AGAIN)
			return status;
		pause = fault_pause(fs);
		if (pause != BSDVM_SUCCESS)
			return pause;
	}
}

/**
 * bsdvm_fault - resolve a fault
 * @fault: request and result
 *
 * F-1 to F-96 (seed: vm_fault). Called with no lock of the core held. SUCCESS
 * with @fault->page set: the page is referenced and locked, and may be mapped
 * with @fault->prot as long as the lock is held. SUCCESS without: it was
 * entered (or wired, or a hole under NOZERO).
 *
 * Return: SUCCESS, INVALID_ADDRESS, PROTECTION_FAILURE, FAILURE, MEMORY_BROKEN,
 * RESOURCE_SHORTAGE or INTERRUPTED. Nothing is held after a failure.
 */
bsdvm_status_t bsdvm_fault(struct bsdvm_fault *fault)
{
	struct fault_state fs = {
		.request = fault,
		.lookup.map = fault->map,
		.lookup.pindex = fault->pindex,
	};
	bsdvm_status_t status;

	bsdvm_count(v_vm_faults);
	fault->page = NULL;
	fault->hard = false;
	status = fault_run(&fs);
	trace_bsdvm_fault(fault->map->id, fault->pindex, fault->fault_type,
			  fault->flags, (__force unsigned int)status);
	return status;
}

/* A page handed over becomes a held one: for reading it need not be locked. */
static void fault_hold(struct folio *page, unsigned int fault_type)
{
	if (!(fault_type & BSDVM_PROT_WRITE))
		folio_unlock(page);
}

/**
 * bsdvm_fault_page - hold the page at an address
 * @map:        where
 * @pindex:     which page
 * @fault_type: BSDVM_PROT_*
 * @flags:      BSDVM_FAULT_NOZERO, BSDVM_FAULT_UNSWAP or 0
 * @page:       out: the page, referenced; locked if asked for writing, so that
 *              a snapshot waits for the write (FP-21). NULL for a hole under
 *              NOZERO
 *
 * FP-1 to FP-12. Installs no mapping. Give the page back by
 * bsdvm_fault_page_done().
 * Context: no lock of the core held; may sleep.
 *
 * Return: as bsdvm_fault().
 */
bsdvm_status_t bsdvm_fault_page(struct bsdvm_map *map, bsdvm_pindex_t pindex,
				unsigned int fault_type, unsigned int flags,
				struct folio **page)
{
	struct bsdvm_fault fault = {
		.map = map,
		.pindex = pindex,
		.fault_type = fault_type,
		.flags = flags,
	};
	bsdvm_status_t status;

	*page = NULL;
	if (WARN_ON_ONCE(flags & BSDVM_FAULT_WIRE_MASK))
		return BSDVM_INVALID_ARGUMENT;
	if (fault_type & BSDVM_PROT_WRITE)
		fault.flags |= BSDVM_FAULT_DIRTY;
	status = bsdvm_fault(&fault);
	if (status != BSDVM_SUCCESS || !fault.page)
		return status;
	if ((fault_type & BSDVM_PROT_WRITE) &&
	    !(fault.prot & BSDVM_PROT_WRITE)) {
		bsdvm_fault_page_done(fault.page, fault_type);
		return BSDVM_PROTECTION_FAILURE;
	}
	fault_hold(fault.page, fault_type);
	*page = fault.page;
	return BSDVM_SUCCESS;
}

/**
 * bsdvm_fault_object_page - hold a page of an object
 * @object:      referenced by the caller, who keeps it from being frozen
 * @byte_offset: anywhere in the page
 * @fault_type:  BSDVM_PROT_* or 0: make it resident, neither write nor copy
 * @flags:       BSDVM_FAULT_DIRTY, BSDVM_FAULT_UNSWAP, BSDVM_FAULT_NOZERO
 * @page:        out: as in bsdvm_fault_page()
 *
 * FP-13 to FP-20. Mappings of a page that a copy replaces are removed in every
 * map that shows it.
 * Context: no lock of the core held; may sleep.
 *
 * Return: as bsdvm_fault(); PROTECTION_FAILURE beyond the object's end.
 */
bsdvm_status_t bsdvm_fault_object_page(struct bsdvm_object *object,
				       u64 byte_offset,
				       unsigned int fault_type,
				       unsigned int flags,
				       struct folio **page)
{
	struct bsdvm_fault fault = {
		.pindex = byte_offset >> PAGE_SHIFT,
		.fault_type = fault_type,
		.flags = flags,
	};
	struct fault_state fs = {
		.request = &fault,
		.lookup.object = object,
		.lookup.index = fault.pindex,
		.lookup.pindex = fault.pindex,
		.lookup.fault_type = fault_type,
		.lookup.prot = fault_type,
	};
	bsdvm_status_t status;

	*page = NULL;
	if (WARN_ON_ONCE(flags & BSDVM_FAULT_WIRE_MASK))
		return BSDVM_INVALID_ARGUMENT;
	if (fault_type & BSDVM_PROT_WRITE)
		fault.flags |= BSDVM_FAULT_DIRTY;
	status = fault_run(&fs);
	if (fault.hard)
		bsdvm_count(v_vm_faults);
	if (status != BSDVM_SUCCESS || !fault.page)
		return status;
	fault_hold(fault.page, fault_type);
	*page = fault.page;
	return BSDVM_SUCCESS;
}

/**
 * bsdvm_fault_page_done - give a held page back
 * @page:       from bsdvm_fault_page() or bsdvm_fault_object_page()
 * @fault_type: what it was held for
 *
 * Does not sleep.
 */
void bsdvm_fault_page_done(struct folio *page, unsigned int fault_type)
{
	if (fault_type & BSDVM_PROT_WRITE)
		folio_unlock(page);
	folio_put(page);
}
