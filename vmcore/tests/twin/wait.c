// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Wait queues. Queueing and waking take the queue's lock, so that a waker who
 * comes too early to see the waiter has made the condition true before the
 * waiter tests it.
 */
#include "twin.h"

void init_waitqueue_head(wait_queue_head_t *wq)
{
	pthread_mutex_init(&wq->twin_lock, NULL);
	INIT_LIST_HEAD(&wq->head);
}

/* ---- entries ------------------------------------------------------------------ */

int default_wake_function(struct wait_queue_entry *wait, unsigned int mode,
			  int flags, void *key)
{
	(void)mode;
	(void)flags;
	(void)key;
	return wake_up_process(wait->private);
}

int autoremove_wake_function(struct wait_queue_entry *wait, unsigned int mode,
			     int flags, void *key)
{
	list_del_init(&wait->entry);
	return default_wake_function(wait, mode, flags, key);
}

int woken_wake_function(struct wait_queue_entry *wait, unsigned int mode,
			int flags, void *key)
{
	__atomic_fetch_or(&wait->flags, WQ_FLAG_WOKEN, __ATOMIC_SEQ_CST);
	return default_wake_function(wait, mode, flags, key);
}

static void entry_init(struct wait_queue_entry *wait, struct task_struct *task,
		       wait_queue_func_t func)
{
	wait->flags = 0;
	wait->private = task;
	wait->func = func;
	wait->twin_key = NULL;
	INIT_LIST_HEAD(&wait->entry);
}

void init_wait(struct wait_queue_entry *wait)
{
	entry_init(wait, current, autoremove_wake_function);
}

void init_waitqueue_entry(struct wait_queue_entry *wait,
			  struct task_struct *task)
{
	entry_init(wait, task, default_wake_function);
}

void init_waitqueue_func_entry(struct wait_queue_entry *wait,
			       wait_queue_func_t func)
{
	entry_init(wait, NULL, func);
}

void add_wait_queue(wait_queue_head_t *wq, struct wait_queue_entry *wait)
{
	if (twin_lock_hook)
		twin_lock_hook(wq, TWIN_WRITE);
	pthread_mutex_lock(&wq->twin_lock);
	list_add(&wait->entry, &wq->head);
	pthread_mutex_unlock(&wq->twin_lock);
}

void remove_wait_queue(wait_queue_head_t *wq, struct wait_queue_entry *wait)
{
	pthread_mutex_lock(&wq->twin_lock);
	list_del(&wait->entry);
	pthread_mutex_unlock(&wq->twin_lock);
}

/* ---- waiting and waking ---------------------------------------------------------- */

/* A wake since the last call is remembered: the sleep is left out. */
long wait_woken(struct wait_queue_entry *wait, unsigned int mode, long timeout)
{
	set_current_state(mode);
	if (!(READ_ONCE(wait->flags) & WQ_FLAG_WOKEN))
		timeout = schedule_timeout(timeout);
	__set_current_state(TASK_RUNNING);
	__atomic_fetch_and(&wait->flags, ~WQ_FLAG_WOKEN, __ATOMIC_SEQ_CST);
	return timeout;
}

void prepare_to_wait(wait_queue_head_t *wq, struct wait_queue_entry *wait,
		     int state)
{
	pthread_mutex_lock(&wq->twin_lock);
	if (list_empty(&wait->entry))
		list_add_tail(&wait->entry, &wq->head);
	set_current_state((unsigned int)state);
	pthread_mutex_unlock(&wq->twin_lock);
}

long prepare_to_wait_event(wait_queue_head_t *wq,
			   struct wait_queue_entry *wait, int state)
{
	if (signal_pending_state((unsigned int)state, current)) {
		finish_wait(wq, wait);
		/* What was set before the wake is seen by the last test. */
		return -ERESTARTSYS;
	}
	prepare_to_wait(wq, wait, state);
	return 0;
}

void finish_wait(wait_queue_head_t *wq, struct wait_queue_entry *wait)
{
	__set_current_state(TASK_RUNNING);
	pthread_mutex_lock(&wq->twin_lock);
	if (!list_empty(&wait->entry))
		list_del_init(&wait->entry);
	pthread_mutex_unlock(&wq->twin_lock);
}

void twin_wake_up(wait_queue_head_t *wq, const void *key)
{
	struct wait_queue_entry *wait, *next;

	pthread_mutex_lock(&wq->twin_lock);
	list_for_each_entry_safe(wait, next, &wq->head, entry) {
		if (key && wait->twin_key && wait->twin_key != key)
			continue;
		wait->func(wait, TASK_INTERRUPTIBLE | TASK_UNINTERRUPTIBLE, 0,
			   (void *)key);
	}
	pthread_mutex_unlock(&wq->twin_lock);
}

bool waitqueue_active(wait_queue_head_t *wq)
{
	return !list_empty(&wq->head);
}

/* ---- waiting for variables -------------------------------------------------- */

#define VAR_QUEUE_BITS	4
static wait_queue_head_t var_queues[1 << VAR_QUEUE_BITS];
static pthread_once_t var_once = PTHREAD_ONCE_INIT;

static void var_queues_init(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(var_queues); i++)
		init_waitqueue_head(&var_queues[i]);
}

wait_queue_head_t *__var_waitqueue(const void *var)
{
	pthread_once(&var_once, var_queues_init);
	return &var_queues[hash_ptr(var, VAR_QUEUE_BITS)];
}

void wake_up_var(const void *var)
{
	twin_wake_up(__var_waitqueue(var), var);
}
