// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Every allocation failed once: each operation is tried with its first
 * allocation failed, then with its second, until one try reaches none that is
 * to fail. Copies from and to user memory count as well. What failed has
 * changed nothing that can be seen; what succeeded did all of it; and in either
 * case nothing is left when everything is closed.
 *
 * Needs a kernel with CONFIG_FAULT_INJECTION, and root. Where the environment
 * says that there is one, FAULT_INJECTION=1, it is a failure if not.
 */

#define _GNU_SOURCE
#include "errors_util.h"
#include "failnth_ops.h"
#include "kselftest_harness.h"

#define TRIES	2000
#define ROUNDS	5

/* ---- what an operation may come to -------------------------------------- */

/* Errors, as a set. */
#define NOMEM	0x01	/* the answer to a failed allocation */
#define FAULT	0x02	/* the answer to a failed copy */
#define AGAIN	0x04
#define OTHER	0x80

static unsigned int error_bit(int error)
{
	switch (-error) {
	case ENOMEM:
		return NOMEM;
	case EFAULT:
		return FAULT;
	case EAGAIN:
		return AGAIN;
	default:
		return OTHER;
	}
}

/*
 * What numbers may be after a failure that they were not before. None of it can
 * be told but by asking for these numbers, and all are as if the operation had
 * never been tried once world_settle() was here.
 */
#define MORE_ENTRIES	0x01
#define FEWER_ENTRIES	0x02
#define MORE_OBJECTS	0x04
#define FEWER_OBJECTS	0x08
#define MORE_PAGES	0x10
#define FEWER_PAGES	0x20

/*
 * M-18, M-19: the shadow is pushed before the page that is to go there is
 * allocated. It has no page and shows the same; the next write needs it anyway.
 */
#define PUSHED		MORE_OBJECTS
/* Each page is faulted in by itself: those before the one that failed stay. */
#define FAULTED		MORE_PAGES

static unsigned int change(long before, long after, unsigned int more,
			   unsigned int fewer)
{
	return after > before ? more : after < before ? fewer : 0;
}

static unsigned int changes(const struct counters *before,
			    const struct counters *after)
{
	return change(before->entries, after->entries, MORE_ENTRIES,
		      FEWER_ENTRIES) |
	       change(before->objects, after->objects, MORE_OBJECTS,
		      FEWER_OBJECTS) |
	       change(before->pages, after->pages, MORE_PAGES, FEWER_PAGES);
}

/* ---- the totals ---------------------------------------------------------- */

/* Of all operations, each of which runs in a process of its own. */
static struct totals {
	pid_t pid;
	unsigned int operations;
	unsigned int allocations;
	unsigned int copies;
} *totals;

static void totals_print(void)
{
	if (getpid() == totals->pid)
		printf("# failnth: %u operations, %u allocations and %u copies failed\n",
		       totals->operations, totals->allocations,
		       totals->copies);
}

