// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Protection of a range: protect.c. */
#include "chain.h"

static bsdvm_status_t protect(struct bsdvm_map *map, bsdvm_pindex_t first,
			      bsdvm_pindex_t last, unsigned int prot)
{
	bsdvm_status_t status = bsdvm_map_protect(map, first, last, prot,
						  false);

	check_all(map);
	return status;
}

static void protect_max(struct bsdvm_map *map, bsdvm_pindex_t first,
			bsdvm_pindex_t last, unsigned int prot)
{
	fx_assert_status(bsdvm_map_protect(map, first, last, prot, true),
			 BSDVM_SUCCESS);
	check_all(map);
}

static void expect_prot(struct bsdvm_map *map, bsdvm_pindex_t pindex,
			unsigned int prot, unsigned int max)
{
	const struct bsdvm_entry *entry = fx_entry(map, pindex);

	assert_int_equal(entry->protection, prot);
	assert_int_equal(entry->max_protection, max);
}

/* Four pages, all mapped for writing. */
static struct bsdvm_map *mapped(void)
{
	struct bsdvm_map *map = fx_map(4);
	bsdvm_pindex_t i;

	for (i = 0; i < 4; i++)
		fx_assert_status(fx_store_byte(map, 0, i, 'A' + i),
				 BSDVM_SUCCESS);
	assert_int_equal(fx_mappings(map), 4);
	return map;
}

/* M-35: one entry of the range may not have it: no entry gets it. */
static void test_M35_beyond_max(void **state)
{
	struct bsdvm_map *map = mapped();

	protect_max(map, 2, 2, BSDVM_PROT_READ);
	assert_int_equal(fx_mappings(map), 3);
	fx_assert_status(protect(map, 0, 1, BSDVM_PROT_RW), BSDVM_SUCCESS);
	assert_int_equal(fx_mappings(map), 1);
	fx_load(map, 0, 0);
	fx_assert_status(protect(map, 0, 3, BSDVM_PROT_ALL),
			 BSDVM_PROTECTION_FAILURE);
	expect_prot(map, 0, BSDVM_PROT_RW, BSDVM_PROT_ALL);
	expect_prot(map, 2, BSDVM_PROT_READ, BSDVM_PROT_READ);
	expect_prot(map, 3, BSDVM_PROT_ALL, BSDVM_PROT_ALL);
	assert_int_equal(fx_mappings(map), 2);
	ch_expect(map, "ABCD");
	fx_put(map);
}

/* M-35: an entry that only touches the range has no say. */
static void test_M35_neighbours(void **state)
{
	struct bsdvm_map *map = mapped();

	protect_max(map, 0, 0, 0);
	protect_max(map, 3, 3, BSDVM_PROT_READ);
	fx_assert_status(protect(map, 1, 2, BSDVM_PROT_ALL), BSDVM_SUCCESS);
	expect_prot(map, 0, 0, 0);
	expect_prot(map, 1, BSDVM_PROT_ALL, BSDVM_PROT_ALL);
	expect_prot(map, 3, BSDVM_PROT_READ, BSDVM_PROT_READ);
	fx_put(map);
}

static void test_M35_arguments(void **state)
{
	struct bsdvm_map *map = mapped();
	u64 generation = map->generation;

	fx_assert_status(bsdvm_map_protect(map, 2, 1, BSDVM_PROT_READ, false),
			 BSDVM_INVALID_ARGUMENT);
	fx_assert_status(bsdvm_map_protect(map, 0, 1, BSDVM_PROT_ALL + 1,
					   false), BSDVM_INVALID_ARGUMENT);
	assert_int_equal(map->generation, generation);
	assert_int_equal(ch_entries(map), 1);
	fx_put(map);
}

/* M-35: holes are allowed, and nothing lies beyond the end. */
static void test_M35_holes(void **state)
{
	struct bsdvm_map *map = mapped();

	fx_assert_status(protect(map, 3, ULONG_MAX, BSDVM_PROT_READ),
			 BSDVM_SUCCESS);
	expect_prot(map, 2, BSDVM_PROT_ALL, BSDVM_PROT_ALL);
	expect_prot(map, 3, BSDVM_PROT_READ, BSDVM_PROT_ALL);
	fx_assert_status(protect(map, 4, 9, 0), BSDVM_SUCCESS);
	assert_int_equal(fx_mappings(map), 3);
	fx_put(map);
}

