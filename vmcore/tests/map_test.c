// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* vmcore/map.c: life cycle, locking, lookup. M-10 to M-23, I-16. */
#include "chain.h"

static bsdvm_status_t lookup(struct bsdvm_lookup *l, struct bsdvm_map *map,
			     bsdvm_pindex_t pindex, unsigned int fault_type)
{
	*l = (struct bsdvm_lookup){
		.map = map, .pindex = pindex, .fault_type = fault_type,
	};
	return bsdvm_map_lookup(l);
}

/* A lookup that must succeed; the map is unlocked again. */
static void look_up(struct bsdvm_lookup *l, struct bsdvm_map *map,
		    bsdvm_pindex_t pindex, unsigned int fault_type)
{
	fx_assert_status(lookup(l, map, pindex, fault_type), BSDVM_SUCCESS);
	lockdep_assert_held_read(&map->lock);
	bsdvm_map_unlock_shared(map);
	twin_assert_idle();
}

/* M-10: no entry, or beyond the end: INVALID_ADDRESS, and unlocked. */
static void test_M10_no_entry(void **state)
{
	struct bsdvm_map *map = fx_map(4);
	struct bsdvm_lookup l;

	fx_assert_status(lookup(&l, map, 4, BSDVM_PROT_READ),
			 BSDVM_INVALID_ADDRESS);
	fx_assert_status(lookup(&l, map, ULONG_MAX, BSDVM_PROT_READ),
			 BSDVM_INVALID_ADDRESS);
	twin_assert_idle();
	fx_put(map);
	map = fx_map(0);
	fx_assert_status(lookup(&l, map, 0, BSDVM_PROT_READ),
			 BSDVM_INVALID_ADDRESS);
	twin_assert_idle();
	fx_put(map);
}

/* M-12: protection, or max_protection with OVERRIDE. */
static void test_M12_protection(void **state)
{
	struct bsdvm_map *map = ch_map("AB");
	struct bsdvm_entry *entry = fx_entry(map, 0);
	struct bsdvm_lookup l;

	entry->protection = BSDVM_PROT_READ;
	entry->max_protection = BSDVM_PROT_RW;
	fx_assert_status(lookup(&l, map, 0, BSDVM_PROT_WRITE),
			 BSDVM_PROTECTION_FAILURE);
	fx_assert_status(lookup(&l, map, 0, BSDVM_PROT_EXEC | BSDVM_PROT_OVERRIDE),
			 BSDVM_PROTECTION_FAILURE);
	twin_assert_idle();
	/* M-15: the checked protection is what may be mapped. */
	look_up(&l, map, 0, BSDVM_PROT_READ);
	assert_int_equal(l.prot, BSDVM_PROT_READ);
	look_up(&l, map, 0, BSDVM_PROT_WRITE | BSDVM_PROT_OVERRIDE);
	assert_int_equal(l.prot, BSDVM_PROT_RW);
	fx_put(map);
}

/* M-14: wired: access and protection become the entry's, OVERRIDE or not. */
static void test_M14_wired(void **state)
{
	struct bsdvm_map *map = ch_map("AB");
	struct bsdvm_entry *entry = fx_entry(map, 0);
	struct bsdvm_lookup l;

	entry->protection = BSDVM_PROT_RW;
	look_up(&l, map, 0, BSDVM_PROT_READ);
	assert_false(l.wired);
	assert_int_equal(l.fault_type, BSDVM_PROT_READ);
	ch_wire(map, 0, 1);
	look_up(&l, map, 0, BSDVM_PROT_READ);
	assert_true(l.wired);
	assert_int_equal(l.fault_type, BSDVM_PROT_RW);
	assert_int_equal(l.prot, BSDVM_PROT_RW);
	look_up(&l, map, 0, BSDVM_PROT_READ | BSDVM_PROT_OVERRIDE);
	assert_int_equal(l.fault_type, BSDVM_PROT_RW);
	assert_int_equal(l.prot, BSDVM_PROT_RW);
	ch_unwire(map, 0, 1);
	fx_put(map);
}

