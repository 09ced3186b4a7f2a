// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* vmcore/freeze.c: from now on nobody writes this object. */
#include "chain.h"

/* I-9, I-18, M-43: mappings lose their pages; a stale one cannot be written. */
static void test_I9_I18_mappings_go(void **state)
{
	struct bsdvm_map *map = fx_map(40);
	bsdvm_pindex_t i;
	u32 id;

	for (i = 0; i < 40; i += 3)
		fx_assert_status(fx_store_byte(map, 0, i, 'a'), BSDVM_SUCCESS);
	fx_assert_status(fx_store_byte(map, 1, 0, 'a'), BSDVM_SUCCESS);
	id = ch_snapshot(map);
	for (i = 0; i < 40; i++) {
		assert_null(fx_mapped(map, 0, i));
		assert_null(fx_mapped(map, 1, i));
	}
	fx_assert_status(fx_store_byte(map, 0, 0, 'x'), BSDVM_SUCCESS);
	fx_assert_status(fx_store_byte(map, 1, 3, 'y'), BSDVM_SUCCESS);
	assert_int_equal(fx_held_byte(map, 0), 'x');
	ch_expect_snapshot(map, id, "a..a..a..a..a..a..a..a..a..a..a..a..a..a");
	fx_put(map);
}

/* However many there are, and however far apart: none is passed over. */
static void test_many_pages(void **state)
{
	struct bsdvm_map *map = fx_map(400), *opened;
	struct folio *pin[3];
	bsdvm_pindex_t i;
	u32 id;

	for (i = 0; i < 100; i++)
		fx_assert_status(fx_store_byte(map, 0, i, 'a'), BSDVM_SUCCESS);
	for (i = 100; i < 400; i += 20)
		fx_assert_status(fx_store_byte(map, 0, i, 'b'), BSDVM_SUCCESS);
	pin[0] = ch_pin(map, 32);
	pin[1] = ch_pin(map, 33);
	pin[2] = ch_pin(map, 65);
	id = ch_snapshot(map);
	assert_int_equal(fx_mappings(map), 0);
	assert_int_equal(fx_count(snapshot_copies), 3);
	for (i = 0; i < 3; i++) {
		fx_folio_fill(pin[i], 'p');
		folio_put(pin[i]);
	}
	opened = ch_open(map, id);
	for (i = 0; i < 400; i++)
		assert_int_equal(ch_peek(opened, i),
				 i < 100 ? 'a' : i % 20 ? 0 : 'b');
	assert_int_equal(ch_peek(map, 33), 'p');
	fx_put(opened);
	fx_put(map);
}

/* Only pages of the top object are visited: what is mapped behind it stays. */
static void test_mappings_behind_stay(void **state)
{
	struct bsdvm_map *map = ch_map("ABCD");

	ch_snapshot(map);
	assert_int_equal(fx_load(map, 0, 2), 'C');
	assert_int_equal(fx_load(map, 0, 3), 'D');
	fx_assert_status(fx_store_byte(map, 0, 0, 'x'), BSDVM_SUCCESS);
	ch_snapshot(map);
	assert_null(fx_mapped(map, 0, 0));
	assert_int_equal(fx_mapped_byte(map, 0, 2), 'C');
	assert_int_equal(fx_mapped_byte(map, 0, 3), 'D');
	ch_expect(map, "xBCD");
	fx_put(map);
}

