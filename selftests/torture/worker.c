// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* A process of some threads, each of which does one operation after another. */

#include <sys/prctl.h>
#include <signal.h>

#include "torture.h"

#define LIFETIME	3000	/* operations of a thread, at most */
#define ENOUGH		5000	/* operations, to expect one of each kind */

/* How often, out of the sum of weights. */
static const struct {
	const char *name;
	unsigned int weight;
	bool needs_map;
	void (*run)(struct thread *t, struct attach *at);
} operations[] = {
	{ "read", 60, true, op_read },
	{ "look", 60, true, op_look },
	{ "write", 160, true, op_write },
	{ "sweep", 50, true, op_sweep },
	{ "punch", 8, true, op_punch },
	{ "truncate", 6, true, op_truncate },
	{ "wire", 4, true, op_wire },
	{ "unwire", 5, true, op_unwire },
	{ "create", 2, false, op_create },
	{ "switch", 6, true, op_switch },
	{ "retire", 2, true, op_retire },
	{ "snapshot", 16, true, op_snapshot },
	{ "open", 12, true, op_open },
	{ "drop", 12, true, op_drop },
	{ "shadow", 8, true, op_shadow },
	{ "move", 4, true, op_move },
	{ "protect", 4, true, op_protect },
	{ "unmap", 4, true, op_unmap },
	{ "advise", 8, true, op_advise },
	{ "lock", 3, true, op_lock },
	{ "fork", 1, true, op_fork },
	{ "pin", 6, true, op_pin },
	{ "pin-write", 8, true, op_pin_write },
	{ "pin-release", 4, true, op_pin_release },
	{ "show", 2, true, op_show },
	{ "check", 2, true, op_check },
	{ "private", 1, false, op_private },
};

#define OPERATIONS	(sizeof(operations) / sizeof(operations[0]))

static unsigned int operation_pick(struct thread *t)
{
	unsigned int i, n, sum = 0;

	for (i = 0; i < OPERATIONS; i++)
		sum += operations[i].weight;
	n = random_below(t, sum);
	for (i = 0; n >= operations[i].weight; i++)
		n -= operations[i].weight;
	return i;
}

static void thread_step(struct thread *t)
{
	struct attach *at = attach_any(t);
	unsigned int i = operation_pick(t);

	if (!at && operations[i].needs_map) {
		if (!attach_map(t, random_below(t, HELD_MAPS),
				random_below(t, MAPS)))
			op_create(t, NULL);
		return;
	}
	operations[i].run(t, at);
	atomic_fetch_add(&shared->done[i], 1);
}

static void *thread_main(void *context)
{
	struct thread *t = context;
	unsigned int i, steps = 1 + random_below(t, LIFETIME);

	for (i = 0; i < HELD_MAPS; i++)
		t->at[i].slot = -1;
	t->pin_dev = open("/dev/bsdvm_pin", O_RDWR | O_CLOEXEC);
	for (i = 0; i < steps && !shared->stop; i++)
		thread_step(t);
	for (i = 0; i < HELD_MAPS; i++)
		attach_drop(t, i);
	if (t->pin_dev >= 0)
		close(t->pin_dev);
	return NULL;
}

_Noreturn void worker_main(unsigned int process, uint64_t seed, int socket)
{
	static pthread_mutex_t talk = PTHREAD_MUTEX_INITIALIZER;
	static struct thread threads[THREADS_MAX];
	unsigned int i, n = shared->options.threads;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	access_catch();
	for (i = 0; i < n; i++) {
		threads[i] = (struct thread){
			.process = process,
			.index = i,
			.socket = socket,
			.talk = &talk,
			.random = random_next(&seed),
		};
		if (i && pthread_create(&threads[i].thread, NULL, thread_main,
					&threads[i]))
			_exit(1);
	}
	thread_main(&threads[0]);
	for (i = 1; i < n; i++)
		pthread_join(threads[i].thread, NULL);
	_exit(0);
}

/* How often each was done. Of so many, none should have been left out. */
void worker_judge(void)
{
	const char *missing = NULL;
	uint64_t sum = 0;
	unsigned int i;

	printf("#");
	for (i = 0; i < OPERATIONS; i++) {
		printf(" %s %llu", operations[i].name,
		       (unsigned long long)shared->done[i]);
		sum += shared->done[i];
		if (!shared->done[i])
			missing = operations[i].name;
	}
	printf("\n# %llu operations\n", (unsigned long long)sum);
	if (missing && sum > ENOUGH)
		complain("no %s", missing);
}
