// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* vmcore/snapshot.c: snapshots and shadows of maps. I-18. */
#include "chain.h"

/* I-18: a snapshot shows its moment, whatever is written later, and where. */
static void test_I18_moments(void **state)
{
	struct bsdvm_map *map = ch_map("ABCD");
	u32 id[5];
	unsigned int i;

	for (i = 0; i < 4; i++) {
		id[i] = ch_snapshot(map);
		ch_write(map, i, 'a' + i);
	}
	id[4] = ch_snapshot(map);
	ch_expect_snapshot(map, id[0], "ABCD");
	ch_expect_snapshot(map, id[1], "aBCD");
	ch_expect_snapshot(map, id[2], "abCD");
	ch_expect_snapshot(map, id[3], "abcD");
	ch_expect_snapshot(map, id[4], "abcd");
	/* In any order of dropping. */
	ch_drop(map, id[2]);
	ch_expect_snapshot(map, id[1], "aBCD");
	ch_expect_snapshot(map, id[3], "abcD");
	ch_drop(map, id[0]);
	ch_drop(map, id[4]);
	ch_expect_snapshot(map, id[1], "aBCD");
	ch_drop(map, id[1]);
	ch_expect_snapshot(map, id[3], "abcD");
	ch_drop(map, id[3]);
	ch_expect(map, "abcd");
	assert_int_equal(ch_depth(map, 0), 1);
	assert_int_equal(fx_count(live_pages), 4);
	fx_put(map);
}

/* I-18: maps opened from one snapshot are apart from each other and from it. */
static void test_I18_branches(void **state)
{
	struct bsdvm_map *map = ch_map("ABC"), *a, *b, *c;
	u32 id = ch_snapshot(map), second;

	a = ch_open(map, id);
	b = ch_open(a, id);
	ch_write(a, 0, 'a');
	ch_write(b, 1, 'b');
	ch_write(map, 2, 'm');
	second = ch_snapshot(a);
	c = ch_open(b, second);
	ch_write(a, 1, 'x');
	ch_write(c, 2, 'c');
	ch_expect(map, "ABm");
	ch_expect(a, "axC");
	ch_expect(b, "AbC");
	ch_expect(c, "aBc");
	ch_expect_snapshot(map, id, "ABC");
	ch_expect_snapshot(map, second, "aBC");
	/* The snapshots do not need the map they were taken of. */
	fx_put(map);
	fx_put(a);
	ch_expect_snapshot(b, id, "ABC");
	ch_expect_snapshot(c, second, "aBC");
	fx_put(c);
	ch_drop(b, id);
	ch_drop(b, second);
	ch_expect(b, "AbC");
	assert_int_equal(ch_depth(b, 0), 1);
	fx_put(b);
}

/* What is recorded: number, map, sizes. */
static void test_record(void **state)
{
	struct bsdvm_map *map = ch_map("AB"), *opened;
	u32 first, second;
	u64 bytes = 0;

	fx_assert_status(bsdvm_map_snapshot(map, 5000, &first), BSDVM_SUCCESS);
	fx_assert_status(bsdvm_map_snapshot(map, 6000, &second), BSDVM_SUCCESS);
	assert_int_not_equal(first, second);
	assert_int_not_equal(first, 0);
	fx_assert_status(bsdvm_snapshot_open(map, second, NULL, &opened, &bytes),
			 BSDVM_SUCCESS);
	assert_int_equal(bytes, 6000);
	assert_int_equal(opened->size, 2);
	assert_int_not_equal(opened->index_base, map->index_base);
	fx_put(opened);
	assert_int_equal(fx_count(snapshots), 2);
	assert_int_equal(map->family->nsnapshots, 2);
	fx_put(map);
}

/* A guest, and what is made of it, drops nothing of the family but its own. */
static void test_guest(void **state)
{
	struct bsdvm_map *map = ch_map("AB"), *guest, *part;
	u32 id = ch_snapshot(map), own;

	guest = ch_open(map, id);
	assert_false(guest->guest);
	guest->guest = true;
	part = ch_shadow(guest, 0, 1);
	assert_true(part->guest);
	own = ch_snapshot(guest);
	fx_assert_status(bsdvm_snapshot_drop(guest, id),
			 BSDVM_PROTECTION_FAILURE);
	fx_assert_status(bsdvm_snapshot_drop(part, id),
			 BSDVM_PROTECTION_FAILURE);
	fx_assert_status(bsdvm_snapshot_drop(part, own),
			 BSDVM_PROTECTION_FAILURE);
	fx_put(part);
	ch_drop(guest, own);
	fx_put(guest);
	ch_expect_snapshot(map, id, "AB");
	ch_drop(map, id);
	fx_put(map);
}

