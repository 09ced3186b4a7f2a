// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Pins: a page in somebody's hands at the time of a snapshot stays the page of
 * the live map. What is written through the pin afterwards is seen there, and
 * never in the snapshot.
 *
 * Needs /dev/bsdvm_pin, of modules/bsdvm_pin.c.
 */

#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>

#include "modules/bsdvm_pin.h"
#include "process_util.h"
#include "kselftest_harness.h"

#define NPAGES	16UL
#define SIZE	(NPAGES * PAGE)
#define FIRST	0x40

static int pin_request(int dev, unsigned int cmd, struct bsdvm_pin *arg)
{
	return ioctl(dev, cmd, arg) ? -errno : 0;
}

/* Hold the page at @p; its handle or a negative errno. */
static int pin_hold(int dev, int kind, const void *p)
{
	struct bsdvm_pin arg = { .kind = kind, .addr = (uintptr_t)p };
	int error = pin_request(dev, BSDVM_PIN_HOLD, &arg);

	return error ? error : (int)arg.handle;
}

static int pin_write(int dev, int handle, unsigned int offset, int value)
{
	struct bsdvm_pin arg = {
		.handle = handle,
		.offset = offset,
		.value = value,
	};

	return pin_request(dev, BSDVM_PIN_WRITE, &arg);
}

/* The byte, or a negative errno. */
static int pin_read(int dev, int handle, unsigned int offset)
{
	struct bsdvm_pin arg = { .handle = handle, .offset = offset };
	int error = pin_request(dev, BSDVM_PIN_READ, &arg);

	return error ? error : (int)arg.value;
}

static int pin_release(int dev, int handle)
{
	struct bsdvm_pin arg = { .handle = handle };

	return pin_request(dev, BSDVM_PIN_RELEASE, &arg);
}

FIXTURE(pin) {
	int fd;
	int dev;
	unsigned char *p;
};

FIXTURE_VARIANT(pin) {
	int kind;
	bool unmap;
	bool wire;
};

FIXTURE_VARIANT_ADD(pin, pinned) {
	.kind = BSDVM_PIN_PIN,
};

FIXTURE_VARIANT_ADD(pin, got) {
	.kind = BSDVM_PIN_GET,
};

FIXTURE_VARIANT_ADD(pin, pinned_unmapped) {
	.kind = BSDVM_PIN_PIN,
	.unmap = true,
};

FIXTURE_VARIANT_ADD(pin, got_unmapped) {
	.kind = BSDVM_PIN_GET,
	.unmap = true,
};

FIXTURE_VARIANT_ADD(pin, pinned_wired) {
	.kind = BSDVM_PIN_PIN,
	.wire = true,
};

FIXTURE_VARIANT_ADD(pin, got_wired_unmapped) {
	.kind = BSDVM_PIN_GET,
	.unmap = true,
	.wire = true,
};

FIXTURE_SETUP(pin)
{
	self->dev = open("/dev/bsdvm_pin", O_RDWR);
	if (self->dev < 0)
		SKIP(return, "no /dev/bsdvm_pin");
	self->fd = bsdvm_create(SIZE);
	ASSERT_GE(self->fd, 0);
	self->p = bsdvm_mmap(self->fd, SIZE);
	ASSERT_NE(self->p, MAP_FAILED);
	fill_pages(self->p, NPAGES, FIRST);
	if (variant->wire)
		ASSERT_EQ(bsdvm_wire(self->fd, 0, SIZE / 2, 0), 0);
}

FIXTURE_TEARDOWN(pin)
{
	EXPECT_EQ(bsdvm_check(self->fd), 0);
	munmap(self->p, SIZE);
	close(self->fd);
	close(self->dev);
}

/* Hold page @page of the map, whose mapping may go then. */
static int hold(FIXTURE_DATA(pin) *self, const FIXTURE_VARIANT(pin) *variant,
		size_t page)
{
	int handle = pin_hold(self->dev, variant->kind, self->p + page * PAGE);

	if (variant->unmap)
		madvise(self->p + page * PAGE, PAGE, MADV_DONTNEED);
	return handle;
}

