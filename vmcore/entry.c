// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Map entries: insert, remove, clip, merge; and the object behind one.
 *
 * All under map->lock exclusive, or while nobody else knows the map. Links
 * between entry and object are topology: family->lock, taken here.
 */

#include "internal.h"
#include "vmcore.h"
#include "map.h"
#include "object.h"
#include "stats.h"

static struct kmem_cache *entry_cache;

/**
 * bsdvm_map_init - make the cache that entries come from
 *
 * Return: 0 or -ENOMEM.
 */
int bsdvm_map_init(void)
{
	entry_cache = KMEM_CACHE(bsdvm_entry, SLAB_ACCOUNT);
	return entry_cache ? 0 : -ENOMEM;
}

/**
 * bsdvm_map_fini - give the cache of entries back
 *
 * No entry exists any more.
 */
void bsdvm_map_fini(void)
{
	kmem_cache_destroy(entry_cache);
}

static struct bsdvm_entry *entry_alloc(struct bsdvm_map *map)
{
	struct bsdvm_entry *entry;

	entry = kmem_cache_zalloc(entry_cache, GFP_KERNEL_ACCOUNT);
	if (!entry)
		return NULL;
	entry->map = map;
	INIT_LIST_HEAD(&entry->object_link);
	bsdvm_count(live_entries);
	return entry;
}

static void entry_free(struct bsdvm_entry *entry)
{
	bsdvm_uncount(live_entries);
	kmem_cache_free(entry_cache, entry);
}

/**
 * bsdvm_entry_copy - copy range and attributes of an entry
 * @to:   keeps its links and its object
 * @from: its map locked
 *
 * The links are others' to change: they belong to the object and its family.
 */
void bsdvm_entry_copy(struct bsdvm_entry *to, const struct bsdvm_entry *from)
{
	to->start = from->start;
	to->last = from->last;
	to->offset = from->offset;
	to->flags = from->flags;
	to->protection = from->protection;
	to->max_protection = from->max_protection;
	to->inheritance = from->inheritance;
	to->wired_count = from->wired_count;
}

/* Into the map's index and, in order, on its list. */
static bool entry_link(struct bsdvm_entry *entry)
{
	struct bsdvm_map *map = entry->map;
	struct bsdvm_entry *next = bsdvm_map_entry_from(map, entry->start);

	if (xa_is_err(xa_store(&map->entries, entry->last, entry, GFP_KERNEL)))
		return false;
	list_add_tail(&entry->map_link,
		      next ? &next->map_link : &map->entry_list);
	return true;
}

static void entry_unlink(struct bsdvm_entry *entry)
{
	struct bsdvm_map *map = entry->map;

	xa_erase(&map->entries, entry->last);
	list_del(&entry->map_link);
	if (map->hint == entry)
		WRITE_ONCE(map->hint, NULL);
}

/**
 * bsdvm_entry_set_object - let an entry show another object
 * @entry:  its map locked exclusively
 * @object: the caller's reference passes to the entry; NULL for none
 * @offset: page of @object that the entry begins with
 *
 * The reference on the former object passes to the caller.
 * Entry: family->lock held.
 */
void bsdvm_entry_set_object(struct bsdvm_entry *entry,
			    struct bsdvm_object *object, bsdvm_pindex_t offset)
{
	lockdep_assert_held(&entry->map->family->lock);
	list_del_init(&entry->object_link);
	entry->object = object;
	entry->offset = offset;
	if (object)
		list_add_tail(&entry->object_link, &object->entries);
}

/**
 * bsdvm_entry_insert - a new entry
 * @map:    locked exclusively, or known to nobody else
 * @start:  first page
 * @last:   last page, inclusive
 * @object: the caller's reference passes to the entry; may be NULL
 * @offset: page of @object that @start shows
 * @flags:  BSDVM_ENTRY_*
 *
 * M-27, M-28. The range must be free. Read, write and execute are allowed.
 *
 * Return: the entry, or NULL without memory: nothing changed then.
 */
