/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What failnth_test.c tries, and what it prepares before. */
#ifndef FAILNTH_OPS_H
#define FAILNTH_OPS_H

#include <sys/uio.h>

#include "failnth_util.h"

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

/* A page in somebody's hands is copied for the snapshot. */
static bool before_pinned(struct world *w)
{
	struct bsdvm_pin arg = {
		.kind = BSDVM_PIN_PIN,
		.addr = (uintptr_t)w->p,
	};

	w->pin = open("/dev/bsdvm_pin", O_RDWR | O_CLOEXEC);
	return w->pin >= 0 && !ioctl(w->pin, BSDVM_PIN_HOLD, &arg);
}

/* Pages wired are copied for the snapshot. */
static bool before_wired(struct world *w)
{
	return !bsdvm_wire(w->fd, 0, SIZE, 0);
}

static bool before_wired_system(struct world *w)
{
	return !bsdvm_wire(w->fd, 0, SIZE, BSDVM_WIRE_SYSTEM);
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

static int op_unwire_system(struct world *w)
{
	return result(bsdvm_unwire(w->fd, 4 * PAGE, 3 * PAGE,
				   BSDVM_WIRE_SYSTEM));
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

/* ---- the same of a 32-bit caller ---------------------------------------- */

#ifdef __x86_64__
#define COMPAT_IOCTL	54

/*
 * As ioctl() in a 32-bit program, with the argument in the first 4 GiB, where
 * the answer is afterwards. Each argument begins with its size.
 */
static int request32(struct world *w, int fd, unsigned int cmd, const void *arg)
{
	long ret;

	memcpy(w->low, arg, *(const uint32_t *)arg);
	asm volatile("int $0x80" : "=a" (ret) :
		     "a" (COMPAT_IOCTL), "b" (fd), "c" (cmd), "d" (w->low) :
		     "memory", "r8", "r9", "r10", "r11");
	if (ret >= 0)
		return ret;
	errno = -ret;
	return -1;
}

static bool before_low(struct world *w)
{
	w->low = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT | MAP_POPULATE,
		      -1, 0);
	return w->low != MAP_FAILED;
}

static bool before_low_wired(struct world *w)
{
	return before_low(w) && before_wired(w);
}

static int op_query32(struct world *w)
{
	struct bsdvm_query arg = { .size = sizeof(arg) };

	return result(request32(w, w->dev, BSDVM_IOC_QUERY, &arg));
}

static int op_create32(struct world *w)
{
	struct bsdvm_create arg = { .size = sizeof(arg), .map_size = SIZE };

	return made(w, request32(w, w->dev, BSDVM_IOC_CREATE, &arg), nothing,
		    SIZE);
}

static int op_map_fd32(struct world *w)
{
	struct bsdvm_map_fd arg = { .size = sizeof(arg) };

	return made(w, request32(w, w->fd, BSDVM_IOC_MAP_FD, &arg), w->bytes,
		    SIZE);
}

static int op_snapshot32(struct world *w)
{
	struct bsdvm_snapshot_take arg = { .size = sizeof(arg) };
	int error = result(request32(w, w->fd, BSDVM_IOC_SNAPSHOT, &arg));

	if (!error)
		w->taken = ((struct bsdvm_snapshot_take *)w->low)->id;
	return error;
}

static int op_open32(struct world *w)
{
	struct bsdvm_snapshot_ref arg = { .size = sizeof(arg), .id = w->id };

	return made(w, request32(w, w->fd, BSDVM_IOC_OPEN, &arg), w->then,
		    SIZE);
}

static int op_drop32(struct world *w)
{
	struct bsdvm_snapshot_ref arg = { .size = sizeof(arg), .id = w->id };
	int error = result(request32(w, w->fd, BSDVM_IOC_DROP, &arg));

	if (!error)
		w->id = 0;
	return error;
}

static int op_shadow32(struct world *w)
{
	struct bsdvm_shadow arg = {
		.size = sizeof(arg),
		.offset = PAGE,
		.length = SIZE - PAGE,
	};

	return made(w, request32(w, w->fd, BSDVM_IOC_SHADOW, &arg),
		    w->bytes + PAGE, SIZE - PAGE);
}

static int op_wire32(struct world *w)
{
	struct bsdvm_wire arg = {
		.size = sizeof(arg),
		.offset = PAGE,
		.length = SIZE - 2 * PAGE,
	};

	return result(request32(w, w->fd, BSDVM_IOC_WIRE, &arg));
}

static int op_unwire32(struct world *w)
{
	struct bsdvm_wire arg = {
		.size = sizeof(arg),
		.offset = 4 * PAGE,
		.length = 3 * PAGE,
	};

	return result(request32(w, w->fd, BSDVM_IOC_UNWIRE, &arg));
}

static int op_map_info32(struct world *w)
{
	struct bsdvm_map_info arg = { .size = sizeof(arg) };

	return result(request32(w, w->fd, BSDVM_IOC_MAP_INFO, &arg));
}

static int op_entry_info32(struct world *w)
{
	struct bsdvm_entry_info arg = { .size = sizeof(arg) };

	return result(request32(w, w->fd, BSDVM_IOC_ENTRY_INFO, &arg));
}

static int op_snapshot_info32(struct world *w)
{
	struct bsdvm_snapshot_info arg = { .size = sizeof(arg) };

	return result(request32(w, w->fd, BSDVM_IOC_SNAPSHOT_INFO, &arg));
}

static int op_object_info32(struct world *w)
{
	struct bsdvm_object_info arg = { .size = sizeof(arg), .depth = 1 };

	return result(request32(w, w->fd, BSDVM_IOC_OBJECT_INFO, &arg));
}

static int op_check32(struct world *w)
{
	struct bsdvm_check arg = { .size = sizeof(arg) };

	return result(request32(w, w->fd, BSDVM_IOC_CHECK, &arg));
}
#endif

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

/* Frozen pages are mapped for reading: page_mkwrite pushes the shadow. */
static bool before_frozen_mapped(struct world *w)
{
	return before_frozen(w) && before_mapped(w);
}

static bool before_slow(struct world *w)
{
	return write_text(PARAMETERS "fast_fault", "0");
}

static bool before_single(struct world *w)
{
	return write_text(PARAMETERS "prefault_pages", "1");
}

static bool before_single_frozen(struct world *w)
{
	return before_single(w) && before_frozen(w);
}

static bool before_single_mapped(struct world *w)
{
	return before_single(w) && before_mapped(w);
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
	return result(pread(w->fd, w->buffer, SIZE, 0));
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

static int op_seek_data(struct world *w)
{
	return result(lseek(w->fd, 0, SEEK_DATA));
}

static int op_seek_hole(struct world *w)
{
	return result(lseek(w->fd, 0, SEEK_HOLE));
}

static bool before_pipe(struct world *w)
{
	return !pipe2(w->pipe, O_CLOEXEC);
}

static int op_splice_out(struct world *w)
{
	return result(splice(w->fd, NULL, w->pipe[1], NULL, 2 * PAGE, 0));
}

#define SPLICED		(3 * PAGE)

static bool before_full_pipe(struct world *w)
{
	static unsigned char value[SPLICED];

	memset(value, 0xe4, sizeof(value));
	return before_pipe(w) &&
	       write(w->pipe[1], value, sizeof(value)) == sizeof(value) &&
	       lseek(w->fd, PAGE - 10, SEEK_SET) == PAGE - 10;
}

/* At the file's position: Linux splices before it answers with another one. */
static int op_splice_in(struct world *w)
{
	ssize_t n = splice(w->pipe[0], NULL, w->fd, NULL, SPLICED, 0);

	if (n > 0)
		memset(w->bytes + PAGE - 10, 0xe4, n);
	return n < 0 ? -errno : 0;
}

/* As /proc/PID/fd lets everybody who may see the descriptor. */
static int op_reopen(struct world *w)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", w->fd);
	return made(w, open(path, O_RDWR | O_CLOEXEC), w->bytes, SIZE);
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

/* Which pages it has mapped when it returns, nobody is told. */
static int op_mmap_populate(struct world *w)
{
	void *p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_POPULATE, w->fd, 0);

	if (p == MAP_FAILED)
		return -errno;
	w->extra = p;
	return 0;
}

static bool before_private(struct world *w)
{
	w->extra = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE,
			w->fd, 0);
	w->private = true;
	return w->extra != MAP_FAILED;
}

static bool before_private_mapped(struct world *w)
{
	return before_private(w) &&
	       !madvise(w->extra, SIZE, MADV_POPULATE_READ);
}

/* We provide a page to read; the copy is Linux's. */
static int op_private_read(struct world *w)
{
	return result(madvise(w->extra, SIZE, MADV_POPULATE_READ));
}

static int op_private_write(struct world *w)
{
	return result(madvise(w->extra, SIZE, MADV_POPULATE_WRITE));
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

#endif /* FAILNTH_OPS_H */
