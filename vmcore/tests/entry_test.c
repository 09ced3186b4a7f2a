// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* vmcore/entry.c: insert, clip, merge, and the object behind. M-27 to M-33. */
#include "chain.h"

static void clip(struct bsdvm_map *map, bsdvm_pindex_t pindex)
{
	bsdvm_map_lock_always(map);
	fx_assert_status(bsdvm_entry_clip(map, pindex), BSDVM_SUCCESS);
	bsdvm_map_unlock(map);
	check_all(map);
}

static void simplify(struct bsdvm_map *map)
{
	bsdvm_map_lock_always(map);
	bsdvm_entry_simplify(map, 0, map->size ? map->size - 1 : 0);
	bsdvm_map_unlock(map);
	check_all(map);
}

/* M-28: a new entry. M-27 is the caller's: maps place entries themselves. */
static void test_M28_insert(void **state)
{
	struct bsdvm_map *map = fx_map(4);
	const struct bsdvm_entry *entry = fx_entry(map, 0);

	assert_int_equal(entry->start, 0);
	assert_int_equal(entry->last, 3);
	assert_null(entry->object);
	assert_int_equal(entry->wired_count, 0);
	assert_int_equal(entry->flags, 0);
	assert_int_equal(entry->inheritance, BSDVM_INHERIT_COPY);
	assert_int_equal(entry->protection, BSDVM_PROT_ALL);
	assert_int_equal(entry->max_protection, BSDVM_PROT_ALL);
	assert_ptr_equal(entry->map, map);
	fx_put(map);
}

/* M-31: both halves show what the whole showed, and share the object. */
static void test_M31_clip(void **state)
{
	struct bsdvm_map *map = ch_map("ABCDEF");
	struct bsdvm_object *object = fx_object(map, 0);
	struct bsdvm_entry *first, *second;

	fx_entry(map, 0)->protection = BSDVM_PROT_RW;
	fx_entry(map, 0)->inheritance = BSDVM_INHERIT_NONE;
	clip(map, 2);
	assert_int_equal(ch_entries(map), 2);
	first = fx_entry(map, 1);
	second = fx_entry(map, 2);
	assert_int_equal(first->start, 0);
	assert_int_equal(first->last, 1);
	assert_int_equal(first->offset, 0);
	assert_int_equal(second->start, 2);
	assert_int_equal(second->last, 5);
	assert_int_equal(second->offset, 2);
	assert_int_equal(first->protection, second->protection);
	assert_int_equal(first->inheritance, second->inheritance);
	assert_int_equal(object->ref_count, 2);
	assert_ptr_equal(first->object, object);
	assert_ptr_equal(second->object, object);
	/* At an end, or where nothing is, there is nothing to do. */
	clip(map, 0);
	clip(map, 2);
	clip(map, 6);
	clip(map, 1000);
	assert_int_equal(ch_entries(map), 2);
	ch_expect(map, "ABCDEF");
	ch_write(map, 1, 'x');
	ch_write(map, 2, 'y');
	ch_expect(map, "AxyDEF");
	fx_put(map);
}

/* M-31: without an object the halves get one together. */
static void test_M31_clip_makes_object(void **state)
{
	struct bsdvm_map *map = fx_map(6);

	clip(map, 4);
	assert_non_null(fx_object(map, 0));
	assert_ptr_equal(fx_object(map, 0), fx_object(map, 5));
	assert_int_equal(fx_object(map, 0)->size, 6);
	assert_int_equal(fx_object(map, 0)->ref_count, 2);
	assert_int_equal(fx_entry(map, 4)->offset, 4);
	fx_put(map);
}

