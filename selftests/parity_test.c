// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A map's descriptor does what a memfd does. Each test takes the same steps on
 * both, notes what comes of every step, and compares the notes. What differs
 * on purpose is in the table of differences, with the reason.
 *
 * O_DIRECT needs a file that has it. tmpfs of Linux 6.1 has not, so the test
 * loads a RAM disk from /work/brd.ko, and is skipped where there is none.
 */

#define _GNU_SOURCE
#include <dirent.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <sys/file.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>

#include <linux/futex.h>
#include <linux/mman.h>

#include "disk_util.h"
#include "process_util.h"
#include "kselftest_harness.h"

#define NPAGES	8UL
#define SIZE	(NPAGES * PAGE)
#define FIRST	0x30

/* ---- notes ------------------------------------------------------------- */

#define NOTES	160

struct notes {
	size_t count;
	struct {
		const char *what;
		long value;
	} note[NOTES];
};

static void note(struct notes *notes, const char *what, long value)
{
	if (notes->count == NOTES)
		abort();
	notes->note[notes->count].what = what;
	notes->note[notes->count++].value = value;
}

/* The result of a system call: what it returned, or minus errno. */
static void note_call(struct notes *notes, const char *what, long ret)
{
	note(notes, what, ret == -1 ? -errno : ret);
}

/* That a call gave a pointer or a descriptor, not which. */
static void note_success(struct notes *notes, const char *what, long ret)
{
	note(notes, what, ret == -1 ? -errno : 0);
}

/* A number that stands for the bytes. */
static void note_bytes(struct notes *notes, const char *what, const void *p,
		       size_t length)
{
	const unsigned char *byte = p;
	uint64_t hash = 0xcbf29ce484222325;
	size_t i;

	for (i = 0; i < length; i++)
		hash = (hash ^ byte[i]) * 0x100000001b3;
	note(notes, what, hash);
}

/* What the file holds, and how long it is. */
static void note_file(struct notes *notes, const char *what, int fd)
{
	static unsigned char buffer[4 * SIZE];
	ssize_t got = pread(fd, buffer, sizeof(buffer), 0);

	note_call(notes, what, got);
	if (got > 0)
		note_bytes(notes, what, buffer, got);
}

/* Differences on purpose: notes that need not be equal, and why. */
static const struct {
	const char *what;
	const char *reason;
} differences[] = {
	{ "F_ADD_SEALS", "Linux seals only files of its own filesystems" },
	{ "F_GET_SEALS", "Linux seals only files of its own filesystems" },
	{ "ZERO_RANGE", "tmpfs of Linux 6.1 does not have it" },
	{ "written behind the end",
	  "POSIX wants zeroes when the file grows; tmpfs keeps the bytes" },
	{ "writing through a mapping sets mtime",
	  "every first write to a page would have to look at the clock" },
	{ "mincore of an absent mapping",
	  "mincore asks Linux's page cache, where our pages are not" },
};

static const char *difference(const char *what)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(differences); i++)
		if (!strcmp(differences[i].what, what))
			return differences[i].reason;
	return NULL;
}

static void compare_note(struct __test_metadata *_metadata,
			 const struct notes *memfd, const struct notes *map,
			 size_t i)
{
	const char *what = memfd->note[i].what;
	long expected = memfd->note[i].value, seen = map->note[i].value;
	const char *reason = difference(what);

	ASSERT_STREQ(what, map->note[i].what);
	if (expected == seen)
		return;
	if (reason)
		TH_LOG("differs: %s: memfd %ld, map %ld: %s", what, expected,
		       seen, reason);
	else
		EXPECT_EQ(expected, seen)
			TH_LOG("note %zu: %s", i, what);
}

/* ---- both kinds of descriptor ------------------------------------------ */

typedef void (*steps_t)(int fd, struct notes *notes);

/* Known pages in both, written by system call: nothing is mapped yet. */
static void prepare(struct __test_metadata *_metadata, int fd)
{
	unsigned char page[PAGE];
	size_t i;

	ASSERT_GE(fd, 0);
	for (i = 0; i < NPAGES; i++) {
		memset(page, FIRST + i, PAGE);
		ASSERT_EQ(pwrite(fd, page, PAGE, i * PAGE), PAGE);
	}
}

static void compare(struct __test_metadata *_metadata, steps_t steps)
{
	static struct notes memfd, map;
	int fd = memfd_create("parity", MFD_ALLOW_SEALING);
	size_t i;

	prepare(_metadata, fd);
	steps(fd, &memfd);
	close(fd);
	fd = bsdvm_create(SIZE);
	prepare(_metadata, fd);
	steps(fd, &map);
	EXPECT_EQ(bsdvm_check(fd), 0);
	close(fd);
	ASSERT_GT(memfd.count, 0);
	ASSERT_EQ(memfd.count, map.count);
	for (i = 0; i < memfd.count; i++)
		compare_note(_metadata, &memfd, &map, i);
}

