// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The fault as a whole: fault.c. */
#include "fixture.h"

static bsdvm_status_t fault(struct bsdvm_map *map, bsdvm_pindex_t pindex,
			    unsigned int type, unsigned int flags,
			    struct bsdvm_fault *f)
{
	*f = (struct bsdvm_fault){
		.map = map,
		.pindex = pindex,
		.fault_type = type,
		.flags = flags,
	};
	return bsdvm_fault(f);
}

/* Give back what a fault handed over; returns its byte, or -1. */
static int finish(struct bsdvm_fault *f)
{
	int byte;

	if (!f->page)
		return -1;
	byte = fx_folio_byte(f->page);
	folio_unlock(f->page);
	folio_put(f->page);
	f->page = NULL;
	return byte;
}

static void set_entry(struct bsdvm_map *map, bsdvm_pindex_t pindex,
		      unsigned int prot, unsigned int max)
{
	struct bsdvm_entry *entry = fx_entry(map, pindex);

	entry->protection = prot;
	entry->max_protection = max;
}

/* ---- lookup ------------------------------------------------------------- */

/* F-1, FP-3 */
static void each_call_counts_one_fault(void **state)
{
	struct bsdvm_map *map = fx_map(2);
	struct bsdvm_fault f;

	fault(map, 0, BSDVM_PROT_READ, 0, &f);
	assert_int_equal(finish(&f), 0);
	assert_int_equal(fx_held_byte(map, 0), 0);
	fault(map, 99, BSDVM_PROT_READ, 0, &f);
	assert_int_equal(fx_count(v_vm_faults), 3);
	fx_put(map);
}

static bool fail_first_page(gfp_t gfp)
{
	static unsigned int calls;

	return calls++ % 3 == 2;
}

/* F-1, F-2, F-19: retries are one fault, and succeed in the end. */
static void retries_count_once(void **state)
{
	struct bsdvm_map *map = fx_map(1);

	bsdvm_budget.limit = 100;
	twin_page_alloc_hook = fail_first_page;
	fx_assert_status(fx_held_fill(map, 0, 'x'), BSDVM_SUCCESS);
	twin_page_alloc_hook = NULL;
	assert_int_equal(fx_count(v_vm_faults), 1);
	assert_int_equal(fx_count(restarts), 2);
	assert_int_equal(fx_count(v_zfod), 1);
	assert_int_equal(fx_held_byte(map, 0), 'x');
	fx_put(map);
}

/* F-3, M-23: the first read creates the object, but no page of a copy. */
static void lookup_creates_the_object(void **state)
{
	struct bsdvm_map *map = fx_map(4);

	assert_null(fx_object(map, 0));
	assert_int_equal(fx_held_byte(map, 3), 0);
	assert_non_null(fx_object(map, 0));
	assert_int_equal(fx_count(live_objects), 1);
	assert_int_equal(fx_count(live_pages), 1);
	check_all(map);
	fx_put(map);
}

/* F-5, M-10 */
static void no_entry_is_invalid_address(void **state)
{
	struct bsdvm_map *map = fx_map(4), *empty = fx_map(0);
	struct bsdvm_fault f;

	fx_assert_status(fault(map, 4, BSDVM_PROT_READ, 0, &f),
			 BSDVM_INVALID_ADDRESS);
	assert_null(f.page);
	fx_assert_status(fault(map, ULONG_MAX, BSDVM_PROT_WRITE, 0, &f),
			 BSDVM_INVALID_ADDRESS);
	fx_assert_status(fault(empty, 0, BSDVM_PROT_READ, 0, &f),
			 BSDVM_INVALID_ADDRESS);
	check_all(map);
	fx_put(empty);
	fx_put(map);
}

