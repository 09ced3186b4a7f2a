// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Keeping chains short.
 *
 * collapse: a backing object to which only one shadow refers hands its pages
 * to that shadow and goes.
 *
 *     front:   . b . d        front:   A b C d
 *     backing: A B C .   =>
 *     rest:    ...            rest:    ...
 *
 * bypass: a backing object that others need as well, but which has nothing to
 * show to this shadow any more, is passed over.
 *
 *     front:   a b c .        front:   a b c .  ----+
 *     backing: A B C .   =>   backing: A B C .  <- other shadows
 *     rest:    ...            rest:    ...     <----+
 *
 * What is seen through the front object stays the same, page for page (O-24).
 * Pages only change their place, so mappings of them stay, too; of a page in
 * somebody's hands a copy is made instead. Walks without locks are told by
 * COLLAPSING and family->seq: see resolve.c.
 *
 * Iterative, from front to back. Runs when references are dropped and when a
 * map is frozen, never from a fault (O-29).
 */

#include "internal.h"
#include "vmcore.h"
#include "busy.h"
#include "object.h"
#include "page.h"
#include "pager.h"
#include "stats.h"

/* Slots visited before the read side is left for a moment. */
#define BYPASS_BATCH	1024

/* O-17: both ours, both alive, and stored pages could change hands. */
static bool collapse_is_possible(const struct bsdvm_object *front,
				 const struct bsdvm_object *backing)
{
	return bsdvm_object_is_anonymous(front) &&
	       bsdvm_object_is_anonymous(backing) &&
	       !bsdvm_object_is_dead(front) && !bsdvm_object_is_dead(backing) &&
	       (!backing->pager || !front->pager ||
		backing->pager == front->pager);
}

/*
 * Mark @backing so that walks and pagers keep away. False if paging is in
 * progress on either object (O-18); nothing is marked then.
 */
static bool collapse_begin(struct bsdvm_object *front,
			   struct bsdvm_object *backing)
{
	set_bit(BSDVM_OBJECT_COLLAPSING, &backing->flags);
	/* Pairs with bsdvm_object_pip_add() and resolve_is_leaving(). */
	smp_mb__after_atomic();
	if (!atomic_read(&front->pip) && !atomic_read(&backing->pip))
		return true;
	clear_bit(BSDVM_OBJECT_COLLAPSING, &backing->flags);
	bsdvm_wake(backing);
	return false;
}

/* An end without success: walks under way must not trust what they missed. */
static void collapse_abort(struct bsdvm_object *backing)
{
	bsdvm_family_disturb(backing->family);
	clear_bit(BSDVM_OBJECT_COLLAPSING, &backing->flags);
	bsdvm_wake(backing);
}

/* Take what @backing holds at @pindex out of it. */
static void collapse_take(struct bsdvm_object *backing, bsdvm_pindex_t pindex,
			  void *slot)
{
	xa_erase(&backing->slots, pindex);
	if (bsdvm_slot_is_page(slot)) {
		atomic_long_dec(&backing->resident);
		bsdvm_pager_forget(backing, pindex);
	}
}

/* The page is hidden from @front, or outside its window: nobody needs it. */
static void collapse_drop(struct bsdvm_object *backing, bsdvm_pindex_t pindex,
			  void *slot)
{
	collapse_take(backing, pindex, slot);
	if (!bsdvm_slot_is_page(slot))
		return;
	/* Who was about to map it has done so, or will find the front's. */
	bsdvm_page_settle(slot);
	/* As in cow_retire_source(). */
	if (folio_ref_count(slot) > 1)
		bsdvm_object_unmap(backing, pindex, 1);
	bsdvm_page_free(slot);
}

/* Wait until @front's slot is not busy: a fault in flight takes no time. */
static void collapse_wait_busy(struct bsdvm_object *front,
			       bsdvm_pindex_t pindex)
{
	struct bsdvm_wait wait;

	if (bsdvm_busy_wait_prepare(&wait, front, pindex))
		bsdvm_wait_uninterruptible(&wait);
}

/*
 * A page that is in somebody's hands must not be written by whoever shows
 * @front: a copy goes there instead, locked until the page is mapped nowhere.
 * Broken memory is in Linux's hands, and nobody writes it.
 * @copy is NULL if the page itself may move.
 */
static bsdvm_status_t collapse_copy(struct bsdvm_object *front,
				    struct folio *page, struct folio **copy)
{
	bool in_hands;

