/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * XArray: an own 64-way radix tree. Same semantics for entries at single
 * indices; without marks, multi-index entries and cyclic allocation. Readers
 * take no lock; nodes are freed by RCU as soon as they are empty. A node is
 * never allocated under the lock if the caller's gfp may block: the lock is
 * dropped for it, as in the kernel. Simplified: an xa_state holds no node but
 * walks down from the root for each step.
 */
#ifndef TWIN_XARRAY_H
#define TWIN_XARRAY_H

struct xa_node;

typedef unsigned int xa_mark_t;
#define XA_PRESENT		((xa_mark_t)8)

#define XA_FLAGS_TRACK_FREE	0x4u
#define XA_FLAGS_ZERO_BUSY	0x8u
#define XA_FLAGS_ACCOUNT	0x20u
#define XA_FLAGS_ALLOC		XA_FLAGS_TRACK_FREE
#define XA_FLAGS_ALLOC1		(XA_FLAGS_TRACK_FREE | XA_FLAGS_ZERO_BUSY)

struct xarray {
	spinlock_t xa_lock;
	gfp_t xa_flags;
	void *xa_head;			/* atomic */
};

struct xa_limit {
	u32 max;
	u32 min;
};

#define XA_LIMIT(lo, hi)	((struct xa_limit){ .min = (lo), .max = (hi) })
#define xa_limit_32b		XA_LIMIT(0, U32_MAX)
#define xa_limit_31b		XA_LIMIT(0, INT_MAX)
#define xa_limit_16b		XA_LIMIT(0, USHRT_MAX)

#define XARRAY_INIT(name, flags) \
	{ .xa_lock = __SPIN_LOCK_UNLOCKED(name), .xa_flags = (flags) }
#define DEFINE_XARRAY_FLAGS(name, flags) \
	struct xarray name = XARRAY_INIT(name, flags)
#define DEFINE_XARRAY(name)	   DEFINE_XARRAY_FLAGS(name, 0)
#define DEFINE_XARRAY_ALLOC(name)  DEFINE_XARRAY_FLAGS(name, XA_FLAGS_ALLOC)
#define DEFINE_XARRAY_ALLOC1(name) DEFINE_XARRAY_FLAGS(name, XA_FLAGS_ALLOC1)

/* ---- entries: pointers, values (bit 0) and internal entries (bits 1..0 = 10) */

static inline void *xa_mk_value(unsigned long v)
{
	WARN_ON((long)v < 0);
	return (void *)((v << 1) | 1);
}

static inline unsigned long xa_to_value(const void *entry)
{
	return (unsigned long)entry >> 1;
}

static inline bool xa_is_value(const void *entry)
{
	return (unsigned long)entry & 1;
}

static inline void *xa_mk_internal(unsigned long v)
{
	return (void *)((v << 2) | 2);
}

static inline bool xa_is_internal(const void *entry)
{
	return ((unsigned long)entry & 3) == 2;
}

#define XA_RETRY_ENTRY		xa_mk_internal(256)
#define XA_ZERO_ENTRY		xa_mk_internal(257)
#define XA_ERROR(errno)		xa_mk_internal((unsigned long)(long)(errno))

static inline bool xa_is_zero(const void *entry)
{
	return entry == XA_ZERO_ENTRY;
}

static inline bool xa_is_retry(const void *entry)
{
	return entry == XA_RETRY_ENTRY;
}

static inline bool xa_is_err(const void *entry)
{
	return xa_is_internal(entry) &&
	       (unsigned long)entry >= (unsigned long)XA_ERROR(-MAX_ERRNO);
}

static inline int xa_err(const void *entry)
{
	return xa_is_err(entry) ? (int)((long)entry >> 2) : 0;
}

/* ---- the array -------------------------------------------------------------- */

static inline void xa_init_flags(struct xarray *xa, gfp_t flags)
{
	spin_lock_init(&xa->xa_lock);
	xa->xa_flags = flags;
	WRITE_ONCE(xa->xa_head, NULL);
}

static inline void xa_init(struct xarray *xa)
{
	xa_init_flags(xa, 0);
}

static inline bool xa_empty(const struct xarray *xa)
{
	return READ_ONCE(xa->xa_head) == NULL;
}

#define xa_trylock(xa)		spin_trylock(&(xa)->xa_lock)
#define xa_lock(xa)		spin_lock(&(xa)->xa_lock)
#define xa_unlock(xa)		spin_unlock(&(xa)->xa_lock)
#define xa_lock_irq(xa)		xa_lock(xa)
#define xa_unlock_irq(xa)	xa_unlock(xa)

