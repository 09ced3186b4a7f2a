// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* vmcore/resize.c: the end of a map. O-33, M-30, M-52. */
#include "chain.h"

/* M-52: the end of a map: gone from this map, not from its snapshots. */
static void test_shrink(void **state)
{
	struct bsdvm_map *map = ch_map("ABCDEF");
	u32 id = ch_snapshot(map);

	assert_int_equal(fx_load(map, 0, 4), 'E');
	ch_resize(map, 3);
	assert_null(fx_mapped(map, 0, 4));
	ch_expect(map, "ABC");
	assert_int_equal(fx_held_byte(map, 3), -1);
	ch_expect_snapshot(map, id, "ABCDEF");
	ch_resize(map, 6);
	ch_expect(map, "ABC...");
	ch_write(map, 5, 'x');
	ch_resize(map, 5);
	ch_resize(map, 7);
	ch_expect(map, "ABC....");
	ch_resize(map, 0);
	ch_expect(map, "");
	ch_resize(map, 2);
	ch_expect(map, "..");
	ch_expect_snapshot(map, id, "ABCDEF");
	fx_put(map);
}

/* M-30: what was cut off is freed where nobody else has it. */
static void test_shrink_frees(void **state)
{
	struct bsdvm_map *map = ch_map("ABCDEF");

	ch_resize(map, 2);
	assert_int_equal(fx_count(live_pages), 2);
	ch_resize(map, 6);
	ch_expect(map, "AB....");
	assert_int_equal(ch_entries(map), 1);
	fx_put(map);
}

/* M-52: the same where entries before the end and behind it share an object. */
static void test_shrink_frees_shared(void **state)
{
	struct bsdvm_map *map = ch_map("ABCDEFGH");
	struct folio *pin;
	u32 id;

	ch_wire(map, 2, 4);
	ch_wire(map, 4, 5);
	assert_int_equal(ch_entries(map), 5);
	pin = ch_pin(map, 6);
	ch_resize(map, 4);
	assert_int_equal(fx_count(live_pages), 4);
	assert_int_equal(fx_count(live_wired), 2);
	assert_int_equal(atomic_long_read(&fx_object(map, 0)->resident), 4);
	assert_int_equal(fx_folio_byte(pin), 'G');
	folio_put(pin);
	ch_resize(map, 8);
	ch_expect(map, "ABCD....");
	ch_unwire(map, 2, 3);
	/* What others show through another part of it stays. */
	ch_wire(map, 1, 1);
	id = ch_snapshot(map);
	ch_resize(map, 1);
	ch_expect(map, "A");
	ch_expect_snapshot(map, id, "ABCD....");
	fx_put(map);
}

/* The same with pages in store. */
static void test_shrink_frees_shared_stored(void **state)
{
	struct fx_chain c = fx_chain(2, 6, "A...../ABCDEF");

	fx_store(c.object[0], 5, 's');
	ch_wire(c.map, 2, 3);
	ch_resize(c.map, 3);
	assert_null(fx_stored(c.object[0], 5));
	ch_expect(c.map, "ABC");
	ch_resize(c.map, 6);
	ch_expect(c.map, "ABC...");
	ch_unwire(c.map, 2, 2);
	fx_put(c.map);
}

/* I-11: pages cut off lose their wiring; without memory, nothing is lost. */
static void test_I11_shrink_before_wired(void **state)
{
	struct fx_chain c = ch_wired_behind();
	bsdvm_status_t status;
	unsigned long n;

	for (n = 1;; n++) {
		twin_fail_nth(n);
		status = bsdvm_map_resize(c.map, 1);
		twin_fail_nth(0);
		check_all(c.map);
		if (status == BSDVM_SUCCESS)
			break;
		fx_assert_status(status, BSDVM_RESOURCE_SHORTAGE);
		assert_int_equal(fx_count(live_wired), 3);
	}
	assert_true(n > 1);
	assert_int_equal(fx_count(live_wired), 1);
	assert_int_equal(bsdvm_page_wire_count(fx_page(c.object[1], 1)), 0);
	ch_expect(c.map, "A");
	fx_put(c.map);
}

