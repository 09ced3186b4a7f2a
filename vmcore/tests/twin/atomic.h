/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Memory accesses, barriers, atomics, bit operations, reference counts. Same
 * semantics: operations that return a value are ordered, void ones are not.
 *
 * READ_ONCE of a pointer orders what is reached through it (the kernel's
 * address dependency), so it is a consume load; other loads are relaxed.
 *
 * ThreadSanitizer knows no fences. There a barrier is an atomic update of one
 * global, which orders at least as much as the fence does.
 */
#ifndef TWIN_ATOMIC_H
#define TWIN_ATOMIC_H

#if defined(__SANITIZE_THREAD__)
#define TWIN_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TWIN_TSAN 1
#endif
#endif

#define TWIN_POINTER_CLASS	5	/* __builtin_classify_type(pointer) */
#define READ_ONCE(x)							\
	__atomic_load_n(&(x),						\
		__builtin_classify_type(x) == TWIN_POINTER_CLASS ?	\
			__ATOMIC_CONSUME : __ATOMIC_RELAXED)
#define WRITE_ONCE(x, v)	__atomic_store_n(&(x), (v), __ATOMIC_RELAXED)
#define data_race(expr)		(expr)

#ifdef TWIN_TSAN
extern unsigned long twin_fence;
#define smp_mb() \
	((void)__atomic_fetch_add(&twin_fence, 1, __ATOMIC_SEQ_CST))
#define smp_rmb()		smp_mb()
#define smp_wmb()		smp_mb()
#else
#define smp_mb()		__atomic_thread_fence(__ATOMIC_SEQ_CST)
#define smp_rmb()		__atomic_thread_fence(__ATOMIC_ACQUIRE)
#define smp_wmb()		__atomic_thread_fence(__ATOMIC_RELEASE)
#endif
/* Called after each smp_mb__after_atomic(). */
extern void (*twin_barrier_hook)(void);
#define smp_mb__before_atomic()	smp_mb()
#define smp_mb__after_atomic()	\
	({ smp_mb(); if (twin_barrier_hook) twin_barrier_hook(); })
#define smp_mb__after_spinlock() smp_mb()
#define smp_acquire__after_ctrl_dep() smp_rmb()
#define smp_load_acquire(p)	__atomic_load_n((p), __ATOMIC_ACQUIRE)
#define smp_store_release(p, v)	__atomic_store_n((p), (v), __ATOMIC_RELEASE)
#define smp_store_mb(x, v)	__atomic_store_n(&(x), (v), __ATOMIC_SEQ_CST)
#define cpu_relax()		((void)sched_yield())

#define TWIN_CMPXCHG(p, old, new, order) ({				\
	__typeof__(*(p)) twin_old_ = (old);				\
	__atomic_compare_exchange_n((p), &twin_old_, (new), false,	\
				    order, __ATOMIC_RELAXED);		\
	twin_old_; })
#define cmpxchg(p, old, new)	TWIN_CMPXCHG(p, old, new, __ATOMIC_SEQ_CST)
#define cmpxchg_relaxed(p, old, new) \
	TWIN_CMPXCHG(p, old, new, __ATOMIC_RELAXED)
#define cmpxchg_acquire(p, old, new) \
	TWIN_CMPXCHG(p, old, new, __ATOMIC_ACQUIRE)
#define cmpxchg_release(p, old, new) \
	TWIN_CMPXCHG(p, old, new, __ATOMIC_RELEASE)
#define try_cmpxchg(p, oldp, new)					\
	__atomic_compare_exchange_n((p), (oldp), (new), false,		\
				    __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)
#define xchg(p, v)		__atomic_exchange_n((p), (v), __ATOMIC_SEQ_CST)
#define xchg_acquire(p, v)	__atomic_exchange_n((p), (v), __ATOMIC_ACQUIRE)
#define xchg_release(p, v)	__atomic_exchange_n((p), (v), __ATOMIC_RELEASE)

typedef struct { int counter; } atomic_t;
typedef struct { long counter; } atomic_long_t;
typedef struct { s64 counter; } atomic64_t;
#define ATOMIC_INIT(i)		{ (i) }
#define ATOMIC_LONG_INIT(i)	{ (i) }
#define ATOMIC64_INIT(i)	{ (i) }