/* F-7, FP-4: refused by the entry, nothing changed. */
static void protection_failure_changes_nothing(void **state)
{
	struct bsdvm_map *map = fx_map(1);
	struct bsdvm_fault f;
	struct folio *page = (void *)1;

	set_entry(map, 0, BSDVM_PROT_READ, BSDVM_PROT_ALL);
	fx_assert_status(fault(map, 0, BSDVM_PROT_WRITE, 0, &f),
			 BSDVM_PROTECTION_FAILURE);
	fx_assert_status(fault(map, 0, BSDVM_PROT_RW,
			       BSDVM_FAULT_CHANGE_WIRING, &f),
			 BSDVM_PROTECTION_FAILURE);
	fx_assert_status(fault(map, 0, BSDVM_PROT_EXEC, 0, &f),
			 BSDVM_PROTECTION_FAILURE);
	fx_assert_status(bsdvm_fault_page(map, 0, BSDVM_PROT_WRITE, 0, &page),
			 BSDVM_PROTECTION_FAILURE);
	assert_null(page);
	assert_null(fx_object(map, 0));
	assert_int_equal(fx_entry(map, 0)->max_protection, BSDVM_PROT_ALL);
	check_all(map);
	fx_put(map);
}

/* F-8: what the entry forbids, max_protection may allow the user to wire. */
static void user_wire_asks_max_protection(void **state)
{
	struct bsdvm_map *map = fx_map(2);
	bsdvm_pindex_t n;

	set_entry(map, 0, 0, BSDVM_PROT_READ);
	fx_assert_status(bsdvm_map_user_wire(map, 0, 1, &n), BSDVM_SUCCESS);
	assert_int_equal(n, 2);
	assert_int_equal(fx_count(live_wired), 2);
	assert_int_equal(fx_count(live_pages), 2);
	check_all(map);
	fx_assert_status(bsdvm_map_user_unwire(map, 0, 1, &n), BSDVM_SUCCESS);
	fx_put(map);
}

/* F-8: and if that forbids it as well, nothing is wired. */
static void user_wire_obeys_max_protection(void **state)
{
	struct bsdvm_map *map = fx_map(2);
	bsdvm_pindex_t n;

	set_entry(map, 0, 0, 0);
	fx_assert_status(bsdvm_map_user_wire(map, 0, 1, &n),
			 BSDVM_PROTECTION_FAILURE);
	assert_int_equal(fx_count(live_wired), 0);
	set_entry(map, 0, BSDVM_PROT_ALL, BSDVM_PROT_ALL);
	check_all(map);
	fx_put(map);
}

/* F-9, D-32: the price, paid under the exclusive lock. */
static void user_wire_takes_write_away(void **state)
{
	struct bsdvm_map *map = fx_map(2);
	struct bsdvm_fault f;
	u64 generation = map->generation;

	set_entry(map, 0, 0, BSDVM_PROT_ALL);
	fx_assert_status(fault(map, 0, BSDVM_PROT_READ, BSDVM_FAULT_USER_WIRE,
			       &f), BSDVM_SUCCESS);
	assert_int_equal(fx_entry(map, 0)->max_protection,
			 BSDVM_PROT_READ | BSDVM_PROT_EXEC);
	assert_true(map->generation > generation);
	fx_put(map);
}

/* F-9: an entry that may be written keeps its max_protection. */
static void user_wire_leaves_writable_entries(void **state)
{
	struct bsdvm_map *map = fx_map(1);
	struct bsdvm_fault f;

	set_entry(map, 0, BSDVM_PROT_WRITE, BSDVM_PROT_ALL);
	fx_assert_status(fault(map, 0, BSDVM_PROT_READ, BSDVM_FAULT_USER_WIRE,
			       &f), BSDVM_SUCCESS);
	assert_int_equal(fx_entry(map, 0)->max_protection, BSDVM_PROT_ALL);
	fx_put(map);
}

/* F-11, FP-5 */
static void nofault_entry_fails(void **state)
{
	struct bsdvm_map *map = fx_map(1);
	struct folio *page;
	struct bsdvm_fault f;

	fx_entry(map, 0)->flags |= BSDVM_ENTRY_NOFAULT;
	fx_assert_status(fault(map, 0, BSDVM_PROT_READ, 0, &f), BSDVM_FAILURE);
	fx_assert_status(bsdvm_fault_page(map, 0, BSDVM_PROT_READ, 0, &page),
			 BSDVM_FAILURE);
	assert_null(page);
	check_all(map);
	fx_put(map);
}

