/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Wait queues. Same semantics, without exclusive waiters. With a test hook:
 * twin_kill() ends a killable sleep.
 */
#ifndef TWIN_WAIT_H
#define TWIN_WAIT_H

/* The lock is the twin's own, outside the thread's record of locks. */
struct wait_queue_head {
	pthread_mutex_t twin_lock;
	struct list_head head;
};
typedef struct wait_queue_head wait_queue_head_t;

struct wait_queue_entry;
typedef int (*wait_queue_func_t)(struct wait_queue_entry *wait,
				 unsigned int mode, int flags, void *key);

/* @twin_key: what wake_up_var() must name, or NULL: any wake will do. */
struct wait_queue_entry {
	unsigned int flags;		/* atomic */
	void *private;
	wait_queue_func_t func;
	struct list_head entry;
	const void *twin_key;
};
typedef struct wait_queue_entry wait_queue_entry_t;

#define WQ_FLAG_WOKEN		0x02u

int default_wake_function(struct wait_queue_entry *wait, unsigned int mode,
			  int flags, void *key);
int autoremove_wake_function(struct wait_queue_entry *wait, unsigned int mode,
			     int flags, void *key);
int woken_wake_function(struct wait_queue_entry *wait, unsigned int mode,
			int flags, void *key);

#define __WAIT_QUEUE_HEAD_INITIALIZER(name) {				\
	.twin_lock = PTHREAD_MUTEX_INITIALIZER,				\
	.head = LIST_HEAD_INIT((name).head) }
#define DECLARE_WAIT_QUEUE_HEAD(name) \
	wait_queue_head_t name = __WAIT_QUEUE_HEAD_INITIALIZER(name)
#define DECLARE_WAIT_QUEUE_HEAD_ONSTACK(name) DECLARE_WAIT_QUEUE_HEAD(name)
#define TWIN_DEFINE_WAIT(name, k) struct wait_queue_entry name = {	\
	.private = current, .func = autoremove_wake_function,		\
	.twin_key = (k),						\
	.entry = LIST_HEAD_INIT((name).entry) }
#define DEFINE_WAIT(name)	TWIN_DEFINE_WAIT(name, NULL)
#define DEFINE_WAIT_FUNC(name, f) struct wait_queue_entry name = {	\
	.private = current, .func = (f),				\
	.entry = LIST_HEAD_INIT((name).entry) }

void init_waitqueue_head(wait_queue_head_t *wq);
void init_wait(struct wait_queue_entry *wait);
void init_waitqueue_entry(struct wait_queue_entry *wait,
			  struct task_struct *task);
void init_waitqueue_func_entry(struct wait_queue_entry *wait,
			       wait_queue_func_t func);
void add_wait_queue(wait_queue_head_t *wq, struct wait_queue_entry *wait);
void remove_wait_queue(wait_queue_head_t *wq, struct wait_queue_entry *wait);
long wait_woken(struct wait_queue_entry *wait, unsigned int mode, long timeout);
void prepare_to_wait(wait_queue_head_t *wq, struct wait_queue_entry *wait,
		     int state);
/* Returns -ERESTARTSYS, and does not queue, if a signal should end the wait. */
long prepare_to_wait_event(wait_queue_head_t *wq,
			   struct wait_queue_entry *wait, int state);
void finish_wait(wait_queue_head_t *wq, struct wait_queue_entry *wait);
void twin_wake_up(wait_queue_head_t *wq, const void *key);
#define wake_up_all(wq)		twin_wake_up(wq, NULL)
#define wake_up(wq)		twin_wake_up(wq, NULL)
bool waitqueue_active(wait_queue_head_t *wq);
#define wq_has_sleeper(wq)	({ smp_mb(); waitqueue_active(wq); })

wait_queue_head_t *__var_waitqueue(const void *var);
void wake_up_var(const void *var);

#define TWIN_WAIT_LOOP(wq, k, cond, state) ({				\
	wait_queue_head_t *twin_wq_ = (wq);				\
	long twin_err_ = 0;						\
	TWIN_DEFINE_WAIT(twin_wait_, k);				\
									\
	for (;;) {							\
		twin_err_ = prepare_to_wait_event(twin_wq_,		\
						  &twin_wait_, state);	\
		if (cond) {						\
			twin_err_ = 0;					\
			break;						\
		}							\
		if (twin_err_)						\
			break;						\
		schedule();						\
	}								\
	finish_wait(twin_wq_, &twin_wait_);				\
	(int)twin_err_; })

#define TWIN_WAIT(wq, k, cond, state) ({				\
	int twin_ret_ = 0;						\
									\
	might_sleep();							\
	if (!(cond))							\
		twin_ret_ = TWIN_WAIT_LOOP(wq, k, cond, state);		\
	twin_ret_; })

#define wait_event(wq, cond) \
	((void)TWIN_WAIT(&(wq), NULL, cond, TASK_UNINTERRUPTIBLE))
#define wait_event_killable(wq, cond) \
	TWIN_WAIT(&(wq), NULL, cond, TASK_KILLABLE)
#define wait_var_event(var, cond) \
	((void)TWIN_WAIT(__var_waitqueue(var), var, cond, TASK_UNINTERRUPTIBLE))
#define wait_var_event_killable(var, cond) \
	TWIN_WAIT(__var_waitqueue(var), var, cond, TASK_KILLABLE)

#endif /* TWIN_WAIT_H */
