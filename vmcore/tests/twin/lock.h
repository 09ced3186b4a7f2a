/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Locks and lockdep assertions. Same semantics on top of pthread locks, with
 * test hooks: each thread notes what it holds, so assertions are checked, and
 * taking a lock twice, dropping one not held, and sleeping in a spinlock or in
 * a sequence count's write section die.
 */
#ifndef TWIN_LOCK_H
#define TWIN_LOCK_H

struct lock_class_key { char unused; };

/* ---- what this thread holds ------------------------------------------------ */

enum twin_lock_mode twin_lock_held(const void *lock);
void twin_lock_assert(const void *lock, bool held, enum twin_lock_mode mode,
		      const char *name, const char *file, int line);

#define TWIN_ASSERT_LOCK(l, held, mode) \
	twin_lock_assert((l), held, mode, #l, __FILE__, __LINE__)
#define lockdep_assert_held(l)	     TWIN_ASSERT_LOCK(l, true, TWIN_UNHELD)
#define lockdep_assert_held_read(l)  TWIN_ASSERT_LOCK(l, true, TWIN_READ)
#define lockdep_assert_held_write(l) TWIN_ASSERT_LOCK(l, true, TWIN_WRITE)
#define lockdep_assert_held_once(l)  lockdep_assert_held(l)
#define lockdep_assert_not_held(l)   TWIN_ASSERT_LOCK(l, false, TWIN_UNHELD)
#define lockdep_assert(cond)	     BUG_ON(!(cond))
#define lockdep_is_held(l)	     (twin_lock_held(l) != TWIN_UNHELD)
#define lockdep_is_held_type(l, r)   (twin_lock_held(l) != TWIN_UNHELD)
#define lockdep_set_class(l, key)    ((void)(l), (void)(key))
#define might_lock(l)		     ((void)(l), might_sleep())
#define SINGLE_DEPTH_NESTING	     1

/* ---- mutex ------------------------------------------------------------------ */

/* @taken counts acquisitions; atomic. */
struct mutex {
	pthread_mutex_t lock;
	struct task_struct *owner;
	unsigned long taken;
};

#define __MUTEX_INITIALIZER(name) { .lock = PTHREAD_MUTEX_INITIALIZER }
#define DEFINE_MUTEX(name)	struct mutex name = __MUTEX_INITIALIZER(name)

void mutex_init(struct mutex *lock);
void mutex_destroy(struct mutex *lock);
void mutex_lock(struct mutex *lock);
int __must_check mutex_lock_killable(struct mutex *lock);
int mutex_trylock(struct mutex *lock);
void mutex_unlock(struct mutex *lock);
bool mutex_is_locked(struct mutex *lock);
bool refcount_dec_and_mutex_lock(refcount_t *r, struct mutex *lock);
#define mutex_lock_nested(l, sub)	mutex_lock(l)
#define mutex_lock_killable_nested(l, sub) mutex_lock_killable(l)
#define mutex_lock_interruptible(l)	mutex_lock_killable(l)

/* ---- rw_semaphore ------------------------------------------------------------ */

/*
 * Whoever wants @lock first passes @gate, and a writer keeps @gate until it is
 * done: a waiting writer holds up new readers, and nobody comes between the
 * two halves of a downgrade. A trylock may fail while another thread passes.
 */
struct rw_semaphore {
	pthread_mutex_t gate;
	pthread_rwlock_t lock;
	int holders;			/* atomic: readers, or -1 */
	unsigned long read_taken;	/* atomic */
	unsigned long write_taken;	/* atomic */
};

#define __RWSEM_INITIALIZER(name) \
	{ .gate = PTHREAD_MUTEX_INITIALIZER, .lock = PTHREAD_RWLOCK_INITIALIZER }
#define DECLARE_RWSEM(name) struct rw_semaphore name = __RWSEM_INITIALIZER(name)

void init_rwsem(struct rw_semaphore *sem);
void down_read(struct rw_semaphore *sem);
int __must_check down_read_killable(struct rw_semaphore *sem);
int down_read_trylock(struct rw_semaphore *sem);
void up_read(struct rw_semaphore *sem);
void down_write(struct rw_semaphore *sem);
int __must_check down_write_killable(struct rw_semaphore *sem);
int down_write_trylock(struct rw_semaphore *sem);
void up_write(struct rw_semaphore *sem);
void downgrade_write(struct rw_semaphore *sem);
bool rwsem_is_locked(struct rw_semaphore *sem);
#define down_read_nested(s, sub)	down_read(s)
#define down_write_nested(s, sub)	down_write(s)

/* ---- spinlock ----------------------------------------------------------------- */

typedef struct spinlock {
	pthread_mutex_t lock;
} spinlock_t;

#define __SPIN_LOCK_UNLOCKED(name) { .lock = PTHREAD_MUTEX_INITIALIZER }
#define DEFINE_SPINLOCK(name)	spinlock_t name = __SPIN_LOCK_UNLOCKED(name)

void spin_lock_init(spinlock_t *lock);
void spin_lock(spinlock_t *lock);
int spin_trylock(spinlock_t *lock);
void spin_unlock(spinlock_t *lock);
#define spin_lock_nested(l, sub)	spin_lock(l)
#define spin_lock_irq(l)		spin_lock(l)
#define spin_unlock_irq(l)		spin_unlock(l)
#define spin_lock_bh(l)			spin_lock(l)
#define spin_unlock_bh(l)		spin_unlock(l)
#define spin_lock_irqsave(l, f)		do { (f) = 0; spin_lock(l); } while (0)
#define spin_unlock_irqrestore(l, f)	do { (void)(f); spin_unlock(l); } while (0)
#define preempt_disable()		((void)current->atomic_depth++)
#define preempt_enable()		((void)current->atomic_depth--)

/* ---- sequence count ------------------------------------------------------------ */

typedef struct seqcount {
	unsigned int sequence;
} seqcount_t;

static inline void seqcount_init(seqcount_t *s)
{
	s->sequence = 0;
}

static inline unsigned int raw_read_seqcount(const seqcount_t *s)
{
	return smp_load_acquire(&s->sequence);
}

static inline unsigned int read_seqcount_begin(const seqcount_t *s)
{
	unsigned int seq;

	while ((seq = raw_read_seqcount(s)) & 1)
		cpu_relax();
	return seq;
}

static inline unsigned int raw_seqcount_begin(const seqcount_t *s)
{
	return raw_read_seqcount(s) & ~1u;
}

static inline int read_seqcount_retry(const seqcount_t *s,
				      unsigned int start)
{
	smp_rmb();
	return READ_ONCE(s->sequence) != start;
}

/* As the kernel with lockdep: preemption is the caller's to disable. */
static inline void write_seqcount_begin(seqcount_t *s)
{
	BUG_ON(!current->atomic_depth);
	BUG_ON(__atomic_fetch_add(&s->sequence, 1, __ATOMIC_ACQ_REL) & 1);
	smp_wmb();
}

static inline void write_seqcount_end(seqcount_t *s)
{
	BUG_ON(!(__atomic_fetch_add(&s->sequence, 1, __ATOMIC_RELEASE) & 1));
}

#endif /* TWIN_LOCK_H */
