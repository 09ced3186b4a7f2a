// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Paging in: fault_pager.c. That the pager is called with nothing held but its
 * own page, a busy slot and a count of paging in progress is asserted by the
 * fixture at every call (F-58).
 */
#include "fixture.h"

static struct fx_chain c;
static unsigned int patience;

/* A fault that goes round and round is killed. */
static void lose_patience(struct bsdvm_object *object, bsdvm_pindex_t pindex)
{
	if (!patience--)
		twin_kill(current);
}

static int byte_or_kill(bsdvm_pindex_t pindex)
{
	int byte;

	patience = 200;
	fx_has_page_hook = lose_patience;
	byte = fx_held_byte(c.map, pindex);
	fx_has_page_hook = NULL;
	twin_unkill(current);
	return byte;
}

static bsdvm_status_t fault(bsdvm_pindex_t pindex, unsigned int type,
			    unsigned int flags, struct bsdvm_fault *f)
{
	bsdvm_status_t status;

	*f = (struct bsdvm_fault){ .map = c.map, .pindex = pindex,
				   .fault_type = type, .flags = flags };
	status = bsdvm_fault(f);
	if (f->page) {
		folio_unlock(f->page);
		folio_put(f->page);
	}
	return status;
}

/* ---- the answers -------------------------------------------------------- */

/* F-59, I-14 */
static void page_arrives(void **state)
{
	struct bsdvm_fault f;

	c = fx_chain(2, 4, NULL);
	fx_store(c.object[1], 3, 's');
	fx_assert_status(fault(3, BSDVM_PROT_READ, 0, &f), BSDVM_SUCCESS);
	assert_ptr_equal(f.page, fx_page(c.object[1], 3));
	assert_int_equal(fx_folio_byte(f.page), 's');
	assert_int_equal(bsdvm_page_state(f.page),
			 BSDVM_PAGE_FRESH | BSDVM_PAGE_SWAPPED);
	assert_int_equal(atomic_long_read(&c.object[1]->resident), 1);
	assert_int_equal(atomic_read(&c.object[1]->pip), 0);
	assert_true(xa_empty(&c.object[0]->slots));
	assert_int_equal(fx_count(v_zfod), 0);
	check_all(c.map);
	fx_put(c.map);
}

/* F-59: of an object with a handle there is no store to account for. */
static void page_of_a_handle_arrives(void **state)
{
	struct bsdvm_fault f;

	c = fx_chain(1, 1, NULL);
	fx_store(c.object[0], 0, 's');
	fx_set_handle(c.object[0]);
	fault(0, BSDVM_PROT_READ, 0, &f);
	assert_int_equal(bsdvm_page_state(f.page), BSDVM_PAGE_FRESH);
	fx_put(c.map);
}

/* F-59: the pager may have put another page there. */
static void page_was_replaced(void **state)
{
	c = fx_chain(1, 1, NULL);
	fx_store(c.object[0], 0, 's')->replace = true;
	assert_int_equal(fx_held_byte(c.map, 0), 's');
	assert_int_equal(fx_count(live_pages), 1);
	check_all(c.map);
	fx_put(c.map);
}

/* F-25, F-60, FP-19, C-10, D-23: hard only if the pager waited. */
static void hard_only_after_a_wait(void **state)
{
	struct bsdvm_fault f;
	struct folio *page;

	c = fx_chain(1, 3, NULL);
	fx_store(c.object[0], 0, 's');
	fx_store(c.object[0], 1, 't')->waits = true;
	fx_store(c.object[0], 2, 'u')->waits = true;
	fault(0, BSDVM_PROT_READ, 0, &f);
	assert_false(f.hard);
	fault(1, BSDVM_PROT_READ, 0, &f);
	assert_true(f.hard);
	fault(1, BSDVM_PROT_READ, 0, &f);
	assert_false(f.hard);
	assert_int_equal(fx_count(v_vm_faults), 3);
	bsdvm_fault_object_page(c.object[0], 1 << PAGE_SHIFT, BSDVM_PROT_READ,
				0, &page);
	bsdvm_fault_page_done(page, BSDVM_PROT_READ);
	assert_int_equal(fx_count(v_vm_faults), 3);
	bsdvm_fault_object_page(c.object[0], 2 << PAGE_SHIFT, BSDVM_PROT_READ,
				0, &page);
	bsdvm_fault_page_done(page, BSDVM_PROT_READ);
	assert_int_equal(fx_count(v_vm_faults), 4);
	fx_put(c.map);
}

