// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* vmcore/collapse.c: keeping chains short. O-17 to O-29. */
#include "chain.h"

static void collapse(struct bsdvm_object *front)
{
	struct bsdvm_family *family = front->family;

	bsdvm_family_lock(family);
	bsdvm_object_collapse(front);
	bsdvm_family_unlock(family);
}

/* O-19, O-21, O-23, O-24, C-9: the chain gets shorter, all bytes stay. */
static void test_O19_O21_O23_O24_collapse(void **state)
{
	struct fx_chain c = fx_chain(3, 6, "a..0../ABC.E./VWXYZF");
	struct folio *b = fx_page(c.object[1], 1);

	ch_expect(c.map, "aBC.EF");
	fx_ref(c.object[2]);	/* the last stays apart */
	collapse(c.object[0]);
	assert_int_equal(fx_count(object_collapses), 1);
	assert_int_equal(fx_count(object_bypasses), 0);
	assert_int_equal(ch_depth(c.map, 0), 2);
	assert_ptr_equal(c.object[0]->backing_object, c.object[2]);
	assert_int_equal(c.object[2]->ref_count, 2);
	assert_int_equal(c.object[2]->shadow_count, 1);
	assert_int_equal(fx_count(live_objects), 2);
	/* Renamed: the page itself, dirty now; what was hidden is freed. */
	assert_ptr_equal(fx_page(c.object[0], 1), b);
	assert_true(bsdvm_page_state(b) & BSDVM_PAGE_DIRTY);
	assert_int_equal(atomic_long_read(&c.object[0]->resident), 4);
	assert_int_equal(fx_count(live_pages), 10);
	ch_expect(c.map, "aBC.EF");
	fx_unref(c.object[2]);
	fx_put(c.map);
}

/* O-23, O-28: on and on, until there is nothing behind. */
static void test_O23_whole_chain(void **state)
{
	struct fx_chain c = fx_chain(6, 6, "a...../.b..../..c.../...d../....e./.....f");

	collapse(c.object[0]);
	assert_int_equal(ch_depth(c.map, 0), 1);
	assert_int_equal(fx_count(object_collapses), 5);
	assert_int_equal(fx_count(live_objects), 1);
	ch_expect(c.map, "abcdef");
	fx_put(c.map);
}

/* O-21, I-9: mappings of pages that move stay, and no page is copied. */
static void test_O21_mappings_stay(void **state)
{
	struct fx_chain c = fx_chain(2, 3, "a../ABC");

	assert_int_equal(fx_load(c.map, 0, 1), 'B');
	collapse(c.object[0]);
	assert_int_equal(fx_pmap_log.removes, 0);
	assert_int_equal(fx_mapped_byte(c.map, 0, 1), 'B');
	assert_int_equal(fx_mapped_prot(c.map, 0, 1) & BSDVM_PROT_WRITE, 0);
	check_all(c.map);
	assert_int_equal(fx_store_byte(c.map, 0, 1, 'x'), BSDVM_SUCCESS);
	ch_expect(c.map, "axC");
	fx_put(c.map);
}

/* O-17: another's store, or a different one, is left alone. */
static void test_O17_not_ours(void **state)
{
	static const struct bsdvm_pager_ops other;
	struct fx_chain c = fx_chain(2, 2, "a./AB");

	c.object[1]->handle = c.map;
	collapse(c.object[0]);
	assert_int_equal(ch_depth(c.map, 0), 2);
	c.object[1]->handle = NULL;
	c.object[0]->handle = c.map;
	collapse(c.object[0]);
	assert_int_equal(ch_depth(c.map, 0), 2);
	c.object[0]->handle = NULL;
	c.object[0]->pager = &fx_pager;
	c.object[1]->pager = &other;
	collapse(c.object[0]);
	assert_int_equal(ch_depth(c.map, 0), 2);
	c.object[0]->pager = NULL;
	c.object[1]->pager = NULL;
	collapse(c.object[0]);
	assert_int_equal(ch_depth(c.map, 0), 1);
	ch_expect(c.map, "aB");
	fx_put(c.map);
}

