// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Bad input gets the errno that the interface documents; nothing changes and
 * nothing leaks. One table of requests; one test for each way to be wrong.
 */

#define _GNU_SOURCE
#include <pthread.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "live_util.h"
#include "process_util.h"
#include "request_util.h"
#include "kselftest_harness.h"

#define PAGE64	((uint64_t)PAGE)
#define NPAGES	8UL
#define SIZE	(NPAGES * PAGE)
#define FIRST	0x20
#define NEVER	0x7fffffffU	/* an id that no snapshot has */

FIXTURE(bad) {
	int fd;
	int ro_fd;
	int dev;
	uint32_t id;
	unsigned char *p;
	union argument *arg;
	struct live live;
};

/*
 * Wiring and snapshots leave the map in more pieces than it was made of. What
 * the tests will do is done before, so that it does not look like a leak.
 */
static void break_in(int fd)
{
	int i;

	for (i = 0; i < 2; i++) {
		bsdvm_drop(fd, bsdvm_snapshot(fd));
		bsdvm_wire(fd, 0, PAGE, 0);
		bsdvm_unwire(fd, 0, PAGE, 0);
	}
}

/* A map of known pages with one snapshot, of a different first page. */
FIXTURE_SETUP(bad)
{
	self->fd = bsdvm_create(SIZE);
	ASSERT_GE(self->fd, 0);
	self->p = bsdvm_mmap(self->fd, SIZE);
	ASSERT_NE(self->p, MAP_FAILED);
	fill_pages(self->p, NPAGES, FIRST);
	self->p[0] = 1;
	self->id = bsdvm_snapshot(self->fd);
	ASSERT_NE(self->id, 0);
	fill_pages(self->p, NPAGES, FIRST);
	break_in(self->fd);
	self->ro_fd = bsdvm_reopen(self->fd, O_RDONLY);
	ASSERT_GE(self->ro_fd, 0);
	self->dev = bsdvm_dev();
	ASSERT_GE(self->dev, 0);
	self->arg = mmap(NULL, sizeof(*self->arg) + PAGE,
			 PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);
	ASSERT_NE(self->arg, MAP_FAILED);
	ASSERT_EQ(munmap(self->arg + 1, PAGE), 0);
	self->live = live_now();
}

/* Whatever was tried: everything is as it was. */
FIXTURE_TEARDOWN(bad)
{
	EXPECT_TRUE(live_settles(&self->live));
	EXPECT_EQ(bsdvm_check(self->fd), 0);
	EXPECT_TRUE(pages_hold(self->p, NPAGES, FIRST));
	EXPECT_EQ(snapshot_byte(self->fd, self->id, 0), 1);
	EXPECT_EQ(lseek(self->fd, 0, SEEK_END), SIZE);
	munmap(self->arg, sizeof(*self->arg));
	munmap(self->p, SIZE);
	close(self->dev);
	close(self->ro_fd);
	close(self->fd);
}

/* A good argument for a request, in an otherwise empty buffer. */
static void *good(FIXTURE_DATA(bad) *self, const struct request *request)
{
	union argument *arg = self->arg;

	memset(arg, 0, sizeof(*arg));
	arg->size = request->size;
	switch (request->cmd) {
	case BSDVM_IOC_CREATE:
		arg->create.map_size = PAGE;
		break;
	case BSDVM_IOC_OPEN:
		arg->ref.id = self->id;
		break;
	case BSDVM_IOC_DROP:
		/* One more, to be dropped. */
		arg->ref.id = bsdvm_snapshot(self->fd);
		break;
	case BSDVM_IOC_UNWIRE:
		bsdvm_wire(self->fd, 0, PAGE, 0);
		/* fallthrough */
	case BSDVM_IOC_WIRE:
	case BSDVM_IOC_SHADOW:
		arg->wire.length = PAGE;
		break;
	}
	return arg;
}

/* Take back what good() did, and what a request that succeeded did. */
static void undo(FIXTURE_DATA(bad) *self, const struct request *request,
		 uint32_t id, int ret)
{
	if (ret >= 0 && (request->what & REQUEST_FD))
		close(ret);
	if (request->cmd == BSDVM_IOC_SNAPSHOT && ret >= 0)
		bsdvm_drop(self->fd, self->arg->take.id);
	if (request->cmd == BSDVM_IOC_DROP && ret < 0)
		bsdvm_drop(self->fd, id);
	if (request->cmd == BSDVM_IOC_WIRE || request->cmd == BSDVM_IOC_UNWIRE)
		bsdvm_unwire(self->fd, 0, PAGE, 0);
}

static int call(int fd, unsigned int cmd, void *arg)
{
	int ret;

	errno = 0;
	ret = ioctl(fd, cmd, arg);
	return ret < 0 ? -errno : ret;
}

/* One bad call of a request: did it return @expected (0: any success)? */
static void expect(struct __test_metadata *_metadata,
		   FIXTURE_DATA(bad) *self, const struct request *request,
		   int fd, uint32_t id, int expected)
{
	int ret = call(fd, request->cmd, self->arg);

	undo(self, request, id, ret);
	EXPECT_EQ(ret < 0 ? ret : 0, expected) {
		TH_LOG("%s", request->name);
	}
}

