// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The shadow: a new object in front of a frozen one.
 *
 *     before             after
 *     entry -> source    entry -> shadow -> source
 *
 * Nothing is copied; pages are found through the window until a write makes
 * a copy in the shadow.
 */

#include "internal.h"
#include "vmcore.h"
#include "busy.h"
#include "object.h"
#include "page.h"
#include "stats.h"

/* Is a page in the hands of somebody who no longer refers to the object? */
static bool shadow_in_hands(struct bsdvm_object *object)
{
	unsigned long pindex;
	void *slot;

	xa_for_each(&object->slots, pindex, slot) {
		if (bsdvm_slot_is_page(slot) && bsdvm_page_in_hands(slot, 0))
			return true;
		cond_resched();
	}
	return false;
}

/**
 * bsdvm_object_shadow - a writable object in place of a frozen one
 * @source: the caller's reference passes to the result's window
 * @offset: page of @source that is to be page 0
 * @length: in pages
 *
 * O-15: whoever alone refers to an anonymous object may go on writing to it,
 * unless a page of it is in somebody's hands; then @source itself is returned,
 * and @offset stays in force.
 * O-16: otherwise the result is a new object with offset 0.
 * Entry: family->lock held, maps that show @source locked exclusively. May
 * sleep for memory.
 *
 * Return: the object to use, or NULL without memory: nothing changed then.
 */
struct bsdvm_object *bsdvm_object_shadow(struct bsdvm_object *source,
					 bsdvm_pindex_t offset,
					 bsdvm_pindex_t length)
{
	struct bsdvm_object *shadow;

	lockdep_assert_held(&source->family->lock);
	if (source->ref_count == 1 && !source->shadow_count &&
	    bsdvm_object_is_anonymous(source) && !shadow_in_hands(source))
		return source;
	shadow = bsdvm_object_alloc(source->family, length);
	if (!shadow)
		return NULL;
	bsdvm_object_attach(shadow, source, offset, length);
	bsdvm_count(shadows);
	trace_bsdvm_shadow(shadow->id, source->id, offset, length);
	return shadow;
}
