// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Memory of either kind at one and the same address, and its conditions. */

#include <sys/stat.h>

#include "bench.h"
#include "bsdvm_util.h"

/* At a multiple of 1 GiB, so that all need the same page tables. */
#define BENCH_ADDRESS	((void *)0x100000000000UL)
#define CGROUP		"/sys/fs/cgroup/bsdvm-bench"
#define FAST_FAULT	"/sys/module/bsdvm/parameters/fast_fault"

static unsigned int order_in_order[BENCH_PAGES], order_random[BENCH_PAGES];
const unsigned int *const bench_in_order = order_in_order;
const unsigned int *const bench_random = order_random;

_Noreturn void bench_die(const char *what)
{
	fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
	exit(2);
}

/* The same order in each run. */
void bench_setup(void)
{
	unsigned int i, j, swap, state = 1;

	for (i = 0; i < BENCH_PAGES; i++)
		order_in_order[i] = i;
	memcpy(order_random, order_in_order, sizeof(order_random));
	for (i = BENCH_PAGES - 1; i; i--) {
		state = state * 1664525 + 1013904223;
		j = (state >> 8) % (i + 1);
		swap = order_random[i];
		order_random[i] = order_random[j];
		order_random[j] = swap;
	}
}

static bool write_file(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok;

	if (fd < 0)
		return false;
	ok = write(fd, value, strlen(value)) == (ssize_t)strlen(value);
	close(fd);
	return ok;
}

/* In the root cgroup, pages are not charged to anybody. */
bool bench_enter_cgroup(void)
{
	mkdir(CGROUP, 0755);
	return !access(CGROUP "/memory.current", R_OK) &&
	       write_file(CGROUP "/cgroup.procs", "0");
}

void bench_fast_fault(bool on)
{
	if (!write_file(FAST_FAULT, on ? "1" : "0"))
		bench_die(FAST_FAULT);
}

int bench_memfd(void)
{
	int fd = memfd_create("bench", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, BENCH_PAGES * PAGE))
		bench_die("memfd");
	return fd;
}

int bench_create(size_t npages)
{
	int fd = bsdvm_create(npages * PAGE);

	if (fd < 0)
		bench_die("/dev/bsdvm");
	return fd;
}

char *bench_map(int fd, size_t npages, int flags)
{
	char *p = mmap(BENCH_ADDRESS, npages * PAGE, PROT_READ | PROT_WRITE,
		       flags | MAP_FIXED_NOREPLACE, fd, 0);

	if (p != BENCH_ADDRESS)
		bench_die("mmap");
	if (madvise(p, npages * PAGE, MADV_NOHUGEPAGE) && errno != EINVAL)
		bench_die("madvise");
	return p;
}

void bench_unmap(char *p, size_t npages)
{
	if (munmap(p, npages * PAGE))
		bench_die("munmap");
}