/* F-61, PG: what was not provided is zero, whatever lay there before. */
static void partial_page_is_cleared(void **state)
{
	static const unsigned int valid[] = { 0, 1, 512, PAGE_SIZE - 1 };
	unsigned int i, at;
	struct bsdvm_fault f;
	const char *data;

	c = fx_chain(1, ARRAY_SIZE(valid), NULL);
	for (i = 0; i < ARRAY_SIZE(valid); i++) {
		fx_store(c.object[0], i, 's')->valid = valid[i];
		fault(i, BSDVM_PROT_READ, 0, &f);
		data = kmap_local_folio(f.page, 0);
		for (at = 0; at < PAGE_SIZE; at++)
			assert_int_equal(data[at], at < valid[i] ? 's' : 0);
		kunmap_local(data);
	}
	fx_put(c.map);
}

static const struct answer {
	enum bsdvm_pager_result result;
	unsigned int status;
} answers[] = {
	/* F-62, F-63, and what no pager should say */
	{ BSDVM_PAGER_ERROR, 5 },
	{ BSDVM_PAGER_BAD, 2 },
	{ (enum bsdvm_pager_result)77, 5 },
};

/* F-62, F-63, F-65, D-19 */
static void errors_are_reported(void **state)
{
	unsigned int i, level;
	struct bsdvm_fault f;

	for (i = 0; i < ARRAY_SIZE(answers); i++) {
		for (level = 0; level < 2; level++) {
			c = fx_chain(3, 1, "././A");
			fx_store(c.object[level], 0, 's')->result =
				answers[i].result;
			fx_assert_status(fault(0, BSDVM_PROT_READ, 0, &f),
				(__force bsdvm_status_t)answers[i].status);
			assert_null(f.page);
			assert_null(fx_slot(c.object[level], 0));
			assert_int_equal(fx_count(live_pages), 1);
			assert_int_equal(atomic_read(&c.object[level]->pip), 0);
			check_all(c.map);
			fx_put(c.map);
		}
	}
}

/* F-66, D-17: never taken for absent. */
static void again_and_pending_are_tried_again(void **state)
{
	struct fx_stored *s;

	c = fx_chain(2, 1, "./A");
	s = fx_store(c.object[0], 0, 's');
	s->script[0] = BSDVM_PAGER_AGAIN;
	s->script[1] = BSDVM_PAGER_PEND;
	s->script[2] = BSDVM_PAGER_AGAIN;
	s->nscript = 3;
	assert_int_equal(fx_held_byte(c.map, 0), 's');
	assert_int_equal(s->gets, 4);
	assert_int_equal(fx_count(restarts), 4);
	assert_int_equal(fx_count(live_pages), 2);
	check_all(c.map);
	fx_put(c.map);
}

/* F-64, F-71: absent everywhere: a zero-filled page in the first object. */
static void absent_is_a_hole(void **state)
{
	struct fx_stored *s;

	c = fx_chain(2, 2, NULL);
	s = fx_store(c.object[0], 0, 's');
	s->result = BSDVM_PAGER_FAIL;
	fx_store(c.object[1], 1, 't')->result = BSDVM_PAGER_FAIL;
	assert_int_equal(byte_or_kill(0), 0);
	assert_int_equal(s->gets, 1);
	assert_int_equal(byte_or_kill(1), 0);
	assert_non_null(fx_page(c.object[0], 0));
	assert_non_null(fx_page(c.object[0], 1));
	assert_null(fx_slot(c.object[1], 1));
	assert_int_equal(fx_count(v_zfod), 2);
	assert_int_equal(fx_count(restarts), 0);
	check_all(c.map);
	fx_put(c.map);
}

