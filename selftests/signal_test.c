// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* A storm of signals: requests, faults and system calls are as without it. */

#define _GNU_SOURCE
#include <sys/time.h>

#include "process_util.h"
#include "kselftest_harness.h"

#define NPAGES	64UL
#define SIZE	(NPAGES * PAGE)
#define FIRST	0x10
#define ROUNDS	40

static volatile sig_atomic_t signals;

static void count_signal(int signal)
{
	signals++;
}

/* SIGALRM every @us microseconds; 0: no more. */
static void storm(int us, int flags)
{
	struct sigaction action = {
		.sa_handler = count_signal,
		.sa_flags = flags,
	};
	struct itimerval timer = {
		.it_interval.tv_usec = us,
		.it_value.tv_usec = us,
	};

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

FIXTURE(storm) {
	int fd;
	unsigned char *p;
};

FIXTURE_VARIANT(storm) {
	int flags;
};

FIXTURE_VARIANT_ADD(storm, interrupting) {
	.flags = 0,
};

FIXTURE_VARIANT_ADD(storm, restarting) {
	.flags = SA_RESTART,
};

FIXTURE_SETUP(storm)
{
	self->fd = bsdvm_create(SIZE);
	ASSERT_GE(self->fd, 0);
	self->p = bsdvm_mmap(self->fd, SIZE);
	ASSERT_NE(self->p, MAP_FAILED);
	signals = 0;
	storm(300, variant->flags);
}

FIXTURE_TEARDOWN(storm)
{
	storm(0, 0);
	munmap(self->p, SIZE);
	close(self->fd);
}

/* Only a fatal signal is EINTR. */
TEST_F_TIMEOUT(storm, requests, 120)
{
	int round, first, opened, shadow;
	uint32_t id;

	for (round = 0; round < ROUNDS; round++) {
		first = FIRST + round;
		fill_pages(self->p, NPAGES, first);
		id = bsdvm_snapshot(self->fd);
		ASSERT_NE(id, 0);
		fill_pages(self->p, NPAGES, first + 1);
		opened = bsdvm_open(self->fd, id);
		ASSERT_GE(opened, 0);
		shadow = bsdvm_shadow(self->fd, 0, SIZE);
		ASSERT_GE(shadow, 0);
		ASSERT_EQ(bsdvm_wire(self->fd, 0, SIZE, 0), 0);
		ASSERT_EQ(bsdvm_unwire(self->fd, 0, SIZE, 0), 0);
		ASSERT_TRUE(snapshot_holds(self->fd, id, NPAGES, first));
		ASSERT_EQ(bsdvm_drop(self->fd, id), 0);
		ASSERT_EQ(byte_at(opened, PAGE), first + 1);
		ASSERT_EQ(byte_at(shadow, PAGE), first + 2);
		close(opened);
		close(shadow);
	}
	EXPECT_EQ(bsdvm_check(self->fd), 0);
	EXPECT_GT(signals, 0);
}

/* Reading, writing and cutting regular files is not interrupted. */
TEST_F_TIMEOUT(storm, system_calls, 120)
{
	static unsigned char out[SIZE], in[SIZE];
	int round;

	for (round = 0; round < ROUNDS; round++) {
		fill_pages(out, NPAGES, FIRST + round);
		ASSERT_EQ(pwrite(self->fd, out, SIZE, 0), SIZE);
		ASSERT_EQ(pread(self->fd, in, SIZE, 0), SIZE);
		ASSERT_EQ(memcmp(in, out, SIZE), 0);
		ASSERT_EQ(punch(self->fd, PAGE, SIZE / 2), 0);
		ASSERT_TRUE(all_bytes(self->p + PAGE, SIZE / 2, 0));
		ASSERT_EQ(ftruncate(self->fd, PAGE), 0);
		ASSERT_EQ(ftruncate(self->fd, SIZE), 0);
		ASSERT_TRUE(all_bytes(self->p + PAGE, SIZE - PAGE, 0));
		ASSERT_EQ(self->p[0], FIRST + round);
	}
	EXPECT_EQ(bsdvm_check(self->fd), 0);
	EXPECT_GT(signals, 0);
}

TEST_HARNESS_MAIN
