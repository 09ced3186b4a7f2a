// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* vmcore/seek.c: where a map has data. */
#include "chain.h"

/* The map as seeks see it: 'd' and '.', compared with what reads say. */
static void expect_data(struct bsdvm_map *map, const char *expected)
{
	bsdvm_pindex_t i, at, next;
	char got[256];

	fx_assert(map->size < sizeof(got));
	memset(got, '.', map->size);
	got[map->size] = 0;
	for (at = 0; at < map->size; at = next) {
		if (bsdvm_map_seek_data(map, &at) != BSDVM_SUCCESS)
			break;
		next = at;
		fx_assert_status(bsdvm_map_seek_hole(map, &next),
				 BSDVM_SUCCESS);
		assert_true(next > at && next <= map->size);
		memset(got + at, 'd', next - at);
	}
	assert_string_equal(got, expected);
	/* From every page on. */
	for (i = 0; i < map->size; i++) {
		bsdvm_status_t status;

		at = i;
		status = bsdvm_map_seek_data(map, &at);
		if (strchr(expected + i, 'd')) {
			fx_assert_status(status, BSDVM_SUCCESS);
			assert_int_equal(at,
					 strchr(expected + i, 'd') - expected);
		} else {
			fx_assert_status(status, BSDVM_INVALID_ADDRESS);
		}
		at = i;
		fx_assert_status(bsdvm_map_seek_hole(map, &at), BSDVM_SUCCESS);
		assert_int_equal(at, i + strspn(expected + i, "d"));
	}
	twin_assert_idle();
	check_all(map);
}

static void test_plain(void **state)
{
	struct bsdvm_map *map = ch_map("AB..C..D"), *none = fx_map(0);
	bsdvm_pindex_t at = 8;

	expect_data(map, "dd..d..d");
	fx_assert_status(bsdvm_map_seek_data(map, &at), BSDVM_INVALID_ADDRESS);
	fx_assert_status(bsdvm_map_seek_hole(map, &at), BSDVM_INVALID_ADDRESS);
	at = ULONG_MAX;
	fx_assert_status(bsdvm_map_seek_hole(map, &at), BSDVM_INVALID_ADDRESS);
	at = 0;
	fx_assert_status(bsdvm_map_seek_data(none, &at), BSDVM_INVALID_ADDRESS);
	fx_assert_status(bsdvm_map_seek_hole(none, &at), BSDVM_INVALID_ADDRESS);
	fx_put(none);
	fx_put(map);
}

/* Nothing is created by looking. */
static void test_creates_nothing(void **state)
{
	struct bsdvm_map *map = fx_map(200);
	char holes[201] = { };

	memset(holes, '.', 200);
	expect_data(map, holes);
	assert_int_equal(fx_count(live_objects), 0);
	fx_put(map);
}

/* Data shows through a chain, tombstones hide it, windows end it. */
static void test_chains(void **state)
{
	struct fx_chain c = fx_chain(3, 8, "a.0...../.b.0..../ABCDE...");

	expect_data(c.map, "dd..d...");
	bsdvm_family_lock(c.map->family);
	bsdvm_object_clip_backing(c.object[1], 4);
	bsdvm_family_unlock(c.map->family);
	expect_data(c.map, "dd......");
	fx_put(c.map);
}

static void test_offsets(void **state)
{
	struct bsdvm_map *map = ch_map("A.C.EF.H"), *part, *piece;

	part = ch_shadow(map, 2, 5);		/* C.EF. */
	expect_data(part, "d.dd.");
	ch_write(part, 1, 'x');
	piece = ch_shadow(part, 1, 4);		/* xEF. */
	ch_punch(piece, 1, 1);
	expect_data(piece, "d.d.");
	ch_resize(piece, 2);
	ch_resize(piece, 6);
	expect_data(piece, "d.....");
	expect_data(part, "dddd.");
	expect_data(map, "d.d.dd.d");
	fx_put(piece);
	fx_put(part);
	fx_put(map);
}

/* From one entry into the next. */
static void test_several_entries(void **state)
{
	struct bsdvm_map *map = ch_map("AB.D");

	ch_wire(map, 0, 1);
	ch_resize(map, 6);
	ch_write(map, 4, 'x');
	expect_data(map, "dd.dd.");
	ch_unwire(map, 0, 1);
	ch_wire(map, 3, 5);
	expect_data(map, "dd.ddd");
	ch_unwire(map, 3, 5);
	fx_put(map);
}