static void __attribute__((constructor)) totals_start(void)
{
	totals = mmap(NULL, sizeof(*totals), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (totals == MAP_FAILED)
		abort();
	totals->pid = getpid();
	atexit(totals_print);
}

/* ---- each of them, with each allocation failed -------------------------- */

FIXTURE(failnth) {
	struct world world;
	struct counters base;		/* with nothing there */
	struct counters settled;	/* with a world left untried */
	int nth;
	bool prepared;
	unsigned int stayed;		/* changes after failures, so far */
	unsigned int allocations;
	unsigned int copies;
};

/*
 * @before: prepares the world; may be NULL
 * @request: fails as documented for it; 0: is none
 * @errors: what a failed allocation may come to; 0: ENOMEM
 * @copies: what a failed copy may come to; 0: EFAULT
 * @stays:  exactly what changes of numbers there are after failures
 */
FIXTURE_VARIANT(failnth) {
	int (*run)(struct world *w);
	bool (*before)(struct world *w);
	unsigned int request;
	unsigned int errors;
	unsigned int copies;
	unsigned int stays;
};

#define OPERATION(name, operation, ...)					\
	FIXTURE_VARIANT_ADD(failnth, name) {				\
		.run = (operation), __VA_ARGS__				\
	}

#define REQUEST(name, operation, number, ...)				\
	OPERATION(name, operation, .request = BSDVM_IOC_##number, __VA_ARGS__)

REQUEST(query, op_query, QUERY);
REQUEST(create, op_create, CREATE);
OPERATION(open_device, op_open_device);
OPERATION(map_device, op_map_device);
REQUEST(map_fd, op_map_fd, MAP_FD);
REQUEST(map_fd_address, op_map_fd_at, MAP_FD);
REQUEST(snapshot, op_snapshot, SNAPSHOT);
REQUEST(snapshot_wired, op_snapshot, SNAPSHOT, .before = before_wired);
REQUEST(snapshot_pinned, op_snapshot, SNAPSHOT, .before = before_pinned);
REQUEST(open, op_open, OPEN);
REQUEST(drop, op_drop, DROP);
REQUEST(shadow, op_shadow, SHADOW);
REQUEST(shadow_wired, op_shadow, SHADOW, .before = before_wired);
REQUEST(shadow_pinned, op_shadow, SHADOW, .before = before_pinned);
REQUEST(wire, op_wire, WIRE, .stays = FAULTED);
REQUEST(wire_system, op_wire_system, WIRE, .stays = FAULTED);
REQUEST(unwire, op_unwire, UNWIRE, .before = before_wired);
REQUEST(unwire_system, op_unwire_system, UNWIRE,
	.before = before_wired_system);
REQUEST(map_info, op_map_info, MAP_INFO);
REQUEST(entry_info, op_entry_info, ENTRY_INFO);
REQUEST(snapshot_info, op_snapshot_info, SNAPSHOT_INFO);
REQUEST(object_info, op_object_info, OBJECT_INFO);
REQUEST(check, op_check, CHECK);
REQUEST(close, op_close, OPEN);

#ifdef __x86_64__
REQUEST(query_32, op_query32, QUERY, .before = before_low);
REQUEST(create_32, op_create32, CREATE, .before = before_low);
REQUEST(map_fd_32, op_map_fd32, MAP_FD, .before = before_low);
REQUEST(snapshot_32, op_snapshot32, SNAPSHOT, .before = before_low);
REQUEST(open_32, op_open32, OPEN, .before = before_low);
REQUEST(drop_32, op_drop32, DROP, .before = before_low);
REQUEST(shadow_32, op_shadow32, SHADOW, .before = before_low);
REQUEST(wire_32, op_wire32, WIRE, .before = before_low, .stays = FAULTED);
REQUEST(unwire_32, op_unwire32, UNWIRE, .before = before_low_wired);
REQUEST(map_info_32, op_map_info32, MAP_INFO, .before = before_low);
REQUEST(entry_info_32, op_entry_info32, ENTRY_INFO, .before = before_low);
REQUEST(snapshot_info_32, op_snapshot_info32, SNAPSHOT_INFO,
	.before = before_low);
REQUEST(object_info_32, op_object_info32, OBJECT_INFO, .before = before_low);
REQUEST(check_32, op_check32, CHECK, .before = before_low);
#endif

OPERATION(fault_read_hole, op_read_hole);
OPERATION(fault_read_own, op_read_own);
OPERATION(fault_read_behind, op_read_behind);
OPERATION(fault_read_all, op_read_all);
OPERATION(fault_read_single, op_read_all, .before = before_single);
OPERATION(fault_read_single_frozen, op_read_all,
	  .before = before_single_frozen);
OPERATION(fault_write_hole, op_write_hole);
OPERATION(fault_write_own, op_write_own);
OPERATION(fault_write_behind, op_write_behind);
OPERATION(fault_write_all, op_write_all);
OPERATION(fault_write_frozen, op_write_own,
	  .before = before_frozen, .stays = PUSHED);
OPERATION(fault_write_renamed, op_write_behind, .before = before_renamed);
OPERATION(fault_write_slow, op_write_all, .before = before_slow);
OPERATION(fault_write_single, op_write_all, .before = before_single);
OPERATION(page_mkwrite_own, op_write_own, .before = before_mapped);
OPERATION(page_mkwrite_behind, op_write_behind, .before = before_mapped);
OPERATION(page_mkwrite_all, op_write_all, .before = before_mapped);
OPERATION(page_mkwrite_frozen, op_write_own, .before = before_frozen_mapped);
OPERATION(page_mkwrite_frozen_all, op_write_all,
	  .before = before_frozen_mapped);
OPERATION(page_mkwrite_single, op_write_all, .before = before_single_mapped);
OPERATION(fault_of_a_program, op_store);
OPERATION(fault_of_a_program_frozen, op_store, .before = before_frozen);
/* In the kernel, want of memory in a fault looks like a bad address. */
OPERATION(fault_of_the_kernel, op_kernel_store, .errors = FAULT);
OPERATION(fault_of_a_debugger, op_poke,
	  .errors = NOMEM | FAULT, .stays = FAULTED);
OPERATION(fault_private_read, op_private_read, .before = before_private);
OPERATION(fault_private_write, op_private_write, .before = before_private);
OPERATION(fault_private_mapped, op_private_write,
	  .before = before_private_mapped);

OPERATION(read, op_read);
OPERATION(write_part, op_write_part);
OPERATION(write_pages, op_write_pages);
OPERATION(write_holes, op_write_holes);
OPERATION(write_frozen, op_write_pages,
	  .before = before_frozen, .stays = PUSHED);
OPERATION(write_renamed, op_write_pages, .before = before_renamed);
OPERATION(append, op_append);
OPERATION(punch, op_punch);
OPERATION(punch_bytes, op_punch_bytes);
OPERATION(punch_frozen, op_punch, .before = before_frozen);
OPERATION(punch_wired, op_punch, .before = before_wired);
OPERATION(zero_range, op_zero);
OPERATION(allocate, op_allocate, .stays = FAULTED);
OPERATION(madvise_remove, op_remove);
OPERATION(shrink, op_shrink);
OPERATION(shrink_wired, op_shrink, .before = before_wired);
OPERATION(shrink_frozen, op_shrink, .before = before_frozen, .stays = PUSHED);
OPERATION(shrink_from_afar, op_shrink, .before = before_grown);
OPERATION(grow, op_grow);
OPERATION(seek_data, op_seek_data);
OPERATION(seek_hole, op_seek_hole);
/* Linux 6.1 says EAGAIN for every page that it cannot fill. */
OPERATION(splice_out, op_splice_out,
	  .before = before_pipe, .errors = NOMEM | AGAIN);
OPERATION(splice_in, op_splice_in, .before = before_full_pipe);
OPERATION(reopen, op_reopen);

OPERATION(mmap, op_mmap);
OPERATION(mmap_populate, op_mmap_populate);
OPERATION(munmap, op_munmap, .before = before_mapped_twice);
OPERATION(mprotect, op_mprotect);
OPERATION(mremap, op_mremap);
/* As mlock(2) and fork(2) say. */
OPERATION(mlock, op_mlock, .errors = NOMEM | AGAIN);
OPERATION(fork, op_fork, .errors = NOMEM | AGAIN);
OPERATION(fdinfo, op_show);
OPERATION(debugfs_tree, op_tree);

FIXTURE_SETUP(failnth)
{
	self->nth = open(NTH, O_RDWR | O_CLOEXEC);
	self->prepared = self->nth >= 0 && nth_prepare() &&
			 nth_works(self->nth);
	self->base = counters_read();
}

FIXTURE_TEARDOWN(failnth)
{
	close(self->nth);
}

/* May the operation have failed like this, and is its caller told so? */
static bool is_documented(const FIXTURE_VARIANT(failnth) *variant, int error,
			  enum cause cause)
{
	unsigned int may = 0;

	if (cause == CAUSE_ALLOCATION)
		may = variant->errors ?: NOMEM;
	else if (cause == CAUSE_COPY)
		may = variant->copies ?: FAULT;
	return (error_bit(error) & may) &&
	       (!variant->request ||
		error_is_documented(variant->request, -error));
}

static void prepare(struct __test_metadata *_metadata,
		    FIXTURE_DATA(failnth) *self,
		    const FIXTURE_VARIANT(failnth) *variant)
{
	ASSERT_TRUE(world_make(&self->world));
	if (variant->before)
		ASSERT_TRUE(variant->before(&self->world));
}

/* The bytes of everything there is. */
static void check_bytes(struct __test_metadata *_metadata, struct world *w)
{
	ASSERT_TRUE(world_holds(w));
	ASSERT_TRUE(snapshot_is(w, w->id, w->then, SIZE));
	ASSERT_TRUE(snapshot_is(w, w->taken, w->bytes, w->size));
	if (w->made >= 0)
		ASSERT_TRUE(file_holds(w->made, w->made_bytes, w->made_size));
}

/* As if the operation had never been tried. */
static void check_settled(struct __test_metadata *_metadata,
			  FIXTURE_DATA(failnth) *self)
{
	ASSERT_TRUE(world_settle(&self->world));
	ASSERT_TRUE(counters_become(&self->settled));
	check_bytes(_metadata, &self->world);
}

static void count(FIXTURE_DATA(failnth) *self, enum cause cause)
{
	self->allocations += cause == CAUSE_ALLOCATION;
	self->copies += cause == CAUSE_COPY;
}

/* One try; was there anything to fail? */
static bool try_one(struct __test_metadata *_metadata,
		    FIXTURE_DATA(failnth) *self,
		    const FIXTURE_VARIANT(failnth) *variant, unsigned int n)
{
	struct counters before, after;
	enum cause cause;
	int error;

	prepare(_metadata, self, variant);
	before = counters_read();
	nth_arm(self->nth, n);
	error = variant->run(&self->world);
	cause = nth_disarm(self->nth);
	after = counters_read();
	count(self, cause);
	if (error) {
		ASSERT_TRUE(is_documented(variant, error, cause))
			TH_LOG("failure %u (%d): errno %d", n, cause, -error);
		EXPECT_TRUE(counters_agree(&before, &after));
		EXPECT_EQ(changes(&before, &after) & ~variant->stays, 0)
			TH_LOG("failure %u (%d): errno %d", n, cause, -error);
		self->stayed |= changes(&before, &after);
	}
	check_bytes(_metadata, &self->world);
	if (error)
		check_settled(_metadata, self);
	world_free(&self->world);
	return cause != CAUSE_NOTHING;
}

/* What world_settle() makes of a world to which nothing happened. */
static void try_none(struct __test_metadata *_metadata,
		     FIXTURE_DATA(failnth) *self,
		     const FIXTURE_VARIANT(failnth) *variant)
{
	prepare(_metadata, self, variant);
	ASSERT_TRUE(world_settle(&self->world));
	self->settled = counters_at_rest();
	world_free(&self->world);
	ASSERT_TRUE(counters_become(&self->base));
}

static void add_to_totals(const FIXTURE_DATA(failnth) *self)
{
	totals->operations++;
	totals->allocations += self->allocations;
	totals->copies += self->copies;
}

/* One allocation failed in each try, until a try reaches none. */
static void try_each(struct __test_metadata *_metadata,
		     FIXTURE_DATA(failnth) *self,
		     const FIXTURE_VARIANT(failnth) *variant)
{
	unsigned int n;

	for (n = 1; n < TRIES; n++) {
		bool reached = try_one(_metadata, self, variant, n);

		ASSERT_TRUE(counters_become(&self->base))
			TH_LOG("allocation %u", n);
		if (!reached)
			break;
	}
	ASSERT_LT(n, TRIES);
}

/*
 * Whether a slab needs a page differs from try to try, so all of them may miss
 * the allocation that leaves something: then they are tried again.
 */
TEST_F_TIMEOUT(failnth, each_allocation, 120)
{
	unsigned int round;

	if (!self->prepared) {
		ASSERT_EQ(getenv("FAULT_INJECTION"), NULL)
			TH_LOG("this kernel should inject faults");
		SKIP(return, "no " NTH ", failslab or fail_page_alloc");
	}
	try_none(_metadata, self, variant);
	for (round = 0; round < ROUNDS; round++) {
		try_each(_metadata, self, variant);
		if (self->stayed == variant->stays)
			break;
	}
	EXPECT_EQ(self->stayed, variant->stays);
	TH_LOG("%u allocations and %u copies failed", self->allocations,
	       self->copies);
	add_to_totals(self);
}

TEST_HARNESS_MAIN