/* M-31: a wired entry's halves are wired as the whole was. */
static void test_M31_clip_wired(void **state)
{
	struct bsdvm_map *map = ch_map("ABCD");

	ch_wire(map, 0, 3);
	clip(map, 2);
	assert_int_equal(fx_entry(map, 0)->wired_count, 1);
	assert_int_equal(fx_entry(map, 2)->wired_count, 1);
	assert_int_equal(fx_count(live_wired), 4);
	ch_unwire(map, 2, 3);
	assert_int_equal(fx_count(live_wired), 2);
	ch_unwire(map, 0, 1);
	assert_int_equal(ch_entries(map), 1);
	fx_put(map);
}

/* M-33: what is alike and adjacent becomes one again. */
static void test_M33_merge(void **state)
{
	struct bsdvm_map *map = ch_map("ABCDEF");
	struct bsdvm_object *object = fx_object(map, 0);

	clip(map, 2);
	clip(map, 4);
	assert_int_equal(ch_entries(map), 3);
	assert_int_equal(object->ref_count, 3);
	simplify(map);
	assert_int_equal(ch_entries(map), 1);
	assert_int_equal(object->ref_count, 1);
	assert_int_equal(fx_entry(map, 5)->start, 0);
	assert_int_equal(fx_entry(map, 0)->offset, 0);
	ch_expect(map, "ABCDEF");
	fx_put(map);
}

/* M-33: any difference keeps them apart. */
static void stay_apart(void (*change)(struct bsdvm_entry *entry, bool undo))
{
	struct bsdvm_map *map = ch_map("ABCD");

	clip(map, 2);
	change(fx_entry(map, 2), false);
	simplify(map);
	assert_int_equal(ch_entries(map), 2);
	change(fx_entry(map, 2), true);
	simplify(map);
	assert_int_equal(ch_entries(map), 1);
	ch_expect(map, "ABCD");
	fx_put(map);
}

static void other_prot(struct bsdvm_entry *entry, bool undo)
{
	entry->protection ^= BSDVM_PROT_EXEC;
}

static void other_max(struct bsdvm_entry *entry, bool undo)
{
	entry->max_protection ^= BSDVM_PROT_EXEC;
}

static void other_inherit(struct bsdvm_entry *entry, bool undo)
{
	entry->inheritance ^= BSDVM_INHERIT_NONE ^ BSDVM_INHERIT_COPY;
}

static void other_flags(struct bsdvm_entry *entry, bool undo)
{
	entry->flags ^= BSDVM_ENTRY_NOSYNC;
}

static void other_offset(struct bsdvm_entry *entry, bool undo)
{
	entry->offset += undo ? -1 : 1;
}

static void other_object(struct bsdvm_entry *entry, bool undo)
{
	static struct bsdvm_object *saved;
	struct bsdvm_object *now = entry->object;

	bsdvm_family_lock(entry->map->family);
	if (!undo)
		saved = now;
	bsdvm_entry_set_object(entry, undo ? saved : bsdvm_object_alloc(entry->map->family, 9),
			       entry->offset);
	if (undo)
		bsdvm_object_deallocate(now);
	bsdvm_family_unlock(entry->map->family);
}

static void in_transition(struct bsdvm_entry *entry, bool undo)
{
	struct bsdvm_entry *before = fx_entry(entry->map, 0);

	entry->flags ^= BSDVM_ENTRY_IN_TRANSITION;
	before->flags ^= BSDVM_ENTRY_IN_TRANSITION;
}

static void test_M33_stay_apart(void **state)
{
	stay_apart(other_prot);
	stay_apart(other_max);
	stay_apart(other_inherit);
	stay_apart(other_flags);
	stay_apart(other_offset);
	stay_apart(other_object);
	stay_apart(in_transition);
}

static void other_wiring(struct bsdvm_entry *entry, bool undo)
{
	if (undo)
		ch_unwire(entry->map, 2, 3);
	else
		ch_wire(entry->map, 2, 3);
}

static void test_M33_wired_apart(void **state)
{
	struct bsdvm_map *map = ch_map("ABCD");

	other_wiring(fx_entry(map, 2), false);
	assert_int_equal(ch_entries(map), 2);
	simplify(map);
	assert_int_equal(ch_entries(map), 2);
	other_wiring(fx_entry(map, 2), true);
	assert_int_equal(ch_entries(map), 1);
	fx_put(map);
}

