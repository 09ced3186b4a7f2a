// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Answers to questions about maps, entries, snapshots and objects. */

#include "internal.h"
#include "vmcore.h"
#include "info.h"
#include "map.h"
#include "object.h"

/* The first entry that writes to the object of @entry in place. */
static const struct bsdvm_entry *info_first(const struct bsdvm_entry *entry)
{
	const struct bsdvm_entry *first;

	list_for_each_entry(first, &entry->map->entry_list, map_link) {
		if (first->object == entry->object &&
		    !bsdvm_entry_needs_copy(first))
			break;
		cond_resched();
	}
	return first;
}

/*
 * Pages to count for an entry: its object's, if that is the map's own, once for
 * all entries that share it. The map is locked.
 */
static u64 info_own_pages(const struct bsdvm_entry *entry)
{
	const struct bsdvm_object *object = entry->object;

	if (!object)
		return 0;
	if (READ_ONCE(object->ref_count) != 1 &&
	    (bsdvm_entry_needs_copy(entry) || info_first(entry) != entry))
		return 0;
	return atomic_long_read(&object->resident);
}

static bsdvm_status_t info_resident(struct bsdvm_map *map, u64 *pages)
{
	struct bsdvm_entry *entry;

	*pages = 0;
	bsdvm_for_each_entry(map, entry, 0, BSDVM_PAGES_MAX) {
		if (fatal_signal_pending(current))
			return BSDVM_INTERRUPTED;
		*pages += info_own_pages(entry);
		cond_resched();
	}
	return BSDVM_SUCCESS;
}

/**
 * bsdvm_map_resident - how many pages are in a map's own objects?
 * @map:   not locked by the caller
 * @pages: out: as in struct bsdvm_map_summary
 *
 * Does not wait for other maps of the family.
 * Context: no lock of the core held; may sleep.
 *
 * Return: SUCCESS or INTERRUPTED.
 */
bsdvm_status_t bsdvm_map_resident(struct bsdvm_map *map, u64 *pages)
{
	bsdvm_status_t status = bsdvm_map_lock_shared(map);

	if (status != BSDVM_SUCCESS)
		return status;
	status = info_resident(map, pages);
	bsdvm_map_unlock_shared(map);
	return status;
}

/*
 * Entry: family->lock held. However many entries show a chain, each object is
 * visited once in a pass: it remembers how long the rest of the chain was.
 */
static void summary_add_chain(struct bsdvm_map_summary *sum,
			      struct bsdvm_family *family,
			      struct bsdvm_object *object)
{
	struct bsdvm_object *at;
	unsigned int depth = 0;

	for (at = object; at && at->checked != family->checks;
	     at = at->backing_object) {
		at->checked = family->checks;
		sum->reachable += atomic_long_read(&at->resident);
		depth++;
		cond_resched();
	}
	if (at)
		depth += at->depth;
	sum->depth = max(sum->depth, depth);
	for (; object != at; object = object->backing_object)
		object->depth = depth--;
}

/* Entry: the map locked shared, family->lock held. */
static bsdvm_status_t summary_fill(struct bsdvm_map_summary *sum,
				   struct bsdvm_map *map)
{
	struct bsdvm_family *family = map->family;
	struct bsdvm_entry *entry;

	lockdep_assert_held(&family->lock);
	family->checks++;
	bsdvm_for_each_entry(map, entry, 0, BSDVM_PAGES_MAX) {
		if (fatal_signal_pending(current))
			return BSDVM_INTERRUPTED;
		sum->entries++;
		if (entry->wired_count)
			sum->wired += bsdvm_entry_npages(entry);
		summary_add_chain(sum, family, entry->object);
	}
	sum->generation = map->generation;
	sum->snapshots = family->nsnapshots;
	sum->maps = family->nmaps;
	return BSDVM_SUCCESS;
}

/**
 * bsdvm_map_summary - a map in numbers
 * @map: not locked by the caller
 * @sum: out
 *
 * Context: no lock of the core held; may sleep.
 *
 * Return: SUCCESS or INTERRUPTED.
 */
bsdvm_status_t bsdvm_map_summary(struct bsdvm_map *map,
				 struct bsdvm_map_summary *sum)
{
	bsdvm_status_t status = bsdvm_map_lock_shared(map);

	*sum = (struct bsdvm_map_summary){ };
	if (status != BSDVM_SUCCESS)
		return status;
	status = bsdvm_family_lock_killable(map->family);
	if (status == BSDVM_SUCCESS) {
		status = summary_fill(sum, map);
		bsdvm_family_unlock(map->family);
	}
	if (status == BSDVM_SUCCESS)
		status = info_resident(map, &sum->resident);
	bsdvm_map_unlock_shared(map);
	return status;
}

/* The map is locked. */
static bsdvm_pindex_t info_user_wired(struct bsdvm_map *map,
				      bsdvm_pindex_t first, bsdvm_pindex_t last)
{
	struct bsdvm_entry *entry;
	bsdvm_pindex_t wired = 0;

	bsdvm_for_each_entry(map, entry, first, last)
		if (first <= last && (entry->flags & BSDVM_ENTRY_USER_WIRED))
			wired += min(last, entry->last) -
				 max(first, entry->start) + 1;
	return wired;
}

/**
 * bsdvm_map_user_wired - how much of a range is wired for the user
 * @map:   not locked by the caller
 * @first: first page
 * @last:  last page, inclusive
 *
 * May sleep, signals or not.
 *
 * Return: pages; none of a range that ends before it begins.
 */