struct bsdvm_entry *bsdvm_entry_insert(struct bsdvm_map *map,
				       bsdvm_pindex_t start,
				       bsdvm_pindex_t last,
				       struct bsdvm_object *object,
				       bsdvm_pindex_t offset,
				       unsigned int flags)
{
	struct bsdvm_entry *entry = entry_alloc(map);

	if (!entry)
		return NULL;
	entry->start = start;
	entry->last = last;
	entry->flags = flags;
	entry->protection = BSDVM_PROT_ALL;
	entry->max_protection = BSDVM_PROT_ALL;
	entry->inheritance = BSDVM_INHERIT_COPY;
	if (!entry_link(entry)) {
		entry_free(entry);
		return NULL;
	}
	if (object) {
		bsdvm_family_lock(map->family);
		bsdvm_entry_set_object(entry, object, offset);
		bsdvm_family_unlock(map->family);
	}
	return entry;
}

/**
 * bsdvm_entry_remove - take an entry out of its map
 * @entry: its mappings are gone already (M-52)
 *
 * W-23. Entry: map locked exclusively or unreachable; family->lock held,
 * released by bsdvm_family_unlock().
 */
void bsdvm_entry_remove(struct bsdvm_entry *entry)
{
	struct bsdvm_object *object = entry->object;

	bsdvm_entry_unwire(entry);
	entry_unlink(entry);
	bsdvm_entry_set_object(entry, NULL, 0);
	if (object)
		bsdvm_object_deallocate(object);
	entry_free(entry);
}

/*
 * Split @entry so that it begins at @pindex; what lies before becomes an entry
 * of its own. The key of @entry, its last page, stays.
 */
static bsdvm_status_t entry_split(struct bsdvm_entry *entry,
				  bsdvm_pindex_t pindex)
{
	struct bsdvm_map *map = entry->map;
	struct bsdvm_entry *front;

	/* M-31: both halves must share an object. */
	if (!entry->object && bsdvm_entry_make_top(entry) != BSDVM_SUCCESS)
		return BSDVM_RESOURCE_SHORTAGE;
	front = entry_alloc(map);
	if (!front)
		return BSDVM_RESOURCE_SHORTAGE;
	bsdvm_entry_copy(front, entry);
	front->last = pindex - 1;
	if (!entry_link(front)) {
		entry_free(front);
		return BSDVM_RESOURCE_SHORTAGE;
	}
	bsdvm_family_lock(map->family);
	bsdvm_object_reference(entry->object);
	bsdvm_entry_set_object(front, entry->object, entry->offset);
	bsdvm_family_unlock(map->family);
	entry->offset += pindex - entry->start;
	entry->start = pindex;
	return BSDVM_SUCCESS;
}

/**
 * bsdvm_entry_clip - make sure that no entry spans a page boundary
 * @map:    locked exclusively
 * @pindex: the first page behind the boundary
 *
 * M-31. May sleep.
 *
 * Return: SUCCESS; RESOURCE_SHORTAGE: the entry is still in one piece.
 */
bsdvm_status_t bsdvm_entry_clip(struct bsdvm_map *map, bsdvm_pindex_t pindex)
{
	struct bsdvm_entry *entry = bsdvm_map_entry_at(map, pindex);

	lockdep_assert_held_write(&map->lock);
	if (!entry || entry->start == pindex)
		return BSDVM_SUCCESS;
	return entry_split(entry, pindex);
}

/**
 * bsdvm_entry_clip_range - clip at both ends of a range
 * @map:   locked exclusively
 * @first: first page
 * @last:  last page, inclusive
 *
 * M-31. May sleep.
 *
 * Return: SUCCESS; RESOURCE_SHORTAGE: perhaps the front is clipped, for
 * bsdvm_entry_simplify() to undo.
 */
bsdvm_status_t bsdvm_entry_clip_range(struct bsdvm_map *map,
				      bsdvm_pindex_t first,
				      bsdvm_pindex_t last)
{
	bsdvm_status_t status = bsdvm_entry_clip(map, first);

	return status == BSDVM_SUCCESS ? bsdvm_entry_clip(map, last + 1) :
					 status;
}