/* What only the pager has is data. */
static void test_stored(void **state)
{
	struct fx_chain c = fx_chain(2, 5, "a..../....0");

	fx_store(c.object[1], 2, 'S');
	fx_store(c.object[0], 3, 'S');
	expect_data(c.map, "d.dd.");
	fx_put(c.map);
}

static void read_holes(struct fx_thread *me)
{
	bsdvm_pindex_t at = 0;

	me->status = bsdvm_map_seek_hole(me->map, &at);
	me->pindex = at;
}

static void do_collapse(struct fx_thread *me)
{
	struct bsdvm_family *family = me->object->family;

	bsdvm_family_lock(family);
	bsdvm_object_collapse(me->object);
	bsdvm_family_unlock(family);
}

/* While a collapse is under way a seek waits for it, and gets it right. */
static void test_during_collapse(void **state)
{
	struct fx_chain c = fx_chain(2, 3, ".../ABC");
	struct fx_thread mover = { .object = c.object[0] };
	struct fx_thread seeker = { .map = c.map };

	fx_assert_status(bsdvm_busy_claim(c.object[0], 1, NULL), BSDVM_SUCCESS);
	fx_spawn(&mover, do_collapse);
	fx_await_sleep(&mover);
	fx_spawn(&seeker, read_holes);
	usleep(1000);
	bsdvm_busy_release(c.object[0], 1, NULL);
	fx_join(&mover);
	fx_join(&seeker);
	fx_assert_status(seeker.status, BSDVM_SUCCESS);
	assert_int_equal(seeker.pindex, 3);
	fx_put(c.map);
}

static struct fx_chain collapsing;

static void end_collapse(void)
{
	clear_bit(BSDVM_OBJECT_COLLAPSING, &collapsing.object[1]->flags);
}

/*
 * Who looks for a page that a collapse is moving waits for its end: whoever
 * collapses may need the processor.
 */
static void test_gives_way_to_a_collapse(void **state)
{
	bsdvm_pindex_t at = 1;

	collapsing = fx_chain(2, 4, "a.../AB..");
	set_bit(BSDVM_OBJECT_COLLAPSING, &collapsing.object[1]->flags);
	ch_before_lock(&collapsing.map->family->lock, end_collapse);
	fx_assert_status(bsdvm_map_seek_hole(collapsing.map, &at),
			 BSDVM_SUCCESS);
	assert_int_equal(at, 2);
	twin_assert_idle();
	fx_put(collapsing.map);
}

/* A long way over pages, or tombstones: the map is let go now and then. */
static struct bsdvm_map *long_way;
static unsigned int times_locked;

static void count_lock(void)
{
	times_locked++;
	ch_before_lock(&long_way->lock, count_lock);
}

static void assert_lets_go(bsdvm_status_t (*seek)(struct bsdvm_map *map,
						  bsdvm_pindex_t *pindex),
			   bsdvm_pindex_t found, unsigned int at_least)
{
	bsdvm_pindex_t at = 0;

	times_locked = 0;
	ch_before_lock(&long_way->lock, count_lock);
	fx_assert_status(seek(long_way, &at), BSDVM_SUCCESS);
	ch_before_lock(NULL, NULL);
	assert_int_equal(at, found);
	assert_true(times_locked > at_least);
}

static void test_lets_go(void **state)
{
	unsigned int i;

	long_way = fx_map(300);
	for (i = 0; i < 300; i++)
		ch_write(long_way, i, 'a');
	ch_snapshot(long_way);
	assert_lets_go(bsdvm_map_seek_hole, 300, 3);
	for (i = 0; i < 200; i++)
		ch_punch(long_way, i, i);
	assert_lets_go(bsdvm_map_seek_data, 200, 2);
	fx_put(long_way);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FX_TEST(test_plain),
		FX_TEST(test_creates_nothing),
		FX_TEST(test_chains),
		FX_TEST(test_offsets),
		FX_TEST(test_several_entries),
		FX_TEST(test_stored),
		FX_TEST(test_during_collapse),
		FX_TEST(test_gives_way_to_a_collapse),
		FX_TEST(test_lets_go),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("seek", tests, NULL, NULL);
}
