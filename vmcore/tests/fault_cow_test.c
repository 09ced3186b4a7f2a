// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Copy and rename: fault_cow.c. */
#include <dlfcn.h>

#include "fixture.h"

/*
 * A hook where the core tries for family->lock: the twin has none, so take the
 * place of the function it calls. Runs once.
 */
static const void *trylock_mutex;
static void (*trylock_hook)(void);

int pthread_mutex_trylock(pthread_mutex_t *mutex)
{
	static int (*real)(pthread_mutex_t *);
	void (*hook)(void) = trylock_hook;

	if (!real)
		real = (int (*)(pthread_mutex_t *))dlsym(RTLD_NEXT,
						"pthread_mutex_trylock");
	if (mutex == trylock_mutex && hook) {
		trylock_hook = NULL;
		hook();
	}
	return real(mutex);
}

static struct fx_chain c;

static bool renames(bsdvm_pindex_t pindex, int want)
{
	u64 before = fx_count(v_cow_optim), cows = fx_count(v_cow_faults);

	fx_assert(fx_touch(c.map, 0, pindex, BSDVM_PROT_WRITE, 0) ==
		  BSDVM_SUCCESS);
	fx_assert(fx_count(v_cow_faults) == cows + 1);
	fx_assert(fx_mapped_byte(c.map, 0, pindex) == want);
	return fx_count(v_cow_optim) != before;
}

/* ---- rename ------------------------------------------------------------- */

/* F-77, F-79, F-82, F-85 */
static void sole_shadow_takes_the_page(void **state)
{
	struct folio *page;

	c = fx_chain(2, 2, "../.B");
	page = fx_page(c.object[1], 1);
	page->private = (void *)BSDVM_QUEUE_INACTIVE;
	assert_true(renames(1, 'B'));
	assert_ptr_equal(fx_page(c.object[0], 1), page);
	assert_null(fx_slot(c.object[1], 1));
	assert_int_equal(atomic_long_read(&c.object[0]->resident), 1);
	assert_int_equal(atomic_long_read(&c.object[1]->resident), 0);
	assert_int_equal(bsdvm_page_state(page),
			 BSDVM_PAGE_FRESH | BSDVM_PAGE_DIRTY);
	assert_int_equal(page->index, c.map->index_base + 1);
	assert_int_equal(folio_ref_count(page), 2);
	assert_int_equal(fx_count(live_pages), 1);
	assert_true(fx_mapped_prot(c.map, 0, 1) & BSDVM_PROT_WRITE);
	check_all(c.map);
	fx_put(c.map);
}

/* F-79: mappings for reading stay, and become writable by the same page. */
static void rename_leaves_mappings(void **state)
{
	c = fx_chain(2, 1, "./A");
	assert_int_equal(fx_load(c.map, 0, 0), 'A');
	assert_int_equal(fx_load(c.map, 1, 0), 'A');
	fx_assert_status(fx_store_byte(c.map, 0, 0, 'b'), BSDVM_SUCCESS);
	assert_int_equal(fx_count(v_cow_optim), 1);
	assert_int_equal(fx_pmap_log.removes, 0);
	assert_int_equal(fx_mapped_byte(c.map, 1, 0), 'b');
	check_all(c.map);
	fx_put(c.map);
}

/* F-80, D-22, I-14: what the pager stored for the page is freed. */
static void rename_forgets_the_stored_page(void **state)
{
	struct folio *page;

	c = fx_chain(2, 1, NULL);
	fx_store(c.object[1], 0, 'A');
	page = fx_add_page(c.object[1], 0, 'A',
			   BSDVM_QUEUE_CACHE | BSDVM_PAGE_SWAPPED);
	assert_true(renames(0, 'A'));
	assert_null(fx_stored(c.object[1], 0));
	assert_false(bsdvm_page_state(page) & BSDVM_PAGE_SWAPPED);
	assert_int_equal(bsdvm_page_queue(page), BSDVM_QUEUE_ACTIVE);
	check_all(c.map);
	fx_put(c.map);
}

