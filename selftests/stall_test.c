// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Callers whose memory does not answer: an argument or a buffer on a page that
 * userfaultfd holds back. Nobody else may have to wait, and SIGKILL ends them.
 */

#define _GNU_SOURCE
#include <poll.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <time.h>

#include <linux/userfaultfd.h>

#include "process_util.h"
#include "kselftest_harness.h"

#define NPAGES	8UL
#define SIZE	(NPAGES * PAGE)
#define FIRST	0x20
/* Milliseconds; what does not have to wait takes a fraction of it. */
#define PATIENCE	20000

/* What a caller hangs in: a request, or a system call of the descriptor. */
struct stall_call {
	const char *name;
	unsigned int cmd;
	enum { REQUEST, READ, WRITE } kind;
};

static const struct stall_call calls[] = {
	{ .name = "query", .cmd = BSDVM_IOC_QUERY },
	{ .name = "create", .cmd = BSDVM_IOC_CREATE },
	{ .name = "map_fd", .cmd = BSDVM_IOC_MAP_FD },
	{ .name = "snapshot", .cmd = BSDVM_IOC_SNAPSHOT },
	{ .name = "open", .cmd = BSDVM_IOC_OPEN },
	{ .name = "drop", .cmd = BSDVM_IOC_DROP },
	{ .name = "shadow", .cmd = BSDVM_IOC_SHADOW },
	{ .name = "wire", .cmd = BSDVM_IOC_WIRE },
	{ .name = "unwire", .cmd = BSDVM_IOC_UNWIRE },
	{ .name = "map_info", .cmd = BSDVM_IOC_MAP_INFO },
	{ .name = "entry_info", .cmd = BSDVM_IOC_ENTRY_INFO },
	{ .name = "snapshot_info", .cmd = BSDVM_IOC_SNAPSHOT_INFO },
	{ .name = "object_info", .cmd = BSDVM_IOC_OBJECT_INFO },
	{ .name = "check", .cmd = BSDVM_IOC_CHECK },
	{ .name = "read", .kind = READ },
	{ .name = "write", .kind = WRITE },
};

/* A userfaultfd over the page at @page that nobody answers, or -1. */
static int hold_back(void *page)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register registration = {
		.range = { .start = (uintptr_t)page, .len = PAGE },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	int uffd = syscall(SYS_userfaultfd, O_CLOEXEC);

	if (uffd < 0 || ioctl(uffd, UFFDIO_API, &api) ||
	    ioctl(uffd, UFFDIO_REGISTER, &registration))
		return -1;
	return uffd;
}

