// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * No stale mapping: whatever is copied, punched, cut off or taken over, every
 * process sees at once what the map holds now, and no snapshot sees it.
 */

#define _GNU_SOURCE
#include "process_util.h"
#include "kselftest_harness.h"

#define NPAGES	16UL
#define SIZE	(NPAGES * PAGE)
#define FIRST	0x10

FIXTURE(stale) {
	int fd;
	unsigned char *p;
	struct peer peer;
};

/* A map of known pages, mapped here and in another process, all present. */
FIXTURE_SETUP(stale)
{
	size_t i;

	self->fd = bsdvm_create(SIZE);
	ASSERT_GE(self->fd, 0);
	self->p = bsdvm_mmap(self->fd, SIZE);
	ASSERT_NE(self->p, MAP_FAILED);
	fill_pages(self->p, NPAGES, FIRST);
	ASSERT_EQ(peer_start(&self->peer, self->fd, SIZE, MAP_SHARED), 0);
	for (i = 0; i < NPAGES; i++)
		ASSERT_EQ(peer_get(&self->peer, i * PAGE), FIRST + i);
}

FIXTURE_TEARDOWN(stale)
{
	EXPECT_EQ(bsdvm_check(self->fd), 0);
	peer_stop(&self->peer);
	munmap(self->p, SIZE);
	close(self->fd);
}

/* A page copied by one process is at once the page of the other. */
TEST_F(stale, copy_by_us_is_seen_by_the_other)
{
	uint32_t id = bsdvm_snapshot(self->fd);
	size_t i;

	ASSERT_NE(id, 0);
	for (i = 0; i < NPAGES; i++) {
		/* The other one maps the frozen page once more. */
		ASSERT_EQ(peer_get(&self->peer, i * PAGE), FIRST + i);
		self->p[i * PAGE] = 0x80 + i;
		EXPECT_EQ(peer_get(&self->peer, i * PAGE), 0x80 + i);
	}
	EXPECT_TRUE(snapshot_holds(self->fd, id, NPAGES, FIRST));
}

/* The same, with the other process writing. */
TEST_F(stale, copy_by_the_other_is_seen_by_us)
{
	uint32_t id = bsdvm_snapshot(self->fd);
	size_t i;

	ASSERT_NE(id, 0);
	for (i = 0; i < NPAGES; i++) {
		ASSERT_EQ(self->p[i * PAGE], FIRST + i);
		ASSERT_EQ(peer_set(&self->peer, i * PAGE, 0x80 + i), 0x80 + i);
		EXPECT_EQ(self->p[i * PAGE], 0x80 + i);
	}
	EXPECT_TRUE(snapshot_holds(self->fd, id, NPAGES, FIRST));
}

/* A page copied by write() is at once the page of every mapping. */
TEST_F(stale, copy_by_write_is_seen_by_mappings)
{
	uint32_t id = bsdvm_snapshot(self->fd);
	size_t i;

	ASSERT_NE(id, 0);
	for (i = 0; i < NPAGES; i++) {
		ASSERT_EQ(peer_get(&self->peer, i * PAGE), FIRST + i);
		ASSERT_EQ(self->p[i * PAGE], FIRST + i);
		ASSERT_EQ(pwrite(self->fd, "\xe0", 1, i * PAGE), 1);
		EXPECT_EQ(peer_get(&self->peer, i * PAGE), 0xe0);
		EXPECT_EQ(self->p[i * PAGE], 0xe0);
	}
	EXPECT_TRUE(snapshot_holds(self->fd, id, NPAGES, FIRST));
}

/* Both write in turn, with a snapshot before each: each shows its moment. */
TEST_F_TIMEOUT(stale, turns, 120)
{
	uint32_t id[100];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(id); i++) {
		id[i] = bsdvm_snapshot(self->fd);
		ASSERT_NE(id[i], 0);
		if (i % 2)
			self->p[PAGE] = i;
		else
			ASSERT_EQ(peer_set(&self->peer, PAGE, i), i);
		EXPECT_EQ(self->p[PAGE], i);
		EXPECT_EQ(peer_get(&self->peer, PAGE), i);
	}
	EXPECT_EQ(snapshot_byte(self->fd, id[0], PAGE), FIRST + 1);
	for (i = 1; i < ARRAY_SIZE(id); i++)
		EXPECT_EQ(snapshot_byte(self->fd, id[i], PAGE), i - 1);
	for (i = 0; i < ARRAY_SIZE(id); i += 2)
		EXPECT_EQ(bsdvm_drop(self->fd, id[i]), 0);
	EXPECT_EQ(self->p[PAGE], ARRAY_SIZE(id) - 1);
	EXPECT_EQ(peer_get(&self->peer, PAGE), ARRAY_SIZE(id) - 1);
}

