// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* F-30: who waits for a map's lock and is killed gives up, with nothing held. */
#include "chain.h"

static struct bsdvm_map *map;

static bsdvm_status_t ask_entry(void)
{
	struct bsdvm_entry entry;
	u64 object;

	return bsdvm_entry_query(map, 0, &entry, &object);
}

static bsdvm_status_t ask_object(void)
{
	struct bsdvm_object_summary sum;

	return bsdvm_object_query(map, 0, 0, &sum);
}

static bsdvm_status_t ask_map(void)
{
	struct bsdvm_map_summary sum;

	return bsdvm_map_summary(map, &sum);
}

static bsdvm_status_t ask_resident(void)
{
	u64 pages;

	return bsdvm_map_resident(map, &pages);
}

static bsdvm_status_t check_family(void)
{
	struct bsdvm_report report;

	return bsdvm_family_check(map, &report);
}

static bsdvm_status_t ask_need(void)
{
	bsdvm_pindex_t npages;

	return bsdvm_map_user_wire_need(map, 0, 1, &npages);
}

static bsdvm_status_t write_object(void)
{
	struct folio *page;

	return bsdvm_fault_object_page(fx_object(map, 0), 0, BSDVM_PROT_WRITE,
				       0, &page);
}

static bsdvm_status_t seek_data(void)
{
	bsdvm_pindex_t at = 0;

	return bsdvm_map_seek_data(map, &at);
}

static bsdvm_status_t seek_hole(void)
{
	bsdvm_pindex_t at = 0;

	return bsdvm_map_seek_hole(map, &at);
}

static bsdvm_status_t shadow(void)
{
	struct bsdvm_map *made;

	return bsdvm_map_shadow(map, 0, 1, NULL, &made);
}

static bsdvm_status_t snapshot(void)
{
	u32 id;

	return bsdvm_map_snapshot(map, 0, &id);
}

static bsdvm_status_t write_fault(void)
{
	return fx_store_byte(map, 0, 1, 'x');
}

/* F-8: asks for the lock to restrict the entry. */
static bsdvm_status_t wire_unreadable(void)
{
	struct bsdvm_fault fault = {
		.map = map, .fault_type = BSDVM_PROT_READ,
		.flags = BSDVM_FAULT_USER_WIRE,
	};

	return bsdvm_fault(&fault);
}

static void killed(struct fx_thread *me)
{
	bsdvm_status_t (*const *run)(void) = me->arg;

	twin_kill(current);
	me->status = (*run)();
	twin_unkill(current);
}

static void expect_interrupted(bsdvm_status_t (*run)(void))
{
	struct fx_thread thread = { .arg = &run };

	fx_spawn(&thread, killed);
	fx_join(&thread);
	fx_assert_status(thread.status, BSDVM_INTERRUPTED);
}

static void test_F30_locked_exclusively(void **state)
{
	map = ch_map("AB");
	bsdvm_map_lock_always(map);
	expect_interrupted(ask_entry);
	expect_interrupted(ask_object);
	expect_interrupted(ask_map);
	expect_interrupted(ask_resident);
	expect_interrupted(ask_need);
	expect_interrupted(seek_data);
	expect_interrupted(seek_hole);
	expect_interrupted(shadow);
	expect_interrupted(snapshot);
	expect_interrupted(write_fault);
	bsdvm_map_unlock(map);
	ch_expect(map, "AB");
	fx_put(map);
}

/* The lookup finds that it needs the lock exclusively (M-21, F-8). */
static void test_F30_locked_shared(void **state)
{
	map = fx_map(2);
	fx_assert_status(bsdvm_map_lock_shared(map), BSDVM_SUCCESS);
	expect_interrupted(write_fault);
	bsdvm_map_unlock_shared(map);
	assert_null(fx_object(map, 1));
	fx_entry(map, 0)->protection = 0;
	fx_assert_status(bsdvm_map_lock_shared(map), BSDVM_SUCCESS);
	expect_interrupted(wire_unreadable);
	bsdvm_map_unlock_shared(map);
	assert_int_equal(fx_entry(map, 0)->max_protection, BSDVM_PROT_ALL);
	fx_put(map);
}

