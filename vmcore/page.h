/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * A page: one order-0 folio and the state we keep in folio->private.
 *
 * The state word holds flags, the queue the page belongs to, and the wire
 * count; it is changed atomically. A page in an object's slot is always fully
 * valid (I-10): what is being filled is a busy slot, not a page.
 *
 * Reference counts: the slot holds one. Mappings, pins and holders add theirs,
 * so a page without mappings whose count exceeds one is in somebody's hands
 * (FP-12): it may be removed, but its bytes stay until the last put.
 */
#ifndef BSDVM_VMCORE_PAGE_H
#define BSDVM_VMCORE_PAGE_H

#define BSDVM_PAGE_DIRTY	0x01UL
#define BSDVM_PAGE_REFERENCED	0x02UL
#define BSDVM_PAGE_RAM		0x04UL	/* read-ahead mark */
#define BSDVM_PAGE_SWAPPED	0x08UL	/* the pager has a copy, too (I-14) */
#define BSDVM_PAGE_NOSYNC	0x10UL

/* The queue (I-5); a wired page is in none. */
#define BSDVM_PAGE_QUEUE	0x60UL
#define BSDVM_QUEUE_NONE	0x00UL
#define BSDVM_QUEUE_ACTIVE	0x20UL
#define BSDVM_QUEUE_INACTIVE	0x40UL
#define BSDVM_QUEUE_CACHE	0x60UL

#define BSDVM_PAGE_CHECKED	0x80UL	/* seen by the checker at work */

#define BSDVM_PAGE_WIRE_SHIFT	16
#define BSDVM_PAGE_WIRE_ONE	BIT(BSDVM_PAGE_WIRE_SHIFT)

/* What a page just filled by a fault begins with. */
#define BSDVM_PAGE_FRESH	(BSDVM_QUEUE_ACTIVE | BSDVM_PAGE_REFERENCED)

/**
 * bsdvm_page_state - flags, queue and wire count in one
 * @page: kept by a reference, the caller's or that of its slot
 *
 * Return: the word as it is at the moment; see the head of this file.
 */
static inline unsigned long bsdvm_page_state(const struct folio *page)
{
	return (unsigned long)READ_ONCE(page->private);
}

/**
 * bsdvm_page_wire_count - how often is the page wired?
 * @page: kept by a reference, the caller's or that of its slot
 *
 * Return: wirings at the moment, 0 for none (P-14).
 */
static inline unsigned int bsdvm_page_wire_count(const struct folio *page)
{
	return bsdvm_page_state(page) >> BSDVM_PAGE_WIRE_SHIFT;
}

/**
 * bsdvm_page_queue - which queue is the page in?
 * @page: kept by a reference, the caller's or that of its slot
 *
 * Return: BSDVM_QUEUE_* at the moment (I-5).
 */
static inline unsigned long bsdvm_page_queue(const struct folio *page)
{
	return bsdvm_page_state(page) & BSDVM_PAGE_QUEUE;
}

/**
 * bsdvm_page_is_broken - has the machine reported its memory as broken?
 * @page: kept by a reference, the caller's or that of its slot
 *
 * Whoever reads it may stop the machine: it is neither mapped nor copied.
 *
 * Return: whether it is, for ever.
 */
static inline bool bsdvm_page_is_broken(struct folio *page)
{
	return unlikely(PageHWPoison(folio_page(page, 0)));
}

/**
 * bsdvm_page_settle - wait until nobody is about to map a page
 * @page: kept by a reference, the caller's or that of its slot
 *
 * Who locks the page later looks again (L-11). What was done under the lock, a
 * mapping or a reference, is seen afterwards. May sleep, signals or not.
 */
static inline void bsdvm_page_settle(struct folio *page)
{
	folio_wait_locked(page);
	/* Pairs with the release in folio_unlock(). */
	smp_rmb();
}

struct folio *bsdvm_page_alloc(struct bsdvm_object *object, bool zeroed);
void bsdvm_page_bind(struct folio *page, unsigned long index,
		     unsigned long state);
bool bsdvm_page_in_hands(const struct folio *page, unsigned int ours);
void bsdvm_page_free(struct folio *page);
void bsdvm_page_discard(struct folio *page);
void bsdvm_page_copy(struct folio *to, struct folio *from);
void bsdvm_page_clear(struct folio *page, unsigned int from, unsigned int to);

bool bsdvm_page_test_clear(struct folio *page, unsigned long flag);
void bsdvm_page_set(struct folio *page, unsigned long flags);
void bsdvm_page_requeue(struct folio *page, unsigned long queue);
void bsdvm_page_activate(struct folio *page);
void bsdvm_page_dirty(struct bsdvm_object *object, bsdvm_pindex_t pindex,
		      struct folio *page);
void bsdvm_page_wire(struct folio *page);
void bsdvm_page_unwire(struct folio *page);

/**
 * struct bsdvm_budget - how many pages may exist, for faults to wait on
 * @limit:     pages at most; 0: no limit of ours
 * @reserved:  below this many free pages nothing is allocated for a fault
 * @severe:    nor below this many free pages
 * @target:    waiters are released from this many free pages on
 *
 * Thresholds as in section 0 of the behaviours; no CACHE queue exists yet that
 * could be drawn upon, so free pages stand for free and cached ones.
 */
struct bsdvm_budget {
	unsigned long limit;
	unsigned long reserved;
	unsigned long severe;
	unsigned long target;
};

extern struct bsdvm_budget bsdvm_budget;

bool bsdvm_budget_is_severe(void);
int bsdvm_budget_wait(void);

#endif /* BSDVM_VMCORE_PAGE_H */
