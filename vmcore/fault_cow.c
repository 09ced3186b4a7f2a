// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Copy-on-write: a page found behind the first object is to be written.
 *
 * rename: nobody but the first object can see the backing object, and nobody
 *         holds the page, so the page itself moves up.
 * copy:   otherwise a new page in the first object takes its bytes.
 *
 * Order of a copy: the new page goes into the slot, filled and locked; the
 * folio lock of the source is taken and released, so that whoever was about to
 * map it has done so or will look again; mappings of the source at this address
 * are removed; only then is the new page unlocked, mapped and written.
 */

#include "internal.h"
#include "vmcore.h"
#include "object.h"
#include "page.h"
#include "pager.h"
#include "fault.h"
#include "stats.h"

/* F-78 b to f, and not wired for somebody else (F-80). */
static bool cow_can_rename(const struct fault_state *fs)
{
	const struct bsdvm_object *backing = fs->cursor.object;

	return fs->cursor.depth == 1 &&
	       READ_ONCE(fs->lookup.object->backing_object) == backing &&
	       READ_ONCE(backing->shadow_count) == 1 &&
	       READ_ONCE(backing->ref_count) == 1 &&
	       bsdvm_object_is_anonymous(backing) &&
	       !(READ_ONCE(backing->flags) & BIT(BSDVM_OBJECT_COLLAPSING)) &&
	       !bsdvm_page_wire_count(fs->page);
}

/*
 * Is the page in hand in nobody else's? A writer whom Linux asks about a page
 * mapped for reading has a reference of Linux's as well.
 */
static bool cow_is_ours(const struct fault_state *fs)
{
	bool ours;

	if (!folio_trylock(fs->page))
		return false;
	ours = !bsdvm_page_in_hands(fs->page,
				    fs->page == fs->request->present ? 2 : 1);
	folio_unlock(fs->page);
	return ours;
}

/*
 * F-79. The page in hand, already in the first object, leaves the backing one.
 * Walks that missed it above must not miss it here as well.
 */
static void cow_leave_backing(struct fault_state *fs)
{
	struct bsdvm_object *backing = fs->cursor.object;
	struct folio *page = fs->page;

	bsdvm_family_disturb(backing->family);
	xa_erase(&backing->slots, fs->cursor.pindex);
	atomic_long_dec(&backing->resident);
	if (bsdvm_page_test_clear(page, BSDVM_PAGE_SWAPPED))
		bsdvm_pager_forget(backing, fs->cursor.pindex);
	bsdvm_page_requeue(page, BSDVM_QUEUE_ACTIVE);
	bsdvm_page_set(page, BSDVM_PAGE_DIRTY);
	fs->owned = true;
}

/* Under family->lock: is it still so, and is the slot still free? */
static bool cow_move(struct fault_state *fs)
{
	struct bsdvm_object *first = fs->lookup.object;

	if (!cow_can_rename(fs) || !cow_is_ours(fs) ||
	    xa_load(&fs->cursor.object->slots, fs->cursor.pindex) != fs->page)
		return false;
	if (xa_cmpxchg(&first->slots, fs->lookup.index, NULL, fs->page,
		       GFP_KERNEL))
		return false;
	atomic_long_inc(&first->resident);
	cow_leave_backing(fs);
	return true;
}

/*
 * F-78 to F-80. The map is locked and its generation is that of the lookup, or
 * there is none (a, g); the rest is tested again under family->lock, which is
 * only tried: to copy is quicker than to wait.
 */
static bool cow_rename(struct fault_state *fs)
{
	struct bsdvm_family *family = fs->lookup.object->family;
	bool renamed;

	rcu_read_lock();
	renamed = cow_can_rename(fs);
	rcu_read_unlock();
	if (!renamed || !bsdvm_family_trylock(family))
		return false;
	renamed = cow_move(fs);
	bsdvm_family_unlock(family);
	return renamed;
}

/*
 * Remove what still maps the source at this address: in this map, or, for an
 * object fault, in every map that shows the object.
 */
static void cow_unmap(struct fault_state *fs)
{
	if (fs->lookup.map)
		bsdvm_pmap->remove(fs->lookup.map, fs->request->pindex, 1);
	else
		bsdvm_object_unmap(fs->lookup.object, fs->lookup.index, 1);
}

/*
 * Whoever was about to map the source has done so, or will look again. A
 * reference that is neither the slot's nor ours is a mapping, or one removed by
 * somebody who has yet to flush it from the TLBs: a removal of ours does.
 */
static void cow_retire_source(struct fault_state *fs, struct folio *source)
{
	bool used;

	folio_lock(source);
	used = folio_ref_count(source) > 2;
	folio_unlock(source);
	if (used)
		cow_unmap(fs);
	folio_put(source);
}

/*
 * N-15: what is mapped in a wired entry is wired (I-11). A fault that wires
 * does so itself, when it is finished.
 */
static void cow_move_wiring(struct fault_state *fs, struct folio *source)
{
	if (!fs->lookup.wired || fault_is_wiring(fs) ||
	    !bsdvm_page_wire_count(source))
		return;
	bsdvm_page_wire(fs->page);
	bsdvm_page_unwire(source);
}

/* F-81. For an object fault family->lock is held, for cow_unmap(). */
static bsdvm_status_t cow_copy(struct fault_state *fs)
{
	struct folio *source = fs->page;
	bsdvm_status_t status;
	struct folio *page;

	page = fault_alloc(fs, false, &status);
	if (!page)
		return status;
	if (bsdvm_page_is_broken(source)) {
		bsdvm_page_discard(page);
		return BSDVM_MEMORY_BROKEN;
	}
	bsdvm_page_copy(page, source);
	bsdvm_page_bind(page, fault_page_index(fs, fs->request->pindex),
			BSDVM_PAGE_FRESH | BSDVM_PAGE_DIRTY);
	status = fault_publish(fs, page);
	if (status != BSDVM_SUCCESS)
		return status;
	cow_move_wiring(fs, source);
	bsdvm_page_requeue(source, BSDVM_QUEUE_INACTIVE);
	cow_retire_source(fs, source);
	fs->copied = true;
	return BSDVM_SUCCESS;
}

static bsdvm_status_t cow_copy_object(struct fault_state *fs)
{
	struct bsdvm_family *family = fs->lookup.object->family;
	bsdvm_status_t status = bsdvm_family_lock_killable(family);

	if (status != BSDVM_SUCCESS)
		return status;
	status = cow_copy(fs);
	bsdvm_family_unlock(family);
	return status;
}

/**
 * fault_cow - make the page in hand the first object's own
 * @fs: the page was found in a backing object, the access is a write
 *
 * F-77 to F-85.
 * The map is locked shared, if there is one; the page is not. May sleep.
 *
 * Return: SUCCESS with the page to write in hand; otherwise as fault_object().
 */
bsdvm_status_t fault_cow(struct fault_state *fs)
{
	bsdvm_status_t status;
	bool renamed;

	renamed = cow_rename(fs);
	if (!renamed) {
		status = fs->lookup.map ? cow_copy(fs) : cow_copy_object(fs);
		if (status != BSDVM_SUCCESS)
			return status;
	}
	bsdvm_count(v_cow_faults);
	if (renamed)
		bsdvm_count(v_cow_optim);
	trace_bsdvm_cow(fs->lookup.object->id, fs->lookup.index,
			fs->cursor.depth, renamed);
	return BSDVM_SUCCESS;
}
