// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Who goes over many pages, or tombstones, which cost their maker next to
 * nothing, offers the processor to others now and then.
 */
#include "chain.h"

#define MANY	5000

static struct bsdvm_map *map;

static void fill(unsigned char value)
{
	bsdvm_pindex_t i;

	for (i = 0; i < MANY; i++)
		fx_assert(fx_held_fill(map, i, value) == BSDVM_SUCCESS);
}

static void snapshot(u32 *id)
{
	fx_assert_status(bsdvm_map_snapshot(map, 0, id), BSDVM_SUCCESS);
}

/* Pages of the map's own. */
static void make_pages(void)
{
	map = fx_map(MANY);
	fill('a');
}

/* Tombstones in front of nothing but one page. */
static void make_tombstones(void)
{
	u32 id;

	map = fx_map(MANY + 1);
	fx_assert(fx_held_fill(map, MANY, 'z') == BSDVM_SUCCESS);
	snapshot(&id);
	fill('a');
	fx_assert_status(bsdvm_map_punch(map, 0, MANY - 1), BSDVM_SUCCESS);
	assert_int_equal(fx_count(live_pages), 1);
}

/* Pages in front of pages, which the map does not need. */
static void make_covered(void)
{
	u32 id;

	make_pages();
	snapshot(&id);
	fill('b');
}

/* Tombstones in front of pages. */
static void make_hidden(void)
{
	u32 id;

	make_pages();
	snapshot(&id);
	fx_assert_status(bsdvm_map_punch(map, 0, MANY - 2), BSDVM_SUCCESS);
}

static void make_wired(void)
{
	bsdvm_pindex_t n;

	map = fx_map(MANY);
	fx_assert_status(bsdvm_map_user_wire(map, 0, MANY - 1, &n),
			 BSDVM_SUCCESS);
}

static void (*const makers[])(void) = {
	make_pages, make_tombstones, make_covered, make_hidden, make_wired,
};

static void do_punch(void)
{
	fx_assert_status(bsdvm_map_punch(map, 0, MANY - 2), BSDVM_SUCCESS);
}

static void do_shrink(void)
{
	fx_assert_status(bsdvm_map_resize(map, 1), BSDVM_SUCCESS);
}

static void do_grow(void)
{
	fx_assert_status(bsdvm_map_resize(map, 2 * MANY), BSDVM_SUCCESS);
}

static void do_cut(void)
{
	bsdvm_map_cut(map, 1);
}

static void do_snapshots(void)
{
	u32 id;

	snapshot(&id);
	snapshot(&id);
}

static void do_branch(void)
{
	struct bsdvm_map *branch;
	u64 bytes;
	u32 id;

	snapshot(&id);
	fx_assert_status(bsdvm_snapshot_open(map, id, NULL, &branch,
					     &bytes), BSDVM_SUCCESS);
	fx_assert_status(bsdvm_snapshot_drop(map, id), BSDVM_SUCCESS);
	fx_assert(fx_held_fill(branch, 1, 'c') == BSDVM_SUCCESS);
	bsdvm_map_put(branch);
}

static void do_drop(void)
{
	u32 id;

	snapshot(&id);
	fx_assert(fx_held_fill(map, 1, 'c') == BSDVM_SUCCESS);
	fx_assert_status(bsdvm_snapshot_drop(map, id), BSDVM_SUCCESS);
}

static void do_shadow(void)
{
	struct bsdvm_map *made;

	fx_assert_status(bsdvm_map_shadow(map, 0, MANY, NULL, &made),
			 BSDVM_SUCCESS);
	bsdvm_map_put(made);
}

static void do_protect(void)
{
	fx_assert_status(bsdvm_map_protect(map, 0, MANY - 1, BSDVM_PROT_READ,
					   false), BSDVM_SUCCESS);
}

static void do_unwire(void)
{
	bsdvm_pindex_t n;

	bsdvm_map_user_unwire(map, 0, MANY - 1, &n);
}

static void do_seek(void)
{
	bsdvm_pindex_t at = 0;

	bsdvm_map_seek_hole(map, &at);
	at = 0;
	bsdvm_map_seek_data(map, &at);
}

static void do_ask(void)
{
	struct bsdvm_map_summary sum;
	struct bsdvm_report report;

	fx_assert_status(bsdvm_map_summary(map, &sum), BSDVM_SUCCESS);
	fx_assert_status(bsdvm_family_check(map, &report), BSDVM_SUCCESS);
}

static void do_nothing(void)
{
}

static void (*const operations[])(void) = {
	do_punch, do_shrink, do_grow, do_cut, do_snapshots, do_branch, do_drop,
	do_shadow, do_protect, do_unwire, do_seek, do_ask, do_nothing,
};

/* The last descriptor of it is closed in the end. */
static void test_pauses(void **state)
{
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(makers); i++) {
		for (j = 0; j < ARRAY_SIZE(operations); j++) {
			makers[i]();
			twin_steps();
			operations[j]();
			bsdvm_map_put(map);
			rcu_barrier();
			if (twin_steps() > MANY / 2)
				fail_msg("maker %u, operation %u", i, j);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FX_TEST(test_pauses),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("pause", tests, NULL, NULL);
}