/* F-27, F-29: W alone needs W alone; F-33: R alone gets W as well. */
static void write_only_access_and_entry(void **state)
{
	struct bsdvm_map *map = fx_map(1);
	struct bsdvm_fault f;

	set_entry(map, 0, BSDVM_PROT_WRITE, BSDVM_PROT_ALL);
	fx_assert_status(fault(map, 0, BSDVM_PROT_WRITE, 0, &f), BSDVM_SUCCESS);
	assert_int_equal(f.prot, BSDVM_PROT_WRITE);
	finish(&f);
	fx_assert_status(fault(map, 0, BSDVM_PROT_READ, 0, &f),
			 BSDVM_PROTECTION_FAILURE);
	set_entry(map, 0, BSDVM_PROT_RW, BSDVM_PROT_ALL);
	fx_assert_status(fault(map, 0, BSDVM_PROT_READ, 0, &f), BSDVM_SUCCESS);
	assert_int_equal(f.prot, BSDVM_PROT_RW);
	finish(&f);
	fx_put(map);
}

/* ---- wired entries ------------------------------------------------------ */

/* F-17, FP-6: a read fault of a wired writable entry makes the page its own. */
static void wired_entry_widens_the_access(void **state)
{
	struct fx_chain c = fx_chain(2, 1, "./A");
	struct bsdvm_fault f;

	fx_ref(c.object[1]);
	fx_entry(c.map, 0)->wired_count = 1;
	fx_assert_status(fault(c.map, 0, BSDVM_PROT_READ, 0, &f),
			 BSDVM_SUCCESS);
	assert_true(f.prot & BSDVM_PROT_WRITE);
	assert_int_equal(finish(&f), 'A');
	assert_non_null(fx_page(c.object[0], 0));
	assert_int_equal(fx_count(v_cow_faults), 1);
	fx_entry(c.map, 0)->wired_count = 0;
	fx_unref(c.object[1]);
	fx_put(c.map);
}

static struct bsdvm_map *hook_map;

/* Between two attempts: no longer wired, no longer writable. */
static void unwire_and_protect(struct bsdvm_pager_request *req)
{
	fx_assert(bsdvm_map_lock(hook_map) == BSDVM_SUCCESS);
	fx_entry(hook_map, 0)->wired_count = 0;
	fx_entry(hook_map, 0)->protection = BSDVM_PROT_READ;
	bsdvm_map_unlock(hook_map);
}

/* F-17, D-14: each attempt begins with the caller's access. */
static void restart_uses_the_original_access(void **state)
{
	struct fx_chain c = fx_chain(1, 1, NULL);
	struct bsdvm_fault f;

	hook_map = c.map;
	fx_store(c.object[0], 0, 's')->visit = unwire_and_protect;
	fx_entry(c.map, 0)->wired_count = 1;
	fx_assert_status(fault(c.map, 0, BSDVM_PROT_READ, 0, &f),
			 BSDVM_SUCCESS);
	assert_int_equal(f.prot, BSDVM_PROT_READ);
	assert_int_equal(finish(&f), 's');
	fx_put(c.map);
}

/* F-17: a wired entry that may not be written is not copied (W-5). */
static void wired_read_only_entry_is_not_copied(void **state)
{
	struct fx_chain c = fx_chain(2, 1, "./A");
	struct bsdvm_fault f;

	set_entry(c.map, 0, BSDVM_PROT_READ, BSDVM_PROT_ALL);
	fx_entry(c.map, 0)->wired_count = 1;
	fx_assert_status(fault(c.map, 0, BSDVM_PROT_READ,
			       BSDVM_FAULT_USER_WIRE, &f), BSDVM_SUCCESS);
	assert_null(f.page);
	assert_null(fx_page(c.object[0], 0));
	assert_int_equal(bsdvm_page_wire_count(fx_page(c.object[1], 0)), 1);
	check_all(c.map);
	fx_put(c.map);
}