/* The same for the family's, which a collapse may hold for long (M-18, M-19). */
static void test_F30_family_locked(void **state)
{
	map = ch_map("AB");
	ch_snapshot(map);
	bsdvm_family_lock(map->family);
	expect_interrupted(write_fault);
	expect_interrupted(ask_map);
	bsdvm_family_unlock(map->family);
	assert_true(bsdvm_entry_needs_copy(fx_entry(map, 1)));
	check_all(map);
	fx_assert_status(write_fault(), BSDVM_SUCCESS);
	ch_expect(map, "Ax");
	fx_put(map);
	map = fx_map(2);
	bsdvm_family_lock(map->family);
	expect_interrupted(write_fault);
	/* What only tells the map's own pages does not wait for the family. */
	fx_assert_status(ask_resident(), BSDVM_SUCCESS);
	bsdvm_family_unlock(map->family);
	assert_null(fx_object(map, 1));
	fx_put(map);
	map = fx_chain(2, 1, "./A").map;
	bsdvm_family_lock(map->family);
	expect_interrupted(write_object);
	bsdvm_family_unlock(map->family);
	ch_expect(map, "A");
	fx_put(map);
}

static void kill_me(void)
{
	twin_kill(current);
}

static void seek_while_locked(struct fx_thread *me)
{
	ch_before_lock(&map->family->lock, kill_me);
	me->status = seek_data();
	twin_unkill(current);
}

/* Pages and tombstones may be many: who is killed looks at one more at most. */
static void test_F30_searches(void **state)
{
	struct fx_thread thread = { };

	map = ch_map("ABC");
	expect_interrupted(seek_hole);
	expect_interrupted(seek_data);
	/* So may entries and objects. */
	expect_interrupted(ask_map);
	expect_interrupted(ask_resident);
	expect_interrupted(check_family);
	fx_put(map);
	map = fx_chain(2, 4, "000./ABC.").map;
	expect_interrupted(seek_data);
	twin_unkill(current);
	fx_assert_status(seek_data(), BSDVM_INVALID_ADDRESS);
	/* And while he waits for the family. */
	bsdvm_family_lock(map->family);
	fx_spawn(&thread, seek_while_locked);
	fx_join(&thread);
	bsdvm_family_unlock(map->family);
	fx_assert_status(thread.status, BSDVM_INTERRUPTED);
	fx_put(map);
}

static void resize(struct fx_thread *me)
{
	me->status = bsdvm_map_resize(me->map, 1);
	twin_unkill(current);
}

/* M-34: woken by the end of the transition, killed before the lock is free. */
static void test_F30_after_the_transition(void **state)
{
	struct fx_thread thread = { };

	map = ch_map("AB");
	thread.map = map;
	fx_entry(map, 0)->flags |= BSDVM_ENTRY_IN_TRANSITION;
	fx_spawn(&thread, resize);
	fx_await_sleep(&thread);
	bsdvm_map_lock_always(map);
	fx_entry(map, 0)->flags &= ~(BSDVM_ENTRY_IN_TRANSITION |
				     BSDVM_ENTRY_NEEDS_WAKEUP);
	ch_before_lock(&map->lock, kill_me);
	bsdvm_wake(map);
	fx_join(&thread);
	bsdvm_map_unlock(map);
	fx_assert_status(thread.status, BSDVM_INTERRUPTED);
	ch_expect(map, "AB");
	fx_put(map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FX_TEST(test_F30_locked_exclusively),
		FX_TEST(test_F30_locked_shared),
		FX_TEST(test_F30_searches),
		FX_TEST(test_F30_family_locked),
		FX_TEST(test_F30_after_the_transition),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("killed", tests, NULL, NULL);
}
