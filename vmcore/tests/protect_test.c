// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* vmcore/protect.c: protection of a range. M-35, M-36. */
#include "chain.h"

static bsdvm_status_t protect(struct bsdvm_map *map, bsdvm_pindex_t first,
			      bsdvm_pindex_t last, unsigned int prot)
{
	bsdvm_status_t status = bsdvm_map_protect(map, first, last, prot,
						  false);

	check_all(map);
	return status;
}

static bsdvm_status_t protect_max(struct bsdvm_map *map, bsdvm_pindex_t first,
				  bsdvm_pindex_t last, unsigned int prot)
{
	bsdvm_status_t status = bsdvm_map_protect(map, first, last, prot, true);

	check_all(map);
	return status;
}

/* A map whose pages are all mapped for writing. */
static struct bsdvm_map *mapped(const char *pages)
{
	struct bsdvm_map *map = ch_map(pages);
	bsdvm_pindex_t i;

	for (i = 0; pages[i]; i++)
		fx_assert_status(fx_store_byte(map, 0, i, pages[i]),
				 BSDVM_SUCCESS);
	return map;
}

/* M-36: what allows more than the new protection is unmapped, no more. */
static void test_M36_mappings_go(void **state)
{
	struct bsdvm_map *map = mapped("ABCD");
	bsdvm_pindex_t i;

	fx_assert_status(protect(map, 1, 2, BSDVM_PROT_READ), BSDVM_SUCCESS);
	assert_int_equal(ch_entries(map), 3);
	assert_null(fx_mapped(map, 0, 1));
	assert_null(fx_mapped(map, 0, 2));
	assert_true(fx_mapped_prot(map, 0, 0) & BSDVM_PROT_WRITE);
	assert_true(fx_mapped_prot(map, 0, 3) & BSDVM_PROT_WRITE);
	for (i = 1; i <= 2; i++) {
		assert_int_equal(fx_load(map, 0, i), "ABCD"[i]);
		assert_int_equal(fx_mapped_prot(map, 0, i), BSDVM_PROT_READ);
		fx_assert_status(fx_store_byte(map, 0, i, 'x'),
				 BSDVM_PROTECTION_FAILURE);
	}
	ch_expect(map, "ABCD");
	fx_put(map);
}

/* M-36: a page about to be mapped as before is waited for. */
static void do_protect(struct fx_thread *me)
{
	me->status = bsdvm_map_protect(me->map, me->pindex, me->pindex,
				       BSDVM_PROT_READ, false);
}

static void test_M36_faults_waited_for(void **state)
{
	struct bsdvm_map *map = ch_map("ABC");
	struct fx_thread thread = { .map = map, .pindex = 1 };
	struct bsdvm_fault fault = {
		.map = map, .pindex = 1, .fault_type = BSDVM_PROT_WRITE,
	};

	fx_assert_status(bsdvm_fault(&fault), BSDVM_SUCCESS);
	fx_spawn(&thread, do_protect);
	fx_await_sleep(&thread);
	fx_map_page(map, 0, 1, fault.page, fault.prot);
	folio_unlock(fault.page);
	folio_put(fault.page);
	fx_join(&thread);
	fx_assert_status(thread.status, BSDVM_SUCCESS);
	assert_null(fx_mapped(map, 0, 1));
	check_all(map);
	fx_put(map);
}

/* M-36: what is allowed as before stays mapped; entries alike are merged. */
static void test_M36_nothing_taken_away(void **state)
{
	struct bsdvm_map *map = mapped("ABCD");

	fx_assert_status(protect(map, 0, 1, BSDVM_PROT_RW), BSDVM_SUCCESS);
	assert_int_equal(ch_entries(map), 2);
	fx_assert_status(fx_store_byte(map, 0, 0, 'a'), BSDVM_SUCCESS);
	fx_pmap_log.removes = 0;
	fx_assert_status(protect(map, 0, 1, BSDVM_PROT_ALL), BSDVM_SUCCESS);
	assert_int_equal(fx_pmap_log.removes, 0);
	assert_int_equal(ch_entries(map), 1);
	assert_int_equal(fx_mapped_byte(map, 0, 0), 'a');
	fx_put(map);
}

