// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Every allocation failed once: each operation is tried with its first
 * allocation failed, then with its second, until one try reaches none that is
 * to fail. What failed has changed nothing that can be seen; what succeeded did
 * all of it; and in either case nothing is left when everything is closed.
 *
 * Needs a kernel with CONFIG_FAULT_INJECTION, and root.
 */

#define _GNU_SOURCE
#include <sys/uio.h>

#include "failnth_util.h"
#include "kselftest_harness.h"

#define TRIES	2000

/* ---- the operations: 0 or a negative errno ----------------------------- */

static int result(long ret)
{
	return ret < 0 ? -errno : 0;
}

/* A new descriptor, whose file must hold the bytes. */
static int made(struct world *w, int fd, const unsigned char *bytes,
		size_t size)
{
	if (fd < 0)
		return -errno;
	w->made = fd;
	w->made_bytes = bytes;
	w->made_size = size;
	return 0;
}

static const unsigned char nothing[SIZE];

static int op_query(struct world *w)
{
	struct bsdvm_query arg = { .size = sizeof(arg) };

	return result(ioctl(w->dev, BSDVM_IOC_QUERY, &arg));
}

static int op_create(struct world *w)
{
	struct bsdvm_create arg = { .size = sizeof(arg), .map_size = SIZE };

	return made(w, ioctl(w->dev, BSDVM_IOC_CREATE, &arg), nothing, SIZE);
}

static int op_open_device(struct world *w)
{
	int fd = bsdvm_dev();

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

/* The first mapping of the device makes a map. */
static int op_map_device(struct world *w)
{
	void *p = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, w->dev, 0);

	if (p == MAP_FAILED)
		return -errno;
	w->extra = p;
	return 0;
}

static int op_map_fd(struct world *w)
{
	struct bsdvm_map_fd arg = { .size = sizeof(arg) };

	return made(w, ioctl(w->fd, BSDVM_IOC_MAP_FD, &arg), w->bytes, SIZE);
}

static int op_map_fd_at(struct world *w)
{
	struct bsdvm_map_fd arg = {
		.size = sizeof(arg),
		.flags = BSDVM_MAP_FD_ADDRESS,
		.addr = (uintptr_t)w->p,
	};

	return made(w, ioctl(w->dev, BSDVM_IOC_MAP_FD, &arg), w->bytes, SIZE);
}

static int op_snapshot(struct world *w)
{
	w->taken = bsdvm_snapshot(w->fd);
	return w->taken ? 0 : -errno;
}

/* Pages wired are copied for the snapshot. */
static bool before_wired(struct world *w)
{
	return !bsdvm_wire(w->fd, 0, SIZE, 0);
}

static int op_open(struct world *w)
{
	return made(w, bsdvm_open(w->fd, w->id), w->then, SIZE);
}

static int op_drop(struct world *w)
{
	if (bsdvm_drop(w->fd, w->id))
		return -errno;
	w->id = 0;
	return 0;
}

static int op_shadow(struct world *w)
{
	return made(w, bsdvm_shadow(w->fd, PAGE, SIZE - PAGE),
		    w->bytes + PAGE, SIZE - PAGE);
}

static int op_wire(struct world *w)
{
	return result(bsdvm_wire(w->fd, PAGE, SIZE - 2 * PAGE, 0));
}

static int op_wire_system(struct world *w)
{
	return result(bsdvm_wire(w->fd, PAGE, SIZE - 2 * PAGE,
				 BSDVM_WIRE_SYSTEM));
}

/* In the middle, so that entries are cut. */
static int op_unwire(struct world *w)
{
	return result(bsdvm_unwire(w->fd, 4 * PAGE, 3 * PAGE, 0));
}

static int op_map_info(struct world *w)
{
	struct bsdvm_map_info info;

	return result(bsdvm_map_info(w->fd, &info));
}

static int op_entry_info(struct world *w)
{
	struct bsdvm_entry_info info = { .size = sizeof(info) };

	return result(ioctl(w->fd, BSDVM_IOC_ENTRY_INFO, &info));
}