/* F-24 */
static void wire_fault_counts_the_page(void **state)
{
	struct bsdvm_map *map = fx_map(1);
	struct bsdvm_fault f;
	struct folio *page;

	assert_int_equal(fx_held_byte(map, 0), 0);
	page = fx_page(fx_object(map, 0), 0);
	fx_entry(map, 0)->wired_count = 1;
	fault(map, 0, BSDVM_PROT_RW, BSDVM_FAULT_CHANGE_WIRING, &f);
	assert_null(f.page);
	assert_int_equal(bsdvm_page_wire_count(page), 1);
	assert_int_equal(bsdvm_page_queue(page), BSDVM_QUEUE_NONE);
	assert_int_equal(folio_ref_count(page), 1);
	fx_entry(map, 0)->wired_count = 0;
	/* F-24: the old way of unwiring, by a wire fault on an unwired entry */
	fault(map, 0, BSDVM_PROT_RW, BSDVM_FAULT_CHANGE_WIRING, &f);
	assert_int_equal(bsdvm_page_wire_count(page), 0);
	assert_int_equal(bsdvm_page_queue(page), BSDVM_QUEUE_ACTIVE);
	fault(map, 0, BSDVM_PROT_RW, BSDVM_FAULT_CHANGE_WIRING, &f);
	assert_int_equal(bsdvm_page_wire_count(page), 0);
	fx_put(map);
}

/* F-22, F-24: a wire fault enters nothing, whatever it is given. */
static void wire_fault_maps_nothing(void **state)
{
	struct bsdvm_map *map = fx_map(2);

	bsdvm_map_wire(map, 0, 1);
	assert_int_equal(fx_pmap_log.enters, 0);
	assert_int_equal(fx_count(live_wired), 2);
	check_all(map);
	bsdvm_map_unwire(map, 0, 1);
	fx_put(map);
}

/* ---- state of the page -------------------------------------------------- */

/* F-20, F-24, F-26, F-94 */
static void page_becomes_referenced_and_active(void **state)
{
	struct fx_chain c = fx_chain(2, 1, "./A");
	struct folio *page = fx_page(c.object[1], 0);
	struct bsdvm_fault f;

	page->private = (void *)BSDVM_QUEUE_INACTIVE;
	fault(c.map, 0, BSDVM_PROT_READ, 0, &f);
	assert_ptr_equal(f.page, page);
	assert_true(folio_test_locked(page));
	assert_int_equal(folio_ref_count(page), 2);
	finish(&f);
	assert_int_equal(bsdvm_page_state(page), BSDVM_PAGE_FRESH);
	assert_int_equal(folio_ref_count(page), 1);
	check_all(c.map);
	fx_put(c.map);
}

/* F-20: entered, not handed over; at an address mapped already, handed over. */
static void mapping_is_installed(void **state)
{
	struct bsdvm_map *map = fx_map(1);
	struct fx_space space = { .map = map };
	struct bsdvm_fault f = { .map = map, .pmap = &space,
				 .fault_type = BSDVM_PROT_WRITE };

	fx_assert_status(bsdvm_fault(&f), BSDVM_SUCCESS);
	assert_null(f.page);
	assert_int_equal(fx_mapped_prot(map, 0, 0), BSDVM_PROT_ALL);
	assert_int_equal(folio_ref_count(fx_mapped(map, 0, 0)), 2);
	check_all(map);
	fx_assert_status(bsdvm_fault(&f), BSDVM_SUCCESS);
	assert_ptr_equal(f.page, fx_mapped(map, 0, 0));
	finish(&f);
	check_all(map);
	fx_put(map);
}

/* F-20: no room for the mapping: the page is handed over. */
static void mapping_fails_and_page_is_handed_over(void **state)
{
	struct bsdvm_map *map = fx_map(1);
	struct fx_space space = { .map = map };
	struct bsdvm_fault f = { .map = map, .pmap = &space,
				 .fault_type = BSDVM_PROT_READ };

	fx_pmap_room = 0;
	fx_assert_status(bsdvm_fault(&f), BSDVM_SUCCESS);
	assert_non_null(f.page);
	finish(&f);
	fx_put(map);
}

