// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Snapshots and shadows of maps.
 *
 * A snapshot is a list of segments, each a window on a frozen object; the id
 * that names it belongs to the family. Opening one makes a map whose entries
 * have NEEDS_COPY. A shadow of a range is the same without the id between.
 */

#include "internal.h"
#include "vmcore.h"
#include "map.h"
#include "object.h"
#include "snapshot.h"
#include "stats.h"
#include "wire.h"

/*
 * Cut a segment, of which some lies there, to @first..@last; its start counts
 * from @first then.
 */
static void segment_clip(struct bsdvm_segment *segment, bsdvm_pindex_t first,
			 bsdvm_pindex_t last)
{
	bsdvm_pindex_t end = segment->start + segment->npages - 1;
	bsdvm_pindex_t skip = 0;

	if (segment->start < first)
		skip = first - segment->start;
	segment->npages = min(end, last) - (segment->start + skip) + 1;
	segment->offset += skip;
	segment->start += skip;
	segment->start -= first;
}

static unsigned int snapshot_count(struct bsdvm_map *map)
{
	struct bsdvm_entry *entry;
	unsigned int n = 0;

	bsdvm_for_each_entry(map, entry, 0, BSDVM_PAGES_MAX)
		n++;
	return n;
}

static struct bsdvm_snapshot *snapshot_alloc(unsigned int nsegments)
{
	struct bsdvm_snapshot *snapshot;

	/* A map may have a great many entries. */
	snapshot = kvzalloc(struct_size(snapshot, segments, nsegments),
			    GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (snapshot)
		bsdvm_count(live_snapshots);
	return snapshot;
}

static void snapshot_free(struct bsdvm_snapshot *snapshot)
{
	bsdvm_uncount(live_snapshots);
	kvfree(snapshot);
}

/* Drop the references of a snapshot that no id names, and free it. */
static void snapshot_release(struct bsdvm_snapshot *snapshot)
{
	unsigned int i;

	for (i = 0; i < snapshot->nsegments; i++)
		bsdvm_object_deallocate(snapshot->segments[i].object);
	snapshot_free(snapshot);
}

/* Freeze and record a range, entry by entry. The map is locked exclusively. */
static bsdvm_status_t snapshot_fill(struct bsdvm_snapshot *snapshot,
				    struct bsdvm_map *map,
				    bsdvm_pindex_t first, bsdvm_pindex_t last)
{
	struct bsdvm_segment segment;
	struct bsdvm_entry *entry;
	bsdvm_status_t status;

	bsdvm_for_each_entry(map, entry, first, last) {
		status = bsdvm_freeze_entry(entry, &segment);
		if (status != BSDVM_SUCCESS)
			return status;
		if (!segment.object)
			continue;
		segment_clip(&segment, first, last);
		snapshot->segments[snapshot->nsegments++] = segment;
	}
	return BSDVM_SUCCESS;
}

/*
 * Freeze a range and record it in a snapshot without an id. The map is locked
 * exclusively. Return: SUCCESS with @taken; or as bsdvm_freeze_entry().
 */
static bsdvm_status_t snapshot_take(struct bsdvm_map *map, bsdvm_pindex_t first,
				    bsdvm_pindex_t npages,
				    struct bsdvm_snapshot **taken)
{
	struct bsdvm_snapshot *snapshot = snapshot_alloc(snapshot_count(map));
	bsdvm_status_t status = BSDVM_SUCCESS;