/* A test that takes the steps that follow on both. */
#define PARITY(name)							\
	static void name##_steps(int fd, struct notes *notes);		\
	TEST(name)							\
	{								\
		compare(_metadata, name##_steps);			\
	}								\
	static void name##_steps(int fd, struct notes *notes)

static unsigned char *map_shared(int fd, size_t length)
{
	return bsdvm_mmap(fd, length);
}

static unsigned char *map_private(int fd, size_t length)
{
	return mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
}

/* ---- the file ---------------------------------------------------------- */

/* read and write in all their forms, at all alignments, over the end. */
PARITY(read_and_write)
{
	char buffer[3 * PAGE] = "some bytes to be written";
	struct iovec iov[] = {
		{ buffer, 5 }, { buffer + 100, PAGE + 7 }, { buffer + 1, 1 },
	};

	note_call(notes, "read", read(fd, buffer + 50, 10));
	note_bytes(notes, "read", buffer, sizeof(buffer));
	note_call(notes, "write", write(fd, buffer, PAGE + 3));
	note_call(notes, "position", lseek(fd, 0, SEEK_CUR));
	note_call(notes, "pwrite", pwrite(fd, buffer, 100, 3 * PAGE - 50));
	note_call(notes, "pread", pread(fd, buffer, 200, SIZE - 100));
	note_bytes(notes, "pread", buffer, sizeof(buffer));
	note_call(notes, "pread beyond", pread(fd, buffer, 200, SIZE));
	note_call(notes, "readv", readv(fd, iov, 3));
	note_bytes(notes, "readv", buffer, sizeof(buffer));
	note_call(notes, "writev", writev(fd, iov, 3));
	note_call(notes, "preadv", preadv(fd, iov, 3, SIZE - 10));
	note_call(notes, "pwritev", pwritev(fd, iov, 3, SIZE - 10));
	note_call(notes, "position", lseek(fd, 0, SEEK_CUR));
	note_file(notes, "file", fd);
	note_call(notes, "write far", pwrite(fd, "x", 1, SIZE + 2 * PAGE + 9));
	note_call(notes, "write 0", pwrite(fd, "x", 0, SIZE + 10 * PAGE));
	note_file(notes, "file", fd);
}

/* O_APPEND, by fcntl and by re-opening. */
PARITY(append)
{
	char path[32];
	int again;

	note_call(notes, "F_SETFL", fcntl(fd, F_SETFL, O_APPEND));
	note_call(notes, "write", write(fd, "abc", 3));
	note_call(notes, "pwrite", pwrite(fd, "def", 3, 0));
	note_call(notes, "position", lseek(fd, 0, SEEK_CUR));
	sprintf(path, "/proc/self/fd/%d", fd);
	again = open(path, O_WRONLY | O_APPEND);
	note_call(notes, "write", write(again, "ghi", 3));
	note_call(notes, "position", lseek(again, 0, SEEK_CUR));
	close(again);
	note_file(notes, "file", fd);
}

/* lseek: every whence, before, on and behind every edge of data and hole. */
PARITY(seek)
{
	static const long at[] = { -1, 0, 1, PAGE - 1, PAGE, 2 * PAGE,
		2 * PAGE + 5, 4 * PAGE - 1, 4 * PAGE, SIZE - 1, SIZE,
		SIZE + 1, 1L << 40 };
	static const int whence[] = { SEEK_SET, SEEK_CUR, SEEK_END, SEEK_DATA,
		SEEK_HOLE, 99 };
	size_t i, j;

	note_call(notes, "punch", punch(fd, 2 * PAGE, 2 * PAGE));
	note_call(notes, "punch", punch(fd, 7 * PAGE, PAGE));
	for (i = 0; i < ARRAY_SIZE(at); i++)
		for (j = 0; j < ARRAY_SIZE(whence); j++) {
			lseek(fd, PAGE, SEEK_SET);
			note_call(notes, "seek", lseek(fd, at[i], whence[j]));
		}
	note_call(notes, "shorten", ftruncate(fd, 7 * PAGE + 1));
	note_call(notes, "data", lseek(fd, 6 * PAGE + 1, SEEK_DATA));
	note_call(notes, "data", lseek(fd, 7 * PAGE, SEEK_DATA));
	note_call(notes, "hole", lseek(fd, 4 * PAGE, SEEK_HOLE));
}

/* ftruncate up and down, in the middle of pages: what was cut off is zero. */
PARITY(resize)
{
	static const off_t size[] = { SIZE - 1, SIZE, 3 * PAGE + 77,
		3 * PAGE + 78, 4 * PAGE, SIZE, 2 * PAGE, 2 * PAGE + 1, 1, 0,
		1, PAGE, SIZE + 5 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(size); i++) {
		note_call(notes, "ftruncate", ftruncate(fd, size[i]));
		note_file(notes, "file", fd);
		note_call(notes, "pwrite", pwrite(fd, "x", 1, size[i] / 2));
	}
}

/* Bytes written behind the end, in the last page, and then it grows. */
PARITY(behind_the_end)
{
	unsigned char *p = map_shared(fd, SIZE);

	note_call(notes, "ftruncate", ftruncate(fd, 2 * PAGE + 100));
	memset(p + 2 * PAGE, 0xee, PAGE);
	note_bytes(notes, "memory", p + 2 * PAGE, PAGE);
	note_file(notes, "file", fd);
	note_call(notes, "ftruncate", ftruncate(fd, 2 * PAGE + 200));
	note_bytes(notes, "written behind the end", p + 2 * PAGE, PAGE);
	memset(p + 2 * PAGE, 0xdd, PAGE);
	note_call(notes, "pwrite", pwrite(fd, "x", 1, 3 * PAGE + 10));
	note_bytes(notes, "written behind the end", p, 4 * PAGE);
	memset(p + 3 * PAGE, 0xcc, PAGE);
	note_call(notes, "fallocate", fallocate(fd, 0, 3 * PAGE, PAGE));
	note_bytes(notes, "written behind the end", p, 4 * PAGE);
	munmap(p, SIZE);
}

static long faults(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_minflt + 1000 * usage.ru_majflt;
}

/* F-25, C-10: a fault that does not wait for a disk is one minor fault. */
PARITY(fault_counts)
{
	unsigned char *p = map_shared(fd, SIZE);
	long before;
	size_t i;

	/* Neighbours stay away. */
	note_call(notes, "RANDOM", madvise(p, SIZE, MADV_RANDOM));
	/* The first time around, this program's own pages come, too. */
	for (i = 0; i < NPAGES; i += 2) {
		before = faults();
		p[i * PAGE] = 1;
		before = faults() - before;
		if (i)
			note(notes, "faults", before);
	}
	munmap(p, SIZE);
}

/* F-28: beyond the last page: SIGBUS, and nowhere else. */
PARITY(sigbus)
{
	unsigned char *p = map_shared(fd, 2 * SIZE);
	size_t i;

	note_call(notes, "ftruncate", ftruncate(fd, 5 * PAGE + 1));
	for (i = 0; i < NPAGES + 1; i++) {
		note(notes, "read", touch(p + i * PAGE, -1));
		note(notes, "write", touch(p + (i + 1) * PAGE - 1, 7));
	}
	note_call(notes, "ftruncate", ftruncate(fd, 5 * PAGE));
	note(notes, "read", touch(p + 5 * PAGE, -1));
	note_call(notes, "ftruncate", ftruncate(fd, 6 * PAGE));
	note(notes, "read", touch(p + 5 * PAGE, -1));
	note_bytes(notes, "memory", p, 6 * PAGE);
	munmap(p, 2 * SIZE);
	p = map_private(fd, 2 * SIZE);
	note(notes, "private read", touch(p + 6 * PAGE, -1));
	note(notes, "private write", touch(p + 6 * PAGE, 1));
	munmap(p, 2 * SIZE);
}

static void note_blocks(struct notes *notes, int fd)
{
	struct stat st;

	note_call(notes, "fstat", fstat(fd, &st));
	note(notes, "size", st.st_size);
	note(notes, "blocks", st.st_blocks);
}

/* fallocate: memory, size and bytes after each mode. */
PARITY(allocate)
{
	note_blocks(notes, fd);
	note_call(notes, "punch", punch(fd, 100, 2 * PAGE + 50));
	note_file(notes, "file", fd);
	note_blocks(notes, fd);
	note_call(notes, "punch", punch(fd, 5 * PAGE, 100 * PAGE));
	note_blocks(notes, fd);
	note_call(notes, "allocate", fallocate(fd, 0, PAGE + 1, PAGE));
	note_blocks(notes, fd);
	note_call(notes, "allocate", fallocate(fd, 0, SIZE, PAGE + 1));
	note_file(notes, "file", fd);
	note_blocks(notes, fd);
	note_call(notes, "keep size", fallocate(fd, FALLOC_FL_KEEP_SIZE, PAGE,
						2 * PAGE));
	note_blocks(notes, fd);
	note_call(notes, "punch in a page", punch(fd, 3 * PAGE + 1, 5));
	note_call(notes, "punch nothing", punch(fd, 3 * PAGE, 0));
	note_file(notes, "file", fd);
}

/* The last page goes as a whole, though the file ends within it. */
PARITY(punch_over_the_end)
{
	unsigned char *p = map_shared(fd, SIZE);

	note_call(notes, "shorten", ftruncate(fd, 5 * PAGE + 1000));
	p[5 * PAGE + 2000] = 1;
	note_call(notes, "punch", punch(fd, 4 * PAGE, 2 * PAGE));
	note(notes, "behind the end", p[5 * PAGE + 2000]);
	note_blocks(notes, fd);
	note_call(notes, "punch", punch(fd, 3 * PAGE, 3 * PAGE));
	note_call(notes, "hole", lseek(fd, 0, SEEK_HOLE));
	note_call(notes, "data", lseek(fd, 4 * PAGE, SEEK_DATA));
	note_blocks(notes, fd);
	munmap(p, SIZE);
}

/* Bytes beyond the end that KEEP_SIZE asked for are zero when they come. */
PARITY(keep_size)
{
	note_call(notes, "keep size", fallocate(fd, FALLOC_FL_KEEP_SIZE, SIZE,
						2 * PAGE));
	note_file(notes, "file", fd);
	note_call(notes, "ftruncate", ftruncate(fd, SIZE + PAGE));
	note_file(notes, "file", fd);
}

/* ZERO_RANGE: what it does, and that memfd does not have it. */
PARITY(zero_range)
{
	note_call(notes, "ZERO_RANGE", fallocate(fd, FALLOC_FL_ZERO_RANGE,
						 PAGE + 9, 2 * PAGE));
	note_call(notes, "COLLAPSE", fallocate(fd, FALLOC_FL_COLLAPSE_RANGE,
					       PAGE, PAGE));
	note_call(notes, "INSERT", fallocate(fd, FALLOC_FL_INSERT_RANGE, PAGE,
					     PAGE));
	note_call(notes, "odd mode", fallocate(fd, FALLOC_FL_PUNCH_HOLE, PAGE,
					       PAGE));
}

/* fstat, and what changes it. */
PARITY(attributes)
{
	struct timespec times[2] = { { 1000, 5 }, { 2000, 7 } };
	struct stat st;

	fstat(fd, &st);
	note(notes, "mode", st.st_mode);
	note(notes, "nlink", st.st_nlink);
	note(notes, "uid", st.st_uid);
	note(notes, "blksize", st.st_blksize);
	note(notes, "F_GETFL", fcntl(fd, F_GETFL));
	note_call(notes, "fchmod", fchmod(fd, 0640));
	note_call(notes, "fchown", fchown(fd, 1000, 1000));
	note_call(notes, "futimens", futimens(fd, times));
	fstat(fd, &st);
	note(notes, "mode", st.st_mode);
	note(notes, "uid", st.st_uid);
	note(notes, "gid", st.st_gid);
	note(notes, "mtime", st.st_mtim.tv_sec);
	note_call(notes, "write", pwrite(fd, "x", 1, 0));
	fstat(fd, &st);
	note(notes, "write sets mtime", st.st_mtim.tv_sec > 2000);
	futimens(fd, times);
	note_call(notes, "ftruncate", ftruncate(fd, PAGE));
	fstat(fd, &st);
	note(notes, "ftruncate sets mtime", st.st_mtim.tv_sec > 2000);
	futimens(fd, times);
	note_call(notes, "punch", punch(fd, 0, 10));
	fstat(fd, &st);
	note(notes, "punch sets mtime", st.st_mtim.tv_sec > 2000);
}

/* The time of change follows the first write through a new mapping. */
PARITY(time_of_mapped_writes)
{
	struct timespec times[2] = { { 1000, 5 }, { 2000, 7 } };
	unsigned char *p = map_shared(fd, SIZE);
	struct stat st;

	futimens(fd, times);
	p[PAGE] = 1;
	fstat(fd, &st);
	note(notes, "writing through a mapping sets mtime",
	     st.st_mtim.tv_sec > 2000);
	munmap(p, SIZE);
}

/* Synchronising succeeds, where there is nothing to synchronise with. */
PARITY(synchronise)
{
	unsigned char *p = map_shared(fd, SIZE);

	p[0] = 1;
	note_call(notes, "fsync", fsync(fd));
	note_call(notes, "fdatasync", fdatasync(fd));
	note_call(notes, "range", sync_file_range(fd, 0, SIZE,
						  SYNC_FILE_RANGE_WRITE));
	note_call(notes, "msync", msync(p, SIZE, MS_SYNC));
	note_call(notes, "msync", msync(p, SIZE, MS_ASYNC));
	note_call(notes, "msync", msync(p, SIZE, MS_SYNC | MS_INVALIDATE));
	note_call(notes, "msync", msync(p + 1, SIZE, MS_SYNC));
	munmap(p, SIZE);
}

/* Locks, leases and seals. */
PARITY(file_control)
{
	struct flock lock = { .l_type = F_WRLCK, .l_len = 10 };

	note_call(notes, "flock", flock(fd, LOCK_EX | LOCK_NB));
	note_call(notes, "F_SETLK", fcntl(fd, F_SETLK, &lock));
	note_call(notes, "F_GETFD", fcntl(fd, F_GETFD) & ~FD_CLOEXEC);
	note_call(notes, "fadvise", posix_fadvise(fd, 0, 0,
						  POSIX_FADV_WILLNEED));
	note_call(notes, "fadvise", posix_fadvise(fd, 0, 0,
						  POSIX_FADV_DONTNEED));
	note_call(notes, "readahead", readahead(fd, 0, SIZE));
	note_call(notes, "F_GET_SEALS", fcntl(fd, F_GET_SEALS));
	note_call(notes, "F_ADD_SEALS", fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
	note_call(notes, "F_ADD_SEALS", fcntl(fd, F_ADD_SEALS, 0x4000));
	note_file(notes, "file", fd);
}

/* ---- pipes ------------------------------------------------------------- */

/* splice out of and into the file, tee between, sendfile both ways. */
PARITY(splice_and_tee)
{
	loff_t in = PAGE - 10, out = 4 * PAGE + 5;
	int a[2], b[2], other;
	char buffer[64] = "";
	off_t offset;

	if (pipe(a) || pipe(b))
		abort();
	note_call(notes, "splice out", splice(fd, &in, a[1], NULL, 20, 0));
	note(notes, "offset", in);
	note_call(notes, "tee", tee(a[0], b[1], 20, 0));
	note_call(notes, "read", read(b[0], buffer, sizeof(buffer)));
	note_bytes(notes, "bytes", buffer, sizeof(buffer));
	note_call(notes, "splice in", splice(a[0], NULL, fd, &out, 20, 0));
	note(notes, "offset", out);
	note_file(notes, "file", fd);
	offset = 2 * PAGE - 7;
	note_call(notes, "sendfile", sendfile(a[1], fd, &offset, 30));
	note_call(notes, "read", read(a[0], buffer, sizeof(buffer)));
	note_bytes(notes, "bytes", buffer, sizeof(buffer));
	offset = SIZE - 3;
	note_call(notes, "sendfile", sendfile(a[1], fd, &offset, 30));
	note_call(notes, "read", read(a[0], buffer, sizeof(buffer)));
	other = memfd_create("other", 0);
	if (write(other, "from another file", 17) != 17)
		abort();
	offset = 0;
	lseek(fd, 6 * PAGE - 5, SEEK_SET);
	note_call(notes, "sendfile to", sendfile(fd, other, &offset, 17));
	note_file(notes, "file", fd);
	close(other);
	close(a[0]);
	close(a[1]);
	close(b[0]);
	close(b[1]);
}

/* What was spliced out stays as it was when it was spliced. */
PARITY(splice_is_a_reference)
{
	char buffer[8] = "";
	loff_t in = 0;
	int a[2];

	if (pipe(a))
		abort();
	note_call(notes, "splice out", splice(fd, &in, a[1], NULL, 8, 0));
	note_call(notes, "shorten", ftruncate(fd, 0));
	note_call(notes, "read", read(a[0], buffer, sizeof(buffer)));
	note_bytes(notes, "bytes", buffer, sizeof(buffer));
	close(a[0]);
	close(a[1]);
}

/* vmsplice takes pages of the mapping, and a copy range goes back in. */
PARITY(vmsplice_and_copy)
{
	unsigned char *p = map_shared(fd, SIZE);
	struct iovec iov = { p + PAGE - 4, 8 };
	char buffer[8] = "";
	loff_t from = PAGE, to = 5 * PAGE;
	int a[2];

	if (pipe(a))
		abort();
	note_call(notes, "vmsplice", vmsplice(a[1], &iov, 1, 0));
	note_call(notes, "read", read(a[0], buffer, sizeof(buffer)));
	note_bytes(notes, "bytes", buffer, sizeof(buffer));
	iov.iov_base = p + 3;
	if (write(a[1], "12345678", 8) != 8)
		abort();
	note_call(notes, "vmsplice in", vmsplice(a[0], &iov, 1, 0));
	note_call(notes, "copy", copy_file_range(fd, &from, fd, &to, 100, 0));
	note_file(notes, "file", fd);
	munmap(p, SIZE);
	close(a[0]);
	close(a[1]);
}

/* ---- mappings ---------------------------------------------------------- */

/* Changes go both ways between a mapping and the file. */
PARITY(shared_mapping)
{
	unsigned char *p = map_shared(fd, SIZE), *q;

	note_bytes(notes, "memory", p, SIZE);
	memset(p + 100, 0xa1, 2 * PAGE);
	note_file(notes, "file", fd);
	note_call(notes, "pwrite", pwrite(fd, "hello", 5, 4 * PAGE - 2));
	note_bytes(notes, "memory", p, SIZE);
	q = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED | MAP_POPULATE, fd,
		 3 * PAGE);
	note_success(notes, "second mapping", (long)q);
	note_bytes(notes, "second", q, 2 * PAGE);
	munmap(p, SIZE);
	note_bytes(notes, "second", q, 2 * PAGE);
	munmap(q, 2 * PAGE);
	note_success(notes, "odd offset",
		     (long)mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 100));
}