/* F-20, F-83: the page present for reading is made writable, not entered. */
static void present_page_is_handed_over(void **state)
{
	struct bsdvm_map *map = fx_map(1);
	struct fx_space space = { .map = map };
	struct bsdvm_fault f = { .map = map, .pmap = &space,
				 .fault_type = BSDVM_PROT_WRITE };

	assert_int_equal(fx_held_byte(map, 0), 0);
	f.present = fx_page(fx_object(map, 0), 0);
	fx_map_page(map, 0, 0, f.present, BSDVM_PROT_READ);
	fx_assert_status(bsdvm_fault(&f), BSDVM_SUCCESS);
	assert_ptr_equal(f.page, f.present);
	assert_int_equal(fx_pmap_log.enters, 0);
	finish(&f);
	fx_put(map);
}

/* F-88, F-90, F-91, P-17 */
static void dirty_only_by_a_write(void **state)
{
	struct fx_chain c = fx_chain(1, 1, NULL);
	struct bsdvm_fault f;
	struct folio *page;

	fx_store(c.object[0], 0, 's');
	fault(c.map, 0, BSDVM_PROT_READ, 0, &f);
	page = f.page;
	finish(&f);
	assert_int_equal(bsdvm_page_state(page),
			 BSDVM_PAGE_FRESH | BSDVM_PAGE_SWAPPED);
	/* W in prot, but no DIRTY: not dirtied */
	fault(c.map, 0, BSDVM_PROT_WRITE, 0, &f);
	finish(&f);
	assert_false(bsdvm_page_state(page) & BSDVM_PAGE_DIRTY);
	assert_int_equal(fx_pager_log.forgets, 0);
	check_all(c.map);
	fault(c.map, 0, BSDVM_PROT_WRITE, BSDVM_FAULT_DIRTY, &f);
	finish(&f);
	assert_int_equal(bsdvm_page_state(page),
			 BSDVM_PAGE_FRESH | BSDVM_PAGE_DIRTY);
	assert_int_equal(fx_pager_log.forgets, 1);
	assert_null(fx_stored(c.object[0], 0));
	check_all(c.map);
	fx_put(c.map);
}

/* F-91: a page of a backing object, or without W, is not dirtied. */
static void dirty_needs_write_in_prot(void **state)
{
	struct fx_chain c = fx_chain(2, 2, "a./AB");
	struct folio *page = fx_page(c.object[1], 1);
	struct bsdvm_fault f;

	page->private = (void *)BSDVM_PAGE_FRESH;
	fault(c.map, 1, BSDVM_PROT_READ, BSDVM_FAULT_DIRTY, &f);
	finish(&f);
	assert_false(bsdvm_page_state(page) & BSDVM_PAGE_DIRTY);
	page = fx_page(c.object[0], 0);
	page->private = (void *)BSDVM_PAGE_FRESH;
	set_entry(c.map, 0, BSDVM_PROT_READ, BSDVM_PROT_ALL);
	fault(c.map, 0, BSDVM_PROT_READ, BSDVM_FAULT_DIRTY, &f);
	finish(&f);
	assert_false(bsdvm_page_state(page) & BSDVM_PAGE_DIRTY);
	fx_put(c.map);
}

/* F-89 */
static void nosync_follows_the_entry(void **state)
{
	struct bsdvm_map *map = fx_map(1);
	struct bsdvm_fault f;
	struct folio *page;

	fx_entry(map, 0)->flags |= BSDVM_ENTRY_NOSYNC;
	fault(map, 0, BSDVM_PROT_READ, 0, &f);
	page = f.page;
	finish(&f);
	assert_true(bsdvm_page_state(page) & BSDVM_PAGE_NOSYNC);
	fx_entry(map, 0)->flags &= ~BSDVM_ENTRY_NOSYNC;
	fault(map, 0, BSDVM_PROT_READ, 0, &f);
	finish(&f);
	assert_false(bsdvm_page_state(page) & BSDVM_PAGE_NOSYNC);
	fault(map, 0, BSDVM_PROT_WRITE, BSDVM_FAULT_DIRTY, &f);
	finish(&f);
	fx_entry(map, 0)->flags |= BSDVM_ENTRY_NOSYNC;
	fault(map, 0, BSDVM_PROT_WRITE, 0, &f);
	finish(&f);
	assert_false(bsdvm_page_state(page) & BSDVM_PAGE_NOSYNC);
	fx_put(map);
}

