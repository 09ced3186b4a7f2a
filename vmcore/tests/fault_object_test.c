// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Walk, wait, fill: fault_object.c. */
#include "chain.h"

static void make_busy(struct bsdvm_object *object, bsdvm_pindex_t pindex)
{
	fx_assert(bsdvm_busy_claim(object, pindex, NULL) == BSDVM_SUCCESS);
}

static bsdvm_status_t held(struct bsdvm_map *map, bsdvm_pindex_t pindex,
			   unsigned int type, unsigned int flags,
			   struct folio **page)
{
	return bsdvm_fault_page(map, pindex, type, flags, page);
}

/* ---- the start ---------------------------------------------------------- */

/* F-16, F-31, F-75: found in the first object: no copy, prot unchanged. */
static void found_in_the_first_object(void **state)
{
	struct fx_chain c = fx_chain(2, 2, "a./AB");
	struct bsdvm_fault f = { .map = c.map, .fault_type = BSDVM_PROT_WRITE };

	fx_assert_status(bsdvm_fault(&f), BSDVM_SUCCESS);
	assert_ptr_equal(f.page, fx_page(c.object[0], 0));
	assert_int_equal(f.prot, BSDVM_PROT_ALL);
	folio_unlock(f.page);
	folio_put(f.page);
	assert_int_equal(fx_count(v_cow_faults), 0);
	check_all(c.map);
	fx_put(c.map);
}

/* Neither to read, nor to write, nor to be copied to the first object. */
static void broken_memory_is_not_touched(void **state)
{
	struct fx_chain c = fx_chain(2, 2, "A./.B");
	struct folio *page[2] = {
		fx_page(c.object[0], 0), fx_page(c.object[1], 1),
	};
	unsigned int i;

	for (i = 0; i < 2; i++) {
		ch_break(page[i]);
		fx_assert_status(fx_touch(c.map, 0, i, BSDVM_PROT_READ, 0),
				 BSDVM_MEMORY_BROKEN);
		fx_assert_status(fx_store_byte(c.map, 0, i, 'x'),
				 BSDVM_MEMORY_BROKEN);
		fx_assert_status(fx_held_fill(c.map, i, 'x'),
				 BSDVM_MEMORY_BROKEN);
		assert_null(fx_mapped(c.map, 0, i));
	}
	assert_int_equal(fx_count(live_pages), 2);
	folio_put(page[0]);
	folio_put(page[1]);
	fx_put(c.map);
}

/* F-34: a dead object has no pages to give. */
static void dead_object_fails(void **state)
{
	struct fx_chain c = fx_chain(1, 1, "a");
	struct folio *page;

	set_bit(BSDVM_OBJECT_DEAD, &c.object[0]->flags);
	fx_assert_status(held(c.map, 0, BSDVM_PROT_READ, 0, &page),
			 BSDVM_PROTECTION_FAILURE);
	fx_assert_status(bsdvm_fault_object_page(c.object[0], 0,
						 BSDVM_PROT_READ, 0, &page),
			 BSDVM_PROTECTION_FAILURE);
	clear_bit(BSDVM_OBJECT_DEAD, &c.object[0]->flags);
	check_all(c.map);
	fx_put(c.map);
}

/* F-35, D-21: a page on the move is waited for, not reported missing. */
static void collapse_under_way_is_waited_for(void **state)
{
	struct fx_chain c = fx_chain(2, 1, NULL);
	struct fx_thread t = { .map = c.map, .access = BSDVM_PROT_READ };

	set_bit(BSDVM_OBJECT_COLLAPSING, &c.object[1]->flags);
	fx_spawn(&t, fx_do_held);
	fx_await_sleep(&t);
	assert_int_equal(fx_count(v_intrans), 1);
	fx_add_page(c.object[0], 0, 'm', BSDVM_PAGE_FRESH);
	clear_bit(BSDVM_OBJECT_COLLAPSING, &c.object[1]->flags);
	bsdvm_wake(c.object[1]);
	fx_join(&t);
	fx_assert_status(t.status, BSDVM_SUCCESS);
	assert_int_equal(t.value, 'm');
	check_all(c.map);
	fx_put(c.map);
}