/* A private copy stays; what was not copied shows what is written later. */
PARITY(private_mapping)
{
	unsigned char *p = map_private(fd, SIZE);

	p[0] = 0xf0;
	note(notes, "before", p[PAGE]);
	note_call(notes, "pwrite", pwrite(fd, "12", 2, 0));
	note_call(notes, "pwrite", pwrite(fd, "34", 2, PAGE));
	note_bytes(notes, "memory", p, SIZE);
	note_file(notes, "file", fd);
	note_call(notes, "DONTNEED", madvise(p, SIZE, MADV_DONTNEED));
	note_bytes(notes, "memory", p, SIZE);
	p[2 * PAGE] = 0xf1;
	note_call(notes, "punch", punch(fd, 2 * PAGE, 2 * PAGE));
	note_bytes(notes, "memory", p, SIZE);
	p[5 * PAGE] = 0xf2;
	note_call(notes, "ftruncate", ftruncate(fd, 5 * PAGE));
	note(notes, "cut off", touch(p + 5 * PAGE, -1));
	munmap(p, SIZE);
}

/* A private mapping of a descriptor that is read-only may be written. */
PARITY(private_mapping_read_only)
{
	unsigned char *p;
	char path[32];
	int again;

	sprintf(path, "/proc/self/fd/%d", fd);
	again = open(path, O_RDONLY);
	p = map_private(again, SIZE);
	note_success(notes, "map", (long)p);
	p[0] = 1;
	note_bytes(notes, "memory", p, SIZE);
	note_file(notes, "file", fd);
	munmap(p, SIZE);
	note_success(notes, "shared", (long)map_shared(again, SIZE));
	close(again);
}

