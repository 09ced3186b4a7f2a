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

enum bsdvm_found bsdvm_resolve(struct bsdvm_cursor *cursor);
enum bsdvm_found bsdvm_resolve_below(struct bsdvm_cursor *cursor);
enum bsdvm_found bsdvm_resolve_resident(struct bsdvm_cursor *cursor);
struct folio *bsdvm_resolve_hold(struct bsdvm_cursor *cursor);

#endif /* BSDVM_VMCORE_RESOLVE_H */
