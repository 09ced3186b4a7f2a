// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Wiring: pages of a range are made resident, the map's own, and stay so.
 *
 * An entry's wired_count counts system wirings, plus one if it is user-wired.
 * Its pages are wired once, when the count leaves zero, and unwired when it
 * returns there. While an entry's pages are being wired the map is unlocked and
 * the entry is IN_TRANSITION: whoever wants to change it waits.
 */

#include "internal.h"
#include "vmcore.h"
#include "busy.h"
#include "map.h"
#include "object.h"
#include "page.h"
#include "resolve.h"
#include "stats.h"
#include "wire.h"

/* W-10. Between its first page and its last a map has no hole (I-17). */
static bool wire_is_covered(const struct bsdvm_map *map, bsdvm_pindex_t first,
			    bsdvm_pindex_t last)
{
	return first <= last && last < map->size;
}

static struct bsdvm_entry *wire_find_transition(struct bsdvm_map *map,
						bsdvm_pindex_t first,
						bsdvm_pindex_t last)
{
	struct bsdvm_entry *entry;

	bsdvm_for_each_entry(map, entry, first, last)
		if (entry->flags & BSDVM_ENTRY_IN_TRANSITION)
			return entry;
	return NULL;
}

/* Arrange to sleep until the transition of @entry ends; the map is unlocked. */
static void wire_await_transition(struct bsdvm_entry *entry,
				  struct bsdvm_wait *wait)
{
	struct bsdvm_map *map = entry->map;

	bsdvm_count(v_intrans_coll);
	entry->flags |= BSDVM_ENTRY_NEEDS_WAKEUP;
	bsdvm_wait_prepare(wait, map);
	bsdvm_map_unlock(map);
	bsdvm_count(v_intrans_wait);
}

/**
 * bsdvm_map_lock_settled - lock a map when no entry of a range is in transition
 * @map:   which; not locked by the caller
 * @first: first page
 * @last:  last page, inclusive
 *
 * M-34: whoever changes entries, or freezes what they show, waits for wiring
 * under way. May sleep.
 *
 * Return: SUCCESS with the map locked exclusively; INTERRUPTED without.
 */
bsdvm_status_t bsdvm_map_lock_settled(struct bsdvm_map *map,
				      bsdvm_pindex_t first,
				      bsdvm_pindex_t last)
{
	struct bsdvm_entry *entry;
	struct bsdvm_wait wait;

	if (bsdvm_map_lock(map) != BSDVM_SUCCESS)
		return BSDVM_INTERRUPTED;
	while ((entry = wire_find_transition(map, first, last))) {
		wire_await_transition(entry, &wait);
		if (bsdvm_wait(&wait))
			return BSDVM_INTERRUPTED;
		if (bsdvm_map_lock(map) != BSDVM_SUCCESS)
			return BSDVM_INTERRUPTED;
	}
	return BSDVM_SUCCESS;
}

/**
 * bsdvm_map_lock_settled_always - the same where there is no way to fail
 * @map:   which; not locked by the caller
 * @first: first page
 * @last:  last page, inclusive
 *
 * As bsdvm_map_lock_settled(), but sleeps whatever signals arrive.
 */
void bsdvm_map_lock_settled_always(struct bsdvm_map *map, bsdvm_pindex_t first,
				   bsdvm_pindex_t last)
{
	struct bsdvm_entry *entry;
	struct bsdvm_wait wait;

	bsdvm_map_lock_always(map);
	while ((entry = wire_find_transition(map, first, last))) {
		wire_await_transition(entry, &wait);
		bsdvm_wait_uninterruptible(&wait);
		bsdvm_map_lock_always(map);
	}
}

/* Lock the map for a change to a range; ends clipped, nothing in transition. */
static bsdvm_status_t wire_begin(struct bsdvm_map *map, bsdvm_pindex_t first,
				 bsdvm_pindex_t last)
{
	bsdvm_status_t status = bsdvm_map_lock_settled(map, first, last);

	if (status != BSDVM_SUCCESS)
		return status;
	if (!wire_is_covered(map, first, last))
		status = BSDVM_INVALID_ADDRESS;
	else
		status = bsdvm_entry_clip_range(map, first, last);
	if (status != BSDVM_SUCCESS) {
		bsdvm_entry_simplify(map, first, last);
		bsdvm_map_unlock(map);
	}
	return status;
}

