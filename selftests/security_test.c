// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What went wrong in other kernels, tried on this module: a test for each row
 * of the table in Documentation/security.rst, called by the row's number. Rows
 * that are races are in race_test.c, others where what they need is.
 */

#define _GNU_SOURCE
#include <poll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include <linux/userfaultfd.h>

#include "live_util.h"
#include "process_util.h"
#include "request_util.h"
#include "kselftest_harness.h"

/* Newer than the headers this is built with. */
#ifndef UFFD_FEATURE_WP_ASYNC
#define UFFD_FEATURE_WP_ASYNC	(1 << 15)
#endif

#define NPAGES	8UL
#define SIZE	(NPAGES * PAGE)
#define FIRST	0x20

FIXTURE(row) {
	int fd;
	int ro_fd;
	unsigned char *p;
	struct live live;
};

/* A map of known pages, by a descriptor for each right. */
FIXTURE_SETUP(row)
{
	self->live = live_now();
	self->fd = bsdvm_create(SIZE);
	ASSERT_GE(self->fd, 0);
	self->p = bsdvm_mmap(self->fd, SIZE);
	ASSERT_NE(self->p, MAP_FAILED);
	fill_pages(self->p, NPAGES, FIRST);
	self->ro_fd = bsdvm_reopen(self->fd, O_RDONLY);
	ASSERT_GE(self->ro_fd, 0);
}

/* Whatever was tried: nothing has changed, and nothing is left. */
FIXTURE_TEARDOWN(row)
{
	EXPECT_EQ(bsdvm_check(self->fd), 0);
	EXPECT_TRUE(pages_hold(self->p, NPAGES, FIRST));
	EXPECT_EQ(lseek(self->fd, 0, SEEK_END), SIZE);
	munmap(self->p, SIZE);
	close(self->ro_fd);
	close(self->fd);
	EXPECT_TRUE(live_settles(&self->live));
}

/* 0, or minus errno; a descriptor that is returned is closed. */
static int call(int fd, unsigned int cmd, void *arg)
{
	int ret = ioctl(fd, cmd, arg);

	if (ret < 0)
		return -errno;
	if (ret > 0)
		close(ret);
	return 0;
}

static unsigned char *map_read_only(int fd)
{
	return mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, 0);
}

/* ---- 1: page offsets ----------------------------------------------------- */

/* Is this page number @index of the map, or none if there is no such page? */
static bool page_is(unsigned char *page, uint64_t index)
{
	int signal = touch(page, -1);

	if (index < NPAGES)
		return !signal && *page == FIRST + (int)index;
	return signal == SIGBUS && touch(page, 1) == SIGBUS;
}

/* Do @npages at @p show the map from page @pgoff on, and nothing else? */
static bool shows(unsigned char *p, uint64_t pgoff, size_t npages)
{
	size_t i;

	for (i = 0; i < npages && i < NPAGES + 2; i++)
		if (!page_is(p + i * PAGE, pgoff + i))
			return false;
	return page_is(p + (npages - 1) * PAGE, pgoff + npages - 1);
}

static const uint64_t page_offsets[] = {
	0, NPAGES - 1, NPAGES, NPAGES + 1, 1ULL << 31, 1ULL << 35,
	(1ULL << 36) - 1, 1ULL << 36, 1ULL << 40, (1ULL << 51) - 1, 1ULL << 51,
	(1ULL << 52) - NPAGES, (1ULL << 52) - 2, (1ULL << 52) - 1,
	/* These remap_file_pages() alone can name. */
	1ULL << 52, (1ULL << 52) + 1, 1ULL << 63, -NPAGES, -2ULL, -1ULL,
};

/* Do they end behind the end of the map? */
static bool reach_beyond(uint64_t pgoff, size_t npages)
{
	return pgoff > NPAGES || npages > NPAGES - pgoff;
}