/* The snapshot good() took for a request to drop, which undo() wants. */
static uint32_t spare_id(FIXTURE_DATA(bad) *self,
			 const struct request *request)
{
	return request->cmd == BSDVM_IOC_DROP ? self->arg->ref.id : 0;
}

/* The table is right: each request as the table knows it succeeds. */
TEST_F(bad, good_input_is_accepted)
{
	const struct request *request;
	uint32_t id;

	for_each_request(request) {
		good(self, request);
		id = spare_id(self, request);
		expect(_metadata, self, request, self->fd, id, 0);
	}
}

/* A structure shorter than that of the first version is EINVAL. */
TEST_F(bad, short_structure)
{
	const struct request *request;
	uint32_t size, id;

	for_each_request(request)
		for (size = 0; size < request->size; size++) {
			good(self, request);
			id = spare_id(self, request);
			self->arg->size = size;
			expect(_metadata, self, request, self->fd, id, -EINVAL);
		}
}

/* A longer structure is accepted if what we do not know is zero. */
TEST_F(bad, long_structure_with_zeroes)
{
	static const uint32_t more[] = { 1, 4, 8, 64, 1000 };
	const struct request *request;
	uint32_t id;
	size_t i;

	for_each_request(request)
		for (i = 0; i < ARRAY_SIZE(more); i++) {
			good(self, request);
			id = spare_id(self, request);
			self->arg->size = request->size + more[i];
			expect(_metadata, self, request, self->fd, id, 0);
		}
}

/* E2BIG if it is not zero, be it the first or the last byte. */
TEST_F(bad, long_structure_with_rubbish)
{
	static const uint32_t more[] = { 1, 4, 8, 64, 1000 };
	const struct request *request;
	uint32_t id;
	size_t i;

	for_each_request(request)
		for (i = 0; i < 2 * ARRAY_SIZE(more); i++) {
			uint32_t length = more[i / 2];

			good(self, request);
			id = spare_id(self, request);
			self->arg->size = request->size + length;
			self->arg->bytes[request->size +
					 (i % 2 ? length - 1 : 0)] = 1;
			expect(_metadata, self, request, self->fd, id, -E2BIG);
		}
}

/* Longer than any structure will ever be: E2BIG, without looking at it. */
TEST_F(bad, huge_structure)
{
	static const uint32_t sizes[] = { PAGE + 1, 1U << 31, ~0U };
	const struct request *request;
	uint32_t id;
	size_t i;

	for_each_request(request)
		for (i = 0; i < ARRAY_SIZE(sizes); i++) {
			good(self, request);
			id = spare_id(self, request);
			self->arg->size = sizes[i];
			expect(_metadata, self, request, self->fd, id, -E2BIG);
		}
}

/* A flag that is not known is EINVAL, each by itself. */
TEST_F(bad, unknown_flag)
{
	const struct request *request;
	uint32_t id, flag;

	for_each_request(request)
		for (flag = 1; flag; flag <<= 1) {
			if (flag & request->known_flags)
				continue;
			good(self, request);
			id = spare_id(self, request);
			self->arg->query.flags = flag;
			expect(_metadata, self, request, self->fd, id, -EINVAL);
		}
}

/* A reserved field that is not zero is EINVAL, in each byte. */
TEST_F(bad, reserved_field)
{
	const struct request *request;
	uint32_t id;
	size_t i;

	for_each_request(request)
		for (i = 0; i < request->reserved.length; i++) {
			good(self, request);
			id = spare_id(self, request);
			self->arg->bytes[request->reserved.offset + i] = 1;
			expect(_metadata, self, request, self->fd, id, -EINVAL);
		}
}

/* Without BSDVM_MAP_FD_ADDRESS there is no address. */
TEST_F(bad, address_without_flag)
{
	struct bsdvm_map_fd arg = {
		.size = sizeof(arg),
		.addr = (uintptr_t)self->p,
	};

	EXPECT_EQ(call(self->fd, BSDVM_IOC_MAP_FD, &arg), -EINVAL);
}

/* Addresses where no map is mapped are ENOENT. */
TEST_F(bad, address_of_something_else)
{
	const uint64_t addr[] = { 0, 1, (uintptr_t)&addr, (uintptr_t)self->arg,
				  1ULL << 47, 1ULL << 63, ~0ULL };
	struct bsdvm_map_fd arg = {
		.size = sizeof(arg),
		.flags = BSDVM_MAP_FD_ADDRESS,
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(addr); i++) {
		arg.addr = addr[i];
		EXPECT_EQ(call(self->fd, BSDVM_IOC_MAP_FD, &arg), -ENOENT);
		EXPECT_EQ(call(self->dev, BSDVM_IOC_MAP_FD, &arg), -ENOENT);
	}
}

