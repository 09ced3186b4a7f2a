// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Making maps, finding their descriptors, and asking about them. */

#define _GNU_SOURCE
#include <ctype.h>
#include <sys/stat.h>

#include "process_util.h"
#include "kselftest_harness.h"

#define NPAGES	16UL
#define SIZE	(NPAGES * PAGE)
#define FIRST	0x10

/* What the module says it can do. */
TEST(query)
{
	struct bsdvm_query query = { .size = sizeof(query) };
	int dev = bsdvm_dev(), fd = bsdvm_create(1);

	ASSERT_EQ(ioctl(dev, BSDVM_IOC_QUERY, &query), 0);
	EXPECT_EQ(query.version, BSDVM_ABI_VERSION);
	EXPECT_EQ(query.page_size, sysconf(_SC_PAGESIZE));
	EXPECT_EQ(query.features & 7, BSDVM_FEATURE_SNAPSHOT |
		  BSDVM_FEATURE_SHADOW | BSDVM_FEATURE_WIRE);
	EXPECT_GE(query.max_size, 1ULL << 47);
	/* Any map answers as well. */
	EXPECT_EQ(ioctl(fd, BSDVM_IOC_QUERY, &query), 0);
	close(fd);
	close(dev);
}

/* Maps of any size in bytes, each its own file. */
TEST(create)
{
	static const uint64_t size[] = { 0, 1, PAGE - 1, PAGE, PAGE + 1,
					 1ULL << 40 };
	struct stat st, last = { };
	size_t i;
	int fd;

	for (i = 0; i < ARRAY_SIZE(size); i++) {
		fd = bsdvm_create(size[i]);
		ASSERT_GE(fd, 0);
		ASSERT_EQ(fstat(fd, &st), 0);
		EXPECT_EQ(st.st_size, size[i]);
		EXPECT_TRUE(S_ISREG(st.st_mode));
		EXPECT_NE(st.st_ino, last.st_ino);
		EXPECT_EQ(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
		last = st;
	}
}

/* A map makes further maps, which are no relatives. */
TEST(create_by_map)
{
	struct bsdvm_create arg = { .size = sizeof(arg), .map_size = PAGE };
	struct bsdvm_map_info info;
	int fd = bsdvm_create(PAGE), other = ioctl(fd, BSDVM_IOC_CREATE, &arg);

	ASSERT_GE(other, 0);
	ASSERT_EQ(bsdvm_map_info(other, &info), 0);
	EXPECT_EQ(info.maps, 1);
	close(fd);
	close(other);
}

static int map_fd(int fd, void *address)
{
	struct bsdvm_map_fd arg = {
		.size = sizeof(arg),
		.flags = address ? BSDVM_MAP_FD_ADDRESS : 0,
		.addr = (uintptr_t)address,
	};

	return ioctl(fd, BSDVM_IOC_MAP_FD, &arg);
}

static bool closed_on_exec(int fd)
{
	int flags = fcntl(fd, F_GETFD);

	return flags >= 0 && (flags & FD_CLOEXEC);
}

/* Whatever request a descriptor comes from, no program run later gets it. */
TEST(descriptors_are_closed_on_exec)
{
	int fd = bsdvm_create(PAGE), other;

	EXPECT_TRUE(closed_on_exec(fd));
	other = map_fd(fd, NULL);
	EXPECT_TRUE(closed_on_exec(other));
	close(other);
	other = bsdvm_open(fd, bsdvm_snapshot(fd));
	EXPECT_TRUE(closed_on_exec(other));
	close(other);
	other = bsdvm_shadow(fd, 0, PAGE);
	EXPECT_TRUE(closed_on_exec(other));
	close(other);
	close(fd);
}

static uint64_t map_id(int fd)
{
	struct bsdvm_map_info info;

	return bsdvm_map_info(fd, &info) ? 0 : info.id;
}

/* The first mapping of the device makes its map, of that length. */
TEST(device)
{
	int dev = bsdvm_dev(), fd;
	unsigned char *p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE,
				MAP_SHARED, dev, 2 * PAGE);
	unsigned char *q;

	ASSERT_NE(p, MAP_FAILED);
	fd = map_fd(dev, NULL);
	ASSERT_GE(fd, 0);
	EXPECT_EQ(lseek(fd, 0, SEEK_END), 6 * PAGE);
	p[0] = 5;
	EXPECT_EQ(byte_at(fd, 2 * PAGE), 5);
	/* A later mapping is of the same map, and beyond its end SIGBUS. */
	q = bsdvm_mmap(dev, 8 * PAGE);
	ASSERT_NE(q, MAP_FAILED);
	EXPECT_EQ(q[2 * PAGE], 5);
	EXPECT_EQ(touch(q + 6 * PAGE, -1), SIGBUS);
	EXPECT_EQ(lseek(fd, 0, SEEK_END), 6 * PAGE);
	/* The device's descriptor stands for the map. */
	EXPECT_EQ(map_id(dev), map_id(fd));
	EXPECT_NE(bsdvm_snapshot(dev), 0);
	EXPECT_EQ(bsdvm_check(dev), 0);
	munmap(q, 8 * PAGE);
	munmap(p, 4 * PAGE);
	close(fd);
	close(dev);
}