/* F-64, F-76: absent in the store, found further behind, for reading. */
static void absent_in_the_store_found_behind(void **state)
{
	int byte;

	c = fx_chain(2, 1, "./A");
	fx_store(c.object[0], 0, 's')->result = BSDVM_PAGER_FAIL;
	byte = byte_or_kill(0);
	check_all(c.map);
	fx_put(c.map);
	assert_int_equal(byte, 'A');
}

/* F-64, F-77: the same for writing. */
static void absent_in_the_store_copied_from_behind(void **state)
{
	c = fx_chain(3, 1, "././A");
	fx_store(c.object[0], 0, 's')->result = BSDVM_PAGER_FAIL;
	fx_store(c.object[1], 0, 't')->result = BSDVM_PAGER_FAIL;
	fx_assert_status(fx_held_fill(c.map, 0, 'x'), BSDVM_SUCCESS);
	assert_int_equal(fx_held_byte(c.map, 0), 'x');
	assert_int_equal(fx_folio_byte(fx_page(c.object[2], 0)), 'A');
	check_all(c.map);
	fx_put(c.map);
}

/* F-64, F-70: one store after the other, on the way down. */
static void absent_here_stored_behind(void **state)
{
	int byte;

	c = fx_chain(3, 1, NULL);
	fx_store(c.object[0], 0, 's')->result = BSDVM_PAGER_FAIL;
	fx_store(c.object[2], 0, 'u');
	byte = byte_or_kill(0);
	check_all(c.map);
	fx_put(c.map);
	assert_int_equal(byte, 'u');
}

/* ---- nothing is relied upon afterwards ---------------------------------- */

static void map_changes(struct bsdvm_pager_request *req)
{
	fx_assert(!rwsem_is_locked(&c.map->lock));
	bsdvm_map_lock_always(c.map);
	bsdvm_map_unlock(c.map);
}

/* F-58, F-64, F-86, D-4: absent, but the map changed: look it all up again. */
static void generation_is_compared(void **state)
{
	struct fx_stored *s;

	c = fx_chain(1, 1, NULL);
	s = fx_store(c.object[0], 0, 's');
	s->script[0] = BSDVM_PAGER_FAIL;
	s->nscript = 1;
	s->visit = map_changes;
	assert_int_equal(byte_or_kill(0), 's');
	assert_int_equal(s->gets, 2);
	assert_int_equal(fx_count(v_zfod), 0);
	check_all(c.map);
	fx_put(c.map);
}

static void snapshot_during_the_pager(struct bsdvm_pager_request *req)
{
	static u32 id;

	fx_assert(bsdvm_map_snapshot(c.map, 0, &id) == BSDVM_SUCCESS);
	fx_assert(bsdvm_map_punch(c.map, 1, 1) == BSDVM_SUCCESS);
}

/* F-58, F-86: frozen and shadowed meanwhile: the write goes to the new top. */
static void map_is_frozen_during_the_pager(void **state)
{
	struct bsdvm_object *first;

	c = fx_chain(1, 2, NULL);
	first = c.object[0];
	fx_store(first, 0, 's')->visit = snapshot_during_the_pager;
	fx_assert_status(fx_store_byte(c.map, 0, 0, 'x'), BSDVM_SUCCESS);
	assert_ptr_not_equal(fx_object(c.map, 0), first);
	assert_int_equal(fx_folio_byte(fx_page(first, 0)), 's');
	assert_int_equal(fx_load(c.map, 0, 0), 'x');
	check_all(c.map);
	fx_put(c.map);
}