/* A void, a returning and a fetching form of one operation. */
#define TWIN_ATOMIC_OP(P, A, T, op)					\
static inline void P##_##op(T i, A *v)					\
{									\
	__atomic_fetch_##op(&v->counter, i, __ATOMIC_RELAXED);		\
}									\
static inline T P##_##op##_return(T i, A *v)				\
{									\
	return __atomic_##op##_fetch(&v->counter, i, __ATOMIC_SEQ_CST);	\
}									\
static inline T P##_fetch_##op(T i, A *v)				\
{									\
	return __atomic_fetch_##op(&v->counter, i, __ATOMIC_SEQ_CST);	\
}									\
static inline T P##_fetch_##op##_relaxed(T i, A *v)			\
{									\
	return __atomic_fetch_##op(&v->counter, i, __ATOMIC_RELAXED);	\
}

#define TWIN_ATOMIC_TRY(P, A, T, suffix, order)				\
static inline bool P##_try_cmpxchg##suffix(A *v, T *old, T new)	\
{									\
	return __atomic_compare_exchange_n(&v->counter, old, new, false,\
					   order, __ATOMIC_RELAXED);	\
}									\
static inline T P##_cmpxchg##suffix(A *v, T old, T new)			\
{									\
	P##_try_cmpxchg##suffix(v, &old, new);				\
	return old;							\
}									\
static inline T P##_xchg##suffix(A *v, T new)				\
{									\
	return __atomic_exchange_n(&v->counter, new, order);		\
}

