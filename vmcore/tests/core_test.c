// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* vmcore/core.c: start and end. */
#include "fixture.h"

static const struct bsdvm_pmap_ops pmap_ops;

/* A start that runs out of memory anywhere leaves nothing behind. */
static void test_start_fails(void **state)
{
	long before = twin_live_allocs();
	unsigned long n;
	int error;

	for (n = 1;; n++) {
		twin_fail_nth(n);
		error = bsdvm_core_init(&pmap_ops);
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

static bool reading, over;

static void read_for_long(struct fx_thread *me)
{
	rcu_read_lock();
	WRITE_ONCE(reading, true);
	while (!READ_ONCE(over))
		sched_yield();
	rcu_read_unlock();
}

static void end_core(struct fx_thread *me)
{
	me->value = fx_teardown(NULL);
}

/* The end of the core waits for the memory of the last objects. */
static void test_end_waits(void **state)
{
	struct fx_thread reader = { }, end = { .value = 1 };
	struct bsdvm_map *map;
	unsigned int ms;

	assert_int_equal(fx_setup(state), 0);
	map = fx_map(1);
	assert_int_equal(fx_store_byte(map, 0, 0, 'a'), BSDVM_SUCCESS);
	fx_spawn(&reader, read_for_long);
	while (!READ_ONCE(reading))
		sched_yield();
	fx_put(map);
	fx_spawn(&end, end_core);
	for (ms = 0; ms < 100 && !READ_ONCE(end.done); ms++)
		usleep(1000);
	assert_false(READ_ONCE(end.done));
	WRITE_ONCE(over, true);
	fx_join(&reader);
	fx_join(&end);
	assert_int_equal(end.value, 0);
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
		cmocka_unit_test(test_end_waits),
		cmocka_unit_test(test_knobs),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("core", tests, NULL, NULL);
}
