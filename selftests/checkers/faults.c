// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A fault for each checker of the kernels that have them: what each says of its
 * fault proves that it would say so of ours.
 *
 * This is built in place of all objects of bsdvm.ko, by its own Kbuild (see
 * tools/build-module), so that it is instrumented as they are. The parameter
 * names the faults, which are committed in that order while the module is
 * loaded. A mark in the kernel log goes before each. Lockdep's is to be first,
 * as what others say turns it off, and the list's last: it ends the process.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>

struct fault {
	const char *name;	/* of the checker */
	void (*commit)(void);
};

static DEFINE_MUTEX(fault_first);
static DEFINE_MUTEX(fault_second);

/* Two locks, in both orders. */
static noinline void fault_lockdep(void)
{
	mutex_lock(&fault_first);
	mutex_lock(&fault_second);
	mutex_unlock(&fault_second);
	mutex_unlock(&fault_first);

	mutex_lock(&fault_second);
	mutex_lock(&fault_first);
	mutex_unlock(&fault_first);
	mutex_unlock(&fault_second);
}

/* What a kernel without CONFIG_BUG keeps to itself, for all that warn so. */
static noinline void fault_warn(void)
{
	WARN(1, "as asked\n");
}

/* An allocation that may sleep, under a spinlock. */
static noinline void fault_debug_atomic_sleep(void)
{
	static DEFINE_SPINLOCK(lock);
	void *p;

	spin_lock(&lock);
	p = kmalloc(32, GFP_KERNEL);
	spin_unlock(&lock);
	kfree(p);
}

static void fault_called_back(struct rcu_head *head)
{
}

/* A callback that is asked for again before its time has come. */
static noinline void fault_debug_objects(void)
{
	static struct rcu_head head;

	rcu_read_lock();
	call_rcu(&head, fault_called_back);
	call_rcu(&head, fault_called_back);
	rcu_read_unlock();
	rcu_barrier();
}

/* Some, as a register or a stack may remember the last. */
static noinline void fault_kmemleak(void)
{
	int i;

	for (i = 0; i < 16; i++)
		if (!kzalloc(96, GFP_KERNEL))
			break;
}

/* A shift by more than there is. */
static noinline void fault_ubsan(void)
{
	unsigned int shift = 32, value = 1;

	OPTIMIZER_HIDE_VAR(shift);
	OPTIMIZER_HIDE_VAR(value);
	value <<= shift;
	OPTIMIZER_HIDE_VAR(value);
}

/* A read of freed memory, by the module's own code. */
static noinline void fault_kasan(void)
{
	int *p = kzalloc(sizeof(*p), GFP_KERNEL);
	int *freed = p;

	if (!p)
		return;
	OPTIMIZER_HIDE_VAR(freed);
	kfree(p);
	READ_ONCE(*freed);
}

/* An entry that is removed twice. */
static noinline void fault_debug_list(void)
{
	static LIST_HEAD(list);
	static struct list_head entry;

	list_add(&entry, &list);
	list_del(&entry);
	list_del(&entry);
	pr_info("the list is not checked\n");
}

/* A thread that counts. KCSAN says nothing of a function called kcsan_... */
static int fault_kcsan(void *data)
{
	int *shared = data;

	while (!kthread_should_stop()) {
		(*shared)++;
		cond_resched();
	}
	return 0;
}

/* Two of them, with the same variable, for a second. */
static void faults_race(void)
{
	struct task_struct *threads[2];
	static int shared;
	int i;

	for (i = 0; i < ARRAY_SIZE(threads); i++)
		threads[i] = kthread_run(fault_kcsan, &shared, "counts%d", i);
	msleep(1000);
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		if (!IS_ERR(threads[i]))
			kthread_stop(threads[i]);
}

static const struct fault faults[] = {
	{ "lockdep", fault_lockdep },
	{ "warn", fault_warn },
	{ "debug_atomic_sleep", fault_debug_atomic_sleep },
	{ "debug_objects", fault_debug_objects },
	{ "kmemleak", fault_kmemleak },
	{ "ubsan", fault_ubsan },
	{ "kasan", fault_kasan },
	{ "debug_list", fault_debug_list },
	{ "kcsan", faults_race },
};

static char *wanted[ARRAY_SIZE(faults)];
static unsigned int wanted_count;
module_param_array_named(faults, wanted, charp, &wanted_count, 0);
MODULE_PARM_DESC(faults, "Checkers whose faults are committed, in this order");

static const struct fault *fault_lookup(const char *name)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(faults); i++)
		if (!strcmp(faults[i].name, name))
			return &faults[i];
	return NULL;
}

static int __init faults_init(void)
{
	const struct fault *fault;
	unsigned int i;

	for (i = 0; i < wanted_count; i++) {
		fault = fault_lookup(wanted[i]);
		if (!fault)
			return -EINVAL;
		pr_info("fault: %s\n", fault->name);
		fault->commit();
	}
	return 0;
}
module_init(faults_init);

static void __exit faults_exit(void)
{
}
module_exit(faults_exit);

MODULE_DESCRIPTION("Faults for the kernel's checkers, in place of bsdvm");
MODULE_AUTHOR("The bsdvm developers");
MODULE_LICENSE("Dual BSD/GPL");