/* O-18, I-13: not while there is paging in progress on either. */
static void test_O18_paging_in_progress(void **state)
{
	struct fx_chain c = fx_chain(2, 2, "a./AB");
	unsigned int i;

	for (i = 0; i < 2; i++) {
		assert_true(bsdvm_object_pip_add(c.object[i]));
		collapse(c.object[0]);
		assert_int_equal(ch_depth(c.map, 0), 2);
		assert_false(test_bit(BSDVM_OBJECT_COLLAPSING,
				      &c.object[1]->flags));
		bsdvm_object_pip_done(c.object[i]);
		ch_expect(c.map, "aB");
	}
	collapse(c.object[0]);
	assert_int_equal(ch_depth(c.map, 0), 1);
	fx_put(c.map);
}

static void do_collapse(struct fx_thread *me)
{
	collapse(me->object);
}

/* O-20: a busy slot of the front is waited for; what comes there wins. */
static void test_O20_busy_in_front(void **state)
{
	struct fx_chain c = fx_chain(2, 3, "a../ABC");
	struct fx_thread thread = { .object = c.object[0] };
	struct folio *page;

	fx_assert_status(bsdvm_busy_claim(c.object[0], 1, NULL), BSDVM_SUCCESS);
	fx_spawn(&thread, do_collapse);
	fx_await_sleep(&thread);
	assert_true(test_bit(BSDVM_OBJECT_COLLAPSING, &c.object[1]->flags));
	page = bsdvm_page_alloc(c.object[0], true);
	fx_folio_fill(page, 'n');
	bsdvm_page_bind(page, 1, BSDVM_PAGE_FRESH);
	folio_unlock(page);
	atomic_long_inc(&c.object[0]->resident);
	bsdvm_busy_release(c.object[0], 1, page);
	fx_join(&thread);
	assert_int_equal(ch_depth(c.map, 0), 1);
	assert_int_equal(fx_count(live_pages), 3);
	ch_expect(c.map, "anC");
	fx_put(c.map);
}

/* O-20: the filler gives up: the page from behind comes after all. */
static void test_O20_busy_given_up(void **state)
{
	struct fx_chain c = fx_chain(2, 3, "a../ABC");
	struct fx_thread thread = { .object = c.object[0] };

	fx_assert_status(bsdvm_busy_claim(c.object[0], 1, NULL), BSDVM_SUCCESS);
	fx_spawn(&thread, do_collapse);
	fx_await_sleep(&thread);
	bsdvm_busy_release(c.object[0], 1, NULL);
	fx_join(&thread);
	ch_expect(c.map, "aBC");
	fx_put(c.map);
}

/* F-35, D-21, O-20: a fault that misses in a collapsing object waits. */
static void test_F35_fault_meets_collapse(void **state)
{
	struct fx_chain c = fx_chain(2, 3, "a../ABC");
	struct fx_thread mover = { .object = c.object[0] };
	struct fx_thread reader = { .map = c.map, .pindex = 0, .access = BSDVM_PROT_READ };
	unsigned int i;

	/* The collapse has moved page 0 to 1 and waits for the last slot. */
	fx_assert_status(bsdvm_busy_claim(c.object[0], 2, NULL), BSDVM_SUCCESS);
	fx_spawn(&mover, do_collapse);
	fx_await_sleep(&mover);
	assert_ptr_equal(fx_slot(c.object[1], 1), NULL);
	/* A page that has moved is found at its new place. */
	assert_int_equal(fx_held_byte(c.map, 1), 'B');
	/* One that cannot be decided now sleeps. */
	bsdvm_page_free(xa_erase(&c.object[0]->slots, 0));
	atomic_long_dec(&c.object[0]->resident);
	fx_spawn(&reader, fx_do_held);
	fx_await_sleep(&reader);
	for (i = 0; i < 3; i++) {
		assert_false(reader.done);
		usleep(100);
	}
	bsdvm_busy_release(c.object[0], 2, NULL);
	fx_join(&mover);
	fx_join(&reader);
	fx_assert_status(reader.status, BSDVM_SUCCESS);
	assert_int_equal(reader.value, 0);
	ch_expect(c.map, ".BC");
	fx_put(c.map);
}

