// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Freezing: from now on nobody writes this object.
 *
 * The map is locked exclusively from the first mark until the last mapping is
 * gone, so writes by fault and by system call wait: what they write comes
 * wholly after the cut. Only pages of the top object can be mapped for writing,
 * hence only these are visited: the cost is that of what was written since the
 * last freeze. An entry that is frozen already costs nothing.
 *
 *   1. Wait for the folio lock of each page: a fault that was about to map it
 *      has done so, or will look again and find the entry frozen.
 *   2. Remove the mappings.
 *   3. A page that still has users besides its slot is in somebody's hands: a
 *      pin, through which it may be written at any time, or a mapping on its
 *      way out of another CPU's TLB. It stays with the live map, in a new top
 *      object, and the frozen object gets a copy. So do wired pages, which the
 *      live map must never have to allocate again.
 */

#include "internal.h"
#include "vmcore.h"
#include "busy.h"
#include "map.h"
#include "object.h"
#include "page.h"
#include "pager.h"
#include "snapshot.h"
#include "stats.h"

/* Mapped pages no further apart than this are unmapped in one go. */
#define FREEZE_GAP	16

/* Slots visited before the read side is left for a moment. */
#define FREEZE_BATCH	1024

/**
 * struct freeze_run - a stretch of the map whose mappings are to be removed
 * @map:   whose
 * @first: first page
 * @next:  page after the last one; equal to @first when empty
 */
struct freeze_run {
	struct bsdvm_map *map;
	bsdvm_pindex_t first;
	bsdvm_pindex_t next;
};

static void freeze_run_flush(struct freeze_run *run)
{
	if (run->next > run->first)
		bsdvm_pmap->remove(run->map, run->first,
				   run->next - run->first);
	run->first = run->next;
}

/* False: the page is too far from the run, which must be flushed first. */
static bool freeze_run_add(struct freeze_run *run, bsdvm_pindex_t pindex)
{
	if (run->next == run->first)
		run->first = pindex;
	else if (pindex > run->next + FREEZE_GAP)
		return false;
	run->next = pindex + 1;
	return true;
}

static unsigned long freeze_last_index(const struct bsdvm_entry *entry)
{
	return entry->offset + (entry->last - entry->start);
}

/*
 * Leave the read side for a moment, and for as long as the page in @slot, if it
 * is one, is locked.
 */
static void freeze_pause(struct xa_state *xas, void *slot)
	__must_hold(RCU)
{
	xas_pause(xas);
	rcu_read_unlock();
	if (bsdvm_slot_is_page(slot))
		bsdvm_page_settle(slot);
	cond_resched();
	rcu_read_lock();
}

/*
 * Is the page mapped, or was it until just now? A mapping may be gone and not
 * yet be flushed: then it still has its reference, and who removes mappings
 * there waits for the flush. Otherwise another CPU could write to the page when
 * a page after it is frozen already.
 */
static bool freeze_may_be_written(struct folio *page)
{
	return folio_mapped(page) || folio_ref_count(page) > 1;
}

/* Is it time for a pause: because of what is in @slot, or for others' sake? */
static bool freeze_is_due(void *slot, unsigned int *visited)
{
	return ++*visited % FREEZE_BATCH == 0 ||
	       (bsdvm_slot_is_page(slot) && folio_test_locked(slot));
}

/* Pause if it is time to; is there no page in @slot? */
static bool freeze_passes_over(struct xa_state *xas, void *slot,
			       unsigned int *visited)
	__must_hold(RCU)
{
	if (freeze_is_due(slot, visited))
		freeze_pause(xas, slot);
	return !bsdvm_slot_is_page(slot);
}

/*
 * Steps 1 and 2. The map is locked, so pages stay in their slots; the read side
 * is for the nodes of the index, and left for whatever sleeps.
 */
static void freeze_unmap(struct bsdvm_entry *entry)
{
	struct freeze_run run = { .map = entry->map };
	XA_STATE(xas, &entry->object->slots, entry->offset);
	unsigned long last = freeze_last_index(entry);
	unsigned int visited = 0;
	bsdvm_pindex_t pindex;
	struct folio *page;

	rcu_read_lock();
	xas_for_each(&xas, page, last) {
		/* A pause changes the index. */
		pindex = xas.xa_index - entry->offset + entry->start;
		if (xas_retry(&xas, page) ||
		    freeze_passes_over(&xas, page, &visited))
			continue;
		/* Pairs with the release in folio_unlock(). */
		smp_rmb();
		if (!freeze_may_be_written(page) ||
		    freeze_run_add(&run, pindex))
			continue;
		xas_pause(&xas);
		rcu_read_unlock();
		freeze_run_flush(&run);
		freeze_run_add(&run, pindex);
		rcu_read_lock();
	}
	rcu_read_unlock();
	freeze_run_flush(&run);
}

