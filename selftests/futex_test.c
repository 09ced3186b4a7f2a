// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Futexes: the key of a word of a map is the same before and after the page is
 * frozen, copied, renamed, collapsed or punched. Whoever waits is woken.
 */

#define _GNU_SOURCE
#include <pthread.h>
#include <sys/syscall.h>
#include <time.h>

#include <linux/futex.h>

#include "process_util.h"
#include "kselftest_harness.h"

#define NPAGES	4UL
#define SIZE	(NPAGES * PAGE)
#define WORD	(PAGE / 4 + 3)	/* the word that is waited for */

static long futex(volatile uint32_t *word, int op, uint32_t value)
{
	const struct timespec limit = { .tv_sec = 20 };

	return syscall(SYS_futex, word, op, value,
		       op == FUTEX_WAIT ? &limit : NULL, NULL, 0);
}

FIXTURE(futex) {
	int fd;
	uint32_t *p;
	pid_t pid;
};

/* Wait until the word is no longer 0; 0, or what went wrong. */
static int waiter(uint32_t *p)
{
	while (!__atomic_load_n(&p[WORD], __ATOMIC_SEQ_CST))
		if (futex(&p[WORD], FUTEX_WAIT, 0) && errno != EAGAIN)
			return errno;
	return 0;
}

/* Does a process sleep in futex()? */
static bool is_waiting(pid_t pid)
{
	char path[64], line[128] = "";
	int nr = -1, fd;

	sprintf(path, "/proc/%d/syscall", pid);
	fd = open(path, O_RDONLY);
	if (fd < 0 || read(fd, line, sizeof(line) - 1) < 0)
		return false;
	close(fd);
	return sscanf(line, "%d", &nr) == 1 && nr == SYS_futex;
}

static bool waits(pid_t pid)
{
	int i;

	for (i = 0; i < 500; i++) {
		if (is_waiting(pid))
			return true;
		usleep(10000);
	}
	return false;
}

/* A process that maps @fd itself, and waits. */
static pid_t start_waiter(int fd)
{
	pid_t pid = fork();
	uint32_t *p;

	if (pid)
		return waits(pid) ? pid : -1;
	p = bsdvm_mmap(fd, SIZE);
	_exit(p == MAP_FAILED ? 99 : waiter(p));
}

FIXTURE_SETUP(futex)
{
	self->fd = bsdvm_create(SIZE);
	ASSERT_GE(self->fd, 0);
	self->p = bsdvm_mmap(self->fd, SIZE);
	ASSERT_NE(self->p, MAP_FAILED);
	/* The word is in memory, though zero. */
	self->p[WORD + 1] = 1;
	self->pid = start_waiter(self->fd);
	ASSERT_GT(self->pid, 0);
}

FIXTURE_TEARDOWN(futex)
{
	EXPECT_EQ(bsdvm_check(self->fd), 0);
	munmap(self->p, SIZE);
	close(self->fd);
}

/* Write to the word and wake: one waiter there, who sees it and ends well. */
static void expect_ends(struct __test_metadata *_metadata, pid_t pid,
			uint32_t *p)
{
	int status = -1;

	__atomic_store_n(&p[WORD], 7, __ATOMIC_SEQ_CST);
	EXPECT_EQ(futex(&p[WORD], FUTEX_WAKE, 100), 1);
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
}

static void expect_woken(struct __test_metadata *_metadata,
			 FIXTURE_DATA(futex) *self, uint32_t *p)
{
	expect_ends(_metadata, self->pid, p);
}

/* Without anything in between: the test itself works. */
TEST_F(futex, plain)
{
	expect_woken(_metadata, self, self->p);
}

/* The page is frozen while he waits, and copied by the write. */
TEST_F(futex, across_snapshot_and_copy)
{
	uint32_t id = bsdvm_snapshot(self->fd);

	ASSERT_NE(id, 0);
	expect_woken(_metadata, self, self->p);
	EXPECT_EQ(snapshot_byte(self->fd, id, WORD * 4), 0);
}

/* The same many times over, with chains growing. */
TEST_F(futex, across_many_snapshots)
{
	int i;

	for (i = 0; i < 20; i++) {
		ASSERT_NE(bsdvm_snapshot(self->fd), 0);
		self->p[WORD + 1] = i;
	}
	expect_woken(_metadata, self, self->p);
}

/* The wake comes before the copy: the waker only reads. */
TEST_F(futex, woken_on_the_frozen_page)
{
	int status;

	ASSERT_NE(bsdvm_snapshot(self->fd), 0);
	ASSERT_EQ(self->p[WORD], 0);
	EXPECT_EQ(futex(&self->p[WORD], FUTEX_WAKE, 1), 1);
	ASSERT_TRUE(waits(self->pid));
	usleep(100000);
	__atomic_store_n(&self->p[WORD], 1, __ATOMIC_SEQ_CST);
	futex(&self->p[WORD], FUTEX_WAKE, 1);
	EXPECT_EQ(waitpid(self->pid, &status, 0), self->pid);
	EXPECT_EQ(status, 0);
}

/* The page is taken over by the only object that still shows it. */
TEST_F(futex, across_rename_and_collapse)
{
	uint32_t first = bsdvm_snapshot(self->fd), second;

	self->p[0] = 1;
	second = bsdvm_snapshot(self->fd);
	self->p[1] = 1;
	ASSERT_EQ(bsdvm_drop(self->fd, first), 0);
	ASSERT_EQ(bsdvm_drop(self->fd, second), 0);
	expect_woken(_metadata, self, self->p);
}

/* The page is punched away, and a new one is there. */
TEST_F(futex, across_punch)
{
	ASSERT_EQ(punch(self->fd, 0, SIZE), 0);
	expect_woken(_metadata, self, self->p);
}