static void test_no_such_snapshot(void **state)
{
	struct bsdvm_map *map = ch_map("AB"), *opened;
	u32 id = ch_snapshot(map);
	u64 bytes;

	fx_assert_status(bsdvm_snapshot_drop(map, id + 1), BSDVM_NO_ENTRY);
	fx_assert_status(bsdvm_snapshot_open(map, 0, NULL, &opened, &bytes),
			 BSDVM_NO_ENTRY);
	ch_drop(map, id);
	fx_assert_status(bsdvm_snapshot_drop(map, id), BSDVM_NO_ENTRY);
	fx_assert_status(bsdvm_snapshot_open(map, id, NULL, &opened, &bytes),
			 BSDVM_NO_ENTRY);
	twin_assert_idle();
	fx_put(map);
}

/* M-44: nothing there yet, or nothing at all. */
static void test_empty(void **state)
{
	struct bsdvm_map *map = fx_map(3), *none = fx_map(0), *opened;
	u32 id = ch_snapshot(map), nothing = ch_snapshot(none);

	ch_write(map, 1, 'x');
	ch_expect_snapshot(map, id, "...");
	opened = ch_open(map, id);
	ch_write(opened, 0, 'y');
	ch_expect(opened, "y..");
	ch_expect(map, ".x.");
	fx_put(opened);
	fx_put(map);
	ch_expect_snapshot(none, nothing, "");
	opened = ch_open(none, nothing);
	ch_resize(opened, 2);
	ch_expect(opened, "..");
	fx_put(opened);
	fx_put(none);
}

/* A map of several entries: frozen, live, without object, with a gap between. */
static void test_multi_entry(void **state)
{
	struct bsdvm_map *map = ch_map("ABCDEF"), *opened;
	u32 first, second;

	ch_wire(map, 2, 3);
	first = ch_snapshot(map);
	fx_entry(map, 4)->flags |= BSDVM_ENTRY_NOSYNC;
	fx_entry(map, 5)->protection = BSDVM_PROT_RW;
	ch_resize(map, 9);
	fx_assert_status(fx_held_fill(map, 8, 'I'), BSDVM_SUCCESS);
	ch_write(map, 0, 'a');
	ch_write(map, 3, 'd');
	second = ch_snapshot(map);
	ch_write(map, 3, 'x');
	ch_write(map, 4, 'y');
	ch_write(map, 7, 'z');
	assert_true(ch_entries(map) >= 4);
	ch_expect(map, "aBCxyF.zI");
	ch_expect_snapshot(map, first, "ABCDEF");
	ch_expect_snapshot(map, second, "aBCdEF..I");
	/* The entries of an opened map are as new, and not wired. */
	opened = ch_open(map, second);
	assert_int_equal(fx_entry(opened, 3)->wired_count, 0);
	ch_write(opened, 3, 'o');
	ch_write(opened, 6, 'p');
	ch_expect(opened, "aBCoEFp.I");
	ch_expect(map, "aBCxyF.zI");
	fx_put(opened);
	ch_unwire(map, 2, 3);
	fx_put(map);
}

/* M-48, D-30: wiring and transition are not inherited. */
static void test_M48_not_inherited(void **state)
{
	struct bsdvm_map *map = ch_map("AB"), *opened;
	bsdvm_pindex_t n;
	u32 id;

	fx_assert_status(bsdvm_map_user_wire(map, 0, 1, &n), BSDVM_SUCCESS);
	id = ch_snapshot(map);
	opened = ch_open(map, id);
	assert_int_equal(fx_entry(opened, 0)->wired_count, 0);
	assert_int_equal(fx_entry(opened, 0)->flags &
			 (BSDVM_ENTRY_USER_WIRED | BSDVM_ENTRY_IN_TRANSITION |
			  BSDVM_ENTRY_NEEDS_WAKEUP), 0);
	assert_int_equal(fx_count(live_wired), 2);
	fx_put(opened);
	fx_assert_status(bsdvm_map_user_unwire(map, 0, 1, &n), BSDVM_SUCCESS);
	fx_put(map);
}

/* Shadows of parts: in the middle, of an entry, over several, over holes. */
static void test_shadow_ranges(void **state)
{
	struct bsdvm_map *map = ch_map("ABC..FGH"), *s[4];
	unsigned int i;

	ch_wire(map, 5, 6);
	s[0] = ch_shadow(map, 0, 8);
	s[1] = ch_shadow(map, 1, 1);
	s[2] = ch_shadow(map, 2, 4);
	s[3] = ch_shadow(s[2], 1, 3);
	for (i = 0; i < 8; i++)
		ch_write(map, i, 'm');
	ch_expect(s[0], "ABC..FGH");
	ch_expect(s[1], "B");
	ch_expect(s[2], "C..F");
	ch_expect(s[3], "..F");
	ch_write(s[3], 0, 'x');
	ch_write(s[2], 3, 'y');
	ch_expect(s[3], "x.F");
	ch_expect(s[2], "C..y");
	ch_expect(map, "mmmmmmmm");
	ch_unwire(map, 5, 6);
	for (i = 0; i < 4; i++)
		fx_put(s[i]);
	fx_put(map);
}

