// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Several threads on one family, for TSan and for what must hold whatever the
 * order: the cut, the data of maps apart, no page taken for a hole.
 *
 * A stale mapping in the fake pmap can be written through until it is removed,
 * so a freeze that forgets one is seen by the cut. Pages that are written in
 * place are read through mappings only: the pmap's lock orders those accesses.
 * BSDVM_STEPS changes the number of rounds.
 */
#include "chain.h"

#define PAGES		16
#define CUT_FIRST	2	/* written first */
#define CUT_SECOND	3	/* then this one */
#define STEADY		7	/* never a hole */
#define PUNCHED		9
#define OWN		12	/* of the thread that writes held pages */

static bool stop;

static unsigned int rounds(unsigned int n)
{
	const char *steps = getenv("BSDVM_STEPS");

	return steps ? strtoul(steps, NULL, 0) : n;
}

/* I-18: page by page in this order; never seen in the other. */
static void write_cut(struct fx_thread *me)
{
	unsigned char value = 1;

	while (!READ_ONCE(stop)) {
		fx_assert(fx_store_byte(me->map, 0, CUT_FIRST, value) ==
			  BSDVM_SUCCESS);
		fx_assert(fx_store_byte(me->map, 0, CUT_SECOND, value) ==
			  BSDVM_SUCCESS);
		value++;
	}
}

/* The same by held pages, as write(2) does. */
static void write_cut_held(struct fx_thread *me)
{
	unsigned char value = 1;

	while (!READ_ONCE(stop)) {
		fx_assert(fx_held_fill(me->map, CUT_FIRST, value) ==
			  BSDVM_SUCCESS);
		fx_assert(fx_held_fill(me->map, CUT_SECOND, value) ==
			  BSDVM_SUCCESS);
		value++;
	}
}

static void check_cut(struct bsdvm_map *map)
{
	int first = ch_peek(map, CUT_FIRST), second = ch_peek(map, CUT_SECOND);
	unsigned char ahead = first - second;

	fx_assert(first >= 0 && second >= 0);
	if (ahead > 1)
		TWIN_DIE("not a cut: %d, then %d", first, second);
}

static void write_own(struct fx_thread *me)
{
	unsigned char value = 1;

	while (!READ_ONCE(stop)) {
		fx_assert(fx_held_fill(me->map, OWN, value) == BSDVM_SUCCESS);
		fx_assert(fx_store_byte(me->map, 0, OWN + 1, value) ==
			  BSDVM_SUCCESS);
		fx_assert(fx_load(me->map, 0, OWN + 1) == value);
		if (!++value)
			value = 1;
	}
}

/* A page that is there is never a hole, however it moves. */
static void look_for_holes(struct fx_thread *me)
{
	bsdvm_pindex_t at;
	struct folio *page;

	while (!READ_ONCE(stop)) {
		fx_assert(bsdvm_fault_page(me->map, STEADY, BSDVM_PROT_READ,
					   BSDVM_FAULT_NOZERO, &page) ==
			  BSDVM_SUCCESS);
		fx_assert(page);
		bsdvm_fault_page_done(page, BSDVM_PROT_READ);
		at = STEADY;
		fx_assert(bsdvm_map_seek_hole(me->map, &at) == BSDVM_SUCCESS);
		fx_assert(at > STEADY);
		at = STEADY;
		fx_assert(bsdvm_map_seek_data(me->map, &at) == BSDVM_SUCCESS);
		fx_assert(at == STEADY);
	}
}

/* Makes the steady page move: renames, copies, collapses. */
static void write_steady(struct fx_thread *me)
{
	unsigned char value = 1;

	while (!READ_ONCE(stop)) {
		fx_assert(fx_store_byte(me->map, 1, STEADY, value) ==
			  BSDVM_SUCCESS);
		fx_assert(fx_load(me->map, 1, STEADY) == value);
		if (!++value)
			value = 1;
	}
}

static void punch(struct fx_thread *me)
{
	while (!READ_ONCE(stop)) {
		fx_assert(fx_store_byte(me->map, 0, PUNCHED, 'p') ==
			  BSDVM_SUCCESS);
		fx_assert(fx_load(me->map, 0, PUNCHED) == 'p');
		fx_assert(bsdvm_map_punch(me->map, PUNCHED, PUNCHED + 1) ==
			  BSDVM_SUCCESS);
		fx_assert(fx_load(me->map, 0, PUNCHED) == 0);
	}
}

