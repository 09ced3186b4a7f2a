/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Slab allocation on top of malloc. Simplified, with test hooks: every
 * allocation can be made to fail and is counted (see twin.h). Memory that is
 * not asked to be zero is filled with a pattern. An allocation that may block
 * dies where sleeping is forbidden.
 */
#ifndef TWIN_SLAB_H
#define TWIN_SLAB_H

#define __GFP_HIGHMEM		0x0001u
#define __GFP_MOVABLE		0x0002u
#define __GFP_IO		0x0004u
#define __GFP_FS		0x0008u
#define __GFP_ZERO		0x0010u
#define __GFP_ACCOUNT		0x0020u
#define __GFP_NOWARN		0x0040u
#define __GFP_NOFAIL		0x0080u
#define __GFP_RETRY_MAYFAIL	0x0100u
#define __GFP_NORETRY		0x0200u
#define __GFP_HIGH		0x0400u
#define __GFP_HARDWALL		0x0800u
#define __GFP_DIRECT_RECLAIM	0x1000u
#define __GFP_KSWAPD_RECLAIM	0x2000u
#define __GFP_RECLAIM		(__GFP_DIRECT_RECLAIM | __GFP_KSWAPD_RECLAIM)
#define GFP_KERNEL		(__GFP_RECLAIM | __GFP_IO | __GFP_FS)
#define GFP_KERNEL_ACCOUNT	(GFP_KERNEL | __GFP_ACCOUNT)
#define GFP_NOFS		(__GFP_RECLAIM | __GFP_IO)
#define GFP_NOIO		__GFP_RECLAIM
#define GFP_NOWAIT		(__GFP_KSWAPD_RECLAIM | __GFP_NOWARN)
#define GFP_ATOMIC		(__GFP_KSWAPD_RECLAIM | __GFP_HIGH)
#define GFP_USER		(GFP_KERNEL | __GFP_HARDWALL)
#define GFP_HIGHUSER		(GFP_USER | __GFP_HIGHMEM)
#define GFP_HIGHUSER_MOVABLE	(GFP_HIGHUSER | __GFP_MOVABLE)

static inline bool gfpflags_allow_blocking(gfp_t gfp)
{
	return gfp & __GFP_DIRECT_RECLAIM;
}

#define might_alloc(gfp)	might_sleep_if(gfpflags_allow_blocking(gfp))

/* To be asked by each allocator of the twin: shall this one fail? */
bool twin_should_fail(gfp_t gfp);

#define SLAB_HWCACHE_ALIGN	0x1u
#define SLAB_ACCOUNT		0x2u
#define SLAB_RECLAIM_ACCOUNT	0x4u
#define SLAB_PANIC		0x8u

struct kmem_cache;

void *kmalloc(size_t size, gfp_t gfp);
void *kmalloc_array(size_t n, size_t size, gfp_t gfp);
void kfree(const void *object);
#define kzalloc(size, gfp)	kmalloc(size, (gfp) | __GFP_ZERO)
#define kcalloc(n, size, gfp)	kmalloc_array(n, size, (gfp) | __GFP_ZERO)
#define kvmalloc(size, gfp)	kmalloc(size, gfp)
#define kvzalloc(size, gfp)	kzalloc(size, gfp)
#define kvmalloc_array(n, size, gfp) kmalloc_array(n, size, gfp)
#define kvcalloc(n, size, gfp)	kcalloc(n, size, gfp)
#define kvfree(object)		kfree(object)

struct kmem_cache *kmem_cache_create(const char *name, unsigned int size,
				     unsigned int align, slab_flags_t flags,
				     void (*ctor)(void *));
void kmem_cache_destroy(struct kmem_cache *cache);
void *kmem_cache_alloc(struct kmem_cache *cache, gfp_t gfp);
void kmem_cache_free(struct kmem_cache *cache, void *object);
#define kmem_cache_zalloc(cache, gfp) \
	kmem_cache_alloc(cache, (gfp) | __GFP_ZERO)
#define KMEM_CACHE(s, flags)						\
	kmem_cache_create(#s, sizeof(struct s), __alignof__(struct s),	\
			  (flags), NULL)

#endif /* TWIN_SLAB_H */
