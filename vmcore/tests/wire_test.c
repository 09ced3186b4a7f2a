// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* vmcore/wire.c: section 6, W-1 to W-27. */
#include "chain.h"

static unsigned int wired_count(struct bsdvm_map *map, bsdvm_pindex_t pindex)
{
	return fx_entry(map, pindex)->wired_count;
}

static unsigned int page_wired(struct bsdvm_map *map, bsdvm_pindex_t pindex)
{
	struct bsdvm_entry *entry = fx_entry(map, pindex);
	struct folio *page = fx_page(entry->object,
				     bsdvm_entry_index(entry, pindex));

	return page ? bsdvm_page_wire_count(page) : 0;
}

static bool user_wired(struct bsdvm_map *map, bsdvm_pindex_t pindex)
{
	return fx_entry(map, pindex)->flags & BSDVM_ENTRY_USER_WIRED;
}

static void user_wire(struct bsdvm_map *map, bsdvm_pindex_t first,
		      bsdvm_pindex_t last, bsdvm_pindex_t expected)
{
	bsdvm_pindex_t n = 99;

	fx_assert_status(bsdvm_map_user_wire(map, first, last, &n),
			 BSDVM_SUCCESS);
	assert_int_equal(n, expected);
	check_all(map);
}

static void user_unwire(struct bsdvm_map *map, bsdvm_pindex_t first,
			bsdvm_pindex_t last, bsdvm_pindex_t expected)
{
	bsdvm_pindex_t n = 99;

	fx_assert_status(bsdvm_map_user_unwire(map, first, last, &n),
			 BSDVM_SUCCESS);
	assert_int_equal(n, expected);
	check_all(map);
}

static struct bsdvm_map *watched;
static unsigned int seen;

static bool watch_wiring(gfp_t gfp)
{
	struct bsdvm_entry *entry = fx_entry(watched, 1);

	fx_assert(twin_lock_held(&watched->lock) == TWIN_READ);
	fx_assert(entry->flags & BSDVM_ENTRY_IN_TRANSITION);
	fx_assert(entry->wired_count == 1);
	seen++;
	return true;
}

/* W-1, W-2, W-6, W-14: the map is not locked exclusively while pages come. */
static void test_W1_W2_W6_W14_wire(void **state)
{
	struct bsdvm_map *map = fx_map(4);
	u64 generation = map->generation;

	watched = map;
	seen = 0;
	twin_page_alloc_hook = watch_wiring;
	fx_assert_status(bsdvm_map_wire(map, 0, 3), BSDVM_SUCCESS);
	twin_page_alloc_hook = NULL;
	assert_int_equal(seen, 4);
	assert_true(map->generation >= generation + 2);
	assert_int_equal(fx_entry(map, 0)->flags &
			 (BSDVM_ENTRY_IN_TRANSITION | BSDVM_ENTRY_NEEDS_WAKEUP), 0);
	check_all(map);
	assert_int_equal(fx_count(live_wired), 4);
	assert_int_equal(page_wired(map, 3), 1);
	/* P-14, I-5: in no queue while it is wired. */
	assert_int_equal(bsdvm_page_queue(fx_page(fx_object(map, 0), 0)),
			 BSDVM_QUEUE_NONE);
	ch_unwire(map, 0, 3);
	/* W-8, W-16: active afterwards, and still there. */
	assert_int_equal(bsdvm_page_queue(fx_page(fx_object(map, 0), 0)),
			 BSDVM_QUEUE_ACTIVE);
	assert_int_equal(fx_count(live_wired), 0);
	assert_int_equal(fx_count(live_pages), 4);
	fx_put(map);
}

/* W-4, W-5, W-11, W-19: wiring what is writable makes every page its own. */
static void test_W4_W5_writable(void **state)
{
	struct bsdvm_map *map = ch_map("ABC"), *opened;
	u32 id = ch_snapshot(map);

	opened = ch_open(map, id);
	user_wire(opened, 0, 2, 3);
	assert_int_equal(fx_count(v_cow_faults), 3);
	assert_int_equal(atomic_long_read(&fx_object(opened, 0)->resident), 3);
	ch_wire(map, 1, 2);
	assert_int_equal(fx_count(v_cow_faults), 5);
	ch_write(opened, 0, 'x');
	ch_expect_snapshot(map, id, "ABC");
	user_unwire(opened, 0, 2, 3);
	ch_unwire(map, 1, 2);
	fx_put(opened);
	fx_put(map);
}

