// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * How long things live: a map as long as anything shows it, a snapshot as long
 * as its family, the module as long as there is a map. And who may use them.
 *
 * Unloading needs root, and the module's file to load it again.
 */

#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "module_util.h"
#include "process_util.h"
#include "kselftest_harness.h"

#define NPAGES	8UL
#define SIZE	(NPAGES * PAGE)
#define FIRST	0x50

/* ---- descriptors between processes ------------------------------------- */

union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int))];
};

static int send_fd(int sock, int fd)
{
	struct iovec iov = { "x", 1 };
	union control control = { };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	return sendmsg(sock, &msg, 0) == 1 ? 0 : -1;
}

static int receive_fd(int sock)
{
	char c;
	struct iovec iov = { &c, 1 };
	union control control = { };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	int fd;

	if (recvmsg(sock, &msg, 0) != 1 || !CMSG_FIRSTHDR(&msg))
		return -1;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));
	return fd;
}

/* A map of known pages. */
static int filled_map(void)
{
	int fd = bsdvm_create(SIZE);
	unsigned char *p = bsdvm_mmap(fd, SIZE);

	if (p == MAP_FAILED)
		return -1;
	fill_pages(p, NPAGES, FIRST);
	munmap(p, SIZE);
	return fd;
}

static bool file_holds(int fd)
{
	unsigned char *p = bsdvm_mmap(fd, SIZE);
	bool same = p != MAP_FAILED && pages_hold(p, NPAGES, FIRST);

	munmap(p, SIZE);
	return same;
}

/* Make a map and a snapshot, change the map, send it, and be gone. */
static int creator(void *context)
{
	int *sock = context, fd = filled_map();

	if (fd < 0 || bsdvm_snapshot(fd) != 1 ||
	    pwrite(fd, "changed", 7, 0) != 7)
		return 1;
	return send_fd(*sock, fd) ? 2 : 0;
}

/* A map outlives its creator, in the hands of who was sent it. */
TEST(outlives_its_creator)
{
	int sock[2], fd;

	ASSERT_EQ(socketpair(AF_UNIX, SOCK_DGRAM, 0, sock), 0);
	ASSERT_EQ(in_child(creator, &sock[0]), 0);
	/* In between it was in flight, held by nobody but the socket. */
	fd = receive_fd(sock[1]);
	ASSERT_GE(fd, 0);
	EXPECT_EQ(byte_at(fd, 0), 'c');
	EXPECT_EQ(byte_at(fd, 5 * PAGE), FIRST + 5);
	EXPECT_TRUE(snapshot_holds(fd, 1, NPAGES, FIRST));
	EXPECT_NE(bsdvm_snapshot(fd), 0);
	EXPECT_EQ(bsdvm_drop(fd, 1), 0);
	EXPECT_EQ(bsdvm_check(fd), 0);
	close(fd);
}

/* A second opening by /proc lives on without the first, with all snapshots. */
TEST(reopened)
{
	int fd = filled_map(), again;
	uint32_t id = bsdvm_snapshot(fd);

	ASSERT_NE(id, 0);
	again = bsdvm_reopen(fd, O_RDWR);
	ASSERT_GE(again, 0);
	close(fd);
	ASSERT_EQ(pwrite(again, "x", 1, 0), 1);
	EXPECT_TRUE(snapshot_holds(again, id, NPAGES, FIRST));
	EXPECT_EQ(bsdvm_check(again), 0);
	close(again);
}

/* All maps are of one filesystem, as long as any is open, first or again. */
TEST(one_filesystem)
{
	int fd = filled_map(), again = bsdvm_reopen(fd, O_RDONLY), other;
	struct stat first, second;

	ASSERT_EQ(fstat(fd, &first), 0);
	close(fd);
	other = filled_map();
	ASSERT_EQ(fstat(other, &second), 0);
	EXPECT_EQ(first.st_dev, second.st_dev);
	EXPECT_NE(first.st_ino, second.st_ino);
	close(other);
	close(again);
}

static int notify;
static atomic_int to_unwatch = -1;	/* a watch to be removed */

static void *unwatch(void *unused)
{
	int wd;

	for (;;) {
		wd = atomic_load(&to_unwatch);
		if (wd == -2)
			return NULL;
		if (wd == -1) {
			sched_yield();
			continue;
		}
		inotify_rm_watch(notify, wd);
		atomic_store(&to_unwatch, -1);
	}
}

/*
 * The last one to let go of a map, and of the only one there is, may be inotify,
 * which the end of a filesystem waits for.
 */
