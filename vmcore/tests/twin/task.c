// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Warnings, tasks, sleeping, and the hooks that belong to no other file. */
#include "twin.h"

unsigned long twin_warnings;
bool twin_warn_abort = true;
unsigned long twin_trace_counts[TWIN_TRACE_N];
void (*twin_barrier_hook)(void);
#ifdef TWIN_TSAN
unsigned long twin_fence;
#endif

/* ---- warnings ----------------------------------------------------------- */

static void report(const char *kind, const char *file, int line,
		   const char *fmt, va_list args)
{
	char text[512];

	vsnprintf(text, sizeof(text), fmt, args);
	fprintf(stderr, "twin: %s at %s:%d: %s\n", kind, file, line, text);
	fflush(NULL);
}

void twin_warn(const char *file, int line, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	report("WARNING", file, line, fmt, args);
	va_end(args);
	__atomic_fetch_add(&twin_warnings, 1, __ATOMIC_RELAXED);
	if (READ_ONCE(twin_warn_abort))
		abort();
}

void twin_die(const char *file, int line, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	report("FATAL", file, line, fmt, args);
	va_end(args);
	abort();
}

/* ---- the table of tasks -------------------------------------------------- */

static pthread_mutex_t tasks_lock = PTHREAD_MUTEX_INITIALIZER;
static struct task_struct *tasks;	/* atomic: readers take no lock */
static pthread_key_t task_key;
static pthread_once_t task_once = PTHREAD_ONCE_INIT;
static __thread struct task_struct *this_task;

struct task_struct *twin_tasks(void)
{
	return smp_load_acquire(&tasks);
}

static void task_exit(void *arg)
{
	struct task_struct *task = arg;

	/* A thread must not leave anything behind. */
	this_task = task;
	twin_assert_idle();
	pthread_mutex_lock(&tasks_lock);
	task->live = false;
	this_task = NULL;
	pthread_mutex_unlock(&tasks_lock);
}

static void task_key_create(void)
{
	if (pthread_key_create(&task_key, task_exit))
		TWIN_DIE("pthread_key_create");
}

static struct task_struct *task_create(int pid)
{
	struct task_struct *task = calloc(1, sizeof(*task));
	pthread_condattr_t attr;

	if (!task)
		TWIN_DIE("no memory for a task");
	task->pid = pid;
	snprintf(task->comm, sizeof(task->comm), "twin/%d", pid);
	pthread_mutex_init(&task->sleep_lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&task->sleep_cond, &attr);
	pthread_condattr_destroy(&attr);
	task->twin_next = tasks;
	smp_store_release(&tasks, task);
	return task;
}

static void task_recycle(struct task_struct *task)
{
	task->allocs = task->fail_at = 0;
	task->fail_done = false;
	memset(&task->counts, 0, sizeof(task->counts));
	twin_unkill(task);
}

static struct task_struct *task_attach(void)
{
	struct task_struct *task;
	int pid = 1;

	pthread_once(&task_once, task_key_create);
	pthread_mutex_lock(&tasks_lock);
	for (task = tasks; task && task->live; task = task->twin_next)
		pid++;
	if (task)
		task_recycle(task);
	else
		task = task_create(pid);
	task->live = true;
	pthread_mutex_unlock(&tasks_lock);
	pthread_setspecific(task_key, task);
	this_task = task;
	return task;
}

struct task_struct *twin_current(void)
{
	return likely(this_task) ? this_task : task_attach();
}

/* ---- where sleeping is allowed -------------------------------------------- */

void twin_might_sleep(const char *file, int line)
{
	struct task_struct *task = current;

	if (task->rcu_depth)
		twin_die(file, line, "sleeping in an RCU read section");
	if (task->atomic_depth)
		twin_die(file, line, "sleeping in atomic context");
}

static __thread unsigned long steps, most_steps;

void twin_went_on(void)
{
	most_steps = max(most_steps, ++steps);
}

unsigned long twin_steps(void)
{
	unsigned long most = most_steps;

	steps = most_steps = 0;
	return most;
}

void twin_cond_resched(void)
{
	steps = 0;
	twin_rcu_poll();
	/* Alone, one would only wait for what else runs on the machine. */
	if (twin_tasks()->twin_next)
		sched_yield();
}

void twin_assert_idle(void)
{
	struct task_struct *task = current;

	WARN(task->nheld, "%u locks still held", task->nheld);
	WARN(task->nkmaps, "%u local mappings left", task->nkmaps);
	WARN(task->rcu_depth, "in an RCU read section");
	WARN(task->atomic_depth, "in atomic context");
	WARN(READ_ONCE(task->folios_locked), "%d folios still locked",
	     READ_ONCE(task->folios_locked));
}

