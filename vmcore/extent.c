// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Reverse mapping: from the pages of an object to the maps that show them.
 *
 * An extent is a map entry; it hangs on the list of the object it maps. Pages
 * of an object are reached through its own extents and, through the windows of
 * its shadows, through theirs. The tree of shadows is walked depth first with
 * the parent links for a stack; `shift` is what must be added to a page index
 * of the starting object to get the index in the object in hand.
 *
 * A range may be removed where a nearer object hides the page: harmless, the
 * next access faults.
 */

#include "internal.h"
#include "vmcore.h"
#include "object.h"

/* A range of pages; @last is inclusive. Indices are signed: they may lie
 * before page 0 of a shadow that shows a later part.
 */
struct extent_range {
	long first;
	long last;
};

static bool extent_clip(struct extent_range *range, long first, long last)
{
	range->first = max(range->first, first);
	range->last = min(range->last, last);
	return range->first <= range->last;
}

/* Remove the mappings that @entry itself makes of a range of its object. */
static void extent_remove(const struct bsdvm_entry *entry,
			  struct extent_range range)
{
	bsdvm_pindex_t length = entry->last - entry->start;

	if (!extent_clip(&range, entry->offset, entry->offset + length))
		return;
	bsdvm_pmap->remove(entry->map,
			   range.first - entry->offset + entry->start,
			   range.last - range.first + 1);
}

static bool extent_reaches(const struct bsdvm_object *shadow,
			   struct extent_range range, long shift)
{
	range.first += shift - (long)shadow->backing_offset;
	range.last += shift - (long)shadow->backing_offset;
	return extent_clip(&range, 0, (long)shadow->backing_end - 1);
}

/* The first of @shadows, from @shadow on, that shows a page of the range. */
static struct bsdvm_object *extent_pick(const struct bsdvm_object *backing,
					struct bsdvm_object *shadow,
					struct extent_range range, long shift)
{
	list_for_each_entry_from(shadow, &backing->shadows, shadow_link)
		if (extent_reaches(shadow, range, shift))
			return shadow;
	return NULL;
}

/* Next object of the tree below @root, or NULL. */
static struct bsdvm_object *extent_next(struct bsdvm_object *root,
					struct bsdvm_object *object,
					struct extent_range range, long *shift)
{
	struct bsdvm_object *next;

	next = extent_pick(object,
			   list_first_entry(&object->shadows,
					    struct bsdvm_object, shadow_link),
			   range, *shift);
	while (!next && object != root) {
		struct bsdvm_object *backing = object->backing_object;

		*shift += object->backing_offset;
		next = extent_pick(backing,
				   list_next_entry(object, shadow_link),
				   range, *shift);
		object = backing;
	}
	if (next)
		*shift -= next->backing_offset;
	return next;
}

/**
 * bsdvm_object_unmap - remove every mapping of a range of an object's pages
 * @object: whose
 * @pindex: first page
 * @npages: at least 1
 *
 * N-10e, L-21. In every map, at any depth above @object.
 * Entry: family->lock held. May sleep.
 */
void bsdvm_object_unmap(struct bsdvm_object *object, bsdvm_pindex_t pindex,
			bsdvm_pindex_t npages)
{
	struct extent_range range = { pindex, pindex + npages - 1 };
	struct bsdvm_object *at = object;
	const struct bsdvm_entry *entry;
	long shift = 0;

	lockdep_assert_held(&object->family->lock);
	do {
		struct extent_range here = { range.first + shift,
					     range.last + shift };

		list_for_each_entry(entry, &at->entries, object_link)
			extent_remove(entry, here);
		at = extent_next(object, at, range, &shift);
	} while (at);
}
