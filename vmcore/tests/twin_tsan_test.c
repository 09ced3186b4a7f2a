// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The twin under load: xarray, RCU, waiting and locks in several threads.
 * Built with ThreadSanitizer as well as with AddressSanitizer.
 */
#include <setjmp.h>
#include <cmocka.h>

#include "twin.h"

#define THREADS	4
#define ROUNDS	3000

/* ---- helpers ----------------------------------------------------------------- */

static void run_threads(void *(*fn)(void *))
{
	pthread_t threads[THREADS];
	long i;

	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, fn,
						(void *)i), 0);
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

static int reset(void **state)
{
	(void)state;
	twin_reset();
	return 0;
}

static int nothing_left(void **state)
{
	(void)state;
	rcu_barrier();
	twin_assert_idle();
	return twin_warnings || twin_live_allocs() || twin_live_pages();
}

static DEFINE_XARRAY(array);

/* ---- objects under RCU ---------------------------------------------------------- */

struct thing {
	unsigned long index;
	unsigned long check;
	struct rcu_head rcu;
};

static void thing_verify(const struct thing *thing)
{
	BUG_ON(thing->check != ~thing->index);
}

static void thing_replace(unsigned long index, bool erase)
{
	struct thing *thing = erase ? NULL : kmalloc(sizeof(*thing), GFP_KERNEL);
	struct thing *old;

	if (thing) {
		thing->index = index;
		thing->check = ~index;
	}
	old = xa_store(&array, index, thing, GFP_KERNEL);
	if (old)
		kfree_rcu(old, rcu);
}

static void things_read(unsigned int *seed)
{
	unsigned long index = 0;
	struct thing *thing;

	rcu_read_lock();
	thing = xa_load(&array, (unsigned long)rand_r(seed) % 200);
	if (thing)
		thing_verify(thing);
	xa_for_each_start(&array, index, thing, 64) {
		BUG_ON(index != thing->index || index < 64);
		thing_verify(thing);
	}
	rcu_read_unlock();
}

static void *things_churn(void *arg)
{
	unsigned int seed = (unsigned int)(long)arg;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		/* Mostly erasing: the tree often grows and shrinks. */
		if ((long)arg % 2)
			thing_replace((unsigned long)rand_r(&seed) % 200 *
				      (rand_r(&seed) % 8 ? 1 : 100),
				      rand_r(&seed) % 4);
		else
			things_read(&seed);
	}
	return NULL;
}

static void test_xarray_rcu(void **state)
{
	unsigned long index;
	struct thing *thing;

	(void)state;
	run_threads(things_churn);
	xa_for_each(&array, index, thing)
		thing_replace(index, true);
	assert_true(xa_empty(&array));
}

/* ---- slots claimed by compare-exchange, with waiting -------------------------------- */

#define SLOTS	8
#define BUSY	xa_mk_value(1)
#define IDLE	xa_mk_value(2)

static DECLARE_WAIT_QUEUE_HEAD(queue);
static unsigned long plain[SLOTS];	/* protected by the slot's mark */

static void slot_claim(unsigned long slot)
{
	DEFINE_WAIT(wait);

	for (;;) {
		prepare_to_wait(&queue, &wait, TASK_KILLABLE);
		if (xa_cmpxchg(&array, slot, IDLE, BUSY, GFP_NOWAIT) == IDLE)
			break;
		schedule();
	}
	finish_wait(&queue, &wait);
}

static void slot_claim_woken(unsigned long slot)
{
	struct wait_queue_entry wait;

	init_waitqueue_func_entry(&wait, woken_wake_function);
	wait.private = current;
	add_wait_queue(&queue, &wait);
	while (xa_cmpxchg(&array, slot, IDLE, BUSY, GFP_NOWAIT) != IDLE)
		wait_woken(&wait, TASK_KILLABLE, MAX_SCHEDULE_TIMEOUT);
	remove_wait_queue(&queue, &wait);
}

static void *slots_use(void *arg)
{
	unsigned int seed = (unsigned int)(long)arg;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		unsigned long slot = (unsigned long)rand_r(&seed) % SLOTS;

		if (i % 2)
			slot_claim(slot);
		else
			slot_claim_woken(slot);
		plain[slot]++;
		xa_store(&array, slot, IDLE, GFP_NOWAIT);
		wake_up_all(&queue);
	}
	return NULL;
}

static void test_busy_slots(void **state)
{
	unsigned long i, sum = 0;

	(void)state;
	for (i = 0; i < SLOTS; i++)
		assert_null(xa_store(&array, i, IDLE, GFP_KERNEL));
	run_threads(slots_use);
	for (i = 0; i < SLOTS; i++)
		sum += plain[i];
	assert_int_equal(sum, THREADS * ROUNDS);
	xa_destroy(&array);
}

/* ---- locks -------------------------------------------------------------------------- */

static DEFINE_MUTEX(mutex);
static DECLARE_RWSEM(sem);
static seqcount_t seq;
static unsigned long left, right;	/* mutex and seq; left == right */
static unsigned long total;		/* sem */