static void snapshot_round(struct bsdvm_map *map, u32 *old, unsigned int i)
{
	struct bsdvm_map *opened;
	u64 bytes;
	u32 id;

	fx_assert(bsdvm_map_snapshot(map, 0, &id) == BSDVM_SUCCESS);
	fx_assert(bsdvm_snapshot_open(map, id, NULL, &opened, &bytes) ==
		  BSDVM_SUCCESS);
	check_cut(opened);
	fx_assert(fx_held_fill(opened, STEADY, 'o') == BSDVM_SUCCESS);
	fx_assert(fx_held_fill(opened, CUT_FIRST, 'o') == BSDVM_SUCCESS);
	fx_assert(ch_peek(opened, STEADY) == 'o');
	/* The snapshot of two rounds ago goes: chains are collapsed. */
	if (old[i % 2])
		fx_assert(bsdvm_snapshot_drop(map, old[i % 2]) == BSDVM_SUCCESS);
	old[i % 2] = id;
	bsdvm_map_put(opened);
}

static void take_snapshots(struct fx_thread *me)
{
	u32 old[2] = { };
	unsigned int i;

	for (i = 0; i < rounds(120); i++)
		snapshot_round(me->map, old, i);
	for (i = 0; i < 2; i++)
		if (old[i])
			fx_assert(bsdvm_snapshot_drop(me->map, old[i]) ==
				  BSDVM_SUCCESS);
}

static void run(void (*const bodies[])(struct fx_thread *me), unsigned int n)
{
	struct fx_thread threads[8] = { }, taker = { };
	struct bsdvm_map *map = ch_map("................");
	unsigned int i;

	fx_assert(fx_store_byte(map, 1, STEADY, 's') == BSDVM_SUCCESS);
	WRITE_ONCE(stop, false);
	for (i = 0; i < n; i++) {
		threads[i].map = map;
		fx_spawn(&threads[i], bodies[i]);
	}
	taker.map = map;
	fx_spawn(&taker, take_snapshots);
	fx_join(&taker);
	WRITE_ONCE(stop, true);
	for (i = 0; i < n; i++)
		fx_join(&threads[i]);
	check_all(map);
	check_cut(map);
	fx_put(map);
}

/* I-18, O-24: a writer through mappings, one who looks, one who moves pages. */
static void test_I18_cut_mapped(void **state)
{
	void (*const bodies[])(struct fx_thread *me) = {
		write_cut, look_for_holes, write_steady,
	};

	run(bodies, ARRAY_SIZE(bodies));
}

static void test_I18_cut_held(void **state)
{
	void (*const bodies[])(struct fx_thread *me) = {
		write_cut_held, write_own, punch,
	};

	run(bodies, ARRAY_SIZE(bodies));
}

static void test_all_at_once(void **state)
{
	void (*const bodies[])(struct fx_thread *me) = {
		write_cut, write_own, punch, look_for_holes, write_steady,
	};

	run(bodies, ARRAY_SIZE(bodies));
}

static void wire_and_unwire(struct fx_thread *me)
{
	while (!READ_ONCE(stop)) {
		fx_assert(bsdvm_map_wire(me->map, 0, 5) == BSDVM_SUCCESS);
		fx_assert(bsdvm_map_unwire(me->map, 0, 5) == BSDVM_SUCCESS);
	}
}

static void resize_end(struct fx_thread *me)
{
	while (!READ_ONCE(stop)) {
		fx_assert(bsdvm_map_resize(me->map, PAGES - 2) == BSDVM_SUCCESS);
		fx_assert(bsdvm_map_resize(me->map, PAGES) == BSDVM_SUCCESS);
		fx_assert(ch_peek(me->map, PAGES - 1) == 0);
		fx_assert(fx_held_fill(me->map, PAGES - 1, 'e') ==
			  BSDVM_SUCCESS);
	}
}

/* I-11: wirings and sizes change meanwhile. */
static void test_I11_wiring(void **state)
{
	void (*const bodies[])(struct fx_thread *me) = {
		write_cut, wire_and_unwire, resize_end,
	};

	run(bodies, ARRAY_SIZE(bodies));
}