/* W-4, W-5: a read-only one is not copied; the system asks for writing. */
static void test_W4_W5_read_only(void **state)
{
	struct bsdvm_map *map = ch_map("ABC");

	ch_snapshot(map);
	fx_entry(map, 0)->protection = BSDVM_PROT_READ;
	user_wire(map, 0, 2, 3);
	assert_int_equal(fx_count(v_cow_faults), 0);
	assert_true(bsdvm_entry_needs_copy(fx_entry(map, 0)));
	assert_int_equal(page_wired(map, 1), 1);
	user_unwire(map, 0, 2, 3);
	fx_assert_status(bsdvm_map_wire(map, 0, 2), BSDVM_PROTECTION_FAILURE);
	assert_int_equal(wired_count(map, 0), 0);
	assert_int_equal(fx_count(live_wired), 0);
	check_all(map);
	fx_entry(map, 0)->protection = BSDVM_PROT_ALL;
	fx_put(map);
}

/*
 * Three entries of three pages on one object; the pager cannot read page
 * @failing.
 */
static struct fx_chain three_entries(bsdvm_pindex_t failing)
{
	struct fx_chain c = fx_chain(1, 9, NULL);

	bsdvm_map_lock_always(c.map);
	fx_assert(bsdvm_entry_clip(c.map, 3) == BSDVM_SUCCESS);
	fx_assert(bsdvm_entry_clip(c.map, 6) == BSDVM_SUCCESS);
	fx_entry(c.map, 3)->flags |= BSDVM_ENTRY_NOSYNC;
	bsdvm_map_unlock(c.map);
	fx_store(c.object[0], failing, 'S')->result = BSDVM_PAGER_ERROR;
	return c;
}

/* W-7, W-13, D-26: nothing is wired by a call that failed, wherever it did. */
static void test_W7_W13_D26_roll_back(void **state)
{
	bsdvm_pindex_t failing;

	for (failing = 0; failing < 9; failing++) {
		struct fx_chain c = three_entries(failing);

		fx_assert_status(bsdvm_map_wire(c.map, 0, 8), BSDVM_FAILURE);
		assert_int_equal(fx_count(live_wired), 0);
		assert_int_equal(wired_count(c.map, 0), 0);
		assert_int_equal(wired_count(c.map, 3), 0);
		assert_int_equal(wired_count(c.map, 6), 0);
		check_all(c.map);
		fx_put(c.map);
	}
}

/* D-26, W-13: what was wired before stays so, before the failure and behind. */
static void test_D26_wired_before(void **state)
{
	struct fx_chain c = three_entries(4);

	ch_wire(c.map, 0, 2);
	ch_wire(c.map, 6, 8);
	fx_assert_status(bsdvm_map_wire(c.map, 0, 8), BSDVM_FAILURE);
	check_all(c.map);
	assert_int_equal(wired_count(c.map, 0), 1);
	assert_int_equal(wired_count(c.map, 3), 0);
	assert_int_equal(wired_count(c.map, 6), 1);
	assert_int_equal(fx_count(live_wired), 6);
	ch_unwire(c.map, 0, 2);
	ch_unwire(c.map, 6, 8);
	assert_int_equal(fx_count(live_wired), 0);
	fx_put(c.map);
}