/* W-14. */
static void wire_end(struct bsdvm_map *map, bsdvm_pindex_t first,
		     bsdvm_pindex_t last)
{
	struct bsdvm_entry *entry;
	bool wake = false;

	bsdvm_for_each_entry(map, entry, first, last) {
		wake |= entry->flags & BSDVM_ENTRY_NEEDS_WAKEUP;
		entry->flags &= ~(BSDVM_ENTRY_IN_TRANSITION |
				  BSDVM_ENTRY_NEEDS_WAKEUP);
	}
	bsdvm_entry_simplify(map, first, last);
	bsdvm_map_unlock(map);
	if (wake)
		bsdvm_wake(map);
}

static void wire_mark_transition(struct bsdvm_map *map, bsdvm_pindex_t first,
				 bsdvm_pindex_t last)
{
	struct bsdvm_entry *entry;

	bsdvm_for_each_entry(map, entry, first, last)
		entry->flags |= BSDVM_ENTRY_IN_TRANSITION;
}

/* The page a map shows at @pindex, referenced, or NULL. The map is locked. */
static struct folio *wire_page_at(const struct bsdvm_entry *entry,
				  bsdvm_pindex_t pindex)
{
	unsigned int disturbed = 0;
	struct bsdvm_family *family;
	struct folio *page = NULL;
	enum bsdvm_found found;

	do {
		struct bsdvm_cursor cursor = {
			.object = entry->object,
			.pindex = bsdvm_entry_index(entry, pindex),
		};

		family = bsdvm_resolve_keep(entry->object, disturbed++);
		rcu_read_lock();
		found = bsdvm_resolve_resident(&cursor);
		if (found == BSDVM_FOUND_PAGE)
			page = bsdvm_resolve_hold(&cursor);
		rcu_read_unlock();
		bsdvm_resolve_leave(family);
		cond_resched();
	} while (found == BSDVM_FOUND_AGAIN ||
		 (found == BSDVM_FOUND_PAGE && !page));
	return page;
}

/* W-7, W-8: by the entry's object, not by what happens to be mapped. */
static void wire_release_pages(const struct bsdvm_entry *entry,
			       bsdvm_pindex_t first, bsdvm_pindex_t end)
{
	struct folio *page;

	for (; first < end; first++) {
		page = wire_page_at(entry, first);
		if (!page)
			continue;
		if (bsdvm_page_wire_count(page))
			bsdvm_page_unwire(page);
		folio_put(page);
	}
}

/**
 * bsdvm_entry_unwire - undo all wiring of an entry
 * @entry: its map locked exclusively, or unreachable
 *
 * W-23: before an entry goes.
 */
void bsdvm_entry_unwire(struct bsdvm_entry *entry)
{
	if (!entry->wired_count)
		return;
	entry->wired_count = 0;
	entry->flags &= ~BSDVM_ENTRY_USER_WIRED;
	wire_release_pages(entry, entry->start, entry->last + 1);
}

/**
 * bsdvm_entry_unwire_range - undo the wiring of some pages of an entry
 * @entry: its map locked exclusively
 * @first: first page
 * @last:  last page, inclusive
 *
 * Before the entry is cut: what lies behind its object is not freed with it.
 */
void bsdvm_entry_unwire_range(struct bsdvm_entry *entry, bsdvm_pindex_t first,
			      bsdvm_pindex_t last)
{
	if (entry->wired_count)
		wire_release_pages(entry, first, last + 1);
}

/**
 * bsdvm_entry_rewire_range - take bsdvm_entry_unwire_range() back
 * @entry: its map locked exclusively ever since, its pages still there
 * @first: first page
 * @last:  last page, inclusive
 *
 * Cannot fail.
 */