/* Branches: each thread has a map of its own from one snapshot. */
static void branch(struct fx_thread *me)
{
	struct bsdvm_map *mine, *deeper;
	unsigned int i, n = rounds(80);
	u64 bytes;
	u32 id;

	for (i = 0; i < n; i++) {
		fx_assert(bsdvm_snapshot_open(me->map, me->flags, NULL, &mine,
					      &bytes) == BSDVM_SUCCESS);
		fx_assert(fx_held_fill(mine, i % 4, me->value) == BSDVM_SUCCESS);
		fx_assert(bsdvm_map_snapshot(mine, 0, &id) == BSDVM_SUCCESS);
		fx_assert(bsdvm_map_shadow(mine, 0, 4, NULL, &deeper) ==
			  BSDVM_SUCCESS);
		fx_assert(fx_held_fill(mine, (i + 1) % 4, me->value) ==
			  BSDVM_SUCCESS);
		fx_assert(ch_peek(deeper, i % 4) == me->value);
		fx_assert(ch_peek(deeper, (i + 1) % 4) ==
			  "ABCD"[(i + 1) % 4]);
		bsdvm_map_put(mine);
		fx_assert(bsdvm_map_punch(deeper, i % 4, i % 4) ==
			  BSDVM_SUCCESS);
		fx_assert(bsdvm_snapshot_drop(me->map, id) == BSDVM_SUCCESS);
		fx_assert(ch_peek(deeper, i % 4) == 0);
		fx_assert(ch_peek(deeper, (i + 1) % 4) ==
			  "ABCD"[(i + 1) % 4]);
		bsdvm_map_put(deeper);
	}
}

static void test_I18_branches(void **state)
{
	struct bsdvm_map *map = ch_map("ABCD");
	struct fx_thread threads[4] = { };
	u32 id = ch_snapshot(map);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(threads); i++) {
		threads[i].map = map;
		threads[i].flags = id;
		threads[i].value = 'w' + i;
		fx_spawn(&threads[i], branch);
	}
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		fx_join(&threads[i]);
	ch_expect(map, "ABCD");
	ch_drop(map, id);
	assert_int_equal(fx_count(live_objects), 1);
	assert_int_equal(fx_count(live_pages), 4);
	fx_put(map);
}

/*
 * A store behind the objects: pages come from it while chains are collapsed,
 * punched and written. Pages 0 to 3 are only read, 4 to 9 are one thread's, 10
 * and 11 are punched.
 */
static struct bsdvm_map *stored_map(void)
{
	struct fx_chain c = fx_chain(2, PAGES, NULL);
	struct fx_stored *s;
	unsigned int i;

	for (i = 0; i < 12; i++) {
		s = fx_store(c.object[i < 8], i, 'a' + i);
		s->nscript = i % 3;
		s->script[0] = BSDVM_PAGER_AGAIN;
		s->script[1] = BSDVM_PAGER_PEND;
		s->replace = i % 2;
		s->waits = i % 4 == 1;
	}
	return c.map;
}

static void read_stored(struct fx_thread *me)
{
	unsigned int i;

	while (!READ_ONCE(stop))
		for (i = 0; i < 4; i++)
			fx_assert(fx_held_byte(me->map, i) == 'a' + i);
}

static void write_stored(struct fx_thread *me)
{
	unsigned int i;

	while (!READ_ONCE(stop))
		for (i = 4; i < 10; i++) {
			fx_assert(fx_store_byte(me->map, 0, i, 'w') ==
				  BSDVM_SUCCESS);
			fx_assert(fx_load(me->map, 0, i) == 'w');
		}
}

static void punch_stored(struct fx_thread *me)
{
	while (!READ_ONCE(stop)) {
		fx_assert(bsdvm_map_punch(me->map, 10, 11) == BSDVM_SUCCESS);
		fx_assert(ch_peek(me->map, 10) == 0);
		fx_assert(ch_peek(me->map, 11) == 0);
		fx_assert(fx_held_fill(me->map, 11, 'p') == BSDVM_SUCCESS);
	}
}

