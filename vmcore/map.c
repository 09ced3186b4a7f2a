// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Maps: life cycle, locking, and the lookup every fault begins with.
 *
 * Entries are kept in an xarray under their last page: the first entry found at
 * or after a page is the only one that can contain it.
 */

#include "internal.h"
#include "vmcore.h"
#include "map.h"
#include "object.h"
#include "stats.h"

static atomic64_t map_ids = ATOMIC64_INIT(0);

/*
 * Bases of folio->index: almost as many maps of a family get different ones.
 * The first is left to pages that are made without a map.
 */
#define MAP_BASES	BIT(27)

/**
 * bsdvm_map_alloc - a map without entries
 * @family: the caller's reference passes to the map
 * @size:   in pages, at most BSDVM_PAGES_MAX
 * @pmap:   passed to pmap operations
 *
 * Context: no lock of the core held; may sleep.
 *
 * Return: the map with one reference, on the family's list, or NULL; the
 * reference on @family stays with the caller then.
 */
struct bsdvm_map *bsdvm_map_alloc(struct bsdvm_family *family,
				  bsdvm_pindex_t size, void *pmap)
{
	struct bsdvm_map *map = kzalloc(sizeof(*map), GFP_KERNEL_ACCOUNT);

	if (!map)
		return NULL;
	refcount_set(&map->refs, 1);
	init_rwsem(&map->lock);
	xa_init_flags(&map->entries, XA_FLAGS_ACCOUNT);
	INIT_LIST_HEAD(&map->entry_list);
	map->size = size;
	map->pmap = pmap;
	map->family = family;
	map->id = atomic64_inc_return(&map_ids);
	bsdvm_family_lock(family);
	map->index_base = (++family->next_base % MAP_BASES) << BSDVM_PAGES_BITS;
	list_add_tail(&map->family_link, &family->maps);
	family->nmaps++;
	bsdvm_family_unlock(family);
	bsdvm_count(live_maps);
	return map;
}

/* A map in a family of its own, with one entry for @object if there is one. */
static struct bsdvm_map *map_create(bsdvm_pindex_t size, void *pmap,
				    struct bsdvm_object *object,
				    struct bsdvm_family *family)
{
	struct bsdvm_map *map = bsdvm_map_alloc(family, size, pmap);

	if (!map)
		return NULL;
	if (size && !bsdvm_entry_insert(map, 0, size - 1, object, 0, 0)) {
		bsdvm_family_get(family);
		bsdvm_map_put(map);
		return NULL;
	}
	return map;
}

/**
 * bsdvm_map_create - a new map of anonymous memory
 * @size: in pages, 0 to BSDVM_PAGES_MAX
 * @pmap: passed to pmap operations
 *
 * Everything reads zero. The object is created by the first fault (M-19).
 * Context: no lock of the core held; may sleep.
 *
 * Return: the map with one reference; NULL without memory or for another size.
 */
struct bsdvm_map *bsdvm_map_create(bsdvm_pindex_t size, void *pmap)
{
	struct bsdvm_family *family;
	struct bsdvm_map *map;

	if (size > BSDVM_PAGES_MAX)
		return NULL;
	family = bsdvm_family_create();
	if (!family)
		return NULL;
	map = map_create(size, pmap, NULL, family);
	if (!map)
		bsdvm_family_put(family);
	return map;
}

/**
 * bsdvm_map_create_object - a map that shows an object, in the object's family
 * @object: the caller's reference passes to the map's only entry. No other map
 *          may have it for its top object
 * @pmap:   passed to pmap operations
 *
 * Context: no lock of the core held; may sleep.
 *
 * Return: the map with one reference, or NULL without memory; the reference
 * on @object stays with the caller then.
 */
struct bsdvm_map *bsdvm_map_create_object(struct bsdvm_object *object,
					  void *pmap)
{
	struct bsdvm_family *family = object->family;
	struct bsdvm_map *map;

	bsdvm_family_get(family);
	map = map_create(object->size, pmap, object, family);
	if (!map)
		bsdvm_family_put(family);
	return map;
}

/**
 * bsdvm_map_get - take a reference on a map
 * @map: referenced already, be it by somebody else who keeps it
 *
 * Does not sleep. Give it back by bsdvm_map_put().
 */
void bsdvm_map_get(struct bsdvm_map *map)
{
	refcount_inc(&map->refs);
}

