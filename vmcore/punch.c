// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Holes: pages taken away from a map.
 *
 * Only the map's own top object is touched. Where an object behind it has a
 * page, the top gets a tombstone, or a narrower window; snapshots keep what
 * they have.
 *
 *     top:      a . c .        punch pages 0..2:    0 0 . .
 *     backing:  A B . D                             A B . D
 *
 * The map is locked exclusively throughout: slots change first, then faults
 * about to map a page of the range are waited for (their folio locks), then
 * mappings are removed, then the pages go.
 */

#include "internal.h"
#include "vmcore.h"
#include "busy.h"
#include "map.h"
#include "object.h"
#include "page.h"
#include "pager.h"
#include "punch.h"
#include "wire.h"

/* What to do about a page that an object behind the top shows at @index. */
typedef bsdvm_status_t (*punch_visit_t)(struct bsdvm_object *top,
					bsdvm_pindex_t index, void *slot);

static bsdvm_status_t punch_visit_stored(struct bsdvm_object *top,
					 struct bsdvm_object *level,
					 bsdvm_pindex_t first,
					 bsdvm_pindex_t last,
					 bsdvm_pindex_t shift,
					 punch_visit_t visit)
{
	bsdvm_status_t status = BSDVM_SUCCESS;

	for (; level->pager && first <= last && status == BSDVM_SUCCESS;
	     first++) {
		if (bsdvm_pager_has_page(level, first))
			status = visit(top, first - shift, NULL);
		cond_resched();
	}
	return status;
}

/*
 * Call @visit for every page that objects behind @top have in a range of it,
 * hidden by nearer ones or not. Entry: family->lock held.
 */
static bsdvm_status_t punch_visit_below(struct bsdvm_object *top,
					bsdvm_pindex_t first,
					bsdvm_pindex_t last,
					punch_visit_t visit)
{
	struct bsdvm_object *level = top;
	bsdvm_status_t status = BSDVM_SUCCESS;
	bsdvm_pindex_t shift = 0;
	unsigned long index;
	void *slot;

	while (level->backing_object && first < level->backing_end) {
		last = min(last, level->backing_end - 1);
		first += level->backing_offset;
		last += level->backing_offset;
		shift += level->backing_offset;
		level = level->backing_object;
		xa_for_each_range(&level->slots, index, slot, first, last) {
			if (!bsdvm_slot_is_zero(slot))
				status = visit(top, index - shift, slot);
			if (status != BSDVM_SUCCESS)
				return status;
			cond_resched();
		}
		status = punch_visit_stored(top, level, first, last, shift,
					    visit);
		if (status != BSDVM_SUCCESS)
			return status;
	}
	return status;
}

/*
 * Claim the slot where a tombstone is to be, so that putting it there cannot
 * fail. One that holds something, perhaps our claim, is left alone.
 */
static bsdvm_status_t punch_claim(struct bsdvm_object *top,
				  bsdvm_pindex_t index, void *slot)
{
	bsdvm_status_t status = bsdvm_busy_claim(top, index, NULL);

	return status == BSDVM_TRY_AGAIN ? BSDVM_SUCCESS : status;
}

/* punch_await_busy() left no claims but ours. */
static void punch_end_claim(struct bsdvm_object *top, bsdvm_pindex_t index,
			    void *becomes)
{
	if (bsdvm_slot_is_busy(xa_load(&top->slots, index)))
		bsdvm_busy_release(top, index, becomes);
}

static bsdvm_status_t punch_unclaim(struct bsdvm_object *top,
				    bsdvm_pindex_t index, void *slot)
{
	punch_end_claim(top, index, NULL);
	return BSDVM_SUCCESS;
}

static bsdvm_status_t punch_bury(struct bsdvm_object *top,
				 bsdvm_pindex_t index, void *slot)
{
	punch_end_claim(top, index, BSDVM_SLOT_ZERO);
	return BSDVM_SUCCESS;
}