/* Mapped at that page, or refused. */
static bool mapped_right(int fd, uint64_t pgoff, size_t npages)
{
	unsigned char *p;
	bool right;

	if (pgoff >> 52)
		return true;
	p = (void *)syscall(SYS_mmap, NULL, npages * PAGE,
			    PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			    pgoff * PAGE);
	if (p == MAP_FAILED)
		return reach_beyond(pgoff, npages);
	right = shows(p, pgoff, npages);
	munmap(p, npages * PAGE);
	return right;
}

/* The same for a mapping of the first pages that is remapped. */
static bool remapped_right(int fd, uint64_t pgoff, size_t npages)
{
	unsigned char *p = bsdvm_mmap(fd, npages * PAGE);
	bool right;

	if (p == MAP_FAILED)
		return false;
	if (syscall(SYS_remap_file_pages, p, npages * PAGE, 0, pgoff, 0))
		right = reach_beyond(pgoff, npages) && shows(p, 0, npages);
	else
		right = shows(p, pgoff, npages);
	munmap(p, npages * PAGE);
	return right;
}

/* Offsets that wrap, as pages or as bytes, reach no memory. */
TEST_F(row, r01_offset_wraps)
{
	static const size_t lengths[] = { 1, NPAGES, NPAGES + 1, 1UL << 20 };
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(page_offsets); i++)
		for (j = 0; j < ARRAY_SIZE(lengths); j++) {
			EXPECT_TRUE(mapped_right(self->fd, page_offsets[i],
						 lengths[j]))
				TH_LOG("mmap %zu %zu", i, j);
			EXPECT_TRUE(remapped_right(self->fd, page_offsets[i],
						   lengths[j]))
				TH_LOG("remap_file_pages %zu %zu", i, j);
		}
	EXPECT_TRUE(mapped_right(self->fd, NPAGES, 1UL << 30));
}

/* ---- 2: rounding --------------------------------------------------------- */

static const uint64_t odd_numbers[] = {
	0, 1, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE, SIZE - 1, SIZE, SIZE + 1,
	1ULL << 63, (1ULL << 63) - 1, -(uint64_t)PAGE, -(uint64_t)PAGE - 1,
	-(uint64_t)PAGE + 1, ~0ULL,
};

/* What a request for a range must come to, by the rules of the interface. */
static int range_errno(uint64_t offset, uint64_t length)
{
	if (!length || offset % PAGE || length % PAGE ||
	    length > ~0ULL - offset)
		return -EINVAL;
	return offset > SIZE || length > SIZE - offset ? -ERANGE : 0;
}

/* What is not wired cannot be unwired. */
static int unwire_errno(uint64_t offset, uint64_t length)
{
	return range_errno(offset, length) ?: -EINVAL;
}

static void try_range(struct __test_metadata *_metadata, int fd,
		      uint64_t offset, uint64_t length)
{
	struct bsdvm_wire arg = {
		.size = sizeof(arg),
		.offset = offset,
		.length = length,
	};
	int expected = range_errno(offset, length), i;

	EXPECT_EQ(call(fd, BSDVM_IOC_SHADOW, &arg), expected)
		TH_LOG("shadow %llx %llx", (long long)offset,
		       (long long)length);
	for (i = 0; i < 2; i++) {
		arg.flags = i ? BSDVM_WIRE_SYSTEM : 0;
		EXPECT_EQ(call(fd, BSDVM_IOC_UNWIRE, &arg),
			  unwire_errno(offset, length));
		EXPECT_EQ(call(fd, BSDVM_IOC_WIRE, &arg), expected);
		EXPECT_EQ(call(fd, BSDVM_IOC_UNWIRE, &arg), expected);
	}
}

