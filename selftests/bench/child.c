// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* A child that lives and does nothing, as a snapshot made by fork does. */

#include <signal.h>
#include <sys/wait.h>

#include "bench.h"
#include "bsdvm_util.h"

static _Noreturn void child_main(int ready)
{
	if (write(ready, "", 1) == 1)
		pause();
	_exit(0);
}

/* Returns once the child sleeps, so that it does not disturb. */
struct bench_child bench_fork(void)
{
	struct bench_child child;
	uint64_t start;
	int ready[2];
	char byte;

	if (pipe(ready))
		bench_die("pipe");
	start = bench_now();
	child.pid = fork();
	if (!child.pid)
		child_main(ready[1]);
	child.fork = bench_since(start);
	if (child.pid < 0)
		bench_die("fork");
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		bench_die("child");
	close(ready[0]);
	usleep(1000);
	return child;
}

void bench_end(struct bench_child child)
{
	kill(child.pid, SIGKILL);
	waitpid(child.pid, NULL, 0);
}
