// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Two memory cgroups of 64 MiB: one of the workers, who need less, and one of
 * somebody who wants more.
 *
 * Not one for both: the memory of a map is given back when the last descriptor
 * is closed, which Linux does some time after it stops taking a dying process
 * for the way out; the next one to need memory meanwhile would be killed, too.
 */

#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "torture.h"

#define WORKERS		"/sys/fs/cgroup/bsdvm-workers"
#define OFFENDERS	"/sys/fs/cgroup/bsdvm-offenders"
#define LIMIT		"67108864"
#define TOO_MUCH	(128UL << 20)

static bool cgroup_write(const char *file, const char *value)
{
	int fd = open(file, O_WRONLY | O_CLOEXEC);
	bool ok;

	if (fd < 0)
		return false;
	ok = write(fd, value, strlen(value)) == (ssize_t)strlen(value);
	close(fd);
	return ok;
}

bool cgroup_create(void)
{
	mkdir(WORKERS, 0755);
	mkdir(OFFENDERS, 0755);
	return cgroup_write(WORKERS "/memory.max", LIMIT) &&
	       cgroup_write(OFFENDERS "/memory.max", LIMIT);
}

/* The calling process, and its children to come. */
void cgroup_enter_workers(void)
{
	if (!cgroup_write(WORKERS "/cgroup.procs", "0"))
		complain("cgroup: %s", strerror(errno));
}

static void cgroup_enter_offenders(void)
{
	if (!cgroup_write(OFFENDERS "/cgroup.procs", "0"))
		complain("cgroup: %s", strerror(errno));
}

/* Write to a map, by one means or the other, until we are killed. */
static _Noreturn void offend(bool mapped)
{
	int fd = bsdvm_create(TOO_MUCH);
	char *p = bsdvm_mmap(fd, TOO_MUCH);
	char page[PAGE] = { 1 };
	size_t i;

	for (i = 0; i < TOO_MUCH && p != MAP_FAILED; i += PAGE) {
		if (mapped)
			p[i] = 1;
		else if (pwrite(fd, page, PAGE, i) != PAGE)
			break;
	}
	/* Wait for the end: without memory, a write may also just fail. */
	_exit(mapped ? 1 : 0);
}

pid_t cgroup_offender(void)
{
	static unsigned int n;
	pid_t pid = fork();

	if (pid) {
		n++;
		return pid;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	cgroup_enter_offenders();
	offend(n % 2 == 0);
}

/* The number after @key in a file of the cgroup; -1 if there is none. */
static long cgroup_read(const char *file, const char *key)
{
	FILE *f = fopen(file, "r");
	char word[64];
	long value = -1;

	if (!f)
		return -1;
	if (!key)
		value = fscanf(f, "%ld", &value) == 1 ? value : -1;
	else
		while (fscanf(f, "%63s %ld", word, &value) == 2 &&
		       strcmp(word, key))
			value = -1;
	fclose(f);
	return value;
}

/* Of offenders; -1 if a worker was killed, or it cannot be told. */
long cgroup_oom_kills(void)
{
	if (cgroup_read(WORKERS "/memory.events", "oom_kill"))
		return -1;
	return cgroup_read(OFFENDERS "/memory.events", "oom_kill");
}

/* What is charged when everybody has left, and nothing is cached any more. */
long cgroup_charge(void)
{
	/* Processors hold pages of the dead that are on their way to a list. */
	cgroup_write("/proc/sys/vm/drop_caches", "1");
	/* Makes the kernel give back what CPUs hold in stock. */
	cgroup_write(WORKERS "/memory.high", "0");
	cgroup_write(OFFENDERS "/memory.high", "0");
	return cgroup_read(WORKERS "/memory.current", NULL) +
	       cgroup_read(OFFENDERS "/memory.current", NULL);
}

void cgroup_remove(void)
{
	rmdir(WORKERS);
	rmdir(OFFENDERS);
}
