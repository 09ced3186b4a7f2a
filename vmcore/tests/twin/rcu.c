// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * RCU. The epoch grows with every call_rcu(); a reader notes the epoch in
 * which it began. A callback may run when no reader is older than it.
 */
#include "twin.h"

static u64 epoch = 1;			/* atomic */
static pthread_mutex_t queue_lock = PTHREAD_MUTEX_INITIALIZER;
static struct rcu_head *queue;		/* by epoch; queue_lock */
static struct rcu_head **queue_tail = &queue;
static unsigned long unfinished;	/* atomic: queued or running */

/* ---- readers --------------------------------------------------------------- */

void rcu_read_lock(void)
{
	struct task_struct *task = current;

	if (task->rcu_depth++)
		return;
	task->counts.rcu++;
	__atomic_store_n(&task->rcu_epoch,
			 __atomic_load_n(&epoch, __ATOMIC_SEQ_CST),
			 __ATOMIC_SEQ_CST);
#ifndef TWIN_TSAN
	smp_mb();
#endif
}

void rcu_read_unlock(void)
{
	struct task_struct *task = current;

	if (!task->rcu_depth)
		TWIN_DIE("rcu_read_unlock() outside of a read section");
	if (--task->rcu_depth)
		return;
	smp_store_release(&task->rcu_epoch, 0);
	twin_rcu_poll();
}

int rcu_read_lock_held(void)
{
	return current->rcu_depth != 0;
}

static u64 oldest_reader(void)
{
	struct task_struct *task;
	u64 oldest = U64_MAX;

	for (task = twin_tasks(); task; task = task->twin_next) {
		u64 since = __atomic_load_n(&task->rcu_epoch, __ATOMIC_SEQ_CST);

		if (since)
			oldest = min(oldest, since);
	}
	return oldest;
}

/* ---- callbacks ------------------------------------------------------------- */

/* Takes the callbacks that may run off the queue. */
static struct rcu_head *queue_take(void)
{
	struct rcu_head *first, **end = &queue;
	u64 oldest;

	pthread_mutex_lock(&queue_lock);
	oldest = oldest_reader();
	while (*end && (*end)->epoch <= oldest)
		end = &(*end)->next;
	first = end == &queue ? NULL : queue;
	if (first) {
		queue = *end;
		*end = NULL;
		if (!queue)
			queue_tail = &queue;
	}
	pthread_mutex_unlock(&queue_lock);
	return first;
}

static void run(struct rcu_head *head)
{
	if (head->func)
		head->func(head);
	else
		kfree(head->object);
	__atomic_fetch_sub(&unfinished, 1, __ATOMIC_RELEASE);
}

void twin_rcu_poll(void)
{
	struct task_struct *task = current;
	struct rcu_head *head, *next;

	if (!READ_ONCE(unfinished) || task->rcu_depth || task->atomic_depth)
		return;
	task->atomic_depth++;
	for (head = queue_take(); head; head = next) {
		next = head->next;
		run(head);
	}
	task->atomic_depth--;
}

static void enqueue(struct rcu_head *head, rcu_callback_t func, void *object)
{
	head->func = func;
	head->object = object;
	head->next = NULL;
	pthread_mutex_lock(&queue_lock);
	head->epoch = __atomic_add_fetch(&epoch, 1, __ATOMIC_SEQ_CST);
	*queue_tail = head;
	queue_tail = &head->next;
	__atomic_fetch_add(&unfinished, 1, __ATOMIC_RELAXED);
	pthread_mutex_unlock(&queue_lock);
	twin_rcu_poll();
}

void call_rcu(struct rcu_head *head, rcu_callback_t func)
{
	enqueue(head, func, NULL);
}

void twin_kfree_rcu(struct rcu_head *head, void *object)
{
	enqueue(head, NULL, object);
}

void synchronize_rcu(void)
{
	u64 now;

	might_sleep();
	now = __atomic_add_fetch(&epoch, 1, __ATOMIC_SEQ_CST);
	while (oldest_reader() < now)
		sched_yield();
	twin_rcu_poll();
}

void rcu_barrier(void)
{
	might_sleep();
	for (;;) {
		twin_rcu_poll();
		if (!__atomic_load_n(&unfinished, __ATOMIC_ACQUIRE))
			return;
		sched_yield();
	}
}