/* Two openings of the device are two maps. */
TEST(two_devices)
{
	int a = bsdvm_dev(), b = bsdvm_dev();
	unsigned char *p = bsdvm_mmap(a, PAGE), *q = bsdvm_mmap(b, PAGE);

	p[0] = 1;
	EXPECT_EQ(q[0], 0);
	EXPECT_NE(map_id(a), map_id(b));
	munmap(p, PAGE);
	munmap(q, PAGE);
	close(a);
	close(b);
}

/* A private mapping of the device makes a map that stays empty. */
TEST(private_device)
{
	int dev = bsdvm_dev();
	unsigned char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE,
				dev, 0);

	ASSERT_NE(p, MAP_FAILED);
	p[0] = 1;
	EXPECT_EQ(byte_at(map_fd(dev, NULL), 0), 0);
	munmap(p, PAGE);
	close(dev);
}

/* The descriptor behind an address, of the mapping that is there. */
TEST(by_address)
{
	int a = bsdvm_create(SIZE), b = bsdvm_create(SIZE), fd;
	unsigned char *p = bsdvm_mmap(a, SIZE);

	ASSERT_EQ(mmap(p + 4 * PAGE, PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, b,
		       0), p + 4 * PAGE);
	fd = map_fd(b, p + 3 * PAGE + 77);
	EXPECT_EQ(map_id(fd), map_id(a));
	close(fd);
	fd = map_fd(a, p + 4 * PAGE);
	EXPECT_EQ(map_id(fd), map_id(b));
	close(fd);
	/* The same open file: the offset is shared. */
	fd = map_fd(a, NULL);
	lseek(a, 99, SEEK_SET);
	EXPECT_EQ(lseek(fd, 0, SEEK_CUR), 99);
	close(fd);
	munmap(p, SIZE);
	close(a);
	close(b);
}

/* What the kernel says to a fault of its own, which kills nobody. */
static int populate(unsigned char *p)
{
	return madvise(p, PAGE, MADV_POPULATE_READ) ? errno : 0;
}

/* Neither read, nor written, nor copied from. */
static int use_broken_page(int fd, unsigned char *p)
{
	char c = 1;

	if (pread(fd, &c, 1, PAGE) != -1 || errno != EIO)
		return 1;
	if (pwrite(fd, &c, 1, PAGE) != -1 || errno != EIO)
		return 2;
	return populate(p + PAGE) == EHWPOISON ? 0 : 3;
}

/*
 * A page of broken memory is not mapped, not even as a neighbour. A snapshot
 * shares it, like any other.
 */
