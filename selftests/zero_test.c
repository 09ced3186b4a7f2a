// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Memory never seen before reads zero, however it comes to be seen. Proves
 * most where free pages hold something: with init_on_alloc=0 page_poison=1, as
 * tools/guest boots, if the kernel has page poisoning, and after much memory was
 * written and given back.
 */

#define _GNU_SOURCE
#include <sys/uio.h>

#include "modules/bsdvm_pin.h"
#include "process_util.h"
#include "kselftest_harness.h"

#define NPAGES	256UL
#define SIZE	(NPAGES * PAGE)
#define POISON	0xaa	/* PAGE_POISON of Linux */

/* Leave something in the pages that come next, so many bytes of them. */
static void soil_memory(size_t length)
{
	void *p = mmap(NULL, length, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	memset(p, 0xbb, length);
	munmap(p, length);
}

FIXTURE(zero) {
	int fd;
	unsigned char *p;
};

FIXTURE_SETUP(zero)
{
	soil_memory(8 * SIZE);
	self->fd = bsdvm_create(SIZE);
	ASSERT_GE(self->fd, 0);
	self->p = bsdvm_mmap(self->fd, SIZE);
	ASSERT_NE(self->p, MAP_FAILED);
}

FIXTURE_TEARDOWN(zero)
{
	EXPECT_EQ(bsdvm_check(self->fd), 0);
	munmap(self->p, SIZE);
	close(self->fd);
}

static bool reads_zero(int fd, off_t from, size_t length)
{
	unsigned char *buffer = malloc(length);
	bool zero;

	memset(buffer, 0x5a, length);
	zero = pread(fd, buffer, length, from) == length &&
	       all_bytes(buffer, length, 0);
	free(buffer);
	return zero;
}

/* As other processes and other maps see a map. */
static bool maps_zero(int fd, off_t from, size_t length)
{
	unsigned char *q = mmap(NULL, length, PROT_READ, MAP_SHARED, fd, from);
	bool zero = q != MAP_FAILED && all_bytes(q, length, 0);

	munmap(q, length);
	return zero;
}

/* Is all of the page zero but its first byte? */
static bool rest_is_zero(const unsigned char *page)
{
	return all_bytes(page + 1, PAGE - 1, 0);
}

/*
 * No page has bytes of somebody else: not where a hole is read, by either way,
 * nor where a byte is written to it.
 */
TEST(r14_page_of_somebody_else)
{
	const size_t large = (64UL << 20) / bsdvm_slowdown() & ~(4 * PAGE - 1);
	unsigned char *p;
	size_t at;
	int fd;

	soil_memory(large);
	fd = bsdvm_create(large);
	p = bsdvm_mmap(fd, large);
	ASSERT_NE(p, MAP_FAILED);
	EXPECT_TRUE(reads_zero(fd, 0, large / 4));
	EXPECT_TRUE(all_bytes(p, large / 2, 0));
	for (at = 0; at < large; at += PAGE)
		p[at] = 1;
	for (at = 0; at < large; at += PAGE)
		ASSERT_TRUE(rest_is_zero(p + at));
	ASSERT_EQ(punch(fd, 0, large / 2), 0);
	EXPECT_TRUE(reads_zero(fd, 0, large / 2));
	munmap(p, large);
	close(fd);
}

/* What all of a page holds that the kernel has just taken; -1: cannot tell. */
static int fresh_byte(void)
{
	int fd = open("/dev/bsdvm_pin", O_RDWR | O_CLOEXEC);
	struct bsdvm_pin arg = { };
	bool told = fd >= 0 && !ioctl(fd, BSDVM_PIN_FRESH, &arg);

	if (fd >= 0)
		close(fd);
	return told ? (int)arg.value : -1;
}

/*
 * Only who fills a page hides what it held. Where the environment says that the
 * kernel can poison pages, PAGE_POISONING=1, it is a failure if it does not.
 */
TEST(memory_is_poisoned)
{
	int byte;

	soil_memory(8 * SIZE);
	byte = fresh_byte();
	if (byte == POISON)
		return;
	ASSERT_EQ(getenv("PAGE_POISONING"), NULL)
		TH_LOG("a fresh page holds %#x, no poison", byte);
	if (byte < 0)
		SKIP(return, "no /dev/bsdvm_pin to look at free pages");
	SKIP(return, "this kernel does not poison free pages");
}

/* A fresh map, read through a mapping from the start. */
TEST_F(zero, fresh_mapping)
{
	EXPECT_TRUE(all_bytes(self->p, SIZE, 0));
}

/* A fresh map, read by system call, which leaves the holes. */
TEST_F(zero, fresh_read)
{
	EXPECT_TRUE(reads_zero(self->fd, 0, SIZE));
	EXPECT_EQ(lseek(self->fd, 0, SEEK_DATA), -1);
}

/* The rest of a page that is written to, and the neighbours of a writer. */
TEST_F(zero, rest_of_written_pages)
{
	size_t i;

	for (i = 0; i < NPAGES / 2; i++)
		self->p[i * PAGE] = 1;
	for (i = 0; i < NPAGES / 2; i++)
		EXPECT_TRUE(rest_is_zero(self->p + i * PAGE));
	EXPECT_TRUE(all_bytes(self->p + SIZE / 2, SIZE / 2, 0));
}

/* The same backwards, which nobody expects to be sequential. */
TEST_F(zero, rest_of_pages_written_backwards)
{
	size_t i;

	for (i = NPAGES; i-- > 0; )
		self->p[i * PAGE] = 1;
	for (i = 0; i < NPAGES; i++)
		EXPECT_TRUE(rest_is_zero(self->p + i * PAGE));
}

/* The rest of a page of which a part was written by system call. */
TEST_F(zero, rest_of_partial_writes)
{
	size_t i;

	for (i = 0; i < NPAGES; i += 3)
		ASSERT_EQ(pwrite(self->fd, "x", 1, i * PAGE), 1);
	for (i = 0; i < NPAGES; i++) {
		EXPECT_EQ(self->p[i * PAGE], i % 3 ? 0 : 'x');
		EXPECT_TRUE(rest_is_zero(self->p + i * PAGE));
	}
}

/* A write that fails half way leaves nothing of the page it took. */
TEST_F(zero, rest_of_failed_writes)
{
	unsigned char *q = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct iovec iov[2] = { { q, 100 }, { q + PAGE, 100 } };

	memset(q, 0x77, PAGE);
	munmap(q + PAGE, PAGE);
	EXPECT_EQ(pwritev(self->fd, iov, 2, 5 * PAGE), 100);
	EXPECT_TRUE(all_bytes(self->p + 5 * PAGE, 100, 0x77));
	EXPECT_TRUE(all_bytes(self->p + 5 * PAGE + 100, PAGE - 100, 0));
	EXPECT_EQ(pwritev(self->fd, iov + 1, 1, 9 * PAGE), -1);
	EXPECT_TRUE(all_bytes(self->p + 9 * PAGE, PAGE, 0));
	munmap(q, PAGE);
}

/* Memory that fallocate() asked for. */
TEST_F(zero, allocated)
{
	ASSERT_EQ(fallocate(self->fd, 0, 10, SIZE - 20), 0);
	EXPECT_TRUE(reads_zero(self->fd, 0, SIZE));
	EXPECT_TRUE(all_bytes(self->p, SIZE, 0));
}

/* Pages punched out, whole and in part. */
TEST_F(zero, punched)
{
	memset(self->p, 0xaa, SIZE);
	ASSERT_EQ(punch(self->fd, PAGE + 100, 20 * PAGE), 0);
	EXPECT_TRUE(all_bytes(self->p, PAGE + 100, 0xaa));
	EXPECT_TRUE(all_bytes(self->p + PAGE + 100, 20 * PAGE, 0));
	EXPECT_TRUE(all_bytes(self->p + 21 * PAGE + 100, PAGE, 0xaa));
	self->p[3 * PAGE] = 1;
	EXPECT_TRUE(rest_is_zero(self->p + 3 * PAGE));
	ASSERT_EQ(punch(self->fd, 0, SIZE), 0);
	EXPECT_TRUE(reads_zero(self->fd, 0, SIZE));
	EXPECT_TRUE(all_bytes(self->p, SIZE, 0));
}

/* The same over a snapshot, whose pages lie behind the holes. */
TEST_F(zero, punched_over_a_snapshot)
{
	uint32_t id, i;

	memset(self->p, 0xaa, SIZE);
	id = bsdvm_snapshot(self->fd);
	ASSERT_NE(id, 0);
	memset(self->p + 4 * PAGE, 0xab, 4 * PAGE);
	ASSERT_EQ(punch(self->fd, 2 * PAGE, 20 * PAGE), 0);
	EXPECT_TRUE(reads_zero(self->fd, 2 * PAGE, 20 * PAGE));
	EXPECT_TRUE(all_bytes(self->p + 2 * PAGE, 20 * PAGE, 0));
	for (i = 2; i < 22; i += 2)
		self->p[i * PAGE] = 1;
	for (i = 2; i < 22; i++)
		EXPECT_TRUE(rest_is_zero(self->p + i * PAGE));
	EXPECT_TRUE(all_bytes(self->p + 22 * PAGE, SIZE - 22 * PAGE, 0xaa));
	EXPECT_EQ(bsdvm_drop(self->fd, id), 0);
	for (i = 2; i < 22; i++)
		EXPECT_TRUE(rest_is_zero(self->p + i * PAGE));
	EXPECT_TRUE(all_bytes(self->p + 22 * PAGE, SIZE - 22 * PAGE, 0xaa));
}

/* What shrinking cut off, in the middle of a page, when it comes back. */
TEST_F(zero, shrunk_and_grown)
{
	const off_t end = 10 * PAGE + 33;

	memset(self->p, 0xaa, SIZE);
	ASSERT_EQ(ftruncate(self->fd, end), 0);
	ASSERT_EQ(ftruncate(self->fd, SIZE), 0);
	EXPECT_TRUE(all_bytes(self->p, end, 0xaa));
	EXPECT_TRUE(all_bytes(self->p + end, SIZE - end, 0));
	EXPECT_TRUE(reads_zero(self->fd, end, SIZE - end));
}

/* The same over a snapshot, and in the snapshot when it grows. */
TEST_F(zero, shrunk_and_grown_over_snapshots)
{
	const off_t end = 10 * PAGE + 33;
	uint32_t long_id, short_id;
	int fd;

	memset(self->p, 0xaa, SIZE);
	long_id = bsdvm_snapshot(self->fd);
	ASSERT_EQ(ftruncate(self->fd, end), 0);
	short_id = bsdvm_snapshot(self->fd);
	ASSERT_EQ(ftruncate(self->fd, SIZE), 0);
	EXPECT_TRUE(all_bytes(self->p, end, 0xaa));
	EXPECT_TRUE(all_bytes(self->p + end, SIZE - end, 0));
	fd = bsdvm_open(self->fd, short_id);
	EXPECT_EQ(lseek(fd, 0, SEEK_END), end);
	ASSERT_EQ(ftruncate(fd, SIZE), 0);
	EXPECT_TRUE(reads_zero(fd, end, SIZE - end));
	EXPECT_TRUE(maps_zero(fd, 11 * PAGE, SIZE - 11 * PAGE));
	EXPECT_EQ(byte_at(fd, end - 1), 0xaa);
	close(fd);
	fd = bsdvm_open(self->fd, long_id);
	EXPECT_EQ(byte_at(fd, SIZE - 1), 0xaa);
	EXPECT_EQ(byte_at(fd, end), 0xaa);
	close(fd);
}

/* Behind the end of the file, in its last page. */
TEST_F(zero, behind_the_end)
{
	ASSERT_EQ(ftruncate(self->fd, 100), 0);
	EXPECT_TRUE(all_bytes(self->p, PAGE, 0));
	ASSERT_EQ(pwrite(self->fd, "x", 1, 150), 1);
	EXPECT_TRUE(all_bytes(self->p, 150, 0));
	EXPECT_TRUE(all_bytes(self->p + 151, PAGE - 151, 0));
}

/* What a mapping left behind the end is gone when the file grows over it. */
TEST_F(zero, written_behind_the_end)
{
	ASSERT_EQ(ftruncate(self->fd, PAGE + 100), 0);
	memset(self->p + PAGE + 100, 0xcc, PAGE - 100);
	ASSERT_EQ(ftruncate(self->fd, PAGE + 200), 0);
	EXPECT_TRUE(all_bytes(self->p + PAGE, PAGE, 0));
	memset(self->p + PAGE + 200, 0xcd, PAGE - 200);
	ASSERT_EQ(pwrite(self->fd, "x", 1, 3 * PAGE), 1);
	EXPECT_TRUE(all_bytes(self->p + PAGE, 2 * PAGE, 0));
	ASSERT_EQ(ftruncate(self->fd, 3 * PAGE + 10), 0);
	memset(self->p + 3 * PAGE + 10, 0xce, PAGE - 10);
	ASSERT_EQ(fallocate(self->fd, 0, 0, 5 * PAGE), 0);
	EXPECT_TRUE(all_bytes(self->p + 3 * PAGE + 10, 2 * PAGE - 10, 0));
}

/* Nor is it in a snapshot, or a branch, that grows. */
TEST_F(zero, written_behind_the_end_of_a_snapshot)
{
	uint32_t id;
	int fd;

	ASSERT_EQ(ftruncate(self->fd, PAGE + 100), 0);
	memset(self->p + PAGE, 0xcc, PAGE);
	id = bsdvm_snapshot(self->fd);
	ASSERT_NE(id, 0);
	fd = bsdvm_open(self->fd, id);
	ASSERT_EQ(ftruncate(fd, 3 * PAGE), 0);
	EXPECT_EQ(byte_at(fd, PAGE + 99), 0xcc);
	EXPECT_TRUE(reads_zero(fd, PAGE + 100, 2 * PAGE - 100));
	EXPECT_TRUE(maps_zero(fd, 2 * PAGE, PAGE));
	close(fd);
	ASSERT_EQ(ftruncate(self->fd, SIZE), 0);
	EXPECT_TRUE(all_bytes(self->p + PAGE + 100, SIZE - PAGE - 100, 0));
}

/* Holes in a snapshot and in what is opened from it, filled or not. */
TEST_F(zero, holes_of_a_snapshot)
{
	unsigned char *q;
	uint32_t id;
	size_t i;
	int fd;

	for (i = 0; i < NPAGES; i += 4)
		self->p[i * PAGE] = 0x11;
	id = bsdvm_snapshot(self->fd);
	ASSERT_NE(id, 0);
	soil_memory(8 * SIZE);
	for (i = 1; i < NPAGES; i += 4)
		self->p[i * PAGE] = 0x12;
	fd = bsdvm_open(self->fd, id);
	q = bsdvm_mmap(fd, SIZE);
	ASSERT_NE(q, MAP_FAILED);
	for (i = 0; i < NPAGES; i++) {
		EXPECT_EQ(q[i * PAGE], i % 4 ? 0 : 0x11);
		EXPECT_TRUE(rest_is_zero(q + i * PAGE));
		q[i * PAGE] = 0x13;
		EXPECT_TRUE(rest_is_zero(q + i * PAGE));
		EXPECT_TRUE(rest_is_zero(self->p + i * PAGE));
	}
	EXPECT_EQ(bsdvm_check(fd), 0);
	munmap(q, SIZE);
	close(fd);
}

/* A shadow of holes, beyond which it may grow. */
TEST_F(zero, shadow)
{
	int fd;

	memset(self->p, 0xaa, 4 * PAGE);
	memset(self->p + 8 * PAGE, 0xaa, 8 * PAGE);
	fd = bsdvm_shadow(self->fd, 2 * PAGE, 8 * PAGE);
	ASSERT_GE(fd, 0);
	EXPECT_TRUE(reads_zero(fd, 2 * PAGE, 4 * PAGE));
	EXPECT_TRUE(maps_zero(fd, 2 * PAGE, 4 * PAGE));
	ASSERT_EQ(ftruncate(fd, 20 * PAGE), 0);
	/* Not what the origin has there. */
	EXPECT_TRUE(reads_zero(fd, 8 * PAGE, 12 * PAGE));
	EXPECT_TRUE(maps_zero(fd, 8 * PAGE, 12 * PAGE));
	close(fd);
}

/* Wired pages are there at once, and zero; a punch makes them so again. */
TEST_F(zero, wired)
{
	ASSERT_EQ(bsdvm_wire(self->fd, 0, SIZE / 2, 0), 0);
	EXPECT_TRUE(all_bytes(self->p, SIZE, 0));
	memset(self->p, 0xaa, SIZE);
	ASSERT_EQ(punch(self->fd, 0, SIZE), 0);
	EXPECT_TRUE(all_bytes(self->p, SIZE, 0));
	ASSERT_EQ(bsdvm_unwire(self->fd, 0, SIZE / 2, 0), 0);
	EXPECT_TRUE(reads_zero(self->fd, 0, SIZE));
}

/* Grown far beyond, and written there. */
TEST_F(zero, grown)
{
	const off_t far = 1L << 40;
	unsigned char *q;

	ASSERT_EQ(pwrite(self->fd, "x", 1, far + PAGE), 1);
	EXPECT_TRUE(reads_zero(self->fd, SIZE, SIZE));
	EXPECT_TRUE(reads_zero(self->fd, far, PAGE));
	q = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, self->fd,
		 far);
	ASSERT_NE(q, MAP_FAILED);
	EXPECT_TRUE(all_bytes(q, PAGE, 0));
	EXPECT_TRUE(rest_is_zero(q + PAGE));
	munmap(q, 2 * PAGE);
}

TEST_HARNESS_MAIN
