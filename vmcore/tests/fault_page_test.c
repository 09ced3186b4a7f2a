// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Held pages, of a map and of an object: section 4. */
#include "fixture.h"

static struct fx_chain c;

static bsdvm_status_t object_page(unsigned int level, u64 offset,
				  unsigned int type, unsigned int flags,
				  struct folio **page)
{
	return bsdvm_fault_object_page(c.object[level], offset, type, flags,
				       page);
}

/* FP-2 */
static void wire_flags_are_refused(void **state)
{
	struct folio *page = (void *)1;

	c = fx_chain(1, 1, "a");
	twin_warn_abort = false;
	fx_assert_status(bsdvm_fault_page(c.map, 0, BSDVM_PROT_READ,
					  BSDVM_FAULT_USER_WIRE, &page),
			 BSDVM_INVALID_ARGUMENT);
	assert_null(page);
	fx_assert_status(object_page(0, 0, BSDVM_PROT_READ,
				     BSDVM_FAULT_CHANGE_WIRING, &page),
			 BSDVM_INVALID_ARGUMENT);
	assert_int_equal(twin_warnings, 2);
	twin_warnings = 0;
	twin_warn_abort = true;
	check_all(c.map);
	fx_put(c.map);
}

/* FP-8: held, not locked, ACTIVE, REFERENCED, not wired; FP-10: no mapping. */
static void page_is_held_for_reading(void **state)
{
	struct folio *page;

	c = fx_chain(2, 1, "./A");
	fx_assert_status(bsdvm_fault_page(c.map, 0, BSDVM_PROT_READ, 0, &page),
			 BSDVM_SUCCESS);
	assert_false(folio_test_locked(page));
	assert_int_equal(folio_ref_count(page), 2);
	assert_int_equal(bsdvm_page_state(page) & ~BSDVM_PAGE_DIRTY,
			 BSDVM_PAGE_FRESH);
	assert_int_equal(bsdvm_page_wire_count(page), 0);
	assert_int_equal(fx_pmap_log.enters, 0);
	bsdvm_fault_page_done(page, BSDVM_PROT_READ);
	assert_int_equal(folio_ref_count(page), 1);
	check_all(c.map);
	fx_put(c.map);
}

/* FP-9, FP-21: for writing it comes dirty and locked. */
static void page_is_locked_for_writing(void **state)
{
	struct folio *page;

	c = fx_chain(1, 1, NULL);
	fx_store(c.object[0], 0, 's');
	fx_assert_status(bsdvm_fault_page(c.map, 0, BSDVM_PROT_WRITE, 0, &page),
			 BSDVM_SUCCESS);
	assert_true(folio_test_locked(page));
	assert_true(bsdvm_page_state(page) & BSDVM_PAGE_DIRTY);
	assert_null(fx_stored(c.object[0], 0));
	bsdvm_fault_page_done(page, BSDVM_PROT_WRITE);
	assert_false(folio_test_locked(page));
	check_all(c.map);
	fx_put(c.map);
}

/* FP-9: deliberately not so: who reads a wired page does not dirty it. */
static void reading_a_wired_page_does_not_dirty_it(void **state)
{
	c = fx_chain(1, 1, NULL);
	fx_add_page(c.object[0], 0, 'a', BSDVM_PAGE_FRESH);
	fx_entry(c.map, 0)->wired_count = 1;
	assert_int_equal(fx_held_byte(c.map, 0), 'a');
	assert_false(bsdvm_page_state(fx_page(c.object[0], 0)) &
		     BSDVM_PAGE_DIRTY);
	fx_entry(c.map, 0)->wired_count = 0;
	fx_put(c.map);
}

