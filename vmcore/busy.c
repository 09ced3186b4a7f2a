// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Busy slots: claim, release, wait.
 *
 * A waiter marks the slot as wanted, so that the release knows whether anybody
 * needs waking and an uncontended fault touches no wait queue at all.
 *
 * Sleepers wait on one of a few queues chosen by object and page. A wake-up may
 * reach sleepers for other pages as well; all of them look everything up again
 * (F-36).
 */

#include "internal.h"
#include "vmcore.h"
#include "busy.h"
#include "stats.h"

#define BUSY_QUEUE_BITS		7
/* Not a page: waits for the thing itself. */
#define BUSY_WHOLE		ULONG_MAX

static struct wait_queue_head busy_queues[1 << BUSY_QUEUE_BITS];

/**
 * bsdvm_busy_init - make the queues that waiters sleep on
 *
 * Called once, before anything waits.
 */
void bsdvm_busy_init(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(busy_queues); i++)
		init_waitqueue_head(&busy_queues[i]);
}

static struct wait_queue_head *busy_queue(const void *thing,
					  bsdvm_pindex_t pindex)
{
	unsigned long key = (unsigned long)thing + hash_long(pindex, 32);

	return &busy_queues[hash_long(key, BUSY_QUEUE_BITS)];
}

/**
 * bsdvm_busy_claim - make a slot busy if it still holds what it held
 * @object:   whose slot
 * @pindex:   which slot
 * @expected: NULL or BSDVM_SLOT_ZERO
 *
 * May sleep for memory. The caller holds map->lock shared, or is the only user
 * of the object. F-51: of several who find a page missing, one gets here.
 *
 * Return: SUCCESS; TRY_AGAIN if the slot changed; RESOURCE_SHORTAGE.
 */
bsdvm_status_t bsdvm_busy_claim(struct bsdvm_object *object,
				bsdvm_pindex_t pindex, void *expected)
{
	void *old = xa_cmpxchg(&object->slots, pindex, expected,
			       BSDVM_SLOT_BUSY, GFP_KERNEL);

	if (likely(old == expected))
		return BSDVM_SUCCESS;
	return xa_is_err(old) ? BSDVM_RESOURCE_SHORTAGE : BSDVM_TRY_AGAIN;
}

/**
 * bsdvm_busy_release - end a claim
 * @object: whose slot
 * @pindex: which slot, claimed by the caller
 * @slot:   what it holds from now on: a page, NULL or BSDVM_SLOT_ZERO
 *
 * Never allocates: the slot exists.
 * Does not sleep.
 */
void bsdvm_busy_release(struct bsdvm_object *object, bsdvm_pindex_t pindex,
			void *slot)
{
	void *old = xa_store(&object->slots, pindex, slot, GFP_NOWAIT);

	WARN_ON_ONCE(!bsdvm_slot_is_busy(old));
	if (unlikely(old == BSDVM_SLOT_BUSY_WANTED))
		wake_up_all(busy_queue(object, pindex));
}

static void wait_enqueue(struct bsdvm_wait *wait, struct wait_queue_head *queue)
{
	wait->queue = queue;
	init_waitqueue_func_entry(&wait->entry, woken_wake_function);
	wait->entry.private = current;
	add_wait_queue(queue, &wait->entry);
}

/**
 * bsdvm_wait_cancel - do not sleep after all
 * @wait: prepared; ready for use again on return
 *
 * Does not sleep.
 */
void bsdvm_wait_cancel(struct bsdvm_wait *wait)
{
	remove_wait_queue(wait->queue, &wait->entry);
	wait->queue = NULL;
}

/**
 * bsdvm_busy_wait_prepare - arrange to sleep until a slot is not busy
 * @wait:   to be passed to bsdvm_wait() after everything is released
 * @object: whose slot; kept alive by the caller (RCU or a reference)
 * @pindex: which slot
 *
 * Return: false if the slot is not busy any more; nothing is prepared then.
 */
bool bsdvm_busy_wait_prepare(struct bsdvm_wait *wait,
			     struct bsdvm_object *object,
			     bsdvm_pindex_t pindex)
{
	void *slot;

	wait_enqueue(wait, busy_queue(object, pindex));
	slot = xa_cmpxchg(&object->slots, pindex, BSDVM_SLOT_BUSY,
			  BSDVM_SLOT_BUSY_WANTED, GFP_NOWAIT);
	if (bsdvm_slot_is_busy(slot))
		return true;
	bsdvm_wait_cancel(wait);
	return false;
}

/**
 * bsdvm_wait_prepare - arrange to sleep until bsdvm_wake() of a key
 * @wait: to be passed to bsdvm_wait() or bsdvm_wait_cancel()
 * @key:  what is waited for; test the condition after this call
 */
void bsdvm_wait_prepare(struct bsdvm_wait *wait, const void *key)
{
	wait_enqueue(wait, busy_queue(key, BUSY_WHOLE));
	/* Pairs with bsdvm_wake(): enqueue before test, change before wake. */
	smp_mb();
}

/**
 * bsdvm_wait - sleep as arranged
 * @wait: prepared; ready for use again on return
 *
 * Called with nothing held. What was waited for may be gone, or busy again.
 *
 * Return: 0, or -EINTR after a fatal signal (F-30).
 */
int bsdvm_wait(struct bsdvm_wait *wait)
{
	might_sleep();
	wait_woken(&wait->entry, TASK_KILLABLE, MAX_SCHEDULE_TIMEOUT);
	bsdvm_wait_cancel(wait);
	return fatal_signal_pending(current) ? -EINTR : 0;
}

/**
 * bsdvm_wait_uninterruptible - sleep as arranged, signals or not
 * @wait: prepared; ready for use again on return
 *
 * For operations that cannot fail. Holders of a busy slot never wait for a
 * lock of ours, so the sleep ends.
 */
void bsdvm_wait_uninterruptible(struct bsdvm_wait *wait)
{
	might_sleep();
	wait_woken(&wait->entry, TASK_UNINTERRUPTIBLE, MAX_SCHEDULE_TIMEOUT);
	bsdvm_wait_cancel(wait);
}

/**
 * bsdvm_wake - wake who waits for a key
 * @key: the condition waited for has just changed
 *
 * Does not sleep.
 */
void bsdvm_wake(const void *key)
{
	/* Pairs with bsdvm_wait_prepare(). */
	smp_mb();
	wake_up_all(busy_queue(key, BUSY_WHOLE));
}
