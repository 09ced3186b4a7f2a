// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Data and holes: where a map has pages.
 *
 * Data is what the resolver finds a page or a stored page for; a tombstone is
 * a hole.
 */

#include "internal.h"
#include "vmcore.h"
#include "busy.h"
#include "map.h"
#include "object.h"
#include "resolve.h"

static bool seek_is_data(struct bsdvm_object *object, bsdvm_pindex_t index)
{
	struct bsdvm_family *family;
	unsigned int disturbed = 0;
	enum bsdvm_found found;

	for (;;) {
		struct bsdvm_cursor cursor = {
			.object = object,
			.pindex = index,
		};

		family = bsdvm_resolve_keep(object, disturbed++);
		rcu_read_lock();
		found = bsdvm_resolve(&cursor);
		rcu_read_unlock();
		bsdvm_resolve_leave(family);
		if (found != BSDVM_FOUND_AGAIN)
			return found != BSDVM_FOUND_HOLE;
		cond_resched();
	}
}

/*
 * The lowest index from @index to @last at which any object of the chain holds
 * something; false if there is none. Stored pages cannot be searched for: every
 * index of an object with a pager is a candidate. Entry: family->lock held.
 */
static bool seek_candidate(struct bsdvm_object *object, bsdvm_pindex_t last,
			   bsdvm_pindex_t *index)
{
	bsdvm_pindex_t shift = 0, best = last, end = last;
	unsigned long at;
	bool any = false;

	for (;;) {
		at = *index + shift;
		if (object->pager ||
		    xa_find(&object->slots, &at, end + shift, XA_PRESENT)) {
			best = min(best, at - shift);
			any = true;
		}
		if (!object->backing_object ||
		    *index + shift >= object->backing_end)
			break;
		end = min(end, object->backing_end - 1 - shift);
		shift += object->backing_offset;
		object = object->backing_object;
		cond_resched();
	}
	*index = best;
	return any;
}

/* The same, with the lock only for one step down the chain. */
static bsdvm_status_t seek_next(const struct bsdvm_entry *entry,
				bsdvm_pindex_t last, bsdvm_pindex_t *index)
{
	struct bsdvm_family *family = entry->map->family;
	bool any;

	if (fatal_signal_pending(current) ||
	    bsdvm_family_lock_killable(family) != BSDVM_SUCCESS)
		return BSDVM_INTERRUPTED;
	any = seek_candidate(entry->object, last, index);
	bsdvm_family_unlock(family);
	return any ? BSDVM_SUCCESS : BSDVM_INVALID_ADDRESS;
}

/*
 * First data in @entry from @pindex on. The map is locked, so the entry keeps
 * its object. Any number of tombstones may be in the way, each with a whole
 * chain behind it: relatives get their turn between two of them.
 */
static bsdvm_status_t seek_entry_data(const struct bsdvm_entry *entry,
				      bsdvm_pindex_t *pindex)
{
	bsdvm_pindex_t index = bsdvm_entry_index(entry, *pindex);
	bsdvm_pindex_t last = bsdvm_entry_index(entry, entry->last);
	bsdvm_status_t status = BSDVM_INVALID_ADDRESS;

	for (; index <= last; index++) {
		status = seek_next(entry, last, &index);
		if (status != BSDVM_SUCCESS)
			break;
		if (seek_is_data(entry->object, index)) {
			*pindex = index - entry->offset + entry->start;
			return BSDVM_SUCCESS;
		}
		status = BSDVM_INVALID_ADDRESS;
		cond_resched();
	}
	return status;
}

/**
 * bsdvm_map_seek_data - find the next page that holds data
 * @map:    where
 * @pindex: in: page to begin with; out: the page found
 *
 * Context: no lock of the core held; may sleep.
 *
 * Return: SUCCESS; INVALID_ADDRESS if there is none before the end;
 * INTERRUPTED.
 */
bsdvm_status_t bsdvm_map_seek_data(struct bsdvm_map *map,
				   bsdvm_pindex_t *pindex)
{
	bsdvm_pindex_t at = *pindex;
	struct bsdvm_entry *entry;
	bsdvm_status_t status = bsdvm_map_lock_shared(map);

	if (status != BSDVM_SUCCESS)
		return status;
	status = BSDVM_INVALID_ADDRESS;
	bsdvm_for_each_entry(map, entry, at, BSDVM_PAGES_MAX) {
		at = max(at, entry->start);
		if (entry->object)
			status = seek_entry_data(entry, &at);
		if (status != BSDVM_INVALID_ADDRESS)
			break;
		at = entry->last + 1;
	}
	if (status == BSDVM_SUCCESS)
		*pindex = at;
	bsdvm_map_unlock_shared(map);
	return status;
}

/* First hole in @entry from @pindex on; the page after it if there is none. */
static bsdvm_status_t seek_entry_hole(const struct bsdvm_entry *entry,
				      bsdvm_pindex_t *pindex)
{
	for (; *pindex <= entry->last; ++*pindex) {
		if (fatal_signal_pending(current))
			return BSDVM_INTERRUPTED;
		if (!seek_is_data(entry->object,
				  bsdvm_entry_index(entry, *pindex)))
			break;
		cond_resched();
	}
	return BSDVM_SUCCESS;
}

/**
 * bsdvm_map_seek_hole - find the next page without data
 * @map:    where
 * @pindex: in: page to begin with; out: the page found, map->size if all of the
 *          rest is data
 *
 * Context: no lock of the core held; may sleep.
 *
 * Return: SUCCESS; INVALID_ADDRESS from the end on; INTERRUPTED.
 */
bsdvm_status_t bsdvm_map_seek_hole(struct bsdvm_map *map,
				   bsdvm_pindex_t *pindex)
{
	bsdvm_pindex_t at = *pindex;
	struct bsdvm_entry *entry;
	bsdvm_status_t status = bsdvm_map_lock_shared(map);

	if (status != BSDVM_SUCCESS)
		return status;
	if (at >= map->size)
		status = BSDVM_INVALID_ADDRESS;
	while (status == BSDVM_SUCCESS && at < map->size) {
		entry = bsdvm_map_entry_at(map, at);
		if (!entry || !entry->object)
			break;
		status = seek_entry_hole(entry, &at);
		if (at <= entry->last)
			break;
	}
	if (status == BSDVM_SUCCESS)
		*pindex = min(at, map->size);
	bsdvm_map_unlock_shared(map);
	return status;
}
