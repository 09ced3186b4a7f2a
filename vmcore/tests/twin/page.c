// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Folios and their locks. */
#include "twin.h"

bool (*twin_page_alloc_hook)(gfp_t gfp);
void (*twin_try_get_hook)(const struct folio *folio);
bool twin_folio_wait_rule = true;

static pthread_mutex_t pool_lock = PTHREAD_MUTEX_INITIALIZER;
static struct folio *pool;		/* pool_lock */
static long live_pages;			/* atomic */

/* ---- allocation ----------------------------------------------------------------- */

/* The pool's memory is never given back; LIFO reuse makes stale pointers bite. */
static struct folio *pool_get(void)
{
	struct folio *folio;

	pthread_mutex_lock(&pool_lock);
	folio = pool;
	if (folio)
		pool = folio->pool_next;
	pthread_mutex_unlock(&pool_lock);
	return folio ? folio : calloc(1, sizeof(*folio));
}

static void pool_put(struct folio *folio)
{
	pthread_mutex_lock(&pool_lock);
	folio->pool_next = pool;
	pool = folio;
	pthread_mutex_unlock(&pool_lock);
}

/* The pool stays reachable for the leak checker even when it is handed out. */
static void pool_remember(struct folio *folio)
{
	static struct folio **all;
	static size_t n, room;

	pthread_mutex_lock(&pool_lock);
	if (n == room) {
		room = room ? 2 * room : 1024;
		all = realloc(all, room * sizeof(*all));
		BUG_ON(!all);
	}
	all[n++] = folio;
	pthread_mutex_unlock(&pool_lock);
}

static u8 *data_alloc(gfp_t gfp)
{
	void *data;

	BUG_ON(posix_memalign(&data, 64, PAGE_SIZE));
	memset(data, gfp & __GFP_ZERO ? 0 : 0xa5, PAGE_SIZE);
	return data;
}

struct folio *folio_alloc(gfp_t gfp, unsigned int order)
{
	struct folio *folio;

	BUG_ON(order);
	if (twin_should_fail(gfp) ||
	    (twin_page_alloc_hook && !twin_page_alloc_hook(gfp)))
		return NULL;
	folio = pool_get();
	if (!folio)
		return NULL;
	if (!folio->lru.next)
		pool_remember(folio);
	folio->data = data_alloc(gfp);
	WRITE_ONCE(folio->page.flags, 0);
	WRITE_ONCE(folio->mapping, NULL);
	WRITE_ONCE(folio->index, 0);
	WRITE_ONCE(folio->private, NULL);
	INIT_LIST_HEAD(&folio->lru);
	atomic_set(&folio->mapcount, 0);
	__atomic_fetch_add(&live_pages, 1, __ATOMIC_RELAXED);
	atomic_set_release(&folio->refcount, 1);
	return folio;
}

static void folio_free(struct folio *folio)
{
	WARN(READ_ONCE(folio->mapping), "folio freed with a mapping");
	WARN(folio_test_locked(folio), "folio freed locked");
	WARN(folio_mapcount(folio), "folio freed with mapcount %d",
	     folio_mapcount(folio));
	free(folio->data);
	folio->data = NULL;
	__atomic_fetch_sub(&live_pages, 1, __ATOMIC_RELAXED);
	pool_put(folio);
}

bool folio_try_get(struct folio *folio)
{
	if (twin_try_get_hook)
		twin_try_get_hook(folio);
	return atomic_inc_not_zero(&folio->refcount);
}

void folio_put_refs(struct folio *folio, int refs)
{
	int left = atomic_sub_return(refs, &folio->refcount);

	if (left < 0)
		TWIN_DIE("folio put more often than got");
	if (!left)
		folio_free(folio);
}

long twin_live_pages(void)
{
	twin_rcu_poll();
	return READ_ONCE(live_pages);
}

void twin_folio_map(struct folio *folio)
{
	folio_get(folio);
	atomic_inc(&folio->mapcount);
}

void twin_folio_unmap(struct folio *folio)
{
	WARN_ON(atomic_dec_return(&folio->mapcount) < 0);
	folio_put(folio);
}

void (*twin_mapcount_hook)(const struct folio *folio);

int twin_folio_mapcount(const struct folio *folio)
{
	if (twin_mapcount_hook)
		twin_mapcount_hook(folio);
	return folio_mapcount(folio);
}