/* Without memory for the clips no entry is protected, no mapping lost. */
static void test_M35_no_memory(void **state)
{
	struct bsdvm_map *map = mapped();
	bsdvm_status_t status;
	unsigned long n;

	for (n = 1;; n++) {
		twin_fail_nth(n);
		status = bsdvm_map_protect(map, 1, 2, BSDVM_PROT_READ, false);
		twin_fail_nth(0);
		check_all(map);
		if (status == BSDVM_SUCCESS)
			break;
		fx_assert_status(status, BSDVM_RESOURCE_SHORTAGE);
		expect_prot(map, 1, BSDVM_PROT_ALL, BSDVM_PROT_ALL);
		assert_int_equal(fx_mappings(map), 4);
		assert_int_equal(ch_entries(map), 1);
	}
	assert_true(n > 2);
	expect_prot(map, 1, BSDVM_PROT_READ, BSDVM_PROT_ALL);
	assert_int_equal(ch_entries(map), 3);
	fx_put(map);
}

/* M-36: less is allowed: mappings of the range go, others stay. */
static void test_M36_reduced(void **state)
{
	struct bsdvm_map *map = mapped();

	fx_assert_status(protect(map, 1, 2, BSDVM_PROT_READ), BSDVM_SUCCESS);
	assert_non_null(fx_mapped(map, 0, 0));
	assert_null(fx_mapped(map, 0, 1));
	assert_null(fx_mapped(map, 0, 2));
	assert_non_null(fx_mapped(map, 0, 3));
	fx_assert_status(fx_store_byte(map, 0, 1, 'x'),
			 BSDVM_PROTECTION_FAILURE);
	fx_assert_status(fx_held_fill(map, 2, 'x'), BSDVM_PROTECTION_FAILURE);
	assert_int_equal(fx_load(map, 0, 1), 'B');
	assert_int_equal(fx_mapped_prot(map, 0, 1), BSDVM_PROT_READ);
	assert_int_equal(ch_entries(map), 3);
	ch_expect(map, "ABCD");
	fx_put(map);
}

/* M-36: more is allowed: mappings stay as they are; a fault upgrades. */
static void test_M36_never_upgraded(void **state)
{
	struct bsdvm_map *map = mapped();
	unsigned int removes;

	fx_assert_status(protect(map, 0, 3, BSDVM_PROT_READ), BSDVM_SUCCESS);
	assert_int_equal(fx_load(map, 0, 1), 'B');
	removes = fx_pmap_log.removes;
	fx_assert_status(protect(map, 0, 3, BSDVM_PROT_ALL), BSDVM_SUCCESS);
	assert_int_equal(fx_pmap_log.removes, removes);
	assert_int_equal(fx_mapped_prot(map, 0, 1), BSDVM_PROT_READ);
	fx_assert_status(fx_store_byte(map, 0, 1, 'x'), BSDVM_SUCCESS);
	ch_expect(map, "AxCD");
	fx_put(map);
}

/* M-36: the same protection again costs nobody a mapping. */
static void test_M36_unchanged(void **state)
{
	struct bsdvm_map *map = mapped();

	fx_assert_status(protect(map, 0, 3, BSDVM_PROT_ALL), BSDVM_SUCCESS);
	protect_max(map, 0, 3, BSDVM_PROT_ALL);
	assert_int_equal(fx_mappings(map), 4);
	fx_put(map);
}

/* M-36: what was there and is still allowed; it does not come back. */
static void test_M36_set_max(void **state)
{
	struct bsdvm_map *map = mapped();

	fx_assert_status(protect(map, 0, 1, BSDVM_PROT_READ), BSDVM_SUCCESS);
	protect_max(map, 0, 2, BSDVM_PROT_RW);
	expect_prot(map, 0, BSDVM_PROT_READ, BSDVM_PROT_RW);
	expect_prot(map, 2, BSDVM_PROT_RW, BSDVM_PROT_RW);
	protect_max(map, 2, 2, BSDVM_PROT_WRITE);
	expect_prot(map, 2, BSDVM_PROT_WRITE, BSDVM_PROT_WRITE);
	fx_assert_status(fx_touch(map, 0, 2, BSDVM_PROT_READ, 0),
			 BSDVM_PROTECTION_FAILURE);
	fx_assert_status(protect(map, 2, 2, BSDVM_PROT_RW),
			 BSDVM_PROTECTION_FAILURE);
	fx_put(map);
}

/* M-33: what became alike again is one entry again. */
static void test_M36_merges(void **state)
{
	struct bsdvm_map *map = mapped();

	fx_assert_status(protect(map, 1, 2, BSDVM_PROT_READ), BSDVM_SUCCESS);
	assert_int_equal(ch_entries(map), 3);
	fx_assert_status(protect(map, 0, 3, BSDVM_PROT_READ), BSDVM_SUCCESS);
	assert_int_equal(ch_entries(map), 1);
	fx_put(map);
}