/* A pager may be filling a page of the top object: what it brings goes, too. */
static void punch_await_busy(struct bsdvm_object *top, bsdvm_pindex_t first,
			     bsdvm_pindex_t last)
{
	struct bsdvm_wait wait;
	unsigned long index;
	void *slot;

	if (!top->pager)
		return;
	xa_for_each_range(&top->slots, index, slot, first, last) {
		while (bsdvm_slot_is_busy(xa_load(&top->slots, index)))
			if (bsdvm_busy_wait_prepare(&wait, top, index))
				bsdvm_wait_uninterruptible(&wait);
		cond_resched();
	}
}

/* A fault about to map a page from behind: let it, then look again. */
static bsdvm_status_t punch_await(struct bsdvm_object *top,
				  bsdvm_pindex_t index, void *slot)
{
	if (bsdvm_slot_is_page(slot))
		bsdvm_page_settle(slot);
	return BSDVM_SUCCESS;
}

/**
 * bsdvm_entry_await - wait for faults about to map a page of an entry
 * @entry: its map locked exclusively
 *
 * Whoever finds a page from now on finds the entry as it is now. Mappings made
 * before can be removed afterwards. Entry: family->lock held. May sleep.
 */
void bsdvm_entry_await(struct bsdvm_entry *entry)
{
	bsdvm_pindex_t first = entry->offset;
	bsdvm_pindex_t last = bsdvm_entry_index(entry, entry->last);
	unsigned long index;
	void *slot;

	if (!entry->object)
		return;
	xa_for_each_range(&entry->object->slots, index, slot, first, last) {
		punch_await(entry->object, index, slot);
		cond_resched();
	}
	punch_visit_below(entry->object, first, last, punch_await);
}

static bool punch_keeps(const struct bsdvm_punch *punch,
			const struct folio *page)
{
	return punch->keep_wired && bsdvm_page_wire_count(page);
}

/* A window that ends within the hole is narrowed; others get tombstones. */
static bsdvm_status_t punch_hide(struct bsdvm_punch *punch)
{
	struct bsdvm_object *top = punch->entry->object;
	bsdvm_status_t status;

	if (!top->backing_object)
		return BSDVM_SUCCESS;
	if (punch->last >= top->backing_end - 1) {
		bsdvm_object_clip_backing(top, punch->first);
		return BSDVM_SUCCESS;
	}
	status = punch_visit_below(top, punch->first, punch->last,
				   punch_claim);
	punch_visit_below(top, punch->first, punch->last,
			  status == BSDVM_SUCCESS ? punch_bury : punch_unclaim);
	return status;
}

/*
 * A page of the top object leaves its slot. Where the window shows a backing
 * object it leaves a tombstone, as there may be a page behind it.
 */
static void punch_take_page(struct bsdvm_punch *punch, unsigned long index,
			    struct folio *page)
{
	struct bsdvm_object *top = punch->entry->object;

	if (top->backing_object && index < top->backing_end)
		xa_store(&top->slots, index, BSDVM_SLOT_ZERO, GFP_NOWAIT);
	else
		xa_erase(&top->slots, index);
	atomic_long_dec(&top->resident);
	bsdvm_pager_forget(top, index);
	bsdvm_page_settle(page);
	list_add_tail(&page->lru, &punch->pages);
}

static void punch_take_pages(struct bsdvm_punch *punch)
{
	struct bsdvm_object *top = punch->entry->object;
	unsigned long index;
	void *slot;

	xa_for_each_range(&top->slots, index, slot, punch->first,
			  punch->last) {
		if (bsdvm_slot_is_page(slot) && !punch_keeps(punch, slot))
			punch_take_page(punch, index, slot);
		cond_resched();
	}
}

/* Stored pages of the top object go as well. */
static void punch_forget_stored(struct bsdvm_punch *punch)
{
	struct bsdvm_object *top = punch->entry->object;
	bsdvm_pindex_t index;

	if (!top->pager)
		return;
	for (index = punch->first; index <= punch->last; index++) {
		if (bsdvm_pager_has_page(top, index))
			bsdvm_pager_forget(top, index);
		cond_resched();
	}
}

/* O-38. What is in store, if anything, is no copy of the zeroes (I-14). */
static void punch_clear_page(struct bsdvm_object *top, unsigned long index,
			     struct folio *page)
{
	folio_lock(page);
	bsdvm_page_clear(page, 0, PAGE_SIZE);
	bsdvm_page_dirty(top, index, page);
	folio_unlock(page);
}

