// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * read and write where a memfd has nothing to compare with: over chains, from
 * and into the map itself, and by several at once. The rest is parity_test's.
 */

#define _GNU_SOURCE
#include <pthread.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "process_util.h"
#include "kselftest_harness.h"

#define NPAGES	16UL
#define SIZE	(NPAGES * PAGE)
#define FIRST	0x70

FIXTURE(io) {
	int fd;
	unsigned char *p;
	unsigned char *buffer;
};

FIXTURE_SETUP(io)
{
	self->fd = bsdvm_create(SIZE);
	ASSERT_GE(self->fd, 0);
	self->p = bsdvm_mmap(self->fd, SIZE);
	ASSERT_NE(self->p, MAP_FAILED);
	self->buffer = malloc(SIZE);
}

FIXTURE_TEARDOWN(io)
{
	EXPECT_EQ(bsdvm_check(self->fd), 0);
	free(self->buffer);
	munmap(self->p, SIZE);
	close(self->fd);
}

/* One read over pages of several objects of a chain, and holes. */
TEST_F(io, read_through_a_chain)
{
	size_t i;

	for (i = 0; i < NPAGES; i += 2) {
		memset(self->p + i * PAGE, FIRST + i, PAGE);
		ASSERT_NE(bsdvm_snapshot(self->fd), 0);
	}
	ASSERT_EQ(pread(self->fd, self->buffer, SIZE, 0), SIZE);
	for (i = 0; i < NPAGES; i++)
		EXPECT_TRUE(all_bytes(self->buffer + i * PAGE, PAGE,
				      i % 2 ? 0 : FIRST + i));
}

/* A write of part of a page copies the rest from behind. */
TEST_F(io, partial_write_over_a_snapshot)
{
	uint32_t id;

	fill_pages(self->p, NPAGES, FIRST);
	id = bsdvm_snapshot(self->fd);
	ASSERT_NE(id, 0);
	memset(self->buffer, 0xee, SIZE);
	ASSERT_EQ(pwrite(self->fd, self->buffer, 2 * PAGE, 3 * PAGE + 500),
		  2 * PAGE);
	EXPECT_TRUE(all_bytes(self->p + 3 * PAGE, 500, FIRST + 3));
	EXPECT_TRUE(all_bytes(self->p + 3 * PAGE + 500, 2 * PAGE, 0xee));
	EXPECT_TRUE(all_bytes(self->p + 5 * PAGE + 500, PAGE - 500,
			      FIRST + 5));
	EXPECT_TRUE(snapshot_holds(self->fd, id, NPAGES, FIRST));
}

/* A map written from its own mapping: the same page, and others. */
TEST_F(io, write_from_itself)
{
	uint32_t id;

	fill_pages(self->p, NPAGES, FIRST);
	id = bsdvm_snapshot(self->fd);
	ASSERT_NE(id, 0);
	ASSERT_EQ(pwrite(self->fd, self->p, PAGE, 0), PAGE);
	ASSERT_EQ(pwrite(self->fd, self->p + 100, PAGE, 4 * PAGE), PAGE);
	ASSERT_EQ(pwrite(self->fd, self->p + 8 * PAGE, 3 * PAGE, 8 * PAGE),
		  3 * PAGE);
	EXPECT_TRUE(all_bytes(self->p, PAGE, FIRST));
	EXPECT_TRUE(all_bytes(self->p + 4 * PAGE, PAGE - 100, FIRST));
	EXPECT_TRUE(all_bytes(self->p + 5 * PAGE - 100, 100, FIRST + 1));
	EXPECT_TRUE(pages_hold(self->p + 8 * PAGE, 3, FIRST + 8));
	EXPECT_TRUE(snapshot_holds(self->fd, id, NPAGES, FIRST));
}