TEST(broken_memory)
{
	int fd = bsdvm_create(SIZE), error, opened;
	unsigned char *p = bsdvm_mmap(fd, SIZE);

	fill_pages(p, NPAGES, FIRST);
	error = in_child(break_memory, p + PAGE);
	if (error == EINVAL || error == EPERM)
		SKIP(return, "the kernel cannot mark memory as broken");
	ASSERT_EQ(error, 0);
	munmap(p, SIZE);
	p = bsdvm_mmap(fd, SIZE);
	ASSERT_NE(p, MAP_FAILED);
	EXPECT_EQ(populate(p + PAGE), EHWPOISON);
	EXPECT_EQ(p[0], FIRST);
	EXPECT_EQ(p[3 * PAGE], FIRST + 3);
	EXPECT_EQ(use_broken_page(fd, p), 0);
	EXPECT_TRUE(pages_hold(p + 2 * PAGE, NPAGES - 2, FIRST + 2));
	opened = bsdvm_open(fd, bsdvm_snapshot(fd));
	ASSERT_GE(opened, 0);
	EXPECT_EQ(use_broken_page(opened, p), 0);
	EXPECT_EQ(use_broken_page(fd, p), 0);
	EXPECT_EQ(bsdvm_check(fd), 0);
	close(opened);
	/* A hole is given other memory. */
	ASSERT_EQ(punch(fd, PAGE, PAGE), 0);
	EXPECT_EQ(touch(p + PAGE, 1), 0);
	EXPECT_EQ(p[PAGE], 1);
	munmap(p, SIZE);
	close(fd);
}

FIXTURE(info) {
	int fd;
	unsigned char *p;
};

FIXTURE_SETUP(info)
{
	unsigned char page[PAGE];
	size_t i;

	self->fd = bsdvm_create(SIZE);
	ASSERT_GE(self->fd, 0);
	self->p = bsdvm_mmap(self->fd, SIZE);
	ASSERT_NE(self->p, MAP_FAILED);
	/* By system call: a fault might fill more pages than it is for. */
	for (i = 0; i < NPAGES / 2; i++) {
		memset(page, FIRST + i, PAGE);
		ASSERT_EQ(pwrite(self->fd, page, PAGE, i * PAGE), PAGE);
	}
}

FIXTURE_TEARDOWN(info)
{
	EXPECT_EQ(bsdvm_check(self->fd), 0);
	munmap(self->p, SIZE);
	close(self->fd);
}

/* Numbers of a map, before and after snapshots, writes and relatives. */
TEST_F(info, map)
{
	struct bsdvm_map_info info, before;
	int branch;

	ASSERT_EQ(bsdvm_map_info(self->fd, &before), 0);
	EXPECT_EQ(before.map_size, SIZE);
	EXPECT_EQ(before.resident, NPAGES / 2);
	EXPECT_EQ(before.reachable, NPAGES / 2);
	EXPECT_EQ(before.wired, 0);
	EXPECT_EQ(before.entries, 1);
	EXPECT_EQ(before.depth, 1);
	EXPECT_EQ(before.snapshots, 0);
	EXPECT_EQ(before.maps, 1);
	branch = bsdvm_open(self->fd, bsdvm_snapshot(self->fd));
	self->p[0] = 1;
	ASSERT_EQ(bsdvm_map_info(self->fd, &info), 0);
	EXPECT_EQ(info.id, before.id);
	EXPECT_GT(info.generation, before.generation);
	EXPECT_EQ(info.resident, 1);
	EXPECT_EQ(info.reachable, NPAGES / 2 + 1);
	EXPECT_EQ(info.depth, 2);
	EXPECT_EQ(info.snapshots, 1);
	EXPECT_EQ(info.maps, 2);
	EXPECT_NE(map_id(branch), info.id);
	close(branch);
	ASSERT_EQ(bsdvm_map_info(self->fd, &info), 0);
	EXPECT_EQ(info.maps, 1);
}

/* The map's own pages, as its file's blocks say. */
static long pages_of_file(int fd)
{
	struct stat st;

	return fstat(fd, &st) ? -1 : st.st_blocks * 512 / (long)PAGE;
}

static long resident_pages(int fd)
{
	struct bsdvm_map_info info;

	return bsdvm_map_info(fd, &info) ? -1 : (long)info.resident;
}

/* Wiring cuts a map into pieces: what they show together counts once. */
TEST_F(info, pieces)
{
	struct bsdvm_map_info info;

	ASSERT_EQ(bsdvm_wire(self->fd, 2 * PAGE, 4 * PAGE, 0), 0);
	ASSERT_EQ(bsdvm_map_info(self->fd, &info), 0);
	EXPECT_EQ(info.entries, 3);
	EXPECT_EQ(info.resident, NPAGES / 2);
	EXPECT_EQ(info.reachable, NPAGES / 2);
	EXPECT_EQ(pages_of_file(self->fd), NPAGES / 2);
	ASSERT_EQ(bsdvm_unwire(self->fd, 2 * PAGE, 4 * PAGE, 0), 0);
}

