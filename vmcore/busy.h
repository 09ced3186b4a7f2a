/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Slots of an object: empty, a page, a zero tombstone, or busy.
 *
 * Busy is the exclusive lock on one slot while somebody fills it; it stands
 * where the seed has a busy placeholder page. Only who claimed it may end it.
 *
 * Zero stands for "reads zero here, although the backing object may have a
 * page": what remains of a hole punched into a shadow.
 */
#ifndef BSDVM_VMCORE_BUSY_H
#define BSDVM_VMCORE_BUSY_H

#define BSDVM_SLOT_BUSY		xa_mk_value(1)
#define BSDVM_SLOT_BUSY_WANTED	xa_mk_value(3)	/* and somebody waits */
#define BSDVM_SLOT_ZERO		xa_mk_value(4)

/**
 * bsdvm_slot_is_page - is this a page?
 * @slot: what a slot holds, as loaded; no internal entry of the index
 *
 * Return: true for a page; false if it is empty, a tombstone or busy.
 */
static inline bool bsdvm_slot_is_page(const void *slot)
{
	return slot && !xa_is_value(slot);
}

/**
 * bsdvm_slot_is_busy - has somebody claimed the slot?
 * @slot: what a slot holds, as loaded
 *
 * Return: true if it is busy (I-7), whether somebody waits for it or not.
 */
static inline bool bsdvm_slot_is_busy(const void *slot)
{
	return slot == BSDVM_SLOT_BUSY || slot == BSDVM_SLOT_BUSY_WANTED;
}

/**
 * bsdvm_slot_is_zero - is this a tombstone?
 * @slot: what a slot holds, as loaded
 *
 * Return: true if the page reads zero whatever the backing object has.
 */
static inline bool bsdvm_slot_is_zero(const void *slot)
{
	return slot == BSDVM_SLOT_ZERO;
}

/**
 * struct bsdvm_wait - a sleeper for a busy slot, or for a key of another kind
 * @queue: where it waits; NULL when it does not
 * @entry: its place there
 *
 * Prepared while what it waits for is known to exist, used after everything
 * was released: no pointer to an object survives the release.
 */
struct bsdvm_wait {
	struct wait_queue_head *queue;
	struct wait_queue_entry entry;
};

void bsdvm_busy_init(void);
bsdvm_status_t bsdvm_busy_claim(struct bsdvm_object *object,
				bsdvm_pindex_t pindex, void *expected);
void bsdvm_busy_release(struct bsdvm_object *object, bsdvm_pindex_t pindex,
			void *slot);
bool bsdvm_busy_wait_prepare(struct bsdvm_wait *wait,
			     struct bsdvm_object *object,
			     bsdvm_pindex_t pindex);
void bsdvm_wait_prepare(struct bsdvm_wait *wait, const void *key);
void bsdvm_wait_cancel(struct bsdvm_wait *wait);
int bsdvm_wait(struct bsdvm_wait *wait);
void bsdvm_wait_uninterruptible(struct bsdvm_wait *wait);
void bsdvm_wake(const void *key);

#endif /* BSDVM_VMCORE_BUSY_H */
