// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Maps as strings, and operations that must succeed: see chain.h. */
#include "chain.h"

int ch_peek(struct bsdvm_map *map, bsdvm_pindex_t pindex)
{
	struct folio *page;
	int value = 0;

	if (bsdvm_fault_page(map, pindex, BSDVM_PROT_READ, BSDVM_FAULT_NOZERO,
			     &page) != BSDVM_SUCCESS)
		return -1;
	if (page) {
		value = fx_folio_byte(page);
		bsdvm_fault_page_done(page, BSDVM_PROT_READ);
	}
	return value;
}

static u64 hash_bytes(u64 hash, const void *data, size_t n)
{
	const unsigned char *byte = data;

	while (n--)
		hash = (hash ^ *byte++) * 0x100000001b3ULL;
	return hash;
}

static u64 hash_page(u64 hash, struct bsdvm_map *map, bsdvm_pindex_t pindex)
{
	static const unsigned char zeroes[PAGE_SIZE];
	struct folio *page;
	void *data;

	fx_assert(bsdvm_fault_page(map, pindex, BSDVM_PROT_READ,
				   BSDVM_FAULT_NOZERO, &page) == BSDVM_SUCCESS);
	if (!page)
		return hash_bytes(hash, zeroes, PAGE_SIZE);
	data = kmap_local_folio(page, 0);
	hash = hash_bytes(hash, data, PAGE_SIZE);
	kunmap_local(data);
	bsdvm_fault_page_done(page, BSDVM_PROT_READ);
	return hash;
}

u64 ch_hash(struct bsdvm_map *map)
{
	u64 hash = hash_bytes(0xcbf29ce484222325ULL, &map->size,
			      sizeof(map->size));
	bsdvm_pindex_t pindex;

	for (pindex = 0; pindex < map->size; pindex++)
		hash = hash_page(hash, map, pindex);
	return hash;
}

void ch_write(struct bsdvm_map *map, bsdvm_pindex_t pindex, unsigned char value)
{
	fx_assert_status(fx_held_fill(map, pindex, value), BSDVM_SUCCESS);
	check_all(map);
}

struct bsdvm_map *ch_map(const char *pages)
{
	struct bsdvm_map *map = fx_map(strlen(pages));
	bsdvm_pindex_t pindex;

	for (pindex = 0; pages[pindex]; pindex++)
		if (pages[pindex] != '.')
			ch_write(map, pindex, (unsigned char)pages[pindex]);
	return map;
}

void ch_expect_at(struct bsdvm_map *map, const char *pages, const char *file,
		  int line)
{
	bsdvm_pindex_t pindex, size = strlen(pages);
	char got[256];
	int value;

	fx_assert(map->size < sizeof(got));
	for (pindex = 0; pindex < map->size; pindex++) {
		value = ch_peek(map, pindex);
		got[pindex] = !value ? '.' : value < 0 ? '!' : (char)value;
	}
	got[pindex] = 0;
	_assert_string_equal(got, pages, file, line);
	_assert_int_equal(map->size, size, file, line);
	check_all(map);
}

void ch_expect_snapshot_at(struct bsdvm_map *map, u32 id, const char *pages,
			   const char *file, int line)
{
	struct bsdvm_map *opened = ch_open(map, id);

	ch_expect_at(opened, pages, file, line);
	fx_put(opened);
}

u32 ch_snapshot(struct bsdvm_map *map)
{
	u32 id = 0;

	fx_assert_status(bsdvm_map_snapshot(map, map->size * PAGE_SIZE, &id),
			 BSDVM_SUCCESS);
	fx_assert(id);
	check_all(map);
	return id;
}

struct bsdvm_map *ch_open(struct bsdvm_map *map, u32 id)
{
	struct bsdvm_map *opened;
	u64 bytes;

	fx_assert_status(bsdvm_snapshot_open(map, id, NULL, &opened, &bytes),
			 BSDVM_SUCCESS);
	check_all(opened);
	return opened;
}

void ch_drop(struct bsdvm_map *map, u32 id)
{
	fx_assert_status(bsdvm_snapshot_drop(map, id), BSDVM_SUCCESS);
	check_all(map);
}