/* What a snapshot has as well is not the map's own, nor is it the branch's. */
TEST_F(info, shared)
{
	uint32_t id = bsdvm_snapshot(self->fd);
	int branch = bsdvm_open(self->fd, id);

	EXPECT_EQ(resident_pages(self->fd), 0);
	EXPECT_EQ(pages_of_file(self->fd), 0);
	EXPECT_EQ(pages_of_file(branch), 0);
	ASSERT_EQ(pwrite(self->fd, "x", 1, 0), 1);
	EXPECT_EQ(resident_pages(self->fd), 1);
	EXPECT_EQ(pages_of_file(self->fd), 1);
	EXPECT_EQ(resident_pages(branch), 0);
	/* Whom it is left to has it. */
	ASSERT_EQ(bsdvm_drop(self->fd, id), 0);
	close(branch);
	EXPECT_EQ(resident_pages(self->fd), NPAGES / 2);
	EXPECT_EQ(pages_of_file(self->fd), NPAGES / 2);
}

/* A chain, object by object, from the front to the back. */
TEST_F(info, chain)
{
	struct bsdvm_object_info object;
	uint64_t next = 0;
	uint32_t i;

	for (i = 0; i < 3; i++) {
		ASSERT_NE(bsdvm_snapshot(self->fd), 0);
		self->p[i * PAGE] = i;
	}
	for (i = 0; !bsdvm_object_info(self->fd, 0, i, &object); i++) {
		EXPECT_NE(object.id, 0);
		if (i)
			EXPECT_EQ(object.id, next);
		EXPECT_EQ(object.resident, i < 3 ? 1 : NPAGES / 2);
		EXPECT_EQ(object.object_size, SIZE);
		EXPECT_EQ(object.shadow_count, i ? 1 : 0);
		EXPECT_EQ(object.ref_count, i ? 2 : 1);
		EXPECT_EQ(object.backing_offset, 0);
		next = object.backing_id;
	}
	EXPECT_EQ(errno, ENOENT);
	EXPECT_EQ(i, 4);
	EXPECT_EQ(next, 0);
}

/* A shadow of a range shows where in its backing object it begins. */
TEST_F(info, shadow)
{
	struct bsdvm_object_info object, backing;
	int fd;

	ASSERT_EQ(bsdvm_object_info(self->fd, 0, 0, &backing), 0);
	fd = bsdvm_shadow(self->fd, 3 * PAGE, 5 * PAGE);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(pwrite(fd, "x", 1, 0), 1);
	ASSERT_EQ(bsdvm_object_info(fd, 0, 0, &object), 0);
	EXPECT_EQ(object.backing_id, backing.id);
	EXPECT_EQ(object.backing_offset, 3 * PAGE);
	EXPECT_EQ(object.object_size, 5 * PAGE);
	close(fd);
}

/* Entries, one after the other, without a gap. */
TEST_F(info, entries)
{
	struct bsdvm_entry_info entry = { .size = sizeof(entry) };
	uint64_t next = 0;
	int n = 0;

	ASSERT_EQ(bsdvm_wire(self->fd, 4 * PAGE, 2 * PAGE, 0), 0);
	while (!ioctl(self->fd, BSDVM_IOC_ENTRY_INFO, &entry)) {
		EXPECT_EQ(entry.offset, next);
		EXPECT_EQ(entry.protection, BSDVM_PROT_R | BSDVM_PROT_W |
			  BSDVM_PROT_X);
		EXPECT_EQ(entry.max_protection, entry.protection);
		EXPECT_LE(entry.inheritance, 2);
		EXPECT_EQ(entry.object_offset, entry.offset);
		EXPECT_EQ(entry.wired_count, n == 1);
		EXPECT_EQ(!!(entry.entry_flags & BSDVM_ENTRY_INFO_USER_WIRED),
			  n == 1);
		next = entry.offset + entry.length;
		entry.offset = next;
		n++;
	}
	EXPECT_EQ(errno, ENOENT);
	EXPECT_EQ(n, 3);
	EXPECT_EQ(next, SIZE);
	ASSERT_EQ(bsdvm_unwire(self->fd, 4 * PAGE, 2 * PAGE, 0), 0);
	ASSERT_NE(bsdvm_snapshot(self->fd), 0);
	entry.offset = SIZE - 1;
	ASSERT_EQ(ioctl(self->fd, BSDVM_IOC_ENTRY_INFO, &entry), 0);
	EXPECT_EQ(entry.offset, 0);
	EXPECT_EQ(entry.entry_flags, BSDVM_ENTRY_INFO_NEEDS_COPY |
		  BSDVM_ENTRY_INFO_COW);
}