static void do_resize(struct fx_thread *me)
{
	me->status = bsdvm_map_resize(me->map, me->pindex);
}

/* M-52: a page about to be mapped, of an entry that goes, is waited for. */
static void test_M52_faults_waited_for(void **state)
{
	struct bsdvm_map *map = ch_map("ABCD");
	struct fx_thread thread = { .map = map, .pindex = 2 };
	struct bsdvm_fault fault = {
		.map = map, .pindex = 3, .fault_type = BSDVM_PROT_WRITE,
	};

	fx_assert_status(bsdvm_map_protect(map, 2, 3, BSDVM_PROT_RW, false),
			 BSDVM_SUCCESS);
	assert_int_equal(ch_entries(map), 2);
	fx_assert_status(bsdvm_fault(&fault), BSDVM_SUCCESS);
	fx_spawn(&thread, do_resize);
	fx_await_sleep(&thread);
	fx_map_page(map, 0, 3, fault.page, fault.prot);
	folio_unlock(fault.page);
	folio_put(fault.page);
	fx_join(&thread);
	fx_assert_status(thread.status, BSDVM_SUCCESS);
	assert_null(fx_mapped(map, 0, 3));
	ch_expect(map, "AB");
	fx_put(map);
}

/* M-52: wired pages beyond the end go, too, wiring and all (W-23). */
static void test_W23_shrink_wired(void **state)
{
	struct bsdvm_map *map = ch_map("ABCDEF");

	ch_wire(map, 0, 3);
	ch_wire(map, 4, 5);
	ch_wire(map, 4, 5);
	assert_int_equal(fx_count(live_wired), 6);
	ch_resize(map, 2);
	assert_int_equal(fx_count(live_wired), 2);
	ch_resize(map, 5);
	ch_expect(map, "AB...");
	assert_int_equal(fx_entry(map, 0)->wired_count, 1);
	assert_int_equal(fx_entry(map, 3)->wired_count, 0);
	ch_unwire(map, 0, 1);
	fx_put(map);
}

/* O-33: a part that gets an object of its own, which is as long as the part. */
static void test_grow_at_an_offset(void **state)
{
	struct bsdvm_map *map = ch_map("ABCDEF");
	struct bsdvm_map *part = ch_shadow(map, 3, 2);

	ch_resize(part, 4);
	assert_int_equal(fx_object(part, 0)->size, 4);
	ch_expect(part, "DE..");
	fx_put(part);
	fx_put(map);
}

/* O-33: growing shows nothing of what an object had or saw there before. */
static void test_grow_reads_zero(void **state)
{
	struct bsdvm_map *map = ch_map("ABCDEF"), *part, *opened;
	u32 id;

	/* A window of a longer object. */
	part = ch_shadow(map, 1, 2);
	ch_resize(part, 5);
	ch_expect(part, "BC...");
	ch_write(part, 4, 'x');
	ch_expect(map, "ABCDEF");
	/* The object itself, once it is the part's alone. */
	fx_put(part);
	part = ch_shadow(map, 1, 2);
	fx_put(map);
	ch_resize(part, 4);
	ch_expect(part, "BC..");
	ch_write(part, 2, 'y');
	id = ch_snapshot(part);
	ch_resize(part, 1);
	opened = ch_open(part, id);
	ch_resize(part, 4);
	ch_expect(part, "B...");
	ch_expect(opened, "BCy.");
	fx_put(opened);
	fx_put(part);
}

/*
 * O-33: two entries on one object; the second one's part is seen by another
 * map. The first one must not grow over it.
 */
