// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* vmcore/object.c: birth, references, links and end of objects. */
#include "chain.h"

/* O-1, O-3, O-5: born with one reference and nothing else; dies with it. */
static void test_O1_O3_O5_life(void **state)
{
	struct bsdvm_map *map = fx_map(4);
	struct bsdvm_object *object;

	object = bsdvm_object_alloc(map->family, 7);
	assert_non_null(object);
	assert_int_equal(object->ref_count, 1);
	assert_int_equal(object->shadow_count, 0);
	assert_int_equal(object->size, 7);
	assert_int_equal(atomic_read(&object->pip), 0);
	assert_int_equal(atomic_long_read(&object->resident), 0);
	assert_null(object->backing_object);
	assert_null(object->pager);
	assert_true(bsdvm_object_is_anonymous(object));
	assert_false(bsdvm_object_is_dead(object));
	assert_true(xa_empty(&object->slots));
	fx_ref(object);
	fx_ref(object);
	assert_int_equal(object->ref_count, 3);
	fx_unref(object);
	fx_unref(object);
	assert_int_equal(object->ref_count, 1);
	assert_int_equal(fx_count(live_objects), 1);
	fx_unref(object);
	assert_int_equal(fx_count(live_objects), 0);
	fx_put(map);
}

/* I-3: links count on both sides; clipping to nothing drops the link. */
static void test_I3_links(void **state)
{
	struct fx_chain c = fx_chain(2, 4, "..../ABCD");
	struct bsdvm_object *front = c.object[0], *back = c.object[1];
	unsigned int seq;

	assert_int_equal(back->shadow_count, 1);
	assert_int_equal(back->ref_count, 1);
	fx_ref(back);
	bsdvm_family_lock(c.map->family);
	seq = c.map->family->seq.sequence;
	bsdvm_object_clip_backing(front, 9);
	assert_int_equal(front->backing_end, 4);
	bsdvm_object_clip_backing(front, 2);
	assert_int_equal(front->backing_end, 2);
	/* Walks without the lock are told. */
	assert_int_equal(c.map->family->seq.sequence, seq + 2);
	bsdvm_family_unlock(c.map->family);
	ch_expect(c.map, "AB..");
	bsdvm_family_lock(c.map->family);
	bsdvm_object_clip_backing(front, 0);
	assert_null(front->backing_object);
	assert_int_equal(back->shadow_count, 0);
	assert_int_equal(back->ref_count, 1);
	bsdvm_object_clip_backing(front, 0);
	bsdvm_family_unlock(c.map->family);
	ch_expect(c.map, "....");
	fx_unref(back);
	fx_put(c.map);
}

/* O-8, O-9: down the chain as far as references reach zero, not further. */
static void test_O8_O9_down_the_chain(void **state)
{
	struct fx_chain c = fx_chain(3, 2, "a./b./c.");
	struct bsdvm_family *family = c.map->family;
	struct bsdvm_object *kept = c.object[1];

	bsdvm_family_get(family);
	fx_ref(kept);
	assert_int_equal(fx_count(live_objects), 3);
	fx_put(c.map);
	assert_int_equal(fx_count(live_objects), 2);
	assert_int_equal(fx_count(v_pfree), 1);
	assert_int_equal(kept->shadow_count, 0);
	assert_int_equal(kept->ref_count, 1);
	fx_unref(kept);
	assert_int_equal(fx_count(live_objects), 0);
	bsdvm_family_put(family);
}

/* O-9: iteratively, however long the chain. */
static void test_O9_deep(void **state)
{
	const unsigned int depth = 200;
	struct bsdvm_map *map = fx_map(depth), *opened;
	unsigned int i;
	u32 id;

	for (i = 0; i < depth; i++) {
		fx_assert(fx_held_fill(map, i, 'a' + i % 26) == BSDVM_SUCCESS);
		fx_assert(bsdvm_map_snapshot(map, 0, &id) == BSDVM_SUCCESS);
		fx_assert(id == i + 1);
	}
	assert_int_equal(ch_depth(map, 0), depth);
	opened = ch_open(map, depth / 2);
	bsdvm_map_put(map);
	assert_int_equal(ch_peek(opened, 0), 'a');
	assert_int_equal(ch_peek(opened, depth / 2 - 1),
			 'a' + (depth / 2 - 1) % 26);
	assert_int_equal(ch_peek(opened, depth / 2), 0);
	fx_put(opened);
	assert_int_equal(fx_count(live_objects), 0);
}

static void drop_too_often(void)
{
	struct bsdvm_map *map = fx_map(1);
	struct bsdvm_object *object = bsdvm_object_alloc(map->family, 1);

	object->ref_count = 0;
	fx_unref(object);
}

/* O-10: there is nothing to drop. */
/* References cost few bytes each, so there may be more than an int can count. */
static void test_O3_beyond_32_bits(void **state)
{
	struct fx_chain c = fx_chain(1, 1, "A");
	struct bsdvm_object *object = c.object[0];

	bsdvm_family_lock(object->family);
	object->ref_count += UINT_MAX;
	bsdvm_object_reference(object);
	assert_true(object->ref_count > UINT_MAX);
	bsdvm_object_deallocate(object);
	bsdvm_object_deallocate(object);
	assert_false(bsdvm_object_is_dead(object));
	object->ref_count -= UINT_MAX - 1;
	bsdvm_family_unlock(object->family);
	check_all(c.map);
	fx_put(c.map);
}