/* Parent and child share a shared mapping, and not a private one. */
static int fork_child(void *context)
{
	unsigned char **map = context;

	map[0][0] = 0xc0;
	map[0][7 * PAGE] = 0xc7;
	map[1][0] = 0xc1;
	return map[1][PAGE];
}

/* M-42: shared mappings are one memory, private ones are not. */
PARITY(fork_sharing)
{
	unsigned char *map[2] = { map_shared(fd, SIZE), map_private(fd, SIZE) };

	map[0][0] = 1;
	map[1][PAGE] = 2;
	note(notes, "child", in_child(fork_child, map));
	note_bytes(notes, "shared", map[0], SIZE);
	note_bytes(notes, "private", map[1], SIZE);
	note_call(notes, "DONTFORK", madvise(map[0], SIZE, MADV_DONTFORK));
	note(notes, "child", in_child(fork_child, map));
	munmap(map[0], SIZE);
	munmap(map[1], SIZE);
}

/* mremap: shrink, grow in place or not, move, leave behind. */
PARITY(remap)
{
	unsigned char *p = map_shared(fd, 2 * PAGE), *q, *to;

	p[0] = 0x99;
	q = mremap(p, 2 * PAGE, SIZE, MREMAP_MAYMOVE);
	note_success(notes, "grow", (long)q);
	note_bytes(notes, "memory", q, SIZE);
	q[7 * PAGE] = 0x98;
	p = mremap(q, SIZE, 3 * PAGE, 0);
	note(notes, "shrink in place", p == q);
	note(notes, "cut off", touch(p + 3 * PAGE, -1));
	to = mmap(NULL, SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	q = mremap(p, 3 * PAGE, 3 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to);
	note(notes, "move", q == to);
	note(notes, "moved away", touch(p, -1));
	note_bytes(notes, "memory", q, 3 * PAGE);
	p = mremap(q, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);
	note_success(notes, "leave", (long)p);
	note_bytes(notes, "memory", q, PAGE);
	p[1] = 5;
	note(notes, "both", q[1]);
	to = mremap(p, 0, 2 * PAGE, MREMAP_MAYMOVE);
	note_success(notes, "duplicate", (long)to);
	to[2] = 6;
	note(notes, "both", p[2]);
	to = mremap(to, 2 * PAGE, 2 * SIZE, MREMAP_MAYMOVE);
	note_success(notes, "beyond", (long)to);
	note(notes, "beyond", touch(to + SIZE, -1));
	note(notes, "last", touch(to + SIZE - 1, -1));
	note_file(notes, "file", fd);
}

/* mprotect on parts, and what then is allowed. */
PARITY(protect)
{
	unsigned char *p = map_shared(fd, SIZE);
	size_t i;

	p[PAGE] = 1;
	note_call(notes, "none", mprotect(p, PAGE, PROT_NONE));
	note_call(notes, "read", mprotect(p + PAGE, PAGE, PROT_READ));
	note_call(notes, "exec", mprotect(p + 2 * PAGE, PAGE,
					  PROT_READ | PROT_EXEC));
	for (i = 0; i < 4; i++) {
		note(notes, "load", touch(p + i * PAGE, -1));
		note(notes, "store", touch(p + i * PAGE, 2));
	}
	note_call(notes, "all", mprotect(p, SIZE, PROT_READ | PROT_WRITE));
	for (i = 0; i < 4; i++)
		note(notes, "store", touch(p + i * PAGE, 3));
	note_bytes(notes, "memory", p, SIZE);
	munmap(p, SIZE);
}

/* munmap of the middle leaves both sides. */
PARITY(unmap)
{
	unsigned char *p = map_shared(fd, SIZE);

	memset(p, 9, SIZE);
	note_call(notes, "munmap", munmap(p + 2 * PAGE, 3 * PAGE));
	note(notes, "left", touch(p + 2 * PAGE - 1, 4));
	note(notes, "hole", touch(p + 2 * PAGE, -1));
	note(notes, "hole", touch(p + 5 * PAGE - 1, -1));
	note(notes, "right", touch(p + 5 * PAGE, 4));
	note_file(notes, "file", fd);
	munmap(p, SIZE);
}

/* Pieces put together again at other offsets, over one another. */
PARITY(fixed_mappings)
{
	unsigned char *p = map_shared(fd, SIZE);
	size_t i;

	for (i = 0; i < NPAGES; i++)
		note_success(notes, "map",
			     (long)mmap(p + i * PAGE, PAGE,
					PROT_READ | PROT_WRITE,
					MAP_SHARED | MAP_FIXED, fd,
					(NPAGES - 1 - i) * PAGE));
	note_bytes(notes, "memory", p, SIZE);
	p[0] = 0x77;
	note_file(notes, "file", fd);
	note_call(notes, "remap_file_pages",
		  remap_file_pages(p, PAGE, 0, 3, 0));
	note_bytes(notes, "memory", p, SIZE);
	munmap(p, SIZE);
}

/* MADV_DONTNEED drops the mapping, MADV_REMOVE the memory. */
PARITY(advice_that_matters)
{
	unsigned char *p = map_shared(fd, SIZE);

	memset(p, 8, SIZE);
	note_call(notes, "DONTNEED", madvise(p, SIZE, MADV_DONTNEED));
	note_bytes(notes, "memory", p, SIZE);
	note_call(notes, "REMOVE", madvise(p + PAGE, 2 * PAGE, MADV_REMOVE));
	note_bytes(notes, "memory", p, SIZE);
	note_file(notes, "file", fd);
	note_blocks(notes, fd);
	note_call(notes, "POPULATE_WRITE", madvise(p, SIZE,
						   MADV_POPULATE_WRITE));
	note_blocks(notes, fd);
	note_call(notes, "ftruncate", ftruncate(fd, PAGE));
	note_call(notes, "POPULATE_READ", madvise(p, SIZE,
						  MADV_POPULATE_READ));
	munmap(p, SIZE);
}

/* What every other advice returns, on shared and private mappings. */
PARITY(advice)
{
	static const int advice[] = {
		MADV_NORMAL, MADV_RANDOM, MADV_SEQUENTIAL, MADV_WILLNEED,
		MADV_FREE, MADV_DONTFORK, MADV_DOFORK, MADV_MERGEABLE,
		MADV_UNMERGEABLE, MADV_HUGEPAGE, MADV_NOHUGEPAGE,
		MADV_DONTDUMP, MADV_DODUMP, MADV_WIPEONFORK, MADV_KEEPONFORK,
		MADV_COLD, MADV_PAGEOUT, MADV_POPULATE_READ,
		MADV_POPULATE_WRITE, 12345,
	};
	unsigned char *p = map_shared(fd, SIZE), *q = map_private(fd, SIZE);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(advice); i++) {
		note_call(notes, "shared", madvise(p, SIZE, advice[i]));
		note_call(notes, "private", madvise(q, SIZE, advice[i]));
	}
	note_bytes(notes, "shared", p, SIZE);
	note_bytes(notes, "private", q, SIZE);
	munmap(p, SIZE);
	munmap(q, SIZE);
}

