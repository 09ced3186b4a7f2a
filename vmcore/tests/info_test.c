// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* vmcore/info.c: questions and their answers. */
#include "chain.h"

static void test_map_summary(void **state)
{
	struct bsdvm_map *map = ch_map("ABCDEF"), *opened;
	struct bsdvm_map_summary sum;
	u32 id = ch_snapshot(map);

	opened = ch_open(map, id);
	ch_write(map, 1, 'x');
	ch_wire(map, 4, 5);
	fx_assert_status(bsdvm_map_summary(map, &sum), BSDVM_SUCCESS);
	assert_int_equal(sum.generation, map->generation);
	assert_int_equal(sum.entries, 2);
	assert_int_equal(sum.depth, 2);
	assert_int_equal(sum.wired, 2);
	assert_int_equal(sum.snapshots, 1);
	assert_int_equal(sum.maps, 2);
	/* Two entries on one object of three pages in front of one of six. */
	assert_int_equal(sum.resident, 3);
	assert_int_equal(sum.reachable, 9);
	twin_assert_idle();
	ch_unwire(map, 4, 5);
	fx_put(opened);
	fx_put(map);
}

static void test_empty_summary(void **state)
{
	struct bsdvm_map *map = fx_map(0);
	struct bsdvm_map_summary sum;

	fx_assert_status(bsdvm_map_summary(map, &sum), BSDVM_SUCCESS);
	assert_int_equal(sum.entries, 0);
	assert_int_equal(sum.depth, 0);
	assert_int_equal(sum.resident, 0);
	assert_int_equal(sum.maps, 1);
	fx_put(map);
}

/* The longest chain, whichever entry is asked first. */
static void test_depth_of_shared_chains(void **state)
{
	struct bsdvm_map *map = ch_map("ABCDEF"), *opened;
	struct bsdvm_map_summary sum;
	unsigned int i, j, longest;
	u32 id;

	ch_wire(map, 2, 3);
	id = ch_snapshot(map);
	ch_unwire(map, 2, 3);
	opened = ch_open(map, id);
	for (i = 0; i < 12; i++) {
		ch_write(opened, i * 5 % 6, 'a' + i);
		ch_snapshot(opened);
		fx_assert_status(bsdvm_map_summary(opened, &sum),
				 BSDVM_SUCCESS);
		longest = 0;
		for (j = 0; j < 6; j++)
			longest = max(longest, ch_depth(opened, j));
		assert_int_equal(sum.depth, longest);
	}
	assert_true(longest > 2);
	fx_put(opened);
	fx_put(map);
}

static u64 resident(struct bsdvm_map *map)
{
	struct bsdvm_map_summary sum;
	u64 pages = 99;

	fx_assert_status(bsdvm_map_summary(map, &sum), BSDVM_SUCCESS);
	fx_assert_status(bsdvm_map_resident(map, &pages), BSDVM_SUCCESS);
	assert_int_equal(sum.resident, pages);
	return pages;
}

/* Pieces of one entry, some of them frozen since, are counted once. */
static void test_resident_once(void **state)
{
	struct bsdvm_map *map = ch_map("ABCDEF"), *part;
	struct bsdvm_map_summary sum;

	ch_wire(map, 2, 3);
	assert_int_equal(ch_entries(map), 3);
	assert_int_equal(resident(map), 6);
	fx_assert_status(bsdvm_map_summary(map, &sum), BSDVM_SUCCESS);
	assert_int_equal(sum.reachable, 6);
	ch_unwire(map, 2, 3);
	fx_assert_status(bsdvm_map_protect(map, 2, 3, BSDVM_PROT_RW, false),
			 BSDVM_SUCCESS);
	part = ch_shadow(map, 0, 2);
	assert_int_equal(ch_entries(map), 3);
	assert_int_equal(resident(map), 6);
	assert_int_equal(resident(part), 0);
	ch_write(part, 1, 'x');
	assert_int_equal(resident(part), 1);
	fx_assert_status(bsdvm_map_summary(part, &sum), BSDVM_SUCCESS);
	assert_int_equal(sum.reachable, 7);
	fx_put(part);
	fx_put(map);
}

