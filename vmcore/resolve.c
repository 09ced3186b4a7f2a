// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The walk down a chain, without locks.
 *
 *      first_object      backing object    its backing object
 *     +------------+    +------------+    +------------+
 *     | . A . 0 .  | -> | B C D E .  | -> | . . . . F  | -> nothing
 *     +------------+    +------------+    +------------+
 *       page 0: B        page 1: A        page 2: D
 *       page 3: a hole (tombstone)        page 4: F
 *
 * Objects behind another are frozen, so the bytes found do not depend on when
 * one looks; only the place of a page changes, when a collapse moves it one
 * level up. A walk that misses a page because of that must not take it for
 * absent. And an object may be passed over while a walk is on its way to it;
 * who is then left with it writes to it in place, which nobody else may see. So
 *
 *   - while the collapse runs, the object losing its pages is COLLAPSING, which
 *     is set before the first page moves and tested after every miss;
 *   - once it has ended, or an object was passed over, family->seq has changed,
 *     which is compared on every step against the value at the start of the
 *     walk, and after every hit but one in the first object, which is the
 *     caller's to look at.
 *
 * Objects are freed after a grace period. Callers hold rcu_read_lock() across
 * the walk and whatever they do with cursor->object, unless something else
 * keeps the object.
 */

#include "internal.h"
#include "vmcore.h"
#include "busy.h"
#include "object.h"
#include "page.h"
#include "pager.h"
#include "resolve.h"

static bool resolve_is_leaving(const struct bsdvm_object *object)
{
	/* Pairs with the barrier in collapse_begin(): miss, then look. */
	smp_rmb();
	return READ_ONCE(object->flags) &
	       (BIT(BSDVM_OBJECT_COLLAPSING) | BIT(BSDVM_OBJECT_DEAD));
}

/*
 * Step to the backing object. False at the end of the chain or outside the
 * window on it; the cursor stays then.
 */
static bool resolve_step(struct bsdvm_cursor *cursor)
{
	const struct bsdvm_object *object = cursor->object;
	struct bsdvm_object *backing = READ_ONCE(object->backing_object);

	if (!backing || cursor->pindex >= READ_ONCE(object->backing_end))
		return false;
	cursor->pindex += READ_ONCE(object->backing_offset);
	cursor->object = backing;
	cursor->depth++;
	return true;
}

/* As xa_load(), whose read side is ours already. */
static void *resolve_load(struct bsdvm_cursor *cursor)
{
	XA_STATE(xas, &cursor->object->slots, cursor->pindex);
	void *slot;

	do {
		slot = xas_load(&xas);
	} while (xas_retry(&xas, slot));
	return slot;
}

static enum bsdvm_found resolve_classify(const void *slot)
{
	if (likely(!xa_is_value(slot)))
		return BSDVM_FOUND_PAGE;
	return bsdvm_slot_is_busy(slot) ? BSDVM_FOUND_BUSY : BSDVM_FOUND_HOLE;
}

/* F-47: beyond the end of a store of its own nothing further is looked for. */
static bool resolve_asks_pager(const struct bsdvm_cursor *cursor)
{
	struct bsdvm_object *object = cursor->object;

	return bsdvm_pager_has_page(object, cursor->pindex) ||
	       (unlikely(object->handle) &&
		cursor->pindex >= READ_ONCE(object->size));
}

/* Does the object at hand tell what is to be @found? */
static bool resolve_settles(struct bsdvm_cursor *cursor,
			    enum bsdvm_found *found)
{
	cursor->slot = resolve_load(cursor);
	if (cursor->slot)
		*found = resolve_classify(cursor->slot);
	else if (resolve_asks_pager(cursor))
		*found = BSDVM_FOUND_PAGER;
	else
		return false;
	return true;
}

static enum bsdvm_found resolve_walk(struct bsdvm_cursor *cursor, bool below)
{
	const struct bsdvm_object *first = cursor->object;
	const seqcount_t *seq = &first->family->seq;
	unsigned int start = read_seqcount_begin(seq);
	enum bsdvm_found found;
	bool more;

	for (;; below = false) {
		if (!below && resolve_settles(cursor, &found)) {
			if (cursor->object == first ||
			    !read_seqcount_retry(seq, start))
				return found;
			return BSDVM_FOUND_AGAIN;
		}
		if (resolve_is_leaving(cursor->object))
			return BSDVM_FOUND_AGAIN;
		more = resolve_step(cursor);
		if (read_seqcount_retry(seq, start))
			return BSDVM_FOUND_AGAIN;
		if (!more)
			return BSDVM_FOUND_HOLE;
	}
}

/**
 * bsdvm_resolve - find what a page of a chain resolves to
 * @cursor: in: object and pindex to begin with; out: where the walk ended
 *
 * The single answer to "what is there?": faults, held pages, seeks and checks
 * all come here. A page found carries no reference: see bsdvm_resolve_hold().
 * F-70: each step adds the backing offset.
 * Context: RCU read side; does not sleep.
 *
 * Return: BSDVM_FOUND_*.
 */
enum bsdvm_found bsdvm_resolve(struct bsdvm_cursor *cursor)
{
	return resolve_walk(cursor, false);
}

/**
 * bsdvm_resolve_below - as bsdvm_resolve(), passing over the object in hand
 * @cursor: the object whose pager just proved not to have the page (F-64)
 *
 * Context: RCU read side; does not sleep.
 *
 * Return: BSDVM_FOUND_*.
 */
enum bsdvm_found bsdvm_resolve_below(struct bsdvm_cursor *cursor)
{
	return resolve_walk(cursor, true);
}

/**
 * bsdvm_resolve_resident - as bsdvm_resolve(), passing over stored pages
 * @cursor: as for bsdvm_resolve()
 *
 * For who knows that the pagers on the way do not have the page: what one
 * brought since lies in a slot, and is found.
 * Context: RCU read side; does not sleep.
 *
 * Return: BSDVM_FOUND_*, never BSDVM_FOUND_PAGER.
 */
enum bsdvm_found bsdvm_resolve_resident(struct bsdvm_cursor *cursor)
{
	enum bsdvm_found found = resolve_walk(cursor, false);

	while (unlikely(found == BSDVM_FOUND_PAGER))
		found = resolve_walk(cursor, true);
	return found;
}

/**
 * bsdvm_resolve_hold - take a reference on the page just found
 * @cursor: from a walk that ended in BSDVM_FOUND_PAGE, in the same read side
 *
 * Return: the page, or NULL if it has left its slot: walk again.
 */
struct folio *bsdvm_resolve_hold(struct bsdvm_cursor *cursor)
{
	struct folio *page = cursor->slot;

	if (!folio_try_get(page))
		return NULL;
	if (likely(resolve_load(cursor) == page))
		return page;
	folio_put(page);
	return NULL;
}