/* F-35: what the collapsing object still has is found at once. */
static void collapsing_object_still_shows_its_pages(void **state)
{
	struct fx_chain c = fx_chain(2, 1, "./A");

	set_bit(BSDVM_OBJECT_COLLAPSING, &c.object[1]->flags);
	assert_int_equal(fx_held_byte(c.map, 0), 'A');
	clear_bit(BSDVM_OBJECT_COLLAPSING, &c.object[1]->flags);
	fx_put(c.map);
}

/* F-30, F-35 */
static void killed_while_waiting_for_a_collapse(void **state)
{
	struct fx_chain c = fx_chain(2, 1, NULL);
	struct fx_thread t = { .map = c.map, .access = BSDVM_PROT_WRITE };

	set_bit(BSDVM_OBJECT_COLLAPSING, &c.object[1]->flags);
	fx_spawn(&t, fx_do_held);
	fx_await_sleep(&t);
	twin_kill(t.task);
	fx_join(&t);
	fx_assert_status(t.status, BSDVM_INTERRUPTED);
	clear_bit(BSDVM_OBJECT_COLLAPSING, &c.object[1]->flags);
	check_all(c.map);
	fx_put(c.map);
}

/* ---- busy slots --------------------------------------------------------- */

/* F-36, C-4: wait with nothing held, then look everything up again. */
static void fault_waits_for_busy_slot(void **state)
{
	struct fx_chain c = fx_chain(1, 1, NULL);
	struct fx_thread t = { .map = c.map, .access = BSDVM_PROT_READ };

	make_busy(c.object[0], 0);
	fx_spawn(&t, fx_do_held);
	fx_await_sleep(&t);
	assert_int_equal(fx_count(v_intrans), 1);
	assert_false(rwsem_is_locked(&c.map->lock));
	assert_int_equal(atomic_read(&c.object[0]->pip), 0);
	assert_ptr_equal(fx_slot(c.object[0], 0), BSDVM_SLOT_BUSY_WANTED);
	bsdvm_busy_release(c.object[0], 0, BSDVM_SLOT_ZERO);
	fx_join(&t);
	fx_assert_status(t.status, BSDVM_SUCCESS);
	assert_int_equal(t.value, 0);
	assert_int_equal(fx_count(restarts), 1);
	check_all(c.map);
	fx_put(c.map);
}

/* F-36: in a backing object; woken, the waiter finds the slot busy again. */
static void waiter_finds_the_slot_busy_again(void **state)
{
	struct fx_chain c = fx_chain(2, 1, NULL);
	struct fx_thread t = { .map = c.map, .access = BSDVM_PROT_READ };

	make_busy(c.object[1], 0);
	fx_spawn(&t, fx_do_held);
	fx_await_sleep(&t);
	bsdvm_map_lock_always(c.map);
	bsdvm_busy_release(c.object[1], 0, NULL);
	make_busy(c.object[1], 0);
	bsdvm_map_unlock(c.map);
	while (fx_slot(c.object[1], 0) != BSDVM_SLOT_BUSY_WANTED)
		usleep(100);
	fx_await_sleep(&t);
	assert_int_equal(fx_count(v_intrans), 2);
	bsdvm_busy_release(c.object[1], 0, NULL);
	fx_join(&t);
	fx_assert_status(t.status, BSDVM_SUCCESS);
	check_all(c.map);
	fx_put(c.map);
}

/* F-30, F-36 */
static void killed_while_waiting_for_busy_slot(void **state)
{
	struct fx_chain c = fx_chain(1, 1, NULL);
	struct fx_thread t = { .map = c.map, .access = BSDVM_PROT_WRITE };

	make_busy(c.object[0], 0);
	fx_spawn(&t, fx_do_held);
	fx_await_sleep(&t);
	twin_kill(t.task);
	fx_join(&t);
	fx_assert_status(t.status, BSDVM_INTERRUPTED);
	bsdvm_busy_release(c.object[0], 0, NULL);
	assert_int_equal(fx_held_byte(c.map, 0), 0);
	check_all(c.map);
	fx_put(c.map);
}