void bsdvm_entry_rewire_range(struct bsdvm_entry *entry, bsdvm_pindex_t first,
			      bsdvm_pindex_t last)
{
	struct folio *page;

	if (!entry->wired_count)
		return;
	for (; first <= last; first++) {
		page = wire_page_at(entry, first);
		bsdvm_page_wire(page);
		folio_put(page);
	}
}

static bool wire_is_own(const struct bsdvm_entry *entry, bsdvm_pindex_t pindex)
{
	struct bsdvm_cursor cursor = {
		.object = entry->object,
		.pindex = bsdvm_entry_index(entry, pindex),
	};

	rcu_read_lock();
	bsdvm_resolve_resident(&cursor);
	rcu_read_unlock();
	return !cursor.depth;
}

/**
 * bsdvm_entry_wired_own - are wired pages of an entry this map's own?
 * @entry: its map locked exclusively
 * @first: first page
 * @last:  last page, inclusive
 *
 * Those of an entry that could not be written when it was wired may lie behind
 * its object, where others see them (W-5).
 *
 * Return: false if one is not; true if the entry is not wired.
 */
bool bsdvm_entry_wired_own(const struct bsdvm_entry *entry,
			   bsdvm_pindex_t first, bsdvm_pindex_t last)
{
	struct bsdvm_family *family = entry->map->family;
	bool own = true;

	if (!entry->wired_count)
		return true;
	if (bsdvm_entry_needs_copy(entry))
		return false;
	first = max(first, entry->start);
	last = min(last, entry->last);
	bsdvm_family_lock(family);
	for (; own && first <= last; first++) {
		own = wire_is_own(entry, first);
		cond_resched();
	}
	bsdvm_family_unlock(family);
	return own;
}

static bsdvm_status_t wire_fault(struct bsdvm_map *map, bsdvm_pindex_t pindex,
				 unsigned int flag)
{
	struct bsdvm_fault fault = {
		.map = map,
		.pindex = pindex,
		.fault_type = flag == BSDVM_FAULT_USER_WIRE ?
			      BSDVM_PROT_READ : BSDVM_PROT_RW,
		.flags = flag,
	};

	return bsdvm_fault(&fault);
}

/*
 * W-1 to W-7: wire the pages of an entry in transition. The map is locked on
 * entry and on return, and unlocked between. After a failure none is wired.
 */
static bsdvm_status_t wire_pages(struct bsdvm_entry *entry, unsigned int flag)
{
	bsdvm_status_t status = BSDVM_SUCCESS;
	struct bsdvm_map *map = entry->map;
	bsdvm_pindex_t pindex;

	bsdvm_map_unlock(map);
	for (pindex = entry->start; pindex <= entry->last; pindex++) {
		/* A fault that need not wait does not look (F-30). */
		status = fatal_signal_pending(current) ? BSDVM_INTERRUPTED :
			 wire_fault(map, pindex, flag);
		if (status != BSDVM_SUCCESS)
			break;
		cond_resched();
	}
	bsdvm_map_lock_always(map);
	if (status != BSDVM_SUCCESS)
		wire_release_pages(entry, entry->start, pindex);
	return status;
}

/* W-11: what must be there before the pages are wired. */
static bsdvm_status_t wire_prepare(struct bsdvm_entry *entry)
{
	if (entry->object && (!bsdvm_entry_needs_copy(entry) ||
			      !(entry->protection & BSDVM_PROT_WRITE)))
		return BSDVM_SUCCESS;
	return bsdvm_entry_make_top(entry);
}

static void wire_drop_one(struct bsdvm_entry *entry)
{
	if (!WARN_ON_ONCE(!entry->wired_count) && !--entry->wired_count)
		wire_release_pages(entry, entry->start, entry->last + 1);
}

/* W-11, first pass: count every entry of the range, or none. */
static bsdvm_status_t wire_count_range(struct bsdvm_map *map,
				       bsdvm_pindex_t first,
				       bsdvm_pindex_t last)
{
	bsdvm_status_t status;
	struct bsdvm_entry *entry, *undo;

	bsdvm_for_each_entry(map, entry, first, last) {
		status = wire_prepare(entry);
		if (status == BSDVM_SUCCESS) {
			entry->wired_count++;
			continue;
		}
		bsdvm_for_each_entry(map, undo, first, last) {
			if (undo == entry)
				return status;
			undo->wired_count--;
		}
	}
	return BSDVM_SUCCESS;
}

