// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* vmcore/punch.c: holes. O-34 to O-39. */
#include "chain.h"

/* O-37, I-6: mappings go, then the pages. */
static void test_O37_punch(void **state)
{
	struct bsdvm_map *map = ch_map("ABCDEF");

	assert_int_equal(fx_load(map, 0, 2), 'C');
	ch_punch(map, 1, 3);
	assert_null(fx_mapped(map, 0, 2));
	ch_expect(map, "A...EF");
	assert_int_equal(fx_count(live_pages), 3);
	assert_int_equal(atomic_long_read(&fx_object(map, 0)->resident), 3);
	/* Without anything behind, nothing is left in the slots. */
	assert_null(fx_slot(fx_object(map, 0), 2));
	assert_int_equal(fx_load(map, 0, 2), 0);
	ch_write(map, 3, 'x');
	ch_expect(map, "A..xEF");
	fx_put(map);
}

/* O-34: nothing there is nothing to do; what is beyond the end is ignored. */
static void test_O34_nothing(void **state)
{
	struct bsdvm_map *map = fx_map(4);

	ch_punch(map, 0, 3);
	assert_int_equal(fx_count(live_objects), 0);
	ch_write(map, 0, 'A');
	ch_punch(map, 2, 3);
	ch_punch(map, 3, 1000);
	ch_punch(map, 4, BSDVM_PAGES_MAX - 1);
	ch_punch(map, 77, 99);
	ch_expect(map, "A...");
	fx_put(map);
}

static void punch_backwards(void)
{
	struct bsdvm_map *map = ch_map("ABCD");

	bsdvm_map_punch(map, 2, 1);
	ch_expect(map, "ABCD");
	assert_int_equal(fx_pmap_log.out_of_range, 0);
	fx_put(map);
}

/* O-34: an empty range is not everything. */
static void test_empty_range(void **state)
{
	assert_true(fx_survives(punch_backwards));
}

/* O-37: behind the top: tombstones; the snapshot keeps what it has. */
static void test_tombstones(void **state)
{
	struct bsdvm_map *map = ch_map("ABCDEF");
	u32 id = ch_snapshot(map), second;

	ch_punch(map, 1, 2);
	ch_expect(map, "A..DEF");
	ch_expect_snapshot(map, id, "ABCDEF");
	assert_ptr_equal(fx_slot(fx_object(map, 0), 1), BSDVM_SLOT_ZERO);
	second = ch_snapshot(map);
	ch_write(map, 2, 'x');
	ch_expect(map, "A.xDEF");
	/* A page of its own in front of another leaves one as well. */
	ch_punch(map, 2, 2);
	ch_expect(map, "A..DEF");
	ch_expect_snapshot(map, second, "A..DEF");
	ch_drop(map, id);
	ch_expect(map, "A..DEF");
	ch_drop(map, second);
	ch_expect(map, "A..DEF");
	fx_put(map);
}

/* A tombstone is written over like a hole, and punched again. */
static void test_tombstone_life(void **state)
{
	struct bsdvm_map *map = ch_map("ABC");

	ch_snapshot(map);
	ch_punch(map, 0, 1);
	ch_write(map, 0, 'x');
	assert_int_equal(fx_count(v_cow_faults), 0);
	assert_int_equal(fx_load(map, 0, 1), 0);
	ch_punch(map, 0, 1);
	ch_punch(map, 0, 1);
	ch_expect(map, "..C");
	assert_int_equal(fx_load(map, 0, 0), 0);
	fx_assert_status(fx_store_byte(map, 0, 0, 'y'), BSDVM_SUCCESS);
	ch_expect(map, "y.C");
	fx_put(map);
}

/* A hole that reaches the end of the window narrows it instead. */
static void test_window_narrowed(void **state)
{
	struct bsdvm_map *map = ch_map("ABCDEF");

	ch_snapshot(map);
	ch_write(map, 0, 'x');
	ch_punch(map, 3, 5);
	ch_expect(map, "xBC...");
	assert_int_equal(fx_object(map, 0)->backing_end, 3);
	assert_null(fx_slot(fx_object(map, 0), 4));
	ch_punch(map, 2, 4);
	assert_int_equal(fx_object(map, 0)->backing_end, 2);
	ch_expect(map, "xB....");
	ch_write(map, 4, 'y');
	ch_expect(map, "xB..y.");
	ch_punch(map, 0, 5);
	ch_expect(map, "......");
	assert_null(fx_object(map, 0)->backing_object);
	fx_put(map);
}

