// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The calls a program can make, and what must hold after each. */
#include <linux/falloc.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "errors_util.h"
#include "fuzz.h"

#define SLOTS		8		/* descriptors */
#define IDS		4		/* snapshots */
#define AREA_PAGES	64		/* where maps are mapped */
#define AREA_ADDRESS	0x200000000UL
#define HASHED_PAGES	40
#define START_PAGES	20		/* of the map each program has */

static int slots[SLOTS];
static uint32_t ids[IDS];
static char *area, *buffer;
static int fail_nth = -1;
static sigjmp_buf fault_jump;
static const struct program *running;
static unsigned int at;

static void fail(const char *what)
{
	printf("not ok - call %u: %s: %s\n", at, what, strerror(errno));
	program_print(running);
	abort();
}

/* ---- arguments ----------------------------------- */

/* Mostly one that is open. */
static int slot_fd(uint8_t byte)
{
	unsigned int i, n = 0;

	for (i = 0; i < SLOTS; i++)
		n += slots[i] >= 0;
	if (byte >= 248 || !n)
		return slots[byte % SLOTS];
	n = byte % n;
	for (i = 0; slots[i] < 0 || n; i++)
		n -= slots[i] >= 0;
	return slots[i];
}

static void slot_put(uint8_t byte, int fd)
{
	int *slot = &slots[byte % SLOTS];

	if (fd < 0)
		return;
	if (*slot >= 0)
		close(*slot);
	*slot = fd;
}

static void *area_at(uint8_t byte)
{
	return area + byte % AREA_PAGES * PAGE;
}

/* A length that stays in the area, so that nothing else is unmapped. */
static size_t area_length(const void *from, uint8_t byte)
{
	size_t room = area + AREA_PAGES * PAGE - (const char *)from;
	size_t length = (1 + byte % 20) * PAGE - (byte & 0x80 ? 1 : 0);

	return length < room ? length : room;
}

static uint32_t id(uint8_t byte)
{
	return byte < 200 ? ids[byte % IDS] : value_number(byte);
}

/* ---- what must hold ----------------------------------- */

/* Of size and bytes; 0 for what is too large or cannot be read. */
static uint64_t content(int fd)
{
	struct stat st;
	uint64_t hash;
	ssize_t n, i;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode) ||
	    st.st_size > HASHED_PAGES * PAGE)
		return 0;
	hash = st.st_size + 1;
	n = pread(fd, buffer, st.st_size, 0);
	if (n != st.st_size)
		return 0;
	for (i = 0; i + 8 <= n; i += 8)
		hash = (hash ^ *(uint64_t *)(buffer + i)) * 0x100000001b3ULL;
	return hash;
}

static void check_map(int fd)
{
	struct bsdvm_check check = { .size = sizeof(check) };

	if (ioctl(fd, BSDVM_IOC_CHECK, &check))
		return;
	if (check.violated) {
		printf("invariant %u\n", check.violated);
		fail("a violated invariant");
	}
}

/*
 * A request to a map. An error is documented and, now and then, looked at
 * closely: no byte has changed.
 */
static int request(int fd, unsigned int number, void *arg, bool closely)
{
	uint64_t before = closely && fail_nth < 0 ? content(fd) : 0, after;
	int ret = ioctl(fd, number, arg), error = errno;

	if (ret >= 0)
		return ret;
	if (!error_is_documented(number, error))
		fail("an undocumented error");
	if (before) {
		after = content(fd);
		if (before != after)
			fail("a failed request changed the map");
	}
	return ret;
}

/* ---- requests ----------------------------------- */

static void do_open(const uint8_t *a)
{
	static const int modes[] = { O_RDWR, O_RDWR, O_RDONLY, O_WRONLY };

	slot_put(a[0], open("/dev/bsdvm", modes[a[1] % 4] | O_CLOEXEC));
}

static void do_query(const uint8_t *a)
{
	struct bsdvm_query arg = { .size = sizeof(arg) };

	request(slot_fd(a[0]), BSDVM_IOC_QUERY, &arg, false);
}

static void do_create(const uint8_t *a)
{
	struct bsdvm_create arg = {
		.size = sizeof(arg),
		.map_size = value_offset(a[2]),
	};

	slot_put(a[0], request(slot_fd(a[1]), BSDVM_IOC_CREATE, &arg, false));
}

static void do_map_fd(const uint8_t *a)
{
	struct bsdvm_map_fd arg = {
		.size = sizeof(arg),
		.flags = a[2] & 1,
		.addr = a[2] & 1 ? (uintptr_t)area_at(a[3]) : 0,
	};

	slot_put(a[0], request(slot_fd(a[1]), BSDVM_IOC_MAP_FD, &arg, false));
}