/* Written through the pin after the snapshot: the map sees it, it does not. */
TEST_F(pin, write_after_snapshot)
{
	int handle = hold(self, variant, 3);
	uint32_t id;

	ASSERT_GE(handle, 0);
	id = bsdvm_snapshot(self->fd);
	ASSERT_NE(id, 0);
	ASSERT_EQ(pin_write(self->dev, handle, 100, 0xee), 0);
	EXPECT_EQ(byte_at(self->fd, 3 * PAGE + 100), 0xee);
	EXPECT_EQ(self->p[3 * PAGE + 100], 0xee);
	EXPECT_TRUE(snapshot_holds(self->fd, id, NPAGES, FIRST));
	/* And back: the map writes to the very page that is held. */
	self->p[3 * PAGE + 101] = 0xdd;
	EXPECT_EQ(pin_read(self->dev, handle, 101), 0xdd);
	ASSERT_EQ(pwrite(self->fd, "\xcc", 1, 3 * PAGE + 102), 1);
	EXPECT_EQ(pin_read(self->dev, handle, 102), 0xcc);
	ASSERT_EQ(pin_release(self->dev, handle), 0);
	EXPECT_EQ(self->p[3 * PAGE + 100], 0xee);
	EXPECT_TRUE(snapshot_holds(self->fd, id, NPAGES, FIRST));
	EXPECT_EQ(bsdvm_drop(self->fd, id), 0);
}

/* The same for another process's mapping of the map. */
TEST_F(pin, write_is_seen_by_the_other_process)
{
	int handle = hold(self, variant, 2);
	struct peer peer;
	uint32_t id;

	ASSERT_EQ(peer_start(&peer, self->fd, SIZE, MAP_SHARED), 0);
	ASSERT_EQ(peer_get(&peer, 2 * PAGE), FIRST + 2);
	id = bsdvm_snapshot(self->fd);
	ASSERT_NE(id, 0);
	ASSERT_EQ(peer_get(&peer, 2 * PAGE), FIRST + 2);
	ASSERT_EQ(pin_write(self->dev, handle, 0, 0xe1), 0);
	EXPECT_EQ(peer_get(&peer, 2 * PAGE), 0xe1);
	ASSERT_EQ(peer_set(&peer, 2 * PAGE, 0xe2), 0xe2);
	EXPECT_EQ(pin_read(self->dev, handle, 0), 0xe2);
	EXPECT_TRUE(snapshot_holds(self->fd, id, NPAGES, FIRST));
	ASSERT_EQ(pin_release(self->dev, handle), 0);
	peer_stop(&peer);
}

/* Snapshot after snapshot while the page is held: each has its moment. */
TEST_F(pin, many_snapshots)
{
	int handle = hold(self, variant, 5);
	uint32_t id[12];
	size_t i;

	ASSERT_GE(handle, 0);
	for (i = 0; i < ARRAY_SIZE(id); i++) {
		ASSERT_EQ(pin_write(self->dev, handle, 0, i), 0);
		id[i] = bsdvm_snapshot(self->fd);
		ASSERT_NE(id[i], 0);
	}
	ASSERT_EQ(pin_write(self->dev, handle, 0, 0x99), 0);
	for (i = 0; i < ARRAY_SIZE(id); i += 2)
		ASSERT_EQ(bsdvm_drop(self->fd, id[i]), 0);
	for (i = 1; i < ARRAY_SIZE(id); i += 2)
		EXPECT_EQ(snapshot_byte(self->fd, id[i], 5 * PAGE), i);
	ASSERT_EQ(pin_write(self->dev, handle, 0, 0x9a), 0);
	EXPECT_EQ(self->p[5 * PAGE], 0x9a);
	ASSERT_EQ(pin_release(self->dev, handle), 0);
	for (i = 1; i < ARRAY_SIZE(id); i += 2)
		EXPECT_EQ(snapshot_byte(self->fd, id[i], 5 * PAGE), i);
	EXPECT_EQ(self->p[5 * PAGE], 0x9a);
}