/* Snapshots, in the order of their ids, with the size of their time. */
TEST_F(info, snapshots)
{
	struct bsdvm_snapshot_info info = { .size = sizeof(info) };
	uint32_t id[3];

	id[0] = bsdvm_snapshot(self->fd);
	ASSERT_EQ(ftruncate(self->fd, 100), 0);
	id[1] = bsdvm_snapshot(self->fd);
	id[2] = bsdvm_snapshot(self->fd);
	ASSERT_EQ(bsdvm_drop(self->fd, id[1]), 0);
	ASSERT_EQ(ioctl(self->fd, BSDVM_IOC_SNAPSHOT_INFO, &info), 0);
	EXPECT_EQ(info.id, id[0]);
	EXPECT_EQ(info.map_size, SIZE);
	EXPECT_EQ(info.map_id, map_id(self->fd));
	EXPECT_NE(info.object_id, 0);
	info.id = id[1];
	ASSERT_EQ(ioctl(self->fd, BSDVM_IOC_SNAPSHOT_INFO, &info), 0);
	EXPECT_EQ(info.id, id[2]);
	EXPECT_EQ(info.map_size, 100);
	info.id++;
	EXPECT_EQ(ioctl(self->fd, BSDVM_IOC_SNAPSHOT_INFO, &info), -1);
	EXPECT_EQ(errno, ENOENT);
}

/* The checker visits everything. */
TEST_F(info, check)
{
	struct bsdvm_check check = { .size = sizeof(check) };

	ASSERT_NE(bsdvm_snapshot(self->fd), 0);
	self->p[0] = 1;
	ASSERT_EQ(ioctl(self->fd, BSDVM_IOC_CHECK, &check), 0);
	EXPECT_EQ(check.violated, 0);
	EXPECT_EQ(check.objects, 2);
	EXPECT_EQ(check.pages, NPAGES / 2 + 1);
}

/* A value in fdinfo, -1 if it is not there. */
static long fdinfo(int fd, const char *name)
{
	char path[64], line[128], key[64];
	long value, found = -1;
	FILE *f;

	sprintf(path, "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "r");
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "%63[^:]: %ld", key, &value) == 2 &&
		    !strcmp(key, name))
			found = value;
	fclose(f);
	return found;
}

/* fdinfo has the same numbers. */
TEST_F(info, fdinfo)
{
	struct bsdvm_map_info info;

	ASSERT_NE(bsdvm_snapshot(self->fd), 0);
	self->p[0] = 1;
	ASSERT_EQ(bsdvm_map_info(self->fd, &info), 0);
	EXPECT_EQ(fdinfo(self->fd, "bsdvm-map"), info.id);
	EXPECT_EQ(fdinfo(self->fd, "bsdvm-size"), info.map_size);
	EXPECT_EQ(fdinfo(self->fd, "bsdvm-resident-pages"), info.resident);
	EXPECT_EQ(fdinfo(self->fd, "bsdvm-reachable-pages"), info.reachable);
	EXPECT_EQ(fdinfo(self->fd, "bsdvm-wired-pages"), info.wired);
	EXPECT_EQ(fdinfo(self->fd, "bsdvm-entries"), info.entries);
	EXPECT_EQ(fdinfo(self->fd, "bsdvm-depth"), info.depth);
	EXPECT_EQ(fdinfo(self->fd, "bsdvm-snapshots"), info.snapshots);
	EXPECT_EQ(fdinfo(self->fd, "bsdvm-maps"), info.maps);
}

#define TREE	"/sys/kernel/debug/bsdvm/tree"