/* W-20, D-27: the same for the user; his earlier wirings stay. */
static void test_W20_D27_roll_back(void **state)
{
	struct fx_chain c = three_entries(7);
	bsdvm_pindex_t n = 99;

	user_wire(c.map, 0, 2, 3);
	fx_assert_status(bsdvm_map_user_wire(c.map, 0, 8, &n), BSDVM_FAILURE);
	check_all(c.map);
	assert_int_equal(n, 0);
	assert_true(user_wired(c.map, 0));
	assert_false(user_wired(c.map, 3));
	assert_false(user_wired(c.map, 6));
	assert_int_equal(wired_count(c.map, 0), 1);
	assert_int_equal(wired_count(c.map, 3), 0);
	assert_int_equal(wired_count(c.map, 6), 0);
	assert_int_equal(fx_count(live_wired), 3);
	assert_int_equal(bsdvm_map_user_wired(c.map, 0, BSDVM_PAGES_MAX), 3);
	user_unwire(c.map, 0, 2, 3);
	fx_put(c.map);
}

/* W-20: with a system wiring below the user's: that one stays, too. */
static void test_W20_above_system(void **state)
{
	struct fx_chain c = three_entries(7);
	bsdvm_pindex_t n;

	ch_wire(c.map, 0, 5);
	fx_assert_status(bsdvm_map_user_wire(c.map, 0, 8, &n), BSDVM_FAILURE);
	check_all(c.map);
	assert_false(user_wired(c.map, 0));
	assert_int_equal(wired_count(c.map, 0), 1);
	assert_int_equal(wired_count(c.map, 3), 1);
	assert_int_equal(fx_count(live_wired), 6);
	ch_unwire(c.map, 0, 5);
	fx_put(c.map);
}

/* W-10: a range with a hole, or beyond the end: nothing changes. */
static void test_W10_covered(void **state)
{
	struct bsdvm_map *map = ch_map("ABCDEF");
	bsdvm_pindex_t n;

	fx_assert_status(bsdvm_map_wire(map, 0, 6), BSDVM_INVALID_ADDRESS);
	fx_assert_status(bsdvm_map_wire(map, 3, 2), BSDVM_INVALID_ADDRESS);
	fx_assert_status(bsdvm_map_unwire(map, 6, 6), BSDVM_INVALID_ADDRESS);
	fx_assert_status(bsdvm_map_user_wire(map, 5, 6, &n),
			 BSDVM_INVALID_ADDRESS);
	fx_assert_status(bsdvm_map_user_unwire(map, 0, ULONG_MAX, &n),
			 BSDVM_INVALID_ADDRESS);
	assert_int_equal(ch_entries(map), 1);
	check_all(map);
	/* Clipped to the range. */
	ch_wire(map, 2, 3);
	assert_int_equal(ch_entries(map), 3);
	assert_int_equal(wired_count(map, 1), 0);
	assert_int_equal(wired_count(map, 2), 1);
	assert_int_equal(wired_count(map, 4), 0);
	assert_int_equal(fx_count(live_wired), 2);
	/* W-14: and made one again. */
	ch_unwire(map, 2, 3);
	assert_int_equal(ch_entries(map), 1);
	fx_put(map);
}

/* W-11, W-12: wired once more is counted, not faulted; W-16 counts down. */
static void test_W11_W12_W16_counts(void **state)
{
	struct bsdvm_map *map = fx_map(4);
	u64 faults;

	ch_wire(map, 0, 3);
	faults = fx_count(v_vm_faults);
	assert_int_equal(faults, 4);
	ch_wire(map, 0, 3);
	ch_wire(map, 2, 3);
	assert_int_equal(fx_count(v_vm_faults), faults);
	assert_int_equal(wired_count(map, 0), 2);
	assert_int_equal(wired_count(map, 2), 3);
	assert_int_equal(page_wired(map, 2), 1);
	ch_unwire(map, 0, 3);
	ch_unwire(map, 0, 3);
	assert_int_equal(wired_count(map, 0), 0);
	assert_int_equal(page_wired(map, 0), 0);
	assert_int_equal(wired_count(map, 2), 1);
	assert_int_equal(page_wired(map, 2), 1);
	ch_unwire(map, 2, 3);
	assert_int_equal(fx_count(live_wired), 0);
	fx_put(map);
}