/* A pointer to nowhere, or to a structure that ends nowhere, is EFAULT. */
TEST_F(bad, pointer)
{
	unsigned char *end = (unsigned char *)(self->arg + 1);
	const struct request *request;
	void *bad[4];
	size_t i;

	for_each_request(request) {
		bad[0] = NULL;
		bad[1] = end - 4;
		bad[2] = end - request->size + 1;
		bad[3] = (void *)0xffff888000000000;
		memset(self->arg, 0, sizeof(*self->arg));
		memcpy(bad[1], &request->size, 4);
		for (i = 0; i < ARRAY_SIZE(bad); i++) {
			if (i == 2)
				memcpy(bad[2], &request->size, 4);
			EXPECT_EQ(call(self->fd, request->cmd, bad[i]), -EFAULT)
				TH_LOG("%s %zu", request->name, i);
		}
	}
}

/* So is an argument that cannot be written to, if there is a result. */
TEST_F(bad, pointer_to_read_only_memory)
{
	const struct request *request;
	int ret;

	for_each_request(request) {
		if (!(request->what & REQUEST_OUT))
			continue;
		good(self, request);
		mprotect(self->arg, sizeof(*self->arg), PROT_READ);
		ret = call(self->fd, request->cmd, self->arg);
		mprotect(self->arg, sizeof(*self->arg), PROT_READ | PROT_WRITE);
		EXPECT_EQ(ret, -EFAULT)
			TH_LOG("%s", request->name);
	}
}

/* What a range can be. */
struct range {
	uint64_t offset;
	uint64_t length;
	int expected;
};

static const struct range ranges[] = {
	{ 0, 0, -EINVAL },
	{ PAGE, 0, -EINVAL },
	{ 1, PAGE, -EINVAL },
	{ PAGE - 1, PAGE, -EINVAL },
	{ 0, 1, -EINVAL },
	{ 0, PAGE - 1, -EINVAL },
	{ 0, PAGE + 1, -EINVAL },
	{ 512, 512, -EINVAL },
	{ -1ULL, PAGE, -EINVAL },
	{ 0, -1ULL, -EINVAL },
	{ -PAGE64, PAGE, -EINVAL },
	{ -PAGE64, 2 * PAGE, -EINVAL },
	{ PAGE, -PAGE64, -EINVAL },
	{ 1ULL << 63, 1ULL << 63, -EINVAL },
	{ 0, SIZE + PAGE, -ERANGE },
	{ SIZE - PAGE, 2 * PAGE, -ERANGE },
	{ SIZE, PAGE, -ERANGE },
	{ SIZE + PAGE, PAGE, -ERANGE },
	{ 0, 1ULL << 40, -ERANGE },
	{ 0, 1ULL << 48, -ERANGE },
	{ 0, 1ULL << 63, -ERANGE },
	{ 0, -PAGE64, -ERANGE },
	{ 1ULL << 40, PAGE, -ERANGE },
	{ 1ULL << 48, PAGE, -ERANGE },
	{ 1ULL << 63, PAGE, -ERANGE },
	{ -2 * PAGE64, PAGE, -ERANGE },
};

/* Ranges: unaligned or overflowing is EINVAL, outside of the map ERANGE. */
TEST_F(bad, range)
{
	static const unsigned int cmds[] = {
		BSDVM_IOC_SHADOW, BSDVM_IOC_WIRE, BSDVM_IOC_UNWIRE,
	};
	struct bsdvm_wire arg = { .size = sizeof(arg) };
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(ranges); i++)
		for (j = 0; j < 2 * ARRAY_SIZE(cmds) - 1; j++) {
			arg.offset = ranges[i].offset;
			arg.length = ranges[i].length;
			arg.flags = j >= ARRAY_SIZE(cmds) ? BSDVM_WIRE_SYSTEM :
							    0;
			EXPECT_EQ(call(self->fd, cmds[(j + j / 3) % 3], &arg),
				  ranges[i].expected)
				TH_LOG("range %zu, request %zu", i, j);
		}
}

static int ranges_of_a_user(void *context)
{
	FIXTURE_DATA(bad) *self = context;
	static const unsigned int cmds[] = { BSDVM_IOC_WIRE, BSDVM_IOC_UNWIRE };
	struct bsdvm_wire arg = { .size = sizeof(arg) };
	size_t i, j;

	if (setgid(1000) || setuid(1000))
		return 1;
	for (i = 0; i < ARRAY_SIZE(ranges); i++)
		for (j = 0; j < ARRAY_SIZE(cmds); j++) {
			arg.offset = ranges[i].offset;
			arg.length = ranges[i].length;
			if (call(self->fd, cmds[j], &arg) != ranges[i].expected)
				return 2 + i;
		}
	return 0;
}

/* The same for who may not lock as much as he likes: the range comes first. */
TEST_F(bad, range_of_a_user)
{
	if (geteuid())
		SKIP(return, "to become a user one must be root");
	EXPECT_EQ(in_child(ranges_of_a_user, self), 0);
}

/* Who takes a snapshot does not say which id it gets. */
TEST_F(bad, snapshot_id)
{
	const uint32_t id[] = { 1, self->id, NEVER, -1U };
	struct bsdvm_snapshot_take take;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(id); i++) {
		take = (struct bsdvm_snapshot_take){
			.size = sizeof(take),
			.id = id[i],
		};
		EXPECT_EQ(call(self->fd, BSDVM_IOC_SNAPSHOT, &take), -EINVAL);
		EXPECT_EQ(take.id, id[i]);
	}
}

