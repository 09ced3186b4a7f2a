// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Edges of the module's code, as KCOV reports them for this thread. */
#include <fcntl.h>
#include <linux/kcov.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "fuzz.h"

#define COVER_SIZE	(256 << 10)
#define EDGE_BITS	20

static unsigned long *cover;
static uint8_t seen[1 << EDGE_BITS];
static unsigned int edges;

bool cover_begin(void)
{
	int fd = open("/sys/kernel/debug/kcov", O_RDWR | O_CLOEXEC);

	if (fd < 0 || ioctl(fd, KCOV_INIT_TRACE, COVER_SIZE))
		return false;
	cover = mmap(NULL, COVER_SIZE * sizeof(*cover), PROT_READ | PROT_WRITE,
		     MAP_SHARED, fd, 0);
	return cover != MAP_FAILED && !ioctl(fd, KCOV_ENABLE, KCOV_TRACE_PC);
}

void cover_start(void)
{
	__atomic_store_n(&cover[0], 0, __ATOMIC_RELAXED);
}

/* Two places in a row, as a number; collisions only hide an edge. */
static unsigned int edge(unsigned long from, unsigned long to)
{
	unsigned long mixed = (from * 3 ^ to) * 0x9e3779b97f4a7c15UL;

	return mixed >> (64 - EDGE_BITS);
}

unsigned int cover_stop(void)
{
	unsigned long n = __atomic_load_n(&cover[0], __ATOMIC_RELAXED), i;
	unsigned int fresh = 0;

	for (i = 1; i < n; i++) {
		uint8_t *at = &seen[edge(cover[i], cover[i + 1])];

		fresh += !*at;
		*at = 1;
	}
	edges += fresh;
	return fresh;
}

unsigned int cover_edges(void)
{
	return edges;
}
