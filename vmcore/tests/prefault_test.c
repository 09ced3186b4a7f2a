// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Neighbours mapped with a fault: prefault.c. */
#include "chain.h"

#define BURST BSDVM_FAULT_BURST

static struct fx_chain c;

static bsdvm_status_t read_at(struct bsdvm_map *map, bsdvm_pindex_t pindex)
{
	return fx_touch(map, 0, pindex, BSDVM_PROT_READ, BURST);
}

static bsdvm_status_t write_at(struct bsdvm_map *map, bsdvm_pindex_t pindex)
{
	return fx_touch(map, 0, pindex, BSDVM_PROT_WRITE, BURST);
}

/* Exactly the pages first to last are mapped. */
static void assert_mapped(struct bsdvm_map *map, bsdvm_pindex_t first,
			  bsdvm_pindex_t last)
{
	bsdvm_pindex_t i;

	for (i = 0; i < map->size; i++)
		if (!!fx_mapped(map, 0, i) != (first <= i && i <= last))
			fail_msg("page %lu is %smapped", i,
				 fx_mapped(map, 0, i) ? "" : "not ");
}

static struct fx_chain full_chain(bsdvm_pindex_t n, unsigned int level)
{
	struct fx_chain chain = fx_chain(2, n, NULL);
	bsdvm_pindex_t i;

	for (i = 0; i < n; i++)
		fx_add_page(chain.object[level], i, 'p',
			    BSDVM_QUEUE_INACTIVE);
	return chain;
}

/* ---- resident neighbours ------------------------------------------------ */

/* PF-1, F-22: only if asked for, not when wiring, not for a held page. */
static void only_in_a_burst(void **state)
{
	struct bsdvm_fault f;

	c = full_chain(16, 0);
	fx_touch(c.map, 0, 3, BSDVM_PROT_READ, 0);
	assert_mapped(c.map, 3, 3);
	f = (struct bsdvm_fault){ .map = c.map, .pindex = 5, .flags = BURST,
				  .fault_type = BSDVM_PROT_READ };
	fx_assert_status(bsdvm_fault(&f), BSDVM_SUCCESS);
	folio_unlock(f.page);
	folio_put(f.page);
	assert_mapped(c.map, 3, 3);
	assert_int_equal(fx_count(prefaults), 0);
	fx_put(c.map);
}

/* F-22: not of a wired entry: all of it is there already. */
static void not_in_a_wired_entry(void **state)
{
	struct bsdvm_map *map = fx_map(16);

	fx_assert_status(bsdvm_map_wire(map, 0, 15), BSDVM_SUCCESS);
	read_at(map, 3);
	assert_mapped(map, 3, 3);
	check_all(map);
	bsdvm_map_unwire(map, 0, 15);
	fx_put(map);
}

/* PF-2, PF-3, PF-18: the aligned cluster around the fault, both directions. */
static void cluster_is_mapped(void **state)
{
	c = full_chain(64, 0);
	fx_assert_status(read_at(c.map, 20), BSDVM_SUCCESS);
	assert_mapped(c.map, 16, 31);
	assert_int_equal(fx_count(prefaults), 15);
	assert_int_equal(fx_count(v_vm_faults), 1);
	check_all(c.map);
	fx_put(c.map);
}

