// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Many at once: who finds a thing has it; who ends it, ends it once; nobody
 * sees what was never his. The rows of the table in Documentation/security.rst
 * that are races or want very many of a thing, called by the row's number.
 *
 * With LONG in the environment as long, and as many, as the table says.
 */

#define _GNU_SOURCE
#include <pthread.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>

#include "live_util.h"
#include "process_util.h"
#include "kselftest_harness.h"

#define NPAGES		16UL
#define SIZE		(NPAGES * PAGE)
#define FIRST		0x30
#define NTHREADS	8
#define NIDS		64
#define NSLOTS		4
#define MAX_MAP_COUNT	"/proc/sys/vm/max_map_count"

/* How long a race runs. */
static time_t race_seconds(void)
{
	return bsdvm_long() ? 60 : 2 + bsdvm_slowdown();
}

/*
 * Has it come to as much as proves something? Otherwise it goes on: the clock of
 * a guest on a busy host says little.
 */
#define RACE_ENOUGH	20

/*
 * How many of a thing, of which there are to be @many. Kernels with checkers are
 * eight times slower, and need more memory for each.
 */
static size_t race_many(size_t many, size_t quick)
{
	if (!bsdvm_long())
		return bsdvm_repeat(quick);
	return bsdvm_slowdown() < 8 ? many : bsdvm_repeat(many);
}

FIXTURE(race) {
	int fd;
	unsigned char *p;
	long max_map_count;	/* as it was before it was raised, or 0 */
};

FIXTURE_SETUP(race)
{
	self->fd = bsdvm_create(SIZE);
	ASSERT_GE(self->fd, 0);
	self->p = bsdvm_mmap(self->fd, SIZE);
	ASSERT_NE(self->p, MAP_FAILED);
	fill_pages(self->p, NPAGES, FIRST);
}

FIXTURE_TEARDOWN(race)
{
	if (self->max_map_count)
		write_number(MAX_MAP_COUNT, self->max_map_count);
	EXPECT_EQ(bsdvm_check(self->fd), 0);
	munmap(self->p, SIZE);
	close(self->fd);
}

/* ---- 5: memory that becomes read-only while it is copied to -------------- */

#define WINDOW	(2 * PAGE)

/*
 * A window on memory that may be written, or on memory of which only this
 * process has a mapping to read. All write 'B' to the window; the latter is 'A'.
 */
struct window {
	unsigned char *p;
	int rw_fd, ro_fd, owner_fd, source_fd, mem_fd;
	volatile bool stop;
	unsigned long written, refused;
};

static void window_map(struct window *window, int prot, int flags, int fd)
{
	mmap(window->p, WINDOW, prot, flags | MAP_FIXED, fd, 0);
}

static void *window_switch(void *context)
{
	const int rw = PROT_READ | PROT_WRITE;
	struct window *window = context;

	while (!window->stop) {
		window_map(window, PROT_READ, MAP_SHARED, window->ro_fd);
		window_map(window, rw, MAP_SHARED, window->rw_fd);
		mprotect(window->p, WINDOW, PROT_READ);
		mprotect(window->p, WINDOW, rw);
		/* What is written here is this process's own copy. */
		window_map(window, rw, MAP_PRIVATE, window->ro_fd);
		mprotect(window->p, WINDOW, PROT_READ);
	}
	return NULL;
}

static void window_count(struct window *window, ssize_t bytes)
{
	__atomic_fetch_add(bytes > 0 ? &window->written : &window->refused, 1,
			   __ATOMIC_RELAXED);
}

/* Across the boundary of two pages; by copying, by pinning, by force. */
static void *window_write(void *context)
{
	struct window *window = context;
	unsigned char bytes[PAGE], *to = window->p + 100;
	struct iovec from = { bytes, PAGE }, at = { to, PAGE };

	memset(bytes, 'B', sizeof(bytes));
	while (!window->stop) {
		/* Whatever is there is mapped, as what may be read only. */
		(void)*(volatile unsigned char *)to;
		(void)*(volatile unsigned char *)(to + PAGE);
		window_count(window, pread(window->source_fd, to, PAGE, 0));
		window_count(window, process_vm_writev(getpid(), &from, 1, &at,
						       1, 0));
		pwrite(window->mem_fd, bytes, PAGE, (uintptr_t)to);
	}
	return NULL;
}