/* M-16: NEEDS_COPY and no write: not writable, and nothing else happens. */
static void test_M16_needs_copy_read(void **state)
{
	struct bsdvm_map *map = ch_map("AB");
	struct bsdvm_object *object = fx_object(map, 0);
	struct bsdvm_lookup l;
	u64 generation;

	ch_snapshot(map);
	generation = map->generation;
	look_up(&l, map, 1, BSDVM_PROT_READ);
	assert_int_equal(l.prot, BSDVM_PROT_ALL & ~BSDVM_PROT_WRITE);
	assert_ptr_equal(l.object, object);
	assert_true(bsdvm_entry_needs_copy(l.entry));
	/* I-16: shared locking is no new generation. */
	assert_int_equal(map->generation, generation);
	assert_int_equal(l.generation, generation);
	fx_put(map);
}

/* M-18, M-21, I-16: NEEDS_COPY and a write: a shadow; COW stays. */
static void test_M18_needs_copy_write(void **state)
{
	struct bsdvm_map *map = ch_map("AB");
	struct bsdvm_object *object = fx_object(map, 0);
	struct bsdvm_lookup l;
	u64 generation;

	ch_snapshot(map);
	generation = map->generation;
	look_up(&l, map, 1, BSDVM_PROT_WRITE);
	assert_ptr_not_equal(l.object, object);
	assert_ptr_equal(l.object->backing_object, object);
	assert_false(bsdvm_entry_needs_copy(l.entry));
	assert_true(l.entry->flags & BSDVM_ENTRY_COW);
	assert_int_equal(l.prot, BSDVM_PROT_ALL);
	assert_int_equal(map->generation, generation + 1);
	assert_int_equal(l.generation, generation + 1);
	/* No page has been copied yet. */
	assert_int_equal(fx_count(v_cow_faults), 0);
	assert_int_equal(fx_count(live_pages), 2);
	fx_put(map);
}

/* The same is asked for by want_top, without a write. */
static void test_M18_want_top(void **state)
{
	struct bsdvm_map *map = ch_map("AB");
	struct bsdvm_lookup l = {
		.map = map, .fault_type = BSDVM_PROT_READ, .want_top = true,
	};

	ch_snapshot(map);
	fx_assert_status(bsdvm_map_lookup(&l), BSDVM_SUCCESS);
	bsdvm_map_unlock_shared(map);
	assert_false(bsdvm_entry_needs_copy(l.entry));
	assert_int_equal(l.fault_type, BSDVM_PROT_READ);
	fx_put(map);
}

/* M-19, M-20, M-23: a read is enough to get an object; the index follows. */
static void test_M19_M20_M23_new_object(void **state)
{
	struct bsdvm_map *map = fx_map(8);
	struct bsdvm_lookup l;

	assert_null(fx_object(map, 0));
	look_up(&l, map, 5, BSDVM_PROT_READ);
	assert_non_null(l.object);
	assert_int_equal(l.object->size, 8);
	assert_int_equal(l.index, 5);
	assert_int_equal(l.entry->offset, 0);
	assert_int_equal(l.prot, BSDVM_PROT_ALL);
	assert_int_equal(fx_count(live_pages), 0);
	fx_put(map);
}

/* M-20: the index counts from the entry's offset. */
static void test_M20_offset(void **state)
{
	struct bsdvm_map *map = ch_map("ABCDEF"), *part = ch_shadow(map, 2, 3);
	struct bsdvm_lookup l;

	look_up(&l, part, 1, BSDVM_PROT_READ);
	assert_int_equal(l.index, 3);
	ch_wire(map, 3, 5);
	look_up(&l, map, 4, BSDVM_PROT_READ);
	assert_int_equal(l.index - l.entry->offset, 4 - l.entry->start);
	ch_unwire(map, 3, 5);
	fx_put(part);
	fx_put(map);
}

static struct bsdvm_map *raced_map;

static void write_first(void)
{
	fx_assert(fx_held_fill(raced_map, 0, 'f') == BSDVM_SUCCESS);
}

static void race(struct fx_thread *me)
{
	write_first();
}

/*
 * M-22: between letting go of the shared lock and getting the exclusive one
 * another writer pushed the shadow: there must not be two.
 */
static void race_hook(const void *lock, enum twin_lock_mode mode)
{
	struct fx_thread thread = { .map = raced_map };

	if (lock != &raced_map->lock || mode != TWIN_WRITE)
		return;
	twin_lock_hook = NULL;
	fx_spawn(&thread, race);
	fx_join(&thread);
}