static void pair_write(void)
{
	mutex_lock(&mutex);
	preempt_disable();
	write_seqcount_begin(&seq);
	WRITE_ONCE(left, left + 1);
	cpu_relax();
	WRITE_ONCE(right, right + 1);
	write_seqcount_end(&seq);
	preempt_enable();
	mutex_unlock(&mutex);
}

static void pair_read(void)
{
	unsigned long l, r;
	unsigned int start;

	do {
		start = read_seqcount_begin(&seq);
		l = READ_ONCE(left);
		cpu_relax();
		r = READ_ONCE(right);
	} while (read_seqcount_retry(&seq, start));
	BUG_ON(l != r);
}

static void total_add(bool killable)
{
	unsigned long mine;

	if (!killable)
		down_write(&sem);
	else if (down_write_killable(&sem))
		return;
	mine = ++total;
	/* Nobody writes between the two halves. */
	downgrade_write(&sem);
	BUG_ON(total != mine);
	up_read(&sem);
}

static void *locks_use(void *arg)
{
	int i;

	for (i = 0; i < ROUNDS; i++) {
		if ((long)arg % 2) {
			pair_write();
			total_add(i % 2);
		} else {
			pair_read();
			down_read(&sem);
			BUG_ON(total > THREADS * ROUNDS);
			up_read(&sem);
		}
	}
	return NULL;
}

static void test_locks(void **state)
{
	(void)state;
	seqcount_init(&seq);
	run_threads(locks_use);
	assert_int_equal(left, THREADS / 2 * ROUNDS);
	assert_int_equal(total, THREADS / 2 * ROUNDS);
}

/* ---- folios: lookup under RCU, recheck under the lock -------------------------------- */

static struct address_space anchor;
static unsigned long increments;	/* atomic */

static struct folio *folio_find(unsigned long index)
{
	struct folio *folio;

	rcu_read_lock();
	folio = xa_load(&array, index);
	if (folio && !folio_try_get(folio))
		folio = NULL;
	rcu_read_unlock();
	return folio;
}

static void folio_increment(unsigned long index)
{
	struct folio *folio = folio_find(index);
	unsigned long *data;

	if (!folio)
		return;
	folio_lock(folio);
	if (folio->mapping == &anchor && folio->index == index) {
		data = kmap_local_folio(folio, 0);
		++*data;
		kunmap_local(data);
	}
	folio_unlock(folio);
	folio_put(folio);
}

static void folio_replace(unsigned long index)
{
	struct folio *folio = folio_alloc(GFP_HIGHUSER | __GFP_ZERO, 0);
	struct folio *old;

	/* A late reader of the folio's former life may still get to it. */
	folio_lock(folio);
	folio->mapping = &anchor;
	folio->index = index;
	folio_unlock(folio);
	old = xa_store(&array, index, folio, GFP_KERNEL);
	if (!old)
		return;
	folio_lock(old);
	__atomic_fetch_add(&increments, *(unsigned long *)old->data,
			   __ATOMIC_RELAXED);
	old->mapping = NULL;
	folio_unlock(old);
	folio_put(old);
}

static void *folios_use(void *arg)
{
	unsigned int seed = (unsigned int)(long)arg;
	int i;

	for (i = 0; i < ROUNDS; i++)
		if (rand_r(&seed) % 8)
			folio_increment((unsigned long)rand_r(&seed) % 2);
		else
			folio_replace((unsigned long)rand_r(&seed) % 2);
	return NULL;
}

static void test_folios(void **state)
{
	unsigned long index;
	struct folio *folio;

	(void)state;
	run_threads(folios_use);
	assert_true(increments != 0);
	xa_for_each(&array, index, folio) {
		xa_erase(&array, index);
		folio->mapping = NULL;
		folio_put(folio);
	}
}

/* ---- waiting for variables, with kills ------------------------------------------------ */

static int tokens;			/* atomic */
static struct task_struct *victim;	/* atomic */

static bool token_take(void)
{
	int n = READ_ONCE(tokens);

	/* To give up because another took one of several would be a lost wake. */
	while (n && !try_cmpxchg(&tokens, &n, n - 1))
		;
	return n;
}

static void *tokens_use(void *arg)
{
	int i;

	for (i = 0; i < ROUNDS; i++) {
		if ((long)arg % 2) {
			__atomic_fetch_add(&tokens, 1, __ATOMIC_SEQ_CST);
			wake_up_var(&tokens);
			continue;
		}
		WRITE_ONCE(victim, current);
		while (wait_var_event_killable(&tokens, token_take()))
			twin_unkill(current);
		twin_kill(READ_ONCE(victim));
	}
	return NULL;
}

static void test_wait_var(void **state)
{
	(void)state;
	run_threads(tokens_use);
	assert_int_equal(tokens, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, reset, nothing_left)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_xarray_rcu),
		TEST(test_busy_slots),
		TEST(test_locks),
		TEST(test_folios),
		TEST(test_wait_var),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("twin under load", tests, NULL, NULL);
}
