// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Copy-on-write: a page found behind the first object is to be written.
 *
 * rename: nobody but the first object can see the backing object, so the page
 *         itself moves up.
 * copy:   otherwise a new page in the first object takes its bytes.
 *
 * Order of a copy: the new page goes into the slot, locked; the folio lock of
 * the source is taken and released, so that whoever was about to map it has
 * done so or will look again; mappings of the source at this address are
 * removed; only then is the new page unlocked, mapped and written.
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

/* F-79. The page in hand moves from the backing object to the claimed slot. */
static void cow_move(struct fault_state *fs)
{
	struct bsdvm_object *backing = fs->cursor.object;
	struct folio *page = fs->page;

	bsdvm_busy_release(fs->lookup.object, fs->lookup.index, page);
	fs->first_busy = false;
	atomic_long_inc(&fs->lookup.object->resident);
	/* Walks that missed it above must not miss it here as well. */
	write_seqcount_begin(&backing->family->seq);
	write_seqcount_end(&backing->family->seq);
	xa_erase(&backing->slots, fs->cursor.pindex);
	atomic_long_dec(&backing->resident);
	if (bsdvm_page_test_clear(page, BSDVM_PAGE_SWAPPED))
		bsdvm_pager_forget(backing, fs->cursor.pindex);
	bsdvm_page_requeue(page, BSDVM_QUEUE_ACTIVE);
	bsdvm_page_set(page, BSDVM_PAGE_DIRTY);
	fs->owned = true;
}

/*
 * F-78 to F-80. The map is locked and its generation is that of the lookup, or
 * there is none (a, g); the rest is tested again under family->lock, which is
 * only tried: we own a busy slot.
 *
 * The page stays visible throughout: it is in the first object before it
 * leaves the backing object. Who finds it unlocked looks again.
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
	renamed = fs->lookup.object->backing_object == fs->cursor.object &&
		  cow_can_rename(fs) &&
		  xa_load(&fs->cursor.object->slots, fs->cursor.pindex) ==
		  fs->page;
	if (renamed)
		cow_move(fs);
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

/* Whoever was about to map the source has done so, or will look again. */
static void cow_retire_source(struct fault_state *fs, struct folio *source)
{
	bool mapped;

	folio_lock(source);
	mapped = folio_mapped(source);
	folio_unlock(source);
	if (mapped)
		cow_unmap(fs);
	folio_put(source);
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
	bsdvm_page_copy(page, source);
	bsdvm_page_bind(page, fault_page_index(fs, fs->request->pindex),
			BSDVM_PAGE_FRESH | BSDVM_PAGE_DIRTY);
	bsdvm_page_requeue(source, BSDVM_QUEUE_INACTIVE);
	fs->page = NULL;
	fault_publish(fs, page);
	cow_retire_source(fs, source);
	return BSDVM_SUCCESS;
}

/* An object fault owns a busy slot by now, so it can only try. */
static bsdvm_status_t cow_copy_object(struct fault_state *fs)
{
	struct bsdvm_family *family = fs->lookup.object->family;
	bsdvm_status_t status;

	if (!bsdvm_family_trylock(family))
		return fault_retry(fs, FAULT_PAUSE_SHORT);
	status = cow_copy(fs);
	bsdvm_family_unlock(family);
	return status;
}

/**
 * fault_cow - make the page in hand the first object's own
 * @fs: the page was found in a backing object, the access is a write
 *
 * F-77 to F-85.
 *
 * Return: SUCCESS with the page to write in hand; otherwise as fault_object().
 */
bsdvm_status_t fault_cow(struct fault_state *fs)
{
	bsdvm_status_t status;
	bool renamed;

	fs->cursor.slot = NULL;
	status = fault_claim_first(fs);
	if (status != BSDVM_SUCCESS)
		return status;
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
