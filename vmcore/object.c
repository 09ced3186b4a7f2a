// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Objects: birth, references, links and end.
 *
 * All of it is topology, done under family->lock. An object that loses its
 * last reference goes on family->dead; bsdvm_family_unlock() empties it after
 * the lock is released, because freeing many pages takes time.
 */

#include "internal.h"
#include "vmcore.h"
#include "busy.h"
#include "object.h"
#include "page.h"
#include "pager.h"
#include "stats.h"

static struct kmem_cache *object_cache;
static atomic64_t object_ids = ATOMIC64_INIT(0);

/**
 * bsdvm_object_init - make the cache that objects come from
 *
 * Return: 0 or -ENOMEM.
 */
int bsdvm_object_init(void)
{
	object_cache = KMEM_CACHE(bsdvm_object, SLAB_ACCOUNT);
	return object_cache ? 0 : -ENOMEM;
}

/**
 * bsdvm_object_fini - give the cache of objects back
 *
 * No object exists any more. Sleeps until the memory of the last ones is free.
 */
void bsdvm_object_fini(void)
{
	/* Wait for object_free_rcu() of the last objects. */
	rcu_barrier();
	kmem_cache_destroy(object_cache);
}

/**
 * bsdvm_object_alloc - a new object without pages
 * @family: whose
 * @size:   in pages
 *
 * O-1. May sleep.
 *
 * Return: the object with one reference, or NULL.
 */
struct bsdvm_object *bsdvm_object_alloc(struct bsdvm_family *family,
					bsdvm_pindex_t size)
{
	struct bsdvm_object *object;

	object = kmem_cache_zalloc(object_cache, GFP_KERNEL_ACCOUNT);
	if (!object)
		return NULL;
	xa_init_flags(&object->slots, XA_FLAGS_ACCOUNT);
	INIT_LIST_HEAD(&object->shadows);
	INIT_LIST_HEAD(&object->shadow_link);
	INIT_LIST_HEAD(&object->pending_link);
	INIT_LIST_HEAD(&object->entries);
	object->family = family;
	object->size = size;
	object->ref_count = 1;
	object->id = atomic64_inc_return(&object_ids);
	bsdvm_count(live_objects);
	return object;
}

/**
 * bsdvm_object_reference - take a reference
 * @object: referenced already, not dead
 *
 * O-3. Does not sleep. Entry: family->lock held.
 */
void bsdvm_object_reference(struct bsdvm_object *object)
{
	lockdep_assert_held(&object->family->lock);
	WARN_ON_ONCE(!object->ref_count);
	WRITE_ONCE(object->ref_count, object->ref_count + 1);
}

/* Change the window in one piece for walks without the lock. */
static void object_set_link(struct bsdvm_object *object,
			    struct bsdvm_object *backing,
			    bsdvm_pindex_t offset, bsdvm_pindex_t end)
{
	bsdvm_family_relink_begin(object->family);
	WRITE_ONCE(object->backing_object, backing);
	WRITE_ONCE(object->backing_offset, offset);
	WRITE_ONCE(object->backing_end, end);
	bsdvm_family_relink_end(object->family);
}

/**
 * bsdvm_object_attach - put an object in front of another
 * @object:  without backing object
 * @backing: the caller's reference on it passes to @object
 * @offset:  page of @backing that is page 0 of @object
 * @end:     pages of @object from here on are not looked for in @backing
 *
 * Entry: family->lock held. I-3.
 */
void bsdvm_object_attach(struct bsdvm_object *object,
			 struct bsdvm_object *backing, bsdvm_pindex_t offset,
			 bsdvm_pindex_t end)
{
	lockdep_assert_held(&object->family->lock);
	WARN_ON_ONCE(object->backing_object || object == backing);
	list_add_tail(&object->shadow_link, &backing->shadows);
	WRITE_ONCE(backing->shadow_count, backing->shadow_count + 1);
	object_set_link(object, backing, offset, end);
}

/**
 * bsdvm_object_detach - take an object away from its backing object
 * @object: with a backing object
 *
 * Entry: family->lock held.
 *
 * Return: the former backing object, with the reference @object had on it.
 */
struct bsdvm_object *bsdvm_object_detach(struct bsdvm_object *object)
{
	struct bsdvm_object *backing = object->backing_object;

	lockdep_assert_held(&object->family->lock);
	list_del_init(&object->shadow_link);
	WRITE_ONCE(backing->shadow_count, backing->shadow_count - 1);
	object_set_link(object, NULL, 0, 0);
	return backing;
}

/**
 * bsdvm_object_relink - put an object in front of another than before
 * @object:  with a backing object; the reference on it passes to the caller
 * @backing: the new one; gets a reference
 * @offset:  page of @backing that is page 0 of @object
 * @end:     end of the window
 *
 * For walks without the lock there is either the old link or the new one.
 * Entry: family->lock held.
 */
void bsdvm_object_relink(struct bsdvm_object *object,
			 struct bsdvm_object *backing, bsdvm_pindex_t offset,
			 bsdvm_pindex_t end)
{
	struct bsdvm_object *old = object->backing_object;

	bsdvm_object_reference(backing);
	list_move_tail(&object->shadow_link, &backing->shadows);
	WRITE_ONCE(old->shadow_count, old->shadow_count - 1);
	WRITE_ONCE(backing->shadow_count, backing->shadow_count + 1);
	object_set_link(object, backing, offset, end);
}

