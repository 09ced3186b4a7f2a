// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A radix tree of 64-way nodes. xa_head is NULL, the entry at index 0 if that
 * is all there is, or the top node. Writers hold xa_lock; readers only RCU: a
 * node is filled before it is linked, and unlinked before it is freed.
 */
#include "twin.h"

void (*twin_load_hook)(const struct xa_state *xas);

#define NODE_SHIFT	6
#define NODE_SLOTS	(1UL << NODE_SHIFT)

struct xa_node {
	unsigned int shift;		/* index bits below this node's */
	unsigned int offset;		/* of its slot in @parent */
	unsigned int count;		/* slots in use; xa_lock */
	struct xa_node *parent;		/* xa_lock; chains spare nodes */
	void *slots[NODE_SLOTS];	/* atomic */
	struct rcu_head rcu;
};

/* ---- nodes ----------------------------------------------------------------------- */

/* Nodes look like internal entries beyond the few that are reserved. */
static bool is_node(const void *entry)
{
	return xa_is_internal(entry) && !xa_is_err(entry) &&
	       (unsigned long)entry > 4096;
}

static struct xa_node *to_node(const void *entry)
{
	return (struct xa_node *)((uintptr_t)entry - 2);
}

static void *to_entry(struct xa_node *node)
{
	return (void *)((uintptr_t)node + 2);
}

static void *slot_read(void **slot)
{
	return smp_load_acquire(slot);
}

static void slot_write(void **slot, void *entry)
{
	smp_store_release(slot, entry);
}

static unsigned long slot_of(const struct xa_node *node, unsigned long index)
{
	return (index >> node->shift) % NODE_SLOTS;
}

/* The highest index below a node, its own prefix aside. */
static unsigned long node_span(const struct xa_node *node)
{
	unsigned int bits = node->shift + NODE_SHIFT;

	return bits >= BITS_PER_LONG ? ULONG_MAX : BIT(bits) - 1;
}

static unsigned long head_span(const void *head)
{
	return is_node(head) ? node_span(to_node(head)) : 0;
}

static void nodes_free(struct xa_node *spare)
{
	struct xa_node *next;

	for (; spare; spare = next) {
		next = spare->parent;
		kfree(spare);
	}
}

static bool node_alloc(struct xa_node **spare, gfp_t gfp)
{
	struct xa_node *node = kzalloc(sizeof(*node), gfp & ~__GFP_ZERO);

	if (!node)
		return false;
	node->parent = *spare;
	*spare = node;
	return true;
}

static struct xa_node *node_take(struct xa_node **spare)
{
	struct xa_node *node = *spare;

	BUG_ON(!node);
	*spare = node->parent;
	node->parent = NULL;
	return node;
}

/* ---- lookup, under RCU or xa_lock --------------------------------------------------- */

/* May return XA_RETRY_ENTRY to a reader that holds no lock. */
static void *walk(struct xarray *xa, unsigned long index)
{
	void *entry = slot_read(&xa->xa_head);

	if (index > head_span(entry))
		return NULL;
	while (is_node(entry)) {
		struct xa_node *node = to_node(entry);

		entry = slot_read(&node->slots[slot_of(node, index)]);
	}
	return entry;
}

static void *lookup(struct xarray *xa, unsigned long index)
{
	void *entry;

	twin_went_on();
	do {
		entry = walk(xa, index);
	} while (xa_is_retry(entry));
	return entry;
}

/*
 * The first entry at *index or above, to be found below @node. Without one,
 * *index becomes the first index past the node: 0 if that overflows.
 */
static void *scan_node(struct xa_node *node, unsigned long *index,
		       unsigned long max)
{
	unsigned long i;

	for (i = slot_of(node, *index); i < NODE_SLOTS; i++) {
		void *entry = slot_read(&node->slots[i]);

		if (entry && !is_node(entry))
			return entry;
		if (entry) {
			entry = scan_node(to_node(entry), index, max);
			if (entry)
				return entry;
		} else {
			*index = (*index | (BIT(node->shift) - 1)) + 1;
		}
		if (*index == 0 || *index > max)
			return NULL;
	}
	return NULL;
}