/* Code in a file runs. */
PARITY(executable)
{
	/* mov $42, %eax; ret */
	static const char code[] = { 0xb8, 42, 0, 0, 0, 0xc3 };
	int (*function)(void);

	note_call(notes, "pwrite", pwrite(fd, code, sizeof(code), PAGE));
	function = mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, fd,
			PAGE);
	note_success(notes, "map", (long)function);
	note(notes, "call", function());
	munmap(function, PAGE);
	function = mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
			MAP_PRIVATE, fd, PAGE);
	((char *)function)[1] = 43;
	note(notes, "call", function());
	munmap(function, PAGE);
}

/* ---- what /proc and mincore tell --------------------------------------- */

/*
 * A value in kB of the mappings from @p on, of a file's length: in how many
 * pieces Linux keeps them does not count.
 */
static long smaps(const void *p, const char *name)
{
	unsigned long first = (unsigned long)p, start, end;
	char line[256], format[64];
	bool mine = false;
	long value, sum = 0;
	FILE *f = fopen("/proc/self/smaps", "r");

	sprintf(format, "%s: %%ld kB", name);
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			mine = start >= first && start < first + SIZE;
		else if (mine && sscanf(line, format, &value) == 1)
			sum += value;
	}
	fclose(f);
	return sum;
}