/* FP-7, FP-20, D-12: writing asked for, not granted: nothing stays held. */
static void write_not_granted(void **state)
{
	struct folio *page;

	c = fx_chain(1, 1, "a");
	fx_entry(c.map, 0)->protection = BSDVM_PROT_READ;
	fx_entry(c.map, 0)->wired_count = 1;
	bsdvm_page_wire(fx_page(c.object[0], 0));
	fx_assert_status(bsdvm_fault_page(c.map, 0, BSDVM_PROT_WRITE |
					  BSDVM_PROT_OVERRIDE, 0, &page),
			 BSDVM_PROTECTION_FAILURE);
	assert_null(page);
	assert_int_equal(folio_ref_count(fx_page(c.object[0], 0)), 1);
	check_all(c.map);
	assert_int_equal(fx_held_byte(c.map, 0), 'a');
	bsdvm_page_unwire(fx_page(c.object[0], 0));
	fx_entry(c.map, 0)->wired_count = 0;
	fx_put(c.map);
}

/* FP-12: bytes stay until the last holder is done, the page need not. */
static void held_page_survives_its_removal(void **state)
{
	struct folio *page;

	c = fx_chain(1, 1, "a");
	bsdvm_fault_page(c.map, 0, BSDVM_PROT_READ, 0, &page);
	bsdvm_map_punch(c.map, 0, 0);
	assert_int_equal(fx_held_byte(c.map, 0), 0);
	assert_int_equal(fx_folio_byte(page), 'a');
	assert_null(page->mapping);
	bsdvm_fault_page_done(page, BSDVM_PROT_READ);
	check_all(c.map);
	fx_put(c.map);
}

static void take_snapshot(struct fx_thread *me)
{
	u32 id;

	me->status = bsdvm_map_snapshot(me->map, 0, &id);
}

/* FP-21: a snapshot waits for a write under way, and has it. */
static void snapshot_waits_for_the_holder(void **state)
{
	struct fx_thread t = { };
	struct bsdvm_map *map;
	struct folio *page;
	u64 bytes;

	c = fx_chain(1, 1, "a");
	t.map = c.map;
	bsdvm_fault_page(c.map, 0, BSDVM_PROT_WRITE, 0, &page);
	fx_spawn(&t, take_snapshot);
	fx_await_sleep(&t);
	fx_folio_fill(page, 'b');
	bsdvm_fault_page_done(page, BSDVM_PROT_WRITE);
	fx_join(&t);
	fx_assert_status(t.status, BSDVM_SUCCESS);
	fx_held_fill(c.map, 0, 'c');
	fx_assert_status(bsdvm_snapshot_open(c.map, 1, NULL, &map, &bytes),
			 BSDVM_SUCCESS);
	assert_int_equal(fx_held_byte(map, 0), 'b');
	fx_put(map);
	fx_put(c.map);
}

/* ---- of an object ------------------------------------------------------- */

/* FP-13, FP-14: without a map; any byte of the page; not beyond the end. */
static void object_page_by_offset(void **state)
{
	struct folio *page;

	c = fx_chain(2, 2, "ab/AB");
	fx_assert_status(object_page(1, 2 * PAGE_SIZE - 1, BSDVM_PROT_READ, 0,
				     &page), BSDVM_SUCCESS);
	assert_ptr_equal(page, fx_page(c.object[1], 1));
	assert_false(folio_test_locked(page));
	bsdvm_fault_page_done(page, BSDVM_PROT_READ);
	fx_assert_status(object_page(1, 2 * PAGE_SIZE, BSDVM_PROT_READ, 0,
				     &page), BSDVM_PROTECTION_FAILURE);
	assert_null(page);
	fx_assert_status(object_page(0, U64_MAX, BSDVM_PROT_WRITE, 0, &page),
			 BSDVM_PROTECTION_FAILURE);
	assert_int_equal(fx_count(v_vm_faults), 0);
	check_all(c.map);
	fx_put(c.map);
}

/* FP-15: made resident, neither written nor copied. */
static void object_page_of_no_access(void **state)
{
	struct folio *page;

	c = fx_chain(2, 2, "../A.");
	fx_store(c.object[0], 1, 's');
	fx_assert_status(object_page(0, 0, 0, 0, &page), BSDVM_SUCCESS);
	assert_ptr_equal(page, fx_page(c.object[1], 0));
	bsdvm_fault_page_done(page, 0);
	fx_assert_status(object_page(0, PAGE_SIZE, 0, 0, &page),
			 BSDVM_SUCCESS);
	assert_int_equal(bsdvm_page_state(page),
			 BSDVM_PAGE_FRESH | BSDVM_PAGE_SWAPPED);
	bsdvm_fault_page_done(page, 0);
	check_all(c.map);
	fx_put(c.map);
}