/* F-89: without W in prot it stays as it is. */
static void nosync_stays_without_write(void **state)
{
	struct fx_chain c = fx_chain(1, 1, "a");
	struct folio *page = fx_page(c.object[0], 0);
	struct bsdvm_fault f;

	page->private = (void *)(BSDVM_PAGE_FRESH | BSDVM_PAGE_NOSYNC);
	set_entry(c.map, 0, BSDVM_PROT_READ, BSDVM_PROT_ALL);
	fault(c.map, 0, BSDVM_PROT_READ, 0, &f);
	finish(&f);
	assert_true(bsdvm_page_state(page) & BSDVM_PAGE_NOSYNC);
	fx_put(c.map);
}

/* F-92: every page handed out is filled to its last byte (I-10). */
static void pages_are_whole(void **state)
{
	struct fx_chain c = fx_chain(1, 2, NULL);

	fx_store(c.object[0], 0, 's')->valid = 1;
	assert_int_equal(fx_held_byte(c.map, 0), -2);
	assert_int_equal(fx_held_byte(c.map, 1), 0);
	fx_put(c.map);
}

/* ---- races -------------------------------------------------------------- */

static struct bsdvm_object *hook_object;
static unsigned int hook_calls;

/* As the page's lock is about to be taken, somebody puts a page in front. */
static void front_page_appears(const void *lock, enum twin_lock_mode mode)
{
	if (lock != fx_page(hook_object->backing_object, 0) || hook_calls++)
		return;
	fx_add_page(hook_object, 0, 'n', BSDVM_PAGE_FRESH | BSDVM_PAGE_DIRTY);
}

/* F-21, D-4: under the folio lock the address must still resolve to it. */
static void page_is_looked_at_again_under_its_lock(void **state)
{
	struct fx_chain c = fx_chain(2, 1, "./A");
	struct bsdvm_fault f;

	hook_object = c.object[0];
	hook_calls = 0;
	twin_lock_hook = front_page_appears;
	fault(c.map, 0, BSDVM_PROT_READ, 0, &f);
	twin_lock_hook = NULL;
	assert_int_equal(finish(&f), 'n');
	assert_int_equal(hook_calls, 1);
	assert_int_equal(folio_ref_count(fx_page(c.object[1], 0)), 1);
	check_all(c.map);
	fx_put(c.map);
}

static void map_is_locked(struct bsdvm_map *map, bsdvm_pindex_t pindex,
			  unsigned int n)
{
	fx_assert(twin_lock_held(&map->lock) == TWIN_READ);
	fx_assert(map->generation == hook_map->generation);
	hook_calls++;
}

/* F-10, F-21, F-86: after the pager, all is looked up anew before mapping. */
static void mapping_is_installed_under_the_map_lock(void **state)
{
	struct fx_chain c = fx_chain(1, 1, NULL);

	hook_map = c.map;
	hook_calls = 0;
	fx_store(c.object[0], 0, 's');
	fx_enter_hook = map_is_locked;
	assert_int_equal(fx_load(c.map, 0, 0), 's');
	assert_int_equal(hook_calls, 1);
	check_all(c.map);
	fx_put(c.map);
}

static void cut_off(struct bsdvm_pager_request *req)
{
	fx_assert(bsdvm_map_resize(hook_map, 1) == BSDVM_SUCCESS);
}

/* F-19, F-86: the page was cut off while the pager read it. */
static void map_shrinks_during_the_pager(void **state)
{
	struct fx_chain c = fx_chain(2, 2, NULL);
	struct bsdvm_fault f;

	hook_map = c.map;
	fx_ref(c.object[1]);
	fx_store(c.object[1], 1, 's')->visit = cut_off;
	fx_assert_status(fault(c.map, 1, BSDVM_PROT_READ, 0, &f),
			 BSDVM_INVALID_ADDRESS);
	check_all(c.map);
	fx_unref(c.object[1]);
	fx_put(c.map);
}

/* F-30, D-46: a kill ends the retries, with nothing held. */
static void pending_kill_ends_a_retry(void **state)
{
	struct fx_chain c = fx_chain(1, 1, NULL);
	struct bsdvm_fault f;

	fx_store(c.object[0], 0, 's')->result = BSDVM_PAGER_AGAIN;
	twin_kill(current);
	fx_assert_status(fault(c.map, 0, BSDVM_PROT_READ, 0, &f),
			 BSDVM_INTERRUPTED);
	twin_unkill(current);
	assert_null(f.page);
	check_all(c.map);
	fx_put(c.map);
}