static void note_smaps(struct notes *notes, const void *p)
{
	note(notes, "Size", smaps(p, "Size"));
	note(notes, "Rss", smaps(p, "Rss"));
	note(notes, "Pss", smaps(p, "Pss"));
	note(notes, "Anonymous", smaps(p, "Anonymous"));
	note(notes, "Locked", smaps(p, "Locked"));
}

/* smaps counts pages as they are mapped, copied and dropped. */
PARITY(resident_set)
{
	unsigned char *p = map_shared(fd, SIZE), *q;

	note_smaps(notes, p);
	memset(p, 1, SIZE);
	note_smaps(notes, p);
	madvise(p, 3 * PAGE, MADV_DONTNEED);
	note_smaps(notes, p);
	punch(fd, 4 * PAGE, PAGE);
	note_smaps(notes, p);
	munmap(p, SIZE);
	q = map_private(fd, SIZE);
	memset(q, 2, SIZE);
	note_smaps(notes, q);
	munmap(q, SIZE);
}

/* mincore sees what is mapped. */
PARITY(in_core)
{
	unsigned char *p = map_shared(fd, SIZE), vec[NPAGES];

	memset(p, 1, SIZE);
	note_call(notes, "mincore", mincore(p, SIZE, vec));
	note_bytes(notes, "mapped", vec, sizeof(vec));
	madvise(p, SIZE, MADV_DONTNEED);
	note_call(notes, "mincore", mincore(p, SIZE, vec));
	note_bytes(notes, "mincore of an absent mapping", vec, sizeof(vec));
	munmap(p, SIZE);
}

/* ---- descriptors ------------------------------------------------------- */

/* A second opening by /proc, with the rights asked for, at its own offset. */
PARITY(reopen)
{
	unsigned char *p;
	char path[32], c;
	int rw, ro;

	sprintf(path, "/proc/self/fd/%d", fd);
	rw = open(path, O_RDWR | O_CLOEXEC);
	ro = open(path, O_RDONLY);
	note_success(notes, "rw", rw);
	note_success(notes, "ro", ro);
	lseek(fd, 5 * PAGE, SEEK_SET);
	note_call(notes, "offset", lseek(rw, 0, SEEK_CUR));
	note_call(notes, "write", write(rw, "z", 1));
	note_call(notes, "read", read(ro, &c, 1));
	note(notes, "byte", c);
	note_call(notes, "write to ro", write(ro, "z", 1));
	note_call(notes, "truncate ro", ftruncate(ro, 0));
	note_call(notes, "punch ro", punch(ro, 0, PAGE));
	p = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, ro, 0);
	note_success(notes, "map ro", (long)p);
	note_call(notes, "mprotect", mprotect(p, SIZE, PROT_WRITE));
	note_call(notes, "remove", madvise(p, PAGE, MADV_REMOVE));
	munmap(p, SIZE);
	close(ro);
	note_success(notes, "truncating", ro = open(path, O_RDWR | O_TRUNC));
	note_call(notes, "size", lseek(rw, 0, SEEK_END));
	note_call(notes, "execute", open(path, O_RDONLY | O_DIRECTORY));
	close(ro);
	close(rw);
}

/* dup shares the offset; close-on-exec belongs to the descriptor. */
PARITY(duplicates)
{
	int copy = dup(fd), closing = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	lseek(fd, 123, SEEK_SET);
	note_call(notes, "offset", lseek(copy, 0, SEEK_CUR));
	note_call(notes, "dup", fcntl(copy, F_GETFD));
	note_call(notes, "cloexec", fcntl(closing, F_GETFD));
	note(notes, "same file", syscall(SYS_kcmp, getpid(), getpid(), 0, fd,
					 copy));
	close(copy);
	close(closing);
}

/* ---- those that reach into another process, or pin pages --------------- */

static int vm_child(void *context)
{
	unsigned char *p = context;

	pause();
	return p[0];
}

static pid_t spawn(int (*function)(void *), void *context)
{
	pid_t pid = fork();

	if (!pid)
		_exit(function(context));
	return pid;
}