/* F-35: the collapsing object keeps pagers away meanwhile. */
static void test_F35_pager_kept_away(void **state)
{
	struct fx_chain c = fx_chain(2, 2, "../..");

	set_bit(BSDVM_OBJECT_COLLAPSING, &c.object[1]->flags);
	assert_false(bsdvm_object_pip_add(c.object[1]));
	assert_int_equal(atomic_read(&c.object[1]->pip), 0);
	clear_bit(BSDVM_OBJECT_COLLAPSING, &c.object[1]->flags);
	fx_put(c.map);
}

/* O-21: outside the window: unmapped everywhere and freed. */
static void test_O21_outside_the_window(void **state)
{
	struct bsdvm_map *map = ch_map("ABCDEF"), *part;
	struct bsdvm_object *back = fx_object(map, 0);

	part = ch_shadow(map, 1, 3);
	ch_write(part, 0, 'x');
	assert_int_equal(back->ref_count, 2);
	fx_put(map);
	assert_int_equal(ch_depth(part, 0), 1);
	assert_int_equal(fx_count(live_pages), 3);
	ch_expect(part, "xCD");
	fx_put(part);
}

/* O-21, I-14: a page leaves its stored copy behind; no block stays allocated. */
static void test_O21_stored_copy_forgotten(void **state)
{
	struct fx_chain c = fx_chain(2, 2, "../A.");
	struct folio *page = fx_page(c.object[1], 0);

	fx_store(c.object[1], 0, 'A');
	bsdvm_page_set(page, BSDVM_PAGE_SWAPPED);
	check_all(c.map);
	collapse(c.object[0]);
	assert_null(fx_stored(c.object[0], 0));
	assert_int_equal(bsdvm_page_state(page) & BSDVM_PAGE_SWAPPED, 0);
	ch_expect(c.map, "A.");
	fx_put(c.map);
}

/* O-21: what the front has in store wins over a page behind. */
static void test_O21_front_store_wins(void **state)
{
	struct fx_chain c = fx_chain(2, 2, "../AB");

	fx_store(c.object[0], 0, 's');
	collapse(c.object[0]);
	assert_int_equal(ch_depth(c.map, 0), 1);
	ch_expect(c.map, "sB");
	fx_put(c.map);
}

/* O-22, D-37: stored pages move, but not in front of a page or a tombstone. */
static void test_O22_stored_pages_move(void **state)
{
	struct fx_chain c = fx_chain(2, 4, "a.0./....");
	unsigned int i;

	for (i = 0; i < 4; i++)
		fx_store(c.object[1], i, 'P' + i);
	collapse(c.object[0]);
	assert_int_equal(ch_depth(c.map, 0), 1);
	assert_int_equal(fx_pager_log.collapses, 1);
	assert_ptr_equal(c.object[0]->pager, &fx_pager);
	assert_null(fx_stored(c.object[0], 0));
	assert_null(fx_stored(c.object[0], 2));
	ch_expect(c.map, "aQ.S");
	fx_put(c.map);
}

/* O-21: tombstones move with the pages as long as something is behind them. */
static void test_tombstones_collapse(void **state)
{
	struct fx_chain c = fx_chain(3, 5, "a..../.00b./WXYZV");

	fx_ref(c.object[2]);
	collapse(c.object[0]);
	assert_int_equal(ch_depth(c.map, 0), 2);
	assert_ptr_equal(fx_slot(c.object[0], 1), BSDVM_SLOT_ZERO);
	assert_int_equal(atomic_long_read(&c.object[0]->resident), 2);
	ch_expect(c.map, "a..bV");
	fx_unref(c.object[2]);
	fx_put(c.map);
}

/* ... and vanish when nothing is. */
static void test_tombstones_vanish(void **state)
{
	struct fx_chain c = fx_chain(2, 4, "a.../.00b");

	collapse(c.object[0]);
	assert_null(fx_slot(c.object[0], 1));
	ch_expect(c.map, "a..b");
	fx_put(c.map);
}

/* A tombstone in front hides the page behind for good. */
static void test_tombstone_in_front(void **state)
{
	struct fx_chain c = fx_chain(2, 3, "0.c/ABC");

	collapse(c.object[0]);
	assert_int_equal(fx_count(live_pages), 2);
	ch_expect(c.map, ".Bc");
	fx_put(c.map);
}