TEST(watched)
{
	int i, fd, wd, rounds = bsdvm_repeat(3000);
	pthread_t thread;
	char path[32];

	notify = inotify_init1(IN_CLOEXEC);
	ASSERT_GE(notify, 0);
	ASSERT_EQ(pthread_create(&thread, NULL, unwatch, NULL), 0);
	for (i = 0; i < rounds; i++) {
		fd = bsdvm_create(PAGE);
		ASSERT_GE(fd, 0);
		sprintf(path, "/proc/self/fd/%d", fd);
		wd = inotify_add_watch(notify, path, IN_MODIFY);
		ASSERT_GT(wd, 0);
		atomic_store(&to_unwatch, wd);
		close(fd);
		while (atomic_load(&to_unwatch) != -1)
			sched_yield();
	}
	atomic_store(&to_unwatch, -2);
	pthread_join(thread, NULL);
	close(notify);
}

/* A map lives by its mapping alone, which can give the descriptor back. */
TEST(lives_by_mapping)
{
	int fd = filled_map(), dev = bsdvm_dev();
	unsigned char *p = bsdvm_mmap(fd, SIZE);
	uint32_t id = bsdvm_snapshot(fd);

	close(fd);
	EXPECT_TRUE(pages_hold(p, NPAGES, FIRST));
	p[0] = 1;
	EXPECT_EQ(munmap(p, 7 * PAGE), 0);
	EXPECT_EQ(p[7 * PAGE], FIRST + 7);
	fd = bsdvm_fd_at(dev, p + 7 * PAGE);
	ASSERT_GE(fd, 0);
	munmap(p + 7 * PAGE, PAGE);
	EXPECT_EQ(byte_at(fd, 0), 1);
	EXPECT_TRUE(snapshot_holds(fd, id, NPAGES, FIRST));
	EXPECT_EQ(bsdvm_fd_at(dev, p), -1);
	EXPECT_EQ(errno, ENOENT);
	close(fd);
	close(dev);
}

/* A device that was mapped keeps its map, mapped or not; so does the map. */
TEST(lives_by_device)
{
	struct bsdvm_map_fd arg = { .size = sizeof(arg) };
	int dev = bsdvm_dev(), fd;
	unsigned char *p = bsdvm_mmap(dev, SIZE);

	ASSERT_NE(p, MAP_FAILED);
	fill_pages(p, NPAGES, FIRST);
	munmap(p, SIZE);
	p = bsdvm_mmap(dev, SIZE);
	EXPECT_TRUE(pages_hold(p, NPAGES, FIRST));
	fd = ioctl(dev, BSDVM_IOC_MAP_FD, &arg);
	ASSERT_GE(fd, 0);
	munmap(p, SIZE);
	close(dev);
	EXPECT_TRUE(file_holds(fd));
	close(fd);
}

/* Snapshots live as long as any map of the family, not only the first. */
TEST(snapshots_live_by_family)
{
	int fd = filled_map(), branch;
	uint32_t id = bsdvm_snapshot(fd), second;

	branch = bsdvm_open(fd, id);
	ASSERT_GE(branch, 0);
	ASSERT_EQ(pwrite(branch, "b", 1, 0), 1);
	second = bsdvm_snapshot(branch);
	ASSERT_NE(second, 0);
	close(fd);
	EXPECT_TRUE(snapshot_holds(branch, id, NPAGES, FIRST));
	EXPECT_EQ(bsdvm_drop(branch, id), 0);
	EXPECT_EQ(snapshot_byte(branch, second, 0), 'b');
	EXPECT_EQ(bsdvm_check(branch), 0);
	close(branch);
}

static int exec_child(void *context)
{
	char path[64];

	/* Whatever is open after exec is listed by who is executed. */
	sprintf(path, "[ ! -e /proc/self/fd/%d ]", *(int *)context);
	execl("/bin/sh", "sh", "-c", path, NULL);
	return 99;
}

/* Descriptors from requests are close-on-exec. */
TEST(closed_on_exec)
{
	int fd[4];
	size_t i;

	fd[0] = filled_map();
	fd[1] = bsdvm_open(fd[0], bsdvm_snapshot(fd[0]));
	fd[2] = bsdvm_shadow(fd[0], 0, SIZE);
	fd[3] = bsdvm_fd_at(fd[0], bsdvm_mmap(fd[0], SIZE));
	for (i = 0; i < ARRAY_SIZE(fd); i++) {
		ASSERT_GE(fd[i], 0);
		EXPECT_EQ(fcntl(fd[i], F_GETFD), FD_CLOEXEC);
		if (!access("/bin/sh", X_OK))
			EXPECT_EQ(in_child(exec_child, &fd[i]), 0);
	}
}