/* F-79, F-81: dirty either way, even if the fault itself does not say so. */
static void either_way_the_page_is_dirty(void **state)
{
	struct bsdvm_fault f;
	unsigned int shared;

	for (shared = 0; shared < 2; shared++) {
		c = fx_chain(2, 1, NULL);
		fx_add_page(c.object[1], 0, 'A', BSDVM_PAGE_FRESH);
		if (shared)
			fx_ref(c.object[1]);
		f = (struct bsdvm_fault){ .map = c.map,
					  .fault_type = BSDVM_PROT_WRITE };
		fx_assert_status(bsdvm_fault(&f), BSDVM_SUCCESS);
		folio_unlock(f.page);
		folio_put(f.page);
		assert_true(bsdvm_page_state(f.page) & BSDVM_PAGE_DIRTY);
		assert_ptr_equal(f.page, fx_page(c.object[0], 0));
		if (shared)
			fx_unref(c.object[1]);
		fx_put(c.map);
	}
	assert_int_equal(fx_count(v_cow_optim), 1);
}

/* P-12: a page that somebody holds is copied: he keeps its bytes. */
static void held_page_is_copied(void **state)
{
	struct folio *page;

	c = fx_chain(2, 1, "./A");
	page = fx_page(c.object[1], 0);
	folio_get(page);
	assert_false(renames(0, 'A'));
	fx_assert_status(fx_store_byte(c.map, 0, 0, 'b'), BSDVM_SUCCESS);
	assert_int_equal(fx_folio_byte(page), 'A');
	folio_put(page);
	check_all(c.map);
	fx_put(c.map);
}

/*
 * A reference beside the slot's may be that of a mapping which somebody has
 * removed, but not yet flushed: mappings are removed once more.
 */
static void source_is_flushed(void **state)
{
	struct folio *page;

	c = fx_chain(2, 1, "./A");
	fx_ref(c.object[1]);
	page = fx_page(c.object[1], 0);
	folio_get(page);
	fx_assert_status(fx_store_byte(c.map, 0, 0, 'b'), BSDVM_SUCCESS);
	assert_int_equal(fx_pmap_log.removes, 1);
	assert_ptr_equal(fx_pmap_log.map, c.map);
	folio_put(page);
	fx_unref(c.object[1]);
	fx_put(c.map);
}

/* ---- each precondition, violated ---------------------------------------- */

static struct bsdvm_object *other;

static void break_ref(void)
{
	fx_ref(c.object[1]);
}

static void mend_ref(void)
{
	bsdvm_family_lock(c.map->family);
	c.object[1]->ref_count--;
	bsdvm_family_unlock(c.map->family);
}

static void break_shadow(void)
{
	struct bsdvm_family *family = c.map->family;

	bsdvm_family_lock(family);
	other = bsdvm_object_alloc(family, 1);
	bsdvm_object_reference(c.object[1]);
	bsdvm_object_attach(other, c.object[1], 0, 1);
	bsdvm_family_unlock(family);
}

/* Without the collapse that dropping a reference would bring. */
static void mend_shadow(void)
{
	struct bsdvm_family *family = c.map->family;

	bsdvm_family_lock(family);
	bsdvm_object_detach(other)->ref_count--;
	bsdvm_object_deallocate(other);
	bsdvm_family_unlock(family);
}

/* One of the two counts alone would do: O-3 counts a shadow in both. */
static void break_shadow_count(void)
{
	c.object[1]->shadow_count++;
}

static void mend_shadow_count(void)
{
	c.object[1]->shadow_count--;
}

static void break_handle(void)
{
	c.object[1]->handle = c.object[1];
}

static void mend_handle(void)
{
	c.object[1]->handle = NULL;
}

static void break_collapsing(void)
{
	set_bit(BSDVM_OBJECT_COLLAPSING, &c.object[1]->flags);
}

static void mend_collapsing(void)
{
	clear_bit(BSDVM_OBJECT_COLLAPSING, &c.object[1]->flags);
}

static struct folio *wired;

static void break_wiring(void)
{
	wired = fx_page(c.object[1], 0);
	bsdvm_page_wire(wired);
}

