// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Pages and the page budget: page.c. */
#include "chain.h"

static struct fx_chain c;
static struct folio *page;

static void page_setup(unsigned long page_state)
{
	c = fx_chain(1, 1, NULL);
	page = fx_add_page(c.object[0], 0, 'a', page_state);
}

/* P-1, F-50: locked, one reference, counted; zeroed only if asked. */
static void new_page(void **state)
{
	struct folio *zeroed;

	c = fx_chain(1, 1, NULL);
	page = bsdvm_page_alloc(c.object[0], false);
	zeroed = bsdvm_page_alloc(c.object[0], true);
	assert_int_equal(fx_folio_byte(zeroed), 0);
	assert_int_not_equal(fx_folio_byte(page), 0);
	assert_true(folio_test_locked(page));
	assert_int_equal(folio_ref_count(page), 1);
	assert_ptr_equal(page->mapping, c.map->family->anchor);
	assert_int_equal(fx_count(live_pages), 2);
	bsdvm_page_discard(page);
	bsdvm_page_discard(zeroed);
	assert_int_equal(fx_count(v_tfree), 2);
	assert_int_equal(fx_count(live_pages), 0);
	twin_fail_nth(1);
	assert_null(bsdvm_page_alloc(c.object[0], true));
	assert_int_equal(fx_count(live_pages), 0);
	fx_put(c.map);
}

static gfp_t gfp_seen;

static bool note_gfp(gfp_t gfp)
{
	gfp_seen = gfp;
	return true;
}

/* L: charged, never movable. */
static void page_is_charged_and_stays(void **state)
{
	c = fx_chain(1, 1, NULL);
	twin_page_alloc_hook = note_gfp;
	bsdvm_page_discard(bsdvm_page_alloc(c.object[0], true));
	assert_true(gfp_seen & __GFP_ACCOUNT);
	assert_true(gfp_seen & __GFP_ZERO);
	assert_false(gfp_seen & __GFP_MOVABLE);
	fx_put(c.map);
}

/* I-1, P-8: the identity a page is known by, and its end. */
static void identity(void **state)
{
	page_setup(BSDVM_PAGE_FRESH);
	assert_non_null(page->mapping);
	assert_int_equal(bsdvm_page_state(page), BSDVM_PAGE_FRESH);
	folio_get(page);
	fx_put(c.map);
	assert_null(page->mapping);
	assert_null(page->private);
	assert_int_equal(fx_folio_byte(page), 'a');
	folio_put(page);
}

static void free_page(struct fx_thread *me)
{
	bsdvm_page_free(me->arg);
}

/* I-8, P-11, P-12: freeing waits for the lock, holders keep the bytes. */
static void free_waits_for_the_lock(void **state)
{
	struct fx_thread t = { };

	page_setup(BSDVM_PAGE_FRESH);
	folio_get(page);
	folio_lock(page);
	xa_erase(&c.object[0]->slots, 0);
	atomic_long_dec(&c.object[0]->resident);
	t.arg = page;
	fx_spawn(&t, free_page);
	fx_await_sleep(&t);
	assert_non_null(page->mapping);
	folio_unlock(page);
	fx_join(&t);
	assert_null(page->mapping);
	assert_int_equal(fx_count(live_pages), 0);
	assert_int_equal(fx_folio_byte(page), 'a');
	folio_put(page);
	fx_put(c.map);
}

/* F-89, F-90: bits come and go, and the others stay. */
static void bits(void **state)
{
	page_setup(BSDVM_QUEUE_ACTIVE);
	bsdvm_page_set(page, BSDVM_PAGE_RAM | BSDVM_PAGE_NOSYNC);
	assert_true(bsdvm_page_test_clear(page, BSDVM_PAGE_RAM));
	assert_false(bsdvm_page_test_clear(page, BSDVM_PAGE_RAM));
	assert_int_equal(bsdvm_page_state(page),
			 BSDVM_QUEUE_ACTIVE | BSDVM_PAGE_NOSYNC);
	bsdvm_page_wire(page);
	bsdvm_page_set(page, BSDVM_PAGE_DIRTY);
	assert_int_equal(bsdvm_page_wire_count(page), 1);
	bsdvm_page_unwire(page);
	fx_put(c.map);
}

