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

/* Steps of a search before the map is let go for a moment. */
#define SEEK_BATCH	64

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

	if (bsdvm_family_lock_killable(family) != BSDVM_SUCCESS)
		return BSDVM_INTERRUPTED;
	any = seek_candidate(entry->object, last, index);
	bsdvm_family_unlock(family);
	return any ? BSDVM_SUCCESS : BSDVM_INVALID_ADDRESS;
}

/*
 * One step of a search, from @pindex on, with the map locked. Return: SUCCESS
 * with @pindex of what is sought; TRY_AGAIN with where to go on;
 * INVALID_ADDRESS at the end of the map; INTERRUPTED.
 */
typedef bsdvm_status_t (*seek_step_t)(struct bsdvm_map *map,
				      bsdvm_pindex_t *pindex);

/* The map is locked, so the entry keeps its object. */
static bsdvm_status_t seek_data_step(struct bsdvm_map *map,
				     bsdvm_pindex_t *pindex)
{
	struct bsdvm_entry *entry = bsdvm_map_entry_from(map, *pindex);
	bsdvm_status_t status = BSDVM_INVALID_ADDRESS;
	bsdvm_pindex_t index;

	if (!entry)
		return BSDVM_INVALID_ADDRESS;
	if (entry->object) {
		index = bsdvm_entry_index(entry, *pindex);
		status = seek_next(entry, bsdvm_entry_index(entry, entry->last),
				   &index);
	}
	if (status == BSDVM_INTERRUPTED)
		return status;
	if (status == BSDVM_INVALID_ADDRESS) {
		*pindex = entry->last + 1;
		return BSDVM_TRY_AGAIN;
	}
	*pindex = index - entry->offset + entry->start;
	if (seek_is_data(entry->object, index))
		return BSDVM_SUCCESS;
	++*pindex;
	return BSDVM_TRY_AGAIN;
}

static bsdvm_status_t seek_hole_step(struct bsdvm_map *map,
				     bsdvm_pindex_t *pindex)
{
	struct bsdvm_entry *entry = bsdvm_map_entry_at(map, *pindex);

	if (!entry)
		return BSDVM_INVALID_ADDRESS;
	if (!entry->object ||
	    !seek_is_data(entry->object, bsdvm_entry_index(entry, *pindex)))
		return BSDVM_SUCCESS;
	++*pindex;
	return BSDVM_TRY_AGAIN;
}

/*
 * Any number of pages or tombstones may have to be passed over, each with a
 * whole chain behind it: now and then the map is let go, as others may wait to
 * lock it, and those who fault wait behind them.
 */
static bsdvm_status_t seek(struct bsdvm_map *map, bsdvm_pindex_t *pindex,
			   seek_step_t step)
{
	bsdvm_status_t status;
	unsigned int i;

	do {
		status = bsdvm_map_lock_shared(map);
		if (status != BSDVM_SUCCESS)
			return status;
		status = BSDVM_TRY_AGAIN;
		for (i = 0; status == BSDVM_TRY_AGAIN && i < SEEK_BATCH; i++)
			status = fatal_signal_pending(current) ?
				 BSDVM_INTERRUPTED : step(map, pindex);
		bsdvm_map_unlock_shared(map);
		cond_resched();
	} while (status == BSDVM_TRY_AGAIN);
	return status;
}

/**
 * bsdvm_map_seek_data - find the next page that holds data
 * @map:    where
 * @pindex: in: page to begin with; out: the page found
 *
 * What is changed meanwhile may or may not be seen.
 * Context: no lock of the core held; may sleep.
 *
 * Return: SUCCESS; INVALID_ADDRESS if there is none before the end;
 * INTERRUPTED.
 */
bsdvm_status_t bsdvm_map_seek_data(struct bsdvm_map *map,
				   bsdvm_pindex_t *pindex)
{
	bsdvm_pindex_t at = *pindex;
	bsdvm_status_t status = seek(map, &at, seek_data_step);

	if (status == BSDVM_SUCCESS)
		*pindex = at;
	return status;
}

/**
 * bsdvm_map_seek_hole - find the next page without data
 * @map:    where
 * @pindex: in: page to begin with; out: the page found, map->size if all of the
 *          rest is data
 *
 * What is changed meanwhile may or may not be seen.
 * Context: no lock of the core held; may sleep.
 *
 * Return: SUCCESS; INVALID_ADDRESS from the end on; INTERRUPTED.
 */
bsdvm_status_t bsdvm_map_seek_hole(struct bsdvm_map *map,
				   bsdvm_pindex_t *pindex)
{
	bsdvm_pindex_t at = *pindex;
	bsdvm_status_t status = seek(map, &at, seek_hole_step);

	/* Data up to the end. */
	if (status == BSDVM_INVALID_ADDRESS && at > *pindex)
		status = BSDVM_SUCCESS;
	if (status == BSDVM_SUCCESS)
		*pindex = at;
	return status;
}