/* Frozen objects never change: what anybody writes later goes elsewhere. */
static void test_frozen_never_changes(void **state)
{
	struct bsdvm_map *map = ch_map("ABCD"), *a, *b;
	struct bsdvm_object *frozen = fx_object(map, 0);
	u32 id = ch_snapshot(map);
	struct folio *page[4];
	unsigned int i;

	for (i = 0; i < 4; i++)
		page[i] = fx_page(frozen, i);
	a = ch_open(map, id);
	b = ch_shadow(map, 1, 2);
	for (i = 0; i < 4; i++) {
		ch_write(map, i, 'm');
		ch_write(a, i, 'a');
	}
	ch_write(b, 0, 'b');
	ch_punch(b, 1, 1);
	ch_resize(a, 2);
	ch_resize(a, 4);
	ch_punch(map, 0, 3);
	for (i = 0; i < 4; i++) {
		assert_ptr_equal(fx_page(frozen, i), page[i]);
		assert_int_equal(fx_folio_byte(page[i]), 'A' + i);
	}
	assert_int_equal(atomic_long_read(&frozen->resident), 4);
	ch_expect(map, "....");
	ch_expect(a, "aa..");
	ch_expect(b, "b.");
	ch_expect_snapshot(map, id, "ABCD");
	fx_put(b);
	fx_put(a);
	fx_put(map);
}

/* A pinned page stays with the live map; the frozen side gets a copy. */
static void test_pinned_stays_live(void **state)
{
	struct bsdvm_map *map = ch_map("ABCD");
	struct bsdvm_object *frozen = fx_object(map, 0);
	struct folio *pin = ch_pin(map, 2);
	u32 id = ch_snapshot(map);

	assert_int_equal(fx_count(snapshot_copies), 1);
	assert_ptr_not_equal(fx_object(map, 0), frozen);
	assert_ptr_equal(fx_page(fx_object(map, 0), 2), pin);
	assert_false(bsdvm_entry_needs_copy(fx_entry(map, 0)));
	/* The copy takes the page's place in the index. */
	assert_non_null(fx_page(frozen, 2));
	assert_ptr_not_equal(fx_page(frozen, 2), pin);
	assert_int_equal(fx_page(frozen, 2)->index, pin->index);
	/* What comes in through the pin is seen by the live map alone. */
	fx_folio_fill(pin, 'p');
	ch_expect(map, "ABpD");
	ch_expect_snapshot(map, id, "ABCD");
	folio_put(pin);
	ch_write(map, 2, 'q');
	assert_int_equal(fx_count(v_cow_faults), 0);
	ch_expect_snapshot(map, id, "ABCD");
	fx_put(map);
}

/* Again and again: each snapshot has what the pin showed at its moment. */
static void test_pinned_over_many(void **state)
{
	struct bsdvm_map *map = ch_map("AB");
	struct folio *pin = ch_pin(map, 0);
	u32 id[4];
	unsigned int i;

	for (i = 0; i < 4; i++) {
		fx_folio_fill(pin, 'a' + i);
		id[i] = ch_snapshot(map);
	}
	fx_folio_fill(pin, 'z');
	ch_expect(map, "zB");
	for (i = 0; i < 4; i++) {
		char expected[] = { 'a' + i, 'B', 0 };

		ch_expect_snapshot(map, id[i], expected);
	}
	assert_ptr_equal(fx_page(fx_object(map, 0), 0), pin);
	folio_put(pin);
	fx_put(map);
}

/* W-27, M-47: wired pages stay live: the map never has to allocate them. */
static void test_W27_wired_stays_live(void **state)
{
	struct bsdvm_map *map = ch_map("ABC");
	struct folio *page[3];
	unsigned int i;
	u32 id;

	ch_wire(map, 0, 2);
	for (i = 0; i < 3; i++)
		page[i] = fx_page(fx_object(map, 0), i);
	id = ch_snapshot(map);
	assert_int_equal(fx_count(snapshot_copies), 3);
	assert_int_equal(fx_count(live_wired), 3);
	twin_fail_nth(1);
	for (i = 0; i < 3; i++) {
		assert_ptr_equal(fx_page(fx_object(map, 0), i), page[i]);
		assert_int_equal(fx_held_fill(map, i, 'x'), BSDVM_SUCCESS);
	}
	assert_false(twin_fail_allocs_done());
	twin_fail_nth(0);
	ch_expect(map, "xxx");
	ch_expect_snapshot(map, id, "ABC");
	ch_unwire(map, 0, 2);
	fx_put(map);
}