static void test_O10_below_zero(void **state)
{
	assert_false(fx_survives(drop_too_often));
}

/* O-11, P-12: pages go with their object; who holds one keeps its bytes. */
static void test_O11_terminate(void **state)
{
	struct bsdvm_map *map = ch_map("ABC");
	struct folio *held = ch_pin(map, 1);
	u64 freed = fx_count(v_tfree);

	fx_put(map);
	assert_int_equal(fx_count(v_pfree), 3);
	assert_int_equal(fx_count(v_tfree), freed + 3);
	assert_null(held->mapping);
	assert_null(held->private);
	assert_int_equal(fx_folio_byte(held), 'B');
	folio_put(held);
}

static void do_put(struct fx_thread *me)
{
	bsdvm_map_put(me->map);
}

/*
 * O-11: a page leaves its slot before it is given back. A walk on its way out
 * of the object takes what it finds in the slot twice for bsdvm's.
 */
static void test_O11_slots_first(void **state)
{
	struct fx_chain c = fx_chain(1, 3, "ABC");
	struct folio *last = fx_page(c.object[0], 2);
	struct fx_thread thread = { .map = c.map };

	folio_lock(last);
	fx_spawn(&thread, do_put);
	fx_await_sleep(&thread);
	assert_int_equal(fx_count(live_pages), 1);
	assert_null(xa_load(&c.object[0]->slots, 0));
	assert_null(xa_load(&c.object[0]->slots, 1));
	folio_unlock(last);
	fx_join(&thread);
}

/*
 * O-11, W-27: a wired page goes with its object, too: who holds it is a pin,
 * not its wiring. Deliberately unlike the seed, which leaves it lying.
 */
static void test_O11_wired(void **state)
{
	struct bsdvm_map *map = ch_map("AB");

	bsdvm_page_wire(fx_page(fx_object(map, 0), 0));
	assert_int_equal(fx_count(live_wired), 1);
	fx_put(map);
	assert_int_equal(fx_count(live_wired), 0);
	assert_int_equal(fx_count(live_pages), 0);
}

static void do_unref(struct fx_thread *me)
{
	fx_unref(me->object);
}

/* O-11, O-13, I-13: paging in progress holds off destruction. */
static void test_O13_I13_pip(void **state)
{
	struct bsdvm_map *map = fx_map(1);
	struct bsdvm_object *object = bsdvm_object_alloc(map->family, 1);
	struct fx_thread thread = { .object = object };

	assert_true(bsdvm_object_pip_add(object));
	assert_true(bsdvm_object_pip_add(object));
	bsdvm_object_pip_done(object);
	fx_spawn(&thread, do_unref);
	fx_await_sleep(&thread);
	assert_int_equal(fx_count(live_objects), 1);
	/* Dead: nobody else begins to page. */
	assert_false(bsdvm_object_pip_add(object));
	assert_int_equal(atomic_read(&object->pip), 1);
	bsdvm_object_pip_done(object);
	fx_join(&thread);
	assert_int_equal(fx_count(live_objects), 0);
	fx_put(map);
}

/* O-11: the pager is told, once. */
static void test_O11_pager(void **state)
{
	struct fx_chain c = fx_chain(1, 2, NULL);

	fx_store(c.object[0], 1, 'S');
	fx_put(c.map);
	assert_int_equal(fx_pager_log.deallocs, 1);
}

/* I-1: a page belongs to one slot; whoever puts another there must know. */
static void test_I1_one_slot(void **state)
{
	struct bsdvm_map *map = ch_map("A.");
	struct bsdvm_object *object = fx_object(map, 0);

	fx_assert_status(bsdvm_busy_claim(object, 0, NULL), BSDVM_TRY_AGAIN);
	fx_assert_status(bsdvm_busy_claim(object, 1, NULL), BSDVM_SUCCESS);
	fx_assert_status(bsdvm_busy_claim(object, 1, NULL), BSDVM_TRY_AGAIN);
	bsdvm_busy_release(object, 1, NULL);
	ch_expect(map, "A.");
	fx_put(map);
}

/* O-10: a release too many is noticed, and changes nothing. */
static void test_O10_dead_already(void **state)
{
	struct bsdvm_map *map = fx_map(1);
	struct bsdvm_object *object = bsdvm_object_alloc(map->family, 1);

	bsdvm_family_lock(map->family);
	bsdvm_object_deallocate(object);
	twin_warn_abort = false;
	bsdvm_object_deallocate(object);
	twin_warn_abort = true;
	assert_int_equal(twin_warnings, 1);
	twin_warnings = 0;
	assert_int_equal(object->ref_count, 0);
	bsdvm_family_unlock(map->family);
	assert_int_equal(fx_count(live_objects), 0);
	fx_put(map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FX_TEST(test_O1_O3_O5_life),
		FX_TEST(test_I3_links),
		FX_TEST(test_O8_O9_down_the_chain),
		FX_TEST(test_O9_deep),
		FX_TEST(test_O3_beyond_32_bits),
		FX_TEST(test_O10_below_zero),
		FX_TEST(test_O11_terminate),
		FX_TEST(test_O11_wired),
		FX_TEST(test_O13_I13_pip),
		FX_TEST(test_O11_slots_first),
		FX_TEST(test_O11_pager),
		FX_TEST(test_I1_one_slot),
		FX_TEST(test_O10_dead_already),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("object", tests, NULL, NULL);
}