/* F-51, F-58: while one reads, others wait; one request only. */
static void others_wait_for_the_page(void **state)
{
	struct fx_gate gate = FX_GATE_INIT;
	struct fx_thread a = { }, b = { };
	struct fx_stored *s;

	c = fx_chain(2, 1, NULL);
	s = fx_store(c.object[1], 0, 's');
	s->gate = &gate;
	a.map = b.map = c.map;
	a.access = BSDVM_PROT_READ;
	b.access = BSDVM_PROT_WRITE;
	b.value = 'w';
	fx_spawn(&a, fx_do_held);
	fx_gate_await(&gate, 1);
	assert_false(rwsem_is_locked(&c.map->lock));
	fx_spawn(&b, fx_do_held);
	fx_await_sleep(&b);
	fx_gate_open(&gate);
	fx_join(&a);
	fx_join(&b);
	fx_assert_status(a.status, BSDVM_SUCCESS);
	fx_assert_status(b.status, BSDVM_SUCCESS);
	assert_int_equal(fx_pager_log.gets, 1);
	assert_int_equal(fx_held_byte(c.map, 0), 'w');
	check_all(c.map);
	fx_put(c.map);
}

/* F-30, F-58: the one who waits for the other's read can be killed. */
static void killed_while_another_reads(void **state)
{
	struct fx_gate gate = FX_GATE_INIT;
	struct fx_thread a = { }, b = { };

	c = fx_chain(1, 1, NULL);
	fx_store(c.object[0], 0, 's')->gate = &gate;
	a.map = b.map = c.map;
	a.access = b.access = BSDVM_PROT_READ;
	fx_spawn(&a, fx_do_held);
	fx_gate_await(&gate, 1);
	fx_spawn(&b, fx_do_held);
	fx_await_sleep(&b);
	twin_kill(b.task);
	fx_join(&b);
	fx_assert_status(b.status, BSDVM_INTERRUPTED);
	fx_gate_open(&gate);
	fx_join(&a);
	assert_int_equal(a.value, 's');
	check_all(c.map);
	fx_put(c.map);
}

static void kill_me(struct bsdvm_pager_request *req)
{
	twin_kill(current);
}

/* F-30, I-15: killed in the pager: the page stays, for the next. */
static void killed_in_the_pager(void **state)
{
	struct bsdvm_fault f;

	c = fx_chain(1, 1, NULL);
	fx_store(c.object[0], 0, 's')->visit = kill_me;
	fx_assert_status(fault(0, BSDVM_PROT_READ, 0, &f), BSDVM_INTERRUPTED);
	twin_unkill(current);
	check_all(c.map);
	assert_non_null(fx_page(c.object[0], 0));
	assert_int_equal(fx_held_byte(c.map, 0), 's');
	fx_put(c.map);
}

static void let_go(struct fx_thread *me)
{
	fx_unref(me->object);
}

/* F-13, F-58, I-13: paging in progress keeps the object from collapse. */
static void pager_keeps_the_object(void **state)
{
	struct fx_gate gate = FX_GATE_INIT;
	struct fx_thread a = { .access = BSDVM_PROT_READ }, b = { };

	c = fx_chain(2, 1, NULL);
	fx_ref(c.object[1]);
	fx_store(c.object[1], 0, 's')->gate = &gate;
	a.map = c.map;
	b.object = c.object[1];
	fx_spawn(&a, fx_do_held);
	fx_gate_await(&gate, 1);
	assert_int_equal(atomic_read(&c.object[1]->pip), 1);
	fx_spawn(&b, let_go);
	fx_join(&b);
	assert_int_equal(fx_count(object_collapses), 0);
	fx_gate_open(&gate);
	fx_join(&a);
	assert_int_equal(atomic_read(&c.object[1]->pip), 0);
	fx_assert_status(a.status, BSDVM_SUCCESS);
	assert_int_equal(a.value, 's');
	check_all(c.map);
	fx_put(c.map);
}

/* F-49, F-95, I-15: no memory for the page, or for its slot. */
static void no_memory_for_the_page(void **state)
{
	struct bsdvm_fault f;
	unsigned int n;

	for (n = 1; n <= 2; n++) {
		c = fx_chain(2, 2, NULL);
		fx_store(c.object[1], 1, 's');
		twin_fail_nth(n);
		fx_assert_status(fault(1, BSDVM_PROT_READ, 0, &f),
				 BSDVM_RESOURCE_SHORTAGE);
		twin_fail_nth(0);
		assert_null(fx_slot(c.object[1], 1));
		assert_int_equal(atomic_read(&c.object[1]->pip), 0);
		check_all(c.map);
		fx_put(c.map);
	}
}