static void test_shadow_range_errors(void **state)
{
	struct bsdvm_map *map = ch_map("AB"), *s = NULL;
	const struct { bsdvm_pindex_t first, n; } bad[] = {
		{ 0, 0 }, { 2, 1 }, { 1, 2 }, { 0, 3 }, { ULONG_MAX, 2 },
		{ 1, ULONG_MAX },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		fx_assert_status(bsdvm_map_shadow(map, bad[i].first, bad[i].n,
						  NULL, &s),
				 BSDVM_INVALID_ADDRESS);
		check_all(map);
	}
	assert_false(bsdvm_entry_needs_copy(fx_entry(map, 0)));
	fx_put(map);
}

/* Grow and shrink between snapshots. */
static void test_resize_between(void **state)
{
	struct bsdvm_map *map = ch_map("ABCD");
	u32 id[4];

	id[0] = ch_snapshot(map);
	ch_resize(map, 2);
	id[1] = ch_snapshot(map);
	ch_resize(map, 6);
	ch_expect(map, "AB....");
	ch_write(map, 3, 'x');
	id[2] = ch_snapshot(map);
	ch_resize(map, 1);
	ch_resize(map, 4);
	id[3] = ch_snapshot(map);
	ch_expect(map, "A...");
	ch_expect_snapshot(map, id[0], "ABCD");
	ch_expect_snapshot(map, id[1], "AB");
	ch_expect_snapshot(map, id[2], "AB.x..");
	ch_expect_snapshot(map, id[3], "A...");
	ch_drop(map, id[1]);
	ch_drop(map, id[0]);
	ch_expect_snapshot(map, id[2], "AB.x..");
	ch_drop(map, id[2]);
	ch_expect(map, "A...");
	fx_put(map);
}

/* A snapshot opened, changed in size, taken again. */
static void test_resize_opened(void **state)
{
	struct bsdvm_map *map = ch_map("ABCD"), *opened;
	u32 id = ch_snapshot(map), second;

	opened = ch_open(map, id);
	ch_resize(opened, 3);
	ch_resize(opened, 5);
	ch_expect(opened, "ABC..");
	ch_write(opened, 4, 'x');
	second = ch_snapshot(opened);
	fx_put(opened);
	ch_expect_snapshot(map, second, "ABC.x");
	ch_expect_snapshot(map, id, "ABCD");
	ch_drop(map, id);
	ch_expect_snapshot(map, second, "ABC.x");
	ch_expect(map, "ABCD");
	fx_put(map);
}

/* An id that was dropped names nothing, whatever is taken afterwards. */
static void test_ids_are_not_reused(void **state)
{
	struct bsdvm_map *map = ch_map("A");
	u32 first = ch_snapshot(map), second;

	ch_drop(map, first);
	second = ch_snapshot(map);
	assert_int_not_equal(second, first);
	assert_int_equal((__force int)bsdvm_snapshot_drop(map, first),
			 (__force int)BSDVM_NO_ENTRY);
	ch_expect_snapshot(map, second, "A");
	fx_put(map);
}

/* O-29: a snapshot costs no page, opening none either. */
static void test_no_copies(void **state)
{
	struct bsdvm_map *map = ch_map("ABCDEFGH"), *opened;
	u32 id = ch_snapshot(map);

	opened = ch_open(map, id);
	assert_int_equal(fx_count(live_pages), 8);
	assert_int_equal(fx_count(snapshot_copies), 0);
	assert_int_equal(fx_count(live_objects), 1);
	ch_write(opened, 0, 'x');
	assert_int_equal(fx_count(live_pages), 9);
	fx_put(opened);
	assert_int_equal(fx_count(live_pages), 8);
	fx_put(map);
}

/* An id that names nothing any more is not given away while it is in use. */
static void test_ids(void **state)
{
	struct bsdvm_map *map = ch_map("A"), *other = ch_map("A");
	u32 a = ch_snapshot(map), b = ch_snapshot(map), c;

	ch_drop(map, a);
	c = ch_snapshot(map);
	assert_int_not_equal(c, b);
	/* Ids belong to a family. */
	assert_int_equal(ch_snapshot(other), 1);
	fx_put(other);
	fx_put(map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FX_TEST(test_I18_moments),
		FX_TEST(test_I18_branches),
		FX_TEST(test_record),
		FX_TEST(test_guest),
		FX_TEST(test_no_such_snapshot),
		FX_TEST(test_empty),
		FX_TEST(test_multi_entry),
		FX_TEST(test_M48_not_inherited),
		FX_TEST(test_shadow_ranges),
		FX_TEST(test_shadow_range_errors),
		FX_TEST(test_resize_between),
		FX_TEST(test_resize_opened),
		FX_TEST(test_ids_are_not_reused),
		FX_TEST(test_no_copies),
		FX_TEST(test_ids),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("snapshot", tests, NULL, NULL);
}
