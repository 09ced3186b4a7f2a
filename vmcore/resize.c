// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The end of a map.
 *
 *     cut off at 3:   [a b c d] [e f]    ->    [a b c]
 *     grown to 6:     [a b c]            ->    [a b c . . .]
 *
 * An entry that spans the new end is punched there and becomes shorter; those
 * beyond it go as a whole. A map grows by its last entry, once what the object
 * has there is punched, or by a new entry if that object is not to be touched.
 * Snapshots keep what they have.
 *
 * The map is locked exclusively throughout. Its size is never beyond what is
 * there: set first when it shrinks, last when it grows.
 */

#include "internal.h"
#include "vmcore.h"
#include "map.h"
#include "object.h"
#include "punch.h"
#include "wire.h"

/* Let @entry end at @last instead; room for its new key is reserved. */
static void resize_entry(struct bsdvm_entry *entry, bsdvm_pindex_t last)
{
	struct xarray *entries = &entry->map->entries;
	bsdvm_pindex_t old = entry->last;

	entry->last = last;
	xa_store(entries, last, entry, GFP_NOWAIT);
	xa_erase(entries, old);
}

/* Are the pages of the entry's own object nobody else's to see? */
static bool shrink_owns(const struct bsdvm_entry *entry)
{
	return entry->object && !bsdvm_entry_needs_copy(entry) &&
	       bsdvm_object_is_anonymous(entry->object);
}

/*
 * What an entry that goes alone showed leaves an object that stays, as other
 * entries show other parts of it. A frozen object keeps its pages: somebody
 * else may show them. Cannot fail: what lies behind need not be hidden.
 */
static void shrink_take(struct bsdvm_punch *punch)
{
	struct bsdvm_entry *entry = punch->entry;

	if (!shrink_owns(entry) || entry->object->ref_count == 1)
		return;
	punch->first = entry->offset;
	punch->last = bsdvm_entry_index(entry, entry->last);
	bsdvm_entry_unwire(entry);
	bsdvm_punch_take(punch);
}

/*
 * Entries from @size on go, whatever they hold. The map's size is @size
 * already; mappings go before the objects do (M-52).
 */
static void shrink_remove(struct bsdvm_map *map, bsdvm_pindex_t size)
{
	struct bsdvm_entry *entry;
	struct bsdvm_punch punch = { };

	INIT_LIST_HEAD(&punch.pages);
	bsdvm_family_lock(map->family);
	bsdvm_for_each_entry(map, entry, size, BSDVM_PAGES_MAX)
		bsdvm_entry_await(entry);
	bsdvm_pmap->remove(map, size, BSDVM_PAGES_MAX - size);
	while ((punch.entry = bsdvm_map_entry_from(map, size))) {
		shrink_take(&punch);
		bsdvm_entry_remove(punch.entry);
	}
	bsdvm_family_unlock(map->family);
	bsdvm_punch_free(&punch);
}

/* The entry that spans the new end keeps only what lies before it. */
static bsdvm_status_t shrink_span(struct bsdvm_map *map, bsdvm_pindex_t size)
{
	struct bsdvm_entry *entry = bsdvm_map_entry_at(map, size);
	bsdvm_status_t status;

	if (!entry || entry->start == size)
		return BSDVM_SUCCESS;
	if (xa_reserve(&map->entries, size - 1, GFP_KERNEL))
		return BSDVM_RESOURCE_SHORTAGE;
	bsdvm_entry_unwire_range(entry, size, entry->last);
	status = bsdvm_punch_entry(entry, size, entry->last, false);
	if (status != BSDVM_SUCCESS) {
		bsdvm_entry_rewire_range(entry, size, entry->last);
		xa_release(&map->entries, size - 1);
		return status;
	}
	resize_entry(entry, size - 1);
	return BSDVM_SUCCESS;
}

static bsdvm_status_t map_shrink(struct bsdvm_map *map, bsdvm_pindex_t size)
{
	bsdvm_pindex_t old = map->size;
	bsdvm_status_t status;

	map->size = size;
	status = shrink_span(map, size);
	if (status != BSDVM_SUCCESS) {
		map->size = old;
		return status;
	}
	shrink_remove(map, size);
	return BSDVM_SUCCESS;
}

/*
 * Does nobody else see what lies behind the entry's part of its object? If the
 * object is frozen the entry will get one of its own.
 */
static bool grow_is_alone(const struct bsdvm_entry *entry)
{
	struct bsdvm_object *object = entry->object;
	bool alone;

	if (!object || bsdvm_entry_needs_copy(entry))
		return true;
	bsdvm_family_lock(object->family);
	alone = object->ref_count == 1 && bsdvm_object_is_anonymous(object);
	bsdvm_family_unlock(object->family);
	return alone;
}

/*
 * May the map's last entry simply become longer, up to @last? Not if it shows
 * its object from so far on that pages would be beyond BSDVM_PAGES_MAX there:
 * an entry may begin at the end of what it was made from, any number of times.
 */
static bool grow_can_extend(const struct bsdvm_entry *entry,
			    bsdvm_pindex_t last)
{
	return entry && !entry->wired_count &&
	       bsdvm_entry_index(entry, last) < BSDVM_PAGES_MAX &&
	       !(entry->flags & ~(BSDVM_ENTRY_COW | BSDVM_ENTRY_NEEDS_COPY)) &&
	       entry->protection == BSDVM_PROT_ALL &&
	       entry->max_protection == BSDVM_PROT_ALL && grow_is_alone(entry);
}