/*
 * O-24 with windows: the new window shows what could be seen through both, no
 * more. Objects of 8 pages; the middle one begins at 2 of the last and ends
 * after 4, the front begins at 1 of the middle and ends after 5.
 */
static void windows(unsigned int middle_end, unsigned int front_end,
		    const char *expected)
{
	struct fx_chain c = fx_chain(3, 8, "......../......../ABCDEFGH");

	bsdvm_family_lock(c.map->family);
	bsdvm_object_detach(c.object[0]);
	bsdvm_object_attach(c.object[0], c.object[1], 1, front_end);
	bsdvm_object_detach(c.object[1]);
	bsdvm_object_attach(c.object[1], c.object[2], 2, middle_end);
	bsdvm_family_unlock(c.map->family);
	fx_ref(c.object[2]);
	ch_expect(c.map, expected);
	collapse(c.object[0]);
	ch_expect(c.map, expected);
	if (c.object[0]->backing_object) {
		assert_ptr_equal(c.object[0]->backing_object, c.object[2]);
		assert_int_equal(c.object[0]->backing_offset, 3);
	}
	fx_unref(c.object[2]);
	ch_expect(c.map, expected);
	fx_put(c.map);
}

static void test_O24_windows(void **state)
{
	windows(4, 5, "DEF.....");
	windows(6, 2, "DE......");
	windows(2, 8, "D.......");
	windows(1, 8, "........");
	windows(6, 5, "DEFGH...");
}

/* O-25, O-27, C-9: all is covered: the chain goes round it; others keep it. */
static void test_O25_O27_bypass(void **state)
{
	struct fx_chain c = fx_chain(3, 4, "ab0./ABC./.X.Z");
	struct bsdvm_object *middle = c.object[1];

	fx_ref(middle);
	fx_ref(c.object[2]);
	collapse(c.object[0]);
	assert_int_equal(fx_count(object_bypasses), 1);
	assert_int_equal(fx_count(object_collapses), 0);
	assert_ptr_equal(c.object[0]->backing_object, c.object[2]);
	assert_int_equal(middle->ref_count, 1);
	assert_int_equal(middle->shadow_count, 0);
	assert_int_equal(c.object[2]->shadow_count, 2);
	assert_int_equal(c.object[2]->ref_count, 3);
	ch_expect(c.map, "ab.Z");
	fx_unref(middle);
	fx_unref(c.object[2]);
	ch_expect(c.map, "ab.Z");
	fx_put(c.map);
}

/* O-27: nothing behind what is passed over: the front becomes terminal. */
static void test_O27_terminal(void **state)
{
	struct fx_chain c = fx_chain(2, 2, "ab/AB");

	fx_ref(c.object[1]);
	collapse(c.object[0]);
	assert_null(c.object[0]->backing_object);
	assert_int_equal(c.object[0]->backing_end, 0);
	fx_unref(c.object[1]);
	ch_expect(c.map, "ab");
	fx_put(c.map);
}

/* O-26, O-28: not while anything shows, is busy, stored or hidden by a hole. */
static void bypass_refused(const char *pages, void (*change)(struct fx_chain *))
{
	struct fx_chain c = fx_chain(2, 3, pages);

	fx_ref(c.object[1]);
	if (change)
		change(&c);
	collapse(c.object[0]);
	assert_int_equal(fx_count(object_bypasses), 0);
	assert_ptr_equal(c.object[0]->backing_object, c.object[1]);
	if (change) {
		xa_erase(&c.object[0]->slots, 2);
		xa_erase(&c.object[1]->slots, 2);
	}
	fx_unref(c.object[1]);
	fx_put(c.map);
}

static void busy_behind(struct fx_chain *c)
{
	xa_store(&c->object[0]->slots, 2, BSDVM_SLOT_ZERO, GFP_KERNEL);
	xa_store(&c->object[1]->slots, 2, BSDVM_SLOT_BUSY, GFP_KERNEL);
}

static void busy_in_front(struct fx_chain *c)
{
	xa_store(&c->object[0]->slots, 2, BSDVM_SLOT_BUSY, GFP_KERNEL);
	xa_store(&c->object[1]->slots, 2, BSDVM_SLOT_ZERO, GFP_KERNEL);
}