/* Who wires, locks or drops the pages meanwhile. */
static void *window_disturb(void *context)
{
	struct window *window = context;

	while (!window->stop) {
		mlock(window->p, WINDOW);
		bsdvm_wire(window->rw_fd, 0, WINDOW, 0);
		madvise(window->p, WINDOW, MADV_DONTNEED);
		munlock(window->p, WINDOW);
		bsdvm_wire(window->owner_fd, 0, WINDOW, 0);
		madvise(window->p, WINDOW, MADV_DONTNEED);
		bsdvm_unwire(window->rw_fd, 0, WINDOW, 0);
		bsdvm_unwire(window->owner_fd, 0, WINDOW, 0);
	}
	return NULL;
}

static int map_of_bytes(int value, size_t length)
{
	int fd = bsdvm_create(length);
	unsigned char *p = bsdvm_mmap(fd, length);

	memset(p, value, length);
	munmap(p, length);
	return fd;
}

static int window_open(struct window *window)
{
	char path[32];

	window->owner_fd = map_of_bytes('A', WINDOW);
	window->rw_fd = map_of_bytes('A', WINDOW);
	window->source_fd = map_of_bytes('B', WINDOW);
	sprintf(path, "/proc/self/fd/%d", window->owner_fd);
	window->ro_fd = open(path, O_RDONLY);
	window->mem_fd = open("/proc/self/mem", O_RDWR);
	window->p = bsdvm_mmap(window->rw_fd, WINDOW);
	return window->ro_fd < 0 || window->mem_fd < 0 ||
	       window->p == MAP_FAILED;
}

static void window_close(struct window *window)
{
	munmap(window->p, WINDOW);
	close(window->mem_fd);
	close(window->source_fd);
	close(window->ro_fd);
	close(window->rw_fd);
	close(window->owner_fd);
}

static bool reads(int fd, unsigned char *bytes)
{
	return pread(fd, bytes, WINDOW, 0) == WINDOW;
}

/* Is a snapshot of what is being written the same later on? */
static bool snapshot_stays(int fd)
{
	unsigned char before[WINDOW], after[WINDOW];
	uint32_t id = bsdvm_snapshot(fd);
	int opened = bsdvm_open(fd, id);
	bool same = opened >= 0 && reads(opened, before);

	usleep(1000);
	same = same && reads(opened, after) && !memcmp(before, after, WINDOW);
	close(opened);
	return !bsdvm_drop(fd, id) && same;
}

/* Have both kinds of memory been in the window? */
static bool window_enough(const volatile struct window *window)
{
	return window->written >= RACE_ENOUGH && window->refused >= RACE_ENOUGH;
}

/* What cannot be written does not change, whenever it comes into the window. */
TEST_F_TIMEOUT(race, r05_check_not_repeated, 180)
{
	static void *(* const threads[])(void *) = {
		window_switch, window_write, window_write, window_disturb,
	};
	time_t end = time(NULL) + race_seconds();
	pthread_t thread[ARRAY_SIZE(threads)];
	struct window window = { };
	unsigned char bytes[WINDOW];
	size_t i;

	ASSERT_EQ(window_open(&window), 0);
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		ASSERT_EQ(pthread_create(&thread[i], NULL, threads[i],
					 &window), 0);
	while (time(NULL) < end || !window_enough(&window)) {
		ASSERT_TRUE(reads(window.owner_fd, bytes));
		ASSERT_TRUE(all_bytes(bytes, WINDOW, 'A'));
		ASSERT_TRUE(snapshot_stays(window.rw_fd));
	}
	window.stop = true;
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(thread[i], NULL);
	EXPECT_EQ(bsdvm_check(window.rw_fd), 0);
	EXPECT_EQ(bsdvm_check(window.owner_fd), 0);
	window_close(&window);
}