static void reap(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* process_vm_readv and _writev, on shared and private mappings. */
PARITY(process_vm)
{
	unsigned char *p = map_shared(fd, SIZE), *q = map_private(fd, SIZE);
	unsigned char buffer[2 * PAGE];
	struct iovec local = { buffer, sizeof(buffer) };
	struct iovec remote = { p + PAGE - 5, sizeof(buffer) };
	pid_t pid = spawn(vm_child, p);

	note_call(notes, "read", process_vm_readv(pid, &local, 1, &remote, 1,
						  0));
	note_bytes(notes, "bytes", buffer, sizeof(buffer));
	memset(buffer, 0x6b, sizeof(buffer));
	note_call(notes, "write", process_vm_writev(pid, &local, 1, &remote, 1,
						    0));
	note_bytes(notes, "memory", p, SIZE);
	remote.iov_base = q;
	note_call(notes, "write private",
		  process_vm_writev(pid, &local, 1, &remote, 1, 0));
	note_bytes(notes, "private", q, SIZE);
	note_file(notes, "file", fd);
	ftruncate(fd, PAGE) ? abort() : (void)0;
	remote.iov_base = p;
	note_call(notes, "beyond", process_vm_readv(pid, &local, 1, &remote, 1,
						    0));
	reap(pid);
	munmap(p, SIZE);
	munmap(q, SIZE);
}

static int traced_child(void *context)
{
	ptrace(PTRACE_TRACEME, 0, 0, 0);
	raise(SIGSTOP);
	return 0;
}

/* ptrace PEEK and POKE, also where the tracee may not write. */
PARITY(trace)
{
	unsigned char *p = map_shared(fd, SIZE), *q = map_private(fd, SIZE);
	pid_t pid;

	mprotect(q, PAGE, PROT_READ);
	mprotect(p + PAGE, PAGE, PROT_READ);
	pid = spawn(traced_child, p);
	waitpid(pid, NULL, 0);
	errno = 0;
	note(notes, "peek", ptrace(PTRACE_PEEKDATA, pid, p, 0));
	note(notes, "peek", errno);
	note_call(notes, "poke", ptrace(PTRACE_POKEDATA, pid, p + 8,
					0x1122334455667788));
	note_call(notes, "poke read-only", ptrace(PTRACE_POKEDATA, pid,
						  p + PAGE, 1));
	note_call(notes, "poke private", ptrace(PTRACE_POKEDATA, pid, q, 2));
	note(notes, "peek private", ptrace(PTRACE_PEEKDATA, pid, q, 0));
	note_bytes(notes, "memory", p, SIZE);
	note(notes, "ours", q[0]);
	reap(pid);
	munmap(p, SIZE);
	munmap(q, SIZE);
}

/* /proc/PID/mem. */
PARITY(proc_mem)
{
	unsigned char *p = map_shared(fd, SIZE), buffer[10] = "";
	int mem = open("/proc/self/mem", O_RDWR);

	note_call(notes, "read", pread(mem, buffer, 10, (long)p + PAGE - 5));
	note_bytes(notes, "bytes", buffer, sizeof(buffer));
	note_call(notes, "write", pwrite(mem, "memmem", 6, (long)p + PAGE - 3));
	note_file(notes, "file", fd);
	close(mem);
	munmap(p, SIZE);
}

#define MARK_A	0x6c616d7261636b31
#define MARK_B	0x6d61726b32626262

static int crashing_child(void *context)
{
	struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	volatile uint64_t *word = context;

	setrlimit(RLIMIT_CORE, &unlimited);
	/* Not in the program, nor anywhere but in the mapping. */
	word[10] = MARK_A ^ (uint64_t)getppid();
	word[3 * PAGE / 8] = MARK_B ^ (uint64_t)getppid();
	abort();
}

static long count_in_file(const char *path, uint64_t mark)
{
	uint64_t *words = malloc(PAGE);
	long found = 0;
	ssize_t got, i;
	int fd = open(path, O_RDONLY);

	if (fd < 0)
		return -errno;
	while ((got = read(fd, words, PAGE)) > 0)
		for (i = 0; i < got / 8; i++)
			found += words[i] == mark;
	close(fd);
	free(words);
	return found;
}

static void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) != strlen(text))
		abort();
	close(fd);
}

/* The pages are in a core dump. */
PARITY(core_dump)
{
	unsigned char *p = map_shared(fd, SIZE);

	write_text("/proc/sys/kernel/core_pattern", "/tmp/core");
	write_text("/proc/sys/kernel/core_uses_pid", "0");
	note(notes, "death", in_child(crashing_child, p));
	note(notes, "first", count_in_file("/tmp/core", MARK_A ^
					   (uint64_t)getpid()) > 0);
	note(notes, "second", count_in_file("/tmp/core", MARK_B ^
					    (uint64_t)getpid()) > 0);
	unlink("/tmp/core");
	madvise(p, SIZE, MADV_DONTDUMP);
	note(notes, "death", in_child(crashing_child, p));
	note(notes, "not wanted", count_in_file("/tmp/core", MARK_A ^
						(uint64_t)getpid()));
	unlink("/tmp/core");
	munmap(p, SIZE);
}

/* ---- locked memory ----------------------------------------------------- */

static long locked_kb(void)
{
	char line[128];
	long kb = -1;
	FILE *f = fopen("/proc/self/status", "r");

	while (fgets(line, sizeof(line), f))
		sscanf(line, "VmLck: %ld", &kb);
	fclose(f);
	return kb;
}

/* mlock makes resident and counts; munlock takes back; so for all. */
PARITY(lock)
{
	unsigned char *p = map_shared(fd, SIZE);

	note_call(notes, "mlock", mlock(p + PAGE, 3 * PAGE));
	note(notes, "VmLck", locked_kb());
	note_smaps(notes, p);
	p[2 * PAGE] = 3;
	note_call(notes, "munlock", munlock(p, SIZE));
	note(notes, "VmLck", locked_kb());
	note_call(notes, "on fault", mlock2(p, SIZE, MLOCK_ONFAULT));
	note_smaps(notes, p);
	p[6 * PAGE] = 3;
	note_smaps(notes, p);
	note_call(notes, "DONTNEED", madvise(p, SIZE, MADV_DONTNEED));
	note_call(notes, "munlock", munlock(p, SIZE));
	note_file(notes, "file", fd);
	munmap(p, SIZE);
}

