// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The rate limit: ratelimit.c, section 7. */
#include "fixture.h"

static void set_load(unsigned int load)
{
	bsdvm_tunables.vm_load_enable = 1;
	bsdvm_tunables.vm_load = load;
}

/* Use up what an earlier test left: the supply is zero afterwards. */
static void drain(void)
{
	set_load(1000);
	while (!bsdvm_ratelimit_delay())
		;
}

/* RL-2: switched off: no delay, and the supply is not touched. */
static void disabled_limit(void **state)
{
	unsigned int i;

	drain();
	set_load(990);
	assert_int_equal(bsdvm_ratelimit_delay(), 990L * HZ / 10000);
	bsdvm_tunables.vm_load_enable = 0;
	for (i = 0; i < 50; i++)
		assert_int_equal(bsdvm_ratelimit_delay(), 0);
	set_load(990);
	assert_int_equal(bsdvm_ratelimit_delay(), 0);
	assert_int_equal(bsdvm_ratelimit_delay(), 990L * HZ / 10000);
}

/* RL-3, RL-4: a supply of (1000 - load) / 10 between two delays. */
static void supply_and_delay(void **state)
{
	static const unsigned int loads[] = { 1, 9, 10, 500, 991, 999, 1000 };
	unsigned int i, n, k;

	for (i = 0; i < ARRAY_SIZE(loads); i++) {
		drain();
		set_load(loads[i]);
		for (k = 0; k < 3; k++) {
			assert_int_equal(bsdvm_ratelimit_delay(),
					 (long)loads[i] * HZ / 10000);
			for (n = (1000 - loads[i]) / 10; n; n--)
				assert_int_equal(bsdvm_ratelimit_delay(), 0);
		}
	}
}

/* RL-4, RL-5: at most a tenth of a second, whatever the knob says. */
static void delay_is_bounded(void **state)
{
	drain();
	set_load(UINT_MAX);
	assert_int_equal(bsdvm_ratelimit_delay(), HZ / 10);
	assert_int_equal(bsdvm_ratelimit_delay(), HZ / 10);
	set_load(0);
	assert_int_equal(bsdvm_ratelimit_delay(), 0);
}

/* F-48, RL-8, F-2: one sleep in a fault, with nothing held. */
static void fault_sleeps_once(void **state)
{
	struct fx_chain c = fx_chain(1, 1, NULL);
	struct fx_thread t = { .map = c.map, .access = BSDVM_PROT_WRITE };

	drain();
	fx_spawn(&t, fx_do_held);
	fx_await_sleep(&t);
	assert_false(rwsem_is_locked(&c.map->lock));
	assert_null(fx_slot(c.object[0], 0));
	fx_join(&t);
	fx_assert_status(t.status, BSDVM_SUCCESS);
	assert_int_equal(fx_count(restarts), 1);
	check_all(c.map);
	fx_put(c.map);
}

/* RL-6: who allocates nothing is not limited. */
static void resident_pages_are_not_limited(void **state)
{
	struct fx_chain c = fx_chain(2, 1, "./A");

	drain();
	assert_int_equal(fx_held_byte(c.map, 0), 'A');
	assert_int_equal(fx_count(restarts), 0);
	fx_put(c.map);
}

/* RL-6: also before a pager, and before a copy. */
static void all_allocations_are_limited(void **state)
{
	struct fx_chain c = fx_chain(2, 2, "../.B");

	drain();
	set_load(500);
	fx_store(c.object[1], 0, 's');
	fx_ref(c.object[1]);
	assert_int_equal(fx_held_byte(c.map, 0), 's');
	assert_int_equal(fx_count(restarts), 2);
	drain();
	set_load(500);
	fx_held_fill(c.map, 1, 'x');
	assert_int_equal(fx_count(restarts), 3);
	check_all(c.map);
	fx_unref(c.object[1]);
	fx_put(c.map);
}

/* F-30, F-48 */
static void killed_while_delayed(void **state)
{
	struct fx_chain c = fx_chain(1, 1, NULL);
	struct fx_thread t = { .map = c.map, .access = BSDVM_PROT_WRITE };

	drain();
	fx_spawn(&t, fx_do_held);
	fx_await_sleep(&t);
	twin_kill(t.task);
	fx_join(&t);
	fx_assert_status(t.status, BSDVM_INTERRUPTED);
	check_all(c.map);
	fx_put(c.map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FX_TEST(disabled_limit),
		FX_TEST(supply_and_delay),
		FX_TEST(delay_is_bounded),
		FX_TEST(fault_sleeps_once),
		FX_TEST(resident_pages_are_not_limited),
		FX_TEST(all_allocations_are_limited),
		FX_TEST(killed_while_delayed),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("ratelimit", tests, NULL, NULL);
}
