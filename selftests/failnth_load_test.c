// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Loading the module with an allocation failed, each of those from when its
 * parameters are known until it is there. What cannot be loaded leaves nothing,
 * and can be loaded then.
 *
 * What Linux allocates before that to have the module in memory is not failed:
 * that is some hundred allocations, of which the module knows nothing. Nor, but
 * with LONG=1 in the environment, is more than one in eleven of the others: most
 * are for names in debugfs, which Linux goes without.
 *
 * Needs a kernel with CONFIG_FAULT_INJECTION, root, and the module's file. Where
 * the environment says that there is one, FAULT_INJECTION=1, it is a failure if
 * not.
 */

#define _GNU_SOURCE
#include "failnth_util.h"
#include "module_util.h"
#include "kselftest_harness.h"

/* More allocations than Linux needs to have the module in memory. */
#define MOST	4096

FIXTURE(load) {
	int nth;
	int file;
	bool prepared;
	unsigned int failed;	/* loads */
	unsigned int reached;	/* allocations and copies made to fail */
};

FIXTURE_SETUP(load)
{
	self->nth = open(NTH, O_RDWR | O_CLOEXEC);
	self->file = open(MODULE, O_RDONLY | O_CLOEXEC);
	self->prepared = self->nth >= 0 && nth_prepare() &&
			 nth_works(self->nth);
}

FIXTURE_TEARDOWN(load)
{
	close(self->file);
	close(self->nth);
	if (access(MODULE, R_OK) == 0 && access("/sys/module/bsdvm", F_OK))
		EXPECT_EQ(module_load(), 0);
}

/* Is there a trace of the module? */
static bool is_loaded(void)
{
	static const char *const paths[] = {
		"/sys/module/bsdvm", "/dev/bsdvm", "/sys/class/misc/bsdvm",
		"/sys/kernel/debug/bsdvm", "/sys/kernel/tracing/events/bsdvm",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(paths); i++)
		if (!access(paths[i], F_OK))
			return true;
	return false;
}

/* A map can be made, and all is in order. */
static bool works(void)
{
	int fd = bsdvm_create(SIZE);
	bool ok = fd >= 0 && bsdvm_snapshot(fd) && !bsdvm_check(fd);

	close(fd);
	return ok;
}

/*
 * The allocations and copies of a load that ends at its parameters: of several,
 * the most, as an allocation may take more of them. None is failed: of some, those
 * for the fields of tracepoints, Linux warns.
 */
static unsigned int before_start(FIXTURE_DATA(load) *self)
{
	unsigned int most = 0, n, i;

	for (i = 0; i < 3; i++) {
		nth_arm(self->nth, MOST);
		module_load_file(self->file, "prefault_pages=none");
		n = MOST - nth_left(self->nth);
		nth_disarm(self->nth);
		most = n > most ? n : most;
	}
	return most;
}

#define KMEMLEAK	"/sys/kernel/debug/kmemleak"

/*
 * Linux loses the name of a slab that it cannot show in sysfs, in each load that
 * fails by that. If nothing else was lost, forget it: tools/guest asks for leaks
 * in the end.
 */
static bool only_linux_leaked(unsigned int most)
{
	unsigned int objects = 0, names = 0;
	char line[256];
	FILE *f;

	if (access(KMEMLEAK, F_OK))
		return true;
	/* It takes two scans to be sure. */
	if (!write_text(KMEMLEAK, "scan") || sleep(6) ||
	    !write_text(KMEMLEAK, "scan"))
		return false;
	f = fopen(KMEMLEAK, "r");
	if (!f)
		return false;
	while (fgets(line, sizeof(line), f)) {
		objects += strstr(line, "unreferenced object ") != NULL;
		names += strstr(line, " sysfs_slab_add+") != NULL;
	}
	fclose(f);
	return objects == names && objects <= most &&
	       write_text(KMEMLEAK, "clear");
}

/* One try; was there anything to fail? */
static bool try_load(struct __test_metadata *_metadata,
		     FIXTURE_DATA(load) *self, unsigned int n)
{
	enum cause cause;
	int error;

	nth_arm(self->nth, n);
	error = module_load_file(self->file, "");
	cause = nth_disarm(self->nth);
	if (error) {
		EXPECT_TRUE(cause == CAUSE_COPY ? error == -EFAULT :
						  error == -ENOMEM)
			TH_LOG("failure %u (%d): errno %d", n, cause, -error);
		EXPECT_FALSE(is_loaded()) TH_LOG("failure %u", n);
		self->failed++;
	} else {
		/* Linux does without some. */
		EXPECT_TRUE(works()) TH_LOG("failure %u", n);
		EXPECT_EQ(module_unload_soon(), 0);
	}
	self->reached += cause != CAUSE_NOTHING;
	return cause != CAUSE_NOTHING;
}

TEST_F_TIMEOUT(load, each_allocation, 300)
{
	unsigned int step = bsdvm_long() ? 1 : 11, first, n;

	if (!self->prepared) {
		ASSERT_EQ(getenv("FAULT_INJECTION"), NULL)
			TH_LOG("this kernel should inject faults");
		SKIP(return, "no " NTH ", failslab or fail_page_alloc");
	}
	if (self->file < 0)
		SKIP(return, "no " MODULE);
	ASSERT_EQ(module_unload_soon(), 0);
	ASSERT_FALSE(is_loaded());
	first = before_start(self) + 1;
	ASSERT_GT(first, 1);
	ASSERT_LT(first, MOST);
	for (n = first; try_load(_metadata, self, n); n += step)
		;
	EXPECT_GT(self->failed, 5);
	EXPECT_TRUE(only_linux_leaked(self->failed));
	TH_LOG("from %u on: %u of %u loads failed", first, self->failed,
	       self->reached);
}

TEST_HARNESS_MAIN