/* P-22, P-23, C-6: from CACHE is a reactivation, nothing else is. */
static void queues(void **state)
{
	page_setup(BSDVM_QUEUE_ACTIVE);
	bsdvm_page_requeue(page, BSDVM_QUEUE_INACTIVE);
	bsdvm_page_requeue(page, BSDVM_QUEUE_CACHE);
	bsdvm_page_requeue(page, BSDVM_QUEUE_CACHE);
	assert_int_equal(fx_count(v_reactivated), 0);
	bsdvm_page_requeue(page, BSDVM_QUEUE_INACTIVE);
	assert_int_equal(fx_count(v_reactivated), 1);
	bsdvm_page_requeue(page, BSDVM_QUEUE_CACHE);
	bsdvm_page_activate(page);
	assert_int_equal(fx_count(v_reactivated), 2);
	assert_int_equal(bsdvm_page_state(page), BSDVM_PAGE_FRESH);
	fx_put(c.map);
}

/* P-14, F-24, I-5: a wired page is in no queue; the last unwiring activates. */
static void wiring(void **state)
{
	page_setup(BSDVM_QUEUE_INACTIVE | BSDVM_PAGE_DIRTY);
	bsdvm_page_wire(page);
	bsdvm_page_wire(page);
	assert_int_equal(bsdvm_page_queue(page), BSDVM_QUEUE_NONE);
	assert_int_equal(fx_count(live_wired), 2);
	bsdvm_page_requeue(page, BSDVM_QUEUE_CACHE);
	bsdvm_page_activate(page);
	assert_int_equal(bsdvm_page_queue(page), BSDVM_QUEUE_NONE);
	bsdvm_page_unwire(page);
	assert_int_equal(bsdvm_page_queue(page), BSDVM_QUEUE_NONE);
	bsdvm_page_unwire(page);
	assert_int_equal(bsdvm_page_queue(page), BSDVM_QUEUE_ACTIVE);
	assert_int_equal(fx_count(live_wired), 0);
	assert_true(bsdvm_page_state(page) & BSDVM_PAGE_DIRTY);
	fx_put(c.map);
}

/* P-14: one unwiring too many is noticed, and does nothing. */
static void unwiring_too_often_warns(void **state)
{
	page_setup(BSDVM_PAGE_FRESH);
	twin_warn_abort = false;
	bsdvm_page_unwire(page);
	assert_int_equal(twin_warnings, 1);
	twin_warnings = 0;
	twin_warn_abort = true;
	assert_int_equal(bsdvm_page_state(page), BSDVM_PAGE_FRESH);
	fx_put(c.map);
}

/* A wired page that is freed is not counted as wired any more. */
static void freeing_a_wired_page(void **state)
{
	page_setup(BSDVM_PAGE_FRESH);
	bsdvm_page_wire(page);
	bsdvm_page_wire(page);
	fx_put(c.map);
	assert_int_equal(fx_count(live_wired), 0);
}

/* F-90, P-17, I-14 */
static void dirtying_forgets_the_stored_page(void **state)
{
	page_setup(BSDVM_PAGE_FRESH | BSDVM_PAGE_SWAPPED);
	fx_store(c.object[0], 0, 's');
	bsdvm_page_dirty(c.object[0], 0, page);
	assert_int_equal(fx_pager_log.forgets, 1);
	bsdvm_page_dirty(c.object[0], 0, page);
	assert_int_equal(fx_pager_log.forgets, 1);
	assert_int_equal(bsdvm_page_state(page),
			 BSDVM_PAGE_FRESH | BSDVM_PAGE_DIRTY);
	check_all(c.map);
	fx_put(c.map);
}