static void *scan_once(struct xarray *xa, unsigned long *index,
		       unsigned long max)
{
	void *head = slot_read(&xa->xa_head);
	void *entry;

	if (*index > max || *index > head_span(head))
		return NULL;
	entry = is_node(head) ? scan_node(to_node(head), index, max) : head;
	return *index <= max ? entry : NULL;
}

/* The first entry in [*index, max], reserved ones included. */
static void *scan(struct xarray *xa, unsigned long *index, unsigned long max)
{
	unsigned long at;
	void *entry;

	twin_went_on();
	do {
		at = *index;
		entry = scan_once(xa, &at, max);
	} while (xa_is_retry(entry));
	if (entry)
		*index = at;
	return entry;
}

/* ---- changes, under xa_lock ------------------------------------------------------------ */

/* How many nodes a store at @index has to add. */
static unsigned int nodes_missing(struct xarray *xa, unsigned long index)
{
	void *entry = xa->xa_head;
	unsigned int missing = 0, shift = 0;

	if (entry && index > head_span(entry)) {
		shift = is_node(entry) ? to_node(entry)->shift + NODE_SHIFT : 0;
		for (missing = 1; shift + NODE_SHIFT < BITS_PER_LONG &&
		     index >> (shift + NODE_SHIFT); missing++)
			shift += NODE_SHIFT;
		/* The new path branches off just below the new top. */
		return missing + shift / NODE_SHIFT;
	}
	if (!entry)
		return index ? DIV_ROUND_UP(fls64(index), NODE_SHIFT) : 0;
	while (is_node(entry)) {
		struct xa_node *node = to_node(entry);

		shift = node->shift;
		entry = node->slots[slot_of(node, index)];
	}
	return entry ? 0 : shift / NODE_SHIFT;
}

/* Puts nodes on top until @index fits. */
static void grow(struct xarray *xa, unsigned long index,
		 struct xa_node **spare)
{
	while (index > head_span(xa->xa_head)) {
		void *head = xa->xa_head;
		struct xa_node *node = node_take(spare);

		if (is_node(head)) {
			node->shift = to_node(head)->shift + NODE_SHIFT;
			to_node(head)->parent = node;
		} else if (!head) {
			node->shift = fls64(index) > NODE_SHIFT ?
				(unsigned int)(fls64(index) - 1) /
					NODE_SHIFT * NODE_SHIFT : 0;
		}
		node->slots[0] = head;
		node->count = head != NULL;
		slot_write(&xa->xa_head, to_entry(node));
	}
}

/* Walks down to the slot of @index and fills the gaps; returns its node. */
static struct xa_node *descend(struct xarray *xa, unsigned long index,
			       struct xa_node **spare)
{
	struct xa_node *node = to_node(xa->xa_head);

	while (node->shift) {
		void **slot = &node->slots[slot_of(node, index)];

		if (!*slot) {
			struct xa_node *child = node_take(spare);

			child->shift = node->shift - NODE_SHIFT;
			child->offset = (unsigned int)slot_of(node, index);
			child->parent = node;
			node->count++;
			slot_write(slot, to_entry(child));
		}
		node = to_node(*slot);
	}
	return node;
}

static void node_retire(struct xa_node *node)
{
	kfree_rcu(node, rcu);
}

/* Removes nodes that have become empty, upwards. */
static void prune(struct xarray *xa, struct xa_node *node)
{
	while (node && !node->count) {
		struct xa_node *parent = node->parent;

		if (parent) {
			slot_write(&parent->slots[node->offset], NULL);
			parent->count--;
		} else {
			slot_write(&xa->xa_head, NULL);
		}
		node_retire(node);
		node = parent;
	}
}

