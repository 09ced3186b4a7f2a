// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Locks, and the record of what each thread holds. */
#include "twin.h"

void (*twin_lock_hook)(const void *lock, enum twin_lock_mode mode);

/* ---- the record ----------------------------------------------------------- */

static struct twin_held *held_find(const void *lock)
{
	struct task_struct *task = current;
	unsigned int i;

	for (i = task->nheld; i-- > 0;)
		if (task->held[i].lock == lock)
			return &task->held[i];
	return NULL;
}

static void held_add(const void *lock, enum twin_lock_mode mode)
{
	struct task_struct *task = current;

	if (task->nheld == TWIN_HELD_MAX)
		TWIN_DIE("too many locks held");
	task->held[task->nheld++] = (struct twin_held){ lock, mode };
}

static void held_remove(const void *lock, enum twin_lock_mode mode)
{
	struct task_struct *task = current;
	struct twin_held *held = held_find(lock);

	if (!held || held->mode != mode)
		TWIN_DIE("unlock of %p, which is not held so", lock);
	*held = task->held[--task->nheld];
}

static void about_to_lock(const void *lock, enum twin_lock_mode mode)
{
	static __thread bool inside;

	if (held_find(lock))
		TWIN_DIE("lock %p is held by this thread already", lock);
	if (twin_lock_hook && !inside) {
		inside = true;
		twin_lock_hook(lock, mode);
		inside = false;
	}
}

enum twin_lock_mode twin_lock_held(const void *lock)
{
	struct twin_held *held = held_find(lock);

	return held ? held->mode : TWIN_UNHELD;
}

void twin_lock_assert(const void *lock, bool held, enum twin_lock_mode mode,
		      const char *name, const char *file, int line)
{
	enum twin_lock_mode now = twin_lock_held(lock);

	if (held != (now != TWIN_UNHELD))
		twin_die(file, line, "%s is %sheld", name, held ? "not " : "");
	if (mode != TWIN_UNHELD && mode != now)
		twin_die(file, line, "%s is held in the other mode", name);
}

struct twin_lock_counts *twin_lock_counts(void)
{
	return &current->counts;
}

static void count_taken(unsigned long *taken)
{
	__atomic_fetch_add(taken, 1, __ATOMIC_RELAXED);
}

/* ---- killable waits --------------------------------------------------------- */

/* For the pthread_*timed*lock() family: a millisecond from now. */
static const struct timespec *soon(struct timespec *ts)
{
	clock_gettime(CLOCK_REALTIME, ts);
	ts->tv_nsec += 1000000;
	if (ts->tv_nsec >= 1000000000) {
		ts->tv_nsec -= 1000000000;
		ts->tv_sec++;
	}
	return ts;
}

/*
 * As in the kernel, a pending kill only ends a wait: a free lock is taken.
 * @attempt(lock, deadline) returns 0 or ETIMEDOUT.
 */
#define KILLABLE(attempt, lock) ({					\
	struct timespec ts_;						\
	int err_;							\
									\
	while ((err_ = attempt(lock, soon(&ts_))) &&			\
	       !fatal_signal_pending(current))				\
		;							\
	err_ ? -EINTR : 0; })

/* ---- mutex ---------------------------------------------------------------------- */

void mutex_init(struct mutex *lock)
{
	pthread_mutex_init(&lock->lock, NULL);
	lock->owner = NULL;
	lock->taken = 0;
}

void mutex_destroy(struct mutex *lock)
{
	WARN_ON(mutex_is_locked(lock));
	pthread_mutex_destroy(&lock->lock);
}

static void mutex_taken(struct mutex *lock)
{
	held_add(lock, TWIN_WRITE);
	WRITE_ONCE(lock->owner, current);
	count_taken(&lock->taken);
	current->counts.mutex++;
}

void mutex_lock(struct mutex *lock)
{
	might_sleep();
	about_to_lock(lock, TWIN_WRITE);
	pthread_mutex_lock(&lock->lock);
	mutex_taken(lock);
}

int mutex_lock_killable(struct mutex *lock)
{
	might_sleep();
	about_to_lock(lock, TWIN_WRITE);
	if (KILLABLE(pthread_mutex_timedlock, &lock->lock))
		return -EINTR;
	mutex_taken(lock);
	return 0;
}

int mutex_trylock(struct mutex *lock)
{
	if (held_find(lock) || pthread_mutex_trylock(&lock->lock))
		return 0;
	mutex_taken(lock);
	return 1;
}

void mutex_unlock(struct mutex *lock)
{
	held_remove(lock, TWIN_WRITE);
	WRITE_ONCE(lock->owner, NULL);
	pthread_mutex_unlock(&lock->lock);
	twin_rcu_poll();
}

bool mutex_is_locked(struct mutex *lock)
{
	return READ_ONCE(lock->owner) != NULL;
}

bool refcount_dec_and_mutex_lock(refcount_t *r, struct mutex *lock)
{
	if (refcount_dec_not_one(r))
		return false;
	mutex_lock(lock);
	if (refcount_dec_and_test(r))
		return true;
	mutex_unlock(lock);
	return false;
}

unsigned long twin_mutex_taken(const struct mutex *lock)
{
	return READ_ONCE(lock->taken);
}

/* ---- rw_semaphore ---------------------------------------------------------------- */