/* PF-18: the size of a cluster is a knob, within bounds. */
static void cluster_size_is_a_knob(void **state)
{
	static const struct { unsigned int knob, first, last; } knobs[] = {
		{ 0, 37, 37 }, { 1, 37, 37 }, { 2, 36, 37 }, { 8, 32, 39 },
		{ 64, 0, 63 }, { 1000, 0, 63 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(knobs); i++) {
		bsdvm_tunables.prefault_pages = knobs[i].knob;
		c = full_chain(128, 0);
		read_at(c.map, 37);
		assert_mapped(c.map, knobs[i].first, knobs[i].last);
		fx_put(c.map);
	}
}

/* PF-3: never beyond the entry, the object or the map. */
static void bounds_are_respected(void **state)
{
	c = full_chain(16, 0);
	fx_assert(bsdvm_map_lock(c.map) == BSDVM_SUCCESS);
	fx_assert(bsdvm_entry_clip_range(c.map, 4, 9) == BSDVM_SUCCESS);
	bsdvm_map_unlock(c.map);
	read_at(c.map, 6);
	assert_mapped(c.map, 4, 9);
	read_at(c.map, 12);
	assert_mapped(c.map, 4, 15);
	check_all(c.map);
	fx_put(c.map);
	c = full_chain(16, 0);
	c.object[0]->size = 8;
	read_at(c.map, 2);
	assert_mapped(c.map, 0, 7);
	read_at(c.map, 9);
	assert_true(fx_mapped(c.map, 0, 9));
	fx_put(c.map);
}

/* Broken memory is not mapped, whether found in the slots or by a walk. */
static void broken_neighbours_are_left_out(void **state)
{
	unsigned int depth;

	for (depth = 0; depth < 2; depth++) {
		c = full_chain(16, depth);
		ch_break(fx_page(c.object[depth], 9));
		read_at(c.map, 12);
		assert_mapped(c.map, 10, 15);
		read_at(c.map, 6);
		assert_null(fx_mapped(c.map, 0, 9));
		folio_put(fx_page(c.object[depth], 9));
		fx_put(c.map);
	}
}

/* PF-4: what is mapped already stays as it is. */
static void mapped_neighbours_stay(void **state)
{
	c = full_chain(16, 0);
	fx_touch(c.map, 0, 6, BSDVM_PROT_READ, 0);
	fx_touch(c.map, 0, 2, BSDVM_PROT_READ, 0);
	read_at(c.map, 4);
	assert_non_null(fx_mapped(c.map, 0, 5));
	assert_null(fx_mapped(c.map, 0, 7));
	/* Pages 0, 1 and 5, no matter that it took two goes. */
	assert_int_equal(fx_count(prefaults), 3);
	check_all(c.map);
	fx_put(c.map);
}

/* PF-18: the nearest page before the fault being mapped ends that direction. */
static void sequential_reader_does_not_look_back(void **state)
{
	c = full_chain(16, 0);
	fx_touch(c.map, 0, 3, BSDVM_PROT_READ, 0);
	read_at(c.map, 4);
	assert_mapped(c.map, 3, 15);
	assert_int_equal(fx_pmap_log.enters, 2);
	fx_put(c.map);
}

/* PF-5, PF-13: pages behind are found, and mapped for reading only. */
static void pages_behind_are_read_only(void **state)
{
	bsdvm_pindex_t i;

	c = full_chain(16, 1);
	read_at(c.map, 7);
	assert_mapped(c.map, 0, 15);
	for (i = 0; i < 16; i++)
		assert_false(fx_mapped_prot(c.map, 0, i) & BSDVM_PROT_WRITE);
	check_all(c.map);
	fx_put(c.map);
}

/* PF-13: beside a page mapped for writing, none from behind is mapped. */
static void writer_gets_own_neighbours_only(void **state)
{
	c = fx_chain(2, 8, "..aaa.../AAAAAAAA");
	fx_ref(c.object[1]);
	fx_assert_status(write_at(c.map, 2), BSDVM_SUCCESS);
	assert_mapped(c.map, 2, 4);
	assert_true(fx_mapped_prot(c.map, 0, 4) & BSDVM_PROT_WRITE);
	check_all(c.map);
	/* a read fault that gets W along with its page behaves the same */
	fx_assert_status(read_at(c.map, 4), BSDVM_SUCCESS);
	fx_unref(c.object[1]);
	fx_put(c.map);
}

/* PF-13: a read fault on an own page; only own pages beside it. */
static void reader_of_an_own_page(void **state)
{
	c = fx_chain(2, 8, "..aaa.../AAAAAAAA");
	fx_ref(c.object[1]);
	fx_assert_status(read_at(c.map, 3), BSDVM_SUCCESS);
	assert_mapped(c.map, 2, 4);
	check_all(c.map);
	fx_unref(c.object[1]);
	fx_put(c.map);
}

/* PF-13: a frozen first object: everything for reading. */
static void frozen_neighbours_are_read_only(void **state)
{
	struct bsdvm_map *map = fx_map(16);
	bsdvm_pindex_t i;
	u32 id;

	for (i = 0; i < 16; i++)
		fx_held_fill(map, i, 'a');
	bsdvm_map_snapshot(map, 0, &id);
	read_at(map, 5);
	assert_mapped(map, 0, 15);
	for (i = 0; i < 16; i++)
		assert_false(fx_mapped_prot(map, 0, i) & BSDVM_PROT_WRITE);
	check_all(map);
	fx_put(map);
}

/* PF-8, PF-11: a page that is not to be had ends the direction. */
static void missing_or_locked_page_ends_it(void **state)
{
	struct folio *page;

	c = fx_chain(1, 16, "pppp.ppppppp.ppp");
	page = fx_page(c.object[0], 10);
	folio_lock(page);
	current->folios_locked = 0;
	read_at(c.map, 7);
	current->folios_locked = 1;
	folio_unlock(page);
	assert_mapped(c.map, 5, 9);
	assert_int_equal(folio_ref_count(page), 1);
	check_all(c.map);
	fx_put(c.map);
}

/* PF-11: so does a busy slot, or a tombstone. */
static void busy_slot_ends_it(void **state)
{
	c = fx_chain(2, 8, "pp0.p.../pppppppp");
	fx_assert(bsdvm_busy_claim(c.object[0], 6, NULL) == BSDVM_SUCCESS);
	read_at(c.map, 4);
	assert_mapped(c.map, 4, 4);
	bsdvm_busy_release(c.object[0], 6, NULL);
	fx_put(c.map);
}

/* PF-5, PF-14: no pager is asked, marks are left, nobody is told. */
static void pager_is_not_asked(void **state)
{
	struct folio *page;

	c = fx_chain(1, 8, "pp.ppp..");
	fx_store(c.object[0], 6, 's');
	page = fx_page(c.object[0], 4);
	bsdvm_page_set(page, BSDVM_PAGE_RAM);
	read_at(c.map, 3);
	assert_mapped(c.map, 3, 5);
	assert_true(bsdvm_page_state(page) & BSDVM_PAGE_RAM);
	assert_int_equal(fx_pager_log.gets, 0);
	assert_int_equal(fx_pager_log.readaheads, 0);
	assert_int_equal(fx_count(v_vm_faults), 1);
	check_all(c.map);
	fx_put(c.map);
}

/* PF-15, PF-12: neither referenced nor active nor dirty by being mapped. */
static void neighbours_keep_their_state(void **state)
{
	c = full_chain(4, 0);
	fx_page(c.object[0], 3)->private =
		(void *)(BSDVM_QUEUE_ACTIVE | BSDVM_PAGE_DIRTY);
	write_at(c.map, 1);
	assert_mapped(c.map, 1, 3);
	assert_int_equal(bsdvm_page_state(fx_page(c.object[0], 2)),
			 BSDVM_QUEUE_INACTIVE);
	assert_int_equal(bsdvm_page_state(fx_page(c.object[0], 3)),
			 BSDVM_QUEUE_ACTIVE | BSDVM_PAGE_DIRTY);
	fx_put(c.map);
}

/* PF-12, I-4: a page on CACHE is deactivated before it is mapped. */
static void cached_neighbour_is_deactivated(void **state)
{
	unsigned long queue;

	c = full_chain(4, 0);
	fx_page(c.object[0], 2)->private = (void *)BSDVM_QUEUE_CACHE;
	read_at(c.map, 1);
	assert_non_null(fx_mapped(c.map, 0, 2));
	queue = bsdvm_page_queue(fx_page(c.object[0], 2));
	fx_page(c.object[0], 2)->private = (void *)BSDVM_QUEUE_INACTIVE;
	fx_put(c.map);
	assert_int_equal(queue, BSDVM_QUEUE_INACTIVE);
	assert_int_equal(fx_count(v_reactivated), 1);
}

/* PF-10, PF-12: the NOSYNC rule. */
static void neighbours_follow_nosync(void **state)
{
	unsigned long resident, made;

	c = fx_chain(1, 8, "a...p.pp");
	fx_page(c.object[0], 7)->private = (void *)BSDVM_QUEUE_INACTIVE;
	fx_entry(c.map, 0)->flags |= BSDVM_ENTRY_NOSYNC;
	write_at(c.map, 1);
	made = bsdvm_page_state(fx_page(c.object[0], 2));
	write_at(c.map, 6);
	resident = bsdvm_page_state(fx_page(c.object[0], 7));
	fx_put(c.map);
	assert_true(made & BSDVM_PAGE_NOSYNC);
	assert_true(resident & BSDVM_PAGE_NOSYNC);
}

/* PF-14: no room for the mappings is no error, and leaks nothing. */
static void mapping_memory_runs_out(void **state)
{
	unsigned int room;

	for (room = 0; room < 6; room++) {
		c = full_chain(8, 0);
		fx_pmap_room = room;
		fx_assert_status(read_at(c.map, 2), BSDVM_SUCCESS);
		assert_non_null(fx_mapped(c.map, 0, 2));
		fx_pmap_room = UINT_MAX;
		check_all(c.map);
		fx_put(c.map);
	}
}

/* PF-5, PF-16: what lies in front is mapped, for reading as the rest. */
static void own_page_among_pages_behind(void **state)
{
	c = full_chain(8, 1);
	fx_add_page(c.object[0], 5, 'n', BSDVM_PAGE_FRESH);
	read_at(c.map, 3);
	assert_mapped(c.map, 0, 7);
	assert_int_equal(fx_mapped_byte(c.map, 0, 5), 'n');
	assert_false(fx_mapped_prot(c.map, 0, 5) & BSDVM_PROT_WRITE);
	check_all(c.map);
	fx_put(c.map);
}

/* PF-13, I-9: a page was renamed; its neighbours are still behind. */
static void neighbours_of_a_renamed_page(void **state)
{
	c = full_chain(8, 1);
	fx_assert_status(write_at(c.map, 3), BSDVM_SUCCESS);
	assert_int_equal(fx_count(v_cow_optim), 1);
	assert_true(fx_mapped_prot(c.map, 0, 3) & BSDVM_PROT_WRITE);
	assert_mapped(c.map, 3, 3);
	check_all(c.map);
	fx_put(c.map);
}

/* As the walk has just missed it, a page appears in front. Under RCU. */
static void page_appears_in_front(struct bsdvm_object *object,
				  bsdvm_pindex_t pindex)
{
	struct folio *page;

	if (object != c.object[0] || pindex != 5 || fx_slot(object, 5))
		return;
	page = xa_erase(&object->slots, 31);
	fx_assert(!xa_store(&object->slots, 5, page, GFP_NOWAIT));
}

/* F-21, PF-16: each neighbour is looked at again under its lock. */
static void neighbour_is_looked_at_again(void **state)
{
	c = full_chain(32, 1);
	c.object[0]->pager = &fx_pager;
	fx_add_page(c.object[0], 30, 'm', BSDVM_PAGE_FRESH);
	fx_add_page(c.object[0], 31, 'n', BSDVM_PAGE_FRESH);
	fx_has_page_hook = page_appears_in_front;
	read_at(c.map, 3);
	fx_has_page_hook = NULL;
	assert_mapped(c.map, 0, 4);
	assert_int_equal(fx_held_byte(c.map, 5), 'n');
	check_all(c.map);
	fx_put(c.map);
}

/*
 * Pages taken over from another map, once they can be written to, have this
 * map's identity, whoever writes first: waiters on a futex are found by it.
 */
static void taken_over_with_identity(void **state)
{
	struct bsdvm_map *map = fx_map(16), *opened;
	bsdvm_pindex_t i;
	u32 id;

	for (i = 0; i < 16; i++)
		ch_write(map, i, 'a' + i);
	id = ch_snapshot(map);
	opened = ch_open(map, id);
	ch_drop(map, id);
	fx_put(map);
	fx_assert_status(write_at(opened, 0), BSDVM_SUCCESS);
	assert_mapped(opened, 0, 15);
	for (i = 0; i < 16; i++) {
		assert_true(fx_mapped_prot(opened, 0, i) & BSDVM_PROT_WRITE);
		assert_int_equal(fx_mapped(opened, 0, i)->index,
				 opened->index_base + i);
	}
	fx_put(opened);
}

/* The same for the page of a fault that only reads. */
static void read_takes_over_with_identity(void **state)
{
	struct bsdvm_map *map = ch_map("AB"), *opened;
	u32 id = ch_snapshot(map);

	opened = ch_open(map, id);
	ch_drop(map, id);
	fx_put(map);
	fx_assert_status(fx_touch(opened, 0, 0, BSDVM_PROT_WRITE, 0),
			 BSDVM_SUCCESS);
	fx_assert_status(fx_touch(opened, 0, 1, BSDVM_PROT_READ, 0),
			 BSDVM_SUCCESS);
	assert_true(fx_mapped_prot(opened, 0, 1) & BSDVM_PROT_WRITE);
	assert_int_equal(fx_mapped(opened, 0, 1)->index,
			 opened->index_base + 1);
	fx_put(opened);
}

/* Neighbours that lie behind a great many objects. */
static void deep_neighbours(void **state)
{
	struct bsdvm_map *map = fx_map(8);
	unsigned int i;

	for (i = 0; i < 8; i++)
		ch_write(map, i, 'a' + i);
	for (i = 0; i < 100; i++) {
		ch_snapshot(map);
		ch_write(map, i % 2, 'A' + i % 26);
	}
	ch_snapshot(map);
	assert_true(ch_depth(map, 0) > 64);
	fx_assert_status(read_at(map, 2), BSDVM_SUCCESS);
	assert_mapped(map, 0, 7);
	twin_assert_idle();
	fx_put(map);
}

/* ---- zero-fill ahead ---------------------------------------------------- */

/* PF-6, PF-7, PF-10: a sequential writer finds the next pages made. */
static void writer_fills_ahead(void **state)
{
	struct bsdvm_map *map = fx_map(32);
	struct folio *page;
	bsdvm_pindex_t i;

	write_at(map, 0);
	assert_mapped(map, 0, 0);
	write_at(map, 1);
	assert_mapped(map, 0, 15);
	assert_int_equal(fx_count(v_zfod), 16);
	assert_int_equal(fx_count(prefaults), 14);
	for (i = 2; i < 16; i++) {
		page = fx_mapped(map, 0, i);
		assert_int_equal(bsdvm_page_state(page), BSDVM_QUEUE_INACTIVE);
		assert_int_equal(fx_folio_byte(page), 0);
		assert_int_equal(page->index, map->index_base + i);
		assert_true(fx_mapped_prot(map, 0, i) & BSDVM_PROT_WRITE);
	}
	check_all(map);
	fx_put(map);
}

/* PF-6: only if the knob is set, and only after a zero-fill of its own. */
static void fill_ahead_needs_the_knob(void **state)
{
	struct bsdvm_map *map = fx_map(32);

	bsdvm_tunables.fast_fault = 0;
	write_at(map, 0);
	write_at(map, 1);
	assert_mapped(map, 0, 1);
	bsdvm_tunables.fast_fault = 1;
	fx_touch(map, 0, 3, BSDVM_PROT_WRITE, 0);
	fx_touch(map, 0, 4, BSDVM_PROT_WRITE, 0);
	fx_held_fill(map, 5, 'x');
	write_at(map, 5);
	assert_null(fx_mapped(map, 0, 6));
	assert_int_equal(fx_count(v_zfod), 5);
	fx_put(map);
}

/* PF-6: a writer here and there makes nothing. */
static void scattered_writer_fills_nothing(void **state)
{
	struct bsdvm_map *map = fx_map(64);

	write_at(map, 0);
	write_at(map, 5);
	write_at(map, 3);
	write_at(map, 32);
	assert_int_equal(fx_count(v_zfod), 4);
	check_all(map);
	fx_put(map);
}

/* PF-6: the page before must be the entry's. */
static void fill_ahead_looks_at_its_own_entry(void **state)
{
	struct bsdvm_map *map = fx_map(16);

	fx_held_fill(map, 7, 'a');
	fx_assert(bsdvm_map_lock(map) == BSDVM_SUCCESS);
	fx_assert(bsdvm_entry_clip(map, 8) == BSDVM_SUCCESS);
	bsdvm_map_unlock(map);
	write_at(map, 8);
	assert_mapped(map, 8, 8);
	assert_int_equal(fx_count(v_zfod), 2);
	check_all(map);
	fx_put(map);
}

/* PF-6: a reader that may not write makes nothing. */
static void fill_ahead_needs_write(void **state)
{
	struct bsdvm_map *map = fx_map(16);

	fx_entry(map, 0)->protection = BSDVM_PROT_READ;
	read_at(map, 0);
	read_at(map, 1);
	read_at(map, 2);
	assert_int_equal(fx_count(v_zfod), 3);
	fx_put(map);
}

/* PF-6, PF-8: it ends at whatever is no hole, at any depth. */
static void fill_ahead_ends_at_data(void **state)
{
	static const char *const chains[] = {
		"a....p../......../........", "a......./.....A../........",
		"a......./......../.....A..", "a....0../.....A../........",
		"a......./.....0../.....A..",
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(chains); i++) {
		c = fx_chain(3, 8, chains[i]);
		write_at(c.map, 1);
		assert_mapped(c.map, 1, 4);
		assert_null(fx_mapped(c.map, 0, 5));
		assert_null(fx_slot(c.object[0], 6));
		check_all(c.map);
		fx_put(c.map);
	}
}

/* PF-5, PF-6: nor does it hide a stored page, in front or behind. */
static void fill_ahead_ends_at_a_stored_page(void **state)
{
	unsigned int depth, level;
	bool hidden = false;

	for (depth = 1; depth <= 3; depth++) {
		for (level = 0; level < depth; level++) {
			c = fx_chain(depth, 8, "a.......");
			fx_store(c.object[level], 5, 's');
			write_at(c.map, 1);
			hidden |= fx_slot(c.object[0], 5) != NULL;
			if (!hidden)
				assert_int_equal(fx_held_byte(c.map, 5), 's');
			else
				bsdvm_pager_forget(c.object[level], 5);
			fx_put(c.map);
		}
	}
	assert_false(hidden);
}

/* PF-6, PF-7, D-1: no memory, no page, no error. */
static void fill_ahead_without_memory(void **state)
{
	struct bsdvm_map *map;
	unsigned int n;

	for (n = 1; n < 8; n++) {
		map = fx_map(16);
		write_at(map, 0);
		twin_fail_nth(n);
		write_at(map, 1);
		twin_fail_nth(0);
		check_all(map);
		fx_assert_status(write_at(map, 1), BSDVM_SUCCESS);
		fx_put(map);
	}
}

/* PF-6: under a severe shortage nothing is made ahead. */
static void fill_ahead_obeys_the_budget(void **state)
{
	struct bsdvm_map *map = fx_map(16);

	write_at(map, 0);
	bsdvm_budget = (struct bsdvm_budget){ .limit = 5, .severe = 2 };
	fx_assert_status(write_at(map, 1), BSDVM_SUCCESS);
	assert_int_equal(fx_count(live_pages), 4);
	assert_mapped(map, 0, 3);
	bsdvm_budget.limit = 0;
	check_all(map);
	fx_put(map);
}

/* RL-6: the rate limit is for faults. */
static void fill_ahead_is_not_limited(void **state)
{
	struct bsdvm_map *map = fx_map(16);

	write_at(map, 0);
	bsdvm_tunables.vm_load = 1000;
	while (!bsdvm_ratelimit_delay())
		;
	bsdvm_tunables.vm_load = 1;
	write_at(map, 1);
	bsdvm_tunables.vm_load = 0;
	assert_mapped(map, 0, 15);
	fx_put(map);
}

/* The fault's own page is in its slot: now the neighbours are stored. */
static void slot_is_taken(const void *lock, enum twin_lock_mode mode)
{
	if (lock == &c.object[0]->slots.xa_lock && fx_page(c.object[0], 1) &&
	    !fx_slot(c.object[0], 3))
		fx_add_page(c.object[0], 3, 'w', BSDVM_PAGE_FRESH);
}

/* PF-7: somebody fills a page as it is being made. */
static void somebody_was_faster(void **state)
{
	c = fx_chain(1, 8, "a.......");
	twin_lock_hook = slot_is_taken;
	write_at(c.map, 1);
	twin_lock_hook = NULL;
	assert_mapped(c.map, 1, 2);
	assert_int_equal(fx_held_byte(c.map, 3), 'w');
	assert_int_equal(fx_count(live_pages), 4);
	check_all(c.map);
	fx_put(c.map);
}

static void beyond_the_end(void)
{
	c = full_chain(128, 0);
	c.object[0]->size = 8;
	read_at(c.map, 20);
	fx_assert(fx_mapped(c.map, 0, 20));
	fx_assert(!fx_mapped(c.map, 0, 32));
	fx_put(c.map);
}

/* PF-3, F-46: around a page beyond the object's end nothing goes astray. */
static void page_beyond_the_object(void **state)
{
	assert_true(fx_survives(beyond_the_end));
}

/* PF-13: a page that was renamed is writable; those still behind are not. */
static void renamed_page_comes_alone(void **state)
{
	struct fx_chain c = fx_chain(2, 4, "..../ABCD");

	fx_assert_status(fx_touch(c.map, 0, 1, BSDVM_PROT_WRITE,
				  BSDVM_FAULT_BURST), BSDVM_SUCCESS);
	assert_int_equal(fx_count(v_cow_optim), 1);
	assert_int_equal(fx_mappings(c.map), 1);
	check_all(c.map);
	fx_put(c.map);
}

/* A neighbour whose last reference is just being dropped ends the batch. */
static void neighbour_about_to_go(struct fx_chain c, unsigned int level)
{
	struct folio *page = fx_page(c.object[level], 2);
	int count = atomic_read(&page->refcount);

	atomic_set(&page->refcount, 0);
	fx_assert_status(fx_touch(c.map, 0, 1, BSDVM_PROT_READ,
				  BSDVM_FAULT_BURST), BSDVM_SUCCESS);
	atomic_set(&page->refcount, count);
	assert_non_null(fx_mapped(c.map, 0, 1));
	assert_null(fx_mapped(c.map, 0, 2));
	assert_null(fx_mapped(c.map, 0, 3));
	fx_put(c.map);
}

static void page_about_to_go(void **state)
{
	neighbour_about_to_go(fx_chain(2, 4, "..../ABCD"), 1);
}

static void own_page_about_to_go(void **state)
{
	neighbour_about_to_go(fx_chain(1, 4, "ABCD"), 0);
}

static struct bsdvm_object *emptied;
static struct folio *taken_out;

static void take_out_page(void)
{
	xa_erase(&emptied->slots, 2);
}

/* A neighbour that leaves its slot before it is locked ends the batch. */
static void own_page_replaced(void **state)
{
	struct fx_chain c = fx_chain(1, 4, "ABCD");

	emptied = c.object[0];
	taken_out = fx_page(emptied, 2);
	ch_before_lock(taken_out, take_out_page);
	fx_assert_status(fx_touch(c.map, 0, 1, BSDVM_PROT_READ,
				  BSDVM_FAULT_BURST), BSDVM_SUCCESS);
	assert_null(fx_mapped(c.map, 0, 2));
	assert_int_equal(folio_ref_count(taken_out), 1);
	assert_false(folio_test_locked(taken_out));
	xa_store(&emptied->slots, 2, taken_out, GFP_KERNEL);
	fx_put(c.map);
}

/* A map whose index in its object is 60 more: the next node begins at 4. */
static struct bsdvm_map *near_a_node(void)
{
	struct bsdvm_map *map = fx_map(100), *part;

	ch_write(map, 0, 'A');
	part = ch_shadow(map, 60, 40);
	fx_put(map);
	fx_assert_status(fx_touch(part, 0, 0, BSDVM_PROT_WRITE,
				  BSDVM_FAULT_BURST), BSDVM_SUCCESS);
	assert_int_equal(bsdvm_entry_index(fx_entry(part, 0), 0), 60);
	return part;
}

/* PF-7: no memory for the node under the lock, but without it; or for pages. */
static void fill_ahead_needs_a_node(void **state)
{
	unsigned int all = 0;
	struct bsdvm_map *map;
	unsigned long n;
	bool failed;

	for (n = 1, failed = true; failed; n++) {
		map = near_a_node();
		twin_fail_nth(n);
		fx_touch(map, 0, 1, BSDVM_PROT_WRITE, BSDVM_FAULT_BURST);
		failed = twin_fail_allocs_done();
		twin_fail_nth(0);
		check_all(map);
		all += fx_mappings(map) == 16;
		fx_put(map);
	}
	assert_true(n > 16);
	/* The last time nothing failed; before, at times no page did. */
	assert_true(all > 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FX_TEST(only_in_a_burst),
		FX_TEST(not_in_a_wired_entry),
		FX_TEST(cluster_is_mapped),
		FX_TEST(cluster_size_is_a_knob),
		FX_TEST(bounds_are_respected),
		FX_TEST(broken_neighbours_are_left_out),
		FX_TEST(mapped_neighbours_stay),
		FX_TEST(sequential_reader_does_not_look_back),
		FX_TEST(pages_behind_are_read_only),
		FX_TEST(writer_gets_own_neighbours_only),
		FX_TEST(reader_of_an_own_page),
		FX_TEST(frozen_neighbours_are_read_only),
		FX_TEST(missing_or_locked_page_ends_it),
		FX_TEST(busy_slot_ends_it),
		FX_TEST(pager_is_not_asked),
		FX_TEST(neighbours_keep_their_state),
		FX_TEST(cached_neighbour_is_deactivated),
		FX_TEST(neighbours_follow_nosync),
		FX_TEST(mapping_memory_runs_out),
		FX_TEST(own_page_among_pages_behind),
		FX_TEST(neighbours_of_a_renamed_page),
		FX_TEST(neighbour_is_looked_at_again),
		FX_TEST(taken_over_with_identity),
		FX_TEST(read_takes_over_with_identity),
		FX_TEST(deep_neighbours),
		FX_TEST(writer_fills_ahead),
		FX_TEST(fill_ahead_needs_the_knob),
		FX_TEST(scattered_writer_fills_nothing),
		FX_TEST(fill_ahead_looks_at_its_own_entry),
		FX_TEST(fill_ahead_needs_write),
		FX_TEST(fill_ahead_ends_at_data),
		FX_TEST(fill_ahead_ends_at_a_stored_page),
		FX_TEST(fill_ahead_without_memory),
		FX_TEST(fill_ahead_obeys_the_budget),
		FX_TEST(fill_ahead_is_not_limited),
		FX_TEST(somebody_was_faster),
		FX_TEST(page_beyond_the_object),
		FX_TEST(renamed_page_comes_alone),
		FX_TEST(page_about_to_go),
		FX_TEST(own_page_about_to_go),
		FX_TEST(own_page_replaced),
		FX_TEST(fill_ahead_needs_a_node),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("prefault", tests, NULL, NULL);
}
