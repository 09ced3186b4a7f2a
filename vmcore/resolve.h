/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The one resolver: what a page of a chain resolves to. */
#ifndef BSDVM_VMCORE_RESOLVE_H
#define BSDVM_VMCORE_RESOLVE_H

/**
 * enum bsdvm_found - where a walk down a chain ended
 * @BSDVM_FOUND_PAGE:  cursor->slot is the page, in cursor->object
 * @BSDVM_FOUND_HOLE:  the chain ended, or at a zero tombstone: reads zero
 * @BSDVM_FOUND_BUSY:  somebody is filling this slot
 * @BSDVM_FOUND_PAGER: absent here, but the object's pager may have it
 * @BSDVM_FOUND_AGAIN: the chain changed underfoot, or is just collapsing here
 */
enum bsdvm_found {
	BSDVM_FOUND_PAGE,
	BSDVM_FOUND_HOLE,
	BSDVM_FOUND_BUSY,
	BSDVM_FOUND_PAGER,
	BSDVM_FOUND_AGAIN,
};

/**
 * struct bsdvm_cursor - a place in a chain
 * @object: the object in hand
 * @pindex: the page's index there
 * @depth:  objects above @object on this walk
 * @slot:   what @object holds at @pindex
 */
struct bsdvm_cursor {
	struct bsdvm_object *object;
	bsdvm_pindex_t pindex;
	unsigned int depth;
	void *slot;
};

/* Disturbed that often, a walk keeps the family's links from changing. */
#define BSDVM_PATIENCE	16

/**
 * bsdvm_resolve_keep - let no link of the family change during a walk
 * @object:    where the walk begins
 * @disturbed: how often it was begun anew; nothing is done before
 *             BSDVM_PATIENCE
 *
 * A walk down a chain begins anew whenever any link of the family changes, so
 * one in a deep chain could be kept from ending by relatives that come and go,
 * or keep those from their end that it does not give way to. Under family->lock
 * no walk is disturbed: who holds it does not get here. May sleep, signals or
 * not.
 *
 * Return: the family, locked, or NULL: for bsdvm_resolve_leave().
 */
static inline struct bsdvm_family *
bsdvm_resolve_keep(struct bsdvm_object *object, unsigned int disturbed)
{
	if (likely(disturbed < BSDVM_PATIENCE))
		return NULL;
	bsdvm_family_lock(object->family);
	return object->family;
}

/**
 * bsdvm_resolve_leave - end bsdvm_resolve_keep()
 * @family: what it returned
 *
 * May sleep.
 */
static inline void bsdvm_resolve_leave(struct bsdvm_family *family)
{
	if (unlikely(family))
		bsdvm_family_unlock(family);
}

enum bsdvm_found bsdvm_resolve(struct bsdvm_cursor *cursor);
enum bsdvm_found bsdvm_resolve_below(struct bsdvm_cursor *cursor);
enum bsdvm_found bsdvm_resolve_resident(struct bsdvm_cursor *cursor);
struct folio *bsdvm_resolve_hold(struct bsdvm_cursor *cursor);

#endif /* BSDVM_VMCORE_RESOLVE_H */