static void test_grow_spares_others(void **state)
{
	struct bsdvm_map *map = ch_map("ABCDEF"), *part;

	ch_wire(map, 3, 5);
	part = ch_shadow(map, 3, 3);
	ch_expect(part, "DEF");
	assert_int_equal(fx_load(part, 0, 1), 'E');
	ch_resize(map, 3);
	ch_expect(part, "DEF");
	ch_resize(map, 6);
	ch_expect(map, "ABC...");
	ch_expect(part, "DEF");
	ch_write(map, 4, 'x');
	ch_expect(part, "DEF");
	ch_expect(map, "ABC.x.");
	fx_put(map);
	ch_expect(part, "DEF");
	fx_put(part);
}

/* O-33, M-30: what cannot simply be longer gets a neighbour. */
static void test_grow_beside(void **state)
{
	struct bsdvm_map *map = ch_map("AB");

	ch_wire(map, 0, 1);
	ch_resize(map, 4);
	assert_int_equal(ch_entries(map), 2);
	assert_int_equal(fx_entry(map, 2)->wired_count, 0);
	ch_write(map, 3, 'x');
	ch_expect(map, "AB.x");
	ch_unwire(map, 0, 1);
	fx_put(map);
}

static void do_read(struct fx_thread *me)
{
	me->value = fx_held_byte(me->map, me->pindex);
}

/* I-13: a shrink over a page that is being paged in. */
static void test_I13_shrink_paging_in(void **state)
{
	struct fx_gate gate = FX_GATE_INIT;
	struct fx_chain c = fx_chain(1, 3, "A..");
	struct fx_thread reader = { .map = c.map, .pindex = 2 };
	struct fx_thread shrinker = { .map = c.map, .pindex = 1 };

	fx_store(c.object[0], 2, 'S')->gate = &gate;
	fx_spawn(&reader, do_read);
	fx_gate_await(&gate, 1);
	fx_spawn(&shrinker, do_resize);
	usleep(20000);
	fx_gate_open(&gate);
	fx_join(&reader);
	fx_join(&shrinker);
	fx_assert_status(shrinker.status, BSDVM_SUCCESS);
	check_all(c.map);
	ch_resize(c.map, 3);
	ch_expect(c.map, "A..");
	fx_put(c.map);
}

/* A map that nobody touched grows without an object. */
static void test_grow_untouched(void **state)
{
	struct bsdvm_map *map = fx_map(2);

	ch_resize(map, 5);
	assert_int_equal(ch_entries(map), 1);
	assert_null(fx_object(map, 4));
	ch_expect(map, ".....");
	fx_put(map);
}

/*
 * A map of two pages whose object, once somebody else's, shows 140 more: to
 * grow it has to hide them. With the n-th allocation failing, from the first.
 */
static void test_grow_no_memory(void **state)
{
	struct bsdvm_map *map = fx_map(140), *part;
	bsdvm_status_t status;
	unsigned long n;

	ch_write(map, 0, 'A');
	ch_write(map, 100, 'B');
	ch_snapshot(map);
	ch_write(map, 1, 'C');
	part = ch_shadow(map, 0, 2);
	fx_put(map);
	for (n = 1;; n++) {
		twin_fail_nth(n);
		status = bsdvm_map_resize(part, 130);
		twin_fail_nth(0);
		check_all(part);
		if (status == BSDVM_SUCCESS)
			break;
		fx_assert_status(status, BSDVM_RESOURCE_SHORTAGE);
		ch_expect(part, "AC");
	}
	assert_true(n > 2);
	assert_int_equal(ch_peek(part, 1), 'C');
	assert_int_equal(ch_peek(part, 100), 0);
	fx_put(part);
}

static void test_grow_beside_no_memory(void **state)
{
	struct bsdvm_map *map = ch_map("AB");

	ch_wire(map, 0, 1);
	twin_fail_nth(1);
	fx_assert_status(bsdvm_map_resize(map, 4), BSDVM_RESOURCE_SHORTAGE);
	twin_fail_nth(0);
	ch_expect(map, "AB");
	fx_put(map);
}