/**
 * bsdvm_map_put - drop a reference on a map
 * @map: with no mapping left when this is the last
 *
 * The last one removes the entries and leaves the family. May sleep.
 */
void bsdvm_map_put(struct bsdvm_map *map)
{
	struct bsdvm_family *family = map->family;
	struct bsdvm_entry *entry, *next;

	if (!refcount_dec_and_test(&map->refs))
		return;
	bsdvm_family_lock(family);
	list_for_each_entry_safe(entry, next, &map->entry_list, map_link) {
		bsdvm_entry_remove(entry);
		cond_resched();
	}
	list_del(&map->family_link);
	family->nmaps--;
	bsdvm_family_unlock(family);
	xa_destroy(&map->entries);
	bsdvm_uncount(live_maps);
	kfree(map);
	bsdvm_family_put(family);
}

/**
 * bsdvm_map_lock - lock a map exclusively
 * @map: not locked by the caller
 *
 * I-16, M-21: every acquisition is a new generation. May sleep.
 *
 * Return: SUCCESS with map->lock held; INTERRUPTED without it.
 */
bsdvm_status_t bsdvm_map_lock(struct bsdvm_map *map)
{
	if (down_write_killable(&map->lock))
		return BSDVM_INTERRUPTED;
	map->generation++;
	return BSDVM_SUCCESS;
}

/**
 * bsdvm_map_lock_always - lock a map exclusively where there is no way to fail
 * @map: not locked by the caller
 *
 * As bsdvm_map_lock(), but sleeps whatever signals arrive.
 */
void bsdvm_map_lock_always(struct bsdvm_map *map)
{
	down_write(&map->lock);
	map->generation++;
}

/**
 * bsdvm_map_unlock - end bsdvm_map_lock() or bsdvm_map_lock_always()
 * @map: locked exclusively by the caller
 */
void bsdvm_map_unlock(struct bsdvm_map *map)
{
	up_write(&map->lock);
}

/**
 * bsdvm_map_lock_shared - lock a map against changes
 * @map: not locked by the caller
 *
 * M-10. The generation stays (I-16). May sleep.
 *
 * Return: SUCCESS with map->lock held shared; INTERRUPTED without it.
 */
bsdvm_status_t bsdvm_map_lock_shared(struct bsdvm_map *map)
{
	return down_read_killable(&map->lock) ? BSDVM_INTERRUPTED :
						BSDVM_SUCCESS;
}

/**
 * bsdvm_map_unlock_shared - let go of a map locked shared
 * @map: locked shared by the caller
 */
void bsdvm_map_unlock_shared(struct bsdvm_map *map)
{
	up_read(&map->lock);
}

/**
 * bsdvm_map_relock_shared - lock again if nothing changed meanwhile
 * @map:        not locked
 * @generation: of the lookup whose results are to be used further
 *
 * Does not sleep, as the caller may own a busy slot (F-86).
 *
 * Return: true with the lock held; false without it.
 */
bool bsdvm_map_relock_shared(struct bsdvm_map *map, u64 generation)
{
	if (!down_read_trylock(&map->lock))
		return false;
	if (map->generation == generation)
		return true;
	up_read(&map->lock);
	return false;
}

/**
 * bsdvm_map_entry_from - first entry that ends at or after a page
 * @map:    locked
 * @pindex: page of the map
 *
 * Return: the entry, or NULL if there is none.
 */
struct bsdvm_entry *bsdvm_map_entry_from(struct bsdvm_map *map,
					 bsdvm_pindex_t pindex)
{
	struct bsdvm_entry *entry;
	unsigned long last = pindex;

	/* Most maps have one entry. */
	entry = list_first_entry_or_null(&map->entry_list, struct bsdvm_entry,
					 map_link);
	if (!entry || pindex <= entry->last)
		return entry;
	if (list_is_last(&entry->map_link, &map->entry_list))
		return NULL;
	return xa_find(&map->entries, &last, ULONG_MAX, XA_PRESENT);
}

static bool map_entry_contains(const struct bsdvm_entry *entry,
			       bsdvm_pindex_t pindex)
{
	return entry && entry->start <= pindex && pindex <= entry->last;
}

/**
 * bsdvm_map_entry_at - the entry a page lies in
 * @map:    locked
 * @pindex: page of the map
 *
 * Return: the entry, or NULL for a page in no entry.
 */