/*
 * W-13 and D-26: entry @failed has no page wired; entries before it are fully
 * wired, those behind it only counted, unless they were wired before.
 */
static void wire_roll_back(struct bsdvm_map *map, bsdvm_pindex_t first,
			   bsdvm_pindex_t last, struct bsdvm_entry *failed)
{
	struct bsdvm_entry *entry;
	bool wired = true;

	bsdvm_for_each_entry(map, entry, first, last) {
		if (entry == failed)
			wired = false;
		if (wired)
			wire_drop_one(entry);
		else
			entry->wired_count--;
	}
}

/**
 * bsdvm_map_wire - wire a range for the system
 * @map:   where
 * @first: first page
 * @last:  last page, inclusive
 *
 * W-10 to W-14.
 * Context: no lock of the core held; may sleep.
 *
 * Return: SUCCESS; INVALID_ADDRESS if the range has a hole; what a fault came
 * to. Nothing is wired by this call after a failure.
 */
bsdvm_status_t bsdvm_map_wire(struct bsdvm_map *map, bsdvm_pindex_t first,
			      bsdvm_pindex_t last)
{
	bsdvm_status_t status = wire_begin(map, first, last);
	struct bsdvm_entry *entry;

	if (status != BSDVM_SUCCESS)
		return status;
	status = wire_count_range(map, first, last);
	if (status != BSDVM_SUCCESS)
		goto out;
	wire_mark_transition(map, first, last);
	bsdvm_for_each_entry(map, entry, first, last) {
		if (entry->wired_count != 1)
			continue;
		status = wire_pages(entry, BSDVM_FAULT_CHANGE_WIRING);
		if (status != BSDVM_SUCCESS) {
			wire_roll_back(map, first, last, entry);
			break;
		}
	}
	trace_bsdvm_wire(map->id, first, last - first + 1, 0);
out:
	wire_end(map, first, last);
	return status;
}

/**
 * bsdvm_map_unwire - take a system wiring back
 * @map:   where
 * @first: first page
 * @last:  last page, inclusive
 *
 * W-15, W-16.
 * Context: no lock of the core held; may sleep.
 *
 * Return: SUCCESS; INVALID_ADDRESS if the range has a hole, INVALID_ARGUMENT if
 * some of it has no system wiring: nothing is changed then.
 */
bsdvm_status_t bsdvm_map_unwire(struct bsdvm_map *map, bsdvm_pindex_t first,
				bsdvm_pindex_t last)
{
	bsdvm_status_t status = wire_begin(map, first, last);
	struct bsdvm_entry *entry;

	if (status != BSDVM_SUCCESS)
		return status;
	bsdvm_for_each_entry(map, entry, first, last) {
		unsigned int user = !!(entry->flags & BSDVM_ENTRY_USER_WIRED);

		if (entry->wired_count <= user)
			status = BSDVM_INVALID_ARGUMENT;
	}
	if (status == BSDVM_SUCCESS)
		bsdvm_for_each_entry(map, entry, first, last)
			wire_drop_one(entry);
	wire_end(map, first, last);
	return status;
}

/* W-18, W-19: wire one entry for the user. */
static bsdvm_status_t wire_user_entry(struct bsdvm_entry *entry)
{
	bsdvm_status_t status;

	if (entry->wired_count) {
		entry->wired_count++;
		entry->flags |= BSDVM_ENTRY_USER_WIRED;
		return BSDVM_SUCCESS;
	}
	status = wire_prepare(entry);
	if (status != BSDVM_SUCCESS)
		return status;
	entry->wired_count = 1;
	entry->flags |= BSDVM_ENTRY_USER_WIRED;
	status = wire_pages(entry, BSDVM_FAULT_USER_WIRE);
	if (status == BSDVM_SUCCESS)
		return status;
	entry->wired_count = 0;
	entry->flags &= ~BSDVM_ENTRY_USER_WIRED;
	return status;
}