/* F-36, D-53: the sleeper keeps no pointer to what it sleeps for. */
static void object_goes_while_somebody_waits(void **state)
{
	struct fx_chain c = fx_chain(2, 1, NULL);
	struct fx_thread t = { .map = c.map, .access = BSDVM_PROT_READ };

	make_busy(c.object[1], 0);
	fx_spawn(&t, fx_do_held);
	fx_await_sleep(&t);
	bsdvm_busy_release(c.object[1], 0, NULL);
	fx_assert(bsdvm_map_punch(c.map, 0, 0) == BSDVM_SUCCESS);
	fx_join(&t);
	assert_int_equal(t.value, 0);
	check_all(c.map);
	fx_put(c.map);
}

/* F-40, F-75: several faults in a row take no queue, no allocation. */
static void resident_page_costs_nothing(void **state)
{
	struct fx_chain c = fx_chain(1, 1, "a");
	unsigned long allocs = twin_allocs();

	assert_int_equal(fx_held_byte(c.map, 0), 'a');
	assert_int_equal(fx_held_byte(c.map, 0), 'a');
	assert_int_equal(twin_allocs(), allocs);
	assert_int_equal(fx_count(restarts), 0);
	assert_int_equal(fx_count(v_intrans), 0);
	fx_put(c.map);
}

#define RACERS 4

static pthread_barrier_t start;

static void race_for_a_page(struct fx_thread *me)
{
	pthread_barrier_wait(&start);
	me->status = fx_touch(me->map, me->value, me->pindex, me->access, 0);
}

/* F-51, F-68: of many who miss a page, one allocates. */
static void racing_faults_allocate_one_page(void **state)
{
	struct fx_thread t[RACERS];
	struct bsdvm_map *map = fx_map(40);
	unsigned int i, round;

	pthread_barrier_init(&start, NULL, RACERS);
	for (round = 0; round < 40; round++) {
		for (i = 0; i < RACERS; i++) {
			t[i] = (struct fx_thread){ .map = map, .value = i,
				.pindex = round,
				.access = round & 1 ? BSDVM_PROT_READ :
						      BSDVM_PROT_WRITE };
			fx_spawn(&t[i], race_for_a_page);
		}
		for (i = 0; i < RACERS; i++) {
			fx_join(&t[i]);
			fx_assert_status(t[i].status, BSDVM_SUCCESS);
		}
		assert_int_equal(fx_count(live_pages), round + 1);
		assert_int_equal(fx_count(v_zfod), round + 1);
		check_all(map);
	}
	pthread_barrier_destroy(&start);
	fx_put(map);
}

static struct bsdvm_object *hook_object;

static void slot_is_taken(const void *lock, enum twin_lock_mode mode)
{
	if (lock != &hook_object->slots.xa_lock ||
	    fx_slot(hook_object, 0))
		return;
	fx_add_page(hook_object, 0, 'w', BSDVM_PAGE_FRESH);
}

/* F-51, F-68: somebody was faster between the walk and the claim. */
static void loser_finds_the_winners_page(void **state)
{
	struct fx_chain c = fx_chain(1, 1, NULL);

	hook_object = c.object[0];
	twin_lock_hook = slot_is_taken;
	assert_int_equal(fx_held_byte(c.map, 0), 'w');
	twin_lock_hook = NULL;
	assert_int_equal(fx_count(live_pages), 1);
	assert_int_equal(fx_count(v_zfod), 0);
	check_all(c.map);
	fx_put(c.map);
}

/* ---- the walk ----------------------------------------------------------- */

/* F-23, F-45, F-69, F-70: nothing is left at the levels passed. */
static void walk_leaves_nothing_behind(void **state)
{
	struct fx_chain c = fx_chain(4, 2, "../../../.D");
	unsigned int i;

	assert_int_equal(fx_held_byte(c.map, 1), 'D');
	assert_null(fx_slot(c.object[0], 1));
	assert_int_equal(fx_held_byte(c.map, 0), 0);
	for (i = 1; i < 3; i++)
		assert_true(xa_empty(&c.object[i]->slots));
	for (i = 0; i < 4; i++)
		assert_int_equal(atomic_read(&c.object[i]->pip), 0);
	check_all(c.map);
	fx_put(c.map);
}