/* W-15: some of it not wired: nothing changes. */
/* System wirings of what is wired cost nothing: they are not limited by memory. */
static void test_W11_beyond_32_bits(void **state)
{
	struct bsdvm_map *map = ch_map("A");

	ch_wire(map, 0, 0);
	fx_entry(map, 0)->wired_count = UINT_MAX;
	ch_wire(map, 0, 0);
	assert_true(fx_entry(map, 0)->wired_count > UINT_MAX);
	fx_entry(map, 0)->wired_count = 2;
	ch_unwire(map, 0, 0);
	ch_unwire(map, 0, 0);
	assert_int_equal(fx_count(live_wired), 0);
	fx_put(map);
}

static void test_W15_not_wired(void **state)
{
	struct bsdvm_map *map = fx_map(4);

	ch_wire(map, 0, 1);
	fx_assert_status(bsdvm_map_unwire(map, 0, 3), BSDVM_INVALID_ARGUMENT);
	fx_assert_status(bsdvm_map_unwire(map, 1, 2), BSDVM_INVALID_ARGUMENT);
	check_all(map);
	assert_int_equal(wired_count(map, 0), 1);
	assert_int_equal(ch_entries(map), 2);
	/* The user's wiring is not the system's. */
	user_wire(map, 2, 3, 2);
	fx_assert_status(bsdvm_map_unwire(map, 2, 3), BSDVM_INVALID_ARGUMENT);
	assert_int_equal(wired_count(map, 2), 1);
	user_unwire(map, 2, 3, 2);
	ch_unwire(map, 0, 1);
	fx_put(map);
}

/* W-18, W-19, I-12: however often, the user counts once. */
static void test_W18_W19_I12_once(void **state)
{
	struct bsdvm_map *map = fx_map(6);

	user_wire(map, 0, 3, 4);
	user_wire(map, 0, 3, 0);
	user_wire(map, 2, 5, 2);
	assert_int_equal(wired_count(map, 0), 1);
	assert_int_equal(wired_count(map, 5), 1);
	assert_int_equal(fx_count(live_wired), 6);
	assert_int_equal(bsdvm_map_user_wired(map, 0, BSDVM_PAGES_MAX), 6);
	user_unwire(map, 0, 5, 6);
	assert_int_equal(fx_count(live_wired), 0);
	fx_put(map);
}

/* W-18: over a system wiring only the count; below one, the pages stay. */
static void test_W18_with_system(void **state)
{
	struct bsdvm_map *map = fx_map(2);
	u64 faults;

	ch_wire(map, 0, 1);
	faults = fx_count(v_vm_faults);
	user_wire(map, 0, 1, 2);
	assert_int_equal(fx_count(v_vm_faults), faults);
	assert_int_equal(wired_count(map, 0), 2);
	ch_unwire(map, 0, 1);
	assert_int_equal(page_wired(map, 0), 1);
	ch_wire(map, 0, 1);
	user_unwire(map, 0, 1, 2);
	assert_int_equal(page_wired(map, 0), 1);
	ch_unwire(map, 0, 1);
	assert_int_equal(page_wired(map, 0), 0);
	fx_put(map);
}

/* W-21: some of it not the user's: nothing changes. */
static void test_W21_not_the_users(void **state)
{
	struct bsdvm_map *map = fx_map(4);
	bsdvm_pindex_t n;

	user_wire(map, 0, 1, 2);
	ch_wire(map, 2, 3);
	fx_assert_status(bsdvm_map_user_unwire(map, 0, 3, &n),
			 BSDVM_INVALID_ARGUMENT);
	assert_int_equal(n, 0);
	assert_true(user_wired(map, 0));
	check_all(map);
	user_unwire(map, 0, 1, 2);
	ch_unwire(map, 2, 3);
	fx_put(map);
}

/* W-23: an entry that goes is unwired altogether. */
static void test_W23_entry_goes(void **state)
{
	struct bsdvm_map *map = fx_map(4), *other;

	ch_wire(map, 0, 3);
	ch_wire(map, 0, 3);
	user_wire(map, 0, 3, 4);
	other = ch_shadow(map, 0, 4);
	fx_put(map);
	assert_int_equal(fx_count(live_wired), 0);
	ch_expect(other, "....");
	fx_put(other);
}

