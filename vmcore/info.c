// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Answers to questions about maps, entries, snapshots and objects. */

#include "internal.h"
#include "vmcore.h"
#include "info.h"
#include "map.h"
#include "object.h"

static void summary_add_chain(struct bsdvm_map_summary *sum,
			      const struct bsdvm_object *object)
{
	unsigned int depth = 0;

	if (object)
		sum->resident += atomic_long_read(&object->resident);
	for (; object; object = object->backing_object) {
		sum->reachable += atomic_long_read(&object->resident);
		depth++;
	}
	sum->depth = max(sum->depth, depth);
}

/**
 * bsdvm_map_summary - a map in numbers
 * @map: not locked by the caller
 * @sum: out
 */
void bsdvm_map_summary(struct bsdvm_map *map, struct bsdvm_map_summary *sum)
{
	struct bsdvm_family *family = map->family;
	struct bsdvm_entry *entry;

	*sum = (struct bsdvm_map_summary){ };
	down_read(&map->lock);
	bsdvm_family_lock(family);
	sum->generation = map->generation;
	bsdvm_for_each_entry(map, entry, 0, BSDVM_PAGES_MAX) {
		sum->entries++;
		if (entry->wired_count)
			sum->wired += bsdvm_entry_npages(entry);
		summary_add_chain(sum, entry->object);
	}
	sum->snapshots = family->nsnapshots;
	sum->maps = refcount_read(&family->refs);
	bsdvm_family_unlock(family);
	up_read(&map->lock);
}

/**
 * bsdvm_map_user_wired - how much of a range is wired for the user
 * @map:   not locked by the caller
 * @first: first page
 * @last:  last page, inclusive
 *
 * Return: pages; none of a range that ends before it begins.
 */
bsdvm_pindex_t bsdvm_map_user_wired(struct bsdvm_map *map, bsdvm_pindex_t first,
				    bsdvm_pindex_t last)
{
	struct bsdvm_entry *entry;
	bsdvm_pindex_t wired = 0;

	down_read(&map->lock);
	bsdvm_for_each_entry(map, entry, first, last)
		if (first <= last && (entry->flags & BSDVM_ENTRY_USER_WIRED))
			wired += min(last, entry->last) -
				 max(first, entry->start) + 1;
	up_read(&map->lock);
	return wired;
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
	while (object && depth--)
		object = object->backing_object;
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