static void mend_wiring(void)
{
	bsdvm_page_unwire(wired);
}

static const struct violation {
	const char *name;
	void (*violate)(void);
	void (*mend)(void);
} violations[] = {
	{ "F-78 b, c: another reference", break_ref, mend_ref },
	{ "F-78 b, c: another shadow", break_shadow, mend_shadow },
	{ "F-78 b: shadow count", break_shadow_count, mend_shadow_count },
	{ "F-78 d, e: a handle", break_handle, mend_handle },
	{ "F-35: collapsing", break_collapsing, mend_collapsing },
	{ "F-80: wired", break_wiring, mend_wiring },
};

static void do_write(struct fx_thread *me)
{
	me->status = fx_touch(me->map, 0, 0, BSDVM_PROT_WRITE, 0);
}

/* F-80: whoever has the page locked is about to do something with it. */
static void locked_page_is_copied(void **state)
{
	u64 renamed = fx_count(v_cow_optim);
	struct fx_thread thread = { };
	struct folio *source;

	c = fx_chain(2, 1, "./A");
	thread.map = c.map;
	source = fx_page(c.object[1], 0);
	folio_lock(source);
	fx_spawn(&thread, do_write);
	fx_await_sleep(&thread);
	folio_unlock(source);
	fx_join(&thread);
	fx_assert_status(thread.status, BSDVM_SUCCESS);
	assert_int_equal(fx_count(v_cow_optim), renamed);
	assert_ptr_equal(fx_page(c.object[1], 0), source);
	assert_int_equal(fx_mapped_byte(c.map, 0, 0), 'A');
	fx_put(c.map);
}

static void must_copy(const char *name)
{
	struct folio *source = fx_page(c.object[1], 0);

	if (renames(0, 'A'))
		fail_msg("renamed in spite of: %s", name);
	assert_ptr_equal(fx_page(c.object[1], 0), source);
	assert_ptr_not_equal(fx_page(c.object[0], 0), source);
	assert_int_equal(fx_folio_byte(source), 'A');
}

/* F-78, F-80 */
static void rename_needs_every_condition(void **state)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(violations); i++) {
		c = fx_chain(2, 1, "./A");
		violations[i].violate();
		must_copy(violations[i].name);
		violations[i].mend();
		fx_put(c.map);
	}
}

/* F-80, D-5: the same, only once the lock is about to be had. */
static void rename_tests_again_under_the_lock(void **state)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(violations); i++) {
		c = fx_chain(2, 1, "./A");
		trylock_mutex = &c.map->family->lock.lock;
		trylock_hook = violations[i].violate;
		must_copy(violations[i].name);
		assert_null(trylock_hook);
		violations[i].mend();
		fx_put(c.map);
	}
}

/* F-78 f: one level down, no further. */
static void rename_is_from_the_next_object_only(void **state)
{
	c = fx_chain(3, 1, "././A");
	assert_false(renames(0, 'A'));
	assert_non_null(fx_page(c.object[2], 0));
	assert_null(fx_slot(c.object[1], 0));
	check_all(c.map);
	fx_put(c.map);
}

/* Somebody collapses just before the lock: the page is in front already. */
static void page_moves_up(void)
{
	struct folio *page = xa_erase(&c.object[1]->slots, 0);

	atomic_long_dec(&c.object[1]->resident);
	xa_store(&c.object[1]->slots, 1, page, GFP_KERNEL);
	atomic_long_inc(&c.object[1]->resident);
}

/* F-80: the page is not where it was any more. */
static void rename_looks_for_the_page_again(void **state)
{
	c = fx_chain(2, 2, "../A.");
	trylock_mutex = &c.map->family->lock.lock;
	trylock_hook = page_moves_up;
	assert_false(renames(0, 'A'));
	assert_non_null(fx_page(c.object[1], 1));
	fx_put(c.map);
}

static void hold_family(struct fx_thread *me)
{
	struct fx_gate *gate = me->arg;

	bsdvm_family_lock(me->map->family);
	fx_gate_pass(gate);
	bsdvm_family_unlock(me->map->family);
}