/* Whoever is killed leaves nothing. */
TEST(killed)
{
	int fd = filled_map();
	struct peer peer;
	size_t i;

	for (i = 0; i < 10; i++) {
		ASSERT_EQ(peer_start(&peer, fd, SIZE, MAP_SHARED), 0);
		ASSERT_EQ(peer_set(&peer, i % NPAGES * PAGE, i), i);
		kill(peer.pid, SIGKILL);
		ASSERT_NE(bsdvm_snapshot(fd), 0);
		peer_stop(&peer);
	}
	EXPECT_EQ(bsdvm_check(fd), 0);
	close(fd);
}

/* ---- an unprivileged user ---------------------------------------------- */

/* Do all that there is to do; the number of the step that failed, or 0. */
static int use_everything(void *context)
{
	struct bsdvm_snapshot_info snapshot = { .size = sizeof(snapshot) };
	struct bsdvm_entry_info entry = { .size = sizeof(entry) };
	struct bsdvm_object_info object;
	struct bsdvm_map_info info;
	int fd, branch, shadow, again;
	unsigned char *p;
	char path[32];
	uint32_t id;

	if (setgid(1000) || setuid(1000))
		return 1;
	fd = filled_map();
	p = bsdvm_mmap(fd, SIZE);
	if (fd < 0 || p == MAP_FAILED)
		return 2;
	id = bsdvm_snapshot(fd);
	branch = bsdvm_open(fd, id);
	shadow = bsdvm_shadow(fd, PAGE, PAGE);
	if (!id || branch < 0 || shadow < 0)
		return 3;
	p[PAGE] = 1;
	if (!file_holds(branch) || byte_at(shadow, 0) != FIRST + 1)
		return 4;
	if (bsdvm_wire(fd, 0, 2 * PAGE, 0) || bsdvm_unwire(fd, 0, 2 * PAGE, 0))
		return 5;
	if (!bsdvm_wire(fd, 0, PAGE, BSDVM_WIRE_SYSTEM) || errno != EPERM)
		return 6;
	if (bsdvm_map_info(fd, &info) || info.snapshots != 1 || info.maps != 3)
		return 7;
	if (ioctl(fd, BSDVM_IOC_ENTRY_INFO, &entry) ||
	    ioctl(fd, BSDVM_IOC_SNAPSHOT_INFO, &snapshot) ||
	    bsdvm_object_info(fd, 0, 0, &object) || bsdvm_check(fd))
		return 8;
	sprintf(path, "/proc/self/fd/%d", fd);
	again = open(path, O_RDWR);
	if (again < 0 || bsdvm_fd_at(fd, p) < 0)
		return 9;
	if (ftruncate(again, SIZE / 2) || punch(fd, 0, PAGE) ||
	    fallocate(fd, 0, 0, SIZE) || fsync(fd) || mlock(p, PAGE))
		return 10;
	return bsdvm_drop(branch, id) ? 11 : 0;
}

/* A user without any capability can use everything but system wiring. */
TEST(unprivileged)
{
	if (geteuid())
		SKIP(return, "to become a user one must be root");
	EXPECT_EQ(in_child(use_everything, NULL), 0);
}

/* ---- the module -------------------------------------------------------- */

FIXTURE(module) {
	bool there;
};

FIXTURE_SETUP(module)
{
	if (geteuid() || access(MODULE, R_OK))
		SKIP(return, "unloading needs root and " MODULE);
}

/* Whatever happened, the other tests find the module loaded. */
FIXTURE_TEARDOWN(module)
{
	if (access("/sys/module/bsdvm", F_OK))
		EXPECT_EQ(module_load(), 0);
}