static void *silent_page(void)
{
	return mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void stall(const struct stall_call *call, int fd, void *page)
{
	if (call->kind == READ)
		pread(fd, page, PAGE, 0);
	else if (call->kind == WRITE)
		pwrite(fd, page, PAGE, 0);
	else
		ioctl(fd, call->cmd, page);
}

struct caller {
	pid_t pid;
	int uffd;
};

/* A child that hangs in @call. Its userfaultfd is taken from it. */
static int caller_start(struct caller *caller, const struct stall_call *call,
			int fd)
{
	int pipes[2], uffd, pidfd;
	void *page;

	if (pipe(pipes))
		return -1;
	caller->pid = fork();
	if (!caller->pid) {
		page = silent_page();
		uffd = hold_back(page);
		if (write(pipes[1], &uffd, sizeof(uffd)) == sizeof(uffd) &&
		    uffd >= 0)
			stall(call, fd, page);
		pause();
	}
	if (read(pipes[0], &uffd, sizeof(uffd)) != sizeof(uffd))
		uffd = -1;
	close(pipes[0]);
	close(pipes[1]);
	pidfd = syscall(SYS_pidfd_open, caller->pid, 0);
	caller->uffd = uffd < 0 ? -1 : syscall(SYS_pidfd_getfd, pidfd, uffd, 0);
	close(pidfd);
	return caller->uffd < 0 ? -1 : 0;
}

/* Does it come to hang? */
static bool caller_hangs(struct caller *caller)
{
	struct pollfd event = { .fd = caller->uffd, .events = POLLIN };

	return poll(&event, 1, PATIENCE) == 1;
}

/* Let it see a page of zeroes. */
static int caller_answer(struct caller *caller)
{
	struct uffd_msg message;
	struct uffdio_zeropage zero = { .range.len = PAGE };

	if (read(caller->uffd, &message, sizeof(message)) != sizeof(message))
		return -1;
	zero.range.start = message.arg.pagefault.address & -PAGE;
	return ioctl(caller->uffd, UFFDIO_ZEROPAGE, &zero);
}

/* SIGKILL; does it end? */
static bool caller_dies(struct caller *caller)
{
	int pidfd = syscall(SYS_pidfd_open, caller->pid, 0);
	struct pollfd end = { .fd = pidfd, .events = POLLIN };
	bool ended;

	kill(caller->pid, SIGKILL);
	ended = poll(&end, 1, PATIENCE) == 1;
	close(pidfd);
	close(caller->uffd);
	return ended && waitpid(caller->pid, NULL, 0) == caller->pid;
}

/* What the others do; as on any file, a write keeps only its own kind out. */
struct others {
	int fd;
	bool change;
};

static int others_change(int fd)
{
	unsigned char c = FIRST;

	return pwrite(fd, &c, 1, 0) != 1 || punch(fd, PAGE, PAGE) ||
	       ftruncate(fd, SIZE + PAGE) || ftruncate(fd, SIZE);
}

static int others_run(void *context)
{
	struct others *others = context;
	int fd = others->fd, opened, shadow;
	unsigned char *p = bsdvm_mmap(fd, SIZE);
	uint32_t id = bsdvm_snapshot(fd);

	if (p == MAP_FAILED || !id || touch(p, 1) || touch(p + PAGE, 2))
		return 1;
	opened = bsdvm_open(fd, id);
	shadow = bsdvm_shadow(fd, 0, PAGE);
	if (opened < 0 || shadow < 0 || byte_at(fd, 0) != 1 ||
	    bsdvm_wire(fd, 0, PAGE, 0) || bsdvm_unwire(fd, 0, PAGE, 0) ||
	    bsdvm_drop(fd, id) || bsdvm_check(fd))
		return 2;
	return others->change && others_change(fd) ? 3 : 0;
}

/* in_child() with a limit on the time. */
static int others_in_time(int fd, bool change)
{
	struct others others = { .fd = fd, .change = change };
	pid_t pid = fork();
	int status;

	if (!pid) {
		alarm(PATIENCE / 1000);
		_exit(others_run(&others));
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1000;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

FIXTURE(stall) {
	int fd;
	bool able;
};

FIXTURE_SETUP(stall)
{
	void *page = silent_page();
	int uffd = hold_back(page);
	unsigned char *p;

	self->able = uffd >= 0;
	close(uffd);
	munmap(page, PAGE);
	self->fd = bsdvm_create(SIZE);
	ASSERT_GE(self->fd, 0);
	p = bsdvm_mmap(self->fd, SIZE);
	ASSERT_NE(p, MAP_FAILED);
	fill_pages(p, NPAGES, FIRST);
	munmap(p, SIZE);
}

FIXTURE_TEARDOWN(stall)
{
	close(self->fd);
}

/* Whoever hangs keeps nobody waiting, and can be killed. */
static void hold_back_all(struct __test_metadata *_metadata,
			  FIXTURE_DATA(stall) *self)
{
	struct caller caller;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		ASSERT_EQ(caller_start(&caller, &calls[i], self->fd), 0);
		EXPECT_TRUE(caller_hangs(&caller))
			TH_LOG("%s does not wait", calls[i].name);
		EXPECT_EQ(others_in_time(self->fd, calls[i].kind != WRITE), 0)
			TH_LOG("beside %s", calls[i].name);
		EXPECT_TRUE(caller_dies(&caller))
			TH_LOG("%s outlives SIGKILL", calls[i].name);
		EXPECT_EQ(bsdvm_check(self->fd), 0);
	}
}

/* What was held back and then answered goes on with what it got. */
TEST_F(stall, answered_write_goes_on)
{
	static const struct stall_call write_call = {
		.name = "write",
		.kind = WRITE,
	};
	struct caller caller;
	int i;

	if (!self->able)
		SKIP(return, "no userfaultfd");
	ASSERT_EQ(caller_start(&caller, &write_call, self->fd), 0);
	ASSERT_TRUE(caller_hangs(&caller));
	EXPECT_EQ(byte_at(self->fd, 0), FIRST);
	EXPECT_EQ(caller_answer(&caller), 0);
	for (i = 0; i < PATIENCE && byte_at(self->fd, 0); i++)
		usleep(1000);
	EXPECT_EQ(byte_at(self->fd, 0), 0);
	EXPECT_EQ(byte_at(self->fd, PAGE), FIRST + 1);
	EXPECT_TRUE(caller_dies(&caller));
}

/* ---- arguments that change while they are read -------------------------- */

struct flipper {
	struct bsdvm_shadow arg;
	bool stop;
};

/*
 * In turn a good argument, and others that are refused for what they are before
 * anybody looks whether the range lies in the map.
 */
static void *flip(void *context)
{
	struct flipper *flipper = context;
	volatile struct bsdvm_shadow *arg = &flipper->arg;
	unsigned int i;

	for (i = 0; !__atomic_load_n(&flipper->stop, __ATOMIC_RELAXED); i++) {
		arg->length = i & 1 ? PAGE : ~0UL;
		arg->size = i & 16 ? sizeof(*arg) : PAGE;
		arg->flags = i & 32 ? 0 : 0x80;
	}
	return NULL;
}

static bool shadow_is_sound(int fd)
{
	struct bsdvm_map_info info;

	return !bsdvm_map_info(fd, &info) && byte_at(fd, 0) == FIRST &&
	       info.map_size == PAGE;
}

/* An argument is read once: what was checked is what is used. */
static void change_meanwhile(struct __test_metadata *_metadata,
			     FIXTURE_DATA(stall) *self)
{
	struct flipper flipper = { .arg.size = sizeof(flipper.arg) };
	const int enough = bsdvm_repeat(2000);
	int fd, made = 0, refused = 0;
	time_t end = time(NULL) + 60 * bsdvm_slowdown();
	pthread_t thread;

	ASSERT_EQ(pthread_create(&thread, NULL, flip, &flipper), 0);
	while ((made < enough || refused < enough) && time(NULL) < end) {
		fd = ioctl(self->fd, BSDVM_IOC_SHADOW, &flipper.arg);
		if (fd < 0) {
			refused++;
			ASSERT_TRUE(errno == EINVAL || errno == E2BIG)
				TH_LOG("errno %d", errno);
			continue;
		}
		made++;
		ASSERT_TRUE(shadow_is_sound(fd));
		close(fd);
	}
	__atomic_store_n(&flipper.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	EXPECT_GE(made, enough);
	EXPECT_GE(refused, enough);
	EXPECT_EQ(bsdvm_check(self->fd), 0);
}

/* A row of the table in Documentation/security.rst. */
TEST_F_TIMEOUT(stall, r15_memory_does_not_answer, 420)
{
	change_meanwhile(_metadata, self);
	if (!self->able)
		SKIP(return, "no userfaultfd");
	hold_back_all(_metadata, self);
}

TEST_HARNESS_MAIN