static void stored_behind(struct fx_chain *c)
{
	fx_store(c->object[1], 2, 'S');
}

/* Who drops a snapshot, and then writes to the map it leaves alone. */
static struct bsdvm_map *drop_family;
static u32 drop_id;
static struct fx_thread dropper;

static void do_drop_and_store(struct fx_thread *me)
{
	fx_assert(bsdvm_snapshot_drop(drop_family, drop_id) == BSDVM_SUCCESS);
	me->status = fx_store_byte(me->map, 0, me->pindex, me->value);
}

/* Give it the time that it takes, unless it has to wait for us. */
static void drop_meanwhile(struct bsdvm_map *map, bsdvm_pindex_t first,
			   bsdvm_pindex_t npages)
{
	unsigned int ms;

	fx_remove_hook = NULL;
	fx_spawn(&dropper, do_drop_and_store);
	for (ms = 0; ms < 50 && !READ_ONCE(dropper.done); ms++)
		usleep(1000);
	/* Still mapped is what is being copied: not written, and not freed. */
	fx_assert(fx_mapped_byte(map, 0, 0) == 'A');
	fx_assert(fx_mapped(map, 0, 0)->mapping);
}

/*
 * A page just copied covers the one behind it, which is still mapped. Passing
 * over the backing object then might leave it to a sole user: to the map, or to
 * the object that the map has written to (@written).
 */
static void bypass_under_a_copy(bool written)
{
	struct bsdvm_map *map = ch_map("AB");
	u32 id = ch_snapshot(map);
	struct bsdvm_map *branch = ch_open(map, id);

	if (written)
		ch_write(map, 1, 'v');
	ch_drop(map, id);
	ch_write(branch, 1, 'x');
	drop_family = branch;
	drop_id = ch_snapshot(branch);
	ch_write(branch, 1, 'y');
	assert_int_equal(fx_load(branch, 0, 0), 'A');
	dropper = (struct fx_thread){ .map = map, .value = 'w' };
	fx_remove_hook = drop_meanwhile;
	fx_assert_status(fx_store_byte(branch, 0, 0, 'z'), BSDVM_SUCCESS);
	fx_join(&dropper);
	fx_assert_status(dropper.status, BSDVM_SUCCESS);
	assert_int_equal(fx_count(object_bypasses), 1);
	ch_expect(branch, "zy");
	ch_expect(map, written ? "wv" : "wB");
	fx_put(branch);
	fx_put(map);
}

/* O-27, I-18: a sole user writes in place. */
static void test_O27_copy_under_way(void **state)
{
	bypass_under_a_copy(false);
}

/* O-27, I-6: the only shadow takes over what is behind, and frees the rest. */
static void test_O27_taken_over_under_a_copy(void **state)
{
	bypass_under_a_copy(true);
}

static void test_O26_O28_bypass_refused(void **state)
{
	bypass_refused("ab./A.C", NULL);
	bypass_refused("ab./AB0", NULL);
	bypass_refused("ab./AB.", busy_behind);
	bypass_refused("ab./AB.", busy_in_front);
	bypass_refused("ab./AB.", stored_behind);
}

/* O-25: a page outside the window does not matter; a stored one in front does. */
static void test_O25_covered(void **state)
{
	struct fx_chain c = fx_chain(2, 4, "a.../AB.D");

	fx_ref(c.object[1]);
	bsdvm_family_lock(c.map->family);
	bsdvm_object_clip_backing(c.object[0], 3);
	bsdvm_family_unlock(c.map->family);
	fx_store(c.object[0], 1, 's');
	collapse(c.object[0]);
	assert_int_equal(fx_count(object_bypasses), 1);
	fx_unref(c.object[1]);
	ch_expect(c.map, "as..");
	fx_put(c.map);
}