static void test_M22_somebody_was_faster(void **state)
{
	raced_map = ch_map("AB");
	ch_snapshot(raced_map);
	twin_lock_hook = race_hook;
	assert_int_equal(fx_held_fill(raced_map, 1, 'x'), BSDVM_SUCCESS);
	assert_int_equal(fx_count(shadows), 1);
	assert_int_equal(ch_depth(raced_map, 0), 2);
	ch_expect(raced_map, "fx");
	fx_put(raced_map);
}

/* M-18, M-19 without memory: RESOURCE_SHORTAGE, unlocked, nothing changed. */
static void test_M18_M19_no_memory(void **state)
{
	struct bsdvm_map *map = fx_map(2);
	struct bsdvm_lookup l;

	twin_fail_nth(1);
	fx_assert_status(lookup(&l, map, 0, BSDVM_PROT_READ),
			 BSDVM_RESOURCE_SHORTAGE);
	twin_assert_idle();
	assert_null(fx_object(map, 0));
	ch_write(map, 0, 'A');
	ch_snapshot(map);
	twin_fail_nth(1);
	fx_assert_status(lookup(&l, map, 0, BSDVM_PROT_WRITE),
			 BSDVM_RESOURCE_SHORTAGE);
	twin_assert_idle();
	assert_true(bsdvm_entry_needs_copy(fx_entry(map, 0)));
	ch_expect(map, "A.");
	fx_put(map);
}

/* I-16, M-21: every exclusive acquisition, and no other, is a generation. */
static void test_I16_generation(void **state)
{
	struct bsdvm_map *map = fx_map(2);
	u64 generation = map->generation;

	fx_assert_status(bsdvm_map_lock(map), BSDVM_SUCCESS);
	assert_int_equal(map->generation, generation + 1);
	bsdvm_map_unlock(map);
	bsdvm_map_lock_always(map);
	assert_int_equal(map->generation, generation + 2);
	bsdvm_map_unlock(map);
	fx_assert_status(bsdvm_map_lock_shared(map), BSDVM_SUCCESS);
	bsdvm_map_unlock_shared(map);
	assert_true(bsdvm_map_relock_shared(map, generation + 2));
	bsdvm_map_unlock_shared(map);
	assert_int_equal(map->generation, generation + 2);
	/* D-4, F-86: relocking does not hide that something changed. */
	assert_false(bsdvm_map_relock_shared(map, generation + 1));
	twin_assert_idle();
	fx_put(map);
}

static void try_relock(struct fx_thread *me)
{
	me->status = bsdvm_map_relock_shared(me->map, me->map->generation) ?
		     BSDVM_SUCCESS : BSDVM_TRY_AGAIN;
}

/* F-86: and does not wait. */
static void test_F86_relock_does_not_wait(void **state)
{
	struct bsdvm_map *map = fx_map(1);
	struct fx_thread thread = { .map = map };

	bsdvm_map_lock_always(map);
	fx_spawn(&thread, try_relock);
	fx_join(&thread);
	fx_assert_status(thread.status, BSDVM_TRY_AGAIN);
	bsdvm_map_unlock(map);
	fx_put(map);
}

static void killed_waits(struct fx_thread *me)
{
	u32 id;

	twin_kill(current);
	fx_assert(bsdvm_map_lock(me->map) == BSDVM_INTERRUPTED);
	fx_assert(bsdvm_map_lock_shared(me->map) == BSDVM_INTERRUPTED);
	fx_assert(bsdvm_map_snapshot(me->map, 0, &id) == BSDVM_INTERRUPTED);
	fx_assert(bsdvm_map_resize(me->map, 9) == BSDVM_INTERRUPTED);
	fx_assert(bsdvm_map_punch(me->map, 0, 0) == BSDVM_INTERRUPTED);
	fx_assert(bsdvm_map_wire(me->map, 0, 0) == BSDVM_INTERRUPTED);
	fx_assert(fx_held_byte(me->map, 0) == -1);
	twin_unkill(current);
}

/* F-30, D-46: a fatal signal ends every wait for the map. */
static void test_F30_killable(void **state)
{
	struct bsdvm_map *map = fx_map(1);
	struct fx_thread thread = { .map = map };

	bsdvm_map_lock_always(map);
	fx_spawn(&thread, killed_waits);
	fx_join(&thread);
	bsdvm_map_unlock(map);
	ch_expect(map, ".");
	fx_put(map);
}

static void killed_cut(struct fx_thread *me)
{
	twin_kill(current);
	bsdvm_map_cut(me->map, 1);
	twin_unkill(current);
}