/* F-30: and is not asked about by a fault that need not wait. */
static void pending_kill_does_not_matter_otherwise(void **state)
{
	struct bsdvm_map *map = fx_map(1);

	twin_kill(current);
	assert_int_equal(fx_held_byte(map, 0), 0);
	twin_unkill(current);
	fx_put(map);
}

/* F-30: killed while waiting for the map. */
static void killed_while_waiting_for_the_map(void **state)
{
	struct bsdvm_map *map = fx_map(1);
	struct fx_thread t = { .map = map, .access = BSDVM_PROT_READ };

	bsdvm_map_lock_always(map);
	fx_spawn(&t, fx_do_held);
	while (!smp_load_acquire(&t.task))
		usleep(100);
	twin_kill(t.task);
	fx_join(&t);
	bsdvm_map_unlock(map);
	fx_assert_status(t.status, BSDVM_INTERRUPTED);
	fx_put(map);
}

/* ---- all at once -------------------------------------------------------- */

#define BUSY_PAGES	12
#define BUSY_ROUNDS	250

static bool busy_stop;

/* The only writer of its pages: it must always find what it wrote last. */
static void busy_writer(struct fx_thread *me)
{
	unsigned char value = me->value;
	unsigned int i;

	for (i = 0; i < BUSY_ROUNDS; i++) {
		bsdvm_pindex_t at = me->pindex + 2 * (i % (BUSY_PAGES / 2));

		if (i & 1)
			fx_assert(fx_store_byte(me->map, me->flags, at,
						++value) == BSDVM_SUCCESS);
		else
			fx_assert(fx_held_fill(me->map, at, ++value) ==
				  BSDVM_SUCCESS);
		fx_assert(fx_load(me->map, me->flags, at) == value);
		fx_assert(fx_held_byte(me->map, at) == value);
	}
}

/* Reads everything, in a burst, perhaps in the middle of a write. */
static void busy_reader(struct fx_thread *me)
{
	bsdvm_pindex_t at = 0;

	while (!READ_ONCE(busy_stop)) {
		at = (at + 5) % (BUSY_PAGES + 2);
		fx_touch(me->map, 2, at, BSDVM_PROT_READ, BSDVM_FAULT_BURST);
		fx_assert(fx_load(me->map, 2, at) != -1);
	}
}

/* Freezes, opens, drops, collapses; and punches pages that nobody writes. */
static void busy_snapshots(struct fx_thread *me)
{
	struct bsdvm_map *map;
	u64 bytes;
	u32 id;

	while (!READ_ONCE(busy_stop)) {
		fx_assert(bsdvm_map_snapshot(me->map, 0, &id) == BSDVM_SUCCESS);
		fx_assert(bsdvm_map_punch(me->map, BUSY_PAGES, BUSY_PAGES) ==
			  BSDVM_SUCCESS);
		fx_assert(bsdvm_snapshot_open(me->map, id, NULL, &map, &bytes)
			  == BSDVM_SUCCESS);
		fx_assert(fx_held_byte(map, 0) == fx_held_byte(map, 0));
		fx_assert(bsdvm_snapshot_drop(me->map, id) == BSDVM_SUCCESS);
		fx_assert(fx_held_fill(map, 1, 'z') == BSDVM_SUCCESS);
		bsdvm_map_put(map);
	}
}

/* F-21, F-51, F-77, F-85, I-9, I-18: none of it disturbs a writer. */
static void everything_at_once(void **state)
{
	struct fx_thread t[4] = { };
	struct bsdvm_map *map = fx_map(BUSY_PAGES + 2);
	unsigned int i;

	WRITE_ONCE(busy_stop, false);
	for (i = 0; i < 4; i++) {
		t[i].map = map;
		t[i].pindex = i;
		t[i].flags = i;
	}
	fx_spawn(&t[0], busy_writer);
	fx_spawn(&t[1], busy_writer);
	fx_spawn(&t[2], busy_reader);
	fx_spawn(&t[3], busy_snapshots);
	fx_join(&t[0]);
	fx_join(&t[1]);
	WRITE_ONCE(busy_stop, true);
	fx_join(&t[2]);
	fx_join(&t[3]);
	check_all(map);
	fx_put(map);
}