struct bsdvm_map *ch_shadow(struct bsdvm_map *map, bsdvm_pindex_t first,
			    bsdvm_pindex_t npages)
{
	struct bsdvm_map *shadow;

	fx_assert_status(bsdvm_map_shadow(map, first, npages, NULL, &shadow),
			 BSDVM_SUCCESS);
	check_all(map);
	check_all(shadow);
	return shadow;
}

void ch_punch(struct bsdvm_map *map, bsdvm_pindex_t first, bsdvm_pindex_t last)
{
	fx_assert_status(bsdvm_map_punch(map, first, last), BSDVM_SUCCESS);
	check_all(map);
}

void ch_resize(struct bsdvm_map *map, bsdvm_pindex_t size)
{
	fx_assert_status(bsdvm_map_resize(map, size), BSDVM_SUCCESS);
	check_all(map);
}

void ch_wire(struct bsdvm_map *map, bsdvm_pindex_t first, bsdvm_pindex_t last)
{
	fx_assert_status(bsdvm_map_wire(map, first, last), BSDVM_SUCCESS);
	check_all(map);
}

void ch_unwire(struct bsdvm_map *map, bsdvm_pindex_t first,
	       bsdvm_pindex_t last)
{
	fx_assert_status(bsdvm_map_unwire(map, first, last), BSDVM_SUCCESS);
	check_all(map);
}

unsigned int ch_depth(struct bsdvm_map *map, bsdvm_pindex_t pindex)
{
	struct bsdvm_object *object = fx_object(map, pindex);
	unsigned int depth = 0;

	for (; object; object = object->backing_object)
		depth++;
	return depth;
}

unsigned int ch_entries(struct bsdvm_map *map)
{
	struct bsdvm_map_summary sum;

	fx_assert_status(bsdvm_map_summary(map, &sum), BSDVM_SUCCESS);
	return sum.entries;
}

struct folio *ch_pin(struct bsdvm_map *map, bsdvm_pindex_t pindex)
{
	struct bsdvm_entry *entry = fx_entry(map, pindex);
	struct folio *page = fx_page(entry->object,
				     bsdvm_entry_index(entry, pindex));

	fx_assert(page);
	folio_get(page);
	return page;
}

void ch_break(struct folio *page)
{
	folio_get(page);
	set_bit(TWIN_PG_HWPOISON, &page->page.flags);
}

struct fx_chain ch_wired_behind(void)
{
	struct fx_chain c = fx_chain(2, 5, "...../ABCDE");
	bsdvm_pindex_t n;

	fx_assert_status(bsdvm_map_protect(c.map, 0, 2, BSDVM_PROT_READ, false),
			 BSDVM_SUCCESS);
	fx_assert_status(bsdvm_map_user_wire(c.map, 0, 2, &n), BSDVM_SUCCESS);
	assert_int_equal(fx_count(live_wired), 3);
	assert_null(fx_page(c.object[0], 1));
	check_all(c.map);
	return c;
}

unsigned int ch_violated(struct bsdvm_map *map)
{
	struct bsdvm_report report;

	fx_assert(bsdvm_family_check(map, &report) == BSDVM_SUCCESS);
	return report.violated;
}

void ch_wait_for_fault(struct bsdvm_map *map, unsigned int fault_type,
		       void (*body)(struct fx_thread *me))
{
	struct fx_thread thread = { .map = map, .pindex = 1 };
	struct bsdvm_fault fault = {
		.map = map, .pindex = 1, .fault_type = fault_type,
	};

	fx_assert_status(bsdvm_fault(&fault), BSDVM_SUCCESS);
	assert_non_null(fault.page);
	fx_spawn(&thread, body);
	fx_await_sleep(&thread);
	fx_map_page(map, 0, 1, fault.page, fault.prot);
	folio_unlock(fault.page);
	folio_put(fault.page);
	fx_join(&thread);
	fx_assert_status(thread.status, BSDVM_SUCCESS);
	assert_null(fx_mapped(map, 0, 1));
}

static const void *before_lock;
static void (*before_hook)(void);

static void before_any_lock(const void *lock, enum twin_lock_mode mode)
{
	if (lock != before_lock)
		return;
	twin_lock_hook = NULL;
	before_hook();
}

void ch_before_lock(const void *lock, void (*hook)(void))
{
	before_lock = lock;
	before_hook = hook;
	twin_lock_hook = before_any_lock;
}