/* F-70: the index follows the backing offsets. */
static void walk_adds_the_offsets(void **state)
{
	struct fx_chain c = fx_chain(2, 2, NULL);
	struct bsdvm_object *back = c.object[1];

	bsdvm_family_lock(back->family);
	bsdvm_object_detach(c.object[0]);
	bsdvm_object_attach(c.object[0], back, 5, 2);
	bsdvm_family_unlock(back->family);
	fx_add_page(back, 6, 'X', BSDVM_PAGE_FRESH);
	fx_add_page(back, 7, 'Y', BSDVM_PAGE_FRESH);
	assert_int_equal(fx_held_byte(c.map, 1), 'X');
	assert_int_equal(fx_held_byte(c.map, 0), 0);
	fx_put(c.map);
}

/* F-71: the window on the backing object ends the chain. */
static void window_ends_the_chain(void **state)
{
	struct fx_chain c = fx_chain(2, 3, ".../ABC");

	bsdvm_family_lock(c.map->family);
	bsdvm_object_clip_backing(c.object[0], 2);
	bsdvm_family_unlock(c.map->family);
	assert_int_equal(fx_held_byte(c.map, 1), 'B');
	assert_int_equal(fx_held_byte(c.map, 2), 0);
	fx_put(c.map);
}

/* F-46, FP-14: at or beyond the end of the first object there is nothing. */
static void beyond_the_object_is_a_protection_failure(void **state)
{
	struct fx_chain c = fx_chain(1, 2, NULL);
	struct folio *page;

	c.object[0]->size = 1;
	fx_assert_status(held(c.map, 1, BSDVM_PROT_READ, 0, &page),
			 BSDVM_PROTECTION_FAILURE);
	fx_assert_status(held(c.map, 1, BSDVM_PROT_READ, BSDVM_FAULT_NOZERO,
			      &page), BSDVM_PROTECTION_FAILURE);
	/* F-46: but what is resident is never size-checked */
	fx_add_page(c.object[0], 1, 'r', BSDVM_PAGE_FRESH);
	assert_int_equal(fx_held_byte(c.map, 1), 'r');
	check_all(c.map);
	fx_put(c.map);
}

/* A fault that goes round and round is killed. */
static unsigned int patience;

static void lose_patience(struct bsdvm_object *object, bsdvm_pindex_t pindex)
{
	if (!patience--)
		twin_kill(current);
}

/* F-47, D-40: a backing object that ends earlier has no page there. */
static void beyond_a_backing_object_is_a_hole(void **state)
{
	struct fx_chain c = fx_chain(3, 2, "../../.Z");
	int byte;

	c.object[1]->size = 1;
	fx_store(c.object[1], 1, 's');
	patience = 100;
	fx_has_page_hook = lose_patience;
	byte = fx_held_byte(c.map, 1);
	twin_unkill(current);
	fx_has_page_hook = NULL;
	check_all(c.map);
	fx_put(c.map);
	assert_int_equal(byte, 'Z');
	assert_int_equal(fx_pager_log.gets, 0);
}

/* A relative comes or goes while the walk is under way, if the family lets it. */
static void relink_somewhere(struct bsdvm_object *object, bsdvm_pindex_t pindex)
{
	struct bsdvm_family *family = object->family;

	if (!mutex_trylock(&family->lock))
		return;
	bsdvm_family_disturb(family);
	mutex_unlock(&family->lock);
}

/* Relatives without end do not keep a fault in a chain from its end. */
static void relatives_come_and_go(void **state)
{
	struct fx_chain c = fx_chain(3, 2, "././AB");

	c.object[1]->pager = &fx_pager;
	fx_has_page_hook = relink_somewhere;
	assert_int_equal(fx_held_byte(c.map, 0), 'A');
	assert_in_range(fx_count(restarts), 10, 40);
	fx_assert_status(fx_held_fill(c.map, 1, 'w'), BSDVM_SUCCESS);
	assert_in_range(fx_count(restarts), 20, 80);
	fx_has_page_hook = NULL;
	assert_int_equal(fx_held_byte(c.map, 1), 'w');
	check_all(c.map);
	fx_put(c.map);
}

/* ---- zero-fill ---------------------------------------------------------- */