/* Removes top nodes that only lead to their first slot. */
static void shrink(struct xarray *xa)
{
	while (is_node(xa->xa_head)) {
		struct xa_node *top = to_node(xa->xa_head);
		void *first = top->slots[0];

		if (top->count != 1 || !first)
			return;
		if (is_node(first))
			to_node(first)->parent = NULL;
		slot_write(&xa->xa_head, first);
		/* A reader still in @top would miss later changes. */
		if (!is_node(first))
			slot_write(&top->slots[0], XA_RETRY_ENTRY);
		node_retire(top);
	}
}

static void erase(struct xarray *xa, unsigned long index)
{
	struct xa_node *node;

	if (!is_node(xa->xa_head)) {
		slot_write(&xa->xa_head, NULL);
		return;
	}
	node = descend(xa, index, NULL);
	slot_write(&node->slots[slot_of(node, index)], NULL);
	node->count--;
	prune(xa, node);
	shrink(xa);
}

/* Stores @entry; the nodes_missing() are in @spare. Returns what was there. */
static void *put(struct xarray *xa, unsigned long index, void *entry,
		 struct xa_node **spare)
{
	void *old = walk(xa, index);
	struct xa_node *node;

	if (!entry) {
		if (old)
			erase(xa, index);
		return old;
	}
	grow(xa, index, spare);
	if (!is_node(xa->xa_head)) {
		slot_write(&xa->xa_head, entry);
		return old;
	}
	node = descend(xa, index, spare);
	node->count += !old;
	slot_write(&node->slots[slot_of(node, index)], entry);
	return old;
}

static bool spare_suffices(struct xarray *xa, unsigned long index,
			   const void *entry, const struct xa_node *spare)
{
	unsigned int missing = entry ? nodes_missing(xa, index) : 0;

	for (; missing && spare; missing--)
		spare = spare->parent;
	return !missing;
}

/* One more node; a blocking allocation drops the lock. */
static bool spare_add(struct xarray *xa, struct xa_node **spare, gfp_t gfp)
{
	bool done;

	if (!gfpflags_allow_blocking(gfp))
		return node_alloc(spare, gfp);
	xa_unlock(xa);
	done = node_alloc(spare, gfp);
	xa_lock(xa);
	return done;
}

/* ---- the simple interface, lock held ------------------------------------------------------ */

/*
 * What a store needs to know. With @expect, it only takes place if the slot
 * holds just @old.
 */
struct store {
	unsigned long index;
	void *entry;
	bool expect;
	void *old;
};

/* Returns what was in the slot, or an error. */
static void *store(struct xarray *xa, const struct store *s, gfp_t gfp)
{
	struct xa_node *spare = NULL;
	void *old;

	lockdep_assert_held(&xa->xa_lock);
	WARN_ON(xa_is_internal(s->entry) && !xa_is_zero(s->entry));
	for (;;) {
		old = walk(xa, s->index);
		if (s->expect && old != s->old)
			break;
		if (spare_suffices(xa, s->index, s->entry, spare)) {
			put(xa, s->index, s->entry, &spare);
			break;
		}
		if (!spare_add(xa, &spare, gfp)) {
			old = XA_ERROR(-ENOMEM);
			break;
		}
	}
	nodes_free(spare);
	return old;
}

static void *zero_to_null(void *entry)
{
	return xa_is_zero(entry) ? NULL : entry;
}

/* In an array that allocates indices, storing NULL keeps the index in use. */
void *__xa_store(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp)
{
	if (!entry && (xa->xa_flags & XA_FLAGS_TRACK_FREE))
		entry = XA_ZERO_ENTRY;
	return zero_to_null(store(xa, &(struct store){
		.index = index, .entry = entry }, gfp));
}

void *__xa_erase(struct xarray *xa, unsigned long index)
{
	return zero_to_null(store(xa, &(struct store){ .index = index }, 0));
}

static void *cmpxchg_raw(struct xarray *xa, unsigned long index, void *old,
			 void *entry, gfp_t gfp)
{
	return store(xa, &(struct store){ .index = index, .entry = entry,
					  .expect = true, .old = old }, gfp);
}

