/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Tasks, scheduling, time. Simplified, with test hooks: a thread is a task,
 * and its task_struct carries all that the twin notes about it: locks held,
 * read sections, pending kill, the allocation chosen to fail.
 */
#ifndef TWIN_TASK_H
#define TWIN_TASK_H

#define TASK_RUNNING		0x000u
#define TASK_INTERRUPTIBLE	0x001u
#define TASK_UNINTERRUPTIBLE	0x002u
#define TASK_WAKEKILL		0x100u
#define TASK_KILLABLE		(TASK_WAKEKILL | TASK_UNINTERRUPTIBLE)

#define TWIN_HELD_MAX		64
#define TWIN_KMAP_MAX		16

enum twin_lock_mode { TWIN_UNHELD, TWIN_READ, TWIN_WRITE };

/* How often this thread took locks of each kind. */
struct twin_lock_counts {
	unsigned long mutex;
	unsigned long rwsem_read;
	unsigned long rwsem_write;
	unsigned long spin;
	unsigned long folio;
	unsigned long rcu;
};

struct twin_held {
	const void *lock;
	enum twin_lock_mode mode;
};

/* Never freed: a stale pointer to a dead task does no harm. */
struct task_struct {
	int pid;
	unsigned int flags;
	char comm[16];

	/* private to the twin */
	struct task_struct *twin_next;		/* all tasks, push only */
	bool live;
	pthread_mutex_t sleep_lock;		/* protects state */
	pthread_cond_t sleep_cond;
	unsigned int state;
	bool killed;				/* atomic */
	bool signalled;				/* atomic */
	u64 rcu_epoch;				/* atomic; 0: not reading */
	unsigned int rcu_depth;
	unsigned int atomic_depth;		/* spinlocks, seqcount writers */
	int folios_locked;			/* atomic */
	unsigned int nheld;
	struct twin_held held[TWIN_HELD_MAX];
	unsigned int nkmaps;
	const void *kmaps[TWIN_KMAP_MAX];
	unsigned long allocs;			/* attempts so far */
	unsigned long fail_at;			/* the one to fail, or 0 */
	unsigned long fail_last;
	bool fail_done;
	struct twin_lock_counts counts;
};

struct task_struct *twin_current(void);
struct task_struct *twin_tasks(void);	/* all, by twin_next */
#define current			twin_current()
#define get_current()		twin_current()
#define task_pid_nr(t)		((t)->pid)

void twin_might_sleep(const char *file, int line);
#define might_sleep()		twin_might_sleep(__FILE__, __LINE__)
#define might_sleep_if(cond)	do { if (cond) might_sleep(); } while (0)
void twin_cond_resched(void);
/* Somebody looks at one more entry of an array, see twin_steps(). */
void twin_went_on(void);
#define cond_resched()		({ might_sleep(); twin_cond_resched(); 0; })
#define need_resched()		false
#define in_atomic()		(current->atomic_depth != 0)

static inline bool fatal_signal_pending(struct task_struct *task)
{
	return __atomic_load_n(&task->killed, __ATOMIC_ACQUIRE);
}

static inline bool signal_pending(struct task_struct *task)
{
	return fatal_signal_pending(task) ||
	       __atomic_load_n(&task->signalled, __ATOMIC_ACQUIRE);
}

static inline bool signal_pending_state(unsigned int state,
					struct task_struct *task)
{
	if (state & TASK_INTERRUPTIBLE)
		return signal_pending(task);
	return (state & TASK_WAKEKILL) && fatal_signal_pending(task);
}

void twin_set_state(unsigned int state);
#define set_current_state(s)	twin_set_state(s)
#define __set_current_state(s)	twin_set_state(s)
int wake_up_process(struct task_struct *task);

#define HZ			1000
#define MAX_SCHEDULE_TIMEOUT	LONG_MAX
u64 ktime_get_ns(void);
#define ktime_get()		((ktime_t)ktime_get_ns())
#define jiffies			((unsigned long)(ktime_get_ns() / (1000000000ULL / HZ)))
#define msecs_to_jiffies(ms)	((unsigned long)(ms) * HZ / 1000)
#define usecs_to_jiffies(us)	DIV_ROUND_UP((unsigned long)(us) * HZ, 1000000UL)
#define jiffies_to_msecs(j)	((unsigned int)((j) * 1000 / HZ))
#define time_after(a, b)	((long)((b) - (a)) < 0)
#define time_before(a, b)	time_after(b, a)
#define time_after_eq(a, b)	((long)((a) - (b)) >= 0)

void schedule(void);
#define io_schedule()		schedule()
long schedule_timeout(long timeout);
long schedule_timeout_killable(long timeout);
long schedule_timeout_uninterruptible(long timeout);
void msleep(unsigned int ms);

#endif /* TWIN_TASK_H */