static int op_snapshot_info(struct world *w)
{
	struct bsdvm_snapshot_info info = { .size = sizeof(info) };

	return result(ioctl(w->fd, BSDVM_IOC_SNAPSHOT_INFO, &info));
}

static int op_object_info(struct world *w)
{
	struct bsdvm_object_info info;

	return result(bsdvm_object_info(w->fd, 0, 1, &info));
}

static int op_check(struct world *w)
{
	return result(bsdvm_check(w->fd));
}

/* ---- faults ------------------------------------------------------------- */

static int populate(struct world *w, size_t page, size_t npages, int advice)
{
	return result(madvise(w->p + page * PAGE, npages * PAGE, advice));
}

static int op_read_hole(struct world *w)
{
	return populate(w, SHARED, 1, MADV_POPULATE_READ);
}

static int op_read_own(struct world *w)
{
	return populate(w, 0, 1, MADV_POPULATE_READ);
}

static int op_read_behind(struct world *w)
{
	return populate(w, OWN, 1, MADV_POPULATE_READ);
}

static int op_read_all(struct world *w)
{
	return populate(w, 0, NPAGES, MADV_POPULATE_READ);
}

static int op_write_hole(struct world *w)
{
	return populate(w, SHARED, 1, MADV_POPULATE_WRITE);
}

static int op_write_own(struct world *w)
{
	return populate(w, 0, 1, MADV_POPULATE_WRITE);
}

static int op_write_behind(struct world *w)
{
	return populate(w, OWN, 1, MADV_POPULATE_WRITE);
}

static int op_write_all(struct world *w)
{
	return populate(w, 0, NPAGES, MADV_POPULATE_WRITE);
}

/* Pages are mapped for reading, so that a write meets page_mkwrite. */
static bool before_mapped(struct world *w)
{
	return !madvise(w->p, SIZE, MADV_POPULATE_READ);
}

/* Nothing is behind: the first write pushes a shadow. */
static bool before_frozen(struct world *w)
{
	return bsdvm_snapshot(w->fd) != 0;
}

/* Only one map can see the object behind: its pages are renamed. */
static bool before_renamed(struct world *w)
{
	bool ok = !bsdvm_drop(w->fd, w->id);

	w->id = 0;
	return ok;
}

/* Nobody is told of a fault that failed in user mode: it comes again. */
static int op_store(struct world *w)
{
	volatile unsigned char *p = w->p;
	size_t i;

	for (i = 0; i < NPAGES; i++) {
		p[i * PAGE] = 0xe1;
		w->bytes[i * PAGE] = 0xe1;
	}
	return 0;
}

/* In the kernel it ends the system call, after what was done so far. */
static int op_kernel_store(struct world *w)
{
	ssize_t n = read(w->zero, w->p, SIZE);

	if (n > 0)
		memset(w->bytes, 0, n);
	return n < 0 ? -errno : 0;
}

static int op_poke(struct world *w)
{
	static unsigned char value[3 * PAGE];
	struct iovec here = { value, sizeof(value) };
	struct iovec there = { w->p + PAGE, sizeof(value) };
	ssize_t n;

	memset(value, 0xe2, sizeof(value));
	n = process_vm_writev(getpid(), &here, 1, &there, 1, 0);
	if (n > 0)
		memcpy(w->bytes + PAGE, value, n);
	return n < 0 ? -errno : 0;
}

/* ---- system calls on the file ------------------------------------------- */

static int write_at(struct world *w, size_t offset, size_t length)
{
	static unsigned char value[4 * PAGE];
	ssize_t n;

	memset(value, 0xe3, length);
	n = pwrite(w->fd, value, length, offset);
	if (n < 0)
		return -errno;
	memcpy(w->bytes + offset, value, n);
	if (offset + n > w->size)
		w->size = offset + n;
	return 0;
}

static int op_read(struct world *w)
{
	static unsigned char value[SIZE];

	return result(pread(w->fd, value, SIZE, 0));
}

static int op_write_part(struct world *w)
{
	return write_at(w, OWN * PAGE + 100, 50);
}

static int op_write_pages(struct world *w)
{
	return write_at(w, PAGE - 10, 3 * PAGE);
}