/* What a snapshot shows as well is not the map's own, until it is dropped. */
static void test_resident_shared(void **state)
{
	struct bsdvm_map *map = ch_map("ABCDEF"), *opened;
	u32 id = ch_snapshot(map);

	opened = ch_open(map, id);
	assert_int_equal(resident(map), 0);
	assert_int_equal(resident(opened), 0);
	ch_write(map, 1, 'x');
	assert_int_equal(resident(map), 1);
	ch_drop(map, id);
	assert_int_equal(resident(opened), 0);
	fx_put(map);
	assert_int_equal(resident(opened), 6);
	fx_put(opened);
}

/* Maps are those that exist, whatever else needs the family for a while. */
static void test_maps(void **state)
{
	struct bsdvm_map *map = ch_map("A"), *part = ch_shadow(map, 0, 1);
	struct bsdvm_map_summary sum;

	bsdvm_family_get(map->family);
	fx_assert_status(bsdvm_map_summary(map, &sum), BSDVM_SUCCESS);
	assert_int_equal(sum.maps, 2);
	bsdvm_family_put(map->family);
	fx_put(part);
	fx_assert_status(bsdvm_map_summary(map, &sum), BSDVM_SUCCESS);
	assert_int_equal(sum.maps, 1);
	fx_put(map);
}

static void test_user_wired(void **state)
{
	struct bsdvm_map *map = fx_map(8);
	bsdvm_pindex_t n;

	fx_assert_status(bsdvm_map_user_wire(map, 1, 3, &n), BSDVM_SUCCESS);
	ch_wire(map, 3, 6);
	assert_int_equal(bsdvm_map_user_wired(map, 0, BSDVM_PAGES_MAX), 3);
	fx_put(map);
}

static void test_entry_query(void **state)
{
	struct bsdvm_map *map = ch_map("ABCDEF");
	struct bsdvm_entry copy;
	u64 id = 99;

	ch_wire(map, 2, 3);
	fx_assert_status(bsdvm_entry_query(map, 0, &copy, &id), BSDVM_SUCCESS);
	assert_int_equal(copy.start, 0);
	assert_int_equal(copy.last, 1);
	assert_int_equal(id, fx_object(map, 0)->id);
	fx_assert_status(bsdvm_entry_query(map, 2, &copy, &id), BSDVM_SUCCESS);
	assert_int_equal(copy.start, 2);
	assert_int_equal(copy.wired_count, 1);
	assert_int_equal(copy.offset, 2);
	fx_assert_status(bsdvm_entry_query(map, 6, &copy, &id), BSDVM_NO_ENTRY);
	twin_assert_idle();
	ch_resize(map, 0);
	ch_resize(map, 3);
	fx_assert_status(bsdvm_entry_query(map, 0, &copy, &id), BSDVM_SUCCESS);
	assert_int_equal(id, 0);
	fx_put(map);
}

static void test_object_query(void **state)
{
	struct fx_chain c = fx_chain(2, 4, "a.../ABC.");
	struct bsdvm_object_summary sum;

	fx_assert_status(bsdvm_object_query(c.map, 3, 0, &sum), BSDVM_SUCCESS);
	assert_int_equal(sum.id, c.object[0]->id);
	assert_int_equal(sum.backing_id, c.object[1]->id);
	assert_int_equal(sum.backing_offset, 0);
	assert_int_equal(sum.size, 4);
	assert_int_equal(sum.resident, 1);
	assert_int_equal(sum.ref_count, 1);
	assert_int_equal(sum.shadow_count, 0);
	assert_false(sum.collapsing);
	fx_assert_status(bsdvm_object_query(c.map, 0, 1, &sum), BSDVM_SUCCESS);
	assert_int_equal(sum.id, c.object[1]->id);
	assert_int_equal(sum.backing_id, 0);
	assert_int_equal(sum.resident, 3);
	assert_int_equal(sum.shadow_count, 1);
	fx_assert_status(bsdvm_object_query(c.map, 0, 2, &sum), BSDVM_NO_ENTRY);
	fx_assert_status(bsdvm_object_query(c.map, 4, 0, &sum), BSDVM_NO_ENTRY);
	twin_assert_idle();
	set_bit(BSDVM_OBJECT_COLLAPSING, &c.object[1]->flags);
	fx_assert_status(bsdvm_object_query(c.map, 0, 1, &sum), BSDVM_SUCCESS);
	assert_true(sum.collapsing);
	clear_bit(BSDVM_OBJECT_COLLAPSING, &c.object[1]->flags);
	fx_put(c.map);
}