/* He is woken through a mapping at another address and another offset. */
TEST_F(futex, through_another_mapping)
{
	unsigned char *q = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
				self->fd, PAGE);
	unsigned char *to = mmap(NULL, PAGE, PROT_NONE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(q, MAP_FAILED);
	ASSERT_NE(bsdvm_snapshot(self->fd), 0);
	q = mremap(q, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to);
	ASSERT_EQ(q, to);
	expect_woken(_metadata, self, (uint32_t *)(q - PAGE));
	munmap(q, PAGE);
}

/* A branch has keys of its own, whether it has its own page already or not. */
TEST_F(futex, branch_wakes_nobody)
{
	uint32_t id = bsdvm_snapshot(self->fd), *q;
	int branch = bsdvm_open(self->fd, id);

	q = bsdvm_mmap(branch, SIZE);
	ASSERT_NE(q, MAP_FAILED);
	ASSERT_EQ(q[WORD], 0);
	EXPECT_EQ(futex(&q[WORD], FUTEX_WAKE, 1), 0);
	q[WORD] = 1;
	EXPECT_EQ(futex(&q[WORD], FUTEX_WAKE, 1), 0);
	EXPECT_TRUE(is_waiting(self->pid));
	expect_woken(_metadata, self, self->p);
	munmap(q, SIZE);
	close(branch);
}

/* Nor does another map, at the same offset. */
TEST_F(futex, other_map_wakes_nobody)
{
	int fd = bsdvm_create(SIZE);
	uint32_t *q = bsdvm_mmap(fd, SIZE);

	q[WORD] = 1;
	EXPECT_EQ(futex(&q[WORD], FUTEX_WAKE, 1), 0);
	EXPECT_TRUE(is_waiting(self->pid));
	expect_woken(_metadata, self, self->p);
	munmap(q, SIZE);
	close(fd);
}

/* A waiter in a branch, whose origin and snapshot change and go. */
TEST_F(futex, waiter_in_a_branch)
{
	uint32_t id = bsdvm_snapshot(self->fd), *q;
	int branch = bsdvm_open(self->fd, id);
	pid_t pid = start_waiter(branch);

	ASSERT_GT(pid, 0);
	expect_woken(_metadata, self, self->p);
	EXPECT_TRUE(is_waiting(pid));
	ASSERT_EQ(bsdvm_drop(self->fd, id), 0);
	ASSERT_NE(bsdvm_snapshot(branch), 0);
	q = bsdvm_mmap(branch, SIZE);
	expect_ends(_metadata, pid, q);
	munmap(q, SIZE);
	close(branch);
}

/*
 * The branch takes the pages over. Its waiter has the page mapped for writing,
 * without a fault of its own there; whoever wakes him has one.
 */
TEST_F(futex, waiter_on_a_page_taken_over)
{
	uint32_t id, *q;
	pid_t pid;
	int fd = bsdvm_create(SIZE), branch;

	q = bsdvm_mmap(fd, SIZE);
	ASSERT_NE(q, MAP_FAILED);
	memset(q, 0, SIZE);
	munmap(q, SIZE);
	id = bsdvm_snapshot(fd);
	branch = bsdvm_open(fd, id);
	ASSERT_GE(branch, 0);
	ASSERT_EQ(bsdvm_drop(fd, id), 0);
	close(fd);
	pid = fork();
	if (!pid) {
		q = bsdvm_mmap(branch, SIZE);
		q[0] = 1;
		_exit(waiter(q));
	}
	ASSERT_TRUE(waits(pid));
	q = bsdvm_mmap(branch, SIZE);
	expect_ends(_metadata, pid, q);
	munmap(q, SIZE);
	close(branch);
	expect_woken(_metadata, self, self->p);
}

/* ---- a mutex between processes ----------------------------------------- */

#define ROUNDS	3000

struct shared {
	pthread_mutex_t mutex;
	unsigned long count;
	unsigned long copy[3][PAGE / sizeof(long)];
};

/* Two words that only who has the mutex changes, on different pages. */
static int count_up(void *context)
{
	struct shared *shared = context;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		pthread_mutex_lock(&shared->mutex);
		if (shared->copy[2][0] != shared->count)
			return 1;
		shared->count++;
		shared->copy[2][0]++;
		pthread_mutex_unlock(&shared->mutex);
	}
	return 0;
}

static int start_counter(void *context)
{
	pid_t pid = fork();

	if (!pid)
		_exit(count_up(context));
	return pid;
}

/* Processes that share a mutex lose nothing while snapshots are taken. */
TEST(mutex_in_a_map)
{
	int fd = bsdvm_create(sizeof(struct shared)), status, i;
	struct shared *shared = bsdvm_mmap(fd, sizeof(*shared));
	pthread_mutexattr_t attr;
	pid_t pid[3];
	uint32_t id;

	ASSERT_NE(shared, MAP_FAILED);
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&shared->mutex, &attr);
	for (i = 0; i < ARRAY_SIZE(pid); i++)
		pid[i] = start_counter(shared);
	for (i = 0; i < 200; i++) {
		id = bsdvm_snapshot(fd);
		ASSERT_NE(id, 0);
		usleep(1000);
		ASSERT_EQ(bsdvm_drop(fd, id), 0);
	}
	for (i = 0; i < ARRAY_SIZE(pid); i++) {
		ASSERT_EQ(waitpid(pid[i], &status, 0), pid[i]);
		EXPECT_EQ(status, 0);
	}
	EXPECT_EQ(shared->count, ROUNDS * ARRAY_SIZE(pid));
	EXPECT_EQ(bsdvm_check(fd), 0);
	close(fd);
}

TEST_HARNESS_MAIN