static void do_snapshot(struct fx_thread *me)
{
	u32 id;

	me->status = bsdvm_map_snapshot(me->map, 0, &id);
	me->value = id;
}

/* FP-21: a page held for writing is waited for: it is written wholly before. */
static void test_FP21_waits_for_writers(void **state)
{
	struct bsdvm_map *map = ch_map("ABC");
	struct fx_thread thread = { .map = map };
	struct folio *page;

	fx_assert_status(bsdvm_fault_page(map, 1, BSDVM_PROT_WRITE, 0, &page),
			 BSDVM_SUCCESS);
	fx_spawn(&thread, do_snapshot);
	fx_await_sleep(&thread);
	fx_folio_fill(page, 'w');
	bsdvm_fault_page_done(page, BSDVM_PROT_WRITE);
	fx_join(&thread);
	fx_assert_status(thread.status, BSDVM_SUCCESS);
	ch_expect_snapshot(map, thread.value, "AwC");
	fx_put(map);
}

/* A page held for reading does not hold up; it stays live like a pin. */
static void test_readers_do_not_hold_up(void **state)
{
	struct bsdvm_map *map = ch_map("AB");
	struct folio *page;
	u32 id;

	fx_assert_status(bsdvm_fault_page(map, 0, BSDVM_PROT_READ, 0, &page),
			 BSDVM_SUCCESS);
	id = ch_snapshot(map);
	assert_int_equal(fx_folio_byte(page), 'A');
	ch_write(map, 0, 'x');
	bsdvm_fault_page_done(page, BSDVM_PROT_READ);
	ch_expect_snapshot(map, id, "AB");
	fx_put(map);
}

/*
 * A page whose mapping is gone, but is not flushed yet, has the mapping's
 * reference: to remove mappings there is to wait for the flush, which has to
 * come before any page is copied.
 */
static void test_I18_flush_awaited(void **state)
{
	struct bsdvm_map *map = ch_map("AB");
	struct folio *page = ch_pin(map, 1);
	unsigned int removes = fx_pmap_log.removes;

	assert_null(fx_mapped(map, 0, 1));
	ch_snapshot(map);
	assert_int_equal(fx_pmap_log.removes, removes + 1);
	assert_int_equal(fx_pmap_log.first, 1);
	assert_int_equal(fx_pmap_log.npages, 1);
	folio_put(page);
	fx_put(map);
}

/* A frozen entry costs nothing: no copy, no removal, no new object. */
static void test_frozen_already(void **state)
{
	struct bsdvm_map *map = ch_map("AB");
	unsigned int removes;
	u64 objects;

	ch_snapshot(map);
	removes = fx_pmap_log.removes;
	objects = fx_count(live_objects);
	ch_snapshot(map);
	ch_snapshot(map);
	assert_int_equal(fx_pmap_log.removes, removes);
	assert_int_equal(fx_count(live_objects), objects);
	assert_int_equal(fx_count(snapshot_copies), 0);
	fx_put(map);
}

/* Empty tops: a chain does not grow by snapshots between which nothing is. */
static void test_empty_tops(void **state)
{
	struct bsdvm_map *map = ch_map("AB");
	u32 id[6];
	unsigned int i;

	id[0] = ch_snapshot(map);
	ch_write(map, 0, 'x');
	for (i = 1; i < 6; i++) {
		fx_assert(bsdvm_entry_needs_copy(fx_entry(map, 0)) == (i > 1));
		id[i] = ch_snapshot(map);
		ch_expect(map, "xB");
	}
	assert_int_equal(ch_depth(map, 0), 2);
	ch_expect_snapshot(map, id[0], "AB");
	for (i = 1; i < 6; i++)
		ch_expect_snapshot(map, id[i], "xB");
	fx_put(map);
}

