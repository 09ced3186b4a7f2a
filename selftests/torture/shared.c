// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Memory and locks that all processes share, and the first complaint. */

#include <stdarg.h>

#include "torture.h"

struct shared *shared;

static void robust_init(pthread_mutex_t *lock)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	if (pthread_mutex_init(lock, &attr))
		abort();
	pthread_mutexattr_destroy(&attr);
}

static void shared_init_locks(void)
{
	unsigned int i, page;

	for (i = 0; i < MAPS; i++) {
		robust_init(&shared->map[i].layout);
		for (page = 0; page < NPAGES; page++)
			robust_init(&shared->map[i].cell[page].lock);
	}
	for (i = 0; i < SNAPS; i++)
		robust_init(&shared->snap[i].lock);
}

/* Touched here, so that it is charged to nobody else's cgroup. */
void shared_create(const struct options *options)
{
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		abort();
	memset(shared, 0, sizeof(*shared));
	shared->options = *options;
	shared_init_locks();
}

/* Returns whether the last owner died with it. */
bool robust_lock(pthread_mutex_t *lock)
{
	int error = pthread_mutex_lock(lock);

	if (error == EOWNERDEAD) {
		pthread_mutex_consistent(lock);
		return true;
	}
	if (error)
		complain("a lock is broken: %d", error);
	return false;
}

/* Returns whether we have it. */
bool robust_trylock(pthread_mutex_t *lock, bool *orphaned)
{
	int error = pthread_mutex_trylock(lock);

	*orphaned = error == EOWNERDEAD;
	if (*orphaned)
		pthread_mutex_consistent(lock);
	return !error || *orphaned;
}

uint64_t tick(void)
{
	return atomic_fetch_add(&shared->clock, 1) + 1;
}

/* The first one counts; everybody stops. */
void complain(const char *format, ...)
{
	va_list ap;

	if (!atomic_exchange(&shared->failed, true)) {
		va_start(ap, format);
		vsnprintf(shared->failure, sizeof(shared->failure), format,
			  ap);
		va_end(ap);
	}
	shared->stop = true;
}
