// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* vmcore/shadow.c: a writable object in place of a frozen one. */
#include "chain.h"

static struct bsdvm_object *shadow(struct bsdvm_object *source,
				   bsdvm_pindex_t offset, bsdvm_pindex_t length)
{
	struct bsdvm_object *result;

	bsdvm_family_lock(source->family);
	result = bsdvm_object_shadow(source, offset, length);
	bsdvm_family_unlock(source->family);
	return result;
}

/* O-15: the only user of an anonymous object goes on with it. */
static void test_O15_sole_user(void **state)
{
	struct fx_chain c = fx_chain(2, 4, "ab../..CD");

	assert_ptr_equal(shadow(c.object[0], 1, 2), c.object[0]);
	assert_int_equal(fx_count(shadows), 0);
	assert_int_equal(c.object[0]->ref_count, 1);
	ch_expect(c.map, "abCD");
	fx_put(c.map);
}

/* O-15: not if there are others, not if it is behind another, not a handle's. */
static void test_O15_not_alone(void **state)
{
	struct fx_chain c = fx_chain(2, 4, "..../ABCD");
	struct bsdvm_object *top = c.object[0], *result;

	/* Referred to once, but by a shadow; the new window gets a reference. */
	result = shadow(c.object[1], 0, 4);
	assert_ptr_not_equal(result, c.object[1]);
	fx_ref(c.object[1]);
	fx_ref(c.object[1]);
	fx_unref(result);
	assert_int_equal(c.object[1]->ref_count, 2);
	assert_int_equal(c.object[1]->shadow_count, 1);
	/* Referred to twice. */
	fx_ref(top);
	result = shadow(top, 0, 4);
	assert_ptr_not_equal(result, top);
	fx_unref(result);
	/* Another's store. */
	fx_set_handle(top);
	fx_ref(top);
	top->ref_count--;
	result = shadow(top, 0, 4);
	assert_ptr_not_equal(result, top);
	top->ref_count++;
	fx_unref(result);
	fx_unref(c.object[1]);
	ch_expect(c.map, "ABCD");
	fx_put(c.map);
}

/*
 * P-12: not if a page is in the hands of somebody who had it from a map that is
 * gone: he keeps its bytes.
 */
static void test_P12_held(void **state)
{
	struct bsdvm_map *map = ch_map("AB"), *other;
	u32 id = ch_snapshot(map);
	struct folio *page;

	other = ch_open(map, id);
	fx_assert_status(bsdvm_fault_page(other, 0, BSDVM_PROT_READ, 0, &page),
			 BSDVM_SUCCESS);
	fx_put(other);
	ch_drop(map, id);
	ch_write(map, 0, 'x');
	assert_int_equal(fx_folio_byte(page), 'A');
	bsdvm_fault_page_done(page, BSDVM_PROT_READ);
	ch_expect(map, "xB");
	fx_put(map);
}

/* O-16: a new object in front; the caller's reference moves to its window. */
static void test_O16_push(void **state)
{
	struct fx_chain c = fx_chain(1, 8, "ABCDEFGH");
	struct bsdvm_object *source = c.object[0], *result;

	fx_ref(source);
	result = shadow(source, 3, 4);
	assert_int_equal(source->ref_count, 2);
	assert_int_equal(source->shadow_count, 1);
	assert_ptr_equal(result->backing_object, source);
	assert_int_equal(result->backing_offset, 3);
	assert_int_equal(result->backing_end, 4);
	assert_int_equal(result->size, 4);
	assert_int_equal(result->ref_count, 1);
	assert_int_equal(atomic_long_read(&result->resident), 0);
	assert_int_equal(fx_count(shadows), 1);
	check_all(c.map);
	fx_unref(result);
	assert_int_equal(source->ref_count, 1);
	assert_int_equal(source->shadow_count, 0);
	fx_put(c.map);
}

/* O-16, M-18: the entry's length, the offset of the entry. */
static void test_O16_window_of_an_entry(void **state)
{
	struct bsdvm_map *map = ch_map("ABCDEFGH"), *part;

	part = ch_shadow(map, 2, 4);
	ch_write(part, 1, 'x');
	assert_int_equal(fx_object(part, 0)->size, 4);
	assert_int_equal(fx_object(part, 0)->backing_offset, 2);
	assert_int_equal(fx_object(part, 0)->backing_end, 4);
	ch_expect(part, "CxEF");
	ch_expect(map, "ABCDEFGH");
	fx_put(part);
	fx_put(map);
}

/* O-16 without memory: NULL, and nothing has changed. */
static void test_O16_no_memory(void **state)
{
	struct fx_chain c = fx_chain(1, 2, "AB");

	fx_ref(c.object[0]);
	twin_fail_nth(1);
	assert_null(shadow(c.object[0], 0, 2));
	assert_true(twin_fail_allocs_done());
	assert_int_equal(c.object[0]->ref_count, 2);
	assert_int_equal(c.object[0]->shadow_count, 0);
	fx_unref(c.object[0]);
	ch_expect(c.map, "AB");
	fx_put(c.map);
}

/*
 * M-24, O-15: after a snapshot the first write pushes a shadow; once the
 * snapshot is gone, the object is the map's alone and is written to in place.
 */
static void test_M24_exclusive_again(void **state)
{
	struct bsdvm_map *map = ch_map("AB");
	u32 id = ch_snapshot(map);

	ch_drop(map, id);
	ch_write(map, 0, 'x');
	assert_int_equal(fx_count(shadows), 0);
	assert_int_equal(fx_count(v_cow_faults), 0);
	id = ch_snapshot(map);
	ch_write(map, 0, 'y');
	assert_int_equal(fx_count(shadows), 1);
	assert_int_equal(fx_count(v_cow_faults), 1);
	ch_expect(map, "yB");
	ch_expect_snapshot(map, id, "xB");
	fx_put(map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FX_TEST(test_O15_sole_user),
		FX_TEST(test_O15_not_alone),
		FX_TEST(test_P12_held),
		FX_TEST(test_O16_push),
		FX_TEST(test_O16_window_of_an_entry),
		FX_TEST(test_O16_no_memory),
		FX_TEST(test_M24_exclusive_again),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("shadow", tests, NULL, NULL);
}