static void snapshot_stored(struct fx_thread *me)
{
	struct bsdvm_map *opened;
	unsigned int i, j;
	int byte;
	u64 bytes;
	u32 id;

	for (i = 0; i < 8; i++) {
		fx_assert(bsdvm_map_snapshot(me->map, 0, &id) == BSDVM_SUCCESS);
		fx_assert(bsdvm_snapshot_open(me->map, id, NULL, &opened,
					      &bytes) == BSDVM_SUCCESS);
		fx_assert(bsdvm_snapshot_drop(me->map, id) == BSDVM_SUCCESS);
		for (j = 0; j < 10; j++) {
			byte = fx_held_byte(opened, j);
			fx_assert(byte == 'a' + j || (j >= 4 && byte == 'w'));
		}
		fx_assert(fx_held_fill(opened, i, 'o') == BSDVM_SUCCESS);
		bsdvm_map_put(opened);
	}
}

static void store_round(void)
{
	void (*const bodies[])(struct fx_thread *me) = {
		read_stored, read_stored, write_stored, punch_stored,
	};
	struct fx_thread threads[ARRAY_SIZE(bodies)] = { }, taker = { };
	struct bsdvm_map *map = stored_map();
	unsigned int i;

	WRITE_ONCE(stop, false);
	taker.map = map;
	for (i = 0; i < ARRAY_SIZE(bodies); i++) {
		threads[i].map = map;
		fx_spawn(&threads[i], bodies[i]);
	}
	fx_spawn(&taker, snapshot_stored);
	fx_join(&taker);
	WRITE_ONCE(stop, true);
	for (i = 0; i < ARRAY_SIZE(bodies); i++)
		fx_join(&threads[i]);
	for (i = 0; i < 4; i++)
		assert_int_equal(fx_held_byte(map, i), 'a' + i);
	fx_put(map);
}

/* O-22, F-35, F-51: pagers and collapses at once, in short lives of maps. */
static void test_O22_store_under_collapses(void **state)
{
	unsigned int i;

	for (i = 0; i < rounds(120) / 10; i++)
		store_round();
	assert_true(fx_pager_log.gets > 0);
	assert_true(fx_pager_log.collapses > 0);
}

/*
 * F-79: a page that is being renamed is in the first object before it leaves
 * the one behind. A walk that looked into the first too early must not take it
 * for a hole: has_page is asked between the two looks.
 */
static struct fx_chain renamed;
static pthread_t walker;
static bool raced;

static void rename_it(struct fx_thread *me)
{
	fx_assert(fx_held_fill(me->map, 1, 'n') == BSDVM_SUCCESS);
}

static void between_the_looks(struct bsdvm_object *object,
			      bsdvm_pindex_t pindex)
{
	struct fx_thread writer = { .map = renamed.map };

	if (raced || !pthread_equal(pthread_self(), walker) ||
	    object != renamed.object[0] || pindex != 1)
		return;
	raced = true;
	fx_spawn(&writer, rename_it);
	fx_join(&writer);
}

static void test_F79_rename_under_a_walk(void **state)
{
	struct bsdvm_cursor cursor;
	enum bsdvm_found found;

	renamed = fx_chain(2, 3, ".../ABC");
	renamed.object[0]->pager = &fx_pager;
	walker = pthread_self();
	raced = false;
	fx_has_page_hook = between_the_looks;
	cursor = (struct bsdvm_cursor){
		.object = renamed.object[0], .pindex = 1,
	};
	rcu_read_lock();
	found = bsdvm_resolve(&cursor);
	rcu_read_unlock();
	fx_has_page_hook = NULL;
	assert_true(raced);
	assert_int_equal(fx_count(v_cow_optim), 1);
	assert_int_not_equal(found, BSDVM_FOUND_HOLE);
	assert_int_equal(ch_peek(renamed.map, 1), 'n');
	fx_put(renamed.map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FX_TEST(test_F79_rename_under_a_walk),
		FX_TEST(test_I18_cut_mapped),
		FX_TEST(test_I18_cut_held),
		FX_TEST(test_all_at_once),
		FX_TEST(test_I11_wiring),
		FX_TEST(test_I18_branches),
		FX_TEST(test_O22_store_under_collapses),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("threads", tests, NULL, NULL);
}