/* F-71, F-72, F-50 */
static void hole_is_filled_with_zeroes(void **state)
{
	struct fx_chain c = fx_chain(3, 2, NULL);
	struct folio *page;

	fx_assert_status(held(c.map, 1, BSDVM_PROT_READ, 0, &page),
			 BSDVM_SUCCESS);
	assert_int_equal(fx_folio_byte(page), 0);
	assert_ptr_equal(page, fx_page(c.object[0], 1));
	assert_int_equal(bsdvm_page_state(page), BSDVM_PAGE_FRESH);
	assert_int_equal(page->index, c.map->index_base + 1);
	bsdvm_fault_page_done(page, BSDVM_PROT_READ);
	assert_int_equal(fx_count(v_zfod), 1);
	assert_int_equal(atomic_long_read(&c.object[0]->resident), 1);
	check_all(c.map);
	fx_put(c.map);
}

/* F-72: a tombstone reads zero, whatever lies behind it, and is replaced. */
static void tombstone_reads_zero(void **state)
{
	struct fx_chain c = fx_chain(3, 2, "0./A0/AB");

	assert_int_equal(fx_held_byte(c.map, 0), 0);
	assert_non_null(fx_page(c.object[0], 0));
	assert_int_equal(fx_held_byte(c.map, 1), 0);
	assert_ptr_equal(fx_slot(c.object[1], 1), BSDVM_SLOT_ZERO);
	assert_non_null(fx_page(c.object[0], 1));
	check_all(c.map);
	fx_put(c.map);
}

/* F-95: a claim that fails restores the tombstone. */
static void tombstone_survives_a_failure(void **state)
{
	struct fx_chain c = fx_chain(2, 1, "0/A");
	struct folio *page;

	twin_fail_nth(1);
	fx_assert_status(held(c.map, 0, BSDVM_PROT_WRITE, 0, &page),
			 BSDVM_RESOURCE_SHORTAGE);
	assert_ptr_equal(fx_slot(c.object[0], 0), BSDVM_SLOT_ZERO);
	assert_int_equal(fx_held_byte(c.map, 0), 0);
	check_all(c.map);
	fx_put(c.map);
}

/* A hole under NOZERO is reported and stays one. */
static void nozero_reports_a_hole(void **state)
{
	struct fx_chain c = fx_chain(2, 2, "0./A.");
	struct folio *page = (void *)1;

	fx_assert_status(held(c.map, 0, BSDVM_PROT_READ, BSDVM_FAULT_NOZERO,
			      &page), BSDVM_SUCCESS);
	assert_null(page);
	fx_assert_status(held(c.map, 1, BSDVM_PROT_WRITE, BSDVM_FAULT_NOZERO,
			      &page), BSDVM_SUCCESS);
	assert_null(page);
	assert_ptr_equal(fx_slot(c.object[0], 0), BSDVM_SLOT_ZERO);
	assert_int_equal(fx_count(v_zfod), 0);
	check_all(c.map);
	fx_put(c.map);
}

/* F-71: reading a hole of a frozen object does not change that object. */
static void frozen_object_is_not_filled(void **state)
{
	struct bsdvm_map *map = fx_map(2);
	struct bsdvm_object *frozen;
	u32 id;

	fx_held_fill(map, 0, 'a');
	frozen = fx_object(map, 0);
	fx_assert_status(bsdvm_map_snapshot(map, 0, &id), BSDVM_SUCCESS);
	assert_ptr_equal(fx_object(map, 0), frozen);
	assert_int_equal(fx_held_byte(map, 0), 'a');
	assert_ptr_equal(fx_object(map, 0), frozen);
	assert_int_equal(fx_held_byte(map, 1), 0);
	assert_ptr_not_equal(fx_object(map, 0), frozen);
	assert_null(fx_slot(frozen, 1));
	assert_non_null(fx_page(fx_object(map, 0), 1));
	assert_int_equal(fx_count(shadows), 1);
	check_all(map);
	fx_put(map);
}