/* mlockall, before and after there are mappings; beyond the end it fails. */
PARITY(lock_all)
{
	unsigned char *p = map_shared(fd, SIZE), *q;
	long before;

	note_call(notes, "mlockall", mlockall(MCL_CURRENT | MCL_FUTURE));
	before = locked_kb();
	note(notes, "Rss", smaps(p, "Rss"));
	q = map_private(fd, SIZE);
	note(notes, "VmLck", locked_kb() - before);
	note_bytes(notes, "private", q, SIZE);
	munmap(q, SIZE);
	note(notes, "VmLck", locked_kb() - before);
	note_call(notes, "munlockall", munlockall());
	note(notes, "VmLck", locked_kb());
	note_call(notes, "ftruncate", ftruncate(fd, PAGE));
	note_call(notes, "beyond", mlock(p, SIZE));
	munmap(p, SIZE);
}

/* ---- futexes ----------------------------------------------------------- */

static long futex(volatile uint32_t *word, int op, uint32_t value)
{
	const struct timespec limit = { .tv_sec = 5 };

	return syscall(SYS_futex, word, op, value,
		       (op & FUTEX_CMD_MASK) == FUTEX_WAIT ? &limit : NULL,
		       NULL, 0);
}

/* Wake until somebody was woken. */
static long wake_one(volatile uint32_t *word, int op)
{
	long woken;
	int i;

	for (i = 0; i < 500; i++) {
		woken = futex(word, op, 1);
		if (woken)
			return woken;
		usleep(10000);
	}
	return 0;
}

static int waiting_child(void *context)
{
	return futex(context, FUTEX_WAIT, 0) ? errno : 0;
}

/* A waiter in another process, woken through another mapping. */
PARITY(futex_shared)
{
	uint32_t *p = (void *)map_shared(fd, SIZE), *q;
	int status;
	pid_t pid;

	note_call(notes, "ftruncate", punch(fd, 0, SIZE));
	note_call(notes, "not equal", futex(p, FUTEX_WAIT, 1));
	pid = spawn(waiting_child, p + 5);
	q = (void *)map_shared(fd, SIZE);
	note_call(notes, "wrong word", futex(q + 6, FUTEX_WAKE, 1));
	note_call(notes, "wake", wake_one(q + 5, FUTEX_WAKE));
	waitpid(pid, &status, 0);
	note(notes, "woken", WEXITSTATUS(status));
	note_call(notes, "beyond", futex(q + SIZE / 4, FUTEX_WAKE, 1));
	munmap(p, SIZE);
	munmap(q, SIZE);
}

static void *private_waiter(void *context)
{
	return (void *)futex(context, FUTEX_WAIT_PRIVATE, 0);
}

/* A waiter in another thread; the private key is the address. */
PARITY(futex_private)
{
	uint32_t *p = (void *)map_shared(fd, SIZE), *q;
	pthread_t thread;
	void *result;

	q = (void *)map_shared(fd, SIZE);
	p[9] = 0;
	pthread_create(&thread, NULL, private_waiter, p + 9);
	usleep(50000);
	note_call(notes, "other mapping", futex(q + 9, FUTEX_WAKE_PRIVATE, 1));
	note_call(notes, "wake", wake_one(p + 9, FUTEX_WAKE_PRIVATE));
	pthread_join(thread, &result);
	note(notes, "woken", (long)result);
	munmap(p, SIZE);
	munmap(q, SIZE);
}

/* ---- O_DIRECT ---------------------------------------------------------- */

static int ram_disk = -1;

/* A disk of known bytes, opened with O_DIRECT. */
static int ram_disk_open(void)
{
	static unsigned char page[PAGE] __attribute__((aligned(4096)));
	int i;

	ram_disk = disk_open(O_DIRECT);
	for (i = 0; i < NPAGES && ram_disk >= 0; i++) {
		memset(page, 0xd0 + i, PAGE);
		if (pwrite(ram_disk, page, PAGE, i * PAGE) != PAGE)
			abort();
	}
	return ram_disk;
}

static void direct_steps(int fd, struct notes *notes)
{
	unsigned char *p = map_shared(fd, SIZE), *q = map_private(fd, SIZE);

	p[PAGE] = 1;
	note_call(notes, "read", pread(ram_disk, p + PAGE, 2 * PAGE, PAGE));
	note_call(notes, "read part", pread(ram_disk, p + 4 * PAGE + 512, 1024,
					    512));
	note_bytes(notes, "memory", p, SIZE);
	note_file(notes, "file", fd);
	note_call(notes, "read private", pread(ram_disk, q, 2 * PAGE,
					       5 * PAGE));
	note_bytes(notes, "private", q, SIZE);
	note_file(notes, "file", fd);
	memset(p + 5 * PAGE, 0x3c, PAGE);
	note_call(notes, "write", pwrite(ram_disk, p + 5 * PAGE, 2 * PAGE,
					 NPAGES * PAGE));
	note_call(notes, "read back", pread(ram_disk, q + 3 * PAGE, 2 * PAGE,
					    NPAGES * PAGE));
	note_bytes(notes, "private", q, SIZE);
	note_call(notes, "unaligned", pread(ram_disk, p + 1, 512, 0));
	ftruncate(fd, PAGE) ? abort() : (void)0;
	note_call(notes, "beyond", pread(ram_disk, p + PAGE, PAGE, 0));
	munmap(p, SIZE);
	munmap(q, SIZE);
}

/* O_DIRECT reads from a disk into mappings, and writes out of them. */
TEST(direct_io)
{
	if (ram_disk_open() < 0)
		SKIP(return, "no /work/brd.ko, so no disk with O_DIRECT");
	compare(_metadata, direct_steps);
	disk_close(ram_disk);
}

/* ---- the comparison itself --------------------------------------------- */

/* Notes tell results and bytes apart. */
TEST(notes_differ)
{
	struct notes notes = { };

	note_bytes(&notes, "bytes", "abc", 3);
	note_bytes(&notes, "bytes", "abd", 3);
	EXPECT_NE(notes.note[0].value, notes.note[1].value);
	errno = EBUSY;
	note_call(&notes, "call", -1);
	EXPECT_EQ(notes.note[2].value, -EBUSY);
	EXPECT_NULL(difference("read"));
	EXPECT_NE(difference("ZERO_RANGE"), NULL);
}

TEST_HARNESS_MAIN