/* After a punch everybody reads zero; the snapshot keeps the bytes. */
TEST_F(stale, punched_reads_zero)
{
	uint32_t id = bsdvm_snapshot(self->fd);
	size_t i;

	ASSERT_NE(id, 0);
	ASSERT_EQ(peer_set(&self->peer, 3 * PAGE, 0x99), 0x99);
	ASSERT_EQ(punch(self->fd, 2 * PAGE, 4 * PAGE), 0);
	for (i = 2; i < 6; i++) {
		EXPECT_EQ(peer_get(&self->peer, i * PAGE), 0);
		EXPECT_TRUE(all_bytes(self->p + i * PAGE, PAGE, 0));
	}
	EXPECT_EQ(peer_get(&self->peer, PAGE), FIRST + 1);
	EXPECT_EQ(peer_get(&self->peer, 6 * PAGE), FIRST + 6);
	EXPECT_TRUE(snapshot_holds(self->fd, id, NPAGES, FIRST));
	ASSERT_EQ(peer_set(&self->peer, 2 * PAGE, 0x77), 0x77);
	EXPECT_EQ(self->p[2 * PAGE], 0x77);
	EXPECT_TRUE(snapshot_holds(self->fd, id, NPAGES, FIRST));
}

/* The same by MADV_REMOVE and without a snapshot. */
TEST_F(stale, removed_reads_zero)
{
	ASSERT_EQ(madvise(self->p + PAGE, 2 * PAGE, MADV_REMOVE), 0);
	EXPECT_EQ(peer_get(&self->peer, PAGE), 0);
	EXPECT_EQ(peer_get(&self->peer, 2 * PAGE), 0);
	EXPECT_EQ(peer_get(&self->peer, 3 * PAGE), FIRST + 3);
	EXPECT_TRUE(all_bytes(self->p + PAGE, 2 * PAGE, 0));
}

/* What shrinking cut off is SIGBUS for everybody, and zero once it is back. */
TEST_F(stale, shrunk_is_gone)
{
	uint32_t id = bsdvm_snapshot(self->fd);

	ASSERT_NE(id, 0);
	ASSERT_EQ(ftruncate(self->fd, 4 * PAGE), 0);
	EXPECT_EQ(peer_get(&self->peer, 4 * PAGE), -SIGBUS);
	EXPECT_EQ(touch(self->p + 4 * PAGE, -1), SIGBUS);
	EXPECT_EQ(peer_get(&self->peer, 3 * PAGE), FIRST + 3);
	ASSERT_EQ(ftruncate(self->fd, SIZE), 0);
	EXPECT_EQ(peer_get(&self->peer, 4 * PAGE), 0);
	EXPECT_TRUE(all_bytes(self->p + 4 * PAGE, SIZE - 4 * PAGE, 0));
	EXPECT_TRUE(snapshot_holds(self->fd, id, NPAGES, FIRST));
}