/* M-33: may @entry be merged into the entry that follows it? */
static bool entry_can_merge(const struct bsdvm_entry *entry,
			    const struct bsdvm_entry *next)
{
	return next && next->start == entry->last + 1 &&
	       next->object == entry->object &&
	       (!entry->object ||
		next->offset == entry->offset + bsdvm_entry_npages(entry)) &&
	       next->flags == entry->flags &&
	       !(entry->flags & BSDVM_ENTRY_IN_TRANSITION) &&
	       next->protection == entry->protection &&
	       next->max_protection == entry->max_protection &&
	       next->inheritance == entry->inheritance &&
	       next->wired_count == entry->wired_count;
}

/* The later entry keeps its key and takes over what lies before it. */
static void entry_merge(struct bsdvm_entry *entry, struct bsdvm_entry *next)
{
	struct bsdvm_map *map = entry->map;

	entry_unlink(entry);
	next->start = entry->start;
	next->offset = entry->offset;
	if (entry->object) {
		bsdvm_family_lock(map->family);
		list_del_init(&entry->object_link);
		bsdvm_object_deallocate(entry->object);
		bsdvm_family_unlock(map->family);
	}
	entry_free(entry);
}

/**
 * bsdvm_entry_simplify - merge entries that have become alike
 * @map:   locked exclusively
 * @first: first page of the range that changed
 * @last:  last page of it, inclusive; its neighbours are considered, too
 */
void bsdvm_entry_simplify(struct bsdvm_map *map, bsdvm_pindex_t first,
			  bsdvm_pindex_t last)
{
	struct bsdvm_entry *entry, *next;

	lockdep_assert_held_write(&map->lock);
	entry = bsdvm_map_entry_from(map, first ? first - 1 : 0);
	while (entry && entry->start <= last) {
		next = bsdvm_entry_next(map, entry);
		if (entry_can_merge(entry, next))
			entry_merge(entry, next);
		entry = next;
	}
}

static bool entry_has_top(const struct bsdvm_entry *entry)
{
	lockdep_assert_held_write(&entry->map->lock);
	return entry->object && !bsdvm_entry_needs_copy(entry);
}

/* Entry: family->lock held. */
static bsdvm_status_t entry_set_top(struct bsdvm_entry *entry)
{
	bsdvm_pindex_t npages = bsdvm_entry_npages(entry);
	struct bsdvm_object *top;

	if (entry->object)
		top = bsdvm_object_shadow(entry->object, entry->offset, npages);
	else
		top = bsdvm_object_alloc(entry->map->family, npages);
	if (!top)
		return BSDVM_RESOURCE_SHORTAGE;
	if (top != entry->object)
		bsdvm_entry_set_object(entry, top, 0);
	entry->flags &= ~BSDVM_ENTRY_NEEDS_COPY;
	return BSDVM_SUCCESS;
}

/**
 * bsdvm_entry_make_top - give an entry an object it may write to
 * @entry: its map locked exclusively
 *
 * M-18, M-19: creates the object, or shadows a frozen one. NEEDS_COPY is clear
 * afterwards; COW stays. May sleep, signals or not.
 *
 * Return: SUCCESS or RESOURCE_SHORTAGE.
 */
bsdvm_status_t bsdvm_entry_make_top(struct bsdvm_entry *entry)
{
	bsdvm_status_t status;

	if (entry_has_top(entry))
		return BSDVM_SUCCESS;
	bsdvm_family_lock(entry->map->family);
	status = entry_set_top(entry);
	bsdvm_family_unlock(entry->map->family);
	return status;
}

/**
 * bsdvm_entry_make_top_killable - the same for a fault
 * @entry: its map locked exclusively; without an object it may write to
 *
 * As bsdvm_entry_make_top(), but a fatal signal ends the wait for others of the
 * family, who may be collapsing a long chain.
 *
 * Return: SUCCESS, RESOURCE_SHORTAGE or INTERRUPTED.
 */
bsdvm_status_t bsdvm_entry_make_top_killable(struct bsdvm_entry *entry)
{
	bsdvm_status_t status;

	lockdep_assert_held_write(&entry->map->lock);
	status = bsdvm_family_lock_killable(entry->map->family);
	if (status != BSDVM_SUCCESS)
		return status;
	status = entry_set_top(entry);
	bsdvm_family_unlock(entry->map->family);
	return status;
}