/* O-7, O-27: passed over, it is left with one shadow, which takes it over. */
static void test_O27_sibling(void **state)
{
	struct bsdvm_map *map = ch_map("AB"), *other;
	u32 id = ch_snapshot(map);

	other = ch_open(map, id);
	ch_drop(map, id);
	ch_write(other, 0, 'x');
	ch_write(map, 0, 'a');
	ch_write(map, 1, 'b');
	assert_int_equal(ch_depth(other, 0), 2);
	/* A snapshot looks for what it can shorten: M-45. */
	id = ch_snapshot(map);
	assert_int_equal(fx_count(object_bypasses), 1);
	assert_int_equal(fx_count(object_collapses), 1);
	assert_int_equal(ch_depth(map, 0), 1);
	assert_int_equal(ch_depth(other, 0), 1);
	ch_expect(map, "ab");
	ch_expect(other, "xB");
	fx_put(other);
	fx_put(map);
}

/* O-7: a dropped snapshot leaves one shadow behind: it takes over. */
static void test_O7_drop(void **state)
{
	struct bsdvm_map *map = ch_map("ABC");
	u32 id = ch_snapshot(map);

	ch_write(map, 0, 'x');
	assert_int_equal(ch_depth(map, 0), 2);
	ch_drop(map, id);
	assert_int_equal(ch_depth(map, 0), 1);
	assert_int_equal(fx_count(live_pages), 3);
	ch_expect(map, "xBC");
	fx_put(map);
}

/* O-29: a fault never collapses, whatever there is to gain. */
static void test_O29_not_from_faults(void **state)
{
	struct fx_chain c = fx_chain(3, 3, "a../.B./..C");
	unsigned int i;

	for (i = 0; i < 3; i++) {
		fx_assert_status(fx_store_byte(c.map, 0, i, 'x'),
				 BSDVM_SUCCESS);
		assert_int_equal(fx_held_byte(c.map, i), 'x');
	}
	assert_int_equal(fx_count(object_collapses), 0);
	assert_int_equal(fx_count(object_bypasses), 0);
	assert_int_equal(ch_depth(c.map, 0), 3);
	fx_put(c.map);
}

/* Memory for the moves runs out: nothing is lost, and it works next time. */
static void test_no_memory(void **state)
{
	struct fx_chain c = fx_chain(2, 4, "..../ABCD");
	unsigned long n, tries = 0;

	for (n = 1; ch_depth(c.map, 0) == 2; n++) {
		twin_fail_nth(n);
		collapse(c.object[0]);
		twin_fail_nth(0);
		if (ch_depth(c.map, 0) == 2)
			assert_false(test_bit(BSDVM_OBJECT_COLLAPSING,
					      &c.object[1]->flags));
		ch_expect(c.map, "ABCD");
		tries++;
	}
	assert_true(tries > 1);
	fx_put(c.map);
}

/* The same for the copy of a page in somebody's hands. */
static void test_no_memory_for_a_copy(void **state)
{
	struct fx_chain c = fx_chain(2, 2, "../AB");
	struct folio *page = fx_page(c.object[1], 1);
	unsigned long n;

	folio_get(page);
	/* For the copy itself, then for the slot that it is to lie in. */
	for (n = 1; n <= 2; n++) {
		twin_fail_from(n);
		collapse(c.object[0]);
		twin_fail_nth(0);
		assert_int_equal(ch_depth(c.map, 0), 2);
		assert_ptr_equal(fx_page(c.object[1], 1), page);
		assert_int_equal(fx_count(live_pages), 2);
	}
	ch_expect(c.map, "AB");
	collapse(c.object[0]);
	assert_int_equal(ch_depth(c.map, 0), 1);
	assert_ptr_not_equal(fx_page(c.object[0], 1), page);
	ch_expect(c.map, "AB");
	folio_put(page);
	fx_put(c.map);
}

/* I-6: should a page that goes still be mapped, it is not afterwards. */
static void test_I6_drop_unmaps(void **state)
{
	struct fx_chain c = fx_chain(2, 3, "a../ABC");

	fx_map_page(c.map, 0, 0, fx_page(c.object[1], 0), BSDVM_PROT_READ);
	collapse(c.object[0]);
	assert_null(fx_mapped(c.map, 0, 0));
	assert_int_equal(fx_count(live_pages), 3);
	ch_expect(c.map, "aBC");
	fx_put(c.map);
}

/*
 * A collapse that gives up has moved pages all the same: a walk that looked
 * into the front before and behind it afterwards must not see a hole.
 * has_page of the front is asked between the two looks.
 */
static struct fx_chain aborted;
static pthread_t walker;
static bool between;