/* FP-15, FP-17, D-22: how a store is emptied. */
static void object_page_is_taken_from_its_store(void **state)
{
	struct folio *page;
	unsigned long page_state;

	c = fx_chain(1, 1, NULL);
	fx_store(c.object[0], 0, 's');
	fx_assert_status(object_page(0, 0, 0, BSDVM_FAULT_DIRTY |
				     BSDVM_FAULT_UNSWAP, &page), BSDVM_SUCCESS);
	page_state = bsdvm_page_state(page);
	bsdvm_fault_page_done(page, 0);
	assert_int_equal(page_state, BSDVM_PAGE_FRESH | BSDVM_PAGE_DIRTY);
	assert_null(fx_stored(c.object[0], 0));
	check_all(c.map);
	fx_put(c.map);
}

/* FP-17: UNSWAP alone frees the stored page. */
static void unswap_frees_the_stored_page(void **state)
{
	struct folio *page;

	c = fx_chain(1, 1, NULL);
	fx_store(c.object[0], 0, 's');
	fx_assert_status(object_page(0, 0, BSDVM_PROT_READ, BSDVM_FAULT_UNSWAP,
				     &page), BSDVM_SUCCESS);
	assert_false(bsdvm_page_state(page) & BSDVM_PAGE_SWAPPED);
	bsdvm_fault_page_done(page, BSDVM_PROT_READ);
	assert_null(fx_stored(c.object[0], 0));
	check_all(c.map);
	fx_put(c.map);
}

/* FP-16, FP-17: written: renamed or copied, dirty, NOSYNC gone. */
static void object_page_is_copied_on_write(void **state)
{
	struct folio *page;

	c = fx_chain(2, 2, "../AB");
	bsdvm_page_set(fx_page(c.object[1], 0), BSDVM_PAGE_NOSYNC);
	fx_assert_status(object_page(0, 0, BSDVM_PROT_WRITE, 0, &page),
			 BSDVM_SUCCESS);
	assert_ptr_equal(page, fx_page(c.object[0], 0));
	assert_true(folio_test_locked(page));
	assert_int_equal(bsdvm_page_state(page),
			 BSDVM_PAGE_FRESH | BSDVM_PAGE_DIRTY);
	bsdvm_fault_page_done(page, BSDVM_PROT_WRITE);
	assert_int_equal(fx_count(v_cow_optim), 1);
	fx_ref(c.object[1]);
	fx_assert_status(object_page(0, PAGE_SIZE, BSDVM_PROT_WRITE, 0, &page),
			 BSDVM_SUCCESS);
	assert_int_equal(fx_folio_byte(page), 'B');
	bsdvm_fault_page_done(page, BSDVM_PROT_WRITE);
	assert_int_equal(fx_count(v_cow_faults), 2);
	assert_int_equal(fx_count(v_cow_optim), 1);
	check_all(c.map);
	fx_unref(c.object[1]);
	fx_put(c.map);
}

/* FP-16: what maps the source through the object, in any map, goes. */
static void object_copy_removes_every_mapping(void **state)
{
	struct bsdvm_map *map;
	struct folio *page;

	c = fx_chain(2, 1, "./A");
	fx_ref(c.object[1]);
	fx_ref(c.object[0]);
	map = bsdvm_map_create_object(c.object[0], NULL);
	assert_int_equal(fx_load(c.map, 0, 0), 'A');
	assert_int_equal(fx_load(map, 1, 0), 'A');
	object_page(0, 0, BSDVM_PROT_WRITE, 0, &page);
	bsdvm_fault_page_done(page, BSDVM_PROT_WRITE);
	assert_int_equal(fx_mappings(c.map), 0);
	assert_int_equal(fx_mappings(map), 0);
	fx_put(map);
	fx_unref(c.object[1]);
	fx_put(c.map);
}