/* ---- 7: a page given back while somebody translates to it ---------------- */

struct reuse {
	int fd, other;
	unsigned char *p, *q;
	volatile bool stop;
	unsigned long reads, bad, punched, unmapped;
};

/* Map and unmap, so that page tables are always on their way out. */
static void *reuse_unmapper(void *context)
{
	struct reuse *reuse = context;
	unsigned char *p;
	size_t i;

	while (!reuse->stop) {
		p = bsdvm_mmap(reuse->fd, SIZE);
		for (i = 0; i < NPAGES; i++)
			(void)*(volatile unsigned char *)(p + i * PAGE);
		munmap(p, SIZE);
		reuse->unmapped++;
	}
	return NULL;
}

/* Give pages back, and let another map use them for 0xbb at once. */
static void *reuse_puncher(void *context)
{
	struct reuse *reuse = context;
	size_t i;

	while (!reuse->stop) {
		punch(reuse->fd, 0, SIZE);
		for (i = 0; i < NPAGES; i++)
			memset(reuse->q + i * PAGE, 0xbb, 64);
		for (i = 0; i < NPAGES; i++)
			memset(reuse->p + i * PAGE, 0xaa, 64);
		punch(reuse->other, 0, SIZE);
		reuse->punched++;
	}
	return NULL;
}

static void *reuse_reader(void *context)
{
	struct reuse *reuse = context;
	size_t i;

	while (!reuse->stop) {
		for (i = 0; i < NPAGES; i++) {
			unsigned char c = *(volatile unsigned char *)
					  (reuse->p + i * PAGE);

			reuse->reads++;
			reuse->bad += c != 0 && c != 0xaa;
		}
	}
	return NULL;
}

static bool reuse_enough(const volatile struct reuse *reuse)
{
	return reuse->reads >= RACE_ENOUGH * NPAGES &&
	       reuse->punched >= RACE_ENOUGH &&
	       reuse->unmapped >= RACE_ENOUGH;
}

/* Pages punched away and used by another map are never seen by the first. */
TEST_F_TIMEOUT(race, r07_page_used_anew_too_early, 180)
{
	struct reuse reuse = {
		.fd = bsdvm_create(SIZE),
		.other = bsdvm_create(SIZE),
	};
	pthread_t thread[3];
	size_t i;

	ASSERT_GE(reuse.fd, 0);
	ASSERT_GE(reuse.other, 0);
	reuse.p = bsdvm_mmap(reuse.fd, SIZE);
	reuse.q = bsdvm_mmap(reuse.other, SIZE);
	pthread_create(&thread[0], NULL, reuse_unmapper, &reuse);
	pthread_create(&thread[1], NULL, reuse_puncher, &reuse);
	pthread_create(&thread[2], NULL, reuse_reader, &reuse);
	sleep(race_seconds());
	while (!reuse_enough(&reuse))
		usleep(10000);
	reuse.stop = true;
	for (i = 0; i < ARRAY_SIZE(thread); i++)
		pthread_join(thread[i], NULL);
	EXPECT_EQ(reuse.bad, 0);
	EXPECT_EQ(bsdvm_check(reuse.fd), 0);
	close(reuse.fd);
	close(reuse.other);
}

/* ---- 9: what is found, and what is ended --------------------------------- */

struct dropper {
	int fd;
	const uint32_t *ids;
	pthread_barrier_t *start;
	int dropped, refused, wrong;
};

/* Try all of them, as everybody does at the same time. */
static void *drop_all(void *context)
{
	struct dropper *dropper = context;
	size_t i;

	pthread_barrier_wait(dropper->start);
	for (i = 0; i < NIDS; i++) {
		int fd = bsdvm_open(dropper->fd, dropper->ids[i]);

		if (fd >= 0)
			dropper->wrong += byte_at(fd, 0) != FIRST + i;
		close(fd);
		if (!bsdvm_drop(dropper->fd, dropper->ids[i]))
			dropper->dropped++;
		else if (errno == ENOENT)
			dropper->refused++;
	}
	return NULL;
}