bsdvm_pindex_t bsdvm_map_user_wired(struct bsdvm_map *map, bsdvm_pindex_t first,
				    bsdvm_pindex_t last)
{
	bsdvm_pindex_t wired;

	down_read(&map->lock);
	wired = info_user_wired(map, first, last);
	up_read(&map->lock);
	return wired;
}

/**
 * bsdvm_map_user_wire_need - how much would wiring a range for the user add?
 * @map:    not locked by the caller
 * @first:  first page
 * @last:   last page, inclusive
 * @npages: out: pages of the range that are not user-wired now
 *
 * May sleep.
 *
 * Return: SUCCESS; INVALID_ADDRESS if the range does not lie in the map;
 * INTERRUPTED.
 */
bsdvm_status_t bsdvm_map_user_wire_need(struct bsdvm_map *map,
					bsdvm_pindex_t first,
					bsdvm_pindex_t last,
					bsdvm_pindex_t *npages)
{
	bsdvm_status_t status = bsdvm_map_lock_shared(map);

	if (status != BSDVM_SUCCESS)
		return status;
	if (first > last || last >= map->size)
		status = BSDVM_INVALID_ADDRESS;
	else
		*npages = last - first + 1 - info_user_wired(map, first, last);
	bsdvm_map_unlock_shared(map);
	return status;
}

/**
 * bsdvm_entry_query - copy an entry
 * @map:       where
 * @pindex:    the first entry that ends at or after this page
 * @copy:      out: range and attributes
 * @object_id: out: zero without an object
 *
 * Context: no lock of the core held; may sleep.
 *
 * Return: SUCCESS, NO_ENTRY or INTERRUPTED.
 */
bsdvm_status_t bsdvm_entry_query(struct bsdvm_map *map, bsdvm_pindex_t pindex,
				 struct bsdvm_entry *copy, u64 *object_id)
{
	struct bsdvm_entry *entry;
	bsdvm_status_t status = bsdvm_map_lock_shared(map);

	if (status != BSDVM_SUCCESS)
		return status;
	entry = bsdvm_map_entry_from(map, pindex);
	if (entry) {
		bsdvm_entry_copy(copy, entry);
		*object_id = entry->object ? entry->object->id : 0;
	}
	bsdvm_map_unlock_shared(map);
	return entry ? BSDVM_SUCCESS : BSDVM_NO_ENTRY;
}

static void object_summary(const struct bsdvm_object *object,
			   struct bsdvm_object_summary *sum)
{
	sum->id = object->id;
	sum->backing_id = object->backing_object ?
			  object->backing_object->id : 0;
	sum->backing_offset = object->backing_offset;
	sum->size = object->size;
	sum->resident = atomic_long_read(&object->resident);
	sum->ref_count = object->ref_count;
	sum->shadow_count = object->shadow_count;
	sum->collapsing = test_bit(BSDVM_OBJECT_COLLAPSING, &object->flags);
}

/**
 * bsdvm_object_query - an object of the chain behind a page
 * @map:    where
 * @pindex: which page
 * @depth:  0 for the entry's object, 1 for its backing object, ...
 * @sum:    out
 *
 * Context: no lock of the core held; may sleep.
 *
 * Return: SUCCESS; NO_ENTRY if the chain is shorter; INTERRUPTED.
 */
bsdvm_status_t bsdvm_object_query(struct bsdvm_map *map, bsdvm_pindex_t pindex,
				  unsigned int depth,
				  struct bsdvm_object_summary *sum)
{
	const struct bsdvm_object *object;
	struct bsdvm_entry *entry;
	bsdvm_status_t status = bsdvm_map_lock_shared(map);

	if (status != BSDVM_SUCCESS)
		return status;
	bsdvm_family_lock(map->family);
	entry = bsdvm_map_entry_at(map, pindex);
	object = entry ? entry->object : NULL;
	while (object && depth--) {
		object = object->backing_object;
		cond_resched();
	}
	if (object)
		object_summary(object, sum);
	bsdvm_family_unlock(map->family);
	bsdvm_map_unlock_shared(map);
	return object ? BSDVM_SUCCESS : BSDVM_NO_ENTRY;
}

/**
 * bsdvm_snapshot_query - a snapshot of the family
 * @map: a map of the family
 * @id:  the first one with this id or a higher one
 * @sum: out
 *
 * Context: no lock of the core held; may sleep.
 *
 * Return: SUCCESS or NO_ENTRY.
 */
bsdvm_status_t bsdvm_snapshot_query(struct bsdvm_map *map, u32 id,
				    struct bsdvm_snapshot_summary *sum)
{
	struct bsdvm_family *family = map->family;
	const struct bsdvm_snapshot *snapshot;
	unsigned long index = id;

	bsdvm_family_lock(family);
	snapshot = xa_find(&family->snapshots, &index, ULONG_MAX, XA_PRESENT);
	if (snapshot) {
		sum->id = snapshot->id;
		sum->map_id = snapshot->map_id;
		sum->bytes = snapshot->bytes;
		sum->object_id = snapshot->nsegments ?
				 snapshot->segments[0].object->id : 0;
	}
	bsdvm_family_unlock(family);
	return snapshot ? BSDVM_SUCCESS : BSDVM_NO_ENTRY;
}