/* I-9: pages shown from behind lose their mappings as well. */
static void test_M36_behind(void **state)
{
	struct bsdvm_map *map = mapped();
	u32 id = ch_snapshot(map);

	assert_int_equal(fx_load(map, 0, 1), 'B');
	fx_assert_status(protect(map, 1, 1, 0), BSDVM_SUCCESS);
	assert_null(fx_mapped(map, 0, 1));
	fx_assert_status(fx_touch(map, 0, 1, BSDVM_PROT_READ, 0),
			 BSDVM_PROTECTION_FAILURE);
	/* Whoever opens the snapshot may do all. */
	ch_expect_snapshot(map, id, "ABCD");
	fx_put(map);
}

/* An entry that nobody touched has nothing to remove but must obey. */
static void test_M36_no_object(void **state)
{
	struct bsdvm_map *map = fx_map(2);

	fx_assert_status(protect(map, 0, 1, BSDVM_PROT_READ), BSDVM_SUCCESS);
	assert_null(fx_object(map, 0));
	fx_assert_status(fx_store_byte(map, 0, 0, 'x'),
			 BSDVM_PROTECTION_FAILURE);
	assert_int_equal(fx_load(map, 0, 0), 0);
	fx_put(map);
}

/* N-15, M-36: what was wired while it was read-only may be made writable. */
static void test_N15_wired_gains_write(void **state)
{
	struct fx_chain c = fx_chain(2, 2, ".b/AB");
	bsdvm_pindex_t n;

	fx_assert_status(protect(c.map, 0, 1, BSDVM_PROT_READ), BSDVM_SUCCESS);
	fx_assert_status(bsdvm_map_user_wire(c.map, 0, 1, &n), BSDVM_SUCCESS);
	fx_assert_status(protect(c.map, 0, 1, BSDVM_PROT_RW), BSDVM_SUCCESS);
	fx_assert_status(fx_store_byte(c.map, 0, 0, 'x'), BSDVM_SUCCESS);
	check_all(c.map);
	assert_int_equal(bsdvm_page_wire_count(fx_page(c.object[0], 0)), 1);
	ch_expect(c.map, "xb");
	fx_put(c.map);
}

static void do_protect(struct fx_thread *me)
{
	me->status = bsdvm_map_protect(me->map, me->pindex, me->pindex,
				       BSDVM_PROT_READ, false);
}

/* The race rule: a page about to be mapped for writing is waited for. */
static void wait_for_fault(bool frozen, unsigned int fault_type)
{
	struct bsdvm_map *map = ch_map("ABC");

	if (frozen)
		ch_snapshot(map);
	ch_wait_for_fault(map, fault_type, do_protect);
	fx_put(map);
}

static void test_M36_faults_waited_for(void **state)
{
	wait_for_fault(false, BSDVM_PROT_WRITE);
	wait_for_fault(true, BSDVM_PROT_READ);
}

static void do_protect_killed(struct fx_thread *me)
{
	twin_kill(current);
	do_protect(me);
	twin_unkill(current);
}

static void test_F30_killable(void **state)
{
	struct bsdvm_map *map = fx_map(2);
	struct fx_thread thread = { .map = map };

	bsdvm_map_lock_always(map);
	fx_spawn(&thread, do_protect_killed);
	fx_join(&thread);
	bsdvm_map_unlock(map);
	fx_assert_status(thread.status, BSDVM_INTERRUPTED);
	expect_prot(map, 0, BSDVM_PROT_ALL, BSDVM_PROT_ALL);
	fx_put(map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FX_TEST(test_M35_beyond_max),
		FX_TEST(test_M35_neighbours),
		FX_TEST(test_M35_arguments),
		FX_TEST(test_M35_holes),
		FX_TEST(test_M35_no_memory),
		FX_TEST(test_M36_reduced),
		FX_TEST(test_M36_never_upgraded),
		FX_TEST(test_M36_unchanged),
		FX_TEST(test_M36_set_max),
		FX_TEST(test_M36_merges),
		FX_TEST(test_M36_behind),
		FX_TEST(test_M36_no_object),
		FX_TEST(test_N15_wired_gains_write),
		FX_TEST(test_M36_faults_waited_for),
		FX_TEST(test_F30_killable),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("protect", tests, NULL, NULL);
}
