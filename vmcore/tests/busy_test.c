// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Busy slots and keys: busy.c. */
#include "fixture.h"

static struct fx_chain c;

/* F-51, I-7: one claims; the next is told to look again. */
static void claim_is_exclusive(void **state)
{
	struct bsdvm_object *object;

	c = fx_chain(1, 3, "a0.");
	object = c.object[0];
	fx_assert_status(bsdvm_busy_claim(object, 2, NULL), BSDVM_SUCCESS);
	fx_assert_status(bsdvm_busy_claim(object, 2, NULL), BSDVM_TRY_AGAIN);
	fx_assert_status(bsdvm_busy_claim(object, 0, NULL), BSDVM_TRY_AGAIN);
	fx_assert_status(bsdvm_busy_claim(object, 1, NULL), BSDVM_TRY_AGAIN);
	fx_assert_status(bsdvm_busy_claim(object, 1, BSDVM_SLOT_ZERO),
			 BSDVM_SUCCESS);
	bsdvm_busy_release(object, 1, BSDVM_SLOT_ZERO);
	bsdvm_busy_release(object, 2, NULL);
	assert_ptr_equal(fx_slot(object, 1), BSDVM_SLOT_ZERO);
	assert_null(fx_slot(object, 2));
	check_all(c.map);
	fx_put(c.map);
}

/* F-49: no memory for the slot. */
static void claim_without_memory(void **state)
{
	c = fx_chain(1, 100, NULL);
	twin_fail_nth(1);
	fx_assert_status(bsdvm_busy_claim(c.object[0], 99, NULL),
			 BSDVM_RESOURCE_SHORTAGE);
	assert_null(fx_slot(c.object[0], 99));
	fx_put(c.map);
}

/* L-8: a release allocates nothing, whatever it leaves. */
static void release_needs_no_memory(void **state)
{
	unsigned long allocs;

	c = fx_chain(1, 100, NULL);
	fx_assert(bsdvm_busy_claim(c.object[0], 77, NULL) == BSDVM_SUCCESS);
	allocs = twin_allocs();
	bsdvm_busy_release(c.object[0], 77, BSDVM_SLOT_ZERO);
	assert_int_equal(twin_allocs(), allocs);
	fx_put(c.map);
}

/* F-36: there is nothing to wait for: nothing is prepared. */
static void no_wait_for_an_idle_slot(void **state)
{
	struct bsdvm_wait wait;

	c = fx_chain(1, 3, "a0.");
	assert_false(bsdvm_busy_wait_prepare(&wait, c.object[0], 0));
	assert_false(bsdvm_busy_wait_prepare(&wait, c.object[0], 1));
	assert_false(bsdvm_busy_wait_prepare(&wait, c.object[0], 2));
	assert_null(wait.queue);
	assert_null(fx_slot(c.object[0], 2));
	fx_put(c.map);
}

/* F-36: a release between preparing and sleeping is not missed. */
static void release_before_the_sleep_is_noticed(void **state)
{
	struct bsdvm_wait wait;

	c = fx_chain(1, 1, NULL);
	fx_assert(bsdvm_busy_claim(c.object[0], 0, NULL) == BSDVM_SUCCESS);
	assert_true(bsdvm_busy_wait_prepare(&wait, c.object[0], 0));
	bsdvm_busy_release(c.object[0], 0, NULL);
	assert_int_equal(bsdvm_wait(&wait), 0);
	assert_null(wait.queue);
	fx_put(c.map);
}

/* F-30 */
static void killed_before_the_sleep(void **state)
{
	struct bsdvm_wait wait;

	c = fx_chain(1, 1, NULL);
	fx_assert(bsdvm_busy_claim(c.object[0], 0, NULL) == BSDVM_SUCCESS);
	assert_true(bsdvm_busy_wait_prepare(&wait, c.object[0], 0));
	twin_kill(current);
	assert_int_equal(bsdvm_wait(&wait), -EINTR);
	twin_unkill(current);
	bsdvm_busy_release(c.object[0], 0, NULL);
	fx_put(c.map);
}

static void wait_for_slot(struct fx_thread *me)
{
	struct bsdvm_wait wait;

	if (bsdvm_busy_wait_prepare(&wait, me->object, me->pindex))
		bsdvm_wait_uninterruptible(&wait);
}

/* F-36, P-15: all who wait are woken. */
static void every_waiter_is_woken(void **state)
{
	struct fx_thread t[4];
	unsigned int i;

	c = fx_chain(1, 1, NULL);
	fx_assert(bsdvm_busy_claim(c.object[0], 0, NULL) == BSDVM_SUCCESS);
	for (i = 0; i < 4; i++) {
		t[i] = (struct fx_thread){ .object = c.object[0] };
		fx_spawn(&t[i], wait_for_slot);
		fx_await_sleep(&t[i]);
	}
	/* no signal ends this kind of wait */
	twin_kill(t[0].task);
	usleep(2000);
	assert_false(READ_ONCE(t[0].done));
	bsdvm_busy_release(c.object[0], 0, NULL);
	for (i = 0; i < 4; i++)
		fx_join(&t[i]);
	fx_put(c.map);
}

static bool key_changed;

static void wait_for_key(struct fx_thread *me)
{
	struct bsdvm_wait wait;

	for (;;) {
		bsdvm_wait_prepare(&wait, me->arg);
		if (READ_ONCE(key_changed))
			break;
		if (bsdvm_wait(&wait)) {
			me->status = BSDVM_INTERRUPTED;
			return;
		}
	}
	bsdvm_wait_cancel(&wait);
}

/* M-34, F-35: waiting for a thing. */
static void key_is_waited_for(void **state)
{
	struct fx_thread t = { .arg = &key_changed }, k = t;

	key_changed = false;
	fx_spawn(&t, wait_for_key);
	fx_spawn(&k, wait_for_key);
	fx_await_sleep(&t);
	fx_await_sleep(&k);
	twin_kill(k.task);
	fx_join(&k);
	fx_assert_status(k.status, BSDVM_INTERRUPTED);
	bsdvm_wake(&key_changed);
	usleep(1000);
	WRITE_ONCE(key_changed, true);
	bsdvm_wake(&key_changed);
	fx_join(&t);
	fx_assert_status(t.status, BSDVM_SUCCESS);
}

/* I-8: only a busy slot can be released. */
static void release_of_an_idle_slot_warns(void **state)
{
	c = fx_chain(1, 1, NULL);
	twin_warn_abort = false;
	bsdvm_busy_release(c.object[0], 0, NULL);
	assert_int_equal(twin_warnings, 1);
	twin_warnings = 0;
	twin_warn_abort = true;
	fx_put(c.map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FX_TEST(claim_is_exclusive),
		FX_TEST(claim_without_memory),
		FX_TEST(release_needs_no_memory),
		FX_TEST(no_wait_for_an_idle_slot),
		FX_TEST(release_before_the_sleep_is_noticed),
		FX_TEST(killed_before_the_sleep),
		FX_TEST(every_waiter_is_woken),
		FX_TEST(key_is_waited_for),
		FX_TEST(release_of_an_idle_slot_warns),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("busy", tests, NULL, NULL);
}