/* One whose window was narrowed is of use: it hides what was cut off. */
static void test_empty_top_with_a_narrow_window(void **state)
{
	struct bsdvm_map *map = ch_map("ABCD");
	u32 id[2];

	id[0] = ch_snapshot(map);
	ch_resize(map, 2);
	ch_resize(map, 4);
	ch_expect(map, "AB..");
	id[1] = ch_snapshot(map);
	ch_expect(map, "AB..");
	ch_expect_snapshot(map, id[0], "ABCD");
	ch_expect_snapshot(map, id[1], "AB..");
	fx_put(map);
}

/* A top pushed for a write that did not come is empty, too. */
static void test_empty_top_without_a_write(void **state)
{
	struct bsdvm_map *map = ch_map("AB");
	unsigned int i;
	u32 id;

	for (i = 0; i < 5; i++) {
		ch_snapshot(map);
		bsdvm_map_lock_always(map);
		fx_assert_status(bsdvm_entry_make_top(fx_entry(map, 0)),
				 BSDVM_SUCCESS);
		bsdvm_map_unlock(map);
		check_all(map);
	}
	id = ch_snapshot(map);
	assert_true(ch_depth(map, 0) <= 2);
	/* Nor do snapshots keep them. */
	assert_true(fx_count(live_objects) <= 2);
	ch_expect(map, "AB");
	ch_expect_snapshot(map, id, "AB");
	ch_write(map, 1, 'x');
	ch_expect_snapshot(map, id, "AB");
	fx_put(map);
}

static struct bsdvm_map *dropping_map;
static u32 dropping_id;

static void drop_now(void)
{
	fx_assert(bsdvm_snapshot_drop(dropping_map, dropping_id) ==
		  BSDVM_SUCCESS);
}

/* Not yet, but before the family is locked so many times more. */
static unsigned int drops_after;

static void drop_later(void)
{
	if (!drops_after--)
		drop_now();
	else
		ch_before_lock(&dropping_map->family->lock, drop_later);
}

/*
 * While a map with an empty top is being frozen, another thread drops the only
 * other holder of what is behind: those pages move into the top. The snapshot
 * must have them.
 */
static void test_collapse_into_an_empty_top(void **state)
{
	struct bsdvm_map *map = ch_map("ABC");
	struct bsdvm_map *opened;
	u32 id;

	dropping_map = map;
	dropping_id = ch_snapshot(map);
	bsdvm_map_lock_always(map);
	fx_assert_status(bsdvm_entry_make_top(fx_entry(map, 0)), BSDVM_SUCCESS);
	bsdvm_map_unlock(map);
	ch_before_lock(&map->family->lock, drop_now);
	fx_assert_status(bsdvm_map_snapshot(map, 0, &id), BSDVM_SUCCESS);
	assert_null(twin_lock_hook);
	ch_expect(map, "ABC");
	opened = ch_open(map, id);
	ch_expect(opened, "ABC");
	ch_write(map, 0, 'x');
	ch_write(opened, 1, 'y');
	ch_expect(map, "xBC");
	ch_expect(opened, "AyC");
	fx_put(opened);
	fx_put(map);
}

/*
 * Broken memory, which Linux holds, is not copied. It goes with the snapshot;
 * if it is wired, and must stay, there is no snapshot.
 */
static void test_broken_pages(void **state)
{
	struct bsdvm_map *map = ch_map("ABC"), *opened;
	struct folio *page = fx_page(fx_object(map, 0), 1), *wired;
	u32 id;

	ch_break(page);
	ch_wire(map, 2, 2);
	id = ch_snapshot(map);
	assert_int_equal(fx_count(snapshot_copies), 1);
	opened = ch_open(map, id);
	assert_int_equal(fx_held_byte(opened, 1), -1);
	assert_int_equal(fx_held_byte(map, 1), -1);
	assert_int_equal(fx_held_byte(map, 2), 'C');
	fx_put(opened);
	wired = ch_pin(map, 2);
	ch_break(wired);
	fx_assert_status(bsdvm_map_snapshot(map, 0, &id), BSDVM_MEMORY_BROKEN);
	check_all(map);
	folio_put_refs(wired, 2);
	folio_put(page);
	ch_unwire(map, 2, 2);
	fx_put(map);
}