	if (!snapshot)
		return BSDVM_RESOURCE_SHORTAGE;
	snapshot->size = npages;
	snapshot->map_id = map->id;
	if (npages)
		status = snapshot_fill(snapshot, map, first,
				       first + npages - 1);
	if (status == BSDVM_SUCCESS) {
		*taken = snapshot;
		return BSDVM_SUCCESS;
	}
	bsdvm_family_lock(map->family);
	snapshot_release(snapshot);
	bsdvm_family_unlock(map->family);
	return status;
}

/* The id of a snapshot that was dropped is not soon that of another one. */
static bsdvm_status_t snapshot_publish(struct bsdvm_family *family,
				       struct bsdvm_snapshot *snapshot)
{
	if (xa_alloc_cyclic(&family->snapshots, &snapshot->id, snapshot,
			    xa_limit_32b, &family->next_id, GFP_KERNEL) < 0)
		return BSDVM_RESOURCE_SHORTAGE;
	family->nsnapshots++;
	bsdvm_count(snapshots);
	return BSDVM_SUCCESS;
}

/**
 * bsdvm_map_snapshot - name the present state of a map
 * @map:   whose
 * @bytes: size in bytes, kept for who opens the snapshot
 * @id:    out: names the snapshot in the map's family
 *
 * A cut: of two writes one of which happened before the other, no snapshot has
 * the later without the earlier. Copies no page but pinned and wired ones.
 * M-45, M-48: what a fork does to an entry that is inherited by COPY.
 * Context: no lock of the core held; may sleep.
 *
 * Return: SUCCESS; RESOURCE_SHORTAGE, INTERRUPTED, or MEMORY_BROKEN for a wired
 * page: nothing changed then.
 */
bsdvm_status_t bsdvm_map_snapshot(struct bsdvm_map *map, u64 bytes, u32 *id)
{
	struct bsdvm_snapshot *snapshot;
	bsdvm_status_t status = bsdvm_map_lock_settled(map, 0, BSDVM_PAGES_MAX);

	if (status != BSDVM_SUCCESS)
		return status;
	status = snapshot_take(map, 0, map->size, &snapshot);
	bsdvm_map_unlock(map);
	if (status != BSDVM_SUCCESS)
		return status;
	snapshot->bytes = bytes;
	bsdvm_family_lock(map->family);
	status = snapshot_publish(map->family, snapshot);
	if (status == BSDVM_SUCCESS) {
		*id = snapshot->id;
		trace_bsdvm_snapshot(map->id, snapshot->id, map->size);
	} else {
		snapshot_release(snapshot);
	}
	bsdvm_family_unlock(map->family);
	return status;
}

/* A second set of references, to make a map of. Entry: family->lock held. */
static struct bsdvm_snapshot *
snapshot_duplicate(const struct bsdvm_snapshot *snapshot)
{
	struct bsdvm_snapshot *copy = snapshot_alloc(snapshot->nsegments);
	unsigned int i;

	if (!copy)
		return NULL;
	memcpy(copy, snapshot,
	       struct_size(snapshot, segments, snapshot->nsegments));
	for (i = 0; i < copy->nsegments; i++)
		bsdvm_object_reference(copy->segments[i].object);
	return copy;
}

/* Entries for pages @from up to, not including, @to: nothing there yet. */
static bool snapshot_map_gap(struct bsdvm_map *map, bsdvm_pindex_t from,
			     bsdvm_pindex_t to)
{
	return from == to ||
	       bsdvm_entry_insert(map, from, to - 1, NULL, 0, 0);
}

/*
 * Entries for all of @snapshot. What is used of its references is taken out of
 * it; false without memory, the rest is left.
 */
static bool snapshot_map_segments(struct bsdvm_map *map,
				  struct bsdvm_snapshot *snapshot)
{
	const unsigned int flags = BSDVM_ENTRY_NEEDS_COPY | BSDVM_ENTRY_COW;
	bsdvm_pindex_t next = snapshot->size;
	struct bsdvm_segment *segment;

	while (snapshot->nsegments) {
		segment = &snapshot->segments[snapshot->nsegments - 1];
		if (!snapshot_map_gap(map, segment->start + segment->npages,
				      next) ||
		    !bsdvm_entry_insert(map, segment->start,
					segment->start + segment->npages - 1,
					segment->object, segment->offset,
					flags))
			return false;
		next = segment->start;
		snapshot->nsegments--;
	}
	return snapshot_map_gap(map, 0, next);
}

/*
 * A new map that shows @snapshot, whose references it takes over; @snapshot is
 * gone afterwards. It may do no more in the family than @asker.
 */
static bsdvm_status_t snapshot_map(const struct bsdvm_map *asker,
				   struct bsdvm_snapshot *snapshot, void *pmap,
				   struct bsdvm_map **new_map)
{
	struct bsdvm_family *family = asker->family;
	bsdvm_status_t status = BSDVM_SUCCESS;
	struct bsdvm_map *map;