/* How far the line of the object that a map shows is indented; -1: no line. */
static int tree_indent(int fd)
{
	char line[512], map[64];
	int indent = -1;
	FILE *f = fopen(TREE, "r");

	sprintf(map, " map %lu", (unsigned long)map_id(fd));
	while (indent < 0 && fgets(line, sizeof(line), f)) {
		const char *name = strstr(line, map);
		int spaces = strspn(line, " ");

		if (name && !isdigit(name[strlen(map)]) &&
		    !strncmp(line + spaces, "object ", 7))
			indent = spaces;
	}
	fclose(f);
	return indent;
}

/* The tree in debugfs shows each object once: branches beside one another. */
TEST_F(info, tree)
{
	uint32_t id;
	int branch[3], i;

	if (access(TREE, R_OK))
		SKIP(return, "no debugfs");
	self->p[0] = 1;
	EXPECT_EQ(tree_indent(self->fd), 2);
	id = bsdvm_snapshot(self->fd);
	ASSERT_NE(id, 0);
	self->p[0] = 2;
	for (i = 0; i < 3; i++) {
		branch[i] = bsdvm_open(self->fd, id);
		ASSERT_EQ(pwrite(branch[i], "x", 1, 0), 1);
	}
	EXPECT_EQ(tree_indent(self->fd), 4);
	/* And one behind another. */
	ASSERT_NE(bsdvm_snapshot(branch[1]), 0);
	ASSERT_EQ(pwrite(branch[1], "x", 1, PAGE), 1);
	EXPECT_EQ(tree_indent(branch[0]), 4);
	EXPECT_EQ(tree_indent(branch[1]), 6);
	EXPECT_EQ(tree_indent(branch[2]), 4);
	for (i = 0; i < 3; i++)
		close(branch[i]);
}

#define LEVELS	500

/* Its lines do not get longer with the chain. */
TEST_F(info, tree_of_a_deep_chain)
{
	FILE *f = fopen("/sys/kernel/debug/bsdvm/tree", "r");
	int i, objects = 0;
	size_t longest = 0;
	char line[2048];

	if (!f)
		SKIP(return, "no debugfs");
	/* In turn two pages: no object has all that the one behind it shows. */
	for (i = 0; i < LEVELS; i++) {
		self->p[i % 2 * PAGE] = i;
		ASSERT_NE(bsdvm_snapshot(self->fd), 0);
	}
	while (fgets(line, sizeof(line), f)) {
		objects += !!strstr(line, " object ");
		if (strlen(line) > longest)
			longest = strlen(line);
	}
	fclose(f);
	EXPECT_GE(objects, LEVELS);
	EXPECT_LT(longest, 300);
}

#ifdef __x86_64__
#define COMPAT_IOCTL	54

/* A 32-bit system call; its arguments lie in the first 4 GiB. */
static long ioctl32(int fd, unsigned int cmd, void *arg)
{
	long ret;

	asm volatile("int $0x80" : "=a" (ret) :
		     "a" (COMPAT_IOCTL), "b" (fd), "c" (cmd), "d" (arg) :
		     "memory", "r8", "r9", "r10", "r11");
	return ret;
}

/* 32-bit callers use the same structures. */
TEST_F(info, caller_of_32_bits)
{
	void *low = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	struct bsdvm_snapshot_take *take = low;
	struct bsdvm_map_info *info = low;

	ASSERT_NE(low, MAP_FAILED);
	info->size = sizeof(*info);
	ASSERT_EQ(ioctl32(self->fd, BSDVM_IOC_MAP_INFO, info), 0);
	EXPECT_EQ(info->map_size, SIZE);
	EXPECT_EQ(info->id, map_id(self->fd));
	memset(low, 0, PAGE);
	take->size = sizeof(*take);
	ASSERT_EQ(ioctl32(self->fd, BSDVM_IOC_SNAPSHOT, take), 0);
	EXPECT_TRUE(snapshot_holds(self->fd, take->id, NPAGES / 2, FIRST));
	EXPECT_EQ(ioctl32(self->fd, BSDVM_IOC_SNAPSHOT, NULL), -EFAULT);
	munmap(low, PAGE);
}
#endif

TEST_HARNESS_MAIN
