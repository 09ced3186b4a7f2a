// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The walk down a chain: resolve.c. */
#include "chain.h"

static struct fx_chain c;

static enum bsdvm_found find(bsdvm_pindex_t pindex, struct bsdvm_cursor *cursor)
{
	enum bsdvm_found found;

	*cursor = (struct bsdvm_cursor){ .object = c.object[0],
					 .pindex = pindex };
	rcu_read_lock();
	found = bsdvm_resolve(cursor);
	rcu_read_unlock();
	return found;
}

static void assert_found(bsdvm_pindex_t pindex, enum bsdvm_found want,
			 unsigned int depth)
{
	struct bsdvm_cursor cursor;

	assert_int_equal(find(pindex, &cursor), want);
	assert_int_equal(cursor.depth, depth);
	assert_ptr_equal(cursor.object, c.object[depth]);
}

/* F-68 to F-71, F-75, F-76: the nearest object that has anything decides. */
static void nearest_object_decides(void **state)
{
	struct bsdvm_cursor cursor;

	c = fx_chain(4, 5, "a0.../AA0../AAAB./AAAAA");
	assert_found(0, BSDVM_FOUND_PAGE, 0);
	assert_found(1, BSDVM_FOUND_HOLE, 0);
	assert_found(2, BSDVM_FOUND_HOLE, 1);
	assert_found(3, BSDVM_FOUND_PAGE, 2);
	assert_found(4, BSDVM_FOUND_PAGE, 3);
	find(3, &cursor);
	assert_int_equal(fx_folio_byte(cursor.slot), 'B');
	find(1, &cursor);
	assert_ptr_equal(cursor.slot, BSDVM_SLOT_ZERO);
	assert_found(99, BSDVM_FOUND_HOLE, 0);
	fx_put(c.map);
}

/* F-36: busy, wanted or not. */
static void busy_is_found(void **state)
{
	struct bsdvm_wait wait;

	c = fx_chain(2, 1, "./A");
	fx_assert(bsdvm_busy_claim(c.object[0], 0, NULL) == BSDVM_SUCCESS);
	assert_found(0, BSDVM_FOUND_BUSY, 0);
	assert_true(bsdvm_busy_wait_prepare(&wait, c.object[0], 0));
	assert_found(0, BSDVM_FOUND_BUSY, 0);
	bsdvm_wait_cancel(&wait);
	bsdvm_busy_release(c.object[0], 0, NULL);
	assert_found(0, BSDVM_FOUND_PAGE, 1);
	fx_put(c.map);
}

/* F-44, F-64: a pager comes after the slot, and is passed over below it. */
static void pager_is_found(void **state)
{
	struct bsdvm_cursor cursor;
	enum bsdvm_found found;

	c = fx_chain(3, 2, "../.B/A.");
	fx_store(c.object[1], 0, 's');
	fx_store(c.object[1], 1, 't');
	assert_found(0, BSDVM_FOUND_PAGER, 1);
	assert_found(1, BSDVM_FOUND_PAGE, 1);
	find(0, &cursor);
	rcu_read_lock();
	found = bsdvm_resolve_below(&cursor);
	rcu_read_unlock();
	assert_int_equal(found, BSDVM_FOUND_PAGE);
	assert_int_equal(cursor.depth, 2);
	bsdvm_page_set(fx_page(c.object[1], 1), BSDVM_PAGE_SWAPPED);
	fx_put(c.map);
}

/* F-70, F-71: offsets add up; outside of a window is the end. */
static void windows_add_up(void **state)
{
	struct bsdvm_family *family;
	unsigned int i;

	c = fx_chain(3, 10, NULL);
	family = c.map->family;
	bsdvm_family_lock(family);
	for (i = 0; i < 2; i++) {
		bsdvm_object_detach(c.object[i]);
		bsdvm_object_attach(c.object[i], c.object[i + 1], 2 + i, 4);
	}
	bsdvm_family_unlock(family);
	for (i = 0; i < 10; i++)
		fx_add_page(c.object[2], i, (unsigned char)('0' + i),
			    BSDVM_PAGE_FRESH);
	assert_int_equal(fx_held_byte(c.map, 0), '5');
	assert_int_equal(fx_held_byte(c.map, 1), '6');
	/* page 2 is page 4 of the next object, whose window is pages 0 to 3 */
	assert_found(2, BSDVM_FOUND_HOLE, 1);
	assert_found(4, BSDVM_FOUND_HOLE, 0);
	fx_put(c.map);
}