/* A number where a request takes one alone: what is beyond is not there. */
static void try_number(struct __test_metadata *_metadata, int fd, uint64_t n)
{
	struct bsdvm_map_fd map_fd = {
		.size = sizeof(map_fd),
		.flags = BSDVM_MAP_FD_ADDRESS,
		.addr = n,
	};
	struct bsdvm_entry_info entry = { .size = sizeof(entry), .offset = n };
	struct bsdvm_object_info object;
	int expected = n < SIZE ? 0 : -ENOENT;

	EXPECT_EQ(call(fd, BSDVM_IOC_MAP_FD, &map_fd), -ENOENT);
	EXPECT_EQ(call(fd, BSDVM_IOC_ENTRY_INFO, &entry), expected);
	EXPECT_EQ(bsdvm_object_info(fd, n, 0, &object) ? -errno : 0, expected);
	if (n >= 1ULL << 63) {
		EXPECT_EQ(bsdvm_create(n), -1);
		EXPECT_EQ(errno, EINVAL);
		EXPECT_EQ(ftruncate(fd, n), -1);
		EXPECT_EQ(errno, EINVAL);
	}
}

/* What is rounded is so before it is checked, or not at all. */
TEST_F(row, r02_rounding_overflows)
{
	size_t i, j;

	/* In as many entries as the rest will make, and not merged again. */
	for (i = 0; i < NPAGES; i++) {
		ASSERT_EQ(bsdvm_wire(self->fd, i * PAGE, PAGE, 0), 0);
		ASSERT_EQ(bsdvm_unwire(self->fd, i * PAGE, PAGE, 0), 0);
	}
	for (i = 0; i < ARRAY_SIZE(odd_numbers); i++) {
		try_number(_metadata, self->fd, odd_numbers[i]);
		for (j = 0; j < ARRAY_SIZE(odd_numbers); j++)
			try_range(_metadata, self->fd, odd_numbers[i],
				  odd_numbers[j]);
	}
	EXPECT_TRUE(pages_hold(self->p, NPAGES, FIRST));
	EXPECT_EQ(bsdvm_check(self->fd), 0);
}

/* ---- 3: the right to write ----------------------------------------------- */

/* What registering @p for @mode comes to, with these features. */
static int uffd_register(uint64_t features, uint64_t mode, void *p)
{
	struct uffdio_api api = { .api = UFFD_API, .features = features };
	struct uffdio_register arg = {
		.range = { .start = (uintptr_t)p, .len = SIZE },
		.mode = mode,
	};
	int uffd = syscall(SYS_userfaultfd, O_CLOEXEC), error = -ENOSYS;

	if (uffd >= 0 && !ioctl(uffd, UFFDIO_API, &api))
		error = ioctl(uffd, UFFDIO_REGISTER, &arg) ? -errno : 0;
	close(uffd);
	return error;
}

/*
 * By userfaultfd one could put pages into a hole. Where a writable mapping may
 * be registered, a read-only one is refused for that; where none may, it is
 * refused as well.
 */
static void try_uffd(struct __test_metadata *_metadata, void *rw, void *ro)
{
	static const uint64_t features[] = { 0, UFFD_FEATURE_WP_ASYNC };
	static const uint64_t modes[] = {
		UFFDIO_REGISTER_MODE_MISSING, UFFDIO_REGISTER_MODE_WP,
		UFFDIO_REGISTER_MODE_MINOR,
	};
	size_t i, j;
	int error;

	for (i = 0; i < ARRAY_SIZE(features); i++)
		for (j = 0; j < ARRAY_SIZE(modes); j++) {
			error = uffd_register(features[i], modes[j], rw);
			EXPECT_EQ(uffd_register(features[i], modes[j], ro),
				  error ?: -EPERM);
		}
}

/* Not even as a debugger writes to memory of its own. */
static void try_force(struct __test_metadata *_metadata, void *ro)
{
	int mem = open("/proc/self/mem", O_RDWR);

	ASSERT_GE(mem, 0);
	EXPECT_EQ(pwrite(mem, "x", 1, (uintptr_t)ro), -1);
	close(mem);
}

