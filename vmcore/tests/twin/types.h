/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Types, attributes and small arithmetic. Same semantics as the kernel;
 * annotations for sparse come to nothing.
 */
#ifndef TWIN_TYPES_H
#define TWIN_TYPES_H

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef unsigned long long u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef long long s64;
typedef unsigned int gfp_t;
typedef unsigned int slab_flags_t;
typedef unsigned long pgoff_t;
typedef s64 ktime_t;

#define __bitwise
#define __force
#define __user
#define __rcu
#define __percpu
#define __iomem
#define __must_hold(x)
#define __must_hold_shared(x)
#define __acquires(x)
#define __acquires_shared(x)
#define __releases(x)
#define __releases_shared(x)
#define __cond_acquires(...)
#define __guarded_by(...)
#define __acquire(x)		((void)0)
#define __release(x)		((void)0)
#define __init
#define __exit
#define __read_mostly
#define __ro_after_init
#define __cacheline_aligned	__attribute__((aligned(64)))
#define ____cacheline_aligned	__attribute__((aligned(64)))
#define ____cacheline_aligned_in_smp ____cacheline_aligned
#define __must_check		__attribute__((warn_unused_result))
#define __maybe_unused		__attribute__((unused))
#define __used			__attribute__((used))
#define __packed		__attribute__((packed))
#define __aligned(n)		__attribute__((aligned(n)))
#define __printf(f, a)		__attribute__((format(printf, f, a)))
#define __cold			__attribute__((cold))
#define __pure			__attribute__((pure))
#define noinline		__attribute__((noinline))
#undef __always_inline
#define __always_inline		inline __attribute__((always_inline))
#undef __attribute_const__
#define __attribute_const__	__attribute__((const))
#define fallthrough		__attribute__((fallthrough))
#ifdef __clang__
#define __counted_by(m)
#define __no_sanitize_twin	__attribute__((no_sanitize("address", "thread")))
#else
#define __counted_by(m)
#define __no_sanitize_twin \
	__attribute__((no_sanitize_address, no_sanitize_thread))
#endif

#define likely(x)		__builtin_expect(!!(x), 1)
#define unlikely(x)		__builtin_expect(!!(x), 0)
#define barrier()		__asm__ __volatile__("" : : : "memory")
#define typeof(x)		__typeof__(x)

#undef offsetof
#define offsetof(type, member)	__builtin_offsetof(type, member)
#define container_of(ptr, type, member) ({				\
	const volatile __typeof__(((type *)0)->member) *twin_m_ = (ptr);\
	(type *)((char *)(uintptr_t)twin_m_ - offsetof(type, member)); })
#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define sizeof_field(t, m)	sizeof(((t *)0)->m)
#define swap(a, b) \
	do { __typeof__(a) twin_t_ = (a); (a) = (b); (b) = twin_t_; } while (0)

#define U8_MAX			UINT8_MAX
#define U16_MAX			UINT16_MAX
#define U32_MAX			((u32)~0U)
#define U64_MAX			((u64)~0ULL)
#define S64_MAX			((s64)(U64_MAX >> 1))
#define BITS_PER_LONG		64
#define BITS_PER_BYTE		8
#define BIT(n)			(1UL << (n))
#define BIT_ULL(n)		(1ULL << (n))
#define GENMASK(h, l)		((~0UL << (l)) & (~0UL >> (63 - (h))))

#define PAGE_SHIFT		12
#undef PAGE_SIZE
#define PAGE_SIZE		(1UL << PAGE_SHIFT)
#undef PAGE_MASK
#define PAGE_MASK		(~(PAGE_SIZE - 1))
#define SZ_4K			0x1000

#define DIV_ROUND_UP(n, d)	(((n) + (d) - 1) / (d))
#define ALIGN(x, a)		(((x) + ((__typeof__(x))(a) - 1)) & \
				 ~((__typeof__(x))(a) - 1))
#define ALIGN_DOWN(x, a)	((x) & ~((__typeof__(x))(a) - 1))
#define IS_ALIGNED(x, a)	(((x) & ((__typeof__(x))(a) - 1)) == 0)
#define PAGE_ALIGN(x)		ALIGN(x, PAGE_SIZE)
#define offset_in_page(p)	((unsigned long)(p) & ~PAGE_MASK)
/* As in the kernel, @y is a power of two and @x == 0 rounds up to 0. */
#define round_up(x, y)		((((x) - 1) | ((__typeof__(x))(y) - 1)) + 1)
#define round_down(x, y)	((x) & ~((__typeof__(x))(y) - 1))

static inline bool is_power_of_2(unsigned long n)
{
	return n && !(n & (n - 1));
}

static inline int fls64(u64 x)
{
	return x ? 64 - __builtin_clzll(x) : 0;
}

#define fls_long(x)		fls64(x)
#define __ffs(x)		((unsigned long)__builtin_ctzl(x))
#define __fls(x)		(63UL - __builtin_clzl(x))
#define ilog2(x)		(fls64(x) - 1)
#define hweight_long(x)		((unsigned int)__builtin_popcountl(x))

#define check_add_overflow(a, b, d)	__builtin_add_overflow(a, b, d)
#define check_sub_overflow(a, b, d)	__builtin_sub_overflow(a, b, d)
#define check_mul_overflow(a, b, d)	__builtin_mul_overflow(a, b, d)

static inline size_t size_add(size_t a, size_t b)
{
	size_t sum;

	return check_add_overflow(a, b, &sum) ? SIZE_MAX : sum;
}

static inline size_t size_mul(size_t a, size_t b)
{
	size_t product;

	return check_mul_overflow(a, b, &product) ? SIZE_MAX : product;
}

#define array_size(a, b)	size_mul(a, b)
#define struct_size(p, member, n) \
	size_add(sizeof(*(p)), size_mul(n, sizeof(*(p)->member)))
#define struct_size_t(type, member, n) struct_size((type *)NULL, member, n)
#define flex_array_size(p, member, n)  size_mul(n, sizeof(*(p)->member))

#define ERESTARTSYS		512
#define MAX_ERRNO		4095
#define IS_ERR_VALUE(x)		((unsigned long)(x) >= (unsigned long)-MAX_ERRNO)

static inline void *ERR_PTR(long error)
{
	return (void *)error;
}

static inline long PTR_ERR(const void *ptr)
{
	return (long)ptr;
}

static inline bool IS_ERR(const void *ptr)
{
	return IS_ERR_VALUE(ptr);
}

static inline bool IS_ERR_OR_NULL(const void *ptr)
{
	return !ptr || IS_ERR(ptr);
}

static inline int PTR_ERR_OR_ZERO(const void *ptr)
{
	return IS_ERR(ptr) ? (int)PTR_ERR(ptr) : 0;
}

#define ERR_CAST(p)		((void *)(p))

#define EXPORT_SYMBOL(s)	extern int twin_export_##s __maybe_unused
#define EXPORT_SYMBOL_GPL(s)	EXPORT_SYMBOL(s)
#define EXPORT_SYMBOL_NS_GPL(s, ns) EXPORT_SYMBOL(s)
#define EXPORT_SYMBOL_IF_KUNIT(s) EXPORT_SYMBOL(s)
#define IS_ENABLED(option)	0

#endif /* TWIN_TYPES_H */
