// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Slab on malloc. A header in front of each object names its cache; under
 * AddressSanitizer it is poisoned, so that an underrun is seen.
 */
#include "twin.h"

#if defined(__SANITIZE_ADDRESS__)
#define TWIN_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TWIN_ASAN 1
#endif
#endif
#ifdef TWIN_ASAN
#include <sanitizer/asan_interface.h>
#define hide(p, n)	__asan_poison_memory_region(p, n)
#else
#define hide(p, n)	((void)(p), (void)(n))
#endif

#define HEADER_MAGIC	0x74773162u

struct kmem_cache {
	const char *name;
	unsigned int size;
	unsigned int align;
	void (*ctor)(void *object);
	long live;			/* atomic */
};

struct header {
	struct kmem_cache *cache;
	u32 magic;
	u32 offset;			/* of the object in its allocation */
};

static long live_allocs;		/* atomic */

/* ---- failures ----------------------------------------------------------------- */

void twin_fail_nth(unsigned long n)
{
	struct task_struct *task = current;

	task->fail_at = n ? task->allocs + n : 0;
	task->fail_last = task->fail_at;
	task->fail_done = false;
}

void twin_fail_from(unsigned long n)
{
	twin_fail_nth(n);
	current->fail_last = ULONG_MAX;
}

bool twin_fail_allocs_done(void)
{
	return current->fail_done;
}

unsigned long twin_allocs(void)
{
	return current->allocs;
}

bool twin_should_fail(gfp_t gfp)
{
	struct task_struct *task = current;

	might_alloc(gfp);
	task->allocs++;
	if (!task->fail_at || task->allocs < task->fail_at ||
	    task->allocs > task->fail_last || (gfp & __GFP_NOFAIL))
		return false;
	task->fail_done = true;
	return true;
}

long twin_live_allocs(void)
{
	twin_rcu_poll();
	return READ_ONCE(live_allocs);
}

/* ---- objects ---------------------------------------------------------------------- */

static struct header *header_of(const void *object)
{
	return (struct header *)((uintptr_t)object - sizeof(struct header));
}

static void *object_alloc(struct kmem_cache *cache, size_t size, size_t align,
			  gfp_t gfp)
{
	size_t offset = max_t(size_t, align, sizeof(struct header));
	struct header *header;
	void *base, *object;

	if (twin_should_fail(gfp) || size > SIZE_MAX / 2 ||
	    posix_memalign(&base, offset, offset + size))
		return NULL;
	object = (u8 *)base + offset;
	memset(object, gfp & __GFP_ZERO ? 0 : 0xa5, size);
	header = header_of(object);
	*header = (struct header){ cache, HEADER_MAGIC, (u32)offset };
	hide(base, offset);
	__atomic_fetch_add(&live_allocs, 1, __ATOMIC_RELAXED);
	if (cache)
		__atomic_fetch_add(&cache->live, 1, __ATOMIC_RELAXED);
	return object;
}

/* Looks behind the poison, also at objects freed already. */
__no_sanitize_twin
static noinline void header_read(const void *object, struct kmem_cache **cache,
				 u32 *magic, u32 *offset)
{
	volatile struct header *header = header_of(object);

	*cache = header->cache;
	*magic = header->magic;
	*offset = header->offset;
}

static struct kmem_cache *object_free(const void *object)
{
	struct kmem_cache *cache;
	u32 magic, offset;

	header_read(object, &cache, &magic, &offset);
	if (magic != HEADER_MAGIC || offset > 4096)
		TWIN_DIE("free of %p, which was not allocated", object);
	__atomic_fetch_sub(&live_allocs, 1, __ATOMIC_RELAXED);
	if (cache)
		__atomic_fetch_sub(&cache->live, 1, __ATOMIC_RELAXED);
	free((void *)((uintptr_t)object - offset));
	return cache;
}

void *kmalloc(size_t size, gfp_t gfp)
{
	return object_alloc(NULL, size, 1, gfp);
}

void *kmalloc_array(size_t n, size_t size, gfp_t gfp)
{
	return kmalloc(size_mul(n, size), gfp);
}

void kfree(const void *object)
{
	if (!IS_ERR_OR_NULL(object))
		object_free(object);
}

/* ---- caches ------------------------------------------------------------------------- */

struct kmem_cache *kmem_cache_create(const char *name, unsigned int size,
				     unsigned int align, slab_flags_t flags,
				     void (*ctor)(void *))
{
	struct kmem_cache *cache = kzalloc(sizeof(*cache), GFP_KERNEL);

	if (!cache)
		return NULL;
	cache->name = name;
	cache->size = size;
	cache->align = flags & SLAB_HWCACHE_ALIGN ? max(align, 64u) : align;
	cache->ctor = ctor;
	return cache;
}

void kmem_cache_destroy(struct kmem_cache *cache)
{
	if (!cache)
		return;
	WARN(READ_ONCE(cache->live), "kmem_cache %s: %ld objects left",
	     cache->name, READ_ONCE(cache->live));
	kfree(cache);
}

void *kmem_cache_alloc(struct kmem_cache *cache, gfp_t gfp)
{
	void *object = object_alloc(cache, cache->size, cache->align, gfp);

	if (object && cache->ctor)
		cache->ctor(object);
	return object;
}

void kmem_cache_free(struct kmem_cache *cache, void *object)
{
	if (object && object_free(object) != cache)
		TWIN_DIE("%p is not of kmem_cache %s", object, cache->name);
}
