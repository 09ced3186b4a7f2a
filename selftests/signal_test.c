// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A storm of signals: requests, faults and system calls are as without it. And
 * one that is fatal: it is not kept waiting.
 */

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

/* ---- a fatal signal ---------------------------------------------------- */

#define LARGE		(256UL << 20)
#define MARK		0x5a

/* A child at work on a map that takes it long. */
struct worker {
	int fd;
	unsigned char *buffer;	/* LARGE bytes, shared */
	void (*work)(struct worker *worker);
	/* Has the work begun, is it done? */
	bool (*reached)(struct worker *worker, size_t bytes);
};

static bool map_reached(struct worker *worker, size_t bytes)
{
	struct bsdvm_map_info info;

	return !bsdvm_map_info(worker->fd, &info) &&
	       info.resident * PAGE >= bytes;
}

static bool buffer_reached(struct worker *worker, size_t bytes)
{
	return worker->buffer[bytes - 1] == MARK;
}

static void work_allocate(struct worker *worker)
{
	fallocate(worker->fd, 0, 0, LARGE);
}

static void work_write(struct worker *worker)
{
	pwrite(worker->fd, worker->buffer, LARGE, 0);
}

static void work_read(struct worker *worker)
{
	pread(worker->fd, worker->buffer, LARGE, 0);
}

static void work_wire(struct worker *worker)
{
	bsdvm_wire(worker->fd, 0, LARGE, 0);
}

static void work_wire_system(struct worker *worker)
{
	bsdvm_wire(worker->fd, 0, LARGE, BSDVM_WIRE_SYSTEM);
}

FIXTURE(fatal) {
	struct worker worker;
};

FIXTURE_VARIANT(fatal) {
	void (*work)(struct worker *worker);
	bool (*reached)(struct worker *worker, size_t bytes);
};

FIXTURE_VARIANT_ADD(fatal, allocate) {
	.work = work_allocate, .reached = map_reached,
};

FIXTURE_VARIANT_ADD(fatal, write) {
	.work = work_write, .reached = map_reached,
};

FIXTURE_VARIANT_ADD(fatal, read) {
	.work = work_read, .reached = buffer_reached,
};

FIXTURE_VARIANT_ADD(fatal, wire) {
	.work = work_wire, .reached = map_reached,
};

FIXTURE_VARIANT_ADD(fatal, wire_system) {
	.work = work_wire_system, .reached = map_reached,
};

FIXTURE_SETUP(fatal)
{
	struct worker *worker = &self->worker;
	const unsigned char mark = MARK;

	worker->work = variant->work;
	worker->reached = variant->reached;
	worker->fd = bsdvm_create(LARGE);
	ASSERT_GE(worker->fd, 0);
	worker->buffer = mmap(NULL, LARGE, PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(worker->buffer, MAP_FAILED);
	if (worker->reached != buffer_reached)
		return;
	ASSERT_EQ(pwrite(worker->fd, &mark, 1, PAGE - 1), 1);
	ASSERT_EQ(pwrite(worker->fd, &mark, 1, LARGE - 1), 1);
}

FIXTURE_TEARDOWN(fatal)
{
	munmap(self->worker.buffer, LARGE);
	close(self->worker.fd);
}

/* Who is killed at work does not finish it first, and leaves nothing wired. */
TEST_F_TIMEOUT(fatal, ends_the_work, 120)
{
	struct worker *worker = &self->worker;
	struct bsdvm_map_info info;
	pid_t pid = fork();

	if (!pid) {
		worker->work(worker);
		_exit(0);
	}
	while (!worker->reached(worker, PAGE))
		usleep(100);
	kill(pid, SIGKILL);
	ASSERT_EQ(waitpid(pid, NULL, 0), pid);
	EXPECT_FALSE(worker->reached(worker, LARGE));
	ASSERT_EQ(bsdvm_map_info(worker->fd, &info), 0);
	EXPECT_EQ(info.wired, 0);
	EXPECT_EQ(bsdvm_check(worker->fd), 0);
}

#define APPENDED	(4UL << 20)

/* Others that keep a map locked, and the longer, the more it has. */
static pid_t contender(int fd)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	for (;;)
		bsdvm_drop(fd, bsdvm_snapshot(fd));
}

/* Append marks, killed at some moment; where the file ends then. */
static off_t append_killed(int fd, int us)
{
	static unsigned char marks[APPENDED];
	pid_t pid;

	memset(marks, MARK, sizeof(marks));
	if (ftruncate(fd, 0))
		return -1;
	pid = fork();
	if (!pid) {
		pwrite(fd, marks, sizeof(marks), 0);
		_exit(0);
	}
	usleep(us);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return lseek(fd, 0, SEEK_END);
}

FIXTURE(append) {
	int fd;
	pid_t pid[2];
};

FIXTURE_SETUP(append)
{
	int i;

	self->fd = bsdvm_create(0);
	ASSERT_GE(self->fd, 0);
	for (i = 0; i < 2; i++)
		self->pid[i] = contender(self->fd);
}

FIXTURE_TEARDOWN(append)
{
	int i;

	for (i = 0; i < 2; i++) {
		kill(self->pid[i], SIGKILL);
		waitpid(self->pid[i], NULL, 0);
	}
	EXPECT_EQ(bsdvm_check(self->fd), 0);
	close(self->fd);
}

/* A write cut short by a fatal signal leaves no zeroes behind its last byte. */
TEST_F_TIMEOUT(append, ends_where_it_was_cut, 240)
{
	int i, torn = 0, times = bsdvm_repeat(200);
	off_t end;

	for (i = 0; i < times; i++) {
		end = append_killed(self->fd, 300 * (7 * i % 40));
		ASSERT_GE(end, 0);
		torn += end > 0 && byte_at(self->fd, end - 1) != MARK;
	}
	EXPECT_EQ(torn, 0);
}

TEST_HARNESS_MAIN