void *__xa_cmpxchg(struct xarray *xa, unsigned long index, void *old,
		   void *entry, gfp_t gfp)
{
	return zero_to_null(cmpxchg_raw(xa, index, old, entry, gfp));
}

int __xa_insert(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp)
{
	void *old = cmpxchg_raw(xa, index, NULL, entry ? entry : XA_ZERO_ENTRY,
				gfp);

	if (xa_is_err(old))
		return xa_err(old);
	return old ? -EBUSY : 0;
}

int __xa_alloc(struct xarray *xa, u32 *id, void *entry, struct xa_limit limit,
	       gfp_t gfp)
{
	unsigned long index = limit.min;
	int err;

	if (WARN_ON(!(xa->xa_flags & XA_FLAGS_TRACK_FREE)))
		return -EINVAL;
	if (!index && (xa->xa_flags & XA_FLAGS_ZERO_BUSY))
		index = 1;
	for (; index <= limit.max; index++) {
		if (walk(xa, index))
			continue;
		err = __xa_insert(xa, index, entry, gfp);
		if (err == -EBUSY)	/* taken while the lock was dropped */
			continue;
		if (!err)
			*id = (u32)index;
		return err;
	}
	return -EBUSY;
}

/* ---- the simple interface -------------------------------------------------------------------- */

void *xa_load(struct xarray *xa, unsigned long index)
{
	void *entry;

	rcu_read_lock();
	entry = lookup(xa, index);
	rcu_read_unlock();
	return zero_to_null(entry);
}

void *xa_find(struct xarray *xa, unsigned long *index, unsigned long max,
	      xa_mark_t filter)
{
	unsigned long at = *index;
	void *entry;

	BUG_ON(filter != XA_PRESENT);
	rcu_read_lock();
	while (xa_is_zero(entry = scan(xa, &at, max)))
		if (++at == 0)
			entry = NULL;
	rcu_read_unlock();
	if (entry)
		*index = at;
	return entry;
}

void *xa_find_after(struct xarray *xa, unsigned long *index, unsigned long max,
		    xa_mark_t filter)
{
	unsigned long at = *index + 1;
	void *entry;

	if (!at)
		return NULL;
	entry = xa_find(xa, &at, max, filter);
	if (entry)
		*index = at;
	return entry;
}

static void destroy_node(struct xa_node *node)
{
	unsigned long i;

	for (i = 0; i < NODE_SLOTS; i++)
		if (is_node(node->slots[i]))
			destroy_node(to_node(node->slots[i]));
	node_retire(node);
}

void xa_destroy(struct xarray *xa)
{
	void *head;

	xa_lock(xa);
	head = xa->xa_head;
	slot_write(&xa->xa_head, NULL);
	if (is_node(head))
		destroy_node(to_node(head));
	xa_unlock(xa);
}

void *xa_erase(struct xarray *xa, unsigned long index)
{
	void *old;

	xa_lock(xa);
	old = __xa_erase(xa, index);
	xa_unlock(xa);
	return old;
}

void *xa_store(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp)
{
	void *old;

	might_alloc(gfp);
	xa_lock(xa);
	old = __xa_store(xa, index, entry, gfp);
	xa_unlock(xa);
	return old;
}

void *xa_cmpxchg(struct xarray *xa, unsigned long index, void *old, void *entry,
		 gfp_t gfp)
{
	might_alloc(gfp);
	xa_lock(xa);
	old = __xa_cmpxchg(xa, index, old, entry, gfp);
	xa_unlock(xa);
	return old;
}

int xa_insert(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp)
{
	int err;

	might_alloc(gfp);
	xa_lock(xa);
	err = __xa_insert(xa, index, entry, gfp);
	xa_unlock(xa);
	return err;
}

int xa_alloc(struct xarray *xa, u32 *id, void *entry, struct xa_limit limit,
	     gfp_t gfp)
{
	int err;

	might_alloc(gfp);
	xa_lock(xa);
	err = __xa_alloc(xa, id, entry, limit, gfp);
	xa_unlock(xa);
	return err;
}