/* W-24, F-8, F-9: what may not be read can be wired, but never written again. */
static void test_W24_prot_none(void **state)
{
	struct bsdvm_map *map = ch_map("AB");

	fx_entry(map, 0)->protection = 0;
	user_wire(map, 0, 1, 2);
	assert_int_equal(fx_entry(map, 0)->max_protection,
			 BSDVM_PROT_ALL & ~BSDVM_PROT_WRITE);
	assert_int_equal(page_wired(map, 1), 1);
	fx_assert_status(bsdvm_map_wire(map, 0, 1), BSDVM_SUCCESS);
	ch_unwire(map, 0, 1);
	user_unwire(map, 0, 1, 2);
	/* Nor what max_protection forbids. */
	fx_entry(map, 0)->max_protection = 0;
	{
		bsdvm_pindex_t n;

		fx_assert_status(bsdvm_map_user_wire(map, 0, 1, &n),
				 BSDVM_PROTECTION_FAILURE);
	}
	assert_int_equal(fx_count(live_wired), 0);
	fx_put(map);
}

/* W-25, D-31, M-13: a write to what is wired fails only if its copy is due. */
static void test_W25_D31(void **state)
{
	struct bsdvm_map *map = ch_map("AB");
	struct bsdvm_entry *entry;

	ch_snapshot(map);
	user_wire(map, 0, 1, 2);
	entry = fx_entry(map, 0);
	assert_true(entry->flags & BSDVM_ENTRY_COW);
	/* Copied already: writable, also after it was not for a while. */
	entry->protection = BSDVM_PROT_READ;
	assert_int_equal(fx_held_fill(map, 0, 'x'), BSDVM_PROTECTION_FAILURE);
	entry->protection = BSDVM_PROT_ALL;
	assert_int_equal(fx_held_fill(map, 0, 'x'), BSDVM_SUCCESS);
	user_unwire(map, 0, 1, 2);
	/* Wired while it was read-only: the copy is due, and never comes. */
	ch_snapshot(map);
	entry->protection = BSDVM_PROT_READ;
	user_wire(map, 0, 1, 2);
	assert_true(bsdvm_entry_needs_copy(entry));
	entry->protection = BSDVM_PROT_ALL;
	assert_int_equal(fx_held_fill(map, 0, 'y'), BSDVM_PROTECTION_FAILURE);
	entry->protection = BSDVM_PROT_READ;
	user_unwire(map, 0, 1, 2);
	entry->protection = BSDVM_PROT_ALL;
	ch_expect(map, "xB");
	fx_put(map);
}

/* I-11: wired pages stay through collapse, snapshot and punch. */
static void test_I11_W27_stays(void **state)
{
	struct bsdvm_map *map = ch_map("ABCD"), *opened;
	u32 id = ch_snapshot(map);

	ch_write(map, 0, 'x');
	ch_wire(map, 0, 3);
	ch_drop(map, id);
	id = ch_snapshot(map);
	opened = ch_open(map, id);
	ch_punch(map, 1, 2);
	ch_expect(map, "x..D");
	ch_expect(opened, "xBCD");
	ch_drop(map, id);
	fx_put(opened);
	ch_expect(map, "x..D");
	assert_int_equal(fx_count(live_wired), 4);
	ch_unwire(map, 0, 3);
	fx_put(map);
}

static void do_wire(struct fx_thread *me)
{
	me->status = bsdvm_map_wire(me->map, me->pindex, me->pindex + 1);
}

static void do_user_wire(struct fx_thread *me)
{
	bsdvm_pindex_t n;

	me->status = bsdvm_map_user_wire(me->map, 0, me->pindex, &n);
}

static void do_resize(struct fx_thread *me)
{
	me->status = bsdvm_map_resize(me->map, 1);
}

static void do_cut(struct fx_thread *me)
{
	bsdvm_map_cut(me->map, 1);
	me->status = BSDVM_SUCCESS;
}

static void do_snapshot(struct fx_thread *me)
{
	u32 id;

	me->status = bsdvm_map_snapshot(me->map, 0, &id);
}

/*
 * M-34, M-51, C-5, W-14: who meets an entry in transition waits, without the
 * map locked; so does who wants to remove it.
 */
