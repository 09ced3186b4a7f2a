// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Somebody who uses up all the memory there is, again and again, and is the one
 * to be killed for it.
 */

#include <signal.h>
#include <sys/prctl.h>

#include "torture.h"

#define CHUNK		(1UL << 20)
#define ENOUGH		8192	/* KiB left */

/* In KiB. */
static long memory_available(void)
{
	FILE *f = fopen("/proc/meminfo", "r");
	long available = -1;
	char line[128];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "MemAvailable: %ld", &available) == 1)
			break;
	if (f)
		fclose(f);
	return available;
}

static void process_is_first_to_die(void)
{
	FILE *f = fopen("/proc/self/oom_score_adj", "w");

	if (f) {
		fputs("1000", f);
		fclose(f);
	}
}

static void pressure_take(void)
{
	size_t length = 16UL << 30, used = 0;
	long available;
	char *p = mmap(NULL, length, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		_exit(1);
	while (used < length && (available = memory_available()) > ENOUGH) {
		memset(p + used, 0x55, CHUNK);
		used += CHUNK;
	}
	atomic_fetch_add(&shared->pressed, used < length && available >= 0);
	usleep(200000);
	munmap(p, length);
}

pid_t pressure_start(void)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	broker_close();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	process_is_first_to_die();
	while (!shared->stop) {
		pressure_take();
		usleep(100000);
	}
	_exit(0);
}