/* ---- sleeping ---------------------------------------------------------------- */

u64 ktime_get_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (u64)now.tv_sec * 1000000000 + now.tv_nsec;
}

void twin_set_state(unsigned int state)
{
	struct task_struct *task = current;

	pthread_mutex_lock(&task->sleep_lock);
	task->state = state;
	pthread_mutex_unlock(&task->sleep_lock);
	smp_mb();
}

static bool task_wake(struct task_struct *task, unsigned int states)
{
	bool woken;

	pthread_mutex_lock(&task->sleep_lock);
	woken = task->state & states;
	if (woken) {
		task->state = TASK_RUNNING;
		pthread_cond_signal(&task->sleep_cond);
	}
	pthread_mutex_unlock(&task->sleep_lock);
	return woken;
}

int wake_up_process(struct task_struct *task)
{
	return task_wake(task, TASK_INTERRUPTIBLE | TASK_UNINTERRUPTIBLE);
}

/* Returns false at the deadline (absolute; 0: none). */
static bool task_sleep(struct task_struct *task, u64 deadline)
{
	struct timespec until = {
		.tv_sec = deadline / 1000000000,
		.tv_nsec = deadline % 1000000000,
	};

	if (!deadline)
		return !pthread_cond_wait(&task->sleep_cond, &task->sleep_lock);
	return pthread_cond_timedwait(&task->sleep_cond, &task->sleep_lock,
				      &until) != ETIMEDOUT;
}

static void sleep_until(u64 deadline)
{
	struct task_struct *task = current;

	might_sleep();
	twin_rcu_poll();
	pthread_mutex_lock(&task->sleep_lock);
	while (task->state != TASK_RUNNING &&
	       !signal_pending_state(task->state, task))
		if (!task_sleep(task, deadline))
			break;
	task->state = TASK_RUNNING;
	pthread_mutex_unlock(&task->sleep_lock);
}

void schedule(void)
{
	sleep_until(0);
}

long schedule_timeout(long timeout)
{
	const u64 tick = 1000000000 / HZ;
	u64 deadline, now;

	if (timeout == MAX_SCHEDULE_TIMEOUT) {
		schedule();
		return timeout;
	}
	deadline = ktime_get_ns() + (u64)timeout * tick;
	sleep_until(deadline);
	now = ktime_get_ns();
	return now < deadline ? (long)DIV_ROUND_UP(deadline - now, tick) : 0;
}

long schedule_timeout_killable(long timeout)
{
	set_current_state(TASK_KILLABLE);
	return schedule_timeout(timeout);
}

long schedule_timeout_uninterruptible(long timeout)
{
	set_current_state(TASK_UNINTERRUPTIBLE);
	return schedule_timeout(timeout);
}

void msleep(unsigned int ms)
{
	long left = (long)msecs_to_jiffies(ms);

	while (left)
		left = schedule_timeout_uninterruptible(left);
}

bool twin_sleeping(struct task_struct *task)
{
	bool sleeping;

	pthread_mutex_lock(&task->sleep_lock);
	sleeping = task->state != TASK_RUNNING;
	pthread_mutex_unlock(&task->sleep_lock);
	return sleeping;
}

/* ---- signals -------------------------------------------------------------------- */

void twin_kill(struct task_struct *task)
{
	__atomic_store_n(&task->killed, true, __ATOMIC_RELEASE);
	task_wake(task, TASK_WAKEKILL | TASK_INTERRUPTIBLE);
}

void twin_unkill(struct task_struct *task)
{
	__atomic_store_n(&task->killed, false, __ATOMIC_RELEASE);
	__atomic_store_n(&task->signalled, false, __ATOMIC_RELEASE);
}

void twin_signal(struct task_struct *task, bool pending)
{
	__atomic_store_n(&task->signalled, pending, __ATOMIC_RELEASE);
	if (pending)
		task_wake(task, TASK_INTERRUPTIBLE);
}

/* ---- between tests ---------------------------------------------------------------- */

void twin_reset(void)
{
	rcu_barrier();
	twin_fail_nth(0);
	twin_unkill(current);
	memset(twin_lock_counts(), 0, sizeof(struct twin_lock_counts));
	memset(twin_trace_counts, 0, sizeof(twin_trace_counts));
	twin_page_alloc_hook = NULL;
	twin_try_get_hook = NULL;
	twin_lock_hook = NULL;
	twin_load_hook = NULL;
	twin_barrier_hook = NULL;
	twin_folio_wait_rule = true;
	twin_warn_abort = true;
	twin_warnings = 0;
}