/* F-35, O-19: what may be on its way elsewhere is not called absent. */
static void leaving_objects_are_not_trusted(void **state)
{
	unsigned int bit;

	for (bit = 0; bit < 2; bit++) {
		c = fx_chain(3, 2, "../A./BB");
		set_bit((int)bit, &c.object[1]->flags);
		assert_found(0, BSDVM_FOUND_PAGE, 1);
		assert_found(1, BSDVM_FOUND_AGAIN, 1);
		clear_bit((int)bit, &c.object[1]->flags);
		assert_found(1, BSDVM_FOUND_PAGE, 2);
		fx_put(c.map);
	}
}

static void link_changes(struct bsdvm_object *object, bsdvm_pindex_t pindex)
{
	struct bsdvm_family *family = object->family;

	if (object != c.object[0] || pindex != 1)
		return;
	family->seq.sequence += 2;
}

/* F-70: object, offset and end are those of one link; else once more. */
static void changed_links_are_noticed(void **state)
{
	c = fx_chain(2, 2, "../AB");
	c.object[0]->pager = &fx_pager;
	fx_has_page_hook = link_changes;
	assert_found(0, BSDVM_FOUND_PAGE, 1);
	assert_found(1, BSDVM_FOUND_AGAIN, 1);
	fx_has_page_hook = NULL;
	fx_put(c.map);
}

static bool armed;

static void write_page(struct fx_thread *me)
{
	fx_assert(fx_held_fill(me->map, 0, 'x') == BSDVM_SUCCESS);
}

/* The walk has missed the page in front; now it moves there. */
static void page_moves_up(struct bsdvm_object *object, bsdvm_pindex_t pindex)
{
	struct fx_thread t = { .map = c.map };

	if (object != c.object[0] || !armed)
		return;
	armed = false;
	fx_spawn(&t, write_page);
	fx_join(&t);
	fx_assert(fx_count(v_cow_optim) == 1);
}

/* F-79, F-80: a rename in the middle of a walk is not taken for a hole. */
static void rename_during_a_walk(void **state)
{
	unsigned int nozero;
	struct folio *page;

	for (nozero = 0; nozero < 2; nozero++) {
		memset(&bsdvm_stats, 0, sizeof(bsdvm_stats));
		c = fx_chain(2, 1, "./A");
		c.object[0]->pager = &fx_pager;
		armed = true;
		fx_has_page_hook = page_moves_up;
		fx_assert_status(bsdvm_fault_page(c.map, 0, BSDVM_PROT_READ,
				 nozero ? BSDVM_FAULT_NOZERO : 0, &page),
				 BSDVM_SUCCESS);
		fx_has_page_hook = NULL;
		assert_non_null(page);
		assert_int_equal(fx_folio_byte(page), 'x');
		bsdvm_fault_page_done(page, BSDVM_PROT_READ);
		assert_int_equal(fx_count(v_zfod), 0);
		check_all(c.map);
		fx_put(c.map);
	}
}

static void drop_ref(struct fx_thread *me)
{
	fx_unref(me->object);
}

static void object_collapses(struct bsdvm_object *object,
			     bsdvm_pindex_t pindex)
{
	struct fx_thread t = { .object = c.object[1] };

	if (object != c.object[0] || !armed)
		return;
	armed = false;
	fx_spawn(&t, drop_ref);
	fx_join(&t);
	fx_assert(fx_count(object_collapses) == 1);
}

/* F-35, O-23: nor is a collapse. */
static void collapse_during_a_walk(void **state)
{
	c = fx_chain(2, 1, "./A");
	fx_ref(c.object[1]);
	c.object[0]->pager = &fx_pager;
	armed = true;
	fx_has_page_hook = object_collapses;
	assert_int_equal(fx_held_byte(c.map, 0), 'A');
	fx_has_page_hook = NULL;
	assert_int_equal(fx_count(v_zfod), 0);
	check_all(c.map);
	fx_put(c.map);
}

/* F-36, FP-8: a reference only on a page that is still where it was. */
static void hold_checks_the_slot(void **state)
{
	struct bsdvm_cursor cursor;
	struct folio *page, *held;

	c = fx_chain(1, 1, "a");
	find(0, &cursor);
	page = cursor.slot;
	rcu_read_lock();
	held = bsdvm_resolve_hold(&cursor);
	rcu_read_unlock();
	assert_ptr_equal(held, page);
	assert_int_equal(folio_ref_count(page), 2);
	xa_store(&c.object[0]->slots, 0, BSDVM_SLOT_ZERO, GFP_KERNEL);
	rcu_read_lock();
	assert_null(bsdvm_resolve_hold(&cursor));
	rcu_read_unlock();
	assert_int_equal(folio_ref_count(page), 2);
	folio_put(page);
	atomic_long_dec(&c.object[0]->resident);
	bsdvm_page_free(page);
	rcu_read_lock();
	assert_null(bsdvm_resolve_hold(&cursor));
	rcu_read_unlock();
	fx_put(c.map);
}