/* F-49: under a budget, the wait is without slot and count. */
static void budget_shortage_before_the_pager(void **state)
{
	struct bsdvm_fault f;

	c = fx_chain(2, 2, NULL);
	fx_store(c.object[1], 1, 's');
	bsdvm_budget = (struct bsdvm_budget){ .limit = 1, .severe = 2 };
	fx_assert_status(fault(1, BSDVM_PROT_READ, 0, &f),
			 BSDVM_RESOURCE_SHORTAGE);
	assert_int_equal(fx_pager_log.gets, 0);
	check_all(c.map);
	bsdvm_budget.limit = 0;
	assert_int_equal(fx_held_byte(c.map, 1), 's');
	fx_put(c.map);
}

/* ---- who may ask the pager ---------------------------------------------- */

/* F-44, F-52, F-74: a wire fault on an entry that is not wired does not. */
static void wire_fault_on_an_unwired_entry_does_not_read(void **state)
{
	struct bsdvm_fault f;

	c = fx_chain(2, 1, NULL);
	fx_store(c.object[1], 0, 's');
	fx_assert_status(fault(0, BSDVM_PROT_RW, BSDVM_FAULT_CHANGE_WIRING, &f),
			 BSDVM_SUCCESS);
	assert_int_equal(fx_pager_log.gets, 0);
	assert_int_equal(fx_folio_byte(fx_page(c.object[0], 0)), 0);
	check_all(c.map);
	fx_put(c.map);
}

/* F-44: on a wired one it does. */
static void wiring_reads(void **state)
{
	c = fx_chain(2, 1, NULL);
	fx_store(c.object[1], 0, 's');
	fx_assert_status(bsdvm_map_wire(c.map, 0, 0), BSDVM_SUCCESS);
	assert_int_equal(fx_pager_log.gets, 1);
	assert_int_equal(fx_folio_byte(fx_page(fx_object(c.map, 0), 0)), 's');
	check_all(c.map);
	bsdvm_map_unwire(c.map, 0, 0);
	fx_put(c.map);
}

/* F-44, F-64, W-8: wired behind an absent page: unwired, too. */
static void wiring_behind_an_absent_page_is_undone(void **state)
{
	struct folio *page;
	bsdvm_pindex_t n;
	unsigned int left;
	bsdvm_status_t status;

	c = fx_chain(2, 1, "./A");
	page = fx_page(c.object[1], 0);
	fx_store(c.object[0], 0, 's')->result = BSDVM_PAGER_FAIL;
	fx_entry(c.map, 0)->protection = BSDVM_PROT_READ;
	patience = 200;
	fx_has_page_hook = lose_patience;
	status = bsdvm_map_user_wire(c.map, 0, 0, &n);
	fx_has_page_hook = NULL;
	twin_unkill(current);
	bsdvm_map_user_unwire(c.map, 0, 0, &n);
	left = bsdvm_page_wire_count(page);
	fx_put(c.map);
	fx_assert_status(status, BSDVM_SUCCESS);
	assert_int_equal(left, 0);
}

/* F-46, F-47: a file or a device ends where it ends, at any level. */
static void beyond_an_object_with_a_handle(void **state)
{
	struct bsdvm_fault f;
	unsigned int level;

	for (level = 0; level < 2; level++) {
		c = fx_chain(2, 2, NULL);
		fx_store(c.object[level], 1, 's');
		fx_set_handle(c.object[level]);
		c.object[level]->size = 1;
		fx_assert_status(fault(1, BSDVM_PROT_READ, 0, &f),
				 BSDVM_PROTECTION_FAILURE);
		assert_int_equal(fx_pager_log.gets, 0);
		check_all(c.map);
		fx_put(c.map);
	}
}