/* Of many who drop a snapshot at once, one does; who opened it, has it. */
TEST_F(race, drop_once)
{
	struct dropper droppers[NTHREADS] = { };
	int dropped = 0, refused = 0;
	pthread_t threads[NTHREADS];
	pthread_barrier_t start;
	uint32_t ids[NIDS];
	size_t i;

	for (i = 0; i < NIDS; i++) {
		self->p[0] = FIRST + i;
		ids[i] = bsdvm_snapshot(self->fd);
		ASSERT_NE(ids[i], 0);
	}
	pthread_barrier_init(&start, NULL, NTHREADS);
	for (i = 0; i < NTHREADS; i++) {
		droppers[i].fd = self->fd;
		droppers[i].ids = ids;
		droppers[i].start = &start;
		ASSERT_EQ(pthread_create(&threads[i], NULL, drop_all,
					 &droppers[i]), 0);
	}
	for (i = 0; i < NTHREADS; i++) {
		pthread_join(threads[i], NULL);
		EXPECT_EQ(droppers[i].wrong, 0);
		dropped += droppers[i].dropped;
		refused += droppers[i].refused;
	}
	EXPECT_EQ(dropped, NIDS);
	EXPECT_EQ(refused, NIDS * (NTHREADS - 1));
}

/* Maps, each with a snapshot of id 1 unless somebody dropped it. */
struct slots {
	int fds[NSLOTS];
	volatile bool stop;
	unsigned long uses, taken, dropped, wrong;
};

static void slots_count(unsigned long *counter, unsigned long n)
{
	__atomic_fetch_add(counter, n, __ATOMIC_RELAXED);
}

/* Map what is there and use it; it may be closed at any time. */
static void *use_slots(void *context)
{
	struct slots *slots = context;
	unsigned int i;

	for (i = 0; !slots->stop; i++) {
		unsigned char *p = bsdvm_mmap(slots->fds[i % NSLOTS], SIZE);
		int signal;

		if (p == MAP_FAILED)
			continue;
		signal = touch(p, -1);
		slots_count(&slots->wrong,
			    (signal && signal != SIGBUS) ||
			    (!signal && p[0] != 0 && p[0] != FIRST));
		munmap(p, SIZE);
		slots_count(&slots->uses, 1);
	}
	return NULL;
}

/* Look a snapshot up: it is whole, or it is not there; nothing else. */
static void *find_slots(void *context)
{
	struct slots *slots = context;
	unsigned int i;
	int fd;

	for (i = 0; !slots->stop; i++) {
		fd = bsdvm_open(slots->fds[i % NSLOTS], 1);
		if (fd < 0) {
			slots_count(&slots->wrong, errno != ENOENT);
			usleep(1000);
			continue;
		}
		slots_count(&slots->wrong, byte_at(fd, 0) != FIRST);
		close(fd);
	}
	return NULL;
}

static void *drop_slots(void *context)
{
	struct slots *slots = context;
	unsigned int i;

	for (i = 0; !slots->stop; i++) {
		usleep(i % 8 * 100);
		if (!bsdvm_drop(slots->fds[i % NSLOTS], 1))
			slots_count(&slots->dropped, 1);
		else
			slots_count(&slots->wrong, errno != ENOENT);
	}
	return NULL;
}

/* Close a map and make another in its place. */
static void *replace_slots(void *context)
{
	struct slots *slots = context;
	unsigned char c = FIRST;
	unsigned int i;
	int fd;

	for (i = 0; !slots->stop; i++) {
		fd = bsdvm_create(SIZE);
		if (fd < 0)
			continue;
		slots_count(&slots->wrong, pwrite(fd, &c, 1, 0) != 1 ||
					   bsdvm_snapshot(fd) != 1);
		slots_count(&slots->taken, 1);
		dup2(fd, slots->fds[i % NSLOTS]);
		close(fd);
	}
	return NULL;
}

static bool slots_enough(const volatile struct slots *slots)
{
	return slots->uses >= RACE_ENOUGH && slots->dropped >= RACE_ENOUGH;
}