static void collapse_some(struct fx_thread *me)
{
	twin_fail_nth(2);
	collapse(me->object);
	fx_assert(twin_fail_allocs_done());
}

static void between_the_looks(struct bsdvm_object *object,
			      bsdvm_pindex_t pindex)
{
	struct fx_thread mover = { .object = aborted.object[0] };

	if (between || !pthread_equal(pthread_self(), walker))
		return;
	between = true;
	fx_spawn(&mover, collapse_some);
	fx_join(&mover);
}

static void test_F35_abort_under_a_walk(void **state)
{
	struct bsdvm_cursor cursor;
	enum bsdvm_found found;

	aborted = fx_chain(2, 200, NULL);
	fx_add_page(aborted.object[1], 1, 'B', BSDVM_PAGE_FRESH);
	fx_add_page(aborted.object[1], 150, 'C', BSDVM_PAGE_FRESH);
	aborted.object[0]->pager = &fx_pager;
	walker = pthread_self();
	between = false;
	fx_has_page_hook = between_the_looks;
	cursor = (struct bsdvm_cursor){
		.object = aborted.object[0], .pindex = 1,
	};
	rcu_read_lock();
	found = bsdvm_resolve(&cursor);
	rcu_read_unlock();
	fx_has_page_hook = NULL;
	assert_true(between);
	assert_int_equal(ch_depth(aborted.map, 0), 2);
	assert_non_null(fx_page(aborted.object[0], 1));
	assert_int_not_equal(found, BSDVM_FOUND_HOLE);
	assert_int_equal(ch_peek(aborted.map, 1), 'B');
	assert_int_equal(ch_peek(aborted.map, 150), 'C');
	fx_put(aborted.map);
}

/*
 * P-12: who holds a page of an object that goes keeps its bytes, whatever is
 * written to the front afterwards; so does the wiring, of what is there then.
 */
static void test_P12_held_page_is_copied(void **state)
{
	struct fx_chain c = fx_chain(2, 3, "a../ABC");
	struct folio *page = fx_page(c.object[1], 1);

	fx_map_page(c.map, 0, 1, page, BSDVM_PROT_READ);
	bsdvm_page_wire(page);
	folio_get(page);
	collapse(c.object[0]);
	assert_int_equal(ch_depth(c.map, 0), 1);
	assert_ptr_not_equal(fx_page(c.object[0], 1), page);
	assert_null(fx_mapped(c.map, 0, 1));
	assert_int_equal(folio_ref_count(page), 1);
	assert_int_equal(bsdvm_page_wire_count(fx_page(c.object[0], 1)), 1);
	assert_int_equal(fx_count(live_pages), 3);
	ch_expect(c.map, "aBC");
	ch_write(c.map, 1, 'x');
	assert_int_equal(fx_folio_byte(page), 'B');
	folio_put(page);
	bsdvm_page_unwire(fx_page(c.object[0], 1));
	fx_put(c.map);
}

/* Broken memory, which Linux holds, is not copied: it moves, or goes. */
static void test_broken_pages_move(void **state)
{
	struct fx_chain c = fx_chain(2, 3, "a../ABC");
	struct folio *moved = fx_page(c.object[1], 1);
	struct folio *gone = fx_page(c.object[1], 0);

	ch_break(gone);
	ch_break(moved);
	collapse(c.object[0]);
	assert_int_equal(ch_depth(c.map, 0), 1);
	assert_ptr_equal(fx_page(c.object[0], 1), moved);
	assert_int_equal(folio_ref_count(gone), 1);
	assert_int_equal(fx_held_byte(c.map, 1), -1);
	assert_int_equal(fx_held_byte(c.map, 2), 'C');
	folio_put(gone);
	folio_put(moved);
	fx_put(c.map);
}

/* N-10: a wired page may move, and stays wired. */
static void test_wired_page_moves(void **state)
{
	struct fx_chain c = fx_chain(2, 2, "../A.");
	struct folio *page = fx_page(c.object[1], 0);

	bsdvm_page_wire(page);
	collapse(c.object[0]);
	assert_ptr_equal(fx_page(c.object[0], 0), page);
	assert_int_equal(bsdvm_page_wire_count(page), 1);
	bsdvm_page_unwire(page);
	fx_put(c.map);
}