/* A descriptor that cannot write: mapped, no way leads to a write either. */
static void try_mapping(struct __test_metadata *_metadata, int fd, void *rw)
{
	unsigned char *ro = map_read_only(fd);

	ASSERT_NE(ro, MAP_FAILED);
	EXPECT_EQ(mprotect(ro, SIZE, PROT_READ | PROT_WRITE), -1);
	EXPECT_EQ(errno, EACCES);
	EXPECT_EQ(madvise(ro, PAGE, MADV_REMOVE), -1);
	EXPECT_EQ(errno, EACCES);
	EXPECT_NE(madvise(ro, PAGE, MADV_POPULATE_WRITE), 0);
	EXPECT_EQ(touch(ro, -1), 0);
	EXPECT_EQ(touch(ro, 1), SIGSEGV);
	try_force(_metadata, ro);
	try_uffd(_metadata, rw, ro);
	munmap(ro, SIZE);
	EXPECT_EQ(mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0),
		  MAP_FAILED);
	EXPECT_EQ(errno, EACCES);
}

static void try_descriptor(struct __test_metadata *_metadata, int fd)
{
	struct bsdvm_wire range = { .size = sizeof(range), .length = PAGE };
	static const unsigned int cmds[] = {
		BSDVM_IOC_SHADOW, BSDVM_IOC_WIRE, BSDVM_IOC_UNWIRE,
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cmds); i++)
		EXPECT_EQ(call(fd, cmds[i], &range), -EBADF);
	EXPECT_EQ(bsdvm_snapshot(fd), 0);
	EXPECT_EQ(errno, EBADF);
	EXPECT_EQ(write(fd, "x", 1), -1);
	EXPECT_EQ(errno, EBADF);
	EXPECT_EQ(punch(fd, 0, PAGE), -1);
	EXPECT_EQ(errno, EBADF);
	EXPECT_NE(ftruncate(fd, 0), 0);
}