/* Eight threads map, find, drop and close four maps: each has what it found. */
TEST_F_TIMEOUT(race, r09_found_without_a_reference, 180)
{
	static void *(* const work[])(void *) = {
		replace_slots, use_slots, find_slots, drop_slots,
	};
	struct live before = live_now();
	pthread_t threads[NTHREADS];
	struct slots slots = { };
	size_t i;

	for (i = 0; i < NSLOTS; i++) {
		slots.fds[i] = bsdvm_create(SIZE);
		ASSERT_GE(slots.fds[i], 0);
	}
	for (i = 0; i < NTHREADS; i++)
		ASSERT_EQ(pthread_create(&threads[i], NULL,
					 work[i % ARRAY_SIZE(work)], &slots),
			  0);
	sleep(race_seconds());
	while (!slots_enough(&slots))
		usleep(10000);
	slots.stop = true;
	for (i = 0; i < NTHREADS; i++)
		pthread_join(threads[i], NULL);
	EXPECT_LE(slots.dropped, slots.taken);
	EXPECT_EQ(slots.wrong, 0);
	for (i = 0; i < NSLOTS; i++)
		close(slots.fds[i]);
	EXPECT_TRUE(live_settles(&before));
}

/* ---- 11: very many references --------------------------------------------- */

/* Is less than an eighth of the memory left? Who took the rest has to stop. */
static bool memory_is_short(void)
{
	long total = meminfo("MemTotal"), left = meminfo("MemAvailable");

	return left < total / 8;
}

/* Is it time to stop after @n of a thing? Asking takes longer than making one. */
static bool enough_memory_taken(size_t n)
{
	return n % 1024 == 0 && memory_is_short();
}

/* When there were as many; in seconds since the boot. */
static void tell_many(struct __test_metadata *_metadata, const char *what,
		      size_t n, size_t many)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	TH_LOG("%zu of %zu %s at %ld s", n, many, what, (long)now.tv_sec);
}

/* A page for every so many snapshots, since memory has an end. */
#define SNAPSHOTS_A_PAGE	64

/*
 * Take them; what a snapshot of number i has in its first byte is i / 64.
 * Returns how many there are.
 */
static size_t take_many(struct __test_metadata *_metadata,
			FIXTURE_DATA(race) *self, uint32_t *ids, size_t many)
{
	size_t i;

	for (i = 0; i < many && !enough_memory_taken(i); i++) {
		if (i % SNAPSHOTS_A_PAGE == 0)
			self->p[0] = i / SNAPSHOTS_A_PAGE;
		ids[i] = bsdvm_snapshot(self->fd);
		ASSERT_NE(ids[i], 0);
	}
	tell_many(_metadata, "snapshots", i, many);
	return i;
}

static void look_at_some(struct __test_metadata *_metadata,
			 FIXTURE_DATA(race) *self, const uint32_t *ids,
			 size_t many)
{
	struct bsdvm_map_info info;
	size_t i;

	ASSERT_EQ(bsdvm_map_info(self->fd, &info), 0);
	EXPECT_EQ(info.snapshots, many);
	for (i = 0; i < many; i += many / 8)
		EXPECT_EQ(snapshot_byte(self->fd, ids[i], 0),
			  i / SNAPSHOTS_A_PAGE % 256);
	EXPECT_EQ(snapshot_byte(self->fd, ids[0], PAGE), FIRST + 1);
}

static void many_snapshots(struct __test_metadata *_metadata,
			   FIXTURE_DATA(race) *self)
{
	size_t many = race_many(1UL << 20, 20000), i;
	uint32_t *ids = calloc(many, sizeof(*ids));

	ASSERT_NE(ids, NULL);
	many = take_many(_metadata, self, ids, many);
	ASSERT_GT(many, 100);
	look_at_some(_metadata, self, ids, many);
	/* From the middle outwards, so that all kinds of neighbours go. */
	for (i = 0; i < many; i++)
		ASSERT_EQ(bsdvm_drop(self->fd, ids[(i + many / 2) % many]), 0);
	tell_many(_metadata, "snapshots dropped", i, many);
	EXPECT_EQ(self->p[0], (many - 1) / SNAPSHOTS_A_PAGE % 256);
	free(ids);
}