/* What is taken back is taken back whatever the signals. */
static void test_cut_is_not_interrupted(void **state)
{
	struct bsdvm_map *map = fx_map(3);
	struct fx_thread thread = { .map = map };

	bsdvm_map_lock_always(map);
	fx_spawn(&thread, killed_cut);
	usleep(10000);
	bsdvm_map_unlock(map);
	fx_join(&thread);
	assert_int_equal(map->size, 1);
	bsdvm_map_cut(map, 2);
	assert_int_equal(map->size, 1);
	fx_put(map);
}

/* A map shows a given object, and lives as long as somebody refers to it. */
static void test_references(void **state)
{
	struct fx_chain c = fx_chain(1, 3, "ABC");

	bsdvm_map_get(c.map);
	bsdvm_map_put(c.map);
	assert_int_equal(c.map->size, 3);
	ch_expect(c.map, "ABC");
	fx_put(c.map);
	assert_int_equal(fx_count(live_maps), 0);
	assert_int_equal(fx_count(live_entries), 0);
}

/* folio->index: unique in the family as long as pages are the map's own. */
static void test_index_base(void **state)
{
	struct bsdvm_map *a = ch_map("AB"), *b = ch_shadow(a, 0, 2);

	ch_write(b, 1, 'x');
	assert_int_not_equal(a->id, b->id);
	assert_int_equal(fx_page(fx_object(a, 1), 1)->index, a->index_base + 1);
	assert_int_equal(fx_page(fx_object(b, 1), 1)->index, b->index_base + 1);
	assert_int_not_equal(a->index_base, b->index_base);
	fx_put(a);
	fx_put(b);
}

/* folio->mapping: of no other family, however alike the maps are. */
static void test_anchor(void **state)
{
	struct bsdvm_map *a = ch_map("AB"), *b = ch_map("AB");
	struct folio *page = fx_page(fx_object(a, 1), 1);

	assert_ptr_equal(page->mapping, a->family->anchor);
	assert_ptr_not_equal(page->mapping,
			     fx_page(fx_object(b, 1), 1)->mapping);
	page->mapping = b->family->anchor;
	assert_int_equal(ch_violated(a), 1);
	page->mapping = a->family->anchor;
	fx_put(a);
	fx_put(b);
}

/* The largest map: its last page works, the next does not exist. */
static void test_largest(void **state)
{
	struct bsdvm_map *map = fx_map(BSDVM_PAGES_MAX);

	assert_int_equal(fx_held_fill(map, BSDVM_PAGES_MAX - 1, 'z'),
			 BSDVM_SUCCESS);
	assert_int_equal(fx_held_byte(map, BSDVM_PAGES_MAX - 1), 'z');
	assert_int_equal(fx_held_byte(map, BSDVM_PAGES_MAX), -1);
	ch_snapshot(map);
	ch_punch(map, 0, BSDVM_PAGES_MAX - 1);
	assert_int_equal(ch_peek(map, BSDVM_PAGES_MAX - 1), 0);
	fx_assert_status(bsdvm_map_resize(map, BSDVM_PAGES_MAX + 1),
			 BSDVM_INVALID_ARGUMENT);
	ch_resize(map, 0);
	fx_put(map);
}

static void test_too_large(void **state)
{
	assert_null(bsdvm_map_create(BSDVM_PAGES_MAX + 1, NULL));
	assert_null(bsdvm_map_create(ULONG_MAX, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FX_TEST(test_M10_no_entry),
		FX_TEST(test_M12_protection),
		FX_TEST(test_M14_wired),
		FX_TEST(test_M16_needs_copy_read),
		FX_TEST(test_M18_needs_copy_write),
		FX_TEST(test_M18_want_top),
		FX_TEST(test_M19_M20_M23_new_object),
		FX_TEST(test_M20_offset),
		FX_TEST(test_M22_somebody_was_faster),
		FX_TEST(test_M18_M19_no_memory),
		FX_TEST(test_I16_generation),
		FX_TEST(test_F86_relock_does_not_wait),
		FX_TEST(test_F30_killable),
		FX_TEST(test_cut_is_not_interrupted),
		FX_TEST(test_references),
		FX_TEST(test_index_base),
		FX_TEST(test_anchor),
		FX_TEST(test_largest),
		FX_TEST(test_too_large),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("map", tests, NULL, NULL);
}