/*
 * Step 3: one reference is the slot's; any other is somebody's hand. That on
 * broken memory is Linux's own, and nobody writes by it.
 */
static bool freeze_must_stay_live(struct folio *page)
{
	return bsdvm_page_wire_count(page) ||
	       (folio_ref_count(page) != 1 && !bsdvm_page_is_broken(page));
}

/* The frozen object's stand-in for a page that stays live. */
static struct folio *freeze_copy(struct bsdvm_object *object,
				 struct folio *page)
{
	struct folio *copy = bsdvm_page_alloc(object, false);

	if (!copy)
		return NULL;
	bsdvm_page_copy(copy, page);
	bsdvm_page_bind(copy, page->index,
			BSDVM_PAGE_FRESH | BSDVM_PAGE_DIRTY);
	folio_unlock(copy);
	bsdvm_count(snapshot_copies);
	return copy;
}

/* Move one page to the live object; @live becomes it on first use. */
static bsdvm_status_t freeze_keep_live(struct bsdvm_entry *entry,
				       struct bsdvm_object **live,
				       unsigned long index, struct folio *page)
{
	struct folio *copy;

	if (bsdvm_page_is_broken(page))
		return BSDVM_MEMORY_BROKEN;
	if (!*live)
		*live = bsdvm_object_alloc(entry->map->family,
					   bsdvm_entry_npages(entry));
	if (!*live)
		return BSDVM_RESOURCE_SHORTAGE;
	copy = freeze_copy(entry->object, page);
	if (!copy)
		return BSDVM_RESOURCE_SHORTAGE;
	/* The store goes with neither: the page may be newer (I-14). */
	if (bsdvm_page_test_clear(page, BSDVM_PAGE_SWAPPED)) {
		bsdvm_pager_forget(entry->object, index);
		bsdvm_page_set(page, BSDVM_PAGE_DIRTY);
	}
	if (xa_is_err(xa_store(&(*live)->slots, index - entry->offset, page,
			       GFP_KERNEL))) {
		bsdvm_page_free(copy);
		return BSDVM_RESOURCE_SHORTAGE;
	}
	atomic_long_inc(&(*live)->resident);
	xa_store(&entry->object->slots, index, copy, GFP_NOWAIT);
	return BSDVM_SUCCESS;
}

/* Undo: the pages go back to where they were, over their copies. */
static void freeze_restore(struct bsdvm_entry *entry, struct bsdvm_object *live)
{
	unsigned long index;
	void *page;

	if (!live)
		return;
	xa_for_each(&live->slots, index, page) {
		bsdvm_page_free(xa_store(&entry->object->slots,
					 index + entry->offset, page,
					 GFP_NOWAIT));
		xa_erase(&live->slots, index);
		atomic_long_dec(&live->resident);
		cond_resched();
	}
	bsdvm_family_lock(live->family);
	bsdvm_object_deallocate(live);
	bsdvm_family_unlock(live->family);
}

/* The next page of the entry, from @index on, that must stay live; or NULL. */
static struct folio *freeze_find_live(struct bsdvm_entry *entry,
				      unsigned long *index)
{
	XA_STATE(xas, &entry->object->slots, *index);
	unsigned long last = freeze_last_index(entry);
	unsigned int visited = 0;
	struct folio *page;

	rcu_read_lock();
	xas_for_each(&xas, page, last) {
		if (!xas_retry(&xas, page) && bsdvm_slot_is_page(page) &&
		    unlikely(freeze_must_stay_live(page)))
			break;
		if (++visited % FREEZE_BATCH == 0)
			freeze_pause(&xas, NULL);
	}
	rcu_read_unlock();
	*index = xas.xa_index;
	return page;
}

/* Step 3. */
static bsdvm_status_t freeze_sort(struct bsdvm_entry *entry,
				  struct bsdvm_object **live)
{
	unsigned long index = entry->offset;
	bsdvm_status_t status;
	struct folio *page;

	while ((page = freeze_find_live(entry, &index))) {
		status = freeze_keep_live(entry, live, index, page);
		if (status != BSDVM_SUCCESS)
			return status;
		index++;
		cond_resched();
	}
	return BSDVM_SUCCESS;
}

