// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Counters: stats.c, section 16. */
#include "fixture.h"

/* All counters of a map's life, from nothing to nothing. */
static void live_counts_return_to_zero(void **state)
{
	struct bsdvm_stats sum;
	struct bsdvm_map *map;
	u32 id;

	bsdvm_stats_sum(&sum);
	assert_false(bsdvm_stats_live(&sum));
	map = fx_map(4);
	fx_held_fill(map, 1, 'a');
	bsdvm_map_snapshot(map, 0, &id);
	fx_held_fill(map, 1, 'b');
	bsdvm_stats_sum(&sum);
	assert_true(bsdvm_stats_live(&sum));
	assert_int_equal(sum.live_families, 1);
	assert_int_equal(sum.live_maps, 1);
	assert_int_equal(sum.live_entries, 1);
	assert_int_equal(sum.live_objects, 2);
	assert_int_equal(sum.live_snapshots, 1);
	assert_int_equal(sum.live_pages, 2);
	assert_int_equal(sum.live_wired, 0);
	fx_put(map);
	bsdvm_stats_sum(&sum);
	assert_false(bsdvm_stats_live(&sum));
}

/* Each live count by itself says that something lives. */
static void any_live_count_counts(void **state)
{
	struct bsdvm_stats sum = { .v_vm_faults = 1, .restarts = 2 };

	assert_false(bsdvm_stats_live(&sum));
#define ONLY(name)						\
	({							\
		sum = (struct bsdvm_stats){ .name = 1 };	\
		assert_true(bsdvm_stats_live(&sum));		\
	});
	BSDVM_LIVE(ONLY)
#undef ONLY
}

/* C-1 to C-3, F-82: what a fault counts. */
static void events_of_faults(void **state)
{
	struct fx_chain c = fx_chain(2, 3, ".../A.C");

	fx_held_byte(c.map, 0);
	fx_held_byte(c.map, 1);
	fx_held_fill(c.map, 0, 'x');
	fx_ref(c.object[1]);
	fx_held_fill(c.map, 2, 'y');
	assert_int_equal(fx_count(v_vm_faults), 4);
	assert_int_equal(fx_count(v_zfod), 1);
	assert_int_equal(fx_count(v_cow_faults), 2);
	assert_int_equal(fx_count(v_cow_optim), 1);
	assert_int_equal(fx_count(v_intrans), 0);
	fx_unref(c.object[1]);
	fx_put(c.map);
}

/* C-8: pages that go with their object, and all pages that go. */
static void events_of_freeing(void **state)
{
	struct bsdvm_map *map = fx_map(4);

	fx_held_fill(map, 0, 'a');
	fx_held_fill(map, 1, 'b');
	bsdvm_map_punch(map, 0, 0);
	assert_int_equal(fx_count(v_tfree), 1);
	assert_int_equal(fx_count(v_pfree), 0);
	fx_put(map);
	assert_int_equal(fx_count(v_tfree), 2);
	assert_int_equal(fx_count(v_pfree), 1);
}

static void add_many(struct fx_thread *me)
{
	unsigned int i;

	for (i = 0; i < 10000; i++)
		bsdvm_count(prefaults);
	bsdvm_count_add(shadows, 7);
	bsdvm_uncount(live_wired);
}

/* L-43: counting by several threads loses nothing. */
static void counting_in_parallel(void **state)
{
	struct fx_thread t[3];
	unsigned int i;

	bsdvm_count_add(live_wired, 3);
	for (i = 0; i < 3; i++)
		fx_spawn(&t[i], add_many);
	for (i = 0; i < 3; i++)
		fx_join(&t[i]);
	assert_int_equal(fx_count(prefaults), 30000);
	assert_int_equal(fx_count(shadows), 21);
	assert_int_equal(fx_count(live_wired), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FX_TEST(live_counts_return_to_zero),
		FX_TEST(any_live_count_counts),
		FX_TEST(events_of_faults),
		FX_TEST(events_of_freeing),
		FX_TEST(counting_in_parallel),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("stats", tests, NULL, NULL);
}