static void hold_family(struct fx_thread *me)
{
	bsdvm_family_lock(me->map->family);
	fx_gate_pass(me->arg);
	bsdvm_family_unlock(me->map->family);
}

static void write_object(struct fx_thread *me)
{
	struct folio *page;

	me->status = bsdvm_fault_object_page(me->object, 0, BSDVM_PROT_WRITE,
					     0, &page);
	if (me->status == BSDVM_SUCCESS)
		bsdvm_fault_page_done(page, BSDVM_PROT_WRITE);
}

/* FP-16, F-96: the family's lock is busy: no deadlock, no busy slot kept. */
static void object_copy_while_the_family_is_locked(void **state)
{
	struct fx_gate gate = FX_GATE_INIT;
	struct fx_thread a = { .arg = &gate }, b = { };

	c = fx_chain(2, 1, "./A");
	fx_ref(c.object[1]);
	a.map = c.map;
	b.object = c.object[0];
	fx_spawn(&a, hold_family);
	fx_gate_await(&gate, 1);
	fx_spawn(&b, write_object);
	usleep(5000);
	fx_gate_open(&gate);
	fx_join(&b);
	fx_join(&a);
	fx_assert_status(b.status, BSDVM_SUCCESS);
	assert_int_equal(fx_held_byte(c.map, 0), 'A');
	check_all(c.map);
	fx_unref(c.object[1]);
	fx_put(c.map);
}

/* FP-20, I-15: object faults under failing allocations. */
static void object_page_without_memory(void **state)
{
	struct folio *page;
	unsigned int n;

	for (n = 1; n <= 2; n++) {
		c = fx_chain(2, 2, "../.B");
		fx_ref(c.object[1]);
		twin_fail_from(n);
		fx_assert_status(object_page(0, PAGE_SIZE, BSDVM_PROT_WRITE, 0,
					     &page), BSDVM_RESOURCE_SHORTAGE);
		twin_fail_nth(0);
		assert_null(page);
		check_all(c.map);
		fx_unref(c.object[1]);
		fx_put(c.map);
	}
}

/* FP-6, FP-11: walks, pagers, holes as with a map. */
static void object_page_from_far(void **state)
{
	struct folio *page;

	c = fx_chain(3, 3, "0.././A..");
	fx_store(c.object[2], 1, 's')->waits = true;
	object_page(0, 0, BSDVM_PROT_READ, 0, &page);
	assert_int_equal(fx_folio_byte(page), 0);
	bsdvm_fault_page_done(page, BSDVM_PROT_READ);
	object_page(0, PAGE_SIZE, BSDVM_PROT_READ, 0, &page);
	assert_int_equal(fx_folio_byte(page), 's');
	bsdvm_fault_page_done(page, BSDVM_PROT_READ);
	object_page(0, 2 * PAGE_SIZE, BSDVM_PROT_READ, BSDVM_FAULT_NOZERO,
		    &page);
	assert_null(page);
	check_all(c.map);
	fx_put(c.map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FX_TEST(wire_flags_are_refused),
		FX_TEST(page_is_held_for_reading),
		FX_TEST(page_is_locked_for_writing),
		FX_TEST(reading_a_wired_page_does_not_dirty_it),
		FX_TEST(write_not_granted),
		FX_TEST(held_page_survives_its_removal),
		FX_TEST(snapshot_waits_for_the_holder),
		FX_TEST(object_page_by_offset),
		FX_TEST(object_page_of_no_access),
		FX_TEST(object_page_is_taken_from_its_store),
		FX_TEST(unswap_frees_the_stored_page),
		FX_TEST(object_page_is_copied_on_write),
		FX_TEST(object_copy_removes_every_mapping),
		FX_TEST(object_copy_while_the_family_is_locked),
		FX_TEST(object_page_without_memory),
		FX_TEST(object_page_from_far),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("fault_page", tests, NULL, NULL);
}