/* F-75, M-16: a page of a frozen object is mapped for reading only. */
static void frozen_page_is_read_only(void **state)
{
	struct bsdvm_map *map = fx_map(1);
	u32 id;

	fx_held_fill(map, 0, 'a');
	bsdvm_map_snapshot(map, 0, &id);
	assert_int_equal(fx_load(map, 0, 0), 'a');
	assert_false(fx_mapped_prot(map, 0, 0) & BSDVM_PROT_WRITE);
	check_all(map);
	fx_assert_status(fx_store_byte(map, 0, 0, 'b'), BSDVM_SUCCESS);
	assert_int_equal(fx_load(map, 0, 0), 'b');
	check_all(map);
	fx_put(map);
}

/* ---- memory ------------------------------------------------------------- */

/* F-49, P-20: below the reserve nothing is allocated; in the end, an error. */
static void severe_shortage_ends_in_an_error(void **state)
{
	struct bsdvm_map *map = fx_map(1);
	struct folio *page;

	fx_object(map, 0);
	bsdvm_budget = (struct bsdvm_budget){ .limit = 10, .severe = 11 };
	fx_assert_status(held(map, 0, BSDVM_PROT_WRITE, 0, &page),
			 BSDVM_RESOURCE_SHORTAGE);
	assert_int_equal(fx_count(live_pages), 0);
	assert_in_range(fx_count(restarts), 1, 1000);
	check_all(map);
	bsdvm_budget = (struct bsdvm_budget){ .limit = 10, .reserved = 11 };
	fx_assert_status(held(map, 0, BSDVM_PROT_READ, 0, &page),
			 BSDVM_RESOURCE_SHORTAGE);
	fx_put(map);
}

/* F-49: the wait is with nothing held, and memory freed meanwhile ends it. */
static void memory_is_waited_for(void **state)
{
	struct fx_chain c = fx_chain(1, 2, "a.");
	struct fx_thread t = { .map = c.map, .pindex = 1,
			       .access = BSDVM_PROT_WRITE };

	bsdvm_budget = (struct bsdvm_budget){ .limit = 1, .severe = 1,
					      .target = 1 };
	fx_spawn(&t, fx_do_held);
	fx_await_sleep(&t);
	assert_false(rwsem_is_locked(&c.map->lock));
	assert_null(fx_slot(c.object[0], 1));
	bsdvm_budget.limit = 2;
	fx_join(&t);
	fx_assert_status(t.status, BSDVM_SUCCESS);
	check_all(c.map);
	fx_put(c.map);
}

/* F-30, F-49 */
static void killed_while_waiting_for_memory(void **state)
{
	struct fx_chain c = fx_chain(1, 2, "a.");
	struct fx_thread t = { .map = c.map, .pindex = 1,
			       .access = BSDVM_PROT_WRITE };

	bsdvm_budget = (struct bsdvm_budget){ .limit = 1, .severe = 1,
					      .target = 1 };
	fx_spawn(&t, fx_do_held);
	fx_await_sleep(&t);
	twin_kill(t.task);
	fx_join(&t);
	fx_assert_status(t.status, BSDVM_INTERRUPTED);
	check_all(c.map);
	fx_put(c.map);
}

/* F-38, F-39: a resident page needs no memory. */
static void resident_page_needs_no_memory(void **state)
{
	struct fx_chain c = fx_chain(1, 1, "a");

	bsdvm_budget = (struct bsdvm_budget){ .limit = 1, .severe = 100 };
	assert_int_equal(fx_held_byte(c.map, 0), 'a');
	fx_assert_status(fx_held_fill(c.map, 0, 'b'), BSDVM_SUCCESS);
	assert_int_equal(fx_count(restarts), 0);
	fx_put(c.map);
}

/* F-37, C-6: a page taken from CACHE is counted and made active. */
static void cached_page_is_reactivated(void **state)
{
	struct fx_chain c = fx_chain(1, 1, "a");
	struct folio *page = fx_page(c.object[0], 0);

	page->private = (void *)BSDVM_QUEUE_CACHE;
	assert_int_equal(fx_held_byte(c.map, 0), 'a');
	assert_int_equal(bsdvm_page_queue(page), BSDVM_QUEUE_ACTIVE);
	assert_int_equal(fx_count(v_reactivated), 1);
	fx_put(c.map);
}

/* ---- read-ahead marks --------------------------------------------------- */