/* No memory for the copies: all pages are back where they were. */
static void test_roll_back(void **state)
{
	struct bsdvm_map *map = ch_map("ABCD");
	struct bsdvm_object *top = fx_object(map, 0);
	struct folio *pin[3], *page[4];
	bsdvm_status_t status;
	unsigned long n;
	unsigned int i;
	u32 id;

	for (i = 0; i < 4; i++)
		page[i] = fx_page(top, i);
	for (i = 0; i < 3; i++)
		pin[i] = ch_pin(map, i);
	for (n = 1;; n++) {
		twin_fail_nth(n);
		status = bsdvm_map_snapshot(map, 0, &id);
		twin_fail_nth(0);
		check_all(map);
		if (status == BSDVM_SUCCESS)
			break;
		fx_assert_status(status, BSDVM_RESOURCE_SHORTAGE);
		if (fx_object(map, 0) != top)
			continue;	/* frozen, but not recorded: harmless */
		for (i = 0; i < 4; i++)
			assert_ptr_equal(fx_page(top, i), page[i]);
		assert_int_equal(fx_count(live_objects), 1);
		assert_int_equal(fx_count(live_pages), 4);
	}
	assert_true(n > 5);
	for (i = 0; i < 3; i++) {
		fx_folio_fill(pin[i], 'p');
		folio_put(pin[i]);
	}
	ch_expect(map, "pppD");
	ch_expect_snapshot(map, id, "ABCD");
	fx_put(map);
}

/*
 * I-14: a stored page that stays live leaves its stored copy behind, which must
 * not be taken for that of the page that stands in.
 */
static void test_I14_stored_page_stays_live(void **state)
{
	struct fx_chain c = fx_chain(1, 2, "A.");
	struct folio *pin;
	u32 id;

	fx_store(c.object[0], 0, 'A');
	pin = ch_pin(c.map, 0);
	bsdvm_page_set(pin, BSDVM_PAGE_SWAPPED);
	check_all(c.map);
	id = ch_snapshot(c.map);
	assert_ptr_equal(fx_page(fx_object(c.map, 0), 0), pin);
	assert_int_equal(bsdvm_page_state(pin) & BSDVM_PAGE_SWAPPED, 0);
	fx_folio_fill(pin, 'p');
	folio_put(pin);
	ch_expect(c.map, "p.");
	ch_expect_snapshot(c.map, id, "A.");
	fx_put(c.map);
}

/* Clipped entries on one object: each is frozen for itself. */
static void test_shared_object(void **state)
{
	struct bsdvm_map *map = ch_map("ABCDEF"), *part;
	u32 id;

	ch_wire(map, 3, 5);
	part = ch_shadow(map, 0, 2);
	ch_write(map, 0, 'x');
	ch_write(map, 4, 'y');
	ch_expect(part, "AB");
	id = ch_snapshot(map);
	ch_write(map, 1, 'z');
	ch_write(map, 5, 'w');
	ch_expect_snapshot(map, id, "xBCDyF");
	ch_expect(map, "xzCDyw");
	ch_expect(part, "AB");
	ch_unwire(map, 3, 5);
	fx_put(part);
	ch_expect(map, "xzCDyw");
	fx_put(map);
}

/*
 * Two entries whose chains meet. Freezing the first leaves its pages live, in
 * front of the object where they meet; freezing the second passes that object
 * over. It must not be collapsed into the live one before the snapshot has it.
 */
static void test_frozen_behind_live_is_kept(void **state)
{
	struct bsdvm_map *map = ch_map("ABC"), *part;
	u32 id;

	ch_wire(map, 0, 0);
	part = ch_shadow(map, 1, 2);
	fx_put(part);
	ch_write(map, 1, 'x');
	ch_write(map, 2, 'y');
	id = ch_snapshot(map);
	ch_expect_snapshot(map, id, "Axy");
	ch_expect(map, "Axy");
	ch_write(map, 0, 'z');
	ch_expect_snapshot(map, id, "Axy");
	ch_unwire(map, 0, 0);
	fx_put(map);
}

