// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Faults that find, between two looks, that something has changed. */
#include "chain.h"

static struct bsdvm_object *object;
static struct folio *arrival;
static unsigned int visits;

/* ---- a collapse ----------------------------------- */

static void collapse_ends(const void *lock, enum twin_lock_mode mode)
{
	/* Of all locks, that of the queue alone is taken during a walk. */
	if (!rcu_read_lock_held())
		return;
	visits++;
	clear_bit(BSDVM_OBJECT_COLLAPSING, &object->flags);
}

/* F-35: it ends just before the fault is among those who wait for its end. */
static void test_F35_collapse_ends_meanwhile(void **state)
{
	struct fx_chain c = fx_chain(3, 2, "../../AB");

	object = c.object[1];
	visits = 0;
	set_bit(BSDVM_OBJECT_COLLAPSING, &object->flags);
	twin_lock_hook = collapse_ends;
	assert_int_equal(fx_held_byte(c.map, 0), 'A');
	twin_lock_hook = NULL;
	assert_int_equal(visits, 1);
	fx_put(c.map);
}

static void collapse_begins(struct bsdvm_object *asked, bsdvm_pindex_t pindex)
{
	if (asked != object)
		return;
	if (++visits == 1)
		set_bit(BSDVM_OBJECT_COLLAPSING, &object->flags);
	else
		clear_bit(BSDVM_OBJECT_COLLAPSING, &object->flags);
}

/* I-13: it begins before paging in progress is counted. */
static void test_I13_collapse_before_paging(void **state)
{
	struct fx_chain c = fx_chain(2, 2, "../..");

	object = c.object[1];
	fx_store(object, 1, 's');
	visits = 0;
	fx_has_page_hook = collapse_begins;
	assert_int_equal(fx_held_byte(c.map, 1), 's');
	fx_has_page_hook = NULL;
	assert_true(visits > 1);
	assert_int_equal(atomic_read(&object->pip), 0);
	fx_put(c.map);
}

/* ---- somebody faster ----------------------------------- */

static void page_arrives(struct bsdvm_object *asked, bsdvm_pindex_t pindex)
{
	if (!arrival || pindex != 1)
		return;
	xa_store(&asked->slots, pindex, arrival, GFP_NOWAIT);
	atomic_long_inc(&asked->resident);
	arrival = NULL;
}

/* F-51: the page is there when the slot is to be claimed. */
static void test_F51_before_the_claim(void **state)
{
	struct fx_chain c = fx_chain(1, 2, "A.");

	fx_store(c.object[0], 1, 's');
	arrival = bsdvm_page_alloc(c.object[0], false);
	fx_folio_fill(arrival, 's');
	bsdvm_page_bind(arrival, 1, BSDVM_PAGE_FRESH | BSDVM_PAGE_SWAPPED);
	folio_unlock(arrival);
	fx_has_page_hook = page_arrives;
	assert_int_equal(fx_held_byte(c.map, 1), 's');
	fx_has_page_hook = NULL;
	assert_int_equal(fx_pager_log.gets, 0);
	fx_put(c.map);
}

static struct fx_chain chain;

static void write_page(struct fx_thread *me)
{
	fx_assert(fx_held_fill(me->map, 0, 'x') == BSDVM_SUCCESS);
}

/* Once: the page is written to, and moves to the front for that. */
static void page_moves_up(const struct folio *page)
{
	struct fx_thread t = { .map = chain.map };

	twin_try_get_hook = NULL;
	fx_assert(page == fx_page(chain.object[1], 0));
	fx_spawn(&t, write_page);
	fx_join(&t);
	fx_assert(fx_count(v_cow_optim) == 1);
}

/* F-80: a page found leaves its slot before it is held. */
static void test_F80_rename_before_the_hold(void **state)
{
	chain = fx_chain(2, 1, "./A");
	twin_try_get_hook = page_moves_up;
	assert_int_equal(fx_held_byte(chain.map, 0), 'x');
	assert_null(twin_try_get_hook);
	fx_put(chain.map);
}

/* ---- memory that breaks ----------------------------------- */

static void memory_breaks(const void *lock, enum twin_lock_mode mode)
{
	struct folio *page = fx_page(chain.object[0], 0);

	if (lock != page)
		return;
	twin_lock_hook = NULL;
	ch_break(page);
}

/* Found sound, it is looked at again under its lock. */
static void test_memory_breaks_meanwhile(void **state)
{
	chain = fx_chain(1, 1, "A");
	twin_lock_hook = memory_breaks;
	fx_assert_status(fx_touch(chain.map, 0, 0, BSDVM_PROT_READ, 0),
			 BSDVM_MEMORY_BROKEN);
	assert_null(twin_lock_hook);
	assert_null(fx_mapped(chain.map, 0, 0));
	folio_put(fx_page(chain.object[0], 0));
	fx_put(chain.map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FX_TEST(test_F35_collapse_ends_meanwhile),
		FX_TEST(test_I13_collapse_before_paging),
		FX_TEST(test_F51_before_the_claim),
		FX_TEST(test_F80_rename_before_the_hold),
		FX_TEST(test_memory_breaks_meanwhile),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("fault_race", tests, NULL, NULL);
}