/* F-41, F-67, D-43: told once; page and dirty state as before. */
static void readahead_mark_is_told_once(void **state)
{
	struct fx_chain c = fx_chain(2, 2, NULL);
	struct folio *page;

	fx_store(c.object[1], 1, 's');
	page = fx_add_page(c.object[1], 0, 'A',
			   BSDVM_PAGE_FRESH | BSDVM_PAGE_RAM);
	assert_int_equal(fx_held_byte(c.map, 0), 'A');
	assert_int_equal(fx_pager_log.readaheads, 1);
	assert_ptr_equal(fx_pager_log.readahead_object[0], c.object[1]);
	assert_int_equal(fx_pager_log.readahead_pindex[0], 0);
	assert_int_equal(bsdvm_page_state(page), BSDVM_PAGE_FRESH);
	assert_int_equal(fx_held_byte(c.map, 0), 'A');
	assert_int_equal(fx_pager_log.readaheads, 1);
	assert_int_equal(fx_pager_log.gets, 0);
	assert_int_equal(atomic_read(&c.object[1]->pip), 0);
	check_all(c.map);
	fx_put(c.map);
}

/* F-41: without a pager there is nobody to tell. */
static void readahead_mark_without_a_pager(void **state)
{
	struct fx_chain c = fx_chain(1, 1, NULL);

	fx_add_page(c.object[0], 0, 'A', BSDVM_PAGE_FRESH | BSDVM_PAGE_RAM);
	assert_int_equal(fx_held_byte(c.map, 0), 'A');
	assert_int_equal(fx_count(restarts), 0);
	fx_put(c.map);
}

/* Once paging is counted, before the mark is cleared. */
static void mark_goes(void)
{
	if (atomic_read(&hook_object->pip))
		bsdvm_page_test_clear(fx_page(hook_object, 0), BSDVM_PAGE_RAM);
}

/* F-41, O-13: another fault is faster: it tells, and paging here is over. */
static void readahead_mark_goes_meanwhile(void **state)
{
	struct fx_chain c = fx_chain(1, 2, NULL);

	hook_object = c.object[0];
	fx_store(hook_object, 1, 's');
	fx_add_page(hook_object, 0, 'A', BSDVM_PAGE_FRESH | BSDVM_PAGE_RAM);
	twin_barrier_hook = mark_goes;
	assert_int_equal(fx_held_byte(c.map, 0), 'A');
	twin_barrier_hook = NULL;
	assert_int_equal(bsdvm_page_state(fx_page(hook_object, 0)),
			 BSDVM_PAGE_FRESH);
	assert_int_equal(fx_pager_log.readaheads, 0);
	assert_int_equal(atomic_read(&hook_object->pip), 0);
	check_all(c.map);
	fx_put(c.map);
}

static void drop_page(struct bsdvm_object *object, bsdvm_pindex_t pindex)
{
	struct folio *page = xa_erase(&object->slots, pindex);

	atomic_long_dec(&object->resident);
	bsdvm_page_free(page);
}

/* F-41, D-43: the page goes while its mark is being told: found anew. */
static void page_goes_during_readahead(void **state)
{
	struct fx_chain c = fx_chain(1, 1, NULL);

	fx_store(c.object[0], 0, 's');
	fx_add_page(c.object[0], 0, 's', BSDVM_PAGE_FRESH | BSDVM_PAGE_RAM |
		    BSDVM_PAGE_SWAPPED);
	fx_readahead_hook = drop_page;
	assert_int_equal(fx_held_byte(c.map, 0), 's');
	assert_int_equal(fx_pager_log.gets, 1);
	check_all(c.map);
	fx_put(c.map);
}

/* F-30: killed there, nothing stays. */
static void kill_me(struct bsdvm_object *object, bsdvm_pindex_t pindex)
{
	twin_kill(current);
}

static void killed_during_readahead(void **state)
{
	struct fx_chain c = fx_chain(1, 1, NULL);
	struct folio *page;

	fx_store(c.object[0], 0, 's');
	fx_add_page(c.object[0], 0, 's', BSDVM_PAGE_FRESH | BSDVM_PAGE_RAM |
		    BSDVM_PAGE_SWAPPED);
	fx_readahead_hook = kill_me;
	fx_assert_status(held(c.map, 0, BSDVM_PROT_READ, 0, &page),
			 BSDVM_INTERRUPTED);
	twin_unkill(current);
	assert_int_equal(atomic_read(&c.object[0]->pip), 0);
	check_all(c.map);
	fx_put(c.map);
}