/* ---- lock ------------------------------------------------------------------------- */

static void folio_locked(struct folio *folio)
{
	struct task_struct *task = current;

	WRITE_ONCE(folio->locker, task);
	__atomic_fetch_add(&task->folios_locked, 1, __ATOMIC_RELAXED);
	task->counts.folio++;
}

static void folio_lock_check(struct folio *folio)
{
	might_sleep();
	WARN(folio_ref_count(folio) <= 0, "locking a free folio");
	if (folio_test_locked(folio) && READ_ONCE(folio->locker) == current)
		TWIN_DIE("folio %p is locked by this thread already",
			 (void *)folio);
	if (twin_lock_hook)
		twin_lock_hook(folio, TWIN_WRITE);
}

/* Nobody may wait for a second folio: two such could wait for each other. */
static void folio_wait_check(void)
{
	WARN(twin_folio_wait_rule && READ_ONCE(current->folios_locked),
	     "waiting for a folio with another one locked");
}

static bool folio_try(struct folio *folio)
{
	if (test_and_set_bit_lock(TWIN_PG_LOCKED, &folio->page.flags))
		return false;
	folio_locked(folio);
	return true;
}

bool folio_trylock(struct folio *folio)
{
	if (twin_lock_hook)
		twin_lock_hook(folio, TWIN_WRITE);
	return folio_try(folio);
}

void folio_lock(struct folio *folio)
{
	folio_lock_check(folio);
	if (folio_try(folio))
		return;
	folio_wait_check();
	wait_var_event(&folio->page.flags, folio_try(folio));
}

int folio_lock_killable(struct folio *folio)
{
	folio_lock_check(folio);
	if (folio_try(folio))
		return 0;
	folio_wait_check();
	return wait_var_event_killable(&folio->page.flags,
				       folio_try(folio)) ? -EINTR : 0;
}

/* Waits until it is, or was, unlocked; does not take the lock. */
void folio_wait_locked(struct folio *folio)
{
	might_sleep();
	if (!folio_test_locked(folio))
		return;
	folio_wait_check();
	wait_var_event(&folio->page.flags, !folio_test_locked(folio));
}

/* Any thread may unlock a folio, as when input completes. */
void folio_unlock(struct folio *folio)
{
	struct task_struct *locker = READ_ONCE(folio->locker);

	if (!folio_test_locked(folio))
		TWIN_DIE("unlock of folio %p, which is not locked",
			 (void *)folio);
	__atomic_fetch_sub(&locker->folios_locked, 1, __ATOMIC_RELAXED);
	WRITE_ONCE(folio->locker, NULL);
	clear_bit_unlock(TWIN_PG_LOCKED, &folio->page.flags);
	wake_up_var(&folio->page.flags);
}

/* ---- data --------------------------------------------------------------------------- */

void *kmap_local_folio(struct folio *folio, size_t offset)
{
	struct task_struct *task = current;
	void *address = folio->data + offset;

	WARN(folio_ref_count(folio) <= 0, "mapping a free folio");
	BUG_ON(offset >= PAGE_SIZE || task->nkmaps == TWIN_KMAP_MAX);
	task->kmaps[task->nkmaps++] = address;
	return address;
}

/* Last in, first out; @address may be anywhere in the page. */
void kunmap_local(const void *address)
{
	struct task_struct *task = current;
	const char *mapped;
	ptrdiff_t distance;

	if (!task->nkmaps)
		TWIN_DIE("kunmap_local: nothing is mapped");
	mapped = task->kmaps[--task->nkmaps];
	distance = (const char *)address - mapped;
	if (distance <= -(ptrdiff_t)PAGE_SIZE || distance > (ptrdiff_t)PAGE_SIZE)
		TWIN_DIE("kunmap_local: not the page mapped last");
}

void folio_zero_segment(struct folio *folio, size_t start, size_t end)
{
	void *data = kmap_local_folio(folio, 0);

	BUG_ON(start > end || end > PAGE_SIZE);
	memset((u8 *)data + start, 0, end - start);
	kunmap_local(data);
}

void copy_highpage(struct page *to, struct page *from)
{
	void *target = kmap_local_page(to);
	const void *source = kmap_local_page(from);

	memcpy(target, source, PAGE_SIZE);
	kunmap_local(source);
	kunmap_local(target);
}
