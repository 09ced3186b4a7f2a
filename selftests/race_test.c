// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Who finds a thing has it; who ends it, ends it once. */

#define _GNU_SOURCE
#include <pthread.h>
#include <time.h>

#include "process_util.h"
#include "kselftest_harness.h"

#define NPAGES		4UL
#define SIZE		(NPAGES * PAGE)
#define FIRST		0x30
#define NTHREADS	8
#define NIDS		64
#define NSLOTS		4
#define MANY		20000

FIXTURE(race) {
	int fd;
	unsigned char *p;
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
	munmap(self->p, SIZE);
	close(self->fd);
}

/* ---- snapshots --------------------------------------------------------- */

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
	EXPECT_EQ(bsdvm_check(self->fd), 0);
}

/* As many snapshots as anybody likes; the last is as good as the first. */
TEST_F_TIMEOUT(race, very_many_snapshots, 240)
{
	size_t many = MANY / bsdvm_slowdown(), i;
	uint32_t *ids = calloc(many, sizeof(*ids));
	struct bsdvm_map_info info;

	ASSERT_NE(ids, NULL);
	for (i = 0; i < many; i++) {
		self->p[0] = i;
		ids[i] = bsdvm_snapshot(self->fd);
		ASSERT_NE(ids[i], 0);
	}
	ASSERT_EQ(bsdvm_map_info(self->fd, &info), 0);
	EXPECT_EQ(info.snapshots, many);
	EXPECT_EQ(snapshot_byte(self->fd, ids[0], 0), 0);
	EXPECT_EQ(snapshot_byte(self->fd, ids[many - 1], 0),
		  (many - 1) % 256);
	EXPECT_EQ(snapshot_byte(self->fd, ids[0], PAGE), FIRST + 1);
	/* From the middle outwards, so that all kinds of neighbours go. */
	for (i = 0; i < many; i++)
		ASSERT_EQ(bsdvm_drop(self->fd, ids[(i + many / 2) % many]), 0);
	EXPECT_EQ(self->p[0], (many - 1) % 256);
	EXPECT_EQ(bsdvm_check(self->fd), 0);
	free(ids);
}

/* ---- maps -------------------------------------------------------------- */

struct slots {
	int fds[NSLOTS];
	volatile bool stop;
	unsigned long uses, wrong;
};

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
		if ((signal && signal != SIGBUS) ||
		    (!signal && p[0] != 0 && p[0] != FIRST))
			slots->wrong++;
		munmap(p, SIZE);
		slots->uses++;
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
		if (pwrite(fd, &c, 1, 0) != 1 || !bsdvm_snapshot(fd))
			slots->wrong++;
		dup2(fd, slots->fds[i % NSLOTS]);
		close(fd);
	}
	return NULL;
}

/* Maps closed while they are being mapped: they live as long as the mapping. */
TEST(closed_while_mapped)
{
	pthread_t threads[NTHREADS];
	struct slots slots = { };
	size_t i;

	for (i = 0; i < NSLOTS; i++) {
		slots.fds[i] = bsdvm_create(SIZE);
		ASSERT_GE(slots.fds[i], 0);
	}
	for (i = 0; i < NTHREADS; i++)
		ASSERT_EQ(pthread_create(&threads[i], NULL,
					 i % 4 ? use_slots : replace_slots,
					 &slots), 0);
	sleep(4);
	slots.stop = true;
	for (i = 0; i < NTHREADS; i++)
		pthread_join(threads[i], NULL);
	EXPECT_GT(slots.uses, 100 / bsdvm_slowdown());
	EXPECT_EQ(slots.wrong, 0);
	for (i = 0; i < NSLOTS; i++)
		close(slots.fds[i]);
}

TEST_HARNESS_MAIN