static void do_snapshot(const uint8_t *a)
{
	struct bsdvm_snapshot_take arg = { .size = sizeof(arg) };

	if (!request(slot_fd(a[0]), BSDVM_IOC_SNAPSHOT, &arg, a[2] & 1))
		ids[a[1] % IDS] = arg.id;
}

static void do_open_snapshot(const uint8_t *a)
{
	struct bsdvm_snapshot_ref arg = {
		.size = sizeof(arg), .id = id(a[2]),
	};

	slot_put(a[0], request(slot_fd(a[1]), BSDVM_IOC_OPEN, &arg, a[3] & 1));
}

static void do_drop(const uint8_t *a)
{
	struct bsdvm_snapshot_ref arg = {
		.size = sizeof(arg), .id = id(a[1]),
	};

	request(slot_fd(a[0]), BSDVM_IOC_DROP, &arg, a[2] & 1);
}

static void do_shadow(const uint8_t *a)
{
	struct bsdvm_shadow arg = {
		.size = sizeof(arg),
		.offset = value_offset(a[2]),
		.length = value_offset(a[3]),
	};

	slot_put(a[0], request(slot_fd(a[1]), BSDVM_IOC_SHADOW, &arg,
			       a[4] & 1));
}

/* Wiring all of it would take all memory, and a day. */
static bool is_huge(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && st.st_size > 1024 * PAGE;
}

static void wiring(const uint8_t *a, unsigned int number)
{
	struct bsdvm_wire arg = {
		.size = sizeof(arg),
		.flags = a[1] & 1,
		.offset = value_offset(a[2]),
		.length = value_offset(a[3]),
	};

	if (!is_huge(slot_fd(a[0])))
		request(slot_fd(a[0]), number, &arg, a[4] & 1);
}

static void do_wire(const uint8_t *a)
{
	wiring(a, BSDVM_IOC_WIRE);
}

static void do_unwire(const uint8_t *a)
{
	wiring(a, BSDVM_IOC_UNWIRE);
}

static void do_map_info(const uint8_t *a)
{
	struct bsdvm_map_info arg = { .size = sizeof(arg) };

	request(slot_fd(a[0]), BSDVM_IOC_MAP_INFO, &arg, false);
}

static void do_entry_info(const uint8_t *a)
{
	struct bsdvm_entry_info arg = {
		.size = sizeof(arg), .offset = value_offset(a[1]),
	};

	request(slot_fd(a[0]), BSDVM_IOC_ENTRY_INFO, &arg, false);
}

static void do_snapshot_info(const uint8_t *a)
{
	struct bsdvm_snapshot_info arg = {
		.size = sizeof(arg), .id = id(a[1]),
	};

	request(slot_fd(a[0]), BSDVM_IOC_SNAPSHOT_INFO, &arg, false);
}

static void do_object_info(const uint8_t *a)
{
	struct bsdvm_object_info arg = {
		.size = sizeof(arg),
		.offset = value_offset(a[1]),
		.depth = value_number(a[2]),
	};

	request(slot_fd(a[0]), BSDVM_IOC_OBJECT_INFO, &arg, false);
}

static void do_check(const uint8_t *a)
{
	check_map(slot_fd(a[0]));
}

/* Any number, size, bytes, and place: at the end of memory, misaligned, bad. */
static void do_raw(const uint8_t *a)
{
	char *edge = buffer + HASHED_PAGES * PAGE;
	uint32_t size = a[2] < 160 ? a[2] : value_number(a[2]) * 64;
	void *places[] = {
		buffer, buffer + 1, edge - (a[2] & ~3u), edge - 4, edge,
		NULL, (void *)-4096L, (void *)0xffff888000000000UL,
	};
	char *arg = places[a[3] % 8];

	memset(edge - PAGE, 0, PAGE);
	memset(buffer, 0, 256);
	if (arg >= buffer && arg + 4 <= edge) {
		memset(arg, a[4] & 1 ? 0 : a[5], edge - arg < 128 ?
		       edge - arg : 128);
		memcpy(arg, &size, sizeof(size));
		arg[a[6] % (edge - arg < 64 ? edge - arg : 64)] ^= a[5];
	}
	if (a[1] >= 240)
		ioctl(slot_fd(a[0]), value_number(a[1]) << a[4] % 32, arg);
	else if (!is_huge(slot_fd(a[0])))
		request(slot_fd(a[0]), _IO(BSDVM_IOC_MAGIC, a[1] % 16), arg,
			a[6] & 1);
}

/* ---- memory ----------------------------------- */

