// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A family: the maps, snapshots and objects that descend from one map.
 *
 * One lock for the family's topology, not one for each object: reverse mapping
 * walks from the back to the front, faults from the front to the back, and no
 * lock class can express the depth of a chain. Few faults take this lock: one
 * that gives an entry its first object or, as the first write after a snapshot,
 * a shadow; a copy for an object fault; one that was disturbed too often. A
 * rename only tries to take it.
 */

#include "internal.h"
#include "vmcore.h"
#include "info.h"
#include "object.h"
#include "snapshot.h"
#include "stats.h"

/* All families, for those who look from outside; nothing else uses it. */
static DEFINE_MUTEX(families_lock);
static LIST_HEAD(families);

/**
 * bsdvm_family_create - a family without maps
 *
 * It goes on the list of all families. May sleep.
 *
 * Return: the family with one reference, or NULL without memory.
 */
struct bsdvm_family *bsdvm_family_create(void)
{
	struct bsdvm_family *family = kzalloc(sizeof(*family),
					      GFP_KERNEL_ACCOUNT);

	if (!family)
		return NULL;
	family->anchor = bsdvm_pmap->anchor_create();
	if (!family->anchor) {
		kfree(family);
		return NULL;
	}
	refcount_set(&family->refs, 1);
	mutex_init(&family->lock);
	seqcount_init(&family->seq);
	INIT_LIST_HEAD(&family->maps);
	INIT_LIST_HEAD(&family->pending);
	INIT_LIST_HEAD(&family->dead);
	xa_init_flags(&family->snapshots, XA_FLAGS_ALLOC1 | XA_FLAGS_ACCOUNT);
	mutex_lock(&families_lock);
	list_add_tail(&family->link, &families);
	mutex_unlock(&families_lock);
	bsdvm_count(live_families);
	return family;
}

/**
 * bsdvm_family_get - take a reference, for one more map
 * @family: kept by the caller: by a reference, or a map of the family
 *
 * Does not sleep.
 */
void bsdvm_family_get(struct bsdvm_family *family)
{
	refcount_inc(&family->refs);
}

/**
 * bsdvm_family_put - a map of the family is gone
 * @family: not locked
 *
 * With the last map go the snapshots: no id can name them any more.
 */
void bsdvm_family_put(struct bsdvm_family *family)
{
	if (!refcount_dec_and_test(&family->refs))
		return;
	mutex_lock(&families_lock);
	list_del(&family->link);
	mutex_unlock(&families_lock);
	bsdvm_family_lock(family);
	bsdvm_snapshot_drop_all(family);
	bsdvm_family_unlock(family);
	bsdvm_pmap->anchor_put(family->anchor);
	xa_destroy(&family->snapshots);
	mutex_destroy(&family->lock);
	bsdvm_uncount(live_families);
	kfree(family);
}

/**
 * bsdvm_family_lock - lock a family's topology
 * @family: not locked by the caller, who owns no busy slot of it
 *
 * May sleep, signals or not. For the order see vmcore.h. End it by
 * bsdvm_family_unlock().
 */
void bsdvm_family_lock(struct bsdvm_family *family)
{
	mutex_lock(&family->lock);
}

/**
 * bsdvm_family_lock_killable - as bsdvm_family_lock(), until a fatal signal
 * @family: not locked by the caller, who owns no busy slot of it
 *
 * Return: SUCCESS with the lock held; INTERRUPTED without it.
 */
bsdvm_status_t bsdvm_family_lock_killable(struct bsdvm_family *family)
{
	return mutex_lock_killable(&family->lock) ? BSDVM_INTERRUPTED :
						    BSDVM_SUCCESS;
}

/**
 * bsdvm_family_trylock - as bsdvm_family_lock(), without waiting
 * @family: not locked by the caller
 *
 * Return: true with the lock held; bsdvm_family_unlock(), which ends it, may
 * sleep.
 */
bool bsdvm_family_trylock(struct bsdvm_family *family)
{
	return mutex_trylock(&family->lock);
}

/* One after the other, however long the chain: a collapse may offer more. */
static void family_collapse(struct bsdvm_family *family)
{
	struct bsdvm_object *object;

	while (!list_empty(&family->pending)) {
		object = list_first_entry(&family->pending,
					  struct bsdvm_object, pending_link);
		list_del_init(&object->pending_link);
		bsdvm_object_collapse(object);
	}
}

/**
 * bsdvm_family_unlock - end a change of topology
 * @family: locked
 *
 * Objects left with one shadow meanwhile are collapsed into it; those that
 * lost their last reference are destroyed, after the lock is released. May
 * sleep.
 */
void bsdvm_family_unlock(struct bsdvm_family *family)
{
	struct bsdvm_object *object, *next;
	LIST_HEAD(dead);

	family_collapse(family);
	list_splice_init(&family->dead, &dead);
	mutex_unlock(&family->lock);
	list_for_each_entry_safe(object, next, &dead, shadow_link) {
		bsdvm_object_destroy(object);
		cond_resched();
	}
}

/**
 * bsdvm_family_relink_begin - begin to change an object's backing link
 * @family: locked
 *
 * Walks under way do not sleep, and some hold a folio lock, for which the
 * holder of family->lock may wait. So family->seq is one that knows of no lock:
 * with real-time Linux, readers of one bound to a mutex would wait for the
 * mutex. Preemption is off until bsdvm_family_relink_end().
 */
void bsdvm_family_relink_begin(struct bsdvm_family *family)
{
	lockdep_assert_held(&family->lock);
	preempt_disable();
	write_seqcount_begin(&family->seq);
}

/**
 * bsdvm_family_relink_end - end bsdvm_family_relink_begin()
 * @family: locked
 */
void bsdvm_family_relink_end(struct bsdvm_family *family)
{
	write_seqcount_end(&family->seq);
	preempt_enable();
}

/**
 * bsdvm_family_disturb - let walks under way begin anew
 * @family: locked
 *
 * For what moves pages without a change of links.
 */
void bsdvm_family_disturb(struct bsdvm_family *family)
{
	bsdvm_family_relink_begin(family);
	bsdvm_family_relink_end(family);
}

/**
 * bsdvm_family_for_each - visit every family
 * @visit: called with a family that lives at least until it returns; may lock
 *         it
 * @data:  passed on
 */
void bsdvm_family_for_each(void (*visit)(struct bsdvm_family *family,
					 void *data), void *data)
{
	struct bsdvm_family *family;

	mutex_lock(&families_lock);
	list_for_each_entry(family, &families, link)
		visit(family, data);
	mutex_unlock(&families_lock);
}