static void wire_user_drop(struct bsdvm_entry *entry)
{
	entry->flags &= ~BSDVM_ENTRY_USER_WIRED;
	wire_drop_one(entry);
}

static bsdvm_status_t wire_user_range(struct bsdvm_map *map,
				      bsdvm_pindex_t first,
				      bsdvm_pindex_t last,
				      bsdvm_pindex_t *npages)
{
	bsdvm_status_t status;
	struct bsdvm_entry *entry;

	bsdvm_for_each_entry(map, entry, first, last) {
		if (entry->flags & BSDVM_ENTRY_USER_WIRED)
			continue;
		status = wire_user_entry(entry);
		if (status != BSDVM_SUCCESS)
			return status;
		entry->flags |= BSDVM_ENTRY_BY_THIS_CALL;
		*npages += bsdvm_entry_npages(entry);
	}
	return BSDVM_SUCCESS;
}

/* W-20 [C], or just the marks off. */
static void wire_user_finish(struct bsdvm_map *map, bsdvm_pindex_t first,
			     bsdvm_pindex_t last, bool undo)
{
	struct bsdvm_entry *entry;

	bsdvm_for_each_entry(map, entry, first, last) {
		if (!(entry->flags & BSDVM_ENTRY_BY_THIS_CALL))
			continue;
		entry->flags &= ~BSDVM_ENTRY_BY_THIS_CALL;
		if (undo)
			wire_user_drop(entry);
	}
}

/**
 * bsdvm_map_user_wire - wire a range for the user
 * @map:    where
 * @first:  first page
 * @last:   last page, inclusive
 * @npages: out: pages that were not user-wired before
 *
 * W-18 to W-20; however often, a page counts once.
 * Context: no lock of the core held; may sleep.
 *
 * Return: as bsdvm_map_wire(). After a failure this call has wired nothing, and
 * what was wired before it still is.
 */
bsdvm_status_t bsdvm_map_user_wire(struct bsdvm_map *map, bsdvm_pindex_t first,
				   bsdvm_pindex_t last,
				   bsdvm_pindex_t *npages)
{
	bsdvm_status_t status = wire_begin(map, first, last);

	*npages = 0;
	if (status != BSDVM_SUCCESS)
		return status;
	wire_mark_transition(map, first, last);
	status = wire_user_range(map, first, last, npages);
	wire_user_finish(map, first, last, status != BSDVM_SUCCESS);
	if (status != BSDVM_SUCCESS)
		*npages = 0;
	trace_bsdvm_wire(map->id, first, last - first + 1, 1);
	wire_end(map, first, last);
	return status;
}

/**
 * bsdvm_map_user_unwire - take the user's wiring back
 * @map:    where
 * @first:  first page
 * @last:   last page, inclusive
 * @npages: out: pages that are no longer user-wired
 *
 * W-21.
 * Context: no lock of the core held; may sleep.
 *
 * Return: SUCCESS; INVALID_ADDRESS if the range has a hole, INVALID_ARGUMENT if
 * some of it is not user-wired: nothing is changed then.
 */
bsdvm_status_t bsdvm_map_user_unwire(struct bsdvm_map *map,
				     bsdvm_pindex_t first, bsdvm_pindex_t last,
				     bsdvm_pindex_t *npages)
{
	bsdvm_status_t status = wire_begin(map, first, last);
	struct bsdvm_entry *entry;

	*npages = 0;
	if (status != BSDVM_SUCCESS)
		return status;
	bsdvm_for_each_entry(map, entry, first, last)
		if (!(entry->flags & BSDVM_ENTRY_USER_WIRED))
			status = BSDVM_INVALID_ARGUMENT;
	if (status == BSDVM_SUCCESS) {
		bsdvm_for_each_entry(map, entry, first, last)
			wire_user_drop(entry);
		*npages = last - first + 1;
	}
	wire_end(map, first, last);
	return status;
}