	*copy = NULL;
	folio_lock(page);
	in_hands = bsdvm_page_in_hands(page, 0) && !bsdvm_page_is_broken(page);
	folio_unlock(page);
	if (!in_hands)
		return BSDVM_SUCCESS;
	*copy = bsdvm_page_alloc(front, false);
	if (!*copy)
		return BSDVM_RESOURCE_SHORTAGE;
	bsdvm_page_copy(*copy, page);
	bsdvm_page_bind(*copy, page->index, BSDVM_PAGE_FRESH);
	return BSDVM_SUCCESS;
}

/* The copy is in its slot: it takes the wirings, and the page goes. */
static void collapse_finish_copy(struct bsdvm_object *backing,
				 bsdvm_pindex_t pindex, struct folio *page,
				 struct folio *copy)
{
	while (bsdvm_page_wire_count(page)) {
		bsdvm_page_wire(copy);
		bsdvm_page_unwire(page);
	}
	collapse_drop(backing, pindex, page);
	folio_unlock(copy);
}

/* Return: what @front holds already, an error, or NULL: @slot is there now. */
static void *collapse_store(struct bsdvm_object *front, bsdvm_pindex_t to,
			    void *slot)
{
	void *old;

	for (;;) {
		old = xa_cmpxchg(&front->slots, to, NULL, slot, GFP_KERNEL);
		if (!bsdvm_slot_is_busy(old))
			return old;
		collapse_wait_busy(front, to);
	}
}

/*
 * Hand what @backing has at @pindex over to @front, unless that has something
 * there: a page, or a copy of it, or a tombstone. As collapse_slot().
 */
static bsdvm_status_t collapse_move(struct bsdvm_object *front,
				    struct bsdvm_object *backing,
				    bsdvm_pindex_t pindex, void *slot)
{
	bsdvm_pindex_t to = pindex - front->backing_offset;
	struct folio *copy = NULL;
	void *old;

	if (bsdvm_slot_is_page(slot) &&
	    collapse_copy(front, slot, &copy) != BSDVM_SUCCESS)
		return BSDVM_RESOURCE_SHORTAGE;
	old = collapse_store(front, to, copy ? copy : slot);
	if (old && copy)
		bsdvm_page_discard(copy);
	if (xa_is_err(old))
		return BSDVM_RESOURCE_SHORTAGE;
	if (old) {
		collapse_drop(backing, pindex, slot);
		return BSDVM_SUCCESS;
	}
	if (bsdvm_slot_is_page(slot)) {
		atomic_long_inc(&front->resident);
		bsdvm_page_set(copy ? copy : slot, BSDVM_PAGE_DIRTY);
		bsdvm_page_test_clear(slot, BSDVM_PAGE_SWAPPED);
	}
	if (copy)
		collapse_finish_copy(backing, pindex, slot, copy);
	else
		collapse_take(backing, pindex, slot);
	return BSDVM_SUCCESS;
}

/*
 * O-21: hand one slot of @backing over to @front, or drop it.
 *
 * The page is in both objects for a moment, never in neither.
 * RESOURCE_SHORTAGE: nothing changed.
 */
static bsdvm_status_t collapse_slot(struct bsdvm_object *front,
				    struct bsdvm_object *backing,
				    bsdvm_pindex_t pindex, void *slot)
{
	bsdvm_pindex_t to = pindex - front->backing_offset;

	if (pindex < front->backing_offset || to >= front->backing_end ||
	    bsdvm_pager_has_page(front, to) ||
	    (bsdvm_slot_is_zero(slot) && !backing->backing_object)) {
		collapse_drop(backing, pindex, slot);
		return BSDVM_SUCCESS;
	}
	return collapse_move(front, backing, pindex, slot);
}

static bsdvm_status_t collapse_scan(struct bsdvm_object *front,
				    struct bsdvm_object *backing)
{
	bsdvm_status_t status;
	unsigned long pindex;
	void *slot;

	xa_for_each(&backing->slots, pindex, slot) {
		status = collapse_slot(front, backing, pindex, slot);
		if (status != BSDVM_SUCCESS)
			return status;
		cond_resched();
	}
	return BSDVM_SUCCESS;
}

/* O-22: stored pages follow the resident ones. */
static void collapse_pager(struct bsdvm_object *front,
			   struct bsdvm_object *backing)
{
	if (!backing->pager)
		return;
	if (backing->pager->collapse)
		backing->pager->collapse(front, backing,
					 front->backing_offset);
	WRITE_ONCE(front->pager, backing->pager);
}

/*
 * Make the backing object of @backing that of @front as well. The result's
 * window is what could be seen through both windows.
 */
static void collapse_relink(struct bsdvm_object *front,
			    struct bsdvm_object *backing)
{
	struct bsdvm_object *rest = backing->backing_object;
	bsdvm_pindex_t offset = front->backing_offset;
	bsdvm_pindex_t end = front->backing_end;