static int op_write_holes(struct world *w)
{
	return write_at(w, SHARED * PAGE, 3 * PAGE);
}

static int op_append(struct world *w)
{
	return write_at(w, SIZE - 10, 2 * PAGE);
}

static int op_punch(struct world *w)
{
	if (punch(w->fd, PAGE, 6 * PAGE))
		return -errno;
	memset(w->bytes + PAGE, 0, 6 * PAGE);
	return 0;
}

/* Parts of pages at both ends. */
static int op_punch_bytes(struct world *w)
{
	if (punch(w->fd, PAGE / 2, 4 * PAGE))
		return -errno;
	memset(w->bytes + PAGE / 2, 0, 4 * PAGE);
	return 0;
}

static int op_zero(struct world *w)
{
	if (fallocate(w->fd, FALLOC_FL_ZERO_RANGE, 2 * PAGE, SIZE))
		return -errno;
	memset(w->bytes + 2 * PAGE, 0, SIZE);
	w->size = 2 * PAGE + SIZE;
	return 0;
}

static int op_allocate(struct world *w)
{
	if (fallocate(w->fd, 0, 0, SIZE + PAGE))
		return -errno;
	w->size = SIZE + PAGE;
	return 0;
}

static int op_remove(struct world *w)
{
	if (madvise(w->p + 3 * PAGE, 2 * PAGE, MADV_REMOVE))
		return -errno;
	memset(w->bytes + 3 * PAGE, 0, 2 * PAGE);
	return 0;
}

static int resize(struct world *w, size_t size)
{
	if (ftruncate(w->fd, size))
		return -errno;
	w->size = size;
	return 0;
}

static int op_shrink(struct world *w)
{
	return resize(w, 3 * PAGE + 5);
}

/* So long that the map's index has to change its shape when it shrinks. */
static bool before_grown(struct world *w)
{
	return !resize(w, LARGE * PAGE);
}

static int op_grow(struct world *w)
{
	return resize(w, SIZE + 5);
}

static int op_seek(struct world *w)
{
	return result(lseek(w->fd, 0, SEEK_HOLE));
}

static int op_splice(struct world *w)
{
	int pipe[2], error;

	if (pipe2(pipe, O_CLOEXEC))
		return -errno;
	error = result(splice(w->fd, NULL, pipe[1], NULL, 2 * PAGE, 0));
	close(pipe[0]);
	close(pipe[1]);
	return error;
}

/* ---- mappings ------------------------------------------------------------ */

static int op_mmap(struct world *w)
{
	void *p = bsdvm_mmap(w->fd, SIZE);

	if (p == MAP_FAILED)
		return -errno;
	w->extra = p;
	return 0;
}

/* In the middle, which splits the mapping. */
static int op_munmap(struct world *w)
{
	return result(munmap(w->extra + PAGE, 2 * PAGE));
}

static bool before_mapped_twice(struct world *w)
{
	w->extra = bsdvm_mmap(w->fd, SIZE);
	return w->extra != MAP_FAILED;
}

static int op_mprotect(struct world *w)
{
	if (mprotect(w->p + 2 * PAGE, 2 * PAGE, PROT_READ))
		return -errno;
	return result(mprotect(w->p + 2 * PAGE, 2 * PAGE,
			       PROT_READ | PROT_WRITE));
}

/*
 * Linux leaves the old mapping where it was, beside the new one, if it cannot
 * be removed for want of memory.
 */
static int op_mremap(struct world *w)
{
	void *p = mremap(w->p, SIZE, SIZE + PAGE, MREMAP_MAYMOVE);

	if (p == MAP_FAILED)
		return -errno;
	if (p != w->p)
		w->extra = w->p;
	w->p = p;
	w->mapped = SIZE + PAGE;
	return 0;
}

static int op_mlock(struct world *w)
{
	int error = result(mlock(w->p, SIZE));

	munlock(w->p, SIZE);
	return error;
}

static int op_fork(struct world *w)
{
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	if (pid < 0)
		return -errno;
	waitpid(pid, NULL, 0);
	return 0;
}