/* O-37: through a window, over a chain; hidden pages do not show. */
static void test_deep(void **state)
{
	struct bsdvm_map *map = ch_map("ABCDEFGH"), *part, *piece;

	part = ch_shadow(map, 1, 6);
	ch_write(part, 0, 'b');
	ch_write(part, 3, 'e');
	piece = ch_shadow(part, 1, 5);
	ch_write(piece, 0, 'c');
	ch_expect(piece, "cDeFG");
	ch_punch(piece, 0, 2);
	ch_expect(piece, "...FG");
	ch_expect(part, "bCDeFG");
	ch_expect(map, "ABCDEFGH");
	ch_punch(part, 2, 3);
	ch_expect(part, "bC..FG");
	ch_expect(piece, "...FG");
	fx_put(part);
	ch_expect(piece, "...FG");
	fx_put(map);
	ch_expect(piece, "...FG");
	fx_put(piece);
}

/* Over several entries, some frozen, some live, some without object. */
static void test_several_entries(void **state)
{
	struct bsdvm_map *map = ch_map("ABCDEF");
	u32 id;

	ch_wire(map, 2, 3);
	id = ch_snapshot(map);
	ch_resize(map, 9);
	ch_punch(map, 1, 7);
	ch_expect(map, "A........");
	ch_expect_snapshot(map, id, "ABCDEF");
	ch_unwire(map, 2, 3);
	fx_put(map);
}

/* O-38, W-27: a wired page stays, cleared; it is not a hole then. */
static void test_O38_wired(void **state)
{
	struct bsdvm_map *map = ch_map("ABCD");
	struct folio *page;

	ch_wire(map, 1, 2);
	page = fx_page(fx_object(map, 1), 1);
	assert_int_equal(fx_load(map, 0, 1), 'B');
	ch_punch(map, 0, 1);
	ch_expect(map, "..CD");
	assert_null(fx_mapped(map, 0, 1));
	assert_ptr_equal(fx_page(fx_object(map, 1), 1), page);
	assert_int_equal(bsdvm_page_wire_count(page), 1);
	ch_unwire(map, 1, 2);
	fx_put(map);
}

/*
 * I-14: a wired page that is in store as well was cleared, its stored copy
 * forgotten, and the page went on as clean and SWAPPED.
 */
static void test_I14_wired_page_in_store(void **state)
{
	struct fx_chain c = fx_chain(2, 2, "../.B");
	struct folio *page;

	fx_store(c.object[0], 1, 's');
	ch_wire(c.map, 1, 1);
	page = fx_page(c.object[0], 1);
	assert_true(bsdvm_page_state(page) & BSDVM_PAGE_SWAPPED);
	ch_punch(c.map, 1, 1);
	assert_ptr_equal(fx_page(c.object[0], 1), page);
	assert_false(bsdvm_page_state(page) & BSDVM_PAGE_SWAPPED);
	assert_true(bsdvm_page_state(page) & BSDVM_PAGE_DIRTY);
	assert_null(fx_stored(c.object[0], 1));
	ch_expect(c.map, "..");
	ch_unwire(c.map, 1, 1);
	fx_put(c.map);
}

/*
 * I-11: a hole was punched in front of a wired page that lies behind: the entry
 * went on as wired without a page, and the page as wired by nobody.
 */
static void test_I11_punch_before_wired(void **state)
{
	struct fx_chain c = ch_wired_behind();

	fx_assert_status(bsdvm_map_punch(c.map, 1, 1),
			 BSDVM_PROTECTION_FAILURE);
	check_all(c.map);
	ch_expect(c.map, "ABCDE");
	fx_put(c.map);
}

/* P-12: who holds a punched page keeps its bytes; nobody else sees them. */
static void test_P12_held(void **state)
{
	struct bsdvm_map *map = ch_map("AB");
	struct folio *pin = ch_pin(map, 0);

	ch_punch(map, 0, 0);
	fx_folio_fill(pin, 'p');
	ch_expect(map, ".B");
	ch_write(map, 0, 'x');
	assert_int_equal(fx_folio_byte(pin), 'p');
	folio_put(pin);
	fx_put(map);
}

static void do_punch(struct fx_thread *me)
{
	me->status = bsdvm_map_punch(me->map, me->pindex, me->pindex);
}

/* O-35: a page about to be mapped or written is waited for. */
static void wait_for_fault(bool frozen, unsigned int fault_type)
{
	struct bsdvm_map *map = ch_map("ABC");

	if (frozen)
		ch_snapshot(map);
	ch_wait_for_fault(map, fault_type, do_punch);
	ch_expect(map, "A.C");
	fx_put(map);
}