/* A mapping that mremap moved is unmapped by a snapshot as any other. */
TEST_F(stale, moved_mapping_is_protected)
{
	unsigned char *to, *q;
	uint32_t id;

	to = mmap(NULL, SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(to, MAP_FAILED);
	q = mremap(self->p + 4 * PAGE, 4 * PAGE, 4 * PAGE,
		   MREMAP_MAYMOVE | MREMAP_FIXED, to);
	ASSERT_EQ(q, to);
	q[0] = FIRST + 4;
	id = bsdvm_snapshot(self->fd);
	ASSERT_NE(id, 0);
	q[0] = 0xaa;
	EXPECT_EQ(peer_get(&self->peer, 4 * PAGE), 0xaa);
	EXPECT_EQ(snapshot_byte(self->fd, id, 4 * PAGE), FIRST + 4);
	ASSERT_EQ(peer_set(&self->peer, 5 * PAGE, 0xbb), 0xbb);
	EXPECT_EQ(q[PAGE], 0xbb);
	munmap(to, SIZE);
}

/* So are the parts of one that mprotect and munmap split. */
TEST_F(stale, split_mapping_is_protected)
{
	uint32_t id;
	size_t i;

	ASSERT_EQ(mprotect(self->p + 4 * PAGE, 2 * PAGE, PROT_READ), 0);
	ASSERT_EQ(munmap(self->p + 8 * PAGE, 2 * PAGE), 0);
	id = bsdvm_snapshot(self->fd);
	ASSERT_NE(id, 0);
	for (i = 0; i < NPAGES; i++)
		if (i / 2 != 2 && i / 2 != 4)
			self->p[i * PAGE] = 0xcc;
	EXPECT_EQ(touch(self->p + 4 * PAGE, 1), SIGSEGV);
	EXPECT_TRUE(snapshot_holds(self->fd, id, NPAGES, FIRST));
	EXPECT_EQ(peer_get(&self->peer, 10 * PAGE), 0xcc);
}

/* M-42: a mapping inherited over fork is another mapping of the same map. */
TEST_F(stale, inherited_mapping_is_protected)
{
	struct peer child;
	uint32_t id;

	ASSERT_EQ(peer_fork(&child, self->p), 0);
	ASSERT_EQ(peer_set(&child, 0, FIRST), FIRST);
	id = bsdvm_snapshot(self->fd);
	ASSERT_NE(id, 0);
	ASSERT_EQ(peer_set(&child, 0, 0x42), 0x42);
	EXPECT_EQ(self->p[0], 0x42);
	EXPECT_EQ(peer_get(&self->peer, 0), 0x42);
	self->p[PAGE] = 0x43;
	EXPECT_EQ(peer_get(&child, PAGE), 0x43);
	EXPECT_TRUE(snapshot_holds(self->fd, id, NPAGES, FIRST));
	peer_stop(&child);
}

/* Write to all pages by a mapping: the snapshot must not see it. */
static void expect_protected(struct __test_metadata *_metadata, int fd,
			     uint32_t id, unsigned char *p, int value)
{
	size_t i;

	for (i = 0; i < NPAGES; i++)
		p[i * PAGE + 1] = value;
	EXPECT_TRUE(snapshot_holds(fd, id, NPAGES, FIRST));
}

static void write_all(unsigned char *p)
{
	fill_pages(p, NPAGES, FIRST);
}

/*
 * Private and read-only mappings among the shared ones, in every place of the
 * kernel's order of mappings, do not keep these from being protected.
 */
TEST_F(stale, private_mappings_do_not_hinder)
{
	const int flags[] = { MAP_PRIVATE, MAP_SHARED, MAP_PRIVATE, MAP_SHARED,
			      MAP_PRIVATE };
	unsigned char *q[ARRAY_SIZE(flags)], *ro;
	char path[32];
	uint32_t id;
	int ro_fd;
	size_t i;

	sprintf(path, "/proc/self/fd/%d", self->fd);
	ro_fd = open(path, O_RDONLY);
	ASSERT_GE(ro_fd, 0);
	ro = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, ro_fd, 0);
	ASSERT_NE(ro, MAP_FAILED);
	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		q[i] = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, flags[i],
			    self->fd, 0);
		ASSERT_NE(q[i], MAP_FAILED);
		write_all(q[i]);
	}
	write_all(self->p);
	EXPECT_EQ(ro[PAGE], FIRST + 1);
	id = bsdvm_snapshot(self->fd);
	ASSERT_NE(id, 0);
	expect_protected(_metadata, self->fd, id, q[3], 1);
	expect_protected(_metadata, self->fd, id, q[1], 2);
	expect_protected(_metadata, self->fd, id, self->p, 3);
	EXPECT_EQ(ro[1], 3);
	EXPECT_EQ(peer_get(&self->peer, 1), 3);
	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		if (flags[i] == MAP_PRIVATE)
			EXPECT_TRUE(pages_hold(q[i], NPAGES, FIRST));
		munmap(q[i], SIZE);
	}
	munmap(ro, SIZE);
	close(ro_fd);
}

/* In locked memory it is Linux that maps the copy, not we. */
TEST_F(stale, locked_memory)
{
	uint32_t id;

	write_all(self->p);
	ASSERT_EQ(mlock(self->p, SIZE), 0);
	id = bsdvm_snapshot(self->fd);
	ASSERT_NE(id, 0);
	/* Map the frozen pages. */
	EXPECT_TRUE(pages_hold(self->p, NPAGES, FIRST));
	expect_protected(_metadata, self->fd, id, self->p, 0x5d);
	EXPECT_EQ(peer_get(&self->peer, 1), 0x5d);
	ASSERT_EQ(munlock(self->p, SIZE), 0);
}

/* mprotect to read-only and back does not give back write without a fault. */
TEST_F(stale, mprotect_gives_no_write_back)
{
	uint32_t id;

	write_all(self->p);
	id = bsdvm_snapshot(self->fd);
	ASSERT_NE(id, 0);
	/* Map the frozen pages, dirty ones as they were. */
	EXPECT_TRUE(pages_hold(self->p, NPAGES, FIRST));
	ASSERT_EQ(mprotect(self->p, SIZE, PROT_READ), 0);
	EXPECT_TRUE(pages_hold(self->p, NPAGES, FIRST));
	ASSERT_EQ(mprotect(self->p, SIZE, PROT_READ | PROT_WRITE), 0);
	expect_protected(_metadata, self->fd, id, self->p, 0x5c);
	EXPECT_EQ(peer_get(&self->peer, 1), 0x5c);
}