/* ---- I-15: every allocation fails once ---------------------------------- */

/* F-43, F-95, I-15: whatever runs out, nothing stays held; a retry succeeds. */
static void any_allocation_may_fail(void **state)
{
	static const unsigned int types[] = {
		BSDVM_PROT_READ, BSDVM_PROT_WRITE };
	unsigned int t, n;
	bool done;

	for (t = 0; t < 2; t++) {
		for (n = 1, done = false; !done; n++) {
			struct fx_chain c = fx_chain(2, 2, "./A");
			struct bsdvm_map *map = fx_map(3);

			fx_ref(c.object[1]);
			twin_fail_nth(n);
			fx_touch(map, 0, 1, types[t], BSDVM_FAULT_BURST);
			fx_touch(c.map, 0, 0, types[t], BSDVM_FAULT_BURST);
			fx_touch(c.map, 0, 1, types[t], BSDVM_FAULT_BURST);
			done = !twin_fail_allocs_done();
			twin_fail_nth(0);
			check_all(map);
			check_all(c.map);
			assert_int_equal(fx_load(map, 0, 1), 0);
			assert_int_equal(fx_load(c.map, 0, 0), 'A');
			fx_unref(c.object[1]);
			fx_put(map);
			fx_put(c.map);
		}
		assert_true(n > 4);
	}
}

/* F-95, F-49: no budget, no memory: an error, not a loop. */
static void shortage_without_budget_is_reported(void **state)
{
	struct bsdvm_map *map = fx_map(1);
	struct bsdvm_fault f;

	assert_int_equal(fx_held_byte(map, 0), 0);
	bsdvm_map_punch(map, 0, 0);
	twin_page_alloc_hook = NULL;
	twin_fail_nth(1);
	fx_assert_status(fault(map, 0, BSDVM_PROT_READ, 0, &f),
			 BSDVM_RESOURCE_SHORTAGE);
	assert_null(f.page);
	check_all(map);
	fx_put(map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FX_TEST(each_call_counts_one_fault),
		FX_TEST(retries_count_once),
		FX_TEST(lookup_creates_the_object),
		FX_TEST(no_entry_is_invalid_address),
		FX_TEST(protection_failure_changes_nothing),
		FX_TEST(user_wire_asks_max_protection),
		FX_TEST(user_wire_obeys_max_protection),
		FX_TEST(user_wire_takes_write_away),
		FX_TEST(user_wire_leaves_writable_entries),
		FX_TEST(nofault_entry_fails),
		FX_TEST(write_only_access_and_entry),
		FX_TEST(wired_entry_widens_the_access),
		FX_TEST(restart_uses_the_original_access),
		FX_TEST(wired_read_only_entry_is_not_copied),
		FX_TEST(wire_fault_counts_the_page),
		FX_TEST(wire_fault_maps_nothing),
		FX_TEST(page_becomes_referenced_and_active),
		FX_TEST(mapping_is_installed),
		FX_TEST(mapping_fails_and_page_is_handed_over),
		FX_TEST(present_page_is_handed_over),
		FX_TEST(dirty_only_by_a_write),
		FX_TEST(dirty_needs_write_in_prot),
		FX_TEST(nosync_follows_the_entry),
		FX_TEST(nosync_stays_without_write),
		FX_TEST(pages_are_whole),
		FX_TEST(page_is_looked_at_again_under_its_lock),
		FX_TEST(mapping_is_installed_under_the_map_lock),
		FX_TEST(map_shrinks_during_the_pager),
		FX_TEST(pending_kill_ends_a_retry),
		FX_TEST(pending_kill_does_not_matter_otherwise),
		FX_TEST(killed_while_waiting_for_the_map),
		FX_TEST(everything_at_once),
		FX_TEST(any_allocation_may_fail),
		FX_TEST(shortage_without_budget_is_reported),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("fault", tests, NULL, NULL);
}