int xa_alloc_cyclic(struct xarray *xa, u32 *id, void *entry,
		    struct xa_limit limit, u32 *next, gfp_t gfp)
{
	struct xa_limit rest = { .min = max(limit.min, *next), .max = limit.max };
	int err;

	err = xa_alloc(xa, id, entry, rest, gfp);
	if (err == -EBUSY && rest.min > limit.min) {
		err = xa_alloc(xa, id, entry, limit, gfp);
		if (!err)
			err = 1;
	}
	if (err >= 0)
		*next = *id + 1;
	return err;
}

int xa_reserve(struct xarray *xa, unsigned long index, gfp_t gfp)
{
	return xa_err(xa_cmpxchg(xa, index, NULL, XA_ZERO_ENTRY, gfp));
}

void xa_release(struct xarray *xa, unsigned long index)
{
	xa_cmpxchg(xa, index, XA_ZERO_ENTRY, NULL, 0);
}

/* ---- the cursor ----------------------------------------------------------------------------- */

static void xas_check(const struct xa_state *xas)
{
	if (!rcu_read_lock_held())
		lockdep_assert_held(&xas->xa->xa_lock);
}

void *xas_load(struct xa_state *xas)
{
	xas_check(xas);
	if (xas->error)
		return NULL;
	xas->state = TWIN_XAS_ACTIVE;
	if (twin_load_hook)
		twin_load_hook(xas);
	return lookup(xas->xa, xas->xa_index);
}

void *xas_reload(struct xa_state *xas)
{
	xas_check(xas);
	return lookup(xas->xa, xas->xa_index);
}

void *xas_next(struct xa_state *xas)
{
	if (xas->state != TWIN_XAS_RESTART)
		xas->xa_index++;
	return xas_load(xas);
}

void *xas_prev(struct xa_state *xas)
{
	if (xas->state != TWIN_XAS_RESTART)
		xas->xa_index--;
	return xas_load(xas);
}

void *xas_find(struct xa_state *xas, unsigned long max)
{
	unsigned long at = xas->xa_index;
	void *entry = NULL;

	xas_check(xas);
	if (xas->error || xas->state == TWIN_XAS_BOUNDS)
		return NULL;
	if (xas->state == TWIN_XAS_RESTART || ++at != 0)
		entry = scan(xas->xa, &at, max);
	xas->state = entry ? TWIN_XAS_ACTIVE : TWIN_XAS_BOUNDS;
	if (entry)
		xas->xa_index = at;
	return entry;
}

void xas_pause(struct xa_state *xas)
{
	if (xas->error || xas->state == TWIN_XAS_BOUNDS)
		return;
	xas->state = ++xas->xa_index ? TWIN_XAS_RESTART : TWIN_XAS_BOUNDS;
}

/* The lock is kept: only nodes at hand, or such as come without waiting. */
void *xas_store(struct xa_state *xas, void *entry)
{
	lockdep_assert_held(&xas->xa->xa_lock);
	if (xas->error)
		return NULL;
	while (!spare_suffices(xas->xa, xas->xa_index, entry, xas->spare)) {
		if (node_alloc(&xas->spare, GFP_NOWAIT))
			continue;
		xas_set_err(xas, -ENOMEM);
		return NULL;
	}
	xas->state = TWIN_XAS_ACTIVE;
	return put(xas->xa, xas->xa_index, entry, &xas->spare);
}

bool xas_nomem(struct xa_state *xas, gfp_t gfp)
{
	if (xas->error != -ENOMEM) {
		xas_destroy(xas);
		return false;
	}
	if (!node_alloc(&xas->spare, gfp)) {
		xas_destroy(xas);
		return false;
	}
	xas_reset(xas);
	return true;
}

void xas_destroy(struct xa_state *xas)
{
	nodes_free(xas->spare);
	xas->spare = NULL;
}