/* The same from outside: a snapshot that is dropped between two entries. */
static void test_frozen_behind_live_is_kept_from_others(void **state)
{
	struct bsdvm_map *map = ch_map("ABC"), *part;
	u32 id;

	ch_wire(map, 0, 0);
	part = ch_shadow(map, 1, 2);
	dropping_map = part;
	dropping_id = ch_snapshot(part);
	ch_write(map, 1, 'x');
	ch_write(map, 2, 'y');
	ch_resize(part, 0);
	drops_after = 2;
	ch_before_lock(&map->family->lock, drop_later);
	id = ch_snapshot(map);
	ch_expect_snapshot(map, id, "Axy");
	ch_expect(map, "Axy");
	ch_unwire(map, 0, 0);
	fx_put(part);
	fx_put(map);
}

/* Tombstones freeze like pages. */
static void test_tombstones(void **state)
{
	struct bsdvm_map *map = ch_map("ABCD");
	u32 id;

	ch_snapshot(map);
	ch_punch(map, 1, 2);
	ch_expect(map, "A..D");
	id = ch_snapshot(map);
	ch_write(map, 1, 'x');
	ch_expect(map, "Ax.D");
	ch_expect_snapshot(map, id, "A..D");
	fx_put(map);
}

/* M-45, O-29: a freeze shortens what it can. */
static void test_M45_freeze_collapses(void **state)
{
	struct fx_chain c = fx_chain(3, 3, "a../.b./..c");
	u32 id = ch_snapshot(c.map);

	assert_int_equal(ch_depth(c.map, 0), 1);
	assert_int_equal(fx_count(object_collapses), 2);
	ch_expect(c.map, "abc");
	ch_expect_snapshot(c.map, id, "abc");
	fx_put(c.map);
}

/* The read side is left now and then; no page is passed over by that. */
static void test_more_than_a_batch(void **state)
{
	const bsdvm_pindex_t size = 2100;
	struct bsdvm_map *map = fx_map(size);
	struct folio *pin;
	bsdvm_pindex_t i;
	u32 id;

	for (i = 0; i < size; i++)
		fx_assert_status(fx_held_fill(map, i, 1 + i % 200),
				 BSDVM_SUCCESS);
	pin = ch_pin(map, 2099);
	id = ch_snapshot(map);
	assert_int_equal(fx_count(snapshot_copies), 1);
	fx_folio_fill(pin, 'p');
	folio_put(pin);
	assert_int_equal(ch_peek(map, 2099), 'p');
	ch_resize(map, 1);
	ch_drop(map, id);
	fx_put(map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FX_TEST(test_I9_I18_mappings_go),
		FX_TEST(test_many_pages),
		FX_TEST(test_mappings_behind_stay),
		FX_TEST(test_frozen_never_changes),
		FX_TEST(test_pinned_stays_live),
		FX_TEST(test_pinned_over_many),
		FX_TEST(test_W27_wired_stays_live),
		FX_TEST(test_FP21_waits_for_writers),
		FX_TEST(test_readers_do_not_hold_up),
		FX_TEST(test_I18_flush_awaited),
		FX_TEST(test_frozen_already),
		FX_TEST(test_empty_tops),
		FX_TEST(test_empty_top_with_a_narrow_window),
		FX_TEST(test_empty_top_without_a_write),
		FX_TEST(test_collapse_into_an_empty_top),
		FX_TEST(test_broken_pages),
		FX_TEST(test_roll_back),
		FX_TEST(test_I14_stored_page_stays_live),
		FX_TEST(test_shared_object),
		FX_TEST(test_frozen_behind_live_is_kept),
		FX_TEST(test_frozen_behind_live_is_kept_from_others),
		FX_TEST(test_tombstones),
		FX_TEST(test_M45_freeze_collapses),
		FX_TEST(test_more_than_a_batch),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("freeze", tests, NULL, NULL);
}