static void test_O35_faults_waited_for(void **state)
{
	wait_for_fault(false, BSDVM_PROT_WRITE);
	wait_for_fault(false, BSDVM_PROT_READ);
	wait_for_fault(true, BSDVM_PROT_READ);
	wait_for_fault(true, BSDVM_PROT_WRITE);
}

/* A write by the map that is left alone with the object behind. */
static struct fx_thread other_writer;

static void do_store(struct fx_thread *me)
{
	me->status = fx_store_byte(me->map, 0, me->pindex, me->value);
}

/* Give the writer the time that it takes, unless it has to wait for us. */
static void write_meanwhile(struct bsdvm_map *map, bsdvm_pindex_t first,
			    bsdvm_pindex_t npages)
{
	unsigned int ms;

	fx_remove_hook = NULL;
	fx_spawn(&other_writer, do_store);
	for (ms = 0; ms < 50 && !READ_ONCE(other_writer.done); ms++)
		usleep(1000);
	/* What is still mapped here is what was there before. */
	fx_assert(fx_mapped_byte(map, 0, 0) == 'A');
}

/*
 * M-52, I-18: a hole that closes the window on the object behind lets go of
 * it, and who is left with it may write in place: only after the mappings that
 * show it here are gone.
 */
static void test_M52_window_closed(void **state)
{
	struct bsdvm_map *map = ch_map("AB");
	u32 id = ch_snapshot(map);
	struct bsdvm_map *branch = ch_open(map, id);

	ch_drop(map, id);
	ch_write(branch, 1, 'x');
	assert_int_equal(fx_load(branch, 0, 0), 'A');
	other_writer = (struct fx_thread){ .map = map, .value = 'w' };
	fx_remove_hook = write_meanwhile;
	ch_punch(branch, 0, 1);
	fx_join(&other_writer);
	fx_assert_status(other_writer.status, BSDVM_SUCCESS);
	ch_expect(branch, "..");
	ch_expect(map, "wB");
	fx_put(branch);
	fx_put(map);
}

/* O-39: stored pages of the range go as well; of those behind, the sight. */
static void test_O39_stored(void **state)
{
	struct fx_chain c = fx_chain(2, 4, "..../....");

	fx_store(c.object[0], 0, 's');
	fx_store(c.object[0], 3, 't');
	fx_store(c.object[1], 1, 'u');
	ch_punch(c.map, 0, 1);
	assert_null(fx_stored(c.object[0], 0));
	assert_non_null(fx_stored(c.object[1], 1));
	ch_expect(c.map, "...t");
	fx_put(c.map);
}

static void do_read(struct fx_thread *me)
{
	me->value = fx_held_byte(me->map, me->pindex);
}

/*
 * O-35: a page that is being paged in: its slot is busy and the map is not
 * locked. It must not appear after the hole was made.
 */
static void test_O35_paging_in(void **state)
{
	struct fx_gate gate = FX_GATE_INIT;
	struct fx_chain c = fx_chain(1, 3, "A..");
	struct fx_thread reader = { .map = c.map, .pindex = 1 };
	struct fx_thread puncher = { .map = c.map, .pindex = 1 };

	fx_store(c.object[0], 1, 'S')->gate = &gate;
	fx_spawn(&reader, do_read);
	fx_gate_await(&gate, 1);
	fx_spawn(&puncher, do_punch);
	usleep(20000);
	fx_gate_open(&gate);
	fx_join(&reader);
	fx_join(&puncher);
	ch_expect(c.map, "A..");
	fx_put(c.map);
}

/* A hole keeps being one when a part of its page is cleared. */
static void test_clear_bytes(void **state)
{
	struct bsdvm_map *map = ch_map("AB.");
	struct folio *page;
	const char *data;
	u32 id = ch_snapshot(map);

	fx_assert_status(bsdvm_map_clear_bytes(map, 0, 100, PAGE_SIZE),
			 BSDVM_SUCCESS);
	fx_assert_status(bsdvm_map_clear_bytes(map, 2, 0, 7), BSDVM_SUCCESS);
	fx_assert_status(bsdvm_map_clear_bytes(map, 3, 0, 7),
			 BSDVM_INVALID_ADDRESS);
	page = fx_page(fx_object(map, 0), 0);
	data = kmap_local_folio(page, 0);
	assert_int_equal(data[99], 'A');
	assert_int_equal(data[100], 0);
	assert_int_equal(data[PAGE_SIZE - 1], 0);
	kunmap_local(data);
	assert_null(fx_slot(fx_object(map, 0), 2));
	check_all(map);
	ch_expect_snapshot(map, id, "AB.");
	fx_put(map);
}