static void do_mmap(const uint8_t *a)
{
	static const int kinds[] = {
		MAP_SHARED, MAP_SHARED, MAP_SHARED, MAP_PRIVATE,
		MAP_SHARED_VALIDATE, MAP_SHARED | MAP_POPULATE,
		MAP_SHARED | MAP_LOCKED, MAP_PRIVATE | MAP_POPULATE,
	};
	char *addr = area_at(a[1]);

	mmap(addr, area_length(addr, a[2]), a[3] & 7,
	     kinds[a[4] % 8] | MAP_FIXED, slot_fd(a[0]), value_offset(a[5]));
}

static void do_munmap(const uint8_t *a)
{
	char *addr = area_at(a[0]);

	munmap(addr, area_length(addr, a[1]));
}

static void do_mremap(const uint8_t *a)
{
	char *from = area_at(a[0]), *to = area_at(a[2]);

	mremap(from, area_length(from, a[1]), area_length(to, a[3]),
	       MREMAP_MAYMOVE | MREMAP_FIXED, to);
}

static void do_mprotect(const uint8_t *a)
{
	char *addr = area_at(a[0]);

	mprotect(addr, area_length(addr, a[1]), a[2] & 7);
}

static void do_madvise(const uint8_t *a)
{
	char *addr = area_at(a[0]);
	int advice = a[2] % 26;

	/* What poisons pages for good is not for programs. */
	madvise(addr, area_length(addr, a[1]), advice);
}

static void do_mlock(const uint8_t *a)
{
	char *addr = area_at(a[0]);

	if (a[2] & 1)
		mlock2(addr, area_length(addr, a[1]), a[2] >> 1 & 1);
	else
		munlock(addr, area_length(addr, a[1]));
}

static void on_fault(int signal)
{
	siglongjmp(fault_jump, signal);
}

static void do_touch(const uint8_t *a)
{
	volatile char *addr = area_at(a[0]);
	unsigned int i;

	if (sigsetjmp(fault_jump, 1))
		return;
	for (i = 0; i < 1 + a[1] % 8; i++)
		if (addr + i * PAGE < area + AREA_PAGES * PAGE)
			a[2] & 1 ? (void)addr[i * PAGE + a[3]] :
				   (void)(addr[i * PAGE + a[3]] = a[3]);
}

static void do_fork(const uint8_t *a)
{
	pid_t child = fork();

	if (!child) {
		do_touch(a);
		if (a[4] & 1)
			do_munmap(a + 4);
		_exit(0);
	}
	if (child > 0)
		waitpid(child, NULL, 0);
}

/* ---- files ----------------------------------- */

static void do_truncate(const uint8_t *a)
{
	if (ftruncate(slot_fd(a[0]), value_offset(a[1])))
		return;
}

static void do_fallocate(const uint8_t *a)
{
	/* Filling a map of terabytes is allowed, and takes as long. */
	uint64_t length = value_offset(a[3]);
	int mode = a[1] & 0x7f;

	if (!(mode & FALLOC_FL_PUNCH_HOLE) && length > (1 << 20))
		return;
	fallocate(slot_fd(a[0]), mode, value_offset(a[2]), length);
}

static void do_read(const uint8_t *a)
{
	size_t length = value_offset(a[2] % 224) + a[3];

	if (pread(slot_fd(a[0]), a[4] < 250 ? buffer : (void *)8, length,
		  value_offset(a[1])))
		return;
}

static void do_write(const uint8_t *a)
{
	size_t length = value_offset(a[2] % 16) + a[3];
	const void *from = a[4] < 200 ? buffer :
			   a[4] < 250 ? area_at(a[4]) : (void *)8;

	memset(buffer, a[5], length);
	if (from == buffer || from == (void *)8 ||
	    (char *)from + length <= area + AREA_PAGES * PAGE)
		if (pwrite(slot_fd(a[0]), from, length, value_offset(a[1])))
			return;
}

static void do_seek(const uint8_t *a)
{
	lseek(slot_fd(a[0]), value_offset(a[2]), a[1] % 6);
}

static void do_close(const uint8_t *a)
{
	int *slot = &slots[a[0] % SLOTS];

	if (*slot >= 0)
		close(*slot);
	*slot = -1;
}

static void do_dup(const uint8_t *a)
{
	slot_put(a[0], dup(slot_fd(a[1])));
}

/* ---- failures ----------------------------------- */

static void write_text(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, text, strlen(text)) < 0)
		perror(name);
	close(fd);
}

/* Let the next call's n-th allocation, or copy from or to the user, fail. */
static void do_fail_nth(const uint8_t *a)
{
	char text[16];

	fail_nth = open("/proc/self/fail-nth", O_RDWR | O_CLOEXEC);
	if (fail_nth < 0)
		return;
	sprintf(text, "%u", 1 + a[0] % 24);
	if (write(fail_nth, text, strlen(text)) < 0)
		perror("fail-nth");
}