static void test_snapshot_query(void **state)
{
	struct bsdvm_map *map = ch_map("AB"), *none = fx_map(0);
	struct bsdvm_snapshot_summary sum;
	u32 id[3], other;
	unsigned int i;

	for (i = 0; i < 3; i++)
		fx_assert_status(bsdvm_map_snapshot(map, 100 + i, &id[i]),
				 BSDVM_SUCCESS);
	ch_drop(map, id[1]);
	fx_assert_status(bsdvm_snapshot_query(map, 0, &sum), BSDVM_SUCCESS);
	assert_int_equal(sum.id, id[0]);
	assert_int_equal(sum.bytes, 100);
	assert_int_equal(sum.map_id, map->id);
	assert_int_equal(sum.object_id, fx_object(map, 0)->id);
	fx_assert_status(bsdvm_snapshot_query(map, id[1], &sum), BSDVM_SUCCESS);
	assert_int_equal(sum.id, id[2]);
	assert_int_equal(sum.bytes, 102);
	fx_assert_status(bsdvm_snapshot_query(map, id[2] + 1, &sum),
			 BSDVM_NO_ENTRY);
	fx_assert_status(bsdvm_map_snapshot(none, 0, &other), BSDVM_SUCCESS);
	fx_assert_status(bsdvm_snapshot_query(none, 0, &sum), BSDVM_SUCCESS);
	assert_int_equal(sum.object_id, 0);
	fx_put(none);
	fx_put(map);
}

/* What is wired already is not needed; what is not there cannot be. */
static void test_user_wire_need(void **state)
{
	struct bsdvm_map *map = fx_map(8);
	bsdvm_pindex_t n = 99;

	fx_assert_status(bsdvm_map_user_wire(map, 1, 3, &n), BSDVM_SUCCESS);
	ch_wire(map, 4, 6);
	fx_assert_status(bsdvm_map_user_wire_need(map, 0, 7, &n),
			 BSDVM_SUCCESS);
	assert_int_equal(n, 5);
	fx_assert_status(bsdvm_map_user_wire_need(map, 2, 3, &n),
			 BSDVM_SUCCESS);
	assert_int_equal(n, 0);
	fx_assert_status(bsdvm_map_user_wire_need(map, 7, 8, &n),
			 BSDVM_INVALID_ADDRESS);
	fx_assert_status(bsdvm_map_user_wire_need(map, 0, ULONG_MAX, &n),
			 BSDVM_INVALID_ADDRESS);
	fx_assert_status(bsdvm_map_user_wire_need(map, 3, 2, &n),
			 BSDVM_INVALID_ADDRESS);
	fx_put(map);
}

/* A range that ends before it begins has no pages, whatever lies there. */
static void test_user_wired_backwards(void **state)
{
	struct bsdvm_map *map = ch_map("ABCD");
	bsdvm_pindex_t n;

	fx_assert_status(bsdvm_map_user_wire(map, 0, 3, &n), BSDVM_SUCCESS);
	assert_int_equal(bsdvm_map_user_wired(map, 1, 2), 2);
	assert_int_equal(bsdvm_map_user_wired(map, 3, 1), 0);
	fx_put(map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FX_TEST(test_map_summary),
		FX_TEST(test_empty_summary),
		FX_TEST(test_depth_of_shared_chains),
		FX_TEST(test_resident_once),
		FX_TEST(test_resident_shared),
		FX_TEST(test_maps),
		FX_TEST(test_user_wired),
		FX_TEST(test_entry_query),
		FX_TEST(test_object_query),
		FX_TEST(test_snapshot_query),
		FX_TEST(test_user_wire_need),
		FX_TEST(test_user_wired_backwards),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("info", tests, NULL, NULL);
}