/* F-47: also where its pager has nothing to offer. */
static void beyond_a_backing_object_with_a_handle(void **state)
{
	struct bsdvm_fault f;
	bsdvm_status_t status;

	c = fx_chain(2, 2, NULL);
	fx_set_handle(c.object[1]);
	c.object[1]->size = 1;
	status = fault(1, BSDVM_PROT_READ, 0, &f);
	check_all(c.map);
	fx_put(c.map);
	fx_assert_status(status, BSDVM_PROTECTION_FAILURE);
}

/* ---- hints, and deactivate-behind --------------------------------------- */

/* F-53 */
static void hint_follows_the_entry(void **state)
{
	c = fx_chain(1, 3, NULL);
	fx_store(c.object[0], 0, 's');
	fx_store(c.object[0], 1, 's');
	fx_store(c.object[0], 2, 's');
	fx_held_byte(c.map, 0);
	assert_int_equal(fx_stored(c.object[0], 0)->sequential, -1);
	fx_entry(c.map, 0)->flags |= BSDVM_ENTRY_RANDOM;
	fx_held_byte(c.map, 1);
	assert_int_equal(fx_stored(c.object[0], 1)->sequential, 0);
	fx_entry(c.map, 0)->flags ^= BSDVM_ENTRY_RANDOM |
				     BSDVM_ENTRY_SEQUENTIAL;
	fx_held_byte(c.map, 2);
	assert_int_equal(fx_stored(c.object[0], 2)->sequential, 1);
	fx_put(c.map);
}

/* Pages 0 to @n - 1 resident, clean and ACTIVE; page @n stored. */
static void behind_setup(bsdvm_pindex_t n, unsigned int entry_flags)
{
	bsdvm_pindex_t i;

	c = fx_chain(1, n + 1, NULL);
	for (i = 0; i < n; i++)
		fx_add_page(c.object[0], i, 'p', BSDVM_PAGE_FRESH);
	fx_store(c.object[0], n, 's');
	fx_entry(c.map, 0)->flags |= entry_flags;
}

static unsigned long queue(bsdvm_pindex_t pindex)
{
	return bsdvm_page_queue(fx_page(c.object[0], pindex));
}

/* Pages first to last were retired, all others were not. */
static void assert_window(bsdvm_pindex_t n, bsdvm_pindex_t first,
			  bsdvm_pindex_t last)
{
	bsdvm_pindex_t i;

	for (i = 0; i < n; i++)
		if ((queue(i) == BSDVM_QUEUE_CACHE) !=
		    (first <= i && i <= last))
			fail_msg("page %lu of %lu", i, n);
}