static void end_fail_nth(void)
{
	if (fail_nth < 0)
		return;
	/* This copy from the user may be what fails. */
	while (pwrite(fail_nth, "0", 1, 0) < 0)
		;
	close(fail_nth);
	fail_nth = -1;
}

/* ---- programs ----------------------------------- */

static const struct {
	const char *name;
	void (*run)(const uint8_t *a);
} kinds[] = {
	{ "open", do_open }, { "query", do_query }, { "create", do_create },
	{ "create", do_create }, { "map_fd", do_map_fd },
	{ "snapshot", do_snapshot }, { "snapshot", do_snapshot },
	{ "open_snapshot", do_open_snapshot }, { "drop", do_drop },
	{ "shadow", do_shadow }, { "wire", do_wire }, { "unwire", do_unwire },
	{ "map_info", do_map_info }, { "entry_info", do_entry_info },
	{ "snapshot_info", do_snapshot_info },
	{ "object_info", do_object_info }, { "check", do_check },
	{ "raw", do_raw }, { "raw", do_raw }, { "mmap", do_mmap },
	{ "mmap", do_mmap }, { "munmap", do_munmap }, { "mremap", do_mremap },
	{ "mprotect", do_mprotect }, { "madvise", do_madvise },
	{ "mlock", do_mlock }, { "touch", do_touch }, { "touch", do_touch },
	{ "fork", do_fork }, { "truncate", do_truncate },
	{ "fallocate", do_fallocate }, { "read", do_read },
	{ "write", do_write }, { "write", do_write }, { "seek", do_seek },
	{ "close", do_close }, { "dup", do_dup }, { "fail_nth", do_fail_nth },
};

const unsigned int call_kinds = sizeof(kinds) / sizeof(kinds[0]);

void program_print(const struct program *program)
{
	unsigned int i, j;

	for (i = 0; i < program->ncalls; i++) {
		printf("# %2u: %s", i,
		       kinds[program->calls[i].number % call_kinds].name);
		for (j = 0; j < CALL_ARGS; j++)
			printf(" %02x", program->calls[i].arg[j]);
		putchar('\n');
	}
	fflush(stdout);
}

/* Empty the area. It lies where nobody else is given memory. */
static void reserve_area(void)
{
	area = mmap((void *)AREA_ADDRESS, AREA_PAGES * PAGE, PROT_NONE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	if (area == MAP_FAILED)
		fail("mmap");
}

/* Failing allocations are no news; those that may sleep can fail, too. */
static void prepare_failures(void)
{
	static const char dir[] = "/sys/kernel/debug/";
	static const char *const files[][2] = {
		{ "failslab/ignore-gfp-wait", "N" },
		{ "failslab/verbose", "0" },
		{ "fail_page_alloc/ignore-gfp-wait", "N" },
		{ "fail_page_alloc/ignore-gfp-highmem", "N" },
		{ "fail_page_alloc/min-order", "0" },
		{ "fail_page_alloc/verbose", "0" },
		{ "fail_usercopy/verbose", "0" },
	};
	char name[64];
	unsigned int i;

	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(name, sizeof(name), "%s%s", dir, files[i][0]);
		write_text(name, files[i][1]);
	}
}

void calls_begin(void)
{
	struct sigaction action = { .sa_handler = on_fault };
	unsigned int i;

	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	for (i = 0; i < SLOTS; i++)
		slots[i] = -1;
	/* Nothing behind the buffer. */
	buffer = mmap(NULL, (HASHED_PAGES + 1) * PAGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap(buffer + HASHED_PAGES * PAGE, PAGE);
	reserve_area();
	prepare_failures();
}

static void run_call(const struct call *call)
{
	bool failing = fail_nth >= 0;

	kinds[call->number % call_kinds].run(call->arg);
	if (failing)
		end_fail_nth();
}

void calls_run(const struct program *program)
{
	unsigned int i;

	running = program;
	memset(ids, 0, sizeof(ids));
	slots[0] = bsdvm_dev();
	slots[1] = bsdvm_create(START_PAGES * PAGE);
	for (at = 0; at < program->ncalls; at++)
		run_call(&program->calls[at]);
	end_fail_nth();
	for (i = 0; i < SLOTS; i++)
		if (slots[i] >= 0)
			check_map(slots[i]);
	reserve_area();
	for (i = 0; i < SLOTS; i++) {
		if (slots[i] >= 0)
			close(slots[i]);
		slots[i] = -1;
	}
}