/* Everything that shows a map, each by itself, refuses the unloading. */
TEST_F(module, stays_while_used)
{
	int dev = bsdvm_dev(), fd, sock[2], branch;
	unsigned char *p;

	EXPECT_EQ(module_unload(), -EWOULDBLOCK);
	p = bsdvm_mmap(dev, SIZE);
	ASSERT_NE(p, MAP_FAILED);
	close(dev);
	EXPECT_EQ(module_unload(), -EWOULDBLOCK);
	p[0] = 1;
	fd = filled_map();
	munmap(p, SIZE);
	EXPECT_EQ(module_unload(), -EWOULDBLOCK);
	p = mmap(NULL, SIZE, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	EXPECT_EQ(module_unload(), -EWOULDBLOCK);
	EXPECT_TRUE(pages_hold(p, NPAGES, FIRST));
	fd = filled_map();
	munmap(p, SIZE);
	branch = bsdvm_open(fd, bsdvm_snapshot(fd));
	close(fd);
	EXPECT_EQ(module_unload(), -EWOULDBLOCK);
	EXPECT_TRUE(file_holds(branch));
	ASSERT_EQ(socketpair(AF_UNIX, SOCK_DGRAM, 0, sock), 0);
	ASSERT_EQ(send_fd(sock[0], branch), 0);
	close(branch);
	EXPECT_EQ(module_unload(), -EWOULDBLOCK);
	branch = receive_fd(sock[1]);
	EXPECT_TRUE(file_holds(branch));
}

/* With the last one gone it goes, and can come again. */
TEST_F(module, goes_when_unused)
{
	int fd = filled_map();

	EXPECT_EQ(module_unload(), -EWOULDBLOCK);
	close(fd);
	ASSERT_EQ(module_unload_soon(), 0);
	EXPECT_NE(access("/dev/bsdvm", F_OK), 0);
	EXPECT_NE(access("/sys/kernel/debug/bsdvm", F_OK), 0);
	ASSERT_EQ(module_load(), 0);
	fd = filled_map();
	EXPECT_GE(fd, 0);
	EXPECT_TRUE(file_holds(fd));
	close(fd);
}

/* A page in a pipe survives its map, and the module. */
TEST_F(module, page_outlives_it)
{
	int fd = filled_map(), a[2];
	char buffer[16] = "";
	loff_t in = PAGE;

	ASSERT_EQ(pipe(a), 0);
	ASSERT_EQ(splice(fd, &in, a[1], NULL, 8, 0), 8);
	close(fd);
	ASSERT_EQ(module_unload_soon(), 0);
	EXPECT_EQ(read(a[0], buffer, sizeof(buffer)), 8);
	EXPECT_TRUE(all_bytes(buffer, 8, FIRST + 1));
	close(a[0]);
	close(a[1]);
}

/* Free pages that processors keep to themselves, in KiB. */
static long kept_by_cpus(void)
{
	char line[128];
	long value, sum = 0;
	FILE *f = fopen("/proc/zoneinfo", "r");

	while (fgets(line, sizeof(line), f))
		if (sscanf(line, " count: %ld", &value) == 1)
			sum += value;
	fclose(f);
	return sum * (long)PAGE / 1024;
}

/* Memory that cannot be had back, in KiB. */
static long memory_used(void)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);

	if (write(fd, "3", 1) != 1)
		return -1;
	close(fd);
	return meminfo("MemTotal") - meminfo("MemFree") - kept_by_cpus();
}

/* Something of everything, left without tidying up. */
static int use_a_little(void *context)
{
	int fd = filled_map(), branch;
	unsigned char *p;
	uint32_t id;

	id = bsdvm_snapshot(fd);
	branch = bsdvm_open(fd, id);
	p = bsdvm_mmap(fd, SIZE);
	if (!id || branch < 0 || p == MAP_FAILED)
		return 1;
	p[0] = 1;
	bsdvm_wire(branch, 0, PAGE, 0);
	bsdvm_shadow(fd, 0, PAGE);
	punch(fd, 0, 2 * PAGE);
	return pwrite(branch, "x", 1, 3 * PAGE) != 1;
}

static bool in_file(const char *path, const char *text)
{
	char line[256];
	bool found = false;
	FILE *f = fopen(path, "r");

	while (f && fgets(line, sizeof(line), f))
		found |= strstr(line, text) != NULL;
	if (f)
		fclose(f);
	return found;
}

#define CYCLES	100	/* ten times as many if there is time */
#define WARM	10

/* Many times loaded, used and unloaded: nothing is left behind. */
TEST_F_TIMEOUT(module, cycles, 900)
{
	long before = 0, after;
	int i, cycles = bsdvm_repeat(bsdvm_long() ? 10 * CYCLES : CYCLES);

	ASSERT_EQ(module_unload_soon(), 0);
	for (i = 0; i < cycles + WARM; i++) {
		if (i == WARM)
			before = memory_used();
		ASSERT_EQ(module_load(), 0);
		ASSERT_EQ(in_child(use_a_little, NULL), 0);
		ASSERT_EQ(module_unload_soon(), 0);
	}
	after = memory_used();
	TH_LOG("%d cycles: %ld KiB", cycles, after - before);
	/* A kernel full of checkers keeps notes of what was freed. */
	if (access("/sys/kernel/debug/kmemleak", F_OK))
		EXPECT_LT(after - before, 1024);
	EXPECT_FALSE(in_file("/proc/slabinfo", "bsdvm"));
	EXPECT_FALSE(in_file("/proc/filesystems", "bsdvm"));
	EXPECT_FALSE(in_file("/proc/misc", " bsdvm\n"));
	EXPECT_FALSE(in_file("/proc/vmallocinfo", "[bsdvm]"));
	EXPECT_NE(access("/dev/bsdvm", F_OK), 0);
	EXPECT_NE(access("/sys/kernel/tracing/events/bsdvm", F_OK), 0);
}

TEST_HARNESS_MAIN