/*
 * The object behind the last entry must read zero where the entry is going to
 * reach: it may have been longer once, or show more of its backing object.
 */
static bsdvm_status_t grow_object(struct bsdvm_entry *entry,
				  bsdvm_pindex_t last)
{
	struct bsdvm_punch punch = { .entry = entry };
	struct bsdvm_object *object;
	bsdvm_status_t status;

	if (!entry->object)
		return BSDVM_SUCCESS;
	status = bsdvm_entry_make_top(entry);
	if (status != BSDVM_SUCCESS)
		return status;
	/* Not before: the object may be another one now, at another offset. */
	punch.first = bsdvm_entry_index(entry, entry->last) + 1;
	punch.last = bsdvm_entry_index(entry, last);
	status = bsdvm_punch_object(&punch);
	if (status != BSDVM_SUCCESS)
		return status;
	object = entry->object;
	bsdvm_family_lock(object->family);
	WRITE_ONCE(object->size, max(object->size, punch.last + 1));
	bsdvm_family_unlock(object->family);
	return BSDVM_SUCCESS;
}

static bsdvm_status_t grow_extend(struct bsdvm_entry *entry,
				  bsdvm_pindex_t last)
{
	struct xarray *entries = &entry->map->entries;
	bsdvm_status_t status;

	if (xa_reserve(entries, last, GFP_KERNEL))
		return BSDVM_RESOURCE_SHORTAGE;
	status = grow_object(entry, last);
	if (status == BSDVM_SUCCESS)
		resize_entry(entry, last);
	else
		xa_release(entries, last);
	return status;
}

/* The last entry of the map, if it reaches the map's end. */
static struct bsdvm_entry *map_last_entry(struct bsdvm_map *map)
{
	return map->size ? bsdvm_map_entry_at(map, map->size - 1) : NULL;
}

static bsdvm_status_t map_grow(struct bsdvm_map *map, bsdvm_pindex_t size)
{
	struct bsdvm_entry *entry = map_last_entry(map);
	bsdvm_status_t status = BSDVM_SUCCESS;

	if (grow_can_extend(entry, size - 1))
		status = grow_extend(entry, size - 1);
	else if (!bsdvm_entry_insert(map, map->size, size - 1, NULL, 0, 0))
		status = BSDVM_RESOURCE_SHORTAGE;
	if (status == BSDVM_SUCCESS)
		map->size = size;
	return status;
}

/*
 * As shrink_span(), which has failed to hide what lies behind the new end of an
 * entry: whoever makes the entry longer again hides it then, see grow_object().
 */
static void cut_span(struct bsdvm_map *map, bsdvm_pindex_t size)
{
	struct bsdvm_punch punch = { .entry = bsdvm_map_entry_at(map, size) };
	struct bsdvm_entry *entry = punch.entry;

	WARN_ON_ONCE(xa_reserve(&map->entries, size - 1,
				GFP_KERNEL | __GFP_NOFAIL));
	bsdvm_entry_unwire_range(entry, size, entry->last);
	INIT_LIST_HEAD(&punch.pages);
	punch.first = bsdvm_entry_index(entry, size);
	punch.last = bsdvm_entry_index(entry, entry->last);
	bsdvm_family_lock(map->family);
	bsdvm_entry_await(entry);
	bsdvm_pmap->remove(map, size, BSDVM_PAGES_MAX - size);
	if (shrink_owns(entry))
		bsdvm_punch_take(&punch);
	resize_entry(entry, size - 1);
	bsdvm_family_unlock(map->family);
	bsdvm_punch_free(&punch);
}

/**
 * bsdvm_map_resize - change a map's size
 * @map:  which
 * @size: in pages, 0 to BSDVM_PAGES_MAX
 *
 * What is cut off is gone from this map; pages that appear read zero. Mappings
 * beyond a new end are removed.
 * Context: no lock of the core held; may sleep.
 *
 * Return: SUCCESS, INVALID_ARGUMENT, RESOURCE_SHORTAGE (nothing changed) or
 * INTERRUPTED.
 */
bsdvm_status_t bsdvm_map_resize(struct bsdvm_map *map, bsdvm_pindex_t size)
{
	bsdvm_status_t status;

	if (size > BSDVM_PAGES_MAX)
		return BSDVM_INVALID_ARGUMENT;
	status = bsdvm_map_lock_settled(map, 0, BSDVM_PAGES_MAX);
	if (status != BSDVM_SUCCESS)
		return status;
	if (size < map->size)
		status = map_shrink(map, size);
	else if (size > map->size)
		status = map_grow(map, size);
	bsdvm_map_unlock(map);
	return status;
}

/**
 * bsdvm_map_cut - take back a growth
 * @map:  which
 * @size: in pages; nothing is done to a map that is not larger
 *
 * As bsdvm_map_resize(), but neither fatal signals nor want of memory end it:
 * they may be why the growth was in vain.
 * Context: no lock of the core held; may sleep.
 */
void bsdvm_map_cut(struct bsdvm_map *map, bsdvm_pindex_t size)
{
	bsdvm_map_lock_settled_always(map, 0, BSDVM_PAGES_MAX);
	if (size < map->size && map_shrink(map, size) != BSDVM_SUCCESS) {
		map->size = size;
		cut_span(map, size);
		shrink_remove(map, size);
	}
	bsdvm_map_unlock(map);
}