/* M-45: what no longer needs to be behind the object should not be. */
static void freeze_collapse(struct bsdvm_entry *entry)
{
	struct bsdvm_family *family = entry->map->family;

	if (!entry->object->backing_object)
		return;
	bsdvm_family_lock(family);
	bsdvm_object_collapse(entry->object);
	bsdvm_family_unlock(family);
}

/*
 * The live object, with the pages that stay, goes in front of the frozen one.
 * Only it refers to that one now, so the segment's reference is taken at once:
 * otherwise the frozen object might be collapsed into the live one.
 */
static void freeze_put_live(struct bsdvm_entry *entry,
			    struct bsdvm_object *live,
			    struct bsdvm_segment *segment)
{
	struct bsdvm_family *family = entry->map->family;

	bsdvm_family_lock(family);
	segment->object = entry->object;
	segment->offset = entry->offset;
	bsdvm_object_reference(segment->object);
	bsdvm_object_attach(live, entry->object, entry->offset, live->size);
	bsdvm_entry_set_object(entry, live, 0);
	bsdvm_family_unlock(family);
}

/* Nothing of its own to show, and a window as wide as the entry. */
static bool freeze_is_empty(const struct bsdvm_entry *entry)
{
	const struct bsdvm_object *object = entry->object;

	return object->backing_object && !object->pager && !entry->offset &&
	       object->ref_count == 1 && xa_empty(&object->slots) &&
	       object->backing_end >= bsdvm_entry_npages(entry);
}

/*
 * A top object that nobody wrote to is of no use: the entry shows what is
 * behind it, as it did before the object was pushed. False if it is of use.
 */
static bool freeze_drop_empty(struct bsdvm_entry *entry)
{
	struct bsdvm_family *family = entry->map->family;
	struct bsdvm_object *top = entry->object;
	bool empty;

	bsdvm_family_lock(family);
	empty = freeze_is_empty(entry);
	if (empty) {
		bsdvm_object_reference(top->backing_object);
		bsdvm_entry_set_object(entry, top->backing_object,
				       top->backing_offset);
		bsdvm_object_deallocate(top);
	}
	bsdvm_family_unlock(family);
	return empty;
}

static bsdvm_status_t freeze_object(struct bsdvm_entry *entry,
				    struct bsdvm_segment *segment)
{
	struct bsdvm_object *live = NULL;
	bsdvm_status_t status;

	if (!entry->object || bsdvm_entry_needs_copy(entry))
		return BSDVM_SUCCESS;
	if (freeze_drop_empty(entry)) {
		entry->flags |= BSDVM_ENTRY_COW | BSDVM_ENTRY_NEEDS_COPY;
		return BSDVM_SUCCESS;
	}
	freeze_collapse(entry);
	freeze_unmap(entry);
	status = freeze_sort(entry, &live);
	if (status != BSDVM_SUCCESS) {
		freeze_restore(entry, live);
		return status;
	}
	entry->flags |= BSDVM_ENTRY_COW;
	if (live)
		freeze_put_live(entry, live, segment);
	else
		entry->flags |= BSDVM_ENTRY_NEEDS_COPY;
	return BSDVM_SUCCESS;
}

/**
 * bsdvm_freeze_entry - freeze what an entry shows
 * @entry:   its map locked exclusively, nothing of it in transition
 * @segment: out: a window on the frozen object, as wide as the entry, with a
 *           reference; without an object if the entry has none
 *
 * Afterwards the entry has no object, or NEEDS_COPY, or a top object of its own
 * with the pages that stay live.
 *
 * Return: SUCCESS; RESOURCE_SHORTAGE, or MEMORY_BROKEN for a wired page:
 * nothing that anybody sees has changed.
 */
bsdvm_status_t bsdvm_freeze_entry(struct bsdvm_entry *entry,
				  struct bsdvm_segment *segment)
{
	bsdvm_status_t status;

	lockdep_assert_held_write(&entry->map->lock);
	*segment = (struct bsdvm_segment){
		.start = entry->start,
		.npages = bsdvm_entry_npages(entry),
	};
	status = freeze_object(entry, segment);
	if (status != BSDVM_SUCCESS || segment->object || !entry->object)
		return status;
	bsdvm_family_lock(entry->map->family);
	segment->object = entry->object;
	segment->offset = entry->offset;
	bsdvm_object_reference(segment->object);
	bsdvm_family_unlock(entry->map->family);
	return status;
}