/* The same where the mapping is read-only while the snapshot is taken. */
TEST_F(stale, mprotect_across_a_snapshot)
{
	uint32_t id;

	write_all(self->p);
	ASSERT_EQ(mprotect(self->p, SIZE, PROT_READ), 0);
	id = bsdvm_snapshot(self->fd);
	ASSERT_NE(id, 0);
	EXPECT_TRUE(pages_hold(self->p, NPAGES, FIRST));
	ASSERT_EQ(mprotect(self->p, SIZE, PROT_READ | PROT_WRITE), 0);
	expect_protected(_metadata, self->fd, id, self->p, 0x5c);
}

/* Pages that another map of the family shows change in the right maps only. */
TEST_F(stale, sharers_of_a_branch)
{
	uint32_t id = bsdvm_snapshot(self->fd);
	int branch = bsdvm_open(self->fd, id);
	struct peer other;
	unsigned char *q;
	size_t i;

	ASSERT_GE(branch, 0);
	q = bsdvm_mmap(branch, SIZE);
	ASSERT_NE(q, MAP_FAILED);
	ASSERT_EQ(peer_start(&other, branch, SIZE, MAP_SHARED), 0);
	for (i = 0; i < NPAGES; i++) {
		/* Everybody maps the page of the object behind. */
		ASSERT_EQ(q[i * PAGE], FIRST + i);
		ASSERT_EQ(peer_get(&other, i * PAGE), FIRST + i);
		ASSERT_EQ(self->p[i * PAGE], FIRST + i);
		ASSERT_EQ(peer_set(&other, i * PAGE, 0xb0), 0xb0);
		EXPECT_EQ(q[i * PAGE], 0xb0);
		EXPECT_EQ(self->p[i * PAGE], FIRST + i);
		self->p[i * PAGE] = 0xa0;
		EXPECT_EQ(peer_get(&self->peer, i * PAGE), 0xa0);
		EXPECT_EQ(peer_get(&other, i * PAGE), 0xb0);
	}
	EXPECT_TRUE(snapshot_holds(self->fd, id, NPAGES, FIRST));
	EXPECT_EQ(bsdvm_check(branch), 0);
	peer_stop(&other);
	munmap(q, SIZE);
	close(branch);
}

/* A page renamed out of a backing object only one map can still see. */
TEST_F(stale, sharers_of_a_renamed_page)
{
	uint32_t id = bsdvm_snapshot(self->fd);
	size_t i;

	ASSERT_NE(id, 0);
	self->p[0] = 1;
	ASSERT_EQ(bsdvm_drop(self->fd, id), 0);
	for (i = 1; i < NPAGES; i++) {
		ASSERT_EQ(peer_get(&self->peer, i * PAGE), FIRST + i);
		self->p[i * PAGE] = 0xd0;
		EXPECT_EQ(peer_get(&self->peer, i * PAGE), 0xd0);
		ASSERT_EQ(peer_set(&self->peer, i * PAGE, 0xd1), 0xd1);
		EXPECT_EQ(self->p[i * PAGE], 0xd1);
	}
	EXPECT_EQ(peer_get(&self->peer, 0), 1);
}

/* Dropping snapshots in the middle changes nothing that is mapped. */
TEST_F(stale, collapse_leaves_mappings_right)
{
	uint32_t id[8];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(id); i++) {
		id[i] = bsdvm_snapshot(self->fd);
		ASSERT_NE(id[i], 0);
		ASSERT_EQ(peer_set(&self->peer, i * PAGE, 0x90 + i), 0x90 + i);
	}
	for (i = 1; i < ARRAY_SIZE(id) - 1; i++) {
		ASSERT_EQ(bsdvm_drop(self->fd, id[i]), 0);
		EXPECT_EQ(self->p[i * PAGE], 0x90 + i);
		self->p[i * PAGE] = 0x60 + i;
		EXPECT_EQ(peer_get(&self->peer, i * PAGE), 0x60 + i);
		EXPECT_EQ(bsdvm_check(self->fd), 0);
	}
	EXPECT_TRUE(snapshot_holds(self->fd, id[0], NPAGES, FIRST));
	EXPECT_EQ(snapshot_byte(self->fd, id[7], 6 * PAGE), 0x96);
	EXPECT_EQ(snapshot_byte(self->fd, id[7], 7 * PAGE), FIRST + 7);
}

TEST_HARNESS_MAIN