	if (!rest || backing->backing_end <= offset) {
		bsdvm_object_detach(front);
		return;
	}
	end = min(end, backing->backing_end - offset);
	bsdvm_object_relink(front, rest, offset + backing->backing_offset, end);
}

/* O-19 to O-23. False: nothing more to do here. */
static bool collapse_into(struct bsdvm_object *front,
			  struct bsdvm_object *backing)
{
	if (!collapse_begin(front, backing))
		return false;
	if (collapse_scan(front, backing) != BSDVM_SUCCESS) {
		collapse_abort(backing);
		return false;
	}
	collapse_pager(front, backing);
	collapse_relink(front, backing);
	bsdvm_count(object_collapses);
	trace_bsdvm_collapse(front->id, backing->id);
	/* The reference that @front held, and with it the object. */
	bsdvm_object_deallocate(backing);
	clear_bit(BSDVM_OBJECT_COLLAPSING, &backing->flags);
	bsdvm_wake(backing);
	return true;
}

/* Does @front itself settle what is seen at @pindex? */
static bool bypass_is_covered(struct bsdvm_object *front, bsdvm_pindex_t pindex)
{
	const void *slot = xa_load(&front->slots, pindex);

	return bsdvm_slot_is_page(slot) || bsdvm_slot_is_zero(slot) ||
	       bsdvm_pager_has_page(front, pindex);
}

/*
 * O-25, O-26: is everything @backing has within the window covered by @front?
 * Stored pages cannot be listed, so a backing object with a pager is not
 * passed over.
 */
static bool bypass_is_possible(struct bsdvm_object *front,
			       struct bsdvm_object *backing)
{
	unsigned long first = front->backing_offset, pindex;
	void *slot;

	if (backing->pager || !front->backing_end)
		return false;
	/* N-10d: as many pages as indices cover everything. */
	if (front->size == front->backing_end &&
	    atomic_long_read(&front->resident) == front->size)
		return true;
	xa_for_each_range(&backing->slots, pindex, slot, first,
			  first + front->backing_end - 1) {
		if (bsdvm_slot_is_busy(slot) ||
		    !bypass_is_covered(front, pindex - first))
			return false;
		cond_resched();
	}
	return true;
}

/* Is a locked page in @slot? Then a reference on it was taken. */
static bool bypass_holds_locked(void *slot)
{
	return bsdvm_slot_is_page(slot) && folio_test_locked(slot) &&
	       folio_try_get(slot);
}

/*
 * A page of @front may have been put there just now: the one it covers is
 * mapped until it is unlocked (cow_retire_source()). Whoever is left with
 * @backing may write in place, and must not be seen through such a mapping.
 */
static void bypass_settle(struct bsdvm_object *front)
{
	XA_STATE(xas, &front->slots, 0);
	unsigned int visited = 0;
	struct folio *page;
	bool locked;

	rcu_read_lock();
	xas_for_each(&xas, page, ULONG_MAX) {
		locked = !xas_retry(&xas, page) && bypass_holds_locked(page);
		if (!locked && ++visited % BYPASS_BATCH)
			continue;
		xas_pause(&xas);
		rcu_read_unlock();
		if (locked) {
			bsdvm_page_settle(page);
			folio_put(page);
		}
		cond_resched();
		rcu_read_lock();
	}
	rcu_read_unlock();
}

/* O-27. What covers @backing was there before; nothing can be added to it. */
static void bypass(struct bsdvm_object *front, struct bsdvm_object *backing)
{
	bypass_settle(front);
	collapse_relink(front, backing);
	bsdvm_count(object_bypasses);
	trace_bsdvm_bypass(front->id, backing->id);
	bsdvm_object_deallocate(backing);
}

/**
 * bsdvm_object_collapse - shorten the chain behind an object
 * @front: the object, with at least one reference
 *
 * O-17 to O-28. Stops where neither collapse nor bypass is possible, where
 * paging is in progress, or where memory for the moves ran out.
 * Entry: family->lock held; release it by bsdvm_family_unlock(). May sleep.
 */
void bsdvm_object_collapse(struct bsdvm_object *front)
{
	struct bsdvm_object *backing;

	lockdep_assert_held(&front->family->lock);
	while ((backing = front->backing_object)) {
		if (!collapse_is_possible(front, backing))
			return;
		if (backing->ref_count == 1) {
			if (!collapse_into(front, backing))
				return;
		} else {
			if (!bypass_is_possible(front, backing))
				return;
			bypass(front, backing);
		}
	}
}