/* ---- a race by way of RCU ----------------------------------------------- */

/*
 * When the walk leaves its RCU read side, and before anything else happens,
 * another thread collapses the object in which the page was found, which frees
 * it. The page itself is safe: there is a reference.
 */
static struct fx_chain uaf_chain;
static struct fx_gate uaf_go = FX_GATE_INIT, uaf_done = FX_GATE_INIT;
static struct rcu_head uaf_head;
static bool uaf_armed;

static void uaf_callback(struct rcu_head *head)
{
	fx_gate_open(&uaf_go);
	fx_gate_pass(&uaf_done);
}

static void uaf_has_page(struct bsdvm_object *object, bsdvm_pindex_t pindex)
{
	if (object != uaf_chain.object[0] || !uaf_armed)
		return;
	uaf_armed = false;
	call_rcu(&uaf_head, uaf_callback);
}

static void uaf_collapse(struct fx_thread *me)
{
	fx_gate_pass(&uaf_go);
	fx_unref(uaf_chain.object[1]);
	fx_gate_open(&uaf_done);
}

static void uaf_body(void)
{
	struct fx_thread t = { };

	uaf_chain = fx_chain(2, 2, "../A.");
	fx_ref(uaf_chain.object[1]);
	fx_store(uaf_chain.object[0], 1, 's');
	uaf_chain.object[1]->pager = &fx_pager;
	bsdvm_page_set(fx_page(uaf_chain.object[1], 0), BSDVM_PAGE_RAM);
	fx_spawn(&t, uaf_collapse);
	uaf_armed = true;
	fx_has_page_hook = uaf_has_page;
	fx_assert(fx_held_byte(uaf_chain.map, 0) == 'A');
	fx_join(&t);
	fx_has_page_hook = NULL;
	fx_put(uaf_chain.map);
}

/* F-41, I-15: found in an object that may go at any moment. */
static void mark_met_in_an_object_about_to_go(void **state)
{
	assert_true(fx_survives(uaf_body));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FX_TEST(found_in_the_first_object),
		FX_TEST(broken_memory_is_not_touched),
		FX_TEST(dead_object_fails),
		FX_TEST(collapse_under_way_is_waited_for),
		FX_TEST(collapsing_object_still_shows_its_pages),
		FX_TEST(killed_while_waiting_for_a_collapse),
		FX_TEST(fault_waits_for_busy_slot),
		FX_TEST(waiter_finds_the_slot_busy_again),
		FX_TEST(killed_while_waiting_for_busy_slot),
		FX_TEST(object_goes_while_somebody_waits),
		FX_TEST(resident_page_costs_nothing),
		FX_TEST(racing_faults_allocate_one_page),
		FX_TEST(loser_finds_the_winners_page),
		FX_TEST(walk_leaves_nothing_behind),
		FX_TEST(walk_adds_the_offsets),
		FX_TEST(window_ends_the_chain),
		FX_TEST(beyond_the_object_is_a_protection_failure),
		FX_TEST(beyond_a_backing_object_is_a_hole),
		FX_TEST(relatives_come_and_go),
		FX_TEST(hole_is_filled_with_zeroes),
		FX_TEST(tombstone_reads_zero),
		FX_TEST(tombstone_survives_a_failure),
		FX_TEST(nozero_reports_a_hole),
		FX_TEST(frozen_object_is_not_filled),
		FX_TEST(frozen_page_is_read_only),
		FX_TEST(severe_shortage_ends_in_an_error),
		FX_TEST(memory_is_waited_for),
		FX_TEST(killed_while_waiting_for_memory),
		FX_TEST(resident_page_needs_no_memory),
		FX_TEST(cached_page_is_reactivated),
		FX_TEST(readahead_mark_is_told_once),
		FX_TEST(readahead_mark_goes_meanwhile),
		FX_TEST(readahead_mark_without_a_pager),
		FX_TEST(page_goes_during_readahead),
		FX_TEST(killed_during_readahead),
		FX_TEST(mark_met_in_an_object_about_to_go),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("fault_object", tests, NULL, NULL);
}