/* M-33: entries without object merge, whatever their offsets. */
static void test_M33_no_object(void **state)
{
	struct bsdvm_map *map = fx_map(0);

	bsdvm_map_lock_always(map);
	assert_non_null(bsdvm_entry_insert(map, 0, 1, NULL, 0, 0));
	assert_non_null(bsdvm_entry_insert(map, 2, 3, NULL, 0, 0));
	map->size = 4;
	bsdvm_map_unlock(map);
	assert_int_equal(ch_entries(map), 2);
	simplify(map);
	assert_int_equal(ch_entries(map), 1);
	ch_expect(map, "....");
	fx_put(map);
}

/* The lookup hint never outlives an entry. */
static void test_hint(void **state)
{
	struct bsdvm_map *map = ch_map("ABCD");

	clip(map, 2);
	assert_int_equal(fx_held_byte(map, 0), 'A');
	assert_ptr_equal(map->hint, fx_entry(map, 0));
	simplify(map);
	assert_int_equal(fx_held_byte(map, 0), 'A');
	ch_resize(map, 0);
	assert_int_equal(fx_held_byte(map, 0), -1);
	ch_resize(map, 2);
	ch_expect(map, "..");
	fx_put(map);
}

/* I-17: sorted, disjoint, and they cover the map: checked throughout. */
static void test_I17_many(void **state)
{
	struct bsdvm_map *map = ch_map("ABCDEFGHIJKLMNOP");
	bsdvm_pindex_t i;

	for (i = 1; i < 16; i += 2)
		clip(map, i);
	for (i = 2; i < 16; i += 2)
		clip(map, i);
	assert_int_equal(ch_entries(map), 16);
	ch_snapshot(map);
	ch_expect(map, "ABCDEFGHIJKLMNOP");
	simplify(map);
	assert_int_equal(ch_entries(map), 1);
	fx_put(map);
}

/* Without memory nothing changes (but that there may be an object now). */
static void test_M31_no_memory(void **state)
{
	struct bsdvm_map *map = fx_map(64);
	bsdvm_status_t status;
	unsigned long n;

	for (n = 1;; n++) {
		bsdvm_map_lock_always(map);
		twin_fail_nth(n);
		status = bsdvm_entry_clip(map, 5);
		twin_fail_nth(0);
		bsdvm_map_unlock(map);
		check_all(map);
		if (status == BSDVM_SUCCESS)
			break;
		fx_assert_status(status, BSDVM_RESOURCE_SHORTAGE);
		assert_int_equal(ch_entries(map), 1);
		assert_int_equal(fx_count(live_entries), 1);
	}
	assert_true(n > 2);
	assert_int_equal(ch_entries(map), 2);
	fx_put(map);
}

/* D-33, M-33: nothing but equal entries merge, whatever was done before. */
static void test_D33_after_a_snapshot(void **state)
{
	struct bsdvm_map *map = ch_map("ABCD");

	clip(map, 2);
	ch_snapshot(map);
	ch_write(map, 0, 'x');
	simplify(map);
	assert_int_equal(ch_entries(map), 2);
	ch_expect(map, "xBCD");
	fx_put(map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FX_TEST(test_M28_insert),
		FX_TEST(test_M31_clip),
		FX_TEST(test_M31_clip_makes_object),
		FX_TEST(test_M31_clip_wired),
		FX_TEST(test_M33_merge),
		FX_TEST(test_M33_stay_apart),
		FX_TEST(test_M33_wired_apart),
		FX_TEST(test_M33_no_object),
		FX_TEST(test_hint),
		FX_TEST(test_I17_many),
		FX_TEST(test_M31_no_memory),
		FX_TEST(test_D33_after_a_snapshot),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("entry", tests, NULL, NULL);
}