/* The same where nothing is mapped yet: every access faults in the middle. */
TEST_F(io, write_from_itself_unmapped)
{
	fill_pages(self->p, NPAGES, FIRST);
	madvise(self->p, SIZE, MADV_DONTNEED);
	ASSERT_EQ(pwrite(self->fd, self->p, PAGE, 0), PAGE);
	madvise(self->p, SIZE, MADV_DONTNEED);
	ASSERT_EQ(pwrite(self->fd, self->p + PAGE / 2, PAGE, PAGE), PAGE);
	EXPECT_TRUE(all_bytes(self->p, PAGE + PAGE / 2, FIRST));
	EXPECT_TRUE(all_bytes(self->p + PAGE + PAGE / 2, PAGE / 2, FIRST));
}

/* A map read into its own mapping, frozen pages and holes included. */
TEST_F(io, read_into_itself)
{
	uint32_t id;

	fill_pages(self->p, NPAGES / 2, FIRST);
	id = bsdvm_snapshot(self->fd);
	ASSERT_NE(id, 0);
	ASSERT_EQ(pread(self->fd, self->p, PAGE, 0), PAGE);
	ASSERT_EQ(pread(self->fd, self->p + 4 * PAGE, PAGE, PAGE), PAGE);
	ASSERT_EQ(pread(self->fd, self->p + 5 * PAGE, PAGE, 12 * PAGE), PAGE);
	ASSERT_EQ(pread(self->fd, self->p + 14 * PAGE, PAGE, 2 * PAGE), PAGE);
	EXPECT_TRUE(all_bytes(self->p, PAGE, FIRST));
	EXPECT_TRUE(all_bytes(self->p + 4 * PAGE, PAGE, FIRST + 1));
	EXPECT_TRUE(all_bytes(self->p + 5 * PAGE, PAGE, 0));
	EXPECT_TRUE(all_bytes(self->p + 14 * PAGE, PAGE, FIRST + 2));
	EXPECT_EQ(snapshot_byte(self->fd, id, 4 * PAGE), FIRST + 4);
	EXPECT_EQ(snapshot_byte(self->fd, id, 14 * PAGE), 0);
}

/* Between a map and its branch, in both directions. */
TEST_F(io, between_relatives)
{
	int branch;

	fill_pages(self->p, NPAGES, FIRST);
	branch = bsdvm_open(self->fd, bsdvm_snapshot(self->fd));
	ASSERT_GE(branch, 0);
	ASSERT_EQ(pwrite(branch, self->p, SIZE - PAGE, PAGE), SIZE - PAGE);
	EXPECT_TRUE(pages_hold(self->p, NPAGES, FIRST));
	ASSERT_EQ(pread(branch, self->p, SIZE, 0), SIZE);
	EXPECT_TRUE(pages_hold(self->p + PAGE, NPAGES - 1, FIRST));
	EXPECT_EQ(bsdvm_check(branch), 0);
	close(branch);
}

/* From memory that is not there: as much as there is, and no growth else. */
TEST_F(io, write_from_nowhere)
{
	unsigned char *q = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	memset(q, 1, 2 * PAGE);
	munmap(q + PAGE, PAGE);
	EXPECT_EQ(pwrite(self->fd, q + PAGE, 10, SIZE), -1);
	EXPECT_EQ(errno, EFAULT);
	EXPECT_EQ(lseek(self->fd, 0, SEEK_END), SIZE);
	EXPECT_EQ(pwrite(self->fd, q + PAGE - 10, 20, SIZE + 5), 10);
	EXPECT_EQ(lseek(self->fd, 0, SEEK_END), SIZE + 15);
	munmap(q, PAGE);
}

/* Beyond RLIMIT_FSIZE there is no growth. */
static int limited_writer(void *context)
{
	const struct rlimit limit = { SIZE + 10, SIZE + 10 };
	int fd = *(int *)context;

	signal(SIGXFSZ, SIG_IGN);
	if (setrlimit(RLIMIT_FSIZE, &limit))
		return 1;
	if (pwrite(fd, "0123456789abcdef", 16, SIZE) != 10)
		return 2;
	if (pwrite(fd, "x", 1, SIZE + 10) != -1 || errno != EFBIG)
		return 3;
	if (ftruncate(fd, SIZE + 11) != -1 || errno != EFBIG)
		return 4;
	return fallocate(fd, 0, SIZE, 11) != -1 || errno != EFBIG ? 5 : 0;
}