static void test_M34_in_transition(void **state)
{
	struct fx_gate gate = FX_GATE_INIT;
	struct fx_chain c = fx_chain(1, 4, NULL);
	struct fx_thread a = { .map = c.map }, b = { .map = c.map, .pindex = 1 };
	struct fx_thread r = { .map = c.map };

	fx_store(c.object[0], 0, 'S')->gate = &gate;
	fx_spawn(&a, do_wire);
	fx_gate_await(&gate, 1);
	fx_spawn(&b, do_wire);
	fx_await_sleep(&b);
	assert_int_equal(fx_count(v_intrans_coll), 1);
	assert_int_equal(fx_count(v_intrans_wait), 1);
	assert_true(fx_entry(c.map, 1)->flags & BSDVM_ENTRY_NEEDS_WAKEUP);
	fx_spawn(&r, do_resize);
	fx_await_sleep(&r);
	assert_int_equal(c.map->size, 4);
	/* Another part can be wired, and any can be used. */
	fx_assert_status(bsdvm_map_wire(c.map, 3, 3), BSDVM_SUCCESS);
	assert_int_equal(fx_held_fill(c.map, 1, 'x'), BSDVM_SUCCESS);
	fx_gate_open(&gate);
	fx_join(&a);
	fx_join(&b);
	fx_join(&r);
	fx_assert_status(a.status, BSDVM_SUCCESS);
	fx_assert_status(r.status, BSDVM_SUCCESS);
	check_all(c.map);
	assert_int_equal(c.map->size, 1);
	assert_int_equal(fx_count(live_wired), 1);
	ch_expect(c.map, "S");
	ch_unwire(c.map, 0, 0);
	fx_put(c.map);
}

/* M-34: so does who takes a growth back, which nothing may keep him from. */
static void test_M34_cut_in_transition(void **state)
{
	struct fx_gate gate = FX_GATE_INIT;
	struct fx_chain c = fx_chain(1, 4, NULL);
	struct fx_thread a = { .map = c.map }, r = { .map = c.map };

	fx_store(c.object[0], 0, 'S')->gate = &gate;
	fx_spawn(&a, do_wire);
	fx_gate_await(&gate, 1);
	fx_spawn(&r, do_cut);
	fx_await_sleep(&r);
	assert_int_equal(c.map->size, 4);
	fx_gate_open(&gate);
	fx_join(&a);
	fx_join(&r);
	fx_assert_status(a.status, BSDVM_SUCCESS);
	fx_assert_status(r.status, BSDVM_SUCCESS);
	assert_int_equal(c.map->size, 1);
	check_all(c.map);
	ch_unwire(c.map, 0, 0);
	ch_expect(c.map, "S");
	fx_put(c.map);
}

static void kill_at_page_1(struct bsdvm_object *object, bsdvm_pindex_t pindex)
{
	if (pindex == 1)
		twin_kill(current);
}

/* F-30, D-46: wiring is as long as its range, and ends on a fatal signal. */
static void test_F30_killed_while_wiring(void **state)
{
	struct fx_chain c = fx_chain(1, 5, NULL);

	fx_store(c.object[0], 4, 'S');
	fx_has_page_hook = kill_at_page_1;
	fx_assert_status(bsdvm_map_wire(c.map, 0, 3), BSDVM_INTERRUPTED);
	fx_has_page_hook = NULL;
	twin_unkill(current);
	assert_int_equal(fx_count(live_wired), 0);
	assert_int_equal(wired_count(c.map, 0), 0);
	check_all(c.map);
	fx_put(c.map);
}

/* F-30, M-34, D-46: that wait ends with a fatal signal. */
static void test_F30_killed_in_transition(void **state)
{
	struct fx_gate gate = FX_GATE_INIT;
	struct fx_chain c = fx_chain(1, 4, NULL);
	struct fx_thread a = { .map = c.map }, b = { .map = c.map, .pindex = 1 };

	fx_store(c.object[0], 0, 'S')->gate = &gate;
	fx_spawn(&a, do_wire);
	fx_gate_await(&gate, 1);
	fx_spawn(&b, do_wire);
	fx_await_sleep(&b);
	twin_kill(b.task);
	fx_join(&b);
	fx_assert_status(b.status, BSDVM_INTERRUPTED);
	fx_gate_open(&gate);
	fx_join(&a);
	fx_assert_status(a.status, BSDVM_SUCCESS);
	check_all(c.map);
	assert_int_equal(wired_count(c.map, 2), 0);
	ch_unwire(c.map, 0, 1);
	fx_put(c.map);
}