static void punch_clear_wired(struct bsdvm_punch *punch)
{
	struct bsdvm_object *top = punch->entry->object;
	unsigned long index;
	void *slot;

	xa_for_each_range(&top->slots, index, slot, punch->first,
			  punch->last) {
		if (bsdvm_slot_is_page(slot) && punch_keeps(punch, slot))
			punch_clear_page(top, index, slot);
		cond_resched();
	}
}

/**
 * bsdvm_punch_free - give back the pages that were taken
 * @punch: whose list; empty afterwards
 *
 * Their mappings are gone. Holders keep the bytes (P-12). Waits for the folio
 * locks, so it may sleep.
 */
void bsdvm_punch_free(struct bsdvm_punch *punch)
{
	struct folio *page, *next;

	list_for_each_entry_safe(page, next, &punch->pages, lru) {
		list_del(&page->lru);
		bsdvm_page_free(page);
		cond_resched();
	}
}

static void punch_unmap(struct bsdvm_punch *punch)
{
	struct bsdvm_entry *entry = punch->entry;

	bsdvm_pmap->remove(entry->map,
			   punch->first - entry->offset + entry->start,
			   punch->last - punch->first + 1);
}

/* Is there a page to be cleared whose memory is broken? */
static bool punch_meets_broken(const struct bsdvm_punch *punch)
{
	unsigned long index;
	void *slot;

	if (!punch->keep_wired || !punch->entry->wired_count)
		return false;
	xa_for_each_range(&punch->entry->object->slots, index, slot,
			  punch->first, punch->last) {
		if (bsdvm_slot_is_page(slot) && punch_keeps(punch, slot) &&
		    bsdvm_page_is_broken(slot))
			return true;
		cond_resched();
	}
	return false;
}

/**
 * bsdvm_punch_object - make a part of an object read zero
 * @punch: which part, perhaps beyond the end of the entry; the list is set up
 *         here
 *
 * The whole sequence for one object. What can fail is first.
 * Mappings go before family->lock is released (M-52): it may have let go of an
 * object behind, which its last user then writes in place.
 * Entry: family->lock not held. May sleep, signals or not.
 *
 * Return: SUCCESS; RESOURCE_SHORTAGE, or MEMORY_BROKEN for a wired page:
 * nothing changed then.
 */
bsdvm_status_t bsdvm_punch_object(struct bsdvm_punch *punch)
{
	struct bsdvm_family *family = punch->entry->map->family;
	bsdvm_status_t status;

	INIT_LIST_HEAD(&punch->pages);
	if (punch_meets_broken(punch))
		return BSDVM_MEMORY_BROKEN;
	bsdvm_family_lock(family);
	punch_await_busy(punch->entry->object, punch->first, punch->last);
	punch_visit_below(punch->entry->object, punch->first, punch->last,
			  punch_await);
	status = punch_hide(punch);
	if (status == BSDVM_SUCCESS) {
		punch_take_pages(punch);
		punch_forget_stored(punch);
		punch_unmap(punch);
	}
	bsdvm_family_unlock(family);
	if (status != BSDVM_SUCCESS)
		return status;
	if (punch->keep_wired)
		punch_clear_wired(punch);
	bsdvm_punch_free(punch);
	return BSDVM_SUCCESS;
}

/**
 * bsdvm_punch_entry - make an entry's part of a range read zero
 * @entry:      its map locked exclusively
 * @first:      first page of the range, which has a page of the entry
 * @last:       last page, inclusive
 * @keep_wired: see struct bsdvm_punch
 *
 * The entry gets an object of its own first, unless it has none at all and
 * reads zero already. Entry: family->lock not held. May sleep, signals or not.
 *
 * Return: SUCCESS; RESOURCE_SHORTAGE, or MEMORY_BROKEN for a wired page: every
 * page reads as before then.
 */
bsdvm_status_t bsdvm_punch_entry(struct bsdvm_entry *entry,
				 bsdvm_pindex_t first, bsdvm_pindex_t last,
				 bool keep_wired)
{
	struct bsdvm_punch punch = { .entry = entry, .keep_wired = keep_wired };
	bsdvm_status_t status;

	if (!entry->object)
		return BSDVM_SUCCESS;
	status = bsdvm_entry_make_top(entry);
	if (status != BSDVM_SUCCESS)
		return status;
	punch.first = bsdvm_entry_index(entry, max(first, entry->start));
	punch.last = bsdvm_entry_index(entry, min(last, entry->last));
	return bsdvm_punch_object(&punch);
}