/* All pages held at once, of which some are let go between snapshots. */
TEST_F(pin, many_pages)
{
	int handle[NPAGES];
	uint32_t first, second;
	size_t i;

	for (i = 0; i < NPAGES; i++) {
		handle[i] = hold(self, variant, i);
		ASSERT_GE(handle[i], 0);
	}
	first = bsdvm_snapshot(self->fd);
	ASSERT_NE(first, 0);
	for (i = 0; i < NPAGES; i++)
		ASSERT_EQ(pin_write(self->dev, handle[i], 9, 0xa0 + i), 0);
	for (i = 0; i < NPAGES; i += 2)
		ASSERT_EQ(pin_release(self->dev, handle[i]), 0);
	second = bsdvm_snapshot(self->fd);
	ASSERT_NE(second, 0);
	for (i = 0; i < NPAGES; i++) {
		if (i % 2 == 0)
			self->p[i * PAGE + 9] = 1;
		else
			ASSERT_EQ(pin_write(self->dev, handle[i], 9, 1), 0);
		EXPECT_EQ(byte_at(self->fd, i * PAGE + 9), 1);
		EXPECT_EQ(snapshot_byte(self->fd, second, i * PAGE + 9),
			  0xa0 + i);
	}
	EXPECT_TRUE(snapshot_holds(self->fd, first, NPAGES, FIRST));
	/* The rest is let go when the device is closed. */
}

/* Held twice, in both ways, and let go in either order. */
TEST_F(pin, held_twice)
{
	int a, b, order;
	uint32_t id;

	for (order = 0; order < 2; order++) {
		self->p[PAGE] = FIRST + 1;
		a = pin_hold(self->dev, BSDVM_PIN_PIN, self->p + PAGE);
		b = pin_hold(self->dev, variant->kind, self->p + PAGE);
		ASSERT_GE(a, 0);
		ASSERT_GE(b, 0);
		if (variant->unmap)
			madvise(self->p, SIZE, MADV_DONTNEED);
		id = bsdvm_snapshot(self->fd);
		ASSERT_NE(id, 0);
		ASSERT_EQ(pin_release(self->dev, order ? b : a), 0);
		ASSERT_EQ(pin_write(self->dev, order ? a : b, 0, 0x71), 0);
		EXPECT_EQ(self->p[PAGE], 0x71);
		EXPECT_EQ(snapshot_byte(self->fd, id, PAGE), FIRST + 1);
		ASSERT_EQ(pin_release(self->dev, order ? a : b), 0);
		self->p[PAGE] = 0x72;
		EXPECT_EQ(snapshot_byte(self->fd, id, PAGE), FIRST + 1);
		EXPECT_EQ(bsdvm_drop(self->fd, id), 0);
	}
}

/* A page let go before the snapshot is like any other. */
TEST_F(pin, let_go_before)
{
	int handle = hold(self, variant, 4);
	uint32_t id;

	ASSERT_GE(handle, 0);
	ASSERT_EQ(pin_release(self->dev, handle), 0);
	id = bsdvm_snapshot(self->fd);
	ASSERT_NE(id, 0);
	self->p[4 * PAGE] = 1;
	EXPECT_EQ(byte_at(self->fd, 4 * PAGE), 1);
	EXPECT_TRUE(snapshot_holds(self->fd, id, NPAGES, FIRST));
}