void init_rwsem(struct rw_semaphore *sem)
{
	pthread_mutex_init(&sem->gate, NULL);
	pthread_rwlock_init(&sem->lock, NULL);
	sem->holders = 0;
	sem->read_taken = 0;
	sem->write_taken = 0;
}

/* Holding @lock as reader, and the gate: let others come. */
static void read_taken(struct rw_semaphore *sem)
{
	__atomic_fetch_add(&sem->holders, 1, __ATOMIC_RELAXED);
	pthread_mutex_unlock(&sem->gate);
	held_add(sem, TWIN_READ);
	count_taken(&sem->read_taken);
	current->counts.rwsem_read++;
}

static void write_taken(struct rw_semaphore *sem)
{
	WRITE_ONCE(sem->holders, -1);
	held_add(sem, TWIN_WRITE);
	count_taken(&sem->write_taken);
	current->counts.rwsem_write++;
}

void down_read(struct rw_semaphore *sem)
{
	might_sleep();
	about_to_lock(sem, TWIN_READ);
	pthread_mutex_lock(&sem->gate);
	pthread_rwlock_rdlock(&sem->lock);
	read_taken(sem);
}

int down_read_killable(struct rw_semaphore *sem)
{
	might_sleep();
	about_to_lock(sem, TWIN_READ);
	if (KILLABLE(pthread_mutex_timedlock, &sem->gate))
		return -EINTR;
	if (KILLABLE(pthread_rwlock_timedrdlock, &sem->lock)) {
		pthread_mutex_unlock(&sem->gate);
		return -EINTR;
	}
	read_taken(sem);
	return 0;
}

int down_read_trylock(struct rw_semaphore *sem)
{
	if (held_find(sem) || pthread_mutex_trylock(&sem->gate))
		return 0;
	if (pthread_rwlock_tryrdlock(&sem->lock)) {
		pthread_mutex_unlock(&sem->gate);
		return 0;
	}
	read_taken(sem);
	return 1;
}

void up_read(struct rw_semaphore *sem)
{
	held_remove(sem, TWIN_READ);
	__atomic_fetch_sub(&sem->holders, 1, __ATOMIC_RELAXED);
	pthread_rwlock_unlock(&sem->lock);
	twin_rcu_poll();
}

void down_write(struct rw_semaphore *sem)
{
	might_sleep();
	about_to_lock(sem, TWIN_WRITE);
	pthread_mutex_lock(&sem->gate);
	pthread_rwlock_wrlock(&sem->lock);
	write_taken(sem);
}

int down_write_killable(struct rw_semaphore *sem)
{
	might_sleep();
	about_to_lock(sem, TWIN_WRITE);
	if (KILLABLE(pthread_mutex_timedlock, &sem->gate))
		return -EINTR;
	if (KILLABLE(pthread_rwlock_timedwrlock, &sem->lock)) {
		pthread_mutex_unlock(&sem->gate);
		return -EINTR;
	}
	write_taken(sem);
	return 0;
}

int down_write_trylock(struct rw_semaphore *sem)
{
	if (held_find(sem) || pthread_mutex_trylock(&sem->gate))
		return 0;
	if (pthread_rwlock_trywrlock(&sem->lock)) {
		pthread_mutex_unlock(&sem->gate);
		return 0;
	}
	write_taken(sem);
	return 1;
}

void up_write(struct rw_semaphore *sem)
{
	held_remove(sem, TWIN_WRITE);
	WRITE_ONCE(sem->holders, 0);
	pthread_rwlock_unlock(&sem->lock);
	pthread_mutex_unlock(&sem->gate);
	twin_rcu_poll();
}

void downgrade_write(struct rw_semaphore *sem)
{
	held_remove(sem, TWIN_WRITE);
	held_add(sem, TWIN_READ);
	WRITE_ONCE(sem->holders, 1);
	pthread_rwlock_unlock(&sem->lock);
	pthread_rwlock_rdlock(&sem->lock);
	pthread_mutex_unlock(&sem->gate);
}

bool rwsem_is_locked(struct rw_semaphore *sem)
{
	return READ_ONCE(sem->holders) != 0;
}

unsigned long twin_rwsem_read_taken(const struct rw_semaphore *sem)
{
	return READ_ONCE(sem->read_taken);
}

unsigned long twin_rwsem_write_taken(const struct rw_semaphore *sem)
{
	return READ_ONCE(sem->write_taken);
}

/* ---- spinlock ------------------------------------------------------------------------ */

static void spin_taken(spinlock_t *lock)
{
	held_add(lock, TWIN_WRITE);
	current->atomic_depth++;
	current->counts.spin++;
}

void spin_lock_init(spinlock_t *lock)
{
	pthread_mutex_init(&lock->lock, NULL);
}

void spin_lock(spinlock_t *lock)
{
	about_to_lock(lock, TWIN_WRITE);
	pthread_mutex_lock(&lock->lock);
	spin_taken(lock);
}

int spin_trylock(spinlock_t *lock)
{
	if (held_find(lock) || pthread_mutex_trylock(&lock->lock))
		return 0;
	spin_taken(lock);
	return 1;
}

void spin_unlock(spinlock_t *lock)
{
	held_remove(lock, TWIN_WRITE);
	current->atomic_depth--;
	pthread_mutex_unlock(&lock->lock);
	twin_rcu_poll();
}