/* F-81, F-85, L-38: all bytes; clearing: these bytes. */
static void bytes(void **state)
{
	struct folio *copy;
	const char *data;

	page_setup(BSDVM_PAGE_FRESH);
	copy = bsdvm_page_alloc(c.object[0], false);
	bsdvm_page_copy(copy, page);
	assert_int_equal(fx_folio_byte(copy), 'a');
	bsdvm_page_clear(copy, 10, 20);
	data = kmap_local_folio(copy, 0);
	assert_true(data[9] == 'a' && !data[10]);
	assert_true(!data[19] && data[20] == 'a');
	kunmap_local(data);
	bsdvm_page_discard(copy);
	assert_int_equal(fx_folio_byte(page), 'a');
	fx_put(c.map);
}

/* ---- the budget --------------------------------------------------------- */

/* F-49, section 0: severe, or reserved, above what is free. */
static void severe_thresholds(void **state)
{
	page_setup(BSDVM_PAGE_FRESH);
	assert_false(bsdvm_budget_is_severe());
	bsdvm_budget = (struct bsdvm_budget){ .limit = 11, .severe = 10 };
	assert_false(bsdvm_budget_is_severe());
	bsdvm_budget.severe = 11;
	assert_true(bsdvm_budget_is_severe());
	bsdvm_budget.severe = 0;
	bsdvm_budget.reserved = 11;
	assert_true(bsdvm_budget_is_severe());
	bsdvm_budget.reserved = 10;
	assert_false(bsdvm_budget_is_severe());
	/* more pages than the limit allows: nothing is free */
	bsdvm_budget = (struct bsdvm_budget){ .limit = 1, .severe = 1 };
	assert_true(bsdvm_budget_is_severe());
	fx_put(c.map);
}

/* P-20: who waits does so only below the target, and not for long. */
static void budget_wait(void **state)
{
	u64 before;

	page_setup(BSDVM_PAGE_FRESH);
	before = ktime_get_ns();
	assert_int_equal(bsdvm_budget_wait(), 0);
	bsdvm_budget = (struct bsdvm_budget){ .limit = 11, .target = 10 };
	assert_int_equal(bsdvm_budget_wait(), 0);
	assert_true(ktime_get_ns() - before < 90000000);
	bsdvm_budget.target = 11;
	before = ktime_get_ns();
	assert_int_equal(bsdvm_budget_wait(), 0);
	assert_in_range(ktime_get_ns() - before, 90000000, 2000000000);
	twin_kill(current);
	before = ktime_get_ns();
	assert_int_equal(bsdvm_budget_wait(), -EINTR);
	assert_true(ktime_get_ns() - before < 90000000);
	twin_unkill(current);
	fx_put(c.map);
}

static struct folio *forked;
static unsigned int counts, fork_at;

/* As fork does with a page of a private mapping: no lock is held. */
static void fork_page(const struct folio *page)
{
	if (page == forked && ++counts == fork_at)
		twin_folio_map(forked);
}

/* P-12: a fork that comes between two looks does not hide who holds the page. */
static void a_fork_hides_nobody(void **state)
{
	struct bsdvm_map *map = ch_map("A");

	forked = ch_pin(map, 0);
	twin_folio_map(forked);
	assert_true(bsdvm_page_in_hands(forked, 0));
	assert_false(bsdvm_page_in_hands(forked, 1));
	twin_mapcount_hook = fork_page;
	for (fork_at = 1; fork_at <= 2; fork_at++) {
		counts = 0;
		assert_true(bsdvm_page_in_hands(forked, 0));
		if (counts >= fork_at)
			twin_folio_unmap(forked);
	}
	twin_mapcount_hook = NULL;
	twin_folio_unmap(forked);
	folio_put(forked);
	fx_put(map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FX_TEST(new_page),
		FX_TEST(page_is_charged_and_stays),
		FX_TEST(identity),
		FX_TEST(free_waits_for_the_lock),
		FX_TEST(bits),
		FX_TEST(queues),
		FX_TEST(wiring),
		FX_TEST(unwiring_too_often_warns),
		FX_TEST(freeing_a_wired_page),
		FX_TEST(dirtying_forgets_the_stored_page),
		FX_TEST(bytes),
		FX_TEST(severe_thresholds),
		FX_TEST(budget_wait),
		FX_TEST(a_fork_hides_nobody),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("page", tests, NULL, NULL);
}
