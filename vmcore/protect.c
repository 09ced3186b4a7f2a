// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Protection of a range of a map. */

#include "internal.h"
#include "vmcore.h"
#include "map.h"
#include "object.h"
#include "wire.h"

/* M-35: may every entry of the range have this protection? */
static bool protect_is_allowed(struct bsdvm_map *map, bsdvm_pindex_t first,
			       bsdvm_pindex_t last, unsigned int prot)
{
	struct bsdvm_entry *entry;

	bsdvm_for_each_entry(map, entry, first, last)
		if (prot & ~entry->max_protection)
			return false;
	return true;
}

/*
 * M-36. Mappings are removed, never upgraded: each access faults once and finds
 * the new protection.
 */
static void protect_entry(struct bsdvm_entry *entry, unsigned int prot,
			  bool set_max)
{
	struct bsdvm_family *family = entry->map->family;
	unsigned int old = entry->protection;

	if (set_max) {
		entry->max_protection = prot;
		prot &= old;
	}
	entry->protection = prot;
	if (!(old & ~prot))
		return;
	bsdvm_family_lock(family);
	bsdvm_entry_await(entry);
	bsdvm_family_unlock(family);
	bsdvm_pmap->remove(entry->map, entry->start, bsdvm_entry_npages(entry));
}

static bsdvm_status_t protect_range(struct bsdvm_map *map,
				    bsdvm_pindex_t first, bsdvm_pindex_t last,
				    unsigned int prot, bool set_max)
{
	struct bsdvm_entry *entry;
	bsdvm_status_t status;

	if (!protect_is_allowed(map, first, last, prot))
		return BSDVM_PROTECTION_FAILURE;
	status = bsdvm_entry_clip_range(map, first, last);
	if (status == BSDVM_SUCCESS)
		bsdvm_for_each_entry(map, entry, first, last)
			protect_entry(entry, prot, set_max);
	bsdvm_entry_simplify(map, first, last);
	return status;
}

/**
 * bsdvm_map_protect - set the protection of a range
 * @map:     where; not locked by the caller
 * @first:   first page
 * @last:    last page, inclusive; holes are allowed
 * @prot:    of BSDVM_PROT_READ, WRITE, EXEC
 * @set_max: set what the protection may become, and reduce it to that
 *
 * M-35, M-36. May sleep.
 *
 * Return: SUCCESS; INVALID_ARGUMENT; PROTECTION_FAILURE if some entry may not
 * have @prot, RESOURCE_SHORTAGE: nothing changed then; INTERRUPTED.
 */
bsdvm_status_t bsdvm_map_protect(struct bsdvm_map *map, bsdvm_pindex_t first,
				 bsdvm_pindex_t last, unsigned int prot,
				 bool set_max)
{
	bsdvm_status_t status;

	if (first > last || (prot & ~BSDVM_PROT_ALL))
		return BSDVM_INVALID_ARGUMENT;
	status = bsdvm_map_lock_settled(map, first, last);
	if (status != BSDVM_SUCCESS)
		return status;
	status = protect_range(map, first, last, prot, set_max);
	bsdvm_map_unlock(map);
	return status;
}