struct bsdvm_entry *bsdvm_map_entry_at(struct bsdvm_map *map,
				       bsdvm_pindex_t pindex)
{
	struct bsdvm_entry *entry = READ_ONCE(map->hint);

	if (likely(map_entry_contains(entry, pindex)))
		return entry;
	entry = bsdvm_map_entry_from(map, pindex);
	if (!map_entry_contains(entry, pindex))
		return NULL;
	WRITE_ONCE(map->hint, entry);
	return entry;
}

/* M-12 to M-17: may this access proceed, and with what protection? */
static bsdvm_status_t lookup_check(struct bsdvm_lookup *lookup)
{
	unsigned int access = lookup->fault_type & BSDVM_PROT_ALL;
	struct bsdvm_entry *entry;

	entry = bsdvm_map_entry_at(lookup->map, lookup->pindex);
	if (!entry)
		return BSDVM_INVALID_ADDRESS;
	lookup->entry = entry;
	lookup->prot = lookup->fault_type & BSDVM_PROT_OVERRIDE ?
		       entry->max_protection : entry->protection;
	if (access & ~lookup->prot)
		return BSDVM_PROTECTION_FAILURE;
	/* W-25: the copy was due when the entry was wired. */
	if ((entry->flags & BSDVM_ENTRY_USER_WIRED) &&
	    bsdvm_entry_needs_copy(entry) && (access & BSDVM_PROT_WRITE) &&
	    !(lookup->fault_type & BSDVM_PROT_OVERRIDE))
		return BSDVM_PROTECTION_FAILURE;
	lookup->wired = entry->wired_count != 0;
	if (lookup->wired) {
		lookup->prot = entry->protection;
		lookup->fault_type = entry->protection;
	}
	return BSDVM_SUCCESS;
}

/* M-18, M-19: must the entry get an object of its own first? */
static bool lookup_needs_top(const struct bsdvm_lookup *lookup)
{
	const struct bsdvm_entry *entry = lookup->entry;

	if (unlikely(!entry->object))
		return true;
	return bsdvm_entry_needs_copy(entry) &&
	       (lookup->want_top || (lookup->fault_type & BSDVM_PROT_WRITE));
}

/* The same, with the map locked exclusively and given a top object. */
static bsdvm_status_t lookup_exclusive(struct bsdvm_lookup *lookup)
{
	unsigned int fault_type = lookup->fault_type;
	bsdvm_status_t status = bsdvm_map_lock(lookup->map);

	if (status != BSDVM_SUCCESS)
		return status;
	lookup->fault_type = fault_type;
	status = lookup_check(lookup);
	if (status == BSDVM_SUCCESS && lookup_needs_top(lookup))
		status = bsdvm_entry_make_top_killable(lookup->entry);
	if (status == BSDVM_SUCCESS)
		downgrade_write(&lookup->map->lock);
	else
		bsdvm_map_unlock(lookup->map);
	return status;
}

/**
 * bsdvm_map_lookup - begin a fault
 * @lookup: map, pindex, fault_type and want_top filled in
 *
 * M-10 to M-23. May create the entry's object or push a shadow, never copies a
 * page.
 *
 * Return: SUCCESS with map->lock held shared. INVALID_ADDRESS,
 * PROTECTION_FAILURE, RESOURCE_SHORTAGE, INTERRUPTED: not locked.
 */
bsdvm_status_t bsdvm_map_lookup(struct bsdvm_lookup *lookup)
{
	unsigned int fault_type = lookup->fault_type;
	struct bsdvm_entry *entry;
	bsdvm_status_t status = bsdvm_map_lock_shared(lookup->map);

	if (status != BSDVM_SUCCESS)
		return status;
	status = lookup_check(lookup);
	if (status != BSDVM_SUCCESS) {
		bsdvm_map_unlock_shared(lookup->map);
		return status;
	}
	if (unlikely(lookup_needs_top(lookup))) {
		bsdvm_map_unlock_shared(lookup->map);
		lookup->fault_type = fault_type;
		status = lookup_exclusive(lookup);
		if (status != BSDVM_SUCCESS)
			return status;
	}
	entry = lookup->entry;
	if (bsdvm_entry_needs_copy(entry))
		lookup->prot &= ~BSDVM_PROT_WRITE;
	lookup->object = entry->object;
	lookup->index = bsdvm_entry_index(entry, lookup->pindex);
	lookup->generation = lookup->map->generation;
	return BSDVM_SUCCESS;
}
