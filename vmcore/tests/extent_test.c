// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* vmcore/extent.c: from an object's pages to the maps that show them. N-10e. */
#include "chain.h"

#define EXTENT_MAPS 8

/* What was removed, by map. */
static struct removal {
	struct bsdvm_map *map;
	bsdvm_pindex_t first;
	bsdvm_pindex_t npages;
} removals[EXTENT_MAPS];
static unsigned int nremovals;

static void note_removal(struct bsdvm_map *map, bsdvm_pindex_t first,
			 bsdvm_pindex_t npages)
{
	if (nremovals < EXTENT_MAPS)
		removals[nremovals] = (struct removal){ map, first, npages };
	nremovals++;
}

static void unmap(struct bsdvm_object *object, bsdvm_pindex_t pindex,
		  bsdvm_pindex_t npages)
{
	nremovals = 0;
	fx_remove_hook = note_removal;
	bsdvm_family_lock(object->family);
	bsdvm_object_unmap(object, pindex, npages);
	bsdvm_family_unlock(object->family);
	fx_remove_hook = NULL;
}

static bool removed(struct bsdvm_map *map, bsdvm_pindex_t first,
		    bsdvm_pindex_t npages)
{
	unsigned int i;

	for (i = 0; i < nremovals && i < EXTENT_MAPS; i++)
		if (removals[i].map == map && removals[i].first == first &&
		    removals[i].npages == npages)
			return true;
	return false;
}

/* The object's own entries, clipped to what each shows. */
static void test_N10e_own_entries(void **state)
{
	struct bsdvm_map *map = ch_map("ABCDEFGH");
	struct bsdvm_object *object = fx_object(map, 0);

	unmap(object, 2, 3);
	assert_int_equal(nremovals, 1);
	assert_true(removed(map, 2, 3));
	/* Clipped in two: each removes its part. */
	ch_wire(map, 4, 7);
	unmap(object, 2, 4);
	assert_int_equal(nremovals, 2);
	assert_true(removed(map, 2, 2));
	assert_true(removed(map, 4, 2));
	unmap(object, 5, 1);
	assert_int_equal(nremovals, 1);
	assert_true(removed(map, 5, 1));
	ch_unwire(map, 4, 7);
	fx_put(map);
}

/* Through windows with offsets, at any depth. */
static void test_N10e_deep_with_offsets(void **state)
{
	struct bsdvm_map *map = ch_map("ABCDEFGH"), *part, *piece;
	struct bsdvm_object *root = fx_object(map, 0);

	part = ch_shadow(map, 2, 5);		/* CDEFG */
	ch_write(part, 0, 'c');
	piece = ch_shadow(part, 1, 3);		/* DEF */
	ch_write(piece, 2, 'f');
	ch_write(map, 7, 'h');
	ch_expect(piece, "DEf");
	unmap(root, 3, 2);			/* D and E */
	assert_true(removed(map, 3, 2));
	assert_true(removed(part, 1, 2));
	assert_true(removed(piece, 0, 2));
	assert_int_equal(nremovals, 3);
	unmap(root, 6, 1);			/* G: not in the piece */
	assert_true(removed(map, 6, 1));
	assert_true(removed(part, 4, 1));
	assert_int_equal(nremovals, 2);
	unmap(root, 0, 1);			/* A: only in the map */
	assert_int_equal(nremovals, 1);
	assert_true(removed(map, 0, 1));
	/* From the middle upwards only. */
	unmap(fx_object(part, 0), 1, 1);
	assert_true(removed(part, 1, 1));
	fx_put(piece);
	fx_put(part);
	fx_put(map);
}

/* A branched tree: every leaf once, whichever way the branches go. */
static void test_N10e_branches(void **state)
{
	struct bsdvm_map *map = ch_map("ABCD"), *leaf[6];
	struct bsdvm_object *root = fx_object(map, 0);
	u32 id = ch_snapshot(map);
	unsigned int i;

	for (i = 0; i < 3; i++) {
		leaf[i] = ch_open(map, id);
		ch_write(leaf[i], i, 'a' + i);
	}
	for (i = 3; i < 6; i++) {
		leaf[i] = ch_shadow(leaf[i - 3], 0, 4);
		ch_write(leaf[i], 3, 'x');
		ch_write(leaf[i - 3], 3, 'y');
	}
	ch_write(map, 0, 'z');
	unmap(root, 3, 1);
	assert_int_equal(nremovals, 7);
	assert_true(removed(map, 3, 1));
	for (i = 0; i < 6; i++)
		assert_true(removed(leaf[i], 3, 1));
	for (i = 0; i < 6; i++)
		fx_put(leaf[i]);
	fx_put(map);
}

/* A window that ends before the range, or begins behind it, is not visited. */
static void test_N10e_windows_end(void **state)
{
	struct bsdvm_map *map = ch_map("ABCD"), *all;
	struct bsdvm_object *root = fx_object(map, 0);

	all = ch_shadow(map, 0, 4);
	ch_write(all, 0, 'a');
	ch_write(map, 0, 'm');
	ch_punch(all, 2, 3);
	unmap(root, 2, 2);
	assert_int_equal(nremovals, 1);
	assert_true(removed(map, 2, 2));
	unmap(root, 1, 2);
	assert_int_equal(nremovals, 2);
	assert_true(removed(map, 1, 2));
	fx_put(all);
	fx_put(map);
}

/* L-21: mappings go, in every space; those of other pages stay. */
static void test_L21_mappings_go(void **state)
{
	struct bsdvm_map *map = ch_map("ABCD"), *other;
	struct bsdvm_object *root = fx_object(map, 0);

	other = ch_shadow(map, 0, 4);
	assert_int_equal(fx_load(map, 0, 1), 'B');
	assert_int_equal(fx_load(map, 1, 1), 'B');
	assert_int_equal(fx_load(other, 0, 1), 'B');
	assert_int_equal(fx_load(other, 0, 2), 'C');
	unmap(root, 1, 1);
	assert_null(fx_mapped(map, 0, 1));
	assert_null(fx_mapped(map, 1, 1));
	assert_null(fx_mapped(other, 0, 1));
	assert_int_equal(fx_mapped_byte(other, 0, 2), 'C');
	ch_expect(other, "ABCD");
	fx_put(other);
	fx_put(map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FX_TEST(test_N10e_own_entries),
		FX_TEST(test_N10e_deep_with_offsets),
		FX_TEST(test_N10e_branches),
		FX_TEST(test_N10e_windows_end),
		FX_TEST(test_L21_mappings_go),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("extent", tests, NULL, NULL);
}