/*
 *     m: F -> X -> B [-> A]     X of a snapshot, B of another map, g, too
 *
 * A walk on its way to B, and then the snapshot is dropped: X collapses into F,
 * and B is passed over, as F covers all of it. g is left alone with B and writes
 * there in place, where m has a hole.
 */
static struct fx_thread writer, dropper;
static struct bsdvm_object *left;

static void do_drop(struct fx_thread *me)
{
	me->status = bsdvm_snapshot_drop(me->map, *(u32 *)me->arg);
}

static void do_fill(struct fx_thread *me)
{
	me->status = fx_held_fill(me->map, me->pindex, me->value);
	if (me->status == BSDVM_SUCCESS && me->flags)
		me->status = bsdvm_map_punch(me->map, me->pindex, me->pindex);
}

static void run(struct fx_thread *thread, void (*body)(struct fx_thread *me))
{
	fx_spawn(thread, body);
	fx_join(thread);
	fx_assert(thread->status == BSDVM_SUCCESS);
}

static void before_load(const struct xa_state *xas)
{
	if (xas->xa != &left->slots || xas->xa_index != writer.pindex)
		return;
	twin_load_hook = NULL;
	run(&dropper, do_drop);
	run(&writer, do_fill);
	fx_assert(fx_object(writer.map, 0) == left);
}

/* B is the top of @map; what does @map find behind it by a write fault? */
static void assert_finds(struct bsdvm_map *map, bool punched, int byte)
{
	struct folio *page;
	u32 first, second;

	left = fx_object(map, 0);
	first = ch_snapshot(map);
	writer = (struct fx_thread){
		.map = ch_open(map, first),
		.pindex = 1, .value = 'g', .flags = punched,
	};
	ch_drop(map, first);
	ch_write(map, 0, 'X');
	second = ch_snapshot(map);
	ch_write(map, 2, 'F');
	dropper = (struct fx_thread){ .map = map, .arg = &second };
	twin_load_hook = before_load;
	fx_assert_status(bsdvm_fault_page(map, 1, BSDVM_PROT_WRITE, 0, &page),
			 BSDVM_SUCCESS);
	assert_null(twin_load_hook);
	assert_int_equal(fx_folio_byte(page), byte);
	bsdvm_fault_page_done(page, BSDVM_PROT_WRITE);
	check_all(map);
	fx_put(writer.map);
}

/* What the other map writes is not seen. */
static void bypass_during_a_walk(void **state)
{
	struct bsdvm_map *map = ch_map("B.B");

	assert_finds(map, false, 0);
	fx_put(map);
}

/* Nor that it punched a hole: what lies behind it is still to be seen. */
static void punch_after_bypass_during_a_walk(void **state)
{
	struct bsdvm_map *map = ch_map("AAA");

	ch_snapshot(map);
	ch_write(map, 0, 'B');
	ch_write(map, 2, 'B');
	assert_finds(map, true, 'A');
	fx_put(map);
}

/* The walk itself takes no lock and allocates nothing. */
static void walk_is_free_of_locks(void **state)
{
	struct twin_lock_counts *counts = twin_lock_counts();
	struct bsdvm_cursor cursor;
	unsigned long allocs;

	c = fx_chain(8, 1, "./././././././H");
	memset(counts, 0, sizeof(*counts));
	allocs = twin_allocs();
	assert_int_equal(find(0, &cursor), BSDVM_FOUND_PAGE);
	assert_int_equal(counts->mutex + counts->spin + counts->folio +
			 counts->rwsem_read + counts->rwsem_write, 0);
	assert_int_equal(counts->rcu, 1);
	assert_int_equal(twin_allocs(), allocs);
	fx_put(c.map);
}

static void close_a_circle(void)
{
	struct bsdvm_object *object;

	c = fx_chain(1, 1, NULL);
	object = c.object[0];
	bsdvm_family_lock(object->family);
	bsdvm_object_attach(object, object, 0, 1);
}

/* F-73: an object behind itself is refused where the link is made. */
static void circle_is_noticed(void **state)
{
	assert_false(fx_survives(close_a_circle));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FX_TEST(nearest_object_decides),
		FX_TEST(busy_is_found),
		FX_TEST(pager_is_found),
		FX_TEST(windows_add_up),
		FX_TEST(leaving_objects_are_not_trusted),
		FX_TEST(changed_links_are_noticed),
		FX_TEST(rename_during_a_walk),
		FX_TEST(collapse_during_a_walk),
		FX_TEST(hold_checks_the_slot),
		FX_TEST(bypass_during_a_walk),
		FX_TEST(punch_after_bypass_during_a_walk),
		FX_TEST(walk_is_free_of_locks),
		FX_TEST(circle_is_noticed),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("resolve", tests, NULL, NULL);
}