/* M-35: no entry changes if one of them may not have the protection. */
static void test_M35_refused(void **state)
{
	struct bsdvm_map *map = mapped("ABCD");

	fx_assert_status(protect_max(map, 2, 2, BSDVM_PROT_READ),
			 BSDVM_SUCCESS);
	fx_assert_status(protect(map, 0, 1, BSDVM_PROT_READ), BSDVM_SUCCESS);
	assert_int_equal(ch_entries(map), 3);
	fx_assert_status(protect(map, 0, 3, BSDVM_PROT_RW),
			 BSDVM_PROTECTION_FAILURE);
	fx_assert_status(protect_max(map, 0, 3, BSDVM_PROT_RW),
			 BSDVM_PROTECTION_FAILURE);
	assert_int_equal(ch_entries(map), 3);
	assert_int_equal(fx_entry(map, 0)->protection, BSDVM_PROT_READ);
	assert_int_equal(fx_entry(map, 0)->max_protection, BSDVM_PROT_ALL);
	assert_int_equal(fx_entry(map, 3)->protection, BSDVM_PROT_ALL);
	fx_assert_status(protect(map, 0, 1, BSDVM_PROT_RW), BSDVM_SUCCESS);
	fx_put(map);
}

/* M-35: lowering the maximum lowers the protection to it and never raises it. */
static void test_M35_maximum(void **state)
{
	struct bsdvm_map *map = mapped("AB");
	const struct bsdvm_entry *entry;

	fx_assert_status(protect(map, 0, 1, BSDVM_PROT_READ), BSDVM_SUCCESS);
	fx_assert_status(protect_max(map, 0, 1, BSDVM_PROT_RW), BSDVM_SUCCESS);
	entry = fx_entry(map, 0);
	assert_int_equal(entry->protection, BSDVM_PROT_READ);
	assert_int_equal(entry->max_protection, BSDVM_PROT_RW);
	fx_assert_status(fx_store_byte(map, 0, 0, 'x'),
			 BSDVM_PROTECTION_FAILURE);
	fx_assert_status(protect(map, 0, 1, BSDVM_PROT_RW), BSDVM_SUCCESS);
	fx_assert_status(fx_store_byte(map, 0, 0, 'x'), BSDVM_SUCCESS);
	fx_assert_status(protect_max(map, 0, 1, BSDVM_PROT_READ),
			 BSDVM_SUCCESS);
	entry = fx_entry(map, 0);
	assert_int_equal(entry->protection, BSDVM_PROT_READ);
	assert_int_equal(entry->max_protection, BSDVM_PROT_READ);
	assert_null(fx_mapped(map, 0, 0));
	fx_assert_status(protect(map, 0, 1, BSDVM_PROT_RW),
			 BSDVM_PROTECTION_FAILURE);
	ch_expect(map, "xB");
	fx_put(map);
}

static void test_bad_arguments(void **state)
{
	struct bsdvm_map *map = mapped("AB");

	fx_assert_status(protect(map, 1, 0, BSDVM_PROT_READ),
			 BSDVM_INVALID_ARGUMENT);
	fx_assert_status(protect(map, 0, 1, BSDVM_PROT_OVERRIDE),
			 BSDVM_INVALID_ARGUMENT);
	assert_true(fx_mapped_prot(map, 0, 0) & BSDVM_PROT_WRITE);
	/* Beyond the end there is nothing to protect. */
	fx_assert_status(protect(map, 2, 5, BSDVM_PROT_READ), BSDVM_SUCCESS);
	assert_int_equal(ch_entries(map), 1);
	fx_put(map);
}

/* Without memory to split entries no protection changes. */
static void test_no_memory(void **state)
{
	struct bsdvm_map *map = mapped("ABCD");
	bsdvm_status_t status;
	unsigned long n;
	bsdvm_pindex_t i;

	for (n = 1;; n++) {
		twin_fail_nth(n);
		status = bsdvm_map_protect(map, 1, 2, BSDVM_PROT_READ, false);
		twin_fail_nth(0);
		check_all(map);
		if (status == BSDVM_SUCCESS)
			break;
		fx_assert_status(status, BSDVM_RESOURCE_SHORTAGE);
		for (i = 0; i < 4; i++)
			assert_int_equal(fx_entry(map, i)->protection,
					 BSDVM_PROT_ALL);
	}
	assert_true(n > 2);
	assert_int_equal(fx_entry(map, 1)->protection, BSDVM_PROT_READ);
	fx_put(map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FX_TEST(test_M36_mappings_go),
		FX_TEST(test_M36_faults_waited_for),
		FX_TEST(test_M36_nothing_taken_away),
		FX_TEST(test_M35_refused),
		FX_TEST(test_M35_maximum),
		FX_TEST(test_bad_arguments),
		FX_TEST(test_no_memory),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("protect", tests, NULL, NULL);
}