static int op_show(struct world *w)
{
	char path[64], text[512];
	int fd, error;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", w->fd);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	error = result(read(fd, text, sizeof(text)));
	close(fd);
	return error;
}

static int op_tree(struct world *w)
{
	int fd = open("/sys/kernel/debug/bsdvm/tree", O_RDONLY | O_CLOEXEC);
	char text[512];
	int error;

	if (fd < 0)
		return -errno;
	error = result(read(fd, text, sizeof(text)));
	close(fd);
	return error;
}

/* Closing cannot fail. */
static int op_close(struct world *w)
{
	int fd = bsdvm_open(w->fd, w->id);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

/* ---- each of them, with each allocation failed -------------------------- */

FIXTURE(failnth) {
	struct world world;
	struct counters base;
	int nth;
	bool prepared;
};

/*
 * @before: prepares the world; may be NULL
 * @exact:  after a failure, not even the number of pages has changed
 */
FIXTURE_VARIANT(failnth) {
	int (*run)(struct world *w);
	bool (*before)(struct world *w);
	bool exact;
};

#define OPERATION(name, operation, ...)					\
	FIXTURE_VARIANT_ADD(failnth, name) {				\
		.run = (operation), __VA_ARGS__				\
	}

OPERATION(query, op_query, .exact = true);
OPERATION(create, op_create, .exact = true);
OPERATION(open_device, op_open_device, .exact = true);
OPERATION(map_device, op_map_device, .exact = true);
OPERATION(map_fd, op_map_fd, .exact = true);
OPERATION(map_fd_address, op_map_fd_at, .exact = true);
OPERATION(snapshot, op_snapshot, .exact = true);
OPERATION(snapshot_wired, op_snapshot, .before = before_wired);
OPERATION(open, op_open, .exact = true);
OPERATION(drop, op_drop, .exact = true);
OPERATION(shadow, op_shadow, .exact = true);
OPERATION(shadow_wired, op_shadow, .before = before_wired);
OPERATION(wire, op_wire);
OPERATION(wire_system, op_wire_system);
OPERATION(unwire, op_unwire, .before = before_wired, .exact = true);
OPERATION(map_info, op_map_info, .exact = true);
OPERATION(entry_info, op_entry_info, .exact = true);
OPERATION(snapshot_info, op_snapshot_info, .exact = true);
OPERATION(object_info, op_object_info, .exact = true);
OPERATION(check, op_check, .exact = true);
OPERATION(close, op_close, .exact = true);

OPERATION(fault_read_hole, op_read_hole);
OPERATION(fault_read_own, op_read_own);
OPERATION(fault_read_behind, op_read_behind);
OPERATION(fault_read_all, op_read_all);
OPERATION(fault_write_hole, op_write_hole);
OPERATION(fault_write_own, op_write_own);
OPERATION(fault_write_behind, op_write_behind);
OPERATION(fault_write_all, op_write_all);
OPERATION(fault_write_frozen, op_write_own, .before = before_frozen);
OPERATION(fault_write_renamed, op_write_behind, .before = before_renamed);
OPERATION(page_mkwrite_own, op_write_own, .before = before_mapped);
OPERATION(page_mkwrite_behind, op_write_behind, .before = before_mapped);
OPERATION(page_mkwrite_all, op_write_all, .before = before_mapped);
OPERATION(fault_of_a_program, op_store);
OPERATION(fault_of_a_program_frozen, op_store, .before = before_frozen);
OPERATION(fault_of_the_kernel, op_kernel_store);
OPERATION(fault_of_a_debugger, op_poke);

OPERATION(read, op_read, .exact = true);
OPERATION(write_part, op_write_part);
OPERATION(write_pages, op_write_pages);
OPERATION(write_holes, op_write_holes);
OPERATION(write_frozen, op_write_pages, .before = before_frozen);
OPERATION(write_renamed, op_write_pages, .before = before_renamed);
OPERATION(append, op_append);
OPERATION(punch, op_punch);
OPERATION(punch_bytes, op_punch_bytes);
OPERATION(punch_frozen, op_punch, .before = before_frozen);
OPERATION(punch_wired, op_punch, .before = before_wired);
OPERATION(zero_range, op_zero);
OPERATION(allocate, op_allocate);
OPERATION(madvise_remove, op_remove);
OPERATION(shrink, op_shrink);
OPERATION(shrink_wired, op_shrink, .before = before_wired);
OPERATION(shrink_frozen, op_shrink, .before = before_frozen);
OPERATION(shrink_from_afar, op_shrink, .before = before_grown);
OPERATION(grow, op_grow);
OPERATION(seek, op_seek, .exact = true);
OPERATION(splice, op_splice, .exact = true);

OPERATION(mmap, op_mmap, .exact = true);
OPERATION(munmap, op_munmap, .before = before_mapped_twice, .exact = true);
OPERATION(mprotect, op_mprotect, .exact = true);
OPERATION(mremap, op_mremap, .exact = true);
OPERATION(mlock, op_mlock);
OPERATION(fork, op_fork, .exact = true);
OPERATION(fdinfo, op_show, .exact = true);
OPERATION(debugfs_tree, op_tree, .exact = true);

FIXTURE_SETUP(failnth)
{
	self->nth = open(NTH, O_RDWR | O_CLOEXEC);
	self->prepared = self->nth >= 0 && nth_prepare();
	self->base = counters_read();
}

FIXTURE_TEARDOWN(failnth)
{
	close(self->nth);
}

/*
 * A failed copy to or from user memory is EFAULT, as is a fault without memory
 * within a system call. EAGAIN is of mlock and fork, ENFILE of new descriptors.
 */
static bool is_shortage(int error)
{
	return error == -ENOMEM || error == -EFAULT || error == -EAGAIN ||
	       error == -ENFILE;
}

/* One try; was the allocation that was to fail reached? */
static bool try_one(struct __test_metadata *_metadata,
		    FIXTURE_DATA(failnth) *self,
		    const FIXTURE_VARIANT(failnth) *variant, unsigned int n)
{
	struct counters before, after;
	struct world *w = &self->world;
	bool reached;
	int error;

	ASSERT_TRUE(world_make(w));
	if (variant->before)
		ASSERT_TRUE(variant->before(w));
	before = counters_read();
	nth_arm(self->nth, n);
	error = variant->run(w);
	reached = nth_disarm(self->nth);
	after = counters_read();
	ASSERT_TRUE(!error || (reached && is_shortage(error)))
		TH_LOG("allocation %u: errno %d", n, -error);
	if (error) {
		EXPECT_TRUE(counters_agree(&before, &after));
		if (variant->exact)
			EXPECT_TRUE(counters_equal(&before, &after));
	}
	ASSERT_TRUE(world_holds(w)) TH_LOG("allocation %u: errno %d", n, -error);
	ASSERT_TRUE(snapshot_is(w, w->id, w->then, SIZE))
		TH_LOG("allocation %u: errno %d", n, -error);
	ASSERT_TRUE(snapshot_is(w, w->taken, w->bytes, w->size));
	if (w->made >= 0)
		ASSERT_TRUE(file_holds(w->made, w->made_bytes, w->made_size));
	world_free(w);
	return reached;
}

/* What is freed after a grace period is counted out at once, or soon. */
static bool nothing_is_left(const struct counters *base)
{
	struct counters now;
	int i;

	for (i = 0; i < 100; i++) {
		now = counters_read();
		if (counters_equal(&now, base))
			return true;
		usleep(10000);
	}
	return false;
}

TEST_F_TIMEOUT(failnth, each_allocation, 120)
{
	unsigned int n;

	if (self->nth < 0)
		SKIP(return, "no " NTH ": the kernel injects no faults");
	if (!self->prepared)
		SKIP(return, "failslab and fail_page_alloc cannot be set up");
	for (n = 1; n < TRIES; n++) {
		bool reached = try_one(_metadata, self, variant, n);

		ASSERT_TRUE(nothing_is_left(&self->base))
			TH_LOG("allocation %u", n);
		if (!reached)
			break;
	}
	ASSERT_LT(n, TRIES);
	TH_LOG("%u allocations failed", n - 1);
}

TEST_HARNESS_MAIN