/**
 * bsdvm_punch_take - take a part of an object out of memory and out of store
 * @punch: which part; the caller has set up the list, to which pages are added
 *
 * For what no entry is going to show: what lies behind is not hidden, so this
 * cannot fail. Faults about to map a page of it were waited for, see
 * bsdvm_entry_await(), and then its mappings were removed.
 * Entry: family->lock held. May sleep, signals or not.
 */
void bsdvm_punch_take(struct bsdvm_punch *punch)
{
	punch_await_busy(punch->entry->object, punch->first, punch->last);
	punch_take_pages(punch);
	punch_forget_stored(punch);
}

/* O-38 clears wired pages: none may be one that others see as well. */
static bool punch_is_allowed(struct bsdvm_map *map, bsdvm_pindex_t first,
			     bsdvm_pindex_t last)
{
	struct bsdvm_entry *entry;

	bsdvm_for_each_entry(map, entry, first, last)
		if (!bsdvm_entry_wired_own(entry, first, last))
			return false;
	return true;
}

static bsdvm_status_t punch_range(struct bsdvm_map *map, bsdvm_pindex_t first,
				  bsdvm_pindex_t last)
{
	bsdvm_status_t status = BSDVM_SUCCESS;
	struct bsdvm_entry *entry;

	if (!punch_is_allowed(map, first, last))
		return BSDVM_PROTECTION_FAILURE;
	bsdvm_for_each_entry(map, entry, first, last) {
		status = bsdvm_punch_entry(entry, first, last, true);
		if (status != BSDVM_SUCCESS)
			break;
	}
	return status;
}

/**
 * bsdvm_map_punch - make a range read zero
 * @map:   where; not locked by the caller
 * @first: first page
 * @last:  last page, inclusive; what lies beyond the end is ignored
 *
 * O-35 to O-39, on the map's own objects. Memory is given back, but for wired
 * pages, which are cleared. Every mapping of the range is removed: each access
 * from now on sees zeroes. May sleep.
 *
 * Return: SUCCESS, INVALID_ARGUMENT for a range that ends before it begins,
 * PROTECTION_FAILURE for wired pages that are not this map's own,
 * MEMORY_BROKEN for a wired page, RESOURCE_SHORTAGE (after either of these,
 * entries before the failing one are punched) or INTERRUPTED.
 */
bsdvm_status_t bsdvm_map_punch(struct bsdvm_map *map, bsdvm_pindex_t first,
			       bsdvm_pindex_t last)
{
	bsdvm_status_t status;

	if (first > last)
		return BSDVM_INVALID_ARGUMENT;
	status = bsdvm_map_lock_settled(map, first, last);
	if (status != BSDVM_SUCCESS)
		return status;
	status = punch_range(map, first, last);
	bsdvm_map_unlock(map);
	return status;
}

/**
 * bsdvm_map_clear_bytes - clear part of a page, if there is anything to clear
 * @map:    where; not locked by the caller
 * @pindex: which page
 * @from:   first byte in the page
 * @to:     end, exclusive, at most PAGE_SIZE
 *
 * A hole stays one. May sleep.
 *
 * Return: as bsdvm_fault(); INVALID_ARGUMENT for what is no part of a page.
 */
bsdvm_status_t bsdvm_map_clear_bytes(struct bsdvm_map *map,
				     bsdvm_pindex_t pindex, unsigned int from,
				     unsigned int to)
{
	struct folio *page;
	bsdvm_status_t status;

	if (from > to || to > PAGE_SIZE)
		return BSDVM_INVALID_ARGUMENT;
	status = bsdvm_fault_page(map, pindex, BSDVM_PROT_WRITE,
				  BSDVM_FAULT_NOZERO, &page);
	if (status != BSDVM_SUCCESS || !page)
		return status;
	bsdvm_page_clear(page, from, to);
	bsdvm_fault_page_done(page, BSDVM_PROT_WRITE);
	return BSDVM_SUCCESS;
}