#define TWIN_ATOMIC(P, A, T)						\
static inline T P##_read(const A *v)					\
{									\
	return __atomic_load_n(&v->counter, __ATOMIC_RELAXED);		\
}									\
static inline T P##_read_acquire(const A *v)				\
{									\
	return __atomic_load_n(&v->counter, __ATOMIC_ACQUIRE);		\
}									\
static inline void P##_set(A *v, T i)					\
{									\
	__atomic_store_n(&v->counter, i, __ATOMIC_RELAXED);		\
}									\
static inline void P##_set_release(A *v, T i)				\
{									\
	__atomic_store_n(&v->counter, i, __ATOMIC_RELEASE);		\
}									\
TWIN_ATOMIC_OP(P, A, T, add)						\
TWIN_ATOMIC_OP(P, A, T, sub)						\
TWIN_ATOMIC_OP(P, A, T, or)						\
TWIN_ATOMIC_OP(P, A, T, and)						\
TWIN_ATOMIC_TRY(P, A, T, , __ATOMIC_SEQ_CST)				\
TWIN_ATOMIC_TRY(P, A, T, _acquire, __ATOMIC_ACQUIRE)			\
TWIN_ATOMIC_TRY(P, A, T, _release, __ATOMIC_RELEASE)			\
TWIN_ATOMIC_TRY(P, A, T, _relaxed, __ATOMIC_RELAXED)			\
static inline void P##_inc(A *v) { P##_add(1, v); }			\
static inline void P##_dec(A *v) { P##_sub(1, v); }			\
static inline T P##_inc_return(A *v) { return P##_add_return(1, v); }	\
static inline T P##_dec_return(A *v) { return P##_sub_return(1, v); }	\
static inline T P##_fetch_inc(A *v) { return P##_fetch_add(1, v); }	\
static inline T P##_fetch_dec(A *v) { return P##_fetch_sub(1, v); }	\
static inline void P##_andnot(T i, A *v) { P##_and(~i, v); }		\
static inline T P##_fetch_andnot(T i, A *v)				\
{									\
	return P##_fetch_and(~i, v);					\
}									\
static inline bool P##_sub_and_test(T i, A *v)				\
{									\
	return P##_sub_return(i, v) == 0;				\
}									\
static inline bool P##_dec_and_test(A *v)				\
{									\
	return P##_sub_return(1, v) == 0;				\
}									\
static inline bool P##_inc_and_test(A *v)				\
{									\
	return P##_add_return(1, v) == 0;				\
}									\
static inline T P##_fetch_add_unless(A *v, T a, T u)			\
{									\
	T old = P##_read(v);						\
									\
	while (old != u && !P##_try_cmpxchg(v, &old, old + a))		\
		;							\
	return old;							\
}									\
static inline bool P##_add_unless(A *v, T a, T u)			\
{									\
	return P##_fetch_add_unless(v, a, u) != u;			\
}									\
static inline bool P##_inc_not_zero(A *v)				\
{									\
	return P##_add_unless(v, 1, 0);					\
}									\
static inline T P##_dec_if_positive(A *v)				\
{									\
	T old = P##_read(v);						\
									\
	while (old > 0 && !P##_try_cmpxchg(v, &old, old - 1))		\
		;							\
	return old - 1;							\
}

TWIN_ATOMIC(atomic, atomic_t, int)
TWIN_ATOMIC(atomic_long, atomic_long_t, long)
TWIN_ATOMIC(atomic64, atomic64_t, s64)

/* ---- bits ----------------------------------------------------------------- */

#define TWIN_BIT_WORD(nr, addr)	((addr) + (nr) / BITS_PER_LONG)
#define TWIN_BIT_MASK(nr)	(1UL << ((nr) % BITS_PER_LONG))

static inline bool twin_bit_set(unsigned long nr, volatile unsigned long *addr,
				int order)
{
	return __atomic_fetch_or(TWIN_BIT_WORD(nr, addr), TWIN_BIT_MASK(nr),
				 order) & TWIN_BIT_MASK(nr);
}

static inline bool twin_bit_clear(unsigned long nr,
				  volatile unsigned long *addr, int order)
{
	return __atomic_fetch_and(TWIN_BIT_WORD(nr, addr), ~TWIN_BIT_MASK(nr),
				  order) & TWIN_BIT_MASK(nr);
}

static inline bool twin_bit_test(unsigned long nr,
				 const volatile unsigned long *addr, int order)
{
	return __atomic_load_n(TWIN_BIT_WORD(nr, addr), order) &
	       TWIN_BIT_MASK(nr);
}

#define set_bit(nr, addr)	((void)twin_bit_set(nr, addr, __ATOMIC_RELAXED))
#define clear_bit(nr, addr) \
	((void)twin_bit_clear(nr, addr, __ATOMIC_RELAXED))
#define clear_bit_unlock(nr, addr) \
	((void)twin_bit_clear(nr, addr, __ATOMIC_RELEASE))
#define test_bit(nr, addr)	twin_bit_test(nr, addr, __ATOMIC_RELAXED)
#define test_bit_acquire(nr, addr) twin_bit_test(nr, addr, __ATOMIC_ACQUIRE)
#define test_and_set_bit(nr, addr) twin_bit_set(nr, addr, __ATOMIC_SEQ_CST)
#define test_and_set_bit_lock(nr, addr) twin_bit_set(nr, addr, __ATOMIC_ACQUIRE)
#define test_and_clear_bit(nr, addr) twin_bit_clear(nr, addr, __ATOMIC_SEQ_CST)
#define __set_bit(nr, addr)	set_bit(nr, addr)
#define __clear_bit(nr, addr)	clear_bit(nr, addr)

/* ---- reference counts ------------------------------------------------------ */

typedef struct refcount_struct { atomic_t refs; } refcount_t;
#define REFCOUNT_INIT(n)	{ ATOMIC_INIT(n) }
#define REFCOUNT_SATURATED	(INT_MIN / 2)

static inline void refcount_set(refcount_t *r, int n)
{
	atomic_set(&r->refs, n);
}

static inline unsigned int refcount_read(const refcount_t *r)
{
	return (unsigned int)atomic_read(&r->refs);
}

static inline void twin_refcount_saturate(refcount_t *r, const char *what)
{
	refcount_set(r, REFCOUNT_SATURATED);
	WARN(true, "refcount: %s", what);
}

static inline void refcount_add(int n, refcount_t *r)
{
	int old = atomic_fetch_add_relaxed(n, &r->refs);

	if (unlikely(old <= 0))
		twin_refcount_saturate(r, old ? "saturated" : "add on 0");
}

static inline void refcount_inc(refcount_t *r)
{
	refcount_add(1, r);
}

static inline __must_check bool refcount_inc_not_zero(refcount_t *r)
{
	int old = atomic_read(&r->refs);

	while (old && !atomic_try_cmpxchg_relaxed(&r->refs, &old, old + 1))
		;
	if (unlikely(old < 0))
		twin_refcount_saturate(r, "saturated");
	return old;
}

static inline __must_check bool refcount_sub_and_test(int n, refcount_t *r)
{
	int old = atomic_fetch_sub(n, &r->refs);

	if (unlikely(old < n || old <= 0))
		twin_refcount_saturate(r, "underflow");
	return old == n;
}

static inline __must_check bool refcount_dec_and_test(refcount_t *r)
{
	return refcount_sub_and_test(1, r);
}

static inline void refcount_dec(refcount_t *r)
{
	if (unlikely(atomic_fetch_sub(1, &r->refs) <= 1))
		twin_refcount_saturate(r, "decrement hit 0");
}

static inline __must_check bool refcount_dec_not_one(refcount_t *r)
{
	int old = atomic_read(&r->refs);

	while (old != 1 && !atomic_try_cmpxchg_release(&r->refs, &old, old - 1))
		;
	return old != 1;
}

#endif /* TWIN_ATOMIC_H */