TEST_F(io, limited)
{
	EXPECT_EQ(in_child(limited_writer, &self->fd), 0);
	EXPECT_EQ(lseek(self->fd, 0, SEEK_END), SIZE + 10);
}

/* ---- several at once --------------------------------------------------- */

#define LINES	500

#define LARGE	(512UL << 20)

/* An allocation that is killed ends at once, and the file is as it was. */
TEST_F(io, allocation_killed)
{
	struct stat st = { };
	int status = 0;
	pid_t child = fork();

	ASSERT_GE(child, 0);
	if (!child) {
		fallocate(self->fd, 0, 0, LARGE);
		_exit(0);
	}
	while (!st.st_blocks && !waitpid(child, &status, WNOHANG)) {
		usleep(1000);
		ASSERT_EQ(fstat(self->fd, &st), 0);
	}
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	EXPECT_TRUE(WIFSIGNALED(status));
	ASSERT_EQ(fstat(self->fd, &st), 0);
	EXPECT_EQ(st.st_size, SIZE);
	EXPECT_LE(st.st_blocks, SIZE / 512);
}

struct appender {
	int fd;
	char c;
};

static void *append_lines(void *context)
{
	struct appender *appender = context;
	char line[37];
	int i;

	memset(line, appender->c, sizeof(line));
	for (i = 0; i < LINES; i++)
		if (write(appender->fd, line, sizeof(line)) != sizeof(line))
			abort();
	return NULL;
}

/* Lines appended by several threads are all there, and whole. */
TEST_F(io, append_at_once)
{
	struct appender appenders[3];
	pthread_t thread[3];
	char path[32], line[37];
	int i, count[3] = { };

	ASSERT_EQ(ftruncate(self->fd, 0), 0);
	sprintf(path, "/proc/self/fd/%d", self->fd);
	for (i = 0; i < 3; i++) {
		appenders[i].fd = open(path, O_WRONLY | O_APPEND);
		appenders[i].c = 'a' + i;
		pthread_create(&thread[i], NULL, append_lines, &appenders[i]);
	}
	for (i = 0; i < 3; i++)
		pthread_join(thread[i], NULL);
	while (read(self->fd, line, sizeof(line)) == sizeof(line)) {
		EXPECT_TRUE(all_bytes(line, sizeof(line), line[0]));
		count[line[0] - 'a']++;
	}
	for (i = 0; i < 3; i++)
		EXPECT_EQ(count[i], LINES);
}

struct resizer {
	int fd;
	volatile bool stop;
};

static void *resize(void *context)
{
	struct resizer *resizer = context;

	while (!resizer->stop) {
		if (ftruncate(resizer->fd, PAGE) ||
		    ftruncate(resizer->fd, SIZE))
			abort();
		usleep(100);
	}
	return NULL;
}

/* While the end moves, a read gives bytes that were there, or zeroes. */
TEST_F(io, read_while_resized)
{
	struct resizer resizer = { .fd = self->fd };
	pthread_t thread;
	ssize_t got;
	int i, j;

	memset(self->p, 0x77, PAGE);
	pthread_create(&thread, NULL, resize, &resizer);
	for (i = 0; i < 1000; i++) {
		got = pread(self->fd, self->buffer, SIZE, 0);
		ASSERT_GE(got, PAGE);
		EXPECT_TRUE(all_bytes(self->buffer, PAGE, 0x77));
		for (j = PAGE; j < got; j++)
			if (self->buffer[j])
				EXPECT_EQ(self->buffer[j], 0);
	}
	resizer.stop = true;
	pthread_join(thread, NULL);
}

TEST_HARNESS_MAIN