/*
 * W-25, D-30, M-48: a snapshot while an entry is being wired for the user must
 * not make writes to it fail, whether it waits or not.
 */
static void test_snapshot_during_user_wiring(void **state)
{
	struct fx_gate gate = FX_GATE_INIT;
	struct fx_chain c = fx_chain(1, 3, "..C");
	struct fx_thread a = { .map = c.map, .pindex = 2 }, s = { .map = c.map };
	unsigned int i;

	fx_store(c.object[0], 0, 'S')->gate = &gate;
	fx_spawn(&a, do_user_wire);
	fx_gate_await(&gate, 1);
	fx_spawn(&s, do_snapshot);
	for (i = 0; i < 200 && !READ_ONCE(s.done); i++)
		usleep(100);
	fx_assert_status(fx_held_fill(c.map, 2, 'x'), BSDVM_SUCCESS);
	fx_gate_open(&gate);
	fx_join(&a);
	fx_join(&s);
	fx_assert_status(a.status, BSDVM_SUCCESS);
	fx_assert_status(s.status, BSDVM_SUCCESS);
	ch_expect(c.map, "S.x");
	fx_assert_status(fx_held_fill(c.map, 0, 'y'), BSDVM_SUCCESS);
	assert_int_equal(fx_count(live_wired), 3);
	user_unwire(c.map, 0, 2, 3);
	assert_int_equal(fx_count(live_wired), 0);
	fx_put(c.map);
}

static void do_punch(struct fx_thread *me)
{
	me->status = bsdvm_map_punch(me->map, me->pindex, me->pindex);
}

/* A hole made while an entry is being wired, or right after: it comes out even. */
static void test_punch_during_wiring(void **state)
{
	struct fx_gate gate = FX_GATE_INIT;
	struct fx_chain c = fx_chain(1, 3, "A.C");
	struct fx_thread a = { .map = c.map, .pindex = 2 }, p[2];
	unsigned int i;

	fx_store(c.object[0], 1, 'S')->gate = &gate;
	fx_spawn(&a, do_user_wire);
	fx_gate_await(&gate, 1);
	for (i = 0; i < 2; i++) {
		p[i] = (struct fx_thread){ .map = c.map, .pindex = 2 * i };
		fx_spawn(&p[i], do_punch);
	}
	usleep(5000);
	fx_gate_open(&gate);
	fx_join(&a);
	for (i = 0; i < 2; i++) {
		fx_join(&p[i]);
		fx_assert_status(p[i].status, BSDVM_SUCCESS);
	}
	fx_assert_status(a.status, BSDVM_SUCCESS);
	ch_expect(c.map, ".S.");
	assert_int_equal(fx_count(live_wired), 3);
	user_unwire(c.map, 0, 2, 3);
	assert_int_equal(fx_count(live_wired), 0);
	fx_put(c.map);
}

/* An entry that is wired, and one behind it that nobody touched yet. */
static struct bsdvm_map *wired_and_untouched(void)
{
	struct bsdvm_map *map = ch_map("AB");

	ch_wire(map, 0, 1);
	ch_resize(map, 4);
	assert_int_equal(ch_entries(map), 2);
	assert_null(fx_object(map, 2));
	return map;
}

/* W-11: no memory to prepare the second entry: the first is not counted. */
static void test_W11_no_memory_for_one(void **state)
{
	struct bsdvm_map *map = wired_and_untouched();

	twin_fail_nth(1);
	fx_assert_status(bsdvm_map_wire(map, 0, 3), BSDVM_RESOURCE_SHORTAGE);
	assert_true(twin_fail_allocs_done());
	assert_int_equal(fx_entry(map, 0)->wired_count, 1);
	assert_int_equal(fx_entry(map, 2)->wired_count, 0);
	check_all(map);
	fx_put(map);
}