void *xa_load(struct xarray *xa, unsigned long index);
void *xa_find(struct xarray *xa, unsigned long *index, unsigned long max,
	      xa_mark_t filter);
void *xa_find_after(struct xarray *xa, unsigned long *index, unsigned long max,
		    xa_mark_t filter);
void xa_destroy(struct xarray *xa);

void *__xa_store(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp);
void *__xa_erase(struct xarray *xa, unsigned long index);
void *__xa_cmpxchg(struct xarray *xa, unsigned long index, void *old,
		   void *entry, gfp_t gfp);
int __must_check __xa_insert(struct xarray *xa, unsigned long index,
			     void *entry, gfp_t gfp);
int __must_check __xa_alloc(struct xarray *xa, u32 *id, void *entry,
			    struct xa_limit limit, gfp_t gfp);

void *xa_store(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp);
void *xa_erase(struct xarray *xa, unsigned long index);
void *xa_cmpxchg(struct xarray *xa, unsigned long index, void *old, void *entry,
		 gfp_t gfp);
int __must_check xa_insert(struct xarray *xa, unsigned long index, void *entry,
			   gfp_t gfp);
int __must_check xa_alloc(struct xarray *xa, u32 *id, void *entry,
			  struct xa_limit limit, gfp_t gfp);
/* From *@next on, then from the start; 1 if it went round, *@next follows. */
int xa_alloc_cyclic(struct xarray *xa, u32 *id, void *entry,
		    struct xa_limit limit, u32 *next, gfp_t gfp);
int __must_check xa_reserve(struct xarray *xa, unsigned long index, gfp_t gfp);
void xa_release(struct xarray *xa, unsigned long index);

#define xa_for_each_range(xa, index, entry, start, last)		\
	for (index = (start), entry = xa_find(xa, &index, last, XA_PRESENT); \
	     entry; entry = xa_find_after(xa, &index, last, XA_PRESENT))
#define xa_for_each_start(xa, index, entry, start) \
	xa_for_each_range(xa, index, entry, start, ULONG_MAX)
#define xa_for_each(xa, index, entry) \
	xa_for_each_start(xa, index, entry, 0)

/* ---- the cursor --------------------------------------------------------------- */

enum twin_xas_state { TWIN_XAS_RESTART, TWIN_XAS_ACTIVE, TWIN_XAS_BOUNDS };

struct xa_state {
	struct xarray *xa;
	unsigned long xa_index;
	enum twin_xas_state state;
	int error;
	struct xa_node *spare;
};

#define __XA_STATE(array, index) \
	{ .xa = (array), .xa_index = (index), .state = TWIN_XAS_RESTART }
#define XA_STATE(name, array, index) \
	struct xa_state name = __XA_STATE(array, index)

#define xas_lock(xas)		xa_lock((xas)->xa)
#define xas_unlock(xas)		xa_unlock((xas)->xa)
#define xas_trylock(xas)	xa_trylock((xas)->xa)
#define xas_lock_irq(xas)	xas_lock(xas)
#define xas_unlock_irq(xas)	xas_unlock(xas)

static inline int xas_error(const struct xa_state *xas)
{
	return xas->error;
}

static inline void xas_set_err(struct xa_state *xas, long err)
{
	xas->error = (int)err;
}

static inline bool xas_invalid(const struct xa_state *xas)
{
	return xas->error || xas->state != TWIN_XAS_ACTIVE;
}

#define xas_valid(xas)		(!xas_invalid(xas))

static inline void xas_reset(struct xa_state *xas)
{
	xas->state = TWIN_XAS_RESTART;
	xas->error = 0;
}

static inline void xas_set(struct xa_state *xas, unsigned long index)
{
	xas->xa_index = index;
	xas_reset(xas);
}

/* True: the entry is none of the caller's; look at the next one. */
static inline bool xas_retry(struct xa_state *xas, const void *entry)
{
	if (xa_is_retry(entry))
		xas_reset(xas);
	return xa_is_zero(entry) || xa_is_retry(entry);
}

void *xas_load(struct xa_state *xas);
void *xas_store(struct xa_state *xas, void *entry);
void *xas_next(struct xa_state *xas);
void *xas_prev(struct xa_state *xas);
void *xas_find(struct xa_state *xas, unsigned long max);
void *xas_reload(struct xa_state *xas);
void xas_pause(struct xa_state *xas);
bool xas_nomem(struct xa_state *xas, gfp_t gfp);
void xas_destroy(struct xa_state *xas);
#define xas_next_entry(xas, max) xas_find(xas, max)
#define xas_for_each(xas, entry, max)					\
	for (entry = xas_find(xas, max); entry;				\
	     entry = xas_next_entry(xas, max))

#endif /* TWIN_XARRAY_H */