/* A pin taken after the snapshot gets the map's own page, not the frozen. */
TEST_F(pin, taken_after_snapshot)
{
	uint32_t id = bsdvm_snapshot(self->fd);
	int handle;

	ASSERT_NE(id, 0);
	EXPECT_EQ(self->p[6 * PAGE], FIRST + 6);
	handle = hold(self, variant, 6);
	ASSERT_GE(handle, 0);
	ASSERT_EQ(pin_write(self->dev, handle, 0, 0x55), 0);
	EXPECT_EQ(self->p[6 * PAGE], 0x55);
	EXPECT_TRUE(snapshot_holds(self->fd, id, NPAGES, FIRST));
	ASSERT_EQ(pin_release(self->dev, handle), 0);
}

/* A branch pins its own page: neither the snapshot nor the origin sees it. */
TEST_F(pin, in_a_branch)
{
	uint32_t id = bsdvm_snapshot(self->fd), second;
	int branch = bsdvm_open(self->fd, id), handle;
	unsigned char *q = bsdvm_mmap(branch, SIZE);

	ASSERT_NE(q, MAP_FAILED);
	handle = pin_hold(self->dev, variant->kind, q + PAGE);
	ASSERT_GE(handle, 0);
	second = bsdvm_snapshot(branch);
	ASSERT_NE(second, 0);
	ASSERT_EQ(pin_write(self->dev, handle, 0, 0x81), 0);
	EXPECT_EQ(q[PAGE], 0x81);
	EXPECT_EQ(self->p[PAGE], FIRST + 1);
	EXPECT_TRUE(snapshot_holds(self->fd, id, NPAGES, FIRST));
	EXPECT_TRUE(snapshot_holds(self->fd, second, NPAGES, FIRST));
	ASSERT_EQ(pin_release(self->dev, handle), 0);
	EXPECT_EQ(bsdvm_check(branch), 0);
	munmap(q, SIZE);
	close(branch);
}

/* A shadow freezes as a snapshot does. */
TEST_F(pin, shadow)
{
	int handle = hold(self, variant, 3), shadow;

	ASSERT_GE(handle, 0);
	shadow = bsdvm_shadow(self->fd, 2 * PAGE, 4 * PAGE);
	ASSERT_GE(shadow, 0);
	ASSERT_EQ(pin_write(self->dev, handle, 0, 0x91), 0);
	EXPECT_EQ(self->p[3 * PAGE], 0x91);
	EXPECT_EQ(byte_at(shadow, PAGE), FIRST + 3);
	ASSERT_EQ(pin_release(self->dev, handle), 0);
	EXPECT_EQ(byte_at(shadow, PAGE), FIRST + 3);
	close(shadow);
}

/* A page punched away while held is nobody's: the map reads zero. */
TEST_F(pin, punched)
{
	int handle = hold(self, variant, 9);
	uint32_t id;

	ASSERT_GE(handle, 0);
	id = bsdvm_snapshot(self->fd);
	ASSERT_NE(id, 0);
	ASSERT_EQ(punch(self->fd, 8 * PAGE, 4 * PAGE), 0);
	ASSERT_EQ(pin_write(self->dev, handle, 0, 0x61), 0);
	EXPECT_EQ(self->p[9 * PAGE], 0);
	self->p[9 * PAGE + 1] = 0x62;
	EXPECT_EQ(pin_read(self->dev, handle, 0), 0x61);
	EXPECT_TRUE(snapshot_holds(self->fd, id, NPAGES, FIRST));
	ASSERT_EQ(pin_release(self->dev, handle), 0);
	EXPECT_EQ(self->p[9 * PAGE], 0);
	EXPECT_EQ(self->p[9 * PAGE + 1], 0x62);
}