/* W-19, W-20: the same for the user. */
static void test_W19_no_memory_for_one(void **state)
{
	struct bsdvm_map *map = wired_and_untouched();
	bsdvm_pindex_t n = 9;

	twin_fail_nth(1);
	fx_assert_status(bsdvm_map_user_wire(map, 0, 3, &n),
			 BSDVM_RESOURCE_SHORTAGE);
	assert_true(twin_fail_allocs_done());
	assert_int_equal(n, 0);
	assert_int_equal(fx_entry(map, 0)->wired_count, 1);
	assert_false(fx_entry(map, 0)->flags & BSDVM_ENTRY_USER_WIRED);
	check_all(map);
	fx_put(map);
}

/* A wired page that is gone, against I-11: the others are unwired. */
static void test_W8_page_gone(void **state)
{
	struct bsdvm_map *map = ch_map("ABC");
	struct bsdvm_object *object = fx_object(map, 0);
	struct folio *page = fx_page(object, 1);

	ch_wire(map, 0, 2);
	xa_erase(&object->slots, 1);
	atomic_long_dec(&object->resident);
	bsdvm_page_free(page);
	assert_int_equal(ch_violated(map), 11);
	ch_unwire(map, 0, 2);
	assert_int_equal(fx_count(live_wired), 0);
	fx_put(map);
}

/* A page on its way from one object to the next one, seen in neither. */
static struct bsdvm_object *in_transit_object;
static struct folio *in_transit_page;

static void arrive(void)
{
	xa_store(&in_transit_object->slots, 1, in_transit_page, GFP_KERNEL);
	clear_bit(BSDVM_OBJECT_COLLAPSING, &in_transit_object->flags);
}

/* W-8: a page that a collapse is moving is waited for, not polled for. */
static void test_W8_gives_way_to_a_collapse(void **state)
{
	struct bsdvm_map *map = ch_map("ABC");

	ch_wire(map, 0, 2);
	in_transit_object = fx_object(map, 1);
	set_bit(BSDVM_OBJECT_COLLAPSING, &in_transit_object->flags);
	in_transit_page = xa_erase(&in_transit_object->slots, 1);
	ch_before_lock(&map->family->lock, arrive);
	ch_unwire(map, 0, 2);
	assert_int_equal(fx_count(live_wired), 0);
	ch_expect(map, "ABC");
	fx_put(map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FX_TEST(test_W1_W2_W6_W14_wire),
		FX_TEST(test_W4_W5_writable),
		FX_TEST(test_W4_W5_read_only),
		FX_TEST(test_W7_W13_D26_roll_back),
		FX_TEST(test_D26_wired_before),
		FX_TEST(test_W20_D27_roll_back),
		FX_TEST(test_W20_above_system),
		FX_TEST(test_W10_covered),
		FX_TEST(test_W11_W12_W16_counts),
		FX_TEST(test_W11_beyond_32_bits),
		FX_TEST(test_W15_not_wired),
		FX_TEST(test_W18_W19_I12_once),
		FX_TEST(test_W18_with_system),
		FX_TEST(test_W21_not_the_users),
		FX_TEST(test_W23_entry_goes),
		FX_TEST(test_W24_prot_none),
		FX_TEST(test_W25_D31),
		FX_TEST(test_I11_W27_stays),
		FX_TEST(test_M34_in_transition),
		FX_TEST(test_M34_cut_in_transition),
		FX_TEST(test_F30_killed_while_wiring),
		FX_TEST(test_F30_killed_in_transition),
		FX_TEST(test_snapshot_during_user_wiring),
		FX_TEST(test_punch_during_wiring),
		FX_TEST(test_W11_no_memory_for_one),
		FX_TEST(test_W19_no_memory_for_one),
		FX_TEST(test_W8_page_gone),
		FX_TEST(test_W8_gives_way_to_a_collapse),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("wire", tests, NULL, NULL);
}
