/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Folios of one page. Simplified, with test hooks. The struct is type-stable
 * (a pool, reused last in, first out), so folio_try_get() of a freed folio is
 * safe; the data comes from malloc and goes back with the last reference, so a
 * sanitizer sees its use after free. Not asked to be zero, it is 0xa5.
 */
#ifndef TWIN_PAGE_H
#define TWIN_PAGE_H

#define TWIN_PG_LOCKED		0
#define TWIN_PG_DIRTY		1
#define TWIN_PG_UPTODATE	2
#define TWIN_PG_REFERENCED	3
#define TWIN_PG_HWPOISON	4

struct address_space {
	void *host;
};

struct page {
	unsigned long flags;
};

struct folio {
	struct page page;
	struct address_space *mapping;
	unsigned long index;
	void *private;
	struct list_head lru;

	/* private to the twin */
	atomic_t refcount;
	atomic_t mapcount;
	struct task_struct *locker;	/* atomic */
	u8 *data;
	struct folio *pool_next;
};

struct folio *folio_alloc(gfp_t gfp, unsigned int order);
void folio_put_refs(struct folio *folio, int refs);
bool folio_try_get(struct folio *folio);
bool folio_trylock(struct folio *folio);
void folio_lock(struct folio *folio);
int __must_check folio_lock_killable(struct folio *folio);
void folio_unlock(struct folio *folio);
void folio_wait_locked(struct folio *folio);
void *kmap_local_folio(struct folio *folio, size_t offset);
void kunmap_local(const void *address);
void folio_zero_segment(struct folio *folio, size_t start, size_t end);

static inline struct folio *page_folio(const struct page *page)
{
	return container_of(page, struct folio, page);
}

static inline struct page *folio_page(struct folio *folio, size_t n)
{
	BUG_ON(n != 0);
	return &folio->page;
}

static inline bool PageHWPoison(const struct page *page)
{
	return test_bit(TWIN_PG_HWPOISON, &page->flags);
}

static inline void folio_put(struct folio *folio)
{
	folio_put_refs(folio, 1);
}

static inline void folio_ref_add(struct folio *folio, int n)
{
	WARN_ON(atomic_fetch_add(n, &folio->refcount) <= 0);
}

static inline void folio_get(struct folio *folio)
{
	folio_ref_add(folio, 1);
}

static inline int folio_ref_count(const struct folio *folio)
{
	return atomic_read(&folio->refcount);
}

static inline int folio_mapcount(const struct folio *folio)
{
	return atomic_read(&folio->mapcount);
}

static inline bool folio_mapped(const struct folio *folio)
{
	return folio_mapcount(folio) > 0;
}

int twin_folio_mapcount(const struct folio *folio);

static inline bool folio_test_locked(const struct folio *folio)
{
	return test_bit(TWIN_PG_LOCKED, &folio->page.flags);
}

static inline bool folio_mark_dirty(struct folio *folio)
{
	return !test_and_set_bit(TWIN_PG_DIRTY, &folio->page.flags);
}

static inline bool folio_test_dirty(const struct folio *folio)
{
	return test_bit(TWIN_PG_DIRTY, &folio->page.flags);
}

static inline void folio_clear_dirty(struct folio *folio)
{
	clear_bit(TWIN_PG_DIRTY, &folio->page.flags);
}

static inline void folio_mark_uptodate(struct folio *folio)
{
	smp_wmb();
	set_bit(TWIN_PG_UPTODATE, &folio->page.flags);
}

static inline bool folio_test_uptodate(const struct folio *folio)
{
	return test_bit_acquire(TWIN_PG_UPTODATE, &folio->page.flags);
}

static inline void folio_mark_accessed(struct folio *folio)
{
	set_bit(TWIN_PG_REFERENCED, &folio->page.flags);
}

static inline size_t folio_size(const struct folio *folio)
{
	(void)folio;
	return PAGE_SIZE;
}

static inline long folio_nr_pages(const struct folio *folio)
{
	(void)folio;
	return 1;
}

#define folio_order(folio)	((void)(folio), 0u)
#define folio_pos(folio)	((loff_t)(folio)->index << PAGE_SHIFT)

static inline void *kmap_local_page(struct page *page)
{
	return kmap_local_folio(page_folio(page), 0);
}

static inline void folio_zero_range(struct folio *folio, size_t start,
				    size_t length)
{
	folio_zero_segment(folio, start, start + length);
}

static inline void memzero_page(struct page *page, size_t offset, size_t len)
{
	folio_zero_range(page_folio(page), offset, len);
}

static inline void clear_highpage(struct page *page)
{
	folio_zero_segment(page_folio(page), 0, PAGE_SIZE);
}

void copy_highpage(struct page *to, struct page *from);
#define clear_user_highpage(page, addr)	((void)(addr), clear_highpage(page))
#define flush_dcache_folio(folio)	((void)(folio))

#endif /* TWIN_PAGE_H */