/* A pin outlives the end of the file it was in, and the file. */
TEST_F(pin, outlives_the_map)
{
	int fd = bsdvm_create(SIZE), cut_off, left;
	unsigned char *q = bsdvm_mmap(fd, SIZE);
	uint32_t id;

	fill_pages(q, NPAGES, FIRST);
	cut_off = pin_hold(self->dev, variant->kind, q + 15 * PAGE);
	left = pin_hold(self->dev, variant->kind, q);
	ASSERT_GE(cut_off, 0);
	ASSERT_GE(left, 0);
	id = bsdvm_snapshot(fd);
	ASSERT_NE(id, 0);
	ASSERT_EQ(ftruncate(fd, 8 * PAGE), 0);
	ASSERT_EQ(ftruncate(fd, SIZE), 0);
	ASSERT_EQ(pin_write(self->dev, cut_off, 0, 0x11), 0);
	EXPECT_EQ(q[15 * PAGE], 0);
	EXPECT_TRUE(snapshot_holds(fd, id, NPAGES, FIRST));
	EXPECT_EQ(bsdvm_check(fd), 0);
	munmap(q, SIZE);
	close(fd);
	ASSERT_EQ(pin_write(self->dev, left, 0, 0x12), 0);
	EXPECT_EQ(pin_read(self->dev, left, 0), 0x12);
	EXPECT_EQ(pin_read(self->dev, left, 1), FIRST);
	ASSERT_EQ(pin_release(self->dev, cut_off), 0);
	ASSERT_EQ(pin_release(self->dev, left), 0);
}

struct pinner {
	FIXTURE_DATA(pin) *self;
	int kind;
	volatile bool stop;
	volatile unsigned long rounds;
	bool failed;
};

/* Hold a page, write the round into it through the pin, let go. */
static void *pinner_run(void *context)
{
	struct pinner *pinner = context;
	int dev = pinner->self->dev, handle;
	unsigned char *p = pinner->self->p;

	while (!pinner->stop) {
		handle = pin_hold(dev, pinner->kind, p + 7 * PAGE);
		if (handle < 0)
			break;
		pin_write(dev, handle, 0, pinner->rounds & 0xff);
		if (p[7 * PAGE] != (pinner->rounds & 0xff))
			break;
		pinner->rounds++;
		pin_release(dev, handle);
	}
	pinner->failed = !pinner->stop;
	return NULL;
}

/* Pins come and go while snapshots are taken: no write through one is lost. */
TEST_F_TIMEOUT(pin, race, 200)
{
	struct pinner pinner = { .self = self, .kind = variant->kind };
	pthread_t thread;
	int i, before, enough = bsdvm_repeat(300);
	uint32_t id;

	pthread_create(&thread, NULL, pinner_run, &pinner);
	for (i = 0; i < enough || pinner.rounds <= 10; i++) {
		ASSERT_LT(i, 30000);
		id = bsdvm_snapshot(self->fd);
		ASSERT_NE(id, 0);
		before = snapshot_byte(self->fd, id, 7 * PAGE);
		usleep(500);
		EXPECT_EQ(snapshot_byte(self->fd, id, 7 * PAGE), before);
		ASSERT_EQ(bsdvm_drop(self->fd, id), 0);
	}
	pinner.stop = true;
	pthread_join(thread, NULL);
	EXPECT_FALSE(pinner.failed);
}

/* Of Linux's mm/gup_test.h, which is for programs as well, but not installed. */
struct gup_test {
	__u64 get_usec;
	__u64 put_usec;
	__u64 addr;
	__u64 size;		/* out: of what was got */
	__u32 pages_per_call;
	__u32 gup_flags;	/* 1: to write */
	__u32 test_flags;
	__u32 which_pages[8];
};

static const struct {
	const char *name;
	unsigned int request;
} gup_tests[] = {
	{ "get, fast", _IOWR('g', 1, struct gup_test) },
	{ "pin, fast", _IOWR('g', 2, struct gup_test) },
	{ "get", _IOWR('g', 4, struct gup_test) },
	{ "pin", _IOWR('g', 5, struct gup_test) },
};

