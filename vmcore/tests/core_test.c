// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* vmcore/core.c: start and end. */
#include "fixture.h"

static const struct bsdvm_pmap_ops pmap_ops;
static struct address_space anchor;

/* A start that runs out of memory anywhere leaves nothing behind. */
static void test_start_fails(void **state)
{
	long before = twin_live_allocs();
	unsigned long n;
	int error;

	for (n = 1;; n++) {
		twin_fail_nth(n);
		error = bsdvm_core_init(&pmap_ops, &anchor);
		twin_fail_nth(0);
		if (!error)
			break;
		assert_int_equal(error, -ENOMEM);
		assert_int_equal(twin_live_allocs(), before);
	}
	/* A cache for objects and one for entries. */
	assert_int_equal(n, 3);
	bsdvm_core_fini();
	assert_int_equal(twin_live_allocs(), before);
}

/* The core can be started again. */
static void test_start_again(void **state)
{
	assert_int_equal(fx_setup(state), 0);
	fx_put(fx_map(1));
	assert_int_equal(fx_teardown(state), 0);
	assert_int_equal(fx_setup(state), 0);
	fx_put(fx_map(1));
	assert_int_equal(fx_teardown(state), 0);
}

/* The knobs begin as documented. */
static void test_knobs(void **state)
{
	assert_int_equal(bsdvm_tunables.fast_fault, 1);
	assert_int_equal(bsdvm_tunables.prefault_pages, 16);
	assert_int_equal(bsdvm_tunables.debug_cluster, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_start_fails),
		cmocka_unit_test(test_start_again),
		cmocka_unit_test(test_knobs),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("core", tests, NULL, NULL);
}
