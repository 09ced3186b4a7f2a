// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The twin keeps its promises, in one thread or few. */
#include <setjmp.h>
#include <signal.h>
#include <sys/wait.h>
#include <cmocka.h>

#include "twin.h"

/* ---- helpers ----------------------------------------------------------------- */

/* Runs @fn in a child: does it die of abort()? */
static bool dies(void (*fn)(void))
{
	int status;
	pid_t child;

	fflush(NULL);
	child = fork();
	if (!child) {
		if (!freopen("/dev/null", "w", stderr))
			_exit(2);
		fn();
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
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

static void wait_until_asleep(struct task_struct **task)
{
	struct task_struct *t;

	while (!(t = smp_load_acquire(task)) || !twin_sleeping(t))
		sched_yield();
}

/* ---- arithmetic, atomics, lists ------------------------------------------------- */

static void test_arithmetic(void **state)
{
	struct flex { int n; long items[]; } *f = NULL;
	const int *const pointer = &(int){ 7 };
	unsigned long sum;

	(void)state;
	assert_int_equal(min(3, 4), 3);
	assert_int_equal(max_t(u64, 3, 4), 4);
	assert_int_equal(clamp(9, 1, 5), 5);
	assert_int_equal(round_up(4097UL, PAGE_SIZE), 8192);
	assert_int_equal(round_down(4097UL, PAGE_SIZE), 4096);
	assert_int_equal(DIV_ROUND_UP(7, 2), 4);
	assert_true(is_power_of_2(64) && !is_power_of_2(0));
	assert_true(check_add_overflow(ULONG_MAX, 1UL, &sum));
	assert_true(check_sub_overflow(0UL, 1UL, &sum));
	assert_int_equal(struct_size(f, items, 3), sizeof(*f) + 24);
	assert_true(struct_size(f, items, SIZE_MAX) == SIZE_MAX);
	assert_true(IS_ERR(ERR_PTR(-ENOMEM)) && !IS_ERR(NULL));
	assert_int_equal(*READ_ONCE(pointer), 7);
	assert_true(hash_ptr(pointer, 4) < 16);
}

static void test_atomics(void **state)
{
	atomic_t a = ATOMIC_INIT(5);
	atomic_long_t l = ATOMIC_LONG_INIT(0);
	atomic64_t w = ATOMIC64_INIT(0x0f);
	unsigned long bits[2] = { 0 };
	int old = 5;
	void *p = &a;

	(void)state;
	assert_int_equal(atomic_inc_return(&a), 6);
	assert_int_equal(atomic_fetch_add(4, &a), 6);
	assert_false(atomic_try_cmpxchg(&a, &old, 1));
	assert_int_equal(old, 10);
	assert_true(atomic_try_cmpxchg(&a, &old, 1));
	assert_true(atomic_dec_and_test(&a));
	assert_false(atomic_inc_not_zero(&a));
	assert_int_equal(atomic_dec_if_positive(&a), -1);
	assert_int_equal(atomic_read(&a), 0);
	assert_int_equal(atomic_long_cmpxchg(&l, 0, 9), 0);
	assert_int_equal(atomic_long_read(&l), 9);
	assert_int_equal(atomic64_fetch_andnot(0x3, &w), 0x0f);
	assert_int_equal(atomic64_fetch_or(0x1, &w), 0x0c);
	assert_int_equal(atomic64_read(&w), 0x0d);
	assert_false(test_and_set_bit(70, bits));
	assert_true(test_bit(70, bits) && bits[1] == 64);
	assert_true(test_and_clear_bit(70, bits));
	assert_ptr_equal(cmpxchg(&p, (void *)&a, NULL), &a);
	assert_null(xchg(&p, (void *)bits));
	assert_ptr_equal(p, bits);
}

static void test_refcount(void **state)
{
	refcount_t r;

	(void)state;
	refcount_set(&r, 1);
	refcount_inc(&r);
	assert_true(refcount_inc_not_zero(&r));
	assert_int_equal(refcount_read(&r), 3);
	assert_false(refcount_dec_and_test(&r));
	assert_false(refcount_dec_and_test(&r));
	assert_true(refcount_dec_and_test(&r));
	assert_false(refcount_inc_not_zero(&r));

	twin_warn_abort = false;
	refcount_inc(&r);
	assert_int_equal(twin_warnings, 1);
	assert_int_equal(refcount_read(&r), (unsigned int)REFCOUNT_SATURATED);
	assert_false(refcount_dec_and_test(&r));
	assert_int_equal(twin_warnings, 2);
	twin_warnings = 0;
}

struct item {
	int n;
	struct list_head link;
};

static int list_sum(struct list_head *head)
{
	struct item *item;
	int sum = 0;

	list_for_each_entry(item, head, link)
		sum = 10 * sum + item->n;
	return sum;
}

static void test_list(void **state)
{
	struct item a = { .n = 1 }, b = { .n = 2 }, c = { .n = 3 };
	struct item *item, *next;
	LIST_HEAD(head);
	LIST_HEAD(other);

	(void)state;
	assert_null(list_first_entry_or_null(&head, struct item, link));
	list_add(&b.link, &head);
	assert_true(list_is_singular(&head));
	list_add(&a.link, &head);
	list_add_tail(&c.link, &head);
	assert_int_equal(list_sum(&head), 123);
	assert_true(list_is_last(&c.link, &head));
	assert_ptr_equal(list_next_entry(&a, link), &b);
	list_move(&c.link, &head);
	assert_int_equal(list_sum(&head), 312);
	list_splice_init(&head, &other);
	assert_true(list_empty(&head));
	assert_int_equal(list_sum(&other), 312);
	list_for_each_entry_safe(item, next, &other, link)
		list_del_init(&item->link);
	assert_true(list_empty(&other) && list_empty(&b.link));
}

static void list_del_twice(void)
{
	struct item a;
	LIST_HEAD(head);

	list_add(&a.link, &head);
	list_del(&a.link);
	list_del(&a.link);
}

static void test_list_checks(void **state)
{
	(void)state;
	assert_true(dies(list_del_twice));
}

/* ---- locks ---------------------------------------------------------------------- */

static DEFINE_MUTEX(lock);
static DECLARE_RWSEM(sem);
static DEFINE_SPINLOCK(spin);

static void mutex_lock_twice(void)
{
	mutex_lock(&lock);
	mutex_lock(&lock);
}

static void mutex_unlock_free(void)
{
	mutex_unlock(&lock);
}

static void assert_free_is_held(void)
{
	lockdep_assert_held(&lock);
}

static void assert_held_is_free(void)
{
	mutex_lock(&lock);
	lockdep_assert_not_held(&lock);
}

static void assert_reader_writes(void)
{
	down_read(&sem);
	lockdep_assert_held_write(&sem);
}

static void up_read_after_down_write(void)
{
	down_write(&sem);
	up_read(&sem);
}

static void sleep_in_spinlock(void)
{
	spin_lock(&spin);
	might_sleep();
}

static void sleep_in_rcu(void)
{
	rcu_read_lock();
	mutex_lock(&lock);
}

static void allocate_in_spinlock(void)
{
	spin_lock(&spin);
	kfree(kmalloc(8, GFP_KERNEL));
}

static void test_lock_checks(void **state)
{
	(void)state;
	assert_true(dies(mutex_lock_twice));
	assert_true(dies(mutex_unlock_free));
	assert_true(dies(assert_free_is_held));
	assert_true(dies(assert_held_is_free));
	assert_true(dies(assert_reader_writes));
	assert_true(dies(up_read_after_down_write));
	assert_true(dies(sleep_in_spinlock));
	assert_true(dies(sleep_in_rcu));
	assert_true(dies(allocate_in_spinlock));
}

static unsigned int hook_calls;

static void count_hook(const void *l, enum twin_lock_mode mode)
{
	(void)mode;
	hook_calls += l == &lock;
	/* Taking locks here does not come back here. */
	spin_lock(&spin);
	spin_unlock(&spin);
}

static void test_locks(void **state)
{
	unsigned long before = twin_mutex_taken(&lock);

	(void)state;
	hook_calls = 0;
	twin_lock_hook = count_hook;
	mutex_lock(&lock);
	assert_true(mutex_is_locked(&lock) && lockdep_is_held(&lock));
	assert_int_equal(mutex_trylock(&lock), 0);
	mutex_unlock(&lock);
	assert_int_equal(hook_calls, 1);
	assert_int_equal(mutex_trylock(&lock), 1);
	mutex_unlock(&lock);
	assert_int_equal(twin_mutex_taken(&lock), before + 2);
	assert_int_equal(twin_lock_counts()->mutex, 2);
	assert_int_equal(twin_lock_counts()->spin, 1);
	assert_false(mutex_is_locked(&lock));
}

static void test_downgrade(void **state)
{
	(void)state;
	down_write(&sem);
	lockdep_assert_held_write(&sem);
	downgrade_write(&sem);
	lockdep_assert_held_read(&sem);
	up_read(&sem);
	assert_int_equal(down_write_trylock(&sem), 1);
	up_write(&sem);
	assert_int_equal(down_read_trylock(&sem), 1);
	up_read(&sem);
	assert_false(rwsem_is_locked(&sem));
	assert_int_equal(twin_rwsem_read_taken(&sem), 1);
	assert_int_equal(twin_rwsem_write_taken(&sem), 2);
}

static struct task_struct *sleeper;

static void *lock_killable(void *arg)
{
	int (*take)(void) = (int (*)(void))(uintptr_t)arg;

	smp_store_release(&sleeper, current);
	return (void *)(long)take();
}

static int take_mutex(void)
{
	return mutex_lock_killable(&lock);
}

static int take_read(void)
{
	return down_read_killable(&sem);
}

static int take_write(void)
{
	return down_write_killable(&sem);
}

/* With both locks held by the caller, @take has to wait, and is killed. */
static void kill_waiter(int (*take)(void))
{
	pthread_t thread;
	void *err;

	sleeper = NULL;
	pthread_create(&thread, NULL, lock_killable, (void *)(uintptr_t)take);
	while (!smp_load_acquire(&sleeper))
		sched_yield();
	twin_kill(sleeper);
	pthread_join(thread, &err);
	assert_int_equal((long)err, -EINTR);
}

static void test_killable_locks(void **state)
{
	(void)state;
	mutex_lock(&lock);
	down_write(&sem);
	kill_waiter(take_mutex);
	kill_waiter(take_read);
	kill_waiter(take_write);
	up_write(&sem);
	mutex_unlock(&lock);

	/* A free lock is taken in spite of the signal. */
	twin_kill(current);
	assert_int_equal(mutex_lock_killable(&lock), 0);
	mutex_unlock(&lock);
}

static void sleep_in_seqcount(void)
{
	seqcount_t seq;

	seqcount_init(&seq);
	preempt_disable();
	write_seqcount_begin(&seq);
	might_sleep();
}

static void seqcount_preemptible(void)
{
	seqcount_t seq;

	seqcount_init(&seq);
	write_seqcount_begin(&seq);
}

static void test_seqcount(void **state)
{
	seqcount_t seq;
	unsigned int start;

	(void)state;
	seqcount_init(&seq);
	start = read_seqcount_begin(&seq);
	assert_false(read_seqcount_retry(&seq, start));
	preempt_disable();
	write_seqcount_begin(&seq);
	assert_true(read_seqcount_retry(&seq, start));
	write_seqcount_end(&seq);
	preempt_enable();
	assert_true(read_seqcount_retry(&seq, start));
	assert_true(dies(sleep_in_seqcount));
	assert_true(dies(seqcount_preemptible));
}

/* ---- RCU ------------------------------------------------------------------------- */

struct thing {
	long value;
	struct rcu_head rcu;
};

static int callbacks;

static void thing_callback(struct rcu_head *head)
{
	callbacks++;
	kfree(container_of(head, struct thing, rcu));
}

static void test_rcu(void **state)
{
	struct thing *a = kzalloc(sizeof(*a), GFP_KERNEL);
	struct thing *b = kzalloc(sizeof(*b), GFP_KERNEL);
	struct thing *none = NULL;

	(void)state;
	callbacks = 0;
	rcu_read_lock();
	rcu_read_lock();
	call_rcu(&a->rcu, thing_callback);
	rcu_read_unlock();
	assert_true(rcu_read_lock_held());
	assert_int_equal(callbacks, 0);
	assert_int_equal(a->value, 0);
	rcu_read_unlock();
	assert_int_equal(callbacks, 1);

	/* No reader: freed at once, mutexes notwithstanding. */
	mutex_lock(&lock);
	kfree_rcu(b, rcu);
	kfree_rcu(none, rcu);
	assert_int_equal(twin_live_allocs(), 0);
	mutex_unlock(&lock);
	synchronize_rcu();
}

static void *one_reader(void *arg)
{
	struct thing **shared = arg;
	struct thing *thing;
	long value;

	rcu_read_lock();
	thing = rcu_dereference(*shared);
	smp_store_release(&sleeper, current);
	while (smp_load_acquire(&sleeper))
		sched_yield();
	value = thing->value;
	rcu_read_unlock();
	return (void *)value;
}

static void test_rcu_reader(void **state)
{
	struct thing *shared = kzalloc(sizeof(*shared), GFP_KERNEL);
	struct thing *old = shared;
	pthread_t thread;
	void *value;

	(void)state;
	sleeper = NULL;
	old->value = 42;
	pthread_create(&thread, NULL, one_reader, &shared);
	while (!smp_load_acquire(&sleeper))
		sched_yield();
	rcu_assign_pointer(shared, NULL);
	kfree_rcu(old, rcu);
	assert_int_equal(twin_live_allocs(), 1);
	smp_store_release(&sleeper, NULL);
	pthread_join(thread, &value);
	assert_int_equal((long)value, 42);
	rcu_barrier();
	assert_int_equal(twin_live_allocs(), 0);
}

/* ---- slab -------------------------------------------------------------------------- */

static void cache_mismatch(void)
{
	kmem_cache_free(KMEM_CACHE(thing, 0), kmalloc(sizeof(struct thing),
						      GFP_KERNEL));
}

static void cache_leak(void)
{
	struct kmem_cache *cache = KMEM_CACHE(thing, 0);

	if (kmem_cache_alloc(cache, GFP_KERNEL))
		kmem_cache_destroy(cache);
}

static void test_slab(void **state)
{
	struct kmem_cache *cache = KMEM_CACHE(thing, SLAB_HWCACHE_ALIGN);
	struct thing *thing = kmem_cache_zalloc(cache, GFP_KERNEL_ACCOUNT);
	u8 *bytes = kmalloc(3, GFP_NOWAIT);
	long *longs = kvcalloc(4, sizeof(*longs), GFP_KERNEL);

	(void)state;
	assert_true(IS_ALIGNED((unsigned long)thing, 64));
	assert_int_equal(thing->value, 0);
	assert_int_equal(bytes[2], 0xa5);
	assert_int_equal(longs[3], 0);
	assert_int_equal(twin_live_allocs(), 4);
	assert_null(kcalloc(SIZE_MAX / 2, 4, GFP_KERNEL));
	kvfree(longs);
	kfree(bytes);
	kfree(NULL);
	kmem_cache_free(cache, thing);
	kmem_cache_destroy(cache);
	kmem_cache_destroy(NULL);
	assert_true(dies(cache_mismatch));
	assert_true(dies(cache_leak));
}

static void test_failures(void **state)
{
	struct xarray xa;
	void *one, *three;

	(void)state;
	xa_init(&xa);
	twin_fail_nth(2);
	one = kmalloc(1, GFP_KERNEL);
	assert_non_null(one);
	assert_false(twin_fail_allocs_done());
	assert_null(folio_alloc(GFP_HIGHUSER, 0));
	assert_true(twin_fail_allocs_done());
	three = kmalloc(1, GFP_KERNEL);
	assert_non_null(three);
	kfree(one);
	kfree(three);

	twin_fail_nth(1);
	assert_int_equal(xa_err(xa_store(&xa, 1, &xa, GFP_KERNEL)), -ENOMEM);
	assert_true(xa_empty(&xa));
	assert_false(xa_is_err(xa_store(&xa, 1, &xa, GFP_KERNEL)));
	twin_fail_nth(1);
	assert_ptr_equal(xa_store(&xa, 1, &one, GFP_KERNEL), &xa);
	assert_false(xa_is_err(xa_store(&xa, 63, &xa, GFP_KERNEL)));
	assert_ptr_equal(xa_erase(&xa, 63), &xa);
	assert_ptr_equal(xa_erase(&xa, 1), &one);
	assert_null(xa_store(&xa, 0, &one, GFP_KERNEL));
	assert_false(twin_fail_allocs_done());
	xa_destroy(&xa);
}

/* ---- pages --------------------------------------------------------------------------- */

static bool refuse(gfp_t gfp)
{
	return !(gfp & __GFP_ACCOUNT);
}

static void test_pages(void **state)
{
	struct folio *a = folio_alloc(GFP_HIGHUSER, 0);
	struct folio *b = folio_alloc(GFP_HIGHUSER | __GFP_ZERO, 0);
	u8 *data;

	(void)state;
	assert_int_equal(twin_live_pages(), 2);
	assert_ptr_equal(page_folio(folio_page(a, 0)), a);
	data = kmap_local_page(folio_page(a, 0));
	assert_int_equal(data[4095], 0xa5);
	kunmap_local(data);
	data = kmap_local_folio(b, 100);
	assert_int_equal(data[0], 0);
	data[0] = 7;
	kunmap_local(data + 1);
	copy_highpage(folio_page(a, 0), folio_page(b, 0));
	data = kmap_local_folio(a, 0);
	assert_int_equal(data[100], 7);
	folio_zero_segment(a, 100, 101);
	assert_int_equal(data[100], 0);
	kunmap_local(data);

	assert_true(folio_mark_dirty(a) && folio_test_dirty(a));
	folio_lock(a);
	assert_true(folio_test_locked(a) && !folio_trylock(a));
	assert_true(folio_trylock(b));
	folio_unlock(b);
	folio_unlock(a);
	twin_folio_map(a);
	assert_true(folio_mapped(a) && folio_ref_count(a) == 2);
	twin_folio_unmap(a);

	folio_put(b);
	assert_false(folio_try_get(b));
	assert_true(folio_try_get(a));
	folio_put_refs(a, 2);

	twin_page_alloc_hook = refuse;
	assert_null(folio_alloc(GFP_HIGHUSER | __GFP_ACCOUNT, 0));
}

static void put_too_often(void)
{
	struct folio *folio = folio_alloc(GFP_KERNEL, 0);

	folio_put(folio);
	folio_put(folio);
}

static void lock_folio_twice(void)
{
	struct folio *folio = folio_alloc(GFP_KERNEL, 0);

	folio_lock(folio);
	folio_lock(folio);
}

static void free_locked(void)
{
	struct folio *folio = folio_alloc(GFP_KERNEL, 0);

	folio_lock(folio);
	folio_put(folio);
}

static void free_with_mapping(void)
{
	struct folio *folio = folio_alloc(GFP_KERNEL, 0);
	struct address_space space;

	folio->mapping = &space;
	folio_put(folio);
}

static void unmap_in_wrong_order(void)
{
	struct folio *a = folio_alloc(GFP_KERNEL, 0);
	struct folio *b = folio_alloc(GFP_KERNEL, 0);
	void *x = kmap_local_folio(a, 0);

	kmap_local_folio(b, 0);
	kunmap_local(x);
}

static void test_page_checks(void **state)
{
	(void)state;
	assert_true(dies(put_too_often));
	assert_true(dies(lock_folio_twice));
	assert_true(dies(free_locked));
	assert_true(dies(free_with_mapping));
	assert_true(dies(unmap_in_wrong_order));
}

/* ---- xarray ---------------------------------------------------------------------------- */

static void test_xarray(void **state)
{
	static const unsigned long indices[] = {
		0, 1, 63, 64, 65, 4095, 4096, 1UL << 36, ULONG_MAX - 1, ULONG_MAX
	};
	unsigned long index, i = 0;
	struct xarray xa;
	void *entry;

	(void)state;
	xa_init(&xa);
	for (i = 0; i < ARRAY_SIZE(indices); i++)
		assert_null(xa_store(&xa, indices[i], xa_mk_value(i), GFP_KERNEL));
	i = 0;
	xa_for_each(&xa, index, entry) {
		assert_true(index == indices[i]);
		assert_true(xa_is_value(entry) && xa_to_value(entry) == i);
		i++;
	}
	assert_int_equal(i, ARRAY_SIZE(indices));
	assert_null(xa_load(&xa, 62));
	assert_ptr_equal(xa_load(&xa, 1UL << 36), xa_mk_value(7));
	index = 66;
	assert_non_null(xa_find(&xa, &index, 4095, XA_PRESENT));
	assert_int_equal(index, 4095);
	assert_null(xa_find_after(&xa, &index, 4095, XA_PRESENT));
	assert_int_equal(index, 4095);
	index = ULONG_MAX;
	assert_null(xa_find_after(&xa, &index, ULONG_MAX, XA_PRESENT));
	i = 0;
	xa_for_each_range(&xa, index, entry, 1, 64)
		i++;
	assert_int_equal(i, 3);
	for (i = ARRAY_SIZE(indices); i-- > 0;)
		assert_ptr_equal(xa_erase(&xa, indices[i]), xa_mk_value(i));
	assert_true(xa_empty(&xa));
	assert_int_equal(twin_live_allocs(), 0);
}

/* Nodes live no longer than they are needed. */
static void test_xarray_shrinks(void **state)
{
	DEFINE_XARRAY(xa);
	int a;

	(void)state;
	assert_null(xa_store(&xa, 0, &a, GFP_KERNEL));
	assert_int_equal(twin_live_allocs(), 0);
	assert_null(xa_store(&xa, 4096, &a, GFP_KERNEL));
	assert_int_equal(twin_live_allocs(), 5);
	assert_ptr_equal(xa_erase(&xa, 4096), &a);
	assert_int_equal(twin_live_allocs(), 0);
	assert_ptr_equal(xa_load(&xa, 0), &a);
	xa_destroy(&xa);
}

static void test_xarray_cmpxchg(void **state)
{
	DEFINE_XARRAY(xa);
	int a, b;

	(void)state;
	assert_null(xa_cmpxchg(&xa, 9, NULL, &a, GFP_KERNEL));
	assert_ptr_equal(xa_cmpxchg(&xa, 9, NULL, &b, GFP_KERNEL), &a);
	assert_ptr_equal(xa_cmpxchg(&xa, 9, &a, &b, GFP_KERNEL), &a);
	assert_ptr_equal(xa_load(&xa, 9), &b);
	assert_int_equal(xa_insert(&xa, 9, &a, GFP_KERNEL), -EBUSY);
	assert_ptr_equal(xa_cmpxchg(&xa, 9, &b, NULL, 0), &b);
	assert_true(xa_empty(&xa));

	/* A reservation reads as nothing, but a store there cannot fail. */
	assert_int_equal(xa_reserve(&xa, 1000, GFP_KERNEL), 0);
	assert_null(xa_load(&xa, 1000));
	assert_false(xa_empty(&xa));
	assert_int_equal(xa_insert(&xa, 1000, &a, GFP_KERNEL), -EBUSY);
	twin_fail_nth(1);
	assert_null(xa_store(&xa, 1000, &a, GFP_NOWAIT));
	xa_release(&xa, 1000);
	assert_ptr_equal(xa_load(&xa, 1000), &a);
	assert_ptr_equal(xa_erase(&xa, 1000), &a);
	assert_int_equal(xa_reserve(&xa, 1000, GFP_ATOMIC), -ENOMEM);
	assert_int_equal(xa_reserve(&xa, 1000, GFP_ATOMIC), 0);
	xa_release(&xa, 1000);
	assert_true(xa_empty(&xa));
}

static void test_xarray_alloc(void **state)
{
	DEFINE_XARRAY_ALLOC1(xa);
	u32 id, i;
	int a;

	(void)state;
	for (i = 1; i <= 100; i++) {
		assert_int_equal(xa_alloc(&xa, &id, &a, xa_limit_32b,
					  GFP_KERNEL), 0);
		assert_int_equal(id, i);
	}
	assert_ptr_equal(xa_erase(&xa, 50), &a);
	assert_int_equal(xa_alloc(&xa, &id, NULL, xa_limit_32b, GFP_KERNEL), 0);
	assert_int_equal(id, 50);
	assert_null(xa_load(&xa, 50));
	assert_int_equal(xa_alloc(&xa, &id, &a, XA_LIMIT(1, 100), GFP_KERNEL),
			 -EBUSY);
	/* Storing NULL keeps the index; erasing gives it back. */
	assert_ptr_equal(xa_store(&xa, 7, NULL, GFP_KERNEL), &a);
	assert_int_equal(xa_alloc(&xa, &id, &a, XA_LIMIT(1, 100), GFP_KERNEL),
			 -EBUSY);
	assert_null(xa_erase(&xa, 7));
	assert_int_equal(xa_alloc(&xa, &id, &a, XA_LIMIT(1, 100), GFP_KERNEL), 0);
	assert_int_equal(id, 7);
	xa_destroy(&xa);
	assert_true(xa_empty(&xa));
}

static void test_xarray_alloc_cyclic(void **state)
{
	const struct xa_limit limit = XA_LIMIT(1, 4);
	DEFINE_XARRAY_ALLOC1(xa);
	u32 id, next = 0, i;
	int a;

	(void)state;
	for (i = 1; i <= 3; i++) {
		assert_int_equal(xa_alloc_cyclic(&xa, &id, &a, limit, &next,
						 GFP_KERNEL), 0);
		assert_int_equal(id, i);
	}
	/* What is given back is not next, but last. */
	assert_ptr_equal(xa_erase(&xa, 2), &a);
	assert_int_equal(xa_alloc_cyclic(&xa, &id, &a, limit, &next,
					 GFP_KERNEL), 0);
	assert_int_equal(id, 4);
	assert_int_equal(xa_alloc_cyclic(&xa, &id, &a, limit, &next,
					 GFP_KERNEL), 1);
	assert_int_equal(id, 2);
	assert_int_equal(next, 3);
	assert_int_equal(xa_alloc_cyclic(&xa, &id, &a, limit, &next,
					 GFP_KERNEL), -EBUSY);
	xa_destroy(&xa);
}

static void test_xas(void **state)
{
	DEFINE_XARRAY(xa);
	XA_STATE(xas, &xa, 0);
	unsigned long i, n = 0;
	void *entry;

	(void)state;
	twin_fail_nth(1);
	for (i = 0; i < 300; i += 3) {
		do {
			xas_lock(&xas);
			xas_set(&xas, i);
			xas_store(&xas, xa_mk_value(i));
			xas_unlock(&xas);
		} while (xas_nomem(&xas, GFP_KERNEL));
		assert_int_equal(xas_error(&xas), 0);
	}
	assert_true(twin_fail_allocs_done());

	rcu_read_lock();
	xas_set(&xas, 3);
	assert_ptr_equal(xas_next(&xas), xa_mk_value(3));
	assert_null(xas_next(&xas));
	assert_int_equal(xas.xa_index, 4);
	xas_set(&xas, 1);
	xas_for_each(&xas, entry, 200) {
		assert_int_equal(xas.xa_index, 3 * ++n);
		assert_ptr_equal(xas_reload(&xas), entry);
		if (n % 10 == 0) {
			xas_pause(&xas);
			rcu_read_unlock();
			rcu_read_lock();
		}
	}
	rcu_read_unlock();
	assert_int_equal(n, 66);

	xas_set(&xas, 0);
	xas_lock(&xas);
	xas_for_each(&xas, entry, ULONG_MAX)
		xas_store(&xas, NULL);
	xas_unlock(&xas);
	assert_true(xa_empty(&xa));
}

/* Random operations against a plain table of the same entries. */
static void test_xarray_random(void **state)
{
	static const unsigned int shifts[] = { 0, 0, 6, 12, 30, 54 };
	enum { N = 8 * ARRAY_SIZE(shifts) };
	unsigned long index[N], found;
	unsigned int seed = 1, i, j, op, step;
	void *table[N] = { NULL };
	DEFINE_XARRAY(xa);
	void *entry;

	(void)state;
	for (i = 0; i < N; i++)
		index[i] = (unsigned long)(i / ARRAY_SIZE(shifts) + i % 2 * 63)
			   << shifts[i % ARRAY_SIZE(shifts)];
	for (step = 0; step < 20000; step++) {
		i = (unsigned int)rand_r(&seed) % N;
		op = (unsigned int)rand_r(&seed) % 4;
		entry = op ? xa_mk_value(step) : NULL;
		/* Phases in which the array grows and empties. */
		if (step / 500 % 2 && op > 1)
			entry = NULL;
		if (op % 2)
			twin_fail_nth(1 + step % 3);
		found = index[i];
		if (xa_is_err(xa_store(&xa, found, entry, GFP_KERNEL)))
			assert_true(twin_fail_allocs_done() && !table[i]);
		else
			for (j = 0; j < N; j++)
				if (index[j] == found)
					table[j] = entry;
		i = (unsigned int)rand_r(&seed) % N;
		assert_ptr_equal(xa_load(&xa, index[i]), table[i]);
		found = index[i];
		if (xa_find(&xa, &found, ULONG_MAX, XA_PRESENT))
			assert_true(found >= index[i]);
		else
			assert_null(table[i]);
		for (j = 0; j < N; j++)
			assert_false(table[j] && index[j] >= index[i] &&
				     index[j] < found);
	}
	twin_fail_nth(0);
	for (i = 0; i < N; i++)
		xa_erase(&xa, index[i]);
	assert_true(xa_empty(&xa));
}

/* ---- waiting ----------------------------------------------------------------------------- */

static DECLARE_WAIT_QUEUE_HEAD(queue);
static int flag;

static void *wait_for_flag(void *arg)
{
	DEFINE_WAIT(wait);

	(void)arg;
	smp_store_release(&sleeper, current);
	for (;;) {
		prepare_to_wait(&queue, &wait, TASK_UNINTERRUPTIBLE);
		if (READ_ONCE(flag))
			break;
		schedule();
	}
	finish_wait(&queue, &wait);
	return NULL;
}

static void *wait_event_flag(void *arg)
{
	(void)arg;
	smp_store_release(&sleeper, current);
	return (void *)(long)wait_event_killable(queue, READ_ONCE(flag));
}

static void *wait_var_flag(void *arg)
{
	(void)arg;
	smp_store_release(&sleeper, current);
	return (void *)(long)wait_var_event_killable(&flag, READ_ONCE(flag));
}

static long wait_in_thread(void *(*fn)(void *), void (*then)(void))
{
	pthread_t thread;
	void *result;

	sleeper = NULL;
	flag = 0;
	pthread_create(&thread, NULL, fn, NULL);
	wait_until_asleep(&sleeper);
	then();
	pthread_join(thread, &result);
	return (long)result;
}

static void set_and_wake(void)
{
	wake_up_all(&queue);
	WRITE_ONCE(flag, 1);
	wake_up_all(&queue);
}

static void set_and_wake_var(void)
{
	WRITE_ONCE(flag, 1);
	wake_up_var(&flag);
}

static void kill_sleeper(void)
{
	twin_kill(sleeper);
}

static void test_wait(void **state)
{
	(void)state;
	assert_int_equal(wait_in_thread(wait_for_flag, set_and_wake), 0);
	assert_int_equal(wait_in_thread(wait_event_flag, set_and_wake), 0);
	assert_int_equal(wait_in_thread(wait_var_flag, set_and_wake_var), 0);
	assert_int_equal(wait_in_thread(wait_event_flag, kill_sleeper),
			 -ERESTARTSYS);
	assert_int_equal(wait_in_thread(wait_var_flag, kill_sleeper),
			 -ERESTARTSYS);
	assert_false(waitqueue_active(&queue));
}

/* A wake between queueing and sleeping is not lost. */
static void test_wait_woken(void **state)
{
	struct wait_queue_entry wait;

	(void)state;
	init_waitqueue_func_entry(&wait, woken_wake_function);
	wait.private = current;
	add_wait_queue(&queue, &wait);
	wake_up_all(&queue);
	assert_true(wait_woken(&wait, TASK_UNINTERRUPTIBLE, 1000) > 0);
	assert_int_equal(wait_woken(&wait, TASK_UNINTERRUPTIBLE, 2), 0);
	remove_wait_queue(&queue, &wait);
}

static void test_timeouts(void **state)
{
	unsigned long start = jiffies;

	(void)state;
	assert_int_equal(schedule_timeout_uninterruptible(3), 0);
	assert_true(time_after_eq(jiffies, start + 3));
	twin_kill(current);
	assert_true(fatal_signal_pending(current) && signal_pending(current));
	assert_true(schedule_timeout_killable(10 * HZ) > 9 * HZ);
}

static struct folio *contended;

static void *lock_contended(void *arg)
{
	long err;

	(void)arg;
	smp_store_release(&sleeper, current);
	err = folio_lock_killable(contended);
	if (!err)
		folio_unlock(contended);
	return (void *)err;
}

static void unlock_contended(void)
{
	folio_unlock(contended);
}

static void test_folio_wait(void **state)
{
	(void)state;
	contended = folio_alloc(GFP_KERNEL, 0);
	folio_lock(contended);
	assert_int_equal(wait_in_thread(lock_contended, kill_sleeper), -EINTR);
	assert_int_equal(wait_in_thread(lock_contended, unlock_contended), 0);
	assert_int_equal(READ_ONCE(current->folios_locked), 0);
	folio_put(contended);
}

/* ---- the rest ------------------------------------------------------------------------------- */

struct counters {
	u64 faults;
};
static DEFINE_PER_CPU(struct counters, counters);

static void test_percpu_and_trace(void **state)
{
	unsigned int cpu;
	u64 sum = 0;

	(void)state;
	this_cpu_inc(counters.faults);
	this_cpu_add(counters.faults, 2);
	for_each_possible_cpu(cpu)
		sum += per_cpu(counters, cpu).faults +
		       per_cpu_ptr(&counters, cpu)->faults;
	assert_int_equal(sum, 6);
	trace_bsdvm_fault(&sum, 3);
	trace_bsdvm_wire();
	assert_int_equal(twin_trace_counts[TWIN_TRACE_fault], 1);
}

static void warn(void)
{
	WARN_ON_ONCE(true);
}

static void test_warnings(void **state)
{
	(void)state;
	assert_true(dies(warn));
	assert_false(WARN_ON(false));
	twin_warn_abort = false;
	assert_true(WARN_ONCE(true, "expected: %d", 1));
	assert_int_equal(twin_warnings, 1);
	twin_warnings = 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, reset, nothing_left)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_arithmetic),
		TEST(test_atomics),
		TEST(test_refcount),
		TEST(test_list),
		TEST(test_list_checks),
		TEST(test_lock_checks),
		TEST(test_locks),
		TEST(test_downgrade),
		TEST(test_killable_locks),
		TEST(test_seqcount),
		TEST(test_rcu),
		TEST(test_rcu_reader),
		TEST(test_slab),
		TEST(test_failures),
		TEST(test_pages),
		TEST(test_page_checks),
		TEST(test_xarray),
		TEST(test_xarray_shrinks),
		TEST(test_xarray_cmpxchg),
		TEST(test_xarray_alloc),
		TEST(test_xarray_alloc_cyclic),
		TEST(test_xas),
		TEST(test_xarray_random),
		TEST(test_wait),
		TEST(test_wait_woken),
		TEST(test_timeouts),
		TEST(test_folio_wait),
		TEST(test_percpu_and_trace),
		TEST(test_warnings),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("twin", tests, NULL, NULL);
}