/* Mappings of this process that are none of the test's. */
#define OTHER_MAPPINGS	1000

/* Linux is to allow so many mappings; if it did not, then only a few more. */
static bool allow_mappings(FIXTURE_DATA(race) *self, size_t many)
{
	long allowed = read_number(MAX_MAP_COUNT);

	if (allowed >= (long)(many + OTHER_MAPPINGS))
		return true;
	self->max_map_count = allowed;
	return write_number(MAX_MAP_COUNT, many + OTHER_MAPPINGS);
}

/* Room in the address space, where nobody has anything. */
static unsigned char *free_room(size_t length)
{
	unsigned char *p = mmap(NULL, length, PROT_NONE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p != MAP_FAILED && !munmap(p, length) ? p : NULL;
}

/* Map the page @most times, in a row from @p on; how often was it possible? */
static size_t map_often(int fd, unsigned char *p, size_t most)
{
	void *q;
	size_t i;

	for (i = 0; i < most && !enough_memory_taken(i); i++) {
		q = mmap(p + i * PAGE, PAGE, PROT_READ,
			 MAP_SHARED | MAP_FIXED_NOREPLACE, fd, 0);
		if (q == MAP_FAILED)
			break;
	}
	return i;
}

/* As many as are wanted, and no more than Linux allows. */
static void many_mappings(struct __test_metadata *_metadata,
			  FIXTURE_DATA(race) *self, size_t many)
{
	size_t room = many + 2 * OTHER_MAPPINGS, n;
	unsigned char *p = free_room(room * PAGE);

	ASSERT_NE(p, NULL);
	ASSERT_TRUE(allow_mappings(self, many));
	errno = 0;
	n = map_often(self->fd, p, room);
	tell_many(_metadata, "mappings", n, many);
	if (!memory_is_short()) {
		EXPECT_GE(n, many);
		EXPECT_EQ(errno, n < room ? ENOMEM : 0);
		EXPECT_TRUE(n < room || !self->max_map_count);
	}
	ASSERT_GT(n, 100);
	EXPECT_EQ(p[(n - 1) * PAGE], *p);
	munmap(p, room * PAGE);
}

/* Descriptors of one map, or, without @fd, each of a map, until there are none. */
static void many_descriptors(struct __test_metadata *_metadata, int fd,
			     size_t many)
{
	struct rlimit limit = { many, many }, before;
	int next, last = -1;

	getrlimit(RLIMIT_NOFILE, &before);
	limit.rlim_max = before.rlim_max > many ? before.rlim_max : many;
	ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
	while ((next = fd < 0 ? bsdvm_create(PAGE) : dup(fd)) >= 0) {
		last = next;
		if (enough_memory_taken(last))
			break;
	}
	tell_many(_metadata, fd < 0 ? "maps" : "descriptors", last + 1, many);
	if (next < 0) {
		EXPECT_EQ(errno, EMFILE);
		EXPECT_GT(last, many - 10);
	}
	/* All that are not ours to keep. */
	for (next = last; next > 9 && next != fd; next--)
		close(next);
}

/* However many refer to a map: an error in the end, and no count that wraps. */
TEST_F_TIMEOUT(race, r11_reference_count_overflows, 900)
{
	struct live before;

	if (geteuid())
		SKIP(return, "only root has so many descriptors");
	many_snapshots(_metadata, self);
	before = live_now();
	many_mappings(_metadata, self, race_many(1000000, 4000));
	many_descriptors(_metadata, self->fd, race_many(1UL << 20, 1UL << 16));
	many_descriptors(_metadata, -1, race_many(1UL << 16, 4000));
	EXPECT_TRUE(live_settles(&before));
	EXPECT_EQ(byte_at(self->fd, PAGE), FIRST + 1);
}

TEST_HARNESS_MAIN