/*
 * A chain is re-linked in one piece: a walk that begins at any moment must find
 * the page at the end of the chain, whatever is collapsed or bypassed in
 * between. (A walk that sees no link takes that for the end of the chain.)
 */
static void do_resolve(struct fx_thread *me)
{
	struct bsdvm_object *front = me->object;

	while (!READ_ONCE(me->done)) {
		struct bsdvm_cursor cursor = { .object = front };
		enum bsdvm_found found;

		rcu_read_lock();
		found = bsdvm_resolve(&cursor);
		rcu_read_unlock();
		fx_assert(found == BSDVM_FOUND_PAGE ||
			  found == BSDVM_FOUND_AGAIN);
	}
	WRITE_ONCE(me->done, false);
}

/* O-23: however often the links change, the page is found. */
static void test_relink_in_one_piece(void **state)
{
	struct fx_chain c = fx_chain(2, 2, "../A.");
	struct bsdvm_family *family = c.map->family;
	struct fx_thread thread = { .object = c.object[0] };
	struct bsdvm_object *front = c.object[0], *back = c.object[1], *middle;
	unsigned int i;

	fx_ref(back);
	fx_spawn(&thread, do_resolve);
	for (i = 0; i < 20000; i++) {
		middle = bsdvm_object_alloc(family, 2);
		bsdvm_family_lock(family);
		bsdvm_object_reference(back);
		bsdvm_object_attach(middle, back, 0, 2);
		/* A link by hand, in one piece. */
		bsdvm_family_relink_begin(family);
		list_move_tail(&front->shadow_link, &middle->shadows);
		WRITE_ONCE(front->backing_object, middle);
		bsdvm_family_relink_end(family);
		back->shadow_count--;
		back->ref_count--;
		middle->shadow_count++;
		/* Every other time a bypass. */
		if (i % 2)
			bsdvm_object_reference(middle);
		bsdvm_object_collapse(front);
		if (i % 2)
			bsdvm_object_deallocate(middle);
		bsdvm_family_unlock(family);
	}
	WRITE_ONCE(thread.done, true);
	fx_join(&thread);
	assert_int_equal(fx_count(object_collapses), 10000);
	assert_int_equal(fx_count(object_bypasses), 10000);
	fx_unref(back);
	fx_put(c.map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FX_TEST(test_O19_O21_O23_O24_collapse),
		FX_TEST(test_O23_whole_chain),
		FX_TEST(test_O21_mappings_stay),
		FX_TEST(test_O17_not_ours),
		FX_TEST(test_O18_paging_in_progress),
		FX_TEST(test_O20_busy_in_front),
		FX_TEST(test_O20_busy_given_up),
		FX_TEST(test_F35_fault_meets_collapse),
		FX_TEST(test_F35_pager_kept_away),
		FX_TEST(test_O21_outside_the_window),
		FX_TEST(test_O21_stored_copy_forgotten),
		FX_TEST(test_O21_front_store_wins),
		FX_TEST(test_O22_stored_pages_move),
		FX_TEST(test_tombstones_collapse),
		FX_TEST(test_tombstones_vanish),
		FX_TEST(test_tombstone_in_front),
		FX_TEST(test_O24_windows),
		FX_TEST(test_O25_O27_bypass),
		FX_TEST(test_O27_terminal),
		FX_TEST(test_O27_copy_under_way),
		FX_TEST(test_O27_taken_over_under_a_copy),
		FX_TEST(test_O26_O28_bypass_refused),
		FX_TEST(test_O25_covered),
		FX_TEST(test_O27_sibling),
		FX_TEST(test_O7_drop),
		FX_TEST(test_O29_not_from_faults),
		FX_TEST(test_no_memory),
		FX_TEST(test_no_memory_for_a_copy),
		FX_TEST(test_I6_drop_unmaps),
		FX_TEST(test_F35_abort_under_a_walk),
		FX_TEST(test_P12_held_page_is_copied),
		FX_TEST(test_broken_pages_move),
		FX_TEST(test_wired_page_moves),
		FX_TEST(test_relink_in_one_piece),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("collapse", tests, NULL, NULL);
}
