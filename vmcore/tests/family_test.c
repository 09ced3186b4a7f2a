// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* vmcore/family.c: life of a family, and what unlocking it works off. */
#include "chain.h"

static unsigned int visited;

static void visit(struct bsdvm_family *family, void *data)
{
	bsdvm_family_lock(family);
	visited += family == data;
	bsdvm_family_unlock(family);
}

/* All maps that descend from one are of its family; others are not. */
static void test_one_family(void **state)
{
	struct bsdvm_map *map = ch_map("AB"), *other = fx_map(1), *shadow;
	struct bsdvm_map *opened;

	opened = ch_open(map, ch_snapshot(map));
	shadow = ch_shadow(opened, 0, 1);
	assert_ptr_equal(opened->family, map->family);
	assert_ptr_equal(shadow->family, map->family);
	assert_ptr_not_equal(other->family, map->family);
	assert_int_equal(fx_count(live_families), 2);
	visited = 0;
	bsdvm_family_for_each(visit, map->family);
	assert_int_equal(visited, 1);
	fx_put(map);
	fx_put(opened);
	assert_int_equal(fx_count(live_families), 2);
	fx_put(shadow);
	assert_int_equal(fx_count(live_families), 1);
	fx_put(other);
	assert_int_equal(fx_count(live_families), 0);
}

/* With the last map go the snapshots, and what they alone hold. */
static void test_snapshots_go_with_the_last_map(void **state)
{
	struct bsdvm_map *map = ch_map("ABC");
	unsigned int i;

	for (i = 0; i < 5; i++) {
		ch_snapshot(map);
		ch_write(map, i % 3, 'a' + i);
	}
	assert_int_equal(fx_count(live_snapshots), 5);
	fx_put(map);
	assert_int_equal(fx_count(live_snapshots), 0);
	assert_int_equal(fx_count(live_objects), 0);
	assert_int_equal(fx_count(live_pages), 0);
}

/* O-7, D-44: several collapses from one release, one after the other. */
static void test_O7_work_off(void **state)
{
	struct bsdvm_map *map = ch_map("ABCDEF");
	u32 id[5];
	unsigned int i;

	for (i = 0; i < 5; i++) {
		id[i] = ch_snapshot(map);
		ch_write(map, i, 'a' + i);
	}
	assert_int_equal(ch_depth(map, 0), 6);
	bsdvm_family_lock(map->family);
	for (i = 0; i < 5; i++) {
		struct bsdvm_snapshot *s = xa_erase(&map->family->snapshots,
						    id[i]);

		map->family->nsnapshots--;
		bsdvm_object_deallocate(s->segments[0].object);
		kfree(s);
		bsdvm_uncount(live_snapshots);
	}
	assert_false(list_empty(&map->family->pending));
	bsdvm_family_unlock(map->family);
	assert_true(list_empty(&map->family->pending));
	assert_true(list_empty(&map->family->dead));
	assert_int_equal(ch_depth(map, 0), 1);
	assert_int_equal(fx_count(object_collapses), 5);
	ch_expect(map, "abcdeF");
	fx_put(map);
}

/* D-44: what was to be collapsed dies before: it is struck off. */
static void test_D44_pending_dies(void **state)
{
	struct bsdvm_map *map = ch_map("AB"), *opened;
	struct bsdvm_family *family = map->family;
	struct bsdvm_entry *entry;
	u32 id = ch_snapshot(map);

	opened = ch_open(map, id);
	ch_write(opened, 0, 'x');
	ch_drop(map, id);
	ch_write(map, 0, 'y');
	/* One shadow goes: the other is pending; then it goes, too. */
	bsdvm_map_lock_always(opened);
	bsdvm_map_lock_always(map);
	bsdvm_family_lock(family);
	entry = fx_entry(opened, 0);
	bsdvm_entry_remove(entry);
	assert_false(list_empty(&family->pending));
	entry = fx_entry(map, 0);
	bsdvm_entry_remove(entry);
	assert_true(list_empty(&family->pending));
	bsdvm_family_unlock(family);
	assert_int_equal(fx_count(live_objects), 0);
	bsdvm_map_unlock(map);
	bsdvm_map_unlock(opened);
	bsdvm_map_put(opened);
	bsdvm_map_put(map);
}

static struct bsdvm_family *held_up;
static bool was_free;

static void try_lock(void)
{
	was_free = bsdvm_family_trylock(held_up);
	if (was_free)
		mutex_unlock(&held_up->lock);
}

/* O-11: objects are destroyed without the lock: it is free meanwhile. */
static void test_destroyed_unlocked(void **state)
{
	struct bsdvm_map *map = ch_map("AB"), *opened;
	u32 id = ch_snapshot(map);

	opened = ch_open(map, id);
	ch_write(opened, 0, 'x');
	held_up = map->family;
	/* The first lock taken for the page: freeing it. */
	ch_before_lock(fx_page(fx_object(opened, 0), 0), try_lock);
	was_free = false;
	bsdvm_map_put(opened);
	assert_true(was_free);
	ch_expect(map, "AB");
	fx_put(map);
}

static void test_no_memory(void **state)
{
	unsigned int n;

	for (n = 1; n <= 2; n++) {
		twin_fail_nth(n);
		assert_null(bsdvm_family_create());
		assert_true(twin_fail_allocs_done());
		assert_int_equal(fx_count(live_families), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FX_TEST(test_one_family),
		FX_TEST(test_snapshots_go_with_the_last_map),
		FX_TEST(test_O7_work_off),
		FX_TEST(test_D44_pending_dies),
		FX_TEST(test_destroyed_unlocked),
		FX_TEST(test_no_memory),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("family", tests, NULL, NULL);
}