/* Linux's own test, which checks each page and lets it go: what it comes to. */
static int gup_test(unsigned int i, const unsigned char *p, bool write)
{
	struct gup_test arg = {
		.addr = (uintptr_t)p,
		.size = SIZE,
		.pages_per_call = 3,
		.gup_flags = write,
	};
	int dev = open("/sys/kernel/debug/gup_test", O_RDWR), error;

	if (dev < 0)
		return -errno;
	error = ioctl(dev, gup_tests[i].request, &arg) ? -errno : 0;
	close(dev);
	return !error && arg.size != SIZE ? -EFAULT : error;
}

/* Pages of every kind: written, shared with a snapshot, holes. */
TEST(linux_own_test)
{
	unsigned int i, write;
	unsigned char *p;
	int fd;

	if (access("/sys/kernel/debug/gup_test", W_OK))
		SKIP(return, "a kernel without its own test of pins");
	fd = bsdvm_create(SIZE);
	ASSERT_GE(fd, 0);
	p = bsdvm_mmap(fd, SIZE);
	for (i = 0; i < ARRAY_SIZE(gup_tests); i++)
		for (write = 0; write < 2; write++) {
			fill_pages(p, NPAGES / 2, FIRST + i);
			ASSERT_NE(bsdvm_snapshot(fd), 0);
			EXPECT_EQ(gup_test(i, p, write), 0)
				TH_LOG("%s, %d", gup_tests[i].name, write);
			EXPECT_EQ(p[PAGE], FIRST + i + 1);
			EXPECT_EQ(p[SIZE - 1], 0);
		}
	EXPECT_EQ(bsdvm_check(fd), 0);
	munmap(p, SIZE);
	close(fd);
}

/*
 * mlock() keeps references of its own for a while, of the pages mapped last by
 * each processor: that must not matter, but for copies made of these.
 */
#define LOCKED		512UL
#define LOCKED_BATCH	31L	/* on any kernel */

static int run_on(long cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set);
}

struct locker {
	int fd;
	long cpu;
	volatile int *state;	/* 0, 1: written, 2: may end */
};

static int write_locked(void *context)
{
	struct locker *locker = context;
	unsigned char *p = bsdvm_mmap(locker->fd, LOCKED * PAGE);

	if (run_on(locker->cpu) || mlock(p, LOCKED * PAGE))
		return 1;
	memset(p, 1, LOCKED * PAGE);
	*locker->state = 1;
	/* Keep the processor: whoever ends there lets go of the pages. */
	while (*locker->state == 1)
		;
	return 0;
}

TEST(locked_memory)
{
	long ncpus = sysconf(_SC_NPROCESSORS_ONLN), before, copies;
	struct locker locker = {
		.fd = bsdvm_create(LOCKED * PAGE),
		.cpu = ncpus - 1,
		.state = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0),
	};
	unsigned char c;
	uint32_t id;
	int status;
	pid_t pid;
	int i;

	ASSERT_EQ(run_on(0), 0);
	pid = fork();
	if (!pid)
		_exit(write_locked(&locker));
	while (!*locker.state && !waitpid(pid, &status, WNOHANG))
		usleep(1000);
	ASSERT_EQ(*locker.state, 1);
	for (i = 0; i < 3; i++) {
		before = bsdvm_stat("snapshot_copies");
		id = bsdvm_snapshot(locker.fd);
		copies = bsdvm_stat("snapshot_copies") - before;
		ASSERT_NE(id, 0);
		EXPECT_LE(copies, LOCKED_BATCH * ncpus);
		c = 2 + i;
		EXPECT_EQ(pwrite(locker.fd, &c, 1, 0), 1);
		EXPECT_EQ(snapshot_byte(locker.fd, id, 0), 1 + i);
		EXPECT_EQ(snapshot_byte(locker.fd, id, (LOCKED - 1) * PAGE), 1);
		ASSERT_EQ(bsdvm_drop(locker.fd, id), 0);
	}
	*locker.state = 2;
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
	EXPECT_EQ(bsdvm_check(locker.fd), 0);
	close(locker.fd);
}

TEST_HARNESS_MAIN