/**
 * bsdvm_object_clip_backing - narrow the window on the backing object
 * @object: the front object
 * @end:    pages from here on read zero unless present in @object
 *
 * A window of no pages is a link to nothing: the reference is dropped.
 * Entry: family->lock held, no fault on the pages concerned in flight.
 */
void bsdvm_object_clip_backing(struct bsdvm_object *object, bsdvm_pindex_t end)
{
	lockdep_assert_held(&object->family->lock);
	if (!object->backing_object || end >= object->backing_end)
		return;
	if (end)
		object_set_link(object, object->backing_object,
				object->backing_offset, end);
	else
		bsdvm_object_deallocate(bsdvm_object_detach(object));
}

/* O-9: nobody refers to it; it waits to be emptied. */
static struct bsdvm_object *object_bury(struct bsdvm_object *object)
{
	struct bsdvm_object *backing = NULL;

	set_bit(BSDVM_OBJECT_DEAD, &object->flags);
	list_del_init(&object->pending_link);
	WARN_ON_ONCE(object->shadow_count || !list_empty(&object->entries));
	if (object->backing_object)
		backing = bsdvm_object_detach(object);
	list_add_tail(&object->shadow_link, &object->family->dead);
	return backing;
}

/* O-7: a sole shadow, and nobody else: to be collapsed. */
static void object_offer(struct bsdvm_object *object)
{
	struct bsdvm_object *shadow;

	if (object->ref_count != 1 || object->shadow_count != 1)
		return;
	shadow = list_first_entry(&object->shadows, struct bsdvm_object,
				  shadow_link);
	list_move_tail(&shadow->pending_link, &object->family->pending);
}

/**
 * bsdvm_object_deallocate - drop a reference
 * @object: with at least one reference
 *
 * Down the chain as long as references reach zero, iteratively (O-9). Where one
 * shadow alone is left, it may take the object over (O-7).
 * Entry: family->lock held; release it by bsdvm_family_unlock(). May sleep.
 */
void bsdvm_object_deallocate(struct bsdvm_object *object)
{
	while (object) {
		lockdep_assert_held(&object->family->lock);
		if (WARN_ON_ONCE(!object->ref_count))
			return;
		WRITE_ONCE(object->ref_count, object->ref_count - 1);
		if (object->ref_count) {
			object_offer(object);
			return;
		}
		object = object_bury(object);
		cond_resched();
	}
}

static void object_free_rcu(struct rcu_head *rcu)
{
	kmem_cache_free(object_cache,
			container_of(rcu, struct bsdvm_object, rcu));
}

/**
 * bsdvm_object_destroy - free the pages of a dead object, and the object
 * @object: off all lists; nobody refers to it, no page of it is mapped
 *
 * O-11. May sleep. Walks without locks may still see the object; its memory
 * stays for a grace period. A page leaves its slot before it is given back: by
 * that bsdvm_resolve_hold() knows that it is still bsdvm's.
 */
void bsdvm_object_destroy(struct bsdvm_object *object)
{
	unsigned long pindex;
	void *slot;

	bsdvm_object_pip_wait(object);
	xa_for_each(&object->slots, pindex, slot) {
		WARN_ON_ONCE(bsdvm_slot_is_busy(slot));
		xa_erase(&object->slots, pindex);
		if (bsdvm_slot_is_page(slot)) {
			bsdvm_count(v_pfree);
			bsdvm_page_free(slot);
		}
		cond_resched();
	}
	xa_destroy(&object->slots);
	bsdvm_pager_dealloc(object);
	bsdvm_uncount(live_objects);
	call_rcu(&object->rcu, object_free_rcu);
}

/**
 * bsdvm_object_pip_add - keep an object from collapse and destruction
 * @object: known to exist (RCU or a reference)
 *
 * O-13, I-13. Does not sleep. End it by bsdvm_object_pip_done().
 *
 * Return: true if counted; false if it is collapsing or dead already.
 */
bool bsdvm_object_pip_add(struct bsdvm_object *object)
{
	atomic_inc(&object->pip);
	/* Pairs with collapse_begin(): count, then look; mark, then count. */
	smp_mb__after_atomic();
	if (likely(!(READ_ONCE(object->flags) &
		     (BIT(BSDVM_OBJECT_COLLAPSING) | BIT(BSDVM_OBJECT_DEAD)))))
		return true;
	bsdvm_object_pip_done(object);
	return false;
}

/**
 * bsdvm_object_pip_done - end bsdvm_object_pip_add()
 * @object: counted by the caller; may go as soon as this returns
 *
 * O-13: the last one wakes who waits. Does not sleep.
 */
void bsdvm_object_pip_done(struct bsdvm_object *object)
{
	rcu_read_lock();
	if (atomic_dec_and_test(&object->pip))
		wake_up_var(&object->pip);
	rcu_read_unlock();
}

/**
 * bsdvm_object_pip_wait - wait until no paging is in progress
 * @object: dead, so that no more is counted for long
 *
 * O-13. May sleep, signals or not.
 */
void bsdvm_object_pip_wait(struct bsdvm_object *object)
{
	wait_var_event(&object->pip, !atomic_read(&object->pip));
}