/* F-54, F-55, D-16: 16 pages behind, downwards, page 0 never. */
static void window_behind(void **state)
{
	static const struct { bsdvm_pindex_t n, first, last; } windows[] = {
		{ 5, 9, 0 }, { 15, 99, 0 }, { 16, 99, 0 }, { 17, 1, 1 },
		{ 20, 1, 4 }, { 32, 1, 16 }, { 40, 9, 24 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(windows); i++) {
		behind_setup(windows[i].n, BSDVM_ENTRY_SEQUENTIAL);
		assert_int_equal(fx_held_byte(c.map, windows[i].n), 's');
		assert_window(windows[i].n, windows[i].first, windows[i].last);
		check_all(c.map);
		fx_put(c.map);
	}
}

/* F-54: neither without the advice, nor for RANDOM. */
static void no_window_without_advice(void **state)
{
	behind_setup(40, 0);
	fx_held_byte(c.map, 40);
	assert_window(40, 99, 0);
	fx_put(c.map);
	behind_setup(40, BSDVM_ENTRY_RANDOM);
	fx_held_byte(c.map, 40);
	assert_window(40, 99, 0);
	fx_put(c.map);
}

/* F-56: a missing page ends it. */
static void window_ends_at_a_hole(void **state)
{
	struct folio *page;

	behind_setup(40, BSDVM_ENTRY_SEQUENTIAL);
	page = xa_erase(&c.object[0]->slots, 20);
	atomic_long_dec(&c.object[0]->resident);
	bsdvm_page_free(page);
	fx_held_byte(c.map, 40);
	assert_int_equal(queue(21), BSDVM_QUEUE_CACHE);
	assert_int_equal(queue(19), BSDVM_QUEUE_ACTIVE);
	fx_put(c.map);
}

/* F-56: busy, wired and locked pages are passed over. */
static void window_passes_over_pages_in_use(void **state)
{
	struct folio *page;

	behind_setup(40, BSDVM_ENTRY_SEQUENTIAL);
	page = xa_store(&c.object[0]->slots, 22, BSDVM_SLOT_BUSY, GFP_KERNEL);
	assert_int_equal(fx_load(c.map, 0, 21), 'p');
	bsdvm_page_wire(fx_page(c.object[0], 21));
	folio_lock(fx_page(c.object[0], 20));
	current->folios_locked = 0;
	fx_held_byte(c.map, 40);
	current->folios_locked = 1;
	folio_unlock(fx_page(c.object[0], 20));
	xa_store(&c.object[0]->slots, 22, page, GFP_KERNEL);
	assert_int_equal(queue(22), BSDVM_QUEUE_ACTIVE);
	assert_int_equal(queue(21), BSDVM_QUEUE_NONE);
	assert_non_null(fx_mapped(c.map, 0, 21));
	assert_int_equal(queue(20), BSDVM_QUEUE_ACTIVE);
	assert_int_equal(queue(19), BSDVM_QUEUE_CACHE);
	assert_int_equal(queue(9), BSDVM_QUEUE_CACHE);
	bsdvm_page_unwire(fx_page(c.object[0], 21));
	check_all(c.map);
	fx_put(c.map);
}

/* F-57: unmapped; a dirty one, or one dirtied by its mapping, is INACTIVE. */
static void window_unmaps_and_sorts(void **state)
{
	behind_setup(40, BSDVM_ENTRY_SEQUENTIAL);
	assert_int_equal(fx_load(c.map, 0, 20), 'p');
	fx_touch(c.map, 0, 21, BSDVM_PROT_READ, 0);
	fx_assert_status(fx_store_byte(c.map, 0, 21, 'q'), BSDVM_SUCCESS);
	assert_false(bsdvm_page_state(fx_page(c.object[0], 21)) &
		     BSDVM_PAGE_DIRTY);
	bsdvm_page_set(fx_page(c.object[0], 22), BSDVM_PAGE_DIRTY);
	fx_held_byte(c.map, 40);
	assert_int_equal(fx_mappings(c.map), 0);
	assert_int_equal(queue(20), BSDVM_QUEUE_CACHE);
	assert_int_equal(queue(21), BSDVM_QUEUE_INACTIVE);
	assert_int_equal(queue(22), BSDVM_QUEUE_INACTIVE);
	assert_int_equal(fx_held_byte(c.map, 21), 'q');
	check_all(c.map);
	fx_put(c.map);
}

/* F-41, F-54, D-15: a mark that was met makes it run as well. */
static void window_after_a_readahead_mark(void **state)
{
	unsigned long behind;

	behind_setup(40, 0);
	bsdvm_page_set(fx_page(c.object[0], 39), BSDVM_PAGE_RAM);
	assert_int_equal(fx_held_byte(c.map, 39), 'p');
	behind = queue(23);
	fx_put(c.map);
	assert_int_equal(behind, BSDVM_QUEUE_CACHE);
}

/* F-54: but not for RANDOM. */
static void no_window_after_a_mark_for_random(void **state)
{
	behind_setup(40, BSDVM_ENTRY_RANDOM);
	bsdvm_page_set(fx_page(c.object[0], 39), BSDVM_PAGE_RAM);
	fx_held_byte(c.map, 39);
	assert_window(40, 99, 0);
	fx_put(c.map);
}

/* F-57, I-4: a page that another map still shows is not put on CACHE. */
static void window_and_another_map(void **state)
{
	struct bsdvm_map *map;
	unsigned long at;
	bool mapped;

	behind_setup(40, BSDVM_ENTRY_SEQUENTIAL);
	fx_assert_status(bsdvm_map_shadow(c.map, 0, 41, NULL, &map),
			 BSDVM_SUCCESS);
	assert_int_equal(fx_load(map, 0, 20), 'p');
	fx_held_byte(c.map, 40);
	at = queue(20);
	mapped = folio_mapped(fx_page(c.object[0], 20));
	bsdvm_page_requeue(fx_page(c.object[0], 20), BSDVM_QUEUE_ACTIVE);
	fx_put(map);
	fx_put(c.map);
	assert_false(mapped && at == BSDVM_QUEUE_CACHE);
}

/* F-57: nothing is removed outside of the entry. */
static void window_before_the_entry(void **state)
{
	struct bsdvm_map *map;
	unsigned int bad;

	behind_setup(40, 0);
	fx_map_page(c.map, 0, 20, fx_page(c.object[0], 20), BSDVM_PROT_READ);
	fx_assert_status(bsdvm_map_shadow(c.map, 38, 3, NULL, &map),
			 BSDVM_SUCCESS);
	fx_map_page(c.map, 0, 20, fx_page(c.object[0], 20), BSDVM_PROT_READ);
	fx_entry(map, 2)->flags |= BSDVM_ENTRY_SEQUENTIAL;
	assert_int_equal(fx_held_byte(map, 2), 's');
	bad = fx_pmap_log.out_of_range;
	bsdvm_page_requeue(fx_page(c.object[0], 20), BSDVM_QUEUE_ACTIVE);
	fx_put(map);
	fx_put(c.map);
	assert_int_equal(bad, 0);
}

/* F-64, FP-13: an object fault goes on behind without a map to lock. */
static void absent_page_of_an_object(void **state)
{
	struct fx_chain chain = fx_chain(2, 2, "../.B");
	struct folio *page;

	fx_store(chain.object[0], 1, 's')->result = BSDVM_PAGER_FAIL;
	fx_assert_status(bsdvm_fault_object_page(chain.object[0], PAGE_SIZE,
						 BSDVM_PROT_READ, 0, &page),
			 BSDVM_SUCCESS);
	assert_int_equal(fx_folio_byte(page), 'B');
	bsdvm_fault_page_done(page, BSDVM_PROT_READ);
	assert_int_equal(fx_pager_log.gets, 1);
	fx_put(chain.map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FX_TEST(page_arrives),
		FX_TEST(page_of_a_handle_arrives),
		FX_TEST(page_was_replaced),
		FX_TEST(hard_only_after_a_wait),
		FX_TEST(partial_page_is_cleared),
		FX_TEST(errors_are_reported),
		FX_TEST(again_and_pending_are_tried_again),
		FX_TEST(absent_is_a_hole),
		FX_TEST(absent_in_the_store_found_behind),
		FX_TEST(absent_in_the_store_copied_from_behind),
		FX_TEST(absent_here_stored_behind),
		FX_TEST(generation_is_compared),
		FX_TEST(map_is_frozen_during_the_pager),
		FX_TEST(others_wait_for_the_page),
		FX_TEST(killed_while_another_reads),
		FX_TEST(killed_in_the_pager),
		FX_TEST(pager_keeps_the_object),
		FX_TEST(no_memory_for_the_page),
		FX_TEST(budget_shortage_before_the_pager),
		FX_TEST(wire_fault_on_an_unwired_entry_does_not_read),
		FX_TEST(wiring_reads),
		FX_TEST(wiring_behind_an_absent_page_is_undone),
		FX_TEST(beyond_an_object_with_a_handle),
		FX_TEST(beyond_a_backing_object_with_a_handle),
		FX_TEST(hint_follows_the_entry),
		FX_TEST(window_behind),
		FX_TEST(no_window_without_advice),
		FX_TEST(window_ends_at_a_hole),
		FX_TEST(window_passes_over_pages_in_use),
		FX_TEST(window_unmaps_and_sorts),
		FX_TEST(window_after_a_readahead_mark),
		FX_TEST(no_window_after_a_mark_for_random),
		FX_TEST(window_and_another_map),
		FX_TEST(window_before_the_entry),
		FX_TEST(absent_page_of_an_object),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("fault_pager", tests, NULL, NULL);
}