/* F-78 g, F-80, F-96: the lock is only tried; a copy is as good. */
static void rename_does_not_wait_for_the_family(void **state)
{
	struct fx_gate gate = FX_GATE_INIT;
	struct fx_thread t = { .arg = &gate };

	c = fx_chain(2, 1, "./A");
	t.map = c.map;
	fx_spawn(&t, hold_family);
	fx_gate_await(&gate, 1);
	assert_false(renames(0, 'A'));
	fx_gate_open(&gate);
	fx_join(&t);
	check_all(c.map);
	fx_put(c.map);
}

/* ---- copy --------------------------------------------------------------- */

/* F-81, F-82, F-85 */
static void copy_leaves_the_source_as_it_was(void **state)
{
	struct folio *source, *copy;

	c = fx_chain(2, 2, "../.B");
	fx_ref(c.object[1]);
	source = fx_page(c.object[1], 1);
	source->private = (void *)BSDVM_PAGE_FRESH;
	assert_false(renames(1, 'B'));
	copy = fx_page(c.object[0], 1);
	assert_int_equal(bsdvm_page_state(copy),
			 BSDVM_PAGE_FRESH | BSDVM_PAGE_DIRTY);
	assert_int_equal(copy->index, c.map->index_base + 1);
	assert_int_equal(bsdvm_page_state(source),
			 BSDVM_QUEUE_INACTIVE | BSDVM_PAGE_REFERENCED);
	assert_int_equal(folio_ref_count(source), 1);
	assert_int_equal(fx_folio_byte(source), 'B');
	assert_int_equal(fx_count(v_cow_faults), 1);
	check_all(c.map);
	fx_unref(c.object[1]);
	fx_put(c.map);
}

static unsigned int hook_calls;

/* The copy is in its slot already, and nobody can write it yet. */
static void copy_is_locked(struct bsdvm_map *map, bsdvm_pindex_t first,
			   bsdvm_pindex_t npages)
{
	struct folio *copy = fx_page(c.object[0], 0);

	fx_assert(map == c.map && first == 0 && npages == 1);
	fx_assert(copy && folio_test_locked(copy));
	fx_assert(!folio_test_locked(fx_page(c.object[1], 0)));
	hook_calls++;
}

/* F-83, FP-10, D-13: what maps the source here goes before the copy is used. */
static void copy_removes_stale_mappings(void **state)
{
	c = fx_chain(2, 1, "./A");
	fx_ref(c.object[1]);
	assert_int_equal(fx_load(c.map, 0, 0), 'A');
	assert_int_equal(fx_load(c.map, 1, 0), 'A');
	hook_calls = 0;
	fx_remove_hook = copy_is_locked;
	fx_assert_status(fx_held_fill(c.map, 0, 'b'), BSDVM_SUCCESS);
	fx_remove_hook = NULL;
	assert_int_equal(hook_calls, 1);
	assert_int_equal(fx_mappings(c.map), 0);
	assert_int_equal(fx_load(c.map, 1, 0), 'b');
	check_all(c.map);
	fx_unref(c.object[1]);
	fx_put(c.map);
}

/* F-81: a source nobody maps costs no removal. */
static void copy_of_an_unmapped_page_removes_nothing(void **state)
{
	c = fx_chain(2, 1, "./A");
	fx_ref(c.object[1]);
	fx_held_fill(c.map, 0, 'b');
	assert_int_equal(fx_pmap_log.removes, 0);
	fx_unref(c.object[1]);
	fx_put(c.map);
}

/* F-21, L-11: who is about to map the source is waited for. */
static void copy_waits_for_the_sources_lock(void **state)
{
	struct fx_thread t = { .access = BSDVM_PROT_WRITE };
	struct folio *source;

	c = fx_chain(2, 1, "./A");
	fx_ref(c.object[1]);
	source = fx_page(c.object[1], 0);
	folio_lock(source);
	t.map = c.map;
	fx_spawn(&t, fx_do_touch);
	fx_await_sleep(&t);
	assert_true(folio_test_locked(fx_page(c.object[0], 0)));
	fx_map_page(c.map, 1, 0, source, BSDVM_PROT_READ);
	folio_unlock(source);
	fx_join(&t);
	fx_assert_status(t.status, BSDVM_SUCCESS);
	assert_null(fx_mapped(c.map, 1, 0));
	check_all(c.map);
	fx_unref(c.object[1]);
	fx_put(c.map);
}