/* A map as long as anybody likes, but not longer. */
TEST_F(bad, create_size)
{
	struct bsdvm_query query = { .size = sizeof(query) };
	uint64_t size[4];
	size_t i;
	int fd;

	ASSERT_EQ(call(self->dev, BSDVM_IOC_QUERY, &query), 0);
	size[0] = query.max_size + 1;
	size[1] = 1ULL << 63;
	size[2] = -PAGE64;
	size[3] = ~0ULL;
	for (i = 0; i < ARRAY_SIZE(size); i++) {
		EXPECT_EQ(bsdvm_create(size[i]), -1);
		EXPECT_EQ(errno, EINVAL);
	}
	fd = bsdvm_create(query.max_size);
	EXPECT_GE(fd, 0);
	EXPECT_EQ(lseek(fd, 0, SEEK_END), query.max_size);
	EXPECT_EQ(bsdvm_check(fd), 0);
	close(fd);
	fd = bsdvm_create(0);
	EXPECT_GE(fd, 0);
	EXPECT_EQ(bsdvm_check(fd), 0);
	close(fd);
}

/* A descriptor that is no map and not the device does not know us. */
TEST_F(bad, wrong_descriptor)
{
	int pipes[2], fd[6];
	const struct request *request;
	size_t i;

	ASSERT_EQ(pipe(pipes), 0);
	fd[0] = pipes[0];
	fd[1] = memfd_create("memfd", 0);
	fd[2] = open("/dev/null", O_RDWR);
	fd[3] = open("/tmp", O_RDONLY);
	fd[4] = bsdvm_reopen(self->fd, O_PATH);
	fd[5] = 1000;
	for_each_request(request)
		for (i = 0; i < ARRAY_SIZE(fd); i++) {
			self->arg->size = request->size;
			EXPECT_EQ(call(fd[i], request->cmd, self->arg),
				  i < 4 ? -ENOTTY : -EBADF);
		}
	for (i = 0; i < ARRAY_SIZE(fd) - 1; i++)
		close(fd[i]);
	close(pipes[1]);
}

/* Without the right to write, nothing that changes the map. */
TEST_F(bad, read_only_descriptor)
{
	const struct request *request;
	uint32_t id;

	for_each_request(request) {
		good(self, request);
		id = spare_id(self, request);
		expect(_metadata, self, request, self->ro_fd, id,
		       request->what & REQUEST_WRITE ? -EBADF : 0);
	}
}

/* Nor any other way in. */
TEST_F(bad, read_only_descriptor_is_read_only)
{
	void *p;

	EXPECT_EQ(write(self->ro_fd, "x", 1), -1);
	EXPECT_EQ(errno, EBADF);
	EXPECT_EQ(ftruncate(self->ro_fd, 0), -1);
	EXPECT_EQ(errno, EINVAL);
	EXPECT_EQ(punch(self->ro_fd, 0, PAGE), -1);
	EXPECT_EQ(errno, EBADF);
	p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, self->ro_fd,
		 0);
	EXPECT_EQ(p, MAP_FAILED);
	EXPECT_EQ(errno, EACCES);
	p = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, self->ro_fd, 0);
	ASSERT_NE(p, MAP_FAILED);
	EXPECT_EQ(mprotect(p, SIZE, PROT_READ | PROT_WRITE), -1);
	EXPECT_EQ(errno, EACCES);
	EXPECT_EQ(madvise(p, PAGE, MADV_REMOVE), -1);
	EXPECT_EQ(errno, EACCES);
	munmap(p, SIZE);
}