/* No memory for the tombstones: the map is as it was. */
static void test_no_memory(void **state)
{
	struct bsdvm_map *map = fx_map(300);
	bsdvm_status_t status;
	unsigned long n;
	u64 hash;

	ch_write(map, 0, 'A');
	ch_write(map, 70, 'B');
	ch_write(map, 140, 'C');
	ch_write(map, 299, 'D');
	ch_snapshot(map);
	hash = ch_hash(map);
	for (n = 1;; n++) {
		twin_fail_nth(n);
		status = bsdvm_map_punch(map, 60, 200);
		twin_fail_nth(0);
		check_all(map);
		if (status == BSDVM_SUCCESS)
			break;
		fx_assert_status(status, BSDVM_RESOURCE_SHORTAGE);
		assert_true(ch_hash(map) == hash);
	}
	assert_true(n > 3);
	assert_int_equal(ch_peek(map, 0), 'A');
	assert_int_equal(ch_peek(map, 70), 0);
	assert_int_equal(ch_peek(map, 140), 0);
	assert_int_equal(ch_peek(map, 299), 'D');
	fx_put(map);
}

/* I-11: the same where the entry has no object of its own at all. */
static void test_I11_punch_before_wired_frozen(void **state)
{
	struct fx_chain c = ch_wired_behind();

	/* Others need what lies behind: it is not collapsed. */
	fx_ref(c.object[1]);
	ch_snapshot(c.map);
	assert_true(bsdvm_entry_needs_copy(fx_entry(c.map, 1)));
	fx_assert_status(bsdvm_map_punch(c.map, 1, 4),
			 BSDVM_PROTECTION_FAILURE);
	check_all(c.map);
	ch_expect(c.map, "ABCDE");
	fx_unref(c.object[1]);
	fx_put(c.map);
}

/* No memory for the tombstone in front of a page in store. */
static void test_no_memory_before_stored(void **state)
{
	struct fx_chain c = fx_chain(2, 140, NULL);

	fx_store(c.object[1], 70, 's');
	twin_fail_nth(1);
	fx_assert_status(bsdvm_map_punch(c.map, 66, 80),
			 BSDVM_RESOURCE_SHORTAGE);
	twin_fail_nth(0);
	check_all(c.map);
	assert_int_equal(fx_held_byte(c.map, 70), 's');
	fx_put(c.map);
}

static void test_clear_no_part(void **state)
{
	struct bsdvm_map *map = ch_map("A");

	fx_assert_status(bsdvm_map_clear_bytes(map, 0, 2, 1),
			 BSDVM_INVALID_ARGUMENT);
	fx_assert_status(bsdvm_map_clear_bytes(map, 0, 0, PAGE_SIZE + 1),
			 BSDVM_INVALID_ARGUMENT);
	fx_assert_status(bsdvm_map_clear_bytes(map, 0, 1, 1), BSDVM_SUCCESS);
	ch_expect(map, "A");
	fx_put(map);
}

/* O-38: a wired page is cleared in place, which broken memory cannot be. */
static void test_O38_broken(void **state)
{
	struct bsdvm_map *map = ch_map("ABC");
	struct folio *page;

	ch_wire(map, 0, 2);
	page = fx_page(fx_object(map, 0), 1);
	ch_break(page);
	fx_assert_status(bsdvm_map_punch(map, 0, 2), BSDVM_MEMORY_BROKEN);
	assert_int_equal(fx_held_byte(map, 0), 'A');
	assert_int_equal(fx_held_byte(map, 2), 'C');
	ch_unwire(map, 0, 2);
	ch_punch(map, 0, 2);
	ch_expect(map, "...");
	folio_put(page);
	fx_put(map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FX_TEST(test_O37_punch),
		FX_TEST(test_O34_nothing),
		FX_TEST(test_empty_range),
		FX_TEST(test_tombstones),
		FX_TEST(test_tombstone_life),
		FX_TEST(test_window_narrowed),
		FX_TEST(test_deep),
		FX_TEST(test_several_entries),
		FX_TEST(test_O38_wired),
		FX_TEST(test_I14_wired_page_in_store),
		FX_TEST(test_I11_punch_before_wired),
		FX_TEST(test_P12_held),
		FX_TEST(test_O35_faults_waited_for),
		FX_TEST(test_M52_window_closed),
		FX_TEST(test_O39_stored),
		FX_TEST(test_O35_paging_in),
		FX_TEST(test_clear_bytes),
		FX_TEST(test_no_memory),
		FX_TEST(test_I11_punch_before_wired_frozen),
		FX_TEST(test_no_memory_before_stored),
		FX_TEST(test_clear_no_part),
		FX_TEST(test_O38_broken),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("punch", tests, NULL, NULL);
}