/* F-77, F-85: from the far end of a chain, over tombstones beside it. */
static void copy_from_a_deep_chain(void **state)
{
	c = fx_chain(8, 3, ".0./0.0/0.0/0.0/0.0/0.0/0.0/ABC");
	fx_assert_status(fx_store_byte(c.map, 0, 1, 'x'), BSDVM_SUCCESS);
	assert_int_equal(fx_held_byte(c.map, 0), 0);
	assert_int_equal(fx_held_byte(c.map, 1), 'x');
	assert_int_equal(fx_held_byte(c.map, 2), 0);
	assert_int_equal(fx_folio_byte(fx_page(c.object[7], 1)), 'B');
	check_all(c.map);
	fx_put(c.map);
}

/* F-76: reading shares, and leaves the first object as it was. */
static void reading_shares_the_page(void **state)
{
	c = fx_chain(2, 1, "./A");
	assert_int_equal(fx_load(c.map, 0, 0), 'A');
	assert_int_equal(fx_mapped_prot(c.map, 0, 0),
			 BSDVM_PROT_READ | BSDVM_PROT_EXEC);
	assert_true(xa_empty(&c.object[0]->slots));
	assert_ptr_equal(fx_mapped(c.map, 0, 0), fx_page(c.object[1], 0));
	check_all(c.map);
	fx_put(c.map);
}

/* F-95, I-15: no memory for the copy, or for the slot. */
static void copy_without_memory(void **state)
{
	unsigned int n;

	for (n = 1; n <= 2; n++) {
		c = fx_chain(2, 2, "../.B");
		fx_ref(c.object[1]);
		twin_fail_from(n);
		fx_assert_status(fx_held_fill(c.map, 1, 'b'),
				 BSDVM_RESOURCE_SHORTAGE);
		twin_fail_nth(0);
		assert_null(fx_slot(c.object[0], 1));
		assert_int_equal(folio_ref_count(fx_page(c.object[1], 1)), 1);
		assert_int_equal(fx_count(v_cow_faults), 0);
		check_all(c.map);
		fx_unref(c.object[1]);
		fx_put(c.map);
	}
}

/* F-17, F-80, I-11: the copy in a wired entry is wired instead. */
static void copy_in_a_wired_entry_takes_the_wiring(void **state)
{
	unsigned int source, copy;
	bsdvm_pindex_t n;

	c = fx_chain(2, 1, "./A");
	fx_ref(c.object[1]);
	bsdvm_map_protect(c.map, 0, 0, BSDVM_PROT_READ, false);
	fx_assert_status(bsdvm_map_user_wire(c.map, 0, 0, &n), BSDVM_SUCCESS);
	fx_assert_status(bsdvm_map_protect(c.map, 0, 0, BSDVM_PROT_RW, false),
			 BSDVM_SUCCESS);
	fx_assert_status(fx_held_fill(c.map, 0, 'b'), BSDVM_SUCCESS);
	source = bsdvm_page_wire_count(fx_page(c.object[1], 0));
	copy = bsdvm_page_wire_count(fx_page(c.object[0], 0));
	fx_assert_status(bsdvm_map_user_unwire(c.map, 0, 0, &n),
			 BSDVM_SUCCESS);
	bsdvm_map_protect(c.map, 0, 0, BSDVM_PROT_ALL, false);
	fx_unref(c.object[1]);
	fx_put(c.map);
	assert_int_equal(source, 0);
	assert_int_equal(copy, 1);
}

/* ---- races -------------------------------------------------------------- */

static pthread_barrier_t start;

static void race(struct fx_thread *me)
{
	pthread_barrier_wait(&start);
	me->status = me->access == BSDVM_PROT_WRITE ?
		     fx_store_byte(me->map, me->flags, me->pindex, me->value) :
		     fx_touch(me->map, me->flags, me->pindex, me->access, 0);
}