	bsdvm_family_get(family);
	map = bsdvm_map_alloc(family, snapshot->size, pmap);
	if (map && !snapshot_map_segments(map, snapshot)) {
		bsdvm_family_get(family);
		bsdvm_map_put(map);
		map = NULL;
	}
	bsdvm_family_lock(family);
	snapshot_release(snapshot);
	bsdvm_family_unlock(family);
	if (map) {
		map->guest = asker->guest;
	} else {
		bsdvm_family_put(family);
		status = BSDVM_RESOURCE_SHORTAGE;
	}
	*new_map = map;
	return status;
}

/**
 * bsdvm_snapshot_open - a new writable map that begins as a snapshot
 * @map:     a map of the family
 * @id:      of the snapshot, which stays as it is
 * @pmap:    passed to pmap operations on the new map
 * @new_map: out: the map, with one reference
 * @bytes:   out: size in bytes recorded with the snapshot
 *
 * Context: no lock of the core held; may sleep.
 *
 * Return: SUCCESS, NO_ENTRY or RESOURCE_SHORTAGE.
 */
bsdvm_status_t bsdvm_snapshot_open(struct bsdvm_map *map, u32 id, void *pmap,
				   struct bsdvm_map **new_map, u64 *bytes)
{
	struct bsdvm_family *family = map->family;
	struct bsdvm_snapshot *snapshot, *copy = NULL;

	bsdvm_family_lock(family);
	snapshot = xa_load(&family->snapshots, id);
	if (snapshot)
		copy = snapshot_duplicate(snapshot);
	bsdvm_family_unlock(family);
	if (!snapshot)
		return BSDVM_NO_ENTRY;
	if (!copy)
		return BSDVM_RESOURCE_SHORTAGE;
	*bytes = copy->bytes;
	return snapshot_map(map, copy, pmap, new_map);
}

/**
 * bsdvm_snapshot_drop - forget a snapshot
 * @map: a map of the family
 * @id:  of the snapshot
 *
 * What it alone held is freed; chains that have become longer than needed are
 * collapsed. Maps opened from it are not affected.
 * Context: no lock of the core held; may sleep.
 *
 * Return: SUCCESS; NO_ENTRY; PROTECTION_FAILURE if @map is a guest and the
 * snapshot is not of itself.
 */
bsdvm_status_t bsdvm_snapshot_drop(struct bsdvm_map *map, u32 id)
{
	struct bsdvm_family *family = map->family;
	bsdvm_status_t status = BSDVM_SUCCESS;
	struct bsdvm_snapshot *snapshot;

	bsdvm_family_lock(family);
	snapshot = xa_load(&family->snapshots, id);
	if (!snapshot) {
		status = BSDVM_NO_ENTRY;
	} else if (map->guest && snapshot->map_id != map->id) {
		status = BSDVM_PROTECTION_FAILURE;
	} else {
		xa_erase(&family->snapshots, id);
		family->nsnapshots--;
		snapshot_release(snapshot);
	}
	bsdvm_family_unlock(family);
	return status;
}

/**
 * bsdvm_snapshot_drop_all - forget every snapshot of a family
 * @family: its last map is gone
 *
 * Entry: family->lock held; release it by bsdvm_family_unlock(). The count of
 * snapshots is not kept: nobody asks any more.
 */
void bsdvm_snapshot_drop_all(struct bsdvm_family *family)
{
	struct bsdvm_snapshot *snapshot;
	unsigned long id;

	xa_for_each(&family->snapshots, id, snapshot) {
		xa_erase(&family->snapshots, id);
		snapshot_release(snapshot);
		cond_resched();
	}
}

/**
 * bsdvm_map_shadow - a new map in front of a range of a map
 * @map:     whose range; it goes on with a top object of its own
 * @first:   first page; page 0 of the new map
 * @npages:  at least 1; the range must lie in the map
 * @pmap:    passed to pmap operations on the new map
 * @new_map: out: the map, with one reference
 *
 * Context: no lock of the core held; may sleep.
 *
 * Return: SUCCESS, INVALID_ADDRESS, or as bsdvm_map_snapshot().
 */
bsdvm_status_t bsdvm_map_shadow(struct bsdvm_map *map, bsdvm_pindex_t first,
				bsdvm_pindex_t npages, void *pmap,
				struct bsdvm_map **new_map)
{
	struct bsdvm_snapshot *snapshot;
	bsdvm_status_t status = bsdvm_map_lock_settled(map, 0, BSDVM_PAGES_MAX);

	if (status != BSDVM_SUCCESS)
		return status;
	if (!npages || first >= map->size || npages > map->size - first)
		status = BSDVM_INVALID_ADDRESS;
	else
		status = snapshot_take(map, first, npages, &snapshot);
	bsdvm_map_unlock(map);
	if (status != BSDVM_SUCCESS)
		return status;
	return snapshot_map(map, snapshot, pmap, new_map);
}