/* "AB", then 128 pages of which one is written and some are behind a window. */
static struct bsdvm_map *long_map(bool frozen)
{
	struct bsdvm_map *map = fx_map(130);

	ch_write(map, 0, 'A');
	ch_write(map, 60, 'X');
	ch_write(map, 100, 'Y');
	ch_snapshot(map);
	ch_write(map, 1, 'B');
	ch_write(map, 61, 'Z');
	ch_wire(map, 125, 126);
	if (frozen)
		ch_snapshot(map);
	assert_int_equal(fx_load(map, 0, 60), 'X');
	assert_int_equal(fx_load(map, 0, 61), 'Z');
	return map;
}

/* With allocations failing from the n-th on; false if there are no more. */
static bool cut_failing(unsigned long n, bool frozen)
{
	struct bsdvm_map *map = long_map(frozen);
	bool failed;

	twin_fail_from(n);
	bsdvm_map_cut(map, 2);
	failed = twin_fail_allocs_done();
	twin_fail_nth(0);
	check_all(map);
	assert_null(fx_mapped(map, 0, 60));
	assert_null(fx_mapped(map, 0, 61));
	assert_int_equal(fx_count(live_wired), 0);
	ch_expect(map, "AB");
	ch_resize(map, 130);
	assert_int_equal(ch_peek(map, 1), 'B');
	assert_int_equal(ch_peek(map, 60), 0);
	assert_int_equal(ch_peek(map, 61), 0);
	assert_int_equal(ch_peek(map, 100), 0);
	fx_put(map);
	return failed;
}

/* A growth is taken back whether or not there is memory. */
static void test_cut_no_memory(void **state)
{
	unsigned long n;

	for (n = 1; cut_failing(n, false); n++)
		;
	assert_true(n > 1);
	for (n = 1; cut_failing(n, true); n++)
		;
	assert_true(n > 1);
}

/*
 * A map made of the last page of a long one, grown, and again: no object is
 * ever asked for pages that no map can have.
 */
static void test_grow_at_a_far_offset(void **state)
{
	struct bsdvm_map *map = ch_map("A"), *part;
	struct bsdvm_entry *entry;
	unsigned int i;

	for (i = 0; i < 4; i++) {
		ch_resize(map, BSDVM_PAGES_MAX);
		list_for_each_entry(entry, &map->entry_list, map_link) {
			assert_true(bsdvm_entry_index(entry, entry->last) <
				    BSDVM_PAGES_MAX);
			assert_true(!entry->object || entry->object->size <=
				    BSDVM_PAGES_MAX);
		}
		part = ch_shadow(map, BSDVM_PAGES_MAX - 1, 1);
		fx_put(map);
		map = part;
		ch_write(map, 0, 'a' + i);
	}
	ch_resize(map, 3);
	ch_expect(map, "d..");
	fx_put(map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FX_TEST(test_shrink),
		FX_TEST(test_shrink_frees),
		FX_TEST(test_shrink_frees_shared),
		FX_TEST(test_shrink_frees_shared_stored),
		FX_TEST(test_I11_shrink_before_wired),
		FX_TEST(test_M52_faults_waited_for),
		FX_TEST(test_W23_shrink_wired),
		FX_TEST(test_grow_at_an_offset),
		FX_TEST(test_grow_reads_zero),
		FX_TEST(test_grow_spares_others),
		FX_TEST(test_grow_beside),
		FX_TEST(test_I13_shrink_paging_in),
		FX_TEST(test_grow_untouched),
		FX_TEST(test_grow_no_memory),
		FX_TEST(test_grow_beside_no_memory),
		FX_TEST(test_cut_no_memory),
		FX_TEST(test_grow_at_a_far_offset),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("resize", tests, NULL, NULL);
}