static void race_round(bsdvm_pindex_t pindex)
{
	struct fx_thread t[4];
	unsigned int i;
	int byte;

	for (i = 0; i < 4; i++) {
		t[i] = (struct fx_thread){ .map = c.map, .pindex = pindex,
			.flags = i, .value = (unsigned char)('a' + i),
			.access = i & 1 ? BSDVM_PROT_READ : BSDVM_PROT_WRITE };
		fx_spawn(&t[i], race);
	}
	for (i = 0; i < 4; i++) {
		fx_join(&t[i]);
		fx_assert_status(t[i].status, BSDVM_SUCCESS);
	}
	byte = fx_held_byte(c.map, pindex);
	assert_true(byte == 'a' || byte == 'c');
	for (i = 0; i < 4; i++)
		assert_int_equal(fx_load(c.map, i, pindex), byte);
	check_all(c.map);
}

#define RACES 30

/* F-51, F-77, I-18: two who write, two who read; one copy, all see it. */
static void racing_writers_and_readers(void **state)
{
	unsigned int i, shared;

	pthread_barrier_init(&start, NULL, 4);
	for (shared = 0; shared < 2; shared++) {
		c = fx_chain(2, RACES, NULL);
		for (i = 0; i < RACES; i++)
			fx_add_page(c.object[1], i, 'A', BSDVM_PAGE_FRESH);
		if (shared)
			fx_ref(c.object[1]);
		for (i = 0; i < RACES; i++)
			race_round(i);
		if (shared)
			fx_unref(c.object[1]);
		fx_put(c.map);
	}
	assert_int_equal(fx_count(v_cow_faults), 2 * RACES);
	pthread_barrier_destroy(&start);
}

/* ---- faults of an object ------------------------------------------------ */

static bool inverted;

static void family_lock_order(const void *lock, enum twin_lock_mode mode)
{
	if (lock == &c.map->family->lock && current->folios_locked)
		inverted = true;
}

/* FP-16, L-30: no folio lock is held where family->lock is taken. */
static void object_copy_obeys_the_lock_order(void **state)
{
	struct folio *page;

	c = fx_chain(2, 1, "./A");
	fx_ref(c.object[1]);
	assert_int_equal(fx_load(c.map, 0, 0), 'A');
	inverted = false;
	twin_lock_hook = family_lock_order;
	fx_assert_status(bsdvm_fault_object_page(c.object[0], 0,
						 BSDVM_PROT_WRITE, 0, &page),
			 BSDVM_SUCCESS);
	twin_lock_hook = NULL;
	bsdvm_fault_page_done(page, BSDVM_PROT_WRITE);
	fx_unref(c.object[1]);
	fx_put(c.map);
	assert_false(inverted);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FX_TEST(sole_shadow_takes_the_page),
		FX_TEST(locked_page_is_copied),
		FX_TEST(rename_leaves_mappings),
		FX_TEST(held_page_is_copied),
		FX_TEST(source_is_flushed),
		FX_TEST(rename_forgets_the_stored_page),
		FX_TEST(either_way_the_page_is_dirty),
		FX_TEST(rename_needs_every_condition),
		FX_TEST(rename_tests_again_under_the_lock),
		FX_TEST(rename_is_from_the_next_object_only),
		FX_TEST(rename_looks_for_the_page_again),
		FX_TEST(rename_does_not_wait_for_the_family),
		FX_TEST(copy_leaves_the_source_as_it_was),
		FX_TEST(copy_removes_stale_mappings),
		FX_TEST(copy_of_an_unmapped_page_removes_nothing),
		FX_TEST(copy_waits_for_the_sources_lock),
		FX_TEST(copy_from_a_deep_chain),
		FX_TEST(reading_shares_the_page),
		FX_TEST(copy_without_memory),
		FX_TEST(copy_in_a_wired_entry_takes_the_wiring),
		FX_TEST(racing_writers_and_readers),
		FX_TEST(object_copy_obeys_the_lock_order),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("fault_cow", tests, NULL, NULL);
}