/* The descriptor that MAP_FD gives can do no more than the one it came from. */
TEST_F(bad, read_only_descriptor_stays_so)
{
	struct bsdvm_map_fd arg = { .size = sizeof(arg) };
	int fd = call(self->ro_fd, BSDVM_IOC_MAP_FD, &arg);

	ASSERT_GE(fd, 0);
	EXPECT_EQ(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	EXPECT_EQ(bsdvm_snapshot(fd), 0);
	EXPECT_EQ(errno, EBADF);
	close(fd);
}

/* Who inherits a private mapping, and no descriptor, cannot get one to write. */
TEST_F(bad, private_mapping_is_no_descriptor)
{
	void *mine = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE,
			  self->fd, 0);
	void *read = mmap(NULL, SIZE, PROT_READ, MAP_PRIVATE, self->ro_fd, 0);
	int fd;

	ASSERT_NE(mine, MAP_FAILED);
	ASSERT_NE(read, MAP_FAILED);
	EXPECT_EQ(bsdvm_fd_at(self->dev, mine), -1);
	EXPECT_EQ(errno, EACCES);
	fd = bsdvm_fd_at(self->dev, read);
	ASSERT_GE(fd, 0);
	EXPECT_EQ(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	close(fd);
	munmap(mine, SIZE);
	munmap(read, SIZE);
}

/* What a reader opens he may write to, but the family's snapshots stay. */
TEST_F(bad, reader_drops_only_his_own)
{
	uint32_t id = bsdvm_snapshot(self->fd), own;
	int guest = bsdvm_open(self->ro_fd, id), again, host;

	ASSERT_GE(guest, 0);
	EXPECT_EQ(bsdvm_drop(guest, id), -1);
	EXPECT_EQ(errno, EACCES);
	EXPECT_EQ(bsdvm_check(guest), -1);
	EXPECT_EQ(errno, EACCES);
	own = bsdvm_snapshot(guest);
	ASSERT_NE(own, 0);
	again = bsdvm_open(guest, own);
	ASSERT_GE(again, 0);
	EXPECT_EQ(bsdvm_drop(again, id), -1);
	EXPECT_EQ(bsdvm_drop(again, own), -1);
	EXPECT_EQ(errno, EACCES);
	EXPECT_EQ(bsdvm_drop(guest, own), 0);
	EXPECT_EQ(bsdvm_drop(guest, own), -1);
	EXPECT_EQ(errno, ENOENT);
	close(again);
	again = bsdvm_shadow(guest, 0, PAGE);
	ASSERT_GE(again, 0);
	EXPECT_EQ(bsdvm_drop(again, id), -1);
	EXPECT_EQ(errno, EACCES);
	close(again);
	close(guest);
	host = bsdvm_open(self->fd, id);
	EXPECT_EQ(bsdvm_drop(host, id), 0);
	close(host);
}

/* So is the map of a device that was opened for reading. */
TEST_F(bad, read_only_device_makes_a_read_only_map)
{
	struct bsdvm_map_fd arg = { .size = sizeof(arg) };
	int dev = open("/dev/bsdvm", O_RDONLY), fd;
	void *p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, dev, 0);

	ASSERT_NE(p, MAP_FAILED);
	fd = call(dev, BSDVM_IOC_MAP_FD, &arg);
	ASSERT_GE(fd, 0);
	EXPECT_EQ(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	EXPECT_EQ(write(fd, "x", 1), -1);
	EXPECT_EQ(errno, EBADF);
	EXPECT_EQ(mprotect(p, PAGE, PROT_READ | PROT_WRITE), -1);
	EXPECT_EQ(errno, EACCES);
	munmap(p, PAGE);
	close(fd);
	close(dev);
}

/* One that can only be written to cannot be read, mapped or opened anew. */
TEST_F(bad, write_only_descriptor)
{
	int fd = bsdvm_reopen(self->fd, O_WRONLY);
	char c;

	ASSERT_GE(fd, 0);
	EXPECT_EQ(read(fd, &c, 1), -1);
	EXPECT_EQ(errno, EBADF);
	/* Nor may a new map show what it holds. */
	EXPECT_EQ(bsdvm_open(fd, self->id), -1);
	EXPECT_EQ(errno, EBADF);
	EXPECT_EQ(bsdvm_shadow(fd, 0, PAGE), -1);
	EXPECT_EQ(errno, EBADF);
	EXPECT_EQ(mmap(NULL, PAGE, PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
	EXPECT_EQ(errno, EACCES);
	close(fd);
}

/* The device has no map before it was mapped. */
TEST_F(bad, device_without_a_map)
{
	const struct request *request;
	uint32_t id;

	for_each_request(request) {
		good(self, request);
		id = spare_id(self, request);
		expect(_metadata, self, request, self->dev, id,
		       request->what & REQUEST_NO_MAP ? 0 : -ENXIO);
	}
}

/* Numbers that are none of ours, or ours with a size or a direction. */
TEST_F(bad, unknown_request)
{
	const struct request *request;
	unsigned int nr;

	memset(self->arg, 0, sizeof(*self->arg));
	for (nr = 0x0e; nr < 0x100; nr++) {
		EXPECT_EQ(call(self->fd, _IO(BSDVM_IOC_MAGIC, nr), self->arg),
			  -ENOTTY);
		EXPECT_EQ(call(self->dev, _IO(BSDVM_IOC_MAGIC, nr), self->arg),
			  -ENOTTY);
	}
	for_each_request(request) {
		nr = _IOC_NR(request->cmd);
		good(self, request);
		undo(self, request, spare_id(self, request), -1);
		EXPECT_EQ(call(self->fd, _IO(0xB6, nr), self->arg), -ENOTTY);
		EXPECT_EQ(call(self->fd, _IO(0xB4, nr), self->arg), -ENOTTY);
		EXPECT_EQ(call(self->fd, _IOC(_IOC_READ, BSDVM_IOC_MAGIC, nr,
					      request->size), self->arg),
			  -ENOTTY);
		EXPECT_EQ(call(self->fd, _IOC(_IOC_WRITE, BSDVM_IOC_MAGIC, nr,
					      8), self->arg), -ENOTTY);
	}
}

/* Ids that were dropped, never were, or belong to another family. */
TEST_F(bad, unknown_snapshot)
{
	uint32_t dropped = bsdvm_snapshot(self->fd), others[3], i;
	int fd = bsdvm_create(PAGE);

	ASSERT_EQ(bsdvm_drop(self->fd, dropped), 0);
	others[0] = dropped;
	others[1] = 0;
	others[2] = NEVER;
	for (i = 0; i < ARRAY_SIZE(others); i++) {
		EXPECT_EQ(bsdvm_open(self->fd, others[i]), -1);
		EXPECT_EQ(errno, ENOENT);
		EXPECT_EQ(bsdvm_drop(self->fd, others[i]), -1);
		EXPECT_EQ(errno, ENOENT);
	}
	EXPECT_EQ(bsdvm_open(fd, self->id), -1);
	EXPECT_EQ(errno, ENOENT);
	EXPECT_EQ(bsdvm_drop(fd, self->id), -1);
	EXPECT_EQ(errno, ENOENT);
	close(fd);
}

/* Questions about what is not there: ENOENT. */
TEST_F(bad, nothing_to_report)
{
	static const uint64_t beyond[] = { SIZE, SIZE + PAGE, 1ULL << 40,
					   1ULL << 63, ~0ULL };
	struct bsdvm_snapshot_info snapshot = { .size = sizeof(snapshot) };
	struct bsdvm_entry_info entry = { .size = sizeof(entry) };
	struct bsdvm_object_info object;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(beyond); i++) {
		entry.offset = beyond[i];
		EXPECT_EQ(call(self->fd, BSDVM_IOC_ENTRY_INFO, &entry),
			  -ENOENT);
		EXPECT_EQ(bsdvm_object_info(self->fd, beyond[i], 0, &object),
			  -1);
		EXPECT_EQ(errno, ENOENT);
	}
	EXPECT_EQ(bsdvm_object_info(self->fd, 0, 1000, &object), -1);
	EXPECT_EQ(errno, ENOENT);
	EXPECT_EQ(bsdvm_object_info(self->fd, 0, ~0U, &object), -1);
	EXPECT_EQ(errno, ENOENT);
	snapshot.id = NEVER;
	EXPECT_EQ(call(self->fd, BSDVM_IOC_SNAPSHOT_INFO, &snapshot), -ENOENT);
	snapshot.id = ~0U;
	EXPECT_EQ(call(self->fd, BSDVM_IOC_SNAPSHOT_INFO, &snapshot), -ENOENT);
}

/* A device mapped first at an offset that no map can have. */
TEST_F(bad, device_mmap_offset)
{
	static const uint64_t pgoff[] = {
		1ULL << 36, 1ULL << 40, 1ULL << 51, (1ULL << 52) - 1,
	};
	size_t i;
	void *p;

	if (sizeof(long) < sizeof(pgoff[0]))
		SKIP(return, "32-bit callers cannot name such an offset");
	for (i = 0; i < ARRAY_SIZE(pgoff); i++) {
		p = (void *)syscall(SYS_mmap, NULL, PAGE, PROT_READ, MAP_SHARED,
				    self->dev, pgoff[i] * PAGE);
		EXPECT_EQ(p, MAP_FAILED);
		EXPECT_EQ(errno, EOVERFLOW);
	}
	EXPECT_EQ(mmap(NULL, 0, PROT_READ, MAP_SHARED, self->dev, 0),
		  MAP_FAILED);
	EXPECT_EQ(errno, EINVAL);
	EXPECT_EQ(call(self->dev, BSDVM_IOC_MAP_FD,
		       good(self, &requests[2])), -ENXIO);
}

/* Sizes that no file can have; a size too large for a map is EFBIG. */
TEST_F(bad, ftruncate)
{
	static const struct {
		off_t size;
		int expected;
	} table[] = {
		{ -1, EINVAL },
		{ INT64_MIN, EINVAL },
		{ INT64_MAX, EFBIG },
		{ 1LL << 62, EFBIG },
		{ (1LL << 48) + 1, EFBIG },
		{ 1LL << 49, EFBIG },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(table); i++) {
		EXPECT_EQ(ftruncate(self->fd, table[i].size), -1);
		EXPECT_EQ(errno, table[i].expected)
			TH_LOG("size %lld", (long long)table[i].size);
	}
}

/* Ranges and modes that fallocate() does not have. */
TEST_F(bad, fallocate)
{
	static const struct {
		int mode;
		off_t offset, length;
		int expected;
	} table[] = {
		{ 0, -1, PAGE, EINVAL },
		{ 0, 0, 0, EINVAL },
		{ 0, 0, -1, EINVAL },
		{ 0, PAGE, INT64_MAX, EFBIG },
		{ 0, INT64_MAX, 1, EFBIG },
		{ 0, 1LL << 62, PAGE, EFBIG },
		{ 0, 1LL << 48, PAGE, EFBIG },
		{ FALLOC_FL_PUNCH_HOLE, 0, PAGE, EOPNOTSUPP },
		{ FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, -PAGE64, PAGE,
		  EINVAL },
		{ FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 0, EINVAL },
		{ FALLOC_FL_COLLAPSE_RANGE, 0, PAGE, EOPNOTSUPP },
		{ FALLOC_FL_INSERT_RANGE, 0, PAGE, EOPNOTSUPP },
		{ FALLOC_FL_UNSHARE_RANGE, 0, PAGE, EOPNOTSUPP },
		{ 0x1000, 0, PAGE, EOPNOTSUPP },
		{ -1, 0, PAGE, EOPNOTSUPP },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(table); i++) {
		EXPECT_EQ(fallocate(self->fd, table[i].mode, table[i].offset,
				    table[i].length), -1);
		EXPECT_EQ(errno, table[i].expected)
			TH_LOG("row %zu", i);
	}
	/* Beyond the end there is nothing to punch. */
	EXPECT_EQ(punch(self->fd, SIZE, PAGE), 0);
	EXPECT_EQ(punch(self->fd, 1LL << 40, PAGE), 0);
}

/* Offsets and pointers that read and write do not take. */
TEST_F(bad, read_and_write)
{
	void *nowhere = self->arg + 1;
	char c = 0;

	EXPECT_EQ(pread(self->fd, &c, 1, -1), -1);
	EXPECT_EQ(errno, EINVAL);
	EXPECT_EQ(pwrite(self->fd, &c, 1, -1), -1);
	EXPECT_EQ(errno, EINVAL);
	EXPECT_EQ(pread(self->fd, nowhere, 1, 0), -1);
	EXPECT_EQ(errno, EFAULT);
	EXPECT_EQ(pwrite(self->fd, nowhere, 1, 0), -1);
	EXPECT_EQ(errno, EFAULT);
	EXPECT_EQ(pwrite(self->fd, nowhere, 1, SIZE), -1);
	EXPECT_EQ(errno, EFAULT);
	EXPECT_EQ(pread(self->fd, &c, 1, 1LL << 62), 0);
	EXPECT_EQ(pread(self->fd, &c, 1, SIZE), 0);
	EXPECT_EQ(pwrite(self->fd, &c, 1, 1LL << 62), -1);
	EXPECT_EQ(errno, EFBIG);
	EXPECT_EQ(pwrite(self->fd, &c, 1, 1LL << 48), -1);
	EXPECT_EQ(errno, EFBIG);
	EXPECT_EQ(lseek(self->fd, -1, SEEK_SET), -1);
	EXPECT_EQ(errno, EINVAL);
	EXPECT_EQ(lseek(self->fd, 0, 77), -1);
	EXPECT_EQ(errno, EINVAL);
	EXPECT_EQ(lseek(self->fd, SIZE, SEEK_DATA), -1);
	EXPECT_EQ(errno, ENXIO);
	EXPECT_EQ(lseek(self->fd, -1, SEEK_HOLE), -1);
	EXPECT_EQ(errno, ENXIO);
}

/* Only results are written, and nothing behind the structure. */
TEST_F(bad, argument_is_written_where_documented)
{
	const struct request *request;
	union argument *before = malloc(sizeof(*before));
	size_t keep;
	int ret;

	for_each_request(request) {
		good(self, request);
		memset(self->arg->bytes + request->size, 0x5a, PAGE);
		memcpy(before, self->arg, sizeof(*before));
		ret = call(self->fd, request->cmd, self->arg);
		EXPECT_GE(ret, 0)
			TH_LOG("%s", request->name);
		keep = request->what & REQUEST_OUT ? 8 : request->size;
		EXPECT_EQ(memcmp(before, self->arg, keep), 0)
			TH_LOG("%s", request->name);
		EXPECT_TRUE(all_bytes(self->arg->bytes + request->size, PAGE,
				      0x5a))
			TH_LOG("%s", request->name);
		undo(self, request, before->ref.id, ret);
	}
	free(before);
}

/* A question, in a buffer that is @rubbish where results will be. */
static void question(FIXTURE_DATA(bad) *self, const struct request *request,
		     int rubbish)
{
	union argument *arg = good(self, request);

	memset(arg->bytes + 8, rubbish, request->size - 8);
	memset(arg->bytes + request->reserved.offset, 0,
	       request->reserved.length);
	arg->size = request->size;
	if (request->cmd == BSDVM_IOC_ENTRY_INFO)
		arg->entry_info.offset = 0;
	if (request->cmd == BSDVM_IOC_SNAPSHOT_INFO)
		arg->snapshot_info.id = self->id;
	if (request->cmd == BSDVM_IOC_OBJECT_INFO)
		memset(&arg->object_info.offset, 0, 12);
}

/* Every byte of an answer is set, whatever was in the buffer. */
TEST_F(bad, results_are_complete)
{
	const struct request *request;
	union argument first;

	for_each_request(request) {
		if (!(request->what & REQUEST_OUT) ||
		    request->cmd == BSDVM_IOC_SNAPSHOT)
			continue;
		question(self, request, 0x5a);
		ASSERT_EQ(call(self->fd, request->cmd, self->arg), 0)
			TH_LOG("%s", request->name);
		memcpy(&first, self->arg, sizeof(first));
		question(self, request, 0);
		ASSERT_EQ(call(self->fd, request->cmd, self->arg), 0);
		/* Asking may count. */
		if (request->cmd == BSDVM_IOC_MAP_INFO)
			first.map_info.generation =
				self->arg->map_info.generation;
		EXPECT_EQ(memcmp(self->arg, &first, request->size), 0)
			TH_LOG("%s", request->name);
	}
}

/* Without a free descriptor: EMFILE, nothing is left behind, nothing changed. */
TEST_F(bad, no_descriptor_left)
{
	struct rlimit none = { .rlim_cur = 0, .rlim_max = 4096 }, before;
	struct bsdvm_map_info was, is;
	const struct request *request;
	int ret;

	getrlimit(RLIMIT_NOFILE, &before);
	ASSERT_EQ(bsdvm_map_info(self->fd, &was), 0);
	for_each_request(request) {
		if (!(request->what & REQUEST_FD))
			continue;
		good(self, request);
		none.rlim_max = before.rlim_max;
		setrlimit(RLIMIT_NOFILE, &none);
		ret = call(self->fd, request->cmd, self->arg);
		setrlimit(RLIMIT_NOFILE, &before);
		EXPECT_EQ(ret, -EMFILE)
			TH_LOG("%s", request->name);
	}
	ASSERT_EQ(bsdvm_map_info(self->fd, &is), 0);
	EXPECT_EQ(memcmp(&is, &was, sizeof(is)), 0);
}

/* ---- no file left ------------------------------------------------------- */

#define FILE_MAX	"/proc/sys/fs/file-max"

static long file_max_set(long max)
{
	long before = -1;
	FILE *f = fopen(FILE_MAX, "r+");

	if (!f)
		return -1;
	if (fscanf(f, "%ld", &before) == 1) {
		rewind(f);
		fprintf(f, "%ld", max);
	}
	return fclose(f) ? -1 : before;
}

/* What a user without privileges gets; root may have more files than allowed. */
static int without_files(void *context)
{
	FIXTURE_DATA(bad) *self = context;
	const struct request *request;

	if (setgid(1000) || setuid(1000))
		return 1;
	for_each_request(request) {
		if (!(request->what & REQUEST_FD) ||
		    request->cmd == BSDVM_IOC_MAP_FD)
			continue;
		good(self, request);
		if (call(request->cmd == BSDVM_IOC_CREATE ? self->dev :
							    self->fd,
			 request->cmd, self->arg) != -ENFILE)
			return 2;
	}
	return 0;
}

/* With as many open files as the system allows: ENFILE, nothing is left. */
TEST_F(bad, no_file_left)
{
	long before;
	int ret;

	if (geteuid())
		SKIP(return, "to become a user one must be root");
	before = file_max_set(0);
	ASSERT_GT(before, 0);
	ret = in_child(without_files, self);
	ASSERT_GE(file_max_set(before), 0);
	EXPECT_EQ(ret, 0);
}

static int create_without_files(void *context)
{
	struct bsdvm_create arg = { .size = sizeof(arg), .map_size = PAGE };

	if (setgid(1000) || setuid(1000))
		return 1;
	return ioctl(*(int *)context, BSDVM_IOC_CREATE, &arg) != -1 ||
	       errno != ENFILE;
}

/* The same for the only map there is: its file system goes with it. */
TEST(no_file_left_for_the_first_map)
{
	int dev = bsdvm_dev(), i, ret = 0;
	long before;

	if (geteuid())
		SKIP(return, "to become a user one must be root");
	before = file_max_set(0);
	ASSERT_GT(before, 0);
	for (i = 0; i < 100 && !ret; i++)
		ret = in_child(create_without_files, &dev);
	ASSERT_GE(file_max_set(before), 0);
	EXPECT_EQ(ret, 0);
	close(dev);
}

/* ---- arguments that change --------------------------------------------- */

struct flipper {
	volatile uint32_t *word;
	uint32_t value[2];
	volatile bool stop;
};

static void *flip(void *context)
{
	struct flipper *flipper = context;

	while (!flipper->stop) {
		*flipper->word = flipper->value[0];
		*flipper->word = flipper->value[1];
	}
	return NULL;
}

/* An argument that changes while it is read is taken as one or the other. */
TEST_F(bad, argument_that_changes)
{
	const struct request *request = &requests[9];
	struct flipper flipper = {
		.word = &self->arg->size,
		.value = { sizeof(struct bsdvm_map_info), ~0U },
	};
	time_t end = time(NULL) + 20;
	int i, ret, ok = 0, refused = 0;
	pthread_t thread;

	ASSERT_EQ(request->cmd, BSDVM_IOC_MAP_INFO);
	good(self, request);
	memset(self->arg->bytes + request->size, 0x5a, PAGE);
	ASSERT_EQ(pthread_create(&thread, NULL, flip, &flipper), 0);
	/* The thread may have to wait long for a processor. */
	for (i = 0; i < 20000 ||
	     ((!ok || !refused) && time(NULL) < end); i++) {
		ret = call(self->fd, request->cmd, self->arg);
		ok += !ret;
		refused += ret == -E2BIG;
		if (ret && ret != -E2BIG) {
			EXPECT_EQ(ret, 0);
			break;
		}
	}
	flipper.stop = true;
	pthread_join(thread, NULL);
	EXPECT_TRUE(all_bytes(self->arg->bytes + request->size, PAGE, 0x5a));
	EXPECT_GT(ok, 0);
	EXPECT_GT(refused, 0);
}

TEST_HARNESS_MAIN