/* A right that is not there at mmap() is not to be had afterwards. */
TEST_F(row, r03_right_checked_at_mmap_alone)
{
	struct bsdvm_map_fd arg = { .size = sizeof(arg) };
	int fd = ioctl(self->ro_fd, BSDVM_IOC_MAP_FD, &arg);

	ASSERT_GE(fd, 0);
	try_descriptor(_metadata, self->ro_fd);
	try_mapping(_metadata, self->ro_fd, self->p);
	/* Nor is it come by in another descriptor of the same file. */
	try_descriptor(_metadata, fd);
	try_mapping(_metadata, fd, self->p);
	close(fd);
	/* There are no seals, so none to be circumvented. */
	EXPECT_EQ(fcntl(self->fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
	EXPECT_EQ(errno, EINVAL);
}

/* ---- 4: user memory that may only be read -------------------------------- */

/* An argument of a request that answers, in an otherwise empty buffer. */
static void *question(const struct request *request)
{
	static union argument arg;

	memset(&arg, 0, sizeof(arg));
	arg.size = request->size;
	return &arg;
}

/* Does every request and system call that would answer there leave @page? */
static void try_answers(struct __test_metadata *_metadata, int fd, int file,
			void *page)
{
	unsigned char before[PAGE], after[PAGE];
	const struct request *request;

	for_each_request(request) {
		if (!(request->what & REQUEST_OUT))
			continue;
		ASSERT_EQ(pwrite(file, question(request), PAGE, 0), PAGE);
		ASSERT_EQ(pread(file, before, PAGE, 0), PAGE);
		EXPECT_EQ(call(fd, request->cmd, page), -EFAULT)
			TH_LOG("%s", request->name);
		EXPECT_EQ(pread(fd, page, PAGE, 0), -1);
		EXPECT_EQ(errno, EFAULT);
		ASSERT_EQ(pread(file, after, PAGE, 0), PAGE);
		EXPECT_EQ(memcmp(before, after, PAGE), 0);
		EXPECT_EQ(memcmp(before, page, PAGE), 0);
	}
}

/* Answers into the page of a file that is mapped to be read, in either way. */
TEST_F(row, r04_read_only_memory_is_written)
{
	static const int flags[] = { MAP_PRIVATE, MAP_SHARED };
	int files[] = {
		open("/tmp/row", O_CREAT | O_RDWR, 0600),
		memfd_create("row", 0), bsdvm_create(PAGE),
	};
	/* There is one to be told about. */
	uint32_t id = bsdvm_snapshot(self->fd);
	size_t i, j;
	void *page;

	for (i = 0; i < ARRAY_SIZE(files); i++) {
		ASSERT_GE(files[i], 0);
		for (j = 0; j < ARRAY_SIZE(flags); j++) {
			page = mmap(NULL, PAGE, PROT_READ, flags[j], files[i],
				    0);
			ASSERT_NE(page, MAP_FAILED);
			try_answers(_metadata, self->fd, files[i], page);
			munmap(page, PAGE);
		}
		close(files[i]);
	}
	unlink("/tmp/row");
	EXPECT_EQ(bsdvm_drop(self->fd, id), 0);
}

/* ---- 6: sharers of a copy ------------------------------------------------ */

/* Three processes, one of them by fork, that share the mapping at @p. */
struct sharers {
	unsigned char *p;
	struct peer forked, other;
};

static int sharers_start(struct sharers *sharers, int fd)
{
	sharers->p = bsdvm_mmap(fd, SIZE);
	if (sharers->p == MAP_FAILED)
		return -1;
	return peer_fork(&sharers->forked, sharers->p) ||
	       peer_start(&sharers->other, fd, SIZE, MAP_SHARED);
}

static void sharers_stop(struct sharers *sharers)
{
	/* The one that was started last has the sockets of the others. */
	peer_stop(&sharers->other);
	peer_stop(&sharers->forked);
	munmap(sharers->p, SIZE);
}

/* Does each of them see @value? It maps the page, if it had not. */
static bool sharers_see(struct sharers *sharers, size_t at, int value)
{
	return sharers->p[at] == value &&
	       peer_get(&sharers->forked, at) == value &&
	       peer_get(&sharers->other, at) == value;
}

/* Let one of them write. */
static void sharers_write(struct sharers *sharers, unsigned int who, size_t at,
			  int value)
{
	if (who % 3 == 0)
		sharers->p[at] = value;
	else
		peer_set(who % 3 == 1 ? &sharers->forked : &sharers->other, at,
			 value);
}

/* Of two maps before one object: a copy shows in its map, to everybody. */
TEST_F(row, r06_sharers_keep_the_old_page)
{
	uint32_t id = bsdvm_snapshot(self->fd);
	int branch = bsdvm_open(self->fd, id);
	struct sharers live, branched;
	size_t i, at;

	ASSERT_EQ(sharers_start(&live, self->fd), 0);
	ASSERT_EQ(sharers_start(&branched, branch), 0);
	for (i = 0; i < NPAGES; i++) {
		at = i * PAGE;
		ASSERT_TRUE(sharers_see(&live, at, FIRST + i));
		ASSERT_TRUE(sharers_see(&branched, at, FIRST + i));
		sharers_write(&branched, i, at, 0xb0);
		EXPECT_TRUE(sharers_see(&branched, at, 0xb0));
		EXPECT_TRUE(sharers_see(&live, at, FIRST + i));
		sharers_write(&live, i / 3, at, 0xa0);
		EXPECT_TRUE(sharers_see(&live, at, 0xa0));
		EXPECT_TRUE(sharers_see(&branched, at, 0xb0));
	}
	EXPECT_TRUE(snapshot_holds(self->fd, id, NPAGES, FIRST));
	EXPECT_EQ(bsdvm_check(branch), 0);
	sharers_stop(&branched);
	sharers_stop(&live);
	close(branch);
	EXPECT_EQ(bsdvm_drop(self->fd, id), 0);
	fill_pages(self->p, NPAGES, FIRST);
}

/* ---- 8: what a mapping maps ---------------------------------------------- */

/* Write to as much memory as would hold what was given back. */
static void fill_memory(void)
{
	const size_t length = 32UL << 20;
	void *p = mmap(NULL, length, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	memset(p, 0xbb, length);
	munmap(p, length);
}

/* Without a descriptor or a snapshot, what is mapped is there as before. */
TEST_F(row, r08_mapping_outlives_what_it_maps)
{
	int fd = bsdvm_create(SIZE), opened;
	unsigned char *p = bsdvm_mmap(fd, SIZE), *q;
	uint32_t id;

	fill_pages(p, NPAGES, FIRST);
	id = bsdvm_snapshot(fd);
	p[0] = 1;
	opened = bsdvm_open(fd, id);
	q = bsdvm_mmap(opened, SIZE);
	ASSERT_NE(q, MAP_FAILED);
	ASSERT_EQ(q[0], FIRST);
	ASSERT_EQ(bsdvm_drop(fd, id), 0);
	close(opened);
	close(fd);
	fill_memory();
	EXPECT_TRUE(pages_hold(q, NPAGES, FIRST));
	EXPECT_TRUE(pages_hold(p + PAGE, NPAGES - 1, FIRST + 1));
	EXPECT_EQ(p[0], 1);
	/* The last mapping takes the map with it. */
	munmap(p, SIZE);
	fill_memory();
	EXPECT_TRUE(pages_hold(q, NPAGES, FIRST));
	fill_pages(q, NPAGES, FIRST + 1);
	EXPECT_TRUE(pages_hold(q, NPAGES, FIRST + 1));
	munmap(q, SIZE);
}

/* ---- 10: mappings split, moved, inherited -------------------------------- */

/* All that can be done with a mapping, on one that is gone at the end. */
static int mistreat(unsigned char *p)
{
	unsigned char *to = mmap(NULL, SIZE, PROT_NONE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned char *copy;

	/* Moved as a whole, to where something is. */
	if (mremap(p, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, to) != to)
		return 1;
	/* Mapped twice, by an old length of nothing. */
	copy = mremap(to, 0, SIZE, MREMAP_MAYMOVE);
	if (copy == MAP_FAILED || munmap(copy, SIZE))
		return 2;
	/* Split by a hole, and by other rights; put together again. */
	if (munmap(to + 3 * PAGE, PAGE) ||
	    mprotect(to + 5 * PAGE, PAGE, PROT_READ) ||
	    mprotect(to + 5 * PAGE, PAGE, PROT_READ | PROT_WRITE))
		return 3;
	/* Shrunk, grown, and grown where there is no room. */
	if (mremap(to + 6 * PAGE, 2 * PAGE, PAGE, 0) != to + 6 * PAGE ||
	    mremap(to + 6 * PAGE, PAGE, 2 * PAGE, 0) != to + 6 * PAGE ||
	    mremap(to, 3 * PAGE, 5 * PAGE, 0) != MAP_FAILED)
		return 4;
	return munmap(to, SIZE) ? 5 : 0;
}

static int mistreat_inherited(void *context)
{
	unsigned char *p = context;

	return pages_hold(p, NPAGES, FIRST) ? mistreat(p) : 6;
}

/* Then all is gone, as live_settles() sees; and nothing too early. */
TEST_F(row, r10_mappings_are_miscounted)
{
	unsigned char *p;
	struct live before;
	int fd, i;

	for (i = 0; i < 20; i++) {
		before = live_now();
		fd = bsdvm_create(SIZE);
		p = bsdvm_mmap(fd, SIZE);
		ASSERT_NE(p, MAP_FAILED);
		fill_pages(p, NPAGES, FIRST);
		close(fd);
		EXPECT_EQ(in_child(mistreat_inherited, p), 0);
		EXPECT_TRUE(pages_hold(p, NPAGES, FIRST));
		EXPECT_EQ(mistreat(p), 0);
		ASSERT_TRUE(live_settles(&before));
	}
}

/* ---- 12: sizes ----------------------------------------------------------- */

/* A map of the largest size there is works as any other. */
static void try_largest(struct __test_metadata *_metadata, uint64_t size)
{
	int fd = bsdvm_create(size), shadow;
	uint32_t id;

	ASSERT_GE(fd, 0);
	ASSERT_EQ(pwrite(fd, "x", 1, size - 1), 1);
	id = bsdvm_snapshot(fd);
	EXPECT_NE(id, 0);
	shadow = bsdvm_shadow(fd, 0, size);
	ASSERT_GE(shadow, 0);
	EXPECT_EQ(byte_at(shadow, size - 1), 'x');
	EXPECT_EQ(punch(fd, 0, size), 0);
	EXPECT_EQ(snapshot_byte(fd, id, size - 1), 'x');
	EXPECT_EQ(bsdvm_check(fd), 0);
	close(shadow);
	close(fd);
}

/* Sizes of structures, of maps, of transfers: none is believed. */
TEST_F(row, r12_sizes_are_multiplied)
{
	static const uint32_t sizes[] = { PAGE + 1, 1U << 31, ~0U };
	struct bsdvm_query query = { .size = sizeof(query) };
	const struct request *request;
	union argument *arg;
	size_t i;

	ASSERT_EQ(call(self->fd, BSDVM_IOC_QUERY, &query), 0);
	for_each_request(request)
		for (i = 0; i < ARRAY_SIZE(sizes); i++) {
			arg = question(request);
			arg->size = sizes[i];
			EXPECT_EQ(call(self->fd, request->cmd, arg), -E2BIG);
		}
	EXPECT_EQ(bsdvm_create(query.max_size + 1), -1);
	EXPECT_EQ(errno, EINVAL);
	EXPECT_EQ(fallocate(self->fd, 0, 0, query.max_size + PAGE), -1);
	EXPECT_EQ(errno, EFBIG);
	EXPECT_EQ(ftruncate(self->fd, query.max_size + 1), -1);
	EXPECT_EQ(errno, EFBIG);
	EXPECT_EQ(bsdvm_shadow(self->fd, 0, query.max_size), -1);
	EXPECT_EQ(errno, ERANGE);
	try_largest(_metadata, query.max_size);
}

/* ---- 13: the stack in an answer ------------------------------------------ */

/* Leave @pattern in as much of the kernel's stack as can be reached. */
static void soil_stack(int fd, unsigned int cmd, int pattern)
{
	struct pollfd poll_fds[30];
	union argument rubbish;
	struct iovec iov[8];

	/* Negative descriptors are none. */
	memset(poll_fds, pattern | 0x80, sizeof(poll_fds));
	poll(poll_fds, ARRAY_SIZE(poll_fds), 0);
	memset(iov, pattern, sizeof(iov));
	preadv(fd, iov, ARRAY_SIZE(iov), 0);
	/* What is refused has been where the next argument will be. */
	memset(&rubbish, pattern, sizeof(rubbish));
	rubbish.size = PAGE;
	call(fd, cmd, &rubbish);
	rubbish.size = 64;
	call(fd, cmd, &rubbish);
}

/* The answer to a request, in a buffer of @pattern, over a stack of it. */
static int answer(int fd, const struct request *request, int pattern,
		  union argument *arg)
{
	memset(arg, 0, sizeof(*arg));
	memset(arg->bytes + 8, pattern, request->size - 8);
	memset(arg->bytes + request->reserved.offset, 0,
	       request->reserved.length);
	arg->size = request->size;
	arg->query.flags = 0;
	if (request->cmd == BSDVM_IOC_SNAPSHOT)
		arg->take.id = 0;
	if (request->cmd == BSDVM_IOC_ENTRY_INFO)
		arg->entry_info.offset = 0;
	if (request->cmd == BSDVM_IOC_SNAPSHOT_INFO)
		arg->snapshot_info.id = 0;
	if (request->cmd == BSDVM_IOC_OBJECT_INFO)
		memset(&arg->object_info.offset, 0, 12);
	soil_stack(fd, request->cmd, pattern);
	return call(fd, request->cmd, arg);
}

/* Make equal what each asking changes. */
static void settle(int fd, const struct request *request, union argument *arg)
{
	if (request->cmd == BSDVM_IOC_MAP_INFO)
		arg->map_info.generation = 0;
	if (request->cmd == BSDVM_IOC_SNAPSHOT) {
		bsdvm_drop(fd, arg->take.id);
		arg->take.id = 0;
	}
}

/* No byte of an answer is what was in the buffer, or on the stack. */
TEST_F(row, r13_stack_in_a_result)
{
	static const int patterns[] = { 0x5a, 0xd7, 0 };
	static union argument first, arg;
	const struct request *request;
	uint32_t id = bsdvm_snapshot(self->fd);
	size_t i;

	for_each_request(request) {
		if (!(request->what & REQUEST_OUT))
			continue;
		for (i = 0; i < ARRAY_SIZE(patterns); i++) {
			ASSERT_EQ(answer(self->fd, request, patterns[i], &arg),
				  0)
				TH_LOG("%s", request->name);
			settle(self->fd, request, &arg);
			if (!i)
				first = arg;
			EXPECT_EQ(memcmp(&first, &arg, sizeof(arg)), 0)
				TH_LOG("%s %zu", request->name, i);
		}
	}
	EXPECT_EQ(bsdvm_drop(self->fd, id), 0);
}

/* ---- 16: wiring ---------------------------------------------------------- */

/* All that a reader can do to memory that is wired, or that he locks. */
static int discard(void *context)
{
	unsigned char *ro = map_read_only(*(int *)context);

	if (ro == MAP_FAILED || mlock(ro, SIZE))
		return 1;
	if (!madvise(ro, SIZE, MADV_REMOVE) || !madvise(ro, SIZE, MADV_FREE))
		return 2;
	/* Refused on locked memory, allowed otherwise. */
	madvise(ro, SIZE, MADV_DONTNEED);
	if (munlock(ro, SIZE) || madvise(ro, SIZE, MADV_DONTNEED) ||
	    !pages_hold(ro, NPAGES, FIRST))
		return 3;
	/* Locked once more, for the exit to undo. */
	return mlock(ro, SIZE) ? 4 : 0;
}

/* Wired or not, by whom so ever: a reader's discarding changes nothing. */
TEST_F(row, r16_wiring_zeroes)
{
	struct peer other;
	uint32_t id, flags;
	size_t i;

	ASSERT_EQ(peer_start(&other, self->fd, SIZE, MAP_SHARED), 0);
	for (flags = 0; flags <= BSDVM_WIRE_SYSTEM; flags++) {
		id = bsdvm_snapshot(self->fd);
		EXPECT_EQ(bsdvm_wire(self->ro_fd, 0, SIZE, flags), -1);
		EXPECT_EQ(errno, EBADF);
		ASSERT_EQ(bsdvm_wire(self->fd, 0, SIZE, flags), 0);
		EXPECT_EQ(in_child(discard, &self->ro_fd), 0);
		EXPECT_EQ(punch(self->ro_fd, 0, SIZE), -1);
		EXPECT_EQ(errno, EBADF);
		EXPECT_EQ(bsdvm_unwire(self->ro_fd, 0, SIZE, flags), -1);
		EXPECT_EQ(errno, EBADF);
		EXPECT_TRUE(pages_hold(self->p, NPAGES, FIRST));
		ASSERT_EQ(bsdvm_unwire(self->fd, 0, SIZE, flags), 0);
		for (i = 0; i < NPAGES; i++)
			EXPECT_EQ(peer_get(&other, i * PAGE), FIRST + i);
		EXPECT_TRUE(snapshot_holds(self->fd, id, NPAGES, FIRST));
		ASSERT_EQ(bsdvm_drop(self->fd, id), 0);
	}
	peer_stop(&other);
}

TEST_HARNESS_MAIN
